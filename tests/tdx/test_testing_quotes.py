# SPDX-License-Identifier: Apache-2.0
"""tdxverify.testing, quotes: their layout is the published one, real quotes come out byte for byte, and each knob changes
what it says and nothing else.

`cryptography` judges the signatures at offsets that are written out here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tdxverify.testing import (
    BODY_SIZES,
    ENCLAVE_LAYOUT,
    HEADER_LAYOUT,
    LENGTH_FIELDS,
    TD_LAYOUT,
    EnclaveReport,
    Header,
    IntelCa,
    Quote,
    TdReport,
    ec_key,
    public_bytes,
)
from tdxverify.testing.strategies import SHAPES

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT.parent / "shared" / "evidence" / "tdx"
REAL = sorted(EVIDENCE.glob("*.quote"))
needs_evidence = pytest.mark.skipif(not EVIDENCE.is_dir(), reason="no real evidence at ../shared/evidence/tdx")

# Offsets with 32 bytes of authentication data: length, signature, AK, outer type, QE report, its signature, length of the
# authentication data, the data, inner type, PEM.
OFFSETS = {
    (3, 1): (432, 436, 500, None, 564, 948, 1012, 1014, 1046, 1052),
    (4, 2): (632, 636, 700, 764, 770, 1154, 1218, 1220, 1252, 1258),
    (5, 3): (702, 706, 770, 834, 840, 1224, 1288, 1290, 1322, 1328),
    (5, 4): (939, 943, 1007, 1071, 1077, 1461, 1525, 1527, 1559, 1565),
}
PLACES = (
    "signature_length", "signature", "attestation_key", "outer_type", "qe_report", "qe_report_signature", "auth_length",
    "auth_data", "cert_type", "cert_data",
)  # fmt: skip


@pytest.fixture(scope="module")
def ca() -> IntelCa:
    return IntelCa()


@pytest.fixture(scope="module")
def quote(ca: IntelCa) -> Quote:
    return ca.quote(5)


# ---- layout ----------------------------------------------------------------------------------------------------------


def test_layouts_have_no_gaps() -> None:
    for layout, end in ((HEADER_LAYOUT, 48), (ENCLAVE_LAYOUT, 384), (TD_LAYOUT, 885)):
        at = 0
        for offset, size in layout.values():
            assert offset == at
            at += size
        assert at == end
    assert {name: TD_LAYOUT[name][0] for name in ("report_data", "tee_tcb_svn_2", "mr_service_td", "vm_id")} == {
        "report_data": 520,
        "tee_tcb_svn_2": 584,
        "mr_service_td": 600,
        "vm_id": 648,
    }
    assert [BODY_SIZES[i] for i in (1, 2, 3, 4)] == [384, 584, 648, 885]


@pytest.mark.parametrize("shape", OFFSETS)
def test_offsets_are_the_published_ones(ca: IntelCa, shape: tuple[int, int]) -> None:
    quote = ca.quote(*shape)
    places, data = quote.places, quote.bytes
    assert tuple(places[name][0] if name in places else None for name in PLACES) == OFFSETS[shape]
    assert data.index(b"-----BEGIN") == OFFSETS[shape][-1]
    assert data.endswith(b"-----END CERTIFICATE-----\n")


def split(data: bytes) -> dict[str, Any]:
    """A quote taken apart by lengths alone, with arithmetic of its own."""
    version = int.from_bytes(data[:2], "little")
    tdx = data[4] == 0x81
    out: dict[str, Any] = {"version": version, "tdx": tdx}
    at = 48
    if version == 5:
        out["kind"], size = int.from_bytes(data[48:50], "little"), int.from_bytes(data[50:54], "little")
        at = 54
    else:
        size = 584 if tdx else 384
    out["body"] = data[at : at + size]
    at += size
    out["signed"] = data[:at]
    length = int.from_bytes(data[at : at + 4], "little")
    at += 4
    section, out["trailing"] = data[at : at + length], data[at + length :]
    assert len(section) == length
    out["signature"], out["ak"], rest = section[:64], section[64:128], section[128:]
    if version > 3:
        assert rest[:2] == b"\6\0"
        assert int.from_bytes(rest[2:6], "little") == len(rest) - 6
        rest = rest[6:]
    out["qe"], out["qe_signature"] = rest[:384], rest[384:448]
    auth = int.from_bytes(rest[448:450], "little")
    out["auth"], rest = rest[450 : 450 + auth], rest[450 + auth :]
    out["cert_type"] = int.from_bytes(rest[:2], "little")
    out["cert_data"] = rest[6:]
    assert int.from_bytes(rest[2:6], "little") == len(rest) - 6
    return out


def verifies(key: bytes | ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    if isinstance(key, bytes):
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + key)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def pck_key(quote: Quote) -> ec.EllipticCurvePublicKey:
    key = x509.load_der_x509_certificate(quote.pck.der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


@pytest.mark.parametrize("which", ["platform", "processor"])
@pytest.mark.parametrize("shape", SHAPES)
def test_signatures_and_binding_hold(ca: IntelCa, shape: tuple[int, int], which: Any) -> None:
    quote = ca.quote(*shape, ca=which, auth_data=b"any length", trailing=b"\0\0")
    got = split(quote.bytes)
    assert (got["version"], got["tdx"], got.get("kind", shape[1])) == (shape[0], shape[1] > 1, shape[1])
    assert len(got["body"]) == BODY_SIZES[shape[1]]
    assert verifies(got["ak"], got["signature"], got["signed"])
    assert verifies(pck_key(quote), got["qe_signature"], got["qe"])
    assert got["qe"][320:] == hashlib.sha256(got["ak"] + got["auth"]).digest() + bytes(32)
    assert (got["auth"], got["trailing"], got["cert_type"]) == (b"any length", b"\0\0", 5)
    chain = x509.load_pem_x509_certificates(got["cert_data"])
    assert len(chain) == 3
    for certificate, issuer in zip(chain, (*chain[1:], chain[2]), strict=True):
        certificate.verify_directly_issued_by(issuer)
    assert len(quote) == len(quote.bytes) == len(bytes(quote))


# ---- real quotes -----------------------------------------------------------------------------------------------------


@needs_evidence
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_quote_is_rebuilt_byte_for_byte(ca: IntelCa, path: Path) -> None:
    """Given the signatures, the AK and the certification data, everything else comes out as it was."""
    real = path.read_bytes()
    got = split(real)
    body = got["body"]
    kind = got.get("kind", 2 if got["tdx"] else 1)
    quote = Quote(
        pck=ca.pck(),
        chain=(),
        header=Header.parse(real[:48]),
        body=TdReport.parse(body).replace(body_type=kind) if got["tdx"] else EnclaveReport.parse(body),
        signature=got["signature"],
        attestation_key=got["ak"],
        qe_report=EnclaveReport.parse(got["qe"]),
        qe_report_signature=got["qe_signature"],
        auth_data=got["auth"],
        cert_type=got["cert_type"],
        cert_data=got["cert_data"],
        trailing=got["trailing"],
    )
    assert quote.bytes == real
    assert quote.binding == got["qe"][320:]
    assert verifies(got["ak"], got["signature"], quote.signed_part())


# ---- one thing wrong -------------------------------------------------------------------------------------------------


def differing(a: Quote, b: bytes) -> set[str]:
    """The parts in which a quote and some bytes of its length differ."""
    assert len(a.bytes) == len(b)
    parts = {n: p for n, p in a.places.items() if "." not in n}
    return {name for name, (at, size) in parts.items() if a.bytes[at : at + size] != b[at : at + size]}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", LENGTH_FIELDS)
@pytest.mark.parametrize("how", ["zero", "less", "more", "most"])
def test_a_length_lies_alone(ca: IntelCa, shape: tuple[int, int], name: str, how: str) -> None:
    quote = ca.quote(*shape)
    if name not in quote.places:
        assert name in ("outer_size", "body_size")
        assert shape[0] == 3 or name == "body_size"
        return
    at, width = quote.places[name]
    assert width == LENGTH_FIELDS[name]
    true = int.from_bytes(quote.bytes[at : at + width], "little")
    told = {"zero": 0, "less": true - 1, "more": true + 1, "most": 256**width - 1}[how]
    lying = quote.replace(**{name: told})
    assert int.from_bytes(lying.bytes[at : at + width], "little") == told
    assert differing(quote, lying.bytes) == {name} | ({"signature"} if name == "body_size" else set())
    assert lying.places == quote.places


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"signature": bytes(64)}, {"signature"}),
        ({"signer": ec_key("x")}, {"signature"}),
        ({"signed": b"other"}, {"signature"}),
        ({"hash_name": "sha384"}, {"signature"}),
        ({"attestation_key": public_bytes(ec_key("x"))}, {"attestation_key", "qe_report", "qe_report_signature"}),
        ({"ak": ec_key("x")}, {"signature", "attestation_key", "qe_report", "qe_report_signature"}),
        ({"qe_signer": ec_key("x")}, {"qe_report_signature"}),
        ({"qe_report_signature": bytes(64)}, {"qe_report_signature"}),
        ({"qe_report_data": bytes(64)}, {"qe_report", "qe_report_signature"}),
        ({"qe_isv_svn": 0}, {"qe_report", "qe_report_signature"}),
        ({"auth_data": bytes(32)}, {"auth_data", "qe_report", "qe_report_signature"}),
        ({"outer_type": 5}, {"outer_type"}),
        ({"body_type": 4}, {"body_type", "signature"}),
        ({"mr_td": bytes(48)}, {"body", "signature"}),
        ({"td_attributes": 1}, {"body", "signature"}),
        ({"user_data": bytes(20)}, {"header", "signature"}),
        ({"version": 4, "layout": 5}, {"header", "signature"}),
        ({"patches": {0: b"\x09"}}, {"header", "signature"}),
        ({"post_patches": {0: b"\x09"}}, {"header"}),
    ],
    ids=lambda v: "-".join(v) if isinstance(v, dict) else "",
)
def test_a_change_touches_what_it_has_to(quote: Quote, change: dict[str, Any], parts: set[str]) -> None:
    other = quote.replace(**change)
    assert differing(quote, other.bytes) == parts
    wrong = {"signature", "signer", "signed", "hash_name", "attestation_key", "post_patches"}
    data = other.bytes
    assert verifies(data[770:834], data[706:770], data[:702]) == (not wrong & set(change))
    assert verifies(pck_key(quote), data[1224:1288], data[840:1224]) == (
        not {"qe_signer", "qe_report_signature"} & set(change)
    )
    binding = hashlib.sha256(data[770:834] + data[1290:1322]).digest() + bytes(32)
    assert (data[840 + 320 : 1224] == binding) == ("qe_report_data" not in change)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_field_lands_in_its_place(ca: IntelCa, shape: tuple[int, int]) -> None:
    base = ca.quote(*shape)
    if shape[1] > 2:
        base = base.replace(tee_tcb_svn_2=b"\5" * 16)  # else it follows TEE_TCB_SVN
    for part, prefix in (("header", ""), ("body", ""), ("qe_report", "qe_")):
        for place, (at, size) in base.places.items():
            if not place.startswith(f"{part}."):
                continue
            name = place.split(".")[1]
            if part == "header" and name == "version":
                continue
            value = hashlib.shake_256(place.encode()).digest(size)
            other = base.replace(**{prefix + name: value}).bytes
            assert other[at : at + size] == value
            start, length = base.places[part]
            changed = [i for i in range(start, start + length) if other[i] != base.bytes[i]]
            assert set(changed) <= set(range(at, at + size))
            number = base.replace(**{prefix + name: int.from_bytes(value, "little")})
            assert number.bytes == other


def test_authentication_data_of_any_length(ca: IntelCa) -> None:
    for size in (0, 1, 32, 65535):
        got = split(ca.quote(4, auth_data=b"x" * size).bytes)
        assert got["auth"] == b"x" * size
        assert got["qe"][320:352] == hashlib.sha256(got["ak"] + got["auth"]).digest()


def test_certification_data(ca: IntelCa, quote: Quote) -> None:
    sgx = quote.pck.sgx
    tail = bytes(sgx.components) + sgx.pce_svn.to_bytes(2, "little") + sgx.pce_id
    data = {kind: split(quote.replace(cert_type=kind).bytes)["cert_data"] for kind in (1, 2, 3, 4, 5, 7)}
    assert data[1] == sgx.ppid + tail
    assert (len(data[2]), len(data[3])) == (276, 404)
    assert data[2].endswith(tail)
    assert data[3].endswith(tail)
    assert data[4] == quote.pck.pem
    assert data[5] == quote.pck.pem + ca.platform.pem + ca.root.pem
    assert split(quote.replace(cert_data=b"").bytes)["cert_data"] == b""
    inner = split(quote.nested().bytes)
    assert inner["cert_type"] == 6
    assert inner["cert_data"][:384] == split(quote.bytes)["qe"]
    assert inner["cert_data"].endswith(data[5])
    short = ca.quote(5, chain=(quote.pck,))
    assert split(short.bytes)["cert_data"] == quote.pck.pem


def test_damage_after_signing(quote: Quote) -> None:
    for place, (_, size) in quote.places.items():
        if size:
            damaged = quote.flipped(place, byte=-1, bit=3)
            assert sum(a != b for a, b in zip(damaged, quote.bytes, strict=True)) == 1
            assert differing(quote, damaged) == {place.split(".")[0]}
    at = quote.places["body.mr_td"][0]
    assert quote.overwritten("body.mr_td", b"abc")[at : at + 3] == b"abc"
    with pytest.raises(ValueError, match="has 48 bytes"):
        quote.overwritten("body.mr_td", bytes(49))
    with pytest.raises(ValueError, match="has 2 bytes"):
        quote.flipped("auth_length", byte=2)


def test_misspelt_and_misfit_knobs(ca: IntelCa, quote: Quote) -> None:
    for name in ("mrtd", "qe_svn_2", "mr_enclave"):
        with pytest.raises(TypeError, match=name):
            quote.replace(**{name: 0})
    with pytest.raises(ValueError, match="mr_td has 48 bytes, not 47"):
        quote.replace(mr_td=bytes(47)).bytes  # noqa: B018
    assert ca.quote(3).replace(mr_enclave=bytes(32)).places["body.mr_enclave"] == (48 + 64, 32)
    assert quote.replace(version=9, layout=5).bytes[:2] == b"\x09\0"


def test_no_fields_are_alike(ca: IntelCa) -> None:
    """Digests differ by default, so that a wrong offset shows."""
    quote = ca.quote(5, 4)
    values = [quote.bytes[a : a + n] for p, (a, n) in quote.places.items() if n >= 32 and "." in p]
    filled = [value for value in values if any(value)]
    assert len(filled) == len(set(filled)) >= 8
