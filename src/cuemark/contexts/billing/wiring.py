"""Billing, built."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

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
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "SIGNATURE", "SandboxAt", "build", "build_sandbox"]

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class SandboxAt:
    """Where the sandbox is, and what it shares with billing."""

    url: str
    secret: bytes = field(repr=False)


def build(
    database: Database, log: Log, clock: Clock, ids: Ids, sandbox: SandboxAt | None
) -> Room[Billing]:
    """Without a sandbox nothing is sold, and nothing is due."""
    books = PostgresBooks(database, log)
    if sandbox is None:
        return Room(Billing, BillingService(books, None, clock, ids))
    line = Line(sandbox.url, sandbox.secret.hex())
    psp = SandboxPsp(line.exchange, sandbox.secret)
    time = SandboxTime(clock, psp)
    service = BillingService(books, psp, time, ids, time)
    return Room(Billing, service, keepers=(service.keep_working,), closers=(line.close,))


def build_sandbox(
    file: Path, clock: Clock, at: SandboxAt, webhook_url: str
) -> tuple[SandboxApp, Courier]:
    """The sandbox's server, whose memory is in ``file``, and what takes its webhooks away."""
    connection = sqlite3.connect(file, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    bank = Bank(connection, clock, at.url)
    desk = Desk(bank, at.secret.hex())
    return SandboxApp(desk, WITHIN_S + 1), Courier(bank, webhook_url, at.secret)
