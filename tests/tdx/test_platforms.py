# SPDX-License-Identifier: Apache-2.0
"""QE sections judged: the chain of the PCK certificate to a pinned root, the QE report under its key, the attestation key in the QE report,
certification data without a chain. Each test says which finding fires and that no other does."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tdx_core import (
    PASS,
    PLATFORM_FINDINGS,
    ROLES,
    Finding,
    Platforms,
    Trust,
    each_real_quote,
    ffi,
    make_trust,
    needs_evidence,
    platforms,
    read_cert,
    real_quotes,
    section_at,
)
from test_intel_certs import real_certificates

from attestcore import engines
from tdxverify.testing import AT, Certificate, IntelCa, PckCertificate, Quote, der, ec_key, patch, public_bytes
from tdxverify.testing.x509 import authority_key_identifier, basic_constraints

CA = IntelCa()
TRUST = make_trust(CA.roots)
SHAPES = [(3, 1), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3), (5, 4)]
each_shape = pytest.mark.parametrize(("version", "body_type"), SHAPES)
each_engine = pytest.mark.parametrize("engine", engines.available())
each_ca = pytest.mark.parametrize("ca", ["platform", "processor"])


def judge(
    quote: Quote | bytes, chain: bytes | None = None, trust: Trust = TRUST, engine: str = "portable"
) -> Platforms:
    section = section_at(quote if isinstance(quote, bytes) else quote.bytes)
    assert section is not None
    return platforms(trust, [section], None if chain is None else [chain], engine)


def assert_clean(judged: Platforms, i: int = 0, *, certified: bool = False) -> None:
    assert judged.failures(i) == {}
    assert judged.not_run(i) == (set() if certified else {"certification"})


def assert_only(judged: Platforms, failures: dict[str, Finding], *, not_run: Sequence[str] = ()) -> None:
    """These findings and no others; of what did not run, these beside the certification that a chain in the quote makes needless."""
    assert judged.failures() == failures
    assert judged.not_run() == {"certification", *not_run}


AFTER_CHAIN = ("pck_profile", "ca_profile", "root", "names", "pck_signature", "ca_signature", "qe_signature")
LEAF_SIGNATURE = {"pck_signature": ("leaf-signature-invalid", "PCK certificate", 0)}
CA_SIGNATURE = {"ca_signature": ("issuer-signature-invalid", "PCK CA", 0)}
UNTRUSTED = {"root": ("root-untrusted", "root", 0)}


def names(field: str) -> dict[str, Finding]:
    return {"names": ("chain-name-mismatch", field, 0)}


def place_in_section(quote: Quote, part: str) -> int:
    return quote.places[part][0] - quote.places["attestation_key"][0]


# ---- genuine -----------------------------------------------------------------------------------------------------------------


def real_of(role: str) -> list[bytes]:
    return [data for data in real_certificates() if ROLES[read_cert(data).role] == role]


@needs_evidence
@each_engine
@pytest.mark.parametrize("known", [False, True], ids=["CAs unknown", "CAs known"])
def test_every_signature_of_every_real_quote_holds(engine: str, known: bool) -> None:
    cas = [*real_of("platform-ca"), *real_of("processor-ca")] if known else []
    trust = make_trust(real_of("root"), cas, engine)
    assert [anchor.root for anchor in trust.anchors] == [0]
    assert [ca.root for ca in trust.issuers] == [0] * len(cas)
    judged = platforms(trust, [section_at(real.data) for real in real_quotes()], engine=engine)
    for i in range(len(real_quotes())):
        assert_clean(judged, i)
        assert judged.structs[i].root_index == 0
    assert judged.jobs == len(real_quotes()) * (2 if known else 3)
    cas_seen = {ROLES[judged.structs[i].ca] for i in range(len(real_quotes()))}
    assert cas_seen == {"platform-ca", "processor-ca"}


@needs_evidence
@each_real_quote
def test_what_a_real_platform_says(real: Any) -> None:
    trust = make_trust(real_of("root"))
    section = section_at(real.data)
    assert section is not None
    judged = platforms(trust, [section]).structs[0]
    report_at = 64 + (6 if real.data[0] != 3 else 0)
    report = section[0][report_at : report_at + 384]
    assert bytes(judged.key) == section[0][:64]
    assert judged.qe_misc_select == int.from_bytes(report[16:20], "little")
    assert bytes(judged.qe_attributes) == report[48:64]
    assert bytes(judged.qe_mr_signer) == report[128:160]
    assert (judged.qe_isv_prod_id, judged.qe_isv_svn) == (
        int.from_bytes(report[256:258], "little"), int.from_bytes(report[258:260], "little"),
    )  # fmt: skip
    if real.entry:
        assert bytes(judged.pck.fmspc).hex().upper() == real.entry["fmspc"]
        assert judged.pck.pce_svn == real.entry["pcesvn"]
        assert ROLES[judged.ca] == real.entry["pck_ca"] + "-ca"


@needs_evidence
@each_real_quote
def test_every_byte_of_a_real_section_counts(real: Any) -> None:
    """Each changed byte of the section (one bit, every 7th byte) is noticed by a finding, or the section is none any more."""
    trust = make_trust(real_of("root"), [*real_of("platform-ca"), *real_of("processor-ca")])
    section = section_at(real.data)
    assert section is not None
    data, kind = section
    changed = []
    for at in range(0, len(data), 7):
        changed.append((patch(data, {at: bytes([data[at] ^ 1 << at % 8])}), kind))
    judged = platforms(trust, changed)
    for i in range(len(changed)):
        assert judged.failures(i), 7 * i


@each_shape
@each_ca
@each_engine
def test_sections_of_the_test_authority(version: int, body_type: int, ca: str, engine: str) -> None:
    quote = CA.quote(version, body_type, ca=ca)  # type: ignore[arg-type]
    judged = judge(quote, engine=engine)
    assert_clean(judged)
    p = judged.structs[0]
    chain = quote.chain
    assert [bytes(p.sha256[i]) for i in range(3)] == [c.sha256 for c in chain]
    assert [bytes(p.spki_sha256[i]) for i in range(3)] == [c.spki_sha256 for c in chain]
    assert ROLES[p.ca] == f"{ca}-ca"
    assert bytes(ffi.buffer(p.ca_subject, p.ca_subject_len)) == chain[1].spec.subject.encode()
    assert bytes(p.ca_key) == public_bytes(chain[1].key)  # type: ignore[arg-type]
    for i in range(3):
        assert (p.not_before[i], p.not_after[i]) == tuple(
            int(t.timestamp())
            for t in (chain[i].spec.not_before, chain[i].spec.not_after)
            if not isinstance(t, str)  # type: ignore[union-attr]
        )
        serial = bytes(ffi.buffer(p.serial[i].bytes, p.serial[i].len))
        assert int.from_bytes(serial, "big") == chain[i].spec.serial
    assert bytes(p.pck.ppid) == quote.pck.sgx.ppid
    assert (p.certification_type, bytes(ffi.buffer(p.section, p.section_len))) == (5, section_at(quote.bytes)[0])  # type: ignore[index]


def test_many_at_once() -> None:
    """Each finding goes to its own platform."""
    quotes = [CA.quote(v, b, ca=ca) for v, b in SHAPES for ca in ("platform", "processor")]  # type: ignore[arg-type]
    broken = [q.replace(qe_report_signature=bytes(64)) if i % 3 == 1 else q for i, q in enumerate(quotes)]
    broken = [q.replace(chain=(q.chain[0], q.chain[1].replace(serial=99, signature=CA.root.signature), q.chain[2])) if i % 4 == 2 else q
              for i, q in enumerate(broken)]  # fmt: skip
    sections = [section_at(q.bytes) for q in broken]
    judged = platforms(TRUST, [*sections[:5], None, *sections[5:]])
    at = [*range(5), *range(6, len(sections) + 1)]
    for i in range(len(sections)):
        expected = set()
        if i % 3 == 1:
            expected.add("qe_signature")
        if i % 4 == 2:
            expected.add("ca_signature")
        assert set(judged.failures(at[i])) == expected
    assert judged.failures(5) == {"chain": ("certification-data-invalid", "certification data", 0)}
    assert judged.not_run(5) == set(PLATFORM_FINDINGS) - {"chain"}


# ---- the trust -----------------------------------------------------------------------------------------------------------------


@each_engine
def test_anchors(engine: str) -> None:
    """A root that breaks the profile, or does not sign itself, is no anchor though the caller named it."""
    impostor = IntelCa(impostor=True)
    unsigned = CA.root.replace(signature=impostor.root.signature)
    loose = CA.root.replace(basicConstraints=basic_constraints(True, 2))
    other_id = CA.root.replace(authorityKeyIdentifier=authority_key_identifier(bytes(20)))
    roots = [
        CA.root.der,
        impostor.root.der,
        unsigned.der,
        loose.der,
        other_id.der,
        CA.platform.der,
        CA.pck().der,
        b"\0",
        CA.root.der,
    ]
    cas = [CA.platform.der, CA.processor.der, impostor.platform.der, CA.tcb_signing.der, CA.pck().der, b"",
           CA.platform.replace(signature=impostor.platform.signature).der]  # fmt: skip
    trust = make_trust(roots, cas, engine)
    assert trust.jobs == len(roots) + len(roots) * len(cas)
    assert [anchor.root for anchor in trust.anchors] == [0, 1, -1, -1, -1, -1, -1, -1, 8]
    assert [ca.root for ca in trust.issuers] == [0, 0, 1, -1, -1, -1, -1]


def test_a_root_named_by_the_caller_that_is_no_anchor() -> None:
    """Being on the list is not enough: what breaks the profile or does not sign itself holds no chain."""
    for bad in (
        CA.with_root(basicConstraints=basic_constraints(True, 2)),
        CA.with_root(signature=IntelCa(impostor=True).root.signature),
    ):
        trust = make_trust([bad.root.der], [bad.platform.der])
        assert [anchor.root for anchor in trust.anchors] == [-1]
        assert_only(judge(bad.quote(), trust=trust), UNTRUSTED, not_run=["ca_signature"])


def test_a_ca_with_the_roots_key_is_not_known() -> None:
    one = IntelCa(platform_key=CA.root.key)  # type: ignore[arg-type]
    assert [ca.root for ca in make_trust(one.roots, [one.platform.der, one.processor.der]).issuers] == [-1, 0]


def test_a_known_ca_saves_its_signature_and_nothing_else() -> None:
    known = make_trust(CA.roots, [CA.platform.der])
    assert judge(CA.quote(ca="platform"), trust=known).jobs == 2
    assert judge(CA.quote(ca="processor"), trust=known).jobs == 3
    assert_clean(judge(CA.quote(ca="platform"), trust=known))
    # The same name and key in another certificate is not the known one.
    other = CA.with_platform(serial=77)
    judged = judge(other.quote(), trust=known)
    assert judged.jobs == 3
    assert_clean(judged)
    forged = other.with_platform(signature=CA.platform.signature)
    assert_only(judge(forged.quote(), trust=known), CA_SIGNATURE)
    # Known under one anchor says nothing under another.
    reissued = CA.with_root(serial=5)
    both = make_trust([CA.root.der, reissued.root.der], [CA.platform.der])
    assert [ca.root for ca in both.issuers] == [0]
    judged = judge(reissued.quote(), trust=both)
    assert (judged.jobs, judged.structs[0].root_index) == (3, 1)
    assert_clean(judged)


def test_a_known_ca_without_an_anchor_is_not_known() -> None:
    impostor = IntelCa(impostor=True)
    trust = make_trust(CA.roots, [impostor.platform.der])
    assert_only(judge(impostor.quote(), trust=trust), UNTRUSTED, not_run=["ca_signature"])


# ---- the root ------------------------------------------------------------------------------------------------------------------


@each_engine
@each_ca
def test_a_whole_hierarchy_of_ones_own(ca: str, engine: str) -> None:
    """With Intel's names, extensions and addresses, under other keys: everything holds but the anchor."""
    impostor = IntelCa(impostor=True)
    judged = judge(impostor.quote(ca=ca), engine=engine)  # type: ignore[arg-type]
    assert_only(judged, UNTRUSTED, not_run=["ca_signature"])
    assert judged.structs[0].root_index == -1


def test_no_anchor_at_all() -> None:
    assert_only(judge(CA.quote(), trust=make_trust([])), UNTRUSTED, not_run=["ca_signature"])


def test_the_root_issued_again_under_its_own_key_is_not_the_anchor() -> None:
    for changes in ({"serial": 1}, {"not_after": AT}, {"basicConstraints": basic_constraints(True, 1), "serial": 3}):
        again = CA.with_root(**changes)
        assert_only(judge(again.quote()), UNTRUSTED, not_run=["ca_signature"])


def test_the_genuine_root_behind_a_forgers_chain() -> None:
    """The key ids are the genuine root's, the signature is not."""
    forger = IntelCa(impostor=True, root_key=ec_key("forger"))
    platform = forger.platform.replace(authorityKeyIdentifier=authority_key_identifier(CA.root.key.key_id))
    pck = forger.pck(issuer_cert=platform)
    judged = judge(forger.quote(pck=pck, chain=[pck, platform, CA.root]))
    assert_only(judged, CA_SIGNATURE)


def test_a_root_that_is_no_root() -> None:
    chain = CA.quote().chain
    judged = judge(CA.quote(chain=[chain[0], chain[1], CA.platform]))
    assert_only(judged, {**UNTRUSTED, **names("PCK CA")}, not_run=["ca_signature"])


# ---- places, names, key ids -------------------------------------------------------------------------------------------------------


def chains_out_of_order() -> Iterator[tuple[str, list[Certificate]]]:
    pck, ca, root = CA.quote().chain
    yield "root first", [root, ca, pck]
    yield "CA first", [ca, pck, root]
    yield "leaf last", [ca, root, pck]
    yield "root second", [pck, root, ca]
    yield "CA twice", [pck, ca, ca]
    yield "leaf twice", [pck, pck, root]
    yield "root twice", [pck, root, root]
    yield "the other CA", [pck, CA.processor, root]
    yield "the TCB signer as CA", [pck, CA.tcb_signing, root]
    yield "the TCB signer as leaf", [CA.tcb_signing, ca, root]


@pytest.mark.parametrize(
    ("what", "chain"), list(chains_out_of_order()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_certificates_in_places_that_are_not_theirs(what: str, chain: list[Certificate]) -> None:
    judged = judge(CA.quote(chain=chain))
    assert judged.failures()["names"][0] == "chain-name-mismatch", what
    trusted = chain[2] is CA.root
    assert ("root" in judged.failures()) is not trusted


@each_ca
def test_a_leaf_straight_under_the_root(ca: str) -> None:
    pck = CA.pck(ca, issuer_cert=CA.root)  # type: ignore[arg-type]
    judged = judge(CA.quote(pck=pck, chain=[pck, CA.pck_ca(ca), CA.root]))  # type: ignore[arg-type]
    assert_only(judged, {**names("PCK certificate"), **LEAF_SIGNATURE})
    judged = judge(CA.quote(pck=pck, chain=[pck, CA.root, CA.root]))
    assert judged.failures()["names"] == ("chain-name-mismatch", "PCK CA", 0)
    assert judged.findings()["pck_signature"] == PASS


def test_a_leaf_that_acts_as_a_ca() -> None:
    """A PCK certificate whose owner issues others."""
    above = CA.pck()
    below = CA.pck(key=ec_key("below"), issuer_cert=above)
    judged = judge(CA.quote(pck=below, chain=[below, above, CA.platform]))
    assert "names" in judged.failures()
    assert judged.failures()["pck_profile"] == (
        "certificate-name-invalid", "issuer name", der.read(below.der).at(0, 3).start,
    )  # fmt: skip


def test_a_leaf_of_another_name() -> None:
    """Issued by the PCK CA and right in all else, but not a PCK certificate by its name."""
    own = {"issuer": CA.platform.spec.subject, "signer": CA.platform.key,
           "authorityKeyIdentifier": authority_key_identifier(CA.platform.key.key_id)}  # fmt: skip
    leaf = CA.tcb_signing.replace(**own)
    judged = judge(CA.quote(chain=[leaf, CA.platform, CA.root], qe_signer=leaf.key))
    assert_only(judged, names("PCK certificate"))


def test_a_root_of_another_name() -> None:
    """A CA that issued itself and the other one."""
    own = {"issuer": CA.processor.spec.subject, "signer": CA.processor.key,
           "authorityKeyIdentifier": authority_key_identifier(CA.processor.key.key_id)}  # fmt: skip
    platform, root = CA.platform.replace(**own), CA.processor.replace(**own)
    pck = CA.pck(issuer_cert=platform)
    judged = judge(CA.quote(pck=pck, chain=[pck, platform, root]))
    assert_only(judged, {**UNTRUSTED, **names("root")}, not_run=["ca_signature"])


def test_a_ca_under_the_other_ca() -> None:
    platform = CA.platform.replace(issuer=CA.processor.spec.subject, signer=CA.processor.key,
                                   authorityKeyIdentifier=authority_key_identifier(CA.processor.key.key_id))  # fmt: skip
    pck = CA.pck(issuer_cert=platform)
    judged = judge(CA.quote(pck=pck, chain=[pck, platform, CA.root]))
    assert_only(judged, {**names("PCK CA"), **CA_SIGNATURE})


def test_key_ids_must_chain() -> None:
    """Though every name and signature is right."""
    other = authority_key_identifier(bytes(20))
    pck = CA.pck().replace(authorityKeyIdentifier=other)
    assert_only(judge(CA.quote(pck=pck, chain=CA.pck_chain(pck))), names("PCK certificate"))
    ca = CA.with_platform(authorityKeyIdentifier=other)
    assert_only(judge(ca.quote()), names("PCK CA"))
    root = CA.with_root(authorityKeyIdentifier=other)
    assert_only(judge(root.quote()), {**UNTRUSTED, **names("root")}, not_run=["ca_signature"])
    # Longer, shorter, and the beginning of the right one.
    right = CA.platform.key.key_id
    for wrong in (right[:-1], right + b"\0", right[:1]):
        pck = CA.pck().replace(authorityKeyIdentifier=authority_key_identifier(wrong))
        assert_only(judge(CA.quote(pck=pck, chain=CA.pck_chain(pck))), names("PCK certificate"))


def test_names_are_compared_as_bytes() -> None:
    """The same text as another string type is another name."""
    for kind in ("CN", "O", "C"):
        tag = der.UTF8_STRING if kind == "C" else der.PRINTABLE_STRING
        issuer = CA.platform.spec.subject.set(kind, tag=tag)
        pck = CA.pck().replace(issuer=issuer)
        assert_only(judge(CA.quote(pck=pck, chain=CA.pck_chain(pck))), names("PCK certificate"))


def test_one_key_in_two_places() -> None:
    reused = {"names": ("chain-key-reused", "PCK certificate", 0)}
    pck = CA.pck(key=CA.platform.key)  # type: ignore[arg-type]
    assert_only(judge(CA.quote(pck=pck)), reused)
    pck = CA.pck(key=CA.root.key)  # type: ignore[arg-type]
    assert_only(judge(CA.quote(pck=pck)), reused)
    one = IntelCa(platform_key=CA.root.key)  # type: ignore[arg-type]
    assert_only(judge(one.quote()), {"names": ("chain-key-reused", "PCK CA", 0)})
    pck = CA.pck()
    judged = judge(CA.quote(pck=pck, ak=pck.signing_key))
    assert_only(judged, {"names": ("chain-key-reused", "attestation key", 0)})


# ---- profiles of the places: that they are passed on -----------------------------------------------------------------------------------


def test_profiles_are_told_of_their_place() -> None:
    pck = CA.pck().replace(serial=0)
    expected = ("certificate-serial-invalid", "serialNumber", der.read(pck.der).at(0, 1).start)
    assert_only(judge(CA.quote(pck=pck, chain=CA.pck_chain(pck))), {"pck_profile": expected})
    ca = CA.with_platform(serial=0)
    expected = ("certificate-serial-invalid", "serialNumber", der.read(ca.platform.der).at(0, 1).start)
    assert_only(judge(ca.quote()), {"ca_profile": expected})


def test_keys_that_cannot_be_used() -> None:
    """Nothing is verified under a key that is none: not run, which is no pass."""
    spki = ec_key("x", "P-384").spki
    pck = CA.pck().replace(spki=spki)
    judged = judge(CA.quote(pck=pck, chain=CA.pck_chain(pck)))
    assert_only(judged, {"pck_profile": ("certificate-key-invalid", "subjectPublicKeyInfo", der.read(pck.der).at(0, 6).start)},
                not_run=["qe_signature"])  # fmt: skip
    ca = CA.platform.replace(spki=spki)
    judged = judge(CA.quote(chain=[CA.pck(), ca, CA.root]))
    assert set(judged.failures()) == {"ca_profile"}
    assert judged.not_run() == {"certification", "pck_signature"}


def test_signatures_that_cannot_be_read() -> None:
    pck = CA.pck().replace(signature=b"")
    judged = judge(CA.quote(pck=pck, chain=CA.pck_chain(pck)))
    at = der.read(pck.der).at(2).start
    assert_only(judged, {"pck_profile": ("certificate-malformed", "signatureValue", at)}, not_run=["pck_signature"])
    zero = der.sequence(der.integer(0), der.integer(0))
    pck = CA.pck().replace(signature=zero)
    assert_only(judge(CA.quote(pck=pck, chain=CA.pck_chain(pck))), LEAF_SIGNATURE)


# ---- signatures ----------------------------------------------------------------------------------------------------------------------


@each_engine
@each_ca
def test_each_signature_broken_alone(ca: str, engine: str) -> None:
    quote = CA.quote(ca=ca)  # type: ignore[arg-type]
    pck, issuer, root = quote.chain
    other = pck.replace(signature=CA.pck(ca, serial=77).signature)  # type: ignore[arg-type]
    assert_only(judge(quote.replace(chain=(other, issuer, root)), engine=engine), LEAF_SIGNATURE)
    other_ca = issuer.replace(signature=CA.tcb_signing.signature)
    assert_only(judge(quote.replace(chain=(pck, other_ca, root)), engine=engine), CA_SIGNATURE)
    at = place_in_section(quote, "qe_report_signature")
    expected: dict[str, Finding] = {"qe_signature": ("qe-report-signature-invalid", "QE report signature", at)}
    for byte in (0, 31, 32, 63):
        assert_only(judge(quote.flipped("qe_report_signature", byte), engine=engine), expected)
    for signature in (bytes(64), b"\xff" * 64, bytes(32) + b"\1" * 32):
        assert_only(judge(quote.replace(qe_report_signature=signature), engine=engine), expected)
    assert_only(judge(quote.replace(qe_signer=ec_key("someone")), engine=engine), expected)
    swapped = judge(quote, engine=engine)
    assert_clean(swapped)


@each_shape
def test_the_qe_report_of_another_platform(version: int, body_type: int) -> None:
    """Signed by another genuine PCK than the one in the chain."""
    other = CA.pck(ppid=bytes(range(16)))
    quote = CA.quote(version, body_type, qe_signer=other.signing_key)
    at = place_in_section(quote, "qe_report_signature")
    assert at == (448 if version == 3 else 454)
    assert_only(judge(quote), {"qe_signature": ("qe-report-signature-invalid", "QE report signature", at)})


@each_shape
def test_every_byte_of_the_qe_report_is_signed(version: int, body_type: int) -> None:
    quote = CA.quote(version, body_type)
    for byte in range(384):
        judged = judge(quote.flipped("qe_report", byte))
        assert "qe_signature" in judged.failures()
        assert ("key_binding" in judged.failures()) is (byte >= 320)


# ---- the attestation key ---------------------------------------------------------------------------------------------------------------


@each_shape
def test_an_attestation_key_that_is_not_bound(version: int, body_type: int) -> None:
    """Every signature holds; the QE never spoke of this key."""
    good = CA.quote(version, body_type)
    at = place_in_section(good, "qe_report") + 320
    assert at == 64 + (0 if version == 3 else 6) + 320
    expected: dict[str, Finding] = {"key_binding": ("attestation-key-mismatch", "QE report", at)}
    mine = ec_key("my own attestation key")
    assert_only(judge(good.replace(ak=mine, qe_report_data=good.binding)), expected)
    assert_only(judge(good.replace(auth_data=b"other", qe_report_data=good.binding)), expected)
    assert_only(judge(good.replace(auth_data=good.auth_data + b"\0", qe_report_data=good.binding)), expected)


def test_report_data_that_are_nearly_right() -> None:
    quote = CA.quote()
    at = place_in_section(quote, "qe_report") + 320
    expected: dict[str, Finding] = {"key_binding": ("attestation-key-mismatch", "QE report", at)}
    key, auth = public_bytes(quote.ak), quote.auth_data
    digest = hashlib.sha256(key + auth).digest()
    for data in (
        bytes(64), digest + digest, bytes(32) + digest, digest[::-1] + bytes(32), digest[:31] + bytes(33),
        hashlib.sha256(auth + key).digest() + bytes(32), hashlib.sha256(key).digest() + bytes(32),
        hashlib.sha256(b"\4" + key + auth).digest() + bytes(32), hashlib.sha512(key + auth).digest(),
        hashlib.sha384(key + auth).digest() + bytes(16),
    ):  # fmt: skip
        assert_only(judge(quote.replace(qe_report_data=data)), expected)
    for i in range(32):
        data = digest + bytes(i) + b"\1" + bytes(31 - i)
        assert_only(judge(quote.replace(qe_report_data=data)), expected)


@each_shape
@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 1000, 65535])
def test_authentication_data_of_any_length(version: int, body_type: int, size: int) -> None:
    assert_clean(judge(CA.quote(version, body_type, auth_data=bytes(i % 253 for i in range(size)))))


def test_bytes_do_not_move_between_key_and_authentication_data() -> None:
    """The hash is over both in a row; where one ends is fixed."""
    quote = CA.quote()
    stream = public_bytes(quote.ak) + quote.auth_data
    for shift in (1, 4, 31):
        moved = quote.replace(
            attestation_key=stream[shift : 64 + shift], auth_data=stream[64 + shift :], qe_report_data=quote.binding
        )
        assert set(judge(moved).failures()) == {"key_binding"}
    assert_clean(judge(quote.replace(attestation_key=stream[:64], auth_data=stream[64:])))


# ---- certification data without a chain --------------------------------------------------------------------------------------------------


@each_shape
@each_ca
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_types_that_need_a_chain(version: int, body_type: int, ca: str, kind: int) -> None:
    quote = CA.quote(version, body_type, ca=ca, cert_type=kind)  # type: ignore[arg-type]
    for chain in (quote.chain_pem, quote.chain_pem + b"\0", quote.chain_pem.replace(b"\n", b"\r\n")):
        judged = judge(quote, chain)
        assert_clean(judged, certified=True)
        assert judged.structs[0].certification_type == kind
    missing = ("certificate-missing", "PCK certificate", 0)
    for none in (judge(quote), judge(quote, b""), platforms(TRUST, [section_at(quote.bytes)], [None])):
        assert_only(none, {"chain": missing}, not_run=AFTER_CHAIN)
        assert none.findings()["key_binding"] == PASS
    for broken in (
        b"x",
        quote.chain_pem[:-5],
        quote.chain_pem + quote.chain_pem,
        quote.chain[0].pem,
        quote.chain[0].der,
    ):
        judged = judge(quote, broken)
        assert judged.failures()["chain"][:2] == ("collateral-malformed", "certificate set")
        assert judged.not_run() == {"certification", *AFTER_CHAIN}


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_an_identity_that_is_another_platforms(kind: int) -> None:
    quote = CA.quote(cert_type=kind)
    data = quote.certification_data()
    at = place_in_section(quote, "cert_data")
    ppid = {1: 16, 2: 256, 3: 384}[kind]
    for byte in range(len(data)):
        judged = judge(quote.replace(cert_data=patch(data, {byte: bytes([data[byte] ^ 1])})), quote.chain_pem)
        if kind != 1 and byte < ppid:
            assert_clean(judged, certified=True)  # encrypted for Intel: nobody else can tell
            continue
        field = at + (0 if byte < ppid else ppid if byte < ppid + 16 else ppid + 16 if byte < ppid + 18 else ppid + 18)
        assert judged.failures() == {"certification": ("certification-data-mismatch", "certification data", field)}
        assert judged.not_run() == set()
    swapped = data[:-4] + data[-3:-4:-1] + data[-4:-3] + data[-2:]
    assert swapped != data
    assert set(judge(quote.replace(cert_data=swapped), quote.chain_pem).failures()) == {"certification"}


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_the_chain_of_another_platform(kind: int) -> None:
    """That PCK did not sign the QE report either."""
    other = CA.pck(ppid=bytes(range(16)), pce_svn=9)
    quote = CA.quote(cert_type=kind)
    chain = b"".join(c.pem for c in CA.pck_chain(other))
    judged = judge(quote, chain)
    assert set(judged.failures()) == {"certification", "qe_signature"}


def test_a_leaf_alone() -> None:
    quote = CA.quote(cert_type=4)
    at = place_in_section(quote, "cert_data")
    for data in (quote.pck.pem, quote.pck.pem + b"\0", quote.pck.der, quote.pck.pem.replace(b"\n", b"\r\n")):
        assert_clean(judge(quote.replace(cert_data=data), quote.chain_pem), certified=True)
    other = CA.pck(not_before=AT)
    wrong = ("certification-data-mismatch", "certification data", at)
    for data in (other.pem, other.der, quote.pck.der + b"\0", quote.pck.der[:-1], b"\x30"):
        assert judge(quote.replace(cert_data=data), quote.chain_pem).failures() == {"certification": wrong}
    for data in (b"x", b"\0", quote.chain_pem, b" " + quote.pck.pem):
        found = judge(quote.replace(cert_data=data), quote.chain_pem).failures()
        assert set(found) == {"certification"}
        assert found["certification"][:2] == ("certification-data-invalid", "certification data")
        assert at <= found["certification"][2] < at + len(data)


def test_a_chain_in_the_quote_wins() -> None:
    other = b"".join(c.pem for c in IntelCa(impostor=True).quote().chain)
    assert_clean(judge(CA.quote(), other))
    assert_clean(judge(CA.quote(), b"no chain"))


def test_types_that_tell_no_certificate() -> None:
    for kind in (0, 6, 7, 8, 65535):
        quote = CA.quote(cert_type=kind)
        at = place_in_section(quote, "cert_type")
        judged = judge(quote, quote.chain_pem)
        expected: Finding = ("certification-type-unsupported", "QE certification data type", at)
        assert_only(judged, {"chain": expected}, not_run=AFTER_CHAIN)


# ---- PEM -------------------------------------------------------------------------------------------------------------------------------


def blocks() -> list[bytes]:
    return [c.pem for c in CA.quote().chain]


def wide(data: bytes, width: int) -> bytes:
    body = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), width))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()


def good_texts() -> dict[str, bytes]:
    leaf, ca, root = blocks()
    ders = [c.der for c in CA.quote().chain]
    return {
        "as it is": leaf + ca + root,
        "one NUL": leaf + ca + root + b"\0",
        "no line end at the end": (leaf + ca + root)[:-1],
        "no line end but a NUL": (leaf + ca + root)[:-1] + b"\0",
        "CR LF": (leaf + ca + root).replace(b"\n", b"\r\n"),
        "CR LF in one block": leaf + ca.replace(b"\n", b"\r\n") + root,
        "one line of base64": b"".join(wide(d, 100000) for d in ders),
        "lines of 76": b"".join(wide(d, 76) for d in ders),
    }


@pytest.mark.parametrize("what", good_texts())
def test_texts_of_a_chain(what: str) -> None:
    text = good_texts()[what]
    assert_clean(judge(CA.quote(cert_data=text)))
    assert_clean(judge(CA.quote(cert_type=3), text), certified=True)


def bad_texts() -> dict[str, tuple[bytes, int]]:
    """And where it is found."""
    leaf, ca, root = blocks()
    good = leaf + ca + root
    one, two = len(leaf), len(leaf + ca)
    end = b"-----END CERTIFICATE-----\n"
    return {
        "text before": (b"Bag Attributes\n" + good, 0),
        "a blank line before": (b"\n" + good, 0),
        "white space before": (b" " + good, 0),
        "text between": (leaf + b"subject=\n" + ca + root, one),
        "a blank line between": (leaf + b"\n" + ca + root, one),
        "text behind": (good + b"\n", len(good)),
        "two NULs": (good + b"\0\0", len(good)),
        "a NUL and more": (good + b"\0\n", len(good)),
        "a NUL in the middle": (leaf + b"\0" + ca + root, one),
        "no certificate": (b"-", 0),
        "one certificate": (leaf, one),
        "two certificates": (leaf + ca, two),
        "four certificates": (good + leaf, len(good)),
        "the root again": (good + root, len(good)),
        "another label": (good.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), 0),
        "X509 CERTIFICATE": (good.replace(b"CERTIFICATE", b"X509 CERTIFICATE"), 0),
        "a key between": (leaf + ca.replace(b"CERTIFICATE", b"EC PRIVATE KEY") + root, one),
        "headers": (leaf.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\n\n", 1) + ca + root, 28 + 4),
        "END of another": (leaf.replace(b"END CERTIFICATE", b"END CERTIFICATES") + ca + root, 0),
        "no END": (leaf[: -len(end)] + ca + root, 0),
        "BEGIN twice": (b"-----BEGIN CERTIFICATE-----\n" + good, 0),
        "space in base64": (leaf[:100] + b" " + leaf[101:] + ca + root, 100),
        "a blank line in base64": (leaf.replace(b"\n", b"\n\n", 2)[0:28] + b"\n" + leaf[28:] + ca + root, 28),
        "URL-safe base64": (leaf + ca + wide(CA.root.der, 64).replace(b"M", b"-", 1) + root, two + 28),
        "CR alone": (good.replace(b"\n", b"\r"), 0),
        "CR LF and LF in one block": (leaf.replace(b"\n", b"\r\n", 3) + ca + root, 0),
        "DER": (CA.pck().der, 0),
        "UTF-16": (good.decode().encode("utf-16-le"), 0),
    }  # fmt: skip


@pytest.mark.parametrize("what", bad_texts())
def test_texts_that_are_no_chain(what: str) -> None:
    text, offset = bad_texts()[what]
    quote = CA.quote(cert_data=text)
    at = place_in_section(quote, "cert_data")
    judged = judge(quote)
    code, field, found_at = judged.findings()["chain"]
    assert (code, field) == ("certification-data-invalid", "certification data")
    assert judged.not_run() == {"certification", *AFTER_CHAIN}
    if what not in ("CR LF and LF in one block", "URL-safe base64"):
        assert found_at == at + offset
    assert at + offset <= found_at < at + len(text) + 1
    other = judge(CA.quote(cert_type=2), text)
    assert other.findings()["chain"] == ("collateral-malformed", "certificate set", found_at - at)


def test_der_that_does_not_fill_its_block() -> None:
    pck = CA.pck().replace(trailing=b"\0")
    judged = judge(CA.quote(chain=[pck, CA.platform, CA.root]))
    assert judged.failures()["pck_profile"] == ("certificate-malformed", "Certificate", len(pck.der) - 1)
    judged = judge(CA.quote(cert_data=wide(b"junk", 64) + CA.platform.pem + CA.root.pem))
    assert judged.failures()["pck_profile"] == ("certificate-malformed", "Certificate", 0)


def test_texts_that_are_long() -> None:
    """One line, or a block, of any length; markers without end. Nothing of it is copied, and each byte is looked at a few times."""
    long_line = b"-----BEGIN CERTIFICATE-----\n" + b"A" * 200000 + b"\n-----END CERTIFICATE-----\n"
    judged = judge(CA.quote(cert_data=long_line * 1))
    at = place_in_section(CA.quote(), "cert_data")
    assert judged.findings()["chain"] == ("certificate-set-too-large", "certification data", at)
    markers = b"-----BEGIN CERTIFICATE-----\n" * 8000
    assert judge(CA.quote(cert_data=markers)).findings()["chain"] == (
        "certification-data-invalid",
        "certification data",
        at,
    )
    lines = b"-----BEGIN CERTIFICATE-----\n" + b"\n" * 200000
    assert judge(CA.quote(cert_data=lines)).findings()["chain"] == (
        "certification-data-invalid",
        "certification data",
        at,
    )
    ends = b"-----BEGIN CERTIFICATE-----\n" + b"-----END CERTIFICATE-----\n" * 8000
    code, _, found = judge(CA.quote(cert_data=ends)).findings()["chain"]
    assert (code, found - at) == ("certification-data-invalid", 28)
    most = CA.quote(cert_type=2)
    assert judge(most, b"A" * 1048577).findings()["chain"] == ("certificate-set-too-large", "certificate set", 0)


def test_certificates_of_sixteen_kilobytes() -> None:
    """The most that is read; and one byte more."""

    def padded(size: int) -> PckCertificate:
        start = size - len(CA.pck().der) - 40
        for i in range(600):  # a signature's size is not the same each time
            spec = CA.pck(serial=1 + i // 60).spec.with_extension("1.2.3.4", bytes(start + i % 60))
            made = CA.pck().respec(spec)
            if len(made.der) == size:
                return made
        raise AssertionError(size)

    largest = padded(16384)
    assert len(largest.der) == 16384
    assert_clean(judge(CA.quote(pck=largest, chain=CA.pck_chain(largest))))
    larger = padded(16385)
    assert len(larger.der) == 16385
    judged = judge(CA.quote(pck=larger, chain=CA.pck_chain(larger)))
    assert judged.failures()["pck_profile"] == ("certificate-malformed", "Certificate", 0)


# ---- sections ---------------------------------------------------------------------------------------------------------


def test_a_section_that_is_none() -> None:
    quote = CA.quote()
    section = section_at(quote.bytes)
    assert section is not None
    data, kind = section
    none: Finding = ("certification-data-invalid", "certification data", 0)
    for broken in (b"", data[:-1], data + b"\0", data[1:], bytes(600), data[:64]):
        judged = platforms(TRUST, [(broken, kind)])
        assert judged.failures() == {"chain": none}
        assert judged.not_run() == set(PLATFORM_FINDINGS) - {"chain"}
        assert judged.jobs == 0
    for other in (0, 1, 4, 6):
        judged = platforms(TRUST, [(data, other)])
        assert judged.failures() == {"chain": none}


def test_a_section_that_could_be_of_two_versions() -> None:
    """Bytes that fit the layout of version 3 and that of version 4 have two readings; they are refused, whichever quote they came in."""
    text = b"".join(blocks())
    inner_3 = bytearray(64 + 384 + 64)  # attestation key, QE report, signature as version 3 has them
    auth_3 = 2 + 60
    inner_3 += (
        auth_3.to_bytes(2, "little")
        + bytes(auth_3)
        + (5).to_bytes(2, "little")
        + len(text).to_bytes(4, "little")
        + text
    )
    inner_3[64:70] = (6).to_bytes(2, "little") + (len(inner_3) - 70).to_bytes(4, "little")  # and the head of version 4
    at = 70 + 384 + 64  # its own authentication data, up to the same place
    inner_3[at : at + 2] = (512 + 2 + auth_3 - at - 2).to_bytes(2, "little")
    section = bytes(inner_3)
    assert platforms(TRUST, [(section, 5)]).failures() == {
        "chain": ("certification-data-invalid", "certification data", 0)
    }
    for version, body_type in ((3, 1), (4, 2)):
        whole = CA.quote(version, body_type).bytes
        start = {3: 500, 4: 700}[version]
        quote = whole[: start - 68] + (64 + len(section)).to_bytes(4, "little") + whole[start - 64 : start] + section
        assert section_at(quote) == (section, 5)
    # With one of the two readings broken it is a section like any other.
    assert (
        platforms(TRUST, [(section[:64] + b"\7" + section[65:], 5)]).failures()
        != platforms(TRUST, [(section, 5)]).failures()
    )
