"""A cluster of unlike appliances: how evenly a plan loads it, and what a lost one moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cuemark.contexts.fill.model.catalog import Flags, Floats
from cuemark.contexts.fill.model.placement import Box, keys, parts, place
from cuemark.lab.demand.trial import Morrow
from cuemark.lab.demand.weeks import Hour
from cuemark.lab.demand.world import World

ROOM = (1.0, 1.0, 1.5, 1.5, 2.0, 3.0)
"""What the appliances hold, beside one another: a cluster is bought over years."""
LINE = (2.0, 2.0, 1.5, 1.5, 1.0, 1.0)
"""What their lines carry: the small ones are of flash, and the large ones of disks."""
SPARE = 1.25
"""Their room beside what is planned: copies need some."""


@dataclass(frozen=True)
class Cluster:
    """``max_to_mean`` is of the load by what each can take, at the demand of the last day.

    ``moved_n`` is N times the part of all bytes that are fetched anew when one of N is lost, in the
    mean over them; 1 is what hashing must move. ``from_peers`` is the part of those bytes that
    another appliance of the cluster has.
    """

    appliances: int
    max_to_mean: float
    moved_n: float
    from_peers: float


def divided(of: World, hours: Sequence[Hour], morrow: Morrow, capacity: int) -> Cluster:
    """Place what the first region holds by what is expected, and load it with the last day."""
    chosen = np.flatnonzero(morrow.held[0].any(axis=1))
    size, value = of.catalog.size_bytes[chosen], morrow.value[0, chosen]
    boxes = boxes_for(capacity)
    names = keys([f"{of.wish.seed}/{file}" for file in chosen.tolist()])
    before = place(names, size, value * size, boxes)
    asked = np.sum([h.served_bytes(of.catalog.size_bytes)[0] for h in hours[-24:]], axis=0)
    fetched, near = 0.0, 0.0
    for lost in range(len(boxes)):
        left = [box for number, box in enumerate(boxes) if number != lost]
        kept: Flags = np.delete(before, lost, axis=1)
        fetches: Flags = place(names, size, value * size, left) & ~kept
        elsewhere: Flags = fetches & kept.any(axis=1, keepdims=True)
        fetched += float((fetches * size[:, None]).sum())
        near += float((elsewhere * size[:, None]).sum())
    moved = fetched / float((before * size[:, None]).sum())
    return Cluster(
        len(boxes), max_to_mean(before, asked[chosen], boxes), moved, near / max(fetched, 1.0)
    )


def boxes_for(capacity: int) -> list[Box]:
    """Unlike appliances that hold ``capacity`` together, and ``SPARE``."""
    rooms = np.array(ROOM) / sum(ROOM) * capacity * SPARE
    return [
        Box(f"appliance-{number + 1}", int(room), line)
        for number, (room, line) in enumerate(zip(rooms.tolist(), LINE, strict=True))
    ]


def max_to_mean(on: Flags, load: Floats, boxes: Sequence[Box]) -> float:
    """The busiest box's load by what it can take, over that of all; the least loaded is chosen."""
    able = np.array([box.load for box in boxes])
    loads = (load[:, None] * parts(on, load, boxes)).sum(axis=0)
    return float((loads / able).max() / (loads.sum() / able.sum()))
