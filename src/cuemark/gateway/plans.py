"""Which plan a caller is on, for what they are shown.

Nothing is opened by it: a play asks billing itself. So what was said lately will do, and while
billing is away what it said last. Of whom it has said nothing yet, they are shown what is there
under the install's own licence types.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from cuemark.contracts.billing import Billing
from cuemark.contracts.billing.subscriptions import Entitlement, GetEntitlement
from cuemark.contracts.ids import AccountId
from cuemark.contracts.rights import LicenceType
from cuemark.kit.clock import Clock
from cuemark.kit.errors import Unavailable

KEPT_S = 30.0
AWAY_S = 1.0
"""For so long nobody asks again of a billing that was away."""
WITHIN_S = 0.25
MOST = 10_000


class PlanOf(NamedTuple):
    """Empty where there is none, or none that is known. Without licence types they are those of the
    install."""

    plan_id: str = ""
    licence_types: tuple[LicenceType, ...] = ()


NO_PLAN = PlanOf()


class Plans:
    """Of accounts, by what ``billing`` says; without one nothing is sold, and nobody has a plan."""

    def __init__(self, billing: Billing | None, clock: Clock, most: int = MOST) -> None:
        self._billing = billing
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[AccountId, tuple[PlanOf, float]] = OrderedDict()
        self._away_until_s = float("-inf")

    async def of(self, account_id: AccountId) -> PlanOf:
        now_s = self._clock.monotonic_s()
        plan, fresh_until_s = self._kept.get(account_id, (NO_PLAN, float("-inf")))
        if now_s < max(fresh_until_s, self._away_until_s) or self._billing is None:
            return plan
        try:
            async with asyncio.timeout(WITHIN_S):
                said = await self._billing.get_entitlement(GetEntitlement(account_id=account_id))
        except (Unavailable, TimeoutError):
            self._away_until_s = now_s + AWAY_S
            structlog.get_logger().warning("plan_unknown", account_id=account_id)
            return plan
        return self.note(said)

    def note(self, said: Entitlement) -> PlanOf:
        """What billing has just said."""
        plan, lasts_s = NO_PLAN, KEPT_S
        if said.entitled:
            plan = PlanOf(said.plan_id, said.allowance.licence_types)
            lasts_s = min(KEPT_S, (said.until - said.at).total_seconds())
        self._kept[said.account_id] = plan, self._clock.monotonic_s() + lasts_s
        self._kept.move_to_end(said.account_id)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return plan

    @contextmanager
    def changing(self, account_id: AccountId | None = None) -> Iterator[None]:
        """After the block the plan of the account may be another one, without an account any."""
        try:
            yield
        finally:
            for each in [*self._kept] if account_id is None else [account_id]:
                if each in self._kept:
                    self._kept[each] = self._kept[each][0], float("-inf")
