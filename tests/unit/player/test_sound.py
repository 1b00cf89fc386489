"""A viewer gets the sound that is asked for, or a sentence that says what there is."""

import pytest

from cuemark.player.errors import SoundUnknown
from cuemark.player.sound import Offered, chosen

OFFERED = [
    Offered("a-en", "en", "main"),
    Offered("a-en.opus", "en", "main"),
    Offered("a-pt-BR", "pt-BR", "dub"),
    Offered("a-en.commentary", "en", "commentary"),
    Offered("a-de.description", "de", "description"),
]


@pytest.mark.parametrize(
    ("wanted", "track_id"),
    [
        ("", "a-en"),
        ("en", "a-en"),
        ("EN-gb", "a-en"),
        ("pt", "a-pt-BR"),
        ("pt-BR", "a-pt-BR"),
        ("en:commentary", "a-en.commentary"),
        ("de:description", "a-de.description"),
        ("a-en.opus", "a-en.opus"),
    ],
)
def test_a_sound_is_found_by_language_role_or_track(wanted: str, track_id: str) -> None:
    assert chosen(OFFERED, wanted).track_id == track_id


@pytest.mark.parametrize("wanted", ["fr", "de", "en:clear", "a-en.eac3"])
def test_a_sound_that_is_not_there_is_told_with_those_that_are(wanted: str) -> None:
    with pytest.raises(SoundUnknown) as told:
        chosen(OFFERED, wanted)
    assert str(told.value) == (
        f"the film has no sound {wanted!r}: it has en, pt-BR, en:commentary, de:description"
    )


def test_a_film_without_sound_says_so() -> None:
    with pytest.raises(SoundUnknown, match="it has none"):
        chosen([], "en")
