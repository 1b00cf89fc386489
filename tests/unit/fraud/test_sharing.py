"""One household or several, told from what was seen of an account."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fraud.model.sharing import (
    DAYS,
    FEWEST_DAYS,
    MOST_FOR_OVERLAP,
    Seen,
    groups_of,
    judge,
)
from cuemark.lab import households
from cuemark.lab.households import FAMILIES, SHARERS, Life

TODAY = date(2026, 3, 1)
HOME, AWAY, OTHER = "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"


def daily(device: str, network: str, days: int, territory: str = "DE") -> list[Seen]:
    return [Seen(TODAY - timedelta(days=n), device, network, territory) for n in range(days)]


@pytest.mark.parametrize(("name", "life"), FAMILIES.items())
def test_families_are_let_be_however_they_live_and_travel(name: str, life: Life) -> None:
    assert households.noticed(life, 300) <= 0.01, name


@pytest.mark.parametrize(("name", "life"), SHARERS.items())
def test_households_that_share_are_told(name: str, life: Life) -> None:
    assert households.noticed(life, 100) >= 0.95, name


def test_more_homes_are_asked_for_more() -> None:
    one = households.judged(SHARERS["shares with another"], 1)
    many = households.judged(SHARERS["shares with many"], 1)
    assert (one.step, many.step) == ("notice", "letter")
    assert one.score < many.score
    assert any("on the same days as at home" in each.text for each in one.reasons)


def at_once(seen: list[Seen]) -> list[Seen]:
    """All that was seen on one day played at once."""
    days: dict[date, set[str]] = {}
    for each in seen:
        days.setdefault(each.day, set()).add(each.device)
    return [each._replace(beside=frozenset(days[each.day] - {each.device})) for each in seen]


@pytest.mark.parametrize(("name", "life"), FAMILIES.items())
def test_plays_at_once_make_no_family_another(name: str, life: Life) -> None:
    for seed in range(100):
        seen = list(life(random.Random(seed)))
        plain, told = judge(seen, households.TODAY), judge(at_once(seen), households.TODAY)
        assert told.step == "pass" or plain.step != "pass", name


def test_plays_at_once_in_two_homes_are_a_reason_of_their_own() -> None:
    seen = daily("tv", HOME, 20) + daily("other", AWAY, 20)
    plain = judge(seen, TODAY)
    assert [each.code for each in plain.reasons] == ["household"]
    told = judge([*seen, Seen(TODAY, "tv", HOME, "DE", frozenset({"other"}))], TODAY)
    assert [(each.code, each.points) for each in told.reasons[1:]] == [("overlap", 3)]
    assert told.reasons[1].text == "days with plays at once there and at home: 1"
    most = judge(at_once(seen), TODAY)
    assert most.score == plain.score + MOST_FOR_OVERLAP


def test_plays_at_once_within_a_home_say_nothing() -> None:
    seen = at_once(daily("tv", HOME, 20) + daily("phone", HOME, 20))
    assert judge(seen, TODAY).reasons == ()


def test_a_device_that_was_in_both_places_makes_them_one_household() -> None:
    seen = daily("tv", HOME, 28) + daily("laptop", AWAY, 28)
    assert judge(seen, TODAY).step == "notice"
    assert judge([*seen, Seen(TODAY, "laptop", HOME, "DE")], TODAY).step == "pass"


def test_a_short_while_elsewhere_says_nothing() -> None:
    seen = daily("tv", HOME, 28) + daily("other", AWAY, FEWEST_DAYS - 1, "ES")
    assert judge(seen, TODAY).reasons == ()


def test_what_was_seen_long_ago_says_nothing() -> None:
    old = [each._replace(day=each.day - timedelta(days=DAYS)) for each in daily("x", AWAY, 28)]
    assert judge(daily("tv", HOME, 28) + old, TODAY).step == "pass"


def test_places_that_are_not_known_prove_nothing() -> None:
    assert judge(daily("tv", "", 28) + daily("other", "", 28), TODAY).step == "pass"


rows = st.lists(
    st.builds(
        Seen,
        st.integers(0, 40).map(lambda n: TODAY - timedelta(days=n)),
        st.sampled_from(["d1", "d2", "d3", "d4", "d5"]),
        st.sampled_from(["", HOME, AWAY, OTHER]),
        st.sampled_from(["", "DE", "ES"]),
    ),
    max_size=150,
)


@given(rows)
def test_groups_share_neither_a_device_nor_a_place_and_nothing_is_lost(seen: list[Seen]) -> None:
    groups = groups_of(seen)
    devices = [device for group in groups for device in group.devices]
    networks = [network for group in groups for network in group.networks]
    assert sorted(devices) == sorted({each.device for each in seen})
    assert sorted(networks) == sorted({each.network for each in seen if each.network})


@given(rows, st.randoms(use_true_random=False))
def test_the_order_in_which_it_was_seen_changes_nothing(
    seen: list[Seen], rng: random.Random
) -> None:
    shuffled = rng.sample(seen, len(seen))
    assert judge(shuffled, TODAY) == judge(seen, TODAY)


@given(rows)
def test_one_device_alone_never_shares_and_a_step_has_its_reasons(seen: list[Seen]) -> None:
    found = judge(seen, TODAY)
    assert 0 <= found.score <= 100
    assert found.step == "pass" or found.reasons
    alone = [each._replace(device="d1") for each in seen]
    assert judge(alone, TODAY).step == "pass"
