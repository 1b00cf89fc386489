"""The index while it is built: by whom, beside what, and through which deaths."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.rights import wiring as rights_wiring
from cuemark.contexts.search import wiring
from cuemark.contracts.catalog.exchange import ImportMetadata, WorkRow
from cuemark.contracts.catalog.metadata import Details, Text
from cuemark.contracts.catalog.works import (
    CreateWork,
    GetWork,
    RemoveWork,
    UndoWork,
    UnknownWork,
)
from cuemark.contracts.search import GetIndex, Index, Rebuild, SearchFor
from cuemark.kit.errors import Unavailable
from tests.contract.search.conftest import housed, in_postgresql
from tests.contract.search.house import House
from tests.databases import opened

MANY = 1000


async def as_object(contract: type, service: object, subject: str = "") -> object:
    return service


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, catalog_wiring, rights_wiring, wiring) as database:
        yield await housed(as_object, database, in_postgresql)  # type: ignore[arg-type]


async def bring_in(house: House, count: int, name: str) -> None:
    rows = [
        WorkRow(
            id=f"{name}{number}",
            kind="movie",
            details=Details(texts=[Text(language="en", name=f"{name} {number}")]),
        )
        for number in range(count)
    ]
    done = await house.catalog.import_metadata(ImportMetadata(works=rows))
    assert done.created == count


async def index_of(house: House) -> Index:
    return await house.search.get_index(GetIndex())


async def finds(house: House, said: str) -> int:
    found = await house.ask(said, seen_only=False, limit=200)
    return len(found.hits)


async def test_a_process_that_is_killed_in_mid_build_leaves_search_working_and_another_goes_on(
    house: House, database_url: str
) -> None:
    await bring_in(house, MANY, "Salt")
    await house.settle()
    before = await index_of(house)
    assert before.works == MANY
    await house.search.rebuild(Rebuild())
    argv = [sys.executable, "-m", "tests.integration.search.killed", database_url]
    with subprocess.Popen(argv) as process:
        async with asyncio.timeout(60):
            while not (state := await index_of(house)).built and state.building:
                assert await finds(house, "salt 17") > 0
        process.kill()
    killed = await index_of(house)
    assert (killed.number, killed.building) == (before.number, before.number + 1)
    assert 0 < killed.built < MANY
    assert await finds(house, "salt 17") > 0
    late = await house.title("Late Salt")
    await house.settle()
    after = await index_of(house)
    assert (after.number, after.building, after.waiting) == (before.number + 1, None, 0)
    assert after.works == MANY + 1
    found = await house.ask("late salt", seen_only=False)
    assert found.hits[0].hit_id == late


async def test_a_change_in_mid_build_is_in_both_indexes(house: House) -> None:
    await bring_in(house, 500, "Salt")
    await house.settle()
    indexer = wiring.Indexer(house.database, house.catalog, house.clock)
    await house.search.rebuild(Rebuild())
    assert await indexer.work()
    assert (await index_of(house)).built == 200
    await house.title("Pepper")
    follower = wiring.build(
        house.database, house.log, house.clock, house.catalog, house.rights
    ).followers[0]
    await follower.catch_up()
    assert await indexer.work()
    assert await finds(house, "pepper") == 1
    while await indexer.work():
        pass
    assert (await index_of(house)).works == 501
    assert await finds(house, "pepper") == 1


async def test_the_index_of_before_is_dropped_once_nobody_can_be_in_it(house: House) -> None:
    await house.title("Salt")
    await house.settle()
    await house.search.rebuild(Rebuild())
    await house.settle()
    assert await tables(house) == {"work_1", "work_2"}
    house.clock.advance(61)
    await house.title("Pepper")
    await house.settle()
    assert await tables(house) == {"work_2"}


async def tables(house: House) -> set[str]:
    async with house.database.transaction() as transaction:
        found = await transaction.execute(
            text(
                "select tablename from pg_tables where schemaname = 'search' "
                "and tablename like 'work\\_%'"
            )
        )
        return set(found.scalars())


async def test_two_indexers_build_one_index(house: House) -> None:
    await bring_in(house, 900, "Salt")
    indexers = [wiring.Indexer(house.database, house.catalog, house.clock) for _ in range(2)]

    async def build(indexer: wiring.Indexer) -> None:
        while (await index_of(house)).number == 0:
            await indexer.work()

    async with asyncio.timeout(60):
        await asyncio.gather(*map(build, indexers))
    state = await index_of(house)
    assert (state.number, state.works, state.building) == (1, 900, None)


async def test_before_the_first_index_is_whole_search_is_away(house: House) -> None:
    await house.title("Salt")
    with pytest.raises(Unavailable):
        await house.search.search(SearchFor(text="salt"))
    await house.settle()
    assert await house.names("salt") == ["Salt"]


async def test_a_work_that_was_removed_is_not_found_and_comes_back(house: House) -> None:
    details = Details(texts=[Text(language="en", name="Harbour Watch")])
    series = await house.catalog.create_work(CreateWork(kind="series", details=details))
    await house.settle()
    assert await finds(house, "harbour watch") == 1
    await house.catalog.remove_work(RemoveWork(work_id=series.work_id))
    await house.settle()
    assert await finds(house, "harbour watch") == 0
    assert (await index_of(house)).works == 0
    with pytest.raises(UnknownWork):
        await house.catalog.get_work(GetWork(work_id=series.work_id))
    await house.catalog.undo_work(UndoWork(work_id=series.work_id))
    await house.settle()
    assert await finds(house, "harbour watch") == 1


async def test_a_replayed_log_leaves_the_same_index(house: House) -> None:
    mara = await house.person("Mara Lindqvist")
    await house.title("Salt", cast=[mara], genres=["horror"])
    await house.series("Harbour Watch", "The Ferry")
    await house.settle()
    before = {word: await house.names(word) for word in ("salt", "lindqvist", "ferry", "harbour")}
    follower = wiring.build(
        house.database, house.log, house.clock, house.catalog, house.rights
    ).followers[0]
    await follower.rewind()
    await house.settle()
    after = {word: await house.names(word) for word in before}
    assert after == before
