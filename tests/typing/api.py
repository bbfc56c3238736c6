"""The public API as its users write it: this file only has to pass `mypy --strict` (tests/core/test_typing.py runs it)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import snpverify
from attestcore import signatures
from attestcore.codes import Category, Code

when = datetime(2025, 1, 1, tzinfo=timezone.utc)

report: snpverify.Report = snpverify.parse_report(b"")
version: int = report.version
product: str | None = report.product
debug: bool = report.policy.debug
microcode: int | None = report.reported_tcb.microcode

policy: snpverify.Policy = snpverify.Policy(measurements=[b"\x00" * 48], min_current_firmware="1.55.29")
verdict: snpverify.Verdict = snpverify.verify(
    b"", certs=[b""], at=when, policy=policy, roots=None, crls=(), product=None, engine=None
)
accepted: bool = verdict.accepted
codes: tuple[str, ...] = verdict.codes
checks: tuple[snpverify.Check, ...] = verdict.checks
claims: Mapping[str, Any] | None = verdict.claims
same: snpverify.Verdict = verdict.require()
plain: dict[str, Any] = verdict.to_dict()

verifier: snpverify.Verifier = snpverify.Verifier(policy, crls=[b""], product="milan", engine="portable")
one: snpverify.Verdict = verifier.verify(bytearray(), certs=(), at=1700000000)
results: snpverify.BatchResults = verifier.verify_batch(
    [b"", None], certs=[[b""], []], certs_index=[0, -1], at=[when, None]
)
flags: list[bool] = results.accepted
words: list[str | None] = results.code
row: snpverify.Verdict = results[0]

outcome: bytes = signatures.verify_ecdsa("P-384", b"", b"", b"", engine="cryptography")
names: tuple[str, ...] = signatures.engines()
category: Category = Code("chip-id-mismatch").category
