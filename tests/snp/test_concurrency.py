# SPDX-License-Identifier: Apache-2.0
"""Threads that share a verifier, callers who change evidence while it is judged, and processes that fork.

The core runs without the GIL, so what another thread does to a buffer happens in the middle of a row. Each row is judged on one
private copy: what is accepted is what was good as a whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from snp_asserts import coherent
from snp_world import NOW, Case, authority, endorsement, good

from snpverify import BatchResults, Verdict, Verifier, verify
from snpverify.testing import pem

pa = pytest.importorskip("pyarrow")

ROOT = Path(__file__).resolve().parents[2]
CASE = good("Milan")
SIZE = 1184
AT_DATA, AT_ID = 0x50, 0x140  # REPORT_DATA and REPORT_ID


def torn(report: bytes) -> bytes:
    """Signed, and changed since, near both ends: a row that is half of one report and half of the other is neither."""
    out = bytearray(report)
    out[AT_DATA] ^= 1
    out[AT_ID] ^= 1
    return bytes(out)


TORN = torn(CASE.report)
INVALID = "report-signature-invalid"


# ---- one thread, one verification inside another ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outer", "inner", "outer_codes", "inner_codes"),
    [(CASE.report, TORN, (), (INVALID,)), (TORN, CASE.report, (INVALID,), ())],
    ids=["torn inside good", "good inside torn"],
)
def test_a_verification_between_any_two_steps_of_another(
    outer: bytes, inner: bytes, outer_codes: tuple[str, ...], inner_codes: tuple[str, ...]
) -> None:
    """As by a signal handler or a finalizer: neither takes the other's evidence for its own."""
    verifier, certs = Verifier(roots=CASE.roots), CASE.certs
    found: list[tuple[str, ...]] = []

    def trace(frame: Any, event: str, _: object) -> Any:
        if frame.f_code.co_name not in ("snp_verify_one", "_verify_native", "_take_one_row"):
            return None
        if event == "line":
            sys.settrace(None)
            found.append(verifier.verify(inner, certs=certs, at=NOW).codes)
            sys.settrace(trace)
        return trace

    assert verifier.verify(outer, certs=certs, at=NOW).codes == outer_codes
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        verdict = verifier.verify(outer, certs=certs, at=NOW)
    finally:
        sys.settrace(before)
    assert verdict.codes == outer_codes
    assert len(found) > 8
    assert set(found) == {inner_codes}


# ---- one verifier, many threads --------------------------------------------------------------------------------------

LINES = ("Milan", "Genoa", "Turin")
ALL_ROOTS = tuple(root for line in LINES for root in authority(line).roots)


def jobs() -> list[tuple[Case, tuple[str, ...]]]:
    """Reports of six kinds of signer, each right, torn, and under another's certificates."""
    out: list[tuple[Case, tuple[str, ...]]] = []
    for line in LINES:
        for kind in ("VCEK", "VLEK"):
            case = good(line, kind)
            out.append((case, ()))
            out.append((case.but(report=torn(case.report)), (INVALID,)))
            out.append((case.but(certs=()), ("certificate-missing",)))
            out.append((case.but(report=good(line, kind, vmpl=4).report), ("vmpl-refused",)))
    return out


def in_threads(work: Callable[[int], Any], threads: int) -> None:
    """Runs work(number) in each thread, all beginning together; what one raises is raised here."""
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        work(number)

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(run, number) for number in range(threads)]:
            future.result()


@pytest.mark.parametrize("cache_bytes", [0, 6000, 1 << 20])
@pytest.mark.parametrize("threads", [2, 8])
def test_one_verifier_for_all_threads(threads: int, cache_bytes: int, engine: str) -> None:
    """Each thread has other certificates and reports, and the cache has room for one or two sets."""
    verifier = Verifier(roots=ALL_ROOTS, engine=engine, cache_bytes=cache_bytes)
    work = jobs()
    rounds = 3 if threads == 2 else 1

    def run(number: int) -> None:
        for k in range(len(work) * rounds):
            case, codes = work[(k * 5 + number * 7) % len(work)]
            verdict = verifier.verify(case.report, certs=case.certs, at=NOW)
            assert verdict.codes == codes
            assert verdict.accepted is (codes == ())

    in_threads(run, threads)
    assert verifier._cache._size <= cache_bytes
    assert verifier._cache._size == sum(weight for _, weight in verifier._cache._sets.values())


def test_batches_of_all_threads() -> None:
    """Batches of different lengths at once: the scratch memory of one thread is not that of another."""
    verifier = Verifier(roots=ALL_ROOTS, cache_bytes=6000)
    work = [(case, codes) for case, codes in jobs() if case.certs]
    cells = [b"".join(map(pem, case.certs)) for case, _ in work]

    def run(number: int) -> None:
        for k in range(4):
            n = len(work) - (number + k) % 7
            order = [(i * 5 + number) % len(work) for i in range(n)]
            results = verifier.verify_batch(
                [work[i][0].report for i in order], certs=pa.array([cells[i] for i in order]), at=[NOW] * n
            )
            assert [codes[:1] for codes in (work[i][1] for i in order)] == [
                (c,) if c else () for c in list(results.code)
            ]
            assert results[k].codes == work[order[k]][1]

    in_threads(run, 4)


def test_the_function_in_all_threads() -> None:
    """verify() keeps verifiers by their arguments: no thread gets another's."""
    cases = [
        (good(line), good(line).but(roots=authority(other).roots))
        for line, other in zip(LINES, LINES[1:] + LINES[:1], strict=True)
    ]

    def run(number: int) -> None:
        for _ in range(10):
            right, wrong = cases[number % 3]
            assert right.verify_once().accepted
            assert not wrong.verify_once().accepted

    in_threads(run, 6)


def test_results_are_read_by_all_threads() -> None:
    """Results and verdicts make their parts when they are read, by whoever reads them."""
    results = CASE.verifier().verify_batch([CASE.report, TORN] * 8, certs=CASE.certs, at=NOW)
    verdict = results[0]
    seen: list[tuple[Any, ...]] = []

    def run(number: int) -> None:
        for i in range(16):
            assert results[i].accepted is results.accepted[i] is (i % 2 == 0)
        seen.append((results.code, verdict.codes, verdict.claims, verdict.used))

    in_threads(run, 4)
    assert len(seen) == 4
    assert all(one == seen[0] for one in seen)


# ---- evidence that changes -------------------------------------------------------------------------------------------


@contextmanager
def changing(buffer: bytearray) -> Iterator[None]:
    """Another thread writes good and torn reports over the buffer, row after row, until the block ends."""
    stop = threading.Event()
    view = memoryview(buffer)

    def write() -> None:
        k = 0
        while not stop.is_set():
            for at in range(0, len(view), SIZE):
                view[at : at + SIZE] = TORN if (k + at) & 1 else CASE.report
                k += 3

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        view.release()


def check_consistent(results: BatchResults) -> None:
    """Columns, codes and, where kept, the bytes that were judged tell one story, row by row."""
    table = results.to_arrow(claims=True).to_pylist()
    assert len(table) == len(results)
    for i, row in enumerate(table):
        assert row["accepted"] is results.accepted[i]
        assert row["code"] == results.code[i]
        assert row["codes"] == ([] if results.accepted[i] else [INVALID])
        whole = (
            row["report_data"] + row["report_id"]
            == CASE.report[AT_DATA : AT_DATA + 64] + CASE.report[AT_ID : AT_ID + 32]
        )
        assert row["accepted"] is whole, i


def check_rereading(results: BatchResults) -> tuple[int, int]:
    """results[i] says what the columns say, or says that it cannot."""
    same = changed = 0
    for i in range(len(results)):
        try:
            verdict = results[i]
        except RuntimeError as problem:
            assert f"row {i} " in str(problem)  # noqa: PT017
            changed += 1
            continue
        coherent(verdict)
        assert verdict.accepted is results.accepted[i]
        assert verdict.codes[:1] == (() if results.code[i] is None else (results.code[i],))
        same += 1
    return same, changed


def arrow_over(buffer: bytearray, kind: str) -> Any:
    """An Arrow column whose bytes are those of the bytearray."""
    n = len(buffer) // SIZE
    data = pa.py_buffer(buffer)
    if kind == "fixed":
        return pa.Array.from_buffers(pa.binary(SIZE), n, [None, data])
    if kind == "large":
        offsets = pa.array(range(0, len(buffer) + 1, SIZE), pa.int64()).buffers()[1]
        return pa.Array.from_buffers(pa.large_binary(), n, [None, offsets, data])
    if kind == "view":
        words = b"".join(SIZE.to_bytes(4, "little") + bytes(8) + (i * SIZE).to_bytes(4, "little") for i in range(n))
        return pa.Array.from_buffers(pa.binary_view(), n, [None, pa.py_buffer(words), data])
    offsets = pa.array(range(0, len(buffer) + 1, SIZE), pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.binary(), n, [None, offsets, data])


FORMS: dict[str, Callable[[bytearray], Any]] = {
    "bytearray": lambda b: b,
    "memoryview": memoryview,
    "readonly-memoryview": lambda b: memoryview(b).toreadonly(),
    "list": lambda b: [memoryview(b)[i : i + SIZE] for i in range(0, len(b), SIZE)],
    "list-readonly": lambda b: [memoryview(b).toreadonly()[i : i + SIZE] for i in range(0, len(b), SIZE)],
    "py_buffer": pa.py_buffer,
    "arrow-fixed": lambda b: arrow_over(b, "fixed"),
    "arrow-binary": lambda b: arrow_over(b, "binary"),
    "arrow-large": lambda b: arrow_over(b, "large"),
    "arrow-view": lambda b: arrow_over(b, "view"),
}
COPIED = ("bytearray", "memoryview", "list", "list-readonly", "py_buffer")


@pytest.mark.parametrize("form", FORMS)
def test_a_buffer_that_changes_under_the_call(form: str) -> None:
    buffer = bytearray((CASE.report + TORN) * 24)
    verifier = CASE.verifier()
    column = FORMS[form](buffer)
    accepted = 0
    with changing(buffer):
        for _ in range(4):
            results = verifier.verify_batch(column, certs=CASE.certs, at=NOW, claims=True)
            assert len(results) == 48
            check_consistent(results)
            check_rereading(results)
            accepted += sum(results.accepted)
    assert accepted > 0


@pytest.mark.parametrize("form", FORMS)
def test_a_buffer_that_changes_after_the_call(form: str) -> None:
    """A copy was taken where the caller may write; else a row that is not what was judged is named."""
    buffer = bytearray(CASE.report + TORN + CASE.report + TORN)
    results = CASE.verifier().verify_batch(FORMS[form](buffer), certs=CASE.certs, at=NOW)
    assert list(results.accepted) == [True, False, True, False]
    buffer[SIZE : 2 * SIZE] = CASE.report
    buffer[2 * SIZE : 3 * SIZE] = TORN
    assert list(results.accepted) == [True, False, True, False]
    assert list(results.code) == [None, INVALID, None, INVALID]
    if form in COPIED:
        assert [verdict.accepted for verdict in results] == [True, False, True, False]
        return
    assert results[0].accepted is True
    assert results[3].codes == (INVALID,)
    for row in (1, 2, -2, -3):
        with pytest.raises(RuntimeError, match=f"row {row % 4} "):
            results[row]


@pytest.mark.parametrize("form", ["arrow-fixed", "arrow-binary", "arrow-view", "readonly-memoryview"])
def test_another_good_report_is_another_row(form: str) -> None:
    """Accepted both times, and yet not the evidence that the kept claims are of."""
    other = good("Milan", guest_svn=9).report
    buffer = bytearray(CASE.report * 2)
    results = CASE.verifier().verify_batch(FORMS[form](buffer), certs=CASE.certs, at=NOW, claims=True)
    buffer[:SIZE] = other
    assert results.to_arrow(claims=True)["guest_svn"].to_pylist() == [0, 0]
    with pytest.raises(RuntimeError, match="row 0 "):
        results[0]
    assert results[1].claims is not None


def test_one_report_that_changes_under_the_call() -> None:
    """The verdict's claims and hash are those of the bytes that were judged."""
    import hashlib

    buffer = bytearray(CASE.report)
    hashes = {hashlib.sha256(data).hexdigest(): data == CASE.report for data in (CASE.report, TORN)}
    with changing(buffer):
        for _ in range(150):
            verdict: Verdict = CASE.verifier().verify(buffer, certs=CASE.certs, at=NOW)
            assert verdict.evidence_sha256 is not None
            assert verdict.accepted is hashes.get(verdict.evidence_sha256, False)
            assert verdict.codes == (() if verdict.accepted else (INVALID,))


def test_certificates_that_change_under_the_call() -> None:
    """A set is judged as what it was when it was copied, and is kept under that content."""
    leaf, other = endorsement("Milan").der, authority("Milan").vcek(chip_id=b"\5" * 64).der
    size = max(len(leaf), len(other))
    if len(leaf) != len(other):
        pytest.skip("the two certificates differ in length")
    buffer = bytearray(leaf)
    verifier = Verifier(roots=[*CASE.roots, *authority("Milan").certs])
    stop = threading.Event()

    def write() -> None:
        k = 0
        while not stop.is_set():
            buffer[:size] = (leaf, other)[k & 1]
            k += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(150):
            verdict = verifier.verify(CASE.report, certs=[buffer], at=NOW)
            assert verdict.codes in ((), ("chip-id-mismatch", INVALID))
            column = pa.Array.from_buffers(pa.binary(size), 2, [None, pa.py_buffer(memoryview(buffer * 2))])
            assert set(verifier.verify_batch([CASE.report] * 2, certs=column, at=NOW).code) <= {
                None,
                "chip-id-mismatch",
            }
    finally:
        stop.set()
        thread.join()
    assert verifier.verify(CASE.report, certs=[leaf], at=NOW).accepted
    assert not verifier.verify(CASE.report, certs=[other], at=NOW).accepted


@pytest.mark.parametrize("form", ["binary", "fixed"])
def test_a_certificate_column_that_changes_under_the_call(form: str) -> None:
    """Sets of a column are told apart by content, copied, and judged: in between, the memory may change at will. No set is
    kept under a content that it did not have."""
    leaf, other = endorsement("Milan").der, authority("Milan").vcek(chip_id=b"\5" * 64).der
    if len(leaf) != len(other):
        pytest.skip("the two certificates differ in length")
    size, n = len(leaf), 60
    buffer = bytearray((leaf + other) * (n // 2))
    offsets = pa.array(range(0, len(buffer) + 1, size), pa.int32()).buffers()[1]
    kind, parts = (pa.binary(size), [None]) if form == "fixed" else (pa.binary(), [None, offsets])
    column = pa.Array.from_buffers(kind, n, [*parts, pa.py_buffer(buffer)])
    verifier = Verifier(roots=[*CASE.roots, *authority("Milan").certs])
    stop = threading.Event()

    def write() -> None:
        k = 0
        while not stop.is_set():
            at = k * 7 % n * size
            buffer[at : at + size] = (leaf, other)[k & 1]
            k += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(20):
            results = verifier.verify_batch([CASE.report] * n, certs=column, at=NOW)
            assert all(results.accepted[i] is (results.code[i] is None) for i in range(n))
            for i in range(0, n, 9):
                assert results[i].accepted is results.accepted[i]
    finally:
        stop.set()
        thread.join()
    for _ in range(2):
        cells = pa.array([leaf, other])
        assert list(verifier.verify_batch([CASE.report] * 2, certs=cells, at=NOW).code) == [None, "chip-id-mismatch"]


def test_an_interrupted_batch_leaves_nothing_behind() -> None:
    """An engine that fails in the middle gives no half results, and the next call is right."""
    verifier = Verifier(roots=CASE.roots, engine="cryptography")
    calls = 0
    real = verifier._runner.verify_one
    assert real is not None

    def failing(*job: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return real(*job)

    object.__setattr__(verifier._runner, "verify_one", failing)
    with pytest.raises(KeyboardInterrupt):
        verifier.verify_batch([CASE.report] * 9, certs=CASE.certs, at=NOW)
    assert list(verifier.verify_batch([CASE.report, TORN], certs=CASE.certs, at=NOW).accepted) == [True, False]


def test_an_engine_that_says_something_else_than_true() -> None:
    """1, "yes" and None are not True."""
    for answer in (1, "yes", None, [True], 2):
        verifier = Verifier(roots=CASE.roots, engine="cryptography")
        assert verifier.verify(CASE.report, certs=CASE.certs, at=NOW).accepted
        object.__setattr__(verifier._runner, "verify_one", lambda *_, answer=answer: answer)
        assert verifier.verify(CASE.report, certs=CASE.certs, at=NOW).codes == (INVALID,)


# ---- processes -------------------------------------------------------------------------------------------------------

FORK = """
import os, sys, threading
sys.path.insert(0, "tests/snp")
from snp_world import NOW, good
case = good("Milan")
torn = case.report[:-1000] + bytes([case.report[-1000] ^ 1]) + case.report[-999:]
verifier = case.verifier()
def right():
    results = verifier.verify_batch([case.report, torn, None], certs=case.certs, at=NOW)
    one = verifier.verify(case.report, certs=case.certs, at=NOW)
    return list(results.accepted) == [True, False, False] and one.accepted and results[1].codes == ("report-signature-invalid",)
if not right():
    raise SystemExit("wrong before the fork")
children = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if right() else 7)
    children.append(pid)
if not right():
    raise SystemExit("wrong in the parent")
for pid in children:
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise SystemExit("wrong in a child")
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_after_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK], cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_a_function_of_one_thread_is_the_function_of_all() -> None:
    """The same call, by the function and by a verifier, in a thread and outside it."""
    out: list[Verdict] = []

    def run() -> None:
        out.append(verify(CASE.report, certs=CASE.certs, at=NOW, roots=CASE.roots))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert out[0].to_dict() == CASE.verify().to_dict() == CASE.verify_once().to_dict()
