"""attestcore: what all evidence shares. The verifiers are `snpverify` and `tdxverify`; commands and files are `attestcore.batch` and
the command `attestcore`."""

from attestcore import _lib
from attestcore.codes import Category, Code
from attestcore.errors import ParseError, VerificationError
from attestcore.verdict import Check, Verdict

__version__ = _lib.VERSION

__all__ = ["Category", "Check", "Code", "ParseError", "Verdict", "VerificationError", "__version__"]
