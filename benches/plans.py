"""Plans: what it takes to plan fill from six weeks of demand, rebuilt from the hours as kept."""

import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.contexts.fill.model.clusters import made
from cuemark.contexts.fill.model.hours import Counts
from cuemark.contexts.fill.model.stock import KnownAppliance, KnownVersion, ServedHour, Stock
from cuemark.contexts.fill.model.tracks import COMPANION, LINES, Facts
from cuemark.contracts.fill import KEPT_DAYS
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId

ABOUT = f"""
What a control process does once an hour: two regions of two appliances each, 500 titles of ten
tracks, and {KEPT_DAYS} days of hours in each of which every track was served. The forecast is
rebuilt from the first hour to the last, both regions are planned, and the plans are encoded.
PostgreSQL is not in it. A process of its own for each round; one thread.
"""

TITLES, RENDITIONS = 500, 7
ROUNDS = 3
NOW = datetime(2026, 3, 3, 19, 5, tzinfo=UTC)


def measure(stand: Stand) -> list[Figure]:
    titles, days = (50, 7) if stand.quick else (TITLES, KEPT_DAYS)
    seconds, mebibytes = [], []
    for number in range(1 if stand.quick else ROUNDS):
        stand.tell(f"planning: round {number + 1}")
        argv = [sys.executable, "-m", "benches.plans", str(titles), str(days)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            raise BenchFailed(f"no plan was made: {done.stderr[-300:]}")
        took_s, most = map(float, done.stdout.split())
        seconds.append(took_s)
        mebibytes.append(most)
    of = f"{titles * (RENDITIONS + 3):,} tracks, 2 regions, {days} days"
    return [
        figure(f"plans: planned, {of}", seconds, "s"),
        figure(f"plans: memory, {of}", mebibytes, "MiB"),
    ]


def _stock(titles: int, days: int) -> Stock:
    rng = np.random.default_rng(1)
    facts = [
        Facts(f"v{n}", f"video/h264/sdr/{LINES[n]}", 10**9 * (n + 1)) for n in range(RENDITIONS)
    ]
    facts += [
        Facts("a-en", "sound/aac/2/en/main", 10**8),
        Facts("t-en", COMPANION, 10**5),
        Facts("thumbnails", COMPANION, 10**7),
    ]
    versions = [
        KnownVersion(
            VersionId(f"ver_{title}"),
            TitleId(f"ttl_{title}"),
            "full",
            6000.0,
            NOW - timedelta(days=int(rng.integers(0, 200))),
            facts,
            range(title * len(facts), (title + 1) * len(facts)),
        )
        for title in range(titles)
    ]
    numbers = np.arange(titles * len(facts))
    whole = titles * sum(each.size_bytes for each in facts)
    appliances = [
        KnownAppliance(
            ApplianceId(f"{region}-{number}"), region, "Europe/Oslo", whole // 8, NOW, "edge", {}
        )
        for region in ("north", "south")
        for number in range(2)
    ]
    hours = []
    for hour in range(days * 24, 0, -1):
        for region in ("north", "south"):
            of_bytes = (rng.exponential(3e8, len(numbers))).astype("<i8").tobytes()
            counts = Counts.read(numbers.astype("<i4").tobytes(), of_bytes)
            at = NOW.replace(minute=0) - timedelta(hours=hour)
            hours.append(ServedHour(region, at, counts.tracks, counts.of_bytes))
    return Stock(versions, appliances, hours)


def main() -> None:
    """Plan once, and print the seconds and the largest memory of this process in MiB."""
    titles, days = map(int, sys.argv[1:])
    stock = _stock(titles, days)
    begun_s = time.perf_counter()
    plans = [msgspec.msgpack.encode(plan) for plan in made(stock, NOW)]
    took_s = time.perf_counter() - begun_s
    if len(plans) != 2:
        raise BenchFailed(f"{len(plans)} regions were planned")
    print(took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
