"""attestcore: what all evidence shares. The verifiers are `snpverify` and `tdxverify`; commands and files are `attestcore.batch` and
the command `attestcore`."""

from attestcore._lib import VERSION as __version__
from attestcore.codes import Category, Code
from attestcore.errors import ParseError, VerificationError
from attestcore.verdict import Check, Verdict

__all__ = ["Category", "Check", "Code", "ParseError", "Verdict", "VerificationError", "__version__"]
