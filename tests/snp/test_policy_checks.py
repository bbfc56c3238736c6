# SPDX-License-Identifier: Apache-2.0
"""The policy against genuine reports: each field of it, asked for and met, asked for and not met, and not asked for.

Signature, chain and binding hold throughout: claims_verified stays True whatever the policy says. What a policy may say at
all is tested in test_policy.py.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from snp_asserts import assert_accepted, assert_failed, assert_only, by_name, outcome, words
from snp_world import KINDS, LINES, Case, authority, case_of, certs_of, endorsement, good

from snpverify import Policy, Verdict
from snpverify.policy import (
    GUEST_POLICY_BITS,
    PLATFORM_INFO_BITS,
    GuestPolicyRules,
    PlatformInfoRules,
    ReportDataPrefix,
)
from snpverify.testing import ReportFields, Tcb, ec_key, id_key_digest

BASE = 0x30000  # POLICY: bit 17 and SMT


def refused(
    verdict: Verdict, check: str, code: str, field: str | None = None, offset: int | None = None, **how: Any
) -> None:
    """By the policy alone."""
    assert_only(verdict, check, code, field, offset, **how)
    assert verdict.claims_verified is True


def guest(**rules: Any) -> Policy:
    return Policy(guest_policy=GuestPolicyRules(**rules))


def platform(**rules: Any) -> Policy:
    return Policy(platform_info=PlatformInfoRules(**rules))


# ---- nothing asked ---------------------------------------------------------------------------------------------------

#: Checks of the default policy that are not run because nobody asked; the rest ran.
NOT_ASKED = words(
    """crl revocation guest-policy-bits guest-abi platform-info report-version-floor guest-svn product-allowed
    signer-allowed chip-allowed chip-denied leaf-key-allowed leaf-key-denied csp-allowed provisional-firmware
    firmware-version reported-tcb-floor committed-tcb-floor current-tcb-floor launch-tcb-floor launch-mitigation
    current-mitigation measurement report-data host-data family-id image-id report-id report-id-ma id-block id-key
    author-key"""
)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("version", [3, 4, 5])
def test_the_default_policy(line: str, version: int, engine: str) -> None:
    """What is not asked is not run, and neither passes nor fails; what should have been asked is an omission."""
    verdict = good(line, version=version).verify(engine)
    assert_accepted(verdict)
    assert sorted(c.check for c in verdict.checks if c.outcome == "not-run") == sorted(NOT_ASKED)
    assert verdict.omissions == ("measurement", "report-data", "tcb-floor", "crl")
    assert verdict.policy_digest == Policy().digest()


def test_omissions_go_when_asked() -> None:
    fields = ReportFields()
    case = good(chip_id=bytes(64)).but(crls=(authority().crl().der,))
    assert case.verify().omissions == ("measurement", "report-data", "tcb-floor", "chip-id")
    asked = case.asking(
        measurements=[fields.measurement], report_data=fields.report_data, min_launch_tcb={"any": {"snp": 0}}
    ).verify()
    assert_accepted(asked, ran=("measurement", "report-data", "launch-tcb-floor"))
    assert asked.omissions == ("chip-id",)


# ---- VMPL ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vmpl", [0, 1, 2, 3])
def test_the_guests_vmpls(vmpl: int) -> None:
    assert_accepted(good(vmpl=vmpl).verify())
    assert_accepted(good(vmpl=vmpl).asking(vmpls=[vmpl]).verify())
    refused(good(vmpl=vmpl).asking(vmpls=[3 - vmpl]).verify(), "vmpl", "vmpl-refused", "VMPL", 0x30)


@pytest.mark.parametrize("vmpl", [4, 5, 31, 32, 33, 63, 64, 0x100, 2**31, 2**32 - 2])
def test_vmpls_that_are_none(vmpl: int) -> None:
    """Also those that a shift by VMPL would take for 0 to 3."""
    refused(good(vmpl=vmpl).verify(), "vmpl", "vmpl-refused", "VMPL", 0x30)
    refused(good(vmpl=vmpl).asking(vmpls=[0, 1, 2, 3]).verify(), "vmpl", "vmpl-refused", "VMPL", 0x30)


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_that_the_host_asked_for(kind: str, engine: str) -> None:
    """The same key, the same signature, and REPORT_DATA of the host's choice. No policy allows it."""
    case = good("Genoa", kind, vmpl=2**32 - 1)
    refused(case.verify(engine), "vmpl", "report-host-requested", "VMPL", 0x30)
    refused(case.asking(vmpls=[0, 1, 2, 3]).verify(engine), "vmpl", "report-host-requested", "VMPL", 0x30)


# ---- POLICY ----------------------------------------------------------------------------------------------------------


def test_debug() -> None:
    case = good(policy=BASE | 1 << 19)
    refused(case.verify(), "guest-policy-debug", "debug-allowed", "POLICY", 0x0A)
    assert_accepted(case.but(policy=guest(debug="any")).verify())
    assert_accepted(case.but(policy=guest(debug="required")).verify(), ran=("guest-policy-debug",))
    refused(
        good().but(policy=guest(debug="required")).verify(),
        "guest-policy-debug",
        "guest-policy-refused",
        "POLICY",
        0x0A,
    )
    assert outcome(good().but(policy=guest(debug="any")).verify(), "guest-policy-debug") == "not-run"


def test_migration() -> None:
    case = good(policy=BASE | 1 << 18)
    refused(case.verify(), "guest-policy-migration", "migration-allowed", "POLICY", 0x0A)
    assert_accepted(case.but(policy=guest(migrate_ma="any")).verify())
    assert_accepted(case.but(policy=guest(migrate_ma="required")).verify())
    refused(good().but(policy=guest(migrate_ma="required")).verify(), "guest-policy-migration", "guest-policy-refused")


def test_debug_and_migration_are_two_findings() -> None:
    case = good(policy=BASE | 3 << 18)
    assert_failed(case.verify(), {"guest-policy-debug": "debug-allowed", "guest-policy-migration": "migration-allowed"})
    refused(case.but(policy=guest(debug="any")).verify(), "guest-policy-migration", "migration-allowed")
    refused(case.but(policy=guest(migrate_ma="any")).verify(), "guest-policy-debug", "debug-allowed")


def test_bit_17_is_clear() -> None:
    """Reserved, and must be one: whatever the policy says."""
    case = good(policy=1 << 16)
    refused(case.verify(), "guest-policy-reserved", "guest-policy-reserved", "POLICY", 0x0A)
    refused(case.but(policy=guest(unknown_bits="any")).verify(), "guest-policy-reserved", "guest-policy-reserved")


@pytest.mark.parametrize("bit", range(26, 64))
def test_bits_that_the_library_does_not_know(bit: int) -> None:
    case = good(policy=BASE | 1 << bit)
    refused(case.verify(), "guest-policy-reserved", "guest-policy-reserved", "POLICY", 0x08 + bit // 8)
    allowed = case.but(policy=guest(unknown_bits="any")).verify()
    assert_accepted(allowed)
    assert allowed.claims is not None
    assert allowed.claims["policy"]["raw"] == BASE | 1 << bit


OPEN_BITS = {name: bit for name, bit in GUEST_POLICY_BITS.items() if name not in ("debug", "migrate_ma")}


@pytest.mark.parametrize(("name", "bit"), list(OPEN_BITS.items()), ids=list(OPEN_BITS))
def test_the_other_bits_of_policy_both_ways(name: str, bit: int) -> None:
    """Set and clear, required, forbidden and any. By default the guest's choice."""
    expected = {
        "smt": 16,
        "single_socket": 20,
        "cxl_allow": 21,
        "mem_aes_256_xts": 22,
        "rapl_dis": 23,
        "ciphertext_hiding": 24,
        "page_swap_disable": 25,
    }
    assert bit == expected[name]
    on, off = good(policy=1 << 17 | 1 << bit), good(policy=1 << 17)
    for case in (on, off):
        assert_accepted(case.verify())
        assert outcome(case.but(policy=guest(**{name: "any"})).verify(), "guest-policy-bits") == "not-run"
    assert_accepted(on.but(policy=guest(**{name: "required"})).verify(), ran=("guest-policy-bits",))
    assert_accepted(off.but(policy=guest(**{name: "forbidden"})).verify(), ran=("guest-policy-bits",))
    where = ("guest-policy-bits", "guest-policy-refused", "POLICY", 0x08 + bit // 8)
    refused(off.but(policy=guest(**{name: "required"})).verify(), *where)
    refused(on.but(policy=guest(**{name: "forbidden"})).verify(), *where)


@pytest.mark.parametrize(
    ("abi", "floor", "fine"),
    [
        (0x0000, "0.1", False), (0x0001, "0.1", True), (0x001F, "0.31", True), (0x001E, "0.31", False), (0x0100, "0.255", True),
        (0x00FF, "1.0", False), (0x0100, "1.0", True), (0x0137, "1.55", True), (0x0136, "1.55", False), (0x0200, "1.55", True),
        (0x3701, "1.55", True), (0xFFFF, "255.255", True), (0xFFFE, "255.255", False),
    ],
)  # fmt: skip
def test_abi(abi: int, floor: str, fine: bool) -> None:
    """The pair, major first: 1.0 is above 0.255."""
    verdict = good(policy=BASE | abi).but(policy=guest(min_abi=floor)).verify()
    if fine:
        assert_accepted(verdict, ran=("guest-abi",))
    else:
        refused(verdict, "guest-abi", "guest-abi-too-low", "POLICY", 0x08)


# ---- PLATFORM_INFO ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "bit"), list(PLATFORM_INFO_BITS.items()), ids=list(PLATFORM_INFO_BITS))
def test_each_bit_of_platform_info_both_ways(name: str, bit: int) -> None:
    expected = words(
        """smt_en tsme_en ecc_en rapl_dis ciphertext_hiding_dram_en alias_check_complete iommu_write_safe tio_en"""
    )
    assert expected[bit] == name
    on, off = good(platform_info=1 << bit), good(platform_info=0xFF & ~(1 << bit))
    for case in (on, off):
        assert_accepted(case.verify())
        assert outcome(case.but(policy=platform(**{name: "any"})).verify(), "platform-info") == "not-run"
    assert_accepted(on.but(policy=platform(**{name: "required"})).verify(), ran=("platform-info",))
    assert_accepted(off.but(policy=platform(**{name: "forbidden"})).verify(), ran=("platform-info",))
    where = ("platform-info", "platform-info-refused", "PLATFORM_INFO", 0x40)
    refused(off.but(policy=platform(**{name: "required"})).verify(), *where)
    refused(on.but(policy=platform(**{name: "forbidden"})).verify(), *where)


@pytest.mark.parametrize("bit", [8, 15, 16, 31, 32, 63])
def test_unknown_bits_of_platform_info(bit: int) -> None:
    """Of the future: shown and accepted, unless a policy forbids them."""
    case = good(platform_info=1 << bit)
    assert_accepted(case.verify())
    where = ("platform-info", "platform-info-refused", "PLATFORM_INFO", 0x40 + bit // 8)
    refused(case.but(policy=platform(unknown_bits="forbidden")).verify(), *where)
    assert_accepted(
        good(platform_info=0xFF).but(policy=platform(unknown_bits="forbidden")).verify(), ran=("platform-info",)
    )


# ---- version, SVN, product, signer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("floor", [2, 3, 4, 5])
def test_lowest_version(version: int, floor: int) -> None:
    verdict = good(version=version).asking(min_report_version=floor).verify()
    if version >= floor:
        assert_accepted(verdict, ran=("report-version-floor",))
    else:
        refused(verdict, "report-version-floor", "report-version-too-low", "VERSION", 0)


@pytest.mark.parametrize(
    ("svn", "floor"),
    [(0, 1), (1, 2), (0xFF, 0x100), (0x01000000, 0x01000001), (2**32 - 2, 2**32 - 1), (2**31 - 1, 2**31)],
)
def test_lowest_guest_svn(svn: int, floor: int) -> None:
    refused(
        good(guest_svn=svn).asking(min_guest_svn=floor).verify(), "guest-svn", "guest-svn-too-low", "GUEST_SVN", 0x04
    )
    for enough in (floor, 2**32 - 1):
        assert_accepted(good(guest_svn=enough).asking(min_guest_svn=floor).verify(), ran=("guest-svn",))


@pytest.mark.parametrize("version", [2, 5])
@pytest.mark.parametrize("line", LINES)
def test_products(line: str, version: int) -> None:
    """Allowed and denied lines; for version 2 by the chain."""
    case = good(line, version=version)
    others = [name.lower() for name in LINES if name != line]
    assert_accepted(case.asking(products=[line.lower()]).verify(), ran=("product-allowed",))
    assert_accepted(case.asking(denied_products=others).verify(), ran=("product-allowed",))
    where = ("product-allowed", "product-refused")
    refused(case.asking(products=others).verify(), *where)
    refused(case.asking(products=others[:1]).verify(), *where)
    refused(case.asking(denied_products=[line.lower()]).verify(), *where)


@pytest.mark.parametrize("kind", KINDS)
def test_signers(kind: str) -> None:
    other = {"VCEK": "vlek", "VLEK": "vcek"}[kind]
    case = good("Genoa", kind)
    assert_accepted(case.asking(signers=[kind.lower()]).verify(), ran=("signer-allowed",))
    assert_accepted(case.asking(signers=["vcek", "vlek"]).verify(), ran=("signer-allowed",))
    refused(case.asking(signers=[other]).verify(), "signer-allowed", "signer-kind-refused", "KEY_INFO", 0x48)


def test_a_signer_that_says_another_kind_does_not_pass_as_it() -> None:
    """Only VCEKs are allowed; a VLEK whose report says VCEK fails the binding."""
    case = good("Genoa", "VLEK", signing_key=0).asking(signers=["vcek"])
    assert_only(case.verify(), "signer-kind", "signer-kind-mismatch")


# ---- chips and keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", LINES)
def test_chips(line: str) -> None:
    """Allow- and deny-list, exact: every byte of the id counts."""
    chip = endorsement(line).chip_id
    near = bytes([chip[0] ^ 1]) + chip[1:]
    last = chip[:63] + bytes([chip[63] ^ 1])
    case = good(line)
    assert_accepted(case.asking(chips=[near, chip, last]).verify(), ran=("chip-allowed",))
    assert_accepted(case.asking(denied_chips=[near, last]).verify(), ran=("chip-denied",))
    refused(case.asking(chips=[near, last]).verify(), "chip-allowed", "chip-id-refused", "CHIP_ID", 0x1A0)
    refused(case.asking(denied_chips=[near, chip]).verify(), "chip-denied", "chip-id-denied", "CHIP_ID", 0x1A0)


def test_chips_of_turin_by_eight_bytes() -> None:
    chip = endorsement("Turin").chip_id[:8]
    assert_accepted(good("Turin").asking(chips=[chip]).verify(), ran=("chip-allowed",))
    refused(good("Turin").asking(denied_chips=[chip]).verify(), "chip-denied", "chip-id-denied")
    assert_accepted(good("Genoa").asking(denied_chips=[endorsement("Genoa").chip_id[:8]]).verify())


@pytest.mark.parametrize("kind", KINDS)
def test_chips_that_do_not_show_themselves(kind: str) -> None:
    """A masked chip is on no allow-list, and might be any of the denied."""
    case = good("Genoa", kind, chip_id=bytes(64))
    chips = [endorsement("Genoa").chip_id]
    refused(case.asking(chips=chips).verify(), "chip-allowed", "chip-id-masked", "CHIP_ID", 0x1A0)
    refused(case.asking(denied_chips=chips).verify(), "chip-denied", "chip-id-masked", "CHIP_ID", 0x1A0)
    refused(case.asking(allow_masked_chip_id=False).verify(), "chip-allowed", "chip-id-masked", "CHIP_ID", 0x1A0)
    assert_accepted(good("Genoa", chip_id=None).asking(allow_masked_chip_id=False).verify(), ran=("chip-allowed",))


@pytest.mark.parametrize("kind", KINDS)
def test_endorsement_keys(kind: str) -> None:
    """By SHA-256 of the SubjectPublicKeyInfo, so that a certificate issued again is the same key."""
    leaf = endorsement("Genoa", kind)
    key, other = leaf.spki_sha256, hashlib.sha256(b"other").digest()
    case = good("Genoa", kind)
    assert_accepted(case.asking(leaf_keys=[other, key]).verify(), ran=("leaf-key-allowed",))
    assert_accepted(case.asking(denied_leaf_keys=[other]).verify(), ran=("leaf-key-denied",))
    refused(case.asking(leaf_keys=[other]).verify(), "leaf-key-allowed", "leaf-key-refused", "leaf", 0)
    refused(case.asking(denied_leaf_keys=[key]).verify(), "leaf-key-denied", "leaf-key-denied", "leaf", 0)


def test_a_denied_key_under_a_certificate_issued_again() -> None:
    """Leaked keys stay denied whatever certificate names them."""
    ca = authority("Genoa")
    leaf = ca.vcek()
    again = leaf.replace(serial=7)
    assert again.spki_sha256 == leaf.spki_sha256
    case = case_of(ca, leaf).but(certs=certs_of(ca, again)).asking(denied_leaf_keys=[leaf.spki_sha256])
    refused(case.verify(), "leaf-key-denied", "leaf-key-denied")


def test_cloud_providers() -> None:
    """Exact text of the VLEK's csp_id; a VCEK has none."""
    ca = authority("Genoa")
    case = case_of(ca, ca.vlek(csp_id="CN=cc-us-east-2.example.com"))
    assert_accepted(case.asking(csp_ids=["CN=cc-us-east-2.example.com", "CN=other"]).verify(), ran=("csp-allowed",))
    for other in (
        "CN=cc-us-east-2.example.co",
        "CN=cc-us-east-2.example.com ",
        "cn=cc-us-east-2.example.com",
        "CN=cc-us-east-2.example.com.evil",
        "*",
    ):
        refused(case.asking(csp_ids=[other]).verify(), "csp-allowed", "csp-id-refused", "csp_id")
    refused(
        good("Genoa").asking(csp_ids=["CN=cc-us-east-2.example.com"]).verify(),
        "csp-allowed",
        "csp-id-refused",
        "csp_id",
    )


def test_what_needs_a_certificate_without_one() -> None:
    """Asked for and cannot be judged: not run, and no acceptance."""
    case = good("Genoa", "VLEK", version=2).but(certs=())
    for asked in (
        {"leaf_keys": [b"\x01" * 32]},
        {"denied_leaf_keys": [b"\x01" * 32]},
        {"csp_ids": ["CN=x"]},
        {"products": ["genoa"]},
        {"min_launch_tcb": {"any": {"snp": 1}}},
    ):
        verdict = case.asking(**asked).verify()
        assert_only(verdict, "certificate", "certificate-missing", unrun=None)


# ---- firmware and TCB ------------------------------------------------------------------------------------------------

#: Of the lines: a TCB in the middle.
TCBS = {
    "Milan": Tcb(boot_loader=4, tee=2, snp=0x18, microcode=0xDB),
    "Genoa": Tcb(boot_loader=10, tee=2, snp=0x17, microcode=0x54),
    "Turin": Tcb(fmc=2, boot_loader=3, tee=2, snp=4, microcode=0x51),
}
PARTS = {line: ("boot_loader", "tee", "snp", "microcode") + (("fmc",) if line == "Turin" else ()) for line in LINES}
KINDS_OF_TCB = {"reported": 0x180, "committed": 0x1E0, "current": 0x38, "launch": 0x1F0}


def at_tcb(line: str, *, version: int = 5, **tcbs: Tcb) -> Case:
    """A report whose four TCBs are the line's, or those given; CURRENT goes up with the others."""
    ca = authority(line)
    return case_of(ca, ca.vcek(tcb=TCBS[line]), version=version, **tcbs)


@pytest.mark.parametrize("which", list(KINDS_OF_TCB))
@pytest.mark.parametrize("line", LINES)
def test_floors_by_part(line: str, which: str) -> None:
    """Each part of each TCB has its floor: equal is enough, one less is not, and no other part makes up for it."""
    case = at_tcb(line)
    tcb = TCBS[line]
    exact = {part: getattr(tcb, part) for part in PARTS[line]}
    platform_ = line.lower()
    field = f"min_{which}_tcb"
    assert_accepted(case.asking(**{field: {platform_: exact}}).verify(), ran=(f"{which}-tcb-floor",))
    for part in PARTS[line]:
        above = exact | {part: exact[part] + 1}
        code, at = f"{which}-tcb-too-low", KINDS_OF_TCB[which]
        refused(
            case.asking(**{field: {platform_: above}}).verify(), f"{which}-tcb-floor", code, f"{which.upper()}_TCB", at
        )
        refused(case.asking(**{field: {platform_: {part: exact[part] + 1}}}).verify(), f"{which}-tcb-floor", code)
        if exact[part]:
            below = dict.fromkeys(exact, 0) | {part: exact[part] - 1}
            assert_accepted(case.asking(**{field: {platform_: below}}).verify())


@pytest.mark.parametrize("which", list(KINDS_OF_TCB))
def test_each_floor_looks_at_its_own_tcb(which: str) -> None:
    """One TCB is low, the three others are high: only its own floor fails."""
    ca = authority("Genoa")
    high, low = Tcb(boot_loader=10, snp=0x20, microcode=0x60), Tcb(boot_loader=10, snp=0x10, microcode=0x50)
    tcbs = {f"{name}_tcb": high for name in KINDS_OF_TCB}
    tcbs[f"{which}_tcb"] = low
    if which == "current":
        tcbs |= {"reported_tcb": low, "committed_tcb": low}
    case = case_of(ca, ca.vcek(tcb=tcbs["reported_tcb"]), version=5, **tcbs)
    for name in KINDS_OF_TCB:
        verdict = case.asking(**{f"min_{name}_tcb": {"genoa": {"snp": 0x11}}}).verify()
        if name == which or (which == "current" and name != "launch"):
            refused(verdict, f"{name}-tcb-floor", f"{name}-tcb-too-low")
        else:
            assert_accepted(verdict, ran=(f"{name}-tcb-floor",))


def test_floors_of_other_platforms_do_not_count() -> None:
    """A floor for Turin says nothing of Genoa: but then none was given for it, and that is refused, not passed over."""
    case = at_tcb("Genoa")
    where = ("reported-tcb-floor", "tcb-floor-undefined", "REPORTED_TCB")
    refused(case.asking(min_reported_tcb={"turin": {"snp": 0}}).verify(), *where)
    refused(case.asking(min_reported_tcb={"milan": {"snp": 0}, "turin": {"snp": 0}}).verify(), *where)
    assert_accepted(case.asking(min_reported_tcb={"turin": {"snp": 255}, "genoa": {"snp": 1}}).verify())
    assert_accepted(case.asking(min_reported_tcb={"any": {"snp": 0x17}}).verify())
    refused(case.asking(min_reported_tcb={"any": {"snp": 0x18}}).verify(), "reported-tcb-floor", "reported-tcb-too-low")


def test_all_floors_that_match_apply() -> None:
    case = at_tcb("Genoa")
    assert_accepted(
        case.asking(
            min_reported_tcb={"any": {"snp": 1}, "genoa": {"snp": 0x17}, "19-11-01": {"microcode": 0x54}}
        ).verify()
    )
    for floors in (
        {"any": {"snp": 0x18}, "genoa": {"snp": 1}},
        {"any": {"snp": 1}, "genoa": {"snp": 0x18}},
        {"genoa": {"snp": 1}, "19-11-01": {"microcode": 0x55}},
        {"genoa": {"snp": 1}, "19-11-*": {"microcode": 0x55}},
    ):
        refused(case.asking(min_reported_tcb=floors).verify(), "reported-tcb-floor", "reported-tcb-too-low")


def test_floors_by_cpuid() -> None:
    """Microcode numbers mean something per family, model and stepping only."""
    ca = authority("Genoa")
    genoa_x = case_of(ca, ca.vcek(tcb=TCBS["Genoa"]), version=5, product="Genoa-X")
    siena = case_of(ca, ca.vcek(tcb=TCBS["Genoa"]), version=5, product="Siena")
    floors = {"19-11-01": {"microcode": 0x55}, "19-11-02": {"microcode": 0x4F}, "19-A0-*": {"microcode": 0x19}}
    refused(at_tcb("Genoa").asking(min_reported_tcb=floors).verify(), "reported-tcb-floor", "reported-tcb-too-low")
    assert_accepted(genoa_x.asking(min_reported_tcb=floors).verify())
    assert_accepted(siena.asking(min_reported_tcb=floors).verify())
    undefined = at_tcb("Milan").asking(min_reported_tcb=floors).verify()
    refused(undefined, "reported-tcb-floor", "tcb-floor-undefined")
    # Version 2 has no CPUID to match.
    refused(
        at_tcb("Genoa", version=2).asking(min_reported_tcb=floors).verify(), "reported-tcb-floor", "tcb-floor-undefined"
    )
    assert_accepted(at_tcb("Genoa", version=2).asking(min_reported_tcb={"genoa": {"snp": 0x17}}).verify())


def test_a_floor_as_one_number_would_pass() -> None:
    """As 64-bit words the microcode on top decides: a higher one with an older SNP firmware compares as greater."""
    ca = authority("Genoa")
    tcb = Tcb(boot_loader=10, snp=0x10, microcode=0xFF)
    case = case_of(ca, ca.vcek(tcb=tcb), version=5).asking(min_reported_tcb={"genoa": {"snp": 0x17, "microcode": 0x54}})
    refused(case.verify(), "reported-tcb-floor", "reported-tcb-too-low")


def test_provisional_firmware() -> None:
    """COMMITTED below CURRENT: by default accepted, for hosts are like that for days; a policy may refuse. TCB or version."""
    ca = authority("Genoa")
    leaf = ca.vcek(tcb=TCBS["Genoa"])
    newer = Tcb(boot_loader=10, tee=2, snp=0x18, microcode=0x54)
    for fields, field, at in (
        ({"current_tcb": newer}, "COMMITTED_TCB", 0x1E0),
        ({"current_version": (1, 55, 55), "committed_version": (1, 55, 54)}, "COMMITTED_VERSION", 0x1EC),
        ({"current_version": (1, 56, 0), "committed_version": (1, 55, 0)}, "COMMITTED_VERSION", 0x1EC),
        ({"current_version": (2, 0, 0), "committed_version": (1, 0, 0)}, "COMMITTED_VERSION", 0x1EC),
    ):
        case = case_of(ca, leaf, version=5, **fields)
        assert_accepted(case.verify())
        refused(
            case.asking(allow_provisional=False).verify(), "provisional-firmware", "firmware-provisional", field, at
        )
    assert_accepted(
        case_of(ca, leaf, version=5).asking(allow_provisional=False).verify(), ran=("provisional-firmware",)
    )


@pytest.mark.parametrize("which", ["current", "committed"])
def test_firmware_versions(which: str) -> None:
    """As a triple: a lower build of a higher minor is newer. Each of the two by its own field."""
    old = {"current_version": (1, 55, 40), "committed_version": (1, 55, 40)}
    case = good("Genoa", version=5, **{**old, f"{which}_version": (1, 55, 40)})
    field = f"min_{which}_firmware"
    for fine in ("1.55.40", "1.55.39", "1.54.255", "0.255.255", (1, 55, 40)):
        assert_accepted(case.asking(**{field: fine}).verify(), ran=("firmware-version",))
    for above in ("1.55.41", "1.56.0", "2.0.0", "255.255.255"):
        at = 0x1E8 if which == "current" else 0x1EC
        refused(
            case.asking(**{field: above}).verify(),
            "firmware-version",
            "firmware-too-old",
            f"{which.upper()}_VERSION",
            at,
        )
    other = {"current": "committed", "committed": "current"}[which]
    mixed = good("Genoa", version=5, **{f"{which}_version": (1, 55, 39), f"{other}_version": (1, 55, 99)})
    refused(mixed.asking(**{field: "1.55.40"}).verify(), "firmware-version", "firmware-too-old")
    assert_accepted(mixed.asking(**{f"min_{other}_firmware": "1.55.40"}).verify())


# ---- mitigations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("which", "at"), [("launch", 0x1F8), ("current", 0x200)])
def test_mitigation_vectors(which: str, at: int) -> None:
    """Bit sets, never numbers: a greater vector without the bit is refused. Each by its own word."""
    field = f"{which}_mitigations"
    check, code = f"{which}-mitigation", f"{which}-mitigation-missing"
    word = f"{which.upper()}_MIT_VECTOR"

    def with_vector(value: int, version: int = 5) -> Case:
        other = {"launch": "current", "current": "launch"}[which]
        return good("Genoa", version=version, **{f"{which}_mit_vector": value, f"{other}_mit_vector": 0})

    for vector, mask in ((0x16, 0x16), (0x1F, 0x16), (2**64 - 1, 2**63), (1, 1), (2**63, 2**63)):
        assert_accepted(with_vector(vector).asking(**{field: mask}).verify(), ran=(check,))
    for vector, mask in ((0x0F, 0x16), (0xFFE9, 0x16), (0, 1), (2**64 - 2, 1), (2**63 - 1, 2**63), (0x10, 0x16)):
        refused(with_vector(vector).asking(**{field: mask}).verify(), check, code, word, at)
    assert_accepted(with_vector(0x16).asking(**{field: [1, 2, 4]}).verify(), ran=(check,))
    for version in (2, 3):
        refused(with_vector(0, version).asking(**{field: 1}).verify(), check, code, word, at)
    refused(with_vector(2**64 - 1, 4).asking(**{field: 1}).verify(), check, code, word, at)


# ---- contents --------------------------------------------------------------------------------------------------------

CONTENTS = [
    # policy field, report field, check, code, name, offset, size
    ("measurements", "measurement", "measurement", "measurement-mismatch", "MEASUREMENT", 0x90, 48),
    ("host_data", "host_data", "host-data", "host-data-mismatch", "HOST_DATA", 0xC0, 32),
    ("family_ids", "family_id", "family-id", "family-id-mismatch", "FAMILY_ID", 0x10, 16),
    ("image_ids", "image_id", "image-id", "image-id-mismatch", "IMAGE_ID", 0x20, 16),
    ("report_ids", "report_id", "report-id", "report-id-mismatch", "REPORT_ID", 0x140, 32),
    ("report_ids_ma", "report_id_ma", "report-id-ma", "report-id-ma-mismatch", "REPORT_ID_MA", 0x160, 32),
]


@pytest.mark.parametrize(
    ("asked", "field", "check", "code", "name", "at", "size"), CONTENTS, ids=[row[0] for row in CONTENTS]
)
def test_contents(asked: str, field: str, check: str, code: str, name: str, at: int, size: int) -> None:
    """One of several values, whole: every byte of the field counts, and no neighbour's."""
    value = bytes(range(1, size + 1))
    case = good("Genoa", version=5, **{field: value})
    wrong = [value[:i] + bytes([value[i] ^ 0x80]) + value[i + 1 :] for i in range(size)]
    assert_accepted(case.asking(**{asked: [value]}).verify(), ran=(check,))
    assert_accepted(case.asking(**{asked: [*wrong, value]}).verify(), ran=(check,))
    refused(case.asking(**{asked: wrong}).verify(), check, code, name, at)
    for i in (0, 1, size // 2, size - 1):
        refused(case.asking(**{asked: [wrong[i]]}).verify(), check, code, name, at)
        other = good("Genoa", version=5, **{field: wrong[i]}).asking(**{asked: [value]})
        refused(other.verify(), check, code, name, at)
    refused(case.asking(**{asked: [value[::-1]]}).verify(), check, code, name, at)
    zero = good("Genoa", version=5, **{field: bytes(size)})
    refused(zero.asking(**{asked: [value]}).verify(), check, code, name, at)


def test_a_value_that_stands_in_another_field() -> None:
    """REPORT_DATA is the guest's to choose: it may not answer for the measurement, nor HOST_DATA for REPORT_ID."""
    wanted = b"\x42" * 48
    case = good(
        report_data=wanted + bytes(16), measurement=b"\x41" * 48, host_data=b"\x43" * 32, report_id=b"\x44" * 32
    )
    refused(case.asking(measurements=[wanted]).verify(), "measurement", "measurement-mismatch")
    refused(case.asking(report_ids=[b"\x43" * 32]).verify(), "report-id", "report-id-mismatch")
    refused(case.asking(host_data=[b"\x44" * 32]).verify(), "host-data", "host-data-mismatch")


def test_report_data() -> None:
    """64 bytes, each of them. The offset names the first that differs."""
    data = bytes(range(64))
    case = good(report_data=data)
    assert_accepted(case.asking(report_data=data).verify(), ran=("report-data",))
    for i in range(64):
        wrong = data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :]
        refused(case.asking(report_data=wrong).verify(), "report-data", "report-data-mismatch", "REPORT_DATA", 0x50 + i)
    assert by_name(case.asking(report_data=bytes(64)).verify())["report-data"].category == "freshness"


def test_report_data_by_its_beginning() -> None:
    """A short value says what follows it: zeros, or anything. The rest is then judged so."""
    nonce = bytes(range(1, 33))

    def asking(prefix: bytes, tail: str) -> Policy:
        return Policy(report_data=ReportDataPrefix(prefix=prefix, tail=tail))  # type: ignore[arg-type]

    padded, trailing = good(report_data=nonce + bytes(32)), good(report_data=nonce + bytes(31) + b"\x01")
    assert_accepted(padded.but(policy=asking(nonce, "zero")).verify(), ran=("report-data",))
    assert_accepted(padded.but(policy=asking(nonce, "any")).verify(), ran=("report-data",))
    assert_accepted(trailing.but(policy=asking(nonce, "any")).verify(), ran=("report-data",))
    refused(
        trailing.but(policy=asking(nonce, "zero")).verify(),
        "report-data",
        "report-data-mismatch",
        "REPORT_DATA",
        0x50 + 63,
    )
    for tail in ("zero", "any"):
        wrong = nonce[:-1] + b"\xff"
        refused(
            padded.but(policy=asking(wrong, tail)).verify(),
            "report-data",
            "report-data-mismatch",
            "REPORT_DATA",
            0x50 + 31,
        )
        longer = nonce + b"\x01"
        refused(
            padded.but(policy=asking(longer, tail)).verify(),
            "report-data",
            "report-data-mismatch",
            "REPORT_DATA",
            0x50 + 32,
        )
    assert_accepted(padded.but(policy=asking(nonce[:1], "any")).verify())
    refused(
        padded.but(policy=asking(nonce[:1], "zero")).verify(),
        "report-data",
        "report-data-mismatch",
        "REPORT_DATA",
        0x51,
    )
    full = good(report_data=b"\x11" * 64)
    assert_accepted(full.but(policy=asking(b"\x11" * 63, "any")).verify())
    refused(
        full.but(policy=asking(b"\x11" * 63, "zero")).verify(),
        "report-data",
        "report-data-mismatch",
        "REPORT_DATA",
        0x50 + 63,
    )


def test_an_old_nonce() -> None:
    """The same genuine report for two challenges: fresh for one."""
    first, second = hashlib.sha512(b"first").digest(), hashlib.sha512(b"second").digest()
    case = good(report_data=first)
    assert_accepted(case.asking(report_data=first).verify())
    refused(case.asking(report_data=second).verify(), "report-data", "report-data-mismatch")


# ---- ID block --------------------------------------------------------------------------------------------------------

OWNER = id_key_digest(ec_key("owner"))
AUTHOR = id_key_digest(ec_key("author"))


def test_id_block() -> None:
    with_block, without = good(id_key_digest=OWNER), good()
    assert_accepted(with_block.asking(id_block="required").verify(), ran=("id-block",))
    assert_accepted(without.asking(id_block="forbidden").verify(), ran=("id-block",))
    refused(without.asking(id_block="required").verify(), "id-block", "id-block-missing", "ID_KEY_DIGEST", 0xE0)
    refused(with_block.asking(id_block="forbidden").verify(), "id-block", "id-block-refused", "ID_KEY_DIGEST", 0xE0)
    for i in (0, 23, 47):
        digest = bytearray(48)
        digest[i] = 1
        assert_accepted(good(id_key_digest=bytes(digest)).asking(id_block="required").verify())


def test_id_keys() -> None:
    case = good(id_key_digest=OWNER)
    assert_accepted(case.asking(id_keys=[AUTHOR, OWNER]).verify(), ran=("id-key",))
    refused(case.asking(id_keys=[AUTHOR]).verify(), "id-key", "id-key-mismatch", "ID_KEY_DIGEST", 0xE0)
    refused(good().asking(id_keys=[OWNER]).verify(), "id-key", "id-key-mismatch", "ID_KEY_DIGEST", 0xE0)


def test_author_keys() -> None:
    """AUTHOR_KEY_DIGEST counts only under AUTHOR_KEY_EN."""
    case = good(id_key_digest=OWNER, author_key_digest=AUTHOR, author_key_en=1)
    assert_accepted(case.asking(author_keys=[OWNER, AUTHOR]).verify(), ran=("author-key",))
    refused(case.asking(author_keys=[OWNER]).verify(), "author-key", "author-key-mismatch", "AUTHOR_KEY_DIGEST", 0x110)
    disabled = good(id_key_digest=OWNER, author_key_digest=AUTHOR, author_key_en=0)
    refused(disabled.asking(author_keys=[AUTHOR]).verify(), "author-key", "author-key-mismatch", "KEY_INFO", 0x48)
    refused(good().asking(author_keys=[AUTHOR]).verify(), "author-key", "author-key-mismatch", "KEY_INFO", 0x48)


# ---- together --------------------------------------------------------------------------------------------------------


def test_every_refusal_is_named() -> None:
    """All that a policy asks and a report does not give, in one verdict and in the order of the checks."""
    case = good("Genoa", version=3, policy=BASE | 1 << 19 | 1 << 30, vmpl=3, guest_svn=1)
    policy = Policy(
        vmpls=[0], guest_policy=GuestPolicyRules(smt="forbidden", min_abi="1.0"),
        platform_info=PlatformInfoRules(alias_check_complete="forbidden"), min_report_version=5, min_guest_svn=2,
        products=["milan"], signers=["vlek"], chips=[b"\x01" * 64], denied_chips=[endorsement("Genoa").chip_id],
        leaf_keys=[b"\x01" * 32], denied_leaf_keys=[endorsement("Genoa").spki_sha256], csp_ids=["CN=x"],
        min_current_firmware="9.9.9", min_reported_tcb={"any": {"snp": 255}}, min_committed_tcb={"any": {"snp": 255}},
        min_current_tcb={"any": {"snp": 255}}, min_launch_tcb={"turin": {"fmc": 1}}, launch_mitigations=1, current_mitigations=1,
        measurements=[bytes(48)], report_data=bytes(64), host_data=[b"\x01" * 32], family_ids=[b"\x01" * 16],
        image_ids=[b"\x01" * 16], report_ids=[b"\x01" * 32], report_ids_ma=[b"\x01" * 32], id_block="required",
        id_keys=[OWNER], author_keys=[AUTHOR], require_crl=True,
    )  # fmt: skip
    verdict = case.but(policy=policy).verify()
    assert verdict.codes == tuple(
        words(
            """collateral-missing vmpl-refused debug-allowed guest-policy-reserved guest-policy-refused
            guest-abi-too-low platform-info-refused report-version-too-low guest-svn-too-low product-refused
            signer-kind-refused chip-id-refused chip-id-denied leaf-key-refused leaf-key-denied csp-id-refused
            firmware-too-old reported-tcb-too-low committed-tcb-too-low current-tcb-too-low tcb-floor-undefined
            launch-mitigation-missing current-mitigation-missing measurement-mismatch report-data-mismatch
            host-data-mismatch family-id-mismatch image-id-mismatch report-id-mismatch report-id-ma-mismatch
            id-block-missing id-key-mismatch author-key-mismatch"""
        )
    )
    assert verdict.omissions == ()
    assert outcome(verdict, "report-signature") == "pass"


def test_the_policy_is_judged_when_the_signature_fails() -> None:
    """All findings are collected: a forged report with DEBUG set says both."""
    case = good(policy=BASE | 1 << 19)
    forged = ReportFields.fitting(endorsement(), policy=BASE | 1 << 19).sign(ec_key("forger"))
    assert_failed(
        case.but(report=forged).verify(),
        {"report-signature": "report-signature-invalid", "guest-policy-debug": "debug-allowed"},
    )


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_that_asks_for_all_and_gets_it(line: str, kind: str, engine: str) -> None:
    leaf = endorsement(line, kind)
    fields = ReportFields.fitting(
        leaf,
        version=5,
        policy=BASE | 0x0137,
        guest_svn=5,
        id_key_digest=OWNER,
        author_key_digest=AUTHOR,
        author_key_en=1,
    )
    ca = authority(line)
    chips = (
        {"chips": [leaf.chip_id], "allow_masked_chip_id": False} if kind == "VCEK" else {"csp_ids": [str(leaf.csp_id)]}
    )
    policy = Policy(
        vmpls=[0], guest_policy=GuestPolicyRules(smt="required", min_abi="1.55"), min_report_version=5, min_guest_svn=5,
        products=[line.lower()], signers=[kind.lower()], leaf_keys=[leaf.spki_sha256], denied_leaf_keys=[b"\x01" * 32],
        min_current_firmware="1.55.54", min_committed_firmware="1.55.54", allow_provisional=False,
        min_reported_tcb={line.lower(): {"snp": leaf.tcb.snp}}, min_launch_tcb={"any": {"microcode": leaf.tcb.microcode}},
        launch_mitigations=0x0F, current_mitigations=0x03, measurements=[fields.measurement], report_data=fields.report_data,
        host_data=[fields.host_data], family_ids=[bytes(16)], image_ids=[bytes(16)], report_ids=[fields.report_id],
        report_ids_ma=[b"\xff" * 32], id_block="required", id_keys=[OWNER], author_keys=[AUTHOR], require_crl=True, **chips,
    )  # fmt: skip
    case = Case(fields.sign(leaf), certs_of(ca, leaf), ca.roots, policy=policy, crls=(ca.crl().der,))
    verdict = case.verify(engine)
    assert_accepted(verdict, ran=("crl", "revocation", "measurement", "report-data", "author-key", "launch-tcb-floor"))
    assert verdict.omissions == (() if kind == "VCEK" else ("chip-id",))
