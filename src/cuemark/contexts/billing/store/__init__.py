"""What billing keeps, as its service asks for it: in PostgreSQL, or where the lab tries it.

A transaction that is left by an error leaves nothing behind. A book that was read in one is nobody
else's until it ends.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from cuemark.contexts.billing.model.book import Bill, Book
from cuemark.contexts.billing.model.calls import Notice
from cuemark.contexts.billing.model.ledger import Entry
from cuemark.contexts.billing.model.tariffs import Tariff
from cuemark.contracts.billing.invoices import Balance, Discrepancy
from cuemark.contracts.billing.plans import Coupon, Plan, TaxRule
from cuemark.contracts.ids import AccountId

SCHEMA = "billing"
MOST_DISCREPANCIES = 200


class Transaction(Protocol):
    async def book(self, account_id: AccountId, invoice_id: str = "") -> Book:
        """The book of an account with all bills that are open, and one more if it is named; an
        empty one where there is none. Nobody else has it until the transaction ends."""
        ...

    async def keep(
        self,
        book: Book,
        due_at: datetime | None,
        entries: Sequence[Entry],
        events: Sequence[msgspec.Struct],
    ) -> None:
        """Write a book with its bills, and give numbers to invoices that have none."""
        ...

    async def glance(self, account_id: AccountId) -> Book:
        """The book as it stood last, without a wait for who has it."""
        ...

    async def owner_of(self, invoice_id: str) -> AccountId | None: ...

    async def bill(self, invoice_id: str) -> Bill | None: ...

    async def bills(self, account_id: AccountId, before: str, limit: int) -> list[Bill]:
        """Of an account, the newest first, before an invoice's id if one is given."""
        ...

    async def take_due(self, now: datetime, until: datetime, limit: int) -> list[AccountId]:
        """Accounts that have something due, which nobody else takes before ``until``."""
        ...

    async def balances(self) -> list[Balance]: ...

    async def tariff(self) -> Tariff: ...

    async def put_plan(self, plan: Plan) -> None: ...

    async def put_tax(self, rule: TaxRule) -> None: ...

    async def put_coupon(self, coupon: Coupon) -> None: ...

    async def use_coupon(self, code: str, now: datetime) -> Coupon | None:
        """The coupon, used once more; None where there is none that holds, or no use is left."""
        ...

    async def receive(self, notice: Notice, now: datetime) -> bool:
        """Put a webhook into the inbox; False where it came before."""
        ...

    async def take_notices(self, now: datetime, until: datetime, limit: int) -> list[Notice]:
        """Webhooks of the inbox that nobody has looked into, and nobody else takes before
        ``until``."""
        ...

    async def settle_notice(self, event_id: str) -> None: ...

    async def cursor(self) -> str:
        """How far the provider's movements were read. Nobody else reads them meanwhile."""
        ...

    async def move_cursor(self, cursor: str) -> None: ...

    async def add_discrepancy(self, found: Discrepancy) -> None: ...

    async def discrepancies(self) -> list[Discrepancy]:
        """The last ones, the newest first."""
        ...


class Books(Protocol):
    async def accesses(self, account_id: AccountId, since: datetime) -> list[Entry]:
        """The entries of an account from a moment on that open or shut something, in order."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commits on leaving, rolls back on an error."""
        ...
