"""Every payment provider as the contract suite sees it, and what each of them cannot do here.

The suite asks for a provider by what it has to be able to do (``able``), so nothing is skipped: a
test is made for those who can, and ``CANNOT`` says of the others why not.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import msgspec
import pytest
import requests
import stripe

from cuemark.contexts.billing.model.calls import Succeeded
from cuemark.contexts.billing.psp import Psp
from cuemark.contexts.billing.psp.debit import AT_THE_BANK, DebitPsp
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.stripe.adapter import API, ON_A_PAGE, Account, StripePsp
from cuemark.contexts.billing.psp.stripe.transport import Transport
from tests.contract.billing.conftest import KEY, Sandbox, free_port, running

Kind = Literal["good", "asks_once", "asks_each", "poor", "closed"]
"""How what pays behaves: it pays, has its owner asked at the set-up or at each payment, has no
money, or is gone for good."""
Operation = Literal["mandate", "authorize", "capture", "refund"]
NAMES = ["sandbox", "debit", "localstripe", "checkout"]
LIVE = "CUEMARK_TEST_STRIPE_KEY"
if LIVE in os.environ:
    NAMES.append("stripe")

LOCALSTRIPE = {
    "tokens": "numbers are given to Stripe, not to us",
    "tells_why": "localstripe has one code for every decline",
    "bounds_refunds": "localstripe gives back more than was paid",
    "charges_back": "localstripe knows no disputes",
}
CANNOT: Mapping[str, Mapping[str, str]] = {
    "sandbox": {},
    "debit": {
        "pays_at_once": "banks take days to pay a debit",
        "tokens": "accounts are named at the bank, not to us",
        "asks_at_payments": "a mandate is all that an owner is asked for",
        "sets_up_unasked": "an owner is always asked for the mandate",
    },
    "localstripe": LOCALSTRIPE,
    "checkout": LOCALSTRIPE | {"sets_up_unasked": "an owner always names the card on a page"},
    "stripe": {
        "tokens": "numbers are given to Stripe, not to us",
        "acts": "the page of a bank in Stripe's test mode wants a browser and the network",
        "charges_back": "a dispute in Stripe's test mode is lost by hand, in its dashboard",
        "asks_at_payments": "as for acts",
    },
}


def able(*needs: str) -> pytest.MarkDecorator:
    """For every provider that can do all of this."""
    return pytest.mark.parametrize(
        "provider",
        [name for name in NAMES if not set(needs) & set(CANNOT[name])],
        indirect=True,
    )


class Provider(Protocol):
    name: str
    psp: Psp
    dead_psp: Psp
    """The same adapter, with nobody at the other end."""

    def key(self, text: str) -> str:
        """A key that no other run has used."""
        ...

    async def card(self, kind: Kind) -> str: ...

    async def act(self, url: str, kind: Kind, answer: str) -> str:
        """The owner says ``answer`` on a page; where the page leads then."""
        ...

    async def lose(self, operation: Operation, when: Literal["before", "after"]) -> None:
        """The next request of an operation has no answer: it was not done, or it was."""
        ...

    async def pass_days(self) -> None:
        """As many as banks take."""
        ...

    async def charge_back(self, key: str) -> None: ...

    def signed(self, event_id: str, key: str) -> tuple[bytes, str]: ...


NUMBERS: Mapping[Kind, str] = {
    "good": "4242424242424242",
    "asks_once": "4000000000003220",
    "asks_each": "4000000000003063",
    "poor": "4000000000009995",
    "closed": "4000000000009979",
}
ACCOUNTS: Mapping[Kind, str] = {
    "good": "DE89 3704 0044 0532 0130 00",
    "asks_once": "DE89 3704 0044 0532 0130 00",
    "poor": "DE62 3704 0044 0532 0130 01",
    "closed": "DE35 3704 0044 0532 0130 02",
}
FAULTS: Mapping[str, wire.FaultName] = {
    "before": "timeout_before",
    "after": "timeout_after_success",
}


@dataclass
class AtSandbox:
    """The sandbox by cards, or as the bank of direct debits."""

    name: str
    psp: Psp
    dead_psp: Psp
    sandbox: Sandbox

    def key(self, text: str) -> str:
        return text

    async def card(self, kind: Kind) -> str:
        if self.name == "debit":
            return AT_THE_BANK
        told = await self.psp.tokenize(NUMBERS[kind])
        assert isinstance(told, Succeeded)
        return told.ref

    async def act(self, url: str, kind: Kind, answer: str) -> str:
        said = {"answer": answer}
        if self.name == "debit":
            said["account"] = ACCOUNTS[kind]
        return await posted(url, said)

    async def lose(self, operation: Operation, when: Literal["before", "after"]) -> None:
        await self.sandbox.fault(FAULTS[when], operation)

    async def pass_days(self) -> None:
        if self.name == "debit":
            await self.sandbox.psp.ahead_s(6 * 86400)

    async def charge_back(self, key: str) -> None:
        assert await self.sandbox.ask("/v1/chargebacks", wire.KeyAsked(key=key)) == 200

    def signed(self, event_id: str, key: str) -> tuple[bytes, str]:
        body = msgspec.json.encode(wire.Event(event_id=event_id, key=key))
        return body, wire.signature_of(KEY, body)


PATHS: Mapping[Operation, str] = {
    "mandate": "/confirm",
    "authorize": "/v1/payment_intents",
    "capture": "/capture",
    "refund": "/v1/refunds",
}
STRIPES: Mapping[Kind, str] = {
    "good": "4242424242424242",
    "asks_once": "4000002500003155",
    "asks_each": "4000002760003184",
    "poor": "4000000000000341",
    "closed": "4000000000009979",
}
STRIPE_TOKENS: Mapping[Kind, str] = {
    "good": "pm_card_visa",
    "asks_once": "pm_card_authenticationRequiredOnSetup",
    "asks_each": "pm_card_authenticationRequired",
    "poor": "pm_card_chargeCustomerFail",
    "closed": "pm_card_visa_chargeDeclinedStolenCard",
}
WEBHOOK_SECRET = "whsec_of_tests"


class Losing(Transport):
    """A network that loses what it was told to lose."""

    def __init__(self) -> None:
        super().__init__()
        self.next: tuple[str, str] | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        when = ""
        if self.next and method.upper() == "POST" and url.endswith(self.next[0]):
            when, self.next = self.next[1], None
        if when == "before":
            raise _lost()
        reply = await super().request_async(method, url, headers, post_data)
        if when == "after":
            raise _lost()
        return reply


@dataclass
class AtStripe:
    """Stripe in its test mode, or localstripe: by tokens of cards, or on a page (``checkout``)."""

    name: str
    psp: Psp
    dead_psp: Psp
    transport: Losing
    api: stripe.StripeClient
    run: str

    def key(self, text: str) -> str:
        return f"{text}-{self.run}"

    async def card(self, kind: Kind) -> str:
        if self.name == "checkout":
            return ON_A_PAGE
        if self.name == "stripe":
            return STRIPE_TOKENS[kind]
        card = {"number": STRIPES[kind], "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        made = await self.api.raw_request_async(
            "post", "/v1/payment_methods", type="card", card=card
        )
        return str(made.data["id"])

    async def act(self, url: str, kind: Kind, answer: str) -> str:
        """On Stripe's page a card is named, which others have been given by then."""
        return await posted(url, {"answer": answer, "number": STRIPES[kind]})

    async def lose(self, operation: Operation, when: Literal["before", "after"]) -> None:
        on_a_page = self.name == "checkout" and operation == "mandate"
        self.transport.next = ("/checkout/sessions" if on_a_page else PATHS[operation], when)

    async def pass_days(self) -> None:
        """Cards pay at once."""

    async def charge_back(self, key: str) -> None:
        raise AssertionError(CANNOT[self.name]["charges_back"])

    def signed(self, event_id: str, key: str) -> tuple[bytes, str]:
        subject = {"object": "payment_intent", "metadata": {"cuemark_key": key}}
        event = {"id": event_id, "object": "event", "data": {"object": subject}}
        body = msgspec.json.encode(event)
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET)
        return body, str(header)


@contextlib.asynccontextmanager
async def opened_provider(
    name: str, folder: Path, localstripe: Callable[[], str]
) -> AsyncIterator[Provider]:
    """``localstripe`` says where that is, and starts it if need be."""
    if name in ("sandbox", "debit"):
        async with running(folder / "bank.sqlite") as sandbox:
            kind = DebitPsp if name == "debit" else type(sandbox.psp)
            dead = kind(Sandbox.nobody().exchange, KEY)
            yield AtSandbox(name, kind(sandbox.line.exchange, KEY), dead, sandbox)
        return
    key, url = os.environ.get(LIVE, ""), API
    if name in ("localstripe", "checkout"):
        key, url = "sk_test_of_tests", localstripe()
    async with _at_stripe(name, key, url) as provider:
        yield provider


@contextlib.asynccontextmanager
async def _at_stripe(name: str, key: str, url: str) -> AsyncIterator[AtStripe]:
    transport, nowhere = Losing(), Transport(within_s=0.5)
    account = Account(key, WEBHOOK_SECRET, "http://here.test/plan", url)
    gone = Account(key, WEBHOOK_SECRET, "http://here.test/plan", f"http://127.0.0.1:{free_port()}")
    api = stripe.StripeClient(key, http_client=transport, base_addresses={"api": url})
    try:
        yield AtStripe(
            name,
            StripePsp(account, transport),
            StripePsp(gone, nowhere),
            transport,
            api,
            secrets.token_hex(4),
        )
    finally:
        await transport.close_async()
        await nowhere.close_async()


async def posted(url: str, said: dict[str, str]) -> str:
    def post() -> str:
        with requests.Session() as session:
            reply = session.post(url, data=said, allow_redirects=False, timeout=5)
        assert reply.status_code == 303, reply.text
        return reply.headers["location"]

    return await asyncio.to_thread(post)


def _lost() -> stripe.APIConnectionError:
    return stripe.APIConnectionError("lost", should_retry=False)  # type: ignore[no-untyped-call]
