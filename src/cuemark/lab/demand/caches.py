"""Caches that learn from requests alone, to hold the plan against. Sizes in bytes."""

from collections import OrderedDict, deque
from typing import Protocol

SMALL = 0.1
"""S3-FIFO's part of the cache for what was asked for once."""
MOST = 3
"""S3-FIFO counts further requests up to this."""


class Cache(Protocol):
    """``get`` tells whether an object was there, and admits it as the cache sees fit."""

    def get(self, key: int, size_bytes: int) -> bool: ...


class Lru:
    """The one that was not asked for for the longest time goes first."""

    def __init__(self, capacity_bytes: int) -> None:
        self._free_bytes = capacity_bytes
        self._objects: OrderedDict[int, int] = OrderedDict()
        self._capacity_bytes = capacity_bytes

    def get(self, key: int, size_bytes: int) -> bool:
        if key in self._objects:
            self._objects.move_to_end(key)
            return True
        if size_bytes > self._capacity_bytes:
            return False
        while self._free_bytes < size_bytes:
            self._free_bytes += self._objects.popitem(last=False)[1]
        self._objects[key] = size_bytes
        self._free_bytes -= size_bytes
        return False


class S3Fifo:
    """Yang and others, "FIFO queues are all you need for cache eviction", SOSP 2023."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._small_bytes = int(capacity_bytes * SMALL)
        self._sizes: dict[int, int] = {}
        self._asked: dict[int, int] = {}
        self._small: deque[int] = deque()
        self._main: deque[int] = deque()
        self._in_small = self._in_main = self._in_ghost = 0
        self._ghost: OrderedDict[int, int] = OrderedDict()

    def get(self, key: int, size_bytes: int) -> bool:
        if key in self._sizes:
            self._asked[key] = min(self._asked[key] + 1, MOST)
            return True
        if size_bytes > self._small_bytes:
            return False
        while self._in_small + self._in_main + size_bytes > self._capacity_bytes:
            if self._in_small >= self._small_bytes or not self._main:
                self._leave_small()
            else:
                self._leave_main()
        self._sizes[key], self._asked[key] = size_bytes, 0
        if key in self._ghost:
            self._in_ghost -= self._ghost.pop(key)
            self._main.append(key)
            self._in_main += size_bytes
        else:
            self._small.append(key)
            self._in_small += size_bytes
        return False

    def _leave_small(self) -> None:
        key = self._small.popleft()
        size_bytes = self._sizes[key]
        self._in_small -= size_bytes
        if self._asked[key] > 1:
            self._asked[key] = 0
            self._main.append(key)
            self._in_main += size_bytes
            return
        del self._sizes[key], self._asked[key]
        self._ghost[key] = size_bytes
        self._in_ghost += size_bytes
        while self._in_ghost > self._capacity_bytes - self._small_bytes:
            self._in_ghost -= self._ghost.popitem(last=False)[1]

    def _leave_main(self) -> None:
        key = self._main.popleft()
        if self._asked[key]:
            self._asked[key] -= 1
            self._main.append(key)
            return
        self._in_main -= self._sizes.pop(key)
        del self._asked[key]
