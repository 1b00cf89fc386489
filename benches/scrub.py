"""Scrub: whether every byte that a disk has changed is found, and at what cost."""

import random
import time
from pathlib import Path

from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.processes import cpu_s
from benches.stand import Stand
from tests.integration.edge.farm import Farm, farm, noise, until

ABOUT = """
An appliance fills itself with 400 files of 1 MB. Then one bit of each of 100 of them is flipped, at
a place that a seeded generator draws, and the agent is started with a scrub whose rate is not
bounded. After the round every file is asked for and compared. *Found*, *served wrong after it* and
*healed* are shares of the 100; *read* is how fast the round went while nobody asked the appliance
for anything, and *CPU* the agent's for each gigabyte that it read.
"""

FILES, FLIPPED, SIZE_BYTES = 400, 100, 1_000_000
QUICK_FILES, QUICK_FLIPPED = 40, 10
SEED = 11


def measure(stand: Stand) -> list[Figure]:
    count, flipped = (QUICK_FILES, QUICK_FLIPPED) if stand.quick else (FILES, FLIPPED)
    files = {f"v1/{n + 9}.m4s": noise(SIZE_BYTES, n) for n in range(count)}
    root = stand.scratch("scrub")
    options = {"background_kbps": 100_000_000, "scrub_kbps": 0, "store_limit_bytes": 1 << 40}
    with farm(root, files, **options) as built:
        stand.tell("filling")
        until(lambda: built.health().held_files == count, 300)
        until(lambda: len(built.stored()) == count)
        built.children["agent"].stop()
        rng = random.Random(SEED)
        for name in rng.sample(sorted(built.stored()), flipped):
            _flip(root / "appliance" / "store" / name[:2] / name, rng.randrange(8 * SIZE_BYTES))
        stand.tell("scrubbing")
        seconds, used_s = _scrubbed(built)
        health = built.health()
        wrong = _served_wrong(built, files)
        return [
            figure("scrub: found", health.rotten / flipped, "of the flipped"),
            figure("scrub: served wrong after it", wrong / flipped, "of the flipped"),
            figure("scrub: healed", health.healed / flipped, "of the flipped"),
            figure("scrub: read", count * SIZE_BYTES / seconds / 1e6, "MB/s"),
            figure("scrub: CPU", used_s / (count * SIZE_BYTES / 1e9), "s/GB"),
        ]


def _scrubbed(built: Farm) -> tuple[float, float]:
    """Start the agent with a scrub; seconds of its first round, and CPU seconds of the agent."""
    built.change(scrub_kbps=100_000_000)
    built.start("agent")
    until(lambda: bool(built.logged("scrub_began")), 30)
    pid = built.children["agent"].process.pid
    begun_s, before_s = time.monotonic(), cpu_s(pid)
    until(lambda: bool(built.logged("scrub_ended")), 600)
    took = time.monotonic() - begun_s, cpu_s(pid) - before_s
    health = built.health()
    if health.rotten:
        until(lambda: built.health().to_heal == 0, 120)
    return took


def _served_wrong(built: Farm, files: dict[str, bytes]) -> int:
    version_id = built.versions[0].version_id
    wrong = 0
    for path, body in files.items():
        reply = built.get(built.target(version_id, path))
        if reply.status != 200:
            raise BenchFailed(f"{path} was answered by {reply.status}")
        wrong += reply.body != body
    return wrong


def _flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))
