"""``cuemark appliance``: one appliance alone, on a machine without an install."""

import asyncio
import sys
from pathlib import Path
from typing import NoReturn

import click

from cuemark.app import settings
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import plain
from cuemark.app.folder import DataFolder, FolderUnusable
from cuemark.app.lock import folder_lock
from cuemark.app.sites import Site
from cuemark.app.system import install_on, passport_key_of
from cuemark.edge.settings import ApplianceSettings
from cuemark.kit.clock import SystemClock


@click.command()
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="What `cuemark host appliance` wrote where the install is.",
)
@click.option("--check", is_flag=True, help="Say what is wrong with the file, and start nothing.")
@click.option("--kept", is_flag=True, hidden=True)
def appliance(folder: DataFolder, file: Path, check: bool, kept: bool) -> None:
    """Serve films as one appliance, until Ctrl-C or SIGTERM.

    --data is a folder of this machine's own, for the files that it holds. Where the file names a
    folder of releases, a rollout may replace the appliance by another of them; a process of this
    release stays, and keeps it.
    """
    from cuemark.app import appliance as alone
    from cuemark.app.farm.host import check_folder
    from cuemark.kit.logs import configure_logs

    check_folder(folder)
    found = alone.read(file.resolve(), folder, SystemClock())
    if check:
        plain.print(f"{file} is right: {found.appliance_id} would serve {found.url}")
        return
    folder.prepare()
    if found.releases and not kept:
        _keep(folder, file.resolve(), found)

    def told() -> None:
        plain.print(f"{found.appliance_id} serves {found.url} for {found.control_url}")

    with folder_lock(folder):
        configure_logs("appliance", folder.log_file)
        asyncio.run(alone.run(folder, found, told))


def _keep(folder: DataFolder, file: Path, found: ApplianceSettings) -> NoReturn:
    from cuemark.app.keeper.keeping import Keeper
    from cuemark.edge.nginx import make_folders
    from cuemark.kit.logs import configure_logs

    configure_logs("keeper", folder.log_file)
    make_folders(Path(found.folder))
    arguments = ["appliance", "--config", str(file), "--data", str(folder.root)]
    sys.exit(Keeper(folder, found, arguments, SystemClock()).run())


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--url", required=True, help="Where viewers reach the appliance.")
@click.option("--control-url", default="", help="Where it reaches the control plane.")
@click.option("--origin-url", default="", help="Where it reaches the origin.")
def write_appliance(
    folder: DataFolder, name: str, file: Path, url: str, control_url: str, origin_url: str
) -> None:
    """Write to FILE all that the appliance NAME needs on another machine.

    NAME stands in `appliances_elsewhere` in the settings. Who has the file speaks to this install
    as that appliance, and reads what the origin has: carry it safely.
    """
    from cuemark.app import appliance as alone

    install = install_on(folder, settings.load(folder.root))
    if name not in install.settings.appliances_elsewhere:
        raise Failure(
            f'{name} is not enrolled: write appliances_elsewhere = ["{name}"] in '
            f"{folder.root / settings.FILE_NAME}, and start again with `cuemark up`"
        )
    made = alone.ApplianceFile(
        name=name,
        url=url,
        control_url=control_url or install.internal_url,
        passport_key=passport_key_of(install, name).hex(),
        origin_url=origin_url or f"http://127.0.0.1:{install.ports.origin}",
        origin_key=folder.secret("origin_key").hex(),
        site=install.settings.sites.get(name, Site()),
    )
    try:
        alone.write(made, file.resolve())
    except OSError as error:
        raise FolderUnusable(f"{file} cannot be written ({error.strerror})") from error
    plain.print(f"{name} serves with it: `cuemark appliance --config {file.name}`")
