"""``cuemark up``."""

import asyncio
import contextlib
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import click
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cuemark.app import folder_format, protection, settings, state, storage
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import console, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.app.lock import folder_lock
from cuemark.app.state import Running

START_LIMIT_S = 120.0


@click.command()
@click.option("--detach", is_flag=True, help="Return once it serves, and leave it running.")
@click.option("--json", "as_json", is_flag=True, help="Print where everything is, as JSON.")
def up(folder: DataFolder, detach: bool, as_json: bool) -> None:
    """Start Cuemark on a data folder, and keep it running until Ctrl-C."""
    chosen = settings.load(folder.root)
    protection.check_headers(folder.root, chosen.protection)
    folder_format.check(folder)
    folder.prepare()
    if bucket := storage.bucket_of(folder.root, chosen.objects):
        # Who watches a film does not need the bucket: titles wait for one that is away.
        with contextlib.suppress(storage.BucketAway):
            storage.check_bucket(bucket, folder.objects)
    if detach:
        _up_detached(folder, as_json)
        return
    with folder_lock(folder):
        # What runs an install is heavy to import, and only this process needs it.
        from cuemark.app import running
        from cuemark.kit.logs import configure_logs

        configure_logs("supervisor", folder.log_file)
        with _Screen(folder, as_json) as screen:
            asyncio.run(running.run(folder, chosen, screen.tell, screen.serving))


class _Screen:
    """The one calm screen of ``up``; without a terminal only what scripts read is printed."""

    def __init__(self, folder: DataFolder, as_json: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.tell("down" if error else "stopped")
        if self._live:
            self._live.stop()

    def tell(self, doing: str) -> None:
        if self._live:
            self._live.update(Text(f"Cuemark is {doing}", style="dim"))

    def serving(self, now: Running) -> None:
        if self._live:
            self._live.update(_where(self._folder, now))
        if self._as_json:
            print_json(now)
        elif self._live is None:
            plain.print(f"Cuemark serves at {now.member_url}")


def _where(folder: DataFolder, now: Running) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Members", Text(now.member_url, style="bold"))
    table.add_row("API", now.api_url)
    for appliance in now.appliances:
        table.add_row(appliance.id, appliance.url)
    table.add_row("Log", str(folder.log_file))
    if now.kept_backup:
        table.add_row("Before the upgrade", Text(now.kept_backup, overflow="fold"))
    table.add_row("", Text("Ctrl-C stops everything.", style="dim"))
    return table


def _up_detached(folder: DataFolder, as_json: bool) -> None:
    with folder_lock(folder):
        pass
    output = folder.logs / "supervisor.out"
    argv = [sys.executable, "-m", "cuemark.app.cli", "up", "--data", str(folder.root)]
    with output.open("ab") as stream:
        supervisor = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    deadline = time.monotonic() + START_LIMIT_S
    doing = ""
    with console.status("Cuemark is starting") as spinner:
        while True:
            phase = state.read(folder)
            if phase and phase.supervisor_pid == supervisor.pid:
                if phase.running:
                    break
                if phase.doing != doing:
                    doing = phase.doing
                    spinner.update(f"Cuemark is {doing}")
            if supervisor.poll() is not None:
                lines = output.read_text(errors="replace").strip().splitlines()
                said = lines[-1].removeprefix("cuemark: ") if lines else "it said nothing"
                raise Failure(said)
            if time.monotonic() > deadline:
                raise Failure(f"Cuemark does not serve after {START_LIMIT_S:.0f} s: see {output}")
            time.sleep(0.05)
    if as_json:
        print_json(phase.running)
    else:
        plain.print(_where(folder, phase.running))
