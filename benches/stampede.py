"""Stampede: many clients ask for one file that is not there yet."""

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benches import plain, varnish
from benches.children import run
from benches.crowd import LIMIT_S, Crowd
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.processes import cpu_s
from benches.spread import median, percentile
from benches.stand import Stand
from tests.integration.edge.farm import Farm, farm, free_port, noise

ABOUT = """
A thousand clients come evenly over one second, each on a connection of its own, and ask for 1 MB
that nobody holds: of an appliance (nginx and agent, token and all), of Varnish (Debian's 7.1, in
memory, streaming, an hour of grace) and of the same nginx as a plain cache with
`proxy_cache_lock on` (its timeouts raised to 60 s), one after the other, file by file, before the
same origin. The origin gives 200 kB/s to each connection (*slow*) or as much as it can (*fast*).
Counted are the origin's log lines for that file, the time from when a client was to come to the
first byte of its body, and the CPU of each server. The clients are one process with one epoll, on
the same cores.
"""

OURS, VARNISH, LOCKED = "Cuemark", "Varnish", "nginx, proxy_cache_lock"
ROOT = Path(__file__).parents[1]
CLIENTS, QUICK_CLIENTS, SPREAD_S = 1000, 200, 1.0
SIZE_BYTES = 1_000_000
ORIGINS = {"slow": (1600, 3), "fast": (0, 4)}
"""What each gives, in kbit/s (0 is all it can), and how many files."""


@dataclass(frozen=True)
class Wave:
    """What all clients of one file saw, and what it took. ``cpu_us`` is for each client."""

    asked: float
    first_s: list[float]
    whole_s: float
    cpu_us: float


@dataclass(frozen=True)
class Server:
    """Who is asked; ``pids`` are the processes that serve."""

    name: str
    port: int
    target: Callable[[str], str]
    pids: Sequence[int]


def measure(stand: Stand) -> list[Figure]:
    if shutil.which("varnishd") is None:
        raise BenchFailed("varnishd is missing: run apt-get install varnish")
    clients = QUICK_CLIENTS if stand.quick else CLIENTS
    rows: list[Figure] = []
    for origin, (limit_kbps, count) in ORIGINS.items():
        count = 1 if stand.quick else count
        files = {f"v1/{9 + number}.m4s": noise(SIZE_BYTES, number) for number in range(count)}
        root = stand.scratch("stampede") / origin
        root.mkdir()
        with ExitStack() as stack:
            built = stack.enter_context(farm(root, files, limit_rate_kbps=limit_kbps))
            servers = _servers(stack, built)
            waves: dict[str, list[Wave]] = {each.name: [] for each in servers}
            for path in files:
                for server in servers:
                    stand.tell(f"{clients} clients, {origin} origin: {server.name}")
                    waves[server.name].append(_wave(built, server, path, clients))
        rows += _figures(f"stampede: {clients:,} clients, {origin} origin", waves)
    return rows


def _servers(stack: ExitStack, built: Farm) -> list[Server]:
    version_id = built.versions[0].version_id
    of_varnish, of_nginx = free_port(), free_port()
    varnishd = stack.enter_context(
        varnish.running(built.root / "varnish", of_varnish, built.origin)
    )
    config = plain.cache_config(built.root / "locked", of_nginx, built.origin)
    nginx = stack.enter_context(plain.running(built.root / "locked", of_nginx, config))
    ours = [built.children[name].process.pid for name in ("nginx", "agent")]
    return [
        Server(
            OURS, built.appliance.port, lambda path: built.target(version_id, path), tuple(ours)
        ),
        Server(VARNISH, of_varnish, lambda path: f"/{version_id}/{path}", (varnishd,)),
        Server(LOCKED, of_nginx, lambda path: f"/{version_id}/{path}", (nginx,)),
    ]


def _wave(built: Farm, server: Server, path: str, clients: int) -> Wave:
    asked_before = len(built.origin_requests(path))
    used_s = sum(map(cpu_s, server.pids))
    argv = [sys.executable, "-m", "benches.crowd", str(server.port), server.target(path)]
    said = run([*argv, str(clients), str(SPREAD_S)], limit_s=LIMIT_S + 30, cwd=ROOT)
    used_s = sum(map(cpu_s, server.pids)) - used_s
    crowd = msgspec.json.decode(said, type=Crowd)
    if crowd.served != clients or crowd.size_bytes != [SIZE_BYTES]:
        raise BenchFailed(f"{server.name} served {crowd.served} of {clients} clients")
    asked = len(built.origin_requests(path)) - asked_before
    return Wave(asked, crowd.first_s, median(crowd.whole_s), used_s / clients * 1e6)


_MEASURES: Sequence[tuple[str, str, Callable[[Wave], float]]] = (
    ("requests to the origin", "requests", lambda wave: wave.asked),
    ("first byte p50", "ms", lambda wave: median(wave.first_s) * 1000),
    ("first byte p95", "ms", lambda wave: percentile(wave.first_s, 0.95) * 1000),
    ("first byte p99", "ms", lambda wave: percentile(wave.first_s, 0.99) * 1000),
    ("whole file p50", "ms", lambda wave: wave.whole_s * 1000),
    ("CPU of a client", "us", lambda wave: wave.cpu_us),
)


def _figures(name: str, waves: dict[str, list[Wave]]) -> list[Figure]:
    rows = []
    for what, unit, value in _MEASURES:
        mine = [value(wave) for wave in waves[OURS]]
        for who, suffix in ((VARNISH, ""), (LOCKED, ", beside nginx")):
            anchor = Anchor(who, median([value(wave) for wave in waves[who]]))
            rows.append(figure(f"{name}, {what}{suffix}", mine, unit, anchor))
    return rows
