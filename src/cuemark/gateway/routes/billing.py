"""Plans, subscriptions and invoices: what members buy, and what operators sell."""

import asyncio

from litestar import get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Response

from cuemark.contracts.billing.invoices import (
    GetInvoice,
    GetLedger,
    Invoice,
    InvoicePage,
    InvoicePreview,
    Ledger,
    ListInvoices,
    PreviewInvoice,
    RefundInvoice,
    TakeWebhook,
    WebhookTaken,
)
from cuemark.contracts.billing.plans import (
    Coupon,
    ListPlans,
    ListTaxes,
    Plan,
    PlanList,
    TaxList,
    TaxRule,
)
from cuemark.contracts.billing.subscriptions import (
    AddTestCard,
    AdvanceClock,
    CardAdded,
    ChangePlan,
    ChangeSubscription,
    ClockStanding,
    Entitlement,
    GetEntitlement,
    GetSubscription,
    ReplaceCard,
    Subscribe,
    Subscription,
)
from cuemark.contracts.ids import AccountId
from cuemark.gateway.admission import admit_card
from cuemark.gateway.billing import invoice_page, invoice_pdf
from cuemark.gateway.billing.bodies import (
    CardBody,
    ChangeBody,
    ClockBody,
    PlanChoiceBody,
    RefundBody,
    SubscribeBody,
    TerritoryText,
    TestCardBody,
)
from cuemark.gateway.billing.invoice_text import Seller
from cuemark.gateway.errors import NotFound
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.views import API, Cursor, IdText, Limit

WEBHOOKS = f"{API}/billing/webhooks"
SIGNATURES = ("cuemark-sandbox-signature", "stripe-signature")
"""The headers in which providers sign; of an install one counts."""
_HEADERS = {"cache-control": "no-store"}


@get(f"{API}/plans", opt={"access": "anyone"}, tags=["billing"])
async def list_plans(parts: Parts, territory: FromQuery[TerritoryText] = "") -> PlanList:
    """With a territory what is on sale there, else all plans with all their prices."""
    return await parts.billing.list_plans(ListPlans(territory=territory))


@post(f"{API}/billing/test-cards", opt={"access": "member"}, status_code=200, tags=["billing"])
async def add_test_card(data: JSONBody[TestCardBody], parts: Parts) -> CardAdded:
    """A card of the sandbox by its number; a real number is refused."""
    return await parts.billing.add_test_card(AddTestCard(number=data.number))


@post(f"{API}/subscription", opt={"access": "member"}, tags=["billing"])
async def subscribe(
    data: JSONBody[SubscribeBody], parts: Parts, request: AnyRequest
) -> Subscription:
    await admit_card(parts, request, data.card, data.proof)
    with parts.plans.changing(request.user.account_id):
        return await parts.billing.subscribe(
            Subscribe(
                account_id=request.user.account_id,
                plan_id=data.plan_id,
                territory=data.territory,
                card=data.card,
                coupon=data.coupon,
                return_url=f"{parts.base_url()}/plan",
            )
        )


@get(f"{API}/subscription", opt={"access": "member"}, tags=["billing"])
async def get_subscription(parts: Parts, request: AnyRequest) -> Subscription:
    """Whoever looks at their subscription is shown what it opens from then on."""
    account_id = request.user.account_id
    with parts.plans.changing(account_id):
        return await parts.billing.get_subscription(GetSubscription(account_id=account_id))


@get(f"{API}/subscription/preview", opt={"access": "member"}, tags=["billing"])
async def preview_invoice(
    parts: Parts, request: AnyRequest, plan_id: FromQuery[IdText | None] = None
) -> InvoicePreview:
    """What is charged next and when; with a plan, what it costs to change to that now."""
    return await parts.billing.preview_invoice(
        PreviewInvoice(account_id=request.user.account_id, plan_id=plan_id or "")
    )


@get(f"{API}/entitlement", opt={"access": "member"}, tags=["billing"])
async def get_entitlement(parts: Parts, request: AnyRequest) -> Entitlement:
    return await parts.billing.get_entitlement(GetEntitlement(account_id=request.user.account_id))


@put(f"{API}/subscription/plan", opt={"access": "member"}, tags=["billing"])
async def change_plan(
    data: JSONBody[PlanChoiceBody], parts: Parts, request: AnyRequest
) -> Subscription:
    with parts.plans.changing(request.user.account_id):
        return await parts.billing.change_plan(
            ChangePlan(account_id=request.user.account_id, plan_id=data.plan_id)
        )


@post(f"{API}/subscription/changes", opt={"access": "member"}, status_code=200, tags=["billing"])
async def change_subscription(
    data: JSONBody[ChangeBody], parts: Parts, request: AnyRequest
) -> Subscription:
    with parts.plans.changing(request.user.account_id):
        return await parts.billing.change_subscription(
            ChangeSubscription(account_id=request.user.account_id, change=data.change)
        )


@put(f"{API}/subscription/card", opt={"access": "member"}, tags=["billing"])
async def replace_card(data: JSONBody[CardBody], parts: Parts, request: AnyRequest) -> Subscription:
    await admit_card(parts, request, data.card, data.proof)
    with parts.plans.changing(request.user.account_id):
        return await parts.billing.replace_card(
            ReplaceCard(
                account_id=request.user.account_id,
                card=data.card,
                return_url=f"{parts.base_url()}/plan",
            )
        )


@get(f"{API}/invoices", opt={"access": "member"}, tags=["billing"])
async def list_invoices(
    parts: Parts, request: AnyRequest, after: Cursor = "", limit: Limit = 50
) -> InvoicePage:
    """The caller's own, the newest first."""
    return await parts.billing.list_invoices(
        ListInvoices(account_id=request.user.account_id, after=after, limit=limit)
    )


@get(f"{API}/invoices/{{invoice_id:str}}", opt={"access": "member"}, tags=["billing"])
async def get_invoice(invoice_id: FromPath[str], parts: Parts, request: AnyRequest) -> Invoice:
    return await parts.billing.get_invoice(
        GetInvoice(invoice_id=invoice_id, account_id=request.user.account_id)
    )


@get(
    f"{API}/invoices/{{invoice_id:str}}/{{form:str}}",
    opt={"access": "member"},
    media_type="text/html",
    tags=["billing"],
)
async def show_invoice(
    invoice_id: FromPath[str], form: FromPath[str], parts: Parts, request: AnyRequest
) -> Response[bytes]:
    """An invoice to be read or printed: ``page`` is HTML, ``pdf`` is PDF."""
    if form not in ("page", "pdf"):
        raise NotFound("An invoice is shown as page or as pdf.")
    invoice = await parts.billing.get_invoice(
        GetInvoice(invoice_id=invoice_id, account_id=request.user.account_id)
    )
    seller, email = Seller(parts.service_name, parts.seller), request.user.email
    if form == "page":
        page = invoice_page.page(invoice, seller, email)
        return Response(page.encode(), media_type="text/html; charset=utf-8", headers=_HEADERS)
    document = await asyncio.to_thread(invoice_pdf.document, invoice, seller, email)
    name = f'inline; filename="invoice-{invoice.number}.pdf"'
    headers = _HEADERS | {"content-disposition": name}
    return Response(document, media_type="application/pdf", headers=headers)


@post(
    WEBHOOKS,
    opt={"access": "anyone", "limit": "webhook", "body": "any"},
    status_code=200,
    tags=["billing"],
)
async def take_webhook(parts: Parts, request: AnyRequest) -> WebhookTaken:
    """What the payment provider tells, and has signed."""
    signed = [request.headers[name] for name in SIGNATURES if name in request.headers]
    return await parts.billing.take_webhook(
        TakeWebhook(body=await request.body(), signature=signed[0] if signed else "")
    )


@put(f"{API}/plans", opt={"access": "operator", "staff": "plans.write"}, tags=["billing"])
async def put_plan(data: JSONBody[Plan], parts: Parts) -> Plan:
    return await parts.billing.put_plan(data)


@get(f"{API}/taxes", opt={"access": "operator", "staff": "taxes.read"}, tags=["billing"])
async def list_taxes(parts: Parts) -> TaxList:
    return await parts.billing.list_taxes(ListTaxes())


@put(f"{API}/taxes", opt={"access": "operator", "staff": "taxes.write"}, tags=["billing"])
async def put_tax(data: JSONBody[TaxRule], parts: Parts) -> TaxRule:
    return await parts.billing.put_tax(data)


@put(f"{API}/coupons", opt={"access": "operator", "staff": "coupons.write"}, tags=["billing"])
async def put_coupon(data: JSONBody[Coupon], parts: Parts) -> Coupon:
    return await parts.billing.put_coupon(data)


@post(
    f"{API}/invoices/{{invoice_id:str}}/refund",
    opt={"access": "operator", "staff": "invoices.refund"},
    status_code=200,
    tags=["billing"],
)
async def refund_invoice(
    invoice_id: FromPath[str], data: JSONBody[RefundBody], parts: Parts
) -> Invoice:
    return await parts.billing.refund_invoice(
        RefundInvoice(invoice_id=invoice_id, amount_minor=data.amount_minor)
    )


@get(
    f"{API}/accounts/{{account_id:str}}/invoices",
    opt={"access": "operator", "staff": "invoices.read"},
    tags=["billing"],
)
async def list_invoices_of(
    account_id: FromPath[str], parts: Parts, after: Cursor = "", limit: Limit = 50
) -> InvoicePage:
    return await parts.billing.list_invoices(
        ListInvoices(account_id=AccountId(account_id), after=after, limit=limit)
    )


@get(f"{API}/ledger", opt={"access": "operator", "staff": "ledger.read"}, tags=["billing"])
async def get_ledger(parts: Parts) -> Ledger:
    return await parts.billing.get_ledger(GetLedger())


@post(
    f"{API}/billing/clock",
    opt={"access": "operator", "staff": "clock.advance"},
    status_code=200,
    tags=["billing"],
)
async def advance_clock(data: JSONBody[ClockBody], parts: Parts) -> ClockStanding:
    """Set the sandbox's clock ahead, by which billing lives. 0 seconds: what time it is there."""
    with parts.plans.changing():
        return await parts.billing.advance_clock(AdvanceClock(seconds=data.seconds))
