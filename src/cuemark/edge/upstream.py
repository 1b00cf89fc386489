"""What the agent asks of others: bytes of a file from an offset on, and of the origin indexes.

SourceError
|-- SourceAway     no answer, a broken one, or a 5xx: trying again may help
`-- SourceLacks    it does not have the file, or does not know this appliance
"""

import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.request import RequestBuilder
from pyreqwest.response import Response

from cuemark.edge.origin import KEY_HEADER
from cuemark.kit import tracing

CONNECT_S = 1.0
SILENCE_S = 5.0
INDEX_LIMIT_BYTES = 64 << 20
NOT_HELD = 504
"""What an appliance answers that is asked only for what it holds (RFC 9111, 5.2.1.7)."""


class SourceError(Exception):
    """A source did not give what it was asked for."""


class SourceAway(SourceError):
    """No answer, or a broken one."""


class SourceLacks(SourceError):
    """The source will not give this file, whenever it is asked."""


class Upstream:
    """The origin at ``url``, which wants to see ``key``."""

    def __init__(self, url: str, key: str, name: str) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._client = client(name, SILENCE_S)

    def stream(self, path: str, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of ``<version_id>/<path>`` from ``offset`` on, in pieces as they come."""
        request = self._client.get(f"{self._url}/{path}").header(KEY_HEADER, self._key)
        return stream(request, f"the origin, {path}", offset)

    async def read(self, path: str) -> bytes:
        """All bytes of a file, at most ``INDEX_LIMIT_BYTES``."""
        body = bytearray()
        async with contextlib.aclosing(self.stream(path, 0)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > INDEX_LIMIT_BYTES:
                    raise SourceLacks(f"{path} is longer than {INDEX_LIMIT_BYTES} bytes")
        return bytes(body)

    async def close(self) -> None:
        await self._client.close()


def client(name: str, silence_s: float) -> Client:
    """A client that gives up after ``silence_s`` without a byte; ``name`` is this appliance's."""
    return (
        ClientBuilder()
        .connect_timeout(timedelta(seconds=CONNECT_S))
        .read_timeout(timedelta(seconds=silence_s))
        .user_agent(f"cuemark/{name}")
        .follow_redirects(False)
        .no_proxy()
        .build()
    )


async def stream(request: RequestBuilder, what: str, offset: int) -> AsyncGenerator[bytes, None]:
    """What is answered to ``request`` from ``offset`` on, in pieces as they come.

    ``what`` is asked of whom, for errors: an address may hold a token. Raises ``SourceError``.
    """
    try:
        # Else the client waits for 64 KB before it gives any: viewers of a slow source wait too.
        request = request.streamed_read_buffer_limit(1)
        request = request.header(tracing.HEADER, tracing.traceparent())
        if offset:
            request = request.header("Range", f"bytes={offset}-")
        async with request.build_streamed() as response:
            _check(response, what, offset)
            while (piece := await response.body_reader.read_chunk()) is not None:
                yield bytes(piece)
    except PyreqwestError as error:
        # Not as its cause: its text has the address.
        raise SourceAway(f"broken off: {what} ({type(error).__name__})") from None


def _check(response: Response, what: str, offset: int) -> None:
    if response.status in (403, 404, NOT_HELD):
        raise SourceLacks(f"{response.status} from {what}")
    resumed = (response.get_header("Content-Range") or "").startswith(f"bytes {offset}-")
    if response.status != (206 if offset else 200) or (offset and not resumed):
        raise SourceAway(f"{response.status} from {what}, from byte {offset} on")
