"""Plans, subscriptions, invoices and webhooks over HTTP."""

import msgspec
import pytest

from tests.unit.gateway.asking import Asker
from tests.unit.gateway.buying import subscribe
from tests.unit.gateway.neighbours import ANNA, BEN, OPERATOR, Town
from tests.unit.gateway.neighbours.billing import GOOD_CARD

API = "/api/v1"


async def the_invoice(ask: Asker, token: str = ANNA) -> str:
    (invoice,) = (await ask("GET", f"{API}/invoices", token=token)).json()["invoices"]
    return str(invoice["invoice_id"])


async def test_a_member_sees_the_plans_subscribes_and_may_watch(ask: Asker) -> None:
    plans = (await ask("GET", f"{API}/plans?territory=DE")).json()["plans"]
    assert [each["plan_id"] for each in plans] == ["small"]
    assert (await ask("GET", f"{API}/subscription", token=ANNA)).code == "not_subscribed"
    found = await subscribe(ask)
    assert (found.status, found.json()["state"]) == (201, "active")
    entitlement = (await ask("GET", f"{API}/entitlement", token=ANNA)).json()
    assert (entitlement["entitled"], entitlement["allowance"]["max_height"]) == (True, 540)
    assert not (await ask("GET", f"{API}/entitlement", token=BEN)).json()["entitled"]
    body = {"change": "cancel"}
    changed = await ask("POST", f"{API}/subscription/changes", token=ANNA, json=body)
    assert changed.json()["state"] == "canceled"


async def test_a_plan_and_a_card_are_changed(ask: Asker) -> None:
    large = {
        "plan_id": "large",
        "name": "Large",
        "prices": [{"money": {"amount_minor": 900, "currency": "EUR"}}],
    }
    assert (await ask("PUT", f"{API}/plans", token=OPERATOR, json=large)).status == 200
    await subscribe(ask)
    body = {"plan_id": "large"}
    changed = await ask("PUT", f"{API}/subscription/plan", token=ANNA, json=body)
    assert changed.json()["plan_id"] == "large"
    card = await ask("POST", f"{API}/billing/test-cards", token=ANNA, json={"number": GOOD_CARD})
    body = {"card": card.json()["token"]}
    replaced = await ask("PUT", f"{API}/subscription/card", token=ANNA, json=body)
    assert replaced.json()["card"] == "ready"


async def test_what_is_charged_next_is_told(ask: Asker) -> None:
    path = f"{API}/subscription/preview"
    assert (await ask("GET", path, token=ANNA)).code == "not_subscribed"
    await subscribe(ask)
    told = (await ask("GET", path, token=ANNA)).json()
    assert (told["total_minor"], told["plan_name"], told["at_once"]) == (500, "Small", False)
    unknown = await ask("GET", f"{path}?plan_id=none", token=ANNA)
    assert (unknown.status, unknown.code) == (404, "unknown_plan")
    assert (await ask("GET", path, token=BEN)).code == "not_subscribed"


async def test_the_service_says_who_charges(ask: Asker) -> None:
    told = (await ask("GET", f"{API}/service")).json()["payments"]
    assert told == {"provider": "none", "publishable_key": ""}


async def test_an_invoice_is_shown_as_page_and_as_pdf_to_its_owner_alone(ask: Asker) -> None:
    await subscribe(ask)
    path = f"{API}/invoices/{await the_invoice(ask)}"
    assert (await ask("GET", path, token=ANNA)).json()["total_minor"] == 500
    page = await ask("GET", f"{path}/page", token=ANNA)
    assert "€5.00" in page.body.decode()
    assert page.header("content-type").startswith("text/html")
    pdf = await ask("GET", f"{path}/pdf", token=ANNA)
    assert pdf.body.startswith(b"%PDF-")
    assert pdf.header("content-type") == "application/pdf"
    for form in ("", "/page", "/pdf"):
        assert (await ask("GET", path + form, token=BEN)).code == "unknown_invoice"
    assert (await ask("GET", f"{path}/tiff", token=ANNA)).code == "not_found"


async def test_an_operator_refunds_and_reads_the_ledger(ask: Asker) -> None:
    await subscribe(ask)
    invoice_id = await the_invoice(ask)
    path = f"{API}/invoices/{invoice_id}/refund"
    assert (await ask("POST", path, token=ANNA, json={})).status == 403
    part = await ask("POST", path, token=OPERATOR, json={"amount_minor": 100})
    assert part.json()["refunded_minor"] == 100
    too_much = await ask("POST", path, token=OPERATOR, json={"amount_minor": 401})
    assert (too_much.status, too_much.code) == (422, "billing_invalid")
    ledger = (await ask("GET", f"{API}/ledger", token=OPERATOR)).json()
    sides = {each["account"]: each["debit_minor"] for each in ledger["balances"]}
    assert sides["clearing"] == 500
    listed = await ask("GET", f"{API}/accounts/acc_anna/invoices", token=OPERATOR)
    assert [each["invoice_id"] for each in listed.json()["invoices"]] == [invoice_id]


async def test_an_operator_sets_taxes_and_coupons_and_the_sandboxs_clock(ask: Asker) -> None:
    tax = {"territory": "DE", "rate_bp": 1900, "since": "2026-01-01T00:00:00Z"}
    assert (await ask("PUT", f"{API}/taxes", token=OPERATOR, json=tax)).status == 200
    assert len((await ask("GET", f"{API}/taxes", token=OPERATOR)).json()["rules"]) == 1
    coupon = {"code": "HALF", "percent_bp": 5000}
    assert (await ask("PUT", f"{API}/coupons", token=OPERATOR, json=coupon)).status == 200
    clock = await ask("POST", f"{API}/billing/clock", token=OPERATOR, json={"seconds": 86400})
    assert clock.json()["now"].startswith("2026-01-02")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/subscription", {"plan_id": "small", "territory": "de", "card": "card_1"}),
        ("/subscription", {"plan_id": "small", "territory": "DE", "card": "../.."}),
        ("/subscription/changes", {"change": "explode"}),
        ("/billing/test-cards", {"number": "four"}),
    ],
)
async def test_what_cannot_be_is_refused(ask: Asker, path: str, body: dict[str, str]) -> None:
    answer = await ask("POST", f"{API}{path}", token=ANNA, json=body)
    assert answer.status == 422


async def test_a_webhook_is_taken_once_from_who_has_signed_it(ask: Asker, town: Town) -> None:
    body = msgspec.json.encode({"event_id": "evt_1", "key": "acc_anna:m1"})
    path = f"{API}/billing/webhooks"
    headers = {"cuemark-sandbox-signature": town.till.signed(body)}
    for fresh in (True, False):
        taken = await ask("POST", path, headers=headers, chunks=[body])
        assert taken.json() == {"fresh": fresh}
    forged = await ask("POST", path, headers=headers, chunks=[body + b" "])
    assert (forged.status, forged.code) == (400, "webhook_rejected")
