"""The appliance's files: content-addressed store, views by version and path, checked indexes.

    store/ab/<blake3>            the bytes, once, whatever the number of versions they are in
    views/<version_id>/<path>    a link to them, which nginx follows; its target names the BLAKE3
    indexes/<version_id>.json    the checked index of each version that this appliance knows
    tmp/                         what is being written

A file enters the store by temp, fsync, rename. A link whose target was dropped is a miss, so
dropping the target is all it takes to make room.
"""

import contextlib
import os
import re
import secrets
import shutil
from collections import OrderedDict
from pathlib import Path

import msgspec

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.ids import VersionId
from cuemark.edge.nginx import PATH_FORM, VERSION_FORM
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import fsync, write_private

_BLAKE3 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(VERSION_FORM)
_PATH = re.compile(PATH_FORM)
_INDEXES_IN_MEMORY = 64


class IndexInvalid(Exception):
    """The index of a version is not what was published, or names what cannot be served."""


class Store:
    """The bytes, by BLAKE3, at most ``limit_bytes`` of them: the oldest make room."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._held: OrderedDict[str, int] = OrderedDict()
        self.held_bytes = 0
        self._tmp = folder / "tmp"
        shutil.rmtree(self._tmp, ignore_errors=True)
        for path in (self._tmp, folder / "store", folder / "views"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_stock()

    def _take_stock(self) -> None:
        found = []
        for shelf in os.scandir(self._folder / "store"):
            for entry in os.scandir(shelf):
                if _BLAKE3.fullmatch(entry.name):
                    status = entry.stat()
                    found.append((status.st_mtime_ns, entry.name, status.st_size))
        for _, blake3, size_bytes in sorted(found):
            self._held[blake3] = size_bytes
            self.held_bytes += size_bytes

    def __contains__(self, blake3: str) -> bool:
        return blake3 in self._held

    def __len__(self) -> int:
        return len(self._held)

    def path(self, blake3: str) -> Path:
        return self._folder / "store" / blake3[:2] / blake3

    def scratch(self) -> Path:
        """A path for a file that is being written."""
        return self._tmp / secrets.token_hex(8)

    def has_room(self, size_bytes: int) -> bool:
        """Whether that much fits without dropping anything."""
        return self.held_bytes + size_bytes <= self._limit_bytes

    def keep(self, scratch: Path, blake3: str) -> None:
        """Move checked bytes into the store, durably. Blocks on the disk; call from a thread."""
        target = self.path(blake3)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        fsync(scratch)
        scratch.rename(target)
        fsync(target.parent)

    def enter(self, blake3: str, size_bytes: int) -> list[str]:
        """Count kept bytes in, drop the oldest beyond the limit; returns what was dropped."""
        if blake3 not in self._held:
            self._held[blake3] = size_bytes
            self.held_bytes += size_bytes
        dropped = []
        while self.held_bytes > self._limit_bytes and len(self._held) > 1:
            oldest = next(iter(self._held))
            self.drop(oldest)
            dropped.append(oldest)
        return dropped

    def drop(self, blake3: str) -> None:
        """Remove bytes; those who have them open read on."""
        self.held_bytes -= self._held.pop(blake3, 0)
        self.path(blake3).unlink(missing_ok=True)

    def link(self, version_id: VersionId, path: str, blake3: str) -> None:
        """Let nginx serve held bytes under a version's path."""
        view = self._folder / "views" / version_id / path
        up = "../" * (2 + path.count("/"))
        view.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            view.symlink_to(f"{up}store/{blake3[:2]}/{blake3}")


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
        if version_id not in self.version_ids:
            return None
        index = self._decoded.get(version_id)
        if index is None:
            body = (self._folder / f"{version_id}.json").read_bytes()
            index = msgspec.json.decode(body, type=VersionIndex)
        self._remember(index)
        return index

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
