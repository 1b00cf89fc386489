"""Steering, in each way in which it is reached."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from cuemark.contexts.steering import wiring
from cuemark.contracts.fill import Fill
from cuemark.contracts.steering import (
    Steering,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.contract.steering.asking import MASTERS, A, B
from tests.databases import opened
from tests.unit.steering.teller import Teller


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def teller() -> Teller:
    return Teller(at_once=1)


@pytest.fixture
async def steering(
    reach: Reach, database_url: str, clock: ManualClock, teller: Teller
) -> AsyncIterator[Steering]:
    async with opened(database_url, wiring) as database:
        room = wiring.build(
            database=database,
            log=Log(clock),
            clock=clock,
            fill=cast(Fill, teller),
            appliance_ids=(A, B),
            token_keys=MASTERS,
        )
        follow_routes, _, follow_holding = room.keepers
        following = [asyncio.create_task(follow()) for follow in (follow_routes, follow_holding)]
        yield await reach(Steering, room.service)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
