# SPDX-License-Identifier: Apache-2.0
"""X.509 certificates and CRLs as values: names, times, algorithms, extensions, and all that can be wrong with each.

A CertificateSpec or CrlSpec holds everything that is written; replace() and the with_... methods change one thing;
encode() signs. Any value may be given as raw bytes instead.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

from . import der
from .keys import RSASSA_PSS, EcKey, RsaKey

PrivateKey: TypeAlias = RsaKey | EcKey
Patches: TypeAlias = Mapping[int, bytes] | tuple[tuple[int, bytes], ...]

#: Object identifiers by the words that errors and documents use for them: AMD's (57230, 58369), Intel's ("Intel SGX PCK
#: Certificate and Certificate Revocation List Profile Specification"), RFC 5280's.
OIDS: Final[dict[str, str]] = {
    "structVersion": "1.3.6.1.4.1.3704.1.1",
    "productName": "1.3.6.1.4.1.3704.1.2",
    "blSPL": "1.3.6.1.4.1.3704.1.3.1",
    "teeSPL": "1.3.6.1.4.1.3704.1.3.2",
    "snpSPL": "1.3.6.1.4.1.3704.1.3.3",
    "spl4": "1.3.6.1.4.1.3704.1.3.4",
    "spl5": "1.3.6.1.4.1.3704.1.3.5",
    "spl6": "1.3.6.1.4.1.3704.1.3.6",
    "spl7": "1.3.6.1.4.1.3704.1.3.7",
    "ucodeSPL": "1.3.6.1.4.1.3704.1.3.8",
    "fmcSPL": "1.3.6.1.4.1.3704.1.3.9",
    "hwID": "1.3.6.1.4.1.3704.1.4",
    "csp_id": "1.3.6.1.4.1.3704.1.5",
    "sgxExtensions": "1.2.840.113741.1.13.1",
    "subjectKeyIdentifier": "2.5.29.14",
    "keyUsage": "2.5.29.15",
    "subjectAltName": "2.5.29.17",
    "basicConstraints": "2.5.29.19",
    "cRLNumber": "2.5.29.20",
    "reasonCode": "2.5.29.21",
    "deltaCRLIndicator": "2.5.29.27",
    "issuingDistributionPoint": "2.5.29.28",
    "nameConstraints": "2.5.29.30",
    "cRLDistributionPoints": "2.5.29.31",
    "certificatePolicies": "2.5.29.32",
    "authorityKeyIdentifier": "2.5.29.35",
    "extKeyUsage": "2.5.29.37",
}

_NAME_OIDS: Final = {
    "CN": "2.5.4.3",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
}

_HASH_OIDS: Final = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_PKCS1_OIDS: Final = {
    "sha1": "1.2.840.113549.1.1.5",
    "sha224": "1.2.840.113549.1.1.14",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
_ECDSA_OIDS: Final = {
    "sha1": "1.2.840.10045.4.1",
    "sha224": "1.2.840.10045.4.3.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
_MGF1: Final = "1.2.840.113549.1.1.8"


# ---- names -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a name: its type (CN, C, L, ST, O, OU or an OID), its text, the tag of its string type."""

    kind: str
    text: str | bytes
    tag: int = der.UTF8_STRING

    def encode(self) -> bytes:
        return der.sequence(der.oid(_NAME_OIDS.get(self.kind, self.kind)), der.text(self.tag, self.text))


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name, an RDN an attribute (one_rdn: all in one). raw replaces the whole encoding."""

    attributes: tuple[Attribute, ...]
    one_rdn: bool = False
    raw: bytes | None = None

    def encode(self) -> bytes:
        if self.raw is not None:
            return self.raw
        parts = [attribute.encode() for attribute in self.attributes]
        return der.sequence(der.set_of(*parts)) if self.one_rdn else der.sequence(*(der.set_of(part) for part in parts))

    @property
    def cn(self) -> str | bytes | None:
        """The text of the last CN."""
        return next((a.text for a in reversed(self.attributes) if a.kind == "CN"), None)

    def set(self, kind: str, text: str | bytes | None = None, tag: int | None = None) -> Name:
        """Another text or string type for every attribute of a kind."""
        changed = tuple(
            Attribute(kind, a.text if text is None else text, a.tag if tag is None else tag) if a.kind == kind else a
            for a in self.attributes
        )
        return dataclasses.replace(self, attributes=changed)

    def without(self, kind: str) -> Name:
        return dataclasses.replace(self, attributes=tuple(a for a in self.attributes if a.kind != kind))

    def plus(self, *more: Attribute, first: bool = False) -> Name:
        """More attributes, at the end or at the start."""
        return dataclasses.replace(self, attributes=more + self.attributes if first else self.attributes + more)


# ---- times -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawTime:
    """A time written exactly so: RawTime(der.GENERALIZED_TIME, "20250620000000.5Z")."""

    tag: int
    text: str | bytes

    def encode(self) -> bytes:
        return der.text(self.tag, self.text)


Time: TypeAlias = datetime | RawTime


def _encode_time(at: Time) -> bytes:
    return at.encode() if isinstance(at, RawTime) else der.time(at)


# ---- signature algorithms --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """What an AlgorithmIdentifier says, and how to sign accordingly.

    The default is AMD's: RSASSA-PSS with SHA-384, MGF1 with SHA-384, 48 bytes of salt, and the default trailerField
    left out, as KDS does since the end of 2024. trailer=1 writes it out, as AMD's CA certificates and older leaves
    have it.
    """

    scheme: Literal["pss", "pkcs1", "ecdsa"] = "pss"
    hash: str = "sha384"
    mgf_hash: str | None = None  # None: the same
    salt_length: int = 48
    trailer: int | None = None  # trailerField; None: not written
    null_parameters: bool = True  # NULL after the hashes' OIDs
    parameters: bytes | None = None  # whole DER, instead of what the fields say; b"" for none
    raw: bytes | None = None  # the whole AlgorithmIdentifier

    def encode(self) -> bytes:
        if self.raw is not None:
            return self.raw
        if self.scheme == "pss":
            oid, parameters = RSASSA_PSS, self._pss_parameters()
        elif self.scheme == "pkcs1":
            oid, parameters = _PKCS1_OIDS[self.hash], der.null()
        else:
            oid, parameters = _ECDSA_OIDS[self.hash], b""
        return der.sequence(der.oid(oid), parameters if self.parameters is None else self.parameters)

    def _pss_parameters(self) -> bytes:
        mgf = der.sequence(der.oid(_MGF1), self._hash(self.mgf_hash or self.hash))
        trailer = b"" if self.trailer is None else der.context(3, der.integer(self.trailer))
        return der.sequence(
            der.context(0, self._hash(self.hash)),
            der.context(1, mgf),
            der.context(2, der.integer(self.salt_length)),
            trailer,
        )

    def _hash(self, name: str) -> bytes:
        return der.sequence(der.oid(_HASH_OIDS[name]), der.null() if self.null_parameters else b"")

    def sign(self, key: PrivateKey, message: bytes, *, salt: bytes | None = None) -> bytes:
        """The signature value: an RSA block, or the DER of (r, s)."""
        if isinstance(key, EcKey):
            if self.scheme != "ecdsa":
                raise ValueError(f"an EC key cannot sign with {self.scheme}")
            r, s = key.sign(message, hash_name=self.hash)
            return der.sequence(der.integer(r), der.integer(s))
        if self.scheme == "pss":
            return key.sign_pss(
                message, hash_name=self.hash, mgf_hash=self.mgf_hash, salt_length=self.salt_length, salt=salt
            )
        if self.scheme == "pkcs1":
            return key.sign_pkcs1(message, hash_name=self.hash)
        raise ValueError(f"an RSA key cannot sign with {self.scheme}")


PSS: Final = SignatureAlgorithm()
PSS_WITH_TRAILER: Final = SignatureAlgorithm(trailer=1)


# ---- extensions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension: a word of OIDS, a dotted OID or an OID's content octets; the content of extnValue; and the
    critical flag.

    critical: None leaves it out (FALSE, as DER has it), True writes TRUE, False writes out the default, bytes are the
    content of the BOOLEAN. raw replaces the whole encoding.
    """

    kind: str | bytes
    value: bytes
    critical: bool | bytes | None = None
    raw: bytes | None = None

    def encode(self) -> bytes:
        if self.raw is not None:
            return self.raw
        flag = b"" if self.critical is None else der.boolean(self.critical)
        return der.sequence(der.oid(_oid(self.kind)), flag, der.octet_string(self.value))


def _oid(kind: str | bytes) -> str | bytes:
    return OIDS.get(kind, kind) if isinstance(kind, str) else kind


def basic_constraints(ca: bool | bytes | None = True, path_length: int | None = None) -> bytes:
    """BasicConstraints; ca None leaves the flag out."""
    return der.sequence(
        b"" if ca is None else der.boolean(ca), b"" if path_length is None else der.integer(path_length)
    )


def key_usage(*bits: int, unused: int | None = None) -> bytes:
    """KeyUsage with the bits named by number: 0 digitalSignature, 5 keyCertSign, 6 cRLSign. unused: the count of
    unused bits, for DER that of the trailing zeros."""
    if not bits:
        return der.bit_string(b"")
    octet = sum(0x80 >> bit for bit in set(bits))
    return der.bit_string(bytes([octet]), unused=7 - max(bits) if unused is None else unused)


def key_id(key: PrivateKey) -> bytes:
    """A subjectKeyIdentifier: SHA-1 of the public key's bits (RFC 5280 4.2.1.2, method 1)."""
    return key.key_id


def authority_key_identifier(key_id: bytes) -> bytes:
    return der.sequence(der.context(0, key_id, constructed=False))


def distribution_points(*urls: str) -> bytes:
    """CRLDistributionPoints, a point a URL."""
    return der.sequence(
        *(der.sequence(der.context(0, der.context(0, der.context(6, url.encode(), constructed=False)))) for url in urls)
    )


_S = TypeVar("_S", bound="_Signed")


def _pairs(patches: Patches) -> tuple[tuple[int, bytes], ...]:
    return tuple(patches.items()) if isinstance(patches, Mapping) else patches


def patch(data: bytes, patches: Patches) -> bytes:
    """data with the bytes at each offset overwritten; its length stays. An offset outside is a ValueError."""
    out = bytearray(data)
    for at, new in _pairs(patches):
        if at < 0 or at + len(new) > len(out):
            raise ValueError(f"{len(new)} bytes at {at} do not lie inside {len(out)} bytes")
        out[at : at + len(new)] = new
    return bytes(out)


class _Signed:
    """What certificates and CRLs share: extensions by word, and changes by name."""

    __slots__ = ()
    extensions: tuple[Extension, ...] | None

    def replace(self: _S, **changes: Any) -> _S:
        """The same but for some fields, or for extensions named by their word: a value (its critical flag stays), an
        Extension, or None to leave it out. A new extension goes to the end."""
        fields = {name: value for name, value in changes.items() if name not in OIDS}
        out = cast(_S, dataclasses.replace(cast(Any, self), **fields))
        for name, value in changes.items():
            if name in OIDS:
                out = out.with_extension(name, value)
        return out

    def _with(self: _S, extensions: Iterable[Extension]) -> _S:
        return cast(_S, dataclasses.replace(cast(Any, self), extensions=tuple(extensions)))

    def extension(self, kind: str) -> Extension:
        """The first extension of a kind."""
        for extension in self.extensions or ():
            if _oid(extension.kind) == _oid(kind):
                return extension
        raise KeyError(kind)

    def with_extension(self: _S, kind: str, value: bytes | Extension | None) -> _S:
        """One extension changed in its place, added at the end, or (None) taken out."""
        old = self.extensions or ()
        has = any(_oid(e.kind) == _oid(kind) for e in old)
        if value is None:
            if not has:
                raise KeyError(kind)
            return self._with(e for e in old if _oid(e.kind) != _oid(kind))
        if not has:
            return self._with((*old, value if isinstance(value, Extension) else Extension(kind, value)))
        return self._with(
            (value if isinstance(value, Extension) else dataclasses.replace(e, value=value))
            if _oid(e.kind) == _oid(kind)
            else e
            for e in old
        )

    def with_critical(self: _S, kind: str, critical: bool | bytes | None = True) -> _S:
        """One extension with another critical flag."""
        return self.with_extension(kind, dataclasses.replace(self.extension(kind), critical=critical))

    def with_duplicate(self: _S, kind: str, value: bytes | None = None, *, first: bool = False) -> _S:
        """A second extension of the same kind right behind the first (or before it), with the same value or another."""
        original = self.extension(kind)
        twin = original if value is None else dataclasses.replace(original, value=value)
        out: list[Extension] = []
        for e in self.extensions or ():
            out += ((twin, e) if first else (e, twin)) if e is original else (e,)
        return self._with(out)

    def with_order(self: _S, *kinds: str) -> _S:
        """The extensions in another order: those named first, the rest behind."""
        named = [self.extension(kind) for kind in kinds]
        return self._with((*named, *(e for e in self.extensions or () if e not in named)))


# ---- certificates ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSpec(_Signed):
    """A certificate, before it is signed: all that RFC 5280 4.1 knows, and all that can be wrong with it.

    Numbers and times may be given as raw content. Where inner, outer and actual signature algorithm are not given
    apart, algorithm is all three. Patches are written over the encoding, tbs_patches before it is signed.
    """

    subject: Name
    issuer: Name
    spki: bytes  # whole SubjectPublicKeyInfo
    signer: PrivateKey
    not_before: Time
    not_after: Time
    extensions: tuple[Extension, ...] | None = ()  # None: no [3] at all; (): an empty one
    version: int | bytes | None = 2  # 2 is v3; None: left out, v1
    serial: int | bytes = 0
    algorithm: SignatureAlgorithm = PSS
    inner_algorithm: SignatureAlgorithm | None = None
    outer_algorithm: SignatureAlgorithm | None = None
    signing_algorithm: SignatureAlgorithm | None = None
    issuer_unique_id: bytes | None = None  # content octets of [1]
    subject_unique_id: bytes | None = None  # of [2]
    tbs: bytes | None = None  # the whole TBSCertificate instead
    tbs_patches: Patches = ()
    tbs_trailing: bytes = b""  # behind the extensions, inside
    repeatable: bool = False  # derive the salt: the same bytes in every process, for 50 ms
    signature: bytes | None = None  # instead of signing
    signature_unused_bits: int = 0
    inner_trailing: bytes = b""  # behind the signature, inside the outer SEQUENCE
    trailing: bytes = b""  # behind everything
    patches: Patches = ()
    length_form: der.LengthForm = "minimal"  # of the outer SEQUENCE

    def __post_init__(self) -> None:
        object.__setattr__(self, "tbs_patches", _pairs(self.tbs_patches))
        object.__setattr__(self, "patches", _pairs(self.patches))

    def tbs_der(self) -> bytes:
        """The TBSCertificate."""
        if self.tbs is not None:
            return patch(self.tbs, self.tbs_patches)
        tbs = der.sequence(
            b"" if self.version is None else der.context(0, der.integer(self.version)),
            der.integer(self.serial),
            (self.inner_algorithm or self.algorithm).encode(),
            self.issuer.encode(),
            der.sequence(_encode_time(self.not_before), _encode_time(self.not_after)),
            self.subject.encode(),
            self.spki,
            b"" if self.issuer_unique_id is None else der.context(1, self.issuer_unique_id, constructed=False),
            b"" if self.subject_unique_id is None else der.context(2, self.subject_unique_id, constructed=False),
            _encode_extensions(3, self.extensions),
            self.tbs_trailing,
        )
        return patch(tbs, self.tbs_patches)

    def encode(self) -> bytes:
        """The certificate, signed."""
        return _encode(self)


@dataclass(frozen=True, slots=True)
class Revoked:
    """An entry of a CRL."""

    serial: int | bytes
    date: Time
    extensions: tuple[Extension, ...] = ()

    def encode(self) -> bytes:
        extensions = der.sequence(*(e.encode() for e in self.extensions)) if self.extensions else b""
        return der.sequence(der.integer(self.serial), _encode_time(self.date), extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlSpec(_Signed):
    """A certificate revocation list, before it is signed (RFC 5280 5.1). The fields are those of CertificateSpec."""

    issuer: Name
    signer: PrivateKey
    this_update: Time
    next_update: Time | None
    revoked: tuple[Revoked, ...] | None = (
        None  # None: the list is left out; (): it is there and empty, which DER forbids
    )
    extensions: tuple[Extension, ...] | None = None
    version: int | bytes | None = 1  # 1 is v2; None: left out, v1
    algorithm: SignatureAlgorithm = PSS
    inner_algorithm: SignatureAlgorithm | None = None
    outer_algorithm: SignatureAlgorithm | None = None
    signing_algorithm: SignatureAlgorithm | None = None
    tbs: bytes | None = None
    tbs_patches: Patches = ()
    tbs_trailing: bytes = b""
    repeatable: bool = False
    signature: bytes | None = None
    signature_unused_bits: int = 0
    inner_trailing: bytes = b""
    trailing: bytes = b""
    patches: Patches = ()
    length_form: der.LengthForm = "minimal"

    def __post_init__(self) -> None:
        object.__setattr__(self, "tbs_patches", _pairs(self.tbs_patches))
        object.__setattr__(self, "patches", _pairs(self.patches))

    def tbs_der(self) -> bytes:
        """The TBSCertList."""
        if self.tbs is not None:
            return patch(self.tbs, self.tbs_patches)
        tbs = der.sequence(
            b"" if self.version is None else der.integer(self.version),
            (self.inner_algorithm or self.algorithm).encode(),
            self.issuer.encode(),
            _encode_time(self.this_update),
            b"" if self.next_update is None else _encode_time(self.next_update),
            b"" if self.revoked is None else der.sequence(*(entry.encode() for entry in self.revoked)),
            _encode_extensions(0, self.extensions),
            self.tbs_trailing,
        )
        return patch(tbs, self.tbs_patches)

    def encode(self) -> bytes:
        """The CRL, signed."""
        return _encode(self)


def _encode_extensions(tag: int, extensions: tuple[Extension, ...] | None) -> bytes:
    if extensions is None:
        return b""
    return der.context(tag, der.sequence(*(e.encode() for e in extensions)))


@lru_cache(maxsize=16384)
def _encode(spec: CertificateSpec | CrlSpec) -> bytes:
    tbs = spec.tbs_der()
    whole = der.sequence(
        tbs,
        (spec.outer_algorithm or spec.algorithm).encode(),
        der.bit_string(_signature_of(spec, tbs), unused=spec.signature_unused_bits),
        spec.inner_trailing,
        form=spec.length_form,
    )
    return patch(whole + spec.trailing, spec.patches)


def _signature_of(spec: CertificateSpec | CrlSpec, tbs: bytes) -> bytes:
    if spec.signature is not None:
        return spec.signature
    algorithm = spec.signing_algorithm or spec.outer_algorithm or spec.algorithm
    return _signature(algorithm, spec.signer, tbs, spec.repeatable)


@lru_cache(maxsize=16384)
def _signature(algorithm: SignatureAlgorithm, key: PrivateKey, tbs: bytes, repeatable: bool) -> bytes:
    """Remembered on its own, so that what is changed outside of the signed part leaves the signature as it was."""
    return algorithm.sign(key, tbs, salt=hashlib.shake_256(tbs).digest(algorithm.salt_length) if repeatable else None)


def pem(data: bytes, label: str = "CERTIFICATE") -> bytes:
    """A PEM block (RFC 7468) around any bytes."""
    body = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


_C = TypeVar("_C", bound="Certificate")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and the private key to the public key in it."""

    spec: CertificateSpec
    key: PrivateKey

    @property
    def der(self) -> bytes:
        return self.spec.encode()

    @property
    def pem(self) -> bytes:
        return pem(self.der)

    @property
    def signature(self) -> bytes:
        """The signature value as issued: to mangle, and hand back with replace(signature=...)."""
        return _signature_of(self.spec, self.spec.tbs_der())

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.der).digest()

    @property
    def spki_sha256(self) -> bytes:
        return hashlib.sha256(self.spec.spki).digest()

    def replace(self: _C, **changes: Any) -> _C:
        """The same certificate issued anew with changes: fields of CertificateSpec, or extensions by word."""
        return dataclasses.replace(self, spec=self.spec.replace(**changes))

    def respec(self: _C, spec: CertificateSpec) -> _C:
        """The same key under another specification: vcek.respec(vcek.spec.with_duplicate("hwID"))."""
        return dataclasses.replace(self, spec=spec)


@dataclass(frozen=True, slots=True)
class Crl:
    """A CRL."""

    spec: CrlSpec

    @property
    def der(self) -> bytes:
        return self.spec.encode()

    @property
    def pem(self) -> bytes:
        return pem(self.der, "X509 CRL")

    def replace(self, **changes: Any) -> Crl:
        """The same CRL issued anew with changes: fields of CrlSpec, or extensions by word."""
        return Crl(self.spec.replace(**changes))
