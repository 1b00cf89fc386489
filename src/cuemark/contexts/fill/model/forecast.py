"""How often each file will be played in each region: hour by hour, learned from bytes served.

A file's popularity is its bytes served over its size (Netflix, "Content popularity for Open
Connect"). It is taken to be a rate, times the cycle of the day (``season``), times the age of a
launch (``prior``). Rates are gamma-Poisson estimates, each shrunken to what is known above it
(Efron and Morris, 1975): a file to its rendition's part of a title, a title in a region to the
title everywhere, a title to those like it. How long to remember and how far to shrink is not
set: several ways are run beside one another and weighed by how well each foretold the hours that
came (fixed share: Herbster and Warmuth, "Tracking the best expert", 1998).
"""

from collections.abc import Sequence

import numpy as np

from cuemark.contexts.fill.model.catalog import DAY_H, Catalog, Floats, Ints, Region
from cuemark.contexts.fill.model.prior import LAUNCH_DAYS, Ageing, alike
from cuemark.contexts.fill.model.season import Season

HALF_LIVES_H = (4.0, 16.0, 64.0, 256.0)
"""From an evening to a week and a half, each four times the one before: what lies between two is
foretold nearly as well by either."""
SHAPES = (2.0, 8.0)
"""How many plays of a title in a region weigh as much as what is known of it everywhere: regions
are as unlike as their plays' variation is, 1 / 2 or 1 / 8 of the mean's square."""
SHAPE_EVERYWHERE = 1.0
"""The same for a title everywhere and those like it: rates within a kind are about exponential."""
SHARE = 0.01
"""The part of the weight that goes round each hour: a way that was bad is back within days."""
SHARES_HALF_LIFE_H = 192.0
DOUBT_PLAYS = 20.0
"""How many plays of a title weigh as much as the usual parts of its renditions."""
LEAST = 1e-9
BANDS = 6
"""Titles are weighed with those of as many plays: a busy one is known anew in hours, a rare one is
not. Each band has four times the plays of the one below it; the lowest has up to one in four days.
"""


class Forecast:
    """Give it each hour with ``observe``, in order; ask for any hour from then on."""

    def __init__(self, catalog: Catalog, regions: Sequence[Region]) -> None:
        kinds = int(catalog.kind.max(initial=0)) + 1
        self._catalog = catalog
        self._kinds = kinds
        self._renditions = int(catalog.rendition.max(initial=0)) + 1
        self._season = Season(regions, kinds)
        self._ageing = Ageing(catalog, kinds)
        ways = (len(HALF_LIVES_H), len(regions), catalog.titles)
        self._plays, self._exposure = np.zeros(ways), np.zeros(ways)
        self._of_file = np.zeros((len(regions), catalog.files))
        several = len(HALF_LIVES_H) * len(SHAPES)
        self._weights = np.full((several, catalog.titles), 1.0 / several)
        self._rates = np.zeros((several, len(regions), catalog.titles))
        self._mixed = np.zeros((len(regions), catalog.titles))
        self._at_h = 0
        self._volume = np.ones(len(regions)) / len(regions)

    def observe(self, at_h: int, served_bytes: Floats) -> None:
        """``served_bytes[r, f]`` of the hour that began at ``at_h``."""
        catalog = self._catalog
        of_file = served_bytes / catalog.size_bytes
        plays = catalog.by_title(of_file)
        exposure = self._season.factors(at_h)[:, catalog.kind] * self._ageing.curve(at_h)
        self._judge(at_h, plays, exposure)
        for way, half_life_h in enumerate(HALF_LIVES_H):
            kept = 0.5 ** (1 / half_life_h)
            self._plays[way] = kept * self._plays[way] + plays
            self._exposure[way] = kept * self._exposure[way] + exposure
        self._of_file = 0.5 ** (1 / SHARES_HALF_LIFE_H) * self._of_file + of_file
        self._season.observe(at_h, self._by_kind(plays))
        self._ageing.observe(at_h, plays.sum(axis=0))
        leaves = catalog.released_h == at_h + 1 - LAUNCH_DAYS * DAY_H
        self._exposure[:, :, leaves] *= np.maximum(self._ageing.leaving()[leaves], LEAST)
        self._at_h = at_h + 1
        self._rates = self._estimate()
        self._mixed = self._mix()

    def hour(self, at_h: int) -> Floats:
        """``[r, f]``: plays expected in an hour, in files' worth of bytes."""
        exposure = self._season.factors(at_h)[:, self._catalog.kind] * self._ageing.curve(at_h)
        return self._of_files(self._mixed * exposure)

    def span(self, from_h: int, to_h: int, weigh: Floats | None = None) -> Floats:
        """``[r, f]``: plays expected from ``from_h`` to before ``to_h``.

        ``weigh[r, h]`` says how much each of these hours counts in each region; 1 where not given.
        """
        exposure = np.zeros(self._rates.shape[1:])
        for number, at_h in enumerate(range(from_h, to_h)):
            season = self._season.factors(at_h)[:, self._catalog.kind]
            counts = 1.0 if weigh is None else weigh[:, number][:, None]
            exposure += counts * season * self._ageing.curve(at_h)
        return self._of_files(self._mixed * exposure)

    def _by_kind(self, plays: Floats) -> Floats:
        rows = [np.bincount(self._catalog.kind, row, self._kinds) for row in plays]
        return np.array(rows)

    def _groups(self, at_h: int) -> Ints:
        """``[t]``: with which others a title is weighed."""
        day = np.maximum(self._rates.mean(axis=0).sum(axis=0) * DAY_H, LEAST)
        band = np.clip(np.ceil(np.log2(day) / 2) + 1, 0, BANDS - 1).astype(np.int64)
        groups: Ints = band + BANDS * self._ageing.launched(at_h)
        return groups

    def _judge(self, at_h: int, plays: Floats, exposure: Floats) -> None:
        """Weigh the ways anew by the chance that each gave to this hour, for each title."""
        if not self._rates.any():
            return
        mean = np.maximum(self._rates * exposure, LEAST)
        told = (plays * np.log(mean) - mean).sum(axis=1)
        new = self._weights * np.exp(told - told.max(axis=0))
        new /= new.sum(axis=0)
        groups = self._groups(at_h)
        count = np.maximum(np.bincount(groups, minlength=2 * BANDS), 1)
        usual = np.array([np.bincount(groups, row, 2 * BANDS) for row in new]) / count
        self._weights = (1 - SHARE) * new + SHARE * usual[:, groups]

    def _mix(self) -> Floats:
        rates: Floats = (self._weights[:, None] * self._rates).sum(axis=0)
        return rates

    def _estimate(self) -> Floats:
        catalog, launched = self._catalog, self._ageing.launched(self._at_h)
        rates = []
        volume = self._plays[-1].sum(axis=1)
        volume = volume / max(volume.sum(), LEAST)
        volume = np.maximum(volume, LEAST)
        for plays, exposure in zip(self._plays, self._exposure, strict=True):
            all_plays = plays.sum(axis=0)
            all_exposure = volume @ exposure
            like, factor = alike(catalog, all_plays, all_exposure, launched, self._kinds)
            prior = like * np.where(launched, factor[catalog.kind], 1.0)
            everywhere = _shrunk(all_plays, all_exposure, prior, SHAPE_EVERYWHERE)
            here = everywhere * self._leaning(plays, exposure, everywhere)
            rates += [_shrunk(plays, exposure, here, shape) for shape in SHAPES]
        return np.array(rates)

    def _leaning(self, plays: Floats, exposure: Floats, everywhere: Floats) -> Floats:
        """``[r, t]``: what part of a title's plays a region has, by its kind."""
        due = self._by_kind(exposure * everywhere)
        leaning = (self._by_kind(plays) + LEAST) / (due + LEAST)
        return leaning[:, self._catalog.kind]

    def _of_files(self, plays: Floats) -> Floats:
        """A title's plays, divided among its renditions."""
        catalog = self._catalog
        kind = catalog.kind[catalog.title]
        place = kind * self._renditions + catalog.rendition
        usual = np.array(
            [np.bincount(place, row, self._kinds * self._renditions) for row in self._of_file]
        ).reshape(len(plays), self._kinds, self._renditions)
        usual = (usual + 1) / (usual + 1).sum(axis=2, keepdims=True)
        usual = usual.reshape(len(plays), -1)[:, place]
        usual /= catalog.by_title(usual)[:, catalog.title]
        whole = catalog.by_title(self._of_file)[:, catalog.title]
        part = (self._of_file + DOUBT_PLAYS * usual) / (whole + DOUBT_PLAYS)
        files: Floats = plays[:, catalog.title] * part
        return files


def _shrunk(plays: Floats, exposure: Floats, mean: Floats, shape: float) -> Floats:
    """The mean of a rate after ``plays``, where before it was gamma with this mean and shape."""
    rate: Floats = (plays + shape) / (exposure + shape / np.maximum(mean, LEAST))
    return rate
