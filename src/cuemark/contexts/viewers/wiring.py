"""The viewers, built."""

from pathlib import Path

from cuemark.contexts.viewers.model.checks import wrong_with
from cuemark.contexts.viewers.service import ViewersService, follow
from cuemark.contexts.viewers.store import SCHEMA
from cuemark.contracts.identity import TOPIC as IDENTITY
from cuemark.contracts.viewers import Viewers
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.hybrid_clock import HybridClock
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["HERE", "MIGRATIONS", "SCHEMA", "build", "wrong_with"]

MIGRATIONS = Path(__file__).parent / "migrations"
HERE = "here"
"""What a region is called that exchanges nothing with others."""


def build(database: Database, clock: Clock, region: str = HERE) -> Room[Viewers]:
    leavers = Follower("viewers.leavers", [IDENTITY], database, Log(clock), follow)
    service = ViewersService(database, clock, HybridClock(clock, region))
    return Room(Viewers, service, [leavers])
