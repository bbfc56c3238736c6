"""Columns of evidence and of times, in every form that callers bring them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from attestcore._lib import (
    NO_TIME,
    ArrowChunk,
    Rows,
    arrow_chunks,
    rows_of_buffer,
    rows_of_sequence,
    times_of_arrow,
)

Time: TypeAlias = datetime | int

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = timedelta(seconds=1)
LAST_TIME = 253402300799  # 9999-12-31T23:59:59Z
ROWS_PER_CALL = 16384  # rows judged by one call into the C core


def to_seconds(at: object) -> int:
    """One evaluation time as Unix seconds. Anything but an aware datetime or an int of the years 1970 to 9999 is a mistake."""
    if isinstance(at, datetime):
        if at.tzinfo is None or at.utcoffset() is None:
            raise ValueError("the evaluation time is a naive datetime: give it a time zone")
        seconds = (at - _EPOCH) // _SECOND  # whole numbers: a float would round up
    elif isinstance(at, int) and not isinstance(at, bool):
        seconds = at
    else:
        raise TypeError(f"the evaluation time is {type(at).__name__}, not an aware datetime or an int of Unix seconds")
    if not 0 <= seconds <= LAST_TIME:
        raise ValueError(f"the evaluation time {seconds} lies outside the years 1970 to 9999")
    return seconds


def to_times(at: object, n: int) -> array[int]:
    """Times of n rows: one entry when one time holds for all, else n; NO_TIME where a row has none."""
    if isinstance(at, (datetime, int)):
        return array("q", [to_seconds(at)])
    chunks = arrow_chunks(at)
    if chunks is not None:
        out = array("q")
        for chunk in chunks:
            out.extend(times_of_arrow(chunk))
    elif isinstance(at, Sequence) and not isinstance(at, (str, bytes, bytearray)):
        out = array("q", [NO_TIME if item is None else to_seconds(item) for item in at])
    else:
        raise TypeError(f"at is {type(at).__name__}, not a time, a sequence of times or an Arrow column of them")
    if len(out) != n:
        raise ValueError(f"at has {len(out)} entries for {n} rows")
    return out


def to_rows(items: object, stride: int) -> list[Rows]:
    """A column as a list of parts: a buffer of n * stride bytes, a sequence of bytes-like (None: a null row), or Arrow binary."""
    chunks = arrow_chunks(items)
    if chunks is not None:
        return [_plain(chunk) for chunk in chunks]
    if isinstance(items, (list, tuple)):
        return [rows_of_sequence(items)]
    try:
        view = memoryview(items)  # type: ignore[arg-type]  # bytes, numpy arrays, mmap, array: whatever is a buffer
    except TypeError:
        if isinstance(items, Sequence) and not isinstance(items, str):
            return [rows_of_sequence(items)]
        raise TypeError(f"a column of evidence cannot be {type(items).__name__}") from None
    return [_of_buffer(view, stride)]


def _of_buffer(view: memoryview, stride: int) -> Rows:
    if not view.c_contiguous:
        raise ValueError("the buffer of evidence is not contiguous")
    size = view.nbytes
    if size % stride:
        raise ValueError(f"a buffer of {size} bytes is not a whole number of {stride}-byte rows")
    return rows_of_buffer(view.cast("B") if size else b"", stride)


def _plain(chunk: ArrowChunk) -> Rows:
    if chunk.rows is None:
        raise TypeError(f"an Arrow column of type {chunk.format!r} holds no byte strings")
    if chunk.indices is None:
        return chunk.rows
    values = [chunk.rows.get(i) for i in range(chunk.rows.n)]
    return rows_of_sequence([values[i] if i >= 0 else None for i in chunk.indices])
