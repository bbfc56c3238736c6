"""One SEV-SNP attestation report, read and typed (AMD 56860, ATTESTATION_REPORT). Reading proves nothing: see `snpverify.verify`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from attestcore import _lib
from attestcore._lib import SNP_LAYOUT, ReportFields
from attestcore._lib import Tcb as _Parts
from attestcore.errors import ParseError
from snpverify.policy import GUEST_POLICY_BITS, PLATFORM_INFO_BITS

VMPL_HOST = 0xFFFFFFFF
"""VMPL of a report that the host asked for (SNP_HV_REPORT_REQ)."""

PRODUCT_NUMBERS = {name: i for i, name in enumerate(_lib.PRODUCTS) if name is not None}


_PLACES = {name: slice(offset, offset + size) for name, (offset, size) in SNP_LAYOUT.items()}


def _field(data: bytes, name: str) -> bytes:
    return data[_PLACES[name]]


@dataclass(frozen=True, slots=True)
class Tcb:
    """A TCB_VERSION: raw as received (8 bytes), and its parts; a part is None when the product has none of it, all are None while the
    product, and so the layout, is unknown."""

    raw: bytes
    fmc: int | None
    boot_loader: int | None
    tee: int | None
    snp: int | None
    microcode: int | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "fmc": self.fmc,
            "boot_loader": self.boot_loader,
            "tee": self.tee,
            "snp": self.snp,
            "microcode": self.microcode,
            "raw": self.raw.hex(),
        }


_LAYOUT_UNKNOWN, _LAYOUT_TURIN = 0, 2


def _tcb(raw: bytes, parts: _Parts, layout: int) -> Tcb:
    if layout == _LAYOUT_UNKNOWN:
        return Tcb(raw, None, None, None, None, None)
    fmc = parts.fmc if layout == _LAYOUT_TURIN else None
    return Tcb(raw, fmc, parts.boot_loader, parts.tee, parts.snp, parts.microcode)


@dataclass(frozen=True, slots=True)
class GuestPolicy:
    """POLICY: what the guest's owner allowed at launch."""

    abi_major: int
    abi_minor: int
    smt: bool
    migrate_ma: bool
    debug: bool
    single_socket: bool
    cxl_allow: bool
    mem_aes_256_xts: bool
    rapl_dis: bool
    ciphertext_hiding: bool
    page_swap_disable: bool
    raw: int

    def to_dict(self) -> dict[str, Any]:
        return dict(zip(_policy_names, _policy_values(self), strict=True))


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """PLATFORM_INFO: how the platform is set up."""

    smt_en: bool
    tsme_en: bool
    ecc_en: bool
    rapl_dis: bool
    ciphertext_hiding_dram_en: bool
    alias_check_complete: bool
    iommu_write_safe: bool
    tio_en: bool
    raw: int

    def to_dict(self) -> dict[str, Any]:
        return dict(zip(_platform_names, _platform_values(self), strict=True))


@dataclass(frozen=True, slots=True)
class Report:
    """Every field of a report under AMD's name. What a version has not is None: CPUID before version 3, the mitigation vectors before
    4 (those of 4 are unpublished; they are shown and never vouched for)."""

    raw: bytes
    version: int
    guest_svn: int
    policy: GuestPolicy
    family_id: bytes
    image_id: bytes
    vmpl: int
    signature_algo: int
    current_tcb: Tcb
    platform_info: PlatformInfo
    signing_key: int
    author_key_en: bool
    mask_chip_key: bool
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    report_id_ma: bytes
    reported_tcb: Tcb
    cpuid_fam_id: int | None
    cpuid_mod_id: int | None
    cpuid_step: int | None
    chip_id: bytes
    committed_tcb: Tcb
    current_version: str
    committed_version: str
    launch_tcb: Tcb
    launch_mit_vector: int | None
    current_mit_vector: int | None
    product: str | None

    @property
    def chip_id_masked(self) -> bool:
        """CHIP_ID is all zero: the host chose MASK_CHIP_ID, or the report is signed by a VLEK."""
        return not any(self.chip_id)

    @property
    def host_requested(self) -> bool:
        """The host asked for this report, not the guest: REPORT_DATA is the host's."""
        return self.vmpl == VMPL_HOST

    def to_dict(self) -> dict[str, Any]:
        """The claims of the contract: byte strings as hex, numbers as numbers, TCBs and flag words as objects."""
        return {name: _plain(value) for name, value in zip(_CLAIMS, _values_of(self), strict=True)}


_CLAIMS = tuple(f.name for f in fields(Report) if f.name != "raw")
_values_of = attrgetter(*_CLAIMS)
_policy_names = tuple(f.name for f in fields(GuestPolicy))
_policy_values = attrgetter(*_policy_names)
_platform_names = tuple(f.name for f in fields(PlatformInfo))
_platform_values = attrgetter(*_platform_names)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is bytes:
        return value.hex()
    if kind in (Tcb, GuestPolicy, PlatformInfo):
        return value.to_dict()
    return value


@lru_cache(maxsize=256)  # of a few machines and guests, all alike
def _guest_policy(raw: int) -> GuestPolicy:
    bits = {name: bool(raw >> bit & 1) for name, bit in GUEST_POLICY_BITS.items()}
    return GuestPolicy(abi_major=raw >> 8 & 0xFF, abi_minor=raw & 0xFF, raw=raw, **bits)


@lru_cache(maxsize=256)
def _platform_info(raw: int) -> PlatformInfo:
    return PlatformInfo(raw=raw, **{name: bool(raw >> bit & 1) for name, bit in PLATFORM_INFO_BITS.items()})


def _version(parts: tuple[int, int, int]) -> str:
    return f"{parts[0]}.{parts[1]}.{parts[2]}"


def make_report(data: bytes, read: ReportFields) -> Report:
    """A Report over bytes that the core has read."""
    layout = read.tcb_layout
    mitigations = read.version >= 4
    return Report(
        raw=data,
        version=read.version,
        guest_svn=read.guest_svn,
        policy=_guest_policy(read.policy),
        family_id=_field(data, "FAMILY_ID"),
        image_id=_field(data, "IMAGE_ID"),
        vmpl=read.vmpl,
        signature_algo=read.signature_algo,
        current_tcb=_tcb(_field(data, "CURRENT_TCB"), read.current_tcb, layout),
        platform_info=_platform_info(read.platform_info),
        signing_key=read.signing_key,
        author_key_en=read.author_key_en,
        mask_chip_key=read.mask_chip_key,
        report_data=_field(data, "REPORT_DATA"),
        measurement=_field(data, "MEASUREMENT"),
        host_data=_field(data, "HOST_DATA"),
        id_key_digest=_field(data, "ID_KEY_DIGEST"),
        author_key_digest=_field(data, "AUTHOR_KEY_DIGEST"),
        report_id=_field(data, "REPORT_ID"),
        report_id_ma=_field(data, "REPORT_ID_MA"),
        reported_tcb=_tcb(_field(data, "REPORTED_TCB"), read.reported_tcb, layout),
        cpuid_fam_id=read.cpuid_fam_id if read.has_cpuid else None,
        cpuid_mod_id=read.cpuid_mod_id if read.has_cpuid else None,
        cpuid_step=read.cpuid_step if read.has_cpuid else None,
        chip_id=_field(data, "CHIP_ID"),
        committed_tcb=_tcb(_field(data, "COMMITTED_TCB"), read.committed_tcb, layout),
        current_version=_version(read.current_version),
        committed_version=_version(read.committed_version),
        launch_tcb=_tcb(_field(data, "LAUNCH_TCB"), read.launch_tcb, layout),
        launch_mit_vector=read.launch_mit_vector if mitigations else None,
        current_mit_vector=read.current_mit_vector if mitigations else None,
        product=read.product,
    )


def product_number(product: str | None) -> int:
    """The core's number of a product line; ValueError for a name that is not one."""
    if product is None:
        return 0
    number = PRODUCT_NUMBERS.get(product.lower()) if isinstance(product, str) else None
    if number is None or product.lower() == "venice":
        raise ValueError(f"product {product!r} is not milan, genoa or turin")
    return number


def parse_report(data: bytes | bytearray | memoryview, *, product: str | None = None) -> Report:
    """Reads one report of 1184 bytes (AMD 56860, table 23 and 27), versions 2 to 6.

    product ("milan", "genoa", "turin") tells the TCB layout where a version 2 report leaves it open; it does not override CPUID.
    Raises ParseError (code, field, offset) when the bytes are not a report: length, unknown version, reserved bytes, TCB layout.
    Nothing is verified.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"a report is bytes, not {type(data).__name__}")
    copy = _lib.snapshot(data)
    read, findings = _lib.snp_parse(copy, product_number(product))
    for finding in findings:
        if finding.failed and (read is None or _lib.CODE_CATEGORIES[finding.code] == "parse"):
            raise ParseError(finding.code_name, finding.field_name, finding.offset, _lib.CODE_TEXTS[finding.code])
    if read is None:
        raise ParseError("internal-error", "", 0, "the report was not read and no check says why")
    return make_report(copy, read)
