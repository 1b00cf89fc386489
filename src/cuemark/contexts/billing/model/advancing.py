"""What the clock makes of a book, and which call comes next: one at a time, stored before made."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from cuemark.contexts.billing.model import dunning, issuing
from cuemark.contexts.billing.model.book import LONG_AGO, Bill, Book, Payment
from cuemark.contexts.billing.model.calls import (
    Authorize,
    Call,
    Capture,
    Found,
    GiveBack,
    Outcome,
    SetUp,
    Unknown,
)
from cuemark.contexts.billing.model.calls import Declined as Refused
from cuemark.contexts.billing.model.draft import Draft
from cuemark.contexts.billing.model.life import happen
from cuemark.contexts.billing.model.observing import (
    found_by,
    look_at_mandate,
    look_at_payment,
    observe,
    refund_declined,
    settle,
)
from cuemark.contexts.billing.model.states import step
from cuemark.contracts.billing.plans import Money

LEASE = timedelta(minutes=1)
"""How long a call may take. Whoever made it may be gone then, and its key is looked at."""
LONGEST_PAUSE = timedelta(hours=1)
INCOMPLETE_WITHIN = timedelta(days=1)
_MOST_STEPS = 64


def advance(draft: Draft) -> Call | None:
    """Do what is due by the clock, up to the next call, which is then noted as made."""
    for _ in range(_MOST_STEPS):
        call = _card_call(draft) or _refund_call(draft) or _payment_call(draft)
        if call is not None:
            return call
        if not _tick(draft):
            return None
    return None


def told(draft: Draft, call: Call, answer: Outcome | Found) -> None:
    """Learn what a call came to. Without an answer its key is looked at later."""
    if isinstance(answer, Found):
        observe(draft, call.key, answer)
        return
    if isinstance(call, GiveBack) and not isinstance(answer, Unknown):
        if isinstance(answer, Refused):
            refund_declined(draft, call)
        else:
            _look_at(draft, call, draft.now)
        return
    found = found_by(call, answer)
    if found is not None:
        observe(draft, call.key, found)
    else:
        _look_at(draft, call, None)


def due_at(book: Book) -> datetime | None:
    """When the clock or a look has something to do with a book next; None: never by itself."""
    times = [*_card_times(book), *_agreement_times(book)]
    for bill in book.bills:
        for refund in bill.refunds:
            if not refund.is_over:
                times.append(LONG_AGO if refund.status == "prepared" else refund.look_at)
    if (unpaid := book.unpaid) is not None:
        times += _bill_times(book, unpaid)
    return min(times, default=None)


def _card_call(draft: Draft) -> Call | None:
    mandate = draft.book.mandate
    if mandate is None or mandate.status in ("ready", "declined"):
        return None
    lease = draft.now + LEASE
    if mandate.status == "prepared":
        draft.put_mandate(replace(mandate, status="sending", look_at=lease))
        return SetUp(key=mandate.key, card=mandate.card, return_url=mandate.return_url)
    if mandate.look_at <= draft.now:
        draft.put_mandate(replace(mandate, look_at=lease))
        return look_at_mandate(mandate)
    return None


def _refund_call(draft: Draft) -> Call | None:
    for bill in draft.book.bills:
        payment = next((each for each in bill.payments if each.status == "captured"), None)
        for refund in bill.refunds if payment else ():
            if payment is None or refund.is_over:
                continue
            lease = draft.now + LEASE
            if refund.status == "prepared":
                draft.put_refund(bill, replace(refund, status="sending", look_at=lease))
                return GiveBack(
                    key=refund.key,
                    ref=payment.ref,
                    payment_key=payment.key,
                    money=_money(bill, refund.amount_minor),
                )
            if refund.look_at <= draft.now:
                draft.put_refund(bill, replace(refund, look_at=lease))
                return look_at_payment(payment)
    return None


def _payment_call(draft: Draft) -> Call | None:
    bill = draft.book.unpaid
    if bill is None or not bill.invoice.total_minor:
        return None
    if not bill.is_being_paid:
        bill = _another_attempt(draft, bill)
        if bill is None:
            return None
    payment = bill.payments[-1]
    lease = draft.now + LEASE
    if payment.status == "prepared":
        draft.put_payment(bill, replace(payment, status="authorizing", look_at=lease))
        money = _money(bill, bill.invoice.total_minor)
        return Authorize(key=payment.key, mandate_ref=payment.mandate_ref, money=money)
    if payment.status == "authorized":
        draft.put_payment(bill, replace(payment, status="capturing", look_at=lease))
        money = _money(bill, bill.invoice.total_minor)
        return Capture(key=payment.key, ref=payment.ref, money=money)
    if payment.look_at <= draft.now:
        draft.put_payment(bill, replace(payment, look_at=lease))
        return look_at_payment(payment)
    return None


def _another_attempt(draft: Draft, bill: Bill) -> Bill | None:
    """The bill with one more payment, where it is time for that and a card can be charged."""
    usable = draft.book.mandate.usable_ref if draft.book.mandate else ""
    at = bill.next_attempt_at
    if at is None or at > draft.now or not usable or draft.now >= bill.given_up_at:
        return None
    if len(bill.payments) >= dunning.MOST_ATTEMPTS:
        return None
    key = f"{bill.invoice.invoice_id}:{len(bill.payments) + 1}"
    payment = Payment(key=key, mandate_ref=usable)
    tried = replace(bill, payments=(*bill.payments, payment), next_attempt_at=None)
    draft.put_bill(tried)
    return tried


def _tick(draft: Draft) -> bool:
    """One thing that is due by the clock; False where nothing is."""
    unpaid, agreement = draft.book.unpaid, draft.agreement
    if unpaid is not None:
        if not unpaid.invoice.total_minor:
            settle(draft, unpaid)
            return True
        if unpaid.is_being_paid or unpaid.given_up_at > draft.now:
            return False
        if unpaid.invoice.reason == "upgrade" or not happen(draft, "given_up", unpaid):
            issuing.void(draft, unpaid)
        return True
    if agreement is None:
        return False
    if agreement.state == "incomplete" and agreement.anchor_at + INCOMPLETE_WITHIN <= draft.now:
        return happen(draft, "given_up")
    if agreement.state != "incomplete" and agreement.ends_at <= draft.now:
        return happen(draft, "period_over")
    return False


def _look_at(draft: Draft, call: Call, at: datetime | None) -> None:
    """Look at the key of ``call`` at a time, or where none is given after a growing pause."""
    mandate = draft.book.mandate
    if mandate is not None and mandate.key == call.key:
        misses = mandate.misses + 1
        draft.put_mandate(replace(mandate, misses=misses, look_at=at or draft.now + _pause(misses)))
        return
    bill = draft.book.bill(call.key.partition(":")[0])
    if bill is None:
        return
    for refund in bill.refunds:
        if refund.key == call.key and not refund.is_over:
            misses = refund.misses + 1
            look_at = at or draft.now + _pause(misses)
            bill = draft.put_refund(bill, replace(refund, misses=misses, look_at=look_at))
    for payment in bill.payments:
        if payment.key == call.key and not payment.is_over:
            misses = payment.misses + 1
            look_at = at or draft.now + _pause(misses)
            bill = draft.put_payment(bill, replace(payment, misses=misses, look_at=look_at))


def _pause(misses: int) -> timedelta:
    return min(timedelta(seconds=15 << min(misses, 16)), LONGEST_PAUSE)


def _card_times(book: Book) -> list[datetime]:
    mandate = book.mandate
    if mandate is None or mandate.status in ("ready", "declined"):
        return []
    return [LONG_AGO if mandate.status == "prepared" else mandate.look_at]


def _agreement_times(book: Book) -> list[datetime]:
    agreement = book.agreement
    if agreement is None or book.unpaid is not None:
        return []
    if agreement.state == "incomplete":
        return [agreement.anchor_at + INCOMPLETE_WITHIN]
    return [agreement.ends_at] if step(agreement.state, "period_over") else []


def _bill_times(book: Book, bill: Bill) -> list[datetime]:
    if not bill.invoice.total_minor:
        return [LONG_AGO]
    if bill.is_being_paid:
        payment = bill.payments[-1]
        ready = payment.status in ("prepared", "authorized")
        return [LONG_AGO if ready else payment.look_at]
    times = [bill.given_up_at]
    usable = book.mandate is not None and bool(book.mandate.usable_ref)
    if bill.next_attempt_at and usable and len(bill.payments) < dunning.MOST_ATTEMPTS:
        times.append(bill.next_attempt_at)
    return times


def _money(bill: Bill, amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency=bill.invoice.currency)
