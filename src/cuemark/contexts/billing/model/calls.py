"""What is asked of a payment provider, and what it answers.

A call is decided and stored before it is made; an answer that is ``Unknown`` is resolved by
``Look``, which asks what became of a key, and never by another key.
"""

from typing import Literal

import msgspec

from cuemark.contracts.billing.plans import Money


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """Let a card be charged from now on."""

    key: str
    card: str
    return_url: str


class Authorize(msgspec.Struct, frozen=True, kw_only=True):
    """Reserve an amount. Nothing is taken before ``Capture``."""

    key: str
    mandate_ref: str
    money: Money


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    ref: str
    money: Money


class GiveBack(msgspec.Struct, frozen=True, kw_only=True):
    """``key`` is of the refund and ``ref`` of the payment."""

    key: str
    ref: str
    payment_key: str
    money: Money


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mandate or a payment.

    What we know beside the key is for providers that find nothing by a key of ours: ``ref`` is
    theirs, empty where their answer was lost; ``card`` is a mandate's, ``mandate_ref`` a payment's.
    """

    key: str
    ref: str = ""
    card: str = ""
    mandate_ref: str = ""


Call = SetUp | Authorize | Capture | GiveBack | Look


class Succeeded(msgspec.Struct, frozen=True, kw_only=True):
    ref: str


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """``retryable`` says that the same card may be good another day."""

    code: str
    retryable: bool


class ActionRequired(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of the card has something to do at ``url``."""

    ref: str
    url: str


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """No answer, or none that can be read: it may have been done or not."""

    reason: str


Outcome = Succeeded | Declined | ActionRequired | Unknown


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """How what has a key stands at the provider; ``absent``: it never heard of the key, and
    ``pending``: the money was asked for, and a bank takes days to say.

    Amounts are sums of all that happened so far, so that an answer which is late is known by them.
    ``refund_keys`` are the refunds that were made.
    """

    status: Literal["absent", "action", "ready", "authorized", "pending", "captured", "declined"]
    ref: str = ""
    url: str = ""
    code: str = ""
    retryable: bool = True
    captured_minor: int = 0
    refunded_minor: int = 0
    charged_back_minor: int = 0
    refund_keys: tuple[str, ...] = ()


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came or went at the provider: ``key`` is of the payment."""

    movement_id: str
    key: str
    what: Literal["capture", "refund", "chargeback"]
    amount_minor: int
    currency: str
    at_s: int


class Movements(msgspec.Struct, frozen=True, kw_only=True):
    """Some movements after a cursor, in order, and the cursor after them."""

    movements: list[Movement]
    cursor: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook: something became of what has ``key``. What, is asked for."""

    event_id: str
    key: str
