"""Addresses of AMD's Key Distribution Service (AMD 57230, "VCEK Certificate and KDS Interface"). This module builds them; nothing in
the verifier fetches."""

from __future__ import annotations

from attestcore._lib import Tcb

HOST = "https://kdsintf.amd.com"


def _line(product: str) -> str:
    return product.capitalize()


def vcek_url(product: str, chip_id: bytes, tcb: Tcb) -> str:
    """Where the VCEK of a chip at a TCB is served (use REPORTED_TCB). product: "milan", "genoa" or "turin"."""
    if product == "turin":
        chip, fmc = chip_id[:8], f"fmcSPL={tcb.fmc:02d}&"
    else:
        chip, fmc = chip_id, ""
    query = f"{fmc}blSPL={tcb.boot_loader:02d}&teeSPL={tcb.tee:02d}&snpSPL={tcb.snp:02d}&ucodeSPL={tcb.microcode:02d}"
    return f"{HOST}/vcek/v1/{_line(product)}/{chip.hex()}?{query}"


def chain_url(product: str, signer: str) -> str:
    """Where ASK (signer "vcek") or ASVK ("vlek") and ARK are served, as PEM."""
    return f"{HOST}/{signer}/v1/{_line(product)}/cert_chain"


def crl_url(product: str, signer: str) -> str:
    """Where the ARK's CRL is served, as DER."""
    return f"{HOST}/{signer}/v1/{_line(product)}/crl"
