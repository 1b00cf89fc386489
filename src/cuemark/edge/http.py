"""HTTP/1.1 as nginx speaks it to the agent: requests without bodies, answers of known length.

Written out here because hundreds of requests for one cold file come at once, and their first
byte waits for all of this: a general parser took most of the time.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import IO, cast

import structlog

from cuemark.edge.growing import FillFailed
from cuemark.edge.serving import Answer, Request
from cuemark.kit import tracing

IDLE_S = 75.0
HEAD_LIMIT_BYTES = 1 << 14
_COPY_BYTES = 1 << 18

Service = Callable[[Request], Awaitable[Answer]]


class RequestInvalid(Exception):
    """Not the head of a request that nginx would send."""


def read_head(head: bytes) -> Request:
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
    return Request(method, target, headers)


def write_head(answer: Answer) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HttpServer:
    """Serves ``service`` on a loopback port, connection by connection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.in_flight = 0

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(
            self._accepted, "127.0.0.1", port, backlog=4096, limit=HEAD_LIMIT_BYTES
        )

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        try:
            while True:
                async with asyncio.timeout(IDLE_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(read_head(head), writer)
        except (ConnectionError, TimeoutError, asyncio.LimitOverrunError, RequestInvalid):
            writer.transport.abort()
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.in_flight += 1
        answer: Answer | None = None
        try:
            with tracing.trace(tracing.trace_id_of(request.headers.get(tracing.HEADER))):
                answer = await self._service(request)
            head = write_head(answer)
            if answer.file >= 0:
                await _send_file(head, answer, writer)
            else:
                writer.write(head + (answer.text if request.method == "GET" else b""))
            await writer.drain()
        except FillFailed as failure:
            structlog.get_logger().warning(
                "answer_broken_off", target=request.target, reason=failure.reason.value
            )
            raise ConnectionAbortedError from failure
        finally:
            self.in_flight -= 1
            if answer is not None:
                answer.close()


async def _send_file(head: bytes, answer: Answer, writer: asyncio.StreamWriter) -> None:
    """Send the head and the span, as its bytes become readable."""
    assert answer.span is not None
    at = answer.span.start
    while at < answer.span.stop or head:
        end = answer.span.stop
        if answer.growing is not None and at < end:
            end = await _readable(answer, at)
        await _send_bytes(head, writer, answer.file, at, end - at)
        at, head = end, b""


async def _readable(answer: Answer, at: int) -> int:
    """How far the span can be sent now; its last byte waits for the check of the whole file."""
    assert answer.span is not None
    assert answer.growing is not None
    limit = answer.span.stop - 1
    if at == limit:
        await answer.growing.whole()
        return answer.span.stop
    return min(limit, await answer.growing.beyond(at))


class _Descriptor:
    """What ``loop.sendfile`` takes for a file: it is read at offsets, and has no position."""

    mode = "rb"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


async def _send_bytes(
    head: bytes, writer: asyncio.StreamWriter, file: int, at: int, count: int
) -> None:
    """Send ``head`` and ``count`` bytes of a file; raises ``ConnectionError`` if not all can go.

    Setting up asyncio's sendfile costs more than copying a short piece.
    """
    if count <= _COPY_BYTES:
        piece = os.pread(file, count, at)
        if len(piece) != count:
            raise ConnectionAbortedError
        writer.write(head + piece)
        await writer.drain()
        return
    writer.write(head)
    if writer.transport.is_closing():
        raise ConnectionAbortedError
    try:
        sent = await asyncio.get_running_loop().sendfile(
            writer.transport, cast("IO[bytes]", _Descriptor(file)), at, count, fallback=False
        )
    except asyncio.SendfileNotAvailableError as error:
        raise ConnectionAbortedError from error
    if sent != count:
        raise ConnectionAbortedError
