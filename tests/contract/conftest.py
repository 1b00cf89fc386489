"""One contract suite, three ways to reach the service that it tests.

A fixture asks for ``reach`` and gets its service back as a caller would see it:

    @pytest.fixture
    async def catalog(reach: Reach, database_url: str) -> AsyncIterator[Catalog]:
        async with opened(database_url, wiring) as database:
            yield await reach(Catalog, wiring.build(database, ...).service)

    async def test_a_created_title_is_found(catalog: Catalog) -> None: ...

Each test then runs three times: on the object itself (``object``), on the object with every message
encoded and decoded (``local``), and on the remote client, over real HTTP on loopback
(``remote``). ``service`` must have the contract as its static type, as ``Room.service`` has.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

import pytest
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from cuemark.kit import link
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.passport import Passport, PassportOffice, Role

T = TypeVar("T")
NOBODY = "contract tests"


class Reach(Protocol):
    """Gives ``service`` back as its callers see it, in the way of this run.

    ``subject`` is who calls, by the passport that a remote one shows.
    """

    async def __call__(self, contract: type[T], service: T, subject: str = ...) -> T: ...


@pytest.fixture(params=["object", "local", "remote"])
async def reach(request: pytest.FixtureRequest) -> AsyncIterator[Reach]:
    async with contextlib.AsyncExitStack() as stack:

        async def reach(contract: type[T], service: T, subject: str = NOBODY) -> T:
            if request.param == "object":
                return service
            if request.param == "local":
                return link.local(contract, service)
            return await stack.enter_async_context(served(contract, service, subject))

        yield reach


@contextlib.asynccontextmanager
async def served(
    contract: type[T], service: T, subject: str = NOBODY, role: Role = "service"
) -> AsyncIterator[T]:
    """A remote client of ``service``, which a granian in this loop serves on a free port."""
    office = PassportOffice(b"key of the contract tests", SystemClock())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(
        link.InternalApp([link.serve(contract, service)], office),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    me = Passport(subject=subject, role=role)
    try:
        await _listens(port)
        async with Channel(f"http://127.0.0.1:{port}", lambda: office.mint(me)) as channel:
            yield link.connect(contract, channel)
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await serving


async def _listens(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.002)
