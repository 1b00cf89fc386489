"""Which price, tax and discount hold for whom and when."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, get_args

import msgspec
from babel.numbers import is_currency

from cuemark.contexts.billing.model.money import WHOLE_BP, ratio
from cuemark.contracts.billing import BillingInvalid
from cuemark.contracts.billing.plans import Coupon, Money, Plan, TaxRule
from cuemark.contracts.rights import LicenceType

EVERYWHERE = ""
MOST_MINOR = 100_000_000_000
MOST_NAME = 100
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_CODE = re.compile(r"[A-Z0-9-]{3,32}", re.ASCII)
_TERRITORY = re.compile(r"[A-Z]{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


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
    """``plan``; raises ``BillingInvalid`` with what is wrong with it."""
    if not _SLUG.fullmatch(plan.plan_id):
        raise BillingInvalid("A plan's id is of small letters, digits and hyphens, 40 at most.")
    _check_name(plan.name)
    territories = [price.territory for price in plan.prices]
    if not territories or len(set(territories)) < len(territories):
        raise BillingInvalid(f"The plan {plan.plan_id} needs one price for each territory.")
    for price in plan.prices:
        if price.territory:
            _check_territory(price.territory)
        _check_money(price.money)
    allowance = plan.allowance
    if not (0 <= allowance.max_height <= 8640 and 1 <= allowance.streams <= 100):
        raise BillingInvalid("A plan allows up to 8640 lines, and 1 to 100 plays at once.")
    named = allowance.licence_types
    if len(set(named)) < len(named) or not set(named) <= set(get_args(LicenceType)):
        raise BillingInvalid(
            f"The licence types of a plan are of {', '.join(get_args(LicenceType))}, each once."
        )
    if not 0 <= plan.trial_days <= 365:
        raise BillingInvalid("A trial lasts 365 days at most.")
    return plan


def checked_coupon(coupon: Coupon) -> Coupon:
    """``coupon``; raises ``BillingInvalid`` unless it takes off a percentage or an amount."""
    if not _CODE.fullmatch(coupon.code):
        raise BillingInvalid("A coupon's code is of 3 to 32 capitals, digits and hyphens.")
    if bool(coupon.percent_bp) == (coupon.amount is not None):
        raise BillingInvalid(f"The coupon {coupon.code} takes off a percentage or an amount.")
    if not 0 <= coupon.percent_bp <= WHOLE_BP:
        raise BillingInvalid(f"The coupon {coupon.code} takes off 100 percent at most.")
    if coupon.amount is not None:
        _check_money(coupon.amount)
        if not coupon.amount.amount_minor:
            raise BillingInvalid(f"The coupon {coupon.code} takes off nothing.")
    if not (0 <= coupon.periods <= 120 and 0 <= coupon.most_uses <= MOST_MINOR):
        raise BillingInvalid("A coupon holds for 120 periods at most, or 0 for all.")
    if coupon.valid_until is not None and coupon.valid_until.tzinfo is None:
        raise BillingInvalid("Say with its time zone until when the coupon holds.")
    return coupon


def checked_tax(rule: TaxRule) -> TaxRule:
    """``rule``; raises ``BillingInvalid`` with what is wrong with it."""
    _check_territory(rule.territory)
    _check_name(rule.name)
    if not 0 <= rule.rate_bp <= WHOLE_BP:
        raise BillingInvalid("A tax is 100 percent at most.")
    if rule.since.tzinfo is None:
        raise BillingInvalid("Say with its time zone from when on the tax holds.")
    return rule


def checked_territory(territory: str) -> str:
    """A code of ISO 3166-1; raises ``BillingInvalid``."""
    _check_territory(territory)
    return territory


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


def _check_territory(territory: str) -> None:
    if not _TERRITORY.fullmatch(territory):
        raise BillingInvalid("A territory is a code of ISO 3166-1, such as DE.")


def _check_name(name: str) -> None:
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise BillingInvalid(f"A name has 1 to {MOST_NAME} characters that can be seen.")


def _check_money(money: Money) -> None:
    if not _CURRENCY.fullmatch(money.currency) or not is_currency(money.currency):
        raise BillingInvalid("A currency is a code of ISO 4217, such as EUR.")
    if not 0 <= money.amount_minor <= MOST_MINOR:
        raise BillingInvalid(f"An amount is from 0 to {MOST_MINOR} minor units.")
