"""One world, and what the planner, the caches and clairvoyance make of it."""

from collections.abc import Callable
from dataclasses import dataclass

from cuemark.contexts.fill.model.explain import Reason, explain
from cuemark.contexts.fill.model.plan import plan
from cuemark.lab.demand.caches import Lru, S3Fifo
from cuemark.lab.demand.cluster import Cluster, divided
from cuemark.lab.demand.trial import (
    LEARN_DAYS,
    Backbone,
    Morrow,
    Outcome,
    capacity_bytes,
    clairvoyant,
    demanded,
    outcome,
    planned,
    reactive,
)
from cuemark.lab.demand.weeks import hours
from cuemark.lab.demand.world import Wish, World, world

PLAN, LRU, S3_FIFO, CLAIRVOYANT, ASKED = "plan", "lru", "s3-fifo", "clairvoyant", "asked for"


@dataclass(frozen=True)
class Comparison:
    """``backbones`` and ``outcomes`` by name; ``ASKED`` is what a region without a cache has."""

    world: World
    cache_share: float
    capacity_bytes: int
    backbones: dict[str, Backbone]
    outcomes: dict[str, Outcome]
    morrow: Morrow
    cluster: Cluster


def compare(
    wish: Wish,
    cache_share: float,
    learn_days: int = LEARN_DAYS,
    tell: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Draw the world of ``wish``, and try each on the same hours of it.

    Raises ``ValueError`` where nothing is left to be compared.
    """
    if not 0 < cache_share < 1:
        raise ValueError("the cache is more than 0 and less than all of the catalog")
    if not 0 < learn_days <= wish.days - 2:
        raise ValueError("give two days or more beyond those to learn in")
    tell("drawing the world")
    drawn = world(wish)
    weeks = list(hours(drawn))
    capacity = capacity_bytes(drawn, cache_share)
    ways: dict[str, Callable[[], Backbone]] = {
        S3_FIFO: lambda: reactive(drawn, weeks, capacity, S3Fifo),
        LRU: lambda: reactive(drawn, weeks, capacity, Lru),
        CLAIRVOYANT: lambda: clairvoyant(drawn, weeks, capacity),
        ASKED: lambda: demanded(drawn, weeks),
    }
    tell(f"trying {PLAN}")
    backbone, morrow = planned(drawn, weeks, capacity)
    backbones = {PLAN: backbone}
    for name, way in ways.items():
        tell(f"trying {name}")
        backbones[name] = way()
    outcomes = {name: outcome(drawn, each, learn_days) for name, each in backbones.items()}
    cluster = divided(drawn, weeks, morrow, capacity)
    return Comparison(drawn, cache_share, capacity, backbones, outcomes, morrow, cluster)


def reasons_of(of: Comparison, file: int) -> dict[str, Reason]:
    """Why each region's next plan has a file, or does not have it; by region."""
    reasons = {}
    size = of.world.catalog.size_bytes
    for place, region in enumerate(of.world.regions):
        value, held = of.morrow.value[place], of.morrow.held[place].all(axis=1)
        made = plan(value, size, held, of.capacity_bytes, of.capacity_bytes // 12)
        reasons[region.name] = explain(file, value, held, made)
    return reasons
