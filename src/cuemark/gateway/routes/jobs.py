"""Jobs and versions: the making of a title, and what came of it."""

from litestar import get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from cuemark.contracts.encoding import (
    CaptionSource,
    GetJob,
    GetReport,
    GetVersion,
    Ingest,
    Job,
    JobPage,
    ListJobs,
    Version,
    VersionReport,
)
from cuemark.contracts.ids import TitleId, UploadId, VersionId
from cuemark.gateway.operations.reading import read_report, report_answer
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, Cursor, IngestBody, Limit


@post(f"{API}/titles/{{title_id:str}}/ingest", opt={"access": "operator"}, tags=["jobs"])
async def ingest(title_id: FromPath[str], data: JSONBody[IngestBody], parts: Parts) -> Job:
    captions = [
        CaptionSource(
            language=caption.language,
            upload_id=UploadId(caption.upload_id),
            role=caption.role,
        )
        for caption in data.captions
    ]
    return await parts.encoding.ingest(
        Ingest(
            title_id=TitleId(title_id),
            upload_id=UploadId(data.upload_id),
            captions=captions,
            effort=data.effort,
            codecs=data.codecs,
        )
    )


@get(f"{API}/jobs/{{version_id:str}}", opt={"access": "operator"}, tags=["jobs"])
async def get_job(version_id: FromPath[str], parts: Parts) -> Job:
    return await parts.encoding.get_job(GetJob(version_id=VersionId(version_id)))


@get(f"{API}/jobs", opt={"access": "operator"}, tags=["jobs"])
async def list_jobs(parts: Parts, after: Cursor = "", limit: Limit = 50) -> JobPage:
    return await parts.encoding.list_jobs(ListJobs(after=after, limit=limit))


@get(f"{API}/versions/{{version_id:str}}", opt={"access": "operator"}, tags=["jobs"])
async def get_version(version_id: FromPath[str], parts: Parts) -> Version:
    return await parts.encoding.get_version(GetVersion(version_id=VersionId(version_id)))


@get(
    f"{API}/versions/{{version_id:str}}/report",
    opt={"access": "operator"},
    media_type="text/html",
    tags=["jobs"],
)
async def get_report(version_id: FromPath[str], parts: Parts) -> Response[str]:
    """One HTML page that needs nothing but itself."""
    return report_answer(await read_report(parts, VersionId(version_id)))


@get(f"{API}/versions/{{version_id:str}}/report.json", opt={"access": "operator"}, tags=["jobs"])
async def get_report_data(version_id: FromPath[str], parts: Parts) -> VersionReport:
    """What the page is made of."""
    return await parts.encoding.get_report(GetReport(version_id=VersionId(version_id)))
