"""A master that repeats frames in a pattern is told from one that only stands still."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.cadence import FIT, PATTERN_S, PERIODS, repeats

RATE = 25.0


@given(st.sampled_from(PERIODS), st.integers(0, 5), st.floats(10, 120))
def test_each_pattern_is_told_by_its_period(period: int, phase: int, rate: float) -> None:
    still = np.zeros(round(3 * PATTERN_S * rate), np.bool_)
    still[phase % period :: period] = True
    found = repeats(still, rate)
    assert found is not None
    assert found.period == period
    assert found.from_s == 0
    assert found.to_s == pytest.approx(PATTERN_S, abs=1 / rate)


@pytest.mark.parametrize("is_still", [True, False])
def test_what_moves_or_stands_all_the_time_has_no_pattern(*, is_still: bool) -> None:
    assert repeats(np.full(500, is_still), RATE) is None


@given(st.lists(st.booleans(), min_size=0, max_size=49))
def test_too_short_a_film_tells_nothing(still: list[bool]) -> None:
    assert repeats(np.asarray(still, np.bool_), RATE) is None


@given(st.lists(st.booleans(), max_size=60), st.floats(0.1, 12))
def test_a_film_of_few_frames_a_second_has_no_pattern_that_was_not_seen_thrice(
    still: list[bool], rate: float
) -> None:
    found = repeats(np.asarray(still, np.bool_), rate)
    assert found is None or 3 * found.period <= PATTERN_S * rate + 1


@given(st.integers(0, 2**32 - 1))
def test_frames_that_repeat_at_random_are_no_pattern(seed: int) -> None:
    still = np.random.default_rng(seed).random(300) < 1 - FIT - 0.05
    assert repeats(still, RATE) is None
