"""What Stripe's answers mean, those included that no double of Stripe gives."""

import asyncio
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.billing.model.calls import (
    ActionRequired,
    Authorize,
    Declined,
    Found,
    Succeeded,
    Unknown,
)
from cuemark.contexts.billing.psp.stripe import reading, wire
from cuemark.contexts.billing.psp.stripe.adapter import Account, StripePsp
from cuemark.contexts.billing.psp.stripe.transport import Transport
from cuemark.contracts.billing.plans import Money

PAGE = wire.NextAction(wire.Page("https://hooks.stripe.com/1"))


def payment(status: str, **more: object) -> wire.PaymentIntent:
    told = {"id": "pi_1", "status": status, "amount": 500, "currency": "eur"} | more
    return wire.PaymentIntent(**told)  # type: ignore[arg-type]


@given(st.integers(1, 10**9), st.sampled_from(["EUR", "JPY", "ISK", "UGX", "KWD"]))
def test_an_amount_comes_back_as_it_went(minor: int, currency: str) -> None:
    money = Money(amount_minor=minor, currency=currency)
    assert reading.minor_of(reading.amount_of(money), currency.lower()) == minor


def test_kronur_are_counted_in_hundredths_at_stripe() -> None:
    assert reading.amount_of(Money(amount_minor=990, currency="ISK")) == 99_000
    assert reading.amount_of(Money(amount_minor=990, currency="JPY")) == 990


@pytest.mark.parametrize(
    ("failure", "code", "retryable"),
    [
        (wire.Failure("card_declined", "insufficient_funds"), "insufficient_funds", True),
        (wire.Failure("card_declined", "stolen_card"), "stolen_card", False),
        (wire.Failure("expired_card"), "expired_card", False),
        (wire.Failure("card_declined", None, "do_not_try_again"), "card_declined", False),
        (None, "card_declined", True),
    ],
)
def test_a_decline_says_whether_the_card_may_be_asked_again(
    failure: wire.Failure | None, code: str, retryable: bool
) -> None:
    assert reading.declined(failure) == Declined(code=code, retryable=retryable)


def test_a_payment_is_told_by_its_status() -> None:
    assert reading.outcome_of_payment(payment("requires_capture")) == Succeeded(ref="pi_1")
    asked = reading.outcome_of_payment(payment("requires_action", next_action=PAGE))
    assert asked == ActionRequired(ref="pi_1", url="https://hooks.stripe.com/1")
    pageless = payment("requires_action", next_action=wire.NextAction())
    assert isinstance(reading.outcome_of_payment(pageless), Unknown)
    assert isinstance(reading.outcome_of_payment(payment("something_new")), Unknown)
    pending = reading.found_payment(payment("processing"), [], [])
    assert pending == Found(status="pending", ref="pi_1")


def test_refunds_count_unless_they_failed_and_disputes_once_they_are_lost() -> None:
    refunds = [
        wire.Refund(
            id="re_1",
            amount=100,
            currency="eur",
            status="succeeded",
            metadata={wire.KEY: "inv_1:r1"},
        ),
        wire.Refund(id="re_2", amount=50, currency="eur", status="pending"),
        wire.Refund(
            id="re_3", amount=70, currency="eur", status="failed", metadata={wire.KEY: "inv_1:r3"}
        ),
    ]
    disputes = [wire.Dispute(amount=200, status=each) for each in ("needs_response", "won")]
    found = reading.found_payment(payment("succeeded"), refunds, disputes)
    assert isinstance(found, Found)
    assert (found.captured_minor, found.refunded_minor, found.charged_back_minor) == (500, 150, 0)
    assert found.refund_keys == ("inv_1:r1",)
    lost = reading.found_payment(
        payment("succeeded"), [], [wire.Dispute(amount=200, status="lost")]
    )
    assert isinstance(lost, Found)
    assert lost.charged_back_minor == 200


@pytest.mark.parametrize(
    ("kind", "category", "what"),
    [
        ("charge", "charge", "capture"),
        ("payment", "charge", "capture"),
        ("refund", "refund", "refund"),
        ("adjustment", "dispute", "chargeback"),
        ("adjustment", "dispute_reversal", None),
        ("payout", "payout", None),
        ("stripe_fee", "fee", None),
    ],
)
def test_a_line_of_the_balance_is_a_movement_or_none(
    kind: str, category: str, what: str | None
) -> None:
    source = wire.Source(id="ch_1", amount=-500, currency="eur", payment_intent="pi_1")
    entry = wire.BalanceTransaction(
        id="txn_1", type=kind, created=5, reporting_category=category, source=source
    )
    movement = reading.movement_of(entry, "inv_1:1")
    assert (movement.what if movement else None) == what
    if movement:
        assert (movement.key, movement.amount_minor, movement.currency) == ("inv_1:1", 500, "EUR")


async def test_a_stripe_that_takes_its_time_is_unknown_and_holds_up_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        transport = Transport(within_s=0.4)
        psp = StripePsp(Account("sk_test_1", "whsec_1", "", url), transport)
        money = Money(amount_minor=500, currency="EUR")
        call = Authorize(key="inv_1:1", mandate_ref="cus_1/pm_1", money=money)
        began_s = time.monotonic()
        asking = asyncio.create_task(psp.authorize(call))
        ticks = 0
        while not asking.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert isinstance(await asking, Unknown)
        assert ticks > 5
        assert time.monotonic() - began_s < 5
        await transport.close_async()


def test_a_key_is_in_no_text_about_an_account() -> None:
    assert "sk_live_1" not in repr(Account("sk_live_1", "whsec_1", "http://here.test/plan"))
    assert "whsec_1" not in repr(Account("sk_live_1", "whsec_1", "http://here.test/plan"))
