"""How an appliance tells steering its routes: in step, in batches, and anew where it must."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cuemark.contexts.steering.model.routes import RouteTable, check_batch
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.routes import MOST_ROUTES, AnnounceRoutes, RoutesAccepted
from cuemark.edge.announcing import Announcer
from cuemark.edge.bgp import SessionDown, SessionUp, Update
from cuemark.edge.rib import Rib
from cuemark.kit.errors import Unavailable
from tests.unit.edge.test_bgp import FACTS, PEER, bgp

EDGE = ApplianceId("edge-a")


class Listener:
    """Steering that has nothing but the table of routes."""

    def __init__(self) -> None:
        self.table = RouteTable()
        self.epoch, self.revision = "", 0
        self.batches: list[AnnounceRoutes] = []
        self.away = 0

    async def announce_routes(self, request: AnnounceRoutes) -> RoutesAccepted:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise Unavailable("on purpose")
        check_batch(request)
        after = self.revision if request.epoch == self.epoch else 0
        if request.revision != after + 1:
            return RoutesAccepted(send_all=True)
        self.epoch, self.revision = request.epoch, request.revision
        self.batches.append(request)
        self.table.apply(request)
        return RoutesAccepted()

    @property
    def prefixes(self) -> set[str]:
        return {each.route.prefix for each in self.table.page(None, ("", "", ""), 10_000)}


@asynccontextmanager
async def announcing(rib: Rib, steering: Listener) -> AsyncIterator[None]:
    task = asyncio.create_task(Announcer(EDGE, rib, steering.announce_routes).run())
    try:
        async with asyncio.timeout(10):
            yield
    finally:
        task.cancel()


async def in_step(rib: Rib, steering: Listener) -> None:
    while rib.changes or steering.prefixes != {each.prefix for each in rib.all_routes()}:
        await asyncio.sleep(0.01)


def rib_with(count: int) -> Rib:
    rib = Rib(bgp())
    rib.tables[PEER].take(SessionUp())
    add(rib, count)
    return rib


def add(rib: Rib, count: int) -> None:
    prefixes = [f"8.{n >> 8}.{n & 255}.0/24" for n in range(count)]
    rib.tables[PEER].take(Update([], prefixes, FACTS))


async def test_an_appliance_without_routers_says_so_once() -> None:
    steering = Listener()
    async with announcing(Rib(None), steering):
        while not steering.batches:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
    (batch,) = steering.batches
    assert (batch.announced, batch.complete) == ([], True)


async def test_all_routes_come_in_bounded_batches_and_then_what_changes() -> None:
    rib, steering = rib_with(MOST_ROUTES + 5), Listener()
    async with announcing(rib, steering):
        await in_step(rib, steering)
        assert [each.complete for each in steering.batches] == [False, True]
        rib.tables[PEER].take(Update(["8.0.0.0/24"], []))
        await in_step(rib, steering)
        assert [each.prefix for each in steering.batches[-1].withdrawn] == ["8.0.0.0/24"]
        rib.tables[PEER].take(SessionDown(""))
        await in_step(rib, steering)
        assert steering.batches[-1].dropped == [PEER]


async def test_what_steering_did_not_take_is_sent_again() -> None:
    rib, steering = rib_with(3), Listener()
    steering.away = 1
    async with announcing(rib, steering):
        await in_step(rib, steering)
    assert [each.revision for each in steering.batches] == [1]


async def test_steering_that_has_forgotten_gets_all_routes_anew() -> None:
    rib, steering = rib_with(3), Listener()
    async with announcing(rib, steering):
        await in_step(rib, steering)
        first, steering.epoch, steering.table = steering.epoch, "", RouteTable()
        add(rib, 4)
        await in_step(rib, steering)
    assert steering.epoch not in ("", first)
    assert len(steering.prefixes) == 4
