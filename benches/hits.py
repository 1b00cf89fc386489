"""Hits: what an appliance serves from its disk, and what a request of it costs."""

import re
import shutil
from dataclasses import dataclass
from functools import partial

from benches import plain
from benches.children import run
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.processes import cpu_s
from benches.spread import median
from benches.stand import Stand
from tests.integration.edge.farm import Farm, farm, free_port, noise, until

ABOUT = """
`wrk` (Debian's 4.1) asks an appliance, with a valid token in the path, for one file that it
holds: one thread, 16 connections kept open, 5 s, in turn with the anchor, five times. The
appliance runs one nginx worker, verifies the token (the verdict is remembered), writes its access
log and the headers of CORS and caching. CPU is the kernel's account of nginx alone, by request.

The anchor is the same nginx with one worker and `sendfile on`, no token, no log. It is also the
floor: the difference is what verifying and telling cost.
"""

SIZES = {"4 KB": 4096, "1 MB": 1_000_000}
CONNECTIONS, SECONDS, ROUNDS = 16, 5, 5
_REQUESTS = re.compile(r"(\d+) requests in ([\d.]+)(ms|s)")


@dataclass(frozen=True)
class Load:
    """``cpu_us`` is nginx's CPU for each request."""

    requests_s: float
    cpu_us: float


def measure(stand: Stand) -> list[Figure]:
    if shutil.which("wrk") is None:
        raise BenchFailed("wrk is missing: run apt-get install wrk")
    files = {f"v1/{9 + n}.m4s": noise(size, n) for n, size in enumerate(SIZES.values())}
    rounds, seconds = (1, 2) if stand.quick else (ROUNDS, SECONDS)
    rows: list[Figure] = []
    root = stand.scratch("hits")
    with farm(root, files) as built:
        version_id = built.versions[0].version_id
        port, folder = free_port(), root / "plain"
        config = plain.static_config(folder, port, built.objects / "versions")
        with plain.running(folder, port, config) as plain_pid:
            for name, path in zip(SIZES, files, strict=True):
                target = built.target(version_id, path)
                until(partial(_held, built, target))
                ours = f"http://127.0.0.1:{built.appliance.port}{target}"
                theirs = f"http://127.0.0.1:{port}/{version_id}/{path}"
                mine, floor = [], []
                for number in range(rounds):
                    stand.tell(f"hits of {name}: round {number + 1} of {rounds}")
                    pid = built.children["nginx"].process.pid
                    mine.append(load(ours, pid, seconds))
                    floor.append(load(theirs, plain_pid, seconds))
                rows += _of_size(name, mine, floor)
    return rows


def _held(built: Farm, target: str) -> bool:
    return built.get(target).headers["cache-status"].endswith("hit")


def _of_size(name: str, mine: list[Load], floor: list[Load]) -> list[Figure]:
    def anchor(values: list[float]) -> Anchor:
        return Anchor("nginx, static", median(values))

    return [
        figure(
            f"hits: {name}, requests",
            [each.requests_s for each in mine],
            "requests/s",
            anchor([each.requests_s for each in floor]),
        ),
        figure(
            f"hits: {name}, CPU of a request",
            [each.cpu_us for each in mine],
            "us",
            anchor([each.cpu_us for each in floor]),
        ),
    ]


def load(url: str, pid: int, seconds: int) -> Load:
    """Load one URL; ``pid`` is the nginx that answers."""
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", url]
    before_s = cpu_s(pid)
    said = run(argv, limit_s=seconds + 30)
    return load_of(said, cpu_s(pid) - before_s)


def load_of(said: str, used_s: float) -> Load:
    """From what wrk printed and the CPU used; raises ``BenchFailed`` unless all were answered."""
    counted = _REQUESTS.search(said)
    if counted is None or "Non-2xx" in said or "Socket errors" in said:
        raise BenchFailed(f"not every request of the load was answered: {said[-300:]}")
    requests = int(counted[1])
    wall_s = float(counted[2]) / (1000 if counted[3] == "ms" else 1)
    if not requests:
        raise BenchFailed("the load had no request")
    return Load(requests / wall_s, used_s / requests * 1e6)
