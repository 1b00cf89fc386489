"""From curves to a ladder: their convex hull, and rungs on it.

The method is per-title encoding (Aaron, Li, Manohara, De Cock, Ronca: "Per-Title Encode
Optimization", Netflix Technology Blog, 2015): encode at several resolutions, keep the convex
hull of (log rate, quality), and place rungs on it at even steps of quality. Quality is the mean
VMAF against the canonical picture, in points of 0 to 100; six points are about one just
noticeable difference (Ozer, "Finding the Just Noticeable Difference with Netflix VMAF", 2017).
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model.curves import Curve, candidates
from cuemark.contexts.encoding.model.probes import Probed, even, width_at

STEP_VMAF = 6.0
TOP_VMAF = 95.0
MAX_RUNGS = 6
MOST_KBPS = 16_000.0
"""What the lines and the decoders of homes carry; no rung is planned to take more."""
_HALVES = 2
_NEAR_HULL = 1 / 4
_SLOPE_TIMES = 3.0


class Rung(msgspec.Struct, frozen=True):
    """A planned rendition. ``vmaf_per_crf`` is how much VMAF one crf more costs there."""

    width: int
    height: int
    crf: float
    rate_kbps: float
    vmaf: float
    vmaf_per_crf: float


def ladder(
    curves: Sequence[Curve],
    probes: Sequence[Probed],
    picture_width: int,
    picture_height: int,
) -> list[Rung]:
    """Rungs in ascending order of rate, about six VMAF apart, from about 95 down.

    They lie on the hull of all curves, where a probe stands for what is near it. Where one
    resolution takes over from another the hull may leave a step out: a rung that would lie there
    is taken from the front, which nothing dominates, where that comes near to the hull. A film
    whose poorest encode is better than about 95, or takes more than ``MOST_KBPS``, has one rung:
    the cheapest.
    """
    found = carried(candidates(curves, probes))
    hull = upper_hull(found)
    near_hull = [each for each in front(found) if _below(hull, each) <= STEP_VMAF * _NEAR_HULL]
    slopes = {curve.height: curve for curve in curves}
    top = max(hull[0].vmaf, min(TOP_VMAF, hull[-1].vmaf))
    chosen: list[Probed] = []
    for step in range(MAX_RUNGS):
        target = top - step * STEP_VMAF
        if target < hull[0].vmaf - STEP_VMAF / 2:
            break
        nearest = _nearest(hull, target)
        if abs(nearest.vmaf - target) > STEP_VMAF / _HALVES:
            nearest = _nearest(near_hull, target)
        if all(nearest.vmaf <= other.vmaf - STEP_VMAF / _HALVES for other in chosen):
            chosen.append(nearest)
    return [
        Rung(
            width=width_at(found.point.height, picture_width, picture_height),
            height=found.point.height,
            crf=found.point.crf,
            rate_kbps=found.rate_kbps,
            vmaf=found.vmaf,
            vmaf_per_crf=slopes[found.point.height].slope_at(found.point.crf),
        )
        for found in sorted(chosen, key=lambda found: found.rate_kbps)
    ]


def carried(points: Sequence[Probed]) -> list[Probed]:
    """The points of no more than ``MOST_KBPS``, or the one nearest to that."""
    found = [point for point in points if point.rate_kbps <= MOST_KBPS]
    return found or [min(points, key=lambda point: point.rate_kbps)]


def _below(hull: list[Probed], point: Probed) -> float:
    """How much VMAF a hull has more at a point's rate, along its straight lines."""
    for a, b in pairwise(hull):
        if a.rate_kbps <= point.rate_kbps <= b.rate_kbps:
            share = math.log(point.rate_kbps / a.rate_kbps) / math.log(b.rate_kbps / a.rate_kbps)
            return a.vmaf + share * (b.vmaf - a.vmaf) - point.vmaf
    return 0.0 if point in hull else math.inf


def _nearest(points: list[Probed], vmaf: float) -> Probed:
    return min(points, key=lambda point: abs(point.vmaf - vmaf))


def front(points: list[Probed]) -> list[Probed]:
    """The points that no other one dominates (the Pareto front), ascending."""
    found: list[Probed] = []
    for point in sorted(points, key=lambda p: (p.rate_kbps, -p.vmaf)):
        if not found or point.vmaf > found[-1].vmaf:
            found.append(point)
    return found


def upper_hull(points: list[Probed]) -> list[Probed]:
    """The upper convex hull in (log rate, VMAF), ascending (Andrew's monotone chain, 1979).

    Points past the highest VMAF are left out: more bits for less quality are no choice.
    """
    ordered = sorted(points, key=lambda p: (p.rate_kbps, -p.vmaf))
    hull: list[Probed] = []
    for point in ordered:
        if hull and point.vmaf <= hull[-1].vmaf:
            continue
        while len(hull) >= 2 and _turn(hull[-2], hull[-1], point) >= 0:
            hull.pop()
        hull.append(point)
    return hull


def _turn(a: Probed, b: Probed, c: Probed) -> float:
    """Positive where a, b, c turn left: b then lies below the line from a to c."""
    ax, bx, cx = (math.log2(p.rate_kbps) for p in (a, b, c))
    return (bx - ax) * (c.vmaf - a.vmaf) - (b.vmaf - a.vmaf) * (cx - ax)


def dominates(probe: Probed, rate_kbps: float, vmaf: float) -> bool:
    """Whether a probe is at least as good at no more bits, and better in one of them."""
    return (
        probe.rate_kbps <= rate_kbps
        and probe.vmaf >= vmaf
        and (probe.rate_kbps < rate_kbps or probe.vmaf > vmaf)
    )


def dominating(rate_kbps: float, vmaf: float, probes: list[Probed]) -> Probed | None:
    """The probe that dominates and that no other probe dominates, if there is one."""
    found = [probe for probe in probes if dominates(probe, rate_kbps, vmaf)]
    return max(found, key=lambda probe: (probe.vmaf, -probe.rate_kbps), default=None)


def rung_of(probe: Probed, instead_of: Rung) -> Rung:
    """A probe as a rung, in the place of one that it dominates."""
    return Rung(
        width=even(instead_of.width * probe.point.height / instead_of.height),
        height=probe.point.height,
        crf=probe.point.crf,
        rate_kbps=probe.rate_kbps,
        vmaf=probe.vmaf,
        vmaf_per_crf=instead_of.vmaf_per_crf,
    )


def is_crowded(rate_kbps: float, vmaf: float, others: Iterable[tuple[float, float]]) -> bool:
    """Whether a rung adds nothing to others (their rates and VMAF): one of them is less than half a
    step away, or is as good for as few bits."""
    return any(
        abs(vmaf - other_vmaf) < STEP_VMAF / _HALVES
        or (other_kbps <= rate_kbps and other_vmaf >= vmaf)
        for other_kbps, other_vmaf in others
    )


def corrected_crf(vmaf: float, vmaf_per_crf: float, crf: float, measured_vmaf: float) -> float:
    """The crf at which a rung that was measured at ``crf`` should measure ``vmaf``."""
    change = (measured_vmaf - vmaf) / max(vmaf_per_crf, 0.2)
    return round(min(45.0, max(12.0, crf + max(-6.0, min(6.0, change)))), 2)


def measured_slope(
    rung: Rung, before: tuple[float, float] | None, now: tuple[float, float]
) -> float:
    """How much VMAF one crf costs, from two measurements (crf, VMAF) of a rung.

    It is the rung's own where there is one measurement only, and held near it: two encodes that
    lie close together say little of the slope between them.
    """
    if before is None or before[0] == now[0]:
        return rung.vmaf_per_crf
    found = (before[1] - now[1]) / (now[0] - before[0])
    least, most = rung.vmaf_per_crf / _SLOPE_TIMES, rung.vmaf_per_crf * _SLOPE_TIMES
    return min(most, max(least, found))
