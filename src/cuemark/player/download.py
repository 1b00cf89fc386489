"""Bytes from an appliance, watched as they come: size, silence and speed are bounded.

``DownloadFailed`` and ``DownloadAbandoned`` stay inside the player: the first leads to the next
appliance, the second to a lower rung.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

from cuemark.kit import tracing
from cuemark.kit.clock import Clock
from cuemark.player.cmcd import Told, headers
from cuemark.player.line import Line

CONNECT_S = 1.5
SILENCE_S = 2.5
LONGEST_S = 30.0
MAX_BYTES = 64 << 20
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOOK_EVERY_S = 0.1
_STEP_BYTES = 4096


class DownloadFailed(Exception):
    """Refused, silent, slow beyond use, too large, or any ``status`` but 200; 0 without one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class DownloadAbandoned(Exception):
    """The watcher said stop. The bytes that came until then still measure the throughput."""

    def __init__(self, received_bytes: int, elapsed_s: float) -> None:
        super().__init__("abandoned")
        self.received_bytes = received_bytes
        self.elapsed_s = elapsed_s


class Progress(msgspec.Struct, frozen=True):
    """A download under way; ``size_bytes`` is None where the appliance did not say."""

    received_bytes: int
    size_bytes: int | None
    elapsed_s: float


Watcher = Callable[[Progress], bool]
Answered = Callable[[float], None]


class Downloaded(msgspec.Struct, frozen=True):
    body: bytes
    elapsed_s: float


class Throttle:
    """Holds what this device takes from its line to what the line carries.

    A token bucket of no depth: an idle line saves nothing up. Equal downloads share it in the
    order of their pieces, as one access network would carry them.
    """

    def __init__(self, clock: Clock, line: Line) -> None:
        self._clock = clock
        self._line = line
        self._begun_s = clock.monotonic_s()
        self._free_at_s = 0.0

    def carries(self, size_bytes: int) -> float:
        """When, on the monotonic clock, the line has carried these bytes too."""
        now_s = self._clock.monotonic_s() - self._begun_s
        self._free_at_s = self._line.carried_at_s(max(self._free_at_s, now_s), size_bytes)
        return self._begun_s + self._free_at_s


class Downloader:
    """Fetches whole objects over pooled connections, and sends no credential.

    Follows no redirect, or, for a play that consists of them, ``max_redirects`` for each object.
    """

    def __init__(self, clock: Clock, line: Line | None = None, *, max_redirects: int = 0) -> None:
        self._clock = clock
        self._max_redirects = max_redirects
        self._throttle = Throttle(clock, line) if line else None
        self._client: Client = (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=CONNECT_S))
            .follow_redirects(False)
            .no_proxy()
            .user_agent("cuemark-player")
            .build()
        )

    async def fetch(
        self,
        url: str,
        watch: Watcher | None = None,
        answered: Answered | None = None,
        told: Told | None = None,
    ) -> Downloaded:
        """The body at ``url``; raises ``DownloadFailed`` or ``DownloadAbandoned``.

        ``watch`` looks at the download as it grows, and every tenth of a second while it does
        not; ``answered`` is called once, with the seconds until the appliance began to deliver.
        ``told`` goes with the request.
        """
        begun_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(LONGEST_S):
                for _ in range(self._max_redirects + 1):
                    body = await self._once(url, begun_s, watch, answered, told)
                    if isinstance(body, bytes):
                        return Downloaded(body, self._clock.monotonic_s() - begun_s)
                    url = body.url
        except TimeoutError as error:
            raise DownloadFailed("it is silent or too slow") from error
        except PyreqwestError as error:
            raise DownloadFailed("it does not answer, or broke off") from error
        raise DownloadFailed("it sends on and on")

    async def _once(
        self,
        url: str,
        begun_s: float,
        watch: Watcher | None,
        answered: Answered | None,
        told: Told | None,
    ) -> "bytes | _Elsewhere":
        """The body at ``url``, or where it is instead."""
        request = self._client.get(url).header(tracing.HEADER, tracing.traceparent())
        # Else the client waits for 64 KB before it says that there is an answer.
        request = request.streamed_read_buffer_limit(1)
        for name, value in (headers(told) if told else {}).items():
            request = request.header(name, value)
        stream = request.build_streamed()
        async with asyncio.timeout(SILENCE_S):
            response = await stream.__aenter__()
        try:
            if self._max_redirects and response.status in _REDIRECTS:
                return _Elsewhere(_location(url, response))
            size_bytes = _announced(response)
            if answered:
                answered(self._clock.monotonic_s() - begun_s)
            return await self._read(response, _Watched(size_bytes, begun_s, watch))
        finally:
            await stream.__aexit__(None, None, None)

    async def _read(self, response: Response, watched: "_Watched") -> bytes:
        body = bytearray()
        while (chunk := await self._chunk(response, watched, len(body))) is not None:
            for start in range(0, len(chunk), _STEP_BYTES):
                piece = chunk[start : start + _STEP_BYTES]
                if self._throttle:
                    await self._until(self._throttle.carries(len(piece)), watched, len(body))
                body += piece
                if len(body) > MAX_BYTES:
                    raise DownloadFailed("it sent more bytes than a segment has")
            watched.look(len(body), self._clock.monotonic_s())
        return bytes(body)

    async def _chunk(self, response: Response, watched: "_Watched", received: int) -> bytes | None:
        """What the socket has next; None at the end."""
        reading = asyncio.ensure_future(response.body_reader.read_chunk())
        silent_s = self._clock.monotonic_s() + SILENCE_S
        try:
            while not (await asyncio.wait({reading}, timeout=_LOOK_EVERY_S))[0]:
                watched.look(received, self._clock.monotonic_s())
                if self._clock.monotonic_s() > silent_s:
                    raise DownloadFailed("it fell silent")
            chunk = reading.result()
        finally:
            reading.cancel()
        return None if chunk is None else chunk.to_bytes()

    async def _until(self, at_s: float, watched: "_Watched", received: int) -> None:
        """Wait for a slow line without losing sight of the viewer."""
        while (left_s := at_s - self._clock.monotonic_s()) > 0:
            await asyncio.sleep(min(left_s, _LOOK_EVERY_S))
            watched.look(received, self._clock.monotonic_s())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self._client.close()


class _Watched(msgspec.Struct, frozen=True):
    """A download with whoever watches it."""

    size_bytes: int | None
    begun_s: float
    watch: Watcher | None

    def look(self, received: int, now_s: float) -> None:
        """Raises ``DownloadAbandoned`` where the watcher says stop."""
        elapsed_s = now_s - self.begun_s
        if self.watch and not self.watch(Progress(received, self.size_bytes, elapsed_s)):
            raise DownloadAbandoned(received, elapsed_s)


class _Elsewhere(msgspec.Struct, frozen=True):
    """What was asked for is at ``url``."""

    url: str


def _location(url: str, response: Response) -> str:
    """Where an answer sends on to (RFC 9110 section 10.2.2)."""
    where = urljoin(url, response.get_header("location") or "")
    if urlsplit(where).scheme not in ("http", "https"):
        raise DownloadFailed("it sends on to no address of the web", response.status)
    return where


def _announced(response: Response) -> int | None:
    """The bytes that an answer announces, None where it does not say."""
    if response.status != 200:
        raise DownloadFailed(f"it answered {response.status}", response.status)
    length = response.get_header("content-length")
    size_bytes = int(length) if length and length.isdecimal() else None
    if size_bytes is not None and size_bytes > MAX_BYTES:
        raise DownloadFailed("it announced more bytes than a segment has")
    return size_bytes
