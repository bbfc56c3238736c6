"""A chunk of rows on its way to the verifiers, and how the columns of a source become one.

A row that makes no sense stays a row: its evidence is null, or its entry in `faults` says why nothing was judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from attestcore.batch.refusals import EVIDENCE_MALFORMED
from attestcore.batch.schema import UsageError
from attestcore.batch.text import FIRST_SECOND, LAST_SECOND, decode_text, parse_time

CHUNK_ROWS = 4096
CHUNK_BYTES = 4 << 20
MAX_EVIDENCE_BYTES = 16 << 20  # one file, one line of text

_LAST_INT64 = (1 << 63) - 1
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(slots=True)
class Chunk:
    """Some consecutive rows. Columns are Arrow arrays where the source has them, else lists."""

    rows: int
    evidence: pa.Array | list[bytes | None]
    at: pa.Array  # int64 seconds; null: this row's time cannot be used
    carried: pa.RecordBatch | list[dict[str, Any]]
    kinds: pa.Array | None = None  # string; null: not said
    certs: pa.Array | None = None  # binary, may be dictionary-encoded; null: none
    faults: dict[int, str] = field(default_factory=dict)  # row: code

    def take(self, rows: Sequence[int]) -> Chunk:
        """Those rows alone, nothing carried."""
        index = pa.array(rows, pa.int64())
        if isinstance(self.evidence, list):
            evidence: pa.Array | list[bytes | None] = [self.evidence[row] for row in rows]
        else:
            evidence = self.evidence.take(index)
        return Chunk(
            rows=len(rows),
            evidence=evidence,
            at=self.at.take(index),
            carried=[],
            kinds=None if self.kinds is None else self.kinds.take(index),
            certs=None if self.certs is None else self.certs.take(index),
            faults={new: self.faults[old] for new, old in enumerate(rows) if old in self.faults},
        )

    def lengths(self) -> pa.Array:
        """Bytes of evidence a row; null without evidence."""
        if isinstance(self.evidence, list):
            return pa.array([None if item is None else len(item) for item in self.evidence], pa.int64())
        if pa.types.is_fixed_size_binary(self.evidence.type):
            return pc.if_else(self.evidence.is_valid(), self.evidence.type.byte_width, pa.scalar(None, pa.int64()))
        return pc.binary_length(self.evidence).cast(pa.int64())

    def head(self, row: int, size: int) -> bytes:
        if isinstance(self.evidence, list):
            return (self.evidence[row] or b"")[:size]
        return bytes(memoryview(self.evidence[row].as_buffer())[:size])


Unit = tuple[int, Callable[[], Chunk]]  # how many rows, and how to make the chunk of them (in any thread)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view")


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or str(kind) == "binary_view"
    )


def _is_time(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_timestamp(kind) or types.is_integer(kind) or types.is_floating(kind))


def check_types(schema: pa.Schema, inputs: dict[str, str], where: str) -> None:
    """UsageError when an input column has a type that cannot hold what it should."""
    for name, column in inputs.items():
        if column not in schema.names:
            continue
        kind = _value_type(schema.field(column).type)
        fits = pa.types.is_null(kind) or _is_text(kind)
        if name in ("evidence", "certs", "collateral"):
            fits = fits or _is_bytes(kind)
        elif name == "at":
            fits = fits or _is_time(kind)
        if not fits:
            raise UsageError(f"{where}: column {column!r} is {kind}, which cannot be read as {name}")


def repeats(kind: pa.DataType) -> bool:
    """Whether Parquet can hand out a column of this type as a dictionary."""
    types = pa.types
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_string(kind) or types.is_large_string(kind)
    )


# ---- columns of a source ---------------------------------------------------------------------------------------------


def evidence_column(array: pa.Array) -> tuple[pa.Array | list[bytes | None], dict[int, str]]:
    """The evidence as bytes, and the faults of the rows whose text could not be decoded."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return [None] * len(array), {}
    if str(array.type) == "binary_view":
        return array.cast(pa.large_binary()), {}
    if _is_bytes(array.type):
        return array, {}
    return evidence_texts(array.cast(pa.large_binary()).to_pylist())


def evidence_texts(texts: Sequence[bytes | None]) -> tuple[list[bytes | None], dict[int, str]]:
    evidence: list[bytes | None] = []
    faults: dict[int, str] = {}
    for row, text in enumerate(texts):
        data = None
        if text:
            try:
                data = decode_text(text)
            except ValueError:
                faults[row] = EVIDENCE_MALFORMED
        evidence.append(data)
    return evidence, faults


def kinds_column(array: pa.Array) -> pa.Array | None:
    """The kinds as strings; an empty one is none. Text that is not ASCII is a kind that nobody knows."""
    return None if pa.types.is_null(array.type) else _by_value(array, _kind, pa.string())


def _kind(text: bytes) -> str | None:
    return text.decode("ascii", "backslashreplace") or None


def certs_column(array: pa.Array) -> pa.Array | None:
    """The certificate sets as bytes. Text is PEM, or hex or base64 of DER or of a certificate table."""
    kind = _value_type(array.type)
    if pa.types.is_null(kind):
        return None
    if _is_text(kind):
        return _by_value(array, _certs, pa.binary())
    if pa.types.is_dictionary(array.type):
        # A row group's dictionary may be far larger than a chunk; looking at all of it for each chunk would be
        # quadratic.
        return array if len(array.dictionary) <= len(array) else array.dictionary.take(array.indices)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return array
    return array.cast(pa.large_binary())


def _certs(text: bytes) -> bytes | None:
    if not text or b"-----BEGIN" in text:
        return text or None
    try:
        return decode_text(text)
    except ValueError:
        return text  # the verifier names what it is not


def at_column(array: pa.Array, default: int) -> pa.Array:
    """Seconds since 1970; null where the cell holds something that is no time. An empty cell is the default."""
    if pa.types.is_null(array.type):
        return at_all(len(array), default)
    if _is_text(_value_type(array.type)):
        seconds = _by_value(array, lambda text: _seconds(text) if text else default, pa.int64())
        return pc.if_else(pc.is_valid(array), seconds, default)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return pc.if_else(pc.is_valid(array), _whole_seconds(array), default)


def at_all(rows: int, at: int) -> pa.Array:
    return pa.repeat(pa.scalar(at, pa.int64()), rows)


def _seconds(text: bytes) -> int | None:
    try:
        return parse_time(text.decode("ascii"))
    except ValueError:
        return None


def _whole_seconds(array: pa.Array) -> pa.Array:
    kind = array.type
    scale = 1
    if pa.types.is_timestamp(kind):
        scale = _UNITS[kind.unit]
        array = array.cast(pa.int64())
    elif pa.types.is_uint64(kind):
        limit = pa.scalar(LAST_SECOND, kind)  # beyond it, the type has values that no other integer type can hold
        array = pc.if_else(pc.less_equal(array, limit), array, pa.scalar(None, kind)).cast(pa.int64())
    elif pa.types.is_integer(kind):
        array = array.cast(pa.int64())
    usable = pc.and_(
        pc.greater_equal(array, FIRST_SECOND), pc.less(array, min((LAST_SECOND + 1) * scale, _LAST_INT64))
    )  # no NaN passes
    array = pc.if_else(usable, array, pa.scalar(None, array.type))
    if pa.types.is_floating(kind):
        array = pc.floor(array.cast(pa.float64()))
    array = array.cast(pa.int64())
    return array if scale == 1 else pc.divide(array, scale)


def _by_value(array: pa.Array, decode: Callable[[bytes], Any], kind: pa.DataType) -> pa.Array:
    """decode() of every text, called once for each distinct one; binary results stay dictionary-encoded."""
    if not pa.types.is_dictionary(array.type):
        # As bytes: the text of a file need not be the UTF-8 that it claims to be.
        array = array.cast(pa.large_binary()).dictionary_encode()
    values = [None if text is None else decode(text) for text in array.dictionary.cast(pa.large_binary()).to_pylist()]
    decoded = pa.array(values, kind)
    indices = array.indices
    if not pa.types.is_binary(kind):
        return decoded.take(indices)
    if decoded.null_count:
        empty = pa.array([number for number, value in enumerate(values) if value is None], indices.type)
        indices = pc.if_else(pc.is_in(indices, value_set=empty), pa.scalar(None, indices.type), indices)
        decoded = pa.array([value or b"" for value in values], kind)
    return pa.DictionaryArray.from_arrays(indices, decoded)


# ---- rows that come one by one ---------------------------------------------------------------------------------------


def batched_by_size(items: Iterable[tuple[Any, int]]) -> Iterator[list[Any]]:
    """Lists of consecutive items, none much beyond the rows and bytes of a chunk; an item comes with its size.

    When the items break, those that came before are still handed out.
    """
    chunk: list[Any] = []
    size = 0
    try:
        for item, length in items:
            chunk.append(item)
            size += length
            if len(chunk) >= CHUNK_ROWS or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
    except Exception:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk
