"""Names of columns: what is read, what is written, what is carried, and `--map`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa

INPUTS = ("evidence", "kind", "certs", "collateral", "at")
SOURCE = "source"  # where a file of a directory or an archive came from; carried like any other column
EVALUATED_AT = pa.timestamp("us", "UTC")
RESULTS = pa.schema(
    [
        ("kind", pa.string()),
        ("accepted", pa.bool_()),
        ("code", pa.string()),
        ("codes", pa.list_(pa.string())),
        ("tcb_status", pa.string()),
        ("evaluated_at", EVALUATED_AT),
    ]
)


class Needs(Enum):
    """What a format must know of the carried columns before it can write the first row."""

    NOTHING = "each row says its own"
    NAMES = "the header comes first"
    SCHEMA = "each column has one type"


class UsageError(ValueError):
    """The job cannot be started, or not be carried through, as it was asked for."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """`--map NAME=COLUMN`: NAME is an input, or a new name for a carried column; COLUMN is what the source calls it."""

    inputs: dict[str, str] = field(default_factory=lambda: {name: name for name in INPUTS})  # input: column
    renames: dict[str, str] = field(default_factory=dict)  # column: name in the output

    @classmethod
    def parse(cls, pairs: Iterable[str]) -> Mapping:
        columns: dict[str, str] = {}
        for pair in pairs:
            name, equals, column = pair.partition("=")
            if not (name and equals and column):
                raise UsageError(f"--map {pair}: expected NAME=COLUMN")
            if name in columns or column in columns.values():
                raise UsageError(f"--map {pair}: this name or this column is mapped twice")
            columns[name] = column
        # A column that was asked for under another name is not also the input of its own name.
        defaults = {name: name for name in INPUTS if name not in columns.values()}
        inputs = defaults | {name: column for name, column in columns.items() if name in INPUTS}
        return cls(inputs, {column: name for name, column in columns.items() if name not in INPUTS})

    def mentioned(self) -> set[str]:
        """Columns that were named by the caller and must be somewhere."""
        return {column for name, column in self.inputs.items() if name != column} | set(self.renames)


def carried_names(columns: Sequence[str], mapping: Mapping, reserved: frozenset[str], where: str) -> dict[str, str]:
    """Output name by source column, of the columns that are no input. UsageError when a name is taken."""
    inputs = set(mapping.inputs.values())
    names: dict[str, str] = {}
    seen: set[str] = set()
    for column in columns:
        if column in seen:
            raise UsageError(f"{where}: two columns are called {column!r}")
        seen.add(column)
        if column in inputs:
            continue
        name = mapping.renames.get(column, column)
        check_name(column, name, reserved, where)
        if name in names.values():
            raise UsageError(f"{where}: two columns would be called {name!r}; name one anew with --map OTHER={column}")
        names[column] = name
    return names


def check_name(column: str, name: str, reserved: frozenset[str], where: str) -> None:
    if name in reserved:
        raise UsageError(f"{where}: column {column!r} has the name of a result; name it anew with --map OTHER={column}")


def all_names(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """The carried columns of all sources by name; what they hold may differ from source to source."""
    return pa.schema(
        [(name, pa.string()) for name in dict.fromkeys(name for _, schema in schemas for name in schema.names)]
    )


def unify(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """One schema for the carried columns of all sources; a source that lacks a column has nulls there."""
    fields: dict[str, pa.DataType] = {}
    first: dict[str, str] = {}
    for where, schema in schemas:
        for item in schema:
            kind = item.type
            if item.name not in fields:
                fields[item.name], first[item.name] = kind, where
                continue
            merged = _merge(fields[item.name], kind)
            if merged is None:
                raise UsageError(
                    f"{where}: column {item.name!r} is {kind}, but {fields[item.name]} in {first[item.name]}; "
                    f"name one anew with --map OTHER={item.name}, or run them apart"
                )
            fields[item.name] = merged
    return pa.schema(list(fields.items()))


def _merge(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if one.equals(other):
        return one
    try:
        return (
            pa.unify_schemas([pa.schema([("x", one)]), pa.schema([("x", other)])], promote_options="permissive")
            .field("x")
            .type
        )
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None
