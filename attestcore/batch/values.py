"""Arrow columns as values that JSON and CSV can say: bytes as hex, times as RFC 3339, what has no number as text."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import pyarrow as pa

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def plain(array: pa.Array) -> list[Any]:
    """The column's values as None, bool, int, float, str, list and dict."""
    kind = array.type
    types = pa.types
    if types.is_dictionary(kind):
        values = plain(array.dictionary)
        return [None if index is None else values[index] for index in array.indices.to_pylist()]
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_null(kind):
        return list(array.to_pylist())
    if types.is_floating(kind):
        return [value if value is None or math.isfinite(value) else _no_number(value) for value in array.to_pylist()]
    if types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view":
        return _texts(array)
    if (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or str(kind) == "binary_view"
    ):
        return [None if value is None else value.hex() for value in array.to_pylist()]
    if types.is_timestamp(kind):
        zone = "Z" if kind.tz else ""
        return [
            None if value is None else _moment(value, kind.unit) + zone for value in array.cast(pa.int64()).to_pylist()
        ]
    if types.is_struct(kind):
        names = [kind.field(index).name for index in range(kind.num_fields)]
        rows = zip(*(plain(column) for column in array.flatten()), strict=True) if names else iter(((),) * len(array))
        present = array.is_valid().to_pylist()
        return [dict(zip(names, row, strict=True)) if there else None for row, there in zip(rows, present, strict=True)]
    if types.is_list(kind) or types.is_large_list(kind):
        items = iter(plain(array.flatten()))
        lengths = array.value_lengths().to_pylist()
        return [None if length is None else [next(items) for _ in range(length)] for length in lengths]
    return [str(value) if value.is_valid else None for value in array]


def _texts(array: pa.Array) -> list[Any]:
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:  # a file may claim UTF-8 and hold something else
        return [
            None if value is None else value.decode(errors="backslashreplace")
            for value in array.cast(pa.large_binary()).to_pylist()
        ]


def _no_number(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


@lru_cache(maxsize=4096)
def _moment(value: int, unit: str) -> str:
    seconds, fraction = divmod(value, _UNITS[unit])
    try:
        text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    except OverflowError:
        return f"{value} {unit}"
    return f"{text}.{fraction:0{_DIGITS[unit]}d}" if fraction else text
