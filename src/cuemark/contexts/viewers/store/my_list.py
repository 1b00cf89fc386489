"""My list by profile: what was added last comes first. What was taken off stays, as a tombstone."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text

from cuemark.contracts.ids import ProfileId, WorkId
from cuemark.contracts.viewers.exchange import MyListChange
from cuemark.contracts.viewers.lists import Listed
from cuemark.kit.database import Transaction
from cuemark.kit.hybrid_clock import Stamp

_PUT = text(
    "insert into viewers.my_list (profile_id, work_id, listed, stamp) "
    "values (:profile_id, :work_id, :listed, :stamp) "
    "on conflict (profile_id, work_id) do update set listed = excluded.listed, "
    "stamp = excluded.stamp, xid = pg_current_xact_id() "
    "where viewers.my_list.stamp < excluded.stamp returning 1"
)


async def found(
    transaction: Transaction, profile_id: ProfileId, work_id: WorkId
) -> MyListChange | None:
    rows = await transaction.execute(
        text(
            "select profile_id, work_id, listed, stamp from viewers.my_list "
            "where profile_id = :profile_id and work_id = :work_id"
        ),
        {"profile_id": profile_id, "work_id": work_id},
    )
    row = rows.one_or_none()
    return None if row is None else MyListChange(**row._mapping)


async def count(transaction: Transaction, profile_id: ProfileId) -> int:
    rows = await transaction.execute(
        text("select count(*) from viewers.my_list where profile_id = :profile_id and listed"),
        {"profile_id": profile_id},
    )
    return int(rows.scalar_one())


async def put(transaction: Transaction, change: MyListChange) -> bool:
    """Whether the change is later than what was there, and counts now."""
    done = await transaction.execute(_PUT, msgspec.structs.asdict(change))
    return done.one_or_none() is not None


async def page(
    transaction: Transaction, profile_id: ProfileId, before: Sequence[str] | None, limit: int
) -> list[tuple[str, Listed]]:
    """What is on the list with its stamp, before the row with this stamp and id."""
    after = "and (stamp, work_id) < (:stamp, :work_id) " if before else ""
    rows = await transaction.execute(
        text(
            "select work_id, stamp from viewers.my_list where profile_id = :profile_id and listed "
            f"{after}order by stamp desc, work_id desc limit :limit"
        ),
        {
            "profile_id": profile_id,
            "limit": limit,
            **({"stamp": before[0], "work_id": before[1]} if before else {}),
        },
    )
    return [
        (row.stamp, Listed(work_id=row.work_id, added_at=Stamp.parsed(row.stamp).at))
        for row in rows
    ]
