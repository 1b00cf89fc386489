"""Two regions write at once, and hear of one another late, doubled and in any order."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from cuemark.contexts.viewers import wiring
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId, WorkId
from cuemark.contracts.viewers import GetResumePoint, RecordProgress, Viewers
from cuemark.contracts.viewers.exchange import (
    ApplyChanges,
    Change,
    ErasureChange,
    ExportChanges,
    ViewingChange,
)
from cuemark.contracts.viewers.history import ClearHistory, RemoveFromHistory
from cuemark.contracts.viewers.lists import (
    AddToMyList,
    Rate,
    Rating,
    RemoveFromMyList,
    RemoveRating,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.hybrid_clock import Stamp
from cuemark.kit.pages import cursor_of, keys_of
from tests.databases import opened

TABLES = {
    "session": "profile_id, title_id, session_id, sequence, position_s, duration_s, reported_at, "
    "since, stamp",
    "progress": "profile_id, title_id, resume_s, duration_s, watched_at, stamp, removed",
    "my_list": "profile_id, work_id, listed, stamp",
    "rating": "profile_id, work_id, rating, stamp",
    "erased": "profile_id",
}
PROFILES, TITLES, SESSIONS = ("prf_a", "prf_a", "prf_b"), ("ttl_a", "ttl_b"), ("pls_a", "pls_b")

SEEDS, STEPS = 12, 60
MOST_APART_S = 50.0
"""Regions whose clocks are further apart do not believe one another."""


class Region:
    """One region: its viewers, its database, and all that it has ever exported."""

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self.database = database
        self.clock = ManualClock()
        self.viewers: Viewers = wiring.build(self.database, self.clock, self.name).service
        self.cursor = ""
        self.sent: list[list[Change]] = []

    async def write(self, request: Any) -> None:
        methods: dict[object, Callable[[Any], Awaitable[object]]] = {
            RecordProgress: self.viewers.record_progress,
            RemoveFromHistory: self.viewers.remove_from_history,
            ClearHistory: self.viewers.clear_history,
            AddToMyList: self.viewers.add_to_my_list,
            RemoveFromMyList: self.viewers.remove_from_my_list,
            Rate: self.viewers.rate,
            RemoveRating: self.viewers.remove_rating,
        }
        await methods[type(request)](request)

    async def export(self, limit: int = 3) -> list[list[Change]]:
        """What changed since it was asked for last, in batches."""
        batches, more = [], True
        while more:
            asked = ExportChanges(after=self.cursor, limit=limit)
            page = await self.viewers.export_changes(asked)
            batches.append(page.changes)
            self.cursor, more = page.cursor, page.more
        self.sent += batches
        return batches

    async def hear(self, source: "Region", batch: list[Change]) -> int:
        applied = await self.viewers.apply_changes(ApplyChanges(region=source.name, changes=batch))
        assert applied.faults == []
        return applied.taken

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """What is kept, but for rows of titles of which nothing is."""
        found = {}
        async with self.database.transaction() as transaction:
            for table, columns in TABLES.items():
                kept = "stamp <> '' or removed <> ''" if table == "progress" else "true"
                asked = f"select {columns} from viewers.{table} where {kept} order by {columns}"
                found[table] = [tuple(row) for row in await transaction.execute(text(asked))]
        return found


@dataclass(frozen=True)
class Two:
    runner: asyncio.Runner
    regions: dict[str, Region]


@pytest.fixture
def two(database_url: str, other_database_url: str) -> Iterator[Two]:
    """The regions, in a loop of their own."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:

        def close(database: contextlib.AbstractAsyncContextManager[Database]) -> None:
            runner.run(closed(database))

        regions = {}
        for name, url in (("east", database_url), ("west", other_database_url)):
            database = opened(url, wiring)
            regions[name] = Region(name, runner.run(entered(database)))
            stack.callback(close, database)
        yield Two(runner, regions)


async def entered(database: contextlib.AbstractAsyncContextManager[Database]) -> Database:
    return await database.__aenter__()


async def closed(database: contextlib.AbstractAsyncContextManager[Database]) -> None:
    await database.__aexit__(None, None, None)


def other_than(regions: dict[str, Region], name: str) -> Region:
    return regions["west" if name == "east" else "east"]


async def settle(regions: dict[str, Region], rng: random.Random) -> None:
    """Each hears all that the other ever said, shuffled and half of it twice."""
    for name, region in regions.items():
        source = other_than(regions, name)
        await source.export()
        batches = [*source.sent, *rng.sample(source.sent, len(source.sent) // 2)]
        rng.shuffle(batches)
        for batch in batches:
            await region.hear(source, rng.sample(batch, len(batch)))


def drawn(rng: random.Random) -> Any:
    """What somebody asks of a region."""
    profile, title = ProfileId(rng.choice(PROFILES)), TitleId(rng.choice(TITLES))
    work = WorkId(title)
    ratings: list[Rating] = ["down", "up", "love"]
    report = RecordProgress(
        profile_id=profile,
        title_id=title,
        session_id=PlaySessionId(rng.choice(SESSIONS)),
        sequence=rng.randrange(6),
        position_s=rng.uniform(0, 600),
        duration_s=600.0,
    )
    others = [
        RemoveFromHistory(profile_id=profile, title_id=title),
        ClearHistory(profile_id=profile),
        AddToMyList(profile_id=profile, work_id=work),
        RemoveFromMyList(profile_id=profile, work_id=work),
        Rate(profile_id=profile, work_id=work, rating=rng.choice(ratings)),
        RemoveRating(profile_id=profile, work_id=work),
    ]
    return report if rng.random() < 0.6 else rng.choice(others)


async def live(regions: dict[str, Region], rng: random.Random) -> None:
    """Members write in both, clocks go as they go, and here and there a batch is heard."""
    for _ in range(STEPS):
        region, source = rng.sample(list(regions.values()), 2)
        apart_s = (region.clock.now() - source.clock.now()).total_seconds()
        step = rng.random()
        if step < 0.6:
            await region.write(drawn(rng))
        elif step < 0.8 and apart_s < MOST_APART_S:
            region.clock.jump(rng.uniform(-1, 5))
        elif step >= 0.8:
            await source.export()
            await region.hear(source, rng.choice(source.sent))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_two_regions_write_and_however_they_hear_of_it_both_keep_the_same(
    two: Two, seed: int
) -> None:
    regions, rng = two.regions, random.Random(seed)

    async def trial() -> None:
        await live(regions, rng)
        await settle(regions, rng)
        assert await regions["east"].rows() == await regions["west"].rows()
        for name, region in regions.items():
            source = other_than(regions, name)
            source.cursor = ""
            again = [await region.hear(source, batch) for batch in await source.export()]
            assert sum(again) == 0

    two.runner.run(trial())


def report(session: str, sequence: int, position_s: float) -> RecordProgress:
    return RecordProgress(
        profile_id=ProfileId("prf_a"),
        title_id=TitleId("ttl_a"),
        session_id=PlaySessionId(session),
        sequence=sequence,
        position_s=position_s,
        duration_s=600.0,
    )


async def resume_s(region: Region) -> float:
    asked = GetResumePoint(profile_id=ProfileId("prf_a"), title_id=TitleId("ttl_a"))
    return (await region.viewers.get_resume_point(asked)).position_s


def test_a_film_goes_on_in_one_region_where_it_stopped_in_the_other(two: Two) -> None:
    east, west = two.regions["east"], two.regions["west"]

    async def trial() -> None:
        await east.write(report("pls_television", 50, 300.0))
        for batch in await east.export():
            await west.hear(east, batch)
        assert await resume_s(west) == 300.0
        await west.write(report("pls_telephone", 1, 320.0))
        for batch in await west.export():
            await east.hear(west, batch)
        assert await resume_s(east) == 320.0

    two.runner.run(trial())


def test_a_session_that_moves_to_another_region_does_not_fall_back_there(two: Two) -> None:
    east, west = two.regions["east"], two.regions["west"]

    async def trial() -> None:
        await east.write(report("pls_a", 5, 300.0))
        west.clock.advance(10)
        await west.write(report("pls_a", 4, 290.0))
        assert await resume_s(west) == 290.0
        for batch in await east.export():
            await west.hear(east, batch)
        for batch in await west.export():
            await east.hear(west, batch)
        assert (await resume_s(east), await resume_s(west)) == (300.0, 300.0)

    two.runner.run(trial())


def test_an_erased_profile_is_erased_in_the_other_region(two: Two) -> None:
    east, west = two.regions["east"], two.regions["west"]

    async def trial() -> None:
        await west.write(report("pls_a", 5, 300.0))
        await east.viewers.apply_changes(
            ApplyChanges(region="north", changes=[ErasureChange(profile_id=ProfileId("prf_a"))])
        )
        for batch in await east.export():
            await west.hear(east, batch)
        rows = await west.rows()
        assert rows.pop("erased") == [("prf_a",)]
        assert not any(rows.values())

    two.runner.run(trial())


def test_changes_of_a_transaction_that_still_runs_are_told_once_it_is_over(two: Two) -> None:
    east = two.regions["east"]

    async def trial() -> None:
        async with east.database.transaction() as transaction:
            await transaction.execute(text("insert into viewers.erased values ('prf_late')"))
            await east.write(report("pls_a", 1, 300.0))
            before = await east.viewers.export_changes(ExportChanges())
            assert before.changes == []
        after = await east.viewers.export_changes(ExportChanges(after=before.cursor))
        assert [type(each).__name__ for each in after.changes] == ["ErasureChange", "ViewingChange"]

    two.runner.run(trial())


def test_a_database_that_was_restored_elsewhere_tells_all_of_it_again(two: Two) -> None:
    east, west = two.regions["east"], two.regions["west"]

    async def trial() -> None:
        await east.write(report("pls_a", 1, 300.0))
        page = await east.viewers.export_changes(ExportChanges())
        ahead = "set xid = ((pg_current_xact_id()::text::bigint + 1000000)::text)::xid8"
        async with east.database.transaction() as transaction:
            await transaction.execute(text(f"update viewers.session {ahead}"))
        again = await east.viewers.export_changes(ExportChanges(after=page.cursor))
        assert again.changes == page.changes
        keys = keys_of(page.cursor, 6)
        assert keys is not None
        other = cursor_of("7" * 19, "999999999", *keys[2:])
        assert (await east.viewers.export_changes(ExportChanges(after=other))).changes
        assert await west.hear(east, again.changes) == 1

    two.runner.run(trial())


def test_a_clock_far_ahead_is_not_believed_by_the_other_region(two: Two) -> None:
    east, west = two.regions["east"], two.regions["west"]

    async def trial() -> None:
        east.clock.advance(3600)
        await east.write(report("pls_a", 1, 300.0))
        page = await east.viewers.export_changes(ExportChanges())
        asked = ApplyChanges(region="east", changes=page.changes)
        applied = await west.viewers.apply_changes(asked)
        assert [fault.place for fault in applied.faults] == [0]
        assert await resume_s(west) == 0.0
        await west.write(report("pls_b", 1, 20.0))
        kept = (await west.viewers.export_changes(ExportChanges())).changes[0]
        assert isinstance(kept, ViewingChange)
        assert Stamp.parsed(kept.stamp).at - west.clock.now() < timedelta(seconds=1)

    two.runner.run(trial())
