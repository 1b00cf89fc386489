"""Routes from a real router to the ranking: BIRD, ExaBGP, steering on PostgreSQL."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cuemark.contexts.steering import wiring
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import ListRoutes, Rank, Report, Steering
from cuemark.edge.announcing import Announcer
from cuemark.edge.rib import Rib
from cuemark.edge.settings import BgpSettings, PeerSettings
from cuemark.edge.speaker import Speaker
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import ManualClock
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.integration.edge.router import ITS_ASN, OUR_ASN, PORT, Router, router

NEAR, FAR = ApplianceId("edge-near"), ApplianceId("edge-far")
FILM = VersionId("ver_film")
CLIENT = "8.8.8.8"


@dataclass
class Town:
    """A router beside the appliance NEAR, and steering, where FAR has less to do."""

    router: Router
    rib: Rib
    steering: Steering
    clock: ManualClock

    async def first(self, address: str = CLIENT) -> ApplianceId:
        self.clock.advance(0.25)
        for appliance_id, in_flight in ((NEAR, 50), (FAR, 0)):
            await self.steering.report(
                Report(
                    appliance_id=appliance_id,
                    url=f"http://{appliance_id}.test",
                    healthy=True,
                    in_flight=in_flight,
                    inventory_revision=1,
                    versions=[FILM],
                )
            )
        ranking = await self.steering.rank(
            Rank(
                session_id=PlaySessionId("play_1"),
                version_id=FILM,
                expires_at=self.clock.now() + timedelta(hours=1),
                client_address=address,
            )
        )
        return ranking.appliances[0].appliance_id

    async def until_first(self, appliance_id: ApplianceId, within_s: float) -> float:
        """Seconds until a client of the router's network is sent to ``appliance_id``."""
        began_s = time.monotonic()
        async with asyncio.timeout(within_s):
            while await self.first() != appliance_id:
                await asyncio.sleep(0.01)
        return time.monotonic() - began_s

    async def known(self) -> list[str]:
        page = await self.steering.list_routes(ListRoutes(limit=200))
        return [each.route.prefix for each in page.routes]

    async def until_known(self, prefixes: list[str]) -> None:
        async with asyncio.timeout(5):
            while await self.known() != prefixes:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def town(folder: Path, database_url: str, max_prefixes: int = 100) -> AsyncIterator[Town]:
    with router(folder / "router") as beside:
        peer = PeerSettings(
            address=beside.address,
            asn=ITS_ASN,
            local_address=beside.here,
            port=PORT,
            allow=["8.8.0.0/16", "2001:4860::/32"],
            max_prefixes=max_prefixes,
            hold_time_s=9,
        )
        bgp = BgpSettings(asn=OUR_ASN, router_id=beside.here, peers=[peer])
        async with opened(database_url, wiring) as database:
            clock, rib = ManualClock(), Rib(bgp)
            room = wiring.build(
                database=database,
                log=Log(clock),
                clock=clock,
                appliance_ids=(NEAR, FAR),
                token_keys=[TokenKey("k1", b"1" * 32)],
            )
            speaker = Speaker(bgp, rib.tables[beside.address], folder, 1)
            tasks = [
                asyncio.create_task(work)
                for work in (
                    room.keepers[0](),
                    Announcer(NEAR, rib, room.service).run(),
                    speaker.run(),
                )
            ]
            try:
                yield Town(beside, rib, room.service, clock)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_network_is_steered_as_its_router_says_within_a_second(
    tmp_path: Path, database_url: str
) -> None:
    async with town(tmp_path, database_url) as here:
        assert await here.first() == FAR
        here.router.start(["8.8.8.0/24 blackhole", "2001:4860::/32 blackhole"])
        await here.until_first(NEAR, 20)
        await here.until_known(["2001:4860::/32", "8.8.8.0/24"])
        assert await here.first("9.9.9.9") == FAR
        assert await here.first("2001:4860::1") == NEAR
        here.router.announce(["8.8.0.0/20 blackhole"])
        await here.until_known(["8.8.0.0/20"])
        assert await here.first() == NEAR, "by the wider prefix"
        here.router.announce([])
        withdrawn_s = await here.until_first(FAR, 5)
        here.router.announce(["8.8.8.0/24 blackhole"])
        await here.until_first(NEAR, 5)
        here.router.kill()
        lost_s = await here.until_first(FAR, 5)
        assert max(withdrawn_s, lost_s) < 1.0
        print(f"a withdrawal steered after {withdrawn_s:.2f} s, a lost router {lost_s:.2f} s")


async def test_a_hostile_router_is_believed_no_farther_than_its_networks_go(
    tmp_path: Path, database_url: str
) -> None:
    long_path = " ".join(f"bgp_path.prepend({65000 + n});" for n in range(100))
    hostile = [
        "0.0.0.0/0 blackhole",
        "0.0.0.0/1 blackhole",
        "9.9.9.0/24 blackhole",
        "10.0.0.0/8 blackhole",
        "8.8.8.8/32 blackhole",
        f"8.8.7.0/24 blackhole {{ {long_path} }}",
        f"8.8.6.0/24 blackhole {{ bgp_path.prepend({OUR_ASN}); }}",
        "2001:4861::/32 blackhole",
    ]
    async with town(tmp_path, database_url) as here:
        here.router.start([*hostile, "8.8.4.0/24 blackhole"])
        (table,) = here.rib.tables.values()
        async with asyncio.timeout(20):
            while table.told().refused < len(hostile) - 1 or not table.told().routes:
                await asyncio.sleep(0.02)
        await here.until_known(["8.8.4.0/24"])
        for address in ("1.1.1.1", "9.9.9.9", "10.0.0.1", "8.8.8.8", "2001:4861::1"):
            assert await here.first(address) == FAR


async def test_a_router_past_its_maximum_loses_all_and_its_session(
    tmp_path: Path, database_url: str
) -> None:
    async with town(tmp_path, database_url, max_prefixes=10) as here:
        here.router.start(["8.8.8.0/24 blackhole"])
        await here.until_first(NEAR, 20)
        here.router.announce([f"8.8.{n}.0/24 blackhole" for n in range(200)])
        await here.until_first(FAR, 5)
        (told,) = here.rib.told()
        assert (told.state, told.routes) == ("held", 0)
        assert told.complaint == "it announced more than 10 prefixes"
        assert await here.known() == []
