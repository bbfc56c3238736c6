"""The command `batch`, of `attestcore` for any kind and of `snpverify` for one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attestcore.batch.kinds import KINDS
from attestcore.cli import common
from attestcore.cli.common import ACCEPTED, FAILED, LACKING, SOURCE_BROKEN, Problem, note, options
from attestcore.cli.files import read_certs, read_crls
from attestcore.cli.verdicts import snp_policy

if TYPE_CHECKING:
    from attestcore.batch.runner import Outcome
    from attestcore.batch.tally import Tally

_SHOWN_CODES = 5
_SECONDS_BETWEEN_LINES = 10.0


def batch_command(kind: str | None) -> click.Command:
    """`batch` with the kind of every row fixed, or left to the rows and to --kind."""
    say_kind: Callable[[Any], Any] = options()
    if kind is None:
        say_kind = click.option(
            "--kind", type=click.Choice(KINDS), help="The kind of every row. Default: its column kind, or detected."
        )

    @click.command("batch")
    @click.argument("sources", type=common.FILE, nargs=-1, required=True, metavar="SOURCE...")
    @click.option(
        "-o",
        "--output",
        "out",
        type=common.FILE,
        required=True,
        metavar="OUT",
        help="Results: .parquet, .jsonl or .csv.",
    )
    @say_kind
    @options(common.AT, common.CERTS, common.CRL, common.ROOT, common.POLICY)
    @click.option("--product", type=common.PRODUCT, help="The product that every SEV-SNP report must be of.")
    @click.option(
        "--map",
        "pairs",
        multiple=True,
        metavar="NAME=COLUMN",
        help="Read input NAME from COLUMN, or carry COLUMN as NAME.",
    )
    @click.option("--claims", is_flag=True, help="Add a column for each field of the evidence.")
    @click.option("--threads", type=click.IntRange(1, 1024), help="Worker threads. Default: one a CPU.")
    @common.ENGINE
    @click.option(
        "--audit",
        type=click.IntRange(1),
        default=None,
        metavar="N",
        help="Judge every N-th row again by a second engine.",
    )
    def batch(**values: Any) -> None:
        """Verifies stored evidence: one row of results for every row of the sources.

        A SOURCE is a Parquet, JSONL or CSV file with a column evidence (bytes, hex or base64) and, if it likes, kind,
        certs and at; or a directory or tar archive of .bin files. Other columns are carried to the output.

        Exit status: 0 every row accepted; 1 some row failed a check; 3 some row lacks certificates or collateral; 4 a
        source could not be read to its end; 2 usage.
        """
        sys.exit(_batch(kind=values.pop("kind", None) or kind, **values))

    return batch


def _batch(
    *,
    sources: tuple[Path, ...],
    out: Path,
    kind: str | None,
    at: int | None,
    cert_files: tuple[Path, ...],
    crl_files: tuple[Path, ...],
    root_files: tuple[Path, ...],
    policy_file: Path | None,
    product: str | None,
    pairs: tuple[str, ...],
    claims: bool,
    threads: int | None,
    engine: str | None,
    audit: int | None,
) -> int:
    _require_pyarrow()
    from attestcore.batch.judge import Terms
    from attestcore.batch.runner import AuditError, Job, Run
    from attestcore.batch.schema import Mapping, UsageError

    terms = Terms(
        kind=kind,
        policy=snp_policy(policy_file),
        certs=read_certs(cert_files),
        crls=read_crls(crl_files),
        roots=read_certs(root_files) or None,
        product=product,
        claims=claims,
    )
    try:
        run = Run(
            Job(
                sources=sources,
                out=out,
                terms=terms,
                at=common.now() if at is None else at,
                mapping=Mapping.parse(pairs),
                threads=threads or 0,
                engine=engine,
                audit=audit or 0,
            )
        )
        with _progress(run.total) as progress:
            outcome = run.run(progress)
    except AuditError as error:
        note(f"audit: {error}; nothing was written")
        return FAILED
    except UsageError as error:
        raise Problem(str(error)) from error
    _summarize(outcome, out)
    return _status(outcome)


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise Problem("batch needs pyarrow: pip install 'attestcore[batch]'") from error


def _status(outcome: Outcome) -> int:
    if outcome.broken:
        return SOURCE_BROKEN
    tally = outcome.tally
    return FAILED if tally.failed else LACKING if tally.lacking else ACCEPTED


def _summarize(outcome: Outcome, out: Path) -> None:
    for message in outcome.broken:
        note(f"{message}; the rows before that are kept")
    if outcome.ignored:
        note(f"{outcome.ignored} files whose name does not end in .bin were left out")
    tally = outcome.tally
    if not tally.rows:
        note("the sources have no rows")
    elif tally.codes.get("evidence-missing", 0) == tally.rows:
        note("no row has evidence; name the column that holds it with --map evidence=COLUMN")
    common_codes = ", ".join(f"{code} {count}" for code, count in tally.codes.most_common(_SHOWN_CODES))
    more = ", …" if len(tally.codes) > _SHOWN_CODES else ""
    note(
        f"{_counts(tally)}{f' ({common_codes}{more})' if common_codes else ''}; "
        f"{outcome.seconds:.1f} s, {_rate(tally.rows, outcome.seconds)}, engine {outcome.engine}; {out}"
    )


def _counts(tally: Tally) -> str:
    lacking = f"{tally.lacking} lacking certificates or collateral"
    return f"{tally.rows} rows: {tally.accepted} accepted, {tally.failed} failed, {lacking}"


def _rate(rows: int, seconds: float) -> str:
    return f"{rows / max(seconds, 1e-3):.0f} rows/s"


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[Tally], None]]:
    """Tells on stderr how far the run is: a bar on a terminal, a line now and then elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (BarColumn(bar_width=20), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        started = time.monotonic()

        def update(tally: Tally) -> None:
            rate = _rate(tally.rows, time.monotonic() - started)
            text = f"{rate}, {tally.accepted} accepted, {tally.rows - tally.accepted} not"
            bar.update(task, completed=tally.rows, description=text)

        yield update


class _Lines:
    def __init__(self) -> None:
        self._started = self._last = time.monotonic()

    def __call__(self, tally: Tally) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            note(f"{_counts(tally)} so far, {_rate(tally.rows, now - self._started)}")
