"""Jobs, as every caller of encoding may rely on them, and what is told of the farm."""

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from cuemark.contracts.encoding.farm import GetFarm
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    CaptionSource,
    GetJob,
    Ingest,
    Job,
    JobNotOver,
    JobOver,
    ListJobEvents,
    ListJobs,
    Priority,
    RetryJob,
    SetPriority,
)
from cuemark.contracts.encoding.uploads import (
    UnknownUpload,
    UploadIncomplete,
    UploadInvalid,
)
from cuemark.contracts.encoding.versions import CaptionRole, UnknownVersion
from cuemark.contracts.ids import TitleId, UploadId, VersionId
from cuemark.kit.errors import Unavailable
from cuemark.kit.pages import PageInvalid
from cuemark.kit.tracing import trace
from tests.contract.encoding.house import TITLE, House


async def test_a_job_begins_with_exactly_one_workflow(house: House) -> None:
    job = await house.ingest()
    assert job.state == "waiting"
    assert job.quick_version_id is None
    assert job.stages == []
    assert await house.queued() == [(job.version_id, "encoding.title", "encoding-titles")]
    assert await house.encoding.get_job(GetJob(version_id=job.version_id)) == job


async def test_a_job_that_cannot_be_kept_enqueues_no_workflow(
    house: House, encoding_url: str
) -> None:
    """The workflow is put on its queue in the transaction of the job: both or neither."""
    with psycopg.connect(
        encoding_url.replace("postgresql+psycopg", "postgresql"), autocommit=True
    ) as connection:
        connection.execute(
            "create function encoding.refuse() returns trigger language plpgsql "
            "as 'begin raise exception ''the disk is full''; end'"
        )
        connection.execute(
            "create constraint trigger full_disk after insert on encoding.job "
            "deferrable initially deferred for each row execute function encoding.refuse()"
        )
        with pytest.raises((DBAPIError, Unavailable)):
            await house.ingest()
        assert await house.queued() == []
        assert (await house.encoding.list_jobs(ListJobs())).jobs == []
        connection.execute("drop trigger full_disk on encoding.job")
    job = await house.ingest()
    assert [workflow_id for workflow_id, _, _ in await house.queued()] == [job.version_id]


async def test_a_premiere_waits_on_a_queue_of_its_own(house: House) -> None:
    job = await house.ingest(priority="premiere")
    assert job.priority == "premiere"
    assert await house.queued() == [(job.version_id, "encoding.title", "encoding-premieres")]


async def test_the_priority_of_a_job_can_be_set_until_it_is_over(house: House) -> None:
    job = await house.ingest(priority="backlog")

    async def prioritized(priority: Priority) -> Job:
        request = SetPriority(version_id=job.version_id, priority=priority)
        return await house.encoding.set_priority(request)

    assert (await prioritized("premiere")).priority == "premiere"
    assert [queue for *_, queue in await house.queued()] == ["encoding-premieres"]
    assert (await prioritized("normal")).priority == "normal"
    assert (await prioritized("normal")).priority == "normal"
    assert [queue for *_, queue in await house.queued()] == ["encoding-titles"]
    assert [event.kind for event in (await house.events(job)).events] == ["JobPrioritized"] * 2
    await house.cancel(job)
    with pytest.raises(JobOver, match=f"{job.version_id} was canceled"):
        await prioritized("premiere")


async def test_a_canceled_job_says_by_whom_and_stays_canceled(house: House) -> None:
    job = await house.ingest()
    canceled = await house.cancel(job, "operator anna@desk")
    assert canceled.state == "failed"
    assert canceled.canceled_by == "operator anna@desk"
    assert canceled.error == "canceled by operator anna@desk"
    assert await house.cancel(job, "ben") == canceled
    assert [queue for *_, queue in await house.queued()] == [None]
    (event,) = (await house.events(job)).events
    assert (event.kind, event.text) == ("JobCanceled", canceled.error)


async def test_a_canceled_job_is_begun_again_on_request_and_its_title_ingested_anew(
    house: House,
) -> None:
    job = await house.ingest()
    with pytest.raises(JobNotOver, match="is waiting"):
        await house.encoding.retry_job(RetryJob(version_id=job.version_id))
    await house.cancel(job)
    again = await house.encoding.retry_job(RetryJob(version_id=job.version_id))
    assert (again.state, again.error, again.canceled_by, again.tries) == ("waiting", "", "", 1)
    assert await house.queued() == [(job.version_id, "encoding.title", "encoding-titles")]
    assert (await house.ingest()).version_id != job.version_id
    kinds = [event.kind for event in (await house.events(job)).events]
    assert kinds == ["JobCanceled", "JobRetried"]


async def test_events_are_read_on_from_where_a_page_ended(house: House) -> None:
    job = await house.ingest()
    other = await house.ingest()
    first = await house.events(job)
    assert (first.events, first.next_cursor) == ([], (await house.events(job, "!")).next_cursor)
    await house.cancel(job)
    await house.cancel(other)
    page = await house.events(job, first.next_cursor, limit=1)
    assert [event.text for event in page.events] == ["canceled by anna"]
    rest = await house.events(job, page.next_cursor)
    assert rest.events == [], "the other job is of the same title"
    assert (await house.events(job, rest.next_cursor)) == rest
    assert (await house.events(job, "9" * 400)).events == page.events


async def test_nobody_cancels_retries_or_follows_a_job_that_is_not_there(house: House) -> None:
    nowhere = VersionId("ver_nowhere")
    with pytest.raises(UnknownVersion):
        await house.encoding.cancel_job(CancelJob(version_id=nowhere, by="anna"))
    with pytest.raises(UnknownVersion):
        await house.encoding.retry_job(RetryJob(version_id=nowhere))
    with pytest.raises(UnknownVersion):
        await house.encoding.set_priority(SetPriority(version_id=nowhere, priority="normal"))
    with pytest.raises(UnknownVersion):
        await house.encoding.list_job_events(ListJobEvents(version_id=nowhere))


async def test_the_farm_tells_the_open_jobs_of_each_priority(house: House) -> None:
    await house.ingest(priority="premiere")
    await house.ingest(priority="backlog")
    await house.cancel(await house.ingest(priority="backlog"))
    farm = await house.encoding.get_farm(GetFarm())
    assert farm.workers == []
    assert [(each.priority, each.jobs, each.waiting) for each in farm.queues] == [
        ("premiere", 1, 0),
        ("normal", 0, 0),
        ("backlog", 1, 0),
    ]


async def test_captions_of_a_job_are_finished_uploads_of_known_languages(house: House) -> None:
    film, srt = await house.upload(), await house.upload(b"1\n")
    unfinished = await house.open()

    async def ingest(*captions: tuple[str, UploadId]) -> Job:
        sources = [CaptionSource(language=tag, upload_id=upload_id) for tag, upload_id in captions]
        return await house.encoding.ingest(
            Ingest(title_id=TITLE, upload_id=film.upload_id, captions=sources)
        )

    with pytest.raises(UploadInvalid, match="language tag"):
        await ingest(("../en", srt.upload_id))
    with pytest.raises(UploadInvalid, match="en comes twice"):
        await ingest(("en", srt.upload_id), ("EN", srt.upload_id))
    with pytest.raises(UploadIncomplete):
        await ingest(("en", unfinished.upload_id))
    with pytest.raises(UnknownUpload):
        await ingest(("en", UploadId("upl_nowhere")))
    assert await house.queued() == []
    await ingest(("en", srt.upload_id), ("de", srt.upload_id))


async def test_captions_of_one_language_differ_by_role(house: House, encoding_url: str) -> None:
    film, srt = await house.upload(), await house.upload(b"1\n")
    roles: tuple[CaptionRole, ...] = ("subtitles", "sdh", "forced")
    sources = [
        CaptionSource(language="pt-br", upload_id=srt.upload_id, role=role) for role in roles
    ]
    job = await house.encoding.ingest(
        Ingest(title_id=TITLE, upload_id=film.upload_id, captions=sources)
    )
    with psycopg.connect(encoding_url.replace("postgresql+psycopg", "postgresql")) as connection:
        ((kept,),) = connection.execute(
            "select captions from encoding.job where version_id = %s", (job.version_id,)
        )
    assert [(row["language"], row["role"]) for row in kept] == [("pt-BR", role) for role in roles]
    with pytest.raises(UploadInvalid, match=r"pt-BR \(SDH\) comes twice"):
        await house.encoding.ingest(
            Ingest(title_id=TITLE, upload_id=film.upload_id, captions=[*sources, sources[1]])
        )


async def test_jobs_are_listed_newest_first_page_by_page(house: House) -> None:
    made = [(await house.ingest(TitleId(f"ttl_{n}"))).version_id for n in range(5)]
    seen: list[VersionId] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        page = await house.encoding.list_jobs(ListJobs(after=cursor, limit=2))
        assert len(page.jobs) <= 2
        seen += [job.version_id for job in page.jobs]
        cursor, pages = page.next_cursor, pages + 1
    assert seen == made[::-1]
    assert pages == 3


async def test_a_page_out_of_bounds_is_refused(house: House) -> None:
    await house.ingest()
    for limit in (0, -1, 201, 10**6):
        with pytest.raises(PageInvalid, match="1 to 200"):
            await house.encoding.list_jobs(ListJobs(limit=limit))
    assert len((await house.encoding.list_jobs(ListJobs(limit=200))).jobs) == 1


async def test_a_job_has_the_effort_that_was_asked_for_or_that_of_the_install(
    house: House,
) -> None:
    assert (await house.ingest()).effort == "balanced"
    upload = await house.upload(b"another film")
    asked = Ingest(title_id=TITLE, upload_id=upload.upload_id, effort="best")
    job = await house.encoding.ingest(asked)
    assert job.effort == "best"
    found = await house.encoding.get_job(GetJob(version_id=job.version_id))
    assert found.effort == "best"


async def test_a_job_tells_the_trace_of_what_asked_for_it(house: House) -> None:
    with trace() as trace_id:
        job = await house.ingest()
    assert job.trace_id == trace_id
