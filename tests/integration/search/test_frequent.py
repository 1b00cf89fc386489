"""What very many have is found as well as what few have, though it is looked for in another way."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.rights import wiring as rights_wiring
from cuemark.contexts.search import store, wiring
from cuemark.contexts.search.model import entries
from cuemark.contexts.search.store import asking, frequent, writing
from cuemark.contracts.catalog.metadata import NameIn, Person
from cuemark.contracts.ids import PersonId
from cuemark.kit.database import Database
from tests.contract.search.conftest import housed, in_postgresql
from tests.contract.search.house import House
from tests.databases import opened
from tests.integration.search.test_indexing import as_object, bring_in

WORKS = 1100
PEOPLE = 2100
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, catalog_wiring, rights_wiring, wiring) as database:
        yield database


@pytest.fixture
async def house(database: Database) -> House:
    return await housed(as_object, database, in_postgresql)  # type: ignore[arg-type]


async def test_a_word_of_very_many_names_is_found_also_as_a_slip_and_beside_a_rare_one(
    house: House,
) -> None:
    assert frequent(WORKS) < WORKS
    await bring_in(house, WORKS, "Lantern")
    await house.settle()
    for said in ("lantern", "lan", "lantren"):
        found = await house.ask(said, seen_only=False, limit=200)
        assert len(found.hits) == 200, said
    last = f"Lantern {WORKS - 1}"
    found = await house.ask(last, seen_only=False)
    assert found.hits[0].name == last


async def test_a_person_whom_few_works_name_is_found_where_a_word_is_frequent_among_works(
    database: Database,
) -> None:
    people = [
        Person(person_id=PersonId(f"per_{at:05}"), names=[NameIn(language="en", name=f"Kim {at}")])
        for at in range(PEOPLE)
    ]
    last = Person(person_id=PersonId("per_last"), names=[NameIn(language="en", name="Kim Quill")])
    async with database.transaction() as transaction:
        number = await store.begin(transaction)
        names = [entries.person_entry(each) for each in (*people, last)]
        await writing.put_names(transaction, number, names)
        await store.finish(transaction, number, NOW)
    many = await asking.names(database, number, "'kim'", 20, popular=True)
    one = await asking.names(database, number, "'quill'", 20, popular=True)
    same = await asking.names(database, number, "'kim'", 20, popular=False)
    assert [each.name_id for each in many] == [f"per_{at:05}" for at in range(20)]
    assert [each.name_id for each in one] == ["per_last"]
    assert same == many
