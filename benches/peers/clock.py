"""What the Python programs among the peers share: the evidence, and how calls are counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
