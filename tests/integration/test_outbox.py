"""The event log on a real PostgreSQL."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import create_engine, text

from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database, SchemaTooNew, Transaction, migrate
from cuemark.kit.outbox import Cursor, Entry, Follower, Log, resettle


class Happened(msgspec.Struct, frozen=True, tag_field="kind"):
    what: str


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    database = Database(database_url)
    yield database
    await database.close()


def collector(seen: list[str]) -> outbox.Handler:
    async def handle(transaction: Transaction, entry: Entry) -> None:
        seen.append(msgspec.json.decode(entry.body, type=Happened).what)

    return handle


async def test_no_reader_skips_an_event_when_transactions_commit_in_reverse_order(
    database: Database,
) -> None:
    log = Log(ManualClock())
    seen: list[str] = []
    follower = Follower("reader", ["films"], database, log, collector(seen))
    async with database.transaction() as early:
        await log.append(early, "films", "a", Happened("begun first"))
        async with database.transaction() as late:
            await log.append(late, "films", "b", Happened("committed first"))
        await follower.catch_up()
        assert seen == []
    await follower.catch_up()
    assert seen == ["begun first", "committed first"]


async def test_no_reader_skips_an_event_whose_position_was_taken_late(database: Database) -> None:
    log = Log(ManualClock())
    seen: list[str] = []
    follower = Follower("reader", ["films"], database, log, collector(seen))
    async with database.transaction() as first, database.transaction() as second:
        await log.append(second, "films", "b", Happened("second, position 1"))
        await log.append(first, "films", "a", Happened("first, position 2"))
        await second.commit()
        await follower.catch_up()
    await follower.catch_up()
    assert sorted(seen) == ["first, position 2", "second, position 1"]


async def test_a_rewound_follower_reads_everything_again(database: Database) -> None:
    log = Log(ManualClock())
    seen: list[str] = []
    follower = Follower("reader", ["films"], database, log, collector(seen))
    for number in range(300):
        async with database.transaction() as transaction:
            await log.append(transaction, "films", "a", Happened(str(number)))
    assert await follower.catch_up() == 300
    await follower.rewind()
    assert await follower.catch_up() == 300
    assert seen == [str(number) for number in range(300)] * 2


async def test_the_cursor_stays_where_it_was_when_the_handler_fails(database: Database) -> None:
    log = Log(ManualClock())
    seen: list[str] = []
    fail = True

    async def handle(transaction: Transaction, entry: Entry) -> None:
        if fail:
            raise RuntimeError("not now")
        await collector(seen)(transaction, entry)

    async with database.transaction() as transaction:
        await log.append(transaction, "films", "a", Happened("once"))
    follower = Follower("reader", ["films"], database, log, handle)
    with pytest.raises(RuntimeError):
        await follower.catch_up()
    fail = False
    await follower.catch_up()
    assert seen == ["once"]


async def test_a_follower_with_nothing_to_read_writes_nothing(database: Database) -> None:
    async def written() -> str:
        async with database.transaction() as transaction:
            found = await transaction.exec_driver_sql("select pg_current_wal_insert_lsn()::text")
            return str(found.scalar_one())

    log = Log(ManualClock())
    seen: list[str] = []
    follower = Follower("reader", ["films"], database, log, collector(seen))
    async with database.transaction() as transaction:
        await log.append(transaction, "members", "a", Happened("of another topic"))
    assert await follower.catch_up() == 0
    pairs = []
    for _ in range(5):
        before = await written()
        assert await follower.catch_up() == 0
        pairs.append((before, await written()))
    # PostgreSQL's own processes write now and then: not at every look.
    assert any(before == after for before, after in pairs)
    assert seen == []


async def test_topics_do_not_mix(database: Database) -> None:
    log = Log(ManualClock())
    async with database.transaction() as transaction:
        await log.append(transaction, "films", "a", Happened("film"))
        await log.append(transaction, "members", "a", Happened("member"))
    async with database.transaction() as transaction:
        entries = await log.read(transaction, ["members"], Cursor())
    assert [entry.topic for entry in entries] == ["members"]


async def test_a_folder_from_a_newer_release_is_refused_with_one_sentence(
    database: Database, database_url: str
) -> None:
    async with database.transaction() as transaction:
        await transaction.exec_driver_sql("update log.revision set version_num = 'log_9999'")
    with pytest.raises(SchemaTooNew, match="log_9999, which this release does not know"):
        migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)


async def test_a_log_from_another_cluster_is_read_on_where_its_readers_were(
    database: Database, database_url: str
) -> None:
    """A dump brings transaction ids that this cluster will not reach for a long time."""
    log = Log(ManualClock())
    seen: list[str] = []
    follower = Follower("reader", ["films"], database, log, collector(seen))

    async def append(what: str) -> None:
        async with database.transaction() as transaction:
            await log.append(transaction, "films", "a", Happened(what))

    for what in ("first", "second"):
        await append(what)
    await follower.catch_up()
    await append("third")
    async with database.transaction() as transaction:
        for table in ("log.event", "log.cursor"):
            later = "(xid::text::bigint + 1000000000)::text::xid8"
            await transaction.execute(text(f"update {table} set xid = {later}"))
    assert await follower.catch_up() == 0
    engine = create_engine(database_url)
    with engine.begin() as connection:
        resettle(connection)
    engine.dispose()
    await append("fourth")
    await follower.catch_up()
    assert seen == ["first", "second", "third", "fourth"]
    await follower.rewind()
    await follower.catch_up()
    assert seen[4:] == ["first", "second", "third", "fourth"]
