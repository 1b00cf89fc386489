"""How many plays of an account run at once, and what each device may see."""

import re

import msgspec
import pytest

from cuemark.contexts.playback.model.streams import LEASE
from cuemark.contexts.playback.wiring import Offer
from cuemark.contracts.billing.plans import Allowance, Money, Plan, Price
from cuemark.contracts.billing.subscriptions import AddTestCard, Subscribe
from cuemark.contracts.ids import AccountId, PlaySessionId
from cuemark.contracts.licensing import GetLicence, LicenceRefused
from cuemark.contracts.playback import CannotPlay, GetPlay, Play, Playback, StartPlay, UnknownPlay
from cuemark.contracts.playback.devices import Capabilities, ListDevices
from cuemark.contracts.playback.streams import StreamsHeld, TooManyStreams
from cuemark.kit.outbox import Cursor, Log
from tests.contract.conftest import Reach
from tests.contract.playback.conftest import FILM, OWNER, PROFILE, House, manifest
from tests.unit.gateway.neighbours.billing import GOOD_CARD

LEASE_S = LEASE.total_seconds()


async def subscribed(house: House, reach: Reach, allowance: Allowance) -> Playback:
    """Playback to an account whose plan allows this."""
    price = Price(money=Money(amount_minor=500, currency="EUR"))
    plan = Plan(plan_id="home", name="Home", prices=[price], allowance=allowance)
    await house.till.put_plan(plan)
    card = await house.till.add_test_card(AddTestCard(number=GOOD_CARD))
    await house.till.subscribe(
        Subscribe(account_id=OWNER, plan_id=plan.plan_id, territory="DE", card=card.token)
    )
    return await reach(Playback, house.build(sells=True))


@pytest.fixture
async def selling(house: House, reach: Reach) -> Playback:
    """To an account whose plan has one stream."""
    return await subscribed(house, reach, Allowance())


async def begin(
    playback: Playback,
    device_id: str = "",
    instead_of: PlaySessionId | None = None,
    said: Capabilities | None = None,
    login_id: str = "",
) -> Play:
    return await playback.start(
        StartPlay(
            login_id=login_id,
            account_id=OWNER,
            profile_id=PROFILE,
            title_id=FILM,
            device=f"the {device_id}" if device_id else "",
            device_id=device_id,
            instead_of=instead_of,
            capabilities=said,
        )
    )


async def goes_on(playback: Playback, play: Play) -> bool:
    try:
        await playback.get_play(GetPlay(session_id=play.session_id, account_id=OWNER))
    except UnknownPlay:
        return False
    return True


async def stopped(house: House) -> list[str]:
    async with house.database.transaction() as transaction:
        told = await Log(house.clock).read(transaction, ["playback"], Cursor())
    return [each.key for each in told if each.kind == "PlayStopped"]


async def test_who_has_too_many_is_told_what_runs_where(house: House, selling: Playback) -> None:
    first = await begin(selling, "tv")
    with pytest.raises(TooManyStreams, match="allows 1 at once") as refused:
        await begin(selling, "phone")
    assert isinstance(refused.value.details, StreamsHeld)
    (held,) = refused.value.details.plays
    assert (held.session_id, held.title_id) == (first.session_id, FILM)
    assert (held.title, held.device) == ("The Film", "the tv")
    assert held.started_at == house.clock.now()
    assert await goes_on(selling, first)


async def test_a_play_may_begin_here_and_end_another_one_there(
    house: House, selling: Playback
) -> None:
    there = await begin(selling, "tv")
    ask = GetLicence(session_id=there.session_id, account_id=OWNER, kids=(await house.kids())[:1])
    assert (await house.licensing.get_licence(ask)).keys
    here = await begin(selling, "phone", instead_of=there.session_id)
    assert await goes_on(selling, here)
    assert not await goes_on(selling, there)
    with pytest.raises(LicenceRefused, match="has ended"):
        await house.licensing.get_licence(ask)
    assert await stopped(house) == [there.session_id]


async def test_a_play_of_nobody_and_a_play_of_others_make_no_way(
    house: House, selling: Playback
) -> None:
    first = await begin(selling, "tv")
    for named in (PlaySessionId("ses_none"), PlaySessionId("\0' or true --")):
        with pytest.raises(TooManyStreams):
            await begin(selling, "phone", instead_of=named)
    other = msgspec.structs.replace(
        StartPlay(account_id=AccountId("acc_other"), profile_id=PROFILE, title_id=FILM),
        instead_of=first.session_id,
    )
    unsold = house.build()
    await unsold.start(other)
    assert await goes_on(selling, first)
    assert await stopped(house) == []


async def test_whose_plays_hold_the_streams_is_told(house: House, reach: Reach) -> None:
    playback = await subscribed(house, reach, Allowance(streams=2))
    tv = await begin(playback, "tv", login_id="lgn_tv")
    phone = await begin(playback, "phone", login_id="lgn_phone")
    assert (tv.beside, phone.beside) == ([], ["lgn_tv"])
    with pytest.raises(TooManyStreams) as refused:
        await begin(playback, "laptop", login_id="lgn_laptop")
    assert isinstance(refused.value.details, StreamsHeld)
    assert {each.login_id for each in refused.value.details.plays} == {"lgn_tv", "lgn_phone"}
    house.clock.advance(LEASE_S)
    await house.report()
    assert (await begin(playback, "laptop", login_id="lgn_laptop")).beside == []


async def test_a_device_that_begins_again_counts_once(house: House, selling: Playback) -> None:
    crashed = await begin(selling, "tv")
    again = await begin(selling, "tv")
    assert await goes_on(selling, again)
    assert not await goes_on(selling, crashed)
    with pytest.raises(TooManyStreams):
        await begin(selling, "phone")


async def test_what_would_be_refused_ends_nothing(house: House, selling: Playback) -> None:
    first = await begin(selling, "tv")
    house.shelf.launched = False
    with pytest.raises(CannotPlay):
        await begin(selling, "phone", instead_of=first.session_id)
    assert await goes_on(selling, first)


async def test_a_play_keeps_its_stream_as_long_as_it_is_heard_of(
    house: House, selling: Playback
) -> None:
    play = await begin(selling, "tv")
    for step in range(6):
        house.clock.advance(LEASE_S - 1)
        await house.report()
        assert await (goes_on(selling, play) if step % 2 else manifest(selling, play.session_id))
        with pytest.raises(TooManyStreams):
            await begin(selling, "phone")


async def test_a_play_that_was_silent_goes_on_until_its_place_is_taken(
    house: House, selling: Playback
) -> None:
    paused = await begin(selling, "tv")
    house.clock.advance(10 * LEASE_S)
    await house.report()
    assert await goes_on(selling, paused)
    with pytest.raises(TooManyStreams):
        await begin(selling, "phone")
    house.clock.advance(LEASE_S)
    await house.report()
    other = await begin(selling, "phone")
    assert not await goes_on(selling, paused)
    assert await goes_on(selling, other)
    assert await stopped(house) == [paused.session_id]


async def test_a_clock_that_was_ahead_locks_nobody_out_for_longer_than_a_lease(
    house: House, selling: Playback
) -> None:
    house.clock.advance(3600)
    await house.report()
    await begin(selling, "tv")
    house.clock.jump(-3600)
    await house.report()
    with pytest.raises(TooManyStreams):
        await begin(selling, "phone")
    house.clock.advance(LEASE_S)
    await house.report()
    await begin(selling, "phone")


async def test_where_no_plans_are_sold_any_number_runs(house: House, reach: Reach) -> None:
    playback = await reach(Playback, house.build())
    plays = [await begin(playback, "tv") for _ in range(4)]
    assert all([await goes_on(playback, each) for each in plays])
    last = await begin(playback, "tv", instead_of=plays[0].session_id)
    assert not await goes_on(playback, plays[0])
    assert await goes_on(playback, last)


@pytest.mark.parametrize("ads", [False, True])
async def test_a_play_says_whether_its_plan_has_advertising(
    house: House, reach: Reach, ads: bool
) -> None:
    playback = await subscribed(house, reach, Allowance(ads=ads))
    assert (await begin(playback, "tv")).ads is ads


def heights(told: str) -> set[int]:
    return {int(each) for each in re.findall(r'<Representation[^>]* height="(\d+)"', told)}


async def test_a_manifest_lists_what_the_device_can_play_and_licences_give_no_other_key(
    house: House, playback: Playback
) -> None:
    small = await begin(playback, said=Capabilities(max_height=540))
    assert heights(await manifest(playback, small.session_id)) == {360, 540}
    playlist = await manifest(playback, small.session_id, "hls")
    assert set(re.findall(r"RESOLUTION=\d+x(\d+)", playlist)) == {"360", "540"}
    audio, hd, sd = await house.kids()

    def ask(play: Play, kids: list[str]) -> GetLicence:
        return GetLicence(session_id=play.session_id, account_id=OWNER, kids=kids)

    assert len((await house.licensing.get_licence(ask(small, [audio, sd]))).keys) == 2
    with pytest.raises(LicenceRefused, match="not of what this play may show"):
        await house.licensing.get_licence(ask(small, [audio, hd]))
    large = await begin(playback, said=Capabilities(max_height=0))
    assert heights(await manifest(playback, large.session_id)) == {360, 540, 720}
    assert len((await house.licensing.get_licence(ask(large, [hd]))).keys) == 1


async def test_a_screen_without_protection_gets_what_demands_none(
    house: House, reach: Reach
) -> None:
    playback = await reach(Playback, house.build(Offer(hdcp={"HD": "1.4"})))
    plain = await begin(playback, said=Capabilities(hdcp="1.3"))
    assert heights(await manifest(playback, plain.session_id)) == {360, 540}
    safe = await begin(playback, said=Capabilities(hdcp="2.2"))
    assert heights(await manifest(playback, safe.session_id)) == {360, 540, 720}


async def test_a_title_that_the_device_cannot_play_is_refused_with_the_reason(
    playback: Playback,
) -> None:
    with pytest.raises(CannotPlay, match="in a form that this device can play"):
        await begin(playback, said=Capabilities(codecs=["vvc"]))


async def test_an_account_is_told_its_devices_and_what_each_said_last(
    house: House, playback: Playback
) -> None:
    await begin(playback, "tv", said=Capabilities(max_height=2160))
    began_at = house.clock.now()
    house.clock.advance(60)
    await house.report()
    await begin(playback, "phone")
    said = Capabilities(codecs=["h264", "av1"])
    await begin(playback, "tv", said=said)
    await begin(playback)
    found = (await playback.list_devices(ListDevices(account_id=OWNER))).devices
    assert sorted((each.device_id, each.name) for each in found) == [
        ("phone", "the phone"),
        ("tv", "the tv"),
    ]
    tv = next(each for each in found if each.device_id == "tv")
    assert (tv.capabilities, tv.first_seen_at) == (said, began_at)
    assert tv.seen_at == house.clock.now()
    nobody = await playback.list_devices(ListDevices(account_id=AccountId("acc_other")))
    assert nobody.devices == []


async def test_devices_without_end_are_not_kept(house: House) -> None:
    playback = house.build()
    for number in range(103):
        house.clock.advance(0.1)
        await begin(playback, f"d{number}")
    found = (await playback.list_devices(ListDevices(account_id=OWNER))).devices
    assert [each.device_id for each in found] == [f"d{n}" for n in range(102, 2, -1)]
