"""Ratings by profile. One that was taken back stays, as a tombstone."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text

from cuemark.contracts.ids import ProfileId, WorkId
from cuemark.contracts.viewers.exchange import RatingChange
from cuemark.contracts.viewers.lists import Rated, Standing
from cuemark.kit.database import Transaction
from cuemark.kit.hybrid_clock import Stamp

_PUT = text(
    "insert into viewers.rating (profile_id, work_id, rating, stamp) "
    "values (:profile_id, :work_id, :rating, :stamp) "
    "on conflict (profile_id, work_id) do update set rating = excluded.rating, "
    "stamp = excluded.stamp, xid = pg_current_xact_id() "
    "where viewers.rating.stamp < excluded.stamp returning 1"
)


async def found(
    transaction: Transaction, profile_id: ProfileId, work_id: WorkId
) -> RatingChange | None:
    rows = await transaction.execute(
        text(
            "select profile_id, work_id, rating, stamp from viewers.rating "
            "where profile_id = :profile_id and work_id = :work_id"
        ),
        {"profile_id": profile_id, "work_id": work_id},
    )
    row = rows.one_or_none()
    return None if row is None else RatingChange(**row._mapping)


async def put(transaction: Transaction, change: RatingChange) -> bool:
    """Whether the change is later than what was there, and counts now."""
    done = await transaction.execute(_PUT, msgspec.structs.asdict(change))
    return done.one_or_none() is not None


async def page(
    transaction: Transaction, profile_id: ProfileId, before: Sequence[str] | None, limit: int
) -> list[tuple[str, Rated]]:
    """The ratings with their stamps, before the row with this stamp and id."""
    after = "and (stamp, work_id) < (:stamp, :work_id) " if before else ""
    rows = await transaction.execute(
        text(
            "select work_id, rating, stamp from viewers.rating "
            f"where profile_id = :profile_id and rating <> '' {after}"
            "order by stamp desc, work_id desc limit :limit"
        ),
        {
            "profile_id": profile_id,
            "limit": limit,
            **({"stamp": before[0], "work_id": before[1]} if before else {}),
        },
    )
    return [
        (
            row.stamp,
            Rated(work_id=row.work_id, rating=row.rating, rated_at=Stamp.parsed(row.stamp).at),
        )
        for row in rows
    ]


async def standings(
    transaction: Transaction, profile_id: ProfileId, work_ids: Sequence[WorkId]
) -> list[Standing]:
    """How a profile stands to each of these, in their order."""
    rows = await transaction.execute(
        text(
            "select asked.work_id, coalesce(my_list.listed, false) as listed, "
            "coalesce(rating.rating, '') as rating "
            "from unnest(cast(:work_ids as text[])) with ordinality as asked (work_id, place) "
            "left join viewers.my_list on my_list.profile_id = :profile_id "
            "and my_list.work_id = asked.work_id "
            "left join viewers.rating on rating.profile_id = :profile_id "
            "and rating.work_id = asked.work_id order by asked.place"
        ),
        {"profile_id": profile_id, "work_ids": list(work_ids)},
    )
    return [Standing(**row._mapping) for row in rows]
