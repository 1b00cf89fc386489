"""Challenges: signed, for one subject, for two minutes, once."""

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fraud.model.challenges import LASTS_S, Challenges
from cuemark.kit.puzzle import solve

NOW_S = 1_700_000_000.0
BITS = 6


def answer_to(challenge: str, bits: int = BITS) -> str:
    return f"{challenge}:{solve(challenge, bits)}"


def test_an_answer_opens_one_attempt_of_its_subject() -> None:
    challenges = Challenges(b"key")
    answer = answer_to(challenges.new("anna", BITS, NOW_S))
    assert not challenges.spend(answer, "ben", NOW_S)
    assert challenges.spend(answer, "anna", NOW_S + LASTS_S - 1)
    assert not challenges.spend(answer, "anna", NOW_S + LASTS_S - 1)


def test_a_late_answer_opens_nothing() -> None:
    challenges = Challenges(b"key")
    answer = answer_to(challenges.new("anna", BITS, NOW_S))
    assert not challenges.spend(answer, "anna", NOW_S + LASTS_S + 1)


def test_nobody_makes_a_challenge_or_an_easier_one() -> None:
    challenges = Challenges(b"key")
    forged = Challenges(b"other").new("anna", 0, NOW_S)
    assert not challenges.spend(answer_to(forged, 0), "anna", NOW_S)
    hard = challenges.new("anna", 30, NOW_S)
    assert not challenges.spend(f"{hard}:1", "anna", NOW_S)


def test_another_process_with_the_same_key_takes_the_answer() -> None:
    answer = answer_to(Challenges(b"key").new("anna", BITS, NOW_S))
    assert Challenges(b"key").spend(answer, "anna", NOW_S)


@given(st.text(max_size=700))
def test_what_is_no_answer_opens_nothing(text: str) -> None:
    assert not Challenges(b"key").spend(text, "anna", NOW_S)


@given(st.integers(0, 300), st.characters())
def test_a_challenge_that_was_changed_opens_nothing(place: int, other: str) -> None:
    challenges = Challenges(b"key")
    challenge = challenges.new("anna", 0, NOW_S)
    place %= len(challenge)
    changed = challenge[:place] + other + challenge[place + 1 :]
    if changed != challenge and changed.rpartition(".")[0] != challenge.rpartition(".")[0]:
        assert not challenges.spend(f"{changed}:0", "anna", NOW_S)
