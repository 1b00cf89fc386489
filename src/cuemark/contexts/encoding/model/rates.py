"""Rungs that are chosen by rate: below those that are chosen by quality, and at the most of all.

The rungs of ``ladder`` end some five steps of quality under the best, wherever that is: of a film
of noise or of running water at several Mbit/s, and who has less could not watch it at all. Where
the cheapest takes more than ``SLOW_KBPS`` the ladder goes on, at about a third of the bits from
rung to rung, to ``LEAST_KBPS``, the first rung of Netflix's fixed ladder of 2015 (Aaron and others,
"Per-Title Encode Optimization"). Of the sizes down to ``LEAST_LINES`` each has the one that is told
to look best at its rate.

So far from the probes a curve tells the size well enough, and the rate roughly, as it does where
noise takes the bits. Such a rung is encoded again until its rate is about what it is there for, and
what it then measures is what it has.
"""

import math
from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model.curves import (
    LOSS_OVER_LINES,
    MIN_CRF,
    RATE_DOUBLES_CRF,
    RATE_OVER_LINES,
    Curve,
    held,
)
from cuemark.contexts.encoding.model.ladder import MOST_KBPS, Rung
from cuemark.contexts.encoding.model.probes import even, width_at

SLOW_KBPS, LEAST_KBPS = 560.0, 235.0
TIMES = 3.0
"""About how many times the bits of a rung the next one takes."""
LEAST_LINES = 240
POOREST_CRF = 42.0
"""Beyond that a picture of few lines may differ from the film as another picture would."""
SHARES = (1 / 3, 1 / 4, 1 / 6, 1 / 9)
"""Of the master's lines: sizes that are smaller than any that is probed."""
STEEPER = 6.0
"""How many times as steep as usual the rate may go with the crf."""
APART = 0.7
"""What a rung may take at most of the next one's rate."""
LEAST_VMAF = 20.0
"""Bad, on the scale that VMAF was fitted to (Li and others, "Toward a Practical Perceptual Video
Quality Metric", 2016): under it nobody watches."""
MOST_TIMES, LEAST_TIMES = 1.1, 0.6
"""By how much a rung's rate may be off what it is there for."""


def slow_rates(cheapest_kbps: float) -> list[float]:
    """The rates that a ladder lacks below its cheapest rung, ascending; none of most films."""
    if cheapest_kbps <= SLOW_KBPS:
        return []
    times = cheapest_kbps / LEAST_KBPS
    steps = max(1, round(math.log(times) / math.log(TIMES)))
    return [LEAST_KBPS * times ** (n / steps) for n in range(steps)]


def slow_rungs(
    curves: Sequence[Curve],
    cheapest_kbps: float,
    picture_width: int,
    picture_height: int,
    poorest_crf: float = POOREST_CRF,
) -> list[Rung]:
    """The rungs that a ladder lacks below its cheapest, ascending by rate.

    ``curves`` are those of the ladder, the highest first, and ``poorest_crf`` on their scale is
    the last that the codec has. Where that takes more than a rung is there for, the least that it
    takes is the last rung, if that spares a good part of the bits of the cheapest.
    """
    sizes = with_smaller(curves)
    last = min(POOREST_CRF, poorest_crf)
    found: list[Rung] = []
    for kbps in slow_rates(cheapest_kbps):
        able = [
            (held(crf, (MIN_CRF, last)), curve)
            for curve in sizes
            if (crf := _crf_of(curve, kbps)) <= last
        ]
        if able:
            crf, curve = min(able, key=lambda each: each[1].loss_at(each[0]))
        else:
            crf, curve = last, min(sizes, key=lambda each: each.rate_at(last))
        there_kbps = max(kbps, curve.rate_at(crf))
        if found and there_kbps * APART < found[-1].rate_kbps:
            found.pop()
        if not is_apart(there_kbps, cheapest_kbps):
            continue
        found.append(
            Rung(
                width=width_at(curve.height, picture_width, picture_height),
                height=curve.height,
                crf=crf,
                rate_kbps=there_kbps,
                vmaf=max(0.0, curve.at(crf).vmaf),
                vmaf_per_crf=curve.slope_at(crf),
            )
        )
    return found


def with_smaller(curves: Sequence[Curve]) -> list[Curve]:
    """The curves, the highest first, and those of smaller sizes: on the line of the logs of rate
    and loss over the log of the lines that the two smallest of them lie on."""
    near, far = curves[-1], curves[-2] if len(curves) > 1 else curves[-1]
    step = math.log(far.height / near.height) if far is not near else 1.0
    rate = math.log2(far.rate_at(near.crf) / near.rate_at(near.crf)) / step
    loss = math.log(near.loss_at(near.crf) / far.loss_at(near.crf)) / step
    told = {even(curves[0].height * share) for share in SHARES}
    smaller = sorted((n for n in told if LEAST_LINES <= n < near.height), reverse=True)
    return [
        *curves,
        *(
            msgspec.structs.replace(
                near,
                height=lines,
                log_rate=math.log2(near.rate_at(near.crf)) - away * held(rate, RATE_OVER_LINES),
                log_loss=math.log(near.loss_at(near.crf)) + away * held(loss, LOSS_OVER_LINES),
            )
            for lines in smaller
            for away in [math.log(near.height / lines)]
        ),
    ]


def is_dear(kbps: float) -> bool:
    """Whether a rung takes more than lines carry."""
    return kbps > MOST_KBPS * MOST_TIMES


def is_apart(kbps: float, next_kbps: float) -> bool:
    """Whether a rung for slow lines spares a good part of the bits of the next one."""
    return kbps <= next_kbps * APART


def is_about(kbps: float, planned_kbps: float) -> bool:
    """Whether a rung's rate is about what it is there for."""
    return LEAST_TIMES <= kbps / planned_kbps <= MOST_TIMES


def crf_for_rate(
    crf: float, kbps: float, planned_kbps: float, before: tuple[float, float] | None = None
) -> float:
    """The crf at which a rung that took ``kbps`` at ``crf`` should take what it is there for.

    ``before`` is another crf of it and what it took there. Where noise begins to be kept, the rate
    goes with the crf several times as steeply as it does as a rule.
    """
    per_crf = 1 / RATE_DOUBLES_CRF
    if before is not None and before[0] != crf:
        told = math.log2(before[1] / kbps) / (crf - before[0])
        per_crf = held(told, (per_crf / STEEPER, per_crf * STEEPER))
    return round(held(crf + math.log2(kbps / planned_kbps) / per_crf, (MIN_CRF, POOREST_CRF)), 2)


def off(kbps: float, planned_kbps: float) -> float:
    """How far a rate is off what it should be, in doublings."""
    return abs(math.log2(kbps / planned_kbps))


def _crf_of(curve: Curve, kbps: float) -> float:
    return curve.crf + (math.log2(kbps) - curve.log_rate) / curve.rate_per_crf
