"""What work took, in the ledger: done, done twice, cut short, and still in hand."""

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import text

from cuemark.contexts.encoding import store, wiring
from cuemark.contexts.encoding.model.costs import Spent
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.store import JobRow, costs
from cuemark.contexts.encoding.store.costs import Attempt
from cuemark.contracts.encoding.jobs import Effort, Stage
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock
from cuemark.kit.cost import Cost, process_cpu_s
from cuemark.kit.database import Database, migrate
from cuemark.kit.outbox import Log
from tests.integration.encoding import working
from tests.integration.encoding.conftest import Studio
from tests.unit.playback.versions import version

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = VersionId("ver_1")
ENOUGH_S = 0.3


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(database_url, wiring.SCHEMA, wiring.MIGRATIONS)
    database = Database(database_url)
    await begin(database, JOB)
    yield database
    await database.close()


async def begin(database: Database, name: str, effort: Effort = "balanced") -> None:
    row = JobRow(
        version_id=VersionId(name),
        quick_version_id=VersionId(f"quick {name}"),
        title_id=TitleId("title"),
        master_sha256="",
        captions=[],
        trace_id="",
        created_at=NOW,
        effort=effort,
    )
    async with database.transaction() as transaction:
        await store.insert_job(transaction, row)
        assert await store.find_job_row(transaction, name) == row


def ledger(database: Database) -> Ledger:
    clock = ManualClock(NOW)
    return Ledger(database, Log(clock), clock)


def attempt(
    name: str, cpu_s: float, unit: str = "chunk", stage: Stage = "encode", written: int = 0
) -> Attempt:
    return Attempt(
        attempt_id=name,
        version_id=JOB,
        stage=stage,
        unit=unit,
        made_for="rung",
        begun_at=NOW,
        cost=Cost(2 * cpu_s, cpu_s),
        written_bytes=written,
    )


async def spent(database: Database) -> dict[tuple[str, str], float]:
    """What the job took, told twice of one moment: a worker may be writing."""
    async with database.transaction() as transaction:
        await transaction.execute(text("set transaction isolation level repeatable read"))
        found = await costs.spent_on(transaction, JOB)
        times = await costs.stage_times(transaction, JOB)
    assert_same_whole(found, [each.cpu_s for each in times])
    return {(each.stage, each.outcome): each.cpu_s for each in found}


def assert_same_whole(some: Sequence[Spent], of_stages: Sequence[float]) -> None:
    assert math.isclose(math.fsum(each.cpu_s for each in some), math.fsum(of_stages))


async def test_an_attempt_that_made_its_unit_counts_once(database: Database) -> None:
    now = ledger(database)
    await now.keep_attempt(attempt("a", 1), ended=False)
    assert await spent(database) == {("encode", "open"): 1}
    await now.keep_attempt(attempt("a", 3), ended=False)
    await now.finish_attempt(attempt("a", 4, written=7))
    assert await spent(database) == {("encode", "done"): 4}
    async with database.transaction() as transaction:
        (found,) = await costs.spent_on(transaction, JOB)
    assert (found.made_for, found.written_bytes) == ("rung", 7)


async def test_a_unit_that_is_begun_again_counts_what_the_first_attempt_took(
    database: Database,
) -> None:
    now = ledger(database)
    await now.keep_attempt(attempt("killed", 2), ended=False)
    await now.keep_attempt(attempt("second", 1), ended=False)
    assert await spent(database) == {("encode", "lost"): 2, ("encode", "open"): 1}
    await now.finish_attempt(attempt("second", 5))
    assert await spent(database) == {("encode", "lost"): 2, ("encode", "done"): 5}


async def test_a_unit_that_was_done_already_is_not_done_twice(database: Database) -> None:
    """Its worker died before it could say that the task was over."""
    now = ledger(database)
    await now.finish_attempt(attempt("first", 5))
    await now.keep_attempt(attempt("again", 1), ended=False)
    await now.finish_attempt(attempt("again", 1))
    assert await spent(database) == {("encode", "done"): 5, ("encode", "lost"): 1}
    async with database.transaction() as transaction:
        (stage,) = await costs.stage_times(transaction, JOB)
    assert (stage.units, stage.cpu_s, stage.lost_cpu_s) == (1, 6, 1)


async def test_another_units_attempt_is_not_ended(database: Database) -> None:
    now = ledger(database)
    await now.keep_attempt(attempt("one", 1, "chunk 1"), ended=False)
    await now.keep_attempt(attempt("other", 2, "chunk 2", "verify"), ended=False)
    assert await spent(database) == {("encode", "open"): 1, ("verify", "open"): 2}


async def test_a_title_costs_what_all_its_jobs_took(database: Database) -> None:
    now = ledger(database)
    await begin(database, "ver_2", "best")
    await now.finish_attempt(attempt("a", 4))
    await now.keep_attempt(attempt("b", 2, "other"), ended=True)
    async with database.transaction() as transaction:
        total = await costs.total_of(transaction, "title")
        nothing = await costs.total_of(transaction, "another title")
    assert (total.jobs, total.cpu_s) == (2, 6)
    assert (nothing.jobs, nothing.cpu_s) == (0, 0)


async def test_jobs_and_units_of_the_release_before_are_balanced_and_counted(
    database: Database,
) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(
            text(
                "insert into encoding.job (version_id, quick_version_id, title_id, master_sha256, "
                "captions, state, trace_id, created_at) "
                "values ('old', 'old quick', 'title', '', '[]', 'done', '', now())"
            )
        )
        await transaction.execute(
            text(
                "insert into encoding.unit (version_id, stage, unit, finished_at, wall_s, cpu_s) "
                "values ('old', 'encode', 'a', now(), 2, 1)"
            )
        )
        row = await store.find_job_row(transaction, "old")
        (found,) = await costs.spent_on(transaction, "old")
    assert row is not None
    assert row.effort == "balanced"
    assert (found.made_for, found.outcome, found.cpu_s) == ("", "done", 1)


async def test_a_published_version_knows_what_was_done_for_its_renditions(
    database: Database,
) -> None:
    now = ledger(database)
    film = msgspec.structs.replace(version(), version_id=JOB)
    row = await now.begin(JOB)
    await now.publish(row, film, {"attempt 2: 360 lines": "v360"})
    async with database.transaction() as transaction:
        found = await costs.rungs_of(
            transaction, {"quick": row.quick_version_id, "full": row.version_id}
        )
    assert found == {"quick": None, "full": {"attempt 2: 360 lines": "v360"}}


@pytest.mark.parametrize("how", ["publish", "fail"])
async def test_nothing_is_in_hand_of_a_job_that_is_over(database: Database, how: str) -> None:
    """The pipeline may have changed since a worker was killed, and its unit is never done."""
    now = ledger(database)
    await now.keep_attempt(attempt("killed", 2), ended=False)
    row = await now.begin(JOB)
    if how == "publish":
        quick = msgspec.structs.replace(version(), version_id=row.quick_version_id)
        await now.publish(row, quick)
        assert await spent(database) == {("encode", "open"): 2}
        await now.publish(row, msgspec.structs.replace(version(), version_id=JOB))
    else:
        await now.fail(row, "no film")
    assert await spent(database) == {("encode", "lost"): 2}


async def test_a_worker_that_is_killed_takes_no_cost_with_it(
    database: Database, database_url: str, studio: Studio
) -> None:
    def work(preset: str, lines: int) -> subprocess.Popen[bytes]:
        module = "tests.integration.encoding.working"
        root = str(studio.shop.objects.root)
        argv = [sys.executable, "-m", module, database_url, root, studio.sha256, preset, str(lines)]
        return subprocess.Popen(argv, start_new_session=True)

    killed = work("veryslow", 540)
    until_s = time.monotonic() + 60
    try:
        while (await spent(database)).get(("encode", "open"), 0.0) < ENOUGH_S:
            assert time.monotonic() < until_s, "its attempt is on record while it works"
            assert killed.poll() is None
            await asyncio.sleep(0.1)
    finally:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    assert work("ultrafast", 72).wait(60) == 0
    found = await spent(database)
    assert set(found) == {("encode", "lost"), ("encode", "done")}
    assert found["encode", "lost"] >= ENOUGH_S
    assert found["encode", "done"] > 0
    async with database.transaction() as transaction:
        done = [each for each in await costs.spent_on(transaction, JOB) if each.outcome == "done"]
    assert done[0].made_for == working.MADE_FOR
    assert done[0].written_bytes > 0


def test_the_cpu_of_a_child_counts_while_it_runs() -> None:
    before_s = process_cpu_s()
    spin = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        until_s = time.monotonic() + 20
        while process_cpu_s() - before_s < 0.3:
            assert time.monotonic() < until_s
            time.sleep(0.05)
    finally:
        os.kill(spin.pid, signal.SIGKILL)
        spin.wait()
    assert process_cpu_s() - before_s >= 0.3, "nor is it forgotten when it has ended"
