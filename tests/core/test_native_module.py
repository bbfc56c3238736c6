"""The native module as it is shipped: what it needs, what it shows, how it is tagged; and the layers above it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import attestcore._native as native
from attestcore import _lib

ROOT = Path(__file__).resolve().parents[2]

# What the module may take from outside: the C library, and the Python API that cffi's generated code calls.
# No malloc, no stdio: the core neither allocates nor speaks.
LIBC = {
    "bcmp",
    "memchr",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "strchr",
    "strcmp",
    "strlen",
    "__memcpy_chk",
    "__stack_chk_fail",
}
WEAK = {"__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__cxa_finalize"}


def symbols(*options: str) -> set[str]:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("nm (binutils) is not installed")
    out = subprocess.run([nm, "-D", *options, str(native.__file__)], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip()}


def test_needs_libc_and_python_only() -> None:
    undefined = symbols("--undefined-only")
    foreign = {name for name in undefined if not name.startswith(("Py", "_Py"))} - LIBC - WEAK
    assert foreign == set()


def test_shows_nothing_but_its_init_function() -> None:
    assert symbols("--defined-only", "--extern-only") == {"PyInit__native"}


def test_links_no_library_but_libc() -> None:
    ldd = shutil.which("objdump")
    if ldd is None:
        pytest.skip("objdump (binutils) is not installed")
    out = subprocess.run([ldd, "-p", str(native.__file__)], check=True, capture_output=True, text=True).stdout
    needed = set(re.findall(r"NEEDED\s+(\S+)", out))
    assert {name.split(".so")[0] for name in needed} <= {"libc", "libpthread", "ld-linux-x86-64", "ld-linux-aarch64"}


def test_is_built_against_the_stable_abi() -> None:
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("free-threaded builds have no stable ABI yet")
    assert ".abi3." in Path(str(native.__file__)).name


def test_version_is_that_of_the_distribution() -> None:
    declared = re.search(r'^version = "([^"]+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared is not None
    assert declared.group(1) == _lib.VERSION


def test_starting_twice_changes_nothing() -> None:
    assert native.lib.att_init() == 0


@pytest.mark.slow
def test_wheel_builds_alone_and_works_in_a_fresh_environment(tmp_path: Path) -> None:
    """pip install . with build isolation, nothing but a C compiler; the commands answer without any extra."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    source = tmp_path / "source"
    ignore = shutil.ignore_patterns(
        ".git", ".venv", "build", "*.so", "__pycache__", "_native.c", "*.egg-info", ".*_cache"
    )
    shutil.copytree(ROOT, source, ignore=ignore)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    wheels = tmp_path / "wheels"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(source)], check=True)
    (wheel,) = wheels.iterdir()
    assert "-cp310-abi3-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert {"attestcore/py.typed", "snpverify/py.typed", "attestcore/roots/amd/ark-milan.pem"} <= set(names)
    assert [name for name in names if name.startswith(("tests/", "csrc/", "benches/"))] == []
    subprocess.run([*pip, "install", str(wheel)], check=True)
    command = [str(tmp_path / "venv" / "bin" / "snpverify"), "verify", str(ROOT / "examples/data/report_milan.hex"),
               "--certs", str(ROOT / "examples/data/vcek_milan.der"), "--at", "2025-01-01T00:00:00Z"]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
