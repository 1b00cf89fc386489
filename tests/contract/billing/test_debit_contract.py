"""A subscription that is paid by direct debit: its owner names the account at the bank, which takes
days to say whether it pays, and weeks later may have the money back."""

from collections.abc import AsyncIterator

import pytest

from cuemark.contexts.billing.psp.debit import AT_THE_BANK
from cuemark.contexts.billing.wiring import DebitAt
from cuemark.contracts.billing.subscriptions import ReplaceCard, Subscribe, Subscription
from tests.contract.billing.conftest import Sandbox
from tests.contract.billing.house import House, opened_house
from tests.contract.billing.providers import posted
from tests.contract.conftest import Reach

PAYS = "DE89370400440532013000"
POOR = "DE62370400440532013001"
TAKES_BACK = "DE08370400440532013003"


@pytest.fixture
async def house(reach: Reach, database_url: str, sandbox: Sandbox) -> AsyncIterator[House]:
    async with opened_house(reach, database_url, sandbox, DebitAt(sandbox.at)) as house:
        yield house


async def subscribed(house: House, account: str) -> Subscription:
    """The owner has named the account, and the bank has told of it."""
    begun = await house.billing.subscribe(
        Subscribe(
            account_id=house.anna,
            plan_id="small",
            territory="DE",
            card=AT_THE_BANK,
            return_url="http://here.test/plan",
        )
    )
    assert (begun.state, begun.card) == ("incomplete", "action")
    return await approved(house, begun, account)


async def approved(house: House, asked: Subscription, account: str) -> Subscription:
    said = {"answer": "approve", "account": account}
    assert await posted(asked.action_url, said) == "http://here.test/plan"
    await house.pass_hours(2)
    return await house.standing()


async def test_it_opens_when_the_bank_has_paid_days_later(house: House) -> None:
    waiting = await subscribed(house, PAYS)
    assert (waiting.state, waiting.card) == ("incomplete", "ready")
    assert [each.status for each in await house.invoices()] == ["open"]
    assert not (await house.entitlement()).entitled
    await house.pass_days(4)
    assert (await house.standing()).state == "active"
    assert [each.status for each in await house.invoices()] == ["paid"]
    assert (await house.balances())["clearing"] == 500


async def test_nobody_pays_for_the_days_on_which_the_bank_had_not_paid(house: House) -> None:
    await subscribed(house, PAYS)
    await house.pass_days(4)
    entitlement = await house.entitlement()
    assert (entitlement.until - entitlement.at).days >= 27
    assert entitlement.until == (await house.standing()).period_ends_at


async def test_a_debit_that_the_bank_refuses_days_later_opens_nothing(house: House) -> None:
    await subscribed(house, POOR)
    await house.pass_days(6)
    assert (await house.standing()).state == "ended"
    assert [each.status for each in await house.invoices()] == ["void"]
    assert not (await house.entitlement()).entitled
    assert set((await house.balances()).values()) == {0}


async def test_a_renewal_is_open_while_its_bank_is_asked(house: House) -> None:
    await subscribed(house, PAYS)
    await house.pass_days(4)
    await house.to_renewal()
    assert [each.status for each in await house.invoices()] == ["open", "paid"]
    assert (await house.entitlement()).entitled
    await house.pass_days(4)
    assert [each.status for each in await house.invoices()] == ["paid", "paid"]
    assert (await house.balances())["clearing"] == 1000


async def test_a_refused_renewal_is_mended_by_another_account(house: House) -> None:
    await subscribed(house, PAYS)
    await house.pass_days(4)
    mandate = ReplaceCard(
        account_id=house.anna, card=AT_THE_BANK, return_url="http://here.test/plan"
    )
    await approved(house, await house.billing.replace_card(mandate), POOR)
    await house.to_renewal()
    await house.pass_days(6)
    assert (await house.standing()).state == "past_due"
    await approved(house, await house.billing.replace_card(mandate), PAYS)
    await house.pass_days(4)
    assert (await house.standing()).state == "active"
    assert [each.status for each in await house.invoices()] == ["paid", "paid"]


async def test_what_its_owner_has_back_weeks_later_ends_it(house: House) -> None:
    await subscribed(house, TAKES_BACK)
    await house.pass_days(4)
    assert (await house.entitlement()).entitled
    await house.pass_days(31)
    assert (await house.standing()).state == "ended"
    assert not (await house.entitlement()).entitled
    first = (await house.invoices())[-1]
    assert (first.status, first.charged_back_minor) == ("paid", 500)
