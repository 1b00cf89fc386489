"""The use cases of experiments.

What runs is remembered for ``KNOWN_FOR_S``, so that a play costs no statement; a process that
starts or stops one knows at once.
"""

import asyncio

from cuemark.contexts.experiments import store
from cuemark.contexts.experiments.model import allocation, checks
from cuemark.contracts.experiments import (
    Allocate,
    Cells,
    Experiment,
    ExperimentPage,
    Experiments,
    ListExperiments,
    PutExperiment,
    StopExperiment,
    UnknownExperiment,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.pages import checked_limit, cursor_of, keys_of

RUN = "run"
KNOWN_FOR_S = 5.0


class ExperimentsService(Experiments):
    """Runs of experiments in PostgreSQL."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._running = Running(database, clock)

    async def put_experiment(self, request: PutExperiment) -> Experiment:
        checks.check(request)
        async with self._database.transaction() as transaction:
            running = await store.lock(transaction)
            for each in running:
                if each.name == request.name:
                    checks.check_unchanged(request, each)
                    return each
            started = Experiment(
                name=request.name,
                layer=request.layer,
                cells=request.cells,
                share_bp=request.share_bp,
                state="running",
                run_id=self._ids.new(RUN),
                first_bucket=checks.place_of(request, running),
                started_at=self._clock.now(),
            )
            await store.add(transaction, started)
        self._running.forget()
        return started

    async def stop_experiment(self, request: StopExperiment) -> Experiment:
        name = request.name.replace("\0", "")
        async with self._database.transaction() as transaction:
            await store.lock(transaction)
            await store.stop(transaction, name, self._clock.now())
            found = await store.last_of(transaction, name)
        self._running.forget()
        if found is None:
            raise UnknownExperiment("There is no experiment of this name.")
        return found

    async def list_experiments(self, request: ListExperiments) -> ExperimentPage:
        limit = checked_limit(request.limit)
        after = keys_of(request.after, 1)
        async with self._database.transaction() as transaction:
            found = await store.page(transaction, after[0] if after else "", limit + 1)
        page = found[:limit]
        more = len(found) > limit
        return ExperimentPage(
            experiments=page, next_cursor=cursor_of(page[-1].name) if more else ""
        )

    async def allocate(self, request: Allocate) -> Cells:
        checks.check_question(request)
        if request.at is None:
            running = await self._running.now()
        else:
            running = await store.running_at(self._database, request.at)
        return allocation.allocate(running, request.unit)


class Running:
    """The experiments that run, as this process knows them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._turn = asyncio.Lock()
        self._known: list[Experiment] | None = None
        self._read_s = 0.0
        self._changes = 0

    async def now(self) -> list[Experiment]:
        """At most ``KNOWN_FOR_S`` old; raises ``Unavailable``. One of many who ask reads them."""
        if (known := self._fresh()) is not None:
            return known
        async with self._turn:
            if (known := self._fresh()) is not None:
                return known
            changes, read_s = self._changes, self._clock.monotonic_s()
            known = await store.running_at(self._database, self._clock.now())
            # What changed while it was read may not be in it.
            if changes == self._changes:
                self._known, self._read_s = known, read_s
            return known

    def forget(self) -> None:
        self._known = None
        self._changes += 1

    def _fresh(self) -> list[Experiment] | None:
        late = self._clock.monotonic_s() - self._read_s >= KNOWN_FOR_S
        return None if late else self._known
