# SPDX-License-Identifier: Apache-2.0
"""X.509 certificates and CRLs as values (attestcore.testing.x509, whose names are here too), and what Intel writes into
them."""

from __future__ import annotations

from typing import Final

from attestcore.testing.x509 import (
    OIDS,
    Attribute,
    Certificate,
    CertificateSpec,
    Crl,
    CrlSpec,
    Extension,
    Name,
    Patches,
    PrivateKey,
    RawTime,
    Revoked,
    SignatureAlgorithm,
    Time,
    authority_key_identifier,
    basic_constraints,
    distribution_points,
    key_id,
    key_usage,
    patch,
    pem,
)

from . import der

#: ecdsa-with-SHA256, as everything in Intel's chain is signed.
ECDSA: Final = SignatureAlgorithm("ecdsa", "sha256")


def intel_name(common_name: str) -> Name:
    """The name that Intel gives: CN, O, L, ST, C, all UTF8String but the country."""
    return Name(
        (
            Attribute("CN", common_name),
            Attribute("O", "Intel Corporation"),
            Attribute("L", "Santa Clara"),
            Attribute("ST", "CA"),
            Attribute("C", "US", der.PRINTABLE_STRING),
        )
    )


__all__ = [
    "ECDSA",
    "OIDS",
    "Attribute",
    "Certificate",
    "CertificateSpec",
    "Crl",
    "CrlSpec",
    "Extension",
    "Name",
    "Patches",
    "PrivateKey",
    "RawTime",
    "Revoked",
    "SignatureAlgorithm",
    "Time",
    "authority_key_identifier",
    "basic_constraints",
    "distribution_points",
    "intel_name",
    "key_id",
    "key_usage",
    "patch",
    "pem",
]
