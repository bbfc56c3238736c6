"""What the Python programs among the peers share: the evidence, and how calls are counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_TAMPERED_BYTE = 0x90  # the first of MEASUREMENT


@dataclass(frozen=True, slots=True)
class Evidence:
    report: bytes
    vcek: bytes
    ask: bytes
    ark: bytes

    @classmethod
    def load(cls, folder: str) -> Evidence:
        return cls(*((Path(folder) / name).read_bytes() for name in ("report.bin", "vcek.der", "ask.der", "ark.der")))


@dataclass(frozen=True, slots=True)
class Bare:
    """Bare signatures as columns: of a curve, or RSA-4096 PSS with SHA-384 under one key (keys: its SubjectPublicKeyInfo)."""

    curve: Literal["P-256", "P-384"]
    n: int
    keys: bytes
    digests: bytes
    sigs: bytes

    @classmethod
    def load(cls, folder: str) -> Iterator[tuple[str, Bare]]:
        """What stands in p384.bin, p256.bin (a key a signature) and, when they are there, p384-8.bin and so on (8 signatures a key):
        rows of X, Y, digest, r and s."""
        for curve in ("P-384", "P-256"):
            stem = curve.replace("-", "").lower()
            for path in sorted(Path(folder).glob(f"{stem}*.bin"), key=lambda path: len(path.name)):
                size, data = {"P-384": 48, "P-256": 32}[curve], path.read_bytes()
                rows = [data[at : at + 5 * size] for at in range(0, len(data), 5 * size)]
                parts = ((0, 2 * size), (2 * size, 3 * size), (3 * size, 5 * size))
                columns = (b"".join(row[first:end] for row in rows) for first, end in parts)
                repeats = path.stem.partition("-")[2]
                yield f"{curve}, {repeats} a key" if repeats else curve, cls(curve, len(rows), *columns)

    @classmethod
    def rsa(cls, folder: str) -> Bare:
        keys, digests, sigs = ((Path(folder) / f"rsa.{part}").read_bytes() for part in ("spki", "digests", "sigs"))
        return cls("P-384", len(digests) // 48, keys, digests, sigs)


def repeat(check: Callable[[bytes], bool], sigs: bytes, n: int, length: float) -> float:
    """Signatures a second of CPU time, n a call, once it has proved that it tells right from wrong."""
    if not check(sigs):
        raise RuntimeError("a signature was refused")
    if check(sigs[:-1] + bytes([sigs[-1] ^ 1])):
        raise RuntimeError("a tampered signature was accepted")
    done = 0
    started = time.process_time()
    while time.process_time() - started < length:
        check(sigs)
        done += n
    return done / (time.process_time() - started)


def tampered(report: bytes) -> bytes:
    changed = bytearray(report)
    changed[_TAMPERED_BYTE] ^= 1
    return bytes(changed)


def rate(check: Callable[[bytes], bool], report: bytes, length: float) -> float:
    """Calls a second of CPU time, once it has proved that it tells right from wrong."""
    if not check(report):
        raise RuntimeError("the report was refused")
    if check(tampered(report)):
        raise RuntimeError("a tampered report was accepted")
    done = 0
    started = time.process_time()
    while time.process_time() - started < length:
        check(report)
        done += 1
    return done / (time.process_time() - started)
