"""The payment sandbox: ``python -m cuemark.app.sandbox --data DIR``, a process of its own."""

import asyncio
import signal
from pathlib import Path

import click
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from cuemark.app import settings
from cuemark.app.folder import DataFolder
from cuemark.app.system import Install, install_on, sandbox_of
from cuemark.contexts.billing.wiring import build_sandbox
from cuemark.gateway.routes.billing import WEBHOOKS
from cuemark.kit.clock import SystemClock
from cuemark.kit.logs import configure_logs

NAME = "sandbox"


async def _serve(install: Install) -> None:
    at = sandbox_of(install)
    file = install.folder.sandbox
    file.parent.mkdir(mode=0o700, exist_ok=True)
    webhooks = f"{install.public_url}{WEBHOOKS}"
    application, courier = build_sandbox(file, SystemClock(), at, webhooks)
    server = Server(
        application,
        address=install.settings.bind,
        port=install.ports.sandbox,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    tasks = [asyncio.create_task(each) for each in (server.serve(), courier.run(), stop.wait())]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    tasks[1].cancel()
    await asyncio.gather(*tasks[:2], return_exceptions=True)
    if not stop.is_set():
        for task in done:
            task.result()


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
def main(root: Path) -> None:
    folder = DataFolder(root)
    install = install_on(folder, settings.load(root))
    configure_logs(NAME, folder.log_file)
    asyncio.run(_serve(install))


if __name__ == "__main__":
    main()
