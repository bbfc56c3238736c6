"""tdxverify: Intel TDX quotes. This release reads a quote's header and lengths; it verifies nothing of a quote."""

from attestcore.errors import ParseError
from tdxverify.header import QuoteHeader, parse_header

__all__ = ["ParseError", "QuoteHeader", "parse_header"]
