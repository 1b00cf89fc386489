"""Checks that say whether a child serves."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any


async def at_once() -> bool:
    """A readiness check of what is ready as soon as it is started."""
    return True


def port_answers(host: str, port: int) -> Callable[[], Coroutine[Any, Any, bool]]:
    """A readiness check: something accepts connections there."""

    async def ready() -> bool:
        # Not asyncio.wait_for: until Python 3.12 it may lose a cancellation (bpo-37658).
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return True
        return False

    return ready


def http_answers(host: str, port: int) -> Callable[[], Coroutine[Any, Any, bool]]:
    """A readiness check: somebody answers HTTP there. A queue that nobody serves does not."""

    async def ready() -> bool:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(
                        f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
                    )
                    return (await reader.read(5)) == b"HTTP/"
                finally:
                    writer.close()
        return False

    return ready
