"""Lines: what it costs to know of each request, from nginx's log to what control has kept."""

import asyncio
import json
import shutil
import time
from pathlib import Path

from benches import hits
from benches.children import run
from benches.database import served
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.spread import median
from benches.stand import Stand
from cuemark.contexts.telemetry import wiring
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.telemetry import MOST_LINES, LinesTaken, TakeLines, Telemetry
from cuemark.edge.access_log import AccessLog
from cuemark.edge.answers import Answers
from cuemark.edge.shipping import Shipping
from cuemark.edge.spool import Batch, Spool
from cuemark.kit import link
from cuemark.kit.clock import SystemClock
from cuemark.kit.outbox import Log
from tests.databases import opened
from tests.integration.edge.farm import Farm, noise, serving, until

ABOUT = """
A log as nginx writes it, of hits in four titles, each request with thirteen keys of CMCD in its
query, goes the whole way: read, parsed and spooled by the agent's parts, then taken by telemetry
from its encoded message, on a PostgreSQL of its own, until it is in the file of its hour and in the
sums. *By the appliance* and *by control* are the two halves, by the CPU of the process (that of
PostgreSQL is its own); *from log to stored batch* is both, one after the other in one process, by
the clock, with every write to the disk in it.

*CPU of a hit* is that of nginx for a file of 4 KB, as in the table of hits. *With CMCD* each asks
with the query; the anchor is the same nginx, with neither CMCD nor the fields of telemetry in
the log nor the headers of CMSD.
"""

LINES, ROUNDS = 100_000, 5
APPLIANCE = ApplianceId("appliance-1")
CMCD = (
    "bl%3D21300%2Cbr%3D3200%2Cbs%2Ccid%3D%22ttl_00000000000000000000000000%22%2Cd%3D4004%2C"
    "mtp%3D48100%2Cnor%3D%227.m4s%22%2Cot%3Dv%2Csf%3Dd%2Csid%3D%2200000000000000000000000000000000"
    "%22%2Cst%3Dv%2Csu%2Ctb%3D6000"
)


def measure(stand: Stand) -> list[Figure]:
    if shutil.which("wrk") is None:
        raise BenchFailed("wrk is missing: run apt-get install wrk")
    count, rounds = (2 * MOST_LINES, 1) if stand.quick else (LINES, ROUNDS)
    root = stand.scratch("lines")
    with served(root / "pg") as url:
        stand.tell("lines")
        told = asyncio.run(_rounds(root, url, count, rounds))
    names = ("by the appliance", "by control", "from log to stored batch")
    units = ("lines/CPU-s", "lines/CPU-s", "lines/s")
    rows = [
        figure(f"lines: {name}", [each[at] for each in told], unit)
        for at, (name, unit) in enumerate(zip(names, units, strict=True))
    ]
    return rows + _hits(stand)


async def _rounds(
    root: Path, url: str, count: int, rounds: int
) -> list[tuple[float, float, float]]:
    """Of each round: lines by a second of CPU at the appliance, at control, by one of the clock."""
    clock = SystemClock()
    found = []
    async with opened(url, wiring) as database:
        room = wiring.build(database, Log(clock), clock, root / "kept", [APPLIANCE], 30)
        telemetry = link.local(Telemetry, room.service)
        for number in range(rounds):
            folder = root / str(number)
            (folder / "logs").mkdir(parents=True)
            log = folder / "logs" / "access.jsonl"
            log.write_text("".join(map(_line, range(count))))
            found.append(await _round(folder, log, telemetry, count))
    return found


async def _round(
    folder: Path, log: Path, telemetry: Telemetry, count: int
) -> tuple[float, float, float]:
    spool = Spool(folder, 1 << 30, SystemClock().now())
    reader = AccessLog(log, every_line=True)
    shipping = Shipping(
        APPLIANCE, reader, spool, telemetry.take_lines, Answers(SystemClock()).count
    )
    begun_s, cpu_s = time.monotonic(), time.process_time()
    while shipping.gather_some():
        pass
    edge_s = time.process_time() - cpu_s
    taken, cpu_s = 0, time.process_time()
    while batch := spool.oldest():
        answer = await telemetry.take_lines(_request(batch))
        if answer != LinesTaken(taken=True):
            raise BenchFailed("control did not take a batch")
        spool.drop(batch.name)
        taken += batch.head.count
    control_s = time.process_time() - cpu_s
    reader.close()
    if taken != count:
        raise BenchFailed(f"{taken} of {count} lines came to control")
    return count / edge_s, count / control_s, count / (time.monotonic() - begun_s)


def _request(batch: Batch) -> TakeLines:
    head = batch.head
    return TakeLines(
        appliance_id=APPLIANCE,
        epoch=head.epoch,
        sequence=head.sequence,
        count=head.count,
        first_at_s=head.first_at_s,
        last_at_s=head.last_at_s,
        body=batch.body,
        lost_lines=head.lost_lines,
    )


def _line(number: int) -> str:
    """As nginx writes it."""
    return (
        json.dumps(
            {
                "time": "2026-01-31T20:15:00+00:00",
                "trace_id": f"{number % 400:032x}",
                "method": "GET",
                "version": f"ver_{number % 4:026}",
                "path": f"v720/{number % 900}.m4s",
                "cache": "cuemark-appliance-1; hit",
                "refused": "",
                "source": "",
                "trouble": "",
                "waited_s": "",
                "cmsd": f";rtt={9 + number % 30}",
                "cmcd": "",
                "cmcd_query": CMCD,
                "at_s": SystemClock().now().timestamp() - 60 + number / LINES,
                "status": 200,
                "bytes": 700_000 + number,
                "request_time": 0.1,
            }
        )
        + "\n"
    )


def _hits(stand: Stand) -> list[Figure]:
    """The CPU of a hit: with CMCD, without it, and of an nginx that knows nothing of either."""
    rounds, seconds = (1, 2) if stand.quick else (hits.ROUNDS, hits.SECONDS)
    files = {"v1/9.m4s": noise(hits.SIZES["4 KB"])}
    with serving(Farm(stand.scratch("lines-hits")), files) as built:
        version_id = built.versions[0].version_id
        target = built.target(version_id, "v1/9.m4s")
        url = f"http://127.0.0.1:{built.appliance.port}{target}"
        run(["wrk", "-t1", "-c1", "-d1s", "--timeout", "5s", url], limit_s=30)
        held = Path(built.appliance.folder) / "views" / version_id / "v1/9.m4s"
        until(held.exists)
        told: dict[str, list[float]] = {"": [], "with CMCD": [], "without telemetry": []}
        for number in range(rounds):
            for name, into in told.items():
                stand.tell(f"hits {name}: round {number + 1} of {rounds}")
                _configure(built, with_telemetry=name != "without telemetry")
                asked = f"{url}?CMCD={CMCD}" if name == "with CMCD" else url
                run(["wrk", "-t1", "-c1", "-d1s", "--timeout", "5s", url], limit_s=30)
                pid = built.children["nginx"].process.pid
                into.append(hits.load(asked, pid, seconds).cpu_us)
    anchor = Anchor("without telemetry", median(told["without telemetry"]))
    return [
        figure("lines: CPU of a hit", told[""], "us", anchor),
        figure("lines: CPU of a hit, with CMCD", told["with CMCD"], "us", anchor),
    ]


def _configure(built: Farm, *, with_telemetry: bool) -> None:
    """Start nginx anew on its config, or on one without what telemetry has there."""
    nginx = built.children["nginx"]
    nginx.kill()
    config = Path(built.appliance.folder) / "nginx.conf"
    kept = config.with_suffix(".whole")
    if not kept.exists():
        kept.write_text(config.read_text())
    lines = kept.read_text().splitlines()
    if not with_telemetry:
        lines = [_bare(line) for line in lines if "add_header CMSD" not in line]
    config.write_text("\n".join(lines) + "\n")
    nginx.start()
    until(built.answers)


def _bare(line: str) -> str:
    """A line of the config without the fields of telemetry in the log."""
    for field in ("source", "trouble", "waited_s", "cmsd", "cmcd", "cmcd_query"):
        begin = line.find(f',"{field}":"$')
        if "log_format" in line and begin >= 0:
            line = line[:begin] + line[line.index('"', begin + len(field) + 5) + 1 :]
    return line
