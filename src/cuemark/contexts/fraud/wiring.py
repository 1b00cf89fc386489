"""Fraud, built."""

from pathlib import Path

from cuemark.contexts.fraud.model.approvals import Approvals
from cuemark.contexts.fraud.model.challenges import Challenges
from cuemark.contexts.fraud.model.stuffing import Stuffing
from cuemark.contexts.fraud.service import FraudService
from cuemark.contexts.fraud.service.cards import Cards
from cuemark.contexts.fraud.service.findings import Findings
from cuemark.contexts.fraud.service.logins import Logins
from cuemark.contexts.fraud.service.sharing import Sharing
from cuemark.contexts.fraud.store.tables import SCHEMA
from cuemark.contracts.billing.events import TOPIC as BILLING
from cuemark.contracts.fraud import Fraud
from cuemark.contracts.identity import TOPIC as IDENTITY
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.mail.post import Post
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    database: Database,
    log: Log,
    clock: Clock,
    ids: Ids,
    *,
    key: bytes,
    signed_by: tuple[str, str] = ("Cuemark", "http://127.0.0.1:8080"),
) -> Room[Fraud]:
    """``key`` signs challenges and makes tags of mail addresses. ``signed_by`` is in whose name
    letters are written, and where their links lead."""
    challenges = Challenges(key)
    findings, approvals = Findings(database, clock, ids), Approvals()
    logins = Logins(Stuffing(), challenges, findings, approvals, key, clock)
    service = FraudService(
        database,
        clock,
        logins,
        Cards(database, clock, challenges, findings),
        Sharing(database, clock, findings, Post(clock, ids), approvals, logins.tag, signed_by),
        findings,
    )
    follower = Follower("fraud", [BILLING, IDENTITY], database, log, service.follow)
    return Room(Fraud, service, [follower], keepers=[service.keep_writing])
