"""What the API takes and gives about what a profile watched, keeps and thinks of."""

from datetime import datetime

from cuemark.contracts.viewers.lists import Rating, Standing
from cuemark.gateway.views import TitleView, View
from cuemark.gateway.work_views import WorkSummaryView


class HistoryEntryView(View, frozen=True):
    """``position_s`` is how far this viewing came, that of ``title`` where the title goes on."""

    title: TitleView
    position_s: float
    watched_at: datetime


class HistoryView(View, frozen=True):
    viewings: list[HistoryEntryView]
    next_cursor: str = ""


class ListedView(View, frozen=True):
    work: WorkSummaryView
    added_at: datetime


class MyListView(View, frozen=True):
    works: list[ListedView]
    next_cursor: str = ""


class RatingBody(View, frozen=True):
    rating: Rating


class RatedView(View, frozen=True):
    work: WorkSummaryView
    rating: Rating
    rated_at: datetime


class RatingListView(View, frozen=True):
    works: list[RatedView]
    next_cursor: str = ""


class StandingListView(View, frozen=True):
    """Empty while nobody knows."""

    standings: list[Standing]
