"""The gateway on a real server, spoken to over sockets: what only real connections can show."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from pyreqwest.client import Client, ClientBuilder

from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import SystemClock
from tests.integration.gateway.listening import free_port, listening
from tests.unit.gateway.neighbours import ANNA, KEY, KID, OPERATOR, Town


class Served:
    """A town with a gateway that listens, a client, and raw sockets to it."""

    def __init__(self, town: Town, port: int, client: Client) -> None:
        self.town = town
        self.port = port
        self._client = client

    async def ask(
        self, method: str, path: str, token: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes]:
        request = self._client.request(method, f"http://127.0.0.1:{self.port}/api/v1{path}")
        request = request.header("authorization", f"Bearer {token}")
        for name, value in headers.items():
            request = request.header(name.replace("_", "-"), value)
        answer = await request.body_bytes(body).build().send()
        return answer.status, bytes(await answer.bytes())

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def raw(self, request: bytes) -> bytes:
        """The whole answer to bytes that no client library would send."""
        async with self.connection() as (reader, writer):
            writer.write(request)
            await writer.drain()
            return await asyncio.wait_for(reader.read(), 10)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    port = free_port()
    town = Town(tmp_path, f"http://127.0.0.1:{port}", SystemClock())
    async with listening(build_gateway(town.parts), port):
        client = ClientBuilder().no_proxy().timeout(timedelta(seconds=10)).build()
        try:
            yield Served(town, port, client)
        finally:
            await client.close()


async def opened(served: Served, size_bytes: int) -> str:
    body = msgspec.json.encode({"name": "a.mov", "size_bytes": size_bytes})
    status, answer = await served.ask(
        "POST", "/uploads", OPERATOR, body, content_type="application/json"
    )
    assert status == 201
    return str(msgspec.json.decode(answer)["upload_id"])


async def test_a_master_is_uploaded_in_parts(served: Served) -> None:
    data = bytes(range(256)) * 40_000
    half = len(data) // 2
    upload_id = await opened(served, len(data))
    for offset, part in ((0, data[:half]), (half, data[half:])):
        status, answer = await served.ask(
            "PATCH", f"/uploads/{upload_id}", OPERATOR, part, upload_offset=str(offset)
        )
        assert status == 200
        assert msgspec.json.decode(answer)["received_bytes"] == offset + len(part)
    assert served.town.objects.read(f"spool/{upload_id}") == data


def patch_head(served: Served, upload_id: str, length: int) -> bytes:
    return (
        f"PATCH /api/v1/uploads/{upload_id} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Authorization: Bearer {OPERATOR}\r\nUpload-Offset: 0\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


async def received(served: Served, upload_id: str, at_least: int) -> int:
    """How far an upload got, once that is ``at_least``."""
    async with asyncio.timeout(10):
        while True:
            _, answer = await served.ask("GET", f"/uploads/{upload_id}", OPERATOR)
            count = int(msgspec.json.decode(answer)["received_bytes"])
            if count >= at_least:
                return count
            await asyncio.sleep(0.02)


async def test_a_connection_that_breaks_keeps_what_arrived_and_frees_the_upload(
    served: Served,
) -> None:
    data = b"0123456789" * 1000
    upload_id = await opened(served, len(data))
    async with served.connection() as (_, writer):
        writer.write(patch_head(served, upload_id, len(data)) + data[:6000])
        await writer.drain()
        await asyncio.sleep(0.2)
    assert await received(served, upload_id, 6000) == 6000
    status, _ = await served.ask(
        "PATCH", f"/uploads/{upload_id}", OPERATOR, data[6000:], upload_offset="6000"
    )
    assert status == 200
    assert served.town.objects.read(f"spool/{upload_id}") == data


async def test_a_second_writer_is_refused_while_the_first_writes(served: Served) -> None:
    upload_id = await opened(served, 2_000_000)
    async with served.connection() as (reader, writer):
        writer.write(patch_head(served, upload_id, 2_000_000) + b"a" * 1_000_000)
        await writer.drain()
        while not served.town.objects.exists(f"spool/{upload_id}"):
            await asyncio.sleep(0.01)
        status, answer = await served.ask(
            "PATCH", f"/uploads/{upload_id}", OPERATOR, b"b", upload_offset="0"
        )
        assert (status, msgspec.json.decode(answer)["error"]["code"]) == (409, "upload_busy")
        writer.write(b"a" * 1_000_000)
        await writer.drain()
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200")
    assert served.town.objects.read(f"spool/{upload_id}") == b"a" * 2_000_000


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        (b"GET /api/v1/health HTTP/1.1", b"a b", b"400"),
        (b"GET /api/v1/health HTTP/1.1", b"x/../y", b"400"),
        (b"GET /api/v1/health HTTP/1.1", b'x"><script>', b"400"),
        (b"GET /api/v1/health HTTP/1.1", b"x@127.0.0.1", b"400"),
        (b"TRACE /api/v1/health HTTP/1.1", b"127.0.0.1", b"405"),
        (b"OPTIONS /api/v1/titles HTTP/1.1", b"127.0.0.1", b"405"),
        (b"GET /api/v1/../../etc/passwd HTTP/1.1", b"127.0.0.1", b"404"),
        (b"GET /api/v1/titles/%2e%2e%2fme HTTP/1.1", b"127.0.0.1", b"404"),
        (b"GET /assets/%2e%2e/%2e%2e/etc/passwd HTTP/1.1", b"127.0.0.1", b"503"),
        (b"GET /api/v1/titles/%ff%fe HTTP/1.1", b"127.0.0.1", b"404"),
        (b"GET /api/v1/titles/\xf0\x9f\x8e\xac HTTP/1.1", b"127.0.0.1", b"404"),
    ],
)
async def test_odd_requests_get_plain_answers(
    served: Served, request_line: bytes, host: bytes, status: bytes
) -> None:
    request = request_line + b"\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    answer = await served.raw(request)
    assert answer.split(b" ", 2)[1] == status
    assert b"Traceback" not in answer
    assert b"root:" not in answer


async def test_head_ends_without_a_body(served: Served) -> None:
    request = b" /api/v1/service HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    whole = (await served.raw(b"GET" + request)).partition(b"\r\n\r\n")[2]
    answer = await served.raw(b"HEAD" + request)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert whole
    assert b"content-length: %d" % len(whole) in head
    assert body == b""


async def test_a_giant_body_is_refused_while_it_comes(served: Served) -> None:
    head = (
        b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with served.connection() as (reader, writer):
        writer.write(head)
        chunk = b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
        for _ in range(4):
            writer.write(chunk)
        await writer.drain()
        assert b" 413 " in await asyncio.wait_for(reader.readline(), 10)


async def test_the_bytes_of_a_key_cross_the_wire_unchanged(served: Served) -> None:
    status, body = await served.ask("GET", f"/plays/ses_anna/keys/{KID}", ANNA)
    assert (status, body) == (200, bytes.fromhex(KEY))
