"""Whether a master repeats frames in a pattern, as one does that was brought to its frame rate from
another one: every fifth frame where 24 a second became 30, every other one where 25 became 50."""

import msgspec
import numpy as np
from numpy.typing import NDArray

PATTERN_S, PERIODS, FIT = 2.0, (2, 3, 4, 5, 6), 0.9
_TIMES = 3
"""What was seen less often is no pattern."""


class Repeats(msgspec.Struct, frozen=True):
    """Each ``period``-th frame repeats the one before; first seen from ``from_s`` to ``to_s``."""

    period: int
    from_s: float
    to_s: float


def repeats(still: NDArray[np.bool_], rate: float) -> Repeats | None:
    """The first stretch in which every nth frame repeats the one before, and the others move.

    ``still`` says of each frame whether it shows what the one before it shows.
    """
    size = max(1, round(PATTERN_S * rate))
    for at in range(0, len(still) - size + 1, size):
        part = still[at : at + size]
        for period in (each for each in PERIODS if _TIMES * each <= size):
            for phase in range(period):
                others = np.delete(part, np.s_[phase::period])
                if part[phase::period].mean() >= FIT and others.mean() <= 1 - FIT:
                    return Repeats(period, at / rate, (at + size) / rate)
    return None
