"""Bytes from an appliance, watched as they come: size, silence and speed are bounded.

``DownloadFailed`` and ``DownloadAbandoned`` stay inside the player: the first leads to the next
appliance, the second to a lower rung.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

from cuemark.kit import tracing
from cuemark.kit.clock import Clock

CONNECT_S = 1.5
SILENCE_S = 2.5
LONGEST_S = 30.0
MAX_BYTES = 64 << 20
_CHUNK_BYTES = 32_768
_THROTTLE_STEP_S = 0.05


class DownloadFailed(Exception):
    """Refused, silent, slow beyond use, too large, or any status but 200."""


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


class Downloaded(msgspec.Struct, frozen=True):
    body: bytes
    elapsed_s: float


class Throttle:
    """A cap on what this device takes from its line, as a slow access network would set it."""

    def __init__(self, clock: Clock, kbps: float) -> None:
        self._clock = clock
        self._kbps = kbps
        self._free_at_s = 0.0

    @property
    def chunk_bytes(self) -> int:
        return max(512, min(_CHUNK_BYTES, int(self._kbps * 125 * _THROTTLE_STEP_S)))

    async def took(self, size_bytes: int) -> None:
        """Wait until the line would have carried these bytes too."""
        now_s = self._clock.monotonic_s()
        self._free_at_s = max(self._free_at_s, now_s) + size_bytes / (self._kbps * 125)
        await asyncio.sleep(max(0.0, self._free_at_s - now_s))


class Downloader:
    """Fetches whole objects over pooled connections. Follows no redirect, sends no credential."""

    def __init__(self, clock: Clock, throttle_kbps: float | None = None) -> None:
        self._clock = clock
        self._throttle = Throttle(clock, throttle_kbps) if throttle_kbps else None
        self._client: Client = (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=CONNECT_S))
            .follow_redirects(False)
            .no_proxy()
            .user_agent("cuemark-player")
            .build()
        )

    async def fetch(self, url: str, watch: Watcher | None = None) -> Downloaded:
        """The body at ``url``; raises ``DownloadFailed`` or ``DownloadAbandoned``."""
        begun_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(LONGEST_S):
                request = self._client.get(url).header(tracing.HEADER, tracing.traceparent())
                stream = request.build_streamed()
                async with asyncio.timeout(SILENCE_S):
                    response = await stream.__aenter__()
                try:
                    body = await self._read(response, begun_s, watch)
                finally:
                    await stream.__aexit__(None, None, None)
        except TimeoutError as error:
            raise DownloadFailed("it is silent or too slow") from error
        except PyreqwestError as error:
            raise DownloadFailed("it does not answer, or broke off") from error
        return Downloaded(body, self._clock.monotonic_s() - begun_s)

    async def _read(self, response: Response, begun_s: float, watch: Watcher | None) -> bytes:
        if response.status != 200:
            raise DownloadFailed(f"it answered {response.status}")
        length = response.get_header("content-length")
        size_bytes = int(length) if length and length.isdecimal() else None
        if size_bytes is not None and size_bytes > MAX_BYTES:
            raise DownloadFailed("it announced more bytes than a segment has")
        amount = self._throttle.chunk_bytes if self._throttle else _CHUNK_BYTES
        body = bytearray()
        while True:
            async with asyncio.timeout(SILENCE_S):
                chunk = await response.body_reader.read(amount)
            if chunk is None:
                return bytes(body)
            body += chunk.to_bytes()
            if len(body) > MAX_BYTES:
                raise DownloadFailed("it sent more bytes than a segment has")
            if self._throttle:
                await self._throttle.took(len(chunk))
            elapsed_s = self._clock.monotonic_s() - begun_s
            if watch and not watch(Progress(len(body), size_bytes, elapsed_s)):
                raise DownloadAbandoned(len(body), elapsed_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self._client.close()
