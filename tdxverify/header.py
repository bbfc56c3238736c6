"""The header of a quote of Intel's quoting enclaves, and the lengths that its parts declare.

Layout: Intel TDX DCAP Quoting Library API, "Quote Format" (versions 4 and 5), and Intel SGX ECDSA QuoteLibReference,
appendix A (version 3). Integers are little-endian. Nothing is verified, and the parts behind the header are not
looked into.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from attestcore.errors import ParseError

HEADER_BYTES = 48
TEE_SGX = 0x00
TEE_TDX = 0x81
INTEL_QE = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")

# Body types of version 5: name, bytes, TEE. Versions 3 and 4 have no field for it; the TEE tells.
_SGX_BODY = (1, "SGX enclave report", 384, TEE_SGX)
_TD10_BODY = (2, "TD report 1.0", 584, TEE_TDX)
_BODIES = {
    1: _SGX_BODY,
    2: _TD10_BODY,
    3: (3, "TD report 1.5", 648, TEE_TDX),
    4: (4, "TD report 1.5 with service TDs", 885, TEE_TDX),
}


@dataclass(frozen=True, slots=True)
class QuoteHeader:
    """What a quote says of itself before its body."""

    quote_version: int
    att_key_type: int  # 2: ECDSA with P-256, 3: with P-384
    tee_type: int
    qe_svn: int | None  # version 3; reserved later
    pce_svn: int | None
    qe_vendor_id: bytes
    user_data: bytes
    body_type: int
    body_name: str
    body_offset: int
    body_size: int
    auth_data_offset: int
    auth_data_size: int
    trailing_size: int  # bytes behind the signature data; hosts pad quotes

    def to_dict(self) -> dict[str, Any]:
        return {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(self).items()}


def parse_header(data: bytes | bytearray | memoryview) -> QuoteHeader:
    """Reads the header of a quote of version 3, 4 or 5. Raises ParseError when it is none, or lengths do not fit."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"a quote is bytes, not {type(data).__name__}")
    data = bytes(data)
    if len(data) < HEADER_BYTES:
        _malformed("header", len(data), f"a quote's header has {HEADER_BYTES} bytes; these are {len(data)}")
    version, key_type, tee = _uint(data, 0, 2), _uint(data, 2, 2), _uint(data, 4, 4)
    if version not in (3, 4, 5):
        _malformed("version", 0, f"quote version {version} is none of 3, 4, 5")
    if key_type not in (2, 3):
        _malformed("attestation key type", 2, f"attestation key type {key_type} is neither 2 (P-256) nor 3 (P-384)")
    if tee not in ((TEE_SGX,) if version == 3 else (TEE_SGX, TEE_TDX)):
        _malformed("TEE type", 4, f"TEE type {tee:#x} does not exist in version {version}")
    if data[12:28] != INTEL_QE:
        _malformed("QE vendor id", 12, f"QE vendor id {data[12:28].hex()} is not Intel's")
    number, name, size, offset = _body(data, version, tee)
    end = offset + size
    if len(data) < end + 4:
        _malformed(
            "body",
            len(data),
            f"the body ends at byte {end} and is followed by a length; the quote has {len(data)} bytes",
        )
    auth_size = _uint(data, end, 4)
    if auth_size > len(data) - end - 4:
        _malformed(
            "signature data length",
            end,
            f"{auth_size} bytes of signature data are declared; {len(data) - end - 4} are there",
        )
    return QuoteHeader(
        quote_version=version,
        att_key_type=key_type,
        tee_type=tee,
        qe_svn=_uint(data, 8, 2) if version == 3 else None,
        pce_svn=_uint(data, 10, 2) if version == 3 else None,
        qe_vendor_id=data[12:28],
        user_data=data[28:48],
        body_type=number,
        body_name=name,
        body_offset=offset,
        body_size=size,
        auth_data_offset=end + 4,
        auth_data_size=auth_size,
        trailing_size=len(data) - end - 4 - auth_size,
    )


def _body(data: bytes, version: int, tee: int) -> tuple[int, str, int, int]:
    """Number, name, size and offset of the body."""
    if version < 5:
        number, name, size, _ = _SGX_BODY if tee == TEE_SGX else _TD10_BODY
        return number, name, size, HEADER_BYTES
    if len(data) < HEADER_BYTES + 6:
        _malformed("body type", len(data), "the quote ends before the type and size of its body")
    declared_type, declared_size = _uint(data, 48, 2), _uint(data, 50, 4)
    if declared_type not in _BODIES:
        _malformed("body type", 48, f"body type {declared_type} is not known")
    number, name, size, body_tee = _BODIES[declared_type]
    if body_tee != tee:
        _malformed("body type", 48, f"body type {declared_type} is not one of TEE type {tee:#x}")
    if declared_size != size:
        _malformed("body size", 50, f"body type {declared_type} has {size} bytes; {declared_size} are declared")
    return number, name, size, HEADER_BYTES + 6


def _uint(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "little")


def _malformed(field: str, offset: int, detail: str) -> NoReturn:
    raise ParseError("evidence-malformed", field, offset, detail)
