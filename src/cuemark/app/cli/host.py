"""``cuemark host``: workers on other machines."""

import asyncio
from pathlib import Path

import click

from cuemark.app import settings
from cuemark.app.cli.output import plain
from cuemark.app.folder import DataFolder, FolderUnusable
from cuemark.app.lock import folder_lock
from cuemark.app.system import install_on


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def ticket(folder: DataFolder, file: Path) -> None:
    """Write to FILE all that another host needs to work for this install.

    Who has the file can read and replace films before they are published: carry it safely.
    """
    from cuemark.app.farm import ticket as tickets

    made = tickets.made_for(install_on(folder, settings.load(folder.root)))
    try:
        tickets.write(made, file.resolve())
    except OSError as error:
        raise FolderUnusable(f"{file} cannot be written ({error.strerror})") from error
    plain.print(f"{file} opens this install to workers: `cuemark host work --ticket {file.name}`")


@click.command()
@click.option(
    "--ticket",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="What `cuemark host ticket` wrote where the install is.",
)
@click.option(
    "--slots",
    type=click.IntRange(1, 200),
    default=2,
    show_default=True,
    help="How many workers run at once.",
)
@click.option(
    "--cache-gb",
    type=click.FloatRange(min=0.01),
    default=50.0,
    show_default=True,
    help="How much of the disk masters and results may take that are in use.",
)
def work(folder: DataFolder, file: Path, slots: int, cache_gb: float) -> None:
    """Work for an install on another host, until Ctrl-C.

    --data is a folder of this host's own, for its cache and its logs.
    """
    from cuemark.app.farm import host
    from cuemark.app.farm import ticket as tickets
    from cuemark.contexts.encoding.wiring import pipeline
    from cuemark.kit.logs import configure_logs

    host.check_folder(folder)
    given = tickets.read(file)
    tickets.check_pipeline(given, pipeline())
    folder.prepare()

    def told(name: str, workers: list[str]) -> None:
        plain.print(f"{name} works for {given.control_url}: {', '.join(workers)}")

    with folder_lock(folder):
        configure_logs("host", folder.log_file)
        asyncio.run(host.check(given, folder))
        asyncio.run(host.work(folder, file.resolve(), slots, int(cache_gb * 1e9), told))
