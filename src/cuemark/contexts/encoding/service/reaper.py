"""Who looks after the farm from the control process: lost workers, and what jobs leave lying."""

import asyncio

import structlog

from cuemark.contexts.encoding import store
from cuemark.contexts.encoding.model import fairness
from cuemark.contexts.encoding.model.fairness import Band
from cuemark.contexts.encoding.model.leases import LOOKS_S, Watch
from cuemark.contexts.encoding.service.jobs import remove_version
from cuemark.contexts.encoding.service.ledger import Ledger
from cuemark.contexts.encoding.store import jobs, queue, workers
from cuemark.contracts.encoding.events import TOPIC, WorkerLost
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log


class Reaper:
    """Gives the work of lost workers to others. Every control process has one; one at a time acts.

    That a worker which comes back does no harm has three reasons. DBOS records no step and no end
    of a workflow that has another owner. Results are named by what went into them and stored
    whole, so made twice they are the same. And at its next beat the worker hears that it was
    lost, and ends.
    """

    def __init__(
        self, database: Database, log: Log, clock: Clock, objects: Objects, ledger: Ledger
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._objects = objects
        self._ledger = ledger
        self._watch = Watch()
        self._unswept: set[str] = set()

    async def run(self) -> None:
        """Look for ever; a database that is away is waited for."""
        while True:
            try:
                await self.look()
            except Unavailable:
                structlog.get_logger().warning("reaper_waits")
            await asyncio.sleep(LOOKS_S)

    async def look(self) -> None:
        """Look once, and do what there is to do."""
        async with self._database.transaction() as transaction:
            known = await workers.beats(transaction)
            at_work = await queue.executors_at_work(transaction)
            bands = await queue.bands(transaction)
            dead = await queue.dead_titles(transaction)
            unswept = await jobs.unswept(transaction)
        beats = {name: beat for name, (beat, lost) in known.items() if not lost or name in at_work}
        beats |= {name: 0 for name in at_work if name not in known}
        for name in self._watch.look(self._clock.monotonic_s(), beats):
            await self._reap(name, beats[name])
        for version_id in dead:
            await self._fail(version_id)
        # Who has just taken a task tells of it a moment later: what is seen twice is swept.
        for version_id in self._unswept.intersection(unswept):
            await self._sweep(version_id)
        self._unswept = set(unswept)
        for place, band in bands.items():
            await self._renumber(place, band)

    async def _renumber(self, place: int, band: Band) -> None:
        """Begin the numbers of a band anew, where it is time to."""
        new = fairness.rebased(band)
        if new is None and not fairness.may_have_strays(band):
            return
        async with self._database.transaction() as transaction:
            if not await workers.may_reap(transaction):
                return
            if new is None:
                await queue.mend_strays(transaction, place)
            else:
                await queue.rebase(transaction, place, new)

    async def _reap(self, executor_id: str, last_beat: int) -> None:
        async with self._database.transaction() as transaction:
            if not await workers.may_reap(transaction):
                return
            host = await workers.declare_lost(transaction, executor_id, last_beat)
            if host is None:
                return
            given_back = await queue.give_back(transaction, executor_id)
            await workers.end_attempts(transaction, executor_id, told=False)
            await workers.forget_long_lost(transaction)
            event = WorkerLost(executor_id=executor_id, host=host, given_back=given_back)
            await self._log.append(transaction, TOPIC, executor_id, event)
        structlog.get_logger().warning(
            "worker_lost", executor_id=executor_id, host=host, given_back=given_back
        )

    async def _fail(self, version_id: str) -> None:
        async with self._database.transaction() as transaction:
            job = await store.find_job_row(transaction, version_id)
        if job is not None:
            await self._ledger.fail(
                job,
                "its workflow was begun too often, as workers ended while they had it: see the log",
            )

    async def _sweep(self, version_id: str) -> None:
        """Remove what a canceled job has packaged and not published, once nobody works for it."""
        async with self._database.transaction() as transaction:
            await jobs.lock_job(transaction, version_id)
            if await workers.holders(transaction, version_id):
                return
            if not await jobs.is_open(transaction, version_id):
                for each in await jobs.unpublished(transaction, version_id):
                    await asyncio.to_thread(remove_version, self._objects, each)
            await jobs.set_swept(transaction, version_id)
