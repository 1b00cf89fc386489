"""The film, encoded once, and a service of each test's own that plays it."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.player import film
from tests.integration.player.origin import Service


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> film.Film:
    return film.make(tmp_path_factory.mktemp("film"))


@pytest.fixture
async def service(made: film.Film) -> AsyncIterator[Service]:
    async with Service(made) as service:
        yield service
