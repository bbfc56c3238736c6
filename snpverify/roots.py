"""The AMD certificates that ship with the package: one ARK, ASK and ASVK for each product line (attestcore/roots/amd/SOURCE.toml)."""

from __future__ import annotations

from functools import cache
from importlib import resources

from attestcore import _lib

LINES = ("milan", "genoa", "turin")


@cache
def _shipped(name: str) -> bytes:
    pem = (resources.files("attestcore") / "roots" / "amd" / f"{name}.pem").read_bytes()
    ders, error = _lib.blob_open(pem)
    if error.failed or len(ders) != 1:
        raise ImportError(f"the shipped certificate {name} is damaged")
    return ders[0]


def anchors() -> tuple[bytes, ...]:
    """The pinned ARKs (DER)."""
    return tuple(_shipped(f"ark-{line}") for line in LINES)


def intermediates() -> tuple[bytes, ...]:
    """The ASKs and ASVKs (DER)."""
    return tuple(_shipped(f"{kind}-{line}") for line in LINES for kind in ("ask", "asvk"))
