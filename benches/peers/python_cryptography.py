"""How many reports a second a few lines over the library `cryptography` verify; see ../README.md for arguments and output."""

from __future__ import annotations

import json
import sys
import warnings

from clock import Evidence, rate
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

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


def main(folder: str, seconds: str) -> None:
    warnings.simplefilter("ignore")  # AMD's certificates have the serial number 0, and every load says so
    evidence, length = Evidence.load(folder), float(seconds)
    key = _key(_chain(evidence))
    rates = {
        "signature": rate(lambda report: _verify(key, report), evidence.report, length),
        "new chain": rate(lambda report: _verify(_key(_chain(evidence)), report), evidence.report, length),
    }
    print(json.dumps(rates))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[3])
