"""A sandbox that really runs, over HTTP, and billing in front of it."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.sandbox.adapter import SandboxPsp
from cuemark.contexts.billing.psp.sandbox.line import Line
from cuemark.contexts.billing.wiring import SandboxAt, build_sandbox
from cuemark.kit.clock import SystemClock
from tests.contract.conftest import _listens

KEY = b"the key of the sandbox, of tests"
GOOD, ASKS_ONCE, ASKS_EACH, POOR, STOLEN = (
    "4242424242424242",
    "4000000000003220",
    "4000000000003063",
    "4000000000009995",
    "4000000000009979",
)


@dataclass
class Sandbox:
    """A running sandbox: its adapter, and its own door for what no provider offers."""

    at: SandboxAt
    psp: SandboxPsp
    line: Line
    webhooks: list[tuple[bytes, str]] = field(default_factory=list)

    @staticmethod
    def nobody() -> Line:
        """A line with nobody at its other end."""
        return Line(f"http://127.0.0.1:{free_port()}", KEY.hex(), 0.5)

    async def ask(self, path: str, asked: msgspec.Struct) -> int:
        status, _ = await self.line.exchange(path, msgspec.json.encode(asked))
        return status

    async def fault(self, name: wire.FaultName, operation: wire.Operation = "any") -> None:
        await self.ask("/v1/faults", wire.Fault(name=name, operation=operation))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def running(file: Path, within_s: float = 0.5) -> AsyncIterator[Sandbox]:
    """A sandbox whose memory is in ``file``; whoever asks it waits ``within_s`` for an answer."""
    port = free_port()
    at = SandboxAt(f"http://127.0.0.1:{port}", KEY)
    application, _ = build_sandbox(file, SystemClock(), at, "http://127.0.0.1:1/none")
    server = Server(
        application,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    line = Line(at.url, KEY.hex(), within_s)
    try:
        await _listens(port)
        yield Sandbox(at, SandboxPsp(line.exchange, KEY), line)
    finally:
        await line.close()
        server.stop()  # type: ignore[no-untyped-call]
        await serving


@pytest.fixture(scope="session")
def localstripe() -> Iterator[Callable[[], str]]:
    """Where localstripe is: a process, from the first time that it is asked for."""
    started: list[tuple[str, subprocess.Popen[bytes]]] = []

    def address() -> str:
        if not started:
            port = free_port()
            argv = [sys.executable, "-m", "tests.contract.billing.localstripe_server", str(port)]
            started.append((f"http://127.0.0.1:{port}", subprocess.Popen(argv)))
            _wait_for(port)
        return started[0][0]

    yield address
    for _, process in started:
        process.kill()
        process.wait(10)


def _wait_for(port: int, within_s: float = 30) -> None:
    ends_s = time.monotonic() + within_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < ends_s, "localstripe does not listen"
            time.sleep(0.02)
        else:
            return


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with running(tmp_path / "bank.sqlite") as sandbox:
        yield sandbox


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
