"""What every caller of playback may rely on, its neighbours present and away.

Licensing and steering are the real ones. Of catalog, encoding and viewers a play asks one question
each, which ``Shelf`` answers from memory; a neighbour that is away is a closed port.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import msgspec
import pytest
from defusedxml.ElementTree import fromstring
from sqlalchemy import text

from cuemark.contexts.licensing import wiring as licensing_wiring
from cuemark.contexts.playback import service, wiring
from cuemark.contexts.steering import wiring as steering_wiring
from cuemark.contracts.catalog import Catalog, GetTitle, Title, UnknownTitle
from cuemark.contracts.encoding import Encoding, GetVersion, UnknownVersion, Version
from cuemark.contracts.ids import (
    AccountId,
    ApplianceId,
    PlaySessionId,
    ProfileId,
    TitleId,
    VersionId,
)
from cuemark.contracts.licensing import GetLicence, LicenceRefused, Licensing, ProvisionKeys
from cuemark.contracts.playback import (
    TOPIC,
    CannotPlay,
    CannotPlayNow,
    EndPlay,
    GetManifest,
    GetPlay,
    ListPlays,
    Play,
    Playback,
    PlayStarted,
    StartPlay,
    UnknownPlay,
)
from cuemark.contracts.protection import System
from cuemark.contracts.steering import GONE_S, Report, Steering
from cuemark.contracts.viewers import GetResumePoint, ResumePoint, Viewers
from cuemark.kit.cat import TokenKey
from cuemark.kit.channel import Channel
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.link import connect
from cuemark.kit.outbox import Cursor, Log
from cuemark.kit.pages import PageInvalid
from tests.contract.conftest import Reach
from tests.databases import opened
from tests.unit.playback.test_protection import protected
from tests.unit.playback.versions import version

T = TypeVar("T")
OWNER, PROFILE = AccountId("acc_owner"), ProfileId("prf_owner")
FILM, UNPUBLISHED = TitleId("ttl_film"), TitleId("ttl_unpublished")
EDGE = ApplianceId("edge-a")
LICENCE_URL = "https://watch.test/api/v1/plays/x/licence"


class Shelf:
    """Titles, versions and resume points in memory, as far as a play asks for them."""

    def __init__(self, clock: ManualClock) -> None:
        self.version: Version = version()
        self.asked_versions = 0
        self.position_s = 0.0
        self.answers_after_s = 0.0
        self._created_at = clock.now()

    async def get_title(self, request: GetTitle) -> Title:
        if request.title_id not in (FILM, UNPUBLISHED):
            raise UnknownTitle("No title has this id.")
        published = request.title_id == FILM
        return Title(
            title_id=request.title_id,
            name="The Film",
            synopsis="",
            created_at=self._created_at,
            version_id=self.version.version_id if published else None,
            duration_s=self.version.duration_s,
        )

    async def get_version(self, request: GetVersion) -> Version:
        self.asked_versions += 1
        if request.version_id != self.version.version_id:
            raise UnknownVersion("No version has this id.")
        return self.version

    async def get_resume_point(self, request: GetResumePoint) -> ResumePoint:
        await asyncio.sleep(self.answers_after_s)
        return ResumePoint(position_s=self.position_s)


class House:
    """A playback service and its neighbours, each of which can be taken away."""

    def __init__(self, database: Database, clock: ManualClock, closed: Channel) -> None:
        self.database = database
        self.clock = clock
        self.shelf = Shelf(clock)
        self._closed = closed
        self.licensing = licensing_wiring.build(
            database=database, clock=clock, master_key=bytes(32)
        ).service
        self.steering = steering_wiring.build(
            database=database,
            log=Log(clock),
            clock=clock,
            appliance_ids=(EDGE, ApplianceId("edge-b")),
            token_keys=[TokenKey("k1", b"1" * 32)],
        ).service
        self.neighbours: dict[type[Any], object] = {
            Catalog: self.shelf,
            Encoding: self.shelf,
            Viewers: self.shelf,
            Licensing: self.licensing,
            Steering: self.steering,
        }

    def take_away(self, contract: type[Any]) -> None:
        self.neighbours[contract] = connect(contract, self._closed)

    def build(self, offer: wiring.Offer = wiring.CLEARKEY_ALONE) -> Playback:
        return wiring.build(
            database=self.database,
            log=Log(self.clock),
            clock=self.clock,
            ids=Ids(self.clock),
            catalog=cast(Catalog, _Switch(self, Catalog)),
            encoding=cast(Encoding, _Switch(self, Encoding)),
            licensing=cast(Licensing, _Switch(self, Licensing)),
            steering=cast(Steering, _Switch(self, Steering)),
            viewers=cast(Viewers, _Switch(self, Viewers)),
            offer=offer,
        ).service

    async def report(self, appliance_id: ApplianceId = EDGE, in_flight: int = 0) -> None:
        await self.steering.report(
            Report(
                appliance_id=appliance_id,
                url=f"http://{appliance_id}.test:8081",
                healthy=True,
                in_flight=in_flight,
                inventory_revision=1,
                versions=[self.shelf.version.version_id],
            )
        )

    async def kids(self) -> list[str]:
        made = await self.licensing.provision_keys(
            ProvisionKeys(version_id=self.shelf.version.version_id, labels=["AUDIO", "SD", "HD"])
        )
        return [key.kid for key in made.keys]


class _Switch:
    """Whoever stands for a contract in the house just now."""

    def __init__(self, house: House, contract: type[Any]) -> None:
        self._house = house
        self._contract = contract

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house.neighbours[self._contract], name)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of ours on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
async def house(database_url: str, closed_port: int) -> AsyncIterator[House]:
    async with (
        opened(database_url, licensing_wiring, steering_wiring, wiring) as database,
        Channel(f"http://127.0.0.1:{closed_port}", lambda: "") as closed,
    ):
        house = House(database, ManualClock(), closed)
        await house.report()
        yield house


@pytest.fixture
async def playback(house: House, reach: Reach) -> Playback:
    return await reach(Playback, house.build())


async def start(playback: Playback, title_id: TitleId = FILM, device: str = "") -> Play:
    return await playback.start(
        StartPlay(account_id=OWNER, profile_id=PROFILE, title_id=title_id, device=device)
    )


async def manifest(
    playback: Playback,
    session_id: PlaySessionId,
    form: str = "dash",
    account: AccountId = OWNER,
    system: System | None = None,
) -> str:
    request = msgspec.convert(
        {
            "session_id": session_id,
            "account_id": account,
            "format": form,
            "licence_url": LICENCE_URL,
            "system": system,
        },
        GetManifest,
    )
    return (await playback.get_manifest(request)).text


async def test_one_call_answers_with_all_that_a_device_needs(
    house: House, playback: Playback
) -> None:
    house.shelf.position_s = 3.5
    await house.report(ApplianceId("edge-b"), in_flight=5)
    play = await start(playback)
    assert play == Play(
        session_id=play.session_id,
        title_id=FILM,
        version_id=VersionId("ver_1"),
        duration_s=house.shelf.version.duration_s,
        resume_s=3.5,
        appliances=[EDGE, ApplianceId("edge-b")],
        expires_at=house.clock.now() + timedelta(hours=12),
    )
    mpd = fromstring(await manifest(playback, play.session_id))
    bases = mpd.findall("{urn:mpeg:dash:schema:mpd:2011}BaseURL")
    assert [base.get("serviceLocation") for base in bases] == play.appliances
    root = bases[0].text or ""
    assert root.startswith("http://edge-a.test:8081/t/")
    assert root.endswith("/ver_1/")
    playlist = await manifest(playback, play.session_id, "hls")
    assert f"{root}v360.m3u8" in playlist
    assert 'VALUE="https://watch.test/api/v1/plays/x/keys"' in playlist


async def test_the_session_has_its_keys_and_loses_them_at_its_end(
    house: House, playback: Playback
) -> None:
    play = await start(playback)
    ask = GetLicence(session_id=play.session_id, account_id=OWNER, kids=await house.kids())
    licence = await house.licensing.get_licence(ask)
    assert (len(licence.keys), licence.expires_at) == (3, play.expires_at)
    await playback.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    with pytest.raises(LicenceRefused, match="has ended"):
        await house.licensing.get_licence(ask)


async def test_the_log_tells_that_a_play_started(house: House, playback: Playback) -> None:
    play = await start(playback)
    async with house.database.transaction() as transaction:
        (entry,) = await Log(house.clock).read(transaction, [TOPIC], Cursor())
    assert msgspec.json.decode(entry.body, type=PlayStarted) == PlayStarted(
        session_id=play.session_id,
        account_id=OWNER,
        title_id=FILM,
        version_id=play.version_id,
        started_at=house.clock.now(),
    )
    assert (entry.kind, entry.key) == ("PlayStarted", play.session_id)


@pytest.mark.parametrize(
    ("title_id", "reason"),
    [(TitleId("ttl_none"), "no such title"), (UNPUBLISHED, "The Film is not ready")],
)
async def test_what_is_not_published_cannot_be_played(
    playback: Playback, title_id: TitleId, reason: str
) -> None:
    with pytest.raises(CannotPlay, match=reason) as refused:
        await start(playback, title_id)
    assert type(refused.value) is CannotPlay


async def test_no_appliance_no_play(house: House, playback: Playback) -> None:
    house.clock.advance(GONE_S)
    with pytest.raises(CannotPlay, match="No appliance has The Film at hand"):
        await start(playback)


@pytest.mark.parametrize("contract", [Catalog, Steering, Licensing, Encoding])
async def test_a_play_waits_for_what_it_cannot_do_without(
    house: House, playback: Playback, contract: type[Any]
) -> None:
    standing = house.neighbours[contract]
    house.take_away(contract)
    with pytest.raises(CannotPlayNow, match=r"just now: try again in a moment\.$"):
        await start(playback)
    async with house.database.transaction() as transaction:
        kept = await transaction.execute(text("select count(*) from playback.session"))
        assert kept.scalar_one() == 0
        assert await Log(house.clock).read(transaction, [TOPIC], Cursor()) == []
    house.neighbours[contract] = standing
    assert await start(playback)


async def test_plays_from_the_beginning_when_viewers_is_away(
    house: House, playback: Playback
) -> None:
    house.shelf.position_s = 3.5
    house.take_away(Viewers)
    assert (await start(playback)).resume_s == 0


async def test_does_not_wait_for_viewers_that_are_slow(house: House, playback: Playback) -> None:
    house.shelf.position_s = 3.5
    house.shelf.answers_after_s = 60
    began_s = asyncio.get_running_loop().time()
    assert (await start(playback)).resume_s == 0
    assert asyncio.get_running_loop().time() - began_s < service.RESUME_POINT_S + 1.5


async def test_a_resume_point_past_the_end_begins_again(house: House, playback: Playback) -> None:
    house.shelf.position_s = 9999
    assert (await start(playback)).resume_s == 0


async def test_a_version_in_use_needs_encoding_once(house: House, playback: Playback) -> None:
    first = await start(playback)
    house.take_away(Encoding)
    assert await manifest(playback, first.session_id)
    assert (await start(playback)).version_id == first.version_id
    assert house.shelf.asked_versions == 1


async def test_a_play_goes_on_when_all_neighbours_are_away(
    house: House, playback: Playback
) -> None:
    play = await start(playback)
    for contract in list(house.neighbours):
        house.take_away(contract)
    state = await playback.get_play(GetPlay(session_id=play.session_id, account_id=OWNER))
    assert (state.title_id, state.profile_id) == (FILM, PROFILE)
    assert await manifest(playback, play.session_id, "hls")
    await playback.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)


async def test_strangers_and_the_past_learn_nothing(house: House, playback: Playback) -> None:
    play, over = await start(playback), await start(playback)
    await playback.end(EndPlay(session_id=over.session_id, account_id=OWNER))
    thief = AccountId("acc_thief")
    said = set()
    for session_id, account in (
        (play.session_id, thief),
        (over.session_id, OWNER),
        (over.session_id, thief),
        (PlaySessionId("play_" + "0" * 26), OWNER),
        (PlaySessionId("play_\0"), OWNER),
        (PlaySessionId("' or true --"), OWNER),
        (PlaySessionId(""), OWNER),
    ):
        with pytest.raises(UnknownPlay) as refused:
            await playback.get_play(GetPlay(session_id=session_id, account_id=account))
        said.add(refused.value.message)
        with pytest.raises(UnknownPlay) as refused:
            await manifest(playback, session_id, account=account)
        said.add(refused.value.message)
    for session_id, account in ((play.session_id, thief), (PlaySessionId("\0"), OWNER)):
        with pytest.raises(UnknownPlay) as refused:
            await playback.end(EndPlay(session_id=session_id, account_id=account))
        said.add(refused.value.message)
    assert len(said) == 1
    assert await manifest(playback, play.session_id)


async def test_ending_again_is_no_error_and_keeps_the_first_time(
    house: House, playback: Playback
) -> None:
    play = await start(playback)
    ended: list[datetime] = []
    for _ in range(2):
        await playback.end(EndPlay(session_id=play.session_id, account_id=OWNER))
        async with house.database.transaction() as transaction:
            row = await transaction.execute(text("select ended_at from playback.session"))
            ended.append(row.scalar_one())
        house.clock.advance(5)
    assert ended[0] == ended[1]


async def test_a_session_ends_with_its_time(house: House, playback: Playback) -> None:
    play = await start(playback)
    house.clock.advance(12 * 3600)
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)


async def test_a_new_version_leaves_running_plays_as_they_are(
    house: House, playback: Playback
) -> None:
    before = await start(playback)
    text_before = await manifest(playback, before.session_id)
    house.shelf.version = msgspec.structs.replace(
        house.shelf.version, version_id=VersionId("ver_2"), renditions=version().renditions[:1]
    )
    await house.report()
    house.clock.advance(0.2)
    await house.report()
    after = await start(playback)
    assert (before.version_id, after.version_id) == ("ver_1", "ver_2")
    assert await manifest(playback, before.session_id) == text_before
    assert "v720" not in await manifest(playback, after.session_id)


async def test_a_long_device_name_is_cut(house: House, playback: Playback) -> None:
    await start(playback, device="a television\0" * 100)
    async with house.database.transaction() as transaction:
        row = await transaction.execute(text("select length(device) from playback.session"))
        assert row.scalar_one() == 200


async def test_running_plays_are_listed_newest_first_page_by_page(
    playback: Playback, house: House
) -> None:
    started = []
    for number in range(3):
        house.clock.advance(1)
        await house.report()
        started.append((await start(playback, device=f"tv {number}")).session_id)
    page = await playback.list_plays(ListPlays(limit=2))
    rest = await playback.list_plays(ListPlays(limit=2, after=page.next_cursor))
    assert [play.session_id for play in [*page.plays, *rest.plays]] == started[::-1]
    assert rest.next_cursor == ""
    assert page.plays[0].device == "tv 2"
    assert page.plays[0].appliances == [EDGE]
    await playback.end(EndPlay(session_id=started[0], account_id=OWNER))
    found = await playback.list_plays(ListPlays())
    assert started[0] not in [play.session_id for play in found.plays]
    assert (await playback.list_plays(ListPlays(after="\0"))).plays != []


async def test_a_page_out_of_bounds_is_refused(playback: Playback, house: House) -> None:
    await house.report()
    await start(playback)
    for limit in (0, -5, 201, 2**40):
        with pytest.raises(PageInvalid, match="1 to 200"):
            await playback.list_plays(ListPlays(limit=limit))
    assert len((await playback.list_plays(ListPlays(limit=200))).plays) == 1


async def test_a_play_that_falls_silent_is_listed_no_more(playback: Playback, house: House) -> None:
    quiet, heard = await start(playback), await start(playback)
    house.clock.advance(599)
    request = GetPlay(session_id=heard.session_id, account_id=OWNER)
    await playback.get_play(request)
    house.clock.advance(2)
    (found,) = (await playback.list_plays(ListPlays())).plays
    assert found.session_id == heard.session_id != quiet.session_id
    assert found.heard_at == house.clock.now() - timedelta(seconds=2)
    await playback.get_play(request)
    (again,) = (await playback.list_plays(ListPlays())).plays
    assert again.heard_at == found.heard_at, "it is noted every ten seconds, not at each word"


async def test_a_play_names_its_keys_to_the_systems_of_its_version_and_of_the_install(
    house: House, reach: Reach
) -> None:
    """A version of before the install named one plays on as it was packaged."""
    offer = wiring.Offer(("playready", "widevine"))
    playback = await reach(Playback, house.build(offer))
    before = await start(playback)
    assert before.systems == []
    house.shelf.version = protected(("widevine", "fairplay"), "cenc")
    playback = await reach(Playback, house.build(offer))
    play = await start(playback)
    assert play.systems == ["widevine"]
    mpd = await manifest(playback, play.session_id)
    assert f"<dashif:Laurl>{LICENCE_URL}/widevine</dashif:Laurl>" in mpd
    assert 'value="cenc"' in mpd
    hls = await manifest(playback, play.session_id, "hls", system="widevine")
    assert "/v360.widevine.m3u8" in hls
    for system in ("playready", "fairplay", "common"):
        with pytest.raises(CannotPlay, match=f"no playlists for {system}"):
            await manifest(playback, play.session_id, "hls", system=system)
    assert await manifest(playback, play.session_id, "hls")


async def test_without_clearkey_no_manifest_leads_to_a_key_in_the_clear(
    house: House, reach: Reach
) -> None:
    house.shelf.version = protected(("widevine",))
    playback = await reach(Playback, house.build(wiring.Offer(("widevine",), clearkey=False)))
    play = await start(playback)
    assert "ClearKey" not in await manifest(playback, play.session_id)
    with pytest.raises(CannotPlay, match="gives no keys in the clear"):
        await manifest(playback, play.session_id, "hls")
    assert "key_base" not in await manifest(playback, play.session_id, "hls", system="widevine")
