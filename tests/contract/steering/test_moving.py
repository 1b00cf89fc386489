"""A play that moves: steered, drained, redirected."""

import pytest

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import (
    ListAppliances,
    NoAppliance,
    Redirect,
    Redirected,
    SetDraining,
    Steer,
    Steering,
    SteeringOver,
    UnknownAppliance,
)
from cuemark.contracts.steering.reports import (
    SILENCE_S,
)
from cuemark.kit.clock import ManualClock
from tests.contract.steering.asking import FILM, A, B, rank, ranked, report


async def test_a_running_play_is_led_away_from_a_dead_appliance_and_back(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM], in_flight=0)
    await report(steering, B, [FILM], in_flight=9)
    token = (await rank(steering, clock)).steering_token

    async def led() -> tuple[list[ApplianceId], int]:
        steered = await steering.steer(Steer(token=token))
        return steered.appliance_ids, steered.ttl_s

    assert await led() == ([A, B], 20)
    died_at_s = clock.monotonic_s()
    while A in (await led())[0]:
        clock.advance(0.1)
        await report(steering, B)
    assert SILENCE_S <= clock.monotonic_s() - died_at_s < 2
    assert await led() == ([B], 10)
    await report(steering, A)
    clock.advance(0.2)
    assert await led() == ([A, B], 20)


async def test_being_asked_where_to_fetch_places_no_session(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM], in_flight=0)
    await report(steering, B, [FILM], in_flight=5)
    began = await rank(steering, clock)
    for _ in range(20):
        await steering.steer(Steer(token=began.steering_token))
    assert await ranked(steering, clock) == [A, B]


async def test_a_draining_appliance_stands_behind_the_others(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM], in_flight=0)
    await report(steering, B, [FILM], in_flight=9)
    token = (await rank(steering, clock)).steering_token
    await steering.set_draining(SetDraining(appliance_id=A, draining=True))
    clock.advance(0.2)
    assert await ranked(steering, clock) == [B, A]
    assert (await steering.steer(Steer(token=token))).appliance_ids == [B]
    states = (await steering.list_appliances(ListAppliances())).appliances
    assert [(each.appliance_id, each.draining) for each in states] == [(A, True), (B, False)]
    await report(steering, A)
    await report(steering, B, healthy=False)
    clock.advance(0.2)
    assert await ranked(steering, clock) == [A]
    await steering.set_draining(SetDraining(appliance_id=A, draining=False))
    await report(steering, B, in_flight=9)
    clock.advance(0.2)
    assert await ranked(steering, clock) == [A, B]
    assert (await steering.steer(Steer(token=token))).appliance_ids == [A, B]


@pytest.mark.parametrize("name", ["edge-z", "edge-b"])
async def test_what_never_reported_cannot_drain(steering: Steering, name: str) -> None:
    with pytest.raises(UnknownAppliance, match=name):
        await steering.set_draining(SetDraining(appliance_id=ApplianceId(name), draining=True))


@pytest.mark.parametrize("token", ["", ".", "e30.e30", "\0", "a" * 10_000])
async def test_a_token_that_is_none_of_ours_is_told_to_ask_no_more(
    steering: Steering, token: str
) -> None:
    with pytest.raises(SteeringOver):
        await steering.steer(Steer(token=token))


async def sent(steering: Steering, token: str, address: str = "") -> Redirected:
    return await steering.redirect(Redirect(token=token, client_address=address))


async def test_a_play_is_redirected_with_a_token_that_opens_it_there(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    began = await rank(steering, clock)
    found = await sent(steering, began.redirect_token)
    assert (found.session_id, found.version_id, found.appliance_id) == ("play_1", FILM, A)
    assert found.media_url == began.appliances[0].media_url
    clock.advance(60)
    await report(steering, A)
    assert (await sent(steering, began.redirect_token)).media_url == found.media_url


async def test_a_redirected_play_leaves_a_dead_appliance_within_five_seconds_and_comes_back(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM], in_flight=0)
    await report(steering, B, [FILM], in_flight=9)
    token = (await rank(steering, clock)).redirect_token
    died_at_s = clock.monotonic_s()
    while (found := await sent(steering, token)).appliance_id == A:
        clock.advance(0.1)
        await report(steering, B)
    # A client may keep the answer that it had just before.
    assert SILENCE_S <= clock.monotonic_s() - died_at_s < 5 - found.ttl_s
    assert found.media_url.startswith("http://edge-b.test:8081/t/")
    await report(steering, A)
    clock.advance(1)
    await report(steering, A)
    await report(steering, B)
    assert (await sent(steering, token)).appliance_id == A


async def test_a_redirected_play_can_go_where_its_ranking_did_not(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    token = (await rank(steering, clock)).redirect_token
    await report(steering, A, healthy=False)
    await report(steering, B, [FILM])
    clock.advance(1)
    await report(steering, B)
    assert (await sent(steering, token)).appliance_id == B


async def test_a_redirected_play_leaves_an_appliance_that_drains(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM], in_flight=0)
    await report(steering, B, [FILM], in_flight=9)
    token = (await rank(steering, clock)).redirect_token
    assert (await sent(steering, token)).appliance_id == A
    await steering.set_draining(SetDraining(appliance_id=A, draining=True))
    clock.advance(1)
    await report(steering, B)
    assert (await sent(steering, token)).appliance_id == B


async def test_redirects_place_no_session(steering: Steering, clock: ManualClock) -> None:
    await report(steering, A, [FILM], in_flight=0)
    await report(steering, B, [FILM], in_flight=5)
    token = (await rank(steering, clock)).redirect_token
    for number in range(20):
        await sent(steering, token, f"192.0.2.{number}")
    assert await ranked(steering, clock) == [A, B]


async def test_where_nobody_serves_no_play_is_redirected(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    token = (await rank(steering, clock)).redirect_token
    await report(steering, A, [])
    await report(steering, A, [], revision=2)
    clock.advance(1)
    with pytest.raises(NoAppliance, match="try again"):
        await sent(steering, token)


async def test_a_play_past_its_time_and_a_foreign_token_are_redirected_nowhere(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    began = await rank(steering, clock)
    for token in (began.steering_token, "", ".", "e30.e30", "\0", "a" * 10_000):
        with pytest.raises(SteeringOver):
            await sent(steering, token)
    with pytest.raises(SteeringOver):
        await steering.steer(Steer(token=began.redirect_token))
    await sent(steering, began.redirect_token)
    clock.advance(12 * 3600)
    await report(steering, A)
    with pytest.raises(SteeringOver, match="past its time"):
        await sent(steering, began.redirect_token)
