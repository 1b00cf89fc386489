"""Steered: what a play sees of the death of its appliance, and when steering leaves it."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import imageio_ffmpeg
import msgspec

from benches.children import run
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.rider import Undecoded
from benches.spread import percentile
from benches.stand import Install, Made, Stand
from cuemark.app.cli.appliances import Draining
from cuemark.contracts.steering.reports import SILENCE_S
from cuemark.kit.process import kill_group
from cuemark.player.api import Api, BearerToken
from cuemark.player.errors import PlayerError
from cuemark.player.line import Line
from cuemark.player.report import Move, Report
from cuemark.player.session import Moment, Options, play

ABOUT = """
Four rounds of 25 reference players (segments fetched and paced, not decoded) for each fault, on the
same cores as the service. Before each round the second of two appliances drains, so that all plays
begin at the first one. Their lines carry twice what the lowest rung takes, so that each is nearly
always fetching. In mid-play the first appliance and its agent are *killed* (its port refuses) or
*frozen* (`SIGSTOP`: connections open, nothing answers), with the supervisor stopped, which would
bring them back at once. *The next segment from elsewhere* is how long each play waited for the
first segment that another appliance delivered, from its first request for it on, with all attempts
that failed or were abandoned before. *Steering drops it* is asked of the steering manifest
of one play every 50 ms, from the fault on. *Drained* is from the command `cuemark appliances drain`
until a play has its first segment from elsewhere, which waits for the TTL of its last answer.
"""

ROUNDS, PLAYS, QUICK_PLAYS = 4, 25, 4
FAULT_AT_S, SECONDS = 4.0, 14.0
DRAINED_AT_S, DRAINED_SECONDS = 11.0, 44.0
"""Late enough for plays to have an answer that holds for long, and to fetch when it is over."""

FILM_S = 50
MARGIN, DRAINED_MARGIN = 2.0, 1.2
DROP_LIMIT_S = 15.0
POLL_S = 0.05
_STEERING = re.compile(r"<ContentSteering[^>]*>([^<]+)<")


@dataclass(frozen=True)
class Round:
    """What plays told after a fault, and how long steering named the appliance after it."""

    reports: list[Report]
    failed: int
    moves: list[Move]
    dropped_s: float


def measure(stand: Stand) -> list[Figure]:
    made = stand.made(_film(stand))
    plays = QUICK_PLAYS if stand.quick else PLAYS
    rows: list[Figure] = []
    with _patient_members(stand.install(), plays) as tokens:
        for fault in ("killed", "frozen"):
            rounds = []
            for number in range(1 if stand.quick else ROUNDS):
                stand.tell(f"appliance {fault}: round {number + 1}")
                rounds.append(asyncio.run(_round(stand.install(), made, tokens, fault)))
            rows += _of_fault(fault, rounds)
        stand.tell("appliance drained")
        rows += _of_drain(asyncio.run(_round(stand.install(), made, tokens, "drained")))
    return rows


def _of_fault(fault: str, rounds: list[Round]) -> list[Figure]:
    count = sum(len(each.reports) + each.failed for each in rounds)
    waited_ms = [move.waited_s * 1000 for each in rounds for move in each.moves]
    if not waited_ms:
        raise BenchFailed("no play was at the appliance that was taken away")
    stalls = sum(report.stalls for each in rounds for report in each.reports)
    stalled_ms = [float(report.stall_ms) for each in rounds for report in each.reports]
    name = f"steered: {fault} in mid-play"
    failed = sum(each.failed for each in rounds)
    return [
        figure(f"{name}, {count} plays, failed", failed, "plays"),
        figure(f"{name}, {count} plays, stalls", stalls, "stalls"),
        figure(f"{name}, {count} plays, stalled in all, p50", percentile(stalled_ms, 0.5), "ms"),
        figure(f"{name}, {count} plays, stalled in all, most", max(stalled_ms), "ms"),
        figure(f"{name}, next segment from elsewhere, p50", percentile(waited_ms, 0.5), "ms"),
        figure(f"{name}, next segment from elsewhere, most", max(waited_ms), "ms"),
        figure(f"{name}, steering drops it", [each.dropped_s for each in rounds], "s"),
    ]


def _of_drain(found: Round) -> list[Figure]:
    left_s = [move.at_s for move in found.moves]
    count = len(found.reports) + found.failed
    if not left_s:
        raise BenchFailed("no play left the appliance that drained")
    name = f"steered: drained in mid-play, {count} plays"
    return [
        figure(f"{name}, failed", found.failed, "plays"),
        figure(f"{name}, that left by then", len(left_s), "plays"),
        figure(f"{name}, last one gone", max(left_s), "s"),
    ]


async def _round(install: Install, made: Made, tokens: list[str], fault: str) -> Round:
    first, second = (each for each in ("appliance-1", "appliance-2"))
    await asyncio.to_thread(_drain, install, second, draining=True)
    await asyncio.sleep(2 * SILENCE_S)
    begun = _Begun(len(tokens))
    playing = [
        asyncio.create_task(_play(_options(install, made, token, fault), begun)) for token in tokens
    ]
    steering_url = await _steering_url(install, made, tokens[0])
    await begun.all_play()
    await asyncio.to_thread(_drain, install, second, draining=False)
    await asyncio.sleep(DRAINED_AT_S if fault == "drained" else FAULT_AT_S)
    with ExitStack() as stack:
        at_s = time.monotonic()
        if fault == "drained":
            await asyncio.to_thread(_drain, install, first, draining=True)
        else:
            stack.enter_context(_away(install, first, fault))
        dropped_s = await asyncio.to_thread(_dropped_s, steering_url, first, at_s)
        ended = await asyncio.gather(*playing)
    if fault == "drained":
        await asyncio.to_thread(_drain, install, first, draining=False)
    reports = [report for report, _ in ended if report is not None]
    moves = [
        msgspec.structs.replace(move, at_s=begun_s + move.at_s - at_s)
        for report, begun_s in ended
        if report is not None
        for move in _moves_after(report, first, at_s - begun_s)
    ]
    return Round(reports, len(ended) - len(reports), moves, dropped_s)


def _moves_after(report: Report, left: str, at_s: float) -> list[Move]:
    """The first move away from an appliance after a moment of the play; none where it had moved."""
    return [move for move in report.moves if move.left == left and move.at_s > at_s][:1]


class _Begun:
    """Waits until so many plays show their film."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._all = asyncio.Event()

    def one(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._all.set()

    async def all_play(self) -> None:
        async with asyncio.timeout(60):
            await self._all.wait()


def _options(install: Install, made: Made, token: str, fault: str) -> Options:
    drained = fault == "drained"
    lowest_kbps = min(each.peak_bitrate_kbps for each in made.version.renditions)
    sound_kbps = max(each.bitrate_kbps for each in made.version.audio)
    margin = DRAINED_MARGIN if drained else MARGIN
    return Options(
        api_url=install.api_url,
        credential=BearerToken(token),
        title=made.job.title_id,
        seconds=DRAINED_SECONDS if drained else SECONDS,
        from_s=0,
        line=Line([0.0], [margin * (lowest_kbps + sound_kbps)]),
    )


async def _play(options: Options, begun: _Begun) -> tuple[Report | None, float]:
    """The report, None of a play that failed, and when its count of time began."""
    shown = False

    def watch(now: Moment) -> None:
        nonlocal shown
        if not shown and now.position_s > 0:
            shown = True
            begun.one()

    begun_s = time.monotonic()
    try:
        return await play(options, watch=watch, decoder=Undecoded()), begun_s
    except PlayerError:
        begun.one()
        return None, begun_s


async def _steering_url(install: Install, made: Made, token: str) -> str:
    """Where one more play is steered."""
    async with Api(install.api_url) as api:
        await api.log_in(BearerToken(token))
        started = await api.start_play(made.job.title_id, "bench")
        found = _STEERING.search(await api.text(started.dash_url))
    if found is None:
        raise BenchFailed("the manifest of a play names no place where it is steered")
    return found[1]


def _dropped_s(url: str, appliance_id: str, at_s: float) -> float:
    """How long after ``at_s`` steering names an appliance no more."""
    while True:
        with urlopen(url, timeout=5) as answer:
            named = answer.read().decode()
        now_s = time.monotonic() - at_s
        if appliance_id not in named and "PATHWAY-PRIORITY" in named:
            return now_s
        if now_s > DROP_LIMIT_S:
            raise BenchFailed(f"steering still names {appliance_id} after {now_s:.0f} s")
        time.sleep(POLL_S)


def _drain(install: Install, appliance_id: str, *, draining: bool) -> None:
    path = f"/appliances/{appliance_id}/draining"
    install.operator.put(path, {"draining": draining}, Draining)


@contextmanager
def _away(install: Install, appliance_id: str, fault: str) -> Iterator[None]:
    """The appliance with its agent is gone, or hangs, as long as the block runs."""
    groups = [install.pids[appliance_id], install.pids[f"{appliance_id}-agent"]]
    supervisor = install.supervisor_pid
    os.kill(supervisor, signal.SIGSTOP)
    try:
        for group in groups:
            kill_group(group, signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
        yield
    finally:
        for group in groups:
            kill_group(group, signal.SIGCONT)
        os.kill(supervisor, signal.SIGCONT)


@contextmanager
def _patient_members(install: Install, count: int) -> Iterator[list[str]]:
    """The tokens of so many members; both appliances may have plays again afterwards."""
    try:
        yield install.members(count)
    finally:
        for appliance_id in ("appliance-1", "appliance-2"):
            _drain(install, appliance_id, draining=False)


def _film(stand: Stand) -> Path:
    """Small, and longer than what players fetch ahead: nobody looks at it."""
    target = stand.folder / "steered.mp4"
    if not target.exists():
        argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i"]
        argv += [f"testsrc2=size=480x270:rate=8:duration={FILM_S}", "-f", "lavfi", "-i"]
        argv += [f"sine=frequency=330:duration={FILM_S}", "-c:v", "libx264", "-crf", "14"]
        argv += ["-pix_fmt", "yuv420p", "-c:a", "aac", str(target)]
        run(argv, limit_s=120)
    return target
