"""Asking an ASGI application byte by byte, so that a test can send what no client library would."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec

from cuemark.gateway.door import Door

Headers = dict[str, str] | list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The code of the documented error shape; anything else fails the test."""
        error = self.json()["error"]
        assert set(error) == {"code", "message"}
        assert error["message"].strip()
        return str(error["code"])


class Asker:
    """Sends requests to one application."""

    def __init__(self, app: Door, host: str = "127.0.0.1:8080") -> None:
        self._app = app
        self._host = host

    async def __call__(
        self,
        method: str,
        target: str,
        *,
        token: str | None = None,
        headers: Headers | None = None,
        json: object = None,
        chunks: Iterable[bytes] = (),
        breaks: bool = False,
    ) -> Answer:
        """``token`` goes as a bearer token. ``breaks`` loses the connection after the chunks."""
        given = list(headers.items()) if isinstance(headers, dict) else list(headers or ())
        if not any(name.lower() == "host" for name, _ in given):
            given.append(("host", self._host))
        if token is not None:
            given.append(("authorization", f"Bearer {token}"))
        if json is not None:
            chunks = [msgspec.json.encode(json)]
            given.append(("content-type", "application/json"))
        path, _, query = target.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in given],
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
        events: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
        ]
        if not breaks:
            events.append({"type": "http.request", "body": b"", "more_body": False})
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return events.pop(0) if events else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start, *bodies = sent
        return Answer(
            start["status"],
            [(k.decode("latin-1"), v.decode("latin-1")) for k, v in start["headers"]],
            b"".join(message.get("body", b"") for message in bodies),
        )
