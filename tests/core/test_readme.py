"""The README's examples run, and its commands are the Makefile's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_example_runs() -> None:
    code = README.split("```python\n")[1].split("```")[0]
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert "'snp': 8" in run.stdout
    assert "'report-data'" in run.stdout
    assert "'measurement'" not in run.stdout


def test_the_commands_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test"):
        assert f"make {target} " in README
        assert f"\n{target}:" in makefile
    assert "snpverify verify examples/data/report_milan.hex --certs examples/data/vcek_milan.der" in makefile
