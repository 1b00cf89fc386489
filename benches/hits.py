"""Hits: what an appliance serves from its disk, and what a request of it costs."""

import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product, repeat
from pathlib import Path

from benches import plain
from benches.children import run
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.processes import cpu_s
from benches.spread import median
from benches.stand import Stand
from cuemark.contracts.ids import VersionId
from cuemark.edge import tls
from cuemark.edge.revoked import Revoked
from cuemark.edge.tokens import Tokens
from cuemark.kit import cat
from cuemark.kit.clock import SystemClock
from tests.integration.edge.farm import Farm, free_port, noise, serving, until

ABOUT = """
`wrk` (Debian's 4.1), and `h2load` for HTTP/2, ask an appliance, with a valid token in the path, for
one file that it holds: one thread, 16 connections kept open, 5 s, in turn with the anchor, five
times. The appliance runs one nginx worker, which judges the token of each request (the first was
judged by njs), writes its access log and the headers of CORS and caching. CPU is the kernel's
account of nginx alone, by request. Rows of TLS and of HTTP/2 are over TLS 1.3 on both sides.

The anchor is the same nginx with one worker and `sendfile on`, no token, no log, in the same mode.
It is also the floor: the difference is what judging and telling cost. *Agent* is an appliance's
agent asked without nginx before it, which is in Python and serves so where nginx does not run.

A *verdict* is what the agent takes to say what a token opens, in Python, where it stands without
nginx: the first time (cold), and each that follows (remembered).
"""

SIZES = {"4 KB": 4096, "1 MB": 1_000_000}
MODES = {"": "wrk", ", TLS": "wrk", ", HTTP/2": "h2load"}
CONNECTIONS, SECONDS, ROUNDS = 16, 5, 5
VERDICTS = 2000
_REQUESTS = re.compile(r"(\d+) requests in ([\d.]+)(ms|s)")
_STREAMS = re.compile(
    r"finished in ([\d.]+)s.*?requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, 0 fa",
    re.DOTALL,
)


@dataclass(frozen=True)
class Load:
    """``cpu_us`` is nginx's CPU for each request."""

    requests_s: float
    cpu_us: float


def measure(stand: Stand) -> list[Figure]:
    for program, package in (("wrk", "wrk"), ("h2load", "nghttp2-client")):
        if shutil.which(program) is None:
            raise BenchFailed(f"{program} is missing: run apt-get install {package}")
    rows = _of_modes(stand, [""], "hits")
    rows += _of_modes(stand, [", TLS", ", HTTP/2"], "hits-tls")
    return rows + _verdicts(stand)


def _of_modes(stand: Stand, modes: Sequence[str], scratch: str) -> list[Figure]:
    """The rows of all sizes in each of the modes, which speak TLS or none."""
    files = {f"v1/{9 + n}.m4s": noise(size, n) for n, size in enumerate(SIZES.values())}
    rounds, seconds = (1, 2) if stand.quick else (ROUNDS, SECONDS)
    rows: list[Figure] = []
    root, secure = stand.scratch(scratch), "" not in modes
    built = Farm(root)
    if secure:
        built.secure()
    with serving(built, files):
        version_id = built.versions[0].version_id
        port, folder = free_port(), root / "plain"
        pem = Path(built.appliance.folder) / tls.SERVED if secure else None
        config = plain.static_config(folder, port, built.objects / "versions", pem)
        with plain.running(folder, port, config) as plain_pid:
            pid = built.children["nginx"].process.pid
            scheme = "https" if secure else "http"
            for mode, (name, path) in product(modes, zip(SIZES, files, strict=True)):
                ours, theirs = built.target(version_id, path), f"/{version_id}/{path}"
                asked = f"{scheme}://127.0.0.1:{built.appliance.port}{ours}"
                run(["wrk", "-t1", "-c1", "-d1s", "--timeout", "5s", asked], limit_s=30)
                until(partial(_held, version_id, path, built))
                asked_of = [
                    (ours, built.appliance.port, pid),
                    (theirs, port, plain_pid),
                    (ours, built.appliance.agent_port, built.children["agent"].process.pid),
                ]
                if secure:
                    # The agent speaks no TLS.
                    del asked_of[2]
                loads: list[list[Load]] = [[] for _ in asked_of]
                for number in range(rounds):
                    stand.tell(f"hits of {name}{mode}: round {number + 1} of {rounds}")
                    for (target, at, of), into in zip(asked_of, loads, strict=True):
                        url = f"{scheme}://127.0.0.1:{at}{target}"
                        into.append(load(url, of, seconds, MODES[mode]))
                mine, floor, *alone = loads
                rows += _of_size(f"{name}{mode}", mine, floor)
                rows += [row for each in alone for row in _of_size(f"{name}, agent", each, floor)]
    return rows


def _held(version_id: VersionId, path: str, built: Farm) -> bool:
    return (Path(built.appliance.folder) / "views" / version_id / path).exists()


def _verdicts(stand: Stand) -> list[Figure]:
    """What the agent takes to say what a token opens now."""
    now_s = int(SystemClock().now().timestamp())
    key = cat.TokenKey("2026a", b"k" * 32)
    made = [
        cat.mint(
            cat.Claims(
                subject=f"play_{number:026}",
                audience="appliance-1",
                path_prefix=f"/ver_{number:026}/",
                issued_at_s=now_s,
                expires_at_s=now_s + 3600,
            ),
            key,
        )
        for number in range(VERDICTS)
    ]
    revoked = Revoked(stand.scratch("verdicts"), SystemClock())
    cold, remembered = [], []
    for _ in range(1 if stand.quick else ROUNDS):
        held = {key.kid: key.key}
        tokens = Tokens("appliance-1", partial(next, repeat(held)), revoked, SystemClock())
        cold.append(_verdict_us(tokens, made))
        remembered.append(_verdict_us(tokens, made))
    return [
        figure("hits: verdict, cold", cold, "us"),
        figure("hits: verdict, remembered", remembered, "us"),
    ]


def _verdict_us(tokens: Tokens, made: Sequence[str]) -> float:
    """CPU for each token."""
    begun_s = time.process_time()
    found = [tokens.claims(token) for token in made]
    used_s = time.process_time() - begun_s
    if not all(isinstance(each, cat.Claims) for each in found):
        raise BenchFailed("a genuine token was refused")
    return used_s / len(made) * 1e6


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


def load(url: str, pid: int, seconds: int, program: str = "wrk") -> Load:
    """Load one URL; ``pid`` is the nginx that answers."""
    common = ["-t1", f"-c{CONNECTIONS}"]
    if program == "wrk":
        argv = ["wrk", *common, f"-d{seconds}s", "--timeout", "5s", url]
    else:
        argv = ["h2load", *common, f"-D{seconds}", "-m1", url]
    before_s = cpu_s(pid)
    said = run(argv, limit_s=seconds + 30)
    used_s = cpu_s(pid) - before_s
    return load_of(said, used_s) if program == "wrk" else streams_of(said, used_s)


def streams_of(said: str, used_s: float) -> Load:
    """From what h2load printed and the CPU used; raises ``BenchFailed`` unless all succeeded."""
    counted = _STREAMS.search(said)
    if counted is None or not int(counted[2]):
        raise BenchFailed(f"not every request of the load was answered: {said[-300:]}")
    return Load(int(counted[2]) / float(counted[1]), used_s / int(counted[2]) * 1e6)


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
