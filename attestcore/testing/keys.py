# SPDX-License-Identifier: Apache-2.0
"""Test keys: public, worthless, and the same on every machine.

RSA keys are PEM files of a package, read when first used. EC keys are derived from a text, so there are as many as a
test wants and none has to be stored. Signing gives full control: ECDSA takes its nonce, its digest, or neither; PSS
takes its salt and its trailer byte. Nothing here is constant-time, and nothing here may ever protect anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from . import der

RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
PRIME_FIELD: Final = "1.2.840.10045.1.1"

_HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}

PointForm = Literal["uncompressed", "compressed", "hybrid", "infinity"]


@dataclass(frozen=True, slots=True)
class Curve:
    """A short Weierstrass curve, y^2 = x^3 - 3x + b (FIPS 186-5; SEC 2)."""

    name: str
    oid: str
    p: int
    b: int
    n: int
    gx: int
    gy: int

    @property
    def size(self) -> int:
        """Bytes of a coordinate or scalar."""
        return (self.p.bit_length() + 7) // 8

    def on_curve(self, x: int, y: int) -> bool:
        return (y * y - (x * x * x - 3 * x + self.b)) % self.p == 0


P256: Final = Curve(
    "P-256",
    "1.2.840.10045.3.1.7",
    0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
P384: Final = Curve(
    "P-384",
    "1.3.132.0.34",
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
    0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
)
_CURVES: Final[dict[str, tuple[Curve, type[ec.EllipticCurve]]]] = {
    "P-256": (P256, ec.SECP256R1),
    "P-384": (P384, ec.SECP384R1),
}


# ---- EC --------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def _multiple(curve: str, scalar: int) -> tuple[int, int]:
    """scalar times the generator."""
    public = ec.derive_private_key(scalar, _CURVES[curve][1]()).public_key().public_numbers()
    return public.x, public.y


def encode_point(x: int, y: int, size: int, form: PointForm = "uncompressed") -> bytes:
    """A point as SEC 1, 2.3.3 has it, on the curve or off it; hybrid is X9.62's form, with the sign of y in the first
    byte."""
    if form == "infinity":
        return b"\0"
    wide_x, wide_y = x.to_bytes(size, "big"), y.to_bytes(size, "big")
    if form == "compressed":
        return bytes([2 | y & 1]) + wide_x
    return bytes([4 if form == "uncompressed" else 6 | y & 1]) + wide_x + wide_y


def explicit_parameters(
    curve: Curve = P384, *, generator: tuple[int, int] | None = None, prime: int | None = None
) -> bytes:
    """ECParameters spelt out (RFC 3279 2.3.5), with a generator or a field of the caller's making."""
    x, y = generator or (curve.gx, curve.gy)
    p = curve.p if prime is None else prime
    return der.sequence(
        der.integer(1),
        der.sequence(der.oid(PRIME_FIELD), der.integer(p)),
        der.sequence(
            der.octet_string((curve.p - 3).to_bytes(curve.size, "big")),
            der.octet_string(curve.b.to_bytes(curve.size, "big")),
        ),
        der.octet_string(encode_point(x, y, curve.size)),
        der.integer(curve.n),
        der.integer(1),
    )


def ec_spki(
    point: bytes, *, parameters: bytes | None = None, algorithm: str = EC_PUBLIC_KEY, unused_bits: int = 0
) -> bytes:
    """A SubjectPublicKeyInfo around any bytes that pass for a point. parameters: whole DER; None names P-384."""
    if parameters is None:
        parameters = der.oid(P384.oid)
    return der.sequence(der.sequence(der.oid(algorithm), parameters), der.bit_string(point, unused=unused_bits))


@dataclass(frozen=True, slots=True)
class EcKey:
    """A private EC key. secret is 1 .. n-1."""

    curve: str
    secret: int

    @property
    def domain(self) -> Curve:
        return _CURVES[self.curve][0]

    @property
    def public(self) -> tuple[int, int]:
        return _multiple(self.curve, self.secret)

    def point(self, form: PointForm = "uncompressed") -> bytes:
        return encode_point(*self.public, self.domain.size, form)

    @property
    def spki(self) -> bytes:
        return ec_spki(self.point(), parameters=der.oid(self.domain.oid))

    @property
    def key_id(self) -> bytes:
        """SHA-1 of the point, a subjectKeyIdentifier (RFC 5280 4.2.1.2, method 1)."""
        return hashlib.sha1(self.point()).digest()  # noqa: S324 - an identifier

    def private_key(self) -> ec.EllipticCurvePrivateKey:
        """The same key as an object of `cryptography`."""
        return ec.derive_private_key(self.secret, _CURVES[self.curve][1]())

    def sign_digest(self, digest: bytes, *, nonce: int | None = None) -> tuple[int, int]:
        """ECDSA's (r, s) for a digest of any length, whose leftmost bits count (FIPS 186-5, 6.4.1). The nonce is
        derived from key and digest unless it is given: the same input has the same signature everywhere."""
        n = self.domain.n
        if nonce is None:
            seed = self.secret.to_bytes(66, "big") + digest
            nonce = int.from_bytes(hashlib.shake_256(b"nonce" + seed).digest(80), "big") % (n - 1) + 1
        z = int.from_bytes(digest, "big") >> max(0, 8 * len(digest) - n.bit_length())
        r = _multiple(self.curve, nonce)[0] % n
        s = pow(nonce, -1, n) * (z + r * self.secret) % n
        if not r or not s:
            raise ValueError("this nonce gives r = 0 or s = 0")
        return r, s

    def sign(self, message: bytes, *, hash_name: str = "sha384", nonce: int | None = None) -> tuple[int, int]:
        return self.sign_digest(hashlib.new(hash_name, message).digest(), nonce=nonce)


def derive_ec_key(text: str, curve: str) -> EcKey:
    """The EC key of that text: public as the text is."""
    stream = hashlib.shake_256(text.encode()).digest(96)
    return EcKey(curve, int.from_bytes(stream, "big") % (_CURVES[curve][0].n - 1) + 1)


# ---- RSA -------------------------------------------------------------------------------------------------------------


def rsa_spki(
    modulus: int | bytes,
    exponent: int | bytes = 65537,
    *,
    algorithm: str = RSA_ENCRYPTION,
    parameters: bytes | None = None,
    unused_bits: int = 0,
    trailing: bytes = b"",
) -> bytes:
    """A SubjectPublicKeyInfo with any numbers (or INTEGER content octets). parameters: whole DER; None is NULL, b""
    leaves them out."""
    key = der.sequence(der.integer(modulus), der.integer(exponent)) + trailing
    return der.sequence(
        der.sequence(der.oid(algorithm), der.null() if parameters is None else parameters),
        der.bit_string(key, unused=unused_bits),
    )


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A private RSA key: the file name.pem of a package, or, without one, a key that generate_rsa() made."""

    name: str
    package: str | None = None

    def private_key(self) -> rsa.RSAPrivateKey:
        """The same key as an object of `cryptography`."""
        return _load(self.name, self.package)

    @property
    def modulus(self) -> int:
        return _numbers(self.name, self.package).public_numbers.n

    @property
    def exponent(self) -> int:
        return _numbers(self.name, self.package).public_numbers.e

    @property
    def size(self) -> int:
        """Bytes of the modulus, and of a signature."""
        return (self.modulus.bit_length() + 7) // 8

    @property
    def spki(self) -> bytes:
        return rsa_spki(self.modulus, self.exponent)

    @property
    def key_id(self) -> bytes:
        """SHA-1 of the RSAPublicKey, as AMD's subjectKeyIdentifier has it (RFC 5280 4.2.1.2, method 1)."""
        public = der.sequence(der.integer(self.modulus), der.integer(self.exponent))
        return hashlib.sha1(public).digest()  # noqa: S324 - an identifier

    def raw(self, block: bytes) -> bytes:
        """The bare private operation on one block: any padding, right or wrong."""
        numbers = _numbers(self.name, self.package)
        m = int.from_bytes(block, "big")
        if m >= self.modulus:
            raise ValueError("the block is not below the modulus")
        m1, m2 = pow(m, numbers.dmp1, numbers.p), pow(m, numbers.dmq1, numbers.q)
        s = m2 + (m1 - m2) * numbers.iqmp % numbers.p * numbers.q
        return s.to_bytes(self.size, "big")

    def sign_pss(
        self,
        message: bytes,
        *,
        hash_name: str = "sha384",
        mgf_hash: str | None = None,
        salt_length: int = 48,
        salt: bytes | None = None,
        trailer: int = 0xBC,
    ) -> bytes:
        """RSASSA-PSS (RFC 8017 8.1.1). With a salt, or a trailer that is not BC, the block is made here: slower, and
        repeatable."""
        mgf_hash = mgf_hash or hash_name
        if salt is None and trailer == 0xBC:
            scheme = padding.PSS(padding.MGF1(_HASHES[mgf_hash]()), salt_length)
            return self.private_key().sign(message, scheme, _HASHES[hash_name]())
        if salt is None:
            salt = hashlib.shake_256(message).digest(salt_length)
        return self.raw(_pss_block(message, self.modulus.bit_length() - 1, hash_name, mgf_hash, salt, trailer))

    def sign_pkcs1(self, message: bytes, *, hash_name: str = "sha384") -> bytes:
        """RSASSA-PKCS1-v1_5 (RFC 8017 8.2.1)."""
        return self.private_key().sign(message, padding.PKCS1v15(), _HASHES[hash_name]())


def _pss_block(message: bytes, bits: int, hash_name: str, mgf_hash: str, salt: bytes, trailer: int) -> bytes:
    """EMSA-PSS-ENCODE (RFC 8017 9.1.1), but for the trailer's value."""
    size = (bits + 7) // 8
    inner = bytes(8) + hashlib.new(hash_name, message).digest() + salt
    digest = hashlib.new(hash_name, inner).digest()
    room = size - len(digest) - 1
    if room < len(salt) + 1:
        raise ValueError("the salt is too long for this key")
    db = (b"\x01" + salt).rjust(room, b"\0")
    mask = b"".join(
        hashlib.new(mgf_hash, digest + counter.to_bytes(4, "big")).digest()
        for counter in range(room // hashlib.new(mgf_hash).digest_size + 1)
    )
    masked = bytearray(a ^ b for a, b in zip(db, mask, strict=False))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + digest + bytes([trailer])


_generated: dict[str, rsa.RSAPrivateKey] = {}


@lru_cache(maxsize=256)
def _load(name: str, package: str | None) -> rsa.RSAPrivateKey:
    if package is None:
        return _generated[name]
    pem = files(package).joinpath(f"{name}.pem").read_bytes()
    # The keys are ours, so the primality tests of the loader (a third of a second each) would tell nothing.
    key = serialization.load_pem_private_key(pem[pem.index(b"-----BEGIN") :], None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{name} is not an RSA key")
    return key


@lru_cache(maxsize=256)
def _numbers(name: str, package: str | None) -> rsa.RSAPrivateNumbers:
    return _load(name, package).private_numbers()


@lru_cache(maxsize=64)
def generate_rsa(bits: int = 4096, exponent: int = 65537, word: str = "") -> RsaKey:
    """A fresh RSA key, one per set of arguments and process. 4096 bits take about half a second, so prefer a stored
    key."""
    name = f"generated-{bits}-{exponent}-{word}"
    _generated[name] = rsa.generate_private_key(exponent, bits)
    return RsaKey(name)


def is_generated(name: str) -> bool:
    """Whether generate_rsa() made a key of that name in this process."""
    return name in _generated
