"""What changed here, for other regions, and what changed there."""

from collections.abc import Sequence
from typing import TypeVar

from cuemark.contexts.viewers.model import checks
from cuemark.contexts.viewers.model.viewings import Seen, joined
from cuemark.contexts.viewers.store import changes, history, profiles, progress
from cuemark.contexts.viewers.store.kept import MY_LIST, RATINGS
from cuemark.contracts.ids import ProfileId, TitleId
from cuemark.contracts.viewers.exchange import (
    MOST_CHANGES,
    Applied,
    ApplyChanges,
    Change,
    ChangesPage,
    ErasureChange,
    ExportChanges,
    MyListChange,
    RatingChange,
    RemovalChange,
    SameRegion,
    ViewingChange,
)
from cuemark.kit.database import Database, Transaction
from cuemark.kit.hybrid_clock import HybridClock, Stamp
from cuemark.kit.pages import PageInvalid

T = TypeVar("T")


class Exchange:
    """Changes out by cursor, changes in by merging: nothing is told twice that was known."""

    def __init__(self, database: Database, stamps: HybridClock) -> None:
        self._database = database
        self._stamps = stamps

    async def export(self, request: ExportChanges) -> ChangesPage:
        if not 1 <= request.limit <= MOST_CHANGES:
            raise PageInvalid(f"A page has 1 to {MOST_CHANGES} changes, not {request.limit}.")
        async with self._database.transaction() as transaction:
            await changes.own(transaction)
        async with self._database.transaction() as transaction:
            found, cursor, more = await changes.page(transaction, request.after, request.limit)
        region = self._stamps.region
        return ChangesPage(region=region, changes=found, cursor=cursor, more=more)

    async def apply(self, request: ApplyChanges) -> Applied:
        if request.region == self._stamps.region:
            raise SameRegion(
                f"These changes come from a region that is called {request.region!r}, as this one "
                "is: give each region a name of its own, `region` in its settings."
            )
        if faults := checks.faults_in(request.changes, self._stamps):
            return Applied(taken=0, faults=faults)
        asked = sorted({change.profile_id for change in request.changes})
        async with self._database.transaction() as transaction:
            gone = await profiles.lock(transaction, asked)
            erased = {each.profile_id for each in _of(ErasureChange, request.changes)} - gone
            taken = await profiles.erase(transaction, sorted(erased)) if erased else 0
            left = [each for each in request.changes if each.profile_id not in gone | erased]
            taken += await _apply_viewings(transaction, left)
            for listed in _of(MyListChange, left):
                taken += await MY_LIST.put(transaction, listed)
            for rated in _of(RatingChange, left):
                taken += await RATINGS.put(transaction, rated)
        stamps = [each.stamp for each in left if not isinstance(each, ErasureChange)]
        if stamps:
            self._stamps.observe(Stamp.parsed(max(stamps)))
        return Applied(taken=taken)


async def _apply_viewings(transaction: Transaction, some: Sequence[Change]) -> int:
    """Merge what was seen and removed, title by title; how many changes were news."""
    told: dict[tuple[ProfileId, TitleId], list[ViewingChange | RemovalChange]] = {}
    for change in some:
        if isinstance(change, ViewingChange | RemovalChange):
            told.setdefault((change.profile_id, change.title_id), []).append(change)
    if not told:
        return 0
    taken = 0
    for (profile_id, title_id), known in (await changes.seen(transaction, list(told))).items():
        now = joined(known, told[profile_id, title_id])
        taken += await _put(transaction, profile_id, title_id, known, now)
    return taken


async def _put(
    transaction: Transaction, profile_id: ProfileId, title_id: TitleId, known: Seen, now: Seen
) -> int:
    if now == known:
        return 0
    news = [each for each in now.viewings.values() if known.viewings.get(each.session_id) != each]
    if now.removed != known.removed:
        removal = RemovalChange(profile_id=profile_id, title_id=title_id, stamp=now.removed)
        await changes.put_removal(transaction, removal)
    await history.put(transaction, news)
    await progress.put(transaction, profile_id, title_id, now.current)
    return len(news) + (now.removed != known.removed)


def _of(kind: type[T], some: Sequence[object]) -> list[T]:
    return [each for each in some if isinstance(each, kind)]
