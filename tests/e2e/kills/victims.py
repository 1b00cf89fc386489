"""Who is killed, and how it is made sure that they are dead before that counts."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator

import psutil

from cuemark.kit.process import group_alive, kill_group
from tests.e2e.installation import wait_until
from tests.e2e.kills.running import WatchedInstallation

FORKSERVER = "forkserver"
CHILDREN = (
    FORKSERVER,
    "worker-1",
    "worker-2",
    "control",
    "postgres",
    "origin",
    "appliance-1",
    "appliance-1-agent",
    "appliance-2",
    "appliance-2-agent",
)
SUPERVISOR, EVERYTHING, POWER = "supervisor", "everything", "power"
VICTIMS = (*CHILDREN, SUPERVISOR, EVERYTHING, POWER)

GONE_S = 5.0


def workers_lost(victim: str) -> int:
    """How many workers die with this victim: each may lose the chunk in its hands."""
    if victim in (SUPERVISOR, FORKSERVER, EVERYTHING, POWER):
        return 2
    return int(victim.startswith("worker"))


def refuses(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return False
    return True


def nobody_answers(port: int) -> bool:
    """Whether nothing comes back: the port refuses, or its queue has nobody to serve it."""
    with contextlib.suppress(OSError):
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(1)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(1) == b""
    return True


def kill_child(installation: WatchedInstallation, name: str) -> None:
    """Kill a child's whole group. It is dead, and its port refuses, before the supervisor knows.

    The supervisor is stopped meanwhile, because it would have the child's successor answer on
    the same port within a tenth of a second. A child that is not there yet is killed at birth.
    """
    assert installation.supervisor is not None
    wait_until(lambda: name in installation.groups(), 60, f"{name} was started")
    with _stopped(installation.supervisor.pid):
        group = installation.groups()[name]
        below = _descendants(group)
        kill_group(group)
        with contextlib.suppress(ProcessLookupError):
            os.kill(group, signal.SIGKILL)  # one that was born just now leads no group yet
        wait_until(lambda: not group_alive(group), GONE_S, f"the group of {name} is gone")
        wait_until(lambda: not any(map(_alive, below)), GONE_S, f"what {name} ran is gone")
        port = installation.ports().get(name)
        # The supervisor holds control's socket, and who connects waits there for its successor.
        dead = nobody_answers if name == "control" else refuses
        # A leader is a zombie while threads of it still end, and these hold the port so long.
        wait_until(lambda: port is None or dead(port), GONE_S, f"{port} of {name} is dead")


def kill_supervisor(installation: WatchedInstallation) -> None:
    """Kill the supervisor alone: all that it ran must end by itself."""
    assert installation.supervisor is not None
    installation.supervisor.kill()
    installation.supervisor.wait(GONE_S)
    assert_dead(installation)


def kill_everything(installation: WatchedInstallation) -> None:
    """Kill every process of the installation at once."""
    installation.kill_all()
    assert_dead(installation)


def assert_dead(installation: WatchedInstallation) -> None:
    wait_until(lambda: installation.processes() == [], 10, "every process is gone")
    with contextlib.suppress(FileNotFoundError):
        answering = [name for name, port in installation.ports().items() if not refuses(port)]
        assert answering == [], "the ports of the dead answer"


@contextlib.contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, 5, "it stops")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _descendants(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
