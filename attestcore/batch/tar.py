"""Walks a tar archive as a stream: POSIX ustar and pax, and GNU's long names.

Nothing is extracted or decompressed. The archive is hostile: every header's checksum is checked, what a header may
make us hold in memory is bounded, and an archive that ends before its end marker, or goes on behind it, is an error,
since members would be missing from the results without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 512
_MAX_EXTENDED = 64 * 1024  # one pax header or long name
_REGULAR = (b"0", b"\0", b"7")
_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, directories, FIFOs
_EXTENDED = (b"x", b"g", b"L", b"K")
_ZERO_BLOCK = bytes(BLOCK)


class TarError(Exception):
    """The archive cannot be read on from here."""


@dataclass(frozen=True, slots=True)
class Member:
    name: bytes
    size: int
    regular: bool
    data: bytes | None  # None for what is not regular, not wanted, or larger than the caller's limit


def walk(stream: BinaryIO, *, suffix: bytes, max_bytes: int) -> Iterator[Member]:
    """Every member in order; data for the regular ones of that suffix and of at most max_bytes."""
    position = 0
    name: bytes | None = None  # what an extended header says of the member that follows it
    size: int | None = None
    foreign = False
    while True:
        header = stream.read(BLOCK)
        if len(header) < BLOCK:
            raise TarError(f"it ends at byte {position + len(header)}, before its end marker")
        if header == _ZERO_BLOCK:
            _expect_padding(stream, position + BLOCK)
            return
        declared = _check_header(header, position)
        position += BLOCK
        kind = header[156:157]
        if kind in _EXTENDED:
            if declared > _MAX_EXTENDED:
                raise TarError(f"the extended header at byte {position - BLOCK} is larger than {_MAX_EXTENDED} bytes")
            text = _read(stream, declared, position)
            position += _padded(declared)
            if kind == b"L":
                name = text.rstrip(b"\0")
            elif kind == b"x":
                records = _pax_records(text, position)
                name = records.get(b"path", name)
                size = _pax_size(records, size, position)
                foreign = any(key.startswith(b"GNU.sparse.") for key in records)
            continue
        length = 0 if kind in _WITHOUT_DATA else declared if size is None else size
        regular = kind in _REGULAR and not foreign
        path = _header_name(header) if name is None else name
        data = None
        if regular and path.endswith(suffix) and length <= max_bytes:
            data = _read(stream, length, position)
        else:
            _skip(stream, length, position)
        yield Member(path, length, regular, data)
        position += _padded(length)
        name, size, foreign = None, None, False


def _check_header(header: bytes, position: int) -> int:
    """The member's size, once the checksum fits."""
    expected = _number(header[148:156], position)
    if sum(header[:148]) + 8 * 0x20 + sum(header[156:]) != expected:
        raise TarError(f"the header at byte {position} has a wrong checksum")
    return _number(header[124:136], position)


def _number(field: bytes, position: int) -> int:
    if field[0] == 0x80:  # GNU: a positive number in base 256
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise TarError(f"the header at byte {position} has a number that is not octal")
    return int(digits or b"0", 8)


def _header_name(header: bytes) -> bytes:
    name = header[:100].split(b"\0", 1)[0]
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _pax_records(text: bytes, position: int) -> dict[bytes, bytes]:
    """Records of the form "length key=value" and a line feed, where length counts the whole record."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(text):
        digits, _, _ = text[at : at + 8].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = text[at : at + length]
        key, equals, value = record[len(digits) + 1 :].partition(b"=")
        if length <= len(digits) + 1 or len(record) < length or not equals or not value.endswith(b"\n"):
            raise TarError(f"the pax header before byte {position} is malformed")
        records[key] = value[:-1]
        at += length
    return records


def _pax_size(records: dict[bytes, bytes], size: int | None, position: int) -> int | None:
    value = records.get(b"size")
    if value is None:
        return size
    if not value.isdigit() or len(value) > 18:
        raise TarError(f"the pax header before byte {position} has a size that is not a number")
    return int(value)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _read(stream: BinaryIO, size: int, position: int) -> bytes:
    data = stream.read(_padded(size))
    if len(data) < _padded(size):
        raise TarError(f"it ends at byte {position + len(data)}, inside a member")
    return data[:size]


def _skip(stream: BinaryIO, size: int, position: int) -> None:
    left = _padded(size)
    while left:
        data = stream.read(min(left, 1 << 20))
        if not data:
            raise TarError(f"it ends at byte {position + _padded(size) - left}, inside a member")
        left -= len(data)


def _expect_padding(stream: BinaryIO, position: int) -> None:
    """Behind the end marker there is padding alone; another archive glued on would be lost."""
    while data := stream.read(1 << 20):
        if data.count(0) != len(data):
            raise TarError(f"there is data behind the end marker at byte {position}")
        position += len(data)
