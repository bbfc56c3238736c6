# SPDX-License-Identifier: Apache-2.0
"""tdxverify.testing, signed JSON and collateral: what it calls genuine has Intel's form, and each damage is where it was
asked for and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tdxverify.testing import (
    AT,
    FLAT_PARTS,
    Collateral,
    EnclaveIdentity,
    IntelCa,
    IsvLevel,
    Members,
    Quote,
    Raw,
    SignedDocument,
    TcbInfo,
    TcbLevel,
    TdxModule,
    ec_key,
    nested,
    to_json,
)

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT.parent / "shared" / "evidence" / "tdx"
BUNDLES = sorted(EVIDENCE.glob("*.eval*.json"))
needs_evidence = pytest.mark.skipif(not EVIDENCE.is_dir(), reason="no real evidence at ../shared/evidence/tdx")


@pytest.fixture(scope="module")
def ca() -> IntelCa:
    return IntelCa()


@pytest.fixture(scope="module")
def quote(ca: IntelCa) -> Quote:
    return ca.quote(5)


@pytest.fixture(scope="module")
def info(ca: IntelCa, quote: Quote) -> TcbInfo:
    return ca.tcb_info(quote)


# ---- real documents --------------------------------------------------------------------------------------------------


def isv_levels(levels: list[Any]) -> tuple[IsvLevel, ...]:
    return tuple(
        IsvLevel(
            isv_svn=e["tcb"]["isvsvn"],
            status=e["tcbStatus"],
            date=e["tcbDate"],
            advisories=tuple(e.get("advisoryIDs", ())),
        )
        for e in levels
    )


def module(given: dict[str, Any]) -> TdxModule:
    levels = isv_levels(given["tcbLevels"]) if "tcbLevels" in given else None
    return TdxModule(
        id=given.get("id"), mr_signer=given["mrsigner"], attributes=given["attributes"],
        attributes_mask=given["attributesMask"], levels=levels,
    )  # fmt: skip


def svns(given: list[Any]) -> tuple[int, ...]:
    return tuple(component["svn"] for component in given)


def without_labels(value: Any) -> Any:
    """The same without the names of components, which differ from one processor to the next."""
    if isinstance(value, dict):
        return {k: without_labels(v) for k, v in value.items() if k not in ("category", "type")}
    return [without_labels(v) for v in value] if isinstance(value, list) else value


@needs_evidence
def test_real_tcb_infos_are_rebuilt() -> None:
    labelled = 0
    for path in BUNDLES:
        text = json.loads(path.read_text())["tcb_info"]
        real = json.loads(text)
        levels = tuple(
            TcbLevel(
                sgx=svns(e["tcb"]["sgxtcbcomponents"]),
                pce_svn=e["tcb"]["pcesvn"],
                tdx=svns(e["tcb"]["tdxtcbcomponents"]) if "tdxtcbcomponents" in e["tcb"] else None,
                status=e["tcbStatus"],
                date=e["tcbDate"],
                advisories=tuple(e.get("advisoryIDs", ())),
            )
            for e in real["tcbLevels"]
        )
        modules = real.get("tdxModuleIdentities")
        info = TcbInfo(
            id=real["id"], version=real["version"], issue_date=real["issueDate"], next_update=real["nextUpdate"],
            fmspc=real["fmspc"], pce_id=real["pceId"], tcb_type=real["tcbType"], levels=levels,
            tcb_evaluation_data_number=real["tcbEvaluationDataNumber"],
            tdx_module=module(real["tdxModule"]) if "tdxModule" in real else None,
            modules=None if modules is None else tuple(map(module, modules)),
        )  # fmt: skip
        assert to_json(without_labels(json.loads(info.text()))) == to_json(without_labels(real))
        assert to_json(real) == text
        labelled += info.text() == text
    assert labelled >= 10  # with their labels too


@needs_evidence
def test_real_identities_are_rebuilt_byte_for_byte() -> None:
    assert len(BUNDLES) >= 30
    for path in BUNDLES:
        text = json.loads(path.read_text())["qe_identity"]
        real = json.loads(text)
        identity = EnclaveIdentity(
            id=real["id"], version=real["version"], issue_date=real["issueDate"], next_update=real["nextUpdate"],
            tcb_evaluation_data_number=real["tcbEvaluationDataNumber"], misc_select=real["miscselect"],
            misc_select_mask=real["miscselectMask"], attributes=real["attributes"], attributes_mask=real["attributesMask"],
            mr_signer=real["mrsigner"], isv_prod_id=real["isvprodid"], levels=isv_levels(real["tcbLevels"]),
        )  # fmt: skip
        assert identity.text() == text


@needs_evidence
def test_collateral_has_the_members_of_the_real_ones(ca: IntelCa, quote: Quote) -> None:
    ours = json.loads(ca.collateral(quote).json())
    for path in BUNDLES:
        real = json.loads(path.read_text())
        assert list(real) == list(ours)
        assert {name: type(value) for name, value in real.items()} == {
            name: type(value) for name, value in ours.items()
        }
        for name in real:
            if name.endswith("_chain"):
                assert ours[name].count("-----BEGIN") == real[name].count("-----BEGIN") == 2
                assert ours[name].endswith("-----END CERTIFICATE-----\n")


# ---- documents -------------------------------------------------------------------------------------------------------


def verifies(document: SignedDocument, signer: Any) -> bool:
    key = x509.load_der_x509_certificate(signer.der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(document.signature[:32], "big"), int.from_bytes(document.signature[32:], "big")
    try:
        key.verify(utils.encode_dss_signature(r, s), document.body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def test_documents_are_signed_over_their_bytes(ca: IntelCa, quote: Quote, info: TcbInfo) -> None:
    documents = (info, ca.qe_identity(quote), ca.evaluation_numbers(), EnclaveIdentity.of("QVE", at=AT))
    members = ("tcbInfo", "enclaveIdentity", "tcbEvaluationDataNumbers", "enclaveIdentity")
    for document, member in zip(documents, members, strict=True):
        signed = ca.sign(document)
        assert verifies(signed, ca.tcb_signing)
        assert signed.chain == (ca.tcb_signing, ca.root)
        whole = json.loads(signed.response)
        assert list(whole) == [member, "signature"]
        assert bytes.fromhex(whole["signature"]) == signed.signature
        assert whole[member] == json.loads(signed.text) == document.to_dict()
        assert signed.response.index(signed.body) == len(member) + 4
        assert b" " not in json.dumps(whole[member]["id"]).encode()
        assert whole[member]["issueDate"] == "2025-06-10T00:00:00Z"
        assert whole[member]["nextUpdate"] == "2025-07-10T00:00:00Z"
        assert verifies(ca.sign(document, spaced=True), ca.tcb_signing)
        assert ca.sign(document, spaced=True).text == signed.reserialised().text != signed.text


def test_documents_fit_their_quote(ca: IntelCa) -> None:
    pck = ca.pck(fmspc=b"abcdef", pce_id=b"\1\2", components=tuple(range(16)), pce_svn=9)
    tdx = json.loads(ca.tcb_info(ca.quote(4, pck=pck, tee_tcb_svn=bytes([3, 0x1A, *range(2, 16)]))).text())
    assert (tdx["id"], tdx["version"], tdx["fmspc"], tdx["pceId"]) == ("TDX", 3, "616263646566", "0102")
    assert [m["id"] for m in tdx["tdxModuleIdentities"]] == ["TDX_1A"]
    assert [level["tcb"]["isvsvn"] for level in tdx["tdxModuleIdentities"][0]["tcbLevels"]] == [3, 2]
    level = tdx["tcbLevels"][0]
    assert svns(level["tcb"]["sgxtcbcomponents"]) == tuple(range(16))
    assert svns(level["tcb"]["tdxtcbcomponents"]) == (3, 0, *range(2, 16))
    assert (level["tcb"]["pcesvn"], level["tcbStatus"]) == (9, "UpToDate")
    sgx = json.loads(ca.tcb_info(ca.quote(3, pck=pck)).text())
    assert sgx["id"] == "SGX"
    assert not {"tdxModule", "tdxModuleIdentities"} & set(sgx)
    assert "tdxtcbcomponents" not in sgx["tcbLevels"][0]["tcb"]
    two = json.loads(ca.tcb_info(ca.quote(3, pck=pck), version=2).text())
    assert "id" not in two
    assert list(two["tcbLevels"][0]["tcb"]) == [*(f"sgxtcbcomp{i:02}svn" for i in range(1, 17)), "pcesvn"]
    assert json.loads(ca.qe_identity(ca.quote(3)).text())["id"] == "QE"
    assert json.loads(ca.qe_identity(ca.quote(4, 1)).text())["id"] == "QE"
    assert json.loads(ca.qe_identity(ca.quote(5)).text())["id"] == "TD_QE"
    old = ca.tcb_info(ca.quote(4, tee_tcb_svn=bytes(16)))
    assert old.modules == ()
    assert "tdxModuleIdentities" not in json.loads(old.replace(modules=None).text())


def test_statuses_have_something_above_where_they_need_it(ca: IntelCa, quote: Quote) -> None:
    for status, above in (("OutOfDate", True), ("Revoked", True), ("UpToDate", False), ("SWHardeningNeeded", False)):
        levels = json.loads(ca.tcb_info(quote, status=status, advisories=["A"]).text())["tcbLevels"]
        assert [e["tcbStatus"] for e in levels] == [*(["UpToDate"] if above else []), status, "OutOfDate"]
        assert levels[above]["advisoryIDs"] == ["A"]


def pairs(text: str) -> Any:
    """JSON with every object as a list of its members, so that double ones are seen."""
    return json.loads(text, object_pairs_hook=list)


def test_damage_is_done_in_one_place(info: TcbInfo) -> None:
    base = pairs(info.text())
    names = [name for name, _ in base]

    def member(document: TcbInfo) -> list[Any]:
        return [name for name, _ in pairs(document.text())]

    assert member(info.drop("fmspc")) == [n for n in names if n != "fmspc"]
    assert member(info.rename("fmspc", "FMSPC")) == ["FMSPC" if n == "fmspc" else n for n in names]
    assert member(info.duplicate("fmspc")) == [n for n in names for _ in range(2 if n == "fmspc" else 1)]
    doubled = pairs(info.duplicate("fmspc", "x").text())
    at = names.index("fmspc")
    assert [v for _, v in doubled[at : at + 2]] == [base[at][1], "x"]
    assert [v for _, v in pairs(info.duplicate("fmspc", "x", first=True).text())[at : at + 2]] == ["x", base[at][1]]
    assert member(info.first("tcbLevels")) == ["tcbLevels", *names[:-1]]
    assert pairs(info.put("more", {"a": [1, None]}).text()) == [*base, ("more", [("a", [1, None])])]
    put = json.loads(info.put("tcbLevels/0/tcb/sgxtcbcomponents/3/svn", 256).text())
    assert put["tcbLevels"][0]["tcb"]["sgxtcbcomponents"][3]["svn"] == 256
    put["tcbLevels"][0]["tcb"]["sgxtcbcomponents"][3]["svn"] = 2
    assert put == json.loads(info.text())
    levels = json.loads(info.text())["tcbLevels"]
    assert json.loads(info.drop("tcbLevels/0").text())["tcbLevels"] == levels[1:]
    assert json.loads(info.duplicate("tcbLevels/1").text())["tcbLevels"] == [levels[0], levels[1], levels[1]]
    assert json.loads(info.first("tcbLevels/1").text())["tcbLevels"] == [levels[1], levels[0]]
    assert json.loads(info.put("tcbLevels/2", 7).text())["tcbLevels"] == [*levels, 7]
    assert '"tcbType":00,' in info.put("tcbType", Raw("00")).text()
    assert info.put("x", nested(50)).text().endswith('"x":' + "[" * 50 + "]" * 50 + "}")
    assert json.loads(to_json(nested(3, kind="object"))) == {"a": {"a": {"a": 0}}}
    assert to_json(Members([["a", 1], ["a", 2]])) == '{"a":1,"a":2}'
    assert info.put("fmspc", "é").text().count("é") == 1
    assert info.replace(fmspc="aAbB").text().count('"aAbB"') == 1
    assert info.drop("fmspc").replace(tcb_type=1).text().count('"tcbType":1') == 1
    for path in ("nothing", "tdxModule/nothing"):
        with pytest.raises(KeyError, match="nothing"):
            info.drop(path).text()
    with pytest.raises(TypeError):
        info.replace(fmspd="")


def test_signatures_can_be_wrong(ca: IntelCa, info: TcbInfo) -> None:
    good = ca.sign(info)
    for wrong in (
        good.reserialised(),
        good.reserialised(spaced=False, sort=True),
        good.replace(text=good.text + " "),
        good.replace(signature=bytes(64)),
        ca.sign(info, signed=b"other"),
        ca.sign(info, signer=ec_key("x")),
        ca.sign(info, signature=good.signature[::-1]),
    ):
        assert not verifies(wrong, ca.tcb_signing)
        assert json.loads(wrong.text.strip()) == json.loads(good.text)
    assert good.reserialised(spaced=False) == good
    assert ca.sign(good.text) == good
    assert ca.sign("no JSON", member="enclaveIdentity").response.startswith(b'{"enclaveIdentity":no JSON,')
    assert ca.sign(info, chain=(ca.root,)).chain_pem == ca.root.pem.decode()


# ---- collateral ------------------------------------------------------------------------------------------------------


def test_collateral_has_the_crls_of_the_right_ca(ca: IntelCa) -> None:
    which: Any
    for which in ("platform", "processor"):
        quote = ca.quote(4, ca=which)
        collateral = ca.collateral(quote, revoked=[5], root_revoked=[6, 7])
        issuer = x509.load_der_x509_certificate(ca.pck_ca(quote.pck.ca).der)
        crl, root_crl = (x509.load_der_x509_crl(c) for c in (collateral.pck_crl, collateral.root_ca_crl))
        assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        assert root_crl.is_signature_valid(x509.load_der_x509_certificate(ca.root_der).public_key())  # type: ignore[arg-type]
        assert [e.serial_number for e in crl] == [5]
        assert [e.serial_number for e in root_crl] == [6, 7]
        chain = x509.load_pem_x509_certificates(collateral.pck_crl_issuer_chain.encode())
        assert [c.subject for c in chain] == [issuer.subject, issuer.issuer]
        for made in (crl, root_crl):
            assert made.next_update_utc is not None
            assert made.last_update_utc < AT < made.next_update_utc


def test_parts_of_collateral(ca: IntelCa, quote: Quote) -> None:
    collateral = ca.collateral(quote)
    base = json.loads(collateral.json())

    def changed(other: str) -> set[str]:
        members = json.loads(other)
        return {name for name in {*base, *members} if base.get(name) != members.get(name)}

    assert changed(collateral.json()) == set()
    assert changed(collateral.json(pck_crl="00", more=1)) == {"pck_crl", "more"}
    assert "root_ca_crl" not in json.loads(collateral.json(root_ca_crl=None))
    assert changed(collateral.replace(pck_crl=ca.pck_crl([1])).json()) == {"pck_crl"}
    assert changed(collateral.replace(root_ca_crl=b"x").json()) == {"root_ca_crl"}
    damaged = collateral.replace(tcb_info=collateral.tcb_info.replace(signature=bytes(64)))
    assert changed(damaged.json()) == {"tcb_info_signature"}
    with_leaf = collateral.tcb_info.replace(chain=(ca.tcb_signing.replace(serial=1), ca.root))
    assert changed(collateral.replace(tcb_info=with_leaf).json()) == {"tcb_info_issuer_chain"}
    assert changed(ca.collateral(quote, status="Revoked").json()) == {"tcb_info", "tcb_info_signature"}
    assert changed(ca.collateral(quote, qe_status="Revoked").json()) == {"qe_identity", "qe_identity_signature"}
    assert changed(ca.collateral(quote, revoked=[quote.pck]).json()) == {"pck_crl"}
    assert changed(ca.collateral(quote, pck_certificate_chain="x").json()) == {"pck_certificate_chain"}
    with pytest.raises(TypeError):
        ca.collateral(quote, tcbinfo=None)


def unflattened(data: bytes) -> tuple[int, int, list[bytes]]:
    at, parts = 120, []
    for i in range(7):
        size = int.from_bytes(data[8 + 16 * i + 8 : 8 + 16 * i + 12], "little")
        parts.append(data[at : at + size])
        at += size
    assert at == len(data)
    return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little"), parts


def test_the_flattened_form(ca: IntelCa, quote: Quote) -> None:
    collateral = ca.collateral(quote)
    version, tee, parts = unflattened(collateral.flattened())
    assert (version, tee) == (4, 0x81)
    named = dict(zip(FLAT_PARTS, parts, strict=True))
    assert all(part.endswith(b"\0") for part in parts)
    assert bytes.fromhex(named["pck_crl"][:-1].decode()) == collateral.pck_crl
    assert named["tcb_info"] == collateral.tcb_info.response + b"\0"
    assert named["qe_identity_issuer_chain"] == collateral.qe_identity_issuer_chain.encode() + b"\0"
    raw = dict(zip(FLAT_PARTS, unflattened(collateral.flattened(crl_form="der", terminated=False))[2], strict=True))
    assert raw["root_ca_crl"] == collateral.root_ca_crl
    assert raw["tcb_info"] == collateral.tcb_info.response
    assert unflattened(collateral.flattened(crl_form="pem", version=1))[2][1].startswith(b"-----BEGIN X509 CRL-----")
    assert unflattened(collateral.flattened(parts={"tcb_info": b"x"}))[2][4] == b"x"
    lying = collateral.flattened(sizes={"pck_crl": 2**32 - 1})
    differing = [i for i, (a, b) in enumerate(zip(lying, collateral.flattened(), strict=True)) if a != b]
    assert differing == list(range(8 + 32 + 8, 8 + 32 + 12))
    assert collateral.flattened(trailing=b"x") == collateral.flattened() + b"x"
    assert unflattened(ca.collateral(ca.quote(3)).flattened())[1] == 0


def test_what_the_service_answers(ca: IntelCa, quote: Quote) -> None:
    collateral = ca.collateral(quote)
    answers = collateral.pcs()
    assert list(answers) == ["tcb_info", "qe_identity", "pck_crl", "root_ca_crl", "pck_certificate"]
    assert answers["tcb_info"].url.endswith("/tdx/certification/v4/tcb?fmspc=00806F050000")
    header = answers["tcb_info"].headers["TCB-Info-Issuer-Chain"]
    assert unquote(header) == collateral.tcb_info_issuer_chain
    assert not set(header) & set("\n +/")
    assert json.loads(answers["qe_identity"].body)["enclaveIdentity"]["id"] == "TD_QE"
    assert answers["pck_crl"].body == collateral.pck_crl
    assert "ca=platform" in answers["pck_crl"].url
    assert answers["pck_certificate"].headers["SGX-TCBm"] == "07070202030100030000000000000000" + "0b00"
    older = ca.collateral(ca.quote(3, ca="processor")).pcs(api="v3")
    assert "SGX-TCB-Info-Issuer-Chain" in older["tcb_info"].headers
    assert older["tcb_info"].url.split("?")[0].endswith("/sgx/certification/v3/tcb")
    assert older["pck_certificate"].headers["SGX-PCK-Certificate-CA-Type"] == "processor"


def test_platform_collaterals(ca: IntelCa, quote: Quote) -> None:
    collateral, other = ca.collateral(quote), ca.collateral(ca.quote(3, ca="processor"))
    whole = json.loads(collateral.platform_collaterals(others=(other,)))
    assert list(whole) == ["platforms", "collaterals"]
    inner = whole["collaterals"]
    assert [(i["fmspc"], sorted(set(i) - {"fmspc"})) for i in inner["tcbinfos"]] == [
        ("00806F050000", ["tdx_tcbinfo"]),
        ("00906EA50000", ["sgx_tcbinfo"]),
    ]
    assert inner["tcbinfos"][0]["tdx_tcbinfo"] == json.loads(collateral.tcb_info.response)
    assert inner["tdqeidentity"].encode() == collateral.qe_identity.response
    assert inner["qeidentity"].encode() == other.qe_identity.response
    assert bytes.fromhex(inner["pckcacrl"]["platformCrl"]) == collateral.pck_crl
    assert bytes.fromhex(inner["pckcacrl"]["processorCrl"]) == other.pck_crl
    assert bytes.fromhex(inner["rootcacrl"]) == collateral.root_ca_crl
    chains = inner["certificates"]
    assert unquote(chains["TCB-Info-Issuer-Chain"]) == collateral.tcb_info_issuer_chain
    assert unquote(chains["SGX-PCK-Certificate-Issuer-Chain"]["PROCESSOR"]) == other.pck_crl_issuer_chain
    early = json.loads(collateral.platform_collaterals(early=True))["collaterals"]
    assert "tdx_tcbinfo_early" in early["tcbinfos"][0]
    assert "tdqeidentity_early" in early
    text = collateral.tcb_info.response.decode()
    assert text in collateral.platform_collaterals(spaced=False)
    assert text not in collateral.platform_collaterals()
    assert isinstance(collateral, Collateral)
