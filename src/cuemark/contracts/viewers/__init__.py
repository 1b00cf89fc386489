"""Viewers: what a profile has watched, where it stopped, and what it keeps and thinks of titles.

What is kept of a profile is erased when its account is (``AccountDeleted``), in every region that
hears of it.

Refusal
|-- ProgressInvalid   a position outside the film, or an id of no form that we give
|-- ViewingInvalid    an id of no form that we give, or too many of them
|-- ListFull          the profile's list has as many titles as a list may have
|-- SameRegion        changes come from a region that is called as this one is
`-- PageInvalid       the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers.exchange import (
    Applied,
    ApplyChanges,
    ChangesPage,
    ExportChanges,
    SameRegion,
)
from cuemark.contracts.viewers.history import (
    ClearHistory,
    HistoryCleared,
    HistoryPage,
    ListHistory,
    RemoveFromHistory,
)
from cuemark.contracts.viewers.lists import (
    AddToMyList,
    DescribeStanding,
    ListFull,
    ListMyList,
    ListRatings,
    MyListChanged,
    MyListPage,
    Rate,
    RatingPage,
    RatingSet,
    RemoveFromMyList,
    RemoveRating,
    Standings,
    ViewingInvalid,
)
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "viewers"


class ProgressInvalid(Refusal):
    code = "progress_invalid"
    status = 422


class RecordProgress(msgspec.Struct, frozen=True, kw_only=True):
    """``sequence`` grows within a session: a late report of an earlier moment changes nothing.

    Between sessions the one counts that was reported last, by the stamps of its region's clock.
    """

    profile_id: ProfileId
    title_id: TitleId
    session_id: PlaySessionId
    sequence: int
    position_s: float
    duration_s: float


class ProgressRecorded(msgspec.Struct, frozen=True, kw_only=True):
    pass


class GetResumePoint(msgspec.Struct, frozen=True, kw_only=True):
    profile_id: ProfileId
    title_id: TitleId


class ResumePoint(msgspec.Struct, frozen=True, kw_only=True):
    """0 where the title was not begun, or was watched to its end."""

    position_s: float


class ListWatching(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200.

    With ``ended`` the titles that were watched to the end are listed too, at position 0.
    """

    profile_id: ProfileId
    after: str = ""
    limit: int = 50
    ended: bool = False


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    title_id: TitleId
    position_s: float
    duration_s: float
    watched_at: datetime


class WatchingPage(msgspec.Struct, frozen=True, kw_only=True):
    """Titles begun and not ended, or all that were begun; the latest first."""

    titles: list[Watching]
    next_cursor: str = ""


class Viewers(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        ProgressInvalid,
        ViewingInvalid,
        ListFull,
        SameRegion,
        PageInvalid,
    )

    async def record_progress(self, request: RecordProgress) -> ProgressRecorded: ...

    async def get_resume_point(self, request: GetResumePoint) -> ResumePoint: ...

    async def list_watching(self, request: ListWatching) -> WatchingPage: ...

    async def list_history(self, request: ListHistory) -> HistoryPage: ...

    async def remove_from_history(self, request: RemoveFromHistory) -> HistoryCleared: ...

    async def clear_history(self, request: ClearHistory) -> HistoryCleared: ...

    async def add_to_my_list(self, request: AddToMyList) -> MyListChanged: ...

    async def remove_from_my_list(self, request: RemoveFromMyList) -> MyListChanged: ...

    async def list_my_list(self, request: ListMyList) -> MyListPage: ...

    async def rate(self, request: Rate) -> RatingSet: ...

    async def remove_rating(self, request: RemoveRating) -> RatingSet: ...

    async def list_ratings(self, request: ListRatings) -> RatingPage: ...

    async def describe_standing(self, request: DescribeStanding) -> Standings: ...

    async def export_changes(self, request: ExportChanges) -> ChangesPage: ...

    async def apply_changes(self, request: ApplyChanges) -> Applied: ...
