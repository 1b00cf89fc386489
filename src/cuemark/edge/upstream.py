"""What the agent asks of the origin: bytes of a file from an offset on, and indexes.

OriginError
|-- OriginAway       no answer, a broken one, or a 5xx: trying again may help
`-- OriginRefused    the origin does not have the file, or does not know this appliance
"""

import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

from cuemark.edge.origin import KEY_HEADER
from cuemark.kit import tracing

CONNECT_S = 1.0
SILENCE_S = 5.0
INDEX_LIMIT_BYTES = 64 << 20


class OriginError(Exception):
    """The origin did not give what it was asked for."""


class OriginAway(OriginError):
    """No answer, or a broken one."""


class OriginRefused(OriginError):
    """The origin will not give this file, whenever it is asked."""


class Upstream:
    """The origin at ``url``, which wants to see ``key``."""

    def __init__(self, url: str, key: str, name: str) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._client: Client = (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=CONNECT_S))
            .read_timeout(timedelta(seconds=SILENCE_S))
            .user_agent(f"cuemark/{name}")
            .follow_redirects(False)
            .no_proxy()
            .build()
        )

    async def stream(self, path: str, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of ``<version_id>/<path>`` from ``offset`` on, in pieces as they come."""
        try:
            request = (
                self._client.get(f"{self._url}/{path}")
                .header(KEY_HEADER, self._key)
                .header(tracing.HEADER, tracing.traceparent())
            )
            if offset:
                request = request.header("Range", f"bytes={offset}-")
            async with request.build_streamed() as response:
                _check(response, path, offset)
                while (piece := await response.body_reader.read_chunk()) is not None:
                    yield bytes(piece)
        except PyreqwestError as error:
            raise OriginAway(f"the origin broke off {path}") from error

    async def read(self, path: str) -> bytes:
        """All bytes of a file, at most ``INDEX_LIMIT_BYTES``."""
        body = bytearray()
        async with contextlib.aclosing(self.stream(path, 0)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > INDEX_LIMIT_BYTES:
                    raise OriginRefused(f"{path} is longer than {INDEX_LIMIT_BYTES} bytes")
        return bytes(body)

    async def close(self) -> None:
        await self._client.close()


def _check(response: Response, path: str, offset: int) -> None:
    if response.status in (403, 404):
        raise OriginRefused(f"the origin answered {response.status} for {path}")
    resumed = (response.get_header("Content-Range") or "").startswith(f"bytes {offset}-")
    if response.status != (206 if offset else 200) or (offset and not resumed):
        raise OriginAway(f"the origin answered {response.status} for {path} from {offset}")
