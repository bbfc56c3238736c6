# SPDX-License-Identifier: Apache-2.0
"""Arrow columns as JSON text: column by column, and as the encoder of Python writes the plain values row by row."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")

from attestcore.batch.values import encode, json_heads, json_lines, json_texts, plain  # noqa: E402

NOON = datetime(2025, 6, 20, 12, 0, 0, 250000, timezone.utc)
COLUMNS = {
    "null": pa.nulls(3),
    "bool": pa.array([True, None, False]),
    "int8": pa.array([-128, None, 127], pa.int8()),
    "int64": pa.array([-(2**63), None, 2**63 - 1]),
    "uint64": pa.array([0, None, 2**64 - 1], pa.uint64()),
    "float": pa.array([1.5, float("nan"), float("-inf"), None, 1e300]),
    "string": pa.array(["a", None, 'say "\\" \u00e9\n\u2028', "a", "", "\U0001f600"]),
    "all different": pa.array(["x", "y", "z"]),
    "large string": pa.array(["a", "a", None], pa.large_string()),
    "view": pa.array(["a", "b", None]).cast(pa.string_view()),
    "binary": pa.array([b"\0\xff", None, b""]),
    "fixed": pa.array([b"\0\xff", None], pa.binary(2)),
    "time": pa.array([NOON, None, NOON], pa.timestamp("us", "UTC")),
    "naive time": pa.array([0, None, 1], pa.int64()).cast(pa.timestamp("s")),
    "dictionary": pa.array(["a", None, "b", "a"]).dictionary_encode(),
    "null in a dictionary": pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array(["a", None])),
    "list": pa.array([[], None, ["a", None], ["b"]], pa.list_(pa.string())),
    "empty lists": pa.array([[], [], None], pa.list_(pa.string())),
    "large list": pa.array([[1], None, []], pa.large_list(pa.int32())),
    "struct": pa.array([{"a": 1, "b": None}, None], pa.struct([("a", pa.int32()), ("b", pa.string())])),
    "decimal": pa.array([Decimal("1.50"), None]),
    "nothing": pa.array([], pa.string()),
}
EACH = pytest.mark.parametrize("name", COLUMNS)


@EACH
def test_every_type(name: str) -> None:
    column = COLUMNS[name]
    assert json_texts(column).to_pylist() == [encode(value) for value in plain(column)]


@EACH
def test_a_part_of_a_column(name: str) -> None:
    column = COLUMNS[name][1:]
    assert json_texts(column).to_pylist() == [encode(value) for value in plain(column)]


def test_text_that_is_not_utf8() -> None:
    column = pa.array([b"\xff\xfe", b"\xff\xfe", b"a"]).view(pa.string())
    assert json_texts(column).to_pylist() == [encode(value) for value in plain(column)]


def test_lines() -> None:
    names, columns = ['a "name"', "b"], [pa.array([1, None]), pa.array(["x\ny", "z"])]
    text = bytes(json_lines(None, names, columns)).decode("ascii")
    assert text.endswith("\n")
    assert [json.loads(line) for line in text.splitlines()] == [
        {'a "name"': 1, "b": "x\ny"},
        {'a "name"': None, "b": "z"},
    ]


def test_lines_behind_rows() -> None:
    rows: list[dict[str, Any]] = [{}, {"x": {"y": [1, "\u00e9"]}, "z": None}]
    text = bytes(json_lines(json_heads(rows), ["b"], [pa.array([True, False])])).decode("ascii")
    assert text == '{"b":true}\n{"x":{"y":[1,"\\u00e9"]},"z":null,"b":false}\n'
    assert bytes(json_lines(json_heads([]), ["b"], [pa.array([], pa.bool_())])) == b""
