"""A play over the real catalog, viewers, licensing and steering, joined by the real log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import perf_counter
from typing import cast

import pytest

from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.licensing import wiring as licensing_wiring
from cuemark.contexts.playback import wiring
from cuemark.contexts.steering import wiring as steering_wiring
from cuemark.contexts.viewers import wiring as viewers_wiring
from cuemark.contracts.catalog import Catalog, CreateTitle
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.events import TOPIC, VersionPublished
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion, Version
from cuemark.contracts.ids import AccountId, ApplianceId, ProfileId, TitleId, VersionId
from cuemark.contracts.playback import CannotPlay, Play, Playback, StartPlay
from cuemark.contracts.steering import Steering
from cuemark.contracts.steering.reports import Report
from cuemark.contracts.viewers import RecordProgress, Viewers
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from tests.databases import opened
from tests.unit.playback.versions import version
from tests.unit.steering.teller import untold
from tests.vaults import vault_of

EDGES = [ApplianceId("edge-a"), ApplianceId("edge-b")]


class OneVersion:
    """The one answer of encoding that a play needs: the description of a version."""

    async def get_version(self, request: GetVersion) -> Version:
        if request.version_id != version().version_id:
            raise UnknownVersion("No version has this id.")
        return version()


class Install:
    """The contexts of a play on one database."""

    def __init__(self, database: Database) -> None:
        clock = SystemClock()
        log, self.ids = Log(clock), Ids(clock)
        catalog = catalog_wiring.build(database, log, clock, self.ids)
        viewers = viewers_wiring.build(database, clock)
        licensing = licensing_wiring.build(database=database, clock=clock, vault=vault_of())
        steering = steering_wiring.build(
            database=database,
            log=log,
            clock=clock,
            fill=untold(),
            appliance_ids=EDGES,
            token_keys=[TokenKey("k1", b"1" * 32)],
        )
        self.database, self.log, self.clock = database, log, clock
        self.followers: list[Follower] = [*catalog.followers, *steering.followers]
        self.catalog: Catalog = catalog.service
        self.viewers: Viewers = viewers.service
        self.steering: Steering = steering.service
        self.playback: Playback = wiring.build(
            database=database,
            log=log,
            clock=clock,
            ids=self.ids,
            catalog=catalog.service,
            encoding=cast(Encoding, OneVersion()),
            licensing=licensing.service,
            steering=steering.service,
            viewers=viewers.service,
            fingerprint_key=bytes(32),
        ).service
        self.account_id = AccountId(self.ids.new("acc"))
        self.profile_id = ProfileId(self.ids.new("prf"))

    async def publish(self, title_id: TitleId, version_id: VersionId) -> None:
        async with self.database.transaction() as transaction:
            event = VersionPublished(
                version_id=version_id,
                title_id=title_id,
                quality="full",
                duration_s=version().duration_s,
                artwork_key="",
                index_blake3="b3",
                published_at=self.clock.now(),
            )
            await self.log.append(transaction, TOPIC, version_id, event)
        await self.follow()

    async def follow(self) -> None:
        for follower in self.followers:
            await follower.catch_up()

    async def report(self, *appliance_ids: ApplianceId, healthy: bool = True) -> None:
        for appliance_id in appliance_ids:
            await self.steering.report(
                Report(
                    appliance_id=appliance_id,
                    url=f"http://{appliance_id}.test",
                    healthy=healthy,
                    in_flight=0,
                    inventory_revision=1,
                    versions=[version().version_id],
                )
            )
        await self.follow()

    async def start(self, title_id: TitleId) -> Play:
        return await self.playback.start(
            StartPlay(account_id=self.account_id, profile_id=self.profile_id, title_id=title_id)
        )


@pytest.fixture
async def install(database_url: str) -> AsyncIterator[Install]:
    owners = (catalog_wiring, licensing_wiring, steering_wiring, viewers_wiring, wiring)
    async with opened(database_url, *owners) as database:
        yield Install(database)


async def test_a_film_is_published_played_left_and_resumed(install: Install) -> None:
    title = await install.catalog.create_title(CreateTitle(name="Sintel"))
    with pytest.raises(CannotPlay, match="Sintel is not ready"):
        await install.start(title.title_id)
    await install.publish(title.title_id, version().version_id)
    with pytest.raises(CannotPlay, match="Sintel is not ready"):
        await install.start(title.title_id)
    await install.report(*EDGES, healthy=False)
    with pytest.raises(CannotPlay, match="No appliance has Sintel"):
        await install.start(title.title_id)
    await install.report(*EDGES)
    await asyncio.sleep(0.25)
    first = await install.start(title.title_id)
    assert (first.resume_s, set(first.appliances)) == (0, set(EDGES))
    await install.viewers.record_progress(
        RecordProgress(
            profile_id=install.profile_id,
            title_id=title.title_id,
            session_id=first.session_id,
            sequence=1,
            position_s=2.5,
            duration_s=first.duration_s,
        )
    )
    assert (await install.start(title.title_id)).resume_s == 2.5


async def test_what_one_play_costs(install: Install) -> None:
    """Printed; the bound only catches a play that waits for something."""
    title = await install.catalog.create_title(CreateTitle(name="Sintel"))
    await install.publish(title.title_id, version().version_id)
    await install.report(*EDGES)

    async def timed(times: int, call: Callable[[], Awaitable[object]]) -> list[float]:
        took = []
        for _ in range(times):
            began_s = perf_counter()
            await call()
            took.append((perf_counter() - began_s) * 1000)
        return sorted(took)

    alone = await timed(30, lambda: install.start(title.title_id))
    began_s = perf_counter()
    await install.report(*EDGES)
    await asyncio.gather(*(install.start(title.title_id) for _ in range(64)))
    together_ms = (perf_counter() - began_s) * 1000
    print(
        f"start: median {alone[15]:.1f} ms, worst {alone[-1]:.1f} ms; "
        f"64 at once {together_ms:.0f} ms"
    )
    assert alone[15] < 250
