"""A viewer on a line, in no time: the player's own decisions on a clock that jumps.

The model is Sabre's (Spiteri, Sitaraman, Sparacio, MMSys 2018): one connection, segments one
after the other, each request costs one round trip, playback runs while there is media. What
decides is the player's own code: its line, its throughput meter, its ``choose`` and ``abandon``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cuemark.player import abr
from cuemark.player.engine import TARGET_BUFFER_S
from cuemark.player.line import Line
from cuemark.player.playhead import RESUME_S

STEP_BYTES = 4_096


@dataclass(frozen=True)
class Film:
    """``sizes_bytes[segment][rung]``; the ladder in kbit/s ascends."""

    ladder_kbps: Sequence[float]
    segment_s: float
    sizes_bytes: Sequence[Sequence[int]]


@dataclass
class Viewing:
    """What a viewer saw. ``stalls`` are (when the media ran out, for how long), in seconds."""

    rungs: list[int] = field(default_factory=list)
    fetched_at_s: list[float] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    startup_s: float = 0.0
    abandoned: int = 0
    ended_at_s: float = 0.0

    @property
    def stalled_s(self) -> float:
        return sum(lasted_s for _, lasted_s in self.stalls)

    @property
    def switches(self) -> int:
        return sum(1 for before, after in pairwise(self.rungs) if before != after)

    def utility(self, film: Film) -> float:
        """Sabre's time-average of ``log(bitrate / lowest)``; stalls count as time without."""
        total = sum(math.log(film.ladder_kbps[r] / film.ladder_kbps[0]) for r in self.rungs)
        played_s = len(self.rungs) * film.segment_s
        return total * film.segment_s / (played_s + self.stalled_s)

    def stalled_share(self, film: Film) -> float:
        played_s = len(self.rungs) * film.segment_s
        return self.stalled_s / (played_s + self.stalled_s)


class Viewer:
    """Watches ``film`` over ``line`` with round trips of ``latency_s``."""

    def __init__(self, film: Film, line: Line, latency_s: float = 0.02) -> None:
        self._film = film
        self._line = line
        self._latency_s = latency_s
        self._meter = abr.ThroughputMeter()
        self._now_s = 0.0
        self._buffer_s = 0.0
        self._stalled_at_s: float | None = None
        self._playing = False
        self._seen = Viewing()

    def watch(self) -> Viewing:
        current: int | None = None
        for sizes in self._film.sizes_bytes:
            if self._buffer_s > TARGET_BUFFER_S:
                self._pass_s(self._buffer_s - TARGET_BUFFER_S)
            rung = abr.choose(
                abr.Situation(
                    ladder_kbps=self._film.ladder_kbps,
                    throughput_kbps=self._meter.kbps,
                    latest_kbps=self._meter.latest_kbps,
                    buffer_s=self._buffer_s,
                    segment_s=self._film.segment_s,
                    current=current,
                )
            )
            current = self._fetch(rung, sizes)
            self._seen.rungs.append(current)
            self._seen.fetched_at_s.append(self._now_s)
            self._arrived()
        self._pass_s(self._buffer_s)
        self._seen.ended_at_s = self._now_s
        return self._seen

    def _fetch(self, rung: int, sizes: Sequence[int]) -> int:
        """The rung that arrived, after abandoned ones."""
        while True:
            lower = self._download(rung, sizes[rung])
            if lower is None:
                return rung
            self._seen.abandoned += 1
            rung = lower

    def _download(self, rung: int, size_bytes: int) -> int | None:
        begun_s = self._now_s
        self._pass_s(self._latency_s)
        received = 0
        pace = abr.Pace()
        while received < size_bytes:
            piece = min(STEP_BYTES, size_bytes - received)
            self._pass_s(self._line.carried_at_s(self._now_s, piece) - self._now_s)
            received += piece
            pace.add(received, self._now_s - begun_s)
            latest_bytes, latest_s = pace.latest
            left_s = self._buffer_s
            lower = abr.abandon(
                abr.Download(
                    ladder_kbps=self._film.ladder_kbps,
                    rung=rung,
                    segment_s=self._film.segment_s,
                    size_bytes=size_bytes,
                    received_bytes=received,
                    elapsed_s=self._now_s - begun_s,
                    latest_kbps=latest_bytes * 8 / 1000 / latest_s,
                    buffer_s=left_s if self._playing else max(left_s, self._film.segment_s),
                )
            )
            if lower is not None and received < size_bytes:
                self._meter.add(latest_bytes, latest_s)
                return lower
        self._meter.add(received, self._now_s - begun_s)
        return None

    def _arrived(self) -> None:
        self._buffer_s += self._film.segment_s
        if not self._playing:
            self._playing = True
            self._seen.startup_s = self._now_s
        elif self._stalled_at_s is not None and self._buffer_s >= RESUME_S:
            self._seen.stalls.append((self._stalled_at_s, self._now_s - self._stalled_at_s))
            self._stalled_at_s = None

    def _pass_s(self, seconds: float) -> None:
        if self._playing and self._stalled_at_s is None:
            if seconds > self._buffer_s + 1e-9:
                self._stalled_at_s = self._now_s + self._buffer_s
                self._buffer_s = 0.0
            else:
                self._buffer_s = max(0.0, self._buffer_s - seconds)
        self._now_s += seconds
