"""ID blocks: forms, both signatures, key digests, and the report they belong to (AMD 56860, SNP_LAUNCH_FINISH)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import snpverify
from attestcore import signatures
from snpverify.testing import AT, AmdCa, IdAuth, IdBlock, ReportFields, ec_key
from snpverify.testing.idblock import ID_AUTH_LAYOUT, key_structure, signature_structure

OWNER, AUTHOR, STRANGER = ec_key("owner"), ec_key("author"), ec_key("stranger")
BLOCK = IdBlock(measurement=b"\x11" * 48, family_id=b"\x22" * 16, image_id=b"\x33" * 16, guest_svn=7)
BOTH = IdAuth(block=BLOCK, id_key=OWNER, author_key=AUTHOR)
ALONE = IdAuth(block=BLOCK, id_key=OWNER)


@pytest.fixture(params=signatures.engines())
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def check(auth: IdAuth, engine: str | None = None, **patches: Any) -> snpverify.IdAuth:
    return snpverify.verify_id_block(auth.block.build(), auth.build(**patches), engine=engine)


def test_both_signatures_hold(engine: str) -> None:
    result = check(BOTH, engine)
    assert result.codes == ()
    assert result.engine == engine
    assert result.id_key_digest == hashlib.sha384(key_structure(OWNER)).digest()
    assert result.author_key_digest == hashlib.sha384(key_structure(AUTHOR)).digest()
    assert result.block.guest_svn == 7
    assert result.block.launch_digest == b"\x11" * 48
    assert (result.block.family_id, result.block.image_id) == (b"\x22" * 16, b"\x33" * 16)
    assert result.block.policy == 0x30000


def test_without_author_key(engine: str) -> None:
    result = check(ALONE, engine)
    assert result.codes == ()
    assert result.author_key_digest is None


def test_block_signed_by_another_key(engine: str) -> None:
    foreign = signature_structure(*STRANGER.sign(BLOCK.build(), hash_name="sha384"))
    assert check(BOTH.replace(id_block_sig=foreign), engine).codes == ("id-block-signature-invalid",)


def test_id_key_signed_by_another_author(engine: str) -> None:
    foreign = signature_structure(*STRANGER.sign(key_structure(OWNER), hash_name="sha384"))
    assert check(BOTH.replace(id_key_sig=foreign), engine).codes == ("id-key-signature-invalid",)


def test_wrong_hash_is_a_wrong_signature(engine: str) -> None:
    wrong = BOTH.replace(hash_name="sha512")
    assert check(wrong, engine).codes == ("id-block-signature-invalid", "id-key-signature-invalid")


def test_zero_signatures(engine: str) -> None:
    zero = BOTH.replace(id_block_sig=bytes(512), id_key_sig=bytes(512))
    assert check(zero, engine).codes == ("id-block-signature-invalid", "id-key-signature-invalid")


def test_author_signature_without_author_key_is_malformed() -> None:
    stray = ALONE.replace(id_key_sig=signature_structure(*AUTHOR.sign(key_structure(OWNER), hash_name="sha384")))
    with pytest.raises(snpverify.ParseError) as caught:
        check(stray)
    assert (caught.value.code, caught.value.field) == ("id-block-malformed", "ID_AUTH_INFO.AUTHOR_KEY")


@pytest.mark.parametrize("length", [0, 1, 95, 97, 4096])
def test_block_of_another_length(length: int) -> None:
    with pytest.raises(snpverify.ParseError) as caught:
        snpverify.verify_id_block(bytes(length), BOTH.build())
    assert (caught.value.code, caught.value.field) == ("id-block-malformed", "ID_BLOCK")
    with pytest.raises(snpverify.ParseError, match="id-block-malformed"):
        snpverify.parse_id_block(bytes(length))


@pytest.mark.parametrize("length", [0, 4095, 4097])
def test_auth_of_another_length(length: int) -> None:
    with pytest.raises(snpverify.ParseError) as caught:
        snpverify.verify_id_block(BLOCK.build(), bytes(length))
    assert (caught.value.code, caught.value.field) == ("id-block-malformed", "ID_AUTH_INFO")


@pytest.mark.parametrize("version", [0, 2, 2**32 - 1])
def test_block_of_another_version(version: int) -> None:
    block = BLOCK.replace(version=version)
    with pytest.raises(snpverify.ParseError) as caught:
        check(BOTH.replace(block=block))
    assert (caught.value.field, caught.value.offset) == ("ID_BLOCK.VERSION", 0x50)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id_key_algo": 0}, "ID_AUTH_INFO.ID_KEY_ALGO"),
        ({"id_key_algo": 2}, "ID_AUTH_INFO.ID_KEY_ALGO"),
        ({"auth_key_algo": 2}, "ID_AUTH_INFO.AUTH_KEY_ALGO"),
        ({"id_key_bytes": key_structure(OWNER, curve=1)}, "ID_AUTH_INFO.ID_KEY"),
        ({"author_key_bytes": key_structure(AUTHOR, curve=3)}, "ID_AUTH_INFO.AUTHOR_KEY"),
    ],
)
def test_other_algorithms_and_curves(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(snpverify.ParseError) as caught:
        check(BOTH.replace(**changes))
    assert (caught.value.code, caught.value.field) == ("id-block-malformed", field)


def reserved_places() -> list[int]:
    places = []
    for name, (at, size) in ID_AUTH_LAYOUT.items():
        if name.startswith("reserved"):
            places += [at, at + size - 1]
        elif name.endswith("_sig"):
            places += [at + 48, at + 71, at + 72 + 48, at + 0x90, at + size - 1]
        elif name.endswith("key"):
            places += [at + 4 + 48, at + 0x4C + 71, at + 0x94, at + size - 1]
    return places


@pytest.mark.parametrize("place", reserved_places())
def test_every_reserved_range_is_looked_at(place: int) -> None:
    with pytest.raises(snpverify.ParseError, match="id-block-malformed"):
        check(BOTH, patches={place: b"\x01"})


def test_auth_key_algo_is_not_asked_without_author_key() -> None:
    assert check(ALONE.replace(auth_key_algo=0)).codes == ()


def report_for(auth: IdAuth, **changes: Any) -> snpverify.Report:
    vcek = AmdCa("Milan").vcek()
    fields = ReportFields.fitting(vcek, version=3, **auth.report_fields()).replace(**changes)
    return snpverify.parse_report(fields.sign(vcek))


def against(auth: IdAuth, report: snpverify.Report) -> tuple[str, ...]:
    return snpverify.verify_id_block(auth.block.build(), auth.build(), report=report).codes


def test_report_of_a_guest_launched_with_it() -> None:
    assert against(BOTH, report_for(BOTH)) == ()
    assert against(ALONE, report_for(ALONE)) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"measurement": bytes(48)},
        {"family_id": bytes(16)},
        {"image_id": bytes(16)},
        {"guest_svn": 8},
        {"policy": 0x20000},
        {"id_key_digest": bytes(48)},
        {"author_key_digest": bytes(48)},
        {"author_key_en": 0},
    ],
)
def test_report_of_another_guest(changes: dict[str, Any]) -> None:
    assert against(BOTH, report_for(BOTH, **changes)) == ("id-block-report-mismatch",)


def test_policy_takes_the_digests() -> None:
    vcek = AmdCa("Milan").vcek()
    report = ReportFields.fitting(vcek, version=3, **BOTH.report_fields()).sign(vcek)
    result = check(BOTH)
    assert result.author_key_digest is not None
    policy = snpverify.Policy(id_keys=[result.id_key_digest], author_keys=[result.author_key_digest])
    ca = AmdCa("Milan")
    verdict = snpverify.verify(report, certs=[vcek.der, *ca.certs], at=AT, policy=policy, roots=ca.roots)
    assert verdict.codes == ()
    assert {c.check: c.outcome for c in verdict.checks}["author-key"] == "pass"
