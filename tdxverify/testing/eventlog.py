# SPDX-License-Identifier: Apache-2.0
"""Event logs of a TD, right or wrong record by record.

    log = Log([Record(1, 4, b"\\0\\0\\0\\0"), Record.ipl(3, "grub_cmd: ", "linux /vmlinuz")])
    log.bytes                                          # TCG's crypto-agile format
    log.rtmrs()                                        # what the records come to
    Record(1, 4, b"\\0\\0\\0\\0", data_size=9).bytes       # any count or length that lies
    dstack_event(3, "app-id", payload)                 # an event of a dstack JSON log

Layouts are those of the TCG PC Client Platform Firmware Profile, 10.2 and 10.4.5.1. Nothing here uses the reader of this package.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SHA1: Final = 0x04
SHA256: Final = 0x0B
SHA384: Final = 0x0C
SHA512: Final = 0x0D
SM3: Final = 0x12
SIZES: Final = {SHA1: 20, SHA256: 32, SHA384: 48, SHA512: 64, SM3: 32}

EV_NO_ACTION: Final = 0x3
EV_SEPARATOR: Final = 0x4
EV_EVENT_TAG: Final = 0x6
EV_IPL: Final = 0xD
EV_EFI_VARIABLE_BOOT: Final = 0x80000002
DSTACK_RUNTIME_EVENT: Final = 0x08000001


def sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


@dataclass(frozen=True)
class Record:
    """TCG_PCR_EVENT2. measured is what was hashed (None: the data); digests, where given, take the place of its hash."""

    mr_index: int
    type: int
    data: bytes = b""
    measured: bytes | None = None
    digests: Sequence[tuple[int, bytes]] | None = None
    digest_count: int | None = None
    data_size: int | None = None

    @classmethod
    def ipl(cls, mr_index: int, prefix: str, text: str) -> Record:
        """As GRUB logs a string: prefix, string, NUL; the string alone is hashed."""
        return cls(mr_index, EV_IPL, (prefix + text + "\0").encode(), measured=text.encode())

    @classmethod
    def variable(cls, mr_index: int, type_: int, guid: bytes, name: str, data: bytes, *, whole: bool = True) -> Record:
        encoded = name.encode("utf-16-le")
        content = guid + struct.pack("<QQ", len(encoded) // 2, len(data)) + encoded + data
        return cls(mr_index, type_, content, measured=content if whole else data)

    @classmethod
    def tagged(cls, mr_index: int, tag: int, data: bytes, *, whole: bool = False) -> Record:
        content = struct.pack("<II", tag, len(data)) + data
        return cls(mr_index, EV_EVENT_TAG, content, measured=content if whole else data)

    @property
    def digest(self) -> bytes:
        """The SHA-384 digest; empty when there is none."""
        return dict(self.all_digests).get(SHA384, b"")

    @property
    def all_digests(self) -> Sequence[tuple[int, bytes]]:
        if self.digests is not None:
            return self.digests
        return [(SHA384, bytes(48) if self.type == EV_NO_ACTION else sha384(self.data_measured))]

    @property
    def data_measured(self) -> bytes:
        return self.data if self.measured is None else self.measured

    @property
    def bytes(self) -> bytes:
        digests = self.all_digests
        count = len(digests) if self.digest_count is None else self.digest_count
        size = len(self.data) if self.data_size is None else self.data_size
        listed = b"".join(struct.pack("<H", algorithm) + digest for algorithm, digest in digests)
        return struct.pack("<III", self.mr_index, self.type, count) + listed + struct.pack("<I", size) + self.data


@dataclass(frozen=True)
class Header:
    """The first record: TCG_PCClientPCREvent around TCG_EfiSpecIDEvent."""

    algorithms: Sequence[tuple[int, int]] = ((SHA384, 48),)
    mr_index: int = 1
    type: int = EV_NO_ACTION
    digest: bytes = bytes(20)
    signature: bytes = b"Spec ID Event03\0"
    platform_class: int = 0
    minor: int = 0
    major: int = 2
    errata: int = 0
    uintn_size: int = 2
    vendor_info: bytes = b""
    algorithm_count: int | None = None
    vendor_size: int | None = None
    data_size: int | None = None
    extra: bytes = b""

    @property
    def bytes(self) -> bytes:
        count = len(self.algorithms) if self.algorithm_count is None else self.algorithm_count
        vendor = len(self.vendor_info) if self.vendor_size is None else self.vendor_size
        versions = struct.pack(
            "<IBBBBI", self.platform_class, self.minor, self.major, self.errata, self.uintn_size, count
        )
        listed = b"".join(struct.pack("<HH", *algorithm) for algorithm in self.algorithms)
        data = self.signature + versions + listed + struct.pack("<B", vendor) + self.vendor_info + self.extra
        size = len(data) if self.data_size is None else self.data_size
        return struct.pack("<II", self.mr_index, self.type) + self.digest + struct.pack("<I", size) + data


@dataclass(frozen=True)
class Log:
    """A header, records, and what stands behind them."""

    records: Sequence[Record]
    header: Header = field(default_factory=Header)
    padding: bytes = b""

    def rtmrs(self) -> list[bytes]:
        """RTMR0 to RTMR3 after the log, by hashlib."""
        values = [bytes(48)] * 4
        for record in self.records:
            if record.type != EV_NO_ACTION and record.mr_index > 0:
                values[record.mr_index - 1] = sha384(values[record.mr_index - 1] + record.digest)
        return values

    @property
    def bytes(self) -> bytes:
        return self.header.bytes + b"".join(record.bytes for record in self.records) + self.padding

    @property
    def boundaries(self) -> list[int]:
        """Where each record begins, and where the last ends."""
        at = [len(self.header.bytes)]
        for record in self.records:
            at.append(at[-1] + len(record.bytes))
        return at


def dstack_event(
    imr: int,
    event: str,
    payload: bytes,
    *,
    type: int = DSTACK_RUNTIME_EVENT,  # noqa: A002
    digest: bytes | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One event of dstack's list. Without a digest: that of a runtime event, version 1."""
    if digest is None:
        digest = sha384(struct.pack("<I", type) + b":" + event.encode() + b":" + payload)
    return {
        "imr": imr,
        "event_type": type,
        "digest": digest.hex(),
        "event": event,
        "event_payload": payload.hex(),
        **more,
    }


def ccel_table(
    *, signature: bytes = b"CCEL", cc_type: int = 2, reserved: int = 0, size: int = 56, **area: int
) -> bytes:
    """ACPI's CCEL table (UEFI 38.4.3) with the checksum that fits it. area: length and address of the log."""
    head = signature + struct.pack("<IBB", size, 1, 0) + b"TEST  TESTTEST" + struct.pack("<I4sI", 1, b"TEST", 1)
    table = head + struct.pack("<BBHQQ", cc_type, 0, reserved, area.get("length", 65536), area.get("address", 1 << 20))
    return table[:9] + bytes([-sum(table) % 256]) + table[10:]
