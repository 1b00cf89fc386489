"""What changed in a region, for other regions. Whatever order they come in, and however often,
regions that have heard the same changes keep the same.

A ``stamp`` is the text of a ``kit.hybrid_clock.Stamp``: of two changes of one thing, the larger
counts.
"""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId, WorkId
from cuemark.kit.errors import Refusal

MOST_CHANGES = 500


class SameRegion(Refusal):
    code = "same_region"
    status = 409


class ViewingChange(msgspec.Struct, frozen=True, kw_only=True, tag="viewing", tag_field="kind"):
    """How far a playback session got: of one session that counts which has the largest ``since``,
    ``sequence`` and stamp, in this order. ``since`` is the stamp of the last removal of the title
    that its region knew of, empty for none: a later removal takes the viewing away.
    """

    profile_id: ProfileId
    title_id: TitleId
    session_id: PlaySessionId
    sequence: int
    position_s: float
    duration_s: float
    watched_at: datetime
    stamp: str
    since: str = ""


class RemovalChange(msgspec.Struct, frozen=True, kw_only=True, tag="removal", tag_field="kind"):
    """A title was taken out of the history."""

    profile_id: ProfileId
    title_id: TitleId
    stamp: str


class MyListChange(msgspec.Struct, frozen=True, kw_only=True, tag="my_list", tag_field="kind"):
    """A work was put on the list, or off it."""

    profile_id: ProfileId
    work_id: WorkId
    listed: bool
    stamp: str


class RatingChange(msgspec.Struct, frozen=True, kw_only=True, tag="rating", tag_field="kind"):
    """A work was rated; an empty rating: no longer."""

    profile_id: ProfileId
    work_id: WorkId
    rating: Literal["", "down", "up", "love"]
    stamp: str


class ErasureChange(msgspec.Struct, frozen=True, kw_only=True, tag="erasure", tag_field="kind"):
    """A profile is no more, and nothing may be kept of it."""

    profile_id: ProfileId


Change = ViewingChange | RemovalChange | MyListChange | RatingChange | ErasureChange


class ExportChanges(msgspec.Struct, frozen=True, kw_only=True):
    """``after`` is the ``cursor`` of the page before, however long ago; ``limit`` 1 to
    ``MOST_CHANGES``."""

    after: str = ""
    limit: int = MOST_CHANGES


class ChangesPage(msgspec.Struct, frozen=True, kw_only=True):
    """What changed last of each thing, those of other regions too. ``more``: ask again at once."""

    region: str
    changes: list[Change]
    cursor: str
    more: bool


class ApplyChanges(msgspec.Struct, frozen=True, kw_only=True):
    """At most ``MOST_CHANGES`` changes that ``region`` has exported."""

    region: str
    changes: list[Change]


class ChangeFault(msgspec.Struct, frozen=True, kw_only=True):
    """``place`` counts the changes of the request from 0."""

    place: int
    wrong: str


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """``taken`` changes were news; the others were known, or later ones were. Where there is a
    fault, nothing was taken."""

    taken: int
    faults: list[ChangeFault] = []
