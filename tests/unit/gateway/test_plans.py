"""How long the gateway goes by what billing said of a member's plan."""

import contextlib
from datetime import timedelta
from typing import ClassVar, cast

import pytest

from cuemark.contracts.billing import Billing
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.billing.subscriptions import Entitlement, GetEntitlement
from cuemark.contracts.ids import AccountId
from cuemark.gateway.plans import AWAY_S, KEPT_S, NO_PLAN, PlanOf, Plans
from cuemark.kit.clock import ManualClock
from cuemark.kit.errors import Refusal, Unavailable

ANNA, BEN = AccountId("acc_anna"), AccountId("acc_ben")
LARGE = PlanOf("large", ("SVOD", "EST"))


class Sold:
    """Billing as far as it says who is on what; ``asked`` are the accounts that were asked of."""

    refusals: ClassVar[tuple[type[Refusal], ...]] = ()

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.asked: list[AccountId] = []
        self.plan: PlanOf | None = LARGE
        self.lasts_s = 86_400.0
        self.away = False

    async def get_entitlement(self, request: GetEntitlement) -> Entitlement:
        self.asked.append(request.account_id)
        if self.away:
            raise Unavailable("billing is away")
        now = self._clock.now()
        if self.plan is None:
            return Entitlement(account_id=request.account_id, entitled=False, at=now, until=now)
        return Entitlement(
            account_id=request.account_id,
            entitled=True,
            at=now,
            until=now + timedelta(seconds=self.lasts_s),
            plan_id=self.plan.plan_id,
            allowance=Allowance(licence_types=self.plan.licence_types),
        )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sold(clock: ManualClock) -> Sold:
    return Sold(clock)


@pytest.fixture
def plans(sold: Sold, clock: ManualClock) -> Plans:
    return Plans(cast(Billing, sold), clock, most=2)


async def test_billing_is_asked_again_once_what_it_said_is_old(
    sold: Sold, plans: Plans, clock: ManualClock
) -> None:
    assert [await plans.of(ANNA) for _ in range(2)] == [LARGE, LARGE]
    assert sold.asked == [ANNA]
    sold.plan = None
    clock.advance(KEPT_S - 1)
    assert await plans.of(ANNA) == LARGE
    clock.advance(1)
    assert await plans.of(ANNA) == NO_PLAN
    assert sold.asked == [ANNA, ANNA]


async def test_a_plan_that_ends_is_not_known_for_longer(
    sold: Sold, plans: Plans, clock: ManualClock
) -> None:
    sold.lasts_s = 5
    await plans.of(ANNA)
    sold.plan = None
    clock.advance(5)
    assert await plans.of(ANNA) == NO_PLAN


async def test_who_changes_their_plan_is_on_the_new_one_at_once(sold: Sold, plans: Plans) -> None:
    await plans.of(ANNA)
    await plans.of(BEN)
    with contextlib.suppress(Unavailable), plans.changing(ANNA):
        sold.plan = PlanOf("small")
        raise Unavailable("the bank is away: nobody knows whether it was changed")
    assert (await plans.of(ANNA), await plans.of(BEN)) == (PlanOf("small"), LARGE)
    with plans.changing():
        sold.plan = None
    assert (await plans.of(ANNA), await plans.of(BEN)) == (NO_PLAN, NO_PLAN)


async def test_while_billing_is_away_its_last_word_holds_and_it_is_asked_once_a_second(
    sold: Sold, plans: Plans, clock: ManualClock
) -> None:
    await plans.of(ANNA)
    clock.advance(KEPT_S)
    sold.away = True
    assert [await plans.of(each) for each in (ANNA, ANNA, BEN)] == [LARGE, LARGE, NO_PLAN]
    assert sold.asked == [ANNA, ANNA]
    sold.away = False
    clock.advance(AWAY_S)
    assert await plans.of(BEN) == LARGE


async def test_no_more_are_known_than_have_room(sold: Sold, plans: Plans) -> None:
    for account_id in (ANNA, BEN, AccountId("acc_cleo"), BEN, ANNA):
        await plans.of(account_id)
    assert sold.asked == [ANNA, BEN, "acc_cleo", ANNA]


async def test_where_nothing_is_sold_nobody_has_a_plan(clock: ManualClock) -> None:
    assert await Plans(None, clock).of(ANNA) == NO_PLAN
