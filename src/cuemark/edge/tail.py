"""Reading a log to its end and on, over its rotation and over a restart of who reads it."""

import contextlib
import os
from pathlib import Path

import msgspec

from cuemark.kit.log_file import KEPT_FILES, older

PIECE_BYTES = 1 << 20
MOST_LINE_BYTES = 1 << 14


class Position(msgspec.Struct, frozen=True):
    """Up to which byte of which file all is read. An ``inode`` of 0 is none yet."""

    inode: int = 0
    offset: int = 0


class Tail:
    """What stands in the log at ``path`` from ``position`` on; all that is there without one.

    A file that was renamed is read to its end before the next. Where the one of the position is
    gone, the oldest that is left comes next. One that was renamed counts as read when it has
    brought nothing twice: nginx still writes down what it had in hand.
    """

    def __init__(self, path: Path, position: Position, most_lines: int) -> None:
        self._path = path
        self._most_lines = most_lines
        self._at = position
        self._file = -1
        self._silent = False

    @property
    def position(self) -> Position:
        """Where what ``read`` returned ends."""
        return self._at

    def read(self) -> bytes:
        """The next whole lines, ``most_lines`` and ``PIECE_BYTES`` at most; empty without any.

        A line without an end that is longer than any of ours is passed over. Raises ``OSError``.
        """
        if self._file < 0 and not self._open():
            return b""
        raw = os.pread(self._file, PIECE_BYTES, self._at.offset)
        whole = raw.rfind(b"\n") + 1
        if not whole and len(raw) > MOST_LINE_BYTES:
            whole, raw = len(raw), b""
        if raw.count(b"\n") > self._most_lines:
            whole = len(b"\n".join(raw.split(b"\n", self._most_lines)[:-1])) + 1
        if whole:
            self._at = Position(self._at.inode, self._at.offset + whole)
            self._silent = False
            return raw[:whole]
        if os.fstat(self._file).st_size < self._at.offset:
            self._at = Position(self._at.inode, 0)
        elif self._silent and self._next() not in (None, self._at.inode):
            self.close()
        self._silent = True
        return b""

    def go_back(self, position: Position) -> None:
        """Read again from ``position`` on."""
        self.close()
        self._at = position

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> bool:
        """Open the file of the position, or, where it is read or gone, the one after it."""
        files = self._files()
        inode = self._next()
        if inode is None:
            return False
        self._file = os.open(files[inode], os.O_RDONLY | os.O_CLOEXEC)
        if os.fstat(self._file).st_ino != inode:
            # Renamed between the two looks.
            self.close()
            return False
        if inode != self._at.inode:
            self._at = Position(inode, 0)
        return True

    def _next(self) -> int | None:
        """The inode of the file to read now: the position's own while there is more of it."""
        files = self._files()
        inodes = list(files)
        if self._at.inode not in files:
            return inodes[0] if inodes else None
        at = inodes.index(self._at.inode)
        unread = files[self._at.inode].stat().st_size > self._at.offset
        return self._at.inode if unread or at + 1 == len(inodes) else inodes[at + 1]

    def _files(self) -> dict[int, Path]:
        """The log and what it was renamed to, by inode, the oldest first."""
        found: dict[int, Path] = {}
        for path in [*(older(self._path, n) for n in range(KEPT_FILES, 0, -1)), self._path]:
            with contextlib.suppress(FileNotFoundError):
                found[path.stat().st_ino] = path
        return found
