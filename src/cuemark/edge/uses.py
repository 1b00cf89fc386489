"""Which files viewers use: nginx serves hits without the agent, so its access log tells.

The log is read from its end on, a bounded piece at a time; where the agent falls behind it goes on
at the end, for what is asked for often is met again. A view names the bytes that it leads to.
"""

import os
import re
from collections import Counter
from pathlib import Path

import msgspec

from cuemark.edge.nginx import MARKED_FORM, PATH_FORM, VERSION_FORM
from cuemark.edge.store import Store
from cuemark.kit.errors import UNREADABLE

PIECE_BYTES = 4 << 20
BEHIND_BYTES = 16 << 20
_LINE_BYTES = 1 << 14
_NAMED = re.compile(f"{VERSION_FORM}/{PATH_FORM}")
_EITHER = re.compile(f"(.*/)x({MARKED_FORM})")


class Line(msgspec.Struct, frozen=True):
    """What matters of a line of the access log."""

    version: str = ""
    path: str = ""
    cache: str = ""


def hits(lines: bytes) -> Counter[tuple[str, str]]:
    """How often each path of a version was a hit, of whole lines; what is no line is passed over.

    Of a marked segment the log does not tell which variant was sent: both count.
    """
    found: Counter[tuple[str, str]] = Counter()
    for raw in lines.splitlines():
        try:
            line = msgspec.json.decode(raw, type=Line)
        except UNREADABLE:
            continue
        if line.cache.endswith("; hit") and _NAMED.fullmatch(f"{line.version}/{line.path}"):
            marked = _EITHER.fullmatch(line.path)
            for path in [f"{marked[1]}{v}{marked[2]}" for v in "ab"] if marked else [line.path]:
                found[line.version, path] += 1
    return found


class AccessLog:
    """What nginx adds to the log at ``path`` from now on, wherever the log is moved to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._at = 0
        self._half = b""
        self._open(at_end=True)

    def _open(self, *, at_end: bool) -> None:
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        self._at = os.fstat(self._file).st_size if at_end else 0
        self._half = b""

    def read(self) -> bytes:
        """The next whole lines, at most about ``PIECE_BYTES`` of them; empty where none are new."""
        if self._file < 0:
            self._open(at_end=False)
            if self._file < 0:
                return b""
        size_bytes = os.fstat(self._file).st_size
        if size_bytes < self._at:
            self._at, self._half = 0, b""
        if size_bytes - self._at > BEHIND_BYTES:
            # The line that is begun there is half a one, and is passed over as such.
            self._at, self._half = size_bytes - PIECE_BYTES, b""
        raw = os.pread(self._file, PIECE_BYTES, self._at)
        self._at += len(raw)
        whole, end, half = (self._half + raw).rpartition(b"\n")
        self._half = half[-_LINE_BYTES:]
        if not raw and self._moved():
            self.close()
        return whole + end

    def _moved(self) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(self._file).st_ino
        except FileNotFoundError:
            return False

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def used(log: AccessLog, store: Store) -> Counter[str]:
    """How often which bytes were served since the last call. Reads the disk: for a thread."""
    found: Counter[str] = Counter()
    for (version_id, path), times in hits(log.read()).items():
        if blake3 := store.linked(version_id, path):
            found[blake3] += times
    return found
