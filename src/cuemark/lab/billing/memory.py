"""The store of billing in the memory of one process: what PostgreSQL promises, and no disk.

Writes of a transaction are nobody's until it commits, not even its own; books are locked, and what
is taken is skipped by others. It passes the contract suite that PostgreSQL passes.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import TracebackType
from typing import Self

import msgspec
from msgspec.structs import replace

from cuemark.contexts.billing.model.book import Bill, Book
from cuemark.contexts.billing.model.calls import Notice
from cuemark.contexts.billing.model.ledger import Entry, balances
from cuemark.contexts.billing.model.tariffs import Tariff
from cuemark.contexts.billing.store import MOST_DISCREPANCIES, Books, Transaction
from cuemark.contracts.billing.invoices import Balance, Discrepancy
from cuemark.contracts.billing.plans import Coupon, Plan, TaxRule
from cuemark.contracts.ids import AccountId

Pause = Callable[[], Awaitable[None]]
_CURSOR = "the cursor"


class Kept:
    """What was committed, and who has locked what."""

    def __init__(self) -> None:
        self.books: dict[AccountId, tuple[Book, datetime | None]] = {}
        self.bills: dict[str, Bill] = {}
        self.entries: dict[str, Entry] = {}
        self.events: list[msgspec.Struct] = []
        self.plans: dict[str, Plan] = {}
        self.taxes: dict[tuple[str, datetime], TaxRule] = {}
        self.coupons: dict[str, tuple[Coupon, int]] = {}
        self.notices: dict[str, tuple[Notice, datetime | None]] = {}
        self.cursor = ""
        self.discrepancies: dict[str, Discrepancy] = {}
        self.last_number = 0
        self.commits = 0
        self.locks: dict[str, object] = {}


class MemoryBooks(Books):
    """``pause`` is awaited wherever PostgreSQL would be waited for."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self.kept = Kept()

    async def accesses(self, account_id: AccountId, since: datetime) -> list[Entry]:
        await self._pause()
        return [
            entry
            for entry in self.kept.entries.values()
            if entry.account_id == account_id and entry.access is not None and entry.at >= since
        ]

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return _Transaction(self.kept, self._pause)


class _Transaction(Transaction):
    def __init__(self, kept: Kept, pause: Pause) -> None:
        self._kept = kept
        self._pause = pause
        self._writes: list[Callable[[], None]] = []
        self._mine: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._pause()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                await self._pause()
                for write in self._writes:
                    write()
                self._kept.commits += bool(self._writes)
        finally:
            for name in self._mine:
                del self._kept.locks[name]
        if kind is None:
            await self._pause()

    async def _lock(self, name: str) -> None:
        while self._kept.locks.get(name, self) is not self:
            await self._pause()
        self._kept.locks[name] = self
        self._mine.add(name)

    async def book(self, account_id: AccountId, invoice_id: str = "") -> Book:
        await self._lock(account_id)
        return self._book(account_id, invoice_id)

    async def glance(self, account_id: AccountId) -> Book:
        return self._book(account_id, "")

    def _book(self, account_id: AccountId, invoice_id: str) -> Book:
        book, _ = self._kept.books.get(account_id, (Book(account_id=account_id), None))
        bills = tuple(
            bill
            for bill in self._kept.bills.values()
            if bill.invoice.account_id == account_id
            and (bill.is_open or bill.invoice.invoice_id == invoice_id)
        )
        return replace(book, bills=bills)

    async def keep(
        self,
        book: Book,
        due_at: datetime | None,
        entries: Sequence[Entry],
        events: Sequence[msgspec.Struct],
    ) -> None:
        bare = replace(book, bills=())

        def write() -> None:
            self._kept.books[book.account_id] = (bare, due_at)
            for bill in book.bills:
                self._keep_bill(bill)
            for entry in entries:
                if entry.key in self._kept.entries:
                    raise AssertionError(f"{entry.key} was entered before")
                self._kept.entries[entry.key] = entry
            self._kept.events += events

        self._writes.append(write)

    def _keep_bill(self, bill: Bill) -> None:
        if not bill.invoice.number:
            self._kept.last_number += 1
            number = str(self._kept.last_number)
            bill = replace(bill, invoice=replace(bill.invoice, number=number))
        self._kept.bills[bill.invoice.invoice_id] = bill

    async def owner_of(self, invoice_id: str) -> AccountId | None:
        bill = self._kept.bills.get(invoice_id)
        return bill.invoice.account_id if bill else None

    async def bill(self, invoice_id: str) -> Bill | None:
        return self._kept.bills.get(invoice_id)

    async def bills(self, account_id: AccountId, before: str, limit: int) -> list[Bill]:
        found = [
            bill
            for invoice_id, bill in sorted(self._kept.bills.items(), reverse=True)
            if bill.invoice.account_id == account_id and (not before or invoice_id < before)
        ]
        return found[:limit]

    async def take_due(self, now: datetime, until: datetime, limit: int) -> list[AccountId]:
        due = sorted(
            (due_at, account_id)
            for account_id, (_, due_at) in self._kept.books.items()
            if due_at is not None and due_at <= now and account_id not in self._kept.locks
        )
        taken = [account_id for _, account_id in due[:limit]]
        for account_id in taken:
            await self._lock(account_id)

        def write() -> None:
            for account_id in taken:
                book, _ = self._kept.books[account_id]
                self._kept.books[account_id] = (book, until)

        self._writes.append(write)
        return taken

    async def balances(self) -> list[Balance]:
        found = balances(self._kept.entries.values())
        return [
            Balance(account=account, currency=currency, debit_minor=debit, credit_minor=credit)
            for (account, currency), (debit, credit) in sorted(
                found.items(), key=lambda each: (each[0][1], each[0][0])
            )
        ]

    async def tariff(self) -> Tariff:
        plans = tuple(plan for _, plan in sorted(self._kept.plans.items()))
        return Tariff(plans=plans, taxes=tuple(rule for _, rule in sorted(self._taxes())))

    def _taxes(self) -> list[tuple[tuple[str, datetime], TaxRule]]:
        return list(self._kept.taxes.items())

    async def put_plan(self, plan: Plan) -> None:
        self._writes.append(lambda: self._kept.plans.update({plan.plan_id: plan}))

    async def put_tax(self, rule: TaxRule) -> None:
        key = (rule.territory, rule.since)
        self._writes.append(lambda: self._kept.taxes.update({key: rule}))

    async def put_coupon(self, coupon: Coupon) -> None:
        def write() -> None:
            _, uses = self._kept.coupons.get(coupon.code, (coupon, 0))
            self._kept.coupons[coupon.code] = (coupon, uses)

        self._writes.append(write)

    async def use_coupon(self, code: str, now: datetime) -> Coupon | None:
        await self._lock(f"coupon {code}")
        if code not in self._kept.coupons:
            return None
        coupon, uses = self._kept.coupons[code]
        spent = 0 < coupon.most_uses <= uses
        if spent or (coupon.valid_until is not None and coupon.valid_until <= now):
            return None
        self._writes.append(lambda: self._kept.coupons.update({code: (coupon, uses + 1)}))
        return coupon

    async def receive(self, notice: Notice, now: datetime) -> bool:
        await self._lock(f"notice {notice.event_id}")
        if notice.event_id in self._kept.notices:
            return False
        self._writes.append(lambda: self._kept.notices.update({notice.event_id: (notice, now)}))
        return True

    async def take_notices(self, now: datetime, until: datetime, limit: int) -> list[Notice]:
        due = [
            notice
            for notice, look_at in self._kept.notices.values()
            if look_at is not None
            and look_at <= now
            and f"notice {notice.event_id}" not in self._kept.locks
        ][:limit]
        for notice in due:
            await self._lock(f"notice {notice.event_id}")
        later = {notice.event_id: (notice, until) for notice in due}
        self._writes.append(lambda: self._kept.notices.update(later))
        return due

    async def settle_notice(self, event_id: str) -> None:
        notice, _ = self._kept.notices[event_id]
        self._writes.append(lambda: self._kept.notices.update({event_id: (notice, None)}))

    async def cursor(self) -> str:
        await self._lock(_CURSOR)
        return self._kept.cursor

    async def move_cursor(self, cursor: str) -> None:
        def write() -> None:
            self._kept.cursor = cursor

        self._writes.append(write)

    async def add_discrepancy(self, found: Discrepancy) -> None:
        if found.movement_id not in self._kept.discrepancies:
            self._writes.append(lambda: self._kept.discrepancies.update({found.movement_id: found}))

    async def discrepancies(self) -> list[Discrepancy]:
        found = sorted(
            self._kept.discrepancies.values(),
            key=lambda each: (each.at, each.movement_id),
            reverse=True,
        )
        return found[:MOST_DISCREPANCIES]
