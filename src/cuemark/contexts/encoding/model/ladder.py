"""From five probes to a ladder: rate-quality curves, their convex hull, rungs on it.

The method is per-title encoding (Aaron, Li, Manohara, De Cock, Ronca: "Per-Title Encode
Optimization", Netflix Technology Blog, 2015): encode at several resolutions, keep the convex
hull of (log rate, quality), and place rungs on it at even steps of quality. Quality is the mean
VMAF against the canonical picture, in points of 0 to 100; six points are about one just
noticeable difference (Ozer, "Finding the Just Noticeable Difference with Netflix VMAF", 2017).

Between two probes of one resolution, log2 of the rate is taken as linear in crf, and so is the
log of ``CEILING - VMAF``. That holds between the probes and not far beyond them, so curves are
followed for ``BEYOND_CRF`` only, and every rung is measured against its prediction.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

CEILING = 101.0
STEP_VMAF = 6.0
TOP_VMAF = 95.0
MAX_RUNGS = 6
MAX_LINES, HD_LINES = 2160, 1080
MIN_CRF, MAX_CRF = 17.0, 38.0
BEYOND_CRF = 3.0
"""How far outside of the probed crf a curve is trusted."""
BETWEEN = (0.95, 0.82, 0.58)
"""Shares of the master's lines at which there is no probe."""
RATE_OVER_LINES, LOSS_OVER_LINES = (1.4, 2.9), (0.3, 2.5)
"""By how many doublings the rate grows, and by how much the log of the loss falls, where the lines
of a scaled picture grow e-fold."""
_HALVES = 2
_NEAR_HULL = 1 / 4
_ALL_POINTS = 5
_SNAP_CRF = 0.75
_ONE_POINT_SLOPE, _ONE_POINT_LINES = 0.82, math.log(4 / 3)
_RATE_DOUBLES_CRF = 5.9
_SLOPE_TIMES = 3.0


class Point(msgspec.Struct, frozen=True, order=True):
    """Where to encode: lines of the picture, and x264's constant rate factor."""

    height: int
    crf: float


class Probed(msgspec.Struct, frozen=True):
    """What an encode at a point gave."""

    point: Point
    rate_kbps: float
    vmaf: float


class Rung(msgspec.Struct, frozen=True):
    """A planned rendition. ``vmaf_per_crf`` is how much VMAF one crf more costs there."""

    width: int
    height: int
    crf: float
    rate_kbps: float
    vmaf: float
    vmaf_per_crf: float


class NoLadder(ValueError):
    """The probes do not span a curve."""


def probe_points(height: int, most: int = 5) -> list[Point]:
    """The points for a picture of ``height`` lines: two at full size (2160 lines at most), two at
    two thirds, one at half. With four of them there is one at two thirds, between the two.

    A picture of more than 1080 lines has two at half, one at two thirds and one at a quarter, for
    the lines of viewers that carry no more.
    """
    top = min(height, MAX_LINES)
    crfs = (31.0, 23.0) if most >= _ALL_POINTS else (27.0,)
    best = [Point(top, 28.0), Point(top, 20.0)]
    if top > HD_LINES:
        half = [Point(even(top / 2), crf) for crf in crfs]
        return [Point(even(top / 4), 29.0), *half, Point(even(top * 2 / 3), 27.0), *best]
    between = [Point(even(top * 2 / 3), crf) for crf in crfs]
    return [Point(even(top / 2), 29.0), *between, *best]


def check_points(points: Sequence[Point]) -> list[Point]:
    """Where another codec is tried: at the best of the reference's points, and at its poorest."""
    ordered = sorted(points, key=lambda point: (point.height, -point.crf))
    return [ordered[0], ordered[-1]]


def even(lines: float) -> int:
    """The nearest even number: 4:2:0 pictures have no odd sides."""
    return max(2, round(lines / 2) * 2)


def width_at(height: int, picture_width: int, picture_height: int) -> int:
    """The even width that keeps the picture's shape at ``height`` lines."""
    return even(height * picture_width / picture_height)


class Curve(msgspec.Struct, frozen=True):
    """One resolution: log2(rate) and log(CEILING - VMAF) as straight lines over crf."""

    height: int
    crf: float
    log_rate: float
    rate_per_crf: float
    log_loss: float
    loss_per_crf: float
    low_crf: float
    high_crf: float
    ceiling: float = CEILING

    def at(self, crf: float) -> Probed:
        """What an encode at ``crf`` is predicted to give."""
        return Probed(
            Point(self.height, crf), self.rate_at(crf), min(100.0, self.ceiling - self.loss_at(crf))
        )

    def rate_at(self, crf: float) -> float:
        """The rate in kbit/s that an encode at ``crf`` is predicted to take."""
        return 2 ** (self.log_rate + self.rate_per_crf * (crf - self.crf))

    def loss_at(self, crf: float) -> float:
        """What it is predicted to lose of ``ceiling``."""
        return math.exp(self.log_loss + self.loss_per_crf * (crf - self.crf))

    def slope_at(self, crf: float) -> float:
        """VMAF lost for one crf more."""
        return self.loss_per_crf * (self.ceiling - self.at(crf).vmaf)

    def candidates(self, probed: list[Probed]) -> list[Probed]:
        """Half-crf steps where the curve is trusted; a probe stands for what is near it."""
        steps = [self.low_crf + n / 2 for n in range(int((self.high_crf - self.low_crf) * 2) + 1)]
        free = [crf for crf in steps if all(abs(crf - p.point.crf) > _SNAP_CRF for p in probed)]
        return [*probed, *(self.at(crf) for crf in free)]


def ladder(probes: list[Probed], picture_width: int, picture_height: int) -> list[Rung]:
    """Rungs in ascending order of rate, about six VMAF apart, from about 95 down.

    A film whose poorest encode is better than that has one rung: the cheapest. Raises
    ``NoLadder`` where the probes hold no resolution twice.
    """
    return ladder_on(curves_of(probes), probes, picture_width, picture_height)


def ladder_on(
    curves: list[Curve], probes: list[Probed], picture_width: int, picture_height: int
) -> list[Rung]:
    """``ladder`` on the curves of the resolutions; a probe stands for what is near it.

    Where one resolution takes over from another the hull may leave a step out: a rung that would
    lie there is taken from the front, which nothing dominates, where that comes near to the hull.
    """
    candidates = [
        candidate
        for curve in curves
        for candidate in curve.candidates([p for p in probes if p.point.height == curve.height])
    ]
    hull = upper_hull(candidates)
    near_hull = [each for each in front(candidates) if _below(hull, each) <= STEP_VMAF * _NEAR_HULL]
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


def _below(hull: list[Probed], point: Probed) -> float:
    """How much VMAF a hull has more at a point's rate, along its straight lines."""
    for a, b in pairwise(hull):
        if a.rate_kbps <= point.rate_kbps <= b.rate_kbps:
            share = math.log(point.rate_kbps / a.rate_kbps) / math.log(b.rate_kbps / a.rate_kbps)
            return a.vmaf + share * (b.vmaf - a.vmaf) - point.vmaf
    return 0.0 if point in hull else math.inf


def _nearest(points: list[Probed], vmaf: float) -> Probed:
    return min(points, key=lambda point: abs(point.vmaf - vmaf))


def curves_of(probes: list[Probed], ceiling: float = CEILING) -> list[Curve]:
    """A curve for each probed resolution, the highest first. No VMAF comes up to ``ceiling``.

    A resolution with one probe takes the slopes of the next higher one, its loss flatter by
    ``_ONE_POINT_SLOPE``: the fewer the lines, the more of the loss comes from scaling.
    """
    curves: list[Curve] = []
    for height in sorted({probe.point.height for probe in probes}, reverse=True):
        here = sorted((p for p in probes if p.point.height == height), key=lambda p: p.point.crf)
        best, worst = here[0], here[-1]
        span = worst.point.crf - best.point.crf
        if span > 0:
            rate_per_crf = math.log2(worst.rate_kbps / best.rate_kbps) / span
            loss_per_crf = (log_loss(worst, ceiling) - log_loss(best, ceiling)) / span
        elif curves:
            rate_per_crf = curves[-1].rate_per_crf
            loss_per_crf = curves[-1].loss_per_crf * _ONE_POINT_SLOPE
        else:
            raise NoLadder(f"one probe at {height} lines spans no curve")
        curves.append(
            Curve(
                height=height,
                crf=best.point.crf,
                log_rate=math.log2(best.rate_kbps),
                rate_per_crf=min(rate_per_crf, -0.2 / _RATE_DOUBLES_CRF),
                log_loss=log_loss(best, ceiling),
                loss_per_crf=max(loss_per_crf, 1e-3),
                low_crf=max(MIN_CRF, best.point.crf - BEYOND_CRF),
                high_crf=min(MAX_CRF, worst.point.crf + BEYOND_CRF),
                ceiling=ceiling,
            )
        )
    return curves


def with_between(curves: Sequence[Curve]) -> list[Curve]:
    """The curves of the probed sizes, and of those between that no probe saw; highest first."""
    heights = {curve.height for curve in curves}
    top = max(heights)
    told = {even(top * share) for share in BETWEEN} - heights
    found = [curve_at(lines, curves) for lines in told]
    return sorted([*curves, *filter(None, found)], key=lambda curve: -curve.height)


def curve_at(lines: int, curves: Sequence[Curve]) -> Curve | None:
    """The curve of a size that no probe saw, from those of its neighbors (highest first).

    Of pictures that were scaled down, the logs of rate and loss at one crf lie on a line over the
    log of their lines; over crf the loss is the flatter the fewer they are, as in ``curves_of``.
    The master's own size lies off that line: the first step down takes away what is finer than the
    picture, noise most of all, and up to a fifth of the bits with it. So a size below it is told
    from the two next ones, and is neither dearer nor better than it. None where it has no such
    neighbors.
    """
    above = [curve for curve in curves if curve.height > lines]
    below = [curve for curve in curves if curve.height < lines]
    if not above or not below or (len(above) == 1 and len(below) == 1):
        return None
    near, far = below[:2] if len(above) == 1 else (above[-1], below[0])
    crf = far.crf
    step = math.log(near.height / far.height)
    away = math.log(lines / near.height)
    rate = near.rate_at(crf) / far.rate_at(crf)
    loss = near.loss_at(crf) / far.loss_at(crf)
    ends = (above[-1], below[0])
    own = above[-1]
    return msgspec.structs.replace(
        near,
        height=lines,
        crf=crf,
        log_rate=min(
            math.log2(own.rate_at(crf)),
            math.log2(near.rate_at(crf)) + away * _held(math.log2(rate) / step, RATE_OVER_LINES),
        ),
        log_loss=max(
            math.log(own.loss_at(crf)),
            math.log(near.loss_at(crf)) - away * _held(-math.log(loss) / step, LOSS_OVER_LINES),
        ),
        loss_per_crf=near.loss_per_crf * _ONE_POINT_SLOPE ** (-away / _ONE_POINT_LINES),
        low_crf=max(curve.low_crf for curve in ends),
        high_crf=min(curve.high_crf for curve in ends),
    )


def _held(value: float, bounds: tuple[float, float]) -> float:
    return min(bounds[1], max(bounds[0], value))


def log_loss(probe: Probed, ceiling: float = CEILING) -> float:
    """The log of what a probe lost of ``ceiling``, of half a point at least."""
    return math.log(ceiling - min(probe.vmaf, ceiling - 0.5))


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
