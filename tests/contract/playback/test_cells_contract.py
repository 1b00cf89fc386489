"""The cells of experiments that a play is in, and what they set."""

import asyncio

import msgspec
import pytest
from sqlalchemy import text

from cuemark.contracts.experiments import Allocate, Cells, Experiments, StopExperiment
from cuemark.contracts.experiments.settings import defaults
from cuemark.contracts.ids import AccountId
from cuemark.contracts.playback import TOPIC, Play, Playback, PlayStarted, StartPlay
from cuemark.kit.outbox import Cursor, Log
from tests.contract.playback.conftest import FILM, PROFILE, House, start
from tests.unit.experiments.runs import BUFFER, asked


class _Late:
    """Experiments that answer when the play has long begun."""

    async def allocate(self, request: Allocate) -> Cells:
        await asyncio.sleep(60)
        return Cells(cells={"buffer": "longer"}, settings=BUFFER)


async def play_of(playback: Playback, account: str, maturity: int | None = None) -> Play:
    request = StartPlay(
        account_id=AccountId(account), profile_id=PROFILE, title_id=FILM, maturity=maturity
    )
    return await playback.start(request)


async def by_cell(house: House) -> dict[str, str]:
    """A member of each cell, by its name."""
    members = [f"acc_{number}" for number in range(50)]
    told = [(await house.experiments.allocate(Allocate(unit=each))).cells for each in members]
    return {cells["buffer"]: member for cells, member in zip(told, members, strict=True)}


async def exposures(house: House) -> list[PlayStarted]:
    async with house.database.transaction() as transaction:
        entries = await Log(house.clock).read(transaction, [TOPIC], Cursor())
    return [msgspec.json.decode(each.body, type=PlayStarted) for each in entries]


async def test_without_experiments_that_run_a_play_starts_by_the_defaults(
    playback: Playback,
) -> None:
    play = await start(playback)
    assert (play.cells, play.settings) == ({}, defaults())


@pytest.mark.parametrize("maturity", [None, 7])
async def test_a_play_is_in_its_accounts_cell_and_has_what_it_sets(
    house: House, playback: Playback, maturity: int | None
) -> None:
    await house.experiments.put_experiment(asked())
    members = await by_cell(house)
    assert members.keys() == {"control", "longer"}
    control = await play_of(playback, members["control"], maturity)
    assert (control.cells, control.settings) == ({"buffer": "control"}, defaults())
    longer = await play_of(playback, members["longer"], maturity)
    assert (longer.cells, longer.settings) == ({"buffer": "longer"}, defaults() | BUFFER)
    await house.experiments.stop_experiment(StopExperiment(name="buffer"))
    after = await play_of(playback, members["longer"], maturity)
    assert (after.cells, after.settings) == ({}, defaults())


async def test_the_log_tells_who_was_exposed_to_what_and_when(
    house: House, playback: Playback
) -> None:
    await house.experiments.put_experiment(asked())
    member = (await by_cell(house))["longer"]
    play = await play_of(playback, member)
    (told,) = await exposures(house)
    assert (told.account_id, told.cells) == (member, {"buffer": "longer"})
    assert (told.session_id, told.started_at) == (play.session_id, house.clock.now())


async def test_without_experiments_a_play_starts_by_the_defaults(
    house: House, playback: Playback
) -> None:
    await house.experiments.put_experiment(asked())
    member = (await by_cell(house))["longer"]
    house.take_away(Experiments)
    play = await play_of(playback, member)
    assert (play.cells, play.settings) == ({}, defaults())
    (told,) = await exposures(house)
    assert told.cells == {}


async def test_experiments_that_answer_late_are_not_waited_for(
    house: House, playback: Playback
) -> None:
    house.neighbours[Experiments] = _Late()
    begun_s = asyncio.get_running_loop().time()
    play = await start(playback)
    assert (play.cells, play.settings) == ({}, defaults())
    assert asyncio.get_running_loop().time() - begun_s < 10


async def test_an_account_that_no_unit_can_be_called_plays_by_the_defaults(
    house: House, playback: Playback
) -> None:
    await house.experiments.put_experiment(asked())
    assert (await play_of(playback, "a" * 201)).cells == {}


async def test_what_runs_is_known_without_asking_the_database(
    house: House, playback: Playback
) -> None:
    await house.experiments.put_experiment(asked())
    cells = (await start(playback)).cells
    async with house.database.transaction() as transaction:
        await transaction.execute(text("alter table experiments.run rename to gone"))
    assert (await start(playback)).cells == cells
