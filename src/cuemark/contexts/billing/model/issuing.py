"""Invoices come into the world, are paid or void, and open what they pay for."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from cuemark.contexts.billing.model import dunning, ledger, tariffs
from cuemark.contexts.billing.model.book import Agreement, Bill, Refund, Terms
from cuemark.contexts.billing.model.draft import Draft
from cuemark.contexts.billing.model.ledger import EVERYTHING, Access
from cuemark.contexts.billing.model.proration import VERSION, proration_v1
from cuemark.contracts.billing.events import InvoiceIssued, InvoicePaid
from cuemark.contracts.billing.invoices import Invoice, Line, Reason

INVOICE = "inv"


def issue_period(draft: Draft, agreement: Agreement, reason: Reason) -> None:
    """The invoice of the period that ``agreement`` stands in. A renewal opens the period at once,
    for as long as its payment may be tried."""
    terms = agreement.terms
    starts_at, ends_at = agreement.starts_at, agreement.ends_at
    lines = [
        Line(
            text=terms.name,
            amount_minor=terms.price.amount_minor,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    ]
    coupon = agreement.coupon
    if coupon is not None and agreement.discounted:
        off = tariffs.discount_minor(coupon, terms.price)
        lines.append(
            Line(
                text=f"Coupon {coupon.code}",
                amount_minor=-off,
                starts_at=starts_at,
                ends_at=ends_at,
            )
        )
    _issue(draft, agreement, terms, reason, lines, starts_at, ends_at)


def upgrade_cost(agreement: Agreement, terms: Terms, at: datetime) -> Sequence[Line]:
    """What the rest of the period costs on other terms, less what it was worth on these."""
    credit, charge = proration_v1(
        _paid_minor(agreement, agreement.terms),
        _paid_minor(agreement, terms),
        agreement.starts_at,
        agreement.ends_at,
        at,
    )
    ends_at = agreement.ends_at
    return [
        Line(
            text=f"{terms.name}, rest of the period ({VERSION})",
            amount_minor=charge,
            starts_at=at,
            ends_at=ends_at,
        ),
        Line(
            text=f"{agreement.terms.name}, not used ({VERSION})",
            amount_minor=-credit,
            starts_at=at,
            ends_at=ends_at,
        ),
    ]


def issue_upgrade(draft: Draft, agreement: Agreement, terms: Terms) -> None:
    lines = upgrade_cost(agreement, terms, draft.now)
    _issue(draft, agreement, terms, "upgrade", lines, draft.now, agreement.ends_at)


def settle(draft: Draft, bill: Bill) -> Bill:
    """The invoice is paid."""
    invoice = replace(bill.invoice, status="paid", paid_at=draft.now)
    paid = replace(bill, invoice=invoice, next_attempt_at=None)
    draft.put_bill(paid)
    draft.events.append(
        InvoicePaid(
            account_id=invoice.account_id,
            invoice_id=invoice.invoice_id,
            total_minor=invoice.total_minor,
            currency=invoice.currency,
        )
    )
    return paid


def grant(draft: Draft, bill: Bill) -> None:
    """What was paid for is open, unless its money has gone back already."""
    if not is_given_back(bill.invoice):
        access = _access(bill, bill.starts_at, bill.ends_at)
        draft.entries.append(_opening(draft, bill, "granted", access))


def void(draft: Draft, bill: Bill) -> None:
    """Nobody has paid for it and nobody will: its grace ends."""
    invoice = replace(bill.invoice, status="void")
    draft.put_bill(replace(bill, invoice=invoice, next_attempt_at=None))
    closed = _access(bill, draft.now, draft.now)
    draft.entries.append(ledger.voided(bill.invoice, draft.now, closed))


def revoke(draft: Draft, bill: Bill) -> None:
    """What it opened is shut, because its money has gone back."""
    closed = _access(bill, draft.now, draft.now)
    draft.entries.append(_opening(draft, bill, "revoked", closed))


def revoke_all(draft: Draft, agreement: Agreement) -> None:
    """Whatever is open to the account is shut."""
    closed = Access(
        EVERYTHING, agreement.terms.plan_id, agreement.terms.allowance, draft.now, draft.now
    )
    draft.entries.append(
        ledger.Entry(
            key=f"shut:{agreement.subscription_id}:{draft.new_id('ent')}",
            kind="revoked",
            account_id=draft.book.account_id,
            invoice_id="",
            currency=agreement.terms.price.currency,
            at=draft.now,
            access=closed,
        )
    )


def give_back(draft: Draft, bill: Bill, amount_minor: int) -> Bill:
    """A refund, to be made."""
    refund = Refund(
        key=f"{bill.invoice.invoice_id}:r{len(bill.refunds) + 1}", amount_minor=amount_minor
    )
    asked = replace(bill, refunds=(*bill.refunds, refund))
    draft.put_bill(asked)
    return asked


def _issue(
    draft: Draft,
    agreement: Agreement,
    terms: Terms,
    reason: Reason,
    lines: Sequence[Line],
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    rule = tariffs.tax_of(draft.tariff.taxes, agreement.territory, draft.now)
    sums = tariffs.taxed(sum(line.amount_minor for line in lines), rule)
    invoice = Invoice(
        invoice_id=draft.new_id(INVOICE),
        account_id=draft.book.account_id,
        number="",
        status="open",
        reason=reason,
        currency=terms.price.currency,
        lines=list(lines),
        net_minor=sums.net_minor,
        tax_minor=sums.tax_minor,
        total_minor=sums.total_minor,
        territory=agreement.territory,
        issued_at=draft.now,
        tax_name=rule.name if rule else "",
        tax_rate_bp=rule.rate_bp if rule else 0,
        tax_inclusive=rule.inclusive if rule else False,
    )
    renews = reason == "renewal"
    bill = Bill(
        invoice=invoice,
        terms=terms,
        starts_at=starts_at,
        ends_at=ends_at,
        next_attempt_at=draft.now,
        given_up_at=draft.now + (dunning.GIVEN_UP_AFTER if renews else dunning.FIRST_WITHIN),
    )
    draft.put_bill(bill)
    grace = _access(bill, starts_at, bill.given_up_at) if renews else None
    draft.entries.append(ledger.issued(invoice, draft.now, grace))
    draft.events.append(
        InvoiceIssued(
            account_id=invoice.account_id,
            invoice_id=invoice.invoice_id,
            total_minor=invoice.total_minor,
            currency=invoice.currency,
        )
    )


def _paid_minor(agreement: Agreement, terms: Terms) -> int:
    """What a whole period costs on these terms, with the discount of this one."""
    off = 0
    if agreement.coupon is not None and agreement.discounted:
        off = tariffs.discount_minor(agreement.coupon, terms.price)
    return terms.price.amount_minor - off


def is_given_back(invoice: Invoice) -> bool:
    """Whether nothing is left of what was paid, or its bank took any of it back."""
    gone = invoice.refunded_minor + invoice.charged_back_minor
    return invoice.charged_back_minor > 0 or gone >= invoice.total_minor > 0


def _access(bill: Bill, since: datetime, until: datetime) -> Access:
    source = bill.invoice.invoice_id
    return Access(source, bill.terms.plan_id, bill.terms.allowance, since, until)


def _opening(draft: Draft, bill: Bill, kind: ledger.EntryKind, access: Access) -> ledger.Entry:
    return ledger.Entry(
        key=f"{kind}:{bill.invoice.invoice_id}",
        kind=kind,
        account_id=draft.book.account_id,
        invoice_id=bill.invoice.invoice_id,
        currency=bill.invoice.currency,
        at=draft.now,
        access=access,
    )
