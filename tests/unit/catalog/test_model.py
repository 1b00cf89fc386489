"""The decisions of the catalog."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.catalog.model import listing as model
from cuemark.contexts.catalog.model import texts
from cuemark.contexts.catalog.model.listing import Listing, after_event
from cuemark.contracts.catalog import ArtworkChosen, LaunchSet, TitleCreated, TitleInvalid
from cuemark.contracts.catalog.works import TitleDescribed
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import TitleId, VersionId

TITLE = TitleId("ttl_x")
START = datetime(2026, 1, 1, tzinfo=UTC)

created = TitleCreated(title_id=TITLE, name="Film", synopsis="", created_at=START)
versions = st.builds(
    VersionPublished,
    version_id=st.integers(0, 5).map(lambda number: VersionId(f"ver_{number}")),
    title_id=st.just(TITLE),
    quality=st.sampled_from(["quick", "full"]),
    duration_s=st.just(52.0),
    artwork_key=st.just("artwork"),
    index_blake3=st.just("00"),
    published_at=st.integers(0, 5).map(lambda minutes: START + timedelta(minutes=minutes)),
)


choices = st.builds(
    ArtworkChosen,
    title_id=st.just(TITLE),
    artwork_key=st.sampled_from(["", "one", "two"]),
    chosen_at=st.integers(0, 5).map(lambda minutes: START + timedelta(minutes=minutes)),
)
launches = st.builds(
    LaunchSet,
    title_id=st.just(TITLE),
    launch_at=st.none() | st.integers(0, 5).map(lambda days: START + timedelta(days=days)),
    set_at=st.integers(0, 5).map(lambda minutes: START + timedelta(minutes=minutes)),
)
descriptions = st.builds(
    TitleDescribed,
    title_id=st.just(TITLE),
    name=st.sampled_from(["Film", "Movie"]),
    synopsis=st.just(""),
    series=st.sampled_from(["", "Show"]),
    described_at=st.integers(0, 5).map(lambda minutes: START + timedelta(minutes=minutes)),
)
Event = TitleDescribed | TitleCreated | LaunchSet | VersionPublished | ArtworkChosen


def folded(events: Sequence[Event]) -> Listing:
    listing = Listing(title_id=TITLE)
    for event in events:
        listing = after_event(listing, event)
    return listing


@given(
    st.lists(versions, max_size=6, unique_by=lambda v: (v.quality, v.published_at, v.version_id)),
    st.lists(choices, max_size=4),
    st.lists(launches, max_size=4),
    st.lists(descriptions, max_size=4),
    st.randoms(use_true_random=False),
)
def test_the_same_events_in_any_order_give_the_same_listing(
    published: list[VersionPublished],
    chosen: list[ArtworkChosen],
    launched: list[LaunchSet],
    described: list[TitleDescribed],
    random: Random,
) -> None:
    events: list[Event] = [created, *published, *chosen, *launched, *described]
    shuffled = random.sample(events, len(events))
    assert folded(shuffled) == folded(events)


@given(st.lists(descriptions, min_size=1, max_size=4))
def test_a_title_is_called_as_it_was_described_last(described: list[TitleDescribed]) -> None:
    title = model.title_of(folded([created, *described]), START)
    assert title is not None
    last = max(described, key=lambda each: (each.described_at, each.name, "", each.series))
    assert (title.name, title.series) == (last.name, last.series)


@given(versions, st.lists(choices, min_size=1, max_size=4))
def test_the_latest_choice_stands_for_the_title(
    published: VersionPublished, chosen: list[ArtworkChosen]
) -> None:
    title = model.title_of(folded([created, published, *chosen]), START)
    assert title is not None
    last = max(chosen, key=lambda choice: (choice.chosen_at, choice.artwork_key))
    assert title.artwork_key == (last.artwork_key or published.artwork_key)
    assert title.artwork_chosen == bool(last.artwork_key)


@given(st.lists(launches, min_size=1, max_size=4), st.integers(0, 7))
def test_the_launch_that_was_set_last_says_when_a_title_is_seen(
    launched: list[LaunchSet], days: int
) -> None:
    now = START + timedelta(days=days)
    title = model.title_of(folded([created, *launched]), now)
    assert title is not None
    last = max(launched, key=lambda each: (each.set_at, each.launch_at or START - timedelta(1)))
    assert title.launch_at == last.launch_at
    assert title.launched == (last.launch_at is None or last.launch_at <= now)


@given(st.datetimes())
def test_a_launch_without_a_time_zone_is_refused(at: datetime) -> None:
    with pytest.raises(TitleInvalid, match="no time zone"):
        model.checked_launch(at)


@given(st.datetimes(timezones=st.timezones()))
def test_a_launch_is_kept_as_the_same_moment_or_refused(at: datetime) -> None:
    try:
        kept = model.checked_launch(at)
    except TitleInvalid:
        assert not model.EARLIEST <= at < model.LATEST
        return
    assert kept is not None
    assert kept.timestamp() == at.timestamp()
    assert model.checked_launch(kept) == kept


@given(st.lists(versions, min_size=1, max_size=6))
def test_a_full_version_is_shown_wherever_there_is_one(events: list[VersionPublished]) -> None:
    qualities = {event.quality for event in events}
    assert folded([*events]).quality == ("full" if "full" in qualities else "quick")


@given(st.lists(versions, max_size=6))
def test_an_event_that_is_read_again_changes_nothing(events: list[VersionPublished]) -> None:
    assert folded([*events, *events]) == folded([*events])


@given(st.text(max_size=300))
def test_a_name_is_accepted_as_it_will_be_shown_or_refused(name: str) -> None:
    try:
        accepted = texts.checked_name(name)
    except TitleInvalid:
        return
    assert 1 <= len(accepted) <= texts.LONGEST_NAME
    assert texts.checked_name(accepted) == accepted
    accepted.encode()


def test_a_synopsis_may_have_lines_and_a_name_may_not() -> None:
    assert texts.checked_synopsis("one\ntwo") == "one\ntwo"
    with pytest.raises(TitleInvalid, match="control character"):
        texts.checked_name("one\ntwo")


def test_letters_that_look_composed_and_decomposed_are_one_name() -> None:
    assert texts.checked_name("Ame\u0301lie") == texts.checked_name("Am\u00e9lie")
