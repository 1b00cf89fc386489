"""All the SQL of billing."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import CursorResult, text

from cuemark.contexts.billing.model.book import Bill, Book
from cuemark.contexts.billing.model.calls import Notice
from cuemark.contexts.billing.model.ledger import Access, Entry
from cuemark.contexts.billing.model.tariffs import Tariff
from cuemark.contexts.billing.store import MOST_DISCREPANCIES, Books, Transaction
from cuemark.contracts.billing.events import TOPIC
from cuemark.contracts.billing.invoices import Balance, Discrepancy
from cuemark.contracts.billing.plans import Coupon, Plan, TaxRule
from cuemark.contracts.ids import AccountId
from cuemark.kit import database
from cuemark.kit.direct import Query
from cuemark.kit.outbox import Log

T = TypeVar("T")

_ACCESSES = Query(
    text(
        "select key, kind, account_id, invoice_id, currency, at, access::text "
        "from billing.entry where account_id = :account_id and access is not null "
        "and at >= :since order by entry_id"
    )
)


class PostgresBooks(Books):
    def __init__(self, pool: database.Database, log: Log) -> None:
        self._pool = pool
        self._log = log

    async def accesses(self, account_id: AccountId, since: datetime) -> list[Entry]:
        rows = await self._pool.ask(_ACCESSES, {"account_id": account_id, "since": since})
        return [
            Entry(
                key=row.key,
                kind=row.kind,
                account_id=row.account_id,
                invoice_id=row.invoice_id,
                currency=row.currency,
                at=row.at,
                access=_read(row.access, Access),
            )
            for row in rows
        ]

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._pool.transaction() as connection:
            yield PostgresTransaction(connection, self._log)


class PostgresTransaction(Transaction):
    def __init__(self, connection: database.Transaction, log: Log) -> None:
        self._connection = connection
        self._log = log

    async def book(self, account_id: AccountId, invoice_id: str = "") -> Book:
        await self._do(
            "insert into billing.book (account_id, body) values (:account_id, cast(:body as jsonb))"
            " on conflict do nothing",
            account_id=account_id,
            body=_json(Book(account_id=account_id)),
        )
        return await self._read_book(account_id, invoice_id, "for update")

    async def glance(self, account_id: AccountId) -> Book:
        return await self._read_book(account_id, "", "")

    async def _read_book(self, account_id: AccountId, invoice_id: str, lock: str) -> Book:
        found = await self._do(
            f"select body::text from billing.book where account_id = :account_id {lock}",
            account_id=account_id,
        )
        body = found.scalar_one_or_none()
        book = Book(account_id=account_id) if body is None else _read(body, Book)
        rows = await self._do(
            "select body::text from billing.bill where account_id = :account_id "
            "and (open or invoice_id = :invoice_id) order by invoice_id",
            account_id=account_id,
            invoice_id=invoice_id,
        )
        return replace(book, bills=tuple(_read(row[0], Bill) for row in rows))

    async def keep(
        self,
        book: Book,
        due_at: datetime | None,
        entries: Sequence[Entry],
        events: Sequence[msgspec.Struct],
    ) -> None:
        await self._do(
            "update billing.book set due_at = :due_at, body = cast(:body as jsonb) "
            "where account_id = :account_id",
            account_id=book.account_id,
            due_at=due_at,
            body=_json(replace(book, bills=())),
        )
        for bill in book.bills:
            await self._keep_bill(bill)
        for entry in entries:
            await self._enter(entry)
        for event in events:
            await self._log.append(self._connection, TOPIC, book.account_id, event)

    async def _keep_bill(self, bill: Bill) -> None:
        number = bill.invoice.number
        if not number:
            found = await self._do(
                "update billing.series set last = last + 1 where name = 'invoice' returning last"
            )
            number = str(found.scalar_one())
            bill = replace(bill, invoice=replace(bill.invoice, number=number))
        await self._do(
            "insert into billing.bill (invoice_id, account_id, number, open, body) values "
            "(:invoice_id, :account_id, :number, :open, cast(:body as jsonb)) "
            "on conflict (invoice_id) do update set open = excluded.open, body = excluded.body",
            invoice_id=bill.invoice.invoice_id,
            account_id=bill.invoice.account_id,
            number=int(number),
            open=bill.is_open,
            body=_json(bill),
        )

    async def _enter(self, entry: Entry) -> None:
        found = await self._do(
            "insert into billing.entry (key, kind, account_id, invoice_id, currency, at, access) "
            "values (:key, :kind, :account_id, :invoice_id, :currency, :at, "
            "cast(:access as jsonb)) returning entry_id",
            key=entry.key,
            kind=entry.kind,
            account_id=entry.account_id,
            invoice_id=entry.invoice_id,
            currency=entry.currency,
            at=entry.at,
            access=None if entry.access is None else _json(entry.access),
        )
        entry_id = found.scalar_one()
        for position, transfer in enumerate(entry.transfers):
            await self._do(
                "insert into billing.transfer (entry_id, position, debit, credit, amount_minor) "
                "values (:entry_id, :position, :debit, :credit, :amount_minor)",
                entry_id=entry_id,
                position=position,
                debit=transfer.debit,
                credit=transfer.credit,
                amount_minor=transfer.amount_minor,
            )

    async def owner_of(self, invoice_id: str) -> AccountId | None:
        found = await self._do(
            "select account_id from billing.bill where invoice_id = :invoice_id",
            invoice_id=invoice_id,
        )
        owner: AccountId | None = found.scalar_one_or_none()
        return owner

    async def bill(self, invoice_id: str) -> Bill | None:
        found = await self._do(
            "select body::text from billing.bill where invoice_id = :invoice_id",
            invoice_id=invoice_id,
        )
        body = found.scalar_one_or_none()
        return None if body is None else _read(body, Bill)

    async def bills(self, account_id: AccountId, before: str, limit: int) -> list[Bill]:
        rows = await self._do(
            "select body::text from billing.bill where account_id = :account_id "
            "and (:before = '' or invoice_id < :before) order by invoice_id desc limit :limit",
            account_id=account_id,
            before=before,
            limit=limit,
        )
        return [_read(row[0], Bill) for row in rows]

    async def take_due(self, now: datetime, until: datetime, limit: int) -> list[AccountId]:
        rows = await self._do(
            "update billing.book set due_at = :until where account_id in ("
            "select account_id from billing.book where due_at <= :now "
            "order by due_at limit :limit for update skip locked) returning account_id",
            now=now,
            until=until,
            limit=limit,
        )
        return [row[0] for row in rows]

    async def balances(self) -> list[Balance]:
        rows = await self._do(
            "select account, currency, sum(debited)::bigint as debit, "
            "sum(credited)::bigint as credit from ("
            "select debit as account, currency, amount_minor as debited, 0 as credited "
            "from billing.transfer join billing.entry using (entry_id) union all "
            "select credit, currency, 0, amount_minor "
            "from billing.transfer join billing.entry using (entry_id)) as side "
            "group by account, currency order by currency, account"
        )
        return [
            Balance(
                account=row.account,
                currency=row.currency,
                debit_minor=row.debit,
                credit_minor=row.credit,
            )
            for row in rows
        ]

    async def tariff(self) -> Tariff:
        plans = await self._do("select body::text from billing.plan order by plan_id")
        taxes = await self._do("select body::text from billing.tax order by territory, since")
        return Tariff(
            plans=tuple(_read(row[0], Plan) for row in plans),
            taxes=tuple(_read(row[0], TaxRule) for row in taxes),
        )

    async def put_plan(self, plan: Plan) -> None:
        await self._do(
            "insert into billing.plan values (:plan_id, cast(:body as jsonb)) "
            "on conflict (plan_id) do update set body = excluded.body",
            plan_id=plan.plan_id,
            body=_json(plan),
        )

    async def put_tax(self, rule: TaxRule) -> None:
        await self._do(
            "insert into billing.tax values (:territory, :since, cast(:body as jsonb)) "
            "on conflict (territory, since) do update set body = excluded.body",
            territory=rule.territory,
            since=rule.since,
            body=_json(rule),
        )

    async def put_coupon(self, coupon: Coupon) -> None:
        await self._do(
            "insert into billing.coupon values (:code, 0, cast(:body as jsonb)) "
            "on conflict (code) do update set body = excluded.body",
            code=coupon.code,
            body=_json(coupon),
        )

    async def use_coupon(self, code: str, now: datetime) -> Coupon | None:
        found = await self._do(
            "select uses, body::text as body from billing.coupon where code = :code for update",
            code=code,
        )
        row = found.one_or_none()
        if row is None:
            return None
        coupon = _read(row.body, Coupon)
        spent = 0 < coupon.most_uses <= row.uses
        if spent or (coupon.valid_until is not None and coupon.valid_until <= now):
            return None
        await self._do("update billing.coupon set uses = uses + 1 where code = :code", code=code)
        return coupon

    async def receive(self, notice: Notice, now: datetime) -> bool:
        found = await self._do(
            "insert into billing.notice (event_id, key, received_at, look_at, settled) "
            "values (:event_id, :key, :now, :now, false) on conflict do nothing "
            "returning event_id",
            event_id=notice.event_id,
            key=notice.key,
            now=now,
        )
        return found.one_or_none() is not None

    async def take_notices(self, now: datetime, until: datetime, limit: int) -> list[Notice]:
        rows = await self._do(
            "update billing.notice set look_at = :until where event_id in ("
            "select event_id from billing.notice where not settled and look_at <= :now "
            "order by look_at limit :limit for update skip locked) returning event_id, key",
            now=now,
            until=until,
            limit=limit,
        )
        return [Notice(event_id=row.event_id, key=row.key) for row in rows]

    async def settle_notice(self, event_id: str) -> None:
        await self._do(
            "update billing.notice set settled = true where event_id = :event_id",
            event_id=event_id,
        )

    async def cursor(self) -> str:
        found = await self._do(
            "select cursor from billing.reading where name = 'movements' for update"
        )
        cursor: str = found.scalar_one()
        return cursor

    async def move_cursor(self, cursor: str) -> None:
        await self._do(
            "update billing.reading set cursor = :cursor where name = 'movements'", cursor=cursor
        )

    async def add_discrepancy(self, found: Discrepancy) -> None:
        await self._do(
            "insert into billing.discrepancy values (:movement_id, :at, cast(:body as jsonb)) "
            "on conflict do nothing",
            movement_id=found.movement_id,
            at=found.at,
            body=_json(found),
        )

    async def discrepancies(self) -> list[Discrepancy]:
        rows = await self._do(
            "select body::text from billing.discrepancy order by at desc, movement_id desc "
            f"limit {MOST_DISCREPANCIES}"
        )
        return [_read(row[0], Discrepancy) for row in rows]

    async def _do(self, statement: str, **values: Any) -> CursorResult[Any]:
        given: Mapping[str, Any] = values
        return await self._connection.execute(text(statement), given)


def _json(message: msgspec.Struct) -> str:
    return msgspec.json.encode(message).decode()


def _read(body: str, kind: type[T]) -> T:
    return msgspec.json.decode(body, type=kind)
