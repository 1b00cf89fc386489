"""What the workflows write: the progress of a job, its versions, its end, and who does what."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Literal

import msgspec
import structlog

from cuemark.contexts.encoding import store
from cuemark.contexts.encoding.model import progress
from cuemark.contexts.encoding.store import JobRow, costs, jobs, marks, queue, workers
from cuemark.contexts.encoding.store.costs import Attempt, Begun
from cuemark.contexts.encoding.store.marks import SearchRow
from cuemark.contexts.encoding.store.queue import Queued, Standing
from cuemark.contexts.encoding.store.workers import WorkerRow
from cuemark.contracts.encoding.events import TOPIC, EncodingFailed, JobProgressed, VersionPublished
from cuemark.contracts.encoding.farm import InHand
from cuemark.contracts.encoding.jobs import Stage, TaskFailure
from cuemark.contracts.encoding.marks import MarkEvidence
from cuemark.contracts.encoding.versions import UnknownVersion, Version
from cuemark.contracts.ids import VersionId
from cuemark.kit.clock import Clock
from cuemark.kit.cost import FREE, Cost, Meter
from cuemark.kit.database import Database, Transaction
from cuemark.kit.outbox import Log

FIND_MARK: Literal["find_mark"] = "find_mark"
"""The kind of work that is not for a job, but made for a search."""
NO_NAMES: Mapping[str, str] = {}

Withdraw = Callable[[Transaction, str], Awaitable[None]]


async def nothing_waits(transaction: Transaction, version_id: str) -> None:
    """For a ledger without a queue."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker learns when it is heard: whether it had been declared lost, and whether what
    it has in hand is still wanted."""

    lost: bool
    wanted: bool


class Ledger:
    """What the workflows write: the progress of a job, its versions, its end."""

    def __init__(
        self, database: Database, log: Log, clock: Clock, withdraw: Withdraw = nothing_waits
    ) -> None:
        """``withdraw`` takes what waits of a job that failed from the queue."""
        self._database = database
        self._log = log
        self._clock = clock
        self._withdraw = withdraw

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

    async def finish(self, version_id: str, stage: Stage, unit: str, cost: Cost = FREE) -> None:
        at = self._clock.now()
        async with self._database.transaction() as transaction:
            if await costs.finish_unit(transaction, version_id, stage, unit, at, cost):
                await self._tell_progress(transaction, version_id, stage)
            await store.set_waiting(transaction, version_id, "")

    async def begin_attempt(self, attempt: Attempt, place: int, start: int) -> Begun:
        """Note that an attempt begins, of a task with this start tag in the band at ``place``."""
        async with self._database.transaction() as transaction:
            begun = await costs.begin_attempt(transaction, attempt)
            if begun.wanted:
                await queue.advance(transaction, place, start)
        return begun

    async def finish_attempt(self, attempt: Attempt, estimate_s: float | None = None) -> None:
        """Note that an attempt at a unit of work made its result.

        What it took beyond ``estimate_s`` is charged to its title.
        """
        at = self._clock.now()
        async with self._database.transaction() as transaction:
            new = await costs.finish_attempt(transaction, attempt, at)
            await store.set_waiting(transaction, attempt.version_id, "")
            if estimate_s is not None:
                overrun_s = attempt.cost.wall_s - estimate_s
                await jobs.add_overrun(transaction, attempt.version_id, overrun_s)
            if new:
                await self._tell_progress(transaction, attempt.version_id, attempt.stage)

    async def keep_attempt(self, attempt: Attempt, *, ended: bool) -> None:
        """Note what an attempt took until now; ``ended`` says that nothing comes of it."""
        async with self._database.transaction() as transaction:
            await costs.keep_attempt(transaction, attempt, ended=ended)

    async def begin_search(self, search_id: str) -> SearchRow | None:
        """Note that a search for a mark begins, once more; what it is about."""
        async with self._database.transaction() as transaction:
            return await marks.begin_search(transaction, search_id)

    async def end_search(
        self, search_id: str, evidence: MarkEvidence | None, error: str = ""
    ) -> None:
        """Keep what a search found, or in a sentence why it found nothing."""
        async with self._database.transaction() as transaction:
            await marks.end_search(transaction, search_id, evidence, error)

    async def version(self, version_id: str) -> Version:
        """A published version; raises ``UnknownVersion``."""
        async with self._database.transaction() as transaction:
            found = await store.find_version(transaction, version_id)
        if found is None:
            raise UnknownVersion(f"there is no version {version_id}")
        return found

    async def has_open_jobs(self) -> bool:
        """Whether anything is being made or looked into, or waits to be."""
        async with self._database.transaction() as transaction:
            return await store.has_open_jobs(transaction) or await marks.any_running(transaction)

    async def mark_key(self, version_id: str) -> bytes:
        """The key by which the pictures of a job are marked; raises ``UnknownVersion``."""
        async with self._database.transaction() as transaction:
            key = await marks.find_key(transaction, version_id)
        if key is None:
            raise UnknownVersion(f"the job {version_id} has no key of a mark")
        return key

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
            await jobs.lock_job(transaction, job.version_id)
            if not await jobs.is_open(transaction, job.version_id, job.tries):
                # It was canceled, or begun again, while this walk was on its last step.
                return
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
            await self._tell(transaction, version, job.master_sha256)
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
            if await store.set_failed(transaction, job.version_id, error, job.tries):
                await costs.end_attempts(transaction, job.version_id)
                await self._withdraw(transaction, job.version_id)
                failed = EncodingFailed(
                    version_id=job.version_id, title_id=job.title_id, error=error
                )
                await self._log.append(transaction, TOPIC, job.title_id, failed)

    async def set_aside(self, version_id: str, failure: TaskFailure) -> None:
        """Keep the log of a piece of work that is not tried again."""
        async with self._database.transaction() as transaction:
            await jobs.set_failure(transaction, version_id, failure)

    async def standing(self, version_id: str) -> Standing:
        """What the next turn of a title follows from."""
        async with self._database.transaction() as transaction:
            return await queue.standing(transaction, version_id)

    async def queued(self, version_id: str) -> Queued:
        """What a title has put on the queue until now."""
        async with self._database.transaction() as transaction:
            return await queue.queued(transaction, version_id)

    async def beat(self, worker: WorkerRow, in_hand: InHand | None) -> Heard:
        """Note that a worker lives, and what it does; what it must know."""
        async with self._database.transaction() as transaction:
            lost = await workers.beat(transaction, worker, in_hand)
            wanted = in_hand is None or await _is_wanted(transaction, in_hand)
        return Heard(lost=lost, wanted=wanted)

    async def leave(self, executor_id: str) -> None:
        """Note that a worker stops as it was told to: others do what it had begun."""
        async with self._database.transaction() as transaction:
            await workers.end_attempts(transaction, executor_id, told=True)
            await queue.give_back(transaction, executor_id)
            await workers.forget(transaction, executor_id)

    async def _tell_progress(self, transaction: Transaction, version_id: str, stage: Stage) -> None:
        title_id, done, total = await jobs.progress_of(transaction, version_id, stage)
        if progress.tells(done, total):
            event = JobProgressed(
                version_id=VersionId(version_id),
                title_id=title_id,
                stage=stage,
                done=done,
                total=total,
                percent=progress.percent(done, total),
            )
            await self._log.append(transaction, TOPIC, title_id, event)

    async def _tell(self, transaction: Transaction, version: Version, master_sha256: str) -> None:
        published = VersionPublished(
            version_id=version.version_id,
            title_id=version.title_id,
            quality=version.quality,
            duration_s=version.duration_s,
            artwork_key=version.artwork_key,
            index_blake3=version.index_blake3,
            published_at=version.published_at,
            master_sha256=master_sha256,
        )
        await self._log.append(transaction, TOPIC, version.title_id, published)


async def _is_wanted(transaction: Transaction, in_hand: InHand) -> bool:
    if in_hand.kind == FIND_MARK:
        return await marks.is_wanted(transaction, in_hand.made_for)
    return await jobs.is_open(transaction, in_hand.version_id)
