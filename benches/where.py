"""Where the time of a batch goes: verify_batch over reports whose chains were seen before, and over the same reports with R set to zero,
which are judged in full and have no signature left to verify. The difference is the engine's; the rest is taken apart call by call.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

import corpus
from rounds import Task

import snpverify
from attestcore import _lib
from attestcore._lib import ffi, lib
from attestcore.columns import to_rows
from snpverify.testing.reports import R_OFFSET

_SIGNED = 672
PARTS = ("hash", "parse, chain, binding, policy", "signatures", "results")


def tasks(data: corpus.Reports, engine: str) -> dict[str, Task]:
    """The whole, the same without signatures, and parts of that; part_times makes times of them."""
    verifier = snpverify.Verifier(roots=corpus.roots(), engine=engine)
    sets, index = verifier._sets_of_sequence(data.certs, data.index, data.n)
    unsigned = bytearray(data.reports)
    for at_row in range(0, len(unsigned), _lib.REPORT_LEN):
        unsigned[at_row + R_OFFSET : at_row + R_OFFSET + 48] = bytes(48)
    reports = bytes(unsigned)
    (rows,) = to_rows(reports, _lib.REPORT_LEN)
    at = array("q", [corpus.AT_SECONDS])
    plan, keep = _lib.snp_plan(rows, sets, index, at, verifier._trust, verifier._c_policy, 0)
    work, jobs, num = ffi.new("att_snp_work[]", data.n), ffi.new("att_sig_job[]", data.n), ffi.new("uint64_t *")
    out = _lib.SnpColumns(data.n, findings=False, claims=False, reports=False)
    memory = ffi.from_buffer("uint8_t[]", reports)
    messages = ffi.new("const uint8_t *[]", [memory + i * _lib.REPORT_LEN for i in range(data.n)])
    digests = ffi.new("uint8_t[]", 48 * data.n)
    held = (keep, memory)

    def whole() -> None:
        results = verifier.verify_batch(data.reports, certs=data.certs, certs_index=data.index, at=corpus.AT_SECONDS)
        if not all(results.accepted):
            raise RuntimeError(f"reports were refused: {set(results.code)}")

    def around() -> None:
        results = verifier.verify_batch(reports, certs=data.certs, certs_index=data.index, at=corpus.AT_SECONDS)
        if any(results.accepted):
            raise RuntimeError("a report without a signature was accepted")

    def begin() -> None:
        lib.att_snp_begin(plan, work, jobs, num, out.c)
        if num[0] != 0 or not held:
            raise RuntimeError("a report without a signature came to a job")

    def finish() -> None:
        lib.att_snp_finish(plan, work, jobs, num[0], out.c)

    def hash_all() -> None:
        lib.att_sha384_many(messages, _SIGNED, data.n, digests)

    begin()
    steps: dict[str, Callable[[], None]] = {
        "whole": whole, "around": around, "begin": begin, "finish": finish, "hash": hash_all,
    }  # fmt: skip
    return {name: Task(data.n, step) for name, step in steps.items()}


def part_times(seconds: dict[str, float]) -> dict[str, float]:
    """Seconds of each part out of those of each task."""
    return {
        "hash": seconds["hash"],
        "parse, chain, binding, policy": seconds["begin"] - seconds["hash"],
        "signatures": seconds["whole"] - seconds["around"],
        "results": seconds["around"] - seconds["begin"],
    }
