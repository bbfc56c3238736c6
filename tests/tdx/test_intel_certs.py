# SPDX-License-Identifier: Apache-2.0
"""Intel's certificates and CRLs against their profile: which rule is broken, in which field, at which byte.

Every certificate is validly signed, so that what is found is the rule in question; genuine ones are compared with what `cryptography` and
the test authority's own reader make of them.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tdx_core import EVIDENCE, PASS, ROLES, Finding, ffi, finding, needs_evidence, read_cert, read_crl, real_quotes

from tdxverify.testing import (
    ECDSA,
    OIDS,
    PART_OIDS,
    Attribute,
    Certificate,
    Crl,
    Extension,
    IntelCa,
    PckCertificate,
    RawTime,
    Revoked,
    SgxExtension,
    SignatureAlgorithm,
    der,
    ec_key,
    ec_spki,
    intel_name,
)
from tdxverify.testing.x509 import authority_key_identifier, basic_constraints, distribution_points, key_usage

CA = IntelCa()
CERTIFICATES: dict[str, Certificate] = {
    "root": CA.root,
    "platform-ca": CA.platform,
    "processor-ca": CA.processor,
    "pck": CA.pck(),
    "pck of the Processor CA": CA.pck("processor"),
    "tcb-signer": CA.tcb_signing,
}
IS_CA = {"root", "platform-ca", "processor-ca"}
each_certificate = pytest.mark.parametrize("name", CERTIFICATES)


def profile(certificate: Certificate | bytes) -> Finding:
    return finding(read_cert(certificate if isinstance(certificate, bytes) else certificate.der).profile)


def tbs_place(data: bytes, part: str) -> int:
    """Where a part of the tbsCertificate begins."""
    parts = ("version", "serial", "algorithm", "issuer", "validity", "subject", "spki", "extensions")
    return der.read(data).at(0, parts.index(part)).start


def extensions_place(data: bytes) -> int:
    """The first byte behind the header of the list of extensions."""
    return der.read(data).at(0, 7, 0, 0).start


def extension_place(certificate: Certificate, kind: str) -> int:
    """Where an extension begins: the last of its kind."""
    oid = der.oid(OIDS.get(kind, kind))
    nodes = der.read(certificate.der).at(0, 7, 0).children()
    return [node for node in nodes if node.children()[0].encoded == oid][-1].start


# ---- genuine -----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def real_certificates() -> tuple[bytes, ...]:
    if not (EVIDENCE / "tdx").is_dir():
        return ()
    texts = [real.data for real in real_quotes()]
    for path in sorted((EVIDENCE / "tdx").glob("*.eval*.json")):
        texts += [value.encode() for value in json.loads(path.read_text()).values()]
    found: dict[bytes, None] = {}
    for text in texts:
        for block in re.findall(rb"-----BEGIN CERTIFICATE-----(.*?)-----END", text, re.DOTALL):
            found[base64.b64decode(block)] = None
    return tuple(found)


@lru_cache(maxsize=1)
def real_crls() -> tuple[bytes, ...]:
    if not (EVIDENCE / "tdx").is_dir():
        return ()
    bundles = [json.loads(path.read_text()) for path in sorted((EVIDENCE / "tdx").glob("*.eval*.json"))]
    return tuple(dict.fromkeys(bytes.fromhex(b[name]) for b in bundles for name in ("root_ca_crl", "pck_crl")))


def compare_with_cryptography(data: bytes) -> None:
    ours, theirs = read_cert(data), x509.load_der_x509_certificate(data)
    assert finding(ours.profile) == PASS
    assert bytes(ffi.buffer(ours.subject, ours.subject_len)) == theirs.subject.public_bytes()
    assert bytes(ffi.buffer(ours.issuer, ours.issuer_len)) == theirs.issuer.public_bytes()
    assert bool(ours.self_issued) is (theirs.subject == theirs.issuer)
    assert int.from_bytes(bytes(ours.serial)[: ours.serial_len], "big") == theirs.serial_number
    assert ours.serial[0] != 0
    assert ours.not_before == int(theirs.not_valid_before_utc.timestamp())
    assert ours.not_after == int(theirs.not_valid_after_utc.timestamp())
    assert bytes(ours.sha256) == hashlib.sha256(data).digest()
    assert bytes(ours.tbs_sha256) == hashlib.sha256(theirs.tbs_certificate_bytes).digest()
    r, s = decode_dss_signature(theirs.signature)
    assert bytes(ours.signature) == r.to_bytes(32, "big") + s.to_bytes(32, "big")
    ski = theirs.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    aki = theirs.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert (bytes(ours.ski)[: ours.ski_len], bytes(ours.aki)[: ours.aki_len]) == (ski, aki)
    spki = der.read(data).at(0, 6).encoded
    assert bytes(ours.spki_sha256) == hashlib.sha256(spki).digest()
    assert bytes(ours.key) == spki[-64:]
    assert ours.root == -1


def compare_pck(data: bytes) -> None:
    value = x509.load_der_x509_certificate(data).extensions.get_extension_for_oid(
        x509.ObjectIdentifier(OIDS["sgxExtensions"])
    )
    theirs, ours = SgxExtension.parse(value.value.value), read_cert(data).pck  # type: ignore[attr-defined]
    for name in ("ppid", "pce_id", "fmspc", "cpu_svn"):
        assert bytes(getattr(ours, name)) == getattr(theirs, name), name
    assert tuple(ours.components) == theirs.components
    assert (ours.pce_svn, ours.sgx_type) == (theirs.pce_svn, theirs.sgx_type)
    assert bool(ours.has_configuration) is (theirs.platform_instance_id is not None)
    if ours.has_configuration:
        assert bytes(ours.platform_instance_id) == theirs.platform_instance_id
        flags = (theirs.dynamic_platform, theirs.cached_keys, theirs.smt_enabled)
        assert (bool(ours.dynamic_platform), bool(ours.cached_keys), bool(ours.smt_enabled)) == flags
    else:
        assert bytes(ours.platform_instance_id) == bytes(16)
        assert (ours.dynamic_platform, ours.cached_keys, ours.smt_enabled) == (0, 0, 0)


@needs_evidence
def test_real_certificates() -> None:
    roles = [ROLES[read_cert(data).role] for data in real_certificates()]
    counts = {role: roles.count(role) for role in set(roles)}
    assert counts == {"root": 1, "platform-ca": 1, "processor-ca": 1, "pck": 23, "tcb-signer": 2}
    for data in real_certificates():
        compare_with_cryptography(data)
        if ROLES[read_cert(data).role] == "pck":
            compare_pck(data)


@needs_evidence
def test_components_and_cpu_svn_agree_in_every_real_certificate() -> None:
    """Why a certificate in which they do not is refused; and there are real ones with 0xFF among them."""
    tcbs = [read_cert(data).pck for data in real_certificates() if ROLES[read_cert(data).role] == "pck"]
    assert all(bytes(pck.components) == bytes(pck.cpu_svn) for pck in tcbs)
    assert any(0xFF in bytes(pck.components) for pck in tcbs)


@each_certificate
def test_certificates_of_the_test_authority(name: str) -> None:
    certificate = CERTIFICATES[name]
    compare_with_cryptography(certificate.der)
    assert ROLES[read_cert(certificate.der).role] == name.split(" ")[0]
    if name.startswith("pck"):
        compare_pck(certificate.der)


# ---- structure ---------------------------------------------------------------------------------------------------------------


@each_certificate
def test_every_truncation_and_a_trailing_byte(name: str) -> None:
    data = CERTIFICATES[name].der
    for n in range(len(data)):
        code, field, offset = profile(data[:n])
        assert (code, field) == ("certificate-malformed", "Certificate"), n
        assert offset == 0
    assert profile(data + b"\0") == ("certificate-malformed", "Certificate", len(data))
    assert profile(bytes(20000)) == ("certificate-malformed", "Certificate", 0)


@each_certificate
def test_single_bits(name: str) -> None:
    """A flip is either found out by the profile or changes what is signed (or the signature): no certificate has two encodings."""
    good = CERTIFICATES[name].der
    before = read_cert(good)
    said = (bytes(before.tbs_sha256), bytes(before.signature))
    for at in range(len(good)):
        data = bytearray(good)
        data[at] ^= 1 << at % 8
        after = read_cert(bytes(data))
        if finding(after.profile) == PASS:
            assert (bytes(after.tbs_sha256), bytes(after.signature)) != said, at
        else:
            assert finding(after.profile)[2] <= len(good)


Change = Callable[[Certificate], Certificate]


def changed(**changes: Any) -> Change:
    return lambda c: c.replace(**changes)


OTHER_ALGORITHMS = {
    "SHA-384": SignatureAlgorithm("ecdsa", "sha384"),
    "SHA-1": SignatureAlgorithm("ecdsa", "sha1"),
    "NULL parameters": dataclasses.replace(ECDSA, parameters=der.null()),
}
P384_KEY = ec_key("another", "P-384")

#: Rules that hold for every certificate: code, field, the part of the tbsCertificate where it is found.
RULES: dict[str, tuple[Change, str, str, str]] = {
    "version 1": (changed(version=None), "certificate-version-invalid", "version", "tbs"),
    "version 2": (changed(version=1), "certificate-version-invalid", "version", "version value"),
    "version 4": (changed(version=3), "certificate-version-invalid", "version", "version value"),
    "serial 0": (changed(serial=0), "certificate-serial-invalid", "serialNumber", "serial"),
    "serial negative": (changed(serial=b"\x80"), "certificate-serial-invalid", "serialNumber", "serial"),
    "serial padded": (changed(serial=b"\0\1"), "certificate-serial-invalid", "serialNumber", "serial"),
    "serial of 21 octets": (changed(serial=1 << 160), "certificate-serial-invalid", "serialNumber", "serial"),
    "dates turned round": (
        changed(not_before=datetime(2050, 1, 1, tzinfo=timezone.utc), not_after=datetime(2049, 1, 1, tzinfo=timezone.utc)),
        "certificate-time-malformed", "notAfter", "validity",
    ),
    "key on P-384": (changed(spki=P384_KEY.spki), "certificate-key-invalid", "subjectPublicKeyInfo", "spki"),
    "key off the curve": (
        changed(spki=ec_spki(b"\4" + bytes(63) + b"\1")), "certificate-key-invalid", "subjectPublicKeyInfo", "spki",
    ),
    "key zero": (changed(spki=ec_spki(b"\4" + bytes(64))), "certificate-key-invalid", "subjectPublicKeyInfo", "spki"),
    "key compressed": (
        changed(spki=ec_spki(ec_key("x").point("compressed"))), "certificate-key-invalid", "subjectPublicKeyInfo", "spki",
    ),
    "key hybrid": (
        changed(spki=ec_spki(ec_key("x").point("hybrid"))), "certificate-key-invalid", "subjectPublicKeyInfo", "spki",
    ),
    "key with unused bits": (
        changed(spki=ec_spki(ec_key("x").point()[:-1] + b"\0", unused_bits=1)),
        "certificate-key-invalid", "subjectPublicKeyInfo", "spki",
    ),
    "explicit parameters": (
        changed(spki=ec_spki(ec_key("x").point(), parameters=der.sequence(der.integer(1)))),
        "certificate-key-invalid", "subjectPublicKeyInfo", "spki",
    ),
    **{
        f"inner algorithm {word}": (
            changed(inner_algorithm=algorithm), "certificate-algorithm-unsupported", "tbsCertificate.signature", "algorithm",
        )
        for word, algorithm in OTHER_ALGORITHMS.items()
    },
    **{
        f"both algorithms {word}": (
            changed(algorithm=algorithm), "certificate-algorithm-unsupported", "tbsCertificate.signature", "algorithm",
        )
        for word, algorithm in OTHER_ALGORITHMS.items()
    },
    **{
        f"outer algorithm {word}": (
            changed(outer_algorithm=algorithm), "certificate-algorithm-unsupported", "signatureAlgorithm", "outer",
        )
        for word, algorithm in OTHER_ALGORITHMS.items()
    },
    "signature with unused bits": (
        changed(signature_unused_bits=1), "certificate-malformed", "signatureValue", "signature",
    ),
}  # fmt: skip


def place(data: bytes, where: str) -> int:
    whole = der.read(data)
    if where == "tbs":
        return whole.at(0).start
    if where == "version value":
        return whole.at(0, 0, 0).start + 2
    if where in ("outer", "signature"):
        return whole.at(1 if where == "outer" else 2).start
    return tbs_place(data, where)


@pytest.mark.parametrize("rule", RULES)
@each_certificate
def test_rules_of_every_certificate(name: str, rule: str) -> None:
    change, code, field, where = RULES[rule]
    certificate = change(CERTIFICATES[name])
    assert profile(certificate) == (code, field, place(certificate.der, where))


@each_certificate
def test_serials_of_twenty_octets(name: str) -> None:
    for serial in (1, 127, 128, (1 << 160) - 1, 1 << 159):
        certificate = CERTIFICATES[name].replace(serial=serial)
        assert profile(certificate) == PASS
        read = read_cert(certificate.der)
        assert int.from_bytes(bytes(read.serial)[: read.serial_len], "big") == serial


def signature_forms(good: bytes) -> dict[str, bytes]:
    r, s = decode_dss_signature(good)
    both = der.integer(r) + der.integer(s)
    size = (r.bit_length() + 7) // 8
    return {
        "raw": r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        "empty": b"",
        "one integer": der.sequence(der.integer(r)),
        "three integers": der.sequence(both, der.integer(1)),
        "trailing inside": der.sequence(both, b"\0"),
        "trailing behind": der.sequence(both) + b"\0",
        "long length": b"\x30\x81" + bytes([len(both)]) + both,
        "indefinite": b"\x30\x80" + both + b"\0\0",
        "set": der.set_of(der.integer(r), der.integer(s)),
        "padded r": der.sequence(der.tlv(2, b"\0\0" + r.to_bytes(size, "big")), der.integer(s)),
        "negative s": der.sequence(der.integer(r), der.integer(b"\xff" + s.to_bytes(32, "big")[1:])),
        "s of 33 octets": der.sequence(der.integer(r), der.integer(1 << 256)),
        "r of 50 octets": der.sequence(der.integer(1 << 399), der.integer(s)),
        "octet strings": der.sequence(der.octet_string(r.to_bytes(32, "big")), der.octet_string(s.to_bytes(32, "big"))),
    }


@pytest.mark.parametrize("form", signature_forms(CERTIFICATES["pck"].signature))
def test_forms_of_the_signature(form: str) -> None:
    """Nothing but the one DER encoding of two INTEGERs."""
    for name in ("pck", "root"):
        certificate = CERTIFICATES[name]
        broken = certificate.replace(signature=signature_forms(certificate.signature)[form])
        assert profile(broken) == ("certificate-malformed", "signatureValue", place(broken.der, "signature"))
        assert bytes(read_cert(broken.der).signature) == bytes(64)


def test_small_numbers_in_the_signature() -> None:
    """Their range is for the engines to judge."""
    for r, s in ((0, 0), (1, 1), (0x80, 0xFF), (2**256 - 1, 2**255)):
        read = read_cert(CA.root.replace(signature=der.sequence(der.integer(r), der.integer(s))).der)
        assert finding(read.profile) == PASS
        assert bytes(read.signature) == r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize("which", ["not_before", "not_after"])
def test_forms_of_dates(which: str) -> None:
    field = {"not_before": "notBefore", "not_after": "notAfter"}[which]
    for raw in (
        RawTime(der.GENERALIZED_TIME, "20240620000000Z"),  # before 2050
        RawTime(der.UTC_TIME, "240620000000"),
        RawTime(der.UTC_TIME, "2406200000Z"),
        RawTime(der.UTC_TIME, "240620000000+0000"),
        RawTime(der.UTC_TIME, "241320000000Z"),
        RawTime(der.UTC_TIME, "230229000000Z"),
        RawTime(der.UTC_TIME, "240620000060Z"),
        RawTime(der.GENERALIZED_TIME, "20500620000000.5Z"),
        RawTime(der.INTEGER, b"\1"),
    ):
        certificate = CA.pck().replace(**{which: raw})
        at = der.read(certificate.der).at(0, 4, 0 if which == "not_before" else 1).start
        assert profile(certificate) == ("certificate-time-malformed", field, at)


# ---- names -------------------------------------------------------------------------------------------------------------------

CN = {
    "root": "Intel SGX Root CA",
    "platform-ca": "Intel SGX PCK Platform CA",
    "processor-ca": "Intel SGX PCK Processor CA",
    "pck": "Intel SGX PCK Certificate",
    "pck of the Processor CA": "Intel SGX PCK Certificate",
    "tcb-signer": "Intel SGX TCB Signing",
}


def wrong_names(cn: str) -> dict[str, Any]:
    good = intel_name(cn)
    attributes = good.attributes
    return {
        "CN longer": good.set("CN", cn + " "),
        "CN with more before": good.set("CN", "My " + cn),
        "CN in capitals": good.set("CN", cn.upper()),
        "CN with NUL": good.set("CN", cn + "\0"),
        "CN cut": good.set("CN", cn[:-1]),
        "CN of another": good.set("CN", "Intel SGX PCK Other CA"),
        "CN as IA5String": good.set("CN", tag=0x16),
        "CN as TeletexString": good.set("CN", tag=0x14),
        "CN as BMPString": good.set("CN", cn.encode("utf-16-be"), tag=0x1E),
        "no CN": good.without("CN"),
        "two CNs": good.plus(Attribute("CN", cn), first=True),
        "O changed": good.set("O", "Intel Corp"),
        "L changed": good.set("L", "Santa  Clara"),
        "ST changed": good.set("ST", "California"),
        "C changed": good.set("C", "us"),
        "no L": good.without("L"),
        "one more": good.plus(Attribute("OU", "SGX")),
        "order": dataclasses.replace(good, attributes=attributes[::-1]),
        "one RDN": dataclasses.replace(good, one_rdn=True),
        "empty": dataclasses.replace(good, attributes=()),
        "CN of 10,000 characters": good.set("CN", "I" * 10000),
    }


@pytest.mark.parametrize("wrong", wrong_names("x"))
@each_certificate
def test_subjects(name: str, wrong: str) -> None:
    """Compared whole; and what is none of Intel's has no role. A root then does not name itself either, which is found first."""
    certificate = CERTIFICATES[name].replace(subject=wrong_names(CN[name])[wrong])
    field, where = ("issuer name", "issuer") if name == "root" else ("subject name", "subject")
    found = profile(certificate)
    if name == "root":
        assert found[0] == "certificate-name-invalid"
    else:
        assert found == ("certificate-name-invalid", field, tbs_place(certificate.der, where))
    assert ROLES[read_cert(certificate.der).role] == "other"


@pytest.mark.parametrize("wrong", wrong_names("x"))
@each_certificate
def test_issuers(name: str, wrong: str) -> None:
    issuer_cn = {"pck": CN["platform-ca"], "pck of the Processor CA": CN["processor-ca"]}.get(name, CN["root"])
    certificate = CERTIFICATES[name].replace(issuer=wrong_names(issuer_cn)[wrong])
    assert profile(certificate) == ("certificate-name-invalid", "issuer name", tbs_place(certificate.der, "issuer"))


def test_issuers_that_are_no_cas() -> None:
    for issuer in ("pck", "tcb-signer"):
        certificate = CA.pck().replace(issuer=intel_name(CN[issuer]))
        assert profile(certificate) == ("certificate-name-invalid", "issuer name", tbs_place(certificate.der, "issuer"))


def test_a_root_names_itself() -> None:
    certificate = CA.root.replace(issuer=intel_name(CN["platform-ca"]))
    assert profile(certificate) == ("certificate-name-invalid", "issuer name", tbs_place(certificate.der, "issuer"))


@each_certificate
def test_string_types_of_names(name: str) -> None:
    """UTF8String and PrintableString are both in use; which of them it is, names that chain must agree in."""
    for tag in (der.UTF8_STRING, der.PRINTABLE_STRING):
        subject = CERTIFICATES[name].spec.subject
        for kind in ("CN", "O", "L", "ST", "C"):
            subject = subject.set(kind, tag=tag)
        changes = {"subject": subject, "issuer": subject} if name == "root" else {"subject": subject}
        assert profile(CERTIFICATES[name].replace(**changes)) == PASS


# ---- extensions --------------------------------------------------------------------------------------------------------------

REQUIRED = {
    "authorityKeyIdentifier": "authorityKeyIdentifier",
    "cRLDistributionPoints": "cRLDistributionPoints",
    "subjectKeyIdentifier": "subjectKeyIdentifier",
    "keyUsage": "keyUsage",
    "basicConstraints": "basicConstraints",
}


@pytest.mark.parametrize("kind", REQUIRED)
@each_certificate
def test_extensions_that_are_required(name: str, kind: str) -> None:
    certificate = CERTIFICATES[name].replace(**{kind: None})
    found = ("certificate-extension-missing", REQUIRED[kind], extensions_place(certificate.der))
    assert profile(certificate) == found


@each_certificate
def test_no_extensions_at_all(name: str) -> None:
    certificate = CERTIFICATES[name].replace(extensions=None)
    assert profile(certificate)[:2] == ("certificate-extension-missing", "authorityKeyIdentifier")
    certificate = CERTIFICATES[name].replace(extensions=())
    assert profile(certificate)[:2] == ("certificate-malformed", "extensions")


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", [*REQUIRED, "sgxExtensions"])
def test_repeated_extensions(kind: str, first: bool) -> None:
    certificate = CA.pck()
    for value in (None, b"\x04\x00"):
        twice = certificate.respec(certificate.spec.with_duplicate(kind, value, first=first))
        assert profile(twice)[0] == "certificate-extension-invalid"
        assert profile(twice)[1] in ("extensions", REQUIRED.get(kind, "SGX extension"))
    same = certificate.respec(certificate.spec.with_duplicate(kind))
    assert profile(same) == ("certificate-extension-invalid", "extensions", extension_place(same, kind))


CONSTRAINTS = {
    "empty": basic_constraints(None),
    "CA": basic_constraints(True),
    "CA, 0": basic_constraints(True, 0),
    "CA, 1": basic_constraints(True, 1),
    "CA, 2": basic_constraints(True, 2),
    "0": basic_constraints(None, 0),
}
RIGHT = {"root": "CA, 1", "platform-ca": "CA, 0", "processor-ca": "CA, 0"}


@pytest.mark.parametrize("constraints", CONSTRAINTS)
@each_certificate
def test_basic_constraints(name: str, constraints: str) -> None:
    certificate = CERTIFICATES[name].replace(basicConstraints=CONSTRAINTS[constraints])
    wrong = ("certificate-constraints-invalid", "basicConstraints", extension_place(certificate, "basicConstraints"))
    assert profile(certificate) == (PASS if constraints == RIGHT.get(name, "empty") else wrong)


@each_certificate
def test_forms_of_basic_constraints(name: str) -> None:
    for value in (
        basic_constraints(False), basic_constraints(b"\1"), basic_constraints(b"\1", 0), b"", b"\x30\0\0", der.null(),
        der.sequence(der.integer(b"\0\0")), basic_constraints(True, 1) + b"\0",
    ):  # fmt: skip
        certificate = CERTIFICATES[name].replace(basicConstraints=value)
        at = extension_place(certificate, "basicConstraints")
        assert profile(certificate) == ("certificate-extension-invalid", "basicConstraints", at), value.hex()


@pytest.mark.parametrize("bits", [(0,), (0, 1), (1,), (5,), (6,), (5, 6), (0, 5, 6), (0, 5), (0, 6)])
@each_certificate
def test_key_usage(name: str, bits: tuple[int, ...]) -> None:
    certificate = CERTIFICATES[name].replace(keyUsage=key_usage(*bits))
    fits = {5, 6} <= set(bits) if name in IS_CA else 0 in bits and not {5, 6} & set(bits)
    wrong = ("certificate-constraints-invalid", "keyUsage", extension_place(certificate, "keyUsage"))
    assert profile(certificate) == (PASS if fits else wrong)


@each_certificate
def test_forms_of_key_usage(name: str) -> None:
    for value in (
        b"",
        der.bit_string(b""),
        key_usage(),
        der.octet_string(b"\x86"),
        der.bit_string(b"\x86", unused=7),
        key_usage(0) + b"\0",
    ):
        certificate = CERTIFICATES[name].replace(keyUsage=value)
        found = ("certificate-extension-invalid", "keyUsage", extension_place(certificate, "keyUsage"))
        assert profile(certificate) == found, value.hex()


@pytest.mark.parametrize("kind", ["keyUsage", "basicConstraints"])
@each_certificate
def test_what_must_be_critical(name: str, kind: str) -> None:
    certificate = CERTIFICATES[name]
    loose = certificate.respec(certificate.spec.with_critical(kind, None))
    assert profile(loose) == ("certificate-constraints-invalid", kind, extension_place(loose, kind))


@pytest.mark.parametrize(
    "kind", ["authorityKeyIdentifier", "subjectKeyIdentifier", "cRLDistributionPoints", "sgxExtensions"]
)
def test_what_must_not_be_critical(kind: str) -> None:
    certificate = CA.pck()
    strict = certificate.respec(certificate.spec.with_critical(kind, True))
    field = {"sgxExtensions": "SGX extension"}.get(kind, kind)
    assert profile(strict) == ("certificate-extension-invalid", field, extension_place(strict, kind))


@each_certificate
def test_criticality_is_der(name: str) -> None:
    certificate = CERTIFICATES[name]
    for flag in (False, b"\1", b""):
        odd = certificate.respec(certificate.spec.with_critical("keyUsage", flag))
        assert profile(odd)[:2] == ("certificate-malformed", "extensions")


@each_certificate
def test_forms_of_key_ids(name: str) -> None:
    own = bytes(20)
    for kind, values in {
        "subjectKeyIdentifier": [b"", der.octet_string(b""), own, der.octet_string(own) + b"\0", der.octet_string(bytes(33))],
        "authorityKeyIdentifier": [
            b"", der.sequence(), authority_key_identifier(b""), authority_key_identifier(bytes(33)),
            authority_key_identifier(own) + b"\0",
            der.sequence(der.context(0, own, constructed=False), der.context(2, b"\1", constructed=False)),
            der.sequence(der.context(2, b"\1", constructed=False)),
        ],
    }.items():  # fmt: skip
        for value in values:
            certificate = CERTIFICATES[name].replace(**{kind: value})
            assert profile(certificate) == ("certificate-extension-invalid", kind, extension_place(certificate, kind))


@each_certificate
def test_forms_of_distribution_points(name: str) -> None:
    for value in (
        b"",
        der.sequence(),
        distribution_points("https://a/", "https://b/"),
        distribution_points("https://a/") + b"\0",
        distribution_points(""),
    ):
        certificate = CERTIFICATES[name].replace(cRLDistributionPoints=value)
        at = extension_place(certificate, "cRLDistributionPoints")
        assert profile(certificate) == ("certificate-extension-invalid", "cRLDistributionPoints", at)


@each_certificate
def test_unknown_extensions(name: str) -> None:
    spec = CERTIFICATES[name].spec
    for kind in ("1.2.3.4", "1.2.840.113741.1.13.2", "1.2.840.113741.1.13.1.8"):
        unknown = CERTIFICATES[name].respec(spec.with_extension(kind, b"\5\0"))
        assert profile(unknown) == PASS
        critical = CERTIFICATES[name].respec(spec.with_extension(kind, Extension(kind, b"\5\0", critical=True)))
        assert profile(critical) == ("certificate-extension-invalid", "extensions", extension_place(critical, kind))
    for kind in (
        "nameConstraints",
        "2.5.29.33",
        "2.5.29.36",
        "2.5.29.54",
    ):  # narrow the path; nothing here applies them
        narrow = CERTIFICATES[name].respec(spec.with_extension(kind, b"\x30\0"))
        assert profile(narrow) == ("certificate-extension-invalid", "extensions", extension_place(narrow, kind))


def test_too_many_extensions() -> None:
    spec = CA.pck().spec
    for i in range(100):
        spec = spec.with_extension(f"1.2.3.{i}", b"\5\0")
    assert profile(CA.pck().respec(spec))[:2] == ("certificate-extension-invalid", "extensions")


def test_oids_that_look_alike() -> None:
    """Arcs with leading 80 octets, or an arc more, are no other spelling of an extension's OID."""
    spec = CA.pck().spec
    content = der.oid_content(OIDS["sgxExtensions"])
    padded = content[:-1] + b"\x80\x01"
    odd = CA.pck().respec(
        spec._with(
            dataclasses.replace(e, kind=padded) if e.kind == "sgxExtensions" else e for e in spec.extensions or ()
        )
    )
    assert profile(odd)[:2] == ("certificate-malformed", "extensions")
    for other in (content + b"\1", content[:-1], content[:-1] + b"\2"):
        odd = CA.pck().respec(
            spec._with(
                dataclasses.replace(e, kind=other) if e.kind == "sgxExtensions" else e for e in spec.extensions or ()
            )
        )
        assert profile(odd) == ("certificate-extension-missing", "SGX extension", extensions_place(odd.der))


def test_the_sgx_extension_is_of_pck_certificates() -> None:
    value = SgxExtension().encode()
    for name in ("root", "platform-ca", "processor-ca", "tcb-signer"):
        certificate = CERTIFICATES[name].replace(sgxExtensions=value)
        at = extension_place(certificate, "sgxExtensions")
        assert profile(certificate) == ("certificate-extension-invalid", "SGX extension", at)
    for ca in ("platform", "processor"):
        certificate = CA.pck(ca).replace(sgxExtensions=None)
        assert profile(certificate) == (
            "certificate-extension-missing",
            "SGX extension",
            extensions_place(certificate.der),
        )


# ---- SGX extension -----------------------------------------------------------------------------------------------------------

FIELDS = {
    "ppid": "PPID", "tcb": "TCB", "pceId": "PCEID", "fmspc": "FMSPC", "sgxType": "SGX type",
    "platformInstanceId": "platform instance id", "configuration": "configuration",
    "dynamicPlatform": "configuration", "cachedKeys": "configuration", "smtEnabled": "configuration",
    "pceSvn": "PCESVN", "cpuSvn": "CPUSVN (PCK)",
    **{f"comp{i:02}": "SGX TCB component" for i in range(1, 17)},
}  # fmt: skip
OF_PLATFORM = {"platformInstanceId", "configuration", "dynamicPlatform", "cachedKeys", "smtEnabled"}


def pck_with(sgx: SgxExtension, ca: str = "platform") -> PckCertificate:
    return CA.pck(ca, sgx=sgx)  # type: ignore[arg-type]


def parts_of(ca: str) -> Iterable[str]:
    return [part for part in PART_OIDS if ca == "platform" or part not in OF_PLATFORM]


def sgx_of(ca: str) -> SgxExtension:
    return SgxExtension() if ca == "platform" else SgxExtension.processor()


def entries(certificate: Certificate) -> dict[str, list[int]]:
    """Where the entries of each part begin, and under "... value" where their values do."""
    names = {der.oid_content(oid): name for name, oid in PART_OIDS.items()}
    out: dict[str, list[int]] = {}
    at = extension_place(certificate, "sgxExtensions")
    base = der.read(certificate.der, at).at(1).start + der.read(certificate.der, at).at(1).header
    for node in der.read(certificate.der, base).walk():
        children = node.children()
        if len(children) == 2 and children[0].tag == der.OBJECT_IDENTIFIER and children[0].content in names:
            name = names[children[0].content]
            out.setdefault(name, []).append(node.start)
            out.setdefault(f"{name} value", []).append(children[1].start)
    out["extension"] = [at]
    return out


def container(part: str) -> str:
    if part in ("dynamicPlatform", "cachedKeys", "smtEnabled"):
        return "configuration value"
    return "tcb value" if part.startswith(("comp", "pceSvn", "cpuSvn")) else "extension"


@pytest.mark.parametrize("ca", ["platform", "processor"])
def test_parts_left_out(ca: str) -> None:
    for part in parts_of(ca):
        certificate = pck_with(sgx_of(ca).without(part), ca)
        expected = ("certificate-extension-missing", FIELDS[part], entries(certificate)[container(part)][0])
        assert profile(certificate) == expected, part
        assert read_cert(certificate.der).pck.has_configuration == 0


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("ca", ["platform", "processor"])
def test_parts_repeated(ca: str, first: bool) -> None:
    """Which of the two would count must never matter."""
    for part in parts_of(ca):
        certificate = pck_with(sgx_of(ca).with_duplicate(part, first=first), ca)
        code, field, offset = profile(certificate)
        assert code == "certificate-extension-invalid"
        assert offset == entries(certificate)[part][1]
        assert (
            field
            == {"extension": "SGX extension", "tcb value": "TCB", "configuration value": "configuration"}[
                container(part)
            ]
        )


@pytest.mark.parametrize("ca", ["platform", "processor"])
def test_parts_in_any_order(ca: str) -> None:
    """As Intel's library reads them."""
    good = pck_with(sgx_of(ca), ca)
    for order in (("fmspc", "ppid"), ("pceId", "tcb"), ("cpuSvn", "comp16", "comp01"), ("pceSvn",)):
        turned = pck_with(sgx_of(ca).with_order(*order), ca)
        assert profile(turned) == PASS
        assert bytes(ffi.buffer(ffi.addressof(read_cert(turned.der).pck))) == bytes(
            ffi.buffer(ffi.addressof(read_cert(good.der).pck))
        )
    if ca == "platform":
        assert profile(pck_with(sgx_of(ca).with_order("smtEnabled", "dynamicPlatform"))) == PASS


@pytest.mark.parametrize("part", PART_OIDS)
def test_parts_under_another_oid(part: str) -> None:
    for oid in ("1.2.840.113741.1.13.1.8", "1.2.840.113741.1.13.1.0", "1.2.840.113741.1.13.1.2.19", "1.2.840.113741.1.13.2.1", "1.2.3",
                der.oid_content(PART_OIDS[part]) + b"\1", der.oid_content(PART_OIDS[part])[:-1] + b"\x80\1"):  # fmt: skip
        certificate = pck_with(SgxExtension().with_oid(part, oid))
        assert profile(certificate)[0] == "certificate-extension-invalid", oid


def test_more_parts_than_there_are() -> None:
    for inside in (None, "tcb", "configuration"):
        for first in (False, True):
            extra = SgxExtension().with_extra("1.2.840.113741.1.13.1.2.19", der.integer(0), inside=inside, first=first)
            assert profile(pck_with(extra))[0] == "certificate-extension-invalid"


def test_five_parts_under_one_ca_seven_under_the_other() -> None:
    """The issuer tells which it is."""
    five = pck_with(SgxExtension.processor(), "platform")
    found = ("certificate-extension-missing", "platform instance id", extension_place(five, "sgxExtensions"))
    assert profile(five) == found
    seven = pck_with(SgxExtension(), "processor")
    found = ("certificate-extension-invalid", "platform instance id", extension_place(seven, "sgxExtensions"))
    assert profile(seven) == found
    assert read_cert(seven.der).pck.has_configuration == 0
    six = pck_with(SgxExtension().without("platformInstanceId"), "processor")
    assert profile(six)[:2] == ("certificate-extension-invalid", "configuration")


SIZES = {"ppid": 16, "pceId": 2, "fmspc": 6, "platformInstanceId": 16, "cpuSvn": 16}


@pytest.mark.parametrize("part", SIZES)
def test_octet_strings_of_another_size(part: str) -> None:
    for size in {0, 1, SIZES[part] - 1, SIZES[part] + 1, 2 * SIZES[part], 200}:
        certificate = pck_with(SgxExtension().with_value(part, der.octet_string(bytes(size))))
        at = entries(certificate)[f"{part} value"][0]
        assert profile(certificate) == ("certificate-extension-invalid", FIELDS[part], at), size
    for value in (
        der.tlv(3, bytes(SIZES[part])),
        der.null(),
        bytes(SIZES[part]),
        der.sequence(der.octet_string(bytes(SIZES[part]))),
    ):
        certificate = pck_with(SgxExtension().with_value(part, value))
        assert profile(certificate)[0] == "certificate-extension-invalid"
        assert profile(certificate)[1] in (FIELDS[part], "SGX extension")


@pytest.mark.parametrize("part", [*(f"comp{i:02}" for i in range(1, 17)), "pceSvn"])
def test_integers(part: str) -> None:
    """0 to 255 (65535) in their shortest form; 0x80 and above have a zero in front."""
    most = 65535 if part == "pceSvn" else 255
    at = int(part[4:]) - 1 if part.startswith("comp") else -1
    for value in (0, 1, 127, 128, 255, most):
        fields: dict[str, Any] = {"pce_svn": value}
        if at >= 0:
            components = list(SgxExtension().components)
            components[at] = value
            fields = {"components": tuple(components)}
        certificate = pck_with(SgxExtension(**fields))
        assert profile(certificate) == PASS
        compare_pck(certificate.der)
    contents = (b"\xff", b"\x80", b"\0\0", b"\0\x7f", b"")
    others = (der.octet_string(b"\1"), der.enumerated(1), der.null(), b"\x02\x81\x01\x01")
    large = (most + 1, 2**32, 2**64)
    for wrong in (*(der.integer(value) for value in (*large, *contents)), *others):
        certificate = pck_with(SgxExtension().with_value(part, wrong))
        code, field, _ = profile(certificate)
        assert (code, field) == ("certificate-extension-invalid", FIELDS[part]), wrong.hex()


def test_components_against_cpu_svn() -> None:
    for i in range(16):
        cpu_svn = bytearray(SgxExtension().components)
        cpu_svn[i] ^= 1
        certificate = pck_with(SgxExtension(cpu_svn=bytes(cpu_svn)))
        at = extension_place(certificate, "sgxExtensions")
        assert profile(certificate) == ("certificate-extension-invalid", "CPUSVN (PCK)", at)


def test_sgx_type() -> None:
    for kind in (0, 1, 2):
        assert read_cert(pck_with(SgxExtension(sgx_type=kind)).der).pck.sgx_type == kind
        assert profile(pck_with(SgxExtension(sgx_type=kind))) == PASS
    for wrong in (
        der.enumerated(3),
        der.enumerated(255),
        der.enumerated(b"\0\1"),
        der.enumerated(b""),
        der.integer(1),
        der.enumerated(b"\xff"),
    ):
        certificate = pck_with(SgxExtension().with_value("sgxType", wrong))
        at = entries(certificate)["sgxType value"][0]
        assert profile(certificate) == ("certificate-extension-invalid", "SGX type", at)


@pytest.mark.parametrize("part", ["dynamicPlatform", "cachedKeys", "smtEnabled"])
def test_configuration(part: str) -> None:
    name = {"dynamicPlatform": "dynamic_platform", "cachedKeys": "cached_keys", "smtEnabled": "smt_enabled"}[part]
    for value in (True, False):
        certificate = pck_with(SgxExtension(**{name: value}))
        assert profile(certificate) == PASS
        assert bool(getattr(read_cert(certificate.der).pck, name)) is value
        compare_pck(certificate.der)
    for wrong in (der.boolean(b"\1"), der.boolean(b""), der.boolean(b"\xff\xff"), der.integer(1), der.null()):
        certificate = pck_with(SgxExtension().with_value(part, wrong))
        code, field, _ = profile(certificate)
        assert (code, field) == ("certificate-extension-invalid", "configuration"), wrong.hex()


def test_what_stands_behind_the_parts() -> None:
    for sgx in (
        SgxExtension(inner_trailing=b"\0"), SgxExtension(outer_trailing=b"\0"), SgxExtension(raw=b""), SgxExtension(raw=der.null()),
        SgxExtension(raw=b"\x30\x80\0\0"), SgxExtension(raw=der.set_of()), SgxExtension().with_entry("ppid", b"\x30\0"),
        SgxExtension().with_entry("ppid", der.sequence(der.oid(PART_OIDS["ppid"]))),
        SgxExtension().with_entry("ppid", der.sequence(der.oid(PART_OIDS["ppid"]), der.octet_string(bytes(16)), der.null())),
    ):  # fmt: skip
        assert profile(pck_with(sgx))[0] == "certificate-extension-invalid"
    assert profile(pck_with(SgxExtension(raw=der.sequence())))[:2] == ("certificate-extension-missing", "PPID")


def test_nesting_as_deep_as_a_certificate_can() -> None:
    """There is no recursion to run out of stack; and a certificate has 16 KiB at most."""
    deep = b""
    for _ in range(3500):
        deep = der.sequence(deep)
    for sgx in (
        SgxExtension(raw=deep),
        SgxExtension().with_value("tcb", deep),
        SgxExtension().with_value("ppid", deep),
    ):
        assert len(pck_with(sgx).der) <= 16384
        assert profile(pck_with(sgx))[0] == "certificate-extension-invalid"
    assert profile(b"\x30\x80" * 100000) == ("certificate-malformed", "Certificate", 0)


# ---- CRLs --------------------------------------------------------------------------------------------------------------------

CRLS: dict[str, Crl] = {
    "root": CA.root_crl(),
    "platform": CA.pck_crl([CA.pck(), 5, 77, 2**160 - 1]),
    "processor": CA.pck_crl([3, 2, 1], ca="processor"),
}
each_crl = pytest.mark.parametrize("name", CRLS)


def crl_profile(crl: Crl | bytes) -> Finding:
    read, serials = read_crl(crl if isinstance(crl, bytes) else crl.der)
    assert finding(read.profile) == PASS or serials == []
    return finding(read.profile)


def crl_parts(data: bytes) -> dict[str, int]:
    tbs = der.read(data).at(0)
    names = ["version", "algorithm", "issuer", "thisUpdate", "nextUpdate"]
    out = {name: node.start for name, node in zip(names, tbs.children(), strict=False)}
    for node in tbs.children()[5:]:
        out["extensions" if node.tag == 0xA0 else "revoked"] = node.start
    out["tbs"], out["outer"], out["signature"] = tbs.start, der.read(data).at(1).start, der.read(data).at(2).start
    return out


def crl_extension(data: bytes, kind: str) -> int:
    nodes = der.read(data).at(0).children()[-1].at(0).children()
    return [node.start for node in nodes if node.children()[0].encoded == der.oid(OIDS[kind])][-1]


def numbers(crl: x509.CertificateRevocationList) -> list[bytes]:
    values = sorted(entry.serial_number for entry in crl)
    return [value.to_bytes((value.bit_length() + 7) // 8, "big") for value in values]


def compare_crl(data: bytes) -> None:
    ours, serials = read_crl(data)
    theirs = x509.load_der_x509_crl(data)
    assert finding(ours.profile) == PASS
    assert sorted(serials, key=lambda s: (len(s), s)) == serials == numbers(theirs)
    assert bytes(ffi.buffer(ours.issuer, ours.issuer_len)) == theirs.issuer.public_bytes()
    aki = theirs.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert bytes(ours.aki)[: ours.aki_len] == aki
    assert theirs.last_update_utc is not None
    assert theirs.next_update_utc is not None
    assert (ours.this_update, ours.next_update) == (
        int(theirs.last_update_utc.timestamp()),
        int(theirs.next_update_utc.timestamp()),
    )
    assert bytes(ours.tbs_sha256) == hashlib.sha256(theirs.tbs_certlist_bytes).digest()
    assert bytes(ours.sha256) == hashlib.sha256(data).digest()
    r, s = decode_dss_signature(theirs.signature)
    assert bytes(ours.signature) == r.to_bytes(32, "big") + s.to_bytes(32, "big")


@needs_evidence
def test_real_crls() -> None:
    assert len(real_crls()) == 13
    for data in real_crls():
        compare_crl(data)
    assert sorted({len(read_crl(data)[1]) for data in real_crls()}) == [0, 44, 51, 57]


@each_crl
def test_crls_of_the_test_authority(name: str) -> None:
    compare_crl(CRLS[name].der)


@each_crl
def test_truncated_crls(name: str) -> None:
    data = CRLS[name].der
    for n in range(len(data)):
        assert crl_profile(data[:n]) == ("crl-malformed", "CRL", 0)
    assert crl_profile(data + b"\0") == ("crl-malformed", "CRL", len(data))
    assert crl_profile(CRLS[name].pem)[0] == "crl-malformed"
    assert crl_profile(data.hex().encode())[0] == "crl-malformed"
    assert crl_profile(b"\x30" + bytes(4194304)) == ("crl-too-large", "CRL", 0)


CRL_RULES: dict[str, tuple[dict[str, Any], str, str]] = {
    "version 1": ({"version": None}, "version", "tbs"),
    "version 1 written out": ({"version": 0}, "version", "version value"),
    "version 3": ({"version": 2}, "version", "version value"),
    "inner algorithm": ({"inner_algorithm": OTHER_ALGORITHMS["SHA-384"]}, "tbsCertificate.signature", "algorithm"),
    "outer algorithm": ({"outer_algorithm": OTHER_ALGORITHMS["SHA-384"]}, "signatureAlgorithm", "outer"),
    "NULL parameters": ({"algorithm": OTHER_ALGORITHMS["NULL parameters"]}, "tbsCertificate.signature", "algorithm"),
    "issuer unknown": ({"issuer": intel_name("Intel SGX PCK Other CA")}, "issuer name", "issuer"),
    "issuer no CA": ({"issuer": intel_name(CN["tcb-signer"])}, "issuer name", "issuer"),
    "no nextUpdate": ({"next_update": None}, "nextUpdate", None),
    "ends before it begins": ({"next_update": datetime(2020, 1, 1, tzinfo=timezone.utc)}, "nextUpdate", "nextUpdate"),
    "thisUpdate in another form": (
        {"this_update": RawTime(der.GENERALIZED_TIME, "20250101000000Z")}, "thisUpdate", "thisUpdate",
    ),
    "an empty list": ({"revoked": ()}, "revokedCertificates", "revoked"),
    "signature not DER": ({"signature": bytes(64)}, "signatureValue", "signature"),
    "unused bits": ({"signature_unused_bits": 3}, "signatureValue", "signature"),
}  # type: ignore[dict-item]  # fmt: skip


@pytest.mark.parametrize("rule", CRL_RULES)
@each_crl
def test_rules_of_crls(name: str, rule: str) -> None:
    changes, field, where = CRL_RULES[rule]
    crl = CRLS[name].replace(**changes)
    got = crl_profile(crl)
    assert got[:2] == ("crl-malformed", field)
    parts = crl_parts(crl.der)
    if where == "version value":
        assert got[2] == parts["version"] + 2
    elif rule == "version 1":
        assert got[2] == parts["tbs"]
    elif where is not None:
        assert got[2] == parts[where]


@pytest.mark.parametrize("kind", ["cRLNumber", "authorityKeyIdentifier"])
@each_crl
def test_crl_extensions_that_are_required(name: str, kind: str) -> None:
    crl = CRLS[name].replace(**{kind: None})
    assert crl_profile(crl)[:2] == ("crl-malformed", kind)
    critical = Crl(CRLS[name].spec.with_critical(kind, True))
    assert crl_profile(critical) == ("crl-malformed", kind, crl_extension(critical.der, kind))
    for value in (
        b"",
        der.null(),
        der.sequence(),
        der.integer(-1) if kind == "cRLNumber" else authority_key_identifier(bytes(33)),
    ):
        crl = CRLS[name].replace(**{kind: value})
        assert crl_profile(crl) == ("crl-malformed", kind, crl_extension(crl.der, kind))
    assert crl_profile(Crl(CRLS[name].spec.with_duplicate(kind)))[:2] == ("crl-malformed", "crlExtensions")
    assert crl_profile(CRLS[name].replace(extensions=None))[:2] == ("crl-malformed", "authorityKeyIdentifier")


@each_crl
def test_crls_that_are_not_complete_lists_of_one_issuer(name: str) -> None:
    for kind, value in (("deltaCRLIndicator", der.integer(1)), ("issuingDistributionPoint", der.sequence())):
        for critical in (None, True):
            crl = Crl(CRLS[name].spec.with_extension(kind, Extension(kind, value, critical=critical)))
            assert crl_profile(crl) == ("crl-malformed", "crlExtensions", crl_extension(crl.der, kind))
    assert crl_profile(Crl(CRLS[name].spec.with_extension("1.2.3.4", b"\5\0"))) == PASS
    unknown = Crl(CRLS[name].spec.with_extension("1.2.3.4", Extension("1.2.3.4", b"\5\0", critical=True)))
    assert crl_profile(unknown)[:2] == ("crl-malformed", "crlExtensions")


WHEN = datetime(2025, 6, 1, tzinfo=timezone.utc)


def with_entries(*entries: Revoked) -> Crl:
    return CA.pck_crl(entries)


def entry_place(crl: Crl, i: int, *path: int) -> int:
    return der.read(crl.der).at(0, 5, i, *path).start


def test_entries() -> None:
    for serial in (0, b"\xff", b"\0\1", 1 << 160):
        crl = with_entries(Revoked(1, WHEN), Revoked(serial, WHEN))
        assert crl_profile(crl) == ("crl-malformed", "revokedCertificates", entry_place(crl, 1, 0))
    for date in (RawTime(der.UTC_TIME, "250601"), RawTime(der.GENERALIZED_TIME, "20250601000000Z")):
        crl = with_entries(Revoked(1, date))
        assert crl_profile(crl) == ("crl-malformed", "revokedCertificates", entry_place(crl, 0, 1))
    for kind, value, critical in (
        ("2.5.29.29", der.sequence(), None),  # of another issuer
        ("reasonCode", der.enumerated(7), None), ("reasonCode", der.enumerated(8), None), ("reasonCode", der.enumerated(11), None),
        ("reasonCode", der.integer(1), None), ("reasonCode", der.enumerated(1), True), ("1.2.3.4", b"\5\0", True),
    ):  # fmt: skip
        crl = with_entries(Revoked(1, WHEN, (Extension(kind, value, critical=critical),)))
        assert crl_profile(crl)[:2] == ("crl-malformed", "revokedCertificates")
    for reason in (0, 1, 2, 3, 4, 5, 6, 9, 10):
        assert crl_profile(with_entries(Revoked(1, WHEN, (Extension("reasonCode", der.enumerated(reason)),)))) == PASS
    # An entry counts whatever its date: before the list, or long after it.
    for days in (-9000, 9000):
        assert read_crl(with_entries(Revoked(9, WHEN + timedelta(days=days))).der)[1] == [b"\t"]


def test_serials_are_sorted_and_may_repeat() -> None:
    values = [7, 300, 7, 2**159, 1, 255, 256, 2**160 - 1, 300]
    crl = CA.pck_crl(values)
    assert read_crl(crl.der)[1] == [v.to_bytes((v.bit_length() + 7) // 8, "big") for v in sorted(values)]


def test_no_room_for_the_serials() -> None:
    crl = CA.pck_crl([1, 2, 3])
    assert [finding(read_crl(crl.der, room)[0].profile)[0] for room in (3, 2, 0)] == [
        "pass",
        "crl-too-large",
        "crl-too-large",
    ]
    assert read_crl(crl.der, 2)[1] == []


def test_a_crl_of_a_hundred_thousand_entries() -> None:
    """Within the limit of bytes, any number; sorted in the order of n log n whatever the order they come in."""
    for turn in (1, -1):
        entries = b"".join(der.sequence(der.integer(i), der.utc_time(WHEN)) for i in range(1, 100001)[::turn])
        crl = CA.pck_crl().der
        tbs = der.read(crl).at(0)
        children = [node.encoded for node in tbs.children()]
        whole = der.sequence(
            der.sequence(*children[:5], der.sequence(entries), *children[5:]),
            *(n.encoded for n in der.read(crl).children()[1:]),
        )
        read, serials = read_crl(whole)
        assert finding(read.profile) == PASS
        assert len(serials) == 100000
        assert [int.from_bytes(s, "big") for s in serials] == list(range(1, 100001))


def test_a_second_crl_is_appended() -> None:
    """The table is shared: what the first one wrote stays."""
    from tdx_core import lib

    first, second = CA.root_crl([9, 4]).der, CA.pck_crl([3, 2, 1]).der
    serials, num = ffi.new("att_serial[]", 100), ffi.new("uint64_t *")
    crls = ffi.new("att_intel_crl[]", 2)
    for i, data in enumerate((first, second)):
        lib.att_intel_crl_read(ffi.from_buffer(data), len(data), crls + i, serials, 100, num)
    assert [(c.first_revoked, c.num_revoked) for c in (crls[0], crls[1])] == [(0, 2), (2, 3)]
    assert [serials[i].bytes[0] for i in range(num[0])] == [4, 9, 1, 2, 3]
    broken = CA.pck_crl([8, 7]).replace(version=2).der
    lib.att_intel_crl_read(ffi.from_buffer(broken), len(broken), crls, serials, 100, num)
    assert (crls[0].num_revoked, num[0]) == (0, 5)
