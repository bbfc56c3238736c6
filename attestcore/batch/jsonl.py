"""Lines of JSON, read strictly, and one Arrow type a column for values that JSON types one by one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pyarrow as pa

_EXACT_IN_DOUBLE = 1 << 53
_MAX_DEPTH = 8
_MAX_MEMBERS = 256


def parse(line: bytes | None) -> dict[str, Any] | None:
    """The object of a line; None when it is not exactly one JSON object with distinct names (RFC 8259)."""
    if line is None:
        return None
    try:
        value = _DECODER.decode(line.decode().removeprefix("\ufeff").strip(" \t\r\n"))
        if b"\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no character
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name occurs twice")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number beyond what a double holds")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse, parse_float=_float)


_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Type:
    """The type of the values seen so far. `json` is what holds anything: the value's own text."""

    name: str  # null, bool, int, long, float, str, list, struct, json
    element: Type | None = None
    members: dict[str, Type] = field(default_factory=dict)


NULL = Type("null")
_JSON = Type("json")
_ARROW = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "str": pa.string(),
    "json": pa.string(),
}


def merge_row(types: dict[str, Type], row: dict[str, Any]) -> None:
    """Widens types, column by column, until they hold the row."""
    for column, value in row.items():
        known = types.get(column, NULL)
        types[column] = known if known is _JSON else _merge(known, _type_of(value, 0))


def _type_of(value: Any, depth: int) -> Type:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Type("bool")
    if isinstance(value, int):
        if abs(value) <= _EXACT_IN_DOUBLE:
            return Type("int")
        return Type("long") if -(1 << 63) <= value < 1 << 63 else _JSON
    if isinstance(value, float):
        return Type("float")
    if isinstance(value, str):
        return Type("str")
    if depth == _MAX_DEPTH:
        return _JSON
    if isinstance(value, list):
        element = NULL
        for item in value:
            element = _merge(element, _type_of(item, depth + 1))
        return _JSON if element is _JSON else Type("list", element)
    if not 0 < len(value) <= _MAX_MEMBERS:
        return _JSON
    members = {name: _type_of(item, depth + 1) for name, item in value.items()}
    return _JSON if _JSON in members.values() else Type("struct", members=members)


def _merge(one: Type, other: Type) -> Type:
    if one == other or other.name == "null":
        return one
    if one.name == "null":
        return other
    names = {one.name, other.name}
    if names == {"int", "long"}:
        return Type("long")
    if names == {"int", "float"}:  # every int seen is exact as a double
        return Type("float")
    if names == {"list"} and one.element and other.element:
        element = _merge(one.element, other.element)
        return _JSON if element is _JSON else Type("list", element)
    if names == {"struct"}:
        members = dict(one.members)
        for name, kind in other.members.items():
            members[name] = _merge(members.get(name, NULL), kind)
        if _JSON not in members.values() and len(members) <= _MAX_MEMBERS:
            return Type("struct", members=members)
    return _JSON


def arrow_type(kind: Type) -> pa.DataType:
    if kind.name == "list" and kind.element:
        return pa.list_(arrow_type(kind.element))
    if kind.name == "struct":
        return pa.struct([(name, arrow_type(member)) for name, member in kind.members.items()])
    return _ARROW[kind.name]


def column(values: Sequence[Any], kind: Type) -> pa.Array:
    if kind.name == "json":
        values = [None if value is None else _ENCODE(value) for value in values]
    return pa.array(values, arrow_type(kind))
