"""Which renditions a sound gets, which sound comes first, and what they are called."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model import sound as rules
from cuemark.contexts.encoding.model.mixing import LAYOUTS, is_surround
from cuemark.contexts.encoding.model.sound import (
    EVERYWHERE,
    Sound,
    language_name,
    named,
    ordered,
    recipes_of,
    title_of,
)
from cuemark.contracts.encoding.versions import AudioRole

ROLES = get_args(AudioRole)

some_sound = st.builds(
    Sound,
    stream=st.integers(0, 99),
    channels=st.integers(1, 8),
    layout=st.sampled_from(sorted(LAYOUTS)),
    language=st.text(max_size=12).map(rules.language_of)
    | st.sampled_from(["en", "fr", "pt-BR", "und", "zxx"]),
    lead_s=st.just(0.0),
    role=st.sampled_from(ROLES),
    title=st.text(max_size=60).map(title_of),
    chosen=st.booleans(),
    original=st.booleans(),
)
some_sounds = st.lists(some_sound, max_size=8, unique_by=lambda each: each.stream)


def sound(stream: int, language: str, **what: object) -> Sound:
    fields = {"channels": 2, "layout": "stereo", "lead_s": 0.0, **what}
    return Sound(stream=stream, language=language, **fields)  # type: ignore[arg-type]


@given(some_sound)
def test_every_sound_has_what_everything_plays_and_surround_only_where_the_master_has_it(
    each: Sound,
) -> None:
    recipes = recipes_of(each)
    assert recipes[0] == EVERYWHERE
    assert len({recipe.name for recipe in recipes}) == len(recipes)
    assert {recipe.codec for recipe in recipes if recipe.mix == "stereo"} == {"aac", "opus"}
    surround = {recipe.codec for recipe in recipes if recipe.mix == "5.1"}
    assert surround == ({"aac", "eac3"} if is_surround(each.layout) else set())


@given(some_sounds)
def test_the_sound_that_plays_by_itself_is_the_films_own_where_it_has_one(
    sounds: list[Sound],
) -> None:
    found = ordered(sounds)
    assert sorted(map(repr, found)) == sorted(map(repr, sounds))
    assert found[1:] == [each for each in sounds if each != found[0]]
    own = [each for each in sounds if each.role in ("main", "dub")]
    if own:
        assert found[0] in own
        assert found[0].chosen or not any(each.chosen for each in own)


def test_the_containers_default_goes_before_the_films_own_language() -> None:
    english, french = sound(1, "en", original=True), sound(2, "fr", chosen=True)
    comment = sound(0, "en", role="commentary", chosen=True)
    assert ordered([comment, english, french])[0] == french
    assert ordered([comment, sound(3, "de"), english])[0] == english
    assert ordered([comment]) == [comment]


@given(some_sounds)
def test_no_two_sounds_are_called_alike_and_every_id_names_a_file(sounds: list[Sound]) -> None:
    found = named(sounds)
    tracks = [
        f"{each.track_id}.{recipe.name}" if recipe.name else each.track_id
        for each in found
        for recipe in recipes_of(each.sound)
    ]
    assert len(set(tracks)) == len(tracks)
    assert all(re.fullmatch(r"a-[A-Za-z0-9-]+(\.[a-z0-9]+)*", each) for each in tracks)
    assert len({each.name for each in found}) == len(found)
    assert all(each.name.strip() and each.name.isprintable() for each in found)


def test_names_are_for_people_to_read() -> None:
    sounds = [
        sound(1, "en"),
        sound(2, "fr", role="dub"),
        sound(3, "en", role="description"),
        sound(4, "en", role="commentary", title="The director"),
        sound(5, "en", role="commentary", title="The composer"),
        sound(6, "pt-BR", role="clear"),
        sound(7, "und"),
        sound(8, "und"),
    ]
    assert [(each.track_id, each.name) for each in named(sounds)] == [
        ("a-en", "English"),
        ("a-fr", "Français"),
        ("a-en.description", "English (audio description)"),
        ("a-en.commentary", "English (commentary)"),
        ("a-en.commentary.2", "English (The composer)"),
        ("a-pt-BR.clear", "Português (Brasil) (clear speech)"),
        ("a-und", "Unknown language"),
        ("a-und.2", "Unknown language 2"),
    ]


@pytest.mark.parametrize(
    ("tag", "name"),
    [("zxx", "No linguistic content"), ("de", "Deutsch"), ("tlh", "Klingon"), ("qaa", "qaa")],
)
def test_a_language_has_the_name_that_its_speakers_give_it(tag: str, name: str) -> None:
    assert language_name(tag) == name


@given(st.text())
def test_a_title_of_a_stranger_is_one_short_line(text: str) -> None:
    title = title_of(text)
    assert len(title) <= rules.MOST_TITLE_CHARS
    assert title == title.strip()
    assert title.isprintable()
