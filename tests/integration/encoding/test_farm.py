"""The farm's rows in PostgreSQL: who is lost, what is given back, whose turn it is."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dbos import DBOSClient
from sqlalchemy import text

from cuemark.contexts.encoding import store, wiring
from cuemark.contexts.encoding.model import fairness, queues
from cuemark.contexts.encoding.model.fairness import TAGS, Band
from cuemark.contexts.encoding.model.leases import LEASE_S
from cuemark.contexts.encoding.model.setting_aside import MOST_CRASHES
from cuemark.contexts.encoding.service.ledger import Ledger
from cuemark.contexts.encoding.service.reaper import Reaper
from cuemark.contexts.encoding.store import JobRow, costs, jobs, queue, workers
from cuemark.contexts.encoding.store.costs import Attempt
from cuemark.contexts.encoding.store.workers import WorkerRow
from cuemark.contracts.encoding.farm import InHand
from cuemark.contracts.encoding.jobs import Priority
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock
from cuemark.kit.cost import Cost
from cuemark.kit.database import Database, migrate
from cuemark.kit.errors import Unavailable
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = VersionId("ver_1")
WORKER = WorkerRow(executor_id="HOST-1", host="host", slot=1, pid=77)


class House:
    """One open job, its workflow and its tasks, on a farm of which only the rows are there."""

    def __init__(self, url: str, database: Database, objects: Objects) -> None:
        self.database, self.objects, self.clock = database, objects, ManualClock(NOW)
        self.client = DBOSClient(system_database_url=url, dbos_system_schema=wiring.WORKFLOW_SCHEMA)
        self.ledger = Ledger(database, Log(self.clock), self.clock)
        self.reaper = self.another_reaper()
        self._numbers = itertools.count(1)

    def another_reaper(self) -> Reaper:
        return Reaper(self.database, Log(self.clock), self.clock, self.objects, self.ledger)

    async def ingest(self, name: str = JOB, priority: Priority = "normal") -> JobRow:
        row = JobRow(
            version_id=VersionId(name),
            quick_version_id=VersionId(f"{name}_quick"),
            title_id=TitleId("title"),
            master_sha256="",
            captions=[],
            trace_id="",
            created_at=NOW,
            priority=priority,
        )
        async with self.database.transaction() as transaction:
            await store.insert_job(transaction, row)
        await self.workflow(name, queues.TITLE_QUEUE, 1)
        return await self.ledger.begin(name)

    async def workflow(
        self, name: str, where: str, number: int, parent: str | None = None, owner: str = ""
    ) -> str:
        """Put a workflow on its queue; with an ``owner``, one that was taken from it."""
        self.client.enqueue(
            {
                "queue_name": where,
                "workflow_name": "encoding.task",
                "workflow_id": name,
                "priority": number,
            }
        )
        await self.execute(
            "update dbos.workflow_status set parent_workflow_id = :parent, "
            "executor_id = :owner, owner_xid = :owner, "
            "status = case when :owner = '' then 'ENQUEUED' else 'PENDING' end "
            "where workflow_uuid = :name",
            parent=parent,
            owner=owner,
            name=name,
        )
        return name

    async def task(self, number: int = 1, owner: str = "", job: str = JOB) -> str:
        name = f"{job}-{next(self._numbers)}"
        return await self.workflow(name, queues.TASK_QUEUE, number, job, owner)

    async def execute(self, statement: str, **values: object) -> None:
        async with self.database.transaction() as transaction:
            await transaction.execute(text(statement), values)

    async def status(self, name: str) -> tuple[str, str | None, int]:
        """Status, owner and number of a workflow."""
        async with self.database.transaction() as transaction:
            found = await transaction.execute(
                text(
                    "select status, owner_xid, priority from dbos.workflow_status "
                    "where workflow_uuid = :name"
                ),
                {"name": name},
            )
            row = found.one()
            return row[0], row[1], row[2]

    async def look_for(self, seconds: float, reaper: Reaper | None = None) -> None:
        for _ in range(int(seconds) + 1):
            await (reaper or self.reaper).look()
            self.clock.advance(1)

    async def state_of(self, executor_id: str) -> str | None:
        async with self.database.transaction() as transaction:
            found = await workers.states(transaction)
        return {each.executor_id: each.state for each in found}.get(executor_id)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(database_url, wiring.SCHEMA, wiring.MIGRATIONS)
    wiring.migrate_workflows(database_url)
    database = Database(database_url)
    house = House(database_url, database, Objects(tmp_path, "test"))
    await house.ingest()
    yield house
    house.client.destroy()
    await database.close()


def in_hand(job: str = JOB) -> InHand:
    return InHand(
        version_id=VersionId(job), kind="encode", stage="encode", made_for="", since_s=1.0
    )


def attempt(name: str, worker: str = "HOST-1") -> Attempt:
    return Attempt(
        attempt_id=name,
        version_id=JOB,
        stage="encode",
        unit="chunk",
        made_for="",
        begun_at=NOW,
        cost=Cost(1.0, 1.0),
        worker=worker,
    )


async def test_the_work_of_a_silent_worker_is_given_back_once_its_lease_is_over(
    house: House,
) -> None:
    heard = await house.ledger.beat(WORKER, in_hand())
    assert (heard.lost, heard.wanted) == (False, True)
    mine, waits = await house.task(5, "HOST-1"), await house.task(9)
    others = await house.task(7, "HOST-2")
    beating = WorkerRow(executor_id="HOST-2", host="host", slot=2, pid=78)
    for _ in range(int(LEASE_S)):
        await house.ledger.beat(beating, None)
        await house.look_for(0)
    assert await house.status(mine) == ("PENDING", "HOST-1", 5)
    await house.ledger.beat(beating, None)
    await house.look_for(0)
    assert await house.status(mine) == ("ENQUEUED", None, 5), "it has kept its turn"
    assert await house.status(others) == ("PENDING", "HOST-2", 7)
    assert await house.status(waits) == ("ENQUEUED", "", 9)
    assert await house.state_of("HOST-1") == "lost"
    async with house.database.transaction() as transaction:
        found = await transaction.execute(
            text("select body->>'given_back' from log.event where kind = 'WorkerLost'")
        )
        assert found.scalars().all() == ["1"]


async def test_a_worker_that_comes_back_hears_that_it_was_lost_and_its_successor_does_not(
    house: House,
) -> None:
    await house.ledger.beat(WORKER, None)
    await house.task(5, "HOST-1")
    await house.look_for(LEASE_S)
    assert (await house.ledger.beat(WORKER, None)).lost
    assert await house.state_of("HOST-1") == "idle"
    await house.look_for(LEASE_S)
    assert await house.state_of("HOST-1") == "lost"
    anew = WorkerRow(executor_id="HOST-1", host="host", slot=1, pid=99)
    assert not (await house.ledger.beat(anew, None)).lost


async def test_work_of_a_worker_that_never_was_heard_is_given_back(house: House) -> None:
    """As where an install has fewer workers than before, or the database has lost its beats."""
    orphan = await house.task(5, "worker-9")
    await house.look_for(LEASE_S)
    assert (await house.status(orphan))[0] == "ENQUEUED"


async def test_a_worker_that_hangs_with_its_row_locked_is_lost_all_the_same(
    house: House, database_url: str
) -> None:
    await house.ledger.beat(WORKER, None)
    orphan = await house.task(5, "HOST-1")
    hanging = Database(database_url, idle_s=0.2)

    async def hang() -> None:
        async with hanging.transaction() as transaction:
            await workers.beat(transaction, WORKER, None)
            await house.look_for(LEASE_S)
            await transaction.execute(text("select 1"))

    with pytest.raises(Unavailable):
        await hang()
    assert (await house.status(orphan))[0] == "ENQUEUED"
    assert await house.state_of("HOST-1") == "lost"
    await hanging.close()


async def test_two_reapers_give_the_same_work_back_once(house: House) -> None:
    await house.ledger.beat(WORKER, None)
    task, other = await house.task(5, "HOST-1"), house.another_reaper()
    for _ in range(int(LEASE_S) + 1):
        await house.reaper.look()
        await other.look()
        house.clock.advance(1)
    await house.execute(
        "update dbos.workflow_status set status = 'PENDING', executor_id = 'HOST-2', "
        "owner_xid = 'HOST-2' where workflow_uuid = :name",
        name=task,
    )
    await house.ledger.beat(WorkerRow(executor_id="HOST-2", host="h", slot=2, pid=1), None)
    await other.look()
    assert await house.status(task) == ("PENDING", "HOST-2", 5)


async def test_a_worker_that_is_told_to_stop_gives_its_work_back_at_once(house: House) -> None:
    await house.ledger.beat(WORKER, in_hand())
    task = await house.task(5, "HOST-1")
    await house.ledger.begin_attempt(attempt("one"), 2, 0)
    await house.ledger.leave("HOST-1")
    assert (await house.status(task))[0] == "ENQUEUED"
    assert await house.state_of("HOST-1") is None
    begun = await house.ledger.begin_attempt(attempt("two"), 2, 0)
    assert (begun.attempts, begun.crashes) == (2, 0), "it was no crash"


async def test_attempts_are_counted_before_they_begin_and_crashes_are_those_without_a_word(
    house: House,
) -> None:
    for number in range(MOST_CRASHES):
        begun = await house.ledger.begin_attempt(attempt(f"crash {number}"), 2, 0)
        assert (begun.wanted, begun.crashes) == (True, number)
    await house.ledger.keep_attempt(attempt("crash 0"), ended=True)
    begun = await house.ledger.begin_attempt(attempt("next"), 2, 0)
    assert begun.crashes == MOST_CRASHES - 1, "the first has told of its end in the meantime"


async def test_a_try_on_request_begins_to_count_anew(house: House) -> None:
    await house.ledger.begin_attempt(attempt("crash"), 2, 0)
    async with house.database.transaction() as transaction:
        await jobs.set_canceled(transaction, JOB, "anna", "canceled by anna")
    assert not (await house.ledger.begin_attempt(attempt("late"), 2, 0)).wanted
    assert not (await house.ledger.beat(WORKER, in_hand())).wanted
    async with house.database.transaction() as transaction:
        await jobs.set_again(transaction, JOB)
    begun = await house.ledger.begin_attempt(attempt("again"), 2, 0)
    assert (begun.wanted, begun.attempts, begun.crashes) == (True, 1, 0)


async def test_a_walk_from_before_neither_publishes_nor_fails_a_job_that_was_begun_again(
    house: House,
) -> None:
    before = await house.ledger.begin(JOB)
    async with house.database.transaction() as transaction:
        await jobs.set_canceled(transaction, JOB, "anna", "canceled by anna")
        await jobs.set_again(transaction, JOB)
    await house.ledger.fail(before, "it failed")
    async with house.database.transaction() as transaction:
        assert await jobs.is_open(transaction, JOB, before.tries + 1)
        assert not await jobs.is_open(transaction, JOB, before.tries)


async def test_a_canceled_job_is_swept_once_nobody_works_for_it(house: House) -> None:
    house.objects.put(f"versions/{JOB}/index.json", b"{}")
    await house.ledger.beat(WORKER, in_hand())
    async with house.database.transaction() as transaction:
        await jobs.set_canceled(transaction, JOB, "anna", "canceled by anna")
    await house.look_for(3)
    assert house.objects.exists(f"versions/{JOB}")
    await house.ledger.beat(WORKER, None)
    await house.look_for(1)
    assert not house.objects.exists(f"versions/{JOB}")
    async with house.database.transaction() as transaction:
        assert await jobs.unswept(transaction) == []


async def test_a_job_whose_workflow_was_given_up_fails(house: House) -> None:
    await house.execute(
        "update dbos.workflow_status set status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED' "
        "where workflow_uuid = :name",
        name=JOB,
    )
    await house.reaper.look()
    async with house.database.transaction() as transaction:
        (job,) = await store.find_jobs(transaction, version_id=JOB)
    assert job.state == "failed"
    assert "begun too often" in job.error


async def test_what_waits_of_a_title_is_moved_into_the_bands_of_its_new_priority(
    house: House,
) -> None:
    normal = fairness.band_of("normal", fairness.Urgency.FULL)
    premiere = fairness.band_of("premiere", fairness.Urgency.FULL)
    waits, begun = await house.task(normal * TAGS + 50), await house.task(normal * TAGS, "HOST-1")
    async with house.database.transaction() as transaction:
        shift = fairness.shift(Band(base=0, now=40), Band(base=1000, now=1007))
        await queue.move(transaction, JOB, "premiere", {normal: (premiere, shift)})
    assert (await house.status(waits))[2] == premiere * TAGS + 17
    assert (await house.status(begun))[2] == normal * TAGS, "what is in hand is left alone"
    assert (await house.status(JOB))[2] == queues.title_number("premiere")


async def test_virtual_time_goes_forward_only_and_its_numbers_begin_anew(house: House) -> None:
    place = 3
    first, last = await house.task(place * TAGS + 5), await house.task(place * TAGS + TAGS // 2 + 9)
    elsewhere = await house.task((place + 1) * TAGS + 7)
    async with house.database.transaction() as transaction:
        await queue.advance(transaction, place, TAGS // 2)
        await queue.advance(transaction, place, 17)
    await house.reaper.look()
    async with house.database.transaction() as transaction:
        bands = await queue.bands(transaction)
    assert bands[place] == Band(base=TAGS // 2, now=TAGS // 2)
    numbers = [(await house.status(each))[2] for each in (first, last, elsewhere)]
    assert numbers == [place * TAGS, place * TAGS + 9, (place + 1) * TAGS + 7]
    stray = await house.task(place * TAGS + TAGS // 2 + 12)
    await house.reaper.look()
    await house.reaper.look()
    found = [(await house.status(each))[2] for each in (stray, first, last, elsewhere)]
    assert found == [place * TAGS + 12, *numbers], "what was numbered a moment before comes home"


async def test_what_tasks_took_beyond_their_estimate_is_charged_to_their_title(
    house: House,
) -> None:
    await house.ledger.begin_attempt(attempt("a"), 2, 30)
    await house.ledger.finish_attempt(attempt("a"), estimate_s=0.25)
    standing = await house.ledger.standing(JOB)
    assert standing.overrun_s == pytest.approx(0.75)
    assert standing.bands == {2: Band(base=0, now=30)}


async def test_progress_is_told_by_tenths(house: House) -> None:
    await house.ledger.plan(JOB, "probes", 40)
    for number in range(40):
        await house.ledger.finish(JOB, "probes", f"unit {number}")
        await house.ledger.finish(JOB, "probes", f"unit {number}")
    async with house.database.transaction() as transaction:
        found = await transaction.execute(
            text(
                "select (body->>'percent')::integer from log.event "
                "where kind = 'JobProgressed' order by position"
            )
        )
        assert found.scalars().all() == list(range(10, 101, 10))
        assert await costs.total_of(transaction, "title")
