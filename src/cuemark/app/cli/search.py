"""``cuemark search``: what is found, and the index that it is found in."""

import time
from urllib.parse import urlencode

import click
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, console, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.search import Index, Match
from cuemark.gateway.search_views import SearchView

PATH = "/search/index"
POLL_S = 0.2


@click.command()
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 200), default=24, show_default=True)
@click.option("--language", default="", metavar="TAG", help="Whose names are shown, such as de.")
@click.option("--json", "as_json", is_flag=True)
def find(folder: DataFolder, text: str, limit: int, language: str, as_json: bool) -> None:
    """Find what TEXT is part of the name of, or who or what it is about, as operators do: also
    what nobody may be shown yet."""
    query = urlencode({"text": text, "limit": limit, "language": language})
    with Operator(folder) as operator:
        found = operator.get(f"/search?{query}", SearchView)
    if as_json:
        print_json(found)
        return
    if not found.hits:
        plain.print("Nothing was found.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("Name", "", "Found in", "Id"):
        table.add_column(name, overflow="fold")
    for hit in found.hits:
        kind = hit.work.kind if hit.work else hit.what
        table.add_row(as_is(hit.name), kind, as_is(_told(hit.why)), hit.hit_id)
    plain.print(table)


@click.command("index")
@click.option("--json", "as_json", is_flag=True)
def show_index(folder: DataFolder, as_json: bool) -> None:
    """Say which index is searched, and how many changes it has not taken in yet."""
    with Operator(folder) as operator:
        _tell(operator.get(PATH, Index), as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True)
def reindex(folder: DataFolder, as_json: bool) -> None:
    """Build a new index from the catalog. Until it is whole the one before is searched."""
    with Operator(folder) as operator:
        index = operator.post(PATH, {}, Index)
        number = index.building
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed} works"),
            console=console,
        ) as progress:
            task = progress.add_task("Indexing", total=max(index.works, 1))
            while number is not None and index.building == number:
                time.sleep(POLL_S)
                index = operator.get(PATH, Index)
                progress.update(task, completed=index.built)
    _tell(index, as_json)


def _tell(index: Index, as_json: bool) -> None:
    if as_json:
        print_json(index)
        return
    if index.number == 0:
        plain.print("The first index is not whole yet.")
    else:
        plain.print(f"Index {index.number} has {index.works} works; {index.waiting} changes wait.")
    if index.building is not None:
        plain.print(f"Index {index.building} is built: {index.built} works so far.")


def _told(why: list[Match]) -> str:
    return ", ".join(f"{each.field}: {each.text}" for each in why)
