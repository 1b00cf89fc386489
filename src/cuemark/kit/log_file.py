"""A log that several processes append to and that cannot fill the disk.

Each line is one ``write`` on a descriptor opened for appending, so lines of several processes
never mix. Past ``MOST_BYTES`` whoever writes next renames the file to ``.1``, the one before to
``.2`` and so on; the last one is dropped. The others notice the rename at their next line.
"""

import contextlib
import fcntl
import os
from pathlib import Path

MOST_BYTES = 32 << 20
KEPT_FILES = 7


class LogFile:
    """Appends lines to ``path``. A full disk costs lines, never the process that writes them."""

    def __init__(
        self, path: Path, most_bytes: int = MOST_BYTES, kept_files: int = KEPT_FILES
    ) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._kept_files = kept_files
        self._descriptor = self._opened()
        self._torn = False

    def write(self, line: str) -> None:
        """Append ``line``, which ends with a line break."""
        with contextlib.suppress(OSError):
            if self._moved():
                self._reopen()
            elif os.fstat(self._descriptor).st_size >= self._most_bytes:
                self._rotate()
            data = line.encode(errors="replace")
            written = os.write(self._descriptor, b"\n" + data if self._torn else data)
            self._torn = written < len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        os.close(self._descriptor)

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _moved(self) -> bool:
        """Whether the path names another file than the one in hand, or none."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        mine = os.fstat(self._descriptor)
        return (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev)

    def _reopen(self) -> None:
        fresh = self._opened()
        os.close(self._descriptor)
        self._descriptor = fresh

    def _rotate(self) -> None:
        """Rename the file, unless another process did so while the lock was waited for."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        if not self._moved():
            rotate(self._path, self._kept_files)
        self._reopen()


def rotate(path: Path, kept_files: int = KEPT_FILES) -> None:
    """Rename ``path`` to ``path.1`` and its predecessors one further; drop the last."""
    for number in range(kept_files - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            older(path, number).replace(older(path, number + 1))
    path.replace(older(path, 1))


def older(path: Path, number: int) -> Path:
    """The ``number``-th predecessor of a log, 1 for the latest."""
    return path.with_name(f"{path.name}.{number}")


def files_of(path: Path) -> list[Path]:
    """A log with its predecessors, the oldest first, as far as they are there."""
    return [
        file
        for number in range(KEPT_FILES + 1, -1, -1)
        if (file := older(path, number) if number else path).exists()
    ]
