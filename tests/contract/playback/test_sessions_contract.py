"""What goes on while a play runs, how it ends, and how plays are listed."""

import re
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import pytest
from sqlalchemy import text

from cuemark.contracts.ids import AccountId, PlaySessionId, VersionId
from cuemark.contracts.licensing import GetLicence, LicenceRefused, Licensing
from cuemark.contracts.playback import (
    EndPlay,
    GetPlay,
    GetRedirectedManifest,
    ListPlays,
    Playback,
    PlayStopped,
    StopPlay,
    UnknownPlay,
)
from cuemark.contracts.steering import Redirect, Steer
from cuemark.kit.pages import PageInvalid
from tests.contract.playback.conftest import (
    EDGE,
    FILM,
    LICENCE_URL,
    OWNER,
    PROFILE,
    House,
    manifest,
    start,
)
from tests.unit.playback.versions import version


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


async def test_licences_that_nobody_closed_close_when_licensing_reads_that_the_play_was_ended(
    house: House, playback: Playback
) -> None:
    play = await start(playback)
    ask = GetLicence(session_id=play.session_id, account_id=OWNER, kids=(await house.kids())[:1])
    house.take_away(Licensing)
    await playback.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    assert (await house.licensing.get_licence(ask)).keys
    for reader in house.readers_of_licensing:
        await reader.catch_up()
    with pytest.raises(LicenceRefused, match="has ended"):
        await house.licensing.get_licence(ask)


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_a_manifest_says_where_its_play_is_steered(
    house: House, playback: Playback, form: str
) -> None:
    play = await start(playback)
    here = "https://watch.test/api/v1/steering"
    told = await manifest(playback, play.session_id, form, steering_url=here)
    (token,) = re.findall(rf"{here}\?play=([A-Za-z0-9_.-]+)", told)
    steered = await house.steering.steer(Steer(token=token))
    assert steered.appliance_ids == play.appliances
    assert "play=" not in await manifest(playback, play.session_id, form)


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_a_redirected_manifest_has_one_address_for_all_media(
    house: House, playback: Playback, form: Literal["dash", "hls"]
) -> None:
    play = await start(playback)
    sent = await house.steering.redirect(Redirect(token=play.redirect_token))
    assert sent.session_id == play.session_id
    here = "https://watch.test/api/v1/media/token/"
    asked = GetRedirectedManifest(
        session_id=sent.session_id, format=form, media_url=here, licence_url=LICENCE_URL
    )
    told = (await playback.get_redirected_manifest(asked)).text
    assert here in told
    assert "/t/" not in told
    assert "steering" not in told.lower()
    await playback.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    with pytest.raises(UnknownPlay):
        await playback.get_redirected_manifest(asked)


async def test_a_play_of_an_older_release_is_steered_nowhere(
    house: House, playback: Playback
) -> None:
    play = await start(playback)
    async with house.database.transaction() as transaction:
        await transaction.execute(text("update playback.session set steering_token = ''"))
    found = await manifest(playback, play.session_id, steering_url="https://watch.test/steering")
    assert "ContentSteering" not in found


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


async def test_the_operator_stops_a_play_and_the_log_tells_it(
    house: House, playback: Playback
) -> None:
    play, other = await start(playback), await start(playback)
    await playback.stop(StopPlay(session_id=play.session_id))
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)
    assert await manifest(playback, other.session_id)
    for unknown in ("play_" + "0" * 26, "", "play_\0"):
        with pytest.raises(UnknownPlay):
            await playback.stop(StopPlay(session_id=PlaySessionId(unknown)))
    await playback.end(EndPlay(session_id=other.session_id, account_id=OWNER))
    async with house.database.transaction() as transaction:
        rows = await transaction.execute(
            text("select body from log.event where kind = 'PlayStopped' order by position")
        )
        told = [
            msgspec.json.decode(msgspec.json.encode(row), type=PlayStopped)
            for row in rows.scalars()
        ]
    assert [each.session_id for each in told] == [play.session_id, other.session_id]
    assert [each.expires_at for each in told] == [play.expires_at, other.expires_at]


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
