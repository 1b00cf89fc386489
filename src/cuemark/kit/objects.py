"""The object store: a directory of immutable objects by key, written whole or not at all.

A key is a relative path of plain names. Every write goes to a temporary file on the same
filesystem, is fsynced, and is renamed into place; so a reader never meets half an object, and
what was acknowledged outlives a power cut.
"""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

_DRAFT = re.compile(r"^\..+\.[0-9a-f]{8}$")
_KEY = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")
_CHUNK_BYTES = 1 << 20


class BadKey(ValueError):
    """The key is not a relative path of plain names."""


def key_path(root: Path, key: str) -> Path:
    """Where the object of this key is in a store at ``root``; raises ``BadKey``."""
    if not _KEY.match(key):
        raise BadKey(f"{key!r} is not an object key")
    return root / key


class Objects:
    """Objects in one directory, ``root``; ``root/tmp`` holds what is being written.

    A ``writer`` with a name of its own can sweep away what it left when it died the last time,
    while others write on. Two processes never have one name.
    """

    def __init__(self, root: Path, writer: str = "") -> None:
        self.root = root
        self._tmp = root / "tmp" / writer
        make_folder(self._tmp)

    def path(self, key: str) -> Path:
        """Where the object of this key is or would be."""
        return key_path(self.root, key)

    def draft(self, key: str) -> Path:
        """Where a file is written that is no object before it is whole."""
        return key_path(self.root, key)

    def exists(self, key: str) -> bool:
        return self.path(key).exists()

    def read(self, key: str) -> bytes:
        """The object's bytes; raises ``FileNotFoundError``."""
        return self.path(key).read_bytes()

    def put(self, key: str, data: bytes) -> None:
        """Store ``data`` under ``key``, replacing what was there."""
        with self.scratch() as folder:
            (folder / "object").write_bytes(data)
            self.adopt(folder / "object", key)

    def adopt(self, source: Path, key: str) -> None:
        """Move a finished file, or a folder of files, from a scratch folder to ``key``.

        A folder that is there already is kept: objects are immutable and made by content.
        """
        target = self.path(key)
        for file in [source] if source.is_file() else sorted(source.rglob("*")):
            if file.is_file() or file.is_dir():
                fsync(file)
        if source.is_dir():
            fsync(source)
        make_folder(target.parent)
        try:
            source.rename(target)
        except OSError:
            if not target.is_dir():
                raise
        fsync(target.parent)

    def bring(self, key: str) -> None:
        """See to it that an object is on this machine as well as where others find it."""

    def remove(self, key: str) -> None:
        """Let an object be gone."""
        path = key_path(self.root, key)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """The objects that this thread uses while the block runs stay where they are."""
        yield

    @contextlib.contextmanager
    def waiting(self, tell: Callable[[str], None]) -> Iterator[None]:
        """``tell`` hears, in a sentence, what this thread waits for while the block runs.

        A directory is always there.
        """
        yield

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder on the store's filesystem, gone when the block ends."""
        folder = self._tmp / secrets.token_hex(8)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what this writer left; one without a name, what any left, while none runs."""
        for leftover in self._tmp.iterdir():
            shutil.rmtree(leftover, ignore_errors=True)


def fsync(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it, as far as they are missing, durably."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(mode=mode, exist_ok=True)
        fsync(folder.parent)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_private(path: Path, data: bytes) -> None:
    """Write a small file of mode 0600 so that a reader sees the old or the new one, never half.

    It outlives a power cut. A writer that dies leaves a draft: see ``sweep_drafts``.
    """
    make_folder(path.parent, 0o700)
    draft = new_draft(path, data)
    draft.replace(path)
    fsync(path.parent)


def new_draft(path: Path, data: bytes) -> Path:
    """Write ``data`` durably beside ``path``, under a name that nobody reads."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def sweep_drafts(*folders: Path) -> None:
    """Remove the drafts in ``folders`` that writers which died have left; no writer may run."""
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            if _DRAFT.match(path.name):
                path.unlink(missing_ok=True)
