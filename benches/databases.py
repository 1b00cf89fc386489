"""A PostgreSQL of a bench's own."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benches.failure import BenchFailed
from cuemark.app.engines import postgres
from cuemark.kit.process import kill_group, launch_argv


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Path]:
    """The socket folder of a PostgreSQL of the bench's own."""
    folder.mkdir(parents=True)
    postgres.initialise(folder / "data")
    argv = launch_argv(
        postgres.server_argv(folder / "data", folder),
        drop_root=True,
        on_parent_death=signal.SIGINT,
    )
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(argv, stdout=log, stderr=log) as server,
    ):
        try:
            while not postgres.answers(folder):
                if server.poll() is not None:
                    raise BenchFailed(f"PostgreSQL ended: {folder / 'log'}")
                time.sleep(0.05)
            yield folder
        finally:
            kill_group(server.pid, signal.SIGINT)
