"""The planner on the hours of a world, beside caches and clairvoyance: what each asks the backbone.

The planner is the one of production: it sees the bytes that were served, hour after hour, and
nothing else of the world. Whatever crosses the backbone counts, fill as well as misses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cuemark.contexts.fill.model import plan as planning
from cuemark.contexts.fill.model.catalog import DAY_H, Flags, Floats, Ints
from cuemark.contexts.fill.model.forecast import Forecast
from cuemark.kit.windows import window
from cuemark.lab.demand.caches import Cache
from cuemark.lab.demand.weeks import PIECES, Hour, asked, expected
from cuemark.lab.demand.world import World

LEARN_DAYS = 14
"""All that is compared has these days to learn; what comes after counts."""


@dataclass(frozen=True)
class Backbone:
    """Bytes over the backbone ``[r, h]``: what members waited for, and what was brought ahead."""

    missed: Floats
    fill: Floats

    @property
    def all(self) -> Floats:
        both: Floats = self.missed + self.fill
        return both


@dataclass(frozen=True)
class Outcome:
    """What counts of a backbone, in bytes of all regions together.

    ``evening`` is from 18:00 to midnight of local time, by day: the mean of the days and the worst.
    ``busiest`` sums up the busiest hours that the regions had, likewise. ``total`` is of all days.
    """

    evening_mean_bytes: float
    evening_worst_bytes: float
    busiest_mean_bytes: float
    busiest_worst_bytes: float
    total_bytes: float
    fill_bytes: float


def capacity_bytes(of: World, share: float) -> int:
    """What each region's cluster holds: a share of all files that there will ever be."""
    return int(of.catalog.size_bytes.sum() * share)


@dataclass(frozen=True)
class Morrow:
    """Where the planner stands after the last hour: what it expects, and what the clusters hold.

    ``value[r, f]`` is in plays within the horizon, ``held[r, f, q]`` by quarters.
    """

    value: Floats
    held: Flags


def planned(of: World, hours: Sequence[Hour], capacity: int) -> tuple[Backbone, Morrow]:
    """The forecast, the plan of each hour, fill in its window, and misses kept by their worth."""
    forecast = Forecast(of.catalog, of.regions)
    held = np.zeros((len(of.regions), of.catalog.files * PIECES), dtype=np.bool_)
    size = _quarters(of)
    morning, rate_bytes_h = window("02:00-14:00"), capacity // 12
    shape = len(of.regions), len(hours)
    missed, fill = np.zeros(shape), np.zeros(shape)
    for number, hour in enumerate(hours):
        weigh = np.array([planning.weights(each.local_h(hour.at_h)) for each in of.regions])
        values = forecast.span(hour.at_h, hour.at_h + planning.HORIZON_H, weigh)
        pieces = hour.pieces.reshape(len(of.regions), -1)
        for place, region in enumerate(of.regions):
            value = np.repeat(values[place], PIECES)
            if morning.open(region.local_h(hour.at_h) * 60):
                made = planning.plan(value, size, held[place], capacity, rate_bytes_h)
                held[place] &= ~made.drop
                held[place, made.fill] = True
                fill[place, number] = size[made.fill].sum()
            there, missed[place, number] = _served(
                value, size, held[place], capacity, pieces[place]
            )
            held[place] = there
        forecast.observe(hour.at_h, hour.served_bytes(of.catalog.size_bytes))
    at_h = hours[-1].at_h + 1
    weigh = np.array([planning.weights(each.local_h(at_h)) for each in of.regions])
    value = forecast.span(at_h, at_h + planning.HORIZON_H, weigh)
    return Backbone(missed, fill), Morrow(value, held.reshape(*value.shape, PIECES))


def _served(
    value: Floats, size: Ints, held: Flags, capacity: int, pieces: Ints
) -> tuple[Flags, float]:
    """One hour of a cluster: what it holds then, and the bytes that it had to ask for.

    What is worth keeping is fetched once; all else as often as it is asked for.
    """
    cutoff = planning.admission_cutoff(value, size, held, capacity)
    kept = ~held & (value > cutoff) & (pieces > 0)
    passed = ~held & ~kept
    missed = float(size[kept].sum() + (size[passed] * pieces[passed]).sum())
    return planning.settled(value, size, held | kept, capacity), missed


def reactive(
    of: World, hours: Sequence[Hour], capacity: int, cache: Callable[[int], Cache]
) -> Backbone:
    """A cache for each region that sees one request after the other."""
    size = _quarters(of).tolist()
    missed = np.zeros((len(of.regions), len(hours)))
    for region in range(len(of.regions)):
        one = cache(capacity)
        for number, hour in enumerate(hours):
            missed[region, number] = sum(
                size[key] for key in asked(of, hour, region).tolist() if not one.get(key, size[key])
            )
    return Backbone(missed, np.zeros_like(missed))


def clairvoyant(of: World, hours: Sequence[Hour], capacity: int) -> Backbone:
    """What no forecast can beat: each hour the best files for the demand that the world expects.

    It knows the mean of the hour, as the world draws from it, and not the dice. To change its files
    from hour to hour costs it nothing.
    """
    size = of.catalog.size_bytes
    missed = np.zeros((len(of.regions), len(hours)))
    for number, hour in enumerate(hours):
        value, served = expected(of, hour.at_h), hour.served_bytes(size)
        for place in range(len(of.regions)):
            best = planning.settled(value[place], size, value[place] > 0, capacity)
            missed[place, number] = served[place, ~best].sum()
    return Backbone(missed, np.zeros_like(missed))


def demanded(of: World, hours: Sequence[Hour]) -> Backbone:
    """All that was asked for, as if nothing were held."""
    rows = [hour.served_bytes(of.catalog.size_bytes).sum(axis=1) for hour in hours]
    asked_for = np.array(rows).T
    return Backbone(asked_for, np.zeros_like(asked_for))


def outcome(of: World, backbone: Backbone, learn_days: int = LEARN_DAYS) -> Outcome:
    """What counts, over the local days that are whole after ``learn_days``."""
    evenings, busiest = [], []
    for day in range(learn_days, of.wish.days - 1):
        evening = busy = 0.0
        for place, region in enumerate(of.regions):
            midnight_h = day * DAY_H - region.utc_offset_h
            hours = backbone.all[place, midnight_h : midnight_h + DAY_H]
            evening += hours[planning.EVENING_H.start :].sum()
            busy += hours.max()
        evenings.append(evening)
        busiest.append(busy)
    after = slice(learn_days * DAY_H, None)
    return Outcome(
        float(np.mean(evenings)),
        float(np.max(evenings)),
        float(np.mean(busiest)),
        float(np.max(busiest)),
        float(backbone.all[:, after].sum()),
        float(backbone.fill[:, after].sum()),
    )


def closed(plan: float, cache: float, best: float) -> float:
    """Which part of the way from the cache to the best the plan has gone; 1 is all of it."""
    return (cache - plan) / (cache - best) if cache > best else 0.0


def _quarters(of: World) -> Ints:
    return np.repeat(of.catalog.size_bytes // PIECES, PIECES)
