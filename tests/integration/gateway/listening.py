"""A gateway on a real server."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from granian.constants import Interfaces
from granian.server.embed import Server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def listening(gateway: object, port: int) -> AsyncIterator[None]:
    """Serve a gateway on a port of this machine while the block runs."""
    server = Server(
        gateway,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
        websockets=False,
    )
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(task, 10)
