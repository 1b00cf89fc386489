"""The decisions of the benches: where a search ends, what belongs to a stage, what wrk said."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benches.capacity import MOST, search
from benches.failure import BenchFailed
from benches.hits import load_of
from benches.riders import spread_out
from benches.watermark import SURE, sessions_told


@given(some.integers(0, 2 * MOST))
def test_the_search_ends_within_a_tenth_below_what_holds(limit: int) -> None:
    tried: list[int] = []

    def holds(count: int) -> bool:
        tried.append(count)
        return count <= limit

    found = search(holds)
    assert found <= min(limit, MOST)
    assert min(limit, MOST) - found <= max(1, found // 10)
    assert len(tried) == len(set(tried)) <= 14
    assert max(tried) <= MOST


SAID = """Running 5s test @ http://127.0.0.1:1
  1 threads and 16 connections
  40000 requests in 5.00s, 160.00MB read
Requests/sec:   8000.00
"""


def test_a_load_is_read_from_what_wrk_printed() -> None:
    load = load_of(SAID, 2.0)
    assert load.requests_s == pytest.approx(8000)
    assert load.cpu_us == pytest.approx(50)


@pytest.mark.parametrize(
    "said",
    ["", SAID + "  Non-2xx or 3xx responses: 3\n", SAID + "  Socket errors: connect 0, read 4\n"],
)
def test_a_load_with_a_failed_request_is_no_measurement(said: str) -> None:
    with pytest.raises(BenchFailed, match="not every request"):
        load_of(said, 1.0)


def test_plays_are_spread_the_same_way_each_time_and_end_within_the_film() -> None:
    rides = spread_out(["a"] * 50, film_s=52.2, seconds=40.0, within_s=5.0, seed=3)
    assert rides == spread_out(["a"] * 50, film_s=52.2, seconds=40.0, within_s=5.0, seed=3)
    assert all(ride.from_s + ride.seconds < 52.2 and 0 <= ride.after_s <= 5 for ride in rides)
    assert len({ride.after_s for ride in rides}) == 50


@pytest.mark.parametrize(("agreeing", "segments"), [(20, 20), (18, 20), (30, 40)])
def test_a_copy_tells_as_many_sessions_apart_as_leave_little_to_chance(
    agreeing: int, segments: int
) -> None:
    alone = sum(math.comb(segments, more) for more in range(agreeing, segments + 1)) / 2**segments
    told = sessions_told(agreeing, segments)
    assert 1 - (1 - alone) ** told <= SURE < 1 - (1 - alone) ** (told + 1)


def test_a_copy_that_agrees_by_half_tells_nobody_apart() -> None:
    assert sessions_told(10, 20) == 0
    assert sessions_told(0, 20) == 0
