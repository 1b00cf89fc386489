"""The event log, which is its own outbox: a table in PostgreSQL.

An event is appended in the transaction of the change it tells. Readers stop below
``pg_snapshot_xmin`` and read in the order of (transaction id, position): a transaction that
took its position early and commits late is never skipped, because nothing at or above the
oldest running transaction is read. Delivery is at least once; a follower keeps its cursor in
the transaction in which its handler writes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, Row, text

from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Values
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import id_of_content, time_of_id
from cuemark.kit.tracing import current_trace_id, trace

SCHEMA = "log"
EVENT = "evt"
MIGRATIONS = Path(__file__).parent / "migrations"
_DIGITS = 18
"""Of a number that a bigint takes in any case."""


class Cursor(msgspec.Struct, frozen=True, order=True):
    """A place in the log: everything up to and with it has been read."""

    xid: int = 0
    position: int = 0

    def __str__(self) -> str:
        return f"{self.xid}-{self.position}"

    @classmethod
    def parsed(cls, text: str) -> "Cursor":
        """The cursor of ``str``; the beginning of the log for any other text."""
        xid, _, position = text.partition("-")
        if not all(each.isdecimal() and len(each) <= _DIGITS for each in (xid, position)):
            return cls()
        return cls(int(xid), int(position))


class Entry(msgspec.Struct, frozen=True):
    """One event as it stands in the log; ``body`` is the JSON of the event message."""

    cursor: Cursor
    topic: str
    key: str
    kind: str
    body: bytes
    occurred_at: datetime
    trace_id: str

    @property
    def event_id(self) -> str:
        """Names the event for ever: also in a log that was restored, where its place is another."""
        told = b"\0".join([self.topic.encode(), self.key.encode(), self.kind.encode(), self.body])
        return id_of_content(EVENT, self.occurred_at, told)


Handler = Callable[[Transaction, Entry], Awaitable[None]]


class Log:
    """Append to and read from the log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def append(
        self, transaction: Transaction, topic: str, key: str, event: msgspec.Struct
    ) -> None:
        """Write ``event`` into the transaction of the change it tells."""
        await self.append_all(transaction, topic, [(key, event)])

    def told(self, topic: str, events: Sequence[tuple[str, msgspec.Struct]]) -> Values:
        """The values of ``telling``: events with their keys, in this order."""
        return {
            "told_topic": topic,
            "told_keys": [key for key, _ in events],
            "told_kinds": [type(event).__name__ for _, event in events],
            "told_bodies": [msgspec.json.encode(event).decode() for _, event in events],
            "told_at": self._clock.now(),
            "told_trace": current_trace_id(),
        }

    async def append_all(
        self, transaction: Transaction, topic: str, events: Sequence[tuple[str, msgspec.Struct]]
    ) -> None:
        """Write events with their keys, in this order, as one statement."""
        if not events:
            return
        now, trace_id = self._clock.now(), current_trace_id()
        await transaction.execute(
            _INSERT,
            [
                {
                    "topic": topic,
                    "key": key,
                    "kind": type(event).__name__,
                    "body": msgspec.json.encode(event).decode(),
                    "at": now,
                    "trace_id": trace_id,
                }
                for key, event in events
            ],
        )

    async def read(
        self,
        transaction: Transaction,
        topics: Sequence[str],
        after: Cursor,
        limit: int = 256,
        key: str | None = None,
    ) -> list[Entry]:
        """The next entries of ``topics`` after a cursor, oldest first; of one key, if given."""
        rows = await transaction.execute(
            text(
                f"{_SELECT} where topic = any(:topics) "
                "and xid < pg_snapshot_xmin(pg_current_snapshot()) "
                "and (xid, position) > (cast(cast(:xid as text) as xid8), :position) "
                "and (cast(:key as text) is null or key = :key) "
                "order by xid, position limit :limit"
            ),
            {
                "topics": list(topics),
                "xid": str(after.xid),
                "position": after.position,
                "limit": limit,
                "key": key,
            },
        )
        return [_entry(row) for row in rows]

    async def find(self, transaction: Transaction, event_id: str) -> Entry | None:
        """The event of this id, which has passed ``is_id``. It reads all of the log."""
        begin = time_of_id(event_id)
        rows = await transaction.execute(
            text(f"{_SELECT} where occurred_at >= :begin and occurred_at < :end"),
            {"begin": begin, "end": begin + timedelta(milliseconds=1)},
        )
        return next((each for each in map(_entry, rows) if each.event_id == event_id), None)

    async def newest(
        self, transaction: Transaction, kinds: Sequence[tuple[str, str]], limit: int
    ) -> list[Entry]:
        """The last events of these kinds (topic and kind), the newest first."""
        rows = await transaction.execute(
            text(
                f"{_SELECT} where (topic, kind) in (select * from "
                "unnest(cast(:topics as text[]), cast(:kinds as text[]))) "
                "order by xid desc, position desc limit :limit"
            ),
            {
                "topics": [topic for topic, _ in kinds],
                "kinds": [kind for _, kind in kinds],
                "limit": limit,
            },
        )
        return [_entry(row) for row in rows]


def telling(where: str) -> str:
    """The end of a statement that makes a change and tells it: it appends the events of
    ``Log.told`` where the part of it called ``where`` has a row, and gives a row for each."""
    return (
        "insert into log.event (topic, key, kind, body, occurred_at, trace_id) "
        "select :told_topic, e.key, e.kind, cast(e.body as json), :told_at, :told_trace "
        "from unnest(cast(:told_keys as text[]), cast(:told_kinds as text[]), "
        "cast(:told_bodies as text[])) with ordinality as e (key, kind, body, place) "
        f"where exists (select from {where}) order by e.place returning position"
    )


_INSERT = text(
    "insert into log.event (topic, key, kind, body, occurred_at, trace_id) "
    "values (:topic, :key, :kind, cast(:body as json), :at, :trace_id)"
)
_SELECT = (
    "select xid::text::bigint as number, position, topic, key, kind, body::text as body, "
    "occurred_at, trace_id "
    "from log.event"
)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        cursor=Cursor(row.number, row.position),
        topic=row.topic,
        key=row.key,
        kind=row.kind,
        body=row.body.encode(),
        occurred_at=row.occurred_at,
        trace_id=row.trace_id,
    )


def resettle(connection: Connection) -> None:
    """Make the log readable in another cluster than the one that wrote it.

    A dump brings transaction ids that mean nothing in the cluster into which it is loaded: ids
    above those of that cluster would hide their events from every reader until it has used as
    many. All events get one id from before any cluster's first transaction, and positions anew in
    the order that they had; each cursor is set on the last event that its reader had read.
    """
    for statement in (
        "create temporary table settled on commit drop as select position as before, xid, "
        "row_number() over (order by xid, position) as position from log.event",
        "update log.cursor c set xid = '1', position = coalesce((select max(s.position) "
        "from settled s where (s.xid, s.before) <= (c.xid, c.position)), 0)",
        "alter table log.event alter column position set generated by default",
        "update log.event set position = -position",
        "update log.event e set xid = '1', position = s.position "
        "from settled s where e.position = -s.before",
        "select setval(pg_get_serial_sequence('log.event', 'position'), "
        "(select count(*) + 1 from log.event), false)",
        "alter table log.event alter column position set generated always",
    ):
        connection.execute(text(statement))


def leap_all(connection: Connection, prefix: str) -> None:
    """Let the readers whose names begin so leave out all that is in a log that was resettled."""
    connection.execute(
        text(
            "update log.cursor set xid = '1', position = (select coalesce(max(position), 0) "
            "from log.event) where starts_with(reader, :prefix)"
        ),
        {"prefix": prefix},
    )


_LAST = (1 << 63) - 1
"""The highest position there can be."""


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
        while await self.is_behind():
            handled += await self.advance()
        return handled

    async def begin_here(self) -> None:
        """Read from now on, and nothing that was told before; who has begun goes on as it is."""
        await self._begin("do nothing")

    async def leap(self) -> None:
        """Leave out all that was told until now."""
        await self._begin("do update set xid = excluded.xid, position = excluded.position")

    async def _begin(self, where_begun: str) -> None:
        # What runs now has not told yet: it comes after the last transaction before all that run.
        async with self._database.transaction() as transaction:
            await transaction.execute(
                text(
                    "insert into log.cursor (reader, xid, position) values (:reader, "
                    "(pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text::xid8, "
                    f":position) on conflict (reader) {where_begun}"
                ),
                {"reader": self.name, "position": _LAST},
            )

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

    async def is_behind(self) -> bool:
        """Whether there is something to read. The look locks nothing and writes nothing.

        ``advance`` locks the cursor's row, for which PostgreSQL flushes its log: a follower at
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

    async def advance(self, limit: int = 256) -> int:
        """Handle the next ``limit`` entries, as far as there are any; how many there were."""
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
            entries = await self._log.read(transaction, self._topics, Cursor(row[0], row[1]), limit)
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
