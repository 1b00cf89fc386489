"""How appliances are ranked.

The nearest ring first, by routes and then by places. Within a ring those that hold the film, as
``holding.py`` has it. Among those two choices by rendezvous hashing (Thaler and Ravishankar, 1998),
weighted by what their lines carry (Schindelhauer and Schomaker, 2005), of which the one with more
headroom wins (Mitzenmacher, 2001), place by place: loads even out without the herd that a stale
minimum draws, and a session keeps its appliances while loads are equal.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter, mul

import xxhash

from cuemark.contexts.steering.model.holding import UNTOLD, Film
from cuemark.contexts.steering.model.places import NOWHERE, remoteness
from cuemark.contexts.steering.model.routes import Path
from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering.reports import GONE_S, SILENCE_S
from cuemark.contracts.steering.routes import Place

MAX_RANKED = 10
SESSION_KBPS = 5_000
"""What a session is taken to fetch until a report has it."""
FULL_SHARE = 0.95
"""Of its capacity: an appliance that sends more gets sessions only where all others are full."""

BUSY_BY_MEAN = 1.25
"""A film stays with those that hold it until they have so many times what is even. Less spreads it
over the ring at every chance, more lets one be loaded while others idle."""
LITTLE_SHARE, LITTLE_IN_FLIGHT = 0.5, 16
"""Up to this nobody is busy, however idle the others are: half of a line, and so many requests."""

Ring = tuple[int, ...]


@dataclass(frozen=True)
class Appliance:
    """What an appliance last said of itself, and when that came in.

    ``draining`` is what operators say of it, ``of_storage`` what the install's settings do.
    """

    appliance_id: ApplianceId
    url: str
    healthy: bool
    in_flight: int
    last_report_at: datetime
    draining: bool = False
    of_storage: bool = False
    capacity_kbps: int = 0
    served_kbps: int = 0
    announced_only: bool = False
    place: Place | None = None

    def alive(self, now: datetime) -> bool:
        """Whether it has spoken within the last ``SILENCE_S``.

        A report from the future is from before the clock was set back: no sign of life either.
        """
        return abs(now - self.last_report_at) < timedelta(seconds=SILENCE_S)

    def gone(self, now: datetime) -> bool:
        """Whether it has been silent for so long that nobody should be sent there at all."""
        return now - self.last_report_at >= timedelta(seconds=GONE_S)


@dataclass(frozen=True)
class Client:
    """What is known of whom a ranking is for: by which path each appliance has it, and where it is.

    Of one of whom nothing is known, all appliances are as near.
    """

    paths: Mapping[ApplianceId, Path] = field(default_factory=dict)
    place: Place = NOWHERE

    def ring(self, appliance: Appliance, full: bool) -> Ring:
        """The least is the best; load decides between appliances of one ring alone.

        Past all others come those of the storage tier, which are there for appliances, those that
        are for announced clients alone, where this is none, and those that are full.
        """
        path = self.paths.get(appliance.appliance_id)
        return (
            int(appliance.of_storage),
            int(appliance.announced_only and path is None),
            int(full),
            *((0, *path.cost) if path else (1, 0, 0, 0, 0)),
            remoteness(self.place, appliance.place),
        )


ANYBODY = Client()


class Loads:
    """Requests in flight at each appliance, plus the sessions placed since its last report.

    The next report counts those sessions itself, so it takes the place of the local count.
    """

    def __init__(self) -> None:
        self._placed: dict[ApplianceId, tuple[datetime, int]] = {}

    def of(self, appliance: Appliance) -> int:
        return appliance.in_flight + self._since_report(appliance)

    def share(self, appliance: Appliance) -> float:
        """What it sends of what its line carries; 0 where nobody said what that is."""
        if not appliance.capacity_kbps:
            return 0.0
        placed_kbps = self._since_report(appliance) * SESSION_KBPS
        return (appliance.served_kbps + placed_kbps) / appliance.capacity_kbps

    def full(self, appliance: Appliance) -> bool:
        return self.share(appliance) >= FULL_SHARE

    def measure(self, appliances: Sequence[Appliance]) -> Callable[[Appliance], float]:
        """How these are compared: by shares, unless what one of them carries is not known."""
        return self.share if all(each.capacity_kbps for each in appliances) else self.of

    def busy(self, ring: Sequence[Appliance]) -> frozenset[ApplianceId]:
        """Which of a ring have more to do than a film is worth that others would have to fetch."""
        load_of = self.measure(ring)
        by_share = load_of == self.share
        weight = [each.capacity_kbps if by_share else 1 for each in ring]
        load = [load_of(each) for each in ring]
        even = sum(map(mul, load, weight)) / sum(weight)
        most = max(BUSY_BY_MEAN * even, LITTLE_SHARE if by_share else LITTLE_IN_FLIGHT)
        return frozenset(
            each.appliance_id for each, of in zip(ring, load, strict=True) if of >= most
        )

    def place(self, appliance: Appliance) -> None:
        """Count one more session on ``appliance``."""
        placed = self._since_report(appliance) + 1
        self._placed[appliance.appliance_id] = (appliance.last_report_at, placed)

    def _since_report(self, appliance: Appliance) -> int:
        reported_at, placed = self._placed.get(appliance.appliance_id, (None, 0))
        return placed if reported_at == appliance.last_report_at else 0


def rank(
    knowing: Sequence[Appliance],
    loads: Loads,
    session_id: PlaySessionId,
    now: datetime,
    limit: int,
    client: Client = ANYBODY,
    film: Film = UNTOLD,
) -> list[Appliance]:
    """The best of the appliances that know the version; the first is counted as chosen."""
    ranked: list[Appliance] = []
    for ring in rings(knowing, loads, now, client):
        load_of = loads.measure(ring)
        weighted = load_of == loads.share
        for group in grouped(ring, film, loads):
            left = group.appliances
            if not group.ordered:
                left = _drawn(session_id, left, weighted=weighted)
            while left and len(ranked) < limit:
                ranked.append(left[0] if group.ordered else min(left[:2], key=load_of))
                left.remove(ranked[-1])
    if ranked:
        loads.place(ranked[0])
    return ranked


@dataclass(frozen=True)
class Group:
    """Appliances of a ring that are as good for a film: in this order where they are ``ordered``,
    else by session and load. ``holds`` and ``busy`` say why they are together."""

    appliances: list[Appliance]
    ordered: bool = False
    holds: bool = False
    busy: bool = False


def grouped(ring: Sequence[Appliance], film: Film, loads: Loads | None = None) -> list[Group]:
    """The appliances of a ring by what they hold of a film, the best group first.

    First those that hold it and are not busy, then those that do not and are not busy, in the
    film's own order: so what nobody holds, or has room to serve, is fetched by one of them and not
    by all. That is consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam,
    2018); without ``loads`` nobody is busy. Where all hold it, or nobody told what it holds, there
    is nothing to choose by.
    """
    if not film.told_by(each.appliance_id for each in ring):
        return [Group(list(ring))]
    held = film.held_by(each.appliance_id for each in ring)
    if len(held) == len(ring):
        return [Group(list(ring), holds=True)]
    busy = loads.busy(ring) if loads else frozenset[ApplianceId]()
    of: dict[tuple[bool, bool], list[Appliance]] = {}
    for each in ring:
        kind = each.appliance_id in busy, each.appliance_id not in held
        of.setdefault(kind, []).append(each)
    fetch = False, True
    if fetch in of:
        own = film.order(each.appliance_id for each in of[fetch])
        of[fetch].sort(key=lambda each: own.index(each.appliance_id))
    return [
        Group(of[kind], ordered=kind == fetch, holds=not kind[1], busy=kind[0])
        for kind in sorted(of)
    ]


def rings(
    knowing: Sequence[Appliance], loads: Loads, now: datetime, client: Client
) -> list[list[Appliance]]:
    """Those that can serve a client, the nearest first; those in one list are as near.

    Where all of them have fallen silent, those that did so lately rank all the same, as load
    balancers do past their panic threshold (Envoy): a client fails over by itself, and a refused
    play cannot.
    """
    healthy = [appliance for appliance in knowing if appliance.healthy]
    able = [appliance for appliance in healthy if appliance.alive(now)]
    able = able or [appliance for appliance in healthy if not appliance.gone(now)]

    placed = [(client.ring(each, loads.full(each)), each) for each in able]
    placed.sort(key=itemgetter(0))
    return [[each for _, each in ring] for _, ring in groupby(placed, itemgetter(0))]


def settled(
    knowing: Sequence[Appliance],
    session_id: PlaySessionId,
    now: datetime,
    client: Client = ANYBODY,
    film: Film = UNTOLD,
) -> Appliance | None:
    """Whom a session goes to whatever loads are, short of full: the same each time it is asked."""
    for ring in rings(knowing, Loads(), now, client):
        weighted = all(each.capacity_kbps for each in ring)
        best = grouped(ring, film)[0]
        if best.ordered:
            return best.appliances[0]
        return _drawn(session_id, best.appliances, weighted=weighted)[0]
    return None


def led_past(knowing: Sequence[Appliance], first: Appliance, client: Client) -> bool:
    """Whether one that knows the version is nearer to a client than the first that was ranked:
    then it was not fit.

    What Netflix calls a health miss, where the second serves what the nearest would have had.
    """
    nearness = client.ring(first, False)
    return any(client.ring(each, False) < nearness for each in knowing)


def _drawn(
    session_id: PlaySessionId, appliances: Sequence[Appliance], *, weighted: bool
) -> list[Appliance]:
    return sorted(
        appliances, key=lambda each: _affinity(session_id, each, weighted=weighted), reverse=True
    )


def _affinity(session_id: PlaySessionId, appliance: Appliance, *, weighted: bool) -> float:
    text = f"{session_id}/{appliance.appliance_id}"
    drawn = ((xxhash.xxh3_64_intdigest(text.encode()) >> 12) + 0.5) / 2**52
    return -(appliance.capacity_kbps if weighted else 1) / math.log(drawn)
