"""Where plans are sold: who may play, how much at once and how large, and by whose word."""

import re

import pytest

from cuemark.contexts.playback.model.plan import LAST_KNOWN_LASTS
from cuemark.contexts.playback.model.streams import LEASE
from cuemark.contracts.billing import Billing
from cuemark.contracts.billing.subscriptions import AddTestCard, ChangeSubscription, Subscribe
from cuemark.contracts.playback import (
    CannotPlayNow,
    EndPlay,
    NotEntitled,
    Playback,
)
from cuemark.contracts.playback.streams import TooManyStreams
from cuemark.contracts.rights import Decide, Decisions
from tests.contract.conftest import Reach
from tests.contract.playback.conftest import OWNER, House, manifest, start
from tests.unit.gateway.neighbours.billing import GOOD_CARD

SOON_S, LATER_S = 60.0, LAST_KNOWN_LASTS.total_seconds() + 1


@pytest.fixture
async def selling(house: House, reach: Reach) -> Playback:
    return await reach(Playback, house.build(sells=True))


async def subscribe(house: House) -> None:
    card = await house.till.add_test_card(AddTestCard(number=GOOD_CARD))
    asked = Subscribe(account_id=OWNER, plan_id="small", territory="DE", card=card.token)
    assert (await house.till.subscribe(asked)).state == "active"


async def test_a_play_needs_a_plan_that_is_paid_for(house: House, selling: Playback) -> None:
    with pytest.raises(NotEntitled):
        await start(selling)
    await subscribe(house)
    await start(selling)


async def test_the_plan_bounds_the_height_of_the_picture(house: House, selling: Playback) -> None:
    await subscribe(house)
    every = {each.height for each in house.shelf.version.renditions}
    assert max(every) > 540
    told = await manifest(selling, (await start(selling)).session_id)
    heights = {int(each) for each in re.findall(r'<Representation[^>]* height="(\d+)"', told)}
    assert heights == {height for height in every if height <= 540}


async def test_no_more_plays_run_at_once_than_the_plan_allows(
    house: House, selling: Playback
) -> None:
    await subscribe(house)
    play = await start(selling)
    with pytest.raises(TooManyStreams, match="allows 1 at once"):
        await start(selling)
    await selling.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    await start(selling)
    with pytest.raises(TooManyStreams):
        await start(selling)


async def test_a_device_that_died_locks_nobody_out_for_longer_than_the_lease(
    house: House, selling: Playback
) -> None:
    await subscribe(house)
    await start(selling)
    house.clock.advance(LEASE.total_seconds() + 1)
    await house.report()
    await start(selling)


async def test_while_billing_is_away_what_it_said_last_holds_for_a_time(
    house: House, selling: Playback
) -> None:
    await subscribe(house)
    play = await start(selling)
    await selling.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    house.take_away(Billing)
    house.clock.advance(SOON_S)
    await house.report()
    play = await start(selling)
    await selling.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    house.clock.advance(LATER_S)
    await house.report()
    with pytest.raises(CannotPlayNow, match="plan"):
        await start(selling)


async def test_what_billing_said_counts_from_when_it_was_asked(
    house: House, selling: Playback, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = house.notary.decide

    async def late(asked: Decide) -> Decisions:
        house.clock.advance(LATER_S / 2)
        await house.report()
        return await decide(asked)

    await subscribe(house)
    with monkeypatch.context() as slow:
        slow.setattr(house.notary, "decide", late)
        play = await start(selling)
    await selling.end(EndPlay(session_id=play.session_id, account_id=OWNER))
    house.take_away(Billing)
    house.clock.advance(LATER_S / 2)
    await house.report()
    with pytest.raises(CannotPlayNow, match="plan"):
        await start(selling)


async def test_who_had_no_plan_has_none_while_billing_is_away(
    house: House, selling: Playback
) -> None:
    with pytest.raises(NotEntitled):
        await start(selling)
    house.take_away(Billing)
    with pytest.raises(CannotPlayNow, match="plan"):
        await start(selling)


async def test_a_plan_that_ends_ends_plays_to_come(house: House, selling: Playback) -> None:
    await subscribe(house)
    await house.till.change_subscription(ChangeSubscription(account_id=OWNER, change="cancel"))
    await start(selling)
    house.clock.advance(32 * 86400)
    await house.report()
    with pytest.raises(NotEntitled):
        await start(selling)
