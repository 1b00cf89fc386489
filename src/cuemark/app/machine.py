"""What this machine says of an install that runs on it: processes, restarts, disk."""

import contextlib
import shutil

import psutil

from cuemark.app import state
from cuemark.app.folder import DataFolder
from cuemark.gateway.machine import Machine, ProcessState


def machine_of(folder: DataFolder) -> Machine:
    """Read now. Takes milliseconds: call it in a thread."""
    disk = shutil.disk_usage(folder.root)
    phase = state.read(folder)
    running = phase.running if phase else None
    starts = running.starts if running else {}
    return Machine(
        doing=phase.doing if phase else "not supervised",
        started_at=running.started_at if running else None,
        processes=[
            _process(name, pid, max(0, starts.get(name, 1) - 1))
            for name, pid in sorted((running.pids if running else {}).items())
        ],
        disk_free_bytes=disk.free,
        disk_total_bytes=disk.total,
    )


def _process(name: str, pid: int, restarts: int) -> ProcessState:
    alive, memory_bytes = False, 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        memory_bytes = process.memory_info().rss
        for child in process.children() if name != "supervisor" else []:
            with contextlib.suppress(psutil.Error):
                memory_bytes += child.memory_info().rss
    return ProcessState(
        name=name, pid=pid, alive=alive, restarts=restarts, memory_bytes=memory_bytes
    )
