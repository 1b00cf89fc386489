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
from collections.abc import Iterator
from pathlib import Path

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
    """Objects in one directory, ``root``; ``root/tmp`` holds what is being written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tmp = root / "tmp"
        self._tmp.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Where the object of this key is or would be."""
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
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.rename(target)
        except OSError:
            if not target.is_dir():
                raise
        fsync(target.parent)

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
        """Remove what writers that died have left. Call when no writer runs."""
        for leftover in self._tmp.iterdir():
            shutil.rmtree(leftover, ignore_errors=True)


def fsync(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_private(path: Path, data: bytes) -> None:
    """Write a small file of mode 0600 so that a reader sees the old or the new one, never half."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
