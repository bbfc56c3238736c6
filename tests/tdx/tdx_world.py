# SPDX-License-Identifier: Apache-2.0
"""What the tests of TDX verdicts share: a test authority, verifiers that trust it, and the real evidence beside the repository
(../shared/evidence; tests read it and copy nothing)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tdxverify import Policy, Verdict, Verifier
from tdxverify.testing import AT, Collateral, IntelCa, Quote

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT.parent / "shared" / "evidence"
REAL = EVIDENCE / "tdx"
EXAMPLES = ROOT / "examples" / "data"

needs_evidence = pytest.mark.skipif(not REAL.is_dir(), reason="no real evidence at ../shared/evidence/tdx")

# ---- made evidence ---------------------------------------------------------------------------------------------------

CA = IntelCa()
NOW = int(AT.timestamp())
BOTH = Policy(tee_types=("tdx", "sgx"))
SHAPES = ((3, 1), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3), (5, 4))  # version, body type


@cache
def verifier(policy: Policy | None = None, engine: str | None = None) -> Verifier:
    """One that trusts the test authority."""
    return Verifier(policy, CA.roots, engine)


def packed(collateral: Collateral | None, **overrides: Any) -> bytes | None:
    return None if collateral is None else collateral.json(**overrides).encode()


def judged(
    quote: Quote | bytes,
    collateral: Collateral | bytes | None,
    *,
    at: int = NOW,
    policy: Policy | None = None,
) -> Verdict:
    """The verdict on made evidence."""
    data = quote if isinstance(quote, bytes) else quote.bytes
    bundle = collateral if isinstance(collateral, bytes) else packed(collateral)
    return verifier(policy).verify(data, collateral=bundle, at=at)


def told(verdict: Verdict) -> dict[str, str]:
    """Checks that failed, or were required and could not run, with their codes."""
    return {check.check: check.code for check in verdict.checks if check.code is not None}


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {check.check: check.outcome for check in verdict.checks}


def agrees(verdict: Verdict, expected: Mapping[str, str], *, verified: bool | None = None) -> None:
    """These checks say these codes, in this order, and no other says any."""
    assert told(verdict) == dict(expected)
    assert verdict.codes == tuple(expected.values())
    assert verdict.accepted is (not expected)
    if verified is not None:
        assert verdict.claims_verified is verified


# ---- real evidence ---------------------------------------------------------------------------------------------------

DEBUG = frozenset({"12b401a88a51", "77bcbdfa9c1a", "743a7a64fe92"})
SERVICE_TD = frozenset({"586c2be0dc38", "d0010db6f7b8"})


@dataclass(frozen=True)
class Real:
    """A quote of the manifest and one set of collateral for it."""

    name: str
    quote: bytes
    collateral: bytes
    at: int
    valid_from: int
    valid_to: int
    sgx: bool
    status: str | None
    advisories: tuple[str, ...]
    tcb_date: str | None
    launch_status: str | None
    current_status: str | None
    numbers: tuple[int, int]
    fmspc: str
    ca: str

    @property
    def codes(self) -> dict[str, str]:
        """What the default policy has against it."""
        quote = self.name.split(".")[0]
        out: dict[str, str] = {}
        if self.status is None:
            out["tcb-level"] = "tcb-level-not-found"
        elif self.status not in ("UpToDate", "SWHardeningNeeded"):
            out["tcb-status"] = "tcb-status-refused"
        if self.sgx:
            out["tee-type-allowed"] = "tee-type-not-allowed"
        if quote in DEBUG:
            out["debug"] = "sgx-debug" if self.sgx else "td-debug"
        if quote in SERVICE_TD:
            out["service-td"] = "service-td-bound"
        return out


def _status(word: str | None) -> str | None:
    return None if word == "NOT_SUPPORTED" else word


def _real() -> tuple[tuple[Real, ...], dict[str, bytes]]:
    cases: list[Real] = []
    quotes: dict[str, bytes] = {}
    if not REAL.is_dir():
        return (), {}
    for entry in json.loads((REAL / "manifest.json").read_text(encoding="utf-8")):
        quote = (REAL / entry["quote"]).read_bytes()
        if hashlib.sha256(quote).hexdigest() != entry["sha256"]:
            raise ValueError(f"{entry['quote']} is not what the manifest says")
        quotes[entry["id"]] = quote
        for case in entry["cases"]:
            cases.append(
                Real(
                    case["collateral"].removesuffix(".json"),
                    quote,
                    (REAL / case["collateral"]).read_bytes(),
                    case["at"],
                    case["valid_from"],
                    case["valid_to"],
                    entry["tee"] == "SGX",
                    _status(case["status"]),
                    tuple(case["advisories"]),
                    case["tcb_date"],
                    _status(case["launch_status"]),
                    _status(case["current_status"]),
                    tuple(case["tcb_evaluation_data_number"]),
                    entry["fmspc"].lower(),
                    entry["pck_ca"],
                )
            )
    return tuple(cases), quotes


CASES, QUOTES = _real()
each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
CASE = {case.name: case for case in CASES}
