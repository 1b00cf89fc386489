"""What every caller of the functions may rely on, however they are reached."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuemark.app.events import EVENTS
from cuemark.contexts.functions import wiring
from cuemark.contracts.functions import (
    Functions,
    GetRun,
    ListFunctions,
    ListRuns,
    RetryRun,
    SwitchFunction,
    UnknownFunction,
    UnknownRun,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.outbox import Log
from cuemark.kit.pages import PageInvalid, cursor_of
from tests.contract.conftest import Reach
from tests.databases import opened

UNKNOWN = "run_01j9x0000000000000000000zz"


@pytest.fixture
async def functions(reach: Reach, database_url: str, tmp_path: Path) -> AsyncIterator[Functions]:
    (tmp_path / "feed.toml").write_text('on = ["encoding.*"]\n')
    (tmp_path / "feed.py").write_text("print(1)\n")
    (tmp_path / "odd.py").write_text("print(1)\n")
    clock = ManualClock()
    async with opened(database_url, wiring) as database:
        room = wiring.build(
            database=database,
            log=Log(clock),
            clock=clock,
            folder=tmp_path,
            results=tmp_path / "results",
            kinds=wiring.kinds_of(EVENTS),
        )
        yield await reach(Functions, room.service)


async def test_functions_are_listed_with_what_is_wrong_with_them(functions: Functions) -> None:
    found = (await functions.list_functions(ListFunctions())).functions
    assert [(each.name, each.state) for each in found] == [("feed", "on"), ("odd", "broken")]
    assert "encoding.VersionPublished" in found[0].on
    assert "has no header" in found[1].complaint


async def test_a_function_is_switched_off_and_on(functions: Functions) -> None:
    for on, state in ((False, "off"), (True, "on")):
        switched = await functions.switch_function(SwitchFunction(name="feed", on=on))
        assert switched.state == state


async def test_what_is_not_there_is_refused(functions: Functions) -> None:
    with pytest.raises(UnknownFunction):
        await functions.switch_function(SwitchFunction(name="nobody", on=True))
    for run_id in (UNKNOWN, "run_x", "x"):
        with pytest.raises(UnknownRun):
            await functions.get_run(GetRun(run_id=run_id))
        with pytest.raises(UnknownRun):
            await functions.retry_run(RetryRun(run_id=run_id))


async def test_runs_come_in_pages(functions: Functions) -> None:
    assert (await functions.list_runs(ListRuns())).runs == []
    with pytest.raises(PageInvalid):
        await functions.list_runs(ListRuns(limit=0))
    with pytest.raises(PageInvalid):
        await functions.list_runs(ListRuns(after="not ours"))
    for key in ("run_x", "9" * 30, "-1", "\u0663"):
        with pytest.raises(PageInvalid):
            await functions.list_runs(ListRuns(after=cursor_of(key)))
