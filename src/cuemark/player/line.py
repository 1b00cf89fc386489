"""The access line of a device: what it carries over time. Pure.

A profile is written in one of three forms:

    600                         kbit/s from the beginning on
    8000,600@5s,8000@15s        kbit/s, each from so many seconds after the beginning
    [{"duration_ms": 1000, "bandwidth_kbps": 900}, ...]    a trace as Sabre reads it
    0.0 1.25                    a trace of lines "seconds Mbit/s", as Puffer's are published

The two traces begin again when they are over, as in Sabre (Spiteri, Sitaraman, Sparacio: "From
Theory to Practice: Improving Bitrate Adaptation in the DASH Reference Player", MMSys 2018).
"""

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from cuemark.kit.errors import UNREADABLE

MAX_STEPS = 100_000
MAX_PROFILE_CHARS = 8 << 20
MIN_MEAN_KBPS = 0.001
_STEP = re.compile(r"^(\d{1,9}(?:\.\d{1,6})?)(?:@(\d{1,6}(?:\.\d{1,6})?)s)?$")
_PAIR = re.compile(r"^(\d{1,9}(?:\.\d{1,18})?)\s+(\d{1,9}(?:\.\d{1,18})?)$")
_KBIT_OF_BYTE = 8 / 1000


class LineInvalid(ValueError):
    """One sentence: what in a profile cannot be read, or would carry nothing for ever."""


class _Period(msgspec.Struct, frozen=True):
    """One entry of Sabre's traces; its latency is left to the network that is really there."""

    duration_ms: float
    bandwidth_kbps: float


class Line:
    """``rates_kbps[i]`` holds from ``starts_s[i]``; after ``period_s`` all begins again.

    ``starts_s`` ascends from 0. Without a period the last rate holds for good.
    """

    def __init__(
        self, starts_s: Sequence[float], rates_kbps: Sequence[float], period_s: float | None = None
    ) -> None:
        self._starts_s = list(starts_s)
        self._rates_kbps = list(rates_kbps)
        self._period_s = period_s
        if any(later <= sooner for sooner, later in pairwise(starts_s)):
            raise LineInvalid("the times of a line's profile must ascend")
        self._period_kbit = 0.0
        if period_s is None:
            delivers = self._rates_kbps[-1] > 0
        else:
            ends_s = [*self._starts_s[1:], period_s]
            self._period_kbit = math.fsum(
                rate * (end - start)
                for start, end, rate in zip(starts_s, ends_s, rates_kbps, strict=True)
            )
            delivers = self._period_kbit >= period_s * MIN_MEAN_KBPS
        if not delivers:
            raise LineInvalid("a line that ends at 0 kbit/s never delivers: give a rate above 0")

    def carried_at_s(self, begun_s: float, size_bytes: int) -> float:
        """When ``size_bytes`` have come through, the first of them sent at ``begun_s``."""
        left_kbit = size_bytes * _KBIT_OF_BYTE
        at_s = begun_s
        if self._period_s is not None and left_kbit > self._period_kbit:
            # All but the last of what goes on for whole periods, however short they are.
            whole = math.ceil(left_kbit / self._period_kbit) - 1
            left_kbit -= whole * self._period_kbit
            at_s += whole * self._period_s
        while True:
            rate_kbps, until_s = self._now(at_s)
            needs_s = left_kbit / rate_kbps if rate_kbps > 0 else math.inf
            if at_s + needs_s <= until_s:
                return at_s + needs_s
            left_kbit -= rate_kbps * (until_s - at_s)
            at_s = until_s

    def kbps(self, at_s: float) -> float:
        """What the line carries at a moment."""
        return self._now(at_s)[0]

    def _now(self, at_s: float) -> tuple[float, float]:
        """The rate at ``at_s`` and until when it holds."""
        rounds = 0.0 if self._period_s is None else math.floor(at_s / self._period_s)
        offset_s = rounds * (self._period_s or 0.0)
        step = bisect_right(self._starts_s, at_s - offset_s) - 1
        last = step == len(self._starts_s) - 1
        if last and self._period_s is None:
            return self._rates_kbps[step], math.inf
        end_s = offset_s + (self._period_s if last else self._starts_s[step + 1])  # type: ignore[operator]
        # Rounding may put a moment and the end of its step on the same number.
        return self._rates_kbps[step], max(end_s, math.nextafter(at_s, math.inf))


def parse(text: str) -> Line:
    """The line of a profile in any of the forms above; ``LineInvalid`` with one sentence."""
    if len(text) > MAX_PROFILE_CHARS:
        raise LineInvalid("the line's profile is larger than any trace")
    stripped = text.strip()
    if stripped.startswith("["):
        return _sabre(stripped)
    if "\n" in stripped or " " in stripped or "\t" in stripped:
        return _puffer(stripped)
    return _steps(stripped)


def _steps(text: str) -> Line:
    starts_s: list[float] = []
    rates_kbps: list[float] = []
    for part in text.split(","):
        match = _STEP.match(part.strip())
        if match is None:
            raise LineInvalid(
                f"{part.strip()[:40]!r} is no step of a line's profile: "
                "write kbit/s, as in 8000,600@5s,8000@15s"
            )
        rates_kbps.append(float(match[1]))
        starts_s.append(float(match[2] or 0))
    if starts_s[0] != 0:
        raise LineInvalid("a line's profile begins with a rate without a time, as in 8000,600@5s")
    return _bounded(starts_s, rates_kbps, None)


def _sabre(text: str) -> Line:
    try:
        periods = msgspec.json.decode(text, type=list[_Period])
    except UNREADABLE as error:
        raise LineInvalid(f"the line's profile is no trace as Sabre reads it: {error}") from error
    return _looped([(each.duration_ms / 1000, each.bandwidth_kbps) for each in periods])


def _puffer(text: str) -> Line:
    rows = [_PAIR.match(row.strip()) for row in text.splitlines()]
    pairs = [(float(row[1]), float(row[2]) * 1000) for row in rows if row is not None]
    if len(pairs) < len(rows) or len(pairs) < 2:
        raise LineInvalid('a line of the trace is not "seconds Mbit/s", or there is only one')
    lasts_s = [after[0] - before[0] for before, after in pairwise(pairs)]
    return _looped([(s, kbps) for s, (_, kbps) in zip(lasts_s, pairs, strict=False)])


def _looped(periods: Sequence[tuple[float, float]]) -> Line:
    if not periods or any(
        not 0 < lasts_s < 1e6 or not 0 <= kbps < 1e9 for lasts_s, kbps in periods
    ):
        raise LineInvalid("a trace has periods that last, and rates of 0 kbit/s or more")
    starts_s, at_s = [], 0.0
    for lasts_s, _ in periods:
        starts_s.append(at_s)
        at_s += lasts_s
    return _bounded(starts_s, [kbps for _, kbps in periods], at_s)


def _bounded(
    starts_s: Sequence[float], rates_kbps: Sequence[float], period_s: float | None
) -> Line:
    if len(starts_s) > MAX_STEPS:
        raise LineInvalid(f"the line's profile has more than {MAX_STEPS} steps")
    return Line(starts_s, rates_kbps, period_s)
