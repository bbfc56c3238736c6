"""Kinds of evidence, and how the kind of bytes is told when nobody says it."""

from __future__ import annotations

KINDS = ("sev-snp", "tdx", "sgx", "azure-snp", "azure-tdx", "maa-token", "ita-token")
JUDGED = ("sev-snp",)  # the kinds that this release verifies

SNP_REPORT_BYTES = 1184
HEAD_BYTES = 0x4CC  # detect() looks no further

# A quote begins with version, attestation key type, TEE type and, at 12, the vendor of the quoting enclave (Intel's
# id).
_INTEL_QE = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_TEE_SGX = 0
_TEE_TDX = 0x81

# An Azure HCL report begins with its magic; the kind of machine stands behind the hardware's report.
_HCL_MAGIC = b"HCLA"
_HCL_REPORT_TYPE = 0x4C8
_HCL_KINDS = {2: "azure-snp", 4: "azure-tdx"}


def detect(length: int, head: bytes) -> str | None:
    """The kind of evidence of that length which begins with head (HEAD_BYTES do), or None when it cannot be told.

    The length decides first: an SNP report has exactly 1184 bytes and may begin with anything; no quote is that
    short, for it carries a certificate chain.
    """
    if length == SNP_REPORT_BYTES:
        return "sev-snp"
    if head.startswith(_HCL_MAGIC):
        return _HCL_KINDS.get(int.from_bytes(head[_HCL_REPORT_TYPE:HEAD_BYTES], "little"))
    if head[12:28] != _INTEL_QE:
        return None
    version = int.from_bytes(head[0:2], "little")
    tee = int.from_bytes(head[4:8], "little")
    if tee == _TEE_TDX and version in (4, 5):
        return "tdx"
    if tee == _TEE_SGX and version in (3, 4, 5):
        return "sgx"
    return None
