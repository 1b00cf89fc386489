"""``cuemark status``: what runs, and how it is."""

import time
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cuemark.app import state
from cuemark.app.cli import appliances
from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Down
from cuemark.app.cli.jobs import state_of
from cuemark.app.cli.output import duration, plain, print_json
from cuemark.app.cli.titles import TitleView, all_titles
from cuemark.app.folder import DataFolder
from cuemark.app.machine import machine_of
from cuemark.app.state import Running
from cuemark.contracts.encoding.jobs import Job, JobPage
from cuemark.contracts.playback import PlayPage, RunningPlay
from cuemark.contracts.steering import ApplianceList, ApplianceState
from cuemark.kit.log_errors import LoggedError

WATCH_S = 2.0
SHOWN_ERRORS = 5
BAR_CELLS = 12


class ErrorList(msgspec.Struct, frozen=True):
    errors: list[LoggedError]


class Status(Running, frozen=True, kw_only=True):
    """``Running`` with what it serves and makes."""

    titles: list[TitleView]
    jobs: list[Job]
    appliance_states: list[ApplianceState]
    plays: list[RunningPlay]
    errors: list[LoggedError]


@click.command()
@click.option("--watch", is_flag=True, help="Renew it until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True)
def status(folder: DataFolder, watch: bool, as_json: bool) -> None:
    """Say what runs, what is made and watched, and what went wrong. Exit code 3: down."""
    if watch and not as_json:
        _watch(folder)
        return
    while True:
        found = _read(folder)
        if as_json:
            print_json(found)
        else:
            plain.print(_shown(folder, found))
        if not watch:
            return
        time.sleep(WATCH_S)


def _watch(folder: DataFolder) -> None:
    """What is down may come up again: watching goes on."""
    try:
        with Live(console=plain, auto_refresh=False, screen=plain.is_terminal) as live:
            while True:
                try:
                    live.update(_shown(folder, _read(folder)), refresh=True)
                except Down as error:
                    live.update(Text(str(error.message), style="red"), refresh=True)
                time.sleep(WATCH_S)
    except KeyboardInterrupt:
        return


def _read(folder: DataFolder) -> Status:
    with Operator(folder) as operator:
        return Status(
            **msgspec.structs.asdict(operator.running),
            titles=all_titles(operator),
            jobs=operator.get("/jobs?limit=50", JobPage).jobs,
            appliance_states=operator.get("/appliances", ApplianceList).appliances,
            plays=[play for page in operator.pages("/plays", PlayPage) for play in page.plays],
            errors=operator.get("/errors?limit=20", ErrorList).errors,
        )


def _shown(folder: DataFolder, found: Status) -> Group:
    names = {title.title_id: title.name for title in found.titles}
    parts: list[RenderableType] = [
        _head(folder, found),
        appliances.table_of(found.appliance_states),
    ]
    if found.jobs:
        parts.append(_jobs(found, names))
    if found.plays:
        parts.append(_plays(found, names))
    if found.errors:
        parts.append(_errors(found.errors))
    return Group(*(part for each in parts for part in (each, Text())))


def _head(folder: DataFolder, found: Status) -> Text:
    machine = machine_of(folder)
    head = Text(found.member_url, style="bold")
    if found.started_at is not None:
        up_s = (datetime.now(UTC) - found.started_at).total_seconds()
        head.append(f"   up {duration(up_s)}", style="")
    head.append(f"   {len(found.titles)} titles   {len(found.plays)} plays", style="not bold")
    head.append(f"   {machine.disk_free_bytes / 1e9:.0f} GB free", style="not bold")
    down = [process.name for process in machine.processes if not process.alive]
    restarted = [f"{p.name} ({p.restarts})" for p in machine.processes if p.restarts]
    if down:
        head.append(f"\nDown: {', '.join(down)}", style="red")
    if restarted:
        head.append(f"\nRestarted: {', '.join(restarted)}", style="not bold yellow")
    phase = state.read(folder)
    if phase and phase.doing != "serving":
        head.append(f"\n{phase.doing}", style="not bold")
    return head


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _state(job: Job) -> str:
    """With its effort, where that is not the usual one, and whether its pictures are marked."""
    told = [job.effort] * (job.effort != "balanced") + ["marked"] * job.marked
    return f"{state_of(job)} ({', '.join(told)})" if told else state_of(job)


def _jobs(found: Status, names: dict[str, str]) -> Table:
    table = _table("Job", "State", "Stage", "Watchable", "Good")
    for job in found.jobs:
        open_stages = [stage for stage in job.stages if stage.done < stage.total]
        stage = ", ".join(
            f"{s.stage} {_bar(s.done, s.total)} {s.done} of {s.total}" for s in open_stages[:2]
        )
        table.add_row(
            Text(names.get(job.title_id, job.title_id)),
            Text(_state(job), style="red" if job.state == "failed" else ""),
            _with_trace(job.error, job.trace_id) if job.error else Text(job.waiting or stage),
            "" if job.watchable_s is None else f"{job.watchable_s:.1f} s",
            "" if job.good_s is None else f"{job.good_s:.1f} s",
        )
    return table


def _bar(done: int, total: int) -> str:
    full = BAR_CELLS * done // max(total, 1)
    return "━" * full + "╌" * (BAR_CELLS - full)


def _plays(found: Status, names: dict[str, str]) -> Table:
    table = _table("Play", "Device", "Appliances", "Began")
    now = datetime.now(UTC)
    for play in found.plays[:20]:
        table.add_row(
            _with_trace(names.get(play.title_id, play.title_id), play.trace_id),
            Text(play.device or "unknown"),
            ", ".join(play.appliances),
            f"{duration((now - play.started_at).total_seconds())} ago",
        )
    return table


def _errors(errors: list[LoggedError]) -> Table:
    table = _table("Last errors", "In", "What")
    for error in errors[:SHOWN_ERRORS]:
        at = datetime.fromisoformat(error.at).astimezone()
        table.add_row(
            f"{at:%m-%d %H:%M:%S}", error.process, _with_trace(error.message, error.trace_id)
        )
    return table


def _with_trace(sentence: str, trace_id: str) -> Text:
    """The sentence, and below it the trace: a line of its own is never cut."""
    told = Text(sentence, overflow="fold")
    if trace_id and trace_id not in sentence:
        told.append(f"\ntrace {trace_id}", style="dim")
    return told
