"""Capacity: how many plays this machine holds at once with no stall."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from benches.figures import Figure, figure
from benches.processes import cpu_of_each
from benches.riders import Riders, riders, spread_out
from benches.spread import median
from benches.stand import Made, Stand
from cuemark.kit.cost import Meter

ABOUT = """
Reference players and the whole service on the same cores. Each play is paced in real time, begins
at a moment and a place of its own (seeded), adapts, fetches at most 30 s ahead with its token from
an appliance, decrypts (cbcs), decodes every frame of picture and sound on one thread, draws
nothing, and reports progress every 5 s, as a member of its own; the plays of one core share a
process. A count holds when no play of it stalls once or fails. The count is doubled from 5 until
it does not hold, then bisected to within a tenth.

*Without decoding* is the same with segments fetched, paced and thrown away: nearer to what the
service holds, and still bound by the players in Python. *Cuemark's CPU* is what all processes of
the install use beside the players at the count that held.
"""

FIRST, MOST = 5, 400
QUICK_MOST = 20
SECONDS, QUICK_SECONDS = 40.0, 6.0
WITHIN_S = 5.0
SEED = 7


def search(holds: Callable[[int], bool], first: int = FIRST, most: int = MOST) -> int:
    """The greatest count known to hold: doubled, then bisected to within a tenth; 0 for none."""
    good, bad, count = 0, 0, first
    while not bad and good < most:
        count = min(count, most)
        if holds(count):
            good, count = count, 2 * count
        else:
            bad = count
    while bad and bad - good > max(1, good // 10):
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good


@dataclass(frozen=True)
class Round:
    """What so many plays at once did; the shares are of one core, in percent."""

    stalled: int
    failed: int
    why: str
    startup_ms: float
    kbps: float
    service_percent: float
    players_percent: float

    @property
    def holds(self) -> bool:
        return not self.stalled and not self.failed

    def __str__(self) -> str:
        return f"{self.stalled} stalled, {self.failed} failed" + (f" ({self.why})" * bool(self.why))


def measure(stand: Stand) -> list[Figure]:
    made = stand.made(stand.trailer())
    rows: list[Figure] = []
    with riders(len(os.sched_getaffinity(0)), stand.scratch("capacity")) as players:
        for name, decode in (("decoding", True), ("without decoding", False)):
            rounds: dict[int, Round] = {}

            def holds(count: int, rounds: dict[int, Round] = rounds, decode: bool = decode) -> bool:
                stand.tell(f"{count} plays, {'' if decode else 'not '}decoding")
                rounds[count] = play_round(stand, made, players, count, decode)
                stand.tell(f"{count} plays, {rounds[count]}")
                return rounds[count].holds

            most = QUICK_MOST if stand.quick else MOST
            held = search(holds, most=most)
            found = figure(f"capacity: {name}, plays with no stall", held, "plays")
            beyond = min((count for count, each in rounds.items() if not each.holds), default=0)
            tried = f"of {beyond}: {rounds[beyond]}" if beyond else "more were not tried"
            rows.append(msgspec.structs.replace(found, spread=tried))
            if held:
                rows += _of_round(f"capacity: {name}, at that count", rounds[held], decode)
    return rows


def play_round(stand: Stand, made: Made, players: Riders, count: int, decode: bool) -> Round:
    """Play so many at once."""
    install = stand.install()
    rides = spread_out(
        install.members(count),
        film_s=made.version.duration_s,
        seconds=QUICK_SECONDS if stand.quick else SECONDS,
        within_s=WITHIN_S,
        seed=SEED,
    )
    before, meter = cpu_of_each(install.pids), Meter(children=False)
    done = players.ask(install.api_url, made.job.title_id, rides, decode=decode)
    wall_s, after = meter.cost.wall_s, cpu_of_each(install.pids)
    return Round(
        stalled=sum(1 for each in done.outcomes if each.stalls),
        failed=sum(1 for each in done.outcomes if each.error),
        why=next((each.error for each in done.outcomes if each.error), ""),
        startup_ms=median([float(each.startup_ms) for each in done.outcomes]),
        kbps=median([each.kbps for each in done.outcomes]),
        service_percent=100 * (sum(after.values()) - sum(before.values())) / wall_s,
        players_percent=100 * done.cpu_s / wall_s,
    )


def _of_round(name: str, held: Round, decode: bool) -> list[Figure]:
    rows = [
        figure(f"{name}, start", held.startup_ms, "ms"),
        figure(f"{name}, Cuemark's CPU", held.service_percent, "% of a core"),
        figure(f"{name}, the players' CPU", held.players_percent, "% of a core"),
    ]
    return [*rows, figure(f"{name}, bitrate", held.kbps, "kbit/s")] if decode else rows
