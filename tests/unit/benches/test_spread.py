"""Samples become medians, percentiles and spans."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from benches.spread import covered_s, median, percentile, rounded, shown, spread

SAMPLES = some.lists(some.floats(-1e6, 1e6), min_size=1, max_size=40)


@given(SAMPLES, some.floats(0, 1))
def test_percentiles_are_those_of_numpy(samples: list[float], share: float) -> None:
    expected = float(np.quantile(np.array(samples), share))
    assert percentile(samples, share) == pytest.approx(expected, abs=1e-6)


@given(SAMPLES)
def test_the_median_is_that_of_the_standard_library(samples: list[float]) -> None:
    assert median(samples) == pytest.approx(statistics.median(samples), abs=1e-6)


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (1234.5, 1230), (0.0123456, 0.0123), (-9.999, -10), (99.96, 100), (0.9995, 1)],
)
def test_three_digits_are_kept(value: float, expected: float) -> None:
    assert rounded(value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "text"), [(12345, "12,300"), (3, "3"), (0.25, "0.25"), (99.96, "100"), (0, "0")]
)
def test_numbers_are_shown_short(value: float, text: str) -> None:
    assert shown(value) == text


def test_a_spread_is_told_of_several_samples_only() -> None:
    assert spread([2.0]) == ""
    assert spread([3.0, 1.0, 2.0]) == "1 to 3, n = 3"


def test_what_overlaps_counts_once() -> None:
    assert covered_s([(0, 2), (1, 3), (5, 6), (5.5, 5.7)]) == pytest.approx(4)
    assert covered_s([]) == 0


@given(some.lists(some.tuples(some.floats(0, 100), some.floats(0, 100)).map(sorted), max_size=20))
def test_covered_time_lies_between_the_longest_span_and_the_sum(spans: list[list[float]]) -> None:
    pairs = [(begin, end) for begin, end in spans]
    lengths = [end - begin for begin, end in pairs]
    covered = covered_s(pairs)
    assert max(lengths, default=0) - 1e-6 <= covered <= sum(lengths) + 1e-6
