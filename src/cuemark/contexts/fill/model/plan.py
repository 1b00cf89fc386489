"""Which files a cluster should have: a knapsack filled greedily by plays expected for each byte.

The value of a file is the bytes that it would spare, its price the bytes that it takes: bytes
served over size, its popularity. All files are small beside a cluster, so the greedy choice is
within one file of the best there is (Dantzig, 1957).

A cluster changes in two ways. What is *fetched for a member anyway* costs nothing more: it is kept
where it is worth more than the least of what is there. What is *brought ahead* costs its own size:
it must be expected to be played more often, by a whole play within the horizon, than what it
displaces, so that fill does not take more from the backbone than it spares. Into room that nothing
is worth that for, what is next is brought all the same: it displaces nothing, and is there in the
evening in which it is asked for at last.
"""

from dataclasses import dataclass

import numpy as np

from cuemark.contexts.fill.model.catalog import Flags, Floats, Ints

HORIZON_H = 24
"""A plan is for a day: fill that is done in the morning is for the evening."""
EVENING_H = range(18, 24)
EVENING_COUNTS = 3.0
"""What a byte spared in the evening counts: lines are built for peaks."""
FETCH_PLAYS = 1.0
"""What bringing a file costs, in plays of it: the bytes of one."""


@dataclass(frozen=True)
class Plan:
    """``wanted[f]`` is what the cluster should have, ``fill`` what is to be brought, best first.

    ``drop[f]`` is what has to go for it. ``cutoff`` is the value of the worst file that is wanted,
    0 where all that is worth anything has room.
    """

    wanted: Flags
    fill: Ints
    drop: Flags
    cutoff: float


def weights(local_h: int) -> Floats:
    """How much each of the next ``HORIZON_H`` hours counts, from the local hour ``local_h`` on."""
    return np.array(
        [EVENING_COUNTS if (local_h + n) % 24 in EVENING_H else 1.0 for n in range(HORIZON_H)]
    )


def plan(
    value: Floats, size_bytes: Ints, held: Flags, capacity_bytes: int, allowance_bytes: int
) -> Plan:
    """What to bring into a cluster that has ``held``, within ``allowance_bytes``.

    ``value[f]`` is what is expected of a file within the horizon, in plays. Held files have the
    advantage of what a fetch costs. The same arguments give the same plan.
    """
    worth = value + FETCH_PLAYS * held
    is_worth = held | (value > FETCH_PLAYS)
    wanted = _within(np.where(is_worth, worth, 0.0), size_bytes, capacity_bytes)
    if (wanted == is_worth).all():
        idle_bytes = capacity_bytes - int(size_bytes[wanted].sum())
        wanted |= _within(np.where(wanted, 0.0, value), size_bytes, idle_bytes)
    order = np.flatnonzero(wanted & ~held)
    order = order[np.argsort(-value[order], kind="stable")]
    fill = order[np.cumsum(size_bytes[order]) <= allowance_bytes]
    left_bytes = capacity_bytes - int(size_bytes[fill].sum())
    kept = _within(np.where(held, value + FETCH_PLAYS, 0.0), size_bytes, left_bytes)
    least = value[wanted].min() if wanted.any() else 0.0
    full = bool((~wanted & (value > FETCH_PLAYS)).any())
    return Plan(wanted, fill, held & ~kept, float(least) if full else 0.0)


def admission_cutoff(value: Floats, size_bytes: Ints, held: Flags, capacity_bytes: int) -> float:
    """What a file must be worth to be kept when a member's request has brought it.

    0 while the cluster has room for another file of the mean size.
    """
    if not held.any():
        return 0.0
    free_bytes = capacity_bytes - int(size_bytes[held].sum())
    return 0.0 if free_bytes > size_bytes.mean() else float(value[held].min())


def settled(value: Floats, size_bytes: Ints, there: Flags, capacity_bytes: int) -> Flags:
    """What stays of ``there`` when it is more than the cluster holds: the most valuable."""
    return _within(np.where(there, value + FETCH_PLAYS, 0.0), size_bytes, capacity_bytes)


def _within(worth: Floats, size_bytes: Ints, capacity_bytes: int) -> Flags:
    """The best files, in order of worth, up to the first that has no room; none of worth 0."""
    order = np.flatnonzero(worth > 0)
    order = order[np.argsort(-worth[order], kind="stable")]
    chosen = np.zeros(len(worth), dtype=np.bool_)
    chosen[order[np.cumsum(size_bytes[order]) <= capacity_bytes]] = True
    return chosen
