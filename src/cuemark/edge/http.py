"""HTTP/1.1 as nginx speaks it to the agent: requests without bodies, answers of known length.

Written out here because hundreds of requests for one cold file come at once, and their first
byte waits for all of this: a general parser and asyncio's streams took most of the time.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import IO, cast

import structlog

from cuemark.edge.growing import FillFailed, Growing
from cuemark.edge.serving import Answer, Request
from cuemark.kit import tracing

IDLE_S = 75.0
HEAD_LIMIT_BYTES = 1 << 14
_COPY_BYTES = 1 << 18
_FIRST_BYTES = 1 << 14

Service = Callable[[Request], Awaitable[Answer]]


class RequestInvalid(Exception):
    """Not the head of a request that nginx would send."""


def read_head(head: bytes, address: str = "") -> Request:
    """The request in ``head``, which ends in an empty line; raises ``RequestInvalid``."""
    request_line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, _, rest = request_line.partition(" ")
    target, _, version = rest.partition(" ")
    if method not in ("GET", "HEAD") or not target.startswith("/") or version != "HTTP/1.1":
        raise RequestInvalid("not a GET or HEAD of HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise RequestInvalid("a header line is malformed")
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise RequestInvalid("a body, where none is taken")
    return Request(method, target, headers, address)


def write_head(answer: Answer) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HttpServer:
    """Serves ``service`` on a loopback port."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return sum(connection.busy for connection in self._connections)

    async def start(self, port: int) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self._service, self._connections), "127.0.0.1", port, backlog=4096
        )

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.abort()
        while self._connections:
            await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, service: Service, connections: "set[_Connection]") -> None:
        self._service = service
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def busy(self) -> bool:
        return self._task is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._address = transport.get_extra_info("peername")[0]
        self._connections.add(self)
        self._idle = self._loop.call_later(IDLE_S, self.abort)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > HEAD_LIMIT_BYTES:
            self.abort()
        elif self._task is None:
            self._take_request()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self._idle.cancel()
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        """Cut the connection, so that an answer under way is seen to be broken."""
        self._transport.abort()

    def _take_request(self) -> None:
        end = self._received.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head = bytes(self._received[:end])
        del self._received[:end]
        try:
            request = read_head(head, self._address)
        except RequestInvalid:
            self.abort()
            return
        self._idle.cancel()
        self._task = self._loop.create_task(self._answer(request))

    async def _answer(self, request: Request) -> None:
        answer: Answer | None = None
        sent = False
        try:
            with tracing.trace(tracing.trace_id_of(request.headers.get(tracing.HEADER))):
                answer = await self._service(request)
                await self._send(request, answer)
            sent = True
        except ConnectionError:
            pass
        except (FillFailed, OSError) as failure:
            structlog.get_logger().warning(
                "answer_broken_off", target=request.target, reason=str(failure)
            )
        finally:
            self._task = None
            if not sent:
                self.abort()
            if answer is not None:
                answer.close()
        if request.headers.get("connection") == "close":
            self._transport.close()
        if not self._transport.is_closing():
            self._idle = self._loop.call_later(IDLE_S, self.abort)
            self._take_request()

    async def _send(self, request: Request, answer: Answer) -> None:
        """Send the head and the text or the span, as its bytes become readable.

        Of a file that comes in, everyone gets the first bytes before anyone gets more.
        """
        head = write_head(answer)
        if answer.span is None or answer.file < 0:
            self._transport.write(head + (answer.text if request.method == "GET" else b""))
            return
        at, stop = answer.span.start, answer.span.stop
        if answer.growing is not None and at < stop:
            end = min(at + _FIRST_BYTES, await _readable(answer.growing, at, stop))
            await self._send_bytes(head, answer.file, at, end - at)
            at, head = end, b""
            await answer.growing.news()
        while at < stop or head:
            end = stop
            if answer.growing is not None and at < stop:
                end = await _readable(answer.growing, at, stop)
            await self._send_bytes(head, answer.file, at, end - at)
            at, head = end, b""

    async def _send_bytes(self, head: bytes, file: int, at: int, count: int) -> None:
        """Send ``head`` and ``count`` bytes of a file, or raise ``ConnectionError``.

        Setting up asyncio's sendfile costs more than copying a short piece.
        """
        if self._transport.is_closing():
            raise ConnectionAbortedError
        if count <= _COPY_BYTES:
            piece = os.pread(file, count, at)
            if len(piece) != count:
                raise ConnectionAbortedError
            self._transport.write(head + piece)
            await self._writable.wait()
            return
        self._transport.write(head)
        try:
            sent = await self._loop.sendfile(
                self._transport, cast("IO[bytes]", _Descriptor(file)), at, count, fallback=False
            )
        except asyncio.SendfileNotAvailableError as error:
            raise ConnectionAbortedError from error
        if sent != count:
            raise ConnectionAbortedError


async def _readable(growing: Growing, at: int, stop: int) -> int:
    """How far one may send up to ``stop``; the last byte waits for the check of the whole file."""
    if at == stop - 1:
        await growing.whole()
        return stop
    return min(stop - 1, await growing.beyond(at))


class _Descriptor:
    """What ``loop.sendfile`` takes for a file: it is read at offsets, and has no position."""

    mode = "rb"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor
