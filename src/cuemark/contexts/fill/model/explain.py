"""Why a file is in a plan, or is not: the figures by which it was decided, and one sentence."""

from dataclasses import dataclass

import numpy as np

from cuemark.contexts.fill.model.catalog import Flags, Floats
from cuemark.contexts.fill.model.plan import FETCH_PLAYS, HORIZON_H, Plan


@dataclass(frozen=True)
class Reason:
    """``expected`` is in plays within the horizon, of which those of the evening count more.

    ``rank`` counts from 1, the most expected first; ``cutoff`` is what the last one wanted has.
    """

    wanted: bool
    held: bool
    expected: float
    rank: int
    of: int
    cutoff: float
    told: str


def explain(file: int, value: Floats, held: Flags, made: Plan) -> Reason:
    """The reason of ``file``; ``value`` and ``held`` are those that ``made`` was made of."""
    expected, there = float(value[file]), bool(held[file])
    rank = int((value > expected).sum()) + 1
    wanted = bool(made.wanted[file])
    return Reason(
        wanted=wanted,
        held=there,
        expected=expected,
        rank=rank,
        of=len(value),
        cutoff=made.cutoff,
        told=_told(wanted, there, expected, made, bool(np.isin(file, made.fill))),
    )


def _told(wanted: bool, there: bool, expected: float, made: Plan, filled: bool) -> str:
    plays = f"{expected:.1f} plays are expected within {HORIZON_H} hours"
    if wanted and there:
        return f"It stays: {plays}, the least that stays has {made.cutoff:.1f}."
    if wanted and filled and expected <= FETCH_PLAYS:
        return f"It is brought: {plays}, and nothing else is wanted in its room."
    if wanted and filled:
        return f"It is brought: {plays}, which is worth more than the {FETCH_PLAYS:.0f} it takes."
    if wanted:
        return f"It is wanted and waits for the next hour of the window: {plays}."
    if expected <= FETCH_PLAYS and not there:
        return f"It is not brought: {plays}, and to bring it takes as much as {FETCH_PLAYS:.0f}."
    kept = "may stay until its room is needed" if there else "is not brought"
    return f"It {kept}: {plays}, and others have {made.cutoff:.1f} or more."
