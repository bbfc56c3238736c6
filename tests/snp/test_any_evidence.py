# SPDX-License-Identifier: Apache-2.0
"""Evidence that nobody thought of: any bytes, any damage to genuine evidence, any guest's fields under a genuine signature. And
what a verifier keeps and says of hostile input: not more than of any other."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snp_asserts import assert_accepted, by_name, coherent
from snp_world import LINES, NOW, Case, authority, certs_of, endorsement, good

from snpverify import Verifier
from snpverify.testing import ec_key, strategies

ROOTS = tuple(root for line in LINES for root in authority(line).roots)
CASE = good("Genoa", version=5)
CRL = authority("Genoa").crl([0x20002]).der


@lru_cache(maxsize=1)
def verifier() -> Verifier:
    return Verifier(roots=ROOTS)


# ---- damage ----------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=1300))
def test_arbitrary_bytes_are_a_verdict(data: bytes) -> None:
    verdict = CASE.verifier().verify(data, certs=CASE.certs, at=NOW)
    coherent(verdict)
    assert verdict.accepted is False


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.mutations(CASE.report))
def test_no_damaged_report_is_accepted(data: bytes) -> None:
    """Flips, cuts, doubled and moved parts, fields that change places: every byte of a report counts, signed or not."""
    verdict = CASE.verifier().verify(data, certs=CASE.certs, at=NOW)
    coherent(verdict)
    assert verdict.accepted is False


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.mutations(endorsement("Genoa").der))
def test_no_damaged_leaf_is_accepted(data: bytes) -> None:
    verdict = CASE.verifier().verify(CASE.report, certs=(data, *CASE.certs[1:]), at=NOW)
    coherent(verdict)
    assert verdict.accepted is False or endorsement("Genoa").der in data  # doubled whole, it is there


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.mutations(authority("Genoa").ask_der))
def test_no_damaged_issuer_is_accepted(data: bytes) -> None:
    verdict = CASE.verifier().verify(CASE.report, certs=(CASE.certs[0], data), at=NOW)
    coherent(verdict)
    assert verdict.accepted is False


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.mutations(CRL))
def test_no_damaged_crl_hides_what_it_lists(data: bytes) -> None:
    """A list that names the ASK, damaged: refused, or of no known issuer and so not there, which require_crl does not accept."""
    verdict = CASE.but(crls=(data,)).asking(require_crl=True).verify_once()
    coherent(verdict)
    assert verdict.accepted is False
    assert set(verdict.codes) <= {"crl-malformed", "crl-signature-invalid", "collateral-missing", "certificate-revoked"}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.certificate_tables())
def test_arbitrary_certificate_tables(table: bytes) -> None:
    """Whatever a host puts there: a verdict, and beside the right certificates it changes nothing."""
    coherent(CASE.verifier().verify(CASE.report, certs=[table], at=NOW))
    assert_accepted(CASE.verifier().verify(CASE.report, certs=[table, *CASE.certs], at=NOW))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.certificates(("Genoa",)))
def test_a_certificate_with_an_edit_is_no_certificate(certificate: strategies.Certificate) -> None:
    """One or two rules of the profile broken, validly signed: in the place it was made for, it is refused."""
    ca = authority("Genoa")
    others = [der for der in CASE.certs if der != certificate.der]
    subject = certificate.spec.subject.cn
    if subject == "ARK-Genoa":
        with pytest.raises(ValueError, match="roots"):
            Verifier(roots=[certificate.der])
        return
    kept = [der for der in others if der != (ca.ask_der if subject == "SEV-Genoa" else endorsement("Genoa").der)]
    verdict = CASE.verifier().verify(CASE.report, certs=[certificate.der, *kept], at=NOW)
    coherent(verdict)
    if subject not in ("SEV-VLEK-Genoa", "SEV-VLEK"):
        assert verdict.accepted is False


# ---- genuine ---------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.signed_reports(accepted=True))
def test_genuine_reports_are_accepted(case: strategies.SignedReport) -> None:
    """Any guest's fields, of every line, kind and version."""
    assert_accepted(verifier().verify(case.data, certs=certs_of(case.ca, case.endorsement), at=NOW))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.signed_reports())
def test_validly_signed_reports_are_judged_by_what_they_say(case: strategies.SignedReport) -> None:
    """Signature and chain hold; POLICY, VMPL, VERSION and KEY_INFO are whatever they are, and accepted exactly when the default
    policy says so."""
    verdict = verifier().verify(case.data, certs=certs_of(case.ca, case.endorsement), at=NOW)
    coherent(verdict)
    fields = case.fields
    kind = 0 if case.endorsement.kind == "VCEK" else 1
    fine = (
        fields.version in (2, 3, 4, 5)
        and fields.vmpl <= 3
        and fields.policy >> 17 & 1 == 1
        and fields.policy >> 18 & 3 == 0
        and fields.policy >> 26 == 0
        and (fields.key_info is None or fields.key_info & ~1 == kind << 2)
    )
    assert verdict.accepted is fine, verdict.codes
    if fields.version != 6:
        checks = by_name(verdict)
        assert checks["leaf-signature"].outcome == checks["issuer-signature"].outcome == "pass"
        assert checks["report-signature"].outcome == "pass"


# ---- what is said and kept -------------------------------------------------------------------------------------------


def test_what_is_said_of_hostile_evidence_is_bounded_and_plain() -> None:
    """No evidence at any length in logs, and nothing that a terminal would obey."""
    ca = authority("Genoa")
    leaf = ca.vcek(key=ec_key("long"), serial=2**159 - 1)
    hostile = [
        Case(b"\xff" * 1184, certs_of(ca, leaf, endorsement("Genoa")), ca.roots),
        Case(b"\x1b[2J" * 296, (b"\x1b]0;x\x07" * 50,), ca.roots),
        Case(b"\x1b" * 100_000, (b"\x1b" * 100_000,), ca.roots),
        good("Genoa", chip_id=b"\x1b" * 64).but(certs=()),
        good("Genoa", version=2, chip_id=b"\xee" * 64, report_data=b"\x1b[31m".ljust(64, b"\n")).but(certs=()),
    ]
    for case in hostile:
        verdict = case.verify()
        assert verdict.accepted is False
        assert len(json.dumps(verdict.to_dict())) < 20_000
        assert len(repr(verdict)) < 1000
        assert repr(verdict).isprintable()
        for check in verdict.checks:
            assert len(check.detail or "") < 600
            assert (check.detail or "").isprintable()


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc/self/statm to read the size from")
def test_memory_stays_where_it_is() -> None:
    """Twenty thousand bad rows of every kind, and as many sets that are never seen again."""
    case = CASE
    small = Verifier(roots=case.roots, cache_bytes=1 << 20)
    rows = [b"", None, b"x" * 1184, bytes(1184), b"\x03" + bytes(1183), case.report[:-1] + b"\x01"] * 100

    def load(round_: int) -> None:
        for i in range(5):
            assert not any(small.verify_batch(rows, certs=case.certs[:1], at=NOW).accepted)
            junk = [(f"{round_} {i} {k}".encode() * 8,) for k in range(len(rows))]
            results = small.verify_batch(rows, certs=junk, certs_index=range(len(rows)), at=NOW)
            assert not any(results.accepted)

    load(0)
    before = resident()
    for round_ in range(1, 5):
        load(round_)
    assert resident() - before < 16 << 20
