"""Which variant of each segment a session sees, and whose variants a copy shows.

Every session has a row of fair coins of its own, one for each segment, thrown by HMAC-SHA256 from
its id: head is variant A, tail B. A copy shows, for each of its segments, how much it looks like A
(more than 0) or like B (less). A session that has nothing to do with the copy agrees with it by
chance alone, whatever the copy went through, because its coins know nothing of the copy: so the
chance of a false accusation is known exactly (the tail of a sum of the evidence under random
signs), and needs no model of the picture.

Several viewers who mix their segments are each still found when the copy is long enough, since a
part of the evidence is theirs; members who put each segment to a vote against its majority are
not: codes for that (G. Tardos, "Optimal probabilistic fingerprint codes", J. ACM 55, 2008) tell
less of a single viewer in a short copy.
"""

import hmac
import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

LENGTH = 1024
"""Segments after which a session's row begins again: half an hour and more."""

LEVELS = 16
"""The steps in which evidence is weighed, so that its chances can be counted."""

MOST_CHANCE = 1e-3
"""A session is named where one that has nothing to do with the copy would fit as well less often:
once in a thousand searches, however many sessions were compared."""

MOST_SUSPICIONS = 10
_SUREST = 1e-9

MAX_SEGMENTS = 1_000_000
"""Of a copy: more than any film has."""


class EvidenceUnusable(Exception):
    """What is said of a copy cannot be: the text says why."""


class Suspicion(msgspec.Struct, frozen=True, kw_only=True):
    """How a session's row fits a copy.

    ``agreement`` is the part of the evidence that speaks for it, from 0 to 1, of which a stranger
    has about one half; ``chance`` is how likely one of all the sessions compared would fit as well
    without being in the copy.
    """

    session_id: str
    agreement: float
    chance: float

    @property
    def named(self) -> bool:
        """Whether it fits too well for a stranger."""
        return self.chance <= MOST_CHANCE


def row(secret: bytes, session_id: str) -> bytes:
    """The coins of a session, ``LENGTH`` bits, the first one the highest of the first byte."""
    coins = b""
    block = 0
    while len(coins) * 8 < LENGTH:
        coins += hmac.digest(secret, f"{session_id}/{block}".encode(), "sha256")
        block += 1
    return coins[: LENGTH // 8]


def signs(coins: bytes, first: int, count: int) -> np.ndarray:
    """The variants of ``count`` segments from number ``first`` (0 on): 1 is A and -1 is B."""
    bits = np.unpackbits(np.frombuffer(coins, np.uint8))
    return 1 - 2 * bits[(first + np.arange(count)) % LENGTH].astype(np.int64)


class Comparison:
    """What a copy shows, with which the rows of sessions are compared, some at a time.

    ``evidence`` is that of the copy's segments, of which the first is number ``first`` of the
    film: above 0 for A, below for B, the further the surer, in any unit; 0 where none was seen.
    Raises ``EvidenceUnusable``.
    """

    def __init__(self, evidence: Sequence[float], first: int) -> None:
        if not 0 <= first <= MAX_SEGMENTS or len(evidence) > MAX_SEGMENTS:
            raise EvidenceUnusable("no film has so many segments")
        if not all(map(math.isfinite, evidence)):
            raise EvidenceUnusable("the evidence of a segment must be a number")
        shown = np.sign(np.asarray(evidence, float)).astype(np.int64) * _weights(evidence)
        # Segments that are a row apart were thrown for by one coin, and count as one.
        self._shown = np.zeros(LENGTH, np.int64)
        np.add.at(self._shown, (first + np.arange(len(shown))) % LENGTH, shown)
        self._total = int(np.abs(self._shown).sum())
        self._tail = _tail(np.abs(self._shown))
        self._best: list[tuple[int, str]] = []
        self.compared = 0

    @property
    def shows_nothing(self) -> bool:
        return not self._total

    def add(self, rows: Mapping[str, bytes]) -> None:
        """Compare more sessions, each of which is added once."""
        if not rows:
            return
        self.compared += len(rows)
        coins = np.frombuffer(b"".join(rows.values()), np.uint8).reshape(len(rows), -1)
        fits = (1 - 2 * np.unpackbits(coins, axis=1).astype(np.int64)) @ self._shown
        best = [*self._best, *zip(fits.tolist(), rows, strict=True)]
        self._best = sorted(best, key=lambda each: (-each[0], each[1]))[:MOST_SUSPICIONS]

    def suspicions(self) -> list[Suspicion]:
        """The sessions that fit best, the best first; none where the copy shows nothing."""
        if self.shows_nothing:
            return []
        return [self._suspicion(session_id, fit) for fit, session_id in self._best]

    def _suspicion(self, session_id: str, fit: int) -> Suspicion:
        alone = float(self._tail[(fit + self._total) // 2])
        # 1 - (1 - alone) ** n, which a small chance would be rounded away in.
        among_all = -np.expm1(self.compared * np.log1p(-min(alone, 1 - 1e-16)))
        return Suspicion(
            session_id=session_id,
            agreement=(fit + self._total) / (2 * self._total),
            chance=float(among_all),
        )


def verdict(comparison: Comparison) -> str:
    """What is to be said of a copy, in one sentence for people."""
    found = comparison.suspicions()
    named = [each.session_id for each in found if each.named]
    if named:
        sure = f"one that has no part in it fits so well in {_often(found[len(named) - 1].chance)}"
        if len(named) == 1:
            return f"This copy was made of the play {named[0]}: {sure}."
        if len(named) == MOST_SUSPICIONS:
            return f"This copy was made of {len(named)} plays or more: {sure}."
        return f"This copy was made of {len(named)} plays, {' and '.join(named)}: {sure}."
    if not comparison.compared:
        return "No session can be named: nobody has played these marked pictures."
    if not found:
        return "No session can be named: the copy shows nothing of the film's mark."
    return (
        f"No session can be named: the best of {comparison.compared} fits so well by chance in "
        f"{_often(found[0].chance)}, which is more than 1 of {round(1 / MOST_CHANCE):,}; a longer "
        "copy tells more."
    )


def _often(chance: float) -> str:
    """A chance as so many searches."""
    if chance > 0.1:
        return f"{round(10 * chance)} of 10 such searches"
    if chance < _SUREST:
        return f"less than 1 of {round(1 / _SUREST):,} such searches"
    return f"1 of {round(1 / chance):,} such searches"


def _weights(evidence: Sequence[float]) -> np.ndarray:
    """Evidence as whole numbers to ``LEVELS``; what is far above the usual counts as the usual."""
    sizes = np.abs(np.asarray(evidence, float))
    seen = sizes[sizes > 0]
    if not len(seen):
        return np.zeros(len(sizes), np.int64)
    usual = np.median(seen)
    return np.asarray(np.ceil(LEVELS * (np.minimum(sizes, usual) / usual)), np.int64)


def _tail(weights: np.ndarray) -> np.ndarray:
    """The chance that coins agree with ``weights`` by k or more of their sum, for every k."""
    chances = np.ones(1)
    for weight in weights[weights > 0]:
        longer = np.zeros(len(chances) + weight)
        longer[: len(chances)] += chances / 2
        longer[weight:] += chances / 2
        chances = longer
    return np.asarray(np.minimum(chances[::-1].cumsum()[::-1], 1.0))
