# SPDX-License-Identifier: Apache-2.0
"""Batches: every form of a column, every place of a bad row, every kind of certificate cell and of time; and the cache of
certificate sets. Whatever the form, a row's result is the one that verify() gives for it alone.
"""

from __future__ import annotations

import itertools
import mmap
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snp_asserts import assert_accepted, assert_only, coherent
from snp_evidence import CERTS, CRLS, ITEMS, needs_evidence
from snp_world import NOW, Case, authority, case_of, endorsement, good

import snpverify.verifier
from attestcore import _lib
from attestcore.columns import ROWS_PER_CALL
from snpverify import BatchResults, Policy, Verdict, Verifier
from snpverify.arrow import CLAIM_NAMES
from snpverify.testing import CertificateTable, TableEntry
from snpverify.testing.strategies import mutations

pa = pytest.importorskip("pyarrow")

Item = bytes | None

CASE = good("Genoa", version=5)
TWIN = good("Genoa", version=3, guest_svn=7)  # another good report of the same chip


def torn(report: bytes) -> bytes:
    """Signed, and changed since."""
    return report[:0x90] + bytes([report[0x90] ^ 1]) + report[0x91:]


#: One row of each sort, and the first code against it.
SORTS: dict[str, tuple[Item, str | None]] = {
    "good": (CASE.report, None),
    "twin": (TWIN.report, None),
    "torn": (torn(CASE.report), "report-signature-invalid"),
    "vmpl": (good("Genoa", version=5, vmpl=4).report, "vmpl-refused"),
    "debug": (good("Genoa", version=5, policy=0xB0000).report, "debug-allowed"),
    "zero": (bytes(1184), "report-version-unsupported"),
    "short": (CASE.report[:-1], "report-length-invalid"),
    "long": (CASE.report + b"\0", "report-length-invalid"),
    "empty": (b"", "report-length-invalid"),
    "none": (None, "evidence-missing"),
}
CODE_OF = dict(SORTS.values())
WHOLE = [name for name, (item, _) in SORTS.items() if item is not None and len(item) == 1184]


@lru_cache(maxsize=4096)
def alone(case: Case, at: int | None = None) -> dict[str, Any]:
    """What verify() says of one report."""
    return case.verifier().verify(case.report, certs=case.certs, at=case.at if at is None else at).to_dict()


def check_rows(
    results: BatchResults, items: Sequence[Item], case: Case = CASE, rows: Sequence[int] | None = None
) -> None:
    """Columns and verdicts of a batch are those of each row judged alone; rows: whose full verdict is read."""
    assert len(results) == len(results.accepted) == len(results.code) == len(items)
    assert list(results.code) == [CODE_OF[item] for item in items]
    assert list(results.accepted) == [CODE_OF[item] is None for item in items]
    for i in range(len(items)) if rows is None else rows:
        verdict, item = results[i], items[i]
        coherent(verdict)
        if item is None:
            assert_missing(verdict)
        else:
            assert verdict.to_dict() == alone(case.but(report=item)), i


def assert_missing(verdict: Verdict) -> None:
    """A row without evidence: one failed check, and nothing is said of what is not there."""
    assert not verdict.accepted
    found = {check.check: check.code for check in verdict.checks if check.code is not None}
    assert found == {"report-length": "evidence-missing"}
    assert (verdict.claims, verdict.evidence_sha256, verdict.used, verdict.claims_verified) == (None, None, (), False)


def batch(items: Any, case: Case = CASE, **options: Any) -> BatchResults:
    verifier = options.pop("verifier", None) or case.verifier(options.pop("engine", None))
    return verifier.verify_batch(items, **{"certs": case.certs, "at": case.at, **options})


# ---- places and patterns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [*range(18), 64])
def test_one_bad_row_at_each_place(n: int) -> None:
    """The neighbours keep their verdicts, and the bad row its own."""
    for place in range(n):
        items: list[Item] = [CASE.report] * n
        items[place] = SORTS["torn"][0]
        check_rows(batch(b"".join(i for i in items if i)), items, rows=[place])
    good_ones: list[Item] = [CASE.report] * n
    check_rows(batch(CASE.report * n), good_ones, rows=range(min(n, 3)))


@pytest.mark.parametrize("place", [0, 1, 7, 8, 499, 992, 999])
def test_one_bad_row_among_a_thousand(place: int) -> None:
    items: list[Item] = [CASE.report] * 1000
    items[place] = SORTS["torn"][0]
    check_rows(batch(items), items, rows=[place, 0, 999])


@pytest.mark.parametrize("n", [0, 1, 5, 17, 64])
def test_all_rows_are_bad(n: int, engine: str) -> None:
    items = [SORTS["torn"][0]] * n
    results = batch(items, engine=engine)
    assert list(results.accepted) == [False] * n
    assert list(results.code) == ["report-signature-invalid"] * n


def test_every_pattern_of_eight(engine: str) -> None:
    """2^8 patterns of good and bad signatures, by each engine, each a call of its own."""
    kinds = (SORTS["torn"][0], CASE.report)
    for pattern in range(256):
        items = [kinds[pattern >> i & 1] for i in range(8)]
        results = batch(items, engine=engine)
        assert list(results.accepted) == [bool(pattern >> i & 1) for i in range(8)], pattern
        assert list(results.code) == [CODE_OF[item] for item in items], pattern


def test_every_pattern_of_eight_with_gaps() -> None:
    """Rows that bring no signature to verify shift nobody's result."""
    kinds = (None, TWIN.report)
    for pattern in range(256):
        items = [kinds[pattern >> i & 1] for i in range(8)]
        assert list(batch(items).accepted) == [bool(pattern >> i & 1) for i in range(8)], pattern


@given(st.lists(st.sampled_from(list(SORTS)), max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_duplicates_and_parts(names: list[str], random_: random.Random) -> None:
    """Permuting, doubling and splitting a batch permutes, doubles and splits its results."""
    items = [SORTS[name][0] for name in names]
    results = batch(items)
    check_rows(results, items, rows=range(min(3, len(items))))
    order = list(range(len(items)))
    random_.shuffle(order)
    moved = batch([items[i] for i in order])
    assert list(moved.code) == [results.code[i] for i in order]
    assert list(moved.accepted) == [results.accepted[i] for i in order]
    assert list(batch(items + items).code) == list(results.code) * 2
    cut = random_.randrange(len(items) + 1)
    assert list(batch(items[:cut]).code + batch(items[cut:]).code) == list(results.code)


def test_the_same_row_twice_has_two_verdicts() -> None:
    """Under two times: the certificate's end is a row's own affair."""
    end = int(datetime(2032, 1, 28, 16, 26, 55, tzinfo=timezone.utc).timestamp())
    results = batch([CASE.report] * 3, at=[end, end + 1, end])
    assert list(results.accepted) == [True, False, True]
    assert_only(results[1], "leaf-validity", "certificate-expired")


# ---- columns of reports ----------------------------------------------------------------------------------------------


def _binary(kind: str) -> Callable[[Sequence[Item]], Any]:
    def make(items: Sequence[Item]) -> Any:
        if not hasattr(pa, "binary_view") and kind == "binary_view":
            pytest.skip("this pyarrow has no binary_view")
        return pa.array(items, pa.binary(1184) if kind == "fixed" else getattr(pa, kind)())

    return make


def _sliced(kind: str) -> Callable[[Sequence[Item]], Any]:
    """The rows inside a larger array: its offset is not zero, nor a multiple of 8."""
    make = _binary(kind)
    return lambda items: make([torn(CASE.report)] * 11 + list(items) + [torn(CASE.report)] * 3).slice(11, len(items))


def _chunked(items: Sequence[Item]) -> Any:
    cuts = [0, 0, 1, 1, len(items) // 2, len(items), len(items)]
    kind = pa.binary()
    return pa.chunked_array([pa.array(items[a:b] if a <= b else [], kind) for a, b in itertools.pairwise(cuts)], kind)


def _indexed(width: Any) -> Callable[[Sequence[Item]], Any]:
    """A dictionary column; a null row is a null index."""

    def make(items: Sequence[Item]) -> Any:
        values = list(dict.fromkeys(item for item in items if item is not None))
        index = [None if item is None else values.index(item) for item in items]
        return pa.DictionaryArray.from_arrays(pa.array(index, width), pa.array(values, pa.binary()))

    return make


def _null_values(items: Sequence[Item]) -> Any:
    """A dictionary column where a null row is a null among the values."""
    values = list(dict.fromkeys(items))
    index = pa.array([values.index(item) for item in items], pa.int32())
    return pa.DictionaryArray.from_arrays(index, pa.array(values, pa.binary()))


FORMS_OF_ANY: dict[str, Callable[[Sequence[Item]], Any]] = {
    "list": list,
    "tuple": tuple,
    "bytearrays": lambda items: [item if item is None else bytearray(item) for item in items],
    "memoryviews": lambda items: [item if item is None else memoryview(item) for item in items],
    "views-with-a-step": lambda items: [
        item if item is None else memoryview(b"".join(bytes([x, 0]) for x in item))[::2] for item in items
    ],
    "binary": _binary("binary"),
    "large_binary": _binary("large_binary"),
    "binary_view": _binary("binary_view"),
    "binary-sliced": _sliced("binary"),
    "large_binary-sliced": _sliced("large_binary"),
    "binary_view-sliced": _sliced("binary_view"),
    "chunked": _chunked,
    "dictionary": _indexed(pa.int32()),
    "dictionary-int8": _indexed(pa.int8()),
    "dictionary-uint16": _indexed(pa.uint16()),
    "dictionary-int64": _indexed(pa.int64()),
    "dictionary-sliced": lambda items: _indexed(pa.int32())([None, b"x", *items, b"y"]).slice(2, len(items)),
    "dictionary-null-values": _null_values,
    "dictionary-chunked": lambda items: pa.chunked_array([_indexed(pa.int8())(items[:4]), _indexed(pa.int8())(items[4:])]),
}  # fmt: skip

FORMS_OF_WHOLE: dict[str, Callable[[Sequence[bytes]], Any]] = {
    "bytes": b"".join,
    "bytearray": lambda items: bytearray(b"".join(items)),
    "memoryview": lambda items: memoryview(b"".join(items)),
    "memoryview-writable": lambda items: memoryview(bytearray(b"".join(items))),
    "memoryview-words": lambda items: memoryview(b"".join(items)).cast("I"),
    "memoryview-part": lambda items: memoryview(b"x" * 7 + b"".join(items) + b"y")[7:-1],
    "py_buffer": lambda items: pa.py_buffer(b"".join(items)),
    "fixed": _binary("fixed"),
    "fixed-sliced": _sliced("fixed"),
}


@pytest.mark.parametrize("form", FORMS_OF_ANY)
def test_column_of_any_rows(form: str) -> None:
    items = [SORTS[name][0] for name in SORTS] + [None, CASE.report]
    check_rows(batch(FORMS_OF_ANY[form](items)), items)


@pytest.mark.parametrize("form", [*FORMS_OF_WHOLE, *FORMS_OF_ANY])
def test_column_of_whole_rows(form: str) -> None:
    items = [SORTS[name][0] or b"" for name in WHOLE] + [CASE.report]
    check_rows(batch({**FORMS_OF_WHOLE, **FORMS_OF_ANY}[form](items)), items)


@pytest.mark.parametrize("form", [*FORMS_OF_WHOLE, *FORMS_OF_ANY])
def test_column_of_no_rows(form: str) -> None:
    results = batch({**FORMS_OF_WHOLE, **FORMS_OF_ANY}[form]([]))
    assert (len(results), list(results), list(results.accepted), list(results.code)) == (0, [], [], [])
    assert results.to_arrow().num_rows == 0


def test_fixed_size_rows_with_nulls() -> None:
    items = [CASE.report, None, SORTS["torn"][0], None]
    check_rows(batch(_binary("fixed")(items)), items)
    check_rows(batch(_sliced("fixed")(items)), items)


@pytest.mark.parametrize("width", [0, 1, 1183, 1185, 2368])
def test_fixed_size_rows_of_another_size(width: int) -> None:
    """Rows of another width are rows that fail, not two reports in one."""
    column = pa.array([(CASE.report * 2)[:width]] * 3, pa.binary(width))
    results = batch(column)
    assert list(results.accepted) == [False] * 3
    assert set(results.code) <= {"report-length-invalid", "evidence-missing"}


@pytest.mark.parametrize("access", [mmap.ACCESS_READ, mmap.ACCESS_COPY])
def test_mapped_file(tmp_path: Path, access: int) -> None:
    items: list[Item] = [SORTS[name][0] for name in WHOLE]
    path = tmp_path / "reports"
    path.write_bytes(b"".join(i for i in items if i))
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=access)
        results = batch(mapped)
        check_rows(results, items)


def test_array_of_bytes_is_a_buffer() -> None:
    from array import array

    items: list[Item] = [CASE.report, SORTS["torn"][0]]
    check_rows(batch(array("B", CASE.report + torn(CASE.report))), items)


@pytest.mark.parametrize("size", [1, 1183, 1185, 2367])
def test_buffer_that_is_not_whole_rows(size: int) -> None:
    with pytest.raises(ValueError, match="1184"):
        batch(bytes(size))


def test_buffer_that_is_not_contiguous() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        batch(memoryview(CASE.report * 4)[::2])


@pytest.mark.parametrize(
    "column",
    [
        "a string", 5, None, 1.5, object(), ["text"], [CASE.report, 5], [[CASE.report]], {1, 2},
        pa.array([1, 2]), pa.array([1.5]), pa.array([[b"x"]]), pa.table({"a": [b"x"]}),
        pa.array([True]), pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([1])),
    ],
    ids=lambda column: str(getattr(column, "type", type(column).__name__)),
)  # fmt: skip
def test_what_is_no_column_of_evidence(column: Any) -> None:
    with pytest.raises(TypeError):
        batch(column)


def test_bytes_that_lie_about_their_length() -> None:
    """A subclass that answers len() as it likes cannot make the core read past its end."""

    class Liar(bytes):
        def __len__(self) -> int:
            return 1184

    results = batch([Liar(CASE.report[:100]), CASE.report])
    assert list(results.code) == ["report-length-invalid", None]


# ---- hostile Arrow arrays --------------------------------------------------------------------------------------------


def raw_binary(offsets: Sequence[int], data: bytes, wide: bool, valid: bytes | None = None, first: int = 0) -> Any:
    buffer = pa.py_buffer(b"".join(o.to_bytes(8 if wide else 4, "little", signed=True) for o in offsets))
    buffers = [None if valid is None else pa.py_buffer(valid), buffer, pa.py_buffer(data)]
    kind = pa.large_binary() if wide else pa.binary()
    return pa.Array.from_buffers(kind, len(offsets) - 1 - first, buffers, -1 if valid is not None else 0, first)


@pytest.mark.parametrize("wide", [False, True], ids=["int32", "int64"])
@pytest.mark.parametrize(
    "bad",
    [(2368, 1184), (1184, -1), (-1184, 0), (-(2**31), 2**31 - 1), (1184, 2**31 - 1), (5000, 6184), (4 * 1184, 4 * 1184)],
    ids=str,
)  # fmt: skip
def test_offsets_that_lie(bad: tuple[int, int], wide: bool) -> None:
    """Rows 1 to 3 share two wrong offsets; those around them have their own verdict."""
    begin, end = bad
    data = CASE.report * 3 + torn(CASE.report)
    offsets = [0, 1184, begin, end, 3 * 1184, 4 * 1184]
    results = batch(raw_binary(offsets, data, wide))
    expected: list[str | None] = []
    for a, b in itertools.pairwise(offsets):
        if 0 <= a <= b <= len(data):
            row = data[a:b]
            expected.append(CODE_OF.get(row, "report-length-invalid"))
        else:
            expected.append("evidence-missing")
    assert list(results.code) == expected
    assert results.code[0] is None
    assert results.code[4] == "report-signature-invalid"
    for i, code in enumerate(expected):
        assert results[i].codes[:1] == (() if code is None else (code,))
        if code == "evidence-missing":
            assert_missing(results[i])


@pytest.mark.skipif(not hasattr(pa, "binary_view"), reason="this pyarrow has no binary_view")
@pytest.mark.parametrize(
    ("length", "buffer", "offset"),
    [(1184, 7, 0), (1184, -1, 0), (1184, 2**31 - 1, 0), (1184, 0, 1), (1184, 0, -1), (1184, 0, 2**31 - 1), (-1, 0, 0),
     (-1184, 0, 0), (2**31 - 1, 0, 2**31 - 1), (1185, 0, 0)],
)  # fmt: skip
def test_views_that_lie(length: int, buffer: int, offset: int) -> None:
    def view(*words: int) -> bytes:
        return b"".join(word.to_bytes(4, "little", signed=True) for word in words)

    right = view(1184, 0, 0, 0)
    views = right + view(length, 0, buffer, offset) + view(1184, 0, 1, 0) + view(4) + b"\5\0\0\0" + bytes(8)
    buffers = [None, pa.py_buffer(views), pa.py_buffer(CASE.report), pa.py_buffer(torn(CASE.report))]
    results = batch(pa.Array.from_buffers(pa.binary_view(), 4, buffers, 0))
    assert list(results.code) == [None, "evidence-missing", "report-signature-invalid", "report-length-invalid"]
    assert_missing(results[1])


# ---- certificates ----------------------------------------------------------------------------------------------------

CA = authority("Genoa")
LEAF = endorsement("Genoa")
OTHER = authority("Genoa").vcek(chip_id=b"\7" * 64)
TEXT = b"subject=CN = SEV-VCEK\nissuer=CN = SEV-Genoa\n\n"
BIG = 1 << 20

#: What one cell may hold, and the code of the check "certificate" where it is refused.
CELLS: dict[str, tuple[Item, str | None]] = {
    "der": (LEAF.der, None),
    "pem": (LEAF.pem, None),
    "pem-chain": (CA.chain_pem() + LEAF.pem, None),
    "pem-with-text": (TEXT + LEAF.pem, None),
    "pem-with-text-between": (TEXT + CA.ask_pem + TEXT + LEAF.pem, None),
    "pem-crlf": (LEAF.pem.replace(b"\n", b"\r\n"), None),
    "pem-blank-lines": (b"\n \r\n" + LEAF.pem, None),
    "table": (CertificateTable.of(vcek=LEAF.der, ask=CA.ask_der, ark=CA.ark_der).build(), None),
    "table-leaf-alone": (CertificateTable.of(vcek=LEAF.der, page=0).build(), None),
    "table-of-1-MiB": (CertificateTable.of(vcek=LEAF.der, page=BIG).build(), None),
    "16-certificates": (LEAF.pem * 16, None),
    "null": (None, "certificate-missing"),
    "other-kind": (CA.ask_der, "certificate-missing"),
    "empty-table": (CertificateTable(()).build(), "certificate-missing"),
    "empty": (b"", "certificate-set-malformed"),
    "garbage": (b"\x01garbage", "certificate-set-malformed"),
    "text-alone": (b"no certificates today", "certificate-set-malformed"),
    "der-cut": (LEAF.der[:-1], "certificate-set-malformed"),
    "der-with-tail": (LEAF.der + b"\0", "certificate-set-malformed"),
    "pem-cut": (LEAF.pem[:-30], "certificate-set-malformed"),
    "table-lies": (CertificateTable.of(vcek=LEAF.der).with_entry(0, length=BIG).build(), "certificate-set-malformed"),
    "over-1-MiB": (b"\x30" * (BIG + 1), "certificate-set-too-large"),
    "table-over-1-MiB": (
        CertificateTable.of(vcek=LEAF.der, page=BIG).replace(trailing=bytes(4096)).build(), "certificate-set-too-large"
    ),
    "17-certificates": (LEAF.pem * 17, "certificate-set-too-large"),
    "twice-in-a-table": (
        CertificateTable(tuple(TableEntry("vcek", LEAF.der) for _ in range(2))).build(), "certificate-set-malformed"
    ),
}  # fmt: skip


def fit(cell: Item, engine: str | None = None) -> Case:
    """The report judged with that cell alone: the intermediates are the anchors' neighbours."""
    return CASE.but(certs=() if cell is None else (cell,), roots=(CA.ark_der, *CA.certs))


ROOTED = fit(LEAF.der)


def check_cells(results: BatchResults, names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        code = CELLS[name][1]
        verdict = results[i]
        assert results.code[i] == code, name
        assert results.accepted[i] is (code is None), name
        if code is None:
            assert_accepted(verdict)
        else:
            assert_only(verdict, "certificate", code, unrun=None)


def cert_column(names: Sequence[str], form: str) -> Any:
    cells = [CELLS[name][0] for name in names]
    if form == "chunked":
        return pa.chunked_array([pa.array(cells[:3]), pa.array([], pa.binary()), pa.array(cells[3:])], pa.binary())
    if form == "sliced":
        return pa.array([b"x", LEAF.der, None, *cells, LEAF.der]).slice(3, len(cells))
    return FORMS_OF_ANY[form](cells)


@pytest.mark.parametrize(
    "form",
    ["binary", "large_binary", "binary_view", "sliced", "chunked", "dictionary", "dictionary-int8", "dictionary-sliced",
     "dictionary-null-values", "dictionary-chunked"],
)  # fmt: skip
def test_one_set_a_row(form: str) -> None:
    """All sorts of cells in one column; each row is judged by its own."""
    names = [*CELLS, "der", "null", "garbage", "der"]
    results = batch([CASE.report] * len(names), ROOTED, certs=cert_column(names, form))
    check_cells(results, names)


@pytest.mark.parametrize("name", CELLS)
def test_cells_by_number(name: str) -> None:
    """The same by certs_index, as bytes and as a sequence of one."""
    cell = CELLS[name][0]
    if cell is None:
        results = batch([CASE.report] * 2, ROOTED, certs=[LEAF.der], certs_index=[-1, 0])
        check_cells(results, ["null", "der"])
        return
    for one in (cell, [cell], (memoryview(cell),)):
        results = batch([CASE.report] * 3, ROOTED, certs=[[LEAF.der], one], certs_index=[0, 1, 0])
        check_cells(results, ["der", name, "der"])


def test_text_above_counts_as_the_cell_s() -> None:
    """1 MiB is what a cell may have, whatever it is made of."""
    results = batch([CASE.report], ROOTED, certs=pa.array([b"text\n" * (BIG // 5 + 1) + LEAF.pem]))
    assert list(results.code) == ["certificate-set-too-large"]


def test_one_set_for_all_is_not_bounded_in_number() -> None:
    """A fleet's certificates: many blobs, many blocks in one of them."""
    fleet = [authority("Genoa").vcek(chip_id=bytes([i]) * 64).pem for i in range(1, 20)]
    results = batch([CASE.report] * 2, ROOTED, certs=[b"".join(fleet) + LEAF.pem, *fleet])
    assert list(results.accepted) == [True, True]
    assert list(batch([CASE.report], ROOTED, certs=[b"".join(fleet)]).code) == ["chip-id-mismatch"]


def test_columns_cut_in_different_places() -> None:
    """Reports, certificates and times are each chunked in their own way."""
    names = list(CELLS)
    n = len(names)
    cells = [CELLS[name][0] for name in names]
    reports = pa.chunked_array([pa.array([CASE.report] * k, pa.binary()) for k in (1, 0, 7, n - 8)])
    certs = pa.chunked_array([pa.array(cells[a:b], pa.binary()) for a, b in ((0, 5), (5, 5), (5, 6), (6, n))])
    times = pa.chunked_array([pa.array([NOW] * k, pa.int64()) for k in (n - 2, 2)])
    check_cells(batch(reports, ROOTED, certs=certs, at=times), names)


def test_dictionaries_that_differ_by_chunk() -> None:
    """The same index means another set in the next chunk."""
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), pa.array([LEAF.der, OTHER.der]))
    second = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array([OTHER.der, LEAF.der]))
    results = batch([CASE.report] * 6, ROOTED, certs=pa.chunked_array([first, second]))
    wrong = "chip-id-mismatch"
    assert list(results.code) == [None, wrong, None, wrong, None, "certificate-missing"]


@pytest.mark.parametrize("size", [1, 3])
def test_certificate_column_of_another_length(size: int) -> None:
    with pytest.raises(ValueError, match="rows for 2 reports"):
        batch([CASE.report] * 2, ROOTED, certs=pa.array([LEAF.der] * size))


@pytest.mark.parametrize("index", [[2, 0], [0, -2], [-3, 0], [0], [0, 0, 0], [], [0, 2**31 - 1], [0, -(2**31)]])
def test_certs_index_out_of_range(index: list[int]) -> None:
    with pytest.raises(ValueError, match="certs_index"):
        batch([CASE.report] * 2, ROOTED, certs=[[LEAF.der], [OTHER.der]], certs_index=index)


@pytest.mark.parametrize("index", [[0, 2**31], [0, 2**63], [-(2**40), 0]])
def test_certs_index_that_fits_no_machine_word(index: list[int]) -> None:
    with pytest.raises(ValueError, match="certs_index"):
        batch([CASE.report] * 2, ROOTED, certs=[[LEAF.der]], certs_index=index)


@pytest.mark.parametrize(
    "index", [[0.0, 0], [None, 0], ["0", 0], "00", 5, b"\0" * 8, bytearray(8)], ids=lambda i: type(i).__name__ + str(i)
)
def test_certs_index_of_a_wrong_type(index: Any) -> None:
    """Bytes too: they are not read as machine words."""
    with pytest.raises(TypeError):
        batch([CASE.report] * 2, ROOTED, certs=[[LEAF.der]], certs_index=index)


def test_certs_index_in_other_sequences() -> None:
    from array import array

    for index in ((0, -1), array("q", [0, -1]), array("b", [0, -1]), range(0, -2, -1)):
        results = batch([CASE.report] * 2, ROOTED, certs=[[LEAF.der]], certs_index=index)
        assert list(results.code) == [None, "certificate-missing"]


def test_certs_index_without_sets() -> None:
    assert list(batch([CASE.report], ROOTED, certs=[], certs_index=[-1]).code) == ["certificate-missing"]
    assert list(batch([CASE.report], ROOTED, certs=[[]], certs_index=[0]).code) == ["certificate-missing"]


@pytest.mark.parametrize("certs", ["text", b"bytes", 5, None, [5], ["text"], [[b"x", 5]]], ids=repr)
def test_certs_of_a_wrong_type(certs: Any) -> None:
    with pytest.raises(TypeError):
        batch([CASE.report], ROOTED, certs=certs)
    with pytest.raises(TypeError):
        batch([CASE.report], ROOTED, certs=certs, certs_index=[0])


@pytest.mark.parametrize("column", [pa.array([1]), pa.array([[b"x"]]), pa.array([1.5])], ids=lambda c: str(c.type))
def test_certificate_column_of_a_wrong_type(column: Any) -> None:
    with pytest.raises(TypeError):
        batch([CASE.report], ROOTED, certs=column)


# ---- times -----------------------------------------------------------------------------------------------------------

BEGIN = int(datetime(2025, 1, 28, 16, 26, 55, tzinfo=timezone.utc).timestamp())  # the leaf's notBefore
MISSING_TIME = "evaluation-time-missing"
EARLY = "certificate-not-yet-valid"
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def test_one_time_or_one_a_row() -> None:
    when = datetime.fromtimestamp(NOW, timezone.utc)
    rows = [CASE.report] * 4
    for at in (NOW, when):
        assert list(batch(rows, at=at).accepted) == [True] * 4
    for times in ([NOW, when, None, BEGIN - 1], (NOW, when, None, BEGIN - 1)):
        results = batch(rows, at=times)
        assert list(results.code) == [None, None, MISSING_TIME, EARLY]
        assert [results[i].evaluated_at for i in range(4)] == [NOW, NOW, None, BEGIN - 1]
        assert_only(results[2], "evaluation-time", MISSING_TIME, unrun=None)
        assert results[2].to_dict()["evaluated_at"] is None


def test_times_as_integers() -> None:
    column = pa.array([0, NOW, None, BEGIN - 1, BEGIN, -1, 253402300800, 2**63 - 1, -(2**63), -(2**63) + 1])
    expected = [EARLY, None, MISSING_TIME, EARLY, None, *[MISSING_TIME] * 5]
    for at in (column, pa.chunked_array([column[:3], column[3:]]), pa.array([1, *column.to_pylist(), 2])[1:-1]):
        results = batch([CASE.report] * len(expected), at=at)
        assert list(results.code) == expected
        for i in (2, 5, 6, 7, 8, 9):
            assert_only(results[i], "evaluation-time", MISSING_TIME, unrun=None)
            assert results[i].to_dict()["evaluated_at"] is None
        assert results.to_arrow()["accepted"].to_pylist() == [code is None for code in expected]


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("unit", UNITS)
def test_times_as_timestamps(unit: str, zone: str | None) -> None:
    """Naive is UTC, a zone changes the words and not the instant, fractions are rounded down, also before 1970."""
    ticks = UNITS[unit]
    kind = pa.timestamp(unit, tz=zone)
    fraction = ticks - 1
    values = [NOW * ticks, NOW * ticks + fraction, None, BEGIN * ticks, BEGIN * ticks - 1, 0, -1, -ticks, -ticks - 1]
    column = pa.array(values, pa.int64()).cast(kind)
    results = batch([CASE.report] * len(values), at=column)
    assert list(results.code) == [None, None, MISSING_TIME, None, EARLY, EARLY, *[MISSING_TIME] * 3]
    assert [results[i].evaluated_at for i in (0, 1, 2, 3, 4, 5)] == [NOW, NOW, None, BEGIN, BEGIN - 1, 0]
    assert list(batch([CASE.report] * 3, at=column.slice(1, 3)).code) == [None, MISSING_TIME, None]


def test_times_in_the_table_are_those_of_the_verdicts() -> None:
    """None where a row had no time, or one that no calendar of four digits has."""
    times = [NOW, None, BEGIN, -1, 253402300800, 2**63 - 1]
    results = batch([CASE.report] * len(times), at=pa.array(times, pa.int64()))
    column = results.to_arrow()["evaluated_at"]
    assert column.type == pa.timestamp("s", tz="UTC")
    shown = column.cast(pa.int64()).to_pylist()
    assert shown == [NOW, None, BEGIN, None, None, None]
    assert [results[i].to_dict()["evaluated_at"] is None for i in range(6)] == [t is None for t in shown]


@pytest.mark.parametrize("n", [0, 1, 2, 4])
@pytest.mark.parametrize("form", [list, tuple, lambda times: pa.array(times, pa.int64())])
def test_wrong_number_of_times(n: int, form: Callable[[list[int]], Any]) -> None:
    with pytest.raises(ValueError, match=f"at has {n} entries for 3 rows"):
        batch([CASE.report] * 3, at=form([NOW] * n))


def test_times_of_no_rows() -> None:
    assert len(batch([], at=[])) == 0
    assert len(batch([], at=pa.array([], pa.int64()))) == 0


@pytest.mark.parametrize(
    "at",
    [None, "now", b"now", 1.5, True, pa.array(["2025"]), pa.array([1.5]), pa.array([b"x"]), {NOW}, [True], [1.5], ["x"],
     pa.array([NOW], pa.int32())],
    ids=lambda at: str(getattr(at, "type", repr(at))),
)  # fmt: skip
def test_times_of_a_wrong_type(at: Any) -> None:
    with pytest.raises(TypeError):
        batch([CASE.report], at=at)


@pytest.mark.parametrize(
    "at", [-1, 253402300800, datetime(2025, 1, 1), [datetime(2025, 1, 1)], [-1], [2**70]], ids=repr
)
def test_times_that_are_a_caller_s_mistake(at: Any) -> None:
    with pytest.raises(ValueError, match="evaluation time"):
        batch([CASE.report], at=at)


# ---- seams -----------------------------------------------------------------------------------------------------------


def test_more_rows_than_one_call_takes() -> None:
    """A bad row on either side of the seam, and certificates and times that change there."""
    n = ROWS_PER_CALL + 3
    items: list[Item] = [None] * n
    places = (0, 1, ROWS_PER_CALL - 2, ROWS_PER_CALL - 1, ROWS_PER_CALL, ROWS_PER_CALL + 1, n - 1)
    for place in places:
        items[place] = CASE.report
    items[ROWS_PER_CALL - 1] = SORTS["torn"][0]
    check_rows(batch(items), items, rows=[*places, 5, n - 2])
    times: list[int | None] = [NOW] * n
    times[ROWS_PER_CALL] = None
    index = [0] * n
    index[ROWS_PER_CALL + 1] = -1
    index[1] = 1
    results = batch(items, ROOTED, certs=[[LEAF.der], [OTHER.der]], certs_index=index, at=times)
    found = {i: code for i, code in enumerate(results.code) if code != "evidence-missing"}
    assert found == {
        0: None,
        1: "chip-id-mismatch",  # and its signature, under the other chip's key
        ROWS_PER_CALL - 2: None,
        ROWS_PER_CALL - 1: "report-signature-invalid",
        ROWS_PER_CALL: MISSING_TIME,
        ROWS_PER_CALL + 1: "certificate-missing",
        n - 1: None,
    }
    for i, code in found.items():
        more = ("report-signature-invalid",) if i == 1 else ()
        assert results[i].codes == (() if code is None else (code, *more))
    table = results.to_arrow()
    assert table["code"].to_pylist() == list(results.code)


@pytest.mark.parametrize("step", [1, 2, 3, 7])
@pytest.mark.parametrize("form", ["list", "binary-sliced", "chunked", "dictionary", "bytes"])
def test_seams_anywhere(monkeypatch: pytest.MonkeyPatch, step: int, form: str) -> None:
    monkeypatch.setattr(snpverify.verifier, "ROWS_PER_CALL", step)
    names = WHOLE if form == "bytes" else list(SORTS)
    items = [SORTS[name][0] for name in names] * 2
    make: Callable[[Any], Any] = {**FORMS_OF_ANY, **FORMS_OF_WHOLE}[form]
    results = batch(make(items), claims=True)
    check_rows(results, items)
    table = results.to_arrow(claims=True)
    assert table["code"].to_pylist() == list(results.code)
    assert table.num_rows == len(items)


def test_seams_with_sets_and_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snpverify.verifier, "ROWS_PER_CALL", 3)
    names = list(CELLS)
    n = len(names)
    cells = pa.array([CELLS[name][0] for name in names])
    times = [None if i % 5 == 4 else NOW for i in range(n)]
    results = batch([CASE.report] * n, ROOTED, certs=cells, at=times)
    for i, name in enumerate(names):
        codes = ([MISSING_TIME] if times[i] is None else []) + [code for code in (CELLS[name][1],) if code]
        assert list(results[i].codes) == codes, name
        assert results.code[i] == (codes[0] if codes else None)


# ---- results ---------------------------------------------------------------------------------------------------------

ITEMS_OF_ALL = [item for item, _ in SORTS.values()]


def test_results_are_a_sequence() -> None:
    results = batch(ITEMS_OF_ALL)
    n = len(ITEMS_OF_ALL)
    each = [verdict.to_dict() for verdict in results]
    assert len(each) == n
    for i in range(-n, n):
        assert results[i].to_dict() == each[i]
    for part in (slice(None), slice(2, 5), slice(None, None, -1), slice(-3, None), slice(5, 2), slice(1, 100, 3)):
        assert [verdict.to_dict() for verdict in results[part]] == each[part]
    for i in (n, -n - 1, 2**40, -(2**40)):
        with pytest.raises(IndexError):
            results[i]
    with pytest.raises(IndexError):
        batch([])[0]
    for wrong in ("0", None, 1.0):
        with pytest.raises(TypeError):
            results[wrong]  # type: ignore[call-overload]


def test_types_of_the_columns() -> None:
    results = batch(ITEMS_OF_ALL)
    assert {type(value) for value in list(results.accepted)} == {bool}
    assert {type(value) for value in list(results.code)} == {str, type(None)}
    assert all((code is None) is accepted for code, accepted in zip(results.code, list(results.accepted), strict=True))
    assert all(isinstance(verdict, Verdict) for verdict in results)


def test_a_caller_cannot_change_the_columns() -> None:
    """What results say stays what the core said."""
    results = batch([SORTS["torn"][0]])
    try:
        results.accepted[0] = True
        results.code[0] = None
    except TypeError:
        pass
    assert list(results.accepted) == [False]
    assert list(results.code) == ["report-signature-invalid"]


def test_table() -> None:
    results = batch(ITEMS_OF_ALL)
    table = results.to_arrow()
    assert {field.name: field.type for field in table.schema} == {
        "kind": pa.string(),
        "accepted": pa.bool_(),
        "code": pa.string(),
        "codes": pa.list_(pa.string()),
        "tcb_status": pa.string(),
        "evaluated_at": pa.timestamp("s", tz="UTC"),
    }
    table.validate(full=True)
    assert table["kind"].to_pylist() == ["sev-snp"] * len(results)
    assert table["accepted"].to_pylist() == list(results.accepted)
    assert table["code"].to_pylist() == list(results.code)
    assert table["codes"].to_pylist() == [list(verdict.codes) for verdict in results]
    assert table["tcb_status"].to_pylist() == [None] * len(results)
    assert table["evaluated_at"].to_pylist() == [datetime.fromtimestamp(NOW, timezone.utc)] * len(results)


def test_table_of_no_rows_has_the_same_columns() -> None:
    assert batch([]).to_arrow().schema == batch([CASE.report]).to_arrow().schema
    full = batch([CASE.report], claims=True).to_arrow(claims=True).schema
    assert batch([], claims=True).to_arrow(claims=True).schema == full


def test_claims_must_have_been_kept() -> None:
    with pytest.raises(ValueError, match="claims=True"):
        batch([CASE.report]).to_arrow(claims=True)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


def check_claims(results: BatchResults) -> None:
    """Every column of the table, row by row, is the claim of that name."""
    table = results.to_arrow(claims=True)
    table.validate(full=True)
    assert set(table.schema.names) == {"kind", "accepted", "code", "codes", "tcb_status", "evaluated_at", *CLAIM_NAMES}
    for i, row in enumerate(table.to_pylist()):
        verdict = results[i]
        claims = verdict.claims
        assert row["codes"] == list(verdict.codes), i
        assert claims is None or set(claims) == set(CLAIM_NAMES)
        for name in CLAIM_NAMES:
            assert _plain(row[name]) == (None if claims is None else claims[name]), (i, name)


#: By version and product: the good, the torn, and one with every bit set that a version may have.
WIDE: dict[str, Any] = {
    "guest_svn": 2**32 - 1, "policy": 2**64 - 1, "platform_info": 2**64 - 1, "author_key_en": 1
}  # fmt: skip
CLAIMED = [
    (f"{line}-{kind}-{version}", good(line, kind, version=version, **fields))
    for line in ("Milan", "Genoa", "Turin")
    for kind in ("VCEK", "VLEK")
    for version in (2, 3, 4, 5, 6)
    for fields in ({}, WIDE)
]


@pytest.mark.parametrize("version", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("line", ["Milan", "Genoa", "Turin"])
def test_claims_of_the_table_are_those_of_the_verdicts(line: str, version: int) -> None:
    cases = [case for name, case in CLAIMED if name.startswith(line) and name.endswith(str(version))]
    first = cases[0]
    reports = [item for case in cases for item in (case.report, torn(case.report))]
    reserved = bytearray(first.report)
    reserved[0x4C] = 1
    reports += [bytes(reserved), b"short", first.report]
    certs = [cert for case in cases for cert in case.certs]
    results = first.verifier().verify_batch([*reports, None], certs=certs, at=NOW, claims=True)
    assert results.accepted[0] is (version != 6)
    check_claims(results)
    check_claims(first.verifier().verify_batch(reports, certs=(), at=NOW, claims=True))


def test_claims_of_products_that_are_not_known() -> None:
    """No layout, so no parts of a TCB; no product."""
    strange = [
        good("Milan", cpuid_fam_id=0x17).report,
        good("Milan", cpuid_fam_id=0x1A, cpuid_mod_id=0x50).report,
        good("Milan", version=7).report,
        good("Milan", version=0).report,
        good("Milan", signing_key=7).report,
        good("Milan", mask_chip_key=1).report,
        good("Milan", signature_algo=2).report,
        good("Milan", current_tcb=b"\0\0\1\0\0\0\0\0").report,
    ]
    case = good("Milan")
    results = case.verifier().verify_batch(strange, certs=case.certs, at=NOW, claims=True)
    assert not any(results.accepted)
    check_claims(results)


@needs_evidence
def test_real_evidence_by_the_column() -> None:
    """All real reports in one batch under all certificates: what each says alone, at a time of its own."""
    verifier = Verifier(crls=tuple(CRLS.values()))
    times = [item.signers[0].middle if item.signers else NOW for item in ITEMS]
    certs = tuple(CERTS.values())
    results = verifier.verify_batch([item.report for item in ITEMS], certs=certs, at=times, claims=True)
    assert len(results) == len(ITEMS) > 0
    for i, item in enumerate(ITEMS):
        verdict = verifier.verify(item.report, certs=certs, at=times[i])
        assert results[i].to_dict() == verdict.to_dict()
        assert results.accepted[i] is verdict.accepted
        assert results.code[i] == next(iter(verdict.codes), None)
    check_claims(results)
    column = pa.array([item.signers[0].der if item.signers else None for item in ITEMS])
    apart = Verifier().verify_batch([item.report for item in ITEMS], certs=column, at=times)
    assert list(apart.accepted) == [item.accepted for item in ITEMS]


# ---- the cache of certificate sets -----------------------------------------------------------------------------------


class Links:
    """Counts the sets that are linked: what the cache did not know."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sets = 0
        for name in ("link_sets", "link_cells"):
            monkeypatch.setattr(_lib, name, self._counting(getattr(_lib, name)))

    def _counting(self, real: Any) -> Any:
        def counting(trust: Any, sets: Any, runner: Any) -> Any:
            self.sets += len(sets)
            return real(trust, sets, runner)

        return counting

    def since(self) -> int:
        count, self.sets = self.sets, 0
        return count


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> Links:
    return Links(monkeypatch)


def test_the_same_bytes_are_read_once(links: Links) -> None:
    verifier = Verifier(roots=ROOTED.roots)
    for certs in ([LEAF.der], (bytes(bytearray(LEAF.der)),), [bytearray(LEAF.der)], [memoryview(LEAF.der)]):
        assert verifier.verify(CASE.report, certs=certs, at=NOW).accepted
    assert links.since() == 1
    for _ in range(2):
        assert list(verifier.verify_batch([CASE.report] * 9, certs=pa.array([LEAF.der, LEAF.pem, OTHER.der] * 3), at=NOW).code) == [
            None, None, "chip-id-mismatch"
        ] * 3  # fmt: skip
    assert links.since() == 3


def test_a_time_of_its_own_each_time(links: Links) -> None:
    """The chain is known, and yet its end is held against the time of each call."""
    verifier = Verifier(roots=ROOTED.roots)
    for _ in range(2):
        assert verifier.verify(CASE.report, certs=[LEAF.der], at=NOW).accepted
        assert_only(
            verifier.verify(CASE.report, certs=[LEAF.der], at=BEGIN - 1), "leaf-validity", "certificate-not-yet-valid"
        )
    assert links.since() == 1


def test_other_inputs_give_other_verdicts() -> None:
    """Same report, same certificates; one thing differs. In both orders, so that no order leaves a verdict behind."""
    twice: list[Case] = [ROOTED]
    twice += [ROOTED.asking(measurements=(b"\1" * 48,)), ROOTED.but(roots=authority("Genoa", impostor=True).roots)]
    twice += [ROOTED.but(crls=(CA.crl([CA.ask.spec.serial]).der,)), ROOTED.but(product="milan")]
    twice += [ROOTED.but(at=BEGIN - 1), ROOTED.but(crls=(b"garbage",)), ROOTED.but(roots=(CA.ark_der,))]
    expected = [(), ("measurement-mismatch",), None, ("certificate-revoked",), ("product-mismatch",), (EARLY,)]
    expected += [("crl-malformed",), ("certificate-missing",)]
    for order in (range(8), range(7, -1, -1), range(8)):
        for i in order:
            verdict = twice[i].verify_once()
            if expected[i] is None:
                assert not verdict.accepted
                assert set(verdict.codes) & {"root-untrusted", "issuer-signature-invalid", "certificate-missing"}
            else:
                assert verdict.codes == expected[i], i


def test_same_names_and_chip_under_other_bytes() -> None:
    """Content is the key: neither CN nor HWID nor serial is. The impostor's certificate first, then the genuine, and again."""
    forged = authority("Genoa", impostor=True).vcek()
    assert (forged.chip_id, forged.spec.subject, forged.spec.serial) == (
        LEAF.chip_id, LEAF.spec.subject, LEAF.spec.serial
    )  # fmt: skip
    changed = LEAF.der[:-1] + bytes([LEAF.der[-1] ^ 1])
    verifier = Verifier(roots=ROOTED.roots)
    for _ in range(2):
        assert_only(verifier.verify(CASE.report, certs=[changed], at=NOW), "leaf-signature", "leaf-signature-invalid")
        assert verifier.verify(CASE.report, certs=[LEAF.der], at=NOW).accepted
        codes = verifier.verify(CASE.report, certs=[forged.der], at=NOW).codes
        assert "leaf-signature-invalid" in codes
    both = verifier.verify_batch([CASE.report] * 3, certs=pa.array([changed, LEAF.der, forged.der]), at=NOW)
    assert list(both.accepted) == [False, True, False]


def test_the_bound_is_no_part_of_the_key_of_another_form() -> None:
    """17 certificates are fine as what a caller gives for all rows, and too many as a row's own; whichever came first."""
    many = LEAF.pem * 17
    verifier = Verifier(roots=ROOTED.roots)
    for _ in range(2):
        assert list(verifier.verify_batch([CASE.report], certs=pa.array([many]), at=NOW).code) == [
            "certificate-set-too-large"
        ]
        assert verifier.verify(CASE.report, certs=[many], at=NOW).accepted


@pytest.mark.parametrize("size", [0, 1, 2000, 5000, 1 << 20])
def test_a_small_cache_changes_no_verdict(size: int) -> None:
    verifier = Verifier(roots=ROOTED.roots, cache_bytes=size)
    names = [*CELLS] * 2
    column = pa.array([CELLS[name][0] for name in names])
    for _ in range(2):
        check_cells(verifier.verify_batch([CASE.report] * len(names), certs=column, at=NOW), names)
        for name in ("der", "garbage", "der"):
            cell = CELLS[name][0]
            assert cell is not None
            assert verifier.verify(CASE.report, certs=[cell], at=NOW).codes[:1] == tuple(filter(None, [CELLS[name][1]]))
    assert verifier._cache._size <= size


def test_many_sets_do_not_grow_the_cache() -> None:
    """Sets that nobody has seen before, thousands of them: what is kept stays below the bound, what was not used goes."""
    size = 200_000
    verifier = Verifier(roots=ROOTED.roots, cache_bytes=size)
    for k in range(20):
        cells = [LEAF.der] + [b"\x01 nothing %d %d" % (k, i) for i in range(300)]
        results = verifier.verify_batch([CASE.report] * 301, certs=pa.array(cells), at=NOW)
        assert list(results.accepted) == [True] + [False] * 300
        cache = verifier._cache
        assert cache._size <= size
        assert cache._size == sum(weight for _, weight in cache._sets.values())
        assert all(weight >= leaves.weight + len(key[1][0]) for key, (leaves, weight) in cache._sets.items())
    assert len(verifier._cache._sets) < 1000


def test_what_is_kept_does_not_keep_what_is_not() -> None:
    """Sets that are used again and again, each among hundreds of others: when those go, so does their memory."""
    size = 200_000
    verifier = Verifier(roots=ROOTED.roots, cache_bytes=size)
    hot: list[bytes] = []
    for k in range(40):
        new = [b"\x30\x06\x04\x04" + (1000 * k + i).to_bytes(4, "big") for i in range(300)]
        hot.append(new[-1])
        verifier.verify_batch([None] * (len(hot) + 300), certs=pa.array([*new, *hot]), at=NOW)
    kept = [leaves for leaves, _ in verifier._cache._sets.values()]
    assert 40 <= len(kept) < 1000
    parts = [getattr(leaves, name) for leaves in kept for name in leaves.__slots__ if name != "_c"]
    assert {leaves._c for leaves in kept} == {None}  # made for single reports alone, of memory of its own
    assert {type(part) for part in parts} == {bytes}  # no views of anything larger
    assert sum({id(part): len(part) for part in parts}.values()) < 2 * size


# ---- anything at all -------------------------------------------------------------------------------------------------

WEIRD = st.one_of(
    st.binary(max_size=64),
    st.binary(min_size=1184, max_size=1184),
    st.sampled_from([name for name in SORTS if name != "none"]).flatmap(lambda name: mutations(SORTS[name][0] or b"")),
    st.builds(lambda head, tail: head + CASE.report[len(head) :] + tail, st.binary(max_size=8), st.binary(max_size=3)),
)
ACCEPTABLE = {CASE.report, TWIN.report}
ANY_HEALTH = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow,
                                                            HealthCheck.filter_too_much]
)  # fmt: skip


@given(WEIRD)
@ANY_HEALTH
def test_arbitrary_reports_never_raise_and_are_never_accepted(data: bytes) -> None:
    verdict = CASE.verifier().verify(data, certs=CASE.certs, at=NOW)
    coherent(verdict)
    assert verdict.accepted is (data in ACCEPTABLE)
    assert verdict.codes or data in ACCEPTABLE
    results = batch([CASE.report, data, torn(CASE.report)])
    assert list(results.accepted) == [True, verdict.accepted, False]
    assert results[1].to_dict() == verdict.to_dict()
    verdict.to_json()


@given(st.lists(WEIRD, max_size=6))
@settings(ANY_HEALTH, max_examples=60)
def test_arbitrary_columns_never_raise(rows: list[bytes]) -> None:
    results = batch(pa.array(rows, pa.binary()), claims=True)
    assert list(results.accepted) == [row in ACCEPTABLE for row in rows]
    check_claims(results)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.sampled_from(["der", "pem", "table"]).flatmap(lambda name: mutations(CELLS[name][0] or b"")),
    )
)
@ANY_HEALTH
def test_arbitrary_certificates_never_raise_and_never_help(blob: bytes) -> None:
    """A certificate is accepted only when its very bytes come out of the blob: damaged text around it may do no harm."""
    verifier = ROOTED.verifier()
    verdict = verifier.verify(CASE.report, certs=[blob], at=NOW)
    coherent(verdict)
    rows = verifier.verify_batch([CASE.report] * 2, certs=pa.array([blob, LEAF.der]), at=NOW)
    assert rows.accepted[1] is True
    for judged in (verdict, rows[0]):
        if judged.accepted:
            assert judged.used == verifier.verify(CASE.report, certs=[LEAF.der], at=NOW).used
        else:
            assert judged.codes
    torn_verdict = verifier.verify(torn(CASE.report), certs=[blob], at=NOW)
    assert not torn_verdict.accepted


def test_policy_is_that_of_the_verifier_alone() -> None:
    """One cell, two verifiers."""
    strict, plain = Verifier(Policy(vmpls=(1,)), ROOTED.roots), Verifier(None, ROOTED.roots)
    for _ in range(2):
        assert list(strict.verify_batch([CASE.report], certs=pa.array([LEAF.der]), at=NOW).code) == ["vmpl-refused"]
        assert list(plain.verify_batch([CASE.report], certs=pa.array([LEAF.der]), at=NOW).code) == [None]


def test_case_of_is_what_the_batch_sees() -> None:
    """Two authorities in one batch: each row finds its own leaf in a set for all."""
    cases = [
        case_of(authority(line), endorsement(line, kind))
        for line in ("Milan", "Genoa", "Turin")
        for kind in ("VCEK", "VLEK")
    ]
    roots = [root for case in cases for root in case.roots]
    certs = [cert for case in cases for cert in case.certs]
    results = Verifier(roots=roots).verify_batch([case.report for case in cases], certs=certs, at=NOW)
    assert list(results.code) == [None] * 6
    turned = Verifier(roots=roots).verify_batch([case.report for case in cases], certs=cases[0].certs, at=NOW)
    assert list(turned.accepted) == [True, *[False] * 5]
