"""Keys in a real PostgreSQL: many callers at once, and what the tables give away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from cuemark.contexts.licensing import wiring
from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import Licensing, ProvisionKeys
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from tests.databases import opened
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

FILM = VersionId("ver_film")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring) as database:
        yield database


def build(database: Database, master_key: bytes = bytes(32)) -> Licensing:
    return wiring.build(
        database=database,
        clock=ManualClock(),
        rights=Notary(ManualClock()),
        catalog=Films(ManualClock()),
        vault=vault_of(master_key),
    ).service


async def test_workers_that_ask_at_once_get_the_same_keys(database: Database) -> None:
    licensing = build(database)
    answers = await asyncio.gather(
        *(
            licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=labels))
            for labels in (["SD", "HD", "AUDIO"], ["AUDIO", "HD", "SD"]) * 20
        )
    )
    assert all(answer == answers[0] for answer in answers)
    async with database.transaction() as transaction:
        stored = await transaction.execute(text("select count(*) from licensing.content_key"))
        assert stored.scalar_one() == 3


async def test_the_tables_hold_no_key_in_the_clear(database: Database) -> None:
    made = await build(database).provision_keys(ProvisionKeys(version_id=FILM, labels=["SD"]))
    async with database.transaction() as transaction:
        row = (await transaction.execute(text("select * from licensing.content_key"))).one()
    assert made.keys[0].key not in "".join(
        part.hex() if isinstance(part, bytes) else str(part) for part in row
    )


async def test_another_master_key_is_named_as_the_cause(database: Database) -> None:
    await build(database).provision_keys(ProvisionKeys(version_id=FILM, labels=["SD"]))
    with pytest.raises(Unavailable, match="put back the one that this database was made with"):
        await build(database, b"x" * 32).provision_keys(
            ProvisionKeys(version_id=FILM, labels=["SD"])
        )


async def test_a_database_that_is_away_is_unavailable() -> None:
    away = Database("postgresql+psycopg://cuemark@/none?host=/nowhere")
    with pytest.raises(Unavailable):
        await build(away).provision_keys(ProvisionKeys(version_id=FILM, labels=["SD"]))
    await away.close()
