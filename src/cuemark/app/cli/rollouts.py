"""``cuemark rollout``: another release for the appliances, wave by wave."""

import time
from collections import Counter
from urllib.parse import quote

import click
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.steering.rollouts import Rollout, RolloutChange, RolloutPolicy

WATCH_S = 1.0
_USUAL = RolloutPolicy()


@click.command()
@click.argument("release")
@click.option(
    "--waves",
    default=",".join(_USUAL.waves),
    show_default=True,
    help="How many appliances run it after each wave but the last.",
)
@click.option("--soak-s", default=_USUAL.soak_s, show_default=True, help="How long a wave is held.")
@click.option("--drain-s", default=_USUAL.drain_s, show_default=True, help="How long each drains.")
@click.option(
    "--deadline-s", default=_USUAL.deadline_s, show_default=True, help="When each has to be back."
)
@click.option(
    "--at-once",
    "at_once_percent",
    default=_USUAL.at_once_percent,
    show_default=True,
    help="How many percent of a region and tier may be out at a time; one may always.",
)
@click.option("--allow-last", is_flag=True, help="Take also the last fit one of a region and tier.")
@click.option("--json", "as_json", is_flag=True)
def start(
    folder: DataFolder,
    release: str,
    waves: str,
    soak_s: int,
    drain_s: int,
    deadline_s: int,
    at_once_percent: int,
    allow_last: bool,
    as_json: bool,
) -> None:
    """Bring all appliances that can be updated to RELEASE, wave by wave."""
    policy = RolloutPolicy(
        waves=[each.strip() for each in waves.split(",") if each.strip()],
        soak_s=soak_s,
        drain_s=drain_s,
        deadline_s=deadline_s,
        at_once_percent=at_once_percent,
        allow_last=allow_last,
    )
    with Operator(folder) as operator:
        found = operator.post("/rollouts", {"release": release, "policy": policy}, Rollout)
    _print(found, as_json)


@click.command()
@click.option("--watch", is_flag=True, help="Until it is over, or halted.")
@click.option("--json", "as_json", is_flag=True)
def show(folder: DataFolder, watch: bool, as_json: bool) -> None:
    """Say how far the last rollout is, and what it waits for."""
    with Operator(folder, patience_s=30) as operator:
        found = _last(operator)
        told = ""
        while watch and found.standing == "running":
            if (now := _headline(found)) != told:
                plain.print(as_is(now), soft_wrap=True)
                told = now
            time.sleep(WATCH_S)
            found = _last(operator)
    _print(found, as_json)
    if watch and found.standing == "halted":
        raise Failure("the rollout is halted")


@click.command()
def pause(folder: DataFolder) -> None:
    """Tell no further appliance. Those that were told come back with the release."""
    _change(folder, "pause")


@click.command()
def resume(folder: DataFolder) -> None:
    """Go on with a rollout that is paused or halted, and try those that failed once more."""
    _change(folder, "resume")


@click.command()
def undo(folder: DataFolder) -> None:
    """Bring the appliances of the last rollout back to what they ran before."""
    _change(folder, "undo")


def _change(folder: DataFolder, change: RolloutChange) -> None:
    with Operator(folder) as operator:
        path = f"/rollouts/{quote(_last(operator).rollout_id, safe='')}"
        found = operator.post(path, {"change": change}, Rollout)
    _print(found, as_json=False)


def _last(operator: Operator) -> Rollout:
    return operator.get("/rollouts/last", Rollout)


def _print(rollout: Rollout, as_json: bool) -> None:
    if as_json:
        print_json(rollout)
        return
    plain.print(as_is(_headline(rollout)), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for column in ("Appliance", "Phase", "Since", "Is to run", "Ran", ""):
        table.add_column(column)
    for each in rollout.members:
        since = f"{each.since:%Y-%m-%d %H:%M:%S}"
        reason = as_is(each.reason)
        table.add_row(each.appliance_id, each.phase, since, each.target, each.before, reason)
    plain.print(table)


def _headline(rollout: Rollout) -> str:
    what = f"To {rollout.release}" if rollout.release else "Back to what they ran"
    waves = len(rollout.policy.waves) + 1
    counted = Counter(each.phase for each in rollout.members)
    counts = ", ".join(f"{count} {phase}" for phase, count in sorted(counted.items()))
    why = f": {rollout.reason}" if rollout.reason else ""
    return f"{what}: {rollout.standing}, wave {rollout.wave} of {waves}, {counts}{why}"
