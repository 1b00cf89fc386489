"""The plan: within the room that there is, the same each time, and more is never worth less."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fill.model.catalog import Flags, Floats, Ints
from cuemark.contexts.fill.model.explain import explain
from cuemark.contexts.fill.model.plan import (
    FETCH_PLAYS,
    admission_cutoff,
    plan,
    settled,
    weights,
)

Cluster = tuple[Floats, Ints, Flags, int, int]


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    """Values, sizes, what is held within the capacity, capacity and allowance."""
    count = draw(st.integers(1, 30))
    value = np.array(draw(st.lists(st.floats(0, 50), min_size=count, max_size=count)))
    size = np.array(draw(st.lists(st.integers(1, 100), min_size=count, max_size=count)))
    there = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    capacity = draw(st.integers(1, 2000))
    held = settled(np.zeros(count), size, there, capacity)
    return value, size, held, capacity, draw(st.integers(0, 500))


@given(clusters())
def test_capacity_and_allowance_are_never_exceeded(of: Cluster) -> None:
    value, size, held, capacity, allowance = of
    made = plan(value, size, held, capacity, allowance)
    after = held & ~made.drop
    after[made.fill] = True
    assert size[made.wanted].sum() <= capacity
    assert size[made.fill].sum() <= allowance
    assert size[after].sum() <= capacity
    assert not held[made.fill].any()


@given(clusters())
def test_room_is_idle_only_where_nothing_that_is_worth_anything_fits(of: Cluster) -> None:
    value, size, held, capacity, allowance = of
    made = plan(value, size, held, capacity, allowance)
    idle = capacity - size[made.wanted].sum()
    left = np.flatnonzero(~made.wanted & (value > 0))
    if len(left):
        assert size[left].max() > idle or size[left[value[left].argmax()]] > idle
    for_nothing = made.wanted & ~held & (value <= FETCH_PLAYS)
    if for_nothing.any():
        assert made.cutoff == 0.0
        assert made.wanted[held | (value > FETCH_PLAYS)].all()


@given(clusters())
def test_a_plan_is_the_same_each_time(of: Cluster) -> None:
    one, other = plan(*of), plan(*of)
    assert (one.wanted == other.wanted).all()
    assert one.fill.tolist() == other.fill.tolist()


@given(clusters(), st.data())
def test_a_file_that_is_wanted_stays_so_when_it_is_worth_more(
    of: Cluster, data: st.DataObject
) -> None:
    value, size, held, capacity, allowance = of
    before = plan(value, size, held, capacity, allowance)
    file = data.draw(st.integers(0, len(value) - 1))
    value = value.copy()
    value[file] += data.draw(st.floats(0, 10))
    assert plan(value, size, held, capacity, allowance).wanted[file] >= before.wanted[file]


@given(clusters())
def test_nothing_goes_for_what_takes_more_than_it_spares(of: Cluster) -> None:
    value, size, held, capacity, allowance = of
    made = plan(value, size, held, capacity, allowance)
    if made.drop.any():
        assert (value[made.fill] > FETCH_PLAYS).all()


@given(clusters())
def test_a_cluster_that_follows_its_plan_wants_only_what_a_file_that_went_stood_before(
    of: Cluster,
) -> None:
    """A plan ends at the first file that has no room. Where that one was there and went, the next
    plan goes on behind it."""
    value, size, held, capacity, _ = of
    made = plan(value, size, held, capacity, int(size.sum()))
    held = held & ~made.drop
    held[made.fill] = True
    again = plan(value, size, held, capacity, int(size.sum()))
    if made.drop.any():
        assert (value[again.fill] <= value[made.drop].max() + FETCH_PLAYS).all()
    else:
        assert again.fill.tolist() == []
        assert not again.drop.any()
    assert not (again.drop & again.wanted).any()


@given(clusters())
def test_the_explanation_agrees_with_the_plan(of: Cluster) -> None:
    value, size, held, capacity, allowance = of
    made = plan(value, size, held, capacity, allowance)
    for file in range(len(value)):
        reason = explain(file, value, held, made)
        assert reason.wanted == made.wanted[file]
        assert 1 <= reason.rank <= reason.of
        brought = reason.told.startswith("It is brought")
        assert brought == (file in made.fill.tolist())
        stays = reason.told.startswith("It stays")
        assert stays == bool(made.wanted[file] and held[file])


def test_a_small_difference_moves_nothing() -> None:
    size = np.array([10, 10])
    held = np.array([True, False])
    assert plan(np.array([5.0, 5.9]), size, held, 10, 100).fill.tolist() == []
    assert plan(np.array([5.0, 6.1]), size, held, 10, 100).fill.tolist() == [1]


def test_what_a_member_brought_is_kept_where_it_outdoes_the_least() -> None:
    value, size = np.array([5.0, 3.0, 4.0]), np.array([10, 10, 10])
    held = np.array([True, True, False])
    assert admission_cutoff(value, size, held, 20) == 3.0
    assert admission_cutoff(value, size, held, 40) == 0.0
    assert settled(value, size, np.array([True, True, True]), 20).tolist() == [True, False, True]


def test_the_evening_counts_more_from_whatever_hour_it_is_looked_at() -> None:
    for local_h in range(24):
        now = weights(local_h)
        assert (now > 1).sum() == 6
        assert now[(20 - local_h) % 24] > 1
