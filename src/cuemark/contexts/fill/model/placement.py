"""On which appliances of a cluster a file lies: weighted rendezvous hashing, with copies.

Each appliance draws a number for each file and the highest draws win, as in ``kit/rendezvous.py``:
who comes or goes moves only its own files. Here it is done for all files at once. Appliances are
unlike, some with much room and others with a wide line, so that what is played most is drawn for by
other weights than the rest (Netflix, "Distributing content to Open Connect", 2017). Hashing spreads
bytes, not load, since the most popular files are too few to be even. Those have copies, and a play
goes to the least loaded of the
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
POPULAR_LOAD, CUTS = 0.7, 100
"""What brings so much of the load is called popular, where that may be; that is tried in so many
steps."""

ROUNDS = 4
"""How often the load of copied files is poured anew: the fourth time moves next to nothing."""

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Box:
    """An appliance: what it holds, and how much of the load it can take beside the others."""

    appliance_id: str
    storage_bytes: int
    load: float = 1.0

    def __post_init__(self) -> None:
        if self.storage_bytes <= 0 or self.load <= 0:
            raise ValueError("an appliance has storage and load above 0")


@dataclass(frozen=True)
class Shares:
    """The weights by which boxes draw: ``popular[n]`` for files that are, ``rest[n]`` for others.

    ``is_popular[f]`` says which are.
    """

    is_popular: Flags
    popular: Floats
    rest: Floats


def keys(file_ids: Sequence[str]) -> Keys:
    """The number of each file by which appliances draw for it; the same everywhere and always.

    Files with one number lie together.
    """
    return np.array([key_of(each) for each in file_ids], dtype=np.uint64)


def place(file_keys: Keys, size_bytes: Ints, load: Floats, boxes: Sequence[Box]) -> Flags:
    """``[f, n]``: file f lies on box n; ``load[f]`` is the bytes expected to be asked of each.

    No box gets more than it holds. A file that has no room where it belongs goes to the next that
    has; one that no box has room for lies nowhere, the least played first.
    """
    ranking = _ranking(file_keys, shares(file_keys, size_bytes, load, boxes), boxes)
    files, count = len(size_bytes), len(boxes)
    on = np.zeros((files, count), dtype=np.bool_)
    wanted = copies(file_keys, size_bytes, load, count)
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
    return on


def shares(file_keys: Keys, size_bytes: Ints, load: Floats, boxes: Sequence[Box]) -> Shares:
    """Weights by which each box comes to its share of the bytes and to its share of the load.

    Where the popular files are a share B of the bytes and L of the load, the weights p of a box for
    them, and r for the rest, are those with pB + r(1 - B) = its room and pL + r(1 - L) = its line.
    Both must be 0 or more, which says what may be called popular; where nothing may, it is what
    comes nearest. Boxes that are alike have one weight for all.
    """
    room = _parts([float(box.storage_bytes) for box in boxes])
    line = _parts([box.load for box in boxes])
    none = np.zeros(len(size_bytes), dtype=np.bool_)
    if load.sum() <= 0 or np.allclose(room, line):
        return Shares(none, room, room)
    _, group = np.unique(file_keys, return_inverse=True)
    of_bytes = np.bincount(group, size_bytes) / size_bytes.sum()
    of_load = np.bincount(group, load) / load.sum()
    order = np.argsort(-of_load / of_bytes, kind="stable")
    whole_bytes, whole_load = np.cumsum(of_bytes[order]), np.cumsum(of_load[order])
    cuts = np.searchsorted(whole_load, np.arange(1, CUTS) / CUTS)
    cuts = np.unique(cuts[whole_load[cuts] - whole_bytes[cuts] > 1e-6])
    if not len(cuts):
        return Shares(none, room, room)
    bytes_in, load_in = whole_bytes[cuts, None], whole_load[cuts, None]
    popular = (line * (1 - bytes_in) - room * (1 - load_in)) / (load_in - bytes_in)
    rest = (room * load_in - line * bytes_in) / (load_in - bytes_in)
    least = np.minimum(popular.min(axis=1), rest.min(axis=1))
    fits = np.flatnonzero(least >= 0)
    # The same one each time, where it may be: another one would move files.
    usual = np.abs(load_in[:, 0] - POPULAR_LOAD)
    best = int(fits[usual[fits].argmin()]) if len(fits) else int(least.argmax())
    is_popular = np.zeros(len(order), dtype=np.bool_)
    is_popular[order[: cuts[best] + 1]] = True
    return Shares(
        is_popular[group],
        _parts(np.maximum(popular[best], 0.0)),
        _parts(np.maximum(rest[best], 0.0)),
    )


def _parts(of: Sequence[float] | Floats) -> Floats:
    all_of = np.asarray(of, dtype=np.float64)
    parts: Floats = all_of / all_of.sum()
    return parts


def _ranking(file_keys: Keys, weights: Shares, boxes: Sequence[Box]) -> Ints:
    """``[f, place]``: the boxes in the order in which they are a file's."""
    scores = np.empty((len(file_keys), len(boxes)))
    for number, box in enumerate(boxes):
        salt = np.uint64(key_of(box.appliance_id))
        drawn = (_mixed(file_keys ^ salt) >> np.uint64(11)).astype(np.float64)
        weight = np.where(weights.is_popular, weights.popular[number], weights.rest[number])
        scores[:, number] = weight / -np.log((drawn + 0.5) / 2.0**53)
    ranking: Ints = np.argsort(-scores, axis=1, kind="stable")
    return ranking


def _mixed(number: Keys) -> Keys:
    """SplitMix64's finalizer (Steele, Lea and Flood, 2014): any bit changes half of all."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Keys = number ^ (number >> np.uint64(31))
    return mixed


def copies(file_keys: Keys, size_bytes: Ints, load: Floats, boxes: int) -> Ints:
    """How many of each file there are to be, ``[f]``: 1 to ``boxes``.

    Of files with one key, one that is played as often as another has as many at least: sound and
    captions are small, and a play takes them from where it takes its pictures.
    """
    most = load.max(initial=0.0)
    if most <= 0 or boxes == 1:
        return np.ones(len(load), dtype=np.int64)
    # Loads may be so small that a part of them is 0.
    load = load / most
    total = load.sum()
    count = np.ceil(load / (COPY_SHARE * total / boxes)).astype(np.int64)
    order = np.argsort(-load, kind="stable")
    before = np.cumsum(load[order]) - load[order]
    count[order] += before < COPIED_LOAD * total
    bounded: Ints = np.clip(count, 1, boxes)
    _, group = np.unique(file_keys, return_inverse=True)
    rising = np.lexsort((load / size_bytes, group))
    above = group[rising] * (boxes + 1)
    bounded[rising] = np.maximum.accumulate(above + bounded[rising]) - above
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
