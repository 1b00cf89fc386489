"""The pool of connections on a real PostgreSQL."""

from pathlib import Path

import pytest
from sqlalchemy import text

from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable


async def test_who_waits_too_long_for_a_connection_finds_the_database_unavailable(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1, wait_s=0.05)
    async with database.transaction(), database.transaction():
        with pytest.raises(Unavailable):
            async with database.transaction():
                pytest.fail("the pool gave a third connection of two")
    async with database.transaction():
        pass
    await database.close()


async def test_a_database_that_is_away_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql+psycopg://cuemark@/cuemark?host={tmp_path}")
    with pytest.raises(Unavailable):
        async with database.transaction():
            pytest.fail("there is no database here")
    await database.close()


async def test_a_connection_that_dies_in_a_transaction_leaves_the_next_one_whole(
    database_url: str,
) -> None:
    database = Database(database_url)
    with pytest.raises(Unavailable):
        async with database.transaction() as transaction:
            await transaction.execute(text("select pg_terminate_backend(pg_backend_pid())"))
    async with database.transaction() as transaction:
        assert (await transaction.execute(text("select 1"))).scalar_one() == 1
    await database.close()
