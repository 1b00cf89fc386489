"""The functions at work: each has its own place in the log, and its own slots.

A function that hangs holds up its own runs alone. What it waits for is the log itself: at most
``MOST_WAITING`` runs of it are taken from there at a time. All that is decided is in PostgreSQL
before it is done, so whoever is killed is found out at the next start.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from cuemark.contexts.functions import store
from cuemark.contexts.functions.model import retrying
from cuemark.contexts.functions.model.header import Bound, FunctionInvalid
from cuemark.contexts.functions.store import Due, Standing
from cuemark.contexts.functions.tools import running
from cuemark.contexts.functions.tools.running import Happened
from cuemark.contexts.functions.tools.shelf import Shelf
from cuemark.contexts.functions.workflow.giving import Giver, NotGiven
from cuemark.contracts.functions import TOPIC, RunDied
from cuemark.kit.boxing import Outcome
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Refusal, Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Entry, Follower, Log
from cuemark.kit.tracing import trace

T = TypeVar("T")

POLL_S = 1.0
AWAY_S = 2.0
READERS = "functions."
LATEST = "latest"
CUT_SHORT = "the process that ran it was killed"
STOPPED = "the service was stopped"


class Runner:
    """Runs the functions of one shelf. ``results`` keeps what they leave."""

    def __init__(
        self,
        *,
        database: Database,
        log: Log,
        clock: Clock,
        ids: Ids,
        shelf: Shelf,
        giver: Giver,
        results: Objects,
        tools: Mapping[str, Path],
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids
        self._shelf = shelf
        self._giver = giver
        self._results = results
        self._tools = tools
        self._at_work: dict[str, set[asyncio.Task[None]]] = {}
        self._has_taken_over = False
        self._stopping = False
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until told to stop; a database that is away is waited for."""
        while not self._stopping:
            pause_s = POLL_S
            self._wake.clear()
            try:
                await self.step()
            except Unavailable as error:
                structlog.get_logger().warning("functions_wait", why=str(error))
                pause_s = AWAY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
        await self.end()

    def stop(self) -> None:
        """Let ``run`` return, as soon as what runs was ended."""
        self._stopping = True
        self._wake.set()

    async def step(self) -> None:
        """Take what was told and begin what is due, as far as there are slots."""
        shelved = {each.name: each for each in self._shelf.look()}
        if not self._has_taken_over:
            if not shelved:
                # An install without functions does not ask the database for them.
                return
            await self._take_over()
            self._has_taken_over = True
        standings = await self._stand(set(shelved))
        usable = {
            name: each.bound
            for name, each in shelved.items()
            if each.bound is not None and standings[name].is_on
        }
        if not usable:
            return
        async with self._database.transaction() as transaction:
            open_runs = await store.open_runs(transaction)
        for name, bound in usable.items():
            taken = await self._take_events(name, bound, open_runs.get(name, 0))
            if taken or open_runs.get(name):
                await self._begin_due(name, bound)

    async def end(self) -> None:
        """End what runs, as if it had not been tried."""
        tasks = [task for tasks in self._at_work.values() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take_over(self) -> None:
        """Count what was tried when somebody was killed as an attempt that failed."""
        async with self._database.transaction() as transaction:
            for due in await store.left_running(transaction):
                structlog.get_logger().warning(
                    "function_cut_short", function=due.function, run_id=due.run_id
                )
                await store.end_attempt(transaction, due, None, CUT_SHORT, self._clock.now())
                await self._fail(transaction, due, CUT_SHORT)

    async def _stand(self, there: set[str]) -> dict[str, Standing]:
        """What is on record of the functions, brought up to what is on the shelf."""
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            known = await store.standings(transaction)
            for name, standing in known.items():
                if name not in there and standing.gone_at is None:
                    gone = msgspec.structs.replace(standing, gone_at=now)
                    await store.put_standing(transaction, name, gone)
        for name in there:
            before = known.get(name)
            if before is not None and before.gone_at is None:
                continue
            follower = self._follower(name, [])
            if before is None:
                await follower.begin_here()
            elif retrying.begins_anew(now, before.gone_at):
                await follower.leap()
            known[name] = Standing(is_on=before.is_on if before else True)
            async with self._database.transaction() as transaction:
                await store.put_standing(transaction, name, known[name])
            structlog.get_logger().info("function_bound", function=name)
        return known

    async def _take_events(self, name: str, bound: Bound, open_runs: int) -> int:
        """Make runs of what was told since; how many entries were read."""
        room = retrying.MOST_WAITING - open_runs
        if room <= 0:
            return 0
        kinds = set(bound.kinds)
        follower = self._follower(name, bound.topics, kinds)
        return await follower.advance(room) if await follower.is_behind() else 0

    def _follower(
        self, name: str, topics: list[str], kinds: set[str] | frozenset[str] = frozenset()
    ) -> Follower:
        async def take(transaction: Transaction, entry: Entry) -> None:
            if f"{entry.topic}.{entry.kind}" in kinds:
                run_id = self._ids.new("run")
                await store.add_run(transaction, run_id, name, entry, self._clock.now())

        return Follower(reader_of(name), topics, self._database, self._log, take)

    async def _begin_due(self, name: str, bound: Bound) -> None:
        at_work = self._at_work.setdefault(name, set())
        free = bound.header.concurrency - len(at_work)
        if free <= 0:
            return
        async with self._database.transaction() as transaction:
            taken = await store.take_due(transaction, name, self._clock.now(), free)
        for due in taken:
            task = asyncio.create_task(self._try(due, bound))
            at_work.add(task)
            task.add_done_callback(at_work.discard)
            task.add_done_callback(lambda _: self._wake.set())

    async def _try(self, due: Due, bound: Bound) -> None:
        """Try a run once, and note how it went, however long the database is away."""
        with trace(due.trace_id or None):
            try:
                with self._results.scratch() as folder:
                    await self._try_in(folder, due, bound)
            except asyncio.CancelledError:
                await self._release(due)
                raise
            except OSError as error:
                # A full disk, say: the machine's trouble, which the function did not cause.
                await self._end(due, None, f"it could not be run: {error}", bound)
            except Exception:  # noqa: BLE001
                # The outer loop of an attempt: whatever it is, the run must not stay open.
                structlog.get_logger().exception("function_not_run", run_id=due.run_id)
                await self._end(due, None, "it could not be run: see the log", bound)

    async def _try_in(self, folder: Path, due: Due, bound: Bound) -> None:
        try:
            code = await asyncio.to_thread(self._shelf.code_of, due.function)
            given = await self._giver.give(code.bound.header.reads, due.body)
        except (FunctionInvalid, NotGiven, Refusal) as error:
            await self._insist(lambda: self._begun(due, ""))
            await self._end(due, None, str(error), bound)
            return
        except Unavailable:
            await self._insist(lambda: self._put_back(due))
            return
        await self._insist(lambda: self._begun(due, code.sha256))
        outcome = await running.attempt(
            code, happened(due), due.run_id, due.attempt, given, self._tools, folder
        )
        output = ""
        if outcome.failure is None and outcome.output.is_dir() and any(outcome.output.iterdir()):
            output = f"{due.function}/{due.run_id}-{due.attempt}"
            await asyncio.to_thread(self._keep, outcome.output, output)
        reason = "" if outcome.failure is None else str(outcome.failure)
        await self._end(due, outcome, reason, code.bound, output)

    def _keep(self, left: Path, output: str) -> None:
        """Keep what a function left, and let ``latest`` lead to it."""
        self._results.adopt(left, output)
        kept = self._results.path(output)
        with self._results.scratch() as folder:
            link = folder / LATEST
            link.symlink_to(kept.name)
            link.replace(kept.with_name(LATEST))

    async def _begun(self, due: Due, sha256: str) -> None:
        async with self._database.transaction() as transaction:
            await store.begin_attempt(transaction, due, sha256, self._clock.now())

    async def _end(
        self, due: Due, outcome: Outcome | None, reason: str, bound: Bound, output: str = ""
    ) -> None:
        now = self._clock.now()

        async def note() -> list[str]:
            async with self._database.transaction() as transaction:
                await store.end_attempt(transaction, due, outcome, reason, now)
                if reason:
                    await self._fail(transaction, due, reason, bound)
                else:
                    await store.end_run(transaction, due.run_id, "done", now, "", output)
                return await store.prune(transaction, due.function, retrying.MOST_ON_RECORD)

        for old in await self._insist(note):
            await asyncio.to_thread(shutil.rmtree, self._results.path(old), ignore_errors=True)
        structlog.get_logger().info(
            "function_ran",
            function=due.function,
            run_id=due.run_id,
            attempt=due.attempt,
            failed=reason,
            duration_s=round(outcome.spent.wall_s, 3) if outcome else 0.0,
            cpu_s=round(outcome.spent.cpu_s, 3) if outcome else 0.0,
        )

    async def _fail(
        self, transaction: Transaction, due: Due, reason: str, bound: Bound | None = None
    ) -> None:
        """Let a run be tried again, or be dead; ``bound`` is found where it is not given."""
        now, failures = self._clock.now(), due.failures + 1
        if bound is None:
            with contextlib.suppress(FunctionInvalid):
                bound = self._shelf.code_of(due.function).bound
        retries = bound.header.retries if bound else 0
        if bound is not None and not retrying.is_last(failures, retries):
            due_at = retrying.next_at(now, failures, bound.header.backoff_s)
            await store.put_off(transaction, due.run_id, failures, due_at, reason)
            return
        await store.end_run(transaction, due.run_id, "dead", now, reason, "")
        structlog.get_logger().error(
            "function_gave_up", function=due.function, run_id=due.run_id, reason=reason
        )
        if due.topic != TOPIC:
            died = RunDied(
                run_id=due.run_id,
                function=due.function,
                event_id=due.event_id,
                event=f"{due.topic}.{due.kind}",
                reason=reason,
            )
            await self._log.append(transaction, TOPIC, due.function, died)

    async def _put_back(self, due: Due) -> None:
        """A neighbour is away: the function did not fail, and comes when that is back."""
        async with self._database.transaction() as transaction:
            due_at = retrying.next_at(self._clock.now(), 1, round(AWAY_S))
            await store.put_off(
                transaction, due.run_id, due.failures, due_at, "a part of the service is away"
            )

    async def _release(self, due: Due) -> None:
        with contextlib.suppress(Unavailable):
            async with self._database.transaction() as transaction:
                now = self._clock.now()
                await store.end_attempt(transaction, due, None, STOPPED, now)
                await store.put_off(transaction, due.run_id, due.failures, now, STOPPED)

    async def _insist(self, note: Callable[[], Awaitable[T]]) -> T:
        """Do it in spite of a database that is away for a while."""
        while True:
            try:
                return await note()
            except Unavailable as error:
                structlog.get_logger().warning("functions_wait", why=str(error))
            await asyncio.sleep(AWAY_S)


def reader_of(name: str) -> str:
    """The name under which a function reads the log."""
    return f"{READERS}{name}"


def happened(due: Due) -> Happened:
    return Happened(
        id=due.event_id,
        kind=f"{due.topic}.{due.kind}",
        key=due.key,
        occurred_at=due.occurred_at,
        trace_id=due.trace_id,
        body=msgspec.Raw(due.body),
    )
