"""Viewers in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from cuemark.contracts import viewers
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId, WorkId
from cuemark.contracts.viewers import exchange, history, lists
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import DRAFT, FILM, Neighbour


@dataclass
class Memory(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = viewers.Viewers.refusals
    recorded: list[viewers.RecordProgress] = field(default_factory=list)
    removed: list[tuple[ProfileId, TitleId | None]] = field(default_factory=list)
    listed: dict[tuple[ProfileId, WorkId], None] = field(default_factory=dict)
    rated: dict[tuple[ProfileId, WorkId], lists.Rating] = field(default_factory=dict)
    applied: list[exchange.ApplyChanges] = field(default_factory=list)

    async def record_progress(self, request: viewers.RecordProgress) -> viewers.ProgressRecorded:
        self.check()
        if request.position_s > request.duration_s:
            raise viewers.ProgressInvalid("The position is outside the film.")
        self.recorded.append(request)
        return viewers.ProgressRecorded()

    async def get_resume_point(self, request: viewers.GetResumePoint) -> viewers.ResumePoint:
        self.check()
        return viewers.ResumePoint(position_s=12.5 if request.profile_id == "prf_anna" else 0.0)

    async def list_watching(self, request: viewers.ListWatching) -> viewers.WatchingPage:
        self.check()
        if request.profile_id != "prf_anna":
            return viewers.WatchingPage(titles=[])
        begun = [
            viewers.Watching(
                title_id=title_id, position_s=12.5, duration_s=52.0, watched_at=self.clock.now()
            )
            for title_id in (FILM, TitleId("ttl_gone"), DRAFT)
        ]
        return viewers.WatchingPage(titles=begun)

    async def list_history(self, request: history.ListHistory) -> history.HistoryPage:
        self.check()
        if request.profile_id != "prf_anna" or self.removed:
            return history.HistoryPage(viewings=[])
        viewings = [
            history.Viewing(
                title_id=title_id,
                session_id=PlaySessionId(f"ses_{title_id}"),
                position_s=40.0,
                duration_s=52.0,
                watched_at=self.clock.now(),
            )
            for title_id in (FILM, TitleId("ttl_gone"), DRAFT, FILM)
        ]
        return history.HistoryPage(viewings=viewings, next_cursor=request.after)

    async def remove_from_history(
        self, request: history.RemoveFromHistory
    ) -> history.HistoryCleared:
        self.check()
        self.removed.append((request.profile_id, request.title_id))
        return history.HistoryCleared(titles=1)

    async def clear_history(self, request: history.ClearHistory) -> history.HistoryCleared:
        self.check()
        self.removed.append((request.profile_id, None))
        return history.HistoryCleared(titles=1)

    async def add_to_my_list(self, request: lists.AddToMyList) -> lists.MyListChanged:
        self.check()
        if len(self.listed) > 2:
            raise lists.ListFull("The list is full.")
        self.listed[request.profile_id, request.work_id] = None
        return lists.MyListChanged(changed=True)

    async def remove_from_my_list(self, request: lists.RemoveFromMyList) -> lists.MyListChanged:
        self.check()
        self.listed.pop((request.profile_id, request.work_id), None)
        return lists.MyListChanged(changed=True)

    async def list_my_list(self, request: lists.ListMyList) -> lists.MyListPage:
        self.check()
        works = [
            lists.Listed(work_id=work_id, added_at=self.clock.now())
            for profile_id, work_id in reversed(self.listed)
            if profile_id == request.profile_id
        ]
        return lists.MyListPage(works=works, next_cursor=request.after)

    async def rate(self, request: lists.Rate) -> lists.RatingSet:
        self.check()
        self.rated[request.profile_id, request.work_id] = request.rating
        return lists.RatingSet(changed=True)

    async def remove_rating(self, request: lists.RemoveRating) -> lists.RatingSet:
        self.check()
        self.rated.pop((request.profile_id, request.work_id), None)
        return lists.RatingSet(changed=True)

    async def list_ratings(self, request: lists.ListRatings) -> lists.RatingPage:
        self.check()
        works = [
            lists.Rated(work_id=work_id, rating=rating, rated_at=self.clock.now())
            for (profile_id, work_id), rating in self.rated.items()
            if profile_id == request.profile_id
        ]
        return lists.RatingPage(works=works, next_cursor=request.after)

    async def describe_standing(self, request: lists.DescribeStanding) -> lists.Standings:
        self.check()
        profile_id = request.profile_id
        standings = [
            lists.Standing(
                work_id=each,
                listed=(profile_id, each) in self.listed,
                rating=self.rated.get((profile_id, each), ""),
            )
            for each in request.work_ids
        ]
        return lists.Standings(standings=standings)

    async def export_changes(self, request: exchange.ExportChanges) -> exchange.ChangesPage:
        self.check()
        changes: list[exchange.Change] = [
            change for asked in self.applied for change in asked.changes
        ]
        return exchange.ChangesPage(
            region="here", changes=changes, cursor=request.after, more=False
        )

    async def apply_changes(self, request: exchange.ApplyChanges) -> exchange.Applied:
        self.check()
        if request.region == "here":
            raise exchange.SameRegion("Give each region a name of its own.")
        self.applied.append(request)
        return exchange.Applied(taken=len(request.changes))
