"""A sandbox that really runs, over HTTP, and billing in front of it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
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

    async def ask(self, path: str, asked: msgspec.Struct) -> int:
        status, _ = await self.line.exchange(path, msgspec.json.encode(asked))
        return status

    async def fault(self, name: wire.FaultName, operation: wire.Operation = "any") -> None:
        await self.ask("/v1/faults", wire.Fault(name=name, operation=operation))


@contextlib.asynccontextmanager
async def running(file: Path, within_s: float = 0.5) -> AsyncIterator[Sandbox]:
    """A sandbox whose memory is in ``file``; whoever asks it waits ``within_s`` for an answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with running(tmp_path / "bank.sqlite") as sandbox:
        yield sandbox


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
