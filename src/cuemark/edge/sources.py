"""Whom an appliance asks for what it lacks: peers, then the storage tier, then the origin.

A peer is asked only for what it holds. Of several, two are asked, chosen by the file's own hash
(rendezvous, Thaler and Ravishankar, 1998), so that a cluster asks the same two about the same file.
Whoever did not answer is left alone for a while, longer each time, and then asked once; whoever
gave wrong bytes is left alone for long.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import xxhash

ASKED_PEERS = 2
ASKED_STORAGE = 2
FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 30.0
WRONG_PAUSE_S = 600.0
MOST_KNOWN = 256


class Kind(enum.Enum):
    PEER = "peer"
    STORAGE = "storage"
    ORIGIN = "origin"


@dataclass(frozen=True)
class Source:
    """One place to fetch from; ``name`` is an appliance's id, or empty for the origin."""

    name: str
    kind: Kind


ORIGIN = Source("", Kind.ORIGIN)

_FAILURES_BORNE = {Kind.PEER: 0, Kind.STORAGE: 1, Kind.ORIGIN: 2}
"""How many times in a row a source may fail to answer before it is left alone."""


@dataclass
class _Standing:
    failures: int = 0
    shunned_until_s: float = float("-inf")
    distrusted_until_s: float = float("-inf")

    def shunned(self, now_s: float) -> bool:
        return now_s < max(self.shunned_until_s, self.distrusted_until_s)


class Ranks:
    """What is known of the sources. Times are of the monotonic clock."""

    def __init__(self) -> None:
        self._neighbours: tuple[Source, ...] = ()
        self._standing: dict[Source, _Standing] = {ORIGIN: _Standing()}

    def learn(self, neighbours: Sequence[Source]) -> None:
        """The peers and the storage tier are these now. What is known of one that was a neighbour
        lately is known again when it comes back."""
        self._neighbours = tuple(neighbours)
        for source in (*neighbours, ORIGIN):
            self._standing[source] = self._standing.pop(source, _Standing())
        while len(self._standing) > max(MOST_KNOWN, len(neighbours) + 1):
            del self._standing[next(iter(self._standing))]

    def rank(self, key: str, now_s: float) -> tuple[Source, ...]:
        """Whom to ask for ``key``, in this order; the origin is always the last."""
        willing = [each for each in self._neighbours if not self.shunned(each, now_s)]
        peers = sorted(
            (each for each in willing if each.kind is Kind.PEER),
            key=lambda each: xxhash.xxh3_64_intdigest(f"{key}/{each.name}".encode()),
        )
        storage = [each for each in willing if each.kind is Kind.STORAGE]
        return (*peers[:ASKED_PEERS], *storage[:ASKED_STORAGE], ORIGIN)

    def shunned(self, source: Source, now_s: float) -> bool:
        """Whether it is left alone now."""
        standing = self._standing.get(source)
        return standing is not None and standing.shunned(now_s)

    def may_ask(self, source: Source, now_s: float) -> bool:
        """Whether to ask it now. One that was left alone is asked once, and then left alone again
        until that came to something."""
        if source not in (*self._neighbours, ORIGIN):
            return False
        standing = self._standing[source]
        if standing.shunned(now_s):
            return False
        if standing.failures > _FAILURES_BORNE[source.kind]:
            standing.shunned_until_s = now_s + _pause_s(source, standing.failures)
        return True

    def was_right(self, source: Source) -> None:
        """It answered as it should, were it only that it lacks the file."""
        if (standing := self._standing.get(source)) is not None:
            standing.failures = 0
            standing.shunned_until_s = float("-inf")

    def was_away(self, source: Source, now_s: float) -> None:
        """It did not answer in time, or broke off."""
        if (standing := self._standing.get(source)) is not None:
            standing.failures += 1
            if standing.failures > _FAILURES_BORNE[source.kind]:
                until_s = now_s + _pause_s(source, standing.failures)
                standing.shunned_until_s = max(standing.shunned_until_s, until_s)

    def was_wrong(self, source: Source, now_s: float) -> None:
        """It gave other bytes than were asked for. The origin is asked again all the same."""
        if source.kind is not Kind.ORIGIN and (standing := self._standing.get(source)) is not None:
            standing.distrusted_until_s = now_s + WRONG_PAUSE_S


def _pause_s(source: Source, failures: int) -> float:
    if source.kind is Kind.ORIGIN:
        return FIRST_PAUSE_S
    times = min(failures - _FAILURES_BORNE[source.kind] - 1, 10)
    return min(LAST_PAUSE_S, FIRST_PAUSE_S * 2.0**times)
