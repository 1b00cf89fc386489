"""Subscriptions through their periods, by the clock of a sandbox that runs."""

import pytest

from cuemark.contracts.billing import (
    AlreadySubscribed,
    BillingInvalid,
)
from cuemark.contracts.billing.plans import (
    Coupon,
)
from cuemark.contracts.billing.subscriptions import (
    ChangePlan,
    ReplaceCard,
)
from tests.contract.billing.conftest import POOR
from tests.contract.billing.house import House


async def test_a_renewal_is_paid_when_its_period_begins(house: House) -> None:
    first = await house.subscribe()
    await house.to_renewal()
    renewed = await house.standing()
    assert renewed.period_starts_at == first.period_ends_at
    assert [each.reason for each in await house.invoices()] == ["renewal", "first"]
    assert (await house.entitlement()).until == renewed.period_ends_at


async def test_a_trial_costs_nothing_and_is_followed_by_a_period_that_does(house: House) -> None:
    found = await house.subscribe("try")
    assert found.state == "trialing"
    assert (await house.entitlement()).entitled
    assert await house.invoices() == []
    await house.to_renewal()
    assert (await house.standing()).state == "active"
    assert [each.status for each in await house.invoices()] == ["paid"]


async def test_an_unpaid_renewal_is_tried_again_and_then_ends_it(house: House) -> None:
    await house.subscribe()
    await house.billing.replace_card(
        ReplaceCard(account_id=house.anna, card=await house.card(POOR))
    )
    await house.to_renewal()
    late = await house.standing()
    assert (late.state, late.decline_code) == ("past_due", "insufficient_funds")
    assert (await house.entitlement()).entitled
    for _ in range(5):
        await house.pass_days(3)
    assert (await house.standing()).state == "ended"
    assert not (await house.entitlement()).entitled
    assert [each.status for each in await house.invoices()] == ["void", "paid"]
    assert (await house.balances())["receivable"] == 0


async def test_another_card_pays_what_is_due_at_once(house: House) -> None:
    await house.subscribe()
    bad, good = await house.card(POOR), await house.card()
    await house.billing.replace_card(ReplaceCard(account_id=house.anna, card=bad))
    await house.to_renewal()
    assert (await house.standing()).state == "past_due"
    paid = await house.billing.replace_card(ReplaceCard(account_id=house.anna, card=good))
    assert (paid.state, paid.card) == ("active", "ready")


async def test_a_dearer_plan_begins_once_the_rest_is_paid(house: House) -> None:
    await house.subscribe()
    await house.pass_days(3)
    found = await house.billing.change_plan(ChangePlan(account_id=house.anna, plan_id="large"))
    assert (found.plan_id, found.next_plan_id) == ("large", "")
    assert (await house.entitlement()).allowance.max_height == 2160
    upgrade = (await house.invoices())[0]
    assert (upgrade.reason, upgrade.status) == ("upgrade", "paid")
    assert 850 < upgrade.total_minor < 1000
    assert "proration_v1" in upgrade.lines[0].text


async def test_a_cheaper_plan_begins_with_the_next_period(house: House) -> None:
    await house.subscribe("large")
    found = await house.billing.change_plan(ChangePlan(account_id=house.anna, plan_id="small"))
    assert (found.plan_id, found.next_plan_id) == ("large", "small")
    await house.to_renewal()
    assert (await house.standing()).plan_id == "small"
    assert (await house.invoices())[0].total_minor == 500


async def test_who_cancels_watches_to_the_end_of_the_period(house: House) -> None:
    await house.subscribe()
    assert (await house.change("cancel")).state == "canceled"
    assert (await house.change("resume")).state == "active"
    assert (await house.change("cancel")).state == "canceled"
    assert (await house.entitlement()).entitled
    await house.to_renewal()
    assert (await house.standing()).state == "ended"
    assert not (await house.entitlement()).entitled
    assert len(await house.invoices()) == 1


async def test_a_pause_costs_nothing_and_ends_with_a_period_of_its_own(house: House) -> None:
    await house.subscribe()
    assert (await house.change("pause")).state == "pausing"
    await house.to_renewal()
    await house.pass_days(9)
    assert (await house.standing()).state == "paused"
    assert not (await house.entitlement()).entitled
    assert (await house.change("resume")).state == "active"
    assert (await house.entitlement()).entitled
    assert [each.reason for each in await house.invoices()] == ["resume", "first"]


async def test_a_coupon_takes_off_its_periods_and_no_more(house: House) -> None:
    await house.billing.put_coupon(Coupon(code="HALF", percent_bp=5000, periods=1, most_uses=1))
    found = await house.subscribe(coupon="HALF")
    assert found.state == "active"
    await house.to_renewal()
    assert [each.total_minor for each in await house.invoices()] == [500, 250]
    with pytest.raises(AlreadySubscribed):
        await house.subscribe()
    with pytest.raises(BillingInvalid, match="does not hold"):
        await house.subscribe(coupon="HALF")
