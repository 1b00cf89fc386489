"""The planner of fill on weeks of demand, beside the best reactive caches and clairvoyance."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benches.figures import Anchor, Figure, figure
from benches.reactive import NAMES, reactive
from benches.stand import Stand
from cuemark.contexts.fill.model.catalog import Catalog, Region
from cuemark.contexts.fill.model.forecast import Forecast
from cuemark.contexts.fill.model.plan import HORIZON_H, plan, weights
from cuemark.lab.demand.cluster import Cluster, divided
from cuemark.lab.demand.trial import Outcome, capacity_bytes, clairvoyant, closed, outcome, planned
from cuemark.lab.demand.weeks import hours
from cuemark.lab.demand.world import Wish, world

ABOUT = """
Three weeks of demand over four regions from `cuemark.lab.demand`: 1,200 titles and 30 premieres a
week in eight renditions each, 4,000 plays a day in the largest region; Zipf's law as named, half
of a title's appeal forgotten in 7 days. Each region holds 10 % of the catalog. Two weeks are to
learn in, the third counts. *Evenings* are the bytes over the backbone from 18:00 to midnight of
local time, all regions together, fill and misses: the mean of the days, and the worst day. *All
hours* are all bytes of the week. Three seeds, none of which chose a parameter; values are parts of
the anchor's bytes, so that less is better.

The anchor is the better one of S3-FIFO and W-TinyLFU (libcachesim 0.3.5, its defaults) in the same
world. The clairvoyant plan knows what the world expects of each hour, and changes its files for
nothing; *gap closed* is how far the planner has come from the anchor to it. It plans whole files,
as the planner does, while caches and misses hold quarters: where plays are rare, more than 100 %
can be.

The last rows plan one hour for 100,000 files in ten regions, without a world: one hour learned,
the values of all files, and a plan for each region.
"""

ZIPFS = (0.8, 0.9, 1.0)
SEEDS = (11, 12, 13)
CACHE = 0.10
OTHERS = {
    "drift in 3 days": replace(Wish(seed=0), drift_days=3.0),
    "drift in 28 days": replace(Wish(seed=0), drift_days=28.0),
    "no premieres": replace(Wish(seed=0), premieres_week=0),
    "2,000 plays a day": replace(Wish(seed=0), plays_day=2_000),
    "20,000 plays a day": replace(Wish(seed=0), plays_day=20_000),
}
FILES, REGIONS = 100_000, 10


@dataclass(frozen=True)
class Tried:
    """The planner, the best cache and the clairvoyant plan on one world."""

    plan: Outcome
    cache: Outcome
    best: Outcome
    cluster: Cluster


def measure(stand: Stand) -> list[Figure]:
    folder = stand.scratch("planner")
    rows: list[Figure] = []
    for zipf in ZIPFS[:1] if stand.quick else ZIPFS:
        tried = []
        for seed in SEEDS[:1] if stand.quick else SEEDS:
            stand.tell(f"Zipf {zipf}: seed {seed}")
            wish = Wish(seed=seed, zipf=zipf)
            tried.append(_tried(replace(wish, titles=200) if stand.quick else wish, folder))
        rows += _shown(f"Zipf {zipf}", tried)
        rows += _cluster(f"Zipf {zipf}", tried)
    for name, wish in {} if stand.quick else OTHERS.items():
        stand.tell(f"{name}: seed {SEEDS[0]}")
        rows += _shown(name, [_tried(replace(wish, seed=SEEDS[0]), folder)])
    return [*rows, *_speed(stand)]


def _tried(wish: Wish, folder: Path) -> Tried:
    of = world(wish)
    weeks = list(hours(of))
    capacity = capacity_bytes(of, CACHE)
    backbone, morrow = planned(of, weeks, capacity)
    caches = reactive(of, weeks, capacity, folder)
    best_cache = min(
        (outcome(of, caches[name]) for name in NAMES), key=lambda each: each.evening_mean_bytes
    )
    best = outcome(of, clairvoyant(of, weeks, capacity))
    return Tried(outcome(of, backbone), best_cache, best, divided(of, weeks, morrow, capacity))


def _shown(name: str, tried: list[Tried]) -> list[Figure]:
    def parts(field: str) -> list[float]:
        return [getattr(each.plan, field) / getattr(each.cache, field) for each in tried]

    def gap(field: str) -> list[float]:
        three = [[getattr(of, field) for of in (t.plan, t.cache, t.best)] for t in tried]
        return [100 * closed(*each) for each in three]

    anchor = Anchor("best reactive cache", 1.0)
    return [
        figure(f"planner: {name}, evenings, mean", parts("evening_mean_bytes"), "", anchor),
        figure(f"planner: {name}, worst evening", parts("evening_worst_bytes"), "", anchor),
        figure(f"planner: {name}, all hours", parts("total_bytes"), "", anchor),
        figure(f"planner: {name}, gap closed, mean", gap("evening_mean_bytes"), "%"),
        figure(f"planner: {name}, gap closed, worst", gap("evening_worst_bytes"), "%"),
    ]


def _cluster(name: str, tried: list[Tried]) -> list[Figure]:
    several = [each.cluster for each in tried]
    return [
        figure(
            f"planner: {name}, cluster of six, max/mean load", [c.max_to_mean for c in several], ""
        ),
        figure(
            f"planner: {name}, cluster of N, N x bytes moved by a loss",
            [c.moved_n for c in several],
            "",
        ),
    ]


def _speed(stand: Stand) -> list[Figure]:
    files = FILES // 10 if stand.quick else FILES
    chance = np.random.default_rng(1)
    titles = files // 8
    catalog = Catalog(
        kind=chance.integers(0, 3, titles),
        series=chance.integers(-1, titles // 8, titles),
        released_h=chance.integers(-10_000, 100, titles),
        title=np.repeat(np.arange(titles), 8),
        rendition=np.tile(np.arange(8), titles),
        size_bytes=chance.integers(10**8, 10**10, files),
    )
    regions = [Region(f"r{number}", number) for number in range(REGIONS)]
    forecast = Forecast(catalog, regions)
    size = catalog.size_bytes
    capacity = int(size.sum() // 10)
    held = np.zeros(files, dtype=np.bool_)
    took_s = []
    for at_h in range(4):
        stand.tell(f"100,000 files: hour {at_h}")
        served = chance.poisson(0.2, (REGIONS, files)).astype(np.float64) * size
        begun_s = time.perf_counter()
        forecast.observe(at_h, served)
        weigh = np.array([weights(region.local_h(at_h + 1)) for region in regions])
        for value in forecast.span(at_h + 1, at_h + 1 + HORIZON_H, weigh):
            plan(value, size, held, capacity, capacity // 12)
        took_s.append(time.perf_counter() - begun_s)
    return [figure(f"planner: an hour of {files:,} files in {REGIONS} regions", took_s, "s")]
