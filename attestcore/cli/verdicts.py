"""Evidence judged for the commands: by which verifier, under which policy, and what is refused before any."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attestcore.batch.refusals import ABSENT, EVIDENCE_MALFORMED
from attestcore.cli.common import ACCEPTED, FAILED, LACKING, USAGE, Problem
from attestcore.cli.files import ContainerError, Evidence, read_certs, read_crls, read_evidence

if TYPE_CHECKING:
    import snpverify

Said = dict[str, Any]  # a verdict as JSON has it


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a `verify` command."""

    cert_files: Sequence[Path]
    crl_files: Sequence[Path]
    root_files: Sequence[Path]
    product: str | None
    at: int
    policy_file: Path | None
    report_data: bytes | None
    measurements: Sequence[bytes]
    allow_debug: bool
    engine: str | None


def snp_policy(
    policy_file: Path | None,
    report_data: bytes | None = None,
    measurements: Sequence[bytes] = (),
    allow_debug: bool = False,
) -> snpverify.Policy:
    """The default policy, under the file's table, under the flags of the command line."""
    from attestcore.policy import load
    from snpverify import Policy

    try:
        table = load(policy_file).snp if policy_file else None
        policy = Policy.from_dict(table or {}, "snp")
        changes: dict[str, Any] = {}
        if report_data is not None:
            changes["report_data"] = report_data
        if measurements:
            changes["measurements"] = measurements
        if allow_debug:
            changes["guest_policy"] = policy.guest_policy.replace(debug="any")
        return policy.replace(**changes)
    except OSError as error:
        raise Problem(f"{policy_file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise Problem(f"{policy_file or 'policy'}: {error}") from error


class SnpCommand:
    """A verifier as the options ask for it. Everything that can be wrong with the options is found when it is made."""

    def __init__(self, request: Request) -> None:
        from snpverify import Verifier

        self._at = request.at
        self.policy = snp_policy(request.policy_file, request.report_data, request.measurements, request.allow_debug)
        self._certs = read_certs(request.cert_files)
        crls = read_crls(request.crl_files)
        roots = read_certs(request.root_files) or None
        try:
            self._verifier = Verifier(
                policy=self.policy, roots=roots, crls=crls, product=request.product, engine=request.engine
            )
        except ValueError as error:
            raise Problem(str(error)) from error

    def judge(self, evidence: Evidence) -> Said:
        said = self._verifier.verify(evidence.data, certs=[*self._certs, *evidence.certs], at=self._at).to_dict()
        if evidence.cut:
            said["evidence_sha256"] = None  # only its beginning was read
        return said

    def refuse(self, kind: str | None, code: str, detail: str, data: bytes | None, offset: int | None = None) -> Said:
        """The verdict on what never reached a verifier."""
        from attestcore import codes, verdict

        category = codes.Code(code).category.value
        check = {"check": "evidence", "outcome": "fail", "code": code, "category": category}
        return {
            "schema": verdict.SCHEMA,
            "kind": kind,
            "accepted": False,
            "evaluated_at": verdict.format_time(self._at),
            "codes": [code],
            "checks": [check | {"field": None, "offset": offset, "detail": detail}],
            "omissions": [],
            "claims": None,
            "claims_verified": False,
            "valid_until": None,
            "evidence_sha256": None if data is None else hashlib.sha256(data).hexdigest(),
            "used": [],
            "policy_digest": self.policy.digest(),
            "engine": self._verifier.engine,
            "library": verdict.LIBRARY,
        }

    def judge_file(self, path: Path, form: str | None) -> tuple[Said, Evidence | None]:
        try:
            evidence = read_evidence(path, form)
        except ContainerError as error:
            return self.refuse("sev-snp", EVIDENCE_MALFORMED, str(error), error.data, error.offset), None
        return self.judge(evidence), evidence


def status_of(said: Said) -> int:
    if said["accepted"] is True:
        return ACCEPTED
    codes = said["codes"]
    return LACKING if codes and ABSENT.issuperset(codes) else FAILED


def first_status(statuses: Sequence[int]) -> int:
    """The exit status of several verdicts: the first of the contract's rules that applies to any."""
    return next((status for status in (USAGE, FAILED, LACKING) if status in statuses), ACCEPTED)
