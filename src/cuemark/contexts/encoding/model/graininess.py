"""How much grain a film has, told from a few of its frames.

Grain is what changes from one frame to the next in places that have no picture to change. So it is
read from the difference of two neighbors, in blocks that are flat, of middle luma. That difference
is free of texture that stands still. Of texture that moves a block is found again near where it
was, and left out; slow changes of light go with a plane that is fitted to each block; of what then
remains the quieter half counts. That is grain, noise of a camera, or what an encoder did: an
encoder leaves next to nothing at the finest scale, where grain has its share of power. That share
is told by a difference of Laplacians (Immerkaer, "Fast Noise Variance Estimation", Computer Vision
and Image Understanding 64(2), 1996).
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.grain import Grain

BLOCK = 16
_CELL = 4
_SHOWN = (32.0, 208.0)
"""Mean luma of the blocks that are looked at: grain is cut off at black and at white."""
_FLAT, _FLAT_OF_SIGMA = 1.0, 0.5
"""How far the means of a block's cells may lie off a plane: in codes, in shares of its noise."""
_FEWEST_FLAT, _FEWEST_SHARE = 24, 0.02
"""How many blocks must be flat for a frame to tell, and which share of them all."""
_FINE = 0.35
"""How much of its noise a block has at the finest scale, where it is grain; of white noise 1."""
_ALIKE = 1.25
"""How far blocks may differ in their noise where none is flat."""
_FEWEST_STILL = 8
_SEARCHED_BLOCKS, _SEARCHED_SAMPLES, _SAME_PICTURE = 64, 6, 0.6
"""In how many blocks motion is looked for, how far, and what it must leave of the difference."""
_STILL = 1e-6

Luma = NDArray[np.floating]
_Numbers = NDArray[np.float64]
_Places = NDArray[np.int64]

RULES = 1
"""Which rules a result was found by."""
EXCERPTS, EXCERPT_FRAMES = 6, 4
MOST_WIDTH, MOST_HEIGHT = 1920, 1088


def excerpts(starts: Sequence[int], frames: int) -> list[int]:
    """First frames of at most ``EXCERPTS`` excerpts, ascending, each within a shot."""
    bounds = [*starts, frames]
    shots = [(start, end) for start, end in pairwise(bounds) if end - start >= EXCERPT_FRAMES]
    if not shots:
        return []
    if len(shots) < EXCERPTS:
        # A long shot is looked at in several places.
        each = -(-EXCERPTS // len(shots))
        places = [
            start + (end - start - EXCERPT_FRAMES) * (2 * number + 1) // (2 * each)
            for start, end in shots
            for number in range(each)
        ]
    else:
        places = [(start + end - EXCERPT_FRAMES) // 2 for start, end in shots]
    last = len(places) - 1
    count = min(EXCERPTS, len(places))
    return sorted({places[last * (2 * number + 1) // (2 * count)] for number in range(count)})


def sigma_of_excerpt(frames: Luma) -> float | None:
    """The grain of neighboring frames (n by h by w, in codes of 8 bits); none where no place is
    flat enough to tell."""
    found = [
        sigma
        for before, after in pairwise(frames)
        if np.abs(after - before).mean() > _STILL
        for sigma in [_sigma_of_pair(before, after)]
        if sigma is not None
    ]
    return median(found) if found else None


def of_film(sigmas: Sequence[float | None]) -> Grain:
    """The grain of a film from that of its excerpts: the median of those that tell.

    A film most of whose excerpts do not tell has none that is known.
    """
    told = [sigma for sigma in sigmas if sigma is not None]
    if 2 * len(told) <= len(sigmas):
        return Grain(0.0, len(told))
    return Grain(round(median(told), 2), len(told))


def _sigma_of_pair(before: Luma, after: Luma) -> float | None:
    rows, columns = (side // BLOCK * BLOCK for side in before.shape)
    first, second = before[:rows, :columns], after[:rows, :columns]
    mean = _blocks((first + second) / np.float32(2))
    difference = _blocks(second - first)
    noise = np.sqrt(_off_plane(difference) / 2)
    fine = np.sqrt((_laplacian(difference) ** 2).mean(axis=(1, 2)) / 72)
    side = BLOCK // _CELL
    cells = mean.reshape(-1, side, _CELL, side, _CELL).mean(axis=(2, 4))
    structure = np.sqrt(_off_plane(cells))
    luma = mean.mean(axis=(1, 2))
    shown = (luma > _SHOWN[0]) & (luma < _SHOWN[1])
    flat = shown & (structure <= _FLAT + _FLAT_OF_SIGMA * noise)
    if flat.sum() < max(_FEWEST_FLAT, _FEWEST_SHARE * len(flat)):
        if shown.sum() < _FEWEST_FLAT or not _alike(noise[shown]):
            return None
        flat = shown
    lower = np.flatnonzero(flat & (noise <= np.median(noise[flat])))
    still = _found_nowhere_again(first, second, lower)
    if len(still) < _FEWEST_STILL:
        return None
    sigma, finest = float(np.median(noise[still])), float(np.median(fine[still]))
    return sigma if finest >= _FINE * sigma else 0.0


def _alike(noise: _Numbers) -> bool:
    """Whether the quieter half has much the same noise: grain is everywhere, motion is not."""
    least, middle = np.quantile(noise, (0.1, 0.5))
    return bool(middle <= _ALIKE * least)


def _found_nowhere_again(before: Luma, after: Luma, blocks: _Places) -> _Places:
    """Of some of the blocks those that do not lie elsewhere in the frame before.

    What is found again there is texture that moves; grain is found nowhere again.
    """
    far, side = _SEARCHED_SAMPLES, BLOCK + 2 * _SEARCHED_SAMPLES
    rows, columns = (side // BLOCK for side in before.shape)
    row, column = np.divmod(blocks, columns)
    inner = blocks[(row > 0) & (row < rows - 1) & (column > 0) & (column < columns - 1)]
    picked = inner[:: max(1, len(inner) // _SEARCHED_BLOCKS)]
    kept = []
    for place in picked:
        top, left = (BLOCK * at for at in divmod(int(place), columns))
        block = after[top : top + BLOCK, left : left + BLOCK]
        around = before[top - far : top - far + side, left - far : left - far + side]
        there = np.lib.stride_tricks.sliding_window_view(around, (BLOCK, BLOCK))
        left_over = (there - block).var(axis=(2, 3))
        kept.append(bool(left_over.min() >= _SAME_PICTURE * left_over[far, far]))
    found: _Places = picked[np.asarray(kept, dtype=bool)]
    return found


def _blocks(picture: Luma) -> Luma:
    rows, columns = (side // BLOCK for side in picture.shape)
    parted = picture.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    return parted.reshape(-1, BLOCK, BLOCK)


def _off_plane(blocks: Luma) -> _Numbers:
    """The variance of each block about the plane that fits it best."""
    side = blocks.shape[1]
    axis = np.arange(side, dtype=np.float64) - (side - 1) / 2
    power = (axis**2).sum() * side
    whole = blocks.astype(np.float64)
    whole -= whole.mean(axis=(1, 2), keepdims=True)
    down = (whole.sum(axis=2) * axis).sum(axis=1)
    across = (whole.sum(axis=1) * axis).sum(axis=1)
    left = (whole**2).sum(axis=(1, 2)) - (down**2 + across**2) / power
    found: _Numbers = np.maximum(left, 0.0) / (side * side - 3)
    return found


def _laplacian(blocks: Luma) -> Luma:
    """Immerkaer's mask, inside of each block: of white noise it has 36 times the variance."""
    rows = blocks[:, :-2] - 2 * blocks[:, 1:-1] + blocks[:, 2:]
    found: Luma = rows[:, :, :-2] - 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    return found
