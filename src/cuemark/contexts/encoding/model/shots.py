"""Where the shots of a film begin.

The cut rule is that of PySceneDetect's ``AdaptiveDetector`` (Castellano, scenedetect.com,
docs "Detection Algorithms"), on luma alone: a frame begins a shot where its difference from
the frame before is a multiple of the mean difference around it, so that motion of the whole
picture, which keeps that mean high, is no cut.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

THUMB_WIDTH, THUMB_HEIGHT = 128, 72
WINDOW = 2
RATIO = 3.0
MIN_DIFFERENCE = 10.0
MIN_SHOT_S = 0.6

Luma = NDArray[np.uint8]
Numbers = NDArray[np.float64]


class FrameMeasures(msgspec.Struct, frozen=True):
    """For each frame: difference from the frame before, mean luma, detail."""

    differences: list[float]
    brightness: list[float]
    detail: list[float]


def measure(frames: Luma, before: Luma | None) -> FrameMeasures:
    """Measures of ``frames`` (n by h by w), which follow the frame ``before``.

    The difference is the mean absolute difference of luma (0 to 255); detail is the mean
    absolute response of a Laplacian, which blur and flatness bring to 0.
    """
    whole = frames.astype(np.int16)
    first = whole[:1] if before is None else before[np.newaxis].astype(np.int16)
    shifted = np.concatenate([first, whole[:-1]])
    laplacian = (
        4 * whole[:, 1:-1, 1:-1]
        - whole[:, :-2, 1:-1]
        - whole[:, 2:, 1:-1]
        - whole[:, 1:-1, :-2]
        - whole[:, 1:-1, 2:]
    )
    return FrameMeasures(
        differences=[float(x) for x in np.abs(whole - shifted).mean(axis=(1, 2))],
        brightness=[float(x) for x in whole.mean(axis=(1, 2))],
        detail=[float(x) for x in np.abs(laplacian).mean(axis=(1, 2))],
    )


def shot_starts(differences: list[float], rate: float) -> list[int]:
    """The first frame of each shot, ascending, 0 first; shots last ``MIN_SHOT_S`` or more."""
    scores = np.asarray(differences, dtype=np.float64)
    count = len(scores)
    min_frames = max(1, round(MIN_SHOT_S * rate))
    starts = [0]
    for frame in range(1, count):
        score = scores[frame]
        if score < MIN_DIFFERENCE or frame - starts[-1] < min_frames:
            continue
        low, high = max(1, frame - WINDOW), min(count, frame + WINDOW + 1)
        around = np.concatenate([scores[low:frame], scores[frame + 1 : high]])
        mean = float(around.mean()) if len(around) else 0.0
        if score >= RATIO * mean and count - frame >= min_frames:
            starts.append(frame)
    return starts
