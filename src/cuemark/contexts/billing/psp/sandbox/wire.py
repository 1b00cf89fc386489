"""What is said between the sandbox and its adapter, and how webhooks are signed."""

import hashlib
import hmac
from typing import Literal

import msgspec

SIGNATURE = "cuemark-sandbox-signature"

FaultName = Literal[
    "timeout_after_success",
    "timeout_before",
    "unavailable",
    "decline",
    "decline_for_good",
    "webhook_lost",
    "webhook_doubled",
    "webhook_reordered",
]
Operation = Literal["any", "card", "mandate", "authorize", "capture", "refund", "fetch", "list"]


class CardAsked(msgspec.Struct, frozen=True, kw_only=True):
    number: str


class MandateAsked(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    card: str
    return_url: str = ""


class DebitMandateAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate for direct debits. Its owner names the account on the page."""

    key: str
    return_url: str = ""


class PaymentAsked(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    mandate: str
    amount_minor: int
    currency: str


class CaptureAsked(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    ref: str
    amount_minor: int


class RefundAsked(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    ref: str
    amount_minor: int


class KeyAsked(msgspec.Struct, frozen=True, kw_only=True):
    key: str


class MovementsAsked(msgspec.Struct, frozen=True, kw_only=True):
    after: int = 0
    limit: int = 100


class ClockAsked(msgspec.Struct, frozen=True, kw_only=True):
    """``advance_s`` of 0 asks what time it is."""

    advance_s: int = 0


class ClockTold(msgspec.Struct, frozen=True, kw_only=True):
    """``ahead_s`` is how far the sandbox is ahead of the machine."""

    ahead_s: int


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """The next ``times`` requests of an operation fail so; of a webhook, the next that are sent."""

    name: FaultName
    operation: Operation = "any"
    times: int = 1


class Done(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """``pending``: a bank was asked, and takes days to say."""

    status: Literal["succeeded", "declined", "action", "pending"]
    ref: str = ""
    url: str = ""
    code: str = ""
    retryable: bool = True


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook. It says that something happened and not what: that is asked for."""

    event_id: str
    key: str


def signature_of(secret: bytes, body: bytes) -> str:
    """HMAC-SHA256 in hex. Replays are told by the event's id, so no time is signed."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()
