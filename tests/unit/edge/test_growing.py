"""A file on its way in, and those who wait for it."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from cuemark.contracts.encoding.versions import IndexedFile
from cuemark.contracts.ids import VersionId
from cuemark.edge.cache import Reason
from cuemark.edge.growing import GROUPS, WAKE_EVERY_S, FillFailed, Growing, Wanted

SIZE_BYTES = 1000
READERS = 10 * GROUPS


@pytest.fixture
async def growing(tmp_path: Path) -> Growing:
    file = IndexedFile("0" * 64, SIZE_BYTES)
    found = Growing(Wanted(VersionId("ver_1"), "v1/1.m4s", file), tmp_path / "scratch", 0.0)
    found.prepare()
    return found


def bring(growing: Growing, count: int) -> None:
    growing.append(bytes(count), lambda _: False)
    growing.wake()


async def test_all_who_wait_have_the_first_byte_at_once(growing: Growing) -> None:
    readers = [asyncio.create_task(growing.beyond(0)) for _ in range(READERS)]
    await asyncio.sleep(0)
    bring(growing, 10)
    async with asyncio.timeout(WAKE_EVERY_S / GROUPS):
        assert await asyncio.gather(*readers) == [10] * READERS
    growing.close()


async def test_those_who_wait_for_more_are_woken_by_groups_and_all_of_them(
    growing: Growing,
) -> None:
    bring(growing, 10)
    await asyncio.sleep(0.01)
    readers = [asyncio.create_task(growing.beyond(10)) for _ in range(READERS)]
    await asyncio.sleep(0)
    bring(growing, 10)
    woken = [0]
    async with asyncio.timeout(2 * WAKE_EVERY_S + 1):
        while not all(each.done() for each in readers):
            await asyncio.sleep(0)
            now = sum(each.done() for each in readers)
            if now != woken[-1]:
                woken.append(now)
    assert [after - before for before, after in pairwise(woken)] == [READERS // GROUPS] * GROUPS
    growing.close()


async def test_who_comes_while_others_wait_does_not(growing: Growing) -> None:
    bring(growing, 10)
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(growing.beyond(10))
    await asyncio.sleep(0)
    assert await growing.beyond(0) == 10
    assert not waiting.done()
    growing.finish()
    assert await waiting == SIZE_BYTES
    growing.close()


async def test_nobody_has_the_last_byte_before_the_check(growing: Growing) -> None:
    bring(growing, SIZE_BYTES)
    await asyncio.sleep(0.01)
    assert await growing.beyond(0) == SIZE_BYTES - 1
    readers = [asyncio.create_task(growing.whole()) for _ in range(READERS)]
    await asyncio.sleep(2 * WAKE_EVERY_S)
    assert not any(each.done() for each in readers)
    growing.finish(Reason.CORRUPT)
    told = await asyncio.gather(*readers, return_exceptions=True)
    assert {type(each) for each in told} == {FillFailed}
    growing.close()
