"""The times of a film's frames: a constant rate, or how to come to one.

Encodes, scores and segments count frames, so every film has a constant rate. A master whose
frames stray from that (a phone's recording, a screen's) is brought to the usual rate next to
its own: frame N is what a screen shows at N frames of time, as FFmpeg's filter ``fps`` with
``round=near`` has it.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

from cuemark.contracts.encoding.jobs import MasterRejected

MIN_RATE, MAX_RATE = 1, 120
UNEVEN_S = 0.1
MAX_GAP_S = 60
MAX_FRAMES = 24 * 3600 * 60
USUAL_RATES = (
    *(Fraction(10), Fraction(12), Fraction(15), Fraction(20), Fraction(24000, 1001)),
    *(Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(48)),
    *(Fraction(50), Fraction(60000, 1001), Fraction(60)),
)


def constant_rate(
    ticks: Sequence[int], tick_s: Fraction, stated: Fraction, average: Fraction
) -> Fraction | None:
    """The rate by the times where they are even, else by what the container states.

    None where what it states is no film's rate. Raises ``MasterRejected`` where the times have
    such a rate.
    """
    intervals = {after - before for before, after in pairwise(ticks)}
    if len(intervals) == 1 and (interval := intervals.pop()) > 0:
        rate = (1 / (interval * tick_s)).limit_denominator(100_000)
        if not MIN_RATE <= rate <= MAX_RATE:
            raise MasterRejected(
                f"the film's frame rate reads as {float(rate):.2f}: it must be "
                f"{MIN_RATE} to {MAX_RATE} a second"
            )
        return rate
    mean_s = (ticks[-1] - ticks[0]) * tick_s / (len(ticks) - 1)
    near = stated > 0 and mean_s > 0 and abs(float(stated * mean_s) - 1) < 0.002
    rate = (stated if near else average).limit_denominator(100_000)
    return rate if MIN_RATE <= rate <= MAX_RATE else None


def is_even(ticks: Sequence[int], tick_s: Fraction, rate: Fraction) -> bool:
    """Whether no frame strays more than ``UNEVEN_S`` from its place at this rate."""
    first, step = ticks[0], float(1 / rate)
    size_s = float(tick_s)
    return all(
        abs((tick - first) * size_s - number * step) <= UNEVEN_S
        for number, tick in enumerate(ticks)
    )


def usual_rate(ticks: Sequence[int], tick_s: Fraction) -> Fraction:
    """The usual rate next to that of most frames."""
    between = [after - before for before, after in pairwise(ticks) if after > before]
    if not between:
        raise MasterRejected("the film's frames all have the same time: it does not move")
    own = 1 / (float(median(between)) * float(tick_s))
    return min(USUAL_RATES, key=lambda rate: abs(math.log(float(rate) / own)))


def shown_frames(ticks: Sequence[int], tick_s: Fraction, rate: Fraction) -> list[int]:
    """For each frame at the constant rate, the number of the master's frame that it shows.

    Raises ``MasterRejected`` where nothing is shown for longer than ``MAX_GAP_S``, or where
    the film would be longer than a day at 60 frames a second.
    """
    for before, after in pairwise(ticks):
        if (after - before) * tick_s > MAX_GAP_S:
            raise MasterRejected(
                f"the film has no frame for {float((after - before) * tick_s):.0f} s after "
                f"{float((before - ticks[0]) * tick_s):.2f} s: at most {MAX_GAP_S} s can be bridged"
            )
    per_tick = tick_s * rate
    places = [_near((tick - ticks[0]) * per_tick) for tick in ticks]
    check_length(places[-1] + 1)
    shown: list[int] = []
    for number, (place, following) in enumerate(pairwise([*places, places[-1] + 1])):
        shown += [number] * (following - place)
    return shown


def check_length(frames: int) -> None:
    """Raises ``MasterRejected`` for a film of more than ``MAX_FRAMES``."""
    if frames > MAX_FRAMES:
        raise MasterRejected(
            f"the film has {frames} frames: at most {MAX_FRAMES} can be encoded as one title"
        )


def _near(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))
