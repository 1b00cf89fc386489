"""What appliances tell: taken where it can be, else refused with one sentence."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fill.model.hours import Counts, merged
from cuemark.contexts.fill.model.told import check_held, check_served
from cuemark.contexts.fill.model.turns import Turn, is_due
from cuemark.contracts.fill import MOST_TRACKS, FillInvalid, TellHeld, TellServed, TrackBytes
from cuemark.contracts.ids import ApplianceId, VersionId

NOW = datetime(2026, 3, 3, 19, 5, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
A = ApplianceId("edge-a")
TRACK = TrackBytes(VersionId("ver_1"), "a-en.opus", 7)
SERVED = TellServed(appliance_id=A, region="oslo", hour=HOUR, served=[TRACK])
HELD = TellHeld(
    appliance_id=A, region="oslo", timezone="Europe/Oslo", storage_bytes=1, held=[TRACK]
)


def test_what_can_be_is_taken() -> None:
    check_served(SERVED, NOW)
    check_served(msgspec.structs.replace(SERVED, hour=HOUR - timedelta(days=41), served=[]), NOW)
    check_held(HELD)
    check_held(msgspec.structs.replace(HELD, timezone="Asia/Kathmandu", part=3, parts=3))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"region": ""}, "region"),
        ({"region": "x" * 65}, "region"),
        ({"region": "os\nlo"}, "region"),
        ({"hour": HOUR.replace(tzinfo=None)}, "hour"),
        ({"hour": HOUR + timedelta(minutes=30)}, "hour"),
        ({"hour": HOUR + timedelta(hours=1)}, "still to come"),
        ({"hour": HOUR - timedelta(days=42)}, "is over"),
        ({"served": [TRACK] * (MOST_TRACKS + 1)}, "more than"),
        ({"served": [TrackBytes(VersionId("../x"), "v1", 1)]}, "no id"),
        ({"served": [TrackBytes(VersionId("ver_1"), "\0", 1)]}, "no id"),
        ({"served": [TrackBytes(VersionId("ver_1"), ".opus", 1)]}, "no id"),
        ({"served": [TrackBytes(VersionId("ver_1"), "v1", -1)]}, "bytes"),
        ({"served": [TrackBytes(VersionId("ver_1"), "v1", 2**63)]}, "bytes"),
    ],
)
def test_what_cannot_have_been_served_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(FillInvalid, match=says):
        check_served(msgspec.structs.replace(SERVED, **wrong), NOW)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"timezone": ""}, "timezone"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": "x" * 10_000}, "timezone"),
        ({"timezone": "a\0b"}, "timezone"),
        ({"storage_bytes": 0}, "storage_bytes"),
        ({"storage_bytes": 2**63}, "storage_bytes"),
        ({"capacity_kbps": -1}, "capacity_kbps"),
        ({"part": 0}, "part"),
        ({"part": 2}, "part"),
        ({"part": 1, "parts": 201}, "part"),
        ({"held": [TrackBytes(VersionId(""), "v1", 1)]}, "no id"),
    ],
)
def test_what_cannot_be_held_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(FillInvalid, match=says) as refused:
        check_held(msgspec.structs.replace(HELD, **wrong))
    assert len(refused.value.message.splitlines()) == 1
    assert len(refused.value.message) < 200


COUNTS = st.dictionaries(st.integers(1, 50), st.integers(0, 2**60), max_size=20)


def counts(of: dict[int, int]) -> Counts:
    return Counts(np.array([*of], dtype=np.int64), np.array([*of.values()], dtype=np.int64))


@given(COUNTS, COUNTS)
def test_of_each_track_the_greater_counts_in_any_order_and_once(
    one: dict[int, int], other: dict[int, int]
) -> None:
    both = merged(counts(one), counts(other))
    expected = {key: max(one.get(key, 0), other.get(key, 0)) for key in one | other}
    assert dict(zip(both.tracks.tolist(), both.of_bytes.tolist(), strict=True)) == expected
    turned, again = merged(counts(other), counts(one)), merged(both, counts(one))
    for same in (turned, again):
        assert same.tracks.tolist() == both.tracks.tolist()
        assert same.of_bytes.tolist() == both.of_bytes.tolist()


def turn(**known: Any) -> Turn:
    values = {"asked_at": None, "planned_at": None, "tried_at": None, "until_at": None}
    return Turn(**(values | {"trouble": "", "unread_trouble": "", "holder": ""} | known))


@pytest.mark.parametrize(
    ("known", "due"),
    [
        ({}, False),
        ({"asked_at": NOW - timedelta(seconds=4)}, False),
        ({"asked_at": NOW - timedelta(seconds=5)}, True),
        ({"planned_at": NOW - timedelta(minutes=1)}, False),
        ({"planned_at": HOUR + timedelta(minutes=2)}, True),
        ({"planned_at": HOUR - timedelta(minutes=20)}, True),
        ({"planned_at": HOUR + timedelta(minutes=4)}, False),
        ({"asked_at": HOUR, "holder": "x", "until_at": NOW + timedelta(seconds=1)}, False),
        ({"asked_at": HOUR, "holder": "x", "until_at": NOW}, True),
        ({"asked_at": HOUR, "trouble": "x", "tried_at": NOW - timedelta(seconds=59)}, False),
        ({"asked_at": HOUR, "trouble": "x", "tried_at": NOW - timedelta(seconds=60)}, True),
    ],
)
def test_a_plan_is_due_soon_after_a_change_and_soon_after_each_hour(
    known: dict[str, Any], due: bool
) -> None:
    assert is_due(turn(**known), NOW) is due


def test_before_an_hour_is_told_its_plan_waits() -> None:
    planned = turn(planned_at=HOUR - timedelta(minutes=30))
    assert not is_due(planned, HOUR + timedelta(minutes=2))
    assert is_due(planned, HOUR + timedelta(minutes=3))
