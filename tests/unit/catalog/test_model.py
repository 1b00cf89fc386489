"""The decisions of the catalog."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.catalog import model
from cuemark.contexts.catalog.model import Listing, after_event
from cuemark.contracts.catalog import ArtworkChosen, TitleCreated, TitleInvalid
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
Event = TitleCreated | VersionPublished | ArtworkChosen


def folded(events: Sequence[Event]) -> Listing:
    listing = Listing(title_id=TITLE)
    for event in events:
        listing = after_event(listing, event)
    return listing


@given(
    st.lists(versions, max_size=6, unique_by=lambda v: (v.quality, v.published_at, v.version_id)),
    st.lists(choices, max_size=4),
    st.randoms(use_true_random=False),
)
def test_the_same_events_in_any_order_give_the_same_listing(
    published: list[VersionPublished], chosen: list[ArtworkChosen], random: Random
) -> None:
    events: list[Event] = [created, *published, *chosen]
    shuffled = random.sample(events, len(events))
    assert folded(shuffled) == folded(events)


@given(versions, st.lists(choices, min_size=1, max_size=4))
def test_the_latest_choice_stands_for_the_title(
    published: VersionPublished, chosen: list[ArtworkChosen]
) -> None:
    title = model.title_of(folded([created, published, *chosen]))
    assert title is not None
    last = max(chosen, key=lambda choice: (choice.chosen_at, choice.artwork_key))
    assert title.artwork_key == (last.artwork_key or published.artwork_key)
    assert title.artwork_chosen == bool(last.artwork_key)


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
        accepted = model.checked_name(name)
    except TitleInvalid:
        return
    assert 1 <= len(accepted) <= model.LONGEST_NAME
    assert model.checked_name(accepted) == accepted
    accepted.encode()


def test_a_synopsis_may_have_lines_and_a_name_may_not() -> None:
    assert model.checked_synopsis("one\ntwo") == "one\ntwo"
    with pytest.raises(TitleInvalid, match="control character"):
        model.checked_name("one\ntwo")


def test_letters_that_look_composed_and_decomposed_are_one_name() -> None:
    assert model.checked_name("Ame\u0301lie") == model.checked_name("Am\u00e9lie")
