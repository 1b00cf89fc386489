"""What an agent does for its store once a second: learn of uses, write the inventory down."""

import asyncio
from pathlib import Path

import structlog

from cuemark.edge.store import Store
from cuemark.edge.uses import AccessLog, used

EVERY_S = 1.0
SHELF_PAUSE_S = 0.01
GO_THROUGH_EVERY_S = 6 * 3600.0


class Housekeeping:
    """Keeps the books of ``store``, whose nginx logs into ``folder``."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._store = store
        self._log = AccessLog(folder / "logs" / "access.jsonl")

    async def keep_books(self) -> None:
        """For ever."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                try:
                    found = await asyncio.to_thread(used, self._log, self._store)
                except OSError as error:
                    structlog.get_logger().error("uses_not_read", error=str(error))
                else:
                    for blake3, times in found.items():
                        self._store.use(blake3, times)
                await self._store.write_down()
        finally:
            self._log.close()

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
