"""The pooled HTTP channel to another process of the install: deadline, passport, trace.

A transport error, a timeout and a 5xx answer all become ``Unavailable``.
"""

from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from cuemark.kit import deadline, passport, tracing
from cuemark.kit.errors import Unavailable

DEFAULT_BUDGET_S = 10.0
NO_PASSPORT = frozenset({401, 403})
"""The callee does not take us for a service of its install: clocks, keys or roles differ, and no
request of ours is refused."""


class Channel:
    """Posts bytes to ``base_url`` and returns status and body.

    ``mint`` gives the passport text under which this process calls. ``certificate``, PEM, is what
    the other process shows where ``base_url`` begins with https.
    """

    def __init__(
        self,
        base_url: str,
        mint: Callable[[], str],
        connections: int = 64,
        certificate: str = "",
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._mint = mint
        self._connections = connections
        self._certificate = certificate
        self._client: Client | None = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        budget_s = deadline.remaining_s(DEFAULT_BUDGET_S)
        if budget_s <= 0:
            raise Unavailable(f"no time left to call {path}")
        try:
            response = await (
                self._opened()
                .post(self._base_url + path)
                .header(tracing.HEADER, tracing.traceparent())
                .header(deadline.HEADER, str(int(budget_s * 1000)))
                .header(passport.HEADER, self._mint())
                .header("content-type", "application/json")
                .timeout(timedelta(seconds=budget_s))
                .body_bytes(body)
                .build()
                .send()
            )
            answer = bytes(await response.bytes())
        except PyreqwestError as error:
            raise Unavailable(f"no answer from {self._base_url}{path}") from error
        if response.status in NO_PASSPORT or response.status >= 500:
            raise Unavailable(f"{self._base_url}{path} answered {response.status}")
        return response.status, answer

    def _opened(self) -> Client:
        if self._client is None:
            builder = (
                ClientBuilder()
                .max_connections(self._connections)
                .connect_timeout(timedelta(seconds=1))
                .no_proxy()
            )
            if self._certificate:
                builder = builder.add_root_certificate_pem(self._certificate.encode())
            self._client = builder.build()
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self.close()
