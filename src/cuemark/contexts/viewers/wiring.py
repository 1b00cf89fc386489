"""The viewers, built."""

from pathlib import Path

from cuemark.contexts.viewers.service import ViewersService, follow
from cuemark.contexts.viewers.store import SCHEMA
from cuemark.contracts.identity import TOPIC as IDENTITY
from cuemark.contracts.viewers import Viewers
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"


def build(database: Database, clock: Clock) -> Room[Viewers]:
    leavers = Follower("viewers.leavers", [IDENTITY], database, Log(clock), follow)
    return Room(Viewers, ViewersService(database, clock), [leavers])
