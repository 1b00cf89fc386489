"""Payment providers: what every adapter offers, and how a call of the model is made through it."""

from typing import Protocol, assert_never

from cuemark.contexts.billing.model.calls import (
    Authorize,
    Call,
    Capture,
    Found,
    GiveBack,
    Look,
    Movements,
    Notice,
    Outcome,
    SetUp,
    Unknown,
)


class Psp(Protocol):
    """A payment provider. Each call has a key of ours, and the same key never moves money twice.

    No method but ``parse_webhook`` raises: what cannot be known is ``Unknown``.
    """

    async def tokenize(self, number: str) -> Outcome:
        """A token for the number of a card, where this provider takes numbers from us."""
        ...

    async def setup_mandate(self, call: SetUp) -> Outcome: ...

    async def authorize(self, call: Authorize) -> Outcome: ...

    async def capture(self, call: Capture) -> Outcome: ...

    async def refund(self, call: GiveBack) -> Outcome: ...

    async def fetch(self, call: Look) -> Found | Unknown: ...

    async def list_since(self, cursor: str, limit: int) -> Movements | Unknown:
        """What came and went after a cursor, oldest first; an empty one is the beginning."""
        ...

    def parse_webhook(self, body: bytes, signature: str) -> Notice:
        """What a webhook tells of; raises ``WebhookRejected`` unless the provider signed it."""
        ...


async def made(psp: Psp, call: Call) -> Outcome | Found:
    """What a call came to."""
    match call:
        case SetUp():
            return await psp.setup_mandate(call)
        case Authorize():
            return await psp.authorize(call)
        case Capture():
            return await psp.capture(call)
        case GiveBack():
            return await psp.refund(call)
        case Look():
            return await psp.fetch(call)
    assert_never(call)
