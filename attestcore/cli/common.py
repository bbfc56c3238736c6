"""What the commands share: exit statuses, messages of one line, options, and values of the command line."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from attestcore.batch.text import parse_time

ACCEPTED = 0
FAILED = 1  # a check failed
USAGE = 2
LACKING = 3  # not accepted, only because certificates or collateral were absent
SOURCE_BROKEN = 4  # batch: a source could not be read to its end
INTERRUPTED = 130

_F = TypeVar("_F", bound=Callable[..., Any])


class Problem(click.ClickException):
    """What the caller can mend: one line on stderr, exit status 2."""

    exit_code = USAGE


class Program(click.Group):
    """A group of commands whose every message is one line on stderr that begins with the program's name."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        name = prog_name or self.name or "attestcore"
        try:
            status = super().main(args, name, complete_var, standalone_mode=False, **extra)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else name
            _complain(path, f"{error.format_message()} (see {path} --help)")
            status = USAGE
        except click.ClickException as error:
            _complain(name, error.format_message())
            status = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            _complain(name, "interrupted")
            status = INTERRUPTED
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            # Whoever read our output has gone. The interpreter would complain once more when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = FAILED
        sys.exit(status if isinstance(status, int) else ACCEPTED)


def _complain(name: str, message: str) -> None:
    click.echo(f"{name}: {printable(' '.join(message.split()))}", err=True)


def printable(text: str) -> str:
    """The text with everything escaped that a terminal could take for a command; names of files may hold anything."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def note(message: str) -> None:
    """A remark on stderr."""
    _complain(click.get_current_context().find_root().info_name or "attestcore", message)


def time_value(text: str) -> int:
    """--at as Unix seconds."""
    try:
        return parse_time(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is {error}") from error


def hex_value(length: int, hint: str = "") -> Callable[[str], bytes]:
    """A reader of exactly so many bytes, written as hex digits."""

    def read(text: str) -> bytes:
        digits = 2 * length
        if not text.isascii() or any(c not in "0123456789abcdefABCDEF" for c in text):
            raise click.BadParameter(f"expected {digits} hex digits, and found something else")
        if len(text) != digits:
            raise click.BadParameter(f"expected {digits} hex digits ({length} bytes), and found {len(text)}{hint}")
        return bytes.fromhex(text)

    return read


_NEVER_PADDED = "; a shorter value is never padded: write the bytes that the guest put into all of REPORT_DATA"
INPUT = click.Path(path_type=Path, allow_dash=True)
FILE = click.Path(path_type=Path)
PRODUCT = click.Choice(["milan", "genoa", "turin"])


def options(*decorators: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Several click decorators as one, in the order in which --help should show them."""

    def apply(function: _F) -> _F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


AT = click.option(
    "--at", type=time_value, metavar="TIME", help="Evaluation time: RFC 3339 or Unix seconds. Default: now, taken once."
)
REPORT_DATA = click.option(
    "--report-data", type=hex_value(64, _NEVER_PADDED), metavar="HEX", help="Expected REPORT_DATA, all 64 bytes."
)
MEASUREMENT = click.option(
    "--measurement",
    "measurements",
    type=hex_value(48),
    multiple=True,
    metavar="HEX",
    help="Expected MEASUREMENT; several mean any of them.",
)
ALLOW_DEBUG = click.option("--allow-debug", is_flag=True, help="Accept guests that the host may debug.")
POLICY = click.option("--policy", "policy_file", type=FILE, metavar="FILE", help="Policy file, TOML or JSON.")
CERTS = click.option(
    "--certs", "cert_files", type=FILE, multiple=True, metavar="FILE", help="Certificates: PEM, DER or a GHCB table."
)
CRL = click.option("--crl", "crl_files", type=FILE, multiple=True, metavar="FILE", help="CRL of an ARK: DER or PEM.")
ROOT = click.option(
    "--root", "root_files", type=FILE, multiple=True, metavar="FILE", help="Trust anchors instead of the built-in ARKs."
)
COLLATERAL = click.option(
    "--collateral", "collateral_file", type=FILE, metavar="FILE", help="The platform's collateral, in any usual form."
)
INTEL_ROOT = click.option(
    "--root", "root_files", type=FILE, multiple=True, metavar="FILE", help="Trust anchors instead of Intel's root."
)
MR_TD = click.option(
    "--mr-td",
    "mr_tds",
    type=hex_value(48),
    multiple=True,
    metavar="HEX",
    help="Expected MRTD; several mean any of them.",
)
ENGINE = click.option("--engine", metavar="NAME", help="Signature engine to use; see attestcore info.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def now() -> int:
    return int(time.time())
