from collections.abc import AsyncIterator

import pytest

from cuemark.contexts.identity import wiring
from cuemark.kit import mail
from tests.databases import opened
from tests.integration.identity.house import House


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring, mail) as database:
        yield House(database)
