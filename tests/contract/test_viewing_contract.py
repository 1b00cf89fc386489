"""What every caller may rely on of history, my list and ratings, and of what regions exchange."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest

from cuemark.contexts.viewers import wiring
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId, WorkId
from cuemark.contracts.viewers import (
    GetResumePoint,
    ListWatching,
    RecordProgress,
    Viewers,
)
from cuemark.contracts.viewers.exchange import (
    MOST_CHANGES,
    ApplyChanges,
    Change,
    ErasureChange,
    ExportChanges,
    MyListChange,
    RatingChange,
    RemovalChange,
    SameRegion,
    ViewingChange,
)
from cuemark.contracts.viewers.history import ClearHistory, ListHistory, RemoveFromHistory
from cuemark.contracts.viewers.lists import (
    MOST_LISTED,
    AddToMyList,
    DescribeStanding,
    ListFull,
    ListMyList,
    ListRatings,
    Rate,
    Rating,
    RemoveFromMyList,
    RemoveRating,
    Standing,
    ViewingInvalid,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.hybrid_clock import Stamp
from cuemark.kit.pages import PageInvalid, cursor_of
from tests.contract.conftest import Reach
from tests.databases import opened

ADA, BEN = ProfileId("prf_ada"), ProfileId("prf_ben")
FILM, SHOW = WorkId("ttl_film"), WorkId("ser_show")
BAD = ("", "a\0b", "' or 1=1 --", "x" * 100_000, "ttl_é")


@dataclass(frozen=True)
class House:
    viewers: Viewers
    clock: ManualClock

    async def watch(
        self, position_s: float, sequence: int = 1, *, title: str = FILM, session: str = "pls_a"
    ) -> None:
        self.clock.advance(1)
        await self.viewers.record_progress(
            RecordProgress(
                profile_id=ADA,
                title_id=TitleId(title),
                session_id=PlaySessionId(session),
                sequence=sequence,
                position_s=position_s,
                duration_s=600.0,
            )
        )

    async def resume_s(self, title: str = FILM) -> float:
        asked = GetResumePoint(profile_id=ADA, title_id=TitleId(title))
        return (await self.viewers.get_resume_point(asked)).position_s

    async def history(self, profile: ProfileId = ADA) -> list[tuple[str, float]]:
        page = await self.viewers.list_history(ListHistory(profile_id=profile))
        return [(each.title_id, each.position_s) for each in page.viewings]

    async def forget(self, title: str = FILM) -> int:
        self.clock.advance(1)
        asked = RemoveFromHistory(profile_id=ADA, title_id=TitleId(title))
        return (await self.viewers.remove_from_history(asked)).titles

    async def add(self, work: str, profile: ProfileId = ADA) -> bool:
        self.clock.advance(1)
        asked = AddToMyList(profile_id=profile, work_id=WorkId(work))
        return (await self.viewers.add_to_my_list(asked)).changed

    async def take_off(self, work: str) -> bool:
        asked = RemoveFromMyList(profile_id=ADA, work_id=WorkId(work))
        return (await self.viewers.remove_from_my_list(asked)).changed

    async def my_list(self, profile: ProfileId = ADA) -> list[str]:
        page = await self.viewers.list_my_list(ListMyList(profile_id=profile))
        return [each.work_id for each in page.works]

    async def rate(self, rating: Rating, work: str = FILM) -> bool:
        self.clock.advance(1)
        asked = Rate(profile_id=ADA, work_id=WorkId(work), rating=rating)
        return (await self.viewers.rate(asked)).changed

    async def ratings(self, profile: ProfileId = ADA) -> list[tuple[str, str]]:
        page = await self.viewers.list_ratings(ListRatings(profile_id=profile))
        return [(each.work_id, each.rating) for each in page.works]

    def stamp(self, ahead_s: float = 0.0) -> str:
        at = self.clock.now() + timedelta(seconds=ahead_s)
        return str(Stamp(round(at.timestamp() * 1e6), 7, "elsewhere"))

    async def apply(self, *changes: Change) -> int:
        asked = ApplyChanges(region="elsewhere", changes=list(changes))
        applied = await self.viewers.apply_changes(asked)
        assert applied.faults == []
        return applied.taken

    async def exported(self, limit: int = MOST_CHANGES) -> list[Change]:
        found: list[Change] = []
        cursor, more = "", True
        while more:
            page = await self.viewers.export_changes(ExportChanges(after=cursor, limit=limit))
            assert page.region == wiring.HERE
            found += page.changes
            cursor, more = page.cursor, page.more
        return found

    def viewing(self, position_s: float = 100.0) -> ViewingChange:
        return ViewingChange(
            profile_id=ADA,
            title_id=TitleId(FILM),
            session_id=PlaySessionId("pls_there"),
            sequence=3,
            position_s=position_s,
            duration_s=600.0,
            watched_at=self.clock.now(),
            stamp=self.stamp(),
        )


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring) as database:
        clock = ManualClock()
        yield House(await reach(Viewers, wiring.build(database, clock).service), clock)


async def test_the_history_has_each_viewing_that_was_more_than_a_glance(house: House) -> None:
    await house.watch(100.0, session="pls_a")
    await house.watch(3.0, title="ttl_glance", session="pls_b")
    await house.watch(590.0, title="ttl_ended", session="pls_c")
    await house.watch(50.0, session="pls_d")
    assert await house.history() == [(FILM, 50.0), ("ttl_ended", 590.0), (FILM, 100.0)]
    assert await house.history(BEN) == []


async def test_the_history_comes_in_pages_the_latest_first(house: House) -> None:
    for number in range(5):
        await house.watch(100.0, title=f"ttl_{number}", session=f"pls_{number}")
    seen: list[str] = []
    after = ""
    for _ in range(3):
        page = await house.viewers.list_history(ListHistory(profile_id=ADA, after=after, limit=2))
        seen += [each.title_id for each in page.viewings]
        after = page.next_cursor
    assert (after, seen) == ("", [f"ttl_{number}" for number in (4, 3, 2, 1, 0)])


async def test_what_is_removed_is_gone_from_the_history_and_from_what_goes_on(
    house: House,
) -> None:
    await house.watch(100.0, session="pls_a")
    await house.watch(200.0, session="pls_b")
    await house.watch(300.0, title="ttl_other", session="pls_c")
    assert await house.forget() == 1
    assert await house.history() == [("ttl_other", 300.0)]
    assert await house.resume_s() == 0.0
    page = await house.viewers.list_watching(ListWatching(profile_id=ADA, ended=True))
    assert [each.title_id for each in page.titles] == ["ttl_other"]
    assert await house.forget() == 0
    assert await house.forget("ttl_never") == 0


async def test_what_is_watched_after_its_removal_is_there_again(house: House) -> None:
    await house.watch(100.0, 9)
    await house.forget()
    await house.watch(40.0, 1)
    assert await house.history() == [(FILM, 40.0)]
    assert await house.resume_s() == 40.0


async def test_the_whole_history_can_be_cleared_and_nobody_elses(house: House) -> None:
    for title in ("ttl_1", "ttl_2"):
        await house.watch(100.0, title=title)
    await house.add(FILM, BEN)
    cleared = await house.viewers.clear_history(ClearHistory(profile_id=ADA))
    assert cleared.titles == 2
    assert await house.history() == []
    assert (await house.viewers.clear_history(ClearHistory(profile_id=BEN))).titles == 0
    assert await house.my_list(BEN) == [FILM]


async def test_my_list_has_what_was_added_last_first_and_nothing_twice(house: House) -> None:
    assert [await house.add(each) for each in (FILM, SHOW, FILM)] == [True, True, False]
    assert await house.my_list() == [SHOW, FILM]
    assert [await house.take_off(each) for each in (SHOW, SHOW, "ttl_never")] == [
        True,
        False,
        False,
    ]
    assert await house.my_list() == [FILM]
    assert await house.add(SHOW)
    assert await house.my_list() == [SHOW, FILM]
    assert await house.my_list(BEN) == []


async def test_a_list_is_bounded_also_where_all_add_at_once(house: House) -> None:
    changes: list[Change] = [
        MyListChange(profile_id=ADA, work_id=WorkId(f"ttl_{n}"), listed=True, stamp=house.stamp())
        for n in range(MOST_LISTED - 2)
    ]
    assert await house.apply(*changes) == MOST_LISTED - 2
    found = await asyncio.gather(
        *(house.add(f"ttl_new{n}") for n in range(8)), return_exceptions=True
    )
    assert sum(each is True for each in found) == 2
    assert sum(isinstance(each, ListFull) for each in found) == 6
    await house.take_off("ttl_1")
    assert await house.add("ttl_late")


async def test_a_rating_is_the_last_that_was_given_and_can_be_taken_back(house: House) -> None:
    assert [await house.rate("up"), await house.rate("up"), await house.rate("love")] == [
        True,
        False,
        True,
    ]
    await house.rate("down", SHOW)
    assert await house.ratings() == [(SHOW, "down"), (FILM, "love")]
    removed = RemoveRating(profile_id=ADA, work_id=FILM)
    assert (await house.viewers.remove_rating(removed)).changed
    assert not (await house.viewers.remove_rating(removed)).changed
    assert await house.ratings() == [(SHOW, "down")]
    assert await house.ratings(BEN) == []


async def test_how_a_profile_stands_to_many_works_is_told_at_once(house: House) -> None:
    await house.add(FILM)
    await house.rate("love")
    await house.rate("down", SHOW)
    asked = DescribeStanding(profile_id=ADA, work_ids=[SHOW, WorkId("ttl_none"), FILM])
    assert (await house.viewers.describe_standing(asked)).standings == [
        Standing(work_id=SHOW, rating="down"),
        Standing(work_id=WorkId("ttl_none")),
        Standing(work_id=FILM, listed=True, rating="love"),
    ]
    for count in (0, 201):
        with pytest.raises(ViewingInvalid):
            await house.viewers.describe_standing(
                DescribeStanding(profile_id=ADA, work_ids=[FILM] * count)
            )


async def test_lists_and_ratings_come_in_pages(house: House) -> None:
    names = [f"ttl_{n}" for n in range(5)]
    for name in names:
        await house.add(name)
        await house.rate("up", name)
    listed: list[str] = []
    rated: list[str] = []
    after = after_rated = ""
    for _ in range(3):
        page = await house.viewers.list_my_list(ListMyList(profile_id=ADA, after=after, limit=2))
        listed += [each.work_id for each in page.works]
        ratings = await house.viewers.list_ratings(
            ListRatings(profile_id=ADA, after=after_rated, limit=2)
        )
        rated += [each.work_id for each in ratings.works]
        after, after_rated = page.next_cursor, ratings.next_cursor
    assert (listed, rated, after, after_rated) == (names[::-1], names[::-1], "", "")


async def test_ids_and_cursors_that_cannot_be_are_refused(house: House) -> None:
    viewers = house.viewers
    for bad in BAD:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda bad=bad: house.add(bad),  # type: ignore[misc]
            lambda bad=bad: house.take_off(bad),  # type: ignore[misc]
            lambda bad=bad: house.rate("up", bad),  # type: ignore[misc]
            lambda bad=bad: house.forget(bad),  # type: ignore[misc]
            lambda bad=bad: house.history(bad),  # type: ignore[misc]
            lambda bad=bad: house.my_list(bad),  # type: ignore[misc]
            lambda bad=bad: house.ratings(bad),  # type: ignore[misc]
        ]
        for call in calls:
            with pytest.raises(ViewingInvalid):
                await call()
    for after in ("x", cursor_of("a"), cursor_of("soon", "ttl_a"), cursor_of("2026-01-01", "a")):
        with pytest.raises(PageInvalid):
            await viewers.list_my_list(ListMyList(profile_id=ADA, after=after))
        with pytest.raises(PageInvalid):
            await viewers.list_ratings(ListRatings(profile_id=ADA, after=after))
        with pytest.raises(PageInvalid):
            await viewers.list_history(ListHistory(profile_id=ADA, after=after))
        with pytest.raises(PageInvalid):
            await viewers.export_changes(ExportChanges(after=after))
    for limit in (0, MOST_CHANGES + 1):
        with pytest.raises(PageInvalid):
            await viewers.export_changes(ExportChanges(limit=limit))


async def test_changes_are_exported_by_cursor_each_thing_as_it_was_changed_last(
    house: House,
) -> None:
    await house.watch(10.0, 1)
    await house.watch(100.0, 2)
    await house.add(FILM)
    first = await house.viewers.export_changes(ExportChanges())
    assert sorted(type(each).__name__ for each in first.changes) == [
        "MyListChange",
        "ViewingChange",
    ]
    viewing = next(each for each in first.changes if isinstance(each, ViewingChange))
    assert (viewing.sequence, viewing.position_s) == (2, 100.0)
    nothing = await house.viewers.export_changes(ExportChanges(after=first.cursor))
    assert (nothing.changes, nothing.cursor, nothing.more) == ([], first.cursor, False)
    await house.rate("up")
    await house.forget()
    then = await house.viewers.export_changes(ExportChanges(after=first.cursor))
    assert [type(each) for each in then.changes] == [RatingChange, RemovalChange]


async def test_small_pages_tell_the_same_changes_as_a_large_one(house: House) -> None:
    for n in range(4):
        await house.watch(100.0, title=f"ttl_{n}")
        await house.add(f"ttl_{n}")
        await house.rate("up", f"ttl_{n}")
    await house.viewers.clear_history(ClearHistory(profile_id=ADA))
    await house.watch(100.0)
    everything = await house.exported()
    assert len(everything) == 13
    for limit in (1, 2, 5, 13):
        assert await house.exported(limit) == everything


async def test_changes_of_elsewhere_are_merged_and_news_only_once(house: House) -> None:
    viewing = house.viewing()
    listed = MyListChange(profile_id=ADA, work_id=SHOW, listed=True, stamp=house.stamp())
    rated = RatingChange(profile_id=ADA, work_id=SHOW, rating="love", stamp=house.stamp())
    assert await house.apply(viewing, listed, rated, viewing) == 3
    assert await house.apply(rated, viewing, listed) == 0
    assert (await house.resume_s(), await house.my_list()) == (100.0, [SHOW])
    assert await house.ratings() == [(SHOW, "love")]
    await house.watch(20.0)
    assert await house.resume_s() == 20.0
    stale = msgspec.structs.replace(rated, rating="", stamp=house.stamp(ahead_s=-100))
    assert await house.apply(stale) == 0
    assert await house.ratings() == [(SHOW, "love")]


async def test_what_is_written_after_news_from_a_clock_that_is_ahead_still_counts(
    house: House,
) -> None:
    ahead = RatingChange(profile_id=ADA, work_id=FILM, rating="down", stamp=house.stamp(ahead_s=30))
    await house.apply(ahead)
    assert await house.rate("love")
    assert await house.ratings() == [(FILM, "love")]


async def test_a_batch_with_a_fault_is_refused_whole_and_each_fault_is_told_with_its_place(
    house: House,
) -> None:
    good = MyListChange(profile_id=ADA, work_id=FILM, listed=True, stamp=house.stamp())
    viewing = house.viewing()
    replace = msgspec.structs.replace
    changes: list[Change] = [
        good,
        replace(good, stamp=house.stamp(ahead_s=61)),
        replace(good, stamp="yesterday"),
        replace(good, work_id=WorkId("../x")),
        replace(viewing, position_s=700.0),
        replace(viewing, duration_s=0.0),
        replace(viewing, sequence=-1),
        replace(viewing, since=house.stamp(ahead_s=1)),
        replace(viewing, watched_at=house.clock.now() + timedelta(days=1)),
        ErasureChange(profile_id=ProfileId("")),
        viewing,
    ]
    asked = ApplyChanges(region="elsewhere", changes=changes)
    applied = await house.viewers.apply_changes(asked)
    assert applied.taken == 0
    assert [fault.place for fault in applied.faults] == list(range(1, 10))
    assert "ahead of the clock" in applied.faults[0].wrong
    assert (await house.my_list(), await house.resume_s()) == ([], 0.0)
    too_many = ApplyChanges(region="elsewhere", changes=[good] * (MOST_CHANGES + 1))
    with pytest.raises(ViewingInvalid):
        await house.viewers.apply_changes(too_many)


async def test_a_region_of_the_same_name_is_refused(house: House) -> None:
    with pytest.raises(SameRegion, match="`region`"):
        await house.viewers.apply_changes(ApplyChanges(region=wiring.HERE, changes=[]))


async def test_an_erased_profile_is_gone_here_and_stays_so_whatever_comes_later(
    house: House,
) -> None:
    await house.watch(100.0)
    await house.add(FILM)
    await house.rate("up")
    rows = await house.exported()
    assert len(rows) == 3
    assert await house.apply(ErasureChange(profile_id=ADA)) == 1
    assert await house.apply(ErasureChange(profile_id=ADA), *rows) == 0
    await house.watch(100.0)
    assert not await house.add(FILM)
    assert not await house.rate("up")
    assert (await house.history(), await house.my_list(), await house.ratings()) == ([], [], [])
    assert await house.exported() == [ErasureChange(profile_id=ADA)]
