"""How many reports a second a few lines over the library `cryptography` verify; see ../README.md for arguments and output."""

from __future__ import annotations

import json
import sys
import warnings

from clock import Bare, Evidence, rate, repeat
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

_SIGNED = 0x2A0  # R stands here and S 72 bytes on, each 48 bytes, little-endian
_ALGORITHM = ec.ECDSA(hashes.SHA384())


def _verify(key: ec.EllipticCurvePublicKey, report: bytes) -> bool:
    r, s = (int.from_bytes(report[at : at + 48], "little") for at in (_SIGNED, _SIGNED + 72))
    try:
        key.verify(encode_dss_signature(r, s), report[:_SIGNED], _ALGORITHM)
    except InvalidSignature:
        return False
    return True


def _key(leaf: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("the VCEK has no EC key")
    return key


def _chain(evidence: Evidence) -> x509.Certificate:
    """The VCEK, once it is certain that ASK signed it and ARK both ASK and itself."""
    leaf, ask, ark = (x509.load_der_x509_certificate(der) for der in (evidence.vcek, evidence.ask, evidence.ark))
    for signed, signer in ((ark, ark), (ask, ark), (leaf, ask)):
        signed.verify_directly_issued_by(signer)
    return leaf


def _bare(rows: Bare, length: float) -> float:
    """Keys loaded and signatures encoded beforehand."""
    curve, hashed = {"P-384": (ec.SECP384R1(), hashes.SHA384()), "P-256": (ec.SECP256R1(), hashes.SHA256())}[rows.curve]
    size, scheme = len(rows.digests) // rows.n, ec.ECDSA(Prehashed(hashed))
    keys = [
        ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\4" + rows.keys[at : at + 2 * size])
        for at in range(0, len(rows.keys), 2 * size)
    ]
    digests = [rows.digests[at : at + size] for at in range(0, len(rows.digests), size)]
    encoded: dict[bytes, list[bytes]] = {}

    def run(sigs: bytes) -> bool:
        if sigs not in encoded:
            numbers = [int.from_bytes(sigs[at : at + size], "big") for at in range(0, len(sigs), size)]
            encoded[sigs] = [encode_dss_signature(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
        try:
            for key, digest, sig in zip(keys, digests, encoded[sigs], strict=True):
                key.verify(sig, digest, scheme)
        except InvalidSignature:
            return False
        return True

    return repeat(run, rows.sigs, rows.n, length)


def _rsa_pss(rows: Bare, length: float) -> float:
    """OpenSSL's RSA, its key loaded."""
    key = load_der_public_key(rows.keys)
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("not an RSA key")
    scheme, hashed = padding.PSS(padding.MGF1(hashes.SHA384()), salt_length=48), Prehashed(hashes.SHA384())

    def run(sigs: bytes) -> bool:
        try:
            for i in range(rows.n):
                key.verify(sigs[512 * i : 512 * (i + 1)], rows.digests[48 * i : 48 * (i + 1)], scheme, hashed)
        except InvalidSignature:
            return False
        return True

    return repeat(run, rows.sigs, rows.n, length)


def main(folder: str, seconds: str) -> None:
    warnings.simplefilter("ignore")  # AMD's certificates have the serial number 0, and every load says so
    evidence, length = Evidence.load(folder), float(seconds)
    key = _key(_chain(evidence))
    rates = {
        **{name: _bare(rows, length) for name, rows in Bare.load(folder) if "," not in name},
        "RSA-4096": _rsa_pss(Bare.rsa(folder), length),
        "signature": rate(lambda report: _verify(key, report), evidence.report, length),
        "new chain": rate(lambda report: _verify(_key(_chain(evidence)), report), evidence.report, length),
    }
    print(json.dumps(rates))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[3])
