"""What one appliance is told to fetch: which files, in what order, and from whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from cuemark.contexts.fill.model.catalog import Flags, Ints
from cuemark.contexts.fill.model.placement import Box


class Kind(IntEnum):
    """Whom to ask, the nearest first."""

    PEER = 0
    STORAGE = 1
    ORIGIN = 2


@dataclass(frozen=True)
class Source:
    """``name`` is an appliance's id; the origin has none."""

    kind: Kind
    name: str = ""


@dataclass(frozen=True)
class Fetch:
    """``file`` is its place in the catalog; ``sources`` in the order in which to ask them."""

    file: int
    size_bytes: int
    flash: bool
    sources: tuple[Source, ...]


def manifest(
    number: int,
    boxes: Sequence[Box],
    fill: Ints,
    wanted: Flags,
    flash: Flags,
    held: Flags,
    size_bytes: Ints,
    storage: Sequence[tuple[str, Flags]],
    allowance_bytes: int,
) -> list[Fetch]:
    """The fetches of box ``number``, best first, within ``allowance_bytes``.

    ``wanted[f, n]`` and ``held[f, n]`` are of all boxes of the cluster; ``storage`` names the
    storage appliances with what each holds. The peers that have a file come first, since they are
    on the same network, and the origin is always the last resort.
    """
    fetches: list[Fetch] = []
    left_bytes = allowance_bytes
    for file in fill.tolist():
        size = int(size_bytes[file])
        if not wanted[file, number] or held[file, number] or size > left_bytes:
            continue
        left_bytes -= size
        peers = [
            Source(Kind.PEER, box.appliance_id)
            for place, box in enumerate(boxes)
            if place != number and held[file, place]
        ]
        stores = [Source(Kind.STORAGE, name) for name, has in storage if has[file]]
        sources = (*peers, *stores, Source(Kind.ORIGIN))
        fetches.append(Fetch(file, size, bool(flash[file, number]), sources))
    return fetches
