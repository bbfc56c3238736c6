# SPDX-License-Identifier: Apache-2.0
"""TCB evaluation by the core: genuine quotes under genuine documents, an evaluator of our own written from the words of the algorithm, and
each rule by itself. No signature is looked at here; documents are judged by tests of their own."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import random
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from core_collateral import (
    FMSPC,
    HAS_EVIDENCE,
    NO_EVIDENCE,
    Case,
    Collateral,
    Found,
    Outcome,
    Parts,
    Pck,
    RealQuote,
    advisories_of,
    cases,
    evaluate,
    module,
    parts_of,
    platform_level,
    qe_identity,
    quote_bytes,
    quote_of,
    real_parts,
    real_quote,
    svn_level,
    tcb_info,
)
from hypothesis import given, settings
from hypothesis import strategies as st

needs_evidence = pytest.mark.skipif(not HAS_EVIDENCE, reason=NO_EVIDENCE)

LEVEL_MISSING = "tcb-level-not-found"
PLATFORM, MODULE, QE = "platform TCB level", "TDX module TCB level", "QE TCB level"

UP, SWH, CN, CSWH, OOD, OODCN, REVOKED = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
)
PLATFORM_STATUSES = (UP, SWH, CN, CSWH, OOD, OODCN, REVOKED)
COMPONENT_STATUSES = (UP, OOD, REVOKED)
RELAUNCH, RELAUNCH_CN = "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded"


# ---- genuine evidence ------------------------------------------------------------------------------------------------------


@needs_evidence
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
class TestGenuine:
    def test_as_the_manifest_says(self, case: Case) -> None:
        collateral = Collateral(real_parts(case.collateral))
        assert collateral.found("tcb_info").code == "pass"
        assert collateral.found("identity").code == "pass"
        numbers = (collateral.c.tcb_evaluation_number, collateral.c.identity_evaluation_number)
        assert numbers == case.evaluation_numbers
        quote = real_quote(case.quote)
        outcome = evaluate(collateral, quote)
        assert outcome.status == case.status
        assert outcome.launch_status == case.launch_status
        assert outcome.current_status == case.current_status
        assert outcome.date == case.tcb_date
        if case.status is None:
            assert (outcome.found.code, outcome.found.field) == (LEVEL_MISSING, PLATFORM)
            assert outcome.found.offset in (quote.body_offset, quote.body_offset + 584)
        else:
            assert outcome.found.code == "pass"
            assert advisories_of(collateral, outcome) == case.advisories
        assert outcome.module_match.code == ("not-run" if quote.body_type == 1 else "pass")

    def test_as_our_own_evaluator_says(self, case: Case) -> None:
        parts = real_parts(case.collateral)
        check_equal(parts, real_quote(case.quote))

    def test_as_dcap_qvl_says(self, case: Case) -> None:
        """dcap_qvl stops at gates of its own before it tells a status; where it tells one, or finds no level, it is the same."""
        dcap_qvl = pytest.importorskip("dcap_qvl")
        whole = dcap_qvl.QuoteCollateralV3(**_peer_collateral(case))
        outcome = evaluate(Collateral(real_parts(case.collateral)), real_quote(case.quote))
        try:
            report = dcap_qvl.verify(quote_bytes(case.quote), whole, case.at)
        except ValueError as error:
            said = str(error)
        else:
            assert str(report.status) == outcome.status
            assert tuple(sorted(report.advisory_ids)) == case.advisories
            return
        if "No matching TCB level" in said:
            assert outcome.status is None
            assert outcome.found.code == LEVEL_MISSING
        else:
            assert any(gate in said for gate in ("Debug mode", "SEPT_VE_DISABLE", "service TD")), said


def _peer_collateral(case: Case) -> dict[str, Any]:
    parts = real_parts(case.collateral)
    return {
        "pck_crl_issuer_chain": parts.pck_crl_chain.decode(),
        "root_ca_crl": parts.root_crl,
        "pck_crl": parts.pck_crl,
        "tcb_info_issuer_chain": parts.tcb_info_chain.decode(),
        "tcb_info": parts.tcb_info.decode(),
        "tcb_info_signature": parts.tcb_info_signature,
        "qe_identity_issuer_chain": parts.identity_chain.decode(),
        "qe_identity": parts.identity.decode(),
        "qe_identity_signature": parts.identity_signature,
    }


@needs_evidence
def test_every_case_is_there() -> None:
    assert len(cases()) == 36
    assert {c.status for c in cases()} == {None, UP, OOD, SWH}


@needs_evidence
@pytest.mark.parametrize(("name", "found"), [("00b2526ab190.eval17", UP), ("a187b0da057d.eval17", OOD)])
def test_index_two_rule_on_genuine_quotes(name: str, found: str) -> None:
    """TEE_TCB_SVN 0401 and 0201 lie below the levels' components 0 and 1: compared from 0 they would fit another level or none."""
    quote = real_quote(name.partition(".")[0])
    parts = real_parts(f"{name}.json")
    outcome = evaluate(Collateral(parts), quote)
    assert outcome.status == found
    info = json.loads(parts.tcb_info)
    level = next(level for level in _sorted(info) if _fits(level["tcb"], quote.pck, quote.body[:16], start=2))
    strict = [level for level in _sorted(info) if _fits(level["tcb"], quote.pck, quote.body[:16], start=0)]
    assert not strict or strict[0] != level


# ---- the algorithm in words, once more ---------------------------------------------------------------------------------------
# Intel PCS API v4, "Get TDX TCB Info" and "Enclave Identity", with the convergence and relaunch rules of QVL 1.27. Plain Python over
# parsed JSON; nothing in common with the core but the documents.


def _svns(components: list[dict[str, Any]]) -> list[int]:
    return [c["svn"] for c in components]


def _key(level: dict[str, Any]) -> tuple[list[int], int, list[int]]:
    tcb = level["tcb"]
    return _svns(tcb["sgxtcbcomponents"]), tcb["pcesvn"], _svns(tcb.get("tdxtcbcomponents", []))


def _sorted(info: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(info["tcbLevels"], key=_key, reverse=True)


def _fits(tcb: dict[str, Any], pck: Pck, tdx: bytes | None, start: int) -> bool:
    sgx = all(have >= want for have, want in zip(pck.components, _svns(tcb["sgxtcbcomponents"]), strict=True))
    if not sgx or pck.pce_svn < tcb["pcesvn"]:
        return False
    if tdx is None:
        return True
    return all(have >= want for have, want in list(zip(tdx, _svns(tcb["tdxtcbcomponents"]), strict=True))[start:])


def _highest(levels: list[dict[str, Any]], svn: int) -> dict[str, Any] | None:
    fitting = [level for level in levels if level["tcb"]["isvsvn"] <= svn]
    return max(fitting, key=lambda level: level["tcb"]["isvsvn"], default=None)


@dataclass
class Judged:
    status: str | None = None
    date: str | None = None
    advisories: set[str] = field(default_factory=set)


def _worsen(platform: str, components: list[str]) -> str:
    if REVOKED in components:
        return REVOKED
    if OOD in components:
        return {UP: OOD, SWH: OOD, CN: OODCN, CSWH: OODCN}.get(platform, platform)
    return platform


def _module_for(info: dict[str, Any], version: int) -> dict[str, Any] | None:
    if version == 0:
        return dict(info["tdxModule"])
    for identity in info.get("tdxModuleIdentities", []):
        if identity["id"].upper() == f"TDX_{version:02X}":
            return dict(identity)
    return None


def judge_once(info: dict[str, Any], identity: dict[str, Any], quote: RealQuote, tdx: bytes | None) -> Judged:
    version = tdx[1] if tdx is not None else 0
    platform = next(
        (level for level in _sorted(info) if _fits(level["tcb"], quote.pck, tdx, 2 if version else 0)), None
    )
    qe = _highest(identity["tcbLevels"], quote.qe_isv_svn)
    matched = [platform, qe]
    if version:
        assert tdx is not None
        module = _module_for(info, version)
        matched.append(_highest(module["tcbLevels"], tdx[0]) if module else None)
    if any(level is None for level in matched):
        return Judged()
    levels = [level for level in matched if level is not None]
    return Judged(
        _worsen(levels[0]["tcbStatus"], [level["tcbStatus"] for level in levels[1:]]),
        min(level["tcbDate"] for level in levels)[:10],
        {a for level in levels for a in level.get("advisoryIDs", [])},
    )


def judge(parts: Parts, quote: RealQuote) -> tuple[str | None, Judged, Judged | None]:
    info, identity = json.loads(parts.tcb_info), json.loads(parts.identity)
    if quote.body_type == 1:
        launch = judge_once(info, identity, quote, None)
        return launch.status, launch, None
    launch = judge_once(info, identity, quote, quote.body[:16])
    if quote.body_type == 2:
        return launch.status, launch, None
    now = judge_once(info, identity, quote, quote.body[584:600])
    if launch.status is None or now.status is None:
        return None, launch, now
    if now.status == REVOKED:
        return REVOKED, launch, now  # ours; QVL would say the launch status
    if launch.status in (OOD, OODCN) and now.status in (UP, SWH, CN, CSWH):
        configure = launch.status == OODCN or now.status in (CN, CSWH)
        return RELAUNCH_CN if configure else RELAUNCH, launch, now
    return launch.status, launch, now


def check_equal(parts: Parts, quote: RealQuote) -> Outcome:
    """The core and our own evaluator say the same."""
    collateral = Collateral(parts)
    assert collateral.found("tcb_info").code == "pass"
    assert collateral.found("identity").code == "pass"
    outcome = evaluate(collateral, quote)
    status, launch, now = judge(parts, quote)
    assert outcome.status == status
    assert outcome.launch_status == launch.status
    assert outcome.date == launch.date
    assert outcome.current_status == (now.status if now else None)
    assert outcome.current_date == (now.date if now else None)
    missing = launch.status is None or (now is not None and now.status is None)
    assert outcome.found.code == (LEVEL_MISSING if missing else "pass")
    if launch.status is not None:
        assert advisories_of(collateral, outcome) == tuple(sorted(launch.advisories))
    if quote.body_type != 1:
        known = _module_for(json.loads(parts.tcb_info), quote.body[1]) is not None
        assert (outcome.module_match.code == "tdx-module-unknown") != known
    return outcome


# ---- against our own evaluator ---------------------------------------------------------------------------------------------

dates = st.dates(date(1970, 1, 1)).map(str)
ids = st.lists(st.integers(0, 30).map(lambda i: f"INTEL-SA-{i:05}"), max_size=3).map(tuple)


PLACES = [(i, v) for i in range(16) for v in (0, 1, 2, 0x7F, 0x80, 0xFF)]


def components() -> st.SearchStrategy[list[int]]:
    """Sixteen, of which few differ from a common base: else hardly anything would ever fit."""

    def build(changes: tuple[tuple[int, int], ...]) -> list[int]:
        base = [1] * 16
        for i, v in changes:
            base[i] = v
        return base

    return st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)).map(build)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Parts, RealQuote]:
    tdx = draw(st.integers(0, 5)) > 0
    status = st.sampled_from(PLATFORM_STATUSES)
    component_status = st.sampled_from(COMPONENT_STATUSES)
    keys = draw(
        st.lists(
            st.tuples(components(), st.integers(4, 6), components()), min_size=1, max_size=5, unique_by=_unique(tdx)
        )
    )
    levels = [platform_level(s, p, t if tdx else None, draw(status), draw(dates), draw(ids)) for s, p, t in keys]

    def svn_levels(most: int) -> list[dict[str, Any]]:
        svns = draw(st.lists(st.integers(0, most), min_size=1, max_size=5, unique=True))
        return [svn_level(v, draw(component_status), draw(dates), draw(ids)) for v in svns]

    versions = draw(st.lists(st.sampled_from([1, 2, 3, 0xAB, 0xFF]), max_size=3, unique=True)) if tdx else []
    modules = [module(v, svn_levels(3)) for v in versions]
    parts = parts_of(tcb_info(levels, modules or None, tdx), qe_identity(svn_levels(6), tdx))

    def tee_tcb_svn() -> list[int]:
        rest = draw(st.sampled_from([t for _, _, t in keys]) | components())
        version = draw(st.sampled_from([0, *versions, *versions, *versions, 2]))
        return [draw(st.integers(0, 3)), version, *rest[2:]]

    sgx = draw(st.sampled_from([s for s, _, _ in keys]) | components() | st.just([2] * 16))
    body_type = draw(st.integers(2, 4)) if tdx else 1
    second = tee_tcb_svn() if body_type > 2 else None
    return parts, quote_of(
        sgx, draw(st.integers(4, 7)), tee_tcb_svn() if tdx else None, second, draw(st.integers(0, 6)), body_type
    )


def _unique(tdx: bool) -> Any:
    return (lambda k: (tuple(k[0]), k[1], tuple(k[2]))) if tdx else (lambda k: (tuple(k[0]), k[1]))


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_any_world_is_judged_as_our_own_evaluator_judges_it(world: tuple[Parts, RealQuote]) -> None:
    check_equal(*world)


def test_many_worlds_reach_every_outcome() -> None:
    """Seeded, so that what the test above may come upon is known to be come upon."""
    rng = random.Random(7)
    seen: set[tuple[str | None, str]] = set()
    for _ in range(3000):
        versions = [0, 1, 3]
        keys = {tuple(rng.choice([1, 1, 1, 2]) for _ in range(16)): rng.randint(4, 5) for _ in range(4)}
        levels = [
            platform_level([1] * 12 + list(k[:4]), p, [0, 0, *k[4:8], *[1] * 10], rng.choice(PLATFORM_STATUSES))
            for k, p in keys.items()
        ]
        modules = [module(v, [svn_level(s, rng.choice(COMPONENT_STATUSES)) for s in (2, 1)]) for v in versions[1:]]
        unique = {json.dumps(level["tcb"]): level for level in levels}
        identity = qe_identity([svn_level(s, rng.choice((UP, UP, OOD, REVOKED))) for s in (4, 2)])
        parts = parts_of(tcb_info(list(unique.values()), modules), identity)
        first, second = (
            [rng.randint(0, 3), rng.choice([0, 1, 1, 3, 3, 2]), *[rng.choice([2, 2, 1]) for _ in range(4)], *[1] * 10]
            for _ in range(2)
        )
        quote = quote_of(
            [rng.choice([2, 2, 1]) for _ in range(16)], rng.randint(4, 5), first, second, rng.randint(1, 4)
        )
        outcome = check_equal(parts, quote)
        seen.add((outcome.status, outcome.found.field))
    assert {status for status, _ in seen} == {None, *PLATFORM_STATUSES, RELAUNCH, RELAUNCH_CN}
    assert {where for _, where in seen} == {"", PLATFORM, MODULE, QE}


# ---- one rule at a time ----------------------------------------------------------------------------------------------------

TOP = [9] * 16
LOW = [5] * 16


def two_levels(tdx: bool = True) -> Parts:
    """The upper level is up to date, the lower out of date; nothing fits below that."""
    levels = [
        platform_level(TOP, 13, TOP if tdx else None, UP),
        platform_level(LOW, 11, LOW if tdx else None, OOD),
    ]
    return parts_of(
        tcb_info(levels, [module(1, [svn_level(3)])] if tdx else None, tdx), qe_identity([svn_level(4)], tdx)
    )


def below(base: list[int], i: int) -> list[int]:
    return [v - (1 if k == i else 0) for k, v in enumerate(base)]


@pytest.mark.parametrize("tdx", [True, False])
@pytest.mark.parametrize("i", range(16))
def test_one_sgx_component_below(tdx: bool, i: int) -> None:
    parts = two_levels(tdx)
    tdx_svn = [3, 1, *[9] * 14] if tdx else None
    assert check_equal(parts, quote_of(TOP, 13, tdx_svn)).status == UP
    assert check_equal(parts, quote_of(below(TOP, i), 13, tdx_svn)).status == OOD
    assert check_equal(parts, quote_of(LOW, 13, tdx_svn)).status == OOD
    outcome = check_equal(parts, quote_of(below(LOW, i), 13, tdx_svn))
    assert outcome.status is None
    assert outcome.found == Found(LEVEL_MISSING, PLATFORM, 48)


@pytest.mark.parametrize("tdx", [True, False])
def test_pce_svn_below(tdx: bool) -> None:
    parts = two_levels(tdx)
    svn = [3, 1, *[9] * 14] if tdx else None
    statuses = [check_equal(parts, quote_of(TOP, pce_svn, svn)).status for pce_svn in (65535, 14, 13, 12, 11, 10, 0)]
    assert statuses == [UP, UP, UP, OOD, OOD, None, None]


@pytest.mark.parametrize("i", range(2, 16))
@pytest.mark.parametrize("version", [0, 1])
def test_one_tdx_component_below(i: int, version: int) -> None:
    levels = [platform_level(TOP, 13, [3, 0, *[9] * 14], UP), platform_level(TOP, 13, [3, 0, *[5] * 14], OOD)]
    parts = parts_of(tcb_info(levels, [module(1, [svn_level(3)])]), qe_identity([svn_level(4)]))
    for base, at_level, under in (([9] * 16, UP, OOD), ([5] * 16, OOD, None)):
        assert check_equal(parts, quote_of(TOP, 13, [3, version, *base[2:]])).status == at_level
        assert check_equal(parts, quote_of(TOP, 13, [3, version, *below(base, i)[2:]])).status == under


def test_first_two_tdx_components() -> None:
    """Compared when the module's version is 0, and only then: above it the module's identity judges them."""
    levels = [platform_level(TOP, 13, [9, 0, *TOP[2:]], UP), platform_level(TOP, 13, [5, 0, *TOP[2:]], OOD)]
    parts = parts_of(tcb_info(levels, [module(1, [svn_level(3)])]), qe_identity([svn_level(4)]))
    for first, status in ((9, UP), (8, OOD), (5, OOD), (4, None)):
        assert check_equal(parts, quote_of(TOP, 13, [first, 0, *TOP[2:]])).status == status
    assert check_equal(parts, quote_of(TOP, 13, [3, 1, *TOP[2:]])).status == UP
    second = parts_of(tcb_info([platform_level(TOP, 13, [0, 1, *TOP[2:]], UP)]), qe_identity([svn_level(4)]))
    assert check_equal(second, quote_of(TOP, 13, [255, 0, *TOP[2:]])).found == Found(LEVEL_MISSING, PLATFORM, 48)


@pytest.mark.parametrize("i", range(16))
@pytest.mark.parametrize(("have", "want", "fits"), [(0x80, 0x7F, True), (0x7F, 0x80, False), (0xFF, 0xFF, True), (0xFE, 0xFF, False),
                                                    (0, 0xFF, False), (0xFF, 0, True), (0x80, 0x80, True), (0, 0, True), (0x81, 0x01, True),
                                                    (0x01, 0x81, False)])  # fmt: skip
def test_components_are_bytes_without_sign(i: int, have: int, want: int, fits: bool) -> None:
    def components_with(value: int) -> list[int]:
        return [value if k == i else 1 for k in range(16)]

    info = tcb_info([platform_level(components_with(want), 1, None)], None, False)
    parts = parts_of(info, qe_identity([svn_level(1)], False))
    assert (check_equal(parts, quote_of(components_with(have), 1, None)).status == UP) == fits


def test_components_against_bytes() -> None:
    """All pairs of byte values in one place, with every neighbour at its worst for a comparison of eight at a time."""
    for want in range(0, 256, 5):
        level = [0xFF, want] * 8
        parts = parts_of(tcb_info([platform_level(level, 1, None)], None, False), qe_identity([svn_level(1)], False))
        collateral = Collateral(parts)
        for have in range(256):
            quote = quote_of([0xFF, have] * 8, 1, None)
            assert (evaluate(collateral, quote).status == UP) == (have >= want)


def test_order_of_the_document_says_nothing() -> None:
    levels = [
        platform_level(LOW, 11, TOP, OOD, "2020-01-01"),
        platform_level(TOP, 11, TOP, SWH, "2022-01-01"),
        platform_level(TOP, 13, LOW, CN, "2023-01-01"),
        platform_level(TOP, 13, TOP, UP, "2024-01-01"),
        platform_level([5] * 15 + [9], 11, TOP, OODCN, "2021-01-01"),
    ]
    modules = [svn_level(1, OOD), svn_level(3, UP), svn_level(2, OOD)]
    qes = [svn_level(2, OOD), svn_level(1, REVOKED), svn_level(4, UP)]
    quotes = [
        (quote_of(TOP, 13, [3, 1, *TOP[2:]]), UP),
        (quote_of(TOP, 13, [3, 1, *LOW[2:]]), CN),
        (quote_of(TOP, 12, [3, 1, *TOP[2:]]), SWH),
        (quote_of(below(TOP, 0), 13, [3, 1, *TOP[2:]]), OODCN),
        (quote_of(below(TOP, 15), 13, [3, 1, *TOP[2:]]), OOD),
        (quote_of(TOP, 13, [2, 1, *TOP[2:]]), OOD),
        (quote_of(TOP, 13, [3, 1, *TOP[2:]], qe=3), OOD),
        (quote_of(TOP, 13, [3, 1, *TOP[2:]], qe=1), REVOKED),
    ]
    rng = random.Random(3)
    for _ in range(20):
        for documents in (levels, modules, qes):
            rng.shuffle(documents)
        parts = parts_of(tcb_info(levels, [module(1, modules)]), qe_identity(qes))
        for quote, status in quotes:
            assert check_equal(parts, quote).status == status


@pytest.mark.parametrize(
    ("svn", "version", "where", "code"), [(2, 1, MODULE, "pass"), (3, 2, MODULE, "tdx-module-unknown")]
)
def test_module_without_a_level(svn: int, version: int, where: str, code: str) -> None:
    outcome = check_equal(two_levels(), quote_of(TOP, 13, [svn, version, *TOP[2:]]))
    assert outcome.status is None
    assert outcome.found == Found(LEVEL_MISSING, where, 48)
    assert outcome.module_match.code == code
    if code != "pass":
        assert outcome.module_match == Found(code, "TEE_TCB_SVN", 49)


@pytest.mark.parametrize("spelling", ["TDX_AB", "tdx_ab", "Tdx_aB"])
def test_module_id_in_any_case(spelling: str) -> None:
    identity = module(0xAB, [svn_level(3)]) | {"id": spelling}
    parts = parts_of(tcb_info([platform_level(TOP, 13, TOP)], [identity]), qe_identity([svn_level(4)]))
    assert check_equal(parts, quote_of(TOP, 13, [3, 0xAB, *TOP[2:]])).status == UP
    assert check_equal(parts, quote_of(TOP, 13, [3, 0xBA, *TOP[2:]])).module_match.code == "tdx-module-unknown"


def test_an_identity_for_version_zero_stands_for_nothing() -> None:
    """Version 0 is tdxModule's, whatever an identity TDX_00 says."""
    zero = module(0, [svn_level(200, REVOKED)]) | {"mrsigner": "11" * 48}
    parts = parts_of(tcb_info([platform_level(TOP, 13, [0] * 16)], [zero]), qe_identity([svn_level(4)]))
    outcome = check_equal(parts, quote_of(TOP, 13, [3, 0, *TOP[2:]]))
    assert (outcome.status, outcome.module_match.code, outcome.module, outcome.module_level) == (
        UP,
        "pass",
        (0, -1),
        (-1, -1),
    )


def test_qe_without_a_level() -> None:
    outcome = check_equal(two_levels(), quote_of(TOP, 13, [3, 1, *TOP[2:]], qe=3))
    assert outcome.found == Found(LEVEL_MISSING, QE, 0)
    assert (outcome.status, outcome.qe_status, outcome.qe_level) == (None, None, -1)


# ---- module's identity -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("i", [0, 1, 24, 47])
def test_signer_of_the_module(version: int, i: int) -> None:
    quote = quote_of(TOP, 13, [9, version, *TOP[2:]])
    body = bytearray(quote.body)
    body[64 + i] = 1
    parts = parts_of(
        tcb_info([platform_level(TOP, 13, [0] * 16)], [module(1, [svn_level(3)])]), qe_identity([svn_level(4)])
    )
    assert check_equal(parts, quote).module_match.code == "pass"
    outcome = check_equal(parts, dataclasses.replace(quote, body=bytes(body)))
    assert outcome.module_match == Found("tdx-module-signer-mismatch", "MRSIGNERSEAM", 48 + 64 + i)
    assert outcome.status == UP  # the levels are judged all the same


def test_signer_is_that_of_the_version() -> None:
    other = module(1, [svn_level(3)]) | {"mrsigner": "aa" * 48}
    parts = parts_of(
        tcb_info([platform_level(TOP, 13, [0] * 16)], [other, module(3, [svn_level(3)])]), qe_identity([svn_level(4)])
    )
    assert check_equal(parts, quote_of(TOP, 13, [9, 0, *TOP[2:]])).module_match.code == "pass"
    assert check_equal(parts, quote_of(TOP, 13, [9, 3, *TOP[2:]])).module_match.code == "pass"
    assert check_equal(parts, quote_of(TOP, 13, [9, 1, *TOP[2:]])).module_match == Found(
        "tdx-module-signer-mismatch", "MRSIGNERSEAM", 112
    )


@pytest.mark.parametrize("mask", ["ff", "00"])
@pytest.mark.parametrize("i", range(8))
def test_seam_attributes_are_zero_whatever_the_mask(mask: str, i: int) -> None:
    info = tcb_info([platform_level(TOP, 13, [0] * 16)])
    info["tdxModule"]["attributesMask"] = mask * 8
    quote = quote_of(TOP, 13, [9, 0, *TOP[2:]])
    body = bytearray(quote.body)
    body[112 + i] = 0x80
    parts = parts_of(info, qe_identity([svn_level(4)]))
    outcome = check_equal(parts, dataclasses.replace(quote, body=bytes(body)))
    assert outcome.module_match == Found("seam-attributes-mismatch", "SEAMATTRIBUTES", 48 + 112 + i)


def test_seam_attributes_of_the_document() -> None:
    """A document that asks for a bit is fulfilled by no module that may be accepted."""
    info = tcb_info([platform_level(TOP, 13, [0] * 16)])
    info["tdxModule"]["attributes"] = "00" * 7 + "01"
    quote = quote_of(TOP, 13, [9, 0, *TOP[2:]])
    outcome = check_equal(parts_of(info, qe_identity([svn_level(4)])), quote)
    assert outcome.module_match == Found("seam-attributes-mismatch", "SEAMATTRIBUTES", 48 + 119)
    body = bytearray(quote.body)
    body[119] = 1
    outcome = check_equal(parts_of(info, qe_identity([svn_level(4)])), dataclasses.replace(quote, body=bytes(body)))
    assert outcome.module_match == Found("seam-attributes-mismatch", "SEAMATTRIBUTES", 48 + 119)


# ---- statuses together -----------------------------------------------------------------------------------------------------

CONVERGED = {  # platform status: (with a component OutOfDate, with one Revoked)
    UP: OOD, SWH: OOD, CN: OODCN, CSWH: OODCN, OOD: OOD, OODCN: OODCN, REVOKED: REVOKED,
}  # fmt: skip


@functools.cache
def converging(platform: str, module_status: str, qe: str) -> Parts:
    levels = [platform_level(TOP, 13, [0] * 16, platform, "2026-03-03", ("A",))]
    modules = [module(1, [svn_level(3, module_status, "2026-02-02", ("B", "A"))])]
    return parts_of(tcb_info(levels, modules), qe_identity([svn_level(4, qe, "2026-01-01", ("C",))]))


@pytest.mark.parametrize("platform", PLATFORM_STATUSES)
@pytest.mark.parametrize("module_status", COMPONENT_STATUSES)
@pytest.mark.parametrize("qe", COMPONENT_STATUSES)
@pytest.mark.parametrize("body_type", [2, 3, 4])
def test_convergence(platform: str, module_status: str, qe: str, body_type: int) -> None:
    parts = converging(platform, module_status, qe)
    svn = [3, 1, *TOP[2:]]
    outcome = check_equal(parts, quote_of(TOP, 13, svn, svn if body_type > 2 else None, 4, body_type))
    components = {module_status, qe}
    want = REVOKED if REVOKED in components else CONVERGED[platform] if OOD in components else platform
    assert outcome.status == outcome.launch_status == want
    assert outcome.current_status == (want if body_type > 2 else None)
    assert outcome.qe_status == qe
    assert outcome.date == "2026-01-01"
    # without a module of its own, the QE alone is put to the platform
    alone = check_equal(
        parts, quote_of(TOP, 13, [3, 0, *TOP[2:]], [3, 0, *TOP[2:]] if body_type > 2 else None, 4, body_type)
    )
    assert alone.status == (REVOKED if qe == REVOKED else CONVERGED[platform] if qe == OOD else platform)


@pytest.mark.parametrize(
    ("platform", "module_date", "qe", "date"),
    [
        ("2020-01-01", "2021-01-01", "2022-01-01", "2020-01-01"),
        ("2022-01-01", "2021-01-01", "2023-01-01", "2021-01-01"),
        ("2022-01-01", "2021-01-01", "2020-12-31", "2020-12-31"),
    ],
)
def test_date_is_the_earliest(platform: str, module_date: str, qe: str, date: str) -> None:
    info = tcb_info([platform_level(TOP, 13, [0] * 16, UP, platform)], [module(1, [svn_level(3, UP, module_date)])])
    parts = parts_of(info, qe_identity([svn_level(4, UP, qe)]))
    assert check_equal(parts, quote_of(TOP, 13, [3, 1, *TOP[2:]])).date == date
    assert check_equal(parts, quote_of(TOP, 13, [3, 0, *TOP[2:]])).date == min(platform, qe)


def test_advisories_are_those_of_all_matched_levels_and_no_other() -> None:
    info = tcb_info(
        [platform_level(TOP, 13, TOP, UP, advisories=("HIGHER",)), platform_level(LOW, 11, LOW, OOD, advisories=("P1", "BOTH"))],
        [module(1, [svn_level(3, UP, advisories=("NEWER",)), svn_level(2, OOD, advisories=("BOTH", "M1"))]),
         module(3, [svn_level(2, UP, advisories=("OTHER",))])],
    )  # fmt: skip
    parts = parts_of(info, qe_identity([svn_level(8, UP, advisories=("X",)), svn_level(4, OOD, advisories=("Q1",))]))
    collateral = Collateral(parts)
    outcome = evaluate(collateral, quote_of(LOW, 12, [2, 1, *LOW[2:]], qe=5))
    assert advisories_of(collateral, outcome) == ("BOTH", "M1", "P1", "Q1")


RELAUNCHED = {
    (launch, now): (
        REVOKED
        if now == REVOKED
        else launch
        if launch not in (OOD, OODCN) or now in (OOD, OODCN)
        else RELAUNCH_CN
        if launch == OODCN or now in (CN, CSWH)
        else RELAUNCH
    )
    for launch, now in itertools.product(PLATFORM_STATUSES, PLATFORM_STATUSES)
}


def test_relaunch_table_by_hand() -> None:
    """The corners of the table above, spelt out."""
    assert RELAUNCHED[OOD, UP] == RELAUNCHED[OOD, SWH] == RELAUNCH
    assert RELAUNCHED[OOD, CN] == RELAUNCHED[OOD, CSWH] == RELAUNCH_CN
    assert {RELAUNCHED[OODCN, now] for now in (UP, SWH, CN, CSWH)} == {RELAUNCH_CN}
    assert RELAUNCHED[OOD, OOD] == RELAUNCHED[OOD, OODCN] == OOD
    assert RELAUNCHED[OODCN, OOD] == RELAUNCHED[OODCN, OODCN] == OODCN
    assert all(
        RELAUNCHED[launch, now] == launch
        for launch in (UP, SWH, CN, CSWH, REVOKED)
        for now in (UP, SWH, CN, CSWH, OOD, OODCN)
    )
    assert all(RELAUNCHED[launch, REVOKED] == REVOKED for launch in PLATFORM_STATUSES)


@pytest.mark.parametrize("body_type", [3, 4])
@pytest.mark.parametrize(("launch", "now"), RELAUNCHED)
def test_relaunch(launch: str, now: str, body_type: int) -> None:
    """Two levels that TEE_TCB_SVN and TEE_TCB_SVN_2 meet in turn, each way round."""
    for high, low in ((now, launch), (launch, now)):
        levels = [
            platform_level(TOP, 13, [0, 0, 9, *[0] * 13], high, "2026-02-02"),
            platform_level(TOP, 13, [0] * 16, low, "2025-01-01"),
        ]
        parts = parts_of(tcb_info(levels), qe_identity([svn_level(4, UP, "2026-03-03")]))
        upper, lower = [0, 0, 9, *[0] * 13], [0] * 16
        first, second = (lower, upper) if (high, low) == (now, launch) else (upper, lower)
        outcome = check_equal(parts, quote_of(TOP, 13, first, second, 4, body_type))
        assert outcome.launch_status == launch
        assert outcome.current_status == now
        assert outcome.status == RELAUNCHED[launch, now]
        assert outcome.date == ("2025-01-01" if first == lower else "2026-02-02")
        assert outcome.current_date == ("2025-01-01" if second == lower else "2026-02-02")
        assert outcome.found.code == "pass"


@pytest.mark.parametrize("platform", PLATFORM_STATUSES)
@pytest.mark.parametrize("launched", COMPONENT_STATUSES)
@pytest.mark.parametrize("now", COMPONENT_STATUSES)
@pytest.mark.parametrize("qe", COMPONENT_STATUSES)
def test_module_brought_up_since_launch(platform: str, launched: str, now: str, qe: str) -> None:
    """Convergence before relaunch, for every platform, module and QE status and both modules."""
    modules = [module(1, [svn_level(3, now), svn_level(2, launched)])]
    parts = parts_of(tcb_info([platform_level(TOP, 13, [0] * 16, platform)], modules), qe_identity([svn_level(4, qe)]))
    outcome = check_equal(parts, quote_of(TOP, 13, [2, 1, *TOP[2:]], [3, 1, *TOP[2:]]))

    def converged(component: str) -> str:
        both = {component, qe}
        return REVOKED if REVOKED in both else CONVERGED[platform] if OOD in both else platform

    assert outcome.status == RELAUNCHED[converged(launched), converged(now)]


@pytest.mark.parametrize(
    ("second", "where"), [([9, 0, 8, *TOP[3:]], PLATFORM), ([2, 1, *TOP[2:]], MODULE), ([9, 2, *TOP[2:]], MODULE)]
)
def test_current_tcb_without_a_level(second: list[int], where: str) -> None:
    levels = [platform_level(TOP, 13, [0, 0, *TOP[2:]])]
    parts = parts_of(tcb_info(levels, [module(1, [svn_level(3)])]), qe_identity([svn_level(4)]))
    outcome = check_equal(parts, quote_of(TOP, 13, [3, 1, *TOP[2:]], second))
    assert (outcome.status, outcome.launch_status, outcome.current_status) == (None, UP, None)
    assert outcome.found == Found(LEVEL_MISSING, where, 54 + 584)
    assert outcome.module_match.code == "pass"  # of the module that measured the TD


def test_launch_without_a_level_is_what_is_told() -> None:
    levels = [platform_level(TOP, 13, [0, 0, *TOP[2:]])]
    parts = parts_of(tcb_info(levels, [module(1, [svn_level(3)])]), qe_identity([svn_level(4)]))
    outcome = check_equal(parts, quote_of(TOP, 13, [2, 1, *TOP[2:]], [3, 1, *TOP[2:]]))
    assert (outcome.status, outcome.launch_status, outcome.current_status) == (None, None, UP)
    assert outcome.found == Found(LEVEL_MISSING, MODULE, 54)


def test_body_type_two_has_no_second_svn() -> None:
    """584 bytes and not one more are read: the bytes behind, were they read, would have no level."""
    quote = quote_of(TOP, 13, [3, 1, *TOP[2:]])
    assert len(quote.body) == 584
    outcome = check_equal(two_levels(), quote)
    assert (outcome.status, outcome.current_status, outcome.current_date, outcome.level[1]) == (UP, None, None, -1)


def test_initial_tcb_of_type_four_is_not_evaluated() -> None:
    svn = [3, 1, *TOP[2:]]
    quote = quote_of(TOP, 13, svn, svn, 4, 4)
    body = bytearray(quote.body)
    body[785:829] = bytes(44)
    low = check_equal(two_levels(), dataclasses.replace(quote, body=bytes(body)))
    body[785:829] = b"\xff" * 44
    high = check_equal(two_levels(), dataclasses.replace(quote, body=bytes(body)))
    assert low == high
    assert low.status == UP


# ---- documents that say nothing about this quote ---------------------------------------------------------------------------


def not_reached(outcome: Outcome) -> None:
    assert (outcome.status, outcome.launch_status, outcome.current_status) == (None, None, None)
    assert (outcome.found.code, outcome.level, outcome.date) == ("not-run", (-1, -1), None)


@pytest.mark.parametrize(
    "change", [{"fmspc": bytes(6)}, {"fmspc": FMSPC[:5] + b"\1"}, {"pce_id": b"\0\1"}, {"pce_id": b"\1\0"}]
)
def test_another_platform(change: dict[str, bytes]) -> None:
    quote = quote_of(TOP, 13, [3, 1, *TOP[2:]])
    changed = dataclasses.replace(quote, pck=dataclasses.replace(quote.pck, **change))  # type: ignore[arg-type]
    outcome = evaluate(Collateral(two_levels()), changed)
    not_reached(outcome)
    assert outcome.module_match.code == "not-run"


def test_another_tee() -> None:
    not_reached(evaluate(Collateral(two_levels(tdx=False)), quote_of(TOP, 13, [3, 1, *TOP[2:]])))
    not_reached(evaluate(Collateral(two_levels(tdx=True)), quote_of(TOP, 13, None)))


@pytest.mark.parametrize("body_type", [0, 5, 65535])
def test_another_body(body_type: int) -> None:
    quote = dataclasses.replace(quote_of(TOP, 13, [3, 1, *TOP[2:]], TOP, 4, 4), body_type=body_type)
    not_reached(evaluate(Collateral(two_levels()), quote))


@pytest.mark.parametrize("broken", [b"", b"{}", b"x"])
def test_no_tcb_info(broken: bytes) -> None:
    not_reached(evaluate(Collateral(two_levels().replace(tcb_info=broken)), quote_of(TOP, 13, [3, 1, *TOP[2:]])))


@pytest.mark.parametrize("broken", [b"", b"{}", b"x", json.dumps(qe_identity([svn_level(0)], tdx=False)).encode()])
def test_no_identity_of_this_qe(broken: bytes) -> None:
    """The platform's level is found, and the module judged; without the QE's there is no status."""
    outcome = evaluate(Collateral(two_levels().replace(identity=broken)), quote_of(TOP, 13, [3, 1, *TOP[2:]]))
    assert (outcome.status, outcome.qe_status, outcome.qe_level) == (None, None, -1)
    assert (outcome.found.code, outcome.module_match.code, outcome.level) == ("not-run", "pass", (0, -1))


@pytest.mark.parametrize("name", ["QVE", "QAE"])
def test_other_enclaves_are_no_qe(name: str) -> None:
    for tdx in (True, False):
        parts = two_levels(tdx)
        identity = json.loads(parts.identity) | {"id": name}
        collateral = Collateral(parts.replace(identity=json.dumps(identity).encode()))
        assert collateral.found("identity").code == "pass"
        outcome = evaluate(collateral, quote_of(TOP, 13, [3, 1, *TOP[2:]] if tdx else None))
        assert (outcome.status, outcome.found.code) == (None, "not-run")
