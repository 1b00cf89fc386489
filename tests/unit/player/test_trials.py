"""When another appliance is tried, and when it gets the play."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.player.trials import (
    AWAY_PAUSE_S,
    LONGEST_PAUSE_S,
    SHORTEST_PAUSE_S,
    STARVED_PAUSE_S,
    USUAL_PAUSE_S,
    WINS,
    Need,
    Pace,
    Trials,
)

NAMES = ["one", "two", "three"]
USUAL_BYTES = 400_000
SEGMENT_S = 4.0
NEED = Need(least_kbps=300, most_kbps=6000)

Rate = Callable[[str, float], float]
"""What an appliance delivers at a time, in kbit/s."""


def ran(rate: Rate, seconds: float, standing: Sequence[str] = NAMES) -> tuple[Trials, list[str]]:
    """Who was asked for each segment of a play that fetches no faster than it shows its film."""
    trials, asked, now_s = Trials(), list[str](), 0.0
    while now_s < seconds:
        name = trials.first(standing, now_s, NEED)
        took_s = USUAL_BYTES * 8 / 1000 / rate(name, now_s)
        now_s += max(took_s, SEGMENT_S)
        trials.took(name, Pace(0.02, took_s / USUAL_BYTES), USUAL_BYTES, now_s)
        asked.append(name)
    return trials, asked


@given(
    kbps=st.floats(100, 20_000),
    swing=st.lists(st.floats(1, 1.4), min_size=1, max_size=40),
    hours=st.sampled_from([0.25, 1.0, 3.0]),
)
def test_on_a_narrow_line_a_play_stays_and_tries_others_ever_less(
    kbps: float, swing: list[float], hours: float
) -> None:
    """The line is as narrow from everywhere, whatever the noise on it."""

    def rate(name: str, now_s: float) -> float:
        return kbps * swing[int(now_s / SEGMENT_S) % len(swing)]

    trials, asked = ran(rate, 3600 * hours)
    assert trials.faster == ""
    elsewhere = sum(name != "one" for name in asked)
    short_ones = math.log2(LONGEST_PAUSE_S / SHORTEST_PAUSE_S)
    longest_s = STARVED_PAUSE_S if kbps * min(swing) < NEED.least_kbps else LONGEST_PAUSE_S
    assert elsewhere <= short_ones + 1 + 3600 * hours / longest_s


@given(
    line=st.lists(st.floats(50, 20_000), min_size=2, max_size=60),
    each_s=st.floats(1, 60),
)
def test_however_the_line_swings_changes_are_few(line: list[float], each_s: float) -> None:
    """Even where it swings in time with the trials, so that they prove what is not so."""
    seconds = 3600
    _, asked = ran(lambda _, now_s: line[int(now_s / each_s) % len(line)], seconds)
    changes = sum(name != before for name, before in pairwise(asked))
    short_ones = math.ceil(math.log2(STARVED_PAUSE_S / SHORTEST_PAUSE_S))
    assert changes <= 2 * WINS * (short_ones + seconds / STARVED_PAUSE_S)


@given(
    own_kbps=st.floats(100, 2500),
    times=st.floats(2.2, 20),
    noise=st.lists(st.floats(1, 1.2), min_size=1, max_size=20),
)
def test_an_appliance_that_is_faster_gets_the_play_within_a_trial(
    own_kbps: float, times: float, noise: list[float]
) -> None:
    def rate(name: str, now_s: float) -> float:
        slow = own_kbps * noise[int(now_s) % len(noise)]
        return slow if name == "one" else slow * times

    trials, asked = ran(rate, 600)
    assert trials.faster == "two"
    first = asked.index("two")
    assert asked[first : first + 4] == ["two", "one", "two", "two"]


def test_nothing_is_tried_where_the_line_carries_the_best_rung() -> None:
    assert set(ran(lambda name, _: 7000, 7200)[1]) == {"one"}


def test_a_file_without_a_need_takes_no_turn() -> None:
    trials, asked = ran(lambda name, _: 1000, USUAL_PAUSE_S)
    assert set(asked) == {"one"}
    now_s = 10 * USUAL_PAUSE_S
    assert [trials.first(NAMES, now_s, need) for need in (None, NEED, None)] == [
        "one",
        "two",
        "one",
    ]


def test_a_dip_that_is_over_when_another_is_tried_is_no_proof() -> None:
    """One was slow while the line was; two had its turn when it was not."""
    trials, asked = ran(lambda _, now_s: 500 if now_s < 22 else 5000, 60)
    assert "two" in asked
    assert trials.faster == ""


def test_the_first_of_the_ranking_has_the_play_again_when_it_is_as_fast() -> None:
    _, asked = ran(lambda name, now_s: 500 if name == "one" and now_s < 60 else 4000, 600)
    assert asked[-1] == "one"
    runs = [name for before, name in pairwise(["", *asked]) if name != before]
    assert runs[:5] == ["one", "two", "one", "two", "one"], "a trial, a stay, and home"


def test_while_home_stays_slow_it_is_looked_at_ever_less() -> None:
    _, asked = ran(lambda name, _: 500 if name == "one" else 4000, 3600)
    moved = asked.index("two") + 2
    assert Counter(asked[moved:])["one"] <= 1 + 3600 / AWAY_PAUSE_S / 8


@pytest.mark.parametrize("change", [["two", "three"], ["three", "two", "one"], ["one", "three"]])
def test_the_services_word_goes_before_what_was_found(change: list[str]) -> None:
    trials, _ = ran(lambda name, _: 500 if name == "one" else 4000, 100)
    assert trials.faster == "two"
    if "two" in change and change[0] == "one":
        assert trials.first(change, 101, NEED) == "two"
    else:
        assert trials.first(change, 101, NEED) == change[0]
        assert trials.faster == ""


def test_a_rival_that_does_not_begin_loses_its_turn() -> None:
    trials, _ = ran(lambda name, _: 500, USUAL_PAUSE_S - 1)
    assert trials.first(NAMES, 30, NEED) == "two"
    trials.beaten("two", "one", 30.5)
    assert trials.first(NAMES, 31, NEED) == "one"


def test_who_is_beaten_twice_in_a_row_gives_way() -> None:
    trials, _ = ran(lambda name, _: 7000, 10)
    trials.beaten("one", "two", 10)
    trials.took("one", Pace(0.1, 1e-6), USUAL_BYTES, 11)
    trials.beaten("one", "two", 12)
    assert trials.first(NAMES, 13, NEED) == "one"
    trials.beaten("one", "two", 14)
    assert trials.first(NAMES, 15, NEED) == "two"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("took"), st.sampled_from(NAMES), st.floats(0.01, 60)),
            st.tuples(st.just("beaten"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
            st.tuples(
                st.just("first"),
                st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
                st.booleans(),
            ),
        ),
        max_size=60,
    )
)
def test_whatever_happens_somebody_in_good_standing_is_asked(events: list[tuple[str, ...]]) -> None:
    trials = Trials()
    for number, (kind, what, value) in enumerate(events):
        now_s = 4.0 * number
        if kind == "took":
            pace = Pace(0.02, float(value) / USUAL_BYTES)
            trials.took(what, pace, USUAL_BYTES, now_s)
        elif kind == "beaten":
            trials.beaten(what, value, now_s)
        else:
            assert trials.first(what, now_s, NEED if value else None) in what
