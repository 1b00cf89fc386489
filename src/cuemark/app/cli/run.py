"""``cuemark run``: a part of the control plane in a process of its own."""

import click

from cuemark.app import settings
from cuemark.app.compose import TARGETS
from cuemark.app.control import Listener, parse_peers, run_control
from cuemark.app.folder import DataFolder
from cuemark.app.system import install_on


@click.command()
@click.argument("targets")
@click.option("--port", type=int, default=0, help="Where the gateway serves; needs the target.")
@click.option("--internal-port", type=int, required=True, help="Where the contracts are served.")
@click.option(
    "--peer",
    "peers",
    multiple=True,
    metavar="CONTEXT=URL",
    help="The process that has a context which is not run here; the rest are at the install's own.",
)
def run(
    folder: DataFolder, targets: str, port: int, internal_port: int, peers: tuple[str, ...]
) -> None:
    """Run TARGETS (comma-separated contexts, or gateway, or all) against a data folder."""
    chosen = targets.split(",")
    unknown = sorted(set(chosen) - set(TARGETS))
    if unknown:
        known = ", ".join(sorted(TARGETS))
        raise click.BadParameter(f"no target {', '.join(unknown)}: there are {known}")
    if "gateway" in chosen and not port:
        raise click.BadParameter("the gateway needs --port")
    install = install_on(folder, settings.load(folder.root))
    public = Listener(install.settings.bind, port)
    internal = Listener("127.0.0.1", internal_port)
    run_control(install, chosen, public, internal, parse_peers(peers))
