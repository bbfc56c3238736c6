# SPDX-License-Identifier: Apache-2.0
"""A certification authority like AMD's, with every rule of the profile as a knob.

AmdCa("Milan") is a whole chain (ARK, ASK, ASVK) under test keys; it issues VCEKs, VLEKs and CRLs. With no argument
but the product they have AMD's structure byte for byte: names, string types, order of extensions, both encodings of
the PSS parameters, lengths. Whatever a test wants to be wrong is one argument:

    ca = AmdCa("Milan")
    ca.vcek().der                                   # as AMD makes it
    ca.vcek(serial=1)                               # any field of CertificateSpec
    ca.vcek(hwID=None, blSPL=der.integer(300))      # any extension, by AMD's name: new value, or None to leave it out
    ca.vcek().replace(signature=bytes(512))         # the same again, but for one thing
    ca.with_ask(basicConstraints=None).vcek()       # under an ASK that is wrong

Certificates are values: equal arguments give the same certificate, signed once a process. No function looks at the
clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal

from . import der
from .keys import EcKey, ec_key, rsa_key
from .products import LINES, Line, Tcb
from .x509 import (
    PSS_WITH_TRAILER,
    Certificate,
    CertificateSpec,
    Crl,
    CrlSpec,
    Extension,
    PrivateKey,
    Revoked,
    Time,
    amd_name,
    authority_key_identifier,
    basic_constraints,
    distribution_points,
    key_id,
    key_usage,
)

#: An instant at which everything that AmdCa makes by default is valid.
AT: Final = datetime(2025, 6, 20, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Endorsement(Certificate):
    """A VCEK or VLEK, with what a report that fits it has to say."""

    kind: Literal["VCEK", "VLEK"]
    line: Line
    tcb: Tcb
    chip_id: bytes  # 64 bytes, as in a report; zero for a VLEK
    csp_id: str | None

    @property
    def signing_key(self) -> EcKey:
        if not isinstance(self.key, EcKey):
            raise TypeError("this endorsement key is not an EC key")
        return self.key


class AmdCa:
    """The ARK, ASK and ASVK of a product line, under test keys.

    impostor=True gives the same names and numbers under other keys: the chain that a verifier must not trust.
    ark_key, ask_key and asvk_key name other keys; ark, ask and asvk are changes to the three certificates, as in
    with_ark(...).
    """

    def __init__(
        self,
        product: str = "Milan",
        *,
        impostor: bool = False,
        ark_key: PrivateKey | None = None,
        ask_key: PrivateKey | None = None,
        asvk_key: PrivateKey | None = None,
        ark: Mapping[str, Any] | None = None,
        ask: Mapping[str, Any] | None = None,
        asvk: Mapping[str, Any] | None = None,
    ) -> None:
        if product not in LINES:
            raise ValueError(f"no product line {product!r}; there are {', '.join(LINES)}")
        self.line: Final = LINES[product]
        self._arguments: dict[str, Any] = {
            "impostor": impostor, "ark_key": ark_key, "ask_key": ask_key, "asvk_key": asvk_key,
            "ark": dict(ark or {}), "ask": dict(ask or {}), "asvk": dict(asvk or {}),
        }  # fmt: skip
        owner = "impostor" if impostor else product.lower()
        self.ark: Final = _altered(self._issue_ark(ark_key or rsa_key(f"{owner}-ark")), ark)
        self.ask: Final = _altered(self._issue_intermediate("vcek", ask_key or rsa_key(f"{owner}-ask")), ask)
        self.asvk: Final = _altered(self._issue_intermediate("vlek", asvk_key or rsa_key(f"{owner}-asvk")), asvk)

    def __repr__(self) -> str:
        given = {name: value for name, value in self._arguments.items() if value}
        return "".join(["AmdCa(", repr(self.line.name), *(f", {k}={v!r}" for k, v in given.items()), ")"])

    def _issue_ark(self, key: PrivateKey) -> Certificate:
        name = amd_name(f"ARK-{self.line.name}")
        spec = CertificateSpec(
            subject=name,
            issuer=name,
            spki=key.spki,
            signer=key,
            serial=self.line.serial,
            not_before=self.line.ark_from,
            not_after=_years_later(self.line.ark_from, 25),
            algorithm=PSS_WITH_TRAILER,
            repeatable=True,
            extensions=(
                Extension("keyUsage", key_usage(5, 6), critical=True),
                Extension("subjectKeyIdentifier", der.octet_string(key_id(key))),
                Extension("basicConstraints", basic_constraints(), critical=True),
                Extension("cRLDistributionPoints", distribution_points(crl_url(self.line.name))),
            ),
        )
        return Certificate(spec, key)

    def _issue_intermediate(self, kind: str, key: PrivateKey) -> Certificate:
        vlek = kind == "vlek"
        start = self.line.asvk_from if vlek else self.line.ask_from
        spec = CertificateSpec(
            subject=amd_name(f"SEV-VLEK-{self.line.name}" if vlek else f"SEV-{self.line.name}"),
            issuer=self.ark.spec.subject,
            spki=key.spki,
            signer=self.ark.key,
            serial=self.line.serial + 0x101 if vlek else self.line.ask_serial,
            not_before=start,
            not_after=_years_later(start, 25),
            algorithm=PSS_WITH_TRAILER,
            repeatable=True,
            extensions=(
                Extension("subjectKeyIdentifier", der.octet_string(key_id(key))),
                Extension("authorityKeyIdentifier", authority_key_identifier(key_id(self.ark.key))),
                Extension("basicConstraints", basic_constraints(path_length=0), critical=True),
                # AMD leaves one zero bit at the end of the named bit list, which X.690 11.2.2 forbids: 03 02 01 04.
                Extension("keyUsage", key_usage(5, unused=1), critical=True),
                Extension("cRLDistributionPoints", distribution_points(crl_url(self.line.name, kind))),
            ),
        )
        return Certificate(spec, key)

    # what there is

    @property
    def product(self) -> str:
        return self.line.name

    @property
    def ark_der(self) -> bytes:
        return self.ark.der

    @property
    def ask_der(self) -> bytes:
        return self.ask.der

    @property
    def asvk_der(self) -> bytes:
        return self.asvk.der

    @property
    def ark_pem(self) -> bytes:
        return self.ark.pem

    @property
    def ask_pem(self) -> bytes:
        return self.ask.pem

    @property
    def asvk_pem(self) -> bytes:
        return self.asvk.pem

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The trust anchors, as a verifier takes them: the ARK."""
        return (self.ark.der,)

    @property
    def certs(self) -> tuple[bytes, ...]:
        """The intermediates: ASK and ASVK."""
        return (self.ask.der, self.asvk.der)

    def chain_pem(self, kind: Literal["vcek", "vlek"] = "vcek") -> bytes:
        """What KDS serves as cert_chain: ASK (or ASVK), then ARK."""
        return (self.asvk if kind == "vlek" else self.ask).pem + self.ark.pem

    # the same with other CA certificates

    def _changed(self, which: str, changes: Mapping[str, Any]) -> AmdCa:
        merged = {**self._arguments, which: {**self._arguments[which], **changes}}
        return AmdCa(self.line.name, **merged)

    def with_ark(self, **changes: Any) -> AmdCa:
        """The same authority with changes to the ARK; its subject and key go on into what it issues."""
        return self._changed("ark", changes)

    def with_ask(self, **changes: Any) -> AmdCa:
        """The same authority with changes to the ASK."""
        return self._changed("ask", changes)

    def with_asvk(self, **changes: Any) -> AmdCa:
        """The same authority with changes to the ASVK."""
        return self._changed("asvk", changes)

    # what it issues

    def vcek(
        self,
        *,
        chip_id: bytes | None = None,
        tcb: Tcb | None = None,
        product_name: str | None = None,
        struct_version: int | None = None,
        key: PrivateKey | None = None,
        issuer_cert: Certificate | None = None,
        not_before: Time = datetime(2025, 1, 28, 16, 26, 55, tzinfo=timezone.utc),
        **changes: Any,
    ) -> Endorsement:
        """The VCEK of a chip at a TCB, as KDS issues it: seven years, one key per chip and TCB.

        chip_id: the hwID, 64 bytes (8 for Turin). issuer_cert: another certificate than the ASK to name and sign.
        changes: fields of CertificateSpec, or extensions by word.
        """
        chip_id = default_chip_id(self.line.name) if chip_id is None else chip_id
        tcb = self.line.tcb if tcb is None else tcb
        spec = self._leaf(
            "SEV-VCEK",
            issuer_cert or self.ask,
            key or ec_key(f"vcek {self.line.name} {chip_id.hex()} {tcb}"),
            (
                *_spl_extensions(self.line, tcb, product_name or self.line.vcek_name, struct_version),
                Extension("hwID", chip_id),
            ),
            not_before,
            7,
        )
        return _endorse(spec, "VCEK", self.line, tcb, chip_id.ljust(64, b"\0"), None, changes)

    def vlek(
        self,
        *,
        csp_id: str = "CN=cc-test-1.example.com",
        tcb: Tcb | None = None,
        product_name: str | None = None,
        struct_version: int | None = None,
        key: PrivateKey | None = None,
        issuer_cert: Certificate | None = None,
        not_before: Time = datetime(2025, 1, 28, 16, 26, 55, tzinfo=timezone.utc),
        **changes: Any,
    ) -> Endorsement:
        """The VLEK of a cloud provider at a TCB: one year, by the ASVK. The arguments are those of vcek()."""
        tcb = self.line.tcb if tcb is None else tcb
        spec = self._leaf(
            "SEV-VLEK",
            issuer_cert or self.asvk,
            key or ec_key(f"vlek {self.line.name} {csp_id} {tcb}"),
            (
                *_spl_extensions(self.line, tcb, product_name or self.line.name, struct_version),
                Extension("csp_id", der.text(der.IA5_STRING, csp_id)),
            ),
            not_before,
            1,
        )
        return _endorse(spec, "VLEK", self.line, tcb, bytes(64), csp_id, changes)

    def _leaf(
        self,
        common_name: str,
        issuer: Certificate,
        key: PrivateKey,
        extensions: tuple[Extension, ...],
        not_before: Time,
        years: int,
    ) -> tuple[CertificateSpec, PrivateKey]:
        end = _years_later(not_before, years) if isinstance(not_before, datetime) else _years_later(AT, years)
        spec = CertificateSpec(
            subject=amd_name(common_name),
            issuer=issuer.spec.subject,
            spki=key.spki,
            signer=issuer.key,
            not_before=not_before,
            not_after=end,
            extensions=extensions,
        )
        return spec, key

    def crl(
        self,
        revoked_serials: Iterable[int | bytes | Revoked] = (),
        *,
        this_update: Time = datetime(2025, 6, 2, 17, 7, 45, tzinfo=timezone.utc),
        next_update: Time | None = datetime(2026, 6, 2, 23, 0, 0, tzinfo=timezone.utc),
        signer: PrivateKey | None = None,
        number: int = 3,
        **changes: Any,
    ) -> Crl:
        """The line's CRL, by the ARK. revoked_serials: serial numbers (revoked at this_update), or whole entries."""
        entries = tuple(
            entry if isinstance(entry, Revoked) else Revoked(entry, this_update) for entry in revoked_serials
        )
        spec = CrlSpec(
            issuer=self.ark.spec.subject,
            signer=signer or self.ark.key,
            this_update=this_update,
            next_update=next_update,
            revoked=entries or None,
            extensions=(
                Extension("authorityKeyIdentifier", authority_key_identifier(key_id(self.ark.key))),
                Extension("cRLNumber", der.integer(number)),
            ),
        )
        return Crl(spec.replace(**changes))


def crl_url(line: str, kind: str = "vcek") -> str:
    return f"https://kdsintf.amd.com/{kind}/v1/{line}/crl"


def _years_later(at: datetime, years: int) -> datetime:
    return at.replace(year=at.year + years)


def _altered(certificate: Certificate, changes: Mapping[str, Any] | None) -> Certificate:
    """A CA certificate with changes. Only the unchanged ones, which stand in for AMD's, are the same in every
    process."""
    return certificate.replace(**{"repeatable": False, **changes}) if changes else certificate


def default_chip_id(line: str) -> bytes:
    """The chip that vcek() is for unless told otherwise."""
    return hashlib.sha512(f"the test chip of {line}".encode()).digest()[: LINES[line].chip_id_len]


# The order in which AMD writes the security patch levels: fmcSPL first where there is one, snpSPL behind spl7 where
# spl4 is a spare.
_SPL_ORDER: Final = {
    "Milan": ("blSPL", "teeSPL", "spl4", "spl5", "spl6", "spl7", "snpSPL", "ucodeSPL"),
    "Turin": ("fmcSPL", "blSPL", "teeSPL", "snpSPL", "spl5", "spl6", "spl7", "ucodeSPL"),
    "Venice": ("fmcSPL", "blSPL", "teeSPL", "snpSPL", "spl5", "spl6", "spl7", "ucodeSPL"),
}
_SPL_PARTS: Final = {
    "fmcSPL": "fmc", "blSPL": "boot_loader", "teeSPL": "tee", "snpSPL": "snp", "ucodeSPL": "microcode",
}  # fmt: skip


def _spl_extensions(line: Line, tcb: Tcb, product_name: str, struct_version: int | None) -> tuple[Extension, ...]:
    version = line.struct_version if struct_version is None else struct_version
    return (
        Extension("structVersion", der.integer(version)),
        Extension("productName", der.text(der.IA5_STRING, product_name)),
        *(
            Extension(word, der.integer(getattr(tcb, _SPL_PARTS[word]) if word in _SPL_PARTS else 0))
            for word in _SPL_ORDER[line.layout]
        ),
    )


def _endorse(
    issued: tuple[CertificateSpec, PrivateKey],
    kind: Literal["VCEK", "VLEK"],
    line: Line,
    tcb: Tcb,
    chip_id: bytes,
    csp_id: str | None,
    changes: Mapping[str, Any],
) -> Endorsement:
    spec, key = issued
    return Endorsement(spec.replace(**changes), key, kind, line, tcb, chip_id, csp_id)
