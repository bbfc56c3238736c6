"""`tdxverify show` and `tdxverify verify`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

import tdxverify
from attestcore import verdict
from tdxverify.testing import AT, IntelCa
from tdxverify.testing.eventlog import Log, Record

from .conftest import invoke

DATA = Path(__file__).resolve().parents[2] / "examples" / "data"
QUOTE = DATA / "quote_td15ex.bin"
COLLATERAL = DATA / "collateral_td15ex.json"
THEN = "2026-10-20T00:00:00Z"


@pytest.fixture(scope="module")
def ca() -> IntelCa:
    return IntelCa()


@pytest.fixture
def made(ca: IntelCa, tmp_path: Path) -> dict[str, Path]:
    """A quote of the test CA, its collateral in three forms, and its root."""
    quote = ca.quote(version=5, body_type=3)
    collateral = ca.collateral(quote, at=AT)
    contents = {
        "quote": quote.bytes,
        "json": collateral.json().encode(),
        "flattened": collateral.flattened(),
        "many": collateral.platform_collaterals().encode(),
        "root": ca.root.pem if isinstance(ca.root.pem, bytes) else ca.root.pem.encode(),
    }
    paths = {name: tmp_path / name for name in contents}
    for name, path in paths.items():
        path.write_bytes(contents[name])
    return paths


# ---- show ------------------------------------------------------------------------------------------------------------


def test_show_tells_every_part() -> None:
    said = invoke("tdxverify", "show", QUOTE, "--json").json()
    assert (said["kind"], said["claims_verified"]) == ("tdx", False)
    assert said["claims"] == json.loads(json.dumps(tdxverify.parse_quote(QUOTE.read_bytes()).to_dict()))
    text = invoke("tdxverify", "show", QUOTE).out
    assert "Nothing here is verified" in text
    for words in (
        "MR_TD  ",
        "RT_MR3  ",
        "sept_ve_disable",
        "x87, sse, avx, avx512, pkru, amx",
        "PCK certificate chain",
        "b0c06f000000",
    ):
        assert words in text


@pytest.mark.parametrize("wrap", [bytes.hex, lambda data: base64.b64encode(data).decode()], ids=["hex", "base64"])
def test_show_reads_text(wrap: object) -> None:
    data = QUOTE.read_bytes()
    text = wrap(data)  # type: ignore[operator]
    ran = invoke("tdxverify", "show", "-", "--json", stdin=text.encode())
    assert ran.json()["claims"]["report_data"] == tdxverify.parse_quote(data).report_data.hex()


def test_show_of_what_is_no_quote_says_where() -> None:
    ran = invoke("tdxverify", "show", "-", "--json", stdin=QUOTE.read_bytes()[:700])
    said = ran.json()
    assert (ran.status, said["claims"]) == (1, None)
    assert said["code"] == "quote-truncated"
    assert said["offset"] <= 700
    assert "quote-truncated" in ran.err


def log_of(quote: tdxverify.Quote, records: list[Record]) -> bytes:
    assert quote.kind == "tdx"
    return Log(records).bytes


def test_show_holds_an_event_log_against_the_registers(ca: IntelCa, tmp_path: Path) -> None:
    from tdxverify.eventlog import parse_event_log

    log = Log([Record(2, 0xD, b"command\x1b[2J line"), Record(1, 0x4, b"\0\0\0\0")]).bytes
    registers = parse_event_log(log).replay().rtmr
    quote = ca.quote(version=4, **{f"rt_mr{i}": registers[i] for i in range(4)})
    paths = {"quote": quote.bytes, "other": ca.quote(version=4).bytes, "log": log, "cut": log[:-1]}
    for name, content in paths.items():
        (tmp_path / name).write_bytes(content)
    good = invoke("tdxverify", "show", tmp_path / "quote", "--event-log", tmp_path / "log", "--json")
    assert (good.status, good.json()["event_log"]["comparison"] is not None) == (0, True)
    text = invoke("tdxverify", "show", tmp_path / "quote", "--event-log", tmp_path / "log").out
    assert "\x1b" not in text
    assert "checked" in text
    assert invoke("tdxverify", "show", tmp_path / "other", "--event-log", tmp_path / "log").status == 1
    cut = invoke("tdxverify", "show", tmp_path / "quote", "--event-log", tmp_path / "cut", "--json")
    assert (cut.status, cut.json()["code"]) == (1, "event-log-malformed")


# ---- verify ----------------------------------------------------------------------------------------------------------


def test_the_capture_is_accepted_at_its_time() -> None:
    ran = invoke("tdxverify", "verify", QUOTE, "--collateral", COLLATERAL, "--at", THEN, "--json")
    said = ran.json()
    assert (ran.status, said["accepted"], said["kind"], said["tcb_status"]) == (0, True, "tdx", "UpToDate")
    assert said["tcb_evaluation_data_number"] == 20
    direct = tdxverify.verify(QUOTE.read_bytes(), collateral=COLLATERAL.read_bytes(), at=1792454400)
    assert said == json.loads(json.dumps(direct.to_dict()))
    text = invoke("tdxverify", "verify", QUOTE, "--collateral", COLLATERAL, "--at", THEN).out
    assert text.startswith("ACCEPTED")
    assert "UpToDate" in text


def test_without_collateral_nothing_is_decided() -> None:
    ran = invoke("tdxverify", "verify", QUOTE, "--at", THEN, "--json")
    assert (ran.status, ran.json()["codes"]) == (3, ["collateral-missing"])
    assert "B0C06F000000" in invoke("tdxverify", "verify", QUOTE, "--at", THEN).out


def test_expired_collateral_is_a_failed_check() -> None:
    ran = invoke("tdxverify", "verify", QUOTE, "--collateral", COLLATERAL, "--at", "2026-12-20T00:00:00Z", "--json")
    assert ran.status == 1
    assert {"tcb-info-expired", "qe-identity-expired"} <= set(ran.json()["codes"])


@pytest.mark.parametrize("form", ["json", "flattened", "many"])
def test_collateral_in_every_form(made: dict[str, Path], form: str) -> None:
    ran = invoke(
        "tdxverify",
        "verify",
        made["quote"],
        "--collateral",
        made[form],
        "--root",
        made["root"],
        "--at",
        str(AT),
        "--json",
    )
    assert (ran.status, ran.json()["codes"]) == (0, [])


def test_flags_reach_the_policy(ca: IntelCa, tmp_path: Path) -> None:
    quote = ca.quote(
        version=5, body_type=3, td_attributes=(1 | 1 << 28).to_bytes(8, "little"), mr_service_td=b"\x01" * 48
    )
    collateral = ca.collateral(quote, at=AT, status="OutOfDate")
    for name, content in {"quote": quote.bytes, "json": collateral.json().encode(), "root": ca.root_der}.items():
        (tmp_path / name).write_bytes(content)
    base = [
        "verify",
        tmp_path / "quote",
        "--collateral",
        tmp_path / "json",
        "--root",
        tmp_path / "root",
        "--at",
        str(AT),
        "--json",
    ]
    assert invoke("tdxverify", *base).json()["codes"] == ["tcb-status-refused", "td-debug", "service-td-bound"]
    flags = ["--allow-debug", "--allow-service-td", "--allow-status", "OutOfDate"]
    assert invoke("tdxverify", *base, *flags).status == 0
    mr_td = tdxverify.parse_quote(quote.bytes).mr_td or b""
    assert invoke("tdxverify", *base, *flags, "--mr-td", "00" * 48, "--mr-td", mr_td.hex()).status == 0
    assert invoke("tdxverify", *base, *flags, "--mr-td", "00" * 48).json()["codes"] == ["mr-td-mismatch"]
    assert invoke("tdxverify", *base, *flags, "--report-data", "00" * 64).json()["codes"] == ["report-data-mismatch"]
    policy = tmp_path / "policy.toml"
    policy.write_text('[tdx]\nstatuses = ["OutOfDate"]\ndebug = "any"\nallow_service_td = true\n')
    assert invoke("tdxverify", *base, "--policy", policy).status == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--allow-status", "Fine"],
        ["--mr-td", "00"],
        ["--collateral", "/does/not/exist"],
        ["--engine", "none"],
        ["--at", "yesterday"],
        ["--root", str(COLLATERAL)],
    ],
)
def test_usage(options: list[str]) -> None:
    assert invoke("tdxverify", "verify", QUOTE, *options).status == 2


def test_what_is_no_quote_is_refused() -> None:
    ran = invoke("tdxverify", "verify", "-", "--json", "--at", THEN, stdin=b"no quote at all")
    said = ran.json()
    assert (ran.status, said["kind"], said["accepted"], said["claims"]) == (1, None, False, None)
    assert said["schema"] == verdict.SCHEMA
    assert said["codes"][0] in {"quote-truncated", "quote-version-unsupported"}
