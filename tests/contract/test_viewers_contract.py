"""What every caller of the viewers may rely on, however they are reached."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from cuemark.contexts.viewers import wiring
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers import (
    GetResumePoint,
    ListWatching,
    ProgressInvalid,
    RecordProgress,
    Viewers,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid, cursor_of
from tests.contract.conftest import Reach
from tests.databases import opened

DURATION_S = 600.0


@dataclass(frozen=True)
class House:
    """The viewers as their callers see them, with the clock behind them."""

    viewers: Viewers
    clock: ManualClock

    async def report(
        self,
        position_s: float,
        sequence: int,
        *,
        session: str = "pls_a",
        title: str = "ttl_a",
        profile: str = "prf_a",
        duration_s: float = DURATION_S,
    ) -> None:
        self.clock.advance(1)
        await self.viewers.record_progress(
            RecordProgress(
                profile_id=ProfileId(profile),
                title_id=TitleId(title),
                session_id=PlaySessionId(session),
                sequence=sequence,
                position_s=position_s,
                duration_s=duration_s,
            )
        )

    async def resume_s(self, *, profile: str = "prf_a", title: str = "ttl_a") -> float:
        request = GetResumePoint(profile_id=ProfileId(profile), title_id=TitleId(title))
        return (await self.viewers.get_resume_point(request)).position_s

    async def watching(self, profile: str = "prf_a") -> list[str]:
        page = await self.viewers.list_watching(ListWatching(profile_id=ProfileId(profile)))
        return [watching.title_id for watching in page.titles]


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring) as database:
        clock = ManualClock()
        yield House(await reach(Viewers, wiring.build(database, clock).service), clock)


async def test_a_title_goes_on_where_it_stopped(house: House) -> None:
    assert await house.resume_s() == 0.0
    await house.report(100.0, 1)
    await house.report(123.456, 2)
    assert await house.resume_s() == 123.456


async def test_a_late_report_of_an_earlier_moment_changes_nothing(house: House) -> None:
    await house.report(200.0, 5)
    await house.report(100.0, 4)
    await house.report(150.0, 5)
    assert await house.resume_s() == 200.0


async def test_going_back_in_the_film_is_progress_too(house: House) -> None:
    await house.report(200.0, 1)
    await house.report(50.0, 2)
    assert await house.resume_s() == 50.0


async def test_between_sessions_the_last_writer_wins(house: House) -> None:
    await house.report(200.0, 90, session="pls_television")
    await house.report(20.0, 1, session="pls_telephone")
    assert await house.resume_s() == 20.0


async def test_a_session_that_was_overtaken_does_not_come_back_with_an_old_report(
    house: House,
) -> None:
    await house.report(200.0, 7, session="pls_television")
    await house.report(20.0, 1, session="pls_telephone")
    await house.report(190.0, 6, session="pls_television")
    assert await house.resume_s() == 20.0
    await house.report(210.0, 8, session="pls_television")
    assert await house.resume_s() == 210.0


async def test_reports_that_arrive_all_at_once_leave_the_highest_sequence(house: House) -> None:
    await asyncio.gather(*(house.report(10.0 + n, n) for n in range(40)))
    assert await house.resume_s() == 49.0


async def test_a_film_that_was_seen_to_its_end_begins_anew(house: House) -> None:
    await house.report(300.0, 1)
    assert await house.watching() == ["ttl_a"]
    await house.report(571.0, 2)
    assert await house.resume_s() == 0.0
    assert await house.watching() == []


async def test_profiles_do_not_see_one_another(house: House) -> None:
    await house.report(100.0, 1, profile="prf_a")
    assert await house.resume_s(profile="prf_b") == 0.0
    assert await house.watching("prf_b") == []


async def test_the_list_has_the_latest_first_over_pages(house: House) -> None:
    for number in range(7):
        await house.report(100.0, 1, title=f"ttl_{number}")
    await house.report(101.0, 2, title="ttl_3")
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = await house.viewers.list_watching(
            ListWatching(profile_id=ProfileId("prf_a"), after=cursor, limit=2)
        )
        seen += [watching.title_id for watching in page.titles]
        cursor = page.next_cursor
    assert cursor == ""
    assert seen == ["ttl_3", "ttl_6", "ttl_5", "ttl_4", "ttl_2", "ttl_1", "ttl_0"]


async def test_a_position_outside_the_film_is_refused(house: House) -> None:
    for position_s, duration_s in [(-0.1, 600), (603, 600), (1, 0), (1, -5), (1, 1e9), (1e300, 9)]:
        with pytest.raises(ProgressInvalid):
            await house.report(position_s, 1, duration_s=duration_s)
    for sequence in (-1, 2**63):
        with pytest.raises(ProgressInvalid):
            await house.report(10.0, sequence)
    assert await house.watching() == []


async def test_a_position_that_is_no_number_is_never_recorded(house: House) -> None:
    with pytest.raises(Refusal):
        await house.report(math.nan, 1)
    assert await house.resume_s() == 0.0


async def test_an_id_of_no_form_is_refused_or_names_nothing(house: House) -> None:
    for bad in ("", "a\0b", "' or 1=1 --", "x" * 1_000_000, "ttl_é"):
        with pytest.raises(ProgressInvalid):
            await house.report(10.0, 1, title=bad)
        assert await house.resume_s(title=bad) == 0.0
        assert await house.watching(bad) == []


async def test_a_page_that_cannot_be_is_refused(house: House) -> None:
    profile_id = ProfileId("prf_a")
    for cursor in ("x", cursor_of("a"), cursor_of("soon", "ttl_a"), cursor_of("2026-01-01", "t")):
        with pytest.raises(PageInvalid):
            await house.viewers.list_watching(ListWatching(profile_id=profile_id, after=cursor))
    with pytest.raises(PageInvalid):
        await house.viewers.list_watching(ListWatching(profile_id=profile_id, limit=0))
