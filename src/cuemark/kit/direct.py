"""Statements by themselves, given to the driver as it takes them.

SQLAlchemy costs each statement several times what the statement does: it is asked through a
greenlet, on a connection that is put back by another statement. A ``Query`` is compiled by it once,
and from then on is the driver's: prepared on each connection, and sent with its values.
"""

import asyncio
import contextlib
import select
import time
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg import Error as PsycopgError
from psycopg.errors import DiskFull, IdleInTransactionSessionTimeout, OperationalError
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import make_url

from cuemark.kit.errors import NoRoom, Unavailable

TRIED_AFTER_S = 0.5
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

Values = Mapping[str, Any]
Row = Any
"""A named tuple of the columns."""
_Connection = AsyncConnection[Any]


class Query:
    """A statement that is always asked with values of the same names. A list is one value: it is
    asked for with ``any``, since ``in`` becomes another statement with each length."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._text = ""
        self._fixed: dict[str, Any] = {}
        self._written: dict[str, Any] = {}

    def told(self, values: Values) -> tuple[str, dict[str, Any]]:
        """The text and the values as the driver takes them."""
        if not self._text:
            self._compile(list(values))
        said = {**self._fixed, **values}
        for name, write in self._written.items():
            said[name] = write(said[name])
        return self._text, said

    def _compile(self, names: list[str]) -> None:
        compiled = self._statement.compile(dialect=_DIALECT, column_keys=names)
        self._fixed = {
            name: value for name, value in (compiled.params or {}).items() if name not in names
        }
        for name, bound in getattr(compiled, "binds", {}).items():
            write = bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            if write is not None:
                self._written[name] = write
        written = str(compiled)
        if "POSTCOMPILE" in written:
            raise ValueError(f"A list is one value, to be asked for with any: {written}")
        self._text = written


class Direct:
    """Connections of their own, at most ``most``; whoever waits ``wait_s`` for one gets
    ``Unavailable``."""

    def __init__(self, url: str, options: str, most: int, wait_s: float) -> None:
        plain = make_url(url).set(drivername="postgresql")
        self._address = plain.render_as_string(hide_password=False)
        self._options = options
        self._wait_s = wait_s
        self._room = asyncio.Semaphore(most)
        self._free: list[tuple[float, _Connection]] = []
        self._closed = False

    async def ask(self, query: Query, values: Values) -> list[Row]:
        """One statement by itself: it is durable when this returns."""
        text, said = query.told(values)
        with _errors():
            connection = await self._lent()
            try:
                cursor = await connection.execute(text, said, prepare=True)
                return await cursor.fetchall() if cursor.description else []
            finally:
                await self._left(connection)

    async def close(self) -> None:
        """A connection that is lent is closed when it comes back."""
        self._closed = True
        while self._free:
            _, connection = self._free.pop()
            await connection.close()

    async def _lent(self) -> _Connection:
        try:
            async with asyncio.timeout(self._wait_s if self._room.locked() else None):
                await self._room.acquire()
        except TimeoutError as late:
            raise Unavailable("the database does not answer") from late
        try:
            while self._free:
                left_s, connection = self._free.pop()
                if await _stands(connection, left_s):
                    return connection
            return await AsyncConnection.connect(
                self._address, autocommit=True, row_factory=namedtuple_row, options=self._options
            )
        except BaseException:
            self._room.release()
            raise

    async def _left(self, connection: _Connection) -> None:
        """What is in the middle of an answer is lent to nobody."""
        idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
        try:
            if idle and not self._closed:
                self._free.append((time.monotonic(), connection))
            else:
                await connection.close()
        finally:
            self._room.release()


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """What of the driver's errors a caller can do something about."""
    try:
        yield
    except DiskFull as error:
        raise NoRoom("the database has no room on its disk") from error
    except (OperationalError, IdleInTransactionSessionTimeout) as error:
        raise Unavailable("the database does not answer") from error


async def _stands(connection: _Connection, left_s: float) -> bool:
    """Whether a server is at the other end: asked where it lay idle for long, or has said
    something."""
    if connection.closed:
        return False
    if time.monotonic() - left_s <= TRIED_AFTER_S and not has_news(connection.fileno()):
        return True
    try:
        await connection.execute("")
    except PsycopgError:
        await connection.close()
        return False
    return True


def has_news(descriptor: int) -> bool:
    """Whether the server has said something, or has closed its end."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))
