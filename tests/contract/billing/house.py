"""Billing with a sandbox that runs, as a test sees it."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from cuemark.contexts.billing import wiring
from cuemark.contexts.billing.service import BillingService
from cuemark.contracts.billing import (
    Billing,
)
from cuemark.contracts.billing.invoices import (
    GetLedger,
    Invoice,
    ListInvoices,
)
from cuemark.contracts.billing.plans import (
    Allowance,
    Money,
    Plan,
    Price,
    TaxRule,
)
from cuemark.contracts.billing.subscriptions import (
    AddTestCard,
    AdvanceClock,
    ChangeSubscription,
    Entitlement,
    GetEntitlement,
    GetSubscription,
    Subscribe,
    Subscription,
)
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from tests.contract.billing.conftest import GOOD, Sandbox
from tests.contract.conftest import Reach
from tests.databases import opened

DAY_S = 86400


@dataclass(frozen=True)
class House:
    """Billing as its callers see it, the sandbox behind it, and an account."""

    billing: Billing
    service: BillingService
    sandbox: Sandbox
    database: Database
    log: Log
    anna: AccountId
    followers: Sequence[Follower]

    async def card(self, number: str = GOOD) -> str:
        return (await self.billing.add_test_card(AddTestCard(number=number))).token

    async def subscribe(
        self, plan_id: str = "small", number: str = GOOD, coupon: str = "", territory: str = "DE"
    ) -> Subscription:
        return await self.billing.subscribe(
            Subscribe(
                account_id=self.anna,
                plan_id=plan_id,
                territory=territory,
                card=await self.card(number),
                coupon=coupon,
            )
        )

    async def change(self, change: Literal["cancel", "pause", "resume"]) -> Subscription:
        asked = ChangeSubscription(account_id=self.anna, change=change)
        return await self.billing.change_subscription(asked)

    async def pass_days(self, days: int) -> None:
        """Days of the sandbox's time at once, and all that is due then."""
        await self.billing.advance_clock(AdvanceClock(seconds=days * DAY_S))

    async def pass_hours(self, hours: int) -> None:
        await self.billing.advance_clock(AdvanceClock(seconds=hours * 3600))

    async def to_renewal(self) -> None:
        """An hour into the next period."""
        standing, now = await self.standing(), (await self.entitlement()).at
        left_s = (standing.period_ends_at - now).total_seconds()
        await self.billing.advance_clock(AdvanceClock(seconds=int(left_s) + 3600))

    async def standing(self) -> Subscription:
        return await self.billing.get_subscription(GetSubscription(account_id=self.anna))

    async def entitlement(self) -> Entitlement:
        return await self.billing.get_entitlement(GetEntitlement(account_id=self.anna))

    async def invoices(self) -> list[Invoice]:
        asked = ListInvoices(account_id=self.anna)
        return (await self.billing.list_invoices(asked)).invoices

    async def balances(self) -> dict[str, int]:
        ledger = await self.billing.get_ledger(GetLedger())
        return {each.account: each.debit_minor - each.credit_minor for each in ledger.balances}


def plan(plan_id: str, minor: int, height: int, trial_days: int = 0) -> Plan:
    return Plan(
        plan_id=plan_id,
        name=plan_id.capitalize(),
        prices=[
            Price(money=Money(amount_minor=minor, currency="EUR")),
            Price(money=Money(amount_minor=minor * 2, currency="CHF"), territory="CH"),
        ],
        allowance=Allowance(max_height=height, streams=2),
        trial_days=trial_days,
    )


@contextlib.asynccontextmanager
async def opened_house(
    reach: Reach, database_url: str, sandbox: Sandbox, provider: wiring.Provider | None = None
) -> AsyncIterator[House]:
    """``provider`` charges, and unless it is given the sandbox."""
    clock = SystemClock()
    log = Log(clock)
    async with opened(database_url, wiring) as database:
        room = wiring.build(database, log, clock, Ids(clock), provider or sandbox.at)
        service = room.service
        assert isinstance(service, BillingService)
        billing = await reach(Billing, room.service)
        for each in (plan("small", 500, 720), plan("large", 1500, 2160), plan("try", 500, 720, 7)):
            await billing.put_plan(each)
        since = datetime(2020, 1, 1, tzinfo=UTC)
        await billing.put_tax(TaxRule(territory="DE", rate_bp=1900, since=since))
        anna = AccountId(Ids(clock).new("acc"))
        yield House(billing, service, sandbox, database, log, anna, room.followers)
        for close in room.closers:
            await close()
