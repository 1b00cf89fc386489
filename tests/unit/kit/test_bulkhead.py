"""The bulkhead: bounded work apart from the rest."""

import asyncio
import threading
import time

import pytest

from cuemark.kit.bulkhead import Bulkhead, BulkheadFull
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import Unavailable


async def test_work_gives_its_result_and_its_error_back() -> None:
    bulkhead = Bulkhead("test", running=1, waiting=1)
    assert await bulkhead.run(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await bulkhead.run(lambda: 1 // 0)


async def test_what_finds_no_room_is_turned_away_at_once() -> None:
    bulkhead = Bulkhead("test", running=2, waiting=3)
    gate = threading.Event()
    held = [asyncio.create_task(bulkhead.run(lambda: gate.wait(5))) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(BulkheadFull):
        await bulkhead.run(lambda: True)
    gate.set()
    assert await asyncio.gather(*held) == [True] * 5
    assert await bulkhead.run(lambda: True)


async def test_no_more_runs_at_a_time_than_is_allowed() -> None:
    bulkhead = Bulkhead("test", running=2, waiting=10)
    lock = threading.Lock()
    now, most = 0, 0

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    await asyncio.gather(*(bulkhead.run(work) for _ in range(12)))
    assert most == 2


async def test_a_caller_who_goes_away_frees_room_only_when_the_thread_is_done() -> None:
    bulkhead = Bulkhead("test", running=1, waiting=0)
    gate = threading.Event()
    caller = asyncio.create_task(bulkhead.run(lambda: gate.wait(5)))
    await asyncio.sleep(0.02)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    with pytest.raises(BulkheadFull):
        await bulkhead.run(lambda: True)
    gate.set()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await bulkhead.run(lambda: True)
                return
            except BulkheadFull:
                await asyncio.sleep(0.001)


async def test_a_place_is_held_while_its_work_is_prepared_and_freed_without_any() -> None:
    bulkhead = Bulkhead("test", running=1, waiting=0)
    with bulkhead.place() as place:
        with pytest.raises(BulkheadFull):
            await bulkhead.run(lambda: True)
        assert await place.run(lambda: 1) == 1
    with pytest.raises(KeyError), bulkhead.place():
        raise KeyError("the preparation failed")
    assert await bulkhead.run(lambda: True)


async def test_work_whose_time_is_over_before_its_turn_is_not_begun() -> None:
    bulkhead = Bulkhead("test", running=1, waiting=1)
    gate = threading.Event()
    begun = []
    first = asyncio.create_task(bulkhead.run(lambda: gate.wait(5)))
    await asyncio.sleep(0)
    with deadline(0.02):
        late = asyncio.create_task(bulkhead.run(lambda: begun.append(1)))
        await asyncio.sleep(0.04)
    gate.set()
    with pytest.raises(Unavailable):
        await late
    assert await first
    assert begun == []
