"""Tasks on PostgreSQL that take turns as a seed says, and that die between any two of them.

A task waits for its turn before each statement, before each commit and after it. One statement is
on its way at a time, but for those that wait for another one's lock. These wait for their turn when
they have it, too: several may get theirs by one commit, and at once.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.util import await_only

from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query, Row, Values
from cuemark.kit.errors import Unavailable

SLOWER = 1000
BLOCKED_AFTER_S = 0.001 / SLOWER
"""By a loop's clock: as long a statement is waited for until it is asked what holds it."""
MOST_TURNS = 100_000
POOL = 40

T = TypeVar("T")

_number: ContextVar[int] = ContextVar("number", default=0)


class SlowLoop(asyncio.SelectorEventLoop):
    """A loop whose clock all but stands still, so that no task is late because others go first.
    Time passes where ``ahead_s`` grows."""

    ahead_s = 0.0

    def time(self) -> float:
        return super().time() / SLOWER + self.ahead_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., T], *args: object
    ) -> "asyncio.Future[T]":
        """At once: of a thread nobody would know when it is done."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - as a thread's, it is for whoever waits
            done.set_exception(error)
        return done

    def is_idle(self) -> bool:
        """Whether nobody but who asks has anything to do before something comes from outside."""
        return not self._ready  # type: ignore[attr-defined]


class Turns:
    """``after`` is called after each turn that wrote something. A task that ends in an error breaks
    the schedule: what a task may be refused, it keeps to itself."""

    def __init__(self, rng: random.Random, monitor: psycopg.Connection, after: Callable[[], None]):
        self._rng = rng
        self._monitor = monitor
        self._after = after
        self._numbers = itertools.count(1)
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._tasks: dict[asyncio.Task[None], tuple[int, object]] = {}
        self._flying: dict[int, int] = {}
        self._busy: list[int] = []
        self._held: set[int] = set()
        self.raced = False
        """Several waited for locks at once: it was PostgreSQL that said who had one first."""
        self._moved = asyncio.Event()
        self._broken: BaseException | None = None
        self._writes = 0
        self._wrote: set[int] = set()
        self.answers_to_lose = 0

    def begin(self, owner: object, task: Coroutine[Any, Any, None]) -> None:
        """``owner`` is the process in which it runs."""
        number = next(self._numbers)
        begun = asyncio.get_running_loop().create_task(self._run(number, task))
        self._tasks[begun] = number, owner

    async def _run(self, number: int, task: Coroutine[Any, Any, None]) -> None:
        _number.set(number)
        try:
            await task
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the schedule
            self._broken = error
        finally:
            own = asyncio.current_task()
            if own is not None:
                self._tasks.pop(own, None)
            self._moved.set()

    async def take(self, most: int) -> None:
        """Up to so many turns, each of a task that chance chooses."""
        await self._settle()
        for _ in range(most):
            if not await self._turn():
                return

    async def finish(self) -> None:
        """Turns until all tasks have ended; where all wait for an answer, time passes."""
        await self._settle()
        for _ in range(MOST_TURNS):
            if not await self._turn():
                if not self._tasks:
                    return
                self.pass_time(1)
                await self._settle()
        raise AssertionError("the tasks wait for one another for ever")

    def pass_time(self, seconds: float) -> None:
        _loop().ahead_s += seconds

    async def strike(self, owner: object) -> None:
        """The process dies: every task of it, wherever it is."""
        await self._settle()
        struck = {task: number for task, (number, of) in self._tasks.items() if of is owner}
        for task in struck:
            task.cancel()
        if struck:
            await asyncio.wait(struck)
        for number in struck.values():
            self._flying = {pid: of for pid, of in self._flying.items() if of != number}

    async def pause(self) -> None:
        """Wait for a turn; whoever is struck dead is so at one of these."""
        waits = _number.get(), asyncio.get_running_loop().create_future()
        self._waiting.append(waits)
        self._moved.set()
        try:
            await waits[1]
        finally:
            if waits in self._waiting:
                self._waiting.remove(waits)

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        number = _number.get()
        self._busy.append(number)
        try:
            yield
        finally:
            self._busy.remove(number)
            self._moved.set()

    async def regain(self) -> None:
        """Whoever has waited for a lock goes on in its turn."""
        if _number.get() in self._held:
            self._held.remove(_number.get())
            await self.pause()

    def sent(self, pid: int, *, writes: bool) -> None:
        self._flying[pid] = _number.get()
        if writes:
            self._wrote.add(pid)

    def answered(self, pid: int) -> None:
        self._flying.pop(pid, None)
        self._moved.set()

    def committed(self, pid: int) -> None:
        if pid in self._wrote:
            self._wrote.remove(pid)
            self.wrote()

    def rolled_back(self, pid: int) -> None:
        self._wrote.discard(pid)

    def wrote(self) -> None:
        self._writes += 1

    def lose(self) -> None:
        """Raises ``Unavailable`` to whoever waits for an answer that is to be lost."""
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise Unavailable("the database did it, and its answer is lost")

    async def _turn(self) -> bool:
        """A turn of somebody; whether there was one to take."""
        if not self._waiting:
            return False
        writes = self._writes
        # In the order of their beginnings, whoever got here first.
        self._waiting.sort(key=lambda each: each[0])
        chosen = self._rng.randrange(len(self._waiting))
        self._waiting.pop(chosen)[1].set_result(None)
        await self._settle()
        if self._broken is not None:
            raise self._broken
        if self._writes != writes:
            self._after()
        return True

    async def _settle(self) -> None:
        """Until nobody goes on: all wait for their turn, for a lock, or for an answer."""
        loop = _loop()
        while True:
            self._moved.clear()
            await asyncio.sleep(0)
            while not loop.is_idle():
                await asyncio.sleep(0)
            if not self._busy and not self._flying:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BLOCKED_AFTER_S):
                    await self._moved.wait()
                continue
            waiting = [*self._busy, *self._flying.values()]
            # One that was late has its answer by now, and goes on.
            if waiting and self._blocked() >= len(waiting):
                self._held.update(waiting)
                self.raced = self.raced or len(waiting) > 1
                return

    def _blocked(self) -> int:
        """How many wait for another one's lock. Whoever lets go of a lock gives it to who is next,
        whose process may know of that only later: so the locks are asked, and not the processes."""
        found = self._monitor.execute(
            "select count(distinct lock.pid) from pg_locks lock "
            "join pg_stat_activity activity using (pid) "
            "where activity.datname = current_database() and not lock.granted"
        ).fetchone()
        return int(found[0]) if found else 0


class TurnedDatabase(Database):
    """PostgreSQL, as tasks that take ``turns`` come to it."""

    turns: Turns

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=POOL, idle_s=600)
        engine = self._engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._afterwards)
        event.listen(engine, "handle_error", self._failed)

    async def ask(self, query: Query, values: Values) -> list[Row]:
        await self.turns.pause()
        try:
            with self.turns.busy():
                rows = await super().ask(query, values)
        except Exception:
            await self.turns.regain()
            raise
        await self.turns.regain()
        if not query.told(values)[0].startswith("select"):
            self.turns.wrote()
            await self.turns.pause()
            self.turns.lose()
        return rows

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        opened = super().transaction()
        await self.turns.pause()
        with self.turns.busy():
            transaction = await opened.__aenter__()
        pid = _pid(transaction.sync_connection)
        try:
            yield transaction
            await self.turns.pause()
        except BaseException as error:
            with self.turns.busy():
                await opened.__aexit__(type(error), error, error.__traceback__)
            self.turns.rolled_back(pid)
            raise
        with self.turns.busy():
            await opened.__aexit__(None, None, None)
        self.turns.committed(pid)
        await self.turns.pause()
        self.turns.lose()

    def _before(
        self,
        connection: Connection,
        cursor: DBAPICursor,
        statement: str,
        parameters: object,
        context: ExecutionContext | None,
        executemany: bool,
    ) -> None:
        await_only(self.turns.pause())
        self.turns.sent(_pid(connection), writes=not statement.startswith("select"))

    def _afterwards(
        self,
        connection: Connection,
        cursor: DBAPICursor,
        statement: str,
        parameters: object,
        context: ExecutionContext | None,
        executemany: bool,
    ) -> None:
        self.turns.answered(_pid(connection))
        await_only(self.turns.regain())

    def _failed(self, context: ExceptionContext) -> None:
        if context.connection is not None:
            self.turns.answered(_pid(context.connection))
        if isinstance(context.original_exception, Exception):
            await_only(self.turns.regain())


def _loop() -> SlowLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SlowLoop)
    return loop


def _pid(connection: Connection | None) -> int:
    assert connection is not None
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    return driver.info.backend_pid


def plain(url: str) -> str:
    """The address as libpq takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
