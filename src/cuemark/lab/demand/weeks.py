"""The hours of a world: how often each file is played where, and how much of it is watched."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cuemark.contexts.fill.model.catalog import DAY_H, Floats, Ints
from cuemark.lab.demand.world import CHILDREN, EPISODE, FILM, KINDS, VOLUMES, World

PIECES = 4
"""A file counts in quarters: who leaves early has not fetched the rest."""
WATCHED = (0.20, 0.15, 0.15, 0.50)
"""Of the plays, how many end with the first, the second, the third and the last quarter."""
BUZZ_DAYS = 2.0
WEEKEND = 1.2

_EVENING = {FILM: (21.5, 2.5), EPISODE: (20.0, 3.5), CHILDREN: (17.0, 3.0)}
_FLOOR = {FILM: 0.10, EPISODE: 0.16, CHILDREN: 0.08}


@dataclass(frozen=True)
class Hour:
    """``plays[r, f, q]`` counts the plays in region r of file f that ended with quarter q."""

    at_h: int
    plays: Ints

    @property
    def pieces(self) -> Ints:
        """``[r, f, q]``: how often each quarter was asked for."""
        asked = np.cumsum(self.plays[:, :, ::-1], axis=2)[:, :, ::-1]
        return np.ascontiguousarray(asked)

    def served_bytes(self, size_bytes: Ints) -> Floats:
        """``[r, f]``: what was served of each file."""
        whole: Floats = self.pieces.sum(axis=2) * (size_bytes / PIECES)
        return whole


def expected(of: World, at_h: int) -> Floats:
    """``[r, f]``: plays that the hour brings in the mean."""
    catalog, wish = of.catalog, of.wish
    day, part = divmod(at_h, DAY_H)
    share = part / DAY_H
    appeal = of.appeal[day] ** (1 - share) * of.appeal[day + 1] ** share
    age_days = (at_h - catalog.released_h) / DAY_H
    lift = 1 + of.launch * np.exp(-np.maximum(age_days, 0) / of.launch_days)
    now = np.where(age_days >= 0, appeal * lift, 0.0)
    for title, from_h, factor in of.buzz:
        if at_h >= from_h:
            now[title] *= 1 + factor * np.exp(-(at_h - from_h) / (BUZZ_DAYS * DAY_H))
    rows = []
    for place, region in enumerate(of.regions):
        cycle = np.array([_cycle(kind, region.local_h(at_h)) for kind in range(len(KINDS))])
        level = wish.plays_day * VOLUMES[place] * (WEEKEND if region.weekend(at_h) else 1.0)
        plays = level * now * of.taste[place] * cycle[catalog.kind]
        devices = of.devices[place, catalog.kind[catalog.title], catalog.rendition]
        rows.append(plays[catalog.title] * devices)
    return np.array(rows)


def _cycle(kind: int, local_h: int) -> float:
    """What share of a day's plays of a kind an hour has."""
    return float(_CYCLES[kind, local_h])


def _cycles() -> Floats:
    rows = []
    for kind in range(len(KINDS)):
        peak_h, width_h = _EVENING[kind]
        away = np.abs(np.arange(DAY_H) + 0.5 - peak_h)
        away = np.minimum(away, DAY_H - away)
        row = _FLOOR[kind] * (np.arange(DAY_H) >= 6) + 0.03 + np.exp(-0.5 * (away / width_h) ** 2)
        rows.append(row / row.sum())
    return np.array(rows)


_CYCLES = _cycles()


def hours(of: World) -> Iterator[Hour]:
    """Each hour of the world's days, in order; the same world gives the same hours."""
    ends = np.array(WATCHED)
    for at_h in range(of.wish.days * DAY_H):
        chance = np.random.default_rng([of.wish.seed, 2, at_h])
        mean = expected(of, at_h)
        yield Hour(at_h, chance.poisson(mean[:, :, None] * ends))


def asked(of: World, hour: Hour, region: int) -> Ints:
    """The quarters asked for in a region's hour, in order: file * ``PIECES`` + quarter.

    Plays come in a drawn order; each asks for its quarters from the first to that with which it
    ends.
    """
    file, end = np.nonzero(hour.plays[region])
    times = hour.plays[region, file, end]
    file, end = np.repeat(file, times), np.repeat(end, times)
    order = np.random.default_rng([of.wish.seed, 3, hour.at_h, region]).permutation(len(file))
    file, quarters = file[order], end[order] + 1
    begins = np.repeat(np.cumsum(quarters) - quarters, quarters)
    return np.repeat(file * PIECES, quarters) + np.arange(quarters.sum()) - begins
