"""Measures attestcore against its goals and prints a table: python benches/report.py [--quick] [--json FILE]

Things that are compared run in turns within one process. A ratio is the median of the rounds' ratios, with the smallest and the largest
behind it. A missed goal is marked; the exit status is 0 all the same, because a busy machine is not a failure. See README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import library
import rounds
import where
from rounds import Rates, Task, take

import snpverify
from attestcore import signatures

LIBRARY = "cryptography, keys loaded"


@dataclass(frozen=True, slots=True)
class Plan:
    engine: str
    quick: bool
    folder: Path

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 9

    @property
    def seconds(self) -> float:
        """About how long each thing is run in each round."""
        return 0.1 if self.quick else 0.2


@dataclass(frozen=True, slots=True)
class Goal:
    bound: float
    at_most: bool = False
    floor: float | None = None  # what may not be missed even where the goal is

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}" + (f" (floor {self.floor:g})" if self.floor else "")

    def word(self, value: float) -> str:
        if self.floor is not None and value < self.floor:
            return "BELOW THE FLOOR"
        return "met" if (value <= self.bound if self.at_most else value >= self.bound) else "MISSED"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. value is what the goal speaks of; least and most are those of the rounds."""

    what: str
    rate: str
    base: str
    value: float
    least: float
    most: float
    unit: str
    goal: Goal | None = None

    def to_dict(self) -> dict[str, Any]:
        out = {name: getattr(self, name) for name in ("what", "rate", "base", "value", "least", "most", "unit")}
        return {**out, "goal": self.goal and str(self.goal), "result": self.goal and self.goal.word(self.value)}

    def __str__(self) -> str:
        digits = 0 if self.unit == "MB" else 2
        spread = f"{self.least:.{digits}f} … {self.most:.{digits}f}" if self.least != self.most else ""
        value = f"{self.value:.{digits}f} {self.unit}"
        result = self.goal.word(self.value) if self.goal else ""
        return _line(self.what, self.rate, self.base, value, spread, str(self.goal or ""), result)


def _line(*cells: str) -> str:
    return "{:<39} {:>14}  {:<43} {:>8}  {:<13} {:<18} {}".format(*cells).rstrip()


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}/s".replace(",", " ")


def _faster(what: str, rates: Rates, task: str, base: str, goal: Goal | None = None) -> Row:
    """How many times as fast as base the task is."""
    return _row(what, rates, task, base, rates.ratios(task, base), goal)


def _longer(what: str, rates: Rates, task: str, base: str, goal: Goal | None = None) -> Row:
    """How many times as long as base the task takes."""
    return _row(what, rates, task, base, rates.ratios(base, task), goal)


def _row(what: str, rates: Rates, task: str, base: str, ratios: list[float], goal: Goal | None) -> Row:
    shown = f"{base}: {_per_second(rates.rate(base))}"
    return Row(what, _per_second(rates.rate(task)), shown, statistics.median(ratios), ratios[0], ratios[-1], "x", goal)


# ---- signatures ------------------------------------------------------------------------------------------------------


def _ecdsa(data: corpus.Signatures, engine: str) -> Task:
    def run() -> None:
        if signatures.verify_ecdsa(data.curve, data.keys, data.digests, data.sigs, engine) != b"\1" * data.n:
            raise RuntimeError(f"{engine} refused a signature")

    return Task(data.n, run)


def _rsa_pss(data: corpus.RsaSignatures, engine: str) -> Task:
    def run() -> None:
        if signatures.verify_rsa("pss-sha384", data.spki, data.digests, data.sigs, engine) != b"\1" * data.n:
            raise RuntimeError(f"{engine} refused an RSA signature")

    return Task(data.n, run)


def measure_signatures(plan: Plan) -> Iterator[Row]:
    """Bare signatures against `cryptography`: any key, and keys that come again."""
    for curve, goal in (("P-384", Goal(1.5, floor=1.2)), ("P-256", None)):
        distinct = corpus.signatures(curve, 256, 1)
        tasks = {
            "1": _ecdsa(distinct, plan.engine),
            LIBRARY: Task(distinct.n, library.ecdsa(distinct)),
            "engine cryptography": _ecdsa(distinct, "cryptography"),
            "8": _ecdsa(corpus.signatures(curve, 256, 8), plan.engine),
            "64": _ecdsa(corpus.signatures(curve, 256, 64), plan.engine),
            "4096": _ecdsa(corpus.signatures(curve, 1024 if plan.quick else 4096, 4096), plan.engine),
        }
        rates = take(tasks, plan.rounds, plan.seconds)
        yield _faster(f"{curve}, a key a signature", rates, "1", LIBRARY, goal)
        yield _faster("", rates, "1", "engine cryptography", goal)
        for per_key in ("8", "64", "4096"):
            yield _faster(f"{curve}, {per_key} signatures a key", rates, per_key, LIBRARY, goal)
    rsa = corpus.rsa_signatures(64)
    tasks = {"ours": _rsa_pss(rsa, plan.engine), LIBRARY: Task(rsa.n, library.rsa_pss(rsa))}
    yield _faster("RSA-4096 PSS", take(tasks, plan.rounds, plan.seconds), "ours", LIBRARY)


# ---- reports ---------------------------------------------------------------------------------------------------------


def _verifier(plan: Plan) -> snpverify.Verifier:
    return snpverify.Verifier(roots=corpus.roots(), engine=plan.engine)


def _batch(verifier: snpverify.Verifier, data: corpus.Reports) -> Task:
    def run() -> None:
        results = verifier.verify_batch(data.reports, certs=data.certs, certs_index=data.index, at=corpus.AT_SECONDS)
        if not all(results.accepted):
            raise RuntimeError(f"reports were refused: {set(results.code)}")

    return Task(data.n, run)


def measure_batch(plan: Plan) -> Iterator[Row]:
    """Whole reports whose chains were seen before, against their bare signatures."""
    verifier = _verifier(plan)
    for per_key, n in ((1, 256), (8, 1024), (64, 1024), (4096, 1024 if plan.quick else 4096)):
        data = corpus.reports(n, per_key)
        tasks = {"whole": _batch(verifier, data), "bare signatures": _ecdsa(data.signatures(), plan.engine)}
        rates = take(tasks, plan.rounds, plan.seconds)
        yield _faster(f"verify_batch, {per_key} reports a key", rates, "whole", "bare signatures", Goal(0.9))


def measure_where(plan: Plan) -> Iterator[Row]:
    """What each part of verify_batch takes of its time, a row; by how often a key comes again."""
    for per_key in (1, 8, 64, 4096):
        n = 256 if per_key == 1 else 1024 if plan.quick or per_key < 4096 else 4096
        rates = take(where.tasks(corpus.reports(n, per_key), plan.engine), plan.rounds, plan.seconds / 2)
        seconds = {name: statistics.median(1 / rate for rate in of_task) for name, of_task in rates.by_task.items()}
        parts, whole = where.part_times(seconds), seconds["whole"]
        shares = ", ".join(f"{name} {1e6 * parts[name]:.2f}" for name in where.PARTS)
        share = parts["signatures"] / whole
        what = f"verify_batch, {per_key} a key: signatures' share"
        yield Row(what, _per_second(1 / whole), "", share, share, share, "", Goal(0.75))
        around = 1e6 * (whole - parts["signatures"])
        yield Row(
            f"  around them; of {1e6 * whole:.2f} us:", "", shares, around, around, around, "us", Goal(2, at_most=True)
        )


def measure_new(plan: Plan) -> Iterator[Row]:
    """Every report with a key and a chain that were never seen, against the same with chains that were."""
    data = corpus.reports(256, 1)
    new = snpverify.Verifier(roots=corpus.roots(), engine=plan.engine, cache_bytes=0)
    tasks = {
        "new": _batch(new, data),
        "chains seen before": _batch(_verifier(plan), data),
        "RSA-4096 of cryptography": _library_rsa(),
        "RSA-4096": _rsa_pss(corpus.rsa_signatures(64), plan.engine),
    }
    rates = take(tasks, plan.rounds, plan.seconds)
    yield _faster("verify_batch, every key new, with chain", rates, "new", "chains seen before")
    yield _faster("  one RSA-4096 PSS of each chain", rates, "RSA-4096", "RSA-4096 of cryptography")


def _library_rsa() -> Task:
    rsa = corpus.rsa_signatures(64)
    return Task(rsa.n, library.rsa_pss(rsa))


def measure_single(plan: Plan) -> Iterator[Row]:
    """One report a call, its chain seen before, against its bare signature."""
    verifier = _verifier(plan)
    data = corpus.reports(1, 1)

    def verify() -> snpverify.Verdict:
        return verifier.verify(data.reports, certs=data.certs, at=corpus.AT_SECONDS).require()

    tasks = {
        "verify": Task(1, verify),
        "to_dict": Task(1, lambda: verify().to_dict()),
        "bare signature": _ecdsa(data.signatures(), plan.engine),
    }
    rates = take(tasks, 3 * plan.rounds, plan.seconds / 3)
    yield _longer("Verifier.verify, time of a call", rates, "verify", "bare signature", Goal(1.2, at_most=True))
    yield _longer("  and to_dict()", rates, "to_dict", "bare signature")


def measure_threads(plan: Plan) -> Iterator[Row]:
    """The same batches one after the other and side by side; and beside them threads that only hash, to tell what the machine gives."""
    batch = _batch(_verifier(plan), corpus.reports(512, 64))
    megabytes = bytes(32 << 20)
    plain = Task(len(megabytes) >> 20, lambda: hashlib.sha512(megabytes).digest())
    with ThreadPoolExecutor(2) as pool:

        def twice(task: Task) -> Task:
            return Task(2 * task.items, lambda: [task.run() for _ in range(2)])

        def side_by_side(task: Task) -> Task:
            return Task(2 * task.items, lambda: list(pool.map(lambda _: task.run(), range(2))))

        tasks = {
            "one thread": twice(batch),
            "two threads": side_by_side(batch),
            "one thread, MB": twice(plain),
            "two threads, MB": side_by_side(plain),
        }
        rates = take(tasks, 2 * plan.rounds, plan.seconds, clock=time.perf_counter)
    yield _faster("verify_batch, two threads", rates, "two threads", "one thread", Goal(1.8))
    yield _faster("  SHA-512 of hashlib, two threads", rates, "two threads, MB", "one thread, MB")


# ---- commands --------------------------------------------------------------------------------------------------------


def _snpverify(plan: Plan, command: str, *argv: str | Path) -> rounds.Cost:
    return rounds.command(
        sys.executable, "-m", "snpverify", command, *argv, "--at", str(corpus.AT_SECONDS), "--engine", plan.engine
    )


def measure_file(plan: Plan) -> Iterator[Row]:
    """A Parquet file through the command, on all CPUs, against reports in memory on as many threads."""
    n = 16384 if plan.quick else 300_000
    source, roots = plan.folder / "reports.parquet", plan.folder / "roots.pem"
    corpus.write_parquet(source, n, 4096)
    corpus.write_roots(roots)
    threads = os.cpu_count() or 1
    batch = _batch(_verifier(plan), corpus.reports(2048, 64))
    with ThreadPoolExecutor(threads) as pool:
        memory = {"": Task(threads * batch.items, lambda: list(pool.map(lambda _: batch.run(), range(threads))))}
        before = take(memory, 2, plan.seconds, clock=time.perf_counter)
        out = plan.folder / "verdicts.parquet"
        cost = _snpverify(plan, "batch", source, "-o", out, "--root", roots, "--threads", str(threads))
        after = take(memory, 2, plan.seconds, clock=time.perf_counter)
    yield _against(
        f"snpverify batch, {n} rows of Parquet",
        n / cost.seconds,
        f"in memory, {threads} threads",
        [*before.by_task[""], *after.by_task[""]],
        Goal(0.85),
    )
    one = take({"": batch}, plan.rounds, plan.seconds).by_task[""]
    yield _against("  by CPU time", n / cost.cpu, "in memory", one, Goal(0.85))
    peak = cost.peak_kib * 1024 / 1e6
    shown = f"a file of {source.stat().st_size / 1e6:.0f} MB"
    yield Row("  peak memory", "", shown, peak, peak, peak, "MB", Goal(500, at_most=True))


def _against(what: str, rate: float, base: str, base_rates: Sequence[float], goal: Goal | None = None) -> Row:
    """One rate against several."""
    middle = statistics.median(base_rates)
    shown = f"{base}: {_per_second(middle)}"
    return Row(what, _per_second(rate), shown, rate / middle, rate / max(base_rates), rate / min(base_rates), "x", goal)


def measure_command(plan: Plan) -> Iterator[Row]:
    """snpverify verify of one file, as a shell would run it."""
    arguments = (corpus.MILAN_REPORT, "--certs", corpus.MILAN_VCEK)
    costs = [_snpverify(plan, "verify", *arguments) for _ in range(2 * plan.rounds + 1)]
    cpu = sorted(cost.cpu for cost in costs)
    shown = f"elapsed: {statistics.median(cost.seconds for cost in costs):.2f} s"
    goal = Goal(0.3, at_most=True)
    yield Row("snpverify verify, CPU time of a process", "", shown, statistics.median(cpu), cpu[0], cpu[-1], "s", goal)


# ---- the table -------------------------------------------------------------------------------------------------------

SECTIONS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "signatures": measure_signatures,
    "batch": measure_batch,
    "where": measure_where,
    "new": measure_new,
    "single": measure_single,
    "threads": measure_threads,
    "file": measure_file,
    "command": measure_command,
}


def _measure(plan: Plan, sections: Sequence[str]) -> Iterator[Row]:
    for name in sections:
        try:
            yield from SECTIONS[name](plan)
        except (ImportError, RuntimeError) as error:
            print(f"{name}: not measured: {error}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measures attestcore against its goals.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    known = signatures.engines()
    parser.add_argument("--engine", default=known[0], choices=known, help="default: the best")
    parser.add_argument("--only", choices=list(SECTIONS), action="append", help="this part alone; may be repeated")
    options = parser.parse_args(argv)
    about = {**rounds.machine(), "measured": f"engine {options.engine}, {'quick' if options.quick else 'full'}"}
    for name, value in about.items():
        print(f"{name + ':':<14} {value}")
    print("\n" + _line("what", "rate", "compared with", "value", "least … most", "goal", ""))
    rows = []
    with tempfile.TemporaryDirectory(prefix="attestcore-bench-") as folder:
        for row in _measure(Plan(options.engine, options.quick, Path(folder)), options.only or list(SECTIONS)):
            print(row, flush=True)
            rows.append(row.to_dict())
    if options.json:
        text = json.dumps({**about, "rows": rows}, indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
