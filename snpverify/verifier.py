"""Verification of SEV-SNP reports, one or a million by the same call into the C core.

Order of the judgement, all findings collected: parse, chain, binding, signature, policy. See docs/codes.md for every check and code.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, final, overload

from attestcore import _lib, engines
from attestcore._lib import (
    NO_TIME,
    Buffer,
    Finding,
    KeyTables,
    LeafInfo,
    LeafSet,
    Rows,
    Runner,
    SnpColumns,
    SnpPolicy,
    SnpTrust,
)
from attestcore.columns import ROWS_PER_CALL, Time, to_rows, to_seconds, to_times
from attestcore.verdict import Check, Verdict, make_verdict
from snpverify import kds, roots
from snpverify.policy import Policy
from snpverify.report import make_report, product_number

if TYPE_CHECKING:
    import pyarrow as pa

KIND = "sev-snp"

Certs: TypeAlias = Sequence[Buffer]
"""One certificate set: DER, PEM (any number of blocks) or GHCB certificate tables, in any order."""

_NOTHING_WRONG = Finding(_lib.PASS, 0, 0)
_TOO_MANY = Finding(_lib.CODE_NUMBERS["certificate-set-too-large"], _lib.FIELDS.index("certificate set"), 0)
_SETS_PER_LINK = 4096  # at a time, so that what is known is kept even when there is no end of sets


def _blobs(certs: object, name: str) -> tuple[bytes, ...]:
    if isinstance(certs, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"{name} is a sequence of certificates: write [{name}]")
    if not isinstance(certs, Iterable):
        raise TypeError(f"{name} is {type(certs).__name__}, not a sequence of certificates")
    out = []
    for blob in certs:
        if not isinstance(blob, (bytes, bytearray, memoryview)):
            raise TypeError(f"{name} holds {type(blob).__name__}: a certificate is bytes (DER or PEM)")
        out.append(_lib.snapshot(blob))
    return tuple(out)


_PEM_BLOCK = re.compile(rb"(?=-----BEGIN )")


def _open_set(blobs: Sequence[bytes], *, one_cell: bool) -> tuple[list[bytes], Finding]:
    """The certificates (DER, each once) of a set; PEM is taken block by block, so that a broken one does not hide its neighbours. Sets
    that come with rows are hostile: each blob of one is bounded. What a caller hands over for all rows may be a whole fleet's."""
    ders: dict[bytes, None] = {}
    error = _NOTHING_WRONG
    for blob in blobs:
        found, problem = _open_blob(blob, one_cell=one_cell)
        ders.update(dict.fromkeys(found))
        if problem.failed and not error.failed:
            error = problem
    return list(ders), error


def _open_blob(blob: bytes, *, one_cell: bool) -> tuple[list[bytes], Finding]:
    begin = blob.find(b"-----BEGIN ") if len(blob) <= _lib.BLOB_MAX_BYTES or not one_cell else -1
    if begin < 0 or b"\0" in blob[:begin]:
        return _lib.blob_open(blob)
    parts = _PEM_BLOCK.split(
        blob[begin:]
    )  # tools write text above the first block; a table has zero bytes before any text
    ders: list[bytes] = []
    error = _NOTHING_WRONG
    for part in parts:
        if part.strip():
            found, problem = _lib.blob_open(part)
            ders += found
            if problem.failed and not error.failed:
                error = problem
        if one_cell and len(ders) > _lib.BLOB_MAX_CERTS:
            return [], _TOO_MANY
    return ders, error


_Key: TypeAlias = tuple[bool, tuple[bytes, ...]]
"""A certificate set by its content: whether it came with a row, and its blobs."""


class _SetCache:
    """Linked certificate sets by their content, bounded in bytes, least recently used first out."""

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._size = 0
        self._sets: OrderedDict[_Key, tuple[LeafSet, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get_all(self, keys: Sequence[_Key]) -> list[LeafSet | None]:
        """What is known of many sets."""
        if not self._sets:
            return [None] * len(keys)
        out: list[LeafSet | None] = []
        with self._lock:
            for key in keys:
                entry = self._sets.get(key)
                if entry is not None:
                    self._sets.move_to_end(key)
                out.append(None if entry is None else entry[0])
        return out

    def put_all(self, keys: Iterable[_Key], sets: Iterable[LeafSet]) -> None:
        if self._max == 0:
            return
        known, most = self._sets, self._max
        with self._lock:
            for key, leaves in zip(keys, sets, strict=True):
                weight = leaves.weight + sum(map(len, key[1])) + 256
                if weight <= most and key not in known:
                    known[key] = (leaves, weight)
                    self._size += weight
            while self._size > most:
                _, (_, dropped) = known.popitem(last=False)
                self._size -= dropped


def _read_roots(blobs: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Anchors and intermediates of a caller's roots; a root that is not an ARK of AMD's profile is the caller's mistake."""
    ders, error = _open_set(blobs, one_cell=False)
    if error.failed:
        raise ValueError(f"roots: {_lib.CODE_TEXTS[error.code]}")
    anchors: list[bytes] = []
    others: list[bytes] = []
    for der in ders:
        info = _lib.snp_cert_read(der)
        if info.role not in ("ark", "ask", "asvk"):
            raise ValueError("roots: a certificate is not an ARK (nor an ASK or ASVK beside one)")
        if info.profile.failed:
            raise ValueError(
                f"roots: {info.profile.code_name} ({info.profile.field_name}, offset {info.profile.offset})"
            )
        (anchors if info.role == "ark" else others).append(der)
    if not anchors:
        raise ValueError("roots: no ARK among them")
    return anchors, others


_CRL_BEGIN, _CRL_END = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"


def _read_crl(blob: bytes) -> bytes:
    """A CRL as DER; PEM is taken apart. What is not a CRL at all is left for the verdict to say."""
    text = blob.strip() if len(blob) <= 2 * _lib.CRL_MAX_BYTES else blob
    if not (text.startswith(_CRL_BEGIN) and text.endswith(_CRL_END)):
        return blob
    try:
        return base64.b64decode(b"".join(text[len(_CRL_BEGIN) : -len(_CRL_END)].split()), validate=True)
    except binascii.Error:
        return blob


class _Item:
    """What is kept of one judged row, for its verdict's parts."""

    __slots__ = ("_columns", "_data", "_set", "_trust")

    def __init__(self, data: bytes | None, columns: SnpColumns, leaf_set: LeafSet | None, trust: SnpTrust) -> None:
        self._data = data
        self._columns = columns
        self._set = leaf_set
        self._trust = trust

    def _leaf(self) -> LeafInfo | None:
        number = self._columns.c.leaf[0]
        return self._set.leaf(number) if self._set is not None and number >= 0 else None

    def checks(self) -> tuple[Check, ...]:
        return tuple(
            settled[code] if code <= _lib.PASS else self._failed(number)
            for number, (settled, code) in enumerate(zip(_SETTLED, self._columns.codes(0), strict=True))
        )

    def _failed(self, number: int) -> Check:
        finding = self._columns.finding(0, number)
        code = finding.code
        detail = _lib.CODE_TEXTS[code]
        if code == _lib.CODE_NUMBERS["certificate-missing"]:
            detail = self.missing()
        elif code == _lib.CODE_NUMBERS["collateral-missing"]:
            detail = self.missing_crl()
        return Check(
            _lib.SNP_CHECKS[number],
            "not-run" if code in _MISSING else "fail",
            _lib.CODE_CATEGORIES[code],
            _lib.CODE_NAMES[code],
            finding.field_name or None,
            finding.offset,
            detail,
        )

    def omissions(self) -> tuple[str, ...]:
        bits = self._columns.c.omissions[0]
        return tuple(name for bit, name in _lib.OMISSIONS if bits & bit)

    def claims(self) -> Mapping[str, Any] | None:
        if not self._columns.c.parsed[0] or self._data is None:
            return None
        return make_report(self._data, self._columns.report_fields(0)).to_dict()

    def used(self) -> tuple[str, ...]:
        number = self._columns.c.leaf[0]
        if self._set is None or number < 0:
            return ()
        hashes = [h.hex() for h in self._set.hashes(number) if any(h)]
        if self._columns.c.crl[0] >= 0:
            hashes.append(self._trust.crl_infos[self._columns.c.crl[0]].sha256.hex())
        return tuple(hashes)

    def evidence_sha256(self) -> str | None:
        return None if self._data is None else hashlib.sha256(self._data).hexdigest()

    def valid_until(self) -> int | None:
        end = int(self._columns.c.valid_until[0])
        return None if end == NO_TIME else end

    def missing_crl(self) -> str:
        """Whose CRL would have to be given, and where AMD serves it."""
        leaf = self._leaf()
        product = leaf.product if leaf is not None else self._columns.report_fields(0).product
        if product is None:
            return "the CRL of the ARK is missing; its product line is not known"
        signer = (
            leaf.role if leaf is not None else ("vlek" if self._columns.report_fields(0).signing_key == 1 else "vcek")
        )
        return f"the CRL of ARK-{product.capitalize()} is missing ({kds.crl_url(product, signer)})"

    def missing(self) -> str:
        """What would have to be given, and where AMD serves it."""
        fields = self._columns.report_fields(0)
        leaf = self._leaf()
        if leaf is not None:
            signer, product = leaf.role, leaf.product
            name = "ASK" if signer == "vcek" else "ASVK"
            where = f" ({kds.chain_url(product, signer)})" if product else ""
            return f"the {name} that issued the {signer.upper()} is missing{where}"
        signer = "vlek" if fields.signing_key == 1 else "vcek"
        data = self._data or b""
        offset, size = _lib.SNP_LAYOUT["CHIP_ID"]
        chip = data[offset : offset + size]
        offset, size = _lib.SNP_LAYOUT["REPORTED_TCB"]
        tcb = data[offset : offset + size].hex()
        if signer == "vlek":
            return (
                f"a VLEK for {fields.product or 'an unknown product'}, TCB {tcb}; only the cloud provider can fetch it"
            )
        text = f"a VCEK for {fields.product or 'an unknown product'}, chip {chip.hex()}, TCB {tcb}"
        if fields.product and fields.tcb_layout and not fields.chip_id_masked:
            return f"{text}: {kds.vcek_url(fields.product, chip, fields.reported_tcb)}"
        if fields.chip_id_masked:
            return f"{text}; the chip id is masked, so only the host can name the certificate"
        return f"{text}; a version 2 report does not tell its product line: try Milan, then Genoa at {kds.HOST}"


_MISSING = frozenset(_lib.CODE_NUMBERS[name] for name in ("certificate-missing", "collateral-missing"))


def _settled(name: str, category: str) -> tuple[Check, Check]:
    """A check that did not run and one that passed, at the places of their codes: nothing in them depends on a report."""
    return Check(name, "not-run", category), Check(name, "pass", category)


if (_lib.NOT_RUN, _lib.PASS) != (0, 1):
    raise ImportError("snpverify: the C core numbers its codes in another way")
_SETTLED = tuple(_settled(*words) for words in zip(_lib.SNP_CHECKS, _lib.SNP_CHECK_CATEGORIES, strict=True))


@final
class Verifier:
    """Prepared once, used by any number of threads.

    policy    snpverify.Policy; None is the default policy
    roots     ARKs to trust instead of the shipped ones (DER or PEM, bytes each; ASKs and ASVKs may stand beside them)
    crls      CRLs of those ARKs (DER or PEM); for evidence of several days give the CRL of each
    product   "milan", "genoa" or "turin": refuse all others
    engine    "portable", "cryptography", ...; None takes the best, or what ATTESTCORE_ENGINE said at import
    cache_bytes  bound of the cache of certificate sets; 0 keeps none
    key_table_bytes  bound of the tables that make signatures of keys seen before several times faster, some 20 kB a key, in memory
              that is only taken as keys come; 0 keeps none. Verdicts do not depend on it

    Mistakes raise ValueError or TypeError here; evidence never raises. No method reads a clock, a file, the network or the environment.
    """

    __slots__ = (
        "_c_policy",
        "_cache",
        "_engine",
        "_policy",
        "_policy_digest",
        "_product",
        "_runner",
        "_tables",
        "_trust",
    )

    def __init__(
        self,
        policy: Policy | None = None,
        roots: Certs | None = None,
        crls: Certs = (),
        product: str | None = None,
        engine: str | None = None,
        *,
        cache_bytes: int = 64 << 20,
        key_table_bytes: int = 64 << 20,
    ) -> None:
        if policy is not None and not isinstance(policy, Policy):
            raise TypeError(f"policy is {type(policy).__name__}, not snpverify.Policy")
        if isinstance(cache_bytes, bool) or not isinstance(cache_bytes, int) or cache_bytes < 0:
            raise TypeError("cache_bytes is a number of bytes, 0 or more")
        self._policy: Policy = policy if policy is not None else Policy()
        self._engine: str = engines.resolve(engine)
        self._policy_digest = self._policy.digest()
        self._runner: Runner = engines.runner(self.engine)
        self._c_policy = SnpPolicy(self._policy.compile())
        self._product = product_number(product)
        self._trust = _make_trust(roots, crls, self._runner)
        self._cache = _SetCache(cache_bytes)
        if isinstance(key_table_bytes, bool) or not isinstance(key_table_bytes, int) or key_table_bytes < 0:
            raise TypeError("key_table_bytes is a number of bytes, 0 or more")
        self._tables = KeyTables(key_table_bytes)

    @property
    def policy(self) -> Policy:
        """What is asked of reports."""
        return self._policy

    @property
    def engine(self) -> str:
        """The engine that verifies signatures."""
        return self._engine

    # -- certificate sets ------------------------------------------------------------------------------------------------

    def _linked(self, keys: Sequence[_Key]) -> list[LeafSet]:
        """The linked set of each key; new ones are read and verified together."""
        out = self._cache.get_all(keys)
        absent = [i for i, leaves in enumerate(out) if leaves is None]
        small = [i for i in absent if keys[i][0] and len(keys[i][1]) <= _lib.SET_MAX_BLOBS]
        for first in range(0, len(small), _SETS_PER_LINK):
            part = small[first : first + _SETS_PER_LINK]
            self._keep(out, keys, part, _lib.link_cells(self._trust, [keys[i][1] for i in part], self._runner))
        others = [i for i in absent if out[i] is None]
        for first in range(0, len(others), _SETS_PER_LINK):
            part = others[first : first + _SETS_PER_LINK]
            opened = [_open_set(keys[i][1], one_cell=keys[i][0]) for i in part]
            self._keep(out, keys, part, _lib.link_sets(self._trust, opened, self._runner))
        linked = [leaves for leaves in out if leaves is not None]
        if len(linked) != len(keys):
            raise RuntimeError("a certificate set was lost")
        return linked

    def _keep(
        self, out: list[LeafSet | None], keys: Sequence[_Key], numbers: Sequence[int], sets: Sequence[LeafSet]
    ) -> None:
        for i, leaves in zip(numbers, sets, strict=True):
            out[i] = leaves
        self._cache.put_all([keys[i] for i in numbers], sets)

    def _one_set(self, certs: Certs) -> list[LeafSet]:
        blobs = _blobs(certs, "certs")
        return self._linked([(False, blobs)]) if blobs else []

    def _sets_of_column(self, column: object, n: int) -> tuple[list[LeafSet], array[int]]:
        """A column with one set a row (Arrow): the distinct sets, and the number of each row's."""
        numbers: dict[bytes, int] = {}
        index = array("i")
        chunks = _lib.arrow_chunks(column)
        if chunks is None:
            raise TypeError("certs with one set a row is an Arrow binary column; else give certs_index")
        for chunk in chunks:
            if chunk.rows is None:
                raise TypeError(f"certs: an Arrow column of type {chunk.format!r} holds no byte strings")
            rows, first = chunk.rows, list(range(chunk.rows.n))
            local: array[int] | None = chunk.indices
            if local is None:
                local, first = _lib.distinct(rows)
            cells = _lib.cells_at(rows, first)
            to_global = array("i", (-1 if cell is None else numbers.setdefault(cell, len(numbers)) for cell in cells))
            index.extend(_lib.remap(local, to_global))
        if len(index) != n:
            raise ValueError(f"certs has {len(index)} rows for {n} reports")
        return self._linked([(True, (cell,)) for cell in numbers]), index

    def _sets_of_sequence(self, certs: object, certs_index: object, n: int) -> tuple[list[LeafSet], array[int]]:
        if not isinstance(certs, Sequence) or isinstance(certs, (str, bytes, bytearray)):
            raise TypeError("with certs_index, certs is a sequence of certificate sets")
        keys = [
            (
                True,
                (_lib.snapshot(item),)
                if isinstance(item, (bytes, bytearray, memoryview))
                else _blobs(item, "a set of certs"),
            )
            for item in certs
        ]
        if isinstance(certs_index, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"certs_index is {type(certs_index).__name__}, not a sequence of integers")
        try:
            index: array[int] = array("i", certs_index)  # type: ignore[call-overload]  # TypeError for other than integers
        except OverflowError:
            raise ValueError("certs_index holds a number that is no set's") from None
        if len(index) != n:
            raise ValueError(f"certs_index has {len(index)} entries for {n} reports")
        if n and (min(index) < -1 or max(index) >= len(keys)):
            raise ValueError(f"certs_index names a set that is not among the {len(keys)} given")
        return self._linked(keys), index

    # -- judgement -------------------------------------------------------------------------------------------------------

    def _judge(
        self, rows: Rows, sets: Sequence[LeafSet], index: array[int] | None, at: array[int], *, claims: bool = False
    ) -> SnpColumns:
        return _lib.snp_verify(
            rows, sets, index, at, self._trust, self._c_policy, self._product, self._runner, self._tables,
            claims=claims, reports=claims,
        )  # fmt: skip

    def _verdict(self, data: bytes | None, leaf_set: LeafSet | None, at: int) -> tuple[Verdict, SnpColumns]:
        columns = _lib.snp_verify_one(
            data, leaf_set, at, self._trust, self._c_policy, self._product, self._runner, self._tables
        )
        verdict = make_verdict(
            _Item(data, columns, leaf_set, self._trust),
            kind=KIND,
            accepted=columns.c.accepted[0] == 1,
            claims_verified=columns.c.verified[0] == 1,
            evaluated_at=None if at == NO_TIME else at,
            engine=self.engine,
            policy_digest=self._policy_digest,
        )
        return verdict, columns

    def verify(self, data: Buffer, *, certs: Certs = (), at: Time) -> Verdict:
        """Judges one report (raw bytes) at the time `at` (aware datetime or Unix seconds) with the certificates given.

        ASK, ASVK and ARK of each product ship with the package: the VCEK or VLEK alone is enough. Evidence never raises: it gives a
        verdict.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"a report is bytes, not {type(data).__name__}")
        sets = self._one_set(certs)
        return self._verdict(_lib.snapshot(data), sets[0] if sets else None, to_seconds(at))[0]

    def verify_batch(
        self,
        reports: object,
        *,
        certs: object = (),
        certs_index: Sequence[int] | None = None,
        at: object,
        claims: bool = False,
    ) -> BatchResults:
        """Judges a column of reports; one result a row, in order, whatever the rows hold.

        reports      a buffer of n * 1184 bytes, a sequence of bytes-like (None and any length: that row fails), or Arrow binary;
                     of pyarrow's arrays every buffer's length is checked; other libraries must bring arrays that are valid,
                     as the C interface does not tell how long buffers are
        certs        a sequence of DER or PEM bytes, one set for every row; with certs_index a sequence of such sets; or an Arrow binary
                     column, one set a row (dictionary-encoded is fastest). Where rows have sets of their own, each element of one
                     is bounded: 1 MiB and 16 certificates
        certs_index  per row the number of its set, -1 for none
        at           one time, or one a row (sequence, or Arrow int64 or timestamp column; None fails its row)
        claims       keep the fields of every report for to_arrow(claims=True)
        """
        parts = to_rows(reports, _lib.REPORT_LEN)
        n = sum(part.n for part in parts)
        times = to_times(at, n)
        index: array[int] | None = None
        if certs_index is not None:
            sets, index = self._sets_of_sequence(certs, certs_index, n)
        elif hasattr(certs, "__arrow_c_array__") or hasattr(certs, "__arrow_c_stream__"):
            sets, index = self._sets_of_column(certs, n)
        else:
            sets = self._one_set(certs)  # type: ignore[arg-type]
        pieces = []
        first = 0
        for part in parts:
            for begin in range(0, part.n, ROWS_PER_CALL):
                size = min(ROWS_PER_CALL, part.n - begin)
                at_piece = times if len(times) == 1 else times[first : first + size]
                index_piece = None if index is None else index[first : first + size]
                rows = part.part(begin, size)
                columns = self._judge(rows, sets, index_piece, at_piece, claims=claims)
                pieces.append(_Piece(first, rows, index_piece, at_piece, columns))
                first += size
        return BatchResults(self, pieces, sets, n)


def _make_trust(root_blobs: Certs | None, crls: Certs, runner: Runner) -> SnpTrust:
    anchors: list[bytes] = list(roots.anchors())
    others: list[bytes] = []
    if root_blobs is not None:
        anchors, others = _read_roots(_blobs(root_blobs, "roots"))
    known = dict.fromkeys([*roots.intermediates(), *others])
    return SnpTrust(anchors, list(known), [_read_crl(blob) for blob in _blobs(crls, "crls")], runner)


class _Piece:
    """The rows of one call into the core, and its columns."""

    __slots__ = ("at", "columns", "first", "index", "rows")

    def __init__(self, first: int, rows: Rows, index: array[int] | None, at: array[int], columns: SnpColumns) -> None:
        self.first = first
        self.rows = rows
        self.index = index
        self.at = at
        self.columns = columns

    def time(self, row: int) -> int:
        return self.at[0] if len(self.at) == 1 else self.at[row]


@final
class BatchResults(Sequence[Verdict]):
    """Results of verify_batch: columns of n entries in input order, and the full verdict of a row when it is asked for."""

    __slots__ = ("_n", "_pieces", "_sets", "_verifier")

    def __init__(self, verifier: Verifier, pieces: list[_Piece], sets: list[LeafSet], n: int) -> None:
        self._verifier = verifier
        self._pieces = pieces
        self._sets = sets
        self._n = n

    def __len__(self) -> int:
        return self._n

    def __bool__(self) -> NoReturn:
        raise TypeError("results are neither true nor false: read .accepted")

    @property
    def accepted(self) -> list[bool]:
        """Per row: accepted or not. A new list each time."""
        return [value == 1 for piece in self._pieces for value in piece.columns.accepted_bytes()]

    @property
    def code(self) -> list[str | None]:
        """Per row: the first code that stands against it; None when it is accepted. A new list each time."""
        names = _lib.CODE_NAMES
        return [names.get(number) for piece in self._pieces for number in piece.columns.code_numbers()]

    @overload
    def __getitem__(self, row: int) -> Verdict: ...
    @overload
    def __getitem__(self, row: slice) -> list[Verdict]: ...

    def __getitem__(self, row: int | slice) -> Verdict | list[Verdict]:
        """The full verdict: the row is judged again on a private copy of its bytes. RuntimeError when these are not the bytes that the
        columns speak of, because someone has changed the evidence since."""
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(self._n))]
        if row < 0:
            row += self._n
        if not 0 <= row < self._n:
            raise IndexError(f"no row {row} among {self._n}")
        piece = next(piece for piece in reversed(self._pieces) if piece.first <= row)
        local = row - piece.first
        leaf_set = self._set_of(piece, local)
        verdict, columns = self._verifier._verdict(piece.rows.get(local), leaf_set, piece.time(local))
        if columns.fingerprint(0) != piece.columns.fingerprint(local):
            raise RuntimeError(f"the evidence of row {row} was changed after it was verified")
        return verdict

    def _set_of(self, piece: _Piece, local: int) -> LeafSet | None:
        if piece.index is None:
            return self._sets[0] if self._sets else None
        number = piece.index[local]
        return self._sets[number] if number >= 0 else None

    def __iter__(self) -> Iterator[Verdict]:
        return (self[i] for i in range(self._n))

    def to_arrow(self, *, claims: bool = False) -> pa.Table:
        """The results as a pyarrow.Table: kind, accepted, code, codes, tcb_status, evaluated_at; with claims one column a claim.
        Needs the extra `batch`. Claims want verify_batch(..., claims=True)."""
        from snpverify.arrow import to_table

        return to_table([(piece.columns, piece.at) for piece in self._pieces], claims=claims)


@lru_cache(maxsize=16)
def _verifier(
    policy: Policy | None,
    root_blobs: tuple[bytes, ...] | None,
    crls: tuple[bytes, ...],
    product: str | None,
    engine: str,
) -> Verifier:
    return Verifier(policy, root_blobs, crls, product, engine)


def verify(
    data: Buffer,
    *,
    certs: Certs = (),
    at: Time,
    policy: Policy | None = None,
    roots: Certs | None = None,
    crls: Certs = (),
    product: str | None = None,
    engine: str | None = None,
) -> Verdict:
    """Judges one report; see Verifier, of which a few are kept for calls with the same arguments."""
    frozen = None if roots is None else _blobs(roots, "roots")
    verifier = _verifier(policy, frozen, _blobs(crls, "crls"), product, engines.resolve(engine))
    return verifier.verify(data, certs=certs, at=at)
