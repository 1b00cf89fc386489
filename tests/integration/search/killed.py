"""Builds an index until it is killed: ``python -m tests.integration.search.killed URL``."""

import asyncio
import sys

from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.search.wiring import Indexer
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log


async def main(url: str) -> None:
    database, clock = Database(url), SystemClock()
    catalog = catalog_wiring.build(database, Log(clock), clock, Ids(clock))
    await Indexer(database, catalog.service, clock).keep_indexing()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
