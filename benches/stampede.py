"""Stampede: many clients ask for one file that is not there yet."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from benches import plain
from benches.clients import Got, all_at_once
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.spread import median, percentile
from benches.stand import Stand
from tests.integration.edge.farm import Farm, farm, free_port, noise

ABOUT = """
An origin that gives 1 MB/s to each connection, an appliance (nginx and agent) before it, and
clients that all ask at once for a file that the appliance lacks. Counted are the origin's log
lines for that file, and the time from each client's connecting to the first byte of its answer's
body. Clients are one Python process on the same cores. Each sample is a file of its own; p50 and
p99 are of all clients of a file.

The anchors are the same nginx as a plain cache before the same origin, `proxy_cache_lock on` with
its timeouts raised to 60 s (its defaults of 5 s send every waiter to the origin when a file takes
longer), and the same without the lock.
"""

CLIENTS, QUICK_CLIENTS = 200, 50
ORIGIN_KBPS = 8000
MEGABYTE = 1 << 20
SIZES = {"1 MiB": (MEGABYTE, 5), "8 MiB": (8 * MEGABYTE, 3)}


class Wave:
    """What all clients of one file saw."""

    def __init__(self, got: Sequence[Got], size_bytes: int, asked: int) -> None:
        if any(each.status != 200 or each.size_bytes != size_bytes for each in got):
            raise BenchFailed("a client of the stampede did not get its file")
        firsts = [each.first_byte_s for each in got]
        self.p50_s, self.p99_s = median(firsts), percentile(firsts, 0.99)
        self.whole_s = median([each.seconds for each in got])
        self.asked = asked


def measure(stand: Stand) -> list[Figure]:
    clients = QUICK_CLIENTS if stand.quick else CLIENTS
    sizes = {"1 MiB": (MEGABYTE, 1)} if stand.quick else SIZES
    rows: list[Figure] = []
    for name, (size_bytes, count) in sizes.items():
        files = {f"v1/{9 + number}.m4s": noise(size_bytes, number) for number in range(count)}
        root = stand.scratch("stampede") / name.replace(" ", "-")
        root.mkdir()
        with farm(root, files, limit_rate_kbps=ORIGIN_KBPS) as built:
            rows += _beside_plain(stand, built, name, clients, size_bytes, list(files))
    return rows


def _beside_plain(
    stand: Stand, built: Farm, size: str, clients: int, size_bytes: int, paths: Sequence[str]
) -> list[Figure]:
    version_id = built.versions[0].version_id

    def waves(who: str, port: int, target: Callable[[str], str]) -> list[Wave]:
        found = []
        for path in paths:
            stand.tell(f"{clients} clients of {size}: {who}")
            asked_before = len(built.origin_requests(path))
            got = asyncio.run(all_at_once(port, target(path), clients))
            asked = len(built.origin_requests(path)) - asked_before
            found.append(Wave(got, size_bytes, asked))
        return found

    ours = waves("Cuemark", built.appliance.port, lambda path: built.target(version_id, path))
    locked, free = (
        _plain(built, built.root / name, lock, waves)
        for name, lock in (("locked", True), ("free", False))
    )
    name = f"stampede: {clients} clients, {size}"
    rows: list[Figure] = []
    for what, unit, value in _MEASURES:
        mine = [value(wave) for wave in ours]
        for who, theirs in (("nginx, proxy_cache_lock", locked), ("nginx, no lock", free)):
            anchor = Anchor(who, median([value(wave) for wave in theirs]))
            suffix = "" if theirs is locked else ", beside no lock"
            rows.append(figure(f"{name}, {what}{suffix}", mine, unit, anchor))
    return rows


_MEASURES: Sequence[tuple[str, str, Callable[[Wave], float]]] = (
    ("requests to the origin", "requests", lambda wave: float(wave.asked)),
    ("first byte p50", "s", lambda wave: wave.p50_s),
    ("first byte p99", "s", lambda wave: wave.p99_s),
    ("whole file p50", "s", lambda wave: wave.whole_s),
)


def _plain(
    built: Farm,
    folder: Path,
    lock: bool,
    waves: Callable[[str, int, Callable[[str], str]], list[Wave]],
) -> list[Wave]:
    port = free_port()
    config = plain.cache_config(folder, port, built.origin, lock=lock)
    version_id = built.versions[0].version_id
    who = "plain nginx with a lock" if lock else "plain nginx without"
    with plain.running(folder, port, config):
        return waves(who, port, lambda path: f"/{version_id}/{path}")
