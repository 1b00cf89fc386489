"""Which rung to fetch next: pure decisions from throughput, buffer and the ladder.

Throughput is the lesser of two exponentially weighted means, a fast and a slow one, weighted by
the time that each download took, as dash.js and Shaka Player do. The buffer speaks through BOLA
(Spiteri, Urgaonkar, Sitaraman: "BOLA: Near-Optimal Bitrate Adaptation for Online Videos",
INFOCOM 2016), in the parameters of dash.js: utilities are logarithms of bitrates, and ``V`` and
``gamma`` follow from the least and the wanted buffer.

The hybrid is built of minima and maxima of rules that each rise with throughput and buffer, so
the choice does too:

    min( sustainable(throughput), fits the buffer,
         max( cautious(throughput), bola(buffer), hold the rung in play ) )
"""

import math
from collections.abc import Sequence

import msgspec

FAST_HALF_LIFE_S = 3.0
SLOW_HALF_LIFE_S = 8.0
MIN_SAMPLE_BYTES = 16_000
CAUTION = 0.8
BUFFER_CAUTION = 0.7
START_KBPS = 1000.0
LEAST_BUFFER_S = 6.0
WANTED_BUFFER_S = 16.0
HOLD_BUFFER_S = 8.0
ABANDON_GRACE_S = 0.5


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
        self._samples += 1
        self._bytes, self._elapsed_s = 0, 0.0

    @property
    def kbps(self) -> float | None:
        """The lesser of the two means, or None before the first download."""
        return min(self._fast.value, self._slow.value) if self._samples else None


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """``ladder_kbps`` ascends. ``reserved_kbps`` is what audio takes of the throughput.

    ``buffer_s`` is what is downloaded ahead of the viewer; ``current`` the index of the rung in
    play, None before the first segment.
    """

    ladder_kbps: Sequence[float]
    throughput_kbps: float | None
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
    sustainable = _highest(ladder, budget_kbps)
    fill = max(0.0, situation.buffer_s) / max(situation.segment_s, 0.001)
    fitting = _highest(ladder, budget_kbps * fill * BUFFER_CAUTION)
    cautious = _highest(ladder, budget_kbps * CAUTION)
    holds = situation.current is not None and situation.buffer_s >= HOLD_BUFFER_S
    held = situation.current if holds and situation.current is not None else 0
    wanted = max(cautious, bola(ladder, situation.buffer_s), min(held, len(ladder) - 1))
    return min(sustainable, fitting, wanted)


def start(ladder_kbps: Sequence[float]) -> int:
    """The first rung, when nothing is known: within ``START_KBPS``, in the ladder's lower half."""
    return min(_highest(ladder_kbps, START_KBPS * CAUTION), (len(ladder_kbps) - 1) // 2)


def bola(ladder_kbps: Sequence[float], buffer_s: float) -> int:
    """BOLA-BASIC: the rung of the greatest ``(V (utility + gamma) - buffer) / bitrate``."""
    lowest, highest = ladder_kbps[0], ladder_kbps[-1]
    if highest <= lowest:
        return 0
    utilities = [math.log(kbps / lowest) + 1 for kbps in ladder_kbps]
    gamma = (utilities[-1] - 1) / (WANTED_BUFFER_S / LEAST_BUFFER_S - 1)
    v = LEAST_BUFFER_S / gamma
    # At this level the top rung's score is 0 and all others are negative: there BOLA would wait.
    level_s = min(buffer_s, WANTED_BUFFER_S)
    scores = [
        (v * (utility - 1 + gamma) - level_s) / kbps
        for utility, kbps in zip(utilities, ladder_kbps, strict=True)
    ]
    best = max(scores)
    return max(index for index, score in enumerate(scores) if score >= best)


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A download of a segment under way. ``buffer_s`` is what the viewer still has."""

    ladder_kbps: Sequence[float]
    rung: int
    segment_s: float
    size_bytes: int
    received_bytes: int
    elapsed_s: float
    buffer_s: float


def abandon(download: Download) -> int | None:
    """The lower rung to fetch instead, where going on would stall and the change is faster."""
    silent = download.received_bytes == 0
    if download.rung == 0 or silent or download.elapsed_s < ABANDON_GRACE_S:
        return None
    kbps = download.received_bytes * 8 / 1000 / download.elapsed_s
    left_kbit = (download.size_bytes - download.received_bytes) * 8 / 1000
    if left_kbit <= kbps * download.buffer_s:
        return None
    for rung in range(download.rung - 1, -1, -1):
        needs_kbit = download.ladder_kbps[rung] * download.segment_s
        if rung == 0 or needs_kbit <= kbps * download.buffer_s * BUFFER_CAUTION:
            return rung if needs_kbit < left_kbit else None
    return None


def _highest(ladder_kbps: Sequence[float], budget_kbps: float) -> int:
    """The highest rung within the budget; the lowest where none is."""
    within = [index for index, kbps in enumerate(ladder_kbps) if kbps <= budget_kbps]
    return within[-1] if within else 0
