"""``cuemark farm``: the workers, what each does for how long, and what waits."""

import click
from rich.table import Table
from rich.text import Text

from cuemark.app.cli.client import Operator
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.cli.titles import all_titles
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.farm import Farm, WorkerState
from cuemark.contracts.encoding.jobs import Job


@click.command()
@click.option("--json", "as_json", is_flag=True)
def farm(folder: DataFolder, as_json: bool) -> None:
    """Say which workers there are, what each does, and what waits."""
    with Operator(folder) as operator:
        found = operator.get("/farm", Farm)
        if as_json:
            print_json(found)
            return
        names = _titles_in_hand(operator, found)
    workers = Table(box=None, pad_edge=False)
    for column in ("Host", "Worker", "State", "In hand", "For"):
        workers.add_column(column)
    for each in found.workers:
        workers.add_row(
            as_is(each.host), as_is(each.executor_id), _state(each), *_in_hand(each, names)
        )
    queues = Table(box=None, pad_edge=False)
    for column in ("Priority", "Jobs", "Tasks in hand", "Tasks waiting"):
        queues.add_column(column, justify="left" if column == "Priority" else "right")
    for queue in found.queues:
        queues.add_row(queue.priority, str(queue.jobs), str(queue.in_hand), str(queue.waiting))
    if found.workers:
        plain.print(workers)
    else:
        plain.print("No worker has been heard yet.")
    plain.print()
    plain.print(queues)


def _titles_in_hand(operator: Operator, found: Farm) -> dict[str, str]:
    """The names of the titles that are worked on, by version."""
    versions = {each.in_hand.version_id for each in found.workers if each.in_hand}
    if not versions:
        return {}
    titles = {title.title_id: title.name for title in all_titles(operator)}
    of = {each: operator.get(f"/jobs/{each}", Job).title_id for each in versions}
    return {version_id: titles.get(title_id, title_id) for version_id, title_id in of.items()}


def _state(worker: WorkerState) -> Text:
    if worker.state == "lost":
        return Text(f"lost, silent for {worker.heard_s:.0f} s", style="red")
    return Text(worker.state)


def _in_hand(worker: WorkerState, names: dict[str, str]) -> tuple[str, str]:
    work = worker.in_hand
    if work is None:
        return "", ""
    made_for = f", {as_is(work.made_for)}" if work.made_for else ""
    title = as_is(names.get(work.version_id, work.version_id))
    return f"{title}: {work.stage}, {work.kind}{made_for}", f"{work.since_s:.0f} s"
