"""Encoding's use cases: uploads that become masters, jobs that become versions."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec
import structlog
from sqlalchemy import Connection

from cuemark.contexts.encoding import store
from cuemark.contexts.encoding.model import costs as cost_rules
from cuemark.contexts.encoding.model import report
from cuemark.contexts.encoding.model.families import made_in
from cuemark.contexts.encoding.model.names import check_upload, checked_captions
from cuemark.contexts.encoding.stages import reports, title_cards
from cuemark.contexts.encoding.store import CaptionRow, JobRow, UploadRow, costs
from cuemark.contexts.encoding.store.costs import Attempt
from cuemark.contracts.encoding import (
    TOPIC,
    Codec,
    CompleteUpload,
    DrawTitleCard,
    Effort,
    Encoding,
    EncodingFailed,
    EnergyModel,
    GetJob,
    GetReport,
    GetUpload,
    GetVersion,
    Ingest,
    Job,
    JobPage,
    ListJobs,
    OpenUpload,
    TitleCard,
    UnknownUpload,
    UnknownVersion,
    Upload,
    UploadIncomplete,
    UploadInvalid,
    Version,
    VersionPublished,
    VersionReport,
)
from cuemark.contracts.ids import UploadId, VersionId
from cuemark.kit.clock import Clock
from cuemark.kit.cost import FREE, Cost, Meter
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids
from cuemark.kit.objects import Objects, sha256_of
from cuemark.kit.outbox import Log
from cuemark.kit.pages import checked_limit
from cuemark.kit.tracing import current_trace_id

SPOOLS = "uploads"
NO_NAMES: Mapping[str, str] = {}

Enqueue = Callable[[Connection, str], None]
"""Put the workflow of a job on its queue, in the transaction of the connection."""


class EncodingService(Encoding):
    """Uploads, jobs and versions. The work itself is done by the workflows, in the workers.

    ``effort`` and ``codecs`` are those of jobs which ask for none.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        ids: Ids,
        objects: Objects,
        enqueue: Enqueue,
        effort: Effort,
        codecs: Sequence[Codec],
        energy: EnergyModel,
    ) -> None:
        self._drawing = asyncio.Lock()
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids
        self._objects = objects
        self._enqueue = enqueue
        self._effort = effort
        self._codecs = codecs
        self._energy = energy

    async def open_upload(self, request: OpenUpload) -> Upload:
        check_upload(request.name, request.size_bytes, request.sha256)
        row = UploadRow(
            upload_id=UploadId(self._ids.new("upl")),
            name=request.name,
            size_bytes=request.size_bytes,
            announced_sha256=request.sha256,
            sha256="",
            asset_id=None,
        )
        async with self._database.transaction() as transaction:
            await store.insert_upload(transaction, row, self._clock.now())
        return self._upload(row)

    async def get_upload(self, request: GetUpload) -> Upload:
        return self._upload(await self._find_upload(request.upload_id))

    async def complete_upload(self, request: CompleteUpload) -> Upload:
        row = await self._find_upload(request.upload_id)
        if row.asset_id is None:
            sha256 = await asyncio.to_thread(self._keep_master, row)
            async with self._database.transaction() as transaction:
                asset_id = await store.store_asset(
                    transaction, row, sha256, self._ids.new("ast"), self._clock.now()
                )
            row = msgspec.structs.replace(row, sha256=sha256, asset_id=asset_id)
        self._objects.path(_spool_key(row.upload_id)).unlink(missing_ok=True)
        return self._upload(row)

    async def ingest(self, request: Ingest) -> Job:
        sources = checked_captions(request.captions)
        film = await self._finished_upload(request.upload_id)
        captions = [
            CaptionRow(
                source.language,
                (await self._finished_upload(source.upload_id)).sha256,
                source.role,
            )
            for source in sources
        ]
        row = JobRow(
            version_id=VersionId(self._ids.new("ver")),
            quick_version_id=VersionId(self._ids.new("ver")),
            title_id=request.title_id,
            master_sha256=film.sha256,
            captions=captions,
            trace_id=current_trace_id(),
            created_at=self._clock.now(),
            effort=request.effort or self._effort,
            codecs=made_in(request.codecs or self._codecs),
        )
        async with self._database.transaction() as transaction:
            await store.insert_job(transaction, row)
            await transaction.run_sync(self._enqueue, row.version_id)
            (job,) = await store.find_jobs(transaction, version_id=row.version_id)
        return job

    async def get_job(self, request: GetJob) -> Job:
        async with self._database.transaction() as transaction:
            found = await store.find_jobs(transaction, version_id=request.version_id)
        if not found:
            raise UnknownVersion(f"there is no job {request.version_id}")
        return found[0]

    async def list_jobs(self, request: ListJobs) -> JobPage:
        limit = checked_limit(request.limit)
        async with self._database.transaction() as transaction:
            found = await store.find_jobs(transaction, before=request.after, limit=limit + 1)
        more = len(found) > limit
        return JobPage(jobs=found[:limit], next_cursor=found[limit - 1].version_id if more else "")

    async def get_version(self, request: GetVersion) -> Version:
        async with self._database.transaction() as transaction:
            version = await store.find_version(transaction, request.version_id)
        if version is None:
            raise UnknownVersion(f"there is no version {request.version_id}")
        return version

    async def get_report(self, request: GetReport) -> VersionReport:
        async with self._database.transaction() as transaction:
            version = await store.find_version(transaction, request.version_id)
            job = await store.find_job_of(transaction, request.version_id)
            if version is None or job is None:
                raise UnknownVersion(f"there is no version {request.version_id}")
            stages = await costs.stage_times(transaction, job.version_id)
            spent = await costs.spent_on(transaction, job.version_id)
            total = await costs.total_of(transaction, job.title_id)
            master_bytes = await store.asset_bytes(transaction, job.master_sha256)
            rungs = await costs.rungs_of(
                transaction, {"quick": job.quick_version_id, "full": job.version_id}
            )
        kept = await asyncio.to_thread(reports.kept_of, self._objects, version)
        found = report.of_version(
            version, kept, cost_rules.timed(stages, self._energy), job.trace_id
        )
        stored = cost_rules.stored_parts(version, kept.file_bytes, master_bytes, self._energy)
        return msgspec.structs.replace(
            found,
            effort=job.effort,
            costs=cost_rules.costs_of(spent, stored, total, version.quality, rungs, self._energy),
        )

    async def draw_title_card(self, request: DrawTitleCard) -> TitleCard:
        """One at a time: it is work for the processor, and soon done."""
        async with self._drawing:
            key = await asyncio.to_thread(
                title_cards.draw, self._objects, request.picture_key, request.name
            )
        return TitleCard(picture_key=key)

    async def _find_upload(self, upload_id: str) -> UploadRow:
        async with self._database.transaction() as transaction:
            row = await store.find_upload(transaction, upload_id)
        if row is None:
            raise UnknownUpload(f"there is no upload {upload_id}")
        return row

    async def _finished_upload(self, upload_id: str) -> UploadRow:
        row = await self._find_upload(upload_id)
        if row.asset_id is None:
            raise UploadIncomplete(f"the upload of {row.name} is not complete yet")
        return row

    def _received(self, row: UploadRow) -> int:
        if row.asset_id is not None:
            return row.size_bytes
        try:
            return self._objects.path(_spool_key(row.upload_id)).stat().st_size
        except FileNotFoundError:
            return 0

    def _upload(self, row: UploadRow) -> Upload:
        return Upload(
            upload_id=row.upload_id,
            name=row.name,
            size_bytes=row.size_bytes,
            received_bytes=self._received(row),
            spool_key=_spool_key(row.upload_id),
            asset_id=row.asset_id,
        )

    def _keep_master(self, row: UploadRow) -> str:
        """Check what arrived and link it to ``masters/<sha256>``; its SHA-256."""
        received = self._received(row)
        if received != row.size_bytes:
            raise UploadIncomplete(
                f"{row.name} has {row.size_bytes} bytes and {received} have arrived"
            )
        spool = self._objects.path(_spool_key(row.upload_id))
        sha256 = sha256_of(spool)
        if row.announced_sha256 and row.announced_sha256 != sha256:
            raise UploadInvalid(
                f"{row.name} arrived with another SHA-256 than was announced: upload it again"
            )
        with self._objects.scratch() as scratch:
            os.link(spool, scratch / "master")
            self._objects.adopt(scratch / "master", f"masters/{sha256}")
        return sha256


async def sweep_uploads(database: Database, objects: Objects) -> None:
    """Remove the spool files of uploads that are complete: their end was cut short."""
    for spool in (objects.root / SPOOLS).glob("*.part"):
        async with database.transaction() as transaction:
            row = await store.find_upload(transaction, spool.stem)
        if row is None or row.asset_id is not None:
            spool.unlink(missing_ok=True)


def _spool_key(upload_id: str) -> str:
    return f"{SPOOLS}/{upload_id}.part"


class Ledger:
    """What the workflows write: the progress of a job, its versions, its end."""

    def __init__(self, database: Database, log: Log, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._clock = clock

    async def begin(self, version_id: str) -> JobRow:
        """Mark the job as running and return what it is about."""
        async with self._database.transaction() as transaction:
            await store.set_running(transaction, version_id)
            job = await store.find_job_row(transaction, version_id)
        if job is None:
            raise UnknownVersion(f"there is no job {version_id}")
        return job

    async def plan(self, version_id: str, stage: str, total: int) -> None:
        async with self._database.transaction() as transaction:
            await store.plan_stage(transaction, version_id, stage, total)

    async def note(self, version_id: str, notes: Sequence[str]) -> None:
        """Keep sentences for the owner of the film."""
        async with self._database.transaction() as transaction:
            await store.set_notes(transaction, version_id, notes)

    async def finish(self, version_id: str, stage: str, unit: str, cost: Cost = FREE) -> None:
        at = self._clock.now()
        async with self._database.transaction() as transaction:
            await costs.finish_unit(transaction, version_id, stage, unit, at, cost)
            await store.set_waiting(transaction, version_id, "")

    async def finish_attempt(self, attempt: Attempt) -> None:
        """Note that an attempt at a unit of work made its result."""
        at = self._clock.now()
        async with self._database.transaction() as transaction:
            await costs.finish_attempt(transaction, attempt, at)
            await store.set_waiting(transaction, attempt.version_id, "")

    async def keep_attempt(self, attempt: Attempt, *, ended: bool) -> None:
        """Note what an attempt took until now; ``ended`` says that nothing comes of it."""
        async with self._database.transaction() as transaction:
            await costs.keep_attempt(transaction, attempt, ended=ended)

    async def has_open_jobs(self) -> bool:
        """Whether anything is being made, or waits to be."""
        async with self._database.transaction() as transaction:
            return await store.has_open_jobs(transaction)

    async def wait(self, version_id: str, sentence: str) -> None:
        """Say what a job waits for; the next unit of work that is done takes it back."""
        async with self._database.transaction() as transaction:
            await store.set_waiting(transaction, version_id, sentence)

    async def is_published(self, version_id: VersionId) -> bool:
        async with self._database.transaction() as transaction:
            return await store.find_version(transaction, version_id) is not None

    async def publish(
        self, job: JobRow, version: Version, made_for: Mapping[str, str] = NO_NAMES
    ) -> None:
        """Let everybody see a version. Saying it again changes nothing.

        ``made_for`` has its renditions by the names of what was done for them.
        """
        meter = Meter(children=False)
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            # Of two versions the later plays: a clock that was set back must not hide this one.
            last = await store.last_published_at(transaction, version.title_id)
            at = now if last is None else max(now, last + timedelta(milliseconds=1))
            version = msgspec.structs.replace(version, published_at=at)
            if not await store.insert_version(transaction, version, made_for):
                return
            seconds = max(0.0, (now - job.created_at).total_seconds())
            await store.set_published(transaction, version, seconds)
            if version.version_id == job.version_id:
                await costs.end_attempts(transaction, job.version_id)
            await self._tell(transaction, version)
        structlog.get_logger().info(
            "version_published",
            version_id=version.version_id,
            title_id=version.title_id,
            quality=version.quality,
            since_ingest_s=round(seconds, 3),
            **meter.cost.fields(),
        )

    async def fail(self, job: JobRow, error: str) -> None:
        async with self._database.transaction() as transaction:
            if await store.set_failed(transaction, job.version_id, error):
                await costs.end_attempts(transaction, job.version_id)
                failed = EncodingFailed(
                    version_id=job.version_id, title_id=job.title_id, error=error
                )
                await self._log.append(transaction, TOPIC, job.title_id, failed)

    async def _tell(self, transaction: Transaction, version: Version) -> None:
        published = VersionPublished(
            version_id=version.version_id,
            title_id=version.title_id,
            quality=version.quality,
            duration_s=version.duration_s,
            artwork_key=version.artwork_key,
            index_blake3=version.index_blake3,
            published_at=version.published_at,
        )
        await self._log.append(transaction, TOPIC, version.title_id, published)
