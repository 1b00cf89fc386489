"""Which rung to fetch next: pure decisions from throughput, buffer and the ladder.

The hybrid of throughput and buffer that dash.js calls DYNAMIC (Spiteri, Sitaraman, Sparacio:
"From Theory to Practice: Improving Bitrate Adaptation in the DASH Reference Player", MMSys 2018).

Throughput is the lesser of two exponentially weighted means, a fast and a slow one, weighted by
the time that each download took, as dash.js and Shaka Player do. The buffer speaks through BOLA
(Spiteri, Urgaonkar, Sitaraman: "BOLA: Near-Optimal Bitrate Adaptation for Online Videos",
INFOCOM 2016) in the parameters of dash.js; its variant BOLA-O climbs no higher than what the
last download sustains, so that it does not swing between two rungs with the line between them.

All rules rise with throughput and buffer, so the choice, built of minima and maxima, does too:

    min( fits the buffer, max( cautious(throughput), bola-o(buffer, latest, current) ) )
"""

import math
from collections import deque
from collections.abc import Sequence

import msgspec

FAST_HALF_LIFE_S = 3.0
SLOW_HALF_LIFE_S = 8.0
MIN_SAMPLE_BYTES = 16_000
CAUTION = 0.9
BUFFER_CAUTION = 0.7
START_KBPS = 1000.0
LEAST_BUFFER_S = 10.0
BUFFER_PER_RUNG_S = 2.0
ABANDON_GRACE_S = 0.5
PACE_S = 1.0
TRICKLE = 0.25


class _Mean:
    """An exponentially weighted mean, unbiased while it is young."""

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._sum = 0.0
        self._weight = 0.0

    def add(self, value: float, weight_s: float) -> None:
        keep = 0.5 ** (weight_s / self._half_life_s)
        self._sum = keep * self._sum + (1 - keep) * value
        self._weight = keep * self._weight + (1 - keep)

    @property
    def value(self) -> float:
        return self._sum / self._weight


class ThroughputMeter:
    """Throughput from finished and abandoned downloads that did not overlap."""

    def __init__(self) -> None:
        self._fast = _Mean(FAST_HALF_LIFE_S)
        self._slow = _Mean(SLOW_HALF_LIFE_S)
        self._samples = 0
        self.latest_kbps: float | None = None
        self._bytes = 0
        self._elapsed_s = 0.0

    def add(self, size_bytes: int, elapsed_s: float) -> None:
        """One download. Small ones, which measure latency, are taken together."""
        self._bytes += size_bytes
        self._elapsed_s += max(elapsed_s, 0.001)
        if self._bytes < MIN_SAMPLE_BYTES:
            return
        kbps = self._bytes * 8 / 1000 / self._elapsed_s
        self._fast.add(kbps, self._elapsed_s)
        self._slow.add(kbps, self._elapsed_s)
        self.latest_kbps = kbps
        self._samples += 1
        self._bytes, self._elapsed_s = 0, 0.0

    @property
    def kbps(self) -> float | None:
        """The lesser of the two means, or None before the first download."""
        return min(self._fast.value, self._slow.value) if self._samples else None


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """``ladder_kbps`` ascends. ``throughput_kbps`` is the mean, ``latest_kbps`` that of the last
    download (the mean, where it is None). ``reserved_kbps`` is what audio takes of the throughput.

    ``buffer_s`` is what is downloaded ahead of the viewer; ``current`` the index of the rung in
    play, None before the first segment.
    """

    ladder_kbps: Sequence[float]
    throughput_kbps: float | None
    latest_kbps: float | None = None
    buffer_s: float
    segment_s: float
    current: int | None = None
    reserved_kbps: float = 0.0


def choose(situation: Situation) -> int:
    """The index of the rung for the next segment."""
    ladder = situation.ladder_kbps
    if situation.throughput_kbps is None:
        return start(ladder)
    budget_kbps = max(0.0, situation.throughput_kbps - situation.reserved_kbps)
    fill = max(0.0, situation.buffer_s) / max(situation.segment_s, 0.001)
    fitting = _highest(ladder, budget_kbps * fill * BUFFER_CAUTION)
    cautious = _highest(ladder, budget_kbps * CAUTION)
    current = min(situation.current or 0, len(ladder) - 1)
    latest_kbps = situation.latest_kbps or situation.throughput_kbps
    ceiling = max(current, _highest(ladder, latest_kbps - situation.reserved_kbps))
    return min(fitting, max(cautious, min(ceiling, bola(ladder, situation.buffer_s))))


def start(ladder_kbps: Sequence[float]) -> int:
    """The first rung, when nothing is known: within ``START_KBPS``, in the ladder's lower half."""
    return min(_highest(ladder_kbps, START_KBPS * CAUTION), (len(ladder_kbps) - 1) // 2)


def wanted_buffer_s(rungs: int) -> float:
    """The buffer at which BOLA gives the highest rung: more for a longer ladder, as in dash.js."""
    return LEAST_BUFFER_S + BUFFER_PER_RUNG_S * rungs


def bola(ladder_kbps: Sequence[float], buffer_s: float) -> int:
    """BOLA-BASIC: the rung of the greatest ``(V (utility + gamma) - buffer) / bitrate``."""
    lowest, highest = ladder_kbps[0], ladder_kbps[-1]
    if highest <= lowest:
        return 0
    wanted_s = wanted_buffer_s(len(ladder_kbps))
    utilities = [math.log(kbps / lowest) + 1 for kbps in ladder_kbps]
    gamma = (utilities[-1] - 1) / (wanted_s / LEAST_BUFFER_S - 1)
    v = LEAST_BUFFER_S / gamma
    # At this level the top rung's score is 0 and all others are negative: there BOLA would wait.
    level_s = min(buffer_s, wanted_s)
    scores = [
        (v * (utility - 1 + gamma) - level_s) / kbps
        for utility, kbps in zip(utilities, ladder_kbps, strict=True)
    ]
    best = max(scores)
    return max(index for index, score in enumerate(scores) if score >= best)


class Pace:
    """How fast a download goes just now: over its last ``PACE_S``, so that a fall shows at once."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque([(0.0, 0)])

    def add(self, received_bytes: int, elapsed_s: float) -> None:
        """``received_bytes`` in all have come ``elapsed_s`` after the request.

        With less than before, it is a request anew.
        """
        if received_bytes < self._points[-1][1] or elapsed_s < self._points[-1][0]:
            self._points = deque([(0.0, 0)])
        self._points.append((elapsed_s, received_bytes))
        while len(self._points) > 2 and self._points[1][0] <= elapsed_s - PACE_S:
            self._points.popleft()

    @property
    def latest(self) -> tuple[int, float]:
        """Bytes and seconds of the last stretch."""
        (begun_s, before), (until_s, after) = self._points[0], self._points[-1]
        return after - before, max(until_s - begun_s, 0.001)


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A download of a segment under way. ``buffer_s`` is what the viewer still has.

    ``latest_kbps`` is its ``Pace``.
    """

    ladder_kbps: Sequence[float]
    rung: int
    segment_s: float
    size_bytes: int
    received_bytes: int
    elapsed_s: float
    latest_kbps: float
    buffer_s: float


def abandon(download: Download) -> int | None:
    """The lower rung to fetch instead, where going on would stall and the change is faster.

    While the buffer is comfortable a dip is waited out, as dash.js does.
    """
    if download.rung == 0 or not _late(download):
        return None
    kbps = _kbps(download)
    left_kbit = (download.size_bytes - download.received_bytes) * 8 / 1000
    for rung in range(download.rung - 1, -1, -1):
        needs_kbit = download.ladder_kbps[rung] * download.segment_s
        if rung == 0 or needs_kbit <= kbps * download.buffer_s * BUFFER_CAUTION:
            return rung if needs_kbit < left_kbit else None
    return None


def stalls(download: Download, usual_kbps: float | None) -> bool:
    """Whether the lowest rung comes too late, and at less than ``TRICKLE`` of what it takes.

    Then no rung helps. Where it is as little of the usual throughput, it may be the appliance that
    is slow.
    """
    if download.rung != 0 or usual_kbps is None or not _late(download):
        return False
    return download.latest_kbps < TRICKLE * min(usual_kbps, download.ladder_kbps[0])


def _late(download: Download) -> bool:
    """Whether what is ahead is short, and will be over before the download is."""
    silent = download.received_bytes == 0
    if silent or download.elapsed_s < ABANDON_GRACE_S or download.buffer_s >= LEAST_BUFFER_S:
        return False
    left_kbit = (download.size_bytes - download.received_bytes) * 8 / 1000
    return left_kbit > _kbps(download) * download.buffer_s


def _kbps(download: Download) -> float:
    """The lesser of the download's pace just now and in all."""
    return min(download.latest_kbps, download.received_bytes * 8 / 1000 / download.elapsed_s)


def _highest(ladder_kbps: Sequence[float], budget_kbps: float) -> int:
    """The highest rung within the budget; the lowest where none is."""
    within = [index for index, kbps in enumerate(ladder_kbps) if kbps <= budget_kbps]
    return within[-1] if within else 0
