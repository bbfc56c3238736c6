# SPDX-License-Identifier: Apache-2.0
"""What a caller may get wrong, and what nobody may do: a mistake raises where it is made, evidence never raises, a verdict is
neither made nor changed nor taken for a truth value; and verify() looks at nothing but its arguments.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import pickle
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from snp_asserts import assert_accepted, assert_only, outcome
from snp_world import NOW, Case, authority, endorsement, good

import snpverify
from attestcore import engines
from snpverify import BatchResults, Policy, Verdict, VerificationError, Verifier, verify
from snpverify.testing import AmdCa, Crl, generate_rsa, pem, rsa_key


def name_of(value: object) -> str:
    """A parameter's name that is the same in every process: no addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))[:60]


ROOT = Path(__file__).resolve().parents[2]
CASE = good("Milan")
TORN = CASE.report[:0x50] + bytes([CASE.report[0x50] ^ 1]) + CASE.report[0x51:]
CA = authority("Milan")
LEAF = endorsement("Milan")

ACCEPTED = CASE.verify()
REFUSED = CASE.but(report=TORN).verify()


def call(**changes: Any) -> Verdict:
    """verify() with one argument changed."""
    arguments: dict[str, Any] = {"certs": CASE.certs, "at": NOW, "roots": CASE.roots}
    arguments |= changes
    return verify(arguments.pop("data", CASE.report), **arguments)


def batch(**changes: Any) -> BatchResults:
    arguments: dict[str, Any] = {"certs": CASE.certs, "at": NOW} | changes
    return CASE.verifier().verify_batch(arguments.pop("reports", [CASE.report]), **arguments)


# ---- verdicts --------------------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("verdict", [ACCEPTED, REFUSED], ids=["accepted", "refused"])


@BOTH
def test_a_verdict_is_neither_true_nor_false(verdict: Verdict) -> None:
    with pytest.raises(TypeError, match="accepted"):
        bool(verdict)
    with pytest.raises(TypeError):
        assert verdict
    with pytest.raises(TypeError):
        not verdict  # noqa: B018
    with pytest.raises(TypeError):
        verdict and True  # noqa: B018
    with pytest.raises(TypeError):
        list(filter(None, [verdict]))
    with pytest.raises(TypeError):
        any([verdict])
    assert type(verdict.accepted) is bool
    assert type(verdict.claims_verified) is bool


@BOTH
def test_a_verdict_compares_with_nothing(verdict: Verdict) -> None:
    """Not with True, not with 1, not with a number."""
    others: tuple[Any, ...] = (True, False, 1, 0, None, "accepted")
    for other in others:
        assert (verdict == other) is False
    with pytest.raises(TypeError):
        int(verdict)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        verdict < verdict  # type: ignore[operator]  # noqa: B015


@BOTH
def test_a_verdict_does_not_change(verdict: Verdict) -> None:
    before = verdict.to_dict()
    for name in (*Verdict.__slots__, "codes", "checks", "omissions", "claims", "used", "anything"):
        with pytest.raises(AttributeError):
            setattr(verdict, name, True)
        with pytest.raises(AttributeError):
            delattr(verdict, name)
    assert not hasattr(verdict, "__dict__")
    for check in verdict.checks:
        with pytest.raises(dataclasses.FrozenInstanceError):
            check.outcome = "pass"  # type: ignore[misc]
    assert verdict.to_dict() == before


@BOTH
def test_what_a_verdict_gives_away_is_not_the_verdict(verdict: Verdict) -> None:
    """Who writes into the dictionary of to_dict(), or into the claims, changes no verdict."""
    before = json.loads(verdict.to_json())
    given = verdict.to_dict()
    given["accepted"] = True
    given["codes"].clear()
    given["checks"][0]["outcome"] = "pass"
    given["checks"].clear()
    given["omissions"].append("x")
    given["used"].clear()
    given["claims"]["measurement"] = "00"
    given["claims"]["policy"]["debug"] = None
    assert json.loads(verdict.to_json()) == before


@BOTH
def test_claims_do_not_change(verdict: Verdict) -> None:
    before = json.loads(verdict.to_json())
    claims: Any = verdict.claims
    with pytest.raises(TypeError):
        claims["measurement"] = "00"
    with pytest.raises(TypeError):
        claims["policy"]["debug"] = True
    assert json.loads(verdict.to_json()) == before


@BOTH
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_verdict_is_not_pickled(verdict: Verdict, protocol: int) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(verdict, protocol)
    with pytest.raises(TypeError):
        pickle.dumps({"a": [verdict]}, protocol)


@BOTH
def test_a_verdict_is_not_copied(verdict: Verdict) -> None:
    for copier in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copier(verdict)
    with pytest.raises(TypeError):
        copy.deepcopy([verdict])
    with pytest.raises((TypeError, AttributeError)):
        dataclasses.replace(verdict, accepted=True)  # type: ignore[type-var]


def test_a_verdict_is_not_made() -> None:
    for arguments in ((), (True,), (ACCEPTED,)):
        with pytest.raises(TypeError):
            Verdict(*arguments)
    with pytest.raises(TypeError):
        Verdict(accepted=True)  # type: ignore[call-arg]
    empty = Verdict.__new__(Verdict)
    with pytest.raises(AttributeError):
        empty.accepted  # noqa: B018
    with pytest.raises(AttributeError):
        empty.require()


def test_a_verdict_is_not_inherited() -> None:
    with pytest.raises(TypeError):
        type("Trusting", (Verdict,), {"accepted": True})
    with pytest.raises(TypeError):
        types.new_class("Trusting", (Verdict,))
    mine = type("Mine", (), {"accepted": True, "__slots__": ()})()
    with pytest.raises(TypeError):
        mine.__class__ = Verdict
    with pytest.raises((TypeError, AttributeError)):
        REFUSED.__class__ = type("Other", (), {})


def test_an_unpickled_verdict_is_no_verdict() -> None:
    """By hand, as an attacker would write it: the class is called without arguments, and refuses."""
    forged = b"cattestcore.verdict\nVerdict\n(tR."
    with pytest.raises(TypeError):
        pickle.loads(forged)


def test_require() -> None:
    assert ACCEPTED.require() is ACCEPTED
    with pytest.raises(VerificationError) as caught:
        REFUSED.require()
    assert caught.value.verdict is REFUSED
    assert "report-signature-invalid" in str(caught.value)
    assert "sev-snp" in str(caught.value)
    assert not isinstance(caught.value, (ValueError, TypeError))


def test_words_of_a_verdict() -> None:
    assert "accepted" in repr(ACCEPTED)
    assert "refused: report-signature-invalid" in repr(REFUSED)
    assert json.loads(ACCEPTED.to_json(indent=2)) == json.loads(json.dumps(ACCEPTED.to_dict()))
    assert " ".join(ACCEPTED.to_dict()) == (
        "schema kind accepted evaluated_at codes checks omissions claims claims_verified valid_until evidence_sha256 used "
        "policy_digest engine library"
    )


def test_results_and_verifiers_are_not_pickled() -> None:
    for thing in (batch(), CASE.verifier()):
        for work in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                work(thing)


# ---- certificates that are not there ---------------------------------------------------------------------------------


@pytest.mark.parametrize("certs", [(), [], iter(())], ids=["tuple", "list", "iterator"])
def test_without_certificates(certs: Any) -> None:
    verdict = call(certs=certs)
    assert_only(verdict, "certificate", "certificate-missing", unrun=None)
    assert outcome(verdict, "certificate") == "not-run"
    assert outcome(verdict, "report-signature") == "not-run"
    check = next(check for check in verdict.checks if check.check == "certificate")
    assert check.category == "collateral"
    assert LEAF.chip_id.hex() in (check.detail or "")
    assert verdict.claims is not None
    assert verdict.claims_verified is False
    assert verdict.used == ()


def test_certificates_need_not_be_named() -> None:
    """certs has a default; at has none."""
    assert verify(CASE.report, at=NOW).codes == ("certificate-missing",)
    assert Verifier().verify(CASE.report, at=NOW).codes == ("certificate-missing",)
    assert list(Verifier().verify_batch([CASE.report], at=NOW).code) == ["certificate-missing"]
    for work in (
        lambda: verify(CASE.report),  # type: ignore[call-arg]
        lambda: Verifier().verify(CASE.report),  # type: ignore[call-arg]
        lambda: Verifier().verify_batch([CASE.report]),  # type: ignore[call-arg]
    ):
        with pytest.raises(TypeError, match="at"):
            work()


def test_arguments_are_named() -> None:
    function: Any = verify
    verifier: Any = CASE.verifier()
    for work in (
        lambda: function(CASE.report, CASE.certs, NOW),
        lambda: function(CASE.report, CASE.certs, at=NOW),
        lambda: verifier.verify(CASE.report, CASE.certs, at=NOW),
        lambda: verifier.verify_batch([CASE.report], CASE.certs, at=NOW),
        lambda: call(cert=LEAF.der),
        lambda: call(expected_measurement=b""),
    ):
        with pytest.raises(TypeError):
            work()


@pytest.mark.parametrize(
    "certs", [LEAF.der, LEAF.pem.decode(), LEAF.pem, bytearray(LEAF.der), memoryview(LEAF.der), 5, None, LEAF, object()],
    ids=lambda c: type(c).__name__,
)  # fmt: skip
def test_certs_that_are_no_sequence(certs: Any) -> None:
    """One certificate is [one certificate]."""
    with pytest.raises(TypeError):
        call(certs=certs)
    with pytest.raises(TypeError):
        batch(certs=certs)


@pytest.mark.parametrize("item", ["text", 5, None, [LEAF.der], Path("leaf.der"), LEAF], ids=lambda c: type(c).__name__)
def test_certs_that_hold_something_else(item: Any) -> None:
    for certs in ([item], [LEAF.der, item]):
        with pytest.raises(TypeError):
            call(certs=certs)
        with pytest.raises(TypeError):
            batch(certs=certs)


# ---- evidence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", ["text", CASE.report.hex(), None, 5, 1.5, [CASE.report], (1, 2), object(), Path("report.bin")],
    ids=lambda d: type(d).__name__,
)  # fmt: skip
def test_evidence_that_is_not_bytes(data: Any) -> None:
    with pytest.raises(TypeError, match="bytes"):
        call(data=data)
    with pytest.raises(TypeError, match="bytes"):
        snpverify.parse_report(data)


@pytest.mark.parametrize("size", [0, 1, 4, 671, 672, 1183, 1185, 1184 * 2, 4096, 1 << 20])
def test_evidence_of_any_length_is_a_verdict(size: int) -> None:
    verdict = call(data=(CASE.report * (size // 1184 + 1))[:size])
    assert_only(verdict, "report-length", "report-length-invalid", unrun=None)
    assert verdict.claims is None


def test_evidence_in_any_buffer() -> None:
    for data in (bytearray(CASE.report), memoryview(CASE.report), memoryview(CASE.report).cast("I"),
                 memoryview(b"".join(bytes([b, 0]) for b in CASE.report))[::2]):  # fmt: skip
        assert call(data=data).to_dict() == ACCEPTED.to_dict()


def test_hex_and_base64_are_for_the_command() -> None:
    """The library takes raw bytes: text of evidence is evidence of a wrong length."""
    assert call(data=CASE.report.hex().encode()).codes == ("report-length-invalid",)


# ---- time ------------------------------------------------------------------------------------------------------------

UTC = timezone.utc


@pytest.mark.parametrize(
    "at",
    [None, True, False, 1.5, float(NOW), float("nan"), float("inf"), "2025-06-20T00:00:00Z", b"1750377600", str(NOW),
     date(2025, 6, 20), timedelta(seconds=NOW), Decimal(NOW), Fraction(NOW), (NOW,), object()],
    ids=name_of,
)  # fmt: skip
def test_time_of_a_wrong_type(at: Any) -> None:
    with pytest.raises(TypeError):
        call(at=at)
    if not isinstance(at, tuple):
        with pytest.raises(TypeError):
            batch(at=at)


@pytest.mark.parametrize(
    "at", [datetime(2025, 6, 20), datetime.min, -1, -(2**63), -(2**100), 253402300800, 2**63, 2**100,
           datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC),
           datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-1)))],
    ids=name_of,
)  # fmt: skip
def test_time_that_is_no_time(at: Any) -> None:
    with pytest.raises(ValueError, match="evaluation time"):
        call(at=at)
    with pytest.raises(ValueError, match="evaluation time"):
        batch(at=at)


def test_time_with_a_zone_that_says_nothing() -> None:
    """tzinfo is set and yet utcoffset() is None: naive all the same."""

    class Nowhere(timezone.__base__):  # type: ignore[misc, name-defined]
        def utcoffset(self, _: datetime | None) -> None:
            return None

        def dst(self, _: datetime | None) -> None:
            return None

        def tzname(self, _: datetime | None) -> None:
            return None

    with pytest.raises(ValueError, match="naive"):
        call(at=datetime(2025, 6, 20, tzinfo=Nowhere()))


@pytest.mark.parametrize(
    "at", [0, 1, 253402300799, datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)], ids=name_of
)
def test_time_at_the_edges_is_judged(at: Any) -> None:
    verdict = call(at=at)
    assert outcome(verdict, "evaluation-time") == "pass"
    early = at in (0, 1) or (isinstance(at, datetime) and at.year == 1970)
    assert set(verdict.codes) == {"certificate-not-yet-valid" if early else "certificate-expired"}


def test_time_of_another_zone_is_the_same_instant() -> None:
    tokyo = datetime.fromtimestamp(NOW, timezone(timedelta(hours=9)))
    assert call(at=tokyo).to_dict() == call(at=NOW).to_dict() == ACCEPTED.to_dict()


# ---- roots, CRLs, policy, product, engine ----------------------------------------------------------------------------

SMALL_KEY = generate_rsa(1024)


def unfit(**changes: Any) -> bytes:
    return AmdCa("Milan").with_ark(**changes).ark_der


WRONG_ROOTS: dict[str, Callable[[], Any]] = {
    "none": lambda: (),
    "empty": lambda: [b""],
    "garbage": lambda: [b"garbage"],
    "garbage-in-pem": lambda: [pem(b"garbage")],
    "leaf": lambda: [LEAF.der],
    "ask": lambda: [CA.ask_der],
    "ask-and-asvk": lambda: list(CA.certs),
    "ark-and-leaf": lambda: [CA.ark_der, LEAF.der],
    "ark-and-garbage": lambda: [CA.ark_der, b"\x01garbage"],
    "ark-cut": lambda: [CA.ark_der[:-1]],
    "ark-with-tail": lambda: [CA.ark_der + b"\0"],
    "crl": lambda: [CA.crl().der],
    "ark-of-1024-bits": lambda: [AmdCa("Milan", ark_key=SMALL_KEY).ark_der],
    "ark-of-2048-bits": lambda: [AmdCa("Milan", ark_key=rsa_key("spare-2048")).ark_der],
    "ark-of-another-name": lambda: [unfit(subject=CA.ask.spec.subject)],
    "ark-without-constraints": lambda: [unfit(basicConstraints=None)],
    "ark-of-version-1": lambda: [unfit(version=None)],
    "ark-serial-negative": lambda: [unfit(serial=-1)],
}


@pytest.mark.parametrize("name", WRONG_ROOTS)
def test_roots_that_cannot_be(name: str) -> None:
    """Whoever names roots names ARKs; a verifier that would trust less, or something else, is not made."""
    with pytest.raises(ValueError, match="roots"):
        Verifier(roots=WRONG_ROOTS[name]())
    with pytest.raises(ValueError, match="roots"):
        call(roots=WRONG_ROOTS[name]())


@pytest.mark.parametrize("roots", [CA.ark_der, CA.ark_pem.decode(), 5, [5], ["text"], [None]], ids=lambda r: type(r).__name__)  # fmt: skip
def test_roots_of_a_wrong_type(roots: Any) -> None:
    with pytest.raises(TypeError):
        Verifier(roots=roots)
    with pytest.raises(TypeError):
        call(roots=roots)


@pytest.mark.parametrize(
    "roots", [[CA.ark_pem], [CA.ark_der, CA.ark_der], [CA.ark_pem + authority("Genoa").ark_pem], [b"text\n" + CA.ark_pem],
              [CA.ark_der, *CA.certs], [CA.chain_pem()]],
    ids=["pem", "twice", "two-in-one", "text-above", "with-intermediates", "chain"],
)  # fmt: skip
def test_roots_in_other_forms(roots: Any) -> None:
    assert_accepted(Verifier(roots=roots).verify(CASE.report, certs=CASE.certs, at=NOW))


def test_given_roots_replace_the_shipped_ones() -> None:
    only = Verifier(roots=[authority("Turin").ark_der])
    assert "root-untrusted" in only.verify(CASE.report, certs=CASE.certs, at=NOW).codes
    assert not Verifier().verify(CASE.report, certs=[*CASE.certs, CA.ark_der], at=NOW).accepted


CRL: Crl = CA.crl()
WRONG_CRLS = {
    "empty": b"", "garbage": b"garbage", "cut": CRL.der[:-1], "tail": CRL.der + b"\0", "a-certificate": CA.ark_der,
    "pem-garbage": pem(b"garbage", "X509 CRL"), "pem-of-nothing": pem(b"", "X509 CRL"),
    "pem-not-base64": b"-----BEGIN X509 CRL-----\n!!!!\n-----END X509 CRL-----\n",
    "pem-of-a-certificate": CA.ark_pem, "twice-in-one": CRL.der * 2,
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_CRLS)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside-a-good-one"])
def test_a_crl_that_is_none_is_a_verdict(name: str, beside: bool) -> None:
    crls = [WRONG_CRLS[name], *([CRL.der] if beside else [])]
    verdict = call(crls=crls)
    assert not verdict.accepted
    assert next(check.code for check in verdict.checks if check.check == "crl") == "crl-malformed"
    assert set(verdict.codes) <= {"crl-malformed", None}


@pytest.mark.parametrize("crls", [CRL.der, "text", 5, None, [5], ["text"], [None]], ids=lambda c: type(c).__name__)
def test_crls_of_a_wrong_type(crls: Any) -> None:
    with pytest.raises(TypeError):
        Verifier(crls=crls)
    with pytest.raises(TypeError):
        call(crls=crls)


@pytest.mark.parametrize("policy", [{}, {"vmpls": [0]}, "default", 5, True, object(), [], Policy, b""], ids=name_of)
def test_policy_of_a_wrong_type(policy: Any) -> None:
    with pytest.raises(TypeError):
        Verifier(policy)
    with pytest.raises(TypeError):
        call(policy=policy)


def test_a_policy_does_not_change() -> None:
    policy = Policy(vmpls=(0,))
    verifier = Verifier(policy, CASE.roots)
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        policy.vmpls = (1,)  # type: ignore[misc]
    wanted = [CASE.report[0x90:0xC0]]
    listed = Verifier(Policy(measurements=wanted), CASE.roots)
    wanted[0] = bytes(48)
    wanted.append(b"")
    assert listed.verify(CASE.report, certs=CASE.certs, at=NOW).accepted
    assert verifier.verify(CASE.report, certs=CASE.certs, at=NOW).accepted


@pytest.mark.parametrize(
    "product", ["", "rome", "venice", "Venice", "milan ", "Milan-B0", "m\u0130lan", "sev", 5, True, b"milan", 1.5]
)
def test_product_that_is_not_known(product: Any) -> None:
    with pytest.raises(ValueError, match="product"):
        Verifier(product=product)
    with pytest.raises(ValueError, match="product"):
        call(product=product)


@pytest.mark.parametrize("product", ["milan", "Milan", "MILAN"])
def test_product_that_is_known(product: str) -> None:
    assert_accepted(call(product=product))
    assert_only(good("Genoa").but(product=product).verify_once(), "product", "product-mismatch")


UNUSABLE = sorted({"ifma8", "avx2x4", "portable", "cryptography"} - set(engines.available()))


@pytest.mark.parametrize("engine", ["", "fast", "Portable", "portable ", "openssl", 5, True, b"portable", *UNUSABLE])
def test_engine_that_cannot_run_here(engine: Any) -> None:
    with pytest.raises(ValueError, match="engine"):
        Verifier(engine=engine)
    with pytest.raises(ValueError, match="engine"):
        call(engine=engine)


def test_engine_by_name(engine: str) -> None:
    assert Verifier(engine=engine).engine == engine
    verdict = call(engine=engine)
    assert_accepted(verdict)
    assert verdict.engine == verdict.to_dict()["engine"] == engine


# ---- other interpreters ----------------------------------------------------------------------------------------------

HEAD = """
import sys
sys.path.insert(0, "tests/snp")
from snp_world import NOW, good
import snpverify
case = good("Milan")
torn = case.report[:0x50] + bytes([case.report[0x50] ^ 1]) + case.report[0x51:]
def must(condition, what):
    if condition is not True:
        raise SystemExit("not so: " + what)
"""


def python(script: str, *options: str, **environment: str) -> str:
    """What a fresh interpreter prints; it must print nothing to stderr and end well."""
    done = subprocess.run(
        [sys.executable, *options, "-c", HEAD + textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False, env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, **environment},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("engine", engines.available())
def test_engine_of_the_environment(engine: str) -> None:
    script = "v = case.verify(); must(v.accepted, 'accepted'); print(v.engine, case.verifier('cryptography').engine)"
    assert python(script, ATTESTCORE_ENGINE=engine) == f"{engine} cryptography"


@pytest.mark.parametrize("engine", ["nonsense", "", *UNUSABLE])
def test_unknown_engine_of_the_environment(engine: str) -> None:
    """An error that says so, and not a silent choice of another."""
    script = """
        for work in (snpverify.Verifier, case.verify_once):
            try:
                work()
            except ValueError as problem:
                must("ATTESTCORE_ENGINE" in str(problem), str(problem))
            else:
                raise SystemExit("an engine was chosen")
        print(snpverify.Verifier(engine="cryptography").engine)
    """
    assert python(script, ATTESTCORE_ENGINE=engine) == "cryptography"


def test_the_environment_is_read_once() -> None:
    script = """
        import os
        first = snpverify.Verifier().engine
        os.environ["ATTESTCORE_ENGINE"] = "nonsense"
        must(snpverify.Verifier().engine == first, "the engine of the import")
        print("done")
    """
    assert python(script) == "done"


@pytest.mark.parametrize("options", [("-O",), ("-OO",), ("-bb", "-W", "error")], ids=" ".join)
def test_without_assertions(options: tuple[str, ...]) -> None:
    """No judgement hangs on an assert statement; and none warns."""
    script = """
        must(case.verify().accepted, "a good report is accepted")
        wrong = {
            "report-signature-invalid": case.but(report=torn),
            "report-length-invalid": case.but(report=case.report[1:]),
            "certificate-missing": case.but(certs=()),
            "certificate-not-yet-valid": case.but(at=NOW - 10**8),
            "vmpl-refused": good("Milan", vmpl=4),
            "debug-allowed": good("Milan", policy=0xB0000),
            "measurement-mismatch": case.asking(measurements=[bytes([1]) * 48]),
            "root-untrusted": case.but(roots=good("Turin").roots),
            "crl-malformed": case.but(crls=(b"x",)),
            "reserved-not-zero": good("Milan", reserved_04c=b"abcd"),
        }
        for code, one in wrong.items():
            for verdict in (one.verify(), one.verify_once()):
                must(verdict.accepted is False and code in verdict.codes, code)
                try:
                    verdict.require()
                except snpverify.VerificationError as problem:
                    must(problem.verdict is verdict, "the verdict is carried")
                else:
                    raise SystemExit("require() let a refused verdict pass")
        results = case.verifier().verify_batch([case.report, torn, None], certs=case.certs, at=NOW)
        must(list(results.accepted) == [True, False, False], "a batch")
        for work in (lambda: bool(results[0]), lambda: snpverify.Verdict(), lambda: snpverify.verify("x", at=NOW),
                     lambda: snpverify.verify(case.report, at=None), lambda: snpverify.Verifier(policy={})):
            try:
                work()
            except TypeError:
                continue
            raise SystemExit("a mistake was let pass")
        print("done", __debug__)
    """
    assert python(script, *options) == f"done {options[0] == '-bb'}"


def test_verification_touches_nothing_outside() -> None:
    """No file, no socket, no environment, no process, no import: the audit hook of the interpreter sees none."""
    script = """
        import os
        other = good("Milan", guest_svn=3)
        other_leaf = good("Milan", "VLEK")
        verifier = case.verifier()
        def work(report, certs):
            verdict = verifier.verify(report, certs=certs, at=NOW)
            verdict.to_json()
            results = verifier.verify_batch([report, torn, None], certs=certs, at=[NOW, NOW, None], claims=True)
            list(results.accepted), list(results.code)
            [one.to_dict() for one in results]
            return verdict.accepted
        must(work(case.report, case.certs), "accepted while warming up")
        allowed = ("object.__", "ctypes.", "array.")
        events = []
        watching = False
        def hook(event, arguments):
            if watching and not event.startswith(allowed):
                events.append((event, str(arguments)[:80]))
        class Environment(dict):
            def __getitem__(self, key):
                events.append(("environ", key))
                return super().__getitem__(key)
            def get(self, key, default=None):
                events.append(("environ", key))
                return super().get(key, default)
        os.environ = Environment(os.environ)
        sys.addaudithook(hook)
        watching = True
        fine = work(other.report, other.certs), work(other_leaf.report, other_leaf.certs)
        snpverify.verify(case.report, certs=case.certs, at=NOW, roots=case.roots)
        missing = verifier.verify(case.report, certs=(), at=NOW).to_json()
        watching = False
        must(fine == (True, True), "accepted while watched")
        open(os.devnull).close()
        watching = True
        open(os.devnull).close()
        watching = False
        must(any(event == "open" for event, _ in events), "the hook sees what there is to see")
        memory = [event for event in events if event[0] == "mmap.__new__" and event[1].startswith("(-1, ")]  # of no file: a Verifier's own
        print([event for event in events if event not in memory and (event[0] != "open" or "null" not in event[1])])
    """
    assert python(script) == "[]"


def test_no_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of time's clocks raise, and so does every way to ask datetime for now."""
    import time

    import attestcore.columns
    import attestcore.verdict

    def clock(*_: Any) -> float:
        raise RuntimeError("a clock was read")

    class Timeless(datetime):
        now = utcnow = today = clock  # type: ignore[assignment]

    aware = Timeless.fromtimestamp(NOW, UTC)
    for name in (
        "time",
        "time_ns",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
        "gmtime",
        "localtime",
    ):
        monkeypatch.setattr(time, name, clock)
    for module in (attestcore.columns, attestcore.verdict):
        monkeypatch.setattr(module, "datetime", Timeless)
    with pytest.raises(RuntimeError, match="clock"):
        time.time()
    with pytest.raises(RuntimeError, match="clock"):
        vars(attestcore.verdict)["datetime"].now()
    verifier = Verifier(roots=CASE.roots, crls=[CRL.der])
    verdict = verifier.verify(CASE.report, certs=CASE.certs, at=NOW)
    assert_accepted(verdict, ran=["crl", "revocation"])
    assert verdict.to_dict()["evaluated_at"] == "2025-06-20T00:00:00Z"
    assert verifier.verify(CASE.report, certs=CASE.certs, at=aware).accepted
    results = verifier.verify_batch([CASE.report, TORN], certs=CASE.certs, at=[aware, NOW])
    assert list(results.accepted) == [True, False]
    assert results[0].to_dict() == verdict.to_dict()


def test_a_day_later_is_another_verdict_though_nothing_else_changed() -> None:
    """One verifier, kept through the end of the CRL: the time is the caller's each time."""
    case: Case = CASE.but(crls=(CRL.der,))
    verifier = case.verifier()
    end = int(datetime(2026, 6, 2, 23, 0, 0, tzinfo=UTC).timestamp())
    for _ in range(2):
        assert verifier.verify(case.report, certs=case.certs, at=end).accepted
        assert "crl-expired" in verifier.verify(case.report, certs=case.certs, at=end + 1).codes
