"""Identity, built."""

from pathlib import Path

import argon2

from cuemark.contexts.identity.model import DEFAULT_COST, Passwords, digest_of
from cuemark.contexts.identity.service import IdentityService
from cuemark.contexts.identity.store import SCHEMA
from cuemark.contracts.identity import Identity
from cuemark.kit.bulkhead import Bulkhead
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    database: Database,
    log: Log,
    clock: Clock,
    ids: Ids,
    *,
    operator_token: str,
    cost: argon2.Parameters = DEFAULT_COST,
    checks_running: int = 1,
    checks_waiting: int = 16,
) -> Room[Identity]:
    """``operator_token`` is kept as its SHA-256 only.

    ``checks_running`` password checks run at a time, each on ``cost.memory_cost`` KiB and
    ``cost.parallelism`` threads, and ``checks_waiting`` more may wait. One check of the default
    cost keeps four cores busy: a second would take the time of the first, and of the requests
    that need no check.
    """
    service = IdentityService(
        database,
        log,
        clock,
        ids,
        operator_sha256=digest_of(operator_token),
        passwords=Passwords(cost),
        bulkhead=Bulkhead("passwords", running=checks_running, waiting=checks_waiting),
    )
    return Room(Identity, service)
