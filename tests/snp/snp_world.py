# SPDX-License-Identifier: Apache-2.0
"""Evidence to judge, with all that the judgement takes: report, certificates, trust, time, policy.

good("Milan") is accepted. Whatever a test wants wrong is one change: good("Genoa", vmpl=4), good().but(at=...), and the
signature stays valid, because the test authority signs what it is told.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import snpverify
from snpverify import Policy, Verdict, Verifier
from snpverify.testing import AT, AmdCa, Endorsement, ReportFields

LINES = ("Milan", "Genoa", "Turin")
KINDS = ("VCEK", "VLEK")
NOW = int(AT.timestamp())

#: The group order of P-384 and the prime of its field (FIPS 186-5).
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
P = 2**384 - 2**128 - 2**96 + 2**32 - 1


@lru_cache(maxsize=64)
def authority(line: str = "Milan", *, impostor: bool = False) -> AmdCa:
    return AmdCa(line, impostor=impostor)


@lru_cache(maxsize=64)
def endorsement(line: str = "Milan", kind: str = "VCEK") -> Endorsement:
    ca = authority(line)
    return ca.vcek() if kind == "VCEK" else ca.vlek()


@lru_cache(maxsize=512)
def _verifier(
    policy: Policy | None, roots: tuple[bytes, ...], crls: tuple[bytes, ...], product: str | None, engine: str | None
) -> Verifier:
    return Verifier(policy, roots, crls, product, engine)


@dataclass(frozen=True, slots=True)
class Case:
    """One judgement, ready to run by any entry point."""

    report: bytes
    certs: tuple[bytes, ...]
    roots: tuple[bytes, ...]
    at: int = NOW
    policy: Policy | None = None
    crls: tuple[bytes, ...] = ()
    product: str | None = None

    def but(self, **changes: Any) -> Case:
        if isinstance(changes.get("at"), datetime):
            changes["at"] = int(changes["at"].timestamp())
        return dataclasses.replace(self, **changes)

    def asking(self, **policy: Any) -> Case:
        """The same under a policy."""
        return self.but(policy=Policy(**policy))

    def verifier(self, engine: str | None = None) -> Verifier:
        return _verifier(self.policy, self.roots, self.crls, self.product, engine)

    def verify(self, engine: str | None = None) -> Verdict:
        return self.verifier(engine).verify(self.report, certs=self.certs, at=self.at)

    def verify_once(self, engine: str | None = None) -> Verdict:
        """By the function instead of a kept verifier."""
        return snpverify.verify(
            self.report, certs=self.certs, at=self.at, policy=self.policy, roots=self.roots, crls=self.crls,
            product=self.product, engine=engine,
        )  # fmt: skip


def certs_of(ca: AmdCa, *leaves: Endorsement) -> tuple[bytes, ...]:
    """The leaves' DER, then the ASK and ASVK of their authority."""
    return (*(leaf.der for leaf in leaves), *ca.certs)


def case_of(
    ca: AmdCa, leaf: Endorsement, *, version: int = 3, sign: dict[str, Any] | None = None, **fields: Any
) -> Case:
    """A report that the leaf could have signed, with these fields, and its whole chain."""
    report = ReportFields.fitting(leaf, **{"version": version, **fields}).sign(leaf, **(sign or {}))
    return Case(report, certs_of(ca, leaf), ca.roots)


def good(
    line: str = "Milan", kind: str = "VCEK", *, version: int = 3, sign: dict[str, Any] | None = None, **fields: Any
) -> Case:
    """As case_of(), by the line's own authority and leaf. fields: those of ReportFields; sign: options of sign_report()."""
    return case_of(authority(line), endorsement(line, kind), version=version, sign=sign, **fields)


def moved(at: datetime, seconds: int) -> int:
    return int((at + timedelta(seconds=seconds)).timestamp())
