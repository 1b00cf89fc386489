"""Whose task is next: strict priorities, and start-time fair queueing between titles of one.

A queue of DBOS gives out the task with the least number. The number of a task is its band (the
priority of its title, and in it the quick versions before the full ones) and then its start tag
in the virtual time of that band: Goyal, Vin and Cheng, "Start-time Fair Queuing" (SIGCOMM 1996),
after Demers, Keshav and Shenker (SIGCOMM 1989); with several workers for the one server, after
Jin, Chase and Kaur, "Interposed Proportional Sharing for a Storage Service Utility" (SIGMETRICS
2004). A task starts where the title's one before it finishes, or now, whichever is later; the
virtual time is the start tag of the task that was begun last. So of two titles that always have
tasks waiting each gets the same work done, whatever their sizes; one that has none for a while
saves up nothing.

What a task takes is not known before. It is charged by an estimate, and the title's next tasks
with the difference to what it took.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import get_args

import msgspec

from cuemark.contracts.encoding.jobs import Priority

TICKS_A_SECOND = 10
TAG_BITS = 28
TAGS = 1 << TAG_BITS
"""Start tags within a band: 310 days of one worker's work. See ``rebased``."""

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
LEAST_S = 0.1
SAMPLES_A_SECOND = 2e7
"""About what a core encodes, in luma samples at the presets of a full version; only the ratio of
one task to another matters, and the titles are charged with what it took in the end."""
OTHER_S = 1.0
"""For work that is not of a stretch of frames."""


class Urgency(IntEnum):
    """The quick versions of all titles of a priority go before their full ones."""

    QUICK = 0
    FULL = 1


class Band(msgspec.Struct, frozen=True):
    """Virtual time of a band in ticks: ``now``, and ``base``, at which its numbers begin."""

    base: int = 0
    now: int = 0


class Charge(msgspec.Struct, frozen=True):
    """The turn of a task: its number in the queue and its start tag, and the title's finish tag
    after it, in ticks."""

    number: int
    start: int
    finish: int


NEVER: Mapping[int, Band] = {}
LATEST_NUMBER = len(PRIORITIES) * len(Urgency) * TAGS - 1


def band_of(priority: Priority, urgency: Urgency) -> int:
    """The place of a band among all: the least goes first."""
    return PRIORITIES.index(priority) * len(Urgency) + int(urgency)


def priority_of(number: int) -> Priority:
    """Whose number in the queue this is."""
    return PRIORITIES[min(number, LATEST_NUMBER) // (TAGS * len(Urgency))]


def charged(place: int, band: Band, finish: int, estimate_s: float) -> Charge:
    """The turn of a title's next task in the band at ``place``, whose last one ended at ``finish``.

    What lies beyond the last tag of the band gets that one, and goes in the order of its coming.
    """
    start = max(band.now, finish)
    tag = min(max(start - band.base, 0), TAGS - 1)
    # DBOS takes numbers from 1 on.
    number = max(1, place * TAGS + tag)
    return Charge(number, start, start + ticks(max(LEAST_S, estimate_s)))


def moved(finish: int, old: Band, new: Band) -> int:
    """The finish tag of a title that comes from one band into another: as far ahead of it."""
    return new.now + max(0, finish - old.now)


def shift(old: Band, new: Band) -> int:
    """What a task's tag changes by that goes from one band into another: as ``moved``."""
    return (new.now - new.base) - (old.now - old.base)


def rebased(band: Band) -> Band | None:
    """The band with its numbers begun anew at its present, once half of them are used up."""
    if band.now - band.base < TAGS // 2:
        return None
    return Band(base=band.now, now=band.now)


def may_have_strays(band: Band) -> bool:
    """Whether tasks may wait in it whose numbers were counted from the base before.

    Who puts a task on the queue knows the band as it was a moment ago. Such a number has a tag of
    ``TAGS // 2`` or more, and soon after the numbers began anew no other has.
    """
    return band.base > 0 and band.now - band.base < TAGS // 4


def ticks(seconds: float) -> int:
    return round(seconds * TICKS_A_SECOND)


def estimate_s(frames: int, samples: int) -> float:
    """What work on so many frames of so many luma samples may take; both 0 for other work."""
    return max(LEAST_S, frames * samples / SAMPLES_A_SECOND) if frames and samples else OTHER_S
