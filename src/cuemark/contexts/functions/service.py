"""What an operator sees of the functions and does about them. The work itself is the runner's."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from cuemark.contexts.functions import store
from cuemark.contexts.functions.store import Standing
from cuemark.contexts.functions.tools.shelf import Shelf, Shelved
from cuemark.contracts.functions import (
    Function,
    FunctionList,
    Functions,
    FunctionState,
    GetRun,
    ListFunctions,
    ListRuns,
    RetryRun,
    Run,
    RunNotOver,
    RunPage,
    RunReport,
    SwitchFunction,
    UnknownFunction,
    UnknownRun,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import is_id
from cuemark.kit.outbox import Follower
from cuemark.kit.pages import PageInvalid, checked_limit, cursor_of, keys_of

RUN = "run"
_MOST_DIGITS = 18
"""So many fit PostgreSQL's bigint."""


class FunctionsService(Functions):
    """The functions of one shelf. ``reader`` gives that of a function's name."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        shelf: Shelf,
        results: Path,
        reader: Callable[[str], Follower],
    ) -> None:
        self._database = database
        self._clock = clock
        self._shelf = shelf
        self._results = results
        self._reader = reader

    async def list_functions(self, request: ListFunctions) -> FunctionList:
        shelved = {each.name: each for each in await asyncio.to_thread(self._shelf.look)}
        async with self._database.transaction() as transaction:
            standings = await store.standings(transaction)
            counted = await store.counts(transaction)
        # Of what has no file any more, there is something to tell while its runs are on record.
        names = sorted({*shelved, *(set(standings) & set(counted))})
        found = [
            _function(name, shelved.get(name), standings.get(name), counted.get(name, {}))
            for name in names
        ]
        return FunctionList(folder=str(self._shelf.folder), functions=found)

    async def switch_function(self, request: SwitchFunction) -> Function:
        found = await self.list_functions(ListFunctions())
        if request.name not in {each.name for each in found.functions}:
            raise UnknownFunction(f"there is no function {request.name} in {found.folder}")
        if request.on and request.from_now:
            await self._reader(request.name).leap()
        async with self._database.transaction() as transaction:
            known = (await store.standings(transaction)).get(request.name)
            if known is None:
                await self._reader(request.name).begin_here()
            standing = msgspec.structs.replace(known or Standing(), is_on=request.on)
            await store.put_standing(transaction, request.name, standing)
        found = await self.list_functions(ListFunctions())
        return next(each for each in found.functions if each.name == request.name)

    async def list_runs(self, request: ListRuns) -> RunPage:
        limit = checked_limit(request.limit)
        after = keys_of(request.after, 1)
        async with self._database.transaction() as transaction:
            runs = await store.find_runs(
                transaction,
                before=_number(after[0]) if after else None,
                function=request.function,
                dead_only=request.dead_only,
                limit=limit + 1,
            )
        page = [self._with_folder(run) for _, run in runs[:limit]]
        more = len(runs) > limit
        return RunPage(runs=page, next_cursor=cursor_of(str(runs[limit - 1][0])) if more else "")

    async def get_run(self, request: GetRun) -> RunReport:
        run = await self._run(request.run_id)
        async with self._database.transaction() as transaction:
            attempts = await store.attempts_of(transaction, request.run_id)
        return RunReport(run=run, attempts=attempts)

    async def retry_run(self, request: RetryRun) -> Run:
        run = await self._run(request.run_id)
        async with self._database.transaction() as transaction:
            if not await store.revive(transaction, run.run_id, self._clock.now()):
                raise RunNotOver(
                    f"the run {run.run_id} is {run.state}: only one that is dead can be tried again"
                )
        return await self._run(request.run_id)

    async def _run(self, run_id: str) -> Run:
        if not is_id(run_id, RUN):
            raise UnknownRun("No run has this id.")
        async with self._database.transaction() as transaction:
            found = await store.find_runs(transaction, run_id=run_id)
        if not found:
            raise UnknownRun(f"there is no run {run_id}")
        return self._with_folder(found[0][1])

    def _with_folder(self, run: Run) -> Run:
        if not run.output:
            return run
        return msgspec.structs.replace(run, output=f"{self._results.name}/{run.output}")


def _number(key: str) -> int:
    if not (key.isascii() and key.isdecimal() and len(key) <= _MOST_DIGITS):
        raise PageInvalid(
            "The cursor is not one of ours: ask for the first page, without a cursor."
        )
    return int(key)


def _function(
    name: str, shelved: Shelved | None, standing: Standing | None, counted: Mapping[str, int]
) -> Function:
    state: FunctionState = "on"
    if shelved is None:
        state = "gone"
    elif shelved.bound is None:
        state = "broken"
    elif standing is not None and not standing.is_on:
        state = "off"
    return Function(
        name=name,
        state=state,
        on=list(shelved.bound.kinds) if shelved and shelved.bound else [],
        complaint=shelved.complaint if shelved else "",
        waiting=counted.get("waiting", 0),
        running=counted.get("running", 0),
        done=counted.get("done", 0),
        dead=counted.get("dead", 0),
    )
