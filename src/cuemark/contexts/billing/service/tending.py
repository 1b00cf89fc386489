"""One account after another: decide, store, call the provider, store what came of it.

What is to be called is stored before it is called, so whoever comes after a crash looks at its key.
Between the two no lock is held: a provider may take its time.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from cuemark.contexts.billing.model.advancing import advance, due_at, told
from cuemark.contexts.billing.model.calls import (
    Call,
    Found,
    Movement,
    Notice,
    Outcome,
    Unknown,
)
from cuemark.contexts.billing.model.draft import Draft
from cuemark.contexts.billing.model.observing import look_at, observe
from cuemark.contexts.billing.psp import Psp, made
from cuemark.contexts.billing.store import Books, Transaction
from cuemark.contracts.billing.invoices import Discrepancy
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import Clock
from cuemark.kit.errors import ContractError
from cuemark.kit.ids import Ids, is_id

ACCOUNT, INVOICE = "acc", "inv"
MOST_CALLS = 16
"""Of one account in a row: what is left is due at once, and comes after the others."""
BATCH = 50
HOLD = timedelta(minutes=2)
"""For as long an account or a webhook that was taken is nobody else's."""


Failed = Callable[[AccountId, Exception], None]


class Tender:
    """Brings accounts up to date with the clock and with the provider."""

    def __init__(self, books: Books, psp: Psp, clock: Clock, ids: Ids) -> None:
        self._books = books
        self._psp = psp
        self._clock = clock
        self._ids = ids

    async def draft(
        self, transaction: Transaction, account_id: AccountId, invoice_id: str = ""
    ) -> Draft:
        book = await transaction.book(account_id, invoice_id)
        tariff = await transaction.tariff()
        return Draft(book, tariff, self._clock.now(), self._ids.new)

    async def keep(self, transaction: Transaction, draft: Draft) -> None:
        await transaction.keep(draft.book, due_at(draft.book), draft.entries, draft.events)

    async def tend(self, account_id: AccountId) -> int:
        """Do all that is due for an account now; how many calls that took."""
        for calls in range(MOST_CALLS):
            call = await self._next_call(account_id)
            if call is None:
                return calls
            answer = await made(self._psp, call)
            await self._learn(account_id, call, answer)
        return MOST_CALLS

    async def tend_due(self, failed: Failed | None = None) -> int:
        """Tend what is due, a batch of it; how many accounts that were.

        ``failed`` hears of an account on which our own code breaks, so that it holds up no other;
        without it that is raised.
        """
        now = self._clock.now()
        async with self._books.transaction() as transaction:
            due = await transaction.take_due(now, now + HOLD, BATCH)
        for account_id in due:
            try:
                await self.tend(account_id)
            except ContractError:
                raise
            except Exception as error:
                if failed is None:
                    raise
                failed(account_id, error)
        return len(due)

    async def read_inbox(self) -> int:
        """Look at what webhooks told of, a batch of them; how many were settled."""
        now = self._clock.now()
        async with self._books.transaction() as transaction:
            notices = await transaction.take_notices(now, now + HOLD, BATCH)
        settled = 0
        for notice in notices:
            settled += await self._look_into(notice)
        return settled

    async def reconcile(self) -> int:
        """Read the provider's movements after the last that was read; how many there were.

        The payment of each is looked at, so that what no webhook told of is entered too. One of no
        payment of ours is kept as a discrepancy.
        """
        async with self._books.transaction() as transaction:
            cursor = await transaction.cursor()
        found = await self._psp.list_since(cursor, BATCH)
        if isinstance(found, Unknown) or found.cursor == cursor:
            return 0
        for movement in found.movements:
            if not await self._enter(movement):
                return 0
        async with self._books.transaction() as transaction:
            if await transaction.cursor() == cursor:
                await transaction.move_cursor(found.cursor)
        return len(found.movements)

    async def _next_call(self, account_id: AccountId) -> Call | None:
        async with self._books.transaction() as transaction:
            draft = await self.draft(transaction, account_id)
            call = advance(draft)
            await self.keep(transaction, draft)
        return call

    async def _learn(self, account_id: AccountId, call: Call, answer: Outcome | Found) -> None:
        if isinstance(answer, Unknown):
            structlog.get_logger().warning("payment_unknown", key=call.key, reason=answer.reason)
        async with self._books.transaction() as transaction:
            draft = await self.draft(transaction, account_id, _invoice_of(call.key))
            told(draft, call, answer)
            await self.keep(transaction, draft)

    async def _look_into(self, notice: Notice) -> bool:
        """The state is fetched again: a webhook may be late, and says only that there is one."""
        known = await self._observed(notice.key)
        if known is None:
            return False
        async with self._books.transaction() as transaction:
            await transaction.settle_notice(notice.event_id)
        return True

    async def _enter(self, movement: Movement) -> bool:
        known = await self._observed(movement.key)
        if known is False:
            found = Discrepancy(
                movement_id=movement.movement_id,
                key=movement.key,
                what=movement.what,
                amount_minor=movement.amount_minor,
                currency=movement.currency,
                at=datetime.fromtimestamp(movement.at_s, UTC),
            )
            async with self._books.transaction() as transaction:
                await transaction.add_discrepancy(found)
        return known is not None

    async def _observed(self, key: str) -> bool | None:
        """Whether ``key`` is ours, once it was looked at; None where the provider does not say."""
        async with self._books.transaction() as transaction:
            account_id = await _owner(transaction, key)
            if account_id is None:
                return False
            invoice_id = _invoice_of(key)
            bill = await transaction.bill(invoice_id) if invoice_id else None
            look = look_at(await transaction.glance(account_id), bill, key)
        found = await self._psp.fetch(look)
        if isinstance(found, Unknown):
            return None
        async with self._books.transaction() as transaction:
            draft = await self.draft(transaction, account_id, _invoice_of(key))
            observe(draft, key, found)
            await self.keep(transaction, draft)
        await self.tend(account_id)
        return True


async def _owner(transaction: Transaction, key: str) -> AccountId | None:
    """Whose payment or mandate a key is of; None where it is no key of ours."""
    subject = key.partition(":")[0]
    if is_id(subject, ACCOUNT):
        book = await transaction.glance(AccountId(subject))
        return book.account_id if book.mandate is not None else None
    return await transaction.owner_of(subject) if is_id(subject, INVOICE) else None


def _invoice_of(key: str) -> str:
    subject = key.partition(":")[0]
    return subject if is_id(subject, INVOICE) else ""
