"""Viewers: what a profile has watched and where it stopped.

What is kept of a profile is erased when its account is (``AccountDeleted``).

Refusal
|-- ProgressInvalid   a position outside the film, or an id of no form that we give
`-- PageInvalid       the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "viewers"


class ProgressInvalid(Refusal):
    code = "progress_invalid"
    status = 422


class RecordProgress(msgspec.Struct, frozen=True, kw_only=True):
    """``sequence`` grows within a session: a late report of an earlier moment changes nothing."""

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
    refusals: ClassVar[tuple[type[Refusal], ...]] = (ProgressInvalid, PageInvalid)

    async def record_progress(self, request: RecordProgress) -> ProgressRecorded: ...

    async def get_resume_point(self, request: GetResumePoint) -> ResumePoint: ...

    async def list_watching(self, request: ListWatching) -> WatchingPage: ...
