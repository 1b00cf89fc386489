"""Billing: plans are sold, subscriptions run by the clock, invoices are paid, a ledger tells all.

Refusal
|-- UnknownPlan          no plan of this name is on sale here
|-- UnknownInvoice       the account has no such invoice
|-- NotSubscribed        the account has no subscription that runs
|-- AlreadySubscribed    the account has one that runs
|-- ChangeRefused        the subscription's state does not allow it; says what does
|-- PaymentRunning       a payment is being made: what depends on it waits
|-- BillingInvalid       a plan, price, coupon, card or amount is not acceptable; says which
|-- WebhookRejected      the signature of a webhook is not the provider's
`-- BillingOff           this install sells nothing
"""

from typing import ClassVar, Protocol

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
from cuemark.kit.errors import Refusal


class UnknownPlan(Refusal):
    code = "unknown_plan"
    status = 404


class UnknownInvoice(Refusal):
    code = "unknown_invoice"
    status = 404


class NotSubscribed(Refusal):
    code = "not_subscribed"
    status = 404


class AlreadySubscribed(Refusal):
    code = "already_subscribed"
    status = 409


class ChangeRefused(Refusal):
    code = "change_refused"
    status = 409


class PaymentRunning(Refusal):
    code = "payment_running"
    status = 409


class BillingInvalid(Refusal):
    code = "billing_invalid"
    status = 422


class WebhookRejected(Refusal):
    code = "webhook_rejected"
    status = 400


class BillingOff(Refusal):
    code = "billing_off"
    status = 404


class Billing(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        UnknownPlan,
        UnknownInvoice,
        NotSubscribed,
        AlreadySubscribed,
        ChangeRefused,
        PaymentRunning,
        BillingInvalid,
        WebhookRejected,
        BillingOff,
    )

    async def put_plan(self, request: Plan) -> Plan: ...

    async def list_plans(self, request: ListPlans) -> PlanList: ...

    async def put_tax(self, request: TaxRule) -> TaxRule: ...

    async def list_taxes(self, request: ListTaxes) -> TaxList: ...

    async def put_coupon(self, request: Coupon) -> Coupon: ...

    async def add_test_card(self, request: AddTestCard) -> CardAdded: ...

    async def subscribe(self, request: Subscribe) -> Subscription: ...

    async def get_subscription(self, request: GetSubscription) -> Subscription: ...

    async def change_plan(self, request: ChangePlan) -> Subscription: ...

    async def change_subscription(self, request: ChangeSubscription) -> Subscription: ...

    async def replace_card(self, request: ReplaceCard) -> Subscription: ...

    async def get_entitlement(self, request: GetEntitlement) -> Entitlement: ...

    async def preview_invoice(self, request: PreviewInvoice) -> InvoicePreview: ...

    async def list_invoices(self, request: ListInvoices) -> InvoicePage: ...

    async def get_invoice(self, request: GetInvoice) -> Invoice: ...

    async def refund_invoice(self, request: RefundInvoice) -> Invoice: ...

    async def take_webhook(self, request: TakeWebhook) -> WebhookTaken: ...

    async def advance_clock(self, request: AdvanceClock) -> ClockStanding: ...

    async def get_ledger(self, request: GetLedger) -> Ledger: ...
