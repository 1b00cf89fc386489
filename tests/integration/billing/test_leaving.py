"""An account that is no more pays for nothing more."""

import pytest

from cuemark.contracts.billing import NotSubscribed
from cuemark.contracts.billing.subscriptions import GetSubscription, ReplaceCard, Subscribe
from cuemark.contracts.identity import TOPIC
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.ids import AccountId
from tests.contract.billing.conftest import POOR
from tests.contract.billing.house import House


async def leave(house: House, account_id: AccountId) -> None:
    async with house.database.transaction() as transaction:
        gone = AccountDeleted(account_id=account_id, profile_ids=[])
        await house.log.append(transaction, TOPIC, account_id, gone)
    await follow(house)


async def follow(house: House) -> None:
    assert house.followers
    for follower in house.followers:
        await follower.catch_up()


async def test_no_period_follows_the_one_in_which_an_account_is_erased(house: House) -> None:
    ben = AccountId("acc_ben")
    await house.subscribe()
    await house.billing.subscribe(
        Subscribe(account_id=ben, plan_id="small", territory="DE", card=await house.card())
    )
    await leave(house, house.anna)
    left = await house.standing()
    assert (left.state, left.card) == ("canceled", "none")
    await house.pass_days(32)
    await house.pass_days(32)
    assert (await house.standing()).state == "ended"
    assert [(each.reason, each.status) for each in await house.invoices()] == [("first", "paid")]
    other = await house.billing.get_subscription(GetSubscription(account_id=ben))
    assert (other.state, other.card) == ("active", "ready")
    assert other.period_starts_at > left.period_starts_at


async def test_who_owed_something_is_asked_no_more(house: House) -> None:
    await house.subscribe()
    card = await house.card(POOR)
    await house.billing.replace_card(ReplaceCard(account_id=house.anna, card=card))
    await house.to_renewal()
    assert (await house.standing()).state == "past_due"
    await leave(house, house.anna)
    assert (await house.standing()).state == "ended"
    await house.pass_days(30)
    assert [each.status for each in await house.invoices()] == ["void", "paid"]
    assert (await house.balances())["receivable"] == 0


async def test_what_is_captured_after_an_account_is_erased_is_given_back(house: House) -> None:
    await house.sandbox.fault("timeout_after_success", "capture")
    await house.subscribe()
    assert [each.status for each in await house.invoices()] == ["open"]
    await leave(house, house.anna)
    assert (await house.standing()).state == "ended"
    for _ in range(4):
        await house.pass_hours(6)
    (invoice,) = await house.invoices()
    assert invoice.refunded_minor == invoice.total_minor > 0
    assert not (await house.entitlement()).entitled
    balances = await house.balances()
    assert balances["receivable"] == 0


async def test_the_end_of_an_account_that_bought_nothing_or_is_read_twice_is_no_news(
    house: House,
) -> None:
    await leave(house, AccountId("acc_nobody"))
    with pytest.raises(NotSubscribed):
        await house.billing.get_subscription(GetSubscription(account_id=AccountId("acc_nobody")))
    await house.subscribe()
    await leave(house, house.anna)
    before = await house.standing(), await house.invoices(), await house.balances()
    for follower in house.followers:
        await follower.rewind()
    await follow(house)
    assert (await house.standing(), await house.invoices(), await house.balances()) == before
