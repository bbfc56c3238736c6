# SPDX-License-Identifier: Apache-2.0
"""The signature over the report: which bytes it covers, the range and form of R and S, and every way to sign something else.

Leaf, chain and binding are right throughout, so that this check alone can refuse. Engines are tested on their own in
tests/core; here is what the report's format makes of them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pytest
from snp_asserts import assert_accepted, assert_failed, assert_only, outcome
from snp_world import NOW, Case, N, P, authority, case_of, endorsement, good

from snpverify.testing import EcKey, Endorsement, ReportFields, ec_key, patch
from snpverify.testing.keys import P384, ec_spki, encode_point
from snpverify.testing.reports import signature_of

R, S, TAIL = 0x2A0, 0x2E8, 0x330


def signed(**options: Any) -> Case:
    return good("Genoa", version=5, sign=options)


# ---- every bit -------------------------------------------------------------------------------------------------------


def test_every_single_bit() -> None:
    """9472 copies of a good report, each with one bit changed. None is accepted; what the signature covers fails by it,
    its padding and the tail by their own rules."""
    case = good("Genoa", version=5)
    flips = range(8 * len(case.report))
    reports = bytearray(case.report * len(flips))
    for bit in flips:
        reports[bit * 1184 + bit // 8] ^= 1 << bit % 8
    results = case.verifier().verify_batch(reports, certs=case.certs, at=case.at)
    assert sum(results.accepted) == 0
    table = results.to_arrow()
    codes = table["codes"].to_pylist()
    assert table["accepted"].to_pylist() == [False] * len(flips)
    for bit, found in zip(flips, codes, strict=True):
        at = bit // 8
        assert found, bit
        if at < 4:  # VERSION: 4 and 7 differ from 5 by one bit, and 4 is judged
            expected = "report-signature-invalid" if case.report[0] ^ 1 << bit == 4 else "report-version-unsupported"
            assert expected in found, bit
        elif 0x34 <= at < 0x38:  # SIGNATURE_ALGO: what R and S are is not known
            assert found == ["signature-algorithm-unsupported"], bit
        elif at < R:
            assert "report-signature-invalid" in found, bit
        elif at < TAIL:
            inside = (at - R) % 72 < 48
            assert found in (
                [["report-signature-invalid"], ["report-signature-malformed"]]
                if inside
                else [["report-signature-malformed"]]
            ), bit
        else:
            assert found == ["reserved-not-zero"], bit
    tally = Counter(code for found in codes for code in found)
    assert tally["report-signature-malformed"] == 2 * 24 * 8
    assert {"internal-error", "certificate-missing"}.isdisjoint(tally)


def test_every_single_bit_of_the_signed_part_matters_alone() -> None:
    """Bits that no other check looks at: REPORT_DATA, MEASUREMENT, ..., LAUNCH_TCB's microcode. Only the signature can tell."""
    case = good("Genoa", version=5)
    places = [
        *range(0x04, 0x08),
        *range(0x10, 0x30),
        *range(0x40, 0x48),
        *range(0x50, 0x180),
        0x18A,
        *range(0x1E8, 0x1EB),
        0x1F7,
    ]
    places += range(0x1F8, 0x208)
    reports = [patch(case.report, {at: bytes([case.report[at] ^ 0x04])}) for at in places]
    results = case.verifier().verify_batch(reports, certs=case.certs, at=case.at)
    assert set(results.code) == {"report-signature-invalid"}
    for i in range(0, len(places), 16):
        assert_only(results[i], "report-signature", "report-signature-invalid", "SIGNATURE", R)


@pytest.mark.parametrize("at", [0x00, 0x29F, 0x2A0, 0x2CF, 0x2E8, 0x317])
def test_the_edges_of_what_is_signed(at: int) -> None:
    """First and last byte of the signed part, and of R and S behind it, validly signed before the change."""
    case = good(version=2)
    verdict = case.but(report=patch(case.report, {at: bytes([case.report[at] ^ 0x01])})).verify()
    assert verdict.accepted is False
    expected = {0x00: {"report-reserved", "report-signature"}, 0x29F: {"report-reserved", "report-signature"}}
    failed = {check.check for check in verdict.checks if check.code is not None}
    assert "report-signature" in failed
    assert failed <= expected.get(at, {"report-signature"}) | {
        "report-product",
        "report-tcb-layout",
        "product",
        "reported-tcb",
    }


# ---- the range of R and S --------------------------------------------------------------------------------------------

OUT_OF_RANGE = [0, N, N + 1, P, P - 1, P + 1, 2**384 - 1, 2**383 + N]


@pytest.mark.parametrize("which", ["r", "s", "both"])
@pytest.mark.parametrize(
    "value", [v for v in OUT_OF_RANGE if v >> 384 == 0], ids=lambda v: f"{v:x}"[:6] + f"..{v:x}"[-4:]
)
def test_values_outside_the_range(value: int, which: str, engine: str) -> None:
    """1 to n-1, before anything is reduced."""
    values = {"r": value, "s": value} if which == "both" else {which: value}
    field, at = ("SIGNATURE.S", S) if which == "s" else ("SIGNATURE.R", R)
    assert_only(signed(**values).verify(engine), "report-signature", "report-signature-malformed", field, at)


@pytest.mark.parametrize(("r", "s"), [(1, 1), (1, N - 1), (N - 1, 1), (N - 1, N - 1), (2, N // 2)])
def test_values_at_the_ends_of_the_range(r: int, s: int, engine: str) -> None:
    """Well-formed, and the signature of nothing here."""
    assert_only(signed(r=r, s=s).verify(engine), "report-signature", "report-signature-invalid", "SIGNATURE", R)


def _with_small_s(s: int) -> tuple[Case, Endorsement]:
    """A report and a key under which its signature has exactly this S: d = (s k - z) / r."""
    ca = authority("Genoa")
    unsigned = ReportFields.fitting(ca.vcek(), version=5).build()
    z = int.from_bytes(hashlib.sha384(unsigned[:672]).digest(), "big")
    k = 0x1234567890ABCDEF
    r = EcKey("P-384", k).public[0] % N
    leaf = ca.vcek(key=EcKey("P-384", (s * k - z) * pow(r, -1, N) % N))
    case = case_of(ca, leaf, version=5, sign={"nonce": k})
    assert signature_of(case.report) == (r, s)
    return case, leaf


@pytest.mark.parametrize("s", [1, 2, 0x10001])
def test_s_that_is_valid_after_reduction(s: int, engine: str) -> None:
    """s is a valid signature's; s + n is the same number to whoever reduces first, and is refused."""
    case, leaf = _with_small_s(s)
    assert_accepted(case.verify(engine))
    wide = ReportFields.fitting(leaf, version=5).sign(leaf, nonce=0x1234567890ABCDEF, s=s + N)
    assert_only(
        case.but(report=wide).verify(engine), "report-signature", "report-signature-malformed", "SIGNATURE.S", S
    )


# Affine arithmetic on P-384, enough to make a key out of a signature.


def _add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    rise, run = (3 * a[0] * a[0] - 3, 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
    slope = rise * pow(run, -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(k: int, point: tuple[int, int]) -> tuple[int, int]:
    out = None
    while k:
        if k & 1:
            out = point if out is None else _add(out, point)
        point = _add(point, point)
        k >>= 1
    assert out is not None
    return out


def test_the_x_coordinate_that_wraps(engine: str) -> None:
    """R's x may lie in [n, p): then r = x - n is right and must verify, and r = x, not below n, must not. The key is computed
    from such a point: Q = (s R - z G) / r."""
    x = N + 1
    while pow(x**3 - 3 * x + P384.b, (P - 1) // 2, P) != 1:
        x += 1
    assert N <= x < P
    point = (x, pow(x**3 - 3 * x + P384.b, (P + 1) // 4, P))
    ca = authority("Genoa")
    unsigned = ReportFields.fitting(ca.vcek(), version=5).build()
    z = int.from_bytes(hashlib.sha384(unsigned[:672]).digest(), "big")
    r, s = x - N, 0x0123456789ABCDEF
    g = (P384.gx, P384.gy)
    inverse = pow(r, -1, N)
    key = _add(_times(s * inverse % N, point), _times(-z * inverse % N, g))
    assert P384.on_curve(*key)
    leaf = ca.vcek(spki=ec_spki(encode_point(*key, 48)))
    fields = ReportFields.fitting(ca.vcek(), version=5)
    case = Case(fields.sign(ca.vcek(), r=r, s=s), (leaf.der, *ca.certs), ca.roots)
    assert_accepted(case.verify(engine))
    wrapped = fields.sign(ca.vcek(), r=x, s=s)
    assert_only(
        case.but(report=wrapped).verify(engine), "report-signature", "report-signature-malformed", "SIGNATURE.R", R
    )


@pytest.mark.parametrize("half", ["low", "high"])
def test_both_halves_of_s_are_valid(half: str, engine: str) -> None:
    """s and n - s: ECDSA knows no difference, and AMD's firmware writes either. So a signature's bytes identify nothing."""
    assert_accepted(signed(s_half=half).verify(engine))


def test_the_high_twin_has_the_same_claims() -> None:
    low, high = signed(s_half="low").verify(), signed(s_half="high").verify()
    assert low.claims == high.claims
    assert low.evidence_sha256 != high.evidence_sha256


# ---- the form of R and S ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [R, S])
def test_every_byte_of_padding(start: int) -> None:
    """48 bytes of value, 24 of zeros. A reader that looks at 48 alone would accept all of these."""
    case = good("Genoa", version=5)
    places = range(start + 48, start + 72)
    reports = [patch(case.report, {at: bytes([1 << at % 8])}) for at in places]
    results = case.verifier().verify_batch(reports, certs=case.certs, at=case.at)
    field = "SIGNATURE.R" if start == R else "SIGNATURE.S"
    for i, at in enumerate(places):
        assert_only(results[i], "report-signature", "report-signature-malformed", field, at)


@pytest.mark.parametrize(
    "options", [{"r_padding": b"\xff" * 24}, {"s_padding": b"\xff" * 24}, {"r": N + 2**384}, {"s": 2**575}]
)
def test_values_wider_than_384_bits(options: dict[str, Any]) -> None:
    assert_only(signed(**options).verify(), "report-signature", "report-signature-malformed")


@pytest.mark.parametrize(
    "options",
    [
        {"byteorder": "big"},
        {"swap": True},
        {"swap": True, "byteorder": "big"},
    ],
    ids=["big-endian", "swapped", "both"],
)
def test_other_arrangements_of_r_and_s(options: dict[str, Any], engine: str) -> None:
    assert_only(signed(**options).verify(engine), "report-signature", "report-signature-invalid")


def test_big_endian_in_all_72_bytes() -> None:
    """As whoever reverses the whole field has it: the padding comes first."""
    case = good("Genoa", version=5)
    sig = case.report[R:S][::-1] + case.report[S:TAIL][::-1]
    assert_only(
        case.but(report=case.report[:R] + sig + case.report[TAIL:]).verify(),
        "report-signature",
        "report-signature-malformed",
    )


def test_a_der_signature() -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    case = good("Genoa", version=5)
    encoded = encode_dss_signature(*signature_of(case.report)).ljust(144, b"\0")
    verdict = case.but(report=case.report[:R] + encoded + case.report[TAIL:]).verify()
    assert_only(verdict, "report-signature", "report-signature-malformed", "SIGNATURE.R")


# ---- what was signed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"hash_name": "sha256"},
        {"hash_name": "sha512"},
        {"hash_name": "sha224"},
        {"hash_name": "sha1"},
        {"hash_name": "sha3_384"},
        {"hash_name": None},
        {"end": 671},
        {"end": 673},
        {"end": 1184},
        {"end": 0x330},
        {"start": 1},
        {"start": 0x50},
        {"start": 0x20, "end": 0x2A0},
        {"end": 0},
    ],
    ids=lambda o: " ".join(f"{k}={v}" for k, v in o.items()),
)
def test_other_hashes_and_ranges(options: dict[str, Any], engine: str) -> None:
    assert_only(signed(**options).verify(engine), "report-signature", "report-signature-invalid")


def test_hash_of_the_hash_and_cut_hashes(engine: str) -> None:
    leaf = endorsement("Genoa")
    unsigned = ReportFields.fitting(leaf, version=5).build()
    digest = hashlib.sha384(unsigned[:672]).digest()
    for wrong in (hashlib.sha384(digest).digest(), digest[:32], digest[:32] + bytes(16), bytes(48), digest[::-1]):
        case = signed(digest=wrong)
        assert_only(case.verify(engine), "report-signature", "report-signature-invalid")
    assert_accepted(signed(digest=digest).verify(engine))


def test_received_bytes_are_verified_and_not_rewritten_ones() -> None:
    """A stepping with its upper half set, an unknown PLATFORM_INFO bit, POLICY bits one may not keep: signed as received, so
    accepted; signed with those bits dropped, so refused."""
    leaf = endorsement("Genoa")
    for patches in ({0x18A: b"\xf1"}, {0x47: b"\x80"}, {0x1E8: b"\xff\xff\xff"}):
        fields = ReportFields.fitting(leaf, version=5)
        case = good("Genoa", version=5)
        assert_accepted(case.but(report=fields.sign(leaf, patches=patches)).verify())
        assert_only(
            case.but(report=fields.sign(leaf, post_patches=patches)).verify(),
            "report-signature",
            "report-signature-invalid",
        )


# ---- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["VCEK", "VLEK"])
@pytest.mark.parametrize("line", ["Milan", "Genoa", "Turin"])
def test_another_key_signed(line: str, kind: str, engine: str) -> None:
    """Of the same chip and TCB by its fields, and made with any key: this is what a forger can do."""
    leaf = endorsement(line, kind)
    forged = ReportFields.fitting(leaf, version=5).sign(ec_key("forger"))
    verdict = good(line, kind).but(report=forged).verify(engine)
    assert_only(verdict, "report-signature", "report-signature-invalid", "SIGNATURE", R)
    assert verdict.claims_verified is False
    assert verdict.claims is not None


def test_signature_of_another_report() -> None:
    one, other = good("Genoa", version=5), good("Genoa", version=5, guest_svn=9)
    mixed = one.report[:R] + other.report[R:]
    assert_only(one.but(report=mixed).verify(), "report-signature", "report-signature-invalid")


def test_signature_by_the_same_chip_at_another_tcb() -> None:
    """Key and certificate of another TCB of this chip: the certificate's TCB differs, and its key did not sign."""
    ca = authority("Genoa")
    from snpverify.testing import Tcb

    old = ca.vcek(tcb=Tcb(boot_loader=9, snp=0x15, microcode=0x50))
    new = ca.vcek()
    report = ReportFields.fitting(new, version=5).sign(new)
    case = Case(report, (old.der, *ca.certs), ca.roots)
    assert_failed(
        case.verify(), {"reported-tcb": "reported-tcb-mismatch", "report-signature": "report-signature-invalid"}
    )


def test_without_a_certificate_the_signature_is_not_judged() -> None:
    """But R and S that nothing could have signed are refused all the same."""
    case = good("Genoa", version=5).but(certs=())
    verdict = case.verify()
    assert_only(verdict, "certificate", "certificate-missing", unrun=None)
    assert outcome(verdict, "report-signature") == "not-run"
    zero = case.but(report=case.report[:R] + bytes(512)).verify()
    assert_failed(
        zero, {"certificate": "certificate-missing", "report-signature": "report-signature-malformed"}, unrun=None
    )


def test_a_key_that_is_not_one(engine: str) -> None:
    """Off the curve, or infinity's like: the profile refuses the certificate, and no signature is judged under it."""
    ca = authority("Genoa")
    vcek = ca.vcek()
    x, y = vcek.signing_key.public
    points = {
        "off the curve": encode_point(x, y ^ 1, 48),
        "x beyond p": encode_point(P + 1, y, 48),
        "zero": encode_point(0, 0, 48),
        "ones": b"\x04" + b"\xff" * 96,
        "compressed": encode_point(x, y, 48, "compressed"),
        "hybrid": encode_point(x, y, 48, "hybrid"),
        "infinity": b"\0",
    }
    for name, point in points.items():
        leaf = ca.vcek(spki=ec_spki(point))
        case = good("Genoa", version=5).but(certs=(leaf.der, *ca.certs))
        verdict = case.verify(engine)
        (
            assert_only(
                verdict, "leaf-profile", "certificate-key-invalid", "subjectPublicKeyInfo", unrun=("report-signature",)
            ),
            name,
        )


def test_many_signatures_in_one_call_are_judged_one_by_one() -> None:
    """Every other row is right. None profits, none suffers."""
    leaf = endorsement("Genoa")
    fields = ReportFields.fitting(leaf, version=5)
    reports = [fields.replace(guest_svn=i).sign(leaf if i % 2 else ec_key("forger")) for i in range(64)]
    case = good("Genoa")
    results = case.verifier().verify_batch(reports, certs=case.certs, at=NOW)
    assert list(results.accepted) == [bool(i % 2) for i in range(64)]
    assert set(results.code[::2]) == {"report-signature-invalid"}
