"""Uploads on disk: bytes are appended at the end of a spool file, by one writer at a time.

The file's size is the truth of how far an upload got. The lock is ``flock`` on the open file,
so it holds across processes too and goes with a writer that dies.
"""

import asyncio
import errno
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

from litestar.types import Receive

from cuemark.gateway.errors import StorageFull, TooManyBytes, UploadBusy

CHUNK_BYTES = 1 << 20
IDLE_S = 60.0


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


async def append(path: Path, *, offset: int, size_bytes: int, chunks: AsyncIterator[bytes]) -> int:
    """Write ``chunks`` at ``offset``, durably; return the size of the file after that.

    What arrived before a connection broke is kept. Raises ``WrongOffset``; ``UploadBusy`` while
    another writer is at it; ``TooManyBytes``, with the file filled up to ``size_bytes`` and no
    further; ``StorageFull``.
    """
    descriptor = await asyncio.to_thread(_open, path)
    try:
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
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UploadBusy("Another connection is writing this upload: try again soon.") from error
    return descriptor


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
