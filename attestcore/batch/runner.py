"""One run: sources in, an output file out, worker threads between them.

The calling thread reads and writes; workers take whole chunks, decode and judge them. A window bounds how many chunks
are held, and results are written in the order in which the chunks were read.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from attestcore import engines
from attestcore.batch.judge import Judge, Terms
from attestcore.batch.rows import Chunk, Unit
from attestcore.batch.schema import Mapping, Needs, UsageError, all_names, unify
from attestcore.batch.sinks import Sink, format_of
from attestcore.batch.sources import BrokenSource, Reading, Source, SourceError, open_source
from attestcore.batch.tally import Tally

Progress = Callable[[Tally], None]


class AuditError(Exception):
    """A second engine came to another verdict."""


@dataclass(frozen=True, slots=True)
class Job:
    """What `attestcore batch` was asked to do."""

    sources: Sequence[Path]
    out: Path
    terms: Terms
    at: int
    mapping: Mapping = field(default_factory=Mapping)
    threads: int = 0  # 0: one a CPU
    engine: str | None = None
    audit: int = 0  # 0: none; n: one row in n


@dataclass(slots=True)
class Outcome:
    tally: Tally
    seconds: float
    broken: list[str]  # what is wrong with each source that could not be read to its end
    ignored: int  # files of directories and archives whose name does not end in .bin
    engine: str


class Run:
    """A job whose sources were looked at. UsageError, before anything was judged, when it cannot be done."""

    def __init__(self, job: Job) -> None:
        self._job = job
        try:
            self._judge = Judge(job.terms, job.engine)
            self._auditor = Judge(job.terms, _second_engine(self._judge.engine)) if job.audit else None
        except ValueError as error:
            raise UsageError(str(error)) from error
        needs = format_of(job.out).needs
        reading = Reading(job.mapping, frozenset(self._judge.schema.names), job.at, needs)
        self._sources = [_open(path, reading) for path in job.sources]
        self._check_paths()
        self._check_mapping()
        known = [(source.name, source.carried) for source in self._sources if source.carried is not None]
        self._carried = unify(known) if needs is Needs.SCHEMA else all_names(known)
        totals = [source.total for source in self._sources]
        self.total = None if None in totals else sum(total or 0 for total in totals)

    def _check_paths(self) -> None:
        out = self._job.out
        if out.exists() and any(out.samefile(path) for path in self._job.sources):
            raise UsageError(f"{out}: is a source as well")

    def _check_mapping(self) -> None:
        known = [source.columns for source in self._sources]
        if None in known:  # only the rows will tell
            return
        for column in sorted(self._job.mapping.mentioned()):
            if not any(columns and column in columns for columns in known):
                raise UsageError(f"--map: no source has a column {column!r}")

    def run(self, progress: Progress | None = None) -> Outcome:
        """Judges every row. AuditError and UsageError leave no output behind."""
        outcome = Outcome(Tally(), 0.0, [], 0, self._judge.engine)
        started = time.monotonic()
        with Sink(self._job.out, self._carried, self._judge.schema) as sink:
            for carried, results in self._results(outcome.broken):
                sink.write(carried, results)
                outcome.tally.add(results)
                if progress:
                    progress(outcome.tally)
        outcome.seconds = time.monotonic() - started
        outcome.ignored = sum(getattr(source, "ignored", 0) for source in self._sources)
        return outcome

    def _results(self, broken: list[str]) -> Iterator[tuple[Any, pa.RecordBatch]]:
        workers = self._job.threads or os.cpu_count() or 1
        window: deque[Future[tuple[Any, pa.RecordBatch]]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="attestcore-batch") as pool:
            try:
                first = 0
                for rows, make in self._units(broken):
                    window.append(pool.submit(self._work, first, make))
                    first += rows
                    if len(window) > workers + 1:
                        yield window.popleft().result()
                while window:
                    yield window.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _units(self, broken: list[str]) -> Iterator[Unit]:
        for source in self._sources:
            try:
                yield from source.units()
            except SourceError as error:
                broken.append(str(error))

    def _work(self, first: int, make: Callable[[], Chunk]) -> tuple[Any, pa.RecordBatch]:
        chunk = make()
        results = self._judge(chunk)
        if self._auditor:
            self._audit(self._auditor, first, chunk, results)
        return chunk.carried, results

    def _audit(self, auditor: Judge, first: int, chunk: Chunk, results: pa.RecordBatch) -> None:
        rows = [row for row in range(chunk.rows) if (first + row) % self._job.audit == 0]
        again = auditor(chunk.take(rows))
        for name in ("accepted", "codes"):
            ours = results.column(name).take(pa.array(rows, pa.int64())).to_pylist()
            theirs = again.column(name).to_pylist()
            for row, our, their in zip(rows, ours, theirs, strict=True):
                if our != their:
                    raise AuditError(
                        f"row {first + row}: {name} is {our} by {self._judge.engine} and {their} by {auditor.engine}"
                    )


def _second_engine(engine: str) -> str:
    """One that shares no code with the first."""
    if engine != "cryptography":
        return "cryptography"
    return next(str(name) for name in engines.available() if name != engine)


def _open(path: Path, reading: Reading) -> Source:
    try:
        return open_source(path, reading)
    except SourceError as error:
        return BrokenSource(str(path), str(error))
