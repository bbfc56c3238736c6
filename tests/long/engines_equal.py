# SPDX-License-Identifier: Apache-2.0
"""Every native engine of this machine over millions of signatures: all outcomes must be equal, and right where they are known.

    python tests/long/engines_equal.py --signatures 1000000 --seed 1 --resume run.json --workers 2

So many a curve, and an eighth of that for RSA, whose jobs mix schemes, sizes, keys and exponents in one run of an engine.

Signatures are random, damaged, at the edges of their ranges, and made to meet exceptional additions. They come in chunks, each from its
own seed, so a run can be stopped and goes on where its file says; the first difference is printed as a job and ends the run with status 1.

Each engine judges each chunk of a curve with tables of keys that stay from chunk to chunk, and without; one chunk in four also with new
tables that have too little room. `portable`, which is slow without tables, does that part on the same one in four.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "core"))

import sigvectors as vectors
from sigvectors import Curve, Point

from attestcore import _lib, signatures
from attestcore._native import ffi, lib
from attestcore.engines import runner
from attestcore.signatures import KeyTables

CHUNK: Final = 8192
POOL: Final = 512  # keys, and nonces: their products with the generator are made once
CHECKED_BY_CRYPTOGRAPHY: Final = 32  # one job in so many
SOME: Final = 4  # one chunk in so many is judged in the slow ways, too
TABLE_BYTES: Final = 16 << 20  # room for all keys of the pools

Job = tuple[bytes, bytes, bytes, bool | None]  # key, digest, signature, and whether it is valid where that is known


@dataclass
class Generator:
    """Jobs of one curve. Pools of keys and nonces make a valid signature cost a few products modulo n."""

    curve: Curve
    keys: list[tuple[int, bytes]]
    nonces: list[tuple[int, int]]  # 1/k and r
    small: list[tuple[int, bytes]]
    scalars: list[int]
    fixed: list[Job]

    @classmethod
    def of(cls, curve: Curve, seed: str) -> Generator:
        rng = random.Random(f"{seed} {curve.name} pools")
        n = curve.n

        def encoded(point: Point) -> bytes:
            assert point is not None
            return curve.wide(point[0]) + curve.wide(point[1])

        keys = [(d, encoded(curve.of_generator(d))) for d in (rng.randrange(1, n) for _ in range(POOL))]
        near = [*range(1, 40), *(n - d for d in range(1, 40)), *(pow(2, -i, n) for i in range(1, 10))]
        chain = 13 if curve is vectors.P384 else 9  # of csrc/comb.h: keys whose combs have points of G's
        near += [sign * pow(2, i * chain, n) % n for i in range(1, 30) for sign in (1, -1)]
        small = [(d, encoded(curve.of_generator(d))) for d in near]
        nonces = []
        for _ in range(POOL):
            k = rng.randrange(1, n)
            point = curve.of_generator(k)
            assert point is not None
            nonces.append((pow(k, -1, n), point[0] % n))
        families = (vectors.range_cases, vectors.wrap_cases, vectors.key_cases, vectors.meeting_cases)
        fixed = [(case.key, case.digest, case.sig, case.valid) for family in families for case in family(curve)]
        return cls(curve, keys, nonces, small, vectors.special_scalars(curve), fixed)

    def valid(self, rng: random.Random) -> Job:
        d, key = rng.choice(self.keys)
        return self.signed(rng, d, key, rng.choice((rng.randrange(self.curve.n), 0, 1, self.curve.n, self.curve.n - 1)))

    def signed(self, rng: random.Random, d: int, key: bytes, e: int) -> Job:
        n, wide = self.curve.n, self.curve.wide
        inverse, r = rng.choice(self.nonces)
        s = inverse * (e + r * d) % n
        return key, wide(e), wide(r) + wide(rng.choice((s, n - s))), True if s else None

    def damaged(self, rng: random.Random) -> Job:
        parts = list(self.valid(rng)[:3])
        which = rng.randrange(3)
        data = bytearray(parts[which])
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        parts[which] = bytes(data)
        return parts[0], parts[1], parts[2], None

    def edge(self, rng: random.Random) -> Job:
        """r, s, the digest or a coordinate at and around 0, 1, n and p."""
        n, p, wide, length = self.curve.n, self.curve.p, self.curve.wide, self.curve.length
        top = 2 ** (8 * length) - 1
        ends = [
            v for v in (0, 1, 2, n - 2, n - 1, n, n + 1, p - n - 1, p - n, p - n + 1, p - 1, p, p + 1, top) if v <= top
        ]
        key, digest, sig, _ = self.valid(rng)
        parts = [key[:length], key[length:], digest, sig[:length], sig[length:]]
        for i in rng.sample(range(5), rng.choice((1, 1, 2))):
            parts[i] = wide(rng.choice(ends))
        return parts[0] + parts[1], parts[2], parts[3] + parts[4], None

    def meeting(self, rng: random.Random) -> Job:
        """Keys that are small multiples of G, or scalars that make u1 G and u2 Q meet on the way."""
        curve, n = self.curve, self.curve.n
        if rng.random() < 0.5:
            d, key = rng.choice(self.small)
            u1, u2 = (rng.choice((rng.choice(self.scalars), rng.randrange(1, 300))) for _ in range(2))
        else:
            d, key = rng.choice(self.keys)
            u2 = rng.choice((rng.choice(self.scalars), rng.randrange(1, n)))
            u1 = (
                rng.choice((1, -1)) * u2 * d + rng.choice((0, 0, 1, -1, rng.randrange(1 << rng.randrange(1, 200))))
            ) % n
        total = curve.of_generator(u1 + u2 * d)
        r = total[0] % n if total is not None else rng.randrange(1, n)
        s = r * pow(u2, -1, n) % n
        return key, curve.wide(u1 * s % n), curve.wide(r) + curve.wide(s), total is not None

    def known(self, rng: random.Random) -> Job:
        return rng.choice(self.fixed)

    def chunk(self, seed: str, number: int) -> list[Job]:
        rng = random.Random(f"{seed} {self.curve.name} {number}")
        kinds: list[Callable[[random.Random], Job]] = [self.valid, self.damaged, self.edge, self.meeting, self.known]
        return [kind(rng) for kind in rng.choices(kinds, (60, 20, 10, 4, 6), k=CHUNK)]


class Judges:
    """Every engine, with tables of keys that stay and without; of one curve, in one process."""

    def __init__(self, curve: Curve, seed: str, engines: list[str]) -> None:
        self.curve = curve
        self.seed = seed
        self.generator = Generator.of(curve, seed)
        self.engines = engines
        self.kept = {engine: KeyTables(TABLE_BYTES) for engine in engines}

    def ways(self, number: int) -> Iterator[tuple[str, str, KeyTables]]:
        for engine in self.engines:
            yield engine, "kept tables", self.kept[engine]
            if engine != "portable" or number % SOME == 0:
                yield engine, "no tables", KeyTables(0)
            if number % SOME == 0:
                yield engine, "few tables", KeyTables(1 << 20)

    def chunk(self, number: int) -> int:
        """The count of valid ones; SystemExit at the first difference."""
        curve, jobs = self.curve, self.generator.chunk(self.seed, number)
        keys, digests, sigs = (b"".join(job[i] for job in jobs) for i in range(3))
        some = slice(None, None, CHECKED_BY_CRYPTOGRAPHY)
        few = (b"".join(job[i] for job in jobs[some]) for i in range(3))
        by_library = signatures.verify_ecdsa(curve.name, *few, engine="cryptography")
        expected: bytes | None = None
        for engine, what, tables in self.ways(number):
            got = signatures.verify_ecdsa(curve.name, keys, digests, sigs, engine=engine, tables=tables)
            if expected is None:
                expected = bytes(got[i] if job[3] is None else job[3] for i, job in enumerate(jobs))
            if got != expected:
                at = next(i for i in range(len(jobs)) if got[i] != expected[i])
                job = " ".join(part.hex() for part in jobs[at][:3])
                raise SystemExit(f"DIFFERENT: {curve.name} {engine}, {what}: {got[at]}, expected {expected[at]}: {job}")
            if got[some] != by_library:
                raise SystemExit(f"DIFFERENT: {curve.name} {engine} and cryptography: {[j[:3] for j in jobs[some]]}")
        assert expected is not None
        return sum(expected)


RSA: Final = "RSA"
RSA_SHARE: Final = 8
RSA_BITS: Final = (2048, 3072, 4096)
RSA_KEYS: Final = 6  # a size

RsaJob = tuple[int, bytes, int, bytes, bytes, bool | None]  # algorithm, modulus, exponent, digest, signature, valid


@dataclass
class RsaGenerator:
    """RSA jobs: encodings are made anew each time, and the private operation is that of small primes, so it costs little."""

    keys: list[vectors.RsaKey]
    fixed: list[RsaJob]

    @classmethod
    def of(cls) -> RsaGenerator:
        sizes = [bits for bits in (*RSA_BITS, *(2041, 2049, 2113, 3001, 4089)) for _ in range(RSA_KEYS)]
        exponents = (65537, 65537, 3, 17, 257, 2**32 - 1)
        keys = [vectors.rsa_key(bits, exponents[i % RSA_KEYS]) for i, bits in enumerate(sizes)]
        fixed = [(c.algorithm, c.key, c.exponent, c.digest, c.sig, c.valid) for c in vectors.rsa_cases()]
        return cls(keys, fixed)

    def valid(self, rng: random.Random, keys: list[vectors.RsaKey]) -> RsaJob:
        key, algorithm = rng.choice(keys), rng.randrange(3, 7)
        name = vectors.RSA_HASHES[algorithm]
        digest = rng.randbytes(32 if name == "sha256" else 48)
        if algorithm in (vectors.PSS_SHA256, vectors.PSS_SHA384):
            encoded = vectors.pss_encode(name, digest, key.n.bit_length(), rng.randbytes(len(digest)))
        else:
            encoded = vectors.pkcs1_encode(digest, key.length, vectors.DIGEST_INFO[name])
        return algorithm, key.n.to_bytes(key.length, "big"), key.e, digest, key.sign(encoded), True

    def spoilt(self, rng: random.Random, keys: list[vectors.RsaKey]) -> RsaJob:
        """A bit changed, or a value of the signature, the modulus or the exponent at the ends of its range."""
        algorithm, modulus, exponent, digest, sig, _ = self.valid(rng, keys)
        n, size = int.from_bytes(modulus, "big"), len(modulus)
        which = rng.randrange(6)
        if which == 0:
            value = rng.choice((0, 1, n - 2, n - 1, n, n + 1, 2 ** (8 * size) - 1, rng.randrange(n)))
            sig = value.to_bytes(size, "big")
        elif which == 1:
            modulus = (n + rng.choice((-3, -2, -1, 1, 2))).to_bytes(size, "big")
        elif which == 2:
            exponent = rng.choice((0, 1, 2, exponent - 1, exponent ^ 2))
        else:
            parts = [bytearray(sig), bytearray(digest), bytearray(modulus)]
            parts[which - 3][rng.randrange(len(parts[which - 3]))] ^= 1 << rng.randrange(8)
            sig, digest, modulus = (bytes(part) for part in parts)
        return algorithm, modulus, exponent, digest, sig, None

    def chunk(self, seed: str, number: int, size: int) -> list[RsaJob]:
        """Runs in which keys are all of a few, so that lanes hold the same ones, and others in which they are any."""
        rng = random.Random(f"{seed} {RSA} {number}")
        out: list[RsaJob] = []
        while len(out) < size:
            keys = rng.sample(self.keys, rng.choice((1, 2, 3, len(self.keys))))
            for _ in range(rng.randrange(1, 80)):
                kind = rng.random()
                job = self.valid(rng, keys) if kind < 0.65 else self.spoilt(rng, keys)
                out.append(rng.choice(self.fixed) if kind > 0.97 else job)
        return out[:size]


def rsa_outcomes(engine: str, jobs: list[RsaJob]) -> bytes:
    c = ffi.new("att_sig_job[]", len(jobs))
    keep = []
    for job, (algorithm, modulus, exponent, digest, sig, _) in zip(c, jobs, strict=True):
        keep.append((ffi.from_buffer(modulus), ffi.from_buffer(sig)))
        job.algorithm, job.exponent, job.digest_len = algorithm, exponent, len(digest)
        job.key, job.key_len, job.sig, job.sig_len = keep[-1][0], len(modulus), keep[-1][1], len(sig)
        ffi.memmove(job.digest, digest, len(digest))
    _lib._run_jobs(runner(engine), c, len(jobs))
    assert {job.outcome for job in c} <= {lib.ATT_SIG_VALID, lib.ATT_SIG_INVALID}
    return bytes(job.outcome == lib.ATT_SIG_VALID for job in c)


def compare_rsa(jobs: list[RsaJob], engines: list[str]) -> int:
    """The count of valid ones; SystemExit at the first difference."""
    found = {engine: rsa_outcomes(engine, jobs) for engine in engines}
    first = found[engines[0]]
    expected = bytes(first[i] if job[5] is None else job[5] for i, job in enumerate(jobs))
    by_library = rsa_outcomes("cryptography", jobs[::CHECKED_BY_CRYPTOGRAPHY])
    for engine, outcomes in found.items():
        if outcomes != expected:
            at = next(i for i in range(len(jobs)) if outcomes[i] != expected[i])
            raise SystemExit(f"DIFFERENT: {RSA} {engine}: {outcomes[at]}, expected {expected[at]}: {jobs[at]}")
        if outcomes[::CHECKED_BY_CRYPTOGRAPHY] != by_library:
            raise SystemExit(f"DIFFERENT: {RSA} {engine} and cryptography: {jobs[::CHECKED_BY_CRYPTOGRAPHY]}")
    return sum(expected)


def cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def chunks_of(name: str, seed: str, engines: list[str]) -> Callable[[int], int]:
    """What runs chunk number so and so of a curve, or of RSA."""
    if name == RSA:
        rsa_generator = RsaGenerator.of()
        return lambda number: compare_rsa(rsa_generator.chunk(seed, number, CHUNK), engines)
    curve = next(curve for curve in vectors.CURVES if curve.name == name)
    return Judges(curve, seed, engines).chunk


_step: Callable[[int], int] | None = None


def start_worker(name: str, seed: str, engines: list[str]) -> None:
    global _step
    _step = chunks_of(name, seed, engines)


def judge_chunk(number: int) -> int | str:
    assert _step is not None
    try:
        return _step(number)
    except SystemExit as difference:
        return str(difference)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signatures", type=int, required=True, help="how many a curve")
    parser.add_argument("--seed", required=True)
    parser.add_argument("--resume", type=Path, required=True, help="where progress is kept")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--curve", choices=[*(curve.name for curve in vectors.CURVES), RSA], action="append")
    options = parser.parse_args()
    engines = [name for name in signatures.engines() if name != "cryptography"]
    state: dict[str, dict[str, int]] = {}
    if options.resume.exists():
        kept = json.loads(options.resume.read_text())
        if kept["seed"] != options.seed or kept["engines"] != engines:
            raise SystemExit(f"{options.resume} belongs to seed {kept['seed']!r} and engines {kept['engines']}")
        state = kept["curves"]
    print(f"seed {options.seed!r}, engines {', '.join(engines)}, {cpu()}", flush=True)
    for name in (*(curve.name for curve in vectors.CURVES), RSA):
        if options.curve is not None and name not in options.curve:
            continue
        wanted = max(options.signatures // RSA_SHARE, 1) if name == RSA else options.signatures
        done = state.setdefault(name, {"signatures": 0, "valid": 0})
        started, begun = time.monotonic(), done["signatures"]
        numbers = range(begun // CHUNK, -(-wanted // CHUNK))
        context = multiprocessing.get_context("spawn")
        with context.Pool(options.workers, start_worker, (name, options.seed, engines)) as pool:
            for valid in pool.imap(judge_chunk, numbers):
                if isinstance(valid, str):
                    raise SystemExit(valid)
                done["valid"] += valid
                done["signatures"] += CHUNK
                partial = options.resume.with_suffix(".partial")
                partial.write_text(json.dumps({"seed": options.seed, "engines": engines, "curves": state}))
                partial.replace(options.resume)
                if done["signatures"] // CHUNK % 16 == 0:
                    rate = (done["signatures"] - begun) / (time.monotonic() - started)
                    print(f"{name} {done['signatures']} equal, {done['valid']} valid, {rate:.0f}/s", flush=True)
        print(f"{name}: {done['signatures']} signatures equal, {done['valid']} valid", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
