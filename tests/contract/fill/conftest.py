"""Fill, in each way in which it is reached."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuemark.contexts.fill import wiring
from cuemark.kit.clock import ManualClock
from cuemark.kit.objects import Objects
from tests.contract.conftest import Reach
from tests.contract.fill.house import NOW, House
from tests.databases import opened


@pytest.fixture
async def house(reach: Reach, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(database_url, wiring) as database:
        yield House(reach, database, ManualClock(NOW), Objects(tmp_path / "objects"))
