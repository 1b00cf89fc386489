"""One question to a server of others: bounded in size and time, with the operator's headers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ConnectError, PyreqwestError

from cuemark.kit import deadline, tracing

CONNECT_S = 2.0
OK = 200


@dataclass(frozen=True)
class Server:
    """Where a server is and what it wants to see in each request, which may be secret."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Answer:
    """``media_type`` is empty where the server named none. The body may hold keys."""

    body: bytes = field(repr=False)
    media_type: str


class NoAnswer(Exception):
    """The server gave no answer that can be used; the text says in half a sentence what it did."""


class Asker:
    """Posts to servers of others. Redirects are not followed: the operator has said where to go."""

    def __init__(self) -> None:
        self._client: Client | None = None

    async def post(
        self,
        server: Server,
        body: bytes,
        headers: Mapping[str, str],
        *,
        within_s: float,
        limit_bytes: int,
    ) -> Answer:
        """What the server answers with status 200; raises ``NoAnswer``."""
        patience_s = deadline.remaining_s(within_s)
        request = self._opened().post(server.url).body_bytes(body)
        for name, value in {tracing.HEADER: tracing.traceparent(), **headers}.items():
            request = request.header(name, value)
        for name, value in server.headers.items():
            request = request.header(name, value, is_sensitive=True)
        answer = bytearray()
        try:
            async with asyncio.timeout(patience_s):
                async with request.build_streamed() as response:
                    status = response.status
                    media_type = response.get_header("content-type") or ""
                    while status == OK and (piece := await response.body_reader.read_chunk()):
                        answer += piece
                        if len(answer) > limit_bytes:
                            raise NoAnswer(f"answers with more than {limit_bytes} bytes")
        except TimeoutError:
            raise NoAnswer(f"does not answer within {patience_s:.0f} s") from None
        except ConnectError as error:
            raise _told("cannot be reached", error) from error
        except PyreqwestError as error:
            raise _told("breaks off", error) from error
        if status != OK:
            raise NoAnswer(f"answers with status {status}")
        return Answer(bytes(answer), media_type)

    def _opened(self) -> Client:
        if self._client is None:
            self._client = (
                ClientBuilder()
                .connect_timeout(timedelta(seconds=CONNECT_S))
                .user_agent("cuemark")
                .follow_redirects(False)
                .no_proxy()
                .gzip(False)
                .brotli(False)
                .zstd(False)
                .deflate(False)
                .build()
            )
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None


def _told(what: str, error: PyreqwestError) -> NoAnswer:
    # Its class alone: the text of such an error may hold the address with what stands in it.
    structlog.get_logger().warning("server_of_others_away", what=what, kind=type(error).__name__)
    return NoAnswer(what)
