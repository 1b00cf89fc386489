"""A router beside an appliance, and steering: BIRD, ExaBGP, PostgreSQL."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cuemark.contexts.steering import wiring
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import ListAppliances, Rank, Steering
from cuemark.contracts.steering.reports import Report
from cuemark.contracts.steering.routes import ListRoutes
from cuemark.edge.announcing import Announcer
from cuemark.edge.rib import Rib
from cuemark.edge.settings import BgpSettings, PeerSettings
from cuemark.edge.speaker import Speaker
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import ManualClock
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.integration.edge.router import ITS_ASN, OUR_ASN, PORT, Router, router
from tests.unit.steering.teller import untold

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

    async def routes(self) -> int:
        """How many routes of NEAR count."""
        states = (await self.steering.list_appliances(ListAppliances())).appliances
        return sum(each.routes for each in states if each.appliance_id == NEAR)

    async def known(self) -> list[str]:
        page = await self.steering.list_routes(ListRoutes(limit=200))
        return [each.route.prefix for each in page.routes]

    async def until_known(self, prefixes: list[str]) -> None:
        async with asyncio.timeout(5):
            while await self.known() != prefixes:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def town(
    folder: Path,
    database_url: str,
    max_prefixes: int = 100,
    allow: Sequence[str] = ("8.8.0.0/16", "2001:4860::/32"),
) -> AsyncIterator[Town]:
    with router(folder / "router") as beside:
        peer = PeerSettings(
            address=beside.address,
            asn=ITS_ASN,
            local_address=beside.here,
            port=PORT,
            allow=list(allow),
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
                fill=untold(),
                appliance_ids=(NEAR, FAR),
                token_keys=[TokenKey("k1", b"1" * 32)],
            )
            speaker = Speaker(bgp, rib.tables[beside.address], folder, 1)
            tasks = [
                asyncio.create_task(work)
                for work in (
                    room.keepers[0](),
                    Announcer(NEAR, rib, room.service.announce_routes).run(),
                    speaker.run(),
                )
            ]
            try:
                yield Town(beside, rib, room.service, clock)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
