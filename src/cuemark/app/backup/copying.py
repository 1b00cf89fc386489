"""Files into a backup and out of it: linked where they can be, copied where they must be.

Objects never change, so a backup on the data folder's filesystem shares their bytes, and one
elsewhere shares those of the backup before it.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from cuemark.app.backup.manifest import ListedFile, sum_of
from cuemark.contracts.encoding.versions import VersionIndex
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import fsync, sha256_of

LEFT_OUT = ("tmp", "uploads", "cache")
"""What is below ``objects/`` and is no object: what is being written or uploaded, and what is known
of a bucket."""
_NOT_LINKED = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES)


def files_of(objects: Path, versions: set[str]) -> Iterator[str]:
    """The keys of all files of a store, sorted; of its versions only those that are named.

    A version whose content keys the database does not have yet is not part of its moment: its
    job makes it again.
    """
    for room in sorted(_entries(objects)):
        if room in LEFT_OUT:
            continue
        if room != "versions":
            yield from _walk(objects, room)
            continue
        for version in sorted(versions & set(_entries(objects / room))):
            yield from _walk(objects, f"{room}/{version}")


def _walk(objects: Path, key: str) -> Iterator[str]:
    path = objects / key
    if path.is_file():
        yield key
        return
    for name in sorted(_entries(path)):
        yield from _walk(objects, f"{key}/{name}")


def _entries(folder: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return [entry.name for entry in os.scandir(folder) if not entry.is_symlink()]
    return []


def link_or_copy(source: Path, target: Path) -> bool:
    """Put ``source`` at ``target``; whether it is a link. A copy is durable on return."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NOT_LINKED:
            raise
        shutil.copyfile(source, target)
        fsync(target)
        return False
    return True


def copy_private(source: Path, target: Path) -> None:
    """A copy of mode 0600, durable on return."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def copy_program(source: Path, target: Path) -> None:
    """A copy for its owner alone, which can be run where the source can; durable on return."""
    copy_private(source, target)
    target.chmod(0o600 | (source.stat().st_mode & 0o100))


def settle(folder: Path) -> None:
    """Make the entries of all folders below ``folder`` durable."""
    for path, _, _ in os.walk(folder):
        fsync(Path(path))


class ObjectCopier:
    """Brings the objects of a store into a backup, and checks each that it reads.

    ``before`` is the backup before this one, with its listing: what it holds is not read again.
    """

    def __init__(
        self, objects: Path, target: Path, before: Path | None, listing: Mapping[str, ListedFile]
    ) -> None:
        self._objects = objects
        self._target = target
        self._before = before
        self._listing = listing
        self._indexes: dict[str, VersionIndex | None] = {}
        self.damaged: list[str] = []
        self.read_bytes = 0

    def bring(self, key: str) -> ListedFile:
        """Link or copy one file; what the listing says of it."""
        source, target = self._objects / key, self._target / key
        known = self._listing.get(key)
        if known and self._before and self._is_same(source, self._before / key, known):
            link_or_copy(self._before / key, target)
            return known
        link_or_copy(source, target)
        summed = sum_of(target)
        self.read_bytes += summed.size_bytes
        if not self._right(key, target, summed.blake3):
            self.damaged.append(key)
        return ListedFile(key, summed.size_bytes, summed.blake3)

    @staticmethod
    def _is_same(source: Path, held: Path, known: ListedFile) -> bool:
        """Whether the backup before holds this very object, whole."""
        with contextlib.suppress(FileNotFoundError):
            here, there = source.stat(), held.stat()
            if here.st_size != known.size_bytes or there.st_size != known.size_bytes:
                return False
            return here.st_dev != there.st_dev or here.st_ino == there.st_ino
        return False

    def _right(self, key: str, path: Path, digest: str) -> bool:
        """Whether a file is what its name, or the index of its version, says."""
        room, _, rest = key.partition("/")
        if room == "masters":
            return sha256_of(path) == rest
        version, _, name = rest.partition("/")
        if room != "versions" or name == "index.json":
            return True
        index = self._index(version)
        return index is not None and name in index.files and index.files[name].blake3 == digest

    def _index(self, version: str) -> VersionIndex | None:
        if version not in self._indexes:
            self._indexes = {version: None}
            with contextlib.suppress(OSError, *UNREADABLE):
                data = (self._objects / "versions" / version / "index.json").read_bytes()
                self._indexes[version] = msgspec.json.decode(data, type=VersionIndex)
        return self._indexes[version]
