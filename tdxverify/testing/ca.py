# SPDX-License-Identifier: Apache-2.0
"""A certification authority like Intel's, with every rule of its profile as a knob.

IntelCa() is a whole chain (root, PCK Platform CA, PCK Processor CA, TCB signer) under test keys; it issues PCK
certificates, CRLs, signed JSON, quotes, and the collateral that they need. With no argument everything has Intel's
structure byte for byte and is valid at AT. Whatever a test wants to be wrong is one argument:

    ca = IntelCa()
    quote = ca.quote(version=5)                     # TD 1.5; its bytes are quote.bytes
    collateral = ca.collateral(quote)               # collateral.json() and other forms
    ca.collateral(quote, status="OutOfDate")        # what the platform's TCB level says
    ca.pck(serial=1)                                # any field of CertificateSpec
    ca.pck(cRLDistributionPoints=None)              # any extension by its word: new value, or None to leave it out
    ca.pck(fmspc=bytes(6))                          # any value of the SGX extension; sgx= for the rest
    ca.quote(pck=ca.pck(ca="processor"))            # quotes by a platform of its own
    ca.with_platform(basicConstraints=None)         # the same authority with a CA certificate that is wrong

Certificates, quotes and documents are values; equal arguments give equal bytes. No function looks at the clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal, TypeAlias

from . import der
from .collateral import Collateral
from .documents import (
    Document,
    EnclaveIdentity,
    SignedDocument,
    TcbEvaluationDataNumbers,
    TcbInfo,
    fitting_identity,
    fitting_tcb_info,
    sign_document,
)
from .keys import EcKey, ec_key
from .pck import SGX_FIELDS, CaName, PckCertificate, SgxExtension, default_key_word, filler
from .quotes import TEE_SGX, TEE_TDX, Body, EnclaveReport, Header, Quote, TdReport
from .x509 import (
    ECDSA,
    Certificate,
    CertificateSpec,
    Crl,
    CrlSpec,
    Extension,
    Revoked,
    Time,
    authority_key_identifier,
    basic_constraints,
    distribution_points,
    intel_name,
    key_id,
    key_usage,
)

#: An instant at which everything that IntelCa makes by default is valid.
AT: Final = datetime(2025, 6, 20, tzinfo=timezone.utc)

Serial: TypeAlias = int | bytes | Certificate | Revoked

ROOT_CRL_URL: Final = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
CAS: Final[dict[str, str]] = {"platform": "Intel SGX PCK Platform CA", "processor": "Intel SGX PCK Processor CA"}


def _utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


class IntelCa:
    """Intel's root, its two PCK CAs and its TCB signer, under test keys.

    impostor=True gives the same names under other keys: the chain that a verifier must not trust. root_key,
    platform_key, processor_key and tcb_signing_key name other keys; root, platform, processor and tcb_signing are changes
    to the four certificates, as in with_root(...). Subjects, keys and key identifiers go on into what is issued.
    """

    def __init__(
        self,
        *,
        impostor: bool = False,
        root_key: EcKey | None = None,
        platform_key: EcKey | None = None,
        processor_key: EcKey | None = None,
        tcb_signing_key: EcKey | None = None,
        root: Mapping[str, Any] | None = None,
        platform: Mapping[str, Any] | None = None,
        processor: Mapping[str, Any] | None = None,
        tcb_signing: Mapping[str, Any] | None = None,
    ) -> None:
        self._arguments: dict[str, Any] = {
            "impostor": impostor, "root_key": root_key, "platform_key": platform_key, "processor_key": processor_key,
            "tcb_signing_key": tcb_signing_key, "root": dict(root or {}), "platform": dict(platform or {}),
            "processor": dict(processor or {}), "tcb_signing": dict(tcb_signing or {}),
        }  # fmt: skip

        def key(role: str) -> EcKey:
            given = self._arguments[f"{role}_key"]
            return given if isinstance(given, EcKey) else ec_key(f"{'impostor ' if impostor else ''}{role}")

        self.impostor: Final = impostor
        self.root: Final = self._issue_root(key("root")).replace(**(root or {}))
        self.platform: Final = self._issue_ca("platform", key("platform")).replace(**(platform or {}))
        self.processor: Final = self._issue_ca("processor", key("processor")).replace(**(processor or {}))
        self.tcb_signing: Final = self._issue_tcb_signing(key("tcb_signing")).replace(**(tcb_signing or {}))

    def __repr__(self) -> str:
        given = (f"{name}={value!r}" for name, value in self._arguments.items() if value)
        return f"IntelCa({', '.join(given)})"

    def _issue_root(self, key: EcKey) -> Certificate:
        name = intel_name("Intel SGX Root CA")
        spec = CertificateSpec(
            subject=name,
            issuer=name,
            spki=key.spki,
            signer=key,
            serial=int.from_bytes(key_id(key), "big"),
            not_before=_utc(2018, 5, 21, 10, 45, 10),
            not_after=_utc(2049, 12, 31, 23, 59, 59),
            algorithm=ECDSA,
            extensions=_extensions(key_id(key), key_id(key), ROOT_CRL_URL, key_usage(5, 6), basic_constraints(True, 1)),
        )
        return Certificate(spec, key)

    def _issue_ca(self, which: str, key: EcKey) -> Certificate:
        spec = CertificateSpec(
            subject=intel_name(CAS[which]),
            issuer=self.root.spec.subject,
            spki=key.spki,
            signer=self.root.key,
            serial=int.from_bytes(key_id(key), "big"),
            not_before=_utc(2018, 5, 21, 10, 50, 10),
            not_after=_utc(2033, 5, 21, 10, 50, 10),
            algorithm=ECDSA,
            extensions=_extensions(
                _identifier(self.root), key_id(key), ROOT_CRL_URL, key_usage(5, 6), basic_constraints(True, 0)
            ),
        )
        return Certificate(spec, key)

    def _issue_tcb_signing(self, key: EcKey) -> Certificate:
        spec = CertificateSpec(
            subject=intel_name("Intel SGX TCB Signing"),
            issuer=self.root.spec.subject,
            spki=key.spki,
            signer=self.root.key,
            serial=int.from_bytes(key_id(key), "big"),
            not_before=_utc(2025, 5, 6, 9, 25),
            not_after=_utc(2032, 5, 6, 9, 25),
            algorithm=ECDSA,
            extensions=_extensions(
                _identifier(self.root), key_id(key), ROOT_CRL_URL, key_usage(0, 1), basic_constraints(None)
            ),
        )
        return Certificate(spec, key)

    # what there is

    @property
    def root_der(self) -> bytes:
        return self.root.der

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The trust anchors, as a verifier takes them."""
        return (self.root.der,)

    def pck_ca(self, ca: CaName = "platform") -> Certificate:
        """One of the two PCK CAs."""
        return self.platform if ca == "platform" else self.processor

    def pck_chain(self, pck: PckCertificate) -> tuple[Certificate, ...]:
        """A PCK certificate, its CA, the root."""
        return (pck, self.pck_ca(pck.ca), self.root)

    @property
    def tcb_chain(self) -> tuple[Certificate, ...]:
        """The TCB signer and the root."""
        return (self.tcb_signing, self.root)

    # the same with other CA certificates

    def _changed(self, which: str, changes: Mapping[str, Any]) -> IntelCa:
        merged = {**self._arguments, which: {**self._arguments[which], **changes}}
        return IntelCa(**merged)

    def with_root(self, **changes: Any) -> IntelCa:
        """The same authority with changes to the root: fields of CertificateSpec, or extensions by word."""
        return self._changed("root", changes)

    def with_platform(self, **changes: Any) -> IntelCa:
        """The same authority with changes to the PCK Platform CA."""
        return self._changed("platform", changes)

    def with_processor(self, **changes: Any) -> IntelCa:
        """The same authority with changes to the PCK Processor CA."""
        return self._changed("processor", changes)

    def with_tcb_signing(self, **changes: Any) -> IntelCa:
        """The same authority with changes to the TCB signing certificate."""
        return self._changed("tcb_signing", changes)

    # certificates and CRLs

    def pck(
        self,
        ca: CaName = "platform",
        *,
        sgx: SgxExtension | None = None,
        key: EcKey | None = None,
        issuer_cert: Certificate | None = None,
        api: Literal["v3", "v4"] = "v4",
        not_before: Time = datetime(2024, 7, 2, 12, 7, 37, tzinfo=timezone.utc),
        **changes: Any,
    ) -> PckCertificate:
        """The PCK certificate of a platform at a TCB: seven years, one key per platform and TCB.

        sgx: the whole SGX extension, right or wrong; its values may also be given by name (fmspc=..., pce_svn=...).
        issuer_cert: another certificate than the CA's to name and sign. api: of the CRL's address. changes: fields of
        CertificateSpec, or extensions by word.
        """
        values = {name: changes.pop(name) for name in tuple(changes) if name in SGX_FIELDS}
        if sgx is None:
            sgx = SgxExtension() if ca == "platform" else SgxExtension.processor()
        sgx = sgx.replace(**values)
        issuer = issuer_cert or self.pck_ca(ca)
        owner = "impostor " if self.impostor else ""
        key = key or ec_key(owner + default_key_word(ca, sgx))
        start = not_before if isinstance(not_before, datetime) else AT
        url = f"https://api.trustedservices.intel.com/sgx/certification/{api}/pckcrl?ca={ca}&encoding=der"
        spec = CertificateSpec(
            subject=intel_name("Intel SGX PCK Certificate"),
            issuer=issuer.spec.subject,
            spki=key.spki,
            signer=issuer.key,
            serial=_leaf_serial(key),
            not_before=not_before,
            not_after=start.replace(year=start.year + 7),
            algorithm=ECDSA,
            extensions=(
                *_extensions(_identifier(issuer), key_id(key), url, key_usage(0, 1), basic_constraints(None)),
                Extension("sgxExtensions", sgx.encode()),
            ),
        )
        return PckCertificate(spec.replace(**changes), key, sgx, ca)

    def root_crl(
        self,
        revoked: Iterable[Serial] = (),
        *,
        this_update: Time = datetime(2025, 3, 20, 11, 21, 57, tzinfo=timezone.utc),
        next_update: Time | None = datetime(2026, 4, 3, 11, 21, 57, tzinfo=timezone.utc),
        **changes: Any,
    ) -> Crl:
        """The root's CRL. revoked: certificates, serial numbers (both for keyCompromise, at this_update), or whole
        entries. changes: issuer_cert, signer, number, reason, and the fields of CrlSpec, or extensions by word."""
        return self._crl(self.root, revoked, this_update, next_update, changes)

    def pck_crl(
        self,
        revoked: Iterable[Serial] = (),
        *,
        ca: CaName = "platform",
        this_update: Time = datetime(2025, 6, 10, 17, 7, 45, tzinfo=timezone.utc),
        next_update: Time | None = datetime(2025, 7, 10, 17, 7, 45, tzinfo=timezone.utc),
        **changes: Any,
    ) -> Crl:
        """The CRL of a PCK CA. The arguments are those of root_crl()."""
        return self._crl(self.pck_ca(ca), revoked, this_update, next_update, changes)

    def _crl(
        self,
        issuer: Certificate,
        revoked: Iterable[Serial],
        this_update: Time,
        next_update: Time | None,
        changes: dict[str, Any],
    ) -> Crl:
        issuer = changes.pop("issuer_cert", issuer)
        number, reason = changes.pop("number", 1), changes.pop("reason", 1)
        spec = CrlSpec(
            issuer=issuer.spec.subject,
            signer=changes.pop("signer", issuer.key),
            this_update=this_update,
            next_update=next_update,
            revoked=tuple(_entry(item, this_update, reason) for item in revoked) or None,
            algorithm=ECDSA,
            extensions=(
                Extension("cRLNumber", der.integer(number)),
                Extension("authorityKeyIdentifier", authority_key_identifier(_identifier(issuer))),
            ),
        )
        return Crl(spec.replace(**changes))

    # signed JSON

    def tcb_info(self, quote: Quote, *, at: datetime = AT, **changes: Any) -> TcbInfo:
        """The TCB info that fits a quote, with which its platform and module are up to date. changes: status,
        advisories, module_status, module_advisories, and the fields of TcbInfo."""
        return fitting_tcb_info(quote, at=at, **changes)

    def qe_identity(self, quote: Quote, *, at: datetime = AT, **changes: Any) -> EnclaveIdentity:
        """The identity of a quote's quoting enclave, with which it is up to date. changes: status, advisories, id,
        isv_svn, and the fields of EnclaveIdentity."""
        return fitting_identity(quote, at=at, **changes)

    def evaluation_numbers(self, *, at: datetime = AT, **changes: Any) -> TcbEvaluationDataNumbers:
        own = {"issue_date": at - timedelta(days=10), "next_update": at + timedelta(days=20)}
        return TcbEvaluationDataNumbers(**{**own, **changes})

    def sign(
        self,
        document: Document | str,
        *,
        signer: EcKey | None = None,
        chain: tuple[Certificate, ...] | None = None,
        **options: Any,
    ) -> SignedDocument:
        """A document, or any text, signed by the TCB signer over its very bytes. options: spaced, signed (bytes signed
        instead), signature, member."""
        key = signer or self.tcb_signing.key
        if not isinstance(key, EcKey):
            raise TypeError("the TCB signer has no EC key")
        return sign_document(document, key, self.tcb_chain if chain is None else chain, **options)

    # quotes and collateral

    def quote(
        self,
        version: int = 4,
        body_type: int | None = None,
        *,
        pck: PckCertificate | None = None,
        ca: CaName = "platform",
        chain: Sequence[Certificate] | None = None,
        **changes: Any,
    ) -> Quote:
        """A quote of a version: 3 of an SGX enclave, 4 of a TD 1.0, 5 of a TD 1.5, unless body_type says otherwise
        (1 SGX, 2 TD 1.0, 3 TD 1.5, 4 TD 1.5 with service TDs).

        pck: the platform that makes it; by default that of ca. chain: what certification data 5 holds. changes: fields
        of Quote, of its header, its body, or (qe_...) its QE report. Of version 5, body_type is the body that is made,
        and Quote.replace(body_type=...) what the quote says.
        """
        pck = self.pck(ca) if pck is None else pck
        if body_type is None:
            body_type = {3: 1, 4: 2}.get(version, 3)
        tee = TEE_SGX if body_type == 1 else TEE_TDX
        body: Body = TdReport(body_type=body_type)
        cpu_svn = bytes(svn & 0xFF for svn in pck.sgx.components[:16]).ljust(16, b"\0")
        if body_type == 1:
            body = EnclaveReport(cpu_svn=cpu_svn, report_data=filler("report data", 64))
        header = Header(version=version, tee_type=tee)
        if version == 3:
            header = header.replace(qe_svn=8, pce_svn=pck.sgx.pce_svn)
        quote = Quote(
            pck=pck,
            chain=self.pck_chain(pck) if chain is None else tuple(chain),
            header=header,
            body=body,
            qe_report=EnclaveReport.quoting(tee, cpu_svn=cpu_svn),
        )
        return quote.replace(**changes)

    def collateral(
        self,
        quote: Quote,
        *,
        at: datetime = AT,
        status: str = "UpToDate",
        advisories: Sequence[str] = (),
        module_status: str = "UpToDate",
        module_advisories: Sequence[str] = (),
        qe_status: str = "UpToDate",
        qe_advisories: Sequence[str] = (),
        tcb_info: TcbInfo | SignedDocument | None = None,
        qe_identity: EnclaveIdentity | SignedDocument | None = None,
        revoked: Iterable[Serial] = (),
        root_revoked: Iterable[Serial] = (),
        **changes: Any,
    ) -> Collateral:
        """The collateral that a quote needs, valid at that time; with the PCK chain where the quote has it not.

        status, module_status, qe_status: what the levels that the quote meets say; with their advisories. tcb_info,
        qe_identity: other documents, signed here unless they are. revoked, root_revoked: on the PCK CA's and on the
        root's CRL. changes: fields of Collateral, CRLs also as Crl.
        """
        ca = quote.pck.ca
        if tcb_info is None:
            tcb_info = self.tcb_info(
                quote,
                at=at,
                status=status,
                advisories=advisories,
                module_status=module_status,
                module_advisories=module_advisories,
            )
        if qe_identity is None:
            qe_identity = self.qe_identity(quote, at=at, status=qe_status, advisories=qe_advisories)
        info = tcb_info if isinstance(tcb_info, SignedDocument) else self.sign(tcb_info)
        identity = qe_identity if isinstance(qe_identity, SignedDocument) else self.sign(qe_identity)
        month = timedelta(days=30)
        made = Collateral(
            pck=quote.pck,
            pck_crl_issuer_chain=(self.pck_ca(ca).pem + self.root.pem).decode(),
            root_ca_crl=self.root_crl(root_revoked, this_update=at - 3 * month, next_update=at + 9 * month).der,
            pck_crl=self.pck_crl(revoked, ca=ca, this_update=at - month / 3, next_update=at + 2 * month / 3).der,
            tcb_info=info,
            qe_identity=identity,
            tcb_info_issuer_chain=info.chain_pem,
            qe_identity_issuer_chain=identity.chain_pem,
            pck_certificate_chain=None if quote.cert_type == 5 else quote.chain_pem.decode(),
            tee_type=quote.tee_type,
        )
        return made.replace(**changes)


def _extensions(issuer_id: bytes, own_id: bytes, url: str, usage: bytes, constraints: bytes) -> tuple[Extension, ...]:
    """What every certificate of Intel's has, in its order."""
    return (
        Extension("authorityKeyIdentifier", authority_key_identifier(issuer_id)),
        Extension("cRLDistributionPoints", distribution_points(url)),
        Extension("subjectKeyIdentifier", der.octet_string(own_id)),
        Extension("keyUsage", usage, critical=True),
        Extension("basicConstraints", constraints, critical=True),
    )


def _identifier(issuer: Certificate) -> bytes:
    """The subjectKeyIdentifier of an issuer, or where it has none that can be read, that of its key."""
    try:
        return der.read(issuer.spec.extension("subjectKeyIdentifier").value).content
    except (KeyError, ValueError):
        return key_id(issuer.key)


def _leaf_serial(key: EcKey) -> int:
    """Twenty octets, as Intel's leaves have them, another for every key."""
    digest = bytearray(hashlib.shake_256(b"serial" + key.spki).digest(20))
    digest[0] = digest[0] & 0x7F | 0x40
    return int.from_bytes(digest, "big")


def _entry(item: Serial, date: Time, reason: int | None) -> Revoked:
    if isinstance(item, Revoked):
        return item
    serial = item.spec.serial if isinstance(item, Certificate) else item
    extensions = () if reason is None else (Extension("reasonCode", der.enumerated(reason)),)
    return Revoked(serial, date, extensions)


__all__ = ["AT", "CAS", "IntelCa"]
