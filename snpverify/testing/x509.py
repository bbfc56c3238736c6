# SPDX-License-Identifier: Apache-2.0
"""X.509 certificates and CRLs as values (attestcore.testing.x509, whose names are here too), and the names that AMD gives."""

from __future__ import annotations

from attestcore.testing import der
from attestcore.testing.x509 import (
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


def amd_name(common_name: str) -> Name:
    """The name that AMD gives: OU, C, L, ST, O, CN, all UTF8String but the country."""
    return Name(
        (
            Attribute("OU", "Engineering"),
            Attribute("C", "US", der.PRINTABLE_STRING),
            Attribute("L", "Santa Clara"),
            Attribute("ST", "CA"),
            Attribute("O", "Advanced Micro Devices"),
            Attribute("CN", common_name),
        )
    )


__all__ = [
    "OIDS",
    "PSS",
    "PSS_WITH_TRAILER",
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
    "amd_name",
    "authority_key_identifier",
    "basic_constraints",
    "distribution_points",
    "key_id",
    "key_usage",
    "patch",
    "pem",
]
