"""The mean difference of two rate-quality curves (BD-rate), interpolated by PCHIP.

Bjontegaard, "Calculation of average PSNR differences between RD-curves", ITU-T VCEG-M33, 2001,
with the piecewise cubic Hermite interpolation of the JCT-VC's common test conditions (Bossen,
JCTVC-L1100, 2013). The interpolant is that of Fritsch and Butland, "A Method for Constructing
Local Monotone Piecewise Cubic Interpolants", SIAM J. Sci. Stat. Comput. 5(2), 1984.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Curve = Sequence[tuple[float, float]]
"""Points of rate (any unit above 0) and quality."""

_STEPS = 2000


def bd_rate(anchor: Curve, test: Curve) -> float | None:
    """By how many percent the rate of ``test`` differs from that of ``anchor`` at equal quality.

    None where their qualities do not overlap. Points that another one of their curve beats in
    both are left out: a curve of published renditions must ascend.
    """
    first, second = ascending(anchor), ascending(test)
    if len(first) < 2 or len(second) < 2:
        return None
    low = max(first[0][1], second[0][1])
    high = min(first[-1][1], second[-1][1])
    if high <= low:
        return None
    at = np.linspace(low, high, _STEPS + 1)
    difference = _log_rate(second, at) - _log_rate(first, at)
    mean = float(np.trapezoid(difference, at)) / (high - low)
    return 100 * (10**mean - 1)


def ascending(curve: Curve) -> list[tuple[float, float]]:
    """The points that no other beats, by rate; both coordinates ascend strictly."""
    kept: list[tuple[float, float]] = []
    for rate, quality in sorted(curve, key=lambda point: (point[0], -point[1])):
        if not kept or quality > kept[-1][1]:
            kept.append((rate, quality))
    return kept


def _log_rate(curve: list[tuple[float, float]], at: Numbers) -> Numbers:
    quality = np.array([q for _, q in curve])
    log_rate = np.array([math.log10(rate) for rate, _ in curve])
    return pchip(quality, log_rate, at)


def pchip(x: Numbers, y: Numbers, at: Numbers) -> Numbers:
    """The monotone cubic through ``y`` over ascending ``x``, at places between them."""
    widths, slopes = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return np.asarray(y[0] + slopes[0] * (at - x[0]))
    tangents = np.zeros_like(y)
    for n in range(1, len(x) - 1):
        before, after = slopes[n - 1], slopes[n]
        if before * after > 0:
            first = 2 * widths[n] + widths[n - 1]
            second = widths[n] + 2 * widths[n - 1]
            tangents[n] = (first + second) * before * after / (first * after + second * before)
    tangents[0] = _end(widths[0], widths[1], slopes[0], slopes[1])
    tangents[-1] = _end(widths[-1], widths[-2], slopes[-1], slopes[-2])
    piece = np.clip(np.searchsorted(x, at) - 1, 0, len(widths) - 1)
    width = widths[piece]
    t = (at - x[piece]) / width
    return np.asarray(
        (1 + 2 * t) * (1 - t) ** 2 * y[piece]
        + t * (1 - t) ** 2 * width * tangents[piece]
        + t**2 * (3 - 2 * t) * y[piece + 1]
        + t**2 * (t - 1) * width * tangents[piece + 1]
    )


def _end(width: float, next_width: float, slope: float, next_slope: float) -> float:
    """The tangent at an end, from three points, held so that the curve keeps its shape."""
    tangent = ((2 * width + next_width) * slope - width * next_slope) / (width + next_width)
    if tangent * slope <= 0:
        return 0.0
    if slope * next_slope <= 0 and abs(tangent) > 3 * abs(slope):
        return 3 * slope
    return tangent
