# SPDX-License-Identifier: Apache-2.0
"""Real reports under AMD's own roots: what must be accepted, and when, and what the same evidence says when one thing about
it is wrong. The default policy, unless a test says otherwise."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from snp_asserts import assert_accepted, assert_failed, assert_only, by_name, outcome, same
from snp_evidence import (
    CERTS,
    CRLS,
    DEBUG,
    FOLDER,
    ITEMS,
    ORPHAN,
    PAIRS,
    REVOKED_ASK,
    ROOT,
    Item,
    Signer,
    cert,
    each_item,
    each_pair,
    item,
    needs_evidence,
)

from attestcore import _lib, engines
from attestcore.cli import snp as cli
from snpverify import GuestPolicy, Policy, Verdict, Verifier, parse_report
from snpverify.policy import GuestPolicyRules
from snpverify.testing import AmdCa, der

pytestmark = needs_evidence

EXAMPLES = ROOT / "examples" / "data"
LEAVES = {stem: data for stem, data in CERTS.items() if stem.startswith(("SEV-VCEK_", "SEV-VLEK_"))}
DEBUG_OK = Policy(guest_policy=GuestPolicyRules(debug="any"))
OLD_OK = Policy(leaf_not_before="ignore")


@lru_cache(maxsize=64)
def verifier(policy: Policy | None = None, crls: tuple[bytes, ...] = (), engine: str | None = None) -> Verifier:
    return Verifier(policy, None, crls, None, engine)


def judge(real: Item, certs: Sequence[bytes], at: int, **how: Any) -> Verdict:
    return verifier(**how).verify(real.report, certs=certs, at=at)


def assert_as_expected(real: Item, verdict: Verdict) -> None:
    """Inside the validity of its certificate, under the default policy."""
    if real.name == DEBUG:
        assert_only(verdict, "guest-policy-debug", "debug-allowed", "POLICY", 0x08 + 2)
        assert verdict.claims_verified is True
    else:
        assert_accepted(verdict)


# ---- as they are -----------------------------------------------------------------------------------------------------


@each_pair()
def test_each_report_with_each_certificate_that_signed_it(real: Item, signer: Signer, engine: str) -> None:
    verdict = judge(real, [signer.der], signer.middle, engine=engine)
    assert_as_expected(real, verdict)
    assert verdict.used[0] == hashlib.sha256(signer.der).hexdigest()
    assert verdict.engine == engine
    assert verdict.valid_until == min(signer.not_after, *_ca_ends(signer))
    assert verdict.evidence_sha256 is not None
    assert verdict.evidence_sha256.startswith(real.name)
    claims = verdict.claims
    assert claims is not None
    assert claims["product"] == signer.product.lower()
    assert claims["version"] == real.version


def _ca_ends(signer: Signer) -> list[int]:
    names = (f"SEV-{signer.product}_", f"SEV-VLEK-{signer.product}_", f"ARK-{signer.product}_")
    return [_lib.snp_cert_read(data).not_after for stem, data in CERTS.items() if stem.startswith(names)]


def test_the_manifest_is_not_empty() -> None:
    assert len(ITEMS) == 15
    assert [len(i.signers) for i in ITEMS].count(2) == 2
    assert {i.name for i in ITEMS if not i.accepted} == {DEBUG, ORPHAN}
    assert {signer.kind for _, signer in PAIRS} == {"VCEK", "VLEK"}
    assert {signer.product for _, signer in PAIRS} == {"Milan", "Genoa", "Turin"}
    assert {i.version for i in ITEMS} == {2, 3, 5}


def test_the_one_with_debug_needs_to_be_allowed_so() -> None:
    real = item(DEBUG)
    for signer in real.signers:
        assert_accepted(judge(real, [signer.der], signer.middle, policy=DEBUG_OK))


def test_the_one_whose_certificate_is_not_known() -> None:
    real = item(ORPHAN)
    verdict = judge(real, [], 1750000000)
    checks = assert_failed(verdict, {"certificate": "certificate-missing"}, unrun=None)
    assert checks["certificate"].outcome == "not-run"
    assert checks["certificate"].category == "collateral"
    detail = checks["certificate"].detail or ""
    assert parse_report(real.report).chip_id.hex() in detail  # what to fetch
    assert "0300000000000873" in detail
    assert verdict.claims_verified is False


@each_item()
def test_without_certificates(real: Item) -> None:
    """Nothing to judge it by is no failure of the evidence: it could not be run, and says what is missing."""
    verdict = judge(real, [], 1750000000)
    missing = {"certificate": "certificate-missing"}
    if real.name == DEBUG:
        missing["guest-policy-debug"] = "debug-allowed"
    checks = assert_failed(verdict, missing, unrun=None)
    assert checks["certificate"].outcome == "not-run"
    assert verdict.used == ()
    assert verdict.valid_until is None
    assert verdict.claims is not None


def test_missing_certificates_are_named_by_address() -> None:
    """Genoa v3 tells its product, so the address is whole; the TCB in it is REPORTED_TCB, never CURRENT."""
    real = item("4ae0e73ab3a0e461")
    report = parse_report(real.report)
    detail = by_name(judge(real, [], 1750000000))["certificate"].detail or ""
    tcb = report.reported_tcb
    assert f"https://kdsintf.amd.com/vcek/v1/Genoa/{report.chip_id.hex()}?" in detail
    for name, value in (("bl", tcb.boot_loader), ("tee", tcb.tee), ("snp", tcb.snp), ("ucode", tcb.microcode)):
        assert f"{name}SPL={value:02d}" in detail
    turin = parse_report(item("85da705e19cdc2b8").report)
    detail = by_name(judge(item("85da705e19cdc2b8"), [], 1750000000))["certificate"].detail or ""
    assert f"/vcek/v1/Turin/{turin.chip_id[:8].hex()}?" in detail
    assert f"fmcSPL={turin.reported_tcb.fmc:02d}" in detail


def test_reported_and_current_tcb_differ_in_some() -> None:
    """Otherwise nothing here would tell which of them is held against the certificate."""
    differ = [i for i in ITEMS if (r := parse_report(i.report)).reported_tcb.raw != r.current_tcb.raw]
    assert any(i.accepted for i in differ)


# ---- time ------------------------------------------------------------------------------------------------------------


def _asking(real: Item, leaf_not_before: str = "enforce") -> Policy:
    """A policy that the report meets: DEBUG allowed where it is set."""
    rules = GuestPolicyRules(debug="any" if real.name == DEBUG else "forbidden")
    return Policy(guest_policy=rules, leaf_not_before=leaf_not_before)  # type: ignore[arg-type]


@each_pair()
def test_bounds_of_validity(real: Item, signer: Signer) -> None:
    """Both ends belong to it; one second beyond either does not, and nothing else about the evidence is wrong then."""
    policy = _asking(real)
    for at in (signer.not_before, signer.not_before + 1, signer.not_after - 1, signer.not_after):
        assert_accepted(judge(real, [signer.der], at, policy=policy))
    early = judge(real, [signer.der], signer.not_before - 1, policy=policy)
    assert_only(early, "leaf-validity", "certificate-not-yet-valid", "leaf", 0)
    late = judge(real, [signer.der], signer.not_after + 1, policy=policy)
    assert_only(late, "leaf-validity", "certificate-expired", "leaf", 0)
    assert early.claims_verified is late.claims_verified is False


@each_pair()
def test_old_evidence_under_a_certificate_issued_again(real: Item, signer: Signer) -> None:
    """leaf_not_before = "ignore": before notBefore, but never after notAfter, nor before the ASK's."""
    policy = _asking(real, "ignore")
    assert_accepted(judge(real, [signer.der], signer.not_before - 1, policy=policy))
    late = judge(real, [signer.der], signer.not_after + 1, policy=policy)
    assert_only(late, "leaf-validity", "certificate-expired")
    ask_from = max(_lib.snp_cert_read(der_).not_before for der_ in _chain(signer))
    assert_accepted(judge(real, [signer.der], ask_from, policy=policy))
    before = judge(real, [signer.der], ask_from - 1, policy=policy)
    assert_only(before, "issuer-validity", "certificate-not-yet-valid", "issuer")


def _chain(signer: Signer) -> list[bytes]:
    ask = {"VCEK": f"SEV-{signer.product}_", "VLEK": f"SEV-VLEK-{signer.product}_"}[signer.kind]
    stems = [s for s in CERTS if s.startswith((ask, f"ARK-{signer.product}_")) and REVOKED_ASK not in s]
    return [CERTS[s] for s in stems]


def test_long_after() -> None:
    """In 2050 the leaf, the ASK and the ARK have all ended; each says so."""
    for name in ("4ae0e73ab3a0e461", "85da705e19cdc2b8"):
        real = item(name)
        verdict = judge(real, [real.signers[0].der], 2524608000)
        wanted = dict.fromkeys(("leaf-validity", "issuer-validity", "root-validity"), "certificate-expired")
        assert_failed(verdict, wanted)


# ---- choice ----------------------------------------------------------------------------------------------------------


def _expected_signer(real: Item, at: int) -> Signer:
    valid = [s for s in real.signers if s.not_before <= at <= s.not_after]
    return max(valid or real.signers, key=lambda s: s.not_before)


@pytest.mark.parametrize("order", ["by name", "reversed", 1, 2, 3])
def test_all_certificates_at_once_in_any_order(order: str | int) -> None:
    """Every real certificate together: each report finds its own, of two the newest that is valid then."""
    names = sorted(CERTS)
    if order == "reversed":
        names.reverse()
    elif order != "by name":
        random.Random(order).shuffle(names)
    certs = [CERTS[name] for name in names]
    for real in ITEMS:
        for at in {s.middle for s in real.signers} | {s.not_before for s in real.signers}:
            verdict = judge(real, certs, at)
            assert_as_expected(real, verdict)
            assert verdict.used[0] == hashlib.sha256(_expected_signer(real, at).der).hexdigest()


@pytest.mark.parametrize("form", ["one PEM", "PEM each", "DER twice", "PEM and DER"])
def test_all_certificates_in_any_form(form: str) -> None:
    pems = [_pem(data) for data in CERTS.values()]
    certs = {
        "one PEM": [b"".join(pems)],
        "PEM each": pems,
        "DER twice": [*CERTS.values(), *CERTS.values()],
        "PEM and DER": [*CERTS.values(), b"".join(pems)],
    }[form]
    for real in ITEMS:
        for signer in real.signers[:1]:
            assert_as_expected(real, judge(real, certs, signer.middle))


def _pem(data: bytes) -> bytes:
    import base64

    text = base64.encodebytes(data).decode().replace("\n", "")
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n".encode()


def test_of_two_certificates_the_one_valid_then() -> None:
    """Before the second was issued only the first is valid, and is taken; once both are valid, the newer."""
    real = next(i for i in ITEMS if len(i.signers) == 2 and i.accepted)
    first, second = sorted(real.signers, key=lambda s: s.not_before)
    both = [second.der, first.der]
    old = judge(real, both, second.not_before - 1)
    assert_accepted(old)
    assert old.used[0] == hashlib.sha256(first.der).hexdigest()
    new = judge(real, both, second.not_before)
    assert_accepted(new)
    assert new.used[0] == hashlib.sha256(second.der).hexdigest()
    later = judge(real, both, first.not_after + 1)
    assert_accepted(later)
    assert later.used[0] == hashlib.sha256(second.der).hexdigest()


# ---- every certificate in every place ---------------------------------------------------------------------------------


def _tcb(raw: bytes, turin: bool) -> tuple[int, ...]:
    return (raw[0], raw[1], raw[2], raw[3], raw[7]) if turin else (0, raw[0], raw[1], raw[6], raw[7])


def _strange(real: Item, leaf: _lib.CertInfo, own_key: bool) -> dict[str, str]:
    """What a report says under a certificate of another chip, by rules written down here apart from the core."""
    report = real.report
    vlek = report[0x48] >> 2 & 7 == 1
    out: dict[str, str] = {}
    has_cpuid = real.version >= 3
    family = report[0x188]
    product = {0x19: "genoa" if report[0x189] >= 0x10 else "milan", 0x1A: "turin"}[family] if has_cpuid else None
    long_chip = any(report[0x1A8:0x1E0])  # no Turin has one: it says something of version 2, which has no CPUID
    turin = product == "turin" if has_cpuid else leaf.product == "turin" and not long_chip
    spare = (4, 5, 6) if turin else (2, 3, 4, 5)
    if any(report[at + i] for at in (0x38, 0x180, 0x1E0, 0x1F0) for i in spare):
        out["report-tcb-layout"] = "tcb-reserved-not-zero"
    if (leaf.role == "vlek") != vlek:
        out["signer-kind"] = "signer-kind-mismatch"
    if leaf.product != product if has_cpuid else leaf.product == "turin" and long_chip:
        out["product"] = "product-mismatch"
    if leaf.role == "vcek" and any(report[0x1A0:0x1E0]) and report[0x1A0:0x1E0] != leaf.hwid.ljust(64, b"\0"):
        out["chip-id"] = "chip-id-mismatch"
    tcb = leaf.tcb
    reported, current, committed = (_tcb(report[at : at + 8], turin) for at in (0x180, 0x38, 0x1E0))
    if reported != (tcb.fmc, tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode):
        out["reported-tcb"] = "reported-tcb-mismatch"
    if any(a > b for lower in (reported, committed) for a, b in zip(lower, current, strict=True)):
        out["tcb-order"] = "tcb-order-invalid"
    if not own_key:
        out["report-signature"] = "report-signature-invalid"
    if real.name == DEBUG:
        out["guest-policy-debug"] = "debug-allowed"
    return out


def _both_valid_at(leaf: _lib.CertInfo) -> int:
    return (leaf.not_before + leaf.not_after) // 2


@each_item()
def test_each_report_with_each_leaf_of_another(real: Item) -> None:
    """Its own certificate is not there: the nearest is judged, and every rule that it does not fit is named."""
    own = {signer.der for signer in real.signers}
    keys = {_lib.snp_cert_read(der_).key for der_ in own}
    for data in LEAVES.values():
        leaf = _lib.snp_cert_read(data)
        verdict = judge(real, [data], _both_valid_at(leaf))
        wanted = _strange(real, leaf, leaf.key in keys)
        if data in own:
            assert set(wanted) <= {"guest-policy-debug"}
            assert_as_expected(real, verdict)
        else:
            assert wanted
            assert_failed(verdict, wanted)


@pytest.mark.parametrize("stem", [stem for stem in CERTS if stem not in LEAVES])
def test_a_ca_certificate_in_the_place_of_the_leaf(stem: str) -> None:
    """A CA certificate signs no reports: with it alone there is no leaf."""
    for real in (item("4ae0e73ab3a0e461"), item("120d77b213c8868d"), item("14fd2b6e459c85e7")):
        assert_only(judge(real, [CERTS[stem]], 1750000000), "certificate", "certificate-missing", unrun=None)


@pytest.mark.parametrize("stem", list(CERTS))
def test_every_certificate_in_the_place_of_the_root(stem: str) -> None:
    """Only an ARK is taken, and only the right one makes the evidence acceptable."""
    real = item("4ae0e73ab3a0e461")
    signer = real.signers[0]
    if not stem.startswith("ARK-"):
        with pytest.raises(ValueError, match="roots"):
            Verifier(roots=[CERTS[stem]])
        return
    trusting = Verifier(roots=[CERTS[stem]])
    alone = trusting.verify(real.report, certs=[signer.der], at=signer.middle)
    whole = trusting.verify(real.report, certs=[signer.der, *_chain(signer)], at=signer.middle)
    if stem.startswith("ARK-Genoa"):
        assert_accepted(alone)
        assert_accepted(whole)
    else:
        assert_only(whole, "root", "root-untrusted", "root", unrun=("issuer-signature", "root-validity"))
        assert whole.claims_verified is False
        # Of the shipped intermediates only those of the roots given are known: Genoa's ASK is missing then.
        assert_only(alone, "issuer-profile", "certificate-missing", unrun=None)


@pytest.mark.parametrize("stem", list(CERTS))
def test_every_certificate_in_the_place_of_the_crl(stem: str) -> None:
    """Not a CRL at all: whoever gave it meant to have one asked."""
    real = item("120d77b213c8868d")
    signer = real.signers[0]
    verdict = judge(real, [signer.der], signer.middle, crls=(CERTS[stem],))
    assert_only(verdict, "crl", "crl-malformed")
    assert outcome(verdict, "revocation") == "not-run"


@pytest.mark.parametrize("line", list(CRLS))
def test_a_crl_in_the_place_of_a_certificate(line: str) -> None:
    """Beside the leaf it does not matter; in its stead it is nothing one can read; as a root it is a mistake."""
    real = item("120d77b213c8868d")
    signer = real.signers[0]
    assert_accepted(judge(real, [CRLS[line], signer.der], signer.middle))
    assert_only(judge(real, [CRLS[line]], signer.middle), "certificate", "certificate-malformed", unrun=None)
    with pytest.raises(ValueError, match="roots"):
        Verifier(roots=[CRLS[line]])


@each_pair()
def test_a_report_in_the_place_of_a_certificate(real: Item, signer: Signer) -> None:
    """And a certificate in the place of the report."""
    verdict = verifier().verify(signer.der, certs=[signer.der], at=signer.middle)
    assert_only(verdict, "report-length", "report-length-invalid", "ATTESTATION_REPORT", unrun=None)
    assert verdict.claims is None
    verdict = judge(real, [real.report], signer.middle)
    assert by_name(verdict)["certificate"].code == "certificate-set-malformed"
    assert verdict.accepted is False


def test_every_ca_certificate_beside_the_leaf_changes_nothing() -> None:
    """Any one, and all, of the CA certificates, the revoked ASK too: the anchor is the pinned one."""
    others = {stem: data for stem, data in CERTS.items() if stem not in LEAVES}
    for real in ITEMS:
        for signer in real.signers[:1]:
            alone = judge(real, [signer.der], signer.middle)
            for data in (*others.values(), b"".join(map(_pem, others.values()))):
                same(judge(real, [data, signer.der], signer.middle), alone)


# ---- revocation ------------------------------------------------------------------------------------------------------


def test_the_crls_are_what_they_are_said_to_be() -> None:
    milan, genoa = (_lib.snp_crl_read(CRLS[line]) for line in ("Milan", "Genoa"))
    assert milan.profile.code == genoa.profile.code == _lib.PASS
    assert milan.revoked == ()
    assert genoa.revoked == (0x20001,)
    revoked = _lib.snp_cert_read(cert(REVOKED_ASK))
    assert (revoked.role, revoked.product, revoked.serial) == ("ask", "genoa", 0x20001)
    assert revoked.profile.code == _lib.PASS
    trust = _trust([cert(REVOKED_ASK)], CRLS["Genoa"])
    assert trust.crl_infos[0].root == 0, "Genoa's CRL is signed by Genoa's ARK"
    assert _trust([], CRLS["Milan"]).crl_infos[0].root == -1


def _trust(intermediates: list[bytes], crl: bytes) -> _lib.SnpTrust:
    ark = next(data for stem, data in CERTS.items() if stem.startswith("ARK-Genoa"))
    return _lib.SnpTrust([ark], intermediates, [crl], engines.runner("portable"))


def test_the_milan_crl_in_its_window() -> None:
    """A VCEK of November 2022 and the CRL of 2022-05-09 to 2023-05-09: genuine, asked, not listed."""
    real, signer = next((i, s) for i, s in PAIRS if s.name == "914363d8d0c9aa18")
    info = _lib.snp_crl_read(CRLS["Milan"])
    for at in (signer.not_before, info.next_update):
        verdict = judge(real, [signer.der], at, crls=(CRLS["Milan"],))
        assert_accepted(verdict, ran=("crl", "revocation"))
        assert "crl" not in verdict.omissions
        assert hashlib.sha256(CRLS["Milan"]).hexdigest() in verdict.used
        assert verdict.valid_until == info.next_update
    late = judge(real, [signer.der], info.next_update + 1, crls=(CRLS["Milan"],))
    assert_only(late, "crl", "crl-expired", "nextUpdate")
    early = judge(real, [signer.der], info.this_update - 1, crls=(CRLS["Milan"],), policy=OLD_OK)
    assert_only(early, "crl", "crl-not-yet-valid", "thisUpdate")


def test_the_genoa_crl_spares_the_ask_that_followed() -> None:
    """At a time inside the CRL's window the ASK in use (0x20002) is not the one revoked (0x20001), even when the revoked
    certificate lies beside it. The leaves were issued later: leaf_not_before = "ignore"."""
    real = item("4ae0e73ab3a0e461")
    info = _lib.snp_crl_read(CRLS["Genoa"])
    for certs in ([real.signers[0].der], [cert(REVOKED_ASK), real.signers[0].der]):
        verdict = judge(real, certs, info.next_update - 86400, crls=(CRLS["Genoa"],), policy=OLD_OK)
        assert_accepted(verdict, ran=("crl", "revocation"))
        assert hashlib.sha256(cert(REVOKED_ASK)).hexdigest() not in verdict.used


def test_the_revoked_genoa_ask_is_revoked() -> None:
    """No leaf of its is public. A leaf under its name brings it into the chain when no other ASK is known: then the leaf's
    signature does not hold, and the CRL, inside its window, names the ASK."""
    stranger = AmdCa("Genoa").vcek()
    real = item("4ae0e73ab3a0e461")
    crl = CRLS["Genoa"]
    info = _lib.snp_crl_read(crl)
    judge_ = Verifier(OLD_OK, crls=[crl])
    judge_._trust = _trust([cert(REVOKED_ASK)], crl)
    verdict = judge_.verify(real.report, certs=[stranger.der], at=info.this_update + 86400)
    checks = by_name(verdict)
    assert checks["revocation"].code == "certificate-revoked"
    assert checks["revocation"].field == "issuer"
    assert outcome(verdict, "issuer-signature") == outcome(verdict, "crl") == "pass"
    assert hashlib.sha256(cert(REVOKED_ASK)).hexdigest() in verdict.used
    later = judge_.verify(real.report, certs=[stranger.der], at=info.next_update + 1)
    assert by_name(later)["crl"].code == "crl-expired"
    assert outcome(later, "revocation") == "not-run"


# ---- every entry point -----------------------------------------------------------------------------------------------


def _expected(real: Item) -> str | None:
    return {DEBUG: "debug-allowed", ORPHAN: None}.get(real.name)


@pytest.fixture(scope="module")
def rows() -> list[tuple[Item, Signer]]:
    return list(PAIRS)


@pytest.mark.parametrize("form", ["list", "buffer", "bytearray", "memoryview", "arrow", "chunked", "fixed", "view"])
def test_batches_say_what_single_calls_say(rows: list[tuple[Item, Signer]], form: str) -> None:
    """All reports in one batch, one set of all certificates, a time a row."""
    reports = [real.report for real, _ in rows]
    columns: dict[str, Any] = {
        "list": reports,
        "buffer": b"".join(reports),
        "bytearray": bytearray(b"".join(reports)),
        "memoryview": memoryview(b"".join(reports)),
        "arrow": pa.array(reports, pa.binary()),
        "chunked": pa.chunked_array([reports[:3], [], reports[3:]], pa.large_binary()),
        "fixed": pa.array(reports, pa.binary(1184)),
        "view": pa.array(reports, pa.binary_view()),
    }
    certs = list(CERTS.values())
    times = [signer.middle for _, signer in rows]
    results = verifier().verify_batch(columns[form], certs=certs, at=times)
    assert list(results.code) == [_expected(real) for real, _ in rows]
    assert list(results.accepted) == [real.accepted for real, _ in rows]
    table = results.to_arrow()
    assert table["accepted"].to_pylist() == list(results.accepted)
    assert table["code"].to_pylist() == list(results.code)
    for i, (real, signer) in enumerate(rows):
        same(results[i], judge(real, certs, signer.middle))


def test_batch_with_a_set_a_row(rows: list[tuple[Item, Signer]]) -> None:
    reports = [real.report for real, _ in rows]
    times = pa.array([signer.middle for _, signer in rows], pa.timestamp("s", tz="UTC"))
    index = list(range(len(rows)))
    by_index = verifier().verify_batch(reports, certs=[[s.der] for _, s in rows], certs_index=index, at=times)
    by_column = verifier().verify_batch(reports, certs=pa.array([s.der for _, s in rows]), at=times)
    for results in (by_index, by_column):
        assert list(results.code) == [_expected(real) for real, _ in rows]
        for i, (real, signer) in enumerate(rows):
            same(results[i], judge(real, [signer.der], signer.middle))


@pytest.mark.parametrize("shift", [1, 2, 5])
def test_batch_with_the_sets_of_other_rows(rows: list[tuple[Item, Signer]], shift: int) -> None:
    """Sets moved by some rows: no row may profit from its neighbour's."""
    moved = rows[shift:] + rows[:shift]
    times = [signer.middle for _, signer in moved]
    results = verifier().verify_batch(
        [real.report for real, _ in rows], certs=pa.array([s.der for _, s in moved]), at=times
    )
    for i, ((real, _), (_, signer)) in enumerate(zip(rows, moved, strict=True)):
        assert results.accepted[i] is (real.accepted and signer in real.signers)
        same(results[i], judge(real, [signer.der], signer.middle))


def _cli(*args: object, stdin: bytes | None = None) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(cli.main, [str(arg) for arg in args], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout)


@each_pair()
def test_the_command_says_the_same(real: Item, signer: Signer, tmp_path: Path) -> None:
    report, leaf = tmp_path / "report.bin", tmp_path / "leaf.der"
    report.write_bytes(real.report)
    leaf.write_bytes(signer.der)
    status, said = _cli("verify", report, "--certs", leaf, "--at", signer.middle, "--json")
    verdict = judge(real, [signer.der], signer.middle)
    assert said == verdict.to_dict()
    assert status == (0 if real.accepted else 1)
    if real.name == DEBUG:
        status, said = _cli("verify", report, "--certs", leaf, "--at", signer.middle, "--json", "--allow-debug")
        assert (status, said["accepted"]) == (0, True)


def test_the_command_without_the_certificate(tmp_path: Path) -> None:
    """Only the certificate is absent: exit 3."""
    status, said = _cli("verify", "-", "--at", "2025-06-20T00:00:00Z", "--json", stdin=item(ORPHAN).report)
    assert (status, said["codes"]) == (3, ["certificate-missing"])
    # DEBUG set as well: a check failed, and that goes first.
    status, said = _cli("verify", "-", "--at", "2025-06-20T00:00:00Z", "--json", stdin=item(DEBUG).report)
    assert (status, said["codes"]) == (1, ["certificate-missing", "debug-allowed"])


# ---- damage ----------------------------------------------------------------------------------------------------------


def test_no_single_changed_byte_of_a_real_report_is_accepted() -> None:
    """Real evidence, real roots: 1184 changed bytes, each refused. (Every single bit: test_signature.py.)"""
    real = item("85da705e19cdc2b8")
    signer = real.signers[0]
    damaged = [
        real.report[:at] + bytes([real.report[at] ^ 0x40]) + real.report[at + 1 :] for at in range(len(real.report))
    ]
    results = verifier().verify_batch(damaged, certs=[signer.der], at=signer.middle)
    assert not any(results.accepted)
    assert all(results.code)


def test_no_single_changed_byte_of_a_real_certificate_is_accepted() -> None:
    """Of the leaf: every byte. What the signature covers fails by it at the latest; the rest is framing."""
    real = item("85da705e19cdc2b8")
    signer = real.signers[0]
    sets = [signer.der[:at] + bytes([signer.der[at] ^ 1]) + signer.der[at + 1 :] for at in range(len(signer.der))]
    results = verifier().verify_batch(
        [real.report] * len(sets), certs=sets, certs_index=list(range(len(sets))), at=signer.middle
    )
    assert not any(results.accepted)
    assert all(results.code)


# ---- what ships ------------------------------------------------------------------------------------------------------


def test_the_example_is_accepted() -> None:
    """examples/data, as the README's first command has it."""
    report = bytes.fromhex((EXAMPLES / "report_milan.hex").read_text(encoding="ascii"))
    leaf = (EXAMPLES / "vcek_milan.der").read_bytes()
    assert_accepted(verifier().verify(report, certs=[leaf], at=1750000000))
    assert_accepted(verifier().verify(report, certs=[(EXAMPLES / "vcek_turin.der").read_bytes(), leaf], at=1750000000))
    turin = verifier().verify(report, certs=[(EXAMPLES / "vcek_turin.der").read_bytes()], at=1750000000)
    assert turin.accepted is False
    assert "report-signature-invalid" in turin.codes
    status, said = _cli(
        "verify", EXAMPLES / "report_milan.hex", "--certs", EXAMPLES / "vcek_milan.der", "--at", "2025-06-20T00:00:00Z",
        "--json",
    )  # fmt: skip
    assert (status, said["accepted"]) == (0, True)


def test_the_shipped_roots_are_amds() -> None:
    """Each by its SHA-256, in the words of the published pins."""
    from snpverify import roots

    pins = {
        "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
        "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
        "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
    }
    assert {hashlib.sha256(der_).hexdigest() for der_ in roots.anchors()} == pins
    assert cert(REVOKED_ASK) not in roots.intermediates()
    shipped = {*roots.anchors(), *roots.intermediates()}
    real = {data for stem, data in CERTS.items() if stem not in LEAVES and REVOKED_ASK not in stem}
    assert shipped == real
    assert all(der.read(data).encoded == data for data in shipped)


def test_policy_objects_of_the_report_are_not_those_asked() -> None:
    """Two classes of nearly one name: what a report says, and what is asked of it."""
    report = parse_report(item("4ae0e73ab3a0e461").report)
    assert isinstance(report.policy, GuestPolicy)
    assert FOLDER.is_dir()
