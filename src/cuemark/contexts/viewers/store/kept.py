"""What a profile keeps of works: my list, and ratings. What was last put comes first, and what was
taken back stays, as a tombstone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import text

from cuemark.contracts.ids import ProfileId, WorkId
from cuemark.contracts.viewers.exchange import MyListChange, RatingChange
from cuemark.contracts.viewers.lists import Standing
from cuemark.kit.database import Transaction

Change = TypeVar("Change", MyListChange, RatingChange)


@dataclass(frozen=True)
class Kept(Generic[Change]):
    """A table with one value for a work of a profile, in ``column``; ``held`` is the SQL that tells
    what is kept from a tombstone."""

    change: type[Change]
    table: str
    column: str
    held: str

    async def found(
        self, transaction: Transaction, profile_id: ProfileId, work_id: WorkId
    ) -> Change | None:
        rows = await transaction.execute(
            text(
                f"select profile_id, work_id, {self.column}, stamp from viewers.{self.table} "
                "where profile_id = :profile_id and work_id = :work_id"
            ),
            {"profile_id": profile_id, "work_id": work_id},
        )
        row = rows.one_or_none()
        return None if row is None else self.change(**row._mapping)

    async def put(self, transaction: Transaction, change: Change) -> bool:
        """Whether the change is later than what was there, and counts now."""
        done = await transaction.execute(
            text(
                f"insert into viewers.{self.table} (profile_id, work_id, {self.column}, stamp) "
                f"values (:profile_id, :work_id, :{self.column}, :stamp) "
                f"on conflict (profile_id, work_id) do update set {self.column} = "
                f"excluded.{self.column}, stamp = excluded.stamp, xid = pg_current_xact_id() "
                f"where viewers.{self.table}.stamp < excluded.stamp returning 1"
            ),
            msgspec.structs.asdict(change),
        )
        return done.one_or_none() is not None

    async def count(self, transaction: Transaction, profile_id: ProfileId) -> int:
        rows = await transaction.execute(
            text(
                f"select count(*) from viewers.{self.table} "
                f"where profile_id = :profile_id and {self.held}"
            ),
            {"profile_id": profile_id},
        )
        return int(rows.scalar_one())

    async def page(
        self,
        transaction: Transaction,
        profile_id: ProfileId,
        before: Sequence[str] | None,
        limit: int,
    ) -> list[Change]:
        """What is kept, before the row with this stamp and id."""
        after = "and (stamp, work_id) < (:stamp, :work_id) " if before else ""
        rows = await transaction.execute(
            text(
                f"select profile_id, work_id, {self.column}, stamp from viewers.{self.table} "
                f"where profile_id = :profile_id and {self.held} {after}"
                "order by stamp desc, work_id desc limit :limit"
            ),
            {
                "profile_id": profile_id,
                "limit": limit,
                **({"stamp": before[0], "work_id": before[1]} if before else {}),
            },
        )
        return [self.change(**row._mapping) for row in rows]


MY_LIST = Kept(MyListChange, "my_list", "listed", "listed")
RATINGS = Kept(RatingChange, "rating", "rating", "rating <> ''")


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
