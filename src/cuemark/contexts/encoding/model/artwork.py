"""Which frames could stand for a film: sharp, well lit, at rest, and no two alike.

Made for a person to choose from; the first is what stands where nobody chooses. Faces are not
looked for: no detector that a wheel brings has its model in it.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.shots import THUMB_HEIGHT, THUMB_WIDTH, FrameMeasures, Luma
from cuemark.contracts.encoding.artwork import ArtworkFrame

MOST_CANDIDATES = 6
MOST_LOOKED_AT = 1000
PIECE_S = 5.0
BLOCK = 8
"""A frame's layout is the mean luma of blocks of so many points of its small picture."""
LAYOUT_BYTES = (THUMB_HEIGHT // BLOCK) * (THUMB_WIDTH // BLOCK)
LEAST_SCORE = 0.2
LEAST_NOVELTY, FULL_NOVELTY = 0.25, 0.8
"""The mean difference of two layouts, each in deviations of its own luma: no two candidates differ
by less, and unrelated pictures by about the second."""
LEAST_DEVIATION = 16.0
MID_LUMA, HALF_RANGE = 118.0, 137.0

Layouts = NDArray[np.uint8]
Scores = NDArray[np.float64]


class Survey(msgspec.Struct, frozen=True):
    """What was measured of every frame, and how each is laid out: ``LAYOUT_BYTES`` of luma."""

    measures: FrameMeasures
    layouts: bytearray


def layouts(frames: Luma) -> Layouts:
    """The layout of each of ``frames`` (n by h by w): n by ``LAYOUT_BYTES``."""
    count = len(frames)
    blocks = frames.reshape(count, THUMB_HEIGHT // BLOCK, BLOCK, THUMB_WIDTH // BLOCK, BLOCK)
    means: Layouts = blocks.mean(axis=(2, 4)).astype(np.uint8).reshape(count, LAYOUT_BYTES)
    return means


def looks(layouts: Layouts) -> Scores:
    """Layouts (n by ``LAYOUT_BYTES``) without what a fade changes: brightness and contrast."""
    whole: Scores = layouts.astype(np.float64)
    whole -= whole.mean(axis=1, keepdims=True)
    whole /= np.maximum(whole.std(axis=1, keepdims=True), LEAST_DEVIATION)
    return whole


def scores(measures: FrameMeasures, starts: Sequence[int]) -> Scores:
    """How well each frame would stand for the film, 0 or more.

    Fades and titles on black lose by brightness; the film's first and last tenth, where titles
    and credits stand, count for less, and so do frames in motion and those beside a cut.
    """
    brightness = np.asarray(measures.brightness)
    count = len(brightness)
    exposure = 1.0 - np.abs(brightness - MID_LUMA) / HALF_RANGE
    stillness = 1.0 / (1.0 + np.asarray(measures.differences) / 8.0)
    score: Scores = np.asarray(measures.detail) * np.clip(exposure, 0.05, 1.0) ** 2 * stillness
    edge = max(1, count // 10)
    score[:edge] *= 0.6
    score[count - edge :] *= 0.6
    for start in starts:
        score[max(0, start - 1) : start + 2] *= 0.5
    return score


def candidates(
    survey: Survey, starts: Sequence[int], frames: int, rate: float
) -> list[ArtworkFrame]:
    """1 to ``MOST_CANDIDATES`` frames of a film of ``frames``, the best first.

    Each is the best of a shot, or of ``PIECE_S`` of a long one, which may fade into another. No two
    look alike but for a fade: a film cuts back and forth.
    """
    score = scores(survey.measures, starts)[:frames]
    piece = max(1, round(PIECE_S * rate))
    best = [
        at + int(np.argmax(score[at : min(at + piece, end)]))
        for start, end in zip(starts, [*starts[1:], frames], strict=True)
        for at in range(start, end, piece)
    ]
    best.sort(key=lambda frame: (-score[frame], frame))
    left = [
        frame for frame in best[:MOST_LOOKED_AT] if score[frame] >= LEAST_SCORE * score[best[0]]
    ]
    look = looks(np.frombuffer(survey.layouts, np.uint8).reshape(-1, LAYOUT_BYTES)[left])
    novelty = np.full(len(left), FULL_NOVELTY)
    worth = score[left]
    chosen: list[int] = []
    while len(chosen) < MOST_CANDIDATES and novelty.max() >= LEAST_NOVELTY:
        new_enough = np.where(novelty >= LEAST_NOVELTY, np.minimum(novelty, FULL_NOVELTY), -1.0)
        place = int(np.argmax(np.where(new_enough > 0, worth * new_enough, -1.0)))
        chosen.append(place)
        novelty = np.minimum(novelty, np.abs(look - look[place]).mean(axis=1))
    return [_described(survey.measures, left[place]) for place in chosen]


def _described(measures: FrameMeasures, frame: int) -> ArtworkFrame:
    return ArtworkFrame(
        frame=frame,
        sharpness=round(measures.detail[frame], 2),
        brightness=round(measures.brightness[frame] / 255, 3),
    )
