"""Identity, built."""

from pathlib import Path

import argon2

from cuemark.contexts.identity.model.credentials import DEFAULT_COST, Passwords, digest_of
from cuemark.contexts.identity.model.factors import FactorKeys
from cuemark.contexts.identity.model.letters import Service
from cuemark.contexts.identity.model.passkeys import relying_party_of
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
    key: bytes,
    cost: argon2.Parameters = DEFAULT_COST,
    checks_running: int = 1,
    checks_waiting: int = 32,
    signed_by: Service = SIGNED_BY,
    open_to_all: bool = False,
    way: Way | None = None,
    roles: Roles | None = None,
    acts_key: bytes = b"",
) -> Room[Identity]:
    """``operator_token`` is kept as its SHA-256 only. ``key`` seals what second factors are held
    against: with another one no authenticator app and no recovery code is right any more.

    ``checks_running`` password checks run at a time, each on ``cost.memory_cost`` KiB and
    ``cost.parallelism`` threads, and ``checks_waiting`` more may wait. One check of the default
    cost keeps four cores busy: a second would take the time of the first, and of the requests
    that need no check. Half of the places are kept free for devices that are known, and of the
    others half for those that have done the work of a challenge.

    ``signed_by`` is in whose name letters are written, and to whose address passkeys are bound;
    ``open_to_all`` lets anybody sign up. The
    letters leave by ``way``; without one they wait for another process that has it.

    ``roles`` are those of staff: without them nobody may do what operators do. ``acts_key`` is
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
            bulkhead=Bulkhead(
                "passwords",
                running=checks_running,
                waiting=checks_waiting,
                reserved=(checks_waiting // 2, checks_waiting // 4),
            ),
            post=post,
            remembered=Remembered(clock),
            service=signed_by,
            open=open_to_all,
            keys=FactorKeys(key),
            party=relying_party_of(signed_by.base_url, signed_by.name),
        ),
        operator_sha256=digest_of(operator_token),
        roles=roles or Roles([]),
        acts_key=acts_key,
    )
    senders = [] if way is None else [Sender(database, post, way).run]
    return Room(Identity, service, keepers=[service.keep_erasing, *senders])
