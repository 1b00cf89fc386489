"""PostgreSQL: transactions for services, migrations for each owner of a schema.

Each owner (a context, the log) has one schema, one line of Alembic revisions in its
``migrations`` folder, and its own version table inside its schema. Migrations go forward only.
"""

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import AsyncConnection as PsycopgConnection
from psycopg import Error as PsycopgError
from psycopg.errors import DiskFull, IdleInTransactionSessionTimeout
from sqlalchemy import Connection, ExceptionContext, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from cuemark.kit.direct import TRIED_AFTER_S, Direct, Query, Row, Values, has_news
from cuemark.kit.errors import NoRoom, OperatorError, Unavailable

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

Transaction = AsyncConnection

IDLE_TRANSACTION_S = 10.0
"""PostgreSQL rolls back what waits for its own process as long: a process that hangs or whose
machine is gone keeps no row locked, and holds up no reader of the log, for longer."""


class Database:
    """A pool of connections. ``transaction()`` commits on leaving, rolls back on an error.

    At most twice ``pool_size`` are open, and as many more for ``ask``; whoever waits ``wait_s`` for
    one gets ``Unavailable``, and so does who leaves a transaction without a statement for
    ``idle_s``.

    A connection is tried before it is lent where it lay idle for longer than ``TRIED_AFTER_S``, or
    where something has come from the server meanwhile: a server that goes away says so, or its
    socket does, and that costs no question.
    """

    def __init__(
        self,
        url: str,
        pool_size: int = 10,
        wait_s: float = 10,
        idle_s: float = IDLE_TRANSACTION_S,
    ) -> None:
        bound = f"-c idle_in_transaction_session_timeout={round(idle_s * 1000)}"
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=wait_s,
            connect_args={"options": bound},
        )
        self._direct = Direct(url, bound, 2 * pool_size, wait_s)
        event.listen(self._engine.sync_engine, "handle_error", _is_gone)
        event.listen(self._engine.sync_engine, "checkin", _left)
        event.listen(self._engine.sync_engine, "checkout", self._tried)

    async def ask(self, query: Query, values: Values) -> list[Row]:
        """One statement by itself, durable when this returns; errors are those of ``transaction``,
        and the driver's where a statement cannot be done."""
        return await self._direct.ask(query, values)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction; ``Unavailable`` when the database is away or has no connection free."""
        with _told():
            async with self._engine.begin() as connection:
                yield connection

    def _tried(
        self,
        connection: DBAPIConnection,
        record: ConnectionPoolEntry,
        proxy: PoolProxiedConnection,
    ) -> None:
        """Raises ``InvalidatePoolError`` where nobody is at the other end: the pool then opens
        another connection, and one for each other that is as old."""
        left_s = record.info.get("left_s")
        if left_s is None:
            return
        idle = time.monotonic() - left_s > TRIED_AFTER_S
        if not idle and not _has_news(record.driver_connection):
            return
        try:
            self._engine.dialect.do_ping(connection)
        except PsycopgError as error:
            raise InvalidatePoolError("the server is gone") from error

    async def close(self) -> None:
        await self._direct.close()
        await self._engine.dispose()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What of the database's errors a caller can do something about."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, DiskFull):
            raise NoRoom("the database has no room on its disk") from error
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise Unavailable("the database does not answer") from error
        raise
    except PoolExhausted as error:
        raise Unavailable("the database does not answer") from error


def _left(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["left_s"] = time.monotonic()


def _has_news(driver: DBAPIConnection | None) -> bool:
    """Whether the server has said something, or has closed its end."""
    if not isinstance(driver, PsycopgConnection) or driver.closed:
        return True
    return has_news(driver.fileno())


def _is_gone(context: ExceptionContext) -> None:
    """psycopg names this end of a connection as none, and SQLAlchemy would use it again."""
    if isinstance(context.original_exception, IdleInTransactionSessionTimeout):
        context.is_disconnect = True


class SchemaTooNew(OperatorError):
    """The data was written by a newer release than this one."""


class MigrationFailed(OperatorError):
    """A migration could not be applied. The database stands where it stood."""


def migrate(url: str, schema: str, folder: Path) -> list[str]:
    """Bring ``schema`` to the head of the revisions in ``folder``; return those applied.

    Safe to call from several processes at once. Raises ``SchemaTooNew`` where the schema stands
    at a revision that this release does not know, and ``MigrationFailed``.
    """
    return migrate_together(url, {schema: folder})[schema]


def migrate_together(url: str, lines: Mapping[str, Path]) -> dict[str, list[str]]:
    """Bring each schema to the head of its revisions in one transaction: all of them, or none."""
    # Alembic takes a third of a second to import, and only the process that migrates needs it.
    from alembic.util import CommandError

    engine = create_engine(url)
    schema = ""
    try:
        with engine.begin() as connection:
            applied = {}
            for schema in sorted(lines):
                lock = int.from_bytes(hashlib.sha256(schema.encode()).digest()[:7], "big")
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": lock})
                connection.execute(text(f'create schema if not exists "{schema}"'))
                applied[schema] = _upgrade(connection, schema, lines[schema])
            return applied
    except (SQLAlchemyError, CommandError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
        raise MigrationFailed(
            f"the schema {schema} could not be migrated, and nothing was changed: {reason}"
        ) from error
    finally:
        engine.dispose()


def standing(connection: Connection, schemas: Iterable[str]) -> dict[str, str]:
    """The revision at which each of the schemas stands; those that do not exist are left out."""
    found = {}
    for schema in schemas:
        table = f'"{schema}".revision'
        there = connection.execute(text("select to_regclass(:table)"), {"table": table})
        if there.scalar_one() is not None:
            for revision in connection.execute(text(f"select version_num from {table}")).scalars():
                found[schema] = str(revision)
    return found


def head_of(folder: Path) -> str:
    """The newest revision in a folder of migrations."""
    return str(_revisions(folder).get_current_head())


def known_to(folder: Path, revision: str) -> bool:
    """Whether the folder of migrations has this revision."""
    return revision in {each.revision for each in _revisions(folder).walk_revisions()}


def too_new(schema: str, revision: str) -> SchemaTooNew:
    return SchemaTooNew(
        f"the schema {schema} stands at revision {revision}, which this release "
        "does not know: run the release that wrote it, or a newer one"
    )


def _revisions(folder: Path) -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(folder), version_locations=[str(folder)])


def _upgrade(connection: Connection, schema: str, folder: Path) -> list[str]:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    script = _revisions(folder)
    known = {revision.revision for revision in script.walk_revisions()}
    applied: list[str] = []

    def steps(revision: tuple[str, ...], context: object) -> list[object]:
        unknown = set(revision) - known
        if unknown:
            raise too_new(schema, ", ".join(unknown))
        todo = script._upgrade_revs("head", revision or None)  # type: ignore[arg-type]
        applied.extend(step.revision.revision for step in todo)
        return list(todo)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection, version_table="revision", version_table_schema=schema
        )
        environment.run_migrations()
    return applied
