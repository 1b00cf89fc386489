"""Routes as a steering process knows them: taken from appliances, kept, and read by all processes.

An appliance tells its routes to one process. Every process, that one too, reads what is new from
the database at least every ``LOOK_S``, so all of them steer alike.
"""

import asyncio

import structlog

from cuemark.contexts.steering.model import routes
from cuemark.contexts.steering.model.routes import RouteTable
from cuemark.contexts.steering.store import announcements
from cuemark.contexts.steering.store.announcements import NOTHING, Reached
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.routes import AnnounceRoutes, RoutesAccepted
from cuemark.kit.database import Database
from cuemark.kit.errors import NoRoom, Unavailable

LOOK_S = 0.2
BATCHES = 5
SWEPT = 2000
"""As much is done in one piece; then others have their turn."""


class Routing:
    """The table of this process, and the batches in the database behind it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[ApplianceId, Reached] = {}
        self.table = RouteTable()

    async def take(self, batch: AnnounceRoutes) -> RoutesAccepted:
        """Keep a batch, once; asks for all routes where one is missing before it."""
        changes = len(batch.announced) + len(batch.withdrawn) + len(batch.dropped)
        async with self._database.transaction() as transaction:
            stands = await announcements.reached(transaction, batch.appliance_id)
            if batch.epoch != stands.epoch:
                if batch.revision != 1:
                    return RoutesAccepted(send_all=True)
                await announcements.add(transaction, batch, changes)
            elif batch.revision > stands.revision:
                changes += stands.changes
                if batch.revision > stands.revision + 1 or changes > routes.MAX_CHANGES:
                    return RoutesAccepted(send_all=True)
                await announcements.add(transaction, batch, changes)
        return RoutesAccepted()

    async def follow(self) -> None:
        """For ever: bring the table up to date. With the database away it stands as it is."""
        while True:
            try:
                more = await self.catch_up()
            except (Unavailable, NoRoom) as away:
                structlog.get_logger().warning("routes_not_read", trouble=str(away))
                more = False
            await asyncio.sleep(0 if more else LOOK_S)

    async def catch_up(self) -> bool:
        """Take some of what is new, a bounded piece; whether there is more."""
        more = self.table.sweep(SWEPT)
        async with self._database.transaction() as transaction:
            for appliance_id, stands in (await announcements.all_reached(transaction)).items():
                known = self._known.get(appliance_id, NOTHING)
                if known.epoch != stands.epoch:
                    known = Reached(stands.epoch, 0)
                if known.revision < stands.revision:
                    found = await announcements.after(transaction, appliance_id, known, BATCHES)
                    for batch in found:
                        self.table.apply(batch)
                        known = Reached(batch.epoch, batch.revision)
                        await asyncio.sleep(0)
                    more = more or known.revision < stands.revision
                self._known[appliance_id] = known
        return more
