# SPDX-License-Identifier: Apache-2.0
"""The test keys of AMD's lines: public, worthless, and the same on every machine.

RSA keys are the PEM files beside this module; EC keys are derived from a word. What both can do is in
attestcore.testing.keys, whose names are here too.
"""

from __future__ import annotations

from typing import Final

from attestcore.testing.keys import (
    EC_PUBLIC_KEY,
    P256,
    P384,
    PRIME_FIELD,
    RSA_ENCRYPTION,
    RSASSA_PSS,
    Curve,
    EcKey,
    PointForm,
    RsaKey,
    derive_ec_key,
    ec_spki,
    encode_point,
    explicit_parameters,
    generate_rsa,
    is_generated,
    rsa_spki,
)


def ec_key(word: str = "leaf", curve: str = "P-384") -> EcKey:
    """The EC key of that word."""
    return derive_ec_key(f"snpverify.testing {curve} {word}", curve)


def rsa_key(name: str) -> RsaKey:
    """The RSA key of that name; RSA_KEYS lists them."""
    if name in RSA_KEYS:
        return RsaKey(name, __name__)
    if not is_generated(name):
        raise ValueError(f"no RSA key {name!r}; there are {', '.join(RSA_KEYS)}")
    return RsaKey(name)


#: Names of the shipped RSA keys: those of the four product lines, the older ASK of Genoa, an impostor's, and spares.
#: All have 4096 bits and the exponent 65537 unless the name says otherwise.
RSA_KEYS: Final = (
    *(
        f"{line}-{role}"
        for line in ("milan", "genoa", "turin", "venice", "impostor")
        for role in ("ark", "ask", "asvk")
    ),
    "genoa-ask-2022",
    "spare-4096",
    "spare-1024",
    "spare-2048",
    "spare-3072",
    "spare-4088",
    "spare-4104",
    "spare-8192",
    "spare-4096-e3",
)

__all__ = [
    "EC_PUBLIC_KEY",
    "P256",
    "P384",
    "PRIME_FIELD",
    "RSASSA_PSS",
    "RSA_ENCRYPTION",
    "RSA_KEYS",
    "Curve",
    "EcKey",
    "PointForm",
    "RsaKey",
    "ec_key",
    "ec_spki",
    "encode_point",
    "explicit_parameters",
    "generate_rsa",
    "rsa_key",
    "rsa_spki",
]
