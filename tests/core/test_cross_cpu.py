# SPDX-License-Identifier: Apache-2.0
"""The C core on other CPUs, with other sizes of limb, and under sanitizers: tests/c/selftest.c over the vectors of sigvectors.

Cross compilers and qemu-user run it as aarch64, as i386 (no 128-bit integers) and as s390x (big-endian). What is not installed is
skipped and says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sigvectors as vectors

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "tests" / "c" / "selftest.c", *sorted((ROOT / "csrc").glob("*.c"))]
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Werror", '-DATT_VERSION="test"', f"-I{ROOT / 'csrc'}"]


@dataclass(frozen=True)
class Target:
    name: str
    compiler: str
    flags: tuple[str, ...] = ("-O2",)
    emulator: str | None = None
    words: tuple[str, ...] = field(default=("64-bit pointers", "first byte of 1 is 1"))


SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
TARGETS = [
    Target("native", "cc", words=()),
    Target("native, 32-bit limbs", "cc", ("-O2", "-DATT_LIMB32"), words=()),
    Target("native, sanitized", "cc", SANITIZE, words=()),
    Target("native, 32-bit limbs, sanitized", "cc", (*SANITIZE, "-DATT_LIMB32"), words=()),
    Target("native, not optimised", "cc", ("-O0",), words=()),
    Target("clang", "clang", words=()),
    Target("aarch64", "aarch64-linux-gnu-gcc", ("-O2", "-static"), "qemu-aarch64"),
    Target("i386", "i686-linux-gnu-gcc", ("-O2", "-static"), "qemu-i386", ("32-bit pointers", "first byte of 1 is 1")),
    Target("s390x", "s390x-linux-gnu-gcc", ("-O2", "-static"), "qemu-s390x", ("64-bit pointers", "first byte of 1 is 0")),
]  # fmt: skip


# Engines with lanes, their vector operations in plain C; every EMULATED_STEP-th signature, as they are slow.
EMULATED = [
    Target(f"{target.name}, emulated lanes", target.compiler, (*target.flags, "-DATT_LANES_EMULATED"), target.emulator)
    for target in TARGETS
    if target.name in ("native", "native, 32-bit limbs, sanitized", "aarch64", "i386", "s390x")
]
EMULATED_STEP = 24


@dataclass(frozen=True)
class VectorFile:
    path: Path
    hashes: int
    signatures: int
    valid: int
    curves: int  # signatures that are not RSA


@pytest.fixture(scope="module")
def vector_file(tmp_path_factory: pytest.TempPathFactory) -> VectorFile:
    """Edges, lengths, RSA and random cases; Wycheproof's as well where it is."""
    cases = [*vectors.edge_cases(), *vectors.length_cases(), *vectors.rsa_cases()]
    for curve in vectors.CURVES:
        cases += vectors.random_cases(curve, 100)
    if vectors.WYCHEPROOF.is_dir():
        for curve, name in vectors.ECDSA_FILES:
            cases += vectors.wycheproof_ecdsa(curve, name).cases
        for name in vectors.RSA_FILES:
            cases += vectors.wycheproof_rsa(name).cases
    lines = list(vectors.selftest_lines(cases))
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_text("\n".join(lines) + "\n")
    return VectorFile(
        path,
        len(lines) - len(cases),
        len(cases),
        sum(case.valid for case in cases),
        sum(case.algorithm < 3 for case in cases),
    )


def build(target: Target, directory: Path, sources: Sequence[Path] = SOURCES) -> Path:
    compiler = shutil.which(target.compiler)
    if compiler is None:
        pytest.skip(f"{target.compiler} is not installed")
    if target.emulator is not None and shutil.which(target.emulator) is None:
        pytest.skip(f"{target.emulator} is not installed")
    program = directory / "selftest"
    done = subprocess.run(
        [compiler, *FLAGS, *target.flags, *map(str, sources), "-o", str(program)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 and re.search(r"cannot find (-l|crt|lib\w*san)|stdio\.h: No such file", done.stderr):
        pytest.skip(f"{target.compiler} has no libraries for this: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_core(target: Target, vector_file: VectorFile, tmp_path: Path) -> None:
    program = build(target, tmp_path)
    emulator = [target.emulator] if target.emulator is not None else []
    env = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}
    done = subprocess.run(
        [*emulator, str(program), str(vector_file.path)], check=False, capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stderr == ""
    for words in target.words:
        assert words in done.stdout
    lines = done.stdout.splitlines()
    assert f"hashes: {vector_file.hashes}" in lines
    expected = f"engine portable: {vector_file.signatures} signatures, {vector_file.valid} valid, "
    assert sum(line.startswith(expected) and line.endswith("no tables") for line in lines) == 1
    for kept in ("many", "few"):
        found = [line for line in lines if line.startswith("engine portable: ") and line.endswith(f"{kept} tables")]
        assert [int(line.split()[2]) for line in found] == [vector_file.curves]
    assert lines[-1] == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("target", EMULATED, ids=lambda target: target.name)
def test_lanes_emulated(target: Target, vector_file: VectorFile, tmp_path: Path) -> None:
    lines = vector_file.path.read_text().splitlines()
    some = [line for line in lines if line.startswith(("sig 1 ", "sig 2 "))][::EMULATED_STEP]
    for size in (256, 257, 512):  # of one size there must be enough to fill lanes
        of_size = [line for line in lines if re.match("sig [3-6] ", line) and len(line.split()[4]) == 2 * size]
        some += of_size[:: len(of_size) // 12]
    assert len(some) > 90
    path = tmp_path / "some.txt"
    path.write_text("\n".join([*lines[:5], *some]) + "\n")
    program = build(target, tmp_path)
    emulator = [target.emulator] if target.emulator is not None else []
    done = subprocess.run([*emulator, str(program), str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stderr == ""
    curves = [line for line in some if line.startswith(("sig 1 ", "sig 2 "))]  # what there are tables for
    for engine in ("ifma8", "avx2x4", "portable"):
        for kept, tried in (("no", some), ("many", curves), ("few", curves)):
            valid = sum(line.split()[3] == "1" for line in tried)
            start, end = f"engine {engine}: {len(tried)} signatures, {valid} valid, ", f"{kept} tables"
            assert sum(line.startswith(start) and line.endswith(end) for line in done.stdout.splitlines()) == 1


THREADED = [
    Target("native", "cc", ("-O2", "-pthread")),
    Target("native, thread sanitizer", "cc", ("-O1", "-g", "-fsanitize=thread", "-pthread")),
    Target("aarch64", "aarch64-linux-gnu-gcc", ("-O2", "-static", "-pthread"), "qemu-aarch64"),
]


@pytest.mark.slow
@pytest.mark.parametrize("target", THREADED, ids=lambda target: target.name)
def test_threads_that_share_key_tables(target: Target, vector_file: VectorFile, tmp_path: Path) -> None:
    """tests/c/threads.c: four threads, all engines, room for four keys."""
    lines = vector_file.path.read_text().splitlines()
    curves = [line for line in lines if line.startswith(("sig 1 ", "sig 2 "))][::EMULATED_STEP]
    path = tmp_path / "some.txt"
    path.write_text("\n".join(curves) + "\n")
    program = build(target, tmp_path, [ROOT / "tests" / "c" / "threads.c", *SOURCES[1:]])
    emulator = [target.emulator] if target.emulator is not None else []
    rounds = "60" if len(emulator) or "-fsanitize=thread" in target.flags else "600"
    done = subprocess.run([*emulator, str(program), str(path), rounds], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "ok"


def test_the_program_tells_a_wrong_outcome(vector_file: VectorFile, tmp_path: Path) -> None:
    """A vector said to be valid that is not, or a wrong digest, must fail: the program is not a rubber stamp."""
    program = build(TARGETS[0], tmp_path)
    lines = vector_file.path.read_text().splitlines()
    signature = next(i for i, line in enumerate(lines) if line.startswith("sig 2 0 0 "))
    valid = next(i for i, line in enumerate(lines) if line.startswith("sig 2 0 1 "))
    for at, old, new in (
        (signature, "sig 2 0 0 ", "sig 2 0 1 "),
        (valid, "sig 2 0 1 ", "sig 2 0 0 "),
        (4, "hash 384", "hash 512"),
    ):
        changed = [*lines]
        assert changed[at].startswith(old)
        changed[at] = changed[at].replace(old, new, 1)
        path = tmp_path / "wrong.txt"
        path.write_text("\n".join(changed) + "\n")
        done = subprocess.run([str(program), str(path)], check=False, capture_output=True, text=True)
        assert done.returncode == 1
        assert "FAILED" in done.stdout
