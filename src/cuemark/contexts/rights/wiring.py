"""Rights, built."""

from pathlib import Path

from cuemark.contexts.rights.service import RightsService, Terms
from cuemark.contexts.rights.store import SCHEMA
from cuemark.contexts.rights.tools.documents import read_document, write_document
from cuemark.contexts.rights.tools.lines import Fault, take
from cuemark.contexts.rights.tools.sheets import AvailsUnreadable, read_sheet, write_sheet
from cuemark.contexts.rights.tools.telling import Licensor, lines_of
from cuemark.contracts.rights import Rights
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room

__all__ = [
    "MIGRATIONS",
    "SCHEMA",
    "AvailsUnreadable",
    "Fault",
    "Licensor",
    "Terms",
    "build",
    "lines_of",
    "read_document",
    "read_sheet",
    "take",
    "write_document",
    "write_sheet",
]

MIGRATIONS = Path(__file__).parent / "migrations"


def build(database: Database, log: Log, clock: Clock, terms: Terms) -> Room[Rights]:
    return Room(Rights, RightsService(database, log, clock, terms))
