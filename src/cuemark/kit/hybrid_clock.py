"""Stamps that order writes of several regions: a hybrid logical clock (Kulkarni, Demirbas, Madappa,
Avva and Leone, "Logical Physical Clocks", OPODIS 2014, figure 5).

A stamp is the largest wall time that its region has seen, a count for what came about within it,
and the region. What follows from something that was seen has the larger stamp, also where the
region's own clock is behind; and no stamp is further from the wall time than the clocks of the
regions are from one another.
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from cuemark.kit.clock import Clock

MOST_AHEAD_S = 60.0
"""Clocks that are kept by NTP differ by far less: what is further ahead was stamped wrongly."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_COUNT = 0xFFFF
_LARGEST_US = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_TEXT = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{4})\.([a-z0-9][a-z0-9-]{0,31})")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class StampInvalid(ValueError):
    """A text that is no stamp."""


class StampAhead(Exception):
    """A stamp lies so far in the future that no clock that is right has made it."""


class Stamp(msgspec.Struct, frozen=True, order=True):
    """Ordered by wall time, in microseconds since 1970, then by count, then by region.

    The texts of stamps sort as the stamps do, by their bytes.
    """

    wall_us: int
    count: int
    region: str

    def __str__(self) -> str:
        return f"{self.wall_us:016x}.{self.count:04x}.{self.region}"

    @classmethod
    def parsed(cls, text: str) -> "Stamp":
        """The stamp of ``str``; raises ``StampInvalid``."""
        found = _TEXT.fullmatch(text)
        if found is None or (wall_us := int(found[1], 16)) > _LARGEST_US:
            raise StampInvalid(f"{text[:64]!r} is no stamp.")
        return cls(wall_us, int(found[2], 16), found[3])

    @property
    def at(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.wall_us)


class HybridClock:
    """The stamps of one region. It never goes back, whatever the wall clock does.

    Where several processes stamp for a region, what each does after the other comes after it by
    ``stamp_after``, with the stamp that the other left.
    """

    def __init__(self, clock: Clock, region: str, most_ahead_s: float = MOST_AHEAD_S) -> None:
        if not is_region(region):
            raise ValueError(f"{region!r} is no name of a region.")
        self.region = region
        self._clock = clock
        self._most_ahead_us = round(most_ahead_s * 1e6)
        self._last = Stamp(0, 0, region)

    def stamp(self) -> Stamp:
        """For what comes about now: larger than all that was stamped or observed here."""
        now = Stamp(self._now_us(), 0, self.region)
        self._last = now if now.wall_us > self._last.wall_us else _next(self._last, self.region)
        return self._last

    def stamp_after(self, seen: Stamp) -> Stamp:
        """For what comes about now and replaces what has the stamp ``seen``.

        One that is too far ahead, as a wall clock leaves behind that is set back, moves this stamp
        and no other.
        """
        if self.is_ahead(seen):
            return _next(seen, self.region)
        self._last = max(self._last, seen)
        return self.stamp()

    def observe(self, seen: Stamp) -> None:
        """Stamp after ``seen`` from now on; raises ``StampAhead``, and then does not."""
        if self.is_ahead(seen):
            raise StampAhead(f"{seen.at.isoformat()} is ahead of this region's clock.")
        self._last = max(self._last, seen)

    def is_ahead(self, stamp: Stamp) -> bool:
        """Whether a stamp is further in the future than clocks differ."""
        return stamp.wall_us > self._now_us() + self._most_ahead_us

    def _now_us(self) -> int:
        return (self._clock.now() - _EPOCH) // timedelta(microseconds=1)


def is_region(text: str) -> bool:
    """Whether a region may be called so: 1 to 32 of a to z, digits and hyphens."""
    return _REGION.fullmatch(text) is not None


def _next(stamp: Stamp, region: str) -> Stamp:
    """The next larger one of a region; a count that is full goes over into the wall time."""
    if stamp.count < _LARGEST_COUNT:
        return Stamp(stamp.wall_us, stamp.count + 1, region)
    return Stamp(stamp.wall_us + 1, 0, region)
