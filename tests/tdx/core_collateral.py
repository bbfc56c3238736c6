# SPDX-License-Identifier: Apache-2.0
"""Collateral and TCB evaluation through the C core itself: genuine quotes and documents, and what they say as plain values.

Quotes and PCK certificates are taken apart here by offsets and asn1crypto, independently of the core's readers.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import asn1crypto.core  # type: ignore[import-untyped]
import asn1crypto.pem  # type: ignore[import-untyped]
import asn1crypto.x509  # type: ignore[import-untyped]

from attestcore import _lib, engines
from attestcore._native import ffi, lib

EVIDENCE = Path(__file__).parents[2].parent / "shared" / "evidence" / "tdx"
HAS_EVIDENCE = (EVIDENCE / "manifest.json").exists()
NO_EVIDENCE = "no real evidence at ../shared/evidence/tdx"

NOT_RUN = "not-run"
PASS = "pass"
STATUSES: tuple[str | None, ...] = tuple(
    None if (name := lib.att_tcb_status_name(i)) == ffi.NULL else ffi.string(name).decode() for i in range(10)
)


def code_of(finding: Any) -> str:
    return {0: NOT_RUN, 1: PASS}.get(finding.code) or _lib.CODE_NAMES[finding.code]


@dataclass(frozen=True)
class Found:
    """A finding by its words."""

    code: str
    field: str
    offset: int


def found(finding: Any) -> Found:
    return Found(code_of(finding), _lib.FIELDS[finding.field], finding.offset)


# ---- evidence --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pck:
    components: bytes
    pce_svn: int
    pce_id: bytes
    fmspc: bytes


@dataclass(frozen=True)
class RealQuote:
    """What evaluation needs of a quote."""

    body_type: int
    body: bytes
    body_offset: int
    qe_isv_svn: int
    pck: Pck


def _pck_of(der: bytes) -> Pck:
    certificate = asn1crypto.x509.Certificate.load(der)
    extensions = certificate["tbs_certificate"]["extensions"]
    (value,) = [e["extn_value"].parsed for e in extensions if e["extn_id"].dotted == "1.2.840.113741.1.13.1"]
    parts = {item[0].dotted.rpartition(".")[2]: item[1] for item in _items(value)}
    tcb = {item[0].dotted.rpartition(".")[2]: item[1].native for item in _items(parts["2"])}
    components = bytes(tcb[str(i)] for i in range(1, 17))
    return Pck(components, tcb["17"], parts["3"].native, parts["4"].native)


def _items(sequence: Any) -> list[list[Any]]:
    class Pair(asn1crypto.core.SequenceOf):  # type: ignore[misc]
        _child_spec = asn1crypto.core.Any

    pairs = []
    for item in Pair.load(sequence.dump() if hasattr(sequence, "dump") else sequence):
        inner = Pair.load(item.dump())
        oid = asn1crypto.core.ObjectIdentifier.load(inner[0].dump())
        pairs.append([oid, asn1crypto.core.load(inner[1].dump())])
    return pairs


def parse_quote(data: bytes) -> RealQuote:
    version, _, tee = struct.unpack_from("<HHI", data)
    if version == 5:
        body_type, size = struct.unpack_from("<HI", data, 48)
        at = 54
    else:
        body_type, size, at = (2, 584, 48) if tee == 0x81 else (1, 384, 48)
    report = at + size + 4 + 128 + (0 if version == 3 else 6)
    (isv_svn,) = struct.unpack_from("<H", data, report + 258)
    (auth_len,) = struct.unpack_from("<H", data, report + 448)
    kind, length = struct.unpack_from("<HI", data, report + 450 + auth_len)
    assert kind == 5
    chain = data[report + 456 + auth_len :][:length].rstrip(b"\0")
    _, _, der = next(asn1crypto.pem.unarmor(chain, multiple=True))
    return RealQuote(body_type, data[at : at + size], at, isv_svn, _pck_of(der))


@dataclass(frozen=True)
class Case:
    """A genuine quote with genuine collateral and what is to come of them."""

    quote: str
    collateral: str
    at: int
    status: str | None
    launch_status: str | None
    current_status: str | None
    tcb_date: str | None
    advisories: tuple[str, ...]
    evaluation_numbers: tuple[int, int]
    peer: str

    @property
    def name(self) -> str:
        return f"{self.quote}-{self.collateral.split('.')[1]}"


def _status(word: str | None) -> str | None:
    return None if word == "NOT_SUPPORTED" else word


@functools.cache
def cases() -> tuple[Case, ...]:
    if not HAS_EVIDENCE:
        return ()
    return tuple(
        Case(
            entry["id"],
            case["collateral"],
            case["at"],
            _status(case["status"]),
            _status(case["launch_status"]),
            _status(case["current_status"]),
            case["tcb_date"],
            tuple(sorted(case["advisories"])),
            tuple(case["tcb_evaluation_data_number"]),
            case["dcap_qvl_0_7_0"],
        )
        for entry in json.loads((EVIDENCE / "manifest.json").read_text())
        for case in entry["cases"]
    )


@functools.cache
def quote_bytes(name: str) -> bytes:
    return (EVIDENCE / f"{name}.quote").read_bytes()


@functools.cache
def real_quote(name: str) -> RealQuote:
    return parse_quote(quote_bytes(name))


@dataclass(frozen=True)
class Parts:
    """Collateral taken apart, as att_collateral_parts has it."""

    tcb_info_chain: bytes = b""
    tcb_info: bytes = b""
    tcb_info_signature: bytes = b""
    identity_chain: bytes = b""
    identity: bytes = b""
    identity_signature: bytes = b""
    root_crl: bytes = b""
    pck_crl_chain: bytes = b""
    pck_crl: bytes = b""

    def replace(self, **changes: bytes) -> Parts:
        return dataclasses.replace(self, **changes)


@functools.cache
def real_parts(name: str) -> Parts:
    """QuoteCollateralV3 JSON; its inner documents are strings, so json.loads gives them verbatim."""
    whole = json.loads((EVIDENCE / name).read_text())
    return Parts(
        whole["tcb_info_issuer_chain"].encode(),
        whole["tcb_info"].encode(),
        bytes.fromhex(whole["tcb_info_signature"]),
        whole["qe_identity_issuer_chain"].encode(),
        whole["qe_identity"].encode(),
        bytes.fromhex(whole["qe_identity_signature"]),
        bytes.fromhex(whole["root_ca_crl"]),
        whole["pck_crl_issuer_chain"].encode(),
        bytes.fromhex(whole["pck_crl"]),
    )


@functools.cache
def roots() -> tuple[bytes, ...]:
    """Intel's root, as every genuine set brings it."""
    if not HAS_EVIDENCE:
        return ()
    _, _, der = list(asn1crypto.pem.unarmor(real_parts(cases()[0].collateral).tcb_info_chain, multiple=True))[1]
    return (der,)


# ---- documents and quotes as wanted ----------------------------------------------------------------------------------------

FMSPC, PCE_ID = bytes.fromhex("90c06f000000"), bytes(2)
DATES = {"issueDate": "2026-01-01T00:00:00Z", "nextUpdate": "2026-01-31T00:00:00Z", "tcbEvaluationDataNumber": 20}
NO_SIGNER = "00" * 48
MODULE_FIELDS = {"mrsigner": NO_SIGNER, "attributes": "00" * 8, "attributesMask": "ff" * 8}


def platform_level(
    sgx: list[int],
    pce_svn: int,
    tdx: list[int] | None,
    status: str = "UpToDate",
    date: str = "2026-01-01",
    advisories: tuple[str, ...] = (),
) -> dict[str, Any]:
    tcb: dict[str, Any] = {"sgxtcbcomponents": [{"svn": v} for v in sgx], "pcesvn": pce_svn}
    if tdx is not None:
        tcb["tdxtcbcomponents"] = [{"svn": v} for v in tdx]
    level: dict[str, Any] = {"tcb": tcb, "tcbDate": date + "T00:00:00Z", "tcbStatus": status}
    return level | ({"advisoryIDs": list(advisories)} if advisories else {})


def svn_level(
    isv_svn: int, status: str = "UpToDate", date: str = "2026-01-01", advisories: tuple[str, ...] = ()
) -> dict[str, Any]:
    level: dict[str, Any] = {"tcb": {"isvsvn": isv_svn}, "tcbDate": date + "T00:00:00Z", "tcbStatus": status}
    return level | ({"advisoryIDs": list(advisories)} if advisories else {})


def tcb_info(
    levels: list[dict[str, Any]], modules: list[dict[str, Any]] | None = None, tdx: bool = True
) -> dict[str, Any]:
    info: dict[str, Any] = {"id": "TDX" if tdx else "SGX", "version": 3, **DATES}
    info |= {"fmspc": FMSPC.hex(), "pceId": PCE_ID.hex(), "tcbType": 0, "tcbLevels": levels}
    if tdx:
        info["tdxModule"] = dict(MODULE_FIELDS)
    if modules is not None:
        info["tdxModuleIdentities"] = modules
    return info


def module(version: int, levels: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": f"TDX_{version:02X}", **MODULE_FIELDS, "tcbLevels": levels}


def qe_identity(levels: list[dict[str, Any]], tdx: bool = True) -> dict[str, Any]:
    return {
        "id": "TD_QE" if tdx else "QE", "version": 2, **DATES, "miscselect": "00000000", "miscselectMask": "ffffffff",
        "attributes": "11" + "00" * 15, "attributesMask": "fb" + "ff" * 7 + "00" * 8, "mrsigner": "dc" * 32, "isvprodid": 2,
        "tcbLevels": levels,
    }  # fmt: skip


def parts_of(info: dict[str, Any], identity: dict[str, Any]) -> Parts:
    return Parts(tcb_info=json.dumps(info).encode(), identity=json.dumps(identity).encode())


def quote_of(
    sgx: list[int],
    pce_svn: int,
    tdx: list[int] | None,
    tdx_2: list[int] | None = None,
    qe: int = 4,
    body_type: int | None = None,
) -> RealQuote:
    if tdx is None:
        return RealQuote(1, bytes(384), 48, qe, Pck(bytes(sgx), pce_svn, PCE_ID, FMSPC))
    size = {2: 584, 3: 648, 4: 885}[kind := body_type or (3 if tdx_2 is not None else 2)]
    body = bytearray(size)
    body[:16] = bytes(tdx)
    if kind > 2:
        body[584:600] = bytes(tdx_2 if tdx_2 is not None else tdx)
    return RealQuote(kind, bytes(body), 48 if kind == 2 else 54, qe, Pck(bytes(sgx), pce_svn, PCE_ID, FMSPC))


# ---- the core --------------------------------------------------------------------------------------------------------------


class Trust:
    """Anchors and known CAs, made by the core."""

    def __init__(self, anchors: Sequence[bytes] = (), issuers: Sequence[bytes] = ()) -> None:
        self._anchors = ffi.new("att_intel_cert[]", max(1, len(anchors)))
        self._issuers = ffi.new("att_intel_cert[]", max(1, len(issuers)))
        for out, ders in ((self._anchors, anchors), (self._issuers, issuers)):
            for i, der in enumerate(ders):
                lib.att_intel_cert_read(der, len(der), ffi.addressof(out, i))
        self.c = ffi.new("att_intel_trust *")
        self.c.anchors, self.c.num_anchors = self._anchors, len(anchors)
        self.c.issuers, self.c.num_issuers = self._issuers, len(issuers)
        jobs = ffi.new("att_sig_job[]", max(1, lib.att_intel_trust_jobs(self.c, ffi.NULL)))
        run_jobs(jobs, lib.att_intel_trust_jobs(self.c, jobs), "portable")
        lib.att_intel_trust_finish(self.c, jobs)


def run_jobs(jobs: Any, num: int, engine: str) -> None:
    _lib._run_jobs(engines.runner(engine), jobs, num)


FINDINGS = (
    "error",
    "tcb_info",
    "tcb_info_signature",
    "identity",
    "identity_signature",
    "root_crl_genuine",
    "pck_crl_genuine",
)


class Collateral:
    """att_tdx_collateral, begun, its jobs run, and finished."""

    def __init__(self, parts: Parts, trust: Trust | None = None, engine: str = "portable", run: bool = True) -> None:
        trust = trust or NO_TRUST
        self._keep: list[Any] = [trust, parts]
        c_parts = ffi.new("att_collateral_parts *")
        for field in dataclasses.fields(parts):
            data = getattr(parts, field.name)
            memory = ffi.new("uint8_t[]", data) if data else ffi.NULL
            self._keep.append(memory)
            setattr(c_parts, field.name, memory)
            setattr(c_parts, field.name + "_len", len(data))
        room = (len(parts.root_crl) + len(parts.pck_crl)) // 6 + 2
        serials = ffi.new("att_serial[]", room)
        self._keep += [c_parts, serials]
        self.parts = parts
        self.c = ffi.new("att_tdx_collateral *")
        self.jobs = ffi.new("att_sig_job[]", lib.ATT_TDX_COLLATERAL_JOBS)
        self.num_jobs = lib.att_tdx_collateral_begin(trust.c, c_parts, self.c, serials, room, self.jobs)
        assert self.num_jobs <= lib.ATT_TDX_COLLATERAL_JOBS
        if run:
            run_jobs(self.jobs, self.num_jobs, engine)
            lib.att_tdx_collateral_finish(trust.c, self.c, self.jobs)

    def found(self, name: str) -> Found:
        return found(getattr(self.c, name))

    def codes(self) -> dict[str, str]:
        """Every finding by its name, signers' chains among them."""
        codes = {name: self.found(name).code for name in FINDINGS}
        codes["tcb_signer"] = code_of(self.c.tcb_signer.chain)
        codes["identity_signer"] = code_of(self.c.identity_signer.chain)
        return codes

    def advisories(self, document: int, level: Any) -> list[str]:
        text = (self.parts.tcb_info, self.parts.identity)[document]
        spans = self.c.advisories[document]
        first = level.first_advisory
        return [
            text[s.offset : s.offset + s.len].decode("ascii")
            for s in (spans[i] for i in range(first, first + level.num_advisories))
        ]


NO_TRUST = Trust()


@dataclass(frozen=True)
class Outcome:
    """att_tcb_result by its words."""

    status: str | None
    launch_status: str | None
    current_status: str | None
    qe_status: str | None
    date: str | None
    current_date: str | None
    module_match: Found
    found: Found
    level: tuple[int, int]
    module: tuple[int, int]
    module_level: tuple[int, int]
    qe_level: int


def _date(seconds: int) -> str | None:
    if seconds == _lib.NO_TIME:
        return None
    return datetime.fromtimestamp(seconds, tz=timezone.utc).date().isoformat()


def evaluate(collateral: Collateral, quote: RealQuote) -> Outcome:
    pck = ffi.new("att_pck_info *")
    ffi.memmove(pck.components, quote.pck.components, 16)
    ffi.memmove(pck.fmspc, quote.pck.fmspc, 6)
    ffi.memmove(pck.pce_id, quote.pck.pce_id, 2)
    pck.pce_svn = quote.pck.pce_svn
    r = ffi.new("att_tcb_result *")
    body = ffi.new("uint8_t[]", quote.body)
    lib.att_tdx_evaluate(collateral.c, pck, quote.qe_isv_svn, quote.body_type, body, quote.body_offset, r)
    return Outcome(
        STATUSES[r.status],
        STATUSES[r.launch_status],
        STATUSES[r.current_status],
        STATUSES[r.qe_status],
        _date(r.date),
        _date(r.current_date),
        found(r.module_match),
        found(r.found),
        tuple(r.level),
        tuple(r.module),
        tuple(r.module_level),
        r.qe_level,
    )


def advisories_of(collateral: Collateral, outcome: Outcome) -> tuple[str, ...]:
    """Of the levels matched: platform and module at launch, QE."""
    c, ids = collateral.c, set[str]()
    if outcome.level[0] >= 0:
        ids.update(collateral.advisories(0, c.levels[outcome.level[0]]))
    if outcome.module_level[0] >= 0:
        ids.update(collateral.advisories(0, c.modules[outcome.module[0]].levels[outcome.module_level[0]]))
    if outcome.qe_level >= 0:
        ids.update(collateral.advisories(1, c.qe_levels[outcome.qe_level]))
    return tuple(sorted(ids))
