"""Collateral in every serialisation: taken apart into the same parts, put together again, and refused by name when it is none of them."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tdxverify.collateral import Collateral, CollateralError, PlatformCollaterals, QveCollateral, open_collateral

EVIDENCE = Path(__file__).resolve().parents[3] / "shared" / "evidence" / "tdx"
FILES = sorted(EVIDENCE.glob("*.json"))
BUNDLES = [path for path in FILES if path.name != "manifest.json"]
needs_evidence = pytest.mark.skipif(not BUNDLES, reason="no ../shared/evidence/tdx")

# Parts of no meaning: the forms are told from the container alone.
PARTS = Collateral(
    tcb_info_chain=b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
    tcb_info=b'{"id":"TDX","note":"\\u00e9 \xc3\xa9"}',
    tcb_info_signature=bytes(range(64)),
    identity_chain=b"-----BEGIN CERTIFICATE-----\nAB==\n-----END CERTIFICATE-----\n",
    identity=b'{"id": "TD_QE"}',
    identity_signature=bytes(range(64, 128)),
    root_crl=b"\x30\x03\x02\x01\x01",
    pck_crl_chain=b"-----BEGIN CERTIFICATE-----\nA+/=\n-----END CERTIFICATE-----\n",
    pck_crl=b"\x30\x03\x02\x01\x02",
)


def problem(call: Any, *args: Any, **named: Any) -> CollateralError:
    with pytest.raises(CollateralError) as caught:
        call(*args, **named)
    return caught.value


def changed(**members: Any) -> bytes:
    """PARTS as QuoteCollateralV3 JSON with some members changed; None takes one out."""
    table = json.loads(PARTS.to_json())
    table.update(members)
    return json.dumps({name: value for name, value in table.items() if value is not None}).encode()


# ---- real ------------------------------------------------------------------------------------------------------------


@needs_evidence
@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_real_collateral_goes_through_every_form(path: Path) -> None:
    data = path.read_bytes()
    parts = open_collateral(data)
    table = json.loads(data)
    assert parts.tcb_info == table["tcb_info"].encode()
    assert parts.identity_signature.hex() == table["qe_identity_signature"].lower()
    assert parts.root_crl.hex() == table["root_ca_crl"].lower()
    assert open_collateral(parts.to_json()) == parts
    bare = replace(parts, pck_chain=b"")
    for version in (3, 0x10003, 4):
        assert open_collateral(bare.to_flattened("tdx", version=version)) == bare
        assert Collateral.from_qve(bare.to_qve("tdx", version=version)) == bare
    assert Collateral.from_pcs(**parts.to_pcs()) == parts


# ---- QuoteCollateralV3 -----------------------------------------------------------------------------------------------


def test_json_holds_every_part() -> None:
    whole = replace(PARTS, pck_chain=b"-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n")
    assert all(getattr(whole, field.name) for field in fields(whole))
    assert open_collateral(whole.to_json()) == whole


@pytest.mark.parametrize(
    "text",
    [
        "3003020101",
        "3003020101\0",
        "MAMCAQE=",
        "-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n",
        "-----BEGIN X509 CRL-----\r\nMAMC\r\nAQE=\r\n-----END X509 CRL-----",
    ],
)
def test_a_crl_may_be_hex_base64_or_pem(text: str) -> None:
    assert open_collateral(changed(root_ca_crl=text)) == PARTS


def test_a_whole_response_may_stand_where_the_object_does() -> None:
    whole = PARTS.to_pcs()["tcb_info"].decode()
    assert open_collateral(changed(tcb_info=whole, tcb_info_signature=None)) == PARTS


def test_a_nul_behind_a_chain_goes() -> None:
    chain = PARTS.tcb_info_chain.decode() + "\0"
    assert open_collateral(changed(tcb_info_issuer_chain=chain)) == PARTS


@pytest.mark.parametrize(
    "members",
    [
        {"tcb_info": None},
        {"tcb_info": {"id": "TDX"}},
        {"tcb_info": "\ud800"},
        {"tcb_info_signature": "00"},
        {"tcb_info_signature": "0x" + "00" * 63},
        {"tcb_info_signature": " " + "00" * 63 + " "},
        {"tcb_info_signature": 7},
        {"root_ca_crl": "not a crl!"},
        {"root_ca_crl": "30030"},
        {"pck_crl": None},
        {"pck_crl_issuer_chain": ["x"]},
        {"pck_certificate_chain": 7},
    ],
)
def test_a_wrong_member_is_malformed(members: dict[str, Any]) -> None:
    assert problem(open_collateral, changed(**members)).code == "collateral-malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        PARTS.to_json() + b"x",
        PARTS.to_json()[:-1],
        b'{"tcb_info":"a",' + PARTS.to_json().lstrip()[1:],
        b'{"a":NaN}',
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_strict_json_is_malformed(data: bytes) -> None:
    assert problem(open_collateral, data).code == "collateral-malformed"


def test_nesting_and_size_are_bounded() -> None:
    assert problem(open_collateral, b'{"a":' * 200_000).code == "collateral-too-large"
    assert problem(open_collateral, bytes((16 << 20) + 1)).code == "collateral-too-large"


def test_a_caller_s_mistake_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="collateral is str"):
        open_collateral("{}")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="tcb_info is str"):
        Collateral(tcb_info="x")  # type: ignore[arg-type]


# ---- flattened -------------------------------------------------------------------------------------------------------

FLAT = PARTS.to_flattened()


def test_the_flattened_form_is_laid_out_as_the_structure() -> None:
    assert FLAT[:8] == b"\x04\0\0\0\x81\0\0\0"
    sizes = [int.from_bytes(FLAT[8 + 16 * i + 8 : 8 + 16 * i + 12], "little") for i in range(7)]
    assert 120 + sum(sizes) == len(FLAT)
    assert FLAT[120 : 120 + sizes[0]] == PARTS.pck_crl_chain + b"\0"
    assert FLAT[120 + sizes[0] : 120 + sizes[0] + sizes[1]] == PARTS.root_crl


def test_pointers_mean_nothing() -> None:
    data = bytearray(FLAT)
    for i in range(7):
        data[8 + 16 * i : 16 + 16 * i] = b"\xde\xad\xbe\xef\0\x7f\0\0"
        data[20 + 16 * i : 24 + 16 * i] = b"\xff" * 4
    assert open_collateral(bytes(data)) == PARTS


@pytest.mark.parametrize("cut", [*range(4, 121, 7), 121, len(FLAT) // 2, len(FLAT) - 1])
def test_a_cut_flattened_form_is_malformed(cut: int) -> None:
    assert problem(open_collateral, FLAT[:cut]).code == "collateral-malformed"


def test_a_flattened_form_ends_exactly() -> None:
    assert problem(open_collateral, FLAT + b"\0").code == "collateral-malformed"


@pytest.mark.parametrize("size", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("blob", range(7))
def test_a_lying_size_is_malformed(blob: int, size: int) -> None:
    data = bytearray(FLAT)
    data[16 + 16 * blob : 20 + 16 * blob] = size.to_bytes(4, "little")
    assert problem(open_collateral, bytes(data)).code == "collateral-malformed"


@pytest.mark.parametrize("head", [b"\x05\0\0\0\x81\0\0\0", b"\x04\0\0\0\x82\0\0\0", b"\x02\0\0\0\x81\0\0\0"])
def test_other_versions_and_tees_are_malformed(head: bytes) -> None:
    assert problem(Collateral.from_flattened, head + FLAT[8:]).code == "collateral-malformed"


def test_the_structure_has_no_place_for_a_pck_chain() -> None:
    with pytest.raises(ValueError, match="no place for pck_chain"):
        replace(PARTS, pck_chain=b"x").to_flattened()
    with pytest.raises(ValueError, match="version 2"):
        PARTS.to_qve(version=2)


def test_version_1_has_its_crls_in_pem() -> None:
    pem = b"-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n\0"
    qve = PARTS.to_qve()
    assert Collateral.from_qve(replace(qve, version=1, root_ca_crl=pem)) == PARTS
    assert isinstance(qve, QveCollateral)


# ---- PCS -------------------------------------------------------------------------------------------------------------


def test_chains_of_headers_are_url_encoded_once() -> None:
    pcs = PARTS.to_pcs()
    assert b"%20" in pcs["tcb_info_issuer_chain"]
    assert b"+" not in pcs["pck_crl_issuer_chain"]
    assert Collateral.from_pcs(**pcs) == PARTS
    assert Collateral.from_pcs(**{**pcs, "tcb_info_issuer_chain": PARTS.tcb_info_chain}) == PARTS
    twice = pcs["tcb_info_issuer_chain"].replace(b"%", b"%25")
    assert problem(Collateral.from_pcs, tcb_info_issuer_chain=twice).code == "collateral-malformed"
    assert problem(Collateral.from_pcs, tcb_info_issuer_chain=b"%2").code == "collateral-malformed"


def test_a_plus_in_a_header_is_base64() -> None:
    chain = "-----BEGIN CERTIFICATE-----%0AA+/=%0A-----END CERTIFICATE-----%0A"
    assert Collateral.from_pcs(pck_crl_issuer_chain=chain).pck_crl_chain == PARTS.pck_crl_chain


@pytest.mark.parametrize(
    "body",
    [
        b'{"tcbInfo":{}}',
        b'{"signature":"' + b"00" * 64 + b'"}',
        b'{"tcbInfo":{},"signature":"00"}',
        b'{"tcbInfo":{},"tcbInfo":{},"signature":"' + b"00" * 64 + b'"}',
        b'{"tcbInfo":{},"signature":"' + b"00" * 64 + b'","more":1}',
        b'{"tcb\\u0049nfo":{},"tcbInfo":{},"signature":"' + b"00" * 64 + b'"}',
        b'{"TCBInfo":{},"signature":"' + b"00" * 64 + b'"}',
        b'{"enclaveIdentity":{},"signature":"' + b"00" * 64 + b'"}',
        b'{"tcbInfo":{},"signature":"' + b"00" * 64 + b'"} {}',
        b'x{"tcbInfo":{},"signature":"' + b"00" * 64 + b'"}',
    ],
)
def test_a_response_has_its_two_members_and_no_other(body: bytes) -> None:
    assert problem(Collateral.from_pcs, tcb_info=body).code == "collateral-malformed"


def test_the_inner_object_is_taken_verbatim() -> None:
    inner = b'{ "id" : "TDX", "tcbInfo" : {"signature":"x"} ,"s":"}\\"," }'
    body = b'{"signature":"' + b"AB" * 64 + b'" , "tcbInfo" : ' + inner + b" }"
    parts = Collateral.from_pcs(tcb_info=body)
    assert (parts.tcb_info, parts.tcb_info_signature) == (inner, b"\xab" * 64)


# ---- platform_collaterals.json ---------------------------------------------------------------------------------------


def platform_file(*, as_object: bool = False) -> bytes:
    pcs = {name: value.decode() for name, value in PARTS.to_pcs().items() if name not in ("pck_crl", "root_ca_crl")}
    response: Any = json.loads(pcs["tcb_info"]) if as_object else pcs["tcb_info"]
    return json.dumps(
        {
            "platforms": [],
            "collaterals": {
                "version": 3,
                "tcbinfos": [
                    {"fmspc": "00806F050000", "sgx_tcbinfo": "", "tdx_tcbinfo_early": response},
                    {"fmspc": "50806F000000", "tdx_tcbinfo": response},
                ],
                "pckcacrl": {"processorCrl": "3003020103", "platformCrl": PARTS.pck_crl.hex()},
                "qeidentity": "",
                "tdqeidentity": pcs["qe_identity"],
                "certificates": {
                    "SGX-PCK-Certificate-Issuer-Chain": {"PROCESSOR": "%2D", "PLATFORM": pcs["pck_crl_issuer_chain"]},
                    "TCB-Info-Issuer-Chain": pcs["tcb_info_issuer_chain"],
                    "SGX-Enclave-Identity-Issuer-Chain": pcs["qe_identity_issuer_chain"],
                },
                "rootcacrl": PARTS.root_crl.hex(),
            },
        },
        ensure_ascii=False,
    ).encode()


def test_a_file_of_many_platforms_gives_the_one_asked_for() -> None:
    many = PlatformCollaterals.from_json(platform_file())
    assert many.fmspcs == ("00806f050000", "50806f000000")
    assert many.collateral(bytes.fromhex("50806f000000"), "platform") == PARTS
    other = many.collateral(bytes.fromhex("50806f000000"), "processor")
    assert (other.pck_crl, other.pck_crl_chain) == (b"\x30\x03\x02\x01\x03", b"-")
    assert many.collateral(bytes.fromhex("00806f050000"), "platform").tcb_info == b""
    early = many.collateral(bytes.fromhex("00806f050000"), "platform", early=True)
    assert (early.tcb_info, early.identity) == (PARTS.tcb_info, b"")


def test_objects_are_written_compact_as_intel_writes_them() -> None:
    many = PlatformCollaterals.from_json(platform_file(as_object=True))
    parts = many.collateral(bytes.fromhex("50806f000000"), "platform")
    assert parts.tcb_info == '{"id":"TDX","note":"é é"}'.encode()
    assert parts.tcb_info_signature == PARTS.tcb_info_signature


def test_a_file_of_many_platforms_is_not_taken_for_one() -> None:
    error = problem(open_collateral, platform_file())
    assert (error.code, "many platforms" in error.detail) == ("collateral-malformed", True)
    assert problem(PlatformCollaterals.from_json, b"{}").code == "collateral-malformed"
    assert problem(PlatformCollaterals.from_json, b"[]").code == "collateral-malformed"


# ---- anything --------------------------------------------------------------------------------------------------------


KNOWN = {"collateral-malformed", "collateral-too-large"}


def code_of(data: bytes) -> str | None:
    try:
        open_collateral(data)
    except CollateralError as error:
        return error.code
    return None


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda tail: FLAT[:8] + tail)))
def test_any_bytes_give_a_known_code(data: bytes) -> None:
    assert code_of(data) in KNOWN
