"""What every caller of encoding may rely on, however it is reached."""

import hashlib
import io
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg
import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cuemark.app.engines import postgres
from cuemark.contexts.encoding import wiring
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.store import marks
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.artwork import CardImpossible, DrawTitleCard
from cuemark.contracts.encoding.farm import GetFarm
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    CaptionSource,
    GetJob,
    Ingest,
    Job,
    JobEventPage,
    JobNotOver,
    JobOver,
    ListJobEvents,
    ListJobs,
    Priority,
    RetryJob,
    SetPriority,
)
from cuemark.contracts.encoding.marks import (
    FindMark,
    GetMarkSearch,
    MarkEvidence,
    MarkSearch,
    NotMarked,
    UnknownMarkSearch,
)
from cuemark.contracts.encoding.reports import GetReport
from cuemark.contracts.encoding.uploads import (
    CompleteUpload,
    GetUpload,
    OpenUpload,
    UnknownUpload,
    Upload,
    UploadIncomplete,
    UploadInvalid,
)
from cuemark.contracts.encoding.versions import CaptionRole, GetVersion, UnknownVersion
from cuemark.contracts.ids import TitleId, UploadId, VersionId
from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from cuemark.kit.pages import PageInvalid
from cuemark.kit.tracing import trace
from tests.contract.conftest import Reach
from tests.unit.playback.versions import version

FILM = b"the bytes of a film"
SHA256 = hashlib.sha256(FILM).hexdigest()
TITLE = TitleId("ttl_1")
TEMPLATE = "encoding_template"
_numbers = itertools.count()


@dataclass(frozen=True)
class House:
    """Encoding as its callers see it, and what lies behind it."""

    encoding: Encoding
    objects: Objects
    database: Database
    clock: ManualClock

    async def open(self, *, sha256: str = "", size_bytes: int = len(FILM)) -> Upload:
        self.clock.advance(1)
        return await self.encoding.open_upload(
            OpenUpload(name="film.mov", size_bytes=size_bytes, sha256=sha256)
        )

    def receive(self, upload: Upload, data: bytes) -> None:
        """What the gateway does with the bytes of a request."""
        path = self.objects.path(upload.spool_key)
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as spool:
            spool.write(data)

    async def complete(self, upload: Upload) -> Upload:
        return await self.encoding.complete_upload(CompleteUpload(upload_id=upload.upload_id))

    async def upload(self, data: bytes = FILM) -> Upload:
        upload = await self.open(size_bytes=len(data))
        self.receive(upload, data)
        return await self.complete(upload)

    async def ingest(self, title_id: TitleId = TITLE, priority: Priority = "normal") -> Job:
        upload = await self.upload()
        return await self.encoding.ingest(
            Ingest(title_id=title_id, upload_id=upload.upload_id, priority=priority)
        )

    async def ingest_marked(self, *, marked: bool = True) -> Job:
        upload = await self.upload(b"a film to mark")
        return await self.encoding.ingest(
            Ingest(title_id=TITLE, upload_id=upload.upload_id, marked=marked)
        )

    async def publish(self, job: Job) -> VersionId:
        """What a worker does at a job's end."""
        ledger = Ledger(self.database, Log(self.clock), self.clock)
        begun = await ledger.begin(job.version_id)
        made = msgspec.structs.replace(
            version(), version_id=job.version_id, title_id=job.title_id, marked=job.marked
        )
        await ledger.publish(begun, made)
        return made.version_id

    async def find_mark(self, version_id: VersionId, copy: Upload) -> MarkSearch:
        return await self.encoding.find_mark(
            FindMark(version_id=version_id, upload_id=copy.upload_id)
        )

    async def key_of(self, version_id: VersionId) -> bytes | None:
        async with self.database.transaction() as transaction:
            return await marks.find_key(transaction, version_id)

    async def end_search(self, search: MarkSearch, evidence: MarkEvidence | None) -> None:
        """What a worker does at a search's end."""
        async with self.database.transaction() as transaction:
            error = "" if evidence else "the file shows nothing of this film"
            await marks.end_search(transaction, search.search_id, evidence, error)

    async def cancel(self, job: Job, by: str = "anna") -> Job:
        return await self.encoding.cancel_job(CancelJob(version_id=job.version_id, by=by))

    async def events(self, job: Job, after: str = "", limit: int = 50) -> JobEventPage:
        return await self.encoding.list_job_events(
            ListJobEvents(version_id=job.version_id, after=after, limit=limit)
        )

    async def queued(self) -> list[tuple[str, str, str]]:
        """Id, name and queue of each workflow that DBOS knows."""
        async with self.database.transaction() as transaction:
            found = await transaction.execute(
                text("select workflow_uuid, name, queue_name from dbos.workflow_status")
            )
            return [(row.workflow_uuid, row.name, row.queue_name) for row in found]


@pytest.fixture(scope="module")
def template(postgres_socket: Path) -> str:
    """A database with the schemas of encoding and of its workflows: DBOS takes a second."""
    postgres.create_database(postgres_socket, TEMPLATE)
    url = postgres.url_of(postgres_socket, TEMPLATE)
    migrate(url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(url, wiring.SCHEMA, wiring.MIGRATIONS)
    wiring.migrate_workflows(url)
    return TEMPLATE


@pytest.fixture
def encoding_url(postgres_socket: Path, template: str) -> Iterator[str]:
    """The URL of a copy of the template, of the test's own."""
    name = f"encoding_{next(_numbers)}"
    postgres.create_database(postgres_socket, name, template)
    yield postgres.url_of(postgres_socket, name)
    with psycopg.connect(
        host=str(postgres_socket), user="cuemark", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
async def house(reach: Reach, encoding_url: str, tmp_path: Path) -> AsyncIterator[House]:
    database, clock, objects = Database(encoding_url), ManualClock(), Objects(tmp_path / "objects")
    room = wiring.build(
        database=database,
        log=Log(clock),
        clock=clock,
        ids=Ids(clock),
        objects=objects,
        database_url=encoding_url,
    )
    try:
        yield House(await reach(Encoding, room.service), objects, database, clock)
    finally:
        for closer in room.closers:
            await closer()
        await database.close()


async def test_an_upload_grows_and_becomes_a_master(house: House) -> None:
    upload = await house.open(sha256=SHA256)
    assert upload.received_bytes == 0
    house.receive(upload, FILM[:7])
    halfway = await house.encoding.get_upload(GetUpload(upload_id=upload.upload_id))
    assert halfway.received_bytes == 7
    assert halfway.asset_id is None
    house.receive(upload, FILM[7:])
    done = await house.complete(upload)
    assert done.received_bytes == done.size_bytes == len(FILM)
    assert done.asset_id is not None
    assert house.objects.read(f"masters/{SHA256}") == FILM
    assert not house.objects.exists(upload.spool_key)


async def test_an_incomplete_upload_is_refused_and_can_go_on(house: House) -> None:
    upload = await house.open()
    house.receive(upload, FILM[:-1])
    with pytest.raises(UploadIncomplete, match=f"{len(FILM)} bytes and {len(FILM) - 1} have"):
        await house.complete(upload)
    with pytest.raises(UploadIncomplete, match="not complete yet"):
        await house.encoding.ingest(Ingest(title_id=TITLE, upload_id=upload.upload_id))
    house.receive(upload, FILM[-1:])
    assert (await house.complete(upload)).asset_id


async def test_more_bytes_than_were_announced_are_refused(house: House) -> None:
    upload = await house.open()
    house.receive(upload, FILM + b"!")
    with pytest.raises(UploadIncomplete):
        await house.complete(upload)


async def test_other_bytes_than_were_announced_are_refused(house: House) -> None:
    upload = await house.open(sha256="00" * 32)
    house.receive(upload, FILM)
    with pytest.raises(UploadInvalid, match="another SHA-256"):
        await house.complete(upload)
    assert not house.objects.exists(f"masters/{SHA256}")


async def test_an_upload_that_cannot_be_is_refused(house: House) -> None:
    with pytest.raises(UploadInvalid):
        await house.open(size_bytes=0)
    with pytest.raises(UploadInvalid):
        await house.open(sha256="not a hash")


async def test_nobody_knows_an_upload_that_was_not_opened(house: House) -> None:
    nowhere = UploadId("upl_nowhere")
    with pytest.raises(UnknownUpload):
        await house.encoding.get_upload(GetUpload(upload_id=nowhere))
    with pytest.raises(UnknownUpload):
        await house.encoding.complete_upload(CompleteUpload(upload_id=nowhere))
    with pytest.raises(UnknownUpload):
        await house.encoding.ingest(Ingest(title_id=TITLE, upload_id=nowhere))


async def test_completing_twice_is_completing_once(house: House) -> None:
    upload = await house.open()
    house.receive(upload, FILM)
    assert await house.complete(upload) == await house.complete(upload)


async def test_uploads_of_equal_bytes_are_one_asset(house: House) -> None:
    first, second, other = [await house.upload(data) for data in (FILM, FILM, FILM[::-1])]
    assert first.upload_id != second.upload_id
    assert first.asset_id == second.asset_id != other.asset_id


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


async def test_nobody_knows_a_version_or_a_job_that_was_not_made(house: House) -> None:
    nowhere = VersionId("ver_nowhere")
    with pytest.raises(UnknownVersion):
        await house.encoding.get_version(GetVersion(version_id=nowhere))
    with pytest.raises(UnknownVersion):
        await house.encoding.get_job(GetJob(version_id=nowhere))
    job = await house.ingest()
    with pytest.raises(UnknownVersion):
        await house.encoding.get_version(GetVersion(version_id=job.version_id))


async def test_a_version_that_is_not_there_has_no_report(house: House) -> None:
    with pytest.raises(UnknownVersion):
        await house.encoding.get_report(GetReport(version_id=VersionId("ver_none")))


async def test_a_title_card_is_drawn_once_for_a_name_and_a_picture(house: House) -> None:
    out = io.BytesIO()
    Image.new("RGB", (320, 180), (90, 120, 150)).save(out, "JPEG")
    house.objects.put("artworks/1.jpg", out.getvalue())
    keys = {
        name: (
            await house.encoding.draw_title_card(
                DrawTitleCard(picture_key="artworks/1.jpg", name=name)
            )
        ).picture_key
        for name in ("Paper", "Ocean", "Paper")
    }
    assert len(set(keys.values())) == 2
    assert house.objects.read(keys["Paper"]) != house.objects.read(keys["Ocean"])
    for picture_key, name in (("artworks/none.jpg", "Paper"), ("artworks/1.jpg", "ไทย")):
        with pytest.raises(CardImpossible):
            await house.encoding.draw_title_card(DrawTitleCard(picture_key=picture_key, name=name))


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


async def test_a_marked_job_has_a_key_of_its_own_which_no_answer_tells(house: House) -> None:
    jobs = [await house.ingest_marked() for _ in range(2)]
    plain = await house.ingest_marked(marked=False)
    keys = {await house.key_of(job.version_id) for job in jobs}
    assert [job.marked for job in (*jobs, plain)] == [True, True, False]
    assert len(keys) == 2
    assert await house.key_of(plain.version_id) is None
    for job in jobs:
        told = msgspec.json.encode(await house.encoding.get_job(GetJob(version_id=job.version_id)))
        for key in keys:
            assert key is not None
            assert len(key) == 16
            assert key.hex().encode() not in told
    await house.publish(jobs[0])
    ledger = Ledger(house.database, Log(house.clock), house.clock)
    begun = msgspec.json.encode(await ledger.begin(jobs[0].version_id))
    assert not any(key and key.hex().encode() in begun for key in keys)


async def test_a_copy_is_searched_for_a_mark_once(house: House) -> None:
    version_id = await house.publish(await house.ingest_marked())
    copy = await house.upload(b"what somebody found")
    search = await house.find_mark(version_id, copy)
    assert (search.state, search.evidence, search.error) == ("running", None, "")
    assert await house.find_mark(version_id, copy) == search
    queued = [row for row in await house.queued() if row[1] == "encoding.find_mark"]
    assert queued == [(search.search_id, "encoding.find_mark", "encoding-tasks")]
    evidence = MarkEvidence(first_segment=3, values=[0.4, -0.5, 0.0], agreement=0.9)
    await house.end_search(search, evidence)
    done = await house.encoding.get_mark_search(GetMarkSearch(search_id=search.search_id))
    assert (done.state, done.evidence) == ("done", evidence)
    assert await house.find_mark(version_id, copy) == done


async def test_a_search_that_failed_says_why_and_is_begun_again_on_request(house: House) -> None:
    version_id = await house.publish(await house.ingest_marked())
    copy = await house.upload(b"what somebody found")
    search = await house.find_mark(version_id, copy)
    await house.end_search(search, None)
    failed = await house.encoding.get_mark_search(GetMarkSearch(search_id=search.search_id))
    assert (failed.state, failed.error) == ("failed", "the file shows nothing of this film")
    again = await house.find_mark(version_id, copy)
    assert again.state == "running"
    assert again.search_id != search.search_id


async def test_only_a_finished_copy_of_a_marked_version_is_searched(house: House) -> None:
    marked = await house.publish(await house.ingest_marked())
    plain = await house.publish(await house.ingest_marked(marked=False))
    copy, halfway = await house.upload(b"what somebody found"), await house.open()
    with pytest.raises(NotMarked, match="is not marked"):
        await house.find_mark(plain, copy)
    with pytest.raises(UnknownVersion):
        await house.find_mark(VersionId("ver_nowhere"), copy)
    with pytest.raises(UploadIncomplete):
        await house.find_mark(marked, halfway)
    with pytest.raises(UnknownUpload):
        await house.encoding.find_mark(
            FindMark(version_id=marked, upload_id=UploadId("upl_nowhere"))
        )
    with pytest.raises(UnknownMarkSearch):
        await house.encoding.get_mark_search(GetMarkSearch(search_id="mks_nowhere"))
    assert not [row for row in await house.queued() if row[1] == "encoding.find_mark"]
