"""``python -m cuemark.lab.cdn.relay HOST PORT TO_PORT``: lets a network in to a port of loopback.

Control and the origin listen on loopback alone; where real machines have a tunnel that somebody
trusts, the lab has this.
"""

import asyncio
import contextlib
import sys

PIECE_BYTES = 1 << 18


async def relay(host: str, port: int, to_port: int) -> None:
    """For ever."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", to_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pour(reader, back), _pour(there, writer))

    server = await asyncio.start_server(met, host, port)
    await server.serve_forever()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read(PIECE_BYTES):
            target.write(piece)
            await target.drain()
    target.close()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
