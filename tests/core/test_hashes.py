# SPDX-License-Identifier: Apache-2.0
"""SHA-256, SHA-384 and SHA-512 of the core against hashlib: what the module chose, and each way of hashing by itself.

tests/c/sha_hook.c makes the ways callable. It is built twice: with vector instructions, where the CPU has them, and with the same
operations in plain C, so that the lanes are tested everywhere.
"""

from __future__ import annotations

import ctypes
import hashlib
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
import sigvectors as vectors
from hypothesis import given
from hypothesis import strategies as st

from attestcore import _lib, engines

CSRC: Final = Path(__file__).resolve().parents[2] / "csrc"
HOOK: Final = Path(__file__).resolve().parents[1] / "c" / "sha_hook.c"

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


# ---- many messages side by side ------------------------------------------------------------------------------------------

ONE, AVX512X8, AVX2X4 = -1, 0, 1
LANES: Final = {ONE: 1, AVX512X8: 8, AVX2X4: 4}
# Around the ends of a block: where the length no longer fits, and where a block is full; and what a report has.
LENGTHS: Final = [*range(260), 367, 368, 383, 384, 385, 511, 512, 513, 671, 672, 673, 1184]


class Hook:
    """The ways of hashing, each called by its number."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.lib = library
        library.hook_start()

    def usable(self, way: int) -> bool:
        return bool(self.lib.hook_usable(way))

    def many(self, way: int, messages: Sequence[bytes], function: str = "hook_sha384_many") -> list[bytes]:
        """Digests of messages of one length, which lie in a buffer that ends with the last of them."""
        size, n = len(messages[0]), len(messages)
        data = ctypes.create_string_buffer(b"".join(messages), size * n)
        out = ctypes.create_string_buffer(b"\xee" * (48 * n + 48), 48 * n + 48)
        count = ctypes.c_uint64(n) if function == "hook_sha384_many" else ctypes.c_uint32(n)
        getattr(self.lib, function)(way, data, ctypes.c_uint64(size), ctypes.c_uint64(size), count, out)
        assert out.raw[48 * n :] == b"\xee" * 48, "written behind the last digest"
        return [out.raw[48 * i : 48 * i + 48] for i in range(n)]


@pytest.fixture(scope="module", params=["native", "emulated"])
def hook(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Hook:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc)")
    out = tmp_path_factory.mktemp("sha") / f"{request.param}.so"
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{CSRC}"]
    flags += ["-DATT_LANES_EMULATED"] if request.param == "emulated" else []
    sources = [HOOK, *(CSRC / name for name in ("cpu.c", "sha2_avx512x8.c", "sha2_avx2x4.c", "sha2_shani.c"))]
    subprocess.run([compiler, *flags, *map(str, sources), "-o", str(out)], check=True)
    return Hook(ctypes.CDLL(str(out)))


@pytest.fixture(params=LANES, ids=["one", "avx512x8", "avx2x4"])
def way(request: pytest.FixtureRequest, hook: Hook) -> int:
    number = int(request.param)
    assert hook.lib.hook_lanes(number) == LANES[number]
    if not hook.usable(number):
        pytest.skip("this CPU has not the instructions")
    return number


def test_many_of_every_length(hook: Hook, way: int) -> None:
    rng = random.Random(f"many {way}")
    for length in LENGTHS:
        messages = [rng.randbytes(length) for _ in range(LANES[way] + 3)]
        assert hook.many(way, messages) == [hashlib.sha384(message).digest() for message in messages], length


def test_many_of_every_number(hook: Hook, way: int) -> None:
    """Whole groups, started ones, and a last message alone."""
    rng = random.Random(f"numbers {way}")
    for n in range(1, 26):
        messages = [rng.randbytes(672) for _ in range(n)]
        assert hook.many(way, messages) == [hashlib.sha384(message).digest() for message in messages], n


def test_no_lane_touches_another(hook: Hook, way: int) -> None:
    """A message changed at any place changes its own digest alone; and a message at any place has the digest it has by itself."""
    if way == ONE:
        pytest.skip("one message has no neighbour")
    lanes, rng = LANES[way], random.Random(f"lanes {way}")
    base = [rng.randbytes(300) for _ in range(lanes)]
    digests = hook.many(way, base)
    for lane in range(lanes):
        for byte in (0, 7, 8, 63, 64, 127, 128, 255, 256, 299):
            changed = list(base)
            changed[lane] = base[lane][:byte] + bytes([base[lane][byte] ^ 0x80]) + base[lane][byte + 1 :]
            found = hook.many(way, changed)
            assert found[lane] == hashlib.sha384(changed[lane]).digest()
            assert [*found[:lane], *found[lane + 1 :]] == [*digests[:lane], *digests[lane + 1 :]]


def test_groups_with_empty_lanes(hook: Hook, way: int) -> None:
    if way == ONE:
        pytest.skip("there is one lane")
    rng = random.Random(f"groups {way}")
    for num in range(1, LANES[way] + 1):
        messages = [rng.randbytes(129) for _ in range(num)]
        found = hook.many(way, messages, "hook_sha384_group")
        assert found == [hashlib.sha384(message).digest() for message in messages]


def test_the_self_test_of_the_lanes(hook: Hook, way: int) -> None:
    if way == ONE:
        pytest.skip("it has known answers of its own")
    assert hook.lib.hook_ok(way) == 1


def test_sha_instructions(hook: Hook) -> None:
    """The rounds of SHA-256 from any state, over any number of blocks, as in plain C."""
    if not hook.lib.hook_shani_usable():
        pytest.skip("this CPU has not the instructions, or they are not what is built here")
    rng = random.Random("sha_ni")
    for blocks in (0, 1, 2, 3, 11):
        for _ in range(20):
            state, data = [rng.getrandbits(32) for _ in range(8)], rng.randbytes(64 * blocks)
            results = []
            for shani in (0, 1):
                words = (ctypes.c_uint32 * 8)(*state)
                hook.lib.hook_blocks256(shani, words, data, ctypes.c_uint64(blocks))
                results.append(list(words))
            assert results[0] == results[1]
            assert (results[0] == state) == (blocks == 0)


def test_the_module_takes_the_best() -> None:
    features = set(engines.cpu_features().split())
    lanes = "avx512x8" if {"avx512f", "avx512bw"} <= features else "avx2x4" if "avx2" in features else "portable"
    rounds = "sha_ni" if {"sha_ni", "sse4_1"} <= features else "portable"
    assert engines.hash_code() == f"sha256 {rounds}, sha384 {lanes}"
