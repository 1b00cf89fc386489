"""HTTP/1.1 with as little work as it takes, so that a load generator costs less than its load."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, Self


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def cookies(self) -> dict[str, str]:
        pairs = [value.partition(";")[0] for name, value in self.headers if name == "set-cookie"]
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


class Connection:
    """One connection to a server, for one request after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def get(self, path: str, headers: Mapping[str, str]) -> Answer:
        return await self._ask("GET", path, b"", headers)

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await self._ask("POST", path, body, headers)

    async def put(self, path: str, headers: Mapping[str, str]) -> Answer:
        return await self._ask("PUT", path, b"", headers)

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{more}\r\n"
        )
        self._writer.write(head.encode() + body)
        begun = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in begun[1:] if line]
        found = [(name.lower(), value.strip()) for name, _, value in pairs]
        length = next((int(value) for name, value in found if name == "content-length"), 0)
        return Answer(int(begun[0].split()[1]), found, await self._reader.readexactly(length))

    def close(self) -> None:
        self._writer.close()
