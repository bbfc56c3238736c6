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
    click.echo(f"{name}: {' '.join(message.split())}", err=True)


def note(message: str) -> None:
    """A remark on stderr."""
    click.echo(f"{click.get_current_context().find_root().info_name}: {message}", err=True)


class Time(click.ParamType[int]):
    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_time(value)
        except ValueError as error:
            self.fail(f"{value!r} is {error}", param, ctx)


class HexBytes(click.ParamType[bytes]):
    """Exactly so many bytes as hex digits."""

    name = "HEX"

    def __init__(self, length: int, hint: str = "") -> None:
        self._length = length
        self._hint = hint

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        digits = 2 * self._length
        if not value.isascii() or any(c not in "0123456789abcdefABCDEF" for c in value):
            self.fail(f"expected {digits} hex digits, and found something else", param, ctx)
        if len(value) != digits:
            self.fail(
                f"expected {digits} hex digits ({self._length} bytes), and found {len(value)}{self._hint}", param, ctx
            )
        return bytes.fromhex(value)


REPORT_DATA = HexBytes(
    64, "; a shorter value is never padded: write the bytes that the guest put into all of REPORT_DATA"
)
MEASUREMENT = HexBytes(48)
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


AT = click.option("--at", type=Time(), help="Evaluation time: RFC 3339 or Unix seconds. Default: now, taken once.")
POLICY = click.option("--policy", "policy_file", type=FILE, metavar="FILE", help="Policy file, TOML or JSON.")
CERTS = click.option(
    "--certs", "cert_files", type=FILE, multiple=True, metavar="FILE", help="Certificates: PEM, DER or a GHCB table."
)
CRL = click.option("--crl", "crl_files", type=FILE, multiple=True, metavar="FILE", help="CRL of an ARK: DER or PEM.")
ROOT = click.option(
    "--root", "root_files", type=FILE, multiple=True, metavar="FILE", help="Trust anchors instead of the built-in ARKs."
)
ENGINE = click.option("--engine", metavar="NAME", help="Signature engine to use; see attestcore info.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def now() -> int:
    return int(time.time())
