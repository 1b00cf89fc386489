"""Children: each in a process group of its own, and gone when its parent dies.

``cuemark.kit.launcher`` stands before each. A server that forks (nginx, PostgreSQL) wants a
signal on which it ends its own children. A child of root can drop root: it enters a user
namespace in which it is an ordinary user, because PostgreSQL refuses root and because an account
of its own could not enter a data folder of mode 0700. A confined child gives up all that
``cuemark.kit.confinement`` tells, and our environment with it.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import psutil

from cuemark.kit import launcher
from cuemark.kit.confinement import Confinement

_START_TICKS = 19
"""The field "starttime" of proc_pid_stat(5), counted from the one after the name."""


def launch_argv(
    argv: Sequence[str],
    *,
    drop_root: bool = False,
    confined: Confinement | None = None,
    on_parent_death: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """The command line that runs ``argv`` through the launcher."""
    flags = ["--drop-root"] if drop_root else []
    if confined is not None:
        flags = ["--confined", *confined.arguments()]
    started = [sys.executable, "-I", "-S", launcher.__file__, *flags]
    return [*started, str(int(on_parent_death)), str(os.getpid()), "--", *argv]


def run_and_leave(command: Callable[[], object]) -> NoReturn:
    """Run a command and end the process with its exit code, without taking Python down.

    The HTTP client's runtime has threads that Python does not know: one that asks for the
    interpreter while it is being finalized aborts the process, after all its work was done.
    """
    code: int | str | None = 0
    try:
        command()
    except SystemExit as leaving:
        code = leaving.code
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def birth_of(pid: int) -> str:
    """The boot and the moment in it at which a process started; empty where there is none.

    It counts in ticks since the boot, so it stays what it is when the machine's clock is set,
    and no process of another boot has it.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return f"{boot}:{after_name.split()[_START_TICKS]}"


def group_alive(group: int) -> bool:
    """Whether any process of the group still runs; zombies are dead."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def kill_group(group: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Signal every process of the group; a group that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)
