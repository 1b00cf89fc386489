"""Filling ahead of viewers, gently: first what every play begins with, then the rest.

One file at a time, never while a viewer waits for a fill, never dropping anything for it. The
rest comes at a bounded rate, so that a version that has been here for a while plays on without
the origin.
"""

import asyncio
import re
from collections import deque
from collections.abc import Iterator
from pathlib import PurePosixPath

from cuemark.contracts.encoding.versions import VersionIndex
from cuemark.contracts.ids import VersionId
from cuemark.edge.cache import Reason
from cuemark.edge.filling import Filler, TooManyFills
from cuemark.edge.growing import FillFailed, Wanted
from cuemark.edge.store import Indexes, Store

FIRST_SEGMENTS = 3
YIELD_S = 0.1
RETRY_S = 2.0
_SEGMENT = re.compile(r"[ab]?([0-9]+)\.(?:m4s|jpg)", re.ASCII)


def beginnings(index: VersionIndex) -> list[str]:
    """The paths that every play of a version begins with, the smallest files first."""
    paths = [path for path in index.files if _segment(path) <= FIRST_SEGMENTS]
    return sorted(paths, key=lambda path: (_segment(path), index.files[path].size_bytes, path))


def rest(index: VersionIndex) -> list[str]:
    """All other paths, in the order in which they are played."""
    paths = [path for path in index.files if _segment(path) > FIRST_SEGMENTS]
    return sorted(paths, key=lambda path: (_segment(path), path))


def _segment(path: str) -> int:
    """The number of a segment of media, in either variant, or of thumbnails; 0 for playlists,
    captions and inits."""
    found = _SEGMENT.fullmatch(PurePosixPath(path).name)
    return int(found[1]) if found else 0


class Background:
    """Fills the versions it is given: the beginnings of all come before the rest of any."""

    def __init__(self, indexes: Indexes, store: Store, filler: Filler, rate_kbps: int) -> None:
        self._indexes = indexes
        self._store = store
        self._filler = filler
        self._rate_kbps = rate_kbps
        self._beginnings: deque[VersionId] = deque()
        self._rest: deque[VersionId] = deque()
        self._news = asyncio.Event()

    def add(self, version_id: VersionId) -> None:
        self._beginnings.append(version_id)
        self._news.set()

    async def run(self) -> None:
        """For ever: the next version as long as there is one."""
        while True:
            if self._beginnings:
                version_id = self._beginnings.popleft()
                if await self._fill(self._wanted(version_id, of_rest=False), 0):
                    self._rest.append(version_id)
                else:
                    self._beginnings.append(version_id)
                    await asyncio.sleep(RETRY_S)
            elif self._rest and self._rate_kbps:
                version_id = self._rest.popleft()
                if not await self._fill(self._wanted(version_id, of_rest=True), self._rate_kbps):
                    self._rest.append(version_id)
                    await asyncio.sleep(0 if self._beginnings else RETRY_S)
            else:
                self._news.clear()
                await self._news.wait()

    def _wanted(self, version_id: VersionId, *, of_rest: bool) -> Iterator[Wanted]:
        index = self._indexes.get(version_id)
        if index is not None:
            for path in rest(index) if of_rest else beginnings(index):
                yield Wanted(version_id, path, index.files[path])

    async def _fill(self, files: Iterator[Wanted], rate_kbps: int) -> bool:
        """Fill what is not held; False when the origin went away, the disk is full, or news came.

        A file that the origin lacks, or has with other bytes, is passed over.
        """
        for wanted in files:
            if wanted.file.blake3 in self._store or not self._store.has_room(
                wanted.file.size_bytes
            ):
                continue
            if not self._store.disk_has_room(wanted.file.size_bytes):
                return False
            while self._filler.urgent:
                await asyncio.sleep(YIELD_S)
            try:
                _, growing = self._filler.ask(wanted, urgent=False)
                await growing.whole()
            except TooManyFills:
                return False
            except FillFailed as failure:
                if failure.reason in (Reason.AWAY, Reason.LOCAL):
                    return False
            if rate_kbps:
                await asyncio.sleep(wanted.file.size_bytes * 8 / 1000 / rate_kbps)
                if self._beginnings:
                    return False
        return True
