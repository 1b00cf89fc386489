"""PostgreSQL: transactions for services, migrations for each owner of a schema.

Each owner (a context, the log) has one schema, one line of Alembic revisions in its
``migrations`` folder, and its own version table inside its schema. Migrations go forward only.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from psycopg.errors import DiskFull
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cuemark.kit.errors import NoRoom, OperatorError, Unavailable

Transaction = AsyncConnection


class Database:
    """A pool of connections. ``transaction()`` commits on leaving, rolls back on an error.

    At most twice ``pool_size`` are open; whoever waits ``wait_s`` for one gets ``Unavailable``.
    """

    def __init__(self, url: str, pool_size: int = 10, wait_s: float = 10) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            pool_timeout=wait_s,
        )

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction; ``Unavailable`` when the database is away or has no connection free."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            if isinstance(error.orig, DiskFull):
                raise NoRoom("the database has no room on its disk") from error
            raise Unavailable("the database does not answer") from error
        except PoolExhausted as error:
            raise Unavailable("the database does not answer") from error

    async def close(self) -> None:
        await self._engine.dispose()


class SchemaTooNew(OperatorError):
    """The data was written by a newer release than this one."""


def migrate(url: str, schema: str, folder: Path) -> list[str]:
    """Bring ``schema`` to the head of the revisions in ``folder``; return those applied.

    Safe to call from several processes at once. Raises ``SchemaTooNew`` where the schema stands
    at a revision that this release does not know.
    """
    engine = create_engine(url)
    lock = int.from_bytes(hashlib.sha256(schema.encode()).digest()[:7], "big")
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": lock})
            connection.execute(text(f'create schema if not exists "{schema}"'))
            return _upgrade(connection, schema, folder)
    finally:
        engine.dispose()


def _upgrade(connection: Connection, schema: str, folder: Path) -> list[str]:
    # Alembic takes a third of a second to import, and only the process that migrates needs it.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(folder), version_locations=[str(folder)])
    known = {revision.revision for revision in script.walk_revisions()}
    applied: list[str] = []

    def steps(revision: tuple[str, ...], context: object) -> list[object]:
        unknown = set(revision) - known
        if unknown:
            raise SchemaTooNew(
                f"the schema {schema} stands at revision {', '.join(unknown)}, which this release "
                "does not know: run the release that wrote it, or a newer one"
            )
        todo = script._upgrade_revs("head", revision or None)  # type: ignore[arg-type]
        applied.extend(step.revision.revision for step in todo)
        return list(todo)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection, version_table="revision", version_table_schema=schema
        )
        environment.run_migrations()
    return applied
