# SPDX-License-Identifier: Apache-2.0
"""Made evidence that is right but for one thing, through the public API: which check says it, with which code, and that no other check says
anything. The catalogue of what may be wrong in parse, certificates and documents has tests of its own beside their readers; here it is the
row: what is held against what, and at what time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tdx_world import BOTH, CA, NOW, SHAPES, agrees, judged, outcomes, packed, told, verifier

from attestcore import _lib
from tdxverify import Policy, VerificationError, Verifier, verify
from tdxverify.testing import AT, Collateral, IntelCa, IsvLevel, Quote, TcbLevel, ec_key

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

QUOTE = CA.quote(5)
GOOD = CA.collateral(QUOTE)
SGX = CA.quote(3)
SGX_GOOD = CA.collateral(SGX)
INFO, IDENTITY = CA.tcb_info(QUOTE), CA.qe_identity(QUOTE)
SGX_INFO = CA.tcb_info(SGX)


# ---- what is right ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cert_type", [5, 4, 3, 2, 1])
@pytest.mark.parametrize("which", ["platform", "processor"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_accepted(shape: tuple[int, int], which: Any, cert_type: int) -> None:
    quote = CA.quote(*shape, ca=which, cert_type=cert_type)
    verdict = judged(quote, CA.collateral(quote), policy=BOTH)
    agrees(verdict, {}, verified=True)
    assert (verdict.kind, verdict.tcb_status) == ("sgx" if shape[1] == 1 else "tdx", "UpToDate")
    assert verdict.require() is verdict
    ran = outcomes(verdict)
    for check in _lib.TDX_CHECKS[: _lib.TDX_CHECKS.index("tee-type-allowed") + 1]:
        optional = (check == "certification-match" and cert_type == 5) or (check == "tdx-module" and shape[1] == 1)
        assert ran[check] == ("not-run" if optional else "pass"), check


@pytest.mark.parametrize("shape", SHAPES)
def test_another_authority_is_not_trusted(shape: tuple[int, int]) -> None:
    impostor = IntelCa(impostor=True)
    quote = impostor.quote(*shape)
    verdict = judged(quote, impostor.collateral(quote), policy=BOTH)
    said = told(verdict)
    assert said["root"] == "root-untrusted"
    assert verdict.accepted is verdict.claims_verified is False
    agrees(
        verify(quote.bytes, collateral=packed(impostor.collateral(quote)), at=NOW, policy=BOTH, roots=impostor.roots),
        {},
    )
    shipped = Verifier(BOTH).verify(quote.bytes, collateral=packed(impostor.collateral(quote)), at=NOW)
    assert told(shipped)["root"] == "root-untrusted"


# ---- wrong in one thing ----------------------------------------------------------------------------------------------

Case = tuple[Callable[[], tuple[Quote | bytes, Collateral | None]], dict[str, str]]


def of(quote: Quote | bytes = QUOTE, collateral: Collateral | None = GOOD) -> Any:
    return lambda: (quote, collateral)


def _identity(**changes: Any) -> Collateral:
    return CA.collateral(QUOTE, qe_identity=IDENTITY.replace(**changes))


def _info(**changes: Any) -> Collateral:
    return CA.collateral(QUOTE, tcb_info=INFO.replace(**changes))


STALE = INFO.replace(issue_date=AT - 40 * DAY, next_update=AT - 10 * DAY)
STRANGER = ec_key("a stranger")
NO_ANCHOR_KNOWS_IT = {
    "tcb-signer": "tcb-signer-signature-invalid",
    "qe-identity-signer": "tcb-signer-signature-invalid",
}

CASES: dict[str, Case] = {
    # the quote
    "quote signed by another key": (of(QUOTE.replace(signer=STRANGER)), {"quote-signature": "quote-signature-invalid"}),
    "signature of zeros": (of(QUOTE.replace(signature=bytes(64))), {"quote-signature": "quote-signature-invalid"}),
    "signature beyond the order": (
        of(QUOTE.replace(signature=b"\xff" * 64)),
        {"quote-signature": "quote-signature-invalid"},
    ),
    "signature over SHA-384": (of(QUOTE.replace(hash_name="sha384")), {"quote-signature": "quote-signature-invalid"}),
    "signature without the descriptor": (
        of(QUOTE.replace(signed=QUOTE.signed_part()[:48] + QUOTE.signed_part()[54:])),
        {"quote-signature": "quote-signature-invalid"},
    ),
    "signature over the body alone": (
        of(QUOTE.replace(signed=QUOTE.signed_part()[54:])),
        {"quote-signature": "quote-signature-invalid"},
    ),
    "QE report signed by another key": (
        of(QUOTE.replace(qe_signer=STRANGER)),
        {"qe-report-signature": "qe-report-signature-invalid"},
    ),
    "key that the QE did not bind": (
        of(QUOTE.replace(qe_report_data=bytes(64))),
        {"attestation-key": "attestation-key-mismatch"},
    ),
    "QE report data with a tail": (
        of(QUOTE.replace(qe_report_data=QUOTE.binding[:32] + b"\1" * 32)),
        {"attestation-key": "attestation-key-mismatch"},
    ),
    "header of another QE vendor": (of(QUOTE.replace(qe_vendor_id=bytes(16))), {"qe-vendor": "qe-vendor-unknown"}),
    # chain
    "PCK certificate ended": (
        of(CA.quote(5, pck=CA.pck(not_after=AT - SECOND))),
        {"pck-validity": "certificate-expired"},
    ),
    "PCK certificate not begun": (
        of(CA.quote(5, pck=CA.pck(not_before=AT + SECOND))),
        {"pck-validity": "certificate-not-yet-valid"},
    ),
    # collateral: CRLs
    "PCK certificate revoked": (
        of(collateral=CA.collateral(QUOTE, revoked=[QUOTE.pck])),
        {"pck-revocation": "certificate-revoked"},
    ),
    "another certificate revoked": (of(collateral=CA.collateral(QUOTE, revoked=[1, 2**159, CA.platform])), {}),
    "PCK CA revoked": (
        of(collateral=CA.collateral(QUOTE, root_revoked=[CA.platform])),
        {"pck-ca-revocation": "certificate-revoked"},
    ),
    "root revoked": (
        of(collateral=CA.collateral(QUOTE, root_revoked=[CA.root])),
        {"pck-ca-revocation": "certificate-revoked"},
    ),
    "TCB signer revoked": (
        of(collateral=CA.collateral(QUOTE, root_revoked=[CA.tcb_signing])),
        {
            "tcb-signer-revocation": "certificate-revoked",
            "qe-identity-signer-revocation": "certificate-revoked",
        },
    ),
    "the other CA revoked": (of(collateral=CA.collateral(QUOTE, root_revoked=[CA.processor])), {}),
    "PCK CRL of the other CA": (
        of(
            collateral=GOOD.replace(
                pck_crl=CA.pck_crl(ca="processor"), pck_crl_issuer_chain=(CA.processor.pem + CA.root.pem).decode()
            )
        ),
        {"pck-crl": "crl-issuer-mismatch"},
    ),
    "PCK CRL ended": (
        of(collateral=GOOD.replace(pck_crl=CA.pck_crl(this_update=AT - 30 * DAY, next_update=AT - SECOND))),
        {"pck-crl": "crl-expired"},
    ),
    "PCK CRL not begun": (
        of(collateral=GOOD.replace(pck_crl=CA.pck_crl(this_update=AT + SECOND, next_update=AT + DAY))),
        {"pck-crl": "crl-not-yet-valid"},
    ),
    "root CRL ended": (
        of(collateral=GOOD.replace(root_ca_crl=CA.root_crl(this_update=AT - 30 * DAY, next_update=AT - SECOND))),
        {"root-crl": "crl-expired"},
    ),
    "root CRL not begun": (
        of(collateral=GOOD.replace(root_ca_crl=CA.root_crl(this_update=AT + SECOND, next_update=AT + DAY))),
        {"root-crl": "crl-not-yet-valid"},
    ),
    "PCK CRL by a stranger": (
        of(collateral=GOOD.replace(pck_crl=CA.pck_crl(signer=STRANGER))),
        {"pck-crl": "crl-signature-invalid"},
    ),
    "root CRL by a stranger": (
        of(collateral=GOOD.replace(root_ca_crl=CA.root_crl(signer=STRANGER))),
        {"root-crl": "crl-signature-invalid"},
    ),
    # collateral: documents
    "TCB info ended": (of(collateral=CA.collateral(QUOTE, tcb_info=STALE)), {"tcb-info-validity": "tcb-info-expired"}),
    "TCB info not begun": (
        of(collateral=_info(issue_date=AT + SECOND)),
        {"tcb-info-validity": "tcb-info-not-yet-valid"},
    ),
    "QE identity ended": (
        of(collateral=_identity(next_update=AT - SECOND)),
        {"qe-identity-validity": "qe-identity-expired"},
    ),
    "QE identity not begun": (
        of(collateral=_identity(issue_date=AT + SECOND)),
        {"qe-identity-validity": "qe-identity-not-yet-valid"},
    ),
    "TCB info by a stranger": (
        of(collateral=CA.collateral(QUOTE, tcb_info=CA.sign(INFO, signer=STRANGER))),
        {"tcb-info-signature": "tcb-info-signature-invalid"},
    ),
    "QE identity by a stranger": (
        of(collateral=CA.collateral(QUOTE, qe_identity=CA.sign(IDENTITY, signer=STRANGER))),
        {"qe-identity-signature": "qe-identity-signature-invalid"},
    ),
    "TCB info written anew": (
        of(collateral=CA.collateral(QUOTE, tcb_info=CA.sign(INFO).reserialised())),
        {"tcb-info-signature": "tcb-info-signature-invalid"},
    ),
    "TCB info of another FMSPC": (of(collateral=_info(fmspc=b"\1" * 6)), {"tcb-info-platform": "fmspc-mismatch"}),
    "TCB info of another PCEID": (of(collateral=_info(pce_id=b"\1\0")), {"tcb-info-platform": "pce-id-mismatch"}),
    "identity of another MRSIGNER": (
        of(collateral=_identity(mr_signer=bytes(32))),
        {"qe-report": "qe-mrsigner-mismatch"},
    ),
    "identity of another ISVPRODID": (of(collateral=_identity(isv_prod_id=1)), {"qe-report": "qe-isvprodid-mismatch"}),
    "identity of other ATTRIBUTES": (
        of(collateral=_identity(attributes=b"\x31" + bytes(15))),
        {"qe-report": "qe-attributes-mismatch"},
    ),
    "identity of another MISCSELECT": (
        of(collateral=_identity(misc_select=b"\1\0\0\0")),
        {"qe-report": "qe-miscselect-mismatch"},
    ),
    "MISCSELECT of an identity that has a bit outside its mask": (
        of(collateral=_identity(misc_select=b"\1\0\0\0", misc_select_mask=b"\xfe\xff\xff\xff")),
        {"qe-report": "qe-miscselect-mismatch"},
    ),
    "ATTRIBUTES of an identity that has a bit outside its mask": (
        of(collateral=_identity(attributes=b"\x31" + bytes(15), attributes_mask=b"\xdb" + b"\xff" * 7 + bytes(8))),
        {"qe-report": "qe-attributes-mismatch"},
    ),
    "ATTRIBUTES of a QE that has a bit outside the mask": (
        of(collateral=_identity(attributes=b"\x10" + bytes(15), attributes_mask=b"\xfa" + b"\xff" * 7 + bytes(8))),
        {},
    ),
    "identity of the SGX QE": (of(collateral=_identity(id="QE")), {"qe-identity": "qe-identity-unsupported"}),
    "identity of the QVE": (of(collateral=_identity(id="QVE")), {"qe-identity": "qe-identity-unsupported"}),
    "MRSIGNERSEAM that is not Intel's": (
        of(QUOTE.replace(mr_signer_seam=b"\1" * 48)),
        {"tdx-module": "tdx-module-signer-mismatch"},
    ),
    "SEAMATTRIBUTES": (of(QUOTE.replace(seam_attributes=1)), {"tdx-module": "seam-attributes-mismatch"}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_by_its_check(name: str) -> None:
    make, expected = CASES[name]
    quote, collateral = make()
    agrees(judged(quote, collateral), expected, verified=not expected)


def test_misc_select_is_little_endian_in_the_document() -> None:
    """Intel writes the four bytes as they lie in memory: bit 0 of the report stands in the first byte of the hex."""
    quote = QUOTE.replace(qe_misc_select=1)
    agrees(judged(quote, _identity(misc_select=b"\1\0\0\0")), {}, verified=True)
    agrees(judged(quote, _identity(misc_select=b"\0\0\0\1")), {"qe-report": "qe-miscselect-mismatch"})


def test_a_qe_in_debug_mode_is_never_accepted() -> None:
    """Whatever an identity and its mask say, and before there is one."""
    quote = QUOTE.replace(qe_attributes=b"\x13" + bytes(7) + b"\xe7" + bytes(7))
    lax = _identity(attributes=b"\x13" + bytes(15), attributes_mask=bytes(16))
    agrees(judged(quote, lax), {"qe-report": "qe-attributes-mismatch"}, verified=False)
    agrees(judged(quote, GOOD), {"qe-report": "qe-attributes-mismatch"}, verified=False)
    agrees(judged(quote, None), {"collateral": "collateral-missing", "qe-report": "qe-attributes-mismatch"})


def test_the_ca_that_issued_the_crl_may_be_issued_again() -> None:
    """Same name and key, another certificate: it is the same CA, and its own dates count."""
    again = CA.with_platform(serial=77).platform
    chain = (again.pem + CA.root.pem).decode()
    agrees(judged(QUOTE, GOOD.replace(pck_crl_issuer_chain=chain)), {}, verified=True)
    ended = CA.with_platform(not_after=AT - SECOND).platform
    chain = (ended.pem + CA.root.pem).decode()
    agrees(judged(QUOTE, GOOD.replace(pck_crl_issuer_chain=chain)), {"pck-crl": "certificate-expired"})


def test_a_signing_chain_that_ended() -> None:
    """The TCB signer was issued again under the same serial and key: the old certificate ends, the new one does not help it."""
    old = CA.with_tcb_signing(not_before=AT - 100 * DAY, not_after=AT - SECOND)
    verdict = judged(QUOTE, old.collateral(QUOTE))
    agrees(
        verdict,
        {
            "tcb-signer-validity": "certificate-expired",
            "qe-identity-signer-validity": "certificate-expired",
        },
        verified=False,
    )
    assert verdict.tcb_status == "UpToDate"  # genuine, and shown
    later = CA.with_tcb_signing(not_before=AT + SECOND)
    assert set(told(judged(QUOTE, later.collateral(QUOTE))).values()) == {"certificate-not-yet-valid"}


@pytest.mark.parametrize("which", ["root", "platform"])
def test_dates_of_the_cas(which: str) -> None:
    change = getattr(CA, f"with_{which}")
    ended = change(not_after=AT - SECOND)
    quote = ended.quote(5)
    verdict = Verifier(None, ended.roots).verify(quote.bytes, collateral=packed(ended.collateral(quote)), at=NOW)
    said = told(verdict)
    assert said["root-validity" if which == "root" else "pck-ca-validity"] == "certificate-expired"
    assert set(said.values()) == {"certificate-expired"}
    last = Verifier(None, ended.roots).verify(quote.bytes, collateral=packed(ended.collateral(quote)), at=NOW - 1)
    agrees(last, {})


def test_a_root_crl_of_another_trusted_root() -> None:
    """Two roots are trusted; a list of the one says nothing of what the other signed."""
    other = IntelCa(impostor=True)
    both = Verifier(None, [*CA.roots, *other.roots])
    agrees(both.verify(QUOTE.bytes, collateral=packed(GOOD), at=NOW), {})
    mixed = GOOD.replace(root_ca_crl=other.root_crl())
    said = told(both.verify(QUOTE.bytes, collateral=packed(mixed), at=NOW))
    assert said["root-crl"] in ("crl-issuer-mismatch", "crl-signature-invalid")
    # Documents of the other authority: its signer is under a root whose list is not at hand.
    foreign = GOOD.replace(tcb_info=other.sign(INFO))
    said = told(both.verify(QUOTE.bytes, collateral=packed(foreign), at=NOW))
    assert said == {"tcb-signer-revocation": "crl-issuer-mismatch"}


# ---- absent ----------------------------------------------------------------------------------------------------------


def test_no_collateral_is_one_code() -> None:
    verdict = judged(QUOTE, None)
    agrees(verdict, {"collateral": "collateral-missing"}, verified=False)
    (check,) = [check for check in verdict.checks if check.code]
    assert (check.outcome, check.category, check.field) == ("not-run", "collateral", "collateral")
    assert check.detail is not None
    assert QUOTE.pck.sgx.fmspc.hex().upper() in check.detail
    assert "platform" in check.detail
    with pytest.raises(VerificationError):
        verdict.require()


@pytest.mark.parametrize("cert_type", [1, 2, 3, 4])
def test_no_chain_is_one_code(cert_type: int) -> None:
    quote = CA.quote(5, cert_type=cert_type)
    bare = GOOD.replace(pck_certificate_chain=None)
    verdict = judged(quote, bare)
    said = told(verdict)
    assert said["pck-chain"] == "certificate-missing"
    assert set(said.values()) == {"certificate-missing"}
    assert outcomes(verdict)["pck-chain"] == "not-run"
    assert verdict.claims is not None
    assert verdict.claims["fmspc"] is None
    assert set(told(judged(quote, None)).values()) == {"certificate-missing", "collateral-missing"}


@pytest.mark.parametrize("cert_type", [1, 2, 3, 4])
def test_a_chain_of_another_platform(cert_type: int) -> None:
    """What stands in the quote must be what the chain from elsewhere says; and that chain's key must have signed."""
    other = CA.pck(pce_svn=12, fmspc=QUOTE.pck.sgx.fmspc)
    quote = CA.quote(5, cert_type=cert_type)
    wrong = "".join(certificate.pem.decode() for certificate in CA.pck_chain(other))
    verdict = judged(quote, CA.collateral(quote).replace(pck_certificate_chain=wrong))
    assert told(verdict)["certification-match"] == "certification-data-mismatch"
    assert told(verdict)["qe-report-signature"] == "qe-report-signature-invalid"
    assert verdict.accepted is verdict.claims_verified is False


def test_the_quotes_own_chain_wins() -> None:
    impostor = IntelCa(impostor=True)
    wrong = "".join(certificate.pem.decode() for certificate in impostor.pck_chain(impostor.pck()))
    agrees(judged(QUOTE, GOOD.replace(pck_certificate_chain=wrong)), {}, verified=True)


def test_missing_crls_are_missing_and_make_nothing_less_genuine() -> None:
    verdict = judged(QUOTE, packed(GOOD, root_ca_crl=""))
    agrees(verdict, {"root-crl": "collateral-missing"}, verified=True)
    verdict = judged(QUOTE, packed(GOOD, pck_crl=""))
    agrees(verdict, {"pck-crl": "collateral-missing"}, verified=True)
    assert next(check.outcome for check in verdict.checks if check.check == "pck-crl") == "not-run"


@pytest.mark.parametrize(
    ("member", "checks"),
    [
        ("tcb_info", {"tcb-info"}),
        ("qe_identity", {"qe-identity"}),
        ("tcb_info_issuer_chain", {"tcb-signer"}),
        ("qe_identity_issuer_chain", {"qe-identity-signer"}),
        ("pck_crl_issuer_chain", {"pck-crl"}),
    ],
)
def test_a_missing_part_is_missing(member: str, checks: set[str]) -> None:
    overrides = {member: ""}
    if member in ("tcb_info", "qe_identity"):
        overrides[f"{member}_signature"] = ""
    verdict = judged(QUOTE, packed(GOOD, **overrides))
    said = told(verdict)
    assert set(said.values()) == {"collateral-missing"}
    assert checks <= set(said)
    assert verdict.accepted is False
    assert all(outcomes(verdict)[check] == "not-run" for check in said)


@pytest.mark.parametrize(
    "blob", [b"", b"{}", b"[1]", b"\0" * 200, b"x" * 100, b'{"tcb_info":', b"\x04\0\0\0" + bytes(200)]
)
def test_collateral_that_cannot_be_taken_apart_is_a_failed_check(blob: bytes) -> None:
    verdict = judged(QUOTE, blob)
    agrees(verdict, {"collateral": "collateral-malformed"}, verified=False)
    (check,) = [check for check in verdict.checks if check.code]
    assert (check.outcome, check.category) == ("fail", "parse")


def test_collateral_beyond_the_bound() -> None:
    agrees(judged(QUOTE, bytes((16 << 20) + 1)), {"collateral": "collateral-too-large"}, verified=False)


# ---- time ------------------------------------------------------------------------------------------------------------


def test_a_row_without_a_time_fails() -> None:
    (verdict,) = verifier().verify_batch([QUOTE.bytes], collateral=packed(GOOD), at=[None])
    agrees(verdict, {"evaluation-time": "evaluation-time-missing"}, verified=False)
    assert verdict.evaluated_at is None
    assert outcomes(verdict)["tcb-info-validity"] == "not-run"


def test_valid_until_is_the_earliest_end() -> None:
    ends = [
        QUOTE.pck.spec.not_after,
        AT + 20 * DAY,  # TCB info, identity and PCK CRL of the collateral
    ]
    verdict = judged(QUOTE, GOOD)
    assert verdict.valid_until == min(int(end.timestamp()) for end in ends if isinstance(end, datetime))
    early = _identity(next_update=AT + DAY)
    assert judged(QUOTE, early).valid_until == NOW + 86400
    short = CA.quote(5, pck=CA.pck(not_after=AT + SECOND))
    verdict = judged(short, GOOD)
    assert verdict.valid_until == NOW + 1
    agrees(judged(short, GOOD, at=NOW + 1), {})
    agrees(judged(short, GOOD, at=NOW + 2), {"pck-validity": "certificate-expired"})


# ---- TEE and version -------------------------------------------------------------------------------------------------


def test_sgx_has_tcb_info_of_version_2_as_well() -> None:
    older = SGX_INFO.replace(version=2)
    agrees(judged(SGX, CA.collateral(SGX, tcb_info=older), policy=BOTH), {}, verified=True)
    tdx = INFO.replace(version=2)
    assert told(judged(QUOTE, CA.collateral(QUOTE, tcb_info=tdx)))["tcb-info"] in (
        "tcb-info-unsupported", "tcb-info-malformed",
    )  # fmt: skip


def test_documents_of_the_other_tee() -> None:
    said = told(judged(QUOTE, SGX_GOOD))
    assert (said["tcb-info"], said["qe-identity"]) == ("tcb-info-unsupported", "qe-identity-unsupported")
    said = told(judged(SGX, GOOD, policy=BOTH))
    assert (said["tcb-info"], said["qe-identity"]) == ("tcb-info-unsupported", "qe-identity-unsupported")
    verdict = judged(QUOTE, GOOD.replace(tcb_info=SGX_GOOD.tcb_info))
    assert told(verdict) == {"tcb-info": "tcb-info-unsupported"}
    verdict = judged(QUOTE, GOOD.replace(qe_identity=SGX_GOOD.qe_identity))
    assert told(verdict) == {"qe-identity": "qe-identity-unsupported"}


@pytest.mark.parametrize(
    ("patch", "kind"),
    [
        ({0: b"\x06\0"}, None),
        ({0: b"\x02\0"}, None),
        ({4: b"\x80\0\0\0"}, None),
        ({2: b"\x03\0"}, "tdx"),
    ],
)
def test_kind_is_told_by_what_is_known(patch: dict[int, bytes], kind: str | None) -> None:
    verdict = judged(CA.quote(4, post_patches=patch).bytes, GOOD)
    assert (verdict.kind, verdict.accepted) == (kind, False)
    assert len(verdict.codes) == 1
    said = verdict.to_dict()
    assert said["tcb_status"] is None
    assert said["advisory_ids"] == []


def test_truncated_at_every_length() -> None:
    data = CA.quote(4).bytes
    results = verifier().verify_batch([data[:size] for size in range(len(data))], collateral=packed(GOOD), at=NOW)
    assert not any(results.accepted)
    assert None not in results.code
    assert set(results.code) <= {"quote-truncated", "quote-length-invalid", "certification-data-invalid"} | {
        "certificate-malformed", "pck-chain", "certification-type-unsupported",
    }  # fmt: skip


# ---- TCB -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"status": word}, word)
        for word in (
            "UpToDate",
            "SWHardeningNeeded",
            "ConfigurationNeeded",
            "ConfigurationAndSWHardeningNeeded",
            "OutOfDate",
            "OutOfDateConfigurationNeeded",
            "Revoked",
        )
    ]
    + [
        ({"module_status": "OutOfDate"}, "OutOfDate"),
        ({"module_status": "Revoked"}, "Revoked"),
        ({"qe_status": "OutOfDate"}, "OutOfDate"),
        ({"qe_status": "Revoked"}, "Revoked"),
        ({"qe_status": "OutOfDate", "status": "ConfigurationNeeded"}, "OutOfDateConfigurationNeeded"),
    ],
)
def test_status_against_the_default_policy(options: dict[str, str], status: str) -> None:
    quote = CA.quote(4, tee_tcb_svn=b"\3\1" + bytes(14))
    verdict = judged(quote, CA.collateral(quote, **options))
    assert verdict.tcb_status == status
    code = {"UpToDate": None, "SWHardeningNeeded": None, "Revoked": "tcb-revoked"}.get(status, "tcb-status-refused")
    agrees(verdict, {} if code is None else {"tcb-status": code}, verified=True)


def test_no_policy_allows_revoked() -> None:
    every = Policy(statuses=("UpToDate", "Revoked"), grace_seconds=10**9)
    agrees(judged(QUOTE, CA.collateral(QUOTE, status="Revoked"), policy=every), {"tcb-status": "tcb-revoked"})


def test_advisories_are_the_union_of_all_levels() -> None:
    quote = CA.quote(4, tee_tcb_svn=b"\3\1" + bytes(14))
    collateral = CA.collateral(
        quote,
        status="SWHardeningNeeded",
        advisories=("INTEL-SA-00002", "INTEL-SA-00001"),
        module_advisories=("INTEL-SA-00003", "INTEL-SA-00001"),
        qe_advisories=("INTEL-SA-00004",),
    )
    verdict = judged(quote, collateral)
    assert verdict.advisory_ids == tuple(f"INTEL-SA-0000{i}" for i in (1, 2, 3, 4))
    agrees(verdict, {})


def test_no_level_has_no_status() -> None:
    below = replace(INFO.levels[0], pce_svn=INFO.levels[0].pce_svn + 1)
    verdict = judged(QUOTE, _info(levels=(below,)))
    agrees(verdict, {"tcb-level": "tcb-level-not-found"}, verified=True)
    assert (verdict.tcb_status, verdict.advisory_ids, verdict.tcb_date) == (None, (), None)
    assert outcomes(verdict)["tcb-status"] == "not-run"
    qe = _identity(levels=(IsvLevel(isv_svn=60000),))
    agrees(judged(QUOTE, qe), {"tcb-level": "tcb-level-not-found"}, verified=True)


def test_a_module_that_tcb_info_does_not_know() -> None:
    quote = CA.quote(4, tee_tcb_svn=b"\3\7" + bytes(14))
    fits = CA.collateral(quote)
    agrees(judged(quote, fits), {})
    other = tuple(replace(module, id="TDX_08") for module in CA.tcb_info(quote).modules or ())
    verdict = judged(quote, CA.collateral(quote, tcb_info=CA.tcb_info(quote).replace(modules=other)))
    assert told(verdict) == {"tdx-module": "tdx-module-unknown", "tcb-level": "tcb-level-not-found"}
    assert verdict.claims_verified is False
    assert verdict.tcb_status is None


def test_relaunch() -> None:
    """Launched on an old TCB, running on a new one: the newer level is met by TEE_TCB_SVN_2 alone."""
    svn, later = bytes([3, 0, 5]) + bytes(13), bytes([4, 0, 5]) + bytes(13)
    quote = CA.quote(5, tee_tcb_svn=svn, tee_tcb_svn_2=later)
    new = TcbLevel.fitting(quote.pck, later)
    old = TcbLevel.fitting(quote.pck, svn, status="OutOfDate", advisories=("INTEL-SA-00001",))
    collateral = CA.collateral(quote, tcb_info=CA.tcb_info(quote).replace(levels=(new, old), modules=None))
    verdict = judged(quote, collateral)
    assert verdict.tcb_status == "TDRelaunchAdvised"
    agrees(verdict, {"tcb-status": "tcb-status-refused"}, verified=True)
    assert verdict.claims is not None
    assert (verdict.claims["launch_tcb_status"], verdict.claims["current_tcb_status"]) == ("OutOfDate", "UpToDate")
    assert verdict.advisory_ids == ("INTEL-SA-00001",)
    agrees(judged(quote, collateral, policy=Policy(statuses=("TDRelaunchAdvised",))), {})
    agrees(judged(quote, collateral, policy=Policy(grace_seconds=10**9)), {"tcb-status": "tcb-status-refused"})


# ---- the C core's own guard ------------------------------------------------------------------------------------------


def test_a_platform_of_another_section_is_an_internal_error() -> None:
    """The caller finds platforms; the core compares the bytes whole and trusts no number."""
    mine, other = CA.quote(5), CA.quote(5, auth_data=b"other")
    judge = verifier()
    keys = [_lib.section_of(_lib.rows_of_sequence([quote.bytes]), 0) for quote in (mine, other)]
    assert None not in keys
    platforms = _lib.read_platforms(judge._trust, [(*key, b"") for key in keys if key is not None], judge._runner)
    prepared = judge._prepared([packed(GOOD) or b""])
    rows = _lib.rows_of_sequence([mine.bytes, mine.bytes, mine.bytes, other.bytes])
    columns = _lib.tdx_verify(
        rows, platforms, _array("i", [0, 1, -1, 1]), prepared, None, _array("q", [NOW]), judge._trust, judge._c_policy,
        judge._runner, findings=True,
    )  # fmt: skip
    assert list(columns.accepted_bytes()) == [1, 0, 0, 1]
    assert [_lib.CODE_NAMES.get(code) for code in columns.code_numbers()] == [
        None, "internal-error", "internal-error", None,
    ]  # fmt: skip
    for number in (2, 1000, -5):
        columns = _lib.tdx_verify(
            _lib.rows_of_sequence([mine.bytes]), platforms, _array("i", [number]), prepared, None, _array("q", [NOW]),
            judge._trust, judge._c_policy, judge._runner,
        )  # fmt: skip
        assert _lib.CODE_NAMES[columns.code_numbers()[0]] == "internal-error"


def _array(kind: str, values: list[int]) -> Any:
    from array import array

    return array(kind, values)


@pytest.mark.parametrize("quote", [QUOTE, SGX, CA.quote(5, cert_type=4)], ids=["tdx", "sgx", "chain apart"])
def test_a_required_check_that_did_not_run_is_no_acceptance(quote: Quote, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check's result is taken away between the two halves of the judgement: whoever forgets one forgets no acceptance."""
    made: list[_lib.TdxColumns] = []
    taken: list[int] = []

    class Spy(_lib.TdxColumns):
        def __init__(self, n: int, **options: Any) -> None:
            super().__init__(n, **options)
            made.append(self)

    def verify_one(*job: object) -> bool:
        if taken:
            made[-1].codes[taken[0]] = _lib.NOT_RUN
        return True

    judge = verifier(BOTH)
    bundle = judge._prepared([packed(CA.collateral(quote)) or b""])
    rows = _lib.rows_of_sequence([quote.bytes])
    key = _lib.section_of(rows, 0)
    assert key is not None
    platforms = _lib.read_platforms(judge._trust, [(*key, bundle[0].pck_chain)], judge._runner)
    monkeypatch.setattr(_lib, "TdxColumns", Spy)
    tee = _lib.TDX_CHECKS.index("tee-type-allowed")
    optional = {"quote-signature"}  # written after the two halves meet
    optional |= set() if quote.cert_type != 5 else {"certification-match"}
    optional |= set() if quote is not SGX else {"tdx-module"}
    asked = {"debug", "td-attributes-reserved", "td-migratable", "td-attributes", "xfam", "service-td"}
    required = {name for name in _lib.TDX_CHECKS[: tee + 1] if name not in optional}
    required |= {"debug"} if quote is SGX else asked
    for number, name in enumerate(_lib.TDX_CHECKS):
        taken[:] = [number]
        columns = _lib.tdx_verify(
            rows, platforms, _array("i", [0]), bundle, None, _array("q", [NOW]), judge._trust, judge._c_policy,
            _lib.Runner("spy", None, verify_one),
        )  # fmt: skip
        code = _lib.CODE_NAMES.get(columns.code_numbers()[0])
        assert (columns.accepted_bytes() == b"\1", code) == (
            (False, "internal-error") if name in required else (True, None)
        ), name
        before = number < _lib.TDX_CHECKS.index("tcb-level")
        assert (columns.verified[0] == 0) is (name in required and before), name
