# SPDX-License-Identifier: Apache-2.0
"""Real quotes with the collateral that Intel signed for them, through the public API, each at its own time."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import datetime, timezone

import pytest
from tdx_world import (
    CASE,
    CASES,
    DEBUG,
    EVIDENCE,
    EXAMPLES,
    QUOTES,
    REAL,
    ROOT,
    Real,
    agrees,
    each_case,
    needs_evidence,
    outcomes,
    told,
)

import tdxverify
from attestcore import _lib, engines
from tdxverify import Policy, Verifier, open_collateral, parse_quote
from tdxverify.policy import STATUSES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VERIFIER = Verifier()
ANY_STATUS = tuple(word for word in STATUSES if word != "Revoked")
LENIENT = Policy(tee_types=("tdx", "sgx"), statuses=ANY_STATUS, debug="any", allow_service_td=True)

UP_TO_DATE = "00b2526ab190.eval17"
TD15 = "cf77a6e91e48.eval18"


def test_the_evidence_is_there_or_its_absence_is_seen() -> None:
    if not REAL.is_dir():
        pytest.skip("no real evidence at ../shared/evidence/tdx")
    assert len(QUOTES) == 25
    assert len(CASES) == 36
    assert {case.sgx for case in CASES} == {False, True}


# ---- every case ------------------------------------------------------------------------------------------------------


@needs_evidence
@each_case
def test_status_advisories_and_date_are_those_expected(case: Real) -> None:
    verdict = VERIFIER.verify(case.quote, collateral=case.collateral, at=case.at)
    assert (verdict.tcb_status, verdict.advisory_ids, verdict.tcb_date) == (case.status, case.advisories, case.tcb_date)
    agrees(verdict, case.codes, verified=True)
    said = verdict.to_dict()
    assert said["kind"] == ("sgx" if case.sgx else "tdx")
    assert said["tcb_status"] == case.status
    assert said["advisory_ids"] == list(case.advisories) == sorted(case.advisories)
    assert said["tcb_date"] == case.tcb_date
    assert said["tcb_evaluation_data_number"] == min(case.numbers)
    claims = said["claims"]
    assert (claims["tcb_info_evaluation_data_number"], claims["qe_identity_evaluation_data_number"]) == case.numbers
    assert (claims["launch_tcb_status"], claims["current_tcb_status"]) == (case.launch_status, case.current_status)
    assert (claims["fmspc"], claims["pck_ca"]) == (case.fmspc, case.ca)
    assert json.loads(verdict.to_json()) == said


@needs_evidence
@each_case
def test_a_lenient_policy_leaves_the_levels_alone(case: Real) -> None:
    """What the default policy refuses is policy; what no policy may forgive stays."""
    verdict = tdxverify.verify(case.quote, collateral=case.collateral, at=case.at, policy=LENIENT)
    agrees(verdict, {} if case.status else {"tcb-level": "tcb-level-not-found"}, verified=True)


@needs_evidence
@each_case
def test_both_ends_of_the_window_belong_to_it(case: Real) -> None:
    verifier = Verifier(LENIENT)

    def times(at: int) -> set[str]:
        verdict = verifier.verify(case.quote, collateral=case.collateral, at=at)
        return {check.code or "" for check in verdict.checks if check.category == "time" and check.outcome == "fail"}

    assert times(case.valid_from) == times(case.valid_to) == set()
    assert times(case.valid_from - 1) != set()
    assert times(case.valid_to + 1) != set()
    verdict = verifier.verify(case.quote, collateral=case.collateral, at=case.at)
    assert verdict.valid_until == case.valid_to


@needs_evidence
@each_case
def test_without_collateral_it_is_missing_and_named(case: Real) -> None:
    verdict = VERIFIER.verify(case.quote, at=case.at)
    assert verdict.accepted is False
    assert verdict.claims_verified is False  # the QE's identity is not known
    missing = [check for check in verdict.checks if check.code == "collateral-missing"]
    assert [(check.check, check.outcome, check.category) for check in missing] == [
        ("collateral", "not-run", "collateral")
    ]
    assert case.fmspc.upper() in (missing[0].detail or "")
    assert case.ca in (missing[0].detail or "")
    assert (verdict.tcb_status, verdict.advisory_ids, verdict.tcb_date) == (None, (), None)
    assert verdict.claims is not None
    assert verdict.claims["fmspc"] == case.fmspc
    ran = outcomes(verdict)
    for name in ("pck-signature", "pck-ca-signature", "qe-report-signature", "attestation-key", "quote-signature"):
        assert ran[name] == "pass"


@needs_evidence
@each_case
def test_zeros_behind_change_nothing(case: Real) -> None:
    plain = VERIFIER.verify(case.quote, collateral=case.collateral, at=case.at).to_dict()
    for zeros in (1, 70, 3065):
        padded = VERIFIER.verify(case.quote + bytes(zeros), collateral=case.collateral, at=case.at).to_dict()
        assert padded.pop("evidence_sha256") != plain["evidence_sha256"]
        assert padded["claims"].pop("trailing_zeros") == zeros + plain["claims"]["trailing_zeros"]
        for said in (padded, rest := json.loads(json.dumps(plain))):
            said.pop("evidence_sha256", None)
            said["claims"].pop("trailing_zeros", None)
        assert padded == rest
    agrees(
        VERIFIER.verify(case.quote + b"\0\1", collateral=case.collateral, at=case.at),
        {"quote-trailing": "quote-trailing-bytes", **case.codes},
    )


@needs_evidence
@pytest.mark.parametrize("engine", engines.available())
def test_every_engine_says_the_same(engine: str) -> None:
    verifier = Verifier(engine=engine)
    for case in CASES:
        verdict = verifier.verify(case.quote, collateral=case.collateral, at=case.at)
        assert (told(verdict), verdict.tcb_status, verdict.engine) == (case.codes, case.status, engine)


@needs_evidence
def test_collateral_in_other_forms() -> None:
    case = CASE[UP_TO_DATE]
    parts = open_collateral(case.collateral)
    for form in (parts, parts.to_json(), parts.to_flattened(), bytearray(case.collateral), memoryview(case.collateral)):
        agrees(VERIFIER.verify(case.quote, collateral=form, at=case.at), {})


# ---- wrong in one thing ----------------------------------------------------------------------------------------------


@needs_evidence
@pytest.mark.parametrize("name", [UP_TO_DATE, TD15, "268c06813379.eval17"])
def test_no_byte_of_a_quote_may_change(name: str) -> None:
    """One bit in every byte of what is signed or bound, one at a time; and in lengths, which nothing signs."""
    case = CASE[name]
    verifier = Verifier(LENIENT)
    agrees(verifier.verify(case.quote, collateral=case.collateral, at=case.at), {})
    parts, _ = _lib.tdx_parse(case.quote)
    assert parts is not None
    end = parts.certification[0]
    quotes = []
    for i in range(end):
        data = bytearray(case.quote)
        data[i] ^= 1 << i % 8
        quotes.append(bytes(data))
    results = verifier.verify_batch(quotes, collateral=case.collateral, at=case.at)
    assert not any(results.accepted)
    inside = range(parts.body[0], sum(parts.body))
    assert {results.code[i] for i in inside} <= {"quote-signature-invalid", "reserved-not-zero", "tdx-module-unknown",
                                                 "tdx-module-signer-mismatch", "seam-attributes-mismatch"}  # fmt: skip
    for span, code in (
        (parts.signature, "quote-signature-invalid"),
        (parts.qe_signature, "qe-report-signature-invalid"),
    ):
        assert {results.code[i] for i in range(span[0], sum(span))} == {code}
    assert {results.code[i] for i in range(parts.auth[0], sum(parts.auth))} == {"attestation-key-mismatch"}
    keys = [results[i] for i in range(parts.key[0], sum(parts.key), 7)]
    for verdict in keys:
        assert told(verdict)["attestation-key"] == "attestation-key-mismatch"
        assert told(verdict)["quote-signature"] == "quote-signature-invalid"


@needs_evidence
def test_no_byte_of_a_document_may_change() -> None:
    case = CASE[UP_TO_DATE]
    parts = open_collateral(case.collateral)
    for member, check, code in (
        ("tcb_info", "tcb-info-signature", "tcb-info-signature-invalid"),
        ("identity", "qe-identity-signature", "qe-identity-signature-invalid"),
    ):
        text = getattr(parts, member)
        digit = text.index(b'"svn":' if member == "tcb_info" else b'"isvsvn":') + (6 if member == "tcb_info" else 9)
        assert text[digit : digit + 1].isdigit()
        lowered = text[:digit] + (b"0" if text[digit : digit + 1] != b"0" else b"1") + text[digit + 1 :]
        spaced = text.replace(b":", b": ", 1)
        for changed in (lowered, spaced):
            wrong = tdxverify.Collateral(**{name: getattr(parts, name) for name in parts.__slots__} | {member: changed})
            verdict = VERIFIER.verify(case.quote, collateral=wrong, at=case.at)
            assert told(verdict)[check] == code
            assert verdict.tcb_status is None  # not reached: the levels are nobody's
            assert verdict.accepted is verdict.claims_verified is False


@needs_evidence
def test_collateral_of_another_platform() -> None:
    case, other = CASE[UP_TO_DATE], CASE["f1c850330112.eval17"]
    verdict = VERIFIER.verify(case.quote, collateral=other.collateral, at=other.at)
    agrees(verdict, {"tcb-info-platform": "fmspc-mismatch"}, verified=False)
    assert verdict.tcb_status is None


@needs_evidence
def test_collateral_of_the_other_tee() -> None:
    case, sgx = CASE[UP_TO_DATE], CASE["268c06813379.eval17"]
    verdict = VERIFIER.verify(case.quote, collateral=sgx.collateral, at=sgx.at)
    said = told(verdict)
    assert said["tcb-info"] == "tcb-info-unsupported"
    assert said["qe-identity"] == "qe-identity-unsupported"
    assert verdict.accepted is verdict.claims_verified is False
    verdict = Verifier(LENIENT).verify(sgx.quote, collateral=case.collateral, at=case.at)
    assert told(verdict)["tcb-info"] == "tcb-info-unsupported"
    assert told(verdict)["qe-identity"] == "qe-identity-unsupported"
    assert verdict.accepted is False


@needs_evidence
def test_an_older_set_is_no_way_back() -> None:
    """The same quote: up to date by evaluation 17, no more by 21; a floor for the number refuses the older set."""
    old, new = CASE["00b2526ab190.eval17"], CASE["00b2526ab190.eval21"]
    agrees(VERIFIER.verify(new.quote, collateral=new.collateral, at=new.at), {"tcb-status": "tcb-status-refused"})
    expired = VERIFIER.verify(old.quote, collateral=old.collateral, at=new.at)
    assert {"tcb-info-expired", "qe-identity-expired", "crl-expired"} <= set(expired.codes)
    assert (expired.accepted, expired.tcb_status) == (False, "UpToDate")
    floor = Verifier(Policy(min_tcb_evaluation_data_number=18))
    agrees(
        floor.verify(old.quote, collateral=old.collateral, at=old.at),
        {"tcb-evaluation-number": "tcb-evaluation-number-too-low"},
        verified=True,
    )


@needs_evidence
def test_details_say_how_far_behind() -> None:
    case = CASE["00b2526ab190.eval21"]
    verdict = VERIFIER.verify(case.quote, collateral=case.collateral, at=case.at)
    detail = next(check.detail for check in verdict.checks if check.check == "tcb-status")
    assert detail is not None
    assert "OutOfDate" in detail
    assert "2024-03-13" in detail
    assert all(name in detail for name in case.advisories)


@needs_evidence
def test_grace_counts_from_the_tcb_date() -> None:
    case = CASE["00b2526ab190.eval21"]
    behind = case.at - int(datetime(2024, 3, 13, tzinfo=timezone.utc).timestamp())
    enough, short = Policy(grace_seconds=behind), Policy(grace_seconds=behind - 1)
    verdict = Verifier(enough).verify(case.quote, collateral=case.collateral, at=case.at)
    agrees(verdict, {}, verified=True)
    assert (verdict.tcb_status, verdict.valid_until) == ("OutOfDate", case.at)
    agrees(
        Verifier(short).verify(case.quote, collateral=case.collateral, at=case.at), {"tcb-status": "tcb-status-refused"}
    )


#: The claims that the contract names.
CONTRACT = (
    "quote_version", "tee_type", "att_key_type", "qe_vendor_id", "tee_tcb_svn", "mr_seam", "mr_signer_seam",
    "seam_attributes", "td_attributes", "xfam", "mr_td", "mr_config_id", "mr_owner", "mr_owner_config",
    "rt_mr0", "rt_mr1", "rt_mr2", "rt_mr3", "report_data", "tee_tcb_svn_2", "mr_service_td", "fmspc", "pce_id",
    "pce_svn", "cpu_svn", "ppid", "platform_instance_id", "pck_ca",
)  # fmt: skip

# ---- reading ---------------------------------------------------------------------------------------------------------


@needs_evidence
@pytest.mark.parametrize("name", sorted(QUOTES))
def test_a_quote_reads_as_its_claims(name: str) -> None:
    quote = parse_quote(QUOTES[name])
    assert quote.raw == QUOTES[name]
    assert quote.debug is (name in DEBUG)
    said = quote.to_dict()
    assert set(CONTRACT) <= set(said)
    assert quote.pck is not None
    assert (quote.enclave is None) is (quote.kind == "tdx")
    assert (quote.mr_td is None) is (quote.kind == "sgx")
    assert (quote.tee_tcb_svn_2 is not None) is (quote.body_type in (3, 4))
    assert json.loads(json.dumps(said)) == said
    with pytest.raises(AttributeError):
        quote.mr_td = b""  # type: ignore[misc]


@needs_evidence
def test_the_same_claims_from_the_verdict() -> None:
    for case in CASES:
        claims = VERIFIER.verify(case.quote, collateral=case.collateral, at=case.at).claims
        assert claims is not None
        for name, value in parse_quote(case.quote).to_dict().items():
            assert (dict(claims[name]) if isinstance(value, dict) else claims[name]) == value, name


@needs_evidence
def test_padded_quotes_of_collectors() -> None:
    padded = (EVIDENCE / "ccel" / "cos-113-tdx-quote.dat").read_bytes()
    quote = parse_quote(padded)
    assert (len(padded), quote.trailing_zeros) == (8000, 3065)
    assert padded.rstrip(b"\0") == QUOTES["00b2526ab190"].rstrip(b"\0")
    case = CASE[UP_TO_DATE]
    agrees(VERIFIER.verify(padded, collateral=case.collateral, at=case.at), {})
    azure = EVIDENCE / "azure"
    for path, version in (
        (azure / "cvm-attestation-tools" / "td_quote_v4.dat", 4),
        (azure / "cvm-attestation-tools" / "td_quote_v5.dat", 5),
        (azure / "trustee-az-tdx-vtpm" / "td-quote.bin", 4),
    ):
        quote = parse_quote(path.read_bytes())
        assert (quote.quote_version, quote.kind) == (version, "tdx")


@needs_evidence
def test_quotes_of_the_processor_ca_without_collateral() -> None:
    for name in ("f8b81014b6e4", "743a7a64fe92"):
        verdict = Verifier(LENIENT).verify(QUOTES[name], at=1750000000)
        agrees(verdict, {"collateral": "collateral-missing"})
        assert verdict.claims is not None
        assert (verdict.claims["pck_ca"], verdict.claims["platform_instance_id"]) == ("processor", None)


# ---- what ships ------------------------------------------------------------------------------------------------------

_IN_TIME = int(datetime(2026, 10, 20, tzinfo=timezone.utc).timestamp())


def test_the_example_of_body_type_4_is_accepted() -> None:
    quote = (EXAMPLES / "quote_td15ex.bin").read_bytes()
    collateral = (EXAMPLES / "collateral_td15ex.json").read_bytes()
    verdict = tdxverify.verify(quote, collateral=collateral, at=_IN_TIME)
    agrees(verdict, {}, verified=True)
    assert (verdict.tcb_status, verdict.advisory_ids, verdict.tcb_date) == ("UpToDate", (), "2025-08-13")
    assert verdict.claims is not None
    assert (verdict.claims["body_type"], verdict.claims["current_tcb_status"]) == (4, "UpToDate")
    assert verdict.claims["td_id"] == "e1f3ee829cb6f039318b8ae3eee622622775f4c9128fee747cb662c624d88b8e"
    assert verdict.omissions == ("mr-td", "report-data")
    late = tdxverify.verify(quote, collateral=collateral, at=_IN_TIME + 30 * 86400)
    assert {"tcb-info-expired", "qe-identity-expired"} <= set(late.codes)


def test_examples_and_roots_are_what_their_sources_say() -> None:
    said = tomllib.loads((EXAMPLES / "SOURCE.toml").read_text(encoding="utf-8"))
    for name in ("quote_td15ex.bin", "collateral_td15ex.json"):
        assert hashlib.sha256((EXAMPLES / name).read_bytes()).hexdigest() == said[name]["sha256"]
    from tdxverify import roots

    said = tomllib.loads((ROOT / "attestcore" / "roots" / "intel" / "SOURCE.toml").read_text(encoding="utf-8"))
    shipped = [*roots.anchors(), *roots.intermediates()]
    assert [hashlib.sha256(der).hexdigest() for der in shipped] == [
        said[name]["sha256"] for name in ("root", "pck-platform-ca", "pck-processor-ca")
    ]
    infos = [_lib.intel_cert_read(der) for der in shipped]
    assert [info.role for info in infos] == ["root", "platform", "processor"]
    assert not any(info.profile.failed for info in infos)
    # The key that Intel's own verification library pins.
    assert infos[0].key.hex().startswith("0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5")
