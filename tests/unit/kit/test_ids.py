"""Ids: their form, their order, and that they repeat where a test wants them to."""

import random
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.clock import ManualClock, SystemClock
from cuemark.kit.ids import Ids, is_id


def value_of(text: str) -> int:
    """The 128 bits of an id."""
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    value = 0
    for character in text.partition("_")[2]:
        value = value << 5 | alphabet.index(character)
    return value


def test_an_id_is_a_uuid_of_version_7() -> None:
    clock = ManualClock(datetime(2026, 5, 6, 7, 8, 9, 123000, tzinfo=UTC))
    value = value_of(Ids(clock).new("ttl"))
    assert value < 1 << 128
    assert value >> 80 == int(clock.now().timestamp() * 1000)
    assert value >> 76 & 0xF == 7
    assert value >> 62 & 0b11 == 0b10


def test_ids_sort_by_the_time_of_their_making() -> None:
    clock = ManualClock()
    ids = Ids(clock)
    made = []
    for _ in range(50):
        made.append(ids.new("ttl"))
        clock.advance(0.001)
    assert made == sorted(made)


def test_ids_of_one_moment_differ_and_sort_by_their_making() -> None:
    ids = Ids(ManualClock())
    made = [ids.new("ttl") for _ in range(1000)]
    assert made == sorted(set(made))


def test_two_who_make_ids_in_one_moment_make_different_ones() -> None:
    clock = ManualClock()
    made = {ids.new("ttl") for ids in (Ids(clock), Ids(clock)) for _ in range(1000)}
    assert len(made) == 2000


def test_with_a_seed_ids_repeat() -> None:
    first, second = (Ids(ManualClock(), random.Random(7)) for _ in range(2))
    assert [first.new("ttl") for _ in range(5)] == [second.new("ttl") for _ in range(5)]


def test_what_is_made_has_the_form_of_its_kind_only() -> None:
    made = Ids(SystemClock()).new("ttl")
    assert is_id(made, "ttl")
    assert not is_id(made, "ver")
    assert not is_id(made.upper(), "ttl")


@given(st.text(max_size=40))
def test_text_of_an_ids_form_is_safe_in_a_path(text: str) -> None:
    if is_id(text, "ttl") or is_id("ttl_" + text, "ttl"):
        assert not set(text) & set("/\\.%\0\n '\"")
        assert text.isascii()
