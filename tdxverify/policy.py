"""What a relying party asks of a TDX or SGX quote: the table [tdx] of a policy file.

`Policy()` is the default policy: TDX alone; statuses UpToDate and SWHardeningNeeded; DEBUG, profiling and unknown attribute
bits, migration and bound service TDs are refused; nothing is expected of the measurements or the report data. `Policy.compile`
gives the plain values that the C core works with, member by member those of att_tdx_policy (csrc/attest_tdx.h).

The bits of TDATTRIBUTES and XFAM stand here: Intel TDX module ABI, TD_PARAMS (ATTRIBUTES, XFAM), versions 1.0 to 1.5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, cast

from attestcore.policy import (
    TRI_STATE,
    Choice,
    Flag,
    FrozenMap,
    Hex,
    Integer,
    ListOf,
    Nested,
    OrAny,
    ReportData,
    ReportDataPrefix,
    Table,
    Text,
    TriState,
    about,
)

__all__ = [
    "AttributeRules",
    "CompiledPolicy",
    "EnclaveRules",
    "Policy",
    "ReportDataPrefix",
    "XfamRules",
    "pck_key_digest",
]

# ---- words of the TDX module -----------------------------------------------------------------------------------------

# TDATTRIBUTES. DEBUG has a field of its own; the bits of the group "TD under profiling" let the host watch the TD run.
TD_DEBUG_BIT: Final = 0
TD_MIGRATABLE_BIT: Final = 29
TD_ATTRIBUTE_BITS: Final[Mapping[str, int]] = FrozenMap(
    {
        "hgs_plus_prof": 4,
        "perf_prof": 5,
        "pmt_prof": 6,
        "icssd": 16,
        "servtd_ext": 17,
        "lass": 27,
        "sept_ve_disable": 28,
        "migratable": TD_MIGRATABLE_BIT,
        "pks": 30,
        "kl": 31,
        "tpa": 62,
        "perfmon": 63,
    }
)
TD_ATTRIBUTES_UNKNOWN: Final = ((1 << 64) - 1) & ~sum(1 << bit for bit in (TD_DEBUG_BIT, *TD_ATTRIBUTE_BITS.values()))

# XFAM: features that a TD may use, as XCR0 and IA32_XSS number them. x87 and SSE are always there. The module lets
# CET, AVX-512 and AMX come as a whole or not at all.
XFAM_FIXED: Final = 0x3
XFAM_BITS: Final[Mapping[str, int]] = FrozenMap(
    {
        "avx": 1 << 2,
        "avx512": 0x7 << 5,
        "pt": 1 << 8,
        "pkru": 1 << 9,
        "cet": 0x3 << 11,
        "uintr": 1 << 14,
        "lbr": 1 << 15,
        "amx": 0x3 << 17,
    }
)
XFAM_UNKNOWN: Final = ((1 << 64) - 1) & ~(XFAM_FIXED | sum(XFAM_BITS.values()))

# Numbers of attest_tdx.h: att_tcb_status, and how three-valued members are written.
STATUSES: Final[Mapping[str, int]] = FrozenMap(
    {
        "UpToDate": 1,
        "SWHardeningNeeded": 2,
        "ConfigurationNeeded": 3,
        "ConfigurationAndSWHardeningNeeded": 4,
        "OutOfDate": 5,
        "OutOfDateConfigurationNeeded": 6,
        "TDRelaunchAdvised": 7,
        "TDRelaunchAdvisedConfigurationNeeded": 8,
        "Revoked": 9,
    }
)
SGX_TYPES: Final[Mapping[str, int]] = FrozenMap({"standard": 0, "scalable": 1, "scalable-with-integrity": 2})
TRI: Final[Mapping[str, int]] = FrozenMap({"any": 0, "required": 1, "forbidden": 2})
MAX_SECONDS: Final = 100 * 366 * 86400


def pck_key_digest(pem: str | bytes) -> bytes:
    """What `Policy.pck_keys` lists: SHA-256 of the SubjectPublicKeyInfo of a PCK certificate's public key in PEM."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode("ascii") if isinstance(pem, str) else bytes(pem))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not a public key in PEM (SubjectPublicKeyInfo)") from None
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    raise ValueError("not a key on the curve P-256")


# ---- nested tables ---------------------------------------------------------------------------------------------------


def _rule(text: str, default: TriState = "any") -> Any:
    return field(default=default, metadata=about(TRI_STATE, text))


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRules(Table):
    """Rules for TDATTRIBUTES. DEBUG is `Policy.debug`; MIGRATABLE needs `Policy.allow_service_td` besides."""

    hgs_plus_prof: TriState = _rule("Bit 4, HGS_PLUS_PROF: HGS+ may profile the TD.", "forbidden")
    perf_prof: TriState = _rule("Bit 5, PERF_PROF: the host may profile the TD by performance counters.", "forbidden")
    pmt_prof: TriState = _rule("Bit 6, PMT_PROF: the host may profile the TD by telemetry.", "forbidden")
    icssd: TriState = _rule("Bit 16, ICSSD.")
    servtd_ext: TriState = _rule("Bit 17, SERVTD_EXT: the service TD fields of body type 4 mean something.")
    lass: TriState = _rule("Bit 27, LASS: linear address space separation.")
    sept_ve_disable: TriState = _rule("Bit 28, SEPT_VE_DISABLE: no #VE on access to pages that are pending.")
    migratable: TriState = _rule("Bit 29, MIGRATABLE: a migration TD may move the TD.")
    pks: TriState = _rule("Bit 30, PKS: supervisor protection keys.")
    kl: TriState = _rule("Bit 31, KL: Key Locker; reserved in newer modules.", "forbidden")
    tpa: TriState = _rule("Bit 62, TPA: the TD is a provisioning agent.")
    perfmon: TriState = _rule("Bit 63, PERFMON: the TD may use performance monitoring.")
    unknown_bits: Literal["forbidden", "any"] = field(
        default="forbidden", metadata=about(Choice(("forbidden", "any")), "All bits that this library does not know.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class XfamRules(Table):
    """Rules for XFAM. x87 and SSE must be there, whatever stands here; a feature of several bits is there when all are."""

    avx: TriState = _rule("Bit 2: AVX.")
    avx512: TriState = _rule("Bits 7:5: AVX-512.")
    pt: TriState = _rule("Bit 8: processor trace.")
    pkru: TriState = _rule("Bit 9: user protection keys.")
    cet: TriState = _rule("Bits 12:11: control-flow enforcement.")
    uintr: TriState = _rule("Bit 14: user interrupts.")
    lbr: TriState = _rule("Bit 15: last branch records.")
    amx: TriState = _rule("Bits 18:17: AMX.")
    unknown_bits: Literal["forbidden", "any"] = field(
        default="forbidden", metadata=about(Choice(("forbidden", "any")), "All bits that this library does not know.")
    )


_DIGESTS: Final = OrAny(ListOf(Hex(48)))
_IDS_32: Final = OrAny(ListOf(Hex(32)))
_IDS_16: Final = OrAny(ListOf(Hex(16)))
_FMSPCS: Final = OrAny(ListOf(Hex(6)))
_PCK_KEYS: Final = OrAny(ListOf(Hex(32, from_pem=pck_key_digest)))
_ADVISORIES: Final = OrAny(ListOf(Text(32)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveRules(Table):
    """Rules for the enclave of an SGX quote; asked of a TD they fail."""

    mr_enclave: Collection[bytes] | None = field(default=None, metadata=about(_IDS_32, "Expected MRENCLAVEs."))
    mr_signer: Collection[bytes] | None = field(default=None, metadata=about(_IDS_32, "Expected MRSIGNERs."))
    isv_prod_id: int | None = field(default=None, metadata=about(OrAny(Integer(0, 0xFFFF)), "Expected ISVPRODID."))
    min_isv_svn: int | None = field(default=None, metadata=about(OrAny(Integer(1, 0xFFFF)), "Lowest ISVSVN."))


# ---- the policy ------------------------------------------------------------------------------------------------------


def _packed(items: Collection[bytes] | None, length: int) -> bytes:
    """What an att_list points at: the items one after the other, in ascending order, each once."""
    return b"".join(sorted({item.ljust(length, b"\0") for item in items or ()}))


def _texts(items: Collection[str] | None) -> bytes:
    return _packed([item.encode("ascii") for item in items or ()], 32)


def _seconds(text: str) -> Any:
    return field(default=None, metadata=about(OrAny(Integer(1, MAX_SECONDS)), text))


def _expected(kind: OrAny, text: str) -> Any:
    return field(default=None, metadata=about(kind, text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Table):
    """What is asked of a quote. Immutable; every field has the default policy's value; None means "not asked".

    Lists are kept as sorted tuples. Wrong values raise TypeError or ValueError, and so does a policy that no quote can
    meet because it contradicts itself. What is asked of a TD only fails an SGX quote, and the other way round.
    """

    TABLE: ClassVar[str] = "tdx"

    report_data: bytes | ReportDataPrefix | None = field(
        default=None, metadata=about(OrAny(ReportData()), "Expected REPORTDATA: all of it, or how it begins.")
    )
    mr_td: Collection[bytes] | None = _expected(_DIGESTS, "Expected MRTDs.")
    mr_seam: Collection[bytes] | None = _expected(_DIGESTS, "Expected MRSEAMs.")
    rt_mr0: Collection[bytes] | None = _expected(_DIGESTS, "Expected RTMR0s.")
    rt_mr1: Collection[bytes] | None = _expected(_DIGESTS, "Expected RTMR1s.")
    rt_mr2: Collection[bytes] | None = _expected(_DIGESTS, "Expected RTMR2s.")
    rt_mr3: Collection[bytes] | None = _expected(_DIGESTS, "Expected RTMR3s.")
    mr_config_id: Collection[bytes] | None = _expected(_DIGESTS, "Expected MRCONFIGIDs.")
    mr_owner: Collection[bytes] | None = _expected(_DIGESTS, "Expected MROWNERs.")
    mr_owner_config: Collection[bytes] | None = _expected(_DIGESTS, "Expected MROWNERCONFIGs.")
    mr_service_td: Collection[bytes] | None = _expected(
        _DIGESTS, "Expected MRSERVICETDs; one that is not zero needs allow_service_td."
    )
    td_id: Collection[bytes] | None = _expected(_IDS_32, "Expected TD_IDs; body type 4 alone has one.")
    init_service_td: Collection[bytes] | None = _expected(_DIGESTS, "Expected INIT_SERVTD_HASHes, likewise.")
    current_service_td: Collection[bytes] | None = _expected(_DIGESTS, "Expected CUR_SERVTD_HASHes, likewise.")
    debug: TriState = field(
        default="forbidden", metadata=about(TRI_STATE, "DEBUG of the TD's or the enclave's attributes.")
    )
    allow_service_td: bool = field(
        default=False, metadata=about(Flag(), "Allow TDs with a service TD: MRSERVICETD not zero, or MIGRATABLE.")
    )
    attributes: AttributeRules = field(
        default=AttributeRules(), metadata=about(Nested(AttributeRules), "Rules for TDATTRIBUTES.")
    )
    xfam: XfamRules = field(default=XfamRules(), metadata=about(Nested(XfamRules), "Rules for XFAM."))
    tee_types: Collection[str] = field(
        default=("tdx",), metadata=about(ListOf(Choice(("tdx", "sgx"))), "Allowed kinds of TEE.")
    )
    sgx: EnclaveRules = field(default=EnclaveRules(), metadata=about(Nested(EnclaveRules), "Rules for SGX enclaves."))
    statuses: Collection[str] = field(
        default=("SWHardeningNeeded", "UpToDate"),
        metadata=about(ListOf(Choice(tuple(STATUSES))), "Allowed TCB statuses: exactly these."),
    )
    grace_seconds: int | None = _seconds(
        "Tolerate OutOfDate for so long after tcbDate (OutOfDateConfigurationNeeded where ConfigurationNeeded is allowed)."
    )
    min_tcb_evaluation_data_number: int | None = field(
        default=None,
        metadata=about(OrAny(Integer(1, 0xFFFFFFFF)), "Lowest tcbEvaluationDataNumber of TCB info and QE identity."),
    )
    max_collateral_age: int | None = _seconds("Greatest age of TCB info, QE identity and PCK CRL, in seconds.")
    refused_advisories: Collection[str] | None = _expected(_ADVISORIES, "Advisories that refuse a quote they apply to.")
    tolerated_advisories: Collection[str] | None = _expected(
        _ADVISORIES, "The only advisories that may apply; every other one refuses the quote."
    )
    min_tee_tcb_svn: bytes | None = _expected(OrAny(Hex(16)), "Floor under each of the 16 components of TEE_TCB_SVN.")
    min_tee_tcb_svn_2: bytes | None = _expected(
        OrAny(Hex(16)), "The same for TEE_TCB_SVN_2, which body types 3 and 4 have."
    )
    fmspc: Collection[bytes] | None = _expected(_FMSPCS, "Allowed FMSPCs.")
    denied_fmspc: Collection[bytes] | None = _expected(_FMSPCS, "Denied FMSPCs.")
    ppid: Collection[bytes] | None = _expected(_IDS_16, "Allowed PPIDs.")
    denied_ppid: Collection[bytes] | None = _expected(_IDS_16, "Denied PPIDs.")
    platform_instance_id: Collection[bytes] | None = _expected(_IDS_16, "Allowed platform instances.")
    denied_platform_instance_id: Collection[bytes] | None = _expected(_IDS_16, "Denied platform instances.")
    pck_keys: Collection[bytes] | None = _expected(_PCK_KEYS, "Allowed PCKs, by SHA-256 of the SubjectPublicKeyInfo.")
    denied_pck_keys: Collection[bytes] | None = _expected(_PCK_KEYS, "Denied PCKs, likewise.")
    sgx_types: Collection[str] | None = _expected(
        OrAny(ListOf(Choice(tuple(SGX_TYPES)))), "Allowed SGX types of the platform, as the PCK certificate tells."
    )
    dynamic_platform: TriState = _rule("Whether packages may be added to the platform (PCK certificate).")
    cached_keys: TriState = _rule("Whether the platform's keys are cached by Intel (PCK certificate).")
    smt_enabled: TriState = _rule("Whether SMT is on (PCK certificate).")

    def __post_init__(self) -> None:
        Table.__post_init__(self)  # not super(): slots make a new class, and Python before 3.14 keeps the old one there
        for name in ("fmspc", "ppid", "platform_instance_id", "pck_keys"):
            if set(getattr(self, name) or ()) & set(getattr(self, f"denied_{name}") or ()):
                raise ValueError(f"denied_{name}: shares a value with {name}")
        if set(self.refused_advisories or ()) & set(self.tolerated_advisories or ()):
            raise ValueError("refused_advisories: shares a value with tolerated_advisories")
        if not self.allow_service_td:
            if self.attributes.migratable == "required":
                raise ValueError("attributes.migratable: requires what allow_service_td refuses")
            if self.mr_service_td is not None and not any(not any(digest) for digest in self.mr_service_td):
                raise ValueError("mr_service_td: no value that allow_service_td leaves possible")
        if self.tee_types == ("sgx",):
            self._refuse_td_fields()

    def _refuse_td_fields(self) -> None:
        """What only a TD has cannot be asked where only enclaves are allowed."""
        td_fields = [
            "mr_td", "mr_seam", "rt_mr0", "rt_mr1", "rt_mr2", "rt_mr3", "mr_config_id", "mr_owner", "mr_owner_config",
            "mr_service_td", "td_id", "init_service_td", "current_service_td", "min_tee_tcb_svn", "min_tee_tcb_svn_2",
        ]  # fmt: skip
        for name in td_fields:
            if getattr(self, name) is not None:
                raise ValueError(f"{name}: only a TD has it, and tee_types allows only sgx")

    def compile(self) -> CompiledPolicy:
        """The plain values that the C core works with."""
        attributes, xfam = self.attributes, self.xfam
        migratable = attributes.migratable if self.allow_service_td else "forbidden"
        prefix = self.report_data if isinstance(self.report_data, ReportDataPrefix) else None
        expected = prefix.prefix if prefix else cast(bytes, self.report_data or b"")
        single = {name: 1 << bit for name, bit in TD_ATTRIBUTE_BITS.items() if name != "migratable"}
        return CompiledPolicy(
            attributes_required=_mask(single, attributes, "required"),
            attributes_forbidden=_mask(single, attributes, "forbidden"),
            attributes_reserved=TD_ATTRIBUTES_UNKNOWN if attributes.unknown_bits == "forbidden" else 0,
            xfam_required=_mask(XFAM_BITS, xfam, "required"),
            xfam_forbidden=_mask(XFAM_BITS, xfam, "forbidden"),
            xfam_fixed=XFAM_FIXED,
            xfam_reserved=XFAM_UNKNOWN if xfam.unknown_bits == "forbidden" else 0,
            grace_seconds=self.grace_seconds or 0,
            max_collateral_age=self.max_collateral_age or 0,
            statuses=sum(1 << STATUSES[status] for status in self.statuses),
            min_evaluation_number=self.min_tcb_evaluation_data_number or 0,
            sgx_types=sum(1 << SGX_TYPES[name] for name in self.sgx_types or ()),
            allow_tdx="tdx" in self.tee_types,
            allow_sgx="sgx" in self.tee_types,
            debug=TRI[self.debug],
            migratable=TRI[migratable],
            service_td=TRI["any" if self.allow_service_td else "forbidden"],
            dynamic_platform=TRI[self.dynamic_platform],
            cached_keys=TRI[self.cached_keys],
            smt=TRI[self.smt_enabled],
            has_svn_floor=self.min_tee_tcb_svn is not None,
            has_svn_2_floor=self.min_tee_tcb_svn_2 is not None,
            svn_floor=self.min_tee_tcb_svn or bytes(16),
            svn_2_floor=self.min_tee_tcb_svn_2 or bytes(16),
            has_isv_prod_id=self.sgx.isv_prod_id is not None,
            isv_prod_id=self.sgx.isv_prod_id or 0,
            min_isv_svn=self.sgx.min_isv_svn or 0,
            report_data_len=len(expected),
            report_data_zero_tail=prefix is not None and prefix.tail == "zero",
            report_data=expected,
            mr_tds_48=_packed(self.mr_td, 48),
            mr_seams_48=_packed(self.mr_seam, 48),
            rt_mrs_48=tuple(_packed(values, 48) for values in (self.rt_mr0, self.rt_mr1, self.rt_mr2, self.rt_mr3)),
            mr_config_ids_48=_packed(self.mr_config_id, 48),
            mr_owners_48=_packed(self.mr_owner, 48),
            mr_owner_configs_48=_packed(self.mr_owner_config, 48),
            mr_service_tds_48=_packed(self.mr_service_td, 48),
            td_ids_32=_packed(self.td_id, 32),
            init_service_tds_48=_packed(self.init_service_td, 48),
            current_service_tds_48=_packed(self.current_service_td, 48),
            mr_enclaves_32=_packed(self.sgx.mr_enclave, 32),
            mr_signers_32=_packed(self.sgx.mr_signer, 32),
            fmspcs_allowed_6=_packed(self.fmspc, 6),
            fmspcs_denied_6=_packed(self.denied_fmspc, 6),
            ppids_allowed_16=_packed(self.ppid, 16),
            ppids_denied_16=_packed(self.denied_ppid, 16),
            instances_allowed_16=_packed(self.platform_instance_id, 16),
            instances_denied_16=_packed(self.denied_platform_instance_id, 16),
            pck_keys_allowed_32=_packed(self.pck_keys, 32),
            pck_keys_denied_32=_packed(self.denied_pck_keys, 32),
            advisories_refused_32=_texts(self.refused_advisories),
            advisories_tolerated_32=_texts(self.tolerated_advisories),
            advisories_asked=self.tolerated_advisories is not None,
        )


def _mask(bits: Mapping[str, int], rules: Table, state: TriState) -> int:
    return sum(mask for name, mask in bits.items() if getattr(rules, name) == state)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPolicy:
    """att_tdx_policy (csrc/attest_tdx.h), member by member and by the same names.

    A list is its packed items; report_data has report_data_len bytes, none when it is not asked for.
    """

    attributes_required: int
    attributes_forbidden: int
    attributes_reserved: int
    xfam_required: int
    xfam_forbidden: int
    xfam_fixed: int
    xfam_reserved: int
    grace_seconds: int
    max_collateral_age: int
    statuses: int
    min_evaluation_number: int
    sgx_types: int
    allow_tdx: bool
    allow_sgx: bool
    debug: int
    migratable: int
    service_td: int
    dynamic_platform: int
    cached_keys: int
    smt: int
    has_svn_floor: bool
    has_svn_2_floor: bool
    svn_floor: bytes
    svn_2_floor: bytes
    has_isv_prod_id: bool
    isv_prod_id: int
    min_isv_svn: int
    report_data_len: int
    report_data_zero_tail: bool
    report_data: bytes
    mr_tds_48: bytes
    mr_seams_48: bytes
    rt_mrs_48: tuple[bytes, ...]
    mr_config_ids_48: bytes
    mr_owners_48: bytes
    mr_owner_configs_48: bytes
    mr_service_tds_48: bytes
    td_ids_32: bytes
    init_service_tds_48: bytes
    current_service_tds_48: bytes
    mr_enclaves_32: bytes
    mr_signers_32: bytes
    fmspcs_allowed_6: bytes
    fmspcs_denied_6: bytes
    ppids_allowed_16: bytes
    ppids_denied_16: bytes
    instances_allowed_16: bytes
    instances_denied_16: bytes
    pck_keys_allowed_32: bytes
    pck_keys_denied_32: bytes
    advisories_refused_32: bytes
    advisories_tolerated_32: bytes
    advisories_asked: bool
