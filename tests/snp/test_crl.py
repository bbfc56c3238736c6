# SPDX-License-Identifier: Apache-2.0
"""Revocation: which CRL counts, at what time, and what its entries do. Chain, binding and signature hold throughout.

None given is an omission, not a failure, unless the policy requires one; one that was given and is not genuine, or not of that
day, fails the check.
"""

from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from snp_asserts import assert_accepted, assert_failed, assert_only, by_name, outcome, same
from snp_world import KINDS, LINES, NOW, Case, authority, case_of, certs_of, endorsement, good, moved

from attestcore import _lib
from snpverify import Policy, Verifier
from snpverify.testing import AT, AmdCa, Crl, Extension, RawTime, Revoked, SignatureAlgorithm, amd_name, der, rsa_key
from snpverify.testing.x509 import authority_key_identifier, key_id

BOTH = ("crl", "revocation")
BEGIN, END = datetime(2025, 6, 2, 17, 7, 45, tzinfo=timezone.utc), datetime(2026, 6, 2, 23, 0, 0, tzinfo=timezone.utc)
LINE_AND_KIND = pytest.mark.parametrize(("line", "kind"), list(itertools.product(LINES, KINDS)))


def given(*crls: Crl | bytes, line: str = "Genoa", kind: str = "VCEK") -> Case:
    return good(line, kind).but(crls=tuple(crl if isinstance(crl, bytes) else crl.der for crl in crls))


# ---- given or not ----------------------------------------------------------------------------------------------------


@LINE_AND_KIND
def test_a_genuine_crl_that_lists_others(line: str, kind: str, engine: str) -> None:
    ca = authority(line)
    crl = ca.crl([1, 0x999, 2**158, ca.ask.spec.serial + 1 if isinstance(ca.ask.spec.serial, int) else 0])  # fmt: skip
    verdict = given(crl, line=line, kind=kind).verify(engine)
    assert_accepted(verdict, ran=BOTH)
    assert "crl" not in verdict.omissions
    assert _lib.sha256(crl.der).hex() in verdict.used
    assert verdict.valid_until == int(
        min(END, datetime(2026, 1, 28, 16, 26, 55, tzinfo=timezone.utc) if kind == "VLEK" else END).timestamp()
    )


@LINE_AND_KIND
def test_none_given(line: str, kind: str) -> None:
    """Accepted, and said so: `crl` among the omissions; a policy may require one, and then it is missing, not wrong."""
    verdict = good(line, kind).verify()
    assert_accepted(verdict)
    assert "crl" in verdict.omissions
    assert outcome(verdict, "crl") == outcome(verdict, "revocation") == "not-run"
    required = good(line, kind).asking(require_crl=True).verify()
    checks = assert_failed(required, {"crl": "collateral-missing"})
    assert (checks["crl"].outcome, checks["crl"].category) == ("not-run", "collateral")
    assert "crl" not in required.omissions
    assert checks["revocation"].outcome == "not-run"


@pytest.mark.parametrize("kind", KINDS)
def test_the_crl_of_another_line(kind: str) -> None:
    """Genoa's evidence with Milan's list: nothing that bears on it was given."""
    crl = authority("Milan").crl([0x20002, 0x20101, 0x20000])
    case = given(crl, kind=kind)
    verdict = case.verify()
    assert_accepted(verdict)
    assert "crl" in verdict.omissions
    assert_only(case.asking(require_crl=True).verify(), "crl", "collateral-missing")
    # Trusting both roots changes nothing: lists go by the issuer.
    both = case.but(roots=(*case.roots, *authority("Milan").roots))
    assert "crl" in both.verify().omissions
    assert_only(both.asking(require_crl=True).verify(), "crl", "collateral-missing")


def test_crls_of_all_lines() -> None:
    """A verifier for a mixed column gets one of each; each chain is held against its own."""
    crls = tuple(authority(line).crl().der for line in LINES)
    roots = tuple(root for line in LINES for root in authority(line).roots)
    for line, kind in itertools.product(LINES, KINDS):
        verdict = good(line, kind).but(crls=crls, roots=roots).asking(require_crl=True).verify()
        assert_accepted(verdict, ran=BOTH)
        assert verdict.used[3:] == (_lib.sha256(authority(line).crl().der).hex(),)


def test_pem() -> None:
    assert_accepted(given(authority("Genoa").crl([5]).pem).verify(), ran=BOTH)
    revoked = given(b"\n" + authority("Genoa").crl([0x20002]).pem + b"\n").verify()
    assert_only(revoked, "revocation", "certificate-revoked", "issuer")


# ---- revoked ---------------------------------------------------------------------------------------------------------


@LINE_AND_KIND
@pytest.mark.parametrize("place", ["issuer", "root"])
def test_each_ca_listed(line: str, kind: str, place: str, engine: str) -> None:
    """The ASK (of a VCEK), the ASVK (of a VLEK), the ARK itself."""
    ca = authority(line)
    cert = ca.ark if place == "root" else ca.ask if kind == "VCEK" else ca.asvk
    assert isinstance(cert.spec.serial, int)
    verdict = given(ca.crl([cert.spec.serial]), line=line, kind=kind).verify(engine)
    assert_only(verdict, "revocation", "certificate-revoked", place, 0)
    assert verdict.claims_verified is False


@LINE_AND_KIND
def test_the_other_intermediate_listed(line: str, kind: str) -> None:
    """The ASVK's revocation says nothing of VCEKs, nor the ASK's of VLEKs."""
    ca = authority(line)
    other = ca.asvk if kind == "VCEK" else ca.ask
    assert isinstance(other.spec.serial, int)
    assert_accepted(given(ca.crl([other.spec.serial]), line=line, kind=kind).verify(), ran=BOTH)


def test_a_leaf_listed() -> None:
    """AMD's leaves have serial 0 and stand on no list. One that has a serial and is listed is revoked."""
    ca = authority("Genoa")
    leaf = ca.vcek(serial=0x5EED)
    case = case_of(ca, leaf)
    assert_accepted(case.but(crls=(ca.crl([0x5EEC, 0x5EEE]).der,)).verify(), ran=BOTH)
    listed = case.but(crls=(ca.crl([0x5EED]).der,)).verify()
    assert_only(listed, "revocation", "certificate-revoked", "leaf")


def test_serial_zero_listed() -> None:
    """All leaves have it. A list that names it is refused or obeyed; it is never passed over."""
    case = given(authority("Genoa").crl([0]))
    verdict = case.verify()
    assert verdict.accepted is False
    assert set(verdict.codes) <= {"certificate-revoked", "crl-malformed"}


@pytest.mark.parametrize("position", [0, 1, 2, 7, 8, 15, 16])
def test_the_place_in_the_list(position: int) -> None:
    """First, last, between; lists of odd and even length, in no order."""
    ca = authority("Genoa")
    others = [(0x9E3779B97F4A7C15 * (i + 1)) % 2**150 | 1 << 80 for i in range(16)]
    serials = [*others[:position], 0x20002, *others[position:]]
    assert_only(given(ca.crl(serials)).verify(), "revocation", "certificate-revoked")
    assert_accepted(given(ca.crl(others)).verify(), ran=BOTH)


@pytest.mark.parametrize(
    "serial",
    [0x2, 0x20001, 0x20003, 0x0200, 0x2000200, 0x120002, 0x20002 << 8, 0x20002 << 64, 1 << 127 | 0x20002],
)
def test_serials_that_look_alike(serial: int) -> None:
    """Prefixes, suffixes, neighbours: compared as numbers, whole."""
    assert_accepted(given(authority("Genoa").crl([serial])).verify(), ran=BOTH)


@pytest.mark.parametrize(
    "serial",
    [b"\x00\x02\x00\x02", b"\x00\x00\x02\x00\x02", b"\xfd\xff\xfe", -0x20002],
    ids=["padded", "twice", "negative", "minus"],
)
def test_serials_in_another_encoding(serial: int | bytes) -> None:
    """Not DER, or negative: the list is not one, and is not passed over."""
    assert_only(given(authority("Genoa").crl([serial])).verify(), "crl", "crl-malformed")


@pytest.mark.parametrize("length", [19, 20])
def test_long_serials(length: int) -> None:
    ca = authority("Genoa")
    serial = int.from_bytes(b"\x7e" + bytes(length - 2) + b"\x01", "big")
    leaf = ca.vcek(serial=serial)
    case = case_of(ca, leaf)
    assert_only(case.but(crls=(ca.crl([serial]).der,)).verify(), "revocation", "certificate-revoked", "leaf")
    assert_accepted(case.but(crls=(ca.crl([serial - 1, serial + 1]).der,)).verify(), ran=BOTH)


@pytest.mark.parametrize("days", [-3650, -1, 1, 3650])
def test_the_date_of_revocation_does_not_matter(days: int) -> None:
    """Long ago, or in the future: listed is revoked."""
    entry = Revoked(0x20002, AT + timedelta(days=days))
    assert_only(given(authority("Genoa").crl([entry])).verify(), "revocation", "certificate-revoked")


@pytest.mark.parametrize("reason", [0, 1, 2, 3, 4, 5, 6, 9, 10])
def test_the_reason_does_not_matter(reason: int) -> None:
    """certificateHold (6) too: on hold is not good."""
    entry = Revoked(0x20002, BEGIN, (Extension("reasonCode", bytes([0x0A, 1, reason])),))
    assert_only(given(authority("Genoa").crl([entry])).verify(), "revocation", "certificate-revoked")


@pytest.mark.parametrize("reason", [7, 8, 11, 255])
def test_reasons_that_take_off_the_list(reason: int) -> None:
    """removeFromCRL (8) belongs to deltas; what is not a reason is none."""
    entry = Revoked(0x20002, BEGIN, (Extension("reasonCode", bytes([0x0A, 1, reason])),))
    assert_only(given(authority("Genoa").crl([entry])).verify(), "crl", "crl-malformed")


def test_the_same_serial_twice() -> None:
    assert_only(given(authority("Genoa").crl([0x20002, 0x20002])).verify(), "revocation", "certificate-revoked")


# ---- genuine ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signer", ["impostor-ark", "genoa-ask", "genoa-asvk", "milan-ark", "spare-4096"])
@pytest.mark.parametrize("serials", [[], [0x20002]], ids=["empty", "listing"])
def test_signed_by_another(signer: str, serials: list[int], engine: str) -> None:
    """The ARK's name, another's key: its own forger's, or the ASK's, which may sign no CRL."""
    case = given(authority("Genoa").crl(serials, signer=rsa_key(signer)))
    verdict = case.verify(engine)
    assert_only(verdict, "crl", "crl-signature-invalid")
    assert outcome(verdict, "revocation") == "not-run"
    assert verdict.claims_verified is False


@pytest.mark.parametrize("name", ["SEV-Genoa", "SEV-VLEK-Genoa", "ARK-Genoa ", "ark-genoa", "ARK-Rome"])
def test_issued_under_another_name(name: str) -> None:
    """Signed by the ARK's key and naming another issuer: no ARK of AMD's issued it."""
    assert_only(given(authority("Genoa").crl(issuer=amd_name(name))).verify(), "crl", "crl-malformed", "issuer name")


def test_issued_under_the_name_of_another_line() -> None:
    """Genoa's key under Milan's name: where Milan is trusted, it is Milan's list with a wrong signature; Genoa's evidence has
    none then."""
    crl = authority("Genoa").crl(issuer=amd_name("ARK-Milan"))
    case = given(crl)
    assert "crl" in case.verify().omissions
    both = case.but(roots=(*case.roots, *authority("Milan").roots))
    assert "crl" in both.verify().omissions
    milan = good("Milan").but(roots=both.roots, crls=(crl.der,))
    assert_only(milan.verify(), "crl", "crl-signature-invalid")


def test_each_bit_of_the_signature_counts() -> None:
    crl = authority("Genoa").crl()
    for at in (0, 1, 255, 510, 511):
        data = bytearray(crl.der)
        data[len(data) - 512 + at] ^= 0x10
        assert_only(given(bytes(data)).verify(), "crl", "crl-signature-invalid")


def test_no_changed_byte_of_a_crl_is_believed() -> None:
    """Every byte of a list that names the ASK. Either it still says so, or it is refused; the evidence is accepted by none, but
    where the list is then of no known issuer it may be passed over, and only when the policy does not require one."""
    ca = authority("Genoa")
    crl = ca.crl([0x20002]).der
    case = good("Genoa")
    policy = Policy(require_crl=True)
    for at in range(0, len(crl), 3):
        data = crl[:at] + bytes([crl[at] ^ 0x01]) + crl[at + 1 :]
        verdict = Verifier(policy, ca.roots, [data]).verify(case.report, certs=case.certs, at=case.at)
        assert verdict.accepted is False, at
        assert verdict.codes in (
            ("crl-malformed",),
            ("crl-signature-invalid",),
            ("collateral-missing",),
            ("crl-too-large",),
        ), (at, verdict.codes)


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "version 1": ({"version": None, "extensions": None}, "version"),
    "version 3": ({"version": 2}, "version"),
    "no nextUpdate": ({"next_update": None}, "nextUpdate"),
    "ends before it begins": ({"this_update": END, "next_update": BEGIN}, "nextUpdate"),
    "fraction of a second": ({"this_update": RawTime(der.GENERALIZED_TIME, "20250602170745.5Z")}, "thisUpdate"),
    "time zone": ({"next_update": RawTime(der.UTC_TIME, "260602230000+0100")}, "nextUpdate"),
    "no zone": ({"this_update": RawTime(der.UTC_TIME, "250602170745")}, "thisUpdate"),
    "month 13": ({"next_update": RawTime(der.UTC_TIME, "261302230000Z")}, "nextUpdate"),
    "delta": ({"deltaCRLIndicator": Extension("deltaCRLIndicator", der.integer(1), True)}, "crlExtensions"),
    "delta not critical": ({"deltaCRLIndicator": der.integer(1)}, "crlExtensions"),
    "issuing point": ({"issuingDistributionPoint": Extension("issuingDistributionPoint", b"\x30\x03\x81\x01\xff", True)}, "crlExtensions"),
    "issuing point not critical": ({"issuingDistributionPoint": b"\x30\x03\x81\x01\xff"}, "crlExtensions"),
    "unknown critical": ({"subjectAltName": Extension("1.2.3.4", b"\x05\0", True)}, "crlExtensions"),
    "number critical": ({"cRLNumber": Extension("cRLNumber", der.integer(3), True)}, "crlExtensions"),
    "number negative": ({"cRLNumber": der.integer(-1)}, "crlExtensions"),
    "empty list": ({"revoked": ()}, "revokedCertificates"),
    "entry with unknown critical": (
        {"revoked": (Revoked(0x20002, BEGIN, (Extension("1.2.3.4", b"\x05\0", True),)),)}, "revokedCertificates"
    ),
    "entry of another issuer": (
        {"revoked": (Revoked(0x20002, BEGIN, (Extension("2.5.29.29", der.sequence()),)),)}, "revokedCertificates"
    ),
    "PKCS #1": ({"algorithm": SignatureAlgorithm("pkcs1")}, "tbsCertificate.signature"),
    "SHA-256": ({"algorithm": SignatureAlgorithm(hash="sha256", salt_length=32)}, "tbsCertificate.signature"),
    "algorithms differ": ({"outer_algorithm": SignatureAlgorithm(trailer=1)}, "signatureAlgorithm"),
    "trailing": ({"trailing": b"\0"}, "Certificate"),
    "trailing inside": ({"inner_trailing": der.null()}, "Certificate"),
    "unused bits": ({"signature_unused_bits": 1}, "signatureValue"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ODD))
def test_what_is_not_a_crl_of_amds(name: str) -> None:
    """Issued by the ARK's own key, and not what AMD issues. A list that one may not read in full is no list."""
    changes, _ = ODD[name]
    ca = authority("Genoa")
    for kind in KINDS:
        verdict = given(ca.crl(**changes), kind=kind).verify()
        assert_only(verdict, "crl", "crl-malformed")
        assert outcome(verdict, "revocation") == "not-run"


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\0",
        b"\x30",
        b"crl",
        b"\x30\x80\0\0",
        b"-----BEGIN X509 CRL-----\n*\n-----END X509 CRL-----\n",
        bytes(866),
    ],
)
def test_what_is_nothing_at_all(blob: bytes) -> None:
    """Somebody meant to have a list asked: without it nothing is accepted."""
    assert_only(given(blob).verify(), "crl", "crl-malformed")
    # A good one beside does not heal it: which of the two would have listed the chain?
    assert_only(given(authority("Genoa").crl(), blob).verify(), "crl", "crl-malformed")


def test_a_list_that_is_not_genuine_beside_one_that_is() -> None:
    ca = authority("Genoa")
    forged = ca.crl(signer=rsa_key("impostor-ark"))
    for crls in ((ca.crl(), forged), (forged, ca.crl())):
        assert_only(given(*crls).verify(), "crl", "crl-signature-invalid")
    listed = given(ca.crl([0x20002]), forged).verify()
    assert_failed(listed, {"crl": "crl-signature-invalid", "revocation": "certificate-revoked"})


def test_an_anchor_that_may_not_sign_lists() -> None:
    """An ARK without cRLSign is no root that one may give."""
    from snpverify.testing.x509 import key_usage

    ca = authority("Genoa").with_ark(keyUsage=key_usage(5))
    with pytest.raises(ValueError, match="certificate-constraints-invalid"):
        Verifier(roots=ca.roots)


def test_authority_key_identifier() -> None:
    """Another's key identifier in the list, or none: names and the signature say whose it is."""
    ca = authority("Genoa")
    other = authority_key_identifier(key_id(rsa_key("milan-ark")))
    assert_accepted(given(ca.crl(authorityKeyIdentifier=other)).verify(), ran=BOTH)
    assert_accepted(given(ca.crl(authorityKeyIdentifier=None)).verify(), ran=BOTH)
    empty = given(ca.crl(authorityKeyIdentifier=der.sequence())).verify()
    assert_only(empty, "crl", "crl-malformed")


# ---- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_window(kind: str) -> None:
    """thisUpdate and nextUpdate belong to it; a second beyond either does not."""
    ca = authority("Genoa")
    crl = ca.crl(this_update=AT - timedelta(days=10), next_update=AT + timedelta(days=10))
    case = given(crl, kind=kind)
    begin, end = moved(AT - timedelta(days=10), 0), moved(AT + timedelta(days=10), 0)
    for at in (begin, begin + 1, end - 1, end):
        assert_accepted(case.but(at=at).verify(), ran=BOTH)
    assert_only(case.but(at=begin - 1).verify(), "crl", "crl-not-yet-valid", "thisUpdate")
    late = case.but(at=end + 1).verify()
    assert_only(late, "crl", "crl-expired", "nextUpdate")
    assert by_name(late)["crl"].category == "time"
    assert outcome(late, "revocation") == "not-run"
    assert_only(case.but(at=end + 1).asking(require_crl=True).verify(), "crl", "crl-expired")


def _of_days(first: int, last: int, serials: list[int] | None = None) -> bytes:
    return (
        authority("Genoa")
        .crl(serials or [], this_update=AT + timedelta(days=first), next_update=AT + timedelta(days=last))
        .der
    )


def test_lists_of_several_days() -> None:
    """For evidence of several days one gives the list of each: the one of that day counts, in any order."""
    crls = (_of_days(-30, -10), _of_days(-10, 10), _of_days(11, 30))
    for order in itertools.permutations(crls):
        for day in (-29, -11, -10, 0, 10, 11, 29):
            verdict = good("Genoa").but(crls=order, at=AT + timedelta(days=day)).verify()
            assert_accepted(verdict, ran=BOTH)
    for day in (-31, 31):
        verdict = good("Genoa").but(crls=crls, at=AT + timedelta(days=day)).verify()
        assert by_name(verdict)["crl"].code in ("crl-expired", "crl-not-yet-valid")
        assert len(verdict.codes) == 1
    between = good("Genoa").but(crls=crls, at=moved(AT + timedelta(days=10), 3600)).verify()
    assert len(between.codes) == 1
    assert by_name(between)["crl"].code in ("crl-expired", "crl-not-yet-valid")


def test_revoked_in_the_list_of_that_day() -> None:
    """Not yet listed on Monday, listed on Tuesday. Nothing of the chain's is remembered from one time to another."""
    before, after = _of_days(-10, -1), _of_days(0, 10, [0x20002])
    case = good("Genoa").but(crls=(before, after))
    verifier = case.verifier()
    days = [-5, 5, -5, 5, -1, 0]
    results = verifier.verify_batch([case.report] * 6, certs=case.certs, at=[AT + timedelta(days=day) for day in days])
    assert list(results.code) == [None, "certificate-revoked"] * 3
    for day, verdict in zip(days, results, strict=True):
        same(verdict, case.but(at=AT + timedelta(days=day)).verify())


def test_an_older_list_beside_a_newer_one() -> None:
    """Both hold at the time. Whatever either lists is revoked, so an old list can hide nothing; the newer is named."""
    old, new = _of_days(-20, 10), _of_days(-2, 10, [0x20002])
    for crls in ((old, new), (new, old)):
        assert_only(good("Genoa").but(crls=crls).verify(), "revocation", "certificate-revoked")
    for crls in ((_of_days(-20, 10, [0x20002]), _of_days(-2, 10)), (_of_days(-2, 10), _of_days(-20, 10, [0x20002]))):
        assert_only(good("Genoa").but(crls=crls).verify(), "revocation", "certificate-revoked")
    fine = good("Genoa").but(crls=(old, _of_days(-2, 10))).verify()
    assert_accepted(fine, ran=BOTH)
    assert fine.used[3:] == (_lib.sha256(_of_days(-2, 10)).hex(),)


def test_a_list_that_has_ended_and_lists_the_ask() -> None:
    """It is not of this day, so it is not asked; without another the check fails by its end."""
    ended, now = _of_days(-20, -1, [0x20002]), _of_days(-1, 10)
    assert_only(good("Genoa").but(crls=(ended,)).verify(), "crl", "crl-expired")
    assert_accepted(good("Genoa").but(crls=(ended, now)).verify(), ran=BOTH)


def test_an_issuer_that_has_ended_under_a_current_list() -> None:
    """The list's being fresh says nothing of the certificate's dates."""
    ca = AmdCa("Genoa", ask={"not_after": AT - timedelta(days=1)})
    case = case_of(ca, ca.vcek()).but(crls=(ca.crl().der,))
    assert_only(case.verify(), "issuer-validity", "certificate-expired", "issuer")


def test_without_a_time() -> None:
    """A row without a time is refused for that; its CRL is not judged at some other one."""
    case = given(authority("Genoa").crl([0x20002]))
    verdict = case.verifier().verify_batch([case.report], certs=case.certs, at=[None])[0]
    assert_only(
        verdict,
        "evaluation-time",
        "evaluation-time-missing",
        "evaluation time",
        unrun=("leaf-validity", "issuer-validity", "root-validity"),
    )
    assert outcome(verdict, "crl") == "not-run"


# ---- with a chain that does not hold ---------------------------------------------------------------------------------


def test_under_a_forged_chain() -> None:
    """The genuine CRL lists nothing of the forger's; the chain is refused by itself."""
    forger = authority("Genoa", impostor=True)
    case = case_of(forger, forger.vcek()).but(roots=authority("Genoa").roots, crls=(authority("Genoa").crl().der,))
    verdict = case.but(certs=(*case.certs, forger.ark_der)).verify()
    assert_failed(verdict, {"root": "root-untrusted", "issuer-signature": "issuer-signature-invalid"})


def test_a_crl_of_the_forgers() -> None:
    """It bears the genuine ARK's name and the forger's signature."""
    forger = authority("Genoa", impostor=True)
    assert_only(given(forger.crl()).verify(), "crl", "crl-signature-invalid")


def test_two_anchors_of_one_name() -> None:
    """Both trusted: a list counts for whichever signed it."""
    real, other = authority("Genoa"), authority("Genoa", impostor=True)
    roots = (*real.roots, *other.roots)
    case = good("Genoa").but(roots=roots)
    assert_accepted(case.but(crls=(real.crl().der,)).verify(), ran=BOTH)
    assert_only(case.but(crls=(real.crl([0x20002]).der,)).verify(), "revocation", "certificate-revoked")
    strange = case.but(crls=(other.crl([0x20002]).der,)).verify()
    assert_accepted(strange)
    assert "crl" in strange.omissions


# ---- bounds ----------------------------------------------------------------------------------------------------------


def test_a_long_list() -> None:
    """50 000 entries: looked up by halves, so a thousand rows take no longer than with a short one."""
    ca = authority("Genoa")
    serials = [0x30000 + 2 * i for i in range(50_000)]
    crl = ca.crl(serials)
    assert len(crl.der) < 4 << 20
    case = given(crl)
    verifier = case.verifier()
    start = time.process_time()
    assert all(verifier.verify_batch([case.report] * 200, certs=case.certs, at=NOW).accepted)
    long = time.process_time() - start
    start = time.process_time()
    assert all(given(ca.crl()).verifier().verify_batch([case.report] * 200, certs=case.certs, at=NOW).accepted)
    short = time.process_time() - start
    assert long < 5 * short + 0.5
    assert_only(given(ca.crl([*serials, 0x20002])).verify(), "revocation", "certificate-revoked")
    assert_only(given(ca.crl([0x20002, *serials])).verify(), "revocation", "certificate-revoked")


def test_a_list_that_is_too_large() -> None:
    """Above 4 MiB nothing is read: the check fails, by a word of its own."""
    verdict = given(b"\x30\x84\x00\x40\x00\x00" + bytes(4 << 20)).verify()
    assert_only(verdict, "crl", "crl-too-large", "CRL", 0)
    assert by_name(verdict)["crl"].category == "limit"


def test_a_hundred_lists() -> None:
    ca = authority("Genoa")
    crls = tuple(ca.crl(number=i, this_update=AT - timedelta(days=i + 1)).der for i in range(100))
    case = good("Genoa").but(crls=crls)
    assert_accepted(case.verify(), ran=BOTH)
    worse = case.but(crls=(*crls, ca.crl([0x20002]).der))
    assert_only(worse.verify(), "revocation", "certificate-revoked")


def test_what_a_row_with_its_own_certificates_says() -> None:
    """In one batch: revoked chain, good chain, VLEK chain, each row by its own."""
    revoked = AmdCa("Genoa", ask_key=rsa_key("genoa-ask-2022"), ask={"serial": 0x20001})
    ca = authority("Genoa")
    crl = ca.crl([0x20001])
    sets = [
        certs_of(revoked, revoked.vcek()),
        certs_of(ca, endorsement("Genoa")),
        certs_of(ca, endorsement("Genoa", "VLEK")),
    ]
    cases = [case_of(revoked, revoked.vcek()), good("Genoa"), good("Genoa", "VLEK")]
    results = (
        given(crl).verifier().verify_batch([case.report for case in cases], certs=sets, certs_index=[0, 1, 2], at=NOW)
    )
    assert list(results.code) == ["certificate-revoked", None, None]
    assert by_name(results[0])["revocation"].field == "issuer"
