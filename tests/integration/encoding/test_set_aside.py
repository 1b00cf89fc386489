"""Work that cannot be done: its log is kept, its job ends with a sentence that names the shots."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cuemark.contexts.encoding import store, wiring
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.setting_aside import MOST_CRASHES
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.contexts.encoding.workflow.patience import do_patiently
from cuemark.contexts.encoding.workflow.spending import begin
from cuemark.contexts.encoding.workflow.tasks import Parts, Task
from cuemark.contexts.licensing import wiring as licensing
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding.jobs import Job
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit import outbox
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.event_loop import EventLoopThread
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from tests.integration.encoding.conftest import Studio
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

JOB = VersionId("ver_1")
UNIT = "encode:ver_1-7"


@pytest.fixture
async def parts(database_url: str, studio: Studio, tmp_path: Path) -> AsyncIterator[Parts]:
    """What a worker works with, on a copy of the film that a test may damage."""
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(database_url, wiring.SCHEMA, wiring.MIGRATIONS)
    shutil.copytree(studio.shop.objects.root, tmp_path / "objects")
    clock, database = SystemClock(), Database(database_url, pool_size=2)
    job = JobRow(
        version_id=JOB,
        quick_version_id=VersionId("ver_0"),
        title_id=TitleId("ttl_1"),
        master_sha256=studio.sha256,
        captions=[],
        trace_id="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    inserting, loop = Database(database_url, pool_size=1), EventLoopThread()
    async with inserting.transaction() as transaction:
        await store.insert_job(transaction, job)
    await inserting.close()
    room = licensing.build(
        database=database, clock=clock, rights=Notary(clock), catalog=Films(clock), vault=vault_of()
    )
    yield Parts(
        shop=Workshop(Objects(tmp_path / "objects", "worker-1"), from_wheels()),
        ledger=Ledger(database, Log(clock), clock),
        licensing=room.service,
        clock=clock,
        loop=loop,
        manifests=lambda version: ManifestsOf(*manifests_of(version)),
        policy=wiring.policy_of({}),
        worker="worker-1",
    )
    loop.run(database.close())


def encode(studio: Studio) -> Task:
    """The second shot, at a size of its own."""
    return Task(
        kind="encode",
        version_id=JOB,
        stage="encode",
        urgency=Urgency.FULL,
        sha256=studio.sha256,
        chunk=studio.chunk_of_each_shot[1],
        recipe=Recipe(128, 72, 31.0, "ultrafast"),
        made_for="72 lines",
    )


async def job_in(database_url: str) -> Job:
    database = Database(database_url, pool_size=1)
    async with database.transaction() as transaction:
        (job,) = await store.find_jobs(transaction, version_id=JOB)
    await database.close()
    return job


async def test_the_log_of_a_tool_that_failed_is_kept_with_its_shots(
    parts: Parts, studio: Studio, database_url: str
) -> None:
    master = parts.shop.master(studio.sha256)
    master.write_bytes(master.read_bytes()[:2000])
    with pytest.raises(ToolFailed) as raised:
        do_patiently(parts, Hand(), encode(studio), UNIT)
    told = str(raised.value)
    assert told.startswith(
        "the shots from 0:00:01.2 to 0:00:02.4 could not be made (encode for 72 lines): ffmpeg "
    )
    failure = (await job_in(database_url)).failure
    assert failure is not None
    assert (failure.start, failure.end, failure.attempts) == (30, 60, 1)
    assert failure.worker == "worker-1"
    assert "ffmpeg" in failure.command[0]
    assert failure.exit_code not in (0, None)
    assert "moov atom not found" in failure.stderr


async def test_work_that_ended_its_workers_is_not_begun_once_more(
    parts: Parts, studio: Studio, database_url: str
) -> None:
    task = encode(studio)
    for _ in range(MOST_CRASHES):
        _, begun = begin(parts, task, UNIT)
        assert begun.wanted
    with pytest.raises(ToolFailed, match=f"{MOST_CRASHES} workers ended without a word"):
        do_patiently(parts, Hand(), task, UNIT)
    failure = (await job_in(database_url)).failure
    assert failure is not None
    assert (failure.attempts, failure.command, failure.exit_code) == (MOST_CRASHES, [], None)


async def test_one_crash_less_is_tried_again_and_done(parts: Parts, studio: Studio) -> None:
    task = encode(studio)
    for _ in range(MOST_CRASHES - 1):
        begin(parts, task, UNIT)
    key, cost = do_patiently(parts, Hand(), task, UNIT)
    assert parts.shop.has(key)
    assert cost.wall_s > 0
