"""Frames at uneven times are shown at a constant rate, none earlier or later than half a frame."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.timing import (
    MAX_FRAMES,
    USUAL_RATES,
    check_length,
    is_even,
    shown_frames,
    usual_rate,
)
from cuemark.contracts.encoding.jobs import MasterRejected

TICK_S = Fraction(1, 1000)


@given(
    st.lists(st.integers(1, 3000), min_size=4, max_size=60),
    st.sampled_from(USUAL_RATES),
    st.integers(-5000, 5000),
)
def test_each_frame_shows_what_is_nearest_before_its_end(
    steps: list[int], rate: Fraction, first: int
) -> None:
    ticks = [first + sum(steps[:n]) for n in range(len(steps) + 1)]
    shown = shown_frames(ticks, TICK_S, rate)
    assert shown == sorted(shown)
    assert shown[-1] == len(ticks) - 1
    for frame, source in enumerate(shown):
        middle = (frame + Fraction(1, 2)) / rate
        assert (ticks[source] - first) * TICK_S <= middle
        if source + 1 < len(ticks):
            assert (ticks[source + 1] - first) * TICK_S >= middle


@pytest.mark.parametrize("rate", USUAL_RATES)
def test_a_film_at_a_usual_rate_keeps_each_frame(rate: Fraction) -> None:
    ticks = [round(n / rate / TICK_S) for n in range(100)]
    assert is_even(ticks, TICK_S, rate)
    assert shown_frames(ticks, TICK_S, rate) == list(range(100))
    assert abs(usual_rate(ticks, TICK_S) / rate - 1) < 0.03


def test_a_jitter_and_a_pause_do_not_change_the_rate() -> None:
    ticks = [33 * n + (n % 3) for n in range(50)]
    ticks += [ticks[-1] + 2500 + 33 * n for n in range(50)]
    assert usual_rate(ticks, TICK_S) in (Fraction(30), Fraction(30000, 1001))


def test_a_film_without_time_or_without_end_is_refused() -> None:
    with pytest.raises(MasterRejected, match="same time"):
        usual_rate([5] * 10, TICK_S)
    with pytest.raises(MasterRejected, match="no frame for"):
        shown_frames([0, 40, 61_000], TICK_S, Fraction(25))
    with pytest.raises(MasterRejected, match="at most"):
        check_length(MAX_FRAMES + 1)
