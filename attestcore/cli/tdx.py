"""The command `tdxverify`: shows what an Intel TDX quote says of itself. This release does not verify quotes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attestcore import __version__
from attestcore.cli import common
from attestcore.cli.common import FAILED, Program, note
from attestcore.cli.files import read_evidence

if TYPE_CHECKING:
    from tdxverify import QuoteHeader

_NOT_VERIFIED = "Nothing here is verified: anybody can write such bytes. This release does not verify quotes."
_KEY_TYPES = {2: "ECDSA P-256", 3: "ECDSA P-384"}
_TEES = {0x00: "SGX", 0x81: "TDX"}


@click.group(
    cls=Program, no_args_is_help=False, name="tdxverify", epilog="This release shows quotes and does not verify them."
)
@click.version_option(__version__, prog_name="tdxverify")
def main() -> None:
    """Shows Intel TDX quotes.

    A QUOTE is a file, or - for stdin, that holds the quote as raw bytes, hex or base64.
    """


@main.command()
@click.argument("quote", type=common.INPUT)
@common.JSON
def show(quote: Path, as_json: bool) -> None:
    """Shows the header of a quote and the lengths of its parts. Verifies nothing."""
    from tdxverify import ParseError, parse_header

    try:
        header = parse_header(read_evidence(quote, unwrap=False).data)
    except ParseError as error:
        if as_json:
            place = {"code": error.code, "field": error.field, "offset": error.offset, "detail": error.detail}
            click.echo(json.dumps({"schema": 1, "kind": None, "claims": None, "claims_verified": False, **place}))
        note(f"{quote}: {error.code} in {error.field} at byte {error.offset}: {error.detail}")
        sys.exit(FAILED)
    if as_json:
        kind = _TEES[header.tee_type].lower()
        click.echo(json.dumps({"schema": 1, "kind": kind, "claims": header.to_dict(), "claims_verified": False}))
        return
    _show(header)


def _show(header: QuoteHeader) -> None:
    from attestcore.cli.render import Page

    page = Page()
    page.title(f"Intel {_TEES[header.tee_type]} quote", f"version {header.quote_version}")
    page.line(_NOT_VERIFIED, fg="yellow", indent=0)
    page.heading("Header")
    rows = [
        ("attestation key", f"{header.att_key_type} ({_KEY_TYPES[header.att_key_type]})"),
        ("TEE type", f"{header.tee_type:#x} ({_TEES[header.tee_type]})"),
        ("QE vendor id", f"{header.qe_vendor_id.hex()} (Intel)"),
        ("user data", header.user_data.hex()),
    ]
    if header.qe_svn is not None:
        rows += [("QE SVN", str(header.qe_svn)), ("PCE SVN", str(header.pce_svn))]
    page.rows(rows)
    page.heading("Parts")
    page.rows(
        [
            (
                "body",
                f"{header.body_size} bytes at {header.body_offset}",
                f"type {header.body_type}, {header.body_name}",
            ),
            ("signature data", f"{header.auth_data_size} bytes at {header.auth_data_offset}", ""),
            ("trailing", f"{header.trailing_size} bytes", "not part of the quote" if header.trailing_size else ""),
        ]
    )
    page.show()
