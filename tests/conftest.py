"""Fixtures that every suite shares: a real PostgreSQL, a database of one's own in it."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from cuemark.app.engines import postgres
from cuemark.kit.process import kill_group, launch_argv

# A property is right or wrong on a busy machine too: no example has a deadline.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

_numbers = itertools.count()

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 1 << 30


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """The socket folder of a throw-away PostgreSQL, one for each test process."""
    memory = MEMORY if os.access(MEMORY, os.W_OK) and free_bytes(MEMORY) > ENOUGH_BYTES else None
    with tempfile.TemporaryDirectory(prefix="cuemark-pg-", dir=memory) as folder:
        root = Path(folder)
        postgres.initialise(root / "data")
        argv = postgres.server_argv(root / "data", root, durable=False)
        with (
            (root / "log").open("w") as log,
            subprocess.Popen(
                launch_argv(argv, drop_root=True, on_parent_death=signal.SIGINT),
                stdout=subprocess.DEVNULL,
                stderr=log,
            ) as server,
        ):
            deadline = time.monotonic() + 30
            while not postgres.answers(root):
                assert time.monotonic() < deadline, (root / "log").read_text()
                time.sleep(0.02)
            yield root
            kill_group(server.pid, signal.SIGQUIT)


@pytest.fixture
def database_url(postgres_socket: Path) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    yield from _empty_database(postgres_socket)


@pytest.fixture
def other_database_url(postgres_socket: Path) -> Iterator[str]:
    """A second one, for the neighbour of what is tested."""
    yield from _empty_database(postgres_socket)


@pytest.fixture(scope="module")
def module_database_url(postgres_socket: Path) -> Iterator[str]:
    """One for the tests of a module. A worker may set a module up again, after tests of another:
    it finds nothing of the time before."""
    yield from _empty_database(postgres_socket)


def _empty_database(postgres_socket: Path) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    postgres.create_database(postgres_socket, name)
    yield postgres.url_of(postgres_socket, name)
    with psycopg.connect(
        host=str(postgres_socket), user="cuemark", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where skips are not allowed, a skipped test has failed."""
    report = yield
    if report.skipped and os.environ.get("CUEMARK_TEST_NO_SKIPS"):
        report.outcome = "failed"
    return report


@pytest.fixture
def free_ports() -> list[int]:
    """Three ports of the loopback interface that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture
def free_port(free_ports: list[int]) -> int:
    return free_ports[0]
