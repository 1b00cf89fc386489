"""Functions run once for each event, again where they fail, and hold up nobody else."""

import asyncio
import json
import time

import msgspec
import pytest
from sqlalchemy import create_engine

from cuemark.contexts.functions import wiring
from cuemark.contexts.functions.model.retrying import GONE_S, MOST_WAITING
from cuemark.contexts.functions.workflow.runner import CUT_SHORT
from cuemark.contracts.functions import RetryRun, RunDied, RunNotOver, SwitchFunction, UnknownRun
from cuemark.kit.outbox import Cursor, resettle
from tests.integration.functions.conftest import Works

ECHO = """import json, sys
told = json.load(sys.stdin)
print(told["event"]["body"]["name"], told["attempt"])
json.dump(told, open("output/told.json", "w"))"""
FAIL = "import sys\nsys.exit('no luck')"


async def test_each_event_after_a_function_came_is_run_once_and_what_it_leaves_is_kept(
    works: Works,
) -> None:
    await works.title("Before")
    works.write("echo", ECHO)
    runner = works.runner()
    await runner.step()
    titles = [await works.title(f"Film {n}") for n in range(2)]
    await works.step_until_settled(runner)
    runs = await works.runs()
    assert [(run.key, run.state) for run in runs] == [(title.title_id, "done") for title in titles]
    said = [(await works.report(run)).attempts[0].stdout for run in runs]
    assert said == ["Film 0 1\n", "Film 1 1\n"]
    told = json.loads((works.root / runs[0].output / "told.json").read_text())
    assert told["event"]["id"] == runs[0].event_id
    latest = works.root / "results" / "echo" / "latest" / "told.json"
    assert json.loads(latest.read_text())["run_id"] == runs[1].run_id
    await works.step_until_settled(works.runner())
    assert len(await works.runs()) == 2


async def test_a_run_that_fails_is_tried_again_later_and_then_put_aside(works: Works) -> None:
    works.write("fail", FAIL, retries=2)
    runner = works.runner()
    await runner.step()
    await works.title("A film")
    pauses = []
    for _ in range(2):
        await works.step_until_settled(runner)
        (run,) = await works.runs()
        assert run.state == "waiting"
        pause_s = (run.due_at - works.clock.now()).total_seconds()
        pauses.append(round(pause_s))
        works.clock.advance(pause_s)
    await works.step_until_settled(runner)
    assert pauses == [10, 20]
    (run,) = await works.runs()
    assert (run.state, run.attempts, run.reason) == ("dead", 3, "it ended with 1")
    attempts = (await works.report(run)).attempts
    assert [each.stderr for each in attempts] == ["no luck\n"] * 3
    async with works.database.transaction() as transaction:
        (died,) = await works.log.read(transaction, ["functions"], Cursor())
    assert msgspec.json.decode(died.body, type=RunDied).run_id == run.run_id


async def test_a_dead_run_is_tried_again_when_that_is_asked_for(works: Works) -> None:
    path = works.write("mend", FAIL, retries=0)
    runner = works.runner()
    await runner.step()
    await works.title("A film")
    await works.step_until_settled(runner)
    (run,) = await works.runs()
    path.write_text(path.read_text().replace("sys.exit('no luck')", "print('luck')"))
    await works.functions.retry_run(RetryRun(run_id=run.run_id))
    await works.step_until_settled(runner)
    (run,) = await works.runs()
    assert (run.state, run.attempts) == ("done", 2)
    with pytest.raises(RunNotOver, match="only one that is dead"):
        await works.functions.retry_run(RetryRun(run_id=run.run_id))
    with pytest.raises(UnknownRun):
        await works.functions.retry_run(RetryRun(run_id="run_x"))


async def test_a_function_that_hangs_holds_up_no_other(works: Works) -> None:
    works.write("hang", "import time\ntime.sleep(1000)", timeout_s=600)
    works.write("echo", ECHO)
    runner = works.runner()
    await runner.step()
    for n in range(3):
        await works.title(f"Film {n}")
    async with asyncio.timeout(30):
        while [run.state for run in await works.runs("echo")] != ["done"] * 3:
            await runner.step()
            await asyncio.sleep(0.05)
    assert [run.state for run in await works.runs("hang")] == ["running", "waiting", "waiting"]
    began_s = time.monotonic()
    await runner.end()
    assert time.monotonic() - began_s < 15
    (stopped, *_) = await works.runs("hang")
    assert (stopped.state, stopped.reason) == ("waiting", "the service was stopped")


async def test_what_was_tried_when_its_process_was_killed_counts_and_is_tried_again(
    works: Works,
) -> None:
    works.write("slow", "import time\ntime.sleep(1000)", retries=1)
    runner = works.runner()
    await runner.step()
    await works.title("A film")
    async with asyncio.timeout(30):
        while not await works.runs() or not (await works.report((await works.runs())[0])).attempts:
            await runner.step()
            await asyncio.sleep(0.05)
    # The next process finds the run as one that was killed has left it.
    works.write("slow", ECHO, retries=1)
    successor = works.runner()
    await successor.step()
    (run,) = await works.runs()
    assert (run.state, run.reason) == ("waiting", CUT_SHORT)
    works.clock.advance(10)
    await works.step_until_settled(successor)
    (run,) = await works.runs()
    assert (run.state, run.attempts) == ("done", 2)
    first, second = (await works.report(run)).attempts
    assert (first.reason, second.reason) == (CUT_SHORT, "")


async def test_an_edit_in_mid_run_changes_the_next_run_alone(works: Works) -> None:
    works.write("edited", "import time\ntime.sleep(1)\n" + ECHO)
    runner = works.runner()
    await runner.step()
    await works.title("First")
    async with asyncio.timeout(30):
        while not await works.runs() or not (await works.report((await works.runs())[0])).attempts:
            await runner.step()
            await asyncio.sleep(0.02)
    works.write("edited", "print('edited')")
    await works.title("Second")
    await works.step_until_settled(runner)
    said = [(await works.report(run)).attempts[0] for run in await works.runs()]
    assert [each.stdout for each in said] == ["First 1\n", "edited\n"]
    assert said[0].code_sha256 != said[1].code_sha256


async def test_a_function_that_is_off_makes_up_for_what_it_missed_or_leaves_it_out(
    works: Works,
) -> None:
    works.write("rest", ECHO)
    runner = works.runner()
    await runner.step()

    async def switch(*, on: bool, from_now: bool = False) -> None:
        request = SwitchFunction(name="rest", on=on, from_now=from_now)
        assert (await works.functions.switch_function(request)).state == ("on" if on else "off")

    await switch(on=False)
    await works.title("Missed")
    await works.step_until_settled(runner)
    assert await works.runs() == []
    await switch(on=True)
    await works.step_until_settled(runner)
    assert len(await works.runs()) == 1
    await switch(on=False)
    await works.title("Left out")
    await switch(on=True, from_now=True)
    await works.step_until_settled(runner)
    assert len(await works.runs()) == 1


async def test_who_was_gone_for_long_does_not_make_up_for_it(works: Works) -> None:
    path = works.write("gone", ECHO)
    runner = works.runner()
    await runner.step()
    path.unlink()
    await runner.step()
    await works.title("Soon back")
    works.write("gone", ECHO)
    await works.step_until_settled(runner)
    assert len(await works.runs()) == 1
    path.unlink()
    await runner.step()
    await works.title("Long gone")
    works.clock.advance(GONE_S + 1)
    works.write("gone", ECHO)
    await works.step_until_settled(runner)
    assert len(await works.runs()) == 1


async def test_what_is_not_taken_yet_waits_in_the_log(works: Works) -> None:
    works.write("many", "import time\ntime.sleep(1000)", timeout_s=600)
    runner = works.runner()
    await runner.step()
    for n in range(MOST_WAITING + 20):
        await works.title(f"Film {n}")
    for _ in range(3):
        await runner.step()
    assert len(await works.runs()) == MOST_WAITING


async def test_after_a_restore_no_event_of_before_is_run(works: Works) -> None:
    works.write("echo", ECHO)
    works.write("fail", FAIL, retries=5)
    runner = works.runner()
    await runner.step()
    await works.title("Before the backup")
    await works.step_until_settled(runner)
    await works.title("Not taken yet")
    engine = create_engine(works.database_url)
    with engine.begin() as connection:
        resettle(connection)
        wiring.set_aside(connection)
    engine.dispose()
    works.clock.advance(100)
    await works.step_until_settled(works.runner())
    runs = await works.runs()
    assert [(run.function, run.state) for run in runs] == [("echo", "done"), ("fail", "dead")]
    assert "a backup was restored" in runs[1].reason
    title = await works.title("After the restore")
    await works.step_until_settled(works.runner())
    assert [run.key for run in await works.runs("echo")][1:] == [title.title_id]


async def test_what_a_function_reads_lies_before_it(works: Works) -> None:
    works.write(
        "titled",
        "import json, sys\nfrom pathlib import Path\ntold = json.load(sys.stdin)\n"
        'print(json.loads(Path(told["reads"]["title"]).read_text())["synopsis"] == "",'
        ' len(json.loads(Path(told["reads"]["titles"]).read_text())))',
        reads=["title", "titles"],
    )
    runner = works.runner()
    await runner.step()
    await works.title("A film")
    await works.step_until_settled(runner)
    (run,) = await works.runs()
    assert (await works.report(run)).attempts[0].stdout == "True 0\n"
