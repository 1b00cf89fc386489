"""Whose task is next, as a decision: priorities first, and within one each title's share."""

import heapq
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model import fairness
from cuemark.contexts.encoding.model.fairness import PRIORITIES, TAGS, Band, Urgency
from cuemark.contracts.encoding.jobs import Priority

SECONDS = st.floats(min_value=0.1, max_value=100.0)
BANDS = st.builds(
    lambda base, ahead: Band(base=base, now=base + ahead),
    st.integers(0, 1 << 50),
    st.integers(0, TAGS // 2),
)


def test_all_of_a_premiere_goes_before_all_that_is_normal_and_that_before_the_backlog() -> None:
    places = [fairness.band_of(each, urgency) for each in PRIORITIES for urgency in Urgency]
    assert PRIORITIES == ("premiere", "normal", "backlog")
    assert places == sorted(places)


@given(
    st.sampled_from(PRIORITIES),
    st.sampled_from(list(Urgency)),
    BANDS,
    st.integers(0, 1 << 60),
    SECONDS,
)
def test_a_number_is_one_that_the_queue_takes_and_stays_in_its_band(
    priority: Priority, urgency: Urgency, band: Band, finish: int, seconds: float
) -> None:
    place = fairness.band_of(priority, urgency)
    turn = fairness.charged(place, band, finish, seconds)
    assert 1 <= turn.number <= 2**31 - 1
    assert turn.number // TAGS == place
    assert fairness.priority_of(turn.number) == priority
    assert turn.finish > turn.start >= band.now


@given(st.lists(SECONDS, min_size=1, max_size=30), BANDS)
def test_a_titles_tasks_keep_the_order_in_which_it_wants_them(
    tasks: list[float], band: Band
) -> None:
    finish, numbers = 0, []
    for seconds in tasks:
        turn = fairness.charged(3, band, finish, seconds)
        finish = turn.finish
        numbers.append(turn.number)
    assert numbers == sorted(numbers)


@given(st.lists(SECONDS, min_size=5, max_size=60), st.lists(SECONDS, min_size=5, max_size=60))
def test_two_titles_with_waiting_tasks_never_differ_by_more_than_a_task_of_each(
    one: list[float], other: list[float]
) -> None:
    """Theorem 1 of Goyal, Vin and Cheng, up to the rounding to ticks."""
    queue: list[tuple[int, int, int, float]] = []
    count = itertools.count()
    for title, tasks in enumerate((one, other)):
        finish = 0
        for seconds in tasks:
            turn = fairness.charged(0, Band(), finish, seconds)
            finish = turn.finish
            heapq.heappush(queue, (turn.number, next(count), title, seconds))
    done, left = [0.0, 0.0], [len(one), len(other)]
    while all(left):
        _, _, title, seconds = heapq.heappop(queue)
        done[title] += seconds
        left[title] -= 1
        rounding = (len(one) + len(other)) / fairness.TICKS_A_SECOND
        assert abs(done[0] - done[1]) <= max(one) + max(other) + rounding


def test_a_title_that_wanted_nothing_for_a_while_has_saved_up_nothing() -> None:
    band = Band(now=1000)
    assert fairness.charged(0, band, 0, 1.0).start == 1000
    assert fairness.charged(0, band, 2000, 1.0).start == 2000


@given(BANDS, BANDS, st.integers(0, 1000))
def test_a_title_that_changes_its_priority_is_as_far_ahead_there(
    old: Band, new: Band, ahead: int
) -> None:
    finish = fairness.moved(old.now + ahead, old, new)
    tag = (old.now + ahead - old.base) + fairness.shift(old, new)
    assert finish == new.now + ahead
    assert tag == finish - new.base
    assert fairness.moved(old.now - 1, old, new) == new.now


def test_numbers_begin_anew_long_before_they_are_used_up() -> None:
    assert fairness.rebased(Band(base=0, now=TAGS // 2 - 1)) is None
    assert fairness.rebased(Band(base=0, now=TAGS // 2)) == Band(base=TAGS // 2, now=TAGS // 2)
    last = fairness.charged(5, Band(), 10 * TAGS, 1.0)
    assert last.number == fairness.LATEST_NUMBER, "beyond them the first to come goes first"


@pytest.mark.parametrize(("frames", "samples"), [(0, 0), (0, 100), (100, 0)])
def test_work_of_no_stretch_of_pictures_is_charged_alike(frames: int, samples: int) -> None:
    assert fairness.estimate_s(frames, samples) == fairness.OTHER_S


def test_larger_pictures_are_charged_more() -> None:
    small, large = (fairness.estimate_s(192, lines * lines * 16 // 9) for lines in (540, 1080))
    assert large == pytest.approx(4 * small)
