"""Dumps of a PostgreSQL database, taken and loaded by the programs of the wheel.

The URL reaches them through a service file of mode 0600, never through argv or the environment,
since it may hold a password.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import make_url

from cuemark.app.engines.postgres import binaries
from cuemark.kit.errors import OperatorError
from cuemark.kit.objects import fsync

_SERVICE = "cuemark"


class DumpFailed(OperatorError):
    """The database could not be written to a file, or not be read from one."""


def dump(url: str, target: Path, snapshot: str) -> None:
    """Write the database as ``snapshot`` shows it to ``target``, compressed; durable on return.

    Takes no lock that a reader or a writer of rows would meet, and no transaction id, so the
    readers of the log go on.
    """
    _run(
        url,
        "pg_dump",
        ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"],
        ["--file", str(target), f"service={_SERVICE}"],
    )
    fsync(target)


def load(url: str, source: Path) -> None:
    """Fill an empty database from a dump, whole or not at all."""
    _run(
        url,
        "pg_restore",
        ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"],
        [f"--dbname=service={_SERVICE}", str(source)],
    )


def check(source: Path) -> None:
    """Raise ``DumpFailed`` where the bundled programs cannot read the dump's table of contents."""
    argv = [str(binaries() / "pg_restore"), "--list", str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DumpFailed(f"{source} is no dump that this PostgreSQL reads: {_said(done.stderr)}")


def _run(url: str, program: str, flags: Sequence[str], arguments: Sequence[str]) -> None:
    with _service_file(url) as service_file:
        done = subprocess.run(
            [str(binaries() / program), *flags, *arguments],
            env={**os.environ, "PGSERVICEFILE": str(service_file)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise DumpFailed(f"{program} failed: {_said(done.stderr)}")


def _said(stderr: str) -> str:
    lines = stderr.strip().splitlines()
    return lines[0] if lines else "it said nothing"


@contextlib.contextmanager
def _service_file(url: str) -> Iterator[Path]:
    parts = make_url(url)
    values: dict[str, object] = {
        "host": parts.host,
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
        "dbname": parts.database,
        **parts.query,
    }
    lines = [f"{name}={value}" for name, value in values.items() if value is not None]
    with tempfile.TemporaryDirectory(prefix="cuemark-") as private:
        path = Path(private) / "service.conf"
        path.touch(mode=0o600)
        path.write_text("\n".join([f"[{_SERVICE}]", *lines, ""]))
        yield path
