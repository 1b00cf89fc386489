"""How much there is in a shot's pictures and how much of it moves, before anything is encoded.

Spatial information (SI) is the standard deviation of a frame's luma after a Sobel filter, temporal
information (TI) that of its difference from the frame before (ITU-T P.910). Both are taken here of
the small picture in which cuts are found: they compare the shots of films with one another, and
not with figures that others took of whole pictures.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.shots import Luma, Numbers

_STILL = 0.5


class Complexity(msgspec.Struct, frozen=True):
    """Of a shot: the mean of SI over its frames, and of TI over those after its first."""

    spatial: float
    temporal: float

    @property
    def hardness(self) -> float:
        """What goes up with the log of the rate that an encode of the shot takes."""
        return math.log(1 + self.spatial) + math.log(_STILL + self.temporal)


class Information(msgspec.Struct, frozen=True):
    """SI and TI of each frame."""

    spatial: list[float]
    temporal: list[float]

    def extend(self, more: "Information") -> None:
        self.spatial.extend(more.spatial)
        self.temporal.extend(more.temporal)


def information(frames: Luma, before: Luma | None) -> Information:
    """That of ``frames`` (n by h by w), which follow the frame ``before``."""
    whole = frames.astype(np.float64)
    first = whole[:1] if before is None else before[np.newaxis].astype(np.float64)
    moved = whole - np.concatenate([first, whole[:-1]])
    return Information(_deviations(_sobel(whole)), _deviations(moved))


def _sobel(frames: Numbers) -> Numbers:
    down = frames[:, :, :-2] + 2 * frames[:, :, 1:-1] + frames[:, :, 2:]
    along = frames[:, :-2] + 2 * frames[:, 1:-1] + frames[:, 2:]
    found: Numbers = np.hypot(down[:, 2:] - down[:, :-2], along[:, :, 2:] - along[:, :, :-2])
    return found


def _deviations(frames: Numbers) -> list[float]:
    return [float(each) for each in frames.std(axis=(1, 2))]


def of_shots(told: Information, starts: Sequence[int], frames: int) -> list[Complexity]:
    """The complexity of each shot of a film of ``frames``."""
    return [
        Complexity(
            round(float(np.mean(told.spatial[start:end])), 2),
            round(float(np.mean(told.temporal[start + 1 : end])), 2) if end > start + 1 else 0.0,
        )
        for start, end in zip(starts, [*starts[1:], frames], strict=True)
    ]


def of_chunks(
    shots: Sequence[Complexity], starts: Sequence[int], chunks: Sequence[Chunk]
) -> list[float]:
    """The mean hardness of the frames of each chunk."""
    ends = [*starts[1:], chunks[-1].end]
    found = []
    for chunk in chunks:
        parts = [
            (min(end, chunk.end) - max(start, chunk.start), shot.hardness)
            for start, end, shot in zip(starts, ends, shots, strict=True)
            if start < chunk.end and end > chunk.start
        ]
        found.append(sum(n * hardness for n, hardness in parts) / chunk.frames)
    return found
