"""What a relying party asks of an SEV-SNP report: the table [snp] of a policy file.

`Policy()` is the default policy: DEBUG, MIGRATE_MA and unknown POLICY bits are refused, any guest VMPL is allowed, and
nothing is expected of the measurement, the report data or the TCB. `Policy.compile` gives the plain values that the C
core works with, member by member those of att_snp_policy (csrc/attest.h).

All numbers of the firmware's words that a policy speaks of stand here: 56860, 4.3 (guest policy, GUEST_POLICY) and the
ATTESTATION_REPORT table (PLATFORM_INFO, TCB_VERSION), revisions 1.55 to 1.59.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, cast

from attestcore.policy import (
    TRI_STATE,
    BitMask,
    Choice,
    Flag,
    FrozenMap,
    Hex,
    Integer,
    Kind,
    ListOf,
    Nested,
    OrAny,
    ReportData,
    ReportDataPrefix,
    Table,
    Text,
    TriState,
    Version,
    about,
    exactly,
    refuse,
    refuse_unknown,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

__all__ = [
    "CompiledPolicy",
    "GuestPolicyRules",
    "PlatformInfoRules",
    "Policy",
    "ReportDataPrefix",
    "id_key_digest",
    "leaf_key_digest",
]

# ---- words of the firmware -------------------------------------------------------------------------------------------

# POLICY (56860, 4.3). Bits 15:0 are ABI_MAJOR and ABI_MINOR. PAGE_SWAP_DISABLE came with revision 1.58.
GUEST_POLICY_BITS: Final[Mapping[str, int]] = FrozenMap(
    {
        "smt": 16,
        "migrate_ma": 18,
        "debug": 19,
        "single_socket": 20,
        "cxl_allow": 21,
        "mem_aes_256_xts": 22,
        "rapl_dis": 23,
        "ciphertext_hiding": 24,
        "page_swap_disable": 25,
    }
)
GUEST_POLICY_BIT_17: Final = 1 << 17  # reserved, must be one
GUEST_POLICY_UNKNOWN: Final = (1 << 64) - (1 << 26)

# PLATFORM_INFO (56860, ATTESTATION_REPORT, offset 0x40). IOMMU_WRITE_SAFE and TIO_EN are reserved in older revisions.
PLATFORM_INFO_BITS: Final[Mapping[str, int]] = FrozenMap(
    {
        "smt_en": 0,
        "tsme_en": 1,
        "ecc_en": 2,
        "rapl_dis": 3,
        "ciphertext_hiding_dram_en": 4,
        "alias_check_complete": 5,
        "iommu_write_safe": 6,
        "tio_en": 7,
    }
)
PLATFORM_INFO_UNKNOWN: Final = (1 << 64) - (1 << 8)

# Numbers of attest.h: att_snp_product, att_snp_role, att_snp_tcb_kind, and the values of att_snp_policy.id_block.
PRODUCTS: Final[Mapping[str, int]] = FrozenMap({"milan": 1, "genoa": 2, "turin": 3})
SIGNERS: Final[Mapping[str, int]] = FrozenMap({"vcek": 1, "vlek": 2})
TCB_KINDS: Final[Mapping[str, int]] = FrozenMap({"reported": 0, "committed": 1, "current": 2, "launch": 3})
ID_BLOCK: Final[Mapping[str, int]] = FrozenMap({"any": 0, "required": 1, "forbidden": 2})

# The parts of a TCB_VERSION (56860 rev 1.59, tables 4 and 5), in the order of att_snp_tcb. FMC came with Turin.
TCB_PARTS: Final = ("fmc", "boot_loader", "tee", "snp", "microcode")
TCB_PARTS_BEFORE_TURIN: Final = TCB_PARTS[1:]
ANY_STEPPING: Final = 0xFF

# CPUID_FAM_ID and CPUID_MOD_ID of the products, as patterns: Milan 19h 00-0Fh, Genoa 19h 10-1Fh, Bergamo and Siena 19h
# A0-AFh, Turin 1Ah 00-1Fh.
_STEPPING = r"(?:\*|(?![fF]{2})[0-9a-fA-F]{2})"
_BEFORE_TURIN = f"19-[01aA][0-9a-fA-F]-{_STEPPING}"
_TURIN = f"1[aA]-[01][0-9a-fA-F]-{_STEPPING}"


# ---- keys ------------------------------------------------------------------------------------------------------------


def _p384_key(pem: str | bytes) -> EllipticCurvePublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode("ascii") if isinstance(pem, str) else bytes(pem))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not a public key in PEM (SubjectPublicKeyInfo)") from None
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1):
        return key
    raise ValueError("not a key on the curve P-384")


def id_key_digest(pem: str | bytes) -> bytes:
    """ID_KEY_DIGEST or AUTHOR_KEY_DIGEST of a P-384 public key in PEM: SHA-384 of the key in AMD's form, 1028 bytes.

    The form (56860, appendix on digital signatures): the number of the curve (2), then X and Y with the lowest byte
    first, 72 bytes each, and zeros up to the end.
    """
    numbers = _p384_key(pem).public_numbers()
    key = (2).to_bytes(4, "little") + numbers.x.to_bytes(72, "little") + numbers.y.to_bytes(72, "little")
    return hashlib.sha384(key.ljust(0x404, b"\0")).digest()


def leaf_key_digest(pem: str | bytes) -> bytes:
    """What `Policy.leaf_keys` lists: SHA-256 of the SubjectPublicKeyInfo of a VCEK's or VLEK's public key in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = _p384_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


# ---- floors ----------------------------------------------------------------------------------------------------------


Floors = Mapping[str, Mapping[str, int]]
Floor = tuple[int, int, int, int, int, int, tuple[int, int, int, int, int]]


@dataclass(frozen=True, slots=True)
class TcbFloors(Kind):
    """Floors under one TCB: a table from platforms to the parts of a TCB_VERSION.

    A platform is "any", a product, or what CPUID says, "family-model-stepping" as three hex bytes ("19-01-01"), where
    "*" stands for any stepping. Parts that are not named have the floor 0; one that the platform's layout does not have
    is an error, for a floor that no report can pass or fail is a mistake.
    """

    def check(self, value: object, name: str) -> FrozenMap[FrozenMap[int]]:
        if not isinstance(value, Mapping):
            refuse(name, "a table from platforms to parts", value, TypeError)
        if not value:
            raise ValueError(f"{name}: empty; leave it out for not asked")
        floors: dict[str, FrozenMap[int]] = {}
        for platform, parts in value.items():
            key, known = self._platform(platform, name)
            if key in floors:
                raise ValueError(f"{name}.{key}: given twice")
            floors[key] = self._floor(parts, known, f"{name}.{key}")
        return FrozenMap(dict(sorted(floors.items())))

    def dump(self, value: Any) -> dict[str, dict[str, int]]:
        return {platform: dict(parts) for platform, parts in value.items()}

    def schema(self) -> dict[str, Any]:
        def floor(parts: Sequence[str]) -> dict[str, Any]:
            return {
                "type": "object",
                "properties": {part: Integer(0, 255).schema() for part in parts},
                "additionalProperties": False,
                "minProperties": 1,
            }

        return {
            "type": "object",
            "patternProperties": {
                exactly(f"any|milan|genoa|{_BEFORE_TURIN}"): floor(TCB_PARTS_BEFORE_TURIN),
                exactly(f"turin|{_TURIN}"): floor(TCB_PARTS),
            },
            "additionalProperties": False,
            "minProperties": 1,
        }

    @staticmethod
    def _platform(platform: object, name: str) -> tuple[str, Sequence[str]]:
        """The platform's name in lower case, and the parts of its TCB."""
        if not isinstance(platform, str):
            refuse(name, "the names of platforms", platform, TypeError)
        if re.fullmatch(f"turin|{_TURIN}", platform):
            return platform.lower(), TCB_PARTS
        if not re.fullmatch(f"any|milan|genoa|{_BEFORE_TURIN}", platform):
            refuse(name, "platforms any, milan, genoa, turin, or CPUID of one of them such as '19-01-01'", platform)
        return platform.lower(), TCB_PARTS_BEFORE_TURIN

    @staticmethod
    def _floor(parts: object, known: Sequence[str], name: str) -> FrozenMap[int]:
        if not isinstance(parts, Mapping):
            refuse(name, f"a table of {', '.join(known)}", parts, TypeError)
        if not parts:
            raise ValueError(f"{name}: an empty floor; write a part, even 0")
        for part in parts:
            if part not in known:
                if part in TCB_PARTS:
                    raise ValueError(f"{name}.{part}: this platform's TCB has no such part")
                refuse_unknown(part, known, name)
        return FrozenMap({part: Integer(0, 255).check(parts.get(part, 0), f"{name}.{part}") for part in known})


def _compile_floors(kind: str, floors: Floors | None) -> list[Floor]:
    compiled: list[Floor] = []
    for platform, parts in (floors or {}).items():
        by_cpuid = "-" in platform
        family, model, stepping = 0, 0, 0
        if by_cpuid:
            family, model, stepping = (ANY_STEPPING if byte == "*" else int(byte, 16) for byte in platform.split("-"))
        fmc, boot_loader, tee, snp, microcode = (parts.get(part, 0) for part in TCB_PARTS)
        minimum = (fmc, boot_loader, tee, snp, microcode)
        compiled.append((TCB_KINDS[kind], int(by_cpuid), PRODUCTS.get(platform, 0), family, model, stepping, minimum))
    return sorted(compiled)


# ---- the policy ------------------------------------------------------------------------------------------------------


def _bits(bits: Mapping[str, int], rules: Table, state: TriState) -> int:
    return sum(1 << bit for name, bit in bits.items() if getattr(rules, name) == state)


def _numbers(numbers: Mapping[str, int], names: Collection[str]) -> int:
    return sum(1 << numbers[name] for name in names)


def _packed(items: Collection[bytes] | None, length: int) -> bytes:
    """What an att_list points at: the items one after the other, in ascending order, each once."""
    padded = {item.ljust(length, b"\0") for item in items or ()}
    return b"".join(sorted(padded))


def _word(version: object) -> int:
    """The parts of a version, one byte each, the first highest; 0 when it is not asked for."""
    return int.from_bytes(bytes(cast(tuple[int, ...], version or ())), "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPolicyRules(Table):
    """Rules for POLICY, what the guest's owner allowed at launch. POLICY bit 17 must be one, whatever stands here."""

    smt: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 16, SMT: may run with SMT."))
    migrate_ma: TriState = field(
        default="forbidden", metadata=about(TRI_STATE, "Bit 18, MIGRATE_MA: may have a migration agent.")
    )
    debug: TriState = field(
        default="forbidden", metadata=about(TRI_STATE, "Bit 19, DEBUG: the host may read the guest.")
    )
    single_socket: TriState = field(
        default="any", metadata=about(TRI_STATE, "Bit 20, SINGLE_SOCKET: runs on one socket only.")
    )
    cxl_allow: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 21, CXL_ALLOW: may use CXL memory."))
    mem_aes_256_xts: TriState = field(
        default="any", metadata=about(TRI_STATE, "Bit 22, MEM_AES_256_XTS: needs AES-256-XTS for memory.")
    )
    rapl_dis: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 23, RAPL_DIS: needs RAPL disabled."))
    ciphertext_hiding: TriState = field(
        default="any", metadata=about(TRI_STATE, "Bit 24, CIPHERTEXT_HIDING_DRAM: needs ciphertext hiding.")
    )
    page_swap_disable: TriState = field(
        default="any", metadata=about(TRI_STATE, "Bit 25, PAGE_SWAP_DISABLE: page moving and swapping disabled.")
    )
    unknown_bits: Literal["forbidden", "any"] = field(
        default="forbidden", metadata=about(Choice(("forbidden", "any")), "Bits 63:26, unknown to this library.")
    )
    min_abi: tuple[int, int] | str | None = field(
        default=None, metadata=about(OrAny(Version(2)), "Lowest ABI_MAJOR.ABI_MINOR of POLICY.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformInfoRules(Table):
    """Rules for PLATFORM_INFO, what the firmware says of the machine."""

    smt_en: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 0, SMT_EN: SMT is on."))
    tsme_en: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 1, TSME_EN: transparent SME is on."))
    ecc_en: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 2, ECC_EN: the memory has ECC."))
    rapl_dis: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 3, RAPL_DIS: RAPL is disabled."))
    ciphertext_hiding_dram_en: TriState = field(
        default="any", metadata=about(TRI_STATE, "Bit 4, CIPHERTEXT_HIDING_DRAM_EN: ciphertext hiding is on.")
    )
    alias_check_complete: TriState = field(
        default="any",
        metadata=about(TRI_STATE, "Bit 5, ALIAS_CHECK_COMPLETE: memory was checked for aliases since the last boot."),
    )
    iommu_write_safe: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 6, IOMMU_WRITE_SAFE."))
    tio_en: TriState = field(default="any", metadata=about(TRI_STATE, "Bit 7, TIO_EN: trusted I/O is on."))
    unknown_bits: Literal["forbidden", "any"] = field(
        default="any", metadata=about(Choice(("forbidden", "any")), "Bits 63:8, unknown to this library.")
    )


_DIGEST_OF_KEY: Final = ListOf(Hex(48, nonzero=True, from_pem=id_key_digest))
_LEAF_KEYS: Final = ListOf(Hex(32, from_pem=leaf_key_digest))
_CHIPS: Final = ListOf(Hex(64, short=8, nonzero=True))
_PRODUCT_NAMES: Final = ListOf(Choice(tuple(PRODUCTS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Table):
    """What is asked of a report. Immutable; every field has the default policy's value; None means "not asked".

    Lists are kept as sorted tuples, TCB floors as read-only mappings with every part spelt out. Wrong values raise
    TypeError or ValueError, and so does a policy that no report can meet because it contradicts itself.
    """

    TABLE: ClassVar[str] = "snp"

    report_data: bytes | ReportDataPrefix | None = field(
        default=None, metadata=about(OrAny(ReportData()), "Expected REPORT_DATA: all of it, or how it begins.")
    )
    measurements: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(ListOf(Hex(48))), "Expected MEASUREMENTs.")
    )
    host_data: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(ListOf(Hex(32))), "Expected HOST_DATAs.")
    )
    family_ids: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(ListOf(Hex(16))), "Expected FAMILY_IDs.")
    )
    image_ids: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(ListOf(Hex(16))), "Expected IMAGE_IDs.")
    )
    report_ids: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(ListOf(Hex(32))), "Expected REPORT_IDs.")
    )
    report_ids_ma: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(ListOf(Hex(32))), "Expected REPORT_ID_MAs.")
    )
    min_guest_svn: int | None = field(default=None, metadata=about(OrAny(Integer(1, 0xFFFFFFFF)), "Lowest GUEST_SVN."))
    id_block: Literal["any", "required", "forbidden"] = field(
        default="any", metadata=about(Choice(tuple(ID_BLOCK)), "Whether the guest was launched with an ID block.")
    )
    id_keys: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(_DIGEST_OF_KEY), "Trusted ID keys, by ID_KEY_DIGEST.")
    )
    author_keys: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(_DIGEST_OF_KEY), "Trusted author keys, by AUTHOR_KEY_DIGEST.")
    )
    vmpls: Collection[int] | None = field(
        default=None, metadata=about(OrAny(ListOf(Integer(0, 3))), "Allowed VMPLs; those above 3 never are.")
    )
    guest_policy: GuestPolicyRules = field(
        default=GuestPolicyRules(), metadata=about(Nested(GuestPolicyRules), "Rules for POLICY, the guest policy.")
    )
    platform_info: PlatformInfoRules = field(
        default=PlatformInfoRules(), metadata=about(Nested(PlatformInfoRules), "Rules for PLATFORM_INFO.")
    )
    min_report_version: int | None = field(default=None, metadata=about(OrAny(Integer(2, 5)), "Lowest VERSION."))
    products: Collection[str] | None = field(
        default=None, metadata=about(OrAny(_PRODUCT_NAMES), "Allowed product lines.")
    )
    denied_products: Collection[str] | None = field(
        default=None, metadata=about(OrAny(_PRODUCT_NAMES), "Denied product lines.")
    )
    signers: Collection[str] | None = field(
        default=None, metadata=about(OrAny(ListOf(Choice(tuple(SIGNERS)))), "Allowed kinds of endorsement key.")
    )
    chips: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(_CHIPS), "Allowed CHIP_IDs; Turin's may be written as 8 bytes.")
    )
    denied_chips: Collection[bytes] | None = field(default=None, metadata=about(OrAny(_CHIPS), "Denied CHIP_IDs."))
    allow_masked_chip_id: bool = field(default=True, metadata=about(Flag(), "Allow a CHIP_ID that is all zero."))
    leaf_keys: Collection[bytes] | None = field(
        default=None,
        metadata=about(OrAny(_LEAF_KEYS), "Allowed VCEKs and VLEKs, by SHA-256 of the SubjectPublicKeyInfo."),
    )
    denied_leaf_keys: Collection[bytes] | None = field(
        default=None, metadata=about(OrAny(_LEAF_KEYS), "Denied VCEKs and VLEKs, likewise.")
    )
    csp_ids: Collection[str] | None = field(
        default=None, metadata=about(OrAny(ListOf(Text(64))), "Allowed CSP_IDs of a VLEK; a VCEK has none.")
    )
    min_reported_tcb: Floors | None = field(
        default=None, metadata=about(OrAny(TcbFloors()), "Floors under REPORTED_TCB, by platform.")
    )
    min_committed_tcb: Floors | None = field(
        default=None, metadata=about(OrAny(TcbFloors()), "Floors under COMMITTED_TCB, by platform.")
    )
    min_current_tcb: Floors | None = field(
        default=None, metadata=about(OrAny(TcbFloors()), "Floors under CURRENT_TCB, by platform.")
    )
    min_launch_tcb: Floors | None = field(
        default=None, metadata=about(OrAny(TcbFloors()), "Floors under LAUNCH_TCB, by platform.")
    )
    min_current_firmware: tuple[int, int, int] | str | None = field(
        default=None, metadata=about(OrAny(Version(3)), "Lowest CURRENT_MAJOR.MINOR.BUILD.")
    )
    min_committed_firmware: tuple[int, int, int] | str | None = field(
        default=None, metadata=about(OrAny(Version(3)), "Lowest COMMITTED_MAJOR.MINOR.BUILD.")
    )
    allow_provisional: bool = field(
        default=True, metadata=about(Flag(), "Allow firmware that is not committed: COMMITTED differs from CURRENT.")
    )
    launch_mitigations: int | Collection[int] | None = field(
        default=None, metadata=about(OrAny(BitMask()), "Bits that LAUNCH_MIT_VECTOR must have.")
    )
    current_mitigations: int | Collection[int] | None = field(
        default=None, metadata=about(OrAny(BitMask()), "Bits that CURRENT_MIT_VECTOR must have.")
    )
    allow_v4_mitigations: bool = field(
        default=False,
        metadata=about(Flag(), "Let version 4, whose two words AMD has not published, satisfy the mitigation bits."),
    )
    require_crl: bool = field(
        default=False, metadata=about(Flag(), "Require a CRL of the ARK that is valid at the evaluation time.")
    )
    leaf_not_before: Literal["enforce", "ignore"] = field(
        default="enforce",
        metadata=about(
            Choice(("enforce", "ignore")),
            "notBefore of the VCEK or VLEK; ignore it for old evidence under a newer one.",
        ),
    )

    def __post_init__(self) -> None:
        Table.__post_init__(self)  # not super(): slots make a new class, and Python before 3.14 keeps the old one there
        for allowed, denied in (
            ("products", "denied_products"),
            ("chips", "denied_chips"),
            ("leaf_keys", "denied_leaf_keys"),
        ):
            if set(getattr(self, allowed) or ()) & set(getattr(self, denied) or ()):
                raise ValueError(f"{denied}: shares a value with {allowed}")
        if self.denied_products is not None and set(self.denied_products) == set(PRODUCTS):
            raise ValueError("denied_products: denies every product")
        if self.csp_ids is not None and self.signers == ("vcek",):
            raise ValueError("csp_ids: only a VLEK has one, and signers allows only a VCEK")
        if self.id_block == "forbidden":  # without one, GUEST_SVN and both digests are zero (56860, SNP_LAUNCH_FINISH)
            for name in ("id_keys", "author_keys", "min_guest_svn"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name}: comes from the ID block, which id_block forbids")

    def compile(self) -> CompiledPolicy:
        """The plain values that the C core works with."""
        guest, platform = self.guest_policy, self.platform_info
        products = set(self.products or PRODUCTS) - set(self.denied_products or ())
        prefix = self.report_data if isinstance(self.report_data, ReportDataPrefix) else None
        expected = prefix.prefix if prefix else cast(bytes, self.report_data or b"")
        floors = (
            *_compile_floors("reported", self.min_reported_tcb),
            *_compile_floors("committed", self.min_committed_tcb),
            *_compile_floors("current", self.min_current_tcb),
            *_compile_floors("launch", self.min_launch_tcb),
        )
        return CompiledPolicy(
            guest_required=GUEST_POLICY_BIT_17 | _bits(GUEST_POLICY_BITS, guest, "required"),
            guest_forbidden=_bits(GUEST_POLICY_BITS, guest, "forbidden")
            | (GUEST_POLICY_UNKNOWN if guest.unknown_bits == "forbidden" else 0),
            platform_required=_bits(PLATFORM_INFO_BITS, platform, "required"),
            platform_forbidden=_bits(PLATFORM_INFO_BITS, platform, "forbidden")
            | (PLATFORM_INFO_UNKNOWN if platform.unknown_bits == "forbidden" else 0),
            launch_mitigations=cast(int, self.launch_mitigations or 0),
            current_mitigations=cast(int, self.current_mitigations or 0),
            min_version=self.min_report_version or 0,
            min_guest_svn=self.min_guest_svn or 0,
            vmpls=sum(1 << vmpl for vmpl in (range(4) if self.vmpls is None else self.vmpls)),
            products=_numbers(PRODUCTS, products),
            signers=_numbers(SIGNERS, self.signers or SIGNERS),
            min_current_firmware=_word(self.min_current_firmware),
            min_committed_firmware=_word(self.min_committed_firmware),
            min_abi=_word(guest.min_abi),
            products_asked=self.products is not None or self.denied_products is not None,
            signers_asked=self.signers is not None,
            allow_masked_chip_id=self.allow_masked_chip_id,
            allow_provisional=self.allow_provisional,
            allow_v4_mitigations=self.allow_v4_mitigations,
            require_crl=self.require_crl,
            ignore_leaf_not_before=self.leaf_not_before == "ignore",
            id_block=ID_BLOCK[self.id_block],
            report_data_len=len(expected),
            report_data_zero_tail=prefix is not None and prefix.tail == "zero",
            report_data=expected,
            floors=floors,
            measurements_48=_packed(self.measurements, 48),
            host_data_32=_packed(self.host_data, 32),
            family_ids_16=_packed(self.family_ids, 16),
            image_ids_16=_packed(self.image_ids, 16),
            report_ids_32=_packed(self.report_ids, 32),
            report_ids_ma_32=_packed(self.report_ids_ma, 32),
            id_keys_48=_packed(self.id_keys, 48),
            author_keys_48=_packed(self.author_keys, 48),
            chips_allowed_64=_packed(self.chips, 64),
            chips_denied_64=_packed(self.denied_chips, 64),
            leaf_keys_allowed_32=_packed(self.leaf_keys, 32),
            leaf_keys_denied_32=_packed(self.denied_leaf_keys, 32),
            csp_ids_64=_packed([csp_id.encode("ascii") for csp_id in self.csp_ids or ()], 64),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPolicy:
    """att_snp_policy (csrc/attest.h), member by member and by the same names.

    A list is its packed items; report_data has report_data_len bytes, none when it is not asked for. Floors are tuples
    of the members of att_snp_floor, the minimum as one of att_snp_tcb.
    """

    guest_required: int
    guest_forbidden: int
    platform_required: int
    platform_forbidden: int
    launch_mitigations: int
    current_mitigations: int
    min_version: int
    min_guest_svn: int
    vmpls: int
    products: int
    signers: int
    min_current_firmware: int
    min_committed_firmware: int
    min_abi: int
    products_asked: bool
    signers_asked: bool
    allow_masked_chip_id: bool
    allow_provisional: bool
    allow_v4_mitigations: bool
    require_crl: bool
    ignore_leaf_not_before: bool
    id_block: int
    report_data_len: int
    report_data_zero_tail: bool
    report_data: bytes
    floors: tuple[Floor, ...]
    measurements_48: bytes
    host_data_32: bytes
    family_ids_16: bytes
    image_ids_16: bytes
    report_ids_32: bytes
    report_ids_ma_32: bytes
    id_keys_48: bytes
    author_keys_48: bytes
    chips_allowed_64: bytes
    chips_denied_64: bytes
    leaf_keys_allowed_32: bytes
    leaf_keys_denied_32: bytes
    csp_ids_64: bytes
