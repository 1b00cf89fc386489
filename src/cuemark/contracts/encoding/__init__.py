"""Encoding: from a master file to an immutable published version.

Bytes never pass this contract: an upload is written to the object store under ``spool_key`` by
whoever receives it, and named here by its id.

    Refusal
    |-- UnknownUpload     no upload has this id
    |-- UploadIncomplete  fewer or other bytes arrived than were announced
    |-- UploadInvalid     the announced name, size or kind is not acceptable; says why
    |-- MasterRejected    the file is no film that can be encoded; says why
    |-- UnknownVersion    no version, or no job, has this id
    |-- JobOver           what was asked for needs a job that is not over yet; says how it ended
    |-- JobNotOver        it needs one that failed; says where it stands
    |-- CardImpossible    a name cannot be set in type, or its picture is not here; says why
    |-- NotMarked         a version has no two variants, so that no copy tells whose it was
    |-- UnknownMarkSearch no search for a mark has this id
    `-- PageInvalid       the limit of a list is not acceptable
"""

from typing import ClassVar, Protocol

from cuemark.contracts.encoding.artwork import CardImpossible, DrawTitleCard, TitleCard
from cuemark.contracts.encoding.farm import Farm, GetFarm
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    GetJob,
    Ingest,
    Job,
    JobEventPage,
    JobNotOver,
    JobOver,
    JobPage,
    ListJobEvents,
    ListJobs,
    MasterRejected,
    RetryJob,
    SetPriority,
)
from cuemark.contracts.encoding.marks import (
    FindMark,
    GetMarkSearch,
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
    UploadIncomplete,
    UploadInvalid,
)
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion, Version
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid


class Encoding(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        UnknownUpload,
        UploadIncomplete,
        UploadInvalid,
        MasterRejected,
        UnknownVersion,
        JobOver,
        JobNotOver,
        CardImpossible,
        NotMarked,
        UnknownMarkSearch,
        PageInvalid,
    )

    async def open_upload(self, request: OpenUpload) -> Upload: ...

    async def get_upload(self, request: GetUpload) -> Upload: ...

    async def complete_upload(self, request: CompleteUpload) -> Upload: ...

    async def ingest(self, request: Ingest) -> Job: ...

    async def get_job(self, request: GetJob) -> Job: ...

    async def list_jobs(self, request: ListJobs) -> JobPage: ...

    async def set_priority(self, request: SetPriority) -> Job: ...

    async def cancel_job(self, request: CancelJob) -> Job: ...

    async def retry_job(self, request: RetryJob) -> Job: ...

    async def list_job_events(self, request: ListJobEvents) -> JobEventPage: ...

    async def get_farm(self, request: GetFarm) -> Farm: ...

    async def get_version(self, request: GetVersion) -> Version: ...

    async def get_report(self, request: GetReport) -> VersionReport: ...

    async def draw_title_card(self, request: DrawTitleCard) -> TitleCard: ...

    async def find_mark(self, request: FindMark) -> MarkSearch: ...

    async def get_mark_search(self, request: GetMarkSearch) -> MarkSearch: ...
