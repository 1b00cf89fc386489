"""The catalog, built."""

from pathlib import Path

from cuemark.contexts.catalog.model.ratings import UNRATED_AGE
from cuemark.contexts.catalog.service import CatalogService, follow
from cuemark.contexts.catalog.store import SCHEMA
from cuemark.contracts import catalog, steering
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import events
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"
VIEW = "catalog.view"


def build(
    database: Database, log: Log, clock: Clock, ids: Ids, *, unrated_age: int = UNRATED_AGE
) -> Room[Catalog]:
    """``unrated_age`` is as what a title counts, for profiles with a bound, that nobody rated."""
    view = Follower(VIEW, [catalog.TOPIC, events.TOPIC, steering.TOPIC], database, log, follow)
    return Room(Catalog, CatalogService(database, log, clock, ids, unrated_age), [view])
