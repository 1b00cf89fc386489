"""What every caller of steering may rely on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import msgspec
import pytest

from cuemark.contexts.steering import wiring
from cuemark.contexts.steering.service import FRESH_S
from cuemark.contracts.fill import Fill
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import (
    ExplainRanking,
    ListAppliances,
    NoAppliance,
    Rank,
    Ranking,
    Redirect,
    Redirected,
    SetDraining,
    Steer,
    Steering,
    SteeringOver,
    UnknownAppliance,
)
from cuemark.contracts.steering.reports import (
    GONE_S,
    REPORT_EVERY_S,
    SILENCE_S,
    GetSnapshot,
    Report,
    ReportAccepted,
    ReportInvalid,
    Software,
)
from cuemark.contracts.steering.rollouts import (
    ChangeRollout,
    GetRollout,
    NoRollout,
    RolloutInvalid,
    RolloutPolicy,
    RolloutUnderway,
    StartRollout,
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
from cuemark.kit import cat
from cuemark.kit.clock import ManualClock
from cuemark.kit.networks import NetworkInvalid
from cuemark.kit.outbox import Log
from cuemark.kit.pages import PageInvalid
from tests.contract.conftest import Reach
from tests.databases import opened
from tests.unit.steering.teller import Teller

A, B = ApplianceId("edge-a"), ApplianceId("edge-b")
FILM, OTHER = VersionId("ver_film"), VersionId("ver_other")
MASTERS = [cat.TokenKey("k2", b"2" * 32), cat.TokenKey("k1", b"1" * 32)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def teller() -> Teller:
    return Teller(at_once=1)


@pytest.fixture
async def steering(
    reach: Reach, database_url: str, clock: ManualClock, teller: Teller
) -> AsyncIterator[Steering]:
    async with opened(database_url, wiring) as database:
        room = wiring.build(
            database=database,
            log=Log(clock),
            clock=clock,
            fill=cast(Fill, teller),
            appliance_ids=(A, B),
            token_keys=MASTERS,
        )
        follow_routes, _, follow_holding = room.keepers
        following = [asyncio.create_task(follow()) for follow in (follow_routes, follow_holding)]
        yield await reach(Steering, room.service)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def report(
    steering: Steering,
    appliance_id: ApplianceId,
    versions: list[VersionId] | None = None,
    *,
    revision: int = 1,
    healthy: bool = True,
    in_flight: int = 0,
) -> ReportAccepted:
    return await steering.report(
        Report(
            appliance_id=appliance_id,
            url=f"http://{appliance_id}.test:8081/",
            healthy=healthy,
            in_flight=in_flight,
            inventory_revision=revision,
            versions=versions,
        )
    )


async def rank(
    steering: Steering, clock: ManualClock, version_id: VersionId = FILM, limit: int = 3
) -> Ranking:
    return await steering.rank(
        Rank(
            session_id=PlaySessionId("play_1"),
            version_id=version_id,
            expires_at=clock.now() + timedelta(hours=12),
            limit=limit,
        )
    )


async def ranked(
    steering: Steering, clock: ManualClock, version_id: VersionId = FILM
) -> list[ApplianceId]:
    ranking = await rank(steering, clock, version_id)
    return [found.appliance_id for found in ranking.appliances]


async def test_the_less_loaded_holder_comes_first(steering: Steering, clock: ManualClock) -> None:
    await report(steering, A, [FILM], in_flight=9)
    await report(steering, B, [FILM], in_flight=3)
    assert await ranked(steering, clock) == [B, A]


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": ""},
        {"url": "ftp://appliance-a.test"},
        {"url": "javascript:alert(1)"},
        {"url": "http://appliance-a.test:0"},
        {"url": "http://appliance-a.test:65536"},
        {"url": "http://[:::]:8081"},
        {"url": "http://user@appliance-a.test"},
        {"url": "http://appliance-a.test/\0"},
        {"url": "http://appliance-a.test/\n#EXTINF"},
        {"in_flight": -1},
        {"in_flight": 2**63},
        {"inventory_revision": -1},
        {"inventory_revision": 2**63},
        {"versions": ["ver_\0"]},
        {"versions": [""]},
        {"versions": ["../objects"]},
        {"capacity_kbps": -1},
        {"served_kbps": 2**63},
        {"place": Place(country="Germany")},
        {"peers": [BgpPeer(address="x" * 201, asn=1, state="up")]},
        {"peers": [BgpPeer(address="x", asn=1, state="up", complaint="\0")]},
    ],
)
async def test_a_report_that_cannot_be_is_refused_and_changes_nothing(
    steering: Steering, clock: ManualClock, wrong: dict[str, Any]
) -> None:
    await report(steering, A, [FILM])
    right = Report(
        appliance_id=A,
        url="http://appliance-a.test",
        healthy=False,
        in_flight=7,
        inventory_revision=9,
        versions=[],
    )
    with pytest.raises(ReportInvalid, match=next(iter(wrong))):
        await steering.report(msgspec.structs.replace(right, **wrong))
    assert await ranked(steering, clock) == [A]


async def test_an_appliance_that_lacks_the_version_never_ranks(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    await report(steering, B, [OTHER])
    assert await ranked(steering, clock) == [A]
    assert await ranked(steering, clock, VersionId("ver_nowhere")) == []


async def test_an_appliance_that_drops_a_version_stops_ranking_for_it(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM, OTHER], revision=1)
    assert await ranked(steering, clock) == [A]
    await report(steering, A, [OTHER], revision=2)
    clock.advance(0.2)
    assert await ranked(steering, clock) == []
    assert await ranked(steering, clock, OTHER) == [A]


async def test_a_dead_appliance_leaves_within_two_seconds(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    await report(steering, B, [FILM])
    died_at_s = clock.monotonic_s()
    while A in await ranked(steering, clock):
        clock.advance(0.1)
        if clock.monotonic_s() * 10 % (REPORT_EVERY_S * 10) < 1:
            await report(steering, B)
    assert SILENCE_S <= clock.monotonic_s() - died_at_s < 2
    assert await ranked(steering, clock) == [B]


async def test_where_all_fell_silent_at_once_they_rank_until_they_are_gone(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    await report(steering, B, [FILM])
    clock.advance(GONE_S - 0.1)
    assert sorted(await ranked(steering, clock)) == [A, B]
    clock.advance(0.2)
    assert await ranked(steering, clock) == []


async def test_an_appliance_returns_with_its_next_report(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    clock.advance(60)
    assert await ranked(steering, clock) == []
    assert not (await report(steering, A)).send_inventory
    clock.advance(0.2)
    assert await ranked(steering, clock) == [A]


async def test_a_sick_appliance_leaves_with_its_report(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    assert await ranked(steering, clock) == [A]
    await report(steering, A, healthy=False)
    clock.advance(0.2)
    assert await ranked(steering, clock) == []


async def test_the_inventory_is_asked_for_only_when_it_is_not_known(steering: Steering) -> None:
    assert (await report(steering, A, revision=4)).send_inventory
    assert (await report(steering, A, revision=4)).send_inventory
    assert not (await report(steering, A, [FILM], revision=4)).send_inventory
    assert not (await report(steering, A, revision=4)).send_inventory
    assert (await report(steering, A, revision=5)).send_inventory
    assert (await report(steering, A, revision=5)).send_inventory
    assert not (await report(steering, A, [], revision=5)).send_inventory


async def test_an_appliance_that_is_not_enrolled_is_refused(steering: Steering) -> None:
    stranger = ApplianceId("edge-z")
    with pytest.raises(UnknownAppliance, match="edge-z is not enrolled"):
        await report(steering, stranger, [FILM])
    with pytest.raises(UnknownAppliance):
        await steering.get_snapshot(GetSnapshot(appliance_id=stranger))
    assert (await steering.list_appliances(ListAppliances())).appliances == []


async def test_the_address_carries_a_token_for_that_appliance(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    (found,) = (await rank(steering, clock)).appliances
    base, token, version = found.media_url.removesuffix("/").rsplit("/", 2)
    assert (base, version) == ("http://edge-a.test:8081/t", FILM)
    snapshot = await steering.get_snapshot(GetSnapshot(appliance_id=A))
    keys = {key.kid: bytes.fromhex(key.key) for key in snapshot.token_keys}
    claims = cat.verify(token, keys=keys, audience=A, path=f"/{FILM}/x", now=clock.now())
    assert claims.subject == "play_1"
    assert claims.expires_at_s == int((clock.now() + timedelta(hours=12)).timestamp())


async def test_tokens_are_bound_to_the_networks_that_are_named(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    asked = Rank(
        session_id=PlaySessionId("play_1"),
        version_id=FILM,
        expires_at=clock.now() + timedelta(hours=1),
        networks=["192.0.2.0/24", "2001:db8::/32"],
    )
    (found,) = (await steering.rank(asked)).appliances
    snapshot = await steering.get_snapshot(GetSnapshot(appliance_id=A))
    keys = {key.kid: bytes.fromhex(key.key) for key in snapshot.token_keys}
    claims = cat.claims_of(found.media_url.split("/")[-3], keys)
    assert claims.from_network("192.0.2.7")
    assert claims.from_network("2001:db8::1")
    assert not claims.from_network("198.51.100.7")


@pytest.mark.parametrize(
    "networks", [["192.0.2.7/24"], [""], ["here"], ["192.0.2.0/33"], ["::/0"] * 5, ["1.2.3.4/\0"]]
)
async def test_what_is_no_network_is_refused(
    steering: Steering, clock: ManualClock, networks: list[str]
) -> None:
    await report(steering, A, [FILM])
    asked = Rank(
        session_id=PlaySessionId("play_1"),
        version_id=FILM,
        expires_at=clock.now(),
        networks=networks,
    )
    with pytest.raises(NetworkInvalid):
        await steering.rank(asked)


async def test_every_appliance_is_told_the_sessions_variants(
    steering: Steering, clock: ManualClock
) -> None:
    row = bytes(range(128))
    await report(steering, A, [FILM])
    await report(steering, B, [FILM])
    expires_at = clock.now() + timedelta(hours=12)
    session_id = PlaySessionId("play_1")
    ranking = await steering.rank(
        Rank(session_id=session_id, version_id=FILM, expires_at=expires_at, variants=row)
    )
    assert len(ranking.appliances) == 2
    for each in ranking.appliances:
        snapshot = await steering.get_snapshot(GetSnapshot(appliance_id=each.appliance_id))
        token = each.media_url.split("/")[-3]
        assert len(token) <= cat.MAX_TOKEN_CHARS
        claims = cat.verify(
            token,
            keys={key.kid: bytes.fromhex(key.key) for key in snapshot.token_keys},
            audience=each.appliance_id,
            path=f"/{FILM}/x",
            now=clock.now(),
        )
        assert claims.variants == row


async def test_a_snapshot_has_the_appliances_own_keys_the_current_first(steering: Steering) -> None:
    keys_a = (await steering.get_snapshot(GetSnapshot(appliance_id=A))).token_keys
    keys_b = (await steering.get_snapshot(GetSnapshot(appliance_id=B))).token_keys
    assert [key.kid for key in keys_a] == ["k2", "k1"]
    secrets = {key.key for key in keys_a + keys_b} | {key.key.hex() for key in MASTERS}
    assert len(secrets) == 6


@pytest.mark.parametrize("limit", [-1, 0, 1])
async def test_a_ranking_has_at_least_the_best(
    steering: Steering, clock: ManualClock, limit: int
) -> None:
    await report(steering, A, [FILM])
    await report(steering, B, [FILM])
    assert len((await rank(steering, clock, limit=limit)).appliances) == 1


async def test_the_list_tells_the_state_of_each(steering: Steering, clock: ManualClock) -> None:
    await report(steering, B, [FILM, OTHER], in_flight=2)
    clock.advance(SILENCE_S)
    await report(steering, A, [], healthy=False)
    states = (await steering.list_appliances(ListAppliances())).appliances
    assert [(s.appliance_id, s.alive, s.healthy, s.in_flight, s.versions) for s in states] == [
        (A, True, False, 0, 0),
        (B, False, True, 2, 2),
    ]
    assert states[0].last_report_at == clock.now()


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


async def test_each_appliance_is_told_of_the_living_others_and_how_to_ask_them(
    steering: Steering, clock: ManualClock
) -> None:
    await report(steering, A, [FILM])
    asked = await steering.get_snapshot(GetSnapshot(appliance_id=A))
    assert asked.sources == []
    await report(steering, B)
    clock.advance(0.2)
    (source,) = (await steering.get_snapshot(GetSnapshot(appliance_id=A))).sources
    assert (source.appliance_id, source.held_only) == (B, True)
    token = source.a_url.removesuffix("/").rpartition("/")[2]
    keys = {key.kid: cat.derive_key(key, B).key for key in MASTERS}
    claims = cat.verify(token, keys=keys, audience=B, path="/ver_film/x", now=clock.now())
    assert claims.subject == A
    clock.advance(SILENCE_S)
    assert (await steering.get_snapshot(GetSnapshot(appliance_id=A))).sources == []


OLD, NEW = "0.1.0+old", "0.2.0+new"


async def report_software(
    steering: Steering, appliance_id: ApplianceId, **changes: str | int | bool
) -> None:
    said = msgspec.structs.replace(Software(release=OLD, can_update=True), **changes)
    await steering.report(
        Report(
            appliance_id=appliance_id,
            url="http://edge.test:8081/",
            healthy=True,
            in_flight=0,
            inventory_revision=1,
            versions=[FILM],
            region="oslo",
            software=said,
        )
    )


async def test_what_an_appliance_runs_is_told_as_it_said(steering: Steering) -> None:
    await report_software(steering, A, answered=9, failed=2)
    await report(steering, B, [FILM])
    a, b = (await steering.list_appliances(ListAppliances())).appliances
    assert a.software == Software(release=OLD, can_update=True, answered=9, failed=2)
    assert (a.region, b.region, b.software) == ("oslo", "", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"release": "../../bin"},
        {"order_id": "a" * 65},
        {"trouble": "two\nlines"},
        {"failed": 1},
    ],
)
async def test_what_an_appliance_cannot_run_is_refused(
    steering: Steering, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ReportInvalid, match="software"):
        await report_software(steering, A, **wrong)
    assert not (await steering.list_appliances(ListAppliances())).appliances


async def test_a_rollout_is_started_paused_and_resumed(steering: Steering) -> None:
    with pytest.raises(NoRollout):
        await steering.get_rollout(GetRollout())
    with pytest.raises(RolloutInvalid, match="no appliance can be updated"):
        await steering.start_rollout(StartRollout(release=NEW))
    await report_software(steering, A)
    await report(steering, B, [FILM])
    policy = RolloutPolicy(waves=["1", "50%"], soak_s=7)
    begun = await steering.start_rollout(StartRollout(release=NEW, policy=policy))
    assert (begun.release, begun.policy, begun.standing) == (NEW, policy, "running")
    assert [(each.appliance_id, each.phase) for each in begun.members] == [(A, "waiting")]
    change = ChangeRollout(rollout_id=begun.rollout_id, change="pause")
    assert (await steering.change_rollout(change)).standing == "paused"
    with pytest.raises(RolloutUnderway, match="cannot be paused"):
        await steering.change_rollout(change)
    with pytest.raises(RolloutUnderway, match="replaced nobody yet"):
        await steering.change_rollout(msgspec.structs.replace(change, change="undo"))
    again = await steering.change_rollout(msgspec.structs.replace(change, change="resume"))
    assert (again.standing, (await steering.get_rollout(GetRollout())).rollout_id) == (
        "running",
        begun.rollout_id,
    )
    with pytest.raises(NoRollout, match="is not the last rollout"):
        await steering.change_rollout(ChangeRollout(rollout_id="rol_other", change="pause"))
    assert (await steering.get_snapshot(GetSnapshot(appliance_id=A))).order is None


async def test_of_two_operators_at_once_one_starts_a_rollout(steering: Steering) -> None:
    await report_software(steering, A)
    starts = [
        steering.start_rollout(StartRollout(release=f"0.{number}.0")) for number in range(2, 6)
    ]
    done = await asyncio.gather(*starts, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Rollout", *["RolloutUnderway"] * 3]
