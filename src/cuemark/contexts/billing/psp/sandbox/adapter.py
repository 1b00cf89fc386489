"""The sandbox as billing sees it: the adapter of its API."""

import hmac
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from cuemark.contexts.billing.model.calls import (
    ActionRequired,
    Authorize,
    Capture,
    Declined,
    Found,
    GiveBack,
    Look,
    Movements,
    Notice,
    Outcome,
    SetUp,
    Succeeded,
    Unknown,
)
from cuemark.contexts.billing.psp import Psp
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contracts.billing import WebhookRejected
from cuemark.kit.errors import UNREADABLE

T = TypeVar("T")
OK, MALFORMED, REJECTED = 200, 400, 422


class NoAnswer(Exception):
    """Nothing came back in time, or nothing whole."""


Exchange = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""Posts a body to a path of the sandbox; raises ``NoAnswer``."""


class SandboxPsp(Psp):
    """``secret`` signs the sandbox's webhooks."""

    def __init__(self, exchange: Exchange, secret: bytes) -> None:
        self._exchange = exchange
        self._secret = secret

    async def tokenize(self, number: str) -> Outcome:
        return await self.outcome("/v1/cards", wire.CardAsked(number=number))

    async def setup_mandate(self, call: SetUp) -> Outcome:
        asked = wire.MandateAsked(key=call.key, card=call.card, return_url=call.return_url)
        return await self.outcome("/v1/mandates", asked)

    async def authorize(self, call: Authorize) -> Outcome:
        asked = wire.PaymentAsked(
            key=call.key,
            mandate=call.mandate_ref,
            amount_minor=call.money.amount_minor,
            currency=call.money.currency,
        )
        return await self.outcome("/v1/authorizations", asked)

    async def capture(self, call: Capture) -> Outcome:
        asked = wire.CaptureAsked(key=call.key, ref=call.ref, amount_minor=call.money.amount_minor)
        return await self.outcome("/v1/captures", asked)

    async def refund(self, call: GiveBack) -> Outcome:
        asked = wire.RefundAsked(key=call.key, ref=call.ref, amount_minor=call.money.amount_minor)
        return await self.outcome("/v1/refunds", asked)

    async def fetch(self, call: Look) -> Found | Unknown:
        return await self._asked("/v1/find", wire.KeyAsked(key=call.key), Found)

    async def list_since(self, cursor: str, limit: int) -> Movements | Unknown:
        after = int(cursor) if cursor.isdecimal() else 0
        asked = wire.MovementsAsked(after=after, limit=limit)
        found = await self._asked("/v1/movements", asked, Movements)
        if isinstance(found, Movements) and not found.movements:
            return Movements(movements=[], cursor=cursor)
        return found

    def parse_webhook(self, body: bytes, signature: str) -> Notice:
        right = wire.signature_of(self._secret, body)
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise WebhookRejected("The signature is not that of the payment provider.")
        try:
            event = msgspec.json.decode(body, type=wire.Event)
        except UNREADABLE as error:
            raise WebhookRejected("The webhook cannot be read.") from error
        return Notice(event_id=event.event_id, key=event.key)

    async def ahead_s(self, advance_s: int = 0) -> int | None:
        """How far the sandbox is ahead of the machine, once its clock was set ahead; None: it does
        not say."""
        told = await self._asked("/v1/clock", wire.ClockAsked(advance_s=advance_s), wire.ClockTold)
        return told.ahead_s if isinstance(told, wire.ClockTold) else None

    async def outcome(self, path: str, asked: msgspec.Struct) -> Outcome:
        """What the sandbox says to a request that moves something."""
        reply = await self._reply(path, asked)
        if isinstance(reply, Unknown):
            return reply
        status, body = reply
        if status in (MALFORMED, REJECTED):
            return Declined(code="rejected", retryable=False)
        answer = _read(status, body, wire.Answer)
        if isinstance(answer, Unknown):
            return answer
        match answer.status:
            case "succeeded":
                return Succeeded(ref=answer.ref)
            case "action":
                return ActionRequired(ref=answer.ref, url=answer.url)
            case "declined":
                return Declined(code=answer.code, retryable=answer.retryable)
            case "pending":
                return Unknown(reason="its bank takes days to say")

    async def _asked(self, path: str, asked: msgspec.Struct, kind: type[T]) -> T | Unknown:
        reply = await self._reply(path, asked)
        return reply if isinstance(reply, Unknown) else _read(*reply, kind)

    async def _reply(self, path: str, asked: msgspec.Struct) -> tuple[int, bytes] | Unknown:
        try:
            return await self._exchange(path, msgspec.json.encode(asked))
        except NoAnswer as error:
            return Unknown(reason=str(error))


def _read(status: int, body: bytes, kind: type[T]) -> T | Unknown:
    if status != OK:
        return Unknown(reason=f"answers with status {status}")
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE:
        return Unknown(reason="answers what cannot be read")
