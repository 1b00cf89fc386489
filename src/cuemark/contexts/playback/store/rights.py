"""When plays that run lose the right to their title."""

from datetime import datetime

from sqlalchemy import text

from cuemark.contexts.playback.model.rights import Asked
from cuemark.contracts.ids import PlaySessionId, TitleId
from cuemark.kit.database import Transaction

_RUNS = "ended_at is null and expires_at > :now"


async def asked_of(transaction: Transaction, title_id: TitleId, now: datetime) -> list[Asked]:
    """What the rights of the plays of a title that run depend on, each once."""
    rows = await transaction.execute(
        text(
            "select distinct territory, licence_types from playback.session "
            f"where title_id = :title_id and {_RUNS}"
        ),
        {"title_id": title_id, "now": now},
    )
    return [Asked(title_id, each.territory, tuple(each.licence_types)) for each in rows]


async def set_end(
    transaction: Transaction, asked: Asked, now: datetime, ends_at: datetime | None
) -> None:
    """Say when the plays that run by one right lose it."""
    await transaction.execute(
        text(
            "update playback.session set right_ends_at = :ends_at where title_id = :title_id "
            "and territory = :territory and licence_types = cast(:licence_types as text[]) "
            f"and {_RUNS}"
        ),
        {
            "title_id": asked.title_id,
            "territory": asked.territory,
            "licence_types": [*asked.licence_types],
            "now": now,
            "ends_at": ends_at,
        },
    )


async def set_end_of(
    transaction: Transaction, session_id: PlaySessionId, ends_at: datetime
) -> None:
    await transaction.execute(
        text("update playback.session set right_ends_at = :ends_at where session_id = :id"),
        {"id": session_id, "ends_at": ends_at},
    )


async def ended(transaction: Transaction, now: datetime, limit: int) -> list[PlaySessionId]:
    """Up to ``limit`` plays that run although their right has ended."""
    rows = await transaction.execute(
        text(
            f"select session_id from playback.session where {_RUNS} and right_ends_at <= :now "
            "order by right_ends_at limit :limit"
        ),
        {"now": now, "limit": limit},
    )
    return list(rows.scalars())
