# SPDX-License-Identifier: Apache-2.0
"""GHCB certificate tables (56421, SNP extended guest request), valid or wrong.

    CertificateTable.of(vcek=vcek.der, ask=ca.ask_der, ark=ca.ark_der).build()
    CertificateTable.of(vcek=vcek.der).with_entry(0, offset=0xFFFFFFFE).build()
    CertificateTable.of(vcek=vcek.der, terminator=False, page=0).build()

A table is an array of entries (GUID, offset, length), an entry of zeros that ends it, and the data that the offsets
point at. A host fills it in, so nothing in it is to be believed.
"""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from typing import Any, Final

#: What an entry may hold, by the word that CertificateTable.of() takes.
GUIDS: Final[dict[str, str]] = {
    "vcek": "63da758d-e664-4564-adc5-f4b93be8accd",
    "vlek": "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
    "ask": "4ab7b379-bbac-4fe4-a02f-05aef327c782",  # of an ASVK too
    "ark": "c0b406a4-a803-4952-9743-3fb6014cd0ae",
    "crl": "92f81bc3-5811-4d3d-97ff-d19f88dc67ea",
    "unknown": "00112233-4455-6677-8899-aabbccddeeff",
}
ENTRY_LEN: Final = 24
PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One entry: a word of GUIDS, a GUID or its 16 bytes; the data; and, when they are to differ from where and how
    long the data is, offset and length. data None writes no data: the entry points wherever offset and length say."""

    guid: str | bytes
    data: bytes | None
    offset: int | None = None
    length: int | None = None

    def guid_bytes(self) -> bytes:
        """The 16 bytes in the order of the GUID's text."""
        if isinstance(self.guid, bytes):
            return self.guid
        return uuid.UUID(GUIDS.get(self.guid, self.guid)).bytes


@dataclass(frozen=True, slots=True)
class CertificateTable:
    """A certificate table. terminator: the entry of zeros; gap: bytes between the entries and the data; page: the
    table is padded with zeros to a multiple of it (0: not at all); trailing: bytes behind all."""

    entries: tuple[TableEntry, ...]
    terminator: bool = True
    gap: bytes = b""
    page: int = PAGE
    trailing: bytes = b""

    @classmethod
    def of(cls, *, terminator: bool = True, gap: bytes = b"", page: int = PAGE, **data: bytes) -> CertificateTable:
        """A table by the words of GUIDS, in the order given."""
        return cls(tuple(TableEntry(kind, value) for kind, value in data.items()), terminator, gap, page)

    def replace(self, **changes: Any) -> CertificateTable:
        return dataclasses.replace(self, **changes)

    def with_entry(self, index: int, **changes: Any) -> CertificateTable:
        """One entry with other fields."""
        entries = list(self.entries)
        entries[index] = dataclasses.replace(entries[index], **changes)
        return self.replace(entries=tuple(entries))

    def plus(self, *entries: TableEntry) -> CertificateTable:
        """More entries behind the others."""
        return self.replace(entries=self.entries + entries)

    def build(self) -> bytes:
        """The bytes of the table."""
        head, data = bytearray(), bytearray(self.gap)
        start = ENTRY_LEN * (len(self.entries) + self.terminator)
        for entry in self.entries:
            body = entry.data or b""
            offset = start + len(data) if entry.offset is None else entry.offset
            length = len(body) if entry.length is None else entry.length
            head += entry.guid_bytes() + offset.to_bytes(4, "little") + length.to_bytes(4, "little")
            data += body
        whole = bytes(head) + bytes(ENTRY_LEN * self.terminator) + bytes(data)
        padding = -len(whole) % self.page if self.page else 0
        return whole + bytes(padding) + self.trailing
