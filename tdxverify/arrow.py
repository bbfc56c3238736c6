"""Results of a batch as an Arrow table: buffers are wrapped, rows are not touched one by one. Needs pyarrow (extra `batch`)."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from attestcore import _lib
from attestcore._lib import BODY_NONE, BODY_SGX, NO_TIME, QUOTE_LAYOUTS, TdxColumns
from attestcore.columns import LAST_TIME
from tdxverify.quote import ENCLAVE_FIELDS, ENCLAVE_NUMBERS, SGX_TYPES, TD_FIELDS

if TYPE_CHECKING:
    from tdxverify.verifier import _Piece


def _words() -> tuple[pa.Array, pa.Array]:
    """Lookup from a code's number to its place among the words, and the words."""
    words = pa.array(list(_lib.CODE_NAMES.values()), pa.string())
    place = {number: i for i, number in enumerate(_lib.CODE_NAMES)}
    table: list[int | None] = [place.get(number) for number in range(max(place) + 1)]
    return pa.array(table, pa.int32()), words


_PLACES, _WORDS = _words()
_STATUSES = pa.array(list(_lib.TCB_STATUSES), pa.string())
_KINDS = pa.array(list(_lib.KINDS_OF_TEE), pa.string())
_DAY = 86400


def _numbers(kind: pa.DataType, data: bytes | array[int], n: int) -> pa.Array:
    return pa.Array.from_buffers(kind, n, [None, pa.py_buffer(data)])


def _code_words(numbers: pa.Array) -> pa.Array:
    return _WORDS.take(_PLACES.take(numbers))


def _codes(columns: TdxColumns) -> pa.Array:
    offsets, values = columns.failed_codes()
    words = _code_words(_numbers(pa.uint16(), values, len(values)))
    return pa.ListArray.from_arrays(_numbers(pa.int32(), offsets, len(offsets)), words)


def _times(at: array[int], n: int) -> pa.Array:
    if len(at) == 1:
        at = at * n
    seconds = _numbers(pa.int64(), at, n)
    known = pc.and_(pc.greater_equal(seconds, 0), pc.less_equal(seconds, LAST_TIME))
    return pc.if_else(known, seconds, pa.scalar(None, pa.int64())).cast(pa.timestamp("s", tz="UTC"))


def _status(columns: TdxColumns, member: str) -> pa.Array:
    return _STATUSES.take(_numbers(pa.uint8(), columns.tcb_bytes(member)[0], columns.n).cast(pa.int32()))


def _verdict_columns(columns: TdxColumns, at: array[int]) -> dict[str, pa.Array]:
    n = columns.n
    return {
        "kind": _KINDS.take(_numbers(pa.uint8(), columns.tee_bytes(), n).cast(pa.int32())),
        "accepted": _numbers(pa.uint8(), columns.accepted_bytes(), n).cast(pa.bool_()),
        "code": _code_words(_numbers(pa.uint16(), columns.code_numbers(), n)),
        "codes": _codes(columns),
        "tcb_status": _status(columns, "status"),
        "evaluated_at": _times(at, n),
    }


class _Claims:
    """The claims of one piece as columns; null where a row could not be parsed or its quote has no such field."""

    def __init__(self, piece: _Piece) -> None:
        columns = self._columns = piece.columns
        self._piece = piece
        self._n = columns.n
        self._parsed = _numbers(pa.uint8(), columns.parsed_bytes(), columns.n).cast(pa.bool_())
        self._body_type = self._quote(pa.uint16(), "body_type")

    def _where(self, condition: pa.Array, values: pa.Array) -> pa.Array:
        return pc.if_else(condition, values, pa.scalar(None, values.type))

    def _quote(self, kind: pa.DataType, member: str) -> pa.Array:
        return self._where(self._parsed, _numbers(kind, self._columns.quote_bytes(member)[0], self._n))

    def number(self, kind: pa.DataType, member: str) -> pa.Array:
        return self._quote(kind, member)

    def header(self, field: str) -> pa.Array:
        offset, size = QUOTE_LAYOUTS[BODY_NONE][field]
        return self._where(self._parsed, _numbers(pa.binary(size), self._columns.header_bytes(offset, size), self._n))

    def header_svn(self, field: str) -> pa.Array:
        """A number that only version 3 has."""
        offset, size = QUOTE_LAYOUTS[BODY_NONE][field]
        old = pc.equal(self._quote(pa.uint16(), "version"), 3)
        return self._where(old, _numbers(pa.uint16(), self._columns.header_bytes(offset, size), self._n))

    def td(self, field: str) -> pa.Array:
        first = min(body for body in _lib.BODY_TYPES if field in QUOTE_LAYOUTS[body])
        offset, size = QUOTE_LAYOUTS[first][field]
        there = pc.and_(pc.greater_equal(self._body_type, first), pc.not_equal(self._body_type, BODY_SGX))
        kind = pa.uint8() if size == 1 else pa.binary(size)
        return self._where(there, _numbers(kind, self._columns.body_bytes(offset, size), self._n))

    def _of_enclave(self, name: str) -> pa.Array:
        offset, size = QUOTE_LAYOUTS[BODY_SGX][ENCLAVE_FIELDS[name]]
        numbers = {2: pa.uint16(), 4: pa.uint32()}
        kind = numbers[size] if name in ENCLAVE_NUMBERS else pa.binary(size)
        return _numbers(kind, self._columns.body_bytes(offset, size), self._n)

    def enclave(self) -> pa.Array:
        there = pc.fill_null(pc.equal(self._body_type, BODY_SGX), fill_value=False)
        parts = {name: self._where(there, self._of_enclave(name)) for name in ENCLAVE_FIELDS}
        return pa.StructArray.from_arrays(list(parts.values()), list(parts), mask=pc.invert(there))

    def report_data(self) -> pa.Array:
        sgx = pc.equal(self._body_type, BODY_SGX)
        return self._where(self._parsed, pc.if_else(sgx, self._of_enclave("report_data"), self.td("REPORTDATA")))

    def pck(self, kind: pa.DataType, member: str) -> pa.Array:
        """A member of the platform's PCK certificate."""
        infos = [platform.pck for platform in self._piece.platforms]
        return self._of_platform(pa.array([None if info is None else getattr(info, member) for info in infos], kind))

    def sgx_type(self) -> pa.Array:
        infos = [platform.pck for platform in self._piece.platforms]
        known = [
            SGX_TYPES[info.sgx_type] if info is not None and info.sgx_type < len(SGX_TYPES) else None for info in infos
        ]
        return self._of_platform(pa.array(known, pa.string()))

    def pck_ca(self) -> pa.Array:
        return self._of_platform(pa.array([platform.ca for platform in self._piece.platforms], pa.string()))

    def _of_platform(self, values: pa.Array) -> pa.Array:
        index = _numbers(pa.int32(), self._piece.platform_index, self._n)
        there = pc.and_(self._parsed, pc.greater_equal(index, 0))
        return values.take(self._where(there, index))

    def status(self, member: str) -> pa.Array:
        return self._where(self._parsed, _status(self._columns, member))

    def date(self, member: str, status: str) -> pa.Array:
        seconds = _numbers(pa.int64(), self._columns.tcb_bytes(member)[0], self._n)
        there = pc.and_(pc.not_equal(seconds, NO_TIME), pc.is_valid(_status(self._columns, status)))
        days = pc.divide(self._where(there, seconds), pa.scalar(_DAY, pa.int64()))
        return self._where(self._parsed, days.cast(pa.int32()).cast(pa.date32()))

    def of_collateral(self, kind: pa.DataType, get: Callable[[_lib.PreparedCollateral], Any]) -> pa.Array:
        values = pa.array([get(collateral) for collateral in self._piece.collaterals], kind)
        return self._where(self._parsed, values.take(self._collateral_numbers()))

    def _collateral_numbers(self) -> pa.Array:
        local = self._piece.local
        none = -1 if not self._piece.collaterals else 0
        numbers = _numbers(pa.int32(), local if local is not None else array("i", (none,)) * self._n, self._n)
        return self._where(pc.greater_equal(numbers, 0), numbers)

    def window(self, end: int) -> pa.Array:
        kind = pa.timestamp("s", tz="UTC")
        return self.of_collateral(
            kind, lambda collateral: None if collateral.window is None else collateral.window[end]
        )

    def advisories(self) -> pa.Array:
        """Rows whose evaluation matched the same levels of the same collateral have the same advisories: each list is made once."""
        numbers: dict[tuple[int, bytes], int] = {}
        lists: list[tuple[str, ...]] = []
        local, tcb = self._piece.local, self._columns.tcb
        matched = self._columns.level_keys()
        places = array("i")
        for row, key in enumerate(matched):
            number = 0 if local is None else local[row]
            place = numbers.setdefault((number, key), len(lists))
            if place == len(lists):
                known = 0 <= number < len(self._piece.collaterals) and tcb[row].status
                lists.append(self._piece.collaterals[number].advisories(tcb[row]) if known else ())
            places.append(place)
        values = pa.array([list(names) for names in lists], pa.list_(pa.string()))
        return self._where(self._parsed, values.take(_numbers(pa.int32(), places, self._n)))


def _least(collateral: _lib.PreparedCollateral) -> int | None:
    both = (collateral.tcb_evaluation_number, collateral.identity_evaluation_number)
    return min((number for number in both if number is not None), default=None)


def _td(field: str) -> Callable[[_Claims], pa.Array]:
    return lambda claims: claims.td(field)


_CLAIMS: dict[str, Callable[[_Claims], pa.Array]] = {
    "quote_version": lambda c: c.number(pa.uint16(), "version"),
    "tee_type": lambda c: c.number(pa.uint32(), "tee"),
    "att_key_type": lambda c: c.number(pa.uint16(), "key_type"),
    "qe_svn": lambda c: c.header_svn("QE SVN"),
    "qe_pce_svn": lambda c: c.header_svn("PCE SVN"),
    "qe_vendor_id": lambda c: c.header("QE vendor id"),
    "user_data": lambda c: c.header("user data"),
    "body_type": lambda c: c.number(pa.uint16(), "body_type"),
    **{name: _td(field) for name, field in TD_FIELDS.items()},
    "report_data": lambda c: c.report_data(),
    "enclave": lambda c: c.enclave(),
    "certification_type": lambda c: c.number(pa.uint16(), "certification_type"),
    "fmspc": lambda c: c.pck(pa.binary(6), "fmspc"),
    "pce_id": lambda c: c.pck(pa.binary(2), "pce_id"),
    "pce_svn": lambda c: c.pck(pa.uint16(), "pce_svn"),
    "cpu_svn": lambda c: c.pck(pa.binary(16), "cpu_svn"),
    "ppid": lambda c: c.pck(pa.binary(16), "ppid"),
    "platform_instance_id": lambda c: c.pck(pa.binary(16), "platform_instance_id"),
    "dynamic_platform": lambda c: c.pck(pa.bool_(), "dynamic_platform"),
    "cached_keys": lambda c: c.pck(pa.bool_(), "cached_keys"),
    "smt_enabled": lambda c: c.pck(pa.bool_(), "smt_enabled"),
    "sgx_type": lambda c: c.sgx_type(),
    "pck_ca": lambda c: c.pck_ca(),
    "launch_tcb_status": lambda c: c.status("launch_status"),
    "current_tcb_status": lambda c: c.status("current_status"),
    "current_tcb_date": lambda c: c.date("current_date", "current_status"),
    "qe_tcb_status": lambda c: c.status("qe_status"),
    "tcb_info_evaluation_data_number": lambda c: c.of_collateral(pa.uint32(), lambda x: x.tcb_evaluation_number),
    "qe_identity_evaluation_data_number": lambda c: c.of_collateral(
        pa.uint32(), lambda x: x.identity_evaluation_number
    ),
    "collateral_not_before": lambda c: c.window(0),
    "collateral_not_after": lambda c: c.window(1),
    "advisory_ids": lambda c: c.advisories(),
    "tcb_date": lambda c: c.date("date", "status"),
    "tcb_evaluation_data_number": lambda c: c.of_collateral(pa.uint32(), _least),
}

CLAIM_NAMES = tuple(_CLAIMS)


def _empty(*, claims: bool) -> _Piece:
    from tdxverify.verifier import _Piece

    piece = _Piece(0, _lib.rows_of_sequence([]), array("q", [0]), None)
    piece.columns = TdxColumns(0, findings=False, quotes=claims, bodies=claims)
    piece.platform_index, piece.platforms, piece.collaterals = array("i"), [], []
    return piece


def to_table(pieces: Sequence[_Piece], *, claims: bool) -> pa.Table:
    """One table of all pieces, in order."""
    if sys.byteorder != "little" and claims:
        raise NotImplementedError("claims as Arrow columns need a little-endian machine")
    tables = []
    for piece in pieces or [_empty(claims=claims)]:
        data = _verdict_columns(piece.columns, piece.at)
        if claims:
            if piece.columns.bodies == _lib.NULL:
                raise ValueError("these results keep no claims: call verify_batch(..., claims=True)")
            reader = _Claims(piece)
            data |= {name: make(reader) for name, make in _CLAIMS.items()}
        tables.append(pa.table(data))
    return pa.concat_tables(tables)
