"""Collateral for quotes in every serialisation that users hold, taken apart into its parts and put together again.

The parts are bytes as Intel signed or issued them: the two inner JSON objects verbatim, their signatures, PEM chains, DER CRLs. Nothing
is judged here beyond the form of the container: what the parts say is the verifier's to judge, part by part.

Serialisations (`open_collateral` tells them apart by content):
  QuoteCollateralV3 JSON         one object of texts; CRLs in hex (PEM, base64 are taken too)
  sgx_ql_qve_collateral_t        a C structure of pointers; here as `QveCollateral`, in and out
  flattened x64 form             120 bytes of that structure and its seven blobs behind
  PCS responses                  bodies, and issuer chains from the headers: `Collateral.from_pcs`, `.to_pcs`
  platform_collaterals.json      of Intel's PcsClientTool: many platforms; `PlatformCollaterals` picks one's

Sources: Intel SGX DCAP sgx_ql_lib_common.h and PCS API version 4.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote as percent_encode
from urllib.parse import unquote_to_bytes

from attestcore import _lib
from attestcore._lib import Buffer
from attestcore.errors import ParseError

__all__ = ["Collateral", "CollateralError", "PlatformCollaterals", "QveCollateral", "open_collateral"]

MAX_BYTES: Final = 16 << 20
Tee: TypeAlias = Literal["tdx", "sgx"]
_TEE_NUMBERS: Final[Mapping[str, int]] = {"sgx": 0, "tdx": 0x81}


class CollateralError(ParseError):
    """Collateral that is in none of the known forms, or not well-formed. A caller who hands it to a verifier gets a verdict instead."""


def _malformed(what: str, offset: int = 0) -> CollateralError:
    return CollateralError("collateral-malformed", "collateral", offset, what)


def _bounded(data: Buffer) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"collateral is {type(data).__name__}, not bytes")
    if memoryview(data).nbytes > MAX_BYTES:
        raise CollateralError("collateral-too-large", "collateral", MAX_BYTES, f"more than {MAX_BYTES} bytes")
    return _lib.snapshot(data)


# ---- text -----------------------------------------------------------------------------------------------------------


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise _malformed("a JSON object has one name twice")
    return table


def _constant(word: str) -> Any:
    raise _malformed(f"{word} is not JSON")


def _json(data: bytes) -> Any:
    """RFC 8259 alone, in UTF-8 without a mark: no name twice, no NaN."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise _malformed("not UTF-8", error.start) from None
    except json.JSONDecodeError as error:
        raise _malformed("not JSON", error.pos) from None
    except RecursionError:
        raise CollateralError("collateral-too-large", "collateral", 0, "JSON nested too deeply") from None
    except ParseError:
        raise
    except ValueError:  # an integer of thousands of digits
        raise _malformed("not JSON of this kind") from None


def _text(table: Mapping[str, Any], name: str, *, required: bool = True) -> bytes:
    """A member that is a string of ASCII or UTF-8; b"" for one that is absent or null and may be so."""
    value = table.get(name)
    if value is None and not required:
        return b""
    if not isinstance(value, str):
        raise _malformed(f"{name} is not a string")
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise _malformed(f"{name} holds a lone surrogate") from None


_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_PEM_CRL: Final = re.compile(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----")


def _crl(data: bytes, name: str) -> bytes:
    """A CRL as DER, out of DER, hex, PEM or base64, with or without a NUL or white space behind; b"" stays so."""
    if data[:1] == b"\x30":
        return data
    text = data.rstrip(b"\0 \t\r\n").lstrip(b" \t\r\n")
    if not text:
        return b""
    if _HEX.fullmatch(text):
        return bytes.fromhex(text.decode("ascii"))
    pem = _PEM_CRL.fullmatch(text)
    try:
        return base64.b64decode(b"".join((pem[1] if pem else text).split()), validate=True)
    except binascii.Error:
        raise _malformed(f"{name} is neither DER, hex, PEM nor base64") from None


def _signature(text: bytes, name: str) -> bytes:
    if not text:
        return b""
    if len(text) != 128 or not _HEX.fullmatch(text):
        raise _malformed(f"{name} is not 64 bytes in hex")
    return bytes.fromhex(text.decode("ascii"))


def _chain(text: bytes) -> bytes:
    """A PEM chain; the NUL that C leaves behind goes."""
    return text[:-1] if text.endswith(b"\0") else text


def _split_response(body: bytes, name: str) -> tuple[bytes, bytes]:
    """The inner object and the signature of a PCS response, verbatim; two empty ones for no body."""
    body = body.rstrip(b"\0")
    if not body:
        return b"", b""
    found = _lib.pcs_open(body, name)
    if isinstance(found, _lib.Finding):
        raise CollateralError(
            found.code_name, found.field_name or "collateral", found.offset, _lib.CODE_TEXTS[found.code]
        )
    return found


def _join_response(name: str, inner: bytes, signature: bytes) -> bytes:
    if not inner:
        return b""
    return b'{"' + name.encode() + b'":' + inner + b',"signature":"' + signature.hex().encode() + b'"}'


# ---- the parts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QveCollateral:
    """sgx_ql_qve_collateral_t by value: what its pointers point at, with the NULs that its sizes count.

    version: 1 (CRLs in PEM), 3 (CRLs in hex), 0x10003 (3.1, CRLs in DER) or 4; tee_type 0 or 0x81. tcb_info and qe_identity are whole PCS
    responses, with their signatures.
    """

    version: int
    tee_type: int
    pck_crl_issuer_chain: bytes
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: bytes
    tcb_info: bytes
    qe_identity_issuer_chain: bytes
    qe_identity: bytes


_BLOBS: Final = tuple(field.name for field in fields(QveCollateral))[2:]
_FLAT_HEADER: Final = struct.Struct("<II" + "QII" * 7)
_FLAT_VERSIONS: Final = frozenset({3, 0x10003, 4})


@dataclass(frozen=True, slots=True)
class Collateral:
    """The parts of one platform's collateral, b"" for one that is not there.

    Chains are PEM, leaf first; CRLs DER; tcb_info and identity the signed objects, verbatim; signatures r || s, 64 bytes.
    pck_chain is the PCK certificate's own chain, for quotes that do not bring it (certification data of types 1 to 4).
    """

    tcb_info_chain: bytes = b""
    tcb_info: bytes = b""
    tcb_info_signature: bytes = b""
    identity_chain: bytes = b""
    identity: bytes = b""
    identity_signature: bytes = b""
    root_crl: bytes = b""
    pck_crl_chain: bytes = b""
    pck_crl: bytes = b""
    pck_chain: bytes = b""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not bytes:
                raise TypeError(f"{field.name} is {type(value).__name__}, not bytes")

    # -- QuoteCollateralV3 -------------------------------------------------------------------------------------------

    @classmethod
    def from_json(cls, data: Buffer) -> Collateral:
        """QuoteCollateralV3 JSON."""
        table = _json(_bounded(data))
        if not isinstance(table, dict):
            raise _malformed("not a JSON object")
        return cls._from_table(table)

    @classmethod
    def _from_table(cls, table: Mapping[str, Any]) -> Collateral:
        parts = {}
        for part, member, response in (
            ("tcb_info", "tcb_info", "tcbInfo"),
            ("identity", "qe_identity", "enclaveIdentity"),
        ):
            inner = _text(table, member)
            signature = _signature(_text(table, f"{member}_signature", required=False), f"{member}_signature")
            if not signature and inner:
                inner, signature = _split_response(inner, response)
            parts[part] = inner
            parts[f"{part}_signature"] = signature
            parts[f"{part}_chain"] = _chain(_text(table, f"{member}_issuer_chain"))
        return cls(
            **parts,
            root_crl=_crl(_text(table, "root_ca_crl"), "root_ca_crl"),
            pck_crl_chain=_chain(_text(table, "pck_crl_issuer_chain")),
            pck_crl=_crl(_text(table, "pck_crl"), "pck_crl"),
            pck_chain=_chain(_text(table, "pck_certificate_chain", required=False)),
        )

    def to_json(self) -> bytes:
        """QuoteCollateralV3 JSON; it holds every part. ValueError for a part that is not text where text is wanted."""
        table: dict[str, str] = {
            "pck_crl_issuer_chain": _as_text(self.pck_crl_chain, "pck_crl_chain"),
            "root_ca_crl": self.root_crl.hex(),
            "pck_crl": self.pck_crl.hex(),
            "tcb_info_issuer_chain": _as_text(self.tcb_info_chain, "tcb_info_chain"),
            "tcb_info": _as_text(self.tcb_info, "tcb_info"),
            "tcb_info_signature": self.tcb_info_signature.hex(),
            "qe_identity_issuer_chain": _as_text(self.identity_chain, "identity_chain"),
            "qe_identity": _as_text(self.identity, "identity"),
            "qe_identity_signature": self.identity_signature.hex(),
        }
        if self.pck_chain:
            table["pck_certificate_chain"] = _as_text(self.pck_chain, "pck_chain")
        return json.dumps(table, ensure_ascii=False, indent=1).encode()

    # -- sgx_ql_qve_collateral_t -------------------------------------------------------------------------------------

    @classmethod
    def from_qve(cls, qve: QveCollateral) -> Collateral:
        """Out of sgx_ql_qve_collateral_t by value."""
        tcb_info, tcb_info_signature = _split_response(qve.tcb_info, "tcbInfo")
        identity, identity_signature = _split_response(qve.qe_identity, "enclaveIdentity")
        return cls(
            tcb_info_chain=_chain(qve.tcb_info_issuer_chain),
            tcb_info=tcb_info,
            tcb_info_signature=tcb_info_signature,
            identity_chain=_chain(qve.qe_identity_issuer_chain),
            identity=identity,
            identity_signature=identity_signature,
            root_crl=_crl(qve.root_ca_crl, "root_ca_crl"),
            pck_crl_chain=_chain(qve.pck_crl_issuer_chain),
            pck_crl=_crl(qve.pck_crl, "pck_crl"),
        )

    def to_qve(self, tee: Tee = "tdx", *, version: int = 3) -> QveCollateral:
        """As sgx_ql_qve_collateral_t: version 3 with CRLs in hex, 0x10003 or 4 with CRLs in DER. ValueError where there is a pck_chain,
        for which it has no place."""
        if self.pck_chain:
            raise ValueError("sgx_ql_qve_collateral_t has no place for pck_chain")
        if version not in _FLAT_VERSIONS:
            raise ValueError(f"version {version} is not one of {sorted(_FLAT_VERSIONS)}")
        crls = [crl.hex().encode() + b"\0" if version == 3 else crl for crl in (self.root_crl, self.pck_crl)]
        return QveCollateral(
            version,
            _TEE_NUMBERS[tee],
            self.pck_crl_chain + b"\0",
            crls[0],
            crls[1],
            self.tcb_info_chain + b"\0",
            _join_response("tcbInfo", self.tcb_info, self.tcb_info_signature) + b"\0",
            self.identity_chain + b"\0",
            _join_response("enclaveIdentity", self.identity, self.identity_signature) + b"\0",
        )

    # -- flattened ---------------------------------------------------------------------------------------------------

    @classmethod
    def from_flattened(cls, data: Buffer) -> Collateral:
        """The x64 structure with its blobs behind, in the order of its members; the pointers in it mean nothing."""
        raw = _bounded(data)
        if len(raw) < _FLAT_HEADER.size:
            raise _malformed("shorter than the flattened structure", len(raw))
        version, tee, *rest = _FLAT_HEADER.unpack_from(raw)
        if version not in _FLAT_VERSIONS or tee not in _TEE_NUMBERS.values():
            raise _malformed(f"not a flattened structure of a known version (version {version:#x}, TEE {tee:#x})")
        blobs, at = [], _FLAT_HEADER.size
        for size in rest[1::3]:
            if size > len(raw) - at:
                raise _malformed("a blob reaches beyond the end", at)
            blobs.append(raw[at : at + size])
            at += size
        if at != len(raw):
            raise _malformed("bytes behind the last blob", at)
        return cls.from_qve(QveCollateral(version, tee, *blobs))

    def to_flattened(self, tee: Tee = "tdx", *, version: int = 4) -> bytes:
        """The flattened x64 form, with pointers that are zero."""
        qve = self.to_qve(tee, version=version)
        blobs = [getattr(qve, name) for name in _BLOBS]
        words = [word for blob in blobs for word in (0, len(blob), 0)]
        return _FLAT_HEADER.pack(qve.version, qve.tee_type, *words) + b"".join(blobs)

    # -- PCS ---------------------------------------------------------------------------------------------------------

    @classmethod
    def from_pcs(
        cls,
        *,
        tcb_info: Buffer = b"",
        tcb_info_issuer_chain: str | Buffer = b"",
        qe_identity: Buffer = b"",
        qe_identity_issuer_chain: str | Buffer = b"",
        pck_crl: Buffer = b"",
        pck_crl_issuer_chain: str | Buffer = b"",
        root_ca_crl: Buffer = b"",
        pck_certificate_chain: str | Buffer = b"",
    ) -> Collateral:
        """Out of PCS (version 4) response bodies and the issuer chains of their headers, URL-encoded or plain PEM."""
        tcb, tcb_signature = _split_response(_bounded(tcb_info), "tcbInfo")
        identity, identity_signature = _split_response(_bounded(qe_identity), "enclaveIdentity")
        return cls(
            tcb_info_chain=_header_chain(tcb_info_issuer_chain, "tcb_info_issuer_chain"),
            tcb_info=tcb,
            tcb_info_signature=tcb_signature,
            identity_chain=_header_chain(qe_identity_issuer_chain, "qe_identity_issuer_chain"),
            identity=identity,
            identity_signature=identity_signature,
            root_crl=_crl(_bounded(root_ca_crl), "root_ca_crl"),
            pck_crl_chain=_header_chain(pck_crl_issuer_chain, "pck_crl_issuer_chain"),
            pck_crl=_crl(_bounded(pck_crl), "pck_crl"),
            pck_chain=_header_chain(pck_certificate_chain, "pck_certificate_chain"),
        )

    def to_pcs(self) -> dict[str, bytes]:
        """The keyword arguments of `from_pcs`: response bodies, and chains as the headers carry them."""
        out = {
            "tcb_info": _join_response("tcbInfo", self.tcb_info, self.tcb_info_signature),
            "tcb_info_issuer_chain": _percent(self.tcb_info_chain),
            "qe_identity": _join_response("enclaveIdentity", self.identity, self.identity_signature),
            "qe_identity_issuer_chain": _percent(self.identity_chain),
            "pck_crl": self.pck_crl,
            "pck_crl_issuer_chain": _percent(self.pck_crl_chain),
            "root_ca_crl": self.root_crl,
            "pck_certificate_chain": _percent(self.pck_chain),
        }
        return {name: value for name, value in out.items() if value}


def _as_text(part: bytes, name: str) -> str:
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not text, which this form wants") from None


def _percent(chain: bytes) -> bytes:
    return percent_encode(chain, safe="").encode("ascii")


def _header_chain(value: str | Buffer, name: str) -> bytes:
    """A PEM chain out of a header: decoded once where it is URL-encoded; "+" is a character of base64 there, never a space."""
    text = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else _bounded(value)
    if b"%" in text:
        if re.search(rb"%(?![0-9a-fA-F]{2})", text):
            raise _malformed(f"{name} is not URL-encoded")
        text = unquote_to_bytes(text)
    if b"%" in text:
        raise _malformed(f"{name} is URL-encoded twice")
    return _chain(text)


# ---- PcsClientTool --------------------------------------------------------------------------------------------------

_CAS: Final[Mapping[str, str]] = {"platform": "platformCrl", "processor": "processorCrl"}


@dataclass(frozen=True, slots=True)
class PlatformCollaterals:
    """platform_collaterals.json of Intel's PcsClientTool: collateral of many platforms in one file."""

    _table: Mapping[str, Any]

    @classmethod
    def from_json(cls, data: Buffer) -> PlatformCollaterals:
        table = _json(_bounded(data))
        inner = table.get("collaterals") if isinstance(table, dict) else None
        if not isinstance(inner, dict):
            raise _malformed("no object `collaterals`")
        return cls(inner)

    @property
    def fmspcs(self) -> tuple[str, ...]:
        """FMSPCs that there is TCB info for: hex, lower case."""
        return tuple(str(entry.get("fmspc", "")).lower() for entry in self._entries())

    def _entries(self) -> Iterator[Mapping[str, Any]]:
        entries = self._table.get("tcbinfos")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise _malformed("tcbinfos is not a list of objects")
        return iter(entries)

    def collateral(
        self, fmspc: bytes, ca: Literal["platform", "processor"], tee: Tee = "tdx", *, early: bool = False
    ) -> Collateral:
        """The parts for one platform; parts that the file lacks are b"". CollateralError when a part is not what it should be."""
        suffix = "_early" if early else ""
        entry = next((e for e in self._entries() if str(e.get("fmspc", "")).lower() == fmspc.hex()), {})
        identity_name = {"sgx": "qeidentity", "tdx": "tdqeidentity"}[tee] + suffix
        certificates = self._table.get("certificates")
        chains = certificates if isinstance(certificates, dict) else {}
        crls = self._table.get("pckcacrl")
        pck_crls = crls if isinstance(crls, dict) else {}
        return Collateral.from_pcs(
            tcb_info=_object_text(entry, f"{tee}_tcbinfo{suffix}"),
            tcb_info_issuer_chain=_text(chains, "TCB-Info-Issuer-Chain", required=False)
            or _text(chains, "SGX-TCB-Info-Issuer-Chain", required=False),
            qe_identity=_object_text(self._table, identity_name),
            qe_identity_issuer_chain=_text(chains, "SGX-Enclave-Identity-Issuer-Chain", required=False),
            pck_crl=_text(pck_crls, _CAS[ca], required=False),
            pck_crl_issuer_chain=_pck_chain(chains, ca),
            root_ca_crl=_text(self._table, "rootcacrl", required=False),
        )


def _object_text(table: Mapping[str, Any], name: str) -> bytes:
    """A PCS response that stands there as text; or as an object, which is written as Intel writes it: compact, in the order it came.
    Whether these are the bytes that Intel signed is for the signature to say."""
    value = table.get(name)
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return _text(table, name, required=False)


def _pck_chain(chains: Mapping[str, Any], ca: str) -> bytes:
    """The issuer chain of the PCK CRL; by CA, or one for all."""
    value = chains.get("SGX-PCK-Certificate-Issuer-Chain")
    if isinstance(value, dict):
        return _text(value, ca.upper(), required=False)
    return _text(chains, "SGX-PCK-Certificate-Issuer-Chain", required=False)


# ---- any ------------------------------------------------------------------------------------------------------------


def open_collateral(data: Buffer) -> Collateral:
    """Collateral of one platform in any form that a single file can have. Raises CollateralError.

    platform_collaterals.json is refused by name, for it does not say which platform is meant: see `PlatformCollaterals`.
    """
    raw = _bounded(data)
    if raw[:4] in (b"\x03\0\0\0", b"\x03\0\x01\0", b"\x04\0\0\0"):
        return Collateral.from_flattened(raw)
    table = _json(raw)
    if not isinstance(table, dict):
        raise _malformed("not a JSON object")
    if "collaterals" in table:
        raise _malformed("a file of many platforms: choose one with PlatformCollaterals")
    return Collateral._from_table(table)
