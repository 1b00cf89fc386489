"""What Stripe's answers mean to billing: pure, and without Stripe's library."""

from collections.abc import Sequence

from msgspec.structs import replace

from cuemark.contexts.billing.model.calls import (
    ActionRequired,
    Declined,
    Found,
    Movement,
    Outcome,
    Succeeded,
    Unknown,
)
from cuemark.contexts.billing.psp.stripe import wire
from cuemark.contracts.billing.plans import Money

FOR_GOOD = frozenset(
    {
        *("stolen_card", "lost_card", "pickup_card", "restricted_card", "fraudulent"),
        *("incorrect_number", "invalid_number", "invalid_account", "expired_card"),
        *("card_not_supported", "new_account_information_available", "revocation_of_authorization"),
        *("revocation_of_all_authorizations", "stop_payment_order", "security_violation"),
        *("no_action_taken", "transaction_not_allowed", "currency_not_supported"),
    }
)
"""Codes after which the same card is no use (https://docs.stripe.com/declines/codes)."""

_TWO_PLACES = frozenset({"ISK", "UGX"})
"""Currencies without small coins that Stripe counts in hundredths all the same
(https://docs.stripe.com/currencies#special-cases)."""

GIVEN_BACK = ("succeeded", "pending", "requires_action")


def amount_of(money: Money) -> int:
    """An amount as Stripe counts it."""
    return money.amount_minor * (100 if money.currency in _TWO_PLACES else 1)


def minor_of(amount: int, currency: str) -> int:
    """Stripe's amount in minor units of ISO 4217."""
    return amount // (100 if currency.upper() in _TWO_PLACES else 1)


def declined(failure: wire.Failure | None) -> Declined:
    code = (failure.decline_code or failure.code or "") if failure else ""
    advice = failure.advice_code if failure else None
    for_good = code in FOR_GOOD or advice == "do_not_try_again"
    return Declined(code=code or "card_declined", retryable=not for_good)


def page_of(action: wire.NextAction | None) -> str:
    return (action.redirect_to_url.url or "") if action and action.redirect_to_url else ""


def mandate_ref(customer: str, payment_method: str) -> str:
    return f"{customer}/{payment_method}"


def outcome_of_setup(intent: wire.SetupIntent) -> Outcome:
    match intent.status:
        case "succeeded" if intent.customer and intent.payment_method:
            return Succeeded(ref=mandate_ref(intent.customer, intent.payment_method))
        case "requires_action" if url := page_of(intent.next_action):
            return ActionRequired(ref=intent.id, url=url)
        case "requires_payment_method" | "canceled":
            return declined(intent.last_setup_error)
    return Unknown(reason=f"the set-up is {intent.status}")


def found_setup(intent: wire.SetupIntent) -> Found | Unknown:
    if intent.status == "requires_confirmation":
        return Found(status="absent")
    match outcome_of_setup(intent):
        case Succeeded(ref=ref):
            return Found(status="ready", ref=ref)
        case ActionRequired(ref=ref, url=url):
            return Found(status="action", ref=ref, url=url)
        case Declined(code=code, retryable=retryable):
            return Found(status="declined", code=code, retryable=retryable)
        case Unknown() as unknown:
            return unknown


def found_page(session: wire.CheckoutSession) -> Found | Unknown:
    """A page that nobody finished within its time is over, and the owner may be given another."""
    match session.status:
        case "open" if session.url:
            return Found(status="action", ref=session.id, url=session.url)
        case "complete" if isinstance(session.setup_intent, wire.SetupIntent):
            return found_setup(session.setup_intent)
        case "expired":
            return Found(status="declined", code="expired")
    return Unknown(reason=f"the page is {session.status}")


def outcome_of_payment(intent: wire.PaymentIntent) -> Outcome:
    """Of an authorization: a payment that was captured is authorized too."""
    match intent.status:
        case "requires_capture" | "succeeded":
            return Succeeded(ref=intent.id)
        case "requires_action" if url := page_of(intent.next_action):
            return ActionRequired(ref=intent.id, url=url)
        case "requires_payment_method" | "canceled":
            return declined(intent.last_payment_error)
    return Unknown(reason=f"the payment is {intent.status}")


def found_payment(
    intent: wire.PaymentIntent, refunds: Sequence[wire.Refund], disputes: Sequence[wire.Dispute]
) -> Found | Unknown:
    """A dispute counts once it is lost: before that its money may come back."""
    if intent.status == "processing":
        return Found(status="pending", ref=intent.id)
    if intent.status != "succeeded":
        match outcome_of_payment(intent):
            case Succeeded(ref=ref):
                return Found(status="authorized", ref=ref)
            case ActionRequired(ref=ref, url=url):
                return Found(status="action", ref=ref, url=url)
            case Declined(code=code, retryable=retryable):
                return Found(status="declined", ref=intent.id, code=code, retryable=retryable)
            case Unknown() as unknown:
                return unknown
    made = [each for each in refunds if each.status in GIVEN_BACK]
    lost = sum(each.amount for each in disputes if each.status == "lost")
    received = intent.amount if intent.amount_received is None else intent.amount_received
    return Found(
        status="captured",
        ref=intent.id,
        captured_minor=minor_of(received, intent.currency),
        refunded_minor=minor_of(sum(each.amount for each in made), intent.currency),
        charged_back_minor=minor_of(lost, intent.currency),
        refund_keys=tuple(each.metadata[wire.KEY] for each in made if wire.KEY in each.metadata),
    )


def movement_of(entry: wire.BalanceTransaction, key: str) -> Movement | None:
    """A line of Stripe's balance as a movement; None where it is a fee, a payout or the like."""
    source = entry.source
    if not isinstance(source, wire.Source):
        return None
    disputed = entry.type == "adjustment" and entry.reporting_category == "dispute"
    movement = Movement(
        movement_id=entry.id,
        key=key or source.payment_intent or source.id,
        what="capture",
        amount_minor=minor_of(abs(source.amount), source.currency),
        currency=source.currency.upper(),
        at_s=entry.created,
    )
    if entry.type in ("charge", "payment"):
        return movement
    if entry.type in ("refund", "payment_refund"):
        return replace(movement, what="refund")
    return replace(movement, what="chargeback") if disputed else None
