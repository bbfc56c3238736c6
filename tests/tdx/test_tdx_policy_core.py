# SPDX-License-Identifier: Apache-2.0
"""Every member of a TDX policy, met and not met, as the C core judges it: which check, which code, and that nothing else changes."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest
from tdx_world import BOTH, CA, NOW, agrees, judged, outcomes, told

from attestcore import _lib
from tdxverify import Policy, parse_quote
from tdxverify.policy import AttributeRules, EnclaveRules, ReportDataPrefix, XfamRules
from tdxverify.testing import Quote

TD10 = CA.quote(4)
TD15 = CA.quote(5)
EX = CA.quote(5, 4)
SGX = CA.quote(3)
COLLATERAL = {id(quote): CA.collateral(quote) for quote in (TD10, TD15, EX, SGX)}
FIELDS = parse_quote(EX.bytes)
ENCLAVE = parse_quote(SGX.bytes).enclave
DAY = 86400

WRONG = {size: bytes(range(1, size + 1)) for size in (6, 16, 32, 48, 64)}


def verdict_of(quote: Quote, policy: Policy, **options: Any) -> Any:
    collateral = COLLATERAL.get(id(quote)) or CA.collateral(quote)
    return judged(quote, collateral, policy=policy, **options)


def field(name: str) -> bytes:
    value = getattr(FIELDS, name)
    assert isinstance(value, bytes)
    return value


# ---- lists of the body -----------------------------------------------------------------------------------------------

#: Policy member, quote's field, check, code, and the first body type that has the field.
LISTS = [
    ("mr_td", "mr_td", "mr-td", "mr-td-mismatch", 2),
    ("mr_seam", "mr_seam", "mr-seam", "mr-seam-mismatch", 2),
    ("rt_mr0", "rt_mr0", "rt-mr", "rt-mr-mismatch", 2),
    ("rt_mr1", "rt_mr1", "rt-mr", "rt-mr-mismatch", 2),
    ("rt_mr2", "rt_mr2", "rt-mr", "rt-mr-mismatch", 2),
    ("rt_mr3", "rt_mr3", "rt-mr", "rt-mr-mismatch", 2),
    ("mr_config_id", "mr_config_id", "mr-config-id", "mr-config-id-mismatch", 2),
    ("mr_owner", "mr_owner", "mr-owner", "mr-owner-mismatch", 2),
    ("mr_owner_config", "mr_owner_config", "mr-owner-config", "mr-owner-config-mismatch", 2),
    ("mr_service_td", "mr_service_td", "mr-service-td", "mr-service-td-mismatch", 3),
    ("td_id", "td_id", "mr-service-td", "mr-service-td-mismatch", 4),
    ("init_service_td", "init_service_td_hash", "mr-service-td", "mr-service-td-mismatch", 4),
    ("current_service_td", "current_service_td_hash", "mr-service-td", "mr-service-td-mismatch", 4),
]


@pytest.mark.parametrize(("member", "name", "check", "code", "first"), LISTS)
def test_a_list_of_expected_values(member: str, name: str, check: str, code: str, first: int) -> None:
    # Distinct values everywhere: a policy about one field must not be met by another.
    numbers = {f: bytes([i]) * len(getattr(FIELDS, f)) for i, (_, f, *_) in enumerate(LISTS, 1) if f != "mr_service_td"}
    names = {"current_service_td_hash": "cur_service_td_hash"}
    quote = EX.replace(**{names.get(f, f): value for f, value in numbers.items()})
    right = numbers.get(name, bytes(48))
    base = Policy(allow_service_td=True)
    size = len(right)
    agrees(verdict_of(quote, base.replace(**{member: [right]})), {}, verified=True)
    agrees(verdict_of(quote, base.replace(**{member: [WRONG[size], right, b"\xff" * size]})), {})
    wrong = verdict_of(quote, base.replace(**{member: [WRONG[size], right[:-1] + b"\x7e"]}))
    agrees(wrong, {check: code}, verified=True)
    (said,) = [c for c in wrong.checks if c.code]
    layout = _lib.QUOTE_LAYOUTS[4]
    assert said.field in layout
    assert said.offset == 54 + layout[said.field][0]
    for others in numbers.values():
        if len(others) == size and others != right:
            assert told(verdict_of(quote, base.replace(**{member: [others]}))) == {check: code}
            break
    # A body that has no such field cannot match, whatever is expected of it.
    for older, body in ((TD10, 2), (TD15, 3)):
        if body < first:
            agrees(verdict_of(older, base.replace(**{member: [bytes(size)]})), {check: code}, verified=True)
    both = base.replace(tee_types=("tdx", "sgx"), **{member: [bytes(size)]})
    agrees(verdict_of(SGX, both), {check: code}, verified=True)


def test_every_rtmr_that_is_asked_counts() -> None:
    values = {f"rt_mr{i}": [field(f"rt_mr{i}")] for i in range(4)}
    agrees(verdict_of(EX, Policy(**values)), {})
    for i in range(4):
        wrong = {**values, f"rt_mr{i}": [WRONG[48]]}
        verdict = verdict_of(EX, Policy(**wrong))
        agrees(verdict, {"rt-mr": "rt-mr-mismatch"})
        assert [check.field for check in verdict.checks if check.code] == [f"RTMR{i}"]


# ---- report data -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quote", [TD10, TD15, EX, SGX])
def test_report_data(quote: Quote) -> None:
    nonce = bytes(range(32))
    code = {"report-data": "report-data-mismatch"}
    quote = quote.replace(report_data=nonce + bytes(32))
    for policy in (
        BOTH.replace(report_data=nonce + bytes(32)),
        BOTH.replace(report_data=ReportDataPrefix(prefix=nonce, tail="zero")),
        BOTH.replace(report_data=ReportDataPrefix(prefix=nonce, tail="any")),
        BOTH.replace(report_data=ReportDataPrefix(prefix=nonce[:1], tail="any")),
    ):
        verdict = verdict_of(quote, policy)
        agrees(verdict, {}, verified=True)
        assert "report-data" not in verdict.omissions
    for policy in (
        BOTH.replace(report_data=nonce + bytes(31) + b"\1"),
        BOTH.replace(report_data=ReportDataPrefix(prefix=nonce[1:], tail="any")),
        BOTH.replace(report_data=ReportDataPrefix(prefix=nonce[:31], tail="zero")),
    ):
        agrees(verdict_of(quote, policy), code, verified=True)


# ---- attributes ------------------------------------------------------------------------------------------------------

SEPT = 1 << 28


@pytest.mark.parametrize(
    ("bits", "check", "code"),
    [
        (1 << 0, "debug", "td-debug"),
        (1 << 1, "td-attributes-reserved", "td-attributes-reserved"),
        (1 << 3, "td-attributes-reserved", "td-attributes-reserved"),
        (1 << 4, "td-attributes", "td-attributes-refused"),
        (1 << 5, "td-attributes", "td-attributes-refused"),
        (1 << 6, "td-attributes", "td-attributes-refused"),
        (1 << 7, "td-attributes-reserved", "td-attributes-reserved"),
        (1 << 22, "td-attributes-reserved", "td-attributes-reserved"),
        (1 << 29, "td-migratable", "td-migratable"),
        (1 << 39, "td-attributes-reserved", "td-attributes-reserved"),
        (1 << 61, "td-attributes-reserved", "td-attributes-reserved"),
        (1 << 30, None, None),
        (1 << 63, None, None),
        (0, None, None),
    ],
)
@pytest.mark.parametrize("quote", [TD10, EX])
def test_attribute_bits_and_the_default_policy(quote: Quote, bits: int, check: str | None, code: str | None) -> None:
    for more in (0, SEPT):
        verdict = verdict_of(quote.replace(td_attributes=bits | more), Policy())
        agrees(verdict, {} if check is None else {check: code or ""}, verified=True)
        if check is not None:
            (said,) = [c for c in verdict.checks if c.code]
            assert said.offset == (48 if quote is TD10 else 54) + 120 + (bits.bit_length() - 1) // 8


def test_attribute_rules() -> None:
    sept = AttributeRules(sept_ve_disable="required")
    agrees(verdict_of(TD10.replace(td_attributes=SEPT), Policy(attributes=sept)), {})
    agrees(
        verdict_of(TD10.replace(td_attributes=0), Policy(attributes=sept)), {"td-attributes": "td-attributes-refused"}
    )
    agrees(verdict_of(TD10.replace(td_attributes=1), Policy(debug="any")), {})
    agrees(verdict_of(TD10.replace(td_attributes=1), Policy(debug="required")), {})
    agrees(verdict_of(TD10.replace(td_attributes=0), Policy(debug="required")), {"debug": "td-attributes-refused"})
    agrees(verdict_of(TD10.replace(td_attributes=1 << 29), Policy(allow_service_td=True)), {})
    wanted = Policy(allow_service_td=True, attributes=AttributeRules(migratable="required"))
    agrees(verdict_of(TD10.replace(td_attributes=1 << 29), wanted), {})
    agrees(verdict_of(TD10.replace(td_attributes=0), wanted), {"td-migratable": "td-attributes-refused"})
    kept = Policy(allow_service_td=True, attributes=AttributeRules(migratable="forbidden"))
    agrees(verdict_of(TD10.replace(td_attributes=1 << 29), kept), {"td-migratable": "td-migratable"})
    loose = Policy(attributes=AttributeRules(unknown_bits="any"))
    agrees(verdict_of(TD10.replace(td_attributes=1 << 40), loose), {})
    assert outcomes(verdict_of(TD10, loose))["td-attributes-reserved"] == "not-run"


@pytest.mark.parametrize(
    ("xfam", "rules", "code"),
    [
        (0xE7, {}, None),
        (0x61AE7, {}, None),
        (0xE6, {}, "xfam-reserved"),
        (0xE5, {}, "xfam-reserved"),
        (0xE7 | 1 << 3, {}, "xfam-reserved"),
        (0xE7 | 1 << 62, {}, "xfam-reserved"),
        (0xE7 | 1 << 62, {"unknown_bits": "any"}, None),
        (0xE7, {"avx512": "forbidden"}, "xfam-refused"),
        (0x47, {"avx512": "required"}, "xfam-refused"),
        (0xE7, {"avx512": "required"}, None),
        (0x07, {"amx": "forbidden"}, None),
        (0x60007, {"amx": "forbidden"}, "xfam-refused"),
    ],
)
def test_xfam(xfam: int, rules: dict[str, Any], code: str | None) -> None:
    verdict = verdict_of(TD10.replace(xfam=xfam), Policy(xfam=XfamRules(**rules)))
    agrees(verdict, {} if code is None else {"xfam": code}, verified=True)


# ---- service TDs -----------------------------------------------------------------------------------------------------


def test_a_bound_service_td() -> None:
    bound = {"service-td": "service-td-bound"}
    allowed = Policy(allow_service_td=True)
    for quote, name in ((TD15, "mr_service_td"), (EX, "mr_service_td"), (EX, "cur_service_td_hash")):
        served = quote.replace(**{name: bytes(47) + b"\1"})
        agrees(verdict_of(served, Policy()), bound, verified=True)
        agrees(verdict_of(served, allowed), {}, verified=True)
    verdict = verdict_of(EX.replace(cur_service_td_hash=b"\1" * 48), Policy())
    assert [check.field for check in verdict.checks if check.code] == ["CUR_SERVTD_HASH"]
    agrees(verdict_of(TD10, Policy()), {})
    expected = Policy(allow_service_td=True, mr_service_td=[b"\7" * 48])
    agrees(verdict_of(TD15.replace(mr_service_td=b"\7" * 48), expected), {})
    agrees(verdict_of(TD15.replace(mr_service_td=b"\6" * 48), expected), {"mr-service-td": "mr-service-td-mismatch"})


# ---- TCB -------------------------------------------------------------------------------------------------------------


def test_floors_under_every_component() -> None:
    quote = EX.replace(tee_tcb_svn=bytes([9, 1, *range(3, 17)]), tee_tcb_svn_2=bytes([9, 1, *range(4, 18)]))
    code = {"tee-tcb-svn-floor": "tee-tcb-svn-too-low"}
    for member, svn, at in (
        ("min_tee_tcb_svn", quote.body.build()[:16], 0),
        ("min_tee_tcb_svn_2", quote.body.build()[584:600], 584),
    ):
        agrees(verdict_of(quote, Policy(**{member: svn})), {})
        agrees(verdict_of(quote, Policy(**{member: bytes(16)})), {})
        for i in range(16):
            above = svn[:i] + bytes([svn[i] + 1]) + svn[i + 1 :]
            verdict = verdict_of(quote, Policy(**{member: above}))
            agrees(verdict, code, verified=True)
            assert [check.offset for check in verdict.checks if check.code] == [54 + at + i]
    agrees(verdict_of(TD10, Policy(min_tee_tcb_svn_2=bytes(16))), code)
    agrees(verdict_of(SGX, BOTH.replace(min_tee_tcb_svn=bytes(16))), code)


def test_statuses_are_a_set() -> None:
    for word in ("ConfigurationNeeded", "OutOfDate", "SWHardeningNeeded", "UpToDate"):
        collateral = CA.collateral(TD15, status=word)
        agrees(judged(TD15, collateral, policy=Policy(statuses=(word,))), {})
        others = tuple({"ConfigurationNeeded", "OutOfDate", "SWHardeningNeeded", "UpToDate"} - {word})
        agrees(judged(TD15, collateral, policy=Policy(statuses=others)), {"tcb-status": "tcb-status-refused"})


@pytest.mark.parametrize(
    ("status", "statuses", "tolerated"),
    [
        ("OutOfDate", ("UpToDate",), True),
        ("OutOfDateConfigurationNeeded", ("UpToDate",), False),
        ("OutOfDateConfigurationNeeded", ("UpToDate", "ConfigurationNeeded"), True),
        ("ConfigurationNeeded", ("UpToDate",), False),
        ("ConfigurationAndSWHardeningNeeded", ("UpToDate", "ConfigurationNeeded"), False),
        ("Revoked", ("UpToDate",), False),
    ],
)
def test_grace(status: str, statuses: tuple[str, ...], tolerated: bool) -> None:
    """Both ends belong to it; it counts from the oldest tcbDate of the levels that matched."""
    collateral = CA.collateral(TD15, status=status)
    (tcb_date,) = {judged(TD15, collateral, policy=Policy(statuses=statuses)).tcb_date}
    assert tcb_date is not None
    from datetime import datetime, timezone

    since = NOW - int(datetime.fromisoformat(tcb_date).replace(tzinfo=timezone.utc).timestamp())
    assert since > 0
    code = {"tcb-status": "tcb-revoked" if status == "Revoked" else "tcb-status-refused"}
    for seconds in (since, since + 1):
        verdict = judged(TD15, collateral, policy=Policy(statuses=statuses, grace_seconds=seconds))
        agrees(verdict, {} if tolerated else code, verified=True)
        if tolerated:
            assert verdict.valid_until == NOW + seconds - since  # no longer than the grace lasts
    agrees(judged(TD15, collateral, policy=Policy(statuses=statuses, grace_seconds=since - 1)), code)
    agrees(judged(TD15, collateral, policy=Policy(statuses=statuses)), code)


def test_advisories_refused_and_tolerated() -> None:
    quote = CA.quote(4, tee_tcb_svn=b"\3\1" + bytes(14))
    levels: dict[str, Any] = {
        "advisories": ("INTEL-SA-00001",),
        "module_advisories": ("INTEL-SA-00002",),
        "qe_advisories": ("INTEL-SA-00003",),
    }
    every = ("INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003")
    collateral = CA.collateral(quote, status="SWHardeningNeeded", **levels)
    code = {"advisories": "advisory-refused"}
    for name in every:
        agrees(judged(quote, collateral, policy=Policy(refused_advisories=[name])), code, verified=True)
        rest = [other for other in every if other != name]
        agrees(judged(quote, collateral, policy=Policy(tolerated_advisories=rest)), code, verified=True)
    agrees(judged(quote, collateral, policy=Policy(refused_advisories=["INTEL-SA-00004", "INTEL-SA-0000"])), {})
    agrees(judged(quote, collateral, policy=Policy(tolerated_advisories=[*every, "INTEL-SA-00009"])), {})
    agrees(judged(quote, collateral, policy=Policy(tolerated_advisories=["INTEL-SA-00009"])), code)
    agrees(judged(TD15, CA.collateral(TD15), policy=Policy(tolerated_advisories=["INTEL-SA-00009"])), {})
    mixed = Policy(tolerated_advisories=every[:2], refused_advisories=[every[2]])
    agrees(judged(quote, collateral, policy=mixed), code)
    # Asked, and nothing to judge by: required, and not run.
    verdict = judged(quote, None, policy=Policy(refused_advisories=every))
    assert outcomes(verdict)["advisories"] == "not-run"
    assert verdict.codes == ("collateral-missing",)


def test_evaluation_numbers_of_both_documents() -> None:
    code = {"tcb-evaluation-number": "tcb-evaluation-number-too-low"}
    info, identity = CA.tcb_info(TD15), CA.qe_identity(TD15)

    def of(first: int, second: int) -> Any:
        return CA.collateral(
            TD15,
            tcb_info=info.replace(tcb_evaluation_data_number=first),
            qe_identity=identity.replace(tcb_evaluation_data_number=second),
        )

    floor = Policy(min_tcb_evaluation_data_number=18)
    agrees(judged(TD15, of(18, 18), policy=floor), {})
    agrees(judged(TD15, of(17, 18), policy=floor), code)
    agrees(judged(TD15, of(18, 17), policy=floor), code)
    assert judged(TD15, of(20, 19)).to_dict()["tcb_evaluation_data_number"] == 19
    assert judged(TD15, of(19, 20)).to_dict()["tcb_evaluation_data_number"] == 19


def test_age_of_what_is_issued_every_month() -> None:
    """TCB info, identity and PCK CRL are ten days old; the root's CRL is older and has a year."""
    code = {"collateral-age": "collateral-too-old"}
    verdict = verdict_of(TD15, Policy(max_collateral_age=10 * DAY))
    agrees(verdict, {})
    assert verdict.valid_until == NOW
    agrees(verdict_of(TD15, Policy(max_collateral_age=10 * DAY - 1)), code)
    younger = verdict_of(TD15, Policy(max_collateral_age=11 * DAY))
    assert younger.valid_until == NOW + DAY


# ---- TEE, platform, enclave ------------------------------------------------------------------------------------------


def test_kinds_of_tee() -> None:
    code = {"tee-type-allowed": "tee-type-not-allowed"}
    agrees(verdict_of(SGX, Policy()), code, verified=True)
    agrees(verdict_of(TD15, Policy(tee_types=("sgx",))), code, verified=True)
    agrees(verdict_of(SGX, Policy(tee_types=("sgx",))), {})
    agrees(verdict_of(SGX, BOTH), {})
    assert verdict_of(SGX, Policy()).tcb_status == "UpToDate"  # evaluated all the same


def test_enclaves() -> None:
    assert ENCLAVE is not None
    sgx = BOTH.replace
    agrees(verdict_of(SGX, sgx(sgx=EnclaveRules(mr_enclave=[ENCLAVE.mr_enclave, WRONG[32]]))), {})
    agrees(verdict_of(SGX, sgx(sgx=EnclaveRules(mr_signer=[ENCLAVE.mr_signer]))), {})
    agrees(verdict_of(SGX, sgx(sgx=EnclaveRules(isv_prod_id=ENCLAVE.isv_prod_id))), {})
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"mr_enclave": [WRONG[32]]}, "mr-enclave-mismatch"),
        ({"mr_signer": [WRONG[32]]}, "mr-signer-mismatch"),
        ({"isv_prod_id": ENCLAVE.isv_prod_id + 1}, "isv-prod-id-mismatch"),
        ({"min_isv_svn": ENCLAVE.isv_svn + 1}, "isv-svn-too-low"),
    ]
    for rules, code in wrong:
        agrees(verdict_of(SGX, sgx(sgx=EnclaveRules(**rules))), {"enclave": code}, verified=True)
        # Asked of a TD, which has none of it.
        agrees(verdict_of(TD15, sgx(sgx=EnclaveRules(**rules))), {"enclave": code}, verified=True)
    svn = SGX.replace(isv_svn=0x0102)
    agrees(verdict_of(svn, sgx(sgx=EnclaveRules(min_isv_svn=0x0102))), {})
    agrees(verdict_of(svn, sgx(sgx=EnclaveRules(min_isv_svn=0x0103))), {"enclave": "isv-svn-too-low"})


def test_an_enclave_in_debug_mode() -> None:
    debug = SGX.replace(attributes=b"\x07" + bytes(7) + b"\3" + bytes(7))
    agrees(verdict_of(debug, BOTH), {"debug": "sgx-debug"}, verified=True)
    agrees(verdict_of(debug, BOTH.replace(debug="any")), {})
    agrees(verdict_of(debug, BOTH.replace(debug="required")), {})
    agrees(verdict_of(SGX, BOTH.replace(debug="required")), {"debug": "td-attributes-refused"})


@pytest.mark.parametrize(
    ("changes", "check", "code"),
    [
        ({"attributes": AttributeRules(sept_ve_disable="required")}, "td-attributes", "td-attributes-refused"),
        (
            {"attributes": AttributeRules(migratable="required"), "allow_service_td": True},
            "td-migratable",
            "td-attributes-refused",
        ),
        ({"xfam": XfamRules(avx="required")}, "xfam", "xfam-refused"),
    ],
)
def test_what_is_required_of_a_td_fails_an_enclave(changes: dict[str, Any], check: str, code: str) -> None:
    agrees(verdict_of(SGX, BOTH.replace(**changes)), {check: code}, verified=True)


def test_what_is_forbidden_to_a_td_does_not_concern_an_enclave() -> None:
    strict = BOTH.replace(attributes=AttributeRules(pks="forbidden"), xfam=XfamRules(amx="forbidden"))
    verdict = verdict_of(SGX, strict)
    agrees(verdict, {})
    ran = outcomes(verdict)
    assert {
        ran[name] for name in ("td-attributes", "td-attributes-reserved", "td-migratable", "xfam", "service-td")
    } == {"not-run"}


@pytest.mark.parametrize("member", ["fmspc", "ppid", "platform_instance_id", "pck_keys"])
def test_platforms_allowed_and_denied(member: str) -> None:
    pck = TD15.pck
    value = (
        hashlib.sha256(pck.spec.spki).digest()
        if member == "pck_keys"
        else {
            "fmspc": pck.sgx.fmspc,
            "ppid": pck.sgx.ppid,
            "platform_instance_id": pck.sgx.platform_instance_id,
        }[member]
    )
    assert value is not None
    other = WRONG[len(value)]
    refused, denied = {"platform-allowed": "platform-refused"}, {"platform-denied": "platform-denied"}
    agrees(verdict_of(TD15, Policy(**{member: [value, other]})), {})
    agrees(verdict_of(TD15, Policy(**{member: [other]})), refused, verified=True)
    agrees(verdict_of(TD15, Policy(**{f"denied_{member}": [other]})), {})
    agrees(verdict_of(TD15, Policy(**{f"denied_{member}": [other, value]})), denied, verified=True)
    processor = CA.quote(5, ca="processor")
    if member == "platform_instance_id":  # a Processor CA's certificate names none
        agrees(verdict_of(processor, Policy(**{member: [bytes(16)]})), refused)
        agrees(verdict_of(processor, Policy(**{f"denied_{member}": [bytes(16)]})), {})
    # Without a certificate there is nothing to hold it against.
    bare = CA.quote(5, cert_type=4)
    verdict = judged(bare, CA.collateral(bare).replace(pck_certificate_chain=None), policy=Policy(**{member: [value]}))
    assert (outcomes(verdict)["platform-allowed"], verdict.accepted) == ("not-run", False)
    assert set(verdict.codes) == {"certificate-missing"}


@pytest.mark.parametrize("member", ["dynamic_platform", "cached_keys", "smt_enabled"])
def test_configuration_of_the_platform(member: str) -> None:
    code = {"platform-configuration": "platform-configuration-refused"}
    for value in (False, True):
        quote = CA.quote(5, pck=CA.pck(**{member: value}))
        agrees(verdict_of(quote, Policy(**{member: "required"})), {} if value else code, verified=True)
        agrees(verdict_of(quote, Policy(**{member: "forbidden"})), code if value else {}, verified=True)
        assert outcomes(verdict_of(quote, Policy()))["platform-configuration"] == "not-run"
    processor = CA.quote(5, ca="processor")
    for wish in ("required", "forbidden"):
        agrees(verdict_of(processor, Policy(**{member: wish})), code)


def test_sgx_types() -> None:
    names = ("standard", "scalable", "scalable-with-integrity")
    for number, name in enumerate(names):
        quote = CA.quote(5, pck=CA.pck(sgx_type=number))
        agrees(verdict_of(quote, Policy(sgx_types=[name])), {})
        others = [other for other in names if other != name]
        agrees(
            verdict_of(quote, Policy(sgx_types=others)),
            {"platform-configuration": "platform-configuration-refused"},
            verified=True,
        )


# ---- what was not asked ----------------------------------------------------------------------------------------------


def test_what_is_not_asked_is_not_run() -> None:
    """Of the checks of the policy the default one runs these and no other."""
    policy = _lib.TDX_CHECKS[_lib.TDX_CHECKS.index("tee-type-allowed") :]
    for quote, expected in (
        (
            TD15,
            {
                "tee-type-allowed",
                "debug",
                "td-attributes-reserved",
                "td-migratable",
                "td-attributes",
                "xfam",
                "service-td",
            },
        ),
        (SGX, {"tee-type-allowed", "debug"}),
    ):
        ran = outcomes(verdict_of(quote, BOTH))
        assert {name for name in policy if ran[name] != "not-run"} == expected


def test_omissions() -> None:
    assert ENCLAVE is not None
    assert verdict_of(TD15, Policy()).omissions == ("mr-td", "report-data")
    assert verdict_of(TD15, Policy(mr_td=[field("mr_td")])).omissions == ("report-data",)
    assert verdict_of(SGX, BOTH).omissions == ("measurement", "report-data")
    named = BOTH.replace(sgx=EnclaveRules(mr_signer=[ENCLAVE.mr_signer]), report_data=bytes(64))
    assert verdict_of(SGX, named).omissions == ()


def test_every_member_of_the_policy_reaches_the_core() -> None:
    """Each field of the compiled policy has a member of att_tdx_policy and is written there."""
    from tdxverify.policy import CompiledPolicy

    known = {name for name, _ in _lib.ffi.typeof("att_tdx_policy").fields}
    assert {f.name for f in dataclasses.fields(CompiledPolicy)} == known
