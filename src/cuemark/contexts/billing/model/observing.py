"""What is learned from the payment provider, by an answer, a webhook or a look: once and in order.

Amounts are sums, and what is over stays over. So an answer may come late, twice or not at all, and
the same is learned in the end.
"""

from datetime import timedelta

from msgspec.structs import replace

from cuemark.contexts.billing.model import dunning, issuing, ledger
from cuemark.contexts.billing.model.book import Bill, Book, Mandate, Payment
from cuemark.contexts.billing.model.calls import (
    ActionRequired,
    Authorize,
    Call,
    Capture,
    Declined,
    Found,
    GiveBack,
    Look,
    Outcome,
    SetUp,
    Succeeded,
)
from cuemark.contexts.billing.model.draft import Draft
from cuemark.contexts.billing.model.life import begin_late, happen
from cuemark.contracts.billing.events import MoneyGivenBack, PaymentDeclined

ACTION_LOOK = timedelta(hours=1)
"""How long a webhook is waited for that says that somebody has done something on a page."""
PENDING_LOOK = timedelta(hours=6)
"""How long one is waited for that says whether a bank has paid, which takes it days."""


def found_by(call: Call, outcome: Outcome) -> Found | None:
    """What the answer to a call says of its key; None: nothing for certain."""
    match call, outcome:
        case SetUp(), Succeeded(ref=ref):
            return Found(status="ready", ref=ref)
        case Authorize(), Succeeded(ref=ref):
            return Found(status="authorized", ref=ref)
        case Capture(money=money), Succeeded(ref=ref):
            return Found(status="captured", ref=ref, captured_minor=money.amount_minor)
        case ((SetUp() | Authorize() | Capture()), Declined(code=code, retryable=retryable)):
            return Found(status="declined", code=code, retryable=retryable)
        case _, ActionRequired(ref=ref, url=url):
            return Found(status="action", ref=ref, url=url)
    return None


def look_at(book: Book, bill: Bill | None, key: str) -> Look:
    """The question what became of ``key``, with all that we know of it."""
    mandate = book.mandate
    if mandate is not None and mandate.key == key:
        return look_at_mandate(mandate)
    payments = bill.payments if bill else ()
    payment = next((each for each in payments if each.key == key), None)
    return Look(key=key) if payment is None else look_at_payment(payment)


def look_at_mandate(mandate: Mandate) -> Look:
    return Look(key=mandate.key, ref=mandate.ref, card=mandate.card)


def look_at_payment(payment: Payment) -> Look:
    return Look(key=payment.key, ref=payment.ref, mandate_ref=payment.mandate_ref)


def observe(draft: Draft, key: str, found: Found) -> None:
    """Learn how what has ``key`` stands."""
    mandate = draft.book.mandate
    if mandate is not None and mandate.key == key:
        _observe_mandate(draft, found)
        return
    bill = draft.book.bill(key.partition(":")[0])
    payment = next((each for each in bill.payments if each.key == key), None) if bill else None
    if bill is not None and payment is not None:
        _observe_payment(draft, bill, payment, found)


def refund_declined(draft: Draft, call: GiveBack) -> None:
    """The provider gives nothing back: the refund is over."""
    bill = draft.book.bill(call.key.partition(":")[0])
    for refund in bill.refunds if bill else ():
        if bill is not None and refund.key == call.key and not refund.is_over:
            draft.put_refund(bill, replace(refund, status="declined"))


def _observe_mandate(draft: Draft, found: Found) -> None:
    mandate = draft.book.mandate
    agreement = draft.agreement
    if mandate is None or mandate.status in ("ready", "declined"):
        return
    match found.status:
        case "absent":
            draft.put_mandate(replace(mandate, status="prepared"))
        case "action":
            at = draft.now + ACTION_LOOK
            waits = replace(mandate, status="action", ref=found.ref, url=found.url, misses=0)
            draft.put_mandate(replace(waits, look_at=at))
        case "declined":
            draft.put_mandate(replace(mandate, status="declined", code=found.code, url=""))
            if agreement is not None and agreement.state == "incomplete":
                happen(draft, "given_up")
        case "ready":
            draft.put_mandate(replace(mandate, status="ready", ref=found.ref, url=""))
            if agreement is not None and agreement.state == "incomplete":
                if draft.book.unpaid is None:
                    happen(draft, "trial_ready" if agreement.trial_days else "card_ready")
            elif (unpaid := draft.book.unpaid) is not None and not unpaid.is_being_paid:
                draft.put_bill(replace(unpaid, next_attempt_at=draft.now))


def _observe_payment(draft: Draft, bill: Bill, payment: Payment, found: Found) -> None:
    if found.captured_minor and payment.status != "captured":
        bill = _captured(draft, bill, payment, found)
    elif not payment.is_over:
        _moved(draft, bill, payment, found)
    _observe_back(draft, payment, found)


def _captured(draft: Draft, bill: Bill, payment: Payment, found: Found) -> Bill:
    over = replace(payment, status="captured", ref=found.ref, url="", ended_at=draft.now)
    bill = draft.put_payment(bill, over)
    invoice = bill.invoice
    draft.entries.append(ledger.captured(invoice, payment.key, found.captured_minor, draft.now))
    paid = settle(draft, bill)
    return draft.book.bill(paid.invoice.invoice_id) or paid


def settle(draft: Draft, bill: Bill) -> Bill:
    """The invoice is paid, and the subscription goes on."""
    paid = issuing.settle(draft, begin_late(draft, bill))
    agreement = draft.agreement
    if paid.invoice.reason != "upgrade" or (agreement is not None and agreement.state == "ended"):
        happen(draft, "paid", paid)
    elif agreement is not None:
        issuing.grant(draft, paid)
        draft.put_agreement(replace(agreement, terms=paid.terms, next_terms=None))
    return paid


def _moved(draft: Draft, bill: Bill, payment: Payment, found: Found) -> None:
    match found.status:
        case "absent":
            draft.put_payment(bill, replace(payment, status="prepared"))
        case "action":
            at = draft.now + ACTION_LOOK
            waits = replace(payment, status="action", ref=found.ref, url=found.url, misses=0)
            draft.put_payment(bill, replace(waits, look_at=at))
        case "pending":
            at = draft.now + PENDING_LOOK
            draft.put_payment(bill, replace(payment, look_at=at, url="", misses=0))
        case "authorized":
            draft.put_payment(
                bill, replace(payment, status="authorized", ref=found.ref, url="", misses=0)
            )
        case "declined":
            _declined(draft, bill, payment, found)


def _declined(draft: Draft, bill: Bill, payment: Payment, found: Found) -> None:
    over = replace(
        payment,
        status="declined",
        code=found.code,
        retryable=found.retryable,
        url="",
        ended_at=draft.now,
    )
    bill = draft.put_payment(bill, over)
    invoice = bill.invoice
    draft.events.append(
        PaymentDeclined(
            account_id=invoice.account_id, invoice_id=invoice.invoice_id, code=found.code
        )
    )
    next_at = dunning.next_attempt_at(len(bill.payments), draft.now, retryable=found.retryable)
    if invoice.reason == "renewal" and draft.now < bill.given_up_at:
        draft.put_bill(replace(bill, next_attempt_at=next_at))
        happen(draft, "declined", bill)
    elif invoice.reason == "upgrade":
        issuing.void(draft, bill)
    else:
        draft.put_bill(replace(bill, next_attempt_at=None))
        happen(draft, "given_up", bill)


def _observe_back(draft: Draft, payment: Payment, found: Found) -> None:
    """Money that went back, by refund or by the card's bank: what is new of it is entered."""
    bill = draft.book.bill(payment.key.partition(":")[0])
    if bill is None:
        return
    for refund in bill.refunds:
        if refund.key in found.refund_keys and not refund.is_over:
            bill = draft.put_refund(bill, replace(refund, status="done"))
        elif refund.status == "sending" and refund.key not in found.refund_keys:
            bill = draft.put_refund(bill, replace(refund, status="prepared"))
    invoice = bill.invoice
    refunded = max(invoice.refunded_minor, found.refunded_minor)
    charged_back = max(invoice.charged_back_minor, found.charged_back_minor)
    if refunded > invoice.refunded_minor:
        draft.entries.append(
            ledger.refunded(invoice, payment.key, invoice.refunded_minor, refunded, draft.now)
        )
        _tell_back(draft, bill, refunded - invoice.refunded_minor, charged_back=False)
    if charged_back > invoice.charged_back_minor:
        draft.entries.append(
            ledger.charged_back(
                invoice, payment.key, invoice.charged_back_minor, charged_back, draft.now
            )
        )
        _tell_back(draft, bill, charged_back - invoice.charged_back_minor, charged_back=True)
    after = replace(invoice, refunded_minor=refunded, charged_back_minor=charged_back)
    if after == invoice:
        return
    bill = replace(bill, invoice=after)
    draft.put_bill(bill)
    if issuing.is_given_back(after) and not issuing.is_given_back(invoice):
        issuing.revoke(draft, bill)
    if after.charged_back_minor > invoice.charged_back_minor:
        happen(draft, "charged_back", bill)


def _tell_back(draft: Draft, bill: Bill, amount_minor: int, *, charged_back: bool) -> None:
    invoice = bill.invoice
    draft.events.append(
        MoneyGivenBack(
            account_id=invoice.account_id,
            invoice_id=invoice.invoice_id,
            amount_minor=amount_minor,
            currency=invoice.currency,
            charged_back=charged_back,
        )
    )
