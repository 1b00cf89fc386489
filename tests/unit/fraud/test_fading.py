"""Sums that fade."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fraud.model.fading import Fading

moments = st.lists(
    st.tuples(st.integers(0, 30), st.floats(0, 1000), st.floats(-5, 5)), max_size=200
)


def test_a_sum_is_halved_with_each_half_life() -> None:
    sums = Fading(10.0, 4)
    sums.add("a", 0.0, 8.0)
    assert [sums.of("a", at_s) for at_s in (0, 10, 20, 30)] == [8.0, 4.0, 2.0, 1.0]
    assert sums.of("b", 30.0) == 0.0


def test_what_grows_alike_for_long_is_told_by_its_rate() -> None:
    sums = Fading(10.0, 4)
    for number in range(1000):
        sums.add("a", number / 5)
    assert sums.rate("a", 200.0) == pytest.approx(5.0, rel=0.05)


@given(moments)
def test_it_never_holds_more_keys_than_it_may_and_no_sum_is_below_zero(
    told: list[tuple[int, float, float]],
) -> None:
    sums = Fading(10.0, 5)
    for key, at_s, amount in told:
        assert sums.add(key, at_s, amount) >= 0
        assert len(sums) <= 5


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_clock_that_goes_back_lets_nothing_grow(first_s: float, second_s: float) -> None:
    sums = Fading(10.0, 5)
    sums.add("a", first_s, 3.0)
    assert sums.of("a", second_s) <= 3.0


def test_the_key_that_has_not_grown_for_longest_makes_room() -> None:
    sums = Fading(10.0, 2)
    for key in ("a", "b", "a", "c"):
        sums.add(key, 0.0)
    assert [sums.of(key, 0.0) for key in ("a", "b", "c")] == [2.0, 0.0, 1.0]
