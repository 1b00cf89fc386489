"""Viewers in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from cuemark.contracts import viewers
from cuemark.contracts.ids import TitleId
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import DRAFT, FILM, Neighbour


@dataclass
class Memory(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = viewers.Viewers.refusals
    recorded: list[viewers.RecordProgress] = field(default_factory=list)

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
