"""A PostgreSQL for a bench that starts no install."""

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
def served(folder: Path, *, durable: bool = True) -> Iterator[str]:
    """The address of an empty database as long as the block, in a PostgreSQL of its own."""
    folder.mkdir(parents=True)
    postgres.initialise(folder / "data")
    argv = launch_argv(
        postgres.server_argv(folder / "data", folder, durable=durable),
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
            postgres.create_database(folder)
            yield postgres.url_of(folder)
        finally:
            kill_group(server.pid, signal.SIGINT)
