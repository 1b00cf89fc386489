"""The way to the sandbox: one HTTP request at a time, each with its end."""

from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from cuemark.contexts.billing.psp.sandbox.adapter import NoAnswer
from cuemark.kit import deadline, tracing

WITHIN_S = 5.0


class Line:
    """Posts to the sandbox at ``url`` with its ``secret``."""

    def __init__(self, url: str, secret: str, within_s: float = WITHIN_S) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._within_s = within_s
        self._client: Client | None = None

    async def exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; raises ``NoAnswer``."""
        if self._client is None:
            self._client = ClientBuilder().connect_timeout(timedelta(seconds=1)).no_proxy().build()
        within_s = deadline.remaining_s(self._within_s)
        if within_s <= 0:
            raise NoAnswer("no time is left to ask")
        try:
            response = await (
                self._client.post(self._url + path)
                .header("authorization", f"Bearer {self._secret}")
                .header(tracing.HEADER, tracing.traceparent())
                .timeout(timedelta(seconds=within_s))
                .body_bytes(body)
                .build()
                .send()
            )
            return response.status, bytes(await response.bytes())
        except PyreqwestError as error:
            raise NoAnswer(type(error).__name__) from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
