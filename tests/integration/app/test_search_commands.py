"""``cuemark search`` against a gateway with a real catalog and the real index of it."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from cuemark.app import state
from cuemark.app.cli.main import commands
from cuemark.app.folder import DataFolder
from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.rights import wiring as rights_wiring
from cuemark.contexts.search import wiring
from cuemark.gateway.app import build_gateway
from tests.contract.search.conftest import housed, in_postgresql
from tests.contract.search.house import House
from tests.databases import opened
from tests.integration.gateway.listening import free_port, listening
from tests.integration.search.test_indexing import as_object
from tests.unit.gateway.neighbours import OPERATOR, Town


@dataclass(frozen=True)
class Cuemark:
    house: House
    folder: Path

    async def run(self, *arguments: str) -> Result:
        argv = ["search", *arguments, "--data", str(self.folder)]
        return await asyncio.to_thread(CliRunner().invoke, commands, argv)

    async def said(self, *arguments: str) -> str:
        done = await self.run(*arguments)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    async def json(self, *arguments: str) -> Any:
        return json.loads((await self.said(*arguments, "--json")).splitlines()[-1])

    @asynccontextmanager
    async def indexing(self) -> AsyncIterator[None]:
        """The index is kept as a service does it, beside what is done meanwhile."""

        async def keep() -> None:
            while True:
                await self.house.settle()
                await asyncio.sleep(0.05)

        keeping = asyncio.create_task(keep())
        yield
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


@pytest.fixture
async def cuemark(tmp_path: Path, database_url: str) -> AsyncIterator[Cuemark]:
    """The gateway is in this process, so it writes no log where a command's output is looked at."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder, port = DataFolder(tmp_path / "data"), free_port()
    folder.run.mkdir(parents=True)
    (folder.root / "secrets").mkdir()
    (folder.root / "secrets" / "operator_token").write_text(OPERATOR)
    url = f"http://127.0.0.1:{port}"
    running = state.Running(
        member_url=url, api_url=f"{url}/api/v1", internal_url=url, appliances=[], pids={}
    )
    state.write(folder, state.Phase(supervisor_pid=os.getpid(), doing="serving", running=running))
    async with opened(database_url, catalog_wiring, rights_wiring, wiring) as database:
        house = await housed(as_object, database, in_postgresql)  # type: ignore[arg-type]
        parts = replace(Town(tmp_path / "town").parts, search=house.search, catalog=house.catalog)
        async with listening(build_gateway(parts), port):
            yield Cuemark(house, folder.root)
    structlog.reset_defaults()


async def test_operators_find_what_members_may_not_see_yet_with_slips_and_in_a_language(
    cuemark: Cuemark,
) -> None:
    mara = await cuemark.house.person("Mara [x] Lind")
    names = {"en": "Northern Lighthouse", "de": "Leuchtturm im Norden"}
    title = await cuemark.house.title(names, director=mara, published=False)
    await cuemark.house.settle()
    said = await cuemark.said("find", "nothern lighthous")
    assert ("Northern Lighthouse" in said, "title: " in said) == (True, True)
    found = await cuemark.json("find", "leuchturm", "--language", "de")
    told = [(hit["hit_id"], hit["name"]) for hit in found["hits"]]
    assert told == [(title, "Leuchtturm im Norden")]
    people = await cuemark.said("find", "lind")
    assert ("Mara [x] Lind" in people, "person" in people) == (True, True)
    assert len((await cuemark.json("find", "lind", "--limit", "1"))["hits"]) == 1


async def test_what_is_not_found_or_cannot_be_asked_is_said_in_a_sentence(
    cuemark: Cuemark,
) -> None:
    away = await cuemark.run("find", "salt")
    assert (away.exit_code, "Traceback" in away.stderr) == (1, False)
    assert away.stderr.strip()
    assert "The first index is not whole yet." in await cuemark.said("index")
    await cuemark.house.title("Salt")
    await cuemark.house.settle()
    assert await cuemark.said("find", "zzyzx") == "Nothing was found.\n"
    assert (await cuemark.json("find", "zzyzx"))["hits"] == []
    refused = await cuemark.run("find", "x" * 201)
    assert (refused.exit_code, bool(refused.stderr.strip())) == (1, True)
    assert (await cuemark.run("find", "salt", "--limit", "201")).exit_code == 2


async def test_a_new_index_is_built_beside_the_one_that_is_searched(cuemark: Cuemark) -> None:
    await cuemark.house.title("Salt")
    await cuemark.house.settle()
    assert "Index 1 has 1 works; 0 changes wait." in await cuemark.said("index")
    before = await cuemark.json("index")
    assert (before["number"], before["works"], before["building"]) == (1, 1, None)
    async with cuemark.indexing():
        built = await cuemark.json("reindex")
        assert (built["number"], built["works"], built["building"]) == (2, 1, None)
        assert "Index 3 has 1 works" in await cuemark.said("reindex")
    assert "Salt" in await cuemark.said("find", "salt")
