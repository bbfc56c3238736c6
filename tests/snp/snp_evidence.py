# SPDX-License-Identifier: Apache-2.0
"""The real evidence beside the repository (../shared/evidence/snp), as its manifest has it. Tests read it and copy nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared" / "evidence" / "snp"

needs_evidence = pytest.mark.skipif(not FOLDER.is_dir(), reason="no real evidence at ../shared/evidence/snp")

#: The two that the default policy does not accept: one with DEBUG set, one whose certificate is not known.
DEBUG = "377e6241d3b373ab"
ORPHAN = "fc4e6560765c6cde"

REVOKED_ASK = "54467b96b8baf21d"  # Genoa's first ASK, serial 0x20001, on Genoa's CRL


@dataclass(frozen=True)
class Signer:
    """A certificate that the manifest says signed a report."""

    name: str
    der: bytes
    kind: str  # VCEK or VLEK
    product: str
    not_before: int
    not_after: int

    @property
    def middle(self) -> int:
        return (self.not_before + self.not_after) // 2


@dataclass(frozen=True)
class Item:
    name: str  # the first 16 digits of the report's SHA-256
    report: bytes
    version: int
    signers: tuple[Signer, ...]

    @property
    def accepted(self) -> bool:
        return self.name not in (DEBUG, ORPHAN)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _signer(entry: dict[str, str]) -> Signer:
    path = FOLDER / entry["file"]
    return Signer(
        path.stem.rsplit("_", 1)[1],
        path.read_bytes(),
        entry["kind"].removeprefix("SEV-"),
        entry["root"].removeprefix("ARK-"),
        _seconds(entry["not_before"]),
        _seconds(entry["not_after"]),
    )


def _items() -> tuple[Item, ...]:
    if not FOLDER.is_dir():
        return ()
    out = []
    for entry in json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8")):
        report = (FOLDER / entry["file"]).read_bytes()
        if hashlib.sha256(report).hexdigest() != entry["sha256"]:
            raise ValueError(f"{entry['file']} is not what the manifest says")
        signers = tuple(map(_signer, entry["signers"]))
        out.append(Item(entry["sha256"][:16], report, entry["version"], signers))
    return tuple(out)


ITEMS = _items()
PAIRS = [(item, signer) for item in ITEMS for signer in item.signers]
CERTS = {path.stem: path.read_bytes() for path in sorted((FOLDER / "certs").glob("*.der"))}
CRLS = {path.stem.split("_")[0].title(): path.read_bytes() for path in sorted((FOLDER / "crls").glob("*.crl"))}


def item(name: str) -> Item:
    return next(i for i in ITEMS if i.name == name)


def cert(name: str) -> bytes:
    """A certificate by the digits of its SHA-256 in its file's name."""
    return next(der for stem, der in CERTS.items() if stem.endswith(name))


def each_pair() -> pytest.MarkDecorator:
    """Every report with every certificate that signed it."""
    return pytest.mark.parametrize(
        ("real", "signer"), PAIRS, ids=[f"{real.name[:8]}-{signer.name[:8]}" for real, signer in PAIRS]
    )


def each_item() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("real", ITEMS, ids=[i.name[:8] for i in ITEMS])
