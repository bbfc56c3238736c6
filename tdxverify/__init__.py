"""tdxverify: verification of Intel TDX and SGX quotes.

    verdict = tdxverify.verify(quote, collateral=collateral, at=when)
    verdict.require()

The quote is raw bytes; collateral is what Intel's Provisioning Certification Service signs, in any of the usual serialisations; `at` is the
evaluation time and has no default. See `Verifier` for services and batches, `Policy` for what can be asked of a quote, `parse_quote` for
reading without verifying, `tdxverify.collateral` for taking collateral apart and putting it together, `tdxverify.testing` for a test CA.
"""

from attestcore.errors import ParseError, VerificationError
from attestcore.verdict import Check, Verdict
from tdxverify.collateral import Collateral, CollateralError, open_collateral
from tdxverify.policy import Policy
from tdxverify.quote import EnclaveReport, Quote, parse_quote
from tdxverify.verifier import BatchResults, Verifier, verify

__all__ = [
    "BatchResults",
    "Check",
    "Collateral",
    "CollateralError",
    "EnclaveReport",
    "ParseError",
    "Policy",
    "Quote",
    "Verdict",
    "VerificationError",
    "Verifier",
    "open_collateral",
    "parse_quote",
    "verify",
]
