"""Appliances whose disks are counted and not written: the store's decisions without its files."""

from collections.abc import Sequence

import numpy as np
import xxhash

from cuemark.contexts.fill.model.catalog import Floats, Ints
from cuemark.contexts.fill.model.placement import keys
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.edge.sources import Ranks
from cuemark.edge.tracks import Track
from cuemark.edge.turnover import Turnover
from cuemark.lab.demand.weeks import PIECES
from cuemark.lab.demand.world import World


class Shop:
    """The catalog of a world as appliances have it."""

    def __init__(self, of: World) -> None:
        catalog = of.catalog
        self.size: Ints = catalog.size_bytes
        self.piece_bytes: list[int] = (catalog.size_bytes // PIECES).tolist()
        self.of_title: Ints = catalog.title
        self.title: list[int] = catalog.title.tolist()
        self.titles = int(catalog.title.max()) + 1
        self.versions = [VersionId(f"ver_{number}") for number in range(self.titles)]
        self.tracks = [
            Track(self.versions[title], str(rendition))
            for title, rendition in zip(self.title, catalog.rendition.tolist(), strict=True)
        ]
        self.names = keys([track.version_id for track in self.tracks])
        pieces = range(len(self.size) * PIECES)
        self.keys = [xxhash.xxh3_64_digest(str(piece).encode()) for piece in pieces]
        self.piece_of = {key: piece for piece, key in enumerate(self.keys)}


class Disk:
    """One appliance: S3-FIFO, and what the plan wants kept, as production has them."""

    def __init__(self, name: str, room_bytes: int, shop: Shop) -> None:
        self.name = ApplianceId(name)
        self.room_bytes = room_bytes
        self.quarters: Ints = np.zeros(len(shop.size), dtype=np.int64)
        self.changed = True
        self.ranks = Ranks()
        self._shop = shop
        self._turnover = Turnover()
        self._wanted: list[int] = []
        self._named: set[int] = set()
        self._worth: dict[int, float] = {}

    def has(self, piece: int) -> bool:
        return self._shop.keys[piece] in self._turnover

    def use(self, piece: int) -> None:
        self._turnover.use(self._shop.keys[piece])

    def bring(self, piece: int, below: float | None = None, *, drop: bool = True) -> bool:
        """Hold one piece more, if what leaves for it may."""
        file = piece // PIECES
        size_bytes = self._shop.piece_bytes[file]
        while self._turnover.held_bytes + size_bytes > self.room_bytes:
            gone = self._turnover.evict(below) if drop else None
            if gone is None:
                return False
            self.quarters[self._shop.piece_of[gone] // PIECES] -= 1
        track = self._shop.tracks[file] if file in self._named else None
        self._turnover.add(self._shop.keys[piece], size_bytes, track)
        self.quarters[file] += 1
        self.changed = True
        return True

    def follow(self, wanted: Sequence[int], value: Floats) -> None:
        """Another manifest: these tracks, the most valuable first."""
        now, before = set(wanted), self._named
        self._wanted, self._named = list(wanted), now
        worths = {self._shop.tracks[file]: float(value[file]) for file in wanted}
        self._turnover.name_kept(worths)
        for file in now - before:
            for piece in range(file * PIECES, (file + 1) * PIECES):
                self._turnover.keep(self._shop.tracks[file], self._shop.keys[piece])
        self._turnover.let_go()
        self._turnover.release(len(self._turnover))
        self._turnover.take_changes()
        self._worth = {file: float(value[file]) for file in wanted}

    def lacks(self) -> list[int]:
        """The pieces of its manifest that are not here, in order."""
        return [
            piece
            for file in self._wanted
            if self.quarters[file] < PIECES
            for piece in range(file * PIECES, (file + 1) * PIECES)
            if not self.has(piece)
        ]

    def fetch(self, piece: int, *, drop: bool) -> bool:
        return self.bring(piece, self._worth[piece // PIECES], drop=drop)
