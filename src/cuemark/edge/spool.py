"""Lines on their way to control, on the appliance's disk: whole batches, the oldest first.

A batch is one file, written before the place up to which nginx's log is read. After a crash between
the two the batch itself says how far it reaches, so nothing is sent twice and nothing is left out.
Past the bound the oldest batches go, and the next one tells how many lines went with them.
"""

import contextlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from cuemark.contracts.telemetry import MOST_LINES, Line
from cuemark.edge.access_log import Mark
from cuemark.edge.lines import packed
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import make_folder, sweep_drafts, write_private

FOLDER = "lines"
_NOTED = "read_to.json"
_NAME = re.compile(r"([0-9a-f]{20})-([0-9]{12})\.batch")


class Head(msgspec.Struct, frozen=True):
    """The first line of a batch's file; ``body_bytes`` of gzip follow. ``read_to`` is how far
    nginx's log was read for it."""

    epoch: str
    sequence: int
    count: int
    first_at_s: float
    last_at_s: float
    lost_lines: int
    body_bytes: int
    read_to: Mark | None


class Noted(msgspec.Struct, frozen=True):
    """How far the log was read, for the batch of this name and all before it."""

    batch: str = ""
    read_to: Mark | None = None


class Batch(msgspec.Struct, frozen=True):
    name: str
    head: Head
    body: bytes


class Spool:
    """The batches below ``folder``, at most ``limit_bytes`` of them.

    An epoch begins with each spool: its name ascends with time, and in it the numbers of batches.
    Its methods read and write the disk: for a thread, one at a time.
    """

    def __init__(self, folder: Path, limit_bytes: int, now: datetime) -> None:
        self._folder = folder / FOLDER
        self._limit_bytes = limit_bytes
        self._sequence = 0
        self._lost_lines = 0
        make_folder(self._folder, 0o700)
        sweep_drafts(self._folder)
        found = (path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
        self._sizes = {path.name: path.stat().st_size for path in sorted(found)}
        self._noted = self._resumed()
        # After all before it, also where the clock was set back: the newest batch is told by name.
        latest = max(self._noted.batch, next(reversed(self._sizes), ""))[:12]
        begun_ms = max(int(now.timestamp() * 1000), int(latest or "0", 16) + 1)
        self._epoch = f"{begun_ms:012x}{secrets.token_hex(4)}"

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def read_to(self) -> Mark | None:
        """How far nginx's log was read; None at the very beginning."""
        return self._noted.read_to

    @property
    def held_bytes(self) -> int:
        return sum(self._sizes.values())

    def put(self, lines: Sequence[Line], read_to: Mark | None) -> None:
        """Keep lines (``MOST_LINES`` at most), and that the log is read up to ``read_to``.

        Without lines, the place alone. Raises ``OSError``, and then nothing is kept.
        """
        name = self._put(lines, read_to) if lines else self._noted.batch
        noted = Noted(name, read_to)
        write_private(self._folder / _NOTED, msgspec.json.encode(noted))
        self._noted = noted

    def _put(self, lines: Sequence[Line], read_to: Mark | None) -> str:
        if len(lines) > MOST_LINES:
            raise ValueError(f"a batch has {MOST_LINES} lines at most, not {len(lines)}")
        body = packed(lines)
        self._make_room(len(body))
        head = Head(
            epoch=self._epoch,
            sequence=self._sequence + 1,
            count=len(lines),
            first_at_s=min(line.at_s for line in lines),
            last_at_s=max(line.at_s for line in lines),
            lost_lines=self._lost_lines,
            body_bytes=len(body),
            read_to=read_to,
        )
        name = f"{head.epoch}-{head.sequence:012}.batch"
        data = msgspec.json.encode(head) + b"\n" + body
        write_private(self._folder / name, data)
        self._sizes[name] = len(data)
        self._sequence, self._lost_lines = head.sequence, 0
        return name

    def oldest(self) -> Batch | None:
        """The next to be sent. What cannot be read any more is dropped, with a word in the log."""
        while self._sizes:
            name = next(iter(self._sizes))
            with contextlib.suppress(OSError, ValueError, *UNREADABLE):
                return _read(self._folder / name)
            structlog.get_logger().error("batch_unreadable", name=name)
            self.drop(name)
        return None

    def drop(self, name: str) -> None:
        """Forget a batch: it was taken, or there is no more room for it."""
        (self._folder / name).unlink(missing_ok=True)
        self._sizes.pop(name, None)

    def _make_room(self, more_bytes: int) -> None:
        """Drop the oldest batches until so many bytes more are within the bound."""
        lost_before = self._lost_lines
        while self._sizes and self.held_bytes + more_bytes > self._limit_bytes:
            name = next(iter(self._sizes))
            with contextlib.suppress(OSError, ValueError, *UNREADABLE):
                head = _read(self._folder / name).head
                self._lost_lines += head.count + head.lost_lines
            self.drop(name)
        if self._lost_lines > lost_before:
            structlog.get_logger().warning("lines_lost", lines=self._lost_lines - lost_before)

    def _resumed(self) -> Noted:
        """What was noted, or what the newest batch says where it was written after that."""
        noted = Noted()
        with contextlib.suppress(FileNotFoundError, *UNREADABLE):
            found = msgspec.json.decode((self._folder / _NOTED).read_bytes(), type=Noted)
            noted = found if not found.batch or _NAME.fullmatch(found.batch) else noted
        newest = next(reversed(self._sizes), "")
        if newest > noted.batch:
            with contextlib.suppress(OSError, ValueError, *UNREADABLE):
                return Noted(newest, _read(self._folder / newest).head.read_to)
        return noted


def _read(path: Path) -> Batch:
    """Raises ``OSError``, ``ValueError`` and what decoding raises."""
    head_line, _, body = path.read_bytes().partition(b"\n")
    head = msgspec.json.decode(head_line, type=Head)
    if len(body) != head.body_bytes:
        raise ValueError("the batch is not whole")
    return Batch(path.name, head, body)
