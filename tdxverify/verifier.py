"""Verification of TDX and SGX quotes, one or a million by the same call into the C core.

Order of the judgement, all findings collected: parse, PCK chain, collateral, binding, TCB, policy. See docs/codes.md for every check and
code, docs/design/0003-tdx.md for what is judged once and what for each row.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, final, overload

from attestcore import _lib, engines
from attestcore._lib import (
    NO_TIME,
    Buffer,
    Finding,
    IntelTrust,
    KeyTables,
    Platform,
    PreparedCollateral,
    Rows,
    Runner,
    SectionKey,
    TdxColumns,
    TdxPolicy,
)
from attestcore.cache import ContentCache
from attestcore.columns import ROWS_PER_CALL, Time, to_rows, to_seconds, to_times
from attestcore.verdict import Check, TcbOutcome, Verdict, format_time, make_verdict
from tdxverify import roots
from tdxverify.collateral import Collateral, CollateralError, open_collateral
from tdxverify.policy import Policy
from tdxverify.quote import make_quote

if TYPE_CHECKING:
    import pyarrow as pa

AnyCollateral: TypeAlias = Buffer | Collateral
"""One platform's collateral: bytes in any serialisation that `open_collateral` knows, or taken apart."""

_COLLATERALS_PER_CALL = 256  # distinct ones that are held prepared at a time
_COLLATERAL_FIELD = "collateral"


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


def _read_roots(blobs: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Roots and PCK CAs of a caller's roots; one that is neither, or breaks Intel's profile, is the caller's mistake."""
    anchors: list[bytes] = []
    others: list[bytes] = []
    for blob in blobs:
        ders, error = _lib.blob_open(blob)
        if error.failed:
            raise ValueError(f"roots: {_lib.CODE_TEXTS[error.code]}")
        for der in ders:
            info = _lib.intel_cert_read(der)
            if info.role not in ("root", "platform", "processor"):
                raise ValueError("roots: a certificate is not an SGX root (nor a PCK CA beside one)")
            if info.profile.failed:
                profile = info.profile
                raise ValueError(f"roots: {profile.code_name} ({profile.field_name}, offset {profile.offset})")
            (anchors if info.role == "root" else others).append(der)
    if not anchors:
        raise ValueError("roots: no SGX root among them")
    return list(dict.fromkeys(anchors)), others


def _make_trust(root_blobs: Sequence[Buffer] | None, runner: Runner) -> IntelTrust:
    anchors: list[bytes] = list(roots.anchors())
    others: list[bytes] = []
    if root_blobs is not None:
        anchors, others = _read_roots(_blobs(root_blobs, "roots"))
    return IntelTrust(anchors, list(dict.fromkeys([*roots.intermediates(), *others])), runner)


# ---- collateral ------------------------------------------------------------------------------------------------------------

_CollateralKey: TypeAlias = bytes | Collateral


def _key_of(collateral: object, name: str = "collateral") -> _CollateralKey:
    if isinstance(collateral, Collateral):
        return collateral
    if isinstance(collateral, (bytes, bytearray, memoryview)):
        return _lib.snapshot(collateral)
    raise TypeError(f"{name} is {type(collateral).__name__}, not bytes or tdxverify.Collateral")


def _key_bytes(key: _CollateralKey) -> int:
    """What a key accounts for beside what is prepared from it, which shares the parts of a Collateral."""
    return len(key) if isinstance(key, bytes) else 0


def _refused(error: CollateralError) -> PreparedCollateral:
    field = error.field if error.field in _lib.FIELDS else _COLLATERAL_FIELD
    return PreparedCollateral.refused(_lib.CODE_NUMBERS[error.code], _lib.FIELDS.index(field), error.offset)


def _open(key: _CollateralKey) -> Collateral | PreparedCollateral:
    """The parts; or, in the place of what they would become, what says that they cannot be told apart."""
    if isinstance(key, Collateral):
        return key
    try:
        return open_collateral(key)
    except CollateralError as error:
        return _refused(error)


# ---- one row ---------------------------------------------------------------------------------------------------------------


def _date(seconds: int) -> str | None:
    return None if seconds == NO_TIME else datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")


class _Item:
    """What is kept of one judged row, for its verdict's parts."""

    __slots__ = ("_collateral", "_columns", "_data", "_platform")

    def __init__(
        self,
        data: bytes | None,
        columns: TdxColumns,
        platform: Platform | None,
        collateral: PreparedCollateral | None,
    ) -> None:
        self._data = data
        self._columns = columns
        self._platform = platform
        self._collateral = collateral

    def checks(self) -> tuple[Check, ...]:
        return tuple(
            settled[code] if code <= _lib.PASS else self._failed(number)
            for number, (settled, code) in enumerate(zip(_SETTLED, self._columns.row_codes(0), strict=True))
        )

    def _failed(self, number: int) -> Check:
        finding = self._columns.finding(0, number)
        code = finding.code_name
        return Check(
            _lib.TDX_CHECKS[number],
            "not-run" if finding.code in _MISSING else "fail",
            _lib.CODE_CATEGORIES[finding.code],
            code,
            finding.field_name or None,
            finding.offset,
            self._detail(code, finding),
        )

    def omissions(self) -> tuple[str, ...]:
        bits = self._columns.omissions[0]
        return tuple(name for bit, name in _lib.TDX_OMISSIONS if bits & bit)

    def tcb(self) -> TcbOutcome:
        result, collateral = self._columns.tcb[0], self._collateral
        numbers: list[int] = []
        advisories: tuple[str, ...] = ()
        if collateral is not None:
            both = (collateral.tcb_evaluation_number, collateral.identity_evaluation_number)
            numbers = [number for number in both if number is not None]
            advisories = collateral.advisories(result) if result.status else ()
        return TcbOutcome(
            _lib.TCB_STATUSES[result.status],
            advisories,
            _date(result.date) if result.status else None,
            min(numbers, default=None),
        )

    def claims(self) -> Mapping[str, Any] | None:
        if not self._columns.parsed[0] or self._data is None:
            return None
        platform, collateral = self._platform, self._collateral
        pck, ca = (None, None) if platform is None else (platform.pck, platform.ca)
        result = self._columns.tcb[0]
        window = None if collateral is None else collateral.window
        return {
            **make_quote(self._data, self._columns.quote_parts(0), pck, ca).to_dict(),
            "launch_tcb_status": _lib.TCB_STATUSES[result.launch_status],
            "current_tcb_status": _lib.TCB_STATUSES[result.current_status],
            "current_tcb_date": _date(result.current_date),
            "qe_tcb_status": _lib.TCB_STATUSES[result.qe_status],
            "tcb_info_evaluation_data_number": None if collateral is None else collateral.tcb_evaluation_number,
            "qe_identity_evaluation_data_number": None if collateral is None else collateral.identity_evaluation_number,
            "collateral_not_before": None if window is None else format_time(window[0]),
            "collateral_not_after": None if window is None else format_time(window[1]),
        }

    def used(self) -> tuple[str, ...]:
        found = () if self._platform is None else self._platform.certificates
        found += () if self._collateral is None else self._collateral.hashes
        return tuple(dict.fromkeys(h.hex() for h in found))

    def evidence_sha256(self) -> str | None:
        return None if self._data is None else hashlib.sha256(self._data).hexdigest()

    def valid_until(self) -> int | None:
        end = int(self._columns.valid_until[0])
        return None if end == NO_TIME else end

    def _platform_text(self) -> str:
        """Which platform's: what Intel's service is asked by."""
        kind = (_lib.KINDS_OF_TEE[self._columns.tee[0]] or "quote").upper()
        pck = None if self._platform is None else self._platform.pck
        if pck is None or self._platform is None:
            return f"{kind}; FMSPC and CA are not known, as no PCK certificate could be read"
        return f"{kind}, FMSPC {pck.fmspc.hex().upper()}, CA {self._platform.ca or 'unknown'}"

    def _missing_collateral(self, finding: Finding) -> str:
        what = finding.field_name if finding.field_name not in ("", _COLLATERAL_FIELD) else "collateral"
        return f"{what} is missing ({self._platform_text()})"

    def _missing_certificate(self) -> str:
        kind = self._columns.quotes[0].certification_type
        return (
            f"the chain of the PCK certificate is missing: certification data of type {kind} do not hold it, "
            "and no collateral brings it"
        )

    def _detail(self, code: str, finding: Finding) -> str:
        text = _lib.CODE_TEXTS[finding.code]
        if code == "certificate-missing":
            return self._missing_certificate()
        if code == "collateral-missing":
            return self._missing_collateral(finding)
        tcb = self.tcb() if code in ("tcb-status-refused", "tcb-revoked", "advisory-refused") else None
        if tcb is None or tcb.status is None:
            return text
        told = f"{text} It is {tcb.status}, tcbDate {tcb.date}"
        return f"{told}; advisories: {', '.join(tcb.advisory_ids) or 'none'}"


_MISSING = frozenset(_lib.CODE_NUMBERS[name] for name in ("certificate-missing", "collateral-missing"))


def _settled(name: str, category: str) -> tuple[Check, Check]:
    """A check that did not run and one that passed, at the places of their codes: nothing in them depends on a quote."""
    return Check(name, "not-run", category), Check(name, "pass", category)


if (_lib.NOT_RUN, _lib.PASS) != (0, 1):
    raise ImportError("tdxverify: the C core numbers its codes in another way")
_SETTLED = tuple(_settled(*words) for words in zip(_lib.TDX_CHECKS, _lib.TDX_CHECK_CATEGORIES, strict=True))


# ---- the verifier ----------------------------------------------------------------------------------------------------------


@final
class Verifier:
    """Prepared once, used by any number of threads.

    policy    tdxverify.Policy; None is the default policy
    roots     SGX roots to trust instead of the shipped one (DER or PEM, bytes each; PCK CAs may stand beside them)
    engine    "portable", "cryptography", ...; None takes the best, or what ATTESTCORE_ENGINE said at import
    cache_bytes  bound of the cache of QE sections, and of that of collateral; 0 keeps none
    key_table_bytes  bound of the tables that make signatures of keys seen before several times faster, in memory that is only taken as
                 keys come; 0 keeps none. Verdicts do not depend on it

    Mistakes raise ValueError or TypeError here; evidence and collateral never raise. No method reads a clock, a file, the network or the
    environment.
    """

    __slots__ = (
        "_c_policy",
        "_collaterals",
        "_engine",
        "_platforms",
        "_policy",
        "_policy_digest",
        "_runner",
        "_tables",
        "_trust",
    )

    def __init__(
        self,
        policy: Policy | None = None,
        roots: Sequence[Buffer] | None = None,
        engine: str | None = None,
        *,
        cache_bytes: int = 64 << 20,
        key_table_bytes: int = 64 << 20,
    ) -> None:
        if policy is not None and not isinstance(policy, Policy):
            raise TypeError(f"policy is {type(policy).__name__}, not tdxverify.Policy")
        if isinstance(cache_bytes, bool) or not isinstance(cache_bytes, int) or cache_bytes < 0:
            raise TypeError("cache_bytes is a number of bytes, 0 or more")
        if isinstance(key_table_bytes, bool) or not isinstance(key_table_bytes, int) or key_table_bytes < 0:
            raise TypeError("key_table_bytes is a number of bytes, 0 or more")
        self._policy: Policy = policy if policy is not None else Policy()
        self._engine: str = engines.resolve(engine)
        self._policy_digest = self._policy.digest()
        self._runner: Runner = engines.runner(self.engine)
        self._c_policy = TdxPolicy(self._policy.compile())
        self._trust = _make_trust(roots, self._runner)
        self._tables = KeyTables(key_table_bytes)
        self._platforms: ContentCache[SectionKey, Platform] = ContentCache(cache_bytes)
        self._collaterals: ContentCache[_CollateralKey, PreparedCollateral] = ContentCache(cache_bytes)

    @property
    def policy(self) -> Policy:
        """What is asked of quotes."""
        return self._policy

    @property
    def engine(self) -> str:
        """The engine that verifies signatures."""
        return self._engine

    # -- what is judged once ---------------------------------------------------------------------------------------------

    def _prepared(self, keys: Sequence[_CollateralKey]) -> list[PreparedCollateral]:
        """The prepared collateral of each key; new ones are read and verified together."""
        out: list[PreparedCollateral | None] = [self._collaterals.get(key) for key in keys]
        absent = [i for i, found in enumerate(out) if found is None]
        opened = [(i, _open(keys[i])) for i in absent]
        whole = [(i, item) for i, item in opened if isinstance(item, Collateral)]
        out_of_parts = _lib.prepare_collateral(self._trust, [item for _, item in whole], self._runner)
        made = {i: item for i, item in opened if isinstance(item, PreparedCollateral)}
        made |= {i: prepared for (i, _), prepared in zip(whole, out_of_parts, strict=True)}
        for i, prepared in made.items():
            out[i] = prepared
            self._collaterals.put(keys[i], prepared, _key_bytes(keys[i]))
        found = [prepared for prepared in out if prepared is not None]
        if len(found) != len(keys):
            raise RuntimeError("a set of collateral was lost")
        return found

    def _platforms_of(self, keys: Sequence[SectionKey]) -> list[Platform]:
        """The platform of each QE section, likewise."""
        out: list[Platform | None] = [self._platforms.get(key) for key in keys]
        absent = [i for i, found in enumerate(out) if found is None]
        for i, platform in zip(
            absent, _lib.read_platforms(self._trust, [keys[i] for i in absent], self._runner, self._tables), strict=True
        ):
            out[i] = platform
            self._platforms.put(keys[i], platform, len(keys[i][2]))
        found = [platform for platform in out if platform is not None]
        if len(found) != len(keys):
            raise RuntimeError("a QE section was lost")
        return found

    # -- judgement -------------------------------------------------------------------------------------------------------

    def _verdict(
        self, data: bytes | None, collateral: PreparedCollateral | None, at: int
    ) -> tuple[Verdict, TdxColumns, int | None]:
        """The verdict, its columns, and the hash of the QE section."""
        rows = _lib.rows_of_sequence([data])
        key = _section_key(rows, 0, collateral)
        platforms: list[Platform] = []
        if key is not None:
            cached = self._platforms.get(key)
            platforms = [cached] if cached is not None else self._platforms_of([key])
        columns = _lib.tdx_verify(
            rows, platforms, array("i", (0 if platforms else -1,)), [] if collateral is None else [collateral], None,
            array("q", (at,)), self._trust, self._c_policy, self._runner, self._tables,
            findings=True, quotes=True,
        )  # fmt: skip
        verdict = make_verdict(
            _Item(data, columns, platforms[0] if platforms else None, collateral),
            kind=_lib.KINDS_OF_TEE[columns.tee[0]],
            accepted=columns.accepted[0] == 1,
            claims_verified=columns.verified[0] == 1,
            evaluated_at=None if at == NO_TIME else at,
            engine=self.engine,
            policy_digest=self._policy_digest,
        )
        return verdict, columns, None if key is None else hash(key[0])

    def verify(self, data: Buffer, *, collateral: AnyCollateral | None = None, at: Time) -> Verdict:
        """Judges one quote (raw bytes) at the time `at` (aware datetime or Unix seconds) with the collateral given.

        Intel's root and PCK CAs ship with the package. Evidence and collateral never raise: they give a verdict.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"a quote is bytes, not {type(data).__name__}")
        prepared = None
        if collateral is not None:
            key = _key_of(collateral)
            prepared = self._collaterals.get(key)
            if prepared is None:
                prepared = self._prepared([key])[0]
        return self._verdict(_lib.snapshot(data), prepared, to_seconds(at))[0]

    def _judge(self, piece: _Piece, collaterals: Sequence[PreparedCollateral], *, claims: bool) -> None:
        """Fills in the columns of a piece."""
        rows, index = piece.rows, piece.local
        numbers, firsts = _lib.distinct_sections(rows, index)
        keys: list[SectionKey] = []
        places = array("i")
        for row in firsts:
            number = 0 if index is None else index[row]
            known = collaterals[number] if 0 <= number < len(collaterals) else None
            key = _section_key(rows, row, known)
            places.append(-1 if key is None else len(keys))
            if key is not None:
                keys.append(key)
        if len(keys) != len(firsts):  # someone changes the evidence meanwhile: these rows have no platform, and fail
            numbers = _lib.remap(numbers, places)
        platforms = self._platforms_of(keys)
        piece.columns = _lib.tdx_verify(
            rows, platforms, numbers, collaterals, index, piece.at, self._trust, self._c_policy, self._runner, self._tables,
            quotes=claims, bodies=claims,
        )  # fmt: skip
        piece.platform_index = numbers
        piece.section_hashes = array("q", (hash(key[0]) for key in keys))
        if claims:
            piece.platforms = platforms
            piece.collaterals = list(collaterals)

    def verify_batch(
        self,
        quotes: object,
        *,
        collateral: object = None,
        collateral_index: Sequence[int] | None = None,
        at: object,
        claims: bool = False,
    ) -> BatchResults:
        """Judges a column of quotes; one result a row, in order, whatever the rows hold.

        quotes       a sequence of bytes-like (None and any length: that row fails), or Arrow binary; of pyarrow's arrays every buffer's
                     length is checked; other libraries must bring arrays that are valid, as the C interface does not tell how long
                     buffers are
        collateral   one set for every row (bytes in any serialisation, or Collateral); with collateral_index a sequence of such sets;
                     or an Arrow binary column, one set a row (dictionary-encoded is fastest)
        collateral_index  per row the number of its set, -1 for none
        at           one time, or one a row (sequence, or Arrow int64 or timestamp column; None fails its row)
        claims       keep the fields of every quote for to_arrow(claims=True)
        """
        parts = _quote_rows(quotes)
        n = sum(part.n for part in parts)
        times = to_times(at, n)
        keys, index = _collateral_keys(collateral, collateral_index, n)
        pieces: list[_Piece] = []
        first = 0
        for part in parts:
            begin = 0
            while begin < part.n:
                size = _piece_size(index, first, min(ROWS_PER_CALL, part.n - begin))
                at_piece = times if len(times) == 1 else times[first : first + size]
                piece = _Piece(first, part.part(begin, size), at_piece, index)
                self._judge(piece, self._prepared([keys[number] for number in piece.used(len(keys))]), claims=claims)
                pieces.append(piece)
                first += size
                begin += size
        return BatchResults(self, pieces, keys, index, n)


def _section_key(rows: Rows, row: int, collateral: PreparedCollateral | None) -> SectionKey | None:
    found = _lib.section_of(rows, row)
    if found is None:
        return None
    section, kind = found
    elsewhere = collateral is not None and kind != _lib.CERTIFICATION_CHAIN
    return section, kind, collateral.pck_chain if collateral is not None and elsewhere else b""


# ---- columns ---------------------------------------------------------------------------------------------------------------


def _is_arrow(column: object) -> bool:
    return hasattr(column, "__arrow_c_array__") or hasattr(column, "__arrow_c_stream__")


def _quote_rows(quotes: object) -> list[Rows]:
    if _is_arrow(quotes):
        return to_rows(quotes, 1)
    if isinstance(quotes, Sequence) and not isinstance(quotes, (str, bytes, bytearray, memoryview)):
        return [_lib.rows_of_sequence(quotes)]
    raise TypeError(f"quotes is {type(quotes).__name__}, not a sequence of bytes or an Arrow binary column")


def _collateral_keys(
    collateral: object, collateral_index: object, n: int
) -> tuple[list[_CollateralKey], array[int] | None]:
    """The sets that a batch brings, and per row the number of its set (None: the first for all)."""
    if collateral_index is not None:
        return _keys_of_sequence(collateral, collateral_index, n)
    if _is_arrow(collateral):
        return _keys_of_column(collateral, n)
    if isinstance(collateral, (list, tuple)):
        raise TypeError("several sets of collateral need collateral_index, or an Arrow column with one a row")
    return ([] if collateral is None else [_key_of(collateral)]), None


def _keys_of_sequence(collateral: object, collateral_index: object, n: int) -> tuple[list[_CollateralKey], array[int]]:
    if not isinstance(collateral, Sequence) or isinstance(collateral, (str, bytes, bytearray, memoryview)):
        raise TypeError("with collateral_index, collateral is a sequence of sets")
    keys = [_key_of(item, "a set of collateral") for item in collateral]
    if isinstance(collateral_index, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"collateral_index is {type(collateral_index).__name__}, not a sequence of integers")
    try:
        index: array[int] = array("i", collateral_index)  # type: ignore[call-overload]  # TypeError for other than integers
    except OverflowError:
        raise ValueError("collateral_index holds a number that is no set's") from None
    if len(index) != n:
        raise ValueError(f"collateral_index has {len(index)} entries for {n} quotes")
    if n and (min(index) < -1 or max(index) >= len(keys)):
        raise ValueError(f"collateral_index names a set that is not among the {len(keys)} given")
    return keys, index


def _keys_of_column(column: object, n: int) -> tuple[list[_CollateralKey], array[int]]:
    """A column with one set a row (Arrow): the distinct ones, and the number of each row's."""
    numbers: dict[bytes, int] = {}
    index = array("i")
    for chunk in _lib.arrow_chunks(column) or []:
        if chunk.rows is None:
            raise TypeError(f"collateral: an Arrow column of type {chunk.format!r} holds no byte strings")
        rows, first = chunk.rows, list(range(chunk.rows.n))
        local: array[int] | None = chunk.indices
        if local is None:
            local, first = _lib.distinct(rows)
        cells = [rows.get(i) for i in first]
        to_global = array("i", (-1 if cell is None else numbers.setdefault(cell, len(numbers)) for cell in cells))
        index.extend(_lib.remap(local, to_global))
    if len(index) != n:
        raise ValueError(f"collateral has {len(index)} rows for {n} quotes")
    return list(numbers), index


def _piece_size(index: array[int] | None, first: int, size: int) -> int:
    """How many rows from first on go into one call: as many as do not name too many sets of collateral."""
    if index is None or len(set(index[first : first + size])) <= _COLLATERALS_PER_CALL:
        return size
    seen: set[int] = set()
    for taken in range(size):
        seen.add(index[first + taken])
        if len(seen) > _COLLATERALS_PER_CALL:
            return taken
    return size


class _Piece:
    """The rows of one call into the core, and its columns. local: per row the number among the sets that these rows use."""

    __slots__ = ("at", "collaterals", "columns", "first", "local", "platform_index", "platforms", "rows", "section_hashes",
                 "sets")  # fmt: skip

    columns: TdxColumns
    platform_index: array[int]
    section_hashes: array[int]
    platforms: list[Platform]
    collaterals: list[PreparedCollateral]

    def __init__(self, first: int, rows: Rows, at: array[int], index: array[int] | None) -> None:
        self.first = first
        self.rows = rows
        self.at = at
        self.local: array[int] | None = None
        self.sets: list[int] | None = None
        if index is not None:
            part = index[first : first + rows.n]
            self.sets = sorted(set(part) - {-1})
            numbers = {-1: -1, **{number: i for i, number in enumerate(self.sets)}}
            self.local = array("i", map(numbers.__getitem__, part))

    def used(self, num_sets: int) -> list[int]:
        """The numbers of the sets that these rows use."""
        return list(range(num_sets)) if self.sets is None else self.sets

    def time(self, row: int) -> int:
        return self.at[0] if len(self.at) == 1 else self.at[row]

    def fingerprint(self, row: int) -> tuple[int, bytes, int | None]:
        section = self.platform_index[row]
        return (*self.columns.fingerprint(row), None if section < 0 else self.section_hashes[section])


@final
class BatchResults(Sequence[Verdict]):
    """Results of verify_batch: columns of n entries in input order, and the full verdict of a row when it is asked for."""

    __slots__ = ("_index", "_keys", "_n", "_pieces", "_verifier")

    def __init__(
        self,
        verifier: Verifier,
        pieces: list[_Piece],
        keys: list[_CollateralKey],
        index: array[int] | None,
        n: int,
    ) -> None:
        self._verifier = verifier
        self._pieces = pieces
        self._keys = keys
        self._index = index
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

    @property
    def tcb_status(self) -> list[str | None]:
        """Per row: the TCB status; None when no level fits or it was not reached. A new list each time."""
        names = _lib.TCB_STATUSES
        return [names[number] for piece in self._pieces for number in piece.columns.tcb_bytes("status")[0]]

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
        verdict, columns, section = self._verifier._verdict(
            piece.rows.get(local), self._collateral_of(row), piece.time(local)
        )
        if (*columns.fingerprint(0), section) != piece.fingerprint(local):
            raise RuntimeError(f"the evidence of row {row} was changed after it was verified")
        return verdict

    def _collateral_of(self, row: int) -> PreparedCollateral | None:
        number = 0 if self._index is None else self._index[row]
        return self._verifier._prepared([self._keys[number]])[0] if 0 <= number < len(self._keys) else None

    def __iter__(self) -> Iterator[Verdict]:
        return (self[i] for i in range(self._n))

    def to_arrow(self, *, claims: bool = False) -> pa.Table:
        """The results as a pyarrow.Table: kind, accepted, code, codes, tcb_status, evaluated_at; with claims one column a claim, and
        advisory_ids, tcb_date and tcb_evaluation_data_number. Needs the extra `batch`. Claims want verify_batch(..., claims=True)."""
        from tdxverify.arrow import to_table

        return to_table(self._pieces, claims=claims)


@lru_cache(maxsize=16)
def _verifier(policy: Policy | None, root_blobs: tuple[bytes, ...] | None, engine: str) -> Verifier:
    return Verifier(policy, root_blobs, engine)


def verify(
    data: Buffer,
    *,
    collateral: AnyCollateral | None = None,
    at: Time,
    policy: Policy | None = None,
    roots: Sequence[Buffer] | None = None,
    engine: str | None = None,
) -> Verdict:
    """Judges one quote; see Verifier, of which a few are kept for calls with the same arguments."""
    frozen = None if roots is None else _blobs(roots, "roots")
    return _verifier(policy, frozen, engines.resolve(engine)).verify(data, collateral=collateral, at=at)
