# SPDX-License-Identifier: Apache-2.0
"""Quotes of every version and body, right or wrong field by field, signed rightly or wrongly.

    quote = IntelCa().quote(version=5, body_type=3, report_data=nonce)
    quote.bytes                                        # as a quoting enclave makes it
    quote.replace(td_attributes=1).bytes               # any field of header, body or (qe_...) QE report, signed
    quote.replace(signature_length=2**31).bytes        # any length that lies
    quote.replace(signature=bytes(64)).bytes           # not signed
    quote.replace(auth_data=b"", cert_type=4).bytes    # other authentication and certification data
    quote.flipped("body.mr_td")                        # one bit changed after it was signed
    quote.places["qe_report"]                          # offset and size of any part

Signing is deterministic: the same fields and keys give the same bytes everywhere. Offsets and sizes are those of the
Intel TDX DCAP Quoting Library API, "Quote Format", and the Intel SGX ECDSA QuoteLibReference, appendix A.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

from .keys import EcKey, ec_key, public_bytes, raw_signature
from .pck import PckCertificate, filler
from .x509 import Certificate, Patches, patch

Value: TypeAlias = int | bytes
_F = TypeVar("_F", bound="_Fields")

TEE_SGX: Final = 0x00
TEE_TDX: Final = 0x81
INTEL_QE: Final = bytes.fromhex("939A7233F79C4CA9940A0DB3957F0607")
MR_SIGNER_QE: Final = bytes.fromhex("8C4F5775D796503E96137F77C68A829A0056AC8DED70140B081B094490C57BFF")
MR_SIGNER_TD_QE: Final = bytes.fromhex("DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5")

#: Body types of version 5 and their sizes: SGX, TD 1.0, TD 1.5, TD 1.5 with service TDs.
BODY_SIZES: Final = {1: 384, 2: 584, 3: 648, 4: 885}

HEADER_LAYOUT: Final = {
    "version": (0, 2),
    "att_key_type": (2, 2),
    "tee_type": (4, 4),
    "qe_svn": (8, 2),
    "pce_svn": (10, 2),
    "qe_vendor_id": (12, 16),
    "user_data": (28, 20),
}
ENCLAVE_LAYOUT: Final = {
    "cpu_svn": (0, 16),
    "misc_select": (16, 4),
    "reserved_20": (20, 12),
    "isv_ext_prod_id": (32, 16),
    "attributes": (48, 16),
    "mr_enclave": (64, 32),
    "reserved_96": (96, 32),
    "mr_signer": (128, 32),
    "reserved_160": (160, 32),
    "config_id": (192, 64),
    "isv_prod_id": (256, 2),
    "isv_svn": (258, 2),
    "config_svn": (260, 2),
    "reserved_262": (262, 42),
    "isv_family_id": (304, 16),
    "report_data": (320, 64),
}
#: A TD report of any type; those of the types 2 and 3 end earlier.
TD_LAYOUT: Final = {
    "tee_tcb_svn": (0, 16),
    "mr_seam": (16, 48),
    "mr_signer_seam": (64, 48),
    "seam_attributes": (112, 8),
    "td_attributes": (120, 8),
    "xfam": (128, 8),
    "mr_td": (136, 48),
    "mr_config_id": (184, 48),
    "mr_owner": (232, 48),
    "mr_owner_config": (280, 48),
    "rt_mr0": (328, 48),
    "rt_mr1": (376, 48),
    "rt_mr2": (424, 48),
    "rt_mr3": (472, 48),
    "report_data": (520, 64),
    "tee_tcb_svn_2": (584, 16),
    "mr_service_td": (600, 48),
    "vm_id": (648, 1),
    "td_id": (649, 32),
    "dev_info": (681, 48),
    "init_service_td_hash": (729, 48),
    "init_service_td_attributes": (777, 8),
    "init_cpu_svn": (785, 16),
    "init_tee_tcb_svn": (801, 16),
    "init_tee_fmspc": (817, 12),
    "cur_service_td_hash": (829, 48),
    "cur_service_td_attributes": (877, 8),
}


class _Fields:
    """A fixed layout, little-endian; each field is a number or its bytes."""

    __slots__ = ()
    LAYOUT: ClassVar[Mapping[str, tuple[int, int]]]

    def value(self, name: str) -> Value:
        """A field as it will be written."""
        given: Value = getattr(self, name)
        return given

    def build(self) -> bytes:
        """All fields."""
        return b"".join(_octets(name, self.value(name), size) for name, (_, size) in self.LAYOUT.items())

    @classmethod
    def parse(cls: type[_F], data: bytes) -> _F:
        """The fields of a layout, as bytes, so that build() gives the same back."""
        fields = {name: bytes(data[at : at + size]) for name, (at, size) in cls.LAYOUT.items()}
        return cls(**{name: raw for name, raw in fields.items() if len(raw) == cls.LAYOUT[name][1]})

    def replace(self: _F, **changes: Any) -> _F:
        out: _F = dataclasses.replace(self, **changes)  # type: ignore[type-var]
        return out


def _octets(name: str, value: Value, size: int) -> bytes:
    raw = value.to_bytes(size, "little") if isinstance(value, int) else value
    if len(raw) != size:
        raise ValueError(f"{name} has {size} bytes, not {len(raw)}")
    return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(_Fields):
    """The header of a quote."""

    LAYOUT: ClassVar[Mapping[str, tuple[int, int]]] = HEADER_LAYOUT

    version: int | bytes = 4
    att_key_type: int | bytes = 2
    tee_type: int | bytes = TEE_TDX
    qe_svn: int | bytes = 0  # reserved from version 4 on
    pce_svn: int | bytes = 0
    qe_vendor_id: int | bytes = INTEL_QE
    user_data: int | bytes = filler("QE ID", 16) + bytes(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveReport(_Fields):
    """A report of an SGX enclave: the body of an SGX quote, and that of the quoting enclave in every quote.

    report_data None, in the QE's: as binds the attestation key and the authentication data.
    """

    LAYOUT: ClassVar[Mapping[str, tuple[int, int]]] = ENCLAVE_LAYOUT

    cpu_svn: int | bytes = bytes.fromhex("07070202030100030000000000000000")
    misc_select: int | bytes = 0
    reserved_20: int | bytes = bytes(12)
    isv_ext_prod_id: int | bytes = bytes(16)
    attributes: int | bytes = bytes.fromhex("0500000000000000e700000000000000")  # INIT, MODE64; XFRM
    mr_enclave: int | bytes = filler("MRENCLAVE", 32)
    reserved_96: int | bytes = bytes(32)
    mr_signer: int | bytes = filler("MRSIGNER", 32)
    reserved_160: int | bytes = bytes(32)
    config_id: int | bytes = bytes(64)
    isv_prod_id: int | bytes = 0
    isv_svn: int | bytes = 1
    config_svn: int | bytes = 0
    reserved_262: int | bytes = bytes(42)
    isv_family_id: int | bytes = bytes(16)
    report_data: int | bytes | None = None

    def value(self, name: str) -> Value:
        given: Value | None = getattr(self, name)
        return bytes(64) if given is None else given

    @classmethod
    def quoting(cls, tee_type: int = TEE_TDX, **fields: Any) -> EnclaveReport:
        """The report of Intel's quoting enclave, for SGX or for TDs."""
        own: dict[str, Value] = {"attributes": bytes.fromhex("1500000000000000e700000000000000")}
        if tee_type == TEE_TDX:
            own |= {"mr_signer": MR_SIGNER_TD_QE, "isv_prod_id": 2, "isv_svn": 4, "mr_enclave": filler("TD QE", 32)}
        else:
            own |= {"mr_signer": MR_SIGNER_QE, "isv_prod_id": 1, "isv_svn": 8, "mr_enclave": filler("QE", 32)}
        return cls(**{**own, **fields})


@dataclass(frozen=True, slots=True, kw_only=True)
class TdReport(_Fields):
    """The body of a TD's quote. body_type says how much of it is written: 2 TD 1.0, 3 TD 1.5, 4 with service TDs.

    tee_tcb_svn_2 None: that of the launch.
    """

    LAYOUT: ClassVar[Mapping[str, tuple[int, int]]] = TD_LAYOUT

    body_type: int = 2
    tee_tcb_svn: int | bytes = bytes.fromhex("05010700000000000000000000000000")
    mr_seam: int | bytes = filler("MRSEAM", 48)
    mr_signer_seam: int | bytes = bytes(48)
    seam_attributes: int | bytes = 0
    td_attributes: int | bytes = 1 << 28  # SEPT_VE_DISABLE
    xfam: int | bytes = 0x602E7
    mr_td: int | bytes = filler("MRTD", 48)
    mr_config_id: int | bytes = bytes(48)
    mr_owner: int | bytes = bytes(48)
    mr_owner_config: int | bytes = bytes(48)
    rt_mr0: int | bytes = filler("RTMR0", 48)
    rt_mr1: int | bytes = filler("RTMR1", 48)
    rt_mr2: int | bytes = filler("RTMR2", 48)
    rt_mr3: int | bytes = bytes(48)
    report_data: int | bytes = filler("report data", 64)
    tee_tcb_svn_2: int | bytes | None = None
    mr_service_td: int | bytes = bytes(48)
    vm_id: int | bytes = 0
    td_id: int | bytes = bytes(32)
    dev_info: int | bytes = bytes(48)
    init_service_td_hash: int | bytes = bytes(48)
    init_service_td_attributes: int | bytes = 0
    init_cpu_svn: int | bytes = bytes(16)
    init_tee_tcb_svn: int | bytes = bytes(16)
    init_tee_fmspc: int | bytes = bytes(12)
    cur_service_td_hash: int | bytes = bytes(48)
    cur_service_td_attributes: int | bytes = 0

    def value(self, name: str) -> Value:
        given: Value | None = getattr(self, name)
        return self.tee_tcb_svn if given is None else given

    def build(self) -> bytes:
        whole = b"".join(_octets(name, self.value(name), size) for name, (_, size) in TD_LAYOUT.items())
        return whole[: BODY_SIZES[self.body_type]]

    def svn(self, current: bool = False) -> bytes:
        """TEE_TCB_SVN, or the current one of TD 1.5, as bytes."""
        return _octets("tee_tcb_svn", self.value("tee_tcb_svn_2" if current else "tee_tcb_svn"), 16)


Body: TypeAlias = EnclaveReport | TdReport

_PREFIX: Final = "qe_"
_CLASSES: Final = (Header, EnclaveReport, TdReport)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quote, before and after it is signed. None means: as it should be.

    signature_length, body_size, outer_size, auth_length, cert_size are what the length fields say, and change nothing
    else. layout is the version whose layout is followed, where it is not the one that the header tells.
    """

    pck: PckCertificate
    chain: tuple[Certificate, ...]  # what certification data 4 and 5 hold: leaf, intermediate, root
    header: Header = field(default_factory=Header)
    body: Body = field(default_factory=TdReport)
    layout: int | None = None
    body_type: int | None = None  # what version 5 says, whatever the body is
    body_size: int | None = None
    patches: Patches = ()  # over header and body, before they are signed
    signature_length: int | None = None  # u32
    ak: EcKey = field(default_factory=lambda: ec_key("attestation key"))
    signer: EcKey | None = None  # signs instead of the AK
    signed: bytes | None = None  # signed instead of header and body
    hash_name: str = "sha256"
    signature: bytes | None = None
    attestation_key: bytes | None = None  # the 64 bytes in the place of the AK's
    outer_type: int = 6
    outer_size: int | None = None  # u32
    qe_report: EnclaveReport = field(default_factory=EnclaveReport.quoting)
    qe_signer: EcKey | None = None  # signs the QE's report instead of the PCK
    qe_report_signature: bytes | None = None
    auth_length: int | None = None  # u16
    auth_data: bytes = bytes(range(32))
    cert_type: int = 5
    cert_size: int | None = None  # u32
    cert_data: bytes | None = None
    trailing: bytes = b""
    post_patches: Patches = ()  # over everything, after it was signed

    def __post_init__(self) -> None:
        for name in ("patches", "post_patches"):
            given = getattr(self, name)
            object.__setattr__(self, name, tuple(given.items()) if isinstance(given, Mapping) else given)

    def replace(self, **changes: Any) -> Quote:
        """The same quote, signed anew, but for some fields: of the quote itself, of its header or body by their name, of
        the QE's report by its name behind qe_. A name that is none of these is a TypeError."""
        own = {f.name for f in dataclasses.fields(self)}
        mine: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {"header": {}, "body": {}, "qe_report": {}}
        for name, value in changes.items():
            if name in own:
                mine[name] = value
            elif name in HEADER_LAYOUT:
                parts["header"][name] = value
            elif name in self.body.LAYOUT:
                parts["body"][name] = value
            elif name.startswith(_PREFIX) and name[len(_PREFIX) :] in ENCLAVE_LAYOUT:
                parts["qe_report"][name[len(_PREFIX) :]] = value
            else:
                raise TypeError(f"{name} is no field of this quote, its header, its body or (qe_...) its QE report")
        for part, fields in parts.items():
            if fields:
                mine[part] = mine.get(part, getattr(self, part)).replace(**fields)
        return dataclasses.replace(self, **mine)

    # what is written

    @property
    def version(self) -> int:
        """The version whose layout is followed."""
        if self.layout is not None:
            return self.layout
        told = int.from_bytes(_octets("version", self.header.version, 2), "little")
        return told if told in (3, 4, 5) else 3 if told < 3 else 5

    @property
    def kind(self) -> int:
        """The number that version 5 has for the body."""
        return self.body.body_type if isinstance(self.body, TdReport) else 1

    @property
    def tee_type(self) -> int:
        return TEE_TDX if isinstance(self.body, TdReport) else TEE_SGX

    @property
    def binding(self) -> bytes:
        """The QE's report data as it should be: SHA-256 of the AK and the authentication data, and 32 zeros."""
        return hashlib.sha256(self._attestation_key() + self.auth_data).digest() + bytes(32)

    @property
    def chain_pem(self) -> bytes:
        """Certification data 5."""
        return b"".join(certificate.pem for certificate in self.chain)

    def certification_data(self, cert_type: int | None = None) -> bytes:
        """What belongs to a type of certification data: 1 to 3 PPID (plain, or a stand-in for the encrypted one), CPUSVN,
        PCESVN and PCEID; 4 the PCK certificate; 5 its chain; else a stand-in for a platform manifest."""
        cert_type = self.cert_type if cert_type is None else cert_type
        sgx = self.pck.sgx
        if cert_type in (1, 2, 3):
            ppid = {1: sgx.ppid, 2: filler("RSA-2048", 256), 3: filler("RSA-3072", 384)}[cert_type]
            cpu_svn = bytes(svn & 0xFF for svn in sgx.components) if sgx.cpu_svn is None else sgx.cpu_svn
            return ppid + cpu_svn + sgx.pce_svn.to_bytes(2, "little") + sgx.pce_id
        if cert_type == 4:
            return self.pck.pem
        return self.chain_pem if cert_type == 5 else filler("platform manifest", 512)

    def nested(self) -> Quote:
        """Its certification data once more inside of certification data of type 6."""
        inner = self._qe_certification()
        return self.replace(cert_type=6, cert_data=inner)

    def signed_part(self) -> bytes:
        """Header and body as the AK signs them; in version 5 with type and size between them."""
        between = b""
        body = self.body.build()
        if self.version == 5:
            kind = self.kind if self.body_type is None else self.body_type
            size = len(body) if self.body_size is None else self.body_size
            between = kind.to_bytes(2, "little") + size.to_bytes(4, "little")
        return patch(self.header.build() + between + body, self.patches)

    def _attestation_key(self) -> bytes:
        return public_bytes(self.ak) if self.attestation_key is None else self.attestation_key

    def _signature(self) -> bytes:
        if self.signature is not None:
            return self.signature
        message = self.signed_part() if self.signed is None else self.signed
        return _sign(self.signer or self.ak, message, self.hash_name)

    def _qe_report(self) -> tuple[bytes, bytes]:
        """The QE's report and its signature."""
        report = self.qe_report
        if report.report_data is None:
            report = report.replace(report_data=self.binding)
        built = report.build()
        if self.qe_report_signature is not None:
            return built, self.qe_report_signature
        return built, _sign(self.qe_signer or self.pck.signing_key, built, "sha256")

    def _qe_parts(self) -> Iterator[tuple[str, bytes]]:
        report, signature = self._qe_report()
        yield "qe_report", report
        yield "qe_report_signature", signature
        yield "auth_length", _length(self.auth_length, len(self.auth_data), 2)
        yield "auth_data", self.auth_data
        data = self.certification_data() if self.cert_data is None else self.cert_data
        yield "cert_type", self.cert_type.to_bytes(2, "little")
        yield "cert_size", _length(self.cert_size, len(data), 4)
        yield "cert_data", data

    def _qe_certification(self) -> bytes:
        """QE report certification data, the content of type 6."""
        return b"".join(data for _, data in self._qe_parts())

    def _parts(self) -> tuple[tuple[str, bytes], ...]:
        """Everything, in its order, but for trailing bytes."""
        qe = tuple(self._qe_parts())
        inner = sum(len(data) for _, data in qe)
        outer: tuple[tuple[str, bytes], ...] = ()
        if self.version != 3:
            outer = (
                ("outer_type", self.outer_type.to_bytes(2, "little")),
                ("outer_size", _length(self.outer_size, inner, 4)),
            )
        section = (("signature", self._signature()), ("attestation_key", self._attestation_key()), *outer, *qe)
        size = sum(len(data) for _, data in section)
        signed = self.signed_part()
        head = [("header", signed[:48])]
        if self.version == 5:
            head += [("body_type", signed[48:50]), ("body_size", signed[50:54])]
        return (
            *head,
            ("body", signed[54 if self.version == 5 else 48 :]),
            ("signature_length", _length(self.signature_length, size, 4)),
            *section,
        )

    @property
    def places(self) -> dict[str, tuple[int, int]]:
        """Offset and size of every part, and of the fields in header, body and QE report under "part.field"."""
        out: dict[str, tuple[int, int]] = {}
        at = 0
        layouts = {"header": HEADER_LAYOUT, "body": self.body.LAYOUT, "qe_report": ENCLAVE_LAYOUT}
        for name, data in (*self._parts(), ("trailing", self.trailing)):
            out[name] = (at, len(data))
            for inner, (offset, size) in layouts.get(name, {}).items():
                if offset + size <= len(data):
                    out[f"{name}.{inner}"] = (at + offset, size)
            at += len(data)
        return out

    def overwritten(self, place: str, data: bytes) -> bytes:
        """The quote with a part or field overwritten after it was signed."""
        at, size = self.places[place]
        if len(data) > size:
            raise ValueError(f"{place} has {size} bytes, not {len(data)}")
        return patch(self.bytes, {at: data})

    def flipped(self, place: str, byte: int = 0, bit: int = 0) -> bytes:
        """The quote with one bit of a part or field changed after it was signed."""
        at, size = self.places[place]
        if not -size <= byte < size:
            raise ValueError(f"{place} has {size} bytes")
        at += byte % size
        return patch(self.bytes, {at: bytes([self.bytes[at] ^ 1 << bit])})

    def __bytes__(self) -> bytes:
        return self.bytes

    def __len__(self) -> int:
        return len(self.bytes)

    @property  # the last: behind it, `bytes` in this class is the property
    def bytes(self) -> bytes:
        """The quote."""
        return _build(self)


#: The length fields of a quote, by Quote's name for them, and their width in bytes.
LENGTH_FIELDS: Final = {"body_size": 4, "signature_length": 4, "outer_size": 4, "auth_length": 2, "cert_size": 4}


def _length(told: int | None, true: int, width: int) -> bytes:
    return (true if told is None else told).to_bytes(width, "little")


@lru_cache(maxsize=65536)
def _sign(key: EcKey, message: bytes, hash_name: str) -> bytes:
    return raw_signature(key, message, hash_name=hash_name)


@lru_cache(maxsize=4096)
def _build(quote: Quote) -> bytes:
    whole = b"".join(data for _, data in quote._parts()) + quote.trailing
    return patch(whole, quote.post_patches)


__all__ = [
    "BODY_SIZES",
    "ENCLAVE_LAYOUT",
    "HEADER_LAYOUT",
    "INTEL_QE",
    "LENGTH_FIELDS",
    "TD_LAYOUT",
    "TEE_SGX",
    "TEE_TDX",
    "Body",
    "EnclaveReport",
    "Header",
    "Quote",
    "TdReport",
]
