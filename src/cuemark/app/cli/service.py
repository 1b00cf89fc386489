"""``cuemark down`` and ``cuemark status``."""

import contextlib
import os
import signal
import time

import click
import psutil

from cuemark.app import state
from cuemark.app.cli.failure import Down, Failure
from cuemark.app.cli.output import console
from cuemark.app.cli.titles import TitleView
from cuemark.app.folder import DataFolder
from cuemark.app.state import Phase, Running
from cuemark.contracts.encoding.jobs import Job
from cuemark.contracts.steering import ApplianceState

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
