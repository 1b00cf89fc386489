"""The order of what was found, and what a question asks for."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.search.model import folding, popularity, ranking, spelling, vectors
from cuemark.contexts.search.model.entries import Called, Facts
from cuemark.contexts.search.model.ranking import Asked, Candidate
from cuemark.contexts.search.model.reading import question
from cuemark.contracts.search import SearchInvalid

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STONES = st.sampled_from(["amber", "basalt", "cedar", "dune", "ember"])
WORDS = st.lists(STONES, min_size=1, max_size=4)


def called(name: str) -> Called:
    return Called(name, folding.folded(name), "en")


def candidate(
    work_id: str, name: str, *, popular: float = 0.0, people: tuple[str, ...] = ()
) -> Candidate:
    facts = Facts(
        kind="movie",
        names=[called(name)],
        series=[],
        people=[called(each) for each in people],
        genres=[],
        themes=[],
        original_language="",
        genre_ids=[],
    )
    return Candidate(work_id=work_id, facts=facts, in_text=[False] * 8, popular=popular)


def asked(text: str) -> Asked:
    read = question(text)
    return Asked(
        words=read.words,
        meant=[{} for _ in read.words],
        unfinished=read.unfinished,
        languages=["en"],
        now=NOW,
    )


@given(WORDS, WORDS)
def test_the_name_itself_comes_before_any_other_however_popular(
    one: list[str], other: list[str]
) -> None:
    if sorted(set(one)) == sorted(set(other)) or " ".join(one) == " ".join(other):
        return
    famous = popularity.played(None, NOW) + 8
    works = [
        candidate("b", " ".join(other), popular=famous),
        candidate("a", " ".join(one)),
    ]
    found = ranking.ranked(asked(" ".join(one) + " "), works, [])
    assert found[0].found_id == "a"


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_does_not_hang_on_how_candidates_came(order: list[str]) -> None:
    works = [candidate(each, "Amber Dune") for each in order]
    assert [each.found_id for each in ranking.ranked(asked("amber"), works, [])] == list("abcd")


def test_all_words_in_two_fields_come_before_half_of_them_in_one() -> None:
    works = [candidate("a", "Amber", people=("Kim Dune",)), candidate("b", "Amber Ember")]
    found = ranking.ranked(asked("amber dune"), works, [])
    assert found[0].found_id == "a"
    assert [each.field for each in found[0].why] == ["title", "person"]


def test_what_meets_nothing_is_left_out() -> None:
    assert ranking.ranked(asked("cedar"), [candidate("a", "Amber")], []) == []


@pytest.mark.parametrize(
    ("text", "like", "surely"),
    [
        ("something like Salt", "Salt", True),
        ("films similar to  Salt", "Salt", True),
        ("like salt", "salt", False),
        ("wie Salz", "Salz", False),
        ("likeable", "", False),
        ("like", "", False),
        ("salt like", "", False),
    ],
)
def test_a_question_for_the_like_of_something_is_known(text: str, like: str, surely: bool) -> None:
    read = question(text)
    assert (read.like, read.surely) == (like, surely)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_and_makes_a_query_of_plain_words(text: str) -> None:
    try:
        read = question(text)
    except SearchInvalid:
        return
    queries = [spelling.word_query(each, {}, unfinished=True) for each in read.words]
    whole = spelling.all_of(read.words, queries) if queries else ""
    assert set(whole) <= set("abcdefghijklmnopqrstuvwxyz0123456789'():*&| ")


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=8))
def test_popularity_is_that_of_plays_which_halve_each_month(days: list[int]) -> None:
    begin = datetime(2022, 1, 1, tzinfo=UTC)
    value: float | None = None
    for day in days:
        value = popularity.played(value, begin + timedelta(days=day))
    assert value is not None
    now = begin + timedelta(days=2000)
    plays = sum(2.0 ** ((day - 2000) / 30) for day in days)
    assert popularity.standing(value, now) == pytest.approx(
        math.log2(1 + plays),
        abs=1e-6,
    )


def test_a_title_is_most_like_one_of_its_own_kind() -> None:
    salt = vectors.vector(["horror"], ["sea"], ["kim"], ["lighthouse"], 1971)
    brine = vectors.vector(["horror"], ["sea"], ["lee"], ["lighthouse"], 1974)
    foam = vectors.vector(["comedy"], ["sea"], ["ann"], ["holiday"], 2015)
    nothing = vectors.vector([], [], [], [], None)
    near, far, none = vectors.likeness([brine, foam, nothing], [salt])
    assert near > far > none == 0.0
    assert vectors.likeness([], [salt]) == []
    assert vectors.likeness([salt], []) == [0.0]
