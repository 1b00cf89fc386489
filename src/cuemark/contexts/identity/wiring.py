"""Identity, built."""

from pathlib import Path

import argon2

from cuemark.contexts.identity.model.credentials import DEFAULT_COST, Passwords, digest_of
from cuemark.contexts.identity.model.letters import Service
from cuemark.contexts.identity.model.roles import PoliciesInvalid, Roles
from cuemark.contexts.identity.service import IdentityService
from cuemark.contexts.identity.service.memory import Remembered
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store.tables import SCHEMA
from cuemark.contracts.identity import Identity
from cuemark.kit.bulkhead import Bulkhead
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.mail.post import Post
from cuemark.kit.mail.sender import Sender, Way
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "PoliciesInvalid", "Roles", "Service", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"


SIGNED_BY = Service("Cuemark", "http://127.0.0.1:8080")


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
    signed_by: Service = SIGNED_BY,
    open_to_all: bool = False,
    way: Way | None = None,
    roles: Roles | None = None,
    acts_key: bytes = b"",
) -> Room[Identity]:
    """``operator_token`` is kept as its SHA-256 only.

    ``checks_running`` password checks run at a time, each on ``cost.memory_cost`` KiB and
    ``cost.parallelism`` threads, and ``checks_waiting`` more may wait. One check of the default
    cost keeps four cores busy: a second would take the time of the first, and of the requests
    that need no check.

    ``signed_by`` is in whose name letters are written; ``open_to_all`` lets anybody sign up. The
    letters leave by ``way``; without one they wait for another process that has it.

    ``roles`` are those of staff: without them the owner alone may do anything. ``acts_key`` is
    under what the log of acts is chained.
    """
    post = Post(clock, ids)
    service = IdentityService(
        Parts(
            database=database,
            log=log,
            clock=clock,
            ids=ids,
            passwords=Passwords(cost),
            bulkhead=Bulkhead("passwords", running=checks_running, waiting=checks_waiting),
            post=post,
            remembered=Remembered(clock),
            service=signed_by,
            open=open_to_all,
        ),
        operator_sha256=digest_of(operator_token),
        roles=roles or Roles([]),
        acts_key=acts_key,
    )
    senders = [] if way is None else [Sender(database, post, way).run]
    return Room(Identity, service, keepers=[service.keep_erasing, *senders])
