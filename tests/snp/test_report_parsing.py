# SPDX-License-Identifier: Apache-2.0
"""Reading a report: length, version, every reserved byte, CPUID, TCB layouts, and where each field is.

Reports are validly signed wherever what is wrong lies inside the signed part, so that the signature is never the reason.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from snp_asserts import assert_accepted, assert_failed, assert_only, by_name, coherent, dotted, words
from snp_evidence import ITEMS, each_item, needs_evidence
from snp_world import LINES, NOW, Case, authority, endorsement, good

import snpverify
from snpverify import ParseError, Policy, Verifier, parse_report
from snpverify.testing import LAYOUT, PRODUCTS, ReportFields, Tcb, patch

VERSIONS = (2, 3, 4, 5)
LINE_AND_VERSION = pytest.mark.parametrize(
    ("line", "version"), [(line, version) for line in LINES for version in VERSIONS]
)

#: Reserved inside the signed part, by version: written down here apart from the core and from the test authority.
RESERVED: dict[int, list[int]] = {
    2: [*range(0x4C, 0x50), *range(0x188, 0x1A0), 0x1EB, 0x1EF, *range(0x1F8, 0x2A0)],
    3: [*range(0x4C, 0x50), *range(0x18B, 0x1A0), 0x1EB, 0x1EF, *range(0x1F8, 0x2A0)],
    4: [*range(0x4C, 0x50), *range(0x18B, 0x1A0), 0x1EB, 0x1EF, *range(0x208, 0x2A0)],
    5: [*range(0x4C, 0x50), *range(0x18B, 0x1A0), 0x1EB, 0x1EF, *range(0x208, 0x2A0)],
    6: [*range(0x4C, 0x50), *range(0x18B, 0x1A0), 0x1EB, 0x1EF, *range(0x208, 0x220), *range(0x280, 0x2A0)],
}
TAIL = range(0x330, 0x4A0)  # outside the signed part

#: The field that a reserved byte belongs to, in the verdict's words.
FIELDS = [
    (0x04C, 0x050, "RESERVED_04C"),
    (0x188, 0x18B, "RESERVED_188"),
    (0x18B, 0x1A0, "RESERVED_18B"),
    (0x1EB, 0x1EC, "RESERVED_1EB"),
    (0x1EF, 0x1F0, "RESERVED_1EF"),
    (0x1F8, 0x208, "RESERVED_1F8"),
    (0x208, 0x280, "RESERVED_208"),
    (0x280, 0x2A0, "RESERVED_280"),
    (0x330, 0x4A0, "SIGNATURE.RESERVED"),
]


def field_of(at: int, version: int) -> str:
    if version == 2 and 0x18B <= at < 0x1A0:
        return "RESERVED_188"  # one range of 24 bytes there
    if version < 6 and 0x208 <= at < 0x2A0:
        return "RESERVED_208"
    return next(name for start, end, name in FIELDS if start <= at < end)


def refused(data: bytes) -> tuple[str, str, int]:
    with pytest.raises(ParseError) as caught:
        parse_report(data)
    return caught.value.code, caught.value.field, caught.value.offset


# ---- length ----------------------------------------------------------------------------------------------------------


def test_every_truncation_and_every_excess() -> None:
    """0 to 1183 bytes, one too many, two reports, a certificate table behind: each says where it ends, and no field of it
    is shown."""
    case = good()
    lengths = [*range(1184), 1185, 1188, 2 * 1184, 1184 + 4096, 65536]
    data = [(case.report * 56)[:n] for n in lengths]
    results = case.verifier().verify_batch(data, certs=case.certs, at=case.at)
    assert list(results.accepted) == [False] * len(lengths)
    assert list(results.code) == ["report-length-invalid"] * len(lengths)
    for i, n in enumerate(lengths):
        if n % 64 == 0 or n in (1, 3, 0x187, 0x29F, 0x2FF, 0x32F, 1183, 1185, 1188):
            verdict = results[i]
            assert_only(
                verdict, "report-length", "report-length-invalid", "ATTESTATION_REPORT", min(n, 1184), unrun=None
            )
            assert verdict.claims is None
            assert {c.outcome for c in verdict.checks if c.check != "report-length"} == {"not-run"}
            assert verdict.evidence_sha256 == hashlib.sha256(data[i]).hexdigest()


def test_truncations_by_the_parser() -> None:
    report = good().report
    for n in (*range(1184), 1185, 2368):
        assert refused((report * 2)[:n]) == ("report-length-invalid", "ATTESTATION_REPORT", min(n, 1184))


# ---- version ---------------------------------------------------------------------------------------------------------


@LINE_AND_VERSION
@pytest.mark.parametrize("kind", ["VCEK", "VLEK"])
def test_judged_versions(line: str, version: int, kind: str, engine: str) -> None:
    verdict = good(line, kind, version=version).verify(engine)
    assert_accepted(verdict, ran=("report-product",))  # of version 2 by the chain
    claims = verdict.claims
    assert claims is not None
    assert claims["version"] == version
    assert claims["product"] == line.lower()
    assert (claims["cpuid_fam_id"] is None) is (version == 2)
    assert (claims["launch_mit_vector"] is None) is (version < 4)


@pytest.mark.parametrize("version", [0, 1, 7, 8, 0xFF, 0x100, 0x300, 0x03000000, 2**31, 2**32 - 1])
def test_unknown_versions(version: int) -> None:
    """Validly signed, and no field behind VERSION is read."""
    case = good(version=3, sign={"patches": {0: version.to_bytes(4, "little")}})
    verdict = case.verify()
    assert_only(verdict, "report-version", "report-version-unsupported", "VERSION", 0, unrun=None)
    assert verdict.claims is None
    assert {c.outcome for c in verdict.checks if c.check not in ("report-length", "report-version")} == {"not-run"}
    assert refused(case.report) == ("report-version-unsupported", "VERSION", 0)


@pytest.mark.parametrize("product", ["Milan", "Genoa", "Turin", "Venice"])
def test_version_6_is_read_and_not_judged(product: str) -> None:
    line = PRODUCTS[product].line.name
    ca = authority(line)
    vcek = ca.vcek()
    fields = ReportFields.fitting(
        vcek, version=6, current_etcb=b"\x01" * 32, launch_etcb=b"\x02" * 32, committed_etcb=b"\x03" * 32
    )
    case = Case(fields.sign(vcek), (vcek.der, *ca.certs), ca.roots)
    failed = {"report-version": "report-version-unsupported"}
    if product == "Venice":
        failed["report-product"] = "product-unsupported"
    verdict = case.verify()
    checks = assert_failed(verdict, failed, unrun=None)
    assert checks["report-reserved"].outcome == "pass"
    assert verdict.claims is not None
    assert verdict.claims["version"] == 6
    assert verdict.claims["measurement"] == fields.measurement.hex()
    assert verdict.claims_verified is False
    assert parse_report(case.report).version == 6
    # No policy makes it judged.
    allowing = case.asking(min_report_version=5).verify()
    assert allowing.codes[0] == "report-version-unsupported"


def test_version_2_bytes_are_no_cpuid() -> None:
    """Where version 3 has CPUID, version 2 has reserved bytes: a Milan CPUID there is a non-zero reserved byte, and the
    product is never taken from it."""
    case = good(version=2, sign={"patches": {0x188: b"\x19\x01\x01"}})
    assert_only(case.verify(), "report-reserved", "reserved-not-zero", "RESERVED_188", 0x188)
    assert refused(case.report) == ("reserved-not-zero", "RESERVED_188", 0x188)


def test_version_3_without_cpuid() -> None:
    """Family 0 is no product line."""
    case = good(version=3, sign={"patches": {0x188: bytes(3)}})
    assert_failed(
        case.verify(),
        {"report-product": "product-unsupported", "product": "product-mismatch"},
        unrun=("report-tcb-layout", "reported-tcb", "tcb-order"),
    )


def test_version_4_words_are_shown_and_vouch_for_nothing() -> None:
    """What 4 has at 0x1F8 is unpublished: not zero is accepted and shown, and satisfies no mitigation that a policy asks for
    unless the caller opts in."""
    case = good(version=4, launch_mit_vector=2**64 - 1, current_mit_vector=0x0123456789ABCDEF)
    verdict = case.verify()
    assert_accepted(verdict)
    assert verdict.claims is not None
    assert verdict.claims["launch_mit_vector"] == 2**64 - 1
    assert verdict.claims["current_mit_vector"] == 0x0123456789ABCDEF
    launch = case.asking(launch_mitigations=1).verify()
    assert_only(launch, "launch-mitigation", "launch-mitigation-missing", "LAUNCH_MIT_VECTOR", 0x1F8)
    current = case.asking(current_mitigations=1).verify()
    assert_only(current, "current-mitigation", "current-mitigation-missing", "CURRENT_MIT_VECTOR", 0x200)
    assert_accepted(case.asking(launch_mitigations=1, allow_v4_mitigations=True).verify(), ran=("launch-mitigation",))
    # Opting in is about version 4 alone.
    old = good(version=3).asking(launch_mitigations=1, allow_v4_mitigations=True).verify()
    assert_only(old, "launch-mitigation", "launch-mitigation-missing")


# ---- reserved bytes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [*VERSIONS, 6])
def test_every_reserved_byte(version: int) -> None:
    """Each byte alone, validly signed where the signature covers it: that one check fails, there, and no other."""
    line = "Turin" if version == 6 else "Milan"
    leaf = endorsement(line)
    fields = ReportFields.fitting(leaf, version=version)
    places = [*RESERVED[version], *TAIL]
    reports = [
        fields.sign(leaf, **{"post_patches" if at in TAIL else "patches": {at: bytes([1 + at % 255])}}) for at in places
    ]
    case = good(line)
    results = case.verifier().verify_batch(reports, certs=case.certs, at=case.at)
    assert not any(results.accepted)
    for i, at in enumerate(places):
        failed = {"report-version": "report-version-unsupported"} if version == 6 else {}
        failed["report-reserved"] = "reserved-not-zero"
        assert results.code[i] == next(iter(failed.values()))
        checks = assert_failed(results[i], failed, unrun=None if version == 6 else ())
        assert (checks["report-reserved"].field, checks["report-reserved"].offset) == (field_of(at, version), at)
        assert results[i].claims is None, "no claims where a parse check failed"
        assert refused(reports[i])[0::2] == ("reserved-not-zero", at)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_other_byte_is_reserved(version: int) -> None:
    """The mirror: every byte of the signed part that is not reserved may have another value without that check failing. So no
    range is too wide."""
    leaf = endorsement()
    base = ReportFields.fitting(leaf, version=version).build()
    key_info = range(0x49, 0x4C)  # reserved bits of KEY_INFO: a test of their own
    places = [at for at in range(4, 0x2A0) if at not in RESERVED[version] and at not in key_info]
    reports = [patch(base, {at: bytes([base[at] ^ 0x01])}) for at in places]
    results = good().verifier().verify_batch(reports, at=NOW)
    for i, at in enumerate(places):
        if at == 0x48 or at % 16 == 0 or at in (0x187, 0x1A0, 0x1EA, 0x1EC, 0x1F7, 0x207):
            assert by_name(results[i])["report-reserved"].outcome == "pass", hex(at)
    assert "reserved-not-zero" not in set(results.code)


def test_the_lowest_reserved_byte_is_named() -> None:
    case = good(sign={"patches": {0x4E: b"\x01", 0x1EB: b"\x01", 0x220: b"\x01"}, "reserved": b"\xff" * 368})
    assert_only(case.verify(), "report-reserved", "reserved-not-zero", "RESERVED_04C", 0x4E)


@pytest.mark.parametrize("bit", range(5, 32))
def test_reserved_bits_of_key_info(bit: int) -> None:
    case = good(key_info=1 << bit)
    verdict = case.verify()
    assert_only(verdict, "report-reserved", "reserved-not-zero", "KEY_INFO")
    offset = by_name(verdict)["report-reserved"].offset
    assert offset is not None
    assert 0x48 <= offset < 0x4C


# ---- algorithm and key -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [0, 2, 3, 0x100, 0x01000000, 2**31 + 1, 2**32 - 1])
def test_signature_algorithm(algorithm: int) -> None:
    """The bytes are a valid signature all the same; the report says that they are something else."""
    verdict = good(signature_algo=algorithm).verify()
    assert_only(
        verdict,
        "report-algorithm",
        "signature-algorithm-unsupported",
        "SIGNATURE_ALGO",
        0x34,
        unrun=("report-signature",),
    )
    assert verdict.claims is not None
    assert verdict.claims_verified is False


@pytest.mark.parametrize("kind", ["VCEK", "VLEK"])
@pytest.mark.parametrize("signing_key", [2, 3, 4, 5, 6])
def test_reserved_signing_keys(signing_key: int, kind: str) -> None:
    verdict = good(kind=kind, signing_key=signing_key).verify()
    assert by_name(verdict)["report-signing-key"].code == "signing-key-unsupported"
    assert by_name(verdict)["report-signing-key"].offset == 0x48
    assert_failed(verdict, {"report-signing-key": "signing-key-unsupported"}, unrun=("signer-kind",))


def test_unsigned_reports() -> None:
    """SIGNING_KEY 7: as the firmware makes it, with zeros for a signature; and with one that is valid."""
    zeros = good(signing_key=7, sign={"r": 0, "s": 0})
    assert_failed(
        zeros.verify(),
        {"report-signing-key": "report-unsigned", "report-signature": "report-signature-malformed"},
        unrun=("signer-kind",),
    )
    valid = good(signing_key=7).verify()
    assert_only(valid, "report-signing-key", "report-unsigned", "KEY_INFO", 0x48, unrun=("signer-kind",))
    alone = zeros.but(certs=()).verify()
    assert alone.accepted is False
    assert alone.codes[0] == "report-unsigned"


def test_masked_chip_key() -> None:
    zeros = good(mask_chip_key=1, sign={"r": 0, "s": 0})
    wanted = {"report-signing-key": "chip-key-masked", "report-signature": "report-signature-malformed"}
    assert_failed(zeros.verify(), wanted)
    assert_only(good(mask_chip_key=1).verify(), "report-signing-key", "chip-key-masked", "KEY_INFO", 0x48)


def test_author_key_en_is_no_fault() -> None:
    verdict = good(author_key_en=1, author_key_digest=b"\x01" * 48).verify()
    assert_accepted(verdict)
    assert verdict.claims is not None
    assert verdict.claims["author_key_en"] is True


# ---- CPUID -----------------------------------------------------------------------------------------------------------


def product_of(family: int, model: int) -> str | None:
    """The table of the product lines, written down here apart from the core: 56860 and AMD's revision guides."""
    table = {
        0x19: {"milan": [(0x00, 0x0F)], "genoa": [(0x10, 0x1F), (0xA0, 0xAF)]},
        0x1A: {"turin": [(0x00, 0x1F)], "venice": [(0x50, 0x5F), (0x90, 0xAF), (0xC0, 0xC7)]},
    }
    for name, ranges in table.get(family, {}).items():
        if any(low <= model <= high for low, high in ranges):
            return name
    return None


def test_every_family_and_model() -> None:
    """65536 of them: the product each names, and nothing but three lines is judged."""
    base = bytearray(ReportFields(version=3, reported_tcb=bytes(8)).build())
    verifier = good().verifier()
    for first in range(0, 256, 64):
        reports = bytearray()
        pairs = [(family, model) for family in range(first, first + 64) for model in range(256)]
        for family, model in pairs:
            base[0x188], base[0x189] = family, model
            reports += base
        results = verifier.verify_batch(reports, at=NOW, claims=True)
        wanted = [product_of(*pair) for pair in pairs]
        table = results.to_arrow(claims=True)
        assert table["product"].to_pylist() == wanted
        judged = ("milan", "genoa", "turin")
        expected = ["certificate-missing" if name in judged else "product-unsupported" for name in wanted]
        assert list(results.code) == expected
        assert not any(results.accepted)


@pytest.mark.parametrize(
    ("family", "model"), [(0x18, 0x01), (0x19, 0x20), (0x19, 0x9F), (0x19, 0xB0), (0x1A, 0x20), (0x1B, 0), (0xFF, 0xFF)]
)
def test_unknown_cpuid_with_a_genuine_chain(family: int, model: int) -> None:
    """The chain is Milan's and holds; the report says that it is something that nobody knows."""
    case = good(version=5, cpuid_fam_id=family, cpuid_mod_id=model)
    checks = assert_failed(
        case.verify(),
        {"report-product": "product-unsupported", "product": "product-mismatch"},
        unrun=("report-tcb-layout", "reported-tcb", "tcb-order"),
    )
    assert (checks["report-product"].field, checks["report-product"].offset) == ("CPUID_FAM_ID", 0x188)
    assert parse_report(case.report).product is None


@pytest.mark.parametrize("product", [name for name, p in PRODUCTS.items() if p.line.name in LINES])
def test_every_product_of_the_judged_lines(product: str) -> None:
    """Milan-X, Genoa-X, Bergamo, Siena, Turin Dense: the lines' certificates, and other CPUIDs."""
    of = PRODUCTS[product]
    case = good(of.line.name, version=5, product=product)
    verdict = case.verify()
    assert_accepted(verdict)
    assert verdict.claims is not None
    assert verdict.claims["product"] == of.line.name.lower()
    assert verdict.claims["cpuid_step"] == of.stepping


@pytest.mark.parametrize(
    ("family", "model"),
    [(0x19, 0x0F), (0x19, 0x10), (0x19, 0x1F), (0x19, 0xA0), (0x19, 0xAF), (0x1A, 0x00), (0x1A, 0x1F)],
)
def test_the_ends_of_each_range_are_accepted(family: int, model: int) -> None:
    line = str(product_of(family, model)).title()
    assert_accepted(good(line, version=5, cpuid_fam_id=family, cpuid_mod_id=model).verify())


def test_any_stepping() -> None:
    leaf = endorsement("Genoa")
    reports = [ReportFields.fitting(leaf, cpuid_step=step).sign(leaf) for step in range(0, 256, 5)]
    case = good("Genoa")
    assert all(case.verifier().verify_batch(reports, certs=case.certs, at=case.at).accepted)
    assert [parse_report(report).cpuid_step for report in reports] == list(range(0, 256, 5))


# ---- TCB layouts -----------------------------------------------------------------------------------------------------

TCBS = {"CURRENT_TCB": 0x38, "REPORTED_TCB": 0x180, "COMMITTED_TCB": 0x1E0, "LAUNCH_TCB": 0x1F0}
SPARE = {"Milan": (2, 3, 4, 5), "Genoa": (2, 3, 4, 5), "Turin": (4, 5, 6)}


@LINE_AND_VERSION
def test_reserved_bytes_of_every_tcb(line: str, version: int) -> None:
    """Each spare byte of each TCB alone, validly signed. The parts say what they said before."""
    for field, at in TCBS.items():
        for i in SPARE[line]:
            case = good(line, version=version, sign={"patches": {at + i: b"\x80"}})
            verdict = case.verify()
            assert_only(verdict, "report-tcb-layout", "tcb-reserved-not-zero", field, at + i)
            assert verdict.claims is None
            if version > 2:
                assert refused(case.report) == ("tcb-reserved-not-zero", field, at + i)


@pytest.mark.parametrize("line", LINES)
def test_parts_of_the_tcb(line: str) -> None:
    """Each part of each TCB in its own byte."""
    parts = {"boot_loader": 1, "tee": 2, "snp": 3, "microcode": 4} | ({"fmc": 5} if line == "Turin" else {})
    tcbs = {
        name: Tcb(**{part: 16 * k + v for part, v in parts.items()})
        for k, name in enumerate(("reported_tcb", "committed_tcb", "current_tcb", "launch_tcb"), 1)
    }
    report = parse_report(ReportFields(product=line, **tcbs).build())
    for name, tcb in tcbs.items():
        read = getattr(report, name)
        assert (read.boot_loader, read.tee, read.snp, read.microcode) == (
            tcb.boot_loader,
            tcb.tee,
            tcb.snp,
            tcb.microcode,
        )
        assert read.fmc == (tcb.fmc if line == "Turin" else None)
        assert read.raw == tcb.encode("Turin" if line == "Turin" else "Milan")


def test_layout_of_version_2() -> None:
    """Version 2 has no CPUID: a CHIP_ID longer than Turin's says Milan's layout, a short one leaves it open until product or
    chain say more; a guess is never shown."""
    turin = good("Turin", version=2)
    assert parse_report(turin.report).reported_tcb.snp is None
    assert parse_report(turin.report, product="turin").reported_tcb.snp == 4
    assert parse_report(turin.report, product="turin").product is None
    verdict = turin.verify()
    assert_accepted(verdict)
    assert verdict.claims is not None
    assert verdict.claims["reported_tcb"]["fmc"] == 1
    milan = good("Milan", version=2)
    assert parse_report(milan.report).reported_tcb.snp == 0x18
    masked = good("Genoa", version=2, chip_id=bytes(64))
    assert parse_report(masked.report).reported_tcb.boot_loader is None
    assert_accepted(masked.verify())
    without = turin.but(certs=()).verify()
    assert without.codes == ("certificate-missing",)
    assert without.claims is not None
    assert without.claims["reported_tcb"]["snp"] is None
    assert without.claims["product"] is None


# ---- fields ----------------------------------------------------------------------------------------------------------

#: Claims of the contract, in its words.
CONTRACT = words(
    """version guest_svn policy family_id image_id vmpl signature_algo current_tcb platform_info signing_key
    author_key_en mask_chip_key report_data measurement host_data id_key_digest author_key_digest report_id
    report_id_ma reported_tcb cpuid_fam_id cpuid_mod_id cpuid_step chip_id committed_tcb current_version
    committed_version launch_tcb launch_mit_vector current_mit_vector product"""
)
POLICY = words(
    """abi_major abi_minor smt migrate_ma debug single_socket cxl_allow mem_aes_256_xts rapl_dis ciphertext_hiding
    page_swap_disable raw"""
)


def test_claims_have_the_contracts_names() -> None:
    claims = good(version=5).verify().claims
    assert claims is not None
    assert set(CONTRACT) <= set(claims)
    assert set(POLICY) <= set(claims["policy"])
    assert "raw" in claims["platform_info"]
    assert "raw" in claims["reported_tcb"]
    assert parse_report(good(version=5).report).to_dict() == claims


#: Where each field lies, written down here apart from the core: claim, offset, size.
PLACES = [
    ("guest_svn", 0x004, 4), ("policy.", 0x008, 8), ("family_id", 0x010, 16), ("image_id", 0x020, 16), ("vmpl", 0x030, 4),
    ("signature_algo", 0x034, 4), ("current_tcb.", 0x038, 8), ("platform_info.", 0x040, 8), ("report_data", 0x050, 64),
    ("measurement", 0x090, 48), ("host_data", 0x0C0, 32), ("id_key_digest", 0x0E0, 48), ("author_key_digest", 0x110, 48),
    ("report_id", 0x140, 32), ("report_id_ma", 0x160, 32), ("reported_tcb.", 0x180, 8), ("cpuid_step", 0x18A, 1),
    ("chip_id", 0x1A0, 64), ("committed_tcb.", 0x1E0, 8), ("current_version", 0x1E8, 3), ("committed_version", 0x1EC, 3),
    ("launch_tcb.", 0x1F0, 8), ("launch_mit_vector", 0x1F8, 8), ("current_mit_vector", 0x200, 8),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "at", "size"), PLACES, ids=[place[0] for place in PLACES])
def test_each_byte_moves_its_own_claim_and_no_other(claim: str, at: int, size: int) -> None:
    """A nonce may not change the measurement. Every byte of the field, one at a time."""
    base = ReportFields(product="Milan", version=5).build()
    before = dotted(parse_report(base).to_dict())
    spare = {at + i for at in TCBS.values() for i in SPARE["Milan"]}
    for i in range(at, at + size):
        if i in spare:
            continue
        after = dotted(parse_report(patch(base, {i: bytes([base[i] ^ 0x10])})).to_dict())
        moved = {name for name in before if before[name] != after[name]}
        assert moved, hex(i)
        assert all(name.startswith(claim) if claim.endswith(".") else name == claim for name in moved), (hex(i), moved)


def test_values_of_the_fields() -> None:
    """Golden values, byte order and all."""
    fields = ReportFields(
        product="Genoa", version=5, guest_svn=0x01020304, policy=0x000000000003_1F07 | 1 << 25, vmpl=2, platform_info=0x8000_0000_0000_00A5,
        family_id=bytes(range(16)), current_version=(1, 55, 43), committed_version=(1, 54, 7), launch_mit_vector=0x0102030405060708,
        current_mit_vector=9, author_key_en=1,
    )  # fmt: skip
    report = parse_report(fields.build())
    assert report.guest_svn == 0x01020304
    assert (report.policy.abi_major, report.policy.abi_minor) == (0x1F, 0x07)
    assert (report.policy.smt, report.policy.debug, report.policy.page_swap_disable) == (True, False, True)
    assert report.policy.raw == fields.policy
    assert report.platform_info.raw == 0x8000_0000_0000_00A5
    assert (report.platform_info.smt_en, report.platform_info.tsme_en, report.platform_info.tio_en) == (
        True,
        False,
        True,
    )
    assert report.family_id == bytes(range(16))
    assert (report.current_version, report.committed_version) == ("1.55.43", "1.54.7")
    assert (report.launch_mit_vector, report.current_mit_vector) == (0x0102030405060708, 9)
    assert (report.vmpl, report.author_key_en, report.signing_key) == (2, True, 0)


@needs_evidence
@each_item()
def test_claims_of_real_reports_are_their_bytes(real: Any) -> None:
    """Byte strings by their places, against the report itself; the manifest's few numbers, too."""
    claims = parse_report(real.report).to_dict()
    for name, at, size in PLACES:
        if isinstance(claims.get(name), str) and "." not in claims[name]:
            assert claims[name] == real.report[at : at + size].hex(), name
    assert claims["version"] == real.version


@needs_evidence
def test_the_default_policy_accepts_what_the_real_ones_have() -> None:
    """VMPL 1, provisional firmware, masked CHIP_ID, AUTHOR_KEY_EN, mitigation words: each stands in some real report, so a
    rule that forgot one would show in test_real_evidence.py."""
    reports = [parse_report(i.report) for i in ITEMS if i.accepted]
    assert any(report.vmpl for report in reports)
    assert any(report.current_tcb.raw != report.committed_tcb.raw for report in reports)
    assert any(report.chip_id_masked for report in reports)
    assert any(report.current_mit_vector for report in reports)
    assert any(report.policy.abi_minor for report in reports)


# ---- the parser alone ------------------------------------------------------------------------------------------------


def test_the_parser_takes_bytes_and_nothing_else() -> None:
    report = good().report
    for data in (bytearray(report), memoryview(report)):
        assert parse_report(data) == parse_report(report)
    for wrong in (report.hex(), None, 1184, [report], object()):
        with pytest.raises(TypeError):
            parse_report(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="product"):
        parse_report(report, product="Rome")
    with pytest.raises(AttributeError):
        parse_report(report).vmpl = 1  # type: ignore[misc]


def test_a_report_keeps_its_own_bytes() -> None:
    """A buffer that changes afterwards changes nothing."""
    data = bytearray(good().report)
    report = parse_report(data)
    before = report.to_dict()
    data[:] = bytes(len(data))
    assert report.to_dict() == before
    assert report.raw == good().report


def test_parsing_alone_proves_nothing() -> None:
    """parse_report reads what nobody signed; only a verdict says more, and it says no."""
    unsigned = ReportFields.fitting(endorsement()).build()
    assert parse_report(unsigned).vmpl == 0
    verdict = good().but(report=unsigned).verify()
    assert_only(verdict, "report-signature", "report-signature-malformed")
    assert not hasattr(parse_report(unsigned), "accepted")


def test_claims_are_shown_whatever_else_is_wrong() -> None:
    """Of a report that reads well and is refused, claims are shown, and marked as not verified."""
    verdict = good(vmpl=4).but(certs=()).verify()
    coherent(verdict)
    assert verdict.claims is not None
    assert verdict.claims["vmpl"] == 4
    assert verdict.claims_verified is False


def test_layout_of_the_test_authority_is_the_one_here() -> None:
    """Two tables written apart: a slip in one would show."""
    for name, at, size in PLACES:
        assert LAYOUT[name.rstrip(".")] == (at, size)
    assert snpverify.Verifier is Verifier
    assert Policy().min_report_version is None
