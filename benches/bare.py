"""A Cuemark that encodes nothing and delivers nothing: what is measured is its control plane."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benches.children import child
from benches.failure import BenchFailed
from benches.stand import POLL_S, START_S, Install, Stand
from cuemark.app import state
from cuemark.app.cli.client import Operator
from cuemark.app.folder import DataFolder
from tests.integration.edge.farm import free_port


@contextmanager
def bare(stand: Stand, name: str) -> Iterator[Install]:
    """It runs while the context is open, and believes whom its clients say that they speak for."""
    folder = DataFolder(stand.scratch(name) / "data")
    folder.root.mkdir(parents=True)
    (folder.root / "cuemark.toml").write_text(
        f'port = {free_port()}\nworkers = 0\nappliances = 0\ntrusted_proxies = ["127.0.0.0/8"]\n'
    )
    argv = [sys.executable, "-m", "cuemark.app.cli", "up", "--data", str(folder.root)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CUEMARK_")}
    output = stand.folder / f"{name}.out"
    with child(argv, output, environment=environment) as supervisor:
        deadline_s = time.monotonic() + START_S
        while (phase := state.read(folder)) is None or phase.running is None:
            if supervisor.poll() is not None or time.monotonic() > deadline_s:
                raise BenchFailed(f"Cuemark did not start: {output.read_text()[-400:]}")
            time.sleep(POLL_S)
        with Operator(folder) as operator:
            yield Install(folder, operator)


def port_of(install: Install) -> int:
    return int(install.operator.running.api_url.split(":")[2].partition("/")[0])
