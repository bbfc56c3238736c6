# SPDX-License-Identifier: Apache-2.0
"""A hypothesis strategy that damages bytes: any bytes, DER, and layouts whose fields it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from hypothesis import assume
from hypothesis import strategies as st

from . import der

#: Offset and size of the fields that are in some bytes; none if it is not that layout.
Fields: TypeAlias = Callable[[bytes], Sequence[tuple[int, int]]]

_EDGES: Final = (0, 1, 0x7F, 0x80, 0xFF, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)


@st.composite
def mutations(
    draw: st.DrawFn, of: bytes | st.SearchStrategy[bytes], *, max_changes: int = 3, fields: Fields | None = None
) -> bytes:
    """Damaged copies, never equal to the original: flipped bits, set bytes, truncations, extensions, slices cut out,
    doubled or moved, words at the edges of their range, DER lengths that lie, and two fields, or two neighbours in
    DER, that change places."""
    original = of if isinstance(of, bytes) else draw(of)
    data = original
    for _ in range(draw(st.integers(1, max_changes))):
        mutator = draw(st.sampled_from(_MUTATORS))
        of_fields = fields if mutator is _swap_elements else None
        data = _swap_fields(draw, data, of_fields) if of_fields else mutator(draw, data)
    assume(data != original)
    return data


def _position(draw: st.DrawFn, data: bytes) -> int:
    return draw(st.integers(0, len(data) - 1))


def _flip(draw: st.DrawFn, data: bytes) -> bytes:
    if not data:
        return b"\x01"
    at = _position(draw, data)
    return data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]


def _set_byte(draw: st.DrawFn, data: bytes) -> bytes:
    if not data:
        return b"\xff"
    at = _position(draw, data)
    return data[:at] + bytes([draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF)))]) + data[at + 1 :]


def _truncate(draw: st.DrawFn, data: bytes) -> bytes:
    return data[: draw(st.integers(0, max(0, len(data) - 1)))]


def _extend(draw: st.DrawFn, data: bytes) -> bytes:
    return data + draw(st.binary(min_size=1, max_size=64))


def _slice(draw: st.DrawFn, data: bytes) -> tuple[int, int]:
    start = draw(st.integers(0, len(data)))
    return start, draw(st.integers(start, len(data)))


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    start, end = _slice(draw, data)
    return data[:start] + data[end:]


def _double(draw: st.DrawFn, data: bytes) -> bytes:
    start, end = _slice(draw, data)
    return data[:end] + data[start:end] + data[end:] if len(data) < 1 << 16 else data


def _move(draw: st.DrawFn, data: bytes) -> bytes:
    start, end = _slice(draw, data)
    rest = data[:start] + data[end:]
    at = draw(st.integers(0, len(rest)))
    return rest[:at] + data[start:end] + rest[at:]


def _edge_word(draw: st.DrawFn, data: bytes) -> bytes:
    if len(data) < 4:
        return _flip(draw, data)
    at = draw(st.integers(0, len(data) // 4 - 1)) * 4
    order = draw(st.sampled_from(("little", "big")))
    word = draw(st.sampled_from(_EDGES)).to_bytes(4, "big")
    return data[:at] + (word if order == "big" else word[::-1]) + data[at + 4 :]


def _lying_length(draw: st.DrawFn, data: bytes) -> bytes:
    """One DER length changed, and none of those around it."""
    try:
        nodes = tuple(der.read(data).walk())
    except ValueError:
        return _edge_word(draw, data)
    node = draw(st.sampled_from(nodes))
    size = draw(
        st.sampled_from((0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 2**31, 2**32 - 1, max(0, node.size - 1), node.size + 1))
    )
    form: der.LengthForm = draw(st.sampled_from(("minimal", "long", "indefinite")))
    return data[: node.start + 1] + der.length(size, form=form) + data[node.start + node.header :]


def _swap_elements(draw: st.DrawFn, data: bytes) -> bytes:
    """Two neighbours in DER in each other's place."""
    try:
        parents = [node for node in der.read(data).walk() if len(node.children()) > 1]
    except ValueError:
        parents = []
    if not parents:
        return _move(draw, data)
    children = draw(st.sampled_from(parents)).children()
    at = draw(st.integers(0, len(children) - 2))
    first, second = children[at], children[at + 1]
    return data[: first.start] + second.encoded + first.encoded + data[second.end :]


def _swap_fields(draw: st.DrawFn, data: bytes, fields: Fields) -> bytes:
    """Two fields of one size in each other's place."""
    places = fields(data)
    sizes = sorted({size for _, size in places if [s for _, s in places].count(size) > 1})
    if not sizes:
        return _swap_elements(draw, data)
    size = draw(st.sampled_from(sizes))
    offsets = [at for at, other in places if other == size]
    a, b = (draw(st.sampled_from(offsets)) for _ in range(2))
    out = bytearray(data)
    out[a : a + size], out[b : b + size] = data[b : b + size], data[a : a + size]
    return bytes(out)


_MUTATORS: Final = (
    _flip, _set_byte, _truncate, _extend, _cut, _double, _move, _edge_word, _lying_length, _swap_elements,
)  # fmt: skip

__all__ = ["Fields", "mutations"]
