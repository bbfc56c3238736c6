# SPDX-License-Identifier: Apache-2.0
"""Certificate sets that come with rows are opened by the core, many in a call. The same sets taken apart step by step must give the same
leaves and the same error, whatever stands in them and beside them."""

from __future__ import annotations

import random
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snp_world import NOW, authority, good

from attestcore import _lib
from attestcore._lib import LeafSet
from snpverify import Verifier
from snpverify.testing import CertificateTable, pem
from snpverify.verifier import _open_set

CA = authority("Milan")
CASE = good("Milan", version=3)
VCEK, OTHER = CA.vcek().der, CA.vcek(chip_id=bytes(range(64))).der
VLEK, ASK, ARK = CA.vlek().der, CA.ask_der, CA.ark_der
FOREIGN = CA.with_ask(basicConstraints=None).vcek().der
TEXT = b"subject=CN = SEV-VCEK\n"


def some(n: int) -> list[bytes]:
    """So many certificates in form, none of AMD's."""
    return [b"\x30\x06\x04\x04" + i.to_bytes(4, "big") for i in range(n)]


def many_pem(n: int) -> bytes:
    return b"".join(map(pem, some(n)))


BLOBS = [
    VCEK, VLEK, ASK, ARK, OTHER, FOREIGN, VCEK + b"\0", VCEK[:-1], b"", b"0", b"-", b"\0", bytes(24), b"\x30\x00", b"x" * 50,
    pem(VCEK), pem(VCEK) + pem(ASK) + pem(ARK), pem(ASK) + pem(VCEK) + pem(ASK), TEXT + pem(VCEK), b"0" + TEXT + pem(VCEK),
    TEXT + b"\0" + pem(VCEK), pem(VCEK) + b"\0", pem(VCEK).replace(b"\n", b"\r\n"), b"\n" + pem(VCEK), pem(VCEK)[:-1], pem(VCEK)[:200],
    pem(VCEK)[:200] + pem(OTHER), pem(OTHER) + pem(VCEK)[200:], pem(VCEK) + b"----", b"-----BEGIN " + pem(VCEK), b"-" + pem(VCEK),
    b"-----BEGIN -----BEGIN " + pem(ASK), pem(VCEK).replace(b"CERTIFICATE", b"X509 CRL") + pem(OTHER), b"-----BEGIN ",
    VCEK + pem(VCEK), b"\x30" + pem(VCEK), b"-----BEGIN" + pem(VCEK), VCEK.replace(b"Engineering", b"-----BEGIN "),
    many_pem(15), many_pem(16), many_pem(17), many_pem(40), pem(VCEK) * 16, pem(VCEK) * 17, pem(VCEK)[:200] + many_pem(17),
    pem(VCEK)[:200] + many_pem(16), CertificateTable.of(vcek=VCEK, ask=ASK, ark=ARK).build(), CertificateTable.of(vcek=VCEK).build()[:-9],
    b"\n" * _lib.BLOB_MAX_BYTES, pem(VCEK).ljust(_lib.BLOB_MAX_BYTES, b"\n"), pem(VCEK).ljust(_lib.BLOB_MAX_BYTES + 1, b"\n"),
    VCEK.ljust(_lib.BLOB_MAX_BYTES + 1, b"\n"), b"-" * 3000, b"-----BEGIN " * 300,
]  # fmt: skip


@lru_cache(maxsize=1)
def verifier() -> Verifier:
    return Verifier(roots=CA.roots)


def parts(sets: list[LeafSet]) -> list[tuple[bytes, bytes]]:
    return [(leaves.leaves, leaves.error) for leaves in sets]


def step_by_step(cells: list[tuple[bytes, ...]]) -> list[tuple[bytes, bytes]]:
    opened = [_open_set(cell, one_cell=True) for cell in cells]
    return parts(_lib.link_sets(verifier()._trust, opened, verifier()._runner))


def in_one_call(cells: list[tuple[bytes, ...]]) -> list[tuple[bytes, bytes]]:
    return parts(_lib.link_cells(verifier()._trust, cells, verifier()._runner))


@pytest.mark.parametrize("number", range(len(BLOBS)))
def test_one_blob(number: int) -> None:
    cells = [(BLOBS[number],)]
    assert in_one_call(cells) == step_by_step(cells)


def test_blobs_give_something_of_every_kind() -> None:
    """The comparison above is of leaves found, of errors with leaves, of errors without, and of nothing at all."""
    found = in_one_call([(blob,) for blob in BLOBS])
    kinds = {(bool(leaves), error == _lib._NOTHING_WRONG) for leaves, error in found}
    assert kinds == {(a, b) for a in (False, True) for b in (False, True)}


def test_sets_of_several_blobs() -> None:
    """In any order and beside any others; also when there is room for a few sets at a time only."""
    rng = random.Random("cells")
    small = [blob for blob in BLOBS if len(blob) < 100_000]
    for turn in range(12):
        cells = [tuple(rng.choice(small) for _ in range(rng.randrange(_lib.SET_MAX_BLOBS + 1))) for _ in range(60)]
        cells += [(many_pem(16),)] * (40 if turn % 2 else 0)
        cells += [tuple(b"".join(map(pem, some(64)[k : k + 16])) for k in range(0, 64, 16))] * (turn % 3)
        rng.shuffle(cells)
        assert in_one_call(cells) == step_by_step(cells)
    assert in_one_call([()]) == step_by_step([()])
    assert in_one_call([]) == []


def test_a_set_as_a_struct() -> None:
    """What single reports are judged by: the same leaves, and it holds what it points to."""
    for leaf_set in _lib.link_cells(verifier()._trust, [(blob,) for blob in BLOBS[:20]], verifier()._runner):
        c, _ = held = leaf_set.held()
        assert leaf_set.held() is held
        size = c[0].num_leaves * _lib._LEAF_SIZE
        assert bytes(_lib.ffi.buffer(c[0].leaves, size)) == leaf_set.leaves
        assert bytes(_lib.ffi.buffer(_lib.ffi.addressof(c[0], "error"))) == leaf_set.error
        assert [leaf_set.leaf(i).sha256 for i in range(c[0].num_leaves)] == [
            leaf_set.hashes(i) for i in range(c[0].num_leaves)
        ]


def test_many_large_cells() -> None:
    """More bytes than go into one call."""
    large = [pem(VCEK).ljust(_lib.BLOB_MAX_BYTES - k, b"\n") for k in range(20)]
    found = in_one_call([(blob,) for blob in large])
    assert len(found) == 20
    assert set(found) == {step_by_step([(VCEK,)])[0]}


def test_more_blobs_than_a_cell_may_have() -> None:
    blobs = (*[VCEK] * _lib.SET_MAX_BLOBS, ASK)
    with pytest.raises(ValueError, match="too many blobs"):
        in_one_call([blobs])
    results = verifier().verify_batch([CASE.report], certs=[blobs, [VCEK]], certs_index=[0], at=NOW)
    assert list(results.accepted) == [True]


DAMAGED = st.tuples(
    st.sampled_from([pem(VCEK) + pem(ASK), VCEK, TEXT + pem(OTHER), CertificateTable.of(vcek=VCEK).build()]),
    st.integers(0),
    st.integers(0, 255),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(DAMAGED, min_size=1, max_size=5))
def test_damaged_blobs(damage: list[tuple[bytes, int, int]]) -> None:
    cells = []
    for blob, at, value in damage:
        data = bytearray(blob[:8000])
        data[at % len(data)] = value
        cells.append((bytes(data),))
    assert in_one_call(cells) == step_by_step(cells)
