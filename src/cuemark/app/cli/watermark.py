"""``cuemark watermark``: of whose session a copy is that somebody found."""

import time
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import click
import msgspec
from rich.progress import Progress
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.ingest import PATIENCE_S, progress_bars, upload_file
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.report import jobs_of
from cuemark.app.cli.titles import title_named
from cuemark.app.folder import DataFolder

POLL_S = 0.5
SHOWN = 5


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    first_segment: int
    values: list[float]
    agreement: float


class SuspectView(msgspec.Struct, frozen=True, kw_only=True):
    session_id: str
    version_id: str
    named: bool
    agreement: float
    chance: float
    started_at: datetime
    device: str
    account_id: str | None
    profile_id: str | None
    email: str


class NamingView(msgspec.Struct, frozen=True, kw_only=True):
    title_id: str
    compared: int
    verdict: str
    suspects: list[SuspectView]


class SearchView(msgspec.Struct, frozen=True, kw_only=True):
    search_id: str
    version_id: str
    state: Literal["running", "done", "failed"]
    error: str
    evidence: Evidence | None
    naming: NamingView | None


@click.command()
@click.argument("what", metavar="VERSION|TITLE")
@click.argument("copy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def find(folder: DataFolder, what: str, copy: Path, as_json: bool) -> None:
    """Say of whose session COPY is: a film file that shows some of a marked version.

    Of a TITLE it is the newest marked version. The copy is uploaded and compared with the film by
    a worker; a minute of it usually tells.
    """
    with Operator(folder, PATIENCE_S) as operator, progress_bars() as progress:
        version_id = what if what.startswith("ver_") else _marked(operator, what)
        upload_id = upload_file(operator, copy, progress)
        search = operator.post(
            f"/versions/{quote(version_id, safe='')}/mark-searches",
            {"upload_id": upload_id},
            SearchView,
        )
        search = _followed(operator, search, progress)
    if search.naming is None:
        raise Failure(search.error)
    if as_json:
        print_json(search)
        return
    if search.naming.suspects:
        plain.print(_table(search.naming))
    plain.print(as_is(search.naming.verdict), soft_wrap=True)
    for each in search.naming.suspects:
        if each.named:
            on = f", on {each.device}" if each.device else ""
            who = f"{each.session_id} is of {each.email or each.account_id}{on}."
            plain.print(as_is(who), soft_wrap=True)


def _marked(operator: Operator, name: str) -> str:
    """The newest marked version of a title by its name or id."""
    for job in jobs_of(operator, title_named(operator, name).title_id):
        if job.marked and job.good_s is not None:
            return job.version_id
        if job.marked and job.quick_version_id is not None:
            return job.quick_version_id
    raise Failure(f"no version of {name} is marked: `cuemark ingest --mark` makes such")


def _followed(operator: Operator, search: SearchView, progress: Progress) -> SearchView:
    bar = progress.add_task("search", total=None, amount="")
    while search.state == "running":
        time.sleep(POLL_S)
        search = operator.get(f"/mark-searches/{quote(search.search_id, safe='')}", SearchView)
    progress.update(bar, total=1, completed=1)
    return search


def _table(naming: NamingView) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Session", "Began", "Fits", "By chance"):
        table.add_column(column, no_wrap=True)
    for each in naming.suspects[:SHOWN]:
        table.add_row(
            each.session_id,
            f"{each.started_at.astimezone():%Y-%m-%d %H:%M}",
            f"{each.agreement:.0%}",
            f"{each.chance:.2g}",
        )
    return table
