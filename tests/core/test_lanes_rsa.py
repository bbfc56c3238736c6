# SPDX-License-Identifier: Apache-2.0
"""RSA in the engines with lanes, function by function and as a whole, against integers of Python.

tests/c/lanes_rsa_hook.c makes the static functions of one engine callable, built with vector instructions, where the CPU has them,
and with the same operations in plain C; both must agree limb for limb.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

import pytest
import sigvectors as vectors
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from sigvectors import Case
from test_lanes import CSRC, FEATURES, HANDED_OVER, KINDS, LANES, NEEDS, ROOT, Job, compile_library

Limbs = list[int]
Rows = list[Limbs]  # a row a lane

BUILDS: Final = [(engine, kind) for engine in LANES for kind in KINDS]
SOURCES: Final = [
    CSRC / name
    for name in (
        "rsa.c",
        "rsa_portable.c",
        "sha2.c",
        "sha2_shani.c",
        "sha2_avx512x8.c",
        "sha2_avx2x4.c",
        "cpu.c",
        "x509.c",
        "der.c",
    )
]
EXPONENTS: Final = (3, 5, 17, 257, 65537, 65539, 2**31 + 1, 2**32 - 1)


class Hook:
    """RSA in one engine, for numbers of one count of tiles at a time."""

    def __init__(self, library: ctypes.CDLL, lanes: int, *, fast: bool) -> None:
        self.lib = library
        self.fast = fast
        self.lanes = lanes
        self.bits: int = library.hook_limb_bits()
        self.mask = (1 << self.bits) - 1
        self.worth: int = library.hook_worth()
        self.sizes = [*range(library.hook_tiles_for(256), library.hook_tiles_for(512) + 1)]
        self.tiles = 0
        assert library.hook_lanes() == lanes

    def resize(self, tiles: int) -> None:
        self.tiles, self.limbs = tiles, 4 * tiles
        self.r = 1 << (self.bits * self.limbs)

    # limbs

    def split(self, value: int) -> Limbs:
        assert 0 <= value < self.r
        return [value >> (self.bits * i) & self.mask for i in range(self.limbs)]

    def value(self, limbs: Sequence[int]) -> int:
        assert all(0 <= limb <= self.mask for limb in limbs)
        return sum(limb << (self.bits * i) for i, limb in enumerate(limbs))

    def array(self, values: Sequence[int]) -> ctypes.Array[ctypes.c_uint64]:
        """A value a lane; a single one for all."""
        rows = [self.split(value) for value in (values if len(values) == self.lanes else [*values] * self.lanes)]
        return (ctypes.c_uint64 * (self.limbs * self.lanes))(*(limb for row in rows for limb in row))

    def blank(self) -> ctypes.Array[ctypes.c_uint64]:
        return (ctypes.c_uint64 * (self.limbs * self.lanes))()

    def values(self, array: ctypes.Array[ctypes.c_uint64]) -> list[int]:
        return [self.value(array[i : i + self.limbs]) for i in range(0, self.limbs * self.lanes, self.limbs)]

    def extreme(self, rng: random.Random, below: int) -> int:
        """Limbs at random or at their ends, below a bound."""
        ends = (0, 1, self.mask - 1, self.mask)
        while True:
            kind = rng.randrange(4)
            if kind == 0:
                return rng.randrange(below)
            if kind == 1:
                return rng.choice((0, 1, 2, below - 2, below - 1))
            fixed = rng.choice(ends)
            value = self.value([rng.choice(ends) if kind == 2 else fixed for _ in range(self.limbs)])
            return value % below

    def modulus(self, rng: random.Random) -> int:
        """Odd, below R / 4, of any size that has so many tiles, with limbs at their ends; the top and the bottom one above all."""
        top = rng.choice((self.r // 4, self.r // 4, self.r >> rng.randrange(2, 4 * self.bits)))
        ends = (1, self.mask, 3, self.mask - 2, rng.randrange(self.mask) | 1)
        value = rng.choice(
            (top - 1, top // 2 + 1, top // 2 | self.extreme(rng, top // 2), top - 1 - self.extreme(rng, top // 2))
        )
        value = (value & ~self.mask) | rng.choice(ends)
        assert value % 2 == 1
        assert value < self.r // 4
        return value

    # calls

    def set_moduli(self, moduli: Sequence[int]) -> None:
        self.lib.hook_moduli_of_limbs(self.tiles, self.array(moduli))

    def moduli_of_bytes(self, moduli: Sequence[int]) -> tuple[list[int], list[int]]:
        lens = [(n.bit_length() + 7) // 8 for n in moduli]
        cells = b"".join(n.to_bytes(length, "big").ljust(512, b"\xee") for n, length in zip(moduli, lens, strict=True))
        n, r2 = self.blank(), self.blank()
        self.lib.hook_moduli_of_bytes(self.tiles, cells, (ctypes.c_uint32 * self.lanes)(*lens), n, r2)
        return self.values(n), self.values(r2)

    def multiply(self, a: Sequence[int], b: Sequence[int], place: int = 0) -> list[int]:
        out = self.blank()
        self.lib.hook_multiply(place, self.array(a), self.array(b), out)
        return self.values(out)

    def call(self, name: str, *operands: Sequence[int]) -> list[int]:
        out = self.blank()
        getattr(self.lib, f"hook_{name}")(*map(self.array, operands), out)
        return self.values(out)

    def verify(self, cases: Sequence[Case]) -> list[int]:
        jobs = (Job * max(len(cases), 1))()
        for job, case in zip(jobs, cases, strict=False):
            job.algorithm, job.exponent, job.key, job.sig = case.algorithm, case.exponent, case.key, case.sig
            job.key_len, job.sig_len, job.digest_len = len(case.key), len(case.sig), len(case.digest)
            ctypes.memmove(job.digest, case.digest, len(case.digest))
        self.lib.hook_verify(jobs, ctypes.c_uint64(len(cases)))
        return [job.outcome for job in jobs][: len(cases)]


Get = Callable[[str, str], Hook]


@pytest.fixture(scope="session")
def rsa_hooks(tmp_path_factory: pytest.TempPathFactory) -> Get:
    made: dict[tuple[str, str], Hook] = {}
    directory: Path = tmp_path_factory.mktemp("lanes_rsa")

    def get(engine: str, kind: str) -> Hook:
        if kind == "native" and not NEEDS[engine] <= FEATURES:
            pytest.skip(f"this CPU has no {' '.join(sorted(NEEDS[engine] - FEATURES))}")
        if (engine, kind) not in made:
            sources = [ROOT / "tests" / "c" / "lanes_rsa_hook.c", *SOURCES]
            flag = f'-DHOOK_SOURCE="lanes_rsa_{engine}.c"'
            library = compile_library(directory / f"{engine}-{kind}.so", kind, sources, flag, '-DATT_VERSION="test"')
            made[engine, kind] = Hook(library, LANES[engine], fast=kind == "native")
        return made[engine, kind]

    return get


@pytest.fixture(params=BUILDS, ids=lambda p: f"{p[0]}-{p[1]}")
def hook(request: pytest.FixtureRequest, rsa_hooks: Get) -> Hook:
    return rsa_hooks(*request.param)


# ---- numbers -------------------------------------------------------------------------------------------------------------


def check_product(hook: Hook, moduli: Sequence[int], a: Sequence[int], b: Sequence[int], place: int = 0) -> None:
    got = hook.multiply(a, b, place)
    for n, x, y, out in zip(moduli, a, b, got, strict=True):
        assert (out * hook.r - x * y) % n == 0
        assert out * hook.r < x * y + n * hook.r


def test_sizes(hook: Hook) -> None:
    """Four times every modulus of so many bytes fits its tiles, and no tile is to spare."""
    for size in range(256, 513):
        tiles = hook.lib.hook_tiles_for(size)
        assert (tiles - 1) * 4 * hook.bits < 8 * size + 2 <= tiles * 4 * hook.bits
    assert (hook.sizes[0], hook.sizes[-1]) == ((10, 20) if hook.bits == 52 else (19, 38))
    assert hook.lib.hook_group_bytes() < 65536


def test_products_at_random(hook: Hook) -> None:
    """In every size: factors below 2 n, one below n and the other below R, and squares below R / 2 or 2 n."""
    rng = random.Random("rsa products")
    for tiles in hook.sizes:
        hook.resize(tiles)
        for turn in range(12 if hook.fast else 2):
            moduli = [hook.modulus(rng) for _ in range(hook.lanes)]
            hook.set_moduli(moduli)
            a, b = ([hook.extreme(rng, 2 * n) for n in moduli] for _ in range(2))
            check_product(hook, moduli, a, b, turn % 3)
            assert all(out < 2 * n for n, out in zip(moduli, hook.multiply(a, b), strict=True))
            a, b = [hook.extreme(rng, hook.r) for _ in moduli], [hook.extreme(rng, n) for n in moduli]
            check_product(hook, moduli, a, b)
            check_product(hook, moduli, b, a)
            for bound in ([2 * n for n in moduli], [hook.r // 2] * hook.lanes):
                a = [hook.extreme(rng, most) for most in bound]
                assert hook.call("square", a) == hook.multiply(a, a)
                assert all(out < most for out, most in zip(hook.call("square", a), bound, strict=True))
                check_product(hook, moduli, a, a)


@pytest.mark.parametrize("which", [0, -1])
def test_products_at_the_ends_of_limbs(hook: Hook, which: int) -> None:
    """Pairs of limbs at 0, 1, max - 1, max, the others all 0 or all max; places around the borders of tiles and at both ends."""
    rng = random.Random("rsa limbs")
    hook.resize(hook.sizes[which])
    last = hook.limbs - 1
    places = (0, 1, 3, 4, 5, 7, 8, hook.limbs // 2, last - 8, last - 4, last - 3, last - 1, last)
    ends = (0, 1, hook.mask - 1, hook.mask)
    pairs = [(i, j) for i in places for j in places if i < j]
    interesting = []
    for (i, j), a, b, others in product(pairs if hook.fast else pairs[::9], ends, ends, (0, hook.mask)):
        limbs = [others] * hook.limbs
        limbs[i], limbs[j] = a, b
        interesting.append(hook.value(limbs))
    rng.shuffle(interesting)
    for at in range(0, len(interesting) - hook.lanes, hook.lanes):
        values = interesting[at : at + hook.lanes]
        moduli = [hook.modulus(rng) for _ in values]
        hook.set_moduli(moduli)
        check_product(hook, moduli, values, [value % n for value, n in zip(values[::-1], moduli, strict=True)])
        small = [value % (hook.r // 2) for value in values]
        assert hook.call("square", small) == hook.multiply(small, small)


def test_every_limb_of_every_operand_at_its_maximum(hook: Hook) -> None:
    """The fullest columns there are: n the largest of the size, factors all ones. Limbs of quotients are whatever comes of it."""
    for tiles in hook.sizes:
        hook.resize(tiles)
        n = hook.r // 4 - 1
        moduli = [n, n - 2, n - (1 << hook.bits), hook.r // 8 + 1] * (hook.lanes // 4)
        hook.set_moduli(moduli)
        check_product(hook, moduli, [hook.r - 1] * hook.lanes, [m - 1 for m in moduli])
        check_product(hook, moduli, [2 * m - 1 for m in moduli], [2 * m - 1 for m in moduli])
        half = [hook.r // 2 - 1] * hook.lanes
        assert hook.call("square", half) == hook.multiply(half, half)
        assert all(out < hook.r // 2 for out in hook.call("square", half))


def test_subtraction_and_doubling(hook: Hook) -> None:
    rng = random.Random("rsa subtraction")
    for tiles in hook.sizes[:: 3 if hook.fast else 9]:
        hook.resize(tiles)
        hook.set_moduli([3])
        for _ in range(20):
            b = [hook.extreme(rng, hook.r) for _ in range(hook.lanes)]
            near = [
                rng.choice((x, x + 1, x - 1, x ^ 1 << rng.randrange(hook.bits * hook.limbs), rng.randrange(hook.r)))
                for x in b
            ]
            a = [x % hook.r for x in near]
            expected = [x - y if x >= y else x for x, y in zip(a, b, strict=True)]
            assert hook.call("subtract_once", a, b) == expected
            a = [hook.extreme(rng, hook.r // 2) for _ in range(hook.lanes)]
            assert hook.call("twice", a) == [2 * x for x in a]


def test_bytes(hook: Hook) -> None:
    """Into one lane and back, the others left alone; shifted as moduli are for R^2."""
    rng = random.Random("rsa bytes")
    for tiles in hook.sizes:
        hook.resize(tiles)
        hook.set_moduli([3])
        lens = [size for size in range(256, 513) if hook.lib.hook_tiles_for(size) == tiles]
        for size in (lens[0], lens[-1], rng.choice(lens)):
            for data in (bytes(size), b"\xff" * size, rng.randbytes(size)):
                value, lane = int.from_bytes(data, "big"), rng.randrange(hook.lanes)
                most = hook.bits * hook.limbs - value.bit_length() - 1
                for shift in {min(shift, most) for shift in (0, 1, 7, 8, 249)}:
                    others = [hook.extreme(rng, hook.r) for _ in range(hook.lanes)]
                    array = hook.array(others)
                    hook.lib.hook_lane_of_bytes(lane, data, size, shift, array)
                    assert hook.values(array) == [*others[:lane], value << shift, *others[lane + 1 :]]
                    if shift == 0:
                        out = ctypes.create_string_buffer(size + 8)
                        hook.lib.hook_bytes_of_lane(lane, array, out, size)
                        assert out.raw == data + bytes(8)


# ---- moduli and powers ---------------------------------------------------------------------------------------------------


def some_moduli(hook: Hook, rng: random.Random) -> list[int]:
    """Of the byte lengths that share a count of tiles, with top bytes from 1 to 255 and extreme limbs."""
    lens = [size for size in range(256, 513) if hook.lib.hook_tiles_for(size) == hook.tiles]
    out = []
    for _ in range(hook.lanes):
        bits = 8 * rng.choice((lens[0], lens[-1], rng.choice(lens))) - rng.choice((0, 0, 1, 7))
        low, high = 1 << (bits - 1), 1 << bits
        out.append(
            rng.choice(
                (
                    low + 1,
                    high - 1,
                    low + hook.mask,
                    high - hook.mask,
                    low | hook.extreme(rng, low),
                    rng.randrange(low, high),
                )
            )
            | 1
        )
    return out


def test_moduli(hook: Hook) -> None:
    """R^2 is right and below R, whatever the moduli beside it; lanes can change places."""
    rng = random.Random("rsa moduli")
    for tiles in hook.sizes:
        hook.resize(tiles)
        for _ in range(6 if hook.fast else 1):
            moduli = some_moduli(hook, rng)
            n, r2 = hook.moduli_of_bytes(moduli)
            assert n == moduli
            assert [(value - hook.r**2) % m for value, m in zip(r2, moduli, strict=True)] == [0] * hook.lanes
            order = [rng.randrange(hook.lanes) for _ in moduli]
            new_n, new_r2, inverse = hook.blank(), hook.blank(), (ctypes.c_uint64 * hook.lanes)()
            hook.lib.hook_arrange((ctypes.c_uint32 * hook.lanes)(*order), new_n, new_r2, inverse)
            assert hook.values(new_n) == [n[i] for i in order]
            assert hook.values(new_r2) == [r2[i] for i in order]
            assert [(x * m + 1) & hook.mask for x, m in zip(inverse, hook.values(new_n), strict=True)] == [
                0
            ] * hook.lanes


def test_powers(hook: Hook) -> None:
    """Every lane its own modulus, base and exponent; the result is below n."""
    rng = random.Random("rsa powers")
    for tiles in hook.sizes:
        hook.resize(tiles)
        for turn in range(4 if hook.fast else 1):
            moduli = some_moduli(hook, rng)
            hook.moduli_of_bytes(moduli)
            bases = [rng.choice((0, 1, 2, n - 1, n - 2, hook.extreme(rng, n))) for n in moduli]
            exponents = [
                rng.choice(EXPONENTS) if turn % 2 else EXPONENTS[(tiles + turn) % len(EXPONENTS)] for _ in moduli
            ]
            out = hook.blank()
            hook.lib.hook_raise(hook.array(bases), (ctypes.c_uint32 * hook.lanes)(*exponents), out)
            assert hook.values(out) == [pow(a, e, n) for a, e, n in zip(bases, exponents, moduli, strict=True)]


@pytest.mark.parametrize("engine", LANES)
def test_instructions_and_emulation_agree(engine: str, rsa_hooks: Get) -> None:
    """Limb for limb, not only modulo n."""
    native, emulated = (rsa_hooks(engine, kind) for kind in KINDS)
    rng = random.Random("rsa both")
    for tiles in native.sizes[::3]:
        found = []
        native.resize(tiles)
        moduli = some_moduli(native, rng)
        a, b = ([native.extreme(rng, 2 * n) for n in moduli] for _ in range(2))
        for hook in (native, emulated):
            hook.resize(tiles)
            found.append((hook.moduli_of_bytes(moduli), hook.multiply(a, b), hook.call("square", a)))
        assert found[0] == found[1]


# ---- jobs ----------------------------------------------------------------------------------------------------------------


def spoilt(case: Case, how: int) -> Case:
    """One of the ways in which a job fails: before it gets a lane, by its value, or at the end."""
    n, size = int.from_bytes(case.key, "big"), len(case.key)
    return [
        replace(case, valid=False, sig=case.sig[:-1] + bytes([case.sig[-1] ^ 1])),
        replace(case, valid=False, sig=n.to_bytes(size, "big")),
        replace(case, valid=False, digest=bytes([case.digest[0] ^ 0x80]) + case.digest[1:]),
        replace(case, valid=False, exponent=case.exponent + 2),
        replace(case, valid=False, sig=bytes(size)),
        replace(case, valid=False, key=(n - 1).to_bytes(size, "big")),
        replace(case, valid=False, sig=(n - 1).to_bytes(size, "big")),
        replace(case, valid=False, sig=case.sig[1:]),
        replace(case, valid=False, key=(n - 2).to_bytes(size, "big")),
        replace(case, valid=False, sig=(1).to_bytes(size, "big")),
        replace(case, valid=False, digest=case.digest[1:]),
        replace(case, valid=False, exponent=case.exponent - 1),
    ][how % 12]


def outcomes(cases: Sequence[Case]) -> list[int]:
    return [1 if case.valid else 2 for case in cases]


def test_every_subset_of_bad_lanes(hook: Hook) -> None:
    """2^8 subsets of eight jobs: a bad job changes its own outcome alone."""
    good = [vectors.rsa_good(bits, algorithm) for bits in (2048, 2047) for algorithm in range(3, 7)]
    for subset in range(256) if hook.fast else range(0, 256, 17):
        cases = [spoilt(case, subset + 5 * i) if subset >> i & 1 else case for i, case in enumerate(good)]
        got = hook.verify(cases)
        # refused before they get a lane, bad jobs make room; the rest may be too few for a last group
        assert [outcome for outcome in got if outcome == HANDED_OVER] == [] or got.count(HANDED_OVER) < hook.worth
        assert [a for a, case in zip(got, cases, strict=True) if a not in (HANDED_OVER, 1 if case.valid else 2)] == []


def test_every_fill(hook: Hook) -> None:
    """Groups begin and end where no row count says so; lanes without a job change nothing; the last few are portable's."""
    rng = random.Random("rsa fills")
    pool = [vectors.rsa_good(2048, algorithm) for algorithm in range(3, 7)]
    pool += [spoilt(pool[i % 4], how) for i, how in enumerate((0, 2, 4, 6, 9))]
    for n in [*range(20), 33] if hook.fast else [0, 1, 2, 5, 9]:
        cases = [rng.choice(pool) for _ in range(n)]
        rest = n % hook.lanes if n % hook.lanes < hook.worth else 0
        assert hook.verify(cases) == outcomes(cases[: n - rest]) + [HANDED_OVER] * rest, n


@pytest.mark.parametrize("pattern", ["in turn", "at random", "one change", "all different"])
def test_keys_in_the_lanes(hook: Hook, pattern: str) -> None:
    """The same key in all lanes, in some, in none: constants of a modulus are never another's."""
    rng = random.Random(f"rsa keys {pattern}")
    sizes = (2041, 2047, 2048) if hook.bits == 52 else (2042, 2045, 2048)
    keys = [vectors.rsa_good(bits, algorithm, e) for bits in sizes for algorithm in (4, 5) for e in (3, 17, 65537)]
    n = 6 * hook.lanes if hook.fast else 2 * hook.lanes
    cases = {
        "in turn": [keys[(i % 3) * 6] for i in range(n)],
        "at random": [rng.choice(keys) for _ in range(n)],
        "one change": [keys[0]] * (n // 2 + 1) + [keys[-1]] * (n // 2 - 1),
        "all different": [keys[i % len(keys)] for i in range(n)],
    }[pattern]
    cases = [
        spoilt(case, i) if i % 5 == 4 and i % 12 not in (1, 3, 5, 7, 10, 11) else case for i, case in enumerate(cases)
    ]
    got = hook.verify(cases)
    expected = [HANDED_OVER if a == HANDED_OVER else b for a, b in zip(got, outcomes(cases), strict=True)]
    assert got == expected
    assert got.count(HANDED_OVER) < hook.worth
    assert got.count(1) > n // 2


def test_sizes_mixed(hook: Hook) -> None:
    """Jobs of one size share a group, wherever they stand; what is no RSA job that fits is refused or left alone."""
    rng = random.Random("rsa sizes")
    sizes = (2048, 2113, 3072, 4033, 4096) if hook.fast else (2048, 2113)
    cases = [
        case for bits in sizes for case in [vectors.rsa_good(bits, 4), vectors.rsa_good(bits, 5)] * (hook.lanes // 2)
    ]
    cases += [spoilt(cases[i], how) for i, how in enumerate((1, 3, 5, 7, 10, 11))]
    cases += [replace(cases[0], algorithm=algorithm, valid=False) for algorithm in (0, 7, 255)]
    rng.shuffle(cases)
    got = hook.verify(cases)
    assert [outcome for outcome in got if outcome not in (1, 2, HANDED_OVER)] == []
    assert [a for a, b in zip(got, outcomes(cases), strict=True) if a not in (HANDED_OVER, b)] == []
    assert got.count(1) == len(sizes) * hook.lanes - got.count(HANDED_OVER)
    curves = [replace(cases[0], algorithm=algorithm) for algorithm in (1, 2)]
    assert hook.verify(curves) == [0, 0]


def by_cryptography(case: Case) -> bool:
    key = rsa.RSAPublicNumbers(case.exponent, int.from_bytes(case.key, "big")).public_key()
    name = hashes.SHA256() if len(case.digest) == 32 else hashes.SHA384()
    scheme = padding.PSS(padding.MGF1(name), len(case.digest)) if case.algorithm < 5 else padding.PKCS1v15()
    try:
        key.verify(case.sig, case.digest, scheme, utils.Prehashed(name))
    except InvalidSignature:
        return False
    return True


def test_random_signatures_as_cryptography_has_them(hook: Hook) -> None:
    """Valid ones, and ones with a bit of signature, digest or modulus changed."""
    rng = random.Random("rsa random")
    cases = []
    for _ in range(160 if hook.fast else 2 * hook.lanes):
        case = vectors.rsa_good(rng.choice((2048, 3072, 4096) if hook.fast else (2048,)), rng.randrange(3, 7))
        parts = [bytearray(case.sig), bytearray(case.digest), bytearray(case.key)]
        which = rng.choice((0, 0, 1, 2, 3, 3, 3, 3))
        if which < 3:
            parts[which][rng.randrange(1, len(parts[which]) - 1)] ^= 1 << rng.randrange(8)
        case = replace(case, sig=bytes(parts[0]), digest=bytes(parts[1]), key=bytes(parts[2]))
        cases.append(replace(case, valid=by_cryptography(case)))
    got = hook.verify(cases)
    assert [a for a, b in zip(got, outcomes(cases), strict=True) if a not in (HANDED_OVER, b)] == []
    assert got.count(1) >= len(cases) // 3
    assert got.count(HANDED_OVER) < 3 * hook.worth
