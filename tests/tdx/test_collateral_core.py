# SPDX-License-Identifier: Apache-2.0
"""Collateral as the core reads and verifies it: TCB info, enclave identities, signers and CRLs, genuine and broken in one place at a time.

Every refusal is asserted with its code and the field that it names. An oracle written from the schemas (Intel PCS API v3 and v4,
appendices A and B) over Python's own JSON parser says the same of documents that were changed at random.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import itertools
import json
import json.scanner
import random
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import asn1crypto.pem  # type: ignore[import-untyped]
import pytest
from core_collateral import (
    FINDINGS,
    HAS_EVIDENCE,
    NO_EVIDENCE,
    NOT_RUN,
    PASS,
    Collateral,
    Found,
    Parts,
    Trust,
    cases,
    code_of,
    evaluate,
    module,
    platform_level,
    qe_identity,
    quote_of,
    real_parts,
    roots,
    svn_level,
    tcb_info,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from attestcore import engines
from attestcore._native import ffi, lib
from tdxverify.testing import Collateral as Set
from tdxverify.testing import IntelCa, ec_key, public_bytes

needs_evidence = pytest.mark.skipif(not HAS_EVIDENCE, reason=NO_EVIDENCE)
NAMES = sorted({case.collateral for case in cases()})

BAD_INFO, OTHER_INFO = "tcb-info-malformed", "tcb-info-unsupported"
BAD_IDENTITY, OTHER_IDENTITY = "qe-identity-malformed", "qe-identity-unsupported"
LIMIT = "collateral-too-large"
MISSING = "collateral-missing"
TOP = [9] * 16
LEVELS, MODULES = "tcbLevels", "tdxModuleIdentities"

Document = dict[str, Any]


def dumped(document: Any) -> bytes:
    return (
        document
        if isinstance(document, bytes)
        else json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    )


def read_info(document: Any) -> Found:
    return Collateral(Parts(tcb_info=dumped(document))).found("tcb_info")


def read_identity(document: Any) -> Found:
    return Collateral(Parts(identity=dumped(document))).found("identity")


# ---- documents that are good -----------------------------------------------------------------------------------------------

DOCUMENTS: dict[str, Document] = {
    "TDX": tcb_info(
        [
            platform_level(TOP, 13, [5, 0, *[9] * 14], advisories=("INTEL-SA-00001",)),
            platform_level([1] * 16, 11, [3, 0, *[5] * 14], "OutOfDate"),
        ],
        [
            module(1, [svn_level(4), svn_level(2, "OutOfDate", advisories=("INTEL-SA-00002",))]),
            module(3, [svn_level(3)]),
        ],
    ),
    "TDX without identities": tcb_info([platform_level(TOP, 13, [5, 0, *[9] * 14])]),
    "SGX": tcb_info([platform_level(TOP, 13, None), platform_level([1] * 16, 11, None, "Revoked")], None, tdx=False),
}


DOCUMENTS["TDX with no identity listed"] = DOCUMENTS["TDX without identities"] | {MODULES: []}


def version_two(document: Document) -> Document:
    """The same in the shape of PCS API v3: a member for each component, no id."""
    out = copy.deepcopy(document) | {"version": 2}
    del out["id"]
    for level in out["tcbLevels"]:
        components = level["tcb"].pop("sgxtcbcomponents")
        level["tcb"] |= {f"sgxtcbcomp{i:02}svn": c["svn"] for i, c in enumerate(components, 1)}
    return out


DOCUMENTS["version 2"] = version_two(DOCUMENTS["SGX"])
IDENTITY = qe_identity(
    [svn_level(4), svn_level(2, "OutOfDate", advisories=("INTEL-SA-00003",)), svn_level(1, "Revoked")]
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_good_tcb_info(name: str) -> None:
    assert read_info(DOCUMENTS[name]).code == PASS
    assert oracle_info(dumped(DOCUMENTS[name]))


def test_good_identity() -> None:
    assert read_identity(IDENTITY).code == PASS
    assert oracle_identity(dumped(IDENTITY))


# ---- what was read ---------------------------------------------------------------------------------------------------------


def seconds(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())


def svns(components: list[Document]) -> bytes:
    return bytes(c["svn"] for c in components)


def read_levels(collateral: Collateral, document: int, levels: Any, num: int) -> list[tuple[Any, ...]]:
    names = [None if (n := lib.att_tcb_status_name(i)) == ffi.NULL else ffi.string(n).decode() for i in range(10)]
    return [
        (
            bytes(level.sgx), level.pce_svn, bytes(level.tdx), level.isv_svn, names[level.status], level.date,
            tuple(collateral.advisories(document, level)),
        )
        for level in (levels[i] for i in range(num))
    ]  # fmt: skip


def expect_levels(levels: list[Document]) -> list[tuple[Any, ...]]:
    out = []
    for level in levels:
        tcb = level["tcb"]
        sgx = (
            svns(tcb["sgxtcbcomponents"])
            if "sgxtcbcomponents" in tcb
            else bytes(tcb.get(f"sgxtcbcomp{i:02}svn", 0) for i in range(1, 17))
        )
        tdx = svns(tcb["tdxtcbcomponents"]) if "tdxtcbcomponents" in tcb else bytes(16)
        advisories = tuple(level.get("advisoryIDs", ()))
        out.append(
            (
                sgx,
                tcb.get("pcesvn", 0),
                tdx,
                tcb.get("isvsvn", 0),
                level["tcbStatus"],
                seconds(level["tcbDate"]),
                advisories,
            )
        )
    return sorted(out, key=lambda x: x[:4], reverse=True)


def num_advisories(document: Document) -> int:
    levels = [*document[LEVELS], *(level for m in document.get(MODULES, ()) for level in m[LEVELS])]
    return sum(len(level.get("advisoryIDs", ())) for level in levels)


def check_info(text: bytes) -> None:
    """Every value that was read is what json.loads reads."""
    document = json.loads(text)
    collateral = Collateral(Parts(tcb_info=text))
    c = collateral.c
    assert collateral.found("tcb_info").code == PASS
    tdx = document.get("id") == "TDX"
    assert (c.tcb_tee, c.tcb_version) == (0x81 if tdx else 0, document["version"])
    assert c.tcb_evaluation_number == document["tcbEvaluationDataNumber"]
    assert (c.tcb_issue_date, c.tcb_next_update) == (seconds(document["issueDate"]), seconds(document["nextUpdate"]))
    assert (bytes(c.fmspc).hex(), bytes(c.pce_id).hex()) == (document["fmspc"].lower(), document["pceId"].lower())
    assert read_levels(collateral, 0, c.levels, c.num_levels) == expect_levels(document["tcbLevels"])
    assert c.num_advisories[0] == num_advisories(document)
    assert c.has_module == tdx
    identities = document.get("tdxModuleIdentities", [])
    modules = [document["tdxModule"] | {"id": "TDX_00", "tcbLevels": []}, *identities] if tdx else []
    assert c.num_modules == len(modules)
    for i, want in enumerate(modules):
        have = c.modules[i]
        assert have.version == int(want["id"][4:], 16)
        assert bytes(have.mr_signer).hex() == want["mrsigner"].lower()
        assert bytes(have.attributes).hex() == want["attributes"].lower()
        assert bytes(have.attributes_mask).hex() == want["attributesMask"].lower()
        assert read_levels(collateral, 0, have.levels, have.num_levels) == expect_levels(want["tcbLevels"])


def check_identity(text: bytes) -> None:
    document = json.loads(text)
    collateral = Collateral(Parts(identity=text))
    c = collateral.c
    assert collateral.found("identity").code == PASS
    assert c.identity_id == 1 + ["QE", "TD_QE", "QVE", "QAE"].index(document["id"])
    assert (c.identity_version, c.identity_evaluation_number) == (2, document["tcbEvaluationDataNumber"])
    assert (c.identity_issue_date, c.identity_next_update) == (
        seconds(document["issueDate"]),
        seconds(document["nextUpdate"]),
    )
    assert c.misc_select == int.from_bytes(bytes.fromhex(document["miscselect"]), "little")
    assert c.misc_select_mask == int.from_bytes(bytes.fromhex(document["miscselectMask"]), "little")
    assert bytes(c.attributes).hex() == document["attributes"].lower()
    assert bytes(c.attributes_mask).hex() == document["attributesMask"].lower()
    assert bytes(c.mr_signer).hex() == document["mrsigner"].lower()
    assert c.isv_prod_id == document["isvprodid"]
    assert read_levels(collateral, 1, c.qe_levels, c.num_qe_levels) == expect_levels(document["tcbLevels"])
    assert c.num_advisories[1] == num_advisories(document)


@needs_evidence
@pytest.mark.parametrize("name", NAMES)
def test_genuine_documents(name: str) -> None:
    check_info(real_parts(name).tcb_info)
    check_identity(real_parts(name).identity)
    assert oracle_info(real_parts(name).tcb_info)
    assert oracle_identity(real_parts(name).identity)


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {"indent": 3}, {"sort_keys": True}])
def test_all_values_in_any_layout(name: str, layout: dict[str, Any]) -> None:
    check_info(json.dumps(DOCUMENTS[name], **layout).encode())
    reverse = dict(reversed(DOCUMENTS[name].items()))
    check_info(json.dumps(reverse, **layout).encode())
    check_identity(json.dumps(dict(reversed(IDENTITY.items())), **layout).encode())


@pytest.mark.parametrize("name", ["QE", "TD_QE", "QVE", "QAE"])
def test_every_identity(name: str) -> None:
    odd = {"id": name, "miscselect": "01020304", "miscselectMask": "f1F2f3F4", "attributes": bytes(range(16)).hex(),
           "attributesMask": bytes(range(16, 32)).hex().upper(), "mrsigner": bytes(range(32)).hex(), "isvprodid": 65535}  # fmt: skip
    check_identity(dumped(IDENTITY | odd))


def test_extremes() -> None:
    level = platform_level([0xFF, 0] * 8, 65535, [0, 0xFF] * 8, date="9999-12-31")
    info = tcb_info(
        [level, platform_level([0] * 16, 0, [0] * 16, date="1970-01-01")],
        [module(0xFF, [svn_level(65535), svn_level(0)])],
    )
    check_info(dumped(info | {"tcbEvaluationDataNumber": 2**32 - 1, "fmspc": "aBcDeF012345", "pceId": "fE01"}))


@pytest.mark.parametrize("seed", range(5))
def test_levels_stand_highest_first(seed: int) -> None:
    """By the SGX components in turn, then PCESVN, then the TDX components: each decides where those before it are equal."""
    sgx = [TOP, [*TOP[:15], 8], [8, *[255] * 15]]
    tdx = [TOP, [*TOP[:15], 8], [8, *[255] * 15]]
    levels = [platform_level(s, p, t) for s in sgx for p in (256, 255, 1) for t in tdx]
    modules = [svn_level(i) for i in (256, 255, 1, 0)]
    random.Random(seed).shuffle(levels)
    random.Random(seed).shuffle(modules)
    check_info(dumped(tcb_info(levels, [module(1, modules)])))
    check_identity(dumped(qe_identity(modules)))


def test_same_date_is_in_order() -> None:
    same = {"issueDate": "2026-02-03T04:05:06Z", "nextUpdate": "2026-02-03T04:05:06Z"}
    check_info(dumped(DOCUMENTS["TDX"] | same))
    check_identity(dumped(IDENTITY | same))


@pytest.mark.parametrize("version", range(256))
def test_every_module_version(version: int) -> None:
    for text in (f"TDX_{version:02X}", f"tdx_{version:02x}"):
        check_info(dumped(tcb_info([platform_level(TOP, 1, TOP)], [module(0, [svn_level(1)]) | {"id": text}])))


# ---- broken in one place ---------------------------------------------------------------------------------------------------

Change = Callable[[Document], None]


def at(*path: Any) -> Callable[[Document], Any]:
    def find(document: Document) -> Any:
        for step in path:
            document = document[step]
        return document

    return find


def put(value: Any, *path: Any) -> Change:
    def change(document: Document) -> None:
        at(*path[:-1])(document)[path[-1]] = value

    return change


def drop(*path: Any) -> Change:
    def change(document: Document) -> None:
        del at(*path[:-1])(document)[path[-1]]

    return change


def changed(document: Document, change: Change) -> Document:
    out = copy.deepcopy(document)
    change(out)
    return out


NO_STRINGS: list[Any] = [None, 1, True, [], {}, ["x"]]
NO_NUMBERS: list[Any] = [None, "1", True, False, [], {}, -1, 1.0, 1.5, -0.0, 1e0, 2**64]
NO_ARRAYS: list[Any] = [None, 1, "x", {}, True, []]
NO_OBJECTS: list[Any] = [None, 1, "x", [], True]
NO_DATES: list[Any] = [
    *NO_STRINGS, "", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00z", "2026-01-01t00:00:00Z", "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00.0Z", "2026-01-01T00:00:00+00:00", "2026-1-1T00:00:00Z", "26-01-01T00:00:00Z", "02026-01-01T00:00:00Z",
    "2025-02-29T00:00:00Z", "2025-02-30T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z",
    "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-026-01-01T00:00:00Z",
    "+026-01-01T00:00:00Z", " 2026-01-01T00:00:0Z", "2026-01-01T00:00:0OZ", "2026-01-01T-1:00:00Z", "2026-01-01T 1:00:00Z",
    "2026/01/01T00:00:00Z",
    "2026-01-01T00:00:00Z ", "2026-01-01T00:00:00Z\0", "\uff12026-01-01T00:00Z", "20260101T000000Z",
]  # fmt: skip


def no_hex(n: int) -> list[Any]:
    good = "0" * (2 * n)
    return [*NO_STRINGS, "", good[1:], good[2:], good + "0", good + "00", "g" + good[1:], good[:-1] + " ", " " + good[1:], "0x" + good[2:],
            good[:-1] + "é", good[:-2] + "é"]  # fmt: skip


NO_STATUSES: list[Any] = [*NO_STRINGS, "", "uptodate", "UPTODATE", "UpToDate ", " UpToDate", "Foo", "OutOfDat", "OutOfDateX",
                          "TDRelaunchAdvised",
                          "TDRelaunchAdvisedConfigurationNeeded", "Up\u200bToDate", "UpToDate\0"]  # fmt: skip
PLATFORM_ONLY = [
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDateConfigurationNeeded",
]
NO_ADVISORIES: list[Any] = [
    None,
    1,
    "INTEL-SA-00001",
    {},
    [None],
    [1],
    [[]],
    [""],
    ["A" * 33],
    ["é"],
    ["a\nb"],
    ["a\\b"],
    ['a"b'],
    ["\x7f"],
    ["A", None],
]

F = {
    "issueDate": "issueDate", "nextUpdate": "nextUpdate (JSON)", "fmspc": "fmspc", "pceId": "pceId", "tcbType": "tcbType",
    "tcbEvaluationDataNumber": "tcbEvaluationDataNumber", "version": "version (JSON)", "id": "id", "tdxModule": "tdxModule",
    LEVELS: LEVELS, MODULES: MODULES, "tcbDate": "tcbDate", "tcbStatus": "tcbStatus", "advisoryIDs": "advisoryIDs", "mrsigner": "mrsigner",
    "attributes": "attributes", "attributesMask": "attributes", "miscselect": "miscselect", "miscselectMask": "miscselect",
    "isvprodid": "isvprodid",
}  # fmt: skip


def info_rules() -> list[tuple[str, Change, str, str]]:
    """Document, change, code, field."""
    rules: list[tuple[str, Change, str, str]] = []

    def refuse(document: str, change: Change, name: str, code: str = BAD_INFO) -> None:
        rules.append((document, change, code, F[name]))

    for document in DOCUMENTS:
        for name in (
            "issueDate",
            "nextUpdate",
            "fmspc",
            "pceId",
            "tcbType",
            "tcbEvaluationDataNumber",
            "version",
            LEVELS,
        ):
            refuse(document, drop(name), name)
        for value in NO_DATES:
            for name in ("issueDate", "nextUpdate"):
                refuse(document, put(value, name), name)
            refuse(document, put(value, LEVELS, 0, "tcbDate"), "tcbDate")
        for value in no_hex(6):
            refuse(document, put(value, "fmspc"), "fmspc")
        for value in no_hex(2):
            refuse(document, put(value, "pceId"), "pceId")
        for value in [*NO_NUMBERS, 2**32]:
            for name in ("tcbType", "tcbEvaluationDataNumber", "version"):
                refuse(document, put(value, name), name)
        for value in (1, 2, 255, 2**32 - 1):
            refuse(document, put(value, "tcbType"), "tcbType", OTHER_INFO)
        for value in (0, 1, 4, 5, 30, 2**32 - 1):
            refuse(document, put(value, "version"), "version", OTHER_INFO)
        refuse(document, put("2025-12-31T23:59:59Z", "nextUpdate"), "nextUpdate")
        for value in NO_ARRAYS:
            refuse(document, put(value, LEVELS), LEVELS)
        for value in NO_OBJECTS:
            refuse(document, put(value, LEVELS, 0), LEVELS)
            refuse(document, put(value, LEVELS, 0, "tcb"), LEVELS)
        for name in ("tcb", "tcbDate", "tcbStatus"):
            refuse(document, drop(LEVELS, 0, name), LEVELS if name == "tcb" else name)
        for value in NO_STATUSES:
            refuse(document, put(value, LEVELS, 0, "tcbStatus"), "tcbStatus")
        for value in NO_ADVISORIES:
            refuse(document, put(value, LEVELS, 0, "advisoryIDs"), "advisoryIDs")
        for value in [*NO_NUMBERS, 65536]:
            refuse(document, put(value, LEVELS, 0, "tcb", "pcesvn"), LEVELS)
        refuse(document, drop(LEVELS, 0, "tcb", "pcesvn"), LEVELS)
        refuse(document, lambda d: d[LEVELS].append(copy.deepcopy(d[LEVELS][0])), LEVELS)
        refuse(document, lambda d: d[LEVELS].append(copy.deepcopy(d[LEVELS][0]) | {"tcbStatus": "Revoked"}), LEVELS)
    for document in ("TDX", "SGX"):
        for value in [*NO_STRINGS, "TDX\0", "TDX\\"]:
            refuse(document, put(value, "id"), "id")
        for value in ("", "tdx", "sgx", "TD", "TDXX", "TDX ", "SGX2"):
            refuse(document, put(value, "id"), "id", OTHER_INFO)
        refuse(document, drop("id"), "id")
        refuse(document, put(2, "version"), "version", OTHER_INFO)  # version 2 has no id
    for document, arrays in (("TDX", ("sgxtcbcomponents", "tdxtcbcomponents")), ("SGX", ("sgxtcbcomponents",))):
        for array in arrays:
            path = (LEVELS, 0, "tcb", array)
            refuse(document, drop(*path), LEVELS)
            for value in NO_ARRAYS:
                refuse(document, put(value, *path), LEVELS)
            for n in (1, 15, 17, 32):
                refuse(document, put([{"svn": 1}] * n, *path), LEVELS)
            for i in (0, 7, 15):
                for value in [*NO_NUMBERS, 256, 65535, "0x10"]:
                    refuse(document, put(value, *path, i, "svn"), LEVELS)
                refuse(document, drop(*path, i, "svn"), LEVELS)
                for value in [*NO_OBJECTS, 5]:
                    refuse(document, put(value, *path, i), LEVELS)
    refuse("SGX", put([{"svn": 0}] * 16, LEVELS, 1, "tcb", "tdxtcbcomponents"), LEVELS)
    refuse("TDX", drop(LEVELS, 1, "tcb", "tdxtcbcomponents"), LEVELS)
    for i in (1, 8, 16):
        refuse("version 2", drop(LEVELS, 0, "tcb", f"sgxtcbcomp{i:02}svn"), LEVELS)
        for value in [*NO_NUMBERS, 256]:
            refuse("version 2", put(value, LEVELS, 0, "tcb", f"sgxtcbcomp{i:02}svn"), LEVELS)
    for document in ("SGX", "TDX"):
        refuse(document, put(0, LEVELS, 0, "tcb", "sgxtcbcomp01svn"), LEVELS)
    refuse("version 2", put([{"svn": 0}] * 16, LEVELS, 0, "tcb", "sgxtcbcomponents"), LEVELS)
    refuse("version 2", put(3, "version"), "id")
    refuse("version 2", put("SGX", "id"), "version", OTHER_INFO)
    refuse("version 2", put("TDX", "id"), "version", OTHER_INFO)
    for document in ("SGX", "version 2"):
        refuse(document, put(DOCUMENTS["TDX"]["tdxModule"], "tdxModule"), "tdxModule")
        refuse(document, put(DOCUMENTS["TDX"][MODULES], MODULES), MODULES)
    refuse("TDX", drop("tdxModule"), "tdxModule")
    for value in NO_OBJECTS:
        refuse("TDX", put(value, "tdxModule"), "tdxModule")
        refuse("TDX", put(value, MODULES, 0), MODULES)
        refuse("TDX", put(value, MODULES, 0, LEVELS, 0), LEVELS)
        refuse("TDX", put(value, MODULES, 0, LEVELS, 0, "tcb"), LEVELS)
    for path in (("tdxModule",), (MODULES, 0), (MODULES, 1)):
        for name, n in (("mrsigner", 48), ("attributes", 8), ("attributesMask", 8)):
            refuse("TDX", drop(*path, name), name)
            for value in no_hex(n):
                refuse("TDX", put(value, *path, name), name)
    for value in NO_ARRAYS:
        if value != []:  # none at all is well-formed
            refuse("TDX", put(value, MODULES), MODULES)
        refuse("TDX", put(value, MODULES, 0, LEVELS), LEVELS)
    for value in [
        *NO_STRINGS,
        "",
        "TDX_1",
        "TDX_001",
        "TDX01",
        "TDX-01",
        "TDX_0G",
        "TDX_ 1",
        "SGX_01",
        "TDX_01 ",
        "TDX_+1",
        "TDX_0\0",
        "XTDX_1",
        "TDX\x7f01",
        "TDX_0`",
    ]:
        refuse("TDX", put(value, MODULES, 0, "id"), "id")
    for name in ("id", LEVELS):
        refuse("TDX", drop(MODULES, 0, name), name)
    for twin in ("TDX_01", "tdx_01", "Tdx_01"):
        refuse("TDX", put(twin, MODULES, 1, "id"), MODULES)
    for name in ("tcb", "tcbDate", "tcbStatus"):
        refuse("TDX", drop(MODULES, 0, LEVELS, 0, name), LEVELS if name == "tcb" else name)
    for value in [*NO_NUMBERS, 65536]:
        refuse("TDX", put(value, MODULES, 0, LEVELS, 0, "tcb", "isvsvn"), LEVELS)
    refuse("TDX", drop(MODULES, 0, LEVELS, 0, "tcb", "isvsvn"), LEVELS)
    refuse("TDX", put(2, MODULES, 0, LEVELS, 0, "tcb", "isvsvn"), LEVELS)
    for value in [*NO_STATUSES, *PLATFORM_ONLY]:
        refuse("TDX", put(value, MODULES, 0, LEVELS, 0, "tcbStatus"), "tcbStatus")
    for value in NO_ADVISORIES:
        refuse("TDX", put(value, MODULES, 0, LEVELS, 0, "advisoryIDs"), "advisoryIDs")
    return rules


def identity_rules() -> list[tuple[Change, str, str]]:
    rules: list[tuple[Change, str, str]] = []

    def refuse(change: Change, name: str, code: str = BAD_IDENTITY) -> None:
        rules.append((change, code, F[name]))

    for name in IDENTITY:
        refuse(drop(name), name)
    for value in NO_DATES:
        refuse(put(value, "issueDate"), "issueDate")
        refuse(put(value, "nextUpdate"), "nextUpdate")
        refuse(put(value, LEVELS, 2, "tcbDate"), "tcbDate")
    refuse(put("2025-12-31T23:59:59Z", "nextUpdate"), "nextUpdate")
    for name, n in (
        ("miscselect", 4),
        ("miscselectMask", 4),
        ("attributes", 16),
        ("attributesMask", 16),
        ("mrsigner", 32),
    ):
        for value in no_hex(n):
            refuse(put(value, name), name)
    for value in [*NO_NUMBERS, 2**32]:
        refuse(put(value, "tcbEvaluationDataNumber"), "tcbEvaluationDataNumber")
        refuse(put(value, "version"), "version")
    for value in [*NO_NUMBERS, 65536]:
        refuse(put(value, "isvprodid"), "isvprodid")
        refuse(put(value, LEVELS, 0, "tcb", "isvsvn"), LEVELS)
    for value in (0, 1, 3, 2**32 - 1):
        refuse(put(value, "version"), "version", OTHER_IDENTITY)
    for value in [*NO_STRINGS, "QE\0"]:
        refuse(put(value, "id"), "id")
    for value in ("", "qe", "TDQE", "TD_QE ", "TD_Q", "PCE"):
        refuse(put(value, "id"), "id", OTHER_IDENTITY)
    for value in NO_ARRAYS:
        refuse(put(value, LEVELS), LEVELS)
    for value in NO_OBJECTS:
        refuse(put(value, LEVELS, 1), LEVELS)
        refuse(put(value, LEVELS, 1, "tcb"), LEVELS)
    refuse(drop(LEVELS, 1, "tcb", "isvsvn"), LEVELS)
    refuse(put(4, LEVELS, 1, "tcb", "isvsvn"), LEVELS)
    for value in [*NO_STATUSES, *PLATFORM_ONLY]:
        refuse(put(value, LEVELS, 0, "tcbStatus"), "tcbStatus")
    for value in NO_ADVISORIES:
        refuse(put(value, LEVELS, 0, "advisoryIDs"), "advisoryIDs")
    return rules


def assert_refused(outcome: Found, code: str, field: str, text: bytes) -> None:
    assert (outcome.code, outcome.field) == (code, field), text
    assert 0 <= outcome.offset <= len(text)


def test_each_rule_of_tcb_info() -> None:
    rules = info_rules()
    assert len(rules) > 800
    for document, change, code, field in rules:
        text = dumped(changed(DOCUMENTS[document], change))
        collateral = Collateral(Parts(tcb_info=text, identity=dumped(IDENTITY)))
        assert_refused(collateral.found("tcb_info"), code, field, text)
        assert not oracle_info(text), text
        c = collateral.c
        assert (c.num_levels, c.num_modules, c.has_module, c.num_advisories[0]) == (0, 0, 0, 0), (
            "a table of a refused document"
        )
        assert collateral.found("identity").code == PASS, "hidden by the other document"


def test_each_rule_of_an_identity() -> None:
    rules = identity_rules()
    assert len(rules) > 250
    for change, code, field in rules:
        text = dumped(changed(IDENTITY, change))
        collateral = Collateral(Parts(identity=text, tcb_info=dumped(DOCUMENTS["TDX"])))
        assert_refused(collateral.found("identity"), code, field, text)
        assert not oracle_identity(text), text
        assert (collateral.c.num_qe_levels, collateral.c.num_advisories[1]) == (0, 0)
        assert collateral.found("tcb_info").code == PASS


@pytest.mark.parametrize("whole", [b"null", b"[]", b"1", b'"x"', b"{}", b"{", b" ", b"\0", b"\xef\xbb\xbf{}", b"[{}]"])
def test_no_document(whole: bytes) -> None:
    assert read_info(whole).code == BAD_INFO
    assert read_identity(whole).code == BAD_IDENTITY


def test_what_nobody_knows_is_passed_over() -> None:
    """Intel adds members; the schemas say that readers ignore what they do not know."""
    new = {"new": [{"tcbStatus": "?"}, 1.5e3, None, "\u00e9\\"], "": {}}
    for path in (
        (),
        (LEVELS, 0),
        (LEVELS, 0, "tcb"),
        (LEVELS, 0, "tcb", "sgxtcbcomponents", 3),
        ("tdxModule",),
        (MODULES, 0),
        (MODULES, 0, LEVELS, 0, "tcb"),
    ):
        text = dumped(changed(DOCUMENTS["TDX"], lambda d, p=path: at(*p)(d).update(new)))  # type: ignore[misc]
        check_info(text)
        bad = text.replace(b'"new":[', b'"new":[01,', 1)
        assert (read_info(bad).code, oracle_info(bad)) == (BAD_INFO, False)
    check_identity(dumped(changed(IDENTITY, lambda d: d.update(new))))


def keys_of(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*(keys_of(v) for v in document.values()))
    if isinstance(document, list):
        return set().union(*(keys_of(v) for v in document))
    return set()


@pytest.mark.parametrize("name", [*DOCUMENTS, "identity"])
def test_names_are_exact_and_unique(name: str) -> None:
    """Every known name: twice, escaped, and in other letters, with and without the right one beside it."""
    document = IDENTITY if name == "identity" else DOCUMENTS[name]
    read = read_identity if name == "identity" else read_info
    bad = BAD_IDENTITY if name == "identity" else BAD_INFO
    text = dumped(document).decode()
    assert read(text.encode()).code == PASS
    for key in sorted(keys_of(document)):
        spelt = f'"{key}":'
        escaped = '"' + f"\\u{ord(key[0]):04x}" + key[1:] + '":'
        assert read(text.replace(spelt, escaped).encode()).code == PASS, key
        value = json.dumps(_first_value(document, key), separators=(",", ":"))
        for twin in (spelt, escaped):
            twice = text.replace(spelt, f"{twin}{value},{spelt}", 1)
            assert read(twice.encode()).code == bad, twice
        letters = [
            key.upper(),
            key.title(),
            key[0].swapcase() + key[1:],
            key[:-1] + key[-1].swapcase(),
            key.replace("s", "\u017f").replace("k", "\u212a"),
        ]
        for other in {letter for letter in letters if letter != key}:
            assert read(text.replace(spelt, f'"{other}":', 1).encode()).code == bad, other
            beside = text.replace(spelt, f'"{other}":null,{spelt}', 1)
            assert read(beside.encode()).code == bad, beside
            assert not (oracle_identity if name == "identity" else oracle_info)(beside.encode())


def _first_value(document: Any, key: str) -> Any:
    if isinstance(document, dict):
        if key in document:
            return document[key]
        document = list(document.values())
    if isinstance(document, list):
        for inner in document:
            value = _first_value(inner, key)
            if value is not None:
                return value
    return None


@pytest.mark.parametrize("name", [*DOCUMENTS, "identity"])
def test_wanted_strings_are_plain(name: str) -> None:
    """A value has one spelling: an escape in it, though JSON, is none that Intel writes."""
    document = IDENTITY if name == "identity" else DOCUMENTS[name]
    read = read_identity if name == "identity" else read_info
    text = dumped(document).decode()
    values = set(re.findall(r':"([^"]+)"', text)) | set(re.findall(r'"(INTEL-[^"]+)"', text))
    assert len(values) > 5
    for value in values:
        spelt = text.replace(f'"{value}"', '"' + f"\\u{ord(value[0]):04x}" + value[1:] + '"')
        assert spelt != text
        assert read(spelt.encode()).code != PASS
        assert json.loads(spelt) == document


@pytest.mark.parametrize("name", [*DOCUMENTS, "identity"])
def test_wanted_numbers_are_digits(name: str) -> None:
    """Every number of a document, one at a time, in spellings of the same value that are no plain integer, or no JSON."""
    document = IDENTITY if name == "identity" else DOCUMENTS[name]
    read, bad = (read_identity, BAD_IDENTITY) if name == "identity" else (read_info, BAD_INFO)
    text = dumped(document)
    places = [m.span(1) for m in re.finditer(rb"\":(\d+)", text)]
    assert len(places) > 5
    for start, end in places[:8] + places[-8:]:
        number = text[start:end]
        for spelt in (
            b"0" + number,
            b"+" + number,
            b"-" + number,
            number + b".0",
            number + b"e0",
            number + b"E+0",
            b"0x" + number,
            b"-0",
            b"00",
        ):
            wrong = text[:start] + spelt + text[end:]
            outcome = read(wrong)
            assert (outcome.code, outcome.offset) == (bad, start), wrong
        for spelt in (number + b" ", b" \t\r\n" + number):
            assert read(text[:start] + spelt + text[end:]).code == PASS


# ---- bounds ----------------------------------------------------------------------------------------------------------------


def many(n: int) -> list[tuple[list[int], int]]:
    return [([i // 256, i % 256, *[1] * 14], 5) for i in range(n)]


def test_bounds_of_the_tables() -> None:
    most = lib.ATT_TCB_MAX_LEVELS
    for n, code in ((most, PASS), (most + 1, LIMIT)):
        info = tcb_info([platform_level(sgx, pce, None) for sgx, pce in many(n)], None, tdx=False)
        outcome = read_info(info)
        assert (outcome.code, outcome.field) == (code, "" if code == PASS else LEVELS)
        outcome = read_identity(qe_identity([svn_level(i) for i in range(n)]))
        assert (outcome.code, outcome.field) == (code, "" if code == PASS else LEVELS)
    most = lib.ATT_TCB_MAX_MODULE_LEVELS
    for n, code in ((most, PASS), (most + 1, LIMIT)):
        outcome = read_info(tcb_info([platform_level(TOP, 1, TOP)], [module(1, [svn_level(i) for i in range(n)])]))
        assert (outcome.code, outcome.field) == (code, "" if code == PASS else LEVELS)
    most = lib.ATT_TCB_MAX_MODULES - 1
    for n, code in ((most, PASS), (most + 1, LIMIT)):
        outcome = read_info(tcb_info([platform_level(TOP, 1, TOP)], [module(i, [svn_level(1)]) for i in range(n)]))
        assert (outcome.code, outcome.field) == (code, "" if code == PASS else MODULES)
    most = lib.ATT_TCB_MAX_ADVISORIES
    for n, code in ((most, PASS), (most + 1, LIMIT)):
        ids = tuple(f"INTEL-SA-{i:05}" for i in range(n))
        outcome = read_info(tcb_info([platform_level(TOP, 1, None, advisories=ids)], None, tdx=False))
        assert (outcome.code, outcome.field) == (code, "" if code == PASS else "advisoryIDs")
        half = [svn_level(2, advisories=ids[:500]), svn_level(1, advisories=ids[500:])]
        outcome = read_identity(qe_identity(half))
        assert (outcome.code, outcome.field) == (code, "" if code == PASS else "advisoryIDs")


def test_bound_of_a_document() -> None:
    for read, document in ((read_info, DOCUMENTS["TDX"]), (read_identity, IDENTITY)):
        base = dumped(document | {"": ""})
        pad = lib.ATT_JSON_MAX_BYTES - len(base)
        assert read(dumped(document | {"": "x" * pad})).code == PASS
        assert read(dumped(document | {"": "x" * (pad + 1)})).code == LIMIT


def test_nesting() -> None:
    def nested(n: int) -> Document:
        value: Any = 0
        for _ in range(n):
            value = [value]
        return DOCUMENTS["SGX"] | {"x": value}

    assert read_info(nested(lib.ATT_JSON_MAX_DEPTH - 1)).code == PASS
    outcome = read_info(nested(lib.ATT_JSON_MAX_DEPTH))
    assert (outcome.code, outcome.field) == (LIMIT, "tcbInfo")
    bomb = dumped(DOCUMENTS["SGX"])[:-1] + b',"x":' + b"[" * 100_000
    assert read_info(bomb).code == LIMIT


def test_advisory_ids_of_every_length() -> None:
    for n in range(1, 33):
        info = tcb_info([platform_level(TOP, 1, None, advisories=("A" * n, "INTEL-DOC-1"))], None, tdx=False)
        collateral = Collateral(Parts(tcb_info=dumped(info)))
        assert collateral.advisories(0, collateral.c.levels[0]) == ["A" * n, "INTEL-DOC-1"]


def test_version_two_is_evaluated_as_version_three_is() -> None:
    levels = [platform_level(TOP, 13, None), platform_level([5] * 16, 11, None, "OutOfDate")]
    three = tcb_info(levels, None, tdx=False)
    identity = dumped(qe_identity([svn_level(4)], tdx=False))
    for sgx, pce in itertools.product(([9] * 16, [9] * 15 + [8], [4] * 16), (13, 12, 10)):
        quote = quote_of(sgx, pce, None)
        outcomes = {
            evaluate(Collateral(Parts(tcb_info=dumped(d), identity=identity)), quote)
            for d in (three, version_two(three))
        }
        assert len(outcomes) == 1


# ---- an oracle, and documents changed at random --------------------------------------------------------------------------------


class Plain(str):
    """A JSON string's value that was written without escapes."""

    __slots__ = ()


class StrictDecoder(json.JSONDecoder):
    """Python's decoder with integers told from other numbers, and plain strings from others."""

    def __init__(self) -> None:
        super().__init__(
            object_pairs_hook=self.pairs, parse_float=self.number, parse_int=self.integer, parse_constant=self.constant
        )
        self.parse_string = self.string
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    @staticmethod
    def string(text: str, end: int, strict: bool = True) -> tuple[str, int]:
        value, stop = json.decoder.scanstring(text, end, strict)  # type: ignore[attr-defined]
        value.encode()
        plain = "\\" not in text[end : stop - 1] and all(" " <= c <= "~" for c in value)
        return (Plain(value) if plain else value), stop

    @staticmethod
    def pairs(pairs: list[tuple[str, Any]]) -> Document:
        if len({k for k, _ in pairs}) != len(pairs):
            raise ValueError("a name twice")
        for name, _ in pairs:
            name.encode()
        return dict(pairs)

    @staticmethod
    def number(text: str) -> float:
        return 0.5

    @staticmethod
    def integer(text: str) -> float | int:
        return 0.5 if text.startswith("-") else int(text)

    @staticmethod
    def constant(text: str) -> Any:
        raise ValueError(text)


def require(condition: object) -> None:
    if not condition:
        raise ValueError("refused")


def members(value: Any, wanted: str, optional: str = "") -> Document:
    require(isinstance(value, dict))
    known = {*wanted.split(), *optional.split()}
    folded = {name.lower() for name in known}
    for name in value:
        require(name in known or name.replace("\u017f", "s").lower() not in folded)
    require(set(wanted.split()) <= set(value))
    return dict(value)


def integer(value: Any, most: int) -> int:
    require(type(value) is int and value <= most)
    return int(value)


def plain(value: Any, pattern: str) -> str:
    require(isinstance(value, Plain) and re.fullmatch(pattern, value))
    return str(value)


def date(value: Any) -> int:
    text = plain(value, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    require(text[17] != "6" and text >= "1970")
    return seconds(text)


def oracle_level(value: Any, statuses: str, tcb: Callable[[Any], object]) -> object:
    level = members(value, "tcb tcbDate tcbStatus", "advisoryIDs")
    plain(level["tcbStatus"], statuses)
    date(level["tcbDate"])
    require(isinstance(level.get("advisoryIDs", []), list))
    for advisory in level.get("advisoryIDs", []):
        plain(advisory, ".{1,32}")
    return tcb(level["tcb"])


def oracle_levels(value: Any, statuses: str, tcb: Callable[[Any], object]) -> None:
    require(isinstance(value, list) and value)
    keys = [oracle_level(level, statuses, tcb) for level in value]
    require(len(set(keys)) == len(keys))


COMPONENT = "UpToDate|OutOfDate|Revoked"
PLATFORM = COMPONENT + "|SWHardeningNeeded|(OutOfDate)?ConfigurationNeeded|ConfigurationAndSWHardeningNeeded"


def oracle_svn(value: Any) -> int:
    return integer(members(value, "isvsvn")["isvsvn"], 65535)


V2 = " ".join(f"sgxtcbcomp{i:02}svn" for i in range(1, 17))


def oracle_tcb(value: Any, shape: str) -> tuple[Any, ...]:
    all_names = f"{V2} sgxtcbcomponents tdxtcbcomponents pcesvn"
    wanted = {"2": V2, "SGX": "sgxtcbcomponents", "TDX": "sgxtcbcomponents tdxtcbcomponents"}[shape] + " pcesvn"
    tcb = members(value, wanted, all_names)
    require(set(tcb) & set(all_names.split()) == set(wanted.split()))
    key: list[Any] = [integer(tcb["pcesvn"], 65535)]
    for name in wanted.split():
        if name.endswith("components"):
            require(isinstance(tcb[name], list) and len(tcb[name]) == 16)
            key.append(tuple(integer(members(c, "svn")["svn"], 255) for c in tcb[name]))
        elif name != "pcesvn":
            key.append(integer(tcb[name], 255))
    return tuple(key)


def oracle_module(value: Any, identity: bool) -> str:
    found = members(value, "mrsigner attributes attributesMask" + (" id tcbLevels" if identity else ""))
    plain(found["mrsigner"], "[0-9a-fA-F]{96}")
    plain(found["attributes"], "[0-9a-fA-F]{16}")
    plain(found["attributesMask"], "[0-9a-fA-F]{16}")
    if not identity:
        return ""
    oracle_levels(found["tcbLevels"], COMPONENT, oracle_svn)
    return plain(found["id"], "[tT][dD][xX]_[0-9a-fA-F]{2}").lower()


def judged(text: bytes, read: Callable[[Document], None]) -> bool:
    try:
        read(StrictDecoder().decode(text.decode("utf-8")))
    except (ValueError, RecursionError):
        return False
    return True


def _read_info(document: Any) -> None:
    names = "version issueDate nextUpdate fmspc pceId tcbType tcbEvaluationDataNumber tcbLevels"
    info = members(document, names, "id tdxModule tdxModuleIdentities")
    version = integer(info["version"], 3)
    shape = "2" if version == 2 else plain(info.get("id"), "SGX|TDX")
    require(version >= 2 and (version == 3 or "id" not in info))
    require(date(info["issueDate"]) <= date(info["nextUpdate"]))
    integer(info["tcbType"], 0)
    integer(info["tcbEvaluationDataNumber"], 2**32 - 1)
    plain(info["fmspc"], "[0-9a-fA-F]{12}")
    plain(info["pceId"], "[0-9a-fA-F]{4}")
    oracle_levels(info["tcbLevels"], PLATFORM, lambda tcb: oracle_tcb(tcb, shape))
    require(("tdxModule" in info) == (shape == "TDX"))
    if shape == "TDX":
        oracle_module(info["tdxModule"], False)
    if "tdxModuleIdentities" in info:
        require(shape == "TDX" and isinstance(info["tdxModuleIdentities"], list))
        ids = [oracle_module(value, True) for value in info["tdxModuleIdentities"]]
        require(len(set(ids)) == len(ids))


def _read_identity(document: Any) -> None:
    names = (
        "id version issueDate nextUpdate tcbEvaluationDataNumber miscselect miscselectMask attributes attributesMask "
        "mrsigner isvprodid tcbLevels"
    )
    identity = members(document, names)
    plain(identity["id"], "QE|TD_QE|QVE|QAE")
    require(integer(identity["version"], 2) == 2)
    require(date(identity["issueDate"]) <= date(identity["nextUpdate"]))
    integer(identity["tcbEvaluationDataNumber"], 2**32 - 1)
    for name, n in (
        ("miscselect", 8),
        ("miscselectMask", 8),
        ("attributes", 32),
        ("attributesMask", 32),
        ("mrsigner", 64),
    ):
        plain(identity[name], f"[0-9a-fA-F]{{{n}}}")
    integer(identity["isvprodid"], 65535)
    oracle_levels(identity["tcbLevels"], COMPONENT, oracle_svn)


def oracle_info(text: bytes) -> bool:
    return judged(text, _read_info)


def oracle_identity(text: bytes) -> bool:
    return judged(text, _read_identity)


@functools.cache
def seeds() -> tuple[tuple[bytes, bool], ...]:
    """Documents, and whether they are TCB info."""
    made = [(dumped(d), True) for d in DOCUMENTS.values()] + [(dumped(IDENTITY), False)]
    real = [real_parts(name) for name in NAMES[::9]]
    return (*made, *((p.tcb_info, True) for p in real), *((p.identity, False) for p in real))


def mutate(text: bytearray, rng: random.Random) -> None:
    position = rng.randrange(len(text))
    kind = rng.randrange(8)
    if kind == 0:
        text[position] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del text[position : position + rng.choice([1, 1, 1, 2, 5, 40])]
    elif kind == 2:
        text[position:position] = text[position : position + rng.choice([1, 2, 8, 60])]
    elif kind == 3:
        text[position] = rng.choice(b'{}[]",:0123456789eE.-+\\ \n\0\xff')
    elif kind == 4:
        text[position:position] = rng.choice(
            [b" ", b"\n", b"0", b"null", b'"x":1,', b",", b"\xef\xbb\xbf", b"\\u0041", b"-", b"1.0", b"[]", b"{}"]
        )
    elif kind == 5:  # a member, or a value, in the place of another
        spans = [m.span() for m in re.finditer(rb'"[^"]*":("[^"]*"|\d+)|"[^"]*"|\d+', text)]
        (a, b), (c, d) = rng.choice(spans), rng.choice(spans)
        text[a:b] = text[c:d]
    elif kind == 6:  # a letter in the other case
        letters = [m.start() for m in re.finditer(rb"[a-zA-Z]", text)]
        text[rng.choice(letters)] ^= 0x20
    else:
        digits = [m.start() for m in re.finditer(rb"\d", text)]
        text[rng.choice(digits)] = rng.choice(b"0123456789")


@pytest.mark.parametrize("seed", range(4))
def test_changed_documents_are_judged_as_the_oracle_judges_them(seed: int) -> None:
    rng = random.Random(seed)
    outcomes = {True: 0, False: 0}
    for _ in range(700):
        original, info = rng.choice(seeds())
        text = bytearray(original)
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            mutate(text, rng)
        good = (oracle_info if info else oracle_identity)(bytes(text))
        outcome = (read_info if info else read_identity)(bytes(text))
        assert (outcome.code == PASS) == good, (outcome, bytes(text))
        outcomes[good] += 1
        if good:
            (check_info if info else check_identity)(bytes(text))
    assert outcomes[True] > 30
    assert outcomes[False] > 100


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_cut(data: st.DataObject) -> None:
    text, info = data.draw(st.sampled_from(seeds()))
    end = data.draw(st.integers(0, len(text) - 1))
    outcome = (read_info if info else read_identity)(text[:end])
    assert outcome.code == (MISSING if end == 0 else BAD_INFO if info else BAD_IDENTITY)
    assert outcome.offset <= end


def test_cut_at_every_byte() -> None:
    for text, info in (
        (dumped(DOCUMENTS["TDX"]), True),
        (dumped(DOCUMENTS["version 2"]), True),
        (dumped(IDENTITY), False),
    ):
        for end in range(1, len(text)):
            outcome = (read_info if info else read_identity)(text[:end])
            assert (outcome.code, outcome.offset <= end) == (BAD_INFO if info else BAD_IDENTITY, True)


# ---- signatures, chains and CRLs --------------------------------------------------------------------------------------------

ALL = (*FINDINGS, "tcb_signer", "identity_signer")


@functools.cache
def intel() -> Trust:
    return Trust(roots())


@needs_evidence
@pytest.mark.parametrize("engine", engines.available())
@pytest.mark.parametrize("name", NAMES)
def test_genuine_collateral(name: str, engine: str) -> None:
    """Every signature of every genuine set holds: six of them and the CA's."""
    collateral = Collateral(real_parts(name), intel(), engine)
    assert collateral.num_jobs == 7
    assert collateral.codes() == dict.fromkeys(ALL, PASS)
    assert (
        collateral.c.root_crl_index
        == collateral.c.tcb_signer.root_index
        == collateral.c.identity_signer.root_index
        == 0
    )


@needs_evidence
def test_genuine_ca_that_is_known_needs_no_job() -> None:
    parts = real_parts(NAMES[0])
    ca = next(iter(_certificates(parts.pck_crl_chain)))
    collateral = Collateral(parts, Trust(roots(), [ca]))
    assert collateral.num_jobs == 6
    assert collateral.codes() == dict.fromkeys(ALL, PASS)


@needs_evidence
def test_genuine_sets_under_another_root() -> None:
    codes = Collateral(real_parts(NAMES[0]), trust_of(CA)).codes()
    untrusted = ("tcb_signer", "identity_signer", "root_crl_genuine", "pck_crl_genuine")
    assert codes == dict.fromkeys(ALL, PASS) | dict.fromkeys(untrusted, "root-untrusted")


def _certificates(chain: bytes) -> list[bytes]:
    return [der for _, _, der in asn1crypto.pem.unarmor(chain, multiple=True)]


CA = IntelCa()
IMPOSTOR = IntelCa(impostor=True)


@functools.cache
def trust_of(ca: IntelCa) -> Trust:
    return Trust(ca.roots)


@functools.cache
def made(ca: IntelCa = CA) -> Set:
    return ca.collateral(ca.quote(5))


def parts_of_set(collateral: Set) -> Parts:
    return Parts(
        collateral.tcb_info_issuer_chain.encode(),
        collateral.tcb_info.body,
        collateral.tcb_info.signature,
        collateral.qe_identity_issuer_chain.encode(),
        collateral.qe_identity.body,
        collateral.qe_identity.signature,
        collateral.root_ca_crl,
        collateral.pck_crl_issuer_chain.encode(),
        collateral.pck_crl,
    )


def codes_of(collateral: Set | Parts, trust: Trust | None = None, engine: str = "portable") -> dict[str, str]:
    parts = collateral if isinstance(collateral, Parts) else parts_of_set(collateral)
    return Collateral(parts, trust or trust_of(CA), engine).codes()


def only(**wrong: str) -> dict[str, str]:
    """Everything passes but this."""
    return dict.fromkeys(ALL, PASS) | wrong


@pytest.mark.parametrize("engine", engines.available())
@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("ca", ["platform", "processor"])
def test_made_collateral(engine: str, version: int, ca: Any) -> None:
    assert codes_of(CA.collateral(CA.quote(version, ca=ca)), engine=engine) == only()


def test_what_is_told_of_signers_and_crls() -> None:
    collateral = Collateral(parts_of_set(made()), trust_of(CA))
    c = collateral.c
    for signer in (c.tcb_signer, c.identity_signer):
        assert bytes(signer.key) == public_bytes(CA.tcb_signing.key)
        assert [bytes(d) for d in signer.sha256] == [_sha256(CA.tcb_signing.der), _sha256(CA.root.der)]
        assert list(signer.not_before) == [lib_read(x).not_before for x in CA.tcb_chain]
        assert list(signer.not_after) == [lib_read(x).not_after for x in CA.tcb_chain]
        assert (
            bytes(signer.serial.bytes[0 : signer.serial.len])
            == bytes(lib_read(CA.tcb_signing).serial)[: signer.serial.len]
        )
    assert bytes(c.pck_crl_issuer)[: c.pck_crl_issuer_len] == CA.platform.spec.subject.encode()
    assert bytes(c.pck_crl_key) == public_bytes(CA.platform.key)
    assert (c.pck_crl_issuer_not_before, c.pck_crl_issuer_not_after) == (
        lib_read(CA.platform).not_before,
        lib_read(CA.platform).not_after,
    )
    assert bytes(c.root_crl.sha256) == _sha256(made().root_ca_crl)
    assert bytes(c.pck_crl.sha256) == _sha256(made().pck_crl)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def lib_read(certificate: Any) -> Any:
    out = ffi.new("att_intel_cert *")
    lib.att_intel_cert_read(certificate.der, len(certificate.der), out)
    assert code_of(out.profile) == PASS
    return out


def test_serials_of_both_crls() -> None:
    pck = CA.pck()
    collateral = CA.collateral(CA.quote(5, pck=pck), revoked=[pck, 5, 2**159 - 1], root_revoked=[CA.platform, 7])
    c = Collateral(parts_of_set(collateral), trust_of(CA)).c
    assert (c.root_crl.num_revoked, c.pck_crl.num_revoked, c.num_serials) == (2, 3, 5)
    for crl, numbers in ((c.root_crl, {7, CA.platform.spec.serial}), (c.pck_crl, {5, 2**159 - 1, pck.spec.serial})):
        serials = [c.serials[crl.first_revoked + i] for i in range(crl.num_revoked)]
        assert {int.from_bytes(bytes(s.bytes)[: s.len], "big") for s in serials} == numbers


PARTS = {
    "tcb_info_chain": {"tcb_signer": MISSING, "tcb_info_signature": NOT_RUN},
    "tcb_info": {"tcb_info": MISSING, "tcb_info_signature": MISSING},
    "tcb_info_signature": {"tcb_info_signature": MISSING},
    "identity_chain": {"identity_signer": MISSING, "identity_signature": NOT_RUN},
    "identity": {"identity": MISSING, "identity_signature": MISSING},
    "identity_signature": {"identity_signature": MISSING},
    "root_crl": {"root_crl_genuine": MISSING},
    "pck_crl_chain": {"pck_crl_genuine": MISSING},
    "pck_crl": {"pck_crl_genuine": MISSING},
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_missing_hides_no_other(part: str) -> None:
    assert codes_of(parts_of_set(made()).replace(**{part: b""})) == only(**PARTS[part])


def test_all_parts_missing() -> None:
    assert codes_of(Parts()) == dict.fromkeys(ALL, MISSING)


GARBLED = {
    "tcb_info_chain": {"tcb_signer": "collateral-malformed", "tcb_info_signature": NOT_RUN},
    "tcb_info": {"tcb_info": BAD_INFO, "tcb_info_signature": "tcb-info-signature-invalid"},
    "tcb_info_signature": {"tcb_info_signature": "tcb-info-signature-invalid"},
    "identity_chain": {"identity_signer": "collateral-malformed", "identity_signature": NOT_RUN},
    "identity": {"identity": BAD_IDENTITY, "identity_signature": "qe-identity-signature-invalid"},
    "identity_signature": {"identity_signature": "qe-identity-signature-invalid"},
    "root_crl": {"root_crl_genuine": "crl-malformed"},
    "pck_crl_chain": {"pck_crl_genuine": "collateral-malformed"},
    "pck_crl": {"pck_crl_genuine": "crl-malformed"},
}


@pytest.mark.parametrize("part", GARBLED)
@pytest.mark.parametrize("garbage", [b"\0", b"x" * 63, b"{" * 65, b"0" * 128])
def test_a_part_that_is_garbled_hides_no_other(part: str, garbage: bytes) -> None:
    assert codes_of(parts_of_set(made()).replace(**{part: garbage})) == only(**GARBLED[part])


def test_size_of_the_whole() -> None:
    parts = parts_of_set(made())
    room = lib.ATT_COLLATERAL_MAX_BYTES - sum(len(getattr(parts, name)) for name in PARTS) + len(parts.pck_crl)
    fits = Collateral(parts.replace(pck_crl=bytes(room)), trust_of(CA))
    assert fits.found("error").code == PASS
    assert fits.codes() == only(pck_crl_genuine="crl-too-large")
    over = Collateral(parts.replace(pck_crl=bytes(room + 1)), trust_of(CA))
    assert over.num_jobs == 0
    assert over.codes() == dict.fromkeys(ALL, NOT_RUN) | {"error": LIMIT}


def test_before_the_jobs_have_run_nothing_passes() -> None:
    collateral = Collateral(parts_of_set(made()), trust_of(CA), run=False)
    signed = {
        "tcb_info_signature",
        "identity_signature",
        "root_crl_genuine",
        "pck_crl_genuine",
        "tcb_signer",
        "identity_signer",
    }
    assert collateral.codes() == only(**dict.fromkeys(signed, NOT_RUN))


def test_jobs_that_no_engine_answered_pass_nothing() -> None:
    collateral = Collateral(parts_of_set(made()), trust_of(CA), run=False)
    lib.att_tdx_collateral_finish(trust_of(CA).c, collateral.c, collateral.jobs)
    codes = collateral.codes()
    assert [name for name, code in codes.items() if code == PASS] == ["error", "tcb_info", "identity"]


def test_each_signature_is_judged_by_its_own_job() -> None:
    """One job at a time comes out wrong: exactly one finding says so, and its code is its own."""
    seen = []
    for k in range(7):
        collateral = Collateral(parts_of_set(made()), trust_of(CA), run=False)
        for i in range(7):
            collateral.jobs[i].outcome = lib.ATT_SIG_INVALID if i == k else lib.ATT_SIG_VALID
        lib.att_tdx_collateral_finish(trust_of(CA).c, collateral.c, collateral.jobs)
        wrong = {name: code for name, code in collateral.codes().items() if code != PASS}
        assert len(wrong) == 1
        seen.append(next(iter(wrong.items())))
    assert sorted(seen) == sorted(
        [
            ("tcb_signer", "tcb-signer-signature-invalid"),
            ("tcb_info_signature", "tcb-info-signature-invalid"),
            ("identity_signer", "tcb-signer-signature-invalid"),
            ("identity_signature", "qe-identity-signature-invalid"),
            ("root_crl_genuine", "crl-signature-invalid"),
            ("pck_crl_genuine", "crl-signature-invalid"),
            ("pck_crl_genuine", "issuer-signature-invalid"),
        ]
    )


@pytest.mark.parametrize("spaced", [True, False])
def test_signature_over_the_very_bytes(spaced: bool) -> None:
    """(227, 228) Re-serialised, reordered or respelt it is other bytes, though the same JSON."""
    base = made()
    for field, finding, code in (
        ("tcb_info", "tcb_info_signature", "tcb-info-signature-invalid"),
        ("qe_identity", "identity_signature", "qe-identity-signature-invalid"),
    ):
        document = getattr(base, field)
        for sort in (True, False):
            other = document.reserialised(spaced=spaced, sort=sort)
            if other.text != document.text:
                assert codes_of(base.replace(**{field: other})) == only(**{finding: code})
        escaped = document.text.replace('"version"', '"v\\u0065rsion"')
        assert escaped != document.text
        for text in (document.text + " ", " " + document.text, escaped):
            assert codes_of(base.replace(**{field: document.replace(text=text)})) == only(**{finding: code})
        envelope = CA.sign(document.text, signed=document.response)
        assert codes_of(base.replace(**{field: envelope}))[finding] == code
    spaced_info = CA.sign(CA.tcb_info(CA.quote(5)), spaced=True)
    assert codes_of(base.replace(tcb_info=spaced_info)) == only()


@pytest.mark.parametrize("byte", [0, 31, 32, 63])
def test_signature_bytes(byte: int) -> None:
    parts = parts_of_set(made())
    for part, code in (
        ("tcb_info_signature", "tcb-info-signature-invalid"),
        ("identity_signature", "qe-identity-signature-invalid"),
    ):
        sig = bytearray(getattr(parts, part))
        sig[byte] ^= 1
        assert codes_of(parts.replace(**{part: bytes(sig)})) == only(**{part: code})
    for sig in (bytes(64), b"\xff" * 64, parts.tcb_info_signature[32:] + parts.tcb_info_signature[:32]):
        assert codes_of(parts.replace(tcb_info_signature=sig)) == only(tcb_info_signature="tcb-info-signature-invalid")
    for length in (63, 65, 128):
        sig = (parts.identity_signature * 2)[:length]
        assert codes_of(parts.replace(identity_signature=sig)) == only(
            identity_signature="qe-identity-signature-invalid"
        )


def test_signatures_are_not_those_of_the_other_document() -> None:
    parts = parts_of_set(made())
    swapped = parts.replace(tcb_info_signature=parts.identity_signature, identity_signature=parts.tcb_info_signature)
    assert codes_of(swapped) == only(
        tcb_info_signature="tcb-info-signature-invalid", identity_signature="qe-identity-signature-invalid"
    )
    crossed = parts.replace(tcb_info=parts.identity, tcb_info_signature=parts.identity_signature)
    assert codes_of(crossed) == only(tcb_info=OTHER_INFO)  # well signed, and no TCB info


def chain(*certificates: Any) -> bytes:
    return b"".join(c.pem for c in certificates)


@pytest.mark.parametrize("document", ["tcb_info", "identity"])
class TestSigner:
    """(245, 246) Who signs, under which chain. The document's signature is judged under the key that the chain brings."""

    @staticmethod
    def codes(document: str, pem_chain: bytes) -> dict[str, str]:
        return codes_of(parts_of_set(made()).replace(**{f"{document}_chain": pem_chain}))

    @staticmethod
    def signer(document: str) -> str:
        return "tcb_signer" if document == "tcb_info" else "identity_signer"

    def test_swapped(self, document: str) -> None:
        assert self.codes(document, chain(CA.root, CA.tcb_signing))[self.signer(document)] == "chain-name-mismatch"

    @pytest.mark.parametrize("which", ["root", "platform", "pck"])
    def test_another_certificate_of_the_root(self, document: str, which: str) -> None:
        certificate = {"root": CA.root, "platform": CA.platform, "pck": CA.pck()}[which]
        codes = self.codes(document, chain(certificate, CA.root))
        assert codes[self.signer(document)] in ("chain-name-mismatch", "chain-key-reused")
        assert (
            codes[f"{document}_signature"]
            == ("tcb-info" if document == "tcb_info" else "qe-identity") + "-signature-invalid"
        )

    @pytest.mark.parametrize("n", [0, 1, 3])
    def test_number_of_certificates(self, document: str, n: int) -> None:
        text = chain(*(CA.tcb_signing, CA.root, CA.root)[:n])
        codes = self.codes(document, text or b"\n")
        assert codes[self.signer(document)] == "collateral-malformed"
        assert codes[f"{document}_signature"] in (NOT_RUN, PASS)

    def test_impostor(self, document: str) -> None:
        codes = self.codes(document, chain(IMPOSTOR.tcb_signing, IMPOSTOR.root))
        assert codes[self.signer(document)] == "root-untrusted"

    def test_impostor_signer_under_the_genuine_root(self, document: str) -> None:
        forged = IMPOSTOR.tcb_signing.replace(issuer=CA.root.spec.subject)
        assert self.codes(document, chain(forged, CA.root))[self.signer(document)] in (
            "chain-name-mismatch",
            "tcb-signer-signature-invalid",
        )

    def test_signature_of_the_signer(self, document: str) -> None:
        forged = CA.with_tcb_signing(signer=ec_key("stranger")).tcb_signing
        codes = self.codes(document, chain(forged, CA.root))
        assert codes == only(**{self.signer(document): "tcb-signer-signature-invalid"})

    def test_nul_at_the_end(self, document: str) -> None:
        assert self.codes(document, chain(CA.tcb_signing, CA.root) + b"\0") == only()


def test_documents_of_an_impostor() -> None:
    """Genuine in itself under another root: every signer and CRL says so, and nothing else."""
    codes = codes_of(made(IMPOSTOR))
    assert codes == only(
        tcb_signer="root-untrusted",
        identity_signer="root-untrusted",
        root_crl_genuine="root-untrusted",
        pck_crl_genuine="root-untrusted",
    )
    assert codes_of(made(IMPOSTOR), trust_of(IMPOSTOR)) == only()
    assert codes_of(made(IMPOSTOR), Trust([*CA.roots, *IMPOSTOR.roots])) == only()


def test_no_anchor() -> None:
    signers = ("tcb_signer", "identity_signer", "root_crl_genuine", "pck_crl_genuine")
    assert codes_of(made(), Trust()) == only(**dict.fromkeys(signers, "root-untrusted"))


class TestCrls:
    def test_in_each_other_s_place(self) -> None:
        base = made()
        assert codes_of(base.replace(root_ca_crl=base.pck_crl)) == only(root_crl_genuine="crl-issuer-mismatch")
        assert codes_of(base.replace(pck_crl=base.root_ca_crl)) == only(pck_crl_genuine="crl-issuer-mismatch")

    def test_of_the_other_ca(self) -> None:
        """(161) Well signed by the Processor CA, with the Platform CA's chain; with its own chain it is genuine, and of that CA."""
        processor = CA.pck_crl(ca="processor")
        assert codes_of(made().replace(pck_crl=processor)) == only(pck_crl_genuine="crl-issuer-mismatch")
        own = made().replace(pck_crl=processor, pck_crl_issuer_chain=chain(CA.processor, CA.root).decode())
        collateral = Collateral(parts_of_set(own), trust_of(CA))
        assert collateral.codes() == only()
        assert (
            bytes(collateral.c.pck_crl_issuer)[: collateral.c.pck_crl_issuer_len] == CA.processor.spec.subject.encode()
        )

    def test_name_and_key_id_both_count(self) -> None:
        """Signed by the right key, but it names another issuer, or another key of that issuer."""
        named = CA.pck_crl(issuer=CA.processor.spec.subject)
        assert codes_of(made().replace(pck_crl=named)) == only(pck_crl_genuine="crl-issuer-mismatch")
        keyed = CA.pck_crl(issuer_cert=CA.processor, issuer=CA.platform.spec.subject, signer=CA.platform.key)
        assert codes_of(made().replace(pck_crl=keyed)) == only(pck_crl_genuine="crl-issuer-mismatch")
        named = CA.root_crl(issuer=CA.platform.spec.subject)
        assert codes_of(made().replace(root_ca_crl=named)) == only(root_crl_genuine="crl-issuer-mismatch")
        keyed = CA.root_crl(issuer_cert=CA.platform, issuer=CA.root.spec.subject, signer=CA.root.key)
        assert codes_of(made().replace(root_ca_crl=keyed)) == only(root_crl_genuine="root-untrusted")

    def test_signed_by_a_stranger(self) -> None:
        stranger = ec_key("stranger")
        assert codes_of(made().replace(root_ca_crl=CA.root_crl(signer=stranger))) == only(
            root_crl_genuine="crl-signature-invalid"
        )
        assert codes_of(made().replace(pck_crl=CA.pck_crl(signer=stranger))) == only(
            pck_crl_genuine="crl-signature-invalid"
        )

    def test_signed_by_the_tcb_signer(self) -> None:
        assert codes_of(made().replace(pck_crl=CA.pck_crl(signer=CA.tcb_signing.key))) == only(
            pck_crl_genuine="crl-signature-invalid"
        )
        assert codes_of(made().replace(root_ca_crl=CA.root_crl(signer=CA.platform.key))) == only(
            root_crl_genuine="crl-signature-invalid"
        )

    def test_ca_that_the_root_did_not_sign(self) -> None:
        forged = CA.with_platform(signer=ec_key("stranger")).platform
        own = made().replace(pck_crl_issuer_chain=chain(forged, CA.root).decode())
        assert codes_of(own) == only(pck_crl_genuine="issuer-signature-invalid")

    @pytest.mark.parametrize("which", ["tcb_signing", "root"])
    def test_chain_of_something_else(self, which: str) -> None:
        own = made().replace(pck_crl_issuer_chain=chain(getattr(CA, which), CA.root).decode())
        assert codes_of(own)["pck_crl_genuine"] in ("chain-name-mismatch", "chain-key-reused")

    def test_of_an_impostor(self) -> None:
        other = made(IMPOSTOR)
        assert codes_of(made().replace(root_ca_crl=other.root_ca_crl)) == only(root_crl_genuine="root-untrusted")
        assert codes_of(made().replace(pck_crl=other.pck_crl)) == only(pck_crl_genuine="crl-issuer-mismatch")
        both = made().replace(pck_crl=other.pck_crl, pck_crl_issuer_chain=other.pck_crl_issuer_chain)
        assert codes_of(both) == only(pck_crl_genuine="root-untrusted")

    def test_changed_at_every_byte(self) -> None:
        parts = parts_of_set(made())
        for name, part in (("root_crl_genuine", "root_crl"), ("pck_crl_genuine", "pck_crl")):
            der = getattr(parts, part)
            for i in range(0, len(der), 3):
                changed = der[:i] + bytes([der[i] ^ 0x04]) + der[i + 1 :]
                codes = codes_of(parts.replace(**{part: changed}))
                assert codes == only(**{name: codes[name]})
                assert codes[name] not in (PASS, NOT_RUN), i


@needs_evidence
def test_genuine_set_changed_anywhere() -> None:
    """One bit of one part: what that part answers for fails, by a code of its own, and nothing else does."""
    rng = random.Random(11)
    parts = real_parts(NAMES[-1])
    bears = {
        "tcb_info_chain": {"tcb_signer", "tcb_info_signature"},
        "tcb_info": {"tcb_info", "tcb_info_signature"},
        "tcb_info_signature": {"tcb_info_signature"},
        "identity_chain": {"identity_signer", "identity_signature"},
        "identity": {"identity", "identity_signature"},
        "identity_signature": {"identity_signature"},
        "root_crl": {"root_crl_genuine"},
        "pck_crl_chain": {"pck_crl_genuine"},
        "pck_crl": {"pck_crl_genuine"},
    }
    assert set(bears) == set(PARTS)
    for part, names in bears.items():
        for _ in range(25):
            data = bytearray(getattr(parts, part))
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            codes = codes_of(parts.replace(**{part: bytes(data)}), intel())
            wrong = {name for name, code in codes.items() if code != PASS}
            assert wrong, (part, codes)
            assert wrong <= names, (part, codes)
