"""The beats of a worker: that it lives, what it has in hand, and what it learns by them."""

import asyncio
import contextlib
import os
import platform

import structlog
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.encoding.service.ledger import Ledger
from cuemark.contexts.encoding.store.workers import WorkerRow
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.kit.clock import Clock
from cuemark.kit.errors import Unavailable
from cuemark.kit.event_loop import EventLoopThread

LEAVES_S = 1.0
BUSY_BEAT_S, IDLE_BEAT_S = 0.5, 2.0
"""How often a worker is heard; a busy one also hears so that its task is not wanted any more."""


class Beating:
    """Beats for a worker from its main thread, so that one which hangs there is silent too.

    ``ledger`` has a connection of its own: a beat does not wait for those that the walks share.
    """

    def __init__(
        self, ledger: Ledger, loop: EventLoopThread, clock: Clock, hand: Hand, worker: WorkerRow
    ) -> None:
        self._ledger = ledger
        self._loop = loop
        self._clock = clock
        self._hand = hand
        self._worker = worker
        self._beat_s: float | None = None

    def beat(self) -> None:
        """Beat where it is time to; raises ``Unavailable`` where the database is away.

        A worker that had been declared lost ends at once: others have begun what it had in hand,
        and of all its threads none is to go on with what is theirs now.
        """
        in_hand, now_s = self._hand.now(), self._clock.monotonic_s()
        interval_s = IDLE_BEAT_S if in_hand is None else BUSY_BEAT_S
        if self._beat_s is not None and now_s - self._beat_s < interval_s:
            return
        heard = self._loop.run(self._ledger.beat(self._worker, in_hand))
        self._beat_s = now_s
        if heard.lost:
            structlog.get_logger().warning("worker_was_lost", executor_id=self._worker.executor_id)
            os._exit(os.EX_TEMPFAIL)
        if in_hand is not None and not heard.wanted:
            self._hand.drop(in_hand.version_id)

    def open_jobs(self) -> bool:
        """Whether anything is being made, or waits to be; raises as ``beat`` does."""
        return self._loop.run(self._ledger.has_open_jobs())

    def leave(self) -> None:
        """Give back what is in hand, where the database can take that within ``LEAVES_S``."""
        with contextlib.suppress(Unavailable, DBAPIError, TimeoutError):
            self._loop.run(self._left())

    async def _left(self) -> None:
        async with asyncio.timeout(LEAVES_S):
            await self._ledger.leave(self._worker.executor_id)


def worker_of(executor_id: str, host: str = "") -> WorkerRow:
    """This process as a worker; its host is this machine where it has no other name.

    The slot is the number at the end of the worker's name, 0 where there is none.
    """
    _, _, number = executor_id.rpartition("-")
    return WorkerRow(
        executor_id=executor_id,
        host=host or platform.node(),
        slot=int(number) if number.isdecimal() else 0,
        pid=os.getpid(),
    )
