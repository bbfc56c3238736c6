# SPDX-License-Identifier: Apache-2.0
"""Columns in and out of the core: rows under hostile offsets, views and bitmaps; distinct values, times, indices and codes
against plain models of them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestcore import _lib, columns
from attestcore._lib import NO_TIME, Rows
from attestcore._native import ffi, lib
from snpverify import Verifier
from snpverify.testing import AT, AmdCa, ReportFields


def name_of(value: object) -> str:
    """A parameter's name that is the same in every process: no addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))[:60]


FEW = settings(max_examples=150, deadline=None)

# ---- rows, made by hand ----------------------------------------------------------------------------------------------


def rows_of(n: int, first: int = 0, valid: bytes | None = None, **fields: Any) -> Rows:
    """An att_rows with these members; bytes and lists become memory that it keeps alive."""
    c = ffi.new("att_rows *")
    keep: list[Any] = []
    kinds = {"offsets32": "int32_t[]", "offsets64": "int64_t[]", "lens": "uint64_t[]", "buffer_lens": "uint64_t[]"}
    c.n, c.first = n, first
    for name, value in fields.items():
        if name in kinds:
            value = ffi.new(kinds[name], list(value))
        elif name in ("ptrs", "buffers"):
            pieces = [ffi.NULL if item is None else ffi.new("uint8_t[]", item or b"\0") for item in value]
            keep += pieces
            value = ffi.new("const uint8_t *[]", pieces)
        elif isinstance(value, bytes):
            value = ffi.new("uint8_t[]", value or b"\0")
        keep.append(value)
        setattr(c, name, value)
    if valid is not None:
        bits = ffi.new("uint8_t[]", valid or b"\0")
        keep.append(bits)
        c.validity, c.validity_len = bits, len(valid)
    return Rows(c, n, tuple(keep))


def got(rows: Rows) -> list[bytes | None]:
    return [rows.get(i) for i in range(rows.n)]


def bitmap(flags: Sequence[bool]) -> bytes:
    """Arrow's: least significant bit first."""
    out = bytearray((len(flags) + 7) // 8)
    for i, flag in enumerate(flags):
        out[i // 8] |= flag << i % 8
    return bytes(out)


DATA = bytes(range(200))


def by_offsets(offsets: Sequence[int], data: bytes) -> list[bytes | None]:
    """The model: what lies in the data, whole and forwards, and nothing else."""
    ends = pairwise(offsets)
    return [data[a:b] if 0 <= a <= b <= len(data) else None for a, b in ends]


@pytest.mark.parametrize("member", ["offsets32", "offsets64"])
@pytest.mark.parametrize(
    "offsets",
    [
        [0, 10, 20, 30],
        [0, 0, 0, 0],
        [0, 10, 5, 30],  # decreasing
        [0, 10, -1, 30],  # negative
        [-10, 10, 20, 30],
        [-5, -1, 0, 7],
        [0, 10, 201, 30],  # beyond the data
        [0, 200, 200, 201],
        [199, 200, 199, 200],
        [-(2**31), 2**31 - 1, -(2**31), 2**31 - 1],
        [2**31 - 1, 0, 2**31 - 1, 2**31 - 1],
    ],
    ids=str,
)
def test_offsets(member: str, offsets: list[int]) -> None:
    expected = by_offsets(offsets, DATA)
    fields: dict[str, Any] = {member: offsets, "data": DATA, "data_len": len(DATA)}
    rows = rows_of(3, **fields)
    assert got(rows) == expected
    assert got(rows_of(2, 1, **fields)) == expected[1:]
    assert got(rows.part(1, 1)) == expected[1:2]


@pytest.mark.parametrize(
    "offsets", [[0, 2**40, 20, 30], [0, -(2**63), 20, 30], [0, 2**63 - 1, 0, 9], [-(2**63), 2**63 - 1, 5, 6]], ids=str
)
def test_offsets_beyond_32_bits(offsets: list[int]) -> None:
    assert got(rows_of(3, data=DATA, data_len=len(DATA), offsets64=offsets)) == by_offsets(offsets, DATA)


EDGES = st.one_of(st.integers(-3, 210), st.sampled_from([-(2**31), 2**31 - 1, 0, 200, 201]))


@given(st.lists(EDGES, min_size=1, max_size=12), st.booleans(), st.lists(st.booleans(), max_size=12))
@FEW
def test_offsets_against_the_model(offsets: list[int], wide: bool, valid: list[bool]) -> None:
    """Rows behind the end of a short bitmap are null."""
    n = len(offsets) - 1
    bits = bitmap(valid)
    shown = [valid[i] if i < len(valid) else False for i in range(n)]
    member: dict[str, Any] = {"offsets64" if wide else "offsets32": offsets}
    rows = rows_of(n, valid=bits, data=DATA, data_len=len(DATA), **member)
    expected = [row if flag else None for row, flag in zip(by_offsets(offsets, DATA), shown, strict=True)]
    assert got(rows) == expected


def view(length: int, inline: bytes = b"", buffer: int = 0, offset: int = 0) -> bytes:
    head = length.to_bytes(4, "little", signed=True)
    if inline:
        return head + inline.ljust(12, b"\0")
    return head + bytes(4) + buffer.to_bytes(4, "little", signed=True) + offset.to_bytes(4, "little", signed=True)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (view(100, buffer=1), DATA[:100]),
        (view(200), DATA),
        (view(201), None),
        (view(100, offset=101), None),
        (view(13, offset=187), DATA[187:]),
        (view(13, offset=188), None),
        (view(13, offset=-1), None),
        (view(13, offset=-(2**31)), None),
        (view(13, buffer=2), None),
        (view(13, buffer=-1), None),
        (view(13, buffer=2**31 - 1), None),
        (view(-1), None),
        (view(-(2**31)), None),
        (view(2**31 - 1, offset=2**31 - 1), None),
        (view(2**31 - 1), None),
        (view(12, b"twelve bytes"), b"twelve bytes"),
        (view(0, b"rest is nought"[:12]), b""),
        (view(5, b"inline no more"[:12]), b"inlin"),
    ],
)
def test_views(bad: bytes, expected: bytes | None) -> None:
    views = view(20, offset=1) + bad + view(3, b"abc")
    fields: dict[str, Any] = {"views": views, "buffers": [DATA, DATA], "buffer_lens": [200, 200], "num_buffers": 2}
    assert got(rows_of(3, **fields)) == [DATA[1:21], expected, b"abc"]
    assert got(rows_of(2, 1, **fields)) == [expected, b"abc"]


@pytest.mark.parametrize("bits", [b"", b"\xff", b"\xff\xff", b"\x55\x55\x55"])
def test_bitmaps_shorter_than_the_rows(bits: bytes) -> None:
    flags = [i < 8 * len(bits) and bool(bits[i // 8] >> i % 8 & 1) for i in range(20)]
    every = [DATA[10 * i : 10 * i + 10] for i in range(20)]
    expected = [row if flag else None for row, flag in zip(every, flags, strict=True)]
    assert got(rows_of(20, valid=bits, data=DATA, data_len=200, stride=10)) == expected
    assert got(rows_of(13, 7, valid=bits, data=DATA, data_len=200, stride=10)) == expected[7:]
    assert got(rows_of(20, valid=bits, ptrs=every, lens=[10] * 20)) == expected


@pytest.mark.parametrize(
    ("n", "first", "stride"),
    [(3, 0, 100), (3, 1, 100), (2, 0, 201), (1, 2**63, 100), (2, 2**64 - 1, 10), (1, 0, 0), (2, 0, 2**64 - 1)],
)
def test_strides_that_reach_beyond_the_data(n: int, first: int, stride: int) -> None:
    """Also where row * stride would wrap."""
    rows = rows_of(n, first, data=DATA, data_len=200, stride=stride)
    for i, row in enumerate(got(rows)):
        at = (first + i) % 2**64 * stride
        assert row == (DATA[at : at + stride] if stride and at + stride <= 200 else None)


def test_pointers() -> None:
    items = [b"one", None, b"", b"four"]
    assert got(rows_of(4, ptrs=items, lens=[3, 9, 0, 4])) == items
    assert got(_lib.rows_of_sequence(items)) == items


def test_a_row_that_is_not_there() -> None:
    rows = _lib.rows_of_sequence([b"x", b"y"])
    assert rows.get(2) is None
    assert rows.part(1, 1).get(1) is None


CA = AmdCa("Milan")
LEAF = CA.vcek()
GOOD = ReportFields.fitting(LEAF).sign(LEAF)
TORN = GOOD[:0x50] + bytes([GOOD[0x50] ^ 1]) + GOOD[0x51:]
VERIFIER = Verifier(roots=[CA.ark_der, *CA.certs])


def judged(rows: Rows) -> list[str | None]:
    out = VERIFIER._judge(rows, VERIFIER._one_set([LEAF.der]), None, array("q", [int(AT.timestamp())]))
    codes = [_lib.CODE_NAMES.get(number) for number in out.code_numbers()]
    assert [value == 1 for value in out.accepted_bytes()] == [code is None for code in codes]
    return codes


def test_hostile_rows_are_rows_without_evidence() -> None:
    """And the rows beside them keep their verdicts."""
    data = GOOD + TORN + GOOD
    n = len(data)
    for bad in (-1, n + 1, -(2**31), 2**31 - 1):
        rows = rows_of(5, data=data, data_len=n, offsets32=[0, 1184, bad, 1184, 2368, 3552])
        assert judged(rows) == [None, "evidence-missing", "evidence-missing", "report-signature-invalid", None]
    views = view(1184) + view(1184, buffer=9) + view(1184, offset=n) + view(1184, offset=1184) + view(-5) + view(1184)
    rows = rows_of(6, views=views, buffers=[data], buffer_lens=[n], num_buffers=1)
    gone = "evidence-missing"
    assert judged(rows) == [None, gone, gone, "report-signature-invalid", gone, None]
    assert judged(rows_of(3, valid=b"\x05", data=data, data_len=n, stride=1184)) == [None, gone, None]
    assert judged(rows_of(5, data=data, data_len=n, stride=1184)) == [
        None,
        "report-signature-invalid",
        None,
        gone,
        gone,
    ]
    nine = GOOD * 9
    assert judged(rows_of(9, valid=b"\xff", data=nine, data_len=len(nine), stride=1184)) == [None] * 8 + [gone]


# ---- distinct values -------------------------------------------------------------------------------------------------


def distinct_with(rows: Rows, key: bytes, num_slots: int) -> tuple[list[int], list[int]]:
    n = rows.n
    index, first, slots = (
        ffi.new("int32_t[]", max(n, 1)),
        ffi.new("int64_t[]", max(n, 1)),
        ffi.new("int32_t[]", num_slots),
    )
    num = lib.att_rows_distinct(rows.c, key, index, first, slots, num_slots)
    return list(index)[:n], [int(first[k]) for k in range(num)]


def model_of_distinct(items: Sequence[bytes | None]) -> tuple[list[int], list[int]]:
    numbers: dict[bytes, int] = {}
    first: list[int] = []
    for i, item in enumerate(items):
        if item is not None and item not in numbers:
            numbers[item] = len(first)
            first.append(i)
    return [-1 if item is None else numbers[item] for item in items], first


VALUES = st.one_of(
    st.none(), st.sampled_from([b"", b"a", b"b", b"aa", bytes(8), bytes(9), b"x" * 40]), st.binary(max_size=20)
)


@given(st.lists(VALUES, max_size=60), st.binary(min_size=16, max_size=16), st.integers(0, 3))
@FEW
def test_distinct_against_the_model(items: list[bytes | None], key: bytes, spare: int) -> None:
    """Whatever the key and however full the slots: a smallest table is half full, and every run of slots wraps."""
    rows = _lib.rows_of_sequence(items)
    slots = 1 << (max(2 * len(items), 1) - 1).bit_length() + spare
    assert distinct_with(rows, key, slots) == model_of_distinct(items)
    index, first = _lib.distinct(rows)
    assert (list(index), first) == model_of_distinct(items)


def test_values_that_share_their_slots() -> None:
    """Thousands of values and of copies: many meet in a slot, and each keeps its number."""
    items: list[bytes | None] = [(i % 3000).to_bytes(4, "big") * (1 + i % 3) for i in range(9000)]
    items[5] = items[8999] = None
    rows = _lib.rows_of_sequence(items)
    for key in (bytes(16), b"\xff" * 16, bytes(range(16))):
        assert distinct_with(rows, key, 1 << 15) == model_of_distinct(items)
    full = [i.to_bytes(4, "big") for i in range(4096)]
    assert distinct_with(_lib.rows_of_sequence(full), bytes(16), 8192)[1] == list(range(4096))


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_distinct_of_nothing_but_nulls(n: int) -> None:
    rows = _lib.rows_of_sequence([None] * n)
    index, first = _lib.distinct(rows)
    assert (list(index), first) == ([-1] * n, [])
    assert distinct_with(rows, bytes(16), 1 << max(2 * n, 1).bit_length()) == ([-1] * n, [])


def test_distinct_of_one_value() -> None:
    index, first = _lib.distinct(_lib.rows_of_sequence([b"same"] * 500))
    assert (list(index), first) == ([0] * 500, [0])


def test_distinct_over_hostile_offsets() -> None:
    rows = rows_of(5, data=DATA, data_len=200, offsets32=[0, 5, -1, 201, 0, 5])
    index, first = _lib.distinct(rows)
    assert (list(index), first) == ([0, -1, -1, -1, 0], [0])


# ---- numbers ---------------------------------------------------------------------------------------------------------

I32 = st.integers(-(2**31), 2**31 - 1)


@given(st.lists(I32, max_size=30), st.lists(I32, max_size=10))
@FEW
def test_remap_against_the_model(index: list[int], table: list[int]) -> None:
    expected = [table[i] if 0 <= i < len(table) else -1 for i in index]
    assert list(_lib.remap(array("i", index), array("i", table))) == expected


@given(st.lists(st.integers(-5, 12), max_size=30), st.lists(I32, min_size=1, max_size=10))
@FEW
def test_remap_near_the_table_s_ends(index: list[int], table: list[int]) -> None:
    expected = [table[i] if 0 <= i < len(table) else -1 for i in index]
    assert list(_lib.remap(array("i", index), array("i", table))) == expected


WIDTHS = [(1, 1, "b"), (1, 0, "B"), (2, 1, "h"), (2, 0, "H"), (4, 1, "i"), (4, 0, "I"), (8, 1, "q"), (8, 0, "Q")]


def indices(
    data: bytes, width: int, signed: int, first: int, n: int, valid: bytes | None, num: int
) -> list[int] | None:
    memory, out = ffi.new("uint8_t[]", data or b"\0"), ffi.new("int32_t[]", max(n, 1))
    bits = ffi.NULL if valid is None else ffi.new("uint8_t[]", valid or b"\0")
    status = lib.att_indices(memory, width, signed, first, n, bits, 0 if valid is None else len(valid), num, out)
    assert status in (0, -1)
    return list(out)[:n] if status == 0 else None


@given(st.data())
@FEW
def test_indices_against_the_model(data: st.DataObject) -> None:
    """Null rows may hold anything; an index outside the values refuses the column, and none is cut to 32 bits."""
    width, signed, code = data.draw(st.sampled_from(WIDTHS))
    low, high = (-(1 << 8 * width - 1), (1 << 8 * width - 1) - 1) if signed else (0, (1 << 8 * width) - 1)
    edges = [v for v in (0, 4, 5, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**63, -1, low, high) if low <= v <= high]
    values = data.draw(st.lists(st.one_of(st.integers(0, 4), st.sampled_from(edges)), max_size=12))
    valid = data.draw(st.one_of(st.none(), st.lists(st.booleans(), max_size=16)))
    first = data.draw(st.integers(0, len(values)))
    num = data.draw(st.sampled_from([0, 1, 5, 100, 2**31 - 1, 2**31, 2**40]))
    shown = [valid is None or (i < len(valid) and valid[i]) for i in range(len(values))]
    expected: list[int] | None = [
        (-1 if not flag else value) for value, flag in zip(values[first:], shown[first:], strict=True)
    ]
    for value, flag in zip(values[first:], shown[first:], strict=True):
        if flag and not (0 <= value < num and value <= 2**31 - 1):
            expected = None
    raw = array(code, values).tobytes()
    bits = None if valid is None else bitmap(valid)
    assert indices(raw, width, signed, first, len(values) - first, bits, num) == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12), st.sampled_from([1, 10**3, 10**6, 10**9]), st.data())
@FEW
def test_times_against_the_model(ticks: list[int], per_second: int, data: st.DataObject) -> None:
    """Rounded down, on either side of 1970."""
    near = data.draw(st.lists(st.integers(-3, 3), max_size=4))
    ticks = ticks + [k * per_second + d for k in near for d in (-1, 0, 1)]
    valid = data.draw(st.one_of(st.none(), st.lists(st.booleans(), max_size=20)))
    first = data.draw(st.integers(0, len(ticks)))
    n = len(ticks) - first
    memory, out = ffi.new("int64_t[]", ticks or [0]), ffi.new("int64_t[]", max(n, 1))
    bits = ffi.NULL if valid is None else ffi.new("uint8_t[]", bitmap(valid) or b"\0")
    lib.att_times(memory, first, n, per_second, bits, 0 if valid is None else (len(valid) + 7) // 8, out)
    expected = [
        NO_TIME if valid is not None and not (i < len(valid) and valid[i]) else ticks[i] // per_second
        for i in range(first, len(ticks))
    ]
    assert list(out)[:n] == expected


@given(
    st.integers(1, 7),
    st.lists(st.lists(st.sampled_from([0, 1, 2, 16, 127, 65535]), min_size=7, max_size=7), max_size=10),
)
@FEW
def test_codes_against_the_model(width: int, table: list[list[int]]) -> None:
    """Not run (0) and pass (1) are no codes; the rest are, in their order."""
    rows = [row[:width] for row in table]
    n = len(rows)
    codes = ffi.new("uint16_t[]", [code for row in rows for code in row] or [0])
    offsets = ffi.new("int32_t[]", n + 1)
    expected = [[code for code in row if code > 1] for row in rows]
    total = sum(map(len, expected))
    ends = [sum(map(len, expected[:i])) for i in range(n + 1)]
    assert lib.att_codes_flatten(codes, n, width, offsets, ffi.NULL) == total
    assert list(offsets) == ends
    values = ffi.new("uint16_t[]", total + 1)
    values[total] = 999
    assert lib.att_codes_flatten(codes, n, width, offsets, values) == total
    assert list(offsets) == ends
    assert list(values) == [code for row in expected for code in row] + [999]


@given(st.integers(1, 9), st.data())
@FEW
def test_gather_against_the_model(stride: int, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, stride))
    size = data.draw(st.integers(0, stride - offset))
    records = data.draw(st.lists(st.binary(min_size=stride, max_size=stride), max_size=8))
    memory = ffi.new("uint8_t[]", b"".join(records) or b"\0")
    out = ffi.new("uint8_t[]", len(records) * size + 1)
    out[len(records) * size] = 0xA5
    lib.att_gather(memory, stride, offset, size, len(records), out)
    assert bytes(ffi.buffer(out)) == b"".join(r[offset : offset + size] for r in records) + b"\xa5"


# ---- times of callers ------------------------------------------------------------------------------------------------

UTC = timezone.utc


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))
@FEW
def test_seconds_of_a_datetime(naive: datetime, minutes: int) -> None:
    """Its instant, whatever its zone, rounded down; exact arithmetic says so."""
    aware = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert columns.to_seconds(aware) == expected


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), 253402300799),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), 253402300799),
        (datetime(2025, 6, 20, 2, tzinfo=timezone(timedelta(hours=2))), 1750377600),
        (datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), 1483228799),
        (2**31, 2**31),
        (0, 0),
        (253402300799, 253402300799),
    ],
)
def test_seconds_at_the_edges(at: datetime | int, seconds: int) -> None:
    assert columns.to_seconds(at) == seconds
    assert list(columns.to_times(at, 3)) == [seconds]
    assert list(columns.to_times([at, None], 2)) == [seconds, NO_TIME]


@pytest.mark.parametrize(
    "at", [-1, 253402300800, 2**63, -(2**70), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(2025, 1, 1)]
)  # fmt: skip
def test_seconds_that_are_refused(at: Any) -> None:
    with pytest.raises(ValueError, match="evaluation time"):
        columns.to_seconds(at)


@pytest.mark.parametrize("at", [None, True, False, 1.5, float("nan"), "2025-06-20", b"1", Ellipsis], ids=name_of)
def test_seconds_of_a_wrong_type(at: Any) -> None:
    with pytest.raises(TypeError, match="evaluation time"):
        columns.to_seconds(at)


# ---- columns of results ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 1001])
@pytest.mark.parametrize("parts", range(8))
def test_columns_lie_side_by_side(n: int, parts: int) -> None:
    """Each column has its room, none reaches into the next, and what was not asked for is not there."""
    sizes = {
        "valid_until": 8, "mark": 8, "omissions": 4, "leaf": 4, "crl": 4, "codes": 2 * _lib.NUM_SNP_CHECKS, "code": 2,
        "accepted": 1, "verified": 1, "parsed": 1, "findings": 8 * _lib.NUM_SNP_CHECKS,
        "claims": ffi.sizeof("att_snp_report"), "reports": _lib.REPORT_LEN,
    }  # fmt: skip
    c = ffi.new("att_snp_columns *")
    assert {name for name, _ in ffi.typeof("att_snp_columns").fields} == set(sizes)
    total = lib.att_snp_columns_place(n, parts, ffi.NULL, c)
    memory = ffi.new("uint64_t[]", total // 8)
    assert lib.att_snp_columns_place(n, parts, memory, c) == total == 8 * len(memory)
    optional = {"findings": parts & 1, "claims": parts & 2, "reports": parts & 4}
    base, spans = int(ffi.cast("uintptr_t", memory)), []
    for name, size in sizes.items():
        at = int(ffi.cast("uintptr_t", getattr(c, name)))
        assert (at == 0) == (not optional.get(name, 1)), name
        if at:
            assert at % 8 == 0
            spans.append((at - base, at - base + n * size))
    spans.sort()
    assert spans[0][0] == 0
    assert spans[-1][1] <= total
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def test_rows_that_are_not_there() -> None:
    columns = _lib.SnpColumns(2, findings=True, claims=True, reports=False)
    assert columns.codes(1) == [_lib.NOT_RUN] * _lib.NUM_SNP_CHECKS
    for row in (-1, 2):
        for read in (columns.codes, columns.fingerprint, columns.report_fields, lambda i: columns.finding(i, 0)):
            with pytest.raises(IndexError, match="no row"):
                read(row)


def test_fields_as_the_struct_has_them() -> None:
    """The numbers of a report read in one go are those that its members hold one by one."""
    c = ffi.new("att_snp_report *")
    size = ffi.sizeof("att_snp_report")
    ffi.buffer(c)[:] = bytes((7 * i + 3) % 256 for i in range(size))
    c.product = 2
    read = _lib._report_fields(c)
    for name in ("version", "guest_svn", "policy", "vmpl", "signature_algo", "platform_info", "key_info", "signing_key",
                 "cpuid_fam_id", "cpuid_mod_id", "cpuid_step", "tcb_layout", "launch_mit_vector", "current_mit_vector"):  # fmt: skip
        assert getattr(read, name) == getattr(c, name), name
    for name in ("author_key_en", "mask_chip_key", "has_cpuid", "chip_id_masked"):
        assert getattr(read, name) is bool(getattr(c, name)), name
    assert read.product == "genoa"
    assert read.current_version == tuple(c.current_version)
    assert read.committed_version == tuple(c.committed_version)
    for name, kind in (("reported", 0), ("committed", 1), ("current", 2), ("launch", 3)):
        tcb, parts = getattr(read, f"{name}_tcb"), c.tcb[kind]
        for part in ("fmc", "boot_loader", "tee", "snp", "microcode"):
            assert getattr(tcb, part) == getattr(parts, part), (name, part)


def test_the_mark_tells_every_byte() -> None:
    """A report changed in any one byte, signed or not, has another mark; the same report has the same, alone and among others."""
    rows = [bytes(GOOD[:at]) + bytes([GOOD[at] ^ 1]) + bytes(GOOD[at + 1 :]) for at in range(len(GOOD))]
    (column,) = columns.to_rows([GOOD, *rows, GOOD, GOOD[:-1]], _lib.REPORT_LEN)
    out = VERIFIER._judge(column, VERIFIER._one_set([LEAF.der]), None, array("q", [int(AT.timestamp())]))
    marks = [out.fingerprint(row)[0] for row in range(column.n)]
    assert len(set(marks)) == len(GOOD) + 2
    assert marks[0] == marks[-2] != marks[-1]
    (alone,) = columns.to_rows([rows[500]], _lib.REPORT_LEN)
    one = VERIFIER._judge(alone, VERIFIER._one_set([LEAF.der]), None, array("q", [int(AT.timestamp())]))
    assert one.fingerprint(0) == out.fingerprint(501)
