"""What is held against a film, and what against the machine."""

import errno
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.hindrance import (
    KILLED,
    LITTLE_ROOM_BYTES,
    NO_MEMORY,
    NO_ROOM,
    Hindrance,
    of_error,
    of_room,
    of_tool,
    pause_s,
    tries_again,
)


@pytest.mark.parametrize(
    ("code", "said", "hindrance"),
    [
        (228, "[out#0/mp4 @ 0x1] Error writing trailer: No space left on device", NO_ROOM),
        (1, "/data/objects/tmp/1/result/rung.mp4: Disk quota exceeded", NO_ROOM),
        (-signal.SIGABRT, "terminate called after throwing std::bad_alloc", None),
        (-signal.SIGKILL, "", KILLED),
        (-signal.SIGTERM, "Exiting normally, received signal 15.", KILLED),
        (-signal.SIGSEGV, "", None),
        (-signal.SIGXCPU, "", None),
        (-signal.SIGXFSZ, "", None),
        (1, "Invalid data found when processing input", None),
        (69, "", None),
    ],
)
def test_tells_a_bad_film_from_a_machine_in_trouble(
    code: int, said: str, hindrance: Hindrance | None
) -> None:
    assert of_tool(code, said) == hindrance


def test_a_call_that_found_no_room_waits_for_it() -> None:
    assert of_error(errno.ENOSPC) == of_error(errno.EDQUOT) == NO_ROOM
    assert of_error(errno.ENOMEM) == NO_MEMORY
    assert of_error(errno.ENOENT) is None
    assert of_error(None) is None


def test_work_that_fails_on_a_full_disk_is_not_held_against_the_film() -> None:
    assert of_room(0) == of_room(LITTLE_ROOM_BYTES - 1) == NO_ROOM
    assert of_room(LITTLE_ROOM_BYTES) is None


def test_room_is_waited_for_as_long_as_it_takes_and_a_killer_is_not() -> None:
    assert tries_again(NO_ROOM, 10_000)
    assert tries_again(KILLED, 5)
    assert not tries_again(KILLED, 6)
    assert not tries_again(NO_MEMORY, 6)


@given(st.integers(min_value=1, max_value=10_000))
def test_pauses_grow_and_stay_short_enough_to_go_on_soon_after_there_is_room(tried: int) -> None:
    assert 0 < pause_s(tried) <= pause_s(tried + 1) <= 15
