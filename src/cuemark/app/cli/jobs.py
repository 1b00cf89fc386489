"""``cuemark jobs``: the making of titles, looked at and steered."""

import getpass
import os
import platform
import shlex
import time
from typing import get_args
from urllib.parse import quote

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.titles import all_titles
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.jobs import (
    Job,
    JobEvent,
    JobEventPage,
    JobPage,
    Priority,
    TaskFailure,
)

POLL_S = 0.5
MOST_SHOWN = 50
OVER = ("done", "failed")


@click.command()
@click.option("--json", "as_json", is_flag=True)
def list_jobs(folder: DataFolder, as_json: bool) -> None:
    """List the newest jobs."""
    with Operator(folder) as operator:
        page = operator.get(f"/jobs?limit={MOST_SHOWN}", JobPage)
        names = {title.title_id: title.name for title in all_titles(operator)}
    if as_json:
        print_json(page)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Version", "Title", "Priority", "State"):
        table.add_column(column, no_wrap=column == "Version")
    for job in page.jobs:
        name = as_is(names.get(job.title_id, job.title_id))
        table.add_row(job.version_id, name, job.priority, state_of(job))
    plain.print(table)


@click.command()
@click.argument("version_id", metavar="VERSION")
@click.option("--json", "as_json", is_flag=True)
def show(folder: DataFolder, version_id: str, as_json: bool) -> None:
    """Show a job: how far it is, or why it failed, with the log of what failed."""
    with Operator(folder) as operator:
        job = operator.get(_path(version_id), Job)
    if as_json:
        print_json(job)
        return
    lines = [f"{job.version_id}: {state_of(job)}, priority {job.priority}"]
    lines += [f"  {each.stage}: {each.done} of {each.total}" for each in job.stages]
    lines += [as_is(each) for each in (job.waiting, job.error) if each]
    lines += [f"Note: {as_is(note)}" for note in job.notes]
    if job.failure is not None:
        lines += _log_lines(job.failure)
    plain.print("\n".join(lines), soft_wrap=True)


@click.command()
@click.argument("version_id", metavar="VERSION")
@click.argument("wanted", metavar="PRIORITY", type=click.Choice(get_args(Priority)))
@click.option("--json", "as_json", is_flag=True)
def priority(folder: DataFolder, version_id: str, wanted: Priority, as_json: bool) -> None:
    """Say whose turn a job is: PRIORITY is premiere, normal or backlog."""
    with Operator(folder) as operator:
        job = operator.put(f"{_path(version_id)}/priority", {"priority": wanted}, Job)
    _tell(job, f"{job.version_id} is {job.priority} now.", as_json)


@click.command()
@click.argument("version_id", metavar="VERSION")
@click.option("--json", "as_json", is_flag=True)
def cancel(folder: DataFolder, version_id: str, as_json: bool) -> None:
    """End a job. Nothing more of it is published; a quick version that was stays."""
    with Operator(folder) as operator:
        job = operator.post(f"{_path(version_id)}/cancel", {"by": _me()}, Job)
    _tell(job, f"{job.version_id}: {as_is(job.error)}.", as_json)


@click.command()
@click.argument("version_id", metavar="VERSION")
@click.option("--json", "as_json", is_flag=True)
def retry(folder: DataFolder, version_id: str, as_json: bool) -> None:
    """Begin a failed or canceled job again: what was made for it is found."""
    with Operator(folder) as operator:
        job = operator.post(f"{_path(version_id)}/retry", {}, Job)
    _tell(job, f"{job.version_id} is begun again.", as_json)


@click.command()
@click.argument("version_id", metavar="VERSION")
@click.option("--json", "as_json", is_flag=True, help="Each event as one line of JSON.")
def watch(folder: DataFolder, version_id: str, as_json: bool) -> None:
    """Follow the events of a job until it is over. Exit code 1: it failed."""
    cursor = ""
    with Operator(folder) as operator:
        while True:
            job = operator.get(_path(version_id), Job)
            # Asked after the job: of one that is over the page has the last event.
            page = _events(operator, version_id, cursor)
            while page.next_cursor != cursor:
                cursor = page.next_cursor
                for event in page.events:
                    if as_json:
                        print_json(event)
                    else:
                        plain.print(_line(event), soft_wrap=True)
                page = _events(operator, version_id, cursor)
            if job.state in OVER:
                break
            time.sleep(POLL_S)
    if job.state == "failed":
        raise Failure(job.error)


def state_of(job: Job) -> str:
    """In a word; of a failed job, whether somebody wanted it so."""
    return "canceled" if job.canceled_by else job.state


def _events(operator: Operator, version_id: str, cursor: str) -> JobEventPage:
    return operator.get(f"{_path(version_id)}/events?limit=200&after={cursor}", JobEventPage)


def _line(event: JobEvent) -> str:
    at = f"{event.at.astimezone():%H:%M:%S}"
    if event.stage:
        return f"{at}  {event.stage} {event.percent} % ({event.done} of {event.total})"
    return f"{at}  {as_is(event.text)}"


def _log_lines(failure: TaskFailure) -> list[str]:
    ended = (
        f"{failure.kind} of the stage {failure.stage}, attempt {failure.attempts}"
        f"{f', on {failure.worker}' if failure.worker else ''}"
    )
    lines = [ended]
    if failure.exit_code is not None:
        how = "signal" if failure.exit_code < 0 else "exit code"
        lines.append(f"  ended with {how} {abs(failure.exit_code)}")
    if failure.command:
        lines.append(f"  {as_is(shlex.join(failure.command))}")
    lines += [f"  | {as_is(line)}" for line in failure.stderr.splitlines()]
    return lines


def _tell(job: Job, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        plain.print(sentence, soft_wrap=True)


def _path(version_id: str) -> str:
    return f"/jobs/{quote(version_id, safe='')}"


def _me() -> str:
    """Who sits here, for people to read."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        user = str(os.getuid())
    return f"{user}@{platform.node()}"
