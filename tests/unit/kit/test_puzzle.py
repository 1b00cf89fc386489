"""Puzzles: what costs their solver work and their judge one hash."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.puzzle import solve, solves


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40), st.integers(0, 10))
def test_a_solution_solves_its_own_puzzle_and_is_what_the_definition_says(
    challenge: str, bits: int
) -> None:
    answer = solve(challenge, bits)
    assert solves(challenge, answer, bits)
    digest = hashlib.sha256(f"{challenge}:{answer}".encode()).hexdigest()
    assert bin(int(digest, 16))[2:].zfill(256).startswith("0" * bits)


def test_an_answer_to_another_challenge_or_of_too_little_work_solves_nothing() -> None:
    answer = solve("one", 12)
    assert not solves("two", answer, 12)
    easy = next(str(n) for n in range(1000) if not solves("one", str(n), 4))
    assert not solves("one", easy, 4)


@pytest.mark.parametrize("answer", ["", "-1", "+1", " 1", "1 ", "1e3", "٣", "9" * 17, "0x1", "1\n"])
def test_what_is_no_number_solves_not_even_the_easiest(answer: str) -> None:
    assert not solves("one", answer, 0)
