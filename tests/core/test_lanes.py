# SPDX-License-Identifier: Apache-2.0
"""The engines that verify several signatures at once, function by function and as a whole, against integers of Python.

tests/c/lanes_hook.c makes the static functions of one curve callable. They are built twice: with vector instructions, where the CPU
has them, and with the same operations in plain C, so that the algorithms are tested everywhere. Both must agree limb for limb.
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
LANES: Final = {"ifma8": 8, "avx2x4": 4}
NEEDS: Final = {"ifma8": {"avx512f", "avx512ifma"}, "avx2x4": {"avx2"}}
ANY_KEY, KNOWN_KEY, ALONE = range(3)  # ways to verify jobs, of lanes_hook.c
EACH_WAY = pytest.mark.parametrize("how", [ANY_KEY, KNOWN_KEY, ALONE], ids=["any key", "known key", "alone"])
HANDED_OVER: Final = 77  # the mark of the engine that lanes_hook.c puts in portable's place
KINDS: Final = ("native", "emulated")
FEATURES: Final = set(engines.cpu_features().split())
BUILDS: Final = [(engine, kind, curve) for engine in LANES for curve in vectors.CURVES for kind in KINDS]
EACH_ENGINE = pytest.mark.parametrize("engine", LANES)
EACH_CURVE = pytest.mark.parametrize("curve", vectors.CURVES, ids=lambda curve: curve.name)

Limbs = list[int]
Rows = list[Limbs]  # a row a lane


def compile_library(out: Path, kind: str, sources: Sequence[Path], *flags: str) -> ctypes.CDLL:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc)")
    emulated = ["-DATT_LANES_EMULATED"] if kind == "emulated" else []
    flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{CSRC}", *emulated, *flags)
    subprocess.run([compiler, *flags, *map(str, sources), "-o", str(out)], check=True)
    return ctypes.CDLL(str(out))


class Hook:
    """One curve in one engine, with limbs of 52 bits; see Hook28 for the others."""

    def __init__(self, library: ctypes.CDLL, curve: Curve, lanes: int, *, fast: bool) -> None:
        self.lib = library
        self.fast = fast  # a hundred times as fast as emulated
        self.curve = curve
        self.lanes = lanes
        self.every = (1 << lanes) - 1
        self.limbs: int = library.hook_limbs()
        self.bits: int = library.hook_limb_bits()
        self.top_bits = 8 * curve.length - self.bits * (self.limbs - 1)
        self.r = 1 << (self.bits * self.limbs)
        self.inverse = pow(self.r, -1, curve.p)
        self.mask = (1 << self.bits) - 1
        assert library.hook_lanes() == lanes
        self.shapes = [tuple(library.hook_comb_shape(which, what) for what in range(3)) for which in range(2)]
        teeth, tables, _ = self.shapes[1]
        self.generator = (ctypes.c_uint64 * (2 * self.limbs * (tables << (teeth - 1))))()
        library.hook_generator_comb(self.generator)

    # limbs

    def split(self, value: int) -> Limbs:
        """Limbs from 0 up; what is above them goes to the last, sign and all."""
        low = [value >> (self.bits * i) & self.mask for i in range(self.limbs - 1)]
        return [*low, value >> (self.bits * (self.limbs - 1))]

    def value(self, limbs: Sequence[int]) -> int:
        """Negative limbs cross as 64 bits."""
        signed = (limb - 2**64 if limb >= 2**63 else limb for limb in limbs)
        return sum(limb << (self.bits * i) for i, limb in enumerate(signed))

    def plain(self, limbs: Sequence[int]) -> int:
        """What an element in Montgomery form stands for."""
        return self.value(limbs) * self.inverse % self.curve.p

    def montgomery(self, value: int) -> Limbs:
        return self.split(value * self.r % self.curve.p)

    # what operands and results are like: csrc/lanes_field52.h

    @property
    def top(self) -> int:
        return (202 << self.top_bits) // 100 - 1

    def operand(self, rng: random.Random, width: float = 1) -> Limbs:
        """An element with limbs at random or at their ends, its value anywhere within the bound."""
        kind = rng.randrange(3)
        if kind == 0:
            low = [rng.randrange(self.mask + 1) for _ in range(self.limbs - 1)]
            return [*low, rng.randrange(self.top + 1)]
        ends = (0, 1, self.mask - 1, self.mask)
        low = [rng.choice(ends) for _ in range(self.limbs - 1)] if kind == 1 else [rng.choice(ends)] * (self.limbs - 1)
        return [*low, rng.choice((0, 1, self.top - 1, self.top, (1 << self.top_bits) - 1, 1 << self.top_bits))]

    def raw(self, rng: random.Random) -> Limbs:
        """Signed limbs up to 2^57, of a value within 2^6 times 2^CURVE_BITS."""
        most = 1 << 57
        ends = (-most, -1, 0, 1, most)
        low = [rng.choice((rng.randint(-most, most), rng.choice(ends))) for _ in range(self.limbs - 1)]
        top = 63 << self.top_bits
        return [*low, rng.choice((rng.randint(-top, top), -top, top, 0, -1))]

    def ends(self) -> list[tuple[int, int, int, int]]:
        """0, 1, max - 1, max of each limb."""
        return [(0, 1, most - 1, most) for most in [self.mask] * (self.limbs - 1) + [self.top]]

    def assert_result(self, rows: Rows) -> None:
        for limbs in rows:
            assert all(0 <= limb <= self.mask for limb in limbs)
            assert 100 * self.value(limbs) < 202 << (8 * self.curve.length)

    def assert_scalar(self, rows: Rows) -> None:
        for limbs in rows:
            assert all(0 <= limb <= self.mask for limb in limbs)
            assert 10 * self.value(limbs) < 13 << (8 * self.curve.length)

    def scalar(self, rng: random.Random) -> Limbs:
        return self.operand(rng)

    def zeros(self) -> list[Limbs]:
        return [self.split(value) for value in (0, self.curve.p, 2 * self.curve.p)]

    # calls

    def array(self, rows: Rows) -> ctypes.Array[ctypes.c_uint64]:
        flat = [limb & 2**64 - 1 for limbs in rows for limb in limbs]
        return (ctypes.c_uint64 * len(flat))(*flat)

    def rows(self, array: ctypes.Array[ctypes.c_uint64], start: int = 0) -> Rows:
        return [list(array[i : i + self.limbs]) for i in range(start, start + self.lanes * self.limbs, self.limbs)]

    def product(self, which: int, *operands: Rows, negate: int = 0) -> Rows:
        out = self.array([[0] * self.limbs] * self.lanes)
        filled = [*operands, *[operands[0]] * (4 - len(operands))]
        self.lib.hook_product(which, *map(self.array, filled), ctypes.c_uint32(negate), out)
        return self.rows(out)

    def points(self, rows: Sequence[tuple[Limbs, Limbs, Limbs]]) -> ctypes.Array[ctypes.c_uint64]:
        return self.array([row[part] for part in range(3) for row in rows])

    def triples(self, array: ctypes.Array[ctypes.c_uint64]) -> list[tuple[Limbs, Limbs, Limbs]]:
        x, y, z = (self.rows(array, part * self.lanes * self.limbs) for part in range(3))
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

    def verify(self, cases: Sequence[Case], how: int = ANY_KEY) -> list[int]:
        columns = b"".join(case.key + case.digest + case.sig for case in cases)
        out = (ctypes.c_uint8 * max(len(cases), 1))()
        self.lib.hook_verify(columns, len(cases), how, out)
        return list(out)[: len(cases)]

    def multiple_of_entry(self, which: int, number: int) -> int:
        """What entry number of a comb is a multiple by: csrc/comb.h, read anew."""
        teeth, tables, chain = self.shapes[which]
        m, e = divmod(number, 1 << (teeth - 1))
        signs = [1 if e >> k & 1 else -1 for k in range(teeth - 1)] + [1]
        return sum(sign << (k * tables + m) * chain for k, sign in enumerate(signs)) % self.curve.n

    def assert_entries(self, which: int, limbs: Sequence[int], of: int) -> None:
        """Each entry of a comb of the point `of` times G, by integers; and coordinates are small."""
        count = len(limbs) // (2 * self.limbs)
        assert count == self.shapes[which][1] << (self.shapes[which][0] - 1)
        for number in range(count):
            at = 2 * self.limbs * number
            x, y = limbs[at : at + self.limbs], limbs[at + self.limbs : at + 2 * self.limbs]
            assert (self.plain(x), self.plain(y)) == self.curve.of_generator(of * self.multiple_of_entry(which, number))
            self.assert_result([list(x), list(y)])
            assert abs(self.value(x)) < 3 * self.curve.p
            assert abs(self.value(y)) < 3 * self.curve.p


class Hook28(Hook):
    """The same with limbs of 28 bits: csrc/lanes_field28.h, whose operands may be sums, and whose results are balanced."""

    @property
    def top(self) -> int:
        return 20 << self.top_bits

    def operand(self, rng: random.Random, width: float = 0.5) -> Limbs:
        most = int(width * 2**28)
        top = int(self.top * width)
        kind = rng.randrange(3)
        if kind == 0:
            return [*(rng.randint(-most, most) for _ in range(self.limbs - 1)), rng.randint(-top, top)]
        ends = (-most, 1 - most, -1, 0, 1, most - 1, most)
        low = [rng.choice(ends) for _ in range(self.limbs - 1)] if kind == 1 else [rng.choice(ends)] * (self.limbs - 1)
        return [*low, rng.choice((-top, -1, 0, 1, top))]

    def raw(self, rng: random.Random) -> Limbs:
        return self.operand(rng, 8)

    def ends(self) -> list[tuple[int, int, int, int]]:
        return [(0, 1, most - 1, most) for most in [2**27] * (self.limbs - 1) + [self.top]]

    def assert_result(self, rows: Rows) -> None:
        for limbs in rows:
            assert all(limb < 2**27 or limb >= 2**64 - 2**27 for limb in limbs[:-1])
            assert abs(self.value(limbs)) < 1000 * self.curve.p

    def assert_scalar(self, rows: Rows) -> None:
        for limbs in rows:
            assert all(0 <= limb <= self.mask for limb in limbs)
            assert 200 * self.value(limbs) < 202 << (8 * self.curve.length)

    def scalar(self, rng: random.Random) -> Limbs:
        limit = 1 << (8 * self.curve.length)
        limit += limit >> 7
        return self.split(rng.choice((rng.randrange(limit), 0, 1, limit - 1, self.curve.n, self.curve.n - 1)))

    def zeros(self) -> list[Limbs]:
        return [self.split(k * self.curve.p) for k in range(-20, 21)]


Get = Callable[[str, str, Curve], Hook]


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Get:
    made: dict[tuple[str, str, str], Hook] = {}
    directory = tmp_path_factory.mktemp("lanes")

    def get(engine: str, kind: str, curve: Curve) -> Hook:
        if kind == "native" and not NEEDS[engine] <= FEATURES:
            pytest.skip(f"this CPU has no {' '.join(sorted(NEEDS[engine] - FEATURES))}")
        if (engine, kind, curve.name) not in made:
            source = ROOT / "tests" / "c" / "lanes_hook.c"
            flag = f'-DHOOK_SOURCE="lanes_p{8 * curve.length}_{engine}.c"'
            others = [CSRC / name for name in ("ec_p256.c", "ec_p384.c", "key_runs.c", "key_tables.c", "rows.c")]
            library = compile_library(directory / f"{engine}-{kind}-{curve.name}.so", kind, [source, *others], flag)
            make = Hook if engine == "ifma8" else Hook28
            made[engine, kind, curve.name] = make(library, curve, LANES[engine], fast=kind == "native")
        return made[engine, kind, curve.name]

    return get


@pytest.fixture(params=BUILDS, ids=lambda p: f"{p[0]}-{p[2].name}-{p[1]}")
def hook(request: pytest.FixtureRequest, hooks: Get) -> Hook:
    return hooks(*request.param)


# ---- elements ------------------------------------------------------------------------------------------------------------


def pairs_of_limbs(hook: Hook) -> Iterator[Limbs]:
    """Every combination of two limbs at 0, 1, max - 1, max, the others all 0 and all max."""
    ends = hook.ends()
    for i, j in combinations(range(hook.limbs), 2):
        for a, b in product(range(4), repeat=2):
            for others in (0, 3):
                limbs = [end[others] for end in ends]
                limbs[i], limbs[j] = ends[i][a], ends[j][b]
                yield limbs


def check_products(hook: Hook, operands: Sequence[Rows], addend: Rows, negate: int) -> None:
    """All products, in every lane, against integers."""
    curve, inverse = hook.curve, hook.inverse
    a, b, c, d = operands
    va, vb, vc, vd, vr = ([hook.value(limbs) for limbs in rows] for rows in (a, b, c, d, addend))
    signs = [-1 if negate >> lane & 1 else 1 for lane in range(hook.lanes)]
    for which, rows, expected in (
        (0, (a, b), [x * y * inverse for x, y in zip(va, vb, strict=True)]),
        (1, (a,), [x * x * inverse for x in va]),
        (2, (a, b, addend), [x * x * inverse + r for x, r in zip(va, vr, strict=True)]),
        (3, (a, b, addend), [s * x * y * inverse + r for s, x, y, r in zip(signs, va, vb, vr, strict=True)]),
        (4, (a, b, c, d), [(x * y - z * w) * inverse for x, y, z, w in zip(va, vb, vc, vd, strict=True)]),
        (5, (a, b, c), [(x * y - 8 * z * z) * inverse for x, y, z in zip(va, vb, vc, strict=True)]),
    ):
        got = hook.product(which, *rows, negate=negate)
        hook.assert_result(got)
        for lane, limbs in enumerate(got):
            assert (hook.value(limbs) - expected[lane]) % curve.p == 0, (which, lane)
    for lane, limbs in enumerate(hook.product(7, addend)):
        assert (hook.value(limbs) - vr[lane]) % curve.p == 0


def check_scalar_products(hook: Hook, a: Rows, b: Rows) -> None:
    got = hook.product(6, a, b)
    inverse = pow(hook.r, -1, hook.curve.n)
    hook.assert_scalar(got)
    for lane, limbs in enumerate(got):
        assert (hook.value(limbs) - hook.value(a[lane]) * hook.value(b[lane]) * inverse) % hook.curve.n == 0


def test_constants(hook: Hook) -> None:
    curve, r = hook.curve, hook.r
    expected = [curve.p, curve.n, r * r % curve.p, r * r % curve.n, r % curve.p, curve.b * r % curve.p]
    expected += [curve.g[0] * r % curve.p, curve.g[1] * r % curve.p]
    for which, value in enumerate(expected):
        out = hook.array([[0] * hook.limbs] * hook.lanes)
        hook.lib.hook_constant(which, out)
        assert [hook.value(limbs) for limbs in hook.rows(out)] == [value] * hook.lanes
    hook.lib.hook_bytes.restype = ctypes.POINTER(ctypes.c_uint8)
    for which, value in enumerate((curve.p, curve.n, curve.p - curve.n)):
        assert bytes(hook.lib.hook_bytes(which)[: curve.length]) == curve.wide(value)


def test_products_at_the_ends_of_limbs(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} limbs")
    interesting = list(pairs_of_limbs(hook))
    assert len(interesting) == 32 * len(list(combinations(range(hook.limbs), 2)))
    others = interesting[:]
    rng.shuffle(others)
    for i in range(0, len(interesting), hook.lanes):
        a, b = interesting[i : i + hook.lanes], others[i : i + hook.lanes]
        assert len(a) == hook.lanes
        check_products(hook, (a, b, b, a), [hook.raw(rng) for _ in range(hook.lanes)], rng.randrange(hook.every + 1))


def test_products_at_random(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} products")
    for _ in range(150):
        operands = [[hook.operand(rng) for _ in range(hook.lanes)] for _ in range(4)]
        operands[1] = [hook.operand(rng, 2.5) for _ in range(hook.lanes)]
        check_products(hook, operands, [hook.raw(rng) for _ in range(hook.lanes)], rng.randrange(hook.every + 1))
        check_scalar_products(hook, *([hook.scalar(rng) for _ in range(hook.lanes)] for _ in range(2)))


def test_products_of_sums(hook: Hook) -> None:
    """The widest operands that the formulas of points give to a product and to a square, where sums are operands."""
    rng = random.Random(f"{hook.curve.name} wide")
    for _ in range(150):
        a, b, c = ([hook.operand(rng, width) for _ in range(hook.lanes)] for width in (4.5, 1.5, 2))
        for got, x, y in ((hook.product(0, a, b), a, b), (hook.product(1, c), c, c)):
            hook.assert_result(got)
            for lane, limbs in enumerate(got):
                expected = hook.value(x[lane]) * hook.value(y[lane]) * hook.inverse
                assert (hook.value(limbs) - expected) % hook.curve.p == 0


def test_field_laws(hook: Hook) -> None:
    curve = hook.curve
    elements = st.lists(st.integers(0, 2 * curve.p), min_size=hook.lanes, max_size=hook.lanes)
    one = [hook.montgomery(1)] * hook.lanes
    zero = [[0] * hook.limbs] * hook.lanes

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
        for lane in range(hook.lanes):
            assert hook.plain(left[lane]) == hook.plain(right[lane])
            assert hook.plain(together[lane]) == hook.plain(apart[lane])
            assert hook.plain(hook.product(0, x, one)[lane]) == hook.plain(x[lane])
            assert hook.plain(hook.product(2, x, x, zero)[lane]) == hook.plain(hook.product(0, x, x)[lane])

    laws()


def test_zero_in_every_spelling(hook: Hook) -> None:
    p = hook.curve.p
    zeros = hook.zeros()
    others = [hook.split(value) for value in (1, p - 1, p + 1, 2 * p - 1, 2 * p + 1)]
    others += [[1 << (hook.bits - 1) if i == j else 0 for i in range(hook.limbs)] for j in range(hook.limbs - 1)]
    for lane in range(hook.lanes):
        for zero, other in product(zeros, others):
            rows = [other] * hook.lanes
            rows[lane] = zero
            assert hook.lib.hook_zero_lanes(hook.array(rows)) == 1 << lane


@EACH_ENGINE
@EACH_CURVE
def test_native_and_emulated_agree_limb_for_limb(engine: str, curve: Curve, hooks: Get) -> None:
    native, emulated = hooks(engine, "native", curve), hooks(engine, "emulated", curve)
    lanes = native.lanes
    assert list(native.generator) == list(emulated.generator)
    rng = random.Random(f"{curve.name} native and emulated")
    for _ in range(200):
        operands = [[native.operand(rng) for _ in range(lanes)] for _ in range(4)]
        operands[2] = [rng.choice((native.raw(rng), limbs)) for limbs in operands[2]]
        negate = rng.randrange(16)
        for which in (0, 1, 2, 3, 6):
            assert native.product(which, *operands, negate=negate) == emulated.product(which, *operands, negate=negate)
        rows = operands[2]
        assert native.product(7, rows) == emulated.product(7, rows)
        operands[2] = operands[3][1:] + operands[3][:1]
        for which in (4, 5):
            assert native.product(which, *operands) == emulated.product(which, *operands)
    for _ in range(4):
        scalars = [[native.split(rng.randrange(curve.n)) for _ in range(lanes)] for _ in range(2)]
        keys = [curve.of_generator(rng.randrange(1, curve.n)) for _ in range(lanes)]
        x = [native.montgomery(key[0]) for key in keys if key is not None]
        y = [native.montgomery(key[1]) for key in keys if key is not None]
        sums = []
        for hook in (native, emulated):
            out = hook.points([([0] * hook.limbs,) * 3] * lanes)
            assert hook.lib.hook_sum(*map(hook.array, (*scalars, x, y)), out) == native.every
            sums.append(list(out))
        assert sums[0] == sums[1]


# ---- points --------------------------------------------------------------------------------------------------------------


def some_points(curve: Curve, rng: random.Random, count: int) -> list[tuple[int, int]]:
    points = [curve.of_generator(rng.choice((rng.randrange(1, curve.n), rng.randrange(1, 9)))) for _ in range(count)]
    return [point for point in points if point is not None]


def test_doubling(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} doubling")
    for _ in range(20):
        points = some_points(hook.curve, rng, hook.lanes)
        array = hook.points([hook.jacobian(rng, point) for point in points])
        hook.lib.hook_double(array)
        triples = hook.triples(array)
        for point, got in zip(points, triples, strict=True):
            hook.assert_result(list(got))
            assert hook.affine(got) == hook.curve.add(point, point)


@pytest.mark.parametrize("affine", [0, 1])
def test_addition(hook: Hook, affine: int) -> None:
    """The right sum, or z = 0 where the points are equal, opposite or not there; whatever the other lanes hold."""
    curve = hook.curve
    rng = random.Random(f"{curve.name} addition {affine}")
    for _ in range(30):
        left, right = some_points(curve, rng, hook.lanes), some_points(curve, rng, hook.lanes)
        negate = rng.randrange(16)
        meets = [rng.randrange(4) for _ in range(hook.lanes)]  # 1: equal, 2: opposite, 3: z = 0
        for lane in range(hook.lanes):
            x, y = left[lane]
            if meets[lane] in (1, 2):
                right[lane] = (x, y if (meets[lane] == 1) != bool(negate >> lane & 1) else curve.p - y)
        p = [hook.jacobian(rng, point) for point in left]
        q = [hook.jacobian(rng, point) for point in right]
        if affine:
            q = [(hook.montgomery(x), hook.montgomery(y), [0] * hook.limbs) for x, y in right]
        for lane in range(hook.lanes):
            if meets[lane] == 3:
                p[lane] = (p[lane][0], p[lane][1], hook.split(rng.choice((0, curve.p, 2 * curve.p))))
        array = hook.points(p)
        hook.lib.hook_add(array, hook.points(q), affine, ctypes.c_uint32(negate))
        for lane, got in enumerate(hook.triples(array)):
            hook.assert_result(list(got))
            x, y = right[lane]
            expected = curve.add(left[lane], (x, curve.p - y) if negate >> lane & 1 else (x, y))
            if meets[lane] != 0 or left[lane][0] == x:
                expected = None
            assert hook.affine(got) == expected


def test_zero_stays_zero(hook: Hook) -> None:
    """A sum that met an exception is never mistaken for a point again."""
    rng = random.Random(f"{hook.curve.name} zero")
    for zero in (0, hook.curve.p, 2 * hook.curve.p):
        rows = [(hook.operand(rng), hook.operand(rng), hook.split(zero)) for _ in range(hook.lanes)]
        array = hook.points(rows)
        others = hook.points([hook.jacobian(rng, point) for point in some_points(hook.curve, rng, hook.lanes)])
        for step in range(6):
            if step % 3 == 0:
                hook.lib.hook_double(array)
            else:
                hook.lib.hook_add(array, others, step % 3 - 1, ctypes.c_uint32(0x5A))
            assert [hook.affine(got) for got in hook.triples(array)] == [None] * hook.lanes


def test_generator_comb(hook: Hook) -> None:
    hook.assert_entries(1, hook.generator, 1)


def test_no_addition_of_building_is_exceptional(hook: Hook) -> None:
    """Tooth by tooth, an entry is never plus or minus the point that is added to it: whatever the key, as multiples are the key's."""
    n = hook.curve.n
    for teeth, tables, chain in hook.shapes:
        for m in range(tables):
            base = [1 << (k * tables + m) * chain for k in range(teeth)]
            entries = [base[-1]]
            for k in range(teeth - 1):
                assert all((entry - base[k]) % n and (entry + base[k]) % n for entry in entries)
                entries = [entry + sign * base[k] for entry in entries for sign in (-1, 1)]


def encoded(curve: Curve, point: Point) -> bytes:
    assert point is not None
    return curve.wide(point[0]) + curve.wide(point[1])


def test_key_combs(hook: Hook) -> None:
    """Side by side in all lanes, some lanes or one; keys that are no points are told, and do not touch their neighbours."""
    curve, lanes = hook.curve, hook.lanes
    rng = random.Random(f"{curve.name} combs")
    teeth, tables, _ = hook.shapes[0]
    size = 2 * hook.limbs * (tables << (teeth - 1))
    for num in (1, 2, lanes - 1, lanes):
        d = [rng.choice((rng.randrange(1, curve.n), 1, curve.n - 1, 2, rng.randrange(1, 50))) for _ in range(num)]
        keys = [encoded(curve, curve.of_generator(value)) for value in d]
        bad = {rng.randrange(num) for _ in range(rng.randrange(3))} if num > 1 else set()
        for lane in bad:
            x, y = keys[lane][: curve.length], keys[lane][curve.length :]
            keys[lane] = rng.choice((x + y[:-1] + bytes([y[-1] ^ 1]), bytes(2 * curve.length), curve.wide(curve.p) + y))
        out = (ctypes.c_uint64 * (size * lanes))()
        made = hook.lib.hook_key_combs(b"".join(keys), num, out)
        assert made == sum(1 << lane for lane in range(num) if lane not in bad)
        for lane in rng.sample(range(num), min(num, 2)):
            if lane not in bad:
                hook.assert_entries(0, out[lane * size : (lane + 1) * size], d[lane])


def test_a_lone_key_off_the_curve(hook: Hook) -> None:
    out = (ctypes.c_uint64 * (2 * hook.limbs * (hook.shapes[0][1] << (hook.shapes[0][0] - 1)) * hook.lanes))()
    assert hook.lib.hook_key_combs(bytes(2 * hook.curve.length), 1, out) == 0


def scalar_limit(curve: Curve) -> int:
    """What products modulo n stay below, as their bounds in csrc/lanes_field*.h say."""
    return (1 << (8 * curve.length)) + (1 << (8 * curve.length - 7)) if curve is vectors.P384 else 13 * 2**256 // 10


@pytest.mark.parametrize("which", [0, 1], ids=["key", "generator"])
def test_columns(hook: Hook, which: int) -> None:
    """The entries named, with their signs and doublings, add up to the scalar modulo n; and there is one in every column."""
    curve, (teeth, tables, chain) = hook.curve, hook.shapes[which]
    limit = scalar_limit(curve)
    ends = [0, 1, 2, 3, curve.n - 2, curve.n - 1, curve.n, curve.n + 1, limit - 2, limit - 1, 1 << (8 * curve.length)]
    ends += vectors.special_scalars(curve)
    ends += [value for i in range(8 * curve.length) for value in ((1 << i) - 1, 1 << i, (1 << i) + 1)]

    def check(value: int) -> None:
        out = (ctypes.c_uint16 * (tables * chain))()
        hook.lib.hook_columns(which, (ctypes.c_uint64 * hook.limbs)(*hook.split(value)), out)
        total = 0
        for m in range(tables):
            for i in range(chain):
                entry = out[m * chain + i]
                assert entry & 0x7FFF < 1 << (teeth - 1)
                sign = -1 if entry & 0x8000 else 1
                total += sign * hook.multiple_of_entry(which, (m << (teeth - 1)) + (entry & 0x7FFF)) << i
        assert (total - value) % curve.n == 0

    for value in ends:
        check(value)
    settings(max_examples=200, deadline=None)(given(st.integers(0, limit - 1))(check))()


def test_inverses(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} inverses")
    for modulo_n, m in ((0, hook.curve.p), (1, hook.curve.n)):
        for turn in range(30):
            values = [rng.choice((rng.randrange(1, m), 1, 2, m - 1, rng.randrange(1, 99))) for _ in range(hook.lanes)]
            values = [values[0]] * hook.lanes if turn == 0 else values
            out = hook.array([[0] * hook.limbs] * hook.lanes)
            hook.lib.hook_invert(modulo_n, hook.array([hook.split(value) for value in values]), out)
            for value, limbs in zip(values, hook.rows(out), strict=True):
                assert hook.value(limbs) * value % m == 1


def test_keys_on_and_off_the_curve(hook: Hook) -> None:
    curve = hook.curve
    rng = random.Random(f"{curve.name} keys")
    for good in (0, 1, hook.every, *(rng.randrange(hook.every + 1) for _ in range(24))):
        points = some_points(curve, rng, hook.lanes)
        for lane in range(hook.lanes):
            if not good >> lane & 1:
                x, y = points[lane]
                points[lane] = rng.choice([(x, y ^ 1), (x ^ 1, y), (y, x), (0, 0), (x, 2 * y % curve.p)])
        x_rows, y_rows = ([hook.montgomery(point[part]) for point in points] for part in range(2))
        assert hook.lib.hook_on_curve_lanes(hook.array(x_rows), hook.array(y_rows)) == good


def test_digits(hook: Hook) -> None:
    width = 5
    curve, half = hook.curve, 1 << (width - 1)
    count = hook.lib.hook_digit_count(width)
    limit = scalar_limit(curve)
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
        d = [
            rng.choice((rng.randrange(1, n), rng.randrange(1, 20), n - rng.randrange(1, 20))) for _ in range(hook.lanes)
        ]
        u1 = [rng.choice((rng.randrange(n), rng.choice(scalars), 0, n, n + 1)) for _ in range(hook.lanes)]
        u2 = [rng.choice((rng.randrange(1, n), rng.choice(scalars), 1)) for _ in range(hook.lanes)]
        if turn % 3 == 0:
            u1[turn % hook.lanes] = -u2[turn % hook.lanes] * d[turn % hook.lanes] % n
        keys = [curve.of_generator(value) for value in d]
        x = [hook.montgomery(key[0]) for key in keys if key is not None]
        y = [hook.montgomery(key[1]) for key in keys if key is not None]
        out = hook.points([([0] * hook.limbs,) * 3] * hook.lanes)
        rows = ([hook.split(value) for value in row] for row in (u1, u2))
        known = hook.lib.hook_sum(*map(hook.array, (*rows, x, y)), out)
        for lane, got in enumerate(hook.triples(out)):
            expected = curve.of_generator(u1[lane] + u2[lane] * d[lane])
            assert bool(known >> lane & 1) == (hook.affine(got) is not None)
            if known >> lane & 1:
                assert hook.affine(got) == expected
            else:  # only where something small, or infinity, is met
                assert expected is None or d[lane] < 20 or n - d[lane] < 20 or u1[lane] == n


@pytest.mark.parametrize("spread", [0, 1], ids=["a signature a lane", "one in all lanes"])
def test_sums_by_combs(hook: Hook, spread: int) -> None:
    """The same by combs, in each lane, and lane 0's spread over all. Keys are small multiples and single entries of G's comb as well:
    a sum is right, or says that it met an exception."""
    curve, n, lanes = hook.curve, hook.curve.n, hook.lanes
    rng = random.Random(f"{curve.name} combs {spread}")
    scalars = vectors.special_scalars(curve)
    chain = hook.shapes[0][2]
    met = exact = 0
    for turn in range(40 if hook.fast else 6):
        d = [
            rng.choice((
                rng.randrange(1, n), rng.randrange(1, 20), n - rng.randrange(1, 20),
                rng.choice((1, -1)) * pow(2, rng.choice((1, -1)) * rng.randrange(31) * chain, n) % n,
                rng.choice((1, -1)) * hook.multiple_of_entry(1, rng.randrange(1536)) % n,
            ))
            for _ in range(lanes)
        ]  # fmt: skip
        u1 = [rng.choice((rng.randrange(n), rng.choice(scalars), 0, n, n + 1)) for _ in range(lanes)]
        u2 = [rng.choice((rng.randrange(1, n), rng.choice(scalars), 1)) for _ in range(lanes)]
        at = 0 if spread else turn % lanes
        if turn % 3 == 0:
            u1[at] = -u2[at] * d[at] % n
        elif turn % 3 == 1:
            u1[at] = u2[at] * d[at] % n
        keys = [curve.of_generator(value) for value in d]
        x = [hook.montgomery(key[0]) for key in keys if key is not None]
        y = [hook.montgomery(key[1]) for key in keys if key is not None]
        out = hook.points([([0] * hook.limbs,) * 3] * lanes)
        rows = ([hook.split(value) for value in row] for row in (u1, u2))
        known = hook.lib.hook_comb_sum(*map(hook.array, (*rows, x, y)), spread, out)
        for lane, got in enumerate(hook.triples(out)):
            source = 0 if spread else lane
            expected = curve.of_generator(u1[source] + u2[source] * d[source])
            assert bool(known >> lane & 1) == (hook.affine(got) is not None)
            exact += known >> lane & 1
            if known >> lane & 1:
                assert hook.affine(got) == expected
            else:
                met += 1
    assert met >= turn // 3
    assert exact > met


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


def told(curve: Curve, cases: Sequence[Case], how: int) -> list[int]:
    """A job that is said to have the table of another key is handed over, unless it fails before: no table is made off the curve."""
    out = outcomes(cases)
    if how != ANY_KEY:
        for i, case in enumerate(cases):
            x, y, r, s = (
                int.from_bytes(part[at : at + curve.length], "big")
                for part in (case.key, case.sig) for at in (0, curve.length)
            )  # fmt: skip
            on_curve = (y * y - x**3 + 3 * x - curve.b) % curve.p == 0
            if not on_curve and 0 < r < curve.n and 0 < s < curve.n and any(case.key):
                out[i] = HANDED_OVER
    return out


@EACH_WAY
def test_every_subset_of_bad_lanes(hook: Hook, how: int) -> None:
    """2^8 subsets of eight jobs: a bad job changes its own outcome alone."""
    rng = random.Random(f"{hook.curve.name} subsets")
    good = [good_case(hook.curve, rng) for _ in range(8)]
    for subset in range(256) if how == ANY_KEY or hook.fast else (0, 1, 0x80, 0xA5, 0xFF):
        cases = [
            spoilt(case, subset + lane * 5, hook.curve) if subset >> lane & 1 else case
            for lane, case in enumerate(good)
        ]
        assert hook.verify(cases, how) == told(hook.curve, cases, how), subset


@EACH_WAY
def test_every_fill(hook: Hook, how: int) -> None:
    """Groups begin and end where no row count says so; lanes without a job change nothing."""
    rng = random.Random(f"{hook.curve.name} fills")
    pool = [good_case(hook.curve, rng) for _ in range(12)]
    pool += [spoilt(pool[i], i, hook.curve) for i in range(12)]
    for n in [*range(18), 63, 64] if how == ANY_KEY or hook.fast else (0, 1, hook.lanes - 1, hook.lanes + 1):
        cases = [rng.choice(pool) for _ in range(n)]
        assert hook.verify(cases, how) == told(hook.curve, cases, how), n


@EACH_WAY
def test_exceptions_in_every_lane(hook: Hook, how: int) -> None:
    """Sums that meet themselves, their opposite or infinity are handed to portable, from whatever lane, and no other job is."""
    curve = hook.curve
    rng = random.Random(f"{curve.name} exceptions")
    good = [good_case(curve, rng) for _ in range(hook.lanes)]
    found = 0
    step = 1 if hook.fast else 3 if how == ANY_KEY else 25  # infinity is every 14th
    for i, meeting in enumerate(list(vectors.meeting_cases(curve))[::step]):
        for lane in range(hook.lanes) if i % 40 == 0 else [i % hook.lanes]:
            cases = [*good]
            cases[lane] = meeting
            got = hook.verify(cases, how)
            found += got[lane] == HANDED_OVER
            if got[lane] == HANDED_OVER:
                got[lane] = 1 if meeting.valid else 2
            assert got == outcomes(cases), (meeting.name, lane)
    assert found >= ((20 if hook.fast else 5) if how == ANY_KEY else 1)  # infinity at least
    infinity = curve.case("infinity", curve.of_generator(7), curve.n - 7, 1, 1, False)
    assert hook.verify([infinity] * hook.lanes, how) == [HANDED_OVER] * hook.lanes


# ---- the whole engine ----------------------------------------------------------------------------------------------------


class Job(ctypes.Structure):
    """att_sig_job of csrc/attest.h."""

    _fields_ = [
        ("algorithm", ctypes.c_uint8), ("outcome", ctypes.c_uint8), ("key_len", ctypes.c_uint16),
        ("sig_len", ctypes.c_uint16), ("digest_len", ctypes.c_uint16), ("exponent", ctypes.c_uint32),
        ("tag", ctypes.c_uint32), ("key", ctypes.c_char_p), ("sig", ctypes.c_char_p), ("digest", ctypes.c_uint8 * 48),
        ("work", ctypes.c_uint32 * 6),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def emulated_core(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole core with its lanes emulated, self-tests passed."""
    out = tmp_path_factory.mktemp("core") / "emulated.so"
    core = compile_library(out, "emulated", sorted(CSRC.glob("*.c")), '-DATT_VERSION="test"')
    core.att_engine_name.restype = ctypes.c_char_p
    assert core.att_init() == 0
    for index, (name, lanes) in enumerate(LANES.items()):
        assert core.att_engine_name(index) == name.encode()
        assert core.att_engine_lanes(index) == lanes
        assert core.att_engine_usable(index) == 1
    return core


def wrong_emulated(core: ctypes.CDLL, engine: str, cases: Sequence[Case]) -> list[str]:
    jobs = (Job * len(cases))()
    for job, case in zip(jobs, cases, strict=True):
        job.algorithm, job.exponent, job.key, job.sig = case.algorithm, case.exponent, case.key, case.sig
        job.key_len, job.sig_len, job.digest_len = len(case.key), len(case.sig), len(case.digest)
        ctypes.memmove(job.digest, case.digest, len(case.digest))
    assert core.att_sig_run(list(LANES).index(engine), jobs, ctypes.c_uint64(len(cases)), None) == 0
    expected = {True: 1, False: 2}
    return [case.name for case, job in zip(cases, jobs, strict=True) if job.outcome != expected[case.valid]]


@pytest.mark.slow
@EACH_ENGINE
def test_edges_emulated(emulated_core: ctypes.CDLL, engine: str) -> None:
    cases = [*vectors.edge_cases(), *vectors.length_cases()]
    random.Random(11).shuffle(cases)
    assert len(cases) > 1500
    assert wrong_emulated(emulated_core, engine, cases) == []


@pytest.mark.slow
@EACH_ENGINE
@pytest.mark.skipif(not vectors.WYCHEPROOF.is_dir(), reason="shared/vectors/wycheproof is not here")
@pytest.mark.parametrize(("curve", "name"), vectors.ECDSA_FILES)
def test_wycheproof_emulated(emulated_core: ctypes.CDLL, engine: str, curve: Curve, name: str) -> None:
    cases = vectors.wycheproof_ecdsa(curve, name).cases
    assert sum(case.valid for case in cases) > 150
    assert wrong_emulated(emulated_core, engine, cases) == []


@pytest.mark.slow
@EACH_ENGINE
def test_rsa_emulated(emulated_core: ctypes.CDLL, engine: str) -> None:
    cases = list(vectors.rsa_cases())
    random.Random(12).shuffle(cases)
    assert sum(case.valid for case in cases) > 80
    assert wrong_emulated(emulated_core, engine, cases) == []


@pytest.mark.slow
@EACH_ENGINE
@pytest.mark.skipif(not vectors.WYCHEPROOF.is_dir(), reason="shared/vectors/wycheproof is not here")
@pytest.mark.parametrize("name", vectors.RSA_FILES)
def test_wycheproof_rsa_emulated(emulated_core: ctypes.CDLL, engine: str, name: str) -> None:
    cases = vectors.wycheproof_rsa(name).cases
    assert any(case.valid for case in cases)
    assert wrong_emulated(emulated_core, engine, cases) == []


@EACH_ENGINE
def test_random_signatures_emulated(emulated_core: ctypes.CDLL, engine: str) -> None:
    cases = [case for curve in vectors.CURVES for case in vectors.random_cases(curve, 60)]
    random.Random(5).shuffle(cases)
    assert wrong_emulated(emulated_core, engine, cases) == []


def test_the_engines_are_used_where_the_cpu_has_them() -> None:
    expected = [name for name, features in NEEDS.items() if features <= FEATURES]
    assert [name for name in signatures.engines() if name in LANES] == expected
    assert signatures.engines()[: len(expected)] == tuple(expected)
