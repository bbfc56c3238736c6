# SPDX-License-Identifier: Apache-2.0
"""The chain: VCEK <- ASK <- ARK, VLEK <- ASVK <- ARK, the ARK pinned. Forged hierarchies, each link broken alone, every
certificate in a place that is not its own, validity, order, and the certificate sets that carry them.

The report is signed by the leaf's key throughout, so that only the chain can refuse.
"""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from snp_asserts import assert_accepted, assert_failed, assert_only, by_name, outcome, same
from snp_world import KINDS, LINES, NOW, Case, authority, case_of, certs_of, endorsement, good

from attestcore import _lib
from snpverify import Verifier
from snpverify.testing import (
    AT,
    PSS,
    PSS_WITH_TRAILER,
    AmdCa,
    Attribute,
    Certificate,
    CertificateTable,
    Endorsement,
    Extension,
    ReportFields,
    SignatureAlgorithm,
    TableEntry,
    amd_name,
    der,
    ec_key,
    pem,
    rsa_key,
)
from snpverify.testing.x509 import basic_constraints, key_usage

LINE_AND_KIND = pytest.mark.parametrize(("line", "kind"), list(itertools.product(LINES, KINDS)))
OTHER = {"VCEK": "VLEK", "VLEK": "VCEK"}


def leaf_of(ca: AmdCa, kind: str, **changes: Any) -> Endorsement:
    return ca.vcek(**changes) if kind == "VCEK" else ca.vlek(**changes)


def issuer_of(ca: AmdCa, kind: str) -> Certificate:
    return ca.ask if kind == "VCEK" else ca.asvk


def flipped(signature: bytes, bit: int = 1) -> bytes:
    return signature[:-1] + bytes([signature[-1] ^ bit])


# ---- forged hierarchies ----------------------------------------------------------------------------------------------


@LINE_AND_KIND
def test_a_whole_hierarchy_of_ones_own(line: str, kind: str, engine: str) -> None:
    """AMD's names, numbers, dates and extensions under the forger's keys, the ARK sent along. The anchor is the pinned one."""
    forger = authority(line, impostor=True)
    case = case_of(forger, leaf_of(forger, kind)).but(roots=authority(line).roots)
    case = case.but(certs=(*case.certs, forger.ark_der))
    verdict = case.verify(engine)
    assert_failed(verdict, {"root": "root-untrusted", "issuer-signature": "issuer-signature-invalid"})
    assert outcome(verdict, "report-signature") == outcome(verdict, "leaf-signature") == "pass"
    assert verdict.claims_verified is False
    for certs in itertools.permutations(case.certs):
        assert case.but(certs=certs).verify().codes == verdict.codes


@LINE_AND_KIND
def test_the_same_without_the_forgers_root(line: str, kind: str) -> None:
    forger = authority(line, impostor=True)
    case = case_of(forger, leaf_of(forger, kind)).but(roots=authority(line).roots)
    assert_only(case.verify(), "issuer-signature", "issuer-signature-invalid", "issuer", unrun=("root",))


@LINE_AND_KIND
def test_forged_evidence_under_the_shipped_roots(line: str, kind: str) -> None:
    """No roots given: AMD's, which ship. Never what the evidence brings."""
    forger = authority(line)
    case = case_of(forger, leaf_of(forger, kind))
    verdict = Verifier().verify(case.report, certs=(*case.certs, forger.ark_der), at=case.at)
    assert_failed(verdict, {"root": "root-untrusted", "issuer-signature": "issuer-signature-invalid"})
    # With the leaf alone AMD's own ASK is held against it.
    alone = Verifier().verify(case.report, certs=case.certs[:1], at=case.at)
    assert_only(alone, "leaf-signature", "leaf-signature-invalid", "leaf")


@LINE_AND_KIND
def test_the_genuine_intermediate_under_the_forgers_root(line: str, kind: str) -> None:
    """The forger's ARK, with the genuine ASK and leaf: a verifier that trusts the genuine ARK does not look at it."""
    case = good(line, kind)
    forger = authority(line, impostor=True)
    assert_accepted(case.but(certs=(forger.ark_der, *case.certs)).verify())
    assert_accepted(case.but(certs=(forger.ark_der, *forger.certs, *case.certs)).verify())


@LINE_AND_KIND
def test_the_forgers_leaf_under_the_genuine_chain(line: str, kind: str, engine: str) -> None:
    """The name of the genuine issuer and the forger's signature."""
    genuine, forger = authority(line), authority(line, impostor=True)
    leaf = leaf_of(forger, kind)
    case = case_of(genuine, leaf)
    assert_only(case.verify(engine), "leaf-signature", "leaf-signature-invalid", "leaf", 0)


def test_an_anchor_reissued_under_its_own_key_is_not_the_anchor() -> None:
    """The pinned ARK has ended; one with the same name and key and a later end comes with the evidence. It is nothing."""
    ended = AmdCa("Milan", ark={"not_after": AT - timedelta(days=1)})
    renewed = AmdCa("Milan")
    assert ended.ark.spec.spki == renewed.ark.spec.spki
    case = good().but(roots=ended.roots)
    for certs in (case.certs, (renewed.ark_der, *case.certs), (*case.certs, renewed.ark_der)):
        assert_only(case.but(certs=certs).verify(), "root-validity", "certificate-expired", "root")


def test_a_self_signed_leaf() -> None:
    """SEV-VCEK by SEV-VCEK: its issuer is no CA's name."""
    ca = authority()
    key = ec_key("self")
    leaf = ca.vcek(key=key, issuer=amd_name("SEV-VCEK"), signer=rsa_key("spare-4096"))
    case = case_of(ca, leaf)
    checks = by_name(case.verify())
    assert checks["leaf-profile"].code == "certificate-name-invalid"
    assert case.verify().accepted is False


def test_an_issuer_that_signs_itself() -> None:
    """SEV-Milan by SEV-Milan, verified under its own key: no ARK is its issuer."""
    ca = authority()
    own = rsa_key("impostor-ask")
    ask = ca.ask.replace(repeatable=False, issuer=amd_name("SEV-Milan"), spki=own.spki, signer=own)
    leaf = ca.vcek(issuer_cert=Certificate(ask.spec, own))
    case = case_of(ca, leaf).but(certs=(leaf.der, ask.der))
    verdict = case.verify()
    assert verdict.accepted is False
    assert by_name(verdict)["root"].code == "root-untrusted"
    assert by_name(verdict)["leaf-signature"].outcome == "pass"


def test_a_longer_path_to_the_pinned_root() -> None:
    """ARK -> ASK -> another ASK -> leaf: a sub-CA under the ASK, whose path length is 0. There is no place for it."""
    ca = authority()
    own = rsa_key("impostor-ask")
    sub = ca.ask.replace(
        repeatable=False, subject=amd_name("SEV-Milan"), issuer=amd_name("SEV-Milan"), spki=own.spki, signer=ca.ask.key
    )
    leaf = ca.vcek(issuer_cert=Certificate(sub.spec, own))
    case = case_of(ca, leaf).but(certs=(leaf.der, sub.der, ca.ask_der))
    verdict = case.verify()
    assert verdict.accepted is False
    assert set(verdict.codes) <= {
        "root-untrusted",
        "issuer-signature-invalid",
        "leaf-signature-invalid",
        "product-mismatch",
        "chain-name-mismatch",
    }


def test_a_leaf_that_acts_as_a_ca() -> None:
    """A genuine VCEK's key cannot sign what the profile reads (it is EC), and a certificate under its name has no issuer."""
    ca = authority()
    vcek = ca.vcek()
    other = ca.vcek(
        issuer=amd_name("SEV-VCEK"), signer=vcek.key, algorithm=SignatureAlgorithm("ecdsa"), chip_id=b"\x07" * 64
    )
    case = case_of(ca, other).but(certs=(other.der, vcek.der, *ca.certs))
    verdict = case.verify()
    assert verdict.accepted is False
    assert by_name(verdict)["leaf-profile"].code == "certificate-algorithm-unsupported"


# ---- each link alone -------------------------------------------------------------------------------------------------


@LINE_AND_KIND
def test_each_signature_of_the_chain_broken_alone(line: str, kind: str, engine: str) -> None:
    ca = authority(line)
    leaf, issuer = endorsement(line, kind), issuer_of(ca, kind)
    case = good(line, kind)
    bad_leaf = leaf.replace(signature=flipped(leaf.signature)).der
    assert_only(
        case.but(certs=(bad_leaf, issuer.der)).verify(engine), "leaf-signature", "leaf-signature-invalid", "leaf"
    )
    bad_issuer = issuer.replace(signature=flipped(issuer.signature)).der
    verdict = case.but(certs=(leaf.der, bad_issuer)).verify(engine)
    assert_only(verdict, "issuer-signature", "issuer-signature-invalid", "issuer", unrun=("root",))
    both = case.but(certs=(bad_leaf, bad_issuer)).verify(engine)
    assert both.accepted is False
    assert "leaf-signature-invalid" in both.codes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "signature",
    [bytes(512), b"\xff" * 512, b"\0" * 511 + b"\x01", bytes(range(256)) * 2],
    ids=["zeros", "ones", "one", "count"],
)
def test_signatures_of_nothing(signature: bytes, kind: str, engine: str) -> None:
    """0, 1, values not below the modulus: no signature of a leaf, none of an issuer."""
    ca, leaf = authority(), endorsement(kind=kind)
    issuer = issuer_of(ca, kind)
    case = good(kind=kind)
    assert_only(
        case.but(certs=(leaf.replace(signature=signature).der, issuer.der)).verify(engine),
        "leaf-signature",
        "leaf-signature-invalid",
    )
    verdict = case.but(certs=(leaf.der, issuer.replace(signature=signature).der)).verify(engine)
    assert_only(verdict, "issuer-signature", "issuer-signature-invalid", unrun=("root",))


def test_a_signature_that_is_not_below_the_modulus(engine: str) -> None:
    """s + n is congruent to s, and no signature (RFC 8017 8.1.2: it is out of range). Where it fits 512 bytes."""
    ca = authority()
    n = rsa_key("milan-ask").modulus
    leaf = next(
        leaf for serial in range(1, 400)
        if int.from_bytes((leaf := ca.vcek(serial=serial)).signature, "big") + n < 2**4096
    )  # fmt: skip
    wide = (int.from_bytes(leaf.signature, "big") + n).to_bytes(512, "big")
    assert_accepted(case_of(ca, leaf).verify(engine))
    forged = leaf.replace(signature=wide)
    assert_only(case_of(ca, forged).verify(engine), "leaf-signature", "leaf-signature-invalid")


@pytest.mark.parametrize("kind", KINDS)
def test_signatures_with_another_scheme_than_they_say(kind: str, engine: str) -> None:
    """AlgorithmIdentifier is AMD's, the signature is PKCS #1 v1.5, or PSS with another salt, hash or mask: made by the right key,
    and not what it says."""
    ca, leaf = authority(), endorsement(kind=kind)
    for algorithm in (
        SignatureAlgorithm("pkcs1"),
        SignatureAlgorithm(salt_length=47),
        SignatureAlgorithm(salt_length=0),
        SignatureAlgorithm(salt_length=20),
        SignatureAlgorithm(salt_length=32),
        SignatureAlgorithm(salt_length=64),
        SignatureAlgorithm(hash="sha256", salt_length=48),
        SignatureAlgorithm(hash="sha512", salt_length=48),
        SignatureAlgorithm(mgf_hash="sha256"),
        SignatureAlgorithm(mgf_hash="sha1"),
    ):
        wrong = leaf.replace(signing_algorithm=algorithm)
        assert_only(case_of(ca, wrong).verify(engine), "leaf-signature", "leaf-signature-invalid")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "algorithm",
    [
        SignatureAlgorithm("pkcs1"),
        SignatureAlgorithm(hash="sha256", salt_length=32),
        SignatureAlgorithm(hash="sha512", salt_length=64),
        SignatureAlgorithm(hash="sha1", salt_length=20),
        SignatureAlgorithm(mgf_hash="sha256"),
        SignatureAlgorithm(salt_length=0),
        SignatureAlgorithm(salt_length=47),
        SignatureAlgorithm(salt_length=49),
        SignatureAlgorithm(salt_length=462),
        SignatureAlgorithm(trailer=2),
        SignatureAlgorithm(parameters=b""),
        SignatureAlgorithm(parameters=der.null()),
        SignatureAlgorithm(null_parameters=False),
    ],
    ids=[
        "pkcs1",
        "sha256",
        "sha512",
        "sha1",
        "mgf",
        "salt-0",
        "salt-47",
        "salt-49",
        "salt-462",
        "trailer",
        "absent",
        "null",
        "no-nulls",
    ],
)
def test_algorithms_that_are_not_amds(algorithm: SignatureAlgorithm, kind: str) -> None:
    """What the certificate says it is signed with, while the signature itself is AMD's."""
    ca, leaf = authority(), endorsement(kind=kind)
    wrong = leaf.replace(algorithm=algorithm, signing_algorithm=PSS)
    assert_only(
        case_of(ca, wrong).verify(), "leaf-profile", "certificate-algorithm-unsupported", "tbsCertificate.signature"
    )
    which = "with_ask" if kind == "VCEK" else "with_asvk"
    other = getattr(ca, which)(algorithm=algorithm, signing_algorithm=PSS)
    assert_only(case_of(other, leaf_of(other, kind)).verify(), "issuer-profile", "certificate-algorithm-unsupported")


@pytest.mark.parametrize("algorithm", [PSS, PSS_WITH_TRAILER], ids=["plain", "trailer"])
def test_both_encodings_of_the_parameters(algorithm: SignatureAlgorithm, engine: str) -> None:
    """Until 2024 AMD wrote the default trailerField out; now it does not. Both are genuine, in every place."""
    ca = AmdCa("Milan", ark={"algorithm": algorithm}, ask={"algorithm": algorithm})
    assert_accepted(case_of(ca, ca.vcek(algorithm=algorithm)).verify(engine))


# ---- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("report_line", "chain_line"), list(itertools.product(LINES, LINES)))
def test_a_report_under_the_chain_of_each_line(report_line: str, chain_line: str, kind: str) -> None:
    """All 3 x 3 x 2. The leaf is of the chain's line, of the report's chip and TCB as far as the layouts allow, and signs it."""
    ca = authority(chain_line)
    leaf = leaf_of(ca, kind)
    if report_line == chain_line:
        assert_accepted(case_of(ca, leaf, version=5).verify())
        return
    report = ReportFields(
        product=report_line, version=5, signing_key=KINDS.index(kind), chip_id=leaf.chip_id,
        reported_tcb=None if "Turin" in (report_line, chain_line) else leaf.tcb,
    ).sign(leaf)  # fmt: skip
    verdict = Case(report, certs_of(ca, leaf), ca.roots).verify()
    failed = {"product": "product-mismatch"}
    if "Turin" in (report_line, chain_line):
        failed["reported-tcb"] = "reported-tcb-mismatch"
    checks = assert_failed(verdict, failed)
    assert (checks["product"].field, checks["product"].offset) == ("CPUID_FAM_ID", 0x188)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("leaf_line", "issuer_line"), list(itertools.permutations(LINES, 2)))
def test_a_leaf_signed_by_the_issuer_of_another_line(leaf_line: str, issuer_line: str, kind: str) -> None:
    """The leaf says that its issuer is its own line's and is signed by another's: no signature of that name."""
    ca, other = authority(leaf_line), authority(issuer_line)
    leaf = leaf_of(ca, kind, signer=issuer_of(other, kind).key)
    case = case_of(ca, leaf)
    case = case.but(certs=(*case.certs, *other.certs), roots=(*ca.roots, *other.roots))
    assert_only(case.verify(), "leaf-signature", "leaf-signature-invalid", "leaf")


@pytest.mark.parametrize("line", LINES)
def test_a_vcek_under_the_asvk_and_a_vlek_under_the_ask(line: str, engine: str) -> None:
    """Every signature holds, up to the pinned root. Only the place is wrong: such a certificate would let a cloud provider
    make chips, and a chip's key speak for a provider."""
    ca = authority(line)
    for leaf in (ca.vcek(issuer_cert=ca.asvk), ca.vlek(issuer_cert=ca.ask)):
        verdict = case_of(ca, leaf).verify(engine)
        assert_only(verdict, "chain-names", "chain-name-mismatch", "leaf", 0)
        assert verdict.claims_verified is False


@LINE_AND_KIND
def test_a_leaf_directly_under_the_ark(line: str, kind: str) -> None:
    """Signed by the pinned root itself; there is no such place."""
    ca = authority(line)
    leaf = leaf_of(ca, kind, issuer_cert=ca.ark)
    verdict = case_of(ca, leaf).verify()
    assert by_name(verdict)["chain-names"].code == "chain-name-mismatch"
    assert verdict.accepted is False
    assert set(verdict.codes) <= {"chain-name-mismatch", "product-mismatch"}


def test_an_ask_under_the_ark_of_another_line() -> None:
    """SEV-Milan issued by ARK-Genoa, validly."""
    milan, genoa = authority("Milan"), authority("Genoa")
    ask = milan.ask.replace(repeatable=False, issuer=amd_name("ARK-Genoa"), signer=genoa.ark.key)
    leaf = milan.vcek()
    case = case_of(milan, leaf).but(certs=(leaf.der, ask.der), roots=genoa.roots)
    verdict = case.verify()
    checks = assert_failed(verdict, {"chain-names": "chain-name-mismatch", "product": "product-mismatch"})
    assert checks["chain-names"].field == "issuer"


def test_the_ask_of_another_line_between() -> None:
    """SEV-Genoa in the set for a leaf that SEV-Milan issued: it is not looked at."""
    case = good("Milan")
    genoa = authority("Genoa")
    assert_accepted(case.but(certs=(*genoa.certs, genoa.ark_der, *case.certs)).verify())


def test_one_key_in_two_places(engine: str) -> None:
    """ARK and ASK with one key: whoever has it needs no second."""
    ca = AmdCa("Milan", ask_key=rsa_key("milan-ark"))
    assert_only(case_of(ca, ca.vcek()).verify(engine), "chain-names", "chain-key-reused", "issuer", 0)


@LINE_AND_KIND
def test_an_issuer_that_is_missing(line: str, kind: str) -> None:
    """Under a root of one's own the shipped ASK is a stranger's, and the right one was not given: that is missing, not wrong.
    Nothing failed, so a caller may fetch and ask again."""
    case = good(line, kind)
    verdict = case.but(certs=case.certs[:1]).verify()
    checks = assert_failed(verdict, {"issuer-profile": "certificate-missing"}, unrun=None)
    assert checks["issuer-profile"].outcome == "not-run"
    assert ("ASK" if kind == "VCEK" else "ASVK") in (checks["issuer-profile"].detail or "")


def test_an_issuer_that_is_not_known_at_all() -> None:
    """Venice's ASK does not ship: with its leaf alone, it is missing, and nothing else can be said."""
    ca = authority("Venice")
    vcek = ca.vcek()
    report = ReportFields(product="Milan", version=2, chip_id=vcek.chip_id, reported_tcb=bytes(8)).sign(vcek)
    verdict = Case(report, (vcek.der,), ca.roots).verify()
    assert by_name(verdict)["issuer-profile"].code == "certificate-missing"
    assert set(verdict.codes) <= {"certificate-missing", "product-unsupported"}
    assert verdict.accepted is False


@pytest.mark.parametrize("tcb", [bytes(8), bytes([1, 1, 1, 0, 0, 0, 0, 0])], ids=["zero", "some"])
def test_a_line_that_is_not_judged(tcb: bytes) -> None:
    """Venice's chain under Venice's root with a version 2 report, which has no CPUID to say so: refused by a word that says why,
    and never "internal-error"."""
    ca = authority("Venice")
    vcek = ca.vcek()
    report = ReportFields(product="Milan", version=2, chip_id=vcek.chip_id, reported_tcb=tcb).sign(vcek)
    verdict = Case(report, certs_of(ca, vcek), ca.roots).verify()
    assert verdict.accepted is False
    assert verdict.codes
    assert "internal-error" not in verdict.codes
    results = (
        Case(report, certs_of(ca, vcek), ca.roots).verifier().verify_batch([report], certs=certs_of(ca, vcek), at=NOW)
    )
    assert list(results.code) == [verdict.codes[0]]


# ---- profiles of the places ------------------------------------------------------------------------------------------

CA_CHANGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no CA flag": ({"basicConstraints": basic_constraints(None)}, "certificate-constraints-invalid", "basicConstraints"),
    "no constraints": ({"basicConstraints": None}, "certificate-extension-missing", "basicConstraints"),
    "constraints not critical": (
        {"basicConstraints": Extension("basicConstraints", basic_constraints(path_length=0))},
        "certificate-constraints-invalid",
        "basicConstraints",
    ),
    "path length 1": ({"basicConstraints": basic_constraints(path_length=1)}, "certificate-constraints-invalid", "basicConstraints"),
    "no path length": ({"basicConstraints": basic_constraints()}, "certificate-constraints-invalid", "basicConstraints"),
    "no key usage": ({"keyUsage": None}, "certificate-extension-missing", "keyUsage"),
    "digitalSignature only": ({"keyUsage": key_usage(0)}, "certificate-constraints-invalid", "keyUsage"),
    "cRLSign only": ({"keyUsage": key_usage(6)}, "certificate-constraints-invalid", "keyUsage"),
    "version 1": ({"version": None, "extensions": None}, "certificate-version-invalid", "version"),
    "version 2": ({"version": 1}, "certificate-version-invalid", "version"),
    "serial 0": ({"serial": 0}, "certificate-serial-invalid", "serialNumber"),
    "negative serial": ({"serial": -1}, "certificate-serial-invalid", "serialNumber"),
    "unknown critical": (
        {"nameConstraints": Extension("2.5.29.54", b"\x02\x01\x00", True)}, "certificate-extension-invalid", "extensions"
    ),
    "name constraints": ({"nameConstraints": Extension("nameConstraints", b"0\0")}, "certificate-extension-invalid", "extensions"),
    "year 2050 in UTCTime": ({"not_after": datetime(2040, 1, 1, tzinfo=timezone.utc)}, "", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(CA_CHANGES))
def test_an_issuer_of_another_profile(name: str, kind: str) -> None:
    """Validly issued by the pinned root, and not what AMD issues. The control at the end of the table is fine."""
    changes, code, field = CA_CHANGES[name]
    ca = getattr(authority(), "with_ask" if kind == "VCEK" else "with_asvk")(**changes)
    verdict = case_of(ca, leaf_of(ca, kind)).verify()
    if code:
        assert_only(verdict, "issuer-profile", code, field)
    else:
        assert_accepted(verdict)


@pytest.mark.parametrize(
    "size", ["spare-1024", "spare-2048", "spare-3072", "spare-4088", "spare-4104", "spare-8192", "spare-4096-e3"]
)
def test_issuers_with_other_keys(size: str) -> None:
    """4096 bits and 65537, nothing else: the ASK of another key, validly certified and validly signing."""
    ca = AmdCa("Milan", ask_key=rsa_key(size))
    verdict = case_of(ca, ca.vcek()).verify()
    assert by_name(verdict)["issuer-profile"].code == "certificate-key-invalid"
    assert by_name(verdict)["issuer-profile"].field == "subjectPublicKeyInfo"
    assert set(verdict.codes) <= {"certificate-key-invalid", "leaf-signature-invalid", "certificate-malformed"}


LEAF_CHANGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "CA flag": ({"basicConstraints": basic_constraints(True)}, "certificate-constraints-invalid", "basicConstraints"),
    "may sign certificates": ({"keyUsage": key_usage(5)}, "certificate-constraints-invalid", "keyUsage"),
    "unknown critical": (
        {"certificatePolicies": Extension("certificatePolicies", b"0\0", True)}, "certificate-extension-invalid", "extensions"
    ),
    "version 1": ({"version": None}, "certificate-version-invalid", "version"),
    "string type of O": (
        {"subject": amd_name("SEV-VCEK").set("O", tag=der.PRINTABLE_STRING)}, "certificate-name-invalid", "subject name"
    ),
    "country": ({"subject": amd_name("SEV-VCEK").set("C", "DE")}, "certificate-name-invalid", "subject name"),
    "CN with a space": ({"subject": amd_name("SEV-VCEK ")}, "certificate-name-invalid", "subject name"),
    "CN with a NUL": ({"subject": amd_name("SEV-VCEK\0")}, "certificate-name-invalid", "subject name"),
    "CN in lower case": ({"subject": amd_name("sev-vcek")}, "certificate-name-invalid", "subject name"),
    "CN of a substring": ({"subject": amd_name("My SEV-VCEK")}, "certificate-name-invalid", "subject name"),
    "two CNs": ({"subject": amd_name("SEV-VCEK").plus(Attribute("CN", "SEV-VCEK"))}, "certificate-name-invalid", "subject name"),
    "no hwID": ({"hwID": None}, "certificate-extension-missing", "hwID"),
    "no blSPL": ({"blSPL": None}, "certificate-extension-missing", "blSPL"),
    "no ucodeSPL": ({"ucodeSPL": None}, "certificate-extension-missing", "ucodeSPL"),
    "wrapped SPL": ({"blSPL": der.octet_string(der.integer(4))}, "certificate-extension-invalid", "blSPL"),
    "bare SPL": ({"teeSPL": b"\0"}, "certificate-extension-invalid", "teeSPL"),
    "SPL 256 more": ({"blSPL": der.integer(256 + 4)}, "certificate-extension-invalid", "blSPL"),
    "SPL negative": ({"ucodeSPL": b"\x02\x01\xdb"}, "certificate-extension-invalid", "ucodeSPL"),
    "SPL with a trailer": ({"blSPL": der.integer(4) + b"\0"}, "certificate-extension-invalid", "blSPL"),
    "spl4 not zero": ({"spl4": der.integer(1)}, "certificate-extension-invalid", "spl4"),
    "structVersion 1": ({"structVersion": der.integer(1)}, "certificate-extension-invalid", "structVersion"),
    "structVersion 2": ({"structVersion": der.integer(2)}, "certificate-extension-invalid", "structVersion"),
    "unknown extension of AMD's": (
        {"subjectAltName": Extension("1.3.6.1.4.1.3704.1.6", der.integer(1))}, "certificate-extension-invalid", "extensions"
    ),
    "negative serial": ({"serial": -1}, "certificate-serial-invalid", "serialNumber"),
    "key P-256": ({"spki": ec_key("leaf", "P-256").spki}, "certificate-key-invalid", "subjectPublicKeyInfo"),
    "key RSA": ({"spki": rsa_key("spare-4096").spki}, "certificate-key-invalid", "subjectPublicKeyInfo"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(LEAF_CHANGES))
def test_a_leaf_of_another_profile(name: str) -> None:
    """Validly issued by the ASK, of the right chip and TCB, and not what AMD issues. What cannot be read is not bound either, so
    a binding may fail along; but nothing else may."""
    changes, code, field = LEAF_CHANGES[name]
    ca = authority()
    leaf = ca.vcek(**changes)
    verdict = case_of(ca, ca.vcek()).but(certs=certs_of(ca, leaf)).verify()
    checks = by_name(verdict)
    assert (checks["leaf-profile"].code, checks["leaf-profile"].field) == (code, field)
    along = {
        "chip-id": ("hwID",),
        "reported-tcb": ("blSPL", "teeSPL", "ucodeSPL"),
        "report-signature": ("subjectPublicKeyInfo",),
    }
    failed = {check.check for check in verdict.checks if check.code is not None} - {"leaf-profile"}
    assert failed <= {check for check, fields in along.items() if field in fields}
    assert outcome(verdict, "leaf-signature") == "pass"
    if not failed and field != "subjectPublicKeyInfo":
        assert_only(verdict, "leaf-profile", code, field)


@pytest.mark.parametrize("which", ["hwID", "blSPL", "productName", "structVersion", "ucodeSPL"])
@pytest.mark.parametrize("first", [True, False])
def test_a_repeated_extension(which: str, first: bool) -> None:
    """One of the two is right, and whichever is read first or last, the certificate is refused."""
    ca = authority()
    leaf = ca.vcek()
    wrong = {"hwID": b"\x99" * 64, "productName": der.text(der.IA5_STRING, "Genoa")}.get(which, der.integer(9))
    leaf = leaf.respec(leaf.spec.with_duplicate(which, wrong, first=first))
    verdict = case_of(ca, ca.vcek()).but(certs=certs_of(ca, leaf)).verify()
    assert by_name(verdict)["leaf-profile"].code == "certificate-extension-invalid"
    assert verdict.accepted is False


def test_a_vlek_with_a_chip_and_a_vcek_with_a_provider() -> None:
    """Exactly one of hwID and csp_id, and the one of its kind."""
    ca = authority()
    csp = der.text(der.IA5_STRING, "CN=cc-test-1.example.com")
    chip = ca.vcek().chip_id
    for leaf in (
        ca.vcek(csp_id=csp),
        ca.vlek().replace(hwID=chip),
        ca.vcek(hwID=None, csp_id=csp),
        ca.vlek().replace(csp_id=None, hwID=chip),
        ca.vcek(hwID=None),
        ca.vlek().replace(csp_id=None),
    ):
        verdict = case_of(ca, leaf).verify()
        assert (by_name(verdict)["leaf-profile"].code or "").startswith("certificate-extension-")
        assert verdict.accepted is False


# ---- validity --------------------------------------------------------------------------------------------------------

PLACES = {"leaf": "leaf-validity", "issuer": "issuer-validity", "root": "root-validity"}
BEGIN, END = datetime(2024, 5, 1, 12, tzinfo=timezone.utc), datetime(2026, 5, 1, 12, tzinfo=timezone.utc)


def _with_validity(place: str, kind: str, begin: datetime, end: datetime) -> Case:
    """The chain with other dates in one place; all other certificates are valid from 2020 to 2045."""
    wide = {
        "not_before": datetime(2020, 1, 1, tzinfo=timezone.utc),
        "not_after": datetime(2045, 1, 1, tzinfo=timezone.utc),
    }
    narrow = {"not_before": begin, "not_after": end}
    dates = {name: narrow if name == place else wide for name in PLACES}
    ca = AmdCa("Milan", ark=dates["root"], ask=dates["issuer"], asvk=dates["issuer"])
    return case_of(ca, leaf_of(ca, kind).replace(**dates["leaf"]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", list(PLACES))
def test_validity_of_each_place(place: str, kind: str) -> None:
    """Each certificate alone: both ends belong to its validity, and one second beyond either does not."""
    case = _with_validity(place, kind, BEGIN, END)
    begin, end = int(BEGIN.timestamp()), int(END.timestamp())
    for at in (begin, begin + 1, end - 1, end):
        verdict = case.but(at=at).verify()
        assert_accepted(verdict)
        assert verdict.valid_until == end
    assert_only(case.but(at=begin - 1).verify(), PLACES[place], "certificate-not-yet-valid", place, 0)
    assert_only(case.but(at=end + 1).verify(), PLACES[place], "certificate-expired", place, 0)


@pytest.mark.parametrize("place", list(PLACES))
def test_policy_on_the_begin_of_validity_is_about_the_leaf(place: str) -> None:
    case = _with_validity(place, "VCEK", BEGIN, END).asking(leaf_not_before="ignore")
    early = case.but(at=int(BEGIN.timestamp()) - 1).verify()
    if place == "leaf":
        assert_accepted(early)
    else:
        assert_only(early, PLACES[place], "certificate-not-yet-valid", place)
    assert_only(case.but(at=int(END.timestamp()) + 1).verify(), PLACES[place], "certificate-expired", place)


def test_every_place_has_ended() -> None:
    verdict = good().but(at=datetime(2100, 1, 1, tzinfo=timezone.utc)).verify()
    assert_failed(verdict, dict.fromkeys(PLACES.values(), "certificate-expired"))


def test_dates_beyond_2050() -> None:
    """GeneralizedTime, and the last second there is."""
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    case = _with_validity("leaf", "VCEK", BEGIN, last)
    ca = AmdCa("Milan", ark={"not_after": last}, ask={"not_after": last})
    case = case_of(ca, ca.vcek(not_after=last))
    assert_accepted(case.but(at=253402300799).verify())
    assert case.but(at=253402300799).verify().to_dict()["valid_until"] == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize("at", [0, 1, NOW - 10**9])
def test_times_long_before(at: int) -> None:
    verdict = good().but(at=at).verify()
    assert_failed(verdict, dict.fromkeys(PLACES.values(), "certificate-not-yet-valid"))


# ---- order and number ------------------------------------------------------------------------------------------------


@LINE_AND_KIND
def test_order_does_not_matter(line: str, kind: str) -> None:
    """Leaf, ASK, ASVK and ARK in all 24 orders, as a list and as one PEM."""
    case = good(line, kind)
    expected = case.verify()
    for certs in itertools.permutations((*case.certs, authority(line).ark_der)):
        same(case.but(certs=certs).verify(), expected)
        same(case.but(certs=(b"".join(map(pem, certs)),)).verify(), expected)


def test_certificates_that_do_not_matter() -> None:
    """Of other lines, other chips, other authorities, doubled, and what is no certificate of AMD's at all."""
    case = good("Milan")
    others = [
        *certs_of(authority("Turin"), endorsement("Turin"), endorsement("Turin", "VLEK")),
        *certs_of(authority("Genoa"), endorsement("Genoa")),
        authority("Milan").vcek(chip_id=b"\x01" * 64).der,
        endorsement("Milan", "VLEK").der,
        *case.certs,
        *authority("Milan", impostor=True).certs,
    ]
    rng = random.Random(7)
    expected = case.verify()
    for _ in range(6):
        certs = [*case.certs, *others]
        rng.shuffle(certs)
        same(case.but(certs=tuple(certs)).verify(), expected)


def test_broken_certificates_beside_the_right_ones() -> None:
    """A host's certificate table may hold a damaged ASK or ARK; the shipped ones, or the right ones beside, are enough."""
    case = good()
    ca = authority()
    for junk in (
        ca.ask_der[:-1],
        ca.ark_der + b"\0",
        b"\x30\x03\x02\x01",
        b"\x30\x80\0\0",
        ca.ask_der[:40] + b"\xff" * 8 + ca.ask_der[48:],
    ):
        verdict = case.but(certs=(junk, *case.certs)).verify()
        assert_accepted(verdict)


def test_a_damaged_leaf_alone() -> None:
    """It was given, and cannot be read: that is a failure, not something missing."""
    case = good()
    verdict = case.but(certs=(case.certs[0][:-1], *case.certs[1:])).verify()
    assert by_name(verdict)["certificate"].code in ("certificate-malformed", "certificate-set-malformed")
    assert by_name(verdict)["certificate"].outcome == "fail"
    assert verdict.accepted is False


@pytest.mark.parametrize("kind", KINDS)
def test_the_leaf_of_the_report_is_found_among_a_fleets(kind: str) -> None:
    """300 leaves of other chips (or TCBs) in one list: the right one is taken, the report of none of them is refused."""
    ca = authority("Genoa")
    from snpverify.testing import Tcb

    if kind == "VCEK":
        fleet = [ca.vcek(chip_id=bytes([i % 256, i // 256]) * 32, repeatable=False) for i in range(60)]
        stranger = ca.vcek(chip_id=b"\xee\xff" * 32)
    else:
        fleet = [ca.vlek(tcb=Tcb(boot_loader=i, snp=7)) for i in range(60)]
        stranger = ca.vlek(tcb=Tcb(boot_loader=99, snp=7))
    verifier = Verifier(roots=ca.roots)
    certs = certs_of(ca, *fleet)
    reports = [ReportFields.fitting(leaf).sign(leaf) for leaf in fleet]
    assert all(verifier.verify_batch(reports, certs=certs, at=NOW).accepted)
    lost = verifier.verify(ReportFields.fitting(stranger).sign(stranger), certs=certs, at=NOW)
    assert lost.accepted is False
    wanted = (
        {"chip-id-mismatch", "report-signature-invalid"}
        if kind == "VCEK"
        else {"reported-tcb-mismatch", "report-signature-invalid"}
    )
    assert set(lost.codes) == wanted


# ---- choice of the leaf ----------------------------------------------------------------------------------------------


def _used(case: Case, leaf: Endorsement) -> bool:
    verdict = case.verify()
    assert_accepted(verdict)
    return verdict.used[0] == leaf.sha256.hex()


def test_choice_by_kind_then_chip_then_tcb_then_time() -> None:
    """One right certificate, and beside it one that is wrong in each respect and better in every later one."""
    ca = authority("Genoa")
    from snpverify.testing import Tcb

    right = ca.vcek()
    newer = {"not_before": AT - timedelta(days=1), "not_after": AT + timedelta(days=900)}
    rivals = [
        ca.vlek(tcb=right.tcb).replace(**newer),
        ca.vcek(chip_id=b"\x01" * 64).replace(**newer),
        ca.vcek(tcb=Tcb(boot_loader=10, snp=0x18, microcode=0x54)).replace(**newer),
        right.replace(not_before=AT - timedelta(days=9), not_after=AT - timedelta(days=1)),
        right.replace(not_before=AT + timedelta(days=1), not_after=AT + timedelta(days=9)),
    ]
    case = case_of(ca, right)
    for n in (1, len(rivals)):
        for some in itertools.combinations(rivals, n):
            for certs in ((*some, right), (right, *some)):
                assert _used(case.but(certs=certs_of(ca, *certs)), right)


def test_of_several_that_fit_the_newest() -> None:
    ca = authority("Genoa")
    leaves = [
        ca.vcek(not_before=AT - timedelta(days=days), not_after=AT + timedelta(days=400)) for days in (300, 20, 100)
    ]
    case = case_of(ca, leaves[0])
    for certs in itertools.permutations(leaves):
        assert _used(case.but(certs=certs_of(ca, *certs)), leaves[1])


def test_a_forgers_newer_certificate_does_not_push_the_genuine_one_aside() -> None:
    """Same names, chip, TCB and even key, a later notBefore, and a signature that does not hold."""
    ca, forger = authority("Genoa"), authority("Genoa", impostor=True)
    right = ca.vcek()
    fake = forger.vcek(key=right.key, not_before=AT - timedelta(hours=1))
    case = case_of(ca, right)
    for certs in ((fake.der, right.der), (right.der, fake.der)):
        assert _used(case.but(certs=(*certs, *ca.certs, *forger.certs, forger.ark_der)), right)


def test_when_none_fits_the_nearest_is_judged() -> None:
    """Of the right chip and another TCB before one of another chip; its own failures are the ones reported."""
    ca = authority("Genoa")
    from snpverify.testing import Tcb

    near = ca.vcek(tcb=Tcb(boot_loader=9, snp=0x17, microcode=0x54))
    far = ca.vcek(chip_id=b"\x01" * 64)
    right = ca.vcek()
    case = case_of(ca, right).but(certs=certs_of(ca, far, near))
    verdict = case.verify()
    assert_failed(verdict, {"reported-tcb": "reported-tcb-mismatch", "report-signature": "report-signature-invalid"})
    assert verdict.used[0] == near.sha256.hex()
    expired = right.replace(not_after=AT - timedelta(days=1))
    ended = case.but(certs=certs_of(ca, far, near, expired)).verify()
    assert_only(ended, "leaf-validity", "certificate-expired")


# ---- sets ------------------------------------------------------------------------------------------------------------


@LINE_AND_KIND
def test_certificate_tables(line: str, kind: str) -> None:
    """What a guest gets from its host: leaf, ASK (or ASVK), ARK in a GHCB table, padded to a page."""
    ca = authority(line)
    leaf = endorsement(line, kind)
    table = CertificateTable.of(**{kind.lower(): leaf.der}, ask=issuer_of(ca, kind).der, ark=ca.ark_der)
    case = good(line, kind).but(certs=(table.build(),))
    assert_accepted(case.verify())
    both = CertificateTable.of(
        vcek=endorsement(line).der, vlek=endorsement(line, "VLEK").der, ask=issuer_of(ca, kind).der
    )
    verdict = case.but(certs=(both.build(),)).verify()
    assert_accepted(verdict)
    assert verdict.used[0] == leaf.sha256.hex()


def test_the_labels_of_a_table_are_the_hosts_word() -> None:
    """A VLEK in the entry for the VCEK, the ARK in that for the ASK: what a certificate is, it says itself."""
    ca = authority()
    vlek = endorsement(kind="VLEK")
    table = CertificateTable.of(vcek=vlek.der, ask=ca.ark_der, ark=ca.asvk_der).build()
    assert_accepted(good(kind="VLEK").but(certs=(table,)).verify())
    assert_only(
        good(kind="VLEK", signing_key=0, chip_id=bytes(64)).but(certs=(table,)).verify(),
        "signer-kind",
        "signer-kind-mismatch",
        "KEY_INFO",
        0x48,
    )


TABLE = CertificateTable.of(vcek=b"v" * 64, ask=b"a" * 64)
BAD_SETS: dict[str, bytes] = {
    "empty": b"",
    "text": b"not a certificate",
    "zeros cut": bytes(23),
    "offset in the header": TABLE.with_entry(0, offset=8).build(),
    "offset beyond": TABLE.with_entry(0, offset=1 << 20).build(),
    "offset and length wrap": TABLE.with_entry(0, offset=0xFFFFFFFE, length=3).build(),
    "length of 4 GiB": TABLE.with_entry(0, length=0xFFFFFFFF).build(),
    "length 0": TABLE.with_entry(0, length=0).build(),
    "overlap": TABLE.with_entry(1, offset=TABLE.build().index(b"v" * 64)).build(),
    "twice": TABLE.plus(TableEntry("vcek", b"w" * 64)).build(),
    "no end": TABLE.replace(terminator=False, page=0).build(),
    "PEM that does not end": b"-----BEGIN CERTIFICATE-----\nMIIB\n",
    "PEM of another label's end": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END X509 CRL-----\n",
    "PEM not base64": b"-----BEGIN CERTIFICATE-----\nM*IB\n-----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("name", list(BAD_SETS))
def test_sets_that_are_none(name: str) -> None:
    """Given, and not of any of the three forms: a failure of the set, and the evidence is not judged by anything else."""
    case = good().but(certs=(BAD_SETS[name],))
    assert_only(case.verify(), "certificate", "certificate-set-malformed", unrun=None)
    # As an element beside the right certificates it does no harm.
    assert_accepted(good().but(certs=(BAD_SETS[name], *good().certs)).verify())


def test_sets_that_are_too_large() -> None:
    """In a cell of a column 16 certificates and 1 MiB; a sequence that the caller makes is bounded by the element."""
    case = good("Genoa")
    ca = authority("Genoa")
    others = [ca.vcek(chip_id=bytes([i]) * 64, repeatable=False).der for i in range(1, 16)]
    verifier = case.verifier()

    def cell(ders: list[bytes]) -> Any:
        blob = b"".join(map(pem, ders))
        return verifier.verify_batch([case.report], certs=[blob], certs_index=[0], at=NOW)[0]

    assert_accepted(cell([*case.certs[:2], *others[:14]]))
    full = cell([*case.certs[:2], *others])
    assert_only(full, "certificate", "certificate-set-too-large", unrun=None)
    assert by_name(full)["certificate"].category == "limit"
    padded = case.certs[0] + bytes(2**20)
    large = case.but(certs=(padded,)).verify()
    assert_only(large, "certificate", "certificate-set-too-large", unrun=None)
    # Given as a sequence for all rows, 40 certificates are no problem.
    assert_accepted(
        case.but(
            certs=(*case.certs, *others, *(ca.vcek(chip_id=bytes([i]) * 64).der for i in range(100, 125)))
        ).verify()
    )


def test_nothing_at_all() -> None:
    case = good().but(certs=())
    verdict = case.verify()
    assert_only(verdict, "certificate", "certificate-missing", "leaf", unrun=None)
    assert outcome(verdict, "certificate") == "not-run"
    assert_only(good().but(certs=authority().certs).verify(), "certificate", "certificate-missing", unrun=None)


def test_roots_of_several_lines() -> None:
    """All three ARKs trusted: each line's evidence is accepted, and none by another's."""
    roots = tuple(root for line in LINES for root in authority(line).roots)
    for line, kind in itertools.product(LINES, KINDS):
        assert_accepted(good(line, kind).but(roots=roots).verify())
    verdict = good("Milan").but(roots=authority("Turin").roots).verify()
    assert by_name(verdict)["root"].code == "root-untrusted"
    assert verdict.accepted is False


def test_an_untrusted_root_is_all_that_is_wrong() -> None:
    """Milan's evidence where only Genoa's root is trusted: the chain ends in no anchor, and nothing else is wrong with it."""
    verdict = good("Milan").but(roots=authority("Genoa").roots).verify()
    assert_only(verdict, "root", "root-untrusted", "root", unrun=("issuer-signature", "root-validity"))


def test_intermediates_beside_the_roots() -> None:
    """roots may hold the ASK and ASVK too; then a leaf alone is enough."""
    ca = authority("Genoa")
    for kind in KINDS:
        case = good("Genoa", kind)
        assert_accepted(case.but(certs=case.certs[:1], roots=(*ca.certs, *ca.roots)).verify())
        assert_accepted(case.but(certs=case.certs[:1], roots=(b"".join(map(pem, (*ca.certs, *ca.roots))),)).verify())


def test_what_was_used() -> None:
    """SHA-256 of leaf, issuer and root, in this order, and nothing else."""
    ca = authority("Genoa")
    verdict = good("Genoa").verify()
    assert verdict.used == (endorsement("Genoa").sha256.hex(), ca.ask.sha256.hex(), ca.ark.sha256.hex())
    assert _lib.snp_cert_read(ca.ark_der).sha256.hex() == verdict.used[2]
