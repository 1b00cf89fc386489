"""Who ranks, and in which order."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.steering.model import ranking
from cuemark.contexts.steering.model.ranking import Appliance, Loads
from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering import SILENCE_S

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
