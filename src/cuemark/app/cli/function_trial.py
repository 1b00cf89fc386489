"""``cuemark functions try``: a function run once, on no record."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from cuemark.app import settings
from cuemark.app.cli.failure import Down, Failure
from cuemark.app.cli.functions import code_in
from cuemark.app.cli.output import print_json, printable
from cuemark.app.folder import DataFolder
from cuemark.app.functions import channel_of, tools
from cuemark.app.system import Install, install_on
from cuemark.contexts.functions.wiring import Code, Happened, NotGiven, event_for, try_once
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.kit.boxing import Outcome
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.errors import UNREADABLE, Unavailable
from cuemark.kit.link import connect
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An event as somebody writes it down, for a function to be tried on."""

    kind: str
    body: msgspec.Raw
    key: str = ""


@click.command("try")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--event",
    "event_id",
    default="",
    metavar="ID|FILE.json",
    help="The event's id, or a file with kind and body; the newest that fits where not given.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Put what it leaves into this folder.",
)
@click.option("--json", "as_json", is_flag=True)
def try_function(
    folder: DataFolder, path: Path, event_id: str, output: Path | None, as_json: bool
) -> None:
    """Run the function in FILE once on an event, in its box and on no record."""
    code = code_in(path)
    if not (folder.root / "secrets").is_dir():
        raise Down(f"Cuemark never ran on {folder.root}: start it with `cuemark up`")
    install = install_on(folder, settings.load(folder.root))
    event, outcome = asyncio.run(_try(install, code, event_id, output))
    failure = "" if outcome.failure is None else str(outcome.failure)
    if as_json:
        print_json(
            {
                "event_id": event.id,
                "event": event.kind,
                "failure": failure,
                "said": outcome.said,
                "spent": outcome.spent,
            }
        )
    else:
        click.echo(f"{code.name} on {event.kind} of {event.key} (event {event.id})", err=True)
        for said, err in ((outcome.said.stdout, False), (outcome.said.stderr, True)):
            for line in said.splitlines():
                click.echo(printable(line), err=err)
        click.echo(f"{outcome.spent.wall_s:.1f} s, {outcome.spent.cpu_s:.1f} CPU-s", err=True)
    if failure:
        raise Failure(f"{code.name} failed: {failure}")


async def _try(
    install: Install, code: Code, event_id: str, output: Path | None
) -> tuple[Happened, Outcome]:
    channel = channel_of(install, "functions-try")
    try:
        event = await _event(install, code, event_id)
        with tempfile.TemporaryDirectory(prefix="cuemark-function-") as work:
            outcome = await try_once(
                code,
                event,
                catalog=connect(Catalog, channel),
                encoding=connect(Encoding, channel),
                objects=Objects(install.folder.objects, writer="functions-try"),
                tools=tools(),
                folder=Path(work),
                output=output,
            )
    except NotGiven as error:
        raise Failure(str(error)) from error
    finally:
        await channel.close()
    return event, outcome


async def _event(install: Install, code: Code, event_id: str) -> Happened:
    if event_id.endswith(".json"):
        return _written(Path(event_id))
    database = Database(install.database_url, pool_size=1)
    try:
        entry = await event_for(database, Log(SystemClock()), code, event_id)
    except Unavailable as error:
        raise Down(
            f"{error}: start Cuemark with `cuemark up`, or give --event FILE.json"
        ) from error
    finally:
        await database.close()
    if entry is None and event_id:
        raise Failure(f"the log has no event {event_id}: `cuemark functions runs --json` has some")
    if entry is None:
        kinds = ", ".join(code.bound.kinds)
        raise Failure(f"the log has no event of {kinds} yet: give one with --event FILE.json")
    return Happened(
        id=entry.event_id,
        kind=f"{entry.topic}.{entry.kind}",
        key=entry.key,
        occurred_at=entry.occurred_at,
        trace_id=entry.trace_id,
        body=msgspec.Raw(entry.body),
    )


def _written(path: Path) -> Happened:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Written)
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    except UNREADABLE as error:
        raise Failure(f"{path} is no event, which has `kind` and `body`: {error}") from error
    return Happened(
        id="evt_tried",
        kind=found.kind,
        key=found.key,
        occurred_at=datetime.now(UTC),
        trace_id="",
        body=found.body,
    )
