# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: reports, certificates, CRLs, certificate tables, and mutations of any of them.

    @given(signed_reports(accepted=True))
    def test_genuine(case): ...                       # case.data is fit for any verifier that trusts case.ca

    @given(mutations(signed_reports().map(lambda case: case.data)))
    def test_any_damage_is_refused(data): ...

Random fields cost one draw each, and all signatures come from a small fixed pool of keys, so a thousand examples take
seconds.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from hypothesis import assume
from hypothesis import strategies as st

from attestcore.testing import mutations as shared

from . import der
from .ca import AmdCa, Endorsement
from .keys import ec_key, ec_spki, rsa_key
from .products import PRODUCTS, Tcb
from .reports import LAYOUT, REPORT_LEN, ReportFields
from .tables import GUIDS, CertificateTable, TableEntry
from .x509 import (
    OIDS,
    PSS,
    PSS_WITH_TRAILER,
    Certificate,
    CertificateSpec,
    Crl,
    Extension,
    Name,
    RawTime,
    SignatureAlgorithm,
    basic_constraints,
    key_usage,
)

#: Lines whose evidence is judged; Venice is known by name alone.
JUDGED_LINES: Final = ("Milan", "Genoa", "Turin")
JUDGED_PRODUCTS: Final = tuple(name for name, product in PRODUCTS.items() if product.line.name in JUDGED_LINES)
JUDGED_VERSIONS: Final = (2, 3, 4, 5)

_U32: Final = st.integers(0, 2**32 - 1)
_U64: Final = st.integers(0, 2**64 - 1)
_BYTE: Final = st.integers(0, 255)
_VERSION: Final = st.tuples(st.integers(0, 2), _BYTE, _BYTE)
# POLICY bits that a default policy leaves to the guest: ABI, SMT, single socket, CXL, XTS, RAPL, ciphertext hiding,
# page swap.
_POLICY_FREE: Final = 0x03F1FFFF


@lru_cache(maxsize=16)
def authority(line: str) -> AmdCa:
    """The authority of a line, made once."""
    return AmdCa(line)


@lru_cache(maxsize=64)
def endorsement(line: str, kind: str, number: int) -> Endorsement:
    """One of the fixed pool: chip or provider number so-and-so of a line."""
    ca = authority(line)
    if kind == "VLEK":
        return ca.vlek(csp_id=f"CN=cc-pool-{number}.example.com")
    return ca.vcek(chip_id=bytes([0x10 + number]) * ca.line.chip_id_len)


def endorsements(
    lines: Sequence[str] = JUDGED_LINES, kinds: Sequence[str] = ("VCEK", "VLEK")
) -> st.SearchStrategy[Endorsement]:
    """VCEKs and VLEKs of the pool."""
    return st.builds(endorsement, st.sampled_from(lines), st.sampled_from(kinds), st.integers(0, 1))


def tcbs(layout: str = "Milan") -> st.SearchStrategy[Tcb]:
    """Any TCB of a layout."""
    parts = {"Milan": ("boot_loader", "tee", "snp", "microcode"), "Venice": ("fmc", "tee", "snp")}
    names = parts.get(layout, ("fmc", "boot_loader", "tee", "snp", "microcode"))
    return st.binary(min_size=len(names), max_size=len(names)).map(
        lambda raw: Tcb(**dict(zip(names, raw, strict=True)))
    )


# ---- reports ---------------------------------------------------------------------------------------------------------


@st.composite
def reports(
    draw: st.DrawFn,
    versions: Sequence[int] | None = None,
    products: Sequence[str] | None = None,
    *,
    accepted: bool = False,
) -> ReportFields:
    """Reports in the layout of their version. accepted: only such as a default policy accepts when they are signed by
    the endorsement that fits (any POLICY bit that is the guest's choice, VMPL 0 to 3, versions 2 to 5, no part of a
    TCB above the current one)."""
    version = draw(st.sampled_from(versions or (JUDGED_VERSIONS if accepted else (*JUDGED_VERSIONS, 6))))
    name = draw(st.sampled_from(products or (JUDGED_PRODUCTS if accepted else tuple(PRODUCTS))))
    product = PRODUCTS[name]
    blob = {field: draw(st.binary(min_size=LAYOUT[field][1], max_size=LAYOUT[field][1])) for field in _RANDOM_FIELDS}
    tcb = draw(tcbs(product.line.layout))
    fields: dict[str, Any] = {
        "product": name,
        "version": version,
        "guest_svn": draw(_U32),
        "policy": draw(_U64) & _POLICY_FREE | 0x20000 if accepted else draw(_U64),
        "vmpl": draw(st.integers(0, 3) if accepted else st.one_of(st.integers(0, 4), _U32)),
        "platform_info": draw(_U64),
        "reported_tcb": tcb,
        "current_tcb": tcb if accepted else draw(tcbs(product.line.layout)),
        "current_version": draw(_VERSION),
        "committed_version": draw(_VERSION),
        "signing_key": draw(st.sampled_from((0, 1))),
        "chip_id": draw(st.binary(min_size=product.line.chip_id_len, max_size=product.line.chip_id_len)),
        **blob,
    }
    if version >= 3:
        fields["cpuid_step"] = draw(st.integers(0, 15))
    if version >= 4:
        fields["launch_mit_vector"], fields["current_mit_vector"] = draw(_U64), draw(_U64)
    if version >= 6:
        fields["current_etcb"] = draw(st.binary(min_size=32, max_size=32))
    if not accepted:
        fields["key_info"] = draw(st.one_of(st.none(), st.integers(0, 31)))
    return ReportFields(**fields)


_RANDOM_FIELDS: Final = (
    "family_id", "image_id", "report_data", "measurement", "host_data", "id_key_digest", "report_id", "report_id_ma",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedReport:
    """A report with all that it takes to judge it."""

    data: bytes
    fields: ReportFields
    endorsement: Endorsement
    ca: AmdCa


@st.composite
def signed_reports(
    draw: st.DrawFn,
    lines: Sequence[str] = JUDGED_LINES,
    versions: Sequence[int] | None = None,
    *,
    accepted: bool = False,
) -> SignedReport:
    """Reports that fit an endorsement of the pool and are signed by it. accepted: as in reports(); else POLICY, VMPL
    and KEY_INFO are arbitrary, and only signature, chain and binding hold for sure."""
    signer = draw(endorsements(lines))
    names = tuple(name for name, product in PRODUCTS.items() if product.line == signer.line)
    drawn = draw(reports(versions, names, accepted=accepted))
    fields = drawn.replace(
        reported_tcb=signer.tcb,
        current_tcb=signer.tcb,
        chip_id=signer.chip_id,
        signing_key=0 if signer.kind == "VCEK" else 1,
    )
    return SignedReport(fields.sign(signer), fields, signer, authority(signer.line.name))


def parsed_reports() -> st.SearchStrategy[Any]:
    """snpverify.Report objects of unsigned reports: what st.from_type(snpverify.Report) gives."""
    parse = importlib.import_module("snpverify").parse_report
    return reports(accepted=True).map(lambda fields: parse(fields.build()))


# ---- certificates ----------------------------------------------------------------------------------------------------

_Edit = Callable[[Certificate], Certificate]


def _edits() -> tuple[tuple[str, _Edit], ...]:
    """One edit a rule of the profile, each of which makes any certificate of AMD's wrong in that one way."""

    def spec(edit: Callable[[CertificateSpec], CertificateSpec]) -> _Edit:
        return lambda certificate: certificate.respec(edit(certificate.spec))

    def field(**changes: Any) -> _Edit:
        return lambda certificate: certificate.replace(**changes)

    def first(certificate: CertificateSpec) -> str:
        kind = (certificate.extensions or ())[0].kind
        return next(word for word, oid in OIDS.items() if kind in (word, oid))

    return (
        ("version-1", field(version=None)),
        ("version-2", field(version=1)),
        ("serial-negative", field(serial=-1)),
        ("serial-long", field(serial=1 << 168)),
        ("serial-padded", field(serial=b"\0\0\x01")),
        ("algorithm-pkcs1", field(algorithm=SignatureAlgorithm("pkcs1"))),
        ("algorithm-sha256", field(algorithm=SignatureAlgorithm(hash="sha256", salt_length=32))),
        ("algorithm-mgf", field(algorithm=SignatureAlgorithm(mgf_hash="sha256"))),
        ("algorithm-salt", field(algorithm=SignatureAlgorithm(salt_length=32))),
        ("algorithm-trailer", field(algorithm=SignatureAlgorithm(trailer=2))),
        ("algorithm-no-parameters", field(algorithm=SignatureAlgorithm(parameters=b""), signing_algorithm=PSS)),
        ("algorithm-differs", field(inner_algorithm=SignatureAlgorithm(salt_length=47))),
        ("issuer-name", spec(lambda s: s.replace(issuer=s.issuer.set("O", "Advanced Micro Device")))),
        ("issuer-string-type", spec(lambda s: s.replace(issuer=s.issuer.set("CN", tag=der.PRINTABLE_STRING)))),
        ("subject-name", spec(lambda s: s.replace(subject=_with_space(s.subject)))),
        ("subject-one-rdn", spec(lambda s: s.replace(subject=_one_rdn(s.subject)))),
        ("not-before-generalized", field(not_before=RawTime(der.GENERALIZED_TIME, "20250101000000Z"))),
        ("not-before-fraction", field(not_before=RawTime(der.GENERALIZED_TIME, "20250101000000.5Z"))),
        ("not-after-zone", field(not_after=RawTime(der.UTC_TIME, "3001010000+0100"))),
        ("not-after-month", field(not_after=RawTime(der.UTC_TIME, "301301000000Z"))),
        ("key-compressed", field(spki=ec_spki(ec_key().point("compressed")))),
        ("key-off-curve", field(spki=ec_spki(bytes([4]) + bytes(95) + b"\x01"))),
        ("key-p256", field(spki=ec_key("leaf", "P-256").spki)),
        ("key-rsa-2048", field(spki=rsa_key("spare-2048").spki)),
        ("no-extensions", field(extensions=None)),
        ("empty-extensions", field(extensions=())),
        ("extension-missing", spec(lambda s: s.with_extension("basicConstraints" if _is_ca(s) else first(s), None))),
        ("extension-twice", spec(lambda s: s.with_duplicate(first(s)))),
        ("extension-malformed", spec(lambda s: s.with_extension(first(s), b"\x02\x00"))),
        (
            "extension-unknown-critical",
            spec(lambda s: s.replace(nameConstraints=Extension("nameConstraints", b"0\0", True))),
        ),
        ("constraints", spec(lambda s: s.replace(basicConstraints=basic_constraints(None if _is_ca(s) else True)))),
        ("key-usage", spec(lambda s: s.replace(keyUsage=key_usage(0) if _is_ca(s) else key_usage(5)))),
        ("unique-id", field(subject_unique_id=b"\0\x01")),
        ("signature-unused-bits", field(signature_unused_bits=1)),
        ("signature-zero", field(signature=bytes(512))),
        ("signature-short", lambda c: c.replace(signature=c.signature[:-1])),
        ("signature-long", lambda c: c.replace(signature=b"\0" + c.signature)),
        ("trailing", field(trailing=b"\0")),
        ("trailing-inside", field(inner_trailing=der.null())),
        ("length-indefinite", field(length_form="indefinite")),
    )


def _is_ca(spec: CertificateSpec) -> bool:
    return any(e.kind == "subjectKeyIdentifier" for e in spec.extensions or ())


def _with_space(name: Name) -> Name:
    """The CN with a space behind it."""
    return name.set("CN", f"{name.cn!s} ")


def _one_rdn(name: Name) -> Name:
    return Name(name.attributes, one_rdn=True)


CERTIFICATE_EDITS: Final = dict(_edits())


@st.composite
def certificates(
    draw: st.DrawFn, lines: Sequence[str] = JUDGED_LINES, *, edits: int = 0, genuine: bool = False
) -> Certificate:
    """Certificates of every role. genuine: as AMD makes them, both encodings of the PSS parameters, any dates. Else
    each has at least one edit of CERTIFICATE_EDITS; edits says how many exactly."""
    ca = authority(draw(st.sampled_from(lines)))
    role = draw(st.sampled_from(("ark", "ask", "asvk", "vcek", "vlek")))
    if role in ("vcek", "vlek"):
        certificate: Certificate = draw(endorsements((ca.product,), (role.upper(),)))
    else:
        certificate = getattr(ca, role).replace(repeatable=False)  # many of them, so quickly
    if genuine:
        start = datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=draw(st.integers(0, 10**9)))
        algorithm = draw(st.sampled_from((PSS, PSS_WITH_TRAILER)))
        return certificate.replace(not_before=start, not_after=start + timedelta(days=365), algorithm=algorithm)
    count = edits or draw(st.integers(1, 2))
    names = draw(st.lists(st.sampled_from(sorted(CERTIFICATE_EDITS)), min_size=count, max_size=count, unique=True))
    for name in names:
        try:
            certificate = CERTIFICATE_EDITS[name](certificate)
        except (IndexError, KeyError):  # an edit before has taken away what this one edits
            assume(False)
    return certificate


@st.composite
def crls(draw: st.DrawFn, lines: Sequence[str] = JUDGED_LINES, *, max_revoked: int = 8) -> Crl:
    """Well-formed CRLs with any serial numbers."""
    ca = authority(draw(st.sampled_from(lines)))
    serials = draw(st.lists(st.integers(1, 2**159 - 1), max_size=max_revoked, unique=True))
    start = datetime(2022, 1, 1, tzinfo=timezone.utc) + timedelta(days=draw(st.integers(0, 3650)))
    return ca.crl(serials, this_update=start, next_update=start + timedelta(days=draw(st.integers(1, 366))))


# ---- certificate tables ----------------------------------------------------------------------------------------------


@st.composite
def certificate_tables(draw: st.DrawFn, *, valid: bool = False, max_entries: int = 6) -> bytes:
    """GHCB certificate tables. valid: one of each kind at most, all inside and apart. Else offsets, lengths and
    terminator are free, and the data may be anything."""
    kinds = draw(st.lists(st.sampled_from(sorted(GUIDS)), max_size=max_entries, unique=valid))
    line = draw(st.sampled_from(JUDGED_LINES))
    genuine = {"crl": authority(line).crl().der, "unknown": b"anything", **_pool_ders(line)}
    entries = [TableEntry(kind, genuine[kind]) for kind in kinds]
    if valid:
        return CertificateTable(tuple(entries), page=draw(st.sampled_from((0, 4096)))).build()
    places = st.one_of(
        st.none(), st.sampled_from((0, 1, 23, 24, 2**31 - 1, 2**31, 2**32 - 1)), _U32, st.integers(0, 8192)
    )
    entries = [
        TableEntry(
            draw(st.one_of(st.just(entry.guid), st.binary(min_size=16, max_size=16))),
            draw(st.one_of(st.just(entry.data), st.binary(max_size=64))),
            draw(places),
            draw(places),
        )
        for entry in entries
    ]
    table = CertificateTable(
        tuple(entries), draw(st.booleans()), draw(st.binary(max_size=32)), draw(st.sampled_from((0, 4096)))
    )
    return table.replace(trailing=draw(st.binary(max_size=32))).build()


@lru_cache(maxsize=8)
def _pool_ders(line: str) -> dict[str, bytes]:
    ca = authority(line)
    return {
        "ark": ca.ark_der,
        "ask": ca.ask_der,
        "vcek": endorsement(line, "VCEK", 0).der,
        "vlek": endorsement(line, "VLEK", 0).der,
    }


# ---- mutations -------------------------------------------------------------------------------------------------------


def mutations(of: bytes | st.SearchStrategy[bytes], *, max_changes: int = 3) -> st.SearchStrategy[bytes]:
    """Damaged copies, never equal to the original: flipped bits, set bytes, truncations, extensions, slices cut out,
    doubled or moved, words at the edges of their range, DER lengths that lie, and, in a report, two fields that
    change places."""
    return shared.mutations(of, max_changes=max_changes, fields=_fields_of)


def _fields_of(data: bytes) -> Sequence[tuple[int, int]]:
    return tuple(LAYOUT.values()) if len(data) == REPORT_LEN else ()


__all__ = [
    "CERTIFICATE_EDITS",
    "JUDGED_LINES",
    "JUDGED_PRODUCTS",
    "JUDGED_VERSIONS",
    "SignedReport",
    "authority",
    "certificate_tables",
    "certificates",
    "crls",
    "endorsement",
    "endorsements",
    "mutations",
    "parsed_reports",
    "reports",
    "signed_reports",
    "tcbs",
]
