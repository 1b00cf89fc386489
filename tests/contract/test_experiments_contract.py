"""What every caller of experiments may rely on, however they are reached."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from cuemark.contexts.experiments import wiring
from cuemark.contexts.experiments.service import KNOWN_FOR_S
from cuemark.contracts.experiments import (
    Allocate,
    Cell,
    Cells,
    Experiment,
    ExperimentInvalid,
    ExperimentRuns,
    Experiments,
    LayerFull,
    ListExperiments,
    SettingTaken,
    StopExperiment,
    UnknownExperiment,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.pages import PageInvalid
from tests.contract.conftest import Reach
from tests.databases import opened
from tests.unit.experiments.runs import BUFFER, CONTROL, asked

START = datetime(2026, 5, 1, tzinfo=UTC)
MEMBERS = [f"acc_{number}" for number in range(200)]


@dataclass(frozen=True)
class House:
    experiments: Experiments
    database: Database
    clock: ManualClock

    def elsewhere(self) -> Experiments:
        """The same experiments, in another process."""
        return wiring.build(self.database, self.clock, Ids(self.clock)).service

    async def cells(self, unit: str, at: datetime | None = None) -> dict[str, str]:
        return (await self.experiments.allocate(Allocate(unit=unit, at=at))).cells

    async def everybody(self) -> list[str]:
        return [(await self.cells(each)).get("buffer", "") for each in MEMBERS]

    async def stop(self, name: str) -> Experiment:
        self.clock.advance(1)
        return await self.experiments.stop_experiment(StopExperiment(name=name))


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    clock = ManualClock(START)
    async with opened(database_url, wiring) as database:
        room = wiring.build(database, clock, Ids(clock))
        yield House(await reach(Experiments, room.service), database, clock)


async def test_without_experiments_everybody_is_in_no_cell(house: House) -> None:
    assert await house.experiments.allocate(Allocate(unit="acc_1")) == Cells()


async def test_an_experiment_puts_each_member_into_one_cell_for_as_long_as_it_runs(
    house: House,
) -> None:
    put = await house.experiments.put_experiment(asked())
    assert (put.state, put.first_bucket, put.started_at) == ("running", 0, START)
    before = await house.everybody()
    assert set(before) == {"control", "longer"}
    longer = MEMBERS[before.index("longer")]
    found = await house.experiments.allocate(Allocate(unit=longer))
    assert found == Cells(cells={"buffer": "longer"}, settings=BUFFER)
    house.clock.advance(86_400)
    other = Cell(name="low", settings={"player.default_bandwidth_kbps": 500.0})
    await house.experiments.put_experiment(asked("start", CONTROL, other, layer="start"))
    assert await house.everybody() == before
    assert await house.experiments.put_experiment(asked()) == put


async def test_what_was_stopped_is_over_at_once_and_deals_anew_when_it_starts_again(
    house: House,
) -> None:
    first = await house.experiments.put_experiment(asked())
    before = await house.everybody()
    stopped = await house.stop("buffer")
    assert (stopped.state, stopped.stopped_at) == ("stopped", house.clock.now())
    assert await house.stop("buffer") == stopped
    assert set(await house.everybody()) == {""}
    house.clock.advance(1)
    again = await house.experiments.put_experiment(asked())
    assert (again.run_id != first.run_id, again.first_bucket) == (True, first.first_bucket)
    after = await house.everybody()
    moved = sum(old != new for old, new in zip(before, after, strict=True))
    assert 60 < moved < 140


async def test_who_was_in_which_cell_is_known_afterwards(house: House) -> None:
    await house.experiments.put_experiment(asked())
    then, before = house.clock.now(), await house.cells("acc_1")
    await house.stop("buffer")
    assert await house.cells("acc_1") == {}
    assert await house.cells("acc_1", then) == before
    assert await house.cells("acc_1", START.replace(year=2025)) == {}


async def test_an_experiment_that_runs_is_not_changed(house: House) -> None:
    put = await house.experiments.put_experiment(asked())
    heavier = Cell(name="longer", weight=3, settings=BUFFER)
    with pytest.raises(ExperimentRuns, match="would move members from cell to cell"):
        await house.experiments.put_experiment(asked("buffer", CONTROL, heavier))
    assert (await house.experiments.list_experiments(ListExperiments())).experiments == [put]


async def test_a_full_layer_and_a_setting_of_another_layer_are_refused(house: House) -> None:
    await house.experiments.put_experiment(asked("a", share_bp=6000))
    with pytest.raises(LayerFull, match="of 4000 that are"):
        await house.experiments.put_experiment(asked("b", share_bp=5000))
    with pytest.raises(SettingTaken, match=r"a sets player[.]buffering_goal_s"):
        await house.experiments.put_experiment(asked("b", layer="other", share_bp=10))
    beside = await house.experiments.put_experiment(asked("b", share_bp=4000))
    assert beside.first_bucket == 6000
    await house.stop("a")
    assert (await house.experiments.put_experiment(asked("c", share_bp=5000))).first_bucket == 0


async def test_of_those_who_start_at_once_no_two_get_the_same_members(house: House) -> None:
    processes = [house.experiments, *(house.elsewhere() for _ in range(3))]
    put = await asyncio.gather(
        *(
            processes[number % 4].put_experiment(asked(f"e{number}", share_bp=1000))
            for number in range(10)
        )
    )
    assert sorted(each.first_bucket for each in put) == [1000 * number for number in range(10)]


async def test_another_process_knows_of_a_change_within_seconds(house: House) -> None:
    elsewhere = house.elsewhere()
    question = Allocate(unit="acc_1")
    assert (await house.experiments.allocate(question)).cells == {}
    await elsewhere.put_experiment(asked())
    assert set((await elsewhere.allocate(question)).cells) == {"buffer"}
    assert (await house.experiments.allocate(question)).cells == {}
    house.clock.advance(KNOWN_FOR_S)
    assert set((await house.experiments.allocate(question)).cells) == {"buffer"}


async def test_experiments_are_listed_by_name_as_they_ran_last(house: House) -> None:
    for name in ("c", "a", "b"):
        await house.experiments.put_experiment(asked(name, share_bp=10))
    await house.stop("b")
    first = await house.experiments.list_experiments(ListExperiments(limit=2))
    told = [(each.name, each.state) for each in first.experiments]
    assert told == [("a", "running"), ("b", "stopped")]
    rest = ListExperiments(after=first.next_cursor, limit=2)
    page = await house.experiments.list_experiments(rest)
    assert ([each.name for each in page.experiments], page.next_cursor) == (["c"], "")
    house.clock.advance(1)
    again = await house.experiments.put_experiment(asked("b", share_bp=10))
    page = await house.experiments.list_experiments(ListExperiments(limit=200))
    assert page.experiments[1] == again
    for wrong in (ListExperiments(limit=0), ListExperiments(after="x")):
        with pytest.raises(PageInvalid):
            await house.experiments.list_experiments(wrong)


async def test_what_is_no_experiment_or_no_question_is_refused(house: House) -> None:
    wrong = Cell(name="wrong", settings={"player.buffering_goal_s": 1e9})
    with pytest.raises(ExperimentInvalid, match="no number from 4 to 120"):
        await house.experiments.put_experiment(asked("buffer", CONTROL, wrong))
    with pytest.raises(ExperimentInvalid, match="1 to 200 characters"):
        await house.experiments.allocate(Allocate(unit=""))
    for name in ("none", "no\0ne", "'; drop table experiments.run"):
        with pytest.raises(UnknownExperiment):
            await house.stop(name)


async def test_a_clock_that_was_set_back_leaves_no_run_that_ended_before_it_began(
    house: House,
) -> None:
    await house.experiments.put_experiment(asked())
    house.clock.jump(-3600)
    stopped = await house.experiments.stop_experiment(StopExperiment(name="buffer"))
    assert stopped.stopped_at == START
    assert set(await house.everybody()) == {""}
