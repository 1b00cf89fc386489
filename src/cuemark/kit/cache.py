"""What a machine has of the objects of a bucket, held to a bound.

``root/cache/names/<key>`` (``~`` for its slashes) says that an object lies whole at
``root/<key>``. It holds the size in bytes, its time of change is when the object was used last, and
a shared lock on it says that somebody uses it now. The kernel frees the locks of those who die.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from xxhash import xxh64_intdigest

from cuemark.kit.objects import key_path, make_folder, write_private

FOLDER = "cache"
GRACE_S = 120.0
"""What was used so lately stays: whoever asked where it is may not have opened it yet."""
DRAFT_S = 3600.0
SLACK = 0.95
"""Down to this part of the bound at once: to look at all objects takes its time."""
LOCKS = 64


def flat(key: str) -> str:
    """A key as one name, which no other key has."""
    return key.replace("/", "~")


class Cache:
    """The objects under ``root``, together at most ``limit_bytes``, 0 for no bound.

    Work in hand may need more than the bound: what is in use stays. Each object in use takes a
    descriptor.
    """

    def __init__(self, root: Path, limit_bytes: int, grace_s: float = GRACE_S) -> None:
        self.limit_bytes = limit_bytes
        self._grace_s = grace_s
        self._root = root
        self._names = root / FOLDER / "names"
        self._locks = root / FOLDER / "locks"
        self._trash = root / FOLDER / "trash"
        self._total = root / FOLDER / "total"
        self._held = threading.local()
        for folder in (self._names, self._locks, self._trash):
            make_folder(folder)
        self._total.touch()

    def use(self, key: str) -> bool:
        """Whether the object is here. It stays for the time of grace, or as long as it is held."""
        held: dict[str, int] | None = getattr(self._held, "locks", None)
        if held is not None and key in held:
            return True
        name = self._name(key)
        try:
            descriptor = os.open(name, os.O_RDONLY)
        except FileNotFoundError:
            return False
        here = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            with contextlib.suppress(FileNotFoundError):
                os.utime(name)
                same = os.fstat(descriptor).st_ino == name.stat().st_ino
                here = same and key_path(self._root, key).exists()
        finally:
            if here and held is not None:
                held[key] = descriptor
            else:
                os.close(descriptor)
        return here

    def note(self, key: str, size_bytes: int) -> None:
        """An object lies here whole."""
        before = _size_in(self._name(key))
        write_private(self._name(key), f"{size_bytes}\n".encode())
        self._add(size_bytes - before)

    def forget(self, key: str) -> None:
        """Remove an object, whoever uses it."""
        self._unname(self._name(key))
        self._remove(key)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """What this thread uses while the block runs stays."""
        if not self.limit_bytes:
            yield
            return
        self._held.locks = {}
        try:
            yield
        finally:
            for descriptor in self._held.locks.values():
                os.close(descriptor)
            self._held.locks = None

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Nobody else on this machine brings this object while the block runs."""
        lock = self._locks / str(xxh64_intdigest(key.encode()) % LOCKS)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def make_room(self, wanted_bytes: int) -> None:
        """Remove what was not used for the longest until so many bytes fit under the bound."""
        if not self.limit_bytes or self._add(0) + wanted_bytes <= self.limit_bytes:
            return
        most_bytes = int(self.limit_bytes * SLACK)
        for used_s, name in sorted(self._by_use()):
            fits = self._add(0) + wanted_bytes <= most_bytes
            if fits or used_s > time.time() - self._grace_s:
                return
            self._evict(name)

    def sweep(self) -> None:
        """Remove what those who died have left; others may run."""
        for leftover in self._trash.iterdir():
            _delete(leftover)
        for draft in self._names.glob(".*"):
            with contextlib.suppress(FileNotFoundError):
                if draft.stat().st_mtime < time.time() - DRAFT_S:
                    draft.unlink()
        there = sum(_size_in(self._names / name) for _, name in self._by_use())
        self._add(there - self._add(0))

    def _name(self, key: str) -> Path:
        key_path(self._root, key)
        return self._names / flat(key)

    def _by_use(self) -> Iterator[tuple[float, str]]:
        """When each object was used last, and its name."""
        for entry in os.scandir(self._names):
            with contextlib.suppress(FileNotFoundError):
                if not entry.name.startswith("."):
                    yield entry.stat().st_mtime, entry.name

    def _add(self, size_bytes: int) -> int:
        """Note that the objects take so much more; what they take together."""
        with self._total.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            total = max(0, int(file.read() or "0") + size_bytes)
            if size_bytes:
                file.seek(0)
                file.truncate()
                file.write(str(total))
                file.flush()
            return total

    def _evict(self, name: str) -> None:
        """Remove an object, unless somebody uses it."""
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(self._names / name, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._remove(name.replace("~", "/"))
                self._unname(self._names / name)
            finally:
                os.close(descriptor)

    def _unname(self, name: Path) -> None:
        size_bytes = _size_in(name)
        with contextlib.suppress(FileNotFoundError):
            name.unlink()
            self._add(-size_bytes)

    def _remove(self, key: str) -> None:
        """Move an object away at once, with the objects that lie in it, and delete it then."""
        for inner in self._names.glob(f"{flat(key)}~*"):
            self._unname(inner)
        away = self._trash / secrets.token_hex(8)
        with contextlib.suppress(FileNotFoundError):
            key_path(self._root, key).rename(away)
            _delete(away)


def _size_in(name: Path) -> int:
    try:
        return int(name.read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
