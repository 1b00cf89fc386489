"""Steering: how evenly sessions land, what a lost appliance moves, and what a lookup takes; where
all appliances hold all films, and where each holds what a plan of fill has for it."""

import random
import struct
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.contexts.fill.model.clusters import divided
from cuemark.contexts.fill.model.placement import Box, keys
from cuemark.contexts.steering.model import ranking
from cuemark.contexts.steering.model.holding import UNTOLD, Film
from cuemark.contexts.steering.model.ranking import SESSION_KBPS, Appliance, Loads
from cuemark.contexts.steering.model.routes import RouteTable
from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering.routes import MOST_ROUTES, AnnounceRoutes, Route
from cuemark.kit.rendezvous import key_of

ABOUT = """
The ranking and the table of routes that run in production, called without a server around them;
seed 1. *Balance*: 20,000 sessions land on 20 like appliances between two reports. *Reports 60 s
old*: 10 sessions a second begin and each fetches for 15 to 45 minutes, while every appliance
reports once in 60 s; the worst minute of the second half of 90 minutes counts. *Lost*: one of the
20 falls silent; who played from it goes on with the next of the ranking, and nobody else moves.
*By a plan*: each session wants one of 5,000 films, drawn by Zipf's law with the exponent 0.9, and
each film is on the appliances where fill's planner puts it by that law, with copies of those that
bring half of the load; all of them have room for 1.25 times the films together. *Held*: the
sessions whose first appliance holds their film.
*Lookup*: the paths of all appliances to a random client, in a table of 100,000 prefixes of 16 to 24
bits; one thread, the best of its rounds, since other programs share the machine. *Taking* these
prefixes is the time of applying their batches.
"""

APPLIANCES = 20
SESSIONS = 20_000
PREFIXES = 100_000
REPORT_S, SESSION_S, PER_SECOND = 60, 1800, 10
CAPACITY_KBPS = 100_000_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SEED = 1
FILMS, ZIPF, SPARE = 5_000, 0.9, 1.25

Wanted = Callable[[str], Film]
"""The film that a session wants."""


def measure(stand: Stand) -> list[Figure]:
    sessions = SESSIONS // 10 if stand.quick else SESSIONS
    seconds = 1200 if stand.quick else 5400
    rows: list[Figure] = []
    for name, wanted in (("", anything), ("by a plan, ", planned())):
        stand.tell(f"{name}balance")
        placed, held = balance(sessions, wanted)
        stand.tell(f"{name}reports 60 s old")
        worst = stale(seconds, wanted)
        stand.tell(f"{name}lost")
        moved, uneven = lost(sessions, wanted)
        rows += [
            figure(f"steering: {name}balance, most loaded by mean", placed, ""),
            figure(f"steering: {name}reports 60 s old, most loaded by mean", worst, ""),
            figure(f"steering: {name}one of 20 lost, moved by 1/20", moved * APPLIANCES, ""),
            figure(
                f"steering: {name}one of 20 lost, most loaded of the others by mean", uneven, ""
            ),
        ]
    rows.append(figure("steering: by a plan, held", 100 * held, "%"))
    stand.tell("lookup")
    filled_s, lookups = lookup(PREFIXES, 3 if stand.quick else 15)
    return [
        *rows,
        figure("steering: lookup among 100,000 prefixes", min(lookups), "us"),
        figure("steering: taking 100,000 prefixes", filled_s, "s"),
    ]


def anything(session: str) -> Film:
    """Of a film that all appliances hold nothing is to be known."""
    return UNTOLD


def planned() -> Wanted:
    """Films by Zipf's law, each on the appliances where the planner has it."""
    law = np.arange(1, FILMS + 1) ** -ZIPF
    size = np.random.default_rng(SEED).integers(2, 9, FILMS) * 10**9
    room = int(size.sum() * SPARE / APPLIANCES)
    names = [each.appliance_id for each in fleet()]
    versions = [f"ver_{number}" for number in range(FILMS)]
    # Plays of a film, so that its bytes follow the law.
    plays = law / size
    every = np.ones(FILMS, dtype=np.bool_)
    on = divided(keys(versions), plays, size, every, [Box(name, room) for name in names])
    rooms = dict.fromkeys(names, room)
    films = [
        Film(
            key_of(version),
            {name: 100 * int(there) for name, there in zip(names, row, strict=True)},
            rooms,
        )
        for version, row in zip(versions, on, strict=True)
    ]
    upto = np.cumsum(law / law.sum())

    def wanted(session: str) -> Film:
        draw = random.Random(f"{SEED}/{session}").random()
        return films[min(int(np.searchsorted(upto, draw)), FILMS - 1)]

    return wanted


def fleet(at: datetime = BEGIN) -> list[Appliance]:
    return [
        Appliance(
            ApplianceId(f"edge-{n}"),
            f"http://edge-{n}.test",
            True,
            0,
            at,
            capacity_kbps=CAPACITY_KBPS,
        )
        for n in range(APPLIANCES)
    ]


def ranked(
    appliances: Sequence[Appliance],
    loads: Loads,
    session: str,
    now: datetime,
    film: Film,
    limit: int = 1,
) -> list[ApplianceId]:
    session_id = PlaySessionId(session)
    found = ranking.rank(appliances, loads, session_id, now, limit, film=film)
    return [each.appliance_id for each in found]


def balance(sessions: int, wanted: Wanted) -> tuple[float, float]:
    """The most loaded appliance's sessions, by the mean, and the share whose film it holds."""
    appliances, loads = fleet(), Loads()
    placed: Counter[str] = Counter()
    held = 0
    for number in range(sessions):
        session = f"play-{number}"
        film = wanted(session)
        (chosen,) = ranked(appliances, loads, session, BEGIN, film)
        placed[chosen] += 1
        held += film.percent.get(chosen, 0) == 100
    return max(placed.values()) * APPLIANCES / sessions, held / sessions


def stale(seconds: int, wanted: Wanted) -> float:
    """The worst imbalance at the end of a minute, where loads are told once a minute."""
    rng, loads = random.Random(SEED), Loads()
    running: Counter[str] = Counter()
    ends: list[Counter[str]] = [Counter() for _ in range(seconds + 2 * SESSION_S)]
    said = fleet()
    worst = 1.0
    for second in range(seconds):
        now = BEGIN + timedelta(seconds=second)
        if second % REPORT_S == 0:
            if second > seconds // 2:
                worst = max(worst, max(running.values()) * APPLIANCES / running.total())
            said = [
                replace(
                    each,
                    served_kbps=running[each.appliance_id] * SESSION_KBPS,
                    last_report_at=now,
                )
                for each in said
            ]
        # The report is old, not the appliance silent.
        heard = said[0].last_report_at
        for number in range(PER_SECOND):
            session = f"play-{second}-{number}"
            (chosen,) = ranked(said, loads, session, heard, wanted(session))
            running[chosen] += 1
            ends[second + SESSION_S // 2 + rng.randrange(SESSION_S)][chosen] += 1
        running -= ends[second]
    return worst


def lost(sessions: int, wanted: Wanted) -> tuple[float, float]:
    """The share of sessions that move when one appliance falls silent, and how the others are
    loaded then: the most, by the mean."""
    appliances, loads = fleet(), Loads()
    gone = appliances[0].appliance_id
    after: Counter[str] = Counter()
    moved = 0
    for number in range(sessions):
        session = f"play-{number}"
        order = ranked(appliances, loads, session, BEGIN, wanted(session), 3)
        moved += order[0] == gone
        after[next(each for each in order if each != gone)] += 1
    return moved / sessions, max(after.values()) * (APPLIANCES - 1) / sessions


def lookup(prefixes: int, rounds: int) -> tuple[float, list[float]]:
    """Seconds to take the prefixes in, and the microseconds of a lookup in each round."""
    rng, table = random.Random(SEED), RouteTable()
    routes: dict[str, Route] = {}
    while len(routes) < prefixes:
        length = rng.choice([24, 24, 24, 24, 24, 24, 22, 20, 19, 16])
        bits = rng.getrandbits(32) >> (32 - length) << (32 - length)
        prefix = f"{bits >> 24}.{bits >> 16 & 255}.{bits >> 8 & 255}.{bits & 255}/{length}"
        routes[prefix] = Route(prefix, "198.51.100.1", 100, rng.randrange(1, 5), 0)
    every = list(routes.values())
    began_s = time.perf_counter()
    for revision, start in enumerate(range(0, len(every), MOST_ROUTES), start=1):
        table.apply(
            AnnounceRoutes(
                appliance_id=ApplianceId(f"edge-{revision % APPLIANCES}"),
                epoch=str(revision),
                revision=1,
                announced=every[start : start + MOST_ROUTES],
            )
        )
    filled_s = time.perf_counter() - began_s
    clients = [struct.pack(">I", rng.getrandbits(32)) for _ in range(20_000)]
    return filled_s, [_round_us(table, clients) for _ in range(rounds)]


def _round_us(table: RouteTable, clients: Sequence[bytes]) -> float:
    began_s = time.perf_counter()
    for client in clients:
        table.paths(client)
    return (time.perf_counter() - began_s) / len(clients) * 1e6
