"""Bringing the store in step with a plan: whose files leave last from now on.

A plan names tracks, the store holds files by their BLAKE3; the indexes of the versions say which
are which. It is done version by version, no faster than the inventory can be written.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from cuemark.contracts.encoding.versions import track_of
from cuemark.contracts.fill import Manifest
from cuemark.contracts.ids import VersionId
from cuemark.edge.plan import Plan, named, worths
from cuemark.edge.store import Indexes, Store
from cuemark.edge.tracks import Track, in_play
from cuemark.kit.errors import UNREADABLE

BATCH_FILES = 5000
MOST_UNWRITTEN = 20_000
PAUSE_S = 0.1


@dataclass(frozen=True)
class Parts:
    """The files of one track: their keys in order of play, and their bytes."""

    keys: list[bytes]
    size_bytes: int


class Keeping:
    """Keeps in ``store`` what ``plan`` names. ``lacking_bytes`` are those of tracks to fetch."""

    def __init__(self, plan: Plan, indexes: Indexes, store: Store) -> None:
        self._plan = plan
        self._indexes = indexes
        self._store = store
        self._news = asyncio.Event()
        self._news.set()
        self._learnt: list[VersionId] = []
        self._named: dict[VersionId, list[Track]] = {}
        self._followed: Manifest | None = None
        self.lacking_bytes: dict[Track, int] = {}

    def changed(self) -> None:
        """The plan is another one."""
        self._news.set()

    def add(self, version_id: VersionId) -> None:
        """A version is known now."""
        if version_id in self._named:
            self._learnt.append(version_id)
            self._news.set()

    @property
    def in_step(self) -> bool:
        """Whether the store knows what the plan wants kept."""
        return self._followed is self._plan.manifest

    def came(self, track: Track, size_bytes: int) -> None:
        """So much of a track was brought."""
        if track in self.lacking_bytes:
            self.lacking_bytes[track] = max(0, self.lacking_bytes[track] - size_bytes)

    async def run(self, followed: Callable[[], None]) -> None:
        """For ever: what is new; ``followed`` is called when the store is in step with a plan."""
        while True:
            await self._news.wait()
            self._news.clear()
            if not self.in_step:
                await self.follow(self._plan.manifest)
                followed()
            while self._learnt and self.in_step:
                await self._keep(self._learnt.pop())

    async def follow(self, manifest: Manifest) -> None:
        """Keep what a manifest names, until it is not the plan's any more."""
        self._store.name_kept(worths(manifest))
        by_version = defaultdict(list)
        for track in worths(manifest):
            by_version[track.version_id].append(track)
        self._named = dict(by_version)
        self._learnt.clear()
        self.lacking_bytes = {named(each): each.size_bytes for each in manifest.fetch}
        for version_id in list(self._named):
            if self._plan.manifest is not manifest:
                return
            await self._keep(version_id)
        self._store.let_go()
        while self._store.release(BATCH_FILES):
            await self._paced()
        self._followed = manifest
        structlog.get_logger().info("manifest_followed", manifest_id=manifest.manifest_id[:80])

    async def _keep(self, version_id: VersionId) -> None:
        tracks = self._named.get(version_id, [])
        try:
            found = await asyncio.to_thread(parts_of, self._indexes, version_id, tracks)
        except (OSError, *UNREADABLE) as error:
            structlog.get_logger().error("index_not_read", version=version_id, error=str(error))
            return
        for track, parts in found.items():
            held_bytes = self._store.keep_all(track, parts.keys)
            if track in self.lacking_bytes:
                self.lacking_bytes[track] = max(0, parts.size_bytes - held_bytes)
        await self._paced()

    async def _paced(self) -> None:
        await asyncio.sleep(0)
        while self._store.unwritten > MOST_UNWRITTEN:
            await asyncio.sleep(PAUSE_S)


def parts_of(
    indexes: Indexes, version_id: VersionId, tracks: Sequence[Track]
) -> dict[Track, Parts]:
    """The files of some tracks of a version; those of a version that is not known are none."""
    index = indexes.read(version_id)
    if index is None:
        return {}
    found: dict[Track, Parts] = {}
    paths: dict[str, list[str]] = defaultdict(list)
    for path in index.files:
        paths[track_of(path)].append(path)
    for track in tracks:
        files = [index.files[path] for path in sorted(paths[track.track_id], key=in_play)]
        sizes = {bytes.fromhex(file.blake3): file.size_bytes for file in files}
        found[track] = Parts(list(sizes), sum(sizes.values()))
    return found
