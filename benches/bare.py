"""A Cuemark that encodes nothing and delivers nothing: what is measured is its control plane."""

from collections.abc import Iterator
from contextlib import contextmanager

from benches.stand import Install, Stand, started
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
    with started(folder, stand.folder / f"{name}.out") as install:
        yield install


def port_of(install: Install) -> int:
    return int(install.operator.running.api_url.split(":")[2].partition("/")[0])
