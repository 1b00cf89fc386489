"""The SQL on the queue: DBOS's table of workflows, where its own library has no call for it.

What it relies on was read in DBOS 2: a task is taken in the order of ``priority`` and then
``created_at``; a workflow whose row is ``CANCELLED`` ends at its next step; a row that is
``ENQUEUED`` anew has no owner, and whoever had it can neither record a step nor its end
(``owner_xid``). The title's workflow is the parent of its tasks.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import text

from cuemark.contexts.encoding.model import queues
from cuemark.contexts.encoding.model.fairness import TAGS, Band
from cuemark.contracts.encoding.farm import QueueLength
from cuemark.contracts.encoding.jobs import Priority
from cuemark.kit.database import Transaction

_NOW_MS = "(extract(epoch from clock_timestamp()) * 1000)::bigint"
_TASKS = {"queue": queues.TASK_QUEUE, "tags": TAGS}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a title's next turn follows from: ``overrun_s`` is how much longer its tasks took than
    was estimated."""

    priority: Priority
    overrun_s: float
    bands: dict[int, Band]


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """What a title has put on the queue: ``tasks`` in all, and the greatest number of those that
    wait, by the place of the band."""

    tasks: int
    last: dict[int, int]


async def bands(transaction: Transaction) -> dict[int, Band]:
    found = await transaction.execute(text("select band, base, now from encoding.virtual_time"))
    return {row.band: Band(base=row.base, now=row.now) for row in found}


async def standing(transaction: Transaction, version_id: str) -> Standing:
    found = await transaction.execute(
        text("select priority, overrun_s from encoding.job where version_id = :version_id"),
        {"version_id": version_id},
    )
    row = found.one()
    return Standing(priority=row.priority, overrun_s=row.overrun_s, bands=await bands(transaction))


async def queued(transaction: Transaction, version_id: str) -> Queued:
    found = await transaction.execute(
        text(
            "select priority / :tags as place, count(*) as tasks, max(priority) filter (where "
            "status = 'ENQUEUED') as last from dbos.workflow_status "
            "where parent_workflow_id = :version_id group by 1"
        ),
        {"version_id": version_id, "tags": TAGS},
    )
    rows = found.all()
    return Queued(
        tasks=sum(row.tasks for row in rows),
        last={row.place: row.last for row in rows if row.last is not None},
    )


async def advance(transaction: Transaction, place: int, start: int) -> None:
    """The virtual time of a band is at least ``start`` from now on: a task of that was begun."""
    await transaction.execute(
        text(
            "insert into encoding.virtual_time (band, now) values (:place, :start) "
            "on conflict (band) do update set now = excluded.now "
            "where virtual_time.now < excluded.now"
        ),
        {"place": place, "start": start},
    )


async def rebase(transaction: Transaction, place: int, band: Band) -> None:
    """Begin the numbers of a band anew at ``band.base``; what waits keeps its order."""
    await transaction.execute(
        text(
            "with old as (select base from encoding.virtual_time where band = :place for update), "
            "new as (update encoding.virtual_time set base = :base where band = :place) "
            "update dbos.workflow_status set priority = greatest(:place * :tags, 1, "
            "priority - (:base - (select base from old))) where queue_name = :queue "
            "and status = 'ENQUEUED' and priority between :place * :tags and "
            "(:place + 1) * :tags - 1"
        ),
        {**_TASKS, "place": place, "base": band.base},
    )


async def mend_strays(transaction: Transaction, place: int) -> None:
    """Bring home what was put into a band with a number from before these began anew."""
    await transaction.execute(
        text(
            "update dbos.workflow_status set priority = priority - :tags / 2 "
            "where queue_name = :queue and status = 'ENQUEUED' "
            "and priority between :place * :tags + :tags / 2 and (:place + 1) * :tags - 1"
        ),
        {**_TASKS, "place": place},
    )


async def move(
    transaction: Transaction,
    version_id: str,
    priority: Priority,
    shifts: Mapping[int, tuple[int, int]],
) -> None:
    """Give what waits of a title its place under another priority.

    ``shifts`` has for each band the one instead of it, and by how much a tag changes.
    """
    await transaction.execute(
        text(
            "update dbos.workflow_status set queue_name = :queue, priority = :number "
            "where workflow_uuid = :version_id and status = 'ENQUEUED'"
        ),
        {
            "version_id": version_id,
            "queue": queues.title_queue(priority),
            "number": queues.title_number(priority),
        },
    )
    # One statement: a number that was moved must not be moved again.
    cases = " ".join(
        f"when {old} then {new * TAGS} + "
        f"least(greatest(priority % {TAGS} + {shift}, 1), {TAGS - 1})"
        for old, (new, shift) in shifts.items()
    )
    await transaction.execute(
        text(
            f"update dbos.workflow_status set priority = case priority / :tags {cases} "
            "else priority end where parent_workflow_id = :version_id and status = 'ENQUEUED'"
        ),
        {"version_id": version_id, "tags": TAGS},
    )


async def withdraw(transaction: Transaction, version_id: str, *, title: bool) -> None:
    """Take the tasks of a title from the queue, and with ``title`` its workflow as well.

    What is in hand of them cannot be recorded any more.
    """
    await transaction.execute(
        text(
            "update dbos.workflow_status set status = 'CANCELLED', owner_xid = null, "
            "queue_name = null, deduplication_id = null, started_at_epoch_ms = null, "
            f"updated_at = {_NOW_MS}, completed_at = {_NOW_MS} where (parent_workflow_id = "
            ":version_id or (:title and workflow_uuid = :version_id)) "
            "and status not in ('SUCCESS', 'ERROR', 'CANCELLED')"
        ),
        {"version_id": version_id, "title": title},
    )


async def give_back(transaction: Transaction, executor_id: str) -> int:
    """Put what a worker has begun back on its queue; how much that was."""
    given = await transaction.execute(
        text(
            "update dbos.workflow_status set status = 'ENQUEUED', owner_xid = null, "
            f"started_at_epoch_ms = null, updated_at = {_NOW_MS} "
            "where status = 'PENDING' and executor_id = :executor_id "
            "and queue_name = any(:queues)"
        ),
        {
            "executor_id": executor_id,
            "queues": [queues.TASK_QUEUE, queues.TITLE_QUEUE, queues.PREMIERE_QUEUE],
        },
    )
    return given.rowcount


async def executors_at_work(transaction: Transaction) -> list[str]:
    """Who has begun something that is not over."""
    found = await transaction.execute(
        text(
            "select distinct executor_id from dbos.workflow_status "
            "where status = 'PENDING' and queue_name = any(:queues)"
        ),
        {"queues": [queues.TASK_QUEUE, queues.TITLE_QUEUE, queues.PREMIERE_QUEUE]},
    )
    return [str(each) for each in found.scalars()]


async def dead_titles(transaction: Transaction) -> list[str]:
    """Open jobs whose workflow DBOS has given up."""
    found = await transaction.execute(
        text(
            "select job.version_id from encoding.job join dbos.workflow_status status "
            "on status.workflow_uuid = job.version_id where job.state in ('waiting', 'running') "
            "and status.status in ('ERROR', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED')"
        )
    )
    return [str(each) for each in found.scalars()]


async def lengths(transaction: Transaction, priorities: Sequence[Priority]) -> list[QueueLength]:
    """How much of each priority is open."""
    found = await transaction.execute(
        text(
            "select job.priority, count(distinct job.version_id) as jobs, "
            "count(*) filter (where task.status = 'ENQUEUED') as waiting, "
            "count(*) filter (where task.status = 'PENDING') as in_hand from encoding.job "
            "left join dbos.workflow_status task on task.parent_workflow_id = job.version_id "
            "and task.status in ('ENQUEUED', 'PENDING') "
            "where job.state in ('waiting', 'running') group by job.priority"
        )
    )
    by_priority = {row.priority: msgspec.convert(dict(row._mapping), QueueLength) for row in found}
    return [
        by_priority.get(each) or QueueLength(priority=each, jobs=0, waiting=0, in_hand=0)
        for each in priorities
    ]
