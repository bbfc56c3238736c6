"""ID_BLOCK and ID_AUTH_INFO (AMD 56860, SNP_LAUNCH_FINISH): what a guest's owner signs before launch.

A report whose ID_KEY_DIGEST is not zero says that the firmware has checked all this; a relying party then needs the digests alone
(policy `id_keys`, `author_keys`). These functions serve those who prepare or audit ID blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from attestcore import _lib, engines
from attestcore._lib import Buffer
from attestcore.errors import ParseError
from snpverify.report import Report


@dataclass(frozen=True, slots=True)
class IdBlock:
    """ID_BLOCK, 96 bytes: the launch digest and the identity that it is to have."""

    launch_digest: bytes
    family_id: bytes
    image_id: bytes
    version: int
    guest_svn: int
    policy: int


@dataclass(frozen=True, slots=True)
class IdAuth:
    """What verifying an ID block gave. codes is empty when all that was there holds.

    id_key_digest      SHA-384 of the ID key structure, as a report's ID_KEY_DIGEST has it
    author_key_digest  likewise of the author key; None when there is none
    """

    block: IdBlock
    id_key_digest: bytes
    author_key_digest: bytes | None
    codes: tuple[str, ...]
    engine: str


def parse_id_block(data: Buffer) -> IdBlock:
    """Reads the 96 bytes of an ID_BLOCK. Raises ParseError."""
    block = _lib.snapshot(data)
    if len(block) != 96:
        raise ParseError("id-block-malformed", "ID_BLOCK", min(len(block), 96), f"{len(block)} bytes instead of 96")
    version = int.from_bytes(block[0x50:0x54], "little")
    if version != 1:
        raise ParseError("id-block-malformed", "ID_BLOCK.VERSION", 0x50, f"version {version} instead of 1")
    return IdBlock(
        launch_digest=block[:0x30],
        family_id=block[0x30:0x40],
        image_id=block[0x40:0x50],
        version=version,
        guest_svn=int.from_bytes(block[0x54:0x58], "little"),
        policy=int.from_bytes(block[0x58:0x60], "little"),
    )


def _report_codes(block: IdBlock, id_key: bytes, author_key: bytes | None, report: Report) -> tuple[str, ...]:
    same = (
        report.measurement == block.launch_digest
        and report.family_id == block.family_id
        and report.image_id == block.image_id
        and report.guest_svn == block.guest_svn
        and report.policy.raw == block.policy
        and report.id_key_digest == id_key
        and report.author_key_en == (author_key is not None)
        and (author_key is None or report.author_key_digest == author_key)
    )
    return () if same else ("id-block-report-mismatch",)


def verify_id_block(block: Buffer, auth: Buffer, *, report: Report | None = None, engine: str | None = None) -> IdAuth:
    """Verifies an ID block under its ID key, the ID key under its author key when there is one, and both against a report when one is
    given (a parsed one: verify it first). Raises ParseError when the structures are malformed."""
    block, auth = _lib.snapshot(block), _lib.snapshot(auth)
    name = engines.resolve(engine)
    error, id_key, author_key, outcomes = _lib.snp_id_auth(block, auth, engines.runner(name))
    if error.failed:
        raise ParseError(error.code_name, error.field_name, error.offset, _lib.CODE_TEXTS[error.code])
    parsed = parse_id_block(block)
    author = author_key if len(outcomes) == 2 else None
    codes = tuple(
        code
        for code, valid in zip(("id-block-signature-invalid", "id-key-signature-invalid"), outcomes, strict=False)
        if not valid
    )
    if report is not None:
        codes += _report_codes(parsed, id_key, author, report)
    return IdAuth(parsed, id_key, author, codes, name)
