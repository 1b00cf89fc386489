"""What operators do with jobs: whose turn it is, their end, another try, and a look at the farm."""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from cuemark.contexts.encoding import store
from cuemark.contexts.encoding.model import fairness
from cuemark.contexts.encoding.model.fairness import PRIORITIES, Band, Urgency
from cuemark.contexts.encoding.model.leases import LEASE_S
from cuemark.contexts.encoding.service.events import event_of, job_of
from cuemark.contexts.encoding.store import costs, jobs, queue, workers
from cuemark.contracts.encoding.events import TOPIC, JobCanceled, JobPrioritized, JobRetried
from cuemark.contracts.encoding.farm import Farm
from cuemark.contracts.encoding.jobs import (
    CancelJob,
    Job,
    JobEventPage,
    JobNotOver,
    JobOver,
    ListJobEvents,
    Priority,
    RetryJob,
    SetPriority,
)
from cuemark.contracts.encoding.versions import UnknownVersion
from cuemark.kit.database import Database, Transaction
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Cursor, Log
from cuemark.kit.pages import checked_limit

Enqueue = Callable[[Connection, str, Priority], None]
"""Put the workflow of a job on its queue, in the transaction of the connection."""
Forget = Callable[[str], None]
"""Remove the workflow of a job that is over, and those of its tasks. It asks the database."""


class JobControl:
    """Each change of how a job stands is one transaction, with its event and its rows in DBOS."""

    def __init__(
        self, database: Database, log: Log, objects: Objects, enqueue: Enqueue, forget: Forget
    ) -> None:
        self._database = database
        self._log = log
        self._objects = objects
        self._enqueue = enqueue
        self._forget = forget

    async def enqueue(self, transaction: Transaction, version_id: str, priority: Priority) -> None:
        await transaction.run_sync(self._enqueue, version_id, priority)

    async def set_priority(self, request: SetPriority) -> Job:
        async with self._database.transaction() as transaction:
            job = await self._locked(transaction, request.version_id)
            _refuse_over(job, "its priority changes nothing any more")
            if job.priority == request.priority:
                return job
            now = await queue.bands(transaction)
            shifts = {}
            for urgency in Urgency:
                old = fairness.band_of(job.priority, urgency)
                new = fairness.band_of(request.priority, urgency)
                shift = fairness.shift(now.get(old, Band()), now.get(new, Band()))
                shifts[old] = (new, shift)
            await jobs.set_priority(transaction, job.version_id, request.priority)
            await queue.move(transaction, job.version_id, request.priority, shifts)
            event = JobPrioritized(
                version_id=job.version_id, title_id=job.title_id, priority=request.priority
            )
            await self._log.append(transaction, TOPIC, job.title_id, event)
            return await self._found(transaction, job.version_id)

    async def cancel(self, request: CancelJob) -> Job:
        """Take all of the job from the queue. Who has a task of it in hand hears it at a beat."""
        async with self._database.transaction() as transaction:
            job = await self._locked(transaction, request.version_id)
            if job.canceled_by:
                return job
            _refuse_over(job, "there is nothing to cancel")
            error = f"canceled by {request.by}"
            await jobs.set_canceled(transaction, job.version_id, request.by, error)
            await costs.end_attempts(transaction, job.version_id)
            await queue.withdraw(transaction, job.version_id, title=True)
            event = JobCanceled(version_id=job.version_id, title_id=job.title_id, by=request.by)
            await self._log.append(transaction, TOPIC, job.title_id, event)
            found = await self._found(transaction, job.version_id)
        structlog.get_logger().info("job_canceled", version_id=job.version_id, by=request.by)
        return found

    async def retry(self, request: RetryJob) -> Job:
        """Walk a failed job's way again: of what was done every result is found."""
        async with self._database.transaction() as transaction:
            job = await self._locked(transaction, request.version_id)
            if job.state != "failed":
                raise JobNotOver(
                    f"the job {job.version_id} is {job.state}: only one that failed "
                    "or was canceled can be tried again"
                )
            await asyncio.to_thread(self._forget, job.version_id)
            for version_id in await jobs.unpublished(transaction, job.version_id):
                await asyncio.to_thread(remove_version, self._objects, version_id)
            await jobs.set_again(transaction, job.version_id)
            await self.enqueue(transaction, job.version_id, job.priority)
            event = JobRetried(version_id=job.version_id, title_id=job.title_id)
            await self._log.append(transaction, TOPIC, job.title_id, event)
            return await self._found(transaction, job.version_id)

    async def list_events(self, request: ListJobEvents) -> JobEventPage:
        limit, cursor = checked_limit(request.limit), Cursor.parsed(request.after)
        async with self._database.transaction() as transaction:
            job = await self._found(transaction, request.version_id)
            row = await store.find_job_row(transaction, request.version_id)
            assert row is not None
            entries = await self._log.read(transaction, [TOPIC], cursor, limit, key=job.title_id)
        own = (job.version_id, row.quick_version_id)
        return JobEventPage(
            events=[event_of(entry) for entry in entries if job_of(entry) in own],
            next_cursor=str(entries[-1].cursor) if entries else str(cursor),
        )

    async def farm(self) -> Farm:
        async with self._database.transaction() as transaction:
            return Farm(
                workers=await workers.states(transaction),
                queues=await queue.lengths(transaction, PRIORITIES),
                lease_s=LEASE_S,
            )

    async def _locked(self, transaction: Transaction, version_id: str) -> Job:
        await jobs.lock_job(transaction, version_id)
        return await self._found(transaction, version_id)

    async def _found(self, transaction: Transaction, version_id: str) -> Job:
        found = await store.find_jobs(transaction, version_id=version_id)
        if not found:
            raise UnknownVersion(f"there is no job {version_id}")
        return found[0]


def remove_version(objects: Objects, version_id: str) -> None:
    """Remove the files of a version that was never published, if there are any."""
    objects.remove(f"versions/{version_id}")


def _refuse_over(job: Job, so: str) -> None:
    if job.state in ("done", "failed"):
        how = "was canceled" if job.canceled_by else "is done" if job.state == "done" else "failed"
        raise JobOver(f"the job {job.version_id} {how}: {so}")
