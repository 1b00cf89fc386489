"""Which price, tax and discount hold for whom and when."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from babel.numbers import is_currency

from cuemark.contexts.billing.model.money import WHOLE_BP, ratio
from cuemark.contracts.billing import BillingInvalid
from cuemark.contracts.billing.plans import Coupon, Money, Plan, TaxRule

EVERYWHERE = ""


class Tariff(msgspec.Struct, frozen=True):
    """All plans, coupons apart, and all rules of taxes."""

    plans: tuple[Plan, ...] = ()
    taxes: tuple[TaxRule, ...] = ()

    def plan(self, plan_id: str) -> Plan | None:
        return next((each for each in self.plans if each.plan_id == plan_id), None)


class Taxed(NamedTuple):
    """``net_minor + tax_minor == total_minor``, whatever was rounded."""

    net_minor: int
    tax_minor: int
    total_minor: int


def checked_plan(plan: Plan) -> Plan:
    """``plan``; raises ``BillingInvalid`` with what is wrong with its prices."""
    territories = [price.territory for price in plan.prices]
    if len(set(territories)) < len(territories):
        raise BillingInvalid(f"The plan {plan.plan_id} has two prices for one territory.")
    for price in plan.prices:
        _check_currency(price.money)
        if price.money.amount_minor < 0:
            raise BillingInvalid(f"The plan {plan.plan_id} has a price below zero.")
    return plan


def checked_coupon(coupon: Coupon) -> Coupon:
    """``coupon``; raises ``BillingInvalid`` unless it takes off a percentage or an amount."""
    if bool(coupon.percent_bp) == (coupon.amount is not None):
        raise BillingInvalid(f"The coupon {coupon.code} takes off a percentage or an amount.")
    if coupon.amount is not None:
        _check_currency(coupon.amount)
        if coupon.amount.amount_minor <= 0:
            raise BillingInvalid(f"The coupon {coupon.code} takes off nothing.")
    return coupon


def price_of(plan: Plan, territory: str) -> Money | None:
    """The plan's price in a territory: its own, or that of everywhere else."""
    by_territory = {price.territory: price.money for price in plan.prices}
    return by_territory.get(territory, by_territory.get(EVERYWHERE))


def tax_of(rules: Sequence[TaxRule], territory: str, at: datetime) -> TaxRule | None:
    """The rule of a territory that holds at a moment: the last that began."""
    begun = [each for each in rules if each.territory == territory and each.since <= at]
    return max(begun, key=lambda each: each.since, default=None)


def taxed(amount_minor: int, rule: TaxRule | None) -> Taxed:
    """An amount as prices say it, divided into net and tax; no rule, no tax.

    The tax is rounded to the nearest unit, halves away from zero, once for an invoice.
    """
    if rule is None:
        return Taxed(amount_minor, 0, amount_minor)
    if rule.inclusive:
        tax = ratio(amount_minor, rule.rate_bp, WHOLE_BP + rule.rate_bp)
        return Taxed(amount_minor - tax, tax, amount_minor)
    tax = ratio(amount_minor, rule.rate_bp, WHOLE_BP)
    return Taxed(amount_minor, tax, amount_minor + tax)


def discount_minor(coupon: Coupon, price: Money) -> int:
    """What a coupon takes off a price: never more than the price, and nothing in another
    currency."""
    if coupon.amount is not None:
        same = coupon.amount.currency == price.currency
        return min(coupon.amount.amount_minor, price.amount_minor) if same else 0
    return ratio(price.amount_minor, coupon.percent_bp, WHOLE_BP)


def _check_currency(money: Money) -> None:
    if not is_currency(money.currency):
        raise BillingInvalid(f"{money.currency} is no currency of ISO 4217.")
