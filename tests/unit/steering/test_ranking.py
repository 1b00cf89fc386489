"""Who ranks, and in which order."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering.model import ranking
from cuemark.contexts.steering.model.ranking import Appliance, Client, Loads
from cuemark.contexts.steering.model.routes import Path
from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering.reports import SILENCE_S
from cuemark.contracts.steering.routes import Place, Route

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def appliance(
    name: str, *, in_flight: int = 0, healthy: bool = True, silent_s: float = 0.0
) -> Appliance:
    at = NOW - timedelta(seconds=silent_s)
    return Appliance(ApplianceId(name), f"http://{name}.test", healthy, in_flight, at)


def names(
    holders: list[Appliance], loads: Loads | None = None, session: str = "s", limit: int = 3
) -> list[str]:
    chosen = ranking.rank(holders, loads or Loads(), PlaySessionId(session), NOW, limit)
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


def test_a_report_from_before_the_clock_was_set_back_is_no_sign_of_life() -> None:
    assert appliance("a", silent_s=-0.5).alive(NOW), "two processes' clocks may differ a little"
    assert not appliance("a", silent_s=-24 * 3600).alive(NOW)


def line(name: str, *, capacity_kbps: int, served_kbps: int = 0, at: datetime = NOW) -> Appliance:
    return Appliance(
        ApplianceId(name),
        f"http://{name}.test",
        True,
        0,
        at,
        capacity_kbps=capacity_kbps,
        served_kbps=served_kbps,
    )


def path(prefix_length: int, preference: int = 100, hops: int = 1, med: int = 0) -> Path:
    route = Route(f"10.0.0.0/{prefix_length}", "198.51.100.1", preference, hops, med)
    return Path(route, (-prefix_length, -preference, hops, med))


def ranked_for(client: Client, fleet: list[Appliance], session: str = "s") -> list[str]:
    chosen = ranking.rank(fleet, Loads(), PlaySessionId(session), NOW, 10, client)
    return [found.appliance_id for found in chosen]


def test_routes_come_before_places_and_each_rule_before_the_next() -> None:
    paths = {
        "longest": path(24, 1, 9, 9),
        "preferred": path(16, 200, 9, 9),
        "short": path(16, 100, 1, 9),
        "cheap": path(16, 100, 2, 0),
        "dear": path(16, 100, 2, 7),
    }
    client = Client({ApplianceId(name): each for name, each in paths.items()}, Place(country="DE"))
    near = replace(appliance("near"), place=Place(country="DE"))
    for loaded in paths:
        fleet = [appliance("far"), near]
        fleet += [appliance(name, in_flight=99 * (name == loaded)) for name in paths]
        for session in ("a", "b", "c"):
            assert ranked_for(client, fleet, session) == [*paths, "near", "far"]


def test_within_a_ring_the_one_with_more_headroom_comes_first() -> None:
    small = line("small", capacity_kbps=100_000, served_kbps=30_000)
    big = line("big", capacity_kbps=1_000_000, served_kbps=200_000)
    for session in map(str, range(20)):
        assert names([small, big], session=session) == ["big", "small"]


def test_a_full_appliance_gets_a_client_of_its_routes_only_where_all_are_full() -> None:
    near, far = (
        line("near", capacity_kbps=100_000, served_kbps=96_000),
        line("far", capacity_kbps=9),
    )
    client = Client({near.appliance_id: path(24)})
    assert ranked_for(client, [near, far]) == ["far", "near"]
    assert ranked_for(client, [near, replace(far, served_kbps=9)]) == ["near", "far"]


def test_sessions_fill_what_is_near_and_then_go_on_to_the_next() -> None:
    near, far = line("near", capacity_kbps=100_000), line("far", capacity_kbps=100_000)
    client, loads = Client({near.appliance_id: path(24)}), Loads()
    first = [
        ranking.rank([near, far], loads, PlaySessionId(str(n)), NOW, 3, client)[0].appliance_id
        for n in range(30)
    ]
    assert first == ["near"] * 19 + ["far"] * 11


def test_who_is_for_announced_clients_alone_gets_others_only_where_nobody_else_can() -> None:
    closed = replace(appliance("closed"), announced_only=True, place=Place(country="DE"))
    client = Client(place=Place(country="DE"))
    assert ranked_for(client, [closed, appliance("open", in_flight=50)]) == ["open", "closed"]
    assert ranked_for(Client({closed.appliance_id: path(8)}), [closed, appliance("open")]) == [
        "closed",
        "open",
    ]
    assert ranked_for(client, [closed]) == ["closed"]


def test_lines_get_sessions_in_proportion_to_what_they_carry() -> None:
    fleet = [line(f"edge-{n}", capacity_kbps=(1 + n % 3) * 10_000_000) for n in range(9)]
    loads = Loads()
    placed = Counter(names(fleet, loads, session=f"play_{n}")[0] for n in range(6000))
    shares = [placed[each.appliance_id] / each.capacity_kbps for each in fleet]
    assert max(shares) / (sum(shares) / 9) < 1.05


@given(fleets, st.text("xyz"))
def test_without_routes_or_places_a_known_address_changes_nothing(
    fleet: list[Appliance], session: str
) -> None:
    assert ranked_for(Client(), fleet, session) == names(fleet, session=session, limit=10)


def test_viewers_are_sent_to_the_storage_tier_last_whatever_else_is_known() -> None:
    deep = [replace(appliance(name), of_storage=True) for name in ("deep-x", "deep-y")]
    edge = [appliance(name, in_flight=500) for name in ("edge-a", "edge-b", "edge-c")]
    client = Client({deep[0].appliance_id: path(24)})
    for session in map(str, range(20)):
        ranked = ranked_for(client, [*deep, *edge], session)
        assert ranked[3:] == ["deep-x", "deep-y"]


def test_a_play_is_led_past_who_is_nearer_and_not_fit_and_past_nobody_else() -> None:
    near, far, same = appliance("near"), appliance("far"), appliance("same")
    client = Client({near.appliance_id: path(24)})
    assert ranking.led_past([near, far], far, client)
    assert not ranking.led_past([near, far], near, client)
    assert not ranking.led_past([same, far], far, client)
    assert not ranking.led_past([far], far, client)
    full = replace(near, capacity_kbps=100, served_kbps=100)
    (first, *_) = ranking.rank([full, far], Loads(), PlaySessionId("s"), NOW, 3, client)
    assert first == far
    assert ranking.led_past([full, far], first, client)
