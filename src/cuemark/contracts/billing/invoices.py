"""What was asked for and what was paid: invoices, refunds, and the balances of the ledger."""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.ids import AccountId

InvoiceStatus = Literal["open", "paid", "void"]
Reason = Literal["first", "renewal", "resume", "upgrade"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """``amount_minor`` is as the price says it: with the tax where prices hold it."""

    text: str
    amount_minor: int
    starts_at: datetime
    ends_at: datetime


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """In minor units of ``currency``: ``net_minor`` and ``tax_minor`` make ``total_minor``. A paid
    invoice stays paid; what was given back is told beside it."""

    invoice_id: str
    account_id: AccountId
    number: str
    status: InvoiceStatus
    reason: Reason
    currency: str
    lines: list[Line]
    net_minor: int
    tax_minor: int
    total_minor: int
    territory: str
    issued_at: datetime
    tax_name: str = ""
    tax_rate_bp: int = 0
    tax_inclusive: bool = False
    paid_at: datetime | None = None
    refunded_minor: int = 0
    charged_back_minor: int = 0


class PreviewInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """The next charge as things stand; with a plan, as it were if that were changed to now."""

    account_id: AccountId
    plan_id: str = ""


class InvoicePreview(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that is not there yet, or one that is open. ``due_at`` is when it is to be paid;
    None: not by itself, or nothing is. ``at_once``: as soon as the plan is changed."""

    plan_id: str
    plan_name: str
    currency: str
    lines: list[Line]
    net_minor: int
    tax_minor: int
    total_minor: int
    tax_name: str = ""
    tax_rate_bp: int = 0
    tax_inclusive: bool = False
    due_at: datetime | None = None
    at_once: bool = False


class ListInvoices(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first; ``after`` is the cursor of the page before."""

    account_id: AccountId
    after: str = ""
    limit: int = 50


class InvoicePage(msgspec.Struct, frozen=True, kw_only=True):
    invoices: list[Invoice]
    next_cursor: str = ""


class GetInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """Of one account, or of any."""

    invoice_id: str
    account_id: AccountId | None = None


class RefundInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """All that is left of it, where no amount is named."""

    invoice_id: str
    amount_minor: int | None = None


class TakeWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """What the payment provider posted, as it came, and the header that signs it."""

    body: bytes
    signature: str


class WebhookTaken(msgspec.Struct, frozen=True, kw_only=True):
    """``fresh`` is false for an event that came before."""

    fresh: bool


class GetLedger(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Of one account of the ledger: all debits and all credits, in minor units."""

    account: str
    currency: str
    debit_minor: int
    credit_minor: int


class Discrepancy(msgspec.Struct, frozen=True, kw_only=True):
    """A movement at the payment provider that belongs to no payment of this install."""

    movement_id: str
    key: str
    what: str
    amount_minor: int
    currency: str
    at: datetime


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """All balances, and the last 200 discrepancies."""

    balances: list[Balance]
    discrepancies: list[Discrepancy]
