"""Builds licensing."""

from pathlib import Path

from cuemark.contexts.licensing.model import MasterKey
from cuemark.contexts.licensing.service import LicensingService
from cuemark.contexts.licensing.store import versions_with_keys
from cuemark.contracts.licensing import Licensing
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build", "versions_with_keys"]

SCHEMA = "licensing"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(*, database: Database, clock: Clock, master_key: bytes) -> Room[Licensing]:
    """Licensing with its keys wrapped by ``master_key`` (32 bytes)."""
    return Room(Licensing, LicensingService(database, clock, MasterKey(master_key)))
