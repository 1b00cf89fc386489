"""An encode worker: ``python -m cuemark.app.worker --data DIR --name worker-1``.

With ``--ticket`` it works for an install on another machine, and ``DIR`` is this machine's own.
"""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import structlog

from cuemark.app import settings
from cuemark.app.folder import DataFolder
from cuemark.app.storage import open_objects
from cuemark.app.system import install_on
from cuemark.contexts.encoding.wiring import pipeline, policy_of, run_worker
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding.validation import PolicyChanges
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.protection import Scheme
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.errors import OperatorError
from cuemark.kit.link import connect
from cuemark.kit.logs import configure_logs
from cuemark.kit.objects import Objects
from cuemark.kit.passport import Passport, PassportOffice


@dataclass(frozen=True)
class Workplace:
    """What a worker works with, and how all workers of an install must work."""

    database_url: str
    objects: Objects
    control_url: str
    passport_key: bytes
    thumbnails: bool
    validation: PolicyChanges
    scheme: Scheme
    certificate: str = ""


def of_this_machine(folder: DataFolder, name: str) -> Workplace:
    install = install_on(folder, settings.load(folder.root))
    chosen = install.settings
    return Workplace(
        database_url=install.database_url,
        objects=open_objects(folder, chosen.objects, name),
        control_url=chosen.control_url or install.internal_url,
        passport_key=folder.secret("passport_key"),
        thumbnails=chosen.thumbnails,
        validation=chosen.validation,
        scheme=chosen.protection.scheme,
    )


def of_ticket(folder: DataFolder, name: str, path: Path, cache_bytes: int) -> Workplace:
    """Raises ``OperatorError`` where the install does not take the ticket, or is away."""
    from cuemark.app.farm import ticket as tickets
    from cuemark.kit.bucket import BucketObjects

    ticket = tickets.read(path)
    tickets.check_pipeline(ticket, pipeline())
    url = tickets.database_url(ticket, folder.run)
    tickets.check_database(url)
    # A task holds a descriptor for each object that it uses, and a film has thousands of chunks.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return Workplace(
        database_url=url,
        objects=BucketObjects(folder.objects, ticket.bucket, name, limit_bytes=cache_bytes),
        control_url=ticket.control_url,
        passport_key=bytes.fromhex(ticket.key),
        thumbnails=ticket.work.thumbnails,
        validation=ticket.work.validation,
        scheme=ticket.work.scheme,
        certificate=ticket.certificate,
    )


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
@click.option("--name", required=True)
@click.option("--ticket", type=click.Path(path_type=Path))
@click.option("--cache-bytes", type=int, default=0)
def main(root: Path, name: str, ticket: Path | None, cache_bytes: int) -> None:
    folder = DataFolder(root)
    configure_logs(name, folder.log_file)
    try:
        place = (
            of_this_machine(folder, name)
            if ticket is None
            else of_ticket(folder, name, ticket, cache_bytes)
        )
    except OperatorError as error:
        structlog.get_logger().error("worker_cannot_work", why=str(error))
        sys.exit(str(error))
    clock = SystemClock()
    office = PassportOffice(place.passport_key, clock)
    passport = Passport(subject=name, role="service")
    channel = Channel(
        place.control_url, lambda: office.mint(passport), certificate=place.certificate
    )
    place.objects.sweep()
    run_worker(
        executor_id=name,
        database_url=place.database_url,
        objects=place.objects,
        licensing=connect(Licensing, channel),
        clock=clock,
        thumbnails=place.thumbnails,
        manifests=manifests_of,
        policy=policy_of(place.validation),
        scheme=place.scheme,
    )


if __name__ == "__main__":
    main()
