"""Text that stands for bytes and times: what is read, and that nothing is guessed."""

from __future__ import annotations

import base64
import os

import pytest

from attestcore._lib import base64_decode
from attestcore.batch.text import decode_base64, decode_hex, decode_text, looks_like_text, parse_time


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 48, 1183, 1184, 1185])
def test_round_trip(size: int) -> None:
    data = os.urandom(size)
    padded = base64.b64encode(data)
    url = base64.urlsafe_b64encode(data)
    for text in (padded, padded.rstrip(b"="), url, url.rstrip(b"="), b" " + padded + b"\r\n"):
        assert decode_base64(text) == data
    for text in (
        data.hex().encode(),
        data.hex().upper().encode(),
        b"\n".join([data.hex().encode()[:2], data.hex().encode()[2:]]),
    ):
        assert decode_hex(text) == data
        assert decode_text(text) == data
    if size > 4:
        assert decode_text(padded) == data


@pytest.mark.parametrize(
    "text",
    [
        b"abc!",
        b"QUJD=",  # padding where none belongs
        b"QUJ",  # unused bits that are not zero
        b"QQ==QQ==",
        b"QQ=",
        b"Q",
        b"+-+-",
        b"QU\x00I",
        "\uff31\uff35\uff29=".encode(),
        b"====",
    ],
)
def test_not_base64(text: bytes) -> None:
    with pytest.raises(ValueError, match="not base64"):
        decode_base64(text)


@pytest.mark.parametrize("text", [b"0", b"0x00", b"0g", b"00:11", "\uff10\uff10".encode()])
def test_not_hex(text: bytes) -> None:
    with pytest.raises(ValueError, match="not hex"):
        decode_hex(text)


def test_hex_comes_first() -> None:
    assert decode_text(b"abcd") == b"\xab\xcd"  # base64 as well
    assert decode_text(b"abc") == b"\x69\xb7"  # an odd number of digits
    with pytest.raises(ValueError, match="neither"):
        decode_text(b"no, not this")


def test_what_looks_like_text() -> None:
    assert looks_like_text(b"00ff\n")
    assert not looks_like_text(b"")
    assert not looks_like_text(b"00\x00")
    assert not looks_like_text("é".encode())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1750377600", 1750377600),
        ("1750377600.999", 1750377600),
        ("253402300799", 253402300799),
        ("2025-06-20T00:00:00Z", 1750377600),
        ("2025-06-20t02:00:00.123456789+02:00", 1750377600),
        ("2025-06-19 23:30:00-00:30", 1750377600),
        ("2016-12-31T23:59:60Z", 1483228800),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 253402300799),
        ("2024-02-29T00:00:00Z", 1709164800),
    ],
)
def test_times(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "-1",
        "+1",
        "1e9",
        "0x10",
        " 1",
        "1\n",
        "\u0661\u0662",
        "253402300800",
        "9" * 18,
        "2025-06-20",
        "2025-06-20T00:00:00",
        "2025-06-20T00:00Z",
        "2025-02-29T00:00:00Z",
        "2025-06-20T24:00:00Z",
        "2025-06-20T00:00:61Z",
        "2025-06-20T00:00:00+24:00",
        "2025-06-20T00:00:00+00:60",
        "2025-06-20T00:00:00.Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "20250620T000000Z",
    ],
)
def test_not_times(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_time(text)


def by_the_standard_library(text: bytes) -> bytes | None:
    """Canonical and padded, or None."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data) == text else None


@pytest.mark.parametrize("size", [*range(70), 1184, 4096])
def test_the_core_decodes_canonical_base64(size: int) -> None:
    data = os.urandom(size)
    text = base64.b64encode(data)
    assert base64_decode(text) == data
    if text:
        assert base64_decode(text[:-1]) is None
        assert base64_decode(text + b"\n") is None


def test_every_character_at_every_place() -> None:
    """Every byte in place of each character of a group that is whole, and of those with one and two signs of padding."""
    for data in (b"abc", b"abcde", b"abcd"):
        text = base64.b64encode(data)
        for place in range(len(text)):
            for byte in range(256):
                changed = text[:place] + bytes([byte]) + text[place + 1 :]
                assert base64_decode(changed) == by_the_standard_library(changed), changed


def test_padding_alone() -> None:
    for text in (
        b"=",
        b"==",
        b"===",
        b"====",
        b"A===",
        b"AA==",
        b"AB==",
        b"AAA=",
        b"AAB=",
        b"AA=A",
        b"AA==AA==",
        b"AAAA====",
        b"",
    ):
        assert base64_decode(text) == by_the_standard_library(text), text
