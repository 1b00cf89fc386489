"""A measured figure, the file that keeps them all, and what is merged into it."""

from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from benches.spread import median, rounded, spread


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row: ``name`` is ``bench: what``; ``ratio`` is the value divided by its anchor's.

    The anchor's fields are None where nothing comparable was measured. ``spread`` tells the least
    and the greatest sample, and how many there were. ``measured`` tells when and on what.
    """

    name: str
    value: float
    unit: str
    anchor: str | None = None
    anchor_value: float | None = None
    ratio: float | None = None
    spread: str = ""
    measured: str = ""

    @property
    def bench(self) -> str:
        return self.name.partition(":")[0]

    @property
    def what(self) -> str:
        return self.name.partition(": ")[2]


class Anchor(msgspec.Struct, frozen=True):
    """What a figure is compared with, in the figure's unit."""

    name: str
    value: float


def figure(
    name: str, samples: float | Sequence[float], unit: str, anchor: Anchor | None = None
) -> Figure:
    """The figure of one sample, or the median of several."""
    several = [samples] if isinstance(samples, int | float) else samples
    value = median(several)
    return Figure(
        name=name,
        value=rounded(value),
        unit=unit,
        anchor=anchor.name if anchor else None,
        anchor_value=rounded(anchor.value) if anchor else None,
        ratio=rounded(value / anchor.value) if anchor and anchor.value else None,
        spread=spread(several),
    )


def merged(
    kept: Sequence[Figure], fresh: Sequence[Figure], ran: Collection[str], order: Sequence[str]
) -> list[Figure]:
    """The fresh figures, with the kept ones of the benches that did not run now."""
    place = {bench: number for number, bench in enumerate(order)}
    rows = [each for each in kept if each.bench not in ran] + list(fresh)
    return sorted(rows, key=lambda each: place.get(each.bench, len(place)))


def load(path: Path) -> list[Figure]:
    """The figures kept at ``path``, none where there is no file; raises ``MsgspecError``."""
    return msgspec.json.decode(path.read_bytes(), type=list[Figure]) if path.exists() else []


def save(path: Path, figures: Sequence[Figure]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
