"""What an event makes of a subscription: a step of the table, and its effects."""

from datetime import timedelta

from msgspec.structs import replace

from cuemark.contexts.billing.model import issuing
from cuemark.contexts.billing.model.book import Agreement, Bill
from cuemark.contexts.billing.model.draft import Draft
from cuemark.contexts.billing.model.ledger import Access, Entry
from cuemark.contexts.billing.model.periods import period
from cuemark.contexts.billing.model.states import Effect, Event, step
from cuemark.contracts.billing.events import SubscriptionChanged
from cuemark.contracts.billing.invoices import Reason
from cuemark.contracts.billing.subscriptions import State

LATE_AFTER = timedelta(days=1)
"""A renewal that comes later begins a period of its own: nobody pays for what was not open."""

_REASONS: dict[State, Reason] = {"incomplete": "first", "paused": "resume"}


def happen(draft: Draft, event: Event, bill: Bill | None = None) -> bool:
    """Take a step of the table, if there is one. ``bill`` is what the event of a payment is of."""
    before = draft.agreement
    taken = step(before.state, event) if before else None
    if before is None or taken is None:
        return False
    state, effects = taken
    _become(draft, before, state)
    for effect in effects:
        _act(draft, effect, before, bill)
    return True


def end(draft: Draft) -> None:
    """At once, whatever is being paid: the table has what becomes of that."""
    if draft.agreement is not None:
        _become(draft, draft.agreement, "ended")


def _become(draft: Draft, before: Agreement, state: State) -> None:
    draft.put_agreement(replace(before, state=state))
    if state != before.state:
        draft.events.append(
            SubscriptionChanged(
                account_id=draft.book.account_id,
                subscription_id=before.subscription_id,
                plan_id=before.terms.plan_id,
                before=before.state,
                state=state,
            )
        )


def begin_late(draft: Draft, bill: Bill) -> Bill:
    """The bill, whose period begins now where it was paid for so late (a bank may take days) that
    its member would pay for days that were not open."""
    agreement, invoice = draft.agreement, bill.invoice
    shut = agreement is not None and agreement.state in _REASONS
    if agreement is None or not shut or draft.now < bill.starts_at + LATE_AFTER:
        return bill
    starts_at, ends_at = period(draft.now, bill.terms.interval, 0)
    draft.put_agreement(
        replace(agreement, anchor_at=draft.now, index=0, starts_at=starts_at, ends_at=ends_at)
    )
    lines = [replace(line, starts_at=starts_at, ends_at=ends_at) for line in invoice.lines]
    moved = replace(
        bill, starts_at=starts_at, ends_at=ends_at, invoice=replace(invoice, lines=lines)
    )
    draft.put_bill(moved)
    return moved


def _act(draft: Draft, effect: Effect, before: Agreement, bill: Bill | None) -> None:
    agreement = draft.agreement
    assert agreement is not None
    match effect:
        case "grant_trial":
            _grant_trial(draft, agreement)
        case "issue":
            reason = _REASONS.get(before.state, "renewal")
            begun = _period_after(draft, agreement, before.state)
            draft.put_agreement(begun)
            issuing.issue_period(draft, begun, reason)
        case "grant":
            if bill is not None:
                issuing.grant(draft, bill)
        case "void":
            # What is being paid may yet be paid: it is void, or given back, once that is known.
            unpaid = draft.book.unpaid
            if unpaid is not None and not unpaid.is_being_paid:
                issuing.void(draft, unpaid)
        case "give_back":
            if bill is not None:
                left = bill.invoice.total_minor - bill.invoice.refunded_minor
                issuing.give_back(draft, bill, left)
        case "revoke_all":
            issuing.revoke_all(draft, agreement)


def _grant_trial(draft: Draft, agreement: Agreement) -> None:
    ends_at = draft.now + timedelta(days=agreement.trial_days)
    draft.put_agreement(replace(agreement, starts_at=draft.now, ends_at=ends_at))
    terms = agreement.terms
    source = f"trial:{agreement.subscription_id}"
    draft.entries.append(
        Entry(
            key=source,
            kind="trial",
            account_id=draft.book.account_id,
            invoice_id="",
            currency=terms.price.currency,
            at=draft.now,
            access=Access(source, terms.plan_id, terms.allowance, draft.now, ends_at),
        )
    )


def _period_after(draft: Draft, agreement: Agreement, before: State) -> Agreement:
    """The agreement in the period that begins, on the terms and with the discount of that."""
    terms = agreement.next_terms or agreement.terms
    same_calendar = terms.interval == agreement.terms.interval
    on_time = draft.now < agreement.ends_at + LATE_AFTER
    if before == "active" and on_time and same_calendar:
        anchor_at, index = agreement.anchor_at, agreement.index + 1
    elif before in ("active", "trialing") and on_time:
        anchor_at, index = agreement.ends_at, 0
    else:
        anchor_at, index = draft.now, 0
    starts_at, ends_at = period(anchor_at, terms.interval, index)
    discounted = agreement.coupon is not None and agreement.coupon_left != 0
    return replace(
        agreement,
        terms=terms,
        next_terms=None,
        anchor_at=anchor_at,
        index=index,
        starts_at=starts_at,
        ends_at=ends_at,
        discounted=discounted,
        coupon_left=agreement.coupon_left - 1 if discounted else agreement.coupon_left,
    )
