"""The command `snpverify`: AMD SEV-SNP attestation reports."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from attestcore import __version__
from attestcore.batch.refusals import EVIDENCE_MALFORMED
from attestcore.cli import common
from attestcore.cli.batch import batch_command
from attestcore.cli.common import FAILED, Program, note, options
from attestcore.cli.files import FORMATS, ContainerError, read_evidence
from attestcore.cli.verdicts import Request, SnpCommand, status_of

FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="How the report is wrapped. Default: raw, hex, base64 and HCL are told apart.",
)


@click.group(cls=Program, no_args_is_help=False, name="snpverify")
@click.version_option(__version__, prog_name="snpverify")
def main() -> None:
    """Verifies AMD SEV-SNP attestation reports, offline.

    A REPORT is a file, or - for stdin, that holds the report as raw bytes, hex or base64.
    """


@main.command()
@click.argument("report", type=common.INPUT)
@FORMAT
@click.option("--product", type=common.PRODUCT, help="The product, where a version 2 report does not tell it.")
@common.JSON
def show(report: Path, form: str | None, product: str | None, as_json: bool) -> None:
    """Shows the fields of a report. Verifies nothing."""
    from snpverify import ParseError, parse_report

    try:
        evidence = read_evidence(report, form)
        _say_container(evidence.container)
        parsed = parse_report(evidence.data, product=product)
    except ContainerError as error:
        _not_parsed(report, as_json, EVIDENCE_MALFORMED, None, error.offset, str(error))
    except ParseError as error:
        _not_parsed(report, as_json, error.code, error.field, error.offset, error.detail)
    if as_json:
        _print_json({"schema": 1, "kind": "sev-snp", "claims": parsed.to_dict(), "claims_verified": False})
        return
    from attestcore.cli.snp_show import show_report

    show_report(parsed, product is not None)


def _not_parsed(report: Path, as_json: bool, code: str, field: str | None, offset: int, detail: str) -> Any:
    if as_json:
        place = {"code": code, "field": field, "offset": offset, "detail": detail}
        _print_json({"schema": 1, "kind": "sev-snp", "claims": None, "claims_verified": False, **place})
    where = f" in {field}" if field else ""
    note(f"{report}: {code}{where} at byte {offset}: {detail}")
    sys.exit(FAILED)


def _say_container(container: str | None) -> None:
    if container:
        note(f"the report was taken out of {container}")


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


@main.command()
@click.argument("report", type=common.INPUT)
@options(common.CERTS, common.CRL, common.ROOT)
@click.option("--product", type=common.PRODUCT, help="The product that the report must be of.")
@options(common.AT, common.POLICY, common.REPORT_DATA, common.MEASUREMENT, common.ALLOW_DEBUG)
@FORMAT
@options(common.ENGINE, common.JSON)
def verify(
    report: Path,
    cert_files: tuple[Path, ...],
    crl_files: tuple[Path, ...],
    root_files: tuple[Path, ...],
    product: str | None,
    at: int | None,
    policy_file: Path | None,
    report_data: bytes | None,
    measurements: tuple[bytes, ...],
    allow_debug: bool,
    form: str | None,
    engine: str | None,
    as_json: bool,
) -> None:
    """Verifies a report: signature, certificate chain to AMD's root, binding, policy.

    AMD's roots and intermediates ship with the program; give the VCEK or VLEK with --certs.

    Exit status: 0 accepted; 1 a check failed; 3 only certificates or collateral are missing; 2 usage.
    """
    command = SnpCommand(
        Request(
            cert_files=cert_files,
            crl_files=crl_files,
            root_files=root_files,
            product=product,
            at=common.now() if at is None else at,
            policy_file=policy_file,
            report_data=report_data,
            measurements=measurements,
            allow_debug=allow_debug,
            engine=engine,
        )
    )
    said, evidence = command.judge_file(report, form)
    if evidence:
        _say_container(evidence.container)
    if as_json:
        _print_json(said)
    else:
        from attestcore.cli.verdict_show import show_verdict

        show_verdict(said)
    sys.exit(status_of(said))


main.add_command(batch_command("sev-snp"))
