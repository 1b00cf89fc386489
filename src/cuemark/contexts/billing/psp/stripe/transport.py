"""The way to Stripe: its library's requests, made by the client that all of Cuemark uses."""

from collections.abc import Mapping
from datetime import timedelta

import stripe
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from cuemark.kit import deadline

WITHIN_S = 10.0
"""Of one request. A call is three of them at most, and has a minute."""


class Transport(stripe.HTTPClient):
    """Each request has its end, holds up nobody else, and is made once: what is tried again is
    decided by billing, which has stored it."""

    name = "pyreqwest"

    def __init__(self, within_s: float = WITHIN_S) -> None:
        super().__init__()
        self._within_s = within_s
        self._client: Client | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        if self._client is None:
            connecting = ClientBuilder().connect_timeout(timedelta(seconds=3)).no_proxy()
            self._client = connecting.follow_redirects(False).build()
        within_s = deadline.remaining_s(self._within_s)
        if within_s <= 0:
            raise _no_answer("no time is left to ask")
        request = self._client.request(method.upper(), url).timeout(timedelta(seconds=within_s))
        for name, value in headers.items():
            request = request.header(name, value)
        if post_data is not None:
            request = request.body_bytes(str(post_data).encode())
        try:
            response = await request.build().send()
            body = bytes(await response.bytes())
        except PyreqwestError as error:
            raise _no_answer(type(error).__name__) from error
        return (
            body,
            response.status,
            {key.lower(): value for key, value in response.headers.items()},
        )

    async def close_async(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None


def _no_answer(why: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why, should_retry=False)  # type: ignore[no-untyped-call]
