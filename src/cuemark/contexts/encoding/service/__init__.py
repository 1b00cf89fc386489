"""Encoding's use cases: uploads that become masters, jobs that become versions."""

import asyncio
import os
import secrets
from collections.abc import Sequence

import msgspec
import structlog

from cuemark.contexts.encoding import store
from cuemark.contexts.encoding.model import costs as cost_rules
from cuemark.contexts.encoding.model import crypto_periods, report
from cuemark.contexts.encoding.model.families import made_in
from cuemark.contexts.encoding.model.names import check_upload, checked_captions
from cuemark.contexts.encoding.model.watermark import KEY_BYTES, key_id
from cuemark.contexts.encoding.service.jobs import JobControl
from cuemark.contexts.encoding.service.ledger import Ledger
from cuemark.contexts.encoding.service.marks import MarkSearches
from cuemark.contexts.encoding.stages import reports, title_cards
from cuemark.contexts.encoding.store import CaptionRow, JobRow, UploadRow, costs, marks
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.artwork import DrawTitleCard, TitleCard
from cuemark.contracts.encoding.events import TOPIC, MasterLanded
from cuemark.contracts.encoding.farm import Farm, GetFarm
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    Effort,
    FilmGrain,
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
from cuemark.contracts.encoding.marks import FindMark, GetMarkSearch, MarkSearch
from cuemark.contracts.encoding.reports import EnergyModel, GetReport, VersionReport
from cuemark.contracts.encoding.uploads import (
    CompleteUpload,
    GetUpload,
    OpenUpload,
    UnknownUpload,
    Upload,
    UploadIncomplete,
    UploadInvalid,
)
from cuemark.contracts.encoding.versions import Codec, GetVersion, UnknownVersion, Version
from cuemark.contracts.ids import UploadId, VersionId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.objects import Objects, sha256_of
from cuemark.kit.outbox import Log
from cuemark.kit.pages import checked_limit
from cuemark.kit.tracing import current_trace_id

__all__ = ["EncodingService", "Ledger", "mirror", "sweep_uploads"]

SPOOLS = "uploads"
MIRROR_S = 0.5


class EncodingService(Encoding):
    """Uploads, jobs and versions. The work itself is done by the workflows, in the workers.

    ``effort``, ``codecs`` and ``crypto_period_s`` are those of jobs which ask for none;
    ``film_grain`` is that of all.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        ids: Ids,
        objects: Objects,
        control: JobControl,
        searches: MarkSearches,
        effort: Effort,
        codecs: Sequence[Codec],
        energy: EnergyModel,
        crypto_period_s: float = 0,
        film_grain: FilmGrain = "off",
    ) -> None:
        self._drawing = asyncio.Lock()
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids
        self._objects = objects
        self._control = control
        self._searches = searches
        self._effort = effort
        self._codecs = codecs
        self._energy = energy
        self._crypto_period_s = crypto_period_s
        self._film_grain = film_grain

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
            now = self._clock.now()
            async with self._database.transaction() as transaction:
                asset_id = await store.store_asset(
                    transaction, row, sha256, self._ids.new("ast"), now
                )
                landed = MasterLanded(
                    asset_id=asset_id,
                    upload_id=row.upload_id,
                    name=row.name,
                    size_bytes=row.size_bytes,
                    sha256=sha256,
                    landed_at=now,
                )
                await self._log.append(transaction, TOPIC, asset_id, landed)
            row = msgspec.structs.replace(row, sha256=sha256, asset_id=asset_id)
        self._objects.draft(_spool_key(row.upload_id)).unlink(missing_ok=True)
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
        mark_key = secrets.token_bytes(KEY_BYTES) if request.marked else b""
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
            priority=request.priority,
            crypto_period_s=crypto_periods.chosen_s(request.crypto_period_s, self._crypto_period_s),
            film_grain=self._film_grain,
            mark_key_id=key_id(mark_key) if mark_key else "",
        )
        async with self._database.transaction() as transaction:
            await store.insert_job(transaction, row)
            if mark_key:
                await marks.insert_key(transaction, row.version_id, mark_key)
            await self._control.enqueue(transaction, row.version_id, row.priority)
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

    async def set_priority(self, request: SetPriority) -> Job:
        return await self._control.set_priority(request)

    async def cancel_job(self, request: CancelJob) -> Job:
        return await self._control.cancel(request)

    async def retry_job(self, request: RetryJob) -> Job:
        return await self._control.retry(request)

    async def list_job_events(self, request: ListJobEvents) -> JobEventPage:
        return await self._control.list_events(request)

    async def get_farm(self, request: GetFarm) -> Farm:
        return await self._control.farm()

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

    async def find_mark(self, request: FindMark) -> MarkSearch:
        return await self._searches.find(request, await self._finished_upload(request.upload_id))

    async def get_mark_search(self, request: GetMarkSearch) -> MarkSearch:
        return await self._searches.get(request)

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
            return self._objects.draft(_spool_key(row.upload_id)).stat().st_size
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
        spool = self._objects.draft(_spool_key(row.upload_id))
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


async def mirror(database: Database, objects: Objects) -> None:
    """Keep on this machine what is served from it, whoever made it. For ever."""
    here, published = set[str](), -1
    while True:
        try:
            async with database.transaction() as transaction:
                count = await store.count_versions(transaction)
                news = count != published
                keys = await transaction.run_sync(store.stored_objects) if news else []
            for key in (key for key in keys if key not in here):
                await asyncio.to_thread(reports.bring, objects, key)
                here.add(key)
            published = count
        except Unavailable as error:
            structlog.get_logger().warning("objects_not_here", why=str(error))
        await asyncio.sleep(MIRROR_S)


def _spool_key(upload_id: str) -> str:
    return f"{SPOOLS}/{upload_id}.part"
