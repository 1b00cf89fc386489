"""Routes: how long until steering knows what a router says, with every part in between."""

import asyncio
import shutil
import time
from pathlib import Path

from benches import databases
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.app.engines import postgres
from tests.integration.edge.town import FAR, NEAR, Town, town

ABOUT = """
A BIRD (Debian's 2.0.12) in a network namespace announces to an appliance's ExaBGP; the agent's
parts and steering run in one process, on a PostgreSQL of their own. *100,000 prefixes*, each a /24,
of one path: from the session being up to the last route counting. *Withdrawal*: from telling BIRD,
until a client of the prefix is ranked elsewhere; *lost*: the same from the death of BIRD, when it
had announced the 100,000. All of it shares the cores with the rest of the machine.
"""

PREFIXES, ROUNDS = 100_000, 5
LIMIT_S = 120


def measure(stand: Stand) -> list[Figure]:
    if shutil.which("bird") is None:
        raise BenchFailed("bird is missing: run apt-get install bird2")
    count, rounds = (2000, 1) if stand.quick else (PREFIXES, ROUNDS)
    root = stand.scratch("routes")
    with databases.running(root / "pg") as folder:
        postgres.create_database(folder)
        stand.tell("routes")
        learnt_s, withdrawn_s, lost_s = asyncio.run(
            _measured(root, postgres.url_of(folder), count, rounds)
        )
    return [
        figure(f"routes: {count:,} prefixes known", learnt_s, "s"),
        figure("routes: withdrawal to other ranking", withdrawn_s, "s"),
        figure("routes: router lost to other ranking", lost_s, "s"),
    ]


async def _measured(
    root: Path, url: str, count: int, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    learnt_s, withdrawn_s, lost_s = [], [], []
    prefixes = [f"{8 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24 blackhole" for n in range(count)]
    only = ["8.8.8.0/24 blackhole"]
    for number in range(rounds):
        folder = root / str(number)
        async with town(folder, url, 200_000, ("8.0.0.0/7",)) as here, asyncio.timeout(LIMIT_S):
            await here.first()
            here.router.start(sorted({*prefixes, *only}))
            began_s = await _up(here)
            while await here.routes() < count:
                await asyncio.sleep(0.02)
            learnt_s.append(time.monotonic() - began_s)
            await here.until_first(NEAR, LIMIT_S)
            here.router.kill()
            lost_s.append(await here.until_first(FAR, LIMIT_S))
        async with town(folder, url, 10, ("8.0.0.0/7",)) as here:
            here.router.start(only)
            await here.until_first(NEAR, LIMIT_S)
            here.router.announce([])
            withdrawn_s.append(await here.until_first(FAR, LIMIT_S))
    return learnt_s, withdrawn_s, lost_s


async def _up(here: Town) -> float:
    """When the session is up."""
    while here.rib.told()[0].state != "up":
        await asyncio.sleep(0.005)
    return time.monotonic()
