"""What appliances tell, and who is ranked by it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import (
    ListAppliances,
    Rank,
    Steering,
    UnknownAppliance,
)
from cuemark.contracts.steering.reports import (
    GONE_S,
    REPORT_EVERY_S,
    SILENCE_S,
    GetSnapshot,
    Report,
    ReportInvalid,
)
from cuemark.contracts.steering.routes import (
    BgpPeer,
    Place,
)
from cuemark.kit import cat
from cuemark.kit.clock import ManualClock
from cuemark.kit.networks import NetworkInvalid
from tests.contract.steering.asking import FILM, MASTERS, OTHER, A, B, rank, ranked, report


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
