"""What members and operators ask for: refused in one sentence, or written into the book."""

from msgspec.structs import replace

from cuemark.contexts.billing.model import issuing
from cuemark.contexts.billing.model.book import Agreement, Mandate, Terms
from cuemark.contexts.billing.model.draft import Draft
from cuemark.contexts.billing.model.life import end, happen
from cuemark.contexts.billing.model.periods import period
from cuemark.contexts.billing.model.states import step
from cuemark.contexts.billing.model.tariffs import checked_territory, price_of
from cuemark.contracts.billing import (
    AlreadySubscribed,
    BillingInvalid,
    ChangeRefused,
    NotSubscribed,
    PaymentRunning,
    UnknownPlan,
)
from cuemark.contracts.billing.plans import Coupon, Plan
from cuemark.contracts.billing.subscriptions import ChangeSubscription, Subscribe

SUBSCRIPTION = "sub"


def terms_of(plan: Plan | None, territory: str) -> Terms:
    """The terms of a plan in a territory; raises ``UnknownPlan``."""
    price = price_of(plan, territory) if plan is not None and plan.on_sale else None
    if plan is None or price is None:
        raise UnknownPlan("No such plan is on sale here.")
    return Terms(
        plan_id=plan.plan_id,
        name=plan.name,
        interval=plan.interval,
        price=price,
        allowance=plan.allowance,
    )


def subscribe(draft: Draft, request: Subscribe, coupon: Coupon | None) -> None:
    """A subscription that waits for its card. Only an account's first one has a trial."""
    before = draft.agreement
    if before is not None and before.state != "ended":
        raise AlreadySubscribed("You are subscribed already: change the plan instead.")
    _refuse_while_open(draft)
    plan = draft.tariff.plan(request.plan_id)
    terms = terms_of(plan, checked_territory(request.territory))
    if coupon is not None and coupon.amount and coupon.amount.currency != terms.price.currency:
        raise BillingInvalid("This coupon is for another currency.")
    starts_at, ends_at = period(draft.now, terms.interval, 0)
    draft.put_agreement(
        Agreement(
            subscription_id=draft.new_id(SUBSCRIPTION),
            state="incomplete",
            terms=terms,
            territory=request.territory,
            trial_days=plan.trial_days if plan is not None and before is None else 0,
            anchor_at=draft.now,
            index=0,
            starts_at=starts_at,
            ends_at=ends_at,
            coupon=coupon,
            coupon_left=(coupon.periods or -1) if coupon else 0,
        )
    )
    _begin_mandate(draft, request.card, request.return_url, "")


def change_plan(draft: Draft, plan_id: str) -> None:
    """At once what costs more in the same rhythm, with the next period what does not."""
    agreement = _running(draft)
    if agreement.state not in ("trialing", "active"):
        raise ChangeRefused("The plan can be changed while the subscription is active.")
    terms = terms_of(draft.tariff.plan(plan_id), agreement.territory)
    if terms.price.currency != agreement.terms.price.currency:
        raise ChangeRefused("The plan has a price in another currency only.")
    if terms.plan_id == agreement.terms.plan_id:
        draft.put_agreement(replace(agreement, next_terms=None))
        return
    cost = sum(line.amount_minor for line in issuing.upgrade_cost(agreement, terms, draft.now))
    same_rhythm = terms.interval == agreement.terms.interval
    if agreement.state == "active" and same_rhythm and cost > 0:
        _refuse_while_open(draft)
        _refuse_without_card(draft)
        issuing.issue_upgrade(draft, agreement, terms)
    else:
        draft.put_agreement(replace(agreement, next_terms=terms))


def change(draft: Draft, request: ChangeSubscription) -> None:
    agreement = _running(draft)
    taken = step(agreement.state, request.change)
    if taken is None:
        raise ChangeRefused(
            f"You cannot {request.change} a subscription that is {agreement.state}."
        )
    _, effects = taken
    unpaid = draft.book.unpaid
    if "void" in effects and unpaid is not None and unpaid.is_being_paid:
        raise PaymentRunning("A payment is being made: try again in a minute.")
    if "issue" in effects:
        _refuse_while_open(draft)
        _refuse_without_card(draft)
    happen(draft, request.change)


def leave(draft: Draft) -> None:
    """Its account is no more: no period follows, and the card is forgotten. Not so while something
    is being paid: if that is captured yet, it is given back."""
    unpaid = draft.book.unpaid
    if unpaid is not None and unpaid.is_being_paid:
        end(draft)
        return
    happen(draft, "cancel")
    if not any(bill.is_open for bill in draft.book.bills):
        draft.book = replace(draft.book, mandate=None)


def replace_card(draft: Draft, card: str, return_url: str) -> None:
    """From the next attempt on another card pays; one that is due is made at once."""
    _running(draft)
    mandate = draft.book.mandate
    if mandate is not None and mandate.status in ("prepared", "sending"):
        raise PaymentRunning("The card before this one is still being checked: try in a minute.")
    _begin_mandate(draft, card, return_url, mandate.usable_ref if mandate else "")


def refund(draft: Draft, invoice_id: str, amount_minor: int | None) -> None:
    """Give back an amount of a paid invoice, or all that is left of it."""
    bill = draft.book.bill(invoice_id)
    if bill is None or bill.invoice.status != "paid":
        raise ChangeRefused("Only a paid invoice can be refunded.")
    if any(not each.is_over for each in bill.refunds):
        raise PaymentRunning("A refund of this invoice is being made: try again in a minute.")
    invoice = bill.invoice
    left = invoice.total_minor - invoice.refunded_minor - invoice.charged_back_minor
    amount = left if amount_minor is None else amount_minor
    if not 0 < amount <= left:
        raise BillingInvalid(f"Of this invoice 1 to {left} minor units can be refunded.")
    issuing.give_back(draft, bill, amount)


def _begin_mandate(draft: Draft, card: str, return_url: str, fallback_ref: str) -> None:
    number = draft.book.mandates + 1
    draft.book = replace(draft.book, mandates=number)
    draft.put_mandate(
        Mandate(
            key=f"{draft.book.account_id}:m{number}",
            card=card,
            return_url=return_url,
            fallback_ref=fallback_ref,
        )
    )


def _running(draft: Draft) -> Agreement:
    agreement = draft.agreement
    if agreement is None or agreement.state == "ended":
        raise NotSubscribed("You have no subscription: subscribe first.")
    return agreement


def _refuse_while_open(draft: Draft) -> None:
    if draft.book.unpaid is not None:
        raise PaymentRunning("An invoice is still being paid: try again in a minute.")


def _refuse_without_card(draft: Draft) -> None:
    if draft.book.mandate is None or not draft.book.mandate.usable_ref:
        raise ChangeRefused("No card can be charged: give another card first.")
