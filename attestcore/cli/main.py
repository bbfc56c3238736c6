"""The command `attestcore`: evidence of any kind."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from attestcore import __version__
from attestcore.batch.kinds import HEAD_BYTES, JUDGED, KINDS, detect
from attestcore.batch.refusals import EVIDENCE_MALFORMED, KIND_UNSUPPORTED
from attestcore.cli import common
from attestcore.cli.batch import batch_command
from attestcore.cli.common import Problem, Program, note, options, printable
from attestcore.cli.files import FORMATS, ContainerError, read_evidence
from attestcore.cli.verdicts import (
    Request,
    Said,
    SnpCommand,
    first_status,
    snp_policy,
    status_of,
    tdx_policy,
)
from attestcore.policy import Table


@click.group(cls=Program, no_args_is_help=False, name="attestcore")
@click.version_option(__version__, prog_name="attestcore")
def main() -> None:
    """Verifies confidential-computing evidence, offline: one item, or stored ones by the million."""


@main.command()
@click.argument("files", type=common.INPUT, nargs=-1, required=True, metavar="FILE...")
@click.option("--kind", type=click.Choice(KINDS), help="The kind of evidence. Default: told by the bytes.")
@options(common.CERTS, common.CRL, common.ROOT)
@click.option("--product", type=common.PRODUCT, help="The product that every SEV-SNP report must be of.")
@options(common.AT, common.POLICY, common.REPORT_DATA, common.MEASUREMENT, common.ALLOW_DEBUG)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="How an SEV-SNP report is wrapped. Default: raw, hex or base64.",
)
@options(common.ENGINE, common.JSON)
def verify(
    files: tuple[Path, ...],
    kind: str | None,
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
    """Verifies evidence of any kind, one verdict for each FILE.

    Exit status, the first that applies to any of them: 2 usage; 1 a check failed; 3 only certificates or collateral
    are missing; 0 all accepted. With --json, several files give one object with a member verdicts, in the order of
    the files.
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
    verdicts = [_judge(command, path, kind, form) for path in files]
    if as_json:
        several = {"schema": 1, "verdicts": verdicts}
        click.echo(json.dumps(verdicts[0] if len(verdicts) == 1 else several, ensure_ascii=False, allow_nan=False))
    else:
        from attestcore.cli.verdict_show import show_verdict

        for number, (path, said) in enumerate(zip(files, verdicts, strict=True)):
            if number:
                click.echo()
            show_verdict(said, printable(str(path)) if len(files) > 1 else None)
    sys.exit(first_status([status_of(said) for said in verdicts]))


def _judge(command: SnpCommand, path: Path, kind: str | None, form: str | None) -> Said:
    try:
        evidence = read_evidence(path, form, unwrap=kind == "sev-snp")
    except ContainerError as error:
        return command.refuse("sev-snp", EVIDENCE_MALFORMED, str(error), error.data, error.offset)
    if evidence.container:
        note(f"{path}: the report was taken out of {evidence.container}")
    found = kind or detect(len(evidence.data), evidence.data[:HEAD_BYTES])
    if found in JUDGED:
        return command.judge(evidence)
    detail = (
        "quotes are verified by `tdxverify verify`"
        if found in ("tdx", "sgx")
        else f"this release does not verify {found}"
        if found
        else "the bytes are of no kind that is known; say it with --kind"
    )
    return command.refuse(found, KIND_UNSUPPORTED, detail, None if evidence.cut else evidence.data)


main.add_command(batch_command(None))


@main.group()
def policy() -> None:
    """Policies: what is asked of evidence."""


@policy.command("show")
@common.POLICY
@common.JSON
def show_policy(policy_file: Path | None, as_json: bool) -> None:
    """Prints the policy that --policy FILE has the effect of, with every default spelt out; itself a policy file."""
    tables: dict[str, Table] = {"snp": snp_policy(policy_file), "tdx": tdx_policy(policy_file)}
    if as_json:
        said = {name: table.to_dict() for name, table in tables.items()}
        click.echo(json.dumps(said, ensure_ascii=False, allow_nan=False))
        return
    pages = [[f"# digest {table.digest()}", *_toml(name, table.to_dict())] for name, table in tables.items()]
    click.echo("\n\n".join("\n".join(page) for page in pages))


def _toml(name: str, table: dict[str, Any]) -> list[str]:
    lines = [f"[{name}]"]
    lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items() if not isinstance(value, dict)]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += ["", *_toml(f"{name}.{_key(key)}", value)]
    return lines


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return (
            "[" + "".join(f"\n  {_value(item)}," for item in value) + "\n]"
            if len(value) > 1
            else f"[{_value(value[0])}]"
        )
    return json.dumps(value)  # strings (ASCII), integers and booleans are written alike in JSON and TOML


@main.command()
@common.JSON
def info(as_json: bool) -> None:
    """Shows the version, the engine in use, the engines available, the CPU's features and the build."""
    from importlib.util import find_spec
    from platform import machine, python_version

    from attestcore import _lib, engines

    try:
        engine = engines.resolve(None)
    except ValueError as error:
        raise Problem(str(error)) from error
    build = {
        "compiler": _lib.compiler(),
        "machine": machine(),
        "python": python_version(),
        "batch": find_spec("pyarrow") is not None,
    }
    facts = {
        "schema": 1,
        "version": __version__,
        "engine": engine,
        "engines": list(engines.available()),
        "cpu_features": engines.cpu_features().split(),
        "hashes": engines.hash_code(),
        "kinds": list(JUDGED),
        "build": build,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    from attestcore.cli.render import Page

    page = Page()
    page.title(f"attestcore {__version__}")
    page.rows(
        [
            ("engine", engine),
            ("engines available", ", ".join(engines.available())),
            ("CPU features", engines.cpu_features() or "none that an engine asks for"),
            ("hashes", engines.hash_code()),
            ("verifies", ", ".join(JUDGED)),
            ("build", f"{build['compiler']}, {build['machine']}, Python {build['python']}"),
            ("batch", "available" if build["batch"] else "needs pyarrow: pip install 'attestcore[batch]'"),
        ]
    )
    page.show()
