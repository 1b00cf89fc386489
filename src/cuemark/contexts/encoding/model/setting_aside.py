"""When a piece of work is set aside, and how that is told: by the shot, in one sentence.

A worker that dies says nothing, so each attempt is on record before it begins. Work whose workers
died ``MOST_CRASHES`` times is not begun again: it might end each worker of the farm in turn, for
ever. What a tool itself ends with is told from the machine's hindrances in ``hindrance``.
"""

from fractions import Fraction

import msgspec

from cuemark.contracts.encoding.jobs import Stage, TaskFailure

MOST_CRASHES = 5
STDERR_CHARACTERS = 4000
MOST_ARGUMENTS, ARGUMENT_CHARACTERS = 200, 1000


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work: frames ``start`` to ``end`` of a film of ``rate``, where it is of some."""

    kind: str
    stage: Stage
    made_for: str
    start: int | None = None
    end: int | None = None
    rate: Fraction | None = None


class Said(msgspec.Struct, frozen=True):
    """What a tool was called with, how it ended and the end of what it said."""

    command: list[str]
    exit_code: int | None
    stderr: str


def crashed_too_often(crashes: int) -> bool:
    """Whether work is set aside of which so many attempts ended without a word."""
    return crashes >= MOST_CRASHES


def failure_of(piece: Piece, attempts: int, worker: str, said: Said | None) -> TaskFailure:
    """The log of a piece of work that is set aside, within bounds."""
    seconds = [
        None if frame is None or piece.rate is None else round(float(frame / piece.rate), 3)
        for frame in (piece.start, piece.end)
    ]
    return TaskFailure(
        kind=piece.kind,
        stage=piece.stage,
        made_for=piece.made_for,
        attempts=attempts,
        worker=worker,
        start=piece.start,
        end=piece.end,
        from_s=seconds[0],
        to_s=seconds[1],
        command=[each[:ARGUMENT_CHARACTERS] for each in said.command[:MOST_ARGUMENTS]]
        if said
        else [],
        exit_code=said.exit_code if said else None,
        stderr=said.stderr[-STDERR_CHARACTERS:] if said else "",
    )


def sentence_of(failure: TaskFailure, why: str) -> str:
    """What the job says: ``why`` after the shots that it is about, where there are some."""
    if failure.from_s is None or failure.to_s is None:
        return why
    stretch = f"{clock_time(failure.from_s)} to {clock_time(failure.to_s)}"
    what = f" for {failure.made_for}" if failure.made_for else ""
    return f"the shots from {stretch} could not be made ({failure.kind}{what}): {why}"


def crash_sentence(crashes: int) -> str:
    return (
        f"{crashes} workers ended without a word while they did this, so it is not begun again: "
        "look for what ended them (too little memory, as a rule) and then run `cuemark jobs retry`"
    )


def clock_time(seconds: float) -> str:
    """``0:01:02.5``, to the tenth."""
    tenths = round(seconds * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02}:{tenths // 10 % 60:02}.{tenths % 10}"
