"""Jobs and versions: the making of a title, and what came of it."""

from litestar import get, post, put
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from cuemark.contracts.encoding.farm import Farm, GetFarm
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    CaptionSource,
    GetJob,
    Ingest,
    Job,
    JobEventPage,
    JobPage,
    ListJobEvents,
    ListJobs,
    RetryJob,
    SetPriority,
)
from cuemark.contracts.encoding.reports import GetReport, VersionReport
from cuemark.contracts.encoding.uploads import UploadInvalid
from cuemark.contracts.encoding.versions import GetVersion, Version
from cuemark.contracts.ids import TitleId, UploadId, VersionId
from cuemark.contracts.protection import LEAST_PERIOD_S, may_be_period
from cuemark.gateway.operations.reading import read_report, report_answer
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, CancelBody, Cursor, IngestBody, Limit, PriorityBody
from cuemark.kit.passport import current_passport


@post(
    f"{API}/titles/{{title_id:str}}/ingest",
    opt={"access": "operator", "staff": "ingest.write"},
    tags=["jobs"],
)
async def ingest(title_id: FromPath[str], data: JSONBody[IngestBody], parts: Parts) -> Job:
    captions = [
        CaptionSource(
            language=caption.language,
            upload_id=UploadId(caption.upload_id),
            role=caption.role,
        )
        for caption in data.captions
    ]
    if data.crypto_period_s is not None and not may_be_period(data.crypto_period_s):
        raise UploadInvalid(
            f"A crypto period has {LEAST_PERIOD_S} seconds or more, or 0 for one key for the whole "
            "film."
        )
    return await parts.encoding.ingest(
        Ingest(
            title_id=TitleId(title_id),
            upload_id=UploadId(data.upload_id),
            captions=captions,
            effort=data.effort,
            codecs=data.codecs,
            priority=data.priority,
            crypto_period_s=data.crypto_period_s,
            marked=data.marked,
        )
    )


@get(
    f"{API}/jobs/{{version_id:str}}",
    opt={"access": "operator", "staff": "jobs.read"},
    tags=["jobs"],
)
async def get_job(version_id: FromPath[str], parts: Parts) -> Job:
    return await parts.encoding.get_job(GetJob(version_id=VersionId(version_id)))


@get(f"{API}/jobs", opt={"access": "operator", "staff": "jobs.read"}, tags=["jobs"])
async def list_jobs(parts: Parts, after: Cursor = "", limit: Limit = 50) -> JobPage:
    return await parts.encoding.list_jobs(ListJobs(after=after, limit=limit))


@put(
    f"{API}/jobs/{{version_id:str}}/priority",
    opt={"access": "operator", "staff": "jobs.steer"},
    tags=["jobs"],
)
async def set_priority(
    version_id: FromPath[str], data: JSONBody[PriorityBody], parts: Parts
) -> Job:
    """Says whose turn it is among the titles; what is in hand is finished first."""
    return await parts.encoding.set_priority(
        SetPriority(version_id=VersionId(version_id), priority=data.priority)
    )


@post(
    f"{API}/jobs/{{version_id:str}}/cancel",
    opt={"access": "operator", "staff": "jobs.steer"},
    status_code=200,
    tags=["jobs"],
)
async def cancel_job(version_id: FromPath[str], data: JSONBody[CancelBody], parts: Parts) -> Job:
    """Ends a job. A quick version that was published stays."""
    passport = current_passport.get()
    caller = passport.subject if passport else ""
    return await parts.encoding.cancel_job(
        CancelJob(version_id=VersionId(version_id), by=f"{caller} {data.by}".strip())
    )


@post(
    f"{API}/jobs/{{version_id:str}}/retry",
    opt={"access": "operator", "staff": "jobs.steer"},
    status_code=200,
    tags=["jobs"],
)
async def retry_job(version_id: FromPath[str], parts: Parts) -> Job:
    """Begins a failed or canceled job again; what was made for it is found."""
    return await parts.encoding.retry_job(RetryJob(version_id=VersionId(version_id)))


@get(
    f"{API}/jobs/{{version_id:str}}/events",
    opt={"access": "operator", "staff": "jobs.read"},
    tags=["jobs"],
)
async def list_job_events(
    version_id: FromPath[str], parts: Parts, after: Cursor = "", limit: Limit = 50
) -> JobEventPage:
    """What the log tells of a job, the oldest first. Ask again with ``next_cursor`` for more."""
    return await parts.encoding.list_job_events(
        ListJobEvents(version_id=VersionId(version_id), after=after, limit=limit)
    )


@get(f"{API}/farm", opt={"access": "operator", "staff": "jobs.read"}, tags=["jobs"])
async def get_farm(parts: Parts) -> Farm:
    """The workers and what each does, and the queues."""
    return await parts.encoding.get_farm(GetFarm())


@get(
    f"{API}/versions/{{version_id:str}}",
    opt={"access": "operator", "staff": "reports.read"},
    tags=["jobs"],
)
async def get_version(version_id: FromPath[str], parts: Parts) -> Version:
    return await parts.encoding.get_version(GetVersion(version_id=VersionId(version_id)))


@get(
    f"{API}/versions/{{version_id:str}}/report",
    opt={"access": "operator", "staff": "reports.read"},
    media_type="text/html",
    tags=["jobs"],
)
async def get_report(version_id: FromPath[str], parts: Parts) -> Response[str]:
    """One HTML page that needs nothing but itself."""
    return report_answer(await read_report(parts, VersionId(version_id)))


@get(
    f"{API}/versions/{{version_id:str}}/report.json",
    opt={"access": "operator", "staff": "reports.read"},
    tags=["jobs"],
)
async def get_report_data(version_id: FromPath[str], parts: Parts) -> VersionReport:
    """What the page is made of."""
    return await parts.encoding.get_report(GetReport(version_id=VersionId(version_id)))
