"""What the store holds, written down in SQLite, so that a start need not look at every file.

It is written behind: a second of it may be missing after a kill, more after a power cut. The store
goes through its shelves after each start and sets right what differs, so nothing here needs to be
true for the store to be. One that cannot be read is made anew from the files.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from cuemark.edge.database import made, opened, transaction
from cuemark.edge.turnover import Changes, Turnover

FILE = "inventory.sqlite"
_FORMAT = 1
_FETCHED_ROWS = 10_000

Row = tuple[bytes, int, int, int]
_ADD = "replace into held (blake3, size_bytes, main, uses) values (?, ?, ?, ?)"
_MAKE = """
create table held (
    place integer primary key,
    blake3 blob not null unique,
    size_bytes integer not null,
    main integer not null,
    uses integer not null
) strict;
create table note (name text primary key, value text not null) strict, without rowid;
"""


class Inventory:
    """The inventory in ``folder``. ``found`` is false where there was none that could be read.

    Where the disk has no room even for an empty one it is in memory, until the next start.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self.found = True
        try:
            self._database = opened(self._path, _FORMAT)
        except sqlite3.DatabaseError:
            self.make_anew()

    def make_anew(self) -> None:
        """Begin with an empty one."""
        self.found = False
        self.close()
        try:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(FILE + suffix).unlink(missing_ok=True)
            self._database = made(str(self._path), _MAKE)
            self._path.chmod(0o600)
        except (sqlite3.DatabaseError, OSError) as error:
            structlog.get_logger().error("inventory_in_memory", error=str(error))
            self._database = made(":memory:", _MAKE)

    def rows(self) -> Iterator[Row]:
        """Key, size, queue (0 small, 1 main, 2 kept) and uses of all that is held, in the order of
        their moves.

        Raises ``sqlite3.DatabaseError`` where it cannot be read.
        """
        found = self._database.execute(
            "select blake3, size_bytes, main, uses from held order by place"
        )
        while rows := found.fetchmany(_FETCHED_ROWS):
            yield from rows

    def begin_with(self, rows: Sequence[Row]) -> None:
        """Write down all that is held. Only then it is one that the next start takes for whole.

        Raises ``sqlite3.Error``.
        """
        with self._lock, transaction(self._database) as database:
            database.executemany(_ADD, rows)
            database.execute(f"pragma user_version = {_FORMAT}")

    def write(self, changes: Changes, rows: Sequence[Row]) -> None:
        """Write changes down, all or none; ``rows`` are those that moved or were used, as they
        stand now. Raises ``sqlite3.Error``."""
        moved = [row for row in rows if row[0] in changes.moved]
        used = [(row[3], row[0]) for row in rows if row[0] not in changes.moved]
        with self._lock, transaction(self._database) as database:
            database.executemany(
                "delete from held where blake3 = ?", [(key,) for key in changes.gone]
            )
            database.executemany(_ADD, moved)
            database.executemany("update held set uses = ? where blake3 = ?", used)

    def after(self, key: bytes, count: int) -> list[tuple[bytes, int]]:
        """Up to ``count`` keys beyond ``key``, ascending, with their sizes."""
        with self._lock:
            return self._database.execute(
                "select blake3, size_bytes from held where blake3 > ? order by blake3 limit ?",
                (key, count),
            ).fetchall()

    def note(self, name: str) -> str:
        """A note that was kept; empty where there is none."""
        with self._lock:
            row = self._database.execute(
                "select value from note where name = ?", (name,)
            ).fetchone()
        return str(row[0]) if row else ""

    def keep_note(self, name: str, value: str) -> None:
        """Keep a small text under a name. Raises ``sqlite3.Error``."""
        with self._lock:
            self._database.execute("replace into note (name, value) values (?, ?)", (name, value))

    def close(self) -> None:
        if hasattr(self, "_database"):
            self._database.close()


def rows_of(changes: Changes, turnover: Turnover) -> list[Row]:
    """How the changed keys stand now, those that moved in the order of their moves."""
    rows = []
    for key in [*changes.moved, *(changes.used - changes.moved.keys())]:
        if (place := turnover.place(key)) is not None:
            queue = 2 if place.kept else int(place.main)
            rows.append((key, place.size_bytes, queue, place.uses))
    return rows
