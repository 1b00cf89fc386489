"""Reading what is stored again, to find bytes that the disk has changed, and to heal them.

nginx opens files itself, so wrong bytes are unlinked before anything else is done about them: from
then on they are a miss. Then they are fetched again like any file that is filled ahead. The reading
is paced, by a thread whose turn at the disk and at the processor comes last, and goes on after a
restart where it stopped.
"""

import asyncio
import contextlib
import enum
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import psutil
import structlog
from blake3 import blake3

from cuemark.edge.filling import Filler, TooManyFills
from cuemark.edge.growing import FillFailed, Wanted
from cuemark.edge.store import Indexes, Store
from cuemark.kit.clock import Clock
from cuemark.kit.errors import UNREADABLE

NOTE = "scrub"
MOST_TO_HEAL = 10_000
HEAL_EVERY_S = 2.0
HEAL_AGAIN_S = 60.0
LOOK_EVERY_S = 1.0
_BATCH_FILES = 32
_PIECE_BYTES = 1 << 18
_LEAST_NICE = 19


class Finding(enum.Enum):
    """What reading a file again has shown."""

    RIGHT = "right"
    WRONG = "other bytes than were stored"
    UNREADABLE = "the disk does not give the bytes"
    GONE = "the file is not there"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the round has come that ``began_at``: up to ``key``; files and bytes are of it.

    ``rotten`` and ``healed`` count since the appliance was set up. ``to_heal`` are BLAKE3s, at most
    ``MOST_TO_HEAL``. ``ended_at`` is when the last whole round was over.
    """

    began_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    ended_at: datetime | None = None
    running: bool = False
    key: str = ""
    files: int = 0
    checked_bytes: int = 0
    rotten: int = 0
    healed: int = 0
    to_heal: list[str] = []

    def due(self, now: datetime, every_s: float) -> bool:
        """Whether there is something to read: a round that runs, or one that is to begin.

        A beginning in the future is from before the clock was set back.
        """
        return self.running or not timedelta(0) <= now - self.began_at < timedelta(seconds=every_s)


class Scrub:
    """Reads the files of ``store`` again at ``rate_kbps``, a round each ``every_s`` at most."""

    def __init__(
        self,
        indexes: Indexes,
        store: Store,
        filler: Filler,
        clock: Clock,
        *,
        rate_kbps: int,
        every_s: float,
    ) -> None:
        self._indexes = indexes
        self._store = store
        self._filler = filler
        self._clock = clock
        self._rate_kbps = rate_kbps
        self._every_s = every_s
        self._stop = threading.Event()
        self._reader = ThreadPoolExecutor(1, "scrub", initializer=_come_last)
        self.progress = Progress()
        with contextlib.suppress(*UNREADABLE, sqlite3.Error):
            self.progress = msgspec.json.decode(store.inventory.note(NOTE), type=Progress)

    async def run(self) -> None:
        """For ever: what is due."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read_on())
                group.create_task(self._heal_on())
        finally:
            self.close()

    def close(self) -> None:
        """Let the reader stop within a piece of a file."""
        self._stop.set()
        self._reader.shutdown(wait=False, cancel_futures=True)

    async def _read_on(self) -> None:
        while self._rate_kbps:
            if self.progress.due(self._clock.now(), self._every_s):
                await self.step()
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    async def _heal_on(self) -> None:
        pause_s = HEAL_EVERY_S
        while True:
            pause_s = HEAL_EVERY_S if await self.heal() else min(HEAL_AGAIN_S, 2 * pause_s)
            await asyncio.sleep(pause_s)

    async def step(self) -> None:
        """Read the next files of the round, or end it where there are none."""
        if not self.progress.running:
            now = self._clock.now()
            self._note(began_at=now, running=True, key="", files=0, checked_bytes=0)
            structlog.get_logger().info("scrub_began")
        try:
            batch = await asyncio.to_thread(
                self._store.inventory.after, bytes.fromhex(self.progress.key), _BATCH_FILES
            )
        except sqlite3.Error as error:
            structlog.get_logger().error("scrub_hindered", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)
            return
        for key, size_bytes in batch:
            await self._check(key.hex(), size_bytes)
        if not batch:
            self._note(running=False, ended_at=self._clock.now())
            structlog.get_logger().info(
                "scrub_ended", files=self.progress.files, checked_bytes=self.progress.checked_bytes
            )
        await asyncio.to_thread(self._keep_progress)

    async def _check(self, name: str, size_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        finding = await loop.run_in_executor(self._reader, self._read, name, size_bytes)
        self._note(
            key=name,
            files=self.progress.files + 1,
            checked_bytes=self.progress.checked_bytes + size_bytes,
        )
        if finding is Finding.RIGHT or name not in self._store:
            return
        self._empty(name)
        self._store.drop(name)
        if finding is Finding.GONE:
            return
        structlog.get_logger().error("rot_found", blake3=name, finding=finding.value)
        self._note(
            rotten=self.progress.rotten + 1,
            to_heal=[*self.progress.to_heal, name][-MOST_TO_HEAL:],
        )

    def _empty(self, name: str) -> None:
        """Take the bytes from who has the file open: nginx keeps open what is asked for often."""
        with contextlib.suppress(OSError):
            file = os.open(self._store.path(name), os.O_WRONLY | os.O_NOFOLLOW)
            try:
                os.ftruncate(file, 0)
            finally:
                os.close(file)

    def _read(self, name: str, size_bytes: int) -> Finding:
        try:
            file = self._store.open(name)
        except FileNotFoundError:
            return Finding.GONE
        except OSError:
            return Finding.UNREADABLE
        try:
            if os.fstat(file).st_size != size_bytes:
                return Finding.WRONG
            digest = digest_of(file, self._pause)
        except OSError:
            return Finding.UNREADABLE
        finally:
            os.close(file)
        return Finding.RIGHT if digest == name or self._stop.is_set() else Finding.WRONG

    def _pause(self, read_bytes: int, took_s: float) -> bool:
        return self._stop.wait(max(0.0, read_bytes * 8 / 1000 / self._rate_kbps - took_s))

    async def heal(self) -> bool:
        """Fetch what was found wrong, until one cannot be had: that one is the last next time.

        Whether all that was to be healed is.
        """
        for name in list(self.progress.to_heal):
            found = await asyncio.to_thread(self._indexes.locate, name)
            if found is None:
                structlog.get_logger().info("rot_in_no_version", blake3=name)
                self._healed(name, 0)
            elif name in self._store or await self._fetch(Wanted(*found)):
                self._healed(name, 1)
            else:
                left = [each for each in self.progress.to_heal if each != name]
                self._note(to_heal=[*left, name])
                return False
            await asyncio.to_thread(self._keep_progress)
        return True

    def _healed(self, name: str, count: int) -> None:
        left = [each for each in self.progress.to_heal if each != name]
        self._note(to_heal=left, healed=self.progress.healed + count)

    async def _fetch(self, wanted: Wanted) -> bool:
        """Whether the bytes are right again."""
        try:
            _, growing = self._filler.ask(wanted, urgent=False)
            await growing.whole()
        except (TooManyFills, FillFailed) as failure:
            structlog.get_logger().warning("not_healed", path=wanted.key, reason=str(failure))
            return False
        structlog.get_logger().info("healed", path=wanted.key)
        return True

    def _note(self, **changes: object) -> None:
        self.progress = msgspec.structs.replace(self.progress, **changes)

    def _keep_progress(self) -> None:
        try:
            self._store.inventory.keep_note(NOTE, msgspec.json.encode(self.progress).decode())
        except sqlite3.Error as error:
            structlog.get_logger().error("scrub_not_noted", error=str(error))


def digest_of(file: int, pause: Callable[[int, float], bool]) -> str:
    """The BLAKE3 of a file; ``pause`` is called after each piece with its bytes and the seconds
    that it took, and says whether to stop."""
    digest, at = blake3(), 0
    while True:
        begun_s = time.monotonic()
        piece = os.pread(file, _PIECE_BYTES, at)
        if not piece:
            return str(digest.hexdigest())
        digest.update(piece)
        at += len(piece)
        if pause(len(piece), time.monotonic() - begun_s):
            return ""


def _come_last() -> None:
    """Let this thread have the disk and the processor when nobody else wants them."""
    thread = threading.get_native_id()
    with contextlib.suppress(OSError, psutil.Error):
        psutil.Process(thread).ionice(psutil.IOPRIO_CLASS_IDLE)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, _LEAST_NICE)
