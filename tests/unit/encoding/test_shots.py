"""Cuts are found where they are, and nowhere else."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.shots import (
    MIN_SHOT_S,
    THUMB_HEIGHT,
    THUMB_WIDTH,
    measure,
    shot_starts,
)

RATE = 24.0


def texture(seed: int, width: int = THUMB_WIDTH) -> NDArray[np.uint8]:
    """A picture with edges: blocks of 8 by 8 at random levels."""
    levels = np.random.default_rng(seed).integers(0, 256, (THUMB_HEIGHT // 8, width // 8))
    blocks: NDArray[np.uint8] = levels.astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    return blocks


def shot(seed: int, frames: int) -> NDArray[np.uint8]:
    """A picture that hardly moves, with a little noise."""
    noise = np.random.default_rng(seed + 1000).integers(-2, 3, (frames, THUMB_HEIGHT, THUMB_WIDTH))
    noisy: NDArray[np.uint8] = np.clip(texture(seed) + noise, 0, 255).astype(np.uint8)
    return noisy


def differences(frames: NDArray[np.uint8]) -> list[float]:
    return measure(frames, None).differences


@pytest.mark.parametrize("lengths", [[30, 40, 50], [48, 15, 24, 70], [100]])
def test_planted_cuts_are_found_exactly(lengths: list[int]) -> None:
    film = np.concatenate([shot(seed, length) for seed, length in enumerate(lengths)])
    planted = [0, *np.cumsum(lengths)[:-1].tolist()]
    assert shot_starts(differences(film), RATE) == planted


def test_a_pan_over_a_busy_picture_is_no_cut() -> None:
    wide = texture(7, THUMB_WIDTH * 4)
    pan = np.stack([wide[:, 4 * n : 4 * n + THUMB_WIDTH] for n in range(90)])
    measured = differences(pan)
    assert max(measured) > 20
    assert shot_starts(measured, RATE) == [0]


def test_a_cut_into_a_pan_is_found() -> None:
    wide = texture(7, THUMB_WIDTH * 4)
    pan = np.stack([wide[:, n : n + THUMB_WIDTH] for n in range(60)])
    film = np.concatenate([shot(3, 40), pan])
    assert shot_starts(differences(film), RATE) == [0, 40]


def test_a_fade_is_no_cut() -> None:
    still = texture(5).astype(np.float64)
    film = np.stack([(still * level).astype(np.uint8) for level in np.linspace(1, 0, 48)])
    assert shot_starts(differences(film), RATE) == [0]


def test_a_flash_does_not_make_shots_shorter_than_the_least() -> None:
    film = shot(1, 60)
    film[30] = 255
    starts = shot_starts(differences(film), RATE)
    assert all(b - a >= round(MIN_SHOT_S * RATE) for a, b in pairwise(starts))


@given(st.lists(st.floats(0, 255), min_size=1, max_size=300), st.floats(1, 120))
def test_starts_ascend_from_zero_and_leave_no_short_shot(scores: list[float], rate: float) -> None:
    starts = shot_starts(scores, rate)
    least = max(1, round(MIN_SHOT_S * rate))
    assert starts[0] == 0
    bounds = [*starts, len(scores)]
    lengths = [after - before for before, after in pairwise(bounds)]
    assert all(length >= least for length in lengths) or len(starts) == 1


@given(st.integers(1, 40))
def test_measuring_in_blocks_is_measuring_at_once(split: int) -> None:
    film = np.concatenate([shot(1, 20), shot(2, 21)])
    first = measure(film[:split], None)
    second = measure(film[split:], film[split - 1])
    whole = measure(film, None)
    assert first.differences + second.differences == whole.differences
    assert first.brightness + second.brightness == whole.brightness
    assert first.detail + second.detail == whole.detail
