"""nginx's access log as it grows, each line once: over rotations, and over restarts of the reader.

A reader that is started again goes on at its mark, in whichever of the rotated files that is. One
that was renamed is read to its end before the next, and counts as read when it has brought nothing
twice: nginx still writes to the old one what it had in hand when it opened the new one.
"""

import os
from pathlib import Path

import msgspec
import structlog
from blake3 import blake3

from cuemark.kit.log_file import files_of

PIECE_BYTES = 4 << 20
BEHIND_BYTES = 64 << 20
MOST_LINE_BYTES = 1 << 14
_HEAD_BYTES = 256
_SETTLED_READS = 2


class Mark(msgspec.Struct, frozen=True):
    """How far a log was read: whole lines up to ``at`` of the file that began with ``head``."""

    inode: int
    head: str
    at: int
    written_ns: int


class AccessLog:
    """What nginx adds to the log at ``path`` after a mark.

    Without one it begins with what is added from now on, and where it falls too far behind it goes
    on near the end, and says how much it has passed over. Where ``every_line`` counts, it begins
    with the oldest that is there, and never passes any over.
    """

    def __init__(self, path: Path, mark: Mark | None = None, *, every_line: bool = False) -> None:
        self._path = path
        self._every_line = every_line
        self._file = -1
        self._at = 0
        self._empty_reads = 0
        self.skipped_bytes = 0
        self.go_to(mark)

    def go_to(self, mark: Mark | None) -> None:
        """Read on from a mark, wherever the reader is. Raises ``OSError``."""
        if mark is not None:
            self._go_on(mark)
        elif self._every_line:
            self._open((files_of(self._path) or [self._path])[0], 0)
        else:
            self._open_at_end()

    def read(self, most_lines: int | None = None) -> bytes:
        """The next whole lines: so many, and ``PIECE_BYTES``, at most; empty where none are new.

        A line without an end that is longer than any of nginx's is passed over. Raises ``OSError``.
        """
        if self._file < 0:
            self._open(self._path, 0)
            if self._file < 0:
                return b""
        size_bytes = os.fstat(self._file).st_size
        if size_bytes < self._at:
            self._at = 0
        if not self._every_line and size_bytes - self._at > BEHIND_BYTES:
            self._skip(size_bytes - PIECE_BYTES)
        raw = os.pread(self._file, PIECE_BYTES, self._at)
        whole = raw[: raw.rfind(b"\n") + 1]
        if not whole and len(raw) > MOST_LINE_BYTES:
            self._at += len(raw)
        if most_lines is not None and whole.count(b"\n") > most_lines:
            whole = b"\n".join(whole.split(b"\n", most_lines)[:-1]) + b"\n"
        self._at += len(whole)
        self._empty_reads = 0 if whole else self._empty_reads + 1
        if self._empty_reads >= _SETTLED_READS and self._moved():
            self._open_next()
            return self.read(most_lines)
        return whole

    @property
    def behind_bytes(self) -> int:
        """How much of the file in hand is not read yet."""
        return os.fstat(self._file).st_size - self._at if self._file >= 0 else 0

    @property
    def mark(self) -> Mark | None:
        """Where to go on; None where there is no log yet."""
        if self._file < 0:
            return None
        status = os.fstat(self._file)
        return Mark(status.st_ino, _head_of(self._file, self._at), self._at, status.st_mtime_ns)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _go_on(self, mark: Mark) -> None:
        """Open the file of the mark; where that is gone, the oldest that was written after it."""
        later = []
        for path in files_of(self._path):
            self._open(path, mark.at)
            if self._file < 0:
                continue
            status = os.fstat(self._file)
            its_head = _head_of(self._file, mark.at)
            if status.st_ino == mark.inode and status.st_size >= mark.at and its_head == mark.head:
                return
            if status.st_mtime_ns > mark.written_ns:
                later.append(path)
            self.close()
        structlog.get_logger().warning("log_lost", later=len(later))
        if later:
            self._open(later[0], 0)
        else:
            self._open_at_end()

    def _open_at_end(self) -> None:
        self._open(self._path, 0)
        self._at = os.fstat(self._file).st_size if self._file >= 0 else 0

    def _open(self, path: Path, at: int) -> None:
        self.close()
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        self._at, self._empty_reads = at, 0

    def _open_next(self) -> None:
        """Open the log that came after the one in hand, the oldest if that has long gone."""
        files = files_of(self._path)
        inode = os.fstat(self._file).st_ino
        inodes = [_inode_of(path) for path in files]
        after = inodes.index(inode) + 1 if inode in inodes else 0
        self._open(files[after] if after < len(files) else self._path, 0)

    def _skip(self, to: int) -> None:
        """The line that is begun there is half a one, and counts as unreadable."""
        skipped_bytes = to - self._at
        self.skipped_bytes += skipped_bytes
        structlog.get_logger().warning("log_skipped", skipped_bytes=skipped_bytes)
        self._at = to

    def _moved(self) -> bool:
        there = _inode_of(self._path)
        return bool(there) and there != os.fstat(self._file).st_ino


def _head_of(file: int, at: int) -> str:
    """What tells a file from another that has its inode later."""
    return blake3(os.pread(file, min(at, _HEAD_BYTES), 0)).hexdigest(16)


def _inode_of(path: Path) -> int:
    """0 where there is no such file."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
