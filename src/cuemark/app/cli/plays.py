"""``cuemark plays``: what is being watched, and the end of it."""

from urllib.parse import quote

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.playback import PlayEnded, PlayPage

MOST_SHOWN = 50


@click.command()
@click.option("--json", "as_json", is_flag=True)
def list_plays(folder: DataFolder, as_json: bool) -> None:
    """List the plays that run, the newest first."""
    with Operator(folder) as operator:
        page = operator.get(f"/plays?limit={MOST_SHOWN}", PlayPage)
    if as_json:
        print_json(page)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Play", "Title", "Device", "Since"):
        table.add_column(column, no_wrap=column == "Play")
    for play in page.plays:
        since = f"{play.started_at:%Y-%m-%d %H:%M}"
        table.add_row(play.session_id, play.title_id, as_is(play.device), since)
    plain.print(table if page.plays else "Nobody plays anything now.")


@click.command()
@click.argument("session_id", metavar="PLAY")
def stop(folder: DataFolder, session_id: str) -> None:
    """End a play: its media and its keys are refused from within a second on."""
    with Operator(folder) as operator:
        operator.post(f"/plays/{quote(session_id, safe='')}/stop", {}, PlayEnded)
    plain.print(f"{session_id} is over.")
