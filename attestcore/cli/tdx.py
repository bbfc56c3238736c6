"""The command `tdxverify`: Intel TDX and SGX quotes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from attestcore import __version__
from attestcore.cli import common
from attestcore.cli.common import FAILED, Problem, Program, note, options
from attestcore.cli.files import ContainerError, read_evidence, read_file
from attestcore.cli.verdicts import TdxCommand, TdxRequest, status_of

if TYPE_CHECKING:
    from tdxverify.eventlog import EventLog


@click.group(cls=Program, no_args_is_help=False, name="tdxverify")
@click.version_option(__version__, prog_name="tdxverify")
def main() -> None:
    """Verifies Intel TDX and SGX quotes, offline.

    A QUOTE is a file, or - for stdin, that holds the quote as raw bytes, hex or base64.
    """


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _not_parsed(path: Path, as_json: bool, code: str, field: str | None, offset: int | None, detail: str) -> NoReturn:
    if as_json:
        place = {"code": code, "field": field, "offset": offset, "detail": detail}
        _print_json({"schema": 1, "kind": None, "claims": None, "claims_verified": False, **place})
    where = f" in {field}" if field else ""
    note(f"{path}: {code}{where} at byte {offset or 0}: {detail}")
    sys.exit(FAILED)


@main.command()
@click.argument("quote", type=common.INPUT)
@click.option(
    "--event-log",
    "log_file",
    type=common.FILE,
    metavar="FILE",
    help="An event log (CCEL, or dstack's JSON) to hold against the quote's RTMRs.",
)
@common.JSON
def show(quote: Path, log_file: Path | None, as_json: bool) -> None:
    """Shows what a quote says of itself, all its parts. Verifies nothing.

    Exit status: 0; 1 when the bytes are no quote, or the event log is none or does not match; 2 usage.
    """
    from tdxverify import ParseError, parse_quote
    from tdxverify.eventlog import parse_event_log

    try:
        parsed = parse_quote(read_evidence(quote, unwrap=False).data)
    except ContainerError as error:
        _not_parsed(quote, as_json, "evidence-malformed", None, error.offset, str(error))
    except ParseError as error:
        _not_parsed(quote, as_json, error.code, error.field, error.offset, error.detail)
    log: EventLog | None = None
    if log_file is not None:
        try:
            log = parse_event_log(read_file(log_file)[0])
        except ParseError as error:
            _not_parsed(log_file, as_json, error.code, error.field, error.offset, error.detail)
    registers = [parsed.rt_mr0, parsed.rt_mr1, parsed.rt_mr2, parsed.rt_mr3]
    rt_mrs = [register for register in registers if register is not None]
    if log is not None and len(rt_mrs) != len(registers):
        raise Problem("--event-log: an SGX quote has no RTMRs")
    comparison = log.replay().compare(rt_mrs) if log is not None else None
    if as_json:
        said: dict[str, Any] = {"schema": 1, "kind": parsed.kind, "claims": parsed.to_dict(), "claims_verified": False}
        _print_json(said if log is None else {**said, "event_log": log.to_dict(comparison)})
    else:
        from attestcore.cli.tdx_show import show_quote

        show_quote(parsed, log, comparison)
    sys.exit(FAILED if comparison is not None and "mismatch" in comparison.outcomes else 0)


@main.command()
@click.argument("quote", type=common.INPUT)
@options(common.COLLATERAL, common.INTEL_ROOT, common.AT, common.POLICY, common.REPORT_DATA, common.MR_TD)
@click.option("--allow-debug", is_flag=True, help="Accept TDs (and enclaves) that the host may debug.")
@click.option(
    "--allow-service-td", is_flag=True, help="Accept TDs with a service TD: MRSERVICETD not zero, or MIGRATABLE."
)
@click.option(
    "--allow-status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help="A TCB status to accept besides those of the policy, such as OutOfDate.",
)
@options(common.ENGINE, common.JSON)
def verify(
    quote: Path,
    collateral_file: Path | None,
    root_files: tuple[Path, ...],
    at: int | None,
    policy_file: Path | None,
    report_data: bytes | None,
    mr_tds: tuple[bytes, ...],
    allow_debug: bool,
    allow_service_td: bool,
    statuses: tuple[str, ...],
    engine: str | None,
    as_json: bool,
) -> None:
    """Verifies a quote: PCK chain to Intel's root, collateral, QE, signature, TCB, policy.

    Intel's root and PCK CAs ship with the program; give the platform's collateral with --collateral.

    Exit status: 0 accepted; 1 a check failed; 3 only collateral or certificates are missing; 2 usage.
    """
    command = TdxCommand(
        TdxRequest(
            collateral_file=collateral_file,
            root_files=root_files,
            at=common.now() if at is None else at,
            policy_file=policy_file,
            report_data=report_data,
            mr_tds=mr_tds,
            allow_debug=allow_debug,
            allow_service_td=allow_service_td,
            statuses=statuses,
            engine=engine,
        )
    )
    said = command.judge_file(quote)
    if as_json:
        _print_json(said)
    else:
        from attestcore.cli.verdict_show import show_verdict

        show_verdict(said)
    sys.exit(status_of(said))
