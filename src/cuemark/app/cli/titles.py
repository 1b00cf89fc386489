"""``cuemark titles``: what there is to watch."""

from datetime import datetime

import click
import msgspec
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, duration, plain, print_json
from cuemark.app.cli.times import minute
from cuemark.app.folder import DataFolder


class TitleView(msgspec.Struct, frozen=True, kw_only=True):
    title_id: str
    name: str
    quality: str
    duration_s: float
    series: str = ""
    launch_at: datetime | None = None
    launched: bool = True


class TitlePage(msgspec.Struct, frozen=True, kw_only=True):
    titles: list[TitleView]
    next_cursor: str = ""


def all_titles(operator: Operator) -> list[TitleView]:
    """Every title, published or not."""
    return [title for page in operator.pages("/titles", TitlePage) for title in page.titles]


def title_named(operator: Operator, name: str) -> TitleView:
    """The title with this name or id; raises ``Failure`` where there is none, or are several."""
    fitting = [title for title in all_titles(operator) if name in (title.title_id, title.name)]
    if not fitting:
        raise Failure(f"no title is named {name!r}: see `cuemark titles`")
    if len(fitting) > 1:
        ids = ", ".join(title.title_id for title in fitting[:5])
        raise Failure(f"{len(fitting)} titles are named {name!r}: give an id, one of {ids}")
    return fitting[0]


@click.command()
@click.option("--json", "as_json", is_flag=True)
def titles(folder: DataFolder, as_json: bool) -> None:
    """List the titles."""
    with Operator(folder) as operator:
        found = all_titles(operator)
    if as_json:
        print_json({"titles": found})
        return
    if not found:
        plain.print('There are no titles yet: add one with `cuemark ingest FILM --title "..."`.')
        return
    plain.print(_table(found))


def _table(found: list[TitleView]) -> Table:
    """A column that would be empty is left out; names are broken before anything else is."""
    of_series = any(title.series for title in found)
    ahead = any(not title.launched for title in found)
    table = Table(box=None, pad_edge=False)
    table.add_column("Title", overflow="fold")
    if of_series:
        table.add_column("Series", overflow="fold")
    table.add_column("Length", no_wrap=True)
    table.add_column("Quality", no_wrap=True)
    if ahead:
        table.add_column("Launch (UTC)", no_wrap=True)
    table.add_column("Id", no_wrap=True)
    for title in found:
        row = [as_is(title.name)]
        row += [as_is(title.series)] if of_series else []
        row += [duration(title.duration_s) if title.duration_s else "", title.quality]
        if ahead:
            row += [minute(title.launch_at) if title.launch_at and not title.launched else ""]
        table.add_row(*row, title.title_id)
    return table
