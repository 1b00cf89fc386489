"""Viewers: reports of progress come in, resume points and lists go out."""

from datetime import datetime

import msgspec

from cuemark.contexts.viewers import model, store
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.ids import TitleId
from cuemark.contracts.viewers import (
    GetResumePoint,
    ListWatching,
    ProgressRecorded,
    RecordProgress,
    ResumePoint,
    Viewers,
    WatchingPage,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.outbox import Entry
from cuemark.kit.pages import PageInvalid, checked_limit, cursor_of, keys_of


class ViewersService(Viewers):
    """Within a playback session the highest sequence counts; between sessions, the latest time.

    A report that was overtaken by one of its own session changes nothing, even where another
    session has watched the title in between.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record_progress(self, request: RecordProgress) -> ProgressRecorded:
        position_s = model.checked_position_s(request)
        resume_s = model.resume_s(position_s, request.duration_s)
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            if await store.advance_session(transaction, request, position_s, now):
                await store.put_progress(transaction, request, resume_s, now)
        return ProgressRecorded()

    async def get_resume_point(self, request: GetResumePoint) -> ResumePoint:
        if not (model.is_id(request.profile_id) and model.is_id(request.title_id)):
            return ResumePoint(position_s=0.0)
        async with self._database.autocommit() as transaction:
            resume_s = await store.resume_s(transaction, request.profile_id, request.title_id)
        return ResumePoint(position_s=resume_s)

    async def list_watching(self, request: ListWatching) -> WatchingPage:
        limit = checked_limit(request.limit)
        before = _before(request.after)
        if not model.is_id(request.profile_id):
            return WatchingPage(titles=[])
        async with self._database.transaction() as transaction:
            titles = await store.watching(
                transaction, request.profile_id, before, limit + 1, ended=request.ended
            )
        page = titles[:limit]
        if len(titles) == len(page):
            return WatchingPage(titles=page)
        last = page[-1]
        cursor = cursor_of(last.watched_at.isoformat(), last.title_id)
        return WatchingPage(titles=page, next_cursor=cursor)


async def follow(transaction: Transaction, entry: Entry) -> None:
    """Erase what is kept of an account that is no more. Reading an entry again changes nothing."""
    if entry.kind == AccountDeleted.__name__:
        deleted = msgspec.json.decode(entry.body, type=AccountDeleted)
        await store.erase(transaction, deleted.profile_ids)


def _before(cursor: str) -> tuple[datetime, TitleId] | None:
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    try:
        watched_at = datetime.fromisoformat(keys[0])
    except ValueError as error:
        raise PageInvalid("The cursor is not one of this list.") from error
    if watched_at.tzinfo is None:
        raise PageInvalid("The cursor is not one of this list.")
    return watched_at, TitleId(keys[1])
