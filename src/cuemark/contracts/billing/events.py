"""What billing tells the log."""

import msgspec

from cuemark.contracts.billing.subscriptions import State
from cuemark.contracts.ids import AccountId

TOPIC = "billing"


class SubscriptionChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """From one state into another; ``before`` is ``ended`` where there was none."""

    account_id: AccountId
    subscription_id: str
    plan_id: str
    before: State
    state: State


class InvoiceIssued(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    account_id: AccountId
    invoice_id: str
    total_minor: int
    currency: str


class InvoicePaid(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    account_id: AccountId
    invoice_id: str
    total_minor: int
    currency: str


class PaymentDeclined(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """``code`` is the payment provider's word for why."""

    account_id: AccountId
    invoice_id: str
    code: str


class MoneyGivenBack(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """``charged_back``: by the card's bank, against our will."""

    account_id: AccountId
    invoice_id: str
    amount_minor: int
    currency: str
    charged_back: bool
