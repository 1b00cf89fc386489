"""Encoding in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.artwork import CardImpossible, DrawTitleCard, TitleCard
from cuemark.contracts.encoding.farm import Farm, GetFarm, InHand, QueueLength, WorkerState
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    GetJob,
    Ingest,
    Job,
    JobEvent,
    JobEventPage,
    JobNotOver,
    JobPage,
    ListJobEvents,
    ListJobs,
    RetryJob,
    SetPriority,
    StageProgress,
)
from cuemark.contracts.encoding.marks import (
    FindMark,
    GetMarkSearch,
    MarkEvidence,
    MarkSearch,
    NotMarked,
    UnknownMarkSearch,
)
from cuemark.contracts.encoding.reports import GetReport, VersionReport
from cuemark.contracts.encoding.uploads import (
    CompleteUpload,
    GetUpload,
    OpenUpload,
    UnknownUpload,
    Upload,
)
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion, Version
from cuemark.contracts.ids import AssetId, TitleId, UploadId, VersionId
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import FILM, Neighbour


def searches() -> dict[str, MarkSearch]:
    """One that runs, one that is done, and one that failed."""
    running = MarkSearch(search_id="mks_1", version_id=VersionId("ver_1"), state="running")
    evidence = MarkEvidence(first_segment=4, values=[0.4, -0.2, 0.0], agreement=0.9)
    done = msgspec.structs.replace(running, search_id="mks_2", state="done", evidence=evidence)
    failed = msgspec.structs.replace(
        running, search_id="mks_3", state="failed", error="The file shows nothing of this film."
    )
    return {each.search_id: each for each in (running, done, failed)}


@dataclass
class Studio(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = Encoding.refusals
    uploads: dict[str, Upload] = field(default_factory=dict)
    ingested: list[Ingest] = field(default_factory=list)
    reports: dict[str, VersionReport] = field(default_factory=dict)
    unprintable: set[str] = field(default_factory=set)
    canceled: list[CancelJob] = field(default_factory=list)
    lost: bool = False
    searches: dict[str, MarkSearch] = field(default_factory=searches)

    async def open_upload(self, request: OpenUpload) -> Upload:
        self.check()
        upload_id = f"upl_{len(self.uploads)}"
        self.uploads[upload_id] = Upload(
            upload_id=UploadId(upload_id),
            name=request.name,
            size_bytes=request.size_bytes,
            received_bytes=0,
            spool_key=f"spool/{upload_id}",
        )
        return self.uploads[upload_id]

    async def get_upload(self, request: GetUpload) -> Upload:
        self.check()
        if request.upload_id not in self.uploads:
            raise UnknownUpload("There is no such upload.")
        return self.uploads[request.upload_id]

    async def complete_upload(self, request: CompleteUpload) -> Upload:
        upload = await self.get_upload(GetUpload(upload_id=request.upload_id))
        done = msgspec.structs.replace(
            upload, asset_id=AssetId("ast_1"), received_bytes=upload.size_bytes
        )
        self.uploads[request.upload_id] = done
        return done

    async def ingest(self, request: Ingest) -> Job:
        self.check()
        self.ingested.append(request)
        return self._job(request.title_id)

    async def get_job(self, request: GetJob) -> Job:
        self.check()
        raise UnknownVersion("There is no such job.")

    async def list_jobs(self, request: ListJobs) -> JobPage:
        self.check()
        return JobPage(jobs=[self._job(FILM)])

    async def set_priority(self, request: SetPriority) -> Job:
        self._check_job(request.version_id)
        return msgspec.structs.replace(self._job(FILM), priority=request.priority)

    async def cancel_job(self, request: CancelJob) -> Job:
        self._check_job(request.version_id)
        self.canceled.append(request)
        job = self._job(FILM)
        return msgspec.structs.replace(job, state="failed", canceled_by=request.by)

    async def retry_job(self, request: RetryJob) -> Job:
        self._check_job(request.version_id)
        raise JobNotOver("The job is running.")

    async def list_job_events(self, request: ListJobEvents) -> JobEventPage:
        self._check_job(request.version_id)
        event = JobEvent(
            kind="JobProgressed", at=self.clock.now(), stage="encode", done=1, total=4, percent=25
        )
        first = not request.after
        return JobEventPage(events=[event] if first else [], next_cursor="7-9")

    async def get_farm(self, request: GetFarm) -> Farm:
        self.check()
        work = InHand(
            version_id=VersionId("ver_1"),
            kind="encode",
            stage="encode",
            made_for="<b>720 lines</b>",
            since_s=62.0,
        )
        workers = [
            WorkerState(
                executor_id="worker-1",
                host="<i>host</i>",
                slot=1,
                pid=7,
                state="lost" if self.lost else "working",
                heard_s=12.0,
                in_hand=None if self.lost else work,
            )
        ]
        queues = [
            QueueLength(priority=each, jobs=1, waiting=17, in_hand=2)
            for each in ("premiere", "normal", "backlog")
        ]
        return Farm(workers=workers, queues=queues, lease_s=10.0)

    def _check_job(self, version_id: str) -> None:
        self.check()
        if version_id != "ver_1":
            raise UnknownVersion("There is no such job.")

    async def get_version(self, request: GetVersion) -> Version:
        self.check()
        raise UnknownVersion("There is no such version.")

    async def get_report(self, request: GetReport) -> VersionReport:
        self.check()
        if request.version_id not in self.reports:
            raise UnknownVersion("There is no such version.")
        return self.reports[request.version_id]

    async def find_mark(self, request: FindMark) -> MarkSearch:
        self.check()
        if request.version_id != "ver_1":
            raise NotMarked(f"the version {request.version_id} is not marked")
        await self.get_upload(GetUpload(upload_id=request.upload_id))
        return self.searches["mks_1"]

    async def get_mark_search(self, request: GetMarkSearch) -> MarkSearch:
        self.check()
        if request.search_id not in self.searches:
            raise UnknownMarkSearch(f"there is no search {request.search_id} for a mark")
        return self.searches[request.search_id]

    async def draw_title_card(self, request: DrawTitleCard) -> TitleCard:
        self.check()
        if request.name in self.unprintable:
            raise CardImpossible("No font here has these letters of the name: ?")
        return TitleCard(picture_key=f"{request.picture_key}-{request.name}")

    def _job(self, title_id: TitleId) -> Job:
        return Job(
            version_id=VersionId("ver_1"),
            title_id=title_id,
            state="running",
            quick_version_id=None,
            stages=[StageProgress(stage="inspect", done=1, total=1)],
            created_at=self.clock.now(),
        )
