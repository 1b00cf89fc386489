"""Functions on a real log: a shelf, a runner, and neighbours that are real."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cuemark.app.events import EVENTS
from cuemark.contexts.catalog import wiring as catalog
from cuemark.contexts.encoding import wiring as encoding
from cuemark.contexts.functions import wiring
from cuemark.contexts.functions.tools.shelf import Shelf
from cuemark.contexts.functions.workflow.giving import Giver
from cuemark.contexts.functions.workflow.runner import Runner
from cuemark.contracts.catalog import Catalog, CreateTitle, Title
from cuemark.contracts.functions import Functions, GetRun, ListRuns, Run, RunReport
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from tests.databases import opened

KINDS = wiring.kinds_of(EVENTS)
LIMIT_S = 60.0


@dataclass
class Works:
    """The functions of one install, stepped by hand on a clock that stands."""

    root: Path
    database: Database
    database_url: str
    clock: ManualClock
    catalog: Catalog
    functions: Functions
    giver: Giver
    log: Log
    runners: list[Runner] = field(default_factory=list)

    def write(self, name: str, code: str, **header: object) -> Path:
        fields = {"on": ["catalog.TitleCreated"], "backoff_s": 10, "timeout_s": 30} | header
        lines = [f"# {field} = {_toml(value)}" for field, value in fields.items()]
        path = self.root / "functions" / f"{name}.py"
        path.write_text("\n".join(["# /// script", "# [tool.cuemark]", *lines, "# ///", code, ""]))
        return path

    def runner(self) -> Runner:
        """Another process would have one of its own."""
        runner = Runner(
            database=self.database,
            log=self.log,
            clock=self.clock,
            ids=Ids(self.clock),
            shelf=Shelf(self.root / "functions", KINDS),
            giver=self.giver,
            results=Objects(self.root / "results", writer="functions"),
            tools={},
        )
        self.runners.append(runner)
        return runner

    async def title(self, name: str) -> Title:
        self.clock.advance(0.01)
        return await self.catalog.create_title(CreateTitle(name=name))

    async def runs(self, function: str = "") -> list[Run]:
        """The oldest first."""
        page = await self.functions.list_runs(ListRuns(limit=200, function=function))
        return page.runs[::-1]

    async def report(self, run: Run) -> RunReport:
        return await self.functions.get_run(GetRun(run_id=run.run_id))

    async def step_until_settled(self, runner: Runner) -> None:
        """Step until nothing is due or tried any more."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                await runner.step()
                await asyncio.sleep(0.03)
                open_runs = [
                    run
                    for run in await self.runs()
                    if run.state == "running"
                    or (run.state == "waiting" and run.due_at <= self.clock.now())
                ]
                if not open_runs:
                    return


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


@pytest.fixture
async def works(database_url: str, tmp_path: Path) -> AsyncIterator[Works]:
    (tmp_path / "functions").mkdir()
    clock = ManualClock()
    async with opened(database_url, catalog, encoding, wiring) as database:
        log, ids = Log(clock), Ids(clock)
        films = catalog.build(database, log, clock, ids)
        objects = Objects(tmp_path / "objects", writer="tests")
        studio = encoding.build(
            database=database,
            log=log,
            clock=clock,
            ids=ids,
            objects=objects,
            database_url=database_url,
        )
        room = wiring.build(
            database=database,
            log=log,
            clock=clock,
            folder=tmp_path / "functions",
            results=tmp_path / "results",
            kinds=KINDS,
        )
        works = Works(
            root=tmp_path,
            database=database,
            database_url=database_url,
            clock=clock,
            catalog=films.service,
            functions=room.service,
            giver=Giver(films.service, studio.service, objects),
            log=log,
        )
        yield works
        for runner in works.runners:
            await runner.end()
