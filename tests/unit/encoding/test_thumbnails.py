"""How thumbnails are laid out, for any film."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.thumbnails import (
    MOST_TILES,
    SHEET_SIDE,
    STEPS_S,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tiling,
    tiling,
)
from cuemark.contexts.encoding.model.timing import MAX_FRAMES, USUAL_RATES

rates = st.sampled_from([Fraction(1), Fraction(18000, 301), Fraction(120), *USUAL_RATES])
sides = st.integers(48, 4400).map(lambda half: 2 * half)


@given(sides, sides, st.integers(5, MAX_FRAMES), rates)
def test_every_film_gets_sheets_that_players_take(
    width: int, height: int, frames: int, rate: Fraction
) -> None:
    made = tiling(width, height, frames, rate)
    assert made.tile_width % 2 == made.tile_height % 2 == 0
    assert 2 <= made.tile_width <= min(width, TILE_WIDTH)
    assert 2 <= made.tile_height <= min(height, TILE_HEIGHT)
    assert made.columns * made.tile_width <= SHEET_SIDE
    assert made.rows * made.tile_height <= SHEET_SIDE
    assert 1 <= made.tiles <= max(MOST_TILES, math.ceil(frames / (STEPS_S[-1] * rate)) + 1)


@given(sides, sides, st.integers(5, MAX_FRAMES), rates)
def test_tiles_cover_the_film_and_no_sheet_is_empty(
    width: int, height: int, frames: int, rate: Fraction
) -> None:
    made = tiling(width, height, frames, rate)
    assert (made.tiles - 1) * made.every_frames < frames <= made.tiles * made.every_frames
    assert (made.sheets - 1) * made.tiles_a_sheet < made.tiles <= made.sheets * made.tiles_a_sheet
    spans = made.sheet_frames(frames)
    assert len(spans) == made.sheets
    assert sum(spans) == frames
    assert min(spans) > 0
    assert set(spans[:-1]) <= {made.every_frames * made.tiles_a_sheet}


@given(sides, sides)
def test_a_tile_has_the_shape_of_the_film(width: int, height: int) -> None:
    made = tiling(width, height, 1000, Fraction(25))
    fits = min(1, TILE_WIDTH / width, TILE_HEIGHT / height)
    assert abs(made.tile_width - width * fits) <= 2
    assert abs(made.tile_height - height * fits) <= 2


@pytest.mark.parametrize(
    ("minutes", "every_s"),
    [(0.2, 1), (12, 1), (12.1, 2), (25, 5), (90, 10), (240, 20), (500, 60), (1440, 120)],
)
def test_a_longer_film_has_coarser_steps(minutes: float, every_s: int) -> None:
    made = tiling(1920, 1080, round(minutes * 60 * 25), Fraction(25))
    assert made.every_frames == every_s * 25


def test_a_film_of_cinema_is_laid_out_like_this() -> None:
    assert tiling(1920, 1080, 90 * 60 * 24, Fraction(24)) == Tiling(
        tile_width=320, tile_height=180, columns=3, rows=6, every_frames=240, tiles=540
    )


def test_a_short_film_has_a_sheet_no_larger_than_its_tiles() -> None:
    made = tiling(640, 360, 100, Fraction(25))
    assert (made.tiles, made.columns, made.rows, made.sheets) == (4, 3, 2, 1)
