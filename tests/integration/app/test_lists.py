"""What the command line lists is all there is, however many pages that takes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cuemark.app.cli.client import Operator
from cuemark.app.cli.titles import TitlePage, all_titles
from cuemark.app.folder import DataFolder
from cuemark.contexts.catalog import wiring
from cuemark.contracts.catalog import CreateTitle
from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import SystemClock
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.pages import MOST_ROWS
from tests.databases import opened
from tests.integration.gateway.listening import folder_of, free_port, listening, url_of
from tests.unit.gateway.neighbours import Town

TITLES = 2 * MOST_ROWS + 1


@pytest.fixture
async def folder(tmp_path: Path, database_url: str) -> AsyncIterator[DataFolder]:
    """The data folder of a gateway that serves, with a real catalog of three pages behind it."""
    port = free_port()
    folder = folder_of(tmp_path / "data", port)
    async with opened(database_url, wiring) as database:
        clock = SystemClock()
        room = wiring.build(database, Log(clock), clock, Ids(clock))
        for number in range(TITLES):
            await room.service.create_title(CreateTitle(name=f"Film {number}"))
        for follower in room.followers:
            await follower.catch_up()
        parts = replace(Town(tmp_path, url_of(port), clock).parts, catalog=room.service)
        async with listening(build_gateway(parts), port):
            yield folder


async def test_every_page_of_a_list_is_read_once(folder: DataFolder) -> None:
    with Operator(folder) as operator:
        pages = await asyncio.to_thread(lambda: list(operator.pages("/titles", TitlePage)))
        titles = await asyncio.to_thread(all_titles, operator)
    assert [len(page.titles) for page in pages] == [MOST_ROWS, MOST_ROWS, 1]
    assert [title.name for title in titles] == [f"Film {n}" for n in reversed(range(TITLES))]
