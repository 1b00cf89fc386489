"""What appliances and operators may rely on of telemetry, however it is reached."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuemark.contexts.telemetry import wiring
from cuemark.contexts.telemetry.service import TelemetryService
from cuemark.contexts.telemetry.store.archive import Archive
from cuemark.contracts import playback
from cuemark.contracts.ids import AccountId, ApplianceId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.playback import PlayStarted
from cuemark.contracts.telemetry import (
    ApplianceTraffic,
    ApplianceUnknown,
    Cmcd,
    GetTraffic,
    Line,
    LinePage,
    LinesInvalid,
    LinesTaken,
    ListLines,
    TakeLines,
    Telemetry,
    TrafficInvalid,
)
from cuemark.edge.lines import packed
from cuemark.kit.bulkhead import Bulkhead
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.pages import PageInvalid
from cuemark.kit.tracing import trace
from tests.contract.conftest import Reach
from tests.databases import opened

ONE, TWO = ApplianceId("appliance-1"), ApplianceId("appliance-2")
DAYS = 30
LED = "ab" * 16


@dataclass(frozen=True)
class Desk:
    """Telemetry as its callers see it, and what is behind it."""

    telemetry: Telemetry
    clock: ManualClock
    folder: Path
    database: Database
    log: Log
    follower: Follower

    def lines(self, *paths: str, **changes: Any) -> list[Line]:
        at_s = self.clock.now().timestamp()
        told = Line(at_s=at_s, sc_status=200, sc_bytes=100, cache_status="cuemark-a; hit")
        return [msgspec.structs.replace(told, path=path, **changes) for path in paths]

    async def take(
        self, sequence: int, lines: list[Line], appliance: ApplianceId = ONE, **changes: Any
    ) -> LinesTaken:
        batch = TakeLines(
            appliance_id=appliance,
            epoch="0a",
            sequence=sequence,
            count=len(lines),
            first_at_s=min(line.at_s for line in lines),
            last_at_s=max(line.at_s for line in lines),
            body=packed(lines),
        )
        return await self.telemetry.take_lines(msgspec.structs.replace(batch, **changes))

    async def traffic(self, minutes: int = 15, **wanted: Any) -> list[ApplianceTraffic]:
        since = self.clock.now() - timedelta(minutes=minutes)
        return (await self.telemetry.get_traffic(GetTraffic(since=since, **wanted))).appliances

    async def requests(self, **wanted: Any) -> dict[tuple[str, str, str], int]:
        """By appliance, outcome and source."""
        return {
            (each.appliance_id, share.outcome, share.source): share.requests
            for each in await self.traffic(**wanted)
            for share in each.shares
        }

    async def page(self, after: str = "", limit: int = 50, **wanted: Any) -> LinePage:
        return await self.telemetry.list_lines(ListLines(after=after, limit=limit, **wanted))

    def kept(self) -> list[bytes]:
        """The lines in the files, as a lakehouse would find them."""
        files = sorted(self.folder.rglob("*.ndjson.gz"))
        return b"".join(gzip.decompress(file.read_bytes()) for file in files).splitlines()


def paths(page: LinePage) -> list[str]:
    return [told.line.path for told in page.lines]


@pytest.fixture
async def desk(reach: Reach, database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with opened(database_url, wiring) as database:
        log = Log(clock)
        room = wiring.build(database, log, clock, tmp_path / "edge", [ONE, TWO], DAYS)
        telemetry = await reach(Telemetry, room.service)
        yield Desk(telemetry, clock, tmp_path / "edge", database, log, *room.followers)


async def test_what_was_taken_is_kept_and_added_up_at_once(desk: Desk) -> None:
    lines = desk.lines("1.m4s", "2.m4s", cmcd=Cmcd(bl=900, bs=True))
    miss = desk.lines(
        "3.m4s",
        source="peer",
        source_name="appliance-2",
        waited_s=0.03,
        cache_status="cuemark-a; fwd=miss; stored; detail=peer",
    )
    assert await desk.take(1, [*lines, *miss]) == LinesTaken(taken=True)
    (told,) = await desk.traffic()
    hit, content = sorted(told.shares, key=lambda share: share.outcome, reverse=True)
    assert (hit.outcome, hit.requests, hit.sent_bytes) == ("hit", 2, 200)
    assert hit.wait_p50_s is None
    assert (content.outcome, content.source, content.wait_p95_s) == ("content", "peer", 0.05)
    assert (told.told, told.starved, told.lost_lines) == (2, 2, 0)
    kept = [msgspec.json.decode(line, type=Line) for line in desk.kept()]
    assert kept == [*lines, *miss]


async def test_a_batch_that_comes_twice_counts_once_in_any_order(desk: Desk) -> None:
    for sequence in (2, 1, 2, 3, 1, 3):
        assert (await desk.take(sequence, desk.lines(f"{sequence}.m4s"))).taken
    assert await desk.requests() == {(ONE, "hit", ""): 3}
    assert len(desk.kept()) == 3
    assert (await desk.take(1, desk.lines("x.m4s"), epoch="0b")).taken
    assert (await desk.take(1, desk.lines("y.m4s"), TWO)).taken
    assert await desk.requests() == {(ONE, "hit", ""): 4, (TWO, "hit", ""): 1}


async def test_batches_that_come_at_once_all_count(desk: Desk) -> None:
    sent = [desk.take(n, desk.lines("1.m4s", "2.m4s")) for n in range(1, 13)]
    answers = await asyncio.gather(*sent)
    taken = sum(answer.taken for answer in answers)
    assert all(answer.wait_s > 0 for answer in answers if not answer.taken)
    assert (await desk.requests())[ONE, "hit", ""] == 2 * taken
    assert len(desk.kept()) == 2 * taken
    for number in range(1, 13):
        assert (await desk.take(number, desk.lines("1.m4s", "2.m4s"))).taken
    assert (await desk.requests())[ONE, "hit", ""] == 24


async def test_lines_of_strangers_and_what_is_no_batch_change_nothing(desk: Desk) -> None:
    with pytest.raises(ApplianceUnknown):
        await desk.take(1, desk.lines("1.m4s"), ApplianceId("../../etc"))
    for wrong in ({"body": b"x"}, {"count": 2}, {"epoch": "/"}):
        with pytest.raises(LinesInvalid):
            await desk.take(1, desk.lines("1.m4s"), **wrong)
    assert await desk.traffic() == []
    assert not desk.folder.exists()
    assert (await desk.take(1, desk.lines("1.m4s"))).taken


async def test_lines_that_were_lost_are_told(desk: Desk) -> None:
    await desk.take(1, desk.lines("1.m4s"), lost_lines=70)
    await desk.take(2, desk.lines("2.m4s"), lost_lines=7)
    (told,) = await desk.traffic()
    assert told.lost_lines == 77
    assert sum(share.requests for share in told.shares) == 2


async def test_hits_of_a_play_that_was_led_past_an_appliance_are_health_misses(desk: Desk) -> None:
    started = PlayStarted(
        session_id=PlaySessionId("play_1"),
        account_id=AccountId("acc_1"),
        title_id=TitleId("ttl_1"),
        version_id=VersionId("ver_1"),
        started_at=desk.clock.now(),
        led_past=True,
    )
    for trace_id, event in (
        (LED, started),
        ("cd" * 16, msgspec.structs.replace(started, led_past=False)),
    ):
        with trace(trace_id):
            async with desk.database.transaction() as transaction:
                await desk.log.append(transaction, playback.TOPIC, event.session_id, event)
    await desk.follower.catch_up()
    await desk.take(1, desk.lines("1.m4s", trace_id=LED) + desk.lines("2", trace_id="cd" * 16))
    assert await desk.requests() == {(ONE, "health", ""): 1, (ONE, "hit", ""): 1}
    assert [told.outcome for told in (await desk.page()).lines] == ["health", "hit"]


async def test_traffic_is_that_of_a_time_an_appliance_and_versions(desk: Desk) -> None:
    a, b = VersionId("ver_a"), VersionId("ver_b")
    await desk.take(1, desk.lines("1", version_id=a))
    desk.clock.advance(3600)
    await desk.take(2, desk.lines("2", "3", version_id=b))
    await desk.take(1, desk.lines("4", version_id=a), TWO)
    assert await desk.requests(minutes=10) == {(ONE, "hit", ""): 2, (TWO, "hit", ""): 1}
    assert await desk.requests(minutes=90) == {(ONE, "hit", ""): 3, (TWO, "hit", ""): 1}
    assert await desk.requests(minutes=90, appliance_id=ONE, version_ids=[a]) == {
        (ONE, "hit", ""): 1
    }
    for wrong in ({"minutes": 60 * 24 * 31}, {"minutes": -1}, {"version_ids": [a] * 201}):
        with pytest.raises(TrafficInvalid):
            await desk.traffic(**wrong)


async def test_the_last_lines_are_listed_and_those_that_come_after(desk: Desk) -> None:
    assert (await desk.page()).lines == []
    await desk.take(1, desk.lines("1", "2", "3"))
    await desk.take(2, desk.lines("4", "5"))
    await desk.take(1, desk.lines("other"), TWO)
    assert paths(await desk.page()) == ["1", "2", "3", "4", "5", "other"]
    last = await desk.page(limit=2)
    assert paths(last) == ["5", "other"]
    again = await desk.page(last.newest)
    assert (again.lines, again.newest) == ([], last.newest)
    await desk.take(3, desk.lines("6", "7", "8"))
    seen, cursor = [], last.newest
    for _ in range(3):
        page = await desk.page(cursor, limit=2, appliance_id=ONE)
        seen.append(paths(page))
        cursor = page.newest
    assert seen == [["6", "7"], ["8"], []]
    with pytest.raises(PageInvalid):
        await desk.page("mine")
    with pytest.raises(PageInvalid):
        await desk.page(limit=0)


async def test_lines_whose_file_is_gone_are_passed_over(desk: Desk) -> None:
    await desk.take(1, desk.lines("1"))
    first = await desk.page()
    (file,) = desk.folder.rglob("*.gz")
    file.unlink()
    await desk.take(2, desk.lines("2"))
    assert paths(await desk.page()) == ["2"]
    assert paths(await desk.page(first.newest)) == ["2"]


async def test_what_is_older_than_it_is_kept_goes(desk: Desk, database_url: str) -> None:
    service = wiring.build(desk.database, desk.log, desk.clock, desk.folder, [ONE], DAYS).service
    assert isinstance(service, TelemetryService)
    await desk.take(1, desk.lines("1"))
    desk.clock.advance(86_400 * (DAYS - 1))
    await desk.take(2, desk.lines("2"))
    await service.forget()
    assert await desk.requests(minutes=60 * 24 * DAYS) == {(ONE, "hit", ""): 2}
    desk.clock.advance(86_400 * 2)
    await service.forget()
    assert await desk.requests(minutes=60 * 24 * DAYS) == {(ONE, "hit", ""): 1}
    assert len(desk.kept()) == 1


async def test_who_comes_while_control_is_busy_is_told_to_wait(
    database_url: str, tmp_path: Path
) -> None:
    clock, held = ManualClock(), threading.Event()
    bulkhead = Bulkhead("telemetry", running=1, waiting=0)
    async with opened(database_url, wiring) as database:
        service = TelemetryService(database, Archive(tmp_path), clock, [ONE], DAYS, bulkhead)
        desk = Desk(service, clock, tmp_path, database, Log(clock), None)  # type: ignore[arg-type]
        work = asyncio.create_task(bulkhead.run(held.wait))
        await asyncio.sleep(0)
        answer = await desk.take(1, desk.lines("1"))
        held.set()
        await work
        assert (answer.taken, answer.wait_s) == (False, 1.0)
        assert (await desk.take(1, desk.lines("1"))).taken
        assert await desk.requests() == {(ONE, "hit", ""): 1}
