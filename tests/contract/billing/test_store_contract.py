"""What billing's service may rely on of its store: in PostgreSQL, and where the lab tries it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from cuemark.contexts.billing import wiring
from cuemark.contexts.billing.model.book import Bill, Book, Terms
from cuemark.contexts.billing.model.calls import Notice
from cuemark.contexts.billing.model.ledger import Access, Entry, Transfer
from cuemark.contexts.billing.store import Books
from cuemark.contexts.billing.store.postgres import PostgresBooks
from cuemark.contracts.billing.invoices import Discrepancy, Invoice
from cuemark.contracts.billing.plans import Allowance, Coupon, Money, Plan, Price, TaxRule
from cuemark.contracts.ids import AccountId
from cuemark.kit.clock import ManualClock
from cuemark.kit.outbox import Log
from cuemark.lab.billing.memory import MemoryBooks
from tests.databases import opened

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ANNA, BEN = AccountId("acc_anna"), AccountId("acc_ben")
ALLOWANCE = Allowance(max_height=720)


@pytest.fixture(params=["postgres", "memory"])
async def books(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Books]:
    if request.param == "memory":
        yield MemoryBooks(lambda: asyncio.sleep(0))
        return
    async with opened(database_url, wiring) as database:
        yield PostgresBooks(database, Log(ManualClock()))


def bill(invoice_id: str, account_id: AccountId = ANNA) -> Bill:
    money = Money(amount_minor=100, currency="EUR")
    return Bill(
        invoice=Invoice(
            invoice_id=invoice_id,
            account_id=account_id,
            number="",
            status="open",
            reason="first",
            currency="EUR",
            lines=[],
            net_minor=84,
            tax_minor=16,
            total_minor=100,
            territory="DE",
            issued_at=NOW,
        ),
        terms=Terms(plan_id="p", name="P", interval="month", price=money, allowance=ALLOWANCE),
        starts_at=NOW,
        ends_at=LATER,
        given_up_at=LATER,
    )


def paid(of: Bill) -> Bill:
    return replace(of, invoice=replace(of.invoice, status="paid"))


def entry(key: str, access: Access | None = None, amount_minor: int = 5) -> Entry:
    return Entry(
        key=key,
        kind="captured",
        account_id=ANNA,
        invoice_id="inv_1",
        currency="EUR",
        at=NOW,
        transfers=(Transfer("clearing", "receivable", amount_minor),),
        access=access,
    )


async def keep(books: Books, book: Book, due_at: datetime | None, *entries: Entry) -> None:
    async with books.transaction() as transaction:
        await transaction.book(book.account_id)
        await transaction.keep(book, due_at, entries, [])


async def broken_off(books: Books, begun: Bill) -> None:
    async with books.transaction() as transaction:
        await transaction.book(ANNA)
        await transaction.keep(Book(account_id=ANNA, bills=(begun,)), None, [], [])
        raise ZeroDivisionError


async def test_a_book_is_empty_at_first_and_then_as_it_was_kept(books: Books) -> None:
    async with books.transaction() as transaction:
        assert await transaction.book(ANNA) == Book(account_id=ANNA)
    book = Book(account_id=ANNA, mandates=3, seen_at=NOW, bills=(bill("inv_1"),))
    await keep(books, book, NOW)
    async with books.transaction() as transaction:
        found = await transaction.book(ANNA)
        assert found == await transaction.glance(ANNA)
        assert await transaction.glance(BEN) == Book(account_id=BEN)
    assert (found.mandates, found.seen_at) == (3, NOW)
    assert [each.invoice.invoice_id for each in found.bills] == ["inv_1"]


async def test_a_book_has_the_bills_that_are_open_and_the_one_that_is_named(books: Books) -> None:
    closed, open_ = paid(bill("inv_1")), bill("inv_2")
    await keep(books, Book(account_id=ANNA, bills=(closed, open_)), None)
    async with books.transaction() as transaction:
        mine = await transaction.book(ANNA)
        named = await transaction.book(ANNA, "inv_1")
        others = await transaction.book(BEN, "inv_1")
    assert [each.invoice.invoice_id for each in mine.bills] == ["inv_2"]
    assert sorted(each.invoice.invoice_id for each in named.bills) == ["inv_1", "inv_2"]
    assert others.bills == ()


async def test_invoices_are_numbered_without_a_gap_though_transactions_fail(books: Books) -> None:
    await keep(books, Book(account_id=ANNA, bills=(bill("inv_1"),)), None)
    with pytest.raises(ZeroDivisionError):
        await broken_off(books, bill("inv_2"))
    await keep(books, Book(account_id=ANNA, bills=(bill("inv_3"),)), None)
    async with books.transaction() as transaction:
        found = await transaction.bills(ANNA, "", 10)
        assert await transaction.bill("inv_2") is None
        assert await transaction.owner_of("inv_3") == ANNA
        assert await transaction.owner_of("inv_2") is None
    assert [(each.invoice.invoice_id, each.invoice.number) for each in found] == [
        ("inv_3", "2"),
        ("inv_1", "1"),
    ]


async def test_bills_come_the_newest_first_and_page_by_page(books: Books) -> None:
    bills = tuple(bill(f"inv_{number}") for number in range(5))
    await keep(books, Book(account_id=ANNA, bills=bills), None)
    async with books.transaction() as transaction:
        first = await transaction.bills(ANNA, "", 2)
        second = await transaction.bills(ANNA, first[-1].invoice.invoice_id, 2)
    ids = [each.invoice.invoice_id for each in [*first, *second]]
    assert ids == ["inv_4", "inv_3", "inv_2", "inv_1"]


async def test_what_is_due_is_taken_by_one_alone_and_comes_again_later(books: Books) -> None:
    await keep(books, Book(account_id=ANNA), NOW)
    await keep(books, Book(account_id=BEN), LATER)
    async with books.transaction() as transaction:
        assert await transaction.take_due(NOW, LATER, 10) == [ANNA]
        async with books.transaction() as other:
            assert await other.take_due(NOW, LATER, 10) == []
    async with books.transaction() as transaction:
        assert await transaction.take_due(NOW, LATER, 10) == []
        assert sorted(await transaction.take_due(LATER, LATER, 10)) == [ANNA, BEN]
    async with books.transaction() as transaction:
        assert len(await transaction.take_due(LATER, LATER, 1)) == 1


async def test_a_book_is_nobody_elses_until_the_transaction_ends(books: Books) -> None:
    order = []

    async def add_one(name: str) -> None:
        async with books.transaction() as transaction:
            book = await transaction.book(ANNA)
            order.append(name)
            await asyncio.sleep(0.01)
            changed = replace(book, mandates=book.mandates + 1)
            await transaction.keep(changed, None, [], [])

    await asyncio.gather(*(add_one(str(number)) for number in range(5)))
    async with books.transaction() as transaction:
        assert (await transaction.glance(ANNA)).mandates == 5
    assert len(order) == 5


async def test_a_fact_is_entered_once(books: Books) -> None:
    await keep(books, Book(account_id=ANNA), None, entry("captured:1"))
    with pytest.raises((SQLAlchemyError, AssertionError)):
        await keep(books, Book(account_id=ANNA), None, entry("captured:1"))
    async with books.transaction() as transaction:
        sides = {
            each.account: (each.debit_minor, each.credit_minor)
            for each in await transaction.balances()
        }
    assert sides == {"clearing": (5, 0), "receivable": (0, 5)}


async def test_accesses_are_told_in_the_order_of_the_ledger(books: Books) -> None:
    one = Access("inv_1", "p", ALLOWANCE, NOW, LATER)
    two = Access("inv_2", "p", ALLOWANCE, NOW, NOW)
    await keep(books, Book(account_id=ANNA), None, entry("a", one), entry("b"), entry("c", two))
    found = await books.accesses(ANNA, NOW)
    assert await books.accesses(ANNA, LATER) == []
    assert await books.accesses(BEN, NOW) == []
    assert [each.access for each in found] == [one, two]


async def test_a_webhook_is_received_once_and_read_until_it_is_settled(books: Books) -> None:
    notice = Notice(event_id="evt_1", key="inv_1:1")
    for fresh in (True, False):
        async with books.transaction() as transaction:
            assert await transaction.receive(notice, NOW) is fresh
    async with books.transaction() as transaction:
        assert await transaction.take_notices(NOW, LATER, 10) == [notice]
    async with books.transaction() as transaction:
        assert await transaction.take_notices(NOW, LATER, 10) == []
        assert await transaction.take_notices(LATER, LATER, 10) == [notice]
        await transaction.settle_notice("evt_1")
    async with books.transaction() as transaction:
        assert await transaction.take_notices(LATER, LATER, 10) == []
        assert not await transaction.receive(notice, LATER)


async def test_a_coupon_is_used_as_often_as_it_may_be(books: Books) -> None:
    coupon = Coupon(code="TWO", percent_bp=100, most_uses=2, valid_until=LATER)
    async with books.transaction() as transaction:
        await transaction.put_coupon(coupon)
    for expected in (coupon, coupon, None):
        async with books.transaction() as transaction:
            assert await transaction.use_coupon("TWO", NOW) == expected
    async with books.transaction() as transaction:
        assert await transaction.use_coupon("NONE", NOW) is None
        await transaction.put_coupon(replace(coupon, most_uses=0))
    async with books.transaction() as transaction:
        assert await transaction.use_coupon("TWO", LATER) is None
        assert await transaction.use_coupon("TWO", NOW) is not None


async def test_plans_taxes_cursor_and_discrepancies_stay(books: Books) -> None:
    money = Money(amount_minor=1, currency="EUR")
    plan = Plan(plan_id="p", name="P", prices=[Price(money=money)])
    rules = [
        TaxRule(territory="DE", rate_bp=rate, since=NOW + timedelta(days=rate)) for rate in (5, 7)
    ]
    odd = Discrepancy(
        movement_id="1", key="x", what="capture", amount_minor=1, currency="EUR", at=NOW
    )
    async with books.transaction() as transaction:
        await transaction.put_plan(plan)
        for rule in reversed(rules):
            await transaction.put_tax(rule)
        assert await transaction.cursor() == ""
        await transaction.move_cursor("17")
        await transaction.add_discrepancy(odd)
    async with books.transaction() as transaction:
        await transaction.put_plan(replace(plan, name="Q"))
        await transaction.add_discrepancy(odd)
    async with books.transaction() as transaction:
        tariff = await transaction.tariff()
        assert tariff.plans == (replace(plan, name="Q"),)
        assert list(tariff.taxes) == rules
        assert await transaction.cursor() == "17"
        assert await transaction.discrepancies() == [odd]
