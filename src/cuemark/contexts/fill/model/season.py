"""The daily cycle of a kind of titles in a region, learned from what was served."""

from collections.abc import Sequence

import numpy as np

from cuemark.contexts.fill.model.catalog import DAY_H, Floats, Region

SLOTS = 2 * DAY_H
"""Hours of a working day, then those of a day of the weekend, local time."""
HALF_LIFE_WEEKS = 4
"""A slot of the weekend is seen twice a week: a month steadies it and still lets summer come."""
DOUBT_PLAYS = 20.0
"""How many plays of a kind in an hour weigh as much as what all kinds do in that hour."""


class Season:
    """How busy each hour is for each kind: 1 is the mean of the days. 1 until one ended."""

    def __init__(self, regions: Sequence[Region], kinds: int) -> None:
        self._regions = regions
        self._plays = np.zeros((len(regions), SLOTS, kinds))
        self._times = np.zeros((len(regions), SLOTS, 1))
        self._factors = np.ones((len(regions), SLOTS, kinds))
        self._hours = 0

    def observe(self, at_h: int, plays: Floats) -> None:
        """``plays[r, k]`` of the hour that began at ``at_h``."""
        for place, region in enumerate(self._regions):
            slot = slot_of(region, at_h)
            kept = 0.5 ** (1 / (HALF_LIFE_WEEKS * (2 if slot >= DAY_H else 5)))
            self._plays[place, slot] = kept * self._plays[place, slot] + plays[place]
            self._times[place, slot] = kept * self._times[place, slot] + 1
        self._hours += 1
        if self._hours % DAY_H == 0:
            self._learn()

    def factors(self, at_h: int) -> Floats:
        """``[r, k]`` for the hour that begins at ``at_h``."""
        slots = [slot_of(region, at_h) for region in self._regions]
        now: Floats = self._factors[np.arange(len(slots)), slots]
        return now

    def _learn(self) -> None:
        """A part of the week that was not seen yet is taken to be as the other."""
        mean = self._plays / np.maximum(self._times, 1)
        work, rest = mean[:, :DAY_H], mean[:, DAY_H:]
        seen_work, seen_rest = self._times[:, :DAY_H] > 0, self._times[:, DAY_H:] > 0
        work, rest = np.where(seen_work, work, rest), np.where(seen_rest, rest, work)
        level = (5 * work + 2 * rest).mean(axis=1, keepdims=True) / 7
        whole = np.concatenate([work, rest], axis=1)
        of_all = whole.sum(axis=2, keepdims=True)
        of_all = of_all / np.maximum(level.sum(axis=2, keepdims=True), 1e-12)
        times = np.maximum(self._times, 1)
        learned = (times * whole + DOUBT_PLAYS * of_all) / (times * level + DOUBT_PLAYS)
        self._factors = np.where(level.sum(axis=2, keepdims=True) > 0, learned, 1.0)


def slot_of(region: Region, at_h: int) -> int:
    return region.local_h(at_h) + (DAY_H if region.weekend(at_h) else 0)
