"""A host of workers: a supervisor on a folder of its own that works for an install elsewhere."""

import asyncio
import os
import re
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

import structlog

from cuemark.app import state
from cuemark.app.farm import ticket as tickets
from cuemark.app.farm.ticket import Ticket, TicketUnusable
from cuemark.app.folder import DataFolder
from cuemark.app.forking import Forkserver
from cuemark.app.readiness import at_once
from cuemark.app.state import Phase
from cuemark.app.storage import check_bucket
from cuemark.app.supervising import supervised
from cuemark.app.supervisor import ChildSpec
from cuemark.contracts.licensing import Licensing
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.errors import OperatorError, Unavailable
from cuemark.kit.link import route_of
from cuemark.kit.objects import Objects, write_private
from cuemark.kit.passport import Passport, PassportOffice

WORKER = "cuemark.app.worker"
MALFORMED = 400


class NotAHost(OperatorError):
    """The folder is that of an install."""


def check_folder(folder: DataFolder) -> None:
    """Raise ``NotAHost`` where an install lives in the folder."""
    if (folder.root / "format.json").exists() or folder.postgres.exists():
        raise NotAHost(
            f"{folder.root} is the data folder of an install: choose another with --data for the "
            "workers of this machine"
        )


def host_name(folder: DataFolder) -> str:
    """The name of this host, which no other host has: kept in its folder."""
    path = folder.root / "host"
    if not path.exists():
        plain = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:40]
        write_private(path, f"{plain or 'host'}-{secrets.token_hex(2)}".encode())
    return path.read_text()


async def check(ticket: Ticket, folder: DataFolder) -> None:
    """Find out whether the install takes the ticket, and all of it can be reached from here.

    Raises ``TicketUnusable`` or another ``OperatorError``.
    """
    await asyncio.to_thread(tickets.check_database, tickets.database_url(ticket, folder.run))
    await asyncio.to_thread(check_bucket, ticket.bucket, folder.objects)
    office = PassportOffice(bytes.fromhex(ticket.key), SystemClock())
    passport = Passport(subject="host", role="service")
    async with Channel(
        ticket.control_url, lambda: office.mint(passport), certificate=ticket.certificate
    ) as channel:
        try:
            # Who is let in is told that this is no request; others are not even told that.
            status, _ = await channel.post(route_of(Licensing, "provision_keys"), b"{}")
        except Unavailable as error:
            if "401" in str(error):
                raise TicketUnusable(
                    "the install does not take this ticket now: set the clocks of both machines, "
                    "or make a new one with `cuemark host ticket` there"
                ) from error
            raise OperatorError(
                f"the install's control plane at {ticket.control_url} does not answer: run "
                "`cuemark up` there, and let this machine reach that port"
            ) from error
    if status != MALFORMED:
        raise OperatorError(f"{ticket.control_url} is no Cuemark of this release")


async def work(
    folder: DataFolder,
    ticket_path: Path,
    slots: int,
    cache_bytes: int,
    serving: Callable[[str, list[str]], None],
) -> None:
    """Keep ``slots`` workers running until SIGINT or SIGTERM.

    ``serving`` hears the name of this host and of its workers once they are started.
    """
    async with supervised(folder) as (supervisor, stop):
        Objects(folder.objects).sweep()
        host = host_name(folder)
        forkserver = Forkserver({WORKER: ["cuemark.contexts.encoding.workflow"]})
        state.write(folder, Phase(supervisor_pid=os.getpid(), doing="working"))
        await supervisor.add(forkserver.spec())
        names = [f"{host}-{number + 1}" for number in range(slots)]
        for name in names:
            argv = [WORKER, "--data", str(folder.root), "--name", name]
            argv += ["--ticket", str(ticket_path), "--cache-bytes", str(cache_bytes)]
            await supervisor.add(
                ChildSpec(name=name, argv=argv, ready=at_once, launch=forkserver.launch)
            )
        structlog.get_logger().info("host_works", host=host, workers=names)
        serving(host, names)
        await stop.wait()
