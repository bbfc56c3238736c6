# SPDX-License-Identifier: Apache-2.0
"""The C core's functions for quotes, Intel's certificates and platforms, called as they are: below the binding, so that a test sees each
finding with its code, field and offset. And the real quotes beside the repository (../shared/evidence)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from attestcore import _lib, engines

ffi, lib = _lib.ffi, _lib.lib
CData: TypeAlias = Any

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT.parent / "shared" / "evidence"
needs_evidence = pytest.mark.skipif(
    not (EVIDENCE / "tdx").is_dir(), reason="no real evidence at ../shared/evidence/tdx"
)

#: A struct inside of a struct does not keep the outer one alive; this does, for as long as an expression lasts.
_alive: deque[CData] = deque(maxlen=1024)


def _new(kind: str) -> CData:
    made = ffi.new(kind)
    _alive.append(made)
    return made


PASS = ("pass", "", 0)
NOT_RUN = ("", "", 0)
Finding: TypeAlias = tuple[str, str, int]

CHECKS = tuple(ffi.string(lib.att_tdx_check_name(i)).decode() for i in range(lib.att_tdx_num_checks()))
PARSE_CHECKS = (
    "quote-length", "quote-version", "quote-tee-type", "quote-key-type", "quote-reserved", "certification-data",
    "quote-trailing",
)  # fmt: skip


def finding(f: CData) -> Finding:
    """Code (pass, or empty for not run), field and offset."""
    if f.code <= lib.ATT_PASS:
        return PASS if f.code == lib.ATT_PASS else NOT_RUN
    return (
        ffi.string(lib.att_code_name(f.code)).decode(),
        ffi.string(lib.att_field_name(f.field)).decode(),
        int(f.offset),
    )


def span(s: CData) -> tuple[int, int]:
    return (int(s.offset), int(s.len))


# ---- quotes ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parsed:
    whole: bool
    quote: CData
    findings: dict[str, Finding]

    @property
    def failures(self) -> dict[str, Finding]:
        return {name: f for name, f in self.findings.items() if f[0] not in ("", "pass")}

    def part(self, name: str, data: bytes) -> bytes:
        at, size = span(getattr(self.quote, name))
        return data[at : at + size]


def parse(data: bytes | None) -> Parsed:
    """att_tdx_parse. The bytes stand in memory of exactly their size."""
    quote = _new("att_tdx_quote *")
    findings = ffi.new("att_finding[]", len(CHECKS))
    given = ffi.NULL if data is None else ffi.new("uint8_t[]", max(len(data), 1))
    if data:
        ffi.memmove(given, data, len(data))
    whole = lib.att_tdx_parse(given, len(data or b""), quote, findings)
    told = {name: finding(findings[i]) for i, name in enumerate(CHECKS)}
    strangers = {name for name in CHECKS if told[name] != NOT_RUN} - {*PARSE_CHECKS, "qe-vendor"}
    assert not strangers
    return Parsed(bool(whole), quote, told)


def layout(body_type: int) -> list[tuple[str, int, int]]:
    field, offset, size = ffi.new("uint32_t *"), ffi.new("uint32_t *"), ffi.new("uint32_t *")
    out = []
    while lib.att_tdx_layout(body_type, len(out), field, offset, size):
        out.append((ffi.string(lib.att_field_name(field[0])).decode(), offset[0], size[0]))
    return out


@dataclass(frozen=True)
class Rows:
    """att_rows over Python bytes; keeps them alive."""

    struct: CData
    keep: tuple[Any, ...]
    num: int


def rows_of(values: Sequence[bytes | None]) -> Rows:
    buffers = [ffi.NULL if value is None else ffi.from_buffer("uint8_t[]", value) for value in values]
    ptrs = ffi.new("uint8_t *[]", [ffi.cast("uint8_t *", b) for b in buffers] or [ffi.NULL])
    lens = ffi.new("uint64_t[]", [len(value or b"") for value in values] or [0])
    struct = ffi.new("att_rows *", {"n": len(values)})
    struct.ptrs = ffi.cast("const uint8_t *const *", ptrs)
    struct.lens = lens
    return Rows(struct, (buffers, ptrs, lens, tuple(values)), len(values))


def section_at(data: bytes | None) -> tuple[bytes, int] | None:
    rows = rows_of([data])
    out, size, kind = ffi.new("const uint8_t **"), ffi.new("uint64_t *"), ffi.new("uint16_t *")
    if not lib.att_tdx_section_at(rows.struct, 0, out, size, kind):
        assert (out[0], size[0], kind[0]) == (ffi.NULL, 0, 0)
        return None
    return bytes(ffi.buffer(out[0], size[0])), int(kind[0])


def sections_distinct(
    quotes: Sequence[bytes | None], chain_of: Sequence[int] | None = None, key: bytes = bytes(range(16))
) -> tuple[list[int], list[int]]:
    """The number of each row's section (-1 for none), and the first row of each number."""
    rows = rows_of(quotes)
    slots = 1
    while slots < 2 * max(1, len(quotes)):
        slots *= 2
    index, first = ffi.new("int32_t[]", max(1, rows.num)), ffi.new("int64_t[]", max(1, rows.num))
    chains = ffi.NULL if chain_of is None else ffi.new("int32_t[]", list(chain_of))
    num = lib.att_tdx_sections_distinct(rows.struct, chains, key, index, first, ffi.new("int32_t[]", slots), slots)
    return [index[i] for i in range(rows.num)], [first[i] for i in range(num)]


# ---- certificates and CRLs ---------------------------------------------------------------------------------------------------

ROLES = ("other", "root", "platform-ca", "processor-ca", "pck", "tcb-signer")


def read_cert(der: bytes) -> CData:
    cert = _new("att_intel_cert *")
    lib.att_intel_cert_read(ffi.from_buffer(der) if der else ffi.NULL, len(der), cert)
    return cert


def read_crl(der: bytes, room: int | None = None) -> tuple[CData, list[bytes]]:
    """The CRL and its serials in the order of the table."""
    crl = _new("att_intel_crl *")
    room = len(der) // 6 + 1 if room is None else room
    serials, num = ffi.new("att_serial[]", max(room, 1)), ffi.new("uint64_t *")
    lib.att_intel_crl_read(ffi.from_buffer(der) if der else ffi.NULL, len(der), crl, serials, room, num)
    assert num[0] == crl.num_revoked
    assert crl.first_revoked == 0
    return crl, [bytes(ffi.buffer(serials[i].bytes, serials[i].len)) for i in range(crl.num_revoked)]


# ---- trust and platforms -----------------------------------------------------------------------------------------------------


def run_jobs(engine: str, jobs: CData, num: int) -> None:
    _lib._run_jobs(engines.runner(engine), jobs, num)


@dataclass(frozen=True)
class Trust:
    struct: CData
    keep: tuple[Any, ...]
    jobs: int

    @property
    def anchors(self) -> list[CData]:
        return [self.struct.anchors[i] for i in range(self.struct.num_anchors)]

    @property
    def issuers(self) -> list[CData]:
        return [self.struct.issuers[i] for i in range(self.struct.num_issuers)]


def make_trust(roots: Sequence[bytes], issuers: Sequence[bytes] = (), engine: str = "portable") -> Trust:
    def read(ders: Sequence[bytes]) -> CData:
        certs = ffi.new("att_intel_cert[]", max(1, len(ders)))
        for i, der in enumerate(ders):
            lib.att_intel_cert_read(ffi.from_buffer(der), len(der), certs + i)
        return certs

    anchors, known = read(roots), read(issuers)
    trust = ffi.new("att_intel_trust *")
    trust.anchors, trust.num_anchors = anchors, len(roots)
    trust.issuers, trust.num_issuers = known, len(issuers)
    num = lib.att_intel_trust_jobs(trust, ffi.NULL)
    jobs = ffi.new("att_sig_job[]", max(1, num))
    assert lib.att_intel_trust_jobs(trust, jobs) == num
    run_jobs(engine, jobs, num)
    lib.att_intel_trust_finish(trust, jobs)
    return Trust(trust, (anchors, known, jobs), num)


PLATFORM_FINDINGS = (
    "chain", "pck_profile", "ca_profile", "root", "names", "pck_signature", "ca_signature", "certification",
    "qe_signature", "key_binding",
)  # fmt: skip


@dataclass(frozen=True)
class Platforms:
    structs: CData
    keep: tuple[Any, ...]
    jobs: int

    def findings(self, i: int = 0) -> dict[str, Finding]:
        return {name: finding(getattr(self.structs[i], name)) for name in PLATFORM_FINDINGS}

    def failures(self, i: int = 0) -> dict[str, Finding]:
        return {name: f for name, f in self.findings(i).items() if f[0] not in ("", "pass")}

    def not_run(self, i: int = 0) -> set[str]:
        return {name for name, f in self.findings(i).items() if f == NOT_RUN}


def platforms(
    trust: Trust,
    sections: Sequence[tuple[bytes, int] | None],
    chains: Sequence[bytes | None] | None = None,
    engine: str = "portable",
) -> Platforms:
    rows = rows_of([None if section is None else section[0] for section in sections])
    types = ffi.new("uint16_t[]", [0 if section is None else section[1] for section in sections])
    pem = None if chains is None else rows_of(chains)
    out = ffi.new("att_tdx_platform[]", len(sections))
    jobs = ffi.new("att_sig_job[]", 3 * len(sections))
    num = lib.att_tdx_platform_begin(
        trust.struct, rows.struct, types, ffi.NULL if pem is None else pem.struct, out, jobs
    )
    assert num <= 3 * len(sections)
    run_jobs(engine, jobs, num)
    lib.att_tdx_platform_finish(trust.struct, out, len(sections), jobs)
    return Platforms(out, (rows, types, pem, jobs), num)


# ---- the real quotes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RealQuote:
    name: str
    data: bytes  # as collected: some end in zeros
    entry: dict[str, Any]  # of the manifest; empty for those of other folders


@lru_cache(maxsize=1)
def real_quotes() -> tuple[RealQuote, ...]:
    if not (EVIDENCE / "tdx").is_dir():
        return ()
    manifest = json.loads((EVIDENCE / "tdx" / "manifest.json").read_text())
    entries = {entry["quote"]: entry for entry in manifest}
    out = [RealQuote(p.stem, p.read_bytes(), entries[p.name]) for p in sorted((EVIDENCE / "tdx").glob("*.quote"))]
    others = ["ccel/cos-113-tdx-quote.dat", "azure/cvm-attestation-tools/td_quote_v4.dat",
              "azure/cvm-attestation-tools/td_quote_v5.dat", "azure/trustee-az-tdx-vtpm/td-quote.bin"]  # fmt: skip
    out += [RealQuote(Path(name).stem, (EVIDENCE / name).read_bytes(), {}) for name in others]
    return tuple(out)


each_real_quote = pytest.mark.parametrize("real", real_quotes(), ids=lambda real: real.name)
