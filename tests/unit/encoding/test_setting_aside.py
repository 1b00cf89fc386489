"""Work that is not tried again: when, and how it is told."""

from fractions import Fraction

from cuemark.contexts.encoding.model import progress, setting_aside
from cuemark.contexts.encoding.model.setting_aside import (
    MOST_CRASHES,
    STDERR_CHARACTERS,
    Piece,
    Said,
)


def piece(start: int | None = 1800, end: int | None = 2050) -> Piece:
    rate = None if start is None else Fraction(25)
    return Piece(
        kind="encode", stage="encode", made_for="720 lines", start=start, end=end, rate=rate
    )


def test_work_that_ended_as_many_workers_as_are_allowed_is_set_aside() -> None:
    assert not setting_aside.crashed_too_often(MOST_CRASHES - 1)
    assert setting_aside.crashed_too_often(MOST_CRASHES)


def test_the_sentence_names_the_shots_by_their_time() -> None:
    failure = setting_aside.failure_of(piece(), 2, "worker-1", None)
    assert (failure.from_s, failure.to_s) == (72.0, 82.0)
    told = setting_aside.sentence_of(failure, "ffmpeg ended with -11: no message")
    assert told == (
        "the shots from 0:01:12.0 to 0:01:22.0 could not be made (encode for 720 lines): "
        "ffmpeg ended with -11: no message"
    )


def test_work_of_the_whole_film_is_told_by_its_reason_alone() -> None:
    failure = setting_aside.failure_of(piece(None, None), 1, "", None)
    assert setting_aside.sentence_of(failure, "it does not decrypt") == "it does not decrypt"


def test_the_log_is_bounded_and_keeps_the_end_of_what_was_said() -> None:
    said = Said(["ffmpeg", "x" * 10**6, *["y"] * 1000], -9, "first" * 10**5 + "the last words")
    failure = setting_aside.failure_of(piece(), 1, "host-2", said)
    assert len(failure.stderr) == STDERR_CHARACTERS
    assert failure.stderr.endswith("the last words")
    assert failure.exit_code == -9
    assert sum(map(len, failure.command)) < 10**4


def test_hours_are_told_as_hours() -> None:
    assert setting_aside.clock_time(3 * 3600 + 62.26) == "3:01:02.3"


def test_a_stage_tells_ten_times_of_its_progress_and_of_its_end() -> None:
    for total in (1, 3, 10, 40, 999):
        told = [done for done in range(1, total + 1) if progress.tells(done, total)]
        assert len(told) == min(total, 10)
        assert told[-1] == total
    assert not progress.tells(5, 4), "more was found to do than was planned"
    assert (progress.percent(1, 3), progress.percent(5, 4), progress.percent(0, 0)) == (
        33,
        100,
        100,
    )
