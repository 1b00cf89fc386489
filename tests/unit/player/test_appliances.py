"""Who is asked next."""

from hypothesis import given
from hypothesis import strategies as st

from cuemark.player.appliances import (
    AWAY_S,
    LONGEST_S,
    PENALTY_S,
    Appliances,
)
from cuemark.player.manifest import Location
from cuemark.player.trials import USUAL_PAUSE_S, Need

LOCATIONS = [Location(name, f"http://{name}/") for name in ("one", "two", "three")]


def order(appliances: Appliances, now_s: float) -> list[str]:
    return [location.appliance_id for location in appliances.in_order(now_s)]


def test_the_best_comes_first_until_it_fails_and_again_after_a_while() -> None:
    appliances = Appliances(LOCATIONS)
    assert order(appliances, 0) == ["one", "two", "three"]
    appliances.failed("one", 0)
    assert order(appliances, 1) == ["two", "three", "one"]
    assert order(appliances, AWAY_S) == ["one", "two", "three"]


def test_who_served_wrong_bytes_is_left_for_the_rest_of_the_play() -> None:
    appliances = Appliances(LOCATIONS)
    appliances.corrupt("one")
    appliances.succeeded("one")
    assert order(appliances, 10 * LONGEST_S) == ["two", "three", "one"]
    assert (appliances.left, appliances.failures) == (["one"], {"one": 1})


def seen(appliances: Appliances, name: str, latency_s: float, kbps: float, now_s: float) -> None:
    appliances.answered(name, latency_s)
    appliances.delivered(name, 100_000, 800 / kbps, now_s)


def test_of_files_that_come_one_from_each_in_turn_the_faster_one_gets_the_rest() -> None:
    appliances = Appliances(LOCATIONS)
    need = Need(least_kbps=300, most_kbps=4000)
    asked = []
    for now_s in range(0, 100, 4):
        name = appliances.in_order(now_s, need)[0].appliance_id
        seen(appliances, name, 0.01, 500 if name == "one" else 5000, now_s)
        asked.append(name)
    at = asked.index("two")
    assert at * 4 >= USUAL_PAUSE_S
    assert asked[at:][:4] == ["two", "one", "two", "two"]
    assert (appliances.home, appliances.faster) == ("one", "two")
    assert order(appliances, 100) == ["two", "one", "three"], "for files without a need, too"


def test_one_on_trial_that_fails_is_left_as_any_other_is() -> None:
    appliances = Appliances(LOCATIONS)
    need = Need(least_kbps=300, most_kbps=4000)
    appliances.in_order(0, need)
    seen(appliances, "one", 0.01, 500, 0)
    assert appliances.in_order(30, need)[0].appliance_id == "two"
    appliances.failed("two", 31)
    assert appliances.in_order(32, need)[0].appliance_id == "one"
    assert order(appliances, 32) == ["one", "three", "two"]


def test_there_is_another_to_go_to_while_one_has_not_failed() -> None:
    appliances = Appliances(LOCATIONS[:2])
    assert appliances.another_stands(0)
    appliances.failed("two", 0)
    assert not appliances.another_stands(1)
    assert appliances.another_stands(AWAY_S)


def test_an_order_counts_where_it_says_something_new() -> None:
    appliances = Appliances(LOCATIONS)
    counts = []
    for priority in (["one", "two", "three"], ["two"], ["two"], ["nobody"], ["one", "two"]):
        appliances.steer(priority)
        counts.append(appliances.orders)
    assert counts == [0, 1, 1, 1, 2]


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
def test_nobody_is_ever_lost_and_all_return_who_served_no_wrong_bytes(
    events: list[tuple[str, bool]],
) -> None:
    appliances = Appliances(LOCATIONS)
    for now_s, (name, corrupt) in enumerate(events):
        if corrupt:
            appliances.corrupt(name)
        else:
            appliances.failed(name, now_s)
        assert sorted(order(appliances, now_s)) == ["one", "three", "two"]
    standing = [name for name in ("one", "two", "three") if name not in appliances.left]
    assert order(appliances, len(events) + LONGEST_S)[: len(standing)] == standing


def test_the_services_word_of_now_goes_before_the_manifests() -> None:
    appliances = Appliances(LOCATIONS)
    appliances.steer(["three", "nobody", "one"])
    assert order(appliances, 0) == ["three", "one", "two"]
    assert [appliances.listed(name) for name in ("one", "two", "three")] == [True, False, True]
    appliances.replace(LOCATIONS)
    assert order(appliances, 0) == ["three", "one", "two"], "a fresh manifest changes nothing of it"


def test_one_that_the_service_leads_away_from_is_asked_in_need_alone() -> None:
    appliances = Appliances(LOCATIONS)
    appliances.steer(["two"])
    appliances.beaten("two", "one", 0)
    appliances.beaten("two", "one", 0)
    assert order(appliances, 1) == ["two", "one", "three"], "though it was faster"
    appliances.failed("two", 2)
    assert order(appliances, 3) == ["one", "three", "two"]


def test_a_steered_play_leaves_what_failed_for_a_minute() -> None:
    appliances = Appliances(LOCATIONS)
    appliances.steer(["one", "two"])
    appliances.failed("one", 0)
    assert order(appliances, PENALTY_S - 1)[0] == "two"
    assert order(appliances, PENALTY_S)[0] == "one"


def test_an_order_of_strangers_changes_nothing() -> None:
    appliances = Appliances(LOCATIONS)
    appliances.steer(["nobody"])
    assert order(appliances, 0) == ["one", "two", "three"]
    assert appliances.listed("one")
