"""Where in the film a copy begins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.encoding.model import alignment

FRAMES = 120


def _film(seed: int, frames: int = FRAMES) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 4, (frames, 18, 32))
    return np.clip(128 + np.cumsum(noise, axis=0), 0, 255)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    first=st.integers(0, FRAMES - 30),
    frames=st.integers(24, FRAMES),
)
def test_a_part_is_found_where_it_was_cut_out(seed: int, first: int, frames: int) -> None:
    film = _film(seed)
    part = film[first : first + frames]
    noise = np.random.default_rng(seed + 1).normal(0, 2, part.shape)
    at, agreement = alignment.offset(
        alignment.changes(0.9 * part + 7 + noise), alignment.changes(film)
    )
    assert at == first
    assert agreement > alignment.sure(frames)


def test_what_was_put_before_the_film_is_no_part_of_it() -> None:
    film = _film(1)
    before = _film(2, 20)
    at, agreement = alignment.offset(
        alignment.changes(np.concatenate([before, film])), alignment.changes(film)
    )
    assert at == -20
    assert agreement > alignment.SURE


def test_another_film_does_not_agree() -> None:
    _, agreement = alignment.offset(alignment.changes(_film(1)), alignment.changes(_film(2)))
    assert agreement < alignment.SURE


def test_a_moment_of_another_film_does_not_agree_with_a_long_one() -> None:
    film = alignment.changes(_film(1, 20_000))
    for frames in (13, 25, 50):
        moment = alignment.changes(_film(2, frames))
        assert alignment.offset(moment, film)[1] < alignment.sure(frames)


def test_a_still_picture_agrees_with_nothing() -> None:
    still = np.full((50, 18, 32), 128.0)
    assert alignment.offset(alignment.changes(still), alignment.changes(_film(1)))[1] == 0
