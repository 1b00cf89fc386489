"""Titles of two efforts never take each other's results."""

import msgspec

from cuemark.contexts.encoding.model.effort import BUDGETS
from cuemark.contexts.encoding.stages import pictures, scoring
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from tests.integration.encoding.conftest import Studio

RECIPE = Recipe(128, 72, 34.0, "medium")
STRETCH = (0, 30)


def test_keys_differ_where_recipes_differ(studio: Studio) -> None:
    shop, sha256, (chunk, *_) = studio.shop, studio.sha256, studio.chunk_of_each_shot
    recipes = [
        msgspec.structs.replace(RECIPE, preset=each) for each in FAMILIES["h264"].presets.values()
    ]
    assert len({pictures.chunk_key(shop, sha256, chunk, recipe) for recipe in recipes}) == 3
    scored = {
        scoring.rung_scores_key(shop, sha256, "a rung", STRETCH, budget.vmaf_every)
        for budget in BUDGETS.values()
    }
    assert len(scored) == 3


def test_fewer_frames_are_scored_where_less_is_asked_for(studio: Studio) -> None:
    shop, sha256, (chunk, *_) = studio.shop, studio.sha256, studio.chunk_of_each_shot
    recipe = msgspec.structs.replace(RECIPE, preset="ultrafast")
    pictures.encode_chunk(shop, sha256, chunk, recipe)
    found = {
        every: scoring.scores_of(shop, scoring.score_chunk(shop, sha256, chunk, recipe, every))
        for every in (3, 5, 10)
    }
    frames = {every: scores.frames for every, scores in found.items()}
    assert frames == {every: list(range(0, chunk.frames, every)) for every in (3, 5, 10)}
    assert found[5].vmaf[::2] == found[10].vmaf, "a frame measures the same whenever it is scored"
