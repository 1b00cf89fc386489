"""Encoding as the contract suites see it, with what lies behind it."""

import hashlib
from dataclasses import dataclass

import msgspec
from sqlalchemy import text

from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.store import marks
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    Ingest,
    Job,
    JobEventPage,
    ListJobEvents,
    Priority,
)
from cuemark.contracts.encoding.marks import (
    FindMark,
    MarkEvidence,
    MarkSearch,
)
from cuemark.contracts.encoding.uploads import (
    CompleteUpload,
    OpenUpload,
    Upload,
)
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from tests.unit.playback.versions import version

FILM = b"the bytes of a film"
SHA256 = hashlib.sha256(FILM).hexdigest()
TITLE = TitleId("ttl_1")


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
