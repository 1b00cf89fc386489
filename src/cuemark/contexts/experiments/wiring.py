"""Experiments, built."""

from pathlib import Path

from cuemark.contexts.experiments.service import ExperimentsService
from cuemark.contexts.experiments.store import SCHEMA
from cuemark.contracts.experiments import Experiments
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.room import Room

__all__ = ["MIGRATIONS", "SCHEMA", "build"]

MIGRATIONS = Path(__file__).parent / "migrations"


def build(database: Database, clock: Clock, ids: Ids) -> Room[Experiments]:
    return Room(Experiments, ExperimentsService(database, clock, ids))
