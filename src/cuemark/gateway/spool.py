"""Uploads on disk: bytes are appended at the end of a spool file, by one writer at a time.

The file's size is the truth of how far an upload got. The lock is ``flock`` on the open file,
so it holds across processes too and goes with a writer that dies.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

from litestar.types import Receive

from cuemark.gateway.errors import StorageFull, TooManyBytes, UploadBusy

CHUNK_BYTES = 1 << 20
IDLE_S = 60.0
PATIENCE_S = 2.0

_LOCK_EVERY_S = 0.05


class WrongOffset(Exception):
    """Bytes were offered for another place than the end of the spool file."""


def received_bytes(path: Path) -> int:
    """How many bytes of an upload are here."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


async def chunks_of(receive: Receive, idle_s: float = IDLE_S) -> AsyncIterator[bytes]:
    """The body of a request as it comes; ends early when the client goes or falls silent."""
    more = True
    while more:
        try:
            async with asyncio.timeout(idle_s):
                message = await receive()
        except TimeoutError:
            return
        if message["type"] != "http.request":
            return
        if message["body"]:
            yield message["body"]
        more = message["more_body"]


async def append(
    path: Path,
    *,
    offset: int,
    size_bytes: int,
    chunks: AsyncIterator[bytes],
    patience_s: float = PATIENCE_S,
) -> int:
    """Write ``chunks`` at ``offset``, durably; return the size of the file after that.

    What arrived before a connection broke is kept; its writer needs a moment to sync that, so
    the next one waits up to ``patience_s``. Raises ``WrongOffset``; ``UploadBusy`` when another
    writer is still at it; ``TooManyBytes``, with the file filled up to ``size_bytes`` and no
    further; ``StorageFull``.
    """
    descriptor = await asyncio.to_thread(_open, path)
    try:
        await _lock(descriptor, patience_s)
        end = os.fstat(descriptor).st_size
        if offset != end:
            raise WrongOffset
        pending = bytearray()
        try:
            async for chunk in chunks:
                room = size_bytes - end - len(pending)
                pending += chunk[:room]
                if len(chunk) > room:
                    raise TooManyBytes(f"The upload was announced with {size_bytes} bytes.")
                if len(pending) >= CHUNK_BYTES:
                    full, pending = pending, bytearray()
                    end += await asyncio.to_thread(_write, descriptor, full, end)
        finally:
            end += await asyncio.to_thread(_write, descriptor, pending, end)
            await asyncio.to_thread(os.fsync, descriptor)
        return end
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


async def _lock(descriptor: int, patience_s: float) -> None:
    for waiting in range(1 + round(patience_s / _LOCK_EVERY_S)):
        if waiting:
            await asyncio.sleep(_LOCK_EVERY_S)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
    raise UploadBusy("Another connection is writing this upload: try again soon.")


def _write(descriptor: int, data: bytearray, offset: int) -> int:
    """Write all of ``data``; return its length."""
    view = memoryview(data)
    written = 0
    try:
        while written < len(view):
            written += os.pwrite(descriptor, view[written:], offset + written)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise StorageFull("The disk is full: free some space and resume the upload.") from error
    return written
