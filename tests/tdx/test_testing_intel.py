# SPDX-License-Identifier: Apache-2.0
"""tdxverify.testing, certificates and CRLs: what it calls genuine is Intel's byte for byte, and each knob changes what it
says and nothing else.

`cryptography` and asn1crypto judge here, so that the test authority is not measured against the verifier it is to test.
"""

from __future__ import annotations

import ast
import base64
import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import attestcore.testing
import tdxverify.testing
from tdxverify.testing import (
    AT,
    OIDS,
    PART_OIDS,
    Certificate,
    Extension,
    IntelCa,
    PckCertificate,
    Revoked,
    SgxExtension,
    der,
    ec_key,
    ec_spki,
    intel_name,
)
from tdxverify.testing.x509 import authority_key_identifier, basic_constraints, distribution_points, key_usage

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT.parent / "shared" / "evidence" / "tdx"
needs_evidence = pytest.mark.skipif(not EVIDENCE.is_dir(), reason="no real evidence at ../shared/evidence/tdx")


@pytest.fixture(scope="module")
def ca() -> IntelCa:
    return IntelCa()


# ---- real certificates and CRLs --------------------------------------------------------------------------------------


def pem_blocks(data: bytes) -> list[bytes]:
    found = re.findall(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", data, re.DOTALL)
    return [base64.b64decode(block) for block in found]


@lru_cache(maxsize=1)
def real_certificates() -> tuple[bytes, ...]:
    """Every certificate in the quotes and chains that we have."""
    found: dict[bytes, None] = {}
    for path in sorted(EVIDENCE.glob("*.quote")):
        found |= dict.fromkeys(pem_blocks(path.read_bytes()))
    for path in sorted(EVIDENCE.glob("*.eval*.json")):
        found |= dict.fromkeys(b for v in json.loads(path.read_text()).values() for b in pem_blocks(v.encode()))
    return tuple(found)


@lru_cache(maxsize=1)
def real_crls() -> tuple[bytes, ...]:
    bundles = [json.loads(path.read_text()) for path in sorted(EVIDENCE.glob("*.eval*.json"))]
    return tuple(dict.fromkeys(bytes.fromhex(b[name]) for b in bundles for name in ("root_ca_crl", "pck_crl")))


def real_time(node: der.Node) -> datetime:
    assert node.tag == der.UTC_TIME
    return datetime.strptime(node.content.decode(), "%y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def extension_values(tbs: der.Node) -> dict[str, bytes]:
    words = {der.oid_content(oid): word for word, oid in OIDS.items()}
    return {words[e.at(0).content]: e.children()[-1].content for e in tbs.at(7, 0).children()}


def rebuilt(real: bytes) -> Certificate:
    """The certificate that our authority issues for the values in a real one, with Intel's key, serial number, key
    identifiers and signature."""
    ca = IntelCa()
    tbs = der.read(real).at(0)
    subject, issuer = (tbs.at(i, 0, 0, 1).content.decode() for i in (5, 3))
    values = extension_values(tbs)
    given: dict[str, Any] = {
        "serial": tbs.at(1).content,
        "spki": tbs.at(6).encoded,
        "signature": der.read(real).at(2).content[1:],
        "subjectKeyIdentifier": values["subjectKeyIdentifier"],
        "authorityKeyIdentifier": values["authorityKeyIdentifier"],
    }
    if subject != "Intel SGX PCK Certificate":
        role = {
            "Intel SGX Root CA": ca.root,
            "Intel SGX PCK Platform CA": ca.platform,
            "Intel SGX PCK Processor CA": ca.processor,
            "Intel SGX TCB Signing": ca.tcb_signing,
        }[subject]
        if subject == "Intel SGX TCB Signing":  # there are two of them
            given |= {"not_before": real_time(tbs.at(4, 0)), "not_after": real_time(tbs.at(4, 1))}
        return role.replace(**given)
    sgx = SgxExtension.parse(values["sgxExtensions"])
    assert sgx.encode() == values["sgxExtensions"]
    api: Any = "v3" if b"/v3/" in values["cRLDistributionPoints"] else "v4"
    which: Any = "platform" if "Platform" in issuer else "processor"
    return ca.pck(which, sgx=sgx, api=api, not_before=real_time(tbs.at(4, 0)), **given)


@needs_evidence
def test_real_certificates_are_rebuilt_byte_for_byte() -> None:
    """Given Intel's key, serial number and signature, everything else (order, string types, encodings, dates, addresses,
    every part of the SGX extension) comes out as Intel has it."""
    assert len(real_certificates()) >= 25
    for real in real_certificates():
        assert rebuilt(real).der == real


@needs_evidence
def test_real_crls_are_rebuilt_byte_for_byte() -> None:
    ca = IntelCa()
    entries = set()
    assert len(real_crls()) >= 10
    for real in real_crls():
        tbs = der.read(real).at(0)
        issuer = tbs.at(2, 0, 0, 1).content.decode()
        listed = tbs.at(5).children() if tbs.at(5).tag == der.SEQUENCE else ()
        entries.add(len(listed))
        options: dict[str, Any] = {
            "revoked": [entry.at(0).content for entry in listed],
            "this_update": real_time(tbs.at(3)),
            "next_update": real_time(tbs.at(4)),
            "authorityKeyIdentifier": tbs.children()[-1].at(0, 1, 1).content,
            "signature": der.read(real).at(2).content[1:],
        }
        which: Any = "processor" if "Processor" in issuer else "platform"
        crl = ca.root_crl(**options) if "Root" in issuer else ca.pck_crl(ca=which, **options)
        assert crl.der == real
    assert {0, 44, 57} <= entries


# ---- what cryptography says ------------------------------------------------------------------------------------------


def signed_by(data: bytes, issuer: Certificate) -> bool:
    """Whether the third element is an ECDSA signature of the first, to `cryptography`."""
    key = x509.load_der_x509_certificate(issuer.der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    whole = der.read(data)
    try:
        key.verify(whole.at(2).content[1:], whole.at(0).encoded, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def test_the_chains_are_valid(ca: IntelCa) -> None:
    pairs = [(ca.root, ca.root), (ca.platform, ca.root), (ca.processor, ca.root), (ca.tcb_signing, ca.root)]
    pairs += [(ca.pck(), ca.platform), (ca.pck("processor"), ca.processor)]
    for certificate, issuer in pairs:
        parsed, above = (x509.load_der_x509_certificate(c.der) for c in (certificate, issuer))
        parsed.verify_directly_issued_by(above)
        assert parsed.not_valid_before_utc <= AT <= parsed.not_valid_after_utc
        aki = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        assert aki == above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.key_identifier
        constraints = parsed.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage)
        signs = certificate in (ca.root, ca.platform, ca.processor)
        assert constraints.critical
        assert usage.critical
        assert constraints.value.ca == usage.value.key_cert_sign == usage.value.crl_sign == signs
        assert usage.value.digital_signature == usage.value.content_commitment == (not signs)
        assert signed_by(certificate.der, issuer)
    lengths = [x509.load_der_x509_certificate(c.der).extensions for c in (ca.root, ca.platform, ca.processor)]
    assert [e.get_extension_for_class(x509.BasicConstraints).value.path_length for e in lengths] == [1, 0, 0]


def test_names_are_intels(ca: IntelCa) -> None:
    names = [c.spec.subject.cn for c in (ca.root, ca.platform, ca.processor, ca.tcb_signing, ca.pck())]
    assert names == [
        "Intel SGX Root CA",
        "Intel SGX PCK Platform CA",
        "Intel SGX PCK Processor CA",
        "Intel SGX TCB Signing",
        "Intel SGX PCK Certificate",
    ]
    rfc4514 = x509.load_der_x509_certificate(ca.root_der).subject.rfc4514_string()
    assert rfc4514 == "C=US,ST=CA,L=Santa Clara,O=Intel Corporation,CN=Intel SGX Root CA"


def test_crls_are_valid(ca: IntelCa) -> None:
    pck = ca.pck()
    for crl, issuer, revoked in (
        (ca.root_crl(), ca.root, []),
        (ca.root_crl([ca.platform, ca.tcb_signing]), ca.root, [ca.platform.spec.serial, ca.tcb_signing.spec.serial]),
        (ca.pck_crl([pck, 7]), ca.platform, [pck.spec.serial, 7]),
        (ca.pck_crl(ca="processor"), ca.processor, []),
    ):
        parsed = x509.load_der_x509_crl(crl.der)
        above = x509.load_der_x509_certificate(issuer.der)
        assert parsed.is_signature_valid(above.public_key())  # type: ignore[arg-type]
        assert parsed.issuer == above.subject
        assert parsed.last_update_utc <= AT
        assert parsed.next_update_utc is not None
        assert parsed.next_update_utc >= AT
        assert parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 1
        aki = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        assert aki == above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.key_identifier
        assert [entry.serial_number for entry in parsed] == revoked
        for entry in parsed:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
            assert reason == x509.ReasonFlags.key_compromise
            assert entry.revocation_date_utc == parsed.last_update_utc


def test_crl_variants(ca: IntelCa) -> None:
    def read(crl: Any) -> x509.CertificateRevocationList:
        return x509.load_der_x509_crl(crl.der)

    above = x509.load_der_x509_certificate(ca.platform.der).public_key()
    assert not read(ca.pck_crl(signer=ec_key("x"))).is_signature_valid(above)  # type: ignore[arg-type]
    assert read(ca.pck_crl(number=9)).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 9
    assert len(read(ca.pck_crl(cRLNumber=None)).extensions) == 1
    assert len(read(ca.pck_crl(authorityKeyIdentifier=None)).extensions) == 1
    assert read(ca.pck_crl(next_update=None)).next_update_utc is None
    assert not next(iter(read(ca.pck_crl([3], reason=None)))).extensions
    whole = Revoked(5, datetime(2024, 1, 1, tzinfo=timezone.utc))
    assert next(iter(read(ca.pck_crl([whole])))).revocation_date_utc.year == 2024
    assert read(ca.pck_crl(issuer_cert=ca.processor)).issuer == read(ca.pck_crl(ca="processor")).issuer
    assert ca.pck_crl(issuer_cert=ca.processor).der == ca.pck_crl(ca="processor").der


# ---- the SGX extension, as asn1crypto reads it -----------------------------------------------------------------------


class Entry(core.Sequence):  # type: ignore[misc]
    _fields = [("oid", core.ObjectIdentifier), ("value", core.Any)]  # noqa: RUF012


class Entries(core.SequenceOf):  # type: ignore[misc]
    _child_spec = Entry


def as_asn1crypto_reads(encoded: bytes) -> dict[str, Any]:
    """The entries of an extension, under the names of the parts."""
    names = {oid: name for name, oid in PART_OIDS.items()}
    out: dict[str, Any] = {}
    for entry in Entries.load(encoded, strict=True):
        name = names[entry["oid"].native]
        assert name not in out
        value = entry["value"].parsed
        if name in ("tcb", "configuration"):
            out[name] = as_asn1crypto_reads(value.dump())
        else:
            out[name] = int(value) if isinstance(value, core.Enumerated) else value.native
    return out


def test_asn1crypto_reads_the_sgx_extension(ca: IntelCa) -> None:
    sgx = SgxExtension(components=(0, 1, 127, 128, 255, *range(5, 16)), pce_svn=0x8001, fmspc=b"FMSPC!", sgx_type=2)
    pck = ca.pck(sgx=sgx)
    parsed = x509.load_der_x509_certificate(pck.der)
    oid = x509.ObjectIdentifier("1.2.840.113741.1.13.1")
    extension = parsed.extensions.get_extension_for_oid(oid)
    assert not extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    read = as_asn1crypto_reads(extension.value.value)
    components = {f"comp{i:02}": svn for i, svn in enumerate(sgx.components, 1)}
    assert read == {
        "ppid": sgx.ppid,
        "tcb": {**components, "pceSvn": 0x8001, "cpuSvn": bytes(sgx.components)},
        "pceId": b"\0\0",
        "fmspc": b"FMSPC!",
        "sgxType": 2,
        "platformInstanceId": sgx.platform_instance_id,
        "configuration": {"dynamicPlatform": True, "cachedKeys": False, "smtEnabled": True},
    }
    assert list(read) == ["ppid", "tcb", "pceId", "fmspc", "sgxType", "platformInstanceId", "configuration"]
    assert len(SgxExtension().encode()) == 554  # as the real ones
    assert der.integer(255) == bytes.fromhex("020200ff")
    processor = as_asn1crypto_reads(SgxExtension.processor().encode())
    assert list(processor) == ["ppid", "tcb", "pceId", "fmspc", "sgxType"]
    assert len(processor["tcb"]) == 18
    assert SgxExtension.parse(sgx.encode()).encode() == sgx.encode()


PARTS = tuple(PART_OIDS)


def lines(encoded: bytes) -> list[tuple[str, bytes]]:
    """(OID, value) of every entry, containers left out, in their order."""
    out = []
    for entry in Entries.load(encoded):
        nested = entry["oid"].native in (PART_OIDS["tcb"], PART_OIDS["configuration"])
        if nested and entry["value"].dump()[:1] == b"\x30":
            out += lines(entry["value"].dump())
        else:
            out.append((entry["oid"].native, entry["value"].dump()))
    return out


@pytest.mark.parametrize("part", [p for p in PARTS if p not in ("tcb", "configuration")])
def test_each_part_can_be_wrong_alone(part: str) -> None:
    sgx = SgxExtension()
    base, oid = lines(sgx.encode()), PART_OIDS[part]
    at = next(i for i, line in enumerate(base) if line[0] == oid)
    assert lines(sgx.without(part).encode()) == base[:at] + base[at + 1 :]
    null = (oid, der.null())
    assert lines(sgx.with_value(part, der.null()).encode()) == [*base[:at], null, *base[at + 1 :]]
    assert lines(sgx.with_duplicate(part).encode()) == [*base[: at + 1], *base[at:]]
    assert lines(sgx.with_duplicate(part, der.null()).encode()) == [*base[: at + 1], null, *base[at + 1 :]]
    assert lines(sgx.with_duplicate(part, der.null(), first=True).encode()) == [*base[:at], null, *base[at:]]
    other = ("1.2.3", base[at][1])
    assert lines(sgx.with_oid(part, "1.2.3").encode()) == [*base[:at], other, *base[at + 1 :]]
    assert sorted(lines(sgx.with_order(part).encode())) == sorted(base)


def test_other_ways_to_be_wrong() -> None:
    sgx = SgxExtension()
    base = lines(sgx.encode())
    extra = ("1.2.3", der.null())
    assert lines(sgx.with_extra(*extra).encode()) == [*base, extra]
    assert lines(sgx.with_extra(*extra, first=True).encode()) == [extra, *base]
    inside = lines(sgx.with_extra(*extra, inside="tcb").encode())
    assert inside == [*base[:19], extra, *base[19:]]
    assert base[18][0] == PART_OIDS["cpuSvn"]
    assert lines(sgx.without("tcb").encode()) == [base[0], *base[19:]]
    assert lines(sgx.without("configuration").encode()) == base[:-3]
    assert lines(sgx.replace(smt_enabled=None).encode()) == base[:-1]
    assert sgx.with_entry("fmspc", b"\x05\0").encode().count(b"\x05\0") == 1
    assert [o for o, _ in lines(sgx.with_order("fmspc", "ppid").encode())][:2] == [
        PART_OIDS["fmspc"],
        PART_OIDS["ppid"],
    ]
    assert sgx.replace(outer_trailing=b"x").encode() == sgx.encode() + b"x"
    assert len(sgx.replace(inner_trailing=b"\x05\0").encode()) == len(sgx.encode()) + 2
    assert sgx.replace(raw=b"raw").encode() == b"raw"
    assert dict(lines(sgx.replace(fmspc=bytes(5)).encode()))[PART_OIDS["fmspc"]] == der.octet_string(bytes(5))
    assert dict(lines(sgx.replace(components=(256, *range(15))).encode()))[PART_OIDS["comp01"]] == der.integer(256)
    assert len(lines(sgx.replace(components=(1,) * 15).encode())) == len(base) - 1
    with pytest.raises(ValueError, match="sixteen"):
        sgx.replace(components=(1,) * 17).encode()
    with pytest.raises(ValueError, match="no part 'svn'"):
        sgx.without("svn")
    with pytest.raises(KeyError, match="fmspc is not there"):
        sgx.without("fmspc").without("fmspc").encode()
    with pytest.raises(KeyError, match="not in one SEQUENCE"):
        sgx.with_order("fmspc", "comp01").encode()


# ---- knobs -----------------------------------------------------------------------------------------------------------

VERSION, SERIAL, INNER, ISSUER, VALIDITY, SUBJECT, SPKI, EXTENSIONS, OUTER = range(9)


def parts(encoded: bytes) -> list[bytes]:
    whole = der.read(encoded)
    return [child.encoded for child in whole.at(0).children()] + [whole.at(1).encoded]


def changed(before: bytes, after: bytes) -> list[int]:
    return [i for i, (x, y) in enumerate(zip(parts(before), parts(after), strict=True)) if x != y]


def extension_changes(before: bytes, after: bytes) -> set[bytes]:
    """The OIDs of the extensions that one has and the other has not."""
    a, b = ([e.encoded for e in der.read(x).at(0, 7, 0).children()] for x in (before, after))
    return {der.read(e).at(0).content for e in set(a) ^ set(b)}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"serial": 1}, SERIAL),
        ({"subject": intel_name("Intel SGX PCK")}, SUBJECT),
        ({"issuer": intel_name("Intel SGX PCK Processor CA")}, ISSUER),
        ({"not_after": AT - timedelta(days=1)}, VALIDITY),
        ({"not_before": AT + timedelta(days=1)}, VALIDITY),
        ({"spki": ec_spki(ec_key("x").point("compressed"))}, SPKI),
        ({"key": ec_key("x"), "serial": 5, "subjectKeyIdentifier": der.octet_string(b"x")}, SPKI),
    ],
)
def test_one_field_of_a_certificate(ca: IntelCa, change: dict[str, Any], part: int) -> None:
    before = ca.pck(**({k: change[k] for k in ("serial", "subjectKeyIdentifier")} if "key" in change else {}))
    after = ca.pck(**change)
    assert changed(before.der, after.der) == [part]
    assert signed_by(after.der, ca.platform)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("keyUsage", key_usage(5)),
        ("basicConstraints", basic_constraints(True, 3)),
        ("cRLDistributionPoints", distribution_points("https://example.com/a", "https://example.com/b")),
        ("authorityKeyIdentifier", authority_key_identifier(b"x" * 20)),
        ("subjectKeyIdentifier", der.octet_string(b"y" * 20)),
        ("sgxExtensions", SgxExtension().without("fmspc").encode()),
        ("sgxExtensions", None),
        ("keyUsage", None),
        ("nameConstraints", Extension("nameConstraints", b"0\0", True)),
    ],
)
def test_one_extension_of_a_certificate(ca: IntelCa, word: str, value: Any) -> None:
    before, after = ca.pck(), ca.pck(**{word: value})
    assert changed(before.der, after.der) == [EXTENSIONS]
    assert extension_changes(before.der, after.der) == {der.oid_content(OIDS[word])}
    assert signed_by(after.der, ca.platform)


def test_order_duplicates_and_critical_flags(ca: IntelCa) -> None:
    pck = ca.pck()
    kinds = [e.kind for e in pck.spec.extensions or ()]
    assert kinds == [
        "authorityKeyIdentifier", "cRLDistributionPoints", "subjectKeyIdentifier", "keyUsage", "basicConstraints",
        "sgxExtensions",
    ]  # fmt: skip
    twice = pck.respec(pck.spec.with_duplicate("sgxExtensions"))
    assert len(der.read(twice.der).at(0, 7, 0).children()) == 7
    ordered = pck.respec(pck.spec.with_order("sgxExtensions"))
    assert sorted(e.encoded for e in der.read(ordered.der).at(0, 7, 0).children()) == sorted(
        e.encoded for e in der.read(pck.der).at(0, 7, 0).children()
    )
    assert ordered.der != pck.der
    critical = pck.respec(pck.spec.with_critical("sgxExtensions"))
    assert extension_changes(pck.der, critical.der) == {der.oid_content(OIDS["sgxExtensions"])}
    for certificate in (twice, ordered, critical):
        assert isinstance(certificate, PckCertificate)
        assert signed_by(certificate.der, ca.platform)


def test_signatures_can_be_wrong(ca: IntelCa) -> None:
    assert not signed_by(ca.pck(signer=ec_key("x")).der, ca.platform)
    assert signed_by(ca.pck(signer=ca.processor.key).der, ca.processor)
    assert changed(ca.pck().der, ca.pck(signer=ec_key("x")).der) == []
    by_other = ca.pck(issuer_cert=ca.processor)
    assert changed(ca.pck().der, by_other.der) == [ISSUER, EXTENSIONS]
    assert signed_by(by_other.der, ca.processor)
    impostor = IntelCa(impostor=True)
    assert changed(ca.root_der, impostor.root_der) == [SERIAL, SPKI, EXTENSIONS]
    assert signed_by(impostor.platform.der, impostor.root)
    assert not signed_by(impostor.platform.der, ca.root)


def test_other_ca_certificates(ca: IntelCa) -> None:
    other = ca.with_platform(basicConstraints=None)
    assert extension_changes(ca.platform.der, other.platform.der) == {der.oid_content(OIDS["basicConstraints"])}
    assert other.pck().der == ca.pck().der
    assert other.processor.der == ca.processor.der
    renamed = ca.with_platform(subject=intel_name("Other"), subjectKeyIdentifier=der.octet_string(b"other"))
    assert changed(ca.pck().der, renamed.pck().der) == [ISSUER, EXTENSIONS]
    assert renamed.pck().spec.extension("authorityKeyIdentifier").value == authority_key_identifier(b"other")
    assert ca.with_root(keyUsage=None).with_tcb_signing(serial=3).tcb_signing.spec.serial == 3
    assert ca.with_processor(serial=4).pck_chain(ca.pck("processor"))[1].spec.serial == 4
    assert "serial" in repr(ca.with_root(serial=1))
    assert repr(ca) == "IntelCa()"
    with pytest.raises(TypeError):
        ca.pck(serail=1)


def test_the_bytes_repeat() -> None:
    program = (
        "from tdxverify.testing import IntelCa; import hashlib; ca = IntelCa(); q = ca.quote(5);"
        "print(hashlib.sha256(q.bytes + ca.collateral(q).json().encode() + ca.root_der).hexdigest())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    ca = IntelCa()
    assert ca.pck() == IntelCa().pck()
    assert ca.pck(pce_svn=10).key != ca.pck().key
    assert ca.pck(sgx=SgxExtension().without("fmspc")).key == ca.pck().key


# ---- the package -----------------------------------------------------------------------------------------------------

MODULES = ("__init__", "ca", "collateral", "der", "documents", "keys", "pck", "quotes", "strategies", "x509")


def sources() -> Iterator[Path]:
    yield from (Path(tdxverify.testing.__file__).parent / f"{name}.py" for name in MODULES)
    yield from Path(attestcore.testing.__file__).parent.rglob("*.py")


@pytest.mark.parametrize("path", list(sources()), ids=lambda p: f"{p.parent.parent.name}-{p.stem}")
def test_the_verifier_is_not_imported(path: Path) -> None:
    allowed = {"cryptography", "hypothesis"} | set(sys.stdlib_module_names)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            module = node.module or ""
            assert module.split(".")[0] in allowed or f"{module}.".startswith("attestcore.testing.")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1  # stays inside its package


def test_importing_is_light() -> None:
    program = "import sys, tdxverify.testing as t; t.IntelCa; print([m for m in ('hypothesis', 'pytest') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_public_names() -> None:
    for name in tdxverify.testing.__all__:
        assert getattr(tdxverify.testing, name) is not None
    assert set(tdxverify.testing.__all__) <= set(dir(tdxverify.testing))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tdxverify.testing.nothing  # noqa: B018


def test_values_are_frozen(ca: IntelCa) -> None:
    values: tuple[Any, ...] = (SgxExtension(), ca.quote(), ca.pck(), ca.collateral(ca.quote()))
    for value in values:
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
            value.raw = b""


def test_the_page_runs() -> None:
    """Every snippet of the section on Intel in docs/testing.md, in one namespace."""
    page = (ROOT / "docs" / "testing.md").read_text().split("\n## Intel\n", 1)[1]
    snippets = [block.split("```", 1)[0] for block in page.split("```python\n")[1:]]
    assert len(snippets) == 6
    namespace: dict[str, Any] = {"__name__": "page"}
    for snippet in snippets:
        exec(compile(snippet, "<docs/testing.md>", "exec"), namespace)
