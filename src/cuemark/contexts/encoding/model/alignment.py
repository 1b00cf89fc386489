"""Which frames of a film a copy shows, told from how the pictures change.

A copy may begin later than the film and end earlier; it runs at the film's speed. The change from
frame to frame, coarse in space, is compared at every offset at once (cross-correlation by Fourier
transform): cuts and movement are the copy's own clock, and brightness and encoding do not move
them.
"""

import math

import numpy as np

SURE, SURE_OF_ONE = 0.3, 2.0
"""Less correlation than ``sure`` is no copy of the film. Of few frames some place in a long film
agrees by chance, the fewer the better, as one over the root of their number."""


def sure(frames: int) -> float:
    """How well so many frames of a copy must agree with the film."""
    return max(SURE, SURE_OF_ONE / math.sqrt(max(1, frames)))


def changes(frames: np.ndarray) -> np.ndarray:
    """The changes from frame to frame of luma pictures (frames, lines, columns), 9 by 16 each.

    Lines and columns are whole multiples of those.
    """
    count, lines, columns = frames.shape
    blocks = frames.reshape(count, 9, lines // 9, 16, columns // 16).mean(axis=(2, 4))
    return np.diff(blocks.reshape(count, -1), axis=0)


def offset(copy: np.ndarray, film: np.ndarray) -> tuple[int, float]:
    """The film's frame that the copy's first one shows, and how well they agree (to 1).

    Both are ``changes``. The offset may be negative, where the copy has something before the film.
    """
    shown, meant = _level(copy), _level(film)
    size = 1 << (len(shown) + len(meant)).bit_length()
    # A column at a time: the spectra of all of a long film would fill the memory.
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    for here, there in zip(shown.T, meant.T, strict=True):
        spectrum += np.fft.rfft(there, size) * np.conj(np.fft.rfft(here, size))
    agreement = np.fft.irfft(spectrum, size)
    best = int(agreement.argmax())
    at = best if best < len(meant) else best - size
    first, end = max(0, at), min(len(meant), at + len(shown))
    if end <= first:
        return 0, 0.0
    film_there, copy_there = meant[first:end], shown[first - at : end - at]
    power = float(np.sqrt((film_there**2).sum() * (copy_there**2).sum()))
    return at, float((film_there * copy_there).sum()) / power if power else 0.0


def _level(rows: np.ndarray) -> np.ndarray:
    """Changes in which a cut weighs no more than some movement."""
    return np.asarray(np.clip(rows - rows.mean(axis=0), -8, 8))
