"""The pool of connections on a real PostgreSQL."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cuemark.kit.database import (
    TRIED_AFTER_S,
    Database,
    MigrationFailed,
    migrate_together,
    standing,
)
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


async def test_a_process_that_hangs_in_a_transaction_gives_up_its_locks(database_url: str) -> None:
    hanging, other = Database(database_url, idle_s=0.2), Database(database_url)
    take = text("select pg_advisory_xact_lock(7)")

    async def hang() -> None:
        async with hanging.transaction() as transaction:
            await transaction.execute(take)
            async with asyncio.timeout(10), other.transaction() as others:
                await others.execute(take)

    with pytest.raises(Unavailable):
        await hang()
    async with hanging.transaction() as transaction:
        assert (await transaction.execute(text("select 1"))).scalar_one() == 1
    await hanging.close()
    await other.close()


def revision(folder: Path, name: str, before: str | None, statement: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(
        "from alembic import op\n"
        f"revision, down_revision = {name!r}, {before!r}\n"
        f"def upgrade():\n    op.execute({statement!r})\n"
    )


def test_a_migration_that_fails_leaves_every_schema_as_it_was(
    database_url: str, tmp_path: Path
) -> None:
    lines = {name: tmp_path / name for name in ("first", "second")}
    for name, folder in lines.items():
        revision(folder, f"{name}_1", None, f"create table {name}.thing (name text)")
    migrate_together(database_url, lines)
    revision(lines["first"], "first_2", "first_1", "alter table first.thing add size bigint")
    revision(lines["second"], "second_2", "second_1", "alter table second.nothing add size bigint")
    with pytest.raises(MigrationFailed, match=r"schema second .* nothing was changed: .*nothing"):
        migrate_together(database_url, lines)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert standing(connection, lines) == {"first": "first_1", "second": "second_1"}
        found = connection.execute(text("select * from first.thing"))
        assert list(found.keys()) == ["name"]
    engine.dispose()


async def pid_of(database: Database) -> int:
    """Of the server's process at the other end of the connection that is lent next."""
    async with database.transaction() as transaction:
        return int((await transaction.execute(text("select pg_backend_pid()"))).scalar_one())


async def terminate(database: Database, pid: int) -> None:
    async with database.autocommit() as connection:
        await connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        gone = text("select count(*) from pg_stat_activity where pid = :pid")
        while (await connection.execute(gone, {"pid": pid})).scalar_one():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("idle_s", [0.0, TRIED_AFTER_S + 0.1])
async def test_a_connection_whose_server_went_away_while_it_lay_idle_is_replaced(
    database_url: str, idle_s: float
) -> None:
    database, other = Database(database_url, pool_size=1), Database(database_url)
    before = await pid_of(database)
    assert await pid_of(database) == before
    await terminate(other, before)
    await asyncio.sleep(idle_s)
    assert await pid_of(database) != before
    await database.close()
    await other.close()


async def test_no_request_is_lost_where_all_connections_were_cut_between_them(
    database_url: str,
) -> None:
    """As a restart of the server does."""
    database, other = Database(database_url, pool_size=4), Database(database_url)
    together = asyncio.Barrier(4)

    async def one() -> int:
        async with database.transaction() as transaction:
            await together.wait()
            return int((await transaction.execute(text("select pg_backend_pid()"))).scalar_one())

    before = set(await asyncio.gather(*(one() for _ in range(4))))
    assert len(before) == 4
    for pid in before:
        await terminate(other, pid)
    after = set(await asyncio.gather(*(one() for _ in range(4))))
    assert len(after) == 4
    assert not after & before
    await database.close()
    await other.close()


async def test_a_statement_of_its_own_is_durable_and_leaves_transactions_as_they_were(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    async with database.autocommit() as connection:
        await connection.execute(text("create table note (word text)"))
        await connection.execute(text("insert into note values ('kept')"))
    with contextlib.suppress(ZeroDivisionError):
        async with database.transaction() as transaction:
            await transaction.execute(text("insert into note values ('not kept')"))
            raise ZeroDivisionError
    async with database.autocommit() as connection:
        found = await connection.execute(text("select word from note"))
        assert list(found.scalars()) == ["kept"]
    await database.close()


async def test_a_statement_of_its_own_finds_a_database_that_is_away_unavailable(
    tmp_path: Path,
) -> None:
    database = Database(f"postgresql+psycopg://cuemark@/cuemark?host={tmp_path}")
    with pytest.raises(Unavailable):
        async with database.autocommit():
            pytest.fail("there is no database here")
    await database.close()
