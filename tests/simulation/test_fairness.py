"""Titles of different sizes on one farm, played through with the turns that the model gives."""

import pytest

from benches.fairness import LONG, SHORT, film, play, slowdowns


def test_a_short_film_is_not_starved_behind_a_long_one() -> None:
    """Two that share a farm may each take twice as long as alone, and a task's length more."""
    fair = slowdowns([LONG, SHORT], "fair")
    assert fair["short"] < 2.5
    assert fair["long"] < 1.1
    assert slowdowns([LONG, SHORT], "first come")["short"] > 10, "what a plain queue does"


@pytest.mark.parametrize("workers", [1, 2, 16])
def test_shares_are_fair_on_farms_of_any_size(workers: int) -> None:
    found = slowdowns([film("a", 40), film("b", 40), film("c", 8)], "fair", workers)
    assert found["c"] < 3.6
    assert max(found["a"], found["b"]) < 3.2


def test_a_premiere_goes_before_the_back_catalog() -> None:
    backlog = [film(f"old {n}", 60, priority="backlog") for n in range(8)]
    premiere = film("new", 10, arrives_s=100.0, priority="premiere")
    found = slowdowns([*backlog, premiere], "fair")
    assert found["new"] < 1.3, "it waits for what is in hand alone"


def test_titles_of_one_size_end_together() -> None:
    ends = play([film(f"{n}", 30) for n in range(5)], "fair")
    assert max(ends.values()) < 1.1 * min(ends.values())


def test_who_comes_late_is_not_behind_all_that_came_before() -> None:
    """A title has its share from its coming on, however much the others had by then."""
    titles = [film("early", 100), film("late", 10, arrives_s=900.0)]
    assert slowdowns(titles, "fair")["late"] < 2.5
