"""What is expected of a title before it was played: how titles like it began, and how they aged.

A *launch* is a title's first ``LAUNCH_DAYS``. Its curve is learned by the chain ladder of actuaries
(Mack, "Distribution-free calculation of the standard error of chain ladder reserve estimates",
ASTIN Bulletin 23, 1993): how the plays of each day compare with those of the day before, summed
over all launches that are old enough, so that young ones count as far as they have come.
"""

import numpy as np

from cuemark.contexts.fill.model.catalog import DAY_H, Catalog, Flags, Floats, Ints

LAUNCH_DAYS = 28
"""After four weeks a title is one of the others: its own plays say all that there is."""
DOUBT_PLAYS = 50.0
"""How many plays of a day weigh as much as the guess that the next day is as this one."""
DOUBT_TITLES = 2.0
"""How many titles of a series say as much of its next as all titles of the kind do."""


class Ageing:
    """``curve(at_h)[t]``: what a title's hour brings at its age, where 1 is its first day.

    1 after its launch as well: what is left of it then is its rate (see ``leaving``).
    """

    def __init__(self, catalog: Catalog, kinds: int) -> None:
        self._catalog = catalog
        self._kinds = kinds
        self._today = np.zeros(catalog.titles)
        self._before = np.zeros(catalog.titles)
        self._num = np.zeros((kinds, LAUNCH_DAYS))
        self._den = np.zeros((kinds, LAUNCH_DAYS))
        self._curve = np.ones((kinds, LAUNCH_DAYS + 1))
        self._since_h: int | None = None

    def observe(self, at_h: int, plays: Floats) -> None:
        """``plays[t]`` of the hour that began at ``at_h``, over all regions."""
        if self._since_h is None:
            self._since_h = at_h
        self._today += plays
        age_h = at_h + 1 - self._catalog.released_h
        ended = (age_h > 0) & (age_h % DAY_H == 0)
        if not ended.any():
            return
        day = age_h // DAY_H - 1
        told = ended & (day >= 1) & (day < LAUNCH_DAYS)
        # Of a day that was not seen from its beginning nobody knows what it brought.
        told &= self._catalog.released_h + (day - 1) * DAY_H >= self._since_h
        np.add.at(self._num, (self._catalog.kind[told], day[told]), self._today[told])
        np.add.at(self._den, (self._catalog.kind[told], day[told]), self._before[told])
        self._before[ended] = self._today[ended]
        self._today[ended] = 0
        if told.any():
            self._learn()

    def launched(self, at_h: int) -> Flags:
        """Which titles are in their launch, or ahead of it."""
        return self._catalog.released_h > at_h - LAUNCH_DAYS * DAY_H

    def curve(self, at_h: int) -> Floats:
        """``[t]``, 0 before the release."""
        age_days = (at_h - self._catalog.released_h) / DAY_H
        out = age_days < 0
        spot = np.clip(age_days - 0.5, 0, LAUNCH_DAYS - 1)
        low = np.floor(spot).astype(np.int64)
        share = spot - low
        of = self._curve[self._catalog.kind]
        rows = np.arange(len(spot))
        value = of[rows, low] ** (1 - share) * of[rows, low + 1] ** share
        value = np.where(self.launched(at_h), value, 1.0)
        return np.where(out, 0.0, value)

    def leaving(self) -> Floats:
        """``[t]``: the curve where the launch ends, by which a rate goes over to the time after."""
        end: Floats = self._curve[self._catalog.kind, LAUNCH_DAYS - 1]
        return end

    def _learn(self) -> None:
        all_num, all_den = self._num.sum(axis=0), self._den.sum(axis=0)
        usual = (all_num + DOUBT_PLAYS) / (all_den + DOUBT_PLAYS)
        steps = (self._num + DOUBT_PLAYS * usual) / (self._den + DOUBT_PLAYS)
        steps[:, 0] = 1.0
        self._curve[:, :LAUNCH_DAYS] = np.cumprod(steps, axis=1)
        self._curve[:, LAUNCH_DAYS] = self._curve[:, LAUNCH_DAYS - 1]


def alike(
    catalog: Catalog, plays: Floats, exposure: Floats, launched: Flags, kinds: int
) -> tuple[Floats, Floats]:
    """What titles like each one have: the expected rate, and the rate that launches start with.

    ``plays[t]`` came of ``exposure[t]`` hours. The mean over the series, as far as it has other
    titles, and over the kind; a launch has that times the factor by which launches outdid it.
    Returns ``[t]`` and ``[k]``, the factor of each kind.
    """
    factor = np.ones(kinds)
    expected = np.zeros(catalog.titles)
    for _ in range(2):
        weight = exposure * np.where(launched, factor[catalog.kind], 1.0)
        known = exposure > 0
        rate = np.where(known, plays / np.maximum(weight, 1e-12), 0.0)
        of_kind = _mean(catalog.kind, rate, known, kinds)
        usual = of_kind[catalog.kind]
        groups = int(catalog.series.max(initial=-1)) + 1
        has = catalog.series >= 0
        sums = np.bincount(catalog.series[has], (rate * known)[has], max(groups, 1))
        count = np.bincount(catalog.series[has], known[has].astype(float), max(groups, 1))
        place = np.where(has, catalog.series, 0)
        others = np.where(has, count[place] - known, 0.0)
        of_others = np.where(has, sums[place] - rate * known, 0.0)
        expected = (of_others + DOUBT_TITLES * usual) / (others + DOUBT_TITLES)
        begun = launched & known
        num = np.bincount(catalog.kind[begun], plays[begun], kinds)
        den = np.bincount(catalog.kind[begun], (exposure * expected)[begun], kinds)
        whole = (num.sum() + 1e-9) / (den.sum() + 1e-9)
        factor = (num + DOUBT_PLAYS * whole) / (den + DOUBT_PLAYS)
    return expected, factor


def _mean(group: Ints, values: Floats, of: Flags, groups: int) -> Floats:
    sums = np.bincount(group[of], values[of], groups)
    means: Floats = sums / np.maximum(np.bincount(group[of], minlength=groups), 1)
    return means
