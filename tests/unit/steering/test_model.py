"""Who ranks, in which order, and what the token of the address allows."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering import model
from cuemark.contexts.steering.model import Appliance, Keyring, Loads
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import SILENCE_S, Rank
from cuemark.kit import cat

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def appliance(
    name: str, *, in_flight: int = 0, healthy: bool = True, silent_s: float = 0.0
) -> Appliance:
    at = NOW - timedelta(seconds=silent_s)
    return Appliance(ApplianceId(name), f"http://{name}.test", healthy, in_flight, at)


def names(
    holders: list[Appliance], loads: Loads | None = None, session: str = "s", limit: int = 3
) -> list[str]:
    chosen = model.rank(holders, loads or Loads(), PlaySessionId(session), NOW, limit)
    return [found.appliance_id for found in chosen]


fleets = st.lists(
    st.builds(
        appliance,
        st.text("abcdef", min_size=1),
        in_flight=st.integers(0, 50),
        healthy=st.booleans(),
        silent_s=st.floats(0, 40),
    ),
    max_size=12,
    unique_by=lambda found: found.appliance_id,
)


@given(fleets, st.text("xyz"), st.integers(1, 5))
def test_only_the_alive_and_healthy_rank_and_each_once(
    fleet: list[Appliance], session: str, limit: int
) -> None:
    ranked = names(fleet, session=session, limit=limit)
    alive = {a.appliance_id for a in fleet if a.healthy and a.alive(NOW)}
    able = alive or {a.appliance_id for a in fleet if a.healthy and not a.gone(NOW)}
    assert set(ranked) <= able
    assert len(ranked) == len(set(ranked)) == min(limit, len(able))


@given(fleets, st.text("xyz"), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_the_rows_came(
    fleet: list[Appliance], session: str, rng: random.Random
) -> None:
    shuffled = list(fleet)
    rng.shuffle(shuffled)
    assert names(fleet, session=session) == names(shuffled, session=session)


@given(st.integers(0, 100), st.integers(0, 100), st.text("xyz"))
def test_of_two_the_less_loaded_comes_first(first: int, second: int, session: str) -> None:
    ranked = names(
        [appliance("a", in_flight=first), appliance("b", in_flight=second)], session=session
    )
    if first != second:
        assert ranked == (["a", "b"] if first < second else ["b", "a"])


def test_silence_ends_an_appliance_exactly_at_its_limit() -> None:
    assert appliance("a", silent_s=SILENCE_S - 0.001).alive(NOW)
    assert not appliance("a", silent_s=SILENCE_S).alive(NOW)


def test_a_session_keeps_its_order_where_loads_are_equal() -> None:
    """Known values: a change of the hash would move every session to another appliance."""
    fleet = [appliance(name) for name in "abcd"]
    assert [names(fleet, session=f"play_{n}", limit=4) for n in range(3)] == [
        names(fleet, session=f"play_{n}", limit=4) for n in range(3)
    ]
    spread = Counter(names(fleet, session=f"play_{n}")[0] for n in range(400))
    assert min(spread.values()) > 60


def test_the_loss_of_one_appliance_moves_only_its_own_sessions() -> None:
    fleet = [appliance(name) for name in "abcdef"]
    for number in range(200):
        session = f"play_{number}"
        before = names(fleet, session=session)[0]
        after = names([a for a in fleet if a.appliance_id != "c"], session=session)[0]
        assert before == after or before == "c"


def test_sessions_between_two_reports_do_not_herd() -> None:
    """2,000 sessions on ten appliances by reports that stand still: at most 1.1 times the mean."""
    fleet = [appliance(f"edge-{n}") for n in range(10)]
    loads = Loads()
    placed = Counter(names(fleet, loads, session=f"play_{n}")[0] for n in range(2000))
    assert max(placed.values()) / 200 < 1.1
    by_stale_minimum = Counter(
        min(fleet, key=lambda found: (found.in_flight, found.appliance_id)).appliance_id
        for _ in range(2000)
    )
    assert max(by_stale_minimum.values()) == 2000


def test_a_new_report_takes_the_place_of_the_local_count() -> None:
    loads = Loads()
    first = appliance("a", in_flight=2)
    for _ in range(5):
        loads.place(first)
    assert loads.of(first) == 7
    reported = Appliance(
        first.appliance_id, first.url, True, 6, first.last_report_at + timedelta(seconds=0.5)
    )
    assert loads.of(reported) == 6
    loads.place(reported)
    assert loads.of(reported) == 7


def test_the_address_opens_this_version_for_this_session_at_this_appliance_only() -> None:
    keyring = Keyring([ApplianceId("a"), ApplianceId("b")], [cat.TokenKey("k1", b"1" * 32)])
    request = Rank(
        session_id=PlaySessionId("play_1"),
        version_id=VersionId("ver_1"),
        expires_at=NOW + timedelta(hours=12),
    )
    key = keyring.current_of(ApplianceId("a"))
    address = model.media_address(appliance("a"), request, key, NOW)
    base, token, rest = address.media_url.partition("/t/")[0], *_split(address.media_url)
    assert (base, rest) == ("http://a.test", "ver_1/")

    def verify(audience: str, path: str, at: datetime = NOW) -> cat.Claims:
        keys = {k.kid: k.key for k in keyring.all_of(ApplianceId(audience))}
        return cat.verify(token, keys=keys, audience=audience, path=path, now=at)

    claims = verify("a", "/ver_1/v360/1.m4s")
    assert (claims.subject, claims.path_prefix) == ("play_1", "/ver_1/")
    for audience, path, at in (
        ("b", "/ver_1/v360/1.m4s", NOW),
        ("a", "/ver_2/v360/1.m4s", NOW),
        ("a", "/ver_11/v360/1.m4s", NOW),
        ("a", "/ver_1/v360/1.m4s", NOW + timedelta(hours=12)),
    ):
        with pytest.raises(cat.TokenRejected):
            verify(audience, path, at)


def _split(media_url: str) -> tuple[str, str]:
    token, _, rest = media_url.partition("/t/")[2].partition("/")
    return token, rest


def test_tokens_of_the_older_key_are_still_accepted_and_new_ones_use_the_current() -> None:
    old, new = cat.TokenKey("k1", b"1" * 32), cat.TokenKey("k2", b"2" * 32)
    edge = ApplianceId("a")
    before, after = Keyring([edge], [old]), Keyring([edge], [new, old])
    assert before.current_of(edge) in after.all_of(edge)
    assert after.current_of(edge).kid == "k2"
    assert "1111" not in repr(before.current_of(edge))


@pytest.mark.parametrize(
    "masters", [[], [cat.TokenKey("k", b"1" * 32), cat.TokenKey("k", b"2" * 32)]]
)
def test_a_keyring_needs_keys_with_ids_of_their_own(masters: list[cat.TokenKey]) -> None:
    with pytest.raises(ValueError, match="kid of its own"):
        Keyring([ApplianceId("a")], masters)


@pytest.mark.parametrize(
    ("cursor", "position"),
    [("", 0), ("17", 17), ("-1", 0), ("1.5", 0), ("9" * 19, 0), ("²", 0), ("٣", 0), ("1\n", 0)],
)
def test_a_cursor_that_is_not_ours_starts_again(cursor: str, position: int) -> None:
    assert model.position_of(cursor) == position


def test_a_report_from_before_the_clock_was_set_back_is_no_sign_of_life() -> None:
    assert appliance("a", silent_s=-0.5).alive(NOW), "two processes' clocks may differ a little"
    assert not appliance("a", silent_s=-24 * 3600).alive(NOW)


KEYRING = Keyring(
    [ApplianceId(name) for name in ("edge-a", "edge-b", "edge-c", "deep-x", "deep-y")],
    [cat.TokenKey("k2", b"2" * 32), cat.TokenKey("k1", b"1" * 32)],
)
DEEP = [ApplianceId("deep-x"), ApplianceId("deep-y")]
FLEET = [appliance(name) for name in ("edge-a", "edge-b", "edge-c", "deep-x", "deep-y")]


def sources(name: str, fleet: list[Appliance], now: datetime = NOW) -> dict[str, bool]:
    found = model.sources_for(ApplianceId(name), fleet, DEEP, KEYRING, now)
    return {each.appliance_id: each.held_only for each in found}


def test_one_of_the_edge_asks_its_peers_for_what_they_hold_and_then_the_storage_tier() -> None:
    asked = sources("edge-a", FLEET)
    assert set(list(asked)[:2]) == {"edge-b", "edge-c"}
    assert asked == {"edge-b": True, "edge-c": True, "deep-x": False, "deep-y": False}


def test_the_storage_tier_asks_nobody_to_fetch_for_it() -> None:
    assert sources("deep-x", FLEET) == {"deep-y": True}


def test_the_dead_the_sick_and_the_unknown_are_nobodys_source() -> None:
    fleet = [
        appliance("edge-a"),
        appliance("edge-b", silent_s=SILENCE_S),
        appliance("edge-c", healthy=False),
        appliance("edge-who"),
    ]
    assert sources("edge-a", fleet) == {}


def test_sources_are_bounded_and_spread_over_a_large_fleet() -> None:
    names = [ApplianceId(f"edge-{number}") for number in range(100)]
    ring = Keyring(names, [cat.TokenKey("k", b"k" * 32)])
    fleet = [appliance(name) for name in names]
    asked: Counter[str] = Counter()
    for name in names:
        found = model.sources_for(name, fleet, [], ring, NOW)
        assert len(found) == model.MAX_PEERS
        asked.update(each.appliance_id for each in found)
    assert max(asked.values()) <= 4 * model.MAX_PEERS


def test_the_tokens_of_a_source_open_either_variant_there_and_nowhere_else() -> None:
    (source,) = model.sources_for(ApplianceId("deep-x"), FLEET, DEEP, KEYRING, NOW)
    keys = {key.kid: key.key for key in KEYRING.all_of(ApplianceId("deep-y"))}
    for url, variants in ((source.a_url, b"\x00"), (source.b_url, b"\xff")):
        root, _, token = url.removesuffix("/").rpartition("/")
        assert root == "http://deep-y.test/t"
        claims = cat.verify(token, keys=keys, audience="deep-y", path="/ver_1/x", now=NOW)
        assert (claims.subject, claims.variants) == ("deep-x", variants)
        with pytest.raises(cat.TokenRejected):
            cat.verify(token, keys=keys, audience="deep-x", path="/ver_1/x", now=NOW)


def test_a_snapshot_changes_with_the_tokens_only_now_and_then() -> None:
    seen = set()
    for second in range(0, model.SOURCE_TOKEN_RENEWED_S, 7):
        now = NOW + timedelta(seconds=second)
        fleet = [appliance("edge-b", silent_s=-second)]
        (source,) = model.sources_for(ApplianceId("edge-a"), fleet, DEEP, KEYRING, now)
        seen.add(source.a_url)
    assert len(seen) == 1


def test_viewers_are_sent_to_the_storage_tier_last() -> None:
    for number in range(20):
        ranked = model.rank(FLEET, Loads(), PlaySessionId(f"s{number}"), NOW, 5, DEEP)
        assert {each.appliance_id for each in ranked[3:]} == set(DEEP)
