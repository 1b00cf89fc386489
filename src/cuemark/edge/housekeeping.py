"""What an agent does for its store once a second: learn of uses, write the inventory down."""

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path

import structlog

from cuemark.edge.access_log import PIECE_BYTES, AccessLog
from cuemark.edge.in_step import InStep
from cuemark.edge.ledger import Ledger
from cuemark.edge.store import Store
from cuemark.edge.uses import HOUR_S, InHour, told, used
from cuemark.kit.clock import Clock

EVERY_S = 1.0
BEHIND_EVERY_S = 0.05
COUNT_EVERY_S = 5.0
SHELF_PAUSE_S = 0.01
GO_THROUGH_EVERY_S = 6 * 3600.0


class Housekeeping:
    """Keeps the books of ``store``, whose nginx logs into ``folder``: uses, and what was served."""

    def __init__(self, folder: Path, store: Store, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._log = AccessLog(folder / "logs" / "access.jsonl", ledger.mark)
        self._served: Counter[InHour] = Counter()
        self._counted_s = clock.monotonic_s()
        self._in_step = InStep()

    @property
    def skipped_bytes(self) -> int:
        """Of the access log, since the agent started: what they tell was not counted."""
        return self._log.skipped_bytes

    async def keep_books(self) -> None:
        """For ever."""
        try:
            while True:
                behind_bytes = self._log.behind_bytes
                await asyncio.sleep(BEHIND_EVERY_S if behind_bytes > PIECE_BYTES else EVERY_S)
                await self._read()
                await self._store.write_down()
        finally:
            self._log.close()

    async def _read(self) -> None:
        try:
            hits = await asyncio.to_thread(self._read_log)
            trouble = ""
        except (OSError, sqlite3.Error) as error:
            hits, trouble = Counter(), str(error)
        for blake3, times in hits.items():
            self._store.use(blake3, times)
        self._in_step.note("access_log", trouble)
        behind_bytes = self._log.behind_bytes
        late = f"{behind_bytes} bytes wait to be read" if behind_bytes > 2 * PIECE_BYTES else ""
        self._in_step.note("access_log_read", late)

    def _read_log(self) -> Counter[str]:
        """What was hit since the last call. What was served is written down every few seconds,
        with how far the log was read, so that a kill counts nothing twice."""
        found = told(self._log.read())
        self._served += found.served
        if self._clock.monotonic_s() - self._counted_s >= COUNT_EVERY_S:
            now_hour = int(self._clock.now().timestamp()) // HOUR_S
            self._ledger.add(self._served, self._log.mark, now_hour)
            self._served = Counter()
            self._counted_s = self._clock.monotonic_s()
        return used(found.hits, self._store)

    async def go_through(self) -> None:
        """For ever, now and then: set right where the inventory and the shelves differ."""
        while True:
            try:
                missing, strange = await self._store.go_through(SHELF_PAUSE_S)
            except OSError as error:
                structlog.get_logger().error("store_not_gone_through", error=str(error))
            else:
                structlog.get_logger().info("store_gone_through", missing=missing, strange=strange)
            await asyncio.sleep(GO_THROUGH_EVERY_S)
