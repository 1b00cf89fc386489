"""Two processes with clocks of their own write the progress of one title."""

from collections.abc import AsyncIterator

import pytest

from cuemark.contexts.viewers import wiring
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers import GetResumePoint, RecordProgress, Viewers
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from tests.databases import opened

PROFILE, TITLE = ProfileId("prf_a"), TitleId("ttl_a")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring) as database:
        yield database


def report(session: str, position_s: float) -> RecordProgress:
    return RecordProgress(
        profile_id=PROFILE,
        title_id=TITLE,
        session_id=PlaySessionId(session),
        sequence=1,
        position_s=position_s,
        duration_s=600.0,
    )


async def resume_s(viewers: Viewers) -> float:
    point = await viewers.get_resume_point(GetResumePoint(profile_id=PROFILE, title_id=TITLE))
    return point.position_s


async def test_what_is_reported_later_wins_though_its_clock_is_behind(database: Database) -> None:
    ahead, behind = ManualClock(), ManualClock()
    ahead.advance(30)
    first = wiring.build(database, ahead).service
    second = wiring.build(database, behind).service
    await first.record_progress(report("pls_television", 200.0))
    await second.record_progress(report("pls_telephone", 20.0))
    assert await resume_s(first) == 20.0
    await first.record_progress(report("pls_tablet", 300.0))
    assert await resume_s(second) == 300.0


async def test_a_clock_that_is_set_back_a_day_does_not_stop_the_resume_point(
    database: Database,
) -> None:
    before, after = ManualClock(), ManualClock()
    before.advance(24 * 3600)
    await wiring.build(database, before).service.record_progress(report("pls_television", 200.0))
    viewers = wiring.build(database, after).service
    await viewers.record_progress(report("pls_telephone", 20.0))
    assert await resume_s(viewers) == 20.0


async def test_a_process_that_starts_anew_knows_which_reports_were_late(
    database: Database,
) -> None:
    clock = ManualClock()
    await wiring.build(database, clock).service.record_progress(report("pls_television", 200.0))
    restarted = wiring.build(database, clock).service
    await restarted.record_progress(report("pls_television", 100.0))
    assert await resume_s(restarted) == 200.0
