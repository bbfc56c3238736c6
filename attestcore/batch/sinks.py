"""Where results go: Parquet, JSONL or CSV, by the name of the file.

A sink writes beside its file and takes its name at the end, so a file that is there is a whole one.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from attestcore.batch.schema import Needs, UsageError
from attestcore.batch.values import json_heads, json_lines, plain

_ROW_GROUP_ROWS = 65536
_ROW_GROUP_BYTES = 32 << 20


class Format(Protocol):
    """A file format while it is written. carried says as much of the carried columns as the format needs."""

    needs: Needs

    def __init__(self, file: IO[bytes], carried: pa.Schema, results: pa.Schema) -> None: ...

    def write(self, carried: pa.RecordBatch | list[dict[str, Any]], results: pa.RecordBatch) -> None: ...

    def close(self) -> None: ...


class ParquetFormat:
    needs = Needs.SCHEMA

    def __init__(self, file: IO[bytes], carried: pa.Schema, results: pa.Schema) -> None:
        self._carried = carried
        self._schema = pa.schema([*self._carried, *results])
        # Bytes do not repeat, so a dictionary of them costs time and space; names and codes do.
        coded = [item.name for item in self._schema if not _holds_bytes(item.type)]
        self._writer = pq.ParquetWriter(
            file, self._schema, compression="zstd", use_dictionary=_leaves(self._schema, coded), version="2.6"
        )
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0

    def write(self, carried: pa.RecordBatch | list[dict[str, Any]], results: pa.RecordBatch) -> None:
        columns = [*_conform(carried, self._carried, results.num_rows), *results.columns]
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self._held.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= _ROW_GROUP_ROWS or self._bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_batches(self._held, self._schema), row_group_size=self._rows)
        self._held, self._rows, self._bytes = [], 0, 0

    def close(self) -> None:
        self._flush()
        self._writer.close()


def _holds_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _leaves(schema: pa.Schema, names: Iterable[str]) -> list[str]:
    """The paths that Parquet gives to the leaves of these columns."""
    paths: list[str] = []
    for name in names:
        _add_leaves(name, schema.field(name).type, paths)
    return paths


def _add_leaves(path: str, kind: pa.DataType, paths: list[str]) -> None:
    types = pa.types
    if types.is_struct(kind):
        for index in range(kind.num_fields):
            _add_leaves(f"{path}.{kind.field(index).name}", kind.field(index).type, paths)
    elif types.is_list(kind) or types.is_large_list(kind):
        _add_leaves(f"{path}.list.element", kind.value_type, paths)
    elif not (types.is_nested(kind) or _holds_bytes(kind)):
        paths.append(path)


def _conform(carried: pa.RecordBatch | list[dict[str, Any]], schema: pa.Schema, rows: int) -> list[pa.Array]:
    """The carried columns as the whole output has them; what this source has not is null."""
    if isinstance(carried, list):
        raise TypeError("rows without a schema cannot become columns")
    present = set(carried.schema.names)
    return [
        carried.column(item.name).cast(item.type) if item.name in present else pa.nulls(rows, item.type)
        for item in schema
    ]


class JsonLinesFormat:
    needs = Needs.NOTHING

    def __init__(self, file: IO[bytes], carried: pa.Schema, results: pa.Schema) -> None:
        self._file = file

    def write(self, carried: pa.RecordBatch | list[dict[str, Any]], results: pa.RecordBatch) -> None:
        if isinstance(carried, list):
            if len(carried) != results.num_rows:
                raise RuntimeError("rows and results do not fit")
            lines = json_lines(json_heads(carried), results.schema.names, results.columns)
        else:
            names, columns = carried.schema.names, carried.columns if carried.schema.names else []
            lines = json_lines(None, [*names, *results.schema.names], [*columns, *results.columns])
        self._file.write(lines)

    def close(self) -> None:
        pass


class CsvFormat:
    needs = Needs.NAMES

    def __init__(self, file: IO[bytes], carried: pa.Schema, results: pa.Schema) -> None:
        self._file = file
        self._names = carried.names
        self._write([[*self._names, *results.names]])

    def write(self, carried: pa.RecordBatch | list[dict[str, Any]], results: pa.RecordBatch) -> None:
        before = [_cells(values) for values in self._carried(carried, results.num_rows)]
        after = [
            [";".join(codes or ()) for codes in plain(column)] if item.name == "codes" else _cells(plain(column))
            for item, column in zip(results.schema, results.columns, strict=True)
        ]
        self._write(zip(*before, *after, strict=True))

    def _carried(self, carried: pa.RecordBatch | list[dict[str, Any]], rows: int) -> list[list[Any]]:
        if isinstance(carried, list):
            return [[row.get(name) for row in carried] for name in self._names]
        present = set(carried.schema.names)
        return [plain(carried.column(name)) if name in present else [None] * rows for name in self._names]

    def _write(self, rows: Iterable[Iterable[Any]]) -> None:
        lines = _Lines()
        csv.writer(lines, lineterminator="\n").writerows(rows)
        self._file.write("".join(lines.text).encode())

    def close(self) -> None:
        pass


class _Lines:
    def __init__(self) -> None:
        self.text: list[str] = []

    def write(self, line: str) -> None:
        self.text.append(line)


def _cells(values: Iterable[Any]) -> list[Any]:
    return [_cell(value) for value in values]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if isinstance(value, list | dict) else value


FORMATS: dict[str, type[Format]] = {
    ".parquet": ParquetFormat,
    ".pq": ParquetFormat,
    ".jsonl": JsonLinesFormat,
    ".ndjson": JsonLinesFormat,
    ".csv": CsvFormat,
}


def format_of(path: Path) -> type[Format]:
    made = FORMATS.get(path.suffix.lower())
    if made is None:
        raise UsageError(f"{path}: the name of the output must end in {', '.join(FORMATS)}")
    return made


class Sink:
    """Writes one output file. Leaving the block without an error gives the file its name; with one, nothing is left."""

    def __init__(self, path: Path, carried: pa.Schema, results: pa.Schema) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        made = format_of(path)
        if path.exists() and not path.is_file():
            raise UsageError(f"{path}: is there, and is no regular file")
        try:
            self._file = self._part.open("xb")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error
        try:
            self._format = made(self._file, carried, results)
        except BaseException:
            self._file.close()
            self._part.unlink(missing_ok=True)
            raise

    def write(self, carried: pa.RecordBatch | list[dict[str, Any]], results: pa.RecordBatch) -> None:
        try:
            self._format.write(carried, results)
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be written: {error.strerror or error}") from error

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._format.close()
            self._file.close()
            os.replace(self._part, self._path)  # noqa: PTH105
        except OSError as failure:
            self._discard()
            raise UsageError(f"{self._path}: cannot be written: {failure.strerror or failure}") from failure

    def _discard(self) -> None:
        with suppress(Exception):  # what cannot be written any more; the writer must let go of the file all the same
            self._format.close()
        with suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)
