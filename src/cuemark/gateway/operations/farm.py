"""The encode farm on the page of operations: its workers and its queues."""

from cuemark.contracts.encoding.farm import Farm, WorkerState
from cuemark.gateway.operations.html import Html, el, join, table


def farm_tables(farm: Farm) -> Html:
    """Who works on what, and what waits by priority."""
    if not farm.workers:
        return el("p", "No worker has been heard yet.", class_="empty")
    heads = ["Host", "Worker", "State", "In hand", "For"]
    workers = [
        [each.host, each.executor_id, _state(each), _in_hand(each), _seconds(each)]
        for each in farm.workers
    ]
    queues = [
        [each.priority, str(each.jobs), str(each.in_hand), str(each.waiting)]
        for each in farm.queues
    ]
    return join(
        [
            table(
                f"A worker that is silent for {farm.lease_s:.0f} s is lost: others do its work",
                heads,
                workers,
                numbers=1,
            ),
            table(
                "Queues, in the order in which they are worked off",
                ["Priority", "Open jobs", "Tasks in hand", "Tasks waiting"],
                queues,
                numbers=3,
            ),
        ]
    )


def _state(worker: WorkerState) -> Html:
    if worker.state == "lost":
        return el("span", f"lost, silent for {worker.heard_s:.0f} s", class_="bad")
    return el("span", worker.state)


def _in_hand(worker: WorkerState) -> str:
    work = worker.in_hand
    if work is None:
        return ""
    return f"{work.stage}: {work.kind}{f' for {work.made_for}' if work.made_for else ''}"


def _seconds(worker: WorkerState) -> str:
    return "" if worker.in_hand is None else f"{worker.in_hand.since_s:.0f} s"
