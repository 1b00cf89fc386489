"""The control process: contexts, the gateway in front of them, the contract routes behind.

``python -m cuemark.app.control --data DIR`` runs all of them; ``cuemark run`` runs a part. Under
the supervisor it inherits its listening sockets, so that nobody is refused while it is restarted.
"""

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import structlog
from granian.constants import Interfaces
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server

from cuemark.app import settings
from cuemark.app.certificate import Certificate, ensured
from cuemark.app.compose import Composition, compose, writer_of
from cuemark.app.folder import DataFolder
from cuemark.app.supervisor import BACKLOG
from cuemark.app.system import Install, install_on
from cuemark.kit.garbage import settle
from cuemark.kit.logs import configure_logs
from cuemark.kit.objects import Objects


@dataclass(frozen=True)
class Listener:
    """Where to serve; ``descriptor`` is that of a socket which listens there already."""

    host: str
    port: int
    descriptor: int | None = None


async def serve(
    composition: Composition,
    public: Listener,
    internal: Listener,
    farm: "FarmListener | None" = None,
) -> None:
    """Serve until SIGTERM or SIGINT: the gateway where it is composed, the contracts always.

    What is being answered at the signal is answered.
    """
    stop = asyncio.Event()
    servers = [_Server(composition.internal, internal)]
    if farm is not None:
        servers.append(_Server(farm.application, farm.listener, farm.certificate))
    if composition.gateway is not None:
        servers.append(_Server(composition.gateway, public))
    followers = [asyncio.create_task(follower.run()) for follower in composition.followers]
    followers += [asyncio.create_task(keeper()) for keeper in composition.keepers]
    running = [asyncio.create_task(server.serve()) for server in servers]
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    settle()
    structlog.get_logger().info(
        "control_serves", port=public.port, contexts=sorted(composition.local)
    )
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


@dataclass(frozen=True)
class FarmListener:
    """Where workers on other hosts reach this process, and what they find there."""

    application: object
    listener: Listener
    certificate: Certificate


class _Server(Server):
    """granian, on a socket of its own or on one that was inherited."""

    def __init__(
        self, application: object, where: Listener, certificate: Certificate | None = None
    ) -> None:
        super().__init__(
            application,
            address=where.host,
            port=where.port,
            interface=Interfaces.ASGI,
            websockets=False,
            log_enabled=False,
            backlog=BACKLOG,
            ssl_cert=None if certificate is None else certificate.path,
            ssl_key=None if certificate is None else certificate.key,
        )
        self._inherited = where.descriptor

    def _init_shared_socket(self) -> None:
        if self._inherited is None:
            super()._init_shared_socket()  # type: ignore[no-untyped-call]
            return
        # What granian unpickles in its own worker processes; its stubs do not tell of it.
        holder: Any = SocketHolder(self._inherited, False, BACKLOG)  # type: ignore[call-arg]
        self._ssp, self._shd, self._sfd = None, holder, holder.get_fd()


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
    public: Listener,
    internal: Listener,
    peers: Mapping[str, str],
    farm: Listener | None = None,
) -> None:
    """Compose the targets and serve them in this process."""
    configure_logs(f"control:{','.join(targets)}", install.folder.log_file)
    composition = compose(install, targets, peers)
    door = None
    if farm is not None and composition.farm is not None:
        certificate = ensured(install.folder.root / "secrets", farm.host)
        door = FarmListener(composition.farm, farm, certificate)
    asyncio.run(serve(composition, public, internal, door))


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
@click.option("--public-fd", type=int, help="An inherited socket that listens for the gateway.")
@click.option("--internal-fd", type=int, help="The same for the contracts.")
@click.option("--farm-fd", type=int, help="The same for workers on other hosts.")
def main(root: Path, public_fd: int | None, internal_fd: int | None, farm_fd: int | None) -> None:
    folder = DataFolder(root)
    install = install_on(folder, settings.load(root))
    public = Listener(install.settings.bind, install.ports.public, public_fd)
    internal = Listener("127.0.0.1", install.ports.internal, internal_fd)
    targets = ["all"]
    Objects(folder.objects, writer_of(targets)).sweep()
    farm = None
    if farm_fd is not None:
        farm = Listener(install.settings.farm.listen, install.ports.farm, farm_fd)
    run_control(install, targets, public, internal, {}, farm)


if __name__ == "__main__":
    main()
