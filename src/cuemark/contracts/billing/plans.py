"""What is sold: plans with prices by territory, coupons, and the taxes of territories."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Interval = Literal["month", "year"]
Slug = Annotated[str, Meta(pattern="^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Territory = Annotated[str, Meta(pattern="^([A-Z]{2})?$")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
Text = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
MOST_MINOR = 100_000_000_000


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Whole minor units (cents, yen) of a currency of ISO 4217."""

    amount_minor: Annotated[int, Meta(ge=-MOST_MINOR, le=MOST_MINOR)]
    currency: Currency


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """``territory`` is of ISO 3166-1; an empty one stands for all that have no other price."""

    money: Money
    territory: Territory = ""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan entitles to. ``max_height`` is in lines of the picture, 0 for no bound;
    ``streams`` is how many plays may run at once."""

    max_height: Annotated[int, Meta(ge=0, le=8640)] = 0
    streams: Annotated[int, Meta(ge=1, le=100)] = 1
    ads: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that is not ``on_sale`` goes on for those who have it."""

    plan_id: Slug
    name: Text
    prices: Annotated[list[Price], Meta(min_length=1, max_length=300)]
    interval: Interval = "month"
    allowance: Allowance = Allowance()
    trial_days: Annotated[int, Meta(ge=0, le=365)] = 0
    on_sale: bool = True


class ListPlans(msgspec.Struct, frozen=True, kw_only=True):
    """With a territory: the plans on sale there, each with the one price that holds there."""

    territory: str = ""


class PlanList(msgspec.Struct, frozen=True, kw_only=True):
    plans: list[Plan]


class TaxRule(msgspec.Struct, frozen=True, kw_only=True):
    """The tax of a territory from ``since`` on, until the next rule of that territory.

    ``inclusive`` says that prices hold the tax already.
    """

    territory: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    rate_bp: BasisPoints
    since: Annotated[datetime, Meta(tz=True)]
    name: Text = "VAT"
    inclusive: bool = True


class ListTaxes(msgspec.Struct, frozen=True, kw_only=True):
    pass


class TaxList(msgspec.Struct, frozen=True, kw_only=True):
    rules: list[TaxRule]


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """Less to pay by ``percent_bp`` or by ``amount``, in ``periods`` paid periods, 0 for all.

    ``most_uses`` is how many may subscribe with it, 0 for any number.
    """

    code: Annotated[str, Meta(pattern="^[A-Z0-9-]{3,32}$")]
    percent_bp: BasisPoints = 0
    amount: Money | None = None
    periods: Annotated[int, Meta(ge=0, le=120)] = 1
    valid_until: Annotated[datetime, Meta(tz=True)] | None = None
    most_uses: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
