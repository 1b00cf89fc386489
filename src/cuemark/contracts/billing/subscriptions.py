"""What a member has: a subscription, the card that pays it, and what it entitles to now."""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.billing.plans import Allowance, Money
from cuemark.contracts.ids import AccountId

State = Literal[
    "incomplete",
    "trialing",
    "active",
    "past_due",
    "pausing",
    "paused",
    "canceled",
    "ended",
]
"""``incomplete``: not paid for yet; ``pausing`` and ``canceled``: until the end of the period."""

CardStanding = Literal["none", "pending", "action", "ready", "declined"]


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """``action_url``, where it is not empty, is a page of the payment provider on which the member
    has something to do. ``next_plan_id`` is the plan from the next period on, if another."""

    subscription_id: str
    account_id: AccountId
    state: State
    plan_id: str
    plan_name: str
    price: Money
    territory: str
    period_starts_at: datetime
    period_ends_at: datetime
    card: CardStanding = "none"
    next_plan_id: str = ""
    action_url: str = ""
    coupon: str = ""
    decline_code: str = ""


class AddTestCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card of the sandbox, by its number. Real numbers never come here: members give them to the
    payment provider, whose token comes in their place."""

    number: str


class CardAdded(msgspec.Struct, frozen=True, kw_only=True):
    token: str


class Subscribe(msgspec.Struct, frozen=True, kw_only=True):
    """``card`` is a token of the payment provider, and ``return_url`` where its pages lead back."""

    account_id: AccountId
    plan_id: str
    territory: str
    card: str
    coupon: str = ""
    return_url: str = ""


class GetSubscription(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class ChangePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A dearer plan of the same interval begins once the rest of the period is paid; any other with
    the next period."""

    account_id: AccountId
    plan_id: str


class ChangeSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """``resume`` takes back a cancellation or a pause, or begins a period after a pause."""

    account_id: AccountId
    change: Literal["cancel", "pause", "resume"]


class ReplaceCard(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    card: str
    return_url: str = ""


class GetEntitlement(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may do at ``at``, and until when if nothing changes; ``until`` is ``at``
    where it may do nothing."""

    account_id: AccountId
    entitled: bool
    at: datetime
    until: datetime
    plan_id: str = ""
    allowance: Allowance = Allowance()


class AdvanceClock(msgspec.Struct, frozen=True, kw_only=True):
    """Set the clock of the sandbox ahead, by which billing lives where the sandbox is in use."""

    seconds: int


class ClockStanding(msgspec.Struct, frozen=True, kw_only=True):
    now: datetime
