"""Results of a batch as an Arrow table: buffers are wrapped, rows are not touched one by one. Needs pyarrow (extra `batch`)."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from attestcore import _lib
from attestcore._lib import SNP_LAYOUT, SnpColumns
from attestcore.columns import LAST_TIME
from snpverify.policy import GUEST_POLICY_BITS, PLATFORM_INFO_BITS

KIND = "sev-snp"


def _words() -> tuple[pa.Array, pa.Array]:
    """Lookup from a code's number to its place among the words, and the words."""
    words = pa.array(list(_lib.CODE_NAMES.values()), pa.string())
    place = {number: i for i, number in enumerate(_lib.CODE_NAMES)}
    table: list[int | None] = [place.get(number) for number in range(max(place) + 1)]
    return pa.array(table, pa.int32()), words


_PLACES, _WORDS = _words()


def _numbers(kind: pa.DataType, data: bytes | array[int], n: int) -> pa.Array:
    return pa.Array.from_buffers(kind, n, [None, pa.py_buffer(data)])


def _code_words(numbers: pa.Array) -> pa.Array:
    return _WORDS.take(_PLACES.take(numbers))


def _codes(columns: SnpColumns) -> pa.Array:
    offsets, values = columns.failed_codes()
    words = _code_words(_numbers(pa.uint16(), values, len(values)))
    return pa.ListArray.from_arrays(_numbers(pa.int32(), offsets, len(offsets)), words)


# Scalars with their type: pyarrow takes long to find out the type of a Python value.
_EPOCH, _LAST = pa.scalar(0, pa.int64()), pa.scalar(LAST_TIME, pa.int64())
_NO_TIME = pa.scalar(None, pa.int64())
_KIND = pa.scalar(KIND, pa.string())
_MOMENT = pa.timestamp("s", tz="UTC")


def _times(at: array[int], n: int) -> pa.Array:
    if len(at) == 1 and 0 <= at[0] <= LAST_TIME:
        return pa.repeat(pa.scalar(at[0], pa.int64()).cast(_MOMENT), n)
    if len(at) == 1:
        return pa.nulls(n, _MOMENT)
    seconds = _numbers(pa.int64(), at, n)
    known = pc.and_(pc.greater_equal(seconds, _EPOCH), pc.less_equal(seconds, _LAST))
    return pc.if_else(known, seconds, _NO_TIME).cast(_MOMENT)


def _verdict_columns(columns: SnpColumns, at: array[int]) -> dict[str, pa.Array]:
    n = columns.n
    return {
        "kind": pa.repeat(_KIND, n),
        "accepted": _numbers(pa.uint8(), columns.accepted_bytes(), n).cast(pa.bool_()),
        "code": _code_words(_numbers(pa.uint16(), columns.code_numbers(), n)),
        "codes": _codes(columns),
        "tcb_status": pa.nulls(n, pa.string()),
        "evaluated_at": _times(at, n),
    }


class _Claims:
    """The claims of one piece as columns; null where a row could not be parsed."""

    def __init__(self, columns: SnpColumns) -> None:
        self._columns = columns
        self._n = columns.n
        self._parsed = _numbers(pa.uint8(), columns.parsed_bytes(), columns.n).cast(pa.bool_())

    def _where(self, condition: pa.Array, values: pa.Array) -> pa.Array:

        return pc.if_else(condition, values, pa.scalar(None, values.type))

    def field(self, name: str) -> pa.Array:
        offset, size = SNP_LAYOUT[name]
        data = self._columns.report_bytes(offset, size)
        return self._where(self._parsed, _numbers(pa.binary(size), data, self._n))

    def number(self, member: str) -> pa.Array:
        data, size = self._columns.claim_bytes(member)
        kind = {1: pa.uint8(), 2: pa.uint16(), 4: pa.uint32(), 8: pa.uint64()}[size]
        return self._where(self._parsed, _numbers(kind, data, self._n))

    def flag(self, member: str) -> pa.Array:
        return self.number(member).cast(pa.bool_())

    def bits(self, member: str, names: Mapping[str, int], extra: dict[str, tuple[int, int]]) -> pa.Array:

        word = self.number(member)
        parts: dict[str, pa.Array] = {}
        for name, (shift, mask) in extra.items():
            parts[name] = pc.bit_wise_and(
                pc.shift_right(word, pa.scalar(shift, pa.uint64())), pa.scalar(mask, pa.uint64())
            )
        for name, bit in names.items():
            bits = pc.bit_wise_and(pc.shift_right(word, pa.scalar(bit, pa.uint64())), pa.scalar(1, pa.uint64()))
            parts[name] = bits.cast(pa.bool_())
        parts["raw"] = word
        return pa.StructArray.from_arrays(list(parts.values()), list(parts), mask=pc.invert(self._parsed))

    def tcb(self, name: str, kind: int) -> pa.Array:

        layout = self.number("tcb_layout")
        known, turin = pc.greater(layout, 0), pc.equal(layout, 2)
        parts = {"fmc": self._where(turin, self.number(f"tcb.{kind}.fmc"))}
        for part in ("boot_loader", "tee", "snp", "microcode"):
            parts[part] = self._where(known, self.number(f"tcb.{kind}.{part}"))
        parts["raw"] = self.field(name)
        return pa.StructArray.from_arrays(list(parts.values()), list(parts), mask=pc.invert(self._parsed))

    def from_version(self, first: int, values: pa.Array) -> pa.Array:

        return self._where(pc.greater_equal(self.number("version"), first), values)

    def firmware(self, member: str) -> pa.Array:

        parts = [self.number(f"{member}.{i}").cast(pa.string()) for i in range(3)]
        return pc.binary_join_element_wise(*parts, ".")

    def product(self) -> pa.Array:
        names = pa.array(list(_lib.PRODUCTS), pa.string())
        return names.take(self.number("product").cast(pa.int32()))


_ABI = {"abi_major": (8, 0xFF), "abi_minor": (0, 0xFF)}

_CLAIMS: dict[str, Callable[[_Claims], pa.Array]] = {
    "version": lambda c: c.number("version"),
    "guest_svn": lambda c: c.number("guest_svn"),
    "policy": lambda c: c.bits("policy", GUEST_POLICY_BITS, _ABI),
    "family_id": lambda c: c.field("FAMILY_ID"),
    "image_id": lambda c: c.field("IMAGE_ID"),
    "vmpl": lambda c: c.number("vmpl"),
    "signature_algo": lambda c: c.number("signature_algo"),
    "current_tcb": lambda c: c.tcb("CURRENT_TCB", 2),
    "platform_info": lambda c: c.bits("platform_info", PLATFORM_INFO_BITS, {}),
    "signing_key": lambda c: c.number("signing_key"),
    "author_key_en": lambda c: c.flag("author_key_en"),
    "mask_chip_key": lambda c: c.flag("mask_chip_key"),
    "report_data": lambda c: c.field("REPORT_DATA"),
    "measurement": lambda c: c.field("MEASUREMENT"),
    "host_data": lambda c: c.field("HOST_DATA"),
    "id_key_digest": lambda c: c.field("ID_KEY_DIGEST"),
    "author_key_digest": lambda c: c.field("AUTHOR_KEY_DIGEST"),
    "report_id": lambda c: c.field("REPORT_ID"),
    "report_id_ma": lambda c: c.field("REPORT_ID_MA"),
    "reported_tcb": lambda c: c.tcb("REPORTED_TCB", 0),
    "cpuid_fam_id": lambda c: c.from_version(3, c.number("cpuid_fam_id")),
    "cpuid_mod_id": lambda c: c.from_version(3, c.number("cpuid_mod_id")),
    "cpuid_step": lambda c: c.from_version(3, c.number("cpuid_step")),
    "chip_id": lambda c: c.field("CHIP_ID"),
    "committed_tcb": lambda c: c.tcb("COMMITTED_TCB", 1),
    "current_version": lambda c: c.firmware("current_version"),
    "committed_version": lambda c: c.firmware("committed_version"),
    "launch_tcb": lambda c: c.tcb("LAUNCH_TCB", 3),
    "launch_mit_vector": lambda c: c.from_version(4, c.number("launch_mit_vector")),
    "current_mit_vector": lambda c: c.from_version(4, c.number("current_mit_vector")),
    "product": lambda c: c.product(),
}

CLAIM_NAMES = tuple(_CLAIMS)


def to_table(pieces: Sequence[tuple[SnpColumns, array[int]]], *, claims: bool) -> pa.Table:
    """One table of all pieces, in order."""
    if sys.byteorder != "little" and claims:
        raise NotImplementedError("claims as Arrow columns need a little-endian machine")
    tables = []
    for columns, at in pieces:
        data = _verdict_columns(columns, at)
        if claims:
            if columns.c.claims == _lib.NULL:
                raise ValueError("these results keep no claims: call verify_batch(..., claims=True)")
            reader = _Claims(columns)
            data |= {name: make(reader) for name, make in _CLAIMS.items()}
        tables.append(pa.Table.from_arrays(list(data.values()), list(data)))
    if not tables:
        return to_table(
            [(SnpColumns(0, findings=False, claims=claims, reports=claims), array("q", [0]))], claims=claims
        )
    return pa.concat_tables(tables)
