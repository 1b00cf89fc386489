"""All the SQL of the functions."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, text

from cuemark.contracts.functions import Attempt, Run, RunState
from cuemark.kit.boxing import Outcome
from cuemark.kit.database import Transaction
from cuemark.kit.outbox import Entry

SCHEMA = "functions"

_RUN = (
    "run_id, function, event_id, topic, key, kind, state, attempts, made_at, due_at, ended_at, "
    "reason, output, trace_id"
)

_DUE = (
    "run_id, number, function, event_id, topic, key, kind, body::text as body, occurred_at, "
    "trace_id, attempts, failures"
)


class Standing(msgspec.Struct, frozen=True):
    """What is on record of a function."""

    is_on: bool = True
    gone_at: datetime | None = None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was taken to be tried: ``attempt`` counts this one, ``failures`` those before.

    ``number`` grows in the order in which the log was read.
    """

    run_id: str
    number: int
    function: str
    event_id: str
    topic: str
    key: str
    kind: str
    body: bytes
    occurred_at: datetime
    trace_id: str
    attempt: int
    failures: int


async def standings(transaction: Transaction) -> dict[str, Standing]:
    found = await transaction.execute(text("select name, is_on, gone_at from functions.function"))
    return {row.name: Standing(row.is_on, row.gone_at) for row in found}


async def put_standing(transaction: Transaction, name: str, standing: Standing) -> None:
    await transaction.execute(
        text(
            "insert into functions.function (name, is_on, gone_at) values (:name, :is_on, :gone) "
            "on conflict (name) do update set is_on = excluded.is_on, gone_at = excluded.gone_at"
        ),
        {"name": name, "is_on": standing.is_on, "gone": standing.gone_at},
    )


async def add_run(
    transaction: Transaction, run_id: str, function: str, entry: Entry, at: datetime
) -> None:
    """Note that a function is to be run on an event; noting it again changes nothing."""
    await transaction.execute(
        text(
            "insert into functions.run (run_id, function, event_id, topic, key, kind, body, "
            "occurred_at, trace_id, state, made_at, due_at) values (:run_id, :function, :event_id, "
            ":topic, :key, :kind, cast(:body as json), :occurred_at, :trace_id, 'waiting', :at, "
            ":at) on conflict (function, event_id) do nothing"
        ),
        {
            "run_id": run_id,
            "function": function,
            "event_id": entry.event_id,
            "topic": entry.topic,
            "key": entry.key,
            "kind": entry.kind,
            "body": entry.body.decode(),
            "occurred_at": entry.occurred_at,
            "trace_id": entry.trace_id,
            "at": at,
        },
    )


async def open_runs(transaction: Transaction) -> dict[str, int]:
    """By function, how many runs wait or are tried."""
    found = await transaction.execute(
        text(
            "select function, count(*) from functions.run "
            "where state in ('waiting', 'running') group by function"
        )
    )
    return {row[0]: row[1] for row in found}


async def counts(transaction: Transaction) -> dict[str, dict[str, int]]:
    """By function and state, how many runs are on record."""
    found = await transaction.execute(
        text("select function, state, count(*) from functions.run group by function, state")
    )
    counted: dict[str, dict[str, int]] = {}
    for function, state, count in found:
        counted.setdefault(function, {})[state] = count
    return counted


async def take_due(transaction: Transaction, function: str, now: datetime, limit: int) -> list[Due]:
    """Take the oldest runs that are due, to try them; each counts one attempt more."""
    found = await transaction.execute(
        text(
            "update functions.run set state = 'running', attempts = attempts + 1 where run_id in ("
            "select run_id from functions.run where function = :function and state = 'waiting' "
            "and due_at <= :now order by number limit :limit for update skip locked) "
            f"returning {_DUE}"
        ),
        {"function": function, "now": now, "limit": limit},
    )
    taken = [_due(row) for row in found]
    return sorted(taken, key=lambda each: each.number)


async def begin_attempt(transaction: Transaction, due: Due, sha256: str, at: datetime) -> None:
    await transaction.execute(
        text(
            "insert into functions.attempt (run_id, number, begun_at, code_sha256) "
            "values (:run_id, :number, :at, :sha256)"
        ),
        {"run_id": due.run_id, "number": due.attempt, "at": at, "sha256": sha256},
    )


async def end_attempt(
    transaction: Transaction, due: Due, outcome: Outcome | None, reason: str, at: datetime
) -> None:
    """Note how an attempt ended; without an outcome, that it was cut short."""
    said, spent = (outcome.said, outcome.spent) if outcome else (None, None)
    await transaction.execute(
        text(
            "update functions.attempt set ended_at = :at, reason = :reason, wall_s = :wall_s, "
            "cpu_s = :cpu_s, peak_bytes = :peak_bytes, printed_bytes = :printed_bytes, "
            "stdout = :stdout, stderr = :stderr "
            "where run_id = :run_id and number = :number and ended_at is null"
        ),
        {
            "run_id": due.run_id,
            "number": due.attempt,
            "at": at,
            "reason": reason,
            "wall_s": spent.wall_s if spent else 0.0,
            "cpu_s": spent.cpu_s if spent else 0.0,
            "peak_bytes": spent.peak_bytes if spent else 0,
            "printed_bytes": said.printed_bytes if said else 0,
            "stdout": _storable(said.stdout if said else ""),
            "stderr": _storable(said.stderr if said else ""),
        },
    )


async def end_run(
    transaction: Transaction, run_id: str, state: RunState, at: datetime, reason: str, output: str
) -> None:
    """Note that a run is over which was tried."""
    await transaction.execute(
        text(
            "update functions.run set state = :state, ended_at = :at, reason = :reason, "
            "output = :output where run_id = :run_id and state = 'running'"
        ),
        {"run_id": run_id, "state": state, "at": at, "reason": reason, "output": output},
    )


async def put_off(
    transaction: Transaction, run_id: str, failures: int, due_at: datetime, reason: str
) -> None:
    """Let a run be tried again which was tried."""
    await transaction.execute(
        text(
            "update functions.run set state = 'waiting', failures = :failures, due_at = :due_at, "
            "reason = :reason where run_id = :run_id and state = 'running'"
        ),
        {"run_id": run_id, "failures": failures, "due_at": due_at, "reason": reason},
    )


async def left_running(transaction: Transaction) -> list[Due]:
    """The runs that somebody tried who is no more."""
    found = await transaction.execute(
        text(f"select {_DUE} from functions.run where state = 'running'")
    )
    return [_due(row) for row in found]


async def prune(transaction: Transaction, function: str, most: int) -> list[str]:
    """Forget the oldest runs that are over, beyond ``most``; the folders of what they left."""
    found = await transaction.execute(
        text(
            "delete from functions.run where run_id in (select run_id from functions.run "
            "where function = :function and state in ('done', 'dead') "
            "order by number desc offset :most limit 100) returning output"
        ),
        {"function": function, "most": most},
    )
    return [output for output in found.scalars() if output]


async def revive(transaction: Transaction, run_id: str, at: datetime) -> bool:
    """Let a dead run be tried as if it was new; False where it is not dead."""
    found = await transaction.execute(
        text(
            "update functions.run set state = 'waiting', failures = 0, due_at = :at, "
            "ended_at = null where run_id = :run_id and state = 'dead' returning run_id"
        ),
        {"run_id": run_id, "at": at},
    )
    return found.one_or_none() is not None


async def find_runs(
    transaction: Transaction,
    *,
    run_id: str = "",
    before: int | None = None,
    function: str = "",
    dead_only: bool = False,
    limit: int = 1,
) -> list[tuple[int, Run]]:
    """Runs by their numbers, the newest first."""
    found = await transaction.execute(
        text(
            f"select {_RUN}, number from functions.run where (:run_id = '' or run_id = :run_id) "
            "and (cast(:before as bigint) is null or number < :before) "
            "and (:function = '' or function = :function) "
            "and (not :dead_only or state = 'dead') order by number desc limit :limit"
        ),
        {
            "run_id": run_id,
            "before": before,
            "function": function,
            "dead_only": dead_only,
            "limit": limit,
        },
    )
    return [(row.number, _run(row)) for row in found]


async def attempts_of(transaction: Transaction, run_id: str) -> list[Attempt]:
    found = await transaction.execute(
        text(
            "select number, begun_at, ended_at, code_sha256, reason, wall_s, cpu_s, peak_bytes, "
            "printed_bytes, stdout, stderr from functions.attempt where run_id = :run_id "
            "order by number"
        ),
        {"run_id": run_id},
    )
    return [Attempt(**row) for row in found.mappings()]


def set_aside(connection: Connection, reason: str) -> None:
    """After a restore: no event of before is run unless somebody asks for it.

    A database that was written before there were functions has nothing to set aside.
    """
    there = connection.execute(text("select to_regclass('functions.run')")).scalar_one()
    if there is None:
        return
    connection.execute(
        text(
            "update functions.run set state = 'dead', ended_at = made_at, reason = :reason "
            "where state in ('waiting', 'running')"
        ),
        {"reason": reason},
    )


def _run(row: Row[Any]) -> Run:
    return Run(
        run_id=row.run_id,
        function=row.function,
        event_id=row.event_id,
        event=f"{row.topic}.{row.kind}",
        key=row.key,
        state=row.state,
        attempts=row.attempts,
        made_at=row.made_at,
        due_at=row.due_at,
        ended_at=row.ended_at,
        reason=row.reason,
        output=row.output,
        trace_id=row.trace_id,
    )


def _due(row: Row[Any]) -> Due:
    return Due(
        run_id=row.run_id,
        number=row.number,
        function=row.function,
        event_id=row.event_id,
        topic=row.topic,
        key=row.key,
        kind=row.kind,
        body=row.body.encode(),
        occurred_at=row.occurred_at,
        trace_id=row.trace_id,
        attempt=row.attempts,
        failures=row.failures,
    )


def _storable(said: str) -> str:
    """PostgreSQL's text takes every character but one."""
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")
