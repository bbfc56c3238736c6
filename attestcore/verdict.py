"""Verdicts: what was checked, what failed and where, what nobody asked for.

A verdict is a record of a finished judgement. It is not true or false (`bool(verdict)` raises), cannot be made or changed by a caller,
and cannot be unpickled: `accepted` comes from the C core and from nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, Literal, NoReturn, Protocol, TypeAlias, final

from attestcore._lib import NO_TIME, VERSION
from attestcore.errors import VerificationError

Outcome: TypeAlias = Literal["pass", "fail", "not-run"]

SCHEMA = 1
LIBRARY = f"attestcore {VERSION}"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verdict. code, field, offset and detail are None unless the check failed, or was required and could not run."""

    check: str
    outcome: Outcome
    category: str
    code: str | None = None
    field: str | None = None
    offset: int | None = None
    detail: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the contract, without `check` left out or added to."""
        return {
            "check": self.check,
            "outcome": self.outcome,
            "code": self.code,
            "category": self.category,
            "field": self.field,
            "offset": self.offset,
            "detail": self.detail,
        }


def format_time(seconds: int | None) -> str | None:
    """Unix seconds as RFC 3339 in UTC; None when there are none or when they lie outside the years 1970 to 9999."""
    if seconds is None or seconds == NO_TIME or not 0 <= seconds <= 253402300799:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()[:19] + "Z"


# Asked first: whether something is a Mapping is slow to tell.
_SCALARS = frozenset({str, int, bool, float, bytes, type(None)})


def _read_only(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return MappingProxyType({k: v if type(v) in _SCALARS else _read_only(v) for k, v in value.items()})


def _plain(value: Any) -> Any:
    if type(value) is not dict and not isinstance(value, Mapping):
        return value
    return {k: v if type(v) in _SCALARS else _plain(v) for k, v in value.items()}


class Record(Protocol):
    """What a technology keeps of one judged item; a verdict asks it for a part when a caller asks for that part. The record of a kind of
    evidence that has a TCB status has besides `tcb() -> TcbOutcome`."""

    def checks(self) -> tuple[Check, ...]: ...
    def omissions(self) -> tuple[str, ...]: ...
    def claims(self) -> Mapping[str, Any] | None: ...
    def used(self) -> tuple[str, ...]: ...
    def evidence_sha256(self) -> str | None: ...
    def valid_until(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class TcbOutcome:
    """How up to date a platform is, as the vendor's signed documents say. status is None when no level fits, or when it was not reached."""

    status: str | None
    advisory_ids: tuple[str, ...]
    date: str | None
    evaluation_data_number: int | None

    def to_dict(self) -> dict[str, Any]:
        """The contract's members of a TDX or SGX verdict."""
        return {
            "tcb_status": self.status,
            "advisory_ids": list(self.advisory_ids),
            "tcb_date": self.date,
            "tcb_evaluation_data_number": self.evaluation_data_number,
        }


@final
class Verdict:
    """The judgement of one item. Read `accepted`, or call `require()`.

    kind             "sev-snp", ...; None when it cannot be told
    accepted         every required check passed and none failed
    claims_verified  signature, chain and binding hold, whatever the policy says of the contents
    evaluated_at     Unix seconds that certificates and collateral were held against; None when the item had no time
    engine           which engine verified the signatures
    policy_digest    SHA-256 of the effective policy, hex
    """

    __slots__ = ("_memo", "_record", "accepted", "claims_verified", "engine", "evaluated_at", "kind", "policy_digest")

    accepted: bool
    claims_verified: bool
    engine: str
    evaluated_at: int | None
    kind: str | None
    policy_digest: str
    _record: Record
    _memo: dict[str, Any]

    def __init__(self) -> None:
        raise TypeError("verdicts are made by verifiers")

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Verdict is final")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a verdict does not change: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a verdict does not change: {name}")

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict is neither true nor false: read .accepted or call .require()")

    def __reduce__(self) -> NoReturn:
        raise TypeError("verdicts cannot be pickled: keep .to_dict(), or the evidence")

    def _part(self, name: str) -> Any:
        memo = self._memo
        if name not in memo:
            memo[name] = getattr(self._record, name)()
        return memo[name]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check of this kind of evidence, in order."""
        return self._part("checks")  # type: ignore[no-any-return]

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the failed, and of the required but not run, checks in their order. Empty exactly when accepted."""
        return tuple(check.code for check in self.checks if check.code is not None)

    @property
    def omissions(self) -> tuple[str, ...]:
        """What a relying party should have asked for and did not."""
        return self._part("omissions")  # type: ignore[no-any-return]

    @property
    def claims(self) -> Mapping[str, Any] | None:
        """The evidence's fields by name, read-only, when it could be parsed; trust them only when `claims_verified`."""
        claims = self._part("claims")
        return _read_only(claims)  # type: ignore[no-any-return]

    @property
    def used(self) -> tuple[str, ...]:
        """SHA-256 (hex) of each certificate, CRL and collateral that the verdict rests on."""
        return self._part("used")  # type: ignore[no-any-return]

    @property
    def evidence_sha256(self) -> str | None:
        """SHA-256 (hex) of the evidence as received; None when there was none."""
        return self._part("evidence_sha256")  # type: ignore[no-any-return]

    @property
    def valid_until(self) -> int | None:
        """Unix seconds of the earliest end of what was used; None when nothing was."""
        return self._part("valid_until")  # type: ignore[no-any-return]

    @property
    def _tcb(self) -> TcbOutcome | None:
        return self._part("tcb") if hasattr(self._record, "tcb") else None

    @property
    def tcb_status(self) -> str | None:
        """TDX and SGX: Intel's status of all levels together; None when no level fits or it was not reached, and for other evidence."""
        tcb = self._tcb
        return None if tcb is None else tcb.status

    @property
    def advisory_ids(self) -> tuple[str, ...]:
        """TDX and SGX: the advisories of all levels that matched, sorted."""
        tcb = self._tcb
        return () if tcb is None else tcb.advisory_ids

    @property
    def tcb_date(self) -> str | None:
        """TDX and SGX: the earliest tcbDate of the levels that matched, "YYYY-MM-DD"."""
        tcb = self._tcb
        return None if tcb is None else tcb.date

    def require(self) -> Verdict:
        """The verdict itself when it accepts; else raises VerificationError, which carries it."""
        if self.accepted is not True:
            raise VerificationError(self)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the contract."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "accepted": self.accepted,
            "evaluated_at": format_time(self.evaluated_at),
            "codes": list(self.codes),
            "checks": [check.to_dict() for check in self.checks],
            "omissions": list(self.omissions),
            "claims": _plain(self._part("claims")),
            "claims_verified": self.claims_verified,
            **({} if self._tcb is None else self._tcb.to_dict()),
            "valid_until": format_time(self.valid_until),
            "evidence_sha256": self.evidence_sha256,
            "used": list(self.used),
            "policy_digest": self.policy_digest,
            "engine": self.engine,
            "library": LIBRARY,
        }

    def to_json(self, *, indent: int | None = None) -> str:
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def __repr__(self) -> str:
        said = "accepted" if self.accepted else f"refused: {', '.join(self.codes)}"
        return f"<Verdict {self.kind or 'unknown kind'}: {said}>"


def make_verdict(
    record: Record,
    *,
    kind: str | None,
    accepted: bool,
    claims_verified: bool,
    evaluated_at: int | None,
    engine: str,
    policy_digest: str,
) -> Verdict:
    """For verifiers alone: a verdict over what the C core decided."""
    verdict = object.__new__(Verdict)
    put = object.__setattr__
    put(verdict, "_record", record)
    put(verdict, "_memo", {})
    put(verdict, "kind", kind)
    put(verdict, "accepted", accepted)
    put(verdict, "claims_verified", claims_verified)
    put(verdict, "evaluated_at", evaluated_at)
    put(verdict, "engine", engine)
    put(verdict, "policy_digest", policy_digest)
    return verdict
