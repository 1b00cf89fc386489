"""localstripe as a process: ``python -m tests.contract.billing.localstripe_server PORT``.

What it lacks of what Stripe documents, and the adapter needs, is added here, and is our reading of
those pages and no proof about Stripe:

- idempotency keys (https://docs.stripe.com/api/idempotent_requests)
- lists filtered by ``customer`` and ``payment_method``, and paged back by ``ending_before``
- ``allowed_payment_method_types``, and ``return_url`` with a page that the owner acts on
  (https://docs.stripe.com/api/payment_intents/object#payment_intent_object-next_action)
- pages of Checkout in the mode of set-up (https://docs.stripe.com/api/checkout/sessions): an owner
  names a card there, or goes away until the page is over
- nothing of it is kept on disk, where localstripe would keep it for all its users
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from localstripe import resources  # type: ignore[import-untyped]
from localstripe.resources import (  # type: ignore[import-untyped]
    BalanceTransaction,
    List,
    PaymentIntent,
    PaymentMethod,
    SetupIntent,
    StripeObject,
    store,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RETURNS: dict[str, str] = {}
ANSWERED: dict[str, tuple[str, int, bytes]] = {}


def _in_memory(*_: object) -> None:
    """Instead of a file in /tmp."""


@web.middleware
async def answer_once(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The same key has the same answer, and another request under it is refused."""
    key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
    if not key:
        return await handler(request)
    asked = f"{request.path} {await request.text()}"
    if key in ANSWERED:
        before, status, body = ANSWERED[key]
        if before != asked:
            error = {"type": "idempotency_error", "message": "the key was used otherwise"}
            return web.json_response({"error": error}, status=400)
        headers = {"Idempotent-Replayed": "true"}
        return web.Response(
            status=status, body=body, content_type="application/json", headers=headers
        )
    answer = await handler(request)
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    ANSWERED[key] = (asked, answer.status, answer.body)
    return answer


def _filtered(cls: Any, name: str) -> Any:
    def listed(url: str, limit: str = "10", starting_after: str | None = None, **asked: str) -> Any:
        found = List(url, limit=limit, starting_after=starting_after)
        every = [each for key, each in store.items() if key.startswith(f"{cls.object}:")]
        found._list = [each for each in reversed(every) if asked.get(name) == getattr(each, name)]
        return found

    return staticmethod(listed)


def _balance(
    url: str, limit: str = "10", starting_after: str | None = None, ending_before: str | None = None
) -> Any:
    """The newest first; before an entry are those that came next after it."""
    found = List(url, limit=limit, starting_after=starting_after)
    every = [each for key, each in store.items() if key.startswith("balance_transaction:")]
    if ending_before is not None:
        ids = [each.id for each in every]
        every = every[ids.index(ending_before) + 1 :][: int(limit)]
    found._list = every[::-1]
    return found


def _with_page(intent: Any, return_url: str | None) -> Any:
    if intent.status == "requires_action" and return_url:
        RETURNS[intent.id] = return_url
        url = f"http://127.0.0.1:{sys.argv[1]}/_pages/{intent.id}"
        intent.next_action = {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": return_url},
        }
    return intent


_create_setup, _confirm_setup = SetupIntent._api_create, SetupIntent._api_confirm
_create_payment, _confirm_payment = PaymentIntent._api_create, PaymentIntent._api_confirm


def create_setup(allowed_payment_method_types: list[str] | None = None, **data: Any) -> Any:
    return _create_setup(payment_method_types=allowed_payment_method_types, **data)


def confirm_setup(id: str, return_url: str | None = None, **data: Any) -> Any:
    return _with_page(_confirm_setup(id, **data), return_url)


def create_payment(allowed_payment_method_types: list[str] | None = None, **data: Any) -> Any:
    return _create_payment(payment_method_types=allowed_payment_method_types, **data)


def confirm_payment(
    id: str, return_url: str | None = None, payment_method: str | None = None, **data: Any
) -> Any:
    intent = PaymentIntent._api_retrieve(id)
    if intent.status == "requires_action":
        return _with_page(intent, return_url)
    return _confirm_payment(id, **data)


class CheckoutSession(StripeObject):  # type: ignore[misc]
    object = "checkout.session"
    _id_prefix = "cs_test_"

    def __init__(
        self,
        *,
        mode: str,
        customer: str,
        success_url: str,
        cancel_url: str,
        allowed_payment_method_types: list[str],
        metadata: dict[str, str],
        setup_intent_data: dict[str, dict[str, str]],
    ) -> None:
        assert mode == "setup"
        super().__init__()
        self.mode, self.customer, self.metadata = mode, customer, metadata
        self.success_url, self.cancel_url = success_url, cancel_url
        intent = SetupIntent(
            customer=customer,
            payment_method_types=allowed_payment_method_types,
            **setup_intent_data,
        )
        self.setup_intent = intent.id
        self.status = "open"
        self.url: str | None = f"http://127.0.0.1:{sys.argv[1]}/_pages/{self.id}"

    def _act(self, answer: str, number: str) -> str:
        """Where the page leads to."""
        if answer == "approve":
            card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
            intent = SetupIntent._api_retrieve(self.setup_intent)
            intent._attach_pm(PaymentMethod(type="card", card=card))
            intent.status, intent.next_action = "succeeded", None
            self.status, self.url = "complete", None
            return self.success_url
        self.status, self.url = "expired", None
        return self.cancel_url


def list_pages(limit: str = "10", starting_after: str | None = None) -> Any:
    return CheckoutSession._api_list_all("/v1/checkout/sessions", limit, starting_after)


async def act(request: web.Request) -> web.StreamResponse:
    """What the owner says on the page."""
    name, form = request.path.rsplit("/", 1)[1], await request.post()
    said = form.get("answer")
    if name.startswith(CheckoutSession._id_prefix):
        page = CheckoutSession._api_retrieve(name)
        raise web.HTTPSeeOther(page._act(str(said), str(form.get("number", ""))))
    kind: Any = SetupIntent if name.startswith("seti_") else PaymentIntent
    intent = kind._api_retrieve(name)
    if kind is PaymentIntent:
        kind._api_authenticate(name, intent.client_secret, said == "approve")
    elif said == "approve":
        intent.status, intent.next_action = "succeeded", None
    else:
        intent.status, intent.next_action = "requires_payment_method", None
        intent.payment_method = None
        intent.last_setup_error = {"code": "setup_intent_authentication_failure"}
    raise web.HTTPSeeOther(RETURNS[name])


@web.middleware
async def pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The owner's pages need no key."""
    if not request.path.startswith("/_pages/"):
        return await handler(request)
    if request.method == "POST":
        return await act(request)
    return web.Response(text="<form>approve</form>", content_type="text/html")


def main() -> None:
    resources.Store.dump_to_disk = _in_memory
    SetupIntent._api_create = staticmethod(create_setup)
    PaymentIntent._api_create = staticmethod(create_payment)
    SetupIntent._api_list_all = _filtered(SetupIntent, "payment_method")
    PaymentIntent._api_list_all = _filtered(PaymentIntent, "customer")
    BalanceTransaction._api_list_all = staticmethod(_balance)
    others = {
        "/v1/setup_intents/{id}/confirm": confirm_setup,
        "/v1/payment_intents/{id}/confirm": confirm_payment,
    }
    resources.extra_apis[:] = [
        (method, path, others.get(path, does)) for method, path, does in resources.extra_apis
    ]
    resources.extra_apis += [
        ("POST", "/v1/checkout/sessions", CheckoutSession._api_create),
        ("GET", "/v1/checkout/sessions", list_pages),
        ("GET", "/v1/checkout/sessions/{id}", CheckoutSession._api_retrieve),
    ]
    # The server makes its routes of these when it is imported.
    from localstripe.server import app  # type: ignore[import-untyped]

    app.middlewares.insert(0, answer_once)
    app.middlewares.insert(0, pages)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
