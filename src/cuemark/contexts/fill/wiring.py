"""Fill, built."""

from collections.abc import Collection
from pathlib import Path

from cuemark.contexts.fill.service import FillService
from cuemark.contexts.fill.service.planning import Planner
from cuemark.contexts.fill.store import SCHEMA
from cuemark.contracts.catalog import TOPIC as CATALOG
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.events import TOPIC as ENCODING
from cuemark.contracts.fill import Fill
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    encoding: Encoding,
    objects: Objects,
    appliance_ids: Collection[ApplianceId],
    storage_ids: Collection[ApplianceId] = (),
) -> Room[Fill]:
    """Fill for the enrolled appliances, of which ``storage_ids`` are of the storage tier.

    ``objects`` are where the indexes of published versions are.
    """

    def read_index(version_id: VersionId) -> bytes:
        return objects.read(f"versions/{version_id}/index.json")

    planner = Planner(database, clock, encoding, read_index, appliance_ids, storage_ids)
    service = FillService(database, clock, planner, appliance_ids, storage_ids)
    versions = Follower("fill.versions", [ENCODING, CATALOG], database, log, service.take)
    return Room(Fill, service, (versions,), keepers=(planner.run,))
