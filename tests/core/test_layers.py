"""One module of the tree touches the native module (import-linter, which holds the other layers, does not see extension modules)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_the_binding_imports_the_native_module() -> None:
    sources = [path for package in ("attestcore", "snpverify", "tdxverify") for path in (ROOT / package).rglob("*.py")]
    assert len(sources) > 30
    callers = {path.relative_to(ROOT).as_posix() for path in sources if "attestcore._native" in set(imported(path))}
    assert callers == {"attestcore/_lib.py"}
