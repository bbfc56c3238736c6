"""Bytes and times that were written as text: hex, base64, RFC 3339, Unix seconds.

ASCII alone, one value one meaning: what is not exactly one of the forms is an error, never a guess.
"""

from __future__ import annotations

import binascii
import re
from datetime import datetime, timedelta, timezone

from attestcore._lib import base64_decode

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITE_SPACE = b" \t\r\n"
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_UNIX = re.compile(r"([0-9]{1,18})(?:\.[0-9]+)?")

FIRST_SECOND = 0
LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z


def decode_hex(text: bytes) -> bytes:
    """Hex digits of either case, an even number of them; white space does not count. ValueError otherwise."""
    try:
        return binascii.unhexlify(_squeeze(text))
    except binascii.Error as error:
        raise ValueError("not hex: an even number of the digits 0-9, a-f was expected") from error


def decode_base64(text: bytes) -> bytes:
    """Base64 of one alphabet (RFC 4648, 4 or 5), padded fully or not at all, unused bits zero; white space aside."""
    text = _squeeze(text)
    if b"-" in text or b"_" in text:
        if b"+" in text or b"/" in text:
            raise ValueError("not base64: the standard and the URL-safe alphabet are mixed")
        text = text.translate(_URL_SAFE)
    padded = text if b"=" in text else text + b"=" * (-len(text) % 4)
    try:
        data = binascii.a2b_base64(padded)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    # The decoder of the standard library skips what it does not know; only the canonical text survives the way back.
    if binascii.b2a_base64(data, newline=False) != padded:
        raise ValueError("not base64: a foreign character, wrong padding, or unused bits that are not zero")
    return data


def decode_text(text: bytes) -> bytes:
    """Hex if it can be hex, else base64. ValueError when it is neither."""
    quick = _canonical_base64(text)  # what most stored evidence is
    if quick is not None:
        return quick
    try:
        return decode_hex(text)
    except ValueError:
        pass
    try:
        return decode_base64(text)
    except ValueError as error:
        raise ValueError("neither hex nor base64") from error


def _canonical_base64(text: bytes) -> bytes | None:
    """What text decodes to, when it is canonical base64 that cannot also be hex."""
    return base64_decode(text) if text.endswith(b"=") else None


def looks_like_text(data: bytes) -> bool:
    """Whether data holds nothing but what hex and base64 are written with."""
    return bool(data) and not data.translate(None, _TEXT_BYTES)


_TEXT_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=" + _WHITE_SPACE


def parse_time(text: str) -> int:
    """RFC 3339 or Unix seconds as whole seconds since 1970 (a fraction is cut off). ValueError otherwise."""
    unix = _UNIX.fullmatch(text)
    if unix:
        return _in_range(int(unix[1]))
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError("not a time: RFC 3339 with its offset (2025-06-20T00:00:00Z) or Unix seconds was expected")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    leap = second == 60  # RFC 3339, 5.7; the second that has no number of its own is the next one
    try:
        moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=timezone.utc)
        if match[7]:
            offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
            moment = moment - offset if match[7] == "+" else moment + offset
    except (ValueError, OverflowError) as error:
        raise ValueError(f"not a time: {error}") from error
    return _in_range(int((moment - _EPOCH).total_seconds()) + leap)


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _in_range(seconds: int) -> int:
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise ValueError("not a time that can be judged: the years 1970 to 9999 were expected")
    return seconds


def _squeeze(text: bytes) -> bytes:
    return text.translate(None, _WHITE_SPACE)
