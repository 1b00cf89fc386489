"""The appliance's files: content-addressed store, views by version and path, checked indexes.

    store/ab/<blake3>            the bytes, once, whatever the number of versions they are in
    views/<version_id>/<path>    a link to them, which nginx follows; its target names the BLAKE3
    indexes/<version_id>.json    the checked index of each version that this appliance knows
    inventory.sqlite             what is in the store, written down a second later
    tmp/                         what is being written

A file enters the store by temp, fsync, rename. A link whose target was dropped is a miss, so
dropping the target is all it takes to make room.

What is held is known from the inventory at once after a start. Then the shelves are gone through,
by name: what is not there is not counted any more, what is there and not known is held from now on.
"""

import asyncio
import contextlib
import errno
import os
import re
import secrets
import shutil
import sqlite3
import stat
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.ids import VersionId
from cuemark.edge.inventory import Inventory, rows_of
from cuemark.edge.nginx import PATH_FORM, VERSION_FORM
from cuemark.edge.tracks import Track
from cuemark.edge.turnover import Turnover
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import fsync, write_private

_BLAKE3 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(VERSION_FORM)
_PATH = re.compile(PATH_FORM)
_INDEXES_IN_MEMORY = 64

SHELVES = [f"{number:02x}" for number in range(256)]
RELIEF_BYTES = 16 << 20
MOST_DROPS = 1000
FREE_SHARE = 50
"""One part of so many is left out of what a plan may name."""
Found = tuple[int, bytes, int]
"""When a file on a shelf was written (ns), its key, and its size in bytes."""


class IndexInvalid(Exception):
    """The index of a version is not what was published, or names what cannot be served."""


class Store:
    """The bytes, by BLAKE3, at most ``limit_bytes`` of them: the coldest make room.

    ``reserve_bytes`` of the disk are left to others where that is possible at all, but never more
    than a twentieth of it.
    """

    def __init__(self, folder: Path, limit_bytes: int, reserve_bytes: int = 0) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._reserve_bytes = reserve_bytes
        self._turnover = Turnover()
        self._tmp = folder / "tmp"
        shutil.rmtree(self._tmp, ignore_errors=True)
        for path in (self._tmp, folder / "store", folder / "views"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.inventory = Inventory(folder)
        try:
            self._turnover.restore(self.inventory.rows())
        except sqlite3.DatabaseError:
            self._turnover = Turnover()
            self.inventory.make_anew()
        if not self.inventory.found:
            self._take_stock()

    def _take_stock(self) -> None:
        """Hold every file that is there, the oldest first."""
        found = [each for shelf in SHELVES for each in self._on_shelf(shelf)]
        for _, key, size_bytes in sorted(found):
            self._turnover.add(key, size_bytes)
        changes = self._turnover.take_changes()
        try:
            self.inventory.begin_with(rows_of(changes, self._turnover))
        except sqlite3.Error as error:
            structlog.get_logger().error("inventory_not_written", error=str(error))

    @property
    def held_bytes(self) -> int:
        return self._turnover.held_bytes

    def __contains__(self, blake3: str) -> bool:
        return bytes.fromhex(blake3) in self._turnover

    def __len__(self) -> int:
        return len(self._turnover)

    def path(self, blake3: str) -> Path:
        return self._folder / "store" / blake3[:2] / blake3

    def open(self, blake3: str) -> int:
        """A descriptor of held bytes; raises ``FileNotFoundError`` where they are not there.

        A link in their place is nobody's bytes, and counts as nothing.
        """
        try:
            return os.open(self.path(blake3), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FileNotFoundError(errno.ENOENT, "a link is in its place") from error
            raise

    def scratch(self) -> Path:
        """A path for a file that is being written."""
        return self._tmp / secrets.token_hex(8)

    def has_room(self, size_bytes: int) -> bool:
        """Whether that much fits under the limit without dropping anything."""
        return self.held_bytes + size_bytes <= self._limit_bytes

    def disk_has_room(self, size_bytes: int) -> bool:
        """Whether that much fits on the disk, beside the reserve, without dropping anything."""
        return self._lacking_bytes(size_bytes) <= 0

    def make_room(self, size_bytes: int) -> list[str]:
        """Drop the coldest until that much fits on the disk beside the reserve, or nothing is
        left; returns what was dropped, at most ``MOST_DROPS`` at a time."""
        return self._drop_coldest(self._lacking_bytes(size_bytes))

    def relieve(self, size_bytes: int) -> bool:
        """Drop the coldest, at least that much, after the disk refused a write; False where
        nothing was left to drop."""
        dropped = self._drop_coldest(max(size_bytes, RELIEF_BYTES))
        structlog.get_logger().warning("disk_full", dropped=len(dropped))
        return bool(dropped)

    def make_way(self, size_bytes: int, worth: float) -> bool:
        """Drop what is not kept, then what is kept and worth less than ``worth``, until that much
        fits under the limit and on the disk; False where it still does not. At most ``MOST_DROPS``
        at a time."""
        over_bytes = self.held_bytes + size_bytes - self._limit_bytes
        wanted_bytes = max(over_bytes, self._lacking_bytes(size_bytes))
        if wanted_bytes > 0 and (dropped := self._drop_coldest(wanted_bytes, below=worth)):
            structlog.get_logger().info("way_made", dropped=len(dropped))
        return self.has_room(size_bytes) and self.disk_has_room(size_bytes)

    def _drop_coldest(
        self, wanted_bytes: int, spared: int = 0, below: float | None = None
    ) -> list[str]:
        dropped: list[str] = []
        target_bytes = self.held_bytes - wanted_bytes
        while self.held_bytes > target_bytes and len(dropped) < MOST_DROPS and len(self) > spared:
            key = self._turnover.evict(below)
            if key is None:
                break
            self.path(key.hex()).unlink(missing_ok=True)
            dropped.append(key.hex())
        return dropped

    def _lacking_bytes(self, size_bytes: int) -> int:
        disk = os.statvfs(self._folder)
        reserve_bytes = min(self._reserve_bytes, disk.f_blocks * disk.f_frsize // 20)
        return size_bytes + reserve_bytes - disk.f_bavail * disk.f_frsize

    def keep(self, scratch: Path, blake3: str) -> None:
        """Move checked bytes into the store, durably. Blocks on the disk; call from a thread."""
        target = self.path(blake3)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        fsync(scratch)
        scratch.rename(target)
        fsync(target.parent)

    def enter(self, blake3: str, size_bytes: int, track: Track | None = None) -> list[str]:
        """Count bytes of a track in, drop the coldest beyond the limit; returns what was
        dropped."""
        self._turnover.add(bytes.fromhex(blake3), size_bytes, track)
        over_bytes = self.held_bytes - self._limit_bytes
        return self._drop_coldest(over_bytes, spared=1)

    def drop(self, blake3: str) -> None:
        """Remove bytes; those who have them open read on."""
        self._turnover.forget(bytes.fromhex(blake3))
        self.path(blake3).unlink(missing_ok=True)

    def use(self, blake3: str, times: int) -> None:
        """Held bytes were asked for."""
        self._turnover.use(bytes.fromhex(blake3), times)

    @property
    def planned_bytes(self) -> int:
        """How much of it a plan may name: less than may be held, or than the disk can give beside
        its reserve. The rest is for what viewers bring, which would leave at once in a store where
        all is kept."""
        most_bytes = self.held_bytes - self._lacking_bytes(0)
        return max(0, min(self._limit_bytes, most_bytes)) * (FREE_SHARE - 1) // FREE_SHARE

    @property
    def unwritten(self) -> int:
        """Changes that the inventory has not got yet."""
        return self._turnover.unwritten

    def name_kept(self, worths: Mapping[Track, float]) -> None:
        """Only these tracks are kept from now on; see ``Turnover``."""
        self._turnover.name_kept(worths)

    def keep_all(self, track: Track, keys: Sequence[bytes]) -> int:
        """Keep what is held of the keys of a track, which are told as they are played; returns the
        bytes of it."""
        return sum(self._turnover.keep(track, key) or 0 for key in keys)

    def let_go(self) -> None:
        """All that is kept has been told."""
        self._turnover.let_go()

    def release(self, count: int) -> int:
        """Let up to ``count`` files that are not kept any more leave like others; how many."""
        return self._turnover.release(count)

    def link(self, version_id: VersionId, path: str, blake3: str) -> None:
        """Let nginx serve held bytes under a version's path."""
        view = self._folder / "views" / version_id / path
        up = "../" * (2 + path.count("/"))
        view.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            view.symlink_to(f"{up}store/{blake3[:2]}/{blake3}")

    def linked(self, version_id: str, path: str) -> str:
        """The BLAKE3 that a view leads to; empty where there is no such view."""
        try:
            name = os.readlink(self._folder / "views" / version_id / path).rpartition("/")[2]
        except OSError:
            return ""
        return name if _BLAKE3.fullmatch(name) else ""

    async def write_down(self) -> None:
        """Bring the inventory up to date; what it cannot take now comes again the next time."""
        changes = self._turnover.take_changes()
        if not len(changes):
            return
        rows = rows_of(changes, self._turnover)
        try:
            await asyncio.to_thread(self.inventory.write, changes, rows)
        except sqlite3.Error as error:
            self._turnover.put_back(changes)
            structlog.get_logger().error("inventory_not_written", error=str(error))

    async def go_through(self, pause_s: float) -> tuple[int, int]:
        """Set right where the inventory and the shelves differ, a shelf at a time.

        Returns how many were known and are not there, and were there and not known.
        """
        known: dict[str, list[bytes]] = {shelf: [] for shelf in SHELVES}
        for key in self._turnover:
            known[key[:1].hex()].append(key)
        missing = strange = 0
        for shelf, keys in known.items():
            there, unknown = await asyncio.to_thread(self._compare, shelf, frozenset(keys))
            for _, key, size_bytes in unknown:
                if key not in self._turnover and self.path(key.hex()).exists():
                    self._turnover.add(key, size_bytes)
                    strange += 1
            for key in keys:
                if key not in there and key in self._turnover and not self._is_there(key):
                    self._turnover.forget(key)
                    missing += 1
            await asyncio.sleep(pause_s if there else 0)
        return missing, strange

    def _is_there(self, key: bytes) -> bool:
        return stat.S_ISREG(_mode(self.path(key.hex())))

    def _compare(self, shelf: str, known: frozenset[bytes]) -> tuple[set[bytes], list[Found]]:
        """The keys on a shelf, and what of them is not known; what is no file of ours goes."""
        there: set[bytes] = set()
        for entry in self._entries(shelf):
            if not entry.is_file(follow_symlinks=False) or not _BLAKE3.fullmatch(entry.name):
                structlog.get_logger().warning("stranger_in_the_store", name=entry.name[:80])
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
            else:
                there.add(bytes.fromhex(entry.name))
        unknown = there - known
        return there, [each for key in sorted(unknown) for each in self._look_at(key)]

    def _on_shelf(self, shelf: str) -> list[Found]:
        return self._compare(shelf, frozenset())[1]

    def _entries(self, shelf: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder / "store" / shelf) as entries:
                return list(entries)
        except FileNotFoundError:
            return []

    def _look_at(self, key: bytes) -> list[Found]:
        try:
            status = self.path(key.hex()).lstat()
        except FileNotFoundError:
            return []
        return [(status.st_mtime_ns, key, status.st_size)]

    async def close(self) -> None:
        """Write down what is left, and close the inventory."""
        await self.write_down()
        self.inventory.close()


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


class Indexes:
    """The versions that this appliance knows, by their checked indexes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "indexes"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.version_ids = {
            VersionId(path.stem)
            for path in self._folder.glob("*.json")
            if _VERSION.fullmatch(path.stem)
        }
        self._decoded: OrderedDict[VersionId, VersionIndex] = OrderedDict()

    @property
    def revision(self) -> int:
        """Grows by one with each version, and never otherwise."""
        return len(self.version_ids)

    def add(self, index: VersionIndex, body: bytes) -> None:
        """Keep the index of a version, whose ``body`` was checked."""
        write_private(self._folder / f"{index.version_id}.json", body)
        self._remember(index)
        self.version_ids.add(index.version_id)

    def find(self, version_id: VersionId, path: str) -> IndexedFile | None:
        """The file at a path of a known version; None where there is none."""
        index = self.get(version_id)
        return index.files.get(path) if index else None

    def get(self, version_id: VersionId) -> VersionIndex | None:
        """The index of a version, None where the version is not known."""
        index = self._decoded.get(version_id) or self.read(version_id)
        if index is not None:
            self._remember(index)
        return index

    def read(self, version_id: VersionId) -> VersionIndex | None:
        """The same from the disk, and remembered nowhere: for a thread that goes through many."""
        if version_id not in self.version_ids:
            return None
        body = (self._folder / f"{version_id}.json").read_bytes()
        return msgspec.json.decode(body, type=VersionIndex)

    def locate(self, blake3: str) -> tuple[VersionId, str, IndexedFile] | None:
        """A version and a path that have these bytes. Reads one index after the other: for a
        thread, and for what is rare."""
        for version_id in sorted(self.version_ids):
            body = (self._folder / f"{version_id}.json").read_bytes()
            if blake3.encode() in body:
                index = msgspec.json.decode(body, type=VersionIndex)
                for path, file in index.files.items():
                    if file.blake3 == blake3:
                        return version_id, path, file
        return None

    def _remember(self, index: VersionIndex) -> None:
        self._decoded[index.version_id] = index
        self._decoded.move_to_end(index.version_id)
        while len(self._decoded) > _INDEXES_IN_MEMORY:
            self._decoded.popitem(last=False)


def read_index(version_id: VersionId, body: bytes) -> VersionIndex:
    """An index, decoded and found servable; raises ``IndexInvalid``."""
    try:
        index = msgspec.json.decode(body, type=VersionIndex)
    except UNREADABLE as error:
        raise IndexInvalid(f"the index of {version_id} cannot be read: {error}") from error
    if index.version_id != version_id or not _VERSION.fullmatch(version_id):
        raise IndexInvalid(f"the index of {version_id} names the version {index.version_id}")
    for path, file in index.files.items():
        if not _PATH.fullmatch(path) or not _BLAKE3.fullmatch(file.blake3) or file.size_bytes < 0:
            raise IndexInvalid(f"the index of {version_id} names {path!r}, which cannot be served")
    return index
