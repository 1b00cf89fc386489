"""An encode worker: ``python -m cuemark.app.worker --data DIR --name worker-1``."""

from pathlib import Path

import click

from cuemark.app import settings
from cuemark.app.folder import DataFolder
from cuemark.app.system import install_on
from cuemark.contexts.encoding.wiring import policy_of, run_worker
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.licensing import Licensing
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.link import connect
from cuemark.kit.logs import configure_logs
from cuemark.kit.objects import Objects
from cuemark.kit.passport import Passport, PassportOffice


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
@click.option("--name", required=True)
def main(root: Path, name: str) -> None:
    folder = DataFolder(root)
    install = install_on(folder, settings.load(root))
    configure_logs(name, folder.log_file)
    clock = SystemClock()
    office = PassportOffice(folder.secret("passport_key"), clock)
    passport = Passport(subject=name, role="service")
    channel = Channel(
        install.settings.control_url or install.internal_url, lambda: office.mint(passport)
    )
    objects = Objects(folder.objects, writer=name)
    objects.sweep()
    run_worker(
        executor_id=name,
        database_url=install.database_url,
        objects=objects,
        licensing=connect(Licensing, channel),
        clock=clock,
        thumbnails=install.settings.thumbnails,
        manifests=manifests_of,
        policy=policy_of(install.settings.validation),
        scheme=install.settings.protection.scheme,
    )


if __name__ == "__main__":
    main()
