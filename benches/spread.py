"""From samples to what is printed of them."""

from collections.abc import Iterable, Sequence
from math import floor, log10


def percentile(samples: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the samples lie, between neighbours linearly.

    Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996: definition 7, which NumPy
    takes too. Raises ``ValueError`` for no samples.
    """
    if not samples:
        raise ValueError("there is no percentile of no samples")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * min(max(share, 0.0), 1.0)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(samples: Sequence[float]) -> float:
    """The middle of the samples."""
    return percentile(samples, 0.5)


def rounded(value: float, digits: int = 3) -> float:
    """The value to so many significant digits: what a measurement is worth."""
    if value == 0:
        return 0.0
    return round(value, digits - 1 - floor(log10(abs(value))))


def spread(samples: Sequence[float]) -> str:
    """How far the samples lie apart, and how many there are; nothing of a single one."""
    if len(samples) < 2:
        return ""
    return f"{shown(min(samples))} to {shown(max(samples))}, n = {len(samples)}"


def shown(value: float) -> str:
    """A number as tables show it: three digits, and thousands apart from the rest."""
    value = rounded(value)
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:g}"


def covered_s(spans: Iterable[tuple[float, float]]) -> float:
    """The time that spans (begin, end) cover together; where they overlap, it counts once."""
    total_s, until_s = 0.0, float("-inf")
    for begin_s, end_s in sorted(spans):
        total_s += max(0.0, end_s - max(begin_s, until_s))
        until_s = max(until_s, end_s)
    return total_s
