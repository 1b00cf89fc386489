"""A bulkhead: slow work on threads of its own, with bounded room to wait for them.

What floods it fills its room and is turned away at once; the rest of the process never waits.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from cuemark.kit import deadline
from cuemark.kit.errors import Unavailable

T = TypeVar("T")


class BulkheadFull(Exception):
    """As much work waits as there is room for."""


class Bulkhead:
    """Runs blocking work, ``running`` at a time with at most ``waiting`` more behind it."""

    def __init__(self, name: str, *, running: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(running, thread_name_prefix=name)
        self._room = running + waiting
        self._held = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``; ``BulkheadFull`` at once where there is no room for it.

        Work whose caller's deadline passes before its turn is not begun: ``Unavailable``.
        """
        with self._lock:
            if self._held >= self._room:
                raise BulkheadFull
            self._held += 1
        give_up_s = asyncio.get_running_loop().time() + deadline.remaining_s(3600)
        now_s = asyncio.get_running_loop().time

        def in_turn() -> T:
            if now_s() >= give_up_s:
                raise Unavailable("the caller's time was over before its turn came")
            return work()

        future = self._threads.submit(in_turn)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[T]) -> None:
        with self._lock:
            self._held -= 1
