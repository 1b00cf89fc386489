"""Lines from nginx's log to control, with control well, busy, away and of another mind."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.telemetry import (
    ApplianceUnknown,
    Line,
    LinesInvalid,
    LinesTaken,
    TakeLines,
)
from cuemark.edge import shipping
from cuemark.edge.access_log import AccessLog
from cuemark.edge.shipping import Shipping
from cuemark.edge.spool import Spool
from cuemark.kit.clock import ManualClock
from cuemark.kit.errors import Unavailable

TAKEN = LinesTaken(taken=True)
Answer = LinesTaken | Exception


class Control:
    """Gives the answers that it was told to give, then takes everything."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[TakeLines] = []

    async def take(self, request: TakeLines) -> LinesTaken:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else TAKEN
        if isinstance(answer, Exception):
            raise answer
        return answer

    def paths(self) -> list[str]:
        """Of the lines of each batch that came, in their order."""
        bodies = b"".join(gzip.decompress(batch.body) for batch in self.asked)
        return [json.loads(line)["path"] for line in bodies.splitlines()]


class Appliance:
    """Its log, its spool, and what is sent from there."""

    def __init__(self, folder: Path, take: Callable[[TakeLines], Awaitable[LinesTaken]]) -> None:
        self.log = folder / "access.jsonl"
        self.spool = Spool(folder, 1 << 20, ManualClock().now())
        log = AccessLog(self.log, self.spool.read_to, every_line=True)
        self.counted: list[Line] = []
        appliance_id, count = ApplianceId("appliance-1"), self.counted.extend
        self.shipping = Shipping(appliance_id, log, self.spool, take, count)

    def serve(self, *paths: str) -> None:
        with self.log.open("a") as file:
            for path in paths:
                line = {"at_s": 1.5, "status": 200, "path": path, "cache": "cuemark-a; hit"}
                file.write(json.dumps(line) + "\n")

    def gather(self) -> None:
        while self.shipping.gather_some():
            pass


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATHER_S", "LOOK_S", "AWAY_S", "REFUSED_S"):
        monkeypatch.setattr(shipping, name, 0.005)


@contextlib.asynccontextmanager
async def at_work(appliance: Appliance) -> AsyncIterator[None]:
    work = [
        asyncio.create_task(appliance.shipping.gather()),
        asyncio.create_task(appliance.shipping.ship()),
    ]
    try:
        yield
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not ready():
            await asyncio.sleep(0.002)


async def test_what_nginx_logs_is_at_control_soon(tmp_path: Path) -> None:
    control = Control()
    appliance = Appliance(tmp_path, control.take)
    async with at_work(appliance):
        appliance.serve("1.m4s", "2.m4s")
        await until(lambda: len(control.asked) == 1 and not len(appliance.spool))
        appliance.serve("3.m4s")
        await until(lambda: len(control.asked) == 2 and not len(appliance.spool))
    assert control.paths() == ["1.m4s", "2.m4s", "3.m4s"]
    assert [batch.sequence for batch in control.asked] == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        Unavailable("away"),
        LinesTaken(taken=False, wait_s=0.01),
        ApplianceUnknown("The appliance appliance-1 is not enrolled here."),
    ],
)
async def test_a_batch_that_was_not_taken_comes_again_as_it_was(
    tmp_path: Path, answer: Answer
) -> None:
    control = Control(answer, answer)
    appliance = Appliance(tmp_path, control.take)
    appliance.serve("1.m4s")
    async with at_work(appliance):
        await until(lambda: len(control.asked) == 3 and not len(appliance.spool))
    assert control.asked[0] == control.asked[1] == control.asked[2]


async def test_a_batch_that_is_refused_for_good_keeps_none_behind_it_waiting(
    tmp_path: Path,
) -> None:
    control = Control(LinesInvalid("The batch is no gzip."))
    appliance = Appliance(tmp_path, control.take)
    for path in ("1.m4s", "2.m4s"):
        appliance.serve(path)
        appliance.gather()
    async with at_work(appliance):
        await until(lambda: len(control.asked) == 2 and not len(appliance.spool))
    assert [batch.sequence for batch in control.asked] == [1, 2]


async def test_control_says_how_long_to_wait_and_is_not_asked_before(tmp_path: Path) -> None:
    control = Control(LinesTaken(taken=False, wait_s=30))
    appliance = Appliance(tmp_path, control.take)
    appliance.serve("1.m4s")
    async with at_work(appliance):
        await until(lambda: len(control.asked) == 1)
        await asyncio.sleep(0.05)
    assert len(control.asked) == 1
    assert len(appliance.spool) == 1


async def test_killed_at_any_moment_it_tells_each_line_once(tmp_path: Path) -> None:
    """Each life of the agent ends without a word, before or after what it read was sent."""
    control = Control()
    told = []
    for life in range(6):
        appliance = Appliance(tmp_path, control.take)
        for number in range(3):
            told.append(f"{life}-{number}.m4s")
            appliance.serve(told[-1])
            if number < life % 3:
                appliance.shipping.gather_some()
    appliance = Appliance(tmp_path, control.take)
    async with at_work(appliance):
        await until(lambda: len(control.paths()) >= len(told) and not len(appliance.spool))
    assert sorted(control.paths()) == sorted(told)
    names = {(batch.epoch, batch.sequence) for batch in control.asked}
    assert len(names) == len(control.asked)
