"""The control process: contexts, the gateway in front of them, the contract routes behind.

``python -m cuemark.app.control --data DIR`` runs all of them; ``cuemark run`` runs a part.
"""

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from cuemark.app import settings
from cuemark.app.compose import Composition, compose, writer_of
from cuemark.app.folder import DataFolder
from cuemark.app.system import Install, install_on
from cuemark.kit.logs import configure_logs
from cuemark.kit.objects import Objects


async def serve(composition: Composition, bind: str, port: int, internal_port: int) -> None:
    """Serve until SIGTERM or SIGINT: the gateway where it is composed, the contracts always."""
    stop = asyncio.Event()
    servers = [_server(composition.internal, "127.0.0.1", internal_port)]
    if composition.gateway is not None:
        servers.append(_server(composition.gateway, bind, port))
    followers = [asyncio.create_task(follower.run()) for follower in composition.followers]
    running = [asyncio.create_task(server.serve()) for server in servers]
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    structlog.get_logger().info("control_serves", port=port, contexts=sorted(composition.local))
    watched = [*followers, *running, asyncio.create_task(stop.wait())]
    done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    for task in followers:
        task.cancel()
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3):
            await asyncio.gather(*followers, *running, return_exceptions=True)
    await composition.close()
    if not stop.is_set():
        for task in done:
            task.result()


def _server(application: object, host: str, port: int) -> Server:
    return Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
        backlog=1024,
    )


def parse_peers(values: Sequence[str]) -> Mapping[str, str]:
    """``catalog=http://host:port`` for each context that another process has."""
    peers = {}
    for value in values:
        context, separator, url = value.partition("=")
        if not separator:
            raise click.BadParameter(f"{value!r} is not CONTEXT=URL")
        peers[context] = url
    return peers


def run_control(
    install: Install,
    targets: Sequence[str],
    port: int,
    internal_port: int,
    peers: Mapping[str, str],
) -> None:
    """Compose the targets and serve them in this process."""
    configure_logs(f"control:{','.join(targets)}", install.folder.log_file)
    composition = compose(install, targets, peers)
    asyncio.run(serve(composition, install.settings.bind, port, internal_port))


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
def main(root: Path) -> None:
    folder = DataFolder(root)
    install = install_on(folder, settings.load(root))
    targets = ["all"]
    Objects(folder.objects, writer_of(targets)).sweep()
    run_control(install, targets, install.ports.public, install.ports.internal, {})


if __name__ == "__main__":
    main()
