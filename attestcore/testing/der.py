# SPDX-License-Identifier: Apache-2.0
"""A small DER writer, and a reader for surgery on what it wrote.

The writer is ours because AMD's certificates need what general libraries refuse to write (serial number 0, two
encodings of the same PSS parameters), and a test needs precise malformations: a length in long form, unused bits, an
integer with a leading zero. Every function returns encoded bytes. The defaults are DER (X.690, 10 and 11); a keyword
asks for anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
TELETEX_STRING = 0x14
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
BMP_STRING = 0x1E
SEQUENCE = 0x30
SET = 0x31

LengthForm = Literal["minimal", "long", "indefinite"]


def length(n: int, *, form: LengthForm = "minimal") -> bytes:
    """The length octets for n content octets; "long" has one octet more than needed, "indefinite" is the single octet
    80."""
    if form == "indefinite":
        return b"\x80"
    if form == "minimal" and n < 0x80:
        return bytes([n])
    octets = n.to_bytes(max(1, (n.bit_length() + 7) // 8), "big")
    if form == "long" and n >= 0x80:
        octets = b"\0" + octets
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag: int, *content: bytes, form: LengthForm = "minimal") -> bytes:
    """One element: identifier, length, content. The indefinite form also writes its end-of-contents octets."""
    body = b"".join(content)
    end = b"\0\0" if form == "indefinite" else b""
    return bytes([tag]) + length(len(body), form=form) + body + end


def sequence(*content: bytes, form: LengthForm = "minimal") -> bytes:
    return tlv(SEQUENCE, *content, form=form)


def set_of(*content: bytes, sort: bool = True) -> bytes:
    """A SET OF, its elements in DER order unless sort is False."""
    return tlv(SET, *(sorted(content) if sort else content))


def context(number: int, *content: bytes, constructed: bool = True) -> bytes:
    """A context-specific tag: explicit when content is whole elements, implicit when it is bare content octets."""
    return tlv((0xA0 if constructed else 0x80) | number, *content)


def integer(value: int | bytes) -> bytes:
    """An INTEGER: minimal two's complement of an int, or exactly the content octets given."""
    if isinstance(value, bytes):
        return tlv(INTEGER, value)
    bits = value.bit_length() if value >= 0 else (value + 1).bit_length()
    return tlv(INTEGER, value.to_bytes(bits // 8 + 1, "big", signed=True))


def enumerated(value: int | bytes) -> bytes:
    """An ENUMERATED, which is encoded as an INTEGER is."""
    return bytes([ENUMERATED]) + integer(value)[1:]


def boolean(value: bool | bytes) -> bytes:
    return tlv(BOOLEAN, value if isinstance(value, bytes) else (b"\xff" if value else b"\0"))


def null() -> bytes:
    return tlv(NULL)


def octet_string(content: bytes) -> bytes:
    return tlv(OCTET_STRING, content)


def bit_string(content: bytes, *, unused: int = 0) -> bytes:
    """A BIT STRING; unused is written as it is, whatever the last octet holds."""
    return tlv(BIT_STRING, bytes([unused]), content)


def oid_content(dotted: str) -> bytes:
    """The content octets of an OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        out += bytes(reversed(groups))
    return bytes(out)


def oid(value: str | bytes) -> bytes:
    """An OBJECT IDENTIFIER, dotted, or exactly the content octets given."""
    return tlv(OBJECT_IDENTIFIER, value if isinstance(value, bytes) else oid_content(value))


def text(tag: int, value: str | bytes) -> bytes:
    """A character string of any type; str is encoded as the type wants, bytes are taken as they are."""
    if isinstance(value, str):
        value = value.encode("utf-16-be" if tag == BMP_STRING else "utf-8")
    return tlv(tag, value)


def utc_time(at: datetime) -> bytes:
    """UTCTime, YYMMDDHHMMSSZ, whatever the century."""
    return tlv(UTC_TIME, _utc(at).strftime("%y%m%d%H%M%SZ").encode())


def generalized_time(at: datetime) -> bytes:
    """GeneralizedTime, YYYYMMDDHHMMSSZ."""
    at = _utc(at)
    return tlv(GENERALIZED_TIME, f"{at.year:04d}".encode() + at.strftime("%m%d%H%M%SZ").encode())


def time(at: datetime) -> bytes:
    """The form RFC 5280 4.1.2.5 prescribes: UTCTime for the years 1950 to 2049, else GeneralizedTime."""
    return utc_time(at) if 1950 <= _utc(at).year <= 2049 else generalized_time(at)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no one meaning")
    return at.astimezone(timezone.utc)


# ---- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """One element of an encoding: where it stands in source, and what is in it."""

    source: bytes = field(repr=False)
    start: int
    tag: int
    header: int  # octets of identifier and length
    size: int  # octets of content

    @property
    def end(self) -> int:
        return self.start + self.header + self.size

    @property
    def content(self) -> bytes:
        return self.source[self.start + self.header : self.end]

    @property
    def encoded(self) -> bytes:
        return self.source[self.start : self.end]

    @property
    def constructed(self) -> bool:
        return bool(self.tag & 0x20)

    def children(self) -> tuple[Node, ...]:
        """The elements inside a constructed one; none of a primitive one."""
        out = []
        at = self.start + self.header if self.constructed else self.end
        while at < self.end:
            out.append(read(self.source, at, self.end))
            at = out[-1].end
        return tuple(out)

    def at(self, *path: int) -> Node:
        """The element down a path of child numbers: certificate.at(0, 6) is the SubjectPublicKeyInfo."""
        node = self
        for step in path:
            node = node.children()[step]
        return node

    def walk(self) -> Iterator[Node]:
        """This element and all below it, outermost first."""
        yield self
        for child in self.children():
            yield from child.walk()


def read(data: bytes, at: int = 0, limit: int | None = None) -> Node:
    """The element that starts at an offset. DER only: definite, minimal lengths and one-octet tags. Else ValueError."""
    limit = len(data) if limit is None else limit
    if at + 2 > limit or data[at] & 0x1F == 0x1F:
        raise ValueError(f"no DER element at {at}")
    tag, first = data[at], data[at + 1]
    octets = first & 0x7F if first & 0x80 else 0
    header = 2 + octets
    if first == 0x80 or at + header > limit:
        raise ValueError(f"no definite length at {at + 1}")
    size = int.from_bytes(data[at + 2 : at + header], "big") if octets else first
    if octets and length(size) != data[at + 1 : at + header]:
        raise ValueError(f"length at {at + 1} is not minimal")
    if at + header + size > limit:
        raise ValueError(f"element at {at} is longer than what holds it")
    return Node(data, at, tag, header, size)


def substitute(data: bytes, path: Sequence[int], new: bytes) -> bytes:
    """data with the element at path replaced (by nothing, or by several, if new says so), and all lengths above it
    corrected."""
    if not path:
        return new
    top = read(data)
    children = [child.encoded for child in top.children()]
    children[path[0]] = substitute(children[path[0]], path[1:], new)
    return tlv(top.tag, *children) + data[top.end :]
