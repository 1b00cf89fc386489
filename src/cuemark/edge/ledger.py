"""What was served by track and hour, until it was told and longer; and how far the log was read.

Both are written in one transaction, so that after a kill each line of the log counts once. A ledger
that cannot be read is made anew: the hours that were not told are lost, and the log says so.
"""

import contextlib
import sqlite3
import threading
from collections import Counter
from pathlib import Path

import msgspec
import structlog

from cuemark.contracts.fill import MOST_TRACKS, TrackBytes
from cuemark.contracts.ids import VersionId
from cuemark.edge.access_log import Mark
from cuemark.edge.database import made, opened, transaction
from cuemark.edge.tracks import Track
from cuemark.edge.uses import InHour
from cuemark.kit.errors import UNREADABLE

FILE = "served.sqlite"
KEPT_HOURS = 48
MOST_TRACKS_AN_HOUR = 20 * MOST_TRACKS
_FORMAT = 1
_ADD = """
insert into served (hour, version_id, track_id, of_bytes) values (?, ?, ?, ?)
on conflict (hour, version_id, track_id) do update set of_bytes = of_bytes + excluded.of_bytes
"""
_TELL = "update served set told = ? where hour = ? and version_id = ? and track_id = ?"
_UNTOLD = """
select version_id, track_id, of_bytes from served
where hour = ? and of_bytes > told and (version_id, track_id) > (?, ?)
order by version_id, track_id limit ?
"""
_HOURS = "select distinct hour from served where of_bytes > told order by hour"
_LEAST = """
delete from served where (hour, version_id, track_id) in (
    select hour, version_id, track_id from served where hour = ? order by of_bytes limit ?
)
"""
_MAKE = f"""
create table served (
    hour integer not null,
    version_id text not null,
    track_id text not null,
    of_bytes integer not null,
    told integer not null default 0,
    primary key (hour, version_id, track_id)
) strict, without rowid;
create table mark (one integer primary key check (one = 1), value text not null) strict;
pragma user_version = {_FORMAT};
"""


class Ledger:
    """The ledger in ``folder``; in memory, until the next start, where the disk refuses one.

    May be used from any thread. ``sqlite3.Error`` may come out of each method.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        try:
            self._database = _opened(self._path)
        except sqlite3.DatabaseError as error:
            if self._path.exists():
                structlog.get_logger().error("ledger_made_anew", error=str(error))
            self._database = self._made_anew()

    def _made_anew(self) -> sqlite3.Connection:
        try:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(FILE + suffix).unlink(missing_ok=True)
            database = made(str(self._path), _MAKE)
            self._path.chmod(0o600)
        except (sqlite3.DatabaseError, OSError) as error:
            structlog.get_logger().error("ledger_in_memory", error=str(error))
            return made(":memory:", _MAKE)
        return database

    @property
    def mark(self) -> Mark | None:
        """How far the log was read; None where that was never written."""
        with self._lock:
            row = self._database.execute("select value from mark").fetchone()
        with contextlib.suppress(*UNREADABLE):
            return msgspec.json.decode(row[0], type=Mark) if row else None
        return None

    def add(self, served: Counter[InHour], mark: Mark | None, now_hour: int) -> None:
        """Count what was served up to the mark. Hours that are no hour of the last
        ``KEPT_HOURS``, by a clock that was wrong, are passed over; older ones are dropped."""
        first_hour = now_hour - KEPT_HOURS
        rows = [
            (at.hour, at.track.version_id, at.track.track_id, of_bytes)
            for at, of_bytes in served.items()
            if first_hour <= at.hour <= now_hour + 1
        ]
        with self._lock, transaction(self._database) as database:
            database.executemany(_ADD, rows)
            for hour in {row[0] for row in rows}:
                _bound(database, hour)
            untold = database.execute(
                "select count(*) from served where hour < ? and of_bytes > told", (first_hour,)
            ).fetchone()[0]
            database.execute("delete from served where hour < ?", (first_hour,))
            if mark is not None:
                value = msgspec.json.encode(mark).decode()
                database.execute("replace into mark (one, value) values (1, ?)", (value,))
        if untold:
            structlog.get_logger().warning("served_never_told", tracks=untold)

    def untold_hours(self) -> list[int]:
        """The hours of which something is not told, the oldest first."""
        with self._lock:
            return [hour for (hour,) in self._database.execute(_HOURS)]

    def untold(self, hour: int, after: Track | None = None) -> list[TrackBytes]:
        """Totals of an hour that are not told, up to ``MOST_TRACKS`` of those beyond ``after``."""
        with self._lock:
            rows = self._database.execute(
                _UNTOLD, (hour, *(after or ("", "")), MOST_TRACKS)
            ).fetchall()
        return [TrackBytes(VersionId(row[0]), row[1], row[2]) for row in rows]

    def tell(self, hour: int, part: list[TrackBytes]) -> None:
        """This was told and accepted."""
        rows = [(each.of_bytes, hour, each.version_id, each.track_id) for each in part]
        with self._lock, transaction(self._database) as database:
            database.executemany(_TELL, rows)

    def close(self) -> None:
        with self._lock:
            self._database.close()


def _bound(database: sqlite3.Connection, hour: int) -> None:
    """Hold ``MOST_TRACKS_AN_HOUR``; those that were served least are not counted any more."""
    (count,) = database.execute("select count(*) from served where hour = ?", (hour,)).fetchone()
    if count > MOST_TRACKS_AN_HOUR:
        over = count - MOST_TRACKS_AN_HOUR
        structlog.get_logger().warning("served_not_counted", hour=hour, tracks=over)
        database.execute(_LEAST, (hour, over))


def _opened(path: Path) -> sqlite3.Connection:
    """The ledger at ``path``; raises ``sqlite3.DatabaseError`` where it is none of ours."""
    database = opened(path, _FORMAT)
    try:
        database.execute("select count(*) from served, mark").fetchone()
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database
