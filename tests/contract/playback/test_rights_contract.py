"""What a play may rely on of the right to its title, and what it may not."""

from datetime import timedelta

import pytest

from cuemark.contexts.playback.service.ending import RightsKeeper
from cuemark.contracts import rights
from cuemark.contracts.billing.plans import Allowance, Money, Plan, Price
from cuemark.contracts.billing.subscriptions import ChangePlan
from cuemark.contracts.licensing import GetLicence, LicenceRefused
from cuemark.contracts.playback import TOPIC as PLAYBACK
from cuemark.contracts.playback import (
    CannotPlay,
    CannotPlayNow,
    EndPlay,
    NoRight,
    Play,
    Playback,
    StartPlay,
    UnknownPlay,
)
from cuemark.contracts.rights import Decision, Rights, RightsSet
from cuemark.kit.outbox import Follower, Log
from tests.contract.conftest import Reach
from tests.contract.playback.conftest import FILM, OWNER, PROFILE, House, manifest
from tests.contract.playback.test_streams_contract import subscribed
from tests.unit.gateway.neighbours.rights import denied

GRACE = timedelta(minutes=15)


def ending(house: House, in_s: float, *, allowed: bool = True, may_go_on: bool = True) -> None:
    """The right ends, with its grace, so many seconds from now."""
    house.notary.said[FILM] = Decision(
        title_id=FILM,
        allowed=allowed,
        reason="held" if allowed else "over",
        shown=allowed,
        may_go_on=may_go_on,
        ends_at=house.clock.now() + timedelta(seconds=in_s),
    )


async def begin(playback: Playback, territory: str = "DE") -> Play:
    return await playback.start(
        StartPlay(account_id=OWNER, profile_id=PROFILE, title_id=FILM, territory=territory)
    )


async def told(house: House, playback: Playback) -> RightsKeeper:
    """What follows rights, once it was told that those of the film were set."""
    async with house.database.transaction() as transaction:
        event = RightsSet(title_id=FILM, number=1, set_at=house.clock.now())
        await Log(house.clock).append(transaction, rights.TOPIC, FILM, event)
    return await followed(house, playback)


async def followed(house: House, playback: Playback) -> RightsKeeper:
    """What follows rights and plays, once it has read all that was told."""
    log, topics = Log(house.clock), [rights.TOPIC, PLAYBACK]
    keeper = RightsKeeper(house.database, house.clock, house.notary, playback)
    await Follower("playback.rights", topics, house.database, log, keeper.take).catch_up()
    return keeper


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (denied(FILM, "territory"), "The Film may not be played in DE."),
        (denied(FILM, "licence_type"), "The Film is not a part of this plan in DE."),
        (denied(FILM, "over"), "The right to play The Film in DE has ended."),
        (denied(FILM, "held_back"), "another window comes first"),
        (denied(FILM, "suspended"), "an exclusive window is running"),
        (denied(FILM, "unrecorded"), "No right to play The Film is recorded."),
        (denied(FILM, "not_begun", shown=True), "The Film may not be played in DE."),
        (denied(FILM, "not_begun"), "There is no such title."),
    ],
)
async def test_a_play_without_a_right_is_refused_with_its_reason(
    playback: Playback, house: House, decision: Decision, said: str
) -> None:
    house.notary.said[FILM] = decision
    with pytest.raises(NoRight) as refused:
        await begin(playback)
    assert said in refused.value.message
    assert isinstance(refused.value, CannotPlay)
    assert house.notary.asked[-1].territory == "DE"


async def test_a_play_its_tokens_and_its_licences_end_with_the_right(
    playback: Playback, house: House
) -> None:
    ending(house, 600)
    play = await begin(playback)
    assert play.expires_at == house.clock.now() + timedelta(seconds=600)
    ask = GetLicence(session_id=play.session_id, account_id=OWNER, kids=(await house.kids())[:1])
    assert (await house.licensing.get_licence(ask)).expires_at == play.expires_at
    house.clock.advance(600)
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)
    with pytest.raises(LicenceRefused):
        await house.licensing.get_licence(ask)


async def test_a_play_goes_on_by_the_licence_types_of_the_plan_that_it_began_with(
    house: House, reach: Reach
) -> None:
    playback = await subscribed(house, reach, Allowance(licence_types=("AVOD", "FVOD")))
    play = await begin(playback)
    price = Price(money=Money(amount_minor=900, currency="EUR"))
    await house.till.put_plan(Plan(plan_id="large", name="Large", prices=[price]))
    await house.till.change_plan(ChangePlan(account_id=OWNER, plan_id="large"))
    assert await manifest(playback, play.session_id)
    ask = GetLicence(session_id=play.session_id, account_id=OWNER, kids=(await house.kids())[:1])
    await house.licensing.get_licence(ask)
    await told(house, playback)
    asked = [each.licence_types for each in house.notary.asked]
    assert asked == [["AVOD", "FVOD"]] * 5
    await playback.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    await begin(playback)
    assert house.notary.asked[5].licence_types == []


async def test_a_right_that_outlasts_the_play_does_not_lengthen_it(
    playback: Playback, house: House
) -> None:
    without_end = await begin(playback)
    ending(house, 1e8)
    assert (await begin(playback)).expires_at == without_end.expires_at


async def test_a_running_play_has_manifests_in_the_grace_and_no_longer(
    playback: Playback, house: House
) -> None:
    play = await begin(playback)
    ending(house, 60, allowed=False)
    assert await manifest(playback, play.session_id)
    with pytest.raises(NoRight):
        await begin(playback)
    house.notary.said[FILM] = denied(FILM, "over")
    with pytest.raises(NoRight, match="has ended"):
        await manifest(playback, play.session_id)


async def test_without_rights_nothing_begins_and_what_plays_goes_on(
    playback: Playback, house: House
) -> None:
    play = await begin(playback)
    house.take_away(Rights)
    with pytest.raises(CannotPlayNow, match="rights"):
        await begin(playback)
    assert await manifest(playback, play.session_id)


async def test_a_play_whose_right_was_taken_away_is_stopped(
    playback: Playback, house: House
) -> None:
    here, there = await begin(playback), await begin(playback, "FR")
    house.notary.said[FILM] = denied(FILM, "over")
    keeper = await told(house, playback)
    assert await keeper.look() == 2
    for play in (here, there):
        with pytest.raises(UnknownPlay):
            await manifest(playback, play.session_id)
        ask = GetLicence(
            session_id=play.session_id, account_id=OWNER, kids=(await house.kids())[:1]
        )
        with pytest.raises(LicenceRefused):
            await house.licensing.get_licence(ask)
    assert await keeper.look() == 0


async def test_a_play_whose_right_was_shortened_is_stopped_at_its_new_end(
    playback: Playback, house: House
) -> None:
    play = await begin(playback)
    ending(house, 60)
    keeper = await told(house, playback)
    assert await keeper.look() == 0
    assert await manifest(playback, play.session_id)
    house.clock.advance(60)
    assert await keeper.look() == 1
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)


async def test_a_play_that_began_while_its_right_was_taken_away_is_stopped(
    playback: Playback, house: House
) -> None:
    await told(house, playback)
    play = await begin(playback)
    house.notary.said[FILM] = denied(FILM, "over")
    keeper = await followed(house, playback)
    assert await keeper.look() == 1
    with pytest.raises(UnknownPlay):
        await manifest(playback, play.session_id)


async def test_a_play_with_its_right_is_asked_about_again_and_goes_on(
    playback: Playback, house: House
) -> None:
    play = await begin(playback)
    keeper = await followed(house, playback)
    house.clock.advance(3600)
    assert await keeper.look() == 0
    assert await manifest(playback, play.session_id)


async def test_a_right_that_is_given_back_in_time_stops_nothing(
    playback: Playback, house: House
) -> None:
    play = await begin(playback)
    ending(house, 60)
    await told(house, playback)
    house.notary.said.clear()
    keeper = await told(house, playback)
    house.clock.advance(60)
    assert await keeper.look() == 0
    assert await manifest(playback, play.session_id)
