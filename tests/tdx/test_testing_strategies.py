# SPDX-License-Identifier: Apache-2.0
"""tdxverify.testing.strategies: what is drawn has the promised properties."""

from __future__ import annotations

import dataclasses

import pytest
from asn1crypto import core
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tdxverify.testing import (
    BODY_SIZES,
    LENGTH_FIELDS,
    Certificate,
    Collateral,
    EnclaveIdentity,
    IntelCa,
    Quote,
    SgxExtension,
    TcbInfo,
    strategies,
)

quick = settings(max_examples=60, deadline=None, database=None)


@quick
@given(strategies.quotes())
def test_drawn_quotes_are_well_formed(quote: Quote) -> None:
    data, places = quote.bytes, quote.places
    for name, width in LENGTH_FIELDS.items():
        if name in places:
            at, size = places[name]
            assert size == width
            follows = {
                "body_size": places["body"][1],
                "signature_length": len(data) - len(quote.trailing) - places["signature"][0],
                "outer_size": len(data) - len(quote.trailing) - places["qe_report"][0],
                "auth_length": places["auth_data"][1],
                "cert_size": places["cert_data"][1],
            }[name]
            assert int.from_bytes(data[at : at + size], "little") == follows
    assert places["body"][1] == BODY_SIZES[quote.kind]


@quick
@given(strategies.quotes(accepted=True))
def test_drawn_quotes_can_be_accepted(quote: Quote) -> None:
    assert quote.cert_type == 5
    if quote.kind > 1:
        at, size = quote.places["body.td_attributes"]
        assert int.from_bytes(quote.bytes[at : at + size], "little") & ~(1 << 28 | 1 << 30 | 1 << 63) == 0
        at, size = quote.places.get("body.mr_service_td", (0, 0))
        assert not any(quote.bytes[at : at + size])


def consistent(data: bytes) -> bool:
    """Whether every length in some bytes is what follows it, and the last thing the last certificate."""
    at = 48
    if len(data) < 1020:
        return False
    size = 584 if data[4] == 0x81 else 384
    if data[0] == 5:
        size = BODY_SIZES[data[48]]
        if int.from_bytes(data[50:54], "little") != size:
            return False
        at = 54
    at += size
    if int.from_bytes(data[at : at + 4], "little") != len(data) - at - 4:
        return False
    at += 132
    if data[0] != 3:
        if int.from_bytes(data[at + 2 : at + 6], "little") != len(data) - at - 6:
            return False
        at += 6
    at += 448
    at += 2 + int.from_bytes(data[at : at + 2], "little")
    return int.from_bytes(data[at + 2 : at + 6], "little") == len(data) - at - 6


@given(strategies.quotes(trailing=False))
@quick
def test_drawn_quotes_do_not_lie(quote: Quote) -> None:
    assert consistent(quote.bytes)


@quick
@given(strategies.lying_quotes())
def test_drawn_lies_lie(data: bytes) -> None:
    """No length chain leads through such a quote: one of its fields is not what follows it, or its end is missing."""
    assert len(data) < 8000
    assert not consistent(data)


@quick
@given(strategies.sgx_extensions())
def test_drawn_extensions_are_readable(sgx: SgxExtension) -> None:
    assert len(core.Sequence.load(sgx.encode(), strict=True)) == (7 if sgx.platform_instance_id else 5)
    again = SgxExtension.parse(sgx.encode())
    assert again.encode() == sgx.encode()
    assert (again.components, again.pce_svn, again.fmspc) == (sgx.components, sgx.pce_svn, sgx.fmspc)


@quick
@given(strategies.sgx_extensions(edits=1))
def test_drawn_wrong_extensions_are_wrong(sgx: SgxExtension) -> None:
    assert sgx.encode() != sgx.replace(edits=(), outer_trailing=b"").encode()


@quick
@given(strategies.certificates())
def test_drawn_certificates_are_readable(certificate: Certificate) -> None:
    parsed = x509.load_der_x509_certificate(certificate.der)
    assert parsed.public_key() == certificate.key.private_key().public_key()


@pytest.mark.parametrize("name", strategies.CERTIFICATE_EDITS)
def test_every_edit_is_one(name: str) -> None:
    """What an edit touches beyond its own element is the signature alone."""
    ca = IntelCa()
    for certificate in (ca.root, ca.platform, ca.tcb_signing, ca.pck(), ca.pck("processor")):
        edited = strategies.CERTIFICATE_EDITS[name](certificate)
        assert edited.der != certificate.der
        differing = {
            field.name
            for field in dataclasses.fields(certificate.spec)
            if getattr(edited.spec, field.name) != getattr(certificate.spec, field.name)
        }
        assert len(differing - {"signing_algorithm"}) == 1


@quick
@given(strategies.certificates(edits=2))
def test_drawn_wrong_certificates_encode(certificate: Certificate) -> None:
    assert certificate.der[0] == 0x30


@quick
@given(st.one_of(strategies.tcb_infos(damage=2), strategies.enclave_identities(damage=2)))
def test_drawn_damage_is_damage(document: TcbInfo | EnclaveIdentity) -> None:
    assert len(document.edits) == 2
    assert isinstance(document.text(), str)


@quick
@given(strategies.collaterals(genuine=True), strategies.collaterals(damage=2))
def test_drawn_collateral_has_all_its_forms(genuine: Collateral, damaged: Collateral) -> None:
    for collateral in (genuine, damaged):
        assert collateral.json().startswith("{")
        assert collateral.flattened()[:4] == b"\4\0\0\0"
        assert len(collateral.pcs()) == 5
        assert collateral.platform_collaterals().startswith("{")


@quick
@given(st.data())
def test_mutations_never_give_the_original_back(data: st.DataObject) -> None:
    original = data.draw(
        st.one_of(
            st.binary(max_size=8),
            strategies.quotes().map(lambda quote: quote.bytes),
            strategies.certificates().map(lambda certificate: certificate.der),
        )
    )
    assert data.draw(strategies.mutations(original)) != original
