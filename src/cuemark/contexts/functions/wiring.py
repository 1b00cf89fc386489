"""Functions, built: the service for the control process, the runner for a process of its own."""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from cuemark.contexts.functions import store
from cuemark.contexts.functions.model.header import FunctionInvalid, Kinds
from cuemark.contexts.functions.service import FunctionsService
from cuemark.contexts.functions.store import SCHEMA
from cuemark.contexts.functions.tools import running
from cuemark.contexts.functions.tools.running import Happened
from cuemark.contexts.functions.tools.shelf import Code, Shelf, code_at
from cuemark.contexts.functions.workflow.giving import Giver, NotGiven
from cuemark.contexts.functions.workflow.runner import READERS, Runner, reader_of
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.functions import Functions
from cuemark.kit.boxing import Outcome
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids, is_id
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import EVENT, Entry, Follower, Log, leap_all
from cuemark.kit.room import Room

__all__ = [
    "MIGRATIONS",
    "SCHEMA",
    "Code",
    "FunctionInvalid",
    "Happened",
    "NotGiven",
    "build",
    "code_at",
    "event_for",
    "kinds_of",
    "run_functions",
    "set_aside",
    "try_once",
]

MIGRATIONS = Path(__file__).parent / "migrations"
RESTORED = "a backup was restored that was made before it had ended"


def kinds_of(events: Mapping[str, type[msgspec.Struct]]) -> Kinds:
    """The kinds of event, from their messages by ``topic.Name``."""
    return Kinds({name: frozenset(each.__struct_fields__) for name, each in events.items()})


def build(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    folder: Path,
    results: Path,
    kinds: Kinds,
) -> Room[Functions]:
    """The functions for a control process: it tells of runs, and runs none.

    ``folder`` is where the functions are, ``results`` where the runner keeps what they leave.
    """

    async def ignore(transaction: object, entry: Entry) -> None:
        return None

    def reader(name: str) -> Follower:
        return Follower(reader_of(name), [], database, log, ignore)

    return Room(Functions, FunctionsService(database, clock, Shelf(folder, kinds), results, reader))


async def run_functions(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    ids: Ids,
    catalog: Catalog,
    encoding: Encoding,
    objects: Objects,
    folder: Path,
    results: Objects,
    kinds: Kinds,
    tools: Mapping[str, Path],
) -> None:
    """Run functions until SIGTERM or SIGINT. One of these to an install."""
    runner = Runner(
        database=database,
        log=log,
        clock=clock,
        ids=ids,
        shelf=Shelf(folder, kinds),
        giver=Giver(catalog, encoding, objects),
        results=results,
        tools=tools,
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, runner.stop)
    await runner.run()


async def event_for(database: Database, log: Log, code: Code, event_id: str) -> Entry | None:
    """The event of an id, or the newest that a function is bound to where the id is empty."""
    async with database.transaction() as transaction:
        if event_id:
            return await log.find(transaction, event_id) if is_id(event_id, EVENT) else None
        kinds = [tuple(kind.split(".", 1)) for kind in code.bound.kinds]
        found = await log.newest(transaction, [(topic, kind) for topic, kind in kinds], 1)
        return found[0] if found else None


async def try_once(
    code: Code,
    event: Happened,
    *,
    catalog: Catalog,
    encoding: Encoding,
    objects: Objects,
    tools: Mapping[str, Path],
    folder: Path,
    output: Path | None,
) -> Outcome:
    """Run a function on an event once, on no record; what it leaves goes to ``output``.

    Raises ``NotGiven`` where something is not there that it reads.
    """
    given = await Giver(catalog, encoding, objects).give(code.bound.header.reads, bytes(event.body))
    outcome = await running.attempt(code, event, "run_tried", 1, given, tools, folder)
    if output is not None and outcome.failure is None:
        shutil.copytree(outcome.output, output, dirs_exist_ok=True)
    return outcome


def set_aside(connection: Connection) -> None:
    """After a restore: nothing that was told before is run unless somebody asks for it."""
    store.set_aside(connection, RESTORED)
    leap_all(connection, READERS)
