"""Progress by profile and title: from where a title goes on, and what goes on.

A row follows from the title's viewings: it is the one that was reported last. It is locked by
whoever changes them.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from cuemark.contexts.viewers.model.progress import resume_s as resumed_s
from cuemark.contexts.viewers.store import profiles
from cuemark.contracts.ids import ProfileId, TitleId
from cuemark.contracts.viewers import Watching
from cuemark.contracts.viewers.exchange import ViewingChange
from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

_KEY = "profile_id = :profile_id and title_id = :title_id"
_LOCKED = text(f"select stamp, removed from viewers.progress where {_KEY} for update")
_RESUME = Query(text(f"select resume_s from viewers.progress where {_KEY}"))
_BEGUN = text(
    "insert into viewers.progress (profile_id, title_id, resume_s, duration_s, stamp) "
    "values (:profile_id, :title_id, 0, 0, '') on conflict do nothing"
)
_SET = text(
    "update viewers.progress set resume_s = :resume_s, duration_s = :duration_s, "
    f"watched_at = :watched_at, stamp = :stamp where {_KEY}"
)


class Standing(NamedTuple):
    """The stamps of the last viewing of a title and of its last removal, empty for none."""

    stamp: str
    removed: str


async def lock(
    transaction: Transaction, profile_id: ProfileId, title_id: TitleId
) -> Standing | None:
    """Let nobody else change what is kept of a title; None of a profile that is no more."""
    key = {"profile_id": profile_id, "title_id": title_id}
    row = (await transaction.execute(_LOCKED, key)).one_or_none()
    if row is None:
        if await profiles.lock(transaction, [profile_id]):
            return None
        await transaction.execute(_BEGUN, key)
        row = (await transaction.execute(_LOCKED, key)).one()
    return Standing(row.stamp, row.removed)


async def put(
    transaction: Transaction,
    profile_id: ProfileId,
    title_id: TitleId,
    current: ViewingChange | None,
) -> None:
    """Let a title that is locked go on from its current viewing; from the start without one."""
    row: dict[str, object] = {"resume_s": 0.0, "duration_s": 0.0, "watched_at": None, "stamp": ""}
    if current is not None:
        row = {
            "resume_s": resumed_s(current.position_s, current.duration_s),
            "duration_s": current.duration_s,
            "watched_at": current.watched_at,
            "stamp": current.stamp,
        }
    await transaction.execute(_SET, row | {"profile_id": profile_id, "title_id": title_id})


async def resume_s(database: Database, profile_id: ProfileId, title_id: TitleId) -> float:
    found = await database.ask(_RESUME, {"profile_id": profile_id, "title_id": title_id})
    return float(found[0].resume_s) if found else 0.0


async def watching(
    transaction: Transaction,
    profile_id: ProfileId,
    before: tuple[datetime, TitleId] | None,
    limit: int,
    *,
    ended: bool = False,
) -> list[Watching]:
    """Titles to go on with, the latest first, with ``ended`` those that are over too.

    ``before`` is the last row of the page before.
    """
    wanted = "watched_at is not null" if ended else "resume_s > 0"
    after = "and (watched_at, title_id) < (:watched_at, :title_id) " if before else ""
    rows = await transaction.execute(
        text(
            "select title_id, resume_s, duration_s, watched_at from viewers.progress "
            f"where profile_id = :profile_id and {wanted} {after}"
            "order by watched_at desc, title_id desc limit :limit"
        ),
        {
            "profile_id": profile_id,
            "limit": limit,
            **({"watched_at": before[0], "title_id": before[1]} if before else {}),
        },
    )
    return [
        Watching(
            title_id=TitleId(row.title_id),
            position_s=row.resume_s,
            duration_s=row.duration_s,
            watched_at=row.watched_at,
        )
        for row in rows
    ]
