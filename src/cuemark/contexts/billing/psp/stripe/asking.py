"""One question to Stripe: its answer in our types, or one of two ways to have none."""

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

import msgspec
import stripe

from cuemark.contexts.billing.psp.stripe import wire

T = TypeVar("T")


class Lost(Exception):
    """Nothing was answered that says what is."""


class Refused(Exception):
    """Stripe says no: ``of_card`` of a card, else of a request that makes no sense to it.

    ``intent`` is what it says about the payment, where it says so.
    """

    def __init__(self, failure: wire.Failure, *, of_card: bool, intent: object = None) -> None:
        super().__init__(failure.code or "refused")
        self.failure = failure
        self.of_card = of_card
        self.intent = intent


class _Told(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


async def answer(asked: Awaitable[_Told], kind: type[T]) -> T:
    """What is answered; raises ``Lost`` or ``Refused``."""
    try:
        told = await asked
    except stripe.CardError as error:
        raise _refused(error, of_card=True) from error
    except stripe.IdempotencyError as error:
        raise Lost("the same key is being answered elsewhere") from error
    except stripe.InvalidRequestError as error:
        raise _refused(error, of_card=False) from error
    except stripe.StripeError as error:
        raise Lost(type(error).__name__) from error
    return read(told.to_dict(), kind)


def read(told: object, kind: type[T]) -> T:
    """``told`` in our types; raises ``Lost``."""
    try:
        return msgspec.convert(told, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Lost(f"answers what cannot be read: {error}") from error


def _refused(error: stripe.StripeError, *, of_card: bool) -> Refused:
    body = error.json_body if isinstance(error.json_body, dict) else {}
    told = body.get("error")
    told = told if isinstance(told, dict) else {}
    return Refused(read(told, wire.Failure), of_card=of_card, intent=told.get("payment_intent"))
