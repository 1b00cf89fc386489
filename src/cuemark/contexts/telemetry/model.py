"""What a batch of lines says: read, classed and added up. Pure.

The classes are those of Netflix's appliances ("Netflix and Fill", 2016): a *content* miss is a file
that was not there; a *health* miss is one that was served from here because the appliance that the
client would have had was not fit. The line tells the first, steering's ranking the second.
"""

import re
import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

import msgspec

from cuemark.contracts.ids import VersionId
from cuemark.contracts.telemetry import (
    MOST_BATCH_BYTES,
    MOST_RAW_BYTES,
    Line,
    LinesInvalid,
    Outcome,
    Source,
    TakeLines,
)
from cuemark.kit.errors import UNREADABLE

WAIT_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Of the histogram of waits: each is the most of its step, and one step more has the rest."""
AHEAD_S = 60
"""How far the clock of an appliance may be ahead before its lines count as of now."""
_GZIP = 31
_EPOCH = re.compile(r"[0-9a-f]{1,32}")
_read = msgspec.json.Decoder(Line)


class Key(NamedTuple):
    """What is added up together; ``at_s`` is the beginning of a minute."""

    at_s: int
    version_id: VersionId
    outcome: Outcome
    source: Source


class Sum:
    """Of the lines with one key; ``waits`` by the steps of the histogram."""

    __slots__ = ("lost_lines", "requests", "sent_bytes", "starved", "told", "waits")

    def __init__(self) -> None:
        self.requests = 0
        self.sent_bytes = 0
        self.told = 0
        self.starved = 0
        self.lost_lines = 0
        self.waits = [0] * (len(WAIT_BOUNDS_S) + 1)


def lines_of(batch: TakeLines) -> list[Line]:
    """The lines of a batch, as many as it says; raises ``LinesInvalid``."""
    if len(batch.body) > MOST_BATCH_BYTES:
        raise LinesInvalid(f"A batch has {MOST_BATCH_BYTES} bytes at most: send fewer lines.")
    if not _EPOCH.fullmatch(batch.epoch):
        raise LinesInvalid("The epoch of a batch is 1 to 32 digits of 0-9 and a-f.")
    lines = unpacked(batch.body)
    if len(lines) != batch.count:
        raise LinesInvalid(f"The batch says {batch.count} lines and has {len(lines)}.")
    return lines


def unpacked(body: bytes) -> list[Line]:
    """The lines in one member of gzip; raises ``LinesInvalid``. What would unpack to more than
    ``MOST_RAW_BYTES`` is not unpacked further."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        raw = unpacking.decompress(body, MOST_RAW_BYTES)
    except zlib.error as error:
        raise LinesInvalid(f"The batch is no gzip: {error}.") from error
    if unpacking.unconsumed_tail:
        raise LinesInvalid(f"The batch has more than {MOST_RAW_BYTES} bytes of lines.")
    if not unpacking.eof or unpacking.unused_data:
        raise LinesInvalid("The batch is not one whole member of gzip.")
    try:
        return _read.decode_lines(raw)
    except UNREADABLE as error:
        raise LinesInvalid(f"The batch has a line that is none: {error}.") from error


def outcome_of(line: Line, *, led_past: bool) -> Outcome:
    """How a request ended. ``led_past``: its play was led past an appliance that was nearer.

    What an appliance asked another one for is no traffic of clients, however it ended: it asks
    where it does not know.
    """
    if line.asked_by:
        return "peer"
    if line.sc_status >= 500:
        return "error"
    if line.refused or (400 <= line.sc_status < 499):
        return "refused"
    if line.source or "; fwd=miss" in line.cache_status:
        return "content"
    if line.cache_status.endswith("; hit"):
        return "health" if led_past else "hit"
    return "other"


def added(
    lines: Iterable[Line], led_past: Collection[str], now: datetime, oldest: datetime
) -> dict[Key, Sum]:
    """The sums of lines by minute. ``led_past`` are the trace ids of plays that were.

    A time that no sum is kept of counts as the nearest that is: clocks go wrong, requests do not.
    """
    first_s, last_s = int(oldest.timestamp()), int(now.timestamp())
    sums: defaultdict[Key, Sum] = defaultdict(Sum)
    for line in lines:
        at_s = int(line.at_s)
        at_s = last_s if at_s > last_s + AHEAD_S else max(at_s, first_s)
        outcome = outcome_of(line, led_past=line.trace_id in led_past)
        source = line.source if outcome == "content" else ""
        total = sums[Key(at_s - at_s % 60, line.version_id, outcome, source)]
        total.requests += 1
        total.sent_bytes += line.sc_bytes
        if line.waited_s is not None:
            total.waits[bisect_left(WAIT_BOUNDS_S, line.waited_s)] += 1
        if line.cmcd is not None:
            total.told += 1
            total.starved += line.cmcd.bs
    return dict(sums)


def quantile_s(waits: Sequence[int], share: float) -> float | None:
    """The most of the step in which this share of the waits is reached; None without any.

    Of the last step, which has no end, its beginning.
    """
    wanted = share * sum(waits)
    if not wanted:
        return None
    step = next(step for step, seen in enumerate(accumulate(waits)) if seen >= wanted)
    return WAIT_BOUNDS_S[min(step, len(WAIT_BOUNDS_S) - 1)]


def hour_of(at_s: float, now: datetime, oldest: datetime) -> datetime:
    """The hour whose file has what was told at ``at_s``: within what is kept."""
    at = datetime.fromtimestamp(min(at_s, now.timestamp()), UTC)
    return max(at, oldest).replace(minute=0, second=0, microsecond=0)


def oldest_kept(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)
