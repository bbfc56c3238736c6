# SPDX-License-Identifier: Apache-2.0
"""SHA-256, SHA-384 and SHA-512 of the core against hashlib."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest
import sigvectors as vectors
from hypothesis import given
from hypothesis import strategies as st

from attestcore import _lib

HASHES: dict[str, Callable[[bytes], bytes]] = {"sha256": _lib.sha256, "sha384": _lib.sha384, "sha512": _lib.sha512}
EACH = pytest.mark.parametrize("name", HASHES)


@EACH
def test_every_length_around_the_blocks(name: str) -> None:
    messages = list(vectors.hash_messages())
    assert {len(m) for m in messages} >= set(range(260))
    for message in messages:
        assert HASHES[name](message) == hashlib.new(name, message).digest(), len(message)


@EACH
def test_a_long_message(name: str) -> None:
    message = random.Random(1).randbytes(3_000_001)
    assert HASHES[name](message) == hashlib.new(name, message).digest()
    assert HASHES[name](bytearray(message)) == HASHES[name](memoryview(message)) == HASHES[name](message)


@EACH
@given(message=st.binary(max_size=600))
def test_any_message(name: str, message: bytes) -> None:
    assert HASHES[name](message) == hashlib.new(name, message).digest()


@EACH
def test_any_alignment(name: str) -> None:
    buffer = random.Random(2).randbytes(400)
    for start in range(9):
        part = memoryview(buffer)[start : start + 300]
        assert HASHES[name](part) == hashlib.new(name, part).digest()
