"""Search, built."""

from pathlib import Path

from cuemark.contexts.search.service import SearchService
from cuemark.contexts.search.service.following import follow
from cuemark.contexts.search.service.indexing import Indexer
from cuemark.contexts.search.store import SCHEMA
from cuemark.contracts import catalog, playback, steering
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import events
from cuemark.contracts.rights import Rights
from cuemark.contracts.search import Search
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "Indexer", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"
INDEX = "search.index"
TOPICS = (catalog.TOPIC, events.TOPIC, steering.TOPIC, playback.TOPIC)


def build(
    database: Database, log: Log, clock: Clock, catalog: Catalog, rights: Rights
) -> Room[Search]:
    indexer = Indexer(database, catalog, clock)
    return Room(
        Search,
        SearchService(database, catalog, rights, clock),
        [Follower(INDEX, TOPICS, database, log, follow)],
        keepers=(indexer.keep_indexing,),
    )
