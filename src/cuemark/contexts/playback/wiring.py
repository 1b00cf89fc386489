"""Builds playback."""

from pathlib import Path

from cuemark.contexts.playback.service import Neighbours, PlaybackService
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import Playback
from cuemark.contracts.steering import Steering
from cuemark.contracts.viewers import Viewers
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room

SCHEMA = "playback"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    ids: Ids,
    catalog: Catalog,
    encoding: Encoding,
    licensing: Licensing,
    steering: Steering,
    viewers: Viewers,
) -> Room[Playback]:
    neighbours = Neighbours(catalog, encoding, licensing, steering, viewers)
    return Room(Playback, PlaybackService(database, log, clock, ids, neighbours))
