"""What starting a play gives, and what it waits for."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from defusedxml.ElementTree import fromstring
from sqlalchemy import text

from cuemark.contexts.playback.service import parts
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.contracts.licensing import GetLicence, LicenceRefused, Licensing
from cuemark.contracts.playback import (
    TOPIC,
    CannotPlay,
    CannotPlayNow,
    EndPlay,
    Play,
    Playback,
    PlayStarted,
)
from cuemark.contracts.steering import Steering
from cuemark.contracts.steering.reports import GONE_S
from cuemark.contracts.viewers import Viewers
from cuemark.kit.outbox import Cursor, Log
from tests.contract.playback.conftest import EDGE, FILM, OWNER, UNPUBLISHED, House, manifest, start


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
        redirect_token=play.redirect_token,
    )
    assert play.redirect_token
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


async def test_before_its_launch_a_title_is_as_good_as_none(
    house: House, playback: Playback
) -> None:
    house.shelf.launched = False
    with pytest.raises(CannotPlay, match="no such title"):
        await start(playback)
    house.shelf.launched = True
    assert (await start(playback)).title_id == FILM


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
    assert asyncio.get_running_loop().time() - began_s < parts.POSITION.within_ms / 1000 + 1.5


async def test_a_resume_point_past_the_end_begins_again(house: House, playback: Playback) -> None:
    house.shelf.position_s = 9999
    assert (await start(playback)).resume_s == 0


async def test_a_version_in_use_needs_encoding_once(house: House, playback: Playback) -> None:
    first = await start(playback)
    house.take_away(Encoding)
    assert await manifest(playback, first.session_id)
    assert (await start(playback)).version_id == first.version_id
    assert house.shelf.asked_versions == 1


async def test_a_long_device_name_is_cut(house: House, playback: Playback) -> None:
    await start(playback, device="a television\0" * 100)
    async with house.database.transaction() as transaction:
        row = await transaction.execute(text("select length(device) from playback.session"))
        assert row.scalar_one() == 200
