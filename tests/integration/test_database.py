"""The pool of connections on a real PostgreSQL."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from psycopg.errors import UndefinedTable
from sqlalchemy import (
    Column,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from cuemark.kit.database import (
    Database,
    MigrationFailed,
    migrate_together,
    standing,
)
from cuemark.kit.direct import TRIED_AFTER_S, Query
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
    await database.ask(Query(text("select pg_terminate_backend(:pid)")), {"pid": pid})
    gone = Query(text("select count(*) as there from pg_stat_activity where pid = :pid"))
    while (await database.ask(gone, {"pid": pid}))[0].there:
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


NOTES = Query(text("select word from note order by word"))
PID = Query(text("select pg_backend_pid() as pid"))


async def test_a_statement_of_its_own_is_durable_and_leaves_transactions_as_they_were(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    await database.ask(Query(text("create table note (word text)")), {})
    await database.ask(Query(text("insert into note values (:word)")), {"word": "kept"})
    with contextlib.suppress(ZeroDivisionError):
        async with database.transaction() as transaction:
            await transaction.execute(text("insert into note values ('not kept')"))
            raise ZeroDivisionError
    assert [row.word for row in await database.ask(NOTES, {})] == ["kept"]
    await database.close()


async def test_a_statement_takes_the_values_of_its_columns_and_those_that_it_was_built_with(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    await database.ask(Query(text("create table note (word text, said jsonb, size int)")), {})
    note = Table("note", MetaData(), Column("word", Text), Column("said", JSONB(none_as_null=True)))
    add = Query(insert(note).returning(note.c.word))
    assert [row.word for row in await database.ask(add, {"word": "a", "said": {"b": [1]}})] == ["a"]
    await database.ask(add, {"word": "c", "said": None})
    found = Query(select(note).where(note.c.word.in_(bindparam("some")), note.c.said.is_not(None)))
    with pytest.raises(ValueError, match="one value"):
        await database.ask(found, {"some": ["a", "c"]})
    one = Query(select(note).where(note.c.word == bindparam("which"), literal(7) == 7))
    assert [row.said for row in await database.ask(one, {"which": "a"})] == [{"b": [1]}]
    assert [row.said for row in await database.ask(one, {"which": "c"})] == [None]
    await database.close()


async def test_a_statement_that_cannot_be_done_leaves_its_connection_to_the_next(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    (before,) = await database.ask(PID, {})
    with pytest.raises(UndefinedTable):
        await database.ask(Query(text("select nothing from nowhere")), {})
    assert await database.ask(PID, {}) == [before]
    await database.close()


async def test_a_statement_of_its_own_finds_a_database_that_is_away_unavailable(
    tmp_path: Path,
) -> None:
    database = Database(f"postgresql+psycopg://cuemark@/cuemark?host={tmp_path}")
    with pytest.raises(Unavailable):
        await database.ask(PID, {})
    await database.close()


@pytest.mark.parametrize("idle_s", [0.0, TRIED_AFTER_S + 0.1])
async def test_a_statement_of_its_own_is_asked_elsewhere_where_its_connection_was_cut(
    database_url: str, idle_s: float
) -> None:
    database, other = Database(database_url, pool_size=1), Database(database_url)
    (before,) = await database.ask(PID, {})
    await terminate(other, before.pid)
    await asyncio.sleep(idle_s)
    (after,) = await database.ask(PID, {})
    assert after != before
    await database.close()
    await other.close()


async def test_a_statement_of_its_own_that_is_cut_is_unavailable_and_the_next_is_not(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    with pytest.raises(Unavailable):
        await database.ask(Query(text("select pg_terminate_backend(pg_backend_pid())")), {})
    assert await database.ask(PID, {})
    await database.close()


async def test_who_waits_too_long_to_ask_finds_the_database_unavailable(database_url: str) -> None:
    database = Database(database_url, pool_size=1, wait_s=0.05)
    sleep = Query(text("select pg_sleep(:seconds)"))
    slow = [asyncio.create_task(database.ask(sleep, {"seconds": 0.5})) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await database.ask(PID, {})
    await asyncio.gather(*slow)
    assert await database.ask(PID, {})
    await database.close()


async def test_who_goes_away_while_it_asks_leaves_no_answer_to_the_next(
    database_url: str,
) -> None:
    database = Database(database_url, pool_size=1)
    sleep = Query(text("select pg_sleep(:seconds), 'slow' as word"))
    gone = asyncio.create_task(database.ask(sleep, {"seconds": 30.0}))
    await asyncio.sleep(0.1)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    quick = Query(text("select 'quick' as word"))
    found = await asyncio.gather(*(database.ask(quick, {}) for _ in range(4)))
    assert [row.word for rows in found for row in rows] == ["quick"] * 4
    await database.close()


async def test_a_connection_that_is_lent_while_the_database_is_closed_ends_with_its_statement(
    database_url: str,
) -> None:
    database, other = Database(database_url, pool_size=1), Database(database_url)
    asking = asyncio.create_task(
        database.ask(Query(text("select pg_backend_pid() as pid, pg_sleep(0.3)")), {})
    )
    await asyncio.sleep(0.1)
    await database.close()
    (answer,) = await asking
    there = Query(text("select count(*) as there from pg_stat_activity where pid = :pid"))
    async with asyncio.timeout(10):
        while (await other.ask(there, {"pid": answer.pid}))[0].there:
            await asyncio.sleep(0.01)
    await other.close()
