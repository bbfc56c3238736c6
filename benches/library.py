"""The library `cryptography` called as fast as it can be called: keys loaded and signatures encoded beforehand."""

from __future__ import annotations

from collections.abc import Callable

from corpus import RsaSignatures, Signatures
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "P-256": (ec.SECP256R1(), hashes.SHA256()),
    "P-384": (ec.SECP384R1(), hashes.SHA384()),
}


def ecdsa(data: Signatures) -> Callable[[], None]:
    """A function that verifies all of them and raises InvalidSignature at the first that does not hold."""
    curve, digest_hash = _CURVES[data.curve]
    algorithm = ec.ECDSA(Prehashed(digest_hash))
    jobs = []
    for key, digest, sig in data.rows():
        half = len(sig) // 2
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + key)
        der = encode_dss_signature(int.from_bytes(sig[:half], "big"), int.from_bytes(sig[half:], "big"))
        jobs.append((public.verify, der, digest))

    def run() -> None:
        for verify, der, digest in jobs:
            verify(der, digest, algorithm)

    return run


def rsa_pss(data: RsaSignatures) -> Callable[[], None]:
    key = load_der_public_key(data.spki)
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("not an RSA key")
    scheme, hashed = padding.PSS(padding.MGF1(hashes.SHA384()), salt_length=48), Prehashed(hashes.SHA384())
    size = key.key_size // 8
    jobs = [(data.sigs[size * i : size * (i + 1)], data.digests[48 * i : 48 * (i + 1)]) for i in range(data.n)]

    def run() -> None:
        for sig, digest in jobs:
            key.verify(sig, digest, scheme, hashed)

    return run
