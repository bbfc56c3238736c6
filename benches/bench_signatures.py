"""Bare signatures, by engine, curve and how often a key comes again."""

from __future__ import annotations

import corpus
import library
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attestcore import signatures
from attestcore.signatures import Curve

CURVES = pytest.mark.parametrize("curve", ["P-384", "P-256"])


@CURVES
@pytest.mark.parametrize("per_key", [1, 8, 64, 4096])
def test_ecdsa(benchmark: BenchmarkFixture, curve: Curve, per_key: int, engine: str) -> None:
    n = 4096 if per_key == 4096 else 256
    data = corpus.signatures(curve, n, per_key)
    benchmark.group = f"{n} signatures, {curve}, {per_key} a key"
    assert benchmark(signatures.verify_ecdsa, curve, data.keys, data.digests, data.sigs, engine) == b"\1" * n


@CURVES
def test_one_ecdsa(benchmark: BenchmarkFixture, curve: Curve, engine: str) -> None:
    data = corpus.signatures(curve, 256, 1).first(1)
    benchmark.group = f"1 signature, {curve}"
    assert benchmark(signatures.verify_ecdsa, curve, data.keys, data.digests, data.sigs, engine) == b"\1"


@CURVES
def test_ecdsa_of_the_library(benchmark: BenchmarkFixture, curve: Curve) -> None:
    """`cryptography` without us, its keys loaded."""
    benchmark.group = f"256 signatures, {curve}, 1 a key"
    benchmark(library.ecdsa(corpus.signatures(curve, 256, 1)))


def test_rsa_pss(benchmark: BenchmarkFixture, engine: str) -> None:
    data = corpus.rsa_signatures(64)
    benchmark.group = "64 signatures, RSA-4096 PSS"
    assert benchmark(signatures.verify_rsa, "pss-sha384", data.spki, data.digests, data.sigs, engine) == b"\1" * 64


def test_rsa_pss_of_the_library(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "64 signatures, RSA-4096 PSS"
    benchmark(library.rsa_pss(corpus.rsa_signatures(64)))
