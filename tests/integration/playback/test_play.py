"""A play over the real catalog, viewers, licensing and steering, joined by the real log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import cast

import msgspec
import pytest

from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.experiments import wiring as experiments_wiring
from cuemark.contexts.licensing import wiring as licensing_wiring
from cuemark.contexts.playback import wiring
from cuemark.contexts.playback.service.ending import RightsKeeper
from cuemark.contexts.rights import wiring as rights_wiring
from cuemark.contexts.steering import wiring as steering_wiring
from cuemark.contexts.viewers import wiring as viewers_wiring
from cuemark.contracts.catalog import Catalog, CreateTitle
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.events import TOPIC, VersionPublished
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion, Version
from cuemark.contracts.ids import AccountId, ApplianceId, ProfileId, TitleId, VersionId
from cuemark.contracts.licensing import GetLicence, LicenceRefused, ProvisionKeys
from cuemark.contracts.playback import (
    CannotPlay,
    GetPlay,
    NoRight,
    Play,
    Playback,
    StartPlay,
    UnknownPlay,
)
from cuemark.contracts.rights import Moment, SetRights, TitleWindows, UndoRights, Window
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

GRACE = timedelta(minutes=15)
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
        rights = rights_wiring.build(database, log, clock, rights_wiring.Terms())
        licensing = licensing_wiring.build(
            database=database,
            clock=clock,
            rights=rights.service,
            catalog=catalog.service,
            vault=vault_of(),
        )
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
        self.rights = rights.service
        room = wiring.build(
            database=database,
            log=log,
            clock=clock,
            ids=self.ids,
            catalog=catalog.service,
            encoding=cast(Encoding, OneVersion()),
            experiments=experiments_wiring.build(database, clock, self.ids).service,
            licensing=licensing.service,
            rights=rights.service,
            steering=steering.service,
            viewers=viewers.service,
            fingerprint_key=bytes(32),
        )
        self.playback: Playback = room.service
        self.licensing = licensing.service
        self.followers += room.followers
        self.keeper = RightsKeeper(database, clock, self.rights, self.playback)
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

    async def start(self, title_id: TitleId, territory: str = "") -> Play:
        return await self.playback.start(
            StartPlay(
                account_id=self.account_id,
                profile_id=self.profile_id,
                title_id=title_id,
                territory=territory,
            )
        )


@pytest.fixture
async def install(database_url: str) -> AsyncIterator[Install]:
    owners = (
        catalog_wiring,
        experiments_wiring,
        licensing_wiring,
        rights_wiring,
        steering_wiring,
        viewers_wiring,
        wiring,
    )
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


async def test_a_film_plays_in_its_window_alone_and_a_play_ends_with_it(install: Install) -> None:
    title_id = (await install.catalog.create_title(CreateTitle(name="Sintel"))).title_id
    await install.publish(title_id, version().version_id)
    await install.report(*EDGES)
    window = Window(window_id="w", territories=["DE"], licence_type="SVOD")

    async def put(*windows: Window) -> None:
        sets = [TitleWindows(title_id=title_id, windows=list(windows))]
        await install.rights.set_rights(SetRights(sets=sets))
        await install.follow()

    await put(window)
    with pytest.raises(NoRight, match="Sintel may not be played in FR"):
        await install.start(title_id, "FR")
    begun = await install.start(title_id, "DE")
    end = install.clock.now() + timedelta(minutes=30)
    said = Moment(wall=end.replace(tzinfo=None).isoformat(), zone="UTC")
    await put(msgspec.structs.replace(window, end=said))
    bounded = await install.start(title_id, "DE")
    assert bounded.expires_at == end + GRACE
    assert bounded.expires_at < begun.expires_at
    assert await install.keeper.look() == 0
    await put()
    assert await install.keeper.look() == 2
    for play in (begun, bounded):
        asked = GetPlay(session_id=play.session_id, account_id=install.account_id)
        with pytest.raises(UnknownPlay):
            await install.playback.get_play(asked)
        keys = await install.licensing.provision_keys(
            ProvisionKeys(version_id=version().version_id, labels=["SD"])
        )
        ask = GetLicence(
            session_id=play.session_id,
            account_id=install.account_id,
            kids=[key.kid for key in keys.keys],
        )
        with pytest.raises(LicenceRefused):
            await install.licensing.get_licence(ask)
    undone = await install.rights.undo_rights(UndoRights(title_id=title_id))
    assert undone.windows[0].end == said
    assert await install.start(title_id, "DE")
