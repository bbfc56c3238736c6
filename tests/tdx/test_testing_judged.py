# SPDX-License-Identifier: Apache-2.0
"""What tdxverify.testing makes, before another implementation: dcap-qvl from PyPI. It accepts what is valid, and of what
is wrong it names the one thing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from tdxverify.testing import (
    AT,
    STATUSES,
    Collateral,
    IntelCa,
    IsvLevel,
    Quote,
    SgxExtension,
    TcbLevel,
    TdxModule,
    ec_key,
    public_bytes,
    strategies,
)

dcap_qvl = pytest.importorskip("dcap_qvl", reason="dcap-qvl is not installed")

CA = IntelCa()
QUOTE = CA.quote(5)
GOOD = CA.collateral(QUOTE)
INFO, IDENTITY = CA.tcb_info(QUOTE), CA.qe_identity(QUOTE)
NOW = int(AT.timestamp())


def judged(
    quote: Quote | bytes, collateral: Collateral, *, at: int = NOW, root: bytes = CA.root_der
) -> tuple[str, list[str]]:
    """Status and advisories, or what is wrong and nothing."""
    data = quote if isinstance(quote, bytes) else quote.bytes
    bundle = dcap_qvl.QuoteCollateralV3.from_json(collateral.json())
    try:
        report = dcap_qvl.verify_with_root_ca(data, bundle, root, at)
    except ValueError as error:
        return str(error), []
    return report.status, report.advisory_ids


@pytest.mark.parametrize("which", ["platform", "processor"])
@pytest.mark.parametrize("shape", [(3, 1), (4, 2), (5, 2), (5, 3), (5, 4)])
def test_valid_evidence_is_accepted(shape: tuple[int, int], which: Any) -> None:
    quote = CA.quote(*shape, ca=which)
    assert judged(quote, CA.collateral(quote)) == ("UpToDate", [])


@pytest.mark.parametrize("shape", [(3, 1), (4, 2), (5, 3)])
@pytest.mark.parametrize("status", [s for s in STATUSES if s != "Revoked"])
def test_statuses(shape: tuple[int, int], status: str) -> None:
    quote = CA.quote(*shape)
    collateral = CA.collateral(quote, status=status, advisories=["INTEL-SA-00001", "INTEL-SA-00002"])
    assert judged(quote, collateral) == (status, ["INTEL-SA-00001", "INTEL-SA-00002"])


@pytest.mark.parametrize("which", ["status", "module_status", "qe_status"])
def test_revoked_levels(which: str) -> None:
    levels: dict[str, Any] = {which: "Revoked"}
    assert "Revoked" in judged(QUOTE, CA.collateral(QUOTE, **levels))[0]


def test_module_and_enclave_levels() -> None:
    assert judged(QUOTE, CA.collateral(QUOTE, module_status="OutOfDate", module_advisories=["M"])) == (
        "OutOfDate",
        ["M"],
    )
    assert judged(QUOTE, CA.collateral(QUOTE, qe_status="OutOfDate", qe_advisories=["Q"])) == ("OutOfDate", ["Q"])
    older = CA.quote(5, tee_tcb_svn=bytes([4, 1, 7]) + bytes(13), tee_tcb_svn_2=bytes([4, 1, 7]) + bytes(13))
    assert judged(older, GOOD)[0] == "OutOfDate"  # the rung below
    assert judged(QUOTE.replace(qe_isv_svn=3), GOOD)[0] == "OutOfDate"
    assert judged(CA.quote(5, pck=CA.pck(pce_svn=10)), GOOD)[0] == "OutOfDate"
    assert "No matching TCB level" in judged(CA.quote(5, pck=CA.pck(pce_svn=9)), GOOD)[0]
    components = (6, 6, 1, 1, 2, 0, 0, 2, *bytes(8))
    assert judged(CA.quote(5, pck=CA.pck(components=components)), GOOD)[0] == "OutOfDate"
    below = CA.quote(5, pck=CA.pck(components=(5, *components[1:])))
    assert "No matching TCB level" in judged(below, GOOD)[0]


def test_relaunch() -> None:
    old, new = bytes([4, 1, 6]) + bytes(13), bytes([5, 1, 7]) + bytes(13)
    quote = CA.quote(5, tee_tcb_svn=old, tee_tcb_svn_2=new)
    levels = (TcbLevel.fitting(quote.pck, new), TcbLevel.fitting(quote.pck, old, status="OutOfDate"))
    modules = (TdxModule(id="TDX_01", levels=(IsvLevel(isv_svn=5), IsvLevel(isv_svn=4, status="OutOfDate"))),)
    collateral = CA.collateral(quote, tcb_info=CA.tcb_info(quote, levels=levels, modules=modules))
    assert judged(quote, collateral)[0] == "TDRelaunchAdvised"


def test_other_times() -> None:
    for at in (AT + timedelta(days=400), AT - timedelta(days=40)):
        collateral = CA.collateral(QUOTE, at=at)
        assert judged(QUOTE, collateral, at=int(at.timestamp()))[0] == "UpToDate"
        assert judged(QUOTE, collateral)[0] != "UpToDate"
    assert judged(QUOTE, GOOD, at=NOW + 21 * 86400)[0] != "UpToDate"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"signature": bytes(64)}, "ISV enclave report signature is invalid"),
        ({"signer": ec_key("x")}, "ISV enclave report signature is invalid"),
        ({"signed": b"x"}, "ISV enclave report signature is invalid"),
        ({"hash_name": "sha384"}, "ISV enclave report signature is invalid"),
        ({"attestation_key": public_bytes(ec_key("x"))}, "ISV enclave report signature is invalid"),
        ({"qe_signer": ec_key("x")}, "Signature is invalid for qe_report"),
        ({"qe_report_data": bytes(64)}, "QE report hash mismatch"),
        ({"qe_mr_signer": bytes(32)}, "QE MRSIGNER mismatch"),
        ({"qe_isv_prod_id": 9}, "QE ISVPRODID mismatch"),
        ({"qe_isv_svn": 2}, "QE ISVSVN 2 is below"),
        ({"qe_vendor_id": bytes(16)}, "Unknown QE vendor ID"),
        ({"att_key_type": 3}, "Unsupported DCAP attestation key type"),
        ({"td_attributes": 1 << 28 | 1}, "Debug mode"),
        ({"mr_service_td": b"\1" * 48}, "Invalid MR service TD"),
        ({"mr_signer_seam": b"\1" * 48}, "TDX module MRSIGNER mismatch"),
        ({"seam_attributes": 1}, "TDX module SEAMATTRIBUTES mismatch"),
        ({"body_type": 2}, "Invalid body size"),
        ({"body_size": 647}, "Invalid body size"),
        ({"signature_length": 2**31}, "Data length exceeds maximum"),
        ({"auth_length": 65535}, "qe_auth_data"),
        ({"cert_size": 2**32 - 1}, "certification_data"),
        ({"outer_size": 0}, "qe_report"),
        ({"tee_tcb_svn": bytes([5, 9, 7]) + bytes(13)}, "TDX module"),
    ],
    ids=lambda v: "-".join(v) if isinstance(v, dict) else "",
)
def test_what_is_wrong_with_a_quote_is_what_was_asked_for(change: dict[str, Any], reason: str) -> None:
    assert reason in judged(QUOTE.replace(**change), GOOD)[0]


@pytest.mark.parametrize(
    "change", [{"ak": ec_key("x")}, {"trailing": bytes(70)}, {"cert_data": QUOTE.chain_pem + b"\0"}]
)
def test_what_is_other_and_not_wrong(change: dict[str, Any]) -> None:
    assert judged(QUOTE.replace(**change), GOOD)[0] == "UpToDate"


def test_the_chain_from_the_collateral() -> None:
    quote = QUOTE.replace(cert_type=4)
    collateral = CA.collateral(quote)
    assert collateral.pck_certificate_chain == QUOTE.chain_pem.decode()
    assert judged(quote, collateral)[0] == "UpToDate"


@pytest.mark.parametrize(
    ("collateral", "reason"),
    [
        (CA.collateral(QUOTE, tcb_info=INFO.replace(fmspc=bytes(6))), "Fmspc mismatch"),
        (CA.collateral(QUOTE, tcb_info=INFO.replace(id="SGX")), "non-TDX TCB info"),
        (CA.collateral(QUOTE, tcb_info=INFO.duplicate("fmspc")), "duplicate field `fmspc`"),
        (CA.collateral(QUOTE, tcb_info=INFO.drop("tdxModule")), "missing tdxModule"),
        (CA.collateral(QUOTE, tcb_info=INFO.drop("tcbLevels")), "missing field `tcbLevels`"),
        (CA.collateral(QUOTE, tcb_info=INFO.put("tcbLevels/0/tcb/pcesvn", "11")), "invalid type"),
        (CA.collateral(QUOTE, tcb_info=CA.sign(INFO).reserialised()), "Signature is invalid for tcb_info"),
        (CA.collateral(QUOTE, tcb_info=CA.sign(INFO, signed=b"x")), "Signature is invalid for tcb_info"),
        (CA.collateral(QUOTE, tcb_info=CA.sign(INFO, signer=ec_key("x"))), "Signature is invalid for tcb_info"),
        (CA.collateral(QUOTE, tcb_info=INFO.replace(issue_date=AT + timedelta(seconds=1))), "issue date is in the future"),
        (CA.collateral(QUOTE, tcb_info=INFO.replace(next_update=AT - timedelta(seconds=1))), "TCBInfo expired"),
        (CA.collateral(QUOTE, qe_identity=IDENTITY.replace(id="QE")), "Unsupported QE Identity id"),
        (CA.collateral(QUOTE, qe_identity=IDENTITY.replace(mr_signer=bytes(32))), "QE MRSIGNER mismatch"),
        (CA.collateral(QUOTE, qe_identity=CA.sign(IDENTITY, signed=b"x")), "Signature is invalid for qe_identity"),
        (CA.collateral(QUOTE, revoked=[QUOTE.pck]), "CertRevoked"),
        (CA.collateral(QUOTE, root_revoked=[CA.platform]), "CertRevoked"),
        (CA.collateral(QUOTE, root_revoked=[CA.tcb_signing]), "CertRevoked"),
        (CA.collateral(QUOTE, pck_crl=CA.pck_crl(ca="processor")), "UnknownRevocationStatus"),
        (CA.collateral(QUOTE, pck_crl=CA.pck_crl(signer=ec_key("x"))), "InvalidCrlSignature"),
        (CA.collateral(QUOTE, pck_crl=CA.pck_crl(next_update=AT - timedelta(days=1))), "CrlExpired"),
    ],
    ids=range(20),
)  # fmt: skip
def test_what_is_wrong_with_collateral_is_what_was_asked_for(collateral: Collateral, reason: str) -> None:
    assert reason in judged(QUOTE, collateral)[0]


def test_spaces_that_are_signed_are_no_damage() -> None:
    collateral = CA.collateral(QUOTE, tcb_info=CA.sign(INFO, spaced=True), qe_identity=CA.sign(IDENTITY, spaced=True))
    assert judged(QUOTE, collateral)[0] == "UpToDate"


@pytest.mark.parametrize(
    ("pck", "reason"),
    [
        ({"not_after": AT - timedelta(days=1)}, "CertExpired"),
        ({"not_before": AT + timedelta(days=1)}, "CertNotValidYet"),
        ({"signer": ec_key("x")}, "InvalidSignatureForPublicKey"),
        ({"sgx": SgxExtension().without("fmspc")}, "Fmspc"),
        ({"sgxExtensions": None}, "Intel extension not found"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_what_was_asked_for(pck: dict[str, Any], reason: str) -> None:
    assert reason.lower() in judged(CA.quote(5, pck=CA.pck(**pck)), GOOD)[0].lower()


def test_impostors() -> None:
    other = IntelCa(impostor=True)
    quote = other.quote(5)
    assert judged(quote, other.collateral(quote), root=other.root_der)[0] == "UpToDate"
    assert "Signature" in judged(quote, other.collateral(quote))[0]
    assert "Signature" in judged(quote, GOOD)[0]
    assert "Signature" in judged(QUOTE, GOOD, root=other.root_der)[0]


@settings(max_examples=40, deadline=None, database=None)
@given(strategies.quotes(((4, 2), (5, 2), (5, 3), (5, 4)), accepted=True))
def test_drawn_quotes_are_genuine(quote: Quote) -> None:
    """But for two gates of that implementation."""
    status = judged(quote, strategies.authority().collateral(quote))[0]
    assert (
        status in ("UpToDate", "Verification failed: Invalid QE auth data length")
        or "SEPT_VE" in status
        or "PERFMON" in status
    )
