"""The pictures of a rendition against the master's, frame by frame, as tiny luma pictures.

At half of ``WIDTH`` by ``HEIGHT`` no quality of an encode shows any more: what differs is what is
shown, or when. At the whole of it some does, and small things that move are seen: what a rendition
leaves standing there is held against what its own quality leaves. A master's own black, freezes and
flashes are content, and only told.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model import cadence
from cuemark.contexts.encoding.model.validation.findings import (
    Finding,
    Span,
    error,
    told,
    warning,
)
from cuemark.contracts.encoding.validation import Check

CHECKS: tuple[Check, ...] = ("frames", "black", "freeze", "picture")
MASTER_CHECKS: tuple[Check, ...] = ("cadence", "photosensitivity")

WIDTH, HEIGHT = 64, 36
SHIFTS = (-2, -1, 0, 1, 2)
_HERE = SHIFTS.index(0)

BLACK_PEAK, BLACK_MEAN = 42.0, 32.0
"""Of luma from 16 to 235: what is under both shows nothing."""
DARKER = 8.0
LOST_S = 0.08
"""Two frames at 24 a second: a shorter loss may be a fade that an encoder has shortened."""
OWN_BLACK_S, OWN_FREEZE_S = 2.0, 5.0
STILL = 0.05
"""Mean difference of two frames in which nothing moves: far under one level of luma."""
FROZEN_S, MOVED = 0.5, 1.5
LOCALLY, LOCALLY_STILL, LOCALLY_MOVED, BEYOND_OWN = 4, 1.0, 4.0, 2.0
"""So many points make a thing that moves. It stands still under one step of what a point can say;
it should have moved where the difference from the master has risen by so many levels, and by so
much more than what the rendition differs by anyway: an encoder leaves what is under its step."""
NOISE_PEAK = 10.0
"""An encoder may also hold the grain of one frame. Two frames of normal noise lie apart in the
``LOCALLY``-th point by eight times the mean step of their halved pictures; this is more than that.
"""
OTHER, OTHER_S = 16.0, 0.2
SHIFT_S, SHIFT_LEAST, SHIFT_RATIO, SHIFT_OWN = 0.5, 0.3, 0.6, 1.5
"""Over so long, a shifted master must fit so much better, something must move, and by so much more
than the rendition differs by anyway: in a dark fade a poor encode lags behind by itself."""

Luma = NDArray[np.uint8]
Numbers = NDArray[np.float32]


class Trace(msgspec.Struct, frozen=True):
    """For each frame of a rendition: one row of numbers, and how many frames it has.

    ``rows`` has the columns luma and peak of the rendition, luma and peak of the master, step from
    the frame before in the rendition and in the master, the difference from the master's frames
    at each of ``SHIFTS``, and of the ``LOCALLY``-th most different point of the finer pictures the
    step in the rendition and the difference from the master. ``frames`` may be more or less than
    the master's.
    """

    rows: Numbers
    frames: int


_V_LUMA, _V_PEAK, _M_LUMA, _M_PEAK, _V_STEP, _M_STEP, _APART = range(7)
_SHIFTED = slice(_APART, _APART + len(SHIFTS))
_V_LOCAL_STEP, _LOCAL_APART = _SHIFTED.stop, _SHIFTED.stop + 1


def coarse(pictures: Luma) -> Luma:
    """Pictures of half the width and height, each point the mean of four."""
    wide = pictures.astype(np.uint16)
    four = wide[:, ::2, ::2] + wide[:, 1::2, ::2] + wide[:, ::2, 1::2] + wide[:, 1::2, 1::2]
    found: Luma = ((four + 2) >> 2).astype(np.uint8)
    return found


def compared(pictures: Luma, before: Luma | None, master: Luma, at: int) -> Numbers:
    """The rows of ``pictures`` (n by h by w), the first of which is frame ``at`` of the film.

    ``before`` is the picture that precedes them, ``master`` all pictures of the master. Rows are
    as many as the master has frames left.
    """
    count = max(0, min(len(pictures), len(master) - at))
    rows = np.zeros((count, _LOCAL_APART + 1), np.float32)
    if not count:
        return rows
    fine = pictures[:count].astype(np.int16)
    first = pictures[:1] if before is None else before[np.newaxis]
    fine_before = np.concatenate([first.astype(np.int16), fine[:-1]])
    rows[:, _V_LOCAL_STEP] = _locally(fine - fine_before)
    rows[:, _LOCAL_APART] = _locally(fine - master[at : at + count].astype(np.int16))
    here = coarse(pictures[:count]).astype(np.int16)
    here_before = np.concatenate([coarse(first).astype(np.int16), here[:-1]])
    # All frames of the master that these are held against, the first and the last ones repeated.
    begin = at + SHIFTS[0]
    places = np.clip(np.arange(begin, at + count + SHIFTS[-1]), 0, len(master) - 1)
    window = coarse(master[places[0] : places[-1] + 1]).astype(np.int16)[places - places[0]]
    there, there_before = (window[each - begin :][:count] for each in (at, at - 1))
    rows[:, _V_LUMA], rows[:, _V_PEAK] = _mean(here), here.max(axis=(1, 2))
    rows[:, _M_LUMA], rows[:, _M_PEAK] = _mean(there), there.max(axis=(1, 2))
    rows[:, _V_STEP] = _mean(np.abs(here - here_before))
    rows[:, _M_STEP] = _mean(np.abs(there - there_before))
    for column, shift in enumerate(SHIFTS, _APART):
        other = window[at + shift - begin :][:count]
        rows[:, column] = _mean(np.abs(here - other))
    return rows


def _locally(difference: NDArray[np.int16]) -> Numbers:
    """Of each frame, the difference of the ``LOCALLY``-th most different point."""
    points = np.abs(difference).reshape(len(difference), -1)
    found: Numbers = np.partition(points, -LOCALLY, axis=1)[:, -LOCALLY].astype(np.float32)
    return found


def _mean(frames: NDArray[np.int16]) -> Numbers:
    found: Numbers = frames.mean(axis=(1, 2), dtype=np.float32)
    return found


def findings(name: str, trace: Trace, samples: int, rate: float) -> list[Finding]:
    """What a rendition of so many ``samples`` shows that the master does not."""
    rows = trace.rows
    found = []
    shift = _shifted(rows, rate)
    if trace.frames != samples:
        found.append(
            error("frames", f"of the {samples} frames of {name} {trace.frames} can be decoded")
        )
    if shift:
        found.append(error("frames", f"{name} misses or repeats a frame: {shift}"))
    v_black = (rows[:, _V_LUMA] < BLACK_MEAN) & (rows[:, _V_PEAK] < BLACK_PEAK)
    lost = v_black & (rows[:, _M_LUMA] > rows[:, _V_LUMA] + DARKER)
    if black := _spans(lost, rate, LOST_S):
        found.append(error("black", f"{name} is black {told(black)}, where the master is not"))
    if frozen := _frozen(rows, ~lost, rate):
        found.append(error("freeze", f"{name} stands still {told(frozen)}, where the master moves"))
    explained = lost | _within(frozen, len(rows), rate)
    apart = rows[:, _APART + _HERE] > OTHER
    if (other := _spans(apart & ~explained, rate, OTHER_S)) and not shift:
        found.append(
            error("picture", f"{name} shows another picture than the master {told(other)}")
        )
    return found


def _shifted(rows: Numbers, rate: float) -> str:
    """When first the pictures are the master's of another frame; empty where they never are."""
    size = max(8, round(SHIFT_S * rate))
    apart = rows[:, _SHIFTED]
    own = float(np.median(apart.min(axis=1))) if len(apart) else 0.0
    least = max(SHIFT_LEAST, SHIFT_OWN * own)
    for at in range(0, len(rows) - size + 1, size):
        means = apart[at : at + size].mean(axis=0)
        best = int(means.argmin())
        if best != _HERE and means[_HERE] > least and means[best] < SHIFT_RATIO * means[_HERE]:
            shift = SHIFTS[best]
            many = "a frame" if abs(shift) == 1 else f"{abs(shift)} frames"
            return f"at {at / rate:.2f} s it is {many} {'early' if shift > 0 else 'late'}"
    return ""


def _frozen(rows: Numbers, counted: NDArray[np.bool_], rate: float) -> list[Span]:
    """Where the rendition stands still, of the frames counted, while the master moves away."""
    found = []
    still = (rows[:, _V_STEP] < STILL) & counted
    apart = rows[:, _APART + _HERE]
    for first, end in _lasting(still, rate):
        moved = rows[first:end, _M_STEP].sum()
        before = apart[max(0, first - 1)]
        if moved > MOVED and apart[first:end].max() > before + MOVED:
            found.append((first / rate, end / rate))
    return found or _frozen_locally(rows, counted, rate)


def _frozen_locally(rows: Numbers, counted: NDArray[np.bool_], rate: float) -> list[Span]:
    """Likewise where little moves: by its few most different points.

    A freeze keeps all of them, while an encoder keeps what changes by less than its step. How large
    that is, its difference from the master tells elsewhere in the film.
    """
    found = []
    still = (rows[:, _V_LOCAL_STEP] <= LOCALLY_STILL) & counted
    apart = rows[:, _LOCAL_APART]
    for first, end in _lasting(still, rate):
        risen = apart[first:end] - apart[max(0, first - 1)]
        elsewhere = np.concatenate([apart[:first], apart[end:]])
        if risen.max() <= LOCALLY_MOVED or len(elsewhere) < FROZEN_S * rate:
            continue
        noise = NOISE_PEAK * float(np.median(rows[first:end, _M_STEP]))
        least = max(LOCALLY_MOVED, BEYOND_OWN * float(np.median(elsewhere)), noise)
        if _spans(risen > least, rate, OTHER_S):
            found.append((first / rate, end / rate))
    return found


def _lasting(mask: NDArray[np.bool_], rate: float) -> Iterator[tuple[int, int]]:
    for first, end in _runs(mask):
        if (end - first) / rate >= FROZEN_S:
            yield first, end


def own_findings(steps: Numbers, lumas: Numbers, peaks: Numbers, rate: float) -> list[Finding]:
    """What the master itself is: long black, long stillness, an uneven cadence."""
    found = []
    black = _spans((lumas < BLACK_MEAN) & (peaks < BLACK_PEAK), rate, OWN_BLACK_S)
    if black:
        found.append(warning("black", f"the film is black {told(black)}, as its master is"))
    is_black = _within(black, len(steps), rate)
    still = (steps < STILL) & ~is_black
    if frozen := _spans(still, rate, OWN_FREEZE_S):
        found.append(warning("freeze", f"the film stands still {told(frozen)}, as its master does"))
    if uneven := cadence.repeats(steps < STILL, rate):
        found.append(
            warning(
                "cadence",
                f"the master repeats every {_ordinal(uneven.period)} frame "
                f"{told([(uneven.from_s, uneven.to_s)])}: it was brought to its frame rate from "
                "another one before it came here",
            )
        )
    return found


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and end of each stretch of frames for which it is so."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    for first, end in edges.reshape(-1, 2):
        yield int(first), int(end)


def _spans(mask: NDArray[np.bool_], rate: float, least_s: float) -> list[Span]:
    return [
        (first / rate, end / rate)
        for first, end in _runs(mask)
        if (end - first) / rate >= least_s - 1e-9
    ]


def _within(spans: Sequence[Span], frames: int, rate: float) -> NDArray[np.bool_]:
    mask = np.zeros(frames, np.bool_)
    for first_s, end_s in spans:
        mask[round(first_s * rate) : round(end_s * rate)] = True
    return mask
