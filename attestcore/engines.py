"""Which engine verifies signatures: the native ones of the C core, best first, or `cryptography`, always there.

The default is the best, or what the environment variable ATTESTCORE_ENGINE says; it is read once, when this module is
imported.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from attestcore import _lib
from attestcore._lib import Runner

CRYPTOGRAPHY: Final = "cryptography"

_USABLE: Final = (*(engine.name for engine in _lib.native_engines() if engine.usable), CRYPTOGRAPHY)
_FORCED: Final = os.environ.get("ATTESTCORE_ENGINE")


def available() -> tuple[str, ...]:
    """The engines that this machine can run, best first, "cryptography" last."""
    return _USABLE


def cpu_features() -> str:
    """The CPU features that native engines ask for, as found, separated by spaces."""
    return _lib.cpu_features()


def hash_code() -> str:
    """Which code hashes on this machine: "sha256 sha_ni, sha384 avx512x8"; the second hashes the reports of a batch."""
    return _lib.hash_code()


def resolve(engine: str | None) -> str:
    """The engine to use: the one named, or for None the default. ValueError when it cannot run here."""
    name, origin = (engine, "engine") if engine is not None else (_FORCED, "ATTESTCORE_ENGINE")
    if name is None:
        return _USABLE[0]
    if name not in _USABLE:
        raise ValueError(f"{origin} {name!r} cannot run on this machine; usable: {', '.join(_USABLE)}")
    return name


def runner(name: str) -> Runner:
    """How the jobs of a resolved engine are run."""
    if name == CRYPTOGRAPHY:
        return Runner(name, None, verify_one)
    return Runner(name, _lib.ENGINE_NAMES.index(name), None)


# ---- cryptography ----------------------------------------------------------------------------------------------------

_SHA256: Final = hashes.SHA256()
_SHA384: Final = hashes.SHA384()

_CURVES: Final[dict[int, tuple[ec.EllipticCurve, hashes.HashAlgorithm]]] = {
    _lib.ECDSA_P256: (ec.SECP256R1(), _SHA256),
    _lib.ECDSA_P384: (ec.SECP384R1(), _SHA384),
}
_SCHEMES: Final[dict[int, tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]]] = {
    _lib.RSA_PSS_SHA256: (padding.PSS(padding.MGF1(_SHA256), salt_length=32), _SHA256),
    _lib.RSA_PSS_SHA384: (padding.PSS(padding.MGF1(_SHA384), salt_length=48), _SHA384),
    _lib.RSA_PKCS1_SHA256: (padding.PKCS1v15(), _SHA256),
    _lib.RSA_PKCS1_SHA384: (padding.PKCS1v15(), _SHA384),
}
_RSA_BYTES: Final = range(256, 513)
_MAX_EXPONENT: Final = 2**32 - 1


@lru_cache(maxsize=256)
def _ec_key(algorithm: int, key: bytes) -> ec.EllipticCurvePublicKey:
    curve, _ = _CURVES[algorithm]
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + key)


@lru_cache(maxsize=64)
def _rsa_key(modulus: bytes, exponent: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(exponent, int.from_bytes(modulus, "big")).public_key()


def _verify_ecdsa(algorithm: int, key: bytes, digest: bytes, sig: bytes) -> bool:
    _, digest_hash = _CURVES[algorithm]
    length = digest_hash.digest_size
    if len(key) != 2 * length or len(sig) != 2 * length or len(digest) != length:
        return False
    r, s = int.from_bytes(sig[:length], "big"), int.from_bytes(sig[length:], "big")
    _ec_key(algorithm, key).verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(digest_hash)))
    return True


def _verify_rsa(algorithm: int, modulus: bytes, exponent: int, digest: bytes, sig: bytes) -> bool:
    scheme, digest_hash = _SCHEMES[algorithm]
    if len(modulus) not in _RSA_BYTES or modulus[0] == 0 or modulus[-1] % 2 == 0 or len(sig) != len(modulus):
        return False
    if exponent < 3 or exponent > _MAX_EXPONENT or exponent % 2 == 0 or len(digest) != digest_hash.digest_size:
        return False
    _rsa_key(modulus, exponent).verify(sig, digest, scheme, Prehashed(digest_hash))
    return True


def verify_one(algorithm: int, key: bytes, exponent: int, digest: bytes, sig: bytes) -> bool:
    """One signature by `cryptography`, by the rules of att_sig_job in csrc/attest.h: any job is legal, and whatever is
    not a valid signature is False."""
    try:
        if algorithm in _CURVES:
            return _verify_ecdsa(algorithm, key, digest, sig)
        if algorithm in _SCHEMES:
            return _verify_rsa(algorithm, key, exponent, digest, sig)
    except (
        InvalidSignature,
        ValueError,
    ):  # ValueError: a key off the curve or out of range, a size that OpenSSL refuses
        return False
    return False
