"""Billing that is paid through Stripe's library, against localstripe."""

from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
import requests
import stripe

from cuemark.contexts.billing.psp.stripe.adapter import ON_A_PAGE
from cuemark.contexts.billing.wiring import StripeAt
from cuemark.contracts.billing import BillingInvalid
from cuemark.contracts.billing.invoices import RefundInvoice, TakeWebhook
from cuemark.contracts.billing.subscriptions import (
    AddTestCard,
    ReplaceCard,
    Subscribe,
    Subscription,
)
from tests.contract.billing.conftest import Sandbox
from tests.contract.billing.house import House, opened_house
from tests.contract.billing.providers import STRIPES, WEBHOOK_SECRET, Kind, posted
from tests.contract.conftest import Reach

KEY = "sk_test_of_tests"


@pytest.fixture
async def house(
    reach: Reach, database_url: str, sandbox: Sandbox, localstripe: Callable[[], str]
) -> AsyncIterator[House]:
    at = StripeAt(KEY, WEBHOOK_SECRET, "http://here.test/plan", localstripe())
    async with opened_house(reach, database_url, sandbox, at) as house:
        yield house


@pytest.fixture
def card(localstripe: Callable[[], str]) -> Callable[[Kind], str]:
    """A card's token, as Stripe's own form in the browser gives it."""

    def card(kind: Kind) -> str:
        told = {"type": "card", "card[number]": STRIPES[kind], "card[exp_month]": "12"}
        told |= {"card[exp_year]": "2040", "card[cvc]": "123"}
        with requests.Session() as session:
            session.auth = (KEY, "")
            reply = session.post(f"{localstripe()}/v1/payment_methods", data=told, timeout=5)
        return str(reply.json()["id"])

    return card


async def subscribe(house: House, token: str) -> Subscription:
    return await house.billing.subscribe(
        Subscribe(account_id=house.anna, plan_id="small", territory="DE", card=token)
    )


async def test_a_member_pays_by_card_and_is_given_it_back(
    house: House, card: Callable[[Kind], str]
) -> None:
    assert (await subscribe(house, card("good"))).state == "active"
    (invoice,) = await house.invoices()
    assert (invoice.status, invoice.total_minor) == ("paid", 500)
    assert (await house.entitlement()).entitled
    back = RefundInvoice(invoice_id=invoice.invoice_id)
    assert (await house.billing.refund_invoice(back)).refunded_minor == 500
    assert set((await house.balances()).values()) == {0}


async def test_a_card_without_money_opens_nothing(
    house: House, card: Callable[[Kind], str]
) -> None:
    found = await subscribe(house, card("poor"))
    assert (found.state, (await house.entitlement()).entitled) == ("ended", False)


async def test_an_owner_approves_and_a_webhook_that_comes_twice_tells_of_it(
    house: House, card: Callable[[Kind], str]
) -> None:
    asked = await subscribe(house, card("asks_once"))
    assert (asked.state, asked.card) == ("incomplete", "action")
    await posted(asked.action_url, {"answer": "approve"})
    webhook = told_of(f"{house.anna}:m1", "evt_1")
    assert (await house.billing.take_webhook(webhook)).fresh
    assert not (await house.billing.take_webhook(webhook)).fresh
    await house.service.work()
    # localstripe's card asks at the payment as well, which Stripe's does not.
    await posted((await house.standing()).action_url, {"answer": "approve"})
    (invoice,) = await house.invoices()
    assert (await house.billing.take_webhook(told_of(f"{invoice.invoice_id}:1", "evt_2"))).fresh
    await house.service.work()
    assert (await house.standing()).state == "active"


async def test_a_card_is_named_on_stripes_page(house: House) -> None:
    asked = await subscribe(house, ON_A_PAGE)
    assert (asked.state, asked.card) == ("incomplete", "action")
    said = {"answer": "approve", "number": STRIPES["good"]}
    assert await posted(asked.action_url, said) == "http://here.test/plan"
    assert (await house.billing.take_webhook(told_of(f"{house.anna}:m1", "evt_1"))).fresh
    await house.service.work()
    standing = await house.standing()
    assert (standing.state, standing.action_url) == ("active", "")
    assert [each.status for each in await house.invoices()] == ["paid"]


async def test_who_leaves_stripes_page_owes_nothing_and_may_come_again(house: House) -> None:
    asked = await subscribe(house, ON_A_PAGE)
    await posted(asked.action_url, {"answer": "leave"})
    await house.billing.take_webhook(told_of(f"{house.anna}:m1", "evt_1"))
    await house.service.work()
    assert (await house.standing()).state == "ended"
    assert not any((await house.balances()).values())
    again = await subscribe(house, ON_A_PAGE)
    assert (again.state, again.card) == ("incomplete", "action")
    assert again.action_url != asked.action_url


async def test_another_card_is_named_on_stripes_page(
    house: House, card: Callable[[Kind], str]
) -> None:
    await subscribe(house, card("good"))
    other = ReplaceCard(account_id=house.anna, card=ON_A_PAGE)
    asked = await house.billing.replace_card(other)
    assert (asked.state, asked.card) == ("active", "action")
    await posted(asked.action_url, {"answer": "approve", "number": STRIPES["good"]})
    await house.billing.take_webhook(told_of(f"{house.anna}:m2", "evt_1"))
    await house.service.work()
    standing = await house.standing()
    assert (standing.state, standing.card, standing.action_url) == ("active", "ready", "")


def told_of(key: str, event_id: str) -> TakeWebhook:
    subject = {"metadata": {"cuemark_key": key}}
    body = msgspec.json.encode({"id": event_id, "object": "event", "data": {"object": subject}})
    signature = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET)
    return TakeWebhook(body=body, signature=str(signature))


async def test_numbers_of_cards_are_not_taken(house: House) -> None:
    with pytest.raises(BillingInvalid):
        await house.billing.add_test_card(AddTestCard(number="4242424242424242"))
