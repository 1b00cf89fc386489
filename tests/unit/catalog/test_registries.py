"""Ids that others gave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.catalog.model.registries import IdInvalid, checked_id, mod_37_36

HEX = st.text(alphabet="0123456789ABCDEF", min_size=20, max_size=20)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def eidr(digits: str, check: str) -> str:
    groups = [digits[place : place + 4] for place in range(0, 20, 4)]
    return f"10.5240/{'-'.join(groups)}-{check}"


@pytest.mark.parametrize(
    "known",
    [
        # The first is the example of EIDR's ID Format, the others are registered ids.
        "10.5240/7791-8534-2C23-9030-8610-5",
        "10.5240/1489-49A2-3956-4B2D-FE16-5",
        "10.5240/EA73-79D7-1B2B-B378-3A73-M",
    ],
)
def test_an_eidr_that_there_is_is_taken_in_any_case(known: str) -> None:
    assert checked_id("eidr", known) == known
    assert checked_id("eidr", f" {known.lower()} ") == known


@given(HEX, st.integers(0, 19), st.sampled_from(ALPHABET[:16]))
def test_one_wrong_digit_is_always_found(digits: str, place: int, digit: str) -> None:
    check = mod_37_36(digits)
    assert checked_id("eidr", eidr(digits, check)) == eidr(digits, check)
    wrong = digits[:place] + digit + digits[place + 1 :]
    if wrong != digits:
        with pytest.raises(IdInvalid, match="check character"):
            checked_id("eidr", eidr(wrong, check))


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("eidr", "10.5240/7791-8534-2C23-9030-8610"),
        ("eidr", "10.5239/7791-8534-2C23-9030-8610-5"),
        ("isan", "0000-0000-D07A-0090-A"),
        ("imdb", "87332"),
        ("wikidata", "Q0"),
        ("tmdb", "6 03"),
        ("House Id", "1"),
        ("house", ""),
        ("house", "a b"),
        ("house", "a\0"),
        ("house", "x" * 129),
    ],
)
def test_what_is_no_id_of_its_scheme_is_refused(scheme: str, value: str) -> None:
    with pytest.raises(IdInvalid):
        checked_id(scheme, value)


def test_ids_of_known_and_of_own_schemes_are_taken() -> None:
    for scheme, value in (
        ("isan", "0000-0000-D07A-0090-Q"),
        ("isan", "0000-0000-D07A-0090-Q-0000-0000-X"),
        ("imdb", "tt0087332"),
        ("imdb", "nm0000122"),
        ("wikidata", "Q172241"),
        ("house", "A/1.2:3"),
    ):
        assert checked_id(scheme, value) == value
