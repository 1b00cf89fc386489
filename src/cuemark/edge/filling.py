"""The miss path at work: runs the table's actions on the origin, the disk and the readers."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog

from cuemark.edge.cache import Action, Fail, Fetch, FillTable, Keep, Pause, Reason, Standing, Wake
from cuemark.edge.growing import FULL, Growing, Wanted
from cuemark.edge.store import Store
from cuemark.edge.upstream import OriginAway, OriginRefused, Upstream
from cuemark.kit.clock import Clock


class TooManyFills(Exception):
    """The queue of fills is full."""


class Filler:
    """Fills from ``upstream`` into ``store``, one fetch for each BLAKE3."""

    def __init__(self, table: FillTable, upstream: Upstream, store: Store, clock: Clock) -> None:
        self._table = table
        self._upstream = upstream
        self._store = store
        self._clock = clock
        self._growing: dict[str, Growing] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def urgent(self) -> int:
        """Fills that a viewer waits for."""
        return self._table.urgent

    def ask(self, wanted: Wanted, *, urgent: bool) -> tuple[Standing, Growing]:
        """The growing file of what is wanted, fetched from now on if it was not yet.

        Raises ``TooManyFills``.
        """
        key = wanted.file.blake3
        standing, actions = self._table.ask(key, wanted.file.size_bytes, urgent=urgent)
        if standing is Standing.REFUSED:
            raise TooManyFills
        if standing is Standing.LEADS:
            self._growing[key] = Growing(wanted, self._store.scratch(), self._clock.monotonic_s())
        growing = self._growing[key]
        self._run(actions)
        return standing, growing

    async def close(self) -> None:
        """Give up all that is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for growing in self._growing.values():
            growing.finish(Reason.LOCAL)
            growing.close()
        self._growing.clear()

    def _run(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Fetch():
                    self._start(self._fetch(action))
                case Pause():
                    self._start(self._pause(action))
                case Wake():
                    self._growing[action.key].wake()
                case Keep():
                    self._growing[action.key].finish()
                    self._start(self._keep(action.key))
                case Fail():
                    self._fail(action)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch(self, action: Fetch) -> None:
        key, attempt = action.key, action.attempt
        growing = self._growing[key]
        try:
            self._make_room(key, growing)
            growing.prepare()
            async with aclosing(self._upstream.stream(growing.wanted.key, action.offset)) as pieces:
                async for piece in pieces:
                    actions = self._table.received(key, attempt, len(piece))
                    if self._table.get(key) is not None:
                        growing.append(piece, partial(self._relieve, key))
                    self._run(actions)
                    if self._table.get(key) is None:
                        return
            actions = self._table.ended(key, attempt, growing.digest.hexdigest())
        except OriginAway:
            actions = self._table.broken(key, attempt)
        except OriginRefused:
            actions = self._table.failed(key, attempt, Reason.MISSING)
        except OSError:
            actions = self._table.failed(key, attempt, Reason.LOCAL)
        self._run(actions)

    def _make_room(self, key: str, growing: Growing) -> None:
        """Drop the coldest where the disk lacks room for what a viewer waits for."""
        if self._viewer_waits(key):
            left_bytes = growing.wanted.file.size_bytes - growing.received_bytes
            if dropped := self._store.make_room(left_bytes):
                structlog.get_logger().info("room_made", dropped=len(dropped))

    def _relieve(self, key: str, size_bytes: int) -> bool:
        return self._viewer_waits(key) and self._store.relieve(size_bytes)

    def _viewer_waits(self, key: str) -> bool:
        fill = self._table.get(key)
        return fill is not None and fill.urgent

    async def _move_in(self, growing: Growing, key: str) -> None:
        """Put the file into the store; where the disk is full the coldest make room once."""
        try:
            await asyncio.to_thread(self._store.keep, growing.scratch, key)
        except OSError as error:
            size_bytes = growing.wanted.file.size_bytes
            if error.errno not in FULL or not self._relieve(key, size_bytes):
                raise
            await asyncio.to_thread(self._store.keep, growing.scratch, key)

    async def _pause(self, action: Pause) -> None:
        await asyncio.sleep(action.pause_s)
        self._run(self._table.resumed(action.key, action.attempt))

    async def _keep(self, key: str) -> None:
        growing = self._growing[key]
        wanted = growing.wanted
        dropped: list[str] = []
        try:
            await self._move_in(growing, key)
            dropped = self._store.enter(key, wanted.file.size_bytes)
            self._store.link(wanted.version_id, wanted.path, key)
        except OSError as error:
            structlog.get_logger().error("store_refused", path=wanted.key, error=str(error))
        finally:
            del self._growing[key]
            growing.close()
            actions = self._table.kept(key)
        structlog.get_logger().info(
            "filled",
            path=wanted.key,
            size_bytes=wanted.file.size_bytes,
            fill_s=round(self._clock.monotonic_s() - growing.asked_s, 3),
            dropped=len(dropped),
        )
        self._run(actions)

    def _fail(self, action: Fail) -> None:
        growing = self._growing.pop(action.key)
        growing.finish(action.reason)
        growing.close()
        structlog.get_logger().warning(
            "fill_failed",
            path=growing.wanted.key,
            reason=action.reason.value,
            received_bytes=growing.received_bytes,
        )
