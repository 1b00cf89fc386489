"""The sandbox's desk: requests in, answers out, and the faults that were asked for in between."""

import hmac
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.sandbox.bank import Bank, Rejected
from cuemark.kit.errors import UNREADABLE

MOST_BYTES = 16 * 1024
JSON, HTML = "application/json", "text/html; charset=utf-8"


class Reply(NamedTuple):
    """``location`` is where a page leads to, with status 303."""

    status: int
    body: bytes
    media_type: str = JSON
    location: str = ""


class Hangup(Exception):
    """No answer is to come: whether it was done or not, the caller cannot know."""


class Desk:
    """``secret`` is what callers show as a bearer token; pages are for anyone who has the link."""

    def __init__(self, bank: Bank, secret: str) -> None:
        self._bank = bank
        self._bearer = f"Bearer {secret}".encode()
        self._operations: Mapping[str, tuple[wire.Operation, type, Callable[[Any], object]]] = {
            "/v1/cards": ("card", wire.CardAsked, lambda asked: bank.tokenize(asked.number)),
            "/v1/mandates": ("mandate", wire.MandateAsked, bank.set_up),
            "/v1/debit-mandates": ("mandate", wire.DebitMandateAsked, bank.set_up_debit),
            "/v1/captures": ("capture", wire.CaptureAsked, bank.capture),
            "/v1/refunds": ("refund", wire.RefundAsked, bank.refund),
            "/v1/find": ("fetch", wire.KeyAsked, lambda asked: bank.find(asked.key)),
            "/v1/movements": (
                "list",
                wire.MovementsAsked,
                lambda asked: bank.movements(asked.after, asked.limit),
            ),
        }

    def answer(self, method: str, path: str, body: bytes, bearer: str) -> Reply:
        """Raises ``Hangup`` where a fault says so."""
        if path.startswith("/pages/"):
            return self._page(method, path.removeprefix("/pages/"), body)
        if not hmac.compare_digest(bearer.encode(), self._bearer):
            return _refused(401, "show the sandbox's secret as a bearer token")
        if method != "POST":
            return _refused(405, "everything here is asked for by POST")
        try:
            return self._post(path, body)
        except UNREADABLE as error:
            return _refused(400, str(error))
        except Rejected as error:
            return _refused(422, str(error))

    def _post(self, path: str, body: bytes) -> Reply:
        if path == "/v1/authorizations":
            asked = msgspec.json.decode(body, type=wire.PaymentAsked)
            fault = self._meet("authorize")
            done: object = self._bank.authorize(asked, fault)
        elif path in self._operations:
            operation, kind, act = self._operations[path]
            request: Any = msgspec.json.decode(body, type=kind)
            fault = self._meet(operation)
            done = act(request)
        else:
            return self._manage(path, body)
        if fault == "unavailable":
            return _refused(503, "the sandbox was told to be away")
        if fault == "timeout_after_success":
            raise Hangup
        return Reply(200, msgspec.json.encode(done))

    def _meet(self, operation: wire.Operation) -> wire.FaultName | None:
        fault = self._bank.fault_for(operation)
        if fault == "timeout_before":
            raise Hangup
        return fault

    def _manage(self, path: str, body: bytes) -> Reply:
        """What people ask of the sandbox that no provider offers."""
        match path:
            case "/v1/clock":
                asked = msgspec.json.decode(body, type=wire.ClockAsked)
                if asked.advance_s:
                    self._bank.advance(asked.advance_s)
                told = wire.ClockTold(ahead_s=self._bank.ahead_s())
                return Reply(200, msgspec.json.encode(told))
            case "/v1/faults":
                self._bank.set_fault(msgspec.json.decode(body, type=wire.Fault))
            case "/v1/faults/clear":
                self._bank.clear_faults()
            case "/v1/chargebacks":
                self._bank.charge_back(msgspec.json.decode(body, type=wire.KeyAsked).key)
            case _:
                return _refused(404, "there is nothing at this address")
        return Reply(200, msgspec.json.encode(wire.Done()))

    def _page(self, method: str, ref: str, body: bytes) -> Reply:
        """The page on which an owner approves (3-D Secure, a mandate), and what is said there."""
        try:
            key = self._bank.key_of(ref)
            if method == "POST":
                said = parse_qs(body.decode(errors="replace"))
                back = self._bank.act(
                    key,
                    approve=said.get("answer", [""])[0] == "approve",
                    account=said.get("account", [""])[0],
                )
                if back:
                    return Reply(303, b"", HTML, location=back)
                return _html(200, "Thank you", "You can close this page.", "")
            if self._bank.find(key).status != "action":
                return _html(200, "Done", "There is nothing left to approve here.", "")
            asks_for_account = self._bank.asks_for_account(key)
        except Rejected as error:
            return _html(404, "Nothing here", f"{error}.".capitalize(), "")
        if asks_for_account:
            return _html(200, "Pay by direct debit", "From which account?", _ACCOUNT_FORM)
        return _html(200, "Is it you?", "The sandbox's bank asks before your card is used.", _FORM)


_ACCOUNT_FORM = (
    '<form method="post"><label>IBAN <input name="account" autocomplete="off"></label> '
    '<button name="answer" value="approve">Approve</button> '
    '<button name="answer" value="refuse">Refuse</button></form>'
)
_FORM = (
    '<form method="post"><button name="answer" value="approve">Approve</button> '
    '<button name="answer" value="refuse">Refuse</button></form>'
)


def _html(status: int, title: str, text: str, form: str) -> Reply:
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(text)}</p>{form}"
    )
    return Reply(status, page.encode(), HTML)


def _refused(status: int, message: str) -> Reply:
    return Reply(status, msgspec.json.encode({"message": message}))
