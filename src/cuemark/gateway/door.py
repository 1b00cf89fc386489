"""The outermost filter: what holds for every request before anything is looked up.

It refuses strange methods and hosts, drops headers that only we may set, answers HEAD by
what GET would say, sets the security headers that a route did not set itself, carries the
trace, and writes one wide event for each request. Neither path nor query is logged, only the
template of the route.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from litestar.types import ASGIApp

from cuemark.gateway.errors import error_bytes
from cuemark.gateway.origins import is_host
from cuemark.kit import deadline, passport, tracing
from cuemark.kit.clock import Clock
from cuemark.kit.link import Receive, Scope, Send

BUDGET_S = 10.0
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_OURS = frozenset({passport.HEADER.encode(), deadline.HEADER.encode()})
_POLICY = (
    "default-src 'self'; media-src 'self' blob: http: https:; connect-src 'self' http: https:; "
    "img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_SECURITY = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Door:
    """The ASGI application that the server calls; ``app`` is what stands behind the door."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = cast(Callable[[Scope, Receive, Send], Awaitable[None]], app)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0].lower() not in _OURS]
        inside: Scope = {**scope, "headers": headers, "state": dict(scope.get("state") or {})}
        with (
            tracing.trace(tracing.trace_id_of(_header(headers, b"traceparent"))) as trace_id,
            deadline.deadline(BUDGET_S),
        ):
            answer = _Answer(send, trace_id, head=scope["method"] == "HEAD")
            started_s = self._clock.monotonic_s()
            try:
                await self._admit(inside, receive, answer)
            finally:
                structlog.get_logger().info(
                    "request",
                    method=scope["method"] if scope["method"] in METHODS else "other",
                    route=inside.get("path_template") or "none",
                    status=answer.status,
                    ms=round((self._clock.monotonic_s() - started_s) * 1000, 2),
                    trace_id=trace_id,
                    account_id=inside["state"].get("account_id", ""),
                )

    async def _admit(self, inside: Scope, receive: Receive, answer: "_Answer") -> None:
        if inside["method"] not in METHODS:
            allowed = (b"allow", ", ".join(METHODS).encode())
            message = "This address does not answer to that method."
            await answer.refuse(405, "method_not_allowed", message, allowed)
            return
        hosts = [value for name, value in inside["headers"] if name.lower() == b"host"]
        if len(hosts) != 1 or not is_host(hosts[0].decode("latin-1")):
            await answer.refuse(400, "bad_host", "The Host header is missing or no host.")
            return
        if inside["method"] == "HEAD":
            inside["method"] = "GET"
        await self._app(inside, receive, answer)


class _Answer:
    """The way out: adds our headers, remembers the status, drops the body of a HEAD."""

    def __init__(self, send: Send, trace_id: str, *, head: bool) -> None:
        self._send = send
        self._trace_id = trace_id
        self._head = head
        self.status = 500

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", []))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            response_id = f"00-{self._trace_id}-{secrets.token_hex(8)}-01"
            headers.append((b"traceresponse", response_id.encode()))
            own = {name.lower() for name, _ in headers}
            headers += [pair for pair in _SECURITY if pair[0] not in own]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body" and self._head:
            message = {**message, "body": b""}
        await self._send(message)

    async def refuse(
        self, status: int, code: str, message: str, *headers: tuple[bytes, bytes]
    ) -> None:
        body = error_bytes(code, message)
        kind = (b"content-type", b"application/json")
        length = (b"content-length", str(len(body)).encode())
        start = {"status": status, "headers": [kind, length, *headers]}
        await self({"type": "http.response.start", **start})
        await self({"type": "http.response.body", "body": body, "more_body": False})


def _header(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), None)
