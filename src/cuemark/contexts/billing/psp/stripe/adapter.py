"""Stripe as billing sees it.

A card becomes a customer with a SetupIntent, by a token of Stripe's form in a browser or on a page
of Stripe's (https://docs.stripe.com/payments/checkout/save-and-reuse); a payment is a PaymentIntent
that is captured by hand. Everything carries our key in its metadata, and is found again by it in
lists, which are of what is true now (a search at Stripe may be a minute behind).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
import stripe

from cuemark.contexts.billing.model.calls import (
    ActionRequired,
    Authorize,
    Capture,
    Declined,
    Found,
    GiveBack,
    Look,
    Movement,
    Movements,
    Notice,
    Outcome,
    SetUp,
    Succeeded,
    Unknown,
)
from cuemark.contexts.billing.psp import Psp
from cuemark.contexts.billing.psp.stripe import reading, wire
from cuemark.contexts.billing.psp.stripe.asking import Lost, Refused, answer, read
from cuemark.contracts.billing import WebhookRejected
from cuemark.kit.errors import UNREADABLE

if TYPE_CHECKING:
    from stripe.params._balance_transaction_list_params import BalanceTransactionListParams
    from stripe.params.checkout._session_create_params import SessionCreateParams

T = TypeVar("T", wire.SetupIntent, wire.PaymentIntent, wire.CheckoutSession)
Item = TypeVar("Item")
API = "https://api.stripe.com"
ON_A_PAGE = "page"
"""Stands in the place of a card's token: its owner names it on a page of Stripe's."""
PAGE = 100
MOST_PAGES = 100
"""Of the list in which the first movement is looked for."""
TOLERANCE_S = 300


@dataclass(frozen=True)
class Account:
    """An account at Stripe: its secret key, and what signs its webhooks. ``return_url`` is where
    its pages lead back to."""

    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    return_url: str
    url: str = API


class _Page(msgspec.Struct, Generic[Item], frozen=True):
    data: list[Item]
    has_more: bool = False


class StripePsp(Psp):
    def __init__(self, account: Account, transport: stripe.HTTPClient) -> None:
        self._account = account
        self._api = stripe.StripeClient(
            account.key,
            http_client=transport,
            max_network_retries=0,
            base_addresses={"api": account.url},
        ).v1

    async def tokenize(self, number: str) -> Outcome:
        """Numbers are given to Stripe, never to us."""
        return Declined(code="given_to_stripe", retryable=False)

    async def setup_mandate(self, call: SetUp) -> Outcome:
        try:
            if call.card == ON_A_PAGE:
                return await self._ask_for_card(call)
            intent = await self._set_up(call)
        except Lost as error:
            return Unknown(reason=str(error))
        except Refused as error:
            return reading.declined(error.failure) if error.of_card else _rejected(error)
        return reading.outcome_of_setup(intent)

    async def authorize(self, call: Authorize) -> Outcome:
        """Without the owner at first; where the bank wants them, their page is asked for."""
        customer, _, card = call.mandate_ref.partition("/")
        try:
            intent = await answer(
                self._api.payment_intents.create_async(
                    params={
                        "amount": reading.amount_of(call.money),
                        "currency": call.money.currency.lower(),
                        "customer": customer,
                        "payment_method": card,
                        "allowed_payment_method_types": ["card"],
                        "capture_method": "manual",
                        "confirm": True,
                        "off_session": True,
                        "metadata": {wire.KEY: call.key},
                    },
                    options={"idempotency_key": call.key},
                ),
                wire.PaymentIntent,
            )
        except Lost as error:
            return Unknown(reason=str(error))
        except Refused as error:
            if error.of_card and error.failure.code == "authentication_required":
                return await self._ask_owner(call, card, error.intent)
            return reading.declined(error.failure) if error.of_card else _rejected(error)
        if intent.status == "requires_action" and not reading.page_of(intent.next_action):
            return await self._ask_owner(call, card, intent)
        return reading.outcome_of_payment(intent)

    async def capture(self, call: Capture) -> Outcome:
        """Where Stripe refuses, the payment stands otherwise than we know: it is looked at."""
        try:
            intent = await answer(
                self._api.payment_intents.capture_async(
                    call.ref,
                    params={"amount_to_capture": reading.amount_of(call.money)},
                    options={"idempotency_key": f"{call.key}:capture"},
                ),
                wire.PaymentIntent,
            )
        except (Lost, Refused):
            return await self._captured_already(call)
        return Succeeded(ref=intent.id) if intent.status == "succeeded" else Unknown(reason="")

    async def refund(self, call: GiveBack) -> Outcome:
        try:
            for each in await self._refunds(call.ref):
                if each.metadata.get(wire.KEY) == call.key and each.status in reading.GIVEN_BACK:
                    return Succeeded(ref=each.id)
            refund = await answer(
                self._api.refunds.create_async(
                    params={
                        "payment_intent": call.ref,
                        "amount": reading.amount_of(call.money),
                        "metadata": {wire.KEY: call.key, wire.OF_PAYMENT: call.payment_key},
                    },
                    options={"idempotency_key": call.key},
                ),
                wire.Refund,
            )
        except Lost as error:
            return Unknown(reason=str(error))
        except Refused as error:
            return _rejected(error)
        if refund.status in reading.GIVEN_BACK:
            return Succeeded(ref=refund.id)
        return Declined(code=refund.failure_reason or "refund_failed", retryable=False)

    async def fetch(self, call: Look) -> Found | Unknown:
        try:
            return await (self._found_setup(call) if call.card else self._found_payment(call))
        except (Lost, Refused) as error:
            return Unknown(reason=str(error))

    async def list_since(self, cursor: str, limit: int) -> Movements | Unknown:
        """Lines of Stripe's balance: what is neither paid nor given back there is passed over."""
        try:
            entries = await self._entries(cursor, min(limit, PAGE))
            found: list[Movement] = []
            for each in reversed(entries):
                movement = reading.movement_of(each, await self._key_of(each))
                if movement is not None:
                    found.append(movement)
        except (Lost, Refused) as error:
            return Unknown(reason=str(error))
        return Movements(movements=found, cursor=entries[0].id if entries else cursor)

    def parse_webhook(self, body: bytes, signature: str) -> Notice:
        """An event about nothing of ours has an empty key, and is nobody's."""
        try:
            stripe.WebhookSignature.verify_header(
                body, signature, self._account.webhook_secret, TOLERANCE_S
            )
        except (stripe.SignatureVerificationError, ValueError, TypeError) as error:
            raise WebhookRejected("The signature is not that of the payment provider.") from error
        try:
            event = msgspec.json.decode(body, type=wire.Event)
        except UNREADABLE as error:
            raise WebhookRejected("The webhook cannot be read.") from error
        metadata = event.data.object.metadata or {}
        key = metadata.get(wire.OF_PAYMENT) or metadata.get(wire.KEY) or ""
        return Notice(event_id=event.id, key=key)

    async def _customer(self, call: SetUp) -> str:
        made = await answer(
            self._api.customers.create_async(
                params={"metadata": {wire.KEY: call.key}},
                options={"idempotency_key": f"{call.key}:customer"},
            ),
            wire.Source,
        )
        return made.id

    async def _ask_for_card(self, call: SetUp) -> Outcome:
        """Nothing is taken on the page, so that a second one for a key whose first was lost costs
        nobody anything."""
        back = call.return_url or self._account.return_url
        params: SessionCreateParams = {
            "mode": "setup",
            "customer": await self._customer(call),
            "allowed_payment_method_types": ["card"],
            "success_url": back,
            "cancel_url": back,
            "metadata": {wire.KEY: call.key},
            "setup_intent_data": {"metadata": {wire.KEY: call.key}},
        }
        asked = self._api.checkout.sessions.create_async(
            params, options={"idempotency_key": f"{call.key}:page"}
        )
        page = await answer(asked, wire.CheckoutSession)
        found = reading.found_page(page)
        if isinstance(found, Found) and found.status == "action":
            return ActionRequired(ref=found.ref, url=found.url)
        return Unknown(reason=f"the page is {page.status}")

    async def _set_up(self, call: SetUp) -> wire.SetupIntent:
        begun = await answer(
            self._api.setup_intents.create_async(
                params={
                    "customer": await self._customer(call),
                    "usage": "off_session",
                    "allowed_payment_method_types": ["card"],
                    "metadata": {wire.KEY: call.key},
                },
                options={"idempotency_key": f"{call.key}:setup"},
            ),
            wire.SetupIntent,
        )
        return await answer(
            self._api.setup_intents.confirm_async(
                begun.id,
                params={
                    "payment_method": call.card,
                    "return_url": call.return_url or self._account.return_url,
                },
                options={"idempotency_key": f"{call.key}:confirm"},
            ),
            wire.SetupIntent,
        )

    async def _ask_owner(self, call: Authorize, card: str, refused: object) -> Outcome:
        """The same payment again, with its owner there: the answer is where their page is."""
        try:
            intent = read(refused, wire.PaymentIntent)
            asked = await answer(
                self._api.payment_intents.confirm_async(
                    intent.id,
                    params={"payment_method": card, "return_url": self._account.return_url},
                    options={"idempotency_key": f"{call.key}:owner"},
                ),
                wire.PaymentIntent,
            )
        except Lost as error:
            return Unknown(reason=str(error))
        except Refused as error:
            return reading.declined(error.failure)
        return reading.outcome_of_payment(asked)

    async def _captured_already(self, call: Capture) -> Outcome:
        found = await self.fetch(Look(key=call.key, ref=call.ref))
        if isinstance(found, Found) and found.status == "captured":
            return Succeeded(ref=call.ref)
        if isinstance(found, Found) and found.status == "declined":
            return Declined(code=found.code, retryable=True)
        return Unknown(reason="the capture was not answered")

    async def _found_setup(self, call: Look) -> Found | Unknown:
        if call.ref.startswith("seti_"):
            told = self._api.setup_intents.retrieve_async(call.ref)
            return reading.found_setup(await answer(told, wire.SetupIntent))
        if call.card == ON_A_PAGE:
            return await self._found_page(call)
        page = await answer(
            self._api.setup_intents.list_async({"payment_method": call.card, "limit": PAGE}),
            _Page[wire.SetupIntent],
        )
        intent = _ours(page, call.key)
        return _absent(page) if intent is None else reading.found_setup(intent)

    async def _found_page(self, call: Look) -> Found | Unknown:
        """By its key among the newest pages only: one that is missed there is opened again."""
        if call.ref:
            told = self._api.checkout.sessions.retrieve_async(
                call.ref, {"expand": ["setup_intent"]}
            )
            return reading.found_page(await answer(told, wire.CheckoutSession))
        listed = self._api.checkout.sessions.list_async(
            {"limit": PAGE, "expand": ["data.setup_intent"]}
        )
        session = _ours(await answer(listed, _Page[wire.CheckoutSession]), call.key)
        return _ABSENT if session is None else reading.found_page(session)

    async def _found_payment(self, call: Look) -> Found | Unknown:
        if call.ref.startswith("pi_"):
            intent = await answer(
                self._api.payment_intents.retrieve_async(call.ref, {"expand": ["latest_charge"]}),
                wire.PaymentIntent,
            )
            return await self._with_what_went_back(intent)
        customer = call.mandate_ref.partition("/")[0]
        page = await answer(
            self._api.payment_intents.list_async(
                {"customer": customer, "limit": PAGE, "expand": ["data.latest_charge"]}
            ),
            _Page[wire.PaymentIntent],
        )
        payment = _ours(page, call.key)
        return _absent(page) if payment is None else await self._with_what_went_back(payment)

    async def _with_what_went_back(self, intent: wire.PaymentIntent) -> Found | Unknown:
        charge = intent.latest_charge
        refunds: Sequence[wire.Refund] = ()
        disputes: Sequence[wire.Dispute] = ()
        if isinstance(charge, wire.Charge) and charge.amount_refunded:
            refunds = await self._refunds(intent.id)
        if isinstance(charge, wire.Charge) and charge.disputed:
            page = await answer(
                self._api.disputes.list_async({"payment_intent": intent.id, "limit": PAGE}),
                _Page[wire.Dispute],
            )
            disputes = page.data
        return reading.found_payment(intent, refunds, disputes)

    async def _refunds(self, payment_intent: str) -> list[wire.Refund]:
        page = await answer(
            self._api.refunds.list_async({"payment_intent": payment_intent, "limit": PAGE}),
            _Page[wire.Refund],
        )
        return page.data

    async def _entries(self, cursor: str, limit: int) -> list[wire.BalanceTransaction]:
        """The lines next after a cursor, the newest of them first. Without a cursor they are the
        first there are: Stripe lists from the newest on, so the list is walked to its end."""
        if cursor:
            page = await self._page_of_entries({"ending_before": cursor, "limit": limit})
            return page.data
        page = await self._page_of_entries({"limit": PAGE})
        for _ in range(MOST_PAGES):
            if not page.has_more or not page.data:
                break
            after = page.data[-1].id
            page = await self._page_of_entries({"starting_after": after, "limit": PAGE})
        return page.data[-limit:]

    async def _page_of_entries(
        self, asked: "BalanceTransactionListParams"
    ) -> _Page[wire.BalanceTransaction]:
        told = self._api.balance_transactions.list_async({**asked, "expand": ["data.source"]})
        return await answer(told, _Page[wire.BalanceTransaction])

    async def _key_of(self, entry: wire.BalanceTransaction) -> str:
        """Our key of the payment that a line of the balance is about, or nothing."""
        source = entry.source
        if not isinstance(source, wire.Source):
            return ""
        key = source.metadata.get(wire.OF_PAYMENT) or source.metadata.get(wire.KEY)
        if key or not source.payment_intent:
            return key or ""
        told = self._api.payment_intents.retrieve_async(source.payment_intent)
        return (await answer(told, wire.PaymentIntent)).metadata.get(wire.KEY, "")


def _ours(page: _Page[T], key: str) -> T | None:
    return next((each for each in page.data if each.metadata.get(wire.KEY) == key), None)


def _absent(page: _Page[T]) -> Found | Unknown:
    """What is not on the page is nowhere, unless there are more pages."""
    return Unknown(reason="there are too many to look through") if page.has_more else _ABSENT


def _rejected(error: Refused) -> Declined:
    """Nothing was done. What Stripe does not know today it will not know tomorrow."""
    return Declined(code=error.failure.code or "rejected", retryable=False)


_ABSENT = Found(status="absent")
