# SPDX-License-Identifier: Apache-2.0
"""Tables of keys that come back: how many are kept, when they are made, and that no outcome depends on them."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sigvectors as vectors
from sigvectors import Case, Curve

import snpverify
from attestcore import signatures
from attestcore._native import ffi, lib
from attestcore.signatures import KeyTables

ENGINES = tuple(name for name in signatures.engines() if name != "cryptography")
EACH_ENGINE = pytest.mark.parametrize("engine", ENGINES)
CURVES = pytest.mark.parametrize("curve", vectors.CURVES, ids=lambda curve: curve.name)
DATA = Path(__file__).resolve().parents[2] / "examples" / "data"
LEAST: int = lib.att_key_tables_least()
SLOT: int = KeyTables(LEAST).stats()["table_bytes"]


def verify(engine: str, cases: Sequence[Case], tables: KeyTables | None) -> list[bool]:
    curve = {1: "P-256", 2: "P-384"}[cases[0].algorithm]
    columns = (b"".join(getattr(case, part) for case in cases) for part in ("key", "digest", "sig"))
    return [byte == 1 for byte in signatures.verify_ecdsa(curve, *columns, engine=engine, tables=tables)]


def expect(engine: str, cases: Sequence[Case], tables: KeyTables | None) -> None:
    assert verify(engine, cases, tables) == [case.valid for case in cases]


def of_key(curve: Curve, d: int, count: int, seed: int = 0) -> list[Case]:
    """Signatures under the key d G; every third one spoilt."""
    rng = random.Random(f"{curve.name} {d} {seed}")
    cases = [
        curve.from_scalars(f"{d} {i}", rng.randrange(1, curve.n), rng.randrange(1, curve.n), d) for i in range(count)
    ]
    for i in range(2, count, 3):
        cases[i] = replace(cases[i], digest=cases[i - 1].digest, valid=False)
    return cases


# ---- memory --------------------------------------------------------------------------------------------------------------


def test_memory_is_laid_out_within_its_bounds() -> None:
    """From any address, with every length, what is kept fits; one table needs what the core says."""
    size = LEAST + 12 * SLOT
    memory = ffi.new("uint8_t[]", size + 128)
    stats = ffi.new("att_key_stats *")
    for at in (0, 1, 7, 8, 63, 64):
        for length in (0, 1, LEAST - 1):
            assert lib.att_key_tables_init(memory + at, length, bytes(16)) == ffi.NULL
        for length in (LEAST, LEAST + SLOT - 1, LEAST + SLOT + 512, size):
            tables = lib.att_key_tables_init(memory + at, length, bytes(16))
            lib.att_key_tables_stats(tables, stats)
            assert 1 <= stats.slots <= length // SLOT
            assert (stats.used, stats.hits, stats.builds, stats.evictions) == (0, 0, 0, 0)
            start, end = int(ffi.cast("uintptr_t", tables)), int(ffi.cast("uintptr_t", memory + at)) + length
            assert start % 64 == 0
            assert start + stats.slots * SLOT <= end
    assert lib.att_key_tables_init(ffi.NULL, size, bytes(16)) == ffi.NULL


def test_bounds_from_python() -> None:
    nothing = dict.fromkeys(("table_bytes", "slots", "used", "hits", "builds", "evictions"), 0)
    for size in (0, 1, LEAST - 1):
        assert KeyTables(size).stats() == nothing
    assert KeyTables(LEAST).stats() == {**nothing, "table_bytes": SLOT, "slots": 1}
    many = KeyTables(64 << 20).stats()["slots"]
    assert 3000 < many <= (64 << 20) // SLOT
    for wrong in (-1, 1.0, "1", None, True):
        with pytest.raises(TypeError, match="max_bytes"):
            KeyTables(wrong)  # type: ignore[arg-type]


# ---- when tables are made ------------------------------------------------------------------------------------------------


@EACH_ENGINE
@CURVES
def test_a_key_that_comes_back_gets_a_table(engine: str, curve: Curve) -> None:
    tables = KeyTables(1 << 20)
    cases = of_key(curve, 12345, 64)
    expect(engine, cases, tables)
    assert tables.stats()["builds"] == 1
    hits = tables.stats()["hits"]
    expect(engine, cases, tables)
    expect(engine, cases[:1], tables)
    after = tables.stats()
    assert (after["builds"], after["used"]) == (1, 1)
    assert after["hits"] == hits + 2


@EACH_ENGINE
@CURVES
def test_keys_seen_once_get_none(engine: str, curve: Curve) -> None:
    tables = KeyTables(1 << 20)
    cases = [case for d in range(100, 140) for case in of_key(curve, d, 1)]
    expect(engine, cases, tables)
    assert tables.stats()["builds"] == 0


@EACH_ENGINE
@CURVES
def test_one_signature_at_a_time(engine: str, curve: Curve) -> None:
    """A key whose signatures come alone has its table after a few of them."""
    tables = KeyTables(1 << 20)
    for case in of_key(curve, 77, 12):
        expect(engine, [case], tables)
    stats = tables.stats()
    assert stats["builds"] == 1
    assert stats["hits"] >= 6


@EACH_ENGINE
@CURVES
def test_keys_off_the_curve_get_none(engine: str, curve: Curve) -> None:
    tables = KeyTables(1 << 20)
    good = of_key(curve, 5, 24)
    bad = [replace(case, key=case.key[:-1] + bytes([case.key[-1] ^ 1]), valid=False) for case in good]
    high = [replace(case, key=b"\xff" * len(case.key), valid=False) for case in good]
    mixed = [case for row in zip(good, bad, high, strict=True) for case in row]
    for cases in (bad, high, mixed, mixed):
        expect(engine, cases, tables)
    stats = tables.stats()
    assert stats["builds"] == stats["used"] == 1


# ---- which table is taken ------------------------------------------------------------------------------------------------


@EACH_ENGINE
@CURVES
def test_keys_are_compared_whole(engine: str, curve: Curve) -> None:
    """Keys that differ by a bit, by the sign of y, or by being another's x: each has its own table or none."""
    tables = KeyTables(2 << 20)
    d = 2**200 + 9
    cases = [*of_key(curve, d, 30), *of_key(curve, curve.n - d, 30), *of_key(curve, d + 1, 30)]
    for bit in (0, 1, 8 * curve.length, 16 * curve.length - 1):
        key = (int.from_bytes(cases[0].key, "big") ^ 1 << bit).to_bytes(2 * curve.length, "big")
        cases += [replace(case, key=key, valid=False) for case in cases[:8]]
    swapped = [replace(case, key=cases[30].key, valid=False) for case in cases[:12]]  # -Q: the same x
    random.Random(4).shuffle(cases)
    for batch in (cases, cases, [*swapped, *cases]):
        expect(engine, batch, tables)
    assert tables.stats()["builds"] == 3


def test_engines_and_curves_share_memory_and_nothing_else() -> None:
    tables = KeyTables(4 << 20)
    batches = [of_key(curve, 4242, 48) for curve in vectors.CURVES]
    for _ in range(3):
        for engine in ENGINES:
            for cases in batches:
                expect(engine, cases, tables)
    assert tables.stats()["builds"] == 2 * len(ENGINES)


@EACH_ENGINE
@CURVES
@pytest.mark.parametrize("room", [1, 2, 3, 9])
def test_keys_that_push_each_other_out(engine: str, curve: Curve, room: int) -> None:
    tables = KeyTables(LEAST + (room - 1) * (SLOT + 64))
    rng = random.Random(f"{curve.name} {room}")
    pool = [of_key(curve, d, 16) for d in range(900, 912)]
    for _ in range(6):
        cases = [case for group in rng.sample(pool, 12) for case in group]
        if rng.random() < 0.5:
            rng.shuffle(cases)
        expect(engine, cases, tables)
    stats = tables.stats()
    assert stats["evictions"] > 0
    assert stats["used"] == stats["slots"] == room if room < 8 else stats["used"] <= stats["slots"]


@EACH_ENGINE
@CURVES
def test_exceptional_sums_under_keys_that_have_tables(engine: str, curve: Curve) -> None:
    """Keys that are entries of G's comb, or small multiples: every sum, by a table from the second run on."""
    chain = 13 if curve is vectors.P384 else 9
    scalars = [1, 2, curve.n - 1, *(pow(2, i * chain, curve.n) for i in (1, 2, 3, 5, 15, 29))]
    scalars += [curve.n - value for value in scalars[3:]]
    rng = random.Random(f"{curve.name} exceptions")
    cases = []
    for d in scalars:
        for u2 in (1, 2, 3, curve.n - 1, rng.randrange(1, curve.n)):
            for u1 in (0, u2 * d, -u2 * d, u2 * d + 1, -u2 * d - 1, 2 * u2 * d, rng.randrange(curve.n)):
                total = curve.of_generator(u1 + u2 * d)
                r = total[0] % curve.n if total is not None else 7
                s = r * pow(u2, -1, curve.n) % curve.n
                cases.append(
                    curve.case(f"{d} {u1} {u2}", curve.of_generator(d), u1 * s % curve.n, r, s, total is not None)
                )
    tables = KeyTables(4 << 20)
    for _ in range(2):
        expect(engine, cases, tables)
    assert tables.stats()["builds"] == len(scalars)
    for case in cases[:: 1 if engine != "portable" else 7]:
        expect(engine, [case], tables)


# ---- threads -------------------------------------------------------------------------------------------------------------


def test_threads_share_tables_under_pressure() -> None:
    """Eight threads, all engines, both curves, and room for three keys: every outcome is right."""
    tables = KeyTables(LEAST + 2 * (SLOT + 64))
    pools = [[of_key(curve, d, 12) for d in range(50, 56)] for curve in vectors.CURVES]
    wrong: list[str] = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(40):
            cases = [case for group in rng.sample(rng.choice(pools), rng.choice((1, 2, 4))) for case in group]
            cases = cases[: rng.choice((1, len(cases)))]
            engine = rng.choice(ENGINES)
            if verify(engine, cases, tables) != [case.valid for case in cases]:
                wrong.append(f"{engine} {cases[0].name}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    stats = tables.stats()
    assert stats["hits"] > 0
    assert stats["evictions"] > 0


# ---- a Verifier's --------------------------------------------------------------------------------------------------------


def test_a_verifier_keeps_tables_and_its_verdicts_do_not_depend_on_them() -> None:
    report = bytes.fromhex((DATA / "report_milan.hex").read_text())
    certs = [(DATA / "vcek_milan.der").read_bytes()]
    spoilt = report[:0x50] + bytes([report[0x50] ^ 1]) + report[0x51:]
    with_tables = snpverify.Verifier(engine=ENGINES[0])
    without = snpverify.Verifier(engine=ENGINES[0], key_table_bytes=0)
    for _ in range(8):
        for data in (report, spoilt):
            expected = without.verify(data, certs=certs, at=1735689600)
            got = with_tables.verify(data, certs=certs, at=1735689600)
            assert got.to_dict() == expected.to_dict()
            assert got.claims_verified == (data is report)
        batches = [
            v.verify_batch([report, spoilt] * 9, certs=certs, at=1735689600).code for v in (with_tables, without)
        ]
        assert batches[0] == batches[1]
    assert with_tables._tables.stats()["builds"] == 1
    assert with_tables._tables.stats()["hits"] > 8
    assert without._tables.stats()["slots"] == 0


@pytest.mark.parametrize("wrong", [-1, 1.5, "64", None, True])
def test_bytes_of_a_verifiers_tables_are_a_number(wrong: object) -> None:
    with pytest.raises(TypeError, match="key_table_bytes"):
        snpverify.Verifier(key_table_bytes=wrong)  # type: ignore[arg-type]
