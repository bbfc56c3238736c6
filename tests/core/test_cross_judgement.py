"""The judgement is the same on every CPU: other word sizes and byte orders give the same findings, to the offset."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from snpverify.testing import AT, AmdCa, ReportFields

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples" / "data"

CPUS = {
    "aarch64": ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
    "i386": ("i686-linux-gnu-gcc", "qemu-i386"),
    "s390x": ("s390x-linux-gnu-gcc", "qemu-s390x"),
}


def build(compiler: str, out: Path, *options: str) -> Path:
    sources = [str(ROOT / "tests/c/judge.c"), *sorted(map(str, (ROOT / "csrc").glob("*.c")))]
    command = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", '-DATT_VERSION="test"', f"-I{ROOT / 'csrc'}"]
    subprocess.run([*command, *options, *sources, "-o", str(out)], check=True)
    return out


def vectors(directory: Path) -> list[tuple[int, Path, Path, list[Path]]]:
    """Times, roots, certificates and reports: the genuine example, and reports of every version by the test CA, right and wrong."""
    genuine = directory / "genuine.bin"
    genuine.write_bytes(bytes.fromhex((DATA / "report_milan.hex").read_text()))
    amd = directory / "amd.pem"
    amd.write_bytes(b"".join(path.read_bytes() for path in sorted((ROOT / "attestcore/roots/amd").glob("*.pem"))))
    out = [(1735689600, amd, DATA / "vcek_milan.der", [genuine]), (1735689600, amd, DATA / "vcek_turin.der", [genuine])]
    for product, versions in (("Milan", (2, 3, 4, 5, 6)), ("Turin", (3, 5))):
        ca = AmdCa(product)
        vcek = ca.vcek()
        roots, leaf = directory / f"{product}.pem", directory / f"{product}.der"
        roots.write_bytes(ca.ark.pem + ca.ask.pem + ca.asvk.pem)
        leaf.write_bytes(vcek.der)
        reports = []
        for version in versions:
            fields = ReportFields.fitting(vcek, version=version)
            made = [
                fields.sign(vcek),
                fields.sign(vcek, swap=True),
                fields.replace(policy=0xB0000, vmpl=0xFFFFFFFF).sign(vcek),
            ]
            for i, data in enumerate([*made, fields.sign(vcek, patches={0x18B: b"\1"}), made[0][:-1]]):
                path = directory / f"{product}-{version}-{i}.bin"
                path.write_bytes(data)
                reports.append(path)
        out.append((int(AT.timestamp()), roots, leaf, reports))
    return out


def run(program: list[str], cases: list[tuple[int, Path, Path, list[Path]]]) -> str:
    said = ""
    for at, roots, certs, reports in cases:
        command = [*program, str(at), str(roots), str(certs), *map(str, reports)]
        said += subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return said


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, Path, Path, list[Path]]]:
    return vectors(tmp_path_factory.mktemp("vectors"))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[int, Path, Path, list[Path]]]) -> str:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    said = run([str(build("gcc", tmp_path_factory.mktemp("native") / "judge"))], cases)
    assert said.count("accepted 1") == 1 + 4 + 2  # the genuine one, and the first of each judged version
    assert said.count("accepted 0") == 1 + 5 * 5 - 4 + 2 * 5 - 2
    return said


@pytest.mark.parametrize("cpu", CPUS)
def test_same_findings(cpu: str, native: str, cases: list[tuple[int, Path, Path, list[Path]]], tmp_path: Path) -> None:
    compiler, emulator = CPUS[cpu]
    if shutil.which(compiler) is None or shutil.which(emulator) is None:
        pytest.skip(f"{compiler} and {emulator} are not installed")
    program = build(compiler, tmp_path / "judge", "-static")
    assert run([emulator, str(program)], cases) == native


def test_same_findings_with_narrow_limbs(
    native: str, cases: list[tuple[int, Path, Path, list[Path]]], tmp_path: Path
) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    assert run([str(build("gcc", tmp_path / "judge", "-DATT_LIMB32"))], cases) == native
