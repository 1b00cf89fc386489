"""What a play is by the maturity of the profile that asks for it, however playback is reached."""

import msgspec
import pytest

from cuemark.contexts.playback.service import PlaybackService
from cuemark.contexts.playback.wiring import CLEARKEY_ALONE
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.identity import TOPIC
from cuemark.contracts.identity.profiles import MaturitySet, ProfileDeleted
from cuemark.contracts.ids import ProfileId
from cuemark.contracts.licensing import GetLicence, LicenceRefused
from cuemark.contracts.playback import (
    CannotPlay,
    CannotPlayNow,
    GetManifest,
    ListOwnPlays,
    NotForProfile,
    Play,
    Playback,
    StartPlay,
    UnknownPlay,
)
from cuemark.kit.outbox import Follower, Log
from tests.contract.playback.conftest import FILM, OWNER, PROFILE, House, manifest

SIBLING = ProfileId("prf_sibling")


async def begin(
    playback: Playback, maturity: int | None = None, profile_id: ProfileId = PROFILE
) -> Play:
    return await playback.start(
        StartPlay(account_id=OWNER, profile_id=profile_id, title_id=FILM, maturity=maturity)
    )


async def asked_by(playback: Playback, play: Play, maturity: int | None) -> str:
    request = GetManifest(
        session_id=play.session_id,
        account_id=OWNER,
        format="dash",
        licence_url="http://here.test/licence",
        maturity=maturity,
    )
    return (await playback.get_manifest(request)).text


async def tell(house: House, event: msgspec.Struct) -> None:
    """What identity tells, read by playback."""
    log = Log(house.clock)
    service = house.build(CLEARKEY_ALONE)
    assert isinstance(service, PlaybackService)
    async with house.database.transaction() as transaction:
        await log.append(transaction, TOPIC, OWNER, event)
    follower = Follower("playback.leavers", [TOPIC], house.database, log, service.follow)
    await follower.catch_up()


def set_to(house: House, maturity: int | None) -> MaturitySet:
    return MaturitySet(
        account_id=OWNER, profile_id=PROFILE, maturity=maturity, set_at=house.clock.now()
    )


async def test_a_title_above_the_level_is_one_that_there_is_not(
    playback: Playback, house: House
) -> None:
    house.shelf.age = 16
    unknown = StartPlay(
        account_id=OWNER, profile_id=PROFILE, title_id=msgspec.convert("ttl_no", type(FILM))
    )
    with pytest.raises(CannotPlay) as nothing:
        await playback.start(unknown)
    with pytest.raises(CannotPlay) as refused:
        await begin(playback, 12)
    assert (refused.value.code, refused.value.message) == (
        nothing.value.code,
        nothing.value.message,
    )
    assert (await begin(playback, 16)).title_id == FILM
    assert (await begin(playback)).title_id == FILM


async def test_a_child_has_no_manifest_of_what_a_grown_up_plays(
    playback: Playback, house: House
) -> None:
    house.shelf.age = 16
    play = await begin(playback)
    assert await asked_by(playback, play, None)
    assert await asked_by(playback, play, 16)
    with pytest.raises(NotForProfile):
        await asked_by(playback, play, 12)


async def test_a_child_has_no_key_of_what_a_grown_up_plays(
    playback: Playback, house: House
) -> None:
    house.shelf.age = 16
    play, kids = await begin(playback), await house.kids()
    asked = GetLicence(session_id=play.session_id, account_id=OWNER, kids=kids[:1], maturity=12)
    with pytest.raises(LicenceRefused, match="not for this profile"):
        await house.licensing.get_licence(asked)
    house.shelf.age = 12
    assert (await house.licensing.get_licence(asked)).keys


async def test_without_the_catalog_a_bound_profile_plays_nothing(
    playback: Playback, house: House
) -> None:
    play = await begin(playback, 12)
    house.take_away(Catalog)
    with pytest.raises(CannotPlayNow):
        await asked_by(playback, play, 12)
    assert await asked_by(playback, play, None)


async def test_a_play_ends_when_its_profile_may_not_have_it_any_more(
    playback: Playback, house: House
) -> None:
    house.shelf.age = 12
    play, other = await begin(playback, 18), await begin(playback, 18, SIBLING)
    await tell(house, set_to(house, 12))
    assert await manifest(playback, play.session_id)
    await tell(house, set_to(house, 6))
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)
    kids = await house.kids()
    with pytest.raises(LicenceRefused):
        await house.licensing.get_licence(
            GetLicence(session_id=play.session_id, account_id=OWNER, kids=kids[:1])
        )
    assert await manifest(playback, other.session_id)
    await tell(house, set_to(house, 6))


async def test_plays_of_a_profile_that_is_gone_end_and_are_nobodys(
    playback: Playback, house: House
) -> None:
    play, other = await begin(playback), await begin(playback, None, SIBLING)
    await tell(house, ProfileDeleted(account_id=OWNER, profile_id=PROFILE))
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)
    assert await manifest(playback, other.session_id)
    plays = (await playback.list_own_plays(ListOwnPlays(account_id=OWNER))).plays
    assert {(each.session_id, each.profile_id) for each in plays} == {
        (play.session_id, ""),
        (other.session_id, SIBLING),
    }
