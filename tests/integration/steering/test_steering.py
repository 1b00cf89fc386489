"""Steering on a real PostgreSQL: the log, many callers, and real time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from cuemark.contexts.steering import service, wiring
from cuemark.contracts.encoding.events import TOPIC, EncodingFailed, VersionPublished
from cuemark.contracts.ids import ApplianceId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.playback import TOPIC as PLAYBACK
from cuemark.contracts.playback import PlayStopped
from cuemark.contracts.steering import Rank, Redirect, Steering, SteeringOver
from cuemark.contracts.steering.reports import REPORT_EVERY_S, GetSnapshot, Report, Snapshot
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import Clock, ManualClock, SystemClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.outbox import Cursor, Log
from cuemark.kit.room import Room
from tests.databases import opened
from tests.unit.steering.teller import untold

A, B = ApplianceId("edge-a"), ApplianceId("edge-b")
FILM = VersionId("ver_film")
CLOCK = ManualClock()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring) as database:
        yield database


def build(database: Database, clock: Clock = CLOCK) -> Room[Steering]:
    return wiring.build(
        database=database,
        log=Log(clock),
        clock=clock,
        fill=untold(),
        appliance_ids=(A, B),
        token_keys=[TokenKey("k1", b"1" * 32)],
    )


async def publish(database: Database, *names: str) -> None:
    for name in names:
        async with database.transaction() as transaction:
            event = VersionPublished(
                version_id=VersionId(name),
                title_id=TitleId("ttl_1"),
                quality="full",
                duration_s=52,
                artwork_key="",
                index_blake3=f"hash of {name}",
                published_at=CLOCK.now(),
            )
            await Log(CLOCK).append(transaction, TOPIC, name, event)


async def snapshot(steering: Steering, after: str = "") -> Snapshot:
    return await steering.get_snapshot(GetSnapshot(appliance_id=A, after=after))


def names(found: Snapshot) -> list[str]:
    return [version.version_id for version in found.versions]


async def test_an_appliance_learns_of_each_published_version_once(database: Database) -> None:
    room = build(database)
    follower, _ = room.followers
    assert (follower.name, names(await snapshot(room.service))) == ("steering.versions", [])
    await publish(database, "ver_1", "ver_2")
    await follower.catch_up()
    first = await snapshot(room.service)
    assert names(first) == ["ver_1", "ver_2"]
    assert first.versions[0].index_blake3 == "hash of ver_1"
    assert names(await snapshot(room.service, first.cursor)) == []
    await publish(database, "ver_3")
    await follower.catch_up()
    later = await snapshot(room.service, first.cursor)
    assert names(later) == ["ver_3"]
    assert names(await snapshot(room.service)) == ["ver_1", "ver_2", "ver_3"]


async def test_other_events_of_encoding_are_passed_over(database: Database) -> None:
    room = build(database)
    async with database.transaction() as transaction:
        failed = EncodingFailed(version_id=FILM, title_id=TitleId("ttl_1"), error="no")
        await Log(CLOCK).append(transaction, TOPIC, FILM, failed)
    assert await room.followers[0].catch_up() == 1
    assert names(await snapshot(room.service)) == []


async def test_replaying_the_log_leaves_the_cursors_of_appliances_right(
    database: Database,
) -> None:
    room = build(database)
    await publish(database, "ver_1", "ver_2")
    await room.followers[0].catch_up()
    before = await snapshot(room.service)
    await room.followers[0].rewind()
    await room.followers[0].catch_up()
    assert await snapshot(room.service) == before
    assert names(await snapshot(room.service, before.cursor)) == []


async def test_a_cursor_from_a_database_that_was_ahead_starts_again(database: Database) -> None:
    room = build(database)
    await publish(database, "ver_1")
    await room.followers[0].catch_up()
    assert names(await snapshot(room.service, "999")) == ["ver_1"]


async def test_a_long_list_comes_in_pages(database: Database) -> None:
    room = build(database)
    total = service.SNAPSHOT_VERSIONS + 5
    async with database.transaction() as transaction:
        await transaction.execute(
            text(
                "insert into steering.published (version_id, index_blake3) "
                "select 'ver_' || n, '' from generate_series(1, :total) n"
            ),
            {"total": total},
        )
    first = await snapshot(room.service)
    rest = await snapshot(room.service, first.cursor)
    assert (len(first.versions), len(rest.versions)) == (service.SNAPSHOT_VERSIONS, 5)


async def stop(database: Database, *sessions: str, hours: float = 1) -> None:
    for session in sessions:
        async with database.transaction() as transaction:
            event = PlayStopped(
                session_id=PlaySessionId(session),
                stopped_at=CLOCK.now(),
                expires_at=CLOCK.now() + timedelta(hours=hours),
            )
            await Log(CLOCK).append(transaction, PLAYBACK, session, event)


async def revoked(steering: Steering, after: str = "") -> tuple[list[str], str]:
    found = await steering.get_snapshot(GetSnapshot(appliance_id=A, revoked_after=after))
    return [each.session_id for each in found.revoked], found.revoked_cursor


async def test_an_appliance_learns_of_each_stopped_play_once(database: Database) -> None:
    room = build(database)
    _, follower = room.followers
    assert await revoked(room.service) == ([], "0")
    await stop(database, "play_1", "play_2", "play_1")
    await follower.catch_up()
    told, cursor = await revoked(room.service)
    assert told == ["play_1", "play_2"]
    assert await revoked(room.service, cursor) == ([], cursor)
    await stop(database, "play_3")
    await follower.catch_up()
    assert (await revoked(room.service, cursor))[0] == ["play_3"]
    assert (await revoked(room.service, "999"))[0] == ["play_1", "play_2", "play_3"]


async def test_a_stopped_play_is_redirected_no_more_and_others_are(database: Database) -> None:
    clock = ManualClock()
    room = build(database, clock)
    _, follower = room.followers
    await room.service.report(
        Report(
            appliance_id=A,
            url="http://edge-a.test",
            healthy=True,
            in_flight=0,
            inventory_revision=1,
            versions=[FILM],
        )
    )
    plays = [
        await room.service.rank(
            Rank(
                session_id=PlaySessionId(f"play_{number}"),
                version_id=FILM,
                expires_at=clock.now() + timedelta(hours=1),
            )
        )
        for number in range(2)
    ]
    asked = [Redirect(token=each.redirect_token) for each in plays]
    await room.service.redirect(asked[0])
    await stop(database, "play_0")
    await follower.catch_up()
    clock.advance(1)
    with pytest.raises(SteeringOver, match="over"):
        await room.service.redirect(asked[0])
    assert (await room.service.redirect(asked[1])).session_id == "play_1"


async def test_a_stopped_play_leaves_the_list_when_its_tokens_end(database: Database) -> None:
    clock = ManualClock()
    room = build(database, clock)
    _, follower = room.followers
    await stop(database, "play_short", hours=0.5)
    await stop(database, "play_long", hours=9)
    await follower.catch_up()
    clock.advance(3600)
    await stop(database, "play_next", hours=9)
    await stop(database, "play_over_already", hours=0.7)
    await follower.catch_up()
    assert (await revoked(room.service))[0] == ["play_long", "play_next"]


async def test_of_too_many_stopped_plays_the_newest_are_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_REVOKED", 3)
    room = build(database)
    await stop(database, *(f"play_{number}" for number in range(7)))
    await room.followers[1].catch_up()
    assert (await revoked(room.service))[0] == ["play_4", "play_5", "play_6"]


async def say(
    steering: Steering,
    appliance_id: ApplianceId,
    versions: list[VersionId] | None,
    revision: int = 1,
) -> bool:
    accepted = await steering.report(
        Report(
            appliance_id=appliance_id,
            url=f"http://{appliance_id}.test",
            healthy=True,
            in_flight=0,
            inventory_revision=revision,
            versions=versions,
        )
    )
    return accepted.send_inventory


async def ranked(steering: Steering, clock: Clock) -> list[ApplianceId]:
    ranking = await steering.rank(
        Rank(
            session_id=PlaySessionId("play_1"),
            version_id=FILM,
            expires_at=clock.now() + timedelta(hours=1),
        )
    )
    return [found.appliance_id for found in ranking.appliances]


async def test_an_appliance_that_stops_reporting_leaves_within_two_real_seconds(
    database: Database,
) -> None:
    clock = SystemClock()
    steering = build(database, clock).service
    loop = asyncio.get_running_loop()

    async def report_for_ever(appliance_id: ApplianceId) -> None:
        versions: list[VersionId] | None = [FILM]
        while True:
            await say(steering, appliance_id, versions)
            versions = None
            await asyncio.sleep(REPORT_EVERY_S)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        reporters = [group.create_task(report_for_ever(name)) for name in (A, B)]
        while set(await ranked(steering, clock)) != {A, B}:
            await asyncio.sleep(0.02)
        await asyncio.sleep(REPORT_EVERY_S * 1.5)
        reporters[0].cancel()
        died_at_s = loop.time()
        while A in await ranked(steering, clock):
            await asyncio.sleep(0.02)
        gone_after_s = loop.time() - died_at_s
        assert await ranked(steering, clock) == [B]
        reporters[1].cancel()
    assert 0.9 < gone_after_s < 2
    print(f"a dead appliance left the ranking after {gone_after_s:.2f} s")


async def test_a_ranking_reads_the_database_at_most_every_fifth_of_a_second(
    database: Database,
) -> None:
    clock = ManualClock()
    steering = build(database, clock).service
    await say(steering, A, [FILM])
    assert await ranked(steering, clock) == [A]
    async with database.transaction() as transaction:
        await transaction.execute(text("truncate steering.held"))
    clock.advance(service.FRESH_S - 0.01)
    assert await ranked(steering, clock) == [A]
    clock.advance(0.01)
    assert await ranked(steering, clock) == []


async def test_what_is_cached_is_bounded(database: Database) -> None:
    clock = ManualClock()
    steering = build(database, clock).service
    assert isinstance(steering, service.SteeringService)
    for number in range(service.CACHED_VERSIONS + 20):
        await steering.rank(
            Rank(
                session_id=PlaySessionId("play_1"),
                version_id=VersionId(f"ver_{number}"),
                expires_at=clock.now(),
            )
        )
    assert len(steering._known_by) == service.CACHED_VERSIONS


async def test_reports_that_cross_leave_one_whole_inventory(database: Database) -> None:
    steering = build(database).service
    first = [VersionId(f"ver_{n}") for n in range(50)]
    second = [VersionId(f"ver_{n}") for n in range(25, 75)]
    await asyncio.gather(
        *(say(steering, A, versions, revision) for revision, versions in enumerate([first, second]))
    )
    async with database.transaction() as transaction:
        rows = await transaction.execute(text("select version_id from steering.held"))
        held = {row.version_id for row in rows}
        revision = await transaction.execute(
            text("select inventory_revision from steering.appliance")
        )
        assert held == set([first, second][revision.scalar_one()])


async def test_a_retired_appliance_never_ranks(database: Database) -> None:
    await say(build(database).service, B, [FILM])
    fewer = wiring.build(
        database=database,
        log=Log(CLOCK),
        clock=CLOCK,
        fill=untold(),
        appliance_ids=(A,),
        token_keys=[TokenKey("k1", b"1" * 32)],
    ).service
    assert await ranked(fewer, CLOCK) == []


async def test_a_database_that_is_away_is_unavailable() -> None:
    away = Database("postgresql+psycopg://cuemark@/none?host=/nowhere")
    with pytest.raises(Unavailable):
        await ranked(build(away).service, CLOCK)
    await away.close()


async def test_redirects_go_on_as_they_were_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    steering = build(database, clock).service
    said = Report(
        appliance_id=A,
        url="http://edge-a.test",
        healthy=True,
        in_flight=0,
        inventory_revision=1,
        versions=[FILM],
    )
    await steering.report(said)
    first, second = [
        await steering.rank(
            Rank(
                session_id=PlaySessionId(f"play_{number}"),
                version_id=FILM,
                expires_at=clock.now() + timedelta(hours=1),
            )
        )
        for number in range(2)
    ]
    found = await steering.redirect(Redirect(token=first.redirect_token))
    await database.close()
    away = Database("postgresql+psycopg://cuemark@/none?host=/nowhere")
    monkeypatch.setattr(database, "transaction", away.transaction)
    clock.advance(60)
    assert await steering.redirect(Redirect(token=first.redirect_token)) == found
    with pytest.raises(Unavailable):
        await steering.redirect(Redirect(token=second.redirect_token))
    await away.close()


async def test_a_version_is_told_as_placed_once_however_many_hold_it(database: Database) -> None:
    room = build(database)
    follower, _ = room.followers
    await publish(database, "ver_1", "ver_2")
    await follower.catch_up()
    for appliance_id, held in ((A, ["ver_1"]), (B, ["ver_1"]), (A, ["ver_1", "ver_2"]), (B, [])):
        await say(room.service, appliance_id, [VersionId(name) for name in held])
    async with database.transaction() as transaction:
        told = await Log(CLOCK).read(transaction, ["steering"], Cursor())
    assert [(entry.kind, entry.key) for entry in told] == [
        ("VersionPlaced", "ver_1"),
        ("VersionPlaced", "ver_2"),
    ]
