"""Tells steering the routes of an appliance, and goes on telling what changes.

With steering away the routes wait here, the newest of each alone; steering keeps those that it has.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.routes import (
    MOST_ROUTES,
    AnnounceRoutes,
    Route,
    RoutesAccepted,
    WithdrawnRoute,
)
from cuemark.edge.in_step import InStep
from cuemark.edge.rib import Rib
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import Refusal, Unavailable

GATHER_S = 0.1
"""How long changes may wait for others that come together with them."""
WHAT = "announce_routes"
CALL_S = 5.0
AWAY_S = 0.5
REFUSED_S = 5.0


class Announcer:
    """Keeps steering in step with ``rib``. ``announce`` is steering's ``announce_routes``."""

    def __init__(
        self,
        appliance_id: ApplianceId,
        rib: Rib,
        announce: Callable[[AnnounceRoutes], Awaitable[RoutesAccepted]],
    ) -> None:
        self._appliance_id = appliance_id
        self._rib = rib
        self._announce = announce
        self._epoch = ""
        self._revision = 0
        self._in_step = InStep()

    async def run(self) -> None:
        """For ever."""
        while True:
            if not self._epoch:
                await self._tell_all()
            elif self._rib.changes:
                await self._tell(*self._rib.changes.take())
            else:
                await asyncio.sleep(GATHER_S)

    async def _tell_all(self) -> None:
        """Begin an epoch. Changes from here on are told after it."""
        self._rib.changes.clear()
        routes = self._rib.all_routes()
        self._epoch, self._revision = secrets.token_hex(16), 0
        pieces = [routes[at : at + MOST_ROUTES] for at in range(0, len(routes), MOST_ROUTES)]
        for number, piece in enumerate(pieces or [[]], start=1):
            await self._tell([], [], piece, complete=number >= len(pieces))
            if not self._epoch:
                return

    async def _tell(
        self,
        dropped: Sequence[str],
        withdrawn: Sequence[WithdrawnRoute],
        announced: Sequence[Route],
        *,
        complete: bool = True,
    ) -> None:
        """Send one batch until it is taken. Where steering knows another state, all begins anew."""
        batch = AnnounceRoutes(
            appliance_id=self._appliance_id,
            epoch=self._epoch,
            revision=self._revision + 1,
            complete=complete,
            dropped=list(dropped),
            withdrawn=list(withdrawn),
            announced=list(announced),
        )
        while True:
            try:
                with deadline(CALL_S):
                    accepted = await self._announce(batch)
            except Unavailable as away:
                self._in_step.note(WHAT, str(away))
                await asyncio.sleep(AWAY_S)
                continue
            except Refusal as refused:
                self._in_step.note(WHAT, str(refused))
                await asyncio.sleep(REFUSED_S)
                self._epoch = ""
                return
            self._in_step.note(WHAT, "")
            self._revision = batch.revision
            if accepted.send_all:
                self._epoch = ""
            return
