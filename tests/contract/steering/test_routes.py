"""Whom routes, places and films bring."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from cuemark.contexts.steering.service import FRESH_S
from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering import (
    ExplainRanking,
    ListAppliances,
    Rank,
    Steering,
    UnknownAppliance,
)
from cuemark.contracts.steering.reports import (
    Report,
)
from cuemark.contracts.steering.routes import (
    AddressInvalid,
    AnnounceRoutes,
    BgpPeer,
    ListRoutes,
    Place,
    Route,
    RoutesInvalid,
    WithdrawnRoute,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.pages import PageInvalid
from tests.contract.steering.asking import FILM, OTHER, A, B, ranked, report
from tests.unit.steering.teller import Teller

PEER = "198.51.100.1"


def announced(
    *routes: Route, epoch: str = "one", revision: int = 1, complete: bool = True
) -> AnnounceRoutes:
    return AnnounceRoutes(
        appliance_id=B,
        epoch=epoch,
        revision=revision,
        complete=complete,
        announced=list(routes),
    )


async def ranked_at(steering: Steering, clock: ManualClock, address: str) -> list[ApplianceId]:
    ranking = await steering.rank(
        Rank(
            session_id=PlaySessionId("play_1"),
            version_id=FILM,
            expires_at=clock.now() + timedelta(hours=12),
            client_address=address,
        )
    )
    return [found.appliance_id for found in ranking.appliances]


async def held_routes(steering: Steering, count: int) -> None:
    """Waits until steering knows that many routes."""
    async with asyncio.timeout(5):
        while (await steering.list_routes(ListRoutes())).total != count:
            await asyncio.sleep(0.02)


async def test_a_client_of_an_announced_network_is_sent_there_whatever_the_load(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    await report(steering, B, [FILM], in_flight=500)
    assert not (await steering.announce_routes(announced(Route("192.0.2.0/24", PEER)))).send_all
    await held_routes(steering, 1)
    assert await ranked_at(steering, clock, "192.0.2.7") == [B, A]
    for elsewhere in ("192.0.3.7", "2001:db8::1", "", "nowhere"):
        assert await ranked_at(steering, clock, elsewhere) == [A, B]
    withdrawn = AnnounceRoutes(
        appliance_id=B, epoch="one", revision=2, withdrawn=[WithdrawnRoute("192.0.2.0/24", PEER)]
    )
    await steering.announce_routes(withdrawn)
    await held_routes(steering, 0)
    assert await ranked_at(steering, clock, "192.0.2.7") == [A, B]


async def test_routes_of_which_a_batch_is_missing_are_asked_for_anew(steering: Steering) -> None:
    route = Route("192.0.2.0/24", PEER)
    assert (await steering.announce_routes(announced(route, revision=2))).send_all
    assert not (await steering.announce_routes(announced(route))).send_all
    assert not (await steering.announce_routes(announced(route))).send_all, "the same once more"
    assert (await steering.announce_routes(announced(route, revision=3))).send_all
    assert not (await steering.announce_routes(announced(route, epoch="two"))).send_all
    assert (await steering.announce_routes(announced(route, revision=2))).send_all


async def test_routes_that_cannot_be_are_refused_and_change_nothing(steering: Steering) -> None:
    await steering.announce_routes(announced(Route("192.0.2.0/24", PEER)))
    with pytest.raises(RoutesInvalid, match=r"'192.0.2.1/24' is no prefix"):
        await steering.announce_routes(announced(Route("192.0.2.1/24", PEER), revision=2))
    stranger = AnnounceRoutes(appliance_id=ApplianceId("edge-z"), epoch="one", revision=1)
    with pytest.raises(UnknownAppliance):
        await steering.announce_routes(stranger)
    await held_routes(steering, 1)


async def test_routes_are_listed_in_pages(steering: Steering) -> None:
    routes = [Route(f"10.{n}.0.0/16", PEER, 100, n, 7) for n in range(5)]
    await steering.announce_routes(announced(*routes))
    await held_routes(steering, 5)
    found, after = [], ""
    while True:
        page = await steering.list_routes(ListRoutes(after=after, limit=2))
        found += page.routes
        after = page.next_cursor
        if not after:
            break
    assert [(each.appliance_id, each.route) for each in found] == [(B, each) for each in routes]
    assert (await steering.list_routes(ListRoutes(appliance_id=A))).routes == []
    for wrong in (ListRoutes(limit=0), ListRoutes(after="x")):
        with pytest.raises(PageInvalid):
            await steering.list_routes(wrong)


async def test_a_ranking_is_explained(steering: Steering, clock: ManualClock) -> None:
    await report(steering, A, [FILM], in_flight=3)
    await report(steering, B, [])
    await steering.announce_routes(announced(Route("192.0.2.0/24", PEER, 200, 2, 5)))
    await held_routes(steering, 1)
    told = await steering.explain_ranking(ExplainRanking(address="192.0.2.7"))
    assert [(each.appliance_id, each.ring) for each in told.candidates] == [(B, 1), (A, 2)]
    assert told.candidates[0].route == Route("192.0.2.0/24", PEER, 200, 2, 5)
    assert "local preference 200, AS path of 2, MED 5" in told.candidates[0].reason
    of_film = await steering.explain_ranking(ExplainRanking(address="192.0.2.7", version_id=FILM))
    assert [(each.appliance_id, each.ring) for each in of_film.candidates] == [(A, 1), (B, 0)]
    assert of_film.candidates[1].reason == "does not know this version"
    with pytest.raises(AddressInvalid):
        await steering.explain_ranking(ExplainRanking(address="192.0.2.0/24"))


async def until_held(steering: Steering, percent: dict[ApplianceId, int | None]) -> None:
    """Until steering has heard who holds the film."""
    asked = ExplainRanking(address="192.0.2.7", version_id=FILM)
    async with asyncio.timeout(20):
        while True:
            told = await steering.explain_ranking(asked)
            if {each.appliance_id: each.held_percent for each in told.candidates} == percent:
                return
            await asyncio.sleep(0.05)


async def test_one_that_holds_the_film_comes_first_whatever_is_away(
    steering: Steering, clock: ManualClock, teller: Teller
) -> None:
    await report(steering, A, [FILM], in_flight=9)
    await report(steering, B, [FILM], in_flight=3)
    await until_held(steering, {A: None, B: None})
    assert await ranked(steering, clock) == [B, A]
    teller.tell(A, {FILM: 90})
    teller.tell(B, {OTHER: 100})
    await until_held(steering, {A: 90, B: 0})
    assert await ranked(steering, clock) == [A, B]
    teller.away = True
    asked = teller.asked
    async with asyncio.timeout(20):
        while teller.asked < asked + 2:
            await asyncio.sleep(0.05)
    assert await ranked(steering, clock) == [A, B], "what was known last stands"
    await report(steering, A, healthy=False)
    clock.advance(FRESH_S)
    assert await ranked(steering, clock) == [B], "who is not fit does not rank, whatever it holds"
    await report(steering, A, in_flight=9)
    teller.away = False
    teller.forget(A)
    teller.tell(B, {FILM: 100})
    await until_held(steering, {A: None, B: 100})
    clock.advance(FRESH_S)
    assert await ranked(steering, clock) == [B, A]


async def test_where_an_appliance_is_and_who_tells_it_routes_is_listed(
    steering: Steering, clock: ManualClock
) -> None:
    peer = BgpPeer(address=PEER, asn=64501, state="up", routes=7, refused=1, complaint="bogon")
    place = Place(country="DE", asn=64500, latitude=52.5, longitude=13.4)
    said = Report(
        appliance_id=A,
        url="http://edge-a.test",
        healthy=True,
        in_flight=0,
        inventory_revision=1,
        capacity_kbps=10_000_000,
        served_kbps=2_000_000,
        announced_only=True,
        place=place,
        peers=[peer],
    )
    await steering.report(said)
    (state,) = (await steering.list_appliances(ListAppliances())).appliances
    assert (state.place, state.peers, state.announced_only) == (place, [peer], True)
    assert (state.capacity_kbps, state.served_kbps, state.routes) == (10_000_000, 2_000_000, 0)
    await steering.report(msgspec.structs.replace(said, place=None, peers=[]))
    (state,) = (await steering.list_appliances(ListAppliances())).appliances
    assert (state.place, state.peers) == (None, [])
