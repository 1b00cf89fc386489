"""A hybrid logical clock: its order, its bound, and that it never goes back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.clock import ManualClock
from cuemark.kit.hybrid_clock import (
    MOST_AHEAD_S,
    HybridClock,
    Stamp,
    StampAhead,
    StampInvalid,
)

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
regions = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
stamps = st.builds(Stamp, st.integers(0, 253370764800_000_000), st.integers(0, 0xFFFF), regions)


class Region:
    """A region whose wall clock is moved by hand."""

    def __init__(self, name: str, skew_s: float = 0.0) -> None:
        self.clock = ManualClock(BEGIN + timedelta(seconds=skew_s))
        self.hybrid = HybridClock(self.clock, name)


@given(stamps, stamps)
def test_texts_of_stamps_sort_as_the_stamps_do(one: Stamp, other: Stamp) -> None:
    assert (one < other) == (str(one).encode() < str(other).encode())
    assert Stamp.parsed(str(one)) == one


@given(st.text() | st.from_regex(r"[0-9a-fF]{15,17}\.[0-9a-f]{4}\.[a-z]{0,33}"))
def test_what_is_no_stamp_is_refused_or_written_again_as_it_was(text: str) -> None:
    try:
        stamp = Stamp.parsed(text)
    except StampInvalid:
        return
    assert str(stamp) == text
    assert stamp.at.tzinfo is not None


@given(st.lists(st.floats(-3600, 3600)))
def test_stamps_grow_whatever_the_wall_clock_does(steps_s: list[float]) -> None:
    region = Region("eu")
    made = [region.hybrid.stamp()]
    for step_s in steps_s:
        region.clock.jump(step_s)
        made.append(region.hybrid.stamp())
    assert made == sorted(set(made))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.floats(0, 2))))
def test_what_was_seen_comes_before_what_follows_and_no_stamp_leaves_the_wall_time(
    letters: list[tuple[str, str, float]],
) -> None:
    skews_s = {"a": 0.0, "b": 20.0, "c": -20.0}
    towns = {name: Region(name, skew_s) for name, skew_s in skews_s.items()}
    for sender, receiver, passed_s in letters:
        sent = towns[sender].hybrid.stamp()
        towns[receiver].hybrid.observe(sent)
        answer = towns[receiver].hybrid.stamp()
        assert answer > sent
        fastest = max(town.clock.now() for town in towns.values())
        assert towns[receiver].clock.now() <= answer.at <= fastest + timedelta(milliseconds=1)
        for town in towns.values():
            town.clock.advance(passed_s)


def test_a_stamp_from_far_in_the_future_is_refused_and_not_adopted() -> None:
    region, wrong = Region("eu"), Region("us", MOST_AHEAD_S + 1)
    before = region.hybrid.stamp()
    with pytest.raises(StampAhead):
        region.hybrid.observe(wrong.hybrid.stamp())
    assert (region.hybrid.stamp().wall_us, before.at) == (before.wall_us, BEGIN)
    region.clock.advance(1)
    region.hybrid.observe(wrong.hybrid.stamp())
    assert region.hybrid.stamp().at == wrong.clock.now()


def test_what_replaces_a_row_of_the_far_future_comes_after_it_and_moves_no_other_stamp() -> None:
    region, wrong = Region("eu"), Region("us", 86_400)
    left = wrong.hybrid.stamp()
    after = region.hybrid.stamp_after(left)
    assert after > left
    assert after.region == "eu"
    assert region.hybrid.stamp().at == BEGIN


def test_two_regions_of_one_moment_are_told_apart_by_their_names() -> None:
    eu, us = Region("eu").hybrid.stamp(), Region("us").hybrid.stamp()
    assert (eu.at, eu.count) == (us.at, us.count)
    assert eu < us


def test_a_count_that_is_full_goes_over_into_the_wall_time() -> None:
    region = Region("eu")
    last = region.hybrid.stamp()
    for _ in range(0x10001):
        stamp = region.hybrid.stamp()
        assert stamp > last
        last = stamp
    assert last.at - BEGIN == timedelta(microseconds=1)


@pytest.mark.parametrize("name", ["", "EU", "a" * 33, "a.b", "-a", "ü"])
def test_what_cannot_be_in_a_stamp_is_no_name_of_a_region(name: str) -> None:
    with pytest.raises(ValueError, match="region"):
        HybridClock(ManualClock(), name)
