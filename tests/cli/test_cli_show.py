"""`snpverify show`, `tdxverify show`, `attestcore policy show`, `attestcore info`."""

from __future__ import annotations

import dataclasses

import pytest

import snpverify
import tdxverify
from attestcore import __version__, engines
from attestcore.policy import loads
from snpverify import Policy
from snpverify.testing import AmdCa, ReportFields

from .conftest import EVIDENCE, World, invoke

# ---- reports ---------------------------------------------------------------------------------------------------------


def test_json_is_the_claims_and_says_that_nothing_is_verified(world: World) -> None:
    ran = invoke("snpverify", "show", world.good, "--json")
    claims = snpverify.parse_report(world.data).to_dict()
    assert ran.json() == {"schema": 1, "kind": "sev-snp", "claims": claims, "claims_verified": False}
    assert (ran.status, ran.err) == (0, "")


def test_text_has_every_field(world: World) -> None:
    ran = invoke("snpverify", "show", world.good)
    report = snpverify.parse_report(world.data)
    lines = ran.out.splitlines()
    assert lines[0] == "AMD SEV-SNP attestation report  version 3, Milan"
    assert lines[1].startswith("Nothing here is verified")
    text = "".join(line.strip() for line in lines)
    for name in ("measurement", "report_data", "host_data", "report_id", "chip_id", "id_key_digest", "image_id"):
        assert getattr(report, name).hex() in text
        assert name.upper() in text
    assert "\x1b" not in ran.out
    assert f"{int.from_bytes(world.data[0x2A0:0x2E8], 'little'):096x}" in text


def lines_with(text: str, word: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if word in line.split()]


def test_flags_bit_by_bit(world: World) -> None:
    fields = dataclasses.replace(world.fields, policy=(1 << 40) | 0xB0000 & ~(1 << 17), platform_info=1 << 5 | 1 << 63)
    path = world.write("x.bin", fields.sign(AmdCa("Milan").vcek()))
    out = invoke("snpverify", "show", path).out
    assert lines_with(out, "DEBUG") == ["19 DEBUG 1 the host may read and change the guest"]
    assert lines_with(out, "MIGRATE_MA") == ["18 MIGRATE_MA 0"]
    assert lines_with(out, "reserved") == ["17 reserved 0 must be one"]
    assert [line.split()[0] for line in lines_with(out, "unknown")] == ["40", "63"]
    assert lines_with(out, "ALIAS_CHECK_COMPLETE")[0].startswith("5 ALIAS_CHECK_COMPLETE 1 ")


def test_version_2_does_not_tell_the_layout_of_its_tcbs() -> None:
    ca = AmdCa("Milan")
    vcek = ca.vcek()
    data = dataclasses.replace(ReportFields.fitting(vcek, version=2), chip_id=bytes(64)).sign(vcek)
    raw = data[0x180:0x188].hex()
    out = invoke("snpverify", "show", "-", stdin=data)
    told = invoke("snpverify", "show", "-", "--product", "milan", stdin=data)
    assert lines_with(out.out, "REPORTED_TCB")[0].startswith(f"REPORTED_TCB ? ? ? ? ? {raw}")
    tcb = vcek.tcb
    parts = f"REPORTED_TCB - {tcb.boot_loader} {tcb.tee} {tcb.snp} {tcb.microcode} {raw}"
    assert lines_with(told.out, "REPORTED_TCB")[0].startswith(parts)
    assert "--product" in out.out
    assert "--product" not in told.out


def test_remarks(world: World) -> None:
    vcek = AmdCa("Milan").vcek()
    for changes, remark in (
        ({"vmpl": 0xFFFFFFFF}, "the host asked for this report"),
        ({"chip_id": bytes(64)}, "CHIP_ID is masked"),
        ({"version": 4}, "has not published version 4"),
    ):
        path = world.write("x.bin", dataclasses.replace(world.fields, **changes).sign(vcek))
        assert remark in invoke("snpverify", "show", path).out
        assert remark not in invoke("snpverify", "show", world.good).out


def test_what_cannot_be_parsed(world: World) -> None:
    broken = bytearray(world.data)
    broken[0x4C] = 1
    for data, code, field, offset in (
        (world.data + b"\0", "report-length-invalid", "ATTESTATION_REPORT", 1184),
        (bytes(broken), "reserved-not-zero", "RESERVED_04C", 0x4C),
    ):
        path = world.write("x.bin", data)
        ran = invoke("snpverify", "show", path)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err.startswith(f"snpverify: {path}: {code} in {field} at byte {offset}: ")
        said = invoke("snpverify", "show", path, "--json").json()
        assert (said["code"], said["field"], said["offset"]) == (code, field, offset)
        assert (said["claims"], said["claims_verified"]) == (None, False)


def test_real_reports(world: World) -> None:
    reports = sorted((EVIDENCE / "snp" / "reports").glob("*.bin"))
    if not reports:
        pytest.skip("no real evidence beside the repository")
    for path in reports:
        assert invoke("snpverify", "show", path).status == 0
        claims = invoke("snpverify", "show", path, "--json").json()["claims"]
        assert claims["measurement"] == path.read_bytes()[0x90:0xC0].hex()


# ---- policy and info -------------------------------------------------------------------------------------------------


def test_the_policy_shown_is_a_policy_file_of_the_same_policy(world: World) -> None:
    default = invoke("attestcore", "policy", "show")
    assert loads(default.out, "toml").snp == Policy().to_dict()
    assert loads(default.out, "toml").tdx == tdxverify.Policy().to_dict()
    source = b"""[snp]
measurements = ["%s", "%s"]
report_data = { prefix = "00", tail = "zero" }
launch_mitigations = [0, 3]
[snp.guest_policy]
smt = "forbidden"
min_abi = "1.55"
[snp.min_reported_tcb.milan]
snp = 20
[snp.min_reported_tcb."19-01-*"]
snp = 21
""" % (b"22" * 48, b"11" * 48)
    shown = invoke("attestcore", "policy", "show", "--policy", world.write("p.toml", source))
    table = loads(shown.out, "toml").snp
    policy = Policy.from_dict(table)
    assert policy == Policy.from_dict(loads(source, "toml").snp)
    assert policy != Policy()
    assert f"# digest {policy.digest()}\n" in shown.out
    again = invoke("attestcore", "policy", "show", "--policy", world.write("q.toml", shown.out.encode()))
    assert again.out == shown.out
    as_json = invoke("attestcore", "policy", "show", "--policy", world.write("q.toml", source), "--json")
    assert Policy.from_dict(as_json.json()["snp"]) == policy


def test_a_bad_policy(world: World) -> None:
    ran = invoke("attestcore", "policy", "show", "--policy", world.write("p.toml", b"[snp]\nvmpls = []\n"))
    assert (ran.status, ran.out) == (2, "")
    assert "vmpls" in ran.err


def test_info() -> None:
    facts = invoke("attestcore", "info", "--json").json()
    assert facts["version"] == __version__
    assert facts["engines"] == list(engines.available())
    assert facts["engine"] in facts["engines"]
    assert facts["cpu_features"] == engines.cpu_features().split()
    assert facts["hashes"] == engines.hash_code()
    assert facts["build"]["batch"] is True
    text = invoke("attestcore", "info").out
    assert all(name in text for name in engines.available())
    assert engines.hash_code() in text


@pytest.mark.parametrize("program", ["snpverify", "tdxverify", "attestcore"])
def test_help_version_and_no_command(program: str) -> None:
    assert invoke(program, "--version").out == f"{program}, version {__version__}\n"
    ran = invoke(program, "--help")
    assert (ran.status, ran.err) == (0, "")
    ran = invoke(program)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"{program}: Missing command. (see {program} --help)\n"
    assert invoke(program, "frobnicate").status == 2
