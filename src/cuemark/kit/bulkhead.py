"""A bulkhead: slow work on threads of its own, with bounded room to wait for them.

What floods it fills its room and is turned away at once; the rest of the process never waits.
"""

import asyncio
import contextlib
import heapq
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any, TypeVar

from cuemark.kit import deadline
from cuemark.kit.errors import Unavailable

T = TypeVar("T")


class BulkheadFull(Exception):
    """As much work waits as there is room for."""


class Bulkhead:
    """Runs blocking work, ``running`` at a time with at most ``waiting`` more behind it.

    Work has a rank, 0 the first: what waits is begun in the order of ranks. Of the places,
    ``reserved[0]`` are for rank 0 alone, ``reserved[1]`` for ranks 0 and 1, and so on.
    """

    def __init__(
        self, name: str, *, running: int, waiting: int, reserved: Sequence[int] = ()
    ) -> None:
        self._threads = ThreadPoolExecutor(running, thread_name_prefix=name)
        self._room = running + waiting
        self._reserved = tuple(reserved)
        self._held = 0
        self._lock = threading.Lock()
        self._order = count()
        self._waiting: list[tuple[int, int, Callable[[], Any], Future[Any]]] = []

    @contextlib.contextmanager
    def place(self, rank: int = 0) -> Iterator["Place"]:
        """A place inside; ``BulkheadFull`` at once where there is none.

        Take it before what leads up to the slow work, so that a flood does not cost that either.
        A caller who goes away frees the place only once the thread is done with the work.
        """
        with self._lock:
            if self._held >= self._room - sum(self._reserved[:rank]):
                raise BulkheadFull
            self._held += 1
        place = Place(self, rank)
        try:
            yield place
        finally:
            place.when_done(self._leave)

    def submit(self, rank: int, work: Callable[[], T]) -> "Future[T]":
        """Have ``work`` done by a thread, in the order of ranks."""
        future: Future[T] = Future()
        with self._lock:
            heapq.heappush(self._waiting, (rank, next(self._order), work, future))
        self._threads.submit(self._take)
        return future

    def _take(self) -> None:
        with self._lock:
            _, _, work, future = heapq.heappop(self._waiting)
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is the caller's, who awaits the future
            future.set_exception(error)

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, in a place taken for it alone."""
        with self.place() as place:
            return await place.run(work)

    def _leave(self) -> None:
        with self._lock:
            self._held -= 1


class Place:
    """Room for one piece of work in a bulkhead."""

    def __init__(self, bulkhead: Bulkhead, rank: int) -> None:
        self._bulkhead = bulkhead
        self._rank = rank
        self._work: Future[Any] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, called on a thread when its turn comes.

        Work whose caller's deadline passes before its turn is not begun: ``Unavailable``.
        """
        now_s = asyncio.get_running_loop().time
        give_up_s = now_s() + deadline.remaining_s(3600)

        def in_turn() -> T:
            if now_s() >= give_up_s:
                raise Unavailable("the caller's time was over before its turn came")
            return work()

        future = self._bulkhead.submit(self._rank, in_turn)
        self._work = future
        return await asyncio.wrap_future(future)

    def when_done(self, leave: Callable[[], None]) -> None:
        """Call ``leave`` once no thread works for this place: now, or when its work ends."""
        if self._work is None:
            leave()
        else:
            self._work.add_done_callback(lambda _: leave())
