"""The house of the catalog's contract tests."""

from collections.abc import AsyncIterator

import pytest

from cuemark.contexts.catalog import wiring
from cuemark.contracts.catalog import Catalog
from cuemark.kit.clock import ManualClock
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.contract.catalog.house import House
from tests.contract.conftest import Reach
from tests.databases import opened


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring) as database:
        clock = ManualClock()
        log = Log(clock)
        room = wiring.build(database, log, clock, Ids(clock))
        (view,) = room.followers
        yield House(await reach(Catalog, room.service), view, database, log, clock)
