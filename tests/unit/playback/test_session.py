"""How long a session lasts and where it begins."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.playback.model.session import Session, end_of, resume_of
from cuemark.contracts.ids import AccountId, PlaySessionId, ProfileId, TitleId, VersionId
from tests.unit.playback.versions import RANKING

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("duration_h", "life_h"), [(0.01, 12), (4, 12), (5, 15), (24, 72)])
def test_a_session_outlasts_an_outage_and_three_times_its_film(
    duration_h: float, life_h: float
) -> None:
    assert end_of(NOW, duration_h * 3600) == NOW + timedelta(hours=life_h)


@given(st.floats(), st.floats(0, 1e5))
def test_a_play_begins_inside_its_film(position_s: float, duration_s: float) -> None:
    begins_s = resume_of(position_s, duration_s)
    assert begins_s == 0 or 0 < begins_s < duration_s


def test_no_media_token_shows_in_a_repr() -> None:
    session = Session(
        PlaySessionId("play_1"),
        AccountId("acc_1"),
        ProfileId("prf_1"),
        TitleId("ttl_1"),
        VersionId("ver_1"),
        52.0,
        "a phone",
        RANKING,
        NOW,
        NOW,
    )
    assert "TOKEN" not in repr(session)
