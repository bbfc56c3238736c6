# SPDX-License-Identifier: Apache-2.0
"""Attestation reports of every version and product, right or wrong field by field, signed rightly or wrongly.

    vcek = AmdCa("Milan").vcek()
    fields = ReportFields.fitting(vcek, version=5)
    good = fields.sign(vcek)
    debug = fields.replace(policy=0xB0000).sign(vcek)           # validly signed, and wrong
    torn = fields.sign(vcek, post_patches={0x90: b"\\xff"})      # changed after it was signed
    swapped = fields.sign(vcek, swap=True)                      # a signature that says S, R

Signing is deterministic: the same fields and key give the same 1184 bytes everywhere.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from .ca import Endorsement, default_chip_id
from .keys import EcKey
from .products import TCB_LAYOUTS, Product, Tcb, product_named, product_of
from .x509 import Patches, patch

REPORT_LEN: Final = 1184
SIGNED_LEN: Final = 672
R_OFFSET: Final = 0x2A0
S_OFFSET: Final = 0x2E8
SIGNATURE_RESERVED_OFFSET: Final = 0x330

#: Field name: offset and size, in the order of the layout (56860, ATTESTATION_REPORT); the fields of all versions
#: together, so that 0x1F8 is named as in version 5, and 0x220 to 0x280 as in version 6. Where a version does not know
#: a field, its bytes are reserved.
LAYOUT: Final[dict[str, tuple[int, int]]] = {
    "version": (0x000, 4),
    "guest_svn": (0x004, 4),
    "policy": (0x008, 8),
    "family_id": (0x010, 16),
    "image_id": (0x020, 16),
    "vmpl": (0x030, 4),
    "signature_algo": (0x034, 4),
    "current_tcb": (0x038, 8),
    "platform_info": (0x040, 8),
    "key_info": (0x048, 4),
    "reserved_04c": (0x04C, 4),
    "report_data": (0x050, 64),
    "measurement": (0x090, 48),
    "host_data": (0x0C0, 32),
    "id_key_digest": (0x0E0, 48),
    "author_key_digest": (0x110, 48),
    "report_id": (0x140, 32),
    "report_id_ma": (0x160, 32),
    "reported_tcb": (0x180, 8),
    "cpuid_fam_id": (0x188, 1),
    "cpuid_mod_id": (0x189, 1),
    "cpuid_step": (0x18A, 1),
    "reserved_18b": (0x18B, 21),
    "chip_id": (0x1A0, 64),
    "committed_tcb": (0x1E0, 8),
    "current_version": (0x1E8, 3),
    "reserved_1eb": (0x1EB, 1),
    "committed_version": (0x1EC, 3),
    "reserved_1ef": (0x1EF, 1),
    "launch_tcb": (0x1F0, 8),
    "launch_mit_vector": (0x1F8, 8),
    "current_mit_vector": (0x200, 8),
    "reserved_208": (0x208, 24),
    "current_etcb": (0x220, 32),
    "launch_etcb": (0x240, 32),
    "committed_etcb": (0x260, 32),
    "reserved_280": (0x280, 32),
    "signature": (0x2A0, 512),
}

#: Offset and size of what must be zero in a version, but for the signature's own padding.
RESERVED: Final[dict[int, tuple[tuple[int, int], ...]]] = {
    2: ((0x04C, 4), (0x188, 24), (0x1EB, 1), (0x1EF, 1), (0x1F8, 168)),
    3: ((0x04C, 4), (0x18B, 21), (0x1EB, 1), (0x1EF, 1), (0x1F8, 168)),
    4: ((0x04C, 4), (0x18B, 21), (0x1EB, 1), (0x1EF, 1), (0x208, 152)),
    5: ((0x04C, 4), (0x18B, 21), (0x1EB, 1), (0x1EF, 1), (0x208, 152)),
    6: ((0x04C, 4), (0x18B, 21), (0x1EB, 1), (0x1EF, 1), (0x208, 24), (0x280, 32)),
}
#: And in the signature: the upper bytes of R and of S, and what follows them. The signature does not cover them.
SIGNATURE_RESERVED: Final = ((0x2D0, 24), (0x318, 24), (0x330, 368))

TcbField: TypeAlias = Tcb | bytes
_Version: TypeAlias = tuple[int, int, int]


def _filler(what: str, size: int) -> bytes:
    """Bytes that are not zero and not those of the neighbouring field, so that a wrong offset shows."""
    return hashlib.shake_256(f"test {what}".encode()).digest(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFields:
    """An attestation report, field by field. The defaults are those of a guest without an ID block on a current host.

    None means: as product and version have it (CPUID, TCBs, PLATFORM_INFO, mitigation vectors), or as the field
    beside it (the three other TCBs are the reported one, COMMITTED_VERSION is CURRENT_VERSION). A value is written
    wherever its place is, also in a version whose layout reserves it. TCBs are given by parts, in the product's
    layout, or as 8 bytes; a short chip_id is padded with zeros.
    """

    product: str = "Milan"
    version: int = 3
    guest_svn: int = 0
    policy: int = 0x30000
    family_id: bytes = bytes(16)
    image_id: bytes = bytes(16)
    vmpl: int = 0
    signature_algo: int = 1
    current_tcb: TcbField | None = None
    platform_info: int | None = None
    author_key_en: int = 0
    mask_chip_key: int = 0
    signing_key: int = 0  # 0 VCEK, 1 VLEK, 7 none
    key_info: int | None = None  # the whole word, instead of the three
    reserved_04c: bytes = bytes(4)
    report_data: bytes = _filler("report data", 64)
    measurement: bytes = _filler("measurement", 48)
    host_data: bytes = _filler("host data", 32)
    id_key_digest: bytes = bytes(48)
    author_key_digest: bytes = bytes(48)
    report_id: bytes = _filler("report id", 32)
    report_id_ma: bytes = b"\xff" * 32
    reported_tcb: TcbField | None = None
    cpuid_fam_id: int | None = None
    cpuid_mod_id: int | None = None
    cpuid_step: int | None = None
    reserved_18b: bytes = bytes(21)
    chip_id: bytes | None = None
    committed_tcb: TcbField | None = None
    current_version: _Version = (1, 55, 54)  # major, minor, build
    reserved_1eb: int = 0
    committed_version: _Version | None = None
    reserved_1ef: int = 0
    launch_tcb: TcbField | None = None
    launch_mit_vector: int | None = None
    current_mit_vector: int | None = None
    reserved_208: bytes = bytes(24)
    current_etcb: bytes = bytes(32)
    launch_etcb: bytes = bytes(32)
    committed_etcb: bytes = bytes(32)
    reserved_280: bytes = bytes(32)
    signature: bytes = bytes(512)  # R, S and what follows; sign() writes its own

    @classmethod
    def fitting(cls, endorsement: Endorsement, **fields: Any) -> ReportFields:
        """A report that this VCEK or VLEK could have signed: its product line, chip, TCB and kind."""
        fitting = {
            "product": endorsement.line.name,
            "reported_tcb": endorsement.tcb,
            "chip_id": endorsement.chip_id,
            "signing_key": 0 if endorsement.kind == "VCEK" else 1,
        }
        return cls(**{**fitting, **fields})

    @classmethod
    def parse(cls, data: bytes, product: str | None = None) -> ReportFields:
        """The fields of a report, so that build() gives the same bytes again. TCBs stay raw; product says how to read
        them, else CPUID does, else Milan is assumed."""
        if len(data) != REPORT_LEN:
            raise ValueError(f"a report has {REPORT_LEN} bytes, not {len(data)}")
        fields: dict[str, Any] = {}
        for name, (at, size) in LAYOUT.items():
            raw = bytes(data[at : at + size])
            if name in ("current_version", "committed_version"):
                fields[name] = (raw[2], raw[1], raw[0])
            elif name in _INTEGERS:
                fields[name] = int.from_bytes(raw, "little")
            else:
                fields[name] = raw
        known = product_of(fields["cpuid_fam_id"], fields["cpuid_mod_id"])
        return cls(product=product or (known.name if known else "Milan"), **fields)

    def replace(self, **changes: Any) -> ReportFields:
        return dataclasses.replace(self, **changes)

    @property
    def of(self) -> Product:
        return product_named(self.product)

    @property
    def layout(self) -> str:
        """The product's TCB layout, a key of TCB_LAYOUTS."""
        return self.of.line.layout

    def tcb(self, name: str = "reported_tcb") -> Tcb:
        """One of the four TCBs by its parts, as it will be written."""
        return Tcb.decode(self._tcb(getattr(self, name)), self.layout)

    def _tcb(self, value: TcbField | None) -> bytes:
        if value is None:
            value = self.of.line.tcb if self.reported_tcb is None else self.reported_tcb
        return value if isinstance(value, bytes) else value.encode(self.layout)

    def _values(self) -> dict[str, int | bytes]:
        """Every field of LAYOUT, resolved."""
        of, has_cpuid = self.of, self.version >= 3
        info = self.author_key_en | self.mask_chip_key << 1 | self.signing_key << 2
        mitigations = 0x0F if self.version >= 5 else 0
        platform = 0x25 if has_cpuid else 0x05
        if self.layout == "Turin":
            platform |= 0x40
        chip_id = default_chip_id(of.line.name) if self.chip_id is None else self.chip_id
        committed = self.current_version if self.committed_version is None else self.committed_version
        resolved: dict[str, int | bytes] = {
            "current_tcb": self._tcb(self.current_tcb),
            "reported_tcb": self._tcb(self.reported_tcb),
            "committed_tcb": self._tcb(self.committed_tcb),
            "launch_tcb": self._tcb(self.launch_tcb),
            "platform_info": _or(self.platform_info, platform),
            "key_info": _or(self.key_info, info),
            "cpuid_fam_id": _or(self.cpuid_fam_id, of.family if has_cpuid else 0),
            "cpuid_mod_id": _or(self.cpuid_mod_id, of.model if has_cpuid else 0),
            "cpuid_step": _or(self.cpuid_step, of.stepping if has_cpuid else 0),
            "chip_id": chip_id.ljust(64, b"\0"),
            "current_version": bytes(reversed(self.current_version)),
            "committed_version": bytes(reversed(committed)),
            "launch_mit_vector": _or(self.launch_mit_vector, mitigations),
            "current_mit_vector": _or(self.current_mit_vector, mitigations),
        }
        return {name: resolved[name] if name in resolved else getattr(self, name) for name in LAYOUT}

    def build(self, patches: Patches = ()) -> bytes:
        """The 1184 bytes, with the signature field as it is; patches are written over them."""
        out = bytearray(REPORT_LEN)
        for name, value in self._values().items():
            at, size = LAYOUT[name]
            raw = value.to_bytes(size, "little") if isinstance(value, int) else value
            if len(raw) != size:
                raise ValueError(f"{name} has {size} bytes, not {len(raw)}")
            out[at : at + size] = raw
        return patch(bytes(out), patches)

    def sign(self, signer: Endorsement | EcKey, **options: Any) -> bytes:
        """The report, signed. The options are those of sign_report()."""
        return sign_report(self.build(), signer, **options)


_INTEGERS: Final = frozenset(
    (
        "version", "guest_svn", "policy", "vmpl", "signature_algo", "platform_info", "key_info", "cpuid_fam_id",
        "cpuid_mod_id", "cpuid_step", "reserved_1eb", "reserved_1ef", "launch_mit_vector", "current_mit_vector",
    )
)  # fmt: skip


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def sign_report(
    report: bytes,
    signer: Endorsement | EcKey,
    *,
    patches: Patches = (),
    hash_name: str | None = "sha384",
    start: int = 0,
    end: int = SIGNED_LEN,
    digest: bytes | None = None,
    nonce: int | None = None,
    s_half: Literal["any", "low", "high"] = "any",
    r: int | None = None,
    s: int | None = None,
    swap: bool = False,
    byteorder: Literal["little", "big"] = "little",
    r_padding: bytes = bytes(24),
    s_padding: bytes = bytes(24),
    reserved: bytes = bytes(368),
    post_patches: Patches = (),
) -> bytes:
    """Any 1184 bytes, signed as SIGNATURE_ALGO 1 has it, or wrong in the way asked for.

    patches             written over the report before it is signed
    hash_name           another hash; None signs the leftmost bytes of the range itself
    start, end          another range than the first 672 bytes
    digest              signed instead of the hash of anything
    nonce               ECDSA's k; by default it is derived from key and digest
    s_half              which of s and n - s: both are valid
    r, s                written instead of what was computed, up to 72 bytes wide
    swap                S in the place of R, and R in that of S
    byteorder           of the 48 value bytes
    r_padding, s_padding, reserved  the bytes around the values, zero in a genuine report
    post_patches        written over the signed report
    """
    if len(report) != REPORT_LEN:
        raise ValueError(f"a report has {REPORT_LEN} bytes, not {len(report)}")
    if len(r_padding) != 24 or len(s_padding) != 24 or len(reserved) != 368:
        raise ValueError("the paddings have 24 bytes each, and 368 are reserved")
    key = signer if isinstance(signer, EcKey) else signer.signing_key
    out = bytearray(patch(report, patches))
    if digest is None:
        signed = bytes(out[start:end])
        digest = signed if hash_name is None else hashlib.new(hash_name, signed).digest()
    true_r, true_s = key.sign_digest(digest, nonce=nonce)
    if s_half != "any" and (true_s > key.domain.n // 2) != (s_half == "high"):
        true_s = key.domain.n - true_s
    r, s = _or(r, true_r), _or(s, true_s)
    if swap:
        r, s = s, r
    out[R_OFFSET:S_OFFSET] = _component(r, byteorder, r_padding)
    out[S_OFFSET:SIGNATURE_RESERVED_OFFSET] = _component(s, byteorder, s_padding)
    out[SIGNATURE_RESERVED_OFFSET:] = reserved
    return patch(bytes(out), post_patches)


def _component(value: int, byteorder: Literal["little", "big"], padding: bytes) -> bytes:
    """R or S: 48 bytes and their padding; a wider value takes the padding's place."""
    if value >> 384:
        return value.to_bytes(72, byteorder)
    return value.to_bytes(48, byteorder) + padding


def signature_of(report: bytes) -> tuple[int, int]:
    """(r, s) of a report, each from its 72 bytes."""
    return (
        int.from_bytes(report[R_OFFSET:S_OFFSET], "little"),
        int.from_bytes(report[S_OFFSET:SIGNATURE_RESERVED_OFFSET], "little"),
    )


__all__ = [
    "LAYOUT",
    "REPORT_LEN",
    "RESERVED",
    "SIGNATURE_RESERVED",
    "SIGNED_LEN",
    "TCB_LAYOUTS",
    "ReportFields",
    "sign_report",
    "signature_of",
]
