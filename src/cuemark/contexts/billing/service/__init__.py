"""Billing: what members and operators ask for, and what is told of it."""

import asyncio

import msgspec
import structlog

from cuemark.contexts.billing.model import acts, tariffs
from cuemark.contexts.billing.model.access import LONGEST, entitlement
from cuemark.contexts.billing.model.book import Book, Mandate
from cuemark.contexts.billing.model.calls import Declined, Succeeded
from cuemark.contexts.billing.model.previewing import preview
from cuemark.contexts.billing.psp import Psp
from cuemark.contexts.billing.service.tending import INVOICE, Failed, Tender
from cuemark.contexts.billing.service.timing import SandboxTime
from cuemark.contexts.billing.store import Books
from cuemark.contracts.billing import (
    Billing,
    BillingInvalid,
    BillingOff,
    NotSubscribed,
    UnknownInvoice,
)
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
    Price,
    TaxList,
    TaxRule,
)
from cuemark.contracts.billing.subscriptions import (
    AddTestCard,
    AdvanceClock,
    CardAdded,
    CardStanding,
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
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids, is_id
from cuemark.kit.outbox import Entry
from cuemark.kit.pages import checked_limit

MOST_PLANS = 200
ROUND_S = 1.0
"""Between two rounds in which nothing was due."""


class BillingService(Billing):
    """Without a provider nothing is sold, but plans can be made ready. ``sandbox`` is the time of
    the sandbox, where that is the provider."""

    def __init__(
        self,
        books: Books,
        psp: Psp | None,
        clock: Clock,
        ids: Ids,
        sandbox: SandboxTime | None = None,
    ) -> None:
        self._books = books
        self._psp = psp
        self._clock = clock
        self._tending = None if psp is None else Tender(books, psp, clock, ids)
        self._sandbox = sandbox

    async def put_plan(self, request: Plan) -> Plan:
        plan = tariffs.checked_plan(request)
        async with self._books.transaction() as transaction:
            tariff = await transaction.tariff()
            if tariff.plan(plan.plan_id) is None and len(tariff.plans) >= MOST_PLANS:
                raise BillingInvalid(f"There are {MOST_PLANS} plans already.")
            await transaction.put_plan(plan)
        return plan

    async def list_plans(self, request: ListPlans) -> PlanList:
        async with self._books.transaction() as transaction:
            plans = (await transaction.tariff()).plans
        if not request.territory:
            return PlanList(plans=list(plans))
        return PlanList(
            plans=[
                Plan(
                    plan_id=plan.plan_id,
                    name=plan.name,
                    prices=[Price(money=price)],
                    interval=plan.interval,
                    allowance=plan.allowance,
                    trial_days=plan.trial_days,
                )
                for plan in plans
                if plan.on_sale and (price := tariffs.price_of(plan, request.territory))
            ]
        )

    async def put_tax(self, request: TaxRule) -> TaxRule:
        rule = tariffs.checked_tax(request)
        async with self._books.transaction() as transaction:
            await transaction.put_tax(rule)
        return rule

    async def list_taxes(self, request: ListTaxes) -> TaxList:
        async with self._books.transaction() as transaction:
            return TaxList(rules=list((await transaction.tariff()).taxes))

    async def put_coupon(self, request: Coupon) -> Coupon:
        coupon = tariffs.checked_coupon(request)
        async with self._books.transaction() as transaction:
            await transaction.put_coupon(coupon)
        return coupon

    async def add_test_card(self, request: AddTestCard) -> CardAdded:
        match await self._provider.tokenize(request.number):
            case Succeeded(ref=token):
                return CardAdded(token=token)
            case Declined():
                raise BillingInvalid("This is no number of a test card.")
        raise Unavailable("the payment provider does not answer")

    async def subscribe(self, request: Subscribe) -> Subscription:
        """It is stored before the provider is asked, whose answer may come later than this one."""
        async with self._books.transaction() as transaction:
            draft = await self._tender.draft(transaction, request.account_id)
            coupon = None
            if request.coupon:
                coupon = await transaction.use_coupon(request.coupon, draft.now)
                if coupon is None:
                    raise BillingInvalid(f"The coupon {request.coupon} does not hold.")
            acts.subscribe(draft, request, coupon)
            await self._tender.keep(transaction, draft)
        return await self._up_to_date(request.account_id)

    async def get_subscription(self, request: GetSubscription) -> Subscription:
        async with self._books.transaction() as transaction:
            return _told(await transaction.glance(request.account_id))

    async def change_plan(self, request: ChangePlan) -> Subscription:
        async with self._books.transaction() as transaction:
            draft = await self._tender.draft(transaction, request.account_id)
            acts.change_plan(draft, request.plan_id)
            await self._tender.keep(transaction, draft)
        return await self._up_to_date(request.account_id)

    async def change_subscription(self, request: ChangeSubscription) -> Subscription:
        async with self._books.transaction() as transaction:
            draft = await self._tender.draft(transaction, request.account_id)
            acts.change(draft, request)
            await self._tender.keep(transaction, draft)
        return await self._up_to_date(request.account_id)

    async def replace_card(self, request: ReplaceCard) -> Subscription:
        async with self._books.transaction() as transaction:
            draft = await self._tender.draft(transaction, request.account_id)
            acts.replace_card(draft, request.card, request.return_url)
            await self._tender.keep(transaction, draft)
        return await self._up_to_date(request.account_id)

    async def get_entitlement(self, request: GetEntitlement) -> Entitlement:
        now = self._clock.now()
        entries = await self._books.accesses(request.account_id, now - LONGEST)
        return entitlement(request.account_id, entries, now)

    async def preview_invoice(self, request: PreviewInvoice) -> InvoicePreview:
        async with self._books.transaction() as transaction:
            book = await transaction.glance(request.account_id)
            tariff = await transaction.tariff()
        return preview(book, tariff, self._clock.now(), request.plan_id)

    async def list_invoices(self, request: ListInvoices) -> InvoicePage:
        limit = checked_limit(request.limit)
        before = request.after if is_id(request.after, INVOICE) else ""
        async with self._books.transaction() as transaction:
            bills = await transaction.bills(request.account_id, before, limit + 1)
        page = [bill.invoice for bill in bills[:limit]]
        more = len(bills) > limit
        return InvoicePage(invoices=page, next_cursor=page[-1].invoice_id if more else "")

    async def get_invoice(self, request: GetInvoice) -> Invoice:
        bill = None
        if is_id(request.invoice_id, INVOICE):
            async with self._books.transaction() as transaction:
                bill = await transaction.bill(request.invoice_id)
        if bill is None or request.account_id not in (None, bill.invoice.account_id):
            raise UnknownInvoice("There is no such invoice.")
        return bill.invoice

    async def refund_invoice(self, request: RefundInvoice) -> Invoice:
        invoice = await self.get_invoice(GetInvoice(invoice_id=request.invoice_id))
        async with self._books.transaction() as transaction:
            draft = await self._tender.draft(transaction, invoice.account_id, invoice.invoice_id)
            acts.refund(draft, invoice.invoice_id, request.amount_minor)
            await self._tender.keep(transaction, draft)
        await self._tender.tend(invoice.account_id)
        return await self.get_invoice(GetInvoice(invoice_id=request.invoice_id))

    async def take_webhook(self, request: TakeWebhook) -> WebhookTaken:
        """Into the inbox, and no more: whoever reads it fetches the state again."""
        notice = self._provider.parse_webhook(request.body, request.signature)
        async with self._books.transaction() as transaction:
            return WebhookTaken(fresh=await transaction.receive(notice, self._clock.now()))

    async def follow(self, transaction: Transaction, entry: Entry) -> None:
        """An account that is no more pays for no further period. Its invoices are kept, as whoever
        sells must. Reading an entry again changes nothing."""
        if entry.kind != AccountDeleted.__name__ or self._tending is None:
            return
        account_id = msgspec.json.decode(entry.body, type=AccountDeleted).account_id
        async with self._books.transaction() as books:
            draft = await self._tending.draft(books, account_id)
            if draft.agreement is not None:
                acts.leave(draft)
                await self._tending.keep(books, draft)

    async def advance_clock(self, request: AdvanceClock) -> ClockStanding:
        """A round of what becomes due by it is worked on before the answer."""
        if self._sandbox is None:
            raise BillingInvalid("Only the sandbox has a clock that can be set.")
        if not 0 <= request.seconds <= 366 * 86400:
            raise BillingInvalid("The clock goes forward, by a year at most.")
        await self._sandbox.advance(request.seconds)
        await self.work()
        return ClockStanding(now=self._clock.now())

    async def get_ledger(self, request: GetLedger) -> Ledger:
        async with self._books.transaction() as transaction:
            return Ledger(
                balances=await transaction.balances(),
                discrepancies=await transaction.discrepancies(),
            )

    async def work(self, failed: Failed | None = None) -> int:
        """One round of what is due: webhooks, accounts, movements; how much of it there was.

        ``failed`` is as in ``Tender.tend_due``.
        """
        if self._sandbox is not None:
            await self._sandbox.refresh()
        done = await self._tender.read_inbox()
        done += await self._tender.tend_due(failed)
        return done + await self._tender.reconcile()

    async def keep_working(self) -> None:
        """For ever: what is due, as it becomes due."""
        while True:
            done = 0
            try:
                done = await self.work(_broke)
            except Unavailable:
                structlog.get_logger().warning("billing_waits")
            await asyncio.sleep(0 if done else ROUND_S)

    @property
    def _provider(self) -> Psp:
        if self._psp is None:
            raise _off()
        return self._psp

    @property
    def _tender(self) -> Tender:
        if self._tending is None:
            raise _off()
        return self._tending

    async def _up_to_date(self, account_id: AccountId) -> Subscription:
        try:
            await self._tender.tend(account_id)
        except Unavailable:
            # What was asked for is stored: a worker goes on with it.
            structlog.get_logger().warning("billing_left_to_worker", account_id=account_id)
        return await self.get_subscription(GetSubscription(account_id=account_id))


def _off() -> BillingOff:
    return BillingOff("This service sells nothing.")


def _broke(account_id: AccountId, error: Exception) -> None:
    structlog.get_logger().error("billing_broke", account_id=account_id, exc_info=error)


def _told(book: Book) -> Subscription:
    agreement, mandate, unpaid = book.agreement, book.mandate, book.unpaid
    if agreement is None:
        raise NotSubscribed("You have no subscription: subscribe first.")
    payment = unpaid.payments[-1] if unpaid and unpaid.payments else None
    code = payment.code if payment else mandate.code if mandate else ""
    return Subscription(
        subscription_id=agreement.subscription_id,
        account_id=book.account_id,
        state=agreement.state,
        plan_id=agreement.terms.plan_id,
        plan_name=agreement.terms.name,
        price=agreement.terms.price,
        territory=agreement.territory,
        period_starts_at=agreement.starts_at,
        period_ends_at=agreement.ends_at,
        card=_standing(mandate),
        next_plan_id=agreement.next_terms.plan_id if agreement.next_terms else "",
        action_url=(mandate.url if mandate else "") or (payment.url if payment else ""),
        coupon=agreement.coupon.code if agreement.coupon and agreement.coupon_left else "",
        decline_code=code,
    )


def _standing(mandate: Mandate | None) -> CardStanding:
    if mandate is None:
        return "none"
    if mandate.status == "prepared" or mandate.status == "sending":
        return "pending"
    return mandate.status
