"""Windows: open by the clocks of a place, past midnight and over the days on which clocks jump."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.windows import DAY_MIN, Window, place_of, window

MINUTES = st.integers(0, DAY_MIN - 1)
PLACES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
)
MOMENTS = st.datetimes(
    min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC)
)


def test_a_window_is_read_as_it_is_written() -> None:
    assert window("02:00-14:00") == Window(120, 840)
    assert window("22:30-04:15") == Window(1350, 255)
    assert window("00:00-24:00") == window("") == Window()


@pytest.mark.parametrize(
    "written",
    [
        "2-14",
        "02:00-02:00",
        "24:00-03:00",
        "02:00-25:00",
        "02:60-03:00",
        "02:00-24:01",
        "x",
        "٠2:00-14:00",
    ],
)
def test_a_window_that_means_nothing_is_refused_in_a_sentence(written: str) -> None:
    with pytest.raises(ValueError, match="is no window"):
        window(written)


@pytest.mark.parametrize("name", ["Berlin", "../etc/passwd", "Europe", "/etc/localtime", "a\0b"])
def test_a_time_zone_that_is_none_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        place_of(name)


def test_no_time_zone_is_utc() -> None:
    assert place_of("").key == "UTC"


def test_a_window_may_go_past_midnight() -> None:
    late = window("22:00-04:00")
    assert [h for h in range(24) if late.open(h * 60)] == [0, 1, 2, 3, 22, 23]


def test_a_window_opens_by_the_time_of_its_place() -> None:
    tokyo = place_of("Asia/Tokyo")
    morning = window("02:00-14:00")
    assert not morning.open_at(datetime(2026, 5, 1, 16, 59, tzinfo=UTC), tokyo)
    assert morning.open_at(datetime(2026, 5, 1, 17, 0, tzinfo=UTC), tokyo)
    assert morning.opens_at(datetime(2026, 5, 1, 6, 30, 9, tzinfo=UTC), tokyo) == datetime(
        2026, 5, 1, 17, 0, tzinfo=UTC
    )


def test_clocks_put_forward_past_its_beginning_open_it_at_once() -> None:
    """Berlin, 29 March 2026: after 01:59 comes 03:00, which is 01:00 UTC."""
    berlin = place_of("Europe/Berlin")
    before = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    half_past_two = window("02:30-14:00")
    assert not half_past_two.open_at(before, berlin)
    assert half_past_two.opens_at(before, berlin) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    jumped_over = window("02:10-02:50")
    assert jumped_over.opens_at(before, berlin) == datetime(2026, 3, 30, 0, 10, tzinfo=UTC)


def test_clocks_put_back_open_it_for_an_hour_more() -> None:
    """Berlin, 25 October 2026: 02:00 to 03:00 comes twice."""
    berlin = place_of("Europe/Berlin")
    night = window("02:00-03:00")
    begins = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    open_min = [
        minute
        for minute in range(-60, 240)
        if night.open_at(begins + timedelta(minutes=minute), berlin)
    ]
    assert open_min == list(range(120))


@given(MINUTES, st.integers(0, DAY_MIN), MINUTES)
def test_a_window_and_the_one_from_its_end_to_its_beginning_share_the_day(
    from_min: int, to_min: int, at_min: int
) -> None:
    if from_min == to_min % DAY_MIN:
        return
    there, back = Window(from_min, to_min), Window(to_min % DAY_MIN, from_min or DAY_MIN)
    assert there.open(at_min) != back.open(at_min)


@given(MINUTES, MINUTES, PLACES, MOMENTS)
def test_it_opens_at_the_first_minute_at_which_it_is_open(
    from_min: int, to_min: int, name: str, now: datetime
) -> None:
    if from_min == to_min:
        return
    asked, place = Window(from_min, to_min), place_of(name)
    opens_at = asked.opens_at(now, place)
    assert opens_at is None or asked.open_at(opens_at, place)
    if opens_at is not None and opens_at > now:
        assert not asked.open_at(opens_at - timedelta(minutes=1), place)
        assert opens_at - now < timedelta(days=2)
