"""What an appliance takes of what ExaBGP writes."""

import asyncio
from pathlib import Path

from cuemark.edge.bgp import MOST_LINE_BYTES
from cuemark.edge.rib import Rib
from cuemark.edge.speaker import Speaker
from tests.unit.edge.test_bgp import PEER, bgp, line, update

UP = line(state="up") + b"\n"
PATH = {"as-path": {"0": {"element": "as-sequence", "value": [64501]}}}


def announced(*prefixes: str) -> bytes:
    hops = {PEER: [{"nlri": prefix} for prefix in prefixes]}
    return update(attribute=PATH, announce={"ipv4 unicast": hops}) + b"\n"


class Listening:
    """A speaker that hears what the test writes."""

    def __init__(self, folder: Path, max_prefixes: int = 100) -> None:
        settings = bgp(max_prefixes=max_prefixes)
        self.rib = Rib(settings)
        self.table = self.rib.tables[PEER]
        self.reader = asyncio.StreamReader(limit=MOST_LINE_BYTES)
        speaker = Speaker(settings, self.table, folder, 1)
        self.task = asyncio.create_task(speaker.listen(self.reader))

    async def hear(self, data: bytes, routes: int) -> None:
        self.reader.feed_data(data)
        async with asyncio.timeout(5):
            while len(self.rib.all_routes()) != routes:
                await asyncio.sleep(0)


async def test_a_line_that_cannot_be_read_ends_the_session_and_its_routes(tmp_path: Path) -> None:
    here = Listening(tmp_path)
    await here.hear(UP + announced("8.8.8.0/24", "8.8.4.0/24"), 2)
    here.reader.feed_data(b'{"type": "update", "neighbor"\n' + announced("8.8.5.0/24"))
    assert await here.task
    assert here.rib.all_routes() == []
    assert "cannot be read" in here.table.told().complaint


async def test_a_line_without_an_end_ends_the_session_and_its_routes(tmp_path: Path) -> None:
    here = Listening(tmp_path)
    await here.hear(UP + announced("8.8.8.0/24"), 1)
    here.reader.feed_data(b"x" * (MOST_LINE_BYTES + 1))
    assert await here.task
    assert (here.rib.all_routes(), here.table.told().state) == ([], "down")


async def test_the_end_of_exabgp_ends_the_session_and_its_routes(tmp_path: Path) -> None:
    here = Listening(tmp_path)
    await here.hear(UP + announced("8.8.8.0/24"), 1)
    here.reader.feed_eof()
    assert await here.task
    assert here.rib.changes.take()[0] == [PEER]
    assert here.table.told().complaint == "ExaBGP ended"


async def test_a_router_that_is_held_is_not_listened_to(tmp_path: Path) -> None:
    here = Listening(tmp_path, max_prefixes=2)
    here.reader.feed_data(UP + announced("8.8.8.0/24", "8.8.4.0/24", "8.8.5.0/24"))
    async with asyncio.timeout(5):
        assert await here.task
    assert (here.table.told().state, here.rib.all_routes()) == ("held", [])
