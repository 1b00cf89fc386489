"""Encoding on a database of each test's own."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from cuemark.app.engines import postgres
from cuemark.contexts.encoding import wiring
from cuemark.contracts.encoding import Encoding
from cuemark.kit import outbox
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.ids import Ids
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.contract.encoding.house import House

TEMPLATE = "encoding_template"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def template(postgres_socket: Path) -> str:
    """A database with the schemas of encoding and of its workflows: DBOS takes a second."""
    postgres.create_database(postgres_socket, TEMPLATE)
    url = postgres.url_of(postgres_socket, TEMPLATE)
    migrate(url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(url, wiring.SCHEMA, wiring.MIGRATIONS)
    wiring.migrate_workflows(url)
    return TEMPLATE


@pytest.fixture
def encoding_url(postgres_socket: Path, template: str) -> Iterator[str]:
    """The URL of a copy of the template, of the test's own."""
    name = f"encoding_{next(_numbers)}"
    postgres.create_database(postgres_socket, name, template)
    yield postgres.url_of(postgres_socket, name)
    with psycopg.connect(
        host=str(postgres_socket), user="cuemark", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
async def house(reach: Reach, encoding_url: str, tmp_path: Path) -> AsyncIterator[House]:
    database, clock, objects = Database(encoding_url), ManualClock(), Objects(tmp_path / "objects")
    room = wiring.build(
        database=database,
        log=Log(clock),
        clock=clock,
        ids=Ids(clock),
        objects=objects,
        database_url=encoding_url,
    )
    try:
        yield House(await reach(Encoding, room.service), objects, database, clock)
    finally:
        for closer in room.closers:
            await closer()
        await database.close()
