"""snpverify: verification of AMD SEV-SNP attestation reports.

    verdict = snpverify.verify(report, certs=[vcek], at=when)
    verdict.require()

The report is raw bytes; certificates are DER or PEM; `at` is the evaluation time and has no default. See `Verifier` for services and
batches, `Policy` for what can be asked of a report, `parse_report` for reading without verifying, `snpverify.testing` for a test CA.
"""

from attestcore.errors import ParseError, VerificationError
from attestcore.verdict import Check, Verdict
from snpverify.idblock import IdAuth, IdBlock, parse_id_block, verify_id_block
from snpverify.policy import Policy
from snpverify.report import GuestPolicy, PlatformInfo, Report, Tcb, parse_report
from snpverify.verifier import BatchResults, Verifier, verify

__all__ = [
    "BatchResults",
    "Check",
    "GuestPolicy",
    "IdAuth",
    "IdBlock",
    "ParseError",
    "PlatformInfo",
    "Policy",
    "Report",
    "Tcb",
    "Verdict",
    "VerificationError",
    "Verifier",
    "parse_id_block",
    "parse_report",
    "verify",
    "verify_id_block",
]
