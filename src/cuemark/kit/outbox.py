"""The event log, which is its own outbox: a table in PostgreSQL.

An event is appended in the transaction of the change it tells. Readers stop below
``pg_snapshot_xmin`` and read in the order of (transaction id, position): a transaction that
took its position early and commits late is never skipped, because nothing at or above the
oldest running transaction is read. Delivery is at least once; a follower keeps its cursor in
the transaction in which its handler writes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import text

from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.tracing import current_trace_id, trace

SCHEMA = "log"
MIGRATIONS = Path(__file__).parent / "migrations"


class Cursor(msgspec.Struct, frozen=True, order=True):
    """A place in the log: everything up to and with it has been read."""

    xid: int = 0
    position: int = 0


class Entry(msgspec.Struct, frozen=True):
    """One event as it stands in the log; ``body`` is the JSON of the event message."""

    cursor: Cursor
    topic: str
    key: str
    kind: str
    body: bytes
    occurred_at: datetime
    trace_id: str


Handler = Callable[[Transaction, Entry], Awaitable[None]]


class Log:
    """Append to and read from the log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def append(
        self, transaction: Transaction, topic: str, key: str, event: msgspec.Struct
    ) -> None:
        """Write ``event`` into the transaction of the change it tells."""
        await transaction.execute(
            text(
                "insert into log.event (topic, key, kind, body, occurred_at, trace_id) "
                "values (:topic, :key, :kind, cast(:body as json), :at, :trace_id)"
            ),
            {
                "topic": topic,
                "key": key,
                "kind": type(event).__name__,
                "body": msgspec.json.encode(event).decode(),
                "at": self._clock.now(),
                "trace_id": current_trace_id(),
            },
        )

    async def read(
        self, transaction: Transaction, topics: Sequence[str], after: Cursor, limit: int = 256
    ) -> list[Entry]:
        """The next entries of ``topics`` after a cursor, oldest first."""
        rows = await transaction.execute(
            text(
                "select xid::text::bigint, position, topic, key, kind, body::text, occurred_at, "
                "trace_id from log.event "
                "where topic = any(:topics) and xid < pg_snapshot_xmin(pg_current_snapshot()) "
                "and (xid, position) > (cast(cast(:xid as text) as xid8), :position) "
                "order by xid, position limit :limit"
            ),
            {
                "topics": list(topics),
                "xid": str(after.xid),
                "position": after.position,
                "limit": limit,
            },
        )
        return [
            Entry(Cursor(row[0], row[1]), row[2], row[3], row[4], row[5].encode(), row[6], row[7])
            for row in rows
        ]


class Follower:
    """Reads topics for one named reader and hands each entry to ``handle`` once it is durable.

    The cursor moves in the transaction in which ``handle`` writes, so a handler that only
    writes through that transaction takes effect exactly once.
    """

    def __init__(
        self, name: str, topics: Sequence[str], database: Database, log: Log, handle: Handler
    ) -> None:
        self.name = name
        self._topics = topics
        self._database = database
        self._log = log
        self._handle = handle

    async def catch_up(self) -> int:
        """Handle all that is readable now; return how many entries that was."""
        handled = 0
        while await self._is_behind():
            handled += await self._batch()
        return handled

    async def rewind(self) -> None:
        """Go back to the start of the log: the next reading replays everything."""
        async with self._database.transaction() as transaction:
            await self._move(transaction, Cursor())

    async def run(self, poll_s: float = 0.2) -> None:
        """Follow for ever; a database that is away is waited for."""
        while True:
            try:
                await self.catch_up()
            except Unavailable:
                structlog.get_logger().warning("follower_waits", follower=self.name)
            await asyncio.sleep(poll_s)

    async def _is_behind(self) -> bool:
        """Whether there is something to read. The look locks nothing and writes nothing.

        ``_batch`` locks the cursor's row, for which PostgreSQL flushes its log: a follower at
        rest would keep the disk at work.
        """
        async with self._database.transaction() as transaction:
            found = await transaction.execute(
                text(
                    "select coalesce((select exists (select from log.event "
                    "where topic = any(:topics) "
                    "and event.xid < pg_snapshot_xmin(pg_current_snapshot()) "
                    "and (event.xid, event.position) > (cursor.xid, cursor.position)) "
                    "from log.cursor where reader = :reader), true)"
                ),
                {"topics": list(self._topics), "reader": self.name},
            )
            return bool(found.scalar_one())

    async def _batch(self) -> int:
        async with self._database.transaction() as transaction:
            await transaction.execute(
                text("insert into log.cursor (reader) values (:reader) on conflict do nothing"),
                {"reader": self.name},
            )
            row = (
                await transaction.execute(
                    text(
                        "select xid::text::bigint, position from log.cursor "
                        "where reader = :reader for update"
                    ),
                    {"reader": self.name},
                )
            ).one()
            entries = await self._log.read(transaction, self._topics, Cursor(row[0], row[1]))
            for entry in entries:
                with trace(entry.trace_id or None):
                    await self._handle(transaction, entry)
            if entries:
                await self._move(transaction, entries[-1].cursor)
            return len(entries)

    async def _move(self, transaction: Transaction, cursor: Cursor) -> None:
        await transaction.execute(
            text(
                "insert into log.cursor (reader, xid, position) "
                "values (:reader, cast(cast(:xid as text) as xid8), :position) "
                "on conflict (reader) do update "
                "set xid = excluded.xid, position = excluded.position"
            ),
            {"reader": self.name, "xid": str(cursor.xid), "position": cursor.position},
        )
