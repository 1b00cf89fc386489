"""What billing knows of one account and still has to do with: kept and locked as one."""

from datetime import UTC, datetime
from typing import Literal

import msgspec

from cuemark.contracts.billing.invoices import Invoice
from cuemark.contracts.billing.plans import Allowance, Coupon, Interval, Money
from cuemark.contracts.billing.subscriptions import State
from cuemark.contracts.ids import AccountId

PaymentStatus = Literal[
    "prepared", "authorizing", "action", "authorized", "capturing", "captured", "declined"
]
"""``prepared``: to be sent. ``authorizing`` and ``capturing``: sent, and not answered yet."""
MandateStatus = Literal["prepared", "sending", "action", "ready", "declined"]
RefundStatus = Literal["prepared", "sending", "done", "declined"]

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """That a card may be charged without its owner. ``key`` is under what the provider knows it."""

    key: str
    card: str
    return_url: str
    status: MandateStatus = "prepared"
    ref: str = ""
    url: str = ""
    code: str = ""
    look_at: datetime = LONG_AGO
    misses: int = 0
    fallback_ref: str = ""

    @property
    def usable_ref(self) -> str:
        """Of the mandate that can be charged: while this one is not ready, the one before it."""
        return self.ref if self.status == "ready" else self.fallback_ref


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to be paid. ``key`` is ``invoice:attempt`` and is stored before it is sent; of
    ``look_at`` on the provider is asked what became of it, ``misses`` times so far in vain."""

    key: str
    mandate_ref: str
    status: PaymentStatus = "prepared"
    ref: str = ""
    url: str = ""
    code: str = ""
    retryable: bool = True
    look_at: datetime = LONG_AGO
    misses: int = 0
    ended_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.status in ("captured", "declined")


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    amount_minor: int
    status: RefundStatus = "prepared"
    look_at: datetime = LONG_AGO
    misses: int = 0

    @property
    def is_over(self) -> bool:
        return self.status in ("done", "declined")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed on: it stands, whatever becomes of the plan's prices."""

    plan_id: str
    name: str
    interval: Interval
    price: Money
    allowance: Allowance


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice with what is done to have it paid. ``terms`` are what it pays for."""

    invoice: Invoice
    terms: Terms
    starts_at: datetime
    ends_at: datetime
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    given_up_at: datetime
    next_attempt_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do with it."""
        return self.invoice.status == "open" or any(not each.is_over for each in self.refunds)

    @property
    def is_being_paid(self) -> bool:
        return bool(self.payments) and not self.payments[-1].is_over


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription. The period of ``index`` from ``anchor_at`` is from ``starts_at`` to
    ``ends_at``. ``coupon`` takes off something in ``coupon_left`` further periods, below zero in
    all of them, and ``discounted`` says that it does in this one."""

    subscription_id: str
    state: State
    terms: Terms
    territory: str
    trial_days: int
    anchor_at: datetime
    index: int
    starts_at: datetime
    ends_at: datetime
    next_terms: Terms | None = None
    coupon: Coupon | None = None
    coupon_left: int = 0
    discounted: bool = False


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """``bills`` are those with something left to do, and others that were asked for. ``seen_at`` is
    the latest time at which something was decided: for an account time never goes back."""

    account_id: AccountId
    agreement: Agreement | None = None
    mandate: Mandate | None = None
    bills: tuple[Bill, ...] = ()
    mandates: int = 0
    seen_at: datetime = LONG_AGO

    def bill(self, invoice_id: str) -> Bill | None:
        return next((each for each in self.bills if each.invoice.invoice_id == invoice_id), None)

    @property
    def unpaid(self) -> Bill | None:
        """The one invoice that is open, if any."""
        return next((each for each in self.bills if each.invoice.status == "open"), None)
