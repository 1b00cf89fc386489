"""A world of titles and regions, drawn from a seed: what there is to watch, and who likes what.

A title's rank comes from a latent appeal, and its popularity is Zipf's law of that rank. Appeal
moves as an Ornstein-Uhlenbeck process, part of it with the title's whole series: titles rise and
fall while the law stays as it is, and episodes are alike.
"""

from dataclasses import dataclass

import numpy as np

from cuemark.contexts.fill.model.catalog import DAY_H, Catalog, Floats, Ints, Region

FILM, EPISODE, CHILDREN = range(3)
KINDS = ("film", "episode", "children")
RENDITIONS_KBPS = (600, 1800, 4200, 8000, 400, 1200, 2800, 5400)
"""Two codecs of four rungs each: the second takes two thirds of the bits."""
REGIONS = (Region("east", -5), Region("west", 0), Region("middle", 1), Region("far", 9))
VOLUMES = (1.0, 0.7, 0.8, 0.5)
MINUTES = ((70, 150), (40, 60), (18, 30))
"""Running times of each kind, the least and the greatest."""
DEVICES = ((0.14, 0.22, 0.36, 0.28), (0.16, 0.26, 0.36, 0.22), (0.24, 0.36, 0.28, 0.12))
"""How the plays of a kind fall on a codec's four rungs, before a region's own ways."""
CODECS = (0.45, 0.55)
EPISODES = 8
SERIES_SHARE = 0.6
"""How much of an episode's appeal it has in common with its series."""


@dataclass(frozen=True)
class Wish:
    """What world is asked for.

    ``zipf`` is the law's exponent. ``drift_days`` is in how many days half of what a title's
    appeal was is forgotten; ``premieres_week`` counts titles. ``plays_day`` is of the region with
    the most members. ``spread`` is the standard deviation of the logs of regional taste.
    """

    seed: int
    days: int = 21
    titles: int = 1200
    zipf: float = 0.9
    drift_days: float = 7.0
    premieres_week: int = 30
    plays_day: int = 4_000
    spread: float = 0.5
    buzz_week: float = 8.0

    def __post_init__(self) -> None:
        if not (8 <= self.titles <= 100_000 and 1 <= self.days <= 120):
            raise ValueError("a world has 8 to 100,000 titles and 1 to 120 days")
        if not (0 < self.zipf <= 2 and self.drift_days > 0 and self.premieres_week >= 0):
            raise ValueError(
                "zipf is above 0 and at most 2, drift_days above 0, premieres 0 or more"
            )
        if not 1 <= self.plays_day <= 5_000_000:
            raise ValueError("plays_day is 1 to 5,000,000")


@dataclass(frozen=True)
class World:
    """``appeal[d, t]`` is title t's share of all plays at the begin of day d, by Zipf's law.

    ``launch[t]`` is by how much its first day outdoes what it has later, ``taste[r, t]`` what
    region r makes of it, ``devices[r, k]`` how plays of a kind fall on the renditions.
    ``buzz`` are the talked-about: title, hour and factor.
    """

    wish: Wish
    regions: tuple[Region, ...]
    catalog: Catalog
    appeal: Floats
    launch: Floats
    launch_days: Floats
    taste: Floats
    devices: Floats
    buzz: tuple[tuple[int, int, float], ...]


def world(wish: Wish) -> World:
    """Draw a world; the same wish gives the same world."""
    chance = np.random.default_rng([wish.seed, 1])
    kind, series, released_h = _titles(wish, chance)
    titles = len(kind)
    low, high = np.array(MINUTES).T
    minutes = chance.uniform(low[kind], high[kind])
    kbps = np.array(RENDITIONS_KBPS)
    vbr = chance.lognormal(0, 0.25, titles)
    size = np.outer(minutes * 60 * vbr, kbps * 125).astype(np.int64)
    size -= size % 4
    catalog = Catalog(
        kind=kind,
        series=series,
        released_h=released_h,
        title=np.repeat(np.arange(titles), len(kbps)),
        rendition=np.tile(np.arange(len(kbps)), titles),
        size_bytes=size.ravel(),
    )
    of_kind = chance.normal(0, 0.6 * wish.spread, (len(REGIONS), len(KINDS)))
    of_title = chance.normal(0, wish.spread, (len(REGIONS), titles))
    devices = np.hstack([share * np.array(DEVICES) for share in CODECS])
    devices = devices[None] * chance.lognormal(0, 0.25, (len(REGIONS), 1, len(kbps)))
    talked = chance.poisson(wish.buzz_week * wish.days / 7)
    return World(
        wish=wish,
        regions=REGIONS,
        catalog=catalog,
        appeal=_appeal(wish, series, chance),
        launch=chance.lognormal(np.log(30), 0.5, titles),
        launch_days=chance.lognormal(np.log(4), 0.3, titles),
        taste=np.exp(of_kind[:, kind] + of_title),
        devices=devices / devices.sum(axis=2, keepdims=True),
        buzz=tuple(
            (int(t), int(h), float(f))
            for t, h, f in zip(
                chance.integers(0, titles, talked),
                chance.integers(0, wish.days * DAY_H, talked),
                chance.lognormal(np.log(8), 0.4, talked),
                strict=True,
            )
        ),
    )


def files_of(wish: Wish) -> int:
    """How many files the world of a wish has."""
    return (wish.titles + -(-wish.days // 7) * wish.premieres_week) * len(RENDITIONS_KBPS)


def _titles(wish: Wish, chance: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Kind, series and release of each; the premieres are the last.

    Half of the premieres are the next episodes of running series, one a week each.
    """
    old = wish.titles
    kind = chance.choice(3, old, p=[0.3, 0.5, 0.2]).astype(np.int64)
    of_series = np.flatnonzero(kind != FILM)
    series = np.full(old, -1, dtype=np.int64)
    for k in (EPISODE, CHILDREN):
        mine = np.flatnonzero(kind == k)
        series[mine] = k * old + np.arange(len(mine)) // EPISODES
    numbers, series[of_series] = np.unique(series[of_series], return_inverse=True)
    released_h = chance.integers(-400, -29, old) * DAY_H
    weeks = -(-wish.days // 7)
    running = chance.choice(len(numbers), min(len(numbers), wish.premieres_week // 2), False)
    kinds, of, at_h = [kind], [series], [released_h]
    for week in range(weeks):
        films = wish.premieres_week - len(running)
        kinds += [np.array([kind[series == s][0] for s in running], dtype=np.int64)]
        kinds += [np.where(chance.random(films) < 0.8, FILM, CHILDREN).astype(np.int64)]
        of += [running.astype(np.int64), np.full(films, -1, dtype=np.int64)]
        days = week * 7 + np.concatenate(
            [np.arange(len(running)) % 7, chance.choice([3, 4], films)]
        )
        at_h += [days.astype(np.int64) * DAY_H + 8]
    return np.concatenate(kinds), np.concatenate(of), np.concatenate(at_h)


def _appeal(wish: Wish, series: Ints, chance: np.random.Generator) -> Floats:
    titles, groups = len(series), int(series.max(initial=-1)) + 1
    kept = 0.5 ** (1 / wish.drift_days)
    fresh = np.sqrt(1 - kept * kept)
    own, shared = chance.normal(size=titles), chance.normal(size=max(groups, 1))
    alone = series < 0
    days = np.empty((wish.days + 1, titles))
    law = np.arange(1, titles + 1) ** -wish.zipf
    law /= law.sum()
    for day in range(wish.days + 1):
        both = np.sqrt(SERIES_SHARE) * shared[series] + np.sqrt(1 - SERIES_SHARE) * own
        order = np.argsort(-np.where(alone, own, both), kind="stable")
        days[day, order] = law
        own = kept * own + fresh * chance.normal(size=titles)
        shared = kept * shared + fresh * chance.normal(size=max(groups, 1))
    return days
