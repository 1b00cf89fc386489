"""The SQL of the workers: their beats, and what each has in hand."""

import msgspec
from sqlalchemy import text

from cuemark.contracts.encoding.farm import InHand, WorkerState
from cuemark.kit.database import Transaction

_REAPING = 0x6375656D_61726B
"""Of the advisory lock that one reaper at a time holds: "cuemark" in ASCII."""


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who a worker is. ``slot`` is its place on its host, from 1."""

    executor_id: str
    host: str
    slot: int
    pid: int


async def beat(transaction: Transaction, worker: WorkerRow, in_hand: InHand | None) -> bool:
    """Note that a worker lives; whether it had been declared lost meanwhile."""
    known = await transaction.execute(
        text(
            "select lost and pid = :pid from encoding.worker "
            "where executor_id = :executor_id for update"
        ),
        {"executor_id": worker.executor_id, "pid": worker.pid},
    )
    was_lost = bool(known.scalar_one_or_none())
    await transaction.execute(
        text(
            "insert into encoding.worker (executor_id, host, slot, pid, beat, heard_at, in_hand) "
            "values (:executor_id, :host, :slot, :pid, 1, clock_timestamp(), "
            "cast(:in_hand as json)) on conflict (executor_id) do update set "
            "host = excluded.host, slot = excluded.slot, pid = excluded.pid, "
            "beat = worker.beat + 1, heard_at = excluded.heard_at, lost = false, "
            "in_hand = excluded.in_hand"
        ),
        {
            **msgspec.structs.asdict(worker),
            "in_hand": None if in_hand is None else msgspec.json.encode(in_hand).decode(),
        },
    )
    return was_lost


async def forget(transaction: Transaction, executor_id: str) -> None:
    await transaction.execute(
        text("delete from encoding.worker where executor_id = :executor_id"),
        {"executor_id": executor_id},
    )


async def forget_long_lost(transaction: Transaction) -> None:
    """Of a worker that was lost a day ago nobody wants to hear any more."""
    await transaction.execute(
        text("delete from encoding.worker where lost and heard_at < now() - interval '1 day'")
    )


async def beats(transaction: Transaction) -> dict[str, tuple[int, bool]]:
    """The last beat of each worker, and whether it is declared lost."""
    found = await transaction.execute(text("select executor_id, beat, lost from encoding.worker"))
    return {row.executor_id: (row.beat, row.lost) for row in found}


async def may_reap(transaction: Transaction) -> bool:
    """Whether this transaction is the one that reaps."""
    got = await transaction.execute(
        text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _REAPING}
    )
    return bool(got.scalar_one())


async def declare_lost(transaction: Transaction, executor_id: str, last_beat: int) -> str | None:
    """Declare a worker lost that was not heard since ``last_beat``; its host, None where it was.

    The host of a worker that never was heard is empty.
    """
    found = await transaction.execute(
        text("select beat, host from encoding.worker where executor_id = :id for update"),
        {"id": executor_id},
    )
    row = found.one_or_none()
    if row is None:
        return ""
    if row.beat != last_beat:
        return None
    await transaction.execute(
        text("update encoding.worker set lost = true where executor_id = :id"), {"id": executor_id}
    )
    return str(row.host)


async def end_attempts(transaction: Transaction, executor_id: str, *, told: bool) -> None:
    """Note that what a worker had begun ended with no result: by its own word, or without one."""
    await transaction.execute(
        text(
            "update encoding.attempt set ended = true, told = :told "
            "where worker = :executor_id and not ended"
        ),
        {"executor_id": executor_id, "told": told},
    )


async def states(transaction: Transaction) -> list[WorkerState]:
    found = await transaction.execute(
        text(
            "select executor_id, host, slot, pid, lost, in_hand::text as in_hand, greatest(0, "
            "extract(epoch from clock_timestamp() - heard_at))::double precision as heard_s "
            "from encoding.worker order by host, slot, executor_id"
        )
    )
    return [
        WorkerState(
            executor_id=row.executor_id,
            host=row.host,
            slot=row.slot,
            pid=row.pid,
            state="lost" if row.lost else "working" if row.in_hand else "idle",
            heard_s=round(row.heard_s, 3),
            in_hand=None
            if row.lost or row.in_hand is None
            else msgspec.json.decode(row.in_hand, type=InHand),
        )
        for row in found
    ]


async def holders(transaction: Transaction, version_id: str) -> int:
    """How many workers that are not lost have work of a job in hand."""
    found = await transaction.execute(
        text(
            "select count(*) from encoding.worker "
            "where not lost and in_hand->>'version_id' = :version_id"
        ),
        {"version_id": version_id},
    )
    return int(found.scalar_one())
