"""Which changes of another region are believed."""

from collections.abc import Sequence
from datetime import timedelta

from cuemark.contexts.viewers.model.progress import LONGEST_S, OVERSHOOT_S, is_id
from cuemark.contracts.viewers.exchange import (
    MOST_CHANGES,
    Change,
    ChangeFault,
    ErasureChange,
    MyListChange,
    RatingChange,
    ViewingChange,
)
from cuemark.contracts.viewers.lists import ViewingInvalid
from cuemark.kit.hybrid_clock import HybridClock, Stamp, StampInvalid

_LARGEST_SEQUENCE = 2**63 - 1
_LATE = timedelta(minutes=1)
"""By how much a wall clock may be set back while a report is noted."""


def check_ids(*ids: str) -> None:
    """Raise ``ViewingInvalid`` for an id of no form that we give."""
    for text in ids:
        if not is_id(text):
            raise ViewingInvalid(f"{text[:64]!r} is no id of a profile or a title.")


def faults_in(changes: Sequence[Change], clock: HybridClock) -> list[ChangeFault]:
    """What is wrong with the changes, at most one fault of each."""
    if len(changes) > MOST_CHANGES:
        raise ViewingInvalid(f"At most {MOST_CHANGES} changes come at once.")
    found = ((place, _wrong(change, clock)) for place, change in enumerate(changes))
    return [ChangeFault(place=place, wrong=wrong) for place, wrong in found if wrong]


def wrong_with(change: Change) -> str:
    """What is wrong with a change whatever the time is, in a sentence; empty where nothing is."""
    ids: list[str] = [change.profile_id]
    if isinstance(change, MyListChange | RatingChange):
        ids.append(change.work_id)
    elif not isinstance(change, ErasureChange):
        ids.append(change.title_id)
    if isinstance(change, ViewingChange):
        ids.append(change.session_id)
    if bad := [text for text in ids if not is_id(text)]:
        return f"{bad[0][:64]!r} is no id that we give."
    try:
        stamps = _stamps(change)
    except StampInvalid as error:
        return str(error)
    return _wrong_viewing(change, stamps[0]) if isinstance(change, ViewingChange) else ""


def _wrong(change: Change, clock: HybridClock) -> str:
    if wrong := wrong_with(change):
        return wrong
    for stamp in _stamps(change):
        if clock.is_ahead(stamp):
            return f"It was stamped for {stamp.at.isoformat()}, which is ahead of the clock here."
    return ""


def _stamps(change: Change) -> list[Stamp]:
    if isinstance(change, ErasureChange):
        return []
    texts = [change.stamp]
    if isinstance(change, ViewingChange) and change.since:
        texts.append(change.since)
    return [Stamp.parsed(text) for text in texts]


def _wrong_viewing(viewing: ViewingChange, stamp: Stamp) -> str:
    if not 0 <= viewing.sequence <= _LARGEST_SEQUENCE:
        return "The sequence of a viewing counts from 0 upwards."
    if not 0 < viewing.duration_s <= LONGEST_S:
        return "The duration of a film is more than 0 s and at most a week."
    if not 0 <= viewing.position_s <= viewing.duration_s + OVERSHOOT_S:
        return "The position lies outside the film."
    if viewing.watched_at.tzinfo is None or viewing.watched_at > stamp.at + _LATE:
        return "It was watched at no time with a zone, or later than it was stamped."
    return "" if viewing.since < viewing.stamp else "It was stamped before the removal it knows of."
