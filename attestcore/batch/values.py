"""Arrow columns as values that JSON and CSV can say: bytes as hex, times as RFC 3339, what has no number as text; and as JSON text."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

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


# ---- JSON ------------------------------------------------------------------------------------------------------------

encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""JSON text of a plain value, ASCII alone."""

_TEXT = pa.large_string()
_TRUE, _FALSE, _NULL, _EMPTY_LIST = (pa.scalar(word, _TEXT) for word in ("true", "false", "null", "[]"))
_NOTHING = pa.scalar("", _TEXT)


def json_texts(array: pa.Array) -> pa.Array:
    """The JSON text of every value, as encode() of plain() has it; columns of few distinct values are not touched row by row."""
    kind = array.type
    types = pa.types
    if types.is_null(kind):
        return pa.repeat(_NULL, len(array))
    if types.is_boolean(kind):
        return pc.fill_null(pc.if_else(array, _TRUE, _FALSE), _NULL)
    if types.is_integer(kind):
        return pc.fill_null(array.cast(_TEXT), _NULL)
    if types.is_dictionary(kind):
        return pc.fill_null(json_texts(array.dictionary).take(array.indices), _NULL)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_timestamp(kind):
        coded = array.dictionary_encode()
        if len(coded.dictionary) < len(array):
            return json_texts(coded)
    if types.is_list(kind) or types.is_large_list(kind):
        return _list_texts(array)
    return pa.array([encode(value) for value in plain(array)], _TEXT)


def _list_texts(array: pa.Array) -> pa.Array:
    lengths = pc.list_value_length(array)
    full = pc.fill_null(pc.greater(lengths, pa.scalar(0, lengths.type)), pa.scalar(False, pa.bool_()))
    texts = pc.if_else(array.is_valid(), _EMPTY_LIST, _NULL)
    if full.true_count == 0:
        return texts
    return pc.replace_with_mask(texts, full, pa.array([encode(value) for value in plain(array.filter(full))], _TEXT))


def json_lines(heads: pa.Array | None, names: Sequence[str], columns: Sequence[pa.Array]) -> bytes | memoryview:
    """A line with an object for every row: the members that heads has as text already, then one a column."""
    parts: list[Any] = [pa.scalar("{", _TEXT)]
    if heads is not None:
        parts.append(heads)
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        parts += [pa.scalar(f"{',' if number else ''}{encode(name)}:", _TEXT), json_texts(column)]
    lines = pc.binary_join_element_wise(*parts, pa.scalar("}\n", _TEXT), _NOTHING)
    if len(lines) == 0:
        return b""
    offsets = memoryview(lines.buffers()[1]).cast("q")
    first = lines.offset
    return memoryview(lines.buffers()[2])[offsets[first] : offsets[first + len(lines)]]


def json_heads(rows: Sequence[dict[str, Any]]) -> pa.Array:
    """The members of each row as text, with a comma behind them."""
    texts = (encode(row)[1:-1] for row in rows)
    return pa.array([text and text + "," for text in texts], _TEXT)
