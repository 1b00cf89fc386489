"""The deadline of the call in hand."""

import asyncio
import time

import pytest

from cuemark.kit.deadline import DEFAULT_S, deadline, remaining_s, told


def test_outside_of_any_deadline_the_default_is_left() -> None:
    assert remaining_s(10.0) == 10.0


def test_inside_the_budget_runs_down() -> None:
    with deadline(0.2):
        assert 0.1 < remaining_s(10.0) <= 0.2
        time.sleep(0.05)
        assert remaining_s(10.0) <= 0.15
    assert remaining_s(10.0) == 10.0


def test_the_default_is_the_most_that_is_left() -> None:
    with deadline(100.0):
        assert remaining_s(10.0) == 10.0


def test_an_inner_deadline_cannot_outlast_the_outer_one() -> None:
    with deadline(0.1), deadline(50.0):
        assert remaining_s(10.0) <= 0.1


def test_past_the_deadline_nothing_is_left_and_never_less() -> None:
    with deadline(0.0):
        assert remaining_s(10.0) == 0.0


async def test_a_task_keeps_the_deadline_under_which_it_was_made() -> None:
    async def left_s() -> float:
        await asyncio.sleep(0)
        return remaining_s(10.0)

    with deadline(1.0):
        inside = asyncio.create_task(left_s())
    outside = asyncio.create_task(left_s())
    assert await inside <= 1.0
    assert await outside == 10.0


def test_a_caller_tells_its_budget_in_milliseconds() -> None:
    assert told("1500") == 1.5
    assert told("0") == 0.0


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "nan", "inf", "1e9", "١", "9" * 10])
def test_a_budget_that_cannot_be_read_is_the_default(header: str | None) -> None:
    assert told(header) == DEFAULT_S
