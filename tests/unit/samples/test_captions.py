"""Captions of the demo films."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples.captions import cues, languages_of, to_srt, to_vtt
from samples.catalog import CATALOG
from samples.film import Cue, Recipe

TIME = re.compile(r"(\d\d):(\d\d):(\d\d)[.,](\d\d\d)")


def times_in(text: str) -> list[float]:
    found = (map(int, match.groups()) for match in TIME.finditer(text))
    return [hours * 3600 + minutes * 60 + s + ms / 1000 for hours, minutes, s, ms in found]


@given(st.lists(st.floats(0, 90_000), min_size=2, max_size=2).map(sorted))
def test_times_are_written_to_the_millisecond(span: list[float]) -> None:
    cue = Cue(span[0], span[1], {"en": "A sentence."})
    for text in (to_srt([cue], "en"), to_vtt([cue], "en")):
        assert times_in(text) == pytest.approx(span, abs=0.0006)


def test_srt_has_numbers_and_commas_and_vtt_has_a_signature_and_points() -> None:
    two = cues(
        ("en", "de"), (0.5, 2.0, "One.", "Eins."), (2.5, 4.0, "Two\nlines.", "Zwei\nZeilen.")
    )
    assert to_srt(two, "de") == (
        "1\n00:00:00,500 --> 00:00:02,000\nEins.\n\n"
        "2\n00:00:02,500 --> 00:00:04,000\nZwei\nZeilen.\n"
    )
    assert to_vtt(two, "en") == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nOne.\n\n"
        "00:00:02.500 --> 00:00:04.000\nTwo\nlines.\n"
    )


@pytest.mark.parametrize("recipe", CATALOG, ids=lambda recipe: recipe.slug)
def test_captions_fit_the_film(recipe: Recipe) -> None:
    times = [time for cue in recipe.cues for time in (cue.start_s, cue.end_s)]
    assert times == sorted(times)
    assert times[-1] <= recipe.duration_s
    languages = languages_of(recipe)
    assert len(languages) == 2
    for cue in recipe.cues:
        assert cue.text[languages[0]] != cue.text[languages[1]]
        for text in cue.text.values():
            assert "\n\n" not in text, "a blank line would end the cue"
            assert max(map(len, text.split("\n"))) <= 56
