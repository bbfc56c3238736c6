"""How the benches take time: things that are compared run in turns, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attestcore import _lib, engines

_RUN_CHILD = Path(__file__).with_name("run_child.py")


@dataclass(frozen=True, slots=True)
class Task:
    """Something to time: one call of run does that many items."""

    items: int
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Rates:
    """Items a second of each task in each round."""

    by_task: Mapping[str, Sequence[float]]

    def rate(self, task: str) -> float:
        return statistics.median(self.by_task[task])

    def ratios(self, task: str, base: str) -> list[float]:
        """How many times as fast as base the task was, round by round, in ascending order."""
        return sorted(a / b for a, b in zip(self.by_task[task], self.by_task[base], strict=True))


def take(
    tasks: dict[str, Task], rounds: int, seconds: float, *, clock: Callable[[], float] = time.process_time
) -> Rates:
    """Runs each task once unmeasured, then in every round each for about so many seconds, in turns of alternating order.

    By default the clock is the CPU time of this process, which does not run while another process has the CPU; where several threads
    work it has to be time.perf_counter.
    """
    repeats = {name: max(1, round(seconds / _timed(task, 1, clock))) for name, task in tasks.items()}
    rates: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds):
        for name in tasks if number % 2 == 0 else reversed(tasks):
            task = tasks[name]
            rates[name].append(task.items * repeats[name] / _timed(task, repeats[name], clock))
    return Rates(rates)


def _timed(task: Task, repeats: int, clock: Callable[[], float]) -> float:
    run = task.run
    started = clock()
    for _ in range(repeats):
        run()
    return clock() - started


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost."""

    status: int
    seconds: float
    cpu: float
    peak_kib: int


def command(*argv: str | Path, expect: int = 0) -> Cost:
    """Runs a command to its end. RuntimeError, with what it said, when its exit status is not the one expected."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", str(_RUN_CHILD), *map(str, argv)],
        capture_output=True,
        text=True,
        check=True,
    )
    cost = Cost(**json.loads(run.stdout))
    if cost.status != expect:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit status {cost.status}: {run.stderr.strip()}")
    return cost


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = found.get("model name") or platform.processor() or platform.machine()
    family = f", family {found['cpu family']} model {found['model']}" if "cpu family" in found else ""
    return f"{name}{family}"


def machine() -> dict[str, str]:
    """What a number means nothing without."""
    from cryptography.hazmat.backends.openssl.backend import backend

    return {
        "cpu": cpu_model(),
        "cpus": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "load": _load(),
        "cpu_features": engines.cpu_features(),
        "engines": ", ".join(engines.available()),
        "attestcore": f"{_lib.VERSION}, {_lib.compiler()}",
        "python": platform.python_version(),
        "cryptography": f"{_cryptography_version()}, {backend.openssl_version_text()}",
    }


def _load() -> str:
    """What the machine did beside this in the last minute: more than 0 spoils comparisons of threads."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _cryptography_version() -> str:
    import cryptography

    return cryptography.__version__
