"""Whether an account may play: billing says so, or has said so not long ago."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from cuemark.contexts.playback.model.plan import still_entitled
from cuemark.contexts.playback.service.lately import Lately
from cuemark.contexts.playback.service.parts import PLAN, asked, not_now
from cuemark.contexts.playback.store import plans as store
from cuemark.contracts.billing import Billing
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.billing.subscriptions import Entitlement, GetEntitlement
from cuemark.contracts.ids import AccountId
from cuemark.contracts.playback import NotEntitled
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable

KEPT_FOR = timedelta(minutes=10)
"""What billing says again is not written again for so long."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Allowed:
    """What an account's plan allows; ``said`` is what billing said of it just now, if it did, and
    ``asked_at`` when it was asked."""

    allowance: Allowance
    said: Entitlement | None = None
    asked_at: datetime = NEVER


class Plans:
    """Asks ``billing``; while it is away, what it said last holds for ``LAST_KNOWN_LASTS``."""

    def __init__(self, billing: Billing, database: Database, clock: Clock) -> None:
        self._billing = billing
        self._database = database
        self._clock = clock
        self._kept: Lately[AccountId, Entitlement] = Lately(KEPT_FOR)

    async def ask(self, account_id: AccountId) -> Allowed:
        """Raises ``NotEntitled``, and ``CannotPlayNow`` where nobody can say."""
        asked_at = self._clock.now()
        try:
            question = GetEntitlement(account_id=account_id)
            found = await asked(PLAN, self._billing.get_entitlement(question))
        except Unavailable:
            structlog.get_logger().warning("entitlement_unknown", account_id=account_id)
            return Allowed(await self._last_known(account_id))
        if not found.entitled:
            if self.is_news(found):
                await store.know(self._database, found, asked_at)
                self.note(found)
            raise NotEntitled("You have no plan that runs: choose one, and then play.")
        return Allowed(found.allowance, found, asked_at)

    def is_news(self, said: Entitlement) -> bool:
        """Whether it is to be written down what billing said: it says something else than before,
        or has not been written for a time."""
        return self._kept.is_news(said.account_id, _undated(said), self._clock.now())

    def note(self, said: Entitlement) -> None:
        self._kept.note(said.account_id, _undated(said), self._clock.now())

    async def _last_known(self, account_id: AccountId) -> Allowance:
        async with self._database.transaction() as transaction:
            known = await store.known(transaction, account_id)
        if known is None or not still_entitled(*known, self._clock.now()):
            raise not_now(PLAN)
        return known[0].allowance


def _undated(said: Entitlement) -> Entitlement:
    """As if it were always said at one moment: what is the same then is the same."""
    ends_at = said.until if said.entitled else NEVER
    return msgspec.structs.replace(said, at=NEVER, until=ends_at)
