"""Profiles: whose rows are whose, and those that are no more."""

from collections.abc import Sequence

from sqlalchemy import text

from cuemark.contracts.ids import ProfileId
from cuemark.kit.database import Transaction

_KEPT = ("progress", "session", "my_list", "rating")
_LOCK = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(profile_id, 6) "
    "as key from unnest(cast(:ids as text[])) as profile_id order by key) as keys"
)
_ERASED = text("select profile_id from viewers.erased where profile_id = any(:ids)")


async def lock(transaction: Transaction, profile_ids: Sequence[ProfileId]) -> set[ProfileId]:
    """Let nobody else begin rows of these profiles, or erase them; those that are no more."""
    ids = list(profile_ids)
    await transaction.execute(_LOCK, {"ids": ids})
    return set((await transaction.execute(_ERASED, {"ids": ids})).scalars())


async def erase(transaction: Transaction, profile_ids: Sequence[ProfileId]) -> int:
    """Delete all that is kept of these profiles, and let nothing come back; how many were there.

    Their bare ids stay, so that other regions hear of it.
    """
    ids = list(profile_ids)
    await lock(transaction, ids)
    noted = await transaction.execute(
        text(
            "insert into viewers.erased (profile_id) select distinct unnest(cast(:ids as text[])) "
            "on conflict do nothing"
        ),
        {"ids": ids},
    )
    for table in _KEPT:
        await transaction.execute(
            text(f"delete from viewers.{table} where profile_id = any(:ids)"), {"ids": ids}
        )
    return noted.rowcount
