"""In which cells a unit is."""

import hashlib
from collections.abc import Iterable, Sequence

from cuemark.contracts.experiments import WHOLE_BP, Cell, Cells, Experiment


def allocate(running: Iterable[Experiment], unit: str) -> Cells:
    """The cells of a unit, in experiments that run at the same time.

    As in D. Tang et al., "Overlapping Experiment Infrastructure: More, Better, Faster
    Experimentation" (KDD 2010): a unit is hashed once for each layer, into one of 10,000 buckets,
    of which the layer's experiments have ranges apart from one another. So it is in one of them at
    most, and what runs in other layers says nothing of where it is in this one. The cell is told by
    a second hash, with the run's own salt: a later run on the same buckets mixes them anew.
    """
    cells: dict[str, Cell] = {}
    buckets: dict[str, int] = {}
    for each in running:
        if each.layer not in buckets:
            buckets[each.layer] = bucket_of(each.layer, unit)
        if 0 <= buckets[each.layer] - each.first_bucket < each.share_bp:
            cells[each.name] = cell_of(each.cells, each.run_id, unit)
    return Cells(
        cells={experiment: cell.name for experiment, cell in cells.items()},
        settings={name: value for cell in cells.values() for name, value in cell.settings.items()},
    )


def bucket_of(layer: str, unit: str) -> int:
    """The layer's name is its salt: it is the same for as long as there is such a layer."""
    return _hashed(f"layer/{layer}", unit) % WHOLE_BP


def cell_of(cells: Sequence[Cell], salt: str, unit: str) -> Cell:
    """One of the cells, each as likely as it weighs."""
    at = _hashed(f"run/{salt}", unit) % sum(each.weight for each in cells)
    for cell in cells:
        at -= cell.weight
        if at < 0:
            return cell
    raise AssertionError("the weights add up to more than any remainder")


def first_fit(taken: Iterable[Experiment], share_bp: int) -> int | None:
    """The first bucket of the lowest range that is free for so many; None where there is none."""
    begin = 0
    for each in sorted(taken, key=lambda each: each.first_bucket):
        if each.first_bucket - begin >= share_bp:
            return begin
        begin = each.first_bucket + each.share_bp
    return begin if WHOLE_BP - begin >= share_bp else None


def _hashed(salt: str, unit: str) -> int:
    """64 bits of BLAKE2b (RFC 7693), keyed with the salt's own digest, which has room for any."""
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    return int.from_bytes(hashlib.blake2b(unit.encode(), key=key, digest_size=8).digest())
