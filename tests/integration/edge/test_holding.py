"""Two appliances whose stores have room for one film of two, and the control that steers by what
they tell: real PostgreSQL, fill and steering; real agents, nginx and an origin."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import msgspec
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from cuemark.contexts.fill import wiring as fill_wiring
from cuemark.contexts.steering import wiring
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.events import TOPIC, VersionPublished
from cuemark.contracts.fill import Fill, MakePlan
from cuemark.contracts.ids import ApplianceId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.steering import (
    ExplainRanking,
    ListAppliances,
    Rank,
    RankedAppliance,
    SetDraining,
    Steering,
)
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.link import InternalApp, serve
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from cuemark.kit.passport import PassportOffice
from tests.contract.fill.house import Studio
from tests.databases import opened
from tests.integration.edge.farm import PASSPORT_KEY, Farm, free_port, noise
from tests.integration.edge.wire import Reply, fetch
from tests.unit.playback.versions import HD, audio_track, rendition, version

ONE, TWO = ApplianceId("appliance-1"), ApplianceId("appliance-2")
SEGMENTS, SIZE = 12, 250_000
STORE_BYTES = 4_000_000
PATHS = [f"v1/{segment}.m4s" for segment in range(1, SEGMENTS + 1)]
CLOCK = SystemClock()


class Beside(Farm):
    """An appliance, with an origin where it has none beside it; its control is elsewhere."""

    def __init__(self, root: Path, control_url: str, beside: Farm | None = None) -> None:
        super().__init__(
            root,
            beside=beside,
            control_url=control_url,
            store_limit_bytes=STORE_BYTES,
            tell_every_s=0.3,
            manifest_every_s=0.3,
        )
        url = f"http://127.0.0.1:{self.appliance.port}/"
        self.appliance = msgspec.structs.replace(self.appliance, url=url)

    def start_all(self) -> None:
        for name in ("origin", "agent", "nginx"):
            if name != "origin" or self.beside is None:
                self.start(name)


class Control:
    """Steering and fill of an install, and two appliances on processes of their own."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.port = free_port()
        url = f"http://127.0.0.1:{self.port}"
        self.first = Beside(folder / "one", url)
        self.second = Beside(folder / "two", url, self.first)
        self.farms: dict[ApplianceId, Farm] = {ONE: self.first, TWO: self.second}
        self.database, self.log, self.studio = database, Log(CLOCK), Studio()
        self._fill = fill_wiring.build(
            database=database,
            log=self.log,
            clock=CLOCK,
            encoding=cast(Encoding, self.studio),
            objects=Objects(self.first.objects),
            appliance_ids=(ONE, TWO),
        )
        self._steering = wiring.build(
            database=database,
            log=self.log,
            clock=CLOCK,
            fill=self._fill.service,
            appliance_ids=(ONE, TWO),
            token_keys=[TokenKey("2026a", b"2026a" * 8)],
        )
        self.fill: Fill = self._fill.service
        self.steering: Steering = self._steering.service

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        office = PassportOffice(bytes.fromhex(PASSPORT_KEY), CLOCK)
        routes = [serve(Steering, self.steering), serve(Fill, self.fill)]
        app = InternalApp(routes, office)
        server = Server(app, port=self.port, interface=Interfaces.ASGI, log_enabled=False)
        rooms = (self._fill, self._steering)
        tasks = [
            *(asyncio.create_task(follower.run()) for room in rooms for follower in room.followers),
            *(asyncio.create_task(keeper()) for room in rooms for keeper in room.keepers),
        ]
        serving = asyncio.create_task(server.serve())
        try:
            for built in (self.first, self.second):
                await asyncio.to_thread(built.start_all)
            yield
        finally:
            for built in (self.second, self.first):
                await asyncio.to_thread(built.stop_all)
            for task in tasks:
                task.cancel()
            server.stop()  # type: ignore[no-untyped-call]
            await asyncio.gather(serving, *tasks, return_exceptions=True)

    async def publish(self, name: str, seed: int) -> VersionId:
        files = {path: noise(SIZE, seed + number) for number, path in enumerate(PATHS)}
        version_id = self.first.publish(files)
        (blake3,) = (e.index_blake3 for e in self.first.versions if e.version_id == version_id)
        made = msgspec.structs.replace(
            version(),
            version_id=version_id,
            title_id=TitleId(f"ttl_{name}"),
            renditions=[rendition("v1", 640, 360, 500, HD)],
            audio=[audio_track("a-en")],
            published_at=CLOCK.now(),
        )
        self.studio.versions[version_id] = made
        event = VersionPublished(
            version_id=version_id,
            title_id=made.title_id,
            quality="full",
            duration_s=60.0,
            artwork_key="",
            index_blake3=blake3,
            published_at=made.published_at,
        )
        async with self.database.transaction() as transaction:
            await self.log.append(transaction, TOPIC, version_id, event)
        return version_id

    async def ranked(self, version_id: VersionId, session: int = 1) -> list[RankedAppliance]:
        ranking = await self.steering.rank(
            Rank(
                session_id=PlaySessionId(f"play_{session}"),
                version_id=version_id,
                expires_at=CLOCK.now() + timedelta(hours=1),
            )
        )
        return ranking.appliances

    async def firsts(self, version_id: VersionId) -> Counter[ApplianceId]:
        """Where three sessions would begin: few, since each counts as placed there."""
        rankings = [await self.ranked(version_id, session) for session in range(3)]
        return Counter(ranking[0].appliance_id for ranking in rankings if ranking)

    async def until_first(self, version_id: VersionId, appliance_id: ApplianceId) -> None:
        async with asyncio.timeout(20):
            while await self.firsts(version_id) != {appliance_id: 3}:
                await asyncio.sleep(0.2)

    async def alive(self) -> set[ApplianceId]:
        listed = await self.steering.list_appliances(ListAppliances())
        return {each.appliance_id for each in listed.appliances if each.alive}

    async def percent(self, version_id: VersionId) -> dict[ApplianceId, int | None]:
        asked = ExplainRanking(address="192.0.2.7", version_id=version_id)
        told = await self.steering.explain_ranking(asked)
        return {each.appliance_id: each.held_percent for each in told.candidates}

    async def until_divided(self, *films: VersionId) -> list[ApplianceId]:
        """Until each film is whole on one appliance, as fill planned it, and steering knows."""
        async with asyncio.timeout(40):
            while True:
                percents = [await self.percent(film) for film in films]
                whole = [[name for name, held in each.items() if held == 100] for each in percents]
                if all(len(each) == 1 for each in whole):
                    return [name for (name,) in whole]
                await asyncio.sleep(0.1)

    async def view(self, version_id: VersionId, appliance_id: ApplianceId) -> list[Reply]:
        """Watch a film on one appliance, by the address that a play would have."""
        (at,) = [e for e in await self.ranked(version_id) if e.appliance_id == appliance_id]
        where = urlsplit(at.media_url)
        return [
            await asyncio.to_thread(fetch, where.port or 0, where.path + path) for path in PATHS
        ]


@pytest.fixture
async def control(tmp_path: Path, database_url: str) -> AsyncIterator[Control]:
    async with opened(database_url, fill_wiring, wiring) as database:
        built = Control(tmp_path, database)
        async with built.running():
            yield built


def hits(replies: list[Reply]) -> int:
    assert {reply.status for reply in replies} == {200}
    return sum(reply.headers["cache-status"].endswith("; hit") for reply in replies)


async def test_a_play_goes_to_the_appliance_that_holds_its_film(control: Control) -> None:
    film, other = await control.publish("film", 100), await control.publish("other", 200)
    async with asyncio.timeout(30):
        while len(told := await control.percent(film)) < 2 or None in told.values():
            await asyncio.sleep(0.1)
    await control.fill.make_plan(MakePlan())
    holder, of_other = await control.until_divided(film, other)
    assert holder != of_other, "nobody has room for both"
    await control.until_first(film, holder)
    await control.until_first(other, of_other)
    assert hits(await control.view(film, holder)) == SEGMENTS

    await control.steering.set_draining(SetDraining(appliance_id=holder, draining=True))
    await control.until_first(film, of_other)
    await control.steering.set_draining(SetDraining(appliance_id=holder, draining=False))
    await control.until_first(film, holder)

    for child in ("agent", "nginx"):
        await asyncio.to_thread(control.farms[holder].children[child].kill)
    async with asyncio.timeout(20):
        while await control.alive() != {of_other}:
            await asyncio.sleep(0.1)
    assert await control.firsts(film) == {of_other: 3}
    assert hits(await control.view(film, of_other)) < SEGMENTS, "it fetches what it lacks"
