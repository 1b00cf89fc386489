"""Who is asked next."""

from hypothesis import given
from hypothesis import strategies as st

from cuemark.player.appliances import AWAY_S, CORRUPT_S, LONGEST_S, Appliances
from cuemark.player.manifest import Location

LOCATIONS = [Location(name, f"http://{name}/") for name in ("one", "two", "three")]


def order(appliances: Appliances, now_s: float) -> list[str]:
    return [location.appliance_id for location in appliances.in_order(now_s)]


def test_the_best_comes_first_until_it_fails_and_again_after_a_while() -> None:
    appliances = Appliances(LOCATIONS)
    assert order(appliances, 0) == ["one", "two", "three"]
    appliances.failed("one", 0)
    assert order(appliances, 1) == ["two", "three", "one"]
    assert order(appliances, AWAY_S) == ["one", "two", "three"]


def test_wrong_bytes_are_remembered_for_longer() -> None:
    appliances = Appliances(LOCATIONS)
    appliances.failed("one", 0, corrupt=True)
    assert order(appliances, AWAY_S + 1)[-1] == "one"
    assert order(appliances, CORRUPT_S)[0] == "one"


def test_each_failure_in_a_row_doubles_the_absence() -> None:
    appliances = Appliances(LOCATIONS)
    appliances.failed("one", 0)
    appliances.failed("one", 10)
    assert order(appliances, 10 + 2 * AWAY_S - 0.1)[-1] == "one"
    appliances.succeeded("one")
    appliances.failed("one", 100)
    assert order(appliances, 100 + AWAY_S)[0] == "one"
    assert appliances.failures == {"one": 3}


def test_when_all_have_failed_the_one_that_is_free_first_is_asked_first() -> None:
    appliances = Appliances(LOCATIONS)
    for now_s, name in enumerate(["two", "three", "one"]):
        appliances.failed(name, now_s)
    assert order(appliances, 3) == ["two", "three", "one"]


@given(st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.booleans()), max_size=50))
def test_nobody_is_ever_lost_and_everybody_returns(events: list[tuple[str, bool]]) -> None:
    appliances = Appliances(LOCATIONS)
    for now_s, (name, corrupt) in enumerate(events):
        appliances.failed(name, now_s, corrupt=corrupt)
        assert sorted(order(appliances, now_s)) == ["one", "three", "two"]
    assert order(appliances, len(events) + LONGEST_S) == ["one", "two", "three"]
