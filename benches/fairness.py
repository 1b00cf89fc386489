"""What fair shares do for a small title: ``python -m benches.fairness`` prints it in a second.

A farm of workers is played through, with the turns that ``model/fairness.py`` gives and with those
of a plain queue, on titles whose tasks are known. No film is encoded: the figures say what the
order of tasks does, not how fast a machine is.
"""

import heapq
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from cuemark.contexts.encoding.model import fairness
from cuemark.contexts.encoding.model.fairness import Band, Urgency
from cuemark.contracts.encoding.jobs import Priority

Discipline = Literal["fair", "first come"]
WORKERS = 4
OFF = 0.5
"""Estimates are wrong by up to this share, either way."""


@dataclass(frozen=True)
class Title:
    """``phases`` have the seconds of their tasks; one begins when the one before it is done."""

    name: str
    phases: Sequence[Sequence[float]]
    arrives_s: float = 0.0
    priority: Priority = "normal"


@dataclass
class _Walk:
    title: Title
    phase: int = 0
    left: int = 0
    finish: int = 0
    overrun_s: float = 0.0
    ended_s: float = 0.0


@dataclass
class _Farm:
    discipline: Discipline
    draws: random.Random
    bands: dict[int, Band] = field(default_factory=dict)
    queue: list[tuple[int, int, float, float, int, int, _Walk]] = field(default_factory=list)
    order: "itertools.count[int]" = field(default_factory=itertools.count)

    def begin_phase(self, walk: _Walk) -> None:
        """Put all tasks of the next phase of a title on the queue."""
        seconds = walk.title.phases[walk.phase]
        walk.left = len(seconds)
        place = fairness.band_of(walk.title.priority, Urgency.FULL)
        walk.finish += fairness.ticks(walk.overrun_s)
        walk.overrun_s = 0.0
        for each in seconds:
            estimate_s = each * self.draws.uniform(1 - OFF, 1 + OFF)
            number, start = 0, 0
            if self.discipline == "fair":
                band = self.bands.get(place, Band())
                turn = fairness.charged(place, band, walk.finish, estimate_s)
                walk.finish, number, start = turn.finish, turn.number, turn.start
            heapq.heappush(
                self.queue, (number, next(self.order), each, estimate_s, place, start, walk)
            )

    def take(self) -> tuple[float, float, _Walk]:
        """What a worker takes: its seconds, what was estimated, and whose it is."""
        _, _, seconds, estimate_s, place, start, walk = heapq.heappop(self.queue)
        band = self.bands.get(place, Band())
        self.bands[place] = Band(base=band.base, now=max(band.now, start))
        return seconds, estimate_s, walk


def play(
    titles: Sequence[Title], discipline: Discipline, workers: int = WORKERS, seed: int = 1
) -> dict[str, float]:
    """The seconds from each title's arrival to its end."""
    farm = _Farm(discipline, random.Random(seed))
    walks = [_Walk(title) for title in titles]
    count = itertools.count()
    events: list[tuple[float, int, _Walk, float]] = [
        (walk.title.arrives_s, next(count), walk, -1.0) for walk in walks
    ]
    heapq.heapify(events)
    free = workers
    while events:
        now_s, _, walk, overrun_s = heapq.heappop(events)
        if walk.left == 0 and walk.phase == 0:
            farm.begin_phase(walk)
        else:
            free += 1
            walk.overrun_s += overrun_s
            walk.left -= 1
            if walk.left == 0:
                walk.phase += 1
                if walk.phase < len(walk.title.phases):
                    farm.begin_phase(walk)
                else:
                    walk.ended_s = now_s
        # What comes at one moment is all there before anybody takes from it.
        if events and events[0][0] == now_s:
            continue
        while free and farm.queue:
            seconds, estimate_s, whose = farm.take()
            free -= 1
            heapq.heappush(events, (now_s + seconds, next(count), whose, seconds - estimate_s))
    return {walk.title.name: walk.ended_s - walk.title.arrives_s for walk in walks}


def slowdowns(
    titles: Sequence[Title], discipline: Discipline, workers: int = WORKERS
) -> dict[str, float]:
    """How many times longer each title takes than alone on the farm."""
    together = play(titles, discipline, workers)
    alone = {title.name: play([title], discipline, workers)[title.name] for title in titles}
    return {name: together[name] / alone[name] for name in together}


def film(name: str, chunks: int, arrives_s: float = 0.0, priority: Priority = "normal") -> Title:
    """A title as the pipeline makes it: probes, encodes and scores of each chunk, packaging."""
    draws = random.Random(f"{name} {chunks}")
    tasks = [draws.uniform(2.0, 6.0) for _ in range(5 * chunks)]
    phases = [tasks, tasks[: 3 * chunks], [each / 2 for each in tasks[: 3 * chunks]], [5.0]]
    return Title(name, phases, arrives_s, priority)


SHORT, LONG = film("short", 4, arrives_s=60.0), film("long", 200)


def main() -> None:
    print(f"{WORKERS} workers; a film of 200 chunks, and one of 4 that comes a minute later")
    print("slowdown against the same film alone on the farm:")
    for discipline in ("first come", "fair"):
        found = slowdowns([LONG, SHORT], discipline)
        print(f"  {discipline:<10}  short {found['short']:5.2f}   long {found['long']:5.2f}")
    premiere = film("short", 4, arrives_s=60.0, priority="premiere")
    found = slowdowns([LONG, premiere], "fair")
    print(f"  premiere    short {found['short']:5.2f}   long {found['long']:5.2f}")


if __name__ == "__main__":
    main()
