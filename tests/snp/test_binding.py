# SPDX-License-Identifier: Apache-2.0
"""The report against its certificate: kind of signer, product line, chip, TCB part by part, order of the TCBs.

Every report is validly signed by the very leaf that is judged, so that the binding alone can refuse: what is left of a
firmware that is honest about its signature and lies about the rest.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from snp_asserts import assert_accepted, assert_failed, assert_only, by_name, outcome
from snp_world import KINDS, LINES, NOW, Case, authority, case_of, certs_of, endorsement, good

from snpverify.testing import PRODUCTS, ReportFields, Tcb

LINE_AND_KIND = pytest.mark.parametrize(("line", "kind"), list(itertools.product(LINES, KINDS)))
PARTS = {
    "Milan": ("boot_loader", "tee", "snp", "microcode"),
    "Genoa": ("boot_loader", "tee", "snp", "microcode"),
    "Turin": ("fmc", "boot_loader", "tee", "snp", "microcode"),
}
#: A TCB whose parts are all different and can go up and down by one.
MIDDLE = {
    "Milan": Tcb(boot_loader=4, tee=5, snp=0x18, microcode=0xDB),
    "Genoa": Tcb(boot_loader=10, tee=5, snp=0x17, microcode=0x54),
    "Turin": Tcb(fmc=3, boot_loader=4, tee=5, snp=6, microcode=0x51),
}
ALL_ONES = b"\xff" * 64


def changed(tcb: Tcb, part: str, by: int) -> Tcb:
    values = {name: getattr(tcb, name) for name in PARTS["Turin"]}
    values[part] += by
    return Tcb(**values)


def leaf_at(line: str, kind: str, tcb: Tcb) -> Any:
    ca = authority(line)
    return ca.vcek(tcb=tcb) if kind == "VCEK" else ca.vlek(tcb=tcb)


# ---- kind ------------------------------------------------------------------------------------------------------------


@LINE_AND_KIND
def test_signing_key_names_the_other_kind(line: str, kind: str, engine: str) -> None:
    """A VLEK that says VCEK would take a chip's identity; a VCEK that says VLEK would lose its own."""
    case = good(line, kind, signing_key=1 - KINDS.index(kind))
    failed = {"signer-kind": "signer-kind-mismatch"}
    checks = assert_failed(case.verify(engine), failed)
    assert (checks["signer-kind"].field, checks["signer-kind"].offset) == ("KEY_INFO", 0x48)


@pytest.mark.parametrize("line", LINES)
def test_the_kind_chooses_the_certificate(line: str) -> None:
    """Both kinds in the set: the report's own decides, and the other kind's key did not sign."""
    ca = authority(line)
    both = certs_of(ca, endorsement(line), endorsement(line, "VLEK"))
    for kind in KINDS:
        verdict = good(line, kind).but(certs=both).verify()
        assert_accepted(verdict)
        assert verdict.used[0] == endorsement(line, kind).sha256.hex()
    lying = good(line, "VCEK", signing_key=1, chip_id=bytes(64)).but(certs=both).verify()
    assert_only(lying, "report-signature", "report-signature-invalid")


# ---- chip ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", LINES)
def test_every_byte_of_the_chip_id(line: str) -> None:
    """64 reports, each of a chip that differs in one byte; behind Turin's eight all must be zero. Offsets name the byte."""
    leaf = endorsement(line)
    case = good(line)
    reports = []
    for i in range(64):
        chip = bytearray(leaf.chip_id)
        chip[i] ^= 0x80
        reports.append(ReportFields.fitting(leaf, chip_id=bytes(chip)).sign(leaf))
    results = case.verifier().verify_batch(reports, certs=case.certs, at=NOW)
    for i, verdict in enumerate(results):
        assert_only(verdict, "chip-id", "chip-id-mismatch", "CHIP_ID", 0x1A0 + i)


@pytest.mark.parametrize("line", ["Milan", "Genoa"])
@pytest.mark.parametrize("length", [1, 8, 16, 32, 63])
def test_a_chip_id_that_is_a_prefix(line: str, length: int) -> None:
    """The first bytes of the hwID and zeros: what matters is all of it."""
    leaf = endorsement(line)
    case = good(line, chip_id=leaf.chip_id[:length])
    first = next(i for i in range(length, 64) if leaf.chip_id[i])
    assert_only(case.verify(), "chip-id", "chip-id-mismatch", "CHIP_ID", 0x1A0 + first)


@pytest.mark.parametrize(
    "chip",
    [
        b"\x02\x01" + b"\x05" * 62,
        b"\x04\x40" + b"\x06" * 62,
        b"\x04\x3e" + b"\x07" * 62,
        b"\x30\x3e" + b"\x08" * 62,
        ALL_ONES,
    ],
)
def test_chips_whose_id_looks_like_der(chip: bytes, engine: str) -> None:
    """The id is raw bytes. One may begin with 02, 04 or 30, and is genuine all the same."""
    ca = authority("Milan")
    case = case_of(ca, ca.vcek(chip_id=chip))
    assert_accepted(case.verify(engine), ran=("chip-id",))


def test_chips_of_turin_whose_id_looks_like_der() -> None:
    ca = authority("Turin")
    for chip in (b"\x04\x06" + b"\x05" * 6, b"\x02\x06" + b"\x05" * 6, b"\xff" * 8, bytes(7) + b"\x01"):
        assert_accepted(case_of(ca, ca.vcek(chip_id=chip)).verify(), ran=("chip-id",))


def test_a_hwid_of_the_wrong_length() -> None:
    """8 bytes on Milan, 64 on Turin, and a DER-wrapped one: the profile refuses them, however well they would fit."""
    for line, hwid in (
        ("Milan", b"\x07" * 8),
        ("Turin", b"\x07" * 64),
        ("Milan", b"\x04\x40" + b"\x07" * 64),
        ("Turin", b"\x04\x08" + b"\x07" * 8),
    ):
        ca = authority(line)
        leaf = ca.vcek(hwID=hwid)
        report = ReportFields.fitting(leaf, chip_id=hwid[-64:] if len(hwid) > 8 else hwid).sign(leaf)
        verdict = Case(report, certs_of(ca, leaf), ca.roots).verify()
        assert by_name(verdict)["leaf-profile"].code == "certificate-extension-invalid"
        assert by_name(verdict)["leaf-profile"].field == "hwID"
        assert verdict.accepted is False


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("version", [2, 3, 5])
def test_a_masked_chip_id(line: str, version: int) -> None:
    """The host zeroed it (MASK_CHIP_ID): which chip it was cannot be told. Accepted, and said so; a policy may refuse."""
    case = good(line, version=version, chip_id=bytes(64))
    verdict = case.verify()
    assert_accepted(verdict)
    assert "chip-id" in verdict.omissions
    assert outcome(verdict, "chip-id") == "not-run"
    assert_only(case.asking(allow_masked_chip_id=False).verify(), "chip-allowed", "chip-id-masked", "CHIP_ID", 0x1A0)
    assert "chip-id" not in good(line, version=version).verify().omissions


@pytest.mark.parametrize("line", LINES)
def test_a_vlek_with_and_without_a_chip_id(line: str) -> None:
    """A VLEK names no chip. Either way it is accepted; a CHIP_ID that is there is shown."""
    masked = good(line, "VLEK").verify()
    assert_accepted(masked)
    assert "chip-id" in masked.omissions
    shown = good(line, "VLEK", chip_id=b"\x31" * 8).verify()
    assert_accepted(shown)
    assert outcome(shown, "chip-id") == "not-run"
    assert shown.claims is not None
    assert shown.claims["chip_id"].startswith("31" * 8)


# ---- TCB -------------------------------------------------------------------------------------------------------------


@LINE_AND_KIND
@pytest.mark.parametrize("by", [-1, 1])
def test_each_part_of_the_reported_tcb(line: str, kind: str, by: int, engine: str) -> None:
    """One part more or less than the certificate's. CURRENT goes along where it must, so that the order is kept."""
    tcb = MIDDLE[line]
    leaf = leaf_at(line, kind, tcb)
    for part in PARTS[line]:
        lying = changed(tcb, part, by)
        current = lying if by > 0 else tcb
        case = case_of(authority(line), leaf, version=5, reported_tcb=lying, current_tcb=current, committed_tcb=tcb)
        assert_only(case.verify(engine), "reported-tcb", "reported-tcb-mismatch", "REPORTED_TCB", 0x180)


@pytest.mark.parametrize("line", LINES)
def test_reported_tcb_that_is_the_certificates_in_all_but_place(line: str) -> None:
    """The same bytes in other places: every part is compared with its own."""
    tcb = MIDDLE[line]
    leaf = leaf_at(line, "VCEK", tcb)
    values = [getattr(tcb, part) for part in PARTS[line]]
    for i in range(1, len(values)):
        shifted = Tcb(**dict(zip(PARTS[line], values[i:] + values[:i], strict=True)))
        high = Tcb(**dict.fromkeys(PARTS[line], 255))
        case = case_of(authority(line), leaf, version=5, reported_tcb=shifted, current_tcb=high, committed_tcb=tcb)
        assert_only(case.verify(), "reported-tcb", "reported-tcb-mismatch")


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 0xDB, 0xFF])
def test_every_size_of_a_part(line: str, value: int, engine: str) -> None:
    """0x80 and above are two bytes of DER in the certificate, and one in the report."""
    for part in PARTS[line]:
        values = dict.fromkeys(PARTS[line], 3) | {part: value}
        leaf = leaf_at(line, "VCEK", Tcb(**values))
        assert_accepted(case_of(authority(line), leaf, version=5).verify(engine))


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_reported_is_bound_and_not_current(line: str, version: int) -> None:
    """The certificate is for REPORTED_TCB. A certificate of the CURRENT one does not fit, although the firmware has it."""
    tcb = MIDDLE[line]
    newer = changed(tcb, "microcode", 1)
    fits = case_of(authority(line), leaf_at(line, "VCEK", tcb), version=version, current_tcb=newer, committed_tcb=tcb)
    assert_accepted(fits.verify())
    leaf = leaf_at(line, "VCEK", newer)
    case = case_of(authority(line), leaf, version=version, reported_tcb=tcb, current_tcb=newer, committed_tcb=tcb)
    assert_only(case.verify(), "reported-tcb", "reported-tcb-mismatch")


@LINE_AND_KIND
def test_order_of_the_tcbs(line: str, kind: str) -> None:
    """No part of REPORTED or COMMITTED is above CURRENT. Part by part: a lower microcode does not pay for a higher firmware."""
    tcb = MIDDLE[line]
    leaf = leaf_at(line, kind, tcb)
    ca = authority(line)
    for part in PARTS[line]:
        lower = changed(tcb, part, -1)
        case = case_of(ca, leaf, version=5, current_tcb=lower, committed_tcb=lower)
        assert_only(case.verify(), "tcb-order", "tcb-order-invalid", "REPORTED_TCB", 0x180)
        case = case_of(ca, leaf, version=5, current_tcb=tcb, committed_tcb=changed(tcb, part, 1))
        assert_only(case.verify(), "tcb-order", "tcb-order-invalid", "COMMITTED_TCB", 0x1E0)
        for other in PARTS[line]:
            if other != part:
                mixed = changed(changed(tcb, part, -1), other, 7)
                case = case_of(ca, leaf, version=5, current_tcb=mixed, committed_tcb=lower)
                assert_only(case.verify(), "tcb-order", "tcb-order-invalid", "REPORTED_TCB")


@pytest.mark.parametrize("line", LINES)
def test_what_is_not_ordered(line: str) -> None:
    """LAUNCH above all others (the guest came from elsewhere), COMMITTED below REPORTED and the reverse: genuine machines
    show all of these."""
    tcb = MIDDLE[line]
    high, low = Tcb(**dict.fromkeys(PARTS[line], 255)), Tcb(**dict.fromkeys(PARTS[line], 1))
    leaf = leaf_at(line, "VCEK", tcb)
    ca = authority(line)
    for fields in (
        {"launch_tcb": high},
        {"launch_tcb": low},
        {"committed_tcb": low, "current_tcb": high},
        {"committed_tcb": high, "current_tcb": high},
        {"committed_version": (1, 49, 6), "current_version": (1, 51, 3)},
        {"committed_version": (1, 56, 0), "current_version": (1, 55, 9)},
    ):
        assert_accepted(case_of(ca, leaf, version=5, **fields).verify())


# ---- product ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("line", "named"), list(itertools.permutations(LINES, 2)))
def test_product_name_of_another_line(line: str, named: str, kind: str) -> None:
    """productName says Genoa under Milan's ASK: the chain and the certificate do not agree."""
    ca = authority(line)
    leaf = ca.vcek(product_name=named) if kind == "VCEK" else ca.vlek(product_name=named)
    for version in (2, 5):
        verdict = case_of(ca, leaf, version=version).verify()
        assert_only(verdict, "product", "product-mismatch", "productName")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Milan", "Milan"),
        ("Milan", "Milan-B0"),
        ("Milan", "Milan-B1"),
        ("Genoa", "Genoa"),
        ("Genoa", "Genoa-B2"),
        ("Turin", "Turin"),
        ("Turin", "Turin-C1"),
    ],
)
def test_product_names_with_and_without_stepping(line: str, name: str) -> None:
    """KDS writes "Milan-B0" on B1 as well, so the stepping says nothing, and it may be absent."""
    ca = authority(line)
    assert_accepted(case_of(ca, ca.vcek(product_name=name), version=5).verify())


@pytest.mark.parametrize(
    "name", ["Milan-", "Milan-B", "Milan-B00", "milan", "Cookie-B0", "Milan B0", "Venice", "", "Milan\0", "MilanX"]
)
def test_product_names_that_are_none(name: str) -> None:
    ca = authority("Milan")
    verdict = case_of(ca, ca.vcek(product_name=name or None, **({} if name else {"productName": b"\x16\0"}))).verify()
    checks = by_name(verdict)
    assert verdict.accepted is False
    if name == "Venice":  # a line's name, and not this one's
        assert checks["product"].code == "product-mismatch"
    else:
        assert (checks["leaf-profile"].code, checks["leaf-profile"].field) == (
            "certificate-extension-invalid",
            "productName",
        )
    assert set(verdict.codes) <= {"certificate-extension-invalid", "product-mismatch"}


@LINE_AND_KIND
def test_the_callers_product(line: str, kind: str) -> None:
    """A caller who says "genoa" means it, whatever the evidence is."""
    for named in LINES:
        case = good(line, kind, version=5).but(product=named.lower())
        if named == line:
            assert_accepted(case.verify())
        else:
            assert_only(case.verify(), "product", "product-mismatch", "leaf", 0)


@pytest.mark.parametrize("line", LINES)
def test_the_callers_product_and_version_2(line: str) -> None:
    """Version 2 tells no product: the chain does, and the caller's word is held against it, never put in its place."""
    case = good(line, version=2)
    for named in LINES:
        verdict = case.but(product=named.lower()).verify()
        if named == line:
            assert_accepted(verdict)
            assert verdict.claims is not None
            assert verdict.claims["product"] == line.lower()
        else:
            assert by_name(verdict)["product"].code == "product-mismatch"
            assert set(verdict.codes) == {"product-mismatch"}


@pytest.mark.parametrize(("report_line", "chain_line"), list(itertools.permutations(LINES, 2)))
def test_version_2_takes_its_layout_from_the_chain(report_line: str, chain_line: str) -> None:
    """No CPUID: a TCB in another layout than the chain's does not fit the certificate. Between Milan and Genoa nothing in the
    report tells: the certificate's key signed it, so it is of that line."""
    ca = authority(chain_line)
    leaf = ca.vcek()
    fields = ReportFields(product=report_line, version=2, chip_id=leaf.chip_id)
    if "Turin" not in (report_line, chain_line):
        fields = fields.replace(reported_tcb=leaf.tcb)
    verdict = Case(fields.sign(leaf), certs_of(ca, leaf), ca.roots).verify()
    if "Turin" in (report_line, chain_line):
        assert verdict.accepted is False
        assert "reported-tcb-mismatch" in verdict.codes
    else:
        assert_accepted(verdict)


def test_version_2_of_a_long_chip_under_turin() -> None:
    """Turin's chips have eight bytes; a longer CHIP_ID is another line's, and the certificate's key signed it all the same."""
    ca = authority("Turin")
    leaf = ca.vcek()
    report = ReportFields(product="Milan", version=2, chip_id=leaf.chip_id[:8] + b"\x01" * 56).sign(leaf)
    verdict = Case(report, certs_of(ca, leaf), ca.roots).verify()
    assert verdict.accepted is False
    checks = by_name(verdict)
    assert checks["product"].code == "product-mismatch"
    assert checks["chip-id"].code == "chip-id-mismatch"


@pytest.mark.parametrize("product", [name for name, p in PRODUCTS.items() if p.line.name == "Genoa"])
def test_products_of_one_line(product: str) -> None:
    """Bergamo and Siena have Genoa's certificates."""
    assert_accepted(good("Genoa", version=3, product=product).verify())
    assert_accepted(good("Genoa", version=3, product=product).but(product="genoa").verify())


# ---- all at once -----------------------------------------------------------------------------------------------------


def test_every_binding_that_fails_is_named() -> None:
    """Another line, chip and TCB, the order turned round, the other kind: five findings, and the signature holds."""
    ca = authority("Genoa")
    leaf = ca.vcek()
    report = ReportFields(
        product="Milan", version=3, signing_key=1, chip_id=b"\x01" * 64, reported_tcb=Tcb(boot_loader=11, snp=0x17, microcode=0x54),
        current_tcb=Tcb(boot_loader=10, snp=0x17, microcode=0x54), committed_tcb=Tcb(boot_loader=1),
    ).sign(leaf)  # fmt: skip
    verdict = Case(report, certs_of(ca, leaf), ca.roots).verify()
    assert_failed(
        verdict,
        {
            "signer-kind": "signer-kind-mismatch",
            "product": "product-mismatch",
            "chip-id": "chip-id-mismatch",
            "reported-tcb": "reported-tcb-mismatch",
            "tcb-order": "tcb-order-invalid",
        },
    )
    assert outcome(verdict, "report-signature") == "pass"
    assert verdict.claims_verified is False
