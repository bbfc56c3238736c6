# SPDX-License-Identifier: Apache-2.0
"""The arithmetic under ECDSA, function by function, against integers of Python, with both sizes of limb.

tests/c/hook.c makes the static functions of one curve callable; it is built here and never part of the module. Limbs go to the
ends of what the comments in csrc/ec_curve.h allow, so that a bound that does not hold shows as a wrong value.
"""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import sigvectors as vectors
from sigvectors import Curve, Point

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 1500


class Hook:
    """One curve with one size of limb."""

    def __init__(self, library: Path, curve: Curve) -> None:
        self.lib = ctypes.CDLL(str(library))
        self.curve = curve
        self.bits: int = self.lib.hook_limb_bits()
        self.limbs: int = self.lib.hook_limbs()
        self.r = 1 << (self.bits * self.limbs)
        assert self.lib.hook_bytes() == curve.length

    def value(self, limbs: Sequence[int]) -> int:
        return sum(limb << (self.bits * i) for i, limb in enumerate(limbs))

    def plain(self, limbs: Sequence[int]) -> int:
        """What an element in Montgomery form stands for."""
        return self.value(limbs) * pow(self.r, -1, self.curve.p) % self.curve.p

    def digits(self, value: int) -> list[int]:
        """Digits in [0, 2^B); what is above them goes to the last."""
        mask = (1 << self.bits) - 1
        out = [value >> (self.bits * i) & mask for i in range(self.limbs - 1)]
        return [*out, value >> (self.bits * (self.limbs - 1))]

    def montgomery(self, value: int) -> list[int]:
        return self.digits(value * self.r % self.curve.p)

    def array(self, limbs: Sequence[int]) -> ctypes.Array[ctypes.c_int64]:
        return (ctypes.c_int64 * len(limbs))(*limbs)

    def product(self, which: int, *operands: Sequence[int]) -> list[int]:
        out = self.array([0] * self.limbs)
        zero = [0] * self.limbs
        self.lib.hook_product(which, *(self.array(o) for o in (*operands, zero, zero, zero)[:4]), out)
        return list(out)

    def constant(self, which: int) -> int:
        out = self.array([0] * self.limbs)
        self.lib.hook_constant(which, out)
        return self.value(out)

    def loose(self, rng: random.Random, width: float, value: int) -> list[int]:
        """An element of about this width with a value of at most value * p, its limbs random or at the ends."""
        top = int(width * (1 << self.bits))
        kind = rng.randrange(4)
        if kind == 0:
            out = [rng.choice((-top, top)) for _ in range(self.limbs)]
        elif kind == 1:
            out = [rng.choice((-1, 1)) * top] * self.limbs
        elif kind == 2:
            out = [rng.choice((0, 1, -1, top - 1, 1 - top, (1 << self.bits) - 1)) for _ in range(self.limbs)]
        else:
            out = [rng.randint(-top, top) for _ in range(self.limbs)]
        low = self.value(out[:-1])
        limit = value * self.curve.p
        unit = 1 << (self.bits * (self.limbs - 1))
        out[-1] = rng.choice(
            ((limit - low) // unit, (-limit - low) // unit + 1, rng.randint(-limit // unit, limit // unit))
        )
        return out


@pytest.fixture(
    scope="module",
    params=[(c, w) for c in vectors.CURVES for w in (64, 32)],
    ids=lambda p: f"{p[0].name}, {p[1]}-bit limbs",
)
def hook(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Hook:
    curve, width = request.param
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc)")
    library = tmp_path_factory.mktemp("hook") / "hook.so"
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{ROOT / 'csrc'}"]
    flags += [f"-DHOOK_CURVE={8 * curve.length}", *(["-DATT_LIMB32"] if width == 32 else [])]
    subprocess.run([compiler, *flags, str(ROOT / "tests" / "c" / "hook.c"), "-o", str(library)], check=True)
    hook = Hook(library, curve)
    assert hook.bits == {64: 56, 32: 28}[width]
    return hook


def test_constants(hook: Hook) -> None:
    curve, r = hook.curve, hook.r
    expected = [1, curve.p, curve.n, r * r % curve.p, r * r % curve.n, r % curve.p, curve.b * r % curve.p]
    expected += [curve.g[0] * r % curve.p, curve.g[1] * r % curve.p]
    assert [hook.constant(i) for i in range(9)] == expected
    for function, value in ((hook.lib.hook_prime_bytes, curve.p), (hook.lib.hook_order_bytes, curve.n)):
        function.restype = ctypes.POINTER(ctypes.c_uint8)
        assert bytes(function()[: curve.length]) == curve.wide(value)


def assert_reduced(hook: Hook, limbs: Sequence[int]) -> None:
    """Digits of a product: all in one width, or half of it, but for the little that round_limb owns up to."""
    half = 1 << (hook.bits - 1)
    low, high = (0, 2 * half) if hook.bits == 56 else (-half, half)
    assert all(low - 256 <= limb < high + 256 for limb in limbs[:-1])


def test_products_at_the_bounds(hook: Hook) -> None:
    """The widest operands and largest values that the formulas of points give to each product."""
    rng = random.Random(f"{hook.curve.name} {hook.bits}")
    p, r = hook.curve.p, hook.r
    inverse = pow(r, -1, p)
    for _ in range(ROUNDS):
        narrow, wide = hook.loose(rng, 1, 30), hook.loose(rng, 3, 90)
        digit = 0.5 if hook.bits == 28 else 1  # the width of a product
        half, other = hook.loose(rng, digit, 12), hook.loose(rng, digit, 12)
        addend = hook.loose(rng, 7.99 * digit, 24)
        four = hook.loose(rng, 5 * digit, 30)
        n, w, h, o, c, f = (hook.value(limbs) for limbs in (narrow, wide, half, other, addend, four))
        for which, operands, numerator, plus in (
            (0, (narrow, wide), n * w, 0),
            (1, (narrow, wide, addend), n * w, c),
            (2, (narrow, narrow, half, other), n * n - h * o, 0),
            (3, (narrow,), n * n, 0),
            (4, (narrow, [0], addend), n * n, c),
            (5, (half, four, other), h * f - 8 * o * o, 0),
        ):
            padded = [list(operand) + [0] * (hook.limbs - len(operand)) for operand in operands]
            got = hook.product(which, *padded)
            assert_reduced(hook, got)
            assert (hook.value(got) - numerator * inverse - plus) % p == 0, which
            # |out| <= |numerator| / R + 2 p + |addend|
            assert abs(hook.value(got)) * r <= abs(numerator) + (2 * p + abs(plus)) * r, which


def test_plain_values_and_zero(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} plain {hook.bits}")
    p, r = hook.curve.p, hook.r
    for i in range(ROUNDS):
        if i < 200:  # multiples of p, spelt with digits or with loose limbs
            limbs = hook.digits((i - 100) * p)
            at = rng.randrange(hook.limbs - 1)
            by = rng.choice((-1, 0, 1))
            limbs[at] += by << hook.bits
            limbs[at + 1] -= by
        else:
            limbs = hook.loose(rng, 3, 90)
        value = hook.value(limbs)
        assert hook.product(7, limbs) == hook.digits(value * pow(r, -1, p) % p)  # settled: one spelling
        assert hook.lib.hook_is_zero(hook.array(limbs)) == (value % p == 0)


def test_scalar_products(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} scalars {hook.bits}")
    n, r = hook.curve.n, hook.r
    ends = [0, 1, 2, n - 1, n, n + 1, (1 << (8 * hook.curve.length)) - 1, n // 2]
    for i in range(ROUNDS):
        a = rng.choice(ends) if i % 3 == 0 else rng.randrange(1 << (8 * hook.curve.length))
        b = rng.choice(ends) if i % 5 == 0 else rng.randrange(2 * n)
        got = hook.product(6, hook.digits(a), hook.digits(b))
        assert_reduced(hook, got)
        assert (hook.value(got) * r - a * b) % n == 0
        assert 0 <= hook.value(got) <= n + a * b // r


def test_inverses(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} inverses {hook.bits}")
    for by_order, m in ((0, hook.curve.p), (1, hook.curve.n)):
        ends = [m - 1, m - 2, m // 2, m // 2 + 1, m // 3, pow(3, -1, m), (1 << (8 * hook.curve.length)) % m]
        powers = [((1 << i) + j) % m for i in range(8 * hook.curve.length) for j in (-1, 0, 1)]
        for a in [*range(1, 40), *ends, *filter(None, powers), *(rng.randrange(1, m) for _ in range(ROUNDS))]:
            out = hook.array([0] * hook.limbs)
            hook.lib.hook_invert(by_order, hook.array(hook.digits(a)), out)
            value = hook.value(out)
            assert value * a % m == 1
            assert 0 < value < 128 * m
            assert list(out) == hook.digits(value)  # settled
        out = hook.array([0] * hook.limbs)
        hook.lib.hook_invert(by_order, hook.array([0] * hook.limbs), out)
        assert hook.value(out) == 64 * m


# ---- points --------------------------------------------------------------------------------------------------------------


def jacobian(hook: Hook, point: Point, rng: random.Random) -> list[int]:
    """A point with a random z, and each coordinate off by a random multiple of p inside the bounds."""
    assert point is not None
    p = hook.curve.p
    z = rng.randrange(1, p)
    out: list[int] = []
    for value, limit in ((point[0] * z**2, 18), (point[1] * z**3, 10), (z, 10)):
        out += hook.digits(value * hook.r % p + rng.randint(-limit, limit) * p)
    return out


def affine(hook: Hook, limbs: Sequence[int]) -> Point:
    x, y, z = (hook.plain(limbs[i * hook.limbs : (i + 1) * hook.limbs]) for i in range(3))
    if z == 0:
        return None
    w = pow(z, -1, hook.curve.p)
    return x * w**2 % hook.curve.p, y * w**3 % hook.curve.p


def test_doubling_and_addition(hook: Hook) -> None:
    rng = random.Random(f"{hook.curve.name} points {hook.bits}")
    curve, size = hook.curve, hook.limbs
    for _ in range(150):
        a, b = (curve.of_generator(rng.randrange(1, curve.n)) for _ in range(2))
        assert a is not None
        assert b is not None
        minus_b = (b[0], curve.p - b[1])
        doubled = hook.array(jacobian(hook, a, rng))
        hook.lib.hook_double(doubled)
        assert affine(hook, doubled) == curve.add(a, a)
        for negate in (0, 1):
            expected = curve.add(a, minus_b if negate else b)
            total = hook.array(jacobian(hook, a, rng))
            hook.lib.hook_add(total, hook.array(jacobian(hook, b, rng)), 0, negate)
            assert affine(hook, total) == expected
            total = hook.array(jacobian(hook, a, rng))
            entry = [*hook.montgomery(b[0]), *hook.montgomery(b[1]), *[0] * size]
            hook.lib.hook_add(total, hook.array(entry), 1, negate)
            assert affine(hook, total) == expected


def test_what_additions_are_not_made_for_gives_z_zero(hook: Hook) -> None:
    """Equal and opposite points, infinity: z is 0 modulo p, and stays so. That is what sum_fast rests on."""
    rng = random.Random(f"{hook.curve.name} exceptions {hook.bits}")
    curve, size = hook.curve, hook.limbs
    for _ in range(30):
        a = curve.of_generator(rng.randrange(1, curve.n))
        assert a is not None
        for sign in (1, -1):
            other = (a[0], sign * a[1] % curve.p)
            for is_affine in (0, 1):
                total = hook.array(jacobian(hook, a, rng))
                entry = [*hook.montgomery(other[0]), *hook.montgomery(other[1]), *[0] * size]
                hook.lib.hook_add(total, hook.array(entry if is_affine else jacobian(hook, other, rng)), is_affine, 0)
                assert affine(hook, total) is None
                hook.lib.hook_double(total)
                assert affine(hook, total) is None
                b = curve.of_generator(rng.randrange(1, curve.n))
                hook.lib.hook_add(total, hook.array(jacobian(hook, b, rng)), 0, 0)
                assert affine(hook, total) is None


@pytest.mark.parametrize("width", [5, 8])
def test_non_adjacent_form(hook: Hook, width: int) -> None:
    rng = random.Random(f"{hook.curve.name} naf {width}")
    scalars = [0, *vectors.special_scalars(hook.curve), *(rng.randrange(hook.curve.n) for _ in range(300))]
    count = 8 * hook.curve.length + 1
    for scalar in scalars:
        digits = (ctypes.c_int8 * count)()
        hook.lib.hook_naf(hook.curve.wide(scalar), width, digits)
        assert sum(digit << i for i, digit in enumerate(digits)) == scalar
        assert all(digit == 0 or (digit % 2 and abs(digit) < 1 << (width - 1)) for digit in digits)
        places = [i for i, digit in enumerate(digits) if digit]
        assert all(b - a >= width for a, b in pairwise(places))


def sums(hook: Hook, u1: int, u2: int, d: int) -> tuple[bool, Point, bool, Point]:
    """u1 G + u2 (d G) by sum_fast and by sum_checked: whether they vouch for their result, and the result."""
    curve = hook.curve
    key = curve.of_generator(d)
    assert key is not None
    out: list[bool | Point] = []
    for checked in (0, 1):
        total = hook.array([0] * 3 * hook.limbs)
        said = hook.lib.hook_sum(
            checked, curve.wide(u1), curve.wide(u2), curve.wide(key[0]) + curve.wide(key[1]), total
        )
        assert said in (0, 1)
        out += [said == 1, affine(hook, total) if said else None]
    return out[0] is True, out[1], out[2] is True, out[3]  # type: ignore[return-value]


def test_both_ways_of_summing(hook: Hook) -> None:
    """sum_fast is right or says that it does not know; sum_checked is right; and the chosen cases reach the second."""
    rng = random.Random(f"{hook.curve.name} sums")
    curve = hook.curve
    n = curve.n
    chosen = [
        (1, 1, 1),
        (1, 1, n - 1),
        (2, 1, 2),
        (3, 1, 3),
        (15, 1, 15),
        (1, 15, pow(15, -1, n)),
        (5, 1, n - 5),
        (16, 16, 1),
    ]
    chosen += [
        (2**64 + 1, 2**64 + 1, 1),
        (2**64 + 3, 2**64 + 1, n - 1),
        (0, 1, 1),
        (0, n - 1, 7),
        (n - 1, n - 1, n - 1),
    ]
    chosen += [(-u2 * d % n, u2, d) for d in (1, 2, 12345) for u2 in (1, 7, n - 2, n // 3)]
    unknown = 0
    for u1, u2, d in chosen + [tuple(rng.randrange(1, n) for _ in range(3)) for _ in range(60)]:  # type: ignore[operator]
        expected = curve.of_generator(u1 + u2 * d)
        fast_vouched, fast, checked_vouched, checked = sums(hook, u1, u2, d)
        assert checked_vouched == (expected is not None)
        assert checked == expected
        if fast_vouched:
            assert fast == expected
        else:
            unknown += 1
    assert unknown >= 12 + 5  # all sums that are infinity, and those that meet on the way
