"""Steering: how evenly sessions land, what a lost appliance moves, and what a lookup takes."""

import random
import struct
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.contexts.steering.model import ranking
from cuemark.contexts.steering.model.ranking import SESSION_KBPS, Appliance, Loads
from cuemark.contexts.steering.model.routes import RouteTable
from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering import MOST_ROUTES, AnnounceRoutes, Route

ABOUT = """
The ranking and the table of routes that run in production, called without a server around them;
seed 1. *Balance*: 20,000 sessions land on 20 like appliances between two reports. *Reports 60 s
old*: 10 sessions a second begin and each fetches for 15 to 45 minutes, while every appliance
reports once in 60 s; the worst minute of the second half of 90 minutes counts. *Lost*: one of the
20 falls silent; who played from it goes on with the next of the ranking, and nobody else moves.
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


def measure(stand: Stand) -> list[Figure]:
    sessions = SESSIONS // 10 if stand.quick else SESSIONS
    stand.tell("balance")
    placed = balance(sessions)
    stand.tell("reports 60 s old")
    worst = stale(1200 if stand.quick else 5400)
    stand.tell("lost")
    moved, uneven = lost(sessions)
    stand.tell("lookup")
    filled_s, lookups = lookup(PREFIXES, 3 if stand.quick else 15)
    return [
        figure("steering: balance, most loaded by mean", placed, ""),
        figure("steering: reports 60 s old, most loaded by mean", worst, ""),
        figure("steering: one of 20 lost, moved by 1/20", moved * APPLIANCES, ""),
        figure("steering: one of 20 lost, most loaded of the others by mean", uneven, ""),
        figure("steering: lookup among 100,000 prefixes", min(lookups), "us"),
        figure("steering: taking 100,000 prefixes", filled_s, "s"),
    ]


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


def first(appliances: Sequence[Appliance], loads: Loads, session: str, now: datetime) -> str:
    session_id = PlaySessionId(session)
    return ranking.rank(appliances, loads, session_id, now, 1)[0].appliance_id


def balance(sessions: int) -> float:
    """The most loaded appliance's sessions, by the mean."""
    appliances, loads = fleet(), Loads()
    placed = Counter(first(appliances, loads, f"play-{n}", BEGIN) for n in range(sessions))
    return max(placed.values()) * APPLIANCES / sessions


def stale(seconds: int) -> float:
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
            chosen = first(said, loads, f"play-{second}-{number}", heard)
            running[chosen] += 1
            ends[second + SESSION_S // 2 + rng.randrange(SESSION_S)][chosen] += 1
        running -= ends[second]
    return worst


def lost(sessions: int) -> tuple[float, float]:
    """The share of sessions that move when one appliance falls silent, and how the others are
    loaded then: the most, by the mean."""
    appliances, loads = fleet(), Loads()
    gone = appliances[0].appliance_id
    after: Counter[str] = Counter()
    moved = 0
    for number in range(sessions):
        session_id = PlaySessionId(f"play-{number}")
        ranked = ranking.rank(appliances, loads, session_id, BEGIN, 3)
        left = [each.appliance_id for each in ranked if each.appliance_id != gone]
        moved += ranked[0].appliance_id == gone
        after[left[0]] += 1
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
