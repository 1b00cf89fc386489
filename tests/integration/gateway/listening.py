"""A gateway on a real server."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from cuemark.app import state
from cuemark.app.folder import DataFolder
from cuemark.kit.objects import write_private
from tests.unit.gateway.neighbours import OPERATOR


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def url_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


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


def folder_of(root: Path, port: int) -> DataFolder:
    """A data folder by which commands find the gateway on this port."""
    folder = DataFolder(root)
    folder.prepare()
    write_private(folder.root / "secrets" / "operator_token", OPERATOR.encode())
    url = url_of(port)
    running = state.Running(
        member_url=url, api_url=f"{url}/api/v1", internal_url="", appliances=[], pids={}
    )
    state.write(folder, state.Phase(supervisor_pid=os.getpid(), doing="serving", running=running))
    return folder
