"""Runs that go wrong, exit status, audit, memory, and the command itself."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attestcore.batch.judge import Judge, Terms
from attestcore.batch.rows import Chunk
from attestcore.batch.runner import AuditError, Job, Run
from attestcore.batch.schema import UsageError
from attestcore.batch.tally import Tally
from snpverify.testing import pem

from .conftest import AT_SECONDS, Store

REPO = Path(__file__).resolve().parents[2]


def parquet(store: Store, numbers: list[int], name: str = "in.parquet", **options: Any) -> Path:
    table = pa.table({"evidence": pa.array([store.reports[n] for n in numbers], pa.binary()), "n": numbers})
    pq.write_table(table, store.path(name), **options)
    return store.path(name)


GOOD, TORN, DEBUG = 0, 3, 4


@pytest.fixture
def vceks(store: Store) -> Path:
    return store.write("vceks.pem", b"".join(pem(der) for der in store.all_vceks))


# ---- exit status -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "with_certs", "status"),
    [
        ([GOOD, GOOD], True, 0),
        ([], True, 0),
        ([GOOD, TORN], True, 1),
        ([GOOD], False, 3),
        ([GOOD, DEBUG], False, 1),  # DEBUG lacks a certificate as well, and fails a check
    ],
)
def test_exit_status(store: Store, vceks: Path, numbers: list[int], with_certs: bool, status: int) -> None:
    source = parquet(store, numbers)
    certs = ["--certs", vceks] if with_certs else []
    for out in ("out.parquet", "out.jsonl", "out.csv"):
        got, stdout, stderr = store.cli(source, "-o", store.path(out), *certs)
        assert (got, stdout) == (status, ""), stderr
        assert f"snpverify: {len(numbers)} rows: " in stderr
        assert store.path(out).is_file()


def test_a_broken_source_is_status_4_and_the_rows_before_it_are_kept(store: Store, vceks: Path) -> None:
    whole = parquet(store, [GOOD] * 300, row_group_size=100).read_bytes()
    footer = whole[-8 - int.from_bytes(whole[-8:-4], "little") :]
    with pq.ParquetFile(store.path("in.parquet")) as file:
        last = file.metadata.row_group(2).column(0)
        start = last.dictionary_page_offset or last.data_page_offset
    broken = bytearray(whole)
    broken[start : start + 200] = b"\xff" * 200
    assert broken.endswith(footer)
    sources = {
        "torn.parquet": (bytes(broken), 200),
        "empty.parquet": (b"", 0),
        "cut.parquet": (whole[:-1], 0),
        "empty.csv": (b"", 0),
        "quote.csv": (b"evidence\n" + store.reports[GOOD].hex().encode() + b'\n"unclosed\n', 1),
        "cut.tar": (archive(store, 3)[: 3 * 512 + 1184], 1),
    }
    for name, (data, rows) in sources.items():
        path = store.write(name, data)
        after = parquet(store, [GOOD], "after.parquet")
        status, stdout, stderr = store.cli(path, after, "-o", store.path("out.jsonl"), "--certs", vceks)
        assert (status, stdout) == (4, ""), name
        assert f"snpverify: {path}: " in stderr
        assert len(store.rows("out.jsonl")) == rows + 1, name
        assert all(row["accepted"] for row in store.rows("out.jsonl"))


def archive(store: Store, members: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for n in range(members):
            info = tarfile.TarInfo(f"{n}.bin")
            info.size = 1184
            file.addfile(info, io.BytesIO(store.reports[GOOD]))
    return out.getvalue()


def test_usage_comes_first_and_leaves_nothing(store: Store, vceks: Path) -> None:
    source = parquet(store, [GOOD, TORN])
    text = store.write("notes.txt", b"x")
    os.mkfifo(store.path("fifo.parquet"))
    for args, message in (
        ([store.path("none.parquet"), "-o", store.path("out.csv")], "No such file"),
        ([text, "-o", store.path("out.csv")], "expected a directory, or a name that ends in"),
        ([store.path("fifo.parquet"), "-o", store.path("out.csv")], "neither a regular file nor a directory"),
        ([source, "-o", store.path("out.txt")], "must end in .parquet"),
        ([source, "-o", store.path("nowhere/out.csv")], "cannot be written"),
        ([source, "-o", source], "is a source as well"),
        ([source, "-o", store.path("out.csv"), "--engine", "abacus"], "abacus"),
        ([source, "-o", store.path("out.csv"), "--threads", "0"], "threads"),
        ([source, "-o", store.path("out.csv"), "--policy", text], "not a TOML file"),
        ([source, "-o", store.path("out.csv"), "--certs", store.path("none.pem")], "cannot be read"),
        ([source, "-o", store.path("out.csv"), "--map", "evidence=x"], "--map evidence=COLUMN"),
        ([source], "--output"),
        (["-o", store.path("out.csv")], "SOURCE"),
    ):
        status, stdout, stderr = store.cli(*args, "--certs", vceks)
        assert (status, stdout) == (2, ""), message
        assert message in stderr
        assert stderr.count("\n") == 1
    assert not [path for path in store.directory.iterdir() if "out" in path.name]


def test_the_disk_is_full(store: Store) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    run = Run(Job([parquet(store, [GOOD])], store.path("out.jsonl"), Terms(roots=store.roots), AT_SECONDS))
    real = Path.open

    def opened(path: Path, mode: str = "r", *rest: Any) -> Any:
        return real(Path("/dev/full"), "wb", 0) if mode == "xb" else real(path, mode, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", opened)
        with pytest.raises(UsageError, match="cannot be written: No space left on device"):
            run.run()
    assert not store.path("out.jsonl").exists()


def test_an_output_that_was_there_is_replaced_as_a_whole(store: Store) -> None:
    store.write("out.jsonl", b"old\n")
    store.write("in.jsonl", json.dumps({"evidence": "00", "accepted": 1}).encode())
    with pytest.raises(UsageError):
        store.run([store.path("in.jsonl")], "out.jsonl")
    assert store.path("out.jsonl").read_bytes() == b"old\n"
    store.run([parquet(store, [GOOD])], "out.jsonl")
    assert len(store.rows("out.jsonl")) == 1
    assert not list(store.directory.glob(".*"))


def test_no_rows_at_all_is_said(store: Store, vceks: Path) -> None:
    (store.path("dir")).mkdir()
    (store.path("dir") / "x.BIN").write_bytes(store.reports[GOOD])
    status, _, stderr = store.cli(store.path("dir"), "-o", store.path("out.csv"), "--certs", vceks)
    assert status == 0
    assert "1 files whose name does not end in .bin were left out" in stderr
    assert "the sources have no rows" in stderr
    store.write("in.jsonl", b'{"report": "00"}\n')
    status, _, stderr = store.cli(store.path("in.jsonl"), "-o", store.path("out.jsonl"))
    assert status == 1
    assert "--map evidence=COLUMN" in stderr


def test_attestcore_batch_takes_the_kind(store: Store, vceks: Path) -> None:
    pq.write_table(pa.table({"evidence": pa.array([store.reports[0][:7]], pa.binary())}), store.path("in.parquet"))
    for options, kind, code in (
        ((), None, "kind-unsupported"),
        (("--kind", "sev-snp"), "sev-snp", "report-length-invalid"),
    ):
        args = (store.path("in.parquet"), "-o", store.path("out.jsonl"), "--certs", vceks, *options)
        assert store.cli(*args, program="attestcore")[0] == 1
        assert [(row["kind"], row["code"]) for row in store.rows("out.jsonl")] == [(kind, code)]
    status, _, stderr = store.cli(store.path("in.parquet"), "-o", store.path("out.jsonl"), "--kind", "sev-snp")
    assert (status, "No such option" in stderr) == (2, True)


def test_without_pyarrow_it_says_what_to_install(store: Store) -> None:
    code = "import sys; sys.modules['pyarrow'] = None\nfrom attestcore.cli.snp import main\nmain(sys.argv[1:])"
    args = ["batch", str(parquet(store, [GOOD])), "-o", str(store.path("out.csv"))]
    ran = subprocess.run([sys.executable, "-c", code, *args], cwd=REPO, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "snpverify: batch needs pyarrow: pip install 'attestcore[batch]'\n"


# ---- audit -----------------------------------------------------------------------------------------------------------


def test_audit_of_honest_engines(store: Store, vceks: Path) -> None:
    source = parquet(store, [n % 30 for n in range(100)])
    for engine in ("portable", "cryptography"):
        options = ("--certs", vceks, "--audit", 3, "--engine", engine)
        status, _, stderr = store.cli(source, "-o", store.path("out.parquet"), *options)
        assert status == 1
        assert "100 rows" in stderr
        assert [row["code"] for row in store.rows("out.parquet")] == [store.code(n % 30) for n in range(100)]


def test_audit_looks_at_one_row_in_n(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = Run._audit

    def audit(run: Run, auditor: Judge, first: int, chunk: Chunk, results: pa.RecordBatch) -> None:
        def count(part: Chunk) -> pa.RecordBatch:
            seen.append(part.rows)
            return auditor(part)

        real(run, count, first, chunk, results)  # type: ignore[arg-type]

    monkeypatch.setattr(Run, "_audit", audit)
    store.run([parquet(store, [GOOD] * 20), parquet(store, [GOOD] * 21, "b.parquet")], "out.parquet", audit=4)
    assert sum(seen) == 11  # rows 0, 4, ... 40 of both sources together


def test_audit_stops_at_a_difference(store: Store, vceks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Judge.__call__

    def lying(judge: Judge, chunk: Chunk) -> pa.RecordBatch:
        results = honest(judge, chunk)
        if judge.engine == "cryptography":
            return results
        columns = dict(zip(results.schema.names, results.columns, strict=True))
        columns["accepted"] = pa.array([True] * results.num_rows)
        return pa.RecordBatch.from_arrays(list(columns.values()), schema=results.schema)

    monkeypatch.setattr(Judge, "__call__", lying)
    source = parquet(store, [GOOD, GOOD, TORN])
    with pytest.raises(AuditError, match=r"row 2: accepted is True by portable and False by cryptography"):
        store.run([source], "out.parquet", audit=1, engine="portable")
    status, _, stderr = store.cli(
        source, "-o", store.path("out.csv"), "--certs", vceks, "--audit", 1, "--engine", "portable"
    )
    assert status == 1
    assert "audit: row 2" in stderr
    assert not list(store.directory.glob("*out*"))


# ---- threads, memory, tally ------------------------------------------------------------------------------------------


def test_as_many_threads_as_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attestcore.batch.sources.CHUNK_BYTES", 1)
    barrier = threading.Barrier(3, timeout=30)
    real = Judge.__call__

    def meeting(judge: Judge, chunk: Chunk) -> pa.RecordBatch:
        barrier.wait()  # passes only when three threads are here at once
        return real(judge, chunk)

    monkeypatch.setattr(Judge, "__call__", meeting)
    source = parquet(store, [n % 30 for n in range(64 * 9)])
    assert store.run([source], "out.parquet", threads=3).tally.rows == 64 * 9


def test_no_more_chunks_are_read_than_are_worked_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attestcore.batch.sources.CHUNK_BYTES", 1)
    source = parquet(store, [GOOD] * 64 * 40)
    held: list[int] = []
    read = written = 0
    units, add = Run._units, Tally.add

    def counted(run: Run, broken: list[str]) -> Any:
        nonlocal read
        for unit in units(run, broken):
            read += 1
            held.append(read - written)
            yield unit

    def done(tally: Tally, results: pa.RecordBatch) -> None:
        nonlocal written
        written += 1
        add(tally, results)

    monkeypatch.setattr(Run, "_units", counted)
    monkeypatch.setattr(Tally, "add", done)
    store.run([source], "out.parquet", threads=2)
    assert read == written == 40
    assert max(held) <= 4


SOURCES: dict[str, Callable[[Path, int], object]] = {
    "parquet": lambda path, n: pq.write_table(pa.table({"evidence": pa.array([bytes(1184)] * n, pa.binary())}), path),
    "jsonl": lambda path, n: path.write_text((json.dumps({"evidence": "00" * 1184}) + "\n") * n),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", SOURCES)
def test_memory_does_not_grow_with_the_source(store: Store, form: str) -> None:
    """Peak resident memory for 10 000 rows and for twelve times as many: a run that held them all would need 130 MB more."""
    code = (
        "import sys\nfrom attestcore.cli.snp import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        # Not ru_maxrss, which a program inherits from the one that started it.
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    peaks = []
    for rows in (10_000, 120_000):
        SOURCES[form](store.path(f"in.{form}"), rows)
        args = [
            "batch",
            store.path(f"in.{form}"),
            "-o",
            store.path("out.parquet"),
            "--threads",
            "2",
            "--at",
            "1750377600",
        ]
        ran = subprocess.run(
            [sys.executable, "-c", code, *map(str, args)], cwd=REPO, capture_output=True, text=True, check=True
        )
        assert pq.ParquetFile(store.path("out.parquet")).metadata.num_rows == rows
        peaks.append(int(ran.stdout))
    assert peaks[1] - peaks[0] < 60_000
    assert peaks[1] < 500_000


def test_tally() -> None:
    def results(rows: list[tuple[bool, list[str]]]) -> pa.RecordBatch:
        schema = pa.schema([("accepted", pa.bool_()), ("codes", pa.list_(pa.string()))])
        return pa.RecordBatch.from_pylist(
            [{"accepted": accepted, "codes": codes} for accepted, codes in rows], schema=schema
        )

    tally = Tally()
    tally.add(results([]))
    tally.add(results([(True, []), (True, [])]))
    rows = [
        (True, []),
        (False, ["certificate-missing"]),
        (False, ["certificate-missing", "collateral-missing"]),
        (False, ["certificate-missing", "debug-allowed"]),
        (False, ["debug-allowed", "vmpl-refused"]),
        (False, []),  # a refusal without a reason must not pass for a lack of collateral
    ]
    tally.add(results(rows))
    assert (tally.rows, tally.accepted, tally.failed, tally.lacking) == (8, 3, 3, 2)
    assert tally.codes == {"certificate-missing": 3, "collateral-missing": 1, "debug-allowed": 2, "vmpl-refused": 1}
    sliced = results([(True, []), *rows]).slice(2, 3)
    tally = Tally()
    tally.add(sliced)
    assert (tally.rows, tally.failed, tally.lacking) == (3, 1, 2)


@pytest.mark.parametrize("name", ["in.parquet", "in.jsonl", "in.csv", "in.tar"])
def test_damaged_files_never_raise(store: Store, name: str) -> None:
    """Whatever a file holds, a run ends in an outcome or in a UsageError."""
    source = parquet(store, [n % 30 for n in range(40)], row_group_size=10)
    text = "".join(json.dumps({"evidence": store.reports[n].hex(), "x": [n], "at": 1}) + "\n" for n in range(5))
    store.write("in.jsonl", text.encode())
    store.write(
        "in.csv", b"evidence,x\n" + b"".join(report.hex().encode() + b',"a\nb"\n' for report in store.reports[:5])
    )
    store.write("in.tar", archive(store, 4))
    whole = (source if name == "in.parquet" else store.path(name)).read_bytes()
    damaged = store.path(f"damaged{Path(name).suffix}")
    outcomes = 0
    for seed in range(80):
        random = Random(seed)
        data = bytearray(whole)
        for _ in range(random.choice([1, 2, 20])):
            place = random.randrange(len(data))
            data[place] = random.randrange(256)
            if random.random() < 0.2:
                del data[place : place + random.randrange(40)]
        damaged.write_bytes(data)
        with suppress(UsageError):
            tally = store.run([damaged], random.choice(["out.parquet", "out.jsonl", "out.csv"])).tally
            outcomes += 1
            assert tally.rows == tally.accepted + tally.failed + tally.lacking
    assert outcomes > 40
