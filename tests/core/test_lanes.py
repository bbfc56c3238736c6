# SPDX-License-Identifier: Apache-2.0
"""The engine that verifies eight signatures at once, function by function and as a whole, against integers of Python.

tests/c/lanes_hook.c makes the static functions of one curve callable. They are built twice: with vector instructions, where the CPU
has them, and with the same operations in plain C, so that the algorithm is tested everywhere. Both must agree limb for limb.
"""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Final

import pytest
import sigvectors as vectors
from hypothesis import given, settings
from hypothesis import strategies as st
from sigvectors import Case, Curve, Point

from attestcore import engines, signatures

ROOT: Final = Path(__file__).resolve().parents[2]
CSRC: Final = ROOT / "csrc"
LANES: Final = 8
HANDED_OVER: Final = 77  # the mark of the engine that lanes_hook.c puts in portable's place
KINDS: Final = ("native", "emulated")
NATIVE: Final = {"avx512f", "avx512ifma"} <= set(engines.cpu_features().split())

Limbs = list[int]
Rows = list[Limbs]  # a row a lane


def compile_library(out: Path, kind: str, sources: Sequence[Path], *flags: str) -> ctypes.CDLL:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc)")
    if kind == "native" and not NATIVE:
        pytest.skip("this CPU has no AVX-512 IFMA")
    emulated = ["-DATT_LANES_EMULATED"] if kind == "emulated" else []
    flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{CSRC}", *emulated, *flags)
    subprocess.run([compiler, *flags, *map(str, sources), "-o", str(out)], check=True)
    return ctypes.CDLL(str(out))


class Hook:
    """One curve in eight lanes."""

    def __init__(self, library: ctypes.CDLL, curve: Curve, *, fast: bool) -> None:
        self.lib = library
        self.fast = fast  # a hundred times as fast as emulated
        self.curve = curve
        self.limbs: int = library.hook_limbs()
        self.bits: int = library.hook_limb_bits()
        self.top_bits = 8 * curve.length - self.bits * (self.limbs - 1)
        self.r = 1 << (self.bits * self.limbs)
        self.inverse = pow(self.r, -1, curve.p)
        self.mask = (1 << self.bits) - 1
        assert library.hook_lanes() == LANES
        entries = library.hook_generator_entries()
        self.generator = (ctypes.c_uint64 * (2 * self.limbs * entries))()
        library.hook_generator_table(self.generator)

    # limbs

    def split(self, value: int) -> Limbs:
        """Limbs of 52 bits; what is above them goes to the last, sign and all."""
        low = [value >> (self.bits * i) & self.mask for i in range(self.limbs - 1)]
        return [*low, value >> (self.bits * (self.limbs - 1))]

    def value(self, limbs: Sequence[int]) -> int:
        return sum(limb << (self.bits * i) for i, limb in enumerate(limbs))

    def plain(self, limbs: Sequence[int]) -> int:
        """What an element in Montgomery form stands for."""
        return self.value(limbs) * self.inverse % self.curve.p

    def montgomery(self, value: int) -> Limbs:
        return self.split(value * self.r % self.curve.p)

    def assert_settled(self, rows: Rows) -> None:
        for limbs in rows:
            assert all(0 <= limb <= self.mask for limb in limbs)
            assert 100 * self.value(limbs) < 202 << (8 * self.curve.length)

    # calls

    def array(self, rows: Rows) -> ctypes.Array[ctypes.c_uint64]:
        flat = [limb & 2**64 - 1 for limbs in rows for limb in limbs]
        return (ctypes.c_uint64 * len(flat))(*flat)

    def rows(self, array: ctypes.Array[ctypes.c_uint64], start: int = 0) -> Rows:
        return [list(array[i : i + self.limbs]) for i in range(start, start + LANES * self.limbs, self.limbs)]

    def product(self, which: int, *operands: Rows, negate: int = 0) -> Rows:
        out = self.array([[0] * self.limbs] * LANES)
        filled = [*operands, *[operands[0]] * (4 - len(operands))]
        self.lib.hook_product(which, *map(self.array, filled), ctypes.c_uint32(negate), out)
        return self.rows(out)

    def points(self, rows: Sequence[tuple[Limbs, Limbs, Limbs]]) -> ctypes.Array[ctypes.c_uint64]:
        return self.array([row[part] for part in range(3) for row in rows])

    def triples(self, array: ctypes.Array[ctypes.c_uint64]) -> list[tuple[Limbs, Limbs, Limbs]]:
        x, y, z = (self.rows(array, part * LANES * self.limbs) for part in range(3))
        return list(zip(x, y, z, strict=True))

    def affine(self, point: tuple[Limbs, Limbs, Limbs]) -> Point:
        x, y, z = (self.plain(part) for part in point)
        if z == 0:
            return None
        p = self.curve.p
        return x * pow(z, -2, p) % p, y * pow(z, -3, p) % p

    def jacobian(self, rng: random.Random, point: tuple[int, int]) -> tuple[Limbs, Limbs, Limbs]:
        """The point with some z, coordinates at random among the settled spellings of their values."""
        p, z = self.curve.p, rng.randrange(1, self.curve.p)
        parts = (point[0] * z * z, point[1] * z**3, z)
        out = []
        for part in parts:
            value = self.value(self.montgomery(part))
            out.append(self.split(value + p if rng.random() < 0.5 else value))
        return out[0], out[1], out[2]

    def verify(self, cases: Sequence[Case]) -> list[int]:
        columns = b"".join(case.key + case.digest + case.sig for case in cases)
        out = (ctypes.c_uint8 * max(len(cases), 1))()
        self.lib.hook_verify(columns, len(cases), out)
        return list(out)[: len(cases)]


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Curve], Hook]:
    made: dict[tuple[str, str], Hook] = {}
    directory = tmp_path_factory.mktemp("lanes")

    def get(kind: str, curve: Curve) -> Hook:
        if (kind, curve.name) not in made:
            source = ROOT / "tests" / "c" / "lanes_hook.c"
            flag = f"-DHOOK_CURVE={8 * curve.length}"
            library = compile_library(directory / f"{kind}-{curve.name}.so", kind, [source], flag)
            made[kind, curve.name] = Hook(library, curve, fast=kind == "native")
        return made[kind, curve.name]

    return get


@pytest.fixture(
    params=[(kind, curve) for curve in vectors.CURVES for kind in KINDS], ids=lambda p: f"{p[1].name}-{p[0]}"
)
def hook(request: pytest.FixtureRequest, hooks: Callable[[str, Curve], Hook]) -> Hook:
    return hooks(*request.param)


# ---- elements ------------------------------------------------------------------------------------------------------------


def settled(hook: Hook, rng: random.Random) -> Limbs:
    """An element with limbs at random or at their ends, its value anywhere below the bound."""
    top = (202 << hook.top_bits) // 100 - 1
    kind = rng.randrange(3)
    if kind == 0:
        low = [rng.randrange(hook.mask + 1) for _ in range(hook.limbs - 1)]
        return [*low, rng.randrange(top + 1)]
    ends = (0, 1, hook.mask - 1, hook.mask)
    low = [rng.choice(ends) for _ in range(hook.limbs - 1)] if kind == 1 else [rng.choice(ends)] * (hook.limbs - 1)
    return [*low, rng.choice((0, 1, top - 1, top, (1 << hook.top_bits) - 1, 1 << hook.top_bits))]


def raw(hook: Hook, rng: random.Random) -> Limbs:
    """Signed limbs up to 2^57, of a value within 2^6 times 2^CURVE_BITS."""
    most = 1 << 57
    ends = (-most, -1, 0, 1, most)
    low = [rng.choice((rng.randint(-most, most), rng.choice(ends))) for _ in range(hook.limbs - 1)]
    top = 63 << hook.top_bits
    return [*low, rng.choice((rng.randint(-top, top), -top, top, 0, -1))]


def pairs_of_limbs(hook: Hook) -> Iterator[Limbs]:
    """Every combination of two limbs at 0, 1, max - 1, max, the others all 0 and all max."""
    top = (202 << hook.top_bits) // 100 - 1
    most = [hook.mask] * (hook.limbs - 1) + [top]
    for i, j in combinations(range(hook.limbs), 2):
        for a, b in product(range(4), repeat=2):
            for others in ([0] * hook.limbs, most):
                limbs = [*others]
                limbs[i] = (0, 1, most[i] - 1, most[i])[a]
                limbs[j] = (0, 1, most[j] - 1, most[j])[b]
                yield limbs


def check_products(hook: Hook, operands: Sequence[Rows], addend: Rows, negate: int) -> None:
    """All products of eight operands a lane, against integers."""
    curve, inverse = hook.curve, hook.inverse
    a, b, c, d = operands
    va, vb, vc, vd, vr = ([hook.value(limbs) for limbs in rows] for rows in (a, b, c, d, addend))
    signs = [-1 if negate >> lane & 1 else 1 for lane in range(LANES)]
    for which, rows, expected in (
        (0, (a, b), [x * y * inverse for x, y in zip(va, vb, strict=True)]),
        (1, (a,), [x * x * inverse for x in va]),
        (2, (a, b, addend), [x * x * inverse + r for x, r in zip(va, vr, strict=True)]),
        (3, (a, b, addend), [s * x * y * inverse + r for s, x, y, r in zip(signs, va, vb, vr, strict=True)]),
        (4, (a, b, c, d), [(x * y - z * w) * inverse for x, y, z, w in zip(va, vb, vc, vd, strict=True)]),
        (5, (a, b, c), [(x * y - 8 * z * z) * inverse for x, y, z in zip(va, vb, vc, strict=True)]),
        (7, (addend,), vr),
    ):
        got = hook.product(which, *rows, negate=negate)
        hook.assert_settled(got)
        for lane, limbs in enumerate(got):
            assert (hook.value(limbs) - expected[lane]) % curve.p == 0, (which, lane)
    got = hook.product(6, a, b)
    order_inverse = pow(hook.r, -1, curve.n)
    hook.assert_settled(got)
    for lane, limbs in enumerate(got):
        assert (hook.value(limbs) - va[lane] * vb[lane] * order_inverse) % curve.n == 0
        assert 10 * hook.value(limbs) < 13 << (8 * curve.length)


def test_constants(hook: Hook) -> None:
    curve, r = hook.curve, hook.r
    expected = [curve.p, 2 * curve.p, curve.n, r * r % curve.p, r * r % curve.n, r % curve.p, curve.b * r % curve.p]
    expected += [curve.g[0] * r % curve.p, curve.g[1] * r % curve.p]
    for which, value in enumerate(expected):
        out = hook.array([[0] * hook.limbs] * LANES)
        hook.lib.hook_constant(which, out)
        assert [hook.value(limbs) for limbs in hook.rows(out)] == [value] * LANES
    hook.lib.hook_bytes.restype = ctypes.POINTER(ctypes.c_uint8)
    for which, value in enumerate((curve.p, curve.n, curve.p - curve.n)):
        assert bytes(hook.lib.hook_bytes(which)[: curve.length]) == curve.wide(value)


def test_products_at_the_ends_of_limbs(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} limbs")
    interesting = list(pairs_of_limbs(hook))
    assert len(interesting) == 32 * len(list(combinations(range(hook.limbs), 2)))
    others = interesting[:]
    rng.shuffle(others)
    for i in range(0, len(interesting), LANES):
        a, b = interesting[i : i + LANES], others[i : i + LANES]
        assert len(a) == LANES
        check_products(hook, (a, b, b, a), [raw(hook, rng) for _ in range(LANES)], rng.randrange(256))


def test_products_at_random(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} products")
    for _ in range(150):
        operands = [[settled(hook, rng) for _ in range(LANES)] for _ in range(4)]
        check_products(hook, operands, [raw(hook, rng) for _ in range(LANES)], rng.randrange(256))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("curve", vectors.CURVES, ids=lambda curve: curve.name)
def test_field_laws(kind: str, curve: Curve, hooks: Callable[[str, Curve], Hook]) -> None:
    hook = hooks(kind, curve)
    elements = st.lists(st.integers(0, 2 * curve.p), min_size=LANES, max_size=LANES)
    one = [hook.montgomery(1)] * LANES
    zero = [[0] * hook.limbs] * LANES

    @settings(max_examples=60, deadline=None)
    @given(elements, elements, elements)
    def laws(a: list[int], b: list[int], c: list[int]) -> None:
        x, y, z = ([hook.split(value) for value in row] for row in (a, b, c))
        assert hook.product(0, x, y) == hook.product(0, y, x)
        left = hook.product(0, hook.product(0, x, y), z)
        right = hook.product(0, x, hook.product(0, y, z))
        sums = [[i + j for i, j in zip(u, v, strict=True)] for u, v in zip(y, z, strict=True)]
        together = hook.product(0, x, hook.product(7, sums))
        apart = hook.product(3, x, y, hook.product(0, x, z))
        for lane in range(LANES):
            assert hook.plain(left[lane]) == hook.plain(right[lane])
            assert hook.plain(together[lane]) == hook.plain(apart[lane])
            assert hook.plain(hook.product(0, x, one)[lane]) == hook.plain(x[lane])
            assert hook.plain(hook.product(2, x, x, zero)[lane]) == hook.plain(hook.product(0, x, x)[lane])

    laws()


def test_zero_in_every_spelling(hook: Hook) -> None:
    p = hook.curve.p
    zeros = [hook.split(value) for value in (0, p, 2 * p)]
    others = [hook.split(value) for value in (1, p - 1, p + 1, 2 * p - 1, 2 * p + 1)]
    others += [[1 << 51 if i == j else 0 for i in range(hook.limbs)] for j in range(hook.limbs - 1)]
    for lane in range(LANES):
        for zero, other in product(zeros, others):
            rows = [other] * LANES
            rows[lane] = zero
            assert hook.lib.hook_zero_lanes(hook.array(rows)) == 1 << lane


@pytest.mark.skipif(not NATIVE, reason="this CPU has no AVX-512 IFMA")
@pytest.mark.parametrize("curve", vectors.CURVES, ids=lambda curve: curve.name)
def test_native_and_emulated_agree_limb_for_limb(curve: Curve, hooks: Callable[[str, Curve], Hook]) -> None:
    native, emulated = hooks("native", curve), hooks("emulated", curve)
    assert list(native.generator) == list(emulated.generator)
    rng = random.Random(f"{curve.name} native and emulated")
    for _ in range(200):
        operands = [[settled(native, rng) for _ in range(LANES)] for _ in range(4)]
        operands[2] = [rng.choice((raw(native, rng), limbs)) for limbs in operands[2]]
        negate = rng.randrange(256)
        for which in (0, 1, 2, 3, 6):
            assert native.product(which, *operands, negate=negate) == emulated.product(which, *operands, negate=negate)
        rows = operands[2]
        assert native.product(7, rows) == emulated.product(7, rows)
        operands[2] = operands[3][1:] + operands[3][:1]
        for which in (4, 5):
            assert native.product(which, *operands) == emulated.product(which, *operands)
    for _ in range(4):
        scalars = [[native.split(rng.randrange(curve.n)) for _ in range(LANES)] for _ in range(2)]
        keys = [curve.of_generator(rng.randrange(1, curve.n)) for _ in range(LANES)]
        x = [native.montgomery(key[0]) for key in keys if key is not None]
        y = [native.montgomery(key[1]) for key in keys if key is not None]
        sums = []
        for hook in (native, emulated):
            out = hook.points([([0] * hook.limbs,) * 3] * LANES)
            assert hook.lib.hook_sum(*map(hook.array, (*scalars, x, y)), out) == 255
            sums.append(list(out))
        assert sums[0] == sums[1]


# ---- points --------------------------------------------------------------------------------------------------------------


def some_points(curve: Curve, rng: random.Random, count: int) -> list[tuple[int, int]]:
    points = [curve.of_generator(rng.choice((rng.randrange(1, curve.n), rng.randrange(1, 9)))) for _ in range(count)]
    return [point for point in points if point is not None]


def test_doubling(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} doubling")
    for _ in range(20):
        points = some_points(hook.curve, rng, LANES)
        array = hook.points([hook.jacobian(rng, point) for point in points])
        hook.lib.hook_double(array)
        triples = hook.triples(array)
        for point, got in zip(points, triples, strict=True):
            hook.assert_settled(list(got))
            assert hook.affine(got) == hook.curve.add(point, point)


@pytest.mark.parametrize("affine", [0, 1])
def test_addition(hook: Hook, affine: int) -> None:
    """The right sum, or z = 0 where the points are equal, opposite or not there; whatever the other lanes hold."""
    curve = hook.curve
    rng = random.Random(f"{curve.name} addition {affine}")
    for _ in range(30):
        left, right = some_points(curve, rng, LANES), some_points(curve, rng, LANES)
        negate = rng.randrange(256)
        meets = [rng.randrange(4) for _ in range(LANES)]  # 1: equal, 2: opposite, 3: z = 0
        for lane in range(LANES):
            x, y = left[lane]
            if meets[lane] in (1, 2):
                right[lane] = (x, y if (meets[lane] == 1) != bool(negate >> lane & 1) else curve.p - y)
        p = [hook.jacobian(rng, point) for point in left]
        q = [hook.jacobian(rng, point) for point in right]
        if affine:
            q = [(hook.montgomery(x), hook.montgomery(y), [0] * hook.limbs) for x, y in right]
        for lane in range(LANES):
            if meets[lane] == 3:
                p[lane] = (p[lane][0], p[lane][1], hook.split(rng.choice((0, curve.p, 2 * curve.p))))
        array = hook.points(p)
        hook.lib.hook_add(array, hook.points(q), affine, ctypes.c_uint32(negate))
        for lane, got in enumerate(hook.triples(array)):
            hook.assert_settled(list(got))
            x, y = right[lane]
            expected = curve.add(left[lane], (x, curve.p - y) if negate >> lane & 1 else (x, y))
            if meets[lane] != 0 or left[lane][0] == x:
                expected = None
            assert hook.affine(got) == expected


def test_zero_stays_zero(hook: Hook) -> None:
    """A sum that met an exception is never mistaken for a point again."""
    rng = random.Random(f"{hook.curve.name} zero")
    for zero in (0, hook.curve.p, 2 * hook.curve.p):
        rows = [(settled(hook, rng), settled(hook, rng), hook.split(zero)) for _ in range(LANES)]
        array = hook.points(rows)
        others = hook.points([hook.jacobian(rng, point) for point in some_points(hook.curve, rng, LANES)])
        for step in range(6):
            if step % 3 == 0:
                hook.lib.hook_double(array)
            else:
                hook.lib.hook_add(array, others, step % 3 - 1, ctypes.c_uint32(0x5A))
            assert [hook.affine(got) for got in hook.triples(array)] == [None] * LANES


def test_generator_table(hook: Hook) -> None:
    for k in range(hook.lib.hook_generator_entries()):
        start = 2 * hook.limbs * k
        x, y = hook.generator[start : start + hook.limbs], hook.generator[start + hook.limbs : start + 2 * hook.limbs]
        assert (hook.plain(x), hook.plain(y)) == hook.curve.of_generator(k + 1)


def test_keys_on_and_off_the_curve(hook: Hook) -> None:
    curve = hook.curve
    rng = random.Random(f"{curve.name} keys")
    for good in (0, 1, 0x80, 0xA5, 0xFF, *(rng.randrange(256) for _ in range(20))):
        points = some_points(curve, rng, LANES)
        for lane in range(LANES):
            if not good >> lane & 1:
                x, y = points[lane]
                points[lane] = rng.choice([(x, y ^ 1), (x ^ 1, y), (y, x), (0, 0), (x, 2 * y % curve.p)])
        x_rows, y_rows = ([hook.montgomery(point[part]) for point in points] for part in range(2))
        assert hook.lib.hook_on_curve_lanes(hook.array(x_rows), hook.array(y_rows)) == good


@pytest.mark.parametrize("width", [5, 9])
def test_digits(hook: Hook, width: int) -> None:
    curve, half = hook.curve, 1 << (width - 1)
    count = hook.lib.hook_digit_count(width)
    limit = (1 << (8 * curve.length)) + (1 << (8 * curve.length - 20)) if curve is vectors.P384 else 13 * 2**256 // 10
    ends = [1 << (8 * curve.length), curve.n, limit - 1, *vectors.special_scalars(curve)]
    ends += [sum(half << (width * i) for i in range(8 * curve.length // width)) + delta for delta in (-1, 0, 1)]

    @settings(max_examples=400, deadline=None)
    @given(st.one_of(st.sampled_from(ends), st.integers(0, limit - 1)))
    def digits(value: int) -> None:
        out = (ctypes.c_int16 * count)()
        hook.lib.hook_recode((ctypes.c_uint64 * hook.limbs)(*hook.split(value)), width, out)
        assert sum(digit << (width * i) for i, digit in enumerate(out)) == value
        assert all(-half <= digit <= half for digit in out)

    digits()


def test_sums_of_two_products(hook: Hook) -> None:
    """u1 G + u2 Q in each lane; sums that meet an exception say so, and no others."""
    curve, n = hook.curve, hook.curve.n
    rng = random.Random(f"{curve.name} sums")
    scalars = vectors.special_scalars(curve)
    for turn in range(12):
        d = [rng.choice((rng.randrange(1, n), rng.randrange(1, 20), n - rng.randrange(1, 20))) for _ in range(LANES)]
        u1 = [rng.choice((rng.randrange(n), rng.choice(scalars), 0, n, n + 1)) for _ in range(LANES)]
        u2 = [rng.choice((rng.randrange(1, n), rng.choice(scalars), 1)) for _ in range(LANES)]
        if turn % 3 == 0:
            u1[turn % LANES] = -u2[turn % LANES] * d[turn % LANES] % n
        keys = [curve.of_generator(value) for value in d]
        x = [hook.montgomery(key[0]) for key in keys if key is not None]
        y = [hook.montgomery(key[1]) for key in keys if key is not None]
        out = hook.points([([0] * hook.limbs,) * 3] * LANES)
        rows = ([hook.split(value) for value in row] for row in (u1, u2))
        known = hook.lib.hook_sum(*map(hook.array, (*rows, x, y)), out)
        for lane, got in enumerate(hook.triples(out)):
            expected = curve.of_generator(u1[lane] + u2[lane] * d[lane])
            assert bool(known >> lane & 1) == (hook.affine(got) is not None)
            if known >> lane & 1:
                assert hook.affine(got) == expected
            else:  # only where something small, or infinity, is met
                assert expected is None or d[lane] < 20 or n - d[lane] < 20 or u1[lane] == n


# ---- jobs ----------------------------------------------------------------------------------------------------------------


def good_case(curve: Curve, rng: random.Random) -> Case:
    return curve.from_scalars("good", rng.randrange(1, curve.n), rng.randrange(1, curve.n), rng.randrange(1, curve.n))


def spoilt(case: Case, how: int, curve: Curve) -> Case:
    """One of the ways in which a job fails: before it gets a lane, by its key, or at the end."""
    length, sig = curve.length, case.sig
    return [
        replace(case, valid=False, sig=bytes(length) + sig[length:]),
        replace(case, valid=False, key=case.key[:-1] + bytes([case.key[-1] ^ 1])),
        replace(case, valid=False, digest=bytes([case.digest[0] ^ 0x80]) + case.digest[1:]),
        replace(case, valid=False, sig=sig[:length] + bytes(length)),
        replace(case, valid=False, sig=sig[:length] + curve.wide(curve.n)),
        replace(case, valid=False, key=bytes(2 * length)),
    ][how % 6]


def outcomes(cases: Sequence[Case]) -> list[int]:
    return [1 if case.valid else 2 for case in cases]


def test_every_subset_of_bad_lanes(hook: Hook) -> None:
    """2^8 subsets, in eight lanes: a bad job changes its own outcome alone."""
    rng = random.Random(f"{hook.curve.name} subsets")
    good = [good_case(hook.curve, rng) for _ in range(LANES)]
    for subset in range(256):
        cases = [
            spoilt(case, subset + lane * 5, hook.curve) if subset >> lane & 1 else case
            for lane, case in enumerate(good)
        ]
        assert hook.verify(cases) == outcomes(cases), subset


def test_every_fill(hook: Hook) -> None:
    """Groups begin and end where no row count says so; lanes without a job change nothing."""
    rng = random.Random(f"{hook.curve.name} fills")
    pool = [good_case(hook.curve, rng) for _ in range(12)]
    pool += [spoilt(pool[i], i, hook.curve) for i in range(12)]
    for n in [*range(18), 63, 64]:
        cases = [rng.choice(pool) for _ in range(n)]
        assert hook.verify(cases) == outcomes(cases), n


def test_exceptions_in_every_lane(hook: Hook) -> None:
    """Sums that meet themselves, their opposite or infinity are handed to portable, from whatever lane, and no other job is."""
    curve = hook.curve
    rng = random.Random(f"{curve.name} exceptions")
    good = [good_case(curve, rng) for _ in range(LANES)]
    found = 0
    for i, meeting in enumerate(list(vectors.meeting_cases(curve))[:: 1 if hook.fast else 4]):
        for lane in range(LANES) if i % 40 == 0 else [i % LANES]:
            cases = [*good]
            cases[lane] = meeting
            got = hook.verify(cases)
            found += got[lane] == HANDED_OVER
            if got[lane] == HANDED_OVER:
                got[lane] = 1 if meeting.valid else 2
            assert got == outcomes(cases), (meeting.name, lane)
    assert found >= (20 if hook.fast else 5)  # Q = +-G alone meets something in each of its families
    two = next(curve.from_scalars("Q = G", 1, 1, 1) for _ in range(1))
    assert hook.verify([two] * LANES) == [HANDED_OVER] * LANES


# ---- the whole engine ----------------------------------------------------------------------------------------------------


class Job(ctypes.Structure):
    """att_sig_job of csrc/attest.h."""

    _fields_ = [
        ("algorithm", ctypes.c_uint8), ("outcome", ctypes.c_uint8), ("key_len", ctypes.c_uint16),
        ("sig_len", ctypes.c_uint16), ("digest_len", ctypes.c_uint16), ("exponent", ctypes.c_uint32),
        ("tag", ctypes.c_uint32), ("key", ctypes.c_char_p), ("sig", ctypes.c_char_p), ("digest", ctypes.c_uint8 * 48),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def emulated_core(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole core with engine ifma8 emulated, self-tests passed."""
    out = tmp_path_factory.mktemp("core") / "emulated.so"
    core = compile_library(out, "emulated", sorted(CSRC.glob("*.c")), '-DATT_VERSION="test"')
    core.att_engine_name.restype = ctypes.c_char_p
    assert core.att_init() == 0
    assert core.att_engine_name(0) == b"ifma8"
    assert core.att_engine_lanes(0) == LANES
    assert core.att_engine_usable(0) == 1
    return core


def run_emulated(core: ctypes.CDLL, cases: Sequence[Case]) -> list[bool]:
    jobs = (Job * len(cases))()
    for job, case in zip(jobs, cases, strict=True):
        job.algorithm, job.exponent, job.key, job.sig = case.algorithm, case.exponent, case.key, case.sig
        job.key_len, job.sig_len, job.digest_len = len(case.key), len(case.sig), len(case.digest)
        ctypes.memmove(job.digest, case.digest, len(case.digest))
    assert core.att_sig_run(0, jobs, ctypes.c_uint64(len(cases))) == 0
    assert {job.outcome for job in jobs} <= {1, 2}
    return [job.outcome == 1 for job in jobs]


def wrong(cases: Sequence[Case], got: Sequence[bool]) -> list[str]:
    return [f"{case.name}: {not case.valid}" for case, valid in zip(cases, got, strict=True) if valid != case.valid]


@pytest.mark.slow
def test_edges_emulated(emulated_core: ctypes.CDLL) -> None:
    cases = [*vectors.edge_cases(), *vectors.length_cases()]
    random.Random(11).shuffle(cases)
    assert len(cases) > 1500
    assert wrong(cases, run_emulated(emulated_core, cases)) == []


@pytest.mark.slow
@pytest.mark.skipif(not vectors.WYCHEPROOF.is_dir(), reason="shared/vectors/wycheproof is not here")
@pytest.mark.parametrize(("curve", "name"), vectors.ECDSA_FILES)
def test_wycheproof_emulated(emulated_core: ctypes.CDLL, curve: Curve, name: str) -> None:
    cases = vectors.wycheproof_ecdsa(curve, name).cases
    assert sum(case.valid for case in cases) > 150
    assert wrong(cases, run_emulated(emulated_core, cases)) == []


def test_emulated_engine_agrees_with_the_best(emulated_core: ctypes.CDLL) -> None:
    cases = [case for curve in vectors.CURVES for case in vectors.random_cases(curve, 60)]
    random.Random(5).shuffle(cases)
    assert wrong(cases, run_emulated(emulated_core, cases)) == []


@pytest.mark.skipif(not NATIVE, reason="this CPU has no AVX-512 IFMA")
def test_the_engine_is_used_where_the_cpu_has_it() -> None:
    assert signatures.engines()[0] == "ifma8"
