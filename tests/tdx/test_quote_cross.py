# SPDX-License-Identifier: Apache-2.0
"""Quotes and platforms are judged the same on every CPU: other word sizes and byte orders give the same findings, to the offset."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tdxverify.testing import IntelCa

ROOT = Path(__file__).resolve().parents[2]

CPUS = {
    "aarch64": ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
    "i386": ("i686-linux-gnu-gcc", "qemu-i386"),
    "s390x": ("s390x-linux-gnu-gcc", "qemu-s390x"),
}
SHAPES = [(3, 1), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3), (5, 4)]


def build(compiler: str, out: Path, *options: str) -> Path:
    sources = [str(ROOT / "tests/c/judge_quote.c"), *sorted(map(str, (ROOT / "csrc").glob("*.c")))]
    command = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", '-DATT_VERSION="test"', f"-I{ROOT / 'csrc'}"]
    subprocess.run([*command, *options, *sources, "-o", str(out)], check=True)
    return out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Root, known CA, then quotes: right ones of every shape and CA, and wrong ones of every kind."""
    directory = tmp_path_factory.mktemp("quotes")
    ca = IntelCa()
    quotes = [ca.quote(*shape, ca=kind).bytes for shape in SHAPES for kind in ("platform", "processor")]  # type: ignore[arg-type]
    good = ca.quote()
    quotes += [
        good.flipped("qe_report_signature"),
        good.flipped("auth_data"),
        good.replace(auth_data=bytes(5000)).bytes,
        good.replace(outer_size=2**31).bytes,
        good.replace(cert_type=3).bytes,
        good.replace(trailing=bytes(99) + b"\1").bytes,
        good.replace(chain=good.chain[::-1]).bytes,
        good.bytes[:-1],
        good.bytes[:47],
        IntelCa(impostor=True).quote().bytes,
        ca.quote(pck=ca.pck(components=(255,) * 16, pce_svn=65535)).bytes,
    ]
    contents = [ca.root.der, ca.platform.der, *quotes]
    out = []
    for i, content in enumerate(contents):
        path = directory / f"{i:02}.bin"
        path.write_bytes(content)
        out.append(str(path))
    return out


@pytest.fixture(scope="module")
def native(files: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    program = build("gcc", tmp_path_factory.mktemp("native") / "judge_quote")
    said = subprocess.run([str(program), *files], check=True, capture_output=True, text=True).stdout
    assert said.startswith("certificate role 1: 1 0 0\ncertificate role 2: 1 0 0\nroots 0 0\n")
    whole = len(files) - 2 - 3  # two certificates; three quotes that are cut or lie about a length
    assert said.count("quote whole 1") == whole
    assert said.count("  qe signature 1 ") == whole - 3  # broken; no chain; the chain in another order
    assert said.count("  root 1 ") == whole - 3  # no chain; the chain in another order; another root
    return said


@pytest.mark.slow
@pytest.mark.parametrize("cpu", CPUS)
def test_another_cpu_says_the_same(cpu: str, files: list[str], native: str, tmp_path: Path) -> None:
    compiler, emulator = CPUS[cpu]
    if shutil.which(compiler) is None or shutil.which(emulator) is None:
        pytest.skip(f"no {compiler} or no {emulator}")
    program = build(compiler, tmp_path / "judge_quote", "-static")
    said = subprocess.run([emulator, str(program), *files], check=True, capture_output=True, text=True).stdout
    assert said == native
