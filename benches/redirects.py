"""Redirects: what it costs to send each request of a play on to its appliance."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from benches.database import served
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.spread import median
from benches.stand import Stand
from cuemark.contexts.steering import wiring
from cuemark.contexts.steering.service import SENT_S
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank, Ranking, Steering
from cuemark.contracts.steering.reports import REPORT_EVERY_S, Report
from cuemark.gateway.app import build_gateway
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import Town
from tests.unit.steering.teller import untold

ABOUT = """
The gateway and steering in one process on a PostgreSQL of their own, asked as its server would ask
them, one request after the other: no socket, so neither the server's own cost nor the client's.
Three appliances report twice a second. Given is the CPU of that process; what PostgreSQL takes for
the first request of a second comes on top. *First in a second*: where the play goes is found out.
*Next*: it is remembered. The anchor is the answer of Content Steering, which a play asks for every
20 s, where it asks for a redirect once for each segment.
"""

PLAYS, ROUNDS = 1000, 5
EDGES = [ApplianceId(f"edge-{number}") for number in range(3)]
FILM = VersionId("ver_" + "0" * 26)


def measure(stand: Stand) -> list[Figure]:
    root = stand.scratch("redirects")
    with served(root / "pg") as url:
        return asyncio.run(_measured(stand, root, url))


async def _measured(stand: Stand, root: Path, url: str) -> list[Figure]:
    clock = SystemClock()
    plays, rounds = (100, 1) if stand.quick else (PLAYS, ROUNDS)
    async with opened(url, wiring) as database:
        steering = _steering(database, clock)
        reporting = asyncio.create_task(_report(steering))
        await asyncio.sleep(2 * REPORT_EVERY_S)
        parts = dataclasses.replace(Town(root).parts, steering=steering, clock=clock)
        ask = Asker(build_gateway(parts))
        ranked = [await _rank(steering, number, clock) for number in range(plays)]
        media = [f"/api/v1/media/{each.redirect_token}/v1/7.m4s" for each in ranked]
        steered = [f"/api/v1/steering?play={each.steering_token}" for each in ranked]
        first, again, led = [], [], []
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        for number in range(rounds):
            stand.tell(f"round {number + 1} of {rounds}")
            await asyncio.sleep(SENT_S)
            first.append(await _cpu_us(ask, media, 302))
            few = media[: plays // 10]
            await _cpu_us(ask, few, 302)
            again.append(await _cpu_us(ask, few, 302))
            led.append(await _cpu_us(ask, steered, 200))
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
    anchor = Anchor("a steering manifest", median(led))
    return [
        figure("redirects: first in a second, CPU", first, "us", anchor),
        figure("redirects: next, CPU", again, "us", anchor),
    ]


def _steering(database: Database, clock: SystemClock) -> Steering:
    return wiring.build(
        database=database,
        log=Log(clock),
        clock=clock,
        fill=untold(),
        appliance_ids=EDGES,
        token_keys=[TokenKey("k1", b"1" * 32)],
    ).service


async def _report(steering: Steering) -> None:
    while True:
        for number, appliance_id in enumerate(EDGES):
            await steering.report(
                Report(
                    appliance_id=appliance_id,
                    url=f"http://127.0.0.1:{8081 + number}",
                    healthy=True,
                    in_flight=0,
                    inventory_revision=1,
                    versions=[FILM],
                )
            )
        await asyncio.sleep(REPORT_EVERY_S)


async def _rank(steering: Steering, number: int, clock: SystemClock) -> Ranking:
    return await steering.rank(
        Rank(
            session_id=PlaySessionId(f"play_{number:026}"),
            version_id=FILM,
            expires_at=clock.now() + timedelta(hours=12),
        )
    )


async def _cpu_us(
    ask: Callable[[str, str], Awaitable[object]], targets: Sequence[str], status: int
) -> float:
    """CPU of this process for each of these requests."""
    began_s = time.process_time()
    for target in targets:
        answer = await ask("GET", target)
        if getattr(answer, "status", 0) != status:
            raise BenchFailed(f"a request was not answered with {status}: {answer}")
    return (time.process_time() - began_s) / len(targets) * 1e6
