"""``python -m benches.rider``: a process that plays. Orders come in lines, results go out in lines.

The plays of one order run at once in this process. Each is the reference player's whole play: it
starts the play, gets manifest and licence, fetches ahead, decrypts, decodes every frame, presents
in real time, reports progress, and ends the play.
"""

import asyncio
import os
import resource
import sys
import time

import msgspec

from cuemark.player.api import BearerToken
from cuemark.player.decode import Decoder, Decoding, Kind
from cuemark.player.errors import PlayerError
from cuemark.player.manifest import Segment
from cuemark.player.session import Options, play


class Ride(msgspec.Struct, frozen=True, kw_only=True):
    """One play: whose, where in the film, for how long, and how long after the order."""

    token: str
    from_s: float
    seconds: float
    after_s: float = 0.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Plays of one title. Without ``decode`` segments are fetched, paced and thrown away."""

    api_url: str
    title_id: str
    rides: list[Ride]
    decode: bool = True


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a play reported; ``error`` is empty where it came to its end."""

    startup_ms: int = 0
    control_ms: int = 0
    stalls: int = 0
    kbps: float = 0.0
    error: str = ""


class Done(msgspec.Struct, frozen=True):
    """The outcomes of an order, and the CPU that this process took for them."""

    outcomes: list[Outcome]
    cpu_s: float


class Undecoded(Decoder):
    """Believes every segment: for counting what the rest of the chain holds."""

    async def decode(
        self, kind: Kind, init: bytes, media: bytes, key_hex: str, segment: Segment
    ) -> Decoding:
        return Decoding(times_s=(segment.start_s,), errors=0)


async def ride(order: Order, what: Ride) -> Outcome:
    await asyncio.sleep(what.after_s)
    options = Options(
        api_url=order.api_url,
        credential=BearerToken(what.token),
        title=order.title_id,
        seconds=what.seconds,
        from_s=what.from_s,
    )
    try:
        report = await play(options, decoder=None if order.decode else Undecoded())
    except PlayerError as error:
        return Outcome(error=str(error))
    return Outcome(
        startup_ms=report.startup_ms,
        control_ms=report.startup_control_ms,
        stalls=report.stalls,
        kbps=report.mean_bitrate_kbps,
    )


async def serve() -> None:
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        order = msgspec.json.decode(line, type=Order)
        before_s = time.process_time()
        outcomes = await asyncio.gather(*(ride(order, each) for each in order.rides))
        done = Done(list(outcomes), time.process_time() - before_s)
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(serve())
    # The HTTP client's threads are not taken down with Python: see ``run_and_leave``.
    os._exit(0)
