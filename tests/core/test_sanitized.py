"""The C core under address and undefined-behaviour sanitizers: fuzz targets over genuine evidence, its prefixes and its mutations."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tdxverify.collateral import open_collateral
from tdxverify.testing import AT, IntelCa
from tdxverify.testing.eventlog import Log, Record, ccel_table

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT.parent / "shared" / "evidence" / "snp"
DATA = ROOT / "examples" / "data"
SEED = 20261123


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core's objects, built once with sanitizers."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    build = tmp_path_factory.mktemp("sanitized")
    probe = build / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    flags = ["-fsanitize=address,undefined"]
    if subprocess.run(
        ["gcc", *flags, str(probe), "-o", str(build / "probe")], check=False, capture_output=True
    ).returncode:
        pytest.skip("gcc has no sanitizer runtime here")
    sources = sorted(map(str, (ROOT / "csrc").glob("*.c")))
    command = ["gcc", "-std=c11", "-g", "-O1", *flags, "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror",
               '-DATT_VERSION="test"', "-c", *sources]  # fmt: skip
    subprocess.run(command, check=True, cwd=build)
    return build


def run_target(core: Path, target: str, seeds: list[Path], rounds: int) -> None:
    program = core / target
    command = ["gcc", "-std=c11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Wall", "-Wextra",
               "-Werror", f"-I{ROOT / 'csrc'}", str(ROOT / "tests/fuzz" / f"{target}.c"), str(ROOT / "tests/fuzz/driver.c"),
               *map(str, core.glob("*.o")), "-o", str(program)]  # fmt: skip
    subprocess.run(command, check=True)
    done = subprocess.run(
        [str(program), str(SEED), str(rounds), *map(str, seeds)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{target} with seed {SEED}: {done.stderr[-4000:]}"
    assert f"{len(seeds)} inputs" in done.stdout


def genuine(pattern: str) -> list[Path]:
    return sorted(EVIDENCE.glob(pattern))


def report_file(directory: Path) -> Path:
    path = directory / "report.bin"
    path.write_bytes(bytes.fromhex((DATA / "report_milan.hex").read_text()))
    return path


def test_reports(core: Path, tmp_path: Path) -> None:
    run_target(core, "fuzz_report", [report_file(tmp_path), *genuine("reports/*.bin")], 3000)


def test_certificates_and_crls(core: Path) -> None:
    seeds = sorted(DATA.glob("vcek_*.der")) + genuine("certs/*.der")[::4] + genuine("crls/*.crl")
    run_target(core, "fuzz_cert", seeds, 3000)


def test_blobs(core: Path, tmp_path: Path) -> None:
    pem = tmp_path / "roots.pem"
    pem.write_bytes(b"".join(path.read_bytes() for path in sorted((ROOT / "attestcore/roots/amd").glob("*milan.pem"))))
    run_target(core, "fuzz_blob", [pem, *sorted(DATA.glob("vcek_*.der"))], 5000)


def test_whole_judgement(core: Path, tmp_path: Path) -> None:
    seed = tmp_path / "seed.bin"
    seed.write_bytes(report_file(tmp_path).read_bytes() + (DATA / "vcek_milan.der").read_bytes())
    run_target(core, "fuzz_verify", [seed], 2000)


def test_event_logs(core: Path, tmp_path: Path) -> None:
    records = [Record(i % 5, type_, b"data") for i, type_ in enumerate((3, 4, 0x6, 0xD, 0x80000001, 0x80000003))]
    records += [
        Record.ipl(3, "grub_cmd: ", "boot"),
        Record.variable(1, 0x80000002, bytes(16), "Boot0001", b"option", whole=False),
        Record.tagged(4, 1, b"data"),
    ]
    logs = {"ones": Log(records, padding=b"\xff" * 64), "zeros": Log(records, padding=bytes(64)), "bare": Log(records)}
    seeds = []
    for name, content in ({name: log.bytes for name, log in logs.items()} | {"table": ccel_table()}).items():
        seeds.append(tmp_path / name)
        seeds[-1].write_bytes(content)
    genuine_log = EVIDENCE.parent / "ccel" / "ccel_data.dat"
    if genuine_log.exists():
        seeds.append(tmp_path / "genuine")
        seeds[-1].write_bytes(genuine_log.read_bytes()[:18200])
    run_target(core, "fuzz_eventlog", seeds, 5000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Evidence and collateral of the test CA for Intel, by what it is."""
    directory = tmp_path_factory.mktemp("intel")
    ca = IntelCa()
    shapes = [(3, 1), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3), (5, 4)]
    quotes = [ca.quote(version=version, body_type=body) for version, body in shapes]
    collateral = ca.collateral(quotes[5], at=AT)
    parts = open_collateral(collateral.json().encode())
    pcs = parts.to_pcs()
    contents = {
        "quote": [quote.bytes for quote in quotes],
        "certificate": [ca.root.der, ca.platform.der, ca.processor.der, ca.tcb_signing.der, ca.pck("platform").der],
        "crl": [parts.root_crl, parts.pck_crl],
        "chain": [parts.tcb_info_chain, parts.pck_crl_chain],
        "document": [parts.tcb_info, parts.identity, pcs["tcb_info"], pcs["qe_identity"]],
    }
    found: dict[str, list[Path]] = {}
    for kind, items in contents.items():
        found[kind] = [directory / f"{kind}{i}" for i in range(len(items))]
        for path, content in zip(found[kind], items, strict=True):
            path.write_bytes(content)
    return found


def test_quotes(core: Path, made: dict[str, list[Path]]) -> None:
    run_target(core, "fuzz_quote", [*made["quote"], DATA / "quote_td15ex.bin"], 2000)


def test_intel_certificates(core: Path, made: dict[str, list[Path]]) -> None:
    run_target(core, "fuzz_intel", made["certificate"] + made["crl"] + made["chain"], 3000)


def test_collateral(core: Path, made: dict[str, list[Path]]) -> None:
    run_target(core, "fuzz_collateral", made["document"] + made["crl"] + made["chain"], 2000)
