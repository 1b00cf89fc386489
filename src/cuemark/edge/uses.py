"""What viewers use: nginx serves hits without the agent, so its access log tells.

A view names the bytes that a hit leads to. What was served is counted by tracks, in the hour in
which its request ended; what other appliances fetch from here is nobody's play, and not counted.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from cuemark.contracts.encoding.versions import track_of
from cuemark.contracts.ids import VersionId
from cuemark.edge.nginx import MARKED_FORM, PATH_FORM, VERSION_FORM
from cuemark.edge.store import Store
from cuemark.edge.tracks import Track
from cuemark.kit.errors import UNREADABLE

HOUR_S = 3600
_SERVED = frozenset({200, 206})
_MOST_BYTES = 1 << 40
_LATEST_S = 1e11
_NAMED = re.compile(f"{VERSION_FORM}/{PATH_FORM}")
_EITHER = re.compile(f"(.*/)x({MARKED_FORM})")


class Line(msgspec.Struct, frozen=True):
    """What matters of a line of the access log."""

    version: str = ""
    path: str = ""
    cache: str = ""
    appliance: str = ""
    status: int = 0
    of_bytes: int = msgspec.field(default=0, name="bytes")
    at_s: float = 0.0


class InHour(NamedTuple):
    """A track in an hour, counted from the beginning of 1970 in UTC."""

    hour: int
    track: Track


@dataclass(frozen=True)
class Told:
    """What lines tell: how often each path of a version was a hit, and the bytes that clients got
    of each track."""

    hits: Counter[tuple[str, str]]
    served: Counter[InHour]


def told(lines: bytes) -> Told:
    """What whole lines tell; what is no line is passed over.

    Of a marked segment the log does not tell which variant was sent: both count as hits.
    """
    found = Told(Counter(), Counter())
    for raw in lines.splitlines():
        try:
            line = msgspec.json.decode(raw, type=Line)
        except UNREADABLE:
            continue
        if not _NAMED.fullmatch(f"{line.version}/{line.path}"):
            continue
        if line.cache.endswith("; hit"):
            marked = _EITHER.fullmatch(line.path)
            for path in [f"{marked[1]}{v}{marked[2]}" for v in "ab"] if marked else [line.path]:
                found.hits[line.version, path] += 1
        if _counts(line):
            track = Track(VersionId(line.version), track_of(line.path))
            found.served[InHour(int(line.at_s) // HOUR_S, track)] += line.of_bytes
    return found


def _counts(line: Line) -> bool:
    sent = line.status in _SERVED and 0 < line.of_bytes < _MOST_BYTES and bool(line.cache)
    return sent and not line.appliance and 0 <= line.at_s < _LATEST_S


def used(hits: Counter[tuple[str, str]], store: Store) -> Counter[str]:
    """How often which bytes were hit. Reads the disk: for a thread."""
    found: Counter[str] = Counter()
    for (version_id, path), times in hits.items():
        if blake3 := store.linked(version_id, path):
            found[blake3] += times
    return found
