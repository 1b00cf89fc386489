"""The decisions of the viewers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.viewers.model import progress as model
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers import ProgressInvalid, RecordProgress

seconds = st.floats(allow_nan=True, allow_infinity=True)


def report(position_s: float, duration_s: float, sequence: int = 1) -> RecordProgress:
    return RecordProgress(
        profile_id=ProfileId("prf_a"),
        title_id=TitleId("ttl_a"),
        session_id=PlaySessionId("pls_a"),
        sequence=sequence,
        position_s=position_s,
        duration_s=duration_s,
    )


@pytest.mark.parametrize(
    ("position_s", "duration_s", "expected_s"),
    [
        (4.9, 7200, 0.0),
        (5.0, 7200, 5.0),
        (6839.0, 7200, 6839.0),
        (6840.0, 7200, 0.0),
        (1.0, 52, 0.0),
        (1.1, 52, 1.1),
        (49.0, 52, 49.0),
        (49.5, 52, 0.0),
        (0.0, 52, 0.0),
    ],
)
def test_a_glance_and_a_seen_film_leave_no_resume_point(
    position_s: float, duration_s: float, expected_s: float
) -> None:
    assert model.resume_s(position_s, duration_s) == expected_s


@given(seconds, seconds, st.integers())
def test_what_is_believed_lies_within_the_film(
    position_s: float, duration_s: float, sequence: int
) -> None:
    try:
        believed_s = model.checked_position_s(report(position_s, duration_s, sequence))
    except ProgressInvalid:
        return
    assert 0 <= believed_s <= duration_s <= model.LONGEST_S
    assert 0 <= model.resume_s(believed_s, duration_s) < duration_s


def test_a_player_that_overshoots_the_end_has_reached_it() -> None:
    assert model.checked_position_s(report(601.9, 600)) == 600
    with pytest.raises(ProgressInvalid, match="outside"):
        model.checked_position_s(report(602.1, 600))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ProgressInvalid):
        model.checked_position_s(report(bad, 600))
    with pytest.raises(ProgressInvalid):
        model.checked_position_s(report(1, bad))
