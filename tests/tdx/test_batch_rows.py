# SPDX-License-Identifier: Apache-2.0
"""Batches: one result a row and the same one as alone, whatever stands beside it; collateral and times by the row; caches that change
nothing; hostile rows; threads."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from tdx_world import BOTH, CA, CASES, NOW, SHAPES, Real, needs_evidence, packed, told, verifier

from attestcore import _lib, engines
from attestcore.cache import ContentCache
from tdxverify import BatchResults, Collateral, Policy, Verdict, Verifier, open_collateral
from tdxverify.testing import AT

QUOTE = CA.quote(5)
GOOD = packed(CA.collateral(QUOTE)) or b""
SGX = CA.quote(3)
SGX_GOOD = packed(CA.collateral(SGX)) or b""
STALE = packed(CA.collateral(QUOTE, at=AT - timedelta(days=60))) or b""
OLD = packed(CA.collateral(QUOTE, status="OutOfDate")) or b""
BROKEN = QUOTE.flipped("body.mr_td")
SNP = (2).to_bytes(4, "little") + bytes(1180)


def same(batch: Verdict, alone: Verdict) -> None:
    assert batch.to_dict() == alone.to_dict()


# ---- a row is what it is alone ---------------------------------------------------------------------------------------


@needs_evidence
def test_a_batch_of_all_real_cases_says_what_each_says_alone() -> None:
    judge = Verifier()
    sets = [case.collateral for case in CASES]
    results = judge.verify_batch(
        [case.quote for case in CASES],
        collateral=sets,
        collateral_index=range(len(sets)),
        at=[case.at for case in CASES],
    )
    assert results.tcb_status == [case.status for case in CASES]
    for case, verdict in zip(CASES, results, strict=True):
        same(verdict, Verifier().verify(case.quote, collateral=case.collateral, at=case.at))
        assert (told(verdict), verdict.advisory_ids, verdict.tcb_date) == (case.codes, case.advisories, case.tcb_date)
    assert results.accepted == [not case.codes for case in CASES]
    assert results.code == [next(iter(case.codes.values()), None) for case in CASES]


@needs_evidence
def test_neighbours_are_unharmed_in_any_order() -> None:
    """Every case beside every kind of hostile row, forwards and backwards, and each twice."""
    judge = Verifier()
    rows: list[tuple[bytes | None, Real | None]] = []
    for case in CASES:
        rows += [
            (case.quote, case),
            (None, None),
            (case.quote[:-1], None),
            (b"", None),
            (SNP, None),
            (case.quote, case),
        ]
    for order in (rows, rows[::-1]):
        sets = [case.collateral for case in CASES]
        index = [CASES.index(case) if case is not None else -1 for _, case in order]
        at = [case.at if case is not None else NOW for _, case in order]
        results = judge.verify_batch([quote for quote, _ in order], collateral=sets, collateral_index=index, at=at)
        assert len(results) == len(order)
        for (_, case), code, status in zip(order, results.code, results.tcb_status, strict=True):
            if case is not None:
                assert (code, status) == (next(iter(case.codes.values()), None), case.status)
            else:
                assert code is not None
                assert status is None


@pytest.mark.parametrize("engine", engines.available())
def test_every_pattern_of_good_and_bad_in_a_group_of_lanes(engine: str) -> None:
    judge = Verifier(None, CA.roots, engine)
    for pattern in range(256) if engine != "cryptography" else (0, 1, 128, 0x55, 255):
        quotes = [BROKEN if pattern >> i & 1 else QUOTE.bytes for i in range(8)]
        results = judge.verify_batch(quotes, collateral=GOOD, at=NOW)
        assert results.accepted == [not pattern >> i & 1 for i in range(8)]
        assert {code for code in results.code if code is not None} <= {"quote-signature-invalid"}


def test_hostile_rows() -> None:
    quotes: list[Any] = [
        None, b"", b"\0", SNP, bytes(4096), QUOTE.bytes, QUOTE.bytes[:100], bytes(_lib.QUOTE_MAX_BYTES),
        bytes(_lib.QUOTE_MAX_BYTES + 1), QUOTE.bytes + bytes(1 << 20), bytearray(QUOTE.bytes), memoryview(QUOTE.bytes),
        b"\x05\0\x02\0\x81\0\0\0" + b"\xff" * 5000,
    ]  # fmt: skip
    results = verifier().verify_batch(quotes, collateral=GOOD, at=NOW)
    assert results.code[:3] == ["evidence-missing", "quote-truncated", "quote-truncated"]
    assert [i for i, accepted in enumerate(results.accepted) if accepted] == [5, 10, 11]
    assert results.code[8] == results.code[9] == "quote-too-large"
    kinds = [verdict.kind for verdict in results]
    assert kinds[:3] == [None, None, None]
    assert (kinds[5], kinds[6], kinds[12]) == ("tdx", "tdx", "tdx")
    for verdict in results:
        assert (verdict.codes == ()) is verdict.accepted
        assert verdict.to_dict()["claims_verified"] is verdict.accepted
    assert results[0].evidence_sha256 is None


def test_no_rows() -> None:
    results = verifier().verify_batch([], collateral=GOOD, at=NOW)
    assert (len(results), results.accepted, results.code, list(results)) == (0, [], [], [])
    assert results.to_arrow(claims=False).num_rows == 0
    assert verifier().verify_batch([], at=[], claims=True).to_arrow(claims=True).num_rows == 0
    assert (
        verifier().verify_batch(pa.array([], pa.binary()), collateral=pa.array([], pa.binary()), at=NOW).accepted == []
    )


def test_more_rows_than_one_call_takes() -> None:
    n = 16384 + 5
    quotes = [QUOTE.bytes] * n
    for place in (0, 16383, 16384, n - 1):
        quotes[place] = BROKEN
    results = verifier().verify_batch(quotes, collateral=GOOD, at=NOW)
    assert [i for i, accepted in enumerate(results.accepted) if not accepted] == [0, 16383, 16384, n - 1]
    assert results[16384].codes == results[-1].codes == ("quote-signature-invalid",)
    assert results[1].accepted is True


# ---- collateral by the row -------------------------------------------------------------------------------------------


def _three_ways(
    quotes: list[bytes], sets: list[bytes], index: list[int], at: Any, judge: Verifier
) -> list[BatchResults]:
    """By index, as an Arrow column, and as a dictionary."""
    cells = [sets[i] if i >= 0 else None for i in index]
    plain = pa.array(cells, pa.binary())
    return [
        judge.verify_batch(quotes, collateral=sets, collateral_index=index, at=at),
        judge.verify_batch(pa.array(quotes, pa.binary()), collateral=plain, at=at),
        judge.verify_batch(quotes, collateral=plain.dictionary_encode(), at=at),
        judge.verify_batch(quotes, collateral=pa.chunked_array([plain.slice(0, 2), plain.slice(2)]), at=at),
        judge.verify_batch(pa.array(quotes, pa.large_binary()), collateral=plain.cast(pa.large_binary()), at=at),
    ]


def test_sets_of_collateral_by_the_row() -> None:
    sets = [GOOD, SGX_GOOD, STALE, OLD, b"{", GOOD]
    index = [0, -1, 1, 2, 3, 4, 5, 0]
    expected = [
        None,
        "collateral-missing",
        "tcb-info-unsupported",
        "crl-expired",
        "tcb-status-refused",
        "collateral-malformed",
        None,
        None,
    ]
    judge = Verifier(None, CA.roots)
    for results in _three_ways([QUOTE.bytes] * 8, sets, index, NOW, judge):
        assert results.code == expected
        assert [verdict.codes[0] if verdict.codes else None for verdict in results] == expected
        for i, verdict in zip(index, results, strict=True):
            same(verdict, judge.verify(QUOTE.bytes, collateral=sets[i] if i >= 0 else None, at=NOW))
    for text in (pa.string(), pa.large_string()):
        column = pa.array([GOOD.decode(), None], text)
        assert judge.verify_batch([QUOTE.bytes] * 2, collateral=column, at=NOW).code == [None, "collateral-missing"]


def test_chains_by_the_row() -> None:
    """Certification data of type 4: the chain comes with the row's own collateral, though the quotes are the same bytes."""
    quote = CA.quote(5, cert_type=4)
    right = packed(CA.collateral(quote)) or b""
    other = CA.pck(pce_svn=3)
    foreign = b"".join(certificate.pem for certificate in CA.pck_chain(other)).decode()
    wrong = packed(CA.collateral(quote), pck_certificate_chain=foreign) or b""
    none = packed(CA.collateral(quote), pck_certificate_chain=None) or b""
    index = [0, 1, 2, -1, 0, 1, 0]
    expected = [None, "certification-data-mismatch", "certificate-missing", "certificate-missing", None,
                "certification-data-mismatch", None]  # fmt: skip
    judge = Verifier(None, CA.roots)
    for _ in range(2):  # the second time from the caches
        for results in _three_ways([quote.bytes] * 7, [right, wrong, none], index, NOW, judge):
            assert [verdict.accepted for verdict in results] == results.accepted == [code is None for code in expected]
            for code, verdict in zip(expected, results, strict=True):
                assert code is None or code in verdict.codes


def test_more_sets_than_are_held_at_a_time() -> None:
    """Every row its own set of collateral; results are those of each alone, and no row is lost."""
    n = 300
    base = CA.tcb_info(QUOTE)
    sets = []
    for i in range(n):
        made = CA.collateral(QUOTE, tcb_info=base.replace(tcb_evaluation_data_number=i + 1))
        sets.append(packed(made) or b"")
    judge = Verifier(Policy(min_tcb_evaluation_data_number=10), CA.roots, cache_bytes=0)
    column = pa.array(sets, pa.binary())
    results = judge.verify_batch([QUOTE.bytes] * n, collateral=column, at=NOW)
    assert results.accepted == [i + 1 >= 10 for i in range(n)]
    assert len(results._pieces) == 2
    assert results[n - 1].to_dict()["tcb_evaluation_data_number"] == 17  # the identity's is the smaller
    assert results[3].to_dict()["tcb_evaluation_data_number"] == 4


def test_times_by_the_row() -> None:
    day = 86400
    times = [NOW, NOW + 19 * day, NOW + 21 * day, None, NOW - 11 * day, NOW]
    expected = [None, None, "crl-expired", "evaluation-time-missing", "crl-not-yet-valid", None]
    judge = Verifier(None, CA.roots)
    seconds = pa.array(times, pa.int64())
    stamps = seconds.cast(pa.timestamp("s", tz="UTC"))
    for at in (times, seconds, stamps, stamps.cast(pa.timestamp("ms", tz="UTC"))):
        results = judge.verify_batch([QUOTE.bytes] * 6, collateral=GOOD, at=at)
        assert results.code == expected
        assert [verdict.evaluated_at for verdict in results] == times


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"quotes": b"bytes", "at": NOW}, TypeError),
        ({"quotes": "text", "at": NOW}, TypeError),
        ({"quotes": 5, "at": NOW}, TypeError),
        ({"quotes": ["text"], "at": NOW}, TypeError),
        ({"quotes": [b""], "at": None}, TypeError),
        ({"quotes": [b""], "at": [1, 2]}, ValueError),
        ({"quotes": [b""], "collateral": [GOOD], "at": NOW}, TypeError),
        ({"quotes": [b""], "collateral": "text", "at": NOW}, TypeError),
        ({"quotes": [b""], "collateral": GOOD, "collateral_index": [0], "at": NOW}, TypeError),
        ({"quotes": [b""], "collateral": [GOOD], "collateral_index": [1], "at": NOW}, ValueError),
        ({"quotes": [b""], "collateral": [GOOD], "collateral_index": [-2], "at": NOW}, ValueError),
        ({"quotes": [b""], "collateral": [GOOD], "collateral_index": [0, 0], "at": NOW}, ValueError),
        ({"quotes": [b""], "collateral": [GOOD], "collateral_index": ["0"], "at": NOW}, TypeError),
        ({"quotes": [b""], "collateral": [GOOD], "collateral_index": [2**40], "at": NOW}, ValueError),
        ({"quotes": [b""], "collateral": [None], "collateral_index": [0], "at": NOW}, TypeError),
        ({"quotes": [b""], "collateral": pa.array([GOOD, GOOD]), "at": NOW}, ValueError),
        ({"quotes": [b""], "collateral": pa.array([1]), "at": NOW}, TypeError),
        ({"quotes": pa.array([1]), "at": NOW}, TypeError),
    ],
)
def test_a_callers_mistakes_raise(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        verifier().verify_batch(arguments.pop("quotes"), **arguments)


def test_mistakes_of_single_calls_raise() -> None:
    judge = verifier()
    with pytest.raises(TypeError):
        judge.verify("text", at=NOW)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        judge.verify(b"", collateral="text", at=NOW)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        judge.verify(b"", collateral=[GOOD], at=NOW)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        judge.verify(b"")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="time zone"):
        judge.verify(b"", at=AT.replace(tzinfo=None))
    for mistake in ("policy", 1):
        with pytest.raises(TypeError):
            Verifier(mistake)  # type: ignore[arg-type]
    for roots in ([], [CA.platform.der], [QUOTE.pck.der], [b"x"], [CA.with_root(basicConstraints=None).root.der]):
        with pytest.raises(ValueError, match="roots"):
            Verifier(None, roots)
    with pytest.raises(TypeError):
        Verifier(None, CA.root.der)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="engine"):
        Verifier(engine="none such")
    for size in (-1, 1.5, True):
        with pytest.raises(TypeError):
            Verifier(cache_bytes=size)  # type: ignore[arg-type]
    results = judge.verify_batch([b""], at=NOW)
    with pytest.raises(TypeError):
        bool(results)
    with pytest.raises(IndexError):
        results[1]
    with pytest.raises(ValueError, match="keep no claims"):
        results.to_arrow(claims=True)


# ---- caches ----------------------------------------------------------------------------------------------------------


class _Weight:
    def __init__(self, weight: int) -> None:
        self.weight = weight


def test_a_cache_is_bounded_and_drops_what_was_used_least() -> None:
    cache: ContentCache[str, _Weight] = ContentCache(3 * (1000 + 256))
    first = _Weight(1000)
    for name in "abc":
        cache.put(name, first if name == "a" else _Weight(1000), 0)
    assert cache.get("a") is first
    cache.put("d", _Weight(1000), 0)
    assert cache.get("b") is None
    assert cache.get("a") is first
    assert len(cache) == 3
    assert cache.size == 3 * 1256
    cache.put("huge", _Weight(10**6), 0)
    assert cache.get("huge") is None
    assert len(cache) == 3
    cache.put("a", _Weight(1), 0)  # what is there stays
    assert cache.get("a") is first
    nothing: ContentCache[str, _Weight] = ContentCache(0)
    nothing.put("a", first, 0)
    assert (len(nothing), nothing.get("a")) == (0, None)


@pytest.mark.parametrize("cache_bytes", [0, 200_000, 64 << 20])
def test_what_was_judged_before_changes_no_verdict(cache_bytes: int) -> None:
    """One section with several sets of collateral, one set at several times, one quote again and again: as fresh verifiers say."""
    judge = Verifier(BOTH, CA.roots, cache_bytes=cache_bytes)
    quotes = [CA.quote(*shape).bytes for shape in SHAPES] + [BROKEN, QUOTE.replace(report_data=bytes(64)).bytes]
    sets = [packed(CA.collateral(CA.quote(*shape))) for shape in SHAPES] + [STALE, OLD, GOOD, None, b"{}"]
    times = [NOW, NOW + 21 * 86400, NOW - 40 * 86400]
    for quote in quotes:
        for bundle in sets:
            for at in times:
                fresh = Verifier(BOTH, CA.roots, cache_bytes=0).verify(quote, collateral=bundle, at=at)
                for _ in range(2):
                    same(judge.verify(quote, collateral=bundle, at=at), fresh)


def test_the_same_section_with_another_body() -> None:
    """Quotes of one QE share their section: what is bound to the body is judged anew."""
    judge = Verifier(None, CA.roots)
    first = judge.verify(QUOTE.bytes, collateral=GOOD, at=NOW)
    assert first.accepted
    assert len(judge._platforms) == 1
    other = QUOTE.replace(mr_td=b"\1" * 48)
    assert judge.verify(other.bytes, collateral=GOOD, at=NOW).accepted
    assert len(judge._platforms) == 1
    moved = bytearray(other.bytes)
    moved[54 + 136] ^= 1
    assert judge.verify(bytes(moved), collateral=GOOD, at=NOW).codes == ("quote-signature-invalid",)
    debug = QUOTE.replace(td_attributes=1)
    assert judge.verify(debug.bytes, collateral=GOOD, at=NOW).codes == ("td-debug",)
    assert len(judge._platforms) == 1


def test_caches_are_of_one_verifier() -> None:
    """What one verifier trusts, another with other roots does not."""
    mine, shipped = Verifier(None, CA.roots), Verifier()
    assert mine.verify(QUOTE.bytes, collateral=GOOD, at=NOW).accepted
    assert "root-untrusted" in shipped.verify(QUOTE.bytes, collateral=GOOD, at=NOW).codes
    assert mine.verify(QUOTE.bytes, collateral=GOOD, at=NOW).accepted


def test_collateral_is_found_by_its_content() -> None:
    judge = Verifier(None, CA.roots)
    parts = open_collateral(GOOD)
    for form in (GOOD, bytes(bytearray(GOOD)), bytearray(GOOD)):
        assert judge.verify(QUOTE.bytes, collateral=form, at=NOW).accepted
    assert len(judge._collaterals) == 1
    assert judge.verify(QUOTE.bytes, collateral=parts, at=NOW).accepted
    assert judge.verify(QUOTE.bytes, collateral=open_collateral(GOOD), at=NOW).accepted
    assert len(judge._collaterals) == 2
    changed = Collateral(**{name: getattr(parts, name) for name in parts.__slots__} | {"tcb_info_signature": bytes(64)})
    assert judge.verify(QUOTE.bytes, collateral=changed, at=NOW).codes == ("tcb-info-signature-invalid",)


def test_a_writable_buffer_that_changes_later() -> None:
    """What came as a bytearray was copied: the verdict is about what was judged."""
    buffer = bytearray(QUOTE.bytes)
    results = verifier().verify_batch([buffer], collateral=GOOD, at=NOW)
    buffer[:] = bytes(len(buffer))
    assert results[0].accepted is True


@pytest.mark.parametrize("place", ["body.mr_td", "signature", "cert_data"])
def test_an_arrow_column_that_changes_later_is_noticed(place: str) -> None:
    memory = bytearray(QUOTE.bytes)
    offsets = pa.array([0, len(memory)], pa.int32()).buffers()[1]
    column = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(memory)])
    results = verifier().verify_batch(column, collateral=GOOD, at=NOW)
    assert results[0].accepted is True
    offset, size = QUOTE.places[place]
    memory[offset + size // 2] ^= 1
    with pytest.raises(RuntimeError, match="changed"):
        results[0]


# ---- threads ---------------------------------------------------------------------------------------------------------


def test_threads_share_one_verifier() -> None:
    judge = Verifier(BOTH, CA.roots, cache_bytes=300_000)  # small enough that entries come and go
    jobs = [(quote.bytes, packed(CA.collateral(quote))) for quote in (CA.quote(*shape) for shape in SHAPES)]
    jobs += [(BROKEN, GOOD), (QUOTE.bytes, OLD), (QUOTE.bytes, STALE), (QUOTE.bytes, None)]
    expected = [judge.verify(quote, collateral=bundle, at=NOW).codes for quote, bundle in jobs]
    wrong: list[object] = []

    def work(first: int) -> None:
        try:
            for k in range(40):
                i = (first + k) % len(jobs)
                if judge.verify(jobs[i][0], collateral=jobs[i][1], at=NOW).codes != expected[i]:
                    wrong.append(i)
            results = judge.verify_batch([quote for quote, _ in jobs], collateral=GOOD, at=NOW)
            wrong.extend(verdict for verdict in results[:1] if verdict.kind != "sgx")
        except Exception as error:  # a thread's exception would be lost
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- tables ----------------------------------------------------------------------------------------------------------


@needs_evidence
def test_the_table_says_what_the_verdicts_say() -> None:
    quotes = [*(case.quote for case in CASES), None, b"", SNP]
    index = [*range(len(CASES)), -1, -1, -1]
    at = [*(case.at for case in CASES), NOW, None, NOW]
    results = Verifier().verify_batch(
        quotes, collateral=[case.collateral for case in CASES], collateral_index=index, at=at, claims=True
    )
    short = results.to_arrow()
    assert short.column_names == ["kind", "accepted", "code", "codes", "tcb_status", "evaluated_at"]
    table = results.to_arrow(claims=True)
    assert table.column_names[:6] == short.column_names
    for row, verdict in zip(table.to_pylist(), results, strict=True):
        said = verdict.to_dict()
        for name in ("kind", "accepted", "tcb_status"):
            assert row[name] == said[name]
        assert row["codes"] == said["codes"]
        assert row["code"] == (said["codes"][0] if said["codes"] else None)
        assert (row["evaluated_at"].timestamp() if row["evaluated_at"] else None) == verdict.evaluated_at
        claims = said["claims"]
        if claims is None:
            assert all(row[name] is None for name in table.column_names[6:])
            continue
        extra = {"advisory_ids": said["advisory_ids"], "tcb_date": said["tcb_date"],
                 "tcb_evaluation_data_number": said["tcb_evaluation_data_number"]}  # fmt: skip
        for name, value in {**claims, **extra}.items():
            if name not in ("qe_report", "trailing_zeros"):
                assert _plain(row[name]) == value, name


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if hasattr(value, "isoformat"):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "hour") else value.isoformat()
    return value
