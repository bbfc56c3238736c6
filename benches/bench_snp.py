"""Whole SEV-SNP reports: one a call, batches, chains new and known, and what a verdict costs when it is written out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import corpus
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import snpverify

AT = corpus.AT_SECONDS


def _verifier(engine: str, cache_bytes: int = 64 << 20) -> snpverify.Verifier:
    return snpverify.Verifier(roots=corpus.roots(), engine=engine, cache_bytes=cache_bytes)


@pytest.mark.parametrize("chain", ["known", "new"])
def test_verify(benchmark: BenchmarkFixture, chain: str, engine: str) -> None:
    verifier = _verifier(engine) if chain == "known" else _verifier(engine, cache_bytes=0)
    data = corpus.reports(1, 1)
    benchmark.group = f"1 report, chain {chain}"
    assert benchmark(verifier.verify, data.reports, certs=data.certs, at=AT).accepted


def test_to_dict(benchmark: BenchmarkFixture, engine: str) -> None:
    verifier, data = _verifier(engine), corpus.reports(1, 1)
    benchmark.group = "1 report, chain known, verdict written out"
    verdict = benchmark(lambda: verifier.verify(data.reports, certs=data.certs, at=AT).to_dict())
    assert verdict["accepted"] is True


@pytest.mark.parametrize("per_key", [1, 8, 64, 4096])
def test_batch(benchmark: BenchmarkFixture, per_key: int, engine: str) -> None:
    n = 4096 if per_key == 4096 else 256
    verifier, data = _verifier(engine), corpus.reports(n, per_key)
    benchmark.group = f"{n} reports, {per_key} a key"
    results = benchmark(verifier.verify_batch, data.reports, certs=data.certs, certs_index=data.index, at=AT)
    assert results.accepted == [True] * n


def test_batch_to_arrow(benchmark: BenchmarkFixture, engine: str) -> None:
    """With all claims as columns."""
    verifier, data = _verifier(engine), corpus.reports(256, 64)
    benchmark.group = "256 reports, 64 a key, with claims to Arrow"

    def run() -> int:
        results = verifier.verify_batch(data.reports, certs=data.certs, certs_index=data.index, at=AT, claims=True)
        return int(results.to_arrow(claims=True).num_rows)

    assert benchmark(run) == 256


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(benchmark: BenchmarkFixture, threads: int, engine: str) -> None:
    verifier, data = _verifier(engine), corpus.reports(512, 64)
    benchmark.group = "2 x 512 reports, one after the other or side by side"

    def run(_: int) -> bool:
        results = verifier.verify_batch(data.reports, certs=data.certs, certs_index=data.index, at=AT)
        return all(results.accepted)

    with ThreadPoolExecutor(threads) as pool:
        assert benchmark(lambda: list(pool.map(run, range(2)))) == [True, True]


def test_parse(benchmark: BenchmarkFixture) -> None:
    """A report's fields, nothing verified."""
    report = corpus.reports(1, 1).reports
    benchmark.group = "1 report parsed"
    assert benchmark(snpverify.parse_report, report).version == 3
