"""JSON lines: what counts as a row, and which type a column gets."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from attestcore.batch import jsonl


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b' {"a": 1}\r\n',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\\ud83d\\ude00", "b": "\xc3\xa9", "c": null, "d": [true, -0.5e3], "e": {"f": {}}}',
    ],
)
def test_rows(line: bytes) -> None:
    assert jsonl.parse(line) == json.loads(line.decode("utf-8-sig"))


@pytest.mark.parametrize(
    "line",
    [
        None,
        b"",
        b"{",
        b"[1]",
        b'"text"',
        b"1",
        b"null",
        b'{"a": 1} {"b": 2}',
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": "\x01"}',
        b'{"a": 01}',
        b"[" * 100000,
        b'{"a":' * 100000,
    ],
)
def test_no_rows(line: bytes | None) -> None:
    assert jsonl.parse(line) is None


def typed(*values: Any) -> tuple[pa.DataType, list[Any]]:
    types: dict[str, jsonl.Type] = {}
    for value in values:
        jsonl.merge_row(types, {"x": value})
    return jsonl.arrow_type(types["x"]), jsonl.column(values, types["x"]).to_pylist()


def test_types() -> None:
    assert typed(None, 1, -(1 << 63)) == (pa.int64(), [None, 1, -(1 << 63)])
    assert typed(1, 2.5) == (pa.float64(), [1.0, 2.5])
    assert typed("a", None) == (pa.string(), ["a", None])
    assert typed(True, False) == (pa.bool_(), [True, False])
    assert typed(None, None) == (pa.null(), [None, None])
    assert typed([1], [], None) == (pa.list_(pa.int64()), [[1], [], None])
    assert typed({"a": 1}, {"b": "x"})[1] == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_what_has_no_type_in_common_stays_json() -> None:
    for values in (
        (1, "1"),
        (True, 1),
        (1.5, 1 << 60),  # no double holds it
        (1 << 63,),
        ([1], [[1]]),
        ([1, "a"],),
        ({},),
        ({"a": 1}, {"a": "b"}),
        ({str(n): n for n in range(300)},),
    ):
        kind, texts = typed(*values)
        assert kind == pa.string()
        assert [json.loads(text) for text in texts] == list(values)
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    assert typed(deep)[0] == pa.string()
