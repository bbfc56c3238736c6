"""Where rows come from: Parquet, JSONL, CSV, directories and tar archives of .bin files, single .bin files.

A source is opened twice: once to learn its columns, before anything is judged, and once to read it. Its rows come as
units in order. What makes one row unusable stays with that row; what breaks the source raises SourceError between two
units.
"""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from attestcore.batch import jsonl, tar
from attestcore.batch.refusals import EVIDENCE_MALFORMED
from attestcore.batch.rows import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    MAX_EVIDENCE_BYTES,
    Chunk,
    Unit,
    at_all,
    at_column,
    batched_by_size,
    certs_column,
    check_types,
    evidence_column,
    evidence_texts,
    kinds_column,
    repeats,
)
from attestcore.batch.schema import SOURCE, Mapping, Needs, UsageError, carried_names, check_name

SUFFIX = ".bin"
_MAX_COLUMNS = 4096  # of a JSONL source, whose every line may bring new ones
_TOO_LONG_HEAD = 64 * 1024  # what is read of a file that is too large to be evidence; enough to refuse it by its length


class SourceError(Exception):
    """A source could not be read to its end."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How sources are read."""

    mapping: Mapping
    reserved: frozenset[str]  # names that no carried column may have
    at: int  # for rows that bring no time
    # What the output must know of the columns before the first row. A JSONL source then looks at all its lines first.
    needs: Needs


class Source(Protocol):
    """One input. `carried` is the schema of its carried columns, or None while only its rows know."""

    name: str
    columns: frozenset[str] | None  # as the source calls them; None: only its rows know
    carried: pa.Schema | None
    total: int | None

    def units(self) -> Iterator[Unit]: ...


def open_source(path: Path, reading: Reading) -> Source:
    """UsageError when it cannot be opened, or is nothing that we read; SourceError when its content is broken."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if stat.S_ISDIR(mode):
        return DirectorySource(path, reading)
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path}: neither a regular file nor a directory")
    kinds: dict[str, Callable[[Path, Reading], Source]] = {
        ".parquet": ParquetSource,
        ".pq": ParquetSource,
        ".jsonl": JsonLinesSource,
        ".ndjson": JsonLinesSource,
        ".csv": CsvSource,
        ".tar": TarSource,
        SUFFIX: FileSource,
    }
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path}: expected a directory, or a name that ends in {', '.join(kinds)}")
    try:
        path.open("rb").close()
        return kind(path, reading)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


class BrokenSource:
    """Stands for a source whose content was broken from the start, so that the others are still judged."""

    columns: frozenset[str] | None = None
    carried: pa.Schema | None = None
    total: int | None = 0

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        self._message = message

    def units(self) -> Iterator[Unit]:
        raise SourceError(self._message)


# ---- Parquet ---------------------------------------------------------------------------------------------------------


_BROKEN_PARQUET = (pa.ArrowException, OSError, UnicodeDecodeError)  # the last for names of columns


class ParquetSource:
    def __init__(self, path: Path, reading: Reading) -> None:
        self.name = str(path)
        self._path = path
        self._reading = reading
        with self._open(()) as file:
            schema = file.schema_arrow
            self.total: int | None = file.metadata.num_rows
        self.columns: frozenset[str] | None = frozenset(schema.names)
        self._carried = carried_names(schema.names, reading.mapping, reading.reserved, self.name)
        self.carried: pa.Schema | None = pa.schema(
            [(name, schema.field(column).type) for column, name in self._carried.items()]
        )
        inputs = reading.mapping.inputs
        _require_evidence(inputs["evidence"], schema.names, self.name)
        check_types(schema, inputs, self.name)
        wanted = set(self._carried) | {inputs[name] for name in ("evidence", "kind", "certs", "at") if name in inputs}
        self._wanted = [column for column in schema.names if column in wanted]

        # Read as dictionaries, so that a certificate set which many rows share is read and opened once.
        certs = inputs.get("certs")
        self._coded = [certs] if certs in schema.names and repeats(schema.field(certs).type) else []

    def _open(self, coded: Sequence[str | None]) -> Any:
        # Buffered, for a row group may be as large as the file.
        try:
            return pq.ParquetFile(self._path, read_dictionary=coded or None, buffer_size=1 << 20, pre_buffer=False)
        except _BROKEN_PARQUET as error:
            raise SourceError(f"{self.name}: not a Parquet file that can be read: {_one_line(error)}") from error

    def units(self) -> Iterator[Unit]:
        done = 0
        try:
            with self._open(self._coded) as file:
                for group in range(file.num_row_groups):
                    size = _rows_a_chunk(file.metadata.row_group(group))
                    for batch in file.iter_batches(size, row_groups=[group], columns=self._wanted, use_threads=False):
                        yield batch.num_rows, partial(self._chunk, batch)
                        done += batch.num_rows
        except _BROKEN_PARQUET as error:
            raise SourceError(f"{self.name}: broken after {done} rows: {_one_line(error)}") from error
        if done != self.total:
            raise SourceError(f"{self.name}: has {done} rows, though it declares {self.total}")

    def _chunk(self, batch: pa.RecordBatch) -> Chunk:
        columns: dict[str, Any] = {
            name: batch.column(column)
            for name, column in self._reading.mapping.inputs.items()
            if column in self._wanted
        }
        evidence, faults = evidence_column(columns["evidence"])
        return Chunk(
            rows=batch.num_rows,
            evidence=evidence,
            at=at_column(columns["at"], self._reading.at)
            if "at" in columns
            else at_all(batch.num_rows, self._reading.at),
            carried=_named([(name, batch.column(column)) for column, name in self._carried.items()]),
            kinds=kinds_column(columns["kind"]) if "kind" in columns else None,
            certs=certs_column(columns["certs"]) if "certs" in columns else None,
            faults=faults,
        )


def _rows_a_chunk(group: Any) -> int:
    """Rows of about a chunk's bytes, by what the row group says of itself (dictionaries can make rows larger)."""
    average = int(group.total_byte_size) // max(int(group.num_rows), 1)
    return max(64, min(CHUNK_ROWS, CHUNK_BYTES // max(average, 1)))


def _named(columns: Sequence[tuple[str, pa.Array]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([array for _, array in columns], names=[name for name, _ in columns])


# ---- text ------------------------------------------------------------------------------------------------------------


class JsonLinesSource:
    """One JSON object a line. Blank lines are no rows; a line that is anything else is a row without evidence."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self.name = str(path)
        self._path = path
        self._reading = reading
        self.total: int | None = None
        self.columns: frozenset[str] | None = None
        self.carried: pa.Schema | None = None
        self._names: dict[str, str] = {}
        self._types: dict[str, jsonl.Type] = {}
        if reading.needs is not Needs.NOTHING:
            self._scan()

    def _scan(self) -> None:
        types: dict[str, jsonl.Type] = {}
        self.total = 0
        try:
            for line in self._lines():
                self.total += 1
                jsonl.merge_row(types, jsonl.parse(line) or {})
                if len(types) > _MAX_COLUMNS:
                    raise UsageError(
                        f"{self.name}: more than {_MAX_COLUMNS} columns; write JSONL, which needs no header"
                    )
        except OSError as error:
            raise SourceError(f"{self.name}: {error.strerror or error}") from error
        self.columns = frozenset(types)
        self._names = carried_names(list(types), self._reading.mapping, self._reading.reserved, self.name)
        self._types = {column: types[column] for column in self._names}
        self.carried = pa.schema([(name, jsonl.arrow_type(types[column])) for column, name in self._names.items()])

    def _lines(self) -> Iterator[bytes | None]:
        with self._path.open("rb") as file:
            yield from _lines(file)

    def units(self) -> Iterator[Unit]:
        done = 0
        try:
            for lines in batched_by_size((line, len(line or b"")) for line in self._lines()):
                yield len(lines), partial(self._chunk, lines)
                done += len(lines)
        except OSError as error:
            raise SourceError(f"{self.name}: broken after {done} rows: {error.strerror or error}") from error

    def _chunk(self, lines: list[bytes | None]) -> Chunk:
        rows = [jsonl.parse(line) for line in lines]
        inputs = self._reading.mapping.inputs
        texts = {
            name: [_text(row, inputs[name]) for row in rows] for name in ("evidence", "kind", "certs") if name in inputs
        }
        evidence, faults = evidence_texts([text if isinstance(text, bytes) else None for text in texts["evidence"]])
        for number, row in enumerate(rows):
            if row is None or any(column[number] is _NOT_TEXT for column in texts.values()):
                evidence[number] = None
                faults[number] = EVIDENCE_MALFORMED
        given: dict[str, Any] = {
            name: pa.array([None if text is _NOT_TEXT else text for text in column], pa.binary())
            for name, column in texts.items()
            if name != "evidence" and any(column)
        }
        if "at" in inputs:
            given["at"] = pa.array([_time_text(row, inputs["at"]) for row in rows], pa.binary())
        return Chunk(
            rows=len(rows),
            evidence=evidence,
            at=_at_texts(given.get("at"), len(rows), self._reading.at),
            carried=self._carried(rows),
            kinds=kinds_column(given["kind"].cast(pa.string())) if "kind" in given else None,
            certs=certs_column(given["certs"].cast(pa.string())) if "certs" in given else None,
            faults=faults,
        )

    def _carried(self, rows: list[dict[str, Any] | None]) -> pa.RecordBatch | list[dict[str, Any]]:
        if self._reading.needs is not Needs.SCHEMA:
            return [self._carried_row(row or {}) for row in rows]
        values = {column: [None if row is None else row.get(column) for row in rows] for column in self._names}
        try:
            return _named(
                [(name, jsonl.column(values[column], self._types[column])) for column, name in self._names.items()]
            )
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise UsageError(f"{self.name}: was changed while it was read") from error

    def _carried_row(self, row: dict[str, Any]) -> dict[str, Any]:
        mapping = self._reading.mapping
        inputs = mapping.inputs.values()
        carried: dict[str, Any] = {}
        for column, value in row.items():
            if column in inputs:
                continue
            name = mapping.renames.get(column, column)
            check_name(column, name, self._reading.reserved, self.name)
            if name in carried:
                raise UsageError(f"{self.name}: two columns would be called {name!r}")
            carried[name] = value
        return carried


_NOT_TEXT = object()


def _text(row: dict[str, Any] | None, column: str) -> Any:
    """The cell as bytes of text, None when it is empty, _NOT_TEXT when it is something else."""
    value = None if row is None else row.get(column)
    if isinstance(value, str):
        return value.encode()
    return None if value is None else _NOT_TEXT


def _time_text(row: dict[str, Any] | None, column: str) -> bytes | None:
    """The cell as text that says a time, or text that says none; numbers are Unix seconds."""
    value = None if row is None else row.get(column)
    return None if value is None else str(value).encode()


def _at_texts(texts: pa.Array | None, rows: int, default: int) -> pa.Array:
    return at_all(rows, default) if texts is None else at_column(texts.cast(pa.string()), default)


class CsvSource:
    """RFC 4180 with a header. Cells are text; an empty one is no evidence, kind, set or time."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self.name = str(path)
        self._path = path
        self._reading = reading
        self.total: int | None = None
        with self._path.open("rb") as file:
            self._header = self._read_header(_CsvRows(file))
        self.columns: frozenset[str] | None = frozenset(self._header)
        self._carried = carried_names(self._header, reading.mapping, reading.reserved, self.name)
        _require_evidence(reading.mapping.inputs["evidence"], self._header, self.name)
        self.carried: pa.Schema | None = pa.schema([(name, pa.string()) for name in self._carried.values()])

    def _read_header(self, rows: _CsvRows) -> list[str]:
        try:
            header, garbled = next(rows, ([], True))
        except csv.Error as error:
            raise SourceError(f"{self.name}: its header cannot be read: {_one_line(error)}") from error
        if garbled:
            raise SourceError(f"{self.name}: has no header that can be read")
        return header

    def units(self) -> Iterator[Unit]:
        done = 0
        try:
            with self._path.open("rb") as file:
                rows = _CsvRows(file)
                self._read_header(rows)
                for chunk in batched_by_size((row, sum(map(len, row[0]))) for row in rows):
                    yield len(chunk), partial(self._chunk, chunk)
                    done += len(chunk)
        except (OSError, csv.Error) as error:
            raise SourceError(f"{self.name}: broken after {done} rows or later: {_one_line(error)}") from error

    def _chunk(self, rows: list[tuple[list[str], bool]]) -> Chunk:
        width = len(self._header)
        columns: dict[str, list[str | None]] = {
            column: [cells[index] if index < len(cells) else None for cells, _ in rows]
            for index, column in enumerate(self._header)
        }
        inputs = {
            name: [cell.encode() if cell else None for cell in columns[column]]
            for name, column in self._reading.mapping.inputs.items()
            if column in columns and name != "collateral"
        }
        evidence, faults = evidence_texts(inputs["evidence"])
        for number, (cells, garbled) in enumerate(rows):
            if garbled or len(cells) != width:
                evidence[number] = None
                faults[number] = EVIDENCE_MALFORMED
        given = {name: pa.array(cells, pa.binary()).cast(pa.string()) for name, cells in inputs.items() if any(cells)}
        return Chunk(
            rows=len(rows),
            evidence=evidence,
            at=_at_texts(given.get("at"), len(rows), self._reading.at),
            carried=_named([(name, pa.array(columns[column], pa.string())) for column, name in self._carried.items()]),
            kinds=kinds_column(given["kind"]) if "kind" in given else None,
            certs=certs_column(given["certs"]) if "certs" in given else None,
            faults=faults,
        )


class _CsvRows:
    """Rows of a CSV file, each with the word whether a line of it was garbled (not UTF-8, or too long to be read)."""

    def __init__(self, file: BinaryIO) -> None:
        if csv.field_size_limit() < MAX_EVIDENCE_BYTES:
            csv.field_size_limit(MAX_EVIDENCE_BYTES)  # the module has one limit, made for smaller cells
        self._lines = _lines(file, blank=True)
        self._garbled = False
        self._rows = csv.reader(self._decoded(), strict=True)

    def _decoded(self) -> Iterator[str]:
        first = True
        for line in self._lines:
            text, good = _decode(line)
            self._garbled = self._garbled or not good
            yield text.removeprefix("\ufeff") if first else text
            first = False

    def __iter__(self) -> Iterator[tuple[list[str], bool]]:
        return self

    def __next__(self) -> tuple[list[str], bool]:
        while True:
            self._garbled = False
            cells = next(self._rows)
            if cells or self._garbled:  # a blank line is no row
                return cells, self._garbled


def _decode(line: bytes | None) -> tuple[str, bool]:
    """The line as text, and whether it was UTF-8 and short enough to be read."""
    if line is None:
        return "\n", False
    try:
        return line.decode(), True
    except UnicodeDecodeError:
        return line.decode(errors="replace"), False


def _lines(file: BinaryIO, *, blank: bool = False) -> Iterator[bytes | None]:
    """Lines as they stand; None for one that is longer than evidence can be. Blank ones only when asked for."""
    while line := file.readline(MAX_EVIDENCE_BYTES + 1):
        if len(line) > MAX_EVIDENCE_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(1 << 20)
            yield None
        elif blank or not line.isspace():
            yield line


def _require_evidence(column: str, columns: Sequence[str], where: str) -> None:
    if column not in columns:
        raise UsageError(
            f"{where}: has no column {column!r}; name the one that holds the evidence with --map evidence=COLUMN"
        )


# ---- .bin files ------------------------------------------------------------------------------------------------------


class _Files:
    """Sources of one file a row. The column `source` says which."""

    total: int | None = None
    columns: frozenset[str] | None = frozenset({"evidence", SOURCE})

    def __init__(self, path: Path, reading: Reading) -> None:
        self.name = str(path)
        self._path = path
        self._at = reading.at
        name = reading.mapping.renames.get(SOURCE, SOURCE)
        check_name(SOURCE, name, reading.reserved, self.name)
        self._column = name
        self.ignored = 0  # files whose name does not end in .bin
        self.carried: pa.Schema | None = pa.schema([(name, pa.string())])

    def _files(self) -> Iterator[tuple[str, bytes | None]]:
        """The name of each file and what is in it; None when it has no content that could be read."""
        raise NotImplementedError

    def units(self) -> Iterator[Unit]:
        sized = (((name, data), len(data or b"") + len(name)) for name, data in self._files())
        for files in batched_by_size(sized):
            yield len(files), partial(self._chunk, files)

    def _chunk(self, files: list[tuple[str, bytes | None]]) -> Chunk:
        names = pa.array([name for name, _ in files], pa.string())
        return Chunk(
            rows=len(files),
            evidence=[data for _, data in files],
            at=at_all(len(files), self._at),
            carried=_named([(self._column, names)]),
        )


class FileSource(_Files):
    def _files(self) -> Iterator[tuple[str, bytes | None]]:
        try:
            yield _printable(os.fsencode(self._path)), _read_evidence(os.fsencode(self._path))
        except OSError as error:
            raise SourceError(f"{self.name}: {error.strerror or error}") from error


class DirectorySource(_Files):
    """Every file below the directory whose name ends in .bin, sorted by path; `source` is the path relative to the
    directory.

    Symbolic links to files are followed, those to directories are not. What is called .bin and is no regular file is
    a row without evidence.
    """

    def _files(self) -> Iterator[tuple[str, bytes | None]]:
        root = os.fsencode(self._path)
        troubles: list[str] = []
        for path in self._walk(root, troubles):
            data = None
            try:
                data = _read_evidence(_below(root, path))
            except OSError as error:
                troubles.append(f"{_printable(path)}: {error.strerror or error}")
            yield _printable(path), data
        if troubles:
            raise SourceError(f"{self.name}: {len(troubles)} entries could not be read; the first: {troubles[0]}")

    def _walk(self, root: bytes, troubles: list[str]) -> Iterator[bytes]:
        """Relative paths of what is called .bin, in the order of their components."""
        stack = [(b"", True)]
        while stack:
            path, is_directory = stack.pop()
            if not is_directory:
                yield path
                continue
            try:
                with os.scandir(_below(root, path)) as entries:
                    found = sorted(entries, key=lambda entry: entry.name, reverse=True)
            except OSError as error:
                troubles.append(f"{_printable(path)}: {error.strerror or error}")
                continue
            for entry in found:
                is_directory = entry.is_dir(follow_symlinks=False)
                if is_directory or entry.name.endswith(SUFFIX.encode()):
                    stack.append((_below(path, entry.name), is_directory))
                else:
                    self.ignored += 1


def _below(directory: bytes, name: bytes) -> bytes:
    # Names are bytes: not every file name is text, which pathlib asks for.
    return directory + b"/" + name if directory and name else directory or name


def _read_evidence(path: bytes) -> bytes | None:
    """A regular file's bytes, the first few of one that is too large; None for anything else. Never waits."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        limit = MAX_EVIDENCE_BYTES if status.st_size <= MAX_EVIDENCE_BYTES else _TOO_LONG_HEAD
        return _read_up_to(file, limit)


def _read_up_to(file: Any, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit and (part := file.read(limit)):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


class TarSource(_Files):
    """Every member whose name ends in .bin, in the archive's order, uncompressed; nothing is extracted."""

    def _files(self) -> Iterator[tuple[str, bytes | None]]:
        try:
            with self._path.open("rb", buffering=1 << 20) as file:
                for member in tar.walk(file, suffix=SUFFIX.encode(), max_bytes=MAX_EVIDENCE_BYTES):
                    if member.name.endswith(SUFFIX.encode()):
                        too_long = member.regular and member.data is None
                        yield _printable(member.name), bytes(_TOO_LONG_HEAD) if too_long else member.data
                    elif member.regular:
                        self.ignored += 1
        except (OSError, tar.TarError) as error:
            raise SourceError(f"{self.name}: {_one_line(error)}") from error


def _printable(path: bytes) -> str:
    return path.decode(errors="backslashreplace")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
