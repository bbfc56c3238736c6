"""A small world for the commands: one test authority, a chip or two, files of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from attestcore.cli import main, snp, tdx
from snpverify.testing import AT, AmdCa, ReportFields

AT_TEXT = AT.strftime("%Y-%m-%dT%H:%M:%SZ")
EVIDENCE = Path(__file__).resolve().parents[2].parent / "shared" / "evidence"
PROGRAMS = {"snpverify": snp.main, "tdxverify": tdx.main, "attestcore": main.main}


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The one object on stdout; anything else there is an error."""
        assert self.out.count("\n") == 1
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def runner() -> CliRunner:
    """One that keeps stdout and stderr apart, as all do since click 8.2."""
    try:
        return CliRunner(mix_stderr=False)  # type: ignore[call-arg]
    except TypeError:
        return CliRunner()


def invoke(program: str, *args: object, stdin: bytes | None = None) -> Ran:
    result = runner().invoke(PROGRAMS[program], [str(arg) for arg in args], input=stdin, prog_name=program)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="session")
def ca() -> AmdCa:
    return AmdCa("Milan")


@dataclass(frozen=True)
class World:
    """Files: good, debug and torn reports (and bytes), their VCEK, the authority's ARK and ASK."""

    directory: Path
    good: Path
    debug: Path
    torn: Path
    vcek: Path
    root: Path
    trust: tuple[str, ...]  # options that make the authority's reports acceptable
    fields: ReportFields

    @property
    def data(self) -> bytes:
        return self.good.read_bytes()

    def write(self, name: str, data: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(data)
        return path


@pytest.fixture
def world(tmp_path: Path, ca: AmdCa) -> World:
    vcek = ca.vcek()
    fields = ReportFields.fitting(vcek, version=3, report_data=bytes(range(64)), measurement=b"\x11" * 48)
    files = {
        "good.bin": fields.sign(vcek),
        "debug.bin": fields.replace(policy=0xB0000).sign(vcek),
        "torn.bin": fields.sign(vcek, post_patches={0x90: b"\xff"}),
        "vcek.der": vcek.der,
        "root.pem": ca.ark_pem + ca.ask_pem,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    at = tmp_path.joinpath
    trust = ("--root", str(at("root.pem")), "--certs", str(at("vcek.der")), "--at", AT_TEXT)
    return World(
        tmp_path, at("good.bin"), at("debug.bin"), at("torn.bin"), at("vcek.der"), at("root.pem"), trust, fields
    )
