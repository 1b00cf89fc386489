"""What is sold: plans with prices by territory, coupons, and the taxes of territories."""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.rights import LicenceType

Interval = Literal["month", "year"]


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Whole minor units (cents, yen) of a currency of ISO 4217."""

    amount_minor: int
    currency: str


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """``territory`` is of ISO 3166-1; an empty one stands for all that have no other price."""

    money: Money
    territory: str = ""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan entitles to. ``max_height`` is in lines of the picture, 0 for no bound;
    ``streams`` is how many plays may run at once; ``ads`` says that they have advertising.
    ``licence_types`` are those under which one watches, of windows of rights; without any they are
    those of the install."""

    max_height: int = 0
    streams: int = 1
    ads: bool = False
    licence_types: tuple[LicenceType, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that is not ``on_sale`` goes on for those who have it."""

    plan_id: str
    name: str
    prices: list[Price]
    interval: Interval = "month"
    allowance: Allowance = Allowance()
    trial_days: int = 0
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

    territory: str
    rate_bp: int
    since: datetime
    name: str = "VAT"
    inclusive: bool = True


class ListTaxes(msgspec.Struct, frozen=True, kw_only=True):
    pass


class TaxList(msgspec.Struct, frozen=True, kw_only=True):
    rules: list[TaxRule]


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """Less to pay by ``percent_bp`` or by ``amount``, in ``periods`` paid periods, 0 for all.

    ``most_uses`` is how many may subscribe with it, 0 for any number.
    """

    code: str
    percent_bp: int = 0
    amount: Money | None = None
    periods: int = 1
    valid_until: datetime | None = None
    most_uses: int = 0
