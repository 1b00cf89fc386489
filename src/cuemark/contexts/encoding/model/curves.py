"""From probes to curves: how the rate and the quality of each size go with the crf.

Between two probes of one resolution, log2 of the rate is taken as linear in crf, and so is the
log of ``CEILING - VMAF``. That holds between the probes and not far beyond them, so curves are
followed a few crf further only, and every rung is measured against its prediction.
"""

import math
from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model.probes import FIRST_STEP, Point, Probed, even

CEILING = 101.0
MIN_CRF, MAX_CRF = 17.0, 38.0
RATE_DOUBLES_CRF = 5.9
"""How many crf of x264 halve the rate, as a rule."""
BETTER_CRF, POORER_CRF = 5.0, 3.0
"""How far below and above the probed crf a curve is trusted. That of the largest size is followed
down to ``MIN_CRF``: no other is as good there."""
BETWEEN = (FIRST_STEP, 0.82, 0.58)
"""Shares of the master's lines that are told from others where there is no probe of them."""
RATE_OVER_LINES, LOSS_OVER_LINES = (1.4, 2.9), (0.3, 2.5)
"""By how many doublings the rate grows, and by how much the log of the loss falls, where the lines
of a scaled picture grow e-fold."""
_SNAP_CRF = 0.75
_ONE_POINT_SLOPE, _ONE_POINT_LINES = 0.82, math.log(4 / 3)


class NoLadder(ValueError):
    """The probes do not span a curve."""


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
        most = math.floor((self.high_crf - self.low_crf) * 2)
        steps = [self.low_crf + n / 2 for n in range(most + 1)]
        free = [crf for crf in steps if all(abs(crf - p.point.crf) > _SNAP_CRF for p in probed)]
        return [*probed, *(self.at(crf) for crf in free)]


def curves_of(probes: list[Probed], ceiling: float = CEILING) -> list[Curve]:
    """A curve for each probed resolution, the highest first. No VMAF comes up to ``ceiling``.

    A resolution with one probe takes the slopes of the nearest that has two, its loss the flatter
    the fewer its lines are. Raises ``NoLadder`` where none has two.
    """
    there: dict[int, list[Probed]] = {}
    for probe in sorted(probes, key=lambda probe: (-probe.point.height, probe.point.crf)):
        there.setdefault(probe.point.height, []).append(probe)
    slopes = {
        height: _slopes(here[0], here[-1], ceiling)
        for height, here in there.items()
        if here[-1].point.crf > here[0].point.crf
    }
    if not slopes:
        raise NoLadder(f"one probe at {max(there)} lines spans no curve")
    curves: list[Curve] = []
    for height, here in there.items():
        best, worst = here[0], here[-1]
        like = min(slopes, key=lambda each: abs(math.log(each / height)))
        rate_per_crf, loss_per_crf = slopes[like]
        better_crf = BETTER_CRF if curves else best.point.crf
        curves.append(
            Curve(
                height=height,
                crf=best.point.crf,
                log_rate=math.log2(best.rate_kbps),
                rate_per_crf=min(rate_per_crf, -0.2 / RATE_DOUBLES_CRF),
                log_loss=log_loss(best, ceiling),
                loss_per_crf=max(loss_per_crf * _flatter(like / height), 1e-3),
                low_crf=max(MIN_CRF, best.point.crf - better_crf),
                high_crf=min(MAX_CRF, worst.point.crf + POORER_CRF),
                ceiling=ceiling,
            )
        )
    return curves


def _slopes(best: Probed, worst: Probed, ceiling: float) -> tuple[float, float]:
    """How log2 of the rate and the log of the loss change with the crf between two probes."""
    span = worst.point.crf - best.point.crf
    return (
        math.log2(worst.rate_kbps / best.rate_kbps) / span,
        (log_loss(worst, ceiling) - log_loss(best, ceiling)) / span,
    )


def _flatter(times: float) -> float:
    """How much flatter the loss is over crf where a picture has so many times fewer lines: the
    fewer they are, the more of the loss comes from scaling."""
    return math.pow(_ONE_POINT_SLOPE, math.log(times) / _ONE_POINT_LINES)


def candidates(curves: Sequence[Curve], probes: Sequence[Probed]) -> list[Probed]:
    """What could be encoded at each size where its curve is trusted; a probe stands for what is
    near it."""
    return [
        candidate
        for curve in curves
        for candidate in curve.candidates([p for p in probes if p.point.height == curve.height])
    ]


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
            math.log2(near.rate_at(crf)) + away * held(math.log2(rate) / step, RATE_OVER_LINES),
        ),
        log_loss=max(
            math.log(own.loss_at(crf)),
            math.log(near.loss_at(crf)) - away * held(-math.log(loss) / step, LOSS_OVER_LINES),
        ),
        loss_per_crf=near.loss_per_crf * _flatter(near.height / lines),
        low_crf=max(curve.low_crf for curve in ends),
        high_crf=min(curve.high_crf for curve in ends),
    )


def held(value: float, bounds: tuple[float, float]) -> float:
    """A value, or the bound that it is beyond."""
    return min(bounds[1], max(bounds[0], value))


def log_loss(probe: Probed, ceiling: float = CEILING) -> float:
    """The log of what a probe lost of ``ceiling``, of half a point at least."""
    return math.log(ceiling - min(probe.vmaf, ceiling - 0.5))
