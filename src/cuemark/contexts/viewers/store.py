"""All the SQL of the viewers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    MetaData,
    Table,
    Text,
    delete,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from cuemark.contracts.ids import ProfileId, TitleId
from cuemark.contracts.viewers import RecordProgress, Watching
from cuemark.kit.database import Transaction

SCHEMA = "viewers"

_metadata = MetaData(schema=SCHEMA)
_session = Table(
    "session",
    _metadata,
    Column("profile_id", Text, primary_key=True),
    Column("title_id", Text, primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("sequence", BigInteger),
    Column("position_s", Double),
    Column("reported_at", DateTime(timezone=True)),
)
_progress = Table(
    "progress",
    _metadata,
    Column("profile_id", Text, primary_key=True),
    Column("title_id", Text, primary_key=True),
    Column("resume_s", Double),
    Column("duration_s", Double),
    Column("watched_at", DateTime(timezone=True)),
)


CLOCK_SET_BACK = timedelta(minutes=1)
"""Reports overtake one another by seconds: what is later by more was noted by another clock."""


async def advance_session(
    transaction: Transaction, report: RecordProgress, position_s: float, now: datetime
) -> bool:
    """Note how far a session got; False where a report as late as this one was noted before."""
    row = insert(_session).values(
        profile_id=report.profile_id,
        title_id=report.title_id,
        session_id=report.session_id,
        sequence=report.sequence,
        position_s=position_s,
        reported_at=now,
    )
    noted = await transaction.execute(
        row.on_conflict_do_update(
            index_elements=["profile_id", "title_id", "session_id"],
            set_={
                "sequence": row.excluded.sequence,
                "position_s": row.excluded.position_s,
                "reported_at": row.excluded.reported_at,
            },
            where=_session.c.sequence < row.excluded.sequence,
        ).returning(_session.c.sequence)
    )
    return noted.one_or_none() is not None


async def put_progress(
    transaction: Transaction, report: RecordProgress, resume_s: float, now: datetime
) -> None:
    """Let the title go on from ``resume_s``, unless another session wrote at a later time."""
    row = insert(_progress).values(
        profile_id=report.profile_id,
        title_id=report.title_id,
        resume_s=resume_s,
        duration_s=report.duration_s,
        watched_at=now,
    )
    await transaction.execute(
        row.on_conflict_do_update(
            index_elements=["profile_id", "title_id"],
            set_={
                "resume_s": row.excluded.resume_s,
                "duration_s": row.excluded.duration_s,
                "watched_at": row.excluded.watched_at,
            },
            where=or_(
                _progress.c.watched_at <= row.excluded.watched_at,
                _progress.c.watched_at > row.excluded.watched_at + CLOCK_SET_BACK,
            ),
        )
    )


async def resume_s(transaction: Transaction, profile_id: ProfileId, title_id: TitleId) -> float:
    found = await transaction.execute(
        select(_progress.c.resume_s).where(
            _progress.c.profile_id == profile_id, _progress.c.title_id == title_id
        )
    )
    return float(found.scalar_one_or_none() or 0.0)


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
    query = (
        select(_progress)
        .where(_progress.c.profile_id == profile_id, *[_progress.c.resume_s > 0][: not ended])
        .order_by(_progress.c.watched_at.desc(), _progress.c.title_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(_progress.c.watched_at, _progress.c.title_id) < before)
    return [
        Watching(
            title_id=TitleId(row.title_id),
            position_s=row.resume_s,
            duration_s=row.duration_s,
            watched_at=row.watched_at,
        )
        for row in await transaction.execute(query)
    ]


async def erase(transaction: Transaction, profile_ids: Sequence[ProfileId]) -> None:
    """Delete all that is kept of these profiles."""
    for table in (_session, _progress):
        await transaction.execute(delete(table).where(table.c.profile_id.in_(profile_ids)))
