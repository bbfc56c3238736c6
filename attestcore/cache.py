"""A cache by content for verifiers: what was judged once is found again by its bytes, never by a name that evidence could choose."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Weighed(Protocol):
    """What can be kept: it knows how many bytes it accounts for."""

    @property
    def weight(self) -> int: ...


_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V", bound=Weighed)


class ContentCache(Generic[_K, _V]):
    """Values by key, bounded in bytes, least recently used first out; for any number of threads. Keys are compared whole."""

    __slots__ = ("_entries", "_lock", "_max", "_size")

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._size = 0
        self._entries: OrderedDict[_K, tuple[_V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _K) -> _V | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: _K, value: _V, key_bytes: int) -> None:
        """Keeps it, unless it alone is beyond the bound. key_bytes: what the key accounts for besides."""
        weight = value.weight + key_bytes + 256
        if weight > self._max:
            return
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = (value, weight)
            self._size += weight
            while self._size > self._max:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._size -= dropped

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes that the entries account for."""
        return self._size
