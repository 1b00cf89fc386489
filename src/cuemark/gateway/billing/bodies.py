"""What members and operators send about plans and money, where it is no contract's own message."""

from typing import Annotated, Literal

from msgspec import Meta

from cuemark.gateway.views import IdText, Proof, View

TerritoryText = Annotated[str, Meta(pattern=r"^([A-Z]{2})?\Z")]


class TestCardBody(View, frozen=True):
    number: Annotated[str, Meta(max_length=32, pattern=r"^[0-9 ]*\Z")]


class SubscribeBody(View, frozen=True):
    """``card`` is the payment provider's token, ``territory`` of ISO 3166-1."""

    plan_id: IdText
    territory: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
    card: IdText
    coupon: Annotated[str, Meta(pattern=r"^([A-Z0-9-]{3,32})?\Z")] = ""
    proof: Proof = ""


class PlanChoiceBody(View, frozen=True):
    plan_id: IdText


class ChangeBody(View, frozen=True):
    change: Literal["cancel", "pause", "resume"]


class CardBody(View, frozen=True):
    card: IdText
    proof: Proof = ""


class RefundBody(View, frozen=True):
    """In minor units; null for all that is left."""

    amount_minor: Annotated[int, Meta(ge=1, le=100_000_000_000)] | None = None


class ClockBody(View, frozen=True):
    seconds: Annotated[int, Meta(ge=0, le=366 * 86400)] = 0
