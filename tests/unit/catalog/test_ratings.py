"""Age ratings, and the one scale that they are read on."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.catalog.model import ratings
from cuemark.contexts.catalog.model.ratings import SCHEMES, RatingUnknown, checked_rating, level_of
from cuemark.contracts.catalog.metadata import AgeRating

REFERENCE = Path(__file__).parents[3] / "docs/reference/metadata.md"


def rated(*given: tuple[str, str]) -> list[AgeRating]:
    return [AgeRating(scheme=scheme, rating=rating) for scheme, rating in given]


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_goes_from_mild_to_strict(name: str) -> None:
    ages = list(SCHEMES[name].ages.values())
    assert ages == sorted(ages)
    assert all(0 <= age <= 18 for age in ages)
    assert level_of(ages[-1]) >= 4
    assert SCHEMES[name].source.startswith("http")


def test_every_level_is_one_step_of_ages() -> None:
    assert [level_of(age) for age in (0, 5, 6, 9, 12, 14, 15, 17, 18)] == [
        0,
        0,
        1,
        2,
        3,
        3,
        4,
        4,
        5,
    ]


def test_a_rating_is_written_as_its_scheme_writes_it() -> None:
    for scheme, rating, expected in (
        ("fsk", "FSK 12", ("FSK", "12")),
        ("MPA", "pg-13", ("MPA", "PG-13")),
        ("us-tv", "tv-ma", ("US-TV", "TV-MA")),
    ):
        there = checked_rating(AgeRating(scheme=scheme, rating=rating))
        assert (there.scheme, there.rating) == expected
    for scheme, rating in (("FSK", "13"), ("nope", "12"), ("", "")):
        with pytest.raises(RatingUnknown):
            checked_rating(AgeRating(scheme=scheme, rating=rating))


def test_the_rating_of_ones_own_territory_counts_and_without_one_the_strictest() -> None:
    shown = ratings.shown(rated(("FSK", "12"), ("MPA", "R"), ("BBFC", "15")))
    assert [ratings.maturity(shown, place) for place in ("DE", "US", "de", "FR", "")] == [
        *(3, 4, 3, 4, 4)
    ]
    assert ratings.maturity([], "DE") is None
    assert ratings.rating_for(shown, "FR") is None


def test_the_reference_tells_every_rating_with_its_age_and_level() -> None:
    rows = re.findall(r"^\| ([\w-]+) \| ([A-Z, ]+) \| ([^|]+) \|", REFERENCE.read_text(), re.M)
    told = {name: (places, ages.strip()) for name, places, ages in rows}
    assert told == {
        scheme.name: (
            ", ".join(scheme.territories),
            ", ".join(f"{each} {age} ({level_of(age)})" for each, age in scheme.ages.items()),
        )
        for scheme in SCHEMES.values()
    }


some_ratings = st.lists(
    st.sampled_from(
        [
            AgeRating(scheme=scheme.name, rating=rating)
            for scheme in ratings.SCHEMES.values()
            for rating in scheme.ages
        ]
    ),
    max_size=4,
)
territories = st.sampled_from(["DE", "us", "GB", "FR", "JP", "ZZ", ""])


@given(st.integers(0, 18), st.integers(0, 18), some_ratings, territories, st.integers(0, 18))
def test_a_lower_maturity_admits_nothing_that_a_higher_one_does_not(
    one: int, other: int, rated_: list[AgeRating], territory: str, unrated: int
) -> None:
    low, high = sorted((one, other))
    if ratings.admits(low, rated_, territory, unrated):
        assert ratings.admits(high, rated_, territory, unrated)
    assert ratings.admits(None, rated_, territory, unrated)
    assert ratings.admits(18, rated_, territory, unrated)


@given(st.integers(0, 18), some_ratings, territories)
def test_what_is_admitted_has_no_rating_here_above_the_age(
    maturity: int, rated_: list[AgeRating], territory: str
) -> None:
    """Against the plain reading: where a body of the territory rated it, each of its ratings is
    within the age, else each of all is, and there is one."""
    ages = [
        (ratings.SCHEMES[each.scheme].territories, ratings.SCHEMES[each.scheme].ages[each.rating])
        for each in rated_
    ]
    here = [age for there, age in ages if territory.upper() in there]
    counts = here or [age for _, age in ages] or [18]
    assert ratings.admits(maturity, rated_, territory) is all(age <= maturity for age in counts)


def test_what_nobody_rated_is_for_adults_unless_the_install_says_otherwise() -> None:
    assert not ratings.admits(17, [], "DE")
    assert ratings.admits(6, [], "DE", unrated_age=6)
    assert not ratings.admits(5, [], "DE", unrated_age=6)
