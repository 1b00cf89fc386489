"""The sandbox as a server: its desk over HTTP, and the courier that takes its webhooks away."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contexts.billing.psp.sandbox.bank import Bank
from cuemark.contexts.billing.psp.sandbox.desk import JSON, MOST_BYTES, Desk, Hangup, Reply

POLL_S = 0.2
WEBHOOK_WITHIN_S = 5.0
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class SandboxApp:
    """The ASGI application. Where a fault says so it answers nothing, and the caller waits."""

    def __init__(self, desk: Desk, hang_s: float) -> None:
        self._desk = desk
        self._hang_s = hang_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False) and len(body) <= MOST_BYTES
        reply = Reply(413, b"")
        if len(body) <= MOST_BYTES:
            bearer = headers.get("authorization", "")
            try:
                reply = self._desk.answer(scope["method"], scope["path"], bytes(body), bearer)
            except Hangup:
                await asyncio.sleep(self._hang_s)
                reply = Reply(504, b"")
        sent = [(b"content-type", reply.media_type.encode()), (b"cache-control", b"no-store")]
        if reply.location:
            sent.append((b"location", reply.location.encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": sent})
        await send({"type": "http.response.body", "body": reply.body})


class Courier:
    """Takes webhooks to ``url``, signed, until each is taken there or was tried often enough."""

    def __init__(self, bank: Bank, url: str, secret: bytes) -> None:
        self._bank = bank
        self._url = url
        self._secret = secret
        self._held: list[bytes] = []

    async def run(self) -> None:
        async with (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=2))
            .timeout(timedelta(seconds=WEBHOOK_WITHIN_S))
            .no_proxy()
            .build() as client
        ):
            while True:
                await self.deliver(client)
                await asyncio.sleep(POLL_S)

    async def deliver(self, client: Client) -> None:
        """What is due, once; a fault may lose one, double it, or keep it back."""
        held, self._held = self._held, []
        for number, event in self._bank.due_events():
            body = msgspec.json.encode(event)
            fault = self._bank.webhook_fault()
            if fault == "webhook_lost":
                self._bank.event_sent(number)
                continue
            if fault == "webhook_reordered":
                self._bank.event_sent(number)
                self._held.append(body)
                continue
            taken = await self._post(client, body)
            if fault == "webhook_doubled":
                await self._post(client, body)
            if taken:
                self._bank.event_sent(number)
            else:
                self._bank.event_missed(number)
        for body in held:
            await self._post(client, body)

    async def _post(self, client: Client, body: bytes) -> bool:
        try:
            response = await (
                client.post(self._url)
                .header("content-type", JSON)
                .header(wire.SIGNATURE, wire.signature_of(self._secret, body))
                .body_bytes(body)
                .build()
                .send()
            )
        except PyreqwestError:
            structlog.get_logger().warning("webhook_not_taken", url=self._url)
            return False
        return 200 <= response.status < 300
