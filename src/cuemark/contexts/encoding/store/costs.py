"""The SQL of what work took: units that are done, and attempts at them.

An attempt is kept while it runs, so that one whose worker died counts. With the unit it is gone:
what is left of attempts has ended with no result, or still runs.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import text

from cuemark.contexts.encoding.model.costs import Rungs, Spent, Total
from cuemark.contracts.encoding.jobs import Stage
from cuemark.contracts.encoding.reports import StageTime
from cuemark.contracts.encoding.versions import Quality
from cuemark.contracts.ids import VersionId
from cuemark.kit.cost import Cost
from cuemark.kit.database import Transaction


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a unit of work: what it was made for, and what it took until now."""

    attempt_id: str
    version_id: VersionId
    stage: Stage
    unit: str
    made_for: str
    begun_at: datetime
    cost: Cost
    written_bytes: int = 0
    worker: str = ""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt begins with: whether its job is still open, how often the work was begun
    since the job was, and how many of those attempts ended without a word."""

    wanted: bool
    attempts: int
    crashes: int


async def begin_attempt(transaction: Transaction, attempt: Attempt) -> Begun:
    """Keep an attempt before it begins: where its worker dies, it is one that said nothing."""
    found = await transaction.execute(
        text("select state, tries from encoding.job where version_id = :version_id"),
        {"version_id": attempt.version_id},
    )
    job = found.one_or_none()
    if job is None or job.state not in ("waiting", "running"):
        return Begun(wanted=False, attempts=0, crashes=0)
    await keep_attempt(transaction, attempt, ended=False)
    counted = await transaction.execute(
        text(
            "select count(*) as attempts, count(*) filter (where ended and not told) as crashes "
            "from encoding.attempt where version_id = :version_id and unit = :unit "
            "and tries = :tries"
        ),
        {"version_id": attempt.version_id, "unit": attempt.unit, "tries": job.tries},
    )
    return Begun(wanted=True, **dict(counted.one()._mapping))


async def finish_unit(
    transaction: Transaction, version_id: str, stage: str, unit: str, at: datetime, cost: Cost
) -> bool:
    """Note that a unit of the walk itself is done, when, and what it cost; whether it is new."""
    return await _insert_unit(transaction, version_id, stage, unit, at, cost, "", 0)


async def finish_attempt(transaction: Transaction, attempt: Attempt, at: datetime) -> bool:
    """Note that a unit of work is done by this attempt at it; whether it is new.

    Where it was done already, this attempt was for nothing, and its cost is kept as such.
    """
    await _end_others(transaction, attempt)
    new = await _insert_unit(
        transaction,
        attempt.version_id,
        attempt.stage,
        attempt.unit,
        at,
        attempt.cost,
        attempt.made_for,
        attempt.written_bytes,
    )
    if new:
        await transaction.execute(
            text("delete from encoding.attempt where attempt_id = :attempt_id"),
            {"attempt_id": attempt.attempt_id},
        )
    else:
        await keep_attempt(transaction, attempt, ended=True)
    return new


async def keep_attempt(transaction: Transaction, attempt: Attempt, *, ended: bool) -> None:
    """Keep what an attempt took until now. Any other attempt at the unit has ended.

    One that is kept as ended did so by its own word.
    """
    await _end_others(transaction, attempt)
    await transaction.execute(
        text(
            "insert into encoding.attempt (attempt_id, version_id, stage, unit, made_for, ended, "
            "begun_at, wall_s, cpu_s, written_bytes, worker, told, tries) "
            "select :attempt_id, :version_id, :stage, :unit, :made_for, :ended, :begun_at, "
            ":wall_s, :cpu_s, :written_bytes, :worker, :ended, tries from encoding.job "
            "where version_id = :version_id "
            "on conflict (attempt_id) do update set ended = excluded.ended, told = excluded.told, "
            "wall_s = excluded.wall_s, cpu_s = excluded.cpu_s, "
            "written_bytes = excluded.written_bytes"
        ),
        {
            **msgspec.structs.asdict(attempt),
            "ended": ended,
            "wall_s": attempt.cost.wall_s,
            "cpu_s": attempt.cost.cpu_s,
        },
    )


async def end_attempts(transaction: Transaction, version_id: str) -> None:
    """Note that no attempt of a job that is over runs any more: what is left had no result."""
    await transaction.execute(
        text("update encoding.attempt set ended = true where version_id = :version_id"),
        {"version_id": version_id},
    )


async def _end_others(transaction: Transaction, attempt: Attempt) -> None:
    await transaction.execute(
        text(
            "update encoding.attempt set ended = true where version_id = :version_id "
            "and unit = :unit and attempt_id != :attempt_id and not ended"
        ),
        {
            "version_id": attempt.version_id,
            "unit": attempt.unit,
            "attempt_id": attempt.attempt_id,
        },
    )


async def _insert_unit(
    transaction: Transaction,
    version_id: str,
    stage: str,
    unit: str,
    at: datetime,
    cost: Cost,
    made_for: str,
    written_bytes: int,
) -> bool:
    """Whether the unit is new."""
    inserted = await transaction.execute(
        text(
            "insert into encoding.unit (version_id, stage, unit, finished_at, wall_s, cpu_s, "
            "made_for, written_bytes) values (:version_id, :stage, :unit, :at, :wall_s, :cpu_s, "
            ":made_for, :written_bytes) on conflict do nothing"
        ),
        {
            "version_id": version_id,
            "stage": stage,
            "unit": unit,
            "at": at,
            "wall_s": cost.wall_s,
            "cpu_s": cost.cpu_s,
            "made_for": made_for,
            "written_bytes": written_bytes,
        },
    )
    return inserted.rowcount > 0


_WORK = (
    "(select version_id, stage, made_for, 'done' as outcome, wall_s, cpu_s, written_bytes, "
    "finished_at as until, finished_at - make_interval(secs => wall_s) as since "
    "from encoding.unit union all "
    "select version_id, stage, made_for, case when ended then 'lost' else 'open' end, wall_s, "
    "cpu_s, written_bytes, begun_at + make_interval(secs => wall_s), begun_at "
    "from encoding.attempt) as work"
)
"""Units that are done, and attempts that ended with no result or still run: all that took CPU."""


async def stage_times(transaction: Transaction, version_id: str) -> list[StageTime]:
    """What the stages of a job cost, in the order of their beginning."""
    found = await transaction.execute(
        text(
            "select stage, count(*) filter (where outcome = 'done') as units, "
            "sum(wall_s) as wall_s, sum(cpu_s) as cpu_s, "
            "coalesce(sum(cpu_s) filter (where outcome = 'lost'), 0) as lost_cpu_s, "
            "sum(written_bytes)::bigint as written_bytes, "
            "extract(epoch from max(until) - min(since))::double precision as elapsed_s "
            f"from {_WORK} where version_id = :version_id and wall_s > 0 "
            "group by stage order by min(since)"
        ),
        {"version_id": version_id},
    )
    return [msgspec.convert(dict(row._mapping), StageTime) for row in found]


async def spent_on(transaction: Transaction, version_id: str) -> list[Spent]:
    """What a job took, by stage, by what it was made for, and by what came of it."""
    found = await transaction.execute(
        text(
            "select stage, made_for, outcome, sum(cpu_s) as cpu_s, "
            f"sum(written_bytes)::bigint as written_bytes from {_WORK} "
            "where version_id = :version_id and wall_s > 0 group by stage, made_for, outcome "
            "order by min(since), made_for, outcome"
        ),
        {"version_id": version_id},
    )
    return [msgspec.convert(dict(row._mapping), Spent) for row in found]


async def total_of(transaction: Transaction, title_id: str) -> Total:
    """What all jobs of a title took until now."""
    found = await transaction.execute(
        text(
            "select count(*) as jobs, coalesce(sum(work.cpu_s), 0) as cpu_s from encoding.job "
            f"left join (select version_id, sum(cpu_s) as cpu_s from {_WORK} where version_id in "
            "(select version_id from encoding.job where title_id = :title_id) "
            "group by version_id) as work using (version_id) where title_id = :title_id"
        ),
        {"title_id": title_id},
    )
    return msgspec.convert(dict(found.one()._mapping), Total)


async def rungs_of(transaction: Transaction, versions: Mapping[Quality, VersionId]) -> Rungs:
    """The renditions of the versions of a job, by the names of what was done for them."""
    found = await transaction.execute(
        text("select version_id, made_for from encoding.version where version_id = any(:ids)"),
        {"ids": list(versions.values())},
    )
    known = {row.version_id: row.made_for for row in found}
    return {
        quality: None
        if known.get(version_id) is None
        else msgspec.convert(known[version_id], dict[str, str])
        for quality, version_id in versions.items()
    }
