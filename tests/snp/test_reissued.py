"""Certificates issued again, several of one name, and what came along: order decides nothing, and a CRL is never lost among anchors."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pyarrow as pa
import pytest

import snpverify
from attestcore.cli.files import split_pem
from snpverify.testing import AT, AmdCa, Endorsement, ReportFields

CA = AmdCa("Milan")
VCEK = CA.vcek()
REPORT = ReportFields.fitting(VCEK, version=3).sign(VCEK)
OTHER_ARK = CA.with_ark(serial=0x10009).ark_der  # the same key and name
IMPOSTOR = AmdCa("Milan", impostor=True)
CRL_TIMES = {"this_update": AT - timedelta(days=1), "next_update": AT + timedelta(days=1)}


def codes(*, certs: list[bytes] | None = None, roots: list[bytes] | None = None, **options: object) -> tuple[str, ...]:
    policy = snpverify.Policy(require_crl=bool(options.pop("require_crl", False)))
    given = [VCEK.der, CA.ask_der] if certs is None else certs
    verifier = snpverify.Verifier(policy, roots=roots or [CA.ark_der], **options)  # type: ignore[arg-type]
    return verifier.verify(REPORT, certs=given, at=AT).codes


@pytest.mark.parametrize("roots", list(itertools.permutations([CA.ark_der, OTHER_ARK])), ids=["old-new", "new-old"])
def test_a_list_of_a_reissued_root_is_obeyed(roots: tuple[bytes, ...]) -> None:
    listing = CA.crl([0x10001], **CRL_TIMES).der
    assert codes(roots=list(roots), crls=[listing]) == ("certificate-revoked",)
    assert codes(roots=list(roots), crls=[CA.crl([], **CRL_TIMES).der], require_crl=True) == ()


@pytest.mark.parametrize(
    "roots", list(itertools.permutations([CA.ark_der, IMPOSTOR.ark_der])), ids=["ours-first", "ours-last"]
)
def test_lists_of_two_authorities_of_one_name(roots: tuple[bytes, ...]) -> None:
    """Both trusted: each list bears on its own chains; one that neither signed spoils both."""
    stranger = CA.crl([], signer=VCEK_SIGNER, **CRL_TIMES).der
    assert codes(roots=list(roots), crls=[stranger]) == ("crl-signature-invalid",)
    theirs = IMPOSTOR.crl([0x10001], **CRL_TIMES).der
    assert codes(roots=list(roots), crls=[theirs]) == ()
    assert codes(roots=list(roots), crls=[theirs], require_crl=True) == ("collateral-missing",)


VCEK_SIGNER = CA.ask.key


def expired(ca: AmdCa, name: str) -> bytes:
    changes = {"not_before": AT - timedelta(days=9), "not_after": AT - timedelta(days=1)}
    made = ca.with_ask(**changes) if name == "ask" else ca.with_ark(**changes)
    return made.ask_der if name == "ask" else made.ark_der


@pytest.mark.parametrize("flip", [False, True])
def test_an_issuer_or_root_issued_again_serves_in_any_order(flip: bool) -> None:
    asks = [expired(CA, "ask"), CA.ask_der]
    arks = [expired(CA, "ark"), CA.ark_der]
    order = slice(None, None, -1 if flip else 1)
    assert codes(certs=[VCEK.der, *asks[order]]) == ()
    assert codes(roots=arks[order]) == ()
    assert codes(certs=[VCEK.der, asks[0]]) == ("certificate-expired",)


def masked_report(signer: Endorsement) -> bytes:
    return ReportFields.fitting(signer, version=3).replace(chip_id=bytes(64)).sign(signer)


def test_a_leaf_without_chip_does_not_push_the_genuine_one_aside() -> None:
    report = masked_report(VCEK)
    verifier = snpverify.Verifier(roots=CA.roots)
    for certs in itertools.permutations([VCEK.der, CA.ask_der, CA.vcek(hwID=None).der]):
        assert verifier.verify(report, certs=list(certs), at=AT).codes == ()


def test_a_missing_crl_is_named_and_makes_nothing_less_genuine() -> None:
    verifier = snpverify.Verifier(snpverify.Policy(require_crl=True), roots=CA.roots)
    verdict = verifier.verify(REPORT, certs=[VCEK.der, CA.ask_der], at=AT)
    assert verdict.codes == ("collateral-missing",)
    assert verdict.claims_verified is True
    (check,) = (c for c in verdict.checks if c.code is not None)
    assert (check.check, check.outcome, check.category) == ("crl", "not-run", "collateral")
    assert check.detail is not None
    assert "https://kdsintf.amd.com/vcek/v1/Milan/crl" in check.detail
    assert verifier.verify(REPORT, at=AT).codes == ("certificate-missing", "collateral-missing")


def test_a_crl_given_is_no_omission_even_without_a_leaf() -> None:
    verifier = snpverify.Verifier(roots=CA.roots, crls=[CA.crl([], **CRL_TIMES).der])
    assert "crl" not in verifier.verify(REPORT, at=AT).omissions
    assert "crl" in snpverify.Verifier(roots=CA.roots).verify(REPORT, at=AT).omissions


def test_a_broken_block_hides_no_neighbour_anywhere() -> None:
    cell = VCEK.pem + CA.ask.pem + b"-----BEGIN CERTIFICATE-----\nAA\n"
    verifier = snpverify.Verifier(roots=CA.roots)
    assert verifier.verify(REPORT, certs=[cell], at=AT).codes == ()
    assert verifier.verify_batch([REPORT], certs=pa.array([cell]), at=AT).code == [None]
    assert verifier.verify_batch([REPORT], certs=[cell], certs_index=[0], at=AT).code == [None]


def test_the_policy_and_engine_of_a_verifier_cannot_be_swapped() -> None:
    verifier = snpverify.Verifier()
    for name in ("policy", "engine"):
        with pytest.raises(AttributeError):
            setattr(verifier, name, None)


def test_work_on_text_is_linear() -> None:
    """White space and beginnings without end: what is not linear in them does not come back from here."""
    spaces = b"-----BEGIN X509 CRL-----" + b" " * 1_000_000
    assert codes(crls=[spaces]) == ("crl-malformed",)
    assert len(split_pem(b"-----BEGIN CERTIFICATE-----\n" * 100_000, b"CERTIFICATE")) == 100_000


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()], ids=str)
def test_offsets_beyond_the_buffer_are_null_rows(kind: pa.DataType) -> None:
    size = 8 if kind == pa.large_binary() else 4
    offsets = bytearray(b"".join(n.to_bytes(size, "little") for n in (0, 1184, 1184, 1184)))
    column = pa.Array.from_buffers(kind, 3, [None, pa.py_buffer(offsets), pa.py_buffer(REPORT + bytes(8))])
    for row, offset in ((2, 2**31 - 1185), (3, 2**31 - 1)):  # as a damaged stream would have them
        offsets[row * size : (row + 1) * size] = offset.to_bytes(size, "little")
    results = snpverify.Verifier(roots=CA.roots).verify_batch(column, certs=[VCEK.der, CA.ask_der], at=AT)
    assert results.code == [None, "evidence-missing", "evidence-missing"]


class Short:
    """A pyarrow array whose buffers are shorter than it says."""

    def __init__(self, column: pa.Array, sizes: list[int]) -> None:
        self._column = column
        self._sizes = sizes

    def __arrow_c_array__(self) -> object:
        return self._column.__arrow_c_array__()

    def buffers(self) -> list[pa.Buffer]:
        return [pa.py_buffer(bytes(size)) for size in self._sizes]


Short.__module__ = "pyarrow.lib"


@pytest.mark.parametrize(
    ("column", "sizes"),
    [
        (pa.array([REPORT, REPORT]), [0, 11, 2368]),
        (pa.array([REPORT, REPORT], pa.large_binary()), [0, 23, 2368]),
        (pa.array([REPORT, REPORT], pa.binary(1184)), [0, 2367]),
        (pa.array([REPORT, None]), [0, 12, 1184]),
    ],
    ids=["binary", "large_binary", "fixed", "validity"],
)
def test_buffers_shorter_than_their_array_are_the_callers_mistake(column: pa.Array, sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="shorter than its array"):
        snpverify.Verifier().verify_batch(Short(column, sizes), at=AT)
