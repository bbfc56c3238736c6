# SPDX-License-Identifier: Apache-2.0
"""Evidence for every code that an SEV-SNP verdict can carry: validly signed wherever that is possible, and wrong in one thing.

One table, for every entry point and every engine, and under `python -O` too: run as a program, this file judges all of it
and prints one JSON object of names and codes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from snp_world import NOW, Case, authority, case_of, certs_of, endorsement, good

from snpverify import Policy, Verdict, Verifier
from snpverify.policy import GuestPolicyRules, PlatformInfoRules
from snpverify.testing import (
    AT,
    AmdCa,
    RawTime,
    ReportFields,
    SignatureAlgorithm,
    Tcb,
    amd_name,
    der,
    ec_key,
    id_key_digest,
    pem,
    rsa_key,
)
from snpverify.testing.x509 import basic_constraints

KEY = b"\x01" * 32


@dataclass(frozen=True)
class Vector:
    """make() gives the case; failed is every check that fails with its code, the one under test first by `code`."""

    code: str
    category: str
    check: str
    field: str
    offset: int | None
    make: Callable[[], Case]
    along: tuple[tuple[str, str], ...] = ()  # other checks that cannot but fail with it, with their codes
    at: int | None = NOW  # None: a row without a time
    missing: bool = False  # a row without evidence
    as_cell: bool = False  # the certificates as one cell of a column

    @property
    def codes(self) -> frozenset[str]:
        return frozenset({self.code, *(code for _, code in self.along)})

    def verdict(self, engine: str | None = None) -> Verdict:
        """By the one entry point that takes everything: a batch of one."""
        case = self.make()
        verifier: Verifier = case.verifier(engine)
        certs: Any = (b"".join(map(pem, case.certs)),) if self.as_cell else case.certs
        report = None if self.missing else case.report
        at = None if self.at is None else case.at
        return verifier.verify_batch([report], certs=[certs], certs_index=[0], at=[at])[0]

    @property
    def scalar(self) -> bool:
        """Whether verify() takes it."""
        return self.at is not None and not self.missing and not self.as_cell


def _ca(**changes: Any) -> Callable[[], Case]:
    """An ASK with other fields."""

    def make() -> Case:
        ca = authority().with_ask(**changes)
        return case_of(ca, ca.vcek())

    return make


def _leaf(**changes: Any) -> Callable[[], Case]:
    """A VCEK with other fields; the report is of the genuine one."""
    return lambda: case_of(authority(), authority().vcek()).but(
        certs=certs_of(authority(), authority().vcek(**changes))
    )


def _crl(serials: tuple[int, ...] = (), **changes: Any) -> Callable[[], Case]:
    return lambda: good().but(crls=(authority().crl(serials, **changes).der,))


def _asking(**policy: Any) -> Callable[[], Case]:
    return lambda: good(version=5).asking(**policy)


def _guest(policy: int, **rules: Any) -> Callable[[], Case]:
    return lambda: good(policy=policy).but(policy=Policy(guest_policy=GuestPolicyRules(**rules)))


def _forger() -> Case:
    forger = authority(impostor=True)
    case = case_of(forger, forger.vcek()).but(roots=authority().roots)
    return case.but(certs=(*case.certs, forger.ark_der))


def _newer_current() -> Case:
    tcb = authority().line.tcb
    return good(
        version=5, current_tcb=Tcb(boot_loader=tcb.boot_loader, snp=tcb.snp + 1, microcode=tcb.microcode)
    ).asking(allow_provisional=False)


def _sixteen_more() -> Case:
    others = [authority().vcek(chip_id=bytes([i]) * 64, signature=bytes(512)).der for i in range(1, 17)]
    case = good()
    return case.but(certs=(*case.certs, *others))


def _version(number: int) -> Callable[[], Case]:
    return lambda: good(sign={"patches": {0: number.to_bytes(4, "little")}})


LONG_AGO = datetime(2024, 1, 1, tzinfo=timezone.utc)

_TABLE: list[Vector] = [
    # input
    Vector("evidence-missing", "parse", "report-length", "ATTESTATION_REPORT", 0, good, missing=True),
    Vector("report-length-invalid", "parse", "report-length", "ATTESTATION_REPORT", 1183, lambda: good().but(report=good().report[:-1])),
    Vector("report-version-unsupported", "unsupported", "report-version", "VERSION", 0, _version(7)),
    Vector("signature-algorithm-unsupported", "unsupported", "report-algorithm", "SIGNATURE_ALGO", 0x34, lambda: good(signature_algo=2)),
    Vector("report-unsigned", "signature", "report-signing-key", "KEY_INFO", 0x48, lambda: good(signing_key=7)),
    Vector("signing-key-unsupported", "unsupported", "report-signing-key", "KEY_INFO", 0x48, lambda: good(signing_key=3)),
    Vector("chip-key-masked", "signature", "report-signing-key", "KEY_INFO", 0x48, lambda: good(mask_chip_key=1)),
    Vector("reserved-not-zero", "parse", "report-reserved", "RESERVED_18B", 0x18C, lambda: good(sign={"patches": {0x18C: b"\x01"}})),
    Vector(
        "product-unsupported", "unsupported", "report-product", "CPUID_FAM_ID", 0x188, lambda: good(cpuid_fam_id=0x17),
        along=(("product", "product-mismatch"),),
    ),
    Vector("tcb-reserved-not-zero", "parse", "report-tcb-layout", "LAUNCH_TCB", 0x1F3, lambda: good(sign={"patches": {0x1F3: b"\x01"}})),
    Vector("evaluation-time-missing", "time", "evaluation-time", "evaluation time", 0, good, at=None),
    # certificates
    Vector("certificate-missing", "collateral", "certificate", "leaf", 0, lambda: good().but(certs=())),
    Vector("collateral-missing", "collateral", "crl", "CRL", 0, _asking(require_crl=True)),
    Vector("certificate-set-too-large", "limit", "certificate", "certificate set", None, _sixteen_more, as_cell=True),
    Vector("certificate-set-malformed", "parse", "certificate", "certificate table", 0, lambda: good().but(certs=(b"?",))),
    Vector(
        "certificate-malformed", "cert-profile", "certificate", "tbsCertificate", 2,
        lambda: good().but(certs=(b"\x30\x03\x02\x01\x05",)),
    ),
    Vector("certificate-version-invalid", "cert-profile", "issuer-profile", "version", None, _ca(version=1)),
    Vector("certificate-serial-invalid", "cert-profile", "leaf-profile", "serialNumber", None, _leaf(serial=-5)),
    Vector(
        "certificate-algorithm-unsupported", "cert-profile", "leaf-profile", "tbsCertificate.signature", None,
        _leaf(algorithm=SignatureAlgorithm(hash="sha256", salt_length=32), signing_algorithm=SignatureAlgorithm()),
    ),
    Vector("certificate-name-invalid", "cert-profile", "leaf-profile", "subject name", None, _leaf(subject=amd_name("SEV-VCEK "))),
    Vector("certificate-key-invalid", "cert-profile", "leaf-profile", "subjectPublicKeyInfo", None, _leaf(spki=ec_key("x", "P-256").spki)),
    Vector(
        "certificate-time-malformed", "cert-profile", "leaf-profile", "notBefore", None,
        _leaf(not_before=RawTime(der.GENERALIZED_TIME, "20250101000000Z")),
        along=(("leaf-validity", "certificate-expired"),),  # dates that cannot be read are none
    ),
    Vector("certificate-extension-invalid", "cert-profile", "leaf-profile", "spl5", None, _leaf(spl5=der.integer(1))),
    Vector("certificate-extension-missing", "cert-profile", "leaf-profile", "spl6", None, _leaf(spl6=None)),
    Vector(
        "certificate-constraints-invalid", "cert-profile", "issuer-profile", "basicConstraints", None,
        _ca(basicConstraints=basic_constraints(None)),
    ),
    Vector("root-untrusted", "chain", "root", "root", 0, _forger, along=(("issuer-signature", "issuer-signature-invalid"),)),
    Vector(
        "chain-name-mismatch", "chain", "chain-names", "leaf", 0,
        lambda: case_of(authority(), authority().vcek(issuer_cert=authority().asvk)),
    ),
    Vector(
        "chain-key-reused", "chain", "chain-names", "issuer", 0,
        lambda: case_of(ca := AmdCa("Milan", ask_key=rsa_key("milan-ark")), ca.vcek()),
    ),
    Vector("leaf-signature-invalid", "signature", "leaf-signature", "leaf", 0, _leaf(signature=b"\x01" * 512)),
    Vector("issuer-signature-invalid", "signature", "issuer-signature", "issuer", 0, _ca(signature=b"\x01" * 512)),
    Vector("certificate-expired", "time", "leaf-validity", "leaf", 0, _leaf(not_after=AT - timedelta(seconds=1))),
    Vector("certificate-not-yet-valid", "time", "leaf-validity", "leaf", 0, _leaf(not_before=AT + timedelta(seconds=1))),
    Vector("crl-malformed", "crl", "crl", "version", None, _crl(version=2)),
    Vector("crl-signature-invalid", "crl", "crl", "signatureValue", None, _crl(signer=rsa_key("spare-4096"))),
    Vector("crl-expired", "time", "crl", "nextUpdate", None, _crl(next_update=AT - timedelta(seconds=1))),
    Vector("crl-not-yet-valid", "time", "crl", "thisUpdate", None, _crl(this_update=AT + timedelta(seconds=1))),
    Vector("certificate-revoked", "revoked", "revocation", "issuer", 0, _crl((0x10001,))),
    Vector("crl-too-large", "limit", "crl", "CRL", 0, lambda: good().but(crls=(b"\x30" + bytes(4 << 20),))),
    # binding
    Vector("signer-kind-mismatch", "binding", "signer-kind", "KEY_INFO", 0x48, lambda: good(signing_key=1)),
    Vector("product-mismatch", "binding", "product", "CPUID_FAM_ID", 0x188, lambda: good(product="Genoa", reported_tcb=endorsement().tcb)),
    Vector(
        "chip-id-mismatch", "binding", "chip-id", "CHIP_ID", 0x1A0,
        lambda: good(chip_id=bytes([endorsement().chip_id[0] ^ 1]) + endorsement().chip_id[1:]),
    ),
    Vector(
        "reported-tcb-mismatch", "binding", "reported-tcb", "REPORTED_TCB", 0x180,
        lambda: good(reported_tcb=Tcb(), current_tcb=endorsement().tcb),
    ),
    Vector("tcb-order-invalid", "tcb", "tcb-order", "COMMITTED_TCB", 0x1E0, lambda: good(committed_tcb=Tcb(tee=1))),
    # signature
    Vector("report-signature-malformed", "signature", "report-signature", "SIGNATURE.S", 0x2E8, lambda: good(sign={"s": 0})),
    Vector("report-signature-invalid", "signature", "report-signature", "SIGNATURE", 0x2A0, lambda: good(sign={"swap": True})),
    # policy
    Vector("report-host-requested", "policy", "vmpl", "VMPL", 0x30, lambda: good(vmpl=2**32 - 1)),
    Vector("vmpl-refused", "policy", "vmpl", "VMPL", 0x30, lambda: good(vmpl=4)),
    Vector("debug-allowed", "policy", "guest-policy-debug", "POLICY", 0x0A, lambda: good(policy=0xB0000)),
    Vector("migration-allowed", "policy", "guest-policy-migration", "POLICY", 0x0A, lambda: good(policy=0x70000)),
    Vector("guest-policy-reserved", "policy", "guest-policy-reserved", "POLICY", 0x0B, lambda: good(policy=0x30000 | 1 << 26)),
    Vector("guest-policy-refused", "policy", "guest-policy-bits", "POLICY", 0x0A, _guest(0x30000, single_socket="required")),
    Vector("guest-abi-too-low", "policy", "guest-abi", "POLICY", 0x08, _guest(0x3001F, min_abi="1.0")),
    Vector(
        "platform-info-refused", "policy", "platform-info", "PLATFORM_INFO", 0x40,
        lambda: good(platform_info=1).but(policy=Policy(platform_info=PlatformInfoRules(smt_en="forbidden"))),
    ),
    Vector("report-version-too-low", "policy", "report-version-floor", "VERSION", 0, lambda: good(version=3).asking(min_report_version=4)),
    Vector("guest-svn-too-low", "policy", "guest-svn", "GUEST_SVN", 4, _asking(min_guest_svn=1)),
    Vector("product-refused", "policy", "product-allowed", "CPUID_FAM_ID", 0x188, _asking(products=["turin"])),
    Vector("signer-kind-refused", "policy", "signer-allowed", "KEY_INFO", 0x48, _asking(signers=["vlek"])),
    Vector(
        "chip-id-masked", "policy", "chip-allowed", "CHIP_ID", 0x1A0,
        lambda: good(chip_id=bytes(64)).asking(allow_masked_chip_id=False),
    ),
    Vector("chip-id-refused", "policy", "chip-allowed", "CHIP_ID", 0x1A0, _asking(chips=[KEY * 2])),
    Vector("chip-id-denied", "policy", "chip-denied", "CHIP_ID", 0x1A0, lambda: good().asking(denied_chips=[endorsement().chip_id])),
    Vector("leaf-key-refused", "policy", "leaf-key-allowed", "leaf", 0, _asking(leaf_keys=[KEY])),
    Vector("leaf-key-denied", "policy", "leaf-key-denied", "leaf", 0, lambda: good().asking(denied_leaf_keys=[endorsement().spki_sha256])),
    Vector("csp-id-refused", "policy", "csp-allowed", "csp_id", 0, _asking(csp_ids=["CN=somebody"])),
    Vector("firmware-provisional", "policy", "provisional-firmware", "COMMITTED_TCB", 0x1E0, _newer_current),
    Vector("firmware-too-old", "policy", "firmware-version", "CURRENT_VERSION", 0x1E8, _asking(min_current_firmware="1.55.55")),
    Vector("tcb-floor-undefined", "tcb", "committed-tcb-floor", "COMMITTED_TCB", 0x1E0, _asking(min_committed_tcb={"turin": {"fmc": 0}})),
    Vector("reported-tcb-too-low", "tcb", "reported-tcb-floor", "REPORTED_TCB", 0x180, _asking(min_reported_tcb={"milan": {"tee": 1}})),
    Vector("committed-tcb-too-low", "tcb", "committed-tcb-floor", "COMMITTED_TCB", 0x1E0, _asking(min_committed_tcb={"any": {"tee": 1}})),
    Vector("current-tcb-too-low", "tcb", "current-tcb-floor", "CURRENT_TCB", 0x38, _asking(min_current_tcb={"19-01-01": {"tee": 1}})),
    Vector("launch-tcb-too-low", "tcb", "launch-tcb-floor", "LAUNCH_TCB", 0x1F0, _asking(min_launch_tcb={"19-01-*": {"tee": 1}})),
    Vector("launch-mitigation-missing", "policy", "launch-mitigation", "LAUNCH_MIT_VECTOR", 0x1F8, _asking(launch_mitigations=0x10)),
    Vector("current-mitigation-missing", "policy", "current-mitigation", "CURRENT_MIT_VECTOR", 0x200, _asking(current_mitigations=0x10)),
    Vector("measurement-mismatch", "policy", "measurement", "MEASUREMENT", 0x90, _asking(measurements=[KEY + KEY[:16]])),
    Vector(
        "report-data-mismatch", "freshness", "report-data", "REPORT_DATA", 0x50,
        _asking(report_data=bytes([ReportFields().report_data[0] ^ 1]) * 64),
    ),
    Vector("host-data-mismatch", "policy", "host-data", "HOST_DATA", 0xC0, _asking(host_data=[KEY])),
    Vector("family-id-mismatch", "policy", "family-id", "FAMILY_ID", 0x10, _asking(family_ids=[KEY[:16]])),
    Vector("image-id-mismatch", "policy", "image-id", "IMAGE_ID", 0x20, _asking(image_ids=[KEY[:16]])),
    Vector("report-id-mismatch", "policy", "report-id", "REPORT_ID", 0x140, _asking(report_ids=[KEY])),
    Vector("report-id-ma-mismatch", "policy", "report-id-ma", "REPORT_ID_MA", 0x160, _asking(report_ids_ma=[KEY])),
    Vector("id-block-missing", "policy", "id-block", "ID_KEY_DIGEST", 0xE0, _asking(id_block="required")),
    Vector(
        "id-block-refused", "policy", "id-block", "ID_KEY_DIGEST", 0xE0,
        lambda: good(id_key_digest=KEY + KEY[:16]).asking(id_block="forbidden"),
    ),
    Vector("id-key-mismatch", "policy", "id-key", "ID_KEY_DIGEST", 0xE0, _asking(id_keys=[id_key_digest(ec_key("owner"))])),
    Vector("author-key-mismatch", "policy", "author-key", "KEY_INFO", 0x48, _asking(author_keys=[id_key_digest(ec_key("author"))])),
]  # fmt: skip

VECTORS: dict[str, Vector] = {vector.code: vector for vector in _TABLE}

#: Codes that no verdict of SEV-SNP carries, and why.
ELSEWHERE: dict[str, str] = {
    "kind-unsupported": "of the batch engine and the commands, which tell kinds apart (tests/batch)",
    "evidence-malformed": "of the batch engine and the commands, which decode text and containers (tests/batch, tests/cli)",
    "id-block-malformed": "of verify_id_block, by ParseError",
    "id-block-signature-invalid": "of verify_id_block",
    "id-key-signature-invalid": "of verify_id_block",
    "id-block-report-mismatch": "of verify_id_block",
    **dict.fromkeys(
        ("event-log-malformed", "event-log-unsupported", "event-log-too-large", "event-digest-missing"),
        "of parse_event_log, by EventLogError (tests/tdx/test_eventlog.py)",
    ),
    "internal-error": "never expected: the library contradicted itself",
}


def good_cases() -> Iterator[tuple[str, Case]]:
    """What must be accepted, whatever else changes: one of each line, kind and version."""
    for line in ("Milan", "Genoa", "Turin"):
        for kind in ("VCEK", "VLEK"):
            for version in (2, 3, 4, 5):
                yield f"{line} {kind} {version}", good(line, kind, version=version)


def main() -> None:
    """Every vector by every engine; explicit comparisons, for assert may be switched off."""
    from attestcore import engines

    out: dict[str, Any] = {"optimize": sys.flags.optimize, "engines": list(engines.available())}
    for engine in engines.available():
        out[engine] = {code: list(vector.verdict(engine).codes) for code, vector in VECTORS.items()}
        out[engine] |= {name: list(case.verify(engine).codes) for name, case in good_cases()}
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
