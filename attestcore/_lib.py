"""The only module that touches the C core.

Everything here is thin: lengths are checked, memory is made and kept alive, one C function is called, plain values come back. cffi
drops the GIL for the whole of each call. Nothing of cffi is seen outside, except as opaque handles that own their memory.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import sys
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from attestcore._native import ffi, lib

Buffer: TypeAlias = bytes | bytearray | memoryview
CData: TypeAlias = Any  # cffi's own type has no static members

VERSION: str = ffi.string(lib.att_version()).decode()

NULL = ffi.NULL
NOT_RUN: int = lib.ATT_NOT_RUN
PASS: int = lib.ATT_PASS
NO_TIME = -(2**63)
REPORT_LEN: int = lib.ATT_SNP_REPORT_LEN
BLOB_MAX_CERTS: int = lib.ATT_BLOB_MAX_CERTS
BLOB_MAX_BYTES: int = lib.ATT_BLOB_MAX_BYTES
CRL_MAX_BYTES: int = lib.ATT_CRL_MAX_BYTES
ECDSA_P256: int = lib.ATT_ECDSA_P256
ECDSA_P384: int = lib.ATT_ECDSA_P384
RSA_PSS_SHA256: int = lib.ATT_RSA_PSS_SHA256
RSA_PSS_SHA384: int = lib.ATT_RSA_PSS_SHA384
RSA_PKCS1_SHA256: int = lib.ATT_RSA_PKCS1_SHA256
RSA_PKCS1_SHA384: int = lib.ATT_RSA_PKCS1_SHA384

ROLES = ("other", "vcek", "vlek", "ask", "asvk", "ark")
PRODUCTS = (None, "milan", "genoa", "turin", "venice")

_failed_step = lib.att_init()
if _failed_step != 0:
    raise ImportError(
        f"attestcore: self-test {_failed_step} of the native module failed on this machine; it must not be used"
    )


def _text(pointer: CData) -> str:
    return str(ffi.string(pointer).decode("ascii"))


def _names(function: Callable[[int], CData], count: int) -> tuple[str, ...]:
    return tuple(_text(function(i)) for i in range(count))


def _count(function: Callable[[int], CData]) -> int:
    n = 0
    while function(n) != ffi.NULL:
        n += 1
    return n


CATEGORIES = _names(lib.att_category_name, _count(lib.att_category_name))
FIELDS = _names(lib.att_field_name, _count(lib.att_field_name))
SNP_CHECKS = _names(lib.att_snp_check_name, lib.att_snp_num_checks())
SNP_CHECK_TEXTS = _names(lib.att_snp_check_text, lib.att_snp_num_checks())
SNP_CHECK_CATEGORIES = tuple(CATEGORIES[lib.att_snp_check_category(i)] for i in range(len(SNP_CHECKS)))
NUM_SNP_CHECKS = len(SNP_CHECKS)
CODE_NAMES: dict[int, str] = {
    i: _text(lib.att_code_name(i)) for i in range(2, 4096) if lib.att_code_name(i) != ffi.NULL
}
CODE_TEXTS: dict[int, str] = {i: _text(lib.att_code_text(i)) for i in CODE_NAMES}
CODE_CATEGORIES: dict[int, str] = {i: CATEGORIES[lib.att_code_category(i)] for i in CODE_NAMES}
CODE_NUMBERS: dict[str, int] = {name: i for i, name in CODE_NAMES.items()}
ENGINE_NAMES = _names(lib.att_engine_name, _count(lib.att_engine_name))


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found where: numbers of codes.def and fields.def, and a byte offset."""

    code: int
    field: int
    offset: int

    @property
    def failed(self) -> bool:
        return self.code > PASS

    @property
    def code_name(self) -> str:
        return CODE_NAMES[self.code]

    @property
    def field_name(self) -> str:
        return FIELDS[self.field]


def _finding(c: CData) -> Finding:
    return Finding(c.code, c.field, c.offset)


# ---- engines and signatures ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NativeEngine:
    name: str
    lanes: int
    usable: bool


def native_engines() -> tuple[NativeEngine, ...]:
    """The engines compiled in, best first."""
    return tuple(
        NativeEngine(name, lib.att_engine_lanes(i), bool(lib.att_engine_usable(i)))
        for i, name in enumerate(ENGINE_NAMES)
    )


def cpu_features() -> str:
    return _text(lib.att_cpu_features())


def hash_code() -> str:
    return _text(lib.att_hash_code())


def compiler() -> str:
    return _text(lib.att_build())


def sha256(data: Buffer) -> bytes:
    out = ffi.new("uint8_t[32]")
    view = ffi.from_buffer(data)
    lib.att_sha256(ffi.cast("const uint8_t *", view), len(view), out)
    return bytes(ffi.buffer(out))


def sha384(data: Buffer) -> bytes:
    out = ffi.new("uint8_t[48]")
    view = ffi.from_buffer(data)
    lib.att_sha384(ffi.cast("const uint8_t *", view), len(view), out)
    return bytes(ffi.buffer(out))


def sha512(data: Buffer) -> bytes:
    out = ffi.new("uint8_t[64]")
    view = ffi.from_buffer(data)
    lib.att_sha512(ffi.cast("const uint8_t *", view), len(view), out)
    return bytes(ffi.buffer(out))


def _fresh_memory(size: int) -> mmap.mmap:
    """Pages of zeros, this process's own after a fork as well."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size)
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


class KeyTables:
    """Tables of keys that come back, in at most max_bytes of memory; for any number of threads and engines. No outcome depends on it.

    Memory comes from mmap: pages that were never used cost nothing. Too little for one table: none are kept.
    """

    __slots__ = ("_memory", "c", "max_bytes")

    def __init__(self, max_bytes: int) -> None:
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 0:
            raise TypeError("max_bytes is a number of bytes, 0 or more")
        self.max_bytes = max_bytes
        self._memory: CData = None
        self.c: CData = NULL
        if max_bytes >= lib.att_key_tables_least():
            self._memory = ffi.from_buffer("uint8_t[]", _fresh_memory(max_bytes), require_writable=True)
            self._restart()

    def _restart(self) -> None:
        """Begins anew; no call may be using it."""
        if self._memory is not None:
            self.c = lib.att_key_tables_init(self._memory, self.max_bytes, os.urandom(16))

    def stats(self) -> dict[str, int]:
        """slots (room for so many keys), used, table_bytes of one; hits, builds and evictions so far, modulo 2^32."""
        out = ffi.new("att_key_stats *")
        if self.c != NULL:
            lib.att_key_tables_stats(self.c, out)
        return {name: int(getattr(out, name)) for name, _ in ffi.typeof("att_key_stats").fields}


_PRIVATE_TABLES = 4 << 20  # bytes a thread: some 200 keys of one call
_PRIVATE_FROM = 8  # signatures in a call from which on they may pay
_JOBS = 4096  # jobs a thread: those among which signatures are grouped by key


class _SigScratch(threading.local):
    """Work memory of one thread for verify_ecdsa, made at its first call; nothing in it outlives a call."""

    def __init__(self) -> None:
        self.num_jobs = 0
        self.jobs: CData = None
        self.tables: KeyTables | None = None

    def room(self, n: int) -> None:
        if self.num_jobs < min(n, _JOBS):
            self.num_jobs = min(max(n, 16), _JOBS)
            self.jobs = ffi.new("att_sig_job[]", self.num_jobs)

    def private_tables(self) -> CData:
        if self.tables is None:
            self.tables = KeyTables(_PRIVATE_TABLES)
        else:
            self.tables._restart()
        return self.tables.c


_sig_scratch = _SigScratch()


def verify_ecdsa(
    engine: str, algorithm: int, keys: Buffer, digests: Buffer, sigs: Buffer, n: int, tables: KeyTables | None
) -> bytes:
    """n signatures by a native engine; the caller has checked the lengths."""
    out = ffi.new("uint8_t[]", n)
    scratch = _sig_scratch
    scratch.room(max(n, 1))
    c_tables = NULL
    if tables is not None:
        c_tables = tables.c
    elif n >= _PRIVATE_FROM:
        c_tables = scratch.private_tables()
    number = ENGINE_NAMES.index(engine)
    with (
        ffi.from_buffer("uint8_t[]", keys) as k,
        ffi.from_buffer("uint8_t[]", digests) as d,
        ffi.from_buffer("uint8_t[]", sigs) as s,
    ):
        if lib.att_verify_ecdsa(number, algorithm, k, d, s, n, c_tables, scratch.jobs, scratch.num_jobs, out) != 0:
            raise ValueError(f"engine {engine!r} is not usable on this CPU")
    return bytes(ffi.buffer(out))


def verify_rsa(
    engine: str, algorithm: int, modulus: bytes, exponent: int, digests: Buffer, sigs: Buffer, n: int
) -> bytes:
    out = ffi.new("uint8_t[]", n)
    number = ENGINE_NAMES.index(engine)
    with ffi.from_buffer("uint8_t[]", digests) as d, ffi.from_buffer("uint8_t[]", sigs) as s:
        if lib.att_verify_rsa(number, algorithm, modulus, len(modulus), exponent, d, s, n, out) != 0:
            raise ValueError(f"engine {engine!r} is not usable on this CPU")
    return bytes(ffi.buffer(out))


def rsa_spki(der: bytes) -> tuple[bytes, int] | None:
    """Modulus and exponent of an rsaEncryption SubjectPublicKeyInfo of 2048 to 4096 bits; None when it is not one."""
    offset, length, exponent = ffi.new("uint64_t *"), ffi.new("uint64_t *"), ffi.new("uint32_t *")
    if lib.att_rsa_spki(der, len(der), offset, length, exponent) != 0:
        return None
    return der[offset[0] : offset[0] + length[0]], int(exponent[0])


class VerifyOne(Protocol):
    """One signature, judged outside the core: the engine `cryptography`."""

    def __call__(self, algorithm: int, key: bytes, exponent: int, digest: bytes, sig: bytes, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Runner:
    """How jobs are run: a native engine by its number, or a Python function that gets them one by one."""

    name: str
    native: int | None
    verify_one: VerifyOne | None


def _run_jobs(runner: Runner, jobs: CData, n: int, tables: KeyTables | None = None) -> None:
    if runner.native is not None:
        if lib.att_sig_run(runner.native, jobs, n, tables.c if tables is not None else NULL) != 0:
            raise ValueError(f"engine {runner.name!r} is not usable on this CPU")
        return
    if runner.verify_one is None:
        raise TypeError("a runner needs a native engine or a function")
    for i in range(n):
        job = jobs[i]
        valid = runner.verify_one(
            job.algorithm,
            bytes(ffi.buffer(job.key, job.key_len)),
            job.exponent,
            bytes(ffi.buffer(job.digest, job.digest_len)),
            bytes(ffi.buffer(job.sig, job.sig_len)),
        )
        job.outcome = lib.ATT_SIG_VALID if valid is True else lib.ATT_SIG_INVALID


def snapshot(data: Buffer) -> bytes:
    """A private copy of what cannot be relied on to stay, or to be as long as it says; plain bytes are taken as they are."""
    return data if type(data) is bytes else memoryview(data).tobytes()


# ---- columns in ------------------------------------------------------------------------------------------------------------


class Rows:
    """A column of byte strings, or a part of one; owns or keeps alive all that its C struct points to."""

    __slots__ = ("_keep", "c", "n")

    def __init__(self, c: CData, n: int, keep: tuple[object, ...]) -> None:
        self.c = c
        self.n = n
        self._keep = keep

    def part(self, first: int, n: int) -> Rows:
        """Rows [first, first + n) of this column."""
        c = ffi.new("att_rows *", self.c[0])
        c.first = self.c.first + first
        c.n = n
        return Rows(c, n, (self,))

    def get(self, i: int) -> bytes | None:
        """A private copy of row i; None for a null or unreadable row."""
        data, length = ffi.new("const uint8_t **"), ffi.new("uint64_t *")
        if not lib.att_row_at(self.c, i, data, length):
            return None
        return bytes(ffi.buffer(data[0], length[0]))


def rows_of_buffer(data: Buffer, stride: int) -> Rows:
    """n = len // stride rows of one buffer, without a copy when it is immutable; a writable one is copied first."""
    if not isinstance(data, bytes) and not memoryview(data).readonly:
        data = bytes(data)
    view = ffi.from_buffer("uint8_t[]", data)
    c = ffi.new("att_rows *")
    c.n = len(view) // stride
    c.data = view
    c.data_len = len(view)
    c.stride = stride
    return Rows(c, int(c.n), (view, data))


def rows_of_sequence(items: Sequence[Buffer | None]) -> Rows:
    """A pointer and a length an item. Writable items are copied; None is a null row; anything else is the caller's mistake."""
    n = len(items)
    ptrs = ffi.new("const uint8_t *[]", max(n, 1))
    lens = ffi.new("uint64_t[]", max(n, 1))
    keep: list[object] = []
    for i, item in enumerate(items):
        if item is None:
            continue
        if type(item) is not bytes:  # what can change, and what may lie about its length, is copied
            if not isinstance(item, (bytes, bytearray, memoryview)):
                raise TypeError(f"row {i} is {type(item).__name__}, not bytes-like or None")
            item = snapshot(item)
        view = ffi.from_buffer("uint8_t[]", item)
        ptrs[i] = view
        lens[i] = len(view)
        keep.append(view)
    c = ffi.new("att_rows *")
    c.n = n
    c.ptrs = ptrs
    c.lens = lens
    return Rows(c, n, (ptrs, lens, keep))


_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class _ArrowOwner:
    """Takes over an ArrowArray (with its schema) from a producer and releases it when the last view of it is gone."""

    __slots__ = ("array", "schema")

    def __init__(self) -> None:
        self.array = ffi.new("struct ArrowArray *")
        self.schema = ffi.new("struct ArrowSchema *")

    def take(self, schema: CData | None, array_: CData) -> None:
        """Moves the contents, as the interface prescribes: the source is marked released."""
        if schema is not None:
            self.schema[0] = schema[0]
            schema.release = ffi.NULL
        self.array[0] = array_[0]
        array_.release = ffi.NULL

    def __del__(self) -> None:
        for c in (self.array, self.schema):
            if c.release != ffi.NULL:
                c.release(c)


@dataclass(frozen=True, slots=True)
class ArrowChunk:
    """One Arrow array: its type as a format string, its values, and for a dictionary the index of each row."""

    format: str
    n: int
    rows: Rows | None  # binary types: the rows themselves, or of a dictionary column the values
    indices: array[int] | None  # dictionary columns: n entries, -1 for null
    owner: object
    ints: tuple[CData, int, CData, int] | None  # 64-bit integers: values, first row, validity, its length


def _buffer_sizes(column: object) -> list[int] | None:
    """Bytes in each buffer of a pyarrow array; None of another library's, whose word is taken: the C interface does not tell."""
    if type(column).__module__.partition(".")[0] != "pyarrow":
        return None
    return [0 if buffer is None else buffer.size for buffer in column.buffers()]  # type: ignore[attr-defined]


def _dictionary_sizes(column: object) -> list[int] | None:
    dictionary = getattr(column, "dictionary", None)
    return None if dictionary is None else _buffer_sizes(dictionary)


def _require_size(sizes: list[int] | None, buffer: int, needed: int) -> None:
    if sizes is not None and (buffer >= len(sizes) or sizes[buffer] < needed):
        raise ValueError("an Arrow buffer is shorter than its array says")


def arrow_chunks(column: object) -> list[ArrowChunk] | None:
    """The arrays of any object that speaks the Arrow PyCapsule protocol; None when it does not."""
    if hasattr(column, "chunks") and hasattr(column, "__arrow_c_stream__"):  # pyarrow.ChunkedArray
        return [chunk for part in column.chunks for chunk in arrow_chunks(part) or []]
    if hasattr(column, "__arrow_c_array__"):
        schema_capsule, array_capsule = column.__arrow_c_array__()
        owner = _ArrowOwner()
        schema = ffi.cast("struct ArrowSchema *", _capsule_pointer(schema_capsule, b"arrow_schema"))
        owner.take(schema, ffi.cast("struct ArrowArray *", _capsule_pointer(array_capsule, b"arrow_array")))
        return [_chunk(owner, owner.schema, None, _buffer_sizes(column), _dictionary_sizes(column))]
    if hasattr(column, "__arrow_c_stream__"):
        return _stream_chunks(column.__arrow_c_stream__())
    return None


def _stream_chunks(capsule: object) -> list[ArrowChunk]:
    stream = ffi.cast("struct ArrowArrayStream *", _capsule_pointer(capsule, b"arrow_array_stream"))
    head = _ArrowOwner()
    if stream.get_schema(stream, head.schema) != 0:
        raise ValueError("the Arrow stream gives no schema")
    chunks: list[ArrowChunk] = []
    while True:
        owner = _ArrowOwner()
        if stream.get_next(stream, owner.array) != 0:
            raise ValueError("the Arrow stream broke off")
        if owner.array.release == ffi.NULL:
            return chunks
        chunks.append(_chunk(owner, head.schema, head))


def _validity(a: CData) -> tuple[CData, int]:
    bits = a.buffers[0]
    if bits == ffi.NULL or a.null_count == 0:
        return ffi.NULL, 0
    return ffi.cast("const uint8_t *", bits), (a.offset + a.length + 7) // 8


def _chunk(
    owner: _ArrowOwner,
    schema: CData,
    keep: object = None,
    sizes: list[int] | None = None,
    dictionary_sizes: list[int] | None = None,
) -> ArrowChunk:
    a = owner.array
    form = _text(schema.format)
    both = (owner, keep)
    end = a.offset + a.length
    if a.length and a.n_buffers and a.buffers[0] != ffi.NULL:
        _require_size(sizes, 0, (end + 7) // 8)
    if schema.dictionary != ffi.NULL:
        _require_size(sizes, 1, end * _INDEX_TYPES.get(form, (0, 0))[0])
        values = _binary_rows(_text(schema.dictionary.format), a.dictionary, both, dictionary_sizes)
        return ArrowChunk("dictionary", a.length, values, _dictionary_indices(form, a, values.n), both, None)
    if form == "l" or form.startswith("ts"):
        _require_size(sizes, 1, 8 * end)
        validity, validity_len = _validity(a)
        data = ffi.cast("const int64_t *", a.buffers[1])
        return ArrowChunk(form, a.length, None, None, both, (data, a.offset, validity, validity_len))
    if form in _BINARY or form.startswith("w:"):
        return ArrowChunk(form, a.length, _binary_rows(form, a, both, sizes), None, both, None)
    return ArrowChunk(form, a.length, None, None, both, None)


_BINARY = frozenset({"n", "z", "u", "Z", "U", "vz", "vu"})
_INDEX_TYPES = {"c": (1, 1), "C": (1, 0), "s": (2, 1), "S": (2, 0), "i": (4, 1), "I": (4, 0), "l": (8, 1), "L": (8, 0)}


def _dictionary_indices(form: str, a: CData, num_values: int) -> array[int]:
    if form not in _INDEX_TYPES:
        raise TypeError(f"dictionary indices of Arrow type {form!r} are not supported")
    width, signed = _INDEX_TYPES[form]
    validity, validity_len = _validity(a)
    out = array("i", bytes(4 * a.length))
    if a.length:
        with ffi.from_buffer("int32_t[]", out, require_writable=True) as c:
            if (
                lib.att_indices(a.buffers[1], width, signed, a.offset, a.length, validity, validity_len, num_values, c)
                != 0
            ):
                raise ValueError("a dictionary index is out of range")
    return out


def _binary_rows(form: str, a: CData, owner: object, sizes: list[int] | None = None) -> Rows:
    if form == "n":  # Arrow's null type: what an all-null column without a type becomes
        return rows_of_sequence([None] * a.length)
    c = ffi.new("att_rows *")
    c.n = a.length
    c.first = a.offset
    c.validity, c.validity_len = _validity(a)
    keep: tuple[object, ...] = (owner,)
    end = a.offset + a.length
    if form in ("z", "u", "Z", "U"):
        wide = form in ("Z", "U")
        _require_size(sizes, 1, (end + 1) * (8 if wide else 4) if a.length else 0)
        offsets = ffi.cast("const int64_t *" if wide else "const int32_t *", a.buffers[1])
        if wide:
            c.offsets64 = offsets
        else:
            c.offsets32 = offsets
        c.data = ffi.cast("const uint8_t *", a.buffers[2])
        last = max(offsets[end], 0) if a.length else 0
        c.data_len = last if sizes is None else min(last, sizes[2])
    elif form.startswith("w:"):
        c.stride = int(form[2:])
        _require_size(sizes, 1, end * c.stride)
        c.data = ffi.cast("const uint8_t *", a.buffers[1])
        c.data_len = end * c.stride
    elif form in ("vz", "vu"):
        _require_size(sizes, 1, end * 16)
        num = a.n_buffers - 3
        told = ffi.cast("const int64_t *", a.buffers[a.n_buffers - 1])
        buffers = ffi.new("const uint8_t *[]", max(num, 1))
        lens = ffi.new("uint64_t[]", max(num, 1))
        for i in range(num):
            buffers[i] = ffi.cast("const uint8_t *", a.buffers[2 + i])
            lens[i] = max(told[i], 0) if sizes is None else min(max(told[i], 0), sizes[2 + i])
        c.views = ffi.cast("const uint8_t *", a.buffers[1])
        c.buffers, c.buffer_lens, c.num_buffers = buffers, lens, num
        keep = (owner, buffers, lens)
    else:
        raise TypeError(f"an Arrow column of type {form!r} holds no byte strings")
    return Rows(c, int(a.length), keep)


_spread_key = os.urandom(16)  # for hash slots and marks; no verdict depends on it


def cells_at(rows: Rows, numbers: Sequence[int]) -> list[bytes | None]:
    """Private copies of some rows; None for null and unreadable ones."""
    n = len(numbers)
    ptrs, lens = ffi.new("const uint8_t *[]", max(n, 1)), ffi.new("uint64_t[]", max(n, 1))
    with ffi.from_buffer("int64_t[]", array("q", numbers)) as which:
        lib.att_rows_at(rows.c, which, n, ptrs, lens)
    return [ffi.buffer(p, size)[:] if p else None for p, size in zip(ptrs, ffi.unpack(lens, n), strict=False)]


def distinct(rows: Rows) -> tuple[array[int], list[int]]:
    """Per row the number of its value (-1 for null), and per value the first row that has it."""
    n = rows.n
    index = array("i", bytes(4 * n))
    if n == 0:
        return index, []
    first = ffi.new("int64_t[]", n)
    num_slots = 1 << (2 * n).bit_length()
    slots = ffi.new("int32_t[]", num_slots)
    with ffi.from_buffer("int32_t[]", index, require_writable=True) as out:
        num = lib.att_rows_distinct(rows.c, _spread_key, out, first, slots, num_slots)
    return index, [first[k] for k in range(num)]


def remap(index: array[int], numbers: array[int]) -> array[int]:
    """numbers[i] for each i of index; -1 stays -1."""
    out = array("i", bytes(4 * len(index)))
    if len(index):
        with (
            ffi.from_buffer("int32_t[]", index) as source,
            ffi.from_buffer("int32_t[]", numbers) as table,
            ffi.from_buffer("int32_t[]", out, require_writable=True) as target,
        ):
            lib.att_remap(source, len(index), table, len(numbers), target)
    return out


def base64_decode(text: bytes) -> bytes | None:
    """What canonical base64 (padded, no white space) stands for; None for any other text."""
    out = ffi.new("uint8_t[]", len(text) // 4 * 3 + 1)
    size = lib.att_base64(text, len(text), out)
    return None if size < 0 else bytes(ffi.buffer(out, size))


_TICKS = {"l": 1, "tss": 1, "tsm": 10**3, "tsu": 10**6, "tsn": 10**9}


def times_of_arrow(chunk: ArrowChunk) -> array[int]:
    """Unix seconds of an int64 or timestamp column; NO_TIME for null."""
    if chunk.format == "n":
        return array("q", [NO_TIME]) * chunk.n
    per_second = _TICKS.get(chunk.format.split(":")[0])
    if chunk.ints is None or per_second is None:
        raise TypeError(f"an Arrow column of type {chunk.format!r} holds no times")
    data, first, validity, validity_len = chunk.ints
    out = array("q", bytes(8 * chunk.n))
    with ffi.from_buffer("int64_t[]", out, require_writable=True) as c:
        lib.att_times(data, first, chunk.n, per_second, validity, validity_len, c)
    return out


# ---- certificates ----------------------------------------------------------------------------------------------------------


def blob_open(blob: bytes, max_certs: int = BLOB_MAX_CERTS) -> tuple[list[bytes], Finding]:
    """The DER of each certificate in PEM, DER or a GHCB certificate table; and what was wrong (code PASS when nothing was)."""
    out = ffi.new("uint8_t[]", max(min(len(blob), BLOB_MAX_BYTES), 1))
    offsets, lens = ffi.new("uint32_t[]", max_certs), ffi.new("uint32_t[]", max_certs)
    error = ffi.new("att_finding *")
    num = lib.att_blob_open(blob, len(blob), out, offsets, lens, max_certs, error)
    if num < 0:
        return [], _finding(error)
    memory = ffi.buffer(out)
    return [memory[offsets[i] : offsets[i] + lens[i]] for i in range(num)], Finding(PASS, 0, 0)


@dataclass(frozen=True, slots=True)
class Tcb:
    """A TCB by its parts (AMD 56860, TCB_VERSION)."""

    fmc: int
    boot_loader: int
    tee: int
    snp: int
    microcode: int


def _tcb(c: CData) -> Tcb:
    return Tcb(c.fmc, c.boot_loader, c.tee, c.snp, c.microcode)


@dataclass(frozen=True, slots=True)
class CertInfo:
    """One certificate as the core read it."""

    profile: Finding
    role: str
    product: str | None
    self_issued: bool
    struct_version: int
    tcb: Tcb
    name_product: str | None
    hwid: bytes
    csp_id: str | None
    not_before: int
    not_after: int
    serial: int
    subject: bytes
    issuer: bytes
    key: bytes
    exponent: int
    signature: bytes
    tbs_sha384: bytes
    sha256: bytes
    spki_sha256: bytes


def _bytes(c: CData, n: int | None = None) -> bytes:
    return bytes(ffi.buffer(c))[:n]


def _cert_info(c: CData) -> CertInfo:
    return CertInfo(
        profile=_finding(c.profile),
        role=ROLES[c.role],
        product=PRODUCTS[c.product],
        self_issued=bool(c.self_issued),
        struct_version=c.struct_version,
        tcb=_tcb(c.tcb),
        name_product=PRODUCTS[c.name_product],
        hwid=_bytes(c.hwid, c.hwid_len),
        csp_id=_bytes(c.csp_id, c.csp_id_len).decode("ascii") if c.csp_id_len else None,
        not_before=c.not_before,
        not_after=c.not_after,
        serial=int.from_bytes(_bytes(c.serial, c.serial_len), "big"),
        subject=_bytes(c.subject, c.subject_len),
        issuer=_bytes(c.issuer, c.issuer_len),
        key=_bytes(c.key, c.key_len),
        exponent=c.exponent,
        signature=_bytes(c.signature, c.signature_len),
        tbs_sha384=_bytes(c.tbs_sha384),
        sha256=_bytes(c.sha256),
        spki_sha256=_bytes(c.spki_sha256),
    )


def snp_cert_read(der: bytes) -> CertInfo:
    c = ffi.new("att_snp_cert *")
    lib.att_snp_cert_read(der, len(der), c)
    return _cert_info(c)


@dataclass(frozen=True, slots=True)
class CrlInfo:
    """One CRL as the core read it."""

    profile: Finding
    root: int
    this_update: int
    next_update: int
    issuer: bytes
    revoked: tuple[int, ...]
    sha256: bytes


class _Crls:
    """CRLs and their common table of serials."""

    def __init__(self, ders: Sequence[bytes]) -> None:
        room = sum(min(len(der), CRL_MAX_BYTES) // 6 + 1 for der in ders)
        self.crls = ffi.new("att_snp_crl[]", max(len(ders), 1))
        self.serials = ffi.new("att_serial[]", max(room, 1))
        self.num = len(ders)
        used = ffi.new("uint64_t *")
        for i, der in enumerate(ders):
            lib.att_snp_crl_read(der, len(der), ffi.addressof(self.crls, i), self.serials, room, used)
        self.num_serials = int(used[0])

    def info(self, i: int) -> CrlInfo:
        c = self.crls[i]
        serials = range(c.first_revoked, c.first_revoked + c.num_revoked)
        return CrlInfo(
            profile=_finding(c.profile),
            root=c.root,
            this_update=c.this_update,
            next_update=c.next_update,
            issuer=_bytes(c.issuer, c.issuer_len),
            revoked=tuple(int.from_bytes(_bytes(self.serials[k].bytes, self.serials[k].len), "big") for k in serials),
            sha256=_bytes(c.sha256),
        )


def snp_crl_read(der: bytes) -> CrlInfo:
    return _Crls([der]).info(0)


def _read_certs(ders: Sequence[bytes]) -> CData:
    certs = ffi.new("att_snp_cert[]", max(len(ders), 1))
    for i, der in enumerate(ders):
        lib.att_snp_cert_read(der, len(der), ffi.addressof(certs, i))
    return certs


class SnpTrust:
    """Anchors, known intermediates and CRLs of one verifier, verified against each other once. Immutable, shared by threads."""

    __slots__ = ("_anchors", "_crls", "_intermediates", "c", "crl_infos", "intermediate_hashes")

    def __init__(
        self, anchors: Sequence[bytes], intermediates: Sequence[bytes], crls: Sequence[bytes], runner: Runner
    ) -> None:
        self._anchors = _read_certs(anchors)
        self._intermediates = _read_certs(intermediates)
        self._crls = _Crls(crls)
        c = self.c = ffi.new("att_snp_trust *")
        c.anchors, c.num_anchors = self._anchors, len(anchors)
        c.intermediates, c.num_intermediates = self._intermediates, len(intermediates)
        c.crls, c.num_crls = self._crls.crls, len(crls)
        c.serials, c.num_serials = self._crls.serials, self._crls.num_serials
        jobs = ffi.new("att_sig_job[]", max(lib.att_snp_trust_jobs(c, ffi.NULL), 1))
        _run_jobs(runner, jobs, lib.att_snp_trust_jobs(c, jobs))
        lib.att_snp_trust_finish(c, jobs)
        if any(self._anchors[i].root != i for i in range(len(anchors))):
            raise ValueError("roots: an ARK's own signature does not verify")
        self.crl_infos = tuple(self._crls.info(i) for i in range(len(crls)))
        self.intermediate_hashes = frozenset(_bytes(self._intermediates[i].sha256) for i in range(len(intermediates)))


_LEAF_SIZE: int = ffi.sizeof("att_snp_leaf")
_FINDING_SIZE: int = ffi.sizeof("att_finding")
_NOTHING_WRONG = bytes(ffi.buffer(ffi.new("att_finding *", {"code": PASS})))


class LeafSet:
    """The leaves of one certificate set, linked, and what was wrong with the set: the bytes of the C structs."""

    __slots__ = ("_c", "error", "leaves")

    def __init__(self, leaves: bytes, error: bytes) -> None:
        self.leaves = leaves
        self.error = error
        self._c: tuple[CData, object] | None = None

    def held(self) -> tuple[CData, object]:
        """This set as an att_snp_set, and what must live as long as that is used; made when it is first asked for. Two threads may make
        it at the same time: the caller keeps what it got."""
        found = self._c
        if found is None:
            found = self._c = _c_sets([self])
        return found

    @property
    def weight(self) -> int:
        """Bytes that this set accounts for."""
        return 256 + len(self.leaves)

    def leaf(self, i: int) -> LeafInfo:
        held = self.held()
        c = held[0][0].leaves[i]
        return LeafInfo(
            role=ROLES[c.role],
            product=PRODUCTS[c.product] or PRODUCTS[c.leaf_product],
            tcb=_tcb(c.tcb),
            hwid=_bytes(c.hwid, c.hwid_len),
            csp_id=_bytes(c.csp_id, c.csp_id_len).decode("ascii") if c.csp_id_len else None,
            not_before=tuple(c.not_before),
            not_after=tuple(c.not_after),
            sha256=tuple(_bytes(c.sha256[k]) for k in range(3)),
        )

    def hashes(self, i: int) -> tuple[bytes, bytes, bytes]:
        """SHA-256 of leaf i, its ASK or ASVK, and its ARK; zeros for what is not there."""
        held = self.held()
        c = held[0][0].leaves[i].sha256
        return _bytes(c[0]), _bytes(c[1]), _bytes(c[2])


def _structs(kind: str, parts: Iterable[bytes]) -> CData:
    """C structs out of their bytes; copied once more only where bytes are not aligned for them."""
    data = b"".join(parts)
    view = ffi.from_buffer(f"{kind}[]", data)
    if int(ffi.cast("uintptr_t", view)) % 8 == 0:
        return view
    out = ffi.new(f"{kind}[]", max(len(view), 1))
    ffi.memmove(out, data, len(data))
    return out


def _c_sets(sets: Sequence[LeafSet]) -> tuple[CData, tuple[object, ...]]:
    """The sets as an array of att_snp_set, and what must live as long."""
    n = len(sets)
    c = ffi.new("att_snp_set[]", max(n, 1))
    leaves = _structs("att_snp_leaf", [leaf_set.leaves for leaf_set in sets])
    errors = _structs("att_finding", [leaf_set.error for leaf_set in sets])
    counts = array("I", [len(leaf_set.leaves) // _LEAF_SIZE for leaf_set in sets])
    with ffi.from_buffer("uint32_t[]", counts) as numbers:
        lib.att_snp_sets_fill(leaves, numbers, errors, n, c)
    return c, (leaves, errors)


@dataclass(frozen=True, slots=True)
class LeafInfo:
    """The leaf that a row was judged by; times and hashes are those of leaf, ASK or ASVK, and ARK (zero bytes: there was none)."""

    role: str
    product: str | None
    tcb: Tcb
    hwid: bytes
    csp_id: str | None
    not_before: tuple[int, ...]
    not_after: tuple[int, ...]
    sha256: tuple[bytes, ...]


def _link(
    trust: SnpTrust, certs: CData, set_of: CData, n: int, errors: CData, num_sets: int, runner: Runner
) -> list[LeafSet]:
    """Links certificates that were read; errors is what opening each set said."""
    jobs = ffi.new("att_sig_job[]", max(lib.att_snp_chain_jobs(trust.c, certs, set_of, n, ffi.NULL), 1))
    _run_jobs(runner, jobs, lib.att_snp_chain_jobs(trust.c, certs, set_of, n, jobs))
    block = ffi.new("att_snp_leaf[]", max(n, 1))
    firsts = array("I", bytes(4 * (num_sets + 1)))
    with ffi.from_buffer("uint32_t[]", firsts, require_writable=True) as out:
        lib.att_snp_chain_finish(trust.c, certs, set_of, n, num_sets, jobs, block, out, errors)
    leaves, wrong = ffi.buffer(block), ffi.buffer(errors)[: _FINDING_SIZE * num_sets]
    ends = [_LEAF_SIZE * first for first in firsts]
    parts = [leaves[ends[k] : ends[k + 1]] for k in range(num_sets)]
    if wrong == _NOTHING_WRONG * num_sets:
        return [LeafSet(part, _NOTHING_WRONG) for part in parts]
    return [LeafSet(part, wrong[_FINDING_SIZE * k : _FINDING_SIZE * (k + 1)]) for k, part in enumerate(parts)]


def link_sets(trust: SnpTrust, sets: Sequence[tuple[Sequence[bytes], Finding]], runner: Runner) -> list[LeafSet]:
    """Reads and links the certificates (DER) of many sets; each set brings what opening its blobs said."""
    ders = [der for certs, _ in sets for der in certs]
    n = len(ders)
    set_of = ffi.new("uint32_t[]", max(n, 1))
    errors = ffi.new("att_finding[]", len(sets))
    at = 0
    for k, (members, error) in enumerate(sets):
        errors[k].code, errors[k].field, errors[k].offset = error.code, error.field, error.offset
        for _ in members:
            set_of[at] = k
            at += 1
    return _link(trust, _read_certs(ders), set_of, n, errors, len(sets), runner)


SET_MAX_BLOBS: int = lib.ATT_SET_MAX_BLOBS
_CERTS_PER_LINK = 1024
_BLOB_BYTES_PER_LINK = 8 << 20


def link_cells(trust: SnpTrust, cells: Sequence[tuple[bytes, ...]], runner: Runner) -> list[LeafSet]:
    """Opens, reads and links many sets as they come with rows: each of at most SET_MAX_BLOBS blobs, which are bounded."""
    out: list[LeafSet] = []
    while len(out) < len(cells):
        part = cells[len(out) : len(out) + _CERTS_PER_LINK]
        sizes = [sum(map(len, cell)) for cell in part]
        total = sum(sizes)
        while total > _BLOB_BYTES_PER_LINK and len(sizes) > 1:
            total -= sizes.pop()
        out += _link_cells(trust, part[: len(sizes)], max(sizes), runner)
    return out


def _link_cells(trust: SnpTrust, cells: Sequence[tuple[bytes, ...]], largest: int, runner: Runner) -> list[LeafSet]:
    """The first of the cells, as many as there is room for; one at least."""
    blobs = [blob for cell in cells for blob in cell]
    if max(map(len, cells)) > SET_MAX_BLOBS:
        raise ValueError("too many blobs for one cell")
    lens, counts = array("Q", map(len, blobs)), array("I", map(len, cells))
    room = max(len(cells), SET_MAX_BLOBS * BLOB_MAX_CERTS)
    certs, set_of = ffi.new("att_snp_cert[]", room), ffi.new("uint32_t[]", room)
    scratch, num_certs = ffi.new("uint8_t[]", max(largest, 1)), ffi.new("uint64_t *")
    errors = ffi.new("att_finding[]", len(cells))
    with ffi.from_buffer("uint64_t[]", lens) as c_lens, ffi.from_buffer("uint32_t[]", counts) as c_counts:
        num = lib.att_snp_sets_read(
            b"".join(blobs), c_lens, c_counts, len(cells), scratch, room, certs, set_of, num_certs, errors
        )
    return _link(trust, certs, set_of, num_certs[0], errors, num, runner)


# ---- policy ----------------------------------------------------------------------------------------------------------------

_LISTS = {
    "measurements_48": 48, "host_data_32": 32, "family_ids_16": 16, "image_ids_16": 16, "report_ids_32": 32,
    "report_ids_ma_32": 32, "id_keys_48": 48, "author_keys_48": 48, "chips_allowed_64": 64, "chips_denied_64": 64,
    "leaf_keys_allowed_32": 32, "leaf_keys_denied_32": 32, "csp_ids_64": 64,
}  # fmt: skip
_SCALARS = (
    "guest_required", "guest_forbidden", "platform_required", "platform_forbidden", "launch_mitigations",
    "current_mitigations", "min_version", "min_guest_svn", "vmpls", "products", "signers", "min_current_firmware",
    "min_committed_firmware", "min_abi", "products_asked", "signers_asked", "allow_masked_chip_id",
    "allow_provisional", "allow_v4_mitigations", "require_crl", "ignore_leaf_not_before", "id_block",
    "report_data_zero_tail",
)  # fmt: skip


def _fill_list(c: CData, items: bytes, size: int, name: str) -> object:
    """Writes an att_list; what is returned must outlive it."""
    if len(items) % size:
        raise ValueError(f"{name} is not a whole number of items")
    memory = ffi.new("uint8_t[]", items or b"\0")
    c.items, c.num = memory, len(items) // size
    return memory


def _fill_policy(c: CData, compiled: Any, scalars: Sequence[str], lists: Mapping[str, int]) -> list[object]:
    """Writes the members that policies of every kind have in common; what is returned must outlive the policy."""
    for name in scalars:
        setattr(c, name, int(getattr(compiled, name)))
    keep = [_fill_list(getattr(c, name), bytes(getattr(compiled, name)), size, name) for name, size in lists.items()]
    data = bytes(compiled.report_data)
    c.report_data = data.ljust(64, b"\0")
    c.report_data_len = len(data)
    return keep


class SnpPolicy:
    """A compiled policy in C memory. Immutable once made."""

    __slots__ = ("_keep", "c")

    def __init__(self, compiled: object) -> None:
        c = self.c = ffi.new("att_snp_policy *")
        keep = _fill_policy(c, compiled, _SCALARS, _LISTS)
        floors = list(compiled.floors)  # type: ignore[attr-defined]
        memory = ffi.new("att_snp_floor[]", max(len(floors), 1))
        for i, (kind, by_cpuid, product, family, model, stepping, minimum) in enumerate(floors):
            floor = memory[i]
            floor.kind, floor.by_cpuid, floor.product = kind, by_cpuid, product
            floor.family, floor.model, floor.stepping = family, model, stepping
            m = floor.minimum
            m.fmc, m.boot_loader, m.tee, m.snp, m.microcode = minimum
        c.floors, c.num_floors = memory, len(floors)
        keep.append(memory)
        self._keep = keep


# ---- reports ---------------------------------------------------------------------------------------------------------------

_WORK_SIZE = ffi.sizeof("att_snp_work")
_JOB_SIZE = ffi.sizeof("att_sig_job")
_FINDING_SIZE = ffi.sizeof("att_finding")
_WITH_FINDINGS: int = lib.ATT_SNP_WITH_FINDINGS
_WITH_CLAIMS: int = lib.ATT_SNP_WITH_CLAIMS
_WITH_REPORTS: int = lib.ATT_SNP_WITH_REPORTS


class SnpColumns:
    """What judging n reports gave, as columns; see att_snp_columns in csrc/attest.h. The columns themselves are those of `c`; the memory
    behind them is this object's, so no pointer may be kept longer."""

    __slots__ = ("_memory", "c", "n")

    def __init__(self, n: int, *, findings: bool, claims: bool, reports: bool) -> None:
        self.n = n
        self.c = ffi.new("att_snp_columns *")
        parts = _WITH_FINDINGS * findings | _WITH_CLAIMS * claims | _WITH_REPORTS * reports
        size = lib.att_snp_columns_place(n, parts, NULL, self.c)
        self._memory = ffi.new("uint64_t[]", max(size // 8, 1))  # zeros: what nothing writes reads "not run"
        lib.att_snp_columns_place(n, parts, self._memory, self.c)

    def codes(self, row: int) -> list[int]:
        """One code a check."""
        first = self._row(row) * NUM_SNP_CHECKS
        return ffi.unpack(self.c.codes + first, NUM_SNP_CHECKS)  # type: ignore[no-any-return]

    def finding(self, row: int, check: int) -> Finding:
        """Of columns made with findings."""
        return _finding(self.c.findings[self._row(row) * NUM_SNP_CHECKS + check])

    def fingerprint(self, row: int) -> tuple[int, bytes]:
        """A keyed hash of the bytes that were judged, and the row's codes."""
        width = 2 * NUM_SNP_CHECKS
        return int(self.c.mark[self._row(row)]), bytes(ffi.buffer(self.c.codes + row * NUM_SNP_CHECKS, width))

    def _row(self, row: int) -> int:
        if not 0 <= row < self.n:
            raise IndexError(f"no row {row} among {self.n}")
        return row

    def report_fields(self, row: int) -> ReportFields:
        """Of columns made with claims."""
        return _report_fields(self.c.claims + self._row(row))

    def accepted_bytes(self) -> bytes:
        return bytes(ffi.buffer(self.c.accepted, self.n))

    def parsed_bytes(self) -> bytes:
        return bytes(ffi.buffer(self.c.parsed, self.n))

    def code_numbers(self) -> array[int]:
        return array("H", bytes(ffi.buffer(self.c.code, 2 * self.n)))

    def failed_codes(self) -> tuple[array[int], array[int]]:
        """All codes of all rows: n + 1 offsets, and the numbers."""
        offsets = array("i", bytes(4 * (self.n + 1)))
        with ffi.from_buffer("int32_t[]", offsets, require_writable=True) as c:
            num = lib.att_codes_flatten(self.c.codes, self.n, NUM_SNP_CHECKS, c, ffi.NULL)
            if num < 0:
                raise ValueError("too many rows for one column of codes")
            values = array("H", bytes(2 * num))
            if num:
                with ffi.from_buffer("uint16_t[]", values, require_writable=True) as v:
                    lib.att_codes_flatten(self.c.codes, self.n, NUM_SNP_CHECKS, c, v)
        return offsets, values

    def report_bytes(self, offset: int, size: int) -> bytes:
        """The field at offset of every report, one after the other."""
        return self._gather(self.c.reports, REPORT_LEN, offset, size)

    def claim_bytes(self, member: str) -> tuple[bytes, int]:
        """A member of att_snp_report of every row, in the machine's byte order; and its size. Parts: 'tcb.0.snp'."""
        offset, ctype = 0, ffi.typeof("att_snp_report")
        for part in member.split("."):
            if part.isdigit():
                ctype = ctype.item
                offset += int(part) * ffi.sizeof(ctype)
            else:
                offset += ffi.offsetof(ctype, part)
                ctype = dict(ctype.fields)[part].type
        size = ffi.sizeof(ctype)
        return self._gather(ffi.cast("uint8_t *", self.c.claims), ffi.sizeof("att_snp_report"), offset, size), size

    def _gather(self, base: CData, stride: int, offset: int, size: int) -> bytes:
        out = ffi.new("uint8_t[]", max(self.n * size, 1))
        lib.att_gather(base, stride, offset, size, self.n, out)
        return bytes(ffi.buffer(out, self.n * size))


@dataclass(frozen=True, slots=True)
class ReportFields:
    """The numbers of a report; byte strings stay in the report (SNP_LAYOUT)."""

    version: int
    guest_svn: int
    policy: int
    vmpl: int
    signature_algo: int
    platform_info: int
    key_info: int
    author_key_en: bool
    mask_chip_key: bool
    signing_key: int
    has_cpuid: bool
    cpuid_fam_id: int
    cpuid_mod_id: int
    cpuid_step: int
    product: str | None
    tcb_layout: int
    chip_id_masked: bool
    current_version: tuple[int, int, int]
    committed_version: tuple[int, int, int]
    launch_mit_vector: int
    current_mit_vector: int
    reported_tcb: Tcb
    committed_tcb: Tcb
    current_tcb: Tcb
    launch_tcb: Tcb


def _layout_of(ctype: str) -> struct.Struct:
    """The numbers of a C struct in their order, those of its parts in their place, for one call to unpack them all."""
    form, at = "=", 0
    for offset, size in _numbers_of(ffi.typeof(ctype), 0):
        form += f"{offset - at}x" + {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
        at = offset + size
    return struct.Struct(f"{form}{ffi.sizeof(ctype) - at}x")


def _numbers_of(ctype: CData, offset: int) -> Iterator[tuple[int, int]]:
    if ctype.kind == "struct":
        for _, field in ctype.fields:
            yield from _numbers_of(field.type, offset + field.offset)
    elif ctype.kind == "array":
        for i in range(ctype.length):
            yield from _numbers_of(ctype.item, offset + i * ffi.sizeof(ctype.item))
    else:
        yield offset, ffi.sizeof(ctype)


_REPORT = _layout_of("att_snp_report")
_REPORT_SIZE = ffi.sizeof("att_snp_report")


def _report_fields(c: CData) -> ReportFields:
    (
        version, guest_svn, policy, vmpl, signature_algo, platform_info, key_info, author_key_en, mask_chip_key,
        signing_key, has_cpuid, fam_id, mod_id, step, product, tcb_layout, masked, *rest,
    ) = _REPORT.unpack(ffi.buffer(c, _REPORT_SIZE))  # fmt: skip
    tcbs = [Tcb(*rest[first : first + 5]) for first in range(8, 28, 5)]
    return ReportFields(
        version, guest_svn, policy, vmpl, signature_algo, platform_info, key_info, author_key_en != 0,
        mask_chip_key != 0, signing_key, has_cpuid != 0, fam_id, mod_id, step, PRODUCTS[product], tcb_layout,
        masked != 0, tuple(rest[0:3]), tuple(rest[3:6]), rest[6], rest[7],
        tcbs[_TCB_REPORTED], tcbs[_TCB_COMMITTED], tcbs[_TCB_CURRENT], tcbs[_TCB_LAUNCH],
    )  # fmt: skip


_TCB_REPORTED: int = lib.ATT_TCB_REPORTED
_TCB_COMMITTED: int = lib.ATT_TCB_COMMITTED
_TCB_CURRENT: int = lib.ATT_TCB_CURRENT
_TCB_LAUNCH: int = lib.ATT_TCB_LAUNCH


def snp_parse(data: bytes, product: int = 0) -> tuple[ReportFields | None, list[Finding]]:
    """The fields of a report and the findings of all checks (those that need more than the report are not run)."""
    c = ffi.new("att_snp_report *")
    findings = ffi.new("att_finding[]", NUM_SNP_CHECKS)
    filled = lib.att_snp_parse(data, len(data), product, c, findings)
    return (_report_fields(c) if filled else None), [_finding(findings[i]) for i in range(NUM_SNP_CHECKS)]


def _layout() -> dict[str, tuple[int, int]]:
    field, offset, size = ffi.new("uint32_t *"), ffi.new("uint32_t *"), ffi.new("uint32_t *")
    out: dict[str, tuple[int, int]] = {}
    while lib.att_snp_layout(len(out), field, offset, size):
        out[FIELDS[field[0]]] = (int(offset[0]), int(size[0]))
    return out


SNP_LAYOUT = _layout()
"""Field name to (offset, size), in the order of the report: the C core's own table."""

OMISSIONS = (
    (int(lib.ATT_OMIT_MEASUREMENT), "measurement"),
    (int(lib.ATT_OMIT_REPORT_DATA), "report-data"),
    (int(lib.ATT_OMIT_TCB_FLOOR), "tcb-floor"),
    (int(lib.ATT_OMIT_CRL), "crl"),
    (int(lib.ATT_OMIT_CHIP_ID), "chip-id"),
)


class _Scratch(threading.local):
    """Work memory of one thread, grown as needed: nothing in it outlives a call."""

    def __init__(self) -> None:
        self.n = 0
        self.work: CData = None
        self.jobs: CData = None

    def room(self, n: int) -> None:
        if n > self.n:
            self.work = ffi.new("att_snp_work[]", n)
            self.jobs = ffi.new("att_sig_job[]", n)
            self.n = n


_scratch = _Scratch()


def _tables(tables: KeyTables | None) -> CData:
    return NULL if tables is None else tables.c


def _verify_native(
    runner: Runner, plan: CData, work: CData, jobs: CData, out: SnpColumns, tables: KeyTables | None
) -> None:
    if lib.att_snp_verify(runner.native, plan, _tables(tables), work, jobs, out.c) != 0:
        raise ValueError(f"engine {runner.name!r} is not usable on this CPU")


class _OneRow:
    """What a call with one row needs, kept ready. Whoever uses one has taken it from the list, so that nobody else sets its pointers
    meanwhile: no other thread, and no signal handler or finalizer that verifies as well."""

    __slots__ = ("at", "data", "jobs", "length", "plan", "work")

    def __init__(self) -> None:
        self.plan = ffi.new("att_snp_plan *")
        self.data = ffi.new("const uint8_t *[1]")
        self.length = ffi.new("uint64_t[1]")
        self.at = ffi.new("int64_t[1]")
        self.work = ffi.new("att_snp_work[1]")
        self.jobs = ffi.new("att_sig_job[1]")
        rows = self.plan.reports
        rows.n, rows.ptrs, rows.lens = 1, self.data, self.length
        self.plan.at = self.at
        self.plan.mark_key = _spread_key


_one_rows: list[_OneRow] = []
_MAX_ONE_ROWS = 64


def _take_one_row() -> _OneRow:
    try:
        return _one_rows.pop()
    except IndexError:
        return _OneRow()


def snp_plan(
    rows: Rows,
    sets: Sequence[LeafSet],
    set_index: array[int] | None,
    at: array[int],
    trust: SnpTrust,
    policy: SnpPolicy,
    product: int,
) -> tuple[CData, object]:
    """An att_snp_plan, and what must live as long."""
    c_sets, keep = _c_sets(sets)
    plan = ffi.new("att_snp_plan *")
    plan.reports = rows.c[0]
    plan.sets, plan.num_sets = c_sets, len(sets)
    index = ffi.from_buffer("int32_t[]", set_index) if set_index is not None else ffi.NULL
    times = ffi.from_buffer("int64_t[]", at)
    plan.set_index, plan.at, plan.at_stride = index, times, 0 if len(at) == 1 else 1
    plan.trust, plan.policy, plan.product = trust.c, policy.c, product
    plan.mark_key = _spread_key
    return plan, (c_sets, keep, index, times, rows, trust, policy)


def snp_verify(
    rows: Rows,
    sets: Sequence[LeafSet],
    set_index: array[int] | None,
    at: array[int],
    trust: SnpTrust,
    policy: SnpPolicy,
    product: int,
    runner: Runner,
    tables: KeyTables | None = None,
    *,
    findings: bool = False,
    claims: bool = False,
    reports: bool = False,
) -> SnpColumns:
    """Judges a column of reports. at has one entry for all rows, or one a row; set_index one a row, or None: set 0 for all."""
    n = rows.n
    if len(at) not in (1, n) or (set_index is not None and len(set_index) != n):
        raise ValueError("times and set numbers do not fit the rows")
    out = SnpColumns(n, findings=findings, claims=claims, reports=reports)
    if n == 0:
        return out
    plan, _keep = snp_plan(rows, sets, set_index, at, trust, policy, product)
    if runner.native is not None:
        _scratch.room(n)
        _verify_native(runner, plan, _scratch.work, _scratch.jobs, out, tables)
        return out
    # Python runs between begin and finish here, and may come back to this function: memory of its own.
    work, jobs, num = ffi.new("att_snp_work[]", n), ffi.new("att_sig_job[]", n), ffi.new("uint64_t *")
    lib.att_snp_begin(plan, work, jobs, num, out.c)
    _run_jobs(runner, jobs, num[0])
    lib.att_snp_finish(plan, work, jobs, num[0], out.c)
    return out


def snp_verify_one(
    data: bytes | None,
    leaf_set: LeafSet | None,
    at: int,
    trust: SnpTrust,
    policy: SnpPolicy,
    product: int,
    runner: Runner,
    tables: KeyTables | None = None,
) -> SnpColumns:
    """snp_verify of one row (None: a null row), with findings and claims: what it makes there for a column is kept ready here."""
    if runner.native is None:
        sets = [] if leaf_set is None else [leaf_set]
        rows, times = rows_of_sequence([data]), array("q", (at,))
        return snp_verify(rows, sets, None, times, trust, policy, product, runner, findings=True, claims=True)
    view = NULL if data is None else ffi.from_buffer("uint8_t[]", data)
    out = SnpColumns(1, findings=True, claims=True, reports=False)
    one = _take_one_row()
    plan = one.plan
    one.data[0], one.length[0], one.at[0] = view, 0 if data is None else len(data), at
    held = None if leaf_set is None else leaf_set.held()
    plan.sets, plan.num_sets = (NULL, 0) if held is None else (held[0], 1)
    plan.trust, plan.policy, plan.product = trust.c, policy.c, product
    _verify_native(runner, plan, one.work, one.jobs, out, tables)
    if len(_one_rows) < _MAX_ONE_ROWS:
        _one_rows.append(one)
    return out


# ---- ID block --------------------------------------------------------------------------------------------------------------


def snp_id_auth(block: bytes, auth: bytes, runner: Runner) -> tuple[Finding, bytes, bytes, tuple[bool, ...]]:
    """What is wrong with the forms (code PASS: nothing), the two key digests, and whether each signature there is holds."""
    scratch = ffi.new("uint8_t[384]")
    jobs = ffi.new("att_sig_job[2]")
    id_digest, author_digest = ffi.new("uint8_t[48]"), ffi.new("uint8_t[48]")
    error = ffi.new("att_finding *")
    num = lib.att_snp_id_auth(block, len(block), auth, len(auth), scratch, jobs, id_digest, author_digest, error)
    if num < 0:
        return _finding(error), b"", b"", ()
    _run_jobs(runner, jobs, num)
    outcomes = tuple(jobs[i].outcome == lib.ATT_SIG_VALID for i in range(num))
    return _finding(error), _bytes(id_digest), _bytes(author_digest), outcomes


# ---- quotes ----------------------------------------------------------------------------------------------------------------

QUOTE_MAX_BYTES: int = lib.ATT_QUOTE_MAX_BYTES
COLLATERAL_MAX_BYTES: int = lib.ATT_COLLATERAL_MAX_BYTES
BODY_NONE: int = lib.ATT_BODY_NONE
BODY_SGX: int = lib.ATT_BODY_SGX
BODY_TYPES: tuple[int, ...] = (lib.ATT_BODY_SGX, lib.ATT_BODY_TD10, lib.ATT_BODY_TD15, lib.ATT_BODY_TD15_EX)
TEE_SGX: int = lib.ATT_TEE_SGX
TEE_TDX: int = lib.ATT_TEE_TDX
CERTIFICATION_CHAIN = 5  # certification data that hold the PCK chain itself

TDX_CHECKS = _names(lib.att_tdx_check_name, lib.att_tdx_num_checks())
TDX_CHECK_TEXTS = _names(lib.att_tdx_check_text, lib.att_tdx_num_checks())
TDX_CHECK_CATEGORIES = tuple(CATEGORIES[lib.att_tdx_check_category(i)] for i in range(len(TDX_CHECKS)))
NUM_TDX_CHECKS = len(TDX_CHECKS)
TCB_STATUSES: tuple[str | None, ...] = (None, *(_text(lib.att_tcb_status_name(i)) for i in range(1, 10)))
INTEL_ROLES = ("other", "root", "platform", "processor", "pck", "tcb-signer")
KINDS_OF_TEE = (None, "tdx", "sgx")

TDX_OMISSIONS = (*OMISSIONS[:1], (int(lib.ATT_OMIT_MR_TD), "mr-td"), *OMISSIONS[1:])


def _tdx_layout(body_type: int) -> dict[str, tuple[int, int]]:
    field, offset, size = ffi.new("uint32_t *"), ffi.new("uint32_t *"), ffi.new("uint32_t *")
    out: dict[str, tuple[int, int]] = {}
    while lib.att_tdx_layout(body_type, len(out), field, offset, size):
        out[FIELDS[field[0]]] = (int(offset[0]), int(size[0]))
    return out


QUOTE_LAYOUTS = {body_type: _tdx_layout(body_type) for body_type in (BODY_NONE, *BODY_TYPES)}
"""Field name to (offset, size): of the header by BODY_NONE, of each body by its type; the C core's own tables."""

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class QuoteParts:
    """Where the parts of a quote lie, as (offset, length); numbers of its header."""

    version: int
    key_type: int
    tee: int
    body_type: int
    certification_type: int
    signed_part: Span
    body: Span
    signature: Span
    key: Span
    qe_report: Span
    qe_signature: Span
    auth: Span
    certification: Span
    section: Span
    trailing: Span


def _span(c: CData) -> Span:
    return int(c.offset), int(c.len)


def _quote_parts(c: CData) -> QuoteParts:
    return QuoteParts(
        c.version,
        c.key_type,
        c.tee,
        c.body_type,
        c.certification_type,
        _span(c.signed_part),
        _span(c.body),
        _span(c.signature),
        _span(c.key),
        _span(c.qe_report),
        _span(c.qe_signature),
        _span(c.auth),
        _span(c.certification),
        _span(c.section),
        _span(c.trailing),
    )


def tdx_parse(data: bytes) -> tuple[QuoteParts | None, list[Finding]]:
    """The parts of a quote, and the findings of all checks (those that need more than the quote are not run)."""
    c = ffi.new("att_tdx_quote *")
    findings = ffi.new("att_finding[]", NUM_TDX_CHECKS)
    filled = lib.att_tdx_parse(data, len(data), c, findings)
    return (_quote_parts(c) if filled else None), [_finding(findings[i]) for i in range(NUM_TDX_CHECKS)]


# -- Intel's certificates --


@dataclass(frozen=True, slots=True)
class PckInfo:
    """What a PCK certificate says of its platform; the last four are None where its CA does not say them."""

    ppid: bytes
    components: bytes
    cpu_svn: bytes
    pce_svn: int
    pce_id: bytes
    fmspc: bytes
    sgx_type: int
    dynamic_platform: bool | None
    cached_keys: bool | None
    smt_enabled: bool | None
    platform_instance_id: bytes | None


def _pck_info(c: CData) -> PckInfo:
    told = bool(c.has_configuration)
    return PckInfo(
        ppid=_bytes(c.ppid),
        components=_bytes(c.components),
        cpu_svn=_bytes(c.cpu_svn),
        pce_svn=c.pce_svn,
        pce_id=_bytes(c.pce_id),
        fmspc=_bytes(c.fmspc),
        sgx_type=c.sgx_type,
        dynamic_platform=bool(c.dynamic_platform) if told else None,
        cached_keys=bool(c.cached_keys) if told else None,
        smt_enabled=bool(c.smt_enabled) if told else None,
        platform_instance_id=_bytes(c.platform_instance_id) if told else None,
    )


@dataclass(frozen=True, slots=True)
class IntelCertInfo:
    """One certificate of Intel's profile as the core read it; pck is there for a PCK certificate whose profile holds."""

    profile: Finding
    role: str
    self_issued: bool
    serial: int
    not_before: int
    not_after: int
    subject: bytes
    issuer: bytes
    key: bytes
    sha256: bytes
    spki_sha256: bytes
    pck: PckInfo | None


def intel_cert_read(der: bytes) -> IntelCertInfo:
    c = ffi.new("att_intel_cert *")
    lib.att_intel_cert_read(der, len(der), c)
    profile = _finding(c.profile)
    return IntelCertInfo(
        profile=profile,
        role=INTEL_ROLES[c.role],
        self_issued=bool(c.self_issued),
        serial=int.from_bytes(_bytes(c.serial, c.serial_len), "big"),
        not_before=c.not_before,
        not_after=c.not_after,
        subject=_bytes(c.subject, c.subject_len),
        issuer=_bytes(c.issuer, c.issuer_len),
        key=_bytes(c.key),
        sha256=_bytes(c.sha256),
        spki_sha256=_bytes(c.spki_sha256),
        pck=_pck_info(c.pck) if c.role == lib.ATT_INTEL_PCK and not profile.failed else None,
    )


def _read_intel_certs(ders: Sequence[bytes]) -> CData:
    certs = ffi.new("att_intel_cert[]", max(len(ders), 1))
    for i, der in enumerate(ders):
        lib.att_intel_cert_read(der, len(der), ffi.addressof(certs, i))
    return certs


class IntelTrust:
    """Roots and known PCK CAs of one verifier, verified against each other once. Immutable, shared by threads."""

    __slots__ = ("_anchors", "_issuers", "c")

    def __init__(self, anchors: Sequence[bytes], issuers: Sequence[bytes], runner: Runner) -> None:
        self._anchors = _read_intel_certs(anchors)
        self._issuers = _read_intel_certs(issuers)
        c = self.c = ffi.new("att_intel_trust *")
        c.anchors, c.num_anchors = self._anchors, len(anchors)
        c.issuers, c.num_issuers = self._issuers, len(issuers)
        jobs = ffi.new("att_sig_job[]", max(lib.att_intel_trust_jobs(c, ffi.NULL), 1))
        _run_jobs(runner, jobs, lib.att_intel_trust_jobs(c, jobs))
        lib.att_intel_trust_finish(c, jobs)
        if any(self._anchors[i].root != i for i in range(len(anchors))):
            raise ValueError("roots: a root's own signature does not verify")


# -- QE sections --


class Platform:
    """A QE section (with the PCK chain that came apart, for those that bring none), judged once; owns its memory. Immutable."""

    __slots__ = ("_c", "section")

    def __init__(self, c: CData, section: bytes) -> None:
        self._c = ffi.new("att_tdx_platform *")
        ffi.memmove(self._c, c, ffi.sizeof("att_tdx_platform"))
        self.section = section  # what the struct's own pointer points at

    @property
    def c(self) -> CData:
        return self._c

    @property
    def weight(self) -> int:
        """Bytes that this platform accounts for."""
        return 512 + int(ffi.sizeof("att_tdx_platform")) + len(self.section)

    @property
    def pck(self) -> PckInfo | None:
        """None when the PCK certificate could not be read to its end."""
        return _pck_info(self._c.pck) if self._c.pck_profile.code == PASS else None

    @property
    def ca(self) -> str | None:
        """ "platform" or "processor"; None when no CA of either name stands above the PCK certificate."""
        role = INTEL_ROLES[self._c.ca]
        return role if role in ("platform", "processor") else None

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """SHA-256 of PCK certificate, CA and root, as far as they are there."""
        return tuple(h for h in (_bytes(self._c.sha256[i]) for i in range(3)) if any(h))

    @property
    def qe_isv_svn(self) -> int:
        return int(self._c.qe_isv_svn)

    @property
    def qe_isv_prod_id(self) -> int:
        return int(self._c.qe_isv_prod_id)

    @property
    def qe_mr_signer(self) -> bytes:
        return _bytes(self._c.qe_mr_signer)


SectionKey: TypeAlias = tuple[bytes, int, bytes]
"""A QE section, its certification type, and the PCK chain (PEM) from elsewhere; b"" where the section brings it, or there is none."""


def section_of(rows: Rows, row: int) -> tuple[bytes, int] | None:
    """A row's QE section and certification type; None when the row has none that can be found."""
    data, length, kind = ffi.new("const uint8_t **"), ffi.new("uint64_t *"), ffi.new("uint16_t *")
    if not lib.att_tdx_section_at(rows.c, row, data, length, kind):
        return None
    return bytes(ffi.buffer(data[0], length[0])), int(kind[0])


def distinct_sections(rows: Rows, chain_of: array[int] | None) -> tuple[array[int], list[int]]:
    """Per row the number of its QE section (-1 where there is none), and per section the first row that has it."""
    n = rows.n
    index = array("i", bytes(4 * n))
    if n == 0:
        return index, []
    first = ffi.new("int64_t[]", n)
    num_slots = 1 << (2 * n).bit_length()
    slots = ffi.new("int32_t[]", num_slots)
    chains = ffi.from_buffer("int32_t[]", chain_of) if chain_of is not None else ffi.NULL
    with ffi.from_buffer("int32_t[]", index, require_writable=True) as out:
        num = lib.att_tdx_sections_distinct(rows.c, chains, _spread_key, out, first, slots, num_slots)
    return index, [first[k] for k in range(num)]


def read_platforms(
    trust: IntelTrust, keys: Sequence[SectionKey], runner: Runner, tables: KeyTables | None = None
) -> list[Platform]:
    """Reads and judges QE sections, all signatures in one run."""
    n = len(keys)
    if n == 0:
        return []
    sections = rows_of_sequence([key[0] for key in keys])
    chains = rows_of_sequence([key[2] or None for key in keys])
    types = ffi.new("uint16_t[]", [key[1] for key in keys])
    block = ffi.new("att_tdx_platform[]", n)
    jobs = ffi.new("att_sig_job[]", n * lib.ATT_TDX_PLATFORM_JOBS)
    _run_jobs(runner, jobs, lib.att_tdx_platform_begin(trust.c, sections.c, types, chains.c, block, jobs), tables)
    lib.att_tdx_platform_finish(trust.c, block, n, jobs)
    return [Platform(block + i, key[0]) for i, key in enumerate(keys)]


# -- collateral --

COLLATERAL_PARTS = (
    "tcb_info_chain", "tcb_info", "tcb_info_signature", "identity_chain", "identity", "identity_signature", "root_crl",
    "pck_crl_chain", "pck_crl",
)  # fmt: skip


class PreparedCollateral:
    """Collateral read and verified once; owns its memory. Immutable."""

    __slots__ = ("_keep", "c", "pck_chain", "weight")

    def __init__(self, c: CData, keep: tuple[object, ...], pck_chain: bytes, weight: int) -> None:
        self.c = c
        self._keep = keep
        self.pck_chain = pck_chain
        self.weight = weight

    @classmethod
    def refused(cls, code: int, field: int, offset: int) -> PreparedCollateral:
        """Collateral that could not be taken apart: its error is all that it holds."""
        c = ffi.new("att_tdx_collateral *")
        c.error.code, c.error.field, c.error.offset = code, field, min(offset, 0xFFFFFFFF)
        return cls(c, (), b"", int(ffi.sizeof("att_tdx_collateral")))

    @property
    def error(self) -> Finding:
        return _finding(self.c.error)

    @property
    def tcb_info(self) -> bool:
        """TCB info could be read; so its numbers and dates."""
        return bool(self.c.tcb_info.code == PASS)

    @property
    def identity(self) -> bool:
        return bool(self.c.identity.code == PASS)

    @property
    def tcb_evaluation_number(self) -> int | None:
        return int(self.c.tcb_evaluation_number) if self.tcb_info else None

    @property
    def identity_evaluation_number(self) -> int | None:
        return int(self.c.identity_evaluation_number) if self.identity else None

    @property
    def window(self) -> tuple[int, int] | None:
        """The latest issue and the earliest next update of TCB info, QE identity and both CRLs; None when one of them is missing."""
        c = self.c
        if not (self.tcb_info and self.identity and c.root_crl_genuine.code == PASS and c.pck_crl_genuine.code == PASS):
            return None
        begins = (c.tcb_issue_date, c.identity_issue_date, c.root_crl.this_update, c.pck_crl.this_update)
        ends = (c.tcb_next_update, c.identity_next_update, c.root_crl.next_update, c.pck_crl.next_update)
        return int(max(begins)), int(min(ends))

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """SHA-256 of the signing certificates, the CRLs and the two documents, as far as they are there."""
        c = self.c
        found = [_bytes(signer.sha256[i]) for signer in (c.tcb_signer, c.identity_signer) for i in range(2)]
        found += [_bytes(crl.sha256) for crl in (c.root_crl, c.pck_crl)]
        found += [sha256(text) for text in self._keep[:2] if isinstance(text, bytes) and text]
        return tuple(h for h in found if any(h))

    def _advisory(self, document: int, i: int) -> str:
        span = self.c.advisories[document][i]
        text = self._keep[document]
        assert isinstance(text, bytes)  # noqa: S101 - the documents come first
        return text[span.offset : span.offset + span.len].decode("utf-8", "replace")

    def _of_level(self, document: int, level: CData) -> list[str]:
        first = int(level.first_advisory)
        return [self._advisory(document, i) for i in range(first, first + level.num_advisories)]

    def advisories(self, tcb: CData, evaluation: int = 0) -> tuple[str, ...]:
        """The advisories of the levels that an evaluation matched (0 by TEE_TCB_SVN, 1 by TEE_TCB_SVN_2), sorted, each once."""
        c, found = self.c, set[str]()
        if tcb.level[evaluation] >= 0:
            found.update(self._of_level(0, c.levels[tcb.level[evaluation]]))
        if tcb.module[evaluation] >= 0 and tcb.module_level[evaluation] >= 0:
            module = c.modules[tcb.module[evaluation]]
            found.update(self._of_level(0, module.levels[tcb.module_level[evaluation]]))
        if tcb.qe_level >= 0:
            found.update(self._of_level(1, c.qe_levels[tcb.qe_level]))
        return tuple(sorted(found))


def prepare_collateral(trust: IntelTrust, sets: Sequence[object], runner: Runner) -> list[PreparedCollateral]:
    """Reads and verifies sets of collateral (objects with the parts as attributes: COLLATERAL_PARTS and pck_chain), all signatures in
    one run."""
    jobs = ffi.new("att_sig_job[]", max(len(sets) * lib.ATT_TDX_COLLATERAL_JOBS, 1))
    out: list[PreparedCollateral] = []
    starts: list[int] = []
    at = 0
    for item in sets:
        parts = ffi.new("att_collateral_parts *")
        data = {name: bytes(getattr(item, name)) for name in COLLATERAL_PARTS}
        views = [ffi.from_buffer("uint8_t[]", part) for part in data.values()]
        for name, view in zip(COLLATERAL_PARTS, views, strict=True):
            setattr(parts, name, view)
            setattr(parts, f"{name}_len", len(view))
        room = (len(data["root_crl"]) + len(data["pck_crl"])) // 6 + 2
        serials = ffi.new("att_serial[]", room)
        c = ffi.new("att_tdx_collateral *")
        starts.append(at)
        at += lib.att_tdx_collateral_begin(trust.c, parts, c, serials, room, jobs + at)
        pck_chain = bytes(getattr(item, "pck_chain", b""))
        weight = 1024 + sum(map(len, data.values())) + len(pck_chain)
        weight += int(ffi.sizeof("att_tdx_collateral") + ffi.sizeof("att_serial") * room)
        keep = (data["tcb_info"], data["identity"], views, serials)
        out.append(PreparedCollateral(c, keep, pck_chain, weight))
    _run_jobs(runner, jobs, at)
    for prepared, start in zip(out, starts, strict=True):
        lib.att_tdx_collateral_finish(trust.c, prepared.c, jobs + start)
    return out


def pcs_open(body: bytes, name: str) -> tuple[bytes, bytes] | Finding:
    """The object under name in a PCS response, verbatim, and its signature; or what is wrong with the response."""
    span, error = ffi.new("att_span *"), ffi.new("att_finding *")
    signature = ffi.new("uint8_t[64]")
    if not lib.att_pcs_open(body, len(body), name.encode("ascii"), span, signature, error):
        return _finding(error)
    return body[span.offset : span.offset + span.len], _bytes(signature)


# -- policy --

_TDX_LISTS = {
    "mr_tds_48": 48, "mr_seams_48": 48, "mr_config_ids_48": 48, "mr_owners_48": 48, "mr_owner_configs_48": 48,
    "mr_service_tds_48": 48, "td_ids_32": 32, "init_service_tds_48": 48, "current_service_tds_48": 48,
    "mr_enclaves_32": 32, "mr_signers_32": 32, "fmspcs_allowed_6": 6, "fmspcs_denied_6": 6, "ppids_allowed_16": 16,
    "ppids_denied_16": 16, "instances_allowed_16": 16, "instances_denied_16": 16, "pck_keys_allowed_32": 32,
    "pck_keys_denied_32": 32, "advisories_refused_32": 32, "advisories_tolerated_32": 32,
}  # fmt: skip
_TDX_SCALARS = (
    "attributes_required", "attributes_forbidden", "attributes_reserved", "xfam_required", "xfam_forbidden",
    "xfam_fixed", "xfam_reserved", "grace_seconds", "max_collateral_age", "statuses", "min_evaluation_number",
    "sgx_types", "allow_tdx", "allow_sgx", "debug", "migratable", "service_td", "dynamic_platform", "cached_keys",
    "smt", "has_svn_floor", "has_svn_2_floor", "has_isv_prod_id", "isv_prod_id", "min_isv_svn",
    "report_data_zero_tail", "advisories_asked",
)  # fmt: skip


class TdxPolicy:
    """A compiled policy in C memory. Immutable once made."""

    __slots__ = ("_keep", "c")

    def __init__(self, compiled: Any) -> None:
        c = self.c = ffi.new("att_tdx_policy *")
        self._keep = _fill_policy(c, compiled, _TDX_SCALARS, _TDX_LISTS)
        for name in ("svn_floor", "svn_2_floor"):
            floor = bytes(getattr(compiled, name))
            if len(floor) != 16 and getattr(compiled, f"has_{name}"):
                raise ValueError(f"{name} has {len(floor)} bytes, not 16")
            setattr(c, name, floor.ljust(16, b"\0"))
        if len(compiled.rt_mrs_48) != 4:
            raise ValueError("rt_mrs_48 has a list for each of the four RTMRs")
        for i, items in enumerate(compiled.rt_mrs_48):
            self._keep.append(_fill_list(c.rt_mrs_48[i], bytes(items), 48, "rt_mrs_48"))


# -- rows --


class TdxColumns:
    """What judging n quotes gave, as columns; see att_tdx_columns in csrc/attest_tdx.h."""

    __slots__ = ("accepted", "bodies", "c", "code", "codes", "findings", "mark", "n", "omissions", "parsed", "quotes", "tcb", "tee",
                 "valid_until", "verified")  # fmt: skip

    def __init__(self, n: int, *, findings: bool, quotes: bool, bodies: bool) -> None:
        self.n = n
        room = max(n, 1)
        self.codes = ffi.new("uint16_t[]", room * NUM_TDX_CHECKS)
        self.code = ffi.new("uint16_t[]", room)
        self.accepted = ffi.new("uint8_t[]", room)
        self.verified = ffi.new("uint8_t[]", room)
        self.parsed = ffi.new("uint8_t[]", room)
        self.tee = ffi.new("uint8_t[]", room)
        self.omissions = ffi.new("uint32_t[]", room)
        self.valid_until = ffi.new("int64_t[]", room)
        self.tcb = ffi.new("att_tcb_result[]", room)
        self.mark = ffi.new("uint64_t[]", room)
        self.findings = ffi.new("att_finding[]", room * NUM_TDX_CHECKS) if findings else ffi.NULL
        self.quotes = ffi.new("att_tdx_quote[]", room) if quotes else ffi.NULL
        self.bodies = ffi.new("uint8_t[]", room * lib.ATT_QUOTE_MAX_SIGNED) if bodies else ffi.NULL
        c = self.c = ffi.new("att_tdx_columns *")
        c.codes, c.code, c.accepted, c.verified, c.parsed = (
            self.codes,
            self.code,
            self.accepted,
            self.verified,
            self.parsed,
        )
        c.tee, c.omissions, c.valid_until, c.tcb, c.mark = (
            self.tee,
            self.omissions,
            self.valid_until,
            self.tcb,
            self.mark,
        )
        c.findings, c.quotes, c.bodies = self.findings, self.quotes, self.bodies

    def row_codes(self, row: int) -> list[int]:
        """One code a check."""
        return ffi.unpack(self.codes + row * NUM_TDX_CHECKS, NUM_TDX_CHECKS)  # type: ignore[no-any-return]

    def finding(self, row: int, check: int) -> Finding:
        """Of columns made with findings."""
        return _finding(self.findings[row * NUM_TDX_CHECKS + check])

    def fingerprint(self, row: int) -> tuple[int, bytes]:
        """A keyed hash of the bytes before the QE section that were judged, and the row's codes."""
        width = 2 * NUM_TDX_CHECKS
        return int(self.mark[row]), bytes(ffi.buffer(self.codes)[row * width : (row + 1) * width])

    def quote_parts(self, row: int) -> QuoteParts:
        return _quote_parts(self.quotes[row])

    def accepted_bytes(self) -> bytes:
        return bytes(ffi.buffer(self.accepted, self.n))

    def parsed_bytes(self) -> bytes:
        return bytes(ffi.buffer(self.parsed, self.n))

    def tee_bytes(self) -> bytes:
        return bytes(ffi.buffer(self.tee, self.n))

    def code_numbers(self) -> array[int]:
        return array("H", bytes(ffi.buffer(self.code, 2 * self.n)))

    def failed_codes(self) -> tuple[array[int], array[int]]:
        """All codes of all rows: n + 1 offsets, and the numbers."""
        offsets = array("i", bytes(4 * (self.n + 1)))
        with ffi.from_buffer("int32_t[]", offsets, require_writable=True) as c:
            num = lib.att_codes_flatten(self.codes, self.n, NUM_TDX_CHECKS, c, ffi.NULL)
            if num < 0:
                raise ValueError("too many rows for one column of codes")
            values = array("H", bytes(2 * num))
            if num:
                with ffi.from_buffer("uint16_t[]", values, require_writable=True) as v:
                    lib.att_codes_flatten(self.codes, self.n, NUM_TDX_CHECKS, c, v)
        return offsets, values

    def header_bytes(self, offset: int, size: int) -> bytes:
        """size bytes at offset of every quote's header."""
        return self._gather(self.bodies, lib.ATT_QUOTE_MAX_SIGNED, offset, size)

    def body_bytes(self, offset: int, size: int) -> bytes:
        """size bytes at offset of every quote's body; zeros behind the end of a shorter one."""
        return self._gather(self.bodies, lib.ATT_QUOTE_MAX_SIGNED, 54 + offset, size)

    def quote_bytes(self, member: str) -> tuple[bytes, int]:
        """A member of att_tdx_quote of every row, in the machine's byte order; and its size."""
        return self._member("att_tdx_quote", self.quotes, member)

    def tcb_bytes(self, member: str) -> tuple[bytes, int]:
        """A member of att_tcb_result, likewise."""
        return self._member("att_tcb_result", self.tcb, member)

    def level_keys(self) -> list[bytes]:
        """Per row the levels that its evaluation matched, as bytes: equal ones mean equal levels of equal collateral."""
        size, start = ffi.sizeof("att_tcb_result"), ffi.offsetof("att_tcb_result", "level")
        memory = ffi.buffer(self.tcb, self.n * size)
        return [memory[row * size + start : (row + 1) * size] for row in range(self.n)]

    def _member(self, struct: str, base: CData, member: str) -> tuple[bytes, int]:
        size = ffi.sizeof(dict(ffi.typeof(struct).fields)[member].type)
        return self._gather(ffi.cast("uint8_t *", base), ffi.sizeof(struct), ffi.offsetof(struct, member), size), size

    def _gather(self, base: CData, stride: int, offset: int, size: int) -> bytes:
        out = ffi.new("uint8_t[]", max(self.n * size, 1))
        lib.att_gather(base, stride, offset, size, self.n, out)
        return bytes(ffi.buffer(out, self.n * size))


class _TdxScratch(threading.local):
    """Work memory of one thread, grown as needed, and room for the copy of a quote that the core judges; nothing outlives a call."""

    def __init__(self) -> None:
        self.n = 0
        self.work: CData = None
        self.jobs: CData = None
        self.copy = ffi.new("uint8_t[]", QUOTE_MAX_BYTES)

    def room(self, n: int) -> None:
        if n > self.n:
            self.work = ffi.new("att_tdx_work[]", n)
            self.jobs = ffi.new("att_sig_job[]", n)
            self.n = n


_tdx_scratch = _TdxScratch()


def tdx_verify(
    rows: Rows,
    platforms: Sequence[Platform],
    platform_index: array[int],
    collaterals: Sequence[PreparedCollateral],
    collateral_index: array[int] | None,
    at: array[int],
    trust: IntelTrust,
    policy: TdxPolicy,
    runner: Runner,
    tables: KeyTables | None = None,
    *,
    findings: bool = False,
    quotes: bool = False,
    bodies: bool = False,
) -> TdxColumns:
    """Judges a column of quotes. platform_index and collateral_index have one entry a row (None: collateral 0 for all), at one for all
    or one a row."""
    n = rows.n
    if (
        len(at) not in (1, n)
        or len(platform_index) != n
        or (collateral_index is not None and len(collateral_index) != n)
    ):
        raise ValueError("times, platform and collateral numbers do not fit the rows")
    out = TdxColumns(n, findings=findings, quotes=quotes, bodies=bodies)
    if n == 0:
        return out
    c_platforms = ffi.new("att_tdx_platform *[]", [platform.c for platform in platforms])
    c_collaterals = ffi.new("att_tdx_collateral *[]", [collateral.c for collateral in collaterals])
    p_index = ffi.from_buffer("int32_t[]", platform_index)
    c_index = ffi.from_buffer("int32_t[]", collateral_index) if collateral_index is not None else ffi.NULL
    times = ffi.from_buffer("int64_t[]", at)
    plan = ffi.new("att_tdx_plan *")
    plan.quotes = rows.c[0]
    plan.platforms, plan.num_platforms, plan.platform_index = c_platforms, len(platforms), p_index
    plan.collaterals, plan.num_collaterals, plan.collateral_index = c_collaterals, len(collaterals), c_index
    plan.at, plan.at_stride = times, 0 if len(at) == 1 else 1
    plan.trust, plan.policy, plan.mark_key = trust.c, policy.c, _spread_key
    if runner.native is not None:
        _tdx_scratch.room(n)
        plan.copy = _tdx_scratch.copy
        if lib.att_tdx_verify(runner.native, plan, _tables(tables), _tdx_scratch.work, _tdx_scratch.jobs, out.c) != 0:
            raise ValueError(f"engine {runner.name!r} is not usable on this CPU")
        return out
    # Python runs between begin and finish here, and may come back to this function: memory of its own.
    work, jobs, num = ffi.new("att_tdx_work[]", n), ffi.new("att_sig_job[]", n), ffi.new("uint64_t *")
    copy = plan.copy = ffi.new("uint8_t[]", QUOTE_MAX_BYTES)
    lib.att_tdx_begin(plan, work, jobs, num, out.c)
    del copy
    _run_jobs(runner, jobs, num[0])
    lib.att_tdx_finish(plan, work, jobs, num[0], out.c)
    return out


# ---- event logs ------------------------------------------------------------------------------------------------------------

LOG_MAX_BYTES: int = lib.ATT_LOG_MAX_BYTES
LOG_MAX_EVENTS: int = lib.ATT_LOG_MAX_EVENTS
LOG_PADDINGS = ("none", "zeros", "ones")
LOG_RULES = (
    "not-run", "not-measured", "digest-only", "whole", "string", "prefixed-string", "variable-data", "tagged-data",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record of a TCG log; spans are (offset, length) in the log. measured is None where rule speaks of no bytes."""

    offset: int
    mr_index: int
    type: int
    digests: tuple[int, int]
    sha384: int | None
    data: tuple[int, int]
    rule: str
    measured: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class LogFields:
    """A TCG log, read and replayed. algorithms: TPM_ALG_ID and digest size."""

    platform_class: int
    spec_errata: int
    uintn_size: int
    vendor_info: tuple[int, int]
    algorithms: tuple[tuple[int, int], ...]
    padding: str
    end: int
    extends: tuple[int, int, int, int]
    rtmr: tuple[bytes, bytes, bytes, bytes]
    records: tuple[LogRecord, ...]


def _log_record(c: CData) -> LogRecord:
    rule = LOG_RULES[c.rule]
    return LogRecord(
        offset=c.offset,
        mr_index=c.mr_index,
        type=c.type,
        digests=(c.digests_offset, c.digests_len),
        sha384=c.sha384_offset or None,
        data=(c.data_offset, c.data_len),
        rule=rule,
        measured=(c.measured_offset, c.measured_len) if c.rule >= lib.ATT_EVENT_WHOLE else None,
    )


def log_read(data: bytes) -> tuple[LogFields | None, Finding]:
    """A log in TCG's crypto-agile format; None, and what is wrong with it, when it is not one."""
    room = min(len(data) // lib.ATT_LOG_MIN_RECORD + 1, LOG_MAX_EVENTS)
    log, events, error = ffi.new("att_log *"), ffi.new("att_log_event[]", room), ffi.new("att_finding *")
    num = lib.att_log_read(data, len(data), log, events, room, error)
    if num < 0:
        return None, _finding(error)
    fields = LogFields(
        platform_class=log.platform_class,
        spec_errata=log.spec_errata,
        uintn_size=log.uintn_size,
        vendor_info=(log.vendor_offset, log.vendor_len),
        algorithms=tuple((log.algorithms[i].id, log.algorithms[i].len) for i in range(log.num_algorithms)),
        padding=LOG_PADDINGS[log.padding],
        end=log.end,
        extends=(log.num_extends[0], log.num_extends[1], log.num_extends[2], log.num_extends[3]),
        rtmr=(_bytes(log.rtmr[0]), _bytes(log.rtmr[1]), _bytes(log.rtmr[2]), _bytes(log.rtmr[3])),
        records=tuple(_log_record(events[i]) for i in range(num)),
    )
    return fields, _finding(error)


def rtmr_replay(rtmrs: bytes, digests: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """What n digests of 48 bytes, extended one after the other into the RTMRs (0 to 3) that rtmrs names, come to."""
    if len(digests) != 48 * len(rtmrs):
        raise ValueError("digests do not fit the register numbers")
    out = ffi.new("uint8_t[192]")
    if lib.att_rtmr_replay(rtmrs, digests, len(rtmrs), out) != 0:
        raise ValueError("there are four RTMRs, 0 to 3")
    data = _bytes(out)
    return data[:48], data[48:96], data[96:144], data[144:]


def ccel_read(table: bytes) -> tuple[tuple[int, int, int] | None, Finding]:
    """Subtype, least length and address of the log area that a CCEL table names; None, and what is wrong, when it is none."""
    c, error = ffi.new("att_ccel *"), ffi.new("att_finding *")
    if lib.att_ccel_read(table, len(table), c, error) != 0:
        return None, _finding(error)
    return (int(c.subtype), int(c.area_len), int(c.area_address)), _finding(error)
