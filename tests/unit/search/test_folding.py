"""One form for all writing, and keys for what is nearly the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.search.model import folding, spelling

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12)


@given(st.text(max_size=500))
def test_any_text_becomes_short_ascii_words_and_stays_them(text: str) -> None:
    found = folding.words(text)
    assert all(word.isascii() and word.isalnum() and word == word.lower() for word in found)
    assert all(1 <= len(word) <= folding.LONGEST_WORD for word in found)
    folded = " ".join(found)[: folding.LONGEST - folding.LONGEST_WORD]
    assert folding.folded(folded) == folded.strip()


@given(st.text(max_size=60))
def test_case_is_not_told_apart(text: str) -> None:
    lower = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    ascii_only = all(each.isascii() for each in text)
    assert not ascii_only or folding.folded(text.upper()) == folding.folded(lower)


@given(WORDS, st.data())
def test_a_word_with_one_slip_shares_a_key_with_itself(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcxyz"))
    swapped = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
    for slipped in (
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        swapped,
    ):
        assert set(folding.near_keys(word)) & set(folding.near_keys(slipped)), slipped
        if len(slipped) > 3:
            assert word in spelling.meant(
                slipped, [(word, 1, folding.sound(word))], unfinished=False
            )


@given(WORDS, WORDS)
def test_nothing_far_is_meant(asked: str, word: str) -> None:
    strength = spelling.meant(asked, [(word, 1, folding.sound(word))], unfinished=False).get(
        word, 0.0
    )
    common = set(asked) & set(word)
    assert strength <= 1.0
    assert common or not strength or folding.sound(asked) == folding.sound(word)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("титаник", "titanic"),
        ("ماتريكس", "matrix"),
        ("filosofy", "philosophy"),
        ("kwartz", "quartz"),
    ],
)
def test_what_sounds_alike_is_known_as_that(one: str, other: str) -> None:
    (heard,) = folding.words(one)
    assert folding.sound(heard) == folding.sound(other) != ""


def test_a_number_sounds_like_no_other() -> None:
    assert folding.sound("1984") == folding.sound("2046") == ""
