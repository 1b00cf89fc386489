"""The object store in an S3 bucket: truth in the bucket, a copy of what is in use on the disk.

In the bucket ``data/<2>/<BLAKE3>`` is the bytes of a file and ``names/<key>`` the list of the files
of an object, with ``~`` for the slashes of its key, written last and only once; so an object is
there whole or not at all, and of two writers who make one object at the same time the first wins.
Small files stand in the list itself. On the disk an object lies where the directory store would
have it (``kit/cache.py``).
"""

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from blake3 import blake3
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from cuemark.kit.cache import GRACE_S, Cache, flat
from cuemark.kit.errors import UNREADABLE, Unavailable
from cuemark.kit.objects import Objects, fsync, key_path, make_folder

T = TypeVar("T")

INLINE_BYTES = 16 << 10
"""A file up to this size stands in the list of its object."""
LOOK_FIRST_BYTES = 1 << 20
"""From this size on it is asked for before it is sent."""
AT_ONCE = 8
PIECE_BYTES = 16 << 20
"""A file comes in pieces of this size: what breaks off is not asked for from its beginning."""
CONNECT_S, REQUEST_S, LEAST_REQUEST_S = 2.0, 30.0, 5.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.25, 5.0
NO_ROOM = "waiting for room on the disk: free some, and it goes on"


class BucketAt(msgspec.Struct, frozen=True, kw_only=True):
    """Where a bucket is and how it is opened. ``endpoint`` is empty for AWS itself."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str
    secret_access_key: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def __repr__(self) -> str:
        return f"BucketAt({self.url})"


class StoredFile(msgspec.Struct, frozen=True):
    """``data`` is the file itself where it is small, which an empty file is too."""

    size_bytes: int
    blake3: str
    data: bytes = b""


class Stored(msgspec.Struct, frozen=True):
    """An object: its files by their paths in it. One that is a file has the path ``""``."""

    files: dict[str, StoredFile]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files.values())


class Damaged(Exception):
    """What the bucket gave is not what was put there."""


class BucketObjects(Objects):
    """Objects in a bucket, with ``root`` for those that are used on this machine.

    ``limit_bytes`` bounds what lies there, 0 for no bound: what was not used for the longest goes
    first, and nothing that was used in the last ``grace_s``. Whoever finds the bucket away waits
    ``patience_s``, None for as long as it takes, and gets ``Unavailable`` then.
    """

    def __init__(
        self,
        root: Path,
        at: BucketAt,
        writer: str = "",
        *,
        limit_bytes: int = 0,
        grace_s: float = GRACE_S,
        patience_s: float | None = None,
    ) -> None:
        super().__init__(root, writer)
        self.url = at.url
        self._patience_s = patience_s
        self._cache = Cache(root, limit_bytes, grace_s)
        self._told = threading.local()
        self._request_s = max(LEAST_REQUEST_S, min(REQUEST_S, patience_s or REQUEST_S))
        self.store = S3Store(
            at.bucket,
            prefix=at.prefix or None,
            endpoint=at.endpoint or None,
            region=at.region,
            access_key_id=at.access_key_id,
            secret_access_key=at.secret_access_key,
            virtual_hosted_style_request=not at.endpoint,
            client_options={
                "allow_http": True,
                "connect_timeout": timedelta(seconds=CONNECT_S),
                "timeout": timedelta(seconds=self._request_s),
            },
            retry_config={"max_retries": 0},
        )

    def check(self) -> None:
        """Raise ``Unavailable``, with one sentence, where the bucket cannot be read and written."""
        self._insist(lambda: self.store.put("check", b"cuemark"))
        self._insist(lambda: self.store.get("check").bytes())

    def path(self, key: str) -> Path:
        """Where the object is, brought here first, or would be."""
        target = key_path(self.root, key)
        for name in _and_above(key):
            # A folder that is here says nothing of what another has put into it since.
            if self._cache.use(name) and target.exists():
                return target
        for name in _and_above(key):
            if self._bring(name):
                return target
        return target

    def exists(self, key: str) -> bool:
        target = key_path(self.root, key)
        if any(self._cache.use(name) for name in _and_above(key)) and target.exists():
            return True
        for name in _and_above(key):
            stored = self._insist(partial(self._stored, name))
            if stored is not None:
                inner = key[len(name) :].lstrip("/")
                return inner in stored.files or not inner
        return False

    def adopt(self, source: Path, key: str) -> None:
        """As in the directory store; the bucket has it first."""
        ours = _listed(source)
        kept = self._insist(lambda: self._send(source, key, ours))
        if kept != ours:
            structlog.get_logger().warning("object_was_there", key=key)
            self._cache.forget(key)
            self._bring(key)
            return
        self._cache.make_room(ours.size_bytes)
        _place(source, key_path(self.root, key))
        self._cache.note(key, ours.size_bytes)

    def bring(self, key: str) -> None:
        """An object that lies here from before there was a bucket is put into it."""
        target = key_path(self.root, key)
        if target.exists() and not self._cache.use(key) and not self.exists(key):
            self.adopt(target, key)
        else:
            self.path(key)

    def remove(self, key: str) -> None:
        """Let an object be gone. Its bytes stay in the bucket: others may have them too."""
        self._insist(lambda: self.store.delete(_name(key)))
        self._cache.forget(key)

    def sweep(self) -> None:
        super().sweep()
        self._cache.sweep()

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """What this thread uses while the block runs stays on the disk."""
        with self._cache.holding():
            yield

    @contextlib.contextmanager
    def waiting(self, tell: Callable[[str], None]) -> Iterator[None]:
        """``tell`` hears, in a sentence, what this thread waits for while the block runs."""
        before = getattr(self._told, "tell", None)
        self._told.tell = tell
        try:
            yield
        finally:
            self._told.tell = before

    def _stored(self, key: str) -> Stored | None:
        try:
            encoded = bytes(self.store.get(_name(key)).bytes())
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise
            return None
        try:
            return msgspec.json.decode(encoded, type=Stored)
        except UNREADABLE as error:
            raise Damaged(f"{_name(key)} cannot be read") from error

    def _bring(self, key: str) -> bool:
        """Copy an object to the disk, once for all who ask at the same time; False: there is none.

        Who is late finds it there.
        """
        while True:
            with self._cache.alone(key):
                if self._cache.use(key):
                    return True
                if not self._insist(lambda: self._fetch(key)):
                    return False
            if self._cache.use(key):
                return True

    def _fetch(self, key: str) -> bool:
        stored = self._stored(key)
        if stored is None:
            return False
        self._cache.make_room(stored.size_bytes)
        began_s = time.monotonic()
        with self.scratch() as scratch:
            source = scratch / "object"
            whole = "" in stored.files
            for name in stored.files:
                make_folder((source / name).parent)
            with self._pool() as pool:
                jobs = [
                    pool.submit(self._download, file, source if whole else source / name)
                    for name, file in stored.files.items()
                ]
                for job in jobs:
                    job.result()
            _place(source, key_path(self.root, key))
        self._cache.note(key, stored.size_bytes)
        structlog.get_logger().info(
            "object_fetched",
            key=key,
            size_bytes=stored.size_bytes,
            wall_s=round(time.monotonic() - began_s, 3),
        )
        return True

    def _download(self, file: StoredFile, target: Path) -> None:
        digest = blake3()
        with target.open("wb", buffering=0) as out:
            for begin in range(0, file.size_bytes, PIECE_BYTES):
                end = min(begin + PIECE_BYTES, file.size_bytes)
                digest.update(self._insist(partial(self._copy, file, begin, end, out.fileno())))
            os.fsync(out.fileno())
        if digest.hexdigest() != file.blake3:
            raise Damaged(f"{_data(file)} has other bytes than were put there")

    def _copy(self, file: StoredFile, begin: int, end: int, descriptor: int) -> bytes:
        """Write a piece of a file to its place; the piece."""
        if len(file.data) == file.size_bytes:
            piece = file.data[begin:end]
        else:
            try:
                piece = bytes(self.store.get_range(_data(file), start=begin, end=end))
            except FileNotFoundError as error:
                raise Damaged(f"{_data(file)} is gone") from error
        left = piece
        while left:
            left = left[os.pwrite(descriptor, left, end - len(left)) :]
        return piece

    def _send(self, source: Path, key: str, ours: Stored) -> Stored:
        """Put an object into the bucket; what the bucket has under its key from then on."""
        first_wins = source.is_dir()
        if first_wins and (there := self._stored(key)) is not None:
            return there
        with self._pool() as pool:
            jobs = [
                pool.submit(self._upload, file, source / name if name else source)
                for name, file in ours.files.items()
            ]
            for job in jobs:
                job.result()
        encoded = msgspec.json.encode(ours)
        try:
            self.store.put(_name(key), encoded, mode="create" if first_wins else "overwrite")
        except AlreadyExistsError:
            return self._stored(key) or ours
        return ours

    def _upload(self, file: StoredFile, source: Path) -> None:
        if len(file.data) == file.size_bytes:
            return
        if file.size_bytes >= LOOK_FIRST_BYTES:
            with contextlib.suppress(FileNotFoundError):
                self.store.head(_data(file))
                return
        self.store.put(_data(file), source)

    def _pool(self) -> ThreadPoolExecutor:
        """Threads that wait as this one does."""
        told, tell = self._told, getattr(self._told, "tell", None)
        return ThreadPoolExecutor(AT_ONCE, initializer=lambda: setattr(told, "tell", tell))

    def _insist(self, doing: Callable[[], T]) -> T:
        """Do it as often as it takes; raises ``Unavailable`` when patience is at its end."""
        began_s, pause_s = time.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                return doing()
            except (BaseError, Damaged, OSError) as error:
                sentence, cause = self._hindrance(error), error
            if self._patience_s is not None and time.monotonic() - began_s > self._patience_s:
                raise Unavailable(sentence) from cause
            structlog.get_logger().warning("objects_wait", why=sentence, error=type(cause).__name__)
            if tell := getattr(self._told, "tell", None):
                tell(sentence)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)

    def _hindrance(self, error: Exception) -> str:
        """What an error says of the bucket or the disk; raises what it says of neither."""
        match error:
            case PermissionDeniedError() | UnauthenticatedError():
                trouble = "refuses these credentials: mend them in the settings"
            case Damaged():
                trouble = f"is damaged, {error}: put its files back"
            case OSError(errno=errno.ENOSPC | errno.EDQUOT):
                self._cache.make_room(self._cache.limit_bytes)
                return NO_ROOM
            # This library says so of a bucket; of a file, the system has a number.
            case FileNotFoundError(errno=None):
                trouble = "is not there: make the bucket, or name another in the settings"
            case OSError():
                raise error
            case _:
                trouble = "does not answer"
        return f"waiting for the object store: {self.url} {trouble}"


def _name(key: str) -> str:
    return f"names/{flat(key)}"


def _data(file: StoredFile) -> str:
    return f"data/{file.blake3[:2]}/{file.blake3}"


def _and_above(key: str) -> Iterator[str]:
    """A key, and those of the folders that it may be a file of; no key has a single name."""
    while "/" in key:
        yield key
        key = key.rpartition("/")[0]


def _listed(source: Path) -> Stored:
    if source.is_file():
        return Stored({"": _described(source)})
    files = sorted(path for path in source.rglob("*") if path.is_file())
    return Stored({path.relative_to(source).as_posix(): _described(path) for path in files})


def _described(path: Path) -> StoredFile:
    size_bytes = path.stat().st_size
    digest = blake3()
    digest.update_mmap(path)
    data = path.read_bytes() if size_bytes <= INLINE_BYTES else b""
    return StoredFile(size_bytes, digest.hexdigest(), data)


def _place(source: Path, target: Path) -> None:
    """Move a finished file or folder to where it belongs, durably.

    A folder that is there already keeps what else is in it: an object of its own.
    """
    for path in [source] if source.is_file() else [source, *source.rglob("*")]:
        fsync(path)
    make_folder(target.parent)
    if source.is_dir() and target.is_dir():
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            into = target / path.relative_to(source)
            make_folder(into.parent)
            path.replace(into)
            fsync(into.parent)
        return
    source.replace(target)
    fsync(target.parent)
