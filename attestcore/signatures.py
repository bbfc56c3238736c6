"""ECDSA and RSA signatures by the column: keys, digests and signatures of n rows in, one byte a row out.

All numbers are big-endian, all columns plain bytes in any object with the buffer protocol. Native engines drop the GIL
for the whole call. A row that does not verify, whatever the reason, is 0; only a call that makes no sense raises
ValueError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from attestcore import _lib
from attestcore import engines as _engines
from attestcore._lib import KeyTables

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Curve", "KeyTables", "Scheme", "engines", "verify_ecdsa", "verify_rsa"]

Curve: TypeAlias = Literal["P-256", "P-384"]
Scheme: TypeAlias = Literal["pss-sha256", "pss-sha384", "pkcs1-sha256", "pkcs1-sha384"]

_CURVES: Final[dict[str, tuple[int, int]]] = {"P-256": (_lib.ECDSA_P256, 32), "P-384": (_lib.ECDSA_P384, 48)}
_SCHEMES: Final[dict[str, tuple[int, int]]] = {
    "pss-sha256": (_lib.RSA_PSS_SHA256, 32),
    "pss-sha384": (_lib.RSA_PSS_SHA384, 48),
    "pkcs1-sha256": (_lib.RSA_PKCS1_SHA256, 32),
    "pkcs1-sha384": (_lib.RSA_PKCS1_SHA384, 48),
}


def engines() -> tuple[str, ...]:
    """The engines that this machine can run, best first, "cryptography" last."""
    return _engines.available()


def _bytes_of(data: Buffer) -> memoryview:
    """The bytes of a buffer in the order of its elements; copied when they do not lie in one piece, and when they may change while an
    engine reads them without the GIL: what is held against its range must be what is then verified."""
    view = memoryview(data)
    return view.cast("B") if view.readonly and view.c_contiguous else memoryview(view.tobytes())


def _rows(what: str, column: memoryview, size: int, n: int | None = None) -> int:
    """How many rows of size bytes a column has, which must be n where n is known."""
    rows, left = divmod(len(column), size)
    if left or (n is not None and rows != n):
        expected = f"{size} bytes a row" if n is None else f"{n} rows of {size} bytes"
        raise ValueError(f"{what} has {len(column)} bytes, not {expected}")
    return rows


def verify_ecdsa(
    curve: Curve,
    keys: Buffer,
    digests: Buffer,
    sigs: Buffer,
    engine: str | None = None,
    *,
    tables: KeyTables | None = None,
) -> bytes:
    """Verifies n ECDSA signatures; one byte a row, 1 valid, 0 not.

    curve    "P-256" (L = 32) or "P-384" (L = 48)
    keys     n * 2L bytes, X then Y; a key off the curve or out of range makes its own row 0
    digests  n * L bytes: the SHA-2 digest of the curve's length
    sigs     n * 2L bytes, r then s
    engine   None: the best, or what ATTESTCORE_ENGINE said
    tables   what is kept of keys from call to call, for native engines: it makes those that come back several times faster and changes
             no outcome; None: nothing is kept when the call ends
    """
    if curve not in _CURVES:
        raise ValueError(f"curve {curve!r} is not known; known: {', '.join(_CURVES)}")
    algorithm, length = _CURVES[curve]
    key_column, digest_column, sig_column = _bytes_of(keys), _bytes_of(digests), _bytes_of(sigs)
    n = _rows("keys", key_column, 2 * length)
    _rows("digests", digest_column, length, n)
    _rows("sigs", sig_column, 2 * length, n)
    name = _engines.resolve(engine)
    if name != _engines.CRYPTOGRAPHY:
        return _lib.verify_ecdsa(name, algorithm, key_column, digest_column, sig_column, n, tables)
    return bytes(
        _engines.verify_one(
            algorithm,
            bytes(key_column[2 * length * i : 2 * length * (i + 1)]),
            0,
            bytes(digest_column[length * i : length * (i + 1)]),
            bytes(sig_column[2 * length * i : 2 * length * (i + 1)]),
        )
        for i in range(n)
    )


def verify_rsa(scheme: Scheme, key_der: Buffer, digests: Buffer, sigs: Buffer, engine: str | None = None) -> bytes:
    """Verifies n RSA signatures under one key; one byte a row, 1 valid, 0 not.

    scheme   "pss-sha256", "pss-sha384" (MGF1 with the same hash, salt as long as the digest), "pkcs1-sha256",
             "pkcs1-sha384"
    key_der  a SubjectPublicKeyInfo (DER): rsaEncryption, 2048 to 4096 bits, odd exponent from 3 to 2^32 - 1
    digests  n * L bytes, L = 32 or 48 by the scheme
    sigs     n times as many bytes as the modulus has
    engine   None: the best, or what ATTESTCORE_ENGINE said
    """
    if scheme not in _SCHEMES:
        raise ValueError(f"scheme {scheme!r} is not known; known: {', '.join(_SCHEMES)}")
    algorithm, length = _SCHEMES[scheme]
    key = _lib.rsa_spki(bytes(_bytes_of(key_der)))
    if key is None:
        raise ValueError(
            "key_der is not a SubjectPublicKeyInfo with an rsaEncryption key of 2048 to 4096 bits and an odd exponent "
            "from 3 to 2^32 - 1"
        )
    modulus, exponent = key
    digest_column, sig_column = _bytes_of(digests), _bytes_of(sigs)
    n = _rows("digests", digest_column, length)
    _rows("sigs", sig_column, len(modulus), n)
    name = _engines.resolve(engine)
    if name != _engines.CRYPTOGRAPHY:
        return _lib.verify_rsa(name, algorithm, modulus, exponent, digest_column, sig_column, n)
    return bytes(
        _engines.verify_one(
            algorithm,
            modulus,
            exponent,
            bytes(digest_column[length * i : length * (i + 1)]),
            bytes(sig_column[len(modulus) * i : len(modulus) * (i + 1)]),
        )
        for i in range(n)
    )
