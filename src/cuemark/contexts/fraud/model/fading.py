"""Sums that fade: what happened lately counts most, and the oldest keys make room for new ones."""

import math
from collections import OrderedDict
from collections.abc import Hashable


class Fading:
    """A sum for each key, halved every ``half_life_s``; of the ``most`` keys that grew last."""

    def __init__(self, half_life_s: float, most: int) -> None:
        self._half_life_s = half_life_s
        self._most = most
        self._sums: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sums)

    def of(self, key: Hashable, now_s: float) -> float:
        """The sum as it stands now; 0 for a key that never grew, or was pushed out."""
        value, at_s = self._sums.get(key, (0.0, now_s))
        return value * self._left(now_s - at_s)

    def add(self, key: Hashable, now_s: float, amount: float = 1.0) -> float:
        """The sum with ``amount``, which may take from it: no sum falls below 0."""
        value = max(0.0, self.of(key, now_s) + amount)
        self._sums[key] = (value, now_s)
        self._sums.move_to_end(key)
        if len(self._sums) > self._most:
            self._sums.popitem(last=False)
        return value

    def rate(self, key: Hashable, now_s: float) -> float:
        """What a sum grows by in a second, if it has grown alike for long."""
        return self.of(key, now_s) * math.log(2) / self._half_life_s

    def forget(self, key: Hashable) -> None:
        self._sums.pop(key, None)

    def _left(self, passed_s: float) -> float:
        """A clock that went back lets nothing grow."""
        return float(0.5 ** (max(0.0, passed_s) / self._half_life_s))
