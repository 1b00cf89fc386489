"""An appliance's SQLite databases: how they are opened and written."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_BUSY_S = 5.0
_WAL_LIMIT_BYTES = 16 << 20


def connected(name: str) -> sqlite3.Connection:
    """A database that several threads may use, one at a time. Raises ``sqlite3.DatabaseError``."""
    database = sqlite3.connect(name, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        database.execute(f"pragma journal_size_limit = {_WAL_LIMIT_BYTES}")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def opened(path: Path, kept_format: int) -> sqlite3.Connection:
    """The database at ``path``; raises ``sqlite3.DatabaseError`` where it is none of that format.

    SQLite's ``user_version`` says which it is.
    """
    if not path.exists():
        raise sqlite3.DatabaseError(f"{path} is not there")
    database = connected(str(path))
    try:
        (kept,) = database.execute("pragma user_version").fetchone()
        if kept != kept_format:
            raise sqlite3.DatabaseError(f"{path} has the format {kept}")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def made(name: str, script: str) -> sqlite3.Connection:
    """A new database with the tables of ``script``. Raises ``sqlite3.DatabaseError``."""
    database = connected(name)
    try:
        database.executescript(f"begin; {script} commit;")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of the block, or nothing of it."""
    database.execute("begin immediate")
    try:
        yield database
        database.execute("commit")
    except BaseException:
        if database.in_transaction:
            database.execute("rollback")
        raise
