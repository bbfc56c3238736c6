"""What the benches verify: signatures and reports by the test CA, as many keys as asked for, the same bytes in every run.

Signing the ordinary way costs far more than verifying, so signatures here share a pool of nonces. That gives the keys away, and they are
published with the package as it is; to a verifier these are signatures like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from attestcore.signatures import Curve
from snpverify.testing import AT, AmdCa, EcKey, Endorsement, ReportFields, ec_key, pem, rsa_key
from snpverify.testing.reports import LAYOUT, R_OFFSET, REPORT_LEN, S_OFFSET, SIGNED_LEN

ROOT = Path(__file__).resolve().parent.parent
MILAN_REPORT = ROOT / "examples" / "data" / "report_milan.hex"
MILAN_VCEK = ROOT / "examples" / "data" / "vcek_milan.der"
SHIPPED_ROOTS = ROOT / "attestcore" / "roots" / "amd"
AT_SECONDS = int(AT.timestamp())  # everything here is valid then, the real report's certificates too

_NONCES = 509  # prime, so that rows of one key run through all of them
_HASHES: dict[Curve, str] = {"P-256": "sha256", "P-384": "sha384"}
_ROWS_PER_BLOCK = 16384


# ---- signatures ------------------------------------------------------------------------------------------------------


@cache
def _nonces(curve: str) -> list[tuple[int, int]]:
    """1 / k and r of each nonce k."""
    order = ec_key("", curve).domain.n
    keys = [ec_key(f"bench nonce {i}", curve) for i in range(_NONCES)]
    return [(pow(key.secret, -1, order), key.public[0] % order) for key in keys]


def _sign(key: EcKey, digest: bytes, row: int) -> tuple[int, int]:
    inverse, r = _nonces(key.curve)[row % _NONCES]
    return r, inverse * (int.from_bytes(digest, "big") + r * key.secret) % key.domain.n


@dataclass(frozen=True, slots=True)
class Signatures:
    """Columns as attestcore.signatures.verify_ecdsa takes them."""

    curve: Curve
    n: int
    keys: bytes
    digests: bytes
    sigs: bytes

    def first(self, n: int) -> Signatures:
        size = len(self.digests) // self.n
        return Signatures(self.curve, n, self.keys[: 2 * size * n], self.digests[: size * n], self.sigs[: 2 * size * n])

    def rows(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Key, digest and signature of each row."""
        size = len(self.digests) // self.n
        for i in range(self.n):
            pair = slice(2 * size * i, 2 * size * (i + 1))
            yield self.keys[pair], self.digests[size * i : size * (i + 1)], self.sigs[pair]


@cache
def signatures(curve: Curve, n: int, per_key: int) -> Signatures:
    """n signatures, per_key of them by each key; the keys take turns."""
    keys = [ec_key(f"bench {i}", curve) for i in range(-(-n // per_key))]
    size = keys[0].domain.size
    columns: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
    for row in range(n):
        key = keys[row % len(keys)]
        digest = hashlib.new(_HASHES[curve], b"bench row %d" % row).digest()
        r, s = _sign(key, digest, row)
        columns[0].append(key.point()[1:])
        columns[1].append(digest)
        columns[2].append(r.to_bytes(size, "big") + s.to_bytes(size, "big"))
    return Signatures(curve, n, *(b"".join(column) for column in columns))


@dataclass(frozen=True, slots=True)
class RsaSignatures:
    """RSA-4096 PSS with SHA-384 under one key, as AMD's authorities sign."""

    n: int
    spki: bytes
    digests: bytes
    sigs: bytes


@cache
def rsa_signatures(n: int) -> RsaSignatures:
    key = rsa_key("milan-ask")
    messages = [b"bench row %d" % row for row in range(n)]
    digests = b"".join(hashlib.sha384(message).digest() for message in messages)
    return RsaSignatures(n, key.spki, digests, b"".join(key.sign_pss(message) for message in messages))


# ---- reports ---------------------------------------------------------------------------------------------------------


@cache
def authority() -> AmdCa:
    return AmdCa("Milan")


def roots() -> tuple[bytes, ...]:
    """What a verifier of these reports trusts: ARK, with the ASK beside it."""
    return (authority().ark_der, authority().ask_der)


@cache
def chip(number: int) -> Endorsement:
    """The VCEK of a chip."""
    return authority().vcek(chip_id=hashlib.sha512(b"bench chip %d" % number).digest())


@cache
def _template(number: int) -> bytes:
    return ReportFields.fitting(chip(number)).build()


def _report(number: int, row: int) -> bytes:
    """Report row of a chip, differing from the others as guests' reports do."""
    out = bytearray(_template(number))
    for name in ("report_data", "report_id"):
        at, size = LAYOUT[name]
        out[at : at + size] = hashlib.shake_128(b"bench %s %d" % (name.encode(), row)).digest(size)
    digest = hashlib.sha384(out[:SIGNED_LEN]).digest()
    r, s = _sign(chip(number).signing_key, digest, row)
    out[R_OFFSET : R_OFFSET + 48] = r.to_bytes(48, "little")
    out[S_OFFSET : S_OFFSET + 48] = s.to_bytes(48, "little")
    return bytes(out)


@dataclass(frozen=True, slots=True)
class Reports:
    """n reports; certs are the VCEKs, and index says whose each report is."""

    n: int
    reports: bytes
    certs: Sequence[bytes]
    index: Sequence[int]

    def signatures(self) -> Signatures:
        """The bare signatures of these reports."""
        keys = [chip(number).signing_key.point()[1:] for number in range(len(self.certs))]
        digests, sigs = [], []
        for at in range(0, self.n * REPORT_LEN, REPORT_LEN):
            digests.append(hashlib.sha384(self.reports[at : at + SIGNED_LEN]).digest())
            r, s = (self.reports[at + offset : at + offset + 48] for offset in (R_OFFSET, S_OFFSET))
            sigs.append(r[::-1] + s[::-1])
        return Signatures("P-384", self.n, b"".join(keys[i] for i in self.index), b"".join(digests), b"".join(sigs))


def _rows(first: int, n: int, chips: int) -> bytes:
    return b"".join(_report(row % chips, row) for row in range(first, first + n))


@cache
def reports(n: int, per_key: int) -> Reports:
    """n reports, per_key of them of each chip; the chips take turns."""
    chips = -(-n // per_key)
    return Reports(
        n, _rows(0, n, chips), [chip(number).der for number in range(chips)], [row % chips for row in range(n)]
    )


# ---- files -----------------------------------------------------------------------------------------------------------


def write_parquet(path: Path, n: int, per_key: int) -> None:
    """n reports as an archive would hold them: columns evidence, certs and id, zstd, one row group a block."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    chips = -(-n // per_key)
    certs = pa.array([chip(number).der for number in range(chips)], pa.binary())
    schema = pa.schema(
        [("evidence", pa.binary()), ("certs", pa.dictionary(pa.int32(), pa.binary())), ("id", pa.int64())]
    )
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=["certs"]) as writer:
        for first in range(0, n, _ROWS_PER_BLOCK):
            size = min(_ROWS_PER_BLOCK, n - first)
            data = _rows(first, size, chips)
            evidence = pa.array([data[at : at + REPORT_LEN] for at in range(0, len(data), REPORT_LEN)], pa.binary())
            index = pa.array([row % chips for row in range(first, first + size)], pa.int32())
            ids = pa.array(range(first, first + size), pa.int64())
            writer.write_batch(
                pa.record_batch([evidence, pa.DictionaryArray.from_arrays(index, certs), ids], schema=schema),
                row_group_size=_ROWS_PER_BLOCK,
            )


def write_roots(path: Path) -> None:
    """roots() as the commands take them with --root."""
    path.write_bytes(b"".join(pem(der) for der in roots()))


def milan() -> tuple[bytes, bytes]:
    """A real report and its VCEK."""
    return bytes.fromhex(MILAN_REPORT.read_text(encoding="ascii")), MILAN_VCEK.read_bytes()
