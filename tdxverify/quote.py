"""One quote of Intel's quoting enclaves, read and typed (Intel SGX/TDX DCAP quote structures, versions 3, 4 and 5). Reading proves nothing:
see `tdxverify.verify`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from attestcore import _lib
from attestcore._lib import BODY_NONE, BODY_SGX, QUOTE_LAYOUTS, PckInfo, QuoteParts
from attestcore.errors import ParseError

TEE_SGX = _lib.TEE_SGX
TEE_TDX = _lib.TEE_TDX
SGX_TYPES = ("standard", "scalable", "scalable-with-integrity")


@dataclass(frozen=True, slots=True)
class EnclaveReport:
    """The report of an SGX enclave: the body of an SGX quote, and the QE's own. Reserved bytes are left out."""

    cpu_svn: bytes
    misc_select: int
    isv_ext_prod_id: bytes
    attributes: bytes
    mr_enclave: bytes
    mr_signer: bytes
    config_id: bytes
    isv_prod_id: int
    isv_svn: int
    config_svn: int
    isv_family_id: bytes
    report_data: bytes

    @property
    def debug(self) -> bool:
        """ATTRIBUTES.DEBUG: the host may read the enclave."""
        return bool(self.attributes[0] & 2)

    def to_dict(self) -> dict[str, Any]:
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class Quote:
    """Every field of a quote. What a version or body has not is None: the two SVNs of the header but in version 3, the TD's fields in an
    SGX quote and `enclave` in a TD's, TEE_TCB_SVN_2 and MRSERVICETD before body type 3, those from vm_id on before body type 4. `pck` and
    pck_ca are what the PCK certificate in the quote says of the platform, when one is there and can be read."""

    raw: bytes
    quote_version: int
    tee_type: int
    att_key_type: int
    qe_svn: int | None
    qe_pce_svn: int | None
    qe_vendor_id: bytes
    user_data: bytes
    body_type: int
    tee_tcb_svn: bytes | None
    mr_seam: bytes | None
    mr_signer_seam: bytes | None
    seam_attributes: bytes | None
    td_attributes: bytes | None
    xfam: bytes | None
    mr_td: bytes | None
    mr_config_id: bytes | None
    mr_owner: bytes | None
    mr_owner_config: bytes | None
    rt_mr0: bytes | None
    rt_mr1: bytes | None
    rt_mr2: bytes | None
    rt_mr3: bytes | None
    report_data: bytes
    tee_tcb_svn_2: bytes | None
    mr_service_td: bytes | None
    vm_id: int | None
    td_id: bytes | None
    dev_info: bytes | None
    init_service_td_hash: bytes | None
    init_service_td_attributes: bytes | None
    init_cpu_svn: bytes | None
    init_tee_tcb_svn: bytes | None
    init_tee_fmspc: bytes | None
    current_service_td_hash: bytes | None
    current_service_td_attributes: bytes | None
    enclave: EnclaveReport | None
    signature: bytes
    attestation_key: bytes
    qe_report: EnclaveReport
    qe_report_signature: bytes
    qe_auth_data: bytes
    certification_type: int
    certification_data: bytes
    trailing_zeros: int
    pck: PckInfo | None
    pck_ca: str | None

    @property
    def kind(self) -> str:
        """ "tdx" or "sgx"."""
        return "tdx" if self.tee_type == TEE_TDX else "sgx"

    @property
    def debug(self) -> bool:
        """DEBUG of TDATTRIBUTES, or of the enclave's ATTRIBUTES: the host may read what the quote speaks of."""
        if self.td_attributes is not None:
            return bool(self.td_attributes[0] & 1)
        return self.enclave is not None and self.enclave.debug

    def to_dict(self) -> dict[str, Any]:
        """The claims of the contract and what stands beside them: byte strings as hex, numbers as numbers."""
        out = {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in _NOT_CLAIMS}
        out |= _pck_claims(self.pck, self.pck_ca)
        out["enclave"] = None if self.enclave is None else self.enclave.to_dict()
        out["qe_report"] = self.qe_report.to_dict()
        return out


_NOT_CLAIMS = frozenset(
    {
        "raw", "enclave", "qe_report", "pck", "pck_ca", "signature", "attestation_key", "qe_report_signature",
        "qe_auth_data", "certification_data",
    }
)  # fmt: skip


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _pck_claims(pck: PckInfo | None, ca: str | None) -> dict[str, Any]:
    """What the PCK certificate says; all null without one."""
    members = ("fmspc", "pce_id", "pce_svn", "cpu_svn", "ppid", "platform_instance_id", "dynamic_platform", "cached_keys",
               "smt_enabled")  # fmt: skip
    out = {name: None if pck is None else _plain(getattr(pck, name)) for name in members}
    known = pck is not None and pck.sgx_type < len(SGX_TYPES)
    return {**out, "sgx_type": SGX_TYPES[pck.sgx_type] if pck is not None and known else None, "pck_ca": ca}


TD_FIELDS = {
    "tee_tcb_svn": "TEE_TCB_SVN",
    "mr_seam": "MRSEAM",
    "mr_signer_seam": "MRSIGNERSEAM",
    "seam_attributes": "SEAMATTRIBUTES",
    "td_attributes": "TDATTRIBUTES",
    "xfam": "XFAM",
    "mr_td": "MRTD",
    "mr_config_id": "MRCONFIGID",
    "mr_owner": "MROWNER",
    "mr_owner_config": "MROWNERCONFIG",
    "rt_mr0": "RTMR0",
    "rt_mr1": "RTMR1",
    "rt_mr2": "RTMR2",
    "rt_mr3": "RTMR3",
    "report_data": "REPORTDATA",
    "tee_tcb_svn_2": "TEE_TCB_SVN_2",
    "mr_service_td": "MRSERVICETD",
    "vm_id": "VMID",
    "td_id": "TD_ID",
    "dev_info": "DEVINFO",
    "init_service_td_hash": "INIT_SERVTD_HASH",
    "init_service_td_attributes": "INIT_SERVTD_ATTR",
    "init_cpu_svn": "INIT_CPU_SVN",
    "init_tee_tcb_svn": "INIT_TEE_TCB_SVN",
    "init_tee_fmspc": "INIT_TEE_FMSPC",
    "current_service_td_hash": "CUR_SERVTD_HASH",
    "current_service_td_attributes": "CUR_SERVTD_ATTR",
}
"""Members of Quote by the layout's names; the order is that of the body."""

ENCLAVE_FIELDS = {
    "cpu_svn": "CPUSVN",
    "misc_select": "MISCSELECT",
    "isv_ext_prod_id": "ISVEXTPRODID",
    "attributes": "ATTRIBUTES",
    "mr_enclave": "MRENCLAVE",
    "mr_signer": "MRSIGNER",
    "config_id": "CONFIGID",
    "isv_prod_id": "ISVPRODID",
    "isv_svn": "ISVSVN",
    "config_svn": "CONFIGSVN",
    "isv_family_id": "ISVFAMILYID",
    "report_data": "REPORTDATA (enclave)",
}
ENCLAVE_NUMBERS = frozenset({"misc_select", "isv_prod_id", "isv_svn", "config_svn"})


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _enclave(data: bytes) -> EnclaveReport:
    layout = QUOTE_LAYOUTS[BODY_SGX]
    parts: dict[str, Any] = {}
    for name, field in ENCLAVE_FIELDS.items():
        offset, size = layout[field]
        value = data[offset : offset + size]
        parts[name] = _number(value) if name in ENCLAVE_NUMBERS else value
    return EnclaveReport(**parts)


def _td(data: bytes, body_type: int) -> dict[str, Any]:
    layout = QUOTE_LAYOUTS[body_type]
    parts: dict[str, Any] = dict.fromkeys(TD_FIELDS)
    for name, field in TD_FIELDS.items():
        if field in layout:
            offset, size = layout[field]
            parts[name] = data[offset : offset + size]
    if parts["vm_id"] is not None:
        parts["vm_id"] = _number(parts["vm_id"])
    return parts


def make_quote(data: bytes, parts: QuoteParts, pck: PckInfo | None, pck_ca: str | None) -> Quote:
    """A Quote over bytes that the core has taken apart."""

    def part(span: tuple[int, int]) -> bytes:
        return data[span[0] : span[0] + span[1]]

    def head(field: str) -> bytes:
        return part(QUOTE_LAYOUTS[BODY_NONE][field])

    body = part(parts.body)
    enclave = _enclave(body) if parts.body_type == BODY_SGX else None
    td = _td(body, parts.body_type) if enclave is None else dict.fromkeys(TD_FIELDS)
    if enclave is not None:
        td["report_data"] = enclave.report_data
    return Quote(
        raw=data,
        quote_version=parts.version,
        tee_type=parts.tee,
        att_key_type=parts.key_type,
        qe_svn=_number(head("QE SVN")) if parts.version == 3 else None,
        qe_pce_svn=_number(head("PCE SVN")) if parts.version == 3 else None,
        qe_vendor_id=head("QE vendor id"),
        user_data=head("user data"),
        body_type=parts.body_type,
        **td,
        enclave=enclave,
        signature=part(parts.signature),
        attestation_key=part(parts.key),
        qe_report=_enclave(part(parts.qe_report)),
        qe_report_signature=part(parts.qe_signature),
        qe_auth_data=part(parts.auth),
        certification_type=parts.certification_type,
        certification_data=part(parts.certification),
        trailing_zeros=parts.trailing[1],
        pck=pck,
        pck_ca=pck_ca,
    )


def _pck_of(data: bytes, parts: QuoteParts) -> tuple[PckInfo | None, str | None]:
    """What the first certificate of the quote's own chain says, and which CA stands behind it; None for what is not there."""
    if parts.certification_type != _lib.CERTIFICATION_CHAIN:
        return None, None
    offset, size = parts.certification
    ders, error = _lib.blob_open(data[offset : offset + size].rstrip(b"\0"))
    if error.failed or len(ders) < 2:
        return None, None
    leaf, ca = (_lib.intel_cert_read(der) for der in ders[:2])
    return leaf.pck, ca.role if ca.role in ("platform", "processor") else None


def parse_quote(data: bytes | bytearray | memoryview) -> Quote:
    """Reads one quote: SGX of versions 3 to 5, TDX of versions 4 and 5 with bodies of types 2 to 4; zeros behind it are allowed.

    Raises ParseError (code, field, offset) when the bytes are no such quote, or one whose parts do not fit each other. Nothing is
    verified.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"a quote is bytes, not {type(data).__name__}")
    copy = _lib.snapshot(data)
    parts, findings = _lib.tdx_parse(copy)
    for finding in findings:
        if finding.failed and (parts is None or _lib.CODE_CATEGORIES[finding.code] == "parse"):
            raise ParseError(finding.code_name, finding.field_name, finding.offset, _lib.CODE_TEXTS[finding.code])
    if parts is None:
        raise ParseError("internal-error", "", 0, "the quote was not read and no check says why")
    return make_quote(copy, parts, *_pck_of(copy, parts))
