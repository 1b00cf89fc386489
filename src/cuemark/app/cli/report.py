"""``cuemark report``: how a version came about, as one HTML file."""

import webbrowser
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import click

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import plain, print_json
from cuemark.app.cli.titles import title_named
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.jobs import Job, JobPage
from cuemark.contracts.encoding.reports import VersionReport


@click.command()
@click.argument("what", metavar="VERSION|TITLE")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it here.")
@click.option("--open", "show", is_flag=True, help="Open it in this machine's browser.")
@click.option("--json", "as_json", is_flag=True)
def report(folder: DataFolder, what: str, output: Path | None, show: bool, as_json: bool) -> None:
    """Write the report of a version, or of a title's newest one, to one HTML file.

    Ladder, rate and quality, VMAF over time, worst frames, bitrates, and what it cost in CPU,
    bytes and (estimated) watt-hours: a page that needs nothing but itself.
    """
    with Operator(folder) as operator:
        version_id = what if what.startswith("ver_") else _newest(operator, what)
        where = f"/versions/{quote(version_id, safe='')}/report"
        page = operator.get_bytes(where)
        found = operator.get(f"{where}.json", VersionReport) if as_json else None
    path = output or Path(f"{version_id}.html")
    try:
        path.write_bytes(page)
    except OSError as error:
        raise Failure(
            f"{path} cannot be written ({error.strerror}): choose another with --output"
        ) from error
    if found is not None:
        print_json(
            {
                "version_id": version_id,
                "path": str(path.resolve()),
                "master": found.master,
                "effort": found.effort,
                "costs": found.costs,
                "stages": found.stages,
            }
        )
    else:
        plain.print(str(path.resolve()), soft_wrap=True, markup=False)
    if show and not webbrowser.open(path.resolve().as_uri()):
        raise Failure(f"there is no browser here to open {path} with")


def _newest(operator: Operator, name: str) -> str:
    """The newest published version of a title by its name or id, from the jobs that made it."""
    for job in jobs_of(operator, title_named(operator, name).title_id):
        if job.good_s is not None:
            return job.version_id
        if job.quick_version_id is not None:
            return job.quick_version_id
    raise Failure(f"{name} has no version yet: see `cuemark status`")


def jobs_of(operator: Operator, title_id: str) -> Iterator[Job]:
    """The title's jobs, the newest first."""
    for page in operator.pages("/jobs", JobPage):
        yield from (job for job in page.jobs if job.title_id == title_id)
