"""A file on its way in, as the one who writes it and those who read it see it.

Readers never get the last byte before the whole has been checked, so that wrong bytes can reach
a viewer only as an answer that breaks off. While bytes come from a peer, readers get none at all:
a peer is near, so it costs little to wait for the check, and a wrong one is not noticed.
"""

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from cuemark.contracts.encoding.versions import IndexedFile, track_of
from cuemark.contracts.ids import VersionId
from cuemark.edge.cache import Reason
from cuemark.edge.sources import ORIGIN, Kind
from cuemark.edge.tracks import Track

WAKE_EVERY_S = 0.25
GROUPS = 8
"""Readers who wait for more are woken by groups, one after the other: who comes meanwhile has their
first byte between two groups, and not after hundreds of others."""

FULL = (errno.ENOSPC, errno.EDQUOT)


class FillFailed(Exception):
    """The bytes did not come. ``reason`` tells why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Wanted:
    """A file of a version, and what its bytes must be."""

    version_id: VersionId
    path: str
    file: IndexedFile

    @property
    def key(self) -> str:
        """Where the origin has it."""
        return f"{self.version_id}/{self.path}"

    @property
    def track(self) -> Track:
        return Track(self.version_id, track_of(self.path))


class Growing:
    """A file on its way in, as its readers see it."""

    def __init__(self, wanted: Wanted, scratch: Path, asked_s: float) -> None:
        self.wanted = wanted
        self.asked_s = asked_s
        self.scratch = scratch
        self.digest = blake3()
        self._file = -1
        self.received_bytes = 0
        self.source = ORIGIN
        self._shown = False
        self._genuine = False
        self._failure: Reason | None = None
        self._groups = [asyncio.Event() for _ in range(GROUPS)]
        self._joining = self._turn = self._unwoken = 0
        self._closed = asyncio.Event()
        self._waking: asyncio.TimerHandle | None = None
        self._woken = False

    def prepare(self) -> None:
        """Make the file, once; raises ``OSError`` where the disk refuses."""
        if self._file < 0:
            self._file = os.open(self.scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def append(self, piece: bytes, relieve: Callable[[int], bool]) -> None:
        """Write what came in; raises ``OSError`` where the disk refuses.

        Where it is full, ``relieve`` is asked to free so many bytes, while it says that it did.
        """
        view = memoryview(piece)
        while view:
            try:
                written = os.pwrite(self._file, view, self.received_bytes)
            except OSError as error:
                if error.errno not in FULL or not relieve(len(view)):
                    raise
                continue
            self.received_bytes += written
            view = view[written:]
        self.digest.update(piece)

    def begin_anew(self) -> bool:
        """Forget all bytes, where no reader has seen any; else False, and nothing is changed."""
        if self._shown:
            return False
        try:
            os.ftruncate(self._file, 0)
        except OSError:
            return False
        self.received_bytes = 0
        self.digest = blake3()
        return True

    def open(self) -> int:
        """A file descriptor of the reader's own. Only once the file has ``begun``."""
        return os.dup(self._file)

    async def beyond(self, offset: int) -> int:
        """Wait until there are bytes beyond ``offset``; how far one may read then.

        Raises ``FillFailed`` when they will not come.
        """
        while True:
            if self._failure is not None:
                raise FillFailed(self._failure)
            if self._genuine:
                return self.wanted.file.size_bytes
            readable = min(self.received_bytes, self.wanted.file.size_bytes - 1)
            if readable > offset and self.source.kind is not Kind.PEER:
                self._shown = True
                return readable
            await self._wait()

    async def news(self) -> None:
        """Wait until readers are woken the next time; not once the file is finished."""
        if not self._genuine and self._failure is None:
            await self._wait()

    async def begun(self) -> None:
        """Wait for the first byte, or for the whole of a file that has none to show yet."""
        if self.wanted.file.size_bytes > 1:
            await self.beyond(0)
        else:
            await self.whole()

    async def whole(self) -> None:
        """Wait for the check of all bytes."""
        await self.beyond(self.wanted.file.size_bytes)

    async def settled(self) -> None:
        """Wait for the check of all bytes, and until the store has them, or could not take them."""
        await self.whole()
        await self._closed.wait()

    def wake(self) -> None:
        """Let the readers look again: at once for the first byte, then each four times a second.

        A fetch brings pieces of a few kilobytes; hundreds of readers must not run for each.
        """
        self._unwoken = GROUPS
        if self._waking is None:
            pause_s = WAKE_EVERY_S / GROUPS if self._woken else 0.0
            self._waking = asyncio.get_running_loop().call_later(pause_s, self._wake_next)

    async def _wait(self) -> None:
        self._joining = (self._joining + 1) % GROUPS
        await self._groups[self._joining].wait()

    def _wake_next(self) -> None:
        if not self._woken:
            self._wake_all()
            return
        self._waking = None
        self._unwoken -= 1
        self._turn = (self._turn + 1) % GROUPS
        self._groups[self._turn].set()
        self._groups[self._turn] = asyncio.Event()
        if self._unwoken:
            loop = asyncio.get_running_loop()
            self._waking = loop.call_later(WAKE_EVERY_S / GROUPS, self._wake_next)

    def _wake_all(self) -> None:
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        self._woken = True
        for number, group in enumerate(self._groups):
            group.set()
            self._groups[number] = asyncio.Event()

    def finish(self, failure: Reason | None = None) -> None:
        """Tell the readers that the bytes are genuine, or that they will not come."""
        self._failure = failure
        self._genuine = failure is None
        self._wake_all()

    def close(self) -> None:
        self._closed.set()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self.scratch.unlink(missing_ok=True)
