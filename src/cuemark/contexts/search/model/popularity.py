"""How popular a title is, by its plays, of which each counts half as much after a month.

Forward decay (Cormode et al., ICDE 2009): a play at time t counts 2^(t / half-life), and the
logarithm of the sum is kept. It changes only when a title is played, and yet any two titles
compare at any time as if all their plays had decayed until then.
"""

import math
from datetime import UTC, datetime, timedelta

HALF_LIFE = timedelta(days=30)
_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)
STEP = 0.25
"""By how much it grows before the index is told."""


def played(before: float | None, at: datetime) -> float:
    """The popularity after a play; ``before`` is None for the first."""
    age = (at - _ORIGIN) / HALF_LIFE
    if before is None:
        return age
    high, low = max(before, age), min(before, age)
    return high + math.log2(1 + 2 ** max(low - high, -60))


def standing(popularity: float, now: datetime) -> float:
    """0 for what nobody plays, 1 for a play today, and one more for each doubling."""
    plays = 2 ** min(max(popularity - (now - _ORIGIN) / HALF_LIFE, -60), 60)
    return math.log2(1 + plays)


def rounded(popularity: float) -> float:
    return math.floor(popularity / STEP) * STEP
