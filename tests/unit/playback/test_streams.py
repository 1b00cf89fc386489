"""Who makes way for a play, and who has too many."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.playback.model.session import Session
from cuemark.contexts.playback.model.streams import LEASE, Place, given_up, held, holds
from cuemark.contracts.ids import AccountId, PlaySessionId, ProfileId, TitleId, VersionId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEVICES = ["", "tv", "phone", "tablet"]


def session(number: int, device_id: str, silent_s: float, left_s: float = 43_200) -> Session:
    return Session(
        session_id=PlaySessionId(f"ses_{number}"),
        account_id=AccountId("acc_1"),
        profile_id=ProfileId("prf_1"),
        title_id=TitleId("ttl_1"),
        version_id=VersionId("ver_1"),
        duration_s=60,
        device=device_id.upper(),
        device_id=device_id,
        ranking=[],
        started_at=NOW - timedelta(hours=1, seconds=number),
        expires_at=NOW + timedelta(seconds=left_s),
        heard_at=NOW - timedelta(seconds=silent_s),
        title="The Film",
    )


SILENT = st.floats(min_value=0, max_value=600)
LEFT = st.sampled_from((43_200, 1, 0, -60))
RUNNING = st.lists(st.tuples(st.sampled_from(DEVICES), SILENT, LEFT), max_size=8).map(
    lambda some: [session(number, *each) for number, each in enumerate(some)]
)
PLACES = st.builds(
    Place,
    streams=st.integers(min_value=0, max_value=5),
    device_id=st.sampled_from(DEVICES),
    instead_of=st.none() | st.integers(0, 9).map(lambda each: PlaySessionId(f"ses_{each}")),
)


@given(running=RUNNING, place=PLACES)
def test_with_one_more_there_are_never_more_than_the_plan_allows(
    running: list[Session], place: Place
) -> None:
    going = given_up(running, place, NOW)
    if going is None or not place.streams:
        return
    staying = [each for each in running if each not in going]
    assert len(staying) + 1 <= place.streams
    assert len({each.session_id for each in going}) == len(going)


@given(running=RUNNING, place=PLACES)
def test_nobody_is_refused_while_fewer_hold_a_stream_than_the_plan_allows(
    running: list[Session], place: Place
) -> None:
    holding = [
        each
        for each in running
        if holds(each, NOW)
        and each.expires_at > NOW
        and each.session_id != place.instead_of
        and not (place.device_id and each.device_id == place.device_id)
    ]
    refused = given_up(running, place, NOW) is None
    assert refused == (bool(place.streams) and len(holding) >= place.streams)


@given(running=RUNNING, place=PLACES)
def test_nobody_who_holds_a_stream_elsewhere_is_ended_unasked(
    running: list[Session], place: Place
) -> None:
    for each in given_up(running, place, NOW) or []:
        asked = each.session_id == place.instead_of
        own = place.streams and place.device_id and each.device_id == place.device_id
        assert asked or own or each.expires_at <= NOW or not holds(each, NOW)


@given(running=RUNNING, place=PLACES)
def test_what_is_past_its_end_goes_and_is_not_told_to_hold_a_stream(
    running: list[Session], place: Place
) -> None:
    over = {each.session_id for each in running if each.expires_at <= NOW}
    going = given_up(running, place, NOW)
    assert going is None or over <= {each.session_id for each in going}
    assert not over & {each.session_id for each in held(running, NOW).plays}


def test_those_that_were_silent_the_longest_make_way_and_no_more_than_must() -> None:
    lapsed = LEASE.total_seconds()
    running = [session(1, "", lapsed), session(2, "", lapsed + 9), session(3, "", lapsed + 1)]
    assert given_up(running, Place(streams=3), NOW) == [running[1]]
    assert given_up(running, Place(streams=2), NOW) == [running[1], running[2]]
    assert given_up(running, Place(streams=4), NOW) == []


def test_where_no_plans_are_sold_only_what_was_named_ends() -> None:
    running = [session(1, "tv", 0), session(2, "tv", 900)]
    assert given_up(running, Place(device_id="tv"), NOW) == []
    named = Place(device_id="tv", instead_of=running[0].session_id)
    assert given_up(running, named, NOW) == [running[0]]


def test_an_account_is_told_of_what_holds_its_streams_the_latest_first() -> None:
    running = [session(2, "tv", 0), session(1, "phone", 5), session(3, "", 1e6)]
    told = held(running, NOW).plays
    assert [(each.device, each.title) for each in told] == [
        ("PHONE", "The Film"),
        ("TV", "The Film"),
    ]


def test_a_lease_runs_from_when_a_play_was_heard_of() -> None:
    assert holds(session(1, "", LEASE.total_seconds() - 1), NOW)
    assert not holds(session(1, "", LEASE.total_seconds()), NOW)
    older = replace(session(1, "", 0), heard_at=None)
    assert not holds(older, NOW)
