"""A report for people: fields under AMD's names (56860, ATTESTATION_REPORT), flags bit by bit, TCBs by their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attestcore.cli.render import Page

if TYPE_CHECKING:
    from snpverify import Report
    from snpverify.report import Tcb

_PRODUCT_NAMES = {"milan": "Milan", "genoa": "Genoa, Bergamo or Siena", "turin": "Turin", "venice": "Venice"}
_SIGNING_KEYS = {0: "VCEK", 1: "VLEK", 7: "none: the report is not signed"}

# Name of the claim, AMD's name, what a set bit says.
_POLICY = (
    ("smt", "SMT", "the guest may run with SMT"),
    ("migrate_ma", "MIGRATE_MA", "a migration agent may move the guest"),
    ("debug", "DEBUG", "the host may read and change the guest"),
    ("single_socket", "SINGLE_SOCKET", "the guest runs on one socket only"),
    ("cxl_allow", "CXL_ALLOW", "the guest may use CXL memory"),
    ("mem_aes_256_xts", "MEM_AES_256_XTS", "the guest needs AES-256-XTS for its memory"),
    ("rapl_dis", "RAPL_DIS", "the guest needs RAPL disabled"),
    ("ciphertext_hiding", "CIPHERTEXT_HIDING_DRAM", "the guest needs ciphertext hiding"),
    ("page_swap_disable", "PAGE_SWAP_DISABLE", "the host may not move or swap the guest's pages"),
)
_POLICY_WARN = frozenset({"debug", "migrate_ma"})
_POLICY_KNOWN = (1 << 26) - 1
_POLICY_BIT_17 = 1 << 17

_PLATFORM = (
    ("smt_en", "SMT_EN", "SMT is on"),
    ("tsme_en", "TSME_EN", "transparent SME is on"),
    ("ecc_en", "ECC_EN", "the memory has ECC"),
    ("rapl_dis", "RAPL_DIS", "RAPL is disabled"),
    ("ciphertext_hiding_dram_en", "CIPHERTEXT_HIDING_DRAM_EN", "ciphertext hiding is on"),
    ("alias_check_complete", "ALIAS_CHECK_COMPLETE", "memory was checked for aliases since the last boot"),
    ("iommu_write_safe", "IOMMU_WRITE_SAFE", "IOMMU writes cannot reach the RMP"),
    ("tio_en", "TIO_EN", "trusted I/O is on"),
)
_PLATFORM_KNOWN = 0xFF


def show_report(report: Report, product_told: bool) -> None:
    """Prints it. product_told: the caller said which product a report without CPUID is of."""
    page = Page()
    page.title("AMD SEV-SNP attestation report", f"version {report.version}, {_product(report)}")
    page.line(
        "Nothing here is verified: anybody can write such bytes. To verify them: snpverify verify",
        fg="yellow",
        indent=0,
    )
    _remarks(page, report, product_told)
    _guest(page, report)
    _policy(page, report)
    _platform(page, report)
    _firmware(page, report)
    _signature(page, report)
    page.show()


def _product(report: Report) -> str:
    return _PRODUCT_NAMES.get(report.product or "", "product unknown")


def _remarks(page: Page, report: Report, product_told: bool) -> None:
    remarks = []
    if report.host_requested:
        remarks.append("VMPL is 0xFFFFFFFF: the host asked for this report, not the guest. It is always refused.")
    if report.version == 4:
        remarks.append("AMD has not published version 4; its two mitigation vectors are shown and vouch for nothing.")
    if report.version > 5:
        remarks.append("This version is known but not judged: snpverify verify refuses it.")
    if report.version == 2 and report.product is None and not product_told:
        remarks.append(
            "Version 2 does not say the CPU; --product tells how the TCBs are laid out where CHIP_ID does not."
        )
    if report.chip_id_masked:
        remarks.append("CHIP_ID is masked: the report does not say which chip made it.")
    if report.mask_chip_key:
        remarks.append("MASK_CHIP_KEY is set: the firmware wrote zeros instead of a signature.")
    if (report.current_version, report.current_tcb.raw) != (report.committed_version, report.committed_tcb.raw):
        remarks.append("The firmware is provisional: what runs (CURRENT) is not what is committed.")
    if remarks:
        page.heading("Note")
        for remark in remarks:
            page.line(remark, fg="yellow")


def _guest(page: Page, report: Report) -> None:
    page.heading("Guest")
    vmpl = "0xffffffff (host)" if report.host_requested else str(report.vmpl)
    page.rows(
        [
            ("MEASUREMENT", report.measurement.hex()),
            ("REPORT_DATA", report.report_data.hex()),
            ("HOST_DATA", report.host_data.hex()),
            ("VMPL", vmpl),
            ("GUEST_SVN", str(report.guest_svn)),
            ("FAMILY_ID", report.family_id.hex()),
            ("IMAGE_ID", report.image_id.hex()),
            ("ID_KEY_DIGEST", report.id_key_digest.hex()),
            ("AUTHOR_KEY_DIGEST", report.author_key_digest.hex()),
            ("REPORT_ID", report.report_id.hex()),
            ("REPORT_ID_MA", report.report_id_ma.hex()),
        ]
    )


def _policy(page: Page, report: Report) -> None:
    policy = report.policy
    page.heading(f"POLICY {policy.raw:#018x}")
    rows = [
        (
            "15:8, 7:0",
            "ABI_MAJOR.MINOR",
            f"{policy.abi_major}.{policy.abi_minor}",
            "lowest firmware ABI the guest runs on",
        )
    ]
    warn = []
    from snpverify.policy import GUEST_POLICY_BITS

    for claim, name, text in _POLICY:
        value = getattr(policy, claim)
        if value and claim in _POLICY_WARN:
            warn.append(len(rows))
        rows.append(_bit(GUEST_POLICY_BITS[claim], name, value, text))
    if not policy.raw & _POLICY_BIT_17:
        warn.append(len(rows))
        rows.append(("17", "reserved", "0", "must be one"))
    _unknown(rows, warn, policy.raw & ~_POLICY_KNOWN)
    page.rows(rows, warn=warn)


def _platform(page: Page, report: Report) -> None:
    info = report.platform_info
    page.heading(f"PLATFORM_INFO {info.raw:#018x}")
    from snpverify.policy import PLATFORM_INFO_BITS

    rows = [_bit(PLATFORM_INFO_BITS[claim], name, getattr(info, claim), text) for claim, name, text in _PLATFORM]
    warn: list[int] = []
    _unknown(rows, warn, info.raw & ~_PLATFORM_KNOWN)
    page.rows(rows, warn=warn)


def _bit(bit: int, name: str, value: bool, text: str) -> tuple[str, str, str, str]:
    return (str(bit), name, "1" if value else "0", text if value else "")


def _unknown(rows: list[tuple[str, str, str, str]], warn: list[int], mask: int) -> None:
    for bit in range(64):
        if mask >> bit & 1:
            warn.append(len(rows))
            rows.append((str(bit), "unknown", "1", "this library does not know the bit"))


def _firmware(page: Page, report: Report) -> None:
    page.heading("Platform and firmware")
    rows = [("CHIP_ID", "masked (all zero)" if report.chip_id_masked else report.chip_id.hex())]
    if report.cpuid_fam_id is not None:
        cpuid = f"family {report.cpuid_fam_id:#04x}, model {report.cpuid_mod_id:#04x}, stepping {report.cpuid_step}"
        rows.append(("CPUID", f"{cpuid} ({_product(report)})"))
    rows.append(("CURRENT_VERSION", report.current_version))
    rows.append(("COMMITTED_VERSION", report.committed_version))
    for name, vector in (("LAUNCH", report.launch_mit_vector), ("CURRENT", report.current_mit_vector)):
        if vector is not None:
            rows.append((f"{name}_MIT_VECTOR", f"{vector:#018x}"))
    page.rows(rows)
    tcbs = (
        ("REPORTED_TCB", report.reported_tcb, "the certificate is for this one"),
        ("COMMITTED_TCB", report.committed_tcb, "cannot be rolled back below"),
        ("CURRENT_TCB", report.current_tcb, "runs now"),
        ("LAUNCH_TCB", report.launch_tcb, "ran when the guest was launched"),
    )
    page.heading("TCB")
    page.rows([("", "FMC", "BOOT_LOADER", "TEE", "SNP", "MICROCODE", "raw", "")] + [_tcb(*tcb) for tcb in tcbs])


def _tcb(name: str, tcb: Tcb, text: str) -> tuple[str, ...]:
    parts = (tcb.fmc, tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode)
    unknown = all(part is None for part in parts)
    shown = ("?" if unknown else "-" if part is None else str(part) for part in parts)
    return (name, *shown, tcb.raw.hex(), text)


def _signature(page: Page, report: Report) -> None:
    page.heading("Signature")
    algorithm = "ECDSA P-384 with SHA-384" if report.signature_algo == 1 else "unknown"
    raw = report.raw
    page.rows(
        [
            ("SIGNATURE_ALGO", f"{report.signature_algo} ({algorithm})"),
            ("SIGNING_KEY", f"{report.signing_key} ({_SIGNING_KEYS.get(report.signing_key, 'reserved')})"),
            ("AUTHOR_KEY_EN", "1" if report.author_key_en else "0"),
            ("MASK_CHIP_KEY", "1" if report.mask_chip_key else "0"),
            ("R", raw[0x2A0:0x2E8][::-1].hex().removeprefix("00" * 24)),
            ("S", raw[0x2E8:0x330][::-1].hex().removeprefix("00" * 24)),
        ]
    )
