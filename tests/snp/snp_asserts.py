# SPDX-License-Identifier: Apache-2.0
"""What a test says of a verdict: all of it. A test that only says "refused" passes for the wrong reason as well.

assert_accepted(verdict)                                  every required check ran and passed
assert_only(verdict, "vmpl", "vmpl-refused", "VMPL", 0x30) that check failed so, and nothing else did
assert_failed(verdict, {...})                             where one fault shows in several checks: all of them, in order
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from snpverify import Check, Verdict


def words(text: str) -> list[str]:
    return text.split()


#: Required of every report, whatever the policy; a row of the contract's checks that says neither pass nor fail here is no
#: acceptance. Stated here again, apart from the core, on purpose.
ALWAYS = frozenset(
    words(
        """report-length report-version report-algorithm report-signing-key report-reserved report-product
        report-tcb-layout evaluation-time certificate leaf-profile issuer-profile root chain-names leaf-signature
        issuer-signature leaf-validity issuer-validity root-validity signer-kind product reported-tcb tcb-order
        report-signature vmpl guest-policy-reserved"""
    )
)

#: Category of each code, as the contract's words have it; written down here apart from codes.def, so that one who moves a
#: code has to say so twice.
CATEGORIES: Mapping[str, frozenset[str]] = {
    category: frozenset(codes.split())
    for category, codes in {
        "parse": "evidence-missing report-length-invalid reserved-not-zero tcb-reserved-not-zero certificate-set-malformed "
        "id-block-malformed evidence-malformed event-log-malformed event-digest-missing",
        "unsupported": "report-version-unsupported signature-algorithm-unsupported signing-key-unsupported "
        "product-unsupported kind-unsupported event-log-unsupported",
        "signature": "report-unsigned chip-key-masked leaf-signature-invalid issuer-signature-invalid "
        "report-signature-malformed report-signature-invalid id-block-signature-invalid id-key-signature-invalid",
        "chain": "root-untrusted chain-name-mismatch chain-key-reused",
        "cert-profile": "certificate-malformed certificate-version-invalid certificate-serial-invalid "
        "certificate-algorithm-unsupported certificate-name-invalid certificate-key-invalid certificate-time-malformed "
        "certificate-extension-invalid certificate-extension-missing certificate-constraints-invalid",
        "time": "evaluation-time-missing certificate-expired certificate-not-yet-valid crl-expired crl-not-yet-valid",
        "crl": "crl-malformed crl-signature-invalid",
        "revoked": "certificate-revoked",
        "binding": "signer-kind-mismatch product-mismatch chip-id-mismatch reported-tcb-mismatch id-block-report-mismatch",
        "collateral": "certificate-missing collateral-missing",
        "tcb": "tcb-order-invalid tcb-floor-undefined reported-tcb-too-low committed-tcb-too-low current-tcb-too-low "
        "launch-tcb-too-low",
        "policy": "report-host-requested vmpl-refused debug-allowed migration-allowed guest-policy-reserved "
        "guest-policy-refused guest-abi-too-low platform-info-refused report-version-too-low guest-svn-too-low "
        "product-refused signer-kind-refused chip-id-masked chip-id-refused chip-id-denied leaf-key-refused "
        "leaf-key-denied csp-id-refused firmware-provisional firmware-too-old launch-mitigation-missing "
        "current-mitigation-missing measurement-mismatch host-data-mismatch family-id-mismatch image-id-mismatch "
        "report-id-mismatch report-id-ma-mismatch id-block-missing id-block-refused id-key-mismatch author-key-mismatch",
        "freshness": "report-data-mismatch",
        "limit": "certificate-set-too-large crl-too-large internal-error event-log-too-large",
    }.items()
}
CATEGORY_OF = {code: category for category, codes in CATEGORIES.items() for code in codes}

#: Codes that a check carries when it could not run for lack of input; any other code is a failure.
MISSING = frozenset({"certificate-missing", "collateral-missing"})


def by_name(verdict: Verdict) -> dict[str, Check]:
    checks = {check.check: check for check in verdict.checks}
    assert len(checks) == len(verdict.checks), "a check stands twice"
    return checks


def outcome(verdict: Verdict, check: str) -> str:
    return by_name(verdict)[check].outcome


def coherent(verdict: Verdict) -> None:
    """What holds of every verdict, accepted or not."""
    codes = tuple(check.code for check in verdict.checks if check.code is not None)
    assert verdict.codes == codes
    assert verdict.accepted is (codes == ()), (verdict.accepted, codes)
    for check in verdict.checks:
        if check.code is None:
            assert check.outcome in ("pass", "not-run"), check
            assert (check.field, check.offset, check.detail) == (None, None, None), check
        else:
            assert check.outcome == ("not-run" if check.code in MISSING else "fail"), check
            assert check.category == CATEGORY_OF[check.code], check
            assert check.detail, check


def assert_accepted(verdict: Verdict, *, ran: Iterable[str] = ()) -> None:
    """Accepted, every required check passed, those of `ran` too."""
    coherent(verdict)
    assert verdict.codes == ()
    assert verdict.accepted is True
    assert verdict.claims_verified is True
    checks = by_name(verdict)
    for name in ALWAYS | set(ran):
        assert checks[name].outcome == "pass", checks[name]


def assert_failed(
    verdict: Verdict, failed: Mapping[str, str], *, unrun: Collection[str] | None = ()
) -> dict[str, Check]:
    """Exactly these checks carry exactly these codes, in the order of the verdict; every other required one passed, but for
    those of `unrun`, which did not run (None: whatever could not run)."""
    coherent(verdict)
    found = {check.check: check.code for check in verdict.checks if check.code is not None}
    assert found == dict(failed)
    assert tuple(found) == tuple(failed), "codes out of order"
    assert verdict.codes == tuple(failed.values())
    assert verdict.accepted is False
    checks = by_name(verdict)
    for name in ALWAYS - set(failed):
        wanted = ("pass", "not-run") if unrun is None else ("not-run",) if name in unrun else ("pass",)
        assert checks[name].outcome in wanted, checks[name]
    return checks


def assert_only(
    verdict: Verdict,
    check: str,
    code: str,
    field: str | None = None,
    offset: int | None = None,
    *,
    unrun: Collection[str] | None = (),
) -> None:
    """That check failed with that code, there, and it is the only one."""
    found = assert_failed(verdict, {check: code}, unrun=unrun)[check]
    if field is not None:
        assert found.field == field
    if offset is not None:
        assert found.offset == offset


def same(a: Verdict, b: Verdict, *, but: Collection[str] = ()) -> None:
    """Two verdicts say the same, in every word."""
    left, right = a.to_dict(), b.to_dict()
    for key in left.keys() | right.keys():
        if key not in but:
            assert left[key] == right[key], key


def dotted(mapping: Mapping[str, Any] | None, prefix: str = "") -> dict[str, Any]:
    """Nested claims as one flat table."""
    out: dict[str, Any] = {}
    for key, value in (mapping or {}).items():
        if isinstance(value, Mapping):
            out |= dotted(value, f"{prefix}{key}.")
        else:
            out[prefix + key] = value
    return out
