"""A database with the log and the schemas that a test needs."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from cuemark.kit import outbox
from cuemark.kit.database import Database, migrate


class Owner(Protocol):
    """The ``wiring`` module of a context: whose schema, and where its migrations are."""

    SCHEMA: str
    MIGRATIONS: Path


@contextlib.asynccontextmanager
async def opened(url: str, *owners: Owner) -> AsyncIterator[Database]:
    """The database at ``url``, migrated for the log and ``owners``; closed at the end."""
    migrate(url, outbox.SCHEMA, outbox.MIGRATIONS)
    for owner in owners:
        migrate(url, owner.SCHEMA, owner.MIGRATIONS)
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()
