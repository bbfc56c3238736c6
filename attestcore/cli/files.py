"""Files that a command names: evidence in its wrappings, certificates, CRLs, roots, policies.

A file that cannot be read is the caller's problem (exit status 2). What is in it is not judged here: certificates and
evidence that are broken go to the verifier as they are, so that its verdict names what is wrong.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from attestcore.batch.text import decode_base64, decode_hex, decode_text, looks_like_text
from attestcore.cli.common import Problem

MAX_BYTES = 16 << 20
REPORT_BYTES = 1184

_PEM_BEGIN = b"-----BEGIN "
_STDIN = Path("-")


def read_file(path: Path) -> tuple[bytes, bool]:
    """What is in the file (or comes from stdin), and whether it was cut off at 16 MiB."""
    try:
        if path == _STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            if stat.S_ISDIR(path.stat().st_mode):
                raise Problem(f"{path}: is a directory")
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Problem(f"{path}: cannot be read: {error.strerror or error}") from error
    return data[:MAX_BYTES], len(data) > MAX_BYTES


def _read_whole(path: Path) -> bytes:
    data, cut = read_file(path)
    if cut:
        raise Problem(f"{path}: is larger than {MAX_BYTES >> 20} MiB")
    if not data:
        raise Problem(f"{path}: is empty")
    return data


# ---- evidence --------------------------------------------------------------------------------------------------------


class ContainerError(ValueError):
    """Data is not what --format says it is; offset is where that shows."""

    def __init__(self, data: bytes, offset: int, detail: str) -> None:
        super().__init__(detail)
        self.data = data
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence as a command takes it from a file."""

    data: bytes
    certs: tuple[bytes, ...] = ()  # what came along in the container
    container: str | None = None  # what it was taken out of, for a remark to the user
    cut: bool = False  # the file is larger than evidence can be, and data is its beginning


def _raw(data: bytes) -> Evidence:
    return Evidence(data)


def _text(decode: Callable[[bytes], bytes]) -> Callable[[bytes], Evidence]:
    def read(data: bytes) -> Evidence:
        try:
            return Evidence(decode(data))
        except ValueError as error:
            raise ContainerError(data, 0, str(error)) from error

    return read


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")


def _hcl(data: bytes) -> Evidence:
    """Azure's HCL report: a header of 0x20 bytes, the report, the claims that REPORT_DATA binds, zero padding."""
    if data[:4] != b"HCLA":
        raise ContainerError(data, 0, "an HCL report begins with HCLA")
    if len(data) < 0x4D4:
        raise ContainerError(data, len(data), "an HCL report has at least 1236 bytes")
    if _u32(data, 0x4C8) != 2:
        raise ContainerError(
            data, 0x4C8, f"this HCL report is of type {_u32(data, 0x4C8)}; an SEV-SNP report is in type 2"
        )
    return Evidence(
        data[0x20 : 0x20 + REPORT_BYTES], container="an Azure HCL report, whose runtime claims are not checked here"
    )


def _msg_report_rsp(data: bytes) -> Evidence:
    """MSG_REPORT_RSP (56860, guest messages): status, size, 24 reserved bytes, the report, zero padding."""
    if len(data) < 0x20 + REPORT_BYTES:
        raise ContainerError(data, len(data), "a MSG_REPORT_RSP with a report has at least 1216 bytes")
    if _u32(data, 0) != 0:
        raise ContainerError(data, 0, f"the firmware answered with status {_u32(data, 0):#x} and no report")
    if _u32(data, 4) != REPORT_BYTES:
        raise ContainerError(data, 4, f"the report's size is given as {_u32(data, 4)}, not {REPORT_BYTES}")
    if any(data[8:0x20]) or any(data[0x20 + REPORT_BYTES :]):
        raise ContainerError(data, 8, "bytes that are reserved or padding are not zero")
    return Evidence(data[0x20 : 0x20 + REPORT_BYTES], container="a MSG_REPORT_RSP")


def _with_table(data: bytes) -> Evidence:
    """A report with its GHCB certificate table (56421, 4.1.8.1) behind it, as extended guest requests give them."""
    if len(data) <= REPORT_BYTES:
        raise ContainerError(data, len(data), "nothing follows the report")
    return Evidence(data[:REPORT_BYTES], certs=(data[REPORT_BYTES:],), container="a report with a certificate table")


FORMATS: dict[str, Callable[[bytes], Evidence]] = {
    "raw": _raw,
    "hex": _text(decode_hex),
    "base64": _text(decode_base64),
    "hcl": _hcl,
    "msg-report-rsp": _msg_report_rsp,
    "report+certtable": _with_table,
}


def read_evidence(path: Path, form: str | None = None, *, unwrap: bool = True) -> Evidence:
    """The evidence in a file: raw, hex or base64; with unwrap, out of containers that have a magic or were named."""
    data, cut = read_file(path)
    if cut:
        return Evidence(data, cut=True)
    if form is not None:
        return FORMATS[form](data)
    if len(data) != REPORT_BYTES and looks_like_text(data):
        try:
            data = decode_text(data)
        except ValueError:
            return Evidence(data)  # no report either way; its length says so
    if unwrap and data[:4] == b"HCLA" and len(data) != REPORT_BYTES:
        return _hcl(data)
    return Evidence(data)


# ---- certificates and the like ---------------------------------------------------------------------------------------


def read_certs(paths: Iterable[Path]) -> list[bytes]:
    """One element for each PEM block, DER certificate or certificate table."""
    return [element for path in paths for element in split_pem(_read_whole(path), b"CERTIFICATE")]


def read_crls(paths: Iterable[Path]) -> list[bytes]:
    """Each CRL as DER; what is no PEM is passed on as it is."""
    crls: list[bytes] = []
    for path in paths:
        for element in split_pem(_read_whole(path), b"X509 CRL"):
            crls.append(_pem_body(element) if element.startswith(_PEM_BEGIN) else element)
    return crls


def split_pem(data: bytes, label: bytes) -> list[bytes]:
    """The blocks of that label, one by one; data itself when it is no PEM or has no such block.

    A block that has no end is passed on, for the verifier to complain about.
    """
    if not data.isascii() or _PEM_BEGIN not in data:
        return [data]
    blocks = [_PEM_BEGIN + part for part in data.split(_PEM_BEGIN)[1:]]
    wanted = _PEM_BEGIN + label + b"-----"
    found = [_to_end(block, label) for block in blocks if block.startswith(wanted)]
    unfinished = [block for block in blocks[-1:] if b"-----END " not in block and not block.startswith(wanted)]
    return [*found, *unfinished] or [data]


def _to_end(block: bytes, label: bytes) -> bytes:
    """Without what stands behind the block, when it ends."""
    end = b"-----END " + label + b"-----"
    at = block.find(end)
    return block if at < 0 else block[: at + len(end)]


def _pem_body(block: bytes) -> bytes:
    lines = block.split(b"-----")
    try:
        return decode_base64(lines[2])
    except (IndexError, ValueError):
        return block
