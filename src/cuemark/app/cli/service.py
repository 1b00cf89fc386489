"""``cuemark down`` and ``cuemark status``."""

import contextlib
import os
import signal
import time

import click
import msgspec
import psutil
from rich.table import Table

from cuemark.app import state
from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Down, Failure
from cuemark.app.cli.output import console, plain, print_json
from cuemark.app.cli.titles import TitleView, all_titles
from cuemark.app.folder import DataFolder
from cuemark.app.state import Phase, Running
from cuemark.contracts.encoding import Job, JobPage
from cuemark.contracts.steering import ApplianceList, ApplianceState

STOP_LIMIT_S = 60.0


class Status(Running, frozen=True, kw_only=True):
    """``Running`` with what it serves and makes."""

    titles: list[TitleView]
    jobs: list[Job]
    appliance_states: list[ApplianceState]


@click.command()
def down(folder: DataFolder) -> None:
    """Stop Cuemark on a data folder, everything in order."""
    phase = state.read(folder)
    if phase is None:
        raise Down(f"Cuemark does not run on {folder.root}.")
    with contextlib.suppress(ProcessLookupError):
        os.kill(phase.supervisor_pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_LIMIT_S
    with console.status("Cuemark is stopping"):
        while _alive(phase):
            if time.monotonic() > deadline:
                raise Failure(f"the supervisor (pid {phase.supervisor_pid}) does not end: kill it")
            time.sleep(0.05)
    console.print("Cuemark has stopped.")


def _alive(phase: Phase) -> bool:
    try:
        return psutil.Process(phase.supervisor_pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@click.command()
@click.option("--json", "as_json", is_flag=True)
def status(folder: DataFolder, as_json: bool) -> None:
    """Say what runs, what is being encoded and how the appliances are. Exit code 3: down."""
    with Operator(folder) as operator:
        now = operator.running
        jobs = operator.get("/jobs?limit=50", JobPage).jobs
        appliances = operator.get("/appliances", ApplianceList).appliances
        found = Status(
            **msgspec.structs.asdict(now),
            titles=all_titles(operator),
            jobs=jobs,
            appliance_states=appliances,
        )
    if as_json:
        print_json(found)
        return
    plain.print(f"[bold]{now.member_url}[/]   {len(found.titles)} titles")
    plain.print(_appliance_table(found))
    if found.jobs:
        plain.print(_job_table(found))


def _appliance_table(found: Status) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Appliance", "Address", "State", "Versions", "Requests in flight"):
        table.add_column(column)
    for appliance in found.appliance_states:
        health = "healthy" if appliance.healthy else "not healthy"
        table.add_row(
            appliance.appliance_id,
            appliance.url,
            health if appliance.alive else "silent",
            str(appliance.versions),
            str(appliance.in_flight),
        )
    return table


def _job_table(found: Status) -> Table:
    names = {title.title_id: title.name for title in found.titles}
    table = Table(box=None, pad_edge=False)
    for column in ("Job", "State", "Stage", "Watchable", "Good"):
        table.add_column(column)
    for job in found.jobs:
        open_stages = [stage for stage in job.stages if stage.done < stage.total]
        stage = ", ".join(f"{s.stage} {s.done} of {s.total}" for s in open_stages[:2])
        table.add_row(
            names.get(job.title_id, job.title_id),
            job.state,
            job.error or job.waiting or stage,
            "" if job.watchable_s is None else f"{job.watchable_s:.1f} s",
            "" if job.good_s is None else f"{job.good_s:.1f} s",
        )
    return table
