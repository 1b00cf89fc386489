"""The view of the catalog, as its follower builds it from the log."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from cuemark.contexts.catalog import wiring
from cuemark.contracts import catalog
from cuemark.contracts.catalog import Catalog, CreateTitle, GetTitle
from cuemark.contracts.encoding import events
from cuemark.contracts.encoding.versions import Quality
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.steering import VersionPlaced
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room
from tests.databases import opened

START = datetime(2026, 1, 1, tzinfo=UTC)


class SomethingNewer(msgspec.Struct, frozen=True, tag_field="kind"):
    surprise: str


def published(
    title_id: TitleId, version: str, quality: Quality, minute: int
) -> events.VersionPublished:
    return events.VersionPublished(
        version_id=VersionId(version),
        title_id=title_id,
        quality=quality,
        duration_s=52.0,
        artwork_key="artwork/x",
        index_blake3="00" * 32,
        published_at=START + timedelta(minutes=minute),
    )


def placed(version: str) -> VersionPlaced:
    return VersionPlaced(version_id=VersionId(version), placed_at=START)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring) as database:
        yield database


def a_room(database: Database) -> Room[Catalog]:
    clock = ManualClock(START)
    return wiring.build(database, Log(clock), clock, Ids(clock))


async def tell(database: Database, happened: Sequence[msgspec.Struct]) -> None:
    log = Log(ManualClock(START))
    async with database.transaction() as transaction:
        for event in happened:
            await log.append(transaction, events.TOPIC, "key", event)


async def view_bytes(database: Database) -> list[bytes]:
    async with database.transaction() as transaction:
        rows = await transaction.execute(
            text("select row_to_json(v)::text from catalog.browse v order by title_id")
        )
        return [row[0].encode() for row in rows]


async def test_replaying_the_log_from_zero_rebuilds_the_view_byte_for_byte(
    database: Database,
) -> None:
    room = a_room(database)
    (view,) = room.followers
    for number in range(20):
        title = await room.service.create_title(CreateTitle(name=f"Film {number}"))
        await view.catch_up()
        quick = published(title.title_id, f"ver_q{number}", "quick", number)
        full = published(title.title_id, f"ver_f{number}", "full", number + 5)
        here = [placed(quick.version_id), placed(full.version_id)]
        orders = [[], [quick, *here], [full, *here, quick], [*here, quick, full]]
        await tell(database, orders[number % 4])
        await view.catch_up()
    built = await view_bytes(database)
    assert len(built) == 20
    async with database.transaction() as transaction:
        await transaction.execute(text("truncate catalog.browse"))
    assert await view_bytes(database) == []
    await view.rewind()
    assert await view.catch_up() == 75
    assert await view_bytes(database) == built


async def test_reading_the_log_twice_changes_nothing(database: Database) -> None:
    room = a_room(database)
    (view,) = room.followers
    title = await room.service.create_title(CreateTitle(name="Twice"))
    await tell(database, [published(title.title_id, "ver_1", "full", 1), placed("ver_1")])
    await view.catch_up()
    built = await view_bytes(database)
    await view.rewind()
    assert await view.catch_up() == 3
    assert await view_bytes(database) == built


async def test_a_version_that_is_read_before_its_title_waits_for_it(database: Database) -> None:
    room = a_room(database)
    (view,) = room.followers
    early = TitleId("ttl_" + "1" * 26)
    await tell(database, [published(early, "ver_1", "quick", 1), placed("ver_1")])
    await view.catch_up()
    with pytest.raises(catalog.UnknownTitle):
        await room.service.get_title(GetTitle(title_id=early))
    await tell(
        database,
        [catalog.TitleCreated(title_id=early, name="Late", synopsis="", created_at=START)],
    )
    await view.catch_up()
    shown = await room.service.get_title(GetTitle(title_id=early))
    assert (shown.name, shown.version_id) == ("Late", "ver_1")


async def test_events_of_other_kinds_and_with_newer_fields_do_not_stop_the_view(
    database: Database,
) -> None:
    room = a_room(database)
    (view,) = room.followers
    title = await room.service.create_title(CreateTitle(name="Go on"))
    failed = events.EncodingFailed(version_id=VersionId("v"), title_id=title.title_id, error="x")
    await tell(
        database,
        [
            SomethingNewer("?"),
            failed,
            published(title.title_id, "ver_1", "quick", 1),
            placed("ver_1"),
        ],
    )
    newer_field = """update log.event set body = (left(body::text, -1) || ',"later": [1]}')::json
        where kind = 'VersionPublished'"""
    async with database.transaction() as transaction:
        await transaction.execute(text(newer_field))
    assert await view.catch_up() == 5
    shown = await room.service.get_title(GetTitle(title_id=title.title_id))
    assert shown.version_id == "ver_1"


async def test_a_version_is_listed_once_an_appliance_has_it(database: Database) -> None:
    room = a_room(database)
    (view,) = room.followers
    title = await room.service.create_title(CreateTitle(name="Both"))

    async def listed() -> str | None:
        await view.catch_up()
        return (await room.service.get_title(GetTitle(title_id=title.title_id))).version_id

    await tell(database, [published(title.title_id, "ver_q", "quick", 1)])
    assert await listed() is None
    await tell(database, [placed("ver_q"), published(title.title_id, "ver_f", "full", 2)])
    assert await listed() == "ver_q"
    await tell(database, [placed("ver_f")])
    assert await listed() == "ver_f"


async def test_a_title_that_is_not_created_is_not_told(database: Database) -> None:
    room = a_room(database)
    async with database.transaction() as transaction:
        await transaction.execute(text("drop table log.event"))
    with pytest.raises(ProgrammingError, match=r"log\.event"):
        await room.service.create_title(CreateTitle(name="Half"))
    async with database.transaction() as transaction:
        left = await transaction.execute(text("select count(*) from catalog.title"))
        assert left.scalar_one() == 0
