"""Text for people: colours where they belong, nothing that a terminal could take for a command."""

from __future__ import annotations

import pytest

from attestcore.cli import render
from attestcore.cli.common import printable

from .conftest import World, invoke


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(("variable", "value"), [("X", "1"), ("NO_COLOR", "1"), ("NO_COLOR", ""), ("TERM", "dumb")])
def test_colours(monkeypatch: pytest.MonkeyPatch, terminal: bool, variable: str, value: str) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    page = render.Page()
    page.title("ACCEPTED", fg="green")
    page.line("plain")
    coloured = terminal and (variable == "X" or (variable, value) == ("NO_COLOR", ""))
    assert page._lines == ["\x1b[32m\x1b[1mACCEPTED\x1b[0m" if coloured else "ACCEPTED", "  plain"]


def test_long_hex_runs_on_below_itself(capsys: pytest.CaptureFixture[str]) -> None:
    page = render.Page()
    page.rows([("NAME", "ab" * 40), ("LONGER", "some words " * 15)])
    page.show()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "  NAME    " + "ab" * 32
    assert lines[1] == "          " + "ab" * 8
    assert lines[2].startswith("  LONGER  some words")
    assert all(len(line) <= 100 for line in lines)


def test_names_of_files_are_no_commands(world: World) -> None:
    assert printable("é \x1b[2J\n\u2028\udcff") == "é \\x1b[2J\\n\\u2028\\udcff"
    path = world.directory / "\x1b[2J\nACCEPTED"
    ran = invoke("attestcore", "verify", path)
    assert (ran.status, ran.err.count("\n"), "\x1b" in ran.err) == (2, 1, False)
    path.write_bytes(b"")
    ran = invoke("attestcore", "verify", path, world.good)
    assert "\x1b" not in ran.out + ran.err
    assert not any(line.startswith("ACCEPTED") for line in ran.out.splitlines())
