"""Remembers what was written lately, so that it is not written again at each play."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Generic, TypeVar

MOST = 10_000

K = TypeVar("K")
V = TypeVar("V")


class Lately(Generic[K, V]):
    """What is not noted here may be written all the same, by another process or before a start."""

    def __init__(self, lasts: timedelta, most: int = MOST) -> None:
        self._lasts = lasts
        self._most = most
        self._noted: OrderedDict[K, tuple[V, datetime]] = OrderedDict()

    def is_news(self, key: K, value: V, now: datetime) -> bool:
        noted = self._noted.get(key)
        return noted is None or noted[0] != value or abs(now - noted[1]) >= self._lasts

    def note(self, key: K, value: V, now: datetime) -> None:
        """Once it is durable; what is no news keeps the moment of when it was."""
        if not self.is_news(key, value, now):
            return
        self._noted[key] = value, now
        self._noted.move_to_end(key)
        if len(self._noted) > self._most:
            self._noted.popitem(last=False)
