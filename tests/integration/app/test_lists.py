"""What the command line lists is all there is, however many pages that takes."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cuemark.app import state
from cuemark.app.cli.client import Operator
from cuemark.app.cli.titles import TitlePage, all_titles
from cuemark.app.folder import DataFolder
from cuemark.app.state import Phase, Running
from cuemark.contexts.catalog import wiring
from cuemark.contracts.catalog import CreateTitle
from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import SystemClock
from cuemark.kit.ids import Ids
from cuemark.kit.objects import write_private
from cuemark.kit.outbox import Log
from cuemark.kit.pages import MOST_ROWS
from tests.databases import opened
from tests.integration.gateway.listening import free_port, listening
from tests.unit.gateway.neighbours import OPERATOR, Town

TITLES = 2 * MOST_ROWS + 1


@pytest.fixture
async def folder(tmp_path: Path, database_url: str) -> AsyncIterator[DataFolder]:
    """The data folder of a gateway that serves, with a real catalog of three pages behind it."""
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    write_private(folder.root / "secrets" / "operator_token", OPERATOR.encode())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = Running(
        member_url=url, api_url=f"{url}/api/v1", internal_url="", appliances=[], pids={}
    )
    state.write(folder, Phase(supervisor_pid=os.getpid(), doing="serving", running=running))
    async with opened(database_url, wiring) as database:
        clock = SystemClock()
        room = wiring.build(database, Log(clock), clock, Ids(clock))
        for number in range(TITLES):
            await room.service.create_title(CreateTitle(name=f"Film {number}"))
        for follower in room.followers:
            await follower.catch_up()
        parts = replace(Town(tmp_path, url, clock).parts, catalog=room.service)
        async with listening(build_gateway(parts), port):
            yield folder


async def test_every_page_of_a_list_is_read_once(folder: DataFolder) -> None:
    with Operator(folder) as operator:
        pages = await asyncio.to_thread(lambda: list(operator.pages("/titles", TitlePage)))
        titles = await asyncio.to_thread(all_titles, operator)
    assert [len(page.titles) for page in pages] == [MOST_ROWS, MOST_ROWS, 1]
    assert [title.name for title in titles] == [f"Film {n}" for n in reversed(range(TITLES))]
