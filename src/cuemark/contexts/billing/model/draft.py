"""A book while something is decided about it: what it becomes, what is entered, what is told."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cuemark.contexts.billing.model.book import Agreement, Bill, Book, Mandate, Payment, Refund
from cuemark.contexts.billing.model.ledger import Entry
from cuemark.contexts.billing.model.tariffs import Tariff

NewId = Callable[[str], str]


class Draft:
    """One decision, at one moment: never before what the book has seen."""

    def __init__(self, book: Book, tariff: Tariff, now: datetime, new_id: NewId) -> None:
        self.now = max(now, book.seen_at)
        self.book = replace(book, seen_at=self.now)
        self.tariff = tariff
        self.new_id = new_id
        self.entries: list[Entry] = []
        self.events: list[msgspec.Struct] = []

    @property
    def agreement(self) -> Agreement | None:
        return self.book.agreement

    def put_agreement(self, agreement: Agreement) -> None:
        self.book = replace(self.book, agreement=agreement)

    def put_mandate(self, mandate: Mandate) -> None:
        self.book = replace(self.book, mandate=mandate)

    def put_bill(self, bill: Bill) -> None:
        mine = bill.invoice.invoice_id
        others = tuple(each for each in self.book.bills if each.invoice.invoice_id != mine)
        self.book = replace(self.book, bills=(*others, bill))

    def put_payment(self, bill: Bill, payment: Payment) -> Bill:
        kept = tuple(payment if each.key == payment.key else each for each in bill.payments)
        changed = replace(bill, payments=kept)
        self.put_bill(changed)
        return changed

    def put_refund(self, bill: Bill, refund: Refund) -> Bill:
        kept = tuple(refund if each.key == refund.key else each for each in bill.refunds)
        changed = replace(bill, refunds=kept)
        self.put_bill(changed)
        return changed
