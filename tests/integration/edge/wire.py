"""A client that sends a request target exactly as it is given, and tells what came when."""

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """What came back. ``first_byte_s`` counts to the first byte of the body.

    ``whole`` is false where the connection ended before the announced length.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool
    first_byte_s: float
    seconds: float


async def fetch_async(
    port: int, target: str | bytes, headers: dict[str, str] | None = None, method: str = "GET"
) -> Reply:
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        target = target.encode("latin-1") if isinstance(target, str) else target
        lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
        rest = "\r\n".join(["Host: localhost", "Connection: close", *lines]) + "\r\n\r\n"
        writer.write(method.encode() + b" " + target + b" HTTP/1.1\r\n" + rest.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status_line, *header_lines = head.decode("latin-1").strip().split("\r\n")
        received = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in header_lines)
        }
        body, first_byte_s = bytearray(), 0.0
        try:
            while piece := await reader.read(1 << 16):
                first_byte_s = first_byte_s or time.monotonic() - begun
                body += piece
        except ConnectionError:
            pass
        announced = int(received.get("content-length", "0"))
        whole = method == "HEAD" or len(body) == announced
        return Reply(
            int(status_line.split()[1]),
            received,
            bytes(body),
            whole,
            first_byte_s,
            time.monotonic() - begun,
        )
    finally:
        writer.close()


def fetch(
    port: int, target: str | bytes, headers: dict[str, str] | None = None, method: str = "GET"
) -> Reply:
    async def bounded() -> Reply:
        async with asyncio.timeout(30):
            return await fetch_async(port, target, headers, method)

    return asyncio.run(bounded())
