"""The Intel certificates that ship with the package: the SGX root and the two CAs below it (attestcore/roots/intel/SOURCE.toml)."""

from __future__ import annotations

from functools import cache
from importlib import resources

from attestcore import _lib


@cache
def _shipped(name: str) -> bytes:
    pem = (resources.files("attestcore") / "roots" / "intel" / f"{name}.pem").read_bytes()
    ders, error = _lib.blob_open(pem)
    if error.failed or len(ders) != 1:
        raise ImportError(f"the shipped certificate {name} is damaged")
    return ders[0]


def anchors() -> tuple[bytes, ...]:
    """The pinned root (DER)."""
    return (_shipped("root"),)


def intermediates() -> tuple[bytes, ...]:
    """The Platform and the Processor CA (DER)."""
    return (_shipped("pck-platform-ca"), _shipped("pck-processor-ca"))
