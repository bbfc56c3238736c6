"""Text for people: aligned, quiet, coloured only on a terminal."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Sequence

import click

_HEX_A_LINE = 64
_GAP = "  "


def _styled() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Page:
    """Lines for stdout, written by `show()` all at once."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._color = _styled()
        self._width = 100

    def _style(self, text: str, fg: str | None = None, *, bold: bool = False) -> str:
        if not self._color or not (fg or bold):
            return text
        return click.style(text, fg=fg, bold=bold or None)

    def title(self, text: str, rest: str = "", *, fg: str | None = None) -> None:
        self._lines.append(self._style(text, bold=True, fg=fg) + (_GAP + rest if rest else ""))

    def heading(self, text: str) -> None:
        self._lines += ["", self._style(text, bold=True)]

    def line(self, text: str, *, fg: str | None = None, indent: int = 2) -> None:
        """A paragraph, wrapped."""
        lead = " " * indent
        wrapped = textwrap.wrap(text, self._width - indent, break_long_words=False, break_on_hyphens=False)
        self._lines += [lead + self._style(part, fg=fg) for part in wrapped or [""]]

    def rows(self, rows: Iterable[Sequence[str]], *, warn: Iterable[int] = ()) -> None:
        """Columns as wide as they need to be. Long hex runs on below itself; rows whose number is in warn stand out."""
        table = [list(row) for row in rows]
        loud = set(warn)
        columns = max((len(row) for row in table), default=0)
        widths = [max((len(row[i]) for row in table if i < len(row) - 1), default=0) for i in range(columns)]
        for number, row in enumerate(table):
            head = "".join(cell.ljust(width) + _GAP for cell, width in zip(row[:-1], widths, strict=False))
            parts = self._parts(row[-1], len(head))
            for index, part in enumerate(parts):
                lead = head if index == 0 else " " * len(head)
                self._lines.append(("  " + lead + self._style(part, fg="yellow" if number in loud else None)).rstrip())

    def _parts(self, text: str, used: int) -> list[str]:
        if len(text) > _HEX_A_LINE and " " not in text:
            return [text[at : at + _HEX_A_LINE] for at in range(0, len(text), _HEX_A_LINE)]
        return textwrap.wrap(text, max(self._width - used - 2, 40), break_long_words=False, break_on_hyphens=False) or [
            ""
        ]

    def show(self) -> None:
        click.echo("\n".join(self._lines))
