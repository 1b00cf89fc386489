"""The ledger: entries of transfers between accounts, each a debit of one and a credit of another.

A transfer moves one amount, so debits and credits are equal however entries are made: there is no
way to write the one without the other. Entries are added and never changed.

==================  ================================================================
account             what its balance says (debits less credits)
==================  ================================================================
receivable          what members were asked for and have not paid
clearing            what the payment provider holds for us
revenue             what was earned, net (a credit balance)
tax                 what is owed to tax offices (a credit balance)
charged_back        what banks took back against our will
==================  ================================================================
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contexts.billing.model.money import shares
from cuemark.contracts.billing.invoices import Invoice
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.ids import AccountId

LedgerAccount = Literal["receivable", "clearing", "revenue", "tax", "charged_back"]
EntryKind = Literal[
    "trial", "issued", "captured", "voided", "refunded", "charged_back", "granted", "revoked"
]


EVERYTHING = "*"
"""As the source of an access: all that was opened before, which is shut by it."""


class Transfer(msgspec.Struct, frozen=True):
    """``amount_minor`` is more than zero."""

    debit: LedgerAccount
    credit: LedgerAccount
    amount_minor: int


class Access(msgspec.Struct, frozen=True):
    """From when to when ``source`` (an invoice or a trial) opens what to an account, from this
    entry on. One whose ``until`` is not after its ``since`` opens nothing any more."""

    source: str
    plan_id: str
    allowance: Allowance
    since: datetime
    until: datetime


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """``key`` names the fact, so that it is entered once however often it is told."""

    key: str
    kind: EntryKind
    account_id: AccountId
    invoice_id: str
    currency: str
    at: datetime
    transfers: tuple[Transfer, ...] = ()
    access: Access | None = None


def issued(invoice: Invoice, at: datetime, access: Access | None) -> Entry:
    return _entry(
        f"issued:{invoice.invoice_id}",
        "issued",
        invoice,
        at,
        (
            Transfer("receivable", "revenue", invoice.net_minor),
            Transfer("receivable", "tax", invoice.tax_minor),
        ),
        access,
    )


def voided(invoice: Invoice, at: datetime, access: Access | None) -> Entry:
    """Nothing was earned and no tax is owed for what was never paid."""
    return _entry(
        f"voided:{invoice.invoice_id}",
        "voided",
        invoice,
        at,
        (
            Transfer("revenue", "receivable", invoice.net_minor),
            Transfer("tax", "receivable", invoice.tax_minor),
        ),
        access,
    )


def captured(invoice: Invoice, payment_key: str, amount_minor: int, at: datetime) -> Entry:
    moved = (Transfer("clearing", "receivable", amount_minor),)
    return _entry(f"captured:{payment_key}", "captured", invoice, at, moved)


def refunded(invoice: Invoice, payment_key: str, before: int, now: int, at: datetime) -> Entry:
    """What was given back grew from ``before`` to ``now``, of revenue and tax by their parts."""
    parts = [
        after - earlier
        for after, earlier in zip(
            shares(now, (invoice.net_minor, invoice.tax_minor)),
            shares(before, (invoice.net_minor, invoice.tax_minor)),
            strict=True,
        )
    ]
    moved = (Transfer("revenue", "clearing", parts[0]), Transfer("tax", "clearing", parts[1]))
    return _entry(f"refunded:{payment_key}:{now}", "refunded", invoice, at, moved)


def charged_back(invoice: Invoice, payment_key: str, before: int, now: int, at: datetime) -> Entry:
    moved = (Transfer("charged_back", "clearing", now - before),)
    return _entry(f"charged_back:{payment_key}:{now}", "charged_back", invoice, at, moved)


def balances(entries: Iterable[Entry]) -> dict[tuple[LedgerAccount, str], tuple[int, int]]:
    """Debits and credits of each account and currency."""
    debits: Counter[tuple[LedgerAccount, str]] = Counter()
    credits: Counter[tuple[LedgerAccount, str]] = Counter()
    for entry in entries:
        for transfer in entry.transfers:
            debits[transfer.debit, entry.currency] += transfer.amount_minor
            credits[transfer.credit, entry.currency] += transfer.amount_minor
    return {key: (debits[key], credits[key]) for key in debits.keys() | credits.keys()}


def _entry(
    key: str,
    kind: EntryKind,
    invoice: Invoice,
    at: datetime,
    transfers: tuple[Transfer, ...],
    access: Access | None = None,
) -> Entry:
    return Entry(
        key=key,
        kind=kind,
        account_id=invoice.account_id,
        invoice_id=invoice.invoice_id,
        currency=invoice.currency,
        at=at,
        transfers=tuple(each for each in transfers if each.amount_minor),
        access=access,
    )
