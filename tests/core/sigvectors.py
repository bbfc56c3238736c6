# SPDX-License-Identifier: Apache-2.0
"""Signatures with known outcomes, for every engine and every CPU: Wycheproof's, and cases built here.

Built cases come from seeds, with integers of Python: a second, slow implementation of ECDSA, and RSA encodings written
byte by byte. The curve's own library only multiplies the generator, which makes thousands of signatures cheap.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import gcd, prod
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

ROOT: Final = Path(__file__).resolve().parents[2]
WYCHEPROOF: Final = ROOT.parent / "shared" / "vectors" / "wycheproof"

ECDSA_P256, ECDSA_P384, PSS_SHA256, PSS_SHA384, PKCS1_SHA256, PKCS1_SHA384 = range(1, 7)  # att_sig_algorithm


@dataclass(frozen=True, slots=True)
class Case:
    """One job of att_sig_job and what must come of it."""

    name: str
    algorithm: int
    key: bytes
    digest: bytes
    sig: bytes
    valid: bool
    exponent: int = 0

    def line(self) -> str:
        """As tests/c/selftest.c reads it."""
        fields = (field.hex() or "-" for field in (self.key, self.digest, self.sig))
        return (
            f"sig {self.algorithm} {self.exponent} {int(self.valid)} {' '.join(fields)} {self.name.replace(' ', '_')}"
        )


# ---- curves, by integers -------------------------------------------------------------------------------------------------

Point = tuple[int, int] | None


@dataclass(frozen=True)
class Curve:
    name: str
    algorithm: int
    length: int
    p: int
    n: int
    b: int
    g: tuple[int, int]
    library: ec.EllipticCurve

    def add(self, a: Point, b: Point) -> Point:
        if a is None or b is None:
            return a if b is None else b
        if a[0] == b[0] and (a[1] + b[1]) % self.p == 0:
            return None
        rise, run = (3 * (a[0] * a[0] - 1), 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
        slope = rise * pow(run, -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def multiply(self, k: int, point: Point) -> Point:
        out: Point = None
        for bit in bin(k % self.n)[2:]:
            out = self.add(out, out)
            if bit == "1":
                out = self.add(out, point)
        return out

    def of_generator(self, k: int) -> Point:
        """k G, by the library."""
        k %= self.n
        if k == 0:
            return None
        numbers = ec.derive_private_key(k, self.library).public_key().public_numbers()
        return numbers.x, numbers.y

    def with_x(self, x: int) -> Point:
        """The point with this x and an even y; None when there is none."""
        square = (x**3 - 3 * x + self.b) % self.p
        y = pow(square, (self.p + 1) // 4, self.p)
        if y * y % self.p != square:
            return None
        return x, y if y % 2 == 0 else self.p - y

    def with_y(self, y: int) -> Point:
        """A point with this y; None when there is none, or three, which is as rare as useless. Its x is the one root that
        x^3 - 3x + b - y^2 shares with x^p - x."""
        p, c = self.p, (self.b - y * y) % self.p

        def times(a: list[int], b: list[int]) -> list[int]:
            out = [0] * 5
            for i, left in enumerate(a):
                for j, right in enumerate(b):
                    out[i + j] += left * right
            for i in (4, 3):  # x^3 = 3x - c
                out[i - 2] += 3 * out[i]
                out[i - 3] -= c * out[i]
            return [value % p for value in out[:3]]

        power = [1, 0, 0]
        for bit in bin(p)[2:]:
            power = times(power, power)
            if bit == "1":
                power = times(power, [0, 1, 0])
        a, b = [c, p - 3, 0, 1], [power[0], (power[1] - 1) % p, power[2]]
        while any(b):
            while b[-1] == 0:
                b.pop()
            inverse = pow(b[-1], -1, p)
            while len(a) >= len(b):
                factor, shift = a[-1] * inverse % p, len(a) - len(b)
                a = [(value - (factor * b[i - shift] if i >= shift else 0)) % p for i, value in enumerate(a)][:-1]
            a, b = b, a
        return (-a[0] * pow(a[1], -1, p) % p, y) if len(a) == 2 else None

    def verify(self, key: bytes, digest: bytes, sig: bytes) -> bool:
        """FIPS 186-5 6.4.2 by the letter."""
        length = self.length
        x, y = int.from_bytes(key[:length], "big"), int.from_bytes(key[length:], "big")
        r, s = int.from_bytes(sig[:length], "big"), int.from_bytes(sig[length:], "big")
        on_curve = x < self.p and y < self.p and (y * y - x**3 + 3 * x - self.b) % self.p == 0
        if not on_curve or not (0 < r < self.n and 0 < s < self.n):
            return False
        w = pow(s, -1, self.n)
        e = int.from_bytes(digest, "big")
        point = self.add(self.of_generator(e * w), self.multiply(r * w, (x, y)))
        return point is not None and point[0] % self.n == r

    # cases

    def wide(self, value: int) -> bytes:
        return value.to_bytes(self.length, "big")

    def case(self, name: str, key: Point, e: int, r: int, s: int, valid: bool) -> Case:
        assert key is not None
        return Case(
            f"{self.name} {name}",
            self.algorithm,
            self.wide(key[0]) + self.wide(key[1]),
            self.wide(e),
            self.wide(r) + self.wide(s),
            valid,
        )

    def from_scalars(self, name: str, u1: int, u2: int, d: int) -> Case:
        """The signature by the key d G whose verification computes u1 G + u2 Q. Valid unless that sum is infinity; r and s
        are then such that u1 and u2 come out all the same."""
        total = self.of_generator(u1 + u2 * d)
        r = total[0] % self.n if total is not None else 5
        s = r * pow(u2, -1, self.n) % self.n
        return self.case(name, self.of_generator(d), u1 * s % self.n, r, s, total is not None)


P256: Final = Curve(
    "P-256",
    ECDSA_P256,
    32,
    2**256 - 2**224 + 2**192 + 2**96 - 1,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    ec.SECP256R1(),
)
P384: Final = Curve(
    "P-384",
    ECDSA_P384,
    48,
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    (
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    ec.SECP384R1(),
)
CURVES: Final = (P256, P384)


def special_scalars(curve: Curve) -> list[int]:
    """Scalars at the borders of windows, limbs and the order; none is 0."""
    n, bits = curve.n, 8 * curve.length
    powers = [1 << i for i in (1, 4, 5, 8, 27, 28, 29, 55, 56, 57, 63, 64, 112, 168, bits - 2, bits - 1)]
    patterns = [int("55" * curve.length, 16), int("aa" * curve.length, 16) % n, int("0f" * curve.length, 16)]
    around = [value + delta for value in powers for delta in (-1, 0, 1)]
    ends = [n - 1, n - 2, n - 3, n // 2, n // 2 + 1, 1, 2, 3, 15, 16, 17, 31, 127, 128, 129, 255]
    return sorted({value % n for value in around + patterns + ends if value % n})


def scalar_cases(curve: Curve) -> Iterator[Case]:
    """Each special scalar as u1 and as u2, with 0 for u1 too."""
    rng = random.Random(f"{curve.name} scalars")
    scalars = special_scalars(curve)
    for u in scalars:
        d = rng.randrange(1, curve.n)
        yield curve.from_scalars(f"u2 {u:x}", rng.randrange(curve.n), u, d)
        yield curve.from_scalars(f"u1 {u:x}", u, rng.randrange(1, curve.n), d)
        yield curve.from_scalars(f"u1 0, u2 {u:x}", 0, u, d)
        yield curve.from_scalars(f"u1 {u:x}, u2 1", u, 1, d)
        yield curve.from_scalars(f"u1 = u2 {u:x}", u, u, d)


def meeting_cases(curve: Curve) -> Iterator[Case]:
    """Keys that are small multiples of the generator, so that the sum on its way meets what is to be added, its opposite
    or infinity: what unchecked additions get wrong."""
    n = curve.n
    rng = random.Random(f"{curve.name} meetings")
    small = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33]
    for d in [*small, *(n - d for d in small), pow(2, -1, n), pow(3, -1, n), n - pow(2, -1, n)]:
        for u1, u2 in (
            (1, 1),
            (3, 1),
            (1, 3),
            (15, 1),
            (1, 15),
            (127, 1),
            (16, 16),
            (0, 1),
            (0, 2),
            (2**64 + 1, 2**64 + 1),
        ):
            yield curve.from_scalars(f"d {d:x} u1 {u1:x} u2 {u2:x}", u1, u2, d)
        u2 = rng.randrange(1, n)
        yield curve.from_scalars(f"d {d:x} doubling", u2 * d % n, u2, d)  # u1 G = u2 Q
        yield curve.from_scalars(f"d {d:x} infinity", -u2 * d % n, u2, d)  # u1 G = -u2 Q
        # the same but for the last bits: the meeting happens before the end
        yield curve.from_scalars(f"d {d:x} infinity on the way", (-u2 * d + 1) % n, u2, d)
        yield curve.from_scalars(f"d {d:x} doubling on the way", (u2 * d + 1) % n, u2, d)


def range_cases(curve: Curve) -> Iterator[Case]:
    """r and s at and beyond their ends, under a key and digest for which some of them are right."""
    n, p = curve.n, curve.p
    ends = [0, 1, 2, n - 1, n, n + 1, p - 1, p, 2 ** (8 * curve.length) - 1]
    rng = random.Random(f"{curve.name} ranges")
    d, e = rng.randrange(1, n), rng.randrange(n)
    key = curve.of_generator(d)
    for r in ends:
        for s in ends:
            case = curve.case(f"r {r:x} s {s:x}", key, e, r, s, False)
            yield replace(case, valid=curve.verify(case.key, case.digest, case.sig))
            if s in (0, n):  # beside one whose s has no inverse, a right one
                yield curve.from_scalars(f"beside r {r:x} s {s:x}", 1 + r % 1000, 3, 5)
    # valid ones: s = 1 and s = n - 1, and the same with n added to r or s wherever that fits the width
    k = rng.randrange(1, n)
    point = curve.of_generator(k)
    assert point is not None
    r = point[0] % n
    for s in (1, n - 1, n // 2):
        e = (s * k - r * d) % n
        yield curve.case(f"s {s:x}", key, e, r, s, True)
        for r_more, s_more in ((n, 0), (0, n), (n, n)):
            if max(r + r_more, s + s_more) < 2 ** (8 * curve.length):
                yield curve.case(f"s {s:x} plus n", key, e, r + r_more, s + s_more, False)
        if e + n < 2 ** (8 * curve.length):  # the digest is reduced, so this one is valid
            yield curve.case(f"s {s:x} digest plus n", key, e + n, r, s, True)
    for e in (0, n, n - 1, 1, 2 ** (8 * curve.length) - 1):
        s = pow(k, -1, n) * (e + r * d) % n
        yield curve.case(f"digest {e:x}", key, e, r, s, True)


def wrap_cases(curve: Curve) -> Iterator[Case]:
    """x(R) in [n, p), where r = x - n; and points that only a careless comparison would take."""
    n, p = curve.n, curve.p
    rng = random.Random(f"{curve.name} wraps")

    def key_for(point: Point, r: int, s: int, e: int) -> Point:
        minus_eg = curve.of_generator(-e)
        return curve.multiply(pow(r, -1, n), curve.add(curve.multiply(s, point), minus_eg))

    def points(x: int, step: int, count: int) -> Iterator[tuple[int, int]]:
        while count:
            point = curve.with_x(x)
            if point is not None:
                count -= 1
                yield point
            x += step

    for low in [*points(n + 1, 1, 3), *points(p - 1, -1, 3)]:
        s, e = rng.randrange(1, n), rng.randrange(n)
        r = low[0] - n
        yield curve.case(f"x - n = {r:x}", key_for(low, r, s, e), e, r, s, True)
        yield curve.case(f"x - n = {r:x} but r + 1", key_for(low, r, s, e), e, r + 1, s, False)
    for near in [*points(1, 1, 3), *points(p - n - 1, -1, 2), *points(p - n, 1, 2), *points(n - 1, -1, 2)]:
        s, e, x = rng.randrange(1, n), rng.randrange(n), near[0]
        yield curve.case(f"x = {x:x}", key_for(near, x, s, e), e, x, s, True)
        r = x + p - n  # r + n = x + p, which is not below p
        if r < n:
            yield curve.case(f"x = {x:x}, r + n - p = x", key_for(near, r, s, e), e, r, s, False)


def key_cases(curve: Curve) -> Iterator[Case]:
    """Keys that are no points of the curve, or the right point written otherwise, under a signature that is otherwise right."""
    good = curve.from_scalars("key", 3**100 % curve.n, 5**100 % curve.n, 7**100 % curve.n)
    length, p = curve.length, curve.p
    x, y = int.from_bytes(good.key[:length], "big"), int.from_bytes(good.key[length:], "big")
    yield good

    def with_key(name: str, kx: int, ky: int) -> Case:
        return replace(good, name=f"{curve.name} key {name}", key=curve.wide(kx) + curve.wide(ky), valid=False)

    yield with_key("negated", x, p - y)
    yield with_key("y + 1", x, (y + 1) % p)
    yield with_key("x + 1", (x + 1) % p, y)
    yield with_key("swapped", y, x)
    yield with_key("zero", 0, 0)
    yield with_key("x = p", p, y)
    yield with_key("y = p", x, p)
    yield with_key("x = p - 1", p - 1, y)
    yield with_key("all ones", 2 ** (8 * length) - 1, 2 ** (8 * length) - 1)
    # points with a small coordinate, for which that + p fits the width as well: congruent and signed for, but not below p
    small: list[tuple[str, Point]] = [(f"x = {x}", curve.with_x(x)) for x in range(20)]
    small += [(f"y = {y}", curve.with_y(y)) for y in range(1, 12)]
    u1, u2, n = 6, 35, curve.n
    for name, point in small:
        if point is None:
            continue
        total = curve.add(curve.of_generator(u1), curve.multiply(u2, point))
        assert total is not None
        r = total[0] % n
        s = r * pow(u2, -1, n) % n
        e = u1 * s % n
        yield curve.case(f"key {name}", point, e, r, s, True)
        beyond = (point[0] + p, point[1]) if name[0] == "x" else (point[0], point[1] + p)
        yield curve.case(f"key {name} + p", beyond, e, r, s, False)
    # points of twists and of other curves y^2 = x^3 - 3x + b', where the formulas run as well
    for i in range(1, 4):
        yield with_key(f"other curve {i}", x, (y * (i + 1)) % p)


def random_cases(curve: Curve, count: int) -> Iterator[Case]:
    """Valid signatures by seeded keys, and as many with one bit of key, digest or signature changed."""
    rng = random.Random(f"{curve.name} random")
    n = curve.n
    for i in range(count):
        case = curve.from_scalars(f"random {i}", rng.randrange(n), rng.randrange(1, n), rng.randrange(1, n))
        yield case
        which = rng.choice(("key", "digest", "sig"))
        data = bytearray(getattr(case, which))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        yield replace(case, name=f"{curve.name} random {i} {which} changed", valid=False, **{which: bytes(data)})


@cache
def edge_cases() -> tuple[Case, ...]:
    return tuple(
        case
        for curve in CURVES
        for family in (scalar_cases, meeting_cases, range_cases, wrap_cases, key_cases)
        for case in family(curve)
    )


def length_cases() -> Iterator[Case]:
    """Right signatures with parts cut, lengthened or empty, and under algorithms that are not theirs."""
    for base in (*(next(iter(key_cases(curve))) for curve in CURVES), *(rsa_good(2048, a) for a in range(3, 7))):
        for which in ("key", "digest", "sig"):
            data = getattr(base, which)
            others: dict[str, bytes] = {
                "empty": b"",
                "cut": data[:-1],
                "behind its first byte": data[1:],
                "half": data[: len(data) // 2],
            }
            if which != "digest" or len(data) < 48:
                others |= {"longer": data + b"\0", "zero before": b"\0" + data}
            for name, other in others.items():
                yield replace(base, name=f"{base.name} {which} {name}", valid=False, **{which: other})
        for algorithm in (0, 1, 2, 3, 4, 5, 6, 7, 255):
            if algorithm != base.algorithm:
                yield replace(base, name=f"{base.name} as algorithm {algorithm}", algorithm=algorithm, valid=False)


# ---- RSA -----------------------------------------------------------------------------------------------------------------

RSA_HASHES: Final = {PSS_SHA256: "sha256", PSS_SHA384: "sha384", PKCS1_SHA256: "sha256", PKCS1_SHA384: "sha384"}
DIGEST_INFO: Final = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
}


def _is_prime(n: int) -> bool:
    """Miller and Rabin; these bases decide below 2^64."""
    d, twos = n - 1, 0
    while d % 2 == 0:
        d, twos = d // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(base, d, n)
        if x not in (1, n - 1) and all(pow(x, 2**i, n) != n - 1 for i in range(1, twos)):
            return False
    return True


@dataclass(frozen=True)
class RsaKey:
    """A modulus of many small primes: worthless as a key, but any size, from a seed, at once."""

    primes: tuple[int, ...]
    e: int

    @property
    def n(self) -> int:
        return prod(self.primes)

    @property
    def bits(self) -> int:
        return self.n.bit_length()

    @property
    def length(self) -> int:
        return (self.bits + 7) // 8

    @property
    def modulus(self) -> bytes:
        return self.n.to_bytes(self.length, "big")

    def sign(self, encoded: bytes) -> bytes:
        value, n, out = int.from_bytes(encoded, "big"), self.n, 0
        assert value < n
        for p in self.primes:  # the e-th root modulo each prime, put together (Chinese remainders)
            others = n // p
            out += pow(value % p, pow(self.e, -1, p - 1), p) * pow(others, -1, p) * others
        return (out % n).to_bytes(self.length, "big")


@cache
def rsa_key(bits: int, e: int = 65537) -> RsaKey:
    rng = random.Random(f"rsa {bits} {e}")

    def primes(size: int) -> Iterator[int]:
        while True:
            candidate = rng.getrandbits(size) | 1 << (size - 1) | 1
            if _is_prime(candidate) and gcd(candidate - 1, e) == 1:
                yield candidate

    first = set[int]()
    source = primes(48)
    while prod(first).bit_length() < bits - 100:
        first.add(next(source))
    left = bits - prod(first).bit_length()
    while True:  # two more, until the size is met
        out = (*sorted(first), next(primes(left // 2)), next(primes(left - left // 2 + 1)))
        if prod(out).bit_length() == bits and len(set(out)) == len(out):
            return RsaKey(out, e)


def mgf1(name: str, seed: bytes, length: int) -> bytes:
    out, counter = b"", 0
    while len(out) < length:
        out += hashlib.new(name, seed + counter.to_bytes(4, "big")).digest()
        counter += 1
    return out[:length]


def pss_encode(
    name: str, digest: bytes, bits: int, salt: bytes, *, trailer: int = 0xBC, separator: int = 1, padding: bytes = b"",
    top: int = 0, mgf: str | None = None, prefix: bytes = bytes(8),
) -> bytes:  # fmt: skip
    """EMSA-PSS (RFC 8017, 9.1.1) for emBits = bits - 1; the keywords spoil one part each. As long as the modulus."""
    em_bits = bits - 1
    em_len = (em_bits + 7) // 8
    h = hashlib.new(name, prefix + digest + salt).digest()
    db_len = em_len - len(h) - 1
    db = (padding + bytes([separator]) + salt).rjust(db_len, b"\0")
    masked = int.from_bytes(db, "big") ^ int.from_bytes(mgf1(mgf or name, h, db_len), "big")
    masked &= (1 << (8 * db_len - (8 * em_len - em_bits))) - 1
    masked |= top << (8 * db_len - 8)
    return (masked.to_bytes(db_len, "big") + h + bytes([trailer])).rjust((bits + 7) // 8, b"\0")


def pkcs1_encode(digest: bytes, length: int, info: bytes) -> bytes:
    tail = b"\0" + info + digest
    return b"\0\1" + b"\xff" * (length - 2 - len(tail)) + tail


def _rsa_case(name: str, key: RsaKey, algorithm: int, digest: bytes, sig: bytes, valid: bool) -> Case:
    return Case(f"RSA-{key.bits} {name}", algorithm, key.modulus, digest, sig, valid, key.e)


def rsa_good(bits: int, algorithm: int, e: int = 65537) -> Case:
    key, name = rsa_key(bits, e), RSA_HASHES[algorithm]
    digest = hashlib.new(name, f"{bits} {algorithm}".encode()).digest()
    if algorithm in (PSS_SHA256, PSS_SHA384):
        encoded = pss_encode(name, digest, bits, hashlib.new(name, b"salt").digest())
    else:
        encoded = pkcs1_encode(digest, key.length, DIGEST_INFO[name])
    return _rsa_case(f"e {e} algorithm {algorithm}", key, algorithm, digest, key.sign(encoded), True)


RSA_SIZES: Final = (
    2041,
    2047,
    2048,
    2049,
    2050,
    2055,
    2056,
    2057,
    2111,
    2112,
    2113,
    3072,
    3073,
    4033,
    4095,
    4089,
    4096,
)


def rsa_size_cases() -> Iterator[Case]:
    """Every kind of modulus length: whole and broken words, and lengths where PSS has a byte less than the modulus."""
    for bits in RSA_SIZES:
        for algorithm in range(3, 7):
            yield rsa_good(bits, algorithm)
    for e in (3, 5, 17, 257, 2**32 - 1):
        for algorithm in (PSS_SHA384, PKCS1_SHA256):
            yield rsa_good(2048, algorithm, e)


def pss_cases() -> Iterator[Case]:
    for bits, algorithm in ((2048, PSS_SHA256), (2049, PSS_SHA384), (2055, PSS_SHA384), (4096, PSS_SHA384)):
        key, name = rsa_key(bits), RSA_HASHES[algorithm]
        digest = hashlib.new(name, b"pss").digest()
        length = len(digest)
        salt = hashlib.new(name, b"other salt").digest()
        db_len = (bits - 1 + 7) // 8 - length - 1
        other = "sha384" if name == "sha256" else "sha256"
        free_bits = 8 * ((bits - 1 + 7) // 8) - (bits - 1)
        bad = {
            "salt empty": {"salt": b""},
            "salt short": {"salt": salt[:-1]},
            "salt long": {"salt": salt + b"\0"},
            "salt as long as can be": {"salt": (salt * 20)[: db_len - 1]},
            "trailer cc": {"trailer": 0xCC},
            "trailer 0": {"trailer": 0},
            "separator 0": {"separator": 0},
            "separator 2": {"separator": 2},
            "separator 81": {"separator": 0x81},
            "padding ends in 1": {"padding": b"\1"},
            "padding begins with 1": {"padding": b"\1".ljust(db_len - length - 1, b"\0")},
            "mgf other hash": {"mgf": other},
            "prefix": {"prefix": bytes(7) + b"\1"},
        }
        yield _rsa_case(f"pss {name}", key, algorithm, digest, key.sign(pss_encode(name, digest, bits, salt)), True)
        for what, spoilt in bad.items():
            encoded = pss_encode(name, digest, bits, **{"salt": salt, **spoilt})  # type: ignore[arg-type]
            yield _rsa_case(f"pss {name} {what}", key, algorithm, digest, key.sign(encoded), False)
        for bit in range(8 - free_bits, 8):
            encoded = pss_encode(name, digest, bits, salt, top=1 << bit)
            if int.from_bytes(encoded, "big") < key.n:
                yield _rsa_case(f"pss {name} top bit {bit}", key, algorithm, digest, key.sign(encoded), False)
        if bits % 8 == 1:
            encoded = b"\1" + pss_encode(name, digest, bits, salt)[1:]
            if int.from_bytes(encoded, "big") < key.n:
                yield _rsa_case(f"pss {name} leading byte", key, algorithm, digest, key.sign(encoded), False)


def pkcs1_cases() -> Iterator[Case]:
    bits, algorithm = 2048, PKCS1_SHA256
    key = rsa_key(bits)
    digest = hashlib.sha256(b"pkcs1").digest()
    info = DIGEST_INFO["sha256"]
    good = pkcs1_encode(digest, key.length, info)
    no_null = bytes.fromhex("302f300b0609608648016503040201") + bytes.fromhex("0420")
    long_form = bytes.fromhex("308131300d060960864801650304020105000420")
    start = key.length - len(info) - 32 - 1
    bad = {
        "without NULL": pkcs1_encode(digest, key.length, no_null),
        "long form length": pkcs1_encode(digest, key.length, long_form),
        "without DigestInfo": pkcs1_encode(digest, key.length, b""),
        "other hash's info": pkcs1_encode(digest, key.length, DIGEST_INFO["sha384"]),
        "block type 0": b"\0\0" + good[2:],
        "block type 2": b"\0\2" + good[2:],
        "first byte 1": b"\1" + good[1:],
        "padding with a zero": good[:10] + b"\0" + good[11:],
        "padding with fe": good[:-60] + b"\xfe" + good[-59:],
        "separator ff": good[:start] + b"\xff" + good[start + 1 :],
        "trailing bytes": b"\0\1" + b"\xff" * 8 + b"\0" + info + digest + bytes(key.length - 11 - len(info) - 32),
        "digest changed": good[:-1] + bytes([good[-1] ^ 1]),
        "all zero": bytes(key.length),
    }
    yield _rsa_case("pkcs1", key, algorithm, digest, key.sign(good), True)
    for what, encoded in bad.items():
        if int.from_bytes(encoded, "big") < key.n:
            yield _rsa_case(f"pkcs1 {what}", key, algorithm, digest, key.sign(encoded), False)
    low_e = rsa_key(2048, 3)
    # a cube that begins like a signature: what e = 3 and careless parsing let through
    prefix = b"\0\1" + b"\xff" * 8 + b"\0" + info + digest
    target = int.from_bytes(prefix.ljust(256, b"\0"), "big")
    root = 1 << 700
    while root**3 < target:
        root += 1 << max(root.bit_length() - 40, 0)
    yield _rsa_case("pkcs1 forged cube", low_e, algorithm, digest, root.to_bytes(256, "big"), False)


def rsa_value_cases() -> Iterator[Case]:
    """Signature values at the ends, moduli and exponents that are refused."""
    for bits in (2048, 2049, 4096):
        for algorithm in (PSS_SHA384, PKCS1_SHA384):
            good = rsa_good(bits, algorithm)
            yield good
            n = int.from_bytes(good.key, "big")
            for what, value in (
                ("0", 0),
                ("1", 1),
                ("n - 1", n - 1),
                ("n", n),
                ("n + 1", n + 1),
                ("all ones", 2 ** (8 * len(good.key)) - 1),
            ):
                if value < 2 ** (8 * len(good.key)):
                    sig = value.to_bytes(len(good.key), "big")
                    yield replace(good, name=f"{good.name} value {what}", sig=sig, valid=False)
            again = int.from_bytes(good.sig, "big") + n
            if again < 2 ** (8 * len(good.key)):
                yield replace(good, name=f"{good.name} plus n", sig=again.to_bytes(len(good.key), "big"), valid=False)
            yield replace(
                good, name=f"{good.name} modulus + 1", key=(n + 1).to_bytes(len(good.key), "big"), valid=False
            )
            yield replace(
                good, name=f"{good.name} modulus - 2", key=(n - 2).to_bytes(len(good.key), "big"), valid=False
            )
            for e in (0, 1, 2, 4, 65536, 65539):
                yield replace(good, name=f"{good.name} exponent {e}", exponent=e, valid=False)
    yield from short_modulus_cases()
    yield from small_exponent_cases()


def short_modulus_cases() -> Iterator[Case]:
    """Right signatures by moduli of 255 and 513 bytes, and one with a zero byte before its modulus: not of a size we take."""
    for bits in (2040, 4097, 4104):
        for algorithm in (PSS_SHA256, PKCS1_SHA384):
            yield replace(rsa_good(bits, algorithm), valid=False)
    good = rsa_good(2048, PKCS1_SHA256)
    yield replace(good, name="RSA-2048 zero before", key=b"\0" + good.key, sig=b"\0" + good.sig, valid=False)


def small_exponent_cases() -> Iterator[Case]:
    """Exponents 1, 2 and 4 under which the signature would be right, did we take them."""
    p = 2**2047 + 1919  # prime, and 3 modulo 4: roots are easy
    digest = hashlib.sha384(b"small exponents").digest()
    for i in range(50):
        encoded = int.from_bytes(pss_encode("sha384", digest, 2048, hashlib.sha384(bytes([i])).digest()), "big")
        if encoded < p and pow(encoded, (p - 1) // 2, p) == 1:
            break
    root = pow(encoded, (p + 1) // 4, p)
    root = root if pow(root, (p - 1) // 2, p) == 1 else p - root
    for e, value in ((1, encoded), (2, root), (2, p - root), (4, pow(root, (p + 1) // 4, p))):
        assert pow(value, e, p) == encoded
        yield Case(
            f"RSA exponent {e}", PSS_SHA384, p.to_bytes(256, "big"), digest, value.to_bytes(256, "big"), False, e
        )
    value = pow(encoded, pow(65537, -1, p - 1), p)
    yield Case(
        "RSA exponent 65537", PSS_SHA384, p.to_bytes(256, "big"), digest, value.to_bytes(256, "big"), True, 65537
    )


@cache
def rsa_cases() -> tuple[Case, ...]:
    families = (rsa_size_cases, pss_cases, pkcs1_cases, rsa_value_cases)
    return tuple(case for family in families for case in family())


# ---- Wycheproof ----------------------------------------------------------------------------------------------------------


def _groups(name: str) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads((WYCHEPROOF / name).read_text())["testGroups"]
    return groups


def strict_der_signature(der: bytes, length: int) -> bytes | None:
    """r || s of an ECDSA-Sig-Value; None unless it is DER to the letter and both fit the width."""

    def integer(data: bytes) -> tuple[int, bytes] | None:
        if len(data) < 3 or data[0] != 2 or data[1] >= 0x80 or len(data) < 2 + data[1] or data[1] == 0:
            return None
        value, rest = data[2 : 2 + data[1]], data[2 + data[1] :]
        if value[0] >= 0x80 or (value[0] == 0 and len(value) > 1 and value[1] < 0x80):
            return None
        return int.from_bytes(value, "big"), rest

    if len(der) < 2 or der[0] != 0x30 or der[1] >= 0x80 or len(der) != 2 + der[1]:
        return None
    first = integer(der[2:])
    second = integer(first[1]) if first is not None else None
    if first is None or second is None or second[1]:
        return None
    try:
        return first[0].to_bytes(length, "big") + second[0].to_bytes(length, "big")
    except OverflowError:
        return None


@dataclass(frozen=True, slots=True)
class Vectors:
    """One file: its cases for the engines, and how many of its tests stop before (a malformed encoding, other parameters)."""

    cases: tuple[Case, ...]
    refused: int


def wycheproof_ecdsa(curve: Curve, name: str) -> Vectors:
    cases: list[Case] = []
    refused = 0
    sha = {32: "sha256", 48: "sha384"}[curve.length]
    for group in _groups(name):
        assert group["publicKey"]["curve"] in ("secp256r1", "secp384r1")
        assert group["sha"].replace("-", "").lower() == sha
        key = bytes.fromhex(group["publicKey"]["uncompressed"])
        assert key[0] == 4
        for test in group["tests"]:
            sig: bytes | None = bytes.fromhex(test["sig"])
            if group["type"] == "EcdsaVerify":
                assert sig is not None
                sig = strict_der_signature(sig, curve.length)
            valid = test["result"] == "valid"
            if sig is None:
                assert not valid, f"{name} {test['tcId']}: valid, yet not DER"
                refused += 1
                continue
            digest = hashlib.new(sha, bytes.fromhex(test["msg"])).digest()
            cases.append(Case(f"{name} {test['tcId']}", curve.algorithm, key[1:], digest, sig, valid))
    return Vectors(tuple(cases), refused)


def wycheproof_rsa(name: str) -> Vectors:
    """A "acceptable" of these files is an encoding without NULL, which is refused here."""
    cases: list[Case] = []
    refused = 0
    for group in _groups(name):
        sha = group["sha"].replace("-", "").lower()
        if group["type"] == "RsassaPkcs1Verify":
            algorithm = {"sha256": PKCS1_SHA256, "sha384": PKCS1_SHA384}.get(sha)
        else:
            salt = {"sha256": 32, "sha384": 48}.get(sha)
            ours = group["mgf"] == "MGF1" and group["mgfSha"] == group["sha"] and group["sLen"] == salt
            algorithm = {"sha256": PSS_SHA256, "sha384": PSS_SHA384}.get(sha) if ours else None
        if algorithm is None:
            refused += len(group["tests"])
            continue
        modulus = bytes.fromhex(group["publicKey"]["modulus"]).lstrip(b"\0")
        exponent = int(group["publicKey"]["publicExponent"], 16)
        for test in group["tests"]:
            digest = hashlib.new(sha, bytes.fromhex(test["msg"])).digest()
            sig = bytes.fromhex(test["sig"])
            valid = test["result"] == "valid"
            cases.append(Case(f"{name} {test['tcId']}", algorithm, modulus, digest, sig, valid, exponent))
    return Vectors(tuple(cases), refused)


ECDSA_FILES: Final = (
    (P256, "ecdsa_secp256r1_sha256_test.json"),
    (P256, "ecdsa_secp256r1_sha256_p1363_test.json"),
    (P384, "ecdsa_secp384r1_sha384_test.json"),
    (P384, "ecdsa_secp384r1_sha384_p1363_test.json"),
)
RSA_FILES: Final = (
    "rsa_pss_2048_sha384_mgf1_48_test.json",
    "rsa_pss_4096_sha384_mgf1_48_test.json",
    "rsa_pss_misc_params_test.json",
    "rsa_signature_2048_sha256_test.json",
)


# ---- hashes, and the file for tests/c/selftest.c -------------------------------------------------------------------------


def hash_messages() -> Iterator[bytes]:
    """Every length around the blocks of both hash functions, and some long ones."""
    rng = random.Random("hashes")
    for length in (*range(260), 511, 512, 513, 1023, 1024, 1025, 4096, 10007):
        yield rng.randbytes(length)


def selftest_lines(cases: Sequence[Case]) -> Iterator[str]:
    for message in hash_messages():
        for bits in (256, 384, 512):
            yield f"hash {bits} {message.hex() or '-'} {hashlib.new(f'sha{bits}', message).hexdigest()}"
    for case in cases:
        yield case.line()
