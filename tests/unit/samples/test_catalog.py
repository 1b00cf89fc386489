"""The recipes of the demo films: what they promise, and that they repeat."""

import itertools

import numpy as np
import pytest

from samples.catalog import CATALOG
from samples.film import SAMPLE_RATE_HZ, Recipe

every_film = pytest.mark.parametrize("recipe", CATALOG, ids=lambda recipe: recipe.slug)


def first_frames(recipe: Recipe) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """The first frame of each shot."""
    return [
        np.asarray(shot.stage(recipe.generator(number))(0.0))
        for number, shot in enumerate(recipe.shots)
    ]


def test_six_films_or_more_that_differ() -> None:
    assert len(CATALOG) >= 6
    for name in ("slug", "name", "synopsis"):
        assert len({getattr(recipe, name) for recipe in CATALOG}) == len(CATALOG)
    assert {recipe.container for recipe in CATALOG} == {"mp4", "mov", "mkv"}
    assert {recipe.frame_rate for recipe in CATALOG} == {24, 25}


@every_film
def test_a_film_is_short_and_has_cuts(recipe: Recipe) -> None:
    assert 12 <= recipe.duration_s <= 20
    assert len(recipe.shots) >= 4


@every_film
def test_frames_have_the_announced_form_and_the_cuts_are_hard(recipe: Recipe) -> None:
    frames = first_frames(recipe)
    shape = (recipe.size[1], recipe.size[0]) + ((3,) if recipe.mode == "RGB" else ())
    assert {frame.shape for frame in frames} == {shape}
    for before, after in itertools.pairwise(frames):
        assert np.abs(before.astype(int) - after.astype(int)).mean() > 12


@every_film
def test_the_same_frames_at_every_rendering(recipe: Recipe) -> None:
    for once, again in zip(first_frames(recipe), first_frames(recipe), strict=True):
        assert np.array_equal(once, again)


@every_film
def test_something_moves_in_every_shot(recipe: Recipe) -> None:
    for number, shot in enumerate(recipe.shots):
        draw = shot.stage(recipe.generator(number))
        early, late = (np.asarray(draw(t)).astype(int) for t in (0.1, shot.seconds * 0.7))
        assert np.abs(early - late).mean() > 1


def test_sound_is_stereo_as_long_as_the_picture_and_of_unlike_loudness() -> None:
    levels_db = []
    for recipe in CATALOG:
        sound = recipe.sound()
        assert sound.shape == (round(recipe.duration_s * SAMPLE_RATE_HZ), 2)
        assert np.abs(sound).max() <= 1
        assert not np.array_equal(sound[:, 0], sound[:, 1])
        levels_db.append(20 * np.log10(np.sqrt((sound**2).mean())))
    assert max(levels_db) - min(levels_db) > 10
