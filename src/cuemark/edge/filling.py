"""The miss path at work: runs the table's actions on the origin, the disk and the readers."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog

from cuemark.edge.cache import (
    Action,
    Fail,
    Fetch,
    FillTable,
    Keep,
    Pause,
    Reason,
    Restart,
    Standing,
    Wake,
    Wrong,
)
from cuemark.edge.growing import FULL, FillFailed, Growing, Wanted
from cuemark.edge.neighbours import Neighbours
from cuemark.edge.sources import ORIGIN, Kind, Source
from cuemark.edge.store import Store
from cuemark.edge.upstream import SourceAway, SourceLacks
from cuemark.kit.clock import Clock

MISSING_S = 3.0
MOST_MISSING = 10_000
_SETUP_S = {Kind.PEER: 1.0, Kind.STORAGE: 5.0, Kind.ORIGIN: 15.0}
_LEAST_BYTES_S = {Kind.PEER: 1_000_000, Kind.STORAGE: 100_000, Kind.ORIGIN: 30_000}
"""How long a source may take for a file: a while, and as long as its bytes take at this rate."""


class TooManyFills(Exception):
    """The queue of fills is full."""


class Filler:
    """Fills from ``sources`` into ``store``, one fetch for each BLAKE3."""

    def __init__(self, table: FillTable, sources: Neighbours, store: Store, clock: Clock) -> None:
        self._table = table
        self._sources = sources
        self._ranks = sources.ranks
        self._store = store
        self._clock = clock
        self._growing: dict[str, Growing] = {}
        self._missing: OrderedDict[str, float] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self.filled_bytes = dict.fromkeys(Kind, 0)

    @property
    def urgent(self) -> int:
        """Fills that a viewer waits for."""
        return self._table.urgent

    def ask(self, wanted: Wanted, *, urgent: bool) -> tuple[Standing, Growing]:
        """The growing file of what is wanted, fetched from now on if it was not yet.

        Raises ``TooManyFills``, and ``FillFailed`` where the origin said just now that it lacks it.
        """
        key = wanted.file.blake3
        now_s = self._clock.monotonic_s()
        if now_s - self._missing.get(key, float("-inf")) < MISSING_S:
            raise FillFailed(Reason.MISSING)
        # Of hundreds who ask at once only the first needs to know whom to ask.
        sources = (ORIGIN,) if key in self._growing else self._ranks.rank(key, now_s)
        standing, actions = self._table.ask(
            key, wanted.file.size_bytes, urgent=urgent, sources=sources
        )
        if standing is Standing.REFUSED:
            raise TooManyFills
        if standing is Standing.LEADS:
            self._growing[key] = Growing(wanted, self._store.scratch(), now_s)
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
                case Restart():
                    self._begin_anew(action.key)
                case Wrong():
                    self._ranks.was_wrong(action.source, self._clock.monotonic_s())
                    structlog.get_logger().error(
                        "source_wrong",
                        source=action.source.name,
                        path=self._growing[action.key].wanted.key,
                    )
                case Keep():
                    self._ranks.was_right(self._growing[action.key].source)
                    self._growing[action.key].finish()
                    self._start(self._keep(action.key))
                case Fail():
                    self._fail(action)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch(self, action: Fetch) -> None:
        key, attempt, source = action.key, action.attempt, action.source
        growing = self._growing[key]
        growing.source = source
        if not action.offset and not self._ranks.may_ask(source, self._clock.monotonic_s()):
            self._run(self._table.lacking(key, attempt, Reason.AWAY))
            return
        actions: list[Action] = []
        try:
            self._make_room(key, growing)
            growing.prepare()
            async with asyncio.timeout(_patience_s(source, growing)):
                if await self._receive(action, growing):
                    actions = self._table.ended(key, attempt, growing.digest.hexdigest())
        except (SourceAway, TimeoutError) as error:
            self._ranks.was_away(source, self._clock.monotonic_s())
            if source.name:
                structlog.get_logger().info("source_away", source=source.name, reason=str(error))
            actions = self._table.broken(key, attempt)
        except SourceLacks:
            self._ranks.was_right(source)
            actions = self._table.lacking(key, attempt, Reason.MISSING)
        except OSError:
            actions = self._table.failed(key, attempt, Reason.LOCAL)
        self._run(actions)

    async def _receive(self, action: Fetch, growing: Growing) -> bool:
        """Write down what comes; False where the fill has no more use for this fetch."""
        path = growing.wanted.key
        async with aclosing(self._sources.stream(action.source, path, action.offset)) as pieces:
            async for piece in pieces:
                actions = self._table.received(action.key, action.attempt, len(piece))
                fill = self._table.get(action.key)
                if fill is None or fill.attempt != action.attempt:
                    self._run(actions)
                    return False
                growing.append(piece, partial(self._relieve, action.key))
                self.filled_bytes[action.source.kind] += len(piece)
                self._run(actions)
        return True

    def _begin_anew(self, key: str) -> None:
        """Drop the bytes so far. Readers who have seen any are cut off, the others wait on."""
        growing = self._growing[key]
        if not growing.begin_anew():
            self._growing[key] = Growing(growing.wanted, self._store.scratch(), growing.asked_s)
            growing.finish(Reason.RENEWED)
            growing.close()

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
            dropped = self._store.enter(key, wanted.file.size_bytes, wanted.track)
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
            source=growing.source.name or growing.source.kind.value,
            size_bytes=wanted.file.size_bytes,
            fill_s=round(self._clock.monotonic_s() - growing.asked_s, 3),
            dropped=len(dropped),
        )
        self._run(actions)

    def _fail(self, action: Fail) -> None:
        growing = self._growing.pop(action.key)
        if action.reason is Reason.MISSING:
            self._missing.pop(action.key, None)
            self._missing[action.key] = self._clock.monotonic_s()
            while len(self._missing) > MOST_MISSING:
                self._missing.popitem(last=False)
        growing.finish(action.reason)
        growing.close()
        structlog.get_logger().warning(
            "fill_failed",
            path=growing.wanted.key,
            reason=action.reason.value,
            received_bytes=growing.received_bytes,
        )


def _patience_s(source: Source, growing: Growing) -> float:
    size_bytes = growing.wanted.file.size_bytes
    return _SETUP_S[source.kind] + size_bytes / _LEAST_BYTES_S[source.kind]
