"""Stored evidence of a test authority, and a run over it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from attestcore.batch.judge import Terms
from attestcore.batch.runner import Job, Outcome, Run
from attestcore.batch.schema import Mapping
from attestcore.cli import main, snp
from snpverify.testing import AT, AmdCa, Endorsement, ReportFields

AT_SECONDS = int(AT.timestamp())
AT_TEXT = AT.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Store:
    """Reports by number: number n is torn when n % 5 == 3, allows DEBUG when n % 5 == 4, else is good."""

    ca: AmdCa
    vceks: tuple[Endorsement, ...]
    reports: tuple[bytes, ...]
    directory: Path

    def vcek(self, n: int) -> bytes:
        return self.vceks[n % len(self.vceks)].der

    def code(self, n: int) -> str | None:
        return {3: "report-signature-invalid", 4: "debug-allowed"}.get(n % 5)

    @property
    def roots(self) -> list[bytes]:
        return [self.ca.ark_der, self.ca.ask_der]

    @property
    def all_vceks(self) -> list[bytes]:
        return [vcek.der for vcek in self.vceks]

    def path(self, name: str) -> Path:
        return self.directory / name

    def write(self, name: str, data: bytes) -> Path:
        self.path(name).write_bytes(data)
        return self.path(name)

    def run(self, sources: Sequence[Path], out: str, **changes: Any) -> Outcome:
        """One run under the authority's roots, with all VCEKs at hand unless certs says otherwise."""
        terms: dict[str, Any] = {"roots": self.roots, "certs": self.all_vceks}
        terms |= {name: changes.pop(name) for name in list(changes) if name in Terms.__dataclass_fields__}
        mapping = Mapping.parse(changes.pop("map", ()))
        job = Job(sources=sources, out=self.path(out), terms=Terms(**terms), at=AT_SECONDS, mapping=mapping, **changes)
        return Run(job).run()

    def rows(self, out: str) -> list[dict[str, Any]]:
        """The rows of a result file."""
        path = self.path(out)
        if path.suffix == ".parquet":
            return list(pq.read_table(path).to_pylist())
        return [json.loads(line) for line in path.read_text().splitlines()]

    def cli(self, *args: object, program: str = "snpverify") -> tuple[int, str, str]:
        """`PROGRAM batch` under the authority's roots: status, stdout, stderr."""
        root = self.write("root.pem", self.ca.ark_pem + self.ca.ask_pem)
        command = {"snpverify": snp.main, "attestcore": main.main}[program]
        words = ["batch", *map(str, args), "--root", str(root), "--at", AT_TEXT]
        try:
            runner = CliRunner(mix_stderr=False)  # type: ignore[call-arg]
        except TypeError:  # since click 8.2 they are always apart
            runner = CliRunner()
        result = runner.invoke(command, words, prog_name=program)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="session")
def made() -> tuple[AmdCa, tuple[Endorsement, ...], tuple[bytes, ...]]:
    ca = AmdCa("Milan")
    vceks = tuple(ca.vcek(chip_id=bytes([n + 1]) * 64) for n in range(3))
    reports = []
    for n in range(30):
        vcek = vceks[n % 3]
        fields = ReportFields.fitting(vcek, version=3, report_data=n.to_bytes(64, "big"))
        if n % 5 == 4:
            fields = fields.replace(policy=0xB0000)
        reports.append(fields.sign(vcek, post_patches={0x90: b"\xff"} if n % 5 == 3 else {}))
    return ca, vceks, tuple(reports)


@pytest.fixture
def store(tmp_path: Path, made: tuple[AmdCa, tuple[Endorsement, ...], tuple[bytes, ...]]) -> Store:
    return Store(*made, tmp_path)
