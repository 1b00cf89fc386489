"""The SQL of how a job stands: whose turn it is, how it ends, how it begins again."""

import msgspec
from sqlalchemy import text

from cuemark.contracts.encoding.jobs import Priority, TaskFailure
from cuemark.contracts.ids import TitleId
from cuemark.kit.database import Transaction


async def set_failure(transaction: Transaction, version_id: str, failure: TaskFailure) -> None:
    """Keep the log of the first piece of work that an open job has set aside."""
    await transaction.execute(
        text(
            "update encoding.job set failure = cast(:failure as json) where "
            "version_id = :version_id and failure is null and state in ('waiting', 'running')"
        ),
        {"version_id": version_id, "failure": msgspec.json.encode(failure).decode()},
    )


async def set_canceled(transaction: Transaction, version_id: str, by: str, error: str) -> None:
    await transaction.execute(
        text(
            "update encoding.job set state = 'failed', error = :error, canceled_by = :by, "
            "waiting = '', swept = false where version_id = :version_id"
        ),
        {"version_id": version_id, "by": by, "error": error},
    )


async def set_again(transaction: Transaction, version_id: str) -> None:
    """Open a job again that failed."""
    await transaction.execute(
        text(
            "update encoding.job set state = 'waiting', error = '', waiting = '', "
            "canceled_by = '', failure = null, swept = true, tries = tries + 1 "
            "where version_id = :version_id"
        ),
        {"version_id": version_id},
    )


async def set_priority(transaction: Transaction, version_id: str, priority: Priority) -> None:
    await transaction.execute(
        text("update encoding.job set priority = :priority where version_id = :version_id"),
        {"version_id": version_id, "priority": priority},
    )


async def lock_job(transaction: Transaction, version_id: str) -> bool:
    """Let nobody else change how a job stands until this transaction ends; whether it is there."""
    found = await transaction.execute(
        text("select 1 from encoding.job where version_id = :version_id for no key update"),
        {"version_id": version_id},
    )
    return found.one_or_none() is not None


async def is_open(transaction: Transaction, version_id: str, tries: int | None = None) -> bool:
    """Whether a job goes on, and in this try of it where one is given."""
    found = await transaction.execute(
        text(
            "select state in ('waiting', 'running') and (cast(:tries as integer) is null "
            "or tries = :tries) from encoding.job where version_id = :version_id"
        ),
        {"version_id": version_id, "tries": tries},
    )
    return bool(found.scalar_one_or_none())


async def add_overrun(transaction: Transaction, version_id: str, seconds: float) -> None:
    """Note how much longer a task of a title took than was estimated; less than 0 where not."""
    await transaction.execute(
        text(
            "update encoding.job set overrun_s = overrun_s + :seconds "
            "where version_id = :version_id"
        ),
        {"version_id": version_id, "seconds": seconds},
    )


async def progress_of(
    transaction: Transaction, version_id: str, stage: str
) -> tuple[TitleId, int, int]:
    """The title of a job, and how many units of a stage are done of how many."""
    found = await transaction.execute(
        text(
            "select job.title_id, coalesce(stage.total, 0) as total, (select count(*) from "
            "encoding.unit where version_id = :version_id and stage = :stage) as done "
            "from encoding.job left join encoding.stage stage on "
            "stage.version_id = job.version_id and stage.stage = :stage "
            "where job.version_id = :version_id"
        ),
        {"version_id": version_id, "stage": stage},
    )
    row = found.one()
    return row.title_id, int(row.done), int(row.total)


async def unpublished(transaction: Transaction, version_id: str) -> list[str]:
    """The versions of a job that were not published."""
    found = await transaction.execute(
        text(
            "select each from encoding.job, unnest(array[quick_version_id, job.version_id]) each "
            "where job.version_id = :version_id "
            "and each not in (select version_id from encoding.version)"
        ),
        {"version_id": version_id},
    )
    return [str(each) for each in found.scalars()]


async def unswept(transaction: Transaction) -> list[str]:
    """The canceled jobs whose leavings may still lie about."""
    found = await transaction.execute(
        text("select version_id from encoding.job where not swept order by version_id")
    )
    return [str(each) for each in found.scalars()]


async def set_swept(transaction: Transaction, version_id: str) -> None:
    await transaction.execute(
        text("update encoding.job set swept = true where version_id = :version_id"),
        {"version_id": version_id},
    )
