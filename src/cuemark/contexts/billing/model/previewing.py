"""What will be charged: by the code that charges, on a book that is thrown away."""

from datetime import datetime

from cuemark.contexts.billing.model import acts
from cuemark.contexts.billing.model.book import Bill, Book
from cuemark.contexts.billing.model.draft import Draft
from cuemark.contexts.billing.model.life import happen
from cuemark.contexts.billing.model.tariffs import Tariff
from cuemark.contracts.billing import NotSubscribed
from cuemark.contracts.billing.invoices import InvoicePreview


def preview(book: Book, tariff: Tariff, now: datetime, plan_id: str) -> InvoicePreview:
    """The next charge as things stand, or if the plan were changed to ``plan_id`` now; raises what
    that change would raise."""
    draft = Draft(book, tariff, now, _no_id)
    if draft.agreement is None:
        raise NotSubscribed("You have no subscription: subscribe first.")
    if plan_id:
        acts.change_plan(draft, plan_id)
    unpaid = draft.book.unpaid
    if unpaid is not None:
        due_at = draft.now if unpaid.is_being_paid else unpaid.next_attempt_at
        return _told(unpaid, due_at, at_once=book.unpaid is None)
    agreement = draft.agreement
    if agreement.state == "incomplete":
        return _nothing(draft)
    ends_at = max(agreement.ends_at, draft.now)
    then = Draft(draft.book, tariff, ends_at, _no_id)
    happen(then, "period_over")
    bill = then.book.unpaid
    return _nothing(draft) if bill is None else _told(bill, ends_at, at_once=False)


def _told(bill: Bill, due_at: datetime | None, *, at_once: bool) -> InvoicePreview:
    invoice = bill.invoice
    return InvoicePreview(
        due_at=due_at,
        at_once=at_once,
        plan_id=bill.terms.plan_id,
        plan_name=bill.terms.name,
        currency=invoice.currency,
        lines=list(invoice.lines),
        net_minor=invoice.net_minor,
        tax_minor=invoice.tax_minor,
        total_minor=invoice.total_minor,
        tax_name=invoice.tax_name,
        tax_rate_bp=invoice.tax_rate_bp,
        tax_inclusive=invoice.tax_inclusive,
    )


def _nothing(draft: Draft) -> InvoicePreview:
    agreement = draft.agreement
    assert agreement is not None
    return InvoicePreview(
        plan_id=agreement.terms.plan_id,
        plan_name=agreement.terms.name,
        currency=agreement.terms.price.currency,
        lines=[],
        net_minor=0,
        tax_minor=0,
        total_minor=0,
    )


def _no_id(prefix: str) -> str:
    return f"{prefix}_preview"
