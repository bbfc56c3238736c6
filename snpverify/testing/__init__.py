# SPDX-License-Identifier: Apache-2.0
"""A public test authority for AMD SEV-SNP evidence: certificates, CRLs and reports, valid or wrong in exactly the way
asked.

ca          AmdCa: ARK, ASK, ASVK, VCEK, VLEK, CRL; every field a knob
reports     ReportFields and sign_report: every version and product, signed rightly or wrongly
tables      CertificateTable: GHCB certificate tables
idblock     IdBlock and IdAuth: ID blocks and their authentication
strategies  hypothesis strategies over all of these (needs the extra "testing")
x509, der, keys, products   what they are made of

The keys are in the package for all to read, so nothing that they sign is worth anything. Nothing here touches the
verifier: what it makes can be used against any verifier.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ca import AT, AmdCa, Endorsement
    from .idblock import IdAuth, IdBlock, id_key_digest, key_structure
    from .keys import EcKey, RsaKey, ec_key, generate_rsa, rsa_key
    from .products import LINES, PRODUCTS, Tcb
    from .reports import LAYOUT, RESERVED, ReportFields, sign_report
    from .tables import CertificateTable, TableEntry
    from .x509 import (
        OIDS,
        PSS,
        PSS_WITH_TRAILER,
        Attribute,
        Certificate,
        CertificateSpec,
        Crl,
        CrlSpec,
        Extension,
        Name,
        RawTime,
        Revoked,
        SignatureAlgorithm,
        amd_name,
        patch,
        pem,
    )

_HOMES = {
    "ca": ("AT", "AmdCa", "Endorsement"),
    "idblock": ("IdAuth", "IdBlock", "id_key_digest", "key_structure"),
    "keys": ("EcKey", "RsaKey", "ec_key", "generate_rsa", "rsa_key"),
    "products": ("LINES", "PRODUCTS", "Tcb"),
    "reports": ("LAYOUT", "RESERVED", "ReportFields", "sign_report"),
    "tables": ("CertificateTable", "TableEntry"),
    "x509": (
        "OIDS", "PSS", "PSS_WITH_TRAILER", "Attribute", "Certificate", "CertificateSpec", "Crl", "CrlSpec", "Extension",
        "Name", "RawTime", "Revoked", "SignatureAlgorithm", "amd_name", "patch", "pem",
    ),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
_MODULES = ("ca", "der", "idblock", "keys", "products", "reports", "strategies", "tables", "x509")

__all__ = [
    "AT",
    "LAYOUT",
    "LINES",
    "OIDS",
    "PRODUCTS",
    "PSS",
    "PSS_WITH_TRAILER",
    "RESERVED",
    "AmdCa",
    "Attribute",
    "Certificate",
    "CertificateSpec",
    "CertificateTable",
    "Crl",
    "CrlSpec",
    "EcKey",
    "Endorsement",
    "Extension",
    "IdAuth",
    "IdBlock",
    "Name",
    "RawTime",
    "ReportFields",
    "Revoked",
    "RsaKey",
    "SignatureAlgorithm",
    "TableEntry",
    "Tcb",
    "amd_name",
    "ec_key",
    "generate_rsa",
    "id_key_digest",
    "key_structure",
    "patch",
    "pem",
    "rsa_key",
    "sign_report",
]


def __getattr__(name: str) -> Any:
    """Names are looked up when first used: importing this package imports nothing, as hypothesis does it in every
    test run."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


def _register_hypothesis() -> None:
    """The entry point of hypothesis: st.from_type(snpverify.Report) gives reports of every version that is judged."""
    report = getattr(sys.modules.get("snpverify"), "Report", None)
    if report is None:
        return
    from hypothesis import strategies as st

    def deferred(_: Any) -> st.SearchStrategy[Any]:
        return importlib.import_module(f"{__name__}.strategies").parsed_reports()  # type: ignore[no-any-return]

    st.register_type_strategy(report, deferred)
