# SPDX-License-Identifier: Apache-2.0
"""The long comparison of engines (tests/long/engines_equal.py), for a few thousand signatures; and that it goes on where it stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests" / "long" / "engines_equal.py"


def run(state: Path, signatures: int, seed: str = "short") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), "--signatures", str(signatures), "--seed", seed, "--resume", str(state)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.slow
def test_engines_agree_and_the_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = run(state, 1)
    assert first.returncode == 0, first.stderr
    kept = json.loads(state.read_text())
    assert set(kept["curves"]) == {"P-256", "P-384", "RSA"}
    for done in kept["curves"].values():
        assert done["signatures"] == 8192
        assert 4000 < done["valid"] < 8000
    again = run(state, 8192)
    assert again.returncode == 0
    assert json.loads(state.read_text()) == kept
    other = run(state, 8192, seed="other")
    assert other.returncode != 0
    assert "belongs to seed 'short'" in other.stderr
