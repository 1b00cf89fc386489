"""``cuemark functions``: which there are, what they were run on, and what came of it."""

from pathlib import Path
from urllib.parse import quote

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json, printable
from cuemark.app.events import EVENTS
from cuemark.app.folder import DataFolder
from cuemark.contexts.functions.wiring import Code, code_at, kinds_of
from cuemark.contracts.functions import Function, FunctionList, Run, RunPage, RunReport
from cuemark.kit.pages import MOST_ROWS

_STATE_COLORS = {"broken": "red", "dead": "red", "off": "yellow", "gone": "yellow"}


def code_in(path: Path) -> Code:
    """The function in a file; raises ``FunctionInvalid``."""
    return code_at(path, kinds_of(EVENTS))


@click.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_functions(folder: DataFolder, as_json: bool) -> None:
    """Say which functions there are, and how they do."""
    with Operator(folder) as operator:
        found = operator.get("/functions", FunctionList)
    if as_json:
        print_json(found)
        return
    if not found.functions:
        plain.print(f"There are no functions yet: put one into {found.folder}.", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Function", "State", "Waiting", "Running", "Done", "Dead", "On"):
        table.add_column(column)
    for each in found.functions:
        counts = (each.waiting, each.running, each.done, each.dead)
        told = each.complaint or ", ".join(each.on)
        table.add_row(each.name, _toned(each.state), *map(str, counts), as_is(told))
    plain.print(table)


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def check(folder: DataFolder, path: Path, as_json: bool) -> None:
    """Say whether FILE can be a function, and what it would be bound to."""
    code = code_in(path)
    if as_json:
        print_json({"name": code.name, "on": code.bound.kinds, "header": code.bound.header})
        return
    header = code.bound.header
    plain.print(f"{code.name} is run on {', '.join(code.bound.kinds)}:", soft_wrap=True)
    plain.print(
        f"{header.timeout_s} s, {header.memory_mb} MiB of memory, {header.disk_mb} MiB of disk, "
        f"{1 + header.retries} attempts, {header.concurrency} at once, "
        f"{'with' if header.network else 'without'} network.",
        soft_wrap=True,
    )


@click.command()
@click.argument("name", required=False, default="")
@click.option("--failed", is_flag=True, help="Only those that failed for good.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many."
)
@click.option("--json", "as_json", is_flag=True)
def runs(folder: DataFolder, name: str, failed: bool, limit: int, as_json: bool) -> None:
    """Show the runs of all functions, or of NAME, the newest first."""
    with Operator(folder) as operator:
        found = _runs(operator, name, failed, limit)[:limit]
    if as_json:
        print_json({"runs": found})
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Run", "Function", "State", "Tries", "Why, or on what"):
        table.add_column(column, no_wrap=column == "Run")
    for run in found:
        told = as_is(run.reason or run.event)
        table.add_row(run.run_id, run.function, _toned(run.state), str(run.attempts), told)
    plain.print(table)


def _runs(operator: Operator, name: str, failed: bool, limit: int) -> list[Run]:
    runs: list[Run] = []
    after = ""
    while len(runs) < limit:
        page = operator.get(
            f"/function-runs?limit={min(limit, MOST_ROWS)}&function={quote(name, safe='')}"
            f"&dead_only={'true' if failed else 'false'}&after={quote(after, safe='')}",
            RunPage,
        )
        runs += page.runs
        after = page.next_cursor
        if not after:
            break
    return runs


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True)
def show(folder: DataFolder, run_id: str, as_json: bool) -> None:
    """Show a RUN with all its attempts and the end of what they printed."""
    with Operator(folder) as operator:
        found = operator.get(f"/function-runs/{quote(run_id, safe='')}", RunReport)
    if as_json:
        print_json(found)
        return
    run = found.run
    click.echo(f"{run.function} on {run.event} of {run.key} (event {run.event_id}): {run.state}")
    if run.output:
        click.echo(f"what it left is in {folder.root / run.output}")
    for each in found.attempts:
        ended = "still runs" if each.ended_at is None else f"{each.wall_s:.1f} s"
        click.echo(
            f"attempt {each.number}: {ended}, {each.cpu_s:.1f} CPU-s, "
            f"{each.peak_bytes >> 20} MiB: {printable(each.reason) or 'well'}"
        )
        for stream, said in (("stdout", each.stdout), ("stderr", each.stderr)):
            for line in said.splitlines()[-20:]:
                click.echo(f"  {stream}  {printable(line)}")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True)
def retry(folder: DataFolder, run_id: str, as_json: bool) -> None:
    """Try a RUN again that failed for good."""
    with Operator(folder) as operator:
        found = operator.post(f"/function-runs/{quote(run_id, safe='')}/retry", {}, Run)
    if as_json:
        print_json(found)
        return
    plain.print(f"{run_id} is tried again: see `cuemark functions show {run_id}`", soft_wrap=True)


@click.command()
@click.argument("name")
@click.option("--from-now", is_flag=True, help="Leave out what happened while it was off.")
@click.option("--json", "as_json", is_flag=True)
def enable(folder: DataFolder, name: str, from_now: bool, as_json: bool) -> None:
    """Let function NAME go on where it was in the log."""
    _switch(folder, name, as_json, on=True, from_now=from_now)


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
def disable(folder: DataFolder, name: str, as_json: bool) -> None:
    """Let function NAME rest; what happens meanwhile waits for it in the log."""
    _switch(folder, name, as_json, on=False, from_now=False)


def _switch(folder: DataFolder, name: str, as_json: bool, *, on: bool, from_now: bool) -> None:
    with Operator(folder) as operator:
        body = {"on": on, "from_now": from_now}
        found = operator.put(f"/functions/{quote(name, safe='')}", body, Function)
    if as_json:
        print_json(found)
        return
    plain.print(f"{found.name} is {found.state}", soft_wrap=True)


def _toned(word: str) -> str:
    color = _STATE_COLORS.get(word)
    return f"[{color}]{word}[/]" if color else word
