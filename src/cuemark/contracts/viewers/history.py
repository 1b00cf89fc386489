"""What a profile watched, by time, and what it took out of that."""

from datetime import datetime

import msgspec

from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId


class ListHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200."""

    profile_id: ProfileId
    after: str = ""
    limit: int = 50


class Viewing(msgspec.Struct, frozen=True, kw_only=True):
    """A play of a title that came further than a glance; ``watched_at`` is its last report."""

    title_id: TitleId
    session_id: PlaySessionId
    position_s: float
    duration_s: float
    watched_at: datetime


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    viewings: list[Viewing]
    next_cursor: str = ""


class RemoveFromHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Every viewing of the title until now, and where it stopped. What is watched after that is in
    the history again."""

    profile_id: ProfileId
    title_id: TitleId


class ClearHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Every viewing of every title that is known here by now."""

    profile_id: ProfileId


class HistoryCleared(msgspec.Struct, frozen=True, kw_only=True):
    """``titles`` is how many of them had been watched."""

    titles: int
