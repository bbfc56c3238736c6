"""Evidence judged for the commands: by which verifier, under which policy, and what is refused before any."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attestcore.batch.refusals import ABSENT, EVIDENCE_MALFORMED
from attestcore.cli.common import ACCEPTED, FAILED, LACKING, USAGE, Problem
from attestcore.cli.files import ContainerError, Evidence, read_certs, read_crls, read_evidence, read_file

if TYPE_CHECKING:
    import snpverify
    import tdxverify

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
        return _refusal(self._at, self.policy.digest(), self._verifier.engine, kind, code, detail, data, offset)

    def judge_file(self, path: Path, form: str | None) -> tuple[Said, Evidence | None]:
        try:
            evidence = read_evidence(path, form)
        except ContainerError as error:
            return self.refuse("sev-snp", EVIDENCE_MALFORMED, str(error), error.data, error.offset), None
        return self.judge(evidence), evidence


def _refusal(
    at: int,
    policy_digest: str,
    engine: str,
    kind: str | None,
    code: str,
    detail: str,
    data: bytes | None,
    offset: int | None,
) -> Said:
    from attestcore import codes, verdict

    category = codes.Code(code).category.value
    check = {"check": "evidence", "outcome": "fail", "code": code, "category": category}
    return {
        "schema": verdict.SCHEMA,
        "kind": kind,
        "accepted": False,
        "evaluated_at": verdict.format_time(at),
        "codes": [code],
        "checks": [check | {"field": None, "offset": offset, "detail": detail}],
        "omissions": [],
        "claims": None,
        "claims_verified": False,
        "valid_until": None,
        "evidence_sha256": None if data is None else hashlib.sha256(data).hexdigest(),
        "used": [],
        "policy_digest": policy_digest,
        "engine": engine,
        "library": verdict.LIBRARY,
    }


# ---- quotes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TdxRequest:
    """The options of a `verify` command for quotes."""

    collateral_file: Path | None
    root_files: Sequence[Path]
    at: int
    policy_file: Path | None
    report_data: bytes | None
    mr_tds: Sequence[bytes]
    allow_debug: bool
    allow_service_td: bool
    statuses: Sequence[str]
    engine: str | None


def tdx_policy(
    policy_file: Path | None,
    report_data: bytes | None = None,
    mr_tds: Sequence[bytes] = (),
    allow_debug: bool = False,
    allow_service_td: bool = False,
    statuses: Sequence[str] = (),
) -> tdxverify.Policy:
    """The default policy, under the file's table, under the flags of the command line."""
    from attestcore.policy import load
    from tdxverify import Policy

    try:
        table = load(policy_file).tdx if policy_file else None
        policy = Policy.from_dict(table or {}, "tdx")
        changes: dict[str, Any] = {}
        if report_data is not None:
            changes["report_data"] = report_data
        if mr_tds:
            changes["mr_td"] = mr_tds
        if allow_debug:
            changes["debug"] = "any"
        if allow_service_td:
            changes["allow_service_td"] = True
        if statuses:
            changes["statuses"] = [*policy.statuses, *statuses]
        return policy.replace(**changes)
    except OSError as error:
        raise Problem(f"{policy_file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise Problem(f"{policy_file or 'policy'}: {error}") from error


class TdxCommand:
    """A verifier of quotes as the options ask for it. What can be wrong with the options is found when it is made."""

    def __init__(self, request: TdxRequest) -> None:
        from tdxverify import Verifier

        self._at = request.at
        self.policy = tdx_policy(
            request.policy_file,
            request.report_data,
            request.mr_tds,
            request.allow_debug,
            request.allow_service_td,
            request.statuses,
        )
        self._collateral = read_file(request.collateral_file)[0] if request.collateral_file is not None else None
        try:
            self._verifier = Verifier(
                policy=self.policy, roots=read_certs(request.root_files) or None, engine=request.engine
            )
        except ValueError as error:
            raise Problem(str(error)) from error

    def _collateral_of(self, data: bytes) -> bytes | tdxverify.Collateral | None:
        """The collateral for this quote: of a file of many platforms, its platform's."""
        from tdxverify import CollateralError, ParseError, parse_quote
        from tdxverify.collateral import PlatformCollaterals

        if self._collateral is None:
            return None
        try:
            many = PlatformCollaterals.from_json(self._collateral)
            quote = parse_quote(data)
            if quote.pck is None or quote.pck_ca not in ("platform", "processor"):
                return self._collateral
            return many.collateral(quote.pck.fmspc, quote.pck_ca, "tdx" if quote.kind == "tdx" else "sgx")  # type: ignore[arg-type]
        except (CollateralError, ParseError):
            return self._collateral  # one platform's; or nothing that can be read, which the verdict says

    def judge(self, evidence: Evidence) -> Said:
        collateral = self._collateral_of(evidence.data)
        said = self._verifier.verify(evidence.data, collateral=collateral, at=self._at).to_dict()
        if evidence.cut:
            said["evidence_sha256"] = None  # only its beginning was read
        return said

    def judge_file(self, path: Path) -> Said:
        try:
            return self.judge(read_evidence(path, unwrap=False))
        except ContainerError as error:
            digest, engine = self.policy.digest(), self._verifier.engine
            return _refusal(self._at, digest, engine, None, EVIDENCE_MALFORMED, str(error), error.data, error.offset)


def status_of(said: Said) -> int:
    if said["accepted"] is True:
        return ACCEPTED
    codes = said["codes"]
    return LACKING if codes and ABSENT.issuperset(codes) else FAILED


def first_status(statuses: Sequence[int]) -> int:
    """The exit status of several verdicts: the first of the contract's rules that applies to any."""
    return next((status for status in (USAGE, FAILED, LACKING) if status in statuses), ACCEPTED)
