"""What must hold of billing at every step, told from the bank and the invoices and not from the
ledger: so that the ledger, and what is open to whom by it, is judged by others."""

import sqlite3
from collections import Counter, defaultdict
from datetime import datetime, timedelta

from cuemark.contexts.billing.model.access import entitlement
from cuemark.contexts.billing.model.book import Bill
from cuemark.contexts.billing.model.dunning import GIVEN_UP_AFTER
from cuemark.contexts.billing.model.ledger import LedgerAccount, balances
from cuemark.contracts.ids import AccountId
from cuemark.lab.billing.memory import Kept


class Violated(AssertionError):
    """An invariant does not hold; the text says which, and of what."""


class Watch:
    """Looks at what was committed and at what the bank moved, after each step."""

    def __init__(self, kept: Kept, bank: sqlite3.Connection) -> None:
        self._kept = kept
        self._bank = bank
        self._before: dict[str, Bill] = {}
        self._paid_for_nothing: set[str] = set()
        self._trials: dict[tuple[AccountId, str], tuple[datetime, datetime]] = {}
        self._shut_at: dict[AccountId, int] = {}
        self._paid_order: dict[str, int] = {}
        self._issued_order: dict[str, int] = {}
        self._looked_at: tuple[int, int, datetime] | None = None
        self._steps = 0

    def look(self, now: datetime) -> None:
        """Raises ``Violated``. Where nothing has changed, nothing is looked at again."""
        changed = (self._kept.commits, self._bank.total_changes, now)
        if changed == self._looked_at:
            return
        self._looked_at = changed
        self._steps += 1
        self._at_most_one_capture()
        self._follow_bills()
        self._follow_trials()
        self._books_balance()
        for account_id in self._kept.books:
            self._entitled_as_paid(account_id, now)

    def settle(self, now: datetime) -> None:
        """When nothing is left to do, and the provider was read to its end."""
        for account_id, (_, due_at) in self._kept.books.items():
            done = due_at is None or due_at > now - timedelta(hours=3)
            _hold(done, f"{account_id} has had something due since {due_at}")
        self._at_most_one_capture()
        self._books_balance()
        moved: Counter[str] = Counter()
        for key, what, amount in self._movements():
            moved[key.partition(":")[0]] += amount if what == "capture" else -amount
        for invoice_id, amount in moved.items():
            bill = self._kept.bills[invoice_id]
            kept = 0
            if bill.invoice.status == "paid":
                invoice = bill.invoice
                kept = invoice.total_minor - invoice.refunded_minor - invoice.charged_back_minor
            _hold(kept == amount, f"{invoice_id} holds {kept}, and the provider {amount}")
        debit, credit = self._balance("clearing")
        total = sum(moved.values())
        _hold(debit - credit == total, f"the ledger has {debit - credit}, the provider {total}")
        for bill in self._kept.bills.values():
            invoice = bill.invoice
            # A payment may wait for its card's owner. For us it waits no more.
            stuck = [each for each in bill.payments if not each.is_over and each.status != "action"]
            _hold(not stuck, f"{invoice.invoice_id} is still being paid")
            _hold(all(r.is_over for r in bill.refunds), f"{invoice.invoice_id} is being refunded")
            asked = sum(each.amount_minor for each in bill.refunds if each.status == "done")
            _hold(
                invoice.refunded_minor == asked,
                f"of {invoice.invoice_id} {invoice.refunded_minor} went back, asked were {asked}",
            )
            if invoice.invoice_id in self._paid_for_nothing:
                left = invoice.total_minor - invoice.refunded_minor - invoice.charged_back_minor
                _hold(left == 0, f"{invoice.invoice_id} was paid for nothing, and {left} kept")
        numbers = sorted(int(bill.invoice.number) for bill in self._kept.bills.values())
        _hold(numbers == list(range(1, len(numbers) + 1)), "a number of an invoice is missing")

    def _movements(self) -> list[tuple[str, str, int]]:
        return self._bank.execute("select key, what, amount_minor from movement").fetchall()

    def _at_most_one_capture(self) -> None:
        counted = Counter(
            key.partition(":")[0] for key, what, _ in self._movements() if what == "capture"
        )
        for invoice_id, count in counted.items():
            _hold(count == 1, f"{invoice_id} was captured {count} times")

    def _follow_bills(self) -> None:
        captured = {
            key.partition(":")[0]: amount
            for key, what, amount in self._movements()
            if what == "capture"
        }
        for invoice_id, bill in self._kept.bills.items():
            before, invoice = self._before.get(invoice_id), bill.invoice
            if before is bill:
                continue
            self._issued_order.setdefault(invoice_id, self._steps)
            in_time = bill.starts_at > invoice.issued_at - timedelta(days=1)
            _hold(in_time, f"{invoice_id} asks money for what was not open")
            if before is not None and before.invoice.status != "open":
                same = invoice.status == before.invoice.status
                _hold(same, f"{invoice_id} was {before.invoice.status}, is {invoice.status}")
            if invoice.status == "paid" and (before is None or before.invoice.status == "open"):
                self._paid_order[invoice_id] = self._steps
                money = captured.get(invoice_id, 0)
                right = money == invoice.total_minor
                _hold(right, f"{invoice_id} is paid, and {money} of {invoice.total_minor} came")
                agreement = self._kept.books[invoice.account_id][0].agreement
                if agreement is not None and agreement.state == "ended" and bill.refunds:
                    self._paid_for_nothing.add(invoice_id)
                self._no_period_twice(bill)
            if before is not None and (
                invoice.charged_back_minor > before.invoice.charged_back_minor
            ):
                self._shut_at[invoice.account_id] = self._steps
            self._before[invoice_id] = bill

    def _no_period_twice(self, bill: Bill) -> None:
        """Of one account no two periods that were paid for, and whose money stayed, overlap."""
        if bill.invoice.reason == "upgrade":
            return
        for other in self._kept.bills.values():
            mine, its = bill.invoice, other.invoice
            if its.account_id != mine.account_id or its.invoice_id == mine.invoice_id:
                continue
            if its.status != "paid" or its.reason == "upgrade" or not its.total_minor:
                continue
            if its.refunded_minor or other.refunds or mine.account_id in self._shut_at:
                continue
            apart = bill.starts_at >= other.ends_at or other.starts_at >= bill.ends_at
            _hold(apart or bool(bill.refunds), f"{mine.invoice_id} pays a period twice")

    def _follow_trials(self) -> None:
        for account_id, (book, _) in self._kept.books.items():
            agreement = book.agreement
            if agreement is not None and agreement.state == "trialing":
                key = (account_id, agreement.subscription_id)
                self._trials.setdefault(key, (agreement.starts_at, agreement.ends_at))

    def _books_balance(self) -> None:
        """What members owe is the sum of the open invoices, and tax and revenue those not void."""
        found = balances(self._kept.entries.values())
        debits = sum(debit for debit, _ in found.values())
        credits = sum(credit for _, credit in found.values())
        _hold(debits == credits, f"debits are {debits}, credits {credits}")
        owed = sum(
            bill.invoice.total_minor
            for bill in self._kept.bills.values()
            if bill.invoice.status == "open"
        )
        debit, credit = self._balance("receivable")
        _hold(debit - credit == owed, f"members owe {owed}, and the ledger says {debit - credit}")

    def _balance(self, account: LedgerAccount) -> tuple[int, int]:
        found = balances(self._kept.entries.values())
        sides = [pair for (name, _), pair in found.items() if name == account]
        return sum(debit for debit, _ in sides), sum(credit for _, credit in sides)

    def _entitled_as_paid(self, account_id: AccountId, now: datetime) -> None:
        """Open is: a period that was paid and whose money stayed, a trial, a renewal's grace."""
        entries = list(self._kept.entries.values())
        told = entitlement(account_id, entries, now)
        shut_at = self._shut_at.get(account_id, -1)
        reasons = defaultdict(list)
        for bill in self._kept.bills.values():
            invoice = bill.invoice
            if invoice.account_id != account_id:
                continue
            gone = invoice.refunded_minor >= invoice.total_minor > 0 or invoice.charged_back_minor
            bought = (
                invoice.status == "paid"
                and not gone
                and invoice.invoice_id not in self._paid_for_nothing
                and self._paid_order[invoice.invoice_id] > shut_at
                and bill.starts_at <= now < bill.ends_at
            )
            in_grace = (
                invoice.status == "open"
                and invoice.reason == "renewal"
                and bill.starts_at <= now < invoice.issued_at + GIVEN_UP_AFTER
                and self._issued_order[invoice.invoice_id] > shut_at
            )
            if bought or in_grace:
                reasons[invoice.invoice_id].append(bill.terms.plan_id)
        for (owner, subscription_id), (starts_at, ends_at) in self._trials.items():
            if owner == account_id and starts_at <= now < ends_at and shut_at < 0:
                reasons[subscription_id].append("")
        _hold(
            told.entitled == bool(reasons),
            f"{account_id} is {'' if told.entitled else 'not '}entitled at {now}, for {reasons}",
        )


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise Violated(what)
