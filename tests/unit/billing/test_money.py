"""Money, periods, proration, taxes and coupons."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.billing.model.money import ratio, shares
from cuemark.contexts.billing.model.periods import boundary, period
from cuemark.contexts.billing.model.proration import proration_v1
from cuemark.contexts.billing.model.tariffs import (
    checked_coupon,
    checked_plan,
    discount_minor,
    price_of,
    tax_of,
    taxed,
)
from cuemark.contracts.billing import BillingInvalid
from cuemark.contracts.billing.plans import Allowance, Coupon, Interval, Money, Plan, Price, TaxRule
from cuemark.contracts.rights import LicenceType

amounts = st.integers(min_value=0, max_value=10**11)
moments = st.datetimes(
    min_value=datetime(2001, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
intervals: st.SearchStrategy[Interval] = st.sampled_from(["month", "year"])
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def euro(minor: int) -> Money:
    return Money(amount_minor=minor, currency="EUR")


@pytest.mark.parametrize(
    ("amount", "numerator", "denominator", "expected"),
    [(5, 1, 2, 3), (-5, 1, 2, -3), (1, 1, 3, 0), (2, 1, 3, 1), (1299, 1900, 11900, 207)],
)
def test_a_ratio_is_rounded_with_halves_away_from_zero(
    amount: int, numerator: int, denominator: int, expected: int
) -> None:
    assert ratio(amount, numerator, denominator) == expected


@given(
    st.integers(min_value=-(10**11), max_value=10**11),
    st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=8).filter(any),
)
def test_shares_make_the_whole_and_are_each_within_a_unit_of_their_due(
    amount: int, weights: list[int]
) -> None:
    found = shares(amount, weights)
    assert sum(found) == amount
    total = sum(weights)
    for share, weight in zip(found, weights, strict=True):
        assert abs(share * total - amount * weight) < total


@given(amounts, amounts, st.integers(0, 10**6), st.integers(1, 10**6))
def test_of_more_no_share_of_two_is_less(one: int, other: int, first: int, second: int) -> None:
    few, many = sorted((one, other))
    for less, more in zip(shares(few, (first, second)), shares(many, (first, second)), strict=True):
        assert less <= more


@pytest.mark.parametrize(
    ("anchor", "count", "expected"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), 1, datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), 2, datetime(2026, 3, 31, tzinfo=UTC)),
        (datetime(2024, 1, 30, tzinfo=UTC), 1, datetime(2024, 2, 29, tzinfo=UTC)),
        (datetime(2026, 12, 5, 7, tzinfo=UTC), 1, datetime(2027, 1, 5, 7, tzinfo=UTC)),
    ],
)
def test_months_keep_their_day_as_far_as_they_have_it(
    anchor: datetime, count: int, expected: datetime
) -> None:
    assert boundary(anchor, "month", count) == expected


def test_a_year_from_a_leap_day_ends_in_february_and_finds_it_again() -> None:
    leap = datetime(2024, 2, 29, tzinfo=UTC)
    assert boundary(leap, "year", 1) == datetime(2025, 2, 28, tzinfo=UTC)
    assert boundary(leap, "year", 4) == datetime(2028, 2, 29, tzinfo=UTC)


@given(moments, intervals, st.integers(0, 400))
def test_periods_follow_one_another_without_a_gap(
    anchor: datetime, interval: Interval, index: int
) -> None:
    starts_at, ends_at = period(anchor, interval, index)
    assert starts_at < ends_at == period(anchor, interval, index + 1)[0]
    lasts = (ends_at - starts_at).days
    assert 28 <= lasts <= 31 if interval == "month" else 365 <= lasts <= 366
    assert period(anchor, interval, 0)[0] == anchor


@given(amounts, amounts, moments, st.integers(1, 366 * 86400), st.integers(-1000, 400 * 86400))
def test_what_is_left_of_a_period_is_worth_a_part_of_its_price(
    old: int, new: int, starts_at: datetime, lasts_s: int, after_s: int
) -> None:
    ends_at = starts_at + timedelta(seconds=lasts_s)
    at = starts_at + timedelta(seconds=after_s)
    credit, charge = proration_v1(old, new, starts_at, ends_at, at)
    assert 0 <= credit <= old
    assert 0 <= charge <= new
    assert (charge >= credit) is (new >= old) or charge == credit
    later = proration_v1(old, new, starts_at, ends_at, at + timedelta(hours=1))
    assert later.credit_minor <= credit
    if at <= starts_at:
        assert (credit, charge) == (old, new)
    if at >= ends_at:
        assert (credit, charge) == (0, 0)


@given(amounts, st.integers(0, 10_000), st.booleans())
def test_net_and_tax_make_the_total(amount: int, rate_bp: int, inclusive: bool) -> None:
    rule = TaxRule(territory="DE", rate_bp=rate_bp, since=NOW, inclusive=inclusive)
    found = taxed(amount, rule)
    assert found.net_minor + found.tax_minor == found.total_minor
    assert (found.total_minor if inclusive else found.net_minor) == amount
    exact = found.net_minor * rate_bp
    assert abs(found.tax_minor * 10_000 - exact) <= 10_000


def test_the_tax_is_that_of_the_day() -> None:
    rules = [
        TaxRule(territory="DE", rate_bp=1900, since=NOW),
        TaxRule(territory="DE", rate_bp=1600, since=NOW + timedelta(days=30)),
        TaxRule(territory="FR", rate_bp=2000, since=NOW),
    ]
    assert tax_of(rules, "DE", NOW - timedelta(seconds=1)) is None
    assert tax_of(rules, "DE", NOW) == rules[0]
    assert tax_of(rules, "DE", NOW + timedelta(days=31)) == rules[1]
    assert tax_of(rules, "US", NOW) is None


def test_a_territory_has_its_own_price_or_that_of_everywhere() -> None:
    prices = [Price(money=euro(500)), Price(money=euro(700), territory="CH")]
    plan = Plan(plan_id="p", name="P", prices=prices)
    assert price_of(plan, "CH") == euro(700)
    assert price_of(plan, "DE") == euro(500)
    only = Plan(plan_id="p", name="P", prices=prices[1:])
    assert price_of(only, "DE") is None


@given(amounts, st.integers(1, 10_000))
def test_a_coupon_takes_off_no_more_than_the_price(price: int, percent_bp: int) -> None:
    assert 0 <= discount_minor(Coupon(code="PART", percent_bp=percent_bp), euro(price)) <= price
    fixed = Coupon(code="FIXED", amount=euro(500))
    assert discount_minor(fixed, euro(price)) == min(500, price)
    other = Money(amount_minor=price, currency="USD")
    assert discount_minor(fixed, other) == 0


def test_what_cannot_be_sold_is_refused_in_one_sentence() -> None:
    twice = [Price(money=euro(1)), Price(money=euro(2))]
    nowhere = [Price(money=Money(amount_minor=1, currency="XQZ"))]
    below = [Price(money=euro(-1))]
    for prices in (twice, nowhere, below):
        with pytest.raises(BillingInvalid):
            checked_plan(Plan(plan_id="p", name="P", prices=prices))
    for types in (("SVOD", "SVOD"), ("LOAN",)):
        allowance = Allowance(licence_types=cast(tuple[LicenceType, ...], types))
        with pytest.raises(BillingInvalid, match="each once"):
            checked_plan(Plan(plan_id="p", name="P", prices=twice[:1], allowance=allowance))
    for coupon in (
        Coupon(code="NONE"),
        Coupon(code="BOTH", percent_bp=1, amount=euro(1)),
        Coupon(code="ZERO", amount=euro(0)),
    ):
        with pytest.raises(BillingInvalid):
            checked_coupon(coupon)
