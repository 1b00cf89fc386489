"""History by profile and time: a row for each playback session of a title."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text

from cuemark.contexts.viewers.model.progress import BEGUN_S, BEGUN_SHARE
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers.exchange import ViewingChange
from cuemark.contracts.viewers.history import Viewing
from cuemark.kit.database import Transaction

_PUT = (
    "insert into viewers.session (profile_id, title_id, session_id, sequence, position_s, "
    "duration_s, reported_at, since, stamp) values (:profile_id, :title_id, :session_id, "
    ":sequence, :position_s, :duration_s, :watched_at, :since, :stamp) "
    "on conflict (profile_id, title_id, session_id) do update set sequence = excluded.sequence, "
    "position_s = excluded.position_s, duration_s = excluded.duration_s, "
    "reported_at = excluded.reported_at, since = excluded.since, stamp = excluded.stamp, "
    "xid = pg_current_xact_id()"
)
_ADVANCE = text(
    f"{_PUT} where (viewers.session.since, viewers.session.sequence) "
    "< (excluded.since, excluded.sequence) returning 1"
)
_REMOVE = text(
    "with gone as (delete from viewers.session "
    "where profile_id = :profile_id and title_id = any(:title_ids)) "
    "update viewers.progress set resume_s = 0, duration_s = 0, watched_at = null, stamp = '', "
    "removed = :stamp, removed_xid = pg_current_xact_id() "
    "where profile_id = :profile_id and title_id = any(:title_ids)"
)


async def advance(transaction: Transaction, viewing: ViewingChange) -> bool:
    """Note how far a session got; False where a report as late as this one was noted before."""
    noted = await transaction.execute(_ADVANCE, msgspec.structs.asdict(viewing))
    return noted.one_or_none() is not None


async def put(transaction: Transaction, viewings: Sequence[ViewingChange]) -> None:
    """Whatever was noted of these sessions of titles that are locked."""
    if viewings:
        rows = [msgspec.structs.asdict(each) for each in viewings]
        await transaction.execute(text(_PUT), rows)


async def watched(
    transaction: Transaction, profile_id: ProfileId, title_id: TitleId | None = None
) -> dict[TitleId, str]:
    """The stamps of what a profile has watched, of one title or all, which are locked."""
    rows = await transaction.execute(
        text(
            "select title_id, greatest(stamp, removed) as stamp from viewers.progress "
            "where profile_id = :profile_id and watched_at is not null "
            "and (cast(:title_id as text) is null or title_id = :title_id) "
            "order by title_id for update"
        ),
        {"profile_id": profile_id, "title_id": title_id},
    )
    return {row.title_id: row.stamp for row in rows}


async def remove(
    transaction: Transaction, profile_id: ProfileId, title_ids: Sequence[TitleId], stamp: str
) -> None:
    """Take titles that are locked out of the history."""
    await transaction.execute(
        _REMOVE, {"profile_id": profile_id, "title_ids": list(title_ids), "stamp": stamp}
    )


async def page(
    transaction: Transaction,
    profile_id: ProfileId,
    before: tuple[datetime, PlaySessionId] | None,
    limit: int,
) -> list[Viewing]:
    """What was watched for longer than a glance, the latest first, before the row ``before``."""
    after = "and (reported_at, session_id) < (:watched_at, :session_id) " if before else ""
    rows = await transaction.execute(
        text(
            "select title_id, session_id, position_s, duration_s, reported_at "
            "from viewers.session where profile_id = :profile_id "
            f"and position_s >= least({BEGUN_S}, {BEGUN_SHARE} * duration_s) {after}"
            "order by reported_at desc, session_id desc limit :limit"
        ),
        {
            "profile_id": profile_id,
            "limit": limit,
            **({"watched_at": before[0], "session_id": before[1]} if before else {}),
        },
    )
    return [
        Viewing(
            title_id=row.title_id,
            session_id=row.session_id,
            position_s=row.position_s,
            duration_s=row.duration_s,
            watched_at=row.reported_at,
        )
        for row in rows
    ]
