# SPDX-License-Identifier: Apache-2.0
"""AMD's certificates and CRLs as the core reads them: genuine ones pass, each rule of the profile refuses by its name.

Oracles are asn1crypto and hashlib. What is wrong is made by snpverify.testing; signatures are left out, because
reading does not look at them. Numbers such as (123) are rows of the catalogue of failures that the project keeps.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import asn1crypto.crl  # type: ignore[import-untyped]
import asn1crypto.x509  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestcore import _lib
from attestcore._native import ffi, lib
from snpverify.testing import (
    PSS_WITH_TRAILER,
    AmdCa,
    Attribute,
    Certificate,
    Endorsement,
    Extension,
    RawTime,
    Revoked,
    SignatureAlgorithm,
    amd_name,
    der,
    ec_key,
    pem,
    rsa_key,
)
from snpverify.testing.keys import P384, ec_spki, encode_point, explicit_parameters, rsa_spki
from snpverify.testing.x509 import (
    authority_key_identifier,
    basic_constraints,
    distribution_points,
    key_usage,
)

EVIDENCE = Path(__file__).parents[2].parent / "shared" / "evidence" / "snp"
CERTS = sorted((EVIDENCE / "certs").glob("*.der"))
CRLS = sorted((EVIDENCE / "crls").glob("*.crl"))
needs_evidence = pytest.mark.skipif(not CERTS, reason="no real evidence at ../shared/evidence/snp")

MALFORMED = "certificate-malformed"
VERSION = "certificate-version-invalid"
SERIAL = "certificate-serial-invalid"
ALGORITHM = "certificate-algorithm-unsupported"
NAME = "certificate-name-invalid"
KEY = "certificate-key-invalid"
TIME = "certificate-time-malformed"
EXTENSION = "certificate-extension-invalid"
MISSING = "certificate-extension-missing"
CONSTRAINTS = "certificate-constraints-invalid"
CRL = "crl-malformed"

NO_SIGNATURE: Final = bytes(512)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
LINES: Final = ("Milan", "Genoa", "Turin", "Venice")
CAS: Final = {line: AmdCa(line) for line in LINES}
MILAN: Final = CAS["Milan"]
TURIN: Final = CAS["Turin"]


def vcek(ca: AmdCa = MILAN, **changes: Any) -> Endorsement:
    return ca.vcek(**{"signature": NO_SIGNATURE, **changes})


def vlek(ca: AmdCa = MILAN, **changes: Any) -> Endorsement:
    return ca.vlek(**{"signature": NO_SIGNATURE, **changes})


def altered(certificate: Certificate, **changes: Any) -> Certificate:
    return certificate.replace(**{"signature": NO_SIGNATURE, **changes})


def seconds(at: datetime) -> int:
    """Whole seconds since the epoch, in integers: datetime.timestamp() is a float."""
    return (at - EPOCH) // timedelta(seconds=1)


def refusal(data: bytes) -> tuple[str, str]:
    """Code and field of a certificate that must be refused; where it points lies in the certificate."""
    profile = _lib.snp_cert_read(data).profile
    assert profile.failed, "accepted"
    assert 0 <= profile.offset <= len(data)
    return profile.code_name, profile.field_name


def crl_refusal(data: bytes) -> tuple[str, str]:
    info = _lib.snp_crl_read(data)
    assert info.profile.failed, "accepted"
    assert 0 <= info.profile.offset <= len(data)
    assert info.revoked == ()
    return info.profile.code_name, info.profile.field_name


def accepted(data: bytes) -> _lib.CertInfo:
    info = _lib.snp_cert_read(data)
    assert info.profile == _lib.Finding(_lib.PASS, 0, 0)
    return info


# ---- genuine ---------------------------------------------------------------------------------------------------------


def check_against_oracle(data: bytes, info: _lib.CertInfo) -> None:
    """All that the core copied out, against another parser's view of the same bytes."""
    oracle = asn1crypto.x509.Certificate.load(data, strict=True)
    tbs = oracle["tbs_certificate"]
    spki = tbs["subject_public_key_info"]
    assert info.serial == tbs["serial_number"].native
    assert info.subject == tbs["subject"].dump()
    assert info.issuer == tbs["issuer"].dump()
    assert info.self_issued == (info.subject == info.issuer)
    assert info.not_before == seconds(tbs["validity"]["not_before"].native)
    assert info.not_after == seconds(tbs["validity"]["not_after"].native)
    assert info.signature == oracle["signature_value"].native
    assert info.sha256 == hashlib.sha256(data).digest()
    assert info.tbs_sha384 == hashlib.sha384(tbs.dump()).digest()
    assert info.spki_sha256 == hashlib.sha256(spki.dump()).digest()
    extensions = {e["extn_id"].dotted: bytes(e["extn_value"]) for e in tbs["extensions"]}
    if info.role in ("vcek", "vlek"):
        assert info.key == spki["public_key"].native[1:]
        check_amd_extensions(info, extensions)
    else:
        key = spki["public_key"].parsed
        assert info.key == key["modulus"].native.to_bytes(512, "big")
        assert info.exponent == key["public_exponent"].native == 65537


def check_amd_extensions(info: _lib.CertInfo, extensions: dict[str, bytes]) -> None:
    arc = "1.3.6.1.4.1.3704.1"
    parts = {"boot_loader": 1, "tee": 2, "snp": 3, "microcode": 8, "fmc": 9}
    for part, number in parts.items():
        value = extensions.get(f"{arc}.3.{number}", b"\x02\x01\x00")
        assert getattr(info.tcb, part) == int.from_bytes(value[2:], "big"), part
    assert info.struct_version == extensions[f"{arc}.1"][2]
    assert info.hwid == extensions.get(f"{arc}.4", b"")
    assert (info.csp_id or "").encode() == extensions.get(f"{arc}.5", b"\x16\x00")[2:]
    assert info.name_product == extensions[f"{arc}.2"][2:].decode().split("-")[0].lower()


def role_by_name(subject: str) -> tuple[str, str | None]:
    head, _, line = subject.rpartition("-")
    return {"ARK": "ark", "SEV": "ask", "SEV-VLEK": "asvk"}[head], line.lower()


@needs_evidence
@pytest.mark.parametrize("path", CERTS, ids=lambda path: path.stem)
def test_genuine_certificates_pass(path: Path) -> None:
    data = path.read_bytes()
    info = accepted(data)
    subject, issuer, _ = path.stem.split("_")
    if subject in ("SEV-VCEK", "SEV-VLEK"):
        assert info.role == subject[4:].lower()
        assert info.product == issuer.rpartition("-")[2].lower()
        assert (len(info.hwid), info.csp_id is None) == (
            (0, False) if info.role == "vlek" else (8 if info.product == "turin" else 64, True)
        )
    else:
        assert (info.role, info.product) == role_by_name(subject)
    check_against_oracle(data, info)


@needs_evidence
def test_genuine_leaves_are_those_of_the_manifest() -> None:
    seen = 0
    for report in json.loads((EVIDENCE / "manifest.json").read_text(encoding="utf-8")):
        for signer in report["signers"]:
            info = accepted((EVIDENCE / signer["file"]).read_bytes())
            tcb = {number.removeprefix("1.3."): value for number, value in signer["tcb"].items()}
            assert info.role == signer["kind"][4:].lower()
            assert info.product == signer["root"][4:].lower()
            assert (info.hwid.hex() or None, info.csp_id) == (signer["hwid"], signer["csp_id"])
            assert info.tcb == _lib.Tcb(tcb.get("9", 0), tcb["1"], tcb["2"], tcb["3"], tcb["8"])
            assert info.not_before == seconds(datetime.fromisoformat(signer["not_before"]))
            assert info.not_after == seconds(datetime.fromisoformat(signer["not_after"]))
            seen += 1
    assert seen >= 15


@needs_evidence
@pytest.mark.parametrize("path", CRLS, ids=lambda path: path.stem)
def test_genuine_crls_pass(path: Path) -> None:
    data = path.read_bytes()
    info = _lib.snp_crl_read(data)
    assert info.profile == _lib.Finding(_lib.PASS, 0, 0)
    tbs = asn1crypto.crl.CertificateList.load(data, strict=True)["tbs_cert_list"]
    assert info.issuer == tbs["issuer"].dump()
    assert info.this_update == seconds(tbs["this_update"].native)
    assert info.next_update == seconds(tbs["next_update"].native)
    assert info.revoked == tuple(sorted(e["user_certificate"].native for e in tbs["revoked_certificates"] or ()))
    assert info.revoked == ((0x20001,) if path.stem.startswith("genoa") else ())
    assert info.sha256 == hashlib.sha256(data).digest()
    assert info.root == -1


@pytest.mark.parametrize("line", LINES)
def test_every_product_has_its_profile(line: str) -> None:
    ca = CAS[line]
    roles = {"ark": ca.ark, "ask": ca.ask, "asvk": ca.asvk, "vcek": vcek(ca), "vlek": vlek(ca)}
    for role, certificate in roles.items():
        info = accepted(certificate.der)
        assert (info.role, info.product) == (role, line.lower())
        check_against_oracle(certificate.der, info)


def test_certificates_of_others_are_left_alone() -> None:
    """A certificate that does not matter must not matter: any well-formed X.509 is "other", whatever it says."""
    name = amd_name("some root").set("O", "Somebody Else")
    for changes in (
        {"subject": name},
        {"subject": name, "issuer": name, "serial": -1},
        {"subject": name, "algorithm": SignatureAlgorithm("pkcs1", "sha256"), "signature": b"x" * 7},
        {"subject": name, "spki": ec_key(curve="P-256").spki, "keyUsage": None},
        {"subject": amd_name("SEV-Rome")},
        {"subject": amd_name("ARK-Milan ")},
        {"subject": amd_name("sev-milan")},
        {"subject": amd_name("x" * 200)},
        {"subject": name.plus(Attribute("CN", "SEV-Milan"))},
        {"subject": name, "extensions": None, "version": None},
    ):
        info = _lib.snp_cert_read(altered(MILAN.ask, **changes).der)
        assert (info.role, info.product, info.profile.code) == ("other", None, _lib.PASS), changes


def test_certificates_of_others_must_be_well_formed() -> None:
    stranger = altered(MILAN.ask, subject=amd_name("some CA"))
    twice = stranger.respec(stranger.spec.with_duplicate("keyUsage"))
    unnamed = altered(MILAN.ask, subject=dataclasses.replace(amd_name(""), raw=der.sequence(der.set_of())))
    for data, code in (
        (stranger.der + b"\0", MALFORMED),
        (stranger.der[:-1], MALFORMED),
        (unnamed.der, MALFORMED),
        (twice.der, EXTENSION),
    ):
        info = _lib.snp_cert_read(data)
        assert info.role == "other"
        assert info.profile.code_name == code


# ---- structure (35, 123, 129) ----------------------------------------------------------------------------------------

TRUNCATED: Final = {"VCEK": vcek(), "Turin VCEK": vcek(TURIN), "VLEK": vlek(), "ASK": MILAN.ask, "ARK": MILAN.ark}


@pytest.mark.parametrize("which", TRUNCATED)
def test_every_truncation_is_malformed(which: str) -> None:
    data = TRUNCATED[which].der
    for size in range(len(data)):
        assert refusal(data[:size]) == (MALFORMED, "Certificate"), size


def test_every_truncation_of_a_crl_is_malformed() -> None:
    data = MILAN.crl([1, 2, 3], signature=NO_SIGNATURE).der
    for size in range(len(data)):
        assert crl_refusal(data[:size]) == (CRL, "CRL"), size


def elements(node: der.Node, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], der.Node]]:
    yield path, node
    for i, child in enumerate(node.children()):
        yield from elements(child, (*path, i))


def code_of_part(path: tuple[int, ...]) -> str:
    """What is said when the form of an element of a certificate is wrong: the parts that the frame only passes over
    have codes of their own."""
    if path[:1] == (1,) and len(path) > 1:
        return ALGORITHM
    parts = {2: ALGORITHM, 3: NAME, 4: TIME, 5: NAME, 6: KEY}
    return parts.get(path[1], MALFORMED) if path[:1] == (0,) and len(path) > 2 else MALFORMED


def long_form(node: der.Node) -> bytes:
    return der.tlv(node.tag, node.content, form="long")


def indefinite(node: der.Node) -> bytes:
    return der.tlv(node.tag, node.content, form="indefinite")


def high_tag(node: der.Node) -> bytes:
    """The same tag number in the form for numbers above 30."""
    return bytes([node.tag | 0x1F, node.tag & 0x1F]) + der.length(node.size) + node.content


def one_more(node: der.Node) -> bytes:
    return der.tlv(node.tag, node.content, der.null())


def one_less(node: der.Node) -> bytes:
    return der.tlv(node.tag, *(child.encoded for child in node.children()[:-1]))


def other_tag(node: der.Node) -> bytes:
    return der.tlv(node.tag ^ 0x01, node.content)


REWRITES: Final[dict[str, tuple[Callable[[der.Node], bytes], bool]]] = {
    "long form": (long_form, False),
    "indefinite": (indefinite, False),
    "high tag": (high_tag, False),
    "other tag": (other_tag, False),
    "one more": (one_more, True),
    "one less": (one_less, True),
}


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("which", ["VCEK", "VLEK", "Turin VCEK"])
def test_every_element_of_a_leaf_has_one_encoding(which: str, rewrite: str) -> None:
    data = TRUNCATED[which].der
    change, constructed_only = REWRITES[rewrite]
    tried = 0
    for path, node in elements(der.read(data)):
        if constructed_only and not node.constructed:
            continue
        code, _ = refusal(der.substitute(data, path, change(node)))
        if rewrite == "one less" and (path == (0,) or (path[:2] == (0, 7) and len(path) == 3)):
            assert code == MISSING  # all extensions, or the last one
        elif rewrite == "one less" and path == (0, 0):
            assert code == MALFORMED  # an explicit tag around nothing
        elif constructed_only and len(path) == 2 and path[0] == 0:
            assert code == code_of_part((*path, 0))
        elif constructed_only and path == (1,):
            assert code == ALGORITHM
        else:
            assert code == code_of_part(path), path
        tried += 1
    assert tried >= (30 if constructed_only else 90)


@pytest.mark.parametrize("rewrite", ["long form", "indefinite", "high tag", "other tag", "one more"])
def test_every_element_of_a_ca_has_one_encoding(rewrite: str) -> None:
    change, constructed_only = REWRITES[rewrite]
    for certificate in (MILAN.ark, MILAN.ask, MILAN.asvk):
        for path, node in elements(der.read(certificate.der)):
            if constructed_only and not node.constructed:
                continue
            data = der.substitute(certificate.der, path, change(node))
            if rewrite == "other tag" and path == (0, 5, 5, 0, 1):
                assert accepted(data).role == "other"  # a commonName of another type, well-formed: none of AMD's
            else:
                assert refusal(data)[0] in (MALFORMED, ALGORITHM, NAME, TIME, KEY), path


@pytest.mark.parametrize("rewrite", ["long form", "indefinite", "high tag", "other tag", "one more"])
def test_every_element_of_a_crl_has_one_encoding(rewrite: str) -> None:
    change, constructed_only = REWRITES[rewrite]
    reason = Extension("reasonCode", bytes.fromhex("0a0101"))
    data = MILAN.crl([1, Revoked(2, datetime(2025, 1, 1, tzinfo=timezone.utc), (reason,))], signature=NO_SIGNATURE).der
    assert not _lib.snp_crl_read(data).profile.failed
    for path, node in elements(der.read(data)):
        if node.constructed or not constructed_only:
            assert crl_refusal(der.substitute(data, path, change(node)))[0] == CRL, path


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trailing": b"\0"}, "Certificate"),
        ({"trailing": vcek().der}, "Certificate"),
        ({"inner_trailing": der.null()}, "signatureValue"),
        ({"tbs_trailing": der.null()}, "extensions"),
        ({"issuer_unique_id": b"\0x"}, "extensions"),
        ({"subject_unique_id": b"\0x"}, "extensions"),
        ({"extensions": ()}, "extensions"),
        ({"signature": bytes(511)}, "signatureValue"),  # (91)
        ({"signature": bytes(513)}, "signatureValue"),
        ({"signature": b""}, "signatureValue"),
        ({"signature_unused_bits": 1}, "signatureValue"),  # (92)
        ({"length_form": "indefinite"}, "Certificate"),
        ({"length_form": "long"}, "Certificate"),
    ],
)
def test_frame(changes: dict[str, Any], field: str) -> None:
    assert refusal(vcek(**changes).der) == (MALFORMED, field)


def test_longest_certificate() -> None:
    base = len(altered(vcek(), extKeyUsage=bytes(15000)).der)
    longest = altered(vcek(), extKeyUsage=bytes(15000 + 16384 - base))
    assert len(longest.der) == 16384
    accepted(longest.der)
    assert refusal(altered(longest, extKeyUsage=bytes(15001 + 16384 - base)).der) == (MALFORMED, "Certificate")


def test_deep_nesting_costs_nothing() -> None:
    """(129) 8000 levels inside an extension: nothing recurses."""
    nested = b"".join(bytes([0x30, 0x82, n >> 8, n & 0xFF]) for n in range(4 * 3000, 0, -4))
    assert refusal(vcek(blSPL=nested).der) == (EXTENSION, "blSPL")
    assert refusal(altered(MILAN.ask, authorityKeyIdentifier=nested).der) == (EXTENSION, "authorityKeyIdentifier")
    assert refusal(vcek(tbs=nested).der)[0] == MALFORMED


# ---- mutations (96, 130) ---------------------------------------------------------------------------------------------


def free_bytes(data: bytes) -> set[int]:
    """Where one byte of a VCEK may be another one and the profile still holds."""
    top = der.read(data)
    free: set[int] = set()

    def add(node: der.Node, skip: int = 0) -> None:
        free.update(range(node.start + node.header + skip, node.end))

    add(top.at(0, 1))  # serial
    for time in top.at(0, 4).children():
        add(time)
    add(top.at(2), 1)  # signature
    for extension in top.at(0, 7, 0).children():
        oid, value = extension.children()
        if oid.content.endswith(b"\x01\x04"):
            add(value)  # hwID
        elif oid.content[-2] == 3 and oid.content[-1] not in (4, 5, 6, 7):
            add(value, 2)  # an SPL's number
        elif oid.content.endswith(b"\x01\x02"):
            add(value, 2)  # productName's stepping, or a word that becomes another: none does
    return free


@pytest.mark.parametrize("ca", [MILAN, TURIN], ids=["Milan", "Turin"])
def test_every_changed_byte_of_a_vcek(ca: AmdCa) -> None:
    """Changed bytes are refused, or stand where they may vary and are read as another parser reads them."""
    data = vcek(ca).der
    free = free_bytes(data)
    refused = passed = 0
    for i, old in enumerate(data):
        for new in {old ^ 1, old ^ 0x80, 0x00, 0xFF} - {old}:
            changed = data[:i] + bytes([new]) + data[i + 1 :]
            info = _lib.snp_cert_read(changed)
            if info.profile.failed:
                refused += 1
                continue
            assert i in free, (i, new)
            passed += 1
            if i < len(data) - 512:
                check_against_oracle(changed, info)
    assert refused > 2000
    assert passed > 500


@needs_evidence
def test_every_changed_byte_of_genuine_ones() -> None:
    """No crash, whatever one byte becomes; outside the signature and what may vary, none is accepted."""
    path = next(path for path in CERTS if path.name.startswith("SEV-VCEK_SEV-Genoa"))
    data = path.read_bytes()
    free = free_bytes(data)
    for i, old in enumerate(data):
        for new in {old ^ 1, 0x00, 0xFF} - {old}:
            if not _lib.snp_cert_read(data[:i] + bytes([new]) + data[i + 1 :]).profile.failed:
                assert i in free, (i, new)


def test_every_changed_byte_of_a_crl() -> None:
    data = MILAN.crl([0x20001], signature=NO_SIGNATURE).der
    top = der.read(data)
    free = set(range(top.at(2).start + 5, len(data)))
    for node in (top.at(0, 3), top.at(0, 4), *top.at(0, 5, 0).children()):
        free.update(range(node.start + node.header, node.end))
    for extension in top.at(0, 6, 0).children():
        free.update(range(extension.start, extension.end))  # unknown extensions are allowed, key ids are not compared
    refused = 0
    for i, old in enumerate(data):
        for new in {old ^ 1, old ^ 0x80, 0x00, 0xFF} - {old}:
            failed = _lib.snp_crl_read(data[:i] + bytes([new]) + data[i + 1 :]).profile.failed
            assert failed or i in free, (i, new)
            refused += failed
    assert refused > 1000


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_malformed(data: bytes) -> None:
    assert refusal(data)[0] == MALFORMED
    assert crl_refusal(data)[0] == CRL


# ---- version, serial number, algorithms ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [None, 0, 1, 3, -1, 258, b"\x00\x02"])
def test_version(version: int | bytes | None) -> None:
    """(118)"""
    code = MALFORMED if isinstance(version, bytes) else VERSION
    assert refusal(vcek(version=version).der) == (code, "version")
    assert refusal(altered(MILAN.ask, version=version).der) == (code, "version")


@pytest.mark.parametrize(
    "serial", [b"\xff", b"\x80", b"\x00\x01", b"\x00\x00", b"", b"\x01" * 21, b"\x00" + b"\xff" * 20]
)
def test_serial_number(serial: bytes) -> None:
    """(122)"""
    assert refusal(vcek(serial=serial).der) == (SERIAL, "serialNumber")
    assert refusal(altered(MILAN.ask, serial=serial).der) == (SERIAL, "serialNumber")


@pytest.mark.parametrize("serial", [0, 1, 0x80, 0x7F << 152])
def test_leaves_may_have_any_serial_number(serial: int) -> None:
    assert accepted(vcek(serial=serial).der).serial == serial


def test_only_leaves_have_serial_number_zero() -> None:
    for ca in (MILAN.ark, MILAN.ask, MILAN.asvk):
        assert refusal(altered(ca, serial=0).der) == (SERIAL, "serialNumber")


WRONG_ALGORITHMS: Final = {
    "PKCS #1": SignatureAlgorithm("pkcs1"),  # (87)
    "ECDSA": SignatureAlgorithm("ecdsa"),
    "SHA-256": SignatureAlgorithm(hash="sha256", salt_length=32),  # (88)
    "SHA-512": SignatureAlgorithm(hash="sha512", salt_length=48),
    "SHA-1": SignatureAlgorithm(hash="sha1", salt_length=48),
    "other MGF hash": SignatureAlgorithm(mgf_hash="sha256"),
    "salt 0": SignatureAlgorithm(salt_length=0),
    "salt 20": SignatureAlgorithm(salt_length=20),
    "salt 47": SignatureAlgorithm(salt_length=47),
    "salt 49": SignatureAlgorithm(salt_length=49),
    "salt 64": SignatureAlgorithm(salt_length=64),
    "salt 462": SignatureAlgorithm(salt_length=462),
    "trailer 2": SignatureAlgorithm(trailer=2),
    "trailer 0": SignatureAlgorithm(trailer=0),
    "hashes without NULL": SignatureAlgorithm(null_parameters=False),
    "no parameters": SignatureAlgorithm(parameters=b""),
    "parameters NULL": SignatureAlgorithm(parameters=der.null()),
    "empty parameters": SignatureAlgorithm(parameters=der.sequence()),
    "nothing": SignatureAlgorithm(raw=der.sequence()),
}


@pytest.mark.parametrize("which", WRONG_ALGORITHMS)
def test_signature_algorithm(which: str) -> None:
    algorithm = WRONG_ALGORITHMS[which]
    for certificate in (vcek(), MILAN.ask, MILAN.ark):
        assert refusal(altered(certificate, algorithm=algorithm).der) == (ALGORITHM, "tbsCertificate.signature")
        assert refusal(altered(certificate, inner_algorithm=algorithm).der) == (ALGORITHM, "tbsCertificate.signature")
        assert refusal(altered(certificate, outer_algorithm=algorithm).der) == (ALGORITHM, "signatureAlgorithm")


def test_both_genuine_encodings_of_the_algorithm_but_not_mixed() -> None:
    """(89) AMD's certificates have trailerField in both copies, or in neither."""
    plain = SignatureAlgorithm()
    for certificate in (vcek(), MILAN.ask, MILAN.ark):
        accepted(altered(certificate, algorithm=plain).der)
        accepted(altered(certificate, algorithm=PSS_WITH_TRAILER).der)
        for inner, outer in ((plain, PSS_WITH_TRAILER), (PSS_WITH_TRAILER, plain)):
            mixed = altered(certificate, inner_algorithm=inner, outer_algorithm=outer)
            assert refusal(mixed.der) == (ALGORITHM, "signatureAlgorithm")


# ---- names -----------------------------------------------------------------------------------------------------------

NAME_CHANGES: Final[dict[str, Callable[[Any], Any]]] = {
    "other country": lambda n: n.set("C", "DE"),  # (149)
    "other place": lambda n: n.set("L", "Sunnyvale"),
    "other state": lambda n: n.set("ST", "California"),
    "other unit": lambda n: n.set("OU", "engineering"),
    "other company": lambda n: n.set("O", "Advanced Micro Devices "),
    "country as UTF8String": lambda n: n.set("C", tag=der.UTF8_STRING),  # (119)
    "place as PrintableString": lambda n: n.set("L", tag=der.PRINTABLE_STRING),
    "CN as PrintableString": lambda n: n.set("CN", tag=der.PRINTABLE_STRING),
    "no unit": lambda n: n.without("OU"),
    "one more at the end": lambda n: n.plus(Attribute("OU", "x")),
    "one more at the start": lambda n: n.plus(Attribute("OU", "x"), first=True),
    "CN first": lambda n: type(n)((n.attributes[-1], *n.attributes[:-1])),
    "two in other order": lambda n: type(n)((n.attributes[1], n.attributes[0], *n.attributes[2:])),
    "all in one set": lambda n: type(n)(n.attributes, one_rdn=True),
}


@pytest.mark.parametrize("which", NAME_CHANGES)
def test_name(which: str) -> None:
    change = NAME_CHANGES[which]
    for certificate in (vcek(), vlek(), MILAN.ask, MILAN.asvk, MILAN.ark):
        role = accepted(certificate.der).role
        issuer = altered(certificate, issuer=change(certificate.spec.issuer))
        assert refusal(issuer.der) == (NAME, "issuer name")
        assert _lib.snp_cert_read(issuer.der).role == role
        subject = altered(certificate, subject=change(certificate.spec.subject))
        field = "issuer name" if role == "ark" else "subject name"  # an ARK that does not name itself
        assert refusal(subject.der) == (NAME, field)
        assert _lib.snp_cert_read(subject.der).role == role


@pytest.mark.parametrize(
    "subject",
    ["SEV-VCEK ", "sev-vcek", "VCEK", "SEV-VCEK\0", "xSEV-VCEK", "SEV-VCEKx", "", "SEV-Rome", "x" * 64, "x" * 200],
)
def test_extensions_of_amd_make_a_leaf(subject: str) -> None:
    """(120, 137) Names are compared whole; what has AMD's extensions but no leaf's name is refused by its name."""
    for certificate, role in ((vcek(), "vcek"), (vlek(), "vlek")):
        data = altered(certificate, subject=amd_name(subject)).der
        assert refusal(data) == (NAME, "subject name")
        info = _lib.snp_cert_read(data)
        assert (info.role, info.product) == (role, "milan")


def test_two_common_names() -> None:
    """(121)"""
    for first in (True, False):
        for other in ("SEV-VCEK", "x"):
            name = amd_name("SEV-VCEK").plus(Attribute("CN", other), first=first)
            assert refusal(vcek(subject=name).der) == (NAME, "subject name")


def test_ca_with_a_leaf_name_is_judged_as_a_leaf() -> None:
    """(114) An ASK's contents under a VCEK's name, and a VCEK's under an ASK's."""
    assert refusal(altered(MILAN.ask, subject=amd_name("SEV-VCEK")).der) == (KEY, "subjectPublicKeyInfo")
    assert refusal(vcek(subject=amd_name("SEV-Milan")).der) == (SERIAL, "serialNumber")
    ask = vcek(subject=amd_name("SEV-Milan"), serial=1, spki=MILAN.ask.spec.spki)
    assert refusal(ask.der) == (EXTENSION, "structVersion")


@pytest.mark.parametrize(
    "issuer", ["SEV-VCEK", "SEV-Rome", "ARK-", "SEV-", "Milan", "SEV-VLEK-", "SEV-MILAN", "ARK-Milan-B0"]
)
def test_issuer_must_be_a_ca_of_amd(issuer: str) -> None:
    for certificate in (vcek(), vlek(), MILAN.ask):
        assert refusal(altered(certificate, issuer=amd_name(issuer)).der) == (NAME, "issuer name")
    assert _lib.snp_cert_read(vcek(issuer=amd_name(issuer)).der).product is None


@pytest.mark.parametrize("issuer", ["ARK-Milan", "SEV-VLEK-Milan", "SEV-Milan"])
def test_which_ca_issued_is_for_the_chain_to_judge(issuer: str) -> None:
    for certificate in (vcek(), vlek()):
        assert accepted(altered(certificate, issuer=amd_name(issuer)).der).product == "milan"


def test_ark_names_itself() -> None:
    assert refusal(altered(MILAN.ark, issuer=amd_name("ARK-Genoa")).der) == (NAME, "issuer name")
    assert accepted(MILAN.ark.der).self_issued
    assert not accepted(MILAN.ask.der).self_issued


def test_names_too_long_to_keep() -> None:
    long = amd_name("SEV-VCEK").set("OU", "x" * 120)
    info = _lib.snp_cert_read(vcek(subject=long, issuer=long).der)
    assert (info.subject, info.issuer, info.role) == (b"", b"", "vcek")
    assert refusal(vcek(subject=long).der) == (NAME, "subject name")
    assert refusal(vcek(issuer=long).der) == (NAME, "issuer name")


# ---- times (110) -----------------------------------------------------------------------------------------------------

UTC, GENERAL = der.UTC_TIME, der.GENERALIZED_TIME


@pytest.mark.parametrize(
    "time",
    [
        (UTC, "2506200000Z"), (UTC, "250620000000"), (UTC, "250620000000+0000"), (UTC, "250620000000.5Z"),
        (UTC, "250620000000z"), (UTC, "25062000000 Z"), (UTC, "250620000000ZZ"), (UTC, ""), (UTC, "25062000000\u0660"),
        (UTC, "250020000000Z"), (UTC, "251320000000Z"), (UTC, "250600000000Z"), (UTC, "250631000000Z"),
        (UTC, "250229000000Z"), (UTC, "250620240000Z"), (UTC, "250620006000Z"), (UTC, "250620000060Z"),
        (UTC, "20250620000000Z"), (UTC, "-50620000000Z"),
        (GENERAL, "20250620000000Z"), (GENERAL, "20491231235959Z"), (GENERAL, "20510620000000"),
        (GENERAL, "20510620000000.0Z"), (GENERAL, "205106200000Z"), (GENERAL, "21000229000000Z"),
        (GENERAL, "510620000000Z"), (GENERAL, "20510620000000+0100"), (der.IA5_STRING, "250620000000Z"),
    ],
)  # fmt: skip
def test_time_forms(time: tuple[int, str]) -> None:
    raw = RawTime(*time)
    assert refusal(vcek(not_before=raw).der) == (TIME, "notBefore")
    assert refusal(vcek(not_after=raw).der) == (TIME, "notAfter")
    assert refusal(altered(MILAN.ask, not_after=raw).der) == (TIME, "notAfter")
    assert crl_refusal(MILAN.crl(this_update=raw, signature=NO_SIGNATURE).der)[0] == CRL
    assert crl_refusal(MILAN.crl(next_update=raw, signature=NO_SIGNATURE).der)[0] == CRL
    assert crl_refusal(MILAN.crl([Revoked(1, raw)], signature=NO_SIGNATURE).der) == (CRL, "revokedCertificates")


LATEST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "at",
    [
        datetime(1950, 1, 1, tzinfo=timezone.utc), datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc), EPOCH,
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=timezone.utc), datetime(2000, 2, 29, tzinfo=timezone.utc),
        datetime(2024, 2, 29, 12, 30, 30, tzinfo=timezone.utc), datetime(2049, 12, 31, 23, 59, 59, tzinfo=timezone.utc),
        datetime(2050, 1, 1, tzinfo=timezone.utc), datetime(2400, 2, 29, tzinfo=timezone.utc), LATEST,
    ],
)  # fmt: skip
def test_time_values(at: datetime) -> None:
    info = accepted(altered(vcek(), not_before=at, not_after=at).der)
    assert info.not_before == info.not_after == seconds(at)


@given(
    st.datetimes(datetime(1950, 1, 1), LATEST.replace(tzinfo=None), timezones=st.just(timezone.utc)).map(
        lambda at: at.replace(microsecond=0)
    )
)
def test_times_are_those_of_the_calendar(at: datetime) -> None:
    info = accepted(altered(vcek(), not_before=at, not_after=LATEST).der)
    assert (info.not_before, info.not_after) == (seconds(at), seconds(LATEST))


def test_validity_may_not_end_before_it_begins() -> None:
    start = datetime(2025, 1, 1, tzinfo=timezone.utc)
    assert refusal(vcek(not_before=start, not_after=start - timedelta(seconds=1)).der) == (TIME, "notAfter")


# ---- keys ------------------------------------------------------------------------------------------------------------

LEAF: Final = ec_key("a leaf")
X, Y = LEAF.public

WRONG_LEAF_KEYS: Final = {
    "P-256": ec_key("a leaf", "P-256").spki,  # (83, 147)
    "RSA": rsa_key("spare-4096").spki,
    "P-256 point under P-384": ec_spki(ec_key("a leaf", "P-256").point()),
    "P-384 point under P-256": ec_spki(LEAF.point(), parameters=der.oid("1.2.840.10045.3.1.7")),
    "compressed": ec_spki(LEAF.point("compressed")),  # (78)
    "hybrid": ec_spki(LEAF.point("hybrid")),
    "infinity": ec_spki(b"\0"),
    "infinity, long": ec_spki(bytes(97)),
    "(0, 0)": ec_spki(b"\4" + bytes(96)),
    "off the curve": ec_spki(encode_point(X, Y ^ 1, 48)),
    "x at p": ec_spki(encode_point(P384.p, Y, 48)),
    "y at p": ec_spki(encode_point(X, P384.p, 48)),
    "one byte short": ec_spki(LEAF.point()[:-1]),  # (80)
    "one byte long": ec_spki(LEAF.point() + b"\0"),
    "empty": ec_spki(b""),
    "explicit parameters": ec_spki(LEAF.point(), parameters=explicit_parameters()),  # (81)
    "explicit parameters, own generator": ec_spki(LEAF.point(), parameters=explicit_parameters(generator=(X, Y))),
    "no parameters": ec_spki(LEAF.point(), parameters=b""),
    "parameters NULL": ec_spki(LEAF.point(), parameters=der.null()),
    "id-ecDH": ec_spki(LEAF.point(), algorithm="1.3.132.1.12"),  # (84)
    "unused bits": ec_spki(LEAF.point(), unused_bits=1),  # (92)
    "curve OID with a leading 80": ec_spki(LEAF.point(), parameters=der.oid(bytes.fromhex("2b8081040022"))),  # (124)
}


@pytest.mark.parametrize("which", WRONG_LEAF_KEYS)
def test_leaf_key(which: str) -> None:
    for certificate in (vcek(), vlek()):
        data = altered(certificate, spki=WRONG_LEAF_KEYS[which]).der
        assert refusal(data) == (KEY, "subjectPublicKeyInfo")
        assert _lib.snp_cert_read(data).key == b""


SPARE: Final = rsa_key("spare-4096")
WRONG_CA_KEYS: Final = {
    **{f"{size} bits": rsa_key(f"spare-{size}").spki for size in (1024, 2048, 3072, 4088, 4104)},
    "8192 bits": rsa_key("spare-8192").spki,  # (85)
    "4095 bits": rsa_spki(SPARE.modulus >> 1 | 1),
    "4097 bits": rsa_spki(SPARE.modulus << 1 | 1),
    "even": rsa_spki(SPARE.modulus & ~1),  # (86)
    "zero": rsa_spki(0),
    "negative": rsa_spki(SPARE.modulus.to_bytes(512, "big")),
    "leading zero": rsa_spki(b"\0\0" + SPARE.modulus.to_bytes(512, "big")),
    "exponent 1": rsa_spki(SPARE.modulus, 1),
    "exponent 3": rsa_spki(SPARE.modulus, 3),
    "exponent even": rsa_spki(SPARE.modulus, 65536),
    "exponent 0": rsa_spki(SPARE.modulus, 0),
    "exponent above 32 bits": rsa_spki(SPARE.modulus, (1 << 32) + 65537),
    "exponent huge": rsa_spki(SPARE.modulus, SPARE.modulus - 2),
    "exponent with leading zero": rsa_spki(SPARE.modulus, b"\0\1\0\1"),
    "no parameters": rsa_spki(SPARE.modulus, parameters=b""),
    "NULL with content": rsa_spki(SPARE.modulus, parameters=b"\5\1\0"),
    "PSS key": rsa_spki(SPARE.modulus, algorithm="1.2.840.113549.1.1.10"),  # (90)
    "unused bits": rsa_spki(SPARE.modulus, unused_bits=1),
    "trailing": rsa_spki(SPARE.modulus, trailing=b"\0"),
    "EC": LEAF.spki,
}  # fmt: skip


@pytest.mark.parametrize("which", WRONG_CA_KEYS)
def test_ca_key(which: str) -> None:
    for certificate in (MILAN.ark, MILAN.ask, MILAN.asvk):
        data = altered(certificate, spki=WRONG_CA_KEYS[which]).der
        assert refusal(data) == (KEY, "subjectPublicKeyInfo")
        assert _lib.snp_cert_read(data).key == b""


# ---- extensions of RFC 5280 ------------------------------------------------------------------------------------------

BC, KU = "basicConstraints", "keyUsage"
SKI, AKI, CRLDP = "subjectKeyIdentifier", "authorityKeyIdentifier", "cRLDistributionPoints"
UNKNOWN: Final = "1.2.3.4"


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (BC, None, MISSING),  # (112)
        (BC, basic_constraints(None), CONSTRAINTS),
        (BC, basic_constraints(None, 0), CONSTRAINTS),
        (BC, basic_constraints(False, 0), EXTENSION),  # (123) the default written out
        (BC, basic_constraints(b"\x01", 0), EXTENSION),
        (BC, basic_constraints(path_length=-1), EXTENSION),
        (BC, der.sequence(der.boolean(True), der.integer(b"\0\0")), EXTENSION),
        (BC, der.sequence(der.boolean(True), der.integer(0), der.integer(0)), EXTENSION),
        (BC, basic_constraints(path_length=0) + b"\0", EXTENSION),
        (BC, b"", EXTENSION),
        (KU, None, MISSING),
        (KU, key_usage(6), CONSTRAINTS),  # (115)
        (KU, key_usage(0), CONSTRAINTS),
        (KU, key_usage(), EXTENSION),
        (KU, der.bit_string(b"\0", unused=7), EXTENSION),
        (KU, der.bit_string(b"\x04", unused=3), EXTENSION),
        (KU, der.bit_string(b"\x04", unused=8), EXTENSION),
        (KU, der.bit_string(b"\x04\0"), EXTENSION),
        (KU, der.bit_string(b"\x04\x80\x80"), EXTENSION),
        (KU, der.octet_string(b"\x04"), EXTENSION),
        (SKI, b"", EXTENSION),
        (SKI, der.octet_string(b""), EXTENSION),
        (SKI, der.octet_string(b"x") + b"\0", EXTENSION),
        (AKI, authority_key_identifier(b""), EXTENSION),  # (103)
        (AKI, der.sequence(), EXTENSION),
        (
            AKI,
            der.sequence(der.context(0, b"x", constructed=False), der.context(2, b"\1", constructed=False)),
            EXTENSION,
        ),
        (AKI, der.sequence(der.context(2, b"\1", constructed=False)), EXTENSION),  # (104)
        (CRLDP, distribution_points(), EXTENSION),
        (CRLDP, distribution_points("https://a/", "https://b/"), EXTENSION),  # (150)
        (CRLDP, der.sequence(der.sequence(der.context(0, der.context(0, der.context(3, der.null()))))), EXTENSION),
        # (127)
        (CRLDP, b"", EXTENSION),
    ],
)
def test_extensions_of_an_ask(kind: str, value: bytes | None, code: str) -> None:
    for certificate in (MILAN.ask, MILAN.asvk):
        assert refusal(altered(certificate, **{kind: value}).der) == (code, kind)


def test_path_lengths() -> None:
    """(113) Zero below the root. AMD's root has none, and any would do."""
    for path_length in (None, 1, 255):
        assert refusal(altered(MILAN.ask, basicConstraints=basic_constraints(path_length=path_length)).der) == (
            CONSTRAINTS,
            BC,
        )
    for path_length in (None, 0, 1, 2**32 - 1):
        accepted(altered(MILAN.ark, basicConstraints=basic_constraints(path_length=path_length)).der)
    assert refusal(altered(MILAN.ark, basicConstraints=basic_constraints(path_length=2**32)).der) == (EXTENSION, BC)


def test_root_must_sign_crls() -> None:
    """(115)"""
    assert refusal(altered(MILAN.ark, keyUsage=key_usage(5)).der) == (CONSTRAINTS, KU)
    assert refusal(altered(MILAN.ark, keyUsage=key_usage(6)).der) == (CONSTRAINTS, KU)


def test_smallest_and_largest_modulus() -> None:
    for modulus in (1 << 4095 | 1, (1 << 4096) - 1):
        assert accepted(altered(MILAN.ask, spki=rsa_spki(modulus)).der).key == modulus.to_bytes(512, "big")


def test_key_usage_has_nine_bits() -> None:
    """decipherOnly is bit 8: a second byte."""
    accepted(altered(MILAN.ask, keyUsage=der.bit_string(b"\x04\x80", unused=7)).der)
    accepted(vcek(keyUsage=der.bit_string(b"\x80\x80", unused=7)).der)
    assert refusal(altered(MILAN.ask, keyUsage=der.bit_string(b"\0\x80", unused=7)).der) == (CONSTRAINTS, KU)


def test_unused_bits_of_key_usage_may_number_less() -> None:
    """AMD's ASKs have the keyUsage 03 02 01 04: one zero bit more than DER allows."""
    for unused in (0, 1, 2):
        accepted(altered(MILAN.ask, keyUsage=key_usage(5, unused=unused)).der)


@pytest.mark.parametrize(
    ("kind", "critical", "code"),
    [
        (BC, None, CONSTRAINTS), (KU, None, CONSTRAINTS), (SKI, True, EXTENSION), (AKI, True, EXTENSION),
        (CRLDP, True, EXTENSION), (BC, False, MALFORMED), (BC, b"\x01", MALFORMED), (BC, b"", MALFORMED),
    ],
)  # fmt: skip
def test_criticality_in_an_ask(kind: str, critical: bool | bytes | None, code: str) -> None:
    certificate = altered(MILAN.ask)
    changed = certificate.respec(certificate.spec.with_critical(kind, critical))
    assert refusal(changed.der) == (code, "extensions" if code == MALFORMED else kind)


def test_unknown_extensions() -> None:
    """(116) Critical: never. Not critical: on any certificate, unless it would narrow what a path may be (125)."""
    for certificate in (vcek(), vlek(), MILAN.ark, MILAN.ask):
        spec = altered(certificate).spec
        for kind in (UNKNOWN, "subjectAltName", "certificatePolicies", "extKeyUsage"):
            accepted(certificate.respec(spec.with_extension(kind, b"anything")).der)
            critical = spec.with_extension(kind, Extension(kind, b"anything", critical=True))
            assert refusal(certificate.respec(critical).der) == (EXTENSION, "extensions")
        for kind in ("nameConstraints", "2.5.29.33", "2.5.29.36", "2.5.29.54"):
            assert refusal(certificate.respec(spec.with_extension(kind, der.sequence())).der) == (
                EXTENSION,
                "extensions",
            )


def test_number_of_extensions() -> None:
    """(126) 64, counting AMD's own."""
    certificate = vcek()
    more = tuple(Extension(f"1.2.3.{i}", b"") for i in range(1000))
    room = 64 - len(certificate.spec.extensions or ())
    base = certificate.spec.extensions or ()
    accepted(altered(certificate, extensions=base + more[:room]).der)
    assert refusal(altered(certificate, extensions=base + more[: room + 1]).der) == (EXTENSION, "extensions")
    assert refusal(altered(certificate, extensions=more).der) == (EXTENSION, "extensions")


@pytest.mark.parametrize("first", [True, False], ids=["other first", "other last"])
def test_repeated_extensions(first: bool) -> None:
    """(117, 144)"""
    for certificate in (vcek(), vlek(), vcek(TURIN), MILAN.ask, MILAN.ark):
        spec = altered(certificate).spec
        for extension in spec.extensions or ():
            for value in (None, b"\2\1\0"):
                twice = spec.with_duplicate(str(extension.kind), value, first=first)
                code, _ = refusal(certificate.respec(twice).der)
                assert code == EXTENSION, extension.kind
        unknown = spec.with_extension(UNKNOWN, b"x").with_duplicate(UNKNOWN, b"y", first=first)
        assert refusal(certificate.respec(unknown).der) == (EXTENSION, "extensions")


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x01", b"\x2b\x80\x01", b"\x2b\x81", b"\x2b\x06\x01\x04\x01\x80\x9c\x78\x01\x01"]
)
def test_object_identifiers_have_one_encoding(content: bytes) -> None:
    """(124)"""
    for certificate in (vcek(), MILAN.ask):
        base = altered(certificate)
        spec = base.spec.replace(extensions=(*(base.spec.extensions or ()), Extension(content, b"")))
        assert refusal(certificate.respec(spec).der) == (MALFORMED, "extensions")


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (BC, der.sequence(), None),
        (BC, basic_constraints(True), CONSTRAINTS),  # (114)
        (BC, basic_constraints(None, 0), CONSTRAINTS),
        (BC, basic_constraints(False), EXTENSION),
        (KU, key_usage(0), None),
        (KU, key_usage(0, 1), None),
        (KU, key_usage(0, 5), CONSTRAINTS),
        (KU, key_usage(0, 6), CONSTRAINTS),
        (KU, key_usage(4), CONSTRAINTS),
        (KU, key_usage(), EXTENSION),
        (AKI, authority_key_identifier(b"0123456789"), None),
        (AKI, der.sequence(), EXTENSION),
        (SKI, der.octet_string(b"0123456789"), None),
        (SKI, b"0123456789", EXTENSION),
    ],
)
def test_standard_extensions_of_a_leaf(kind: str, value: bytes, code: str | None) -> None:
    """No leaf has them; were they there, they could not make a CA of it."""
    for certificate in (vcek(), vlek()):
        data = altered(certificate, **{kind: value}).der
        if code is None:
            accepted(data)
        else:
            assert refusal(data) == (code, kind)


# ---- extensions of AMD -----------------------------------------------------------------------------------------------

SPLS: Final = ("blSPL", "teeSPL", "snpSPL", "ucodeSPL")
ZERO_SPLS: Final = ("spl4", "spl5", "spl6", "spl7")
WRONG_INTEGERS: Final = {
    "negative": "0201ff", "256": "02020100", "leading zero": "0202007f", "two leading zeros": "02030000ff",
    "bare byte": "05", "empty": "", "no content": "0200", "trailing": "02010100", "octet string": "040105",
    "enumerated": "0a0105", "boolean": "010100", "long length": "02810105", "huge": "0204010000ff",
    "2^32 + 5": "02050100000005",
}  # fmt: skip


@pytest.mark.parametrize("which", WRONG_INTEGERS)
def test_integers_of_amd(which: str) -> None:
    """(141)"""
    value = bytes.fromhex(WRONG_INTEGERS[which])
    for kind in ("structVersion", *SPLS, *ZERO_SPLS):
        for certificate in (vcek(), vlek()):
            assert refusal(altered(certificate, **{kind: value}).der) == (EXTENSION, kind)
    assert refusal(vcek(TURIN, fmcSPL=value).der) == (EXTENSION, "fmcSPL")


@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 0xDB, 0xFF])
def test_every_spl_is_a_byte(value: int) -> None:
    """(142)"""
    parts = {"blSPL": "boot_loader", "teeSPL": "tee", "snpSPL": "snp", "ucodeSPL": "microcode", "fmcSPL": "fmc"}
    for kind, part in parts.items():
        info = accepted(altered(vcek(TURIN), **{kind: der.integer(value)}).der)
        assert getattr(info.tcb, part) == value


@pytest.mark.parametrize("kind", ZERO_SPLS)
def test_spare_spls_are_zero(kind: str) -> None:
    assert refusal(altered(vcek(), **{kind: der.integer(1)}).der) == (EXTENSION, kind)
    if kind != "spl4":
        assert refusal(altered(vcek(TURIN), **{kind: der.integer(1)}).der) == (EXTENSION, kind)


@pytest.mark.parametrize("line", LINES)
def test_every_extension_is_required(line: str) -> None:
    """(136, 143)"""
    for certificate in (vcek(CAS[line]), vlek(CAS[line])):
        kinds = [str(e.kind) for e in certificate.spec.extensions or ()]
        assert len(kinds) == 11
        for kind in kinds:
            assert refusal(altered(certificate, **{kind: None}).der) == (MISSING, kind)


def test_a_leaf_without_extensions() -> None:
    assert refusal(vcek(extensions=None).der) == (MISSING, "structVersion")


def test_layouts_of_the_products() -> None:
    """Milan and Genoa have spl4 and no fmcSPL, Turin fmcSPL and no spl4."""
    zero = der.integer(0)
    assert refusal(vcek(fmcSPL=zero).der) == (EXTENSION, "fmcSPL")
    assert refusal(vcek(TURIN, spl4=zero).der) == (EXTENSION, "spl4")
    assert refusal(vcek(fmcSPL=zero, spl4=None).der) == (MISSING, "spl4")
    turin_as_milan = vcek(TURIN, issuer=amd_name("SEV-Milan"))
    assert refusal(turin_as_milan.der) == (MISSING, "spl4")


@pytest.mark.parametrize("line", LINES)
def test_struct_version(line: str) -> None:
    """(145)"""
    right = 1 if line in ("Turin", "Venice") else 0
    for version in (0, 1, 2, 255):
        data = vcek(CAS[line], structVersion=der.integer(version)).der
        if version == right:
            assert accepted(data).struct_version == version
        else:
            assert refusal(data) == (EXTENSION, "structVersion")


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("Milan", "milan"), ("Milan-A0", "milan"), ("Milan-Z9", "milan"), ("Milan-B0", "milan"),
        ("Milan-B1", "milan"), ("Genoa", "genoa"), ("Genoa-B2", "genoa"),
        ("Turin", "turin"), ("Turin-C1", "turin"), ("Venice", "venice"),
    ],
)  # fmt: skip
def test_product_names(name: str, product: str) -> None:
    """What the name says is read; whether it is the right one is for the binding to judge."""
    assert accepted(vcek(product_name=name).der).name_product == product


@pytest.mark.parametrize(
    "value",
    [
        *(der.text(der.IA5_STRING, name) for name in (
            "Cookie", "Cookie-B0", "milan", "Milan-", "Milan-B", "Milan-b0", "Milan-BB", "Milan-B00", "Milan-B0-B0",
            "Milan ",
            "Milan\0", "Milan-B0\0", "", "-B0", "Mila", "Milano", "MilanB0", "Rome", "Milan-@0", "Milan-[0",
            "Milan-B/", "Milan-B:",
        )),
        der.text(der.UTF8_STRING, "Milan"),
        der.text(der.PRINTABLE_STRING, "Milan"),
        b"Milan",
        b"",
        der.text(der.IA5_STRING, "Milan") + b"\0",
    ],
)  # fmt: skip
def test_product_name_is_one_of_amds(value: bytes) -> None:
    """(146)"""
    for certificate in (vcek(), vlek()):
        assert refusal(altered(certificate, productName=value).der) == (EXTENSION, "productName")


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 10, 16, 63, 64, 65, 66, 128])
def test_hwid_length(size: int) -> None:
    """(138)"""
    for ca, right in ((MILAN, 64), (CAS["Genoa"], 64), (TURIN, 8), (CAS["Venice"], 8)):
        data = vcek(ca, hwID=bytes(range(size))).der
        if size == right:
            assert accepted(data).hwid == bytes(range(size))
        else:
            assert refusal(data) == (EXTENSION, "hwID")


def test_hwid_is_not_der() -> None:
    """(138, 139) An id may begin like a DER element; one wrapped in an element is not an id."""
    for head in (b"\x04\x3e", b"\x02\x3e", b"\x04\x40", b"\x30\x80"):
        chip = head + bytes(range(62))
        assert accepted(vcek(hwID=chip).der).hwid == chip
    assert refusal(vcek(hwID=der.octet_string(bytes(range(64)))).der) == (EXTENSION, "hwID")
    assert refusal(vcek(TURIN, hwID=der.octet_string(bytes(range(8)))).der) == (EXTENSION, "hwID")
    assert accepted(vcek(TURIN, hwID=b"\x04\x06abcdef").der).hwid == b"\x04\x06abcdef"


def test_hwid_and_csp_id() -> None:
    """(135) A VCEK has the one, a VLEK the other, none both."""
    csp = der.text(der.IA5_STRING, "CN=cc-test-1.example.com")
    chip = bytes(range(64))
    assert refusal(vcek(csp_id=csp).der) == (EXTENSION, "csp_id")
    assert refusal(vlek(hwID=chip).der) == (EXTENSION, "hwID")
    assert refusal(vcek(hwID=None, csp_id=csp).der) == (MISSING, "hwID")
    assert refusal(altered(vlek(), csp_id=None, hwID=chip).der) == (EXTENSION, "hwID")
    assert refusal(vcek(subject=amd_name("SEV-VLEK")).der) == (EXTENSION, "hwID")
    assert refusal(vlek(subject=amd_name("SEV-VCEK")).der) == (MISSING, "hwID")


@pytest.mark.parametrize(
    "value",
    [
        der.text(der.IA5_STRING, ""), der.text(der.IA5_STRING, "x" * 65), der.text(der.IA5_STRING, "a\0b"),
        der.text(der.IA5_STRING, b"caf\xe9"), der.text(der.IA5_STRING, "a\n"), der.text(der.UTF8_STRING, "x"),
        b"x", b"", der.text(der.IA5_STRING, "x") + b"\0",
    ],
)  # fmt: skip
def test_csp_id(value: bytes) -> None:
    assert refusal(altered(vlek(), csp_id=value).der) == (EXTENSION, "csp_id")


@pytest.mark.parametrize("csp_id", ["x", "x" * 64, "CN=cc-us-east-2.amazonaws.com", " ~"])
def test_csp_id_is_read(csp_id: str) -> None:
    assert accepted(vlek(csp_id=csp_id).der).csp_id == csp_id


@pytest.mark.parametrize("arcs", ["", ".0", ".3", ".3.0", ".3.10", ".3.1.0", ".4.0", ".4.1", ".6", ".128"])
def test_unknown_extensions_of_amd(arcs: str) -> None:
    oid = "1.3.6.1.4.1.3704.1" + arcs
    for certificate in (vcek(), vlek(), MILAN.ask, MILAN.ark):
        spec = altered(certificate).spec.with_extension(oid, der.integer(0))
        assert refusal(certificate.respec(spec).der) == (EXTENSION, "extensions")
    for near in ("1.3.6.1.4.1.3704.2.6", "1.3.6.1.4.1.3704", "1.3.6.1.4.1.3705.1.1"):
        spec = altered(vcek()).spec.with_extension(near, der.integer(0))
        accepted(vcek().respec(spec).der)


def test_extensions_of_amd_are_not_critical_and_not_on_a_ca() -> None:
    for certificate in (vcek(), vlek()):
        spec = altered(certificate).spec
        for extension in spec.extensions or ():
            changed = spec.with_critical(str(extension.kind))
            assert refusal(certificate.respec(changed).der) == (EXTENSION, str(extension.kind))
    assert refusal(altered(MILAN.ask, hwID=bytes(64)).der) == (EXTENSION, "hwID")


def test_order_of_extensions_is_free() -> None:
    certificate = vcek()
    backwards = tuple(reversed(certificate.spec.extensions or ()))
    assert accepted(altered(certificate, extensions=backwards).der).tcb == accepted(certificate.der).tcb


# ---- order of the rules ----------------------------------------------------------------------------------------------


def test_the_first_rule_broken_is_named() -> None:
    """Everything wrong at once; then, one after the other, put right."""
    wrong: dict[str, Any] = {
        "version": 1,
        "serial": -1,
        "inner_algorithm": WRONG_ALGORITHMS["salt 20"],
        "outer_algorithm": WRONG_ALGORITHMS["salt 47"],
        "issuer": amd_name("SEV-Rome"),
        "not_before": RawTime(UTC, "x"),
        "not_after": RawTime(UTC, "x"),
        "subject": amd_name("SEV-VCEX"),
        "spki": WRONG_LEAF_KEYS["P-256"],
        UNKNOWN: Extension(UNKNOWN, b"", critical=True),
        "structVersion": der.integer(7),
        "signature": b"",
    }
    expected = [
        ("version", VERSION), ("serialNumber", SERIAL), ("tbsCertificate.signature", ALGORITHM),
        ("signatureAlgorithm", ALGORITHM),
        ("issuer name", NAME), ("notBefore", TIME), ("notAfter", TIME), ("subject name", NAME),
        ("subjectPublicKeyInfo", KEY),
        ("extensions", EXTENSION), ("structVersion", EXTENSION), ("signatureValue", MALFORMED),
    ]  # fmt: skip
    for field, code in expected:
        fields = {name: value for name, value in wrong.items() if name != UNKNOWN}
        spec = vcek(**fields).spec
        if UNKNOWN in wrong:
            spec = spec.with_extension(UNKNOWN, wrong[UNKNOWN])
        assert refusal(spec.encode()) == (code, field)
        wrong.pop(next(iter(wrong)))
    assert wrong == {}


def test_what_can_be_read_is_read() -> None:
    """A refused certificate still says what it was."""
    info = _lib.snp_cert_read(vcek(version=1, spki=b"\x30\x00", trailing=b"").der)
    good = accepted(vcek().der)
    assert (info.role, info.product, info.tcb, info.hwid) == (good.role, good.product, good.tcb, good.hwid)
    assert (info.not_before, info.not_after, info.issuer) == (good.not_before, good.not_after, good.issuer)
    cut = _lib.snp_cert_read(vcek(tbs_trailing=b"\0").der)
    assert cut.profile.code_name == MALFORMED
    assert (cut.role, cut.product, cut.key) == ("vcek", "milan", good.key)


def test_findings_point_at_their_element() -> None:
    data = vcek(blSPL=b"\2\1\xff").der
    extension = next(e for e in der.read(data).at(0, 7, 0).children() if e.at(0).content.endswith(b"\x03\x01"))
    assert _lib.snp_cert_read(data).profile.offset == extension.start
    data = vcek(serial=-1).der
    assert _lib.snp_cert_read(data).profile.offset == der.read(data).at(0, 1).start
    data = vcek(hwID=None).der
    listed = der.read(data).at(0, 7, 0)
    assert _lib.snp_cert_read(data).profile.offset == listed.start + listed.header


# ---- CRL -------------------------------------------------------------------------------------------------------------


def crl(revoked: Any = (), /, **changes: Any) -> bytes:
    return MILAN.crl(revoked, **{"signature": NO_SIGNATURE, **changes}).der


WHEN: Final = datetime(2025, 1, 1, tzinfo=timezone.utc)


def entry(*extensions: Extension, serial: int | bytes = 7) -> Revoked:
    return Revoked(serial, WHEN, extensions)


def reason(number: int) -> Extension:
    return Extension("reasonCode", bytes([0x0A, 1, number]))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": None}, "version"),  # (170)
        ({"version": 0}, "version"),
        ({"version": 2}, "version"),
        ({"inner_algorithm": WRONG_ALGORITHMS["salt 20"]}, "tbsCertificate.signature"),
        ({"inner_algorithm": PSS_WITH_TRAILER}, "signatureAlgorithm"),
        ({"outer_algorithm": WRONG_ALGORITHMS["PKCS #1"]}, "signatureAlgorithm"),
        ({"issuer": amd_name("SEV-Milan")}, "issuer name"),
        ({"issuer": amd_name("ARK-Rome")}, "issuer name"),
        ({"issuer": amd_name("ARK-Milan").set("C", "DE")}, "issuer name"),
        ({"issuer": amd_name("x" * 200)}, "issuer name"),
        ({"next_update": None}, "nextUpdate"),  # (159)
        ({"this_update": datetime(2027, 1, 1, tzinfo=timezone.utc)}, "nextUpdate"),
        ({"signature": bytes(511)}, "signatureValue"),
        ({"signature_unused_bits": 3}, "signatureValue"),
        ({"trailing": b"\0"}, "CRL"),
        ({"inner_trailing": der.null()}, "signatureValue"),
        ({"tbs_trailing": der.null()}, "crlExtensions"),
        ({"deltaCRLIndicator": der.integer(1)}, "crlExtensions"),  # (167)
        ({"issuingDistributionPoint": der.sequence()}, "crlExtensions"),
        ({"cRLNumber": b""}, "crlExtensions"),
        ({"cRLNumber": der.integer(-1)}, "crlExtensions"),
        ({"cRLNumber": der.integer(1 << 160)}, "crlExtensions"),
        ({"authorityKeyIdentifier": der.sequence()}, "crlExtensions"),
        ({"cRLNumber": Extension("cRLNumber", der.integer(3), critical=True)}, "crlExtensions"),
        ({"extensions": ()}, "crlExtensions"),
        ({"revoked": ()}, "revokedCertificates"),
        ({"length_form": "indefinite"}, "CRL"),
    ],
)
def test_crl(changes: dict[str, Any], field: str) -> None:
    assert crl_refusal(crl(**changes)) == (CRL, field)


def test_times_of_a_crl_before_the_epoch() -> None:
    """An end that cannot be read is refused for its form, not for being earlier than the beginning."""
    early = datetime(1960, 1, 1, tzinfo=timezone.utc)
    assert _lib.snp_crl_read(crl(this_update=early)).this_update == seconds(early) < 0
    assert crl_refusal(crl(this_update=early, next_update=None)) == (CRL, "nextUpdate")
    assert crl_refusal(crl(this_update=early, next_update=RawTime(UTC, "x"))) == (CRL, "nextUpdate")


@pytest.mark.parametrize(
    "revoked",
    [
        entry(serial=0), entry(serial=-1), entry(serial=b"\x00\x01"), entry(serial=b""), entry(serial=b"\1" * 21),
         # (166)
        entry(Extension(UNKNOWN, b"", critical=True)),  # (169)
        entry(Extension("2.5.29.29", der.sequence())),
        entry(reason(8)), entry(reason(7)), entry(reason(11)), entry(Extension("reasonCode", b"")),
        entry(Extension("reasonCode", der.integer(1))), entry(Extension("reasonCode", bytes.fromhex("0a020001"))),
        entry(reason(1), reason(1)), entry(reason(1), Extension(UNKNOWN, b"", critical=False)),
    ],
)  # fmt: skip
def test_crl_entry(revoked: Revoked) -> None:
    assert crl_refusal(crl([entry(), revoked])) == (CRL, "revokedCertificates")
    assert crl_refusal(crl([revoked, entry()])) == (CRL, "revokedCertificates")


def test_a_crl_is_der() -> None:
    """(170)"""
    data = crl()
    for text in (pem(data, "X509 CRL"), data.hex().encode(), vcek().der, MILAN.ark.der, data + data):
        assert crl_refusal(text)[0] == CRL
    assert refusal(data)[0] == MALFORMED


def test_crl_entries_that_are_fine() -> None:
    fine = [entry(reason(number), serial=number + 1) for number in (0, 1, 2, 3, 4, 5, 6, 9, 10)]
    fine.append(entry(Extension(UNKNOWN, b"x"), serial=0x7F << 152))
    assert _lib.snp_crl_read(crl(fine)).revoked == (1, 2, 3, 4, 5, 6, 7, 10, 11, 0x7F << 152)
    assert not _lib.snp_crl_read(crl(extensions=None)).profile.failed
    assert not _lib.snp_crl_read(crl(cRLNumber=der.integer(0x7F << 152))).profile.failed
    assert not _lib.snp_crl_read(crl(certificatePolicies=b"x")).profile.failed


@given(st.lists(st.integers(1, 2**158), max_size=40))
def test_serials_of_a_crl_are_sorted(serials: list[int]) -> None:
    assert _lib.snp_crl_read(crl(serials)).revoked == tuple(sorted(serials))


@pytest.mark.parametrize("order", ["up", "down", "equal"])
def test_a_long_crl(order: str) -> None:
    """(171)"""
    serials = {"up": range(1, 20001), "down": range(20000, 0, -1), "equal": [5] * 20000}[order]
    data = crl(serials)
    assert _lib.snp_crl_read(data).revoked == tuple(sorted(serials))


def test_largest_crl() -> None:
    base = len(crl([1], certificatePolicies=bytes(4_000_000)))
    fits = crl([1], certificatePolicies=bytes(4_000_000 + _lib.CRL_MAX_BYTES - base))
    assert len(fits) == _lib.CRL_MAX_BYTES
    assert _lib.snp_crl_read(fits).revoked == (1,)
    assert crl_refusal(fits + b"\0") == ("crl-too-large", "CRL")


def test_a_crl_may_not_fill_more_than_its_room() -> None:
    """The table of serials is the caller's: what does not fit is refused and leaves nothing behind."""
    data = crl([3, 1, 2])
    for room, before in ((3, 0), (5, 2), (2, 0), (0, 0), (4, 2), (2, 2)):
        out, used = ffi.new("att_snp_crl *"), ffi.new("uint64_t *", before)
        serials = ffi.new("att_serial[]", room + 1)
        lib.att_snp_crl_read(data, len(data), out, serials, room, used)
        fits = room - before >= 3
        assert out.profile.code == (_lib.PASS if fits else _lib.CODE_NUMBERS["crl-too-large"])
        assert used[0] == before + (3 if fits else 0)
        assert (out.first_revoked, out.num_revoked) == ((before, 3) if fits else (0, 0))
        assert bytes(ffi.buffer(serials[room : room + 1])) == bytes(ffi.sizeof("att_serial"))
