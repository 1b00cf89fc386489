"""What Stripe tells, as far as billing reads it (https://docs.stripe.com/api)."""

import msgspec

KEY, OF_PAYMENT = "cuemark_key", "cuemark_payment"
"""In the metadata of what is ours: our key, and on a refund that of its payment."""


class Failure(msgspec.Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None


class Page(msgspec.Struct, frozen=True):
    url: str | None = None


class NextAction(msgspec.Struct, frozen=True):
    redirect_to_url: Page | None = None


class SetupIntent(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    customer: str | None = None
    payment_method: str | None = None
    metadata: dict[str, str] = {}
    next_action: NextAction | None = None
    last_setup_error: Failure | None = None


class CheckoutSession(msgspec.Struct, frozen=True, kw_only=True):
    """A page of Stripe's on which an owner names a card, which ends in a SetupIntent."""

    id: str
    status: str | None = None
    url: str | None = None
    setup_intent: SetupIntent | str | None = None
    metadata: dict[str, str] = {}


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int = 0
    currency: str = ""
    amount_refunded: int = 0
    disputed: bool = False
    payment_intent: str | None = None
    metadata: dict[str, str] = {}


class PaymentIntent(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    amount: int
    currency: str
    amount_received: int | None = None
    customer: str | None = None
    latest_charge: Charge | str | None = None
    metadata: dict[str, str] = {}
    next_action: NextAction | None = None
    last_payment_error: Failure | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    status: str | None = None
    failure_reason: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] = {}


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    amount: int
    status: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a movement comes from: a charge, a refund or a dispute."""

    id: str
    amount: int = 0
    currency: str = ""
    payment_intent: str | None = None
    charge: str | None = None
    metadata: dict[str, str] = {}


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: str
    created: int
    reporting_category: str | None = None
    source: Source | str | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    metadata: dict[str, str] | None = None


class EventData(msgspec.Struct, frozen=True, kw_only=True):
    object: Subject = Subject()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    data: EventData = EventData()
