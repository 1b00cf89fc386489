"""Clients that ask for a file at the same moment and throw away what they get."""

import asyncio
import time
from dataclasses import dataclass

_LIMIT_S = 120.0
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True)
class Got:
    """``first_byte_s`` counts from before the connection to the first byte of the body."""

    status: int
    size_bytes: int
    first_byte_s: float
    seconds: float


async def all_at_once(port: int, target: str, clients: int) -> list[Got]:
    """So many requests for ``target``, each over a connection of its own."""
    async with asyncio.timeout(_LIMIT_S):
        return await asyncio.gather(*(_get(port, target) for _ in range(clients)))


async def _get(port: int, target: str) -> Got:
    begun_s = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        status = int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
        size_bytes, first_byte_s = 0, 0.0
        while piece := await reader.read(_PIECE_BYTES):
            first_byte_s = first_byte_s or time.monotonic() - begun_s
            size_bytes += len(piece)
        return Got(status, size_bytes, first_byte_s, time.monotonic() - begun_s)
    finally:
        writer.close()
