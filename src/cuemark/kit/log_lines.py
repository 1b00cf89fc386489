"""Reading structured logs: lines of several processes and servers as one story in order of time.

Two kinds of lines are read: the events of our processes (``timestamp``, ``process``, ``level``,
``event``) and what servers write for each request (``at_s``, ``method``, ``path``, ``status``).
A line is written when what it tells has ended; it stands where that began.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from cuemark.kit.errors import UNREADABLE
from cuemark.kit.log_file import files_of

Level = Literal["debug", "info", "warning", "error", "critical"]
LEVELS: Sequence[Level] = ("debug", "info", "warning", "error", "critical")
_DURATIONS = {"ms": 0.001, "request_time": 1.0, "wall_s": 1.0, "fill_s": 1.0}
_OWN = frozenset({"timestamp", "process", "level", "event", "trace_id", "time", "at_s"})
_LONGEST_S, _LAST_S = 1e7, 1e11
_Fields = dict[str, object]


class LogSource(msgspec.Struct, frozen=True):
    """A log and the name of the process that wrote it, where its lines do not say so.

    Of lines that began at the same moment, those of the lower ``rank`` come first.
    """

    name: str
    path: Path
    rank: int = 0


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``fields`` are those that are not told otherwise, in their order."""

    began_at: datetime
    process: str
    level: Level
    event: str
    trace_id: str
    duration_s: float | None
    fields: _Fields
    rank: int = 0

    @property
    def order(self) -> tuple[datetime, int]:
        return self.began_at, self.rank


def line_of(raw: bytes, source: LogSource) -> LogLine | None:
    """The line, or None for what is no line of ours: half a one, or of another program."""
    try:
        values = msgspec.json.decode(raw, type=_Fields)
        ended_s = _ended_s(values)
    except (*UNREADABLE, ValueError, OverflowError):
        return None
    if ended_s is None or not _LONGEST_S <= ended_s < _LAST_S:
        return None
    duration_s = _duration_s(values)
    return LogLine(
        began_at=datetime.fromtimestamp(ended_s - (duration_s or 0.0), UTC),
        process=str(values.get("process") or source.name),
        level=_level(values),
        event=str(values.get("event") or "access"),
        trace_id=str(values.get("trace_id") or ""),
        duration_s=duration_s,
        fields={key: value for key, value in values.items() if key not in _OWN},
        rank=source.rank,
    )


def _ended_s(values: _Fields) -> float | None:
    at_s, stamp = values.get("at_s"), values.get("timestamp") or values.get("time")
    if isinstance(at_s, int | float):
        return float(at_s)
    return datetime.fromisoformat(stamp).timestamp() if isinstance(stamp, str) else None


def _duration_s(values: _Fields) -> float | None:
    for name, unit_s in _DURATIONS.items():
        value = values.get(name)
        if isinstance(value, int | float) and 0 <= value * unit_s < _LONGEST_S:
            return float(value) * unit_s
    return None


def _level(values: _Fields) -> Level:
    said, status = values.get("level"), values.get("status")
    for level in LEVELS:
        if said == level and said != "info":
            return level
    if isinstance(status, int) and status >= 500:
        return "error"
    return "warning" if isinstance(status, int) and status >= 400 else "info"


def read(
    sources: Iterable[LogSource],
    wanted: Callable[[LogLine], bool],
    *,
    holding: Sequence[bytes] = (b"",),
    tail_bytes: int | None = None,
) -> list[LogLine]:
    """The lines that are wanted, in order of time.

    Only lines with any of the bytes ``holding`` are looked at, and of each log only its last
    ``tail_bytes``, if given, predecessors included.
    """
    found = [
        line
        for source in sources
        for raw in _raw_lines(source.path, tail_bytes)
        if any(part in raw for part in holding)
        and (line := line_of(raw, source)) is not None
        and wanted(line)
    ]
    return sorted(found, key=lambda line: line.order)


def _raw_lines(path: Path, tail_bytes: int | None) -> Iterator[bytes]:
    files = files_of(path)
    skip = 0
    if tail_bytes is not None:
        skip = max(0, sum(file.stat().st_size for file in files) - tail_bytes)
    for file in files:
        try:
            with file.open("rb") as lines:
                size = os.fstat(lines.fileno()).st_size
                if skip >= size:
                    skip -= size
                    continue
                if skip:
                    lines.seek(skip)
                    lines.readline()
                    skip = 0
                yield from lines
        except FileNotFoundError:
            # It was rotated out while its predecessors were read.
            continue


class Tail:
    """What is added to one log from now on, or from its beginning where it is not there yet."""

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._half = b""
        self._file = source.path.open("rb") if source.path.exists() else None
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def new_lines(self) -> list[LogLine]:
        """The whole lines since the last call, the rest of a log that was rotated included."""
        raw = self._read()
        if self._rotated():
            raw += self._read()
            if self._file is not None:
                self._file.close()
            self._file = self._source.path.open("rb") if self._source.path.exists() else None
            raw += self._read()
        whole, _, self._half = (self._half + raw).rpartition(b"\n")
        lines = (line_of(each, self._source) for each in whole.splitlines())
        return [line for line in lines if line is not None]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self) -> bytes:
        return self._file.read() if self._file is not None else b""

    def _rotated(self) -> bool:
        try:
            there = self._source.path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or there.st_ino != os.fstat(self._file.fileno()).st_ino
