"""Viewers: reports of progress come in, resume points and lists go out."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from cuemark.contexts.viewers.model import progress as model
from cuemark.contexts.viewers.model.checks import check_ids
from cuemark.contexts.viewers.service.exchange import Exchange
from cuemark.contexts.viewers.store import history, profiles, progress
from cuemark.contexts.viewers.store.kept import MY_LIST, RATINGS, Change, Kept, standings
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.identity.profiles import ProfileDeleted
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId, WorkId
from cuemark.contracts.viewers import (
    GetResumePoint,
    ListWatching,
    ProgressRecorded,
    RecordProgress,
    ResumePoint,
    Viewers,
    WatchingPage,
)
from cuemark.contracts.viewers.exchange import (
    Applied,
    ApplyChanges,
    ChangesPage,
    ExportChanges,
    MyListChange,
    RatingChange,
    ViewingChange,
)
from cuemark.contracts.viewers.history import (
    ClearHistory,
    HistoryCleared,
    HistoryPage,
    ListHistory,
    RemoveFromHistory,
)
from cuemark.contracts.viewers.lists import (
    MOST_LISTED,
    MOST_STANDINGS,
    AddToMyList,
    DescribeStanding,
    Listed,
    ListFull,
    ListMyList,
    ListRatings,
    MyListChanged,
    MyListPage,
    Rate,
    Rated,
    RatingPage,
    RatingSet,
    RemoveFromMyList,
    RemoveRating,
    Standings,
    ViewingInvalid,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.hybrid_clock import HybridClock, Stamp, StampInvalid
from cuemark.kit.outbox import Entry
from cuemark.kit.pages import PageInvalid, checked_limit, cursor_of, keys_of

T = TypeVar("T")


class ViewersService(Viewers):
    """Within a playback session the highest sequence counts; between sessions, the last stamp.

    A report that was overtaken by one of its own session changes nothing, even where another
    session has watched the title in between. Whatever replaces a row is stamped after it.
    """

    def __init__(self, database: Database, clock: Clock, stamps: HybridClock) -> None:
        self._database = database
        self._clock = clock
        self._stamps = stamps
        self._exchange = Exchange(database, stamps)

    async def record_progress(self, request: RecordProgress) -> ProgressRecorded:
        position_s = model.checked_position_s(request)
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            kept = await progress.lock(transaction, request.profile_id, request.title_id)
            if kept is None:
                return ProgressRecorded()
            viewing = ViewingChange(
                profile_id=request.profile_id,
                title_id=request.title_id,
                session_id=request.session_id,
                sequence=request.sequence,
                position_s=position_s,
                duration_s=request.duration_s,
                watched_at=now,
                stamp=self._stamped(max(kept.stamp, kept.removed)),
                since=kept.removed,
            )
            if await history.advance(transaction, viewing):
                await progress.put(transaction, request.profile_id, request.title_id, viewing)
        return ProgressRecorded()

    async def get_resume_point(self, request: GetResumePoint) -> ResumePoint:
        if not (model.is_id(request.profile_id) and model.is_id(request.title_id)):
            return ResumePoint(position_s=0.0)
        resume_s = await progress.resume_s(self._database, request.profile_id, request.title_id)
        return ResumePoint(position_s=resume_s)

    async def list_watching(self, request: ListWatching) -> WatchingPage:
        limit = checked_limit(request.limit)
        before = _before(request.after, TitleId)
        if not model.is_id(request.profile_id):
            return WatchingPage(titles=[])
        async with self._database.transaction() as transaction:
            titles = await progress.watching(
                transaction, request.profile_id, before, limit + 1, ended=request.ended
            )
        page = titles[:limit]
        if len(titles) == len(page):
            return WatchingPage(titles=page)
        last = page[-1]
        cursor = cursor_of(last.watched_at.isoformat(), last.title_id)
        return WatchingPage(titles=page, next_cursor=cursor)

    async def list_history(self, request: ListHistory) -> HistoryPage:
        limit = checked_limit(request.limit)
        before = _before(request.after, PlaySessionId)
        check_ids(request.profile_id)
        async with self._database.transaction() as transaction:
            found = await history.page(transaction, request.profile_id, before, limit + 1)
        page = found[:limit]
        if len(found) == len(page):
            return HistoryPage(viewings=page)
        last = page[-1]
        cursor = cursor_of(last.watched_at.isoformat(), last.session_id)
        return HistoryPage(viewings=page, next_cursor=cursor)

    async def remove_from_history(self, request: RemoveFromHistory) -> HistoryCleared:
        check_ids(request.profile_id, request.title_id)
        return await self._remove(request.profile_id, request.title_id)

    async def clear_history(self, request: ClearHistory) -> HistoryCleared:
        check_ids(request.profile_id)
        return await self._remove(request.profile_id)

    async def add_to_my_list(self, request: AddToMyList) -> MyListChanged:
        return await self._put_on_list(request.profile_id, request.work_id, listed=True)

    async def remove_from_my_list(self, request: RemoveFromMyList) -> MyListChanged:
        return await self._put_on_list(request.profile_id, request.work_id, listed=False)

    async def list_my_list(self, request: ListMyList) -> MyListPage:
        found, cursor = await self._kept(MY_LIST, request)
        return MyListPage(
            works=[
                Listed(work_id=each.work_id, added_at=Stamp.parsed(each.stamp).at) for each in found
            ],
            next_cursor=cursor,
        )

    async def rate(self, request: Rate) -> RatingSet:
        return await self._put_rating(request.profile_id, request.work_id, request.rating)

    async def remove_rating(self, request: RemoveRating) -> RatingSet:
        return await self._put_rating(request.profile_id, request.work_id, "")

    async def list_ratings(self, request: ListRatings) -> RatingPage:
        found, cursor = await self._kept(RATINGS, request)
        return RatingPage(
            works=[
                Rated(
                    work_id=each.work_id,
                    rating=each.rating,
                    rated_at=Stamp.parsed(each.stamp).at,
                )
                for each in found
                if each.rating
            ],
            next_cursor=cursor,
        )

    async def describe_standing(self, request: DescribeStanding) -> Standings:
        if not 1 <= len(request.work_ids) <= MOST_STANDINGS:
            raise ViewingInvalid(f"Ask for 1 to {MOST_STANDINGS} works at once.")
        check_ids(request.profile_id, *request.work_ids)
        async with self._database.transaction() as transaction:
            found = await standings(transaction, request.profile_id, request.work_ids)
        return Standings(standings=found)

    async def export_changes(self, request: ExportChanges) -> ChangesPage:
        return await self._exchange.export(request)

    async def apply_changes(self, request: ApplyChanges) -> Applied:
        return await self._exchange.apply(request)

    async def _remove(
        self, profile_id: ProfileId, title_id: TitleId | None = None
    ) -> HistoryCleared:
        async with self._database.transaction() as transaction:
            watched = await history.watched(transaction, profile_id, title_id)
            if watched:
                stamp = self._stamped(max(watched.values()))
                await history.remove(transaction, profile_id, list(watched), stamp)
        return HistoryCleared(titles=len(watched))

    async def _kept(
        self, kept: Kept[Change], request: ListMyList | ListRatings
    ) -> tuple[list[Change], str]:
        """A page of what is kept, and the cursor of the next."""
        limit, before = checked_limit(request.limit), _stamp_before(request.after)
        check_ids(request.profile_id)
        async with self._database.transaction() as transaction:
            found = await kept.page(transaction, request.profile_id, before, limit + 1)
        page = found[:limit]
        more = len(found) > limit
        return page, cursor_of(page[-1].stamp, page[-1].work_id) if more else ""

    async def _put_on_list(
        self, profile_id: ProfileId, work_id: WorkId, *, listed: bool
    ) -> MyListChanged:
        check_ids(profile_id, work_id)
        async with self._database.transaction() as transaction:
            if await profiles.lock(transaction, [profile_id]):
                return MyListChanged(changed=False)
            known = await MY_LIST.found(transaction, profile_id, work_id)
            if listed == (known is not None and known.listed):
                return MyListChanged(changed=False)
            if listed:
                await _check_room(transaction, profile_id)
            change = MyListChange(
                profile_id=profile_id,
                work_id=work_id,
                listed=listed,
                stamp=self._stamped(known.stamp if known else ""),
            )
            return MyListChanged(changed=await MY_LIST.put(transaction, change))

    async def _put_rating(
        self,
        profile_id: ProfileId,
        work_id: WorkId,
        rating: Literal["", "down", "up", "love"],
    ) -> RatingSet:
        check_ids(profile_id, work_id)
        async with self._database.transaction() as transaction:
            if await profiles.lock(transaction, [profile_id]):
                return RatingSet(changed=False)
            known = await RATINGS.found(transaction, profile_id, work_id)
            if rating == (known.rating if known else ""):
                return RatingSet(changed=False)
            change = RatingChange(
                profile_id=profile_id,
                work_id=work_id,
                rating=rating,
                stamp=self._stamped(known.stamp if known else ""),
            )
            return RatingSet(changed=await RATINGS.put(transaction, change))

    def _stamped(self, seen: str) -> str:
        """A stamp for what replaces a row with the stamp ``seen``, empty for none."""
        stamp = self._stamps.stamp_after(Stamp.parsed(seen)) if seen else self._stamps.stamp()
        return str(stamp)


async def follow(transaction: Transaction, entry: Entry) -> None:
    """Erase what is kept of an account or a profile that is no more. Reading an entry again changes
    nothing."""
    if entry.kind == AccountDeleted.__name__:
        deleted = msgspec.json.decode(entry.body, type=AccountDeleted)
        await profiles.erase(transaction, deleted.profile_ids)
    elif entry.kind == ProfileDeleted.__name__:
        gone = msgspec.json.decode(entry.body, type=ProfileDeleted)
        await profiles.erase(transaction, [gone.profile_id])


async def _check_room(transaction: Transaction, profile_id: ProfileId) -> None:
    if await MY_LIST.count(transaction, profile_id) >= MOST_LISTED:
        raise ListFull(f"A list has at most {MOST_LISTED} titles: take one off first.")


def _before(cursor: str, id_of: Callable[[str], T]) -> tuple[datetime, T] | None:
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    try:
        watched_at = datetime.fromisoformat(keys[0])
    except ValueError as error:
        raise PageInvalid("The cursor is not one of this list.") from error
    if watched_at.tzinfo is None:
        raise PageInvalid("The cursor is not one of this list.")
    return watched_at, id_of(keys[1])


def _stamp_before(cursor: str) -> tuple[str, ...] | None:
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    try:
        Stamp.parsed(keys[0])
    except StampInvalid as error:
        raise PageInvalid("The cursor is not one of this list.") from error
    return keys
