"""`snpverify verify` and `attestcore verify`: exit status, what goes where, forms of evidence and of certificates."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from attestcore.codes import Code
from snpverify.testing import AmdCa, CertificateTable, pem

from .conftest import AT_TEXT, EVIDENCE, World, invoke

REPO = Path(__file__).resolve().parents[2]


# ---- exit status -----------------------------------------------------------------------------------------------------


def test_accepted(world: World) -> None:
    ran = invoke("snpverify", "verify", world.good, *world.trust, "--json")
    said = ran.json()
    assert (ran.status, ran.err) == (0, "")
    assert said["accepted"] is True
    assert said["codes"] == []
    assert said["evaluated_at"] == AT_TEXT
    assert said["claims_verified"] is True
    assert said["kind"] == "sev-snp"
    assert said["schema"] == 1
    members = "schema kind accepted evaluated_at codes checks omissions claims claims_verified valid_until evidence_sha256 used"
    assert " ".join(said) == f"{members} policy_digest engine library"


@pytest.mark.parametrize(("name", "code"), [("debug", "debug-allowed"), ("torn", "report-signature-invalid")])
def test_refused(world: World, name: str, code: str) -> None:
    ran = invoke("snpverify", "verify", getattr(world, name), *world.trust, "--json")
    assert ran.status == 1
    assert ran.json()["codes"] == [code]
    assert ran.json()["accepted"] is False


def test_without_certificates_status_3_and_the_address(world: World) -> None:
    ran = invoke("snpverify", "verify", world.good, "--root", world.root, "--at", AT_TEXT)
    assert ran.status == 3
    assert ran.out.startswith("NOT DECIDED  certificate-missing\n")
    chip = world.data[0x1A0:0x1E0].hex()
    assert f"\n    https://kdsintf.amd.com/vcek/v1/Milan/{chip}?blSPL=" in ran.out


def test_failure_comes_before_absence(world: World) -> None:
    ran = invoke("snpverify", "verify", world.debug, "--root", world.root, "--at", AT_TEXT, "--json")
    assert ran.json()["codes"] == ["certificate-missing", "debug-allowed"]
    assert ran.status == 1


def test_present_but_expired_is_a_failed_check(world: World) -> None:
    ran = invoke("snpverify", "verify", world.good, *world.trust[:-1], "2036-01-01T00:00:00Z", "--json")
    assert ran.json()["codes"] == ["certificate-expired"]
    assert ran.status == 1


def test_malformed_evidence_is_status_1(world: World) -> None:
    for data, code in ((b"", "report-length-invalid"), (world.data[:-1], "report-length-invalid"), (bytes(1184), None)):
        ran = invoke("snpverify", "verify", world.write("x.bin", data), *world.trust, "--json")
        assert ran.status == 1
        codes = ran.json()["codes"]
        assert codes
        assert code is None or codes[0] == code


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["/does/not/exist"], "/does/not/exist: cannot be read: No such file or directory"),
        (["{dir}"], "{dir}: is a directory"),
        (["{good}", "--certs", "/does/not/exist"], "/does/not/exist: cannot be read"),
        (["{good}", "--policy", "/does/not/exist"], "/does/not/exist: cannot be read"),
        (["{good}", "--policy", "{bad_policy}"], "min_tbc"),
        (["{good}", "--engine", "abacus"], "abacus"),
        (["{good}", "--root", "{good}"], "roots: "),
        (["{good}", "--at", "yesterday"], "'yesterday' is not a time"),
        (["{good}", "--at", "2025-06-20T00:00:00"], "not a time"),
        (["{good}", "--report-data", "00" * 63], "never padded"),
        (["{good}", "--report-data", "0g" * 64], "expected 128 hex digits"),
        (["{good}", "--measurement", "\uff11" * 96], "expected 96 hex digits"),
        (["{good}", "--product", "naples"], "'naples'"),
        (["{good}", "--format", "zip"], "'zip'"),
        (["{good}", "--certs", "{empty}"], "{empty}: is empty"),
        ([], "Missing argument"),
    ],
)
def test_usage_is_status_2_and_one_line(world: World, args: list[str], message: str) -> None:
    names = {
        "dir": world.directory,
        "good": world.good,
        "bad_policy": world.write("bad.toml", b"[snp]\nmin_tbc = 3\n"),
        "empty": world.write("empty.pem", b""),
    }
    ran = invoke("snpverify", "verify", *(arg.format(**names) for arg in args), "--json")
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("snpverify")
    assert ran.err.count("\n") == 1
    assert message.format(**names) in ran.err


def test_the_environment_names_an_engine_that_cannot_run(world: World) -> None:
    env = os.environ | {"ATTESTCORE_ENGINE": "abacus"}
    ran = subprocess.run(
        [sys.executable, "-m", "snpverify", "verify", str(world.good)],
        env=env,
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "abacus" in ran.stderr


# ---- policy and flags ------------------------------------------------------------------------------------------------


def test_flags_override_the_policy_file(world: World) -> None:
    policy = world.write("p.toml", b'[snp]\nmeasurements = ["' + b"22" * 48 + b'"]\n')
    verify = ("verify", world.good, *world.trust, "--json", "--policy", policy)
    assert invoke("snpverify", *verify).json()["codes"] == ["measurement-mismatch"]
    assert invoke("snpverify", *verify, "--measurement", "11" * 48).json()["codes"] == []
    several = ("--measurement", "33" * 48, "--measurement", "11" * 48)
    assert invoke("snpverify", *verify, *several).status == 0
    assert invoke("snpverify", *verify, *several, "--report-data", bytes(range(64)).hex()).json()["omissions"] == [
        "tcb-floor",
        "crl",
    ]
    assert invoke("snpverify", *verify, *several, "--report-data", "00" * 64).json()["codes"] == [
        "report-data-mismatch"
    ]


def test_allow_debug(world: World) -> None:
    assert invoke("snpverify", "verify", world.debug, *world.trust, "--allow-debug").status == 0


@pytest.mark.parametrize("engine", ["portable", "cryptography"])
def test_engine(world: World, engine: str) -> None:
    said = invoke("snpverify", "verify", world.good, *world.trust, "--engine", engine, "--json").json()
    assert (said["accepted"], said["engine"]) == (True, engine)


# ---- evidence --------------------------------------------------------------------------------------------------------


def wrapped(text: str, width: int) -> bytes:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width)).encode() + b"\n"


@pytest.mark.parametrize("by_stdin", [False, True])
@pytest.mark.parametrize("form", ["raw", "hex", "HEX", "wrapped hex", "base64", "wrapped base64", "base64url"])
def test_forms_of_evidence(world: World, form: str, by_stdin: bool) -> None:
    data = world.data
    text = {
        "raw": data,
        "hex": data.hex().encode(),
        "HEX": data.hex().upper().encode(),
        "wrapped hex": wrapped(data.hex(), 60),
        "base64": base64.b64encode(data),
        "wrapped base64": wrapped(base64.b64encode(data).decode(), 76),
        "base64url": base64.urlsafe_b64encode(data).rstrip(b"="),
    }[form]
    path = world.write("evidence", text)
    ran = invoke(
        "snpverify", "verify", "-" if by_stdin else path, *world.trust, "--json", stdin=text if by_stdin else None
    )
    assert ran.status == 0, ran.err
    assert ran.json()["claims"]["report_data"] == bytes(range(64)).hex()


def hcl(report: bytes, report_type: int = 2) -> bytes:
    head = b"HCLA" + (2).to_bytes(4, "little") + bytes(24)
    runtime = b"".join(n.to_bytes(4, "little") for n in (22, 1, report_type, 1, 2)) + b"{}"
    return (head + report + runtime).ljust(2600, b"\0")


def test_hcl_is_told_by_its_magic(world: World) -> None:
    path = world.write("hcl.bin", hcl(world.data))
    ran = invoke("snpverify", "verify", path, *world.trust, "--json")
    assert ran.json()["accepted"] is True
    assert (
        ran.err
        == "snpverify: the report was taken out of an Azure HCL report, whose runtime claims are not checked here\n"
    )
    assert invoke("snpverify", "verify", path, *world.trust, "--format", "hcl").status == 0
    ran = invoke("snpverify", "verify", world.write("tdx.bin", hcl(world.data, 4)), *world.trust, "--json")
    assert (ran.status, ran.json()["codes"]) == (1, ["evidence-malformed"])
    assert ran.json()["checks"][0]["offset"] == 0x4C8


def response(report: bytes, status: int = 0, size: int = 1184) -> bytes:
    return status.to_bytes(4, "little") + size.to_bytes(4, "little") + bytes(24) + report


def test_msg_report_rsp_only_by_format(world: World) -> None:
    path = world.write("rsp.bin", response(world.data) + bytes(64))
    assert invoke("snpverify", "verify", path, *world.trust, "--json").json()["codes"] == ["report-length-invalid"]
    assert invoke("snpverify", "verify", path, *world.trust, "--format", "msg-report-rsp").status == 0


@pytest.mark.parametrize(
    ("form", "make", "offset"),
    [
        ("hcl", lambda report: report, 0),
        ("hcl", lambda report: hcl(report)[:1200], 1200),
        ("msg-report-rsp", lambda report: response(report, status=22), 0),
        ("msg-report-rsp", lambda report: response(report, size=1183), 4),
        ("msg-report-rsp", lambda report: response(report)[:-1], 1215),
        ("msg-report-rsp", lambda report: response(report) + b"\x01", 8),
        ("report+certtable", lambda report: report, 1184),
        ("hex", lambda report: report.hex().encode()[:-1], 0),
        ("base64", lambda report: base64.b64encode(report)[:-1] + b"!", 0),
    ],
)
def test_what_is_not_in_its_format(world: World, form: str, make: Callable[[bytes], bytes], offset: int) -> None:
    path = world.write("x", make(world.data))
    ran = invoke("snpverify", "verify", path, *world.trust, "--format", form, "--json")
    (check,) = ran.json()["checks"]
    assert ran.status == 1
    assert ran.json()["codes"] == [check["code"]] == ["evidence-malformed"]
    assert (check["outcome"], check["category"], check["offset"]) == ("fail", "parse", offset)
    assert ran.json()["claims"] is None


def test_report_with_certificate_table(world: World, ca: AmdCa) -> None:
    table = CertificateTable.of(vcek=world.vcek.read_bytes(), ask=ca.ask_der, ark=ca.ark_der).build()
    path = world.write("extended.bin", world.data + table)
    ran = invoke(
        "snpverify", "verify", path, "--root", world.root, "--at", AT_TEXT, "--format", "report+certtable", "--json"
    )
    assert ran.json()["codes"] == []


def test_more_than_a_report_can_have_is_not_read_whole(world: World) -> None:
    path = world.directory / "huge.bin"
    with path.open("wb") as file:
        file.truncate(1 << 32)
    ran = invoke("snpverify", "verify", path, *world.trust, "--json")
    assert (ran.status, ran.json()["codes"][0]) == (1, "report-length-invalid")
    assert ran.json()["evidence_sha256"] is None


# ---- certificates and CRLs -------------------------------------------------------------------------------------------


def test_certificates_in_every_form_and_order(world: World, ca: AmdCa) -> None:
    vcek = world.vcek.read_bytes()
    other = AmdCa("Genoa")
    noise = pem(other.vcek().der) + other.ark_pem
    ark = world.write("ark.pem", ca.ark_pem)
    forms = {
        "der": [vcek, ca.ask_der],
        "one pem": [noise + ca.ask_pem + pem(vcek)],
        "text around": [b"subject=/CN=x\n" + pem(vcek) + b"\nissuer=y\n" + ca.ask_pem + b"bye\n"],
        "crlf": [(pem(vcek) + ca.ask_pem).replace(b"\n", b"\r\n")],
        "table": [CertificateTable.of(vcek=vcek, ask=ca.ask_der).build()],
        "many": [b"".join(pem(other.vcek(chip_id=bytes([n]) * 64).der) for n in range(1, 70)) + pem(vcek) + ca.ask_pem],
    }
    for name, parts in forms.items():
        certs = [world.write(f"cert{number}", data) for number, data in enumerate(parts)]
        options = [option for path in certs for option in ("--certs", path)]
        ran = invoke("snpverify", "verify", world.good, "--root", ark, "--at", AT_TEXT, "--json", *options)
        assert ran.json()["codes"] == [], name


def test_a_root_among_the_certificates_is_no_anchor(world: World, ca: AmdCa) -> None:
    bundle = world.write("bundle.pem", pem(world.vcek.read_bytes()) + ca.ask_pem + ca.ark_pem)
    ran = invoke("snpverify", "verify", world.good, "--certs", bundle, "--at", AT_TEXT, "--json")
    assert ran.status == 1
    assert "accepted" in ran.json()
    assert set(ran.json()["codes"]) & {"root-untrusted", "issuer-signature-invalid", "leaf-signature-invalid"}


def test_broken_certificates_are_a_failed_check(world: World) -> None:
    for data in (b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"rubbish"):
        path = world.write("broken.pem", data)
        ran = invoke(
            "snpverify", "verify", world.good, "--root", world.root, "--certs", path, "--at", AT_TEXT, "--json"
        )
        assert ran.status == 1, data
        assert "certificate-set-malformed" in ran.json()["codes"]


@pytest.mark.parametrize("form", ["der", "pem"])
def test_crl(world: World, ca: AmdCa, form: str) -> None:
    fresh, listing = ca.crl(), ca.crl([0x10001])  # the ASK
    for crl, codes in ((fresh, []), (listing, ["certificate-revoked"])):
        path = world.write("crl", crl.der if form == "der" else pem(crl.der, "X509 CRL"))
        ran = invoke("snpverify", "verify", world.good, *world.trust, "--crl", path, "--json")
        assert ran.json()["codes"] == codes
        assert "crl" not in ran.json()["omissions"]


# ---- output ----------------------------------------------------------------------------------------------------------


def test_text_says_the_answer_first(world: World) -> None:
    good = invoke("snpverify", "verify", world.good, *world.trust)
    assert good.out.splitlines()[0] == "ACCEPTED"
    assert "no expected MEASUREMENT" in good.out
    assert "\x1b" not in good.out
    torn = invoke("snpverify", "verify", world.torn, *world.trust).out
    assert torn.splitlines()[0] == "REFUSED  report-signature-invalid"
    assert "report-signature: report-signature-invalid (signature) in SIGNATURE at byte 672" in torn
    assert "NOT verified" in torn


def test_a_real_process_keeps_stdout_clean(world: World) -> None:
    command = [sys.executable, "-m", "snpverify", "verify", "-", *world.trust, "--json"]
    ran = subprocess.run(command, input=hcl(world.data), cwd=REPO, capture_output=True)
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["accepted"] is True
    assert ran.stdout.count(b"\n") == 1
    assert b"HCL" in ran.stderr


def test_one_report_needs_neither_rich_nor_pyarrow(world: World) -> None:
    code = (
        "import sys\nfrom attestcore.cli.snp import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('rich', 'pyarrow', 'hypothesis') if name in sys.modules], file=sys.stderr)"
    )
    for command in (["verify", str(world.good), *world.trust], ["show", str(world.good)]):
        ran = subprocess.run([sys.executable, "-c", code, *command], cwd=REPO, capture_output=True, text=True)
        assert ran.stderr == "[]\n"


def test_a_closed_pipe_is_no_traceback(world: World) -> None:
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "snpverify", "show", str(world.good)], cwd=REPO, stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert b"Traceback" not in ran.stderr
    assert b"Exception ignored" not in ran.stderr
    assert ran.returncode != 0


# ---- attestcore verify -----------------------------------------------------------------------------------------------


def test_any_kind_and_several_files(world: World) -> None:
    tdx = world.write("quote.bin", quote())
    none = world.write("none.bin", b"nothing known")
    verify = ("verify", *world.trust)
    assert invoke("attestcore", *verify, world.good).status == 0
    assert invoke("attestcore", *verify, world.good, "--json").json()["kind"] == "sev-snp"
    ran = invoke("attestcore", *verify, world.good, tdx, none, "--json")
    first, second, third = ran.json()["verdicts"]
    assert ran.status == 1
    assert (first["accepted"], first["kind"]) == (True, "sev-snp")
    assert (second["kind"], second["codes"]) == ("tdx", ["kind-unsupported"])
    assert (third["kind"], third["codes"]) == (None, ["kind-unsupported"])
    assert Code(third["codes"][0]).category.value == third["checks"][0]["category"] == "unsupported"
    lines = invoke("attestcore", *verify, world.good, none).out.splitlines()
    assert lines[0] == f"ACCEPTED  {world.good}"
    assert f"REFUSED  {none}: kind-unsupported" in lines


def test_exit_status_of_several_is_the_first_rule_that_applies(world: World, ca: AmdCa) -> None:
    unknown = ca.vcek(chip_id=b"\x77" * 64)
    lacking = world.write("lacking.bin", dataclasses.replace(world.fields, chip_id=unknown.chip_id).sign(unknown))
    options = ("verify", "--root", world.root, "--at", AT_TEXT)
    assert invoke("attestcore", *options, lacking).status == 3
    assert invoke("attestcore", *options, lacking, world.debug).status == 1
    assert invoke("attestcore", *options, lacking, world.debug, "/does/not/exist").status == 2


def test_kind_given_is_not_second_guessed(world: World) -> None:
    short = world.write("short.bin", world.data[:100])
    ran = invoke("attestcore", "verify", "--kind", "sev-snp", short, "--json")
    assert ran.json()["codes"][0] == "report-length-invalid"
    ran = invoke("attestcore", "verify", "--kind", "tdx", world.good, "--json")
    assert (ran.status, ran.json()["codes"], ran.json()["kind"]) == (1, ["kind-unsupported"], "tdx")
    ran = invoke("attestcore", "verify", world.write("hcl.bin", hcl(world.data)), "--json")
    assert (ran.json()["kind"], ran.json()["codes"]) == ("azure-snp", ["kind-unsupported"])


def quote() -> bytes:
    head = (4).to_bytes(2, "little") + (2).to_bytes(2, "little") + (0x81).to_bytes(4, "little") + bytes(4)
    return head + bytes.fromhex("939a7233f79c4ca9940a0db3957f0607") + bytes(20) + bytes(584) + bytes(4)


# ---- real evidence ---------------------------------------------------------------------------------------------------


def test_real_evidence(world: World) -> None:
    manifest = EVIDENCE / "snp" / "manifest.json"
    if not manifest.is_file():
        pytest.skip("no real evidence beside the repository")
    for entry in json.loads(manifest.read_text()):
        path = EVIDENCE / "snp" / entry["file"]
        for signer in entry["signers"]:
            at = signer["not_after"].replace(" ", "T")
            certs = EVIDENCE / "snp" / signer["file"]
            ran = invoke("snpverify", "verify", path, "--certs", certs, "--at", at, "--json")
            debug = entry["policy"] == "0xb0000"
            assert ran.json()["codes"] == (["debug-allowed"] if debug else []), (entry["file"], signer["file"])
            assert ran.status == (1 if debug else 0)
        if not entry["signers"]:
            assert invoke("snpverify", "verify", path, "--json").json()["codes"] == ["certificate-missing"]
