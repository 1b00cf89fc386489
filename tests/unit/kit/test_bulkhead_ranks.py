"""A bulkhead in which some go before others."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cuemark.kit.bulkhead import Bulkhead, BulkheadFull


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def places(bulkhead: Bulkhead, stack: ExitStack, rank: int) -> int:
    """How many of a rank find a place, one after another."""
    for taken in range(100):
        try:
            stack.enter_context(bulkhead.place(rank))
        except BulkheadFull:
            return taken
    raise AssertionError("it has no end")


def test_each_rank_leaves_room_for_those_before_it(stack: ExitStack) -> None:
    bulkhead = Bulkhead("test", running=1, waiting=11, reserved=(6, 3))
    assert [places(bulkhead, stack, rank) for rank in (2, 1, 0)] == [3, 3, 6]


def test_whoever_comes_first_may_have_all_of_it(stack: ExitStack) -> None:
    bulkhead = Bulkhead("test", running=1, waiting=11, reserved=(6, 3))
    assert [places(bulkhead, stack, rank) for rank in (0, 1, 2)] == [12, 0, 0]


async def test_what_waits_is_done_in_the_order_of_ranks_and_then_as_it_came() -> None:
    bulkhead = Bulkhead("test", running=1, waiting=20)
    gate, done = threading.Event(), list[str]()

    async def work(name: str, rank: int) -> None:
        with bulkhead.place(rank) as place:
            await place.run(lambda: done.append(name))

    first = asyncio.create_task(bulkhead.run(lambda: gate.wait(5)))
    await asyncio.sleep(0.02)
    names = [("c1", 2), ("a1", 0), ("b1", 1), ("c2", 2), ("a2", 0)]
    others = [asyncio.create_task(work(name, rank)) for name, rank in names]
    await asyncio.sleep(0.02)
    gate.set()
    await asyncio.gather(first, *others)
    assert done == ["a1", "a2", "b1", "c1", "c2"]


async def test_work_whose_caller_went_away_is_skipped_and_the_next_is_done() -> None:
    bulkhead = Bulkhead("test", running=1, waiting=3)
    gate, done = threading.Event(), list[str]()
    first = asyncio.create_task(bulkhead.run(lambda: gate.wait(5)))
    gone = asyncio.create_task(bulkhead.run(lambda: done.append("gone")))
    last = asyncio.create_task(bulkhead.run(lambda: done.append("last")))
    await asyncio.sleep(0.02)
    gone.cancel()
    await asyncio.wait([gone])
    gate.set()
    await asyncio.gather(first, last)
    assert done == ["last"]
    assert gone.cancelled()
