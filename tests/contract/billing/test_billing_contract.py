"""What every caller of billing may rely on, however it is reached, with a sandbox that runs."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import sqlalchemy
from sqlalchemy.exc import DBAPIError

from cuemark.contexts.billing import wiring
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contracts.billing import (
    Billing,
    BillingInvalid,
    BillingOff,
    ChangeRefused,
    NotSubscribed,
    UnknownInvoice,
    UnknownPlan,
    WebhookRejected,
)
from cuemark.contracts.billing.events import TOPIC
from cuemark.contracts.billing.invoices import (
    GetInvoice,
    GetLedger,
    PreviewInvoice,
    RefundInvoice,
    TakeWebhook,
)
from cuemark.contracts.billing.plans import (
    Coupon,
    ListPlans,
    ListTaxes,
)
from cuemark.contracts.billing.subscriptions import (
    AddTestCard,
    AdvanceClock,
    ChangePlan,
    GetEntitlement,
    ReplaceCard,
    Subscribe,
)
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Cursor, Log
from tests.contract.billing.conftest import ASKS_ONCE, GOOD, KEY, POOR, Sandbox
from tests.contract.billing.house import House, opened_house, plan
from tests.contract.conftest import Reach
from tests.databases import opened
from tests.others import listening


@pytest.fixture
async def house(reach: Reach, database_url: str, sandbox: Sandbox) -> AsyncIterator[House]:
    async with opened_house(reach, database_url, sandbox) as house:
        yield house


async def test_who_subscribes_pays_at_once_and_may_watch(house: House) -> None:
    assert not (await house.entitlement()).entitled
    found = await house.subscribe()
    assert (found.state, found.card, found.plan_name) == ("active", "ready", "Small")
    entitlement = await house.entitlement()
    assert (entitlement.entitled, entitlement.allowance.max_height) == (True, 720)
    assert entitlement.until == found.period_ends_at
    (invoice,) = await house.invoices()
    assert (invoice.status, invoice.number, invoice.total_minor) == ("paid", "1", 500)
    assert (invoice.net_minor, invoice.tax_minor, invoice.tax_name) == (420, 80, "VAT")
    assert await house.balances() == {"clearing": 500, "receivable": 0, "revenue": -420, "tax": -80}


async def test_a_card_that_is_declined_opens_nothing(house: House) -> None:
    found = await house.subscribe(number=POOR)
    assert found.state == "ended"
    assert not (await house.entitlement()).entitled
    assert [each.status for each in await house.invoices()] == ["void"]
    again = await house.subscribe()
    assert again.state == "active"


async def test_what_is_free_is_paid_without_a_payment(house: House) -> None:
    await house.billing.put_coupon(Coupon(code="FREE", percent_bp=10_000))
    assert (await house.subscribe(coupon="FREE")).state == "active"
    assert (await house.entitlement()).entitled
    assert [each.total_minor for each in await house.invoices()] == [0]


async def test_a_refund_gives_back_and_shuts_what_was_bought(house: House) -> None:
    await house.subscribe()
    (invoice,) = await house.invoices()
    part = RefundInvoice(invoice_id=invoice.invoice_id, amount_minor=100)
    assert (await house.billing.refund_invoice(part)).refunded_minor == 100
    assert (await house.entitlement()).entitled
    with pytest.raises(BillingInvalid, match="1 to 400"):
        await house.billing.refund_invoice(
            RefundInvoice(invoice_id=invoice.invoice_id, amount_minor=401)
        )
    rest = RefundInvoice(invoice_id=invoice.invoice_id)
    back = await house.billing.refund_invoice(rest)
    assert (back.status, back.refunded_minor) == ("paid", 500)
    assert not (await house.entitlement()).entitled
    assert set((await house.balances()).values()) == {0}


async def test_a_chargeback_that_no_webhook_told_of_is_found_and_ends_it(house: House) -> None:
    await house.subscribe()
    (invoice,) = await house.invoices()
    await house.sandbox.ask("/v1/chargebacks", wire.KeyAsked(key=f"{invoice.invoice_id}:1"))
    await house.billing.advance_clock(AdvanceClock(seconds=0))
    assert (await house.standing()).state == "ended"
    assert not (await house.entitlement()).entitled
    after = (await house.invoices())[0]
    assert (after.status, after.charged_back_minor) == ("paid", 500)
    assert (await house.balances())["clearing"] == 0


@pytest.mark.parametrize("operation", ["mandate", "authorize", "capture"])
async def test_no_answer_is_looked_up_and_captured_once(
    house: House, operation: wire.Operation
) -> None:
    card = await house.card()
    await house.sandbox.fault("unavailable", operation)
    await house.sandbox.fault("timeout_after_success", operation)
    begun = await house.billing.subscribe(
        Subscribe(account_id=house.anna, plan_id="small", territory="DE", card=card)
    )
    assert begun.state == "incomplete"
    for _ in range(4):
        await house.billing.advance_clock(AdvanceClock(seconds=600))
    assert (await house.standing()).state == "active"
    assert (await house.balances())["clearing"] == 500


async def test_the_owner_of_a_card_is_sent_to_the_banks_page(house: House) -> None:
    found = await house.subscribe(number=ASKS_ONCE)
    assert (found.state, found.card) == ("incomplete", "action")
    assert found.action_url.startswith(house.sandbox.at.url)
    reply = await _post(found.action_url, b"answer=approve")
    assert b"Thank you" in reply
    body = msgspec.json.encode(wire.Event(event_id="evt_7", key=f"{house.anna}:m1"))
    webhook = TakeWebhook(body=body, signature=wire.signature_of(KEY, body))
    assert (await house.billing.take_webhook(webhook)).fresh
    assert not (await house.billing.take_webhook(webhook)).fresh
    await house.service.work()
    assert (await house.standing()).state == "active"


async def test_a_webhook_without_the_providers_signature_is_rejected(house: House) -> None:
    with pytest.raises(WebhookRejected):
        await house.billing.take_webhook(TakeWebhook(body=b"{}", signature="0" * 64))


async def test_no_address_in_a_webhook_is_asked(house: House) -> None:
    await house.subscribe()
    before = await house.standing()
    with listening() as (port, heard):
        url = f"http://127.0.0.1:{port}/x"
        named = {"url": url, "callback": url, "action_url": url, "data": {"object": {"url": url}}}
        for number, key in enumerate((f"{house.anna}:m1", url, "")):
            body = msgspec.json.encode({"event_id": f"{url}?{number}", "key": key, **named})
            webhook = TakeWebhook(body=body, signature=wire.signature_of(KEY, body))
            assert (await house.billing.take_webhook(webhook)).fresh
        await house.service.work()
        assert heard == []
    assert await house.standing() == before


async def test_what_is_charged_next_is_told_before_it_is(house: House) -> None:
    await house.billing.put_coupon(Coupon(code="HALF", percent_bp=5000, periods=2))
    standing = await house.subscribe(coupon="HALF")
    asked = PreviewInvoice(account_id=house.anna)
    told = await house.billing.preview_invoice(asked)
    assert (told.due_at, told.at_once, told.total_minor) == (standing.period_ends_at, False, 250)
    await house.to_renewal()
    assert (await house.invoices())[0].total_minor == 250
    assert (await house.billing.preview_invoice(asked)).total_minor == 500
    await house.change("cancel")
    none = await house.billing.preview_invoice(asked)
    assert (none.due_at, none.lines, none.total_minor) == (None, [], 0)


async def test_what_a_change_of_plan_costs_is_told_and_then_charged(house: House) -> None:
    await house.subscribe()
    asked = PreviewInvoice(account_id=house.anna, plan_id="large")
    told = await house.billing.preview_invoice(asked)
    assert (told.at_once, told.plan_name, len(told.lines)) == (True, "Large", 2)
    assert 0 < told.total_minor <= 1000
    assert len(await house.invoices()) == 1
    changed = ChangePlan(account_id=house.anna, plan_id="large")
    assert (await house.billing.change_plan(changed)).plan_id == "large"
    assert abs((await house.invoices())[0].total_minor - told.total_minor) <= 1
    back = PreviewInvoice(account_id=house.anna, plan_id="small")
    later = await house.billing.preview_invoice(back)
    assert (later.at_once, later.total_minor) == (False, 500)
    with pytest.raises(UnknownPlan):
        await house.billing.preview_invoice(PreviewInvoice(account_id=house.anna, plan_id="none"))


async def test_an_invoice_that_could_not_be_paid_is_what_is_charged_next(house: House) -> None:
    await house.subscribe()
    poor = ReplaceCard(account_id=house.anna, card=await house.card(POOR))
    await house.billing.replace_card(poor)
    await house.to_renewal()
    told = await house.billing.preview_invoice(PreviewInvoice(account_id=house.anna))
    assert (told.at_once, told.total_minor, len(told.lines)) == (False, 500, 1)
    assert told.due_at is not None
    assert told.due_at > (await house.entitlement()).at


async def test_money_of_nobody_is_told_as_a_discrepancy(house: House) -> None:
    psp = house.sandbox.psp
    token = await house.card()
    for path, asked in (
        ("/v1/mandates", wire.MandateAsked(key="stranger:m1", card=token)),
        (
            "/v1/authorizations",
            wire.PaymentAsked(
                key="stranger:1", mandate="mandate_1", amount_minor=70, currency="EUR"
            ),
        ),
        ("/v1/captures", wire.CaptureAsked(key="stranger:1", ref="payment_1", amount_minor=70)),
    ):
        assert await house.sandbox.ask(path, asked) == 200
    await house.service.work()
    ledger = await house.billing.get_ledger(GetLedger())
    assert [(each.key, each.amount_minor) for each in ledger.discrepancies] == [("stranger:1", 70)]
    assert await psp.ahead_s() == 0


async def test_plans_are_shown_with_the_price_of_a_territory(house: House) -> None:
    swiss = (await house.billing.list_plans(ListPlans(territory="CH"))).plans
    assert [each.prices[0].money.currency for each in swiss] == ["CHF", "CHF", "CHF"]
    every = (await house.billing.list_plans(ListPlans())).plans
    assert [len(each.prices) for each in every] == [2, 2, 2]
    await house.billing.put_plan(msgspec.structs.replace(plan("small", 500, 720), on_sale=False))
    left = (await house.billing.list_plans(ListPlans(territory="DE"))).plans
    assert [each.plan_id for each in left] == ["large", "try"]
    assert len((await house.billing.list_taxes(ListTaxes())).rules) == 1


async def test_what_cannot_be_is_refused_and_loses_nothing(house: House) -> None:
    with pytest.raises(NotSubscribed):
        await house.standing()
    with pytest.raises(NotSubscribed):
        await house.change("cancel")
    with pytest.raises(UnknownPlan):
        await house.subscribe("none")
    with pytest.raises(UnknownInvoice):
        await house.billing.get_invoice(GetInvoice(invoice_id="inv_none"))
    with pytest.raises(BillingInvalid):
        await house.card("4111111111111111")
    await house.subscribe()
    (invoice,) = await house.invoices()
    others = GetInvoice(invoice_id=invoice.invoice_id, account_id=AccountId("acc_stranger"))
    with pytest.raises(UnknownInvoice):
        await house.billing.get_invoice(others)
    with pytest.raises(ChangeRefused, match="cannot resume"):
        await house.change("resume")
    assert (await house.standing()).state == "active"


async def test_the_ledger_cannot_be_changed_in_the_database_either(house: House) -> None:
    await house.subscribe()
    for statement in ("update billing.transfer set amount_minor = 1", "delete from billing.entry"):
        with pytest.raises(DBAPIError, match="never changed"):
            await _do(house.database, statement)


async def test_the_log_tells_what_became_of_it(house: House) -> None:
    await house.subscribe()
    async with house.database.transaction() as transaction:
        told = await house.log.read(transaction, [TOPIC], Cursor())
    assert [each.kind for each in told] == [
        "InvoiceIssued",
        "InvoicePaid",
        "SubscriptionChanged",
    ]


async def test_an_install_that_sells_nothing_says_so(reach: Reach, database_url: str) -> None:
    clock = SystemClock()
    async with opened(database_url, wiring) as database:
        room = wiring.build(database, Log(clock), clock, Ids(clock), None)
        billing = await reach(Billing, room.service)
        await billing.put_plan(plan("small", 500, 720))
        assert len((await billing.list_plans(ListPlans(territory="DE"))).plans) == 1
        with pytest.raises(BillingOff):
            await billing.add_test_card(AddTestCard(number=GOOD))
        with pytest.raises(BillingOff):
            await billing.subscribe(
                Subscribe(account_id=AccountId("acc_x"), plan_id="s", territory="DE", card="c")
            )
        assert not (
            await billing.get_entitlement(GetEntitlement(account_id=AccountId("acc_x")))
        ).entitled
        assert room.keepers == ()


async def _do(database: Database, statement: str) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(sqlalchemy.text(statement))


async def _post(url: str, body: bytes) -> bytes:
    host, _, path = url.removeprefix("http://").partition("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(
        f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n".encode()
        + body
    )
    answer = await reader.read(4096)
    writer.close()
    return answer
