"""Benches as pytest-benchmark wants them: pytest benches/ --benchmark-only. Nothing here asserts a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import rounds

from attestcore import signatures


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """bench_*.py, which a plain run of the tests does not look for."""
    named = file_path.name.startswith("bench_") and file_path.suffix == ".py"
    if not named or parent.session.isinitpath(file_path):  # a file named on the command line is collected anyhow
        return None
    return pytest.Module.from_parent(parent, path=file_path)


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    machine_info["attestcore"] = rounds.machine()


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"{name}: {value}" for name, value in rounds.machine().items()]


@pytest.fixture(params=signatures.engines())
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine that this machine can run."""
    return str(request.param)
