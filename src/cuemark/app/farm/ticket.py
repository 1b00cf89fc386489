"""The ticket with which another host works for an install: one private file, all that it needs."""

from pathlib import Path

import msgspec
import psycopg

from cuemark.app import folder_format
from cuemark.app.certificate import ensured
from cuemark.app.engines import postgres
from cuemark.app.farm.keys import Work, database_password, farm_key, work_of
from cuemark.app.storage import bucket_of
from cuemark.app.system import Install
from cuemark.kit.bucket import BucketAt
from cuemark.kit.errors import UNREADABLE, OperatorError
from cuemark.kit.objects import write_private

FORMAT = 1
MOST_BYTES = 1 << 20
CONNECT_S = 5
PATIENCE = "connect_timeout=5&keepalives_idle=5&keepalives_interval=3&keepalives_count=3"


class TicketUnusable(OperatorError):
    """A ticket is none, or opens nothing any more."""


class NoFarm(OperatorError):
    """The settings let no other host work."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """``database_url`` is that of a PostgreSQL of the operator's own; else host and password are
    those of the install's. ``key`` signs passports, hex."""

    format: int = FORMAT
    release: str
    work: Work
    control_url: str
    key: str
    certificate: str
    database_host: str
    database_password: str
    database_url: str = ""
    bucket: BucketAt

    def __repr__(self) -> str:
        return f"Ticket(for {self.control_url})"


def made_for(install: Install) -> Ticket:
    """A ticket of this install as it is now; raises ``NoFarm``."""
    settings, folder = install.settings, install.folder
    path = folder.root / "cuemark.toml"
    bucket = bucket_of(folder.root, settings.objects)
    if bucket is None:
        raise NoFarm(
            f"workers on other hosts need the objects in a bucket: set [objects] in {path} "
            "and start again"
        )
    if not settings.farm.listen or not install.ports.farm:
        raise NoFarm(
            f"no other host may work for this install: set `listen` under [farm] in {path} to the "
            "address at which they reach it, and start again"
        )
    certificate = ensured(folder.root / "secrets", settings.farm.listen)
    return Ticket(
        release=folder_format.RELEASE,
        work=work_of(install),
        control_url=f"https://{settings.farm.listen}:{install.ports.farm}",
        key=farm_key(install).hex(),
        certificate=certificate.path.read_text(),
        database_host=settings.farm.listen,
        database_password=database_password(install),
        database_url=settings.postgres_url,
        bucket=bucket,
    )


def write(ticket: Ticket, path: Path) -> None:
    write_private(path, msgspec.json.format(msgspec.json.encode(ticket)))


def read(path: Path) -> Ticket:
    """Raises ``TicketUnusable``."""
    try:
        with path.open("rb") as file:
            encoded = file.read(MOST_BYTES)
        ticket = msgspec.json.decode(encoded, type=Ticket)
    except OSError as error:
        raise TicketUnusable(
            f"the ticket {path} cannot be read ({error.strerror}): make one with "
            "`cuemark host ticket` where the install is"
        ) from error
    except UNREADABLE as error:
        raise TicketUnusable(
            f"{path} is no ticket of this release: make one with `cuemark host ticket` where the "
            "install is, and run the same release here"
        ) from error
    if ticket.format != FORMAT:
        raise TicketUnusable(f"{path} is a ticket of another release than {folder_format.RELEASE}")
    return ticket


def check_pipeline(ticket: Ticket, ours: str) -> None:
    """Raise ``TicketUnusable`` where this machine would make something else of a film."""
    if ticket.work.pipeline != ours:
        raise TicketUnusable(
            f"the install runs Cuemark {ticket.release} with other tools than this machine "
            f"({folder_format.RELEASE}): put the same release on both, and make a new ticket"
        )


def database_url(ticket: Ticket, run: Path) -> str:
    """The database's URL; what is secret of it is in private files of the folder ``run``."""
    if ticket.database_url:
        return ticket.database_url
    host, role, name = ticket.database_host, postgres.WORKER_ROLE, postgres.DATABASE
    line = f"{host}:{postgres.PORT}:{name}:{role}:{ticket.database_password}\n"
    write_private(run / "pgpass", line.encode())
    return (
        f"postgresql+psycopg://{role}@{host}:{postgres.PORT}/{name}"
        f"?sslmode=disable&passfile={run / 'pgpass'}&{PATIENCE}"
    )


def check_database(url: str) -> None:
    """Raise ``TicketUnusable`` where the database does not let us in, ``OperatorError`` away."""
    try:
        psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=CONNECT_S).close()
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        if "not permitted to log in" in str(error):
            raise OperatorError(
                "the install lets no worker in at the moment: it is starting, or has no [farm] in "
                "its settings any more"
            ) from error
        if any(word in said for word in ("password", "pg_hba")):
            raise TicketUnusable(
                "the install does not take this ticket any more: make a new one with "
                "`cuemark host ticket` there"
            ) from error
        raise OperatorError(f"the install's database does not answer: {said}") from error
