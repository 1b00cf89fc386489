"""The pool of connections on a real PostgreSQL."""

import pytest

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
