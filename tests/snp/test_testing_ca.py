# SPDX-License-Identifier: Apache-2.0
"""snpverify.testing: what it calls genuine is AMD's byte for byte, and each knob changes what it says and nothing else.

`cryptography` judges the signatures here, so that the test authority is not measured against the verifier it is to
test.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from hypothesis import given, settings
from hypothesis import strategies as st

import snpverify.testing
from snpverify.testing import (
    AT,
    LAYOUT,
    LINES,
    PRODUCTS,
    PSS,
    PSS_WITH_TRAILER,
    RESERVED,
    AmdCa,
    Attribute,
    Certificate,
    CertificateTable,
    Crl,
    EcKey,
    Endorsement,
    Extension,
    IdAuth,
    IdBlock,
    RawTime,
    ReportFields,
    Revoked,
    SignatureAlgorithm,
    TableEntry,
    Tcb,
    amd_name,
    der,
    ec_key,
    generate_rsa,
    id_key_digest,
    key_structure,
    keys,
    patch,
    pem,
    rsa_key,
    sign_report,
    strategies,
)
from snpverify.testing.idblock import ID_AUTH_LAYOUT
from snpverify.testing.products import product_of
from snpverify.testing.reports import SIGNATURE_RESERVED, signature_of
from snpverify.testing.x509 import authority_key_identifier, basic_constraints, distribution_points, key_usage

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT.parent / "shared" / "evidence" / "snp"
JUDGED = ("Milan", "Genoa", "Turin")
needs_evidence = pytest.mark.skipif(not EVIDENCE.is_dir(), reason="no real evidence at ../shared/evidence/snp")
CERTS = sorted((EVIDENCE / "certs").glob("*.der"))
CRLS = sorted((EVIDENCE / "crls").glob("*.crl"))
REPORTS = sorted((EVIDENCE / "reports").glob("*.bin"))


@pytest.fixture(scope="module", params=JUDGED)
def ca(request: pytest.FixtureRequest) -> AmdCa:
    return AmdCa(request.param)


@pytest.fixture(scope="module")
def milan() -> AmdCa:
    return AmdCa("Milan")


# ---- oracles ---------------------------------------------------------------------------------------------------------


def signed_by(encoded: bytes, key: Any, hash_name: str = "SHA384", mgf: str = "SHA384", salt: int = 48) -> bool:
    """Whether the third element is a PSS signature of the first, to `cryptography`."""
    whole = der.read(encoded)
    scheme = padding.PSS(padding.MGF1(getattr(hashes, mgf)()), salt)
    try:
        key.private_key().public_key().verify(
            whole.at(2).content[1:], whole.at(0).encoded, scheme, getattr(hashes, hash_name)()
        )
    except InvalidSignature:
        return False
    return True


def verifies(report: bytes, key: EcKey, hash_name: str = "SHA384", start: int = 0, end: int = 672) -> bool:
    """Whether R and S, as the layout has them, sign a range of the report, to `cryptography`."""
    r, s = signature_of(report)
    try:
        key.private_key().public_key().verify(
            utils.encode_dss_signature(r, s), report[start:end], ec.ECDSA(getattr(hashes, hash_name)())
        )
    except InvalidSignature:
        return False
    return True


def parts(encoded: bytes) -> list[bytes]:
    """The elements of a TBSCertificate, then the signature algorithm. The signature itself follows from them."""
    whole = der.read(encoded)
    return [child.encoded for child in whole.at(0).children()] + [whole.at(1).encoded]


VERSION, SERIAL, INNER, ISSUER, VALIDITY, SUBJECT, SPKI, EXTENSIONS, OUTER = range(9)


def changed(before: bytes, after: bytes) -> list[int]:
    a, b = parts(before), parts(after)
    assert len(a) == len(b)
    return [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]


def extensions_of(encoded: bytes) -> list[tuple[bytes, ...]]:
    """Per extension the encodings of its parts: OID, critical where it is, value."""
    last = der.read(encoded).at(0).children()[-1]
    return [tuple(c.encoded for c in extension.children()) for extension in last.at(0).children()]


# ---- real certificates, CRLs and reports -----------------------------------------------------------------------------


def real_time(node: der.Node) -> datetime:
    assert node.tag == der.UTC_TIME
    return datetime.strptime(node.content.decode(), "%y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def rebuilt(real: bytes) -> Certificate:
    """The certificate that our authority issues for the values in a real one, with AMD's key, key identifiers and
    signature."""
    tbs = der.read(real).at(0)
    subject, issuer = (tbs.at(i, 5, 0, 1).content.decode() for i in (5, 3))
    ca = AmdCa(issuer.rsplit("-", 1)[1])
    algorithm = PSS_WITH_TRAILER if tbs.at(2, 1).children()[3:] else PSS
    given: dict[str, Any] = {
        "not_before": real_time(tbs.at(4, 0)),
        "spki": tbs.at(6).encoded,
        "signature": der.read(real).at(2).content[1:],
        "algorithm": algorithm,
    }
    values = {e.at(0).content: e.children()[-1].content for e in tbs.at(7, 0).children()}
    if not subject.startswith(("SEV-VCEK", "SEV-VLEK")) or subject[-5:] in JUDGED:
        role = ca.ark if subject.startswith("ARK") else ca.asvk if "VLEK" in subject else ca.ask
        for word in ("subjectKeyIdentifier", "authorityKeyIdentifier"):
            if der.oid_content(snpverify.testing.OIDS[word]) in values:
                given[word] = values[der.oid_content(snpverify.testing.OIDS[word])]
        if tbs.at(1).content == b"\x02\x00\x01":  # the ASK of Genoa that AMD revoked
            given |= {"serial": 0x20001, "not_after": real_time(tbs.at(4, 1))}
        return role.replace(**given)

    def amd(arc: str) -> bytes:
        return values[der.oid_content(f"1.3.6.1.4.1.3704.1.{arc}")]

    def level(arc: str) -> int:
        return int.from_bytes(der.read(amd(arc)).content, "big")

    tcb = Tcb(
        fmc=level("3.9") if ca.product == "Turin" else 0,
        boot_loader=level("3.1"),
        tee=level("3.2"),
        snp=level("3.3"),
        microcode=level("3.8"),
    )
    if subject == "SEV-VLEK":
        return ca.vlek(csp_id=der.read(amd("5")).content.decode(), tcb=tcb, **given)
    return ca.vcek(chip_id=amd("4"), tcb=tcb, **given)


@needs_evidence
@pytest.mark.parametrize("path", CERTS, ids=lambda p: p.stem)
def test_a_real_certificate_is_rebuilt_byte_for_byte(path: Path) -> None:
    """Given AMD's key and signature, everything else (order, string types, encodings, dates, serials) comes out as
    AMD has it."""
    real = path.read_bytes()
    assert rebuilt(real).der == real


@needs_evidence
@pytest.mark.parametrize("path", CERTS, ids=lambda p: p.stem)
def test_a_real_certificate_under_our_keys_differs_in_keys_and_signature_alone(path: Path) -> None:
    real = path.read_bytes()
    copy = rebuilt(real)
    own = copy.replace(signature=None, spki=copy.key.spki)
    assert len(own.der) == len(real)
    assert changed(real, own.der) == [SPKI]
    assert signed_by(own.der, own.spec.signer)


@needs_evidence
@pytest.mark.parametrize("path", CRLS, ids=lambda p: p.stem)
def test_a_real_crl_is_rebuilt_byte_for_byte(path: Path) -> None:
    real = path.read_bytes()
    tbs = der.read(real).at(0)
    line = tbs.at(2, 5, 0, 1).content.decode()[4:]
    extensions = tbs.children()[-1].at(0)
    revoked = [Revoked(0x20001, real_time(tbs.at(5, 0, 1)))] if line == "Genoa" else []
    crl = AmdCa(line).crl(
        revoked,
        this_update=real_time(tbs.at(3)),
        next_update=real_time(tbs.at(4)),
        number=int.from_bytes(der.read(extensions.at(1, 1).content).content, "big"),
        authorityKeyIdentifier=extensions.at(0, 1).content,
        signature=der.read(real).at(2).content[1:],
    )
    assert crl.der == real


@needs_evidence
@pytest.mark.parametrize("path", REPORTS, ids=lambda p: p.stem)
def test_a_real_report_survives_parsing(path: Path) -> None:
    real = path.read_bytes()
    fields = ReportFields.parse(real)
    assert fields.build() == real
    assert fields.version == real[0]
    for at, size in (*RESERVED[fields.version], *SIGNATURE_RESERVED):
        assert real[at : at + size] == bytes(size)


@needs_evidence
def test_real_reports_are_read_by_their_product() -> None:
    manifest = json.loads((EVIDENCE / "manifest.json").read_text())
    told = 0
    for entry in manifest:
        fields = ReportFields.parse((EVIDENCE / entry["file"]).read_bytes())
        for signer in entry["signers"]:
            assert {"ARK-" + fields.of.line.name} >= {signer["root"]} or fields.version == 2
            tcb, parts = fields.tcb(), signer["tcb"]
            fmc = parts.get("1.3.9", 0)
            expected = Tcb(fmc, parts["1.3.1"], parts["1.3.2"], parts["1.3.3"], parts["1.3.8"])
            assert tcb == expected
            told += 1
    assert told >= 14


# ---- what a chain is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sizes"),
    [("Milan", (1639, 1677, 1683, 1351)), ("Genoa", (1639, 1677, 1683, 1347)), ("Turin", (1639, 1677, 1683, 1289))],
)
def test_certificates_have_amds_sizes(line: str, sizes: tuple[int, ...]) -> None:
    ca = AmdCa(line)
    assert tuple(len(c) for c in (ca.ark_der, ca.ask_der, ca.asvk_der, ca.vcek().der)) == sizes
    assert len(ca.vcek(algorithm=PSS_WITH_TRAILER).der) == sizes[3] + 10
    assert (
        len(ca.vlek(csp_id="CN=cc-us-east-2.amazonaws.com").der) == {"Milan": 1319, "Genoa": 1318, "Turin": 1318}[line]
    )
    assert (len(ca.crl().der), len(ca.crl([0x20001]).der)) == (866, 890)


def test_the_chain_verifies(ca: AmdCa) -> None:
    vcek, vlek = ca.vcek(), ca.vlek()
    assert signed_by(ca.ark_der, ca.ark.key)
    assert signed_by(ca.ask_der, ca.ark.key)
    assert signed_by(ca.asvk_der, ca.ark.key)
    assert signed_by(vcek.der, ca.ask.key)
    assert signed_by(vlek.der, ca.asvk.key)
    assert signed_by(ca.crl([1]).der, ca.ark.key)
    assert not signed_by(vcek.der, ca.asvk.key)
    assert not signed_by(vlek.der, ca.ask.key)
    for issuer, subject in ((ca.ark, ca.ask), (ca.ark, ca.asvk), (ca.ask, vcek), (ca.asvk, vlek)):
        assert parts(issuer.der)[SUBJECT] == parts(subject.der)[ISSUER]
    for certificate in (ca.ark, ca.ask, ca.asvk, vcek, vlek):
        assert certificate.spec.not_before <= AT <= certificate.spec.not_after  # type: ignore[operator]
    assert ca.roots == (ca.ark_der,)
    assert ca.certs == (ca.ask_der, ca.asvk_der)
    assert ca.chain_pem() == ca.ask_pem + ca.ark_pem
    assert ca.chain_pem("vlek") == ca.asvk_pem + ca.ark_pem
    assert repr(ca) == f"AmdCa({ca.product!r})"


def test_cryptography_reads_every_certificate(ca: AmdCa) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of serial number 0
        for certificate in (ca.ark, ca.ask, ca.asvk, ca.vcek(), ca.vlek()):
            certificate = certificate.replace(algorithm=PSS)  # older releases refuse trailerField
            parsed = x509.load_der_x509_certificate(certificate.der)
            assert x509.load_pem_x509_certificate(certificate.pem) == parsed
            assert parsed.public_key() == certificate.key.private_key().public_key()
            assert parsed.signature == certificate.signature
            assert hashlib.sha256(certificate.der).digest() == certificate.sha256
        crl = x509.load_der_x509_crl(ca.crl([5, 6]).der)
    assert sorted(entry.serial_number for entry in crl) == [5, 6]
    assert x509.load_pem_x509_crl(ca.crl([5, 6]).pem) == crl


def test_authorities_have_keys_of_their_own() -> None:
    authorities = [AmdCa(line) for line in LINES] + [AmdCa("Milan", impostor=True)]
    issued = [c for ca in authorities for c in (ca.ark, ca.ask, ca.asvk, ca.vcek(), ca.vlek())]
    # The impostor's leaves are for the same chips, hence have the same keys.
    assert len({c.spki_sha256 for c in issued}) == len(issued) - 2


def test_an_impostor_has_the_same_names_and_other_keys() -> None:
    genuine, impostor = AmdCa("Turin"), AmdCa("Turin", impostor=True)
    for role in ("ark", "ask", "asvk"):
        a, b = getattr(genuine, role).der, getattr(impostor, role).der
        assert changed(a, b) == [SPKI, EXTENSIONS]
    assert signed_by(impostor.vcek().der, impostor.ask.key)
    assert not signed_by(impostor.vcek().der, genuine.ask.key)


def test_ca_certificates_are_the_same_everywhere() -> None:
    """Their salt is derived, so the trust anchor of a test can be pinned. Change it knowingly."""
    digests = {line: AmdCa(line).ark.sha256.hex()[:16] for line in JUDGED}
    assert digests == {"Milan": "1cb1e1285c517dbc", "Genoa": "dec6495ed8bb76b5", "Turin": "2ccc357e58b3ebb8"}


def test_equal_arguments_give_the_same_certificate(milan: AmdCa) -> None:
    assert milan.vcek().der is AmdCa("Milan").vcek().der
    assert milan.vcek(serial=1).der is milan.vcek().replace(serial=1).der
    assert milan.vcek().key == milan.vcek(not_before=AT).key  # KDS issues anew for the same key
    assert milan.vcek().key != milan.vcek(tcb=Tcb(boot_loader=5)).key
    assert milan.vcek().key != milan.vcek(chip_id=bytes(64)).key


# ---- the knobs of a certificate --------------------------------------------------------------------------------------

OTHER_NAME = amd_name("Someone")
SHA256_PSS = SignatureAlgorithm(hash="sha256", salt_length=32)

KNOBS: list[tuple[str, dict[str, Any], dict[int, bytes]]] = [
    ("version 1", {"version": 0}, {VERSION: der.context(0, der.integer(0))}),
    ("version raw", {"version": b"\0\x02"}, {VERSION: bytes.fromhex("a00402020002")}),
    ("serial", {"serial": 1}, {SERIAL: b"\x02\x01\x01"}),
    ("serial 128", {"serial": 128}, {SERIAL: b"\x02\x02\x00\x80"}),
    ("serial negative", {"serial": -129}, {SERIAL: b"\x02\x02\xff\x7f"}),
    ("serial raw", {"serial": b""}, {SERIAL: b"\x02\x00"}),
    ("inner algorithm", {"inner_algorithm": PSS_WITH_TRAILER}, {INNER: PSS_WITH_TRAILER.encode()}),
    ("outer algorithm", {"outer_algorithm": PSS_WITH_TRAILER}, {OUTER: PSS_WITH_TRAILER.encode()}),
    ("algorithm", {"algorithm": SHA256_PSS}, {INNER: SHA256_PSS.encode(), OUTER: SHA256_PSS.encode()}),
    ("issuer", {"issuer": OTHER_NAME}, {ISSUER: OTHER_NAME.encode()}),
    ("subject", {"subject": OTHER_NAME}, {SUBJECT: OTHER_NAME.encode()}),
    (
        "not after",
        {"not_after": datetime(2050, 1, 1, tzinfo=timezone.utc)},
        {VALIDITY: der.sequence(b"\x17\x0d250128162655Z", b"\x18\x0f20500101000000Z")},
    ),
    (
        "not before raw",
        {"not_before": RawTime(der.UTC_TIME, "2501281626Z")},
        {VALIDITY: der.sequence(b"\x17\x0b2501281626Z", b"\x17\x0d320128162655Z")},
    ),
    ("key", {"spki": b"\x30\x00"}, {SPKI: b"\x30\x00"}),
    ("extensions empty", {"extensions": ()}, {EXTENSIONS: bytes.fromhex("a3023000")}),
]


@pytest.mark.parametrize(("changes", "expected"), [knob[1:] for knob in KNOBS], ids=[knob[0] for knob in KNOBS])
def test_a_knob_changes_one_element(milan: AmdCa, changes: dict[str, Any], expected: dict[int, bytes]) -> None:
    before, after = milan.vcek().der, milan.vcek().replace(**changes).der
    assert changed(before, after) == sorted(expected)
    assert {i: parts(after)[i] for i in expected} == expected
    sha256 = "algorithm" in changes
    assert signed_by(after, milan.ask.key, *(("SHA256", "SHA256", 32) if sha256 else ()))


def test_a_misspelt_knob_is_an_error(milan: AmdCa) -> None:
    with pytest.raises(TypeError, match="serail"):
        milan.vcek(serail=1)
    with pytest.raises(TypeError, match="blspl"):
        milan.crl(blspl=b"")
    with pytest.raises(ValueError, match="Naples"):
        AmdCa("Naples")


def test_elements_are_left_out_and_added(milan: AmdCa) -> None:
    whole = parts(milan.vcek().der)
    assert parts(milan.vcek(version=None).der) == whole[1:]
    assert parts(milan.vcek(extensions=None).der) == whole[:EXTENSIONS] + whole[OUTER:]
    unique = milan.vcek(issuer_unique_id=b"\0\x11", subject_unique_id=b"\0\x22").der
    assert parts(unique) == [*whole[:EXTENSIONS], b"\x81\x02\0\x11", b"\x82\x02\0\x22", *whole[EXTENSIONS:]]
    assert parts(milan.vcek(tbs_trailing=b"\x05\0").der) == [*whole[:OUTER], b"\x05\0", whole[OUTER]]


def test_signature_and_framing_knobs(milan: AmdCa) -> None:
    vcek = milan.vcek()
    tbs = vcek.spec.tbs_der()
    assert der.read(vcek.replace(signature=b"").der).at(2).encoded == b"\x03\x01\x00"
    assert der.read(vcek.replace(signature_unused_bits=7).der).at(2).content == b"\x07" + vcek.signature
    assert vcek.replace(trailing=b"tail").der == vcek.der + b"tail"
    assert vcek.replace(trailing=b"tail").signature == vcek.signature
    assert [c.encoded for c in der.read(vcek.replace(inner_trailing=b"\x05\0").der).children()][3:] == [b"\x05\0"]
    assert vcek.replace(length_form="long").der == b"\x30\x83\x00" + vcek.der[2:]
    assert vcek.replace(length_form="indefinite").der == b"\x30\x80" + vcek.der[4:] + b"\0\0"
    assert vcek.replace(patches={0: b"\x31"}).der == b"\x31" + vcek.der[1:]
    assert vcek.replace(patches={0: b"\x31"}).signature == vcek.signature
    patched = vcek.replace(tbs_patches={9: b"\x7f"})
    assert patched.spec.tbs_der() == tbs[:9] + b"\x7f" + tbs[10:]
    assert signed_by(patched.der, milan.ask.key)
    assert vcek.replace(tbs=b"\x30\x00").spec.tbs_der() == b"\x30\x00"
    assert signed_by(vcek.replace(tbs=b"\x30\x00").der, milan.ask.key)
    with pytest.raises(ValueError, match="do not lie inside"):
        vcek.replace(patches={len(vcek.der): b"\0"}).spec.encode()


def test_the_signer_is_free(milan: AmdCa) -> None:
    assert signed_by(milan.vcek(signer=milan.asvk.key).der, milan.asvk.key)
    assert changed(milan.vcek().der, milan.vcek(signer=milan.asvk.key).der) == []
    by_asvk = milan.vcek(issuer_cert=milan.asvk)
    assert changed(milan.vcek().der, by_asvk.der) == [ISSUER]
    assert signed_by(by_asvk.der, milan.asvk.key)
    other = AmdCa("Milan", ask_key=rsa_key("spare-2048"))
    assert signed_by(other.vcek().der, rsa_key("spare-2048"))
    assert signed_by(other.ask_der, milan.ark.key)


def test_changes_to_a_ca_reach_what_it_issues(milan: AmdCa) -> None:
    renamed = milan.with_ask(subject=amd_name("SEV-Rome"))
    assert changed(milan.ask_der, renamed.ask_der) == [SUBJECT]
    assert changed(milan.vcek().der, renamed.vcek().der) == [ISSUER]
    both = renamed.with_ark(serial=7).with_asvk(basicConstraints=None)
    assert changed(milan.ark_der, both.ark_der) == [SERIAL]
    assert changed(milan.ask_der, both.ask_der) == [SUBJECT]
    assert changed(milan.asvk_der, both.asvk_der) == [EXTENSIONS]
    assert "SEV-Rome" in repr(both)
    rekeyed = AmdCa("Milan", ark_key=rsa_key("spare-4096"))
    assert signed_by(rekeyed.ask_der, rsa_key("spare-4096"))
    assert extensions_of(rekeyed.ask_der)[1][1] == der.octet_string(
        authority_key_identifier(rsa_key("spare-4096").key_id)
    )


@pytest.mark.parametrize(
    ("algorithm", "judge"),
    [
        (SignatureAlgorithm(hash="sha512"), ("SHA512", "SHA512", 48)),
        (SignatureAlgorithm(mgf_hash="sha256"), ("SHA384", "SHA256", 48)),
        (SignatureAlgorithm(salt_length=0), ("SHA384", "SHA384", 0)),
        (SignatureAlgorithm(hash="sha1", salt_length=20), ("SHA1", "SHA1", 20)),
        (SignatureAlgorithm(trailer=2), ("SHA384", "SHA384", 48)),
        (SignatureAlgorithm(null_parameters=False), ("SHA384", "SHA384", 48)),
    ],
    ids=str,
)
def test_pss_parameters_say_what_was_signed(
    milan: AmdCa, algorithm: SignatureAlgorithm, judge: tuple[str, str, int]
) -> None:
    encoded = milan.vcek(algorithm=algorithm).der
    assert signed_by(encoded, milan.ask.key, *judge)
    assert signed_by(encoded, milan.ask.key) == (judge == ("SHA384", "SHA384", 48))
    assert parts(encoded)[INNER] == parts(encoded)[OUTER] == algorithm.encode() != PSS.encode()


def test_algorithm_and_signature_may_differ(milan: AmdCa) -> None:
    said = SignatureAlgorithm(salt_length=32)
    encoded = milan.vcek(algorithm=said, signing_algorithm=PSS).der
    assert parts(encoded)[OUTER] == said.encode()
    assert signed_by(encoded, milan.ask.key)
    assert milan.vcek(algorithm=SignatureAlgorithm(parameters=b"")).der.count(der.oid(keys.RSASSA_PSS)) == 2
    raw = der.sequence(der.oid("1.2.3"))
    assert parts(milan.vcek(outer_algorithm=SignatureAlgorithm(raw=raw)).der)[OUTER] == raw


def test_pkcs1_and_ecdsa_signatures(milan: AmdCa) -> None:
    encoded = milan.vcek(algorithm=SignatureAlgorithm("pkcs1")).der
    whole = der.read(encoded)
    public = milan.ask.key.private_key().public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(whole.at(2).content[1:], whole.at(0).encoded, padding.PKCS1v15(), hashes.SHA384())
    by_ec = AmdCa("Milan", ask_key=ec_key("ask")).vcek(algorithm=SignatureAlgorithm("ecdsa"))
    ec_key("ask").private_key().public_key().verify(by_ec.signature, by_ec.spec.tbs_der(), ec.ECDSA(hashes.SHA384()))
    with pytest.raises(ValueError, match="EC key cannot sign with pss"):
        AmdCa("Milan", ask_key=ec_key("ask")).vcek().spec.encode()
    with pytest.raises(ValueError, match="RSA key cannot sign with ecdsa"):
        milan.vcek(algorithm=SignatureAlgorithm("ecdsa")).spec.encode()


def test_names_are_free_in_every_part() -> None:
    name = amd_name("SEV-Milan")
    encoded = name.encode()

    def rdns(encoded: bytes) -> list[bytes]:
        return [child.encoded for child in der.read(encoded).children()]

    assert name.cn == "SEV-Milan"
    assert len(rdns(encoded)) == 6
    printable = name.set("CN", tag=der.PRINTABLE_STRING).encode()
    assert [a == b for a, b in zip(rdns(encoded), rdns(printable), strict=True)] == [True] * 5 + [False]
    assert printable.endswith(b"\x13\x09SEV-Milan")
    assert name.set("CN", b"SEV-Milan\0").encode().endswith(b"\x0c\x0aSEV-Milan\0")
    assert rdns(name.without("OU").encode()) == rdns(encoded)[1:]
    assert rdns(name.plus(Attribute("CN", "x")).encode())[:6] == rdns(encoded)
    assert rdns(name.plus(Attribute("2.5.4.5", "x"), first=True).encode())[1:] == rdns(encoded)
    assert len(rdns(dataclasses.replace(name, one_rdn=True).encode())) == 1
    assert dataclasses.replace(name, raw=b"\x30\x00").encode() == b"\x30\x00"
    assert Attribute("CN", "ä", der.BMP_STRING).encode().endswith(b"\x1e\x02\x00\xe4")


# ---- extensions ------------------------------------------------------------------------------------------------------

SPL = ["spl5", "spl6", "spl7"]
LEAF_WORDS = {
    "Milan": ["structVersion", "productName", "blSPL", "teeSPL", "spl4", *SPL, "snpSPL", "ucodeSPL", "hwID"],
    "Turin": ["structVersion", "productName", "fmcSPL", "blSPL", "teeSPL", "snpSPL", *SPL, "ucodeSPL", "hwID"],
}
LEAF_WORDS["Genoa"] = LEAF_WORDS["Milan"]


def words(certificate: Certificate | Crl) -> list[str | bytes]:
    return [e.kind for e in certificate.spec.extensions or ()]


def test_leaves_have_amds_extensions_in_amds_order(ca: AmdCa) -> None:
    expected = LEAF_WORDS[ca.product]
    assert words(ca.vcek()) == expected
    assert words(ca.vlek()) == [*expected[:-1], "csp_id"]
    oids = [der.oid(snpverify.testing.OIDS[word]) for word in expected]
    assert [e[0] for e in extensions_of(ca.vcek().der)] == oids


@pytest.mark.parametrize("word", LEAF_WORDS["Milan"])
def test_an_extension_is_taken_out_replaced_or_repeated_alone(milan: AmdCa, word: str) -> None:
    base = extensions_of(milan.vcek().der)
    at = LEAF_WORDS["Milan"].index(word)
    without = milan.vcek().replace(**{word: None}).der
    assert changed(milan.vcek().der, without) == [EXTENSIONS]
    assert extensions_of(without) == base[:at] + base[at + 1 :]
    replaced = extensions_of(milan.vcek().replace(**{word: b"\x05\x00"}).der)
    assert replaced == [*base[:at], (base[at][0], der.octet_string(b"\x05\x00")), *base[at + 1 :]]
    spec = milan.vcek().spec
    twice = extensions_of(spec.with_duplicate(word).encode())
    assert twice == [*base[: at + 1], *base[at:]]
    before = extensions_of(spec.with_duplicate(word, b"!", first=True).encode())
    assert before == [*base[:at], (base[at][0], der.octet_string(b"!")), *base[at:]]
    critical = extensions_of(spec.with_critical(word).encode())
    assert critical == [*base[:at], (base[at][0], b"\x01\x01\xff", base[at][1]), *base[at + 1 :]]
    default = extensions_of(spec.with_critical(word, False).encode())
    assert default[at] == (base[at][0], b"\x01\x01\x00", base[at][1])
    assert extensions_of(spec.with_critical(word, b"\x01").encode())[at][1] == b"\x01\x01\x01"
    assert extensions_of(spec.with_order(word).encode()) == [base[at], *base[:at], *base[at + 1 :]]
    assert milan.vcek().respec(spec.with_order(word)).key == milan.vcek().key


def test_extensions_are_added_at_the_end(milan: AmdCa) -> None:
    base = extensions_of(milan.vcek().der)
    both = milan.vcek(csp_id=b"\x16\x01x", fmcSPL=der.integer(0))
    assert extensions_of(both.der)[: len(base)] == base
    assert words(both)[-2:] == ["csp_id", "fmcSPL"]
    unknown = Extension("1.3.6.1.4.1.3704.1.99", b"", critical=True)
    spec = milan.vcek().spec.with_extension("1.3.6.1.4.1.3704.1.99", unknown)
    assert spec.encode().count(unknown.encode()) == 1
    raw = milan.vcek().spec.with_extension("x", Extension("x", b"", raw=b"\x30\x00"))
    assert raw.tbs_der().endswith(b"\x30\x00")
    with pytest.raises(KeyError, match="keyUsage"):
        milan.vcek(keyUsage=None)


def test_leaf_values_by_convenience(ca: AmdCa) -> None:
    chip = bytes(range(ca.line.chip_id_len))
    tcb = dataclasses.replace(ca.line.tcb, microcode=0x80, snp=0x7F)
    vcek = ca.vcek(chip_id=chip, tcb=tcb, product_name="Other", struct_version=9)
    values = {e.kind: e.value for e in vcek.spec.extensions or ()}
    assert values["ucodeSPL"] == b"\x02\x02\x00\x80"
    assert values["snpSPL"] == b"\x02\x01\x7f"
    assert values["productName"] == b"\x16\x05Other"
    assert values["structVersion"] == b"\x02\x01\x09"
    assert values["hwID"] == chip
    assert vcek.chip_id == chip.ljust(64, b"\0")
    assert (vcek.tcb, vcek.kind, vcek.csp_id) == (tcb, "VCEK", None)
    vlek = ca.vlek(csp_id="CN=x")
    assert vlek.spec.extension("csp_id").value == b"\x16\x04CN=x"
    assert (vlek.kind, vlek.csp_id, vlek.chip_id) == ("VLEK", "CN=x", bytes(64))


def test_values_of_ca_extensions() -> None:
    assert basic_constraints() == bytes.fromhex("30030101ff")
    assert basic_constraints(path_length=0) == bytes.fromhex("30060101ff020100")
    assert basic_constraints(None) == bytes.fromhex("3000")
    assert basic_constraints(False) == bytes.fromhex("3003010100")
    assert key_usage(5, 6) == bytes.fromhex("03020106")
    assert key_usage(5) == bytes.fromhex("03020204")  # DER; AMD writes 03020104
    assert key_usage(5, unused=1) == bytes.fromhex("03020104")
    assert key_usage() == bytes.fromhex("030100")
    point = bytes.fromhex("3007a005a003860175")
    assert distribution_points("u") == b"\x30\x09" + point
    assert distribution_points("u", "u") == b"\x30\x12" + point + point


# ---- CRLs ------------------------------------------------------------------------------------------------------------


def test_crl_knobs(milan: AmdCa) -> None:
    def elements(crl: Crl) -> list[bytes]:
        return [c.encoded for c in der.read(crl.der).at(0).children()]

    base = elements(milan.crl([1]))
    assert len(base) == 7
    assert elements(milan.crl()) == base[:5] + base[6:]
    assert elements(milan.crl([1], version=None)) == base[1:]
    assert elements(milan.crl([1], next_update=None)) == base[:4] + base[5:]
    assert elements(milan.crl(revoked=())) == [*base[:5], b"\x30\x00", base[6]]
    assert elements(milan.crl([1], extensions=None)) == base[:6]
    assert elements(milan.crl([1], number=200))[6].endswith(b"\x02\x02\x00\xc8")
    assert elements(milan.crl([1], cRLNumber=None))[6].count(der.oid("2.5.29.20")) == 0
    reason = Extension("reasonCode", der.tlv(0x0A, b"\x08"))
    entry = Revoked(b"\0\x01", RawTime(der.GENERALIZED_TIME, "20250101000000Z"), (reason,))
    assert elements(milan.crl([entry]))[5] == der.sequence(
        der.sequence(b"\x02\x02\0\x01", b"\x18\x0f20250101000000Z", der.sequence(reason.encode()))
    )
    indirect = milan.crl([1], issuingDistributionPoint=Extension("issuingDistributionPoint", b"\x30\x00", True))
    assert words(indirect) == ["authorityKeyIdentifier", "cRLNumber", "issuingDistributionPoint"]
    assert signed_by(milan.crl([1], signer=milan.ask.key).der, milan.ask.key)
    assert not signed_by(milan.crl([1], signer=milan.ask.key).der, milan.ark.key)
    assert milan.crl([1]).replace(trailing=b"!").der == milan.crl([1]).der + b"!"
    assert milan.crl([1]).replace(issuer=OTHER_NAME).der.count(OTHER_NAME.encode()) == 1


# ---- keys and signatures ---------------------------------------------------------------------------------------------


def test_the_shipped_keys() -> None:
    stored = {path.stem for path in Path(keys.__file__).parent.glob("*.pem")}
    assert stored == set(keys.RSA_KEYS)
    for path in Path(keys.__file__).parent.glob("*.pem"):
        assert path.read_text().startswith("Test key of snpverify.testing: public, worthless, never to be trusted.\n")
    moduli = {rsa_key(name).modulus for name in keys.RSA_KEYS}
    assert len(moduli) == len(keys.RSA_KEYS)
    for name in keys.RSA_KEYS:
        bits = int(name.split("-")[1]) if name.startswith("spare") else 4096
        assert rsa_key(name).modulus.bit_length() == bits
        assert rsa_key(name).exponent == (3 if name.endswith("-e3") else 65537)
        message = hashlib.sha384(b"x").digest()
        public = rsa_key(name).private_key().public_key()
        public.verify(rsa_key(name).sign_pkcs1(message), message, padding.PKCS1v15(), hashes.SHA384())
    with pytest.raises(ValueError, match="no RSA key 'x'"):
        rsa_key("x")


def test_generated_keys_last_for_the_process() -> None:
    key = generate_rsa(1024, 65537, "a")
    assert key == generate_rsa(1024, 65537, "a")
    assert key.modulus != generate_rsa(1024, 65537, "b").modulus
    assert rsa_key(key.name) == key


def test_ec_keys_come_from_words() -> None:
    assert ec_key("a") == ec_key("a") != ec_key("b")
    for curve in ("P-256", "P-384"):
        key = ec_key("a", curve)
        assert key.domain.on_curve(*key.public)
        assert not key.domain.on_curve(key.public[0], key.public[1] ^ 1)
        public = key.private_key().public_key()
        r, s = key.sign(b"message", hash_name="sha256")
        public.verify(utils.encode_dss_signature(r, s), b"message", ec.ECDSA(hashes.SHA256()))
        assert (r, s) == key.sign(b"message", hash_name="sha256")
        assert key.sign(b"message", nonce=1)[0] == key.domain.gx % key.domain.n
        long = hashlib.sha512(b"message").digest()  # more bits than the order
        public.verify(utils.encode_dss_signature(*key.sign_digest(long)), b"message", ec.ECDSA(hashes.SHA512()))


def test_points_and_parameters() -> None:
    key = ec_key("a")
    x, y = key.public
    wide = x.to_bytes(48, "big") + y.to_bytes(48, "big")
    assert key.point() == b"\x04" + wide
    assert key.point("compressed") == bytes([2 + y % 2]) + wide[:48]
    assert key.point("hybrid") == bytes([6 + y % 2]) + wide
    assert key.point("infinity") == b"\0"
    assert key.spki == key.private_key().public_key().public_bytes(*SPKI_FORMAT)
    assert keys.ec_spki(key.point(), unused_bits=1)[-98:-96] == b"\x01\x04"
    own = keys.explicit_parameters(generator=key.public)
    assert key.point() in own
    assert keys.P384.gx.to_bytes(48, "big") in keys.explicit_parameters()
    assert der.integer(keys.P384.p + 2) in keys.explicit_parameters(prime=keys.P384.p + 2)
    assert rsa_key("milan-ark").spki == rsa_key("milan-ark").private_key().public_key().public_bytes(*SPKI_FORMAT)
    assert keys.rsa_spki(15, 1, parameters=b"", unused_bits=3, trailing=b"!").endswith(
        bytes.fromhex("030a03300602010f020101") + b"!"
    )


def _spki_format() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return Encoding.DER, PublicFormat.SubjectPublicKeyInfo


SPKI_FORMAT = _spki_format()


@pytest.mark.parametrize("name", ["milan-ask", "spare-2048", "spare-4088", "spare-4104", "spare-4096-e3"])
def test_pss_by_hand(name: str) -> None:
    key = rsa_key(name)
    public = key.private_key().public_key()
    scheme = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
    by_hand = key.sign_pss(b"message", salt=bytes(48))
    assert by_hand == key.sign_pss(b"message", salt=bytes(48))
    public.verify(by_hand, b"message", scheme, hashes.SHA384())
    public.verify(key.sign_pss(b"message"), b"message", scheme, hashes.SHA384())
    wrong = key.sign_pss(b"message", trailer=0xCC)
    block = pow(int.from_bytes(wrong, "big"), key.exponent, key.modulus)
    assert block & 0xFF == 0xCC
    with pytest.raises(InvalidSignature):
        public.verify(wrong, b"message", scheme, hashes.SHA384())
    with pytest.raises(ValueError, match="salt is too long"):
        key.sign_pss(b"message", salt=bytes(600 + key.size))
    with pytest.raises(ValueError, match="not below the modulus"):
        key.raw(b"\xff" * key.size)


# ---- DER -------------------------------------------------------------------------------------------------------------


def test_der_writer() -> None:
    assert der.integer(0) == b"\x02\x01\x00"
    assert [der.integer(n)[2:].hex() for n in (127, 128, 255, 256, -1, -128, -129)] == [
        "7f", "0080", "00ff", "0100", "ff", "80", "ff7f",
    ]  # fmt: skip
    assert der.oid("1.2.840.113549.1.1.10").hex() == "06092a864886f70d01010a"
    assert der.oid("2.5.29.15").hex() == "0603551d0f"
    assert der.length(127) == b"\x7f"
    assert der.length(128) == b"\x81\x80"
    assert der.length(127, form="long") == b"\x81\x7f"
    assert der.length(256, form="long") == b"\x83\x00\x01\x00"
    assert der.tlv(0x30, form="indefinite") == b"\x30\x80\0\0"
    assert der.set_of(b"\x02\x01\x02", b"\x02\x01\x01") == b"\x31\x06\x02\x01\x01\x02\x01\x02"
    assert der.set_of(b"\x02\x01\x02", b"\x02\x01\x01", sort=False) == b"\x31\x06\x02\x01\x02\x02\x01\x01"
    assert der.time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=timezone.utc)) == b"\x17\x0d491231235959Z"
    assert der.time(datetime(1949, 1, 1, tzinfo=timezone.utc)) == b"\x18\x0f19490101000000Z"
    assert der.time(datetime(2025, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == b"\x17\x0d250101000000Z"
    with pytest.raises(ValueError, match="without a zone"):
        der.time(datetime(2025, 1, 1))


@pytest.mark.parametrize(
    "bad", ["", "30", "3080", "308000", "308105", "30817f", "3082007f", "3003", "30840100000000", "1f0100"]
)
def test_der_reader_refuses(bad: str) -> None:
    with pytest.raises(ValueError, match=r"DER|length|longer"):
        der.read(bytes.fromhex(bad))


def test_surgery(milan: AmdCa) -> None:
    encoded = milan.vcek().der
    assert der.substitute(encoded, (0, 1), der.integer(0)) == encoded
    grown = der.substitute(encoded, (0, 1), der.integer(1 << 80))
    assert changed(encoded, grown) == [SERIAL]
    assert len(grown) == len(encoded) + 10
    gone = der.substitute(encoded, (0, 7), b"")
    assert parts(gone) == parts(milan.vcek(extensions=None).der)
    assert der.read(encoded).at(0, 1).content == b"\0"
    assert {node.end for node in der.read(encoded).walk()} >= {len(encoded)}
    assert pem(b"\0" * 60).splitlines()[1:3] == [b"A" * 64, b"A" * 16]
    with pytest.raises(ValueError, match="do not lie inside"):
        patch(b"ab", {1: b"xx"})


# ---- reports ---------------------------------------------------------------------------------------------------------


def test_the_layout_covers_the_report() -> None:
    at = 0
    for offset, size in LAYOUT.values():
        assert offset == at
        at += size
    assert at == 1184


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("version", [2, 3, 4, 5, 6])
def test_reports_of_every_version_and_product(product: str, version: int) -> None:
    fields = ReportFields(product=product, version=version)
    data = fields.build()
    assert len(data) == 1184
    assert data[:4] == bytes([version, 0, 0, 0])
    for at, size in RESERVED[version]:
        assert data[at : at + size] == bytes(size)
    of = PRODUCTS[product]
    assert data[0x188:0x18B] == (bytes([of.family, of.model, of.stepping]) if version > 2 else bytes(3))
    assert Tcb.decode(data[0x180:0x188], of.line.layout) == of.line.tcb
    parsed = ReportFields.parse(data)
    assert parsed.build() == data
    if version > 2:
        assert parsed.of.line == of.line
    assert ReportFields.parse(data, product).product == product


FIELD_VALUES: list[tuple[str, Any]] = [
    *((name, b"\xaa" * LAYOUT[name][1]) for name in (
        "family_id", "image_id", "reserved_04c", "report_data", "measurement", "host_data", "id_key_digest",
        "author_key_digest", "report_id", "report_id_ma", "reserved_18b", "chip_id", "reserved_208", "current_etcb",
        "launch_etcb", "committed_etcb", "reserved_280", "signature", "current_tcb", "reported_tcb", "committed_tcb",
        "launch_tcb",
    )),
    *((name, (1 << 8 * LAYOUT[name][1]) - 2) for name in (
        "version", "guest_svn", "policy", "vmpl", "signature_algo", "platform_info", "key_info", "cpuid_fam_id",
        "cpuid_mod_id", "cpuid_step", "reserved_1eb", "reserved_1ef", "launch_mit_vector", "current_mit_vector",
    )),
    ("current_version", (7, 8, 9)),
    ("committed_version", (7, 8, 9)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FIELD_VALUES, ids=[name for name, _ in FIELD_VALUES])
def test_a_field_changes_its_own_bytes(name: str, value: Any) -> None:
    rest: dict[str, Any] = {
        "committed_tcb": bytes(8),
        "launch_tcb": bytes(8),
        "current_tcb": bytes(8),
        "committed_version": (0, 0, 0),
    }
    fixed: dict[str, Any] = {
        "cpuid_fam_id": 1,
        "cpuid_mod_id": 1,
        "cpuid_step": 1,
        "platform_info": 0,
        "launch_mit_vector": 0,
    }
    fields = ReportFields(**{**rest, **fixed, "current_mit_vector": 0})
    before, after = fields.build(), fields.replace(**{name: value}).build()
    at, size = LAYOUT[name]
    assert {i for i in range(1184) if before[i] != after[i]} <= set(range(at, at + size))
    assert after[at : at + size] != before[at : at + size]
    if isinstance(value, tuple):
        assert after[at : at + size] == bytes(reversed(value))
    else:
        assert after[at : at + size] == (value if isinstance(value, bytes) else value.to_bytes(size, "little"))


def test_every_field_is_tried() -> None:
    assert {name for name, _ in FIELD_VALUES} == set(LAYOUT)


def test_fields_are_checked() -> None:
    with pytest.raises(ValueError, match="measurement has 48 bytes, not 3"):
        ReportFields(measurement=b"abc").build()
    with pytest.raises(ValueError, match="a Milan TCB has no fmc"):
        ReportFields(reported_tcb=Tcb(fmc=1)).build()
    with pytest.raises(ValueError, match="no product 'Rome'"):
        ReportFields(product="Rome").build()
    with pytest.raises(OverflowError):
        ReportFields(guest_svn=1 << 32).build()
    with pytest.raises(ValueError, match="1184 bytes, not 3"):
        ReportFields.parse(b"abc")
    with pytest.raises(TypeError, match="mesurement"):
        ReportFields(mesurement=bytes(48))  # type: ignore[call-arg]


def test_key_info_by_parts() -> None:
    def word(**fields: int) -> int:
        return int.from_bytes(ReportFields(**fields).build()[0x48:0x4C], "little")  # type: ignore[arg-type]

    assert [word(author_key_en=1), word(mask_chip_key=1), word(signing_key=1), word(signing_key=7)] == [1, 2, 4, 28]
    assert word(signing_key=7, key_info=0x80000000) == 0x80000000


def test_cpuid_names_the_product() -> None:
    for product in PRODUCTS.values():
        found = product_of(product.family, product.model)
        assert found is not None
        assert found.line == product.line
    assert product_of(0x19, 0xAF) == PRODUCTS["Bergamo"]
    assert product_of(0x19, 0x20) is None
    assert product_of(0x17, 0x01) is None


def test_a_report_that_fits(ca: AmdCa) -> None:
    for endorsement in (ca.vcek(), ca.vlek()):
        fields = ReportFields.fitting(endorsement, version=5, guest_svn=9)
        report = fields.sign(endorsement)
        assert verifies(report, endorsement.signing_key)
        assert fields.tcb() == fields.tcb("current_tcb") == endorsement.tcb
        assert report[0x1A0:0x1E0] == endorsement.chip_id
        assert report[0x48] == (0 if endorsement.kind == "VCEK" else 4)
        assert report == fields.sign(endorsement) == fields.sign(endorsement.signing_key)


# ---- signatures of reports -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vcek(milan: AmdCa) -> Endorsement:
    return milan.vcek()


@pytest.fixture(scope="module")
def fields(vcek: Endorsement) -> ReportFields:
    return ReportFields.fitting(vcek, version=5)


def test_signature_options(vcek: Endorsement, fields: ReportFields) -> None:
    key, good = vcek.signing_key, fields.sign(vcek)
    n = key.domain.n
    r, s = signature_of(good)
    assert verifies(good, key)

    other = fields.sign(vcek, hash_name="sha256")
    assert verifies(other, key, "SHA256")
    assert not verifies(other, key)

    wide = fields.sign(vcek, end=0x2A1)
    assert verifies(wide, key, end=0x2A1) == (wide[0x2A0] == 0)
    short = fields.sign(vcek, start=4)
    assert verifies(short, key, start=4)
    assert not verifies(short, key)

    unhashed = fields.sign(vcek, hash_name=None)
    public = key.private_key().public_key()
    public.verify(
        utils.encode_dss_signature(*signature_of(unhashed)),
        fields.build()[:48],
        ec.ECDSA(utils.Prehashed(hashes.SHA384())),
    )
    assert not verifies(unhashed, key)
    assert fields.sign(vcek, digest=hashlib.sha384(good[:672]).digest()) == good

    assert signature_of(fields.sign(vcek, swap=True)) == (s, r)
    low, high = fields.sign(vcek, s_half="low"), fields.sign(vcek, s_half="high")
    assert verifies(low, key)
    assert verifies(high, key)
    assert {signature_of(low)[1], signature_of(high)[1]} == {s, n - s}
    assert signature_of(low)[1] < signature_of(high)[1]

    big = fields.sign(vcek, byteorder="big")
    assert big[0x2A0:0x2D0] == r.to_bytes(48, "big")
    assert big[0x2D0:0x2E8] == bytes(24)
    assert fields.sign(vcek, nonce=1)[0x2A0:0x2D0] == (key.domain.gx % n).to_bytes(48, "little")


def test_signature_values_and_paddings(vcek: Endorsement, fields: ReportFields) -> None:
    good = fields.sign(vcek)

    def differences(report: bytes) -> set[int]:
        return {i for i in range(1184) if report[i] != good[i]}

    zero = fields.sign(vcek, r=0, s=0)
    assert signature_of(zero) == (0, 0)
    assert differences(zero) <= {*range(0x2A0, 0x2D0), *range(0x2E8, 0x318)}
    r, s = signature_of(good)
    n = vcek.signing_key.domain.n
    wrapped = fields.sign(vcek, s=s + n)
    assert signature_of(wrapped) == (r, s + n)
    assert not verifies(wrapped, vcek.signing_key)
    assert signature_of(fields.sign(vcek, r=(1 << 576) - 1))[0] == (1 << 576) - 1
    assert differences(fields.sign(vcek, r_padding=b"\1" * 24)) == set(range(0x2D0, 0x2E8))
    assert differences(fields.sign(vcek, s_padding=b"\1" * 24)) == set(range(0x318, 0x330))
    assert differences(fields.sign(vcek, reserved=b"\1" * 368)) == set(range(0x330, 0x4A0))
    with pytest.raises(ValueError, match="24 bytes each"):
        fields.sign(vcek, r_padding=b"")


def test_patches_before_and_after(vcek: Endorsement, fields: ReportFields) -> None:
    good = fields.sign(vcek)
    before = fields.sign(vcek, patches={0x4C: b"\1"})
    assert before[0x4C] == 1
    assert verifies(before, vcek.signing_key)
    after = fields.sign(vcek, post_patches={0x90: b"\0\0", 0x4A0 - 1: b"\xff"})
    assert not verifies(after, vcek.signing_key)
    assert {i for i in range(1184) if after[i] != good[i]} <= {0x90, 0x91, 0x49F}
    assert sign_report(good, vcek) == good
    assert fields.build({0: b"\7"}) == b"\7" + fields.build()[1:]
    with pytest.raises(ValueError, match="1184 bytes, not 1185"):
        sign_report(good + b"\0", vcek)


def test_an_endorsement_may_have_any_key(milan: AmdCa) -> None:
    p256 = milan.vcek(key=ec_key("leaf", "P-256"))
    report = ReportFields.fitting(p256).sign(p256)
    assert verifies(report, ec_key("leaf", "P-256"))
    by_rsa = milan.vcek(key=rsa_key("spare-2048"))
    assert by_rsa.spec.spki == rsa_key("spare-2048").spki
    with pytest.raises(TypeError, match="not an EC key"):
        ReportFields.fitting(by_rsa).sign(by_rsa)


# ---- certificate tables ----------------------------------------------------------------------------------------------


def read_table(table: bytes) -> list[tuple[bytes, bytes]]:
    """The entries of a valid table."""
    out: list[tuple[bytes, bytes]] = []
    for at in range(0, len(table), 24):
        guid, offset, size = (
            table[at : at + 16],
            *(int.from_bytes(table[at + i : at + i + 4], "little") for i in (16, 20)),
        )
        if guid == bytes(16):
            return out
        assert offset + size <= len(table)
        out.append((guid, table[offset : offset + size]))
    raise AssertionError("no terminator")


def test_tables(milan: AmdCa) -> None:
    table = CertificateTable.of(vcek=b"leaf", ask=b"", ark=b"root", crl=milan.crl().der)
    built = table.build()
    assert len(built) == 4096
    assert [data for _, data in read_table(built)] == [b"leaf", b"", b"root", milan.crl().der]
    assert built[:16].hex() == "63da758de6644564adc5f4b93be8accd"
    bare = table.replace(page=0).build()
    assert len(bare) == 5 * 24 + 8 + len(milan.crl().der)
    assert table.replace(page=0, terminator=False).build() == table_without_terminator(bare, 4)
    assert read_table(table.replace(gap=b"!" * 24).build()) == read_table(built)
    assert table.replace(trailing=b"x").build() == built + b"x"
    wrong = table.with_entry(0, offset=0xFFFFFFFE, length=3).build()
    assert wrong[16:24] == bytes.fromhex("feffffff03000000")
    assert wrong[24:] == built[24:]
    overlapping = table.with_entry(1, data=None, offset=120, length=4)
    assert read_table(overlapping.build())[1][1] == b"leaf"
    twice = table.plus(TableEntry("vcek", b"second"), TableEntry(b"\1" * 16, b"?"), TableEntry(str_guid(), b"!"))
    assert [data for _, data in read_table(twice.build())][4:] == [b"second", b"?", b"!"]
    assert read_table(twice.build())[6][0] == bytes(range(16))


def str_guid() -> str:
    return "00010203-0405-0607-0809-0a0b0c0d0e0f"


def table_without_terminator(table: bytes, entries: int) -> bytes:
    head = bytearray(table[: 24 * entries])
    for at in range(16, len(head), 24):
        offset = int.from_bytes(head[at : at + 4], "little") - 24
        head[at : at + 4] = offset.to_bytes(4, "little")
    return bytes(head) + table[24 * (entries + 1) :]


# ---- ID blocks -------------------------------------------------------------------------------------------------------


def test_id_blocks() -> None:
    block = IdBlock(measurement=b"m" * 48, family_id=b"f" * 16, image_id=b"i" * 16, guest_svn=3, policy=0x30000)
    assert block.build() == b"m" * 48 + b"f" * 16 + b"i" * 16 + bytes.fromhex("0100000003000000") + bytes.fromhex(
        "0000030000000000"
    )
    owner, author = ec_key("owner"), ec_key("author")
    auth = IdAuth(block=block, id_key=owner, author_key=author)
    info = auth.build()
    assert len(info) == 4096

    def part(name: str, of: bytes = info) -> bytes:
        at, size = ID_AUTH_LAYOUT[name]
        return of[at : at + size]

    def rs(signature: bytes) -> bytes:
        pair = (int.from_bytes(signature[i : i + 72], "little") for i in (0, 72))
        return utils.encode_dss_signature(*pair)

    assert info[:8] == bytes.fromhex("0100000001000000")
    owner.private_key().public_key().verify(rs(part("id_block_sig")), block.build(), ec.ECDSA(hashes.SHA384()))
    author.private_key().public_key().verify(rs(part("id_key_sig")), part("id_key"), ec.ECDSA(hashes.SHA384()))
    assert part("id_key") == key_structure(owner)
    assert part("author_key") == key_structure(author)
    assert key_structure(owner)[:4] == b"\2\0\0\0"
    assert key_structure(owner)[4:52] == owner.public[0].to_bytes(48, "little")
    assert key_structure(owner)[0x4C:0x7C] == owner.public[1].to_bytes(48, "little")
    assert key_structure(owner)[0x94:] == bytes(0x404 - 0x94)
    for name in ("reserved_008", "reserved_644", "reserved_c84"):
        assert not any(part(name))
    assert id_key_digest(owner) == hashlib.sha384(key_structure(owner)).digest() == auth.id_key_digest
    report = ReportFields(**auth.report_fields())
    assert (report.measurement, report.guest_svn, report.author_key_en) == (b"m" * 48, 3, 1)
    assert (report.id_key_digest, report.author_key_digest) == (id_key_digest(owner), id_key_digest(author))

    alone = auth.replace(author_key=None)
    assert not any(part("author_key", alone.build()) + part("id_key_sig", alone.build()))
    assert alone.report_fields()["author_key_digest"] == bytes(48)
    assert alone.report_fields()["author_key_en"] == 0


def test_wrong_id_blocks() -> None:
    owner, author = ec_key("owner"), ec_key("author")
    auth = IdAuth(block=IdBlock(), id_key=owner, author_key=author)
    base = auth.build()

    def where(other: IdAuth) -> set[str]:
        built = other.build()
        return {name for name, (at, size) in ID_AUTH_LAYOUT.items() if built[at : at + size] != base[at : at + size]}

    assert where(auth.replace(id_key_algo=2)) == {"id_key_algo"}
    assert where(auth.replace(block=IdBlock(version=2))) == {"id_block_sig"}
    assert where(auth.replace(id_block_sig=bytes(512))) == {"id_block_sig"}
    assert where(auth.replace(id_key_sig=bytes(512))) == {"id_key_sig"}
    assert where(auth.replace(hash_name="sha256")) == {"id_block_sig", "id_key_sig"}
    assert where(auth.replace(id_key_bytes=key_structure((1, 2), curve=1))) == {"id_key", "id_key_sig"}
    assert where(auth.replace(author_key_bytes=key_structure(author, patches={0x94: b"\1"}))) == {"author_key"}
    assert auth.build({0x008: b"\1"}) == base[:8] + b"\1" + base[9:]
    with pytest.raises(ValueError, match="96 bytes, not 97"):
        IdBlock(measurement=bytes(49)).build()
    with pytest.raises(ValueError, match="id_block_sig has 512 bytes, not 0"):
        auth.replace(id_block_sig=b"").build()


# ---- strategies ------------------------------------------------------------------------------------------------------

quick = settings(max_examples=60, deadline=None, database=None)


@quick
@given(strategies.signed_reports())
def test_drawn_reports_are_signed_and_fit(case: strategies.SignedReport) -> None:
    assert verifies(case.data, case.endorsement.signing_key)
    assert case.data == case.fields.sign(case.endorsement)
    assert ReportFields.parse(case.data, case.fields.product).tcb() == case.endorsement.tcb
    issuer = case.ca.ask if case.endorsement.kind == "VCEK" else case.ca.asvk
    assert signed_by(case.endorsement.der, issuer.key)


@quick
@given(strategies.reports(accepted=True))
def test_drawn_reports_can_be_accepted(fields: ReportFields) -> None:
    data = fields.build()
    for at, size in RESERVED[fields.version]:
        assert data[at : at + size] == bytes(size)
    assert fields.policy & 0x20000
    assert not fields.policy & ~0x03F3FFFF
    assert fields.vmpl <= 3
    assert fields.version in strategies.JUDGED_VERSIONS
    assert fields.product in strategies.JUDGED_PRODUCTS


@quick
@given(strategies.reports())
def test_drawn_reports_keep_their_bytes(fields: ReportFields) -> None:
    assert ReportFields.parse(fields.build(), fields.product).build() == fields.build()


@quick
@given(strategies.certificates(genuine=True))
def test_drawn_certificates_are_readable(certificate: Certificate) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = x509.load_der_x509_certificate(certificate.replace(algorithm=PSS).der)
    assert parsed.public_key() == certificate.key.private_key().public_key()
    assert signed_by(certificate.der, certificate.spec.signer)


@pytest.mark.parametrize("name", strategies.CERTIFICATE_EDITS)
def test_every_edit_is_one(milan: AmdCa, name: str) -> None:
    """What an edit touches beyond its own element is the signature alone."""
    for certificate in (milan.ark, milan.ask, milan.vcek(), milan.vlek()):
        edited = strategies.CERTIFICATE_EDITS[name](certificate)
        assert edited.der != certificate.der
        differing = {
            field.name
            for field in dataclasses.fields(certificate.spec)
            if getattr(edited.spec, field.name) != getattr(certificate.spec, field.name)
        }
        assert len(differing - {"signing_algorithm"}) == 1


@quick
@given(strategies.certificates(edits=2))
def test_drawn_wrong_certificates_encode(certificate: Certificate) -> None:
    assert certificate.der[0] == 0x30


@quick
@given(strategies.crls())
def test_drawn_crls_are_readable(crl: Crl) -> None:
    parsed = x509.load_der_x509_crl(crl.der)
    assert [entry.serial_number for entry in parsed] == [entry.serial for entry in crl.spec.revoked or ()]
    assert signed_by(crl.der, crl.spec.signer)


@quick
@given(strategies.certificate_tables(valid=True))
def test_drawn_tables_are_readable(table: bytes) -> None:
    entries = read_table(table)
    assert len({guid for guid, _ in entries}) == len(entries)


@quick
@given(strategies.certificate_tables())
def test_drawn_wrong_tables_are_bytes(table: bytes) -> None:
    assert isinstance(table, bytes)


@quick
@given(st.data())
def test_mutations_never_give_the_original_back(data: st.DataObject) -> None:
    original = data.draw(
        st.one_of(
            st.binary(max_size=8),
            strategies.signed_reports().map(lambda case: case.data),
            strategies.certificates(genuine=True).map(lambda certificate: certificate.der),
        )
    )
    assert data.draw(strategies.mutations(original)) != original


# ---- the package -----------------------------------------------------------------------------------------------------


def test_importing_is_light() -> None:
    """hypothesis imports the package through its entry point in every test run of every user."""
    program = (
        "import sys, snpverify.testing as t; t.AmdCa; print([m for m in ('hypothesis', 'pytest') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def sources() -> Iterator[Path]:
    yield from Path(snpverify.testing.__file__).parent.rglob("*.py")


@pytest.mark.parametrize("path", list(sources()), ids=lambda p: p.stem)
def test_the_verifier_is_not_imported(path: Path) -> None:
    allowed = {"cryptography", "hypothesis"} | set(sys.stdlib_module_names)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            module = node.module or ""
            assert module.split(".")[0] in allowed or f"{module}.".startswith("attestcore.testing.")
        elif isinstance(node, ast.ImportFrom):
            depth = len(path.relative_to(Path(snpverify.testing.__file__).parent).parts)
            assert node.level <= depth  # stays inside snpverify.testing


def test_public_names() -> None:
    for name in snpverify.testing.__all__:
        assert getattr(snpverify.testing, name) is not None
    assert set(snpverify.testing.__all__) <= set(dir(snpverify.testing))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        snpverify.testing.nothing  # noqa: B018


def test_hypothesis_learns_of_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    class Report:
        def __init__(self, data: bytes) -> None:
            self.data = data

    package = types.ModuleType("snpverify")
    package.Report, package.parse_report = Report, Report  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snpverify", package)
    snpverify.testing._register_hypothesis()

    @settings(max_examples=5, deadline=None, database=None)
    @given(st.from_type(Report))
    def draws(report: Report) -> None:
        assert len(report.data) == 1184

    draws()


def test_the_example_runs() -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "wrong_evidence.py")],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = run.stdout.splitlines()
    assert [line.rsplit(": ", 1)[1] for line in lines] == [
        "chip-id-mismatch",
        "reported-tcb-mismatch",
        "debug-allowed",
        "reserved-not-zero",
        "report-signature-invalid",
    ]


def test_the_page_runs() -> None:
    """Every snippet of docs/testing.md, in one namespace; those of its section on Intel are run by tests/tdx."""
    page = (ROOT / "docs" / "testing.md").read_text().split("\n## Intel\n", 1)[0]
    snippets = [block.split("```", 1)[0] for block in page.split("```python\n")[1:]]
    assert len(snippets) == 8
    namespace: dict[str, Any] = {"__name__": "page"}
    for snippet in snippets:
        exec(compile(snippet, "<docs/testing.md>", "exec"), namespace)
