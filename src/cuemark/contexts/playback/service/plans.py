"""Whether an account may play: billing says so, or has said so not long ago."""

import asyncio

import structlog

from cuemark.contexts.playback import store
from cuemark.contexts.playback.model.plan import still_entitled
from cuemark.contracts.billing import Billing
from cuemark.contracts.billing.subscriptions import Entitlement, GetEntitlement
from cuemark.contracts.ids import AccountId
from cuemark.contracts.playback import CannotPlayNow, NotEntitled
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import Unavailable

WITHIN_S = 1.0


class Plans:
    """Asks ``billing``; while it is away, what it said last holds for ``LAST_KNOWN_LASTS``."""

    def __init__(self, billing: Billing, database: Database, clock: Clock) -> None:
        self._billing = billing
        self._database = database
        self._clock = clock

    async def entitlement(self, account_id: AccountId) -> Entitlement:
        """Raises ``NotEntitled``, and ``CannotPlayNow`` where nobody can say."""
        try:
            with deadline(WITHIN_S):
                async with asyncio.timeout(WITHIN_S):
                    asked = GetEntitlement(account_id=account_id)
                    found = await self._billing.get_entitlement(asked)
        except (Unavailable, TimeoutError):
            structlog.get_logger().warning("entitlement_unknown", account_id=account_id)
            return await self._last_known(account_id)
        async with self._database.transaction() as transaction:
            await store.know(transaction, found, self._clock.now())
        if not found.entitled:
            raise NotEntitled("You have no plan that runs: choose one, and then play.")
        return found

    async def _last_known(self, account_id: AccountId) -> Entitlement:
        async with self._database.transaction() as transaction:
            known = await store.known(transaction, account_id)
        if known is None or not still_entitled(*known, self._clock.now()):
            raise CannotPlayNow("Your plan cannot be looked up just now: try again in a moment.")
        return known[0]
