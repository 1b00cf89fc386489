"""Telemetry, built."""

from collections.abc import Collection
from pathlib import Path

from cuemark.contexts.telemetry.service import MOST_WAITING, TelemetryService
from cuemark.contexts.telemetry.store import SCHEMA
from cuemark.contexts.telemetry.store.archive import Archive
from cuemark.contracts import playback
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.telemetry import Telemetry
from cuemark.kit.bulkhead import Bulkhead
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    database: Database,
    log: Log,
    clock: Clock,
    folder: Path,
    appliance_ids: Collection[ApplianceId],
    days: int,
) -> Room[Telemetry]:
    """``folder`` is where lines are kept, for ``days``."""
    bulkhead = Bulkhead("telemetry", running=1, waiting=MOST_WAITING)
    service = TelemetryService(database, Archive(folder), clock, appliance_ids, days, bulkhead)
    follower = Follower("telemetry.plays", [playback.TOPIC], database, log, service.take_play)
    return Room(Telemetry, service, (follower,), keepers=(service.keep_bounded,))
