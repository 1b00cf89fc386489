"""Billing, built."""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from cuemark.contexts.billing.psp.debit import DebitPsp
from cuemark.contexts.billing.psp.sandbox.adapter import SandboxPsp
from cuemark.contexts.billing.psp.sandbox.bank import Bank
from cuemark.contexts.billing.psp.sandbox.desk import Desk
from cuemark.contexts.billing.psp.sandbox.line import WITHIN_S, Line
from cuemark.contexts.billing.psp.sandbox.server import Courier, SandboxApp
from cuemark.contexts.billing.psp.sandbox.wire import SIGNATURE
from cuemark.contexts.billing.service import BillingService
from cuemark.contexts.billing.service.timing import SandboxTime
from cuemark.contexts.billing.store import SCHEMA
from cuemark.contexts.billing.store.postgres import PostgresBooks
from cuemark.contracts.billing import Billing
from cuemark.contracts.identity import TOPIC as IDENTITY
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = [
    "MIGRATIONS",
    "SCHEMA",
    "SIGNATURE",
    "DebitAt",
    "Provider",
    "SandboxAt",
    "StripeAt",
    "build",
    "build_sandbox",
]

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class SandboxAt:
    """Where the sandbox is, and what it shares with billing."""

    url: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class DebitAt:
    """The sandbox as a bank that direct debits are made by."""

    bank: SandboxAt


@dataclass(frozen=True)
class StripeAt:
    """An account at Stripe: its secret key, and what signs its webhooks. ``return_url`` is where
    its pages lead back to, and ``url`` its API where that is not Stripe's own."""

    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    return_url: str
    url: str = ""


Provider = SandboxAt | DebitAt | StripeAt
Closer = Callable[[], Awaitable[None]]


def build(
    database: Database, log: Log, clock: Clock, ids: Ids, provider: Provider | None
) -> Room[Billing]:
    """Without a provider nothing is sold, and nothing is due."""
    books = PostgresBooks(database, log)
    if provider is None:
        return Room(Billing, BillingService(books, None, clock, ids))
    service, closer = _paid_by(provider, books, clock, ids)
    leavers = Follower("billing.leavers", [IDENTITY], database, log, service.follow)
    return Room(Billing, service, [leavers], keepers=(service.keep_working,), closers=(closer,))


def _paid_by(
    provider: Provider, books: PostgresBooks, clock: Clock, ids: Ids
) -> tuple[BillingService, Closer]:
    """The service, and what closes its line to the provider."""
    if isinstance(provider, StripeAt):
        return _by_stripe(books, clock, ids, provider)
    bank = provider.bank if isinstance(provider, DebitAt) else provider
    line = Line(bank.url, bank.secret.hex())
    kind = DebitPsp if isinstance(provider, DebitAt) else SandboxPsp
    psp = kind(line.exchange, bank.secret)
    time = SandboxTime(clock, psp)
    return BillingService(books, psp, time, ids, time), line.close


def _by_stripe(
    books: PostgresBooks, clock: Clock, ids: Ids, at: StripeAt
) -> tuple[BillingService, Closer]:
    # Stripe's library is large, and only who is paid through it needs it.
    from cuemark.contexts.billing.psp.stripe.adapter import API, Account, StripePsp
    from cuemark.contexts.billing.psp.stripe.transport import Transport

    transport = Transport()
    account = Account(at.key, at.webhook_secret, at.return_url, at.url or API)
    return BillingService(books, StripePsp(account, transport), clock, ids), transport.close_async


def build_sandbox(
    file: Path, clock: Clock, at: SandboxAt, webhook_url: str
) -> tuple[SandboxApp, Courier]:
    """The sandbox's server, whose memory is in ``file``, and what takes its webhooks away."""
    connection = sqlite3.connect(file, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    bank = Bank(connection, clock, at.url)
    desk = Desk(bank, at.secret.hex())
    return SandboxApp(desk, WITHIN_S + 1), Courier(bank, webhook_url, at.secret)
