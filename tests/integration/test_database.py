"""The pool of connections on a real PostgreSQL."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cuemark.kit.database import Database, MigrationFailed, migrate_together, standing
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
