"""The house of the contract tests of search, one for each engine that can run here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.rights import wiring as rights_wiring
from cuemark.contexts.search import wiring
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.rights import Rights
from cuemark.contracts.search import Search
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.contract.search.house import House
from tests.databases import opened

Engine = Callable[
    [Database, Log, ManualClock, Catalog, Rights], tuple[Search, Callable[[], Awaitable[None]]]
]


def in_postgresql(
    database: Database, log: Log, clock: ManualClock, catalog: Catalog, rights: Rights
) -> tuple[Search, Callable[[], Awaitable[None]]]:
    room = wiring.build(database, log, clock, catalog, rights)
    indexer = wiring.Indexer(database, catalog, clock)
    (follower,) = room.followers

    async def settle() -> None:
        await follower.catch_up()
        while await indexer.work():
            pass

    return room.service, settle


ENGINES: Mapping[str, Engine] = {"postgresql": in_postgresql}


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
async def house(reach: Reach, database_url: str, engine: Engine) -> AsyncIterator[House]:
    async with opened(database_url, catalog_wiring, rights_wiring, wiring) as database:
        yield await housed(reach, database, engine)


async def housed(reach: Reach, database: Database, engine: Engine) -> House:
    clock = ManualClock()
    log = Log(clock)
    catalog = catalog_wiring.build(database, log, clock, Ids(clock))
    rights = rights_wiring.build(database, log, clock, rights_wiring.Terms())
    service, settle = engine(database, log, clock, catalog.service, rights.service)
    (view,) = catalog.followers

    async def all_settle() -> None:
        await view.catch_up()
        await settle()

    search = await reach(Search, service)
    return House(
        search,
        catalog.service,
        rights.service,
        database,
        log,
        clock,
        all_settle,
        view.catch_up,
    )
