"""``cuemark experiment`` against a gateway with the real experiments."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cuemark.app.cli.main import commands
from cuemark.contexts.experiments import wiring
from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import SystemClock
from cuemark.kit.ids import Ids
from tests.databases import opened
from tests.integration.gateway.listening import folder_of, free_port, listening
from tests.unit.gateway.neighbours import Town

GOAL = "player.buffering_goal_s"
WRITTEN = {
    "layer": "player",
    "share_bp": 1250,
    "cells": [{"name": "control"}, {"name": "longer", "settings": {GOAL: 60}}],
}


@dataclass(frozen=True)
class House:
    folder: Path

    async def cli(self, *arguments: str, exits: int = 0) -> Result:
        argv = ["experiment", arguments[0], "--data", str(self.folder), *arguments[1:]]
        done = await asyncio.to_thread(CliRunner().invoke, commands, argv)
        assert done.exit_code == exits, (done.output, done.exception)
        return done

    async def json(self, *arguments: str) -> Any:
        done = await self.cli(*arguments, "--json")
        return json.loads(done.stdout.splitlines()[-1])

    def file(self, written: object) -> str:
        path = self.folder / "experiment.json"
        path.write_text(written if isinstance(written, str) else json.dumps(written))
        return str(path)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    town, clock, port = Town(tmp_path / "town"), SystemClock(), free_port()
    async with opened(database_url, wiring) as database:
        experiments = wiring.build(database, clock, Ids(clock)).service
        parts = replace(town.parts, experiments=experiments)
        folder = folder_of(tmp_path / "data", port)
        async with listening(build_gateway(parts), port):
            yield House(folder.root)


async def test_an_experiment_is_put_listed_and_stopped(house: House) -> None:
    assert "There are no experiments." in (await house.cli("list")).output
    put = await house.json("put", "buffer", house.file(WRITTEN))
    assert (put["state"], put["share_bp"], put["first_bucket"]) == ("running", 1250, 0)
    assert put["cells"][1] == {"name": "longer", "weight": 1, "settings": {GOAL: 60.0}}
    listed = (await house.cli("list")).output
    for told in ("buffer", "running", "12.5 %", "control (1)", "longer (1)"):
        assert told in listed
    assert (await house.json("list"))["experiments"] == [put]
    assert (await house.json("stop", "buffer"))["state"] == "stopped"
    assert "stopped" in (await house.cli("stop", "buffer")).output


async def test_what_is_no_experiment_is_refused_with_one_sentence(house: House) -> None:
    for written, said in (
        ("{", "says no experiment"),
        ({"layer": "player"}, "says no experiment"),
        (WRITTEN | {"weights": [1, 2]}, "says no experiment"),
        (WRITTEN | {"share_bp": 0}, "1 to 10000 basis points"),
        (WRITTEN | {"cells": [{"name": "a"}]}, "compares 2 to 20 cells"),
    ):
        done = await house.cli("put", "buffer", house.file(written), exits=1)
        assert said in " ".join(done.output.split())
    await house.cli("put", "buffer", house.file(WRITTEN))
    done = await house.cli("put", "buffer", house.file(WRITTEN | {"share_bp": 1251}), exits=1)
    assert "would move members from cell to cell" in " ".join(done.output.split())
    assert "no experiment of this name" in (await house.cli("stop", "none", exits=1)).output
    assert (await house.cli("put", "buffer", "/nowhere.json", exits=2)).exit_code == 2
