"""Exceptions. A caller's mistake is ValueError or TypeError; bad evidence is a verdict, never an exception of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attestcore.verdict import Verdict


class ParseError(ValueError):
    """Bytes that are not the structure they should be. `code` is one of attestcore.codes.Code, `offset` counts bytes from 0."""

    def __init__(self, code: str, field: str, offset: int, detail: str) -> None:
        super().__init__(f"{code}: {detail} (field {field}, offset {offset})")
        self.code = code
        self.field = field
        self.offset = offset
        self.detail = detail


class VerificationError(Exception):
    """Raised by `Verdict.require()` alone; carries the verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"{verdict.kind or 'evidence'} not accepted: {', '.join(verdict.codes)}")
        self.verdict = verdict
