# SPDX-License-Identifier: Apache-2.0
"""The test keys of Intel's chain: P-256, derived from words, public and worthless, the same on every machine.

What a key can do is in attestcore.testing.keys, whose names are here too.
"""

from __future__ import annotations

from typing import Literal

from attestcore.testing.keys import P256, P384, EcKey, PointForm, derive_ec_key, encode_point
from attestcore.testing.keys import ec_spki as _ec_spki

from . import der


def ec_key(word: str = "leaf", curve: str = "P-256") -> EcKey:
    """The EC key of that word."""
    return derive_ec_key(f"tdxverify.testing {curve} {word}", curve)


def ec_spki(point: bytes, *, parameters: bytes | None = None, unused_bits: int = 0) -> bytes:
    """A SubjectPublicKeyInfo around any bytes that pass for a point. parameters: whole DER; None names P-256."""
    return _ec_spki(point, parameters=der.oid(P256.oid) if parameters is None else parameters, unused_bits=unused_bits)


def public_bytes(key: EcKey) -> bytes:
    """X and Y, as quotes hold a key."""
    return key.point()[1:]


def raw_signature(
    key: EcKey,
    message: bytes,
    *,
    hash_name: str = "sha256",
    nonce: int | None = None,
    s_half: Literal["any", "low", "high"] = "any",
    byteorder: Literal["big", "little"] = "big",
) -> bytes:
    """R and S, as quotes and signed JSON have them. s_half: which of s and n - s, both of which are valid."""
    r, s = key.sign(message, hash_name=hash_name, nonce=nonce)
    n, size = key.domain.n, key.domain.size
    if s_half != "any" and (s > n // 2) != (s_half == "high"):
        s = n - s
    return r.to_bytes(size, byteorder) + s.to_bytes(size, byteorder)


__all__ = [
    "P256",
    "P384",
    "EcKey",
    "PointForm",
    "ec_key",
    "ec_spki",
    "encode_point",
    "public_bytes",
    "raw_signature",
]
