"""On which appliances of a cluster a file lies: weighted rendezvous hashing, with copies.

Each appliance draws a number for each file, weighed by its room, and the highest draws win, as in
``kit/rendezvous.py``, by which steering finds the same: who comes or goes moves only its own files.
Here it is done for all files at once. Hashing spreads bytes, not load, since the most popular
files are too few to be even. Those have copies, and a play goes to the least loaded of the
appliances that hold one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.fill.model.catalog import Flags, Floats, Ints
from cuemark.kit.rendezvous import key_of

COPY_SHARE = 0.1
"""Each copy is to have no more than a tenth of an appliance's fair part of the load, so that one
that is asked for ten times as often as was expected overloads none."""
COPIED_LOAD = 0.5
"""The most played files, which bring half of the load, have a copy more: that half can be led to
where there is least, and the other half is many files that hashing spreads well."""

ROUNDS = 4
"""How often the load of copied files is poured anew: the fourth time moves next to nothing."""

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Box:
    """An appliance: what its disks and its flash hold, and how much of the load it can take.

    ``load`` is relative to the others'. Flash serves without seeks, so the most played files of an
    appliance are to be there.
    """

    appliance_id: str
    storage_bytes: int
    flash_bytes: int = 0
    load: float = 1.0

    def __post_init__(self) -> None:
        if self.storage_bytes <= 0 or self.flash_bytes < 0 or self.load <= 0:
            raise ValueError("an appliance has storage and load above 0, and flash of 0 or more")


@dataclass(frozen=True)
class Placement:
    """``on[f, n]``: file f lies on box n; ``flash[f, n]``: in its flash."""

    on: Flags
    flash: Flags


def keys(file_ids: Sequence[str]) -> Keys:
    """The number of each file by which appliances draw for it; the same everywhere and always."""
    return np.array([key_of(each) for each in file_ids], dtype=np.uint64)


def place(file_keys: Keys, size_bytes: Ints, load: Floats, boxes: Sequence[Box]) -> Placement:
    """Place files on the boxes of a cluster; ``load[f]`` is the bytes expected to be asked of each.

    No box gets more than it holds. A file that has no room where it belongs goes to the next that
    has; one that no box has room for lies nowhere, the least played first.
    """
    ranking = _ranking(file_keys, boxes)
    files, count = len(size_bytes), len(boxes)
    on = np.zeros((files, count), dtype=np.bool_)
    wanted = copies(load, count)
    order = np.argsort(-load / size_bytes, kind="stable")
    free_bytes = np.array([box.storage_bytes for box in boxes])
    for place_of in range(count):
        # First copies of all files come before the second copy of any.
        if place_of > 0 and not (wanted > place_of).any():
            break
        box_of = ranking[:, place_of]
        for number in range(count):
            mine = order[(box_of[order] == number) & (wanted[order] > place_of)]
            fits = mine[np.cumsum(size_bytes[mine]) <= free_bytes[number]]
            on[fits, number] = True
            free_bytes[number] -= int(size_bytes[fits].sum())
        if place_of == 0:
            for file in order[on[order].sum(axis=1) == 0]:
                for number in ranking[file, 1:]:
                    if size_bytes[file] <= free_bytes[number]:
                        on[file, number] = True
                        free_bytes[number] -= int(size_bytes[file])
                        break
    flash = np.zeros_like(on)
    for number, box in enumerate(boxes):
        mine = order[on[order, number]]
        flash[mine[np.cumsum(size_bytes[mine]) <= box.flash_bytes], number] = True
    return Placement(on, flash)


def _ranking(file_keys: Keys, boxes: Sequence[Box]) -> Ints:
    """``[f, place]``: the boxes in the order in which they are a file's."""
    scores = np.empty((len(file_keys), len(boxes)))
    for number, box in enumerate(boxes):
        salt = np.uint64(key_of(box.appliance_id))
        drawn = (_mixed(file_keys ^ salt) >> np.uint64(11)).astype(np.float64)
        scores[:, number] = box.storage_bytes / -np.log((drawn + 0.5) / 2.0**53)
    ranking: Ints = np.argsort(-scores, axis=1, kind="stable")
    return ranking


def _mixed(number: Keys) -> Keys:
    """SplitMix64's finalizer (Steele, Lea and Flood, 2014): any bit changes half of all."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Keys = number ^ (number >> np.uint64(31))
    return mixed


def copies(load: Floats, boxes: int) -> Ints:
    """How many of each file there are to be, ``[f]``: 1 to ``boxes``."""
    total = load.sum()
    if total <= 0 or boxes == 1:
        return np.ones(len(load), dtype=np.int64)
    count = np.ceil(load / (COPY_SHARE * total / boxes)).astype(np.int64)
    order = np.argsort(-load, kind="stable")
    before = np.cumsum(load[order]) - load[order]
    count[order] += before < COPIED_LOAD * total
    bounded: Ints = np.clip(count, 1, boxes)
    return bounded


def parts(on: Flags, load: Floats, boxes: Sequence[Box]) -> Floats:
    """``[f, n]``: how load falls when each play goes to the least loaded box that holds its file.

    Files with one copy come first: they have no choice. The rest follow from the rarest to the most
    played, each poured over its boxes until they stand equally high, and once more when all the
    others are in: that is where choosing the least loaded for each play leads.
    """
    able = np.array([box.load for box in boxes])
    part = np.zeros(on.shape)
    count = on.sum(axis=1)
    single = count == 1
    part[single] = on[single]
    height = (load[single, None] * on[single]).sum(axis=0) / able
    several = np.flatnonzero(count > 1)
    several = several[np.argsort(load[several], kind="stable")]
    for _ in range(ROUNDS):
        for file in several:
            at = np.flatnonzero(on[file])
            height[at] -= part[file, at] * load[file] / able[at]
            poured = _poured(height[at], able[at], float(load[file]))
            height[at] += poured / able[at]
            whole = poured.sum()
            part[file, at] = poured / whole if whole > 0 else 1 / len(at)
    return part


def _poured(height: Floats, width: Floats, amount: float) -> Floats:
    """``amount`` into basins of these widths that stand ``height`` high and are joined above."""
    order = np.argsort(height, kind="stable")
    low, wide = height[order], np.cumsum(width[order])
    level = (amount + np.cumsum(low * width[order])) / wide
    # The last basin that the level reaches is where it lies between its height and the next one's.
    reached = int(np.flatnonzero(level > low)[-1]) if (level > low).any() else 0
    poured: Floats = np.maximum(level[reached] - height, 0.0) * width
    return poured
