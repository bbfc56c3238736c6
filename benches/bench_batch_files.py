"""The commands as a shell would run them: processes of their own, files in and out."""

from __future__ import annotations

import sys
from pathlib import Path

import corpus
import pytest
import rounds
from pytest_benchmark.fixture import BenchmarkFixture

ROWS = 8192
ROUNDS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("files")
    corpus.write_parquet(folder / "reports.parquet", ROWS, 4096)
    corpus.write_roots(folder / "roots.pem")
    return folder


def _snpverify(*argv: str | Path) -> rounds.Cost:
    return rounds.command(sys.executable, "-m", "snpverify", *argv, "--at", str(corpus.AT_SECONDS))


@pytest.mark.parametrize("claims", [False, True], ids=["verdicts", "claims"])
@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_batch(benchmark: BenchmarkFixture, folder: Path, suffix: str, claims: bool, engine: str) -> None:
    if engine == "cryptography" and (claims or suffix != "parquet"):
        pytest.skip("measured once: the signatures take nearly all of the time")
    benchmark.group = f"{ROWS} rows of Parquet to {suffix}{' with claims' if claims else ''}"
    out = folder / f"verdicts.{suffix}"
    more = ["--claims"] if claims else []
    arguments = (folder / "reports.parquet", "-o", out, "--root", folder / "roots.pem", "--engine", engine, *more)
    cost = benchmark.pedantic(_snpverify, ("batch", *arguments), rounds=ROUNDS)
    benchmark.extra_info.update(peak_kib=cost.peak_kib, cpu=cost.cpu)
    assert out.stat().st_size > 0


def test_verify(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "snpverify verify, a process"
    arguments = ("verify", corpus.MILAN_REPORT, "--certs", corpus.MILAN_VCEK)
    cost = benchmark.pedantic(_snpverify, arguments, rounds=5)
    benchmark.extra_info.update(peak_kib=cost.peak_kib, cpu=cost.cpu)
    assert cost.status == 0


def test_nothing(benchmark: BenchmarkFixture) -> None:
    """A Python that does nothing, for comparison."""
    benchmark.group = "snpverify verify, a process"
    assert benchmark.pedantic(rounds.command, (sys.executable, "-c", "pass"), rounds=5).status == 0
