# SPDX-License-Identifier: Apache-2.0
"""A public test authority for Intel TDX and SGX evidence: certificates, CRLs, signed JSON, quotes and collateral, valid
or wrong in exactly the way asked.

ca          IntelCa: root, PCK CAs, PCK certificates, TCB signer, CRLs; what makes all of the following in one call
pck         SgxExtension: the extension of a PCK certificate, part by part
quotes      Quote: versions 3, 4 and 5, every body, every field and length, signed rightly or wrongly
documents   TcbInfo, EnclaveIdentity, TcbEvaluationDataNumbers; SignedDocument: signed over the very bytes
collateral  Collateral: a bundle of it, in the forms that tools store and services send
strategies  hypothesis strategies over all of these (needs the extra "testing")
x509, der, keys   what they are made of

The keys can be computed by all, so nothing that they sign is worth anything. Nothing here touches the verifier: what it
makes can be used against any verifier.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ca import AT, IntelCa
    from .collateral import FLAT_PARTS, Collateral, PcsResponse
    from .documents import (
        STATUSES,
        EnclaveIdentity,
        IsvLevel,
        Members,
        Raw,
        SignedDocument,
        TcbEvaluationDataNumbers,
        TcbInfo,
        TcbLevel,
        TdxModule,
        nested,
        to_json,
    )
    from .keys import EcKey, ec_key, ec_spki, public_bytes, raw_signature
    from .pck import PART_OIDS, PckCertificate, SgxExtension
    from .quotes import (
        BODY_SIZES,
        ENCLAVE_LAYOUT,
        HEADER_LAYOUT,
        LENGTH_FIELDS,
        TD_LAYOUT,
        EnclaveReport,
        Header,
        Quote,
        TdReport,
    )
    from .x509 import (
        ECDSA,
        OIDS,
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
        intel_name,
        patch,
        pem,
    )

_HOMES = {
    "ca": ("AT", "IntelCa"),
    "collateral": ("FLAT_PARTS", "Collateral", "PcsResponse"),
    "documents": (
        "STATUSES", "EnclaveIdentity", "IsvLevel", "Members", "Raw", "SignedDocument", "TcbEvaluationDataNumbers",
        "TcbInfo", "TcbLevel", "TdxModule", "nested", "to_json",
    ),
    "keys": ("EcKey", "ec_key", "ec_spki", "public_bytes", "raw_signature"),
    "pck": ("PART_OIDS", "PckCertificate", "SgxExtension"),
    "quotes": (
        "BODY_SIZES", "ENCLAVE_LAYOUT", "HEADER_LAYOUT", "LENGTH_FIELDS", "TD_LAYOUT", "EnclaveReport", "Header",
        "Quote", "TdReport",
    ),
    "x509": (
        "ECDSA", "OIDS", "Attribute", "Certificate", "CertificateSpec", "Crl", "CrlSpec", "Extension", "Name",
        "RawTime", "Revoked", "SignatureAlgorithm", "intel_name", "patch", "pem",
    ),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
_MODULES = ("ca", "collateral", "der", "documents", "keys", "pck", "quotes", "strategies", "x509")

__all__ = [
    "AT",
    "BODY_SIZES",
    "ECDSA",
    "ENCLAVE_LAYOUT",
    "FLAT_PARTS",
    "HEADER_LAYOUT",
    "LENGTH_FIELDS",
    "OIDS",
    "PART_OIDS",
    "STATUSES",
    "TD_LAYOUT",
    "Attribute",
    "Certificate",
    "CertificateSpec",
    "Collateral",
    "Crl",
    "CrlSpec",
    "EcKey",
    "EnclaveIdentity",
    "EnclaveReport",
    "Extension",
    "Header",
    "IntelCa",
    "IsvLevel",
    "Members",
    "Name",
    "PckCertificate",
    "PcsResponse",
    "Quote",
    "Raw",
    "RawTime",
    "Revoked",
    "SgxExtension",
    "SignatureAlgorithm",
    "SignedDocument",
    "TcbEvaluationDataNumbers",
    "TcbInfo",
    "TcbLevel",
    "TdReport",
    "TdxModule",
    "ec_key",
    "ec_spki",
    "intel_name",
    "nested",
    "patch",
    "pem",
    "public_bytes",
    "raw_signature",
    "to_json",
]


def __getattr__(name: str) -> Any:
    """Names are looked up when first used: importing this package imports nothing of it."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
