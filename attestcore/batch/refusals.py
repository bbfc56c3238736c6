"""Codes that the batch engine and the commands give out themselves, for what never reaches a verifier."""

from __future__ import annotations

from attestcore.codes import Code

EVIDENCE_MISSING = Code.EVIDENCE_MISSING.value
EVIDENCE_MALFORMED = Code.EVIDENCE_MALFORMED.value  # text that is neither hex nor base64; a line that is no row
KIND_UNSUPPORTED = Code.KIND_UNSUPPORTED.value

# Codes that say no more than that something was not given. What has these alone might be accepted once it is.
ABSENT = frozenset({Code.CERTIFICATE_MISSING.value, Code.COLLATERAL_MISSING.value})
