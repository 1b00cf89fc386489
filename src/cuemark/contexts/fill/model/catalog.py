"""What the planner knows of the files that it places, and of the regions that ask for them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAY_H = 24
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Region:
    """Members who share appliances. ``utc_offset_h`` is what its clocks add to UTC."""

    name: str
    utc_offset_h: int

    def local_h(self, at_h: int) -> int:
        """The hour of its day, 0 to 23, at ``at_h`` hours of UTC since a midnight."""
        return (at_h + self.utc_offset_h) % DAY_H

    def weekend(self, at_h: int) -> bool:
        """Whether ``at_h``, counted from the midnight of a Monday, is on a Saturday or Sunday."""
        return (at_h + self.utc_offset_h) // DAY_H % 7 >= 5


@dataclass(frozen=True)
class Catalog:
    """Titles and their files: one file is one rendition of one title.

    By title: ``kind`` and ``series`` are small numbers (a title of no series has -1),
    ``released_h`` is the hour at which members may see it, which may lie ahead. By file: ``title``
    is its title's place, ``rendition`` its class (the same rung of any title), ``size_bytes`` is
    more than 0.
    """

    kind: Ints
    series: Ints
    released_h: Ints
    title: Ints
    rendition: Ints
    size_bytes: Ints

    def __post_init__(self) -> None:
        if not len(self.kind) == len(self.series) == len(self.released_h):
            raise ValueError("kind, series and released_h have one entry for each title")
        if not len(self.title) == len(self.rendition) == len(self.size_bytes):
            raise ValueError("title, rendition and size_bytes have one entry for each file")
        if len(self.size_bytes) and self.size_bytes.min() <= 0:
            raise ValueError("a file has a size of more than 0 bytes")
        if len(self.title) and not 0 <= self.title.min() <= self.title.max() < self.titles:
            raise ValueError("title names places of titles")

    @property
    def titles(self) -> int:
        return len(self.kind)

    @property
    def files(self) -> int:
        return len(self.size_bytes)

    def by_title(self, of_files: Floats) -> Floats:
        """The sums over the files of each title; the last axis goes from files to titles."""
        flat = of_files.reshape(-1, self.files)
        sums = [np.bincount(self.title, weights=row, minlength=self.titles) for row in flat]
        by_title: Floats = np.array(sums, dtype=np.float64)
        return by_title.reshape(*of_files.shape[:-1], self.titles)
